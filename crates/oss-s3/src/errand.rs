//! What the gateway does at the origin for a device, without the device's own words.
//!
//! An [`Errand`] holds everything that the requests to the origin and the answer to the device are
//! made from: the call with its arguments, the bucket, the key on both sides and the translated
//! headers. It comes from an [`Authorized`](crate::request::Authorized), or, where the platform runs
//! two functions apart, from a passport that was checked; there is no third way.

use request_auth::Dialect;

use crate::addressing::VirtualBucket;
use crate::area::Target;
use crate::copy_source;
use crate::error::Refusal;
use crate::headers::Headers;
use crate::operation::{Arguments, Call};
use crate::upload::{self, Owner, SealKeys, Sealer, Upload};

/// S3's header by which a device consents to pay for requests: a bucket of another account may refuse those without.
pub const PAYER_HEADER: &str = "x-amz-request-payer";

/// Something that was permitted, ready to be done.
#[derive(Clone, Debug)]
pub struct Errand<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) bucket: &'a VirtualBucket,
    pub(crate) call: Call,
    pub(crate) arguments: Arguments,
    pub(crate) target: Target,
    pub(crate) headers: Headers,
    pub(crate) digests: DocumentDigests,
    pub(crate) max_object_bytes: Option<u64>,
    pub(crate) key_id: String,
    pub(crate) upload: Option<Upload>,
    pub(crate) seals: SealKeys,
    pub(crate) length: Option<u64>,
}

/// The digests that a device sent with a document that the gateway reads.
#[derive(Clone, Default, Debug)]
pub struct DocumentDigests {
    /// Content-MD5.
    pub md5: Option<Vec<u8>>,
    /// The SHA-256 that its signature binds, in lower-case hexadecimal digits.
    pub sha256: Option<String>,
    /// The value of a signed x-amz-checksum-crc32: the CRC-32, most significant byte first, in base64.
    pub crc32: Option<Vec<u8>>,
}

impl<'a> Errand<'a> {
    /// States that another function authorised this. Beside
    /// [`Authorized::assertion`](crate::request::Authorized::assertion) this is the one place where
    /// permission is made: only `gateway::errand` may call it, with what a checked passport covers.
    ///
    /// `dialect` is the device's, `headers` are the translated ones for the origin; `digests`
    /// those that the device sent, `key_id` is the access key id that signed its request, and `seals` are what its
    /// upload ids are sealed under.
    ///
    /// # Errors
    /// `NoSuchUpload` for an upload id that was not told to this client for this object.
    pub fn assertion(
        dialect: Dialect,
        bucket: &'a VirtualBucket,
        (call, arguments): (Call, Arguments),
        target: Target,
        headers: Headers,
        digests: DocumentDigests,
        (key_id, seals): (String, &SealKeys),
    ) -> Result<Self, Refusal> {
        let owner = Owner {
            bucket: &bucket.name,
            key: target.key(),
            key_id: &key_id,
        };
        let upload = upload::named(&call, owner, seals)?;
        Ok(Self {
            dialect,
            bucket,
            call,
            arguments,
            target,
            headers,
            digests,
            max_object_bytes: None,
            upload,
            seals: seals.clone(),
            length: None,
            key_id,
        })
    }

    /// The same, with a body of this many bytes. That says nothing of a copy, see [`weighed`](Self::weighed).
    pub fn of_length(mut self, length: Option<u64>) -> Self {
        self.length = length.filter(|_| !self.call.operation().copies());
        self
    }

    /// Takes note of how many bytes of its source are copied; `None`: that is the origin's to say.
    pub const fn weighed(&mut self, length: Option<u64>) {
        self.length = length;
    }

    /// How many bytes it stores, where that is known.
    pub const fn length(&self) -> Option<u64> {
        self.length
    }

    /// The access key id that signed the request.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The upload in parts that the call names, as the origin knows it.
    pub const fn upload(&self) -> Option<&Upload> {
        self.upload.as_ref()
    }

    /// What seals the ids of uploads that the client is told.
    pub(crate) fn sealer(&self) -> Sealer<'_> {
        Sealer::new(&self.bucket.name, &self.key_id, &self.seals)
    }

    /// The same, of a grant under which an object may have this many bytes.
    pub const fn limited_to(mut self, max_object_bytes: Option<u64>) -> Self {
        self.max_object_bytes = max_object_bytes;
        self
    }

    /// How many bytes the object that is made may have, where the grant says so. Whoever makes one of what is
    /// stored already compares with [`size::check`](crate::size::check).
    pub const fn max_object_bytes(&self) -> Option<u64> {
        self.max_object_bytes
    }

    /// The dialect that the device speaks.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The operation with its arguments.
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// The virtual bucket.
    pub const fn bucket(&self) -> &'a VirtualBucket {
        self.bucket
    }

    /// The call's arguments, for a function that is shown nothing else of it.
    pub const fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// What it is done to.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// The translated headers for the operation's own request: lower-case names and values.
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The Content-MD5 of the body, if the device sent one. S3 checks it where the body is passed on;
    /// a body that the gateway reads is compared with
    /// [`check_body_digest`](crate::complete::check_body_digest).
    pub fn content_md5(&self) -> Option<&[u8]> {
        self.digests.md5.as_deref()
    }

    /// The SHA-256 of a document that the gateway reads, in lower-case hexadecimal digits, where the
    /// device's signature binds it.
    pub fn content_sha256(&self) -> Option<&str> {
        self.digests.sha256.as_deref()
    }

    /// The CRC-32 of a document that the gateway reads, in base64, where an S3 client signed it.
    pub fn content_crc32(&self) -> Option<&[u8]> {
        self.digests.crc32.as_deref()
    }

    /// Whether the device wants no object to be replaced, and nothing else that fails in the same words: a
    /// copy's source can have conditions of its own.
    pub(crate) fn forbids_overwrite(&self) -> bool {
        let mut names = self.headers.iter().map(|(name, _)| name);
        !self.call.operation().reads()
            && self.sends("if-none-match")
            && names.all(|name| !name.starts_with(copy_source::CONDITIONS))
    }

    /// Whether the device wants an object in a certain state.
    pub(crate) fn expects_object(&self) -> bool {
        self.sends("if-match")
    }

    /// Whether the device consented to pay for requests.
    pub fn pays(&self) -> bool {
        self.sends(PAYER_HEADER)
    }

    pub(crate) fn sends(&self, header: &str) -> bool {
        self.header(header).is_some()
    }

    /// The value of a translated header.
    pub(crate) fn header(&self, header: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(name, _)| name == header);
        found.map(|(_, value)| value.as_slice())
    }
}
