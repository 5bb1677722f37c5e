//! The vectors of real SDKs and the attack cases run in `tests/conformance`; here stand the signer's
//! side, and the rules that no vector shows.

use super::*;
use crate::claim::{Claim, Rules, Scheme};
use crate::client::{NOW, WINDOW, delivered, head, in_b, secret, verify};
use crate::denial::Denial;
use crate::head::{Delivery, RequestHead};
use crate::payload;
use crate::secret::SecretKey;
use crate::verified::{Hint, Verified};

const TIMESTAMP: &str = "20240501T123456Z";
const DATED: [(&str, &str); 2] = [
    ("x-amz-date", TIMESTAMP),
    ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
];
const NAMES: &str = "host;x-amz-content-sha256;x-amz-date";

fn rules() -> Rules {
    Rules::new(WINDOW)
}

/// What comes of a head with these headers beside the usual ones, signed over `names`.
fn signed<T>(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    names: &str,
    and: impl FnOnce(Result<Verified<'_, ()>, Denial>) -> T,
) -> T {
    let mut lines = DATED.to_vec();
    lines.extend(headers);
    let signature = sign_header(&head(method, target, &lines), "AK", &secret(), "us-east-1", names).unwrap();
    lines.push(("authorization", &signature));
    and(verify(&head(method, target, &lines), None, &rules(), NOW))
}

/// The query of a presigned URL with these parameters besides.
fn presigned(target: &str, more: &str, headers: &[(&str, &str)], names: &str) -> String {
    let names = names.replace(';', "%3B");
    let unsigned = format!(
        "{target}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20240501%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date={TIMESTAMP}&X-Amz-Expires=600&X-Amz-SignedHeaders={names}{more}"
    );
    let signature = sign_query(&head("PUT", &unsigned, headers), &secret()).unwrap();
    format!("{unsigned}&X-Amz-Signature={signature}")
}

#[test]
fn what_is_signed_in_the_header_verifies() {
    for (method, target) in [
        ("PUT", "/k"),
        ("GET", "/"),
        ("POST", "/a//b%20c?uploads&x=%2B+1&=e"),
        ("DELETE", "/%E4%B8%AD%2F!*'()?uploadId=a%2Fb%3D"),
    ] {
        signed(method, target, &[], NAMES, |verified| {
            let verified = verified.unwrap();
            assert_eq!((verified.scheme(), verified.key_id()), (Scheme::S3V4, "AK"));
            assert_eq!(verified.method(), method);
        });
    }
}

#[test]
fn what_is_signed_in_the_query_verifies_and_loses_its_own_parameters() {
    let headers = [("x-amz-meta-a", "b")];
    let target = presigned("/k", "&partNumber=1", &headers, "host;x-amz-meta-a");
    let head = head("PUT", &target, &headers);
    let verified = verify(&head, None, &rules(), NOW).unwrap();
    let names: Vec<&[u8]> = verified
        .parameters()
        .iter()
        .map(|one| one.name.as_slice())
        .collect();
    assert_eq!(names, [b"partNumber".as_slice()]);
    assert_eq!(verified.signed("x-amz-meta-a"), Some(b"b".as_slice()));
    assert!(matches!(verified.payload(), payload::Payload::Unsigned));
}

#[test]
fn b11_inner_blanks_are_folded_for_signing_and_kept_for_sending() {
    let spaced = [("x-amz-meta-a", "  b \t c  d\te ")];
    let names = "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a";
    signed("PUT", "/k", &spaced, names, |verified| {
        assert_eq!(
            verified.unwrap().signed("x-amz-meta-a"),
            Some(b"b \t c  d\te".as_slice())
        );
    });
    let sign = |value| {
        let lines = [DATED[0], DATED[1], ("x-amz-meta-a", value)];
        sign_header(&head("PUT", "/k", &lines), "AK", &secret(), "r", names).unwrap()
    };
    assert_eq!(sign("b \t c  d\te"), sign("b c d e"));
    assert_ne!(sign("bc d e"), sign("b c d e"));
}

#[test]
fn b10_a_repeated_signed_header_is_one_value_joined_by_a_comma() {
    let names = "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a";
    let twice = [("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")];
    let joined = [("x-amz-meta-a", "1,2")];
    let lines = |more: &[(&'static str, &'static str)]| {
        let mut lines = DATED.to_vec();
        lines.extend(more);
        lines
    };
    let signature = sign_header(&head("PUT", "/k", &lines(&twice)), "AK", &secret(), "r", names).unwrap();
    let of_joined = sign_header(&head("PUT", "/k", &lines(&joined)), "AK", &secret(), "r", names).unwrap();
    assert_eq!(signature, of_joined);
    // On a platform that joins, by comma and blank.
    for value in ["1, 2", "1,2"] {
        let mut sent = lines(&[]);
        sent.extend([("x-amz-meta-a", value), ("authorization", signature.as_str())]);
        let head = delivered("PUT", "/k", &sent, Delivery::Joined);
        let verified = verify(&head, None, &rules(), NOW).unwrap();
        assert_eq!(verified.signed("x-amz-meta-a"), Some(b"1,2".as_slice()));
    }
}

#[test]
fn the_signature_s_own_headers_are_read_by_nobody() {
    let headers = [("range", "bytes=0-4"), ("if-match", "e"), ("user-agent", "u")];
    signed(
        "GET",
        "/k",
        &headers,
        "host;range;x-amz-content-sha256;x-amz-date",
        |verified| {
            let verified = verified.unwrap();
            let names: Vec<&str> = verified.signed_headers().map(|(name, _)| name).collect();
            assert_eq!(names, ["host", "range"]);
            assert_eq!(verified.hint(Hint::Range), None);
            assert_eq!(verified.hint(Hint::IfMatch), Some(b"e".as_slice()));
        },
    );
}

#[test]
fn f01_the_payload_is_what_was_signed() {
    let digest = "0123456789abcdef".repeat(4);
    for (marker, framed) in [
        (digest.as_str(), false),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", true),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", true),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true),
    ] {
        let lines = [DATED[0], ("x-amz-content-sha256", marker)];
        let signature = sign_header(&head("PUT", "/k", &lines), "AK", &secret(), "r", NAMES).unwrap();
        let all = [lines[0], lines[1], ("authorization", signature.as_str())];
        let head = head("PUT", "/k", &all);
        let verified = verify(&head, None, &rules(), NOW).unwrap();
        assert_eq!(verified.payload().is_framed(), framed, "{marker}");
        if let payload::Payload::Digest(found) = verified.payload() {
            assert_eq!(crate::canon::hex(found), digest);
        }
    }
}

#[test]
fn b05_what_describes_a_framed_body_may_be_unsigned_and_is_then_not_read() {
    let lines = [
        DATED[0],
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("x-amz-checksum-algorithm", "CRC32"),
    ];
    let signature = sign_header(&head("PUT", "/k", &lines), "AK", &secret(), "r", NAMES).unwrap();
    let mut all = lines.to_vec();
    all.push(("authorization", &signature));
    let framed = head("PUT", "/k", &all);
    let verified = verify(&framed, None, &rules(), NOW).unwrap();
    assert_eq!(
        verified
            .signed_headers()
            .map(|(name, _)| name)
            .collect::<Vec<_>>(),
        ["host"]
    );
}

#[test]
fn f09_an_unsigned_marker_of_a_frame_beside_a_presigned_url_is_refused() {
    let target = presigned("/k", "", &[], "host");
    for marker in [
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    ] {
        let head = head("PUT", &target, &[("x-amz-content-sha256", marker)]);
        assert_eq!(
            verify(&head, None, &rules(), NOW).map(drop),
            Err(Denial::HeaderNotSigned),
            "{marker}"
        );
    }
    let head = head("PUT", &target, &[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]);
    assert!(verify(&head, None, &rules(), NOW).is_ok());
}

#[test]
fn a_key_during_a_rotation_verifies_with_either_secret() {
    let lines = [DATED[0], DATED[1]];
    let signature = sign_header(&head("PUT", "/k", &lines), "AK", &secret(), "r", NAMES).unwrap();
    let all = [lines[0], lines[1], ("authorization", signature.as_str())];
    let head = head("PUT", "/k", &all);
    let (own, other) = (secret(), SecretKey::new("another".into()).unwrap());
    for secrets in [vec![&own, &other], vec![&other, &own]] {
        let material = crate::claim::KeyMaterial {
            key_id: "AK",
            secrets,
            public_key: None,
            security_token: None,
            schemes: &Scheme::ALL,
        };
        let claim = Claim::of(&head).unwrap();
        assert!(
            claim
                .verify(&head, &material, vec![in_b(&head)], &rules(), NOW)
                .is_ok()
        );
    }
}

#[test]
fn a_host_and_path_that_stand_for_nothing_match_no_signature() {
    let lines = [DATED[0], DATED[1]];
    let signature = sign_header(&head("PUT", "/k", &lines), "AK", &secret(), "r", NAMES).unwrap();
    let all = [lines[0], lines[1], ("authorization", signature.as_str())];
    let head = head("PUT", "/k", &all);
    let secret = secret();
    let material = crate::claim::KeyMaterial {
        key_id: "AK",
        secrets: vec![&secret],
        public_key: None,
        security_token: None,
        schemes: &Scheme::ALL,
    };
    let claim = Claim::of(&head).unwrap();
    let nothing: Vec<crate::verified::Resource<'_, ()>> = Vec::new();
    let outcome = claim.verify(&head, &material, nothing, &rules(), NOW);
    assert_eq!(outcome.err(), Some(Denial::SignatureMismatch));
}

#[test]
fn a_signer_refuses_what_no_verifier_takes() {
    let sign = |headers: &[(&'static str, &'static str)], region, names| {
        sign_header(&head("PUT", "/k", headers), "AK", &secret(), region, names).err()
    };
    assert_eq!(sign(&DATED, "us-east-1", NAMES), None);
    assert_eq!(sign(&DATED, "us/east", NAMES), Some(Denial::MalformedCredential));
    assert_eq!(
        sign(&DATED, "r", "x-amz-content-sha256;x-amz-date"),
        Some(Denial::HostNotSigned)
    );
    assert_eq!(
        sign(&DATED, "r", "host;x-amz-content-sha256"),
        Some(Denial::HeaderNotSigned)
    );
    assert_eq!(
        sign(&DATED[..1], "r", "host;x-amz-date"),
        Some(Denial::PayloadHashMissing)
    );
    assert_eq!(
        sign(&DATED[1..], "r", "host;x-amz-content-sha256"),
        Some(Denial::DateMissing)
    );
}

/// "Example: PUT Object" of the vendor's page on the Authorization header, whose signature is made over
/// a Date header.
#[test]
fn the_vendor_s_example_of_an_upload_has_the_vendor_s_signature() {
    let lines = [
        ("host", "examplebucket.s3.amazonaws.com"),
        ("date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        (
            "x-amz-content-sha256",
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        ),
    ];
    let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead::new("PUT", b"/test%24file.text", lines, Delivery::Lines).unwrap();
    let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap();
    let names = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class";
    let text = sign_header(&head, "AKIAIOSFODNN7EXAMPLE", &secret, "us-east-1", names).unwrap();
    assert!(
        text.ends_with("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        "{text}"
    );
}

/// The example of the vendor's page on presigned URLs.
#[test]
fn the_vendor_s_example_of_a_presigned_url_has_the_vendor_s_signature() {
    let target = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host";
    let head = head("GET", target, &[("host", "examplebucket.s3.amazonaws.com")]);
    let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap();
    assert_eq!(
        sign_query(&head, &secret).unwrap(),
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}
