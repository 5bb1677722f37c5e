//! POST forms: a browser's way to upload, in the place of a signed head.
//!
//! What a signature covers of a form, and what its policy permits, is `request_auth::post_policy`'s. Here
//! is the reading around it, with everything bounded: the head says that a form comes ([`arriving`]), a
//! [`FormReader`] takes its first bytes until the file begins, the key is looked up for the claim of its
//! fields, [`authenticate`] verifies its signature and its time, and [`authorize`], once the length of the
//! file is known, that its policy permits it. The file is the rest of the body but for the closing
//! boundary. Up to [`MAX_BUFFERED_BYTES`] it is read first, so that fields behind the file can be dropped and
//! a form may come chunked; beyond that it streams, and a [`FileScan`] watches that nothing but the file does.
//!
//! The shell's side: hand the bytes on one piece late, so that the last of them is sent once
//! [`FileScan::finish`] said that the form ended as it has to; else break the upload off, and S3 stores
//! nothing.

mod boundary;
mod file;
mod mark;
mod policy;
mod reader;

use oss_s3::error::{Fault, Refusal};
use oss_s3::request::Authorized;
use request_auth::post_policy::{Form, FormClaim, FormFields};
use request_auth::{Denial, RequestHead, Resource, UnixSeconds};

use crate::authorizer;
use crate::config::Config;
use crate::keys::KeyRecord;
use crate::policy::conditions::Circumstances;
use crate::policy::permit;

pub use boundary::Boundary;
pub use file::{FileScan, MAX_BUFFERED_BYTES, Shape};
pub use policy::read_policy;
pub use reader::{FormReader, MAX_BYTES_BEFORE_FILE, Opened};

/// The boundary of a form that arrives with this head; `None` where the head is no form's and carries
/// its own claim, or should.
///
/// # Errors
/// A form without a usable boundary, or at a path that can be no bucket.
pub fn arriving(config: &Config, head: &RequestHead<'_>) -> Result<Option<Boundary>, Refusal> {
    if !authorizer::brings_form(config, head) {
        return Ok(None);
    }
    if resources(config, head).is_empty() && strangers(config, head).is_empty() {
        return Err(Refusal::new(Fault::Forbidden).because("A form was posted to a path that is no bucket."));
    }
    let boundary = head
        .header("content-type")
        .at_most_once("content-type")
        .map_err(Denial::from)?
        .and_then(Boundary::of_content_type);
    boundary.map(Some).ok_or_else(|| {
        Refusal::new(Fault::FormMalformed).because("The form's boundary is missing or malformed.")
    })
}

/// Verifies that a form's policy is signed with the key of this record and in its time, before more is read
/// than the fields: whoever has no key, or an old form, makes the gateway read no file (attack case N10).
///
/// # Errors
/// The refusal that the client is answered with.
pub fn authenticate(
    config: &Config,
    claim: &FormClaim,
    fields: &FormFields,
    record: &KeyRecord,
    now: UnixSeconds,
) -> Result<(), Refusal> {
    let key = record.key(claim.key_id(), now)?;
    Ok(claim.check(fields, &key.material(), &config.rules, now, read_policy)?)
}

/// Verifies a form with the record of its key, and authorises what its policy permits.
///
/// # Errors
/// The refusal that the client is answered with. A bucket that is not configured is answered like one that
/// the key may not use (attack case L05).
pub fn authorize<'a>(
    config: &'a Config,
    head: &RequestHead<'a>,
    claim: &FormClaim,
    form: &Form<'_>,
    record: &KeyRecord,
    now: UnixSeconds,
) -> Result<Authorized<'a>, Refusal> {
    let key = record.key(claim.key_id(), now)?;
    let material = key.material();
    let resources = resources(config, head);
    if resources.is_empty() {
        let strangers = strangers(config, head);
        let outcome = claim.verify(form, &material, strangers, &config.rules, now, read_policy);
        return Err(match outcome {
            Ok(_) => Refusal::new(Fault::Forbidden)
                .because("The bucket that the form was posted to is not configured for this host."),
            Err(denial) => denial.into(),
        });
    }
    let verified = claim.verify(form, &material, resources, &config.rules, now, read_policy)?;
    let authorized = permit(record, &config.hosts, verified, Circumstances::of(head, now))?;
    authorized.check_size(Some(form.file_bytes))?;
    Ok(authorized)
}

/// The buckets that a form can be posted to at this host and path: without a key behind them.
fn resources<'a>(
    config: &'a Config,
    head: &RequestHead<'_>,
) -> Vec<Resource<'a, &'a oss_s3::addressing::VirtualBucket>> {
    let mut found = config.hosts.resources(head.host(), head.path());
    found.retain(|resource| resource.key.is_empty());
    found
}

/// The buckets that the client may mean, and that are not configured there.
fn strangers<'h>(config: &Config, head: &'h RequestHead<'_>) -> Vec<Resource<'h, ()>> {
    let mut found = config.hosts.unknown_resources(head.host(), head.path());
    found.retain(|resource| resource.key.is_empty() && resource.signed_bucket.is_some());
    found
}

#[cfg(test)]
mod tests;
