//! The list of an upload's parts, staged ones and S3's alike: the folder is listed first, then S3's parts.
//!
//! Not all in a folder is a part, so a page of it may hold few of the parts that are asked for, or none though
//! more follow: it is listed on until there are enough.

use oss_s3::answer::Asked;
use oss_s3::complete::{PartNumber, PartsPage};
use oss_s3::errand::Errand;
use oss_s3::error::Refusal;
use oss_s3::operation::MAX_PAGE;
use oss_s3::request::OriginRequest;
use oss_s3::response::{self, OriginAnswer, Subject};
use oss_s3::staging::{Folder, FolderPage, Stock};

use super::Step;

/// A list on its way.
#[derive(Debug)]
pub(super) struct StagedParts {
    folder: Folder,
    /// The most parts to tell, and behind which one.
    most: u16,
    after: Option<PartNumber>,
    staged: Stock,
    /// The key from behind which on the folder is not listed; `None` once it is to its end.
    rest: Option<String>,
    /// Whether enough of the folder is listed, and S3's parts are being listed.
    is_listed: bool,
}

impl StagedParts {
    /// Begins with the first page of what is staged behind the part `after`.
    pub(super) fn begin(
        errand: &Errand<'_>,
        folder: Folder,
        most: Option<u16>,
        after: Option<PartNumber>,
    ) -> (Self, OriginRequest) {
        let rest = after.map(|after| folder.part(after));
        let first = OriginRequest::list_folder(errand, &folder, rest.as_deref());
        let parts = Self {
            folder,
            most: most.unwrap_or(MAX_PAGE),
            after,
            staged: Stock::default(),
            rest,
            is_listed: false,
        };
        (parts, first)
    }

    /// Takes the origin's answer, and gives the next request or the answer for the device.
    pub(super) fn advance(
        &mut self,
        errand: &Errand<'_>,
        answer: &OriginAnswer,
        asked: &Asked<'_>,
    ) -> Result<Step, Refusal> {
        if let Some(refusal) = response::error_of(answer) {
            return Err(refusal);
        }
        if self.is_listed {
            let page = PartsPage::from_origin(&answer.body, self.after, errand.dialect())?;
            let page = page.merged(self.staged.parts(), self.rest.is_some(), self.after, self.most);
            return response::parts_listed(&page, answer, &Subject::of(errand), asked).map(Step::Answer);
        }
        let page = FolderPage::from_origin(&answer.body, &self.folder, self.rest.as_deref())?;
        self.rest = page.next().map(str::to_owned);
        self.staged.add(page);
        self.is_listed = self.rest.is_none() || self.staged.parts().len() >= usize::from(self.most);
        let request = if self.is_listed {
            OriginRequest::new(errand)
        } else {
            OriginRequest::list_folder(errand, &self.folder, self.rest.as_deref())
        };
        Ok(Step::Send(request))
    }
}
