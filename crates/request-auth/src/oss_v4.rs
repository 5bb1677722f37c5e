//! OSS V4: `Authorization: OSS4-HMAC-SHA256 Credential=<id>/<day>/<region>/<product>/aliyun_v4_request
//! [,AdditionalHeaders=<names>],Signature=<hex HMAC-SHA256>` and the presigned query with
//! `x-oss-signature-version=OSS4-HMAC-SHA256`.
//!
//! <https://help.aliyun.com/zh/oss/developer-reference/recommend-to-use-signature-version-4>. Every query
//! parameter, every `x-oss-*` header, Content-Type and Content-MD5 are signed; the path and the query are
//! percent-encoded, so no two requests share a text. Where SDKs disagree on the text, each way is a form;
//! two ways are not tried because what they leave out would not be covered: Java SDK 1 trims names and
//! values of parameters, and ali-oss drops undefined ones that it sends nevertheless.
//!
//! ```text
//! METHOD \n /bucket/key \n query \n {name:value \n}* \n names;of;additional;headers \n payload hash
//!
//! OSS4-HMAC-SHA256 \n timestamp \n day/region/product/aliyun_v4_request \n hex(SHA-256(the above))
//! ```

use crate::canon::{Sha256Sink, Sink, Slash, percent_encode};
use crate::claim::{KeyMaterial, Rules, Scheme, read_key_id};
use crate::denial::{Denial, ScopePart};
use crate::head::RequestHead;
use crate::oss_claim::{
    OssClaim, Placement, SIGNED_TOKEN_NAMES, additional_names, check_token, covered, fields, query_part,
    query_parts, read_date,
};
use crate::oss_form::{
    Candidate, Departure, Form, Signable, additional_headers, header_lines, line_names, refuse_repeated,
    single,
};
use crate::presented::{MacSha256, Presented};
use crate::scope::allows;
pub use crate::scope::{MAX_LIFETIME_SECONDS, Scope};
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::verified::{Covered, Resource};

/// The name of the algorithm, in the header, the query and the string to sign.
const ALGORITHM: &str = "OSS4-HMAC-SHA256";

/// The last part of every scope.
const TERMINATOR: &str = "aliyun_v4_request";

/// What stands before the secret where a key is derived.
const KEY_PREFIX: &str = "aliyun_v4";

/// The parameter that carries the signature: the one that is not signed.
const SIGNATURE: &str = "x-oss-signature";

/// The parameters of a presigned query: the four that have to be there, then the others.
const OWN: [&str; 6] = [
    "x-oss-credential",
    SIGNATURE,
    "x-oss-date",
    "x-oss-expires",
    "x-oss-signature-version",
    "x-oss-additional-headers",
];

/// The headers that are lines of their own right beside the `x-oss-*` ones.
const LINES: [&str; 2] = ["content-type", "content-md5"];

impl Scope {
    /// The scope of a moment's UTC day, a region (`cn-hangzhou`) and a product (`oss`). `None` where one
    /// of them can't be in a scope.
    pub fn new(signed: UnixSeconds, region: &str, product: &str) -> Option<Self> {
        Self::read(
            &[&signed.iso_day(), region, product, TERMINATOR].join("/"),
            TERMINATOR,
        )
    }
}

/// Refuses a region or product that the configuration does not list.
fn check_scope(scope: &Scope, rules: &Rules) -> Result<(), Denial> {
    let (_, region, product) = scope.parts();
    if !allows(&rules.regions, region) {
        return Err(Denial::ScopeNotAllowed(ScopePart::Region));
    }
    if !rules.products.iter().any(|one| one == product) {
        return Err(Denial::ScopeNotAllowed(ScopePart::Product));
    }
    Ok(())
}

/// Reads the header's text after `OSS4-HMAC-SHA256 `.
pub(crate) fn in_header(credential: &[u8]) -> Result<(OssClaim, Scope), Denial> {
    let [Some(credential), additional, Some(signature)] =
        fields(credential, b'=', ["Credential", "AdditionalHeaders", "Signature"])?
    else {
        return Err(Denial::MalformedCredential);
    };
    let additional = additional.unwrap_or_default().to_vec();
    claim(credential, signature, additional, Placement::Header)
}

/// Reads the parameters of a presigned query.
pub(crate) fn in_query(head: &RequestHead<'_>) -> Result<(OssClaim, Scope), Denial> {
    let [required @ .., _, _] = &OWN;
    let parts = query_parts(head, required)?;
    let [credential, signature, ..] = parts.as_slice() else {
        return Err(Denial::MalformedCredential);
    };
    claim(credential, signature, additional_names(head)?, Placement::Query)
}

fn claim(
    credential: &[u8],
    signature: &[u8],
    additional: Vec<u8>,
    placement: Placement,
) -> Result<(OssClaim, Scope), Denial> {
    let (key_id, scope) = Scope::of_credential(credential, TERMINATOR)?;
    let claim = OssClaim {
        key_id: read_key_id(key_id.as_bytes())?,
        signature: Presented::from_lower_hex(signature),
        additional,
        placement,
    };
    Ok((claim, scope))
}

/// Verifies; which candidate matched, and what that covers. Four HMACs per secret derive the keys;
/// then each candidate and form is one SHA-256, and one short HMAC per secret.
pub(crate) fn verify<'a>(
    (claim, scope): (&OssClaim, &Scope),
    head: &RequestHead<'a>,
    key: &KeyMaterial<'_>,
    candidates: &[Candidate<'_>],
    rules: &Rules,
    now: UnixSeconds,
) -> Result<(usize, Covered<'a>), Denial> {
    check_scope(scope, rules)?;
    let placement = claim.placement;
    let signable = signable(head, &claim.additional, placement)?;
    let keys: Vec<SecretKey> = key
        .secrets
        .iter()
        .filter_map(|secret| scope.key(KEY_PREFIX, secret))
        .collect();
    let (index, form) = signable.matching(candidates, &|candidate, form| {
        let text = string_to_sign(&signable, candidate, form, placement, scope);
        keys.iter().any(|key| {
            MacSha256::under(key.expose()).is_some_and(|mut mac| {
                mac.put(&text);
                claim.signature.matches_sha256(mac)
            })
        })
    })?;
    let life = match placement {
        Placement::Header => None,
        Placement::Query => Some(query_part(head, "x-oss-expires")?),
    };
    scope.check_time(read_date(form.date)?, life, rules.window, now)?;
    check_token(head, key, &SIGNED_TOKEN_NAMES)?;
    let covered = covered(Scheme::OssV4, claim, &signable, form, &OWN, |_| true);
    Ok((index, covered))
}

pub(crate) fn strings_to_sign(
    (claim, scope): (&OssClaim, &Scope),
    head: &RequestHead<'_>,
    candidates: &[Candidate<'_>],
) -> Vec<Vec<u8>> {
    let Ok(signable) = signable(head, &claim.additional, claim.placement) else {
        return Vec::new();
    };
    signable.texts(candidates, &|candidate, form, text| {
        *text = string_to_sign(&signable, candidate, form, claim.placement, scope);
    })
}

pub(crate) fn canonical_requests(
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

/// Signs a request head: the value of its Authorization header. The head has its x-oss-date (or Date)
/// and x-oss-content-sha256 already, and the scope is of the same day; `additional` are further headers
/// of it to cover, in lower case and separated by `;`.
///
/// # Errors
/// [`Denial::DateMissing`] without a date; [`Denial::SignedHeaderMissing`] for an additional header that
/// the head lacks; a repeated query name.
pub fn sign_header<B>(
    head: &RequestHead<'_>,
    resource: &Resource<'_, B>,
    key_id: &str,
    secret: &SecretKey,
    scope: &Scope,
    additional: &str,
) -> Result<String, Denial> {
    let signature = sign(
        head,
        resource.candidate(),
        secret,
        scope,
        additional.as_bytes(),
        Placement::Header,
    )?;
    let additional = match additional {
        "" => String::new(),
        names => ["AdditionalHeaders=", names, ","].concat(),
    };
    Ok([
        ALGORITHM,
        " Credential=",
        key_id,
        "/",
        scope.text(),
        ",",
        &additional,
        "Signature=",
        &signature,
    ]
    .concat())
}

/// Signs a presigned URL: the hexadecimal text of its `x-oss-signature` parameter. `head` has the query
/// that will be sent, all but that parameter: x-oss-signature-version, x-oss-credential, x-oss-date,
/// x-oss-expires (the URL's life in seconds) and, where headers are to be covered,
/// x-oss-additional-headers.
///
/// # Errors
/// [`Denial::PresignedIncomplete`] without a credential or a date, and as [`sign_header`].
pub fn sign_query<B>(
    head: &RequestHead<'_>,
    resource: &Resource<'_, B>,
    secret: &SecretKey,
) -> Result<String, Denial> {
    let (_, scope) = Scope::of_credential(query_part(head, "x-oss-credential")?, TERMINATOR)?;
    sign(
        head,
        resource.candidate(),
        secret,
        &scope,
        &additional_names(head)?,
        Placement::Query,
    )
}

fn sign(
    head: &RequestHead<'_>,
    candidate: Candidate<'_>,
    secret: &SecretKey,
    scope: &Scope,
    additional: &[u8],
    placement: Placement,
) -> Result<String, Denial> {
    let signable = signable(head, additional, placement)?;
    let form = *signable.forms.first().ok_or(Denial::DateMissing)?;
    let key = scope.key(KEY_PREFIX, secret).ok_or(Denial::InactiveKey)?;
    let mut mac = MacSha256::under(key.expose()).ok_or(Denial::InactiveKey)?;
    mac.put(&string_to_sign(&signable, &candidate, form, placement, scope));
    Ok(mac.into_hex())
}

/// The head with the forms that some SDK would have signed it in. At most 6.
fn signable<'h, 'a>(
    head: &'h RequestHead<'a>,
    additional: &[u8],
    placement: Placement,
) -> Result<Signable<'h, 'a>, Denial> {
    refuse_repeated(head, |_| true)?;
    let timestamp = match placement {
        // Go SDK 1 sends no x-oss-date and signs the text of its Date.
        Placement::Header => match single(head, "x-oss-date") {
            b"" => single(head, "date"),
            date => date,
        },
        Placement::Query => query_part(head, "x-oss-date")?,
    };
    if timestamp.is_empty() {
        return Err(Denial::DateMissing);
    }
    let named = additional_headers(head, additional)?;
    let is_named = |name: &str| named.iter().any(|one| one == name);
    let lines = header_lines(head, &|name| LINES.contains(&name) || is_named(name));
    // What is a line anyway is not named in the text; Go SDK 1 names some of it.
    let names_as_sent = line_names(&lines, &|name| is_named(name) && !LINES.contains(&name));
    let names = line_names(&lines, &|name| {
        is_named(name) && !LINES.contains(&name) && !name.starts_with("x-oss-")
    });

    let mut departures = Departure::of_lines(head, &lines);
    if names != names_as_sent {
        departures.push(Departure::NamesAsSent);
    }
    if is_named("host") {
        departures.push(Departure::HostWithoutPort);
    }
    let mut signable = Signable {
        head,
        lines,
        names,
        names_as_sent,
        forms: Vec::new(),
    };
    let query = |departure| {
        let mut text = Vec::new();
        signable.put_query(unsigned(placement), b"", departure, &mut text);
        text
    };
    if query(Departure::EmptyAsSent) != query(Departure::None) {
        departures.push(Departure::EmptyAsSent);
    }
    for departure in departures {
        signable.forms.push(Form::new(timestamp, departure));
    }
    Ok(signable)
}

/// The parameter that is not signed.
fn unsigned(placement: Placement) -> Option<&'static str> {
    (placement == Placement::Query).then_some(SIGNATURE)
}

/// Writes the canonical request.
fn canonicalise(
    signable: &Signable<'_, '_>,
    candidate: &Candidate<'_>,
    form: Form<'_>,
    placement: Placement,
    sink: &mut dyn Sink,
) {
    let mut path = String::new();
    percent_encode(&candidate.path(), Slash::Keep, &mut path);
    for text in [signable.head.method(), "\n", &path, "\n"] {
        sink.put(text.as_bytes());
    }
    signable.put_query(unsigned(placement), b"", form.departure, sink);
    sink.put(b"\n");
    signable.put_lines(form, sink);
    let names = match form.departure {
        Departure::NamesAsSent => &signable.names_as_sent,
        _ => &signable.names,
    };
    for text in ["\n", names, "\n"] {
        sink.put(text.as_bytes());
    }
    sink.put(match single(signable.head, "x-oss-content-sha256") {
        b"" => b"UNSIGNED-PAYLOAD",
        hash => hash,
    });
}

fn string_to_sign(
    signable: &Signable<'_, '_>,
    candidate: &Candidate<'_>,
    form: Form<'_>,
    placement: Placement,
    scope: &Scope,
) -> Vec<u8> {
    let mut request = Sha256Sink::new();
    canonicalise(signable, candidate, form, placement, &mut request);
    [
        ALGORITHM.as_bytes(),
        form.date,
        scope.text().as_bytes(),
        request.into_hex().as_bytes(),
    ]
    .join(b"\n".as_slice())
}

#[cfg(test)]
mod tests;
