//! Sealed upload ids: no client reaches an upload that is not its own.
//!
//! The origin knows nothing of virtual buckets, mounts and keys: whoever names one of its upload ids under
//! the right key is let in. So a client is told a sealed id, and a request that names another than was told
//! for this bucket and key and this access key, in whichever way, is answered `NoSuchUpload`
//! without asking the origin (attack case H09).
//!
//! A sealed id is `{origin's id}.{mark}{seal}`. The mark is the id of the request that began the upload; an
//! object that an OSS client uploads in parts has it as metadata, so that a Complete whose answer was lost
//! is told from a lost upload. The seal is a MAC over all of it.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::answer::RequestId;
use crate::error::{Fault, Refusal};
use crate::operation::{Call, UploadId};

/// The metadata by which an object is known to be an upload's: the id of the request that began it.
pub const MARK_HEADER: &str = "x-amz-meta-causeway-upload";

/// How much of the metadata that an object may have the mark takes: `causeway-upload` and its value.
pub(crate) const MARK_BYTES: usize = 15 + 24;

/// How many bytes of a MAC are a seal.
const SEAL_BYTES: usize = 16;
/// A mark and a seal in base64url.
const SUFFIX_BYTES: usize = 24 + 22;

/// The keys that upload ids are sealed under: the first seals, any of them opens.
#[derive(Clone)]
pub struct SealKeys(Rc<[Zeroizing<[u8; 32]>]>);

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKeys")
    }
}

impl SealKeys {
    /// Derives them from a deployment's secrets, the current one first.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a [u8]>) -> Self {
        let derive = |secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
            mac.update(b"causeway upload id 1");
            Some(Zeroizing::new(mac.finalize().into_bytes().into()))
        };
        Self(secrets.filter_map(derive).collect())
    }
}

/// Whose an upload is.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The virtual bucket.
    pub bucket: &'a str,
    /// The object's key as the client names it.
    pub key: &'a str,
    /// The access key id that began it.
    pub key_id: &'a str,
}

impl Owner<'_> {
    /// What a client is told for an upload of the origin's that the request `mark` began; `None` for an id
    /// that has no room for a seal.
    pub fn seal(self, keys: &SealKeys, id: &UploadId, mark: &RequestId) -> Option<UploadId> {
        let seal = self.mac(keys.0.first()?, id, mark)?.finalize().into_bytes();
        let seal = URL_SAFE_NO_PAD.encode(seal.first_chunk::<SEAL_BYTES>()?);
        UploadId::new([id.as_str(), ".", mark.as_str(), &seal].concat().as_bytes())
    }

    /// The upload that a client names; `None` for one that it was not told of.
    pub fn open(self, keys: &SealKeys, told: &UploadId) -> Option<Upload> {
        let at = told.as_str().len().checked_sub(SUFFIX_BYTES)?;
        let (id, suffix) = told.as_str().split_at_checked(at)?;
        let id = UploadId::new(id.strip_suffix('.')?.as_bytes())?;
        let (mark, seal) = suffix.split_at_checked(24)?;
        let mark = RequestId::from_text(mark)?;
        let seal: [u8; SEAL_BYTES] = URL_SAFE_NO_PAD.decode(seal).ok()?.try_into().ok()?;
        let is_sealed = |key| {
            let mac = self.mac(key, &id, &mark)?;
            mac.verify_truncated_left(&seal).ok()
        };
        let opened = keys.0.iter().find_map(|key| is_sealed(key));
        opened.map(|()| Upload { id, mark })
    }

    /// Over all parts, each behind its length, so that no two lists of them share a MAC.
    fn mac(self, key: &[u8; 32], id: &UploadId, mark: &RequestId) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        for part in [self.bucket, self.key, self.key_id, id.as_str(), mark.as_str()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac)
    }
}

/// Seals what one client is told of.
#[derive(Clone, Copy, Debug)]
pub struct Sealer<'a> {
    bucket: &'a str,
    key_id: &'a str,
    keys: &'a SealKeys,
}

impl<'a> Sealer<'a> {
    /// For the uploads to this virtual bucket of the client with this access key id.
    pub(crate) const fn new(bucket: &'a str, key_id: &'a str, keys: &'a SealKeys) -> Self {
        Self { bucket, key_id, keys }
    }

    /// What the client is told for an upload of the origin's to this key of its, which the request `mark`
    /// began.
    ///
    /// # Errors
    /// `InternalError` for an id that has no room for a seal.
    pub(crate) fn seal(self, key: &str, id: &UploadId, mark: &RequestId) -> Result<UploadId, Refusal> {
        let owner = Owner {
            bucket: self.bucket,
            key,
            key_id: self.key_id,
        };
        owner.seal(self.keys, id, mark).ok_or_else(|| {
            Refusal::new(Fault::OriginAnswerUnreadable)
                .because("The origin's id of an upload is too long to be sealed.")
        })
    }
}

/// Why an upload id is refused whose seal does not hold, for the log.
const FOREIGN: &str =
    "The upload id is not sealed by this deployment's secret for this bucket, key and access key id.";

/// The upload that a call names; `None` of a call that names none. The `owner` of one behind which a list of
/// uploads begins is that of the list's marker.
///
/// # Errors
/// `NoSuchUpload` for one that its owner was not told of, `InvalidArgument` for such a marker.
pub(crate) fn named(call: &Call, owner: Owner<'_>, keys: &SealKeys) -> Result<Option<Upload>, Refusal> {
    if let Call::List(listing) = call {
        let key = &listing.after;
        let bad = || Refusal::new(Fault::ArgumentInvalid).about("upload-id-marker");
        let opened = |told| Owner { key, ..owner }.open(keys, &told).ok_or_else(bad);
        return listing.upload().map(opened).transpose();
    }
    let foreign = || Refusal::new(Fault::NoSuchUpload).because(FOREIGN);
    let opened = |told| owner.open(keys, told).ok_or_else(foreign);
    call.upload().map(opened).transpose()
}

/// An upload of the origin's that belongs to whoever named it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upload {
    id: UploadId,
    mark: RequestId,
}

impl Upload {
    /// The origin's id of it. Not for clients.
    pub const fn id(&self) -> &UploadId {
        &self.id
    }

    /// The id of the request that began it.
    pub const fn mark(&self) -> &RequestId {
        &self.mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secrets: &[&str]) -> SealKeys {
        SealKeys::new(secrets.iter().map(|secret| secret.as_bytes()))
    }

    const OWNER: Owner<'_> = Owner {
        bucket: "devices",
        key: "a/k",
        key_id: "AK-1",
    };

    fn id(text: &str) -> UploadId {
        UploadId::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn h09_an_upload_id_opens_for_its_owner_alone() {
        let keys = keys(&["0123456789abcdef"]);
        let mark = RequestId::from_bytes([7; 12]);
        let told = OWNER.seal(&keys, &id("2~a.b-c_d"), &mark).unwrap();
        let upload = OWNER.open(&keys, &told).unwrap();
        assert_eq!((upload.id().as_str(), upload.mark()), ("2~a.b-c_d", &mark));
        for other in [
            Owner {
                bucket: "device",
                ..OWNER
            },
            Owner { key: "a/k2", ..OWNER },
            Owner {
                key_id: "AK-2",
                ..OWNER
            },
            Owner {
                bucket: "devicesa",
                key: "/k",
                ..OWNER
            },
        ] {
            assert_eq!(other.open(&keys, &told), None, "{other:?}");
        }
    }

    #[test]
    fn h09_any_changed_character_of_a_sealed_id_is_refused() {
        let keys = keys(&["0123456789abcdef"]);
        let told = OWNER
            .seal(&keys, &id("upload"), &RequestId::from_bytes([7; 12]))
            .unwrap();
        for at in 0..told.as_str().len() {
            for other in [b'A', b'0', b'.', b'_'] {
                let mut bytes = told.as_str().as_bytes().to_vec();
                if bytes[at] == other {
                    continue;
                }
                bytes[at] = other;
                assert_eq!(
                    OWNER.open(&keys, &UploadId::new(&bytes).unwrap()),
                    None,
                    "{at} {other}"
                );
            }
        }
        for text in ["upload", ".", told.as_str().split_at(7).1] {
            assert_eq!(OWNER.open(&keys, &id(text)), None, "{text}");
        }
    }

    #[test]
    fn an_upload_outlives_the_rotation_of_the_secret() {
        let mark = RequestId::from_bytes([7; 12]);
        let told = OWNER.seal(&keys(&["old"]), &id("u"), &mark).unwrap();
        assert!(OWNER.open(&keys(&["new", "old"]), &told).is_some());
        assert!(OWNER.open(&keys(&["new"]), &told).is_none());
        assert!(OWNER.open(&keys(&[]), &told).is_none());
        assert_eq!(OWNER.seal(&keys(&[]), &id("u"), &mark), None);
    }

    #[test]
    fn an_id_without_room_for_a_seal_is_not_told() {
        let long = id(&"u".repeat(1000));
        assert_eq!(
            OWNER.seal(&keys(&["s"]), &long, &RequestId::from_bytes([7; 12])),
            None
        );
    }

    #[test]
    fn l02_the_keys_of_seals_are_shown_nowhere() {
        assert_eq!(format!("{:?}", keys(&["0123456789abcdef"])), "SealKeys");
    }
}
