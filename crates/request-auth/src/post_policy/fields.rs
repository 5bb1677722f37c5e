//! The fields of a form, as received and by name.

use core::fmt;

use super::FormDenial;
use crate::dialect::Dialect;

/// The fields before a form's file: names in lower case, each once, and values as bytes. They may hold a
/// session token, so their Debug has no content.
pub struct FormFields(Vec<(String, Vec<u8>)>);

impl FormFields {
    /// Takes names and values in their order.
    ///
    /// # Errors
    /// [`FormDenial::FieldRepeated`] for a name that stands twice, in whatever case: signatures and
    /// policies could be about one and the upload about the other.
    pub fn new(parts: Vec<(String, Vec<u8>)>) -> Result<Self, FormDenial> {
        let mut fields: Vec<(String, Vec<u8>)> = Vec::with_capacity(parts.len());
        for (name, value) in parts {
            let name = name.to_ascii_lowercase();
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(FormDenial::FieldRepeated(name));
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// The value of a field by its lower-case name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_slice())
    }

    /// The dialect of whoever made the form, however malformed its signature is: S3 where a field of its
    /// signatures is there.
    pub fn dialect(&self) -> Dialect {
        const OF_S3: [&str; 4] = [
            "x-amz-algorithm",
            "x-amz-credential",
            "x-amz-signature",
            "awsaccesskeyid",
        ];
        match OF_S3.iter().any(|name| self.get(name).is_some()) {
            true => Dialect::S3,
            false => Dialect::Oss,
        }
    }

    /// Every field: lower-case name and value, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

impl fmt::Debug for FormFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormFields(..)")
    }
}

/// A form: its fields, and what its policy may say of the file.
#[derive(Clone, Copy, Debug)]
pub struct Form<'f> {
    /// The fields before the file.
    pub fields: &'f FormFields,
    /// The file's name as the client gave it; empty for none.
    pub file_name: &'f [u8],
    /// The file's length in bytes.
    pub file_bytes: u64,
}

impl Form<'_> {
    /// The object key: the field `key` with `${filename}` replaced by the file's name, of which only
    /// what stands behind the last `/` or `\` counts, as both vendors have it. `None` without the field.
    pub(super) fn key(&self) -> Option<Vec<u8>> {
        const MARK: &[u8] = b"${filename}";
        let mut rest = self.fields.get("key")?;
        let is_separator = |byte: &u8| matches!(byte, b'/' | b'\\');
        let name = self.file_name.rsplit(is_separator).next().unwrap_or_default();
        let mut key = Vec::new();
        while let Some((first, behind)) = rest.split_first() {
            match rest.strip_prefix(MARK) {
                Some(behind) => {
                    key.extend_from_slice(name);
                    rest = behind;
                }
                None => {
                    key.push(*first);
                    rest = behind;
                }
            }
        }
        Some(key)
    }
}
