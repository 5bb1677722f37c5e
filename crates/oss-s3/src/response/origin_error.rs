//! S3's errors: which fault of the table each one is, and what the log is told.

use super::{OriginAnswer, Sent};
use crate::error::{Fault, Refusal};
use crate::operation::{Level, Operation};
use crate::xml::{self, Unreadable};

/// How much of S3's code and of its message the log is told, in characters.
const MAX_WORDS: usize = 200;

/// Code and message of S3's error document.
#[derive(Default)]
struct OriginError {
    code: String,
    message: String,
}

impl OriginError {
    /// Reads the document, if it is an error's.
    fn of(body: &[u8]) -> Option<Self> {
        let mut error = Self::default();
        let mut is_error = false;
        xml::read::<Unreadable>(body, &mut |element| {
            if element.is(&["Error", "Code"]) {
                error.code = words(element.text);
            } else if element.is(&["Error", "Message"]) {
                error.message = words(element.text);
            } else if element.is(&["Error"]) {
                is_error = true;
            }
            Ok(())
        })
        .ok()?;
        is_error.then_some(error)
    }
}

pub(super) fn words(text: &str) -> String {
    text.trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_WORDS)
        .collect()
}

/// The refusal for an error answer whose body can't be seen, to a request with object bytes. S3 seldom
/// says its code in a header as well; else the status has to tell, and for these operations it tells a
/// little more than for others.
pub(super) fn unseen(origin: &OriginAnswer, sent: Sent) -> Refusal {
    let said = |name: &str| {
        let value = origin
            .header(name)
            .and_then(|value| core::str::from_utf8(value).ok());
        value.map(words).unwrap_or_default()
    };
    let error = OriginError {
        code: said("x-amz-error-code"),
        message: said("x-amz-error-message"),
    };
    let fault = Fault::of_s3_code(&error.code).unwrap_or(match (origin.status, sent.operation) {
        (400, Operation::PutObject | Operation::PostObject | Operation::UploadPart) => {
            Fault::OriginRefusedRequest
        }
        (404, Operation::UploadPart) => Fault::NoSuchUpload,
        (404, Operation::PutObject) if sent.expects_object => Fault::NoSuchKey,
        (404, Operation::PutObject | Operation::PostObject) => Fault::NoSuchBucket,
        (status, _) => of_status(status, sent),
    });
    told(fault, origin.status, &error, sent)
}

/// The refusal for an answer with an error status.
pub(super) fn refusal(origin: &OriginAnswer, sent: Sent) -> Refusal {
    let error = OriginError::of(&origin.body).unwrap_or_default();
    let fault = Fault::of_s3_code(&error.code).unwrap_or_else(|| of_status(origin.status, sent));
    told(fault, origin.status, &error, sent)
}

/// The refusal for an error document in an answer with a success status, if there is one. S3 says
/// 200 before it has joined the parts, and then what became of them.
pub(super) fn in_success(origin: &OriginAnswer, sent: Sent) -> Option<Refusal> {
    let error = OriginError::of(&origin.body)?;
    let fault = Fault::of_s3_code(&error.code).unwrap_or(Fault::OriginFailed);
    Some(told(fault, origin.status, &error, sent))
}

fn told(fault: Fault, status: u16, error: &OriginError, sent: Sent) -> Refusal {
    let fault = match fault {
        Fault::PreconditionFailed if sent.forbids_overwrite => Fault::AlreadyExists,
        // S3 says so of an object that is not there, a copy's source too, to whoever may not list the bucket.
        Fault::OriginRefusedGateway
            if (sent.operation.finds_object() || sent.operation.copies())
                && matches!(error.code.as_str(), "" | "AccessDenied") =>
        {
            Fault::ReadDenied
        }
        fault => fault,
    };
    let status = status.to_string();
    let reason = [
        "The origin answered ",
        &status,
        " ",
        &error.code,
        ": ",
        &error.message,
    ]
    .concat();
    Refusal::new(fault).because(reason.trim_end_matches([':', ' ']).to_owned())
}

/// For an error without a document, as every answer to HEAD is one, or with a code that the table lacks.
fn of_status(status: u16, sent: Sent) -> Fault {
    match status {
        404 if sent.names_version => Fault::NoSuchVersion,
        404 if sent.operation.finds_object() => Fault::NoSuchKey,
        404 if sent.operation.level() == Level::Bucket => Fault::NoSuchBucket,
        405 if sent.operation.finds_object() => Fault::VersionIsMarker,
        416 => Fault::RangeInvalid,
        // The gateway follows no redirect: its region or endpoint is wrong.
        300..=399 => Fault::OriginMisconfigured,
        400 => Fault::ArgumentInvalid,
        401 | 403 => Fault::OriginRefusedGateway,
        411 => Fault::LengthMissing,
        412 => Fault::PreconditionFailed,
        413 => Fault::EntityTooLarge,
        409 | 429 | 503 => Fault::Busy,
        501 => Fault::NotImplemented,
        500 | 502 | 504..=599 => Fault::OriginFailed,
        _ => Fault::OriginAnswerUnreadable,
    }
}
