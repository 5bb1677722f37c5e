//! Signed URLs and cookies as the signer makes them, and what becomes of them on the way.

use super::*;
use crate::claim::{Claim, Rules};
use crate::client::viewer::{P256_PUBLIC_KEY, RSA_PUBLIC_KEY, seen_over_https};
use crate::client::{WINDOW, head, in_b};
use crate::head::Connection;
use crate::public_key::PublicKey;
use crate::source_ip::AddressRange;
use crate::verified::{Hint, Verified};

const NOW: UnixSeconds = UnixSeconds(1_714_566_896);
const ENDS: UnixSeconds = UnixSeconds(NOW.0 + 3600);
const RSA_PRIVATE_KEY: &str = include_str!("../../../../tests/vectors/keys/rsa-2048.pem");
const P256_PRIVATE_KEY: &str = include_str!("../../../../tests/vectors/keys/p-256.pem");
const ID: &str = "K2JCJMDEHXQW5F";
const URL: &str = "https://b.h/a/b%20c.jpg";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pair {
    Rsa,
    P256,
}

impl Pair {
    fn public(self) -> PublicKey {
        PublicKey::from_pem(match self {
            Self::Rsa => RSA_PUBLIC_KEY,
            Self::P256 => P256_PUBLIC_KEY,
        })
        .unwrap()
    }

    fn signer(self, hash: Hash) -> Signer {
        let pem = match self {
            Self::Rsa => RSA_PRIVATE_KEY,
            Self::P256 => P256_PRIVATE_KEY,
        };
        Signer::new(ID, pem, hash).unwrap()
    }
}

fn signer() -> Signer {
    Pair::Rsa.signer(Hash::Sha256)
}

fn policy(resource: &str) -> Policy {
    Policy {
        resource: resource.to_owned(),
        ends: ENDS,
        begins: None,
        source: None,
    }
}

/// The target of a URL of the host `b.h`.
fn target(url: &str) -> &str {
    url.strip_prefix("https://b.h").unwrap()
}

fn verify_with<'a>(
    key: &PublicKey,
    head: &RequestHead<'a>,
    rules: &Rules,
    now: UnixSeconds,
) -> Result<Verified<'a, ()>, Denial> {
    let material = KeyMaterial {
        key_id: ID,
        secrets: Vec::new(),
        public_key: Some(key),
        security_token: None,
        schemes: &[Scheme::CloudFront],
    };
    Claim::of(head)?.verify(head, &material, vec![in_b(head)], rules, now)
}

fn verify<'a>(head: &RequestHead<'a>) -> Result<Verified<'a, ()>, Denial> {
    verify_with(&Pair::Rsa.public(), head, &Rules::new(WINDOW), NOW)
}

/// Verifies a URL that was seen over TLS, from 192.0.2.7.
fn get(url: &str) -> Result<(), Denial> {
    verify(&seen_over_https("GET", target(url), &[])).map(drop)
}

fn cookie_line(cookies: &[(String, String)]) -> String {
    let pairs: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
}

#[test]
fn what_is_signed_verifies_with_every_key_hash_and_policy() {
    for pair in [Pair::Rsa, Pair::P256] {
        for hash in [Hash::Sha1, Hash::Sha256] {
            let (signer, key) = (pair.signer(hash), pair.public());
            let rules = Rules::new(WINDOW);
            for url in [
                signer.url(URL, ENDS).unwrap(),
                signer.url_with_policy(URL, &policy(URL)).unwrap(),
                signer.url_with_policy(URL, &policy("https://b.h/a/*")).unwrap(),
            ] {
                for method in ["GET", "HEAD"] {
                    let head = seen_over_https(method, target(&url), &[("range", "bytes=0-1")]);
                    let verified = verify_with(&key, &head, &rules, NOW).unwrap();
                    assert_eq!((verified.scheme(), verified.key_id()), (Scheme::CloudFront, ID));
                    assert_eq!(
                        (verified.method(), verified.key()),
                        (method, b"a/b c.jpg".as_slice())
                    );
                    assert!(verified.parameters().is_empty(), "CF12");
                    assert_eq!(verified.signed_headers().count(), 0);
                    assert_eq!(verified.hint(Hint::Range), Some(b"bytes=0-1".as_slice()));
                }
            }
            for cookies in [
                signer.cookies(URL, ENDS).unwrap(),
                signer.cookies_with_policy(&policy("https://b.h/a/*")).unwrap(),
            ] {
                let line = format!("theme=dark; {}; id=\"a b\"", cookie_line(&cookies));
                let head = seen_over_https("GET", target(URL), &[("cookie", &line)]);
                let verified = verify_with(&key, &head, &rules, NOW).unwrap();
                assert!(verified.signed("cookie").is_none());
            }
        }
    }
}

#[test]
fn cf01_a_canned_policy_is_for_one_url_byte_for_byte() {
    let url = signer().url("https://b.h/a/k?x=1&y=%2f", ENDS).unwrap();
    assert_eq!(get(&url), Ok(()));
    let own = url.split_once("y=%2f&").unwrap().1;
    // The order of the signature's own parameters is not part of the URL, where they stand neither.
    for target in [format!("/a/k?{own}&x=1&y=%2f"), format!("/a/k?x=1&{own}&y=%2f")] {
        assert_eq!(verify(&seen_over_https("GET", &target, &[])).map(drop), Ok(()));
    }
    for target in [
        format!("/a/k?y=%2f&x=1&{own}"),
        format!("/a/k?x=1&y=%2F&{own}"),
        format!("/a/k?x=1&y=/&{own}"),
        format!("/a/k?x=1&y=%2f&z&{own}"),
        format!("/a/k?x=1&{own}"),
        format!("/a/k?x=1&y=%2f&&{own}"),
        format!("/a/k?{own}"),
        format!("/a/K?x=1&y=%2f&{own}"),
        format!("/a/%6b?x=1&y=%2f&{own}"),
        format!("/a//k?x=1&y=%2f&{own}"),
        format!("/a/k/?x=1&y=%2f&{own}"),
    ] {
        let head = seen_over_https("GET", &target, &[]);
        assert_eq!(
            verify(&head).map(drop),
            Err(Denial::SignatureMismatch),
            "{target}"
        );
    }
    for host in ["B.h", "b.H", "b.h:443", "c.h", "b.h."] {
        let head = seen_over_https("GET", target(&url), &[("host", host)]);
        assert_eq!(verify(&head).map(drop), Err(Denial::SignatureMismatch), "{host}");
    }
    let plain = head("GET", target(&url), &[]);
    assert_eq!(
        verify(&plain).map(drop),
        Err(Denial::SignatureMismatch),
        "nothing known of the connection"
    );
    let plain = plain.over(Connection {
        secure: false,
        peer: Some("192.0.2.7"),
    });
    assert_eq!(verify(&plain).map(drop), Err(Denial::SignatureMismatch));
    let later = url.replace(&format!("Expires={}", ENDS.0), &format!("Expires={}", ENDS.0 + 1));
    assert_eq!(get(&later), Err(Denial::SignatureMismatch));
}

#[test]
fn cf02_both_policies_or_none_are_refused() {
    let canned = signer().url(URL, ENDS).unwrap();
    let custom = signer().url_with_policy(URL, &policy(URL)).unwrap();
    assert_eq!(
        get(&format!("{custom}&Expires={}", ENDS.0)),
        Err(Denial::MalformedCredential)
    );
    assert_eq!(
        get(&format!("{canned}&Policy=e30_")),
        Err(Denial::MalformedCredential)
    );
    assert_eq!(
        get(&format!("{canned}&Policy=")),
        Err(Denial::MalformedCredential)
    );
    let none = canned.replace("Expires=", "expires=");
    assert_eq!(get(&none), Err(Denial::PresignedIncomplete("Expires")));
    let unsigned = canned.replace("Signature=", "signature=");
    assert_eq!(get(&unsigned), Err(Denial::PresignedIncomplete("Signature")));
}

#[test]
fn cf03_a_pattern_of_paths_is_none_of_what_dot_segments_resolve_to() {
    let signed = signer().url_with_policy(URL, &policy("https://b.h/a*")).unwrap();
    let query = signed.split_once('?').unwrap().1;
    for path in [
        "/a/../b",
        "/a/..",
        "/a/./b",
        "/a/%2e%2e/b",
        "/a/.%2E/b",
        "/a/%2e/b",
        "/a%2F..%2Fb",
        "/a/..%2fb",
        "/b/x",
        "/A/x",
        "/%61/x",
        "//a/x",
    ] {
        let head = seen_over_https("GET", &format!("{path}?{query}"), &[]).over(Connection {
            secure: true,
            peer: None,
        });
        assert_eq!(
            verify(&head).map(drop),
            Err(Denial::PolicyMismatch(PolicyPart::Resource)),
            "{path}"
        );
    }
    for path in ["/a/x", "/a%2Fx", "/a/..x/...", "/a//x", "/ab"] {
        let head = seen_over_https("GET", &format!("{path}?{query}"), &[]);
        assert_eq!(verify(&head).map(drop), Ok(()), "{path}");
    }
}

/// The query of a policy text that the key pair really signed.
fn signed_text(text: &str) -> String {
    let (value, signature) = signer().custom_text(text);
    format!("/a/k?Policy={value}&Signature={signature}&Key-Pair-Id={ID}&Hash-Algorithm=SHA256")
}

#[test]
fn cf06_a_policy_that_is_signed_but_not_of_the_form_is_refused() {
    let good = format!(
        r#"{{"Statement":[{{"Resource":"*","Condition":{{"DateLessThan":{{"AWS:EpochTime":{}}}}}}}]}}"#,
        ENDS.0
    );
    let refused = |text: &str| verify(&seen_over_https("GET", &signed_text(text), &[])).map(drop);
    assert_eq!(refused(&good), Ok(()));
    let end = ENDS.0.to_string();
    for wrong in [
        good.replace(&end, &format!("\"{end}\"")),
        good.replace(&end, &format!("{end}.0")),
        good.replace(&end, "-1"),
        good.replace(&end, "99999999999999999999"),
        good.replace("}]}", "},{\"Resource\":\"*\"}]}"),
        good.replace("\"Condition\"", "\"Resource\":\"x\",\"Condition\""),
        good.replace("DateLessThan", "DateLessThanEquals"),
        good.replace(r#""Resource":"*","#, ""),
        "{}".to_owned(),
        "x".to_owned(),
    ] {
        assert_eq!(refused(&wrong), Err(Denial::PolicyUnreadable), "{wrong}");
    }
    // A canned policy of a URL that ends the text and goes on with another is never rebuilt.
    let head = seen_over_https(
        "GET",
        "/a/\"},{\"?Expires=1&Signature=AAAA&Key-Pair-Id=K2JCJMDEHXQW5F",
        &[],
    );
    assert!(
        Claim::of(&head)
            .unwrap()
            .strings_to_sign(&head, &[in_b(&head)])
            .is_empty()
    );
    assert_eq!(verify(&head).map(drop), Err(Denial::SignatureMismatch));
}

#[test]
fn cf07_a_policy_counts_from_its_beginning_to_before_its_end() {
    let signed = Policy {
        begins: Some(NOW),
        ..policy(URL)
    };
    let custom = signer().url_with_policy(URL, &signed).unwrap();
    let canned = signer().url(URL, ENDS).unwrap();
    let at = |url: &str, now: i64| {
        let head = seen_over_https("GET", target(url), &[]);
        let now = UnixSeconds(now);
        verify_with(&Pair::Rsa.public(), &head, &Rules::new(WINDOW), now).map(drop)
    };
    let (begins, expires) = (NOW, ENDS);
    for (now, denial) in [
        (
            NOW.0 - 1,
            Some(Denial::NotYetValid {
                begins,
                now: UnixSeconds(NOW.0 - 1),
            }),
        ),
        (NOW.0, None),
        (ENDS.0 - 1, None),
        (ENDS.0, Some(Denial::Expired { expires, now: ENDS })),
        (
            i64::MAX,
            Some(Denial::Expired {
                expires,
                now: UnixSeconds(i64::MAX),
            }),
        ),
    ] {
        assert_eq!(at(&custom, now).err(), denial, "{now}");
        let denial = denial.filter(|denial| matches!(denial, Denial::Expired { .. }));
        assert_eq!(at(&canned, now).err(), denial, "{now}");
    }
    let mut rules = Rules::new(WINDOW);
    rules.window.presigned_max_seconds = Some(3599);
    for url in [&custom, &canned] {
        let head = seen_over_https("GET", target(url), &[]);
        let refused = verify_with(&Pair::Rsa.public(), &head, &rules, NOW).map(drop);
        assert_eq!(refused, Err(Denial::ExpiresTooFar));
    }
    for expires in [
        "",
        "0x1",
        "1e9",
        "-1",
        "+1",
        "01714570496",
        "1714570496.0",
        "99999999999999999999",
        "%D9%A3",
    ] {
        let url = canned.replace(&format!("Expires={}", ENDS.0), &format!("Expires={expires}"));
        assert_eq!(get(&url), Err(Denial::ExpiresUnreadable), "{expires}");
    }
}

#[test]
fn cf08_only_the_url_safe_alphabet_and_canonical_base64_are_taken() {
    let url = signer().url_with_policy(URL, &policy(URL)).unwrap();
    let (start, rest) = url.split_once("Signature=").unwrap();
    let (signature, rest) = rest.split_once('&').unwrap();
    assert!(signature.ends_with("__"), "256 bytes have two signs of padding");
    let with = |signature: &str| get(&format!("{start}Signature={signature}&{rest}"));
    assert_eq!(with(signature), Ok(()));
    let standard = signature
        .replace('-', "%2B")
        .replace('_', "%3D")
        .replace('~', "%2F");
    let last = signature.trim_end_matches('_').chars().last().unwrap();
    let spare = char::from(u8::try_from(last).unwrap() + 1);
    for wrong in [
        standard,
        signature.replace('_', "="),
        signature.replace('_', ""),
        signature.replacen("__", "_", 1),
        format!("{signature}_"),
        format!("%20{signature}"),
        signature.replacen('_', "%0A", 1),
        signature.replace(&format!("{last}__"), &format!("{spare}__")),
        signature.replacen("__", "_A", 1),
        "!".to_owned(),
        String::new(),
        "A".repeat(400),
    ] {
        assert_eq!(with(&wrong), Err(Denial::MalformedCredential), "{wrong}");
    }
    // The same for the policy; and an escape of a sign is the sign.
    assert_eq!(with(&signature.replace('~', "%7E").replace('_', "%5F")), Ok(()));
    for wrong in [
        "e30",
        "e30=",
        "e+/_",
        "e30__",
        "",
        &"A".repeat(MAX_POLICY_BYTES + 4),
    ] {
        let target = format!("/k?Policy={wrong}&Signature=AAAA&Key-Pair-Id={ID}");
        let refused = Claim::of(&seen_over_https("GET", &target, &[])).map(drop);
        assert_eq!(refused, Err(Denial::MalformedCredential), "{wrong}");
    }
}

#[test]
fn cf09_the_hash_is_the_one_that_was_signed_with() {
    for pair in [Pair::Rsa, Pair::P256] {
        let (key, rules) = (pair.public(), Rules::new(WINDOW));
        let get = |url: &str| {
            let head = seen_over_https("GET", target(url), &[]);
            verify_with(&key, &head, &rules, NOW).map(drop)
        };
        let old = pair.signer(Hash::Sha1).url(URL, ENDS).unwrap();
        let new = pair.signer(Hash::Sha256).url(URL, ENDS).unwrap();
        assert_eq!((get(&old), get(&new)), (Ok(()), Ok(())));
        assert_eq!(get(&format!("{old}&Hash-Algorithm=SHA1")), Ok(()));
        for (url, denial) in [
            (
                new.replace("&Hash-Algorithm=SHA256", ""),
                Denial::SignatureMismatch,
            ),
            (new.replace("SHA256", "SHA1"), Denial::SignatureMismatch),
            (format!("{old}&Hash-Algorithm=SHA256"), Denial::SignatureMismatch),
            (new.replace("SHA256", "sha256"), Denial::MalformedCredential),
            (new.replace("SHA256", "MD5"), Denial::MalformedCredential),
            (new.replace("SHA256", ""), Denial::MalformedCredential),
            (new.replace("SHA256", "SHA512"), Denial::MalformedCredential),
            (
                format!("{new}&Hash-Algorithm=SHA256"),
                Denial::Head(HeadError::RepeatedParameter),
            ),
        ] {
            assert_eq!(get(&url), Err(denial), "{url}");
        }
    }
}

#[test]
fn a_parameter_of_the_signature_that_is_there_twice_is_refused() {
    let url = signer().url_with_policy(URL, &policy("*")).unwrap();
    for own in [
        "Policy=e30_",
        "Signature=AAAA",
        "Key-Pair-Id=X",
        "Hash-Algorithm=SHA256",
        "%50olicy=e30_",
        "a=1&a=1",
    ] {
        assert_eq!(
            get(&format!("{url}&{own}")),
            Err(Denial::Head(HeadError::RepeatedParameter)),
            "{own}"
        );
    }
}

#[test]
fn cf10_only_the_address_that_the_platform_gives_counts() {
    let source = AddressRange::parse("192.0.2.0/24");
    let signed = Policy {
        source,
        ..policy(URL)
    };
    let url = signer().url_with_policy(URL, &signed).unwrap();
    let from = |peer| {
        let lines = [
            ("x-forwarded-for", "192.0.2.7"),
            ("cf-connecting-ip", "192.0.2.7"),
            ("x-real-ip", "192.0.2.7"),
            ("forwarded", "for=192.0.2.7"),
            ("true-client-ip", "192.0.2.7"),
            ("cloudfront-viewer-address", "192.0.2.7:80"),
        ];
        let head = head("GET", target(&url), &lines).over(Connection { secure: true, peer });
        verify(&head).map(drop)
    };
    for peer in ["192.0.2.7", "192.0.2.255", "::ffff:192.0.2.7"] {
        assert_eq!(from(Some(peer)), Ok(()), "{peer}");
    }
    for peer in [
        None,
        Some(""),
        Some("192.0.3.7"),
        Some("2001:db8::1"),
        Some("192.0.2.7, 192.0.2.8"),
    ] {
        assert_eq!(
            from(peer),
            Err(Denial::PolicyMismatch(PolicyPart::SourceIp)),
            "{peer:?}"
        );
    }
}

#[test]
fn e02_a_parameter_that_only_a_wildcard_of_the_path_lets_pass_is_unsigned() {
    let wide = signer()
        .url_with_policy("https://b.h/a/k?versionId=1", &policy("https://b.h/a/*"))
        .unwrap();
    let exact = signer()
        .url_with_policy(
            "https://b.h/a/k?versionId=1",
            &policy("https://b.h/a/k?versionId=1"),
        )
        .unwrap();
    for (url, coverage) in [(wide, Coverage::Unsigned), (exact, Coverage::Signed)] {
        let head = seen_over_https("GET", target(&url), &[]);
        let verified = verify(&head).unwrap();
        let parameters: Vec<_> = verified
            .parameters()
            .iter()
            .map(|one| (one.name.as_slice(), one.coverage))
            .collect();
        assert_eq!(parameters, [(b"versionId".as_slice(), coverage)]);
    }
}

#[test]
fn d10_a_key_is_used_with_the_kind_of_signature_that_it_is_for() {
    let url = signer().url(URL, ENDS).unwrap();
    let head = seen_over_https("GET", target(&url), &[]);
    let secret = crate::client::secret();
    let key = Pair::Rsa.public();
    let with = |public_key, secrets, schemes| {
        let material = KeyMaterial {
            key_id: ID,
            secrets,
            public_key,
            security_token: None,
            schemes,
        };
        let claim = Claim::of(&head).unwrap();
        claim
            .verify(&head, &material, vec![in_b(&head)], &Rules::new(WINDOW), NOW)
            .map(drop)
    };
    let own = &[Scheme::CloudFront][..];
    assert_eq!(with(Some(&key), vec![], own), Ok(()));
    assert_eq!(with(None, vec![], own), Err(Denial::InactiveKey));
    assert_eq!(with(None, vec![&secret], own), Err(Denial::InactiveKey));
    assert_eq!(
        with(None, vec![&secret], &[Scheme::OssV1]),
        Err(Denial::SchemeNotAllowed(Scheme::CloudFront))
    );
    assert_eq!(
        with(Some(&Pair::P256.public()), vec![], own),
        Err(Denial::SignatureMismatch)
    );
    let none: Vec<crate::verified::Resource<'_, ()>> = Vec::new();
    let material = KeyMaterial {
        key_id: ID,
        secrets: vec![],
        public_key: Some(&key),
        security_token: None,
        schemes: own,
    };
    let claim = Claim::of(&head).unwrap();
    let refused = claim
        .verify(&head, &material, none, &Rules::new(WINDOW), NOW)
        .map(drop);
    assert_eq!(
        refused,
        Err(Denial::SignatureMismatch),
        "no bucket at this host and path"
    );
}

mod credentials;
mod forged;
