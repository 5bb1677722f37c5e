//! The batch of deletions of DeleteMultipleObjects: read from the client's document, judged key by key, and
//! written anew for S3.
//!
//! The head of the request names no key, so each one is permitted here: it has to lie in an area that a grant
//! opens for the operation, and one that lies in none refuses the batch before the origin is asked (attack case
//! H10). A batch is refused as well for whatever could be read in two ways: a key twice, an element that is not
//! known. S3's conditions on what is deleted are not passed on, so they are refused by their names.
//!
//! S3 is asked to tell of every key, also where the client wants quiet: nothing is told to have been deleted
//! that S3 does not say so of.

use request_auth::canon::sorted;

use crate::area::Area;
use crate::error::{Fault, Refusal};
use crate::key::{ObjectKey, OriginKey};
use crate::operation::VersionId;
use crate::xml::{self, Document};

/// The most objects of a batch: both dialects' bound.
pub const MAX_DELETIONS: usize = 1000;

const ROOT: &str = "Delete";
/// What S3's clients may ask of an object before it is deleted.
const CONDITIONS: [&str; 3] = ["ETag", "LastModifiedTime", "Size"];

/// One object, or a version of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Deletion {
    /// The key as the client names it.
    pub(crate) key: ObjectKey,
    /// The key at the origin.
    pub(crate) origin_key: OriginKey,
    /// The version; `None`: the current one.
    pub(crate) version: Option<VersionId>,
}

/// 1 to [`MAX_DELETIONS`] deletions, each of another object or version, all permitted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deletions {
    /// Whether the client wants to be told of failures only.
    pub(crate) is_quiet: bool,
    pub(crate) objects: Vec<Deletion>,
}

impl Deletions {
    /// Reads the document of a client that these areas are open to.
    ///
    /// # Errors
    /// `AccessDenied` for a key that lies in none of the areas; `InvalidObjectName` for a key that is none;
    /// `NotImplemented` for a condition; `MalformedXML` for what is no such document, or has no, too many or
    /// repeated objects.
    pub fn from_client(document: &[u8], areas: &[Area]) -> Result<Self, Refusal> {
        let (mut key, mut version, mut quiet) = (None, None, None);
        let mut objects = Vec::new();
        let mut has_root = false;
        xml::read::<Refusal>(document, &mut |element| {
            let path: Vec<&str> = element.path.iter().map(String::as_str).collect();
            let slot = match path.as_slice() {
                [ROOT, "Object", "Key"] => &mut key,
                [ROOT, "Object", "VersionId"] => &mut version,
                [ROOT, "Quiet"] => &mut quiet,
                [ROOT, "Object"] => {
                    if objects.len() >= MAX_DELETIONS {
                        return Err(malformed("There are more than 1,000 objects."));
                    }
                    let key: Option<String> = key.take();
                    let key = key.ok_or_else(|| malformed("An Object has no Key."))?;
                    objects.push(Deletion::permitted(&key, version.take(), areas)?);
                    return Ok(());
                }
                [ROOT] => {
                    has_root = true;
                    return Ok(());
                }
                [ROOT, "Object", name] if CONDITIONS.contains(name) => {
                    return Err(Refusal::new(Fault::NotImplemented).about(*name));
                }
                _ => return Err(malformed("The document has an element that is not known.")),
            };
            match slot.replace(element.text.to_owned()) {
                None => Ok(()),
                Some(_) => Err(malformed("An element stands twice.")),
            }
        })?;
        if !has_root || objects.is_empty() {
            return Err(malformed("The document names no object to delete."));
        }
        let is_quiet = match quiet.as_deref().map(str::trim) {
            None => false,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(_) => return Err(malformed("Quiet is neither true nor false.")),
        };
        let names = sorted(objects.iter().map(Deletion::name).collect());
        if names
            .windows(2)
            .any(|pair| matches!(pair, [one, next] if one == next))
        {
            return Err(malformed("An object is named twice."));
        }
        Ok(Self { is_quiet, objects })
    }

    /// The document for S3.
    pub fn to_xml(&self) -> String {
        let mut document = Document::new(ROOT);
        for object in &self.objects {
            document.open("Object");
            document.leaf("Key", object.origin_key.as_str());
            let version = object.version.as_ref().map(VersionId::as_str);
            document.leaf("VersionId", version.unwrap_or_default());
            document.close("Object");
        }
        document.finish()
    }
}

impl Deletion {
    /// The deletion of this key, if it lies in one of the areas; the first counts, as the first grant does for
    /// a single deletion.
    fn permitted(key: &str, version: Option<String>, areas: &[Area]) -> Result<Self, Refusal> {
        let key = ObjectKey::new(key.as_bytes())?;
        let version = version
            .map(|text| VersionId::new(&text).ok_or_else(|| malformed("A VersionId is none.")))
            .transpose()?;
        let area = areas.iter().find(|area| area.admits(&key)).ok_or_else(|| {
            Refusal::new(Fault::Forbidden)
                .because("No grant of the key lets it delete an object of the batch.")
        })?;
        let origin_key = area.origin_key(&key)?;
        Ok(Self {
            key,
            origin_key,
            version,
        })
    }

    /// Key and version at the origin; a key holds no line feed.
    fn name(&self) -> String {
        let version = self.version.as_ref().map(VersionId::as_str);
        [self.origin_key.as_str(), "\n", version.unwrap_or_default()].concat()
    }
}

fn malformed(what: &'static str) -> Refusal {
    Refusal::new(Fault::XmlMalformed).because(what)
}

#[cfg(test)]
mod tests;
