//! What the origin lists of a folder, page by page: ListObjects with the folder as its prefix.
//!
//! A page has to be of the folder and to move on: strict here means that a list that is not what was asked for is
//! never taken for a folder with fewer parts in it, which would lose data.

use super::folder::{Folder, Name};
use super::record::Record;
use super::source::with_etag;
use crate::error::{Fault, Refusal};
use crate::parts::{Part, PartNumber, read_etag, whole_seconds};
use crate::xml::{self, Element};

/// The longest page that is read from the origin, in bytes: of 1,000 entries, each at most some 700 bytes.
pub const MAX_FOLDER_PAGE_BYTES: usize = 1024 * 1024;

const UNREADABLE: &str = "The origin's list of staged parts cannot be read.";
const STUCK: &str = "The origin's list of staged parts does not move on.";

/// What is in a folder, as its pages tell it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stock {
    parts: Vec<Part>,
    records: Vec<Record>,
    keys: Vec<String>,
    /// When the last note was stored.
    noted: Option<String>,
}

/// One page of the origin's list of a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderPage {
    stock: Stock,
    is_truncated: bool,
}

impl FolderPage {
    /// Reads the page that was asked for with `after` as its marker; `None` for the first.
    ///
    /// # Errors
    /// `InternalError` for a document that is no list of this folder, that does not move on, or that lacks the size
    /// or the ETag of a staged part.
    pub fn from_origin(document: &[u8], folder: &Folder, after: Option<&str>) -> Result<Self, Refusal> {
        if document.len() > MAX_FOLDER_PAGE_BYTES {
            return Err(broken("The origin's list of staged parts is too long."));
        }
        let (mut stock, mut truncated, mut entry) = (Stock::default(), None, Entry::default());
        let read = xml::read::<Refusal>(document, &mut |element| {
            if element.is(&["ListBucketResult", "IsTruncated"]) {
                truncated = match element.text.trim() {
                    "true" => Some(true),
                    "false" => Some(false),
                    _ => None,
                };
            } else if element.is(&["ListBucketResult", "Contents"]) {
                let entry = core::mem::take(&mut entry);
                entry.put_into(&mut stock, folder, after).map_err(broken)?;
            } else {
                entry.take(&element);
            }
            Ok(())
        });
        read.map_err(|refusal| match refusal.fault() {
            Fault::OriginAnswerUnreadable => refusal,
            _ => broken(UNREADABLE),
        })?;
        let is_truncated = truncated.ok_or_else(|| broken(UNREADABLE))?;
        if is_truncated && stock.keys.is_empty() {
            return Err(broken(STUCK));
        }
        Ok(Self { stock, is_truncated })
    }

    /// The keys of this page in order.
    pub fn keys(&self) -> &[String] {
        &self.stock.keys
    }

    /// The keys that are of no use once an upload is over: all but those of staged parts that are not among these, in
    /// order; `None`: all.
    pub fn of_no_use(&self, folder: &Folder, parts: Option<&[Part]>) -> Vec<String> {
        let mut keys = self.stock.keys.clone();
        if let Some(parts) = parts {
            let mut staged = self.stock.parts.iter().peekable();
            keys.retain(|key| {
                let part = staged.next_if(|part| folder.part(part.number()) == *key);
                part.is_none_or(|part| with_etag(parts, part.number(), part.etag()).is_some())
            });
        }
        keys
    }

    /// The marker to ask for the next page with; `None` on the last. It is the last key: S3 says none without
    /// a delimiter.
    pub fn next(&self) -> Option<&str> {
        let last = self.stock.keys.last().filter(|_| self.is_truncated);
        last.map(String::as_str)
    }
}

impl Stock {
    /// Adds a page, the pages in order.
    pub fn add(&mut self, page: FolderPage) {
        let FolderPage { stock, .. } = page;
        self.parts.extend(stock.parts);
        self.records.extend(stock.records);
        self.noted = self.noted.take().max(stock.noted);
        self.keys.extend(stock.keys);
    }

    /// The staged parts in order, each with its size.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The staged parts in order, each with its size.
    pub fn into_parts(self) -> Vec<Part> {
        self.parts
    }

    /// The staged part with the number and the ETag of this one, with its size.
    pub fn staged(&self, part: &Part) -> Option<&Part> {
        with_etag(&self.parts, part.number(), part.etag())
    }

    /// Whether a part was staged behind the last second in which a [note](Folder::note) was stored, if any was.
    pub fn has_younger(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| self.noted.is_none() || part.last_modified() > self.noted.as_deref())
    }

    /// The keys of all that is in the folder, in order.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The records of parts that were joined under this number.
    pub(super) fn records_of(&self, first: PartNumber) -> &[Record] {
        let from = self.records.partition_point(|record| record.first() < first);
        let records = self.records.get(from..).unwrap_or_default();
        let until = records.partition_point(|record| record.first() == first);
        records.get(..until).unwrap_or_default()
    }
}

/// The entry that is being read.
#[derive(Default)]
struct Entry {
    key: String,
    etag: Option<String>,
    size: Option<u64>,
    last_modified: Option<String>,
}

impl Entry {
    /// Takes an element of the list, if it is one of an entry.
    fn take(&mut self, element: &Element<'_>) {
        let [root, parent, name] = element.path else {
            return;
        };
        if (root.as_str(), parent.as_str()) != ("ListBucketResult", "Contents") {
            return;
        }
        match name.as_str() {
            "Key" => element.text.clone_into(&mut self.key),
            "ETag" => self.etag = read_etag(element.text).map(str::to_owned),
            "Size" => self.size = element.text.trim().parse().ok(),
            "LastModified" => self.last_modified = whole_seconds(element.text.trim()),
            _ => {}
        }
    }

    /// Judges the whole entry. Keys have to ascend, from `after` on.
    fn put_into(self, stock: &mut Stock, folder: &Folder, after: Option<&str>) -> Result<(), &'static str> {
        let before = stock.keys.last().map(String::as_str).or(after);
        if before.is_some_and(|before| self.key.as_str() <= before) {
            return Err(STUCK);
        }
        match folder
            .read(&self.key)
            .ok_or("The origin lists a key of another upload.")?
        {
            Name::Part(number) => {
                let (Some(etag), Some(size)) = (self.etag, self.size) else {
                    return Err("The origin lists a staged part without its size or ETag.");
                };
                stock
                    .parts
                    .push(Part::new(number, etag, Some(size), self.last_modified));
            }
            Name::Record(record) => stock.records.push(record),
            Name::Note => stock.noted = stock.noted.take().max(self.last_modified),
            Name::Other => {}
        }
        stock.keys.push(self.key);
        Ok(())
    }
}

fn broken(reason: &'static str) -> Refusal {
    Refusal::new(Fault::OriginAnswerUnreadable).because(reason)
}

#[cfg(test)]
mod tests;
