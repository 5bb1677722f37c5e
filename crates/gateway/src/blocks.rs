//! Object bytes of no stated length: the conversation with the origin about a body that comes in blocks.
//!
//! S3 takes no body without a length, and several SDKs of OSS's send one. Such a body is read in blocks, by the
//! platform, outside of wasm. One that ends within the first block is sent on as if it had come with its
//! length. Of a longer one the blocks become the parts of an upload that is the gateway's own: begun with the
//! attributes that the device gave its object, completed behind the last block, and aborted on any error, so that
//! nothing is stored of a body that breaks off, grows beyond its bound or is not the one of its Content-MD5. A
//! part of the device's own upload is put together aside, among the staged parts, and copied from there.
//!
//! A [`Blocks`] does no fetching and sees no byte: it says what to send and takes what came back.

use oss_s3::answer::{Answer, Asked};
use oss_s3::complete::{PartList, PartNumber, check_streamed_digest};
use oss_s3::errand::Errand;
use oss_s3::error::{Fault, Refusal};
use oss_s3::operation::{Operation, UploadId};
use oss_s3::request::OriginRequest;
use oss_s3::response::blocks::{begun, dropped, inner, joined, stored_whole};
use oss_s3::response::{self, OriginAnswer, Subject};
use oss_s3::size;

use crate::replaced::still_there;
use crate::response_handler::Allowance;

/// How many bytes a block has, but for the last one: 8 MiB.
pub const BLOCK_BYTES: u32 = 8 << 20;

/// The requests that a block needs and whatever follows it: another one, the completion, a copy, and the deletion of what
/// is of no use any more.
const REQUESTS_BEHIND: u32 = 5;

/// A block of the body that has arrived.
#[derive(Clone, Debug)]
pub struct Block {
    /// How many bytes it has.
    pub bytes: u64,
    /// Behind the last block: the MD5 of the whole body in base64, empty where the device sent no Content-MD5.
    /// `None`: another block follows.
    pub end: Option<String>,
}

/// The conversation about one body.
#[derive(Debug)]
pub struct Blocks<'a> {
    errand: Errand<'a>,
    /// The key that a part's blocks are put together under; `None` for a put.
    aside: Option<String>,
    /// How many bytes have arrived.
    bytes: u64,
    /// Whether the last block has.
    has_ended: bool,
    etags: Vec<String>,
    stage: Stage,
    /// What is to be dropped if anything fails.
    begun: Begun,
    warning: Option<&'static str>,
}

#[derive(Debug)]
enum Stage {
    Beginning,
    Sending,
    Reading,
    Completing,
    /// What lies aside is being made the device's part.
    Copying,
    /// What is of no use any more is being dropped, behind which this is the answer.
    Dropping(Result<Answer, Refusal>),
}

#[derive(Debug)]
enum Begun {
    Nothing,
    Upload(UploadId),
    /// The object aside.
    Aside,
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Sign and send this; the device's body is the block at hand. Then come back with the answer, or with why
    /// there is none.
    Send(OriginRequest),
    /// Read the next block, then come back with it, or with why there is none.
    Read,
    /// Answer the device.
    Answer(Answer),
}

impl<'a> Blocks<'a> {
    /// Begins the conversation about a body that is longer than its `first` block.
    ///
    /// # Errors
    /// `EntityTooLarge` for more than the grant allows; `MissingContentLength` for a part where there is no place
    /// for staged ones.
    pub fn begin(errand: Errand<'a>, first: &Block, asked: &Asked<'_>) -> Result<(Self, Step), Refusal> {
        let aside = match (errand.call().operation(), errand.folder(), errand.part_number()) {
            (Operation::PutObject, ..) => None,
            // A part that is sent twice at once is put together in two places.
            (_, Some(folder), Some(number)) => {
                Some([&folder.unsized_object(number), ".", asked.request_id.as_str()].concat())
            }
            _ => return Err(Fault::LengthMissing.into()),
        };
        let request = OriginRequest::begin_blocks(&errand, aside.as_deref());
        let mut blocks = Self {
            errand,
            aside,
            bytes: 0,
            has_ended: false,
            etags: Vec::new(),
            stage: Stage::Beginning,
            begun: Begun::Nothing,
            warning: None,
        };
        blocks.count(first)?;
        Ok((blocks, Step::Send(request)))
    }

    /// What the log has to tell of, though the device need not know.
    pub const fn warning(&self) -> Option<&'static str> {
        self.warning
    }

    /// Takes the block that was read.
    ///
    /// # Errors
    /// The refusal that the device is answered with.
    pub fn take(&mut self, block: &Block, allowance: Allowance) -> Result<Step, Refusal> {
        const NO_MORE: &str = "The platform lets no more requests be sent for one body.";
        match self.count(block) {
            Ok(()) if allowance.requests >= REQUESTS_BEHIND => self.send(),
            Ok(()) => self.fail(Refusal::new(Fault::EntityTooLarge).because(NO_MORE)),
            Err(refusal) => self.fail(refusal),
        }
    }

    /// Takes the origin's answer to what was sent last.
    ///
    /// # Errors
    /// The refusal that the device is answered with.
    pub fn advance(&mut self, answer: &OriginAnswer, asked: &Asked<'_>) -> Result<Step, Refusal> {
        match core::mem::replace(&mut self.stage, Stage::Reading) {
            Stage::Dropping(outcome) => self.ended(outcome, dropped(answer)),
            stage => match self.heard(&stage, answer, asked) {
                Err(refusal) => self.fail(refusal),
                step => step,
            },
        }
    }

    /// Gives up, because the body or the origin broke off: what was begun is dropped.
    ///
    /// # Errors
    /// The refusal that the device is answered with, once nothing is left to be dropped.
    pub fn fail(&mut self, refusal: Refusal) -> Result<Step, Refusal> {
        match core::mem::replace(&mut self.stage, Stage::Reading) {
            Stage::Dropping(outcome) => self.ended(outcome, false),
            _ => self.drop_begun(Err(refusal)),
        }
    }

    fn ended(&mut self, outcome: Result<Answer, Refusal>, is_clean: bool) -> Result<Step, Refusal> {
        if is_clean {
            return outcome.map(Step::Answer);
        }
        self.warning = Some("what was stored of a body of no stated length could not all be removed");
        outcome.and_then(|_| Err(still_there("nor may be what it was put together of")))
    }

    fn heard(&mut self, stage: &Stage, answer: &OriginAnswer, asked: &Asked<'_>) -> Result<Step, Refusal> {
        let subject = Subject::of(&self.errand);
        let aside = self.aside.as_deref();
        match (stage, &self.begun) {
            (Stage::Beginning, _) => {
                self.begun = Begun::Upload(begun(answer, subject.sent)?);
                self.send()
            }
            (Stage::Sending, Begun::Upload(upload)) => {
                self.etags.push(inner(response::part_made(answer, false))?);
                if !self.has_ended {
                    return Ok(Step::Read);
                }
                let list = PartList::numbered(core::mem::take(&mut self.etags))?;
                self.stage = Stage::Completing;
                let request = OriginRequest::complete_blocks(&self.errand, aside, upload, &list);
                Ok(Step::Send(request))
            }
            (Stage::Completing, _) => {
                let etag = inner(joined(answer, subject.sent))?;
                match aside.zip(self.errand.part_number()) {
                    Some((aside, number)) => {
                        let copy = OriginRequest::copy_from_staging(&self.errand, number, aside);
                        self.begun = Begun::Aside;
                        self.stage = Stage::Copying;
                        Ok(Step::Send(copy))
                    }
                    None => Ok(Step::Answer(stored_whole(&etag, answer, &subject, asked))),
                }
            }
            (Stage::Copying, _) => {
                let etag = response::part_made(answer, true)?;
                let stored = stored_whole(&etag, answer, &subject, asked);
                self.drop_begun(Ok(stored))
            }
            _ => Err(Refusal::new(Fault::GatewayFailed).because("The origin was asked nothing.")),
        }
    }

    /// Drops what was begun, and of a part that is stored also the staged one that had its number.
    fn drop_begun(&mut self, outcome: Result<Answer, Refusal>) -> Result<Step, Refusal> {
        let aside = self.aside.as_deref();
        let request = match (core::mem::replace(&mut self.begun, Begun::Nothing), aside) {
            (Begun::Upload(upload), _) => OriginRequest::abort_blocks(&self.errand, aside, &upload),
            (Begun::Aside, Some(aside)) => {
                let replaced = outcome.is_ok().then(|| {
                    let (folder, number) = self.errand.folder().zip(self.errand.part_number())?;
                    Some(folder.part(number))
                });
                let keys: Vec<String> = [Some(aside.to_owned()), replaced.flatten()]
                    .into_iter()
                    .flatten()
                    .collect();
                OriginRequest::delete_all_staged(&self.errand, &keys)
            }
            _ => return outcome.map(Step::Answer),
        };
        self.stage = Stage::Dropping(outcome);
        Ok(Step::Send(request))
    }

    /// Sends the block at hand.
    fn send(&mut self) -> Result<Step, Refusal> {
        let Begun::Upload(upload) = &self.begun else {
            return Err(Refusal::new(Fault::GatewayFailed).because("No upload was begun."));
        };
        let number = PartNumber::behind(self.etags.len()).ok_or(Fault::EntityTooLarge)?;
        let request = OriginRequest::block(&self.errand, self.aside.as_deref(), upload, number);
        self.stage = Stage::Sending;
        Ok(Step::Send(request))
    }

    /// Counts a block, before it is sent.
    fn count(&mut self, block: &Block) -> Result<(), Refusal> {
        self.bytes = self.bytes.saturating_add(block.bytes);
        let most = self.errand.bucket().max_unsized_bytes;
        let most = self
            .errand
            .max_object_bytes()
            .map_or(most, |grant| grant.min(most));
        size::check(self.bytes, most)?;
        let Some(md5) = &block.end else { return Ok(()) };
        self.has_ended = true;
        self.errand
            .content_md5()
            .map_or(Ok(()), |stated| check_streamed_digest(stated, md5))
    }
}

#[cfg(test)]
mod tests;
