//! The part list of CompleteMultipartUpload: read from the device's document or from the origin's
//! ListParts, checked, and written anew for S3.
//!
//! The device's document is never passed on. Its list is kept in the order sent, which has to be
//! strictly ascending, and gives the ETag that S3 will compute; with it a Complete whose answer was
//! lost is told from a lost upload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use request_auth::Dialect;

use crate::error::{Fault, Refusal};
use crate::parts::PartReader;
use crate::xml::{self, Document, Unreadable};

pub use crate::parts::{MAX_PARTS, MAX_PARTS_PAGE_BYTES, Part, PartNumber, PartsPage};

/// The longest CompleteMultipartUpload document that is read, in bytes.
pub const MAX_PART_LIST_BYTES: usize = 2 * 1024 * 1024;

/// At least one part, numbers strictly ascending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartList(Vec<Part>);

impl PartList {
    /// Reads the document of a device's CompleteMultipartUpload. ETags may be quoted or not, S3 clients
    /// may state checksums, and any other element is ignored.
    ///
    /// # Errors
    /// `MalformedXML` for what is no such document, is too long or has no or too many parts;
    /// `InvalidPartOrder` where the numbers do not ascend; `InvalidPart` for an impossible part.
    pub fn from_device(document: &[u8], dialect: Dialect) -> Result<Self, Refusal> {
        if document.len() > MAX_PART_LIST_BYTES {
            return Err(Refusal::new(Fault::XmlMalformed).because("The part list is longer than 2 MiB."));
        }
        let mut parts = PartReader::new(&["CompleteMultipartUpload", "Part"], dialect);
        let mut root = false;
        xml::read(document, &mut |element| {
            root = root || element.is(&["CompleteMultipartUpload"]);
            parts.take(&element)
        })?;
        if !root {
            return Err(Refusal::new(Fault::XmlMalformed).because("The root is not CompleteMultipartUpload."));
        }
        Self::of(parts.parts)
    }

    /// Takes the parts of an upload as the origin lists them (`x-oss-complete-all`).
    ///
    /// # Errors
    /// `InvalidPart` for none: there is nothing to complete.
    pub fn of_pages(pages: impl IntoIterator<Item = PartsPage>) -> Result<Self, Refusal> {
        let parts: Vec<Part> = pages.into_iter().flat_map(PartsPage::into_parts).collect();
        if parts.is_empty() {
            return Err(Refusal::new(Fault::PartInvalid).because("The upload to complete has no part."));
        }
        Self::of(parts)
    }

    /// The parts with these ETags, which are without quotes, numbered from 1 on.
    ///
    /// # Errors
    /// `MalformedXML` for none or for more than an upload can have.
    pub fn numbered(etags: Vec<String>) -> Result<Self, Refusal> {
        let part = |(at, etag)| Some(Part::new(PartNumber::behind(at)?, etag, None, None));
        let parts: Option<Vec<Part>> = etags.into_iter().enumerate().map(part).collect();
        Self::of(parts.unwrap_or_default())
    }

    pub(crate) fn of(parts: Vec<Part>) -> Result<Self, Refusal> {
        if parts.is_empty() {
            return Err(Refusal::new(Fault::XmlMalformed).because("The part list is empty."));
        }
        if !parts.is_sorted_by(|one, next| one.number() < next.number()) {
            return Err(Fault::PartOrderInvalid.into());
        }
        Ok(Self(parts))
    }

    /// The parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The parts in order.
    pub fn into_parts(self) -> Vec<Part> {
        self.0
    }

    /// The document for S3.
    pub fn to_xml(&self) -> String {
        let mut document = Document::new("CompleteMultipartUpload");
        for part in &self.0 {
            document.open("Part");
            document.leaf("PartNumber", &part.number().to_string());
            document.leaf("ETag", &["\"", part.etag(), "\""].concat());
            for (name, text) in part.checksums() {
                document.leaf(name, text);
            }
            document.close("Part");
        }
        document.finish()
    }

    /// How many bytes the object made of these parts has, by what the origin listed of its upload.
    ///
    /// # Errors
    /// `InvalidPart` for a part that was not listed, or with another ETag: what is stored under its number
    /// by the time of completion could have any size. `InternalError` where the origin tells no size.
    pub fn bytes(&self, listed: &Self) -> Result<u64, Refusal> {
        let mut listed = listed.0.iter();
        let mut bytes = 0_u64;
        for part in &self.0 {
            let found = listed
                .find(|listed| listed.number() >= part.number())
                .filter(|listed| {
                    listed.number() == part.number() && listed.etag().eq_ignore_ascii_case(part.etag())
                });
            let Some(found) = found else {
                return Err(Refusal::new(Fault::PartInvalid)
                    .because("A part to complete is not listed by the origin."));
            };
            let size = found.size().ok_or_else(|| {
                Refusal::new(Fault::OriginAnswerUnreadable)
                    .because("The origin lists a part without its size.")
            })?;
            bytes = bytes.saturating_add(size);
        }
        Ok(bytes)
    }

    /// The ETag that S3 gives the object made of these parts, without quotes: the MD5 of the parts'
    /// MD5s, `-`, and their count. `None` where some part's ETag is not an MD5 (KMS encryption).
    pub fn composite_etag(&self) -> Option<String> {
        let mut md5 = Md5::new();
        for part in &self.0 {
            md5.update(part.md5()?);
        }
        let mut etag = String::with_capacity(38);
        for byte in md5.finalize() {
            for digit in [byte >> 4, byte & 0xf] {
                etag.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        etag.push('-');
        etag.push_str(&self.0.len().to_string());
        Some(etag)
    }
}

/// Compares a body that the gateway read with the Content-MD5 that came with it.
///
/// S3 can't: it is sent another document. A digest that is no base64 of 16 bytes never gets here,
/// the header table refuses it.
///
/// # Errors
/// `InvalidDigest` where they differ.
pub fn check_body_digest(content_md5: &[u8], body: &[u8]) -> Result<(), Refusal> {
    if STANDARD.encode(Md5::digest(body)).as_bytes() == content_md5 {
        Ok(())
    } else {
        Err(Fault::DigestMismatch.into())
    }
}

/// Compares the MD5 that the platform computed of a body, in base64, with the Content-MD5 that came with it.
///
/// # Errors
/// `InvalidDigest` where they differ.
pub fn check_streamed_digest(content_md5: &[u8], md5: &str) -> Result<(), Refusal> {
    if md5.as_bytes() == content_md5 {
        Ok(())
    } else {
        Err(Fault::DigestMismatch.into())
    }
}

/// The Content-MD5 of a body that the gateway wrote.
pub(crate) fn content_md5(body: &[u8]) -> String {
    STANDARD.encode(Md5::digest(body))
}

impl From<Unreadable> for Refusal {
    fn from(_: Unreadable) -> Self {
        Self::new(Fault::XmlMalformed).because("The document is not well-formed, plain XML.")
    }
}

#[cfg(test)]
mod tests;
