//! Which operation a verified request is: a function of method, level, the exact set of query names
//! and the copy header, computed once.
//!
//! An operation is recognised only if every query name is one that it takes. A parameter that the
//! signature does not cover is taken from a list of one, `encoding-type`, which changes nothing but
//! the spelling of the answer (attack case O06). Everything else is *outside*: it has a name for the
//! log where the table below knows one, and is refused like anything forbidden; but for what is known to
//! have no counterpart, which a client that does more than upload is told so.

mod arguments;
mod attributes;
mod bucket;
mod form;
mod list;
mod outside;
mod read;
mod table;

use request_auth::{Coverage, Dialect, Scheme, Verified, VerifiedParameter};

use crate::complete::PartNumber;
use crate::copy_source;
use crate::error::{Fault, Refusal};

pub use arguments::Arguments;
pub use attributes::Attribute;
pub use bucket::{BucketCall, BucketsPage};
pub use form::FormReply;
pub(crate) use list::{BEHIND_RESERVED, token_of};
pub use list::{ListOf, Listing};
pub use read::{MAX_VERSION_ID_BYTES, Selection, VersionId};
pub use table::{Content, Level, MAX_CLIENT_DOCUMENT_BYTES, Operation};

/// The longest upload id, in bytes.
pub const MAX_UPLOAD_ID_BYTES: usize = 1024;

/// The id of a multipart upload: opaque, 1 to 1024 bytes of visible ASCII. What clients are told is
/// [sealed](crate::upload).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadId(String);

impl UploadId {
    /// Judges a decoded upload id.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let is_visible = bytes.iter().all(u8::is_ascii_graphic);
        let text = core::str::from_utf8(bytes).ok()?;
        (is_visible && (1..=MAX_UPLOAD_ID_BYTES).contains(&bytes.len())).then(|| Self(text.to_owned()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How the answer spells keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeySpelling {
    /// As they are, escaped for XML.
    Plain,
    /// Percent-encoded, because the request said `encoding-type=url`.
    UrlEncoded,
}

/// Where the part list of a CompleteMultipartUpload comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartSource {
    /// The document in the body.
    Body,
    /// The origin's list of what was uploaded, because of `x-oss-complete-all: yes`; no body.
    AllUploaded,
}

/// An operation with its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    /// Stores an object.
    PutObject,
    /// Begins an upload in parts.
    InitiateMultipartUpload {
        /// How the answer spells the key.
        spelling: KeySpelling,
    },
    /// Stores one part.
    UploadPart {
        /// The part's number.
        number: PartNumber,
        /// The upload.
        upload: UploadId,
    },
    /// Makes an object of the parts.
    CompleteMultipartUpload {
        /// The upload.
        upload: UploadId,
        /// Where the part list comes from.
        parts: PartSource,
        /// How the answer spells the key.
        spelling: KeySpelling,
    },
    /// Drops an upload.
    AbortMultipartUpload {
        /// The upload.
        upload: UploadId,
    },
    /// Lists the stored parts of an upload.
    ListParts {
        /// The upload.
        upload: UploadId,
        /// The most parts that the device wants in this answer, 1 to 1000; `None`: 1000.
        most: Option<u16>,
        /// The part after which the list begins; `None`: at the first.
        after: Option<PartNumber>,
        /// How the answer spells the key.
        spelling: KeySpelling,
    },
    /// Reads an object.
    GetObject(Selection),
    /// Reads what is known of an object. OSS's GetObjectMeta is answered likewise, with more.
    HeadObject(Selection),
    /// Reads or sets what a stored object has beside its bytes.
    Attribute(Attribute),
    /// Stores an object that came in a form, and is answered so.
    PostObject(FormReply),
    /// Copies an object. The source is no argument: whoever permits the copy maps it.
    CopyObject,
    /// Stores a range of an object, or all of it, as a part; likewise.
    UploadPartCopy {
        /// The part's number.
        number: PartNumber,
        /// The upload.
        upload: UploadId,
    },
    /// Deletes an object, or a version of one for good.
    DeleteObject {
        /// The version; `None`: the current one.
        version: Option<VersionId>,
    },
    /// Lists objects, or uploads that are under way.
    List(Box<Listing>),
    /// Deletes the objects that a document names.
    DeleteMultipleObjects {
        /// How the answer spells keys.
        spelling: KeySpelling,
    },
    /// Asks something of a bucket, or does something to it.
    Bucket(BucketCall),
    /// Lists the buckets that the key has grants for.
    ListBuckets(BucketsPage),
}

/// Why a verified request is no [`Call`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotACall {
    /// None of the operations; its name where it is known.
    Outside(Option<&'static str>),
    /// None of the operations, but one that has no counterpart at S3 or in OSS, by its query name.
    WithoutCounterpart(&'static str),
    /// One of the operations, but this query parameter has a value that it can't have.
    BadParameter(Operation, &'static str),
    /// One of the operations with a feature that has no S3 equivalent, by its query name.
    Feature(Operation, &'static str),
}

impl NotACall {
    /// The operation's name for the log, where it is known.
    pub fn operation_name(self) -> Option<&'static str> {
        match self {
            Self::Outside(name) => name,
            Self::WithoutCounterpart(_) => None,
            Self::BadParameter(operation, _) | Self::Feature(operation, _) => Some(operation.name()),
        }
    }
}

impl From<NotACall> for Refusal {
    fn from(reason: NotACall) -> Self {
        match reason {
            NotACall::Outside(Some(name)) => Self::new(Fault::Forbidden)
                .because([name, " is not an operation that this gateway takes."].concat()),
            NotACall::Outside(None) => Self::new(Fault::Forbidden)
                .because("Method and query names are those of no operation that this gateway takes."),
            NotACall::BadParameter(_, name) => Self::new(Fault::ArgumentInvalid).about(name),
            NotACall::Feature(_, name) | NotACall::WithoutCounterpart(name) => {
                Self::new(Fault::NotImplemented).about(name)
            }
        }
    }
}

/// How an operation is recognised: its method, and of the table its level and whether it copies; and the query names that it has: all
/// of `required`, any of `optional`, nothing else.
struct Shape {
    operation: Operation,
    method: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// Those that the signature need not cover.
    unsigned: &'static [&'static str],
}

const fn shape(
    operation: Operation,
    method: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    unsigned: &'static [&'static str],
) -> Shape {
    Shape {
        operation,
        method,
        required,
        optional,
        unsigned,
    }
}

/// x-oss-traffic-limit has no S3 equivalent and is ignored, as the header of that name is. What may
/// be unsigned changes the spelling of an answer, or which piece of a list is told.
#[rustfmt::skip]
const SHAPES: &[Shape] = &[
    shape(Operation::PutObject, "PUT", &[], &["x-oss-traffic-limit"], &[]),
    shape(Operation::InitiateMultipartUpload, "POST", &["uploads"], &["sequential"], &["encoding-type"]),
    shape(Operation::UploadPart, "PUT", &["partNumber", "uploadId"], &["x-oss-traffic-limit"], &[]),
    shape(Operation::CompleteMultipartUpload, "POST", &["uploadId"], &[], &["encoding-type"]),
    shape(Operation::AbortMultipartUpload, "DELETE", &["uploadId"], &[], &[]),
    shape(Operation::ListParts, "GET", &["uploadId"], &[], &["encoding-type", "max-parts", "part-number-marker"]),
    shape(Operation::GetObject, "GET", &[], &read::PARAMETERS, &[]),
    shape(Operation::HeadObject, "HEAD", &[], &read::PARAMETERS, &[]),
    shape(Operation::HeadObject, "HEAD", &["objectMeta"], &["versionId"], &[]),
    shape(Operation::CopyObject, "PUT", &[], &["x-oss-traffic-limit"], &[]),
    shape(Operation::UploadPartCopy, "PUT", &["partNumber", "uploadId"], &["x-oss-traffic-limit"], &[]),
    shape(Operation::DeleteObject, "DELETE", &[], &["versionId"], &[]),
    shape(Operation::DeleteMultipleObjects, "POST", &["delete"], &[], &["encoding-type"]),
    shape(Operation::ListObjects, "GET", &[], &["continuation-token"],
        &["list-type", "prefix", "delimiter", "marker", "start-after", "max-keys", "encoding-type", "fetch-owner"]),
    shape(Operation::ListMultipartUploads, "GET", &["uploads"], &[],
        &["prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"]),
    shape(Operation::GetObjectTagging, "GET", &["tagging"], &["versionId"], &[]),
    shape(Operation::PutObjectTagging, "PUT", &["tagging"], &["versionId"], &[]),
    shape(Operation::DeleteObjectTagging, "DELETE", &["tagging"], &["versionId"], &[]),
    shape(Operation::GetObjectAcl, "GET", &["acl"], &["versionId"], &[]),
    shape(Operation::PutObjectAcl, "PUT", &["acl"], &["versionId"], &[]),
    shape(Operation::RestoreObject, "POST", &["restore"], &["versionId"], &[]),
    shape(Operation::HeadBucket, "HEAD", &[], &[], &[]),
    shape(Operation::GetBucketLocation, "GET", &["location"], &[], &[]),
    shape(Operation::GetBucketInfo, "GET", &["bucketInfo"], &[], &[]),
    shape(Operation::PutBucket, "PUT", &[], &[], &[]),
    shape(Operation::DeleteBucket, "DELETE", &[], &[], &[]),
    shape(Operation::GetBucketTags, "GET", &["tagging"], &[], &[]),
    shape(Operation::PutBucketTags, "PUT", &["tagging"], &[], &[]),
    shape(Operation::DeleteBucketTags, "DELETE", &["tagging"], &[], &[]),
    shape(Operation::ListBuckets, "GET", &[], &[],
        &["prefix", "marker", "max-keys", "max-buckets", "continuation-token", "bucket-region"]),
];

/// Query names that S3's API does not have, but for lists, beside those of [`FEATURES`] and all that begin with
/// [`OSS_PREFIX`].
const OSS_ONLY: [&str; 4] = ["sequential", "encoding-type", "objectMeta", "bucketInfo"];
const OSS_PREFIX: &[u8] = b"x-oss-";

/// The name of the operation, as S3's SDKs for JavaScript send it beside what makes the operation.
const S3_OPERATION: &str = "x-id";

/// The header by which OSS clients have all uploaded parts joined.
const COMPLETE_ALL: &str = "x-oss-complete-all";

/// How the headers begin that a presigned URL of S3's may have as parameters: they are judged by the
/// table of headers.
const S3_HEADER_PREFIX: &[u8] = b"x-amz-";

/// Features that some operation of the table takes in OSS and none has in S3.
const FEATURES: [&str; 4] = ["callback", "callback-var", "x-oss-process", "x-oss-async-process"];

/// The most parts that a page may have: both dialects' bound.
pub const MAX_PAGE: u16 = 1000;

impl Call {
    /// The upload that it names, as clients are told of it.
    pub const fn upload(&self) -> Option<&UploadId> {
        match self {
            Self::UploadPart { upload, .. }
            | Self::CompleteMultipartUpload { upload, .. }
            | Self::AbortMultipartUpload { upload }
            | Self::ListParts { upload, .. }
            | Self::UploadPartCopy { upload, .. } => Some(upload),
            _ => None,
        }
    }

    /// Recognises the operation of a verified request that is about all buckets or about what was
    /// verified (`at_service`). Gives the arguments beside the call that they make.
    ///
    /// # Errors
    /// [`NotACall`], which has the name of the operation where it is known.
    pub fn recognise<B>(verified: &Verified<'_, B>, at_service: bool) -> Result<(Self, Arguments), NotACall> {
        let dialect = verified.scheme().dialect();
        if verified.scheme().is_form() {
            return Self::of_form(verified.parameters()).map(|call| (call, Arguments::new(dialect)));
        }
        let level = match (verified.key().is_empty(), at_service) {
            (false, _) => Level::Object,
            (true, false) => Level::Bucket,
            (true, true) => Level::Service,
        };
        let request = Request {
            dialect,
            method: verified.method(),
            level,
            copies: copy_source::presented(verified).is_some(),
            parameters: verified.parameters(),
        };
        // What signs a URL for a file signs no other query: a list is no file.
        let names_file =
            level == Level::Object || !matches!(verified.scheme(), Scheme::CloudFront | Scheme::Preview);
        let shape = SHAPES.iter().find(|shape| names_file && request.has(shape));
        let Some(shape) = shape else {
            return Err(match request.without_counterpart() {
                Some(feature) => NotACall::WithoutCounterpart(feature),
                None => NotACall::Outside(request.outside_name()),
            });
        };
        let operation = shape.operation;
        if let Some(feature) = FEATURES.into_iter().find(|name| request.value(name).is_some()) {
            return Err(NotACall::Feature(operation, feature));
        }
        if let Some(name) = request.repeated(shape) {
            return Err(NotACall::BadParameter(operation, name));
        }
        // Either version of a listing is called by its own name.
        let names = [operation.s3_name(), operation.name()].map(str::as_bytes);
        let names = if operation == Operation::ListObjects {
            &names[..]
        } else {
            &names[..1]
        };
        if request
            .value(S3_OPERATION)
            .is_some_and(|name| !names.contains(&name))
        {
            return Err(NotACall::BadParameter(operation, S3_OPERATION));
        }
        let mut arguments = Arguments::new(dialect);
        for name in [shape.required, shape.optional, shape.unsigned]
            .into_iter()
            .flatten()
        {
            if let Some(value) = request.value(name) {
                let text = core::str::from_utf8(value);
                arguments.push(*name, text.map_err(|_| NotACall::BadParameter(operation, name))?);
            }
        }
        if dialect == Dialect::Oss && verified.signed(COMPLETE_ALL) == Some(b"yes") {
            arguments.push(COMPLETE_ALL, "yes");
        }
        let call = Self::of(operation, &arguments);
        match call {
            Ok(call) => Ok((call, arguments)),
            Err(name) => Err(NotACall::BadParameter(operation, name)),
        }
    }

    /// The operation without its arguments.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::PutObject => Operation::PutObject,
            Self::InitiateMultipartUpload { .. } => Operation::InitiateMultipartUpload,
            Self::UploadPart { .. } => Operation::UploadPart,
            Self::CompleteMultipartUpload { .. } => Operation::CompleteMultipartUpload,
            Self::AbortMultipartUpload { .. } => Operation::AbortMultipartUpload,
            Self::ListParts { .. } => Operation::ListParts,
            Self::GetObject(_) => Operation::GetObject,
            Self::HeadObject(_) => Operation::HeadObject,
            Self::Attribute(attribute) => attribute.operation(),
            Self::PostObject(_) => Operation::PostObject,
            Self::CopyObject => Operation::CopyObject,
            Self::UploadPartCopy { .. } => Operation::UploadPartCopy,
            Self::DeleteObject { .. } => Operation::DeleteObject,
            Self::DeleteMultipleObjects { .. } => Operation::DeleteMultipleObjects,
            Self::List(listing) => listing.operation(),
            Self::Bucket(call) => call.operation(),
            Self::ListBuckets(_) => Operation::ListBuckets,
        }
    }
}

/// What the operation is a function of.
struct Request<'v> {
    dialect: Dialect,
    method: &'v str,
    level: Level,
    copies: bool,
    parameters: &'v [VerifiedParameter],
}

impl<'v> Request<'v> {
    fn value(&self, name: &str) -> Option<&'v [u8]> {
        let found = self
            .parameters
            .iter()
            .find(|parameter| parameter.name == name.as_bytes());
        found.map(|parameter| parameter.value.as_slice())
    }

    /// Whether this is the shape's operation.
    fn has(&self, shape: &Shape) -> bool {
        let takes = |parameter: &VerifiedParameter| {
            let is = |name: &&str| parameter.name == name.as_bytes();
            if self.dialect == Dialect::S3 {
                let is_foreign = OSS_ONLY.iter().chain(&FEATURES).any(is) && !shape.operation.lists();
                if is_foreign || parameter.name.starts_with(OSS_PREFIX) {
                    return false;
                }
                if is(&S3_OPERATION) || parameter.name.starts_with(S3_HEADER_PREFIX) {
                    return parameter.coverage == Coverage::Signed;
                }
            }
            let covered = [shape.required, shape.optional, &FEATURES]
                .into_iter()
                .flatten()
                .any(is);
            (covered && parameter.coverage == Coverage::Signed) || shape.unsigned.iter().any(is)
        };
        self.method == shape.method
            && self.level == shape.operation.level()
            && self.copies == shape.operation.copies()
            && shape.required.iter().all(|name| self.value(name).is_some())
            && self.parameters.iter().all(takes)
    }

    /// A name of the shape that occurs twice: unsigned ones may reach this far.
    fn repeated(&self, shape: &Shape) -> Option<&'static str> {
        let times = |name: &str| {
            self.parameters
                .iter()
                .filter(|one| one.name == name.as_bytes())
                .count()
        };
        shape.unsigned.iter().copied().find(|name| times(name) > 1)
    }
}

#[cfg(test)]
mod tests;
