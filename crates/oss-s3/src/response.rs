//! From the origin's answer to the device's.
//!
//! Nothing of S3's answer passes through: its status is judged, its headers go through the header
//! table, its XML is read into values and documents are written from values: for OSS clients
//! un-namespaced, with the elements that SDKs require, for S3's in S3's namespace and with checksums. An error in the body of a 200 is an error.
//! What S3 says of the gateway's own credentials or address stays in the log: the device is told
//! that the gateway has a problem, never that its signature or clock is wrong.

mod attributes;
pub mod blocks;
mod bucket;
mod copy;
mod deletions;
mod form;
mod list;
mod origin_error;
mod read;

use std::borrow::Cow;

use request_auth::Dialect;

use crate::addressing::VirtualBucket;
use crate::answer::{Answer, Asked};
use crate::area::Target;
use crate::complete::{MAX_PARTS_PAGE_BYTES, Part, PartList, PartNumber, PartsPage};
use crate::errand::Errand;
use crate::error::{Fault, Refusal};
use crate::headers::{self, AnswerOf};
use crate::key::encoded_value;
use crate::operation::{Call, FormReply, KeySpelling, Listing, MAX_PAGE, Operation, UploadId};
use crate::parts::{CHECKSUMS, read_etag};
use crate::upload::{MARK_HEADER, Sealer, Upload};
use crate::xml::{self, Document, Unreadable};

/// The longest error, initiation or completion document that is read from the origin, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

pub use copy::copy_staged;
pub use deletions::deleted;
pub use list::MAX_LIST_BYTES;

/// Who owns what clients are told an owner of: whoever runs the gateway. An account's id is not theirs to know.
pub(crate) const OWNER: &str = "causeway";

/// The element beside an object's checksum that says what it is a checksum of.
const CHECKSUM_TYPE: &str = "ChecksumType";

/// The origin's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OriginAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, and values as bytes.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, where [`document_bytes`] asked for it; else empty.
    pub body: Vec<u8>,
}

impl OriginAnswer {
    /// The value of a header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_slice())
    }

    /// S3's own request id, for the log.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-amz-request-id")
            .and_then(|value| core::str::from_utf8(value).ok())
    }

    /// Whether its status is a 2xx.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

/// How many bytes of the body of an answer have to be read before it is translated: 0 for none, and
/// then the body is to be dropped. A longer body is to be cut, which makes it unreadable.
pub fn document_bytes(operation: Operation, status: u16) -> usize {
    match operation {
        _ if status >= 300 => MAX_DOCUMENT_BYTES,
        Operation::ListParts => MAX_PARTS_PAGE_BYTES,
        Operation::ListObjects | Operation::ListMultipartUploads | Operation::DeleteMultipleObjects => {
            MAX_LIST_BYTES
        }
        // The bytes of an object stream past.
        operation if operation.streams() => 0,
        _ => MAX_DOCUMENT_BYTES,
    }
}

/// The same for an answer to [`list_parts`](crate::request::OriginRequest::list_parts).
pub fn parts_page_bytes(status: u16) -> usize {
    document_bytes(Operation::ListParts, status)
}

/// What decides how an answer of the origin's is understood: which request it is to.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// The operation.
    pub operation: Operation,
    /// Whether no object may be replaced.
    pub forbids_overwrite: bool,
    /// Whether a version of the object is named.
    pub names_version: bool,
    /// Whether an object of a certain state has to be there: If-Match.
    pub expects_object: bool,
}

/// What an answer is about, as far as the device has to be told.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What was sent to the origin.
    pub sent: Sent,
    /// How a form wants to be answered; `None` for what is no form.
    pub reply: Option<&'a FormReply>,
    /// The list that was asked for; `None` for what is no list.
    pub listing: Option<&'a Listing>,
    /// How the device wants keys spelled.
    pub spelling: KeySpelling,
    /// The virtual bucket.
    pub bucket: &'a VirtualBucket,
    /// What it is about.
    pub target: &'a Target,
    /// The upload that the device named, in its words.
    pub upload: Option<&'a UploadId>,
    /// The upload behind which a list of uploads was asked for, in the origin's words.
    pub listed_behind: Option<&'a UploadId>,
    /// What seals the ids of uploads that the device is told.
    pub sealer: Sealer<'a>,
}

impl<'a> Subject<'a> {
    /// What the answer to an errand's request is about.
    pub fn of(errand: &'a Errand<'_>) -> Self {
        let spelling = match errand.call() {
            Call::InitiateMultipartUpload { spelling }
            | Call::CompleteMultipartUpload { spelling, .. }
            | Call::ListParts { spelling, .. }
            | Call::DeleteMultipleObjects { spelling } => *spelling,
            _ => KeySpelling::Plain,
        };
        let names_version = match errand.call() {
            Call::GetObject(selection) | Call::HeadObject(selection) => selection.names_version(),
            Call::DeleteObject { version } => version.is_some(),
            Call::Attribute(attribute) => attribute.version().is_some(),
            _ => false,
        };
        Self {
            sent: Sent {
                operation: errand.call().operation(),
                forbids_overwrite: errand.forbids_overwrite(),
                names_version,
                expects_object: errand.expects_object(),
            },
            reply: match errand.call() {
                Call::PostObject(reply) => Some(reply),
                _ => None,
            },
            listing: match errand.call() {
                Call::List(listing) => Some(listing.as_ref()),
                _ => None,
            },
            spelling,
            bucket: errand.bucket(),
            target: errand.target(),
            upload: errand.call().upload(),
            listed_behind: errand.upload().map(Upload::id),
            sealer: errand.sealer(),
        }
    }
}

/// Translates the origin's answer to the request of an operation.
///
/// # Errors
/// A [`Refusal`] for every error of the origin's, also one with status 200, and for an answer that
/// can't be read. `NoSuchUpload` to a Complete may mean that an earlier answer was lost: ask
/// [`completed_before`] before it is told.
pub fn translate(origin: &OriginAnswer, subject: &Subject<'_>, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    if !read::is_answer(origin, subject.sent) {
        let refusal = origin_error::refusal(origin, subject.sent);
        return match (refusal.fault(), subject.sent.operation, asked.dialect) {
            (Fault::NoSuchTagSet, Operation::GetObjectTagging, _)
            | (Fault::NoSuchTagSet, Operation::GetBucketTags, Dialect::Oss) => Ok(bucket::untagged(asked)),
            _ => Err(refusal),
        };
    }
    match subject.sent.operation {
        Operation::PutObject | Operation::UploadPart | Operation::PostObject => match subject.reply {
            None => stored(origin, subject.sent.operation, subject.bucket, asked),
            Some(reply) => form::posted(origin, subject, reply, asked),
        },
        // node and Go 1 insist on 204.
        Operation::AbortMultipartUpload | Operation::DeleteObject => Ok(with_headers(
            Answer::new(204, asked),
            origin,
            subject.bucket,
            asked,
        )),
        Operation::InitiateMultipartUpload => initiated(origin, subject, asked),
        Operation::CopyObject | Operation::UploadPartCopy => copy::copied(origin, subject, asked),
        Operation::CompleteMultipartUpload => completed(origin, subject, asked),
        Operation::ListParts => {
            let page = PartsPage::from_origin(&origin.body, None, asked.dialect)?;
            parts_listed(&page, origin, subject, asked)
        }
        Operation::GetObject | Operation::HeadObject => read::described(origin, subject.bucket, asked),
        Operation::ListObjects | Operation::ListMultipartUploads => list::told(origin, subject, asked),
        Operation::HeadBucket
        | Operation::GetBucketInfo
        | Operation::PutBucket
        | Operation::DeleteBucket
        | Operation::GetBucketTags
        | Operation::PutBucketTags
        | Operation::DeleteBucketTags => bucket::told(origin, subject, asked),
        operation if operation.is_of_attribute() => attributes::told(origin, subject, asked),
        _ => Err(unreadable("No answer to this operation is understood.")),
    }
}

/// The answer to an errand that the configuration knows the answer to; `None` where the origin is to be
/// asked.
pub fn answer_at_once(errand: &Errand<'_>, asked: &Asked<'_>) -> Option<Answer> {
    match (errand.call(), errand.target()) {
        (Call::List(listing), _) => list::at_once(listing, errand, asked),
        (Call::Bucket(call), _) if call.operation() == Operation::GetBucketLocation => {
            Some(bucket::location(errand.bucket(), asked))
        }
        (Call::ListBuckets(page), Target::Service { buckets }) => Some(bucket::list(buckets, page, asked)),
        _ => None,
    }
}

/// Translates the head of the origin's answer to a request whose object bytes streamed past the
/// gateway, where the platform shows nothing of the answer's body. `operation` is what the device asked for: to the
/// origin a staged part is an object.
///
/// # Errors
/// A [`Refusal`] for every error of the origin's, by its status where nothing else is known.
pub fn translate_head(
    origin: &OriginAnswer,
    sent: Sent,
    operation: Operation,
    bucket: &VirtualBucket,
    asked: &Asked<'_>,
) -> Result<Answer, Refusal> {
    if !read::is_answer(origin, sent) {
        Err(origin_error::unseen(origin, sent))
    } else if sent.operation.reads() {
        read::described(origin, bucket, asked)
    } else {
        stored(origin, operation, bucket, asked)
    }
}

/// The refusal for an answer that is an error, to a request of the gateway's own (ListParts, HEAD);
/// `None` for a success.
pub fn error_of(origin: &OriginAnswer) -> Option<Refusal> {
    let sent = Sent {
        operation: Operation::ListParts,
        forbids_overwrite: false,
        names_version: false,
        expects_object: false,
    };
    (!origin.is_success()).then(|| origin_error::refusal(origin, sent))
}

/// A copy's source as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weighed {
    /// Its size in bytes.
    pub bytes: u64,
    /// Its ETag as the origin writes it.
    pub etag: Vec<u8>,
    /// Its version, where it has one.
    pub version: Option<Vec<u8>>,
}

/// What a copy's source is, from the answer to [`head_source`](crate::request::OriginRequest::head_source).
///
/// # Errors
/// The refusal for an error, in the words of a read, but `PreconditionFailed` for every condition that is not
/// met, as S3 says it of a copy; `InternalError` for a source without a size or an ETag.
pub fn weighed(origin: &OriginAnswer) -> Result<Weighed, Refusal> {
    if origin.status == 304 {
        return Err(Fault::PreconditionFailed.into());
    }
    if !origin.is_success() {
        let sent = Sent {
            operation: Operation::HeadObject,
            forbids_overwrite: false,
            names_version: false,
            expects_object: false,
        };
        return Err(origin_error::refusal(origin, sent));
    }
    let header = |name| origin.header(name).map(<[u8]>::to_vec);
    let (bytes, etag) = length_of(origin)
        .zip(header("etag"))
        .ok_or_else(|| unreadable("The origin does not say how large the source of a copy is."))?;
    let version = header("x-amz-version-id");
    Ok(Weighed { bytes, etag, version })
}

/// The size in bytes of what the origin was asked for with HEAD, where it says so.
pub fn length_of(origin: &OriginAnswer) -> Option<u64> {
    let length = core::str::from_utf8(origin.header("content-length")?).ok()?;
    length.parse().ok()
}

/// The answer to a Complete that S3 refused with `NoSuchUpload`, if the upload was in fact completed: `head` is
/// the origin's answer to a HEAD of the key. What an OSS client's upload made has its mark. An S3 client's is
/// known by the ETag of its parts, where these were in the request.
///
/// A retry after a lost answer would else be told that its upload is lost.
pub fn completed_before(
    head: &OriginAnswer,
    parts: Option<&PartList>,
    errand: &Errand<'_>,
    asked: &Asked<'_>,
) -> Option<Answer> {
    let etag = core::str::from_utf8(head.header("etag")?)
        .ok()
        .and_then(read_etag)?;
    let is_made = match asked.dialect {
        Dialect::Oss => head.header(MARK_HEADER) == Some(errand.upload()?.mark().as_str().as_bytes()),
        Dialect::S3 => etag.eq_ignore_ascii_case(&parts?.composite_etag()?),
    };
    (head.status == 200 && is_made).then(|| completion(etag, &[], head, &Subject::of(errand), asked))
}

/// The ETag of a part that the gateway made of staged ones, without quotes: from the head of the answer where it was
/// streamed, from its document where the origin copied it (`is_copy`).
///
/// # Errors
/// The refusal for an error, also one with status 200.
pub fn part_made(origin: &OriginAnswer, is_copy: bool) -> Result<String, Refusal> {
    let sent = Sent {
        operation: if is_copy {
            Operation::UploadPartCopy
        } else {
            Operation::UploadPart
        },
        forbids_overwrite: false,
        names_version: false,
        expects_object: false,
    };
    if !origin.is_success() {
        return Err(origin_error::refusal(origin, sent));
    }
    let etag = if is_copy {
        if let Some(error) = origin_error::in_success(origin, sent) {
            return Err(error);
        }
        let mut etag = None;
        read_document(&origin.body, &["CopyPartResult", "ETag"], &mut etag)?;
        etag
    } else {
        let etag = origin
            .header("etag")
            .and_then(|etag| core::str::from_utf8(etag).ok());
        etag.map(str::to_owned)
    };
    let etag = etag.as_deref().and_then(read_etag).map(str::to_owned);
    etag.ok_or_else(|| unreadable("The origin's answer to a part has no usable ETag."))
}

fn stored(
    origin: &OriginAnswer,
    operation: Operation,
    bucket: &VirtualBucket,
    asked: &Asked<'_>,
) -> Result<Answer, Refusal> {
    // PHP's and Node's SDKs throw without it; a retry may get it.
    let etag = origin.header("etag").filter(|etag| !etag.is_empty());
    etag.ok_or_else(|| unreadable("The origin's answer to a write has no ETag."))?;
    Ok(with_headers_of(
        Answer::new(200, asked),
        origin,
        of_body(operation),
        bucket,
        asked,
    ))
}

/// What is told of object bytes that were stored.
fn of_body(operation: Operation) -> AnswerOf {
    match operation {
        Operation::UploadPart => AnswerOf::Part,
        _ => AnswerOf::Write,
    }
}

/// The upload that an initiation began.
fn initiated_upload(origin: &OriginAnswer) -> Result<UploadId, Refusal> {
    let mut upload = None;
    read_document(
        &origin.body,
        &["InitiateMultipartUploadResult", "UploadId"],
        &mut upload,
    )?;
    let upload = upload.and_then(|text| UploadId::new(text.trim().as_bytes()));
    upload.ok_or_else(|| unreadable("The origin's answer to an initiation has no usable UploadId."))
}

fn initiated(origin: &OriginAnswer, subject: &Subject<'_>, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let upload = initiated_upload(origin)?;
    let mut document = Document::of_result("InitiateMultipartUploadResult", asked.dialect);
    push_place(&mut document, subject);
    let sealed = subject
        .sealer
        .seal(subject.target.key(), &upload, asked.request_id)?;
    document.leaf("UploadId", sealed.as_str());
    Ok(with_headers(Answer::new(200, asked), origin, subject.bucket, asked).with_document(document.finish()))
}

fn completed(origin: &OriginAnswer, subject: &Subject<'_>, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    if let Some(error) = origin_error::in_success(origin, subject.sent) {
        return Err(error);
    }
    let mut etag = None;
    let root = "CompleteMultipartUploadResult";
    read_document(&origin.body, &[root, "ETag"], &mut etag)?;
    let etag = etag.as_deref().and_then(read_etag);
    let etag = etag.ok_or_else(|| unreadable("The origin's answer to a completion has no usable ETag."))?;
    let mut also = Vec::new();
    if asked.dialect == Dialect::S3 {
        for name in CHECKSUMS.into_iter().chain([CHECKSUM_TYPE]) {
            let mut text = None;
            read_document(&origin.body, &[root, name], &mut text)?;
            also.extend(text.map(|text| (name, text)));
        }
    }
    Ok(completion(etag, &also, origin, subject, asked))
}

/// The answer to a Complete, with `also` behind the ETag. That stands in the document and in a header:
/// some SDKs read the one, some the other.
fn completion(
    etag: &str,
    also: &[(&'static str, String)],
    origin: &OriginAnswer,
    subject: &Subject<'_>,
    asked: &Asked<'_>,
) -> Answer {
    let quoted = ["\"", etag, "\""].concat();
    let mut document = Document::of_result("CompleteMultipartUploadResult", asked.dialect);
    document.leaf("Location", &location(asked));
    push_place(&mut document, subject);
    document.leaf("ETag", &quoted);
    for (name, text) in also {
        document.leaf(name, text.trim());
    }
    let mut answer = with_headers(Answer::new(200, asked), origin, subject.bucket, asked);
    answer.headers.retain(|(name, _)| name != "etag");
    answer.push("etag", quoted);
    answer.with_document(document.finish())
}

/// The answer that tells a page of parts, with what the origin's own answer has beside it. Every number is
/// written, since oss2 raises where one is missing.
///
/// # Errors
/// `InternalError` for a part without a size or a date.
pub fn parts_listed(
    page: &PartsPage,
    origin: &OriginAnswer,
    subject: &Subject<'_>,
    asked: &Asked<'_>,
) -> Result<Answer, Refusal> {
    let mut document = Document::of_result("ListPartsResult", asked.dialect);
    push_place(&mut document, subject);
    document.leaf("UploadId", subject.upload.map_or("", UploadId::as_str));
    let last = page.next().or_else(|| page.parts().last().map(Part::number));
    document.leaf(
        "NextPartNumberMarker",
        &last.map_or(0, PartNumber::get).to_string(),
    );
    document.leaf(
        "MaxParts",
        &page.most().map_or(MAX_PAGE, PartNumber::get).to_string(),
    );
    document.leaf(
        "IsTruncated",
        if page.next().is_some() { "true" } else { "false" },
    );
    for part in page.parts() {
        let (Some(size), Some(last_modified)) = (part.size(), part.last_modified()) else {
            return Err(unreadable("The origin's list of parts lacks a size or a date."));
        };
        document.open("Part");
        document.leaf("PartNumber", &part.number().to_string());
        document.leaf("LastModified", last_modified);
        document.leaf("ETag", &["\"", part.etag(), "\""].concat());
        document.leaf("Size", &size.to_string());
        for (name, text) in part.checksums() {
            document.leaf(name, text);
        }
        document.close("Part");
    }
    Ok(with_headers(Answer::new(200, asked), origin, subject.bucket, asked).with_document(document.finish()))
}

/// Bucket and key as the device knows them: the mount and the S3 bucket are the gateway's business.
fn push_place(document: &mut Document, subject: &Subject<'_>) {
    document.leaf("Bucket", &subject.bucket.name);
    let key = match subject.spelling {
        KeySpelling::Plain => Cow::Borrowed(subject.target.key()),
        KeySpelling::UrlEncoded => {
            document.leaf("EncodingType", "url");
            Cow::Owned(encoded_value(subject.target.key().as_bytes()))
        }
    };
    document.leaf("Key", &key);
}

/// The URL that the device used, encoded anew.
fn location(asked: &Asked<'_>) -> String {
    if asked.host.is_empty() {
        return String::new();
    }
    let mut url = [asked.scheme.as_str(), "://", asked.host].concat();
    request_auth::canon::percent_encode(asked.path, request_auth::canon::Slash::Keep, &mut url);
    url
}

fn with_headers(answer: Answer, origin: &OriginAnswer, bucket: &VirtualBucket, asked: &Asked<'_>) -> Answer {
    with_headers_of(answer, origin, AnswerOf::Write, bucket, asked)
}

fn with_headers_of(
    mut answer: Answer,
    origin: &OriginAnswer,
    of: AnswerOf,
    bucket: &VirtualBucket,
    asked: &Asked<'_>,
) -> Answer {
    let from_s3 = origin
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()));
    let told = headers::to_device(asked.dialect, from_s3, of, bucket);
    answer.headers.extend(told);
    answer
}

/// Takes the text of the element at `path`, once.
fn read_document(body: &[u8], path: &[&str], text: &mut Option<String>) -> Result<(), Refusal> {
    if body.len() > MAX_DOCUMENT_BYTES {
        return Err(unreadable("The origin's document is too long."));
    }
    xml::read::<Unreadable>(body, &mut |element| {
        if element.is(path) && text.replace(element.text.to_owned()).is_some() {
            return Err(Unreadable);
        }
        Ok(())
    })
    .map_err(|_| unreadable("The origin's document is not well-formed, plain XML."))
}

fn unreadable(reason: &'static str) -> Refusal {
    Refusal::new(Fault::OriginAnswerUnreadable).because(reason)
}

#[cfg(test)]
mod bucket_tests;
#[cfg(test)]
mod s3_tests;
#[cfg(test)]
mod tests;
