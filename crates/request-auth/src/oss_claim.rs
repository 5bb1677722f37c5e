//! What the claims of OSS V1, V2 and V4, and of S3 V4, have in common around their text: the credential's fields, the
//! session token, the time, and what a matched signature covers.

use crate::canon::sorted;
use crate::claim::{KeyMaterial, Scheme, Window};
use crate::denial::Denial;
use crate::head::{RequestHead, trim_blanks};
use crate::oss_form::{Departure, Form, Headers, Signable, single};
use crate::payload::Payload;
use crate::presented::Presented;
use crate::time::UnixSeconds;
use crate::verified::{Coverage, Covered, Hint, VerifiedParameter};

/// The names of a session token, as header and as parameter.
pub(crate) const TOKEN_NAMES: [&str; 2] = ["x-oss-security-token", "security-token"];

/// Those that V2 and V4 sign as headers.
pub(crate) const SIGNED_TOKEN_NAMES: [&str; 1] = ["x-oss-security-token"];

/// Where a signature stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Placement {
    /// In the Authorization header.
    Header,
    /// In the query: a presigned URL.
    Query,
}

/// An OSS signature as presented; the fields that all three schemes have.
#[derive(Debug)]
pub struct OssClaim {
    pub(crate) key_id: String,
    pub(crate) signature: Presented,
    /// The names of additional headers as sent; V1 has none.
    pub(crate) additional: Vec<u8>,
    pub(crate) placement: Placement,
}

/// Reads the fields of a credential, `name mark value` joined by commas, in any order and with or
/// without blanks behind the commas: the values of `names`. Repeated and unknown fields are refused; a
/// field with a blank in it is a second Authorization line, joined by a fetch platform.
pub(crate) fn fields<'c>(
    credential: &'c [u8],
    mark: u8,
    names: [&str; 3],
) -> Result<[Option<&'c [u8]>; 3], Denial> {
    let mut found = [None; 3];
    for field in credential.split(|&byte| byte == b',').map(trim_blanks) {
        if field.contains(&b' ') {
            return Err(Denial::SeveralCredentials);
        }
        let slot = names.iter().zip(&mut found).find_map(|(name, slot)| {
            let value = field.strip_prefix(name.as_bytes())?.strip_prefix(&[mark])?;
            Some((slot, value))
        });
        match slot {
            Some((slot @ None, value)) => *slot = Some(value),
            _ => return Err(Denial::MalformedCredential),
        }
    }
    Ok(found)
}

/// The parts of a presigned query that have to be there, each once; the first that is not is refused.
pub(crate) fn query_parts<'h>(
    head: &'h RequestHead<'_>,
    names: &[&'static str],
) -> Result<Vec<&'h [u8]>, Denial> {
    names.iter().map(|name| query_part(head, name)).collect()
}

/// One of them.
pub(crate) fn query_part<'h>(head: &'h RequestHead<'_>, name: &'static str) -> Result<&'h [u8], Denial> {
    head.single_parameter(name)?
        .ok_or(Denial::PresignedIncomplete(name))
}

/// The names of additional headers in a presigned query.
pub(crate) fn additional_names(head: &RequestHead<'_>) -> Result<Vec<u8>, Denial> {
    let names = head.single_parameter("x-oss-additional-headers")?;
    Ok(names.unwrap_or_default().to_vec())
}

/// Reads a signed date in either of the two forms that SDKs write.
pub(crate) fn read_date(text: &[u8]) -> Result<UnixSeconds, Denial> {
    UnixSeconds::from_http_date(text)
        .or_else(|| UnixSeconds::from_iso_basic(text))
        .ok_or(Denial::DateUnreadable)
}

/// Reads a plain decimal number of seconds.
pub(crate) fn read_seconds(text: &[u8]) -> Option<i64> {
    let is_decimal = !text.is_empty() && text.len() <= 12 && text.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(text)
        .ok()
        .filter(|_| is_decimal)
        .and_then(|text| text.parse().ok())
}

/// Refuses a request that was signed too long ago or for the future.
pub(crate) fn check_skew(request: UnixSeconds, window: Window, now: UnixSeconds) -> Result<(), Denial> {
    if request.distance(now) > u64::from(window.skew_seconds) {
        return Err(Denial::Skewed {
            request,
            now,
            window: window.skew_seconds,
        });
    }
    Ok(())
}

/// Refuses a presigned URL after its end, and one whose end is too far ahead.
pub(crate) fn check_end(expires: UnixSeconds, window: Window, now: UnixSeconds) -> Result<(), Denial> {
    if now > expires {
        return Err(Denial::Expired { expires, now });
    }
    match window.presigned_max_seconds {
        Some(most) if expires.distance(now) > u64::from(most) => Err(Denial::ExpiresTooFar),
        _ => Ok(()),
    }
}

/// Refuses the date that V1 and V2 signed, or the end of a presigned URL, outside its time.
pub(crate) fn check_date(
    placement: Placement,
    text: &[u8],
    window: Window,
    now: UnixSeconds,
) -> Result<(), Denial> {
    match placement {
        Placement::Header => check_skew(read_date(text)?, window, now),
        Placement::Query => {
            let seconds = read_seconds(text).ok_or(Denial::ExpiresUnreadable)?;
            check_end(UnixSeconds(seconds), window, now)
        }
    }
}

/// Compares the session token with the key's. It may stand in one of `headers` or in the query, which
/// V2 and V4 sign; the Python 2.0 and Java 2.0 SDKs send an unsigned `security-token` header with V1.
pub(crate) fn check_token(
    head: &RequestHead<'_>,
    key: &KeyMaterial<'_>,
    headers: &[&'static str],
) -> Result<(), Denial> {
    let mut presented = Vec::new();
    for name in headers {
        presented.extend(head.header(name).at_most_once(name)?);
    }
    for name in TOKEN_NAMES {
        presented.extend(head.single_parameter(name)?);
    }
    compare_tokens(presented, key)
}

/// Compares the session tokens that were presented, empty ones for none, with the key's.
pub(crate) fn compare_tokens(presented: Vec<&[u8]>, key: &KeyMaterial<'_>) -> Result<(), Denial> {
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

/// What a signature covers that matched in `form`. `own` are the parameters of a presigned URL,
/// which nobody needs any more, like a session token.
pub(crate) fn covered<'a>(
    scheme: Scheme,
    claim: &OssClaim,
    signable: &Signable<'_, 'a>,
    form: Form<'_>,
    own: &[&str],
    is_signed: fn(&[u8]) -> bool,
) -> Covered<'a> {
    let own = match claim.placement {
        Placement::Header => &[],
        Placement::Query => own,
    };
    let head = signable.head;
    let mut parameters = Vec::new();
    for parameter in head.parameters() {
        let is_own = |own: &&str| own.as_bytes() == parameter.name;
        if own.iter().chain(&TOKEN_NAMES).any(is_own) {
            continue;
        }
        parameters.push(VerifiedParameter {
            name: parameter.name.clone(),
            value: parameter.value.clone(),
            coverage: if is_signed(&parameter.name) {
                Coverage::Signed
            } else {
                Coverage::Unsigned
            },
        });
    }
    let signed_headers = signed_headers(signable, form.departure);
    Covered {
        scheme,
        key_id: claim.key_id.clone(),
        method: head.method(),
        parameters,
        hints: hints(head, &signed_headers, &Hint::ALL),
        signed_headers,
        payload: Payload::Unsigned,
    }
}

/// The header lines, and the two headers that V1 and V2 sign in places of their own.
fn signed_headers(signable: &Signable<'_, '_>, departure: Departure) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in &signable.lines {
        if let Some(value) = departure.value(name, value) {
            headers.push((name.clone(), value.into_owned()));
        }
    }
    for name in ["content-md5", "content-type"] {
        let value = single(signable.head, name);
        if !value.is_empty() && headers.iter().all(|(line, _)| line != name) {
            headers.push((name.to_owned(), value.to_vec()));
        }
    }
    sorted(headers)
}

/// The hints of `list` among the headers that were not signed.
pub(crate) fn hints(head: &RequestHead<'_>, signed: &Headers, list: &[Hint]) -> Vec<(Hint, Vec<u8>)> {
    let mut found = Vec::new();
    for &hint in list {
        let name = hint.header_name();
        let lines: Vec<&[u8]> = head
            .headers()
            .filter(|(header, _)| *header == name.as_bytes())
            .map(|(_, value)| value)
            .collect();
        if !lines.is_empty() && signed.iter().all(|(line, _)| line != name) {
            found.push((hint, lines.join(b", ".as_slice())));
        }
    }
    found
}
