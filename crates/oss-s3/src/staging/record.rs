//! Records: which staged parts a joined part of S3's holds.
//!
//! A record is an empty object whose name says it all, so a list of the folder shows every record without
//! reading one: `joined/{first}-{last}-{digest}-{ETag}`. It says that S3's part number `first`, while it has this
//! ETag, is the staged parts whose digest this is, one behind the other. Whether they are still the same ones has to
//! be looked at whenever it is used; a record that says anything else of them is void.

use request_auth::canon::hex;
use sha2::{Digest as _, Sha256};

use super::folder::{five_digits, number_of};
use crate::parts::{Part, PartNumber, read_etag};

/// How many bytes of a digest a name has: as many as the ETags that it stands for.
const DIGEST_BYTES: usize = 16;

/// What a joined part holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    first: PartNumber,
    last: PartNumber,
    /// In hexadecimal digits, as the name has it.
    digest: String,
    etag: String,
}

impl Record {
    /// The record of these parts, in order, joined to a part with this ETag (without quotes). `None` for no
    /// part, or for what is no ETag.
    pub fn of(members: &[Part], etag: &str) -> Option<Self> {
        Some(Self {
            first: members.first()?.number(),
            last: members.last()?.number(),
            digest: digest_of(&mut members.iter()),
            etag: is_etag(etag).then(|| etag.to_owned())?,
        })
    }

    /// Reads a name as [`Folder::record`](super::Folder::record) has it behind `joined/`; `None` for any other.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let mut rest = name;
        let mut field = |length| {
            let (field, behind) = rest.split_at_checked(length)?;
            rest = behind.strip_prefix('-')?;
            Some(field)
        };
        let (first, last) = (number_of(field(5)?)?, number_of(field(5)?)?);
        let digest = field(2 * DIGEST_BYTES)?;
        let is_hex = digest
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (first <= last && is_hex && is_etag(rest)).then(|| Self {
            first,
            last,
            digest: digest.to_owned(),
            etag: rest.to_owned(),
        })
    }

    pub(super) fn name(&self) -> String {
        let (first, last) = (five_digits(self.first), five_digits(self.last));
        [&first, "-", &last, "-", &self.digest, "-", &self.etag].concat()
    }

    /// The number of the first part, which is also the number of the joined part.
    pub const fn first(&self) -> PartNumber {
        self.first
    }

    /// The number of the last part.
    pub const fn last(&self) -> PartNumber {
        self.last
    }

    /// The ETag of the joined part, without quotes.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Whether it is these parts that were joined.
    pub(super) fn is_of(&self, members: &mut dyn Iterator<Item = &Part>) -> bool {
        self.digest == digest_of(members)
    }
}

/// The first half of a SHA-256 over number, size and ETag of each part. Lengths are fixed or said, so no two lists of
/// parts give the same bytes.
pub(super) fn digest_of(members: &mut dyn Iterator<Item = &Part>) -> String {
    let mut digest = Sha256::new();
    for part in members {
        let etag = part.etag();
        digest.update(part.number().get().to_be_bytes());
        digest.update(part.size().unwrap_or_default().to_be_bytes());
        digest.update(u16::try_from(etag.len()).unwrap_or_default().to_be_bytes());
        digest.update(etag);
    }
    hex(digest.finalize().get(..DIGEST_BYTES).unwrap_or_default())
}

/// Whether this is an ETag as it stands, without quotes.
fn is_etag(text: &str) -> bool {
    read_etag(text) == Some(text)
}

#[cfg(test)]
mod tests;
