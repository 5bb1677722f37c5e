//! From an authorised request to the request for the origin.
//!
//! An [`OriginRequest`] is built from an [`Errand`], which is an [`Authorized`] with its headers
//! translated, and from nothing else; there is no way to one from a head. Method, host, path, query and headers are written anew from verified values, so what
//! a device sent beside them can't reach the origin. It is not signed yet: the caller signs exactly
//! these fields and sends exactly these fields.

mod blocks;
mod document;
mod staged;

use std::borrow::Cow;

use request_auth::aws_v4::Unframer;
use request_auth::{Dialect, Payload, Verified};

use crate::acl;
use crate::addressing::{AclRule, OriginAddressing, UnsignedHeaders, VirtualBucket};
use crate::answer::RequestId;
use crate::area::Target;
use crate::complete::{PartList, PartNumber, content_md5};
use crate::copy_source::{self, OriginSource};
use crate::errand::{DocumentDigests, Errand, PAYER_HEADER};
use crate::error::{Fault, Refusal};
use crate::headers::{self, Headers};
use crate::key::encoded_value;
use crate::operation::{Arguments, Call, Content, MAX_PAGE, Operation, VersionId};
use crate::payload;
use crate::size::{self, MAX_UPLOAD_BYTES};
use crate::staging::MIN_PART_BYTES;
use crate::upload::{self, MARK_HEADER, Owner, SealKeys};

/// The query parameter by which a request for the origin is known as an S3 client's, with the name of its
/// operation: SDKs of AWS's send it themselves, and S3 takes no notice of parameters that begin with
/// `x-` (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>). It tells the function
/// behind S3 which dialect to answer in, where nothing else of the device's request is left.
pub const CLIENT_MARK: &str = "x-id=";

/// A verified request that a grant covers: permission as a value.
#[derive(Debug)]
pub struct Authorized<'a> {
    verified: Verified<'a, &'a VirtualBucket>,
    call: Call,
    arguments: Arguments,
    target: Target,
    unsigned_headers: UnsignedHeaders,
    max_object_bytes: Option<u64>,
    source: Option<OriginSource>,
}

impl<'a> Authorized<'a> {
    /// States that a grant covers the request. This is the place where permission is made: only
    /// `gateway::policy` may call it, after it compared bucket, key and operation with the grants of
    /// the key that verified the request.
    ///
    /// `call` was recognised from `verified` with its arguments, `target` is what the grant opens of what it
    /// is about, and `unsigned_headers` is the grant's or else the bucket's rule.
    pub fn assertion(
        verified: Verified<'a, &'a VirtualBucket>,
        (call, arguments): (Call, Arguments),
        target: Target,
        unsigned_headers: UnsignedHeaders,
    ) -> Self {
        Self {
            verified,
            call,
            arguments,
            target,
            unsigned_headers,
            max_object_bytes: None,
            source: None,
        }
    }

    /// States that a grant lets read the object that a copy comes from; `None` for what is no copy. Only
    /// `gateway::policy` may call it, likewise.
    pub fn with_source(self, source: Option<OriginSource>) -> Self {
        Self { source, ..self }
    }

    /// The same, of a grant under which an object may have this many bytes; `None`: as many as S3 takes.
    pub const fn limited_to(mut self, max_object_bytes: Option<u64>) -> Self {
        self.max_object_bytes = max_object_bytes;
        self
    }

    /// The operation with its arguments.
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// The virtual bucket.
    pub fn bucket(&self) -> &'a VirtualBucket {
        self.verified.bucket()
    }

    /// What it is about.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// The access key id that signed the request.
    pub fn key_id(&self) -> &str {
        self.verified.key_id()
    }

    /// The dialect of whoever signed it.
    pub fn dialect(&self) -> Dialect {
        self.verified.scheme().dialect()
    }

    /// How the signature binds the body.
    pub const fn payload(&self) -> &Payload {
        self.verified.payload()
    }

    /// Refuses object bytes that are more than one upload may have or than the grant allows, before one of
    /// them is read: those of a framed body by their length as it was signed, others by `stated`, which is
    /// the Content-Length or the length of a form's file.
    ///
    /// # Errors
    /// `EntityTooLarge`; `MissingContentLength` for a framed body that signs no length; `EntityTooSmall` for an OSS
    /// client's first part where nothing is staged: who cuts parts that are too small cuts the first one so.
    pub fn check_size(&self, stated: Option<u64>) -> Result<(), Refusal> {
        let bytes = match self.call.operation().content() {
            Content::Object if self.payload().is_framed() => Some(payload::decoded_length(
                self.verified.signed(payload::DECODED_LENGTH),
            )?),
            Content::Object => stated,
            _ => None,
        };
        let is_first_part = matches!(self.call, Call::UploadPart { number, .. } if number.get() == 1);
        if is_first_part
            && self.bucket().staging.is_none()
            && self.verified.scheme().dialect() == Dialect::Oss
            && bytes.is_some_and(|bytes| bytes < MIN_PART_BYTES)
        {
            return Err(Fault::EntityTooSmall.into());
        }
        let most = self.max_object_bytes.unwrap_or(MAX_UPLOAD_BYTES);
        size::check(bytes.unwrap_or_default(), most.min(MAX_UPLOAD_BYTES))
    }

    /// What takes the body apart where its chunks are signed, and the length of its content.
    ///
    /// # Errors
    /// A refusal for a body whose length the signature does not cover, or whose marker and trailer do not
    /// belong together.
    pub fn unframer(&self) -> Result<Option<(u64, Unframer)>, Refusal> {
        let signed = |name| self.verified.signed(name);
        payload::unframer(
            self.verified.payload(),
            signed(payload::DECODED_LENGTH),
            signed("x-amz-trailer"),
        )
    }

    /// What is to be done at the origin: the call with its headers judged and translated, and with the
    /// origin's own id of an upload that it names.
    ///
    /// # Errors
    /// A refusal that names the header that may not be sent; `NoSuchUpload` for an upload id that was not
    /// told to this client for this object.
    pub fn errand(&self, seals: &SealKeys) -> Result<Errand<'a>, Refusal> {
        let operation = self.call.operation();
        let owner = Owner {
            bucket: &self.bucket().name,
            key: self.target.key(),
            key_id: self.key_id(),
        };
        let upload = upload::named(&self.call, owner, seals)?;
        let mut headers = headers::to_s3(&self.verified, operation, self.unsigned_headers)?;
        payload::bind(self.verified.payload(), operation, &mut headers)?;
        if operation.copies() {
            let source = self.source.as_ref().ok_or_else(|| {
                Refusal::new(Fault::GatewayFailed).because("A copy was permitted without its source.")
            })?;
            let value = source.as_str().as_bytes().to_vec();
            headers.push((Cow::Borrowed(copy_source::HEADER), value));
        }
        let content_md5 = self
            .verified
            .signed("content-md5")
            .filter(|value| !value.is_empty());
        Ok(Errand {
            dialect: self.verified.scheme().dialect(),
            bucket: self.bucket(),
            call: self.call.clone(),
            arguments: self.arguments.clone(),
            target: self.target.clone(),
            headers,
            digests: DocumentDigests {
                md5: content_md5.map(<[u8]>::to_vec),
                sha256: payload::document_digest(self.verified.payload(), operation),
                crc32: payload::document_checksum(&self.verified, operation),
            },
            max_object_bytes: self.max_object_bytes,
            key_id: self.key_id().to_owned(),
            upload,
            seals: seals.clone(),
            length: None,
        })
    }
}

/// What the request for the origin has as its body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OriginBody {
    /// Nothing.
    Empty,
    /// The device's own body, streamed past with its Content-Length, or the block of it that is at hand.
    Device,
    /// A part list that is not known yet: see [`OriginRequest::with_parts`]. Not to be sent.
    AwaitsParts,
    /// These bytes.
    Document(Vec<u8>),
    /// The bodies of the answers to other requests, one behind the other: this many bytes.
    Joined(u64),
}

/// A request for the origin, not signed yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OriginRequest {
    /// The method.
    pub method: &'static str,
    /// `http` or `https`.
    pub scheme: String,
    /// The Host, with its port unless that is the scheme's own.
    pub host: String,
    /// The path, strictly percent-encoded once.
    pub path: String,
    /// The query without `?`, strictly percent-encoded and sorted by name; may be empty.
    pub query: String,
    /// Every header to send besides the signature's, lower-case names. Host and Content-Length are
    /// the platform's.
    pub headers: Headers,
    /// The body.
    pub body: OriginBody,
}

impl OriginRequest {
    /// The request of a call whose object bytes go straight between client and origin; `None` of any other.
    /// A part that S3 would not take for its size is stored as an object of its own.
    pub fn streamed(errand: &Errand<'_>) -> Option<Self> {
        if let Some(mut request) = Self::stage(errand) {
            request.headers.extend(errand.headers.iter().cloned());
            return Some(request);
        }
        let (method, query, body) = match &errand.call {
            Call::PutObject | Call::PostObject(_) => ("PUT", String::new(), OriginBody::Device),
            Call::UploadPart { number, .. } => ("PUT", part_of(*number, errand), OriginBody::Device),
            Call::GetObject(selection) => ("GET", selection.query(), OriginBody::Empty),
            Call::HeadObject(selection) => ("HEAD", selection.query(), OriginBody::Empty),
            _ => return None,
        };
        // Behind the stream of an object nothing else is left of the client's request.
        let query = match errand.dialect {
            Dialect::Oss => query,
            Dialect::S3 => {
                let mark = if query.is_empty() { "" } else { "&" };
                [&query, mark, CLIENT_MARK, errand.call.operation().s3_name()].concat()
            }
        };
        let mut request = Self::to_target(errand, method, query, body);
        request.headers.extend(errand.headers.iter().cloned());
        Some(request)
    }

    /// The request that an errand's call makes at the origin. For CompleteMultipartUpload its body is
    /// still open.
    pub fn new(errand: &Errand<'_>) -> Self {
        if let Some(request) = Self::streamed(errand) {
            return request;
        }
        let (method, query, body) = match &errand.call {
            Call::InitiateMultipartUpload { .. } => ("POST", "uploads=".to_owned(), OriginBody::Empty),
            Call::CompleteMultipartUpload { .. } => ("POST", upload_id(errand), OriginBody::AwaitsParts),
            Call::AbortMultipartUpload { .. } => ("DELETE", upload_id(errand), OriginBody::Empty),
            Call::ListParts { most, after, .. } => (
                "GET",
                page_of(errand, most.unwrap_or(MAX_PAGE), *after),
                OriginBody::Empty,
            ),
            Call::CopyObject => ("PUT", String::new(), OriginBody::Empty),
            Call::UploadPartCopy { number, .. } => ("PUT", part_of(*number, errand), OriginBody::Empty),
            Call::DeleteObject { version } => {
                let query = version.as_ref().map(VersionId::query);
                ("DELETE", query.unwrap_or_default(), OriginBody::Empty)
            }
            Call::List(listing) => {
                let area = errand.target.areas().first();
                // A list of no area is a list of nothing.
                let query = area.map_or("max-keys=0".to_owned(), |area| {
                    listing.query(area, origin_id(errand))
                });
                ("GET", query, OriginBody::Empty)
            }
            Call::DeleteMultipleObjects { .. } => ("POST", "delete=".to_owned(), OriginBody::Empty),
            Call::Bucket(call) => {
                let (method, query) = call.at_origin();
                (method, query.to_owned(), OriginBody::Empty)
            }
            Call::Attribute(attribute) => match (attribute.operation(), errand.bucket.acl) {
                // Every object is private: what is left to ask is whether it is there.
                (Operation::GetObjectAcl | Operation::PutObjectAcl, AclRule::Private) => {
                    let version = attribute.version().map(VersionId::query);
                    ("HEAD", version.unwrap_or_default(), OriginBody::Empty)
                }
                _ => (attribute.method(), attribute.query(), OriginBody::Empty),
            },
            // Nobody is asked, see [`answer_at_once`](crate::response::answer_at_once); and what streams.
            Call::ListBuckets(_)
            | Call::PutObject
            | Call::PostObject(_)
            | Call::UploadPart { .. }
            | Call::GetObject(_)
            | Call::HeadObject(_) => ("GET", String::new(), OriginBody::Empty),
        };
        let mut request = Self::to_target(errand, method, query, body);
        let is_sent = |(name, _): &&(Cow<'_, str>, _)| method != "HEAD" || name != acl::HEADER;
        request
            .headers
            .extend(errand.headers.iter().filter(is_sent).cloned());
        request
    }

    /// Gives an OSS client's InitiateMultipartUpload the mark by which the object is known to be this
    /// upload's: the id of the request that begins it.
    pub fn marked(mut self, mark: &RequestId) -> Self {
        self.headers
            .push((Cow::Borrowed(MARK_HEADER), mark.as_str().into()));
        self
    }

    /// Gives a CompleteMultipartUpload its part list.
    pub fn with_parts(self, parts: &PartList) -> Self {
        self.with_document(parts.to_xml())
    }

    /// Gives the request a document of S3's, its type and its digest.
    pub fn with_document(mut self, document: String) -> Self {
        let document = document.into_bytes();
        self.headers
            .push((Cow::Borrowed("content-type"), b"application/xml".to_vec()));
        self.headers
            .push((Cow::Borrowed("content-md5"), content_md5(&document).into_bytes()));
        self.body = OriginBody::Document(document);
        self
    }

    /// Asks for a page of the parts of the errand's upload, from the part after `after`
    /// on (`None`: from the first). Read it with
    /// [`PartsPage::from_origin`](crate::complete::PartsPage::from_origin).
    pub fn list_parts(errand: &Errand<'_>, after: Option<PartNumber>) -> Self {
        let query = page_of(errand, MAX_PAGE, after);
        Self::to_target(errand, "GET", query, OriginBody::Empty).paid_like(errand)
    }

    /// Asks what the origin has under the errand's key.
    pub fn head(errand: &Errand<'_>) -> Self {
        Self::to_target(errand, "HEAD", String::new(), OriginBody::Empty).paid_like(errand)
    }

    /// Asks what the origin has where an errand's copy comes from, under the same conditions, whichever range of it is
    /// copied; `None` for what is no copy. Read it with [`weighed`](crate::response::weighed).
    pub fn head_source(errand: &Errand<'_>) -> Option<Self> {
        let source = errand.header(copy_source::HEADER)?;
        let source = core::str::from_utf8(source).ok()?;
        let (path, query) = source.split_once('?').unwrap_or((source, ""));
        let mut request = Self::to_target(errand, "HEAD", query.to_owned(), OriginBody::Empty);
        path.clone_into(&mut request.path);
        if errand.bucket.origin.addressing == OriginAddressing::VirtualHost {
            let (bucket, key) = path.strip_prefix('/')?.split_once('/')?;
            request.host = [bucket, ".", &errand.bucket.origin.authority].concat();
            request.path = ["/", key].concat();
        }
        for (name, value) in &errand.headers {
            if let Some(of_reads) = name.strip_prefix(copy_source::OF_SOURCE)
                && name.starts_with(copy_source::CONDITIONS)
            {
                let name = Cow::Owned(of_reads.to_owned());
                request.headers.push((name, value.clone()));
            }
        }
        Some(request.paid_like(errand))
    }

    /// The same copy, of the source with this ETag alone: the client's own conditions were met when it was
    /// weighed, and S3 would judge this one otherwise beside them.
    pub fn pinned_to(mut self, etag: Vec<u8>) -> Self {
        self.headers
            .retain(|(name, _)| !name.starts_with(copy_source::CONDITIONS));
        self.headers
            .push((Cow::Borrowed("x-amz-copy-source-if-match"), etag));
        self
    }

    fn to_target(errand: &Errand<'_>, method: &'static str, query: String, body: OriginBody) -> Self {
        let origin = &errand.bucket.origin;
        let key = match &errand.target {
            Target::Object { origin_key, .. } => origin_key.percent_encoded(),
            Target::Service { .. } | Target::Bucket { .. } => String::new(),
        };
        let path = match origin.addressing {
            OriginAddressing::Path => ["/", &encoded_value(origin.bucket.as_bytes()), "/", &key].concat(),
            OriginAddressing::VirtualHost => ["/", &key].concat(),
        };
        // A compressed answer would have another length and checksum than the object.
        let headers = vec![(Cow::Borrowed("accept-encoding"), b"identity".to_vec())];
        Self {
            method,
            scheme: origin.scheme.clone(),
            host: origin.host(),
            path,
            query,
            headers,
            body,
        }
    }

    /// Repeats the device's consent to pay for requests.
    fn paid_like(self, errand: &Errand<'_>) -> Self {
        self.paid(errand.pays())
    }

    fn paid(mut self, pays: bool) -> Self {
        if pays {
            self.headers
                .push((Cow::Borrowed(PAYER_HEADER), b"requester".to_vec()));
        }
        self
    }

    /// Path, and query where there is one, as they go on the wire.
    pub fn path_and_query(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        [self.path.as_str(), mark, &self.query].concat()
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        [self.scheme.as_str(), "://", &self.host, &self.path_and_query()].concat()
    }
}

fn page_of(errand: &Errand<'_>, most: u16, after: Option<PartNumber>) -> String {
    let marker = after
        .map(|after| ["part-number-marker=", &after.to_string(), "&"].concat())
        .unwrap_or_default();
    ["max-parts=", &most.to_string(), "&", &marker, &upload_id(errand)].concat()
}

fn part_of(number: PartNumber, errand: &Errand<'_>) -> String {
    ["partNumber=", &number.to_string(), "&", &upload_id(errand)].concat()
}

fn upload_id(errand: &Errand<'_>) -> String {
    ["uploadId=", &encoded_value(origin_id(errand).as_bytes())].concat()
}

/// Of an errand without an upload, an id that no upload has.
fn origin_id<'e>(errand: &'e Errand<'_>) -> &'e str {
    errand.upload().map_or("", |upload| upload.id().as_str())
}

#[cfg(test)]
mod tests;
