//! CloudFront signed URLs and signed cookies: `Key-Pair-Id`, `Signature` and either `Expires` (a canned
//! policy) or `Policy` (a custom one) in the query, or the same as cookies whose names begin with
//! `CloudFront-`; `Hash-Algorithm=SHA256` where the hash is not SHA-1.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PrivateContent.html>. What is signed
//! is a policy and not a request: the policy says which URLs may be asked for, until when, from when and
//! from where. The method, headers and the body are not covered; the grant of the key says what may be done.
//!
//! A canned policy is rebuilt, byte for byte, from the URL as it was sent:
//!
//! ```text
//! {"Statement":[{"Resource":"<URL>","Condition":{"DateLessThan":{"AWS:EpochTime":<Expires>}}}]}
//! ```
//!
//! Refused besides a wrong signature: both policies or none, another alphabet than `-_~` for `+=/`, base64
//! that is not canonical, any other `Hash-Algorithm`, a cookie that is there twice, and, under a custom policy,
//! paths with dot segments: a pattern of paths must not be one of what they resolve to. A policy without a
//! resource is refused as well, although CloudFront takes it for any URL: `"Resource":"*"` says so.

mod asymmetric;
pub(crate) mod ecdsa;
mod modular;
mod policy;
mod resource;
#[cfg(feature = "cloudfront-signer")]
mod signer;

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use asymmetric::Hash;
pub use policy::Policy;
#[cfg(feature = "cloudfront-signer")]
pub use signer::{Signer, SignerError};

use crate::claim::{KeyMaterial, Scheme, Window, read_key_id};
use crate::denial::{Denial, PolicyPart};
use crate::head::{HeadError, RequestHead, trim_blanks};
use crate::oss_claim::{self, hints};
use crate::oss_form::refuse_repeated;
use crate::payload::Payload;
use crate::time::UnixSeconds;
use crate::verified::{Coverage, Covered, Hint, VerifiedParameter};
use policy::read_epoch;
use resource::ViewerUrl;

/// The longest text of a policy that is read, in bytes.
pub const MAX_POLICY_BYTES: usize = 4096;
/// The longest text of a signature, in bytes: one of RSA-2048.
const MAX_SIGNATURE_BYTES: usize = 344;

/// The names of what a signed URL has in its query; a cookie has [`COOKIE_PREFIX`] before them.
const KEY_PAIR_ID: &str = "Key-Pair-Id";
const SIGNATURE: &str = "Signature";
const POLICY: &str = "Policy";
const EXPIRES: &str = "Expires";
const HASH_ALGORITHM: &str = "Hash-Algorithm";
const OWN: [&str; 5] = [KEY_PAIR_ID, SIGNATURE, POLICY, EXPIRES, HASH_ALGORITHM];
const COOKIE_PREFIX: &str = "CloudFront-";

/// A signature as presented, and what it is to be of.
pub struct CloudFrontClaim {
    pub(crate) key_id: String,
    hash: Hash,
    signature: Vec<u8>,
    terms: Terms,
    is_own: fn(&[u8]) -> bool,
}

enum Terms {
    /// The URL until this second, as the digits that were sent.
    Canned { expires: String, ends: UnixSeconds },
    /// The bytes of a policy.
    Custom(Vec<u8>),
}

impl fmt::Debug for CloudFrontClaim {
    /// Names the key pair; a policy with its signature opens what it is for to whoever holds them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudFrontClaim")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// What a credential consists of, as text.
struct Parts<'h> {
    key_id: &'h [u8],
    signature: Option<&'h [u8]>,
    policy: Option<&'h [u8]>,
    expires: Option<&'h [u8]>,
    hash: Option<&'h [u8]>,
}

/// Reads the parameters of a signed URL.
pub(crate) fn in_query(head: &RequestHead<'_>) -> Result<CloudFrontClaim, Denial> {
    let parts = Parts {
        key_id: head.single_parameter(KEY_PAIR_ID)?.unwrap_or_default(),
        signature: head.single_parameter(SIGNATURE)?,
        policy: head.single_parameter(POLICY)?,
        expires: head.single_parameter(EXPIRES)?,
        hash: head.single_parameter(HASH_ALGORITHM)?,
    };
    claim(parts, |name| OWN.iter().any(|own| own.as_bytes() == name))
}

/// Reads signed cookies, if there is one with the id of a key pair: without that, whatever cookies a browser
/// sends are no credential.
///
/// # Errors
/// Those of a signed URL; a cookie of this kind that is there twice as [`HeadError::RepeatedHeader`].
pub(crate) fn in_cookies(head: &RequestHead<'_>) -> Result<Option<CloudFrontClaim>, Denial> {
    let cookie = |name| cookie(head, name);
    let Some(key_id) = cookie(KEY_PAIR_ID)? else {
        return Ok(None);
    };
    let parts = Parts {
        key_id,
        signature: cookie(SIGNATURE)?,
        policy: cookie(POLICY)?,
        expires: cookie(EXPIRES)?,
        hash: cookie(HASH_ALGORITHM)?,
    };
    claim(parts, |_| false).map(Some)
}

/// The one cookie of this name. No cookie holds a comma: platforms that join header lines put one there.
fn cookie<'a>(head: &RequestHead<'a>, name: &str) -> Result<Option<&'a [u8]>, Denial> {
    let mut found = head
        .headers()
        .filter(|(header, _)| *header == b"cookie")
        .flat_map(|(_, value)| value.split(|byte| matches!(byte, b';' | b',')))
        .filter_map(|pair| {
            let pair = trim_blanks(pair).strip_prefix(COOKIE_PREFIX.as_bytes())?;
            pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
        });
    match (found.next(), found.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(HeadError::RepeatedHeader("cookie").into()),
    }
}

fn claim(parts: Parts<'_>, is_own: fn(&[u8]) -> bool) -> Result<CloudFrontClaim, Denial> {
    let key_id = read_key_id(parts.key_id)?;
    let hash = match parts.hash {
        None | Some(b"SHA1") => Hash::Sha1,
        Some(b"SHA256") => Hash::Sha256,
        Some(_) => return Err(Denial::MalformedCredential),
    };
    let signature = parts.signature.ok_or(Denial::PresignedIncomplete(SIGNATURE))?;
    let terms = match (parts.expires, parts.policy) {
        (Some(_), Some(_)) => return Err(Denial::MalformedCredential),
        (None, None) => return Err(Denial::PresignedIncomplete(EXPIRES)),
        (Some(expires), None) => {
            let expires = core::str::from_utf8(expires).unwrap_or_default();
            Terms::Canned {
                ends: read_epoch(expires).ok_or(Denial::ExpiresUnreadable)?,
                expires: expires.to_owned(),
            }
        }
        (None, Some(policy)) => {
            Terms::Custom(decoded(policy, MAX_POLICY_BYTES).ok_or(Denial::MalformedCredential)?)
        }
    };
    Ok(CloudFrontClaim {
        key_id,
        hash,
        signature: decoded(signature, MAX_SIGNATURE_BYTES).ok_or(Denial::MalformedCredential)?,
        terms,
        is_own,
    })
}

/// Decodes base64 with padding in which `-`, `_` and `~` stand for `+`, `=` and `/`.
fn decoded(text: &[u8], most: usize) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > most {
        return None;
    }
    let digits = text.iter().map(|byte| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'='),
        b'~' => Some(b'/'),
        byte => byte.is_ascii_alphanumeric().then_some(*byte),
    });
    STANDARD.decode(digits.collect::<Option<Vec<u8>>>()?).ok()
}

/// Verifies; what the signature covers. The URL names bucket and key: it stands for the first of the
/// candidates.
pub(crate) fn verify<'a>(
    claim: &CloudFrontClaim,
    head: &RequestHead<'a>,
    key: &KeyMaterial<'_>,
    window: Window,
    now: UnixSeconds,
) -> Result<Covered<'a>, Denial> {
    let public_key = key.public_key.ok_or(Denial::InactiveKey)?;
    refuse_repeated(head, |_| true)?;
    let url = ViewerUrl::of(head, claim.is_own).ok_or(Denial::SignatureMismatch)?;
    let text = text(claim, &url).ok_or(Denial::SignatureMismatch)?;
    if !asymmetric::verifies(public_key, claim.hash, &text, &claim.signature) {
        return Err(Denial::SignatureMismatch);
    }
    let (ends, coverage) = match &claim.terms {
        Terms::Canned { ends, .. } => (*ends, Coverage::Signed),
        Terms::Custom(json) => {
            let policy = Policy::read(json).ok_or(Denial::PolicyUnreadable)?;
            let coverage = check(&policy, head, &url, now)?;
            (policy.ends, coverage)
        }
    };
    // "Less than": the second itself is too late.
    if now >= ends {
        return Err(Denial::Expired { expires: ends, now });
    }
    if window
        .presigned_max_seconds
        .is_some_and(|most| ends.distance(now) > u64::from(most))
    {
        return Err(Denial::ExpiresTooFar);
    }
    Ok(covered(claim, head, coverage))
}

/// Refuses a request that a custom policy is not for; how its query is covered.
fn check(
    policy: &Policy,
    head: &RequestHead<'_>,
    url: &ViewerUrl,
    now: UnixSeconds,
) -> Result<Coverage, Denial> {
    let has_dots = head
        .path()
        .split(|&byte| byte == b'/')
        .any(|segment| matches!(segment, b"." | b".."));
    let coverage = url
        .coverage(policy.resource.as_bytes())
        .filter(|_| !has_dots)
        .ok_or(Denial::PolicyMismatch(PolicyPart::Resource))?;
    if let Some(begins) = policy.begins.filter(|begins| now < *begins) {
        return Err(Denial::NotYetValid { begins, now });
    }
    if let Some(source) = policy.source {
        let peer = head.connection().and_then(|connection| connection.peer);
        if !peer.is_some_and(|peer| source.contains(peer)) {
            return Err(Denial::PolicyMismatch(PolicyPart::SourceIp));
        }
    }
    Ok(coverage)
}

fn covered<'a>(claim: &CloudFrontClaim, head: &RequestHead<'a>, coverage: Coverage) -> Covered<'a> {
    let parameters = head
        .parameters()
        .iter()
        .filter(|parameter| !(claim.is_own)(&parameter.name))
        .map(|parameter| VerifiedParameter {
            name: parameter.name.clone(),
            value: parameter.value.clone(),
            coverage,
        })
        .collect();
    let mut hints = hints(head, &Vec::new(), &Hint::ALL);
    hints.extend(oss_claim::hints(head, &Vec::new(), &Hint::OF_S3));
    Covered {
        scheme: Scheme::CloudFront,
        key_id: claim.key_id.clone(),
        method: head.method(),
        parameters,
        hints,
        signed_headers: Vec::new(),
        payload: Payload::Unsigned,
    }
}

/// The text that was signed. `None` where a canned policy for this URL would not be the JSON that it seems: a
/// quotation mark could end the resource and begin a condition.
fn text(claim: &CloudFrontClaim, url: &ViewerUrl) -> Option<Vec<u8>> {
    match &claim.terms {
        Terms::Custom(policy) => Some(policy.clone()),
        Terms::Canned { expires, .. } => canned(&url.text(), expires),
    }
}

/// A canned policy; `None` for a URL with `"` or `\`.
fn canned(url: &[u8], expires: &str) -> Option<Vec<u8>> {
    let is_plain = !url.iter().any(|byte| matches!(byte, b'"' | b'\\'));
    is_plain.then(|| {
        [
            br#"{"Statement":[{"Resource":""#.as_slice(),
            url,
            br#"","Condition":{"DateLessThan":{"AWS:EpochTime":"#,
            expires.as_bytes(),
            b"}}}]}",
        ]
        .concat()
    })
}

/// The text that the signature may have been made over.
pub(crate) fn strings_to_sign(claim: &CloudFrontClaim, head: &RequestHead<'_>) -> Vec<Vec<u8>> {
    let url = ViewerUrl::of(head, claim.is_own);
    url.and_then(|url| text(claim, &url)).into_iter().collect()
}

#[cfg(feature = "cloudfront-signer")]
#[cfg(test)]
mod tests;
