//! Staging: how parts that S3 would refuse for their size become parts that it takes.
//!
//! OSS takes parts from 100 KiB, S3 only the last below 5 MiB. A smaller part is therefore stored as an object of
//! its own, in the [`Folder`] of its upload, and read from there again when the upload is completed: runs of
//! such parts are joined to parts of S3's, and a [`Record`] beside them says which ones a joined part holds, so that
//! a completion that was interrupted goes on where it ended. [`FolderPage`] and [`Stock`] are what the
//! origin lists of a folder; [`plan`](plan()) makes of it and of ListParts the parts to join and to complete.
//!
//! A part is staged if its object is there. No clock decides, nor the order of any two requests: what a record
//! says counts only while the parts that it names and the joined part are the very same, and what a device
//! lists is found by its ETag. A list that S3 can't express is refused before anything is changed.

mod folder;
mod page;
mod plan;
mod record;
mod source;

pub use folder::{Folder, NAME_BYTES};
pub use page::{FolderPage, MAX_FOLDER_PAGE_BYTES, Stock};
pub use plan::{Plan, Unit, plan};
pub use record::Record;
pub use source::{Source, union};

/// The least bytes of a part that is not the last, and the size from which parts are not staged: 5 MiB
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
pub const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
