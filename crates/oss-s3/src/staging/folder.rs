//! The folder of an upload: where its staged parts are at the origin, and what its keys mean.
//!
//! Its name is a digest of the bucket, the key and the origin's id of the upload, so two uploads never share
//! one, no client can choose it, and nothing of a key can be read there.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::record::{Record, digest_of};
use crate::parts::{Part, PartNumber};

/// How long the name of a folder is, in bytes.
pub const NAME_BYTES: usize = 43;
const RECORDS: &str = "joined/";
const UNSIZED: &str = ".unsized";
/// Behind all else in a list, so that what it speaks for is deleted no later than itself.
const NOTES: &str = "making/";

/// The keys of an upload's staged objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder(String);

/// What a key in a folder is.
pub(super) enum Name {
    Part(PartNumber),
    Record(Record),
    Note,
    /// What is only there to be deleted: an object of [`Folder::unsized_object`], or a stranger.
    Other,
}

impl Folder {
    /// The folder of the upload that the origin calls `upload`, of an object that clients call `key` in the virtual
    /// bucket `bucket`. `prefix` is the [configured one](crate::addressing::Staging).
    pub fn of(prefix: &str, bucket: &str, key: &str, upload: &str) -> Self {
        let mut digest = Sha256::new();
        for text in [bucket, "\0", key, "\0", upload] {
            digest.update(text);
        }
        let mut folder = prefix.to_owned();
        URL_SAFE_NO_PAD.encode_string(digest.finalize(), &mut folder);
        folder.push('/');
        Self(folder)
    }

    /// The folder of this [name](Self::name); `None` for what is no name of one.
    pub fn named(prefix: &str, name: &str) -> Option<Self> {
        let is_digest = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let is_name = name.len() == NAME_BYTES && name.bytes().all(is_digest);
        is_name.then(|| Self([prefix, name, "/"].concat()))
    }

    /// What tells it from the folders of other uploads, [`NAME_BYTES`] long: the digest in base64url.
    pub fn name(&self) -> &str {
        let end = self.0.len().saturating_sub(1);
        let name = self.0.get(end.saturating_sub(NAME_BYTES)..end);
        name.unwrap_or_default()
    }

    /// What every key in the folder begins with; ends in `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of a staged part.
    pub fn part(&self, number: PartNumber) -> String {
        [self.as_str(), &five_digits(number)].concat()
    }

    /// The key of a record of a joined part.
    pub fn record(&self, record: &Record) -> String {
        [self.as_str(), RECORDS, &record.name()].concat()
    }

    /// What the key of a note begins with that S3 is asked to make the object of these parts: an empty object. While one
    /// of another request's is there, a Complete that finds its upload gone is known to have named the parts that the
    /// object has.
    pub fn note(&self, parts: &[Part]) -> String {
        [self.as_str(), NOTES, &digest_of(&mut parts.iter())].concat()
    }

    /// The key of the object that a part without a length is stored as until it is copied into its place.
    pub fn unsized_object(&self, number: PartNumber) -> String {
        [self.as_str(), &five_digits(number), UNSIZED].concat()
    }

    /// What a key is; `None` for one outside the folder.
    pub(super) fn read(&self, key: &str) -> Option<Name> {
        let name = key.strip_prefix(self.as_str())?;
        let record = || Record::from_name(name.strip_prefix(RECORDS)?).map(Name::Record);
        let note = || name.starts_with(NOTES).then_some(Name::Note);
        let known = number_of(name).map(Name::Part).or_else(record).or_else(note);
        Some(known.unwrap_or(Name::Other))
    }
}

/// A part number as names have it, so that they sort as the numbers do.
pub(super) fn five_digits(number: PartNumber) -> String {
    let digits = number.get().to_string();
    let zeros = "00000".get(digits.len()..).unwrap_or_default();
    [zeros, &digits].concat()
}

/// Reads [`five_digits`].
pub(super) fn number_of(name: &str) -> Option<PartNumber> {
    let zeros = name.bytes().take_while(|byte| *byte == b'0').count();
    let digits = name.as_bytes().get(zeros..).filter(|_| name.len() == 5)?;
    PartNumber::from_decimal(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u16) -> PartNumber {
        PartNumber::from_decimal(number.to_string().as_bytes()).unwrap()
    }

    fn folder(bucket: &str, key: &str, upload: &str) -> Folder {
        Folder::of(".causeway/", bucket, key, upload)
    }

    #[test]
    fn a_folder_is_named_by_the_digest_of_bucket_key_and_upload() {
        // printf 'devices\0a/b\0U1' | sha256sum, in base64url.
        let folder = folder("devices", "a/b", "U1");
        assert_eq!(
            folder.as_str(),
            ".causeway/P4lIIM0mDD8x2pfu_2nAAZu2z_iVwlEwPhrph3ZNBvA/"
        );
        assert_eq!(folder.part(number(7)), [folder.as_str(), "00007"].concat());
        assert_eq!(folder.part(number(10_000)), [folder.as_str(), "10000"].concat());
        assert_eq!(
            folder.unsized_object(number(42)),
            [folder.as_str(), "00042.unsized"].concat()
        );
    }

    #[test]
    fn no_two_uploads_share_a_folder() {
        let folders = [
            folder("devices", "a/b", "U1"),
            folder("devices", "a/b", "U2"),
            folder("devices", "a/bU", "1"),
            folder("device", "sa/b", "U1"),
            folder("devices", "a", "b\0U1"),
        ];
        for (at, one) in folders.iter().enumerate() {
            for (other_at, other) in folders.iter().enumerate() {
                // A NUL is in no bucket name, key or upload id; the last folder only shows what it would do.
                assert_eq!(one == other, at == other_at, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn only_five_digits_from_1_to_10000_name_a_staged_part() {
        let folder = folder("b", "k", "U");
        let part = |name: &str| match folder.read(&[folder.as_str(), name].concat()) {
            Some(Name::Part(number)) => Some(number.get()),
            Some(_) => None,
            None => panic!("{name} is in the folder"),
        };
        assert_eq!(part("00001"), Some(1));
        assert_eq!(part("10000"), Some(10_000));
        for name in [
            "",
            "1",
            "0001",
            "000001",
            "00000",
            "10001",
            "+0001",
            "0000 ",
            "00001.unsized",
            "00001/",
            "joined/",
            "0000\u{661}",
        ] {
            assert_eq!(part(name), None, "{name}");
        }
        for key in [
            "",
            "00001",
            ".causeway/00001",
            folder.as_str().strip_prefix(".").unwrap(),
        ] {
            assert!(folder.read(key).is_none(), "{key}");
        }
    }
}
