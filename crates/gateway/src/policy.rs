//! What a key may do: grants, and nothing without one.
//!
//! A grant names operations, a bucket, the prefix that keys have to start with, and the mount that
//! is put before the verified key at the origin. [`permit`] is the one place where a verified
//! request becomes an authorised one.

use oss_s3::addressing::{UnsignedHeaders, VirtualBucket};
use oss_s3::error::{Fault, Refusal};
use oss_s3::key::{ObjectKey, OriginKey};
use oss_s3::operation::{Call, Operation};
use oss_s3::request::Authorized;
use request_auth::Verified;
use serde::Serialize;

use crate::document::{Field, Fields};
use crate::keys::{KeyRecord, RecordError};

mod template;

use template::Template;

/// The preset of the five upload operations, which grants have by default.
pub const UPLOAD_ONLY: &str = "upload-only";
/// The preset of the operations that read an object whose name is known.
pub const READ_ONLY: &str = "read-only";

/// A grant as JSON.
pub struct GrantSource {
    /// The virtual bucket.
    pub bucket: String,
    /// Presets and operation names; by default `upload-only`, of a key pair `read-only`.
    pub operations: Vec<String>,
    /// What the object key has to start with; empty, or segments that end in `/`. `{key_id}` as a
    /// whole segment stands for the access key id, and in the record of a fleet `{fleet}` and `{device}`
    /// for its parts.
    pub prefix: String,
    /// What is put before the key at the origin; the same form as the prefix.
    pub mount: String,
    /// What becomes of headers that the signature does not cover; the bucket's rule where absent.
    pub unsigned_headers: Option<UnsignedHeadersSource>,
}

/// What becomes of unsigned Cache-Control and its like on writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnsignedHeadersSource {
    /// They are stored with the object.
    #[default]
    Store,
    /// They are left out.
    Drop,
    /// The request is refused.
    Refuse,
}

impl From<UnsignedHeadersSource> for UnsignedHeaders {
    fn from(source: UnsignedHeadersSource) -> Self {
        match source {
            UnsignedHeadersSource::Store => Self::Store,
            UnsignedHeadersSource::Drop => Self::Drop,
            UnsignedHeadersSource::Refuse => Self::Refuse,
        }
    }
}

impl UnsignedHeadersSource {
    pub(crate) fn read(field: Field<'_, '_>) -> Self {
        field.choice(&[
            ("store", Self::Store),
            ("drop", Self::Drop),
            ("refuse", Self::Refuse),
        ])
    }
}

impl GrantSource {
    /// Reads a grant that has the operations of `preset` unless it names others.
    pub(crate) fn read(fields: &mut Fields<'_, '_>, preset: &str) -> Self {
        Self {
            bucket: fields.take("bucket").string(),
            operations: fields
                .take("operations")
                .or(vec![preset.to_owned()], Field::strings),
            prefix: fields.take("prefix").or(String::new(), Field::string),
            mount: fields.take("mount").or(String::new(), Field::string),
            unsigned_headers: fields
                .take("unsigned_headers")
                .optional(UnsignedHeadersSource::read),
        }
    }
}

/// A permission of one key.
pub struct Grant {
    operations: Vec<Operation>,
    bucket: String,
    prefix: Template,
    mount: Template,
    unsigned_headers: Option<UnsignedHeaders>,
}

impl Grant {
    /// Reads a grant of the record `record_id`.
    ///
    /// # Errors
    /// A [`RecordError`] that names the field.
    pub(crate) fn new(source: GrantSource, record_id: &str) -> Result<Self, RecordError> {
        let mut operations = Vec::new();
        for name in &source.operations {
            match Operation::from_name(name) {
                Some(operation) => operations.push(operation),
                None if name == UPLOAD_ONLY => operations.extend(Operation::UPLOAD),
                None if name == READ_ONLY => operations.extend(Operation::READ),
                None => {
                    return Err(RecordError(format!(
                        "`operations` holds `{name}`, which is neither an operation nor a preset; the presets are `{UPLOAD_ONLY}` and `{READ_ONLY}`"
                    )));
                }
            }
        }
        Ok(Self {
            operations,
            bucket: source.bucket,
            prefix: Template::new("prefix", source.prefix, record_id)?,
            mount: Template::new("mount", source.mount, record_id)?,
            unsigned_headers: source.unsigned_headers.map(Into::into),
        })
    }

    fn covers(&self, bucket: &VirtualBucket, operation: Operation, key: &ObjectKey, key_id: &str) -> bool {
        self.bucket == bucket.name
            && self.operations.contains(&operation)
            && key.as_bytes().starts_with(&self.prefix.filled(key_id))
    }
}

/// Turns a verified request into an authorised one, if a grant of its key covers it. What the
/// request asks for is settled once, here, from what was verified.
///
/// A bucket that no grant names is refused before anything else is judged, so that it can't be told
/// from one that does not exist (attack case L05).
///
/// # Errors
/// A [`Refusal`]: no grant names the bucket, the operation is none of the known ones, the key is no
/// object key, or no grant covers both.
pub fn permit<'a>(
    record: &KeyRecord,
    verified: Verified<'a, &'a VirtualBucket>,
) -> Result<Authorized<'a>, Refusal> {
    let bucket = &verified.bucket().name;
    if record.grants().iter().all(|grant| grant.bucket != *bucket) {
        return Err(Refusal::new(Fault::Forbidden).because("No grant of the key names this bucket."));
    }
    let call = Call::recognise(&verified)?;
    let key = ObjectKey::new(verified.key())?;
    let operation = call.operation();
    let grant = record
        .grants()
        .iter()
        .find(|grant| grant.covers(verified.bucket(), operation, &key, verified.key_id()))
        .ok_or_else(|| {
            Refusal::new(Fault::Forbidden).because(
                [
                    "No grant of the key covers ",
                    operation.name(),
                    " on this bucket and object name.",
                ]
                .concat(),
            )
        })?;
    let origin_key = OriginKey::new(&grant.mount.filled(verified.key_id()), &key)?;
    let unsigned_headers = grant
        .unsigned_headers
        .unwrap_or(verified.bucket().unsigned_headers);
    Ok(Authorized::assertion(
        verified,
        call,
        key,
        origin_key,
        unsigned_headers,
    ))
}

#[cfg(test)]
mod tests;
