//! The vectors of real SDKs run in `tests/conformance`; here stand the rules that no vector shows.

use super::*;
use crate::claim::{Claim, Rules};
use crate::client::{DATE, NOW, WINDOW, head, in_b, secret, verify};
use crate::head::HeadError;
use crate::secret::SecurityToken;
use crate::verified::{Coverage, Hint};

fn rules() -> Rules {
    Rules::new(WINDOW)
}

/// Signs a PUT in the header, sends it with `more` headers, and hands on what was signed and what
/// comes of it.
fn signed(target: &str, headers: &[(&str, &str)], additional: &str, more: &[(&str, &str)]) -> Outcome {
    let unsigned = head("PUT", target, headers);
    let authorization = sign_header(&unsigned, &in_b(&unsigned), "AK", &secret(), additional).unwrap();
    let mut all = headers.to_vec();
    all.push(("authorization", &authorization));
    all.extend(more);
    let head = head("PUT", target, &all);
    let claim = Claim::of(&head).unwrap();
    let text = claim.strings_to_sign(&head, &[in_b(&head)]);
    assert!(claim.canonical_requests(&head, &[in_b(&head)]).is_empty());
    Outcome {
        texts: text
            .into_iter()
            .map(|text| String::from_utf8(text).unwrap())
            .collect(),
        denial: verify(&head, None, &rules(), NOW).err(),
    }
}

struct Outcome {
    texts: Vec<String>,
    denial: Option<Denial>,
}

#[test]
fn the_text_is_the_documented_one_and_there_is_one() {
    let headers = [
        ("date", DATE),
        ("x-oss-date", "Wed, 01 May 2024 12:00:00 GMT"),
        ("content-type", "text/plain"),
        ("x-oss-meta-b", ""),
        ("range", "bytes=0-1"),
        ("cookie", "c"),
    ];
    let outcome = signed("/dir%2Fa%20b?b=2&a=&A=x%2Fy+z", &headers, "range", &[]);
    assert_eq!(outcome.denial, None);
    assert_eq!(
        outcome.texts,
        [format!(
            "PUT\n\ntext/plain\n{DATE}\nrange:bytes=0-1\nx-oss-date:Wed, 01 May 2024 12:00:00 GMT\n\
             x-oss-meta-b:\nrange\n%2Fb%2Fdir%2Fa%20b?A=x%2Fy%20z&a&b=2"
        )]
    );
    let outcome = signed("/k", &[("date", DATE)], "", &[]);
    assert_eq!(outcome.texts, [format!("PUT\n\n\n{DATE}\n\n%2Fb%2Fk")]);
}

#[test]
fn c03_c04_the_date_header_counts_and_no_other() {
    let stale = ("date", "Tue, 30 Apr 2024 12:34:56 GMT");
    let outcome = signed("/k", &[stale, ("x-oss-date", DATE)], "", &[]);
    assert!(matches!(outcome.denial, Some(Denial::Skewed { .. })));
    let bare = head("PUT", "/k", &[("x-oss-date", DATE)]);
    assert_eq!(
        sign_header(&bare, &in_b(&bare), "AK", &secret(), ""),
        Err(Denial::DateMissing)
    );
}

#[test]
fn what_was_signed_beyond_the_usual_is_a_signed_header_and_the_rest_stays_a_hint() {
    let headers = [
        ("date", DATE),
        ("cache-control", "no-store"),
        ("content-language", "en"),
        ("content-type", "text/plain"),
    ];
    let unsigned = head("PUT", "/k", &headers);
    let additional = "cache-control;content-type";
    let authorization = sign_header(&unsigned, &in_b(&unsigned), "AK", &secret(), additional).unwrap();
    let mut all = headers.to_vec();
    all.push(("authorization", &authorization));
    let verified = verify(&head("PUT", "/k", &all), None, &rules(), NOW).unwrap();
    assert_eq!(verified.signed("cache-control"), Some(b"no-store".as_slice()));
    assert_eq!(verified.hint(Hint::CacheControl), None);
    assert_eq!(verified.hint(Hint::ContentLanguage), Some(b"en".as_slice()));
    let names: Vec<_> = verified.signed_headers().map(|(name, _)| name).collect();
    assert_eq!(names, ["cache-control", "content-type"]);
}

#[test]
fn every_parameter_is_signed_and_none_may_be_repeated() {
    assert_eq!(signed("/k?prefix=a&x=1", &[("date", DATE)], "", &[]).denial, None);
    let twice = head("PUT", "/k?prefix=a&prefix=a", &[("date", DATE)]);
    assert_eq!(
        sign_header(&twice, &in_b(&twice), "AK", &secret(), ""),
        Err(Denial::Head(HeadError::RepeatedParameter))
    );
}

#[test]
fn b01_an_x_oss_header_that_was_added_is_a_mismatch() {
    for name in ["x-oss-copy-source", "x-oss-object-acl", "x-oss-security-token"] {
        let outcome = signed("/k", &[("date", DATE)], "", &[(name, "1")]);
        assert_eq!(outcome.denial, Some(Denial::SignatureMismatch), "{name}");
    }
}

/// A presigned URL with these further parameters, and what comes of it.
fn presigned(expires: &str, more: &str, token: Option<&str>, now: UnixSeconds) -> Option<Denial> {
    let target =
        format!("/k?x-oss-signature-version=OSS2&x-oss-access-key-id=AK&x-oss-expires={expires}{more}");
    let unsigned = head("GET", &target, &[]);
    let signature = sign_query(&unsigned, &in_b(&unsigned), &secret()).unwrap();
    let target = format!("{target}&x-oss-signature={}", signature.replace('+', "%2B"));
    let token = token.and_then(|token| SecurityToken::new(token.into()));
    let head = head("GET", &target, &[]);
    match verify(&head, token.as_ref(), &rules(), now) {
        Ok(verified) => {
            let names: Vec<_> = verified.parameters().iter().map(|p| p.name.as_slice()).collect();
            assert!(
                !names
                    .iter()
                    .any(|name| name.ends_with(b"token") || OWN.iter().any(|own| own.as_bytes() == *name))
            );
            assert!(
                verified
                    .parameters()
                    .iter()
                    .all(|p| p.coverage == Coverage::Signed)
            );
            None
        }
        Err(denial) => Some(denial),
    }
}

#[test]
fn c09_a_presigned_url_ends_at_the_second_that_it_names() {
    let edge = NOW.0.to_string();
    assert_eq!(presigned(&edge, "", None, NOW), None);
    assert!(matches!(
        presigned(&edge, "", None, UnixSeconds(NOW.0 + 1)),
        Some(Denial::Expired { .. })
    ));
    for text in [
        "0x7fffffff",
        "1.7e9",
        "-1",
        "9999999999999",
        "%2B1714567496",
        "a%0Ab",
    ] {
        assert_eq!(
            presigned(text, "", None, NOW),
            Some(Denial::ExpiresUnreadable),
            "{text}"
        );
    }
}

#[test]
fn o13_a_token_in_the_query_is_the_key_s() {
    let later = "1714567496";
    let token = "&security-token=to%2Bken&acl";
    assert_eq!(presigned(later, token, Some("to+ken"), NOW), None);
    assert_eq!(
        presigned(later, token, Some("token"), NOW),
        Some(Denial::TokenMismatch)
    );
    assert_eq!(presigned(later, token, None, NOW), Some(Denial::TokenUnexpected));
    assert_eq!(
        presigned(later, "", Some("to+ken"), NOW),
        Some(Denial::TokenMissing)
    );
    let both = "&security-token=t&x-oss-security-token=t";
    assert_eq!(
        presigned(later, both, Some("t"), NOW),
        Some(Denial::SeveralTokens)
    );
}

#[test]
fn o13_a_token_in_a_header_that_v2_does_not_sign_is_none() {
    let headers = [("date", DATE), ("security-token", "t")];
    let unsigned = head("PUT", "/k", &headers);
    let authorization = sign_header(&unsigned, &in_b(&unsigned), "AK", &secret(), "").unwrap();
    let all = [headers[0], headers[1], ("authorization", &authorization)];
    let token = SecurityToken::new("t".into());
    let denial = verify(&head("PUT", "/k", &all), token.as_ref(), &rules(), NOW).err();
    assert_eq!(denial, Some(Denial::TokenMissing));
}
