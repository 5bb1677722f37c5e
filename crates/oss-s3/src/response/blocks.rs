//! Answers to the requests that store a body block by block.
//!
//! The device knows nothing of the upload in parts that its body becomes: what is wrong with that upload is no
//! fault of its own, and what S3 says at the end is told as the answer to its one request.

use super::{
    OriginAnswer, Sent, Subject, initiated_upload, of_body, origin_error, read_document, unreadable,
    with_headers_of,
};
use crate::answer::{Answer, Asked};
use crate::error::{Fault, Refusal};
use crate::operation::UploadId;
use crate::parts::read_etag;

/// The upload that was [begun](crate::request::OriginRequest::begin_blocks).
///
/// # Errors
/// The refusal that the device is answered with.
pub fn begun(origin: &OriginAnswer, sent: Sent) -> Result<UploadId, Refusal> {
    check(origin, sent)?;
    initiated_upload(origin)
}

/// The ETag of what was [made of the blocks](crate::request::OriginRequest::complete_blocks), without quotes.
///
/// # Errors
/// The refusal that the device is answered with, for an error in the body of a success too.
pub fn joined(origin: &OriginAnswer, sent: Sent) -> Result<String, Refusal> {
    check(origin, sent)?;
    if let Some(error) = origin_error::in_success(origin, sent) {
        return Err(error);
    }
    let mut etag = None;
    read_document(
        &origin.body,
        &["CompleteMultipartUploadResult", "ETag"],
        &mut etag,
    )?;
    let etag = etag.as_deref().and_then(read_etag).map(str::to_owned);
    etag.ok_or_else(|| unreadable("The origin's answer to a completion has no usable ETag."))
}

/// The answer to the device whose put or part has become what `origin` says, with this ETag.
pub fn stored_whole(etag: &str, origin: &OriginAnswer, subject: &Subject<'_>, asked: &Asked<'_>) -> Answer {
    let of = of_body(subject.sent.operation);
    let mut answer = with_headers_of(Answer::new(200, asked), origin, of, subject.bucket, asked);
    answer.headers.retain(|(name, _)| name != "etag");
    answer.push("etag", ["\"", etag, "\""].concat());
    answer
}

/// Whether something was dropped by this answer, or is gone anyhow.
pub fn dropped(origin: &OriginAnswer) -> bool {
    const ERROR: &[u8] = b"<Error>";
    // A quiet batch tells of errors alone.
    let is_quiet = !origin.body.windows(ERROR.len()).any(|text| text == ERROR);
    origin.status == 404 || origin.is_success() && is_quiet
}

/// What is said of the upload that the device knows nothing of: it may try again.
///
/// # Errors
/// The refusal that the device is answered with.
pub fn inner<T>(outcome: Result<T, Refusal>) -> Result<T, Refusal> {
    outcome.map_err(|refusal| match refusal.fault() {
        Fault::NoSuchUpload | Fault::PartInvalid => {
            Refusal::new(Fault::OriginFailed).because(refusal.reason().into_owned())
        }
        _ => refusal,
    })
}

fn check(origin: &OriginAnswer, sent: Sent) -> Result<(), Refusal> {
    if origin.is_success() {
        return Ok(());
    }
    Err(origin_error::refusal(origin, sent))
}
