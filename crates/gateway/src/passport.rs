//! A decision carried between two functions that the platform runs apart.
//!
//! The authorizer's verdict reaches the router, and the router's the response handler, in a request
//! header that a viewer could send as well. A passport is therefore a MAC under a key of its own per
//! hop over everything that the next hop may use: method, operation, bucket, key, the exact path and
//! query, the headers it covers, the place and request it was issued for, and an end 60 s
//! ahead. A passport names the headers that it covers, and a check gives these and no others: the
//! next hop forwards only what the passport covers. A passport of another hop, request, place
//! or time, or one byte off, is no passport.
//!
//! Names that begin with [`OWN_PREFIX`] are the gateway's own between its functions. The authorizer
//! drops every one that a viewer sends, and the router lets none out to the origin.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use oss_s3::answer::RequestId;
use oss_s3::operation::Operation;
use oss_s3::upload::SealKeys;
use request_auth::canon::{hex, sorted};
use request_auth::{Dialect, UnixSeconds};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::document::{Fields, Holds, Node};

/// How the gateway's own headers between its functions begin.
pub const OWN_PREFIX: &str = "x-causeway-";

/// The header that carries a passport.
pub const PASSPORT_HEADER: &str = "x-causeway-passport";
/// The header that says which origin an object's bytes are meant for: its host, with its port unless
/// that is the scheme's own.
pub const ORIGIN_HEADER: &str = "x-causeway-origin";
/// The header that says the region of that origin, where the next hop signs for it.
pub const REGION_HEADER: &str = "x-causeway-region";
/// The header that says the SHA-256 of the body, as [`body_digest`] writes it.
pub const BODY_HEADER: &str = "x-causeway-body-sha256";
/// The version of what a passport says, and in which order.
const VERSION: &str = "2";
/// How long a passport counts, in seconds.
pub const LIFETIME_SECONDS: i64 = 60;
/// The shortest passport secret, in bytes.
pub const MIN_SECRET_BYTES: usize = 32;
/// The longest text that is read as a passport, in bytes: a key of 1,023 bytes and the names of 2 KB
/// of metadata fit, in base64.
const MAX_PASSPORT_BYTES: usize = 8192;

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
        (is_passport_key_id(id) && secret.len() >= MIN_SECRET_BYTES).then(|| Self {
            id: id.to_owned(),
            secret,
        })
    }

    fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let (id, secret) = (fields.take("id").string(), fields.take("secret").string());
        Self::new(&id, secret)
    }

    /// The MAC under the subkey of one hop.
    fn mac(&self, hop: Hop) -> Option<Hmac<Sha256>> {
        let mut derive = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        derive.update(b"causeway passport 1 ");
        derive.update(hop.name().as_bytes());
        Hmac::new_from_slice(&derive.finalize().into_bytes()).ok()
    }
}

fn is_passport_key_id(id: &str) -> bool {
    (1..=32).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// The keys of a deployment: the first issues passports, and any of them may have issued one that is
/// checked.
pub struct PassportKeys(Vec<PassportKey>);

impl PassportKeys {
    /// Reads `{"id": …, "secret": …}`, and during a rotation `"also": [{"id": …, "secret": …}]` with the
    /// one other key that passports may have been issued under.
    ///
    /// # Errors
    /// A sentence for JSON of another shape, an odd id, a short secret, or one id for two keys. It
    /// holds no secret.
    pub fn from_json(json: &str) -> Result<Self, String> {
        let (first, also) = Node::from_json(json)
            .and_then(|secret| {
                secret.read(Holds::Secrets, |secret| {
                    secret.table(|fields| {
                        let also = fields.take("also").or(Vec::new(), |also| {
                            also.list(|other| other.table(PassportKey::read))
                        });
                        (PassportKey::read(fields), also)
                    })
                })
            })
            .map_err(|mistake| mistake.to_string())?;
        if also.len() > 1 {
            return Err("`also` may list one key more, and no other".to_owned());
        }
        let keys: Option<Vec<PassportKey>> = core::iter::once(first).chain(also).collect();
        let keys =
            keys.ok_or("an `id` is 1 to 32 of [A-Za-z0-9_-] and a `secret` at least 32 bytes; generate it")?;
        match keys.as_slice() {
            [one, other] if one.id == other.id => Err("two keys have the same `id`".to_owned()),
            _ => Ok(Self(keys)),
        }
    }

    /// What upload ids are sealed under.
    pub fn seals(&self) -> SealKeys {
        SealKeys::new(self.0.iter().map(|key| key.secret.as_slice()))
    }

    /// Whether a key has this id.
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }
}

impl From<PassportKey> for PassportKeys {
    fn from(key: PassportKey) -> Self {
        Self(vec![key])
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
    /// The dialect that the device is answered in.
    pub dialect: Dialect,
}

/// The request that a passport travels with, as its next hop sees it.
#[derive(Clone, Copy, Debug)]
pub struct Carrier<'a> {
    /// Where it has to arrive: the platform's id of the distribution, or the domain of the response
    /// handler's function URL. Deployments may share a passport secret.
    pub audience: &'a str,
    /// The platform's id of the request; empty where the next hop is not told.
    pub event_request_id: &'a str,
    /// The method.
    pub method: &'a str,
    /// The exact path and query.
    pub path_and_query: &'a str,
    /// Lower-case names and values of headers, in any order. Where a passport is issued: every header
    /// that the next hop may use. Where it is checked: every header line of the request.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// A request whose passport was checked: what was decided, and the headers that are covered.
#[derive(PartialEq, Eq, Debug)]
pub struct Checked<'a> {
    decision: Decision,
    headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Checked<'a> {
    /// What was decided.
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The covered headers, lower-case names, each once.
    pub fn headers(&self) -> &[(&'a str, &'a [u8])] {
        &self.headers
    }

    /// The value of a covered header.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers
            .iter()
            .find(|(header, _)| *header == name)
            .map(|(_, value)| *value)
    }
}

/// The request id that every function gives a request by itself: the first 12 bytes of the SHA-256 of
/// the platform's own id for it, so that all of them write the same one into answers and logs.
pub fn request_id(event_request_id: &str) -> RequestId {
    let digest = Sha256::digest(event_request_id.as_bytes());
    RequestId::from_bytes(digest.first_chunk().copied().unwrap_or_default())
}

/// The SHA-256 of a body in lower-case hexadecimal digits.
pub fn body_digest(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

/// Issues a passport for `carrier`: the value of [`PASSPORT_HEADER`]. `None` where `carrier` has a
/// header twice.
pub fn issue(
    hop: Hop,
    decision: &Decision,
    carrier: Carrier<'_>,
    keys: &PassportKeys,
    now: UnixSeconds,
) -> Option<String> {
    let key = keys.0.first()?;
    let names = sorted(carrier.headers.iter().map(|(name, _)| *name).collect());
    let headers = pick(&names, carrier.headers)?;
    let expires = now.0.saturating_add(LIFETIME_SECONDS);
    let covered = [
        VERSION,
        &key.id,
        &expires.to_string(),
        decision.dialect.name(),
        decision.operation.name(),
        &decision.request_id,
        &URL_SAFE_NO_PAD.encode(&decision.bucket),
        &URL_SAFE_NO_PAD.encode(&decision.key),
        &URL_SAFE_NO_PAD.encode(names.join(",")),
    ]
    .join(".");
    let mac = write(key.mac(hop)?, hop, &covered, carrier, &headers);
    Some(
        [
            covered.as_str(),
            ".",
            &URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()),
        ]
        .concat(),
    )
}

/// Which key the passport of a request claims to be issued under: `None` for a request that has no
/// passport, or none of this form. Says nothing about whether it counts: see [`check`].
pub fn claimed_key<'a>(headers: &[(&'a str, &'a [u8])]) -> Option<&'a str> {
    let mut parts = presented(headers)?.split('.');
    let (version, key_id) = (parts.next()?, parts.next()?);
    (version == VERSION && is_passport_key_id(key_id)).then_some(key_id)
}

/// The dialect that the passport of a request names, for the words of a refusal before or instead of a
/// [`check`]: nothing else may hang on it. OSS's where there is none.
pub fn claimed_dialect(headers: &[(&str, &[u8])]) -> Dialect {
    let named = presented(headers).and_then(|text| text.split('.').nth(3));
    named.and_then(Dialect::from_name).unwrap_or(Dialect::Oss)
}

/// The bucket that the passport of a request names, where a [`check`] came before: no permission may hang on
/// it.
pub fn claimed_bucket(headers: &[(&str, &[u8])]) -> Option<String> {
    decode(presented(headers)?.split('.').nth(6)?)
}

/// The text of the one passport among headers.
fn presented<'a>(headers: &[(&'a str, &'a [u8])]) -> Option<&'a str> {
    let [(_, text)] = pick(&[PASSPORT_HEADER], headers)?.try_into().ok()?;
    let text = core::str::from_utf8(text).ok()?;
    (text.len() <= MAX_PASSPORT_BYTES).then_some(text)
}

/// Checks the passport of a request, which is among the headers of `carrier`; `None` is all that is
/// said of a missing or a bad one.
pub fn check<'a>(
    hop: Hop,
    carrier: Carrier<'a>,
    keys: &PassportKeys,
    now: UnixSeconds,
) -> Option<Checked<'a>> {
    let (covered, signature) = presented(carrier.headers)?.rsplit_once('.')?;
    let mut parts = covered.split('.');
    let version = parts.next()?;
    let key_id = parts.next()?;
    let expires: i64 = parts.next()?.parse().ok()?;
    let dialect = Dialect::from_name(parts.next()?)?;
    let operation = Operation::from_name(parts.next()?)?;
    let request_id = parts.next()?;
    let bucket = decode(parts.next()?)?;
    let object_key = decode(parts.next()?)?;
    let names = decode(parts.next()?)?;
    if version != VERSION || parts.next().is_some() {
        return None;
    }
    let key = keys.0.iter().find(|key| key.id == key_id)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
    let headers = pick(&names, carrier.headers)?;
    write(key.mac(hop)?, hop, covered, carrier, &headers)
        .verify_slice(&signature)
        .ok()?;
    let remaining = expires.checked_sub(now.0)?;
    // A passport from the future is as wrong as an old one; a few seconds of clock difference pass.
    if !(0..=LIFETIME_SECONDS.saturating_mul(2)).contains(&remaining) {
        return None;
    }
    let decision = Decision {
        operation,
        bucket,
        key: object_key,
        request_id: request_id.to_owned(),
        dialect,
    };
    Some(Checked { decision, headers })
}

/// The headers of these names, in their order. `None` where one is not there exactly once.
fn pick<'a>(names: &[&str], headers: &[(&'a str, &'a [u8])]) -> Option<Vec<(&'a str, &'a [u8])>> {
    let once = |name: &&str| {
        let mut found = headers.iter().filter(|(header, _)| header == name);
        match (found.next(), found.next()) {
            (Some(header), None) => Some(*header),
            _ => None,
        }
    };
    names.iter().map(once).collect()
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// Writes everything that is covered, each part behind its length, so that no two requests share it.
fn write(
    mut mac: Hmac<Sha256>,
    hop: Hop,
    covered: &str,
    carrier: Carrier<'_>,
    headers: &[(&str, &[u8])],
) -> Hmac<Sha256> {
    let mut put = |part: &[u8]| {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    };
    for part in [
        hop.name(),
        covered,
        carrier.audience,
        carrier.event_request_id,
        carrier.method,
        carrier.path_and_query,
    ] {
        put(part.as_bytes());
    }
    for (name, value) in headers {
        put(name.as_bytes());
        put(value);
    }
    mac
}

#[cfg(test)]
mod tests;
