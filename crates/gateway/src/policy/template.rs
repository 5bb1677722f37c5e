//! Prefixes and mounts of grants, in which whole segments stand for parts of the access key id.
//!
//! A template is checked when the record is read, and filled for the key that signed: the grants of a
//! fleet's record serve every device of it. What it may not hold is refused in a sentence: empty and dot
//! segments, braces that stand for nothing, parts that the record's keys do not have.

use oss_s3::key::ObjectKey;
use request_auth::derived::{DerivedKeyId, MAX_NAME_BYTES, fleet_of_record};

use crate::keys::RecordError;

/// Nothing, or segments that end in `/`.
pub(super) struct Template(String);

impl Template {
    /// Checks a template of the field `field`, of the record `record_id`.
    pub(super) fn new(field: &str, text: String, record_id: &str) -> Result<Self, RecordError> {
        let fail = |what: &str| Err(RecordError(["`", field, "` ", what].concat()));
        let template = Self(text);
        if template.0.is_empty() {
            return Ok(template);
        }
        if !template.0.ends_with('/') {
            return fail("has to end in `/`");
        }
        let is_fleet = fleet_of_record(record_id).is_some();
        for segment in template.0.split_inclusive('/') {
            match segment {
                "/" => return fail("starts with `/` or holds an empty segment"),
                "{key_id}/" => {}
                "{fleet}/" | "{device}/" if is_fleet => {}
                _ if segment.contains(['{', '}']) => {
                    return fail(
                        "holds `{` or `}`; only `{key_id}` as a whole segment is replaced, and in a fleet's record `{fleet}` and `{device}`",
                    );
                }
                _ => {}
            }
        }
        // What holds for the longest id of a fleet holds for all of them.
        let device = "x".repeat(MAX_NAME_BYTES);
        let longest = [record_id, ".", &device].concat();
        let filled = template.filled(if is_fleet { &longest } else { record_id });
        match ObjectKey::new(&filled) {
            Ok(_) => Ok(template),
            Err(_) => fail(
                "is too long, begins with `.causeway/`, or holds a segment that no object key may hold: `.`, `..`, `\\`, or a control character",
            ),
        }
    }

    /// The template for a key of its record.
    pub(super) fn filled(&self, key_id: &str) -> Vec<u8> {
        let derived = DerivedKeyId::parse(key_id);
        let mut filled = Vec::with_capacity(self.0.len());
        for segment in self.0.split_inclusive('/') {
            let part = match (segment, derived) {
                ("{key_id}/", _) => key_id,
                ("{fleet}/", Some(id)) => id.fleet(),
                ("{device}/", Some(id)) => id.device(),
                _ => {
                    filled.extend_from_slice(segment.as_bytes());
                    continue;
                }
            };
            filled.extend_from_slice(part.as_bytes());
            filled.push(b'/');
        }
        filled
    }
}
