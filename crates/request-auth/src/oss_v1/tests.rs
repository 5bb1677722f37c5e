//! The vectors of real SDKs run in `tests/conformance`; here stand the published example and the
//! rules that no vector shows.

use super::*;
use crate::claim::{Claim, Rules};
use crate::client::{DATE, NOW, WINDOW, head, resource, secret};
use crate::denial::Ambiguity;
use crate::head::{Delivery, HeadError};
use crate::secret::SecurityToken;
use crate::verified::{Coverage, Hint, Verified};

fn rules() -> Rules {
    Rules::new(WINDOW)
}

/// Signs the head for `/b` + path, then verifies the same head with the Authorization added.
fn signed_then<T>(
    target: &str,
    headers: &[(&str, &str)],
    token: Option<&SecurityToken>,
    now: UnixSeconds,
    and: impl FnOnce(Result<Verified<'_, ()>, Denial>) -> T,
) -> T {
    let unsigned = head("PUT", target, headers);
    let key = String::from_utf8(unsigned.path()[1..].to_vec()).unwrap();
    let authorization = sign_header(&unsigned, &resource(Some("b"), &key), "AK", &secret()).unwrap();
    let mut all = headers.to_vec();
    all.push(("authorization", &authorization));
    let signed = head("PUT", target, &all);
    let secret = secret();
    let material = KeyMaterial {
        key_id: "AK",
        secrets: vec![&secret],
        public_key: None,
        security_token: token,
        schemes: &Scheme::ALL,
    };
    and(Claim::of(&signed).unwrap().verify(
        &signed,
        &material,
        vec![resource(Some("b"), &key)],
        &rules(),
        now,
    ))
}

#[test]
fn the_vendor_s_published_example_verifies() {
    // "Include signatures in the Authorization header", the example that every SDK's tests copy.
    let headers = [
        ("Content-MD5", "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM="),
        ("Content-Type", "text/html"),
        ("Date", "Thu, 17 Nov 2005 18:49:58 GMT"),
        ("X-OSS-Meta-Author", "foo@bar.com"),
        ("X-OSS-Magic", "abracadabra"),
    ];
    let unsigned = head("PUT", "/nelson", &headers);
    let secret = SecretKey::new("OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV".into()).unwrap();
    let authorization = sign_header(
        &unsigned,
        &resource(Some("oss-example"), "nelson"),
        "44CF9590006BF252F707",
        &secret,
    );
    assert_eq!(
        authorization.unwrap(),
        "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA="
    );
}

#[test]
fn c01_c02_the_window_is_two_sided_and_its_edge_is_inside() {
    for (shift, good) in [
        (0, true),
        (900, true),
        (-900, true),
        (901, false),
        (-901, false),
        (86_400, false),
        (-315_360_000, false),
    ] {
        signed_then(
            "/k",
            &[("date", DATE)],
            None,
            UnixSeconds(NOW.0 + shift),
            |outcome| {
                assert_eq!(outcome.is_ok(), good, "{shift}");
                if !good {
                    assert!(matches!(
                        outcome.unwrap_err(),
                        Denial::Skewed { request: NOW, .. }
                    ));
                }
            },
        );
    }
}

#[test]
fn c03_c05_a_missing_or_unreadable_date_is_refused() {
    let bare = head("PUT", "/k", &[("authorization", "OSS AK:c2ln")]);
    let secret = secret();
    let material = KeyMaterial {
        key_id: "AK",
        secrets: vec![&secret],
        public_key: None,
        security_token: None,
        schemes: &Scheme::ALL,
    };
    let outcome =
        Claim::of(&bare)
            .unwrap()
            .verify(&bare, &material, vec![resource(Some("b"), "k")], &rules(), NOW);
    assert_eq!(outcome.unwrap_err(), Denial::DateMissing);
    signed_then("/k", &[("date", "yesterday")], None, NOW, |outcome| {
        assert_eq!(outcome.unwrap_err(), Denial::DateUnreadable)
    });
}

#[test]
fn c04_a_fresh_unsigned_date_does_not_revive_a_stale_signed_one() {
    let stale = ("x-oss-date", "Tue, 30 Apr 2024 12:34:56 GMT");
    signed_then("/k", &[stale, ("date", DATE)], None, NOW, |outcome| {
        assert!(matches!(outcome.unwrap_err(), Denial::Skewed { .. }));
    });
}

#[test]
fn c09_expires_is_a_plain_decimal_number() {
    for text in [
        "",
        "0x7fffffff",
        "1.7e9",
        "+1714567496",
        " 1714567496",
        "-1",
        "Tue, 21 Nov 2026 00:00:00 GMT",
        "9999999999999",
        "\u{661}",
    ] {
        assert_eq!(
            check_date(Placement::Query, text.as_bytes(), WINDOW, NOW),
            Err(Denial::ExpiresUnreadable),
            "{text}"
        );
    }
    let edge = NOW.0.to_string();
    assert_eq!(check_date(Placement::Query, edge.as_bytes(), WINDOW, NOW), Ok(()));
    assert!(matches!(
        check_date(Placement::Query, edge.as_bytes(), WINDOW, UnixSeconds(NOW.0 + 1)),
        Err(Denial::Expired { .. })
    ));
    let capped = Window {
        presigned_max_seconds: Some(60),
        ..WINDOW
    };
    assert_eq!(
        check_date(Placement::Query, (NOW.0 + 61).to_string().as_bytes(), capped, NOW),
        Err(Denial::ExpiresTooFar)
    );
}

#[test]
fn o13_tokens_are_compared_with_the_one_bound_to_the_key() {
    let token = SecurityToken::new("tok".into()).unwrap();
    let date = ("date", DATE);
    let outcome = |headers: &[(&str, &str)], target: &str, bound: Option<&SecurityToken>| {
        signed_then(target, headers, bound, NOW, |outcome| outcome.err())
    };
    assert_eq!(
        outcome(&[date, ("x-oss-security-token", "tok")], "/k", Some(&token)),
        None
    );
    assert_eq!(
        outcome(&[date, ("security-token", "tok")], "/k", Some(&token)),
        None
    );
    assert_eq!(outcome(&[date], "/k?security-token=tok", Some(&token)), None);
    assert_eq!(
        outcome(&[date, ("security-token", "toK")], "/k", Some(&token)),
        Some(Denial::TokenMismatch)
    );
    assert_eq!(outcome(&[date], "/k", Some(&token)), Some(Denial::TokenMissing));
    assert_eq!(
        outcome(&[date, ("security-token", "tok")], "/k", None),
        Some(Denial::TokenUnexpected)
    );
    assert_eq!(
        outcome(
            &[date, ("x-oss-security-token", "tok")],
            "/k?security-token=tok",
            Some(&token)
        ),
        Some(Denial::SeveralTokens)
    );
}

#[test]
fn a_token_in_the_query_is_not_among_the_parameters_that_go_on() {
    let token = SecurityToken::new("tok".into()).unwrap();
    for name in ["security-token", "x-oss-security-token"] {
        let target = format!("/k?uploads&{name}=tok");
        signed_then(&target, &[("date", DATE)], Some(&token), NOW, |outcome| {
            let verified = outcome.unwrap();
            let names: Vec<_> = verified.parameters().iter().map(|p| p.name.as_slice()).collect();
            assert_eq!(names, [b"uploads".as_slice()]);
        });
    }
}

#[test]
fn o01_keys_that_end_in_a_signed_sub_resource_are_refused() {
    for key in [
        "k%3FpartNumber=1&uploadId=U",
        "k%3Fuploads",
        "k%3Facl%3Fx",
        "a/%3Fx-oss-anything=1",
        "%3FuploadId",
    ] {
        let headers = [("date", DATE)];
        assert_eq!(
            refuse_ambiguity(&head("PUT", &format!("/{key}"), &headers)),
            Err(Denial::AmbiguousText(Ambiguity::SubResourceInKey)),
            "{key}"
        );
    }
    for key in [
        "a%3Fb",
        "a%3Fb=c&uploads",
        "a&uploads",
        "what%3F",
        "a%3Fuploadsx",
        "a%3Fb%26acl",
    ] {
        assert_eq!(
            refuse_ambiguity(&head("PUT", &format!("/{key}"), &[("date", DATE)])),
            Ok(()),
            "{key}"
        );
    }
}

#[test]
fn signed_values_that_hold_a_further_sub_resource_are_refused() {
    for query in [
        "response-content-disposition=a%26versionId%3DV",
        "uploadId=a%26acl",
        "x-oss-a%3Db=c",
        "x-oss-%26acl",
    ] {
        assert_eq!(
            refuse_ambiguity(&head("PUT", &format!("/k?{query}"), &[])),
            Err(Denial::AmbiguousText(Ambiguity::SubResourceInValue)),
            "{query}"
        );
    }
    assert_eq!(
        refuse_ambiguity(&head(
            "PUT",
            "/k?response-content-disposition=a%26b%3Dc%3Facl&prefix=a%26acl",
            &[]
        )),
        Ok(())
    );
}

#[test]
fn o03_line_breaks_in_signed_text_are_refused() {
    for target in ["/a%0Ab", "/a%0Db", "/k?uploadId=a%0A", "/k?x-oss-a%0A=b"] {
        assert_eq!(
            refuse_ambiguity(&head("PUT", target, &[])),
            Err(Denial::AmbiguousText(Ambiguity::LineBreak)),
            "{target}"
        );
    }
}

#[test]
fn a_joined_header_verifies_as_received_or_joined_by_a_comma_and_gives_what_was_signed() {
    for separator in [",", ", "] {
        let value = format!("1{separator}2");
        let signed = [("date", DATE), ("x-oss-meta-a", value.as_str())];
        let authorization = sign_header(
            &head("PUT", "/k", &signed),
            &resource(Some("b"), "k"),
            "AK",
            &secret(),
        )
        .unwrap();
        let arrived = [
            ("host", "h"),
            ("date", DATE),
            ("x-oss-meta-a", "1, 2"),
            ("authorization", &authorization),
        ];
        let lines = arrived
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let head = RequestHead::new("PUT", b"/k", lines, Delivery::Joined).unwrap();
        let secret = secret();
        let material = KeyMaterial {
            key_id: "AK",
            secrets: vec![&secret],
            public_key: None,
            security_token: None,
            schemes: &Scheme::ALL,
        };
        let verified = Claim::of(&head)
            .unwrap()
            .verify(&head, &material, vec![resource(Some("b"), "k")], &rules(), NOW)
            .unwrap();
        assert_eq!(verified.signed("x-oss-meta-a"), Some(value.as_bytes()));
    }
}

#[test]
fn a_joined_header_verifies_beside_a_date_that_has_a_blank_of_its_own() {
    // Go SDK 2 sends both dates and signs repeated metadata joined by a comma alone.
    let signed = [("date", DATE), ("x-oss-date", DATE), ("x-oss-meta-a", "1,2")];
    let authorization = sign_header(
        &head("PUT", "/k", &signed),
        &resource(Some("b"), "k"),
        "AK",
        &secret(),
    )
    .unwrap();
    let arrived = [
        ("host", "h"),
        ("date", DATE),
        ("x-oss-date", DATE),
        ("x-oss-meta-a", "1, 2"),
        ("authorization", &authorization),
    ];
    let lines = arrived
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead::new("PUT", b"/k", lines, Delivery::Joined).unwrap();
    let secret = secret();
    let material = KeyMaterial {
        key_id: "AK",
        secrets: vec![&secret],
        public_key: None,
        security_token: None,
        schemes: &Scheme::ALL,
    };
    let verified = Claim::of(&head)
        .unwrap()
        .verify(&head, &material, vec![resource(Some("b"), "k")], &rules(), NOW)
        .unwrap();
    assert_eq!(verified.signed("x-oss-meta-a"), Some(b"1,2".as_slice()));
}

#[test]
fn o08_a_repeated_signed_parameter_is_refused_and_a_repeated_unsigned_one_is_kept_twice() {
    for query in [
        "uploadId=1&uploadId=2",
        "uploadId=1&upload%49d=1",
        "x-oss-a&x-oss-a",
    ] {
        assert_eq!(
            refuse_ambiguity(&head("PUT", &format!("/k?{query}"), &[])),
            Err(Denial::Head(HeadError::RepeatedParameter)),
            "{query}"
        );
    }
    signed_then("/k?prefix=a&prefix=b", &[("date", DATE)], None, NOW, |outcome| {
        let verified = outcome.unwrap();
        assert_eq!(verified.parameters().len(), 2);
        assert!(
            verified
                .parameters()
                .iter()
                .all(|p| p.name == b"prefix" && p.coverage == Coverage::Unsigned)
        );
    });
}

#[test]
fn signed_headers_and_hints_are_kept_apart_and_others_cannot_be_read() {
    let headers = [
        ("date", DATE),
        ("x-oss-meta-a", "1"),
        ("content-type", "text/plain"),
        ("cache-control", "no-store"),
        ("x-amz-acl", "public-read"),
    ];
    signed_then("/k?prefix=p&uploadId=u", &headers, None, NOW, |outcome| {
        let verified = outcome.unwrap();
        assert_eq!(verified.signed("content-type"), Some(b"text/plain".as_slice()));
        assert_eq!(verified.signed("x-amz-acl"), None);
        assert_eq!(verified.signed("cache-control"), None);
        assert_eq!(verified.hint(Hint::CacheControl), Some(b"no-store".as_slice()));
        let coverage: Vec<_> = verified
            .parameters()
            .iter()
            .map(|p| (p.name.as_slice(), p.coverage))
            .collect();
        assert_eq!(
            coverage,
            [
                (b"prefix".as_slice(), Coverage::Unsigned),
                (b"uploadId".as_slice(), Coverage::Signed)
            ]
        );
    });
}

#[test]
fn a_second_secret_verifies_during_a_rotation() {
    signed_then("/k", &[("date", DATE)], None, NOW, |outcome| {
        assert!(outcome.is_ok())
    });
    let headers = [("date", DATE)];
    let authorization = sign_header(
        &head("PUT", "/k", &headers),
        &resource(Some("b"), "k"),
        "AK",
        &secret(),
    )
    .unwrap();
    let all = [("date", DATE), ("authorization", authorization.as_str())];
    let signed = head("PUT", "/k", &all);
    let (old, new) = (secret(), SecretKey::new("new".into()).unwrap());
    let verify = |secrets| {
        let material = KeyMaterial {
            key_id: "AK",
            secrets,
            public_key: None,
            security_token: None,
            schemes: &Scheme::ALL,
        };
        Claim::of(&signed)
            .unwrap()
            .verify(&signed, &material, vec![resource(Some("b"), "k")], &rules(), NOW)
            .err()
    };
    assert_eq!(verify(vec![&new, &old]), None);
    assert_eq!(verify(vec![&new]), Some(Denial::SignatureMismatch));
    assert_eq!(verify(vec![]), Some(Denial::InactiveKey));
}

#[test]
fn n10_a_request_is_tried_in_at_most_eight_forms() {
    let lines = [
        ("host", "b.h"),
        ("date", DATE),
        ("x-oss-date", "Wed, 01 May 2024 12:34:57 GMT"),
        ("x-oss-meta-a", "1, 2"),
        ("x-oss-meta-b", ""),
        ("authorization", "OSS AK:c2ln"),
    ];
    let lines = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead::new("PUT", b"/k?uploads=", lines, Delivery::Joined).unwrap();
    let claim = Claim::of(&head).unwrap();
    assert_eq!(claim.strings_to_sign(&head, &[resource(Some("b"), "k")]).len(), 8);
    let query = b"/?OSSAccessKeyId=AK&Expires=1&Signature=c2ln&uploads=";
    let lines = [("host", "b.h"), ("x-oss-meta-a", "1, 2"), ("x-oss-meta-b", "")];
    let lines = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead::new("GET", query, lines, Delivery::Joined).unwrap();
    let claim = Claim::of(&head).unwrap();
    assert_eq!(claim.strings_to_sign(&head, &[resource(Some("b"), "")]).len(), 8);
}
