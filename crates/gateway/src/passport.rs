//! A decision carried between two functions that the platform runs apart.
//!
//! The authorizer's verdict reaches the router, and the router's the response handler, in a request
//! header that a viewer could send as well. A passport is therefore a MAC under a key of its own per
//! hop over everything that the next hop may use: method, operation, bucket, key, the exact path and
//! query, the headers it covers, the distribution and request it was issued for, and an end 60 s
//! ahead. The next hop forwards only what the passport covers. A passport of another hop, request,
//! distribution or time, or one byte off, is no passport.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use oss_s3::operation::Operation;
use request_auth::UnixSeconds;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The header that carries a passport; every `x-causeway-*` header of a viewer is dropped.
pub const PASSPORT_HEADER: &str = "x-causeway-passport";
/// How long a passport counts, in seconds.
pub const LIFETIME_SECONDS: i64 = 60;
/// The shortest passport secret, in bytes.
pub const MIN_SECRET_BYTES: usize = 32;
/// The longest text that is read as a passport, in bytes: a key of 1,023 bytes in base64 fits.
const MAX_PASSPORT_BYTES: usize = 4096;

/// Between which two functions a passport counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hop {
    /// From the viewer-request authorizer to the origin-request router.
    AuthorizerToRouter,
    /// From the origin-request router to the response handler.
    RouterToHandler,
}

impl Hop {
    const fn name(self) -> &'static str {
        match self {
            Self::AuthorizerToRouter => "authorizer-router",
            Self::RouterToHandler => "router-handler",
        }
    }
}

/// The secret that passports are made under, with the id that tells it from its successor.
pub struct PassportKey {
    id: String,
    secret: Zeroizing<Vec<u8>>,
}

impl PassportKey {
    /// Takes an id of `[A-Za-z0-9_-]` and a secret of at least [`MIN_SECRET_BYTES`] bytes.
    pub fn new(id: &str, secret: String) -> Option<Self> {
        let secret = Zeroizing::new(secret.into_bytes());
        let good_id = !id.is_empty()
            && id.len() <= 32
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        (good_id && secret.len() >= MIN_SECRET_BYTES).then(|| Self {
            id: id.to_owned(),
            secret,
        })
    }

    /// The MAC under the subkey of one hop.
    fn mac(&self, hop: Hop) -> Option<Hmac<Sha256>> {
        let mut derive = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        derive.update(b"causeway passport 1 ");
        derive.update(hop.name().as_bytes());
        Hmac::new_from_slice(&derive.finalize().into_bytes()).ok()
    }
}

/// What was decided, in the words that the next hop needs and can't see in its request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// The operation that was authorised.
    pub operation: Operation,
    /// The virtual bucket.
    pub bucket: String,
    /// The object key as the device knows it.
    pub key: String,
    /// The request id that the device is answered with.
    pub request_id: String,
}

/// The request that a passport travels with, as its next hop sees it.
#[derive(Clone, Copy, Debug)]
pub struct Carrier<'a> {
    /// The platform's id of the distribution.
    pub distribution: &'a str,
    /// The platform's id of the request.
    pub event_request_id: &'a str,
    /// The method.
    pub method: &'a str,
    /// The exact path and query.
    pub path_and_query: &'a str,
    /// Lower-case names and values of every header that the next hop may use, in any order.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// Issues a passport for `carrier` under `key`: the value of [`PASSPORT_HEADER`].
pub fn issue(
    hop: Hop,
    decision: &Decision,
    carrier: Carrier<'_>,
    key: &PassportKey,
    now: UnixSeconds,
) -> Option<String> {
    let expires = now.0.saturating_add(LIFETIME_SECONDS);
    let covered = [
        "1",
        &key.id,
        &expires.to_string(),
        decision.operation.name(),
        &decision.request_id,
        &URL_SAFE_NO_PAD.encode(&decision.bucket),
        &URL_SAFE_NO_PAD.encode(&decision.key),
    ]
    .join(".");
    let mac = write(key.mac(hop)?, hop, &covered, carrier);
    Some(
        [
            covered.as_str(),
            ".",
            &URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()),
        ]
        .concat(),
    )
}

/// Checks a passport against the request that it came with; `None` is all that is said of a bad one.
/// Any of `keys` may have issued it (a rotation has two).
pub fn check(
    text: &[u8],
    hop: Hop,
    carrier: Carrier<'_>,
    keys: &[PassportKey],
    now: UnixSeconds,
) -> Option<Decision> {
    if text.len() > MAX_PASSPORT_BYTES {
        return None;
    }
    let text = core::str::from_utf8(text).ok()?;
    let (covered, signature) = text.rsplit_once('.')?;
    let mut parts = covered.split('.');
    let version = parts.next()?;
    let key_id = parts.next()?;
    let expires: i64 = parts.next()?.parse().ok()?;
    let operation = Operation::from_name(parts.next()?)?;
    let request_id = parts.next()?;
    let bucket = decode(parts.next()?)?;
    let object_key = decode(parts.next()?)?;
    if version != "1" || parts.next().is_some() {
        return None;
    }
    let key = keys.iter().find(|key| key.id == key_id)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    write(key.mac(hop)?, hop, covered, carrier)
        .verify_slice(&signature)
        .ok()?;
    let remaining = expires.checked_sub(now.0)?;
    // A passport from the future is as wrong as an old one; a few seconds of clock difference pass.
    if !(0..=LIFETIME_SECONDS.saturating_mul(2)).contains(&remaining) {
        return None;
    }
    Some(Decision {
        operation,
        bucket,
        key: object_key,
        request_id: request_id.to_owned(),
    })
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// Writes everything that is covered, each part behind its length, so that no two requests share it.
fn write(mut mac: Hmac<Sha256>, hop: Hop, covered: &str, carrier: Carrier<'_>) -> Hmac<Sha256> {
    let mut put = |part: &[u8]| {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    };
    for part in [
        hop.name(),
        covered,
        carrier.distribution,
        carrier.event_request_id,
        carrier.method,
        carrier.path_and_query,
    ] {
        put(part.as_bytes());
    }
    let mut headers = carrier.headers.to_vec();
    headers.sort_unstable();
    for (name, value) in headers {
        put(name.as_bytes());
        put(value);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_714_566_896);
    const HEADERS: [(&str, &[u8]); 2] = [("content-type", b"text/plain"), ("x-amz-meta-a", b"1")];

    fn key(id: &str) -> PassportKey {
        PassportKey::new(id, "0123456789abcdef0123456789abcdef".into()).unwrap()
    }

    fn decision() -> Decision {
        Decision {
            operation: Operation::InitiateMultipartUpload,
            bucket: "devices".into(),
            key: "中文.k".into(),
            request_id: "0123456789ABCDEF01234567".into(),
        }
    }

    fn carrier<'a>() -> Carrier<'a> {
        Carrier {
            distribution: "E123",
            event_request_id: "req-1",
            method: "POST",
            path_and_query: "/k?uploads=",
            headers: &HEADERS,
        }
    }

    fn issued() -> String {
        issue(Hop::AuthorizerToRouter, &decision(), carrier(), &key("a"), NOW).unwrap()
    }

    fn checked(text: &str, carrier: Carrier<'_>, now: i64) -> Option<Decision> {
        check(
            text.as_bytes(),
            Hop::AuthorizerToRouter,
            carrier,
            &[key("b"), key("a")],
            UnixSeconds(now),
        )
    }

    #[test]
    fn a_passport_gives_the_decision_back_until_it_ends() {
        for (now, good) in [
            (NOW.0, true),
            (NOW.0 + 60, true),
            (NOW.0 + 61, false),
            (NOW.0 - 60, true),
            (NOW.0 - 61, false),
        ] {
            assert_eq!(checked(&issued(), carrier(), now).is_some(), good, "{now}");
        }
        assert_eq!(checked(&issued(), carrier(), NOW.0), Some(decision()));
    }

    #[test]
    fn a_passport_of_another_request_is_none() {
        let more: Vec<_> = HEADERS
            .into_iter()
            .chain([("x-amz-acl", b"public-read".as_slice())])
            .collect();
        let shifted = [("content-type", b"text/plai".as_slice()), ("nx-amz-meta-a", b"1")];
        for other in [
            Carrier {
                distribution: "E124",
                ..carrier()
            },
            Carrier {
                event_request_id: "req-2",
                ..carrier()
            },
            Carrier {
                method: "PUT",
                ..carrier()
            },
            Carrier {
                path_and_query: "/K?uploads=",
                ..carrier()
            },
            Carrier {
                headers: &[],
                ..carrier()
            },
            Carrier {
                headers: &more,
                ..carrier()
            },
            Carrier {
                headers: &shifted,
                ..carrier()
            },
        ] {
            assert_eq!(checked(&issued(), other, NOW.0), None, "{other:?}");
        }
        assert_eq!(
            check(
                issued().as_bytes(),
                Hop::RouterToHandler,
                carrier(),
                &[key("a")],
                NOW
            ),
            None
        );
        assert_eq!(
            check(
                issued().as_bytes(),
                Hop::AuthorizerToRouter,
                carrier(),
                &[key("b")],
                NOW
            ),
            None
        );
    }

    #[test]
    fn the_order_of_headers_does_not_count() {
        let reversed: Vec<_> = HEADERS.into_iter().rev().collect();
        assert!(
            checked(
                &issued(),
                Carrier {
                    headers: &reversed,
                    ..carrier()
                },
                NOW.0
            )
            .is_some()
        );
    }

    #[test]
    fn any_altered_byte_makes_it_none() {
        let good = issued();
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                check(&bytes, Hop::AuthorizerToRouter, carrier(), &[key("a")], NOW),
                None,
                "{at}"
            );
        }
        for text in [
            "",
            ".",
            "1.a",
            good.trim_start_matches("1."),
            &format!("{good}."),
            &format!("{good}="),
            &"1.".repeat(5000),
        ] {
            assert_eq!(checked(text, carrier(), NOW.0), None, "{text}");
        }
    }

    #[test]
    fn weak_secrets_and_odd_ids_make_no_key() {
        assert!(PassportKey::new("a", "short".into()).is_none());
        assert!(PassportKey::new("a.b", "0123456789abcdef0123456789abcdef".into()).is_none());
    }
}
