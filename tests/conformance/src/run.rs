//! Runs vectors against the verifier, each on both ways in which platforms deliver repeated headers.
//!
//! Beside "verified or refused" it checks that the text the client signed is one that the verifier
//! tries, and, by a MAC of its own, that this is the text which the presented signature is made over.

use oss_s3::addressing::{
    AclRule, ArchiveClass, HostStyle, Hosts, OriginAddressing, OriginBucket, UnsignedHeaders, VirtualBucket,
};
use oss_s3::error::Refusal;
use request_auth::{
    Claim, Connection, Delivery, Denial, KeyMaterial, PublicKey, RequestHead, Resource, Rules, Scheme,
    SecretKey, SecurityToken, UnixSeconds, Verified, Window,
};

use crate::form;
use crate::mac;
use crate::report::{Outcome, Report};
use crate::vector::{Request, Valid, Vector, read};

/// OSS's own window: 15 minutes both ways, and presigned URLs of any length.
const WINDOW: Window = Window {
    skew_seconds: 900,
    presigned_max_seconds: None,
};

/// The bucket behind a host whose clients sign no bucket name.
const UNSIGNED: &str = "unsigned-bucket";

/// Runs every vector of a file's text. `file` names it in failures.
pub fn run_file(file: &str, text: &str) -> Report {
    let mut report = Report::default();
    for member in read(text) {
        match member {
            Ok(vector) => {
                let outcome = run(&vector);
                report.add(file, &vector.id, outcome);
            }
            Err(unreadable) => report.add(file, &unreadable.id, Outcome::Failed(unreadable.reason)),
        }
    }
    report
}

/// Runs one vector; one of a scheme that the format does not have is skipped.
pub fn run(vector: &Vector) -> Outcome {
    let is_known = mac::Scheme::of(&vector.auth).is_some()
        || form::scheme(&vector.auth).is_some()
        || is_cloudfront(vector);
    if !is_known {
        return Outcome::Skipped(vector.auth.clone());
    }
    match check(vector) {
        Ok(()) => Outcome::Passed,
        Err(reason) => Outcome::Failed(reason),
    }
}

/// Whether it is a signed URL or cookie of CloudFront's, which has no MAC.
fn is_cloudfront(vector: &Vector) -> bool {
    matches!(vector.auth.as_str(), "CLOUDFRONT-URL" | "CLOUDFRONT-COOKIE")
}

fn check(vector: &Vector) -> Result<(), String> {
    if let Some(scheme) = form::scheme(&vector.auth) {
        return form::check(vector, scheme);
    }
    let request = vector
        .request
        .as_ref()
        .ok_or("It has no request, and no scheme but the forms goes without.")?;
    let lines = header_lines(request)?;
    check_as(vector, request, &lines, Delivery::Lines)?;
    match joined(&lines) {
        Some(joined) => check_as(vector, request, &joined, Delivery::Joined)
            .map_err(|reason| format!("With repeated headers joined: {reason}")),
        None => Ok(()),
    }
}

fn check_as(
    vector: &Vector,
    request: &Request,
    lines: &[(String, Vec<u8>)],
    delivery: Delivery,
) -> Result<(), String> {
    let headers = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_slice()));
    let head = match RequestHead::new(&request.method, request.target.as_bytes(), headers, delivery) {
        Ok(head) => head.over(Connection {
            secure: request.scheme == "https",
            peer: Some(request.peer.as_str()).filter(|peer| !peer.is_empty()),
        }),
        Err(error) => return compare_refusal(vector, &Denial::from(error).into()),
    };
    let hosts = hosts(vector, request);
    match verify(vector, &hosts, &head) {
        Ok((claim, verified)) => compare_acceptance(vector, &head, &claim, &verified),
        Err(denial) => compare_refusal(vector, &denial.into()),
    }
}

/// The gateway's steps from head to verified, for a gateway that is configured from the vector.
fn verify<'a>(
    vector: &Vector,
    hosts: &'a Hosts,
    head: &RequestHead<'a>,
) -> Result<(Claim, Verified<'a, &'a VirtualBucket>), Denial> {
    let claim = Claim::of(head)?;
    let credentials = &vector.credentials;
    if claim.key_id() != credentials.access_key_id {
        return Err(Denial::UnknownKey);
    }
    let secret = SecretKey::new(credentials.access_key_secret.clone());
    let public_key = credentials.public_key.as_deref().and_then(PublicKey::from_pem);
    let token = credentials.security_token.clone().and_then(SecurityToken::new);
    let key = KeyMaterial {
        key_id: &credentials.access_key_id,
        secrets: secret.iter().collect(),
        public_key: public_key.as_ref(),
        security_token: token.as_ref(),
        schemes: &Scheme::ALL,
    };
    let now = UnixSeconds(vector.now_unix);
    let resources = hosts.resources(head.host(), head.path());
    let verified = claim.verify(head, &key, resources, &rules(), now)?;
    Ok((claim, verified))
}

/// OSS's own rules, and every product.
pub(crate) fn rules() -> Rules {
    let mut rules = Rules::new(WINDOW);
    rules.products.push("oss-cloudbox".to_owned());
    rules
}

/// A gateway's hosts when the vector's bucket is reachable at its host by path, as CNAME and by label;
/// for a vector without a bucket, a host whose clients sign none.
fn hosts(vector: &Vector, request: &Request) -> Hosts {
    let host = match request.host.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => request.host.split(':').next(),
    };
    let host = host.unwrap_or_default().to_ascii_lowercase();
    let name = vector.config.bucket().unwrap_or(UNSIGNED);
    let mut hosts = Hosts::new(vec![bucket(name)]);
    let cname = HostStyle::Cname {
        bucket: name.to_owned(),
        unsigned_bucket: name == UNSIGNED,
    };
    let parent = host.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
    // Both are new: a host is never its own parent.
    let _ = parent.is_none_or(|parent| hosts.add(parent, vec![HostStyle::VirtualHost]));
    let _ = hosts.add(&host, vec![HostStyle::Path, cname]);
    hosts
}

pub(crate) fn bucket(name: &str) -> VirtualBucket {
    VirtualBucket {
        name: name.to_owned(),
        aliases: Vec::new(),
        acl: AclRule::Private,
        archive: ArchiveClass::Glacier,
        unsigned_headers: UnsignedHeaders::Store,
        max_tags: 10,
        max_metadata_bytes: 2048,
        max_unsized_bytes: 1 << 30,
        kms_keys: Vec::new(),
        created: UnixSeconds(0),
        staging: None,
        origin: OriginBucket {
            bucket: "origin".to_owned(),
            region: "eu-west-1".to_owned(),
            scheme: "https".to_owned(),
            authority: "s3.eu-west-1.amazonaws.com".to_owned(),
            addressing: OriginAddressing::VirtualHost,
        },
    }
}

pub(crate) fn compare_refusal(vector: &Vector, refusal: &Refusal) -> Result<(), String> {
    let fault = refusal.fault();
    if vector.expect.valid == Valid::Yes {
        return Err(format!("It has to verify and was refused: {fault:?}."));
    }
    if vector.expect.valid == Valid::Either {
        return Ok(());
    }
    let (code, status) = (refusal.code(), refusal.status());
    match &vector.expect.error {
        Some(expected) if expected != code => {
            return Err(format!(
                "It has to be refused with {expected}, not with {code} ({fault:?})."
            ));
        }
        _ => {}
    }
    match vector.expect.status {
        Some(expected) if expected != status => Err(format!(
            "Its refusal has to have status {expected}, not {status} ({fault:?})."
        )),
        _ => Ok(()),
    }
}

fn compare_acceptance<B>(
    vector: &Vector,
    head: &RequestHead<'_>,
    claim: &Claim,
    verified: &Verified<'_, B>,
) -> Result<(), String> {
    compare(vector, verified)?;
    if is_cloudfront(vector) && verified.scheme() == Scheme::CloudFront {
        return Ok(());
    }
    let (scheme, _) =
        mac::Scheme::of(&vector.auth).ok_or("It verified with a scheme that it does not name.")?;
    let Some(expected) = &vector.expect.string_to_sign else {
        return Ok(());
    };
    let matched = Resource {
        signed_bucket: verified.signed_bucket(),
        key: verified.key().to_vec(),
        bucket: (),
    };
    let expected = expected.clone().into_bytes();
    if !claim
        .strings_to_sign(head, core::slice::from_ref(&matched))
        .contains(&expected)
    {
        return Err("No string to sign that was tried is the expected one.".to_owned());
    }
    if let Some(expected) = &vector.expect.canonical_request {
        let request = expected.clone().into_bytes();
        if !claim.canonical_requests(head, &[matched]).contains(&request) {
            return Err("No canonical request that was tried is the expected one.".to_owned());
        }
    }
    let presented = scheme.presented(head).ok_or("It verified without a signature.")?;
    let signature = scheme.sign(&vector.credentials.access_key_secret, &expected);
    if signature.is_some_and(|signature| signature.as_bytes() == presented) {
        Ok(())
    } else {
        Err("Its signature is not made over the expected string to sign.".to_owned())
    }
}

/// Whether it may verify, and with this bucket.
pub(crate) fn compare<B>(vector: &Vector, verified: &Verified<'_, B>) -> Result<(), String> {
    if vector.expect.valid == Valid::No {
        return Err(match &vector.expect.error {
            Some(code) => format!("It has to be refused with {code} and verified."),
            None => "It has to be refused and verified.".to_owned(),
        });
    }
    let signed_bucket = verified.signed_bucket().unwrap_or_default();
    match &vector.expect.signed_bucket {
        Some(expected) if expected != signed_bucket => Err(format!(
            "The signed bucket is {expected:?}, not {signed_bucket:?}."
        )),
        _ => Ok(()),
    }
}

fn header_lines(request: &Request) -> Result<Vec<(String, Vec<u8>)>, String> {
    if let Some(encoding) = request
        .header_encoding
        .as_deref()
        .filter(|name| *name != "latin-1")
    {
        return Err(format!(
            "Its header_encoding is {encoding:?}; only \"latin-1\" is known."
        ));
    }
    let mut lines = Vec::new();
    for (name, value) in &request.headers {
        let bytes = latin1(value).ok_or_else(|| format!("Its header {name} is not ISO-8859-1 text."))?;
        lines.push((name.clone(), bytes));
    }
    if request.position("host").is_none() {
        lines.push(("Host".to_owned(), request.host.clone().into_bytes()));
    }
    Ok(lines)
}

/// The bytes of ISO-8859-1 text; `None` where a character is none.
pub(crate) fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

/// The headers as the Fetch standard hands them over; `None` where it can't carry them unchanged.
pub(crate) fn joined(lines: &[(String, Vec<u8>)]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut joined: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, value) in lines {
        let text = core::str::from_utf8(value).ok()?;
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return None;
        }
        let (name, value) = (name.to_ascii_lowercase(), value.trim_ascii());
        match joined.iter_mut().find(|(earlier, _)| *earlier == name) {
            Some((_, whole)) => {
                whole.extend_from_slice(b", ");
                whole.extend_from_slice(value);
            }
            None => joined.push((name, value.to_vec())),
        }
    }
    joined.sort();
    Some(joined)
}
