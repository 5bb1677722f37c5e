//! Trust as a value: what a signature covers, held by whoever may go on.
//!
//! A [`Verified`] is made in one place, [`Verified::assertion`], after a MAC matched; there is no
//! other way to one. It separates what the signature covers ([`Verified::signed`]) from unsigned
//! input of a closed list ([`Verified::hint`]); any other unsigned header can't be read from it at
//! all, so it can't be forwarded.

use core::fmt;

use crate::claim::Scheme;
use crate::oss_form::Candidate;
use crate::payload::Payload;

/// One way to read a host and path: the bucket name that a client may have signed for it, the
/// object key, and what the gateway then takes it for.
#[derive(Clone, PartialEq, Eq)]
pub struct Resource<'c, B> {
    /// The bucket name in the signed text; `None` where the client signs no bucket.
    pub signed_bucket: Option<&'c str>,
    /// The object key, decoded bytes; empty for the bucket itself.
    pub key: Vec<u8>,
    /// What addressing says this bucket is.
    pub bucket: B,
}

impl<B> Resource<'_, B> {
    /// What a text to sign is made of.
    pub(crate) fn candidate(&self) -> Candidate<'_> {
        Candidate {
            signed_bucket: self.signed_bucket,
            key: &self.key,
        }
    }
}

/// Whether a signature covers a query parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coverage {
    /// Covered.
    Signed,
    /// Not covered: anybody on the way may have put it there.
    Unsigned,
}

/// A decoded query parameter and whether the signature covers it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedParameter {
    /// The decoded name.
    pub name: Vec<u8>,
    /// The decoded value.
    pub value: Vec<u8>,
    /// Whether it is signed.
    pub coverage: Coverage,
}

/// The unsigned headers that may be read at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hint {
    /// Content-Encoding.
    ContentEncoding,
    /// Content-Disposition.
    ContentDisposition,
    /// Cache-Control.
    CacheControl,
    /// Content-Language.
    ContentLanguage,
    /// Expires.
    Expires,
    /// Range.
    Range,
    /// If-Match.
    IfMatch,
    /// If-None-Match.
    IfNoneMatch,
    /// If-Modified-Since.
    IfModifiedSince,
    /// If-Unmodified-Since.
    IfUnmodifiedSince,
    /// Content-Type, which OSS's schemes sign.
    ContentType,
    /// Content-MD5, likewise.
    ContentMd5,
}

impl Hint {
    /// Those of every scheme.
    pub const ALL: [Self; 10] = [
        Self::ContentEncoding,
        Self::ContentDisposition,
        Self::CacheControl,
        Self::ContentLanguage,
        Self::Expires,
        Self::Range,
        Self::IfMatch,
        Self::IfNoneMatch,
        Self::IfModifiedSince,
        Self::IfUnmodifiedSince,
    ];

    /// Those that an S3 scheme leaves unsigned beside them: a presigned URL is used by clients that send
    /// them of their own accord.
    pub const OF_S3: [Self; 2] = [Self::ContentType, Self::ContentMd5];

    /// The header's lower-case name.
    pub const fn header_name(self) -> &'static str {
        match self {
            Self::ContentEncoding => "content-encoding",
            Self::ContentDisposition => "content-disposition",
            Self::CacheControl => "cache-control",
            Self::ContentLanguage => "content-language",
            Self::Expires => "expires",
            Self::Range => "range",
            Self::IfMatch => "if-match",
            Self::IfNoneMatch => "if-none-match",
            Self::IfModifiedSince => "if-modified-since",
            Self::IfUnmodifiedSince => "if-unmodified-since",
            Self::ContentType => "content-type",
            Self::ContentMd5 => "content-md5",
        }
    }
}

/// A request whose signature was verified.
pub struct Verified<'a, B> {
    covered: Covered<'a>,
    resource: Resource<'a, B>,
}

/// What a scheme hands over once a MAC matched.
pub(crate) struct Covered<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) key_id: String,
    pub(crate) method: &'a str,
    pub(crate) parameters: Vec<VerifiedParameter>,
    pub(crate) signed_headers: Vec<(String, Vec<u8>)>,
    pub(crate) hints: Vec<(Hint, Vec<u8>)>,
    pub(crate) payload: Payload,
}

impl<'a, B> Verified<'a, B> {
    /// States that the signature of these parts was verified. Every call is a place where trust is
    /// made; only `Claim::verify` may, of what a scheme says its signature covers and of the
    /// candidate that matched.
    pub(crate) fn assertion(covered: Covered<'a>, resource: Resource<'a, B>) -> Self {
        Self { covered, resource }
    }

    /// The scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.covered.scheme
    }

    /// The access key id.
    pub fn key_id(&self) -> &str {
        &self.covered.key_id
    }

    /// The method, which every scheme but CloudFront's signs: there a grant alone says what it may be.
    pub fn method(&self) -> &'a str {
        self.covered.method
    }

    /// What addressing attached to the candidate that matched.
    pub fn bucket(&self) -> &B {
        &self.resource.bucket
    }

    /// The same, with something else attached to the candidate that matched.
    pub fn with_bucket<C>(self, bucket: C) -> Verified<'a, C> {
        let Resource {
            signed_bucket, key, ..
        } = self.resource;
        Verified {
            covered: self.covered,
            resource: Resource {
                signed_bucket,
                key,
                bucket,
            },
        }
    }

    /// The bucket name that was signed.
    pub fn signed_bucket(&self) -> Option<&'a str> {
        self.resource.signed_bucket
    }

    /// The object key that was signed, as decoded bytes. It is not judged: it can hold dot segments.
    pub fn key(&self) -> &[u8] {
        &self.resource.key
    }

    /// The query without the signature's own parameters, decoded, in wire order. Each signed name is
    /// there once; an unsigned one can be there twice.
    pub fn parameters(&self) -> &[VerifiedParameter] {
        &self.covered.parameters
    }

    /// A header that the signature covers, by its lower-case name: the value that was signed.
    pub fn signed(&self, name: &str) -> Option<&[u8]> {
        self.covered
            .signed_headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_slice())
    }

    /// Every header that the signature covers, sorted by name.
    pub fn signed_headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.covered
            .signed_headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// How the signature binds the body.
    pub const fn payload(&self) -> &Payload {
        &self.covered.payload
    }

    /// An unsigned header of the closed list, if it was sent; several lines are joined as HTTP does.
    /// A header of the list that V2 or V4 signed is among the signed ones instead.
    pub fn hint(&self, hint: Hint) -> Option<&[u8]> {
        self.covered
            .hints
            .iter()
            .find(|(name, _)| *name == hint)
            .map(|(_, value)| value.as_slice())
    }
}

impl<B> fmt::Debug for Verified<'_, B> {
    /// Names what was verified; headers and query may carry a session token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("scheme", &self.covered.scheme)
            .field("key_id", &self.covered.key_id)
            .finish_non_exhaustive()
    }
}

impl<B> fmt::Debug for Resource<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("signed_bucket", &self.signed_bucket)
            .field("key", &String::from_utf8_lossy(&self.key))
            .finish_non_exhaustive()
    }
}
