//! S3 V4: `Authorization: AWS4-HMAC-SHA256 Credential=<id>/<scope>,SignedHeaders=<names>,Signature=<hex>`
//! and the presigned query with `X-Amz-Algorithm=AWS4-HMAC-SHA256`.
//!
//! Path, query, method, Host and every `x-amz-*` header are covered; an `x-amz-*` header that is not
//! signed is refused, but for a few that say nothing beyond what is signed and are never read. The text
//! has the path as it was sent, where `%2F` is no `/`, so that no two object keys share a text. Host and
//! path are signed, hence no bucket name: of the resources that they can stand for, the first counts.

use super::{ALGORITHM, Canonical, KEY_PREFIX, TERMINATOR};
use crate::canon::{Slash, percent_decode, percent_encode};
use crate::claim::{KeyMaterial, Rules, Scheme, read_key_id};
use crate::denial::{Denial, ScopePart};
use crate::head::{Delivery, RequestHead};
use crate::oss_claim::{Placement, compare_tokens, fields, hints, query_part};
use crate::oss_form::{Departure, Headers, refuse_repeated, single};
use crate::payload::{self, ChunkSeed, Payload};
use crate::presented::{MacSha256, Presented};
use crate::scope::{Scope, allows};
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::verified::{Coverage, Covered, Hint, VerifiedParameter};

/// The service in the scope of a signature for S3.
const SERVICE: &str = "s3";

/// The parameter that carries the signature: the one that is not signed.
const SIGNATURE: &str = "X-Amz-Signature";
/// A session token, as parameter and as header.
const TOKEN: [&str; 2] = ["X-Amz-Security-Token", "x-amz-security-token"];
const HASH: &str = "x-amz-content-sha256";
const HASH_PARAMETER: &str = "X-Amz-Content-Sha256";
const DATE: &str = "x-amz-date";

/// The other parameters of a presigned query, which nobody needs once it was verified.
const OWN: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    SIGNATURE,
    HASH_PARAMETER,
];

/// Headers of the signature itself, which nobody needs either.
const OWN_HEADERS: [&str; 3] = [DATE, HASH, "x-amz-security-token"];

/// `x-amz-*` headers that may be unsigned (attack case B05), and are then never read: the value of the
/// first stands in the text anyway, and CloudFront adds the second.
const UNSIGNED: [&str; 2] = [HASH, "x-amz-cf-id"];

/// The same where the body is framed as aws-chunked.
const UNSIGNED_IF_FRAMED: [&str; 3] = [
    "x-amz-decoded-content-length",
    "x-amz-trailer",
    "x-amz-checksum-algorithm",
];

/// An S3 V4 signature as presented.
#[derive(Debug)]
pub struct AwsClaim {
    pub(crate) key_id: String,
    scope: Scope,
    /// The names of the signed headers: lower-case, sorted, joined by `;`.
    names: String,
    signature: Presented,
    placement: Placement,
}

/// Reads the header's text after `AWS4-HMAC-SHA256 `.
pub(crate) fn in_header(credential: &[u8]) -> Result<AwsClaim, Denial> {
    let [Some(credential), Some(names), Some(signature)] =
        fields(credential, b'=', ["Credential", "SignedHeaders", "Signature"])?
    else {
        return Err(Denial::MalformedCredential);
    };
    claim(credential, names, signature, Placement::Header)
}

/// Reads the parameters of a presigned query.
pub(crate) fn in_query(head: &RequestHead<'_>) -> Result<AwsClaim, Denial> {
    match query_part(head, "X-Amz-Algorithm")? {
        text if text == ALGORITHM.as_bytes() => {}
        b"AWS4-ECDSA-P256-SHA256" => return Err(Denial::SchemeNotOffered("AWS4-ECDSA-P256-SHA256")),
        _ => return Err(Denial::UnknownScheme),
    }
    for name in ["X-Amz-Date", "X-Amz-Expires"] {
        query_part(head, name)?;
    }
    let part = |name| query_part(head, name);
    claim(
        part("X-Amz-Credential")?,
        part("X-Amz-SignedHeaders")?,
        part(SIGNATURE)?,
        Placement::Query,
    )
}

fn claim(
    credential: &[u8],
    names: &[u8],
    signature: &[u8],
    placement: Placement,
) -> Result<AwsClaim, Denial> {
    let (key_id, scope) = Scope::of_credential(credential, TERMINATOR)?;
    Ok(AwsClaim {
        key_id: read_key_id(key_id.as_bytes())?,
        scope,
        names: signed_names(names)?,
        signature: Presented::from_lower_hex(signature),
        placement,
    })
}

/// Judges the list of signed headers: lower case, each name once and in order, `host` among them.
pub(super) fn signed_names(list: &[u8]) -> Result<String, Denial> {
    let text = core::str::from_utf8(list).map_err(|_| Denial::MalformedCredential)?;
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(Denial::MalformedCredential);
    }
    let mut earlier = "";
    for name in text.split(';').filter(|_| !text.is_empty()) {
        if name <= earlier {
            return Err(Denial::MalformedCredential);
        }
        earlier = name;
    }
    if text.split(';').all(|name| name != "host") {
        return Err(Denial::HostNotSigned);
    }
    Ok(text.to_owned())
}

/// Verifies; what is covered. Four HMACs per secret derive the keys; then each form is one SHA-256, and
/// one short HMAC per secret.
pub(crate) fn verify<'a>(
    claim: &AwsClaim,
    head: &RequestHead<'a>,
    key: &KeyMaterial<'_>,
    has_resource: bool,
    rules: &Rules,
    now: UnixSeconds,
) -> Result<Covered<'a>, Denial> {
    let (_, region, service) = claim.scope.parts();
    if service != SERVICE {
        return Err(Denial::ScopeNotAllowed(ScopePart::Product));
    }
    if !allows(&rules.aws_regions, region) {
        return Err(Denial::ScopeNotAllowed(ScopePart::Region));
    }
    let signable = Signable::new(head, &claim.names, claim.placement)?;
    let mut keys: Vec<SecretKey> = key
        .secrets
        .iter()
        .filter_map(|secret| claim.scope.key(KEY_PREFIX, secret))
        .collect();
    let mut matched = None;
    for &form in signable.forms.iter().filter(|_| has_resource) {
        let text = signable.string_to_sign(form, &claim.scope);
        let position = keys.iter().position(|key| {
            MacSha256::under(key.expose()).is_some_and(|mut mac| {
                crate::canon::Sink::put(&mut mac, text.as_bytes());
                claim.signature.matches_sha256(mac)
            })
        });
        if let Some(position) = position {
            matched = Some((form, keys.swap_remove(position)));
            break;
        }
    }
    let (form, signing_key) = matched.ok_or(Denial::SignatureMismatch)?;
    let life = match claim.placement {
        Placement::Header => None,
        Placement::Query => Some(query_part(head, "X-Amz-Expires")?),
    };
    claim.scope.check_time(signable.signed, life, rules.window, now)?;
    check_token(head, key)?;
    // An unsigned marker beside a presigned URL: the frame would be stored as content.
    if single(head, HASH).starts_with(b"STREAMING-") && single(head, HASH) != signable.payload {
        return Err(Denial::HeaderNotSigned);
    }
    let seed = |has_trailer| ChunkSeed {
        key: signing_key,
        date: signable.signed.iso_basic(),
        scope: claim.scope.text().to_owned(),
        signature: claim.signature.to_hex(),
        has_trailer,
    };
    let payload = Payload::read(signable.payload, seed).ok_or(Denial::PayloadHashUnreadable)?;
    Ok(signable.covered(form, claim, payload))
}

/// Compares the session token with the key's. It is signed wherever it stands.
fn check_token(head: &RequestHead<'_>, key: &KeyMaterial<'_>) -> Result<(), Denial> {
    let [parameter, header] = TOKEN;
    let in_header = head.header(header).at_most_once(header)?;
    let presented = in_header.into_iter().chain(head.single_parameter(parameter)?);
    compare_tokens(presented.collect(), key)
}

/// The texts to sign of a claim, one per form, in the order in which they are tried.
pub(crate) fn strings_to_sign(claim: &AwsClaim, head: &RequestHead<'_>) -> Vec<Vec<u8>> {
    texts(claim, head, &|signable, form| {
        signable.string_to_sign(form, &claim.scope).into_bytes()
    })
}

/// The canonical requests whose digests stand in them.
pub(crate) fn canonical_requests(claim: &AwsClaim, head: &RequestHead<'_>) -> Vec<Vec<u8>> {
    texts(claim, head, &|signable, form| {
        let mut text = Vec::new();
        signable.with_canonical(form, &mut |canonical| canonical.write(&mut text));
        text
    })
}

fn texts(
    claim: &AwsClaim,
    head: &RequestHead<'_>,
    text: &dyn Fn(&Signable<'_, '_>, Form) -> Vec<u8>,
) -> Vec<Vec<u8>> {
    match Signable::new(head, &claim.names, claim.placement) {
        Ok(signable) => signable.forms.iter().map(|&form| text(&signable, form)).collect(),
        Err(_) => Vec::new(),
    }
}

/// The choices in which clients differ; a text is a function of head and form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// Whether the path is signed as it was sent, not with every byte encoded strictly.
    path_as_sent: bool,
    /// What is not as the platform hands it over.
    departure: Departure,
}

/// A head with the forms that some client would have signed it in, at most 4, most likely first.
pub(super) struct Signable<'h, 'a> {
    head: &'h RequestHead<'a>,
    placement: Placement,
    names: &'h str,
    /// The signed headers, sorted; repeated ones joined by a comma.
    lines: Headers,
    /// The path, each segment decoded and encoded strictly.
    path: String,
    /// Every parameter but the signature, encoded strictly.
    query: String,
    /// The signed moment.
    signed: UnixSeconds,
    /// What the text says of the body.
    payload: &'h [u8],
    forms: Vec<Form>,
}

impl<'h, 'a> Signable<'h, 'a> {
    pub(super) fn new(
        head: &'h RequestHead<'a>,
        names: &'h str,
        placement: Placement,
    ) -> Result<Self, Denial> {
        refuse_repeated(head, |_| true)?;
        let is_named = |name: &str| names.split(';').any(|one| one == name);
        let payload = payload_text(head, placement, is_named(HASH))?;
        refuse_unsigned(head, payload, &is_named)?;
        let lines = lines(head, names)?;
        let mut departures = vec![Departure::None];
        let is_joint = |(name, value): &(String, Vec<u8>)| {
            Departure::CommaAlone.value(name, value) != Some(value.into())
        };
        if head.delivery() == Delivery::Joined && lines.iter().any(is_joint) {
            departures.push(Departure::CommaAlone);
        }
        let path = encoded_path(head.wire_path());
        let mut forms = Vec::new();
        for path_as_sent in [false, true] {
            if path_as_sent && path.as_bytes() == head.wire_path() {
                continue;
            }
            forms.extend(departures.iter().map(|&departure| Form {
                path_as_sent,
                departure,
            }));
        }
        Ok(Self {
            head,
            placement,
            names,
            lines,
            path,
            query: encoded_query(head, placement),
            signed: signed_moment(head, placement, is_named("date"))?,
            payload,
            forms,
        })
    }

    /// The form that a signer writes.
    pub(super) fn first_form(&self) -> Option<Form> {
        self.forms.first().copied()
    }

    /// The signed moment.
    pub(super) const fn signed(&self) -> UnixSeconds {
        self.signed
    }

    /// The string to sign.
    pub(super) fn string_to_sign(&self, form: Form, scope: &Scope) -> String {
        let mut text = String::new();
        self.with_canonical(form, &mut |canonical| {
            text = canonical.string_to_sign(&self.signed.iso_basic(), scope.text());
        });
        text
    }

    fn with_canonical(&self, form: Form, and: &mut dyn FnMut(&Canonical<'_>)) {
        let mut values = Vec::new();
        for (name, value) in &self.lines {
            values.extend(form.departure.value(name, value).map(|value| (name, value)));
        }
        let headers: Vec<(&str, &[u8])> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_ref()))
            .collect();
        and(&Canonical {
            method: self.head.method(),
            path: if form.path_as_sent {
                self.head.wire_path()
            } else {
                self.path.as_bytes()
            },
            query: &self.query,
            headers: &headers,
            names: self.names,
            payload: self.payload,
        });
    }

    /// What a signature covers that matched in `form`. Values are kept as they were sent: only for signing
    /// are their inner blanks folded.
    fn covered(&self, form: Form, claim: &AwsClaim, payload: Payload) -> Covered<'a> {
        let is_own = |name: &[u8]| {
            name == TOKEN[0].as_bytes()
                || (self.placement == Placement::Query && OWN.iter().any(|own| own.as_bytes() == name))
        };
        let parameters = self.head.parameters().iter();
        let parameters = parameters
            .filter(|parameter| !is_own(&parameter.name))
            .map(|parameter| VerifiedParameter {
                name: parameter.name.clone(),
                value: parameter.value.clone(),
                coverage: Coverage::Signed,
            })
            .collect();
        let mut signed_headers = Headers::new();
        for (name, value) in self
            .lines
            .iter()
            .filter(|(name, _)| !OWN_HEADERS.contains(&name.as_str()))
        {
            if let Some(value) = form.departure.value(name, value) {
                signed_headers.push((name.clone(), value.into_owned()));
            }
        }
        let mut found = hints(self.head, &signed_headers, &Hint::ALL);
        found.extend(hints(self.head, &signed_headers, &Hint::OF_S3));
        Covered {
            scheme: Scheme::S3V4,
            key_id: claim.key_id.clone(),
            method: self.head.method(),
            parameters,
            hints: found,
            signed_headers,
            payload,
        }
    }
}

/// What the text says of the body.
fn payload_text<'h>(
    head: &'h RequestHead<'_>,
    placement: Placement,
    is_named: bool,
) -> Result<&'h [u8], Denial> {
    let header = single(head, HASH);
    match placement {
        Placement::Header if header.is_empty() => Err(Denial::PayloadHashMissing),
        Placement::Header => Ok(header),
        Placement::Query => Ok(match head.single_parameter(HASH_PARAMETER)? {
            Some(text) => text,
            None if is_named => header,
            None => payload::UNSIGNED.as_bytes(),
        }),
    }
}

/// Refuses an `x-amz-*` header that is not signed (attack cases B01 to B05).
fn refuse_unsigned(
    head: &RequestHead<'_>,
    payload: &[u8],
    is_named: &dyn Fn(&str) -> bool,
) -> Result<(), Denial> {
    let is_framed = payload.starts_with(b"STREAMING-");
    for (name, _) in head.headers() {
        let Ok(name) = core::str::from_utf8(name) else {
            continue;
        };
        let is_exempt = UNSIGNED.contains(&name) || (is_framed && UNSIGNED_IF_FRAMED.contains(&name));
        if name.starts_with("x-amz-") && !is_named(name) && !is_exempt {
            return Err(Denial::HeaderNotSigned);
        }
    }
    Ok(())
}

/// The signed headers in the order of their names.
fn lines(head: &RequestHead<'_>, names: &str) -> Result<Headers, Denial> {
    let mut lines = Headers::new();
    for name in names.split(';') {
        let values: Vec<&[u8]> = head
            .headers()
            .filter(|(header, _)| *header == name.as_bytes())
            .map(|(_, value)| value)
            .collect();
        if values.is_empty() {
            return Err(Denial::SignedHeaderMissing);
        }
        lines.push((name.to_owned(), values.join(b",".as_slice())));
    }
    Ok(lines)
}

/// The signed moment: X-Amz-Date of a presigned query; else x-amz-date, or a Date that is signed.
fn signed_moment(
    head: &RequestHead<'_>,
    placement: Placement,
    date_is_named: bool,
) -> Result<UnixSeconds, Denial> {
    let basic = |text| UnixSeconds::from_iso_basic(text).ok_or(Denial::DateUnreadable);
    if placement == Placement::Query {
        return basic(query_part(head, "X-Amz-Date")?);
    }
    match (single(head, DATE), single(head, "date")) {
        (b"", date) if date_is_named && !date.is_empty() => crate::oss_claim::read_date(date),
        (b"", _) => Err(Denial::DateMissing),
        (date, _) => basic(date),
    }
}

/// A path with each of its segments decoded and encoded strictly: `%2F` stays apart from `/`.
fn encoded_path(wire: &[u8]) -> String {
    let mut path = String::new();
    for (index, segment) in wire.split(|&byte| byte == b'/').enumerate() {
        if index > 0 {
            path.push('/');
        }
        // A malformed escape never reaches here: the head refuses it.
        let decoded = percent_decode(segment).unwrap_or_default();
        percent_encode(&decoded, Slash::Encode, &mut path);
    }
    path
}

/// Every parameter but the signature of a presigned query.
fn encoded_query(head: &RequestHead<'_>, placement: Placement) -> String {
    let mut query = String::new();
    for parameter in head.parameters() {
        if placement == Placement::Query && parameter.name == SIGNATURE.as_bytes() {
            continue;
        }
        if !query.is_empty() {
            query.push('&');
        }
        percent_encode(&parameter.name, Slash::Encode, &mut query);
        query.push('=');
        percent_encode(&parameter.value, Slash::Encode, &mut query);
    }
    query
}
