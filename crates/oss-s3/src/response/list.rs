//! Lists of objects and of uploads: the origin's page is read into values, and told in the client's terms.
//!
//! What stands outside the list's area is never told, nor are keys of the gateway's own staging prefix, nor a common
//! prefix that is a beginning of it: what else it stands for can't be seen. Other names that no request here could
//! have are told, since they are there; but a key with characters that XML cannot hold is left out unless the
//! client takes keys percent-encoded. No page is shortened: one that is longer than the bounds is refused.

use std::borrow::Cow;

use request_auth::Dialect;
use request_auth::canon::{Slash, percent_decode, percent_encode};

use super::read::object_type;
use super::{OWNER, OriginAnswer, Subject, unreadable};
use crate::answer::{Answer, Asked, RequestId};
use crate::area::Area;
use crate::errand::Errand;
use crate::error::{Fault, Refusal};
use crate::headers;
use crate::key::RESERVED_PREFIX;
use crate::operation::{BEHIND_RESERVED, KeySpelling, ListOf, Listing, MAX_PAGE, UploadId, token_of};
use crate::parts::{read_etag, whole_seconds};
use crate::upload::Sealer;
use crate::xml::{self, Document, Element, is_xml_char};

/// The longest list that is read from the origin or told to a client, in bytes: Lambda hands on no more than
/// 6 MB, in base64.
pub const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;

const UNREADABLE: &str = "The origin's list cannot be read.";

/// The elements that are read, of an entry or of the list itself, and where their text is kept.
#[rustfmt::skip]
const ELEMENTS: [(&str, usize); 15] = [
    ("Key", KEY), ("Prefix", PREFIX), ("LastModified", MOMENT), ("Initiated", MOMENT), ("ETag", ETAG),
    ("Size", SIZE), ("StorageClass", CLASS), ("UploadId", UPLOAD), ("ChecksumAlgorithm", ALGORITHM),
    ("ChecksumType", CHECKSUM), ("IsTruncated", TRUNCATED), ("EncodingType", ENCODING), ("NextMarker", NEXT),
    ("NextKeyMarker", NEXT), ("NextUploadIdMarker", NEXT_UPLOAD),
];
const KEY: usize = 0;
const PREFIX: usize = 1;
const MOMENT: usize = 2;
const ETAG: usize = 3;
const SIZE: usize = 4;
const CLASS: usize = 5;
const UPLOAD: usize = 6;
const ALGORITHM: usize = 7;
const CHECKSUM: usize = 8;
const TRUNCATED: usize = 9;
const ENCODING: usize = 10;
const NEXT: usize = 11;
const NEXT_UPLOAD: usize = 12;

/// A page of the origin's while it is told.
struct Page<'a> {
    listing: &'a Listing,
    area: &'a Area,
    folded: Option<&'a str>,
    dialect: Dialect,
    sealer: Sealer<'a>,
    /// The upload behind which the page begins, as the origin knows it.
    behind: &'a str,
    /// The request that began an upload is not listed; this one says who was told of it.
    mark: &'a RequestId,
    root: &'static str,
    texts: [String; 13],
    document: Document,
    /// How many entries were told.
    told: usize,
    /// How many the origin listed.
    listed: usize,
    /// The last key and the last common prefix that the origin listed, as it has them, and the last upload id.
    last_key: String,
    last_prefix: String,
    last_upload: String,
}

/// The answer to a list that the origin need not be asked for.
pub(super) fn at_once(listing: &Listing, errand: &Errand<'_>, asked: &Asked<'_>) -> Option<Answer> {
    let area = errand.target().areas().first()?;
    let page = Page::new(listing, area, &errand.bucket().name, errand.sealer(), asked);
    listing.is_void(area).then(|| page.finish("", "", asked))
}

/// The answer to a list.
pub(super) fn told(
    origin: &OriginAnswer,
    subject: &Subject<'_>,
    asked: &Asked<'_>,
) -> Result<Answer, Refusal> {
    let (Some(listing), Some(area)) = (subject.listing, subject.target.areas().first()) else {
        return Err(unreadable(UNREADABLE));
    };
    if origin.body.len() > MAX_LIST_BYTES {
        return Err(too_long("The origin's list has more than 4 MB of XML."));
    }
    let mut page = Page::new(listing, area, &subject.bucket.name, subject.sealer, asked);
    page.behind = subject.listed_behind.map_or("", UploadId::as_str);
    let read = xml::read::<Refusal>(&origin.body, &mut |element| page.take(&element));
    if page.listed > usize::from(MAX_PAGE) {
        return Err(too_long("The origin's list has more than 1,000 entries."));
    }
    read.map_err(|_| unreadable(UNREADABLE))?;
    let is_truncated = match page.text(TRUNCATED).as_str() {
        "true" => page.folded.is_none(),
        "false" => false,
        _ => return Err(unreadable(UNREADABLE)),
    };
    // Keys were read as percent-encoded.
    if page.text(ENCODING) != "url" {
        return Err(unreadable("The origin does not encode keys as it was asked to."));
    }
    let (mut next, mut upload) = (String::new(), String::new());
    if is_truncated {
        (next, upload) = page.next()?;
    }
    if let Some(folded) = page.folded.filter(|_| page.told > 0) {
        let folded = page.spelled(folded);
        page.common_prefix(&folded);
    }
    let answer = page.finish(&next, &upload, asked);
    if answer.body.len() > MAX_LIST_BYTES {
        return Err(too_long("The list would have more than 4 MB of XML."));
    }
    Ok(answer)
}

impl<'a> Page<'a> {
    fn new(
        listing: &'a Listing,
        area: &'a Area,
        bucket: &str,
        sealer: Sealer<'a>,
        asked: &Asked<'a>,
    ) -> Self {
        let dialect = asked.dialect;
        let (root, name) = match listing.of {
            ListOf::Uploads => ("ListMultipartUploadsResult", "Bucket"),
            ListOf::Objects | ListOf::ObjectsByToken => ("ListBucketResult", "Name"),
        };
        let mut page = Self {
            listing,
            area,
            folded: listing.folded(area),
            dialect,
            sealer,
            behind: "",
            mark: asked.request_id,
            root,
            texts: Default::default(),
            document: Document::of_result(root, dialect),
            told: 0,
            listed: 0,
            last_key: String::new(),
            last_prefix: String::new(),
            last_upload: String::new(),
        };
        page.document.leaf(name, bucket);
        page.element("Prefix", &listing.prefix);
        let length = match listing.of {
            ListOf::Objects => {
                page.element("Marker", &listing.marker);
                "MaxKeys"
            }
            ListOf::ObjectsByToken => {
                page.document.leaf("ContinuationToken", &listing.token);
                page.document.leaf("StartAfter", &page.spelled(&listing.marker));
                "MaxKeys"
            }
            ListOf::Uploads => {
                page.element("KeyMarker", &listing.marker);
                page.document.element("UploadIdMarker", &listing.token);
                "MaxUploads"
            }
        };
        page.document.leaf(length, &listing.most.to_string());
        page.document.leaf("Delimiter", &page.spelled(&listing.delimiter));
        if listing.spelling == KeySpelling::UrlEncoded {
            page.document.leaf("EncodingType", "url");
        }
        page
    }

    /// A key, or a part of one, as the client wants keys spelled.
    fn spelled(&self, text: &str) -> String {
        if self.listing.spelling == KeySpelling::Plain {
            return text.to_owned();
        }
        let slash = match self.dialect {
            Dialect::Oss => Slash::Encode,
            Dialect::S3 => Slash::Keep,
        };
        let mut spelled = String::new();
        percent_encode(text.as_bytes(), slash, &mut spelled);
        spelled
    }

    /// Adds an element that SDKs look for, also where it is empty.
    fn element(&mut self, name: &str, text: &str) {
        let text = self.spelled(text);
        self.document.element(name, &text);
    }

    /// Takes the text that is kept of an element.
    fn text(&mut self, at: usize) -> String {
        self.texts.get_mut(at).map(core::mem::take).unwrap_or_default()
    }

    fn take(&mut self, element: &Element<'_>) -> Result<(), Refusal> {
        let is_entry = |name: &str| matches!(name, "Contents" | "Upload" | "CommonPrefixes");
        let name = match element.path {
            [root] if root == self.root => return Ok(()),
            [_, name] => name,
            [_, parent, name] if is_entry(parent) => name,
            [_, _, _, ..] => return Ok(()),
            _ => return Err(unreadable(UNREADABLE)),
        };
        if element.path.len() == 2 && is_entry(name) {
            self.listed = self.listed.saturating_add(1);
            if self.listed > usize::from(MAX_PAGE) {
                return Err(unreadable(UNREADABLE));
            }
            if name != "CommonPrefixes" {
                return self.entry();
            }
            self.prefix();
            return Ok(());
        }
        let known = ELEMENTS.iter().find(|(known, _)| known == name);
        if let Some(text) = known.and_then(|(_, at)| self.texts.get_mut(*at)) {
            element.text.trim().clone_into(text);
        }
        Ok(())
    }

    /// What the client knows a key of the origin's as; `None` for one that it is not told.
    fn seen<'k>(&self, key: &'k str) -> Option<&'k str> {
        let seen = self.area.seen(key).filter(|seen| !seen.is_empty())?;
        let is_told = !key.as_bytes().starts_with(RESERVED_PREFIX)
            && (self.listing.spelling == KeySpelling::UrlEncoded || seen.chars().all(is_xml_char));
        is_told.then_some(seen)
    }

    /// Tells a common prefix, unless the keys of the gateway's own begin with it: whether others do can't be seen. What
    /// is no UTF-8 is the name of nothing here.
    fn prefix(&mut self) {
        let Some(prefix) = decoded(&self.text(PREFIX)) else {
            return;
        };
        let is_told = self.folded.is_none() && !RESERVED_PREFIX.starts_with(prefix.as_bytes());
        let seen = self.seen(&prefix).map(|seen| self.spelled(seen));
        if let Some(seen) = seen.filter(|_| is_told) {
            self.told = self.told.saturating_add(1);
            self.common_prefix(&seen);
        }
        self.last_prefix = prefix;
    }

    fn common_prefix(&mut self, spelled: &str) {
        self.document.open("CommonPrefixes");
        self.document.leaf("Prefix", spelled);
        self.document.close("CommonPrefixes");
    }

    /// Tells an object or an upload.
    fn entry(&mut self) -> Result<(), Refusal> {
        let [key, moment, etag, size, class, upload, algorithm, checksum] =
            [KEY, MOMENT, ETAG, SIZE, CLASS, UPLOAD, ALGORITHM, CHECKSUM].map(|at| self.text(at));
        let Some(key) = decoded(&key) else {
            return Ok(());
        };
        if let Some((plain, seen)) = self.seen(&key).map(|seen| (seen, self.spelled(seen))) {
            if self.folded.is_some() {
                self.told = 1;
            } else {
                self.told = self.told.saturating_add(1);
                let moment = whole_seconds(&moment).ok_or_else(|| unreadable(UNREADABLE))?;
                let class = match self.dialect {
                    Dialect::S3 if class.is_empty() => Cow::Borrowed("STANDARD"),
                    Dialect::S3 => Cow::Owned(class),
                    Dialect::Oss => {
                        Cow::Borrowed(headers::oss_storage_class(class.as_bytes()).unwrap_or("Standard"))
                    }
                };
                let is_upload = self.listing.of == ListOf::Uploads;
                let name = if is_upload { "Upload" } else { "Contents" };
                self.document.open(name);
                self.document.leaf("Key", &seen);
                if is_upload {
                    let sealed = self.sealed(plain, &upload)?;
                    self.document.leaf("UploadId", sealed.as_str());
                    self.document.leaf("Initiated", &moment);
                    if self.dialect == Dialect::S3 {
                        self.person("Initiator");
                    }
                } else {
                    let etag = read_etag(&etag).ok_or_else(|| unreadable(UNREADABLE))?;
                    let size: u64 = size.parse().map_err(|_| unreadable(UNREADABLE))?;
                    self.document.leaf("LastModified", &moment);
                    self.document.leaf("ETag", &["\"", etag, "\""].concat());
                    self.document.leaf("Size", &size.to_string());
                    if self.dialect == Dialect::Oss {
                        self.document.leaf("Type", object_type(etag.as_bytes()));
                    }
                }
                self.document.leaf("StorageClass", &class);
                if self.dialect == Dialect::S3 {
                    self.document.leaf("ChecksumAlgorithm", &algorithm);
                    self.document.leaf("ChecksumType", &checksum);
                }
                if self.listing.names_owners {
                    self.person("Owner");
                }
                self.document.close(name);
            }
        }
        (self.last_key, self.last_upload) = (key, upload);
        Ok(())
    }

    /// What the client is told for an upload of the origin's to this key of its.
    fn sealed(&self, key: &str, upload: &str) -> Result<UploadId, Refusal> {
        let id = UploadId::new(upload.as_bytes()).ok_or_else(|| unreadable(UNREADABLE))?;
        self.sealer.seal(key, &id, self.mark)
    }

    /// Somebody: who owns things at the origin is the operator's business.
    fn person(&mut self, name: &str) {
        self.document.open(name);
        self.document.leaf("ID", OWNER);
        self.document.leaf("DisplayName", OWNER);
        self.document.close(name);
    }

    /// After what the next page begins: a key as the client knows it, and of a list of uploads what it is told for an
    /// upload of that key.
    fn next(&mut self) -> Result<(String, String), Refusal> {
        let stuck = || unreadable("The origin's list does not move on.");
        let raw = self.text(NEXT);
        let is_last = |text: &str| !text.is_empty() && (text == self.last_key || text == self.last_prefix);
        let next = decoded(&raw).ok_or_else(stuck)?;
        let mut next = match () {
            // Without a delimiter S3 does not say it. Of uploads SeaweedFS does not either.
            () if raw.is_empty() => self.last_key.clone(),
            // SeaweedFS does not encode it.
            () if !is_last(&next) && is_last(&raw) => raw,
            () => next,
        };
        let mut upload = self.text(NEXT_UPLOAD);
        if next.as_bytes().starts_with(RESERVED_PREFIX) {
            BEHIND_RESERVED.clone_into(&mut next);
            upload.clear();
        } else if upload.is_empty() && next == self.last_key {
            upload.clone_from(&self.last_upload);
        }
        let listing = self.listing;
        let is_further = |next: &&str| {
            let moves = *next != listing.after || (listing.of == ListOf::Uploads && upload != self.behind);
            moves && !next.is_empty()
        };
        let next = self.area.seen(&next).filter(is_further).ok_or_else(stuck)?;
        let is_told_plainly = listing.spelling == KeySpelling::Plain && listing.of != ListOf::ObjectsByToken;
        if is_told_plainly && !next.chars().all(is_xml_char) {
            return Err(Refusal::new(Fault::ArgumentInvalid)
                .about("encoding-type")
                .because("The page ends at a key that XML cannot hold."));
        }
        if !upload.is_empty() {
            upload = self.sealed(next, &upload)?.as_str().to_owned();
        }
        Ok((next.to_owned(), upload))
    }

    /// Ends the answer. After `next` the next page begins; empty on the last.
    fn finish(mut self, next: &str, upload: &str, asked: &Asked<'_>) -> Answer {
        let is_truncated = if next.is_empty() { "false" } else { "true" };
        self.document.leaf("IsTruncated", is_truncated);
        match self.listing.of {
            ListOf::Objects => {
                let next = self.spelled(next);
                self.document.leaf("NextMarker", &next);
            }
            ListOf::ObjectsByToken => {
                self.document.leaf("KeyCount", &self.told.to_string());
                self.document.leaf("NextContinuationToken", &token_of(next));
            }
            // oss2 raises without these two.
            ListOf::Uploads => {
                self.element("NextKeyMarker", next);
                self.document.element("NextUploadIdMarker", upload);
            }
        }
        Answer::new(200, asked).with_document(self.document.finish())
    }
}

/// A key as the origin encodes it, with a blank as `+` or as `%20`.
fn decoded(text: &str) -> Option<String> {
    let blanks: Vec<u8> = text
        .bytes()
        .map(|byte| if byte == b'+' { b' ' } else { byte })
        .collect();
    String::from_utf8(percent_decode(&blanks)?).ok()
}

fn too_long(reason: &'static str) -> Refusal {
    Refusal::new(Fault::ListTooLong).because(reason)
}

#[cfg(test)]
mod tests;
