//! The part list of CompleteMultipartUpload: read from the device's document or from the origin's
//! ListParts, checked, and written anew for S3.
//!
//! The device's document is never passed on. Its list is kept in the order sent, which has to be
//! strictly ascending, and gives the ETag that S3 will compute; with it a Complete whose answer was
//! lost is told from a lost upload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::error::{Fault, Refusal};
use crate::xml::{self, Document, Element, Unreadable};

/// The longest CompleteMultipartUpload document that is read, in bytes.
pub const MAX_PART_LIST_BYTES: usize = 2 * 1024 * 1024;
/// The longest ListParts page that is read from the origin, in bytes.
pub const MAX_PARTS_PAGE_BYTES: usize = 1024 * 1024;
/// The most parts of an upload, and the highest part number.
pub const MAX_PARTS: u16 = 10_000;
/// The longest ETag that is taken, in bytes, quotes not counted.
const MAX_ETAG_BYTES: usize = 128;

/// A part number, 1 to 10,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PartNumber(u16);

impl PartNumber {
    /// Reads a decimal number without sign, blank or leading zero. `None` outside 1..=10000.
    pub fn from_decimal(text: &[u8]) -> Option<Self> {
        let is_decimal = text.iter().all(u8::is_ascii_digit) && text.first() != Some(&b'0');
        let number = core::str::from_utf8(text)
            .ok()
            .filter(|_| is_decimal)?
            .parse()
            .ok()?;
        (1..=MAX_PARTS).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// One part of an upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    number: PartNumber,
    /// Without quotes.
    etag: String,
}

impl Part {
    /// The part's number.
    pub const fn number(&self) -> PartNumber {
        self.number
    }

    /// The part's ETag without quotes.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The 16 bytes of an ETag that is an MD5, in either case of letters.
    fn md5(&self) -> Option<[u8; 16]> {
        let digits = self.etag.as_bytes();
        if digits.len() != 32 {
            return None;
        }
        let value = |digit: u8| {
            char::from(digit)
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        };
        let mut md5 = [0; 16];
        for (byte, pair) in md5.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = value(*high)? << 4 | value(*low)?;
        }
        Some(md5)
    }
}

/// At least one part, numbers strictly ascending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartList(Vec<Part>);

impl PartList {
    /// Reads the document of a device's CompleteMultipartUpload. ETags may be quoted or not;
    /// elements that OSS does not define are ignored.
    ///
    /// # Errors
    /// `MalformedXML` for what is no such document, is too long or has no or too many parts;
    /// `InvalidPartOrder` where the numbers do not ascend; `InvalidPart` for an impossible part.
    pub fn from_device(document: &[u8]) -> Result<Self, Refusal> {
        if document.len() > MAX_PART_LIST_BYTES {
            return Err(Refusal::new(Fault::XmlMalformed).because("The part list is longer than 2 MiB."));
        }
        let mut parts = PartReader::new(&["CompleteMultipartUpload", "Part"]);
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
        let parts: Vec<Part> = pages.into_iter().flat_map(|page| page.parts).collect();
        if parts.is_empty() {
            return Err(Refusal::new(Fault::PartInvalid).because("The upload to complete has no part."));
        }
        Self::of(parts)
    }

    fn of(parts: Vec<Part>) -> Result<Self, Refusal> {
        if parts.is_empty() {
            return Err(Refusal::new(Fault::XmlMalformed).because("The part list is empty."));
        }
        if !parts.is_sorted_by(|one, next| one.number < next.number) {
            return Err(Fault::PartOrderInvalid.into());
        }
        Ok(Self(parts))
    }

    /// The parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The document for S3.
    pub fn to_xml(&self) -> String {
        let mut document = Document::new("CompleteMultipartUpload");
        for part in &self.0 {
            document.open("Part");
            document.leaf("PartNumber", &part.number.0.to_string());
            document.leaf("ETag", &["\"", &part.etag, "\""].concat());
            document.close("Part");
        }
        document.finish()
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

/// One page of the origin's ListParts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartsPage {
    parts: Vec<Part>,
    next: Option<PartNumber>,
}

impl PartsPage {
    /// Reads the page that was asked for with `after` as its marker; `None` for the first.
    ///
    /// # Errors
    /// `InternalError` for a document that is no ListParts answer, or one that does not move on.
    pub fn from_origin(document: &[u8], after: Option<PartNumber>) -> Result<Self, Refusal> {
        Self::read(document, after)
            .map_err(|reason| Refusal::new(Fault::OriginAnswerUnreadable).because(reason))
    }

    fn read(document: &[u8], after: Option<PartNumber>) -> Result<Self, &'static str> {
        const UNREADABLE: &str = "The origin's ListParts answer cannot be read.";
        if document.len() > MAX_PARTS_PAGE_BYTES {
            return Err("The origin's ListParts answer is too long.");
        }
        let mut parts = PartReader::new(&["ListPartsResult", "Part"]);
        let (mut truncated, mut marker) = (None, None);
        xml::read::<Refusal>(document, &mut |element| {
            if element.is(&["ListPartsResult", "IsTruncated"]) {
                truncated = Some(element.text.trim() == "true");
            } else if element.is(&["ListPartsResult", "NextPartNumberMarker"]) {
                marker = PartNumber::from_decimal(element.text.trim().as_bytes());
            }
            parts.take(&element)
        })
        .map_err(|_| UNREADABLE)?;
        let next = if truncated.ok_or(UNREADABLE)? {
            Some(marker.ok_or(UNREADABLE)?)
        } else {
            None
        };
        if next.is_some_and(|next| after.is_some_and(|after| next <= after)) {
            return Err("The origin's ListParts pages do not move on.");
        }
        Ok(Self {
            parts: parts.parts,
            next,
        })
    }

    /// The marker to ask for the next page with; `None` on the last.
    pub const fn next(&self) -> Option<PartNumber> {
        self.next
    }
}

/// Gathers `Part` elements, whichever document they stand in.
struct PartReader {
    at: [&'static str; 2],
    number: Option<PartNumber>,
    etag: Option<String>,
    parts: Vec<Part>,
}

impl PartReader {
    const fn new(at: &[&'static str; 2]) -> Self {
        Self {
            at: *at,
            number: None,
            etag: None,
            parts: Vec::new(),
        }
    }

    fn take(&mut self, element: &Element<'_>) -> Result<(), Refusal> {
        let [root, part] = self.at;
        if element.is(&[root, part, "PartNumber"]) {
            let number = PartNumber::from_decimal(element.text.trim().as_bytes());
            let number = number.ok_or_else(|| Refusal::new(Fault::PartInvalid).about("PartNumber"))?;
            set_once(&mut self.number, number)?;
        } else if element.is(&[root, part, "ETag"]) {
            let etag =
                read_etag(element.text).ok_or_else(|| Refusal::new(Fault::PartInvalid).about("ETag"))?;
            set_once(&mut self.etag, etag.to_owned())?;
        } else if element.is(&[root, part]) {
            let (Some(number), Some(etag)) = (self.number.take(), self.etag.take()) else {
                return Err(Refusal::new(Fault::XmlMalformed).because("A part lacks its number or its ETag."));
            };
            if self.parts.len() >= usize::from(MAX_PARTS) {
                return Err(Refusal::new(Fault::XmlMalformed).because("There are more than 10,000 parts."));
            }
            self.parts.push(Part { number, etag });
        }
        Ok(())
    }
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<(), Refusal> {
    if slot.replace(value).is_some() {
        return Err(Refusal::new(Fault::XmlMalformed).because("A part has an element twice."));
    }
    Ok(())
}

/// An ETag without its quotes: visible ASCII, no quote inside.
fn read_etag(text: &str) -> Option<&str> {
    let text = text.trim();
    let bare = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let is_plain = bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    (is_plain && (1..=MAX_ETAG_BYTES).contains(&bare.len())).then_some(bare)
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
