//! The end of an upload: everything in its folder is deleted, and then the device is answered.
//!
//! What can't be deleted changes nothing for the device. It is told in the log, and the bucket's lifecycle rule deletes it.

use oss_s3::answer::Answer;
use oss_s3::errand::Errand;
use oss_s3::error::Refusal;
use oss_s3::request::OriginRequest;
use oss_s3::response::{self, OriginAnswer};
use oss_s3::staging::{Folder, FolderPage};

use super::Allowance;

/// What the log is told of what is not deleted.
pub(super) const LEFT: &str = "what was staged for an upload could not all be deleted";

/// A folder that is being emptied.
#[derive(Debug)]
pub(super) struct Cleaning {
    folder: Folder,
    outcome: Result<Answer, Refusal>,
    /// The answer, if anything is found.
    instead: Option<Answer>,
    /// The page that is being deleted; `None` while one is being listed, from behind `after` on.
    page: Option<FolderPage>,
    after: Option<String>,
    warning: Option<&'static str>,
}

impl Cleaning {
    /// Begins with the first page; `outcome` is what the device is answered, `instead` what where anything
    /// is found.
    pub(super) fn begin(
        errand: &Errand<'_>,
        folder: Folder,
        outcome: Result<Answer, Refusal>,
        instead: Option<Answer>,
    ) -> (Self, OriginRequest) {
        let first = OriginRequest::list_folder(errand, &folder, None);
        let cleaning = Self {
            folder,
            outcome,
            instead,
            page: None,
            after: None,
            warning: None,
        };
        (cleaning, first)
    }

    /// Takes the origin's answer, and gives the next request; `None` at the end.
    pub(super) fn advance(
        &mut self,
        errand: &Errand<'_>,
        answer: &OriginAnswer,
        allowance: Allowance,
    ) -> Option<OriginRequest> {
        const ERROR: &[u8] = b"<Error>";
        if response::error_of(answer).is_some() || allowance.requests == 0 || allowance.seconds == 0 {
            self.warning = Some(LEFT);
            return None;
        }
        if let Some(page) = self.page.take() {
            // A quiet batch tells of errors alone.
            if answer.body.windows(ERROR.len()).any(|text| text == ERROR) {
                self.warning = Some(LEFT);
            }
            self.after = Some(page.next()?.to_owned());
            return Some(OriginRequest::list_folder(
                errand,
                &self.folder,
                self.after.as_deref(),
            ));
        }
        let Ok(page) = FolderPage::from_origin(&answer.body, &self.folder, self.after.as_deref()) else {
            self.warning = Some(LEFT);
            return None;
        };
        if page.keys().is_empty() {
            return None;
        }
        if let Some(instead) = self.instead.take() {
            self.outcome = Ok(instead);
        }
        let request = OriginRequest::delete_all_staged(errand, page.keys());
        self.page = Some(page);
        Some(request)
    }

    /// What went wrong, for the log.
    pub(super) const fn warning(&self) -> Option<&'static str> {
        self.warning
    }

    /// What the device is answered.
    pub(super) fn outcome(self) -> Result<Answer, Refusal> {
        self.outcome
    }
}
