//! The completion of an upload whose small parts are staged.
//!
//! What is staged is listed, then what S3 has; the device's list is resolved and the whole planned, and only then
//! is anything changed. Parts are joined in waves. Behind each wave records say what was joined, so a completion
//! that ends early, because something failed or the platform's time or requests are used up, is gone on with by the
//! next Complete of the same upload. Nothing is deleted before S3 has made the object.
//!
//! Two completions of one upload may run at once: both join the same bytes to the same parts, and whoever is second
//! finds the upload gone and the object by its mark. That alone does not say which parts the object holds: the device may
//! have sent others since, and S3, which knows of no staged one, took no notice. So a note of the parts is stored before
//! S3 makes the object, and goes with them: a Complete whose upload is gone, but not what is staged, is
//! answered with a success only if the note of its own parts is there.

use oss_s3::answer::{Answer, Asked, RequestId};
use oss_s3::complete::{Part, PartList, PartNumber, PartsPage};
use oss_s3::errand::Errand;
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::OriginRequest;
use oss_s3::response::{self, OriginAnswer, Subject};
use oss_s3::size;
use oss_s3::staging::{Folder, FolderPage, Plan, Stock, Unit, plan};

use super::{Allowance, Outcome, Step, Task};

/// How often a wave fills the connections that the platform has: between two waves nothing is under way.
const TURNS: usize = 2;
/// How often a completion begins anew whose joined parts were joined by somebody else meanwhile.
const ATTEMPTS: u8 = 2;
/// The time that a wave and what follows it take at most, in seconds.
const WAVE_SECONDS: u32 = 12;
/// The time that S3's own completion and what follows it take at most, in seconds.
const END_SECONDS: u32 = 4;
/// The requests that follow the last wave: to note the parts, to complete, to look at the key, and to begin anew.
const END_REQUESTS: u32 = 6;
/// The requests that list and delete a page of what was staged.
const PAGE_REQUESTS: u32 = 2;

/// A completion on its way.
#[derive(Debug)]
pub(super) struct Completion {
    folder: Folder,
    /// The parts that the device named; `None`: all.
    named: Option<PartList>,
    /// S3's Complete, still without its parts.
    complete: OriginRequest,
    stock: Stock,
    uploaded: Vec<Part>,
    /// Whether this request has joined anything.
    has_joined: bool,
    /// How often it may begin anew.
    attempts: u8,
    /// What tells its note from those of other requests.
    request_id: String,
    /// Where it has begun anew because the upload, or a part, is gone: how many bytes the object then has, if that is
    /// known.
    gone: Option<Option<u64>>,
    /// How many pages what is staged has.
    pages: u32,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The folder is being listed, from behind this key on.
    Folder { after: Option<String> },
    /// S3's parts are being listed, from behind this one on.
    Parts { after: Option<PartNumber> },
    /// Parts of these numbers are being made; copied, where it says so.
    Joining {
        plan: Plan,
        made: Vec<(PartNumber, bool)>,
    },
    /// Records are being stored, before the completion goes on, or ends so.
    Recording { plan: Plan, then: Option<Refusal> },
    /// The note is being stored.
    Noting { plan: Plan },
    /// S3 makes the object of so many bytes; of joined parts, or only of the device's own.
    Completing { is_joined: bool, bytes: u64 },
}

/// What a completion comes to.
#[derive(Debug)]
pub(super) enum Next {
    /// This has to be done first.
    Step(Step),
    /// Nothing is staged: the device's parts, where it named them, are S3's.
    Plain(Option<PartList>, OriginRequest),
    /// The object is made.
    Made(Answer),
    /// The upload, or something of it, is gone: it may have been completed before, to an object of so many bytes, where
    /// that is known.
    Doubt(Refusal, Option<u64>),
}

impl Completion {
    /// Begins with the first page of what is staged.
    pub(super) fn begin(
        errand: &Errand<'_>,
        folder: Folder,
        named: Option<PartList>,
        complete: OriginRequest,
        request_id: &RequestId,
    ) -> (Self, OriginRequest) {
        let first = OriginRequest::list_folder(errand, &folder, None);
        let completion = Self {
            folder,
            named,
            complete,
            stock: Stock::default(),
            uploaded: Vec::new(),
            has_joined: false,
            attempts: ATTEMPTS,
            request_id: request_id.as_str().to_owned(),
            gone: None,
            pages: 0,
            stage: Stage::Folder { after: None },
        };
        (completion, first)
    }

    /// How many bytes of the body of an answer with this status to read.
    pub(super) fn document_bytes(&self, errand: &Errand<'_>, status: u16) -> usize {
        match self.stage {
            Stage::Folder { .. } | Stage::Parts { .. } => response::parts_page_bytes(status),
            _ => response::document_bytes(errand.call().operation(), status),
        }
    }

    /// How many bytes the object has, if all parts that the device named are staged, and still there.
    fn staged_bytes(&self) -> Option<u64> {
        let named = self.named.as_ref()?.parts();
        named.iter().map(|part| self.stock.staged(part)?.size()).sum()
    }

    /// What the keys of notes begin with of the parts that the device named, or of none: all that are older than the note.
    fn note(&self) -> String {
        let named = self.named.as_ref().map(PartList::parts);
        self.folder.note(named.unwrap_or_default())
    }

    /// Whether another request has noted the same parts.
    fn is_noted(&self) -> bool {
        let note = self.note();
        let mut keys = self.stock.keys().iter();
        keys.any(|key| key.starts_with(&note) && !key.ends_with(&self.request_id))
    }

    /// Whether a part waits that S3 may not have made the object of, as far as what is staged shows it: one that the device
    /// named, or where it named none, one that is younger than any note.
    fn waits(&self) -> bool {
        match &self.named {
            Some(named) => {
                named.parts().iter().any(|part| self.stock.staged(part).is_some()) && !self.is_noted()
            }
            None => self.stock.has_younger(),
        }
    }

    /// The staged parts that are of no use now that this request has made the object.
    pub(super) fn into_used(self) -> (Folder, Vec<Part>) {
        (self.folder, self.stock.into_parts())
    }

    /// Those that are of no use because the object was made before: others than the device named may be younger.
    pub(super) fn into_used_before(self) -> (Folder, Vec<Part>) {
        let named = self.named.map(PartList::into_parts);
        (self.folder, named.unwrap_or_else(|| self.stock.into_parts()))
    }

    /// The requests that may follow the last wave; its records may fill one more page.
    const fn end_requests(&self) -> u32 {
        let pages = self.pages.saturating_add(1);
        pages.saturating_mul(PAGE_REQUESTS).saturating_add(END_REQUESTS)
    }

    /// Takes the origin's answer to what was sent last.
    pub(super) fn advance(
        &mut self,
        errand: &Errand<'_>,
        answer: &OriginAnswer,
        asked: &Asked<'_>,
        allowance: Allowance,
    ) -> Result<Next, Refusal> {
        if matches!(self.stage, Stage::Folder { .. } | Stage::Parts { .. })
            && allowance.requests < self.end_requests()
        {
            return Err(self.short_of_requests());
        }
        match &self.stage {
            Stage::Folder { after } => {
                if let Some(refusal) = response::error_of(answer) {
                    return Err(refusal);
                }
                let page = FolderPage::from_origin(&answer.body, &self.folder, after.as_deref())?;
                let next = page.next().map(str::to_owned);
                self.stock.add(page);
                self.pages = self.pages.saturating_add(1);
                if let Some(next) = next {
                    let request = OriginRequest::list_folder(errand, &self.folder, Some(&next));
                    self.stage = Stage::Folder { after: Some(next) };
                    return Ok(send(request));
                }
                if self.stock.keys().is_empty() && self.gone.is_none() {
                    return Ok(Next::Plain(self.named.take(), self.complete.clone()));
                }
                self.stage = Stage::Parts { after: None };
                Ok(send(OriginRequest::list_parts(errand, None)))
            }
            Stage::Parts { after } => {
                if let Some(refusal) = response::error_of(answer) {
                    return self.doubt(errand, refusal, None);
                }
                let page = PartsPage::from_origin(&answer.body, *after, errand.dialect())?;
                let next = page.next();
                self.uploaded.extend(page.into_parts());
                if next.is_some() {
                    self.stage = Stage::Parts { after: next };
                    return Ok(send(OriginRequest::list_parts(errand, next)));
                }
                let plan = plan(self.named.as_ref(), &self.stock, &self.uploaded)?;
                if let Some(most) = errand.max_object_bytes() {
                    size::check(plan.bytes(), most)?;
                }
                self.wave(errand, plan, allowance)
            }
            Stage::Noting { .. } => {
                if let Some(refusal) = response::error_of(answer) {
                    return Err(refusal);
                }
                match core::mem::replace(&mut self.stage, Stage::Folder { after: None }) {
                    Stage::Noting { plan } => self.finish(&plan),
                    _ => Err(never()),
                }
            }
            Stage::Completing { is_joined, bytes } => {
                match response::translate(answer, &Subject::of(errand), asked) {
                    Ok(answer) => Ok(Next::Made(answer)),
                    // Another completion or an early join has joined the same bytes anew, and S3, which encrypts
                    // under a KMS key, gave them another ETag.
                    Err(refusal) if refusal.fault() == Fault::PartInvalid && *is_joined => {
                        self.attempts = self.attempts.checked_sub(1).ok_or(Fault::JoiningGoesOn)?;
                        Ok(self.anew(errand))
                    }
                    Err(refusal) => {
                        let bytes = Some(*bytes);
                        self.doubt(errand, refusal, bytes)
                    }
                }
            }
            Stage::Joining { .. } | Stage::Recording { .. } => {
                Err(Refusal::new(Fault::GatewayFailed).because("One answer came to several tasks."))
            }
        }
    }

    /// Takes what became of a wave.
    pub(super) fn advance_together(
        &mut self,
        errand: &Errand<'_>,
        outcomes: Vec<Outcome>,
        allowance: Allowance,
    ) -> Result<Next, Refusal> {
        match core::mem::replace(&mut self.stage, Stage::Folder { after: None }) {
            Stage::Joining { mut plan, made } => {
                let (mut records, mut then) = (Vec::new(), None);
                for ((number, is_copy), outcome) in made.into_iter().zip(outcomes) {
                    match part_of(outcome, is_copy) {
                        Ok(etag) => {
                            self.has_joined = true;
                            records.extend(plan.made(number, &etag));
                        }
                        Err(refusal) => then = Some(refusal),
                    }
                }
                if records.is_empty() {
                    return self.go_on(errand, plan, then, allowance);
                }
                let tasks = records.iter().map(|record| Task {
                    request: OriginRequest::record(errand, &self.folder.record(record)),
                    sources: Vec::new(),
                });
                let tasks = tasks.collect();
                self.stage = Stage::Recording { plan, then };
                Ok(Next::Step(Step::Together(tasks)))
            }
            // A record that was not stored costs a join when the completion is gone on with, and nothing else.
            Stage::Recording { plan, then } => self.go_on(errand, plan, then, allowance),
            _ => Err(Refusal::new(Fault::GatewayFailed).because("Nothing was to be done together.")),
        }
    }

    fn go_on(
        &mut self,
        errand: &Errand<'_>,
        plan: Plan,
        then: Option<Refusal>,
        allowance: Allowance,
    ) -> Result<Next, Refusal> {
        match then {
            None => self.wave(errand, plan, allowance),
            Some(refusal) => {
                let bytes = Some(plan.bytes());
                self.doubt(errand, refusal, bytes)
            }
        }
    }

    /// Begins anew, with what is there by now.
    fn anew(&mut self, errand: &Errand<'_>) -> Next {
        (self.stock, self.uploaded, self.pages) = Default::default();
        self.stage = Stage::Folder { after: None };
        send(OriginRequest::list_folder(errand, &self.folder, None))
    }

    /// Whether the upload may have been completed before, by what is refused; to so many bytes, where the plan was made.
    /// It was not while a part waits; but as another completion may be about to note the parts, or to delete them,
    /// it is looked twice.
    fn doubt(&mut self, errand: &Errand<'_>, refusal: Refusal, bytes: Option<u64>) -> Result<Next, Refusal> {
        let may_be_made = matches!(
            refusal.fault(),
            Fault::NoSuchUpload | Fault::PartInvalid | Fault::AlreadyExists
        );
        if !may_be_made {
            return Err(refusal);
        }
        let bytes = bytes.or(self.gone.flatten()).or_else(|| self.staged_bytes());
        if !self.waits() {
            return Ok(Next::Doubt(refusal, bytes));
        }
        if self.gone.is_some() {
            return Err(refusal);
        }
        self.gone = Some(bytes);
        Ok(self.anew(errand))
    }

    /// The next wave of the plan, or S3's completion where all is joined.
    fn wave(&mut self, errand: &Errand<'_>, plan: Plan, allowance: Allowance) -> Result<Next, Refusal> {
        let on = || Refusal::new(Fault::JoiningGoesOn);
        if plan.part_list().is_some() {
            if allowance.seconds < END_SECONDS || allowance.requests < self.end_requests() {
                return Err(on());
            }
            self.stage = Stage::Noting { plan };
            let note = [&self.note(), "-", &self.request_id].concat();
            return Ok(send(OriginRequest::record(errand, &note)));
        }
        if allowance.seconds < WAVE_SECONDS {
            return Err(on().because("The time for a completion is used up."));
        }
        let (mut tasks, mut made) = (Vec::new(), Vec::new());
        let mut left = allowance.requests.saturating_sub(self.end_requests());
        for unit in plan.units() {
            let (number, task) = match unit {
                Unit::Direct { .. } | Unit::Joined { .. } => continue,
                Unit::Copy { part } => (part.number(), self.copy(errand, part)),
                Unit::Join { members, bytes } => match members.first() {
                    Some(first) => (first.number(), self.join(errand, first.number(), members, *bytes)),
                    None => continue,
                },
            };
            // Its sources, itself and its record.
            let cost = u32::try_from(task.sources.len())
                .unwrap_or(u32::MAX)
                .saturating_add(2);
            let Some(rest) = left.checked_sub(cost) else {
                break;
            };
            left = rest;
            made.push((number, task.sources.is_empty()));
            tasks.push(task);
            if tasks.len() >= allowance.together.saturating_mul(TURNS) {
                break;
            }
        }
        if tasks.is_empty() {
            return Err(self.short_of_requests());
        }
        self.stage = Stage::Joining { plan, made };
        Ok(Next::Step(Step::Together(tasks)))
    }

    /// Has S3 make the object.
    fn finish(&mut self, plan: &Plan) -> Result<Next, Refusal> {
        let parts = plan.part_list().ok_or(Fault::GatewayFailed)?;
        let mut units = plan.units().iter();
        self.stage = Stage::Completing {
            is_joined: units.any(|unit| !matches!(unit, Unit::Direct { .. })),
            bytes: plan.bytes(),
        };
        Ok(send(self.complete.clone().with_parts(&parts)))
    }

    /// The refusal where the requests are used up that a completion may send: the next one goes on, or would get no
    /// further either.
    fn short_of_requests(&self) -> Refusal {
        match self.has_joined || self.attempts < ATTEMPTS {
            true => Refusal::new(Fault::JoiningGoesOn)
                .because("The requests that a completion may send are used up."),
            false => never(),
        }
    }

    fn copy(&self, errand: &Errand<'_>, part: &Part) -> Task {
        Task {
            request: OriginRequest::copy_staged(errand, &self.folder, part),
            sources: Vec::new(),
        }
    }

    /// The task that makes a part of S3's of staged ones.
    fn join(&self, errand: &Errand<'_>, number: PartNumber, members: &[Part], bytes: u64) -> Task {
        let source = |member| OriginRequest::staged_part(errand, &self.folder, member);
        Task {
            request: OriginRequest::join(errand, number, bytes),
            sources: members.iter().map(source).collect(),
        }
    }
}

/// The ETag of the part that a task has made.
///
/// # Errors
/// `InvalidPart` for a staged part that was replaced or deleted meanwhile; the refusal for an error of the origin's.
pub(crate) fn part_of(outcome: Outcome, is_copy: bool) -> Result<String, Refusal> {
    let gone = |status: u16| matches!(status, 404 | 412);
    match outcome {
        Outcome::Answered(answer) if is_copy && gone(answer.status) => Err(replaced()),
        Outcome::Answered(answer) => response::part_made(&answer, is_copy),
        Outcome::Source(status) if gone(status) => Err(replaced()),
        Outcome::Source(_) => {
            Err(Refusal::new(Fault::Busy).because("The origin does not give what a part is made of."))
        }
        Outcome::Failed(why) => Err(Refusal::new(Fault::OriginUnavailable).because(why)),
    }
}

/// The next request would get no further.
fn never() -> Refusal {
    Refusal::new(Fault::GatewayFailed)
        .because("A completion needs more requests than this platform lets one request send.")
}

fn replaced() -> Refusal {
    Refusal::new(Fault::PartInvalid).because("A staged part was replaced or deleted while it was joined.")
}

const fn send(request: OriginRequest) -> Next {
    Next::Step(Step::Send(request))
}
