//! Parts of a multipart upload, as documents list them: their numbers, their ETags, and the pages of
//! ListParts.

use core::fmt;

use request_auth::Dialect;

use crate::error::{Fault, Refusal};
use crate::staging::{Source, union};
use crate::xml::{self, Element};

/// The longest ListParts page that is read from the origin, in bytes.
pub const MAX_PARTS_PAGE_BYTES: usize = 1024 * 1024;
/// The most parts of an upload, and the highest part number.
pub const MAX_PARTS: u16 = 10_000;
/// The elements that hold a checksum, of a part or of an object.
pub(crate) const CHECKSUMS: [&str; 5] = [
    "ChecksumCRC32",
    "ChecksumCRC32C",
    "ChecksumCRC64NVME",
    "ChecksumSHA1",
    "ChecksumSHA256",
];
/// The longest checksum, in characters of base64: a SHA-256, and behind it a number of parts.
const MAX_CHECKSUM_BYTES: usize = 50;
/// The longest ETag that is taken, in bytes, quotes not counted.
const MAX_ETAG_BYTES: usize = 128;

/// A part number, 1 to 10,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PartNumber(u16);

impl PartNumber {
    /// Reads a decimal number without sign, blank or leading zero. `None` outside 1..=10000.
    pub fn from_decimal(text: &[u8]) -> Option<Self> {
        let is_decimal = text.iter().all(u8::is_ascii_digit) && text.first() != Some(&b'0');
        let number = core::str::from_utf8(text).ok().filter(|_| is_decimal)?;
        Self::of(number.parse().ok()?)
    }

    /// This number; `None` outside 1..=10000.
    pub fn of(number: u16) -> Option<Self> {
        (1..=MAX_PARTS).contains(&number).then_some(Self(number))
    }

    /// The number behind so many parts that are numbered from 1 on; `None` behind the last possible.
    pub fn behind(parts: usize) -> Option<Self> {
        let number = u16::try_from(parts).ok()?.checked_add(1)?;
        (number <= MAX_PARTS).then_some(Self(number))
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One part of an upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    number: PartNumber,
    /// Without quotes.
    etag: String,
    /// In bytes, where a listing says so.
    size: Option<u64>,
    /// `yyyy-mm-ddThh:mm:ss.000Z`, where a listing says so.
    last_modified: Option<String>,
    /// Elements and their text; none of an OSS client's.
    checksums: Vec<(&'static str, String)>,
}

impl Part {
    /// A part of which no checksum is known; the ETag without quotes.
    pub(crate) const fn new(
        number: PartNumber,
        etag: String,
        size: Option<u64>,
        last_modified: Option<String>,
    ) -> Self {
        Self {
            number,
            etag,
            size,
            last_modified,
            checksums: Vec::new(),
        }
    }

    /// The part's number.
    pub const fn number(&self) -> PartNumber {
        self.number
    }

    /// The part's ETag without quotes.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The part's size in bytes, where a listing says so.
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// When the part was stored, `yyyy-mm-ddThh:mm:ss.000Z` (the one form that oss2 reads), where a
    /// listing says so.
    pub fn last_modified(&self) -> Option<&str> {
        self.last_modified.as_deref()
    }

    /// The elements that hold the part's checksums, and their text: an S3 client said so, or the origin to
    /// one.
    pub fn checksums(&self) -> &[(&'static str, String)] {
        &self.checksums
    }

    /// The 16 bytes of an ETag that is an MD5, in either case of letters.
    pub(crate) fn md5(&self) -> Option<[u8; 16]> {
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

/// One page of the origin's ListParts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartsPage {
    parts: Vec<Part>,
    next: Option<PartNumber>,
    most: Option<PartNumber>,
}

impl PartsPage {
    /// Reads the page that was asked for with `after` as its marker; `None` for the first. A client of
    /// OSS's is told no checksums, so none are read for it.
    ///
    /// # Errors
    /// `InternalError` for a document that is no ListParts answer, or one that does not move on.
    pub fn from_origin(
        document: &[u8],
        after: Option<PartNumber>,
        dialect: Dialect,
    ) -> Result<Self, Refusal> {
        Self::read(document, after, dialect)
            .map_err(|reason| Refusal::new(Fault::OriginAnswerUnreadable).because(reason))
    }

    fn read(document: &[u8], after: Option<PartNumber>, dialect: Dialect) -> Result<Self, &'static str> {
        const UNREADABLE: &str = "The origin's ListParts answer cannot be read.";
        if document.len() > MAX_PARTS_PAGE_BYTES {
            return Err("The origin's ListParts answer is too long.");
        }
        let mut reader = PartReader::new(&["ListPartsResult", "Part"], dialect);
        let (mut truncated, mut marker, mut most) = (None, None, None);
        xml::read::<Refusal>(document, &mut |element| {
            let text = element.text.trim().as_bytes();
            if element.is(&["ListPartsResult", "IsTruncated"]) {
                truncated = Some(text == b"true");
            } else if element.is(&["ListPartsResult", "NextPartNumberMarker"]) {
                marker = PartNumber::from_decimal(text);
            } else if element.is(&["ListPartsResult", "MaxParts"]) {
                most = PartNumber::from_decimal(text);
            }
            reader.take(&element)
        })
        .map_err(|_| UNREADABLE)?;
        let parts = reader.parts;
        let next = if truncated.ok_or(UNREADABLE)? {
            Some(marker.ok_or(UNREADABLE)?)
        } else {
            None
        };
        if next.is_some_and(|next| after.is_some_and(|after| next <= after)) {
            return Err("The origin's ListParts pages do not move on.");
        }
        Ok(Self { parts, next, most })
    }

    /// The page that a client is told of this page and of what is staged: the first `most` parts behind `after`,
    /// those that are staged and those that are not alike. `is_cut`: more may be staged behind the last that is known.
    /// A staged one without a byte is not told: an origin may
    /// have kept that of a part that broke off (SeaweedFS 4.48 does), and a device that goes on would take it for sent.
    /// One that was empty indeed is sent again.
    pub fn merged(self, staged: &[Part], is_cut: bool, after: Option<PartNumber>, most: u16) -> Self {
        // What lies behind the end of either list is not known yet.
        let cut = staged.last().map(Part::number).filter(|_| is_cut);
        let end = match (cut, self.next) {
            (Some(cut), Some(next)) => Some(cut.min(next)),
            (cut, next) => cut.or(next),
        };
        let is_known = |part: &&Part| end.is_none_or(|end| part.number() <= end);
        let is_behind = |part: &&Part| after.is_none_or(|after| part.number() > after);
        let all = union(staged, &self.parts);
        let is_sent = |source: &Source<'_>| !matches!(source, Source::Staged(part) if part.size() == Some(0));
        let all = all.into_iter().filter(is_sent).map(Source::part);
        let all: Vec<&Part> = all.filter(is_behind).collect();
        let known = all.iter().copied().filter(is_known).take(usize::from(most));
        let parts: Vec<Part> = known.cloned().collect();
        let is_whole = parts.len() == all.len() && end.is_none();
        let last = parts.last().map(Part::number).or(end);
        Self {
            parts,
            next: last.filter(|_| !is_whole),
            most: PartNumber::of(most),
        }
    }

    /// The parts of this page in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The parts of this page in order.
    pub fn into_parts(self) -> Vec<Part> {
        self.parts
    }

    /// The marker to ask for the next page with; `None` on the last.
    pub const fn next(&self) -> Option<PartNumber> {
        self.next
    }

    /// The most parts that a page may have, as the origin says.
    pub const fn most(&self) -> Option<PartNumber> {
        self.most
    }
}

/// Gathers `Part` elements, whichever document they stand in. Elements of a part that OSS does not
/// define are ignored; for an S3 client those are taken that hold checksums.
pub(crate) struct PartReader {
    at: [&'static str; 2],
    dialect: Dialect,
    number: Option<PartNumber>,
    etag: Option<String>,
    size: Option<u64>,
    last_modified: Option<String>,
    checksums: Vec<(&'static str, String)>,
    pub(crate) parts: Vec<Part>,
}

impl PartReader {
    /// Reads the parts at this path.
    pub(crate) const fn new(at: &[&'static str; 2], dialect: Dialect) -> Self {
        Self {
            at: *at,
            dialect,
            number: None,
            etag: None,
            size: None,
            last_modified: None,
            checksums: Vec::new(),
            parts: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self, element: &Element<'_>) -> Result<(), Refusal> {
        let [root, part] = self.at;
        let text = element.text.trim();
        if element.is(&[root, part, "PartNumber"]) {
            let number = PartNumber::from_decimal(text.as_bytes());
            let number = number.ok_or_else(|| Refusal::new(Fault::PartInvalid).about("PartNumber"))?;
            set_once(&mut self.number, number)?;
        } else if element.is(&[root, part, "ETag"]) {
            let etag = read_etag(text).ok_or_else(|| Refusal::new(Fault::PartInvalid).about("ETag"))?;
            set_once(&mut self.etag, etag.to_owned())?;
        } else if element.is(&[root, part, "Size"]) {
            self.size = text.parse().ok();
        } else if element.is(&[root, part, "LastModified"]) {
            self.last_modified = whole_seconds(text);
        } else if element.is(&[root, part]) {
            let (Some(number), Some(etag)) = (self.number.take(), self.etag.take()) else {
                return Err(Refusal::new(Fault::XmlMalformed).because("A part lacks its number or its ETag."));
            };
            if self.parts.len() >= usize::from(MAX_PARTS) {
                return Err(Refusal::new(Fault::XmlMalformed).because("There are more than 10,000 parts."));
            }
            let (size, last_modified) = (self.size.take(), self.last_modified.take());
            let checksums = core::mem::take(&mut self.checksums);
            self.parts.push(Part {
                number,
                etag,
                size,
                last_modified,
                checksums,
            });
        } else if let Some(name) = CHECKSUMS.into_iter().find(|name| element.is(&[root, part, name])) {
            self.checksum(name, text)?;
        } else if self.dialect == Dialect::S3 && is_checksum(element.path) {
            // Left out, it would not be compared with what arrived.
            return Err(Refusal::new(Fault::NotImplemented).because("A part has a checksum of another kind."));
        }
        Ok(())
    }

    fn checksum(&mut self, name: &'static str, text: &str) -> Result<(), Refusal> {
        if self.dialect == Dialect::Oss {
            return Ok(());
        }
        let is_text = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-".contains(&byte);
        if !(1..=MAX_CHECKSUM_BYTES).contains(&text.len()) || !text.bytes().all(is_text) {
            return Err(Refusal::new(Fault::PartInvalid).about(name));
        }
        if self.checksums.iter().any(|(known, _)| *known == name) {
            return Err(Refusal::new(Fault::XmlMalformed).because("A part has an element twice."));
        }
        self.checksums.push((name, text.to_owned()));
        Ok(())
    }
}

fn is_checksum(path: &[String]) -> bool {
    path.last().is_some_and(|name| name.starts_with("Checksum")) && path.len() == 3
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<(), Refusal> {
    if slot.replace(value).is_some() {
        return Err(Refusal::new(Fault::XmlMalformed).because("A part has an element twice."));
    }
    Ok(())
}

/// An ETag without its quotes, if it is one that a header can hold: visible ASCII, no quote inside.
pub(crate) fn read_etag(text: &str) -> Option<&str> {
    let text = text.trim();
    let bare = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let is_plain = bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    (is_plain && (1..=MAX_ETAG_BYTES).contains(&bare.len())).then_some(bare)
}

/// An ISO 8601 moment of UTC with its fraction of a second set to `.000`.
pub(crate) fn whole_seconds(text: &str) -> Option<String> {
    let (seconds, rest) = text.split_at_checked(19)?;
    let is_moment = seconds
        .bytes()
        .zip(*b"0000-00-00T00:00:00")
        .all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            separator => byte == separator,
        });
    let fraction = rest.strip_suffix('Z')?;
    let is_fraction = fraction.is_empty()
        || fraction
            .strip_prefix('.')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    (is_moment && is_fraction).then(|| [seconds, ".000Z"].concat())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn part_numbers_are_strict_decimals_in_range() {
        for text in ["1", "10000", "42"] {
            assert_eq!(
                PartNumber::from_decimal(text.as_bytes()).unwrap().to_string(),
                text
            );
        }
        for text in [
            "",
            "0",
            "10001",
            "01",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1.0",
            "1e2",
            "0x1",
            "\u{0663}",
            "99999999999999999999",
        ] {
            assert_eq!(PartNumber::from_decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn moments_are_told_in_whole_seconds_as_oss2_reads_them() {
        for (s3, oss) in [
            ("2026-11-21T12:34:56.000Z", Some("2026-11-21T12:34:56.000Z")),
            ("2026-11-21T12:34:56.789Z", Some("2026-11-21T12:34:56.000Z")),
            ("2026-11-21T12:34:56.123456789Z", Some("2026-11-21T12:34:56.000Z")),
            ("2026-11-21T12:34:56Z", Some("2026-11-21T12:34:56.000Z")),
            ("2026-11-21T12:34:56+01:00", None),
            ("2026-11-21 12:34:56Z", None),
            ("Sat, 21 Nov 2026 12:34:56 GMT", None),
            ("", None),
            ("2026-11-21T12:34:5\u{e9}Z", None),
        ] {
            assert_eq!(whole_seconds(s3).as_deref(), oss, "{s3}");
        }
    }

    pub(crate) fn page(truncated: &str, marker: &str, parts: &[u32]) -> String {
        let parts: String = parts
            .iter()
            .map(|n| {
                format!(
                    "<Part><PartNumber>{n}</PartNumber><LastModified>2026-11-21T12:34:56.789Z</LastModified>\
                     <ETag>&#34;0cc175b9c0f1b6a831c399e269772661&#34;</ETag><Size>5</Size></Part>"
                )
            })
            .collect();
        format!(
            "<ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket><UploadId>U</UploadId>\
             <IsTruncated>{truncated}</IsTruncated><MaxParts>1000</MaxParts>\
             <NextPartNumberMarker>{marker}</NextPartNumberMarker>{parts}</ListPartsResult>"
        )
    }

    #[test]
    fn a_page_has_its_parts_and_the_way_on() {
        let first =
            PartsPage::from_origin(page("true", "2", &[1, 2]).as_bytes(), None, Dialect::Oss).unwrap();
        assert_eq!(first.next().map(PartNumber::get), Some(2));
        assert_eq!(first.most().map(PartNumber::get), Some(1000));
        let part = &first.parts()[1];
        assert_eq!(
            (part.number().get(), part.etag()),
            (2, "0cc175b9c0f1b6a831c399e269772661")
        );
        assert_eq!(
            (part.size(), part.last_modified()),
            (Some(5), Some("2026-11-21T12:34:56.000Z"))
        );
        assert_eq!(
            PartsPage::from_origin(page("false", "2", &[]).as_bytes(), first.next(), Dialect::Oss)
                .unwrap()
                .next(),
            None
        );
    }

    #[test]
    fn pages_that_are_unreadable_or_do_not_move_on_are_the_origins_fault() {
        let after = PartNumber::from_decimal(b"7");
        for document in [
            page("true", "7", &[1]),
            page("true", "3", &[1]),
            page("true", "x", &[1]),
            page("true", "8", &[0]),
            "<ListPartsResult/>".to_owned(),
            "<Error/>".to_owned(),
            "<".to_owned(),
            " ".repeat(MAX_PARTS_PAGE_BYTES) + &page("false", "", &[1]),
        ] {
            let refusal = PartsPage::from_origin(document.as_bytes(), after, Dialect::Oss).unwrap_err();
            assert_eq!((refusal.status(), refusal.code()), (500, "InternalError"));
        }
    }
}
