//! Presigned URLs of V4, and where a token may stand.

use super::*;

/// What comes of a presigned URL with a life and further parameters, sent with these headers.
fn presigned(
    life: &str,
    more: &str,
    headers: &[(&str, &str)],
    token: Option<&str>,
    (rules, now): (Rules, i64),
) -> Option<Denial> {
    let credential = format!("AK/{}", scope().text()).replace('/', "%2F");
    let target = format!(
        "/k?x-oss-signature-version={ALGORITHM}&x-oss-credential={credential}&x-oss-date={TIMESTAMP}&x-oss-expires={life}{more}"
    );
    let unsigned = head("GET", &target, headers);
    let signature = sign_query(&unsigned, &in_b(&unsigned), &secret()).unwrap();
    let target = format!("{target}&x-oss-signature={signature}");
    let token = token.and_then(|token| SecurityToken::new(token.into()));
    match verify(
        &head("GET", &target, headers),
        token.as_ref(),
        &rules,
        UnixSeconds(NOW.0.saturating_add(now)),
    ) {
        Ok(verified) => {
            for parameter in verified.parameters() {
                let name = parameter.name.as_slice();
                assert!(!name.ends_with(b"token") && OWN.iter().all(|own| own.as_bytes() != name));
            }
            None
        }
        Err(denial) => Some(denial),
    }
}

#[test]
fn c07_a_presigned_url_lives_from_the_window_before_its_timestamp_to_its_end() {
    let outcome = |life: &str, now| presigned(life, "", &[], None, (rules(), now));
    for now in [-900, 0, 599, 600] {
        assert_eq!(outcome("600", now), None, "{now}");
    }
    assert!(matches!(outcome("600", -901), Some(Denial::NotYetValid { .. })));
    assert!(matches!(outcome("600", 601), Some(Denial::Expired { .. })));
    assert_eq!(outcome("604800", 604_800), None);
    assert_eq!(outcome("1", 1), None);
    for life in [
        "0",
        "604801",
        "-1",
        "1e3",
        "0x1",
        "",
        "600s",
        "9999999999999",
        "%2B600",
        "%20600",
    ] {
        assert_eq!(outcome(life, 0), Some(Denial::LifetimeOutOfRange), "{life}");
    }
    let capped = Rules::new(Window {
        presigned_max_seconds: Some(600),
        ..WINDOW
    });
    let outcome = |life: &str, now| presigned(life, "", &[], None, (capped.clone(), now));
    assert_eq!(outcome("600", 0), None);
    assert_eq!(outcome("601", 0), Some(Denial::ExpiresTooFar));
    assert_eq!(outcome("601", 1), None);
}

#[test]
fn o16_e02_e03_a_presigned_url_covers_its_whole_query_and_the_method() {
    let credential = format!("AK/{}", scope().text());
    let target = format!(
        "/k?x-oss-signature-version={ALGORITHM}&x-oss-credential={credential}&x-oss-date={TIMESTAMP}&x-oss-expires=60"
    );
    let unsigned = head("GET", &target, &[]);
    let signature = sign_query(&unsigned, &in_b(&unsigned), &secret()).unwrap();
    let outcome = |method, more: &str, headers: &[(&str, &str)]| {
        let target = format!("{target}&x-oss-signature={signature}{more}");
        verify(&head(method, &target, headers), None, &rules(), NOW).err()
    };
    assert_eq!(outcome("GET", "", &[]), None);
    for more in [
        "&versionId=1",
        "&acl",
        "&uploads",
        "&response-content-type=text/html",
        "&x-oss-additional-headers=host",
        "&prefix",
        "&=",
    ] {
        assert_eq!(
            outcome("GET", more, &[]),
            Some(Denial::SignatureMismatch),
            "{more}"
        );
    }
    for method in ["PUT", "DELETE", "HEAD", "POST"] {
        assert_eq!(
            outcome(method, "", &[]),
            Some(Denial::SignatureMismatch),
            "{method}"
        );
    }
    for header in [
        ("x-oss-meta-a", "1"),
        ("content-type", "t"),
        ("x-oss-copy-source", "/b/k"),
    ] {
        assert_eq!(
            outcome("GET", "", &[header]),
            Some(Denial::SignatureMismatch),
            "{header:?}"
        );
    }
}

#[test]
fn additional_headers_of_a_presigned_url_are_a_signed_parameter_as_it_was_sent() {
    let headers = [
        ("cache-control", "no-cache"),
        ("zeta", "1"),
        ("content-type", "t"),
    ];
    for list in ["cache-control", "zeta;cache-control", "zeta;content-type"] {
        let more = format!("&x-oss-additional-headers={}", list.replace(';', "%3B"));
        assert_eq!(
            presigned("60", &more, &headers, None, (rules(), 0)),
            None,
            "{list}"
        );
    }
}

#[test]
fn o13_tokens_are_compared_with_the_one_bound_to_the_key() {
    let outcome =
        |more: &str, headers: &[(&str, &str)], token| presigned("60", more, headers, token, (rules(), 0));
    let more = "&x-oss-security-token=to%2Bken";
    assert_eq!(outcome(more, &[], Some("to+ken")), None);
    assert_eq!(outcome(more, &[], Some("token")), Some(Denial::TokenMismatch));
    assert_eq!(outcome(more, &[], None), Some(Denial::TokenUnexpected));
    assert_eq!(outcome("", &[], Some("t")), Some(Denial::TokenMissing));
    // The header that V4 signs counts; the one that only V1 clients send does not.
    assert_eq!(outcome("", &[("x-oss-security-token", "t")], Some("t")), None);
    assert_eq!(
        outcome("", &[("security-token", "t")], Some("t")),
        Some(Denial::TokenMissing)
    );
    assert_eq!(
        outcome(more, &[("x-oss-security-token", "to+ken")], Some("to+ken")),
        Some(Denial::SeveralTokens)
    );
}
