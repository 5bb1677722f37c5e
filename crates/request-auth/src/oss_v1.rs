//! OSS V1: `Authorization: OSS <id>:<base64 HMAC-SHA1>` and the presigned query.
//!
//! <https://help.aliyun.com/zh/oss/developer-reference/include-signatures-in-the-authorization-header>.
//! The SDKs disagree on which date and which bucket name they sign and on empty values, so a claim
//! has a few candidates; each is compared in constant time and the one that matches says what was
//! signed. V1 signs decoded text, so some pairs of requests share one string to sign; those are
//! refused ([`Ambiguity`](crate::Ambiguity)) before a candidate is tried.
//!
//! ```text
//! METHOD \n Content-MD5 \n Content-Type \n DATE \n {x-oss-name:value \n}* /bucket/key[?sub-resources]
//! ```

use crate::canon::{Sink, sorted};
use crate::claim::{KeyMaterial, Scheme, Window, read_key_id};
use crate::denial::Denial;
use crate::head::{Delivery, RequestHead};
use crate::presented::{MacSha1, PresentedSha1};
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::verified::{Coverage, Covered, Hint, Resource, Verified, VerifiedParameter};

mod ambiguity;
mod sub_resources;

use ambiguity::refuse_ambiguity;

/// An OSS V1 signature as presented.
#[derive(Debug)]
pub struct OssV1Claim {
    key_id: String,
    signature: PresentedSha1,
    placement: Placement,
}

#[derive(Debug)]
enum Placement {
    Header,
    Query { expires: Vec<u8> },
}

/// The choices that differ between SDKs; a string to sign is a function of head, resource and form.
#[derive(Clone)]
struct Form {
    date: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    empty: EmptyValue,
    bucket_slash: BucketSlash,
}

/// How an empty sub-resource value is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EmptyValue {
    /// The bare name: every SDK but Java 1.
    Bare,
    /// `name=` where the wire has the `=`: Java SDK 1.
    AsSent,
}

/// Whether a bucket without a key is signed with its slash.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BucketSlash {
    /// `/bucket/`.
    With,
    /// `/bucket`: presigned by Java SDK 1 and C#.
    Without,
}

/// The names of a session token, as header and as parameter.
const TOKEN_NAMES: [&str; 2] = ["x-oss-security-token", "security-token"];

impl OssV1Claim {
    /// Reads `<id>:<signature>`, the header's text after `OSS `.
    pub(crate) fn from_header(credential: &[u8]) -> Result<Self, Denial> {
        let colon = credential
            .iter()
            .rposition(|&byte| byte == b':')
            .ok_or(Denial::MalformedCredential)?;
        let (key_id, signature) = credential
            .split_at_checked(colon)
            .ok_or(Denial::MalformedCredential)?;
        let signature = signature.strip_prefix(b":").unwrap_or_default();
        // Base64 has no comma: this is a second Authorization line, joined by a fetch platform.
        if signature.contains(&b',') {
            return Err(Denial::SeveralCredentials);
        }
        Ok(Self {
            key_id: read_key_id(key_id)?,
            signature: PresentedSha1::from_base64(signature),
            placement: Placement::Header,
        })
    }

    /// Reads `OSSAccessKeyId`, `Expires` and `Signature` of the query.
    pub(crate) fn from_query(head: &RequestHead<'_>) -> Result<Self, Denial> {
        let part = |name| {
            head.single_parameter(name)?
                .ok_or(Denial::PresignedIncomplete(name))
        };
        let (key_id, signature, expires) = (part("OSSAccessKeyId")?, part("Signature")?, part("Expires")?);
        Ok(Self {
            key_id: read_key_id(key_id)?,
            signature: PresentedSha1::from_base64(signature),
            placement: Placement::Query {
                expires: expires.to_vec(),
            },
        })
    }

    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(crate) fn verify<'a, B>(
        &self,
        head: &RequestHead<'a>,
        key: &KeyMaterial<'_>,
        resources: Vec<Resource<'a, B>>,
        window: Window,
        now: UnixSeconds,
    ) -> Result<Verified<'a, B>, Denial> {
        refuse_ambiguity(head)?;
        let (resource, form) = self.matching(head, key, resources)?;
        match self.placement {
            Placement::Header => check_skew(&form.date, window, now)?,
            Placement::Query { .. } => check_expires(&form.date, window, now)?,
        }
        check_token(head, key)?;
        Ok(Verified::assertion(Covered {
            scheme: Scheme::OssV1,
            key_id: self.key_id.clone(),
            method: head.method(),
            resource,
            parameters: self.parameters(head),
            signed_headers: signed_headers(head, &form),
            hints: hints(head),
        }))
    }

    /// The first candidate under which one of the key's secrets makes the presented signature.
    fn matching<'a, B>(
        &self,
        head: &RequestHead<'a>,
        key: &KeyMaterial<'_>,
        resources: Vec<Resource<'a, B>>,
    ) -> Result<(Resource<'a, B>, Form), Denial> {
        let forms = self.forms(head)?;
        for resource in resources {
            for form in forms.iter().filter(|form| form.fits(&resource)) {
                for secret in &key.secrets {
                    let Some(mut mac) = MacSha1::under(secret) else {
                        continue;
                    };
                    canonicalise(head, &resource, form, &mut mac);
                    if self.signature.matches(mac) {
                        return Ok((resource, form.clone()));
                    }
                }
            }
        }
        Err(Denial::SignatureMismatch)
    }

    pub(crate) fn strings_to_sign<B>(
        &self,
        head: &RequestHead<'_>,
        resources: &[Resource<'_, B>],
    ) -> Vec<Vec<u8>> {
        let forms = self.forms(head).unwrap_or_default();
        let mut texts = Vec::new();
        for resource in resources {
            for form in forms.iter().filter(|form| form.fits(resource)) {
                let mut text = Vec::new();
                canonicalise(head, resource, form, &mut text);
                texts.push(text);
            }
        }
        texts
    }

    /// The forms that some SDK would have signed this head in, most likely first. At most 8.
    fn forms(&self, head: &RequestHead<'_>) -> Result<Vec<Form>, Denial> {
        let dates = match &self.placement {
            Placement::Header => date_slots(head)?,
            Placement::Query { expires } => vec![expires.clone()],
        };
        let slashes: &[BucketSlash] = match self.placement {
            Placement::Header => &[BucketSlash::With],
            Placement::Query { .. } => &[BucketSlash::With, BucketSlash::Without],
        };
        let ambiguous_empty = head
            .parameters()
            .iter()
            .any(|p| p.value.is_empty() && p.has_equals && is_signed(&p.name));
        let empties: &[EmptyValue] = if ambiguous_empty {
            &[EmptyValue::Bare, EmptyValue::AsSent]
        } else {
            &[EmptyValue::Bare]
        };
        let mut forms = Vec::new();
        for (index, headers) in header_forms(head).into_iter().enumerate() {
            // No SDK departs from the others in two ways at once, and every form is a MAC to compute.
            let empties = if index == 0 { empties } else { &[EmptyValue::Bare] };
            for date in &dates {
                for &empty in empties {
                    for &bucket_slash in slashes {
                        forms.push(Form {
                            date: date.clone(),
                            headers: headers.clone(),
                            empty,
                            bucket_slash,
                        });
                    }
                }
            }
        }
        Ok(forms)
    }

    fn parameters(&self, head: &RequestHead<'_>) -> Vec<VerifiedParameter> {
        let own: &[&[u8]] = match self.placement {
            Placement::Header => &[],
            Placement::Query { .. } => &[b"OSSAccessKeyId", b"Expires", b"Signature"],
        };
        let is_own = |name: &[u8]| own.contains(&name) || TOKEN_NAMES.iter().any(|t| t.as_bytes() == name);
        head.parameters()
            .iter()
            .filter(|parameter| !is_own(&parameter.name))
            .map(|parameter| VerifiedParameter {
                name: parameter.name.clone(),
                value: parameter.value.clone(),
                coverage: if is_signed(&parameter.name) {
                    Coverage::Signed
                } else {
                    Coverage::Unsigned
                },
            })
            .collect()
    }
}

impl Form {
    /// A form without the bucket's slash is one only for a named bucket without a key.
    fn fits<B>(&self, resource: &Resource<'_, B>) -> bool {
        self.bucket_slash == BucketSlash::With
            || (resource.signed_bucket.is_some() && resource.key.is_empty())
    }
}

/// Signs a request head: the value of its Authorization header. The head has its Date (or
/// x-oss-date) and x-oss-* headers already.
///
/// # Errors
/// [`Denial::DateMissing`] without a date; [`Denial::AmbiguousText`] where V1 can't protect it.
pub fn sign_header<B>(
    head: &RequestHead<'_>,
    resource: &Resource<'_, B>,
    key_id: &str,
    secret: &SecretKey,
) -> Result<String, Denial> {
    let date = date_slots(head)?.into_iter().next().ok_or(Denial::DateMissing)?;
    Ok(["OSS ", key_id, ":", &sign(head, resource, date, secret)?].concat())
}

/// Signs a presigned URL: the base64 text of its `Signature` parameter (not percent-encoded).
/// `expires` is its end in seconds since 1970; `head` has the query that will be sent, with or
/// without the three parameters of the signature.
///
/// # Errors
/// [`Denial::AmbiguousText`] where V1 can't protect it.
pub fn sign_query<B>(
    head: &RequestHead<'_>,
    resource: &Resource<'_, B>,
    expires: UnixSeconds,
    secret: &SecretKey,
) -> Result<String, Denial> {
    sign(head, resource, expires.0.to_string().into_bytes(), secret)
}

fn sign<B>(
    head: &RequestHead<'_>,
    resource: &Resource<'_, B>,
    date: Vec<u8>,
    secret: &SecretKey,
) -> Result<String, Denial> {
    refuse_ambiguity(head)?;
    let headers = oss_headers(head, b",");
    let form = Form {
        date,
        headers,
        empty: EmptyValue::Bare,
        bucket_slash: BucketSlash::With,
    };
    let mut mac = MacSha1::under(secret).ok_or(Denial::InactiveKey)?;
    canonicalise(head, resource, &form, &mut mac);
    Ok(mac.into_base64())
}

/// Writes the string to sign.
fn canonicalise<B>(head: &RequestHead<'_>, resource: &Resource<'_, B>, form: &Form, sink: &mut impl Sink) {
    sink.put(head.method().as_bytes());
    for value in [
        single(head, "content-md5"),
        single(head, "content-type"),
        form.date.as_slice(),
    ] {
        sink.put(b"\n");
        sink.put(value);
    }
    sink.put(b"\n");
    for (name, value) in &form.headers {
        sink.put(name.as_bytes());
        sink.put(b":");
        sink.put(value);
        sink.put(b"\n");
    }
    sink.put(b"/");
    if let Some(bucket) = resource.signed_bucket {
        sink.put(bucket.as_bytes());
        if form.bucket_slash == BucketSlash::With {
            sink.put(b"/");
        }
    }
    sink.put(&resource.key);
    let signed = head
        .parameters()
        .iter()
        .filter(|parameter| is_signed(&parameter.name))
        .map(|parameter| {
            (
                parameter.name.as_slice(),
                (&parameter.value, parameter.has_equals),
            )
        });
    let mut separator: &[u8] = b"?";
    // No signed name is repeated, so the names alone are the order.
    for (name, (value, has_equals)) in sorted(signed.collect()) {
        sink.put(separator);
        separator = b"&";
        sink.put(name);
        if !value.is_empty() || (form.empty == EmptyValue::AsSent && has_equals) {
            sink.put(b"=");
            sink.put(value);
        }
    }
}

/// Whether V1 signs a query parameter: a sub-resource of some SDK's list, or any `x-oss-` name.
fn is_signed(name: &[u8]) -> bool {
    name.starts_with(b"x-oss-") || sub_resources::NAMES.iter().any(|known| known.as_bytes() == name)
}

fn single<'a>(head: &RequestHead<'a>, name: &'static str) -> &'a [u8] {
    // A repeated one never reaches here: the head refuses it.
    head.header(name)
        .at_most_once(name)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// The texts that may stand in the DATE slot: x-oss-date, then Date. Go 1, Java 1, PHP and C# sign
/// Date even where x-oss-date is sent; ali-oss sends x-oss-date alone.
fn date_slots(head: &RequestHead<'_>) -> Result<Vec<Vec<u8>>, Denial> {
    let mut dates: Vec<Vec<u8>> = Vec::new();
    for name in ["x-oss-date", "date"] {
        let value = single(head, name).to_vec();
        if !value.is_empty() && !dates.contains(&value) {
            dates.push(value);
        }
    }
    if dates.is_empty() {
        Err(Denial::DateMissing)
    } else {
        Ok(dates)
    }
}

/// The x-oss-* headers, sorted by name, repeated ones joined by `separator`.
fn oss_headers(head: &RequestHead<'_>, separator: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, value) in head.headers().filter(|(name, _)| name.starts_with(b"x-oss-")) {
        let name = String::from_utf8_lossy(name).into_owned();
        match headers.iter_mut().find(|(earlier, _)| *earlier == name) {
            Some((_, joined)) => {
                joined.extend_from_slice(separator);
                joined.extend_from_slice(value);
            }
            None => headers.push((name, value.to_vec())),
        }
    }
    sorted(headers)
}

/// The header blocks that some SDK would have signed: as received; where a platform joins lines
/// with comma and blank, metadata joined by a comma alone (Go 2); without empty values (Java 2).
fn header_forms(head: &RequestHead<'_>) -> Vec<Vec<(String, Vec<u8>)>> {
    let received = oss_headers(head, b",");
    let mut forms = vec![received.clone()];
    if head.delivery() == Delivery::Joined {
        let comma: Vec<_> = received
            .iter()
            .map(|(name, value)| {
                // Only metadata is ever repeated; a date keeps the blank behind its comma.
                let value = match name.starts_with("x-oss-meta-") {
                    true => without_joint_blank(value),
                    false => value.clone(),
                };
                (name.clone(), value)
            })
            .collect();
        if comma != received {
            forms.push(comma);
        }
    }
    let filled: Vec<_> = received
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .cloned()
        .collect();
    if filled.len() != received.len() {
        forms.push(filled);
    }
    forms
}

/// Replaces every `, ` by `,`.
fn without_joint_blank(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut previous = 0;
    for &byte in value {
        if !(byte == b' ' && previous == b',') {
            out.push(byte);
        }
        previous = byte;
    }
    out
}

fn signed_headers(head: &RequestHead<'_>, form: &Form) -> Vec<(String, Vec<u8>)> {
    let mut headers = form.headers.clone();
    for name in ["content-md5", "content-type"] {
        let value = single(head, name);
        if !value.is_empty() {
            headers.push((name.to_owned(), value.to_vec()));
        }
    }
    sorted(headers)
}

fn hints(head: &RequestHead<'_>) -> Vec<(Hint, Vec<u8>)> {
    let mut found = Vec::new();
    for hint in Hint::ALL {
        let lines: Vec<&[u8]> = head
            .headers()
            .filter(|(name, _)| *name == hint.header_name().as_bytes())
            .map(|(_, value)| value)
            .collect();
        if !lines.is_empty() {
            found.push((hint, lines.join(b", ".as_slice())));
        }
    }
    found
}

fn check_skew(text: &[u8], window: Window, now: UnixSeconds) -> Result<(), Denial> {
    let request = UnixSeconds::from_http_date(text)
        .or_else(|| UnixSeconds::from_iso_basic(text))
        .ok_or(Denial::DateUnreadable)?;
    if request.distance(now) > u64::from(window.skew_seconds) {
        return Err(Denial::Skewed {
            request,
            now,
            window: window.skew_seconds,
        });
    }
    Ok(())
}

fn check_expires(text: &[u8], window: Window, now: UnixSeconds) -> Result<(), Denial> {
    let is_decimal = !text.is_empty() && text.len() <= 12 && text.iter().all(u8::is_ascii_digit);
    let seconds = core::str::from_utf8(text)
        .ok()
        .filter(|_| is_decimal)
        .and_then(|text| text.parse().ok());
    let expires = UnixSeconds(seconds.ok_or(Denial::ExpiresUnreadable)?);
    if now > expires {
        return Err(Denial::Expired { expires, now });
    }
    match window.presigned_max_seconds {
        Some(most) if expires.distance(now) > u64::from(most) => Err(Denial::ExpiresTooFar),
        _ => Ok(()),
    }
}

/// Compares the session token with the key's. The Python 2.0 and Java 2.0 SDKs send it as an
/// unsigned `security-token` header, the others as a signed one or in the query.
fn check_token(head: &RequestHead<'_>, key: &KeyMaterial<'_>) -> Result<(), Denial> {
    let mut presented = Vec::new();
    for name in TOKEN_NAMES {
        presented.extend(head.header(name).at_most_once(name)?);
        presented.extend(head.single_parameter(name)?);
    }
    let mut presented = presented.into_iter().filter(|token| !token.is_empty());
    match (presented.next(), presented.next(), key.security_token) {
        (_, Some(_), _) => Err(Denial::SeveralTokens),
        (None, None, None) => Ok(()),
        (None, None, Some(_)) => Err(Denial::TokenMissing),
        (Some(_), None, None) => Err(Denial::TokenUnexpected),
        (Some(token), None, Some(bound)) => {
            if bound.is(token) {
                Ok(())
            } else {
                Err(Denial::TokenMismatch)
            }
        }
    }
}

#[cfg(test)]
mod tests;
