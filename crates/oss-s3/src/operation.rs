//! Which operation a verified request is: a function of method, level, the exact set of query names
//! and the copy header, computed once.
//!
//! An operation is recognised only if every query name is one that it takes. A parameter that the
//! signature does not cover is taken from a list of one, `encoding-type`, which changes nothing but
//! the spelling of the answer (attack case O06). Everything else is *outside*: it has a name for the
//! log where the table below knows one, and is refused like anything forbidden.

mod form;
mod outside;
mod read;

use request_auth::{Coverage, Dialect, Verified, VerifiedParameter};

use crate::complete::PartNumber;
use crate::error::{Fault, Refusal};

pub use form::FormReply;
pub use read::{MAX_VERSION_ID_BYTES, Selection};

/// The longest upload id, in bytes.
pub const MAX_UPLOAD_ID_BYTES: usize = 1024;

/// An operation that the gateway translates. Names are those of the OSS API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operation {
    /// Stores an object.
    PutObject,
    /// Begins an upload in parts.
    InitiateMultipartUpload,
    /// Stores one part.
    UploadPart,
    /// Makes an object of the parts.
    CompleteMultipartUpload,
    /// Drops an upload and its parts.
    AbortMultipartUpload,
    /// Lists the parts of an upload that were stored. Not part of uploading as such, but some SDKs
    /// ask for it before they resume one.
    ListParts,
    /// Reads an object.
    GetObject,
    /// Reads what is known of an object, without its bytes.
    HeadObject,
    /// Stores an object that came in a form.
    PostObject,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 9] = [
        Self::PutObject,
        Self::InitiateMultipartUpload,
        Self::UploadPart,
        Self::CompleteMultipartUpload,
        Self::AbortMultipartUpload,
        Self::ListParts,
        Self::GetObject,
        Self::HeadObject,
        Self::PostObject,
    ];

    /// The operations that uploading needs, which the preset `upload-only` stands for.
    pub const UPLOAD: [Self; 5] = [
        Self::PutObject,
        Self::InitiateMultipartUpload,
        Self::UploadPart,
        Self::CompleteMultipartUpload,
        Self::AbortMultipartUpload,
    ];

    /// The operations that reading needs, which the preset `read-only` stands for.
    pub const READ: [Self; 2] = [Self::GetObject, Self::HeadObject];

    /// Whether this reads a stored object: the answer describes it, and no condition makes anything
    /// stored.
    pub const fn reads(self) -> bool {
        matches!(self, Self::GetObject | Self::HeadObject)
    }

    /// The name, as in configuration and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PutObject => "PutObject",
            Self::InitiateMultipartUpload => "InitiateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListParts => "ListParts",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::PostObject => "PostObject",
        }
    }

    /// The name in S3's API, as its SDKs send it in `x-id`.
    pub const fn s3_name(self) -> &'static str {
        match self {
            Self::InitiateMultipartUpload => "CreateMultipartUpload",
            // What a form becomes at the origin.
            Self::PostObject => "PutObject",
            other => other.name(),
        }
    }

    /// The operation of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// The id of a multipart upload: opaque, 1 to 1024 bytes of visible ASCII.
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
    /// Stores an object that came in a form, and is answered so.
    PostObject(FormReply),
}

/// Why a verified request is no [`Call`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotACall {
    /// None of the operations; its name where it is known.
    Outside(Option<&'static str>),
    /// One of the operations, but this query parameter has a value that it can't have.
    BadParameter(Operation, &'static str),
    /// One of the operations with a feature that has no S3 equivalent, by its query name.
    Feature(Operation, &'static str),
}

impl NotACall {
    /// The operation's name for the log, where it is known.
    pub const fn operation_name(self) -> Option<&'static str> {
        match self {
            Self::Outside(name) => name,
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
            NotACall::Feature(_, name) => Self::new(Fault::NotImplemented).about(name),
        }
    }
}

/// The query names of an operation: all of `required`, any of `optional`, nothing else.
struct Shape {
    operation: Operation,
    method: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// Optional ones that the signature need not cover.
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
const SHAPES: [Shape; 9] = [
    shape(Operation::PutObject, "PUT", &[], &["x-oss-traffic-limit"], &[]),
    shape(Operation::InitiateMultipartUpload, "POST", &["uploads"], &["sequential"], &["encoding-type"]),
    shape(Operation::UploadPart, "PUT", &["partNumber", "uploadId"], &["x-oss-traffic-limit"], &[]),
    shape(Operation::CompleteMultipartUpload, "POST", &["uploadId"], &[], &["encoding-type"]),
    shape(Operation::AbortMultipartUpload, "DELETE", &["uploadId"], &[], &[]),
    shape(Operation::ListParts, "GET", &["uploadId"], &[], &["encoding-type", "max-parts", "part-number-marker"]),
    shape(Operation::GetObject, "GET", &[], &read::PARAMETERS, &[]),
    shape(Operation::HeadObject, "HEAD", &[], &read::PARAMETERS, &[]),
    shape(Operation::HeadObject, "HEAD", &["objectMeta"], &["versionId"], &[]),
];

/// Query names that S3's API does not have, beside those of [`FEATURES`] and all that begin with
/// [`OSS_PREFIX`].
const OSS_ONLY: [&str; 3] = ["sequential", "encoding-type", "objectMeta"];
const OSS_PREFIX: &[u8] = b"x-oss-";

/// The name of the operation, as S3's SDKs for JavaScript send it beside what makes the operation.
const S3_OPERATION: &str = "x-id";

/// How the headers begin that a presigned URL of S3's may have as parameters: they are judged by the
/// table of headers.
const S3_HEADER_PREFIX: &[u8] = b"x-amz-";

/// Features that some operation of the table takes in OSS and none has in S3.
const FEATURES: [&str; 4] = ["callback", "callback-var", "x-oss-process", "x-oss-async-process"];

/// The most parts that a page may have: both dialects' bound.
pub(crate) const MAX_PAGE: u16 = 1000;

impl Call {
    /// Recognises the operation of a verified request.
    ///
    /// # Errors
    /// [`NotACall`], which has the name of the operation where it is known.
    pub fn recognise<B>(verified: &Verified<'_, B>) -> Result<Self, NotACall> {
        if verified.scheme().is_form() {
            return Self::of_form(verified.parameters());
        }
        let dialect = verified.scheme().dialect();
        let copy_source = match dialect {
            Dialect::Oss => "x-oss-copy-source",
            Dialect::S3 => "x-amz-copy-source",
        };
        let names_source = |parameter: &VerifiedParameter| parameter.name == copy_source.as_bytes();
        let copies = verified.signed(copy_source).is_some()
            || (dialect == Dialect::S3 && verified.parameters().iter().any(names_source));
        let request = Request {
            dialect,
            method: verified.method(),
            has_key: !verified.key().is_empty(),
            copies,
            parameters: verified.parameters(),
        };
        let Some(shape) = SHAPES.iter().find(|shape| request.has(shape)) else {
            return Err(NotACall::Outside(request.outside_name()));
        };
        if let Some(feature) = FEATURES.into_iter().find(|name| request.value(name).is_some()) {
            return Err(NotACall::Feature(shape.operation, feature));
        }
        if let Some(name) = request.repeated(shape) {
            return Err(NotACall::BadParameter(shape.operation, name));
        }
        let named = request.value(S3_OPERATION);
        if named.is_some_and(|name| name != shape.operation.s3_name().as_bytes()) {
            return Err(NotACall::BadParameter(shape.operation, S3_OPERATION));
        }
        let all = dialect == Dialect::Oss && verified.signed("x-oss-complete-all") == Some(b"yes");
        let parts = if all {
            PartSource::AllUploaded
        } else {
            PartSource::Body
        };
        request
            .call(shape.operation, parts)
            .map_err(|name| NotACall::BadParameter(shape.operation, name))
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
            Self::PostObject(_) => Operation::PostObject,
        }
    }
}

/// What the operation is a function of.
struct Request<'v> {
    dialect: Dialect,
    method: &'v str,
    has_key: bool,
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

    /// Whether this is the shape's operation. A copy is never a plain write (attack case H05).
    fn has(&self, shape: &Shape) -> bool {
        let takes = |parameter: &VerifiedParameter| {
            let is = |name: &&str| parameter.name == name.as_bytes();
            if self.dialect == Dialect::S3 {
                if OSS_ONLY.iter().chain(&FEATURES).any(is) || parameter.name.starts_with(OSS_PREFIX) {
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
            && self.has_key
            && !self.copies
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

    /// The call, or the name of the parameter that has an impossible value.
    fn call(&self, operation: Operation, parts: PartSource) -> Result<Call, &'static str> {
        Ok(match operation {
            Operation::PutObject => Call::PutObject,
            Operation::InitiateMultipartUpload => {
                self.flag("uploads")?;
                // In order is how S3 joins parts anyway; what it can't promise is in the limits.
                self.flag("sequential")?;
                Call::InitiateMultipartUpload {
                    spelling: self.spelling()?,
                }
            }
            Operation::UploadPart => Call::UploadPart {
                number: self
                    .value("partNumber")
                    .and_then(PartNumber::from_decimal)
                    .ok_or("partNumber")?,
                upload: self.upload()?,
            },
            Operation::CompleteMultipartUpload => Call::CompleteMultipartUpload {
                upload: self.upload()?,
                parts,
                spelling: self.spelling()?,
            },
            Operation::AbortMultipartUpload => Call::AbortMultipartUpload {
                upload: self.upload()?,
            },
            Operation::ListParts => Call::ListParts {
                upload: self.upload()?,
                most: self.page_length()?,
                after: self.page_start()?,
                spelling: self.spelling()?,
            },
            Operation::GetObject => Call::GetObject(self.selection()?),
            Operation::HeadObject => {
                self.flag("objectMeta")?;
                Call::HeadObject(self.selection()?)
            }
            // No head is one: it has no shape.
            Operation::PostObject => return Err("policy"),
        })
    }

    /// A flag has no value: `uploads` and `uploads=` are one, `uploads=1` is refused.
    fn flag(&self, name: &'static str) -> Result<(), &'static str> {
        if self.value(name).unwrap_or_default().is_empty() {
            Ok(())
        } else {
            Err(name)
        }
    }

    fn upload(&self) -> Result<UploadId, &'static str> {
        self.value("uploadId").and_then(UploadId::new).ok_or("uploadId")
    }

    /// At most [`MAX_PAGE`] parts.
    fn page_length(&self) -> Result<Option<u16>, &'static str> {
        match self.value("max-parts") {
            None | Some(b"") => Ok(None),
            Some(value) => match PartNumber::from_decimal(value) {
                Some(number) if number.get() <= MAX_PAGE => Ok(Some(number.get())),
                _ => Err("max-parts"),
            },
        }
    }

    /// oss2 begins at part 0, or at an empty one.
    fn page_start(&self) -> Result<Option<PartNumber>, &'static str> {
        match self.value("part-number-marker") {
            None | Some(b"" | b"0") => Ok(None),
            Some(value) => PartNumber::from_decimal(value)
                .map(Some)
                .ok_or("part-number-marker"),
        }
    }

    fn spelling(&self) -> Result<KeySpelling, &'static str> {
        match self.value("encoding-type") {
            None | Some(b"") => Ok(KeySpelling::Plain),
            Some(b"url") => Ok(KeySpelling::UrlEncoded),
            Some(_) => Err("encoding-type"),
        }
    }
}

#[cfg(test)]
mod tests;
