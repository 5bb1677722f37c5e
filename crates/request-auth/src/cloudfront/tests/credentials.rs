//! Cookies, second credentials, and what the signer refuses to make.

use super::*;

#[test]
fn cf11_cookies_that_are_repeated_quoted_or_too_large_are_refused() {
    let cookies = signer().cookies_with_policy(&policy("https://b.h/a/*")).unwrap();
    let line = cookie_line(&cookies);
    let with = |lines: &[&str]| {
        let lines: Vec<(&str, &str)> = lines.iter().map(|line| ("cookie", *line)).collect();
        verify(&seen_over_https("GET", target(URL), &lines)).map(drop)
    };
    assert_eq!(with(&[&line]), Ok(()));
    // HTTP/2 sends a line for each cookie.
    let apart: Vec<&str> = line.split("; ").collect();
    assert_eq!(with(&apart), Ok(()));
    for (name, value) in &cookies {
        let twice = format!("{line}; {name}={value}");
        assert_eq!(
            with(&[&twice]),
            Err(HeadError::RepeatedHeader("cookie").into()),
            "{name}"
        );
        let hidden = format!("{line}, {name}=x");
        assert_eq!(
            with(&[&hidden]),
            Err(HeadError::RepeatedHeader("cookie").into()),
            "{name}"
        );
        assert_eq!(
            with(&[&line, &format!("{name}=")]),
            Err(HeadError::RepeatedHeader("cookie").into()),
            "{name}"
        );
        let quoted = line.replace(&format!("{name}={value}"), &format!("{name}=\"{value}\""));
        assert!(
            matches!(
                with(&[&quoted]),
                Err(Denial::MalformedCredential | Denial::MalformedKeyId)
            ),
            "{name}"
        );
    }
    let large = format!(
        "CloudFront-Key-Pair-Id={ID}; CloudFront-Signature=AAAA; CloudFront-Policy={}",
        "A".repeat(8000)
    );
    assert_eq!(with(&[&large]), Err(Denial::MalformedCredential));
    let long = format!("CloudFront-Key-Pair-Id={}", "K".repeat(129));
    assert_eq!(with(&[&long]), Err(Denial::MalformedKeyId));
}

#[test]
fn cookies_are_no_credential_for_what_changes_something() {
    let cookies = cookie_line(&signer().cookies_with_policy(&policy("https://b.h/*")).unwrap());
    for method in ["PUT", "POST", "DELETE"] {
        let head = seen_over_https(method, "/k", &[("cookie", &cookies)]);
        assert_eq!(Claim::of(&head).map(drop), Err(Denial::Anonymous), "{method}");
    }
    let head = seen_over_https("HEAD", "/k", &[("cookie", &cookies)]);
    assert_eq!(Claim::of(&head).unwrap().scheme(), Scheme::CloudFront);
}

#[test]
fn cookies_are_a_credential_only_with_the_id_of_a_key_pair() {
    let authorization = ("authorization", "OSS AK:c2ln");
    for cookie in [
        "CloudFront-Policy=e30_; CloudFront-Signature=x",
        "Key-Pair-Id=K",
        "cloudfront-key-pair-id=K",
        "a=CloudFront-Key-Pair-Id",
    ] {
        let head = head("GET", "/k", &[authorization, ("cookie", cookie)]);
        assert_eq!(Claim::of(&head).unwrap().scheme(), Scheme::OssV1, "{cookie}");
        let head = crate::client::head("GET", "/k", &[("cookie", cookie)]);
        assert_eq!(Claim::of(&head).map(drop), Err(Denial::Anonymous), "{cookie}");
    }
}

#[test]
fn d05_a_second_credential_beside_a_signed_url_or_cookie_is_refused() {
    let url = signer().url(URL, ENDS).unwrap();
    let cookies = cookie_line(&signer().cookies(URL, ENDS).unwrap());
    let v1 = "OSSAccessKeyId=AK&Expires=1714570496&Signature=c2ln";
    for (target, lines) in [
        (target(&url).to_owned(), vec![("authorization", "OSS AK:c2ln")]),
        (target(&url).to_owned(), vec![("authorization", "Basic YTpi")]),
        (target(&url).to_owned(), vec![("cookie", cookies.as_str())]),
        (format!("{}&OSSAccessKeyId=AK", target(&url)), vec![]),
        (format!("{}&X-Amz-Signature=0", target(&url)), vec![]),
        (format!("{}&x-oss-signature-version=OSS2", target(&url)), vec![]),
        (
            "/k".to_owned(),
            vec![("cookie", &cookies), ("authorization", "OSS AK:c2ln")],
        ),
        (format!("/k?{v1}"), vec![("cookie", &cookies)]),
    ] {
        let head = seen_over_https("GET", &target, &lines);
        assert_eq!(
            Claim::of(&head).map(drop),
            Err(Denial::SeveralCredentials),
            "{target}"
        );
    }
    // V1's presigned query shares two names, and is no signed URL.
    let head = seen_over_https("GET", &format!("/k?{v1}"), &[]);
    assert_eq!(Claim::of(&head).unwrap().scheme(), Scheme::OssV1);
}

#[test]
fn the_signer_refuses_what_would_not_be_read_as_it_was_meant() {
    let signer = signer();
    for url in [
        "https://b.h/a*",
        "https://b.h/a\"b",
        "https://b.h/a\\b",
        "https://b.h/a b",
        "https://b.h/ä",
        "https://b.h/a#b",
        "https://b.h/%4",
        "https://b.h",
        "https:///a",
        "ftp://b.h/a",
        "/a",
        "",
        "https://b.h/a?",
        "https://b.h/a?Policy=x",
        "https://b.h/a?%45xpires=1",
    ] {
        assert_eq!(signer.url(url, ENDS), Err(SignerError::Url), "{url}");
        assert_eq!(signer.cookies(url, ENDS), Err(SignerError::Url), "{url}");
    }
    for ends in [-1, i64::MIN, i64::MAX, 1_000_000_000_000] {
        assert_eq!(
            signer.url(URL, UnixSeconds(ends)),
            Err(SignerError::Policy),
            "{ends}"
        );
    }
    assert_eq!(
        signer.url_with_policy(URL, &policy("https://b.h/\u{7}")),
        Err(SignerError::Policy)
    );
    let escaped = policy(r#"https://b.h/a\?b="*""#);
    assert!(signer.cookies_with_policy(&escaped).is_ok());
    for pem in [
        "",
        RSA_PUBLIC_KEY,
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        assert_eq!(
            Signer::new(ID, pem, Hash::Sha1).err(),
            Some(SignerError::PrivateKey)
        );
    }
    assert_eq!(
        Signer::new("", RSA_PRIVATE_KEY, Hash::Sha1).err(),
        Some(SignerError::KeyPairId)
    );
    assert_eq!(
        format!("{signer:?}"),
        r#"Signer { key_pair_id: "K2JCJMDEHXQW5F", hash: Sha256, .. }"#
    );
}
