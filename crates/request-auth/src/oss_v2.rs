//! OSS V2: `Authorization: OSS2 AccessKeyId:<id>[,AdditionalHeaders:<names>],Signature:<base64 HMAC-SHA256>`
//! and the presigned query with `x-oss-signature-version=OSS2`.
//!
//! <https://help.aliyun.com/zh/oss/developer-reference/signature-version-2>. Signed by oss2 (AuthV2), Go SDK
//! 1 and Java SDK 1, by their sources. Every query parameter is signed, and the resource and the query are
//! percent-encoded, so there is one text per candidate and no two requests share one. Only the Date
//! header stands in the DATE slot, or the end of a presigned URL; an x-oss-date is one of the lines.
//!
//! ```text
//! METHOD \n Content-MD5 \n Content-Type \n DATE \n {name:value \n}* names;of;additional;headers \n
//! %2Fbucket%2Fkey[?query]
//! ```

use crate::canon::{Sink, Slash, percent_encode};
use crate::claim::{KeyMaterial, Scheme, Window, read_key_id};
use crate::denial::Denial;
use crate::head::RequestHead;
use crate::oss_claim::{
    OssClaim, Placement, SIGNED_TOKEN_NAMES, additional_names, check_date, check_token, covered, fields,
    query_part, query_parts,
};
use crate::oss_form::{
    Candidate, Departure, Form, Signable, additional_headers, header_lines, line_names, put_entity,
    refuse_repeated, single,
};
use crate::presented::{MacSha256, Presented};
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::verified::{Covered, Resource};

/// The parameter that carries the signature: the one that is not signed.
const SIGNATURE: &str = "x-oss-signature";

/// The parameters of a presigned query: the three that have to be there, then the others.
const OWN: [&str; 5] = [
    "x-oss-access-key-id",
    SIGNATURE,
    "x-oss-expires",
    "x-oss-signature-version",
    "x-oss-additional-headers",
];

/// Reads the header's text after `OSS2 `.
pub(crate) fn in_header(credential: &[u8]) -> Result<OssClaim, Denial> {
    let [Some(key_id), additional, Some(signature)] = fields(
        credential,
        b':',
        ["AccessKeyId", "AdditionalHeaders", "Signature"],
    )?
    else {
        return Err(Denial::MalformedCredential);
    };
    Ok(OssClaim {
        key_id: read_key_id(key_id)?,
        signature: Presented::from_base64(signature),
        additional: additional.unwrap_or_default().to_vec(),
        placement: Placement::Header,
    })
}

/// Reads the parameters of a presigned query.
pub(crate) fn in_query(head: &RequestHead<'_>) -> Result<OssClaim, Denial> {
    let [required @ .., _, _] = &OWN;
    let parts = query_parts(head, required)?;
    let [key_id, signature, _] = parts.as_slice() else {
        return Err(Denial::MalformedCredential);
    };
    Ok(OssClaim {
        key_id: read_key_id(key_id)?,
        signature: Presented::from_base64(signature),
        additional: additional_names(head)?,
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
    let placement = claim.placement;
    let signable = signable(head, &claim.additional, placement)?;
    let (index, form) = signable.matching(candidates, &|candidate, form| {
        key.secrets.iter().any(|secret| {
            MacSha256::under(secret.expose()).is_some_and(|mut mac| {
                canonicalise(&signable, candidate, form, placement, &mut mac);
                claim.signature.matches_sha256(mac)
            })
        })
    })?;
    check_date(placement, form.date, window, now)?;
    check_token(head, key, &SIGNED_TOKEN_NAMES)?;
    let covered = covered(Scheme::OssV2, claim, &signable, form, &OWN, |_| true);
    Ok((index, covered))
}

pub(crate) fn strings_to_sign(
    claim: &OssClaim,
    head: &RequestHead<'_>,
    candidates: &[Candidate<'_>],
) -> Vec<Vec<u8>> {
    let Ok(signable) = signable(head, &claim.additional, claim.placement) else {
        return Vec::new();
    };
    signable.texts(candidates, &|candidate, form, text| {
        canonicalise(&signable, candidate, form, claim.placement, text);
    })
}

/// Signs a request head: the value of its Authorization header. The head has its Date and x-oss-*
/// headers already; `additional` are further headers of it to cover, in lower case and separated by
/// `;`.
///
/// # Errors
/// [`Denial::DateMissing`] without a Date; [`Denial::SignedHeaderMissing`] for an additional header that
/// the head lacks; a repeated query name.
pub fn sign_header<B>(
    head: &RequestHead<'_>,
    resource: &Resource<'_, B>,
    key_id: &str,
    secret: &SecretKey,
    additional: &str,
) -> Result<String, Denial> {
    let signature = sign(head, resource, secret, additional.as_bytes(), Placement::Header)?;
    let additional = match additional {
        "" => String::new(),
        names => ["AdditionalHeaders:", names, ","].concat(),
    };
    Ok([
        "OSS2 AccessKeyId:",
        key_id,
        ",",
        &additional,
        "Signature:",
        &signature,
    ]
    .concat())
}

/// Signs a presigned URL: the base64 text of its `x-oss-signature` parameter (not percent-encoded).
/// `head` has the query that will be sent, all but that parameter: x-oss-signature-version,
/// x-oss-access-key-id, x-oss-expires (the URL's end in seconds since 1970) and, where headers are to be
/// covered, x-oss-additional-headers.
///
/// # Errors
/// [`Denial::PresignedIncomplete`] without an end, and as [`sign_header`].
pub fn sign_query<B>(
    head: &RequestHead<'_>,
    resource: &Resource<'_, B>,
    secret: &SecretKey,
) -> Result<String, Denial> {
    let additional = head.single_parameter("x-oss-additional-headers")?;
    sign(
        head,
        resource,
        secret,
        additional.unwrap_or_default(),
        Placement::Query,
    )
}

fn sign<B>(
    head: &RequestHead<'_>,
    resource: &Resource<'_, B>,
    secret: &SecretKey,
    additional: &[u8],
    placement: Placement,
) -> Result<String, Denial> {
    let signable = signable(head, additional, placement)?;
    let form = *signable.forms.first().ok_or(Denial::DateMissing)?;
    let mut mac = MacSha256::under(secret.expose()).ok_or(Denial::InactiveKey)?;
    canonicalise(&signable, &resource.candidate(), form, placement, &mut mac);
    Ok(mac.into_base64())
}

/// The head with the one form in which every SDK signs it.
fn signable<'h, 'a>(
    head: &'h RequestHead<'a>,
    additional: &[u8],
    placement: Placement,
) -> Result<Signable<'h, 'a>, Denial> {
    refuse_repeated(head, |_| true)?;
    let date = match placement {
        Placement::Header => single(head, "date"),
        Placement::Query => query_part(head, "x-oss-expires")?,
    };
    if date.is_empty() {
        return Err(Denial::DateMissing);
    }
    let named = additional_headers(head, additional)?;
    let is_named = |name: &str| named.iter().any(|one| one == name);
    let lines = header_lines(head, &is_named);
    Ok(Signable {
        head,
        names: line_names(&lines, &is_named),
        names_as_sent: String::new(),
        forms: vec![Form::new(date, Departure::None)],
        lines,
    })
}

/// Writes the string to sign.
fn canonicalise(
    signable: &Signable<'_, '_>,
    candidate: &Candidate<'_>,
    form: Form<'_>,
    placement: Placement,
    sink: &mut dyn Sink,
) {
    put_entity(signable.head, form.date, sink);
    signable.put_lines(form, sink);
    sink.put(signable.names.as_bytes());
    sink.put(b"\n");
    let mut resource = String::new();
    percent_encode(&candidate.path(), Slash::Encode, &mut resource);
    sink.put(resource.as_bytes());
    let but = (placement == Placement::Query).then_some(SIGNATURE);
    signable.put_query(but, b"?", form.departure, sink);
}

#[cfg(test)]
mod tests;
