//! What of a form its policy permits.
//!
//! S3 asks that every field be covered by a condition, but for the signature, the policy and what starts
//! with `x-ignore-`. OSS enforces the conditions that are there: what none of them names is the client's
//! own choice, and the policy's author knew. V4 of OSS asks that its own fields be covered. A redirect has
//! to be covered in either, for else anybody could send a browser anywhere; so have, stricter than OSS, an
//! ACL, tags, a storage class and encryption.

use super::policy::{Condition, Policy};
use super::{Form, FormDenial, Grammar};
use crate::canon::sorted;
use crate::claim::Scheme;
use crate::denial::Denial;
use crate::head::{HeadError, is_token_byte, trim_blanks};
use crate::payload::Payload;
use crate::verified::{Coverage, Covered, Hint, Resource, VerifiedParameter};

/// The field that sends a browser on.
const REDIRECT: &str = "success_action_redirect";

/// Whether a field of an OSS form decides where a browser goes, who may read the object, or what keeping it
/// costs: what only the policy's author may choose.
fn is_weighty(name: &str) -> bool {
    matches!(
        name,
        REDIRECT | "x-oss-object-acl" | "x-oss-tagging" | "x-oss-storage-class"
    ) || name.starts_with("x-oss-server-side-")
}

/// The fields that are headers of the object beside the vendor's own ones; those of a [`Hint`] among them.
const HEADERS: [&str; 7] = [
    "content-type",
    "content-md5",
    "content-encoding",
    "content-disposition",
    "cache-control",
    "content-language",
    "expires",
];

/// A form whose fields meet the policy; its bucket is still to be judged.
pub(super) struct Permitted<'p> {
    form: &'p Form<'p>,
    grammar: &'static Grammar,
    policy: &'p Policy,
    key: Vec<u8>,
}

impl<'p> Permitted<'p> {
    /// Judges everything but the bucket.
    pub(super) fn new(
        form: &'p Form<'p>,
        grammar: &'static Grammar,
        policy: &'p Policy,
    ) -> Result<Self, FormDenial> {
        let permitted = Self {
            form,
            grammar,
            policy,
            key: form.key().ok_or(FormDenial::KeyMissing)?,
        };
        for condition in &policy.conditions {
            permitted.check(condition)?;
        }
        for (name, _) in form.fields.iter() {
            if permitted.has_to_cover(name) && !permitted.covers(name) {
                return Err(FormDenial::Uncovered(name.to_owned()));
            }
        }
        if permitted.is_s3() && !permitted.covers("bucket") {
            return Err(FormDenial::Uncovered("bucket".to_owned()));
        }
        Ok(permitted)
    }

    fn is_s3(&self) -> bool {
        self.grammar.scheme == Scheme::S3PostV4
    }

    fn check(&self, condition: &Condition) -> Result<(), FormDenial> {
        let value = match condition {
            Condition::FileBytes { most, .. } if self.form.file_bytes > *most => {
                return Err(FormDenial::TooLarge);
            }
            Condition::FileBytes { least, .. } if self.form.file_bytes < *least => {
                return Err(FormDenial::TooSmall);
            }
            _ => match condition.field() {
                None | Some("bucket") => return Ok(()),
                Some("key") => Some(self.key.as_slice()),
                Some(name) => self.form.fields.get(name),
            },
        };
        let name = condition.field().unwrap_or_default();
        let as_list = self.is_s3() && name == "content-type";
        if value.is_some_and(|value| condition.is_met(value, as_list)) {
            Ok(())
        } else {
            Err(FormDenial::Unmet(name.to_owned()))
        }
    }

    fn covers(&self, name: &str) -> bool {
        let mut conditions = self.policy.conditions.iter();
        conditions.any(|condition| condition.field() == Some(name))
    }

    /// Whether a condition has to name the field. The signature and the policy can't be in the policy.
    fn has_to_cover(&self, name: &str) -> bool {
        let is_signature = self.grammar.signature.eq_ignore_ascii_case(name);
        if is_signature || name == "policy" {
            return false;
        }
        match self.grammar.scheme {
            Scheme::S3PostV4 => !name.starts_with("x-ignore-"),
            Scheme::OssPostV4 => is_weighty(name) || self.grammar.own.contains(&name),
            _ => is_weighty(name),
        }
    }

    /// Whether the addressed bucket is the policy's. A field `bucket` that says another one is refused,
    /// whoever would read it.
    pub(super) fn is_for<B>(&self, resource: &Resource<'_, B>) -> Result<bool, FormDenial> {
        // A client that signs no bucket name has none that a policy could be about.
        let name = resource.signed_bucket.unwrap_or_default().as_bytes();
        if !resource.key.is_empty() || name.is_empty() {
            return Ok(false);
        }
        let mut about = self
            .policy
            .conditions
            .iter()
            .filter(|condition| condition.field() == Some("bucket"));
        let is_field = self.form.fields.get("bucket").is_none_or(|field| field == name);
        Ok(is_field && about.all(|condition| condition.is_met(name, false)))
    }

    /// What the signature covers by way of the policy, and the object key. The fields that are headers
    /// of the object become headers, the others parameters.
    pub(super) fn covered(&self, key_id: String) -> Result<(Covered<'static>, Vec<u8>), FormDenial> {
        let vendor = if self.is_s3() { "x-amz-" } else { "x-oss-" };
        let mut signed_headers = Vec::new();
        let mut hints = Vec::new();
        let mut parameters = Vec::new();
        for (name, value) in self.form.fields.iter() {
            if self.grammar.own.contains(&name) || matches!(name, "key" | "bucket") {
                continue;
            }
            let is_covered = self.covers(name);
            let header = match name {
                "acl" if self.is_s3() => Some("x-amz-acl"),
                _ if HEADERS.contains(&name) || name.starts_with(vendor) => Some(name),
                _ => None,
            };
            let Some(header) = header else {
                parameters.push(VerifiedParameter {
                    name: name.as_bytes().to_vec(),
                    value: value.to_vec(),
                    coverage: if is_covered {
                        Coverage::Signed
                    } else {
                        Coverage::Unsigned
                    },
                });
                continue;
            };
            let value = header_value(header, value)?;
            let hint = Hint::ALL.into_iter().find(|hint| hint.header_name() == header);
            match hint {
                Some(hint) if !is_covered => hints.push((hint, value)),
                _ => signed_headers.push((header.to_owned(), value)),
            }
        }
        let covered = Covered {
            scheme: self.grammar.scheme,
            key_id,
            method: "POST",
            parameters,
            signed_headers: sorted(signed_headers),
            hints,
            payload: Payload::Unsigned,
        };
        Ok((covered, self.key.clone()))
    }
}

/// A field as a header's value: what could not stand in a head is refused as there.
fn header_value(name: &str, value: &[u8]) -> Result<Vec<u8>, Denial> {
    if !name.bytes().all(is_token_byte) {
        return Err(HeadError::HeaderName.into());
    }
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(HeadError::HeaderValue.into());
    }
    Ok(trim_blanks(value).to_vec())
}
