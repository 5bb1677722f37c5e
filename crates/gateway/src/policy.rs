//! What a key may do: grants, and nothing without one.
//!
//! A grant names operations, a bucket, the prefix that keys have to start with, and the mount that
//! is put before the verified key at the origin. [`permit`] and [`permit_service`] are the places where a
//! verified request becomes an authorised one.
//!
//! A grant may have [conditions]: its time, the addresses it is for, and how large an object may be.
//!
//! What changes a bucket itself is permitted by a grant of the whole bucket only, with neither prefix nor
//! mount. A list or a batch of deletions carries what each grant opens, and stays inside.

use oss_s3::addressing::{Hosts, UnsignedHeaders, VirtualBucket};
use oss_s3::area::{Area, KnownBucket, Target};
use oss_s3::error::{Fault, Refusal};
use oss_s3::key::ObjectKey;
use oss_s3::operation::{Call, Level, NotACall, Operation};
use oss_s3::request::Authorized;
use request_auth::Verified;
use serde::Serialize;

use crate::document::{Field, Fields};
use crate::keys::{KeyRecord, RecordError};

pub mod conditions;
mod source;
mod template;

use conditions::{Circumstances, Conditions, ConditionsSource};
use template::Template;

/// The preset of the five upload operations, which grants have by default.
pub const UPLOAD_ONLY: &str = "upload-only";
/// The preset of the operations that change nothing.
pub const READ_ONLY: &str = "read-only";
/// The preset of what a client does with objects: those of the other two, copies, deletions and tags.
pub const READ_WRITE: &str = "read-write";
/// The preset of every operation there is, those on buckets themselves, forms and archives included.
pub const DATA_LAYER: &str = "data-layer";

/// Every preset.
pub const PRESETS: [&str; 4] = [UPLOAD_ONLY, READ_ONLY, READ_WRITE, DATA_LAYER];

/// The operations of a preset.
pub fn preset(name: &str) -> Option<Vec<Operation>> {
    let parts: &[&[Operation]] = match name {
        UPLOAD_ONLY => &[&Operation::UPLOAD],
        READ_ONLY => &[&Operation::READ],
        READ_WRITE => &[&Operation::UPLOAD, &Operation::READ, &Operation::WRITE],
        DATA_LAYER => return Some(Operation::all().collect()),
        _ => return None,
    };
    Some(parts.concat())
}

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
    /// When and from where it counts, and how large an object may be.
    pub conditions: ConditionsSource,
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
            conditions: ConditionsSource::read(fields),
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
    conditions: Conditions,
}

impl Grant {
    /// Reads a grant of the record `record_id`.
    ///
    /// # Errors
    /// A [`RecordError`] that names the field.
    pub(crate) fn new(source: GrantSource, record_id: &str) -> Result<Self, RecordError> {
        let mut operations = Vec::new();
        for name in &source.operations {
            match (Operation::from_name(name), preset(name)) {
                (Some(operation), _) => operations.push(operation),
                (None, Some(preset)) => operations.extend(preset),
                (None, None) => {
                    let text = [
                        "`operations` holds `",
                        name,
                        "`, which is neither an operation nor a preset; the presets are `",
                        &PRESETS.join("`, `"),
                        "`",
                    ];
                    return Err(RecordError(text.concat()));
                }
            }
        }
        Ok(Self {
            operations,
            bucket: source.bucket,
            prefix: Template::new("prefix", source.prefix, record_id)?,
            mount: Template::new("mount", source.mount, record_id)?,
            unsigned_headers: source.unsigned_headers.map(Into::into),
            conditions: Conditions::new(source.conditions)?,
        })
    }

    /// What this opens of a bucket for an operation of a key, now and from there; `None` for nothing.
    fn opens(
        &self,
        bucket: &VirtualBucket,
        operation: Operation,
        key_id: &str,
        circumstances: Circumstances<'_>,
    ) -> Option<Area> {
        if self.bucket != bucket.name
            || !self.operations.contains(&operation)
            || self.conditions.obstacle(circumstances).is_some()
        {
            return None;
        }
        let filled = |template: &Template| String::from_utf8(template.filled(key_id)).ok();
        let area = Area::new(filled(&self.prefix)?, filled(&self.mount)?);
        (area.is_whole() || !operation.is_of_whole_bucket()).then_some(area)
    }
}

/// Turns a verified request into an authorised one, if a grant of its key covers it. What the
/// request asks for is settled once, here, from what was verified.
///
/// A bucket that no grant names which counts now and from there is refused before anything else is
/// judged, so that it can't be told from one that does not exist (attack case L05).
///
/// # Errors
/// A [`Refusal`]: no grant that counts names the bucket, the operation is none of the known ones, the key is no
/// object key, no grant covers both, or none lets read what a copy comes from.
pub fn permit<'a>(
    record: &KeyRecord,
    hosts: &Hosts,
    verified: Verified<'a, &'a VirtualBucket>,
    circumstances: Circumstances<'_>,
) -> Result<Authorized<'a>, Refusal> {
    let bucket = *verified.bucket();
    let named = || record.grants().iter().filter(|grant| grant.bucket == bucket.name);
    let obstacle = |grant: &Grant| grant.conditions.obstacle(circumstances);
    let refused = |words: &[&str]| {
        let also = named().find_map(obstacle).unwrap_or_default();
        Refusal::new(Fault::Forbidden).because([&words.concat(), also].concat())
    };
    if named().all(|grant| obstacle(grant).is_some()) {
        return Err(refused(&["No grant of the key counts for this bucket."]));
    }
    let recognised = Call::recognise(&verified, false);
    let (call, arguments) =
        recognised.map_err(|reason| unrecognised(record, bucket, reason, circumstances))?;
    let operation = call.operation();
    let areas = |grant: &Grant| grant.opens(bucket, operation, verified.key_id(), circumstances);
    let uncovered = || {
        refused(&[
            "No grant of the key covers ",
            operation.name(),
            " on this bucket and object name.",
        ])
    };
    let mut grants = record.grants().iter();
    let (target, rule, most) = match operation.level() {
        Level::Object => {
            let key = ObjectKey::new(verified.key())?;
            let found = grants.find_map(|grant| {
                let area = areas(grant).filter(|area| area.admits(&key))?;
                Some((area, grant))
            });
            let (area, grant) = found.ok_or_else(uncovered)?;
            let origin_key = area.origin_key(&key)?;
            let most = grant.conditions.max_object_bytes;
            (Target::Object { key, origin_key }, grant.unsigned_headers, most)
        }
        Level::Bucket | Level::Service => {
            let mut areas: Vec<Area> = grants.filter_map(areas).collect();
            if let Call::List(listing) = &call {
                areas = listing.area(&areas).cloned().into_iter().collect();
            }
            // Only a batch names keys: for all else that a bucket is asked, one says that it may be.
            if operation != Operation::DeleteMultipleObjects {
                areas.truncate(1);
            }
            if areas.is_empty() {
                return Err(uncovered());
            }
            (Target::Bucket { areas }, None, None)
        }
    };
    let unsigned_headers = rule.unwrap_or(bucket.unsigned_headers);
    let source = match operation.copies() {
        true => Some(source::readable(
            record,
            hosts,
            &verified,
            circumstances,
            most.is_some(),
        )?),
        false => None,
    };
    let authorized = Authorized::assertion(verified, (call, arguments), target, unsigned_headers);
    Ok(authorized.limited_to(most).with_source(source))
}

/// The refusal of what is no call. That a feature is lacking, or an argument wrong, is told to a key that may
/// use the operation, and that an operation has no counterpart to one that may do more than upload: to
/// others, whatever they may not do is denied alike (attack case H01).
fn unrecognised(
    record: &KeyRecord,
    bucket: &VirtualBucket,
    reason: NotACall,
    circumstances: Circumstances<'_>,
) -> Refusal {
    let concerns = |operation: &Operation| match reason {
        NotACall::Feature(of, _) | NotACall::BadParameter(of, _) => *operation == of,
        NotACall::WithoutCounterpart(_) => !Operation::UPLOAD.contains(operation),
        NotACall::Outside(_) => true,
    };
    let counts =
        |grant: &&Grant| grant.bucket == bucket.name && grant.conditions.obstacle(circumstances).is_none();
    let mut grants = record.grants().iter().filter(counts);
    if grants.any(|grant| grant.operations.iter().any(concerns)) {
        reason.into()
    } else {
        Refusal::new(Fault::Forbidden).because("No grant of the key covers the operation on this bucket.")
    }
}

/// The same for a request that is about no bucket: what it may know of are the buckets for which a grant
/// has the operation.
///
/// # Errors
/// As [`permit`].
pub fn permit_service<'a>(
    record: &KeyRecord,
    hosts: &'a Hosts,
    verified: Verified<'a, ()>,
    circumstances: Circumstances<'_>,
) -> Result<Authorized<'a>, Refusal> {
    let denied = |what: &str| {
        let text = ["No grant of the key covers ", what, " on any bucket."];
        Refusal::new(Fault::Forbidden).because(text.concat())
    };
    // Of all buckets one operation is known: whoever may not list them is not told what else is wrong (H01).
    let lists = |grant: &Grant| {
        let may = grant.operations.contains(&Operation::ListBuckets);
        may && grant.conditions.obstacle(circumstances).is_none()
    };
    let recognised =
        Call::recognise(&verified, true).map_err(|reason| match record.grants().iter().any(lists) {
            true => reason.into(),
            false => denied("the operation"),
        });
    let (call, arguments) = recognised?;
    let operation = call.operation();
    let is_granted = |bucket: &&VirtualBucket| {
        let mut grants = record.grants().iter();
        let opens = |grant: &Grant| grant.opens(bucket, operation, verified.key_id(), circumstances);
        operation.level() == Level::Service && grants.any(|grant| opens(grant).is_some())
    };
    let granted = || hosts.buckets().iter().filter(is_granted);
    // What the platform needs an origin for goes to the first.
    let first = granted().next().ok_or_else(|| denied(operation.name()))?;
    let buckets = granted().map(KnownBucket::from).collect();
    Ok(Authorized::assertion(
        verified.with_bucket(first),
        (call, arguments),
        Target::Service { buckets },
        first.unsigned_headers,
    ))
}

#[cfg(test)]
mod reserved_tests;
#[cfg(test)]
mod tests;
