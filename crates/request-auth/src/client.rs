//! A client for the tests of the grammars: its heads, its key, and the gateway's view of both.

use crate::claim::{Claim, KeyMaterial, Rules, Scheme, Window};
use crate::denial::Denial;
use crate::head::{Delivery, RequestHead};
use crate::secret::{SecretKey, SecurityToken};
use crate::time::UnixSeconds;
use crate::verified::{Resource, Verified};

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_714_566_896);
pub(crate) const DATE: &str = "Wed, 01 May 2024 12:34:56 GMT";
pub(crate) const WINDOW: Window = Window {
    skew_seconds: 900,
    presigned_max_seconds: None,
};

pub(crate) fn secret() -> SecretKey {
    SecretKey::new("secret".into()).unwrap()
}

pub(crate) fn resource<'c>(bucket: Option<&'c str>, key: &str) -> Resource<'c, ()> {
    Resource {
        signed_bucket: bucket,
        key: key.as_bytes().to_vec(),
        bucket: (),
    }
}

/// The resource of a head for the bucket `b`.
pub(crate) fn in_b(head: &RequestHead<'_>) -> Resource<'static, ()> {
    Resource {
        signed_bucket: Some("b"),
        key: head.path()[1..].to_vec(),
        bucket: (),
    }
}

/// A head with the Host `b.h`, unless `headers` has one, delivered line by line.
pub(crate) fn head<'a>(method: &'a str, target: &str, headers: &[(&'a str, &'a str)]) -> RequestHead<'a> {
    delivered(method, target, headers, Delivery::Lines)
}

pub(crate) fn delivered<'a>(
    method: &'a str,
    target: &str,
    headers: &[(&'a str, &'a str)],
    delivery: Delivery,
) -> RequestHead<'a> {
    let host = [("host", "b.h")];
    let has_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    let lines = host[usize::from(has_host)..].iter().chain(headers);
    RequestHead::new(
        method,
        target.as_bytes(),
        lines.map(|(n, v)| (n.as_bytes(), v.as_bytes())),
        delivery,
    )
    .unwrap()
}

/// Verifies a head for the bucket `b` under the client's key, with or without a token.
pub(crate) fn verify<'a>(
    head: &RequestHead<'a>,
    token: Option<&SecurityToken>,
    rules: &Rules,
    now: UnixSeconds,
) -> Result<Verified<'a, ()>, Denial> {
    let secret = secret();
    let material = KeyMaterial {
        key_id: "AK",
        secrets: vec![&secret],
        public_key: None,
        security_token: token,
        schemes: &Scheme::ALL,
    };
    Claim::of(head)?.verify(head, &material, vec![in_b(head)], rules, now)
}

/// What the tests of CloudFront's signatures have besides.
#[cfg(feature = "cloudfront-signatures")]
pub(crate) mod viewer {
    use super::head;
    use crate::head::{Connection, RequestHead};

    /// The key pairs that OpenSSL made for tests.
    pub(crate) const RSA_PUBLIC_KEY: &str = include_str!("../../../tests/vectors/keys/rsa-2048.pub.pem");
    pub(crate) const P256_PUBLIC_KEY: &str = include_str!("../../../tests/vectors/keys/p-256.pub.pem");

    /// A head that came over TLS from 192.0.2.7.
    pub(crate) fn seen_over_https<'a>(
        method: &'a str,
        target: &str,
        headers: &[(&'a str, &'a str)],
    ) -> RequestHead<'a> {
        head(method, target, headers).over(Connection {
            secure: true,
            peer: Some("192.0.2.7"),
        })
    }
}
