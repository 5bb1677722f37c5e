//! Copies whose source is looked at before they are made.
//!
//! Under a grant that limits the size of objects it has to be; and a part of an OSS client's upload that S3 would not
//! take for its size becomes a staged one, like those that clients send: its bytes are read from the source, as it was when it
//! was weighed, and stored in the folder of the upload. What can't be weighed is left to S3, which says why it
//! can't be copied in the words that it has for copies.

use oss_s3::answer::Asked;
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::OriginRequest;
use oss_s3::response::{self, OriginAnswer, Weighed};
use oss_s3::size;

use super::completion::part_of;
use super::{Exchange, Outcome, Stage, Step, Task};

impl Exchange<'_> {
    /// Goes on with a copy whose source was weighed: what S3 would not take as a part for its size is staged.
    pub(super) fn weighed(&mut self, copy: OriginRequest, answer: &OriginAnswer) -> Result<Step, Refusal> {
        let most = self.errand.max_object_bytes();
        if most.is_none() && is_told_by_copy(answer.status) {
            return Ok(self.copy(copy));
        }
        let Weighed { bytes, etag, version } = response::weighed(answer)?;
        let (copied, end) = self.errand.copied_range().unwrap_or((bytes, bytes));
        size::check(copied, most.unwrap_or(u64::MAX))?;
        // S3 says what is wrong with a range that the source does not have.
        self.errand.weighed((end <= bytes).then_some(copied));
        let staged = OriginRequest::stage_copy(&self.errand, &etag);
        let copy = copy.pinned_to(etag);
        let Some((request, source)) = staged else {
            return Ok(Step::Send(copy));
        };
        self.stage = Stage::Staging { copy, version };
        let sources = source.into_iter().collect();
        Ok(Step::Together(vec![Task { request, sources }]))
    }

    /// Takes what became of the part that was to be staged in the place of `copy`, of a source of this version.
    pub(super) fn copied(
        &mut self,
        copy: OriginRequest,
        version: Option<Vec<u8>>,
        outcomes: Vec<Outcome>,
        asked: &Asked<'_>,
    ) -> Result<Step, Refusal> {
        let outcome = outcomes.into_iter().next().ok_or(Fault::GatewayFailed)?;
        if matches!(outcome, Outcome::Source(status) if is_told_by_copy(status)) {
            return Ok(self.copy(copy));
        }
        let etag = part_of(outcome, false)?;
        Ok(Step::Answer(response::copy_staged(&etag, version, asked)))
    }

    /// Leaves a copy to S3, whatever its size.
    fn copy(&mut self, copy: OriginRequest) -> Step {
        self.errand.weighed(None);
        Step::Send(copy)
    }
}

/// Whether a read of a copy's source that was answered with this status is no failure of the origin's: the copy, sent as it
/// is, tells its client in S3's words why it can't be done. Where the source is in another region it can.
const fn is_told_by_copy(status: u16) -> bool {
    matches!(status, 300..=499) && status != 429
}
