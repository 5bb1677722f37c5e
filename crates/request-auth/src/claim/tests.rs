//! Exactly one credential of one scheme, in the form that the scheme asks for.

use super::*;
use crate::head::{Delivery, HeadError};

fn claim(target: &str, authorization: Option<&str>) -> Result<Claim, Denial> {
    let mut lines = vec![(b"host".as_slice(), b"h".as_slice())];
    if let Some(value) = authorization {
        lines.push((b"authorization", value.as_bytes()));
    }
    Claim::of(&RequestHead::new(
        "PUT",
        target.as_bytes(),
        lines,
        Delivery::Lines,
    )?)
}

#[test]
fn d16_a_blank_authorization_is_no_authorization() {
    assert_eq!(claim("/k", Some("")).err(), Some(Denial::Anonymous));
    assert_eq!(claim("/k", Some("  ")).err(), Some(Denial::Anonymous));
    assert_eq!(claim("/k", None).err(), Some(Denial::Anonymous));
}

#[test]
fn d05_o10_two_credentials_are_refused_whatever_they_are() {
    let presigned = "/k?OSSAccessKeyId=A&Expires=1&Signature=s";
    for (target, header) in [
        (presigned, Some("OSS A:s")),
        (presigned, Some("Bearer t")),
        (presigned, Some("Basic dTpw")),
        ("/k?X-Amz-Algorithm=AWS4-HMAC-SHA256", Some("OSS A:s")),
        ("/k?x-oss-signature-version=OSS2", Some("OSS A:s")),
        (
            "/k?x-oss-signature-version=OSS4-HMAC-SHA256",
            Some("OSS2 AccessKeyId:A,Signature:s"),
        ),
        (presigned, Some("OSS4-HMAC-SHA256 Credential=c,Signature=s")),
        ("/k?x-oss-signature-version=OSS4-HMAC-SHA256&Key-Pair-Id=K", None),
        (
            "/k?OSSAccessKeyId=A&Expires=1&Signature=s&X-Amz-Signature=x",
            None,
        ),
        (
            "/k?OSSAccessKeyId=A&Expires=1&Signature=s&x-oss-signature-version=OSS2",
            None,
        ),
    ] {
        assert_eq!(
            claim(target, header).err(),
            Some(Denial::SeveralCredentials),
            "{target} {header:?}"
        );
    }
}

#[test]
fn d09_other_schemes_and_spellings_are_refused_cleanly() {
    for (header, denial) in [
        ("OSS4 Credential=a/b", Denial::UnknownScheme),
        ("OSS4-HMAC-SHA1 Credential=a/b", Denial::UnknownScheme),
        ("oss4-hmac-sha256 Credential=a/b", Denial::UnknownScheme),
        ("OSS2", Denial::UnknownScheme),
        ("OSS2 a:b", Denial::MalformedCredential),
        ("OSS4-HMAC-SHA256 a:b", Denial::MalformedCredential),
        ("AWS4-HMAC-SHA256 Credential=a", Denial::MalformedCredential),
        (
            "AWS4-HMAC-SHA256 Credential=a/20240501/r/s3/aws4_request,SignedHeaders=x,Signature=00",
            Denial::HostNotSigned,
        ),
        (
            "AWS4-ECDSA-P256-SHA256 Credential=a",
            Denial::SchemeNotOffered("AWS4-ECDSA-P256-SHA256"),
        ),
        ("AWS a:b", Denial::SchemeNotOffered("AWS")),
        ("AWS4-HMAC-SHA1 a", Denial::UnknownScheme),
        ("oss A:s", Denial::UnknownScheme),
        ("OSS", Denial::UnknownScheme),
        ("OSS\tA:s", Denial::UnknownScheme),
        ("Bearer t", Denial::UnknownScheme),
        ("OSS A", Denial::MalformedCredential),
        ("OSS :s", Denial::MalformedKeyId),
        ("OSS A:s, OSS A:s", Denial::MalformedKeyId),
        ("OSS A:s, Basic YTpi", Denial::SeveralCredentials),
        ("OSS A:s,", Denial::SeveralCredentials),
    ] {
        assert_eq!(claim("/k", Some(header)).err(), Some(denial), "{header}");
    }
    assert_eq!(
        claim("/k?x-oss-signature-version=OSS9", None).err(),
        Some(Denial::UnknownScheme)
    );
}

#[test]
fn d14_access_key_ids_outside_the_grammar_are_refused() {
    for id in [
        "a:b",
        "a,b",
        "a=b",
        "a b",
        ".a",
        "a/b",
        "\u{e9}",
        &"a".repeat(129),
    ] {
        let header = format!("OSS {id}:c2ln");
        assert_eq!(
            claim("/k", Some(&header)).err(),
            Some(Denial::MalformedKeyId),
            "{id}"
        );
    }
    for id in [
        "a",
        "STS.NUgYrLnoC37mZZCNnAbez",
        "LTAI5t",
        "_-.",
        &"a".repeat(128),
    ] {
        assert_eq!(claim("/k", Some(&format!("OSS {id}:c2ln"))).unwrap().key_id(), id);
    }
}

#[test]
fn presigned_queries_without_a_part_are_refused_by_its_name() {
    assert_eq!(
        claim("/k?OSSAccessKeyId=A&Expires=1", None).err(),
        Some(Denial::PresignedIncomplete("Signature"))
    );
    assert_eq!(
        claim("/k?OSSAccessKeyId=A&Signature=s", None).err(),
        Some(Denial::PresignedIncomplete("Expires"))
    );
}

#[test]
fn a_repeated_part_of_a_presigned_query_is_refused() {
    for again in ["OSSAccessKeyId=B", "Expires=2", "Signature=t"] {
        let target = format!("/k?OSSAccessKeyId=A&Expires=1&Signature=s&{again}");
        assert_eq!(
            claim(&target, None).err(),
            Some(Denial::Head(HeadError::RepeatedParameter)),
            "{again}"
        );
    }
}

const SCOPE: &str = "20240501/cn-hangzhou/oss/aliyun_v4_request";

#[test]
fn the_fields_of_v2_and_v4_stand_in_any_order_with_or_without_blanks() {
    for (header, scheme) in [
        ("OSS2 AccessKeyId:A,Signature:c2ln".to_owned(), Scheme::OssV2),
        (
            "OSS2 AccessKeyId:A, AdditionalHeaders:host, Signature:c2ln".to_owned(),
            Scheme::OssV2,
        ),
        (
            format!("OSS4-HMAC-SHA256 Credential=A/{SCOPE},AdditionalHeaders=a;b,Signature=00"),
            Scheme::OssV4,
        ),
        (
            format!("OSS4-HMAC-SHA256 Credential=A/{SCOPE}, Signature=00, AdditionalHeaders=a;b"),
            Scheme::OssV4,
        ),
        (
            format!("OSS4-HMAC-SHA256 Signature=00,Credential=A/{SCOPE}"),
            Scheme::OssV4,
        ),
    ] {
        let claim = claim("/k", Some(&header)).unwrap();
        assert_eq!((claim.key_id(), claim.scheme()), ("A", scheme), "{header}");
    }
}

#[test]
fn d05_fields_that_are_repeated_unknown_or_missing_are_refused() {
    let v4 = format!("OSS4-HMAC-SHA256 Credential=A/{SCOPE},Signature=00");
    for (header, denial) in [
        (
            "OSS2 AccessKeyId:A,AccessKeyId:B,Signature:c2ln".to_owned(),
            Denial::MalformedCredential,
        ),
        (
            "OSS2 AccessKeyId:A,Signature:c2ln,Extra:1".to_owned(),
            Denial::MalformedCredential,
        ),
        ("OSS2 AccessKeyId:A".to_owned(), Denial::MalformedCredential),
        ("OSS2 Signature:c2ln".to_owned(), Denial::MalformedCredential),
        (
            "OSS2 AccessKeyId:A,Signature:c2ln,".to_owned(),
            Denial::MalformedCredential,
        ),
        (
            "OSS2 AccessKeyId=A,Signature=c2ln".to_owned(),
            Denial::MalformedCredential,
        ),
        (
            "OSS2 AccessKeyId:a/b,Signature:s".to_owned(),
            Denial::MalformedKeyId,
        ),
        (format!("{v4},Signature=00"), Denial::MalformedCredential),
        (format!("{v4},credential=A"), Denial::MalformedCredential),
        (format!("{v4}, {v4}"), Denial::SeveralCredentials),
        (format!("{v4}, OSS A:c2ln"), Denial::SeveralCredentials),
        (format!("{v4}, Basic YTpi"), Denial::SeveralCredentials),
    ] {
        assert_eq!(claim("/k", Some(&header)).err(), Some(denial), "{header}");
    }
}

#[test]
fn o15_a_v4_credential_is_an_id_a_day_a_region_a_product_and_the_terminator() {
    for credential in [
        "A",
        "A/20240501/r/oss",
        "A/20240501/r/oss/aws4_request",
        "A/20240501/r/oss/aliyun_v4_request/",
        "A/20240501/r/oss/x/aliyun_v4_request",
        "A/2024-05-01/r/oss/aliyun_v4_request",
        "A/2024050/r/oss/aliyun_v4_request",
        "A/20240501//oss/aliyun_v4_request",
        "A/20240501/r//aliyun_v4_request",
        "A/20240501/r\u{e9}/oss/aliyun_v4_request",
        "A/20240501/r;s/oss/aliyun_v4_request",
        &format!("A/20240501/{}/oss/aliyun_v4_request", "r".repeat(65)),
    ] {
        let header = format!("OSS4-HMAC-SHA256 Credential={credential},Signature=00");
        assert_eq!(
            claim("/k", Some(&header)).err(),
            Some(Denial::MalformedCredential),
            "{credential}"
        );
        let escaped = credential
            .replace('/', "%2F")
            .replace('\u{e9}', "%C3%A9")
            .replace(';', "%3B");
        let target = format!(
            "/k?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential={escaped}&x-oss-signature=0&x-oss-date=d&x-oss-expires=1"
        );
        assert_eq!(
            claim(&target, None).err(),
            Some(Denial::MalformedCredential),
            "{target}"
        );
    }
    // Escaped or not, the query is decoded once.
    let query = |credential: &str| {
        let target = format!(
            "/k?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential={credential}&x-oss-signature=0&x-oss-date=d&x-oss-expires=1"
        );
        claim(&target, None).map(|claim| claim.key_id().to_owned())
    };
    assert_eq!(query(&format!("A/{SCOPE}")).unwrap(), "A");
    assert_eq!(query(&format!("A/{SCOPE}").replace('/', "%2f")).unwrap(), "A");
    let twice = format!("A/{SCOPE}").replace('/', "%252F");
    assert_eq!(query(&twice), Err(Denial::MalformedCredential));
    assert_eq!(query(&format!(".A/{SCOPE}")), Err(Denial::MalformedKeyId));
}

#[test]
fn presigned_queries_of_v2_and_v4_without_a_part_are_refused_by_its_name() {
    let v2 = [
        "x-oss-signature-version=OSS2",
        "x-oss-access-key-id=A",
        "x-oss-signature=c2ln",
        "x-oss-expires=1",
    ];
    let credential = format!("x-oss-credential=A/{SCOPE}");
    let v4 = [
        "x-oss-signature-version=OSS4-HMAC-SHA256",
        credential.as_str(),
        "x-oss-signature=00",
        "x-oss-date=20240501T123456Z",
        "x-oss-expires=1",
    ];
    for pieces in [v2.as_slice(), &v4] {
        assert!(claim(&format!("/k?{}", pieces.join("&")), None).is_ok());
        for left_out in &pieces[1..] {
            let rest: Vec<&str> = pieces
                .iter()
                .filter(|piece| *piece != left_out)
                .copied()
                .collect();
            let denial = claim(&format!("/k?{}", rest.join("&")), None).unwrap_err();
            let name = left_out.split('=').next().unwrap();
            assert!(
                matches!(denial, Denial::PresignedIncomplete(missing) if missing == name),
                "{denial:?}"
            );
            let twice = format!("/k?{}&{left_out}", pieces.join("&"));
            assert_eq!(
                claim(&twice, None).err(),
                Some(Denial::Head(HeadError::RepeatedParameter))
            );
        }
    }
}
