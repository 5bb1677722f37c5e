//! CloudFront's signed URLs and cookies: what the signer makes verifies, one byte changed does not, and a
//! policy is for the URLs that a second reading of its pattern says.

use proptest::prelude::*;
use request_auth::cloudfront::{Hash, Policy, Signer};
use request_auth::{
    Claim, Connection, Delivery, Denial, KeyMaterial, PublicKey, RequestHead, Resource, Rules, Scheme,
    UnixSeconds, Window,
};

use super::config;

const NOW: UnixSeconds = UnixSeconds(1_714_566_896);
const ID: &str = "K2JCJMDEHXQW5F";
const HOST: &str = "a.b";

/// Both key pairs: private and public.
const PAIRS: [(&str, &str); 2] = [
    (
        include_str!("../../../vectors/keys/p-256.pem"),
        include_str!("../../../vectors/keys/p-256.pub.pem"),
    ),
    (
        include_str!("../../../vectors/keys/rsa-2048.pem"),
        include_str!("../../../vectors/keys/rsa-2048.pub.pem"),
    ),
];

fn verify(public: &str, target: &[u8], cookie: Option<&str>, now: UnixSeconds) -> Result<Vec<u8>, Denial> {
    let lines = [("host", HOST)]
        .into_iter()
        .chain(cookie.map(|line| ("cookie", line)));
    let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead::new("GET", target, lines, Delivery::Lines)?.over(Connection {
        secure: true,
        peer: Some("192.0.2.7"),
    });
    let key = PublicKey::from_pem(public).unwrap();
    let material = KeyMaterial {
        key_id: ID,
        secrets: Vec::new(),
        public_key: Some(&key),
        security_token: None,
        schemes: &[Scheme::CloudFront],
    };
    let resource = Resource {
        signed_bucket: Some("b"),
        key: head.path().to_vec(),
        bucket: (),
    };
    let rules = Rules::new(Window {
        skew_seconds: 900,
        presigned_max_seconds: None,
    });
    let verified = Claim::of(&head)?.verify(&head, &material, vec![resource], &rules, now)?;
    Ok(verified.key().to_vec())
}

fn policy(resource: &str) -> Policy {
    Policy {
        resource: resource.to_owned(),
        ends: UnixSeconds(NOW.0 + 60),
        begins: None,
        source: None,
    }
}

/// A target as clients send it: escaped, with or without a query.
fn target() -> impl Strategy<Value = String> {
    let segment = "([A-Za-z0-9_~!$'()+,;=:@-]|%(20|25|2B|C3%A4)){1,6}";
    let path = proptest::collection::vec(segment, 1..4).prop_map(|parts| format!("/{}", parts.join("/")));
    let query = proptest::option::of("[a-f]{1,3}=[A-Za-z0-9/?+_.-]{0,6}");
    (path, query).prop_map(|(path, query)| match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    })
}

fn hash() -> impl Strategy<Value = Hash> {
    prop_oneof![Just(Hash::Sha1), Just(Hash::Sha256)]
}

/// Whether a text is like a section of a pattern.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        ([b'\\', b'?', rest @ ..], [b'?', text @ ..]) => is_like(rest, text),
        ([b'\\', ..], _) => false,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|end| is_like(rest, &text[end..])),
        ([sign, rest @ ..], [first, text @ ..]) => (*sign == b'?' || sign == first) && is_like(rest, text),
        _ => false,
    }
}

/// Whether the path of a pattern covers a path and query.
fn covers(pattern: &[u8], path: &[u8], query: Option<&[u8]>) -> bool {
    let Some(query) = query else {
        return is_like(pattern, path);
    };
    let leads_over = |at: usize| {
        let before = pattern[..at].strip_suffix(b"\\").unwrap_or(&pattern[..at]);
        pattern[at] == b'?' && is_like(before, path) && is_like(&pattern[at + 1..], query)
    };
    (pattern.ends_with(b"*") && is_like(pattern, path)) || (0..pattern.len()).any(leads_over)
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn what_the_signer_makes_verifies_until_its_end(target in target(), hash in hash(), pair in 0..2_usize, life in 1..1_000_000_i64) {
        let (private, public) = PAIRS[pair];
        let signer = Signer::new(ID, private, hash).unwrap();
        let url = format!("https://{HOST}{target}");
        let ends = UnixSeconds(NOW.0 + life);
        let path = target.split('?').next().unwrap();
        let key = request_auth::canon::percent_decode(path.as_bytes()).unwrap();
        let signed = signer.url(&url, ends).unwrap();
        let sent = signed.strip_prefix("https://a.b").unwrap().as_bytes();
        let last = UnixSeconds(ends.0 - 1);
        prop_assert_eq!(verify(public, sent, None, last), Ok(key.clone()));
        prop_assert_eq!(verify(public, sent, None, ends), Err(Denial::Expired { expires: ends, now: ends }));
        let cookies = signer.cookies(&url, ends).unwrap();
        let line = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        prop_assert_eq!(verify(public, target.as_bytes(), Some(&line), last), Ok(key));
    }

    #[test]
    fn one_byte_changed_is_refused(target in target(), hash in hash(), pair in 0..2_usize, at in any::<prop::sample::Index>(), byte in 0x21..0x7f_u8) {
        let (private, public) = PAIRS[pair];
        let signer = Signer::new(ID, private, hash).unwrap();
        let url = format!("https://{HOST}{target}");
        let signed = signer.url(&url, UnixSeconds(NOW.0 + 60)).unwrap();
        let mut sent = signed.strip_prefix("https://a.b").unwrap().as_bytes().to_vec();
        let at = at.index(sent.len());
        prop_assume!(sent[at] != byte);
        sent[at] = byte;
        prop_assert!(verify(public, &sent, None, NOW).is_err(), "{}", String::from_utf8_lossy(&sent));
    }

    #[test]
    fn a_policy_is_for_the_urls_that_its_pattern_says(pattern in "/([ab/*?]|\\\\\\?){0,7}", path in "/[ab/]{0,5}", query in proptest::option::of("[ab]{1,2}[ab?]{0,2}")) {
        let (private, public) = PAIRS[0];
        let signer = Signer::new(ID, private, Hash::Sha256).unwrap();
        let target = match &query {
            Some(query) => format!("{path}?{query}"),
            None => path.clone(),
        };
        let url = format!("https://{HOST}{target}");
        let signed = signer.url_with_policy(&url, &policy(&format!("https://{HOST}{pattern}"))).unwrap();
        let sent = signed.strip_prefix("https://a.b").unwrap();
        let expected = covers(pattern.as_bytes(), path.as_bytes(), query.as_deref().map(str::as_bytes));
        prop_assert_eq!(verify(public, sent.as_bytes(), None, NOW).is_ok(), expected, "{} {}", pattern, target);
    }
}
