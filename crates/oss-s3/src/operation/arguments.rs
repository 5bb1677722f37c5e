//! The arguments of a call, by the names that requests have for them.
//!
//! They are taken from a verified request once, where its operation is recognised, and travel as they are
//! to a function that is shown nothing else of it: both read the call out of them here. Text that an
//! argument can't be is refused by its name.

use std::borrow::Cow;

use request_auth::Dialect;

use super::{
    BucketCall, BucketsPage, COMPLETE_ALL, Call, KeySpelling, Listing, MAX_PAGE, Operation, PartSource,
    UploadId,
};
use crate::complete::PartNumber;

/// Names and decoded values, each name once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arguments {
    pub(super) dialect: Dialect,
    pairs: Vec<(Cow<'static, str>, String)>,
}

impl Arguments {
    /// No arguments of a client of this dialect.
    pub const fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            pairs: Vec::new(),
        }
    }

    /// Adds an argument.
    pub fn push(&mut self, name: impl Into<Cow<'static, str>>, value: &str) {
        self.pairs.push((name.into(), value.to_owned()));
    }

    /// Every argument: its name and its decoded value.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_str()))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.pairs().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }

    pub(super) fn value(&self, name: &str) -> Option<&[u8]> {
        self.text(name).map(str::as_bytes)
    }

    /// A flag has no value: `uploads` and `uploads=` are one, `uploads=1` is refused.
    pub(super) fn flag(&self, name: &'static str) -> Result<(), &'static str> {
        if self.value(name).unwrap_or_default().is_empty() {
            Ok(())
        } else {
            Err(name)
        }
    }

    pub(super) fn upload(&self) -> Result<UploadId, &'static str> {
        self.value("uploadId").and_then(UploadId::new).ok_or("uploadId")
    }

    fn part_number(&self) -> Result<PartNumber, &'static str> {
        self.value("partNumber")
            .and_then(PartNumber::from_decimal)
            .ok_or("partNumber")
    }

    /// At most [`MAX_PAGE`] parts.
    pub(super) fn page_length(&self) -> Result<Option<u16>, &'static str> {
        match self.value("max-parts") {
            None | Some(b"") => Ok(None),
            Some(value) => match PartNumber::from_decimal(value) {
                Some(number) if number.get() <= MAX_PAGE => Ok(Some(number.get())),
                _ => Err("max-parts"),
            },
        }
    }

    /// oss2 begins at part 0, or at an empty one.
    pub(super) fn page_start(&self) -> Result<Option<PartNumber>, &'static str> {
        match self.value("part-number-marker") {
            None | Some(b"" | b"0") => Ok(None),
            Some(value) => PartNumber::from_decimal(value)
                .map(Some)
                .ok_or("part-number-marker"),
        }
    }

    pub(super) fn spelling(&self) -> Result<KeySpelling, &'static str> {
        match self.value("encoding-type") {
            None | Some(b"") => Ok(KeySpelling::Plain),
            Some(b"url") => Ok(KeySpelling::UrlEncoded),
            Some(_) => Err("encoding-type"),
        }
    }
}

impl Call {
    /// The call of an operation with these arguments, which were recognised as its own.
    ///
    /// # Errors
    /// The name of the argument that has an impossible value.
    pub fn of(operation: Operation, arguments: &Arguments) -> Result<Self, &'static str> {
        Ok(match operation {
            Operation::PutObject => Self::PutObject,
            Operation::InitiateMultipartUpload => {
                arguments.flag("uploads")?;
                // In order is how S3 joins parts anyway; what it can't promise is in the limits.
                arguments.flag("sequential")?;
                Self::InitiateMultipartUpload {
                    spelling: arguments.spelling()?,
                }
            }
            Operation::UploadPart => Self::UploadPart {
                number: arguments.part_number()?,
                upload: arguments.upload()?,
            },
            Operation::CompleteMultipartUpload => Self::CompleteMultipartUpload {
                upload: arguments.upload()?,
                parts: match arguments.text(COMPLETE_ALL) {
                    Some(_) => PartSource::AllUploaded,
                    None => PartSource::Body,
                },
                spelling: arguments.spelling()?,
            },
            Operation::AbortMultipartUpload => Self::AbortMultipartUpload {
                upload: arguments.upload()?,
            },
            Operation::ListParts => Self::ListParts {
                upload: arguments.upload()?,
                most: arguments.page_length()?,
                after: arguments.page_start()?,
                spelling: arguments.spelling()?,
            },
            Operation::GetObject => Self::GetObject(arguments.selection()?),
            Operation::HeadObject => {
                arguments.flag("objectMeta")?;
                Self::HeadObject(arguments.selection()?)
            }
            Operation::CopyObject => Self::CopyObject,
            Operation::UploadPartCopy => Self::UploadPartCopy {
                number: arguments.part_number()?,
                upload: arguments.upload()?,
            },
            Operation::DeleteObject => Self::DeleteObject {
                version: arguments.version()?,
            },
            Operation::ListObjects | Operation::ListMultipartUploads => {
                Self::List(Box::new(Listing::new(operation, arguments)?))
            }
            Operation::DeleteMultipleObjects => {
                arguments.flag("delete")?;
                Self::DeleteMultipleObjects {
                    spelling: arguments.spelling()?,
                }
            }
            operation if operation.is_of_attribute() => Self::Attribute(arguments.attribute(operation)?),
            Operation::ListBuckets => Self::ListBuckets(BucketsPage::of(arguments)?),
            Operation::HeadBucket
            | Operation::GetBucketLocation
            | Operation::GetBucketInfo
            | Operation::PutBucket
            | Operation::DeleteBucket
            | Operation::GetBucketTags
            | Operation::PutBucketTags
            | Operation::DeleteBucketTags => Self::Bucket(BucketCall::of(operation, arguments)?),
            // No head is a form: it has no shape. The others have none yet.
            _ => return Err("policy"),
        })
    }
}
