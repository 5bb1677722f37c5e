//! What a signed policy says: its end, and the conditions that a form has to meet.

use crate::time::UnixSeconds;

/// A policy as read from its JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The last moment at which the form may be used.
    pub expires: UnixSeconds,
    /// All of these have to hold.
    pub conditions: Vec<Condition>,
}

/// A condition of a policy. Fields are named in lower case and without their `$`. A field that is not
/// there meets none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// `{"field": "value"}` or `["eq", "$field", "value"]`: the field has this value.
    Equals(String, String),
    /// `["starts-with", "$field", "prefix"]`; an empty prefix permits any value.
    StartsWith(String, String),
    /// `["in", "$field", ["value", …]]`: the field has one of these values.
    In(String, Vec<String>),
    /// `["not-in", "$field", ["value", …]]`: it has none of these.
    NotIn(String, Vec<String>),
    /// `["content-length-range", least, most]`: the bytes of the file, both ends included.
    FileBytes {
        /// The fewest bytes.
        least: u64,
        /// The most bytes.
        most: u64,
    },
}

impl Condition {
    /// The field that the condition is about; `None` for the file.
    pub(super) fn field(&self) -> Option<&str> {
        match self {
            Self::Equals(field, _)
            | Self::StartsWith(field, _)
            | Self::In(field, _)
            | Self::NotIn(field, _) => Some(field),
            Self::FileBytes { .. } => None,
        }
    }

    /// Whether the field's value meets the condition. `as_list`: the value is a list joined by commas, of
    /// which each part has to start with the prefix.
    pub(super) fn is_met(&self, value: &[u8], as_list: bool) -> bool {
        let is = |text: &String| text.as_bytes() == value;
        match self {
            Self::Equals(_, text) => is(text),
            Self::StartsWith(_, prefix) if as_list => value
                .split(|&byte| byte == b',')
                .all(|part| part.trim_ascii().starts_with(prefix.as_bytes())),
            Self::StartsWith(_, prefix) => value.starts_with(prefix.as_bytes()),
            Self::In(_, values) => values.iter().any(is),
            Self::NotIn(_, values) => !values.iter().any(is),
            Self::FileBytes { .. } => false,
        }
    }
}

/// Why a text is no policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyFault {
    /// It is no JSON, or JSON of another shape.
    Unreadable,
    /// This part of every policy is missing.
    Incomplete(&'static str),
}

/// Reads a policy's JSON strictly: a text with two readings is none.
pub type PolicyReader = fn(&str) -> Result<Policy, PolicyFault>;
