//! The end of an upload: what is in its folder is deleted, and then the device is answered.
//!
//! A part that was staged meanwhile, which the object does not hold though its device was told that it is stored, stays
//! for as long as the lifecycle rule lets it: by it a Complete that names it is known to be none that was repeated.
//! Only one that comes between a list and its deletion, under the number of a part that is deleted, goes with that.
//!
//! What can't be deleted changes nothing for the device. It is told in the log, and the bucket's lifecycle rule
//! deletes it.

use oss_s3::answer::Answer;
use oss_s3::complete::Part;
use oss_s3::errand::Errand;
use oss_s3::error::Refusal;
use oss_s3::request::OriginRequest;
use oss_s3::response::{self, OriginAnswer};
use oss_s3::staging::{Folder, FolderPage};

use super::Allowance;

/// What the log is told of what is not deleted.
pub(super) const LEFT: &str = "what was staged for an upload could not all be deleted";

/// What is deleted beside what is no staged part.
#[derive(Debug)]
pub(super) enum Rest {
    /// Of an upload that is aborted, every part; and this is the answer, if anything is found.
    Aborted(Option<Answer>),
    /// Of one that is completed, these parts, in order.
    Completed(Vec<Part>),
}

/// A folder that is being emptied.
#[derive(Debug)]
pub(super) struct Cleaning {
    folder: Folder,
    outcome: Result<Answer, Refusal>,
    rest: Rest,
    /// The page that is being deleted; `None` while one is being listed, from behind `after` on.
    page: Option<FolderPage>,
    after: Option<String>,
    warning: Option<&'static str>,
}

impl Cleaning {
    /// Begins with the first page; `outcome` is what the device is answered.
    pub(super) fn begin(
        errand: &Errand<'_>,
        folder: Folder,
        outcome: Result<Answer, Refusal>,
        rest: Rest,
    ) -> (Self, OriginRequest) {
        let first = OriginRequest::list_folder(errand, &folder, None);
        let cleaning = Self {
            folder,
            outcome,
            rest,
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
            return self.behind(errand, &page);
        }
        let Ok(page) = FolderPage::from_origin(&answer.body, &self.folder, self.after.as_deref()) else {
            self.warning = Some(LEFT);
            return None;
        };
        let parts = match &mut self.rest {
            Rest::Aborted(instead) => {
                if let Some(instead) = instead.take_if(|_| !page.keys().is_empty()) {
                    self.outcome = Ok(instead);
                }
                None
            }
            Rest::Completed(parts) => Some(parts.as_slice()),
        };
        let keys = page.of_no_use(&self.folder, parts);
        if keys.is_empty() {
            return self.behind(errand, &page);
        }
        self.page = Some(page);
        Some(OriginRequest::delete_all_staged(errand, &keys))
    }

    /// Lists what is behind a page.
    fn behind(&mut self, errand: &Errand<'_>, page: &FolderPage) -> Option<OriginRequest> {
        self.after = Some(page.next()?.to_owned());
        let after = self.after.as_deref();
        Some(OriginRequest::list_folder(errand, &self.folder, after))
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
