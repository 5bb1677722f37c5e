//! The third role: the conversation with the origin about one request, and its answer in OSS's words.
//!
//! Most operations are one request and one answer. A Complete can be more: with `x-oss-complete-all`
//! the part list is the origin's own, page by page; under a grant that limits the size of objects the origin is
//! asked how large the parts are, before any of them is completed, and how large the source of a copy is; and when S3 says NoSuchUpload, the object may be
//! there because the answer to an earlier Complete was lost, so the key is looked at before the
//! device is told that its upload is gone.
//!
//! An [`Exchange`] does no fetching: it says what to send and takes what came back.

mod cleaning;
pub(crate) mod completion;
mod copies;
mod staged_parts;

use oss_s3::answer::{Answer, Asked};
use oss_s3::complete::{Part, PartList, PartNumber, PartsPage, check_body_digest};
use oss_s3::deletions::Deletions;
use oss_s3::errand::Errand;
use oss_s3::error::{Fault, Refusal};
use oss_s3::operation::{Call, Content, Operation, PartSource};
use oss_s3::payload;
use oss_s3::request::OriginRequest;
use oss_s3::response::{self, OriginAnswer, Subject};
use oss_s3::size;
use oss_s3::staging::Folder;
use request_auth::Dialect;

use self::cleaning::{Cleaning, Rest};
use self::completion::{Completion, Next};
use self::staged_parts::StagedParts;
use crate::config::Config;
use crate::passport::body_digest;
use crate::replaced::still_there;
use crate::router;

/// The conversation about one errand.
#[derive(Debug)]
pub struct Exchange<'a> {
    errand: Errand<'a>,
    stage: Stage,
    warning: Option<&'static str>,
}

#[derive(Debug)]
enum Stage {
    /// The size of the source is asked for before `copy` can be sent.
    Weighing { copy: OriginRequest },
    /// Of a source of this version a part is being staged, in the place of `copy`.
    Staging {
        copy: OriginRequest,
        version: Option<Vec<u8>>,
    },
    /// The operation's own request is under way.
    Asking,
    /// The parts of an upload are being listed before `complete` can be sent.
    Listing {
        complete: OriginRequest,
        pages: Vec<PartsPage>,
        after: Option<PartNumber>,
        /// The parts that the device named; `None`: all that are listed.
        named: Option<PartList>,
    },
    /// A batch of these deletions is under way.
    Deleting { deletions: Deletions },
    /// A Complete with these parts is under way.
    Completing { parts: PartList },
    /// A Complete of an upload whose small parts may be staged is under way.
    Staged(Box<Completion>),
    /// The key is looked at, because a Complete was refused; with these parts, where they are known.
    Looking {
        parts: Option<PartList>,
        /// How many bytes the object then has, where that is known.
        bytes: Option<u64>,
        /// What is of no use if the object is there.
        used: Option<(Folder, Vec<Part>)>,
        refusal: Refusal,
    },
    /// A page of the parts of an upload is being made of what is staged, and of S3's.
    Merging(StagedParts),
    /// A part is stored, and the staged one that had its number is being deleted.
    Replacing { answer: Answer },
    /// What was staged for an upload that is over is being deleted.
    Cleaning(Cleaning),
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Sign and send this, then come back with the answer.
    Send(OriginRequest),
    /// Do all of these, as many at once as the platform lets, then come back with what became of each.
    Together(Vec<Task>),
    /// Answer the device.
    Answer(Answer),
    /// Answer the device with this head, and with the body of the origin's last answer: its own stream,
    /// not read.
    Stream(Answer),
}

/// A request that waits for none of those beside it.
#[derive(Debug)]
pub struct Task {
    /// What to sign and send.
    pub request: OriginRequest,
    /// What to sign and send for the request's body, where that is [`OriginBody::Joined`]: the bodies of
    /// the answers, in this order, become it. Each has to be answered 200, or 206 where it asks for a range.
    ///
    /// [`OriginBody::Joined`]: oss_s3::request::OriginBody::Joined
    pub sources: Vec<OriginRequest>,
}

/// What became of a [`Task`].
#[derive(Debug)]
pub enum Outcome {
    /// The origin answered its request.
    Answered(OriginAnswer),
    /// A source was answered with this status, so the request was broken off before its end: nothing is stored.
    Source(u16),
    /// No answer, or a body that is not as long as was said: why, for the log.
    Failed(String),
}

/// What the platform still lets a request do.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// How long until the answer is due, in seconds.
    pub seconds: u32,
    /// How many requests may still be sent to the origin.
    pub requests: u32,
    /// How many [`Task`]s with sources run at once.
    pub together: usize,
}

/// Translates the head of S3's answer to object bytes that streamed past the gateway, where all that
/// is left of the request is what was sent to S3.
///
/// `sent` is that request's method, path and query, `host` the origin that it went to, and
/// `conditions` whether it had an If-None-Match and an If-Match.
///
/// # Errors
/// The refusal that the device is answered with.
pub fn streamed(
    config: &Config,
    host: &str,
    sent: (&str, &str, &str),
    conditions: [bool; 2],
    answer: &OriginAnswer,
    asked: &Asked<'_>,
) -> Result<(Operation, Answer), Refusal> {
    let (method, path, query) = sent;
    let stray =
        || Refusal::new(Fault::GatewayFailed).because("The answer is to no request of this gateway's.");
    let sent = router::streamed(method, query, conditions).ok_or_else(stray)?;
    let buckets = config.hosts.buckets();
    // Where two virtual buckets have one origin, only the names of KMS keys in the answer can differ.
    let staging = buckets.iter().find(|bucket| bucket.stages_at(host, path));
    let operation = match staging {
        Some(_) => Operation::UploadPart,
        None => sent.operation,
    };
    let bucket = staging.or_else(|| buckets.iter().find(|bucket| bucket.origin.is_at(host, path)));
    let bucket = bucket.ok_or_else(stray)?;
    let answer = response::translate_head(answer, sent, operation, bucket, asked)?;
    Ok((operation, answer))
}

impl<'a> Exchange<'a> {
    /// Begins the conversation; `document` is the device's body where
    /// [`body_rule`](crate::router::body_rule) said to read it, else empty. Gives what comes first: what
    /// to send, or at once what to answer.
    ///
    /// # Errors
    /// A refusal for a document that is none of the operation's, or not the one of its Content-MD5 or
    /// signed digest.
    pub fn begin(errand: Errand<'a>, document: &[u8], asked: &Asked<'_>) -> Result<(Self, Step), Refusal> {
        if matches!(errand.call().operation().content(), Content::Document(_)) {
            check_digests(&errand, document)?;
        }
        if let Some(answer) = response::answer_at_once(&errand, asked) {
            let stage = Stage::Asking;
            return Ok((Self::at(errand, stage), Step::Answer(answer)));
        }
        let request = OriginRequest::new(&errand);
        let folder = errand.folder();
        let (stage, first) = match errand.call() {
            Call::CompleteMultipartUpload { parts, .. } => {
                let named = match parts {
                    PartSource::Body => Some(PartList::from_device(document, errand.dialect())?),
                    PartSource::AllUploaded if !document.is_empty() => {
                        return Err(Fault::BodyUnexpected.into());
                    }
                    PartSource::AllUploaded => None,
                };
                match folder {
                    Some(folder) => {
                        let (completion, first) =
                            Completion::begin(&errand, folder, named, request, asked.request_id);
                        (Stage::Staged(Box::new(completion)), first)
                    }
                    None => plain(&errand, named, request),
                }
            }
            Call::ListParts { most, after, .. } => match folder {
                Some(folder) => {
                    let (parts, first) = StagedParts::begin(&errand, folder, *most, *after);
                    (Stage::Merging(parts), first)
                }
                None => (Stage::Asking, request),
            },
            Call::InitiateMultipartUpload { .. } if errand.dialect() == Dialect::Oss => {
                (Stage::Asking, request.marked(asked.request_id))
            }
            Call::DeleteMultipleObjects { .. } => {
                // A document that nothing binds could be another one than was signed.
                let is_bound = errand.content_md5().or(errand.content_crc32()).is_some();
                if !is_bound && errand.content_sha256().is_none() {
                    return Err(Refusal::new(Fault::DigestInvalid).about("content-md5"));
                }
                let deletions = Deletions::from_client(document, errand.target().areas())?;
                let request = request.with_document(deletions.to_xml());
                (Stage::Deleting { deletions }, request)
            }
            // A part too, though all are summed when they are completed: they are stored until then.
            Call::CopyObject | Call::UploadPartCopy { .. }
                if errand.max_object_bytes().is_some() || errand.may_stage_copy() =>
            {
                let first = OriginRequest::head_source(&errand).ok_or(Fault::GatewayFailed)?;
                (Stage::Weighing { copy: request }, first)
            }
            _ => (Stage::Asking, request.with_client_document(&errand, document)?),
        };
        Ok((Self::at(errand, stage), Step::Send(first)))
    }

    const fn at(errand: Errand<'a>, stage: Stage) -> Self {
        Self {
            errand,
            stage,
            warning: None,
        }
    }

    /// What the conversation is about.
    pub const fn errand(&self) -> &Errand<'a> {
        &self.errand
    }

    /// How many bytes of the body of an answer with this status to read; the rest is dropped.
    pub fn document_bytes(&self, status: u16) -> usize {
        match &self.stage {
            Stage::Asking | Stage::Staging { .. } | Stage::Deleting { .. } | Stage::Completing { .. } => {
                response::document_bytes(self.errand.call().operation(), status)
            }
            Stage::Staged(completion) => completion.document_bytes(&self.errand, status),
            Stage::Listing { .. } | Stage::Merging(_) | Stage::Cleaning(_) => {
                response::parts_page_bytes(status)
            }
            Stage::Weighing { .. } | Stage::Looking { .. } | Stage::Replacing { .. } => 0,
        }
    }

    /// Takes the origin's answer to what was sent last.
    ///
    /// # Errors
    /// The refusal that the device is answered with.
    pub fn advance(
        &mut self,
        answer: &OriginAnswer,
        asked: &Asked<'_>,
        allowance: Allowance,
    ) -> Result<Step, Refusal> {
        let subject = Subject::of(&self.errand);
        match core::mem::replace(&mut self.stage, Stage::Asking) {
            Stage::Deleting { deletions } => {
                response::deleted(answer, &deletions, &subject, asked).map(Step::Answer)
            }
            Stage::Weighing { copy } => self.weighed(copy, answer),
            Stage::Staging { .. } => Err(Fault::GatewayFailed.into()),
            Stage::Asking => {
                let translated = response::translate(answer, &subject, asked);
                match (subject.sent.operation, self.errand.folder()) {
                    (Operation::GetObject, _) => translated.map(Step::Stream),
                    (Operation::AbortMultipartUpload, Some(folder)) => {
                        let outcome = match translated {
                            Err(refusal) if refusal.fault() != Fault::NoSuchUpload => return Err(refusal),
                            outcome => outcome,
                        };
                        let rest = Rest::Aborted(Some(Answer::new(204, asked)));
                        self.clean(folder, outcome, rest, allowance)
                    }
                    (Operation::UploadPart | Operation::UploadPartCopy, Some(folder)) => {
                        let answer = translated?;
                        Ok(self.replace(&folder, answer))
                    }
                    _ => translated.map(Step::Answer),
                }
            }
            Stage::Replacing { answer: stored } => match response::error_of(answer) {
                Some(refusal) => Err(still_there(&refusal.reason())),
                None => Ok(Step::Answer(stored)),
            },
            Stage::Staged(mut completion) => {
                let next = completion.advance(&self.errand, answer, asked, allowance)?;
                self.complete(completion, next, allowance)
            }
            Stage::Merging(mut parts) => {
                let step = parts.advance(&self.errand, answer, asked)?;
                self.stage = Stage::Merging(parts);
                Ok(step)
            }
            Stage::Cleaning(mut cleaning) => match cleaning.advance(&self.errand, answer, allowance) {
                Some(request) => {
                    self.stage = Stage::Cleaning(cleaning);
                    Ok(Step::Send(request))
                }
                None => {
                    self.warning = cleaning.warning();
                    cleaning.outcome().map(Step::Answer)
                }
            },
            Stage::Listing {
                complete,
                mut pages,
                after,
                named,
            } => {
                if let Some(refusal) = response::error_of(answer) {
                    return self.doubt(named, refusal);
                }
                let page = PartsPage::from_origin(&answer.body, after, self.errand.dialect())?;
                let after = page.next();
                pages.push(page);
                if after.is_some() {
                    let next = OriginRequest::list_parts(&self.errand, after);
                    self.stage = Stage::Listing {
                        complete,
                        pages,
                        after,
                        named,
                    };
                    return Ok(Step::Send(next));
                }
                let listed = PartList::of_pages(pages)?;
                if let Some(most) = self.errand.max_object_bytes() {
                    let parts = named.as_ref().unwrap_or(&listed);
                    size::check(parts.bytes(&listed)?, most)?;
                }
                let parts = named.unwrap_or(listed);
                let request = complete.with_parts(&parts);
                self.stage = Stage::Completing { parts };
                Ok(Step::Send(request))
            }
            Stage::Completing { parts } => match response::translate(answer, &subject, asked) {
                Err(refusal) => self.doubt(Some(parts), refusal),
                outcome => outcome.map(Step::Answer),
            },
            // An origin that can't say what is there hasn't said that the upload is lost.
            Stage::Looking { .. } if answer.status == 429 || answer.status >= 500 => {
                Err(response::error_of(answer).unwrap_or_else(|| Fault::Busy.into()))
            }
            // What was sent for an upload that is over is no part of what it made.
            Stage::Looking {
                bytes: Some(bytes),
                refusal,
                ..
            } if response::length_of(answer) != Some(bytes) => Err(refusal),
            Stage::Looking {
                parts, used, refusal, ..
            } => {
                let completed = response::completed_before(answer, parts.as_ref(), &self.errand, asked);
                let answer = completed.ok_or(refusal)?;
                match used {
                    Some((folder, parts)) => {
                        self.clean(folder, Ok(answer), Rest::Completed(parts), allowance)
                    }
                    None => Ok(Step::Answer(answer)),
                }
            }
        }
    }

    /// Takes what became of the tasks that were to be done together, in their order.
    ///
    /// # Errors
    /// The refusal that the device is answered with.
    pub fn advance_together(
        &mut self,
        outcomes: Vec<Outcome>,
        asked: &Asked<'_>,
        allowance: Allowance,
    ) -> Result<Step, Refusal> {
        match core::mem::replace(&mut self.stage, Stage::Asking) {
            Stage::Staged(mut completion) => {
                let next = completion.advance_together(&self.errand, outcomes, allowance)?;
                self.complete(completion, next, allowance)
            }
            Stage::Staging { copy, version } => self.copied(copy, version, outcomes, asked),
            _ => Err(Refusal::new(Fault::GatewayFailed).because("Nothing was to be done together.")),
        }
    }

    /// Takes that the origin did not answer, and why: the refusal of what was sent last.
    ///
    /// # Errors
    /// That refusal, unless the device can be answered without what was asked.
    pub fn unanswered(&mut self, refusal: Refusal) -> Result<Step, Refusal> {
        match core::mem::replace(&mut self.stage, Stage::Asking) {
            Stage::Cleaning(cleaning) => {
                self.warning = Some(cleaning::LEFT);
                cleaning.outcome().map(Step::Answer)
            }
            _ => Err(refusal),
        }
    }

    /// What went wrong beside an answer that is a success, for the log.
    pub const fn warning(&self) -> Option<&'static str> {
        self.warning
    }

    /// Goes on with a completion.
    fn complete(
        &mut self,
        completion: Box<Completion>,
        next: Next,
        allowance: Allowance,
    ) -> Result<Step, Refusal> {
        match next {
            Next::Step(step) => {
                self.stage = Stage::Staged(completion);
                Ok(step)
            }
            Next::Plain(named, complete) => {
                let (stage, first) = plain(&self.errand, named, complete);
                self.stage = stage;
                Ok(Step::Send(first))
            }
            Next::Made(answer) => {
                let (folder, parts) = completion.into_used();
                self.clean(folder, Ok(answer), Rest::Completed(parts), allowance)
            }
            Next::Doubt(refusal, bytes) => {
                let used = Some(completion.into_used_before());
                Ok(self.look(None, bytes, used, refusal))
            }
        }
    }

    /// Looks at the key before the device is told that its upload is gone.
    fn doubt(&mut self, parts: Option<PartList>, refusal: Refusal) -> Result<Step, Refusal> {
        // The parts of an OSS client's upload need not be known: what it made has its mark, also where that is the
        // object that must not be replaced.
        let may_be_made = match self.errand.dialect() {
            Dialect::Oss => matches!(
                refusal.fault(),
                Fault::NoSuchUpload | Fault::AlreadyExists | Fault::PartInvalid
            ),
            Dialect::S3 => refusal.fault() == Fault::NoSuchUpload && parts.is_some(),
        };
        match may_be_made {
            true => Ok(self.look(parts, None, None, refusal)),
            false => Err(refusal),
        }
    }

    fn look(
        &mut self,
        parts: Option<PartList>,
        bytes: Option<u64>,
        used: Option<(Folder, Vec<Part>)>,
        refusal: Refusal,
    ) -> Step {
        self.stage = Stage::Looking {
            parts,
            bytes,
            used,
            refusal,
        };
        Step::Send(OriginRequest::head(&self.errand))
    }

    /// Deletes the staged part that had the number of one that is stored now.
    fn replace(&mut self, folder: &Folder, answer: Answer) -> Step {
        match self.errand.part_number().filter(|_| !self.errand.is_staged()) {
            Some(number) => {
                let request = OriginRequest::delete_staged(
                    self.errand.bucket(),
                    &folder.part(number),
                    self.errand.pays(),
                );
                self.stage = Stage::Replacing { answer };
                Step::Send(request)
            }
            None => Step::Answer(answer),
        }
    }

    /// Deletes what was staged, and then answers.
    fn clean(
        &mut self,
        folder: Folder,
        outcome: Result<Answer, Refusal>,
        rest: Rest,
        allowance: Allowance,
    ) -> Result<Step, Refusal> {
        if allowance.seconds == 0 || allowance.requests == 0 {
            self.warning = Some(cleaning::LEFT);
            return outcome.map(Step::Answer);
        }
        let (cleaning, first) = Cleaning::begin(&self.errand, folder, outcome, rest);
        self.stage = Stage::Cleaning(cleaning);
        Ok(Step::Send(first))
    }
}

/// The completion of an upload whose parts are all S3's.
fn plain(errand: &Errand<'_>, named: Option<PartList>, complete: OriginRequest) -> (Stage, OriginRequest) {
    match named {
        Some(parts) if errand.max_object_bytes().is_none() => {
            let request = complete.with_parts(&parts);
            (Stage::Completing { parts }, request)
        }
        named => {
            let stage = Stage::Listing {
                complete,
                pages: Vec::new(),
                after: None,
                named,
            };
            (stage, OriginRequest::list_parts(errand, None))
        }
    }
}

/// Compares a document with the digests that came with it.
fn check_digests(errand: &Errand<'_>, document: &[u8]) -> Result<(), Refusal> {
    if let Some(digest) = errand.content_md5() {
        check_body_digest(digest, document)?;
    }
    if let Some(checksum) = errand.content_crc32() {
        payload::check_crc32(checksum, document)?;
    }
    match errand.content_sha256() {
        Some(digest) if digest != body_digest(document) => Err(Fault::PayloadMismatch.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod copies_tests;
#[cfg(test)]
mod late_tests;
#[cfg(test)]
mod model;
#[cfg(test)]
mod payer_tests;
#[cfg(test)]
mod staged_parts_tests;
#[cfg(test)]
mod staged_tests;
#[cfg(test)]
mod tests;
