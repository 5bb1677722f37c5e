//! Why a request is not let through, as facts.
//!
//! No code, no status and no sentence stands here: one table in `oss-s3::error` owns those, so that
//! what a device is told is decided in one place.

use crate::claim::Scheme;
use crate::head::HeadError;
use crate::time::UnixSeconds;

/// Why a request has no verified signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denial {
    /// The head can't be read.
    Head(HeadError),
    /// No signature of any scheme.
    Anonymous,
    /// More than one credential: header and query, two schemes, or a foreign Authorization beside a
    /// presigned query.
    SeveralCredentials,
    /// The Authorization header is of no known scheme.
    UnknownScheme,
    /// A known scheme that this gateway does not verify; its name as it stands in the request.
    SchemeNotOffered(&'static str),
    /// The credential does not have the form of its scheme.
    MalformedCredential,
    /// The access key id does not match `[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}`, or begins with `d1.` and is
    /// no [derived](crate::derived) one.
    MalformedKeyId,
    /// A presigned query without this parameter.
    PresignedIncomplete(&'static str),
    /// No such access key.
    UnknownKey,
    /// The access key is disabled, or none of its secrets is valid now.
    InactiveKey,
    /// The access key may not be used with this scheme.
    SchemeNotAllowed(Scheme),
    /// The scope of a V4 credential is for a region or product that the configuration does not list.
    ScopeNotAllowed(ScopePart),
    /// The day of a V4 credential's scope is not the one of the signed timestamp.
    ScopeDayMismatch,
    /// A header that the credential names as signed did not arrive.
    SignedHeaderMissing,
    /// S3 V4: the signature does not cover Host.
    HostNotSigned,
    /// S3 V4: an `x-amz-*` header was sent that the signature does not cover.
    HeaderNotSigned,
    /// S3 V4: there is no x-amz-content-sha256.
    PayloadHashMissing,
    /// S3 V4: x-amz-content-sha256 is neither a digest nor one of the markers.
    PayloadHashUnreadable,
    /// No date that is signed: neither Date nor x-oss-date; for S3 V4 neither x-amz-date nor a signed Date.
    DateMissing,
    /// The signed date is not a date.
    DateUnreadable,
    /// The signed date is too far from now, in either direction.
    Skewed {
        /// The signed date.
        request: UnixSeconds,
        /// The gateway's clock.
        now: UnixSeconds,
        /// How far it may be, in seconds.
        window: u32,
    },
    /// A presigned URL after its Expires.
    Expired {
        /// The end of its validity.
        expires: UnixSeconds,
        /// The gateway's clock.
        now: UnixSeconds,
    },
    /// A presigned V4 URL before its time.
    NotYetValid {
        /// The first moment at which it may be used.
        begins: UnixSeconds,
        /// The gateway's clock.
        now: UnixSeconds,
    },
    /// Expires is not a decimal number of seconds.
    ExpiresUnreadable,
    /// The life of a presigned V4 URL is not a decimal number of seconds from 1 to 604800.
    LifetimeOutOfRange,
    /// Expires is further ahead than the configuration allows.
    ExpiresTooFar,
    /// A preview link with another method than GET and HEAD: the signature binds none.
    LinkMethod,
    /// A part of a preview link does not have its form; the part's name.
    LinkMalformed(&'static str),
    /// No candidate's signature is the one presented.
    SignatureMismatch,
    /// The text to sign could be that of another request as well; what makes it so.
    AmbiguousText(Ambiguity),
    /// A custom policy is signed, but is not of the form that is read.
    PolicyUnreadable,
    /// A custom policy is signed, but is not for this request; what it is not for.
    PolicyMismatch(PolicyPart),
    /// Several session tokens were presented.
    SeveralTokens,
    /// The key is bound to a session token and none was presented.
    TokenMissing,
    /// The key is bound to no session token and one was presented.
    TokenUnexpected,
    /// The session token is not the one bound to the key.
    TokenMismatch,
}

/// What a custom policy of CloudFront's restricts besides time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyPart {
    /// The URL.
    Resource,
    /// The address that the request comes from.
    SourceIp,
}

/// A part of a V4 credential's scope that a configuration can list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopePart {
    /// The region, `cn-hangzhou`.
    Region,
    /// The product, `oss`, or AWS's service, `s3`.
    Product,
}

/// What lets two OSS V1 requests share one string to sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ambiguity {
    /// The key holds `?` followed by a signed sub-resource.
    SubResourceInKey,
    /// A signed value holds `&` followed by a signed name.
    SubResourceInValue,
    /// A signed text holds CR or LF.
    LineBreak,
}

impl From<HeadError> for Denial {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}
