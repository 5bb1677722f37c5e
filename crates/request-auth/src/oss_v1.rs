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

use crate::canon::Sink;
use crate::claim::{KeyMaterial, Scheme, Window, read_key_id};
use crate::denial::Denial;
use crate::head::{Parameter, RequestHead};
use crate::oss_claim::{
    OssClaim, Placement, TOKEN_NAMES, check_date, check_token, covered, query_part, query_parts,
};
use crate::oss_form::{
    BucketSlash, Candidate, Departure, Form, Signable, header_lines, put_entity, put_sorted, single,
};
use crate::presented::{MacSha1, Presented};
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::verified::{Covered, Resource};

mod ambiguity;
mod sub_resources;

use ambiguity::refuse_ambiguity;
pub(crate) use sub_resources::is_sub_resource;

/// The parameters of a presigned query.
const OWN: [&str; 3] = ["OSSAccessKeyId", "Signature", "Expires"];

/// Reads `<id>:<signature>`, the header's text after `OSS `.
pub(crate) fn in_header(credential: &[u8]) -> Result<OssClaim, Denial> {
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
    Ok(OssClaim {
        key_id: read_key_id(key_id)?,
        signature: Presented::from_base64(signature),
        additional: Vec::new(),
        placement: Placement::Header,
    })
}

/// Reads `OSSAccessKeyId`, `Expires` and `Signature` of the query.
pub(crate) fn in_query(head: &RequestHead<'_>) -> Result<OssClaim, Denial> {
    let parts = query_parts(head, &OWN)?;
    let [key_id, signature, _] = parts.as_slice() else {
        return Err(Denial::MalformedCredential);
    };
    Ok(OssClaim {
        key_id: read_key_id(key_id)?,
        signature: Presented::from_base64(signature),
        additional: Vec::new(),
        placement: Placement::Query,
    })
}

/// Verifies; which candidate matched, and what that covers.
pub(crate) fn verify<'a>(
    claim: &OssClaim,
    head: &RequestHead<'a>,
    key: &KeyMaterial<'_>,
    candidates: &[Candidate<'_>],
    window: Window,
    now: UnixSeconds,
) -> Result<(usize, Covered<'a>), Denial> {
    refuse_ambiguity(head)?;
    let signable = signable(head, claim.placement)?;
    let (index, form) = signable.matching(candidates, &|candidate, form| {
        key.secrets.iter().any(|secret| {
            MacSha1::under(secret.expose()).is_some_and(|mut mac| {
                canonicalise(&signable, candidate, form, &mut mac);
                claim.signature.matches_sha1(mac)
            })
        })
    })?;
    check_date(claim.placement, form.date, window, now)?;
    check_token(head, key, &TOKEN_NAMES)?;
    let covered = covered(Scheme::OssV1, claim, &signable, form, &OWN, is_sub_resource);
    Ok((index, covered))
}

pub(crate) fn strings_to_sign(
    claim: &OssClaim,
    head: &RequestHead<'_>,
    candidates: &[Candidate<'_>],
) -> Vec<Vec<u8>> {
    let Ok(signable) = signable(head, claim.placement) else {
        return Vec::new();
    };
    signable.texts(candidates, &|candidate, form, text| {
        canonicalise(&signable, candidate, form, text);
    })
}

/// The head with the forms that some SDK would have signed it in. At most 8: every form is a MAC to
/// compute.
fn signable<'h, 'a>(head: &'h RequestHead<'a>, placement: Placement) -> Result<Signable<'h, 'a>, Denial> {
    let lines = header_lines(head, &|_| false);
    let mut departures = Departure::of_lines(head, &lines);
    let is_sent_empty = |p: &Parameter| p.value.is_empty() && p.has_equals && is_sub_resource(&p.name);
    if head.parameters().iter().any(is_sent_empty) {
        departures.push(Departure::EmptyAsSent);
    }
    let mut forms = Vec::new();
    for departure in departures {
        match placement {
            Placement::Header => {
                let dates = date_slots(head)?.into_iter();
                forms.extend(dates.map(|date| Form::new(date, departure)));
            }
            Placement::Query => {
                let with = Form::new(query_part(head, "Expires")?, departure);
                let bucket_slash = BucketSlash::Without;
                forms.extend([with, Form { bucket_slash, ..with }]);
            }
        }
    }
    Ok(Signable {
        head,
        lines,
        names: String::new(),
        names_as_sent: String::new(),
        forms,
    })
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
    let signature = sign(head, resource.candidate(), date, secret)?;
    Ok(["OSS ", key_id, ":", &signature].concat())
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
    let date = expires.0.to_string();
    sign(head, resource.candidate(), date.as_bytes(), secret)
}

fn sign(
    head: &RequestHead<'_>,
    candidate: Candidate<'_>,
    date: &[u8],
    secret: &SecretKey,
) -> Result<String, Denial> {
    refuse_ambiguity(head)?;
    let signable = Signable {
        head,
        lines: header_lines(head, &|_| false),
        names: String::new(),
        names_as_sent: String::new(),
        forms: Vec::new(),
    };
    let mut mac = MacSha1::under(secret.expose()).ok_or(Denial::InactiveKey)?;
    canonicalise(&signable, &candidate, Form::new(date, Departure::None), &mut mac);
    Ok(mac.into_base64())
}

/// Writes the string to sign.
fn canonicalise(signable: &Signable<'_, '_>, candidate: &Candidate<'_>, form: Form<'_>, sink: &mut dyn Sink) {
    let head = signable.head;
    put_entity(head, form.date, sink);
    signable.put_lines(form, sink);
    let path = candidate.path();
    sink.put(match form.bucket_slash {
        BucketSlash::With => &path,
        BucketSlash::Without => path.strip_suffix(b"/").unwrap_or(&path),
    });
    let mut pieces = Vec::new();
    for parameter in head.parameters() {
        if is_sub_resource(&parameter.name) {
            let mut piece = parameter.name.clone();
            let as_sent = form.departure == Departure::EmptyAsSent && parameter.has_equals;
            if as_sent || !parameter.value.is_empty() {
                piece.push(b'=');
                piece.extend_from_slice(&parameter.value);
            }
            pieces.push((parameter.name.clone(), piece));
        }
    }
    put_sorted(pieces, b"?", sink);
}

/// The texts that may stand in the DATE slot: x-oss-date, then Date. Go 1, Java 1, PHP and C# sign
/// Date even where x-oss-date is sent; ali-oss sends x-oss-date alone.
fn date_slots<'a>(head: &RequestHead<'a>) -> Result<Vec<&'a [u8]>, Denial> {
    let mut dates = Vec::new();
    for date in [single(head, "x-oss-date"), single(head, "date")] {
        if !date.is_empty() && !dates.contains(&date) {
            dates.push(date);
        }
    }
    if dates.is_empty() {
        Err(Denial::DateMissing)
    } else {
        Ok(dates)
    }
}

#[cfg(test)]
mod tests;
