//! Early joins: staged parts become a part of S3's once they are enough for one, before their upload is completed.
//!
//! Parts of one size fall into groups that reach 5 MiB. When a part is stored, and its client answered, its group is
//! listed; if all of it is there, it is joined, and a record says so to the Complete, which then has only the rest to
//! join. Whatever goes wrong costs that Complete a join and nothing else: it looks at everything itself.
//!
//! An [`EarlyJoin`] does no fetching, and borrows nothing, since it outlives its client's request: it says what to
//! do and takes what became of it.

use std::borrow::Cow;

use oss_s3::addressing::OriginBucket;
use oss_s3::complete::{Part, PartNumber};
use oss_s3::errand::Errand;
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::{OriginBody, OriginRequest};
use oss_s3::response::{self, OriginAnswer};
use oss_s3::staging::{Folder, FolderPage, MIN_PART_BYTES, Record, Stock};
use request_auth::canon::{Slash, percent_encode};

use crate::response_handler::completion::part_of;
use crate::response_handler::{Outcome, Task};

/// The most parts of a group: of OSS's smallest, 100 KiB. Smaller ones, of which OSS takes none but the last, are not
/// joined early: a part that is sent again would have the whole group read again.
const MAX_GROUP: u16 = 52;
/// What is sent beside the group's parts: the list, the joined part, its record, the question for the upload, and a
/// deletion.
const OTHER_REQUESTS: u32 = 5;

/// The conversation about one group.
#[derive(Debug)]
pub struct EarlyJoin {
    origin: OriginBucket,
    folder: Folder,
    group: Group,
    /// Stores the joined part, still of no bytes.
    join: OriginRequest,
    /// Asks for the parts of the upload.
    parts: OriginRequest,
    /// Deletes the object of the folder without a name; what is sent about the others is made of it.
    object: OriginRequest,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The group is being listed, from behind this key on.
    Listing { after: Option<String> },
    /// These are being joined.
    Joining { members: Vec<Part> },
    /// The record with this key is being stored.
    Recording { key: String },
    /// The upload is looked at, now that the record with this key is there.
    Looking { key: String },
    /// The record is being deleted.
    Deleting,
}

/// Parts that are joined together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Group {
    first: PartNumber,
    last: PartNumber,
    count: u16,
}

impl Group {
    /// The group of a part of this size, if all others have the same.
    fn of(number: PartNumber, bytes: u64) -> Option<Self> {
        let reach = MIN_PART_BYTES.checked_next_multiple_of(bytes)?;
        let count = u16::try_from(reach.checked_div(bytes)?).ok()?;
        let before = number.get().checked_sub(1)?;
        let first = before.checked_sub(before.checked_rem(count)?)?.checked_add(1)?;
        let last = first.checked_add(count)?.checked_sub(1)?;
        (count <= MAX_GROUP).then_some(())?;
        Some(Self {
            first: PartNumber::of(first)?,
            last: PartNumber::of(last)?,
            count,
        })
    }

    /// The bytes of these parts, in order, if they are the whole group, and no fewer of them would do.
    fn bytes(self, parts: &[Part]) -> Option<u64> {
        let (last, others) = parts.split_last()?;
        let is_whole = parts.len() == usize::from(self.count)
            && parts.first()?.number() == self.first
            && last.number() == self.last;
        let others = others.iter().filter_map(Part::size).fold(0, u64::saturating_add);
        let bytes = others.saturating_add(last.size()?);
        (is_whole && others < MIN_PART_BYTES && bytes >= MIN_PART_BYTES).then_some(bytes)
    }
}

impl EarlyJoin {
    /// What to do first after the success of this errand, if it stored a part that may have been the last of its
    /// group, and if `requests` requests to the origin are enough.
    pub fn after(errand: &Errand<'_>, requests: u32) -> Option<(Self, Task)> {
        let folder = errand.folder().filter(|_| errand.is_staged())?;
        let group = Group::of(errand.part_number()?, errand.length()?)?;
        let needed = u32::from(group.count).saturating_add(OTHER_REQUESTS);
        (requests >= needed).then_some(())?;
        let before = PartNumber::of(group.first.get().saturating_sub(1));
        let after = before.map(|before| folder.part(before));
        let list = OriginRequest::list_of_folder(errand, &folder, after.as_deref(), group.count);
        let early = Self {
            origin: errand.bucket().origin.clone(),
            group,
            join: OriginRequest::join(errand, group.first, 0),
            parts: OriginRequest::list_parts(errand, None),
            object: OriginRequest::delete_staged(errand.bucket(), folder.as_str(), errand.pays()),
            stage: Stage::Listing { after },
            folder,
        };
        Some((early, alone(list)))
    }

    /// Where everything is sent.
    pub const fn origin(&self) -> &OriginBucket {
        &self.origin
    }

    /// How many bytes of the body of an answer with this status to read; the rest is dropped.
    pub fn document_bytes(&self, status: u16) -> usize {
        match self.stage {
            Stage::Listing { .. } => response::parts_page_bytes(status),
            _ if status >= 300 => response::parts_page_bytes(status),
            _ => 0,
        }
    }

    /// Takes what became of the last task, and gives the next; `None` at the end.
    ///
    /// # Errors
    /// What went wrong, for the log. Nothing is lost by it.
    pub fn advance(&mut self, outcome: Outcome) -> Result<Option<Task>, Refusal> {
        match core::mem::replace(&mut self.stage, Stage::Deleting) {
            Stage::Listing { after } => {
                let answer = answered(outcome)?;
                let page = FolderPage::from_origin(&answer.body, &self.folder, after.as_deref())?;
                let mut stock = Stock::default();
                stock.add(page);
                Ok(self.joined(stock.parts()))
            }
            Stage::Joining { members } => {
                let etag = match part_of(outcome, false) {
                    Ok(etag) => etag,
                    // Completed or aborted meanwhile, or one of the parts was sent again.
                    Err(refusal) if matches!(refusal.fault(), Fault::NoSuchUpload | Fault::PartInvalid) => {
                        return Ok(None);
                    }
                    Err(refusal) => return Err(refusal),
                };
                let Some(record) = Record::of(&members, &etag) else {
                    return Ok(None);
                };
                let key = self.folder.record(&record);
                let request = self.about("PUT", &key);
                self.stage = Stage::Recording { key };
                Ok(Some(alone(request)))
            }
            Stage::Recording { key } => {
                answered(outcome)?;
                self.stage = Stage::Looking { key };
                Ok(Some(alone(self.parts.clone())))
            }
            // Whoever completed or aborted the upload may have emptied its folder before the record was there.
            Stage::Looking { key } => match answered(outcome) {
                Err(refusal) if refusal.fault() == Fault::NoSuchUpload => {
                    Ok(Some(alone(self.about("DELETE", &key))))
                }
                Err(refusal) => Err(refusal),
                Ok(_) => Ok(None),
            },
            Stage::Deleting => answered(outcome).map(|_| None),
        }
    }

    /// The task that joins the group, if these are all its parts.
    fn joined(&mut self, listed: &[Part]) -> Option<Task> {
        let bytes = self.group.bytes(listed)?;
        let source = |part: &Part| {
            let mut request = self.about("GET", &self.folder.part(part.number()));
            let etag = ["\"", part.etag(), "\""].concat().into_bytes();
            request.headers.push((Cow::Borrowed("if-match"), etag));
            request
        };
        let mut request = self.join.clone();
        request.body = OriginBody::Joined(bytes);
        let sources = listed.iter().map(source).collect();
        let members = listed.to_vec();
        self.stage = Stage::Joining { members };
        Some(Task { request, sources })
    }

    /// A request with this method about a key of the folder.
    fn about(&self, method: &'static str, key: &str) -> OriginRequest {
        let mut request = self.object.clone();
        let name = key.strip_prefix(self.folder.as_str()).unwrap_or_default();
        percent_encode(name.as_bytes(), Slash::Keep, &mut request.path);
        request.method = method;
        request
    }
}

const fn alone(request: OriginRequest) -> Task {
    Task {
        request,
        sources: Vec::new(),
    }
}

/// The answer of a task that is no join, if it is a success.
fn answered(outcome: Outcome) -> Result<OriginAnswer, Refusal> {
    let refusal = match outcome {
        Outcome::Answered(answer) => match response::error_of(&answer) {
            None => return Ok(answer),
            Some(refusal) => refusal,
        },
        Outcome::Source(_) => Fault::GatewayFailed.into(),
        Outcome::Failed(why) => Refusal::new(Fault::OriginUnavailable).because(why),
    };
    Err(refusal)
}

#[cfg(test)]
mod tests;
