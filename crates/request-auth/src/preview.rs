//! HMAC preview links, as Dify makes them: `/files/{file_id}/file-preview?timestamp=…&nonce=…&sign=…`, and
//! `/image-preview` likewise.
//!
//! ```text
//! sign = base64url with padding of HMAC-SHA256(secret, purpose|file_id|timestamp|nonce)
//! ```
//!
//! <https://github.com/langgenius/dify/blob/main/api/core/file/helpers.py>: `urlsafe_b64encode` keeps its
//! `=`, the nonce is `os.urandom(16).hex()`, and the file id a UUID as PostgreSQL writes it. Dify verifies
//! less than this: nothing keeps a timestamp of the future out, and Python's `int` reads `+1`, ` 1` and
//! digits of other scripts. Here each part has one form and none can hold the `|` between them, so no two
//! links share a text (attack cases DF01, DF04, DF05).
//!
//! The text binds neither method, host nor bucket: a link reads, and where its file lies is configuration.
//! `as_attachment` is not signed. All that it can do is to have the answer say `attachment`.

use crate::canon::Sink;
use crate::claim::{KeyMaterial, Scheme, Window};
use crate::denial::Denial;
use crate::head::{Occurrence, RequestHead};
use crate::oss_claim::{hints, query_part, read_seconds};
use crate::payload::Payload;
use crate::presented::{MacSha256, Presented};
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::verified::{Coverage, Covered, Hint, VerifiedParameter};

/// The parameters that make a link.
const OWN: [&str; 3] = ["timestamp", "nonce", "sign"];
/// The parameter that is not signed.
const AS_ATTACHMENT: &str = "as_attachment";
/// How long a nonce is, in digits.
const NONCE_DIGITS: usize = 32;
/// What a file id is to be like: `x` stands for a hexadecimal digit.
const UUID: &[u8] = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

/// What a link was made for. A link for one is none for the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// `file-preview`.
    File,
    /// `image-preview`.
    Image,
}

impl Purpose {
    /// Both.
    pub const ALL: [Self; 2] = [Self::File, Self::Image];

    /// The name, in the path and in the signed text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file-preview",
            Self::Image => "image-preview",
        }
    }
}

/// Reads a decoded path, `/files/{file_id}/{purpose}`: the purpose, and what stands for the file id, which is
/// not judged. `None` for any other path.
pub fn of_path(path: &[u8]) -> Option<(Purpose, &[u8])> {
    let rest = path.strip_prefix(b"/files/")?;
    let slash = rest.iter().position(|&byte| byte == b'/')?;
    let (file_id, name) = rest.split_at_checked(slash)?;
    let name = name.strip_prefix(b"/")?;
    let purpose = Purpose::ALL
        .into_iter()
        .find(|purpose| purpose.name().as_bytes() == name)?;
    Some((purpose, file_id))
}

/// Whether any of these query names is one of a link's.
pub(crate) fn is_named<'n>(mut names: impl Iterator<Item = &'n [u8]>) -> bool {
    names.any(|name| OWN.iter().any(|own| own.as_bytes() == name))
}

/// A path at which preview links are served, as the configuration says.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// What the path says that the link is for.
    pub purpose: Purpose,
    /// What stands for the file id in it.
    pub file_id: &'p [u8],
    /// The id of the key whose secrets sign links.
    pub key_id: &'p str,
    /// How long a link is valid, in seconds.
    pub lifetime_seconds: u32,
}

/// A link as presented.
#[derive(Debug)]
pub struct PreviewClaim {
    pub(crate) key_id: String,
    purpose: Purpose,
    file_id: String,
    timestamp: UnixSeconds,
    nonce: String,
    signature: Presented,
    lifetime_seconds: u32,
    is_attachment: bool,
}

impl PreviewClaim {
    /// The file id, a UUID in lower case.
    pub fn file_id(&self) -> &str {
        &self.file_id
    }
}

/// Reads the link of a request for `place`.
pub(crate) fn claim(head: &RequestHead<'_>, place: Place<'_>) -> Result<PreviewClaim, Denial> {
    if !matches!(head.method(), "GET" | "HEAD") {
        return Err(Denial::LinkMethod);
    }
    let part = |name| query_part(head, name);
    Ok(PreviewClaim {
        key_id: place.key_id.to_owned(),
        purpose: place.purpose,
        file_id: read_file_id(place.file_id)?,
        timestamp: read_timestamp(part("timestamp")?)?,
        nonce: read_nonce(part("nonce")?)?,
        signature: Presented::from_base64url(part("sign")?),
        lifetime_seconds: place.lifetime_seconds,
        is_attachment: match head.single_parameter(AS_ATTACHMENT)? {
            None | Some(b"false") => false,
            Some(b"true") => true,
            Some(_) => return Err(Denial::LinkMalformed(AS_ATTACHMENT)),
        },
    })
}

fn read_file_id(text: &[u8]) -> Result<String, Denial> {
    let fits = |(&byte, &form): (&u8, &u8)| match form {
        b'x' => is_lower_hex(byte),
        _ => byte == form,
    };
    let is_uuid = text.len() == UUID.len() && text.iter().zip(UUID).all(fits);
    owned(text, is_uuid, "file_id")
}

fn read_nonce(text: &[u8]) -> Result<String, Denial> {
    let is_nonce = text.len() == NONCE_DIGITS && text.iter().all(|&byte| is_lower_hex(byte));
    owned(text, is_nonce, "nonce")
}

/// Seconds since 1970 in the one way to write them: what is signed is this text.
fn read_timestamp(text: &[u8]) -> Result<UnixSeconds, Denial> {
    read_seconds(text)
        .filter(|_| !text.starts_with(b"0"))
        .map(UnixSeconds)
        .ok_or(Denial::LinkMalformed("timestamp"))
}

fn owned(text: &[u8], is_one: bool, what: &'static str) -> Result<String, Denial> {
    String::from_utf8(text.to_vec())
        .ok()
        .filter(|_| is_one)
        .ok_or(Denial::LinkMalformed(what))
}

const fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Verifies; what a link covers.
pub(crate) fn verify<'a>(
    claim: &PreviewClaim,
    head: &RequestHead<'a>,
    key: &KeyMaterial<'_>,
    window: Window,
    now: UnixSeconds,
) -> Result<Covered<'a>, Denial> {
    let text = string_to_sign(claim);
    let is_signed = key
        .secrets
        .iter()
        .any(|secret| mac(secret, &text).is_some_and(|mac| claim.signature.matches_sha256(mac)));
    if !is_signed {
        return Err(Denial::SignatureMismatch);
    }
    let begins = UnixSeconds(claim.timestamp.0.saturating_sub(i64::from(window.skew_seconds)));
    if now < begins {
        return Err(Denial::NotYetValid { begins, now });
    }
    let expires = UnixSeconds(
        claim
            .timestamp
            .0
            .saturating_add(i64::from(claim.lifetime_seconds)),
    );
    if now > expires {
        return Err(Denial::Expired { expires, now });
    }
    // A link has no place for a token.
    if key.security_token.is_some() {
        return Err(Denial::TokenMissing);
    }
    Ok(Covered {
        scheme: Scheme::Preview,
        key_id: claim.key_id.clone(),
        method: head.method(),
        parameters: parameters(claim, head),
        hints: hints(head, &Vec::new(), &Hint::ALL),
        signed_headers: Vec::new(),
        payload: Payload::Unsigned,
    })
}

/// Everything else in the query, which nobody signed, and for `as_attachment` what it asks for: a value of
/// the gateway's own, like one that is signed.
fn parameters(claim: &PreviewClaim, head: &RequestHead<'_>) -> Vec<VerifiedParameter> {
    let own = |name: &[u8]| is_named(core::iter::once(name)) || name == AS_ATTACHMENT.as_bytes();
    let mut parameters: Vec<_> = head
        .parameters()
        .iter()
        .filter(|parameter| !own(&parameter.name))
        .map(|parameter| VerifiedParameter {
            name: parameter.name.clone(),
            value: parameter.value.clone(),
            coverage: Coverage::Unsigned,
        })
        .collect();
    if claim.is_attachment {
        parameters.push(VerifiedParameter {
            name: b"response-content-disposition".to_vec(),
            value: b"attachment".to_vec(),
            coverage: Coverage::Signed,
        });
    }
    parameters
}

/// The text of a link.
pub(crate) fn string_to_sign(claim: &PreviewClaim) -> Vec<u8> {
    text(
        claim.purpose,
        &claim.file_id,
        &claim.timestamp.0.to_string(),
        &claim.nonce,
    )
}

fn text(purpose: Purpose, file_id: &str, timestamp: &str, nonce: &str) -> Vec<u8> {
    [purpose.name(), file_id, timestamp, nonce].join("|").into_bytes()
}

fn mac(secret: &SecretKey, text: &[u8]) -> Option<MacSha256> {
    let mut mac = MacSha256::under(secret.expose())?;
    mac.put(text);
    Some(mac)
}

/// Whether a head carries a part of a link.
pub(crate) fn is_in(head: &RequestHead<'_>) -> bool {
    OWN.iter().any(|name| head.parameter(name) != Occurrence::Absent)
}

/// Makes a link: its path and query, `/files/{file_id}/{purpose}?timestamp=…&nonce=…&sign=…`. `file_id` is a UUID
/// in lower case, `nonce` 32 hexadecimal digits in lower case, from a generator of random numbers.
///
/// # Errors
/// [`Denial::LinkMalformed`] for a part that no gateway takes.
pub fn sign(
    purpose: Purpose,
    file_id: &str,
    timestamp: UnixSeconds,
    nonce: &str,
    secret: &SecretKey,
) -> Result<String, Denial> {
    let seconds = timestamp.0.to_string();
    read_file_id(file_id.as_bytes())?;
    read_timestamp(seconds.as_bytes())?;
    read_nonce(nonce.as_bytes())?;
    let text = text(purpose, file_id, &seconds, nonce);
    let sign = mac(secret, &text)
        .ok_or(Denial::SignatureMismatch)?
        .into_base64url()
        .replace('=', "%3D");
    Ok([
        "/files/",
        file_id,
        "/",
        purpose.name(),
        "?timestamp=",
        &seconds,
        "&nonce=",
        nonce,
        "&sign=",
        &sign,
    ]
    .concat())
}

#[cfg(test)]
mod tests;
