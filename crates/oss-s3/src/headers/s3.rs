//! The headers of S3 clients: S3's own, and still no more than those of a table.
//!
//! Names stay as they are, and most values too, for S3 to judge. What the gateway's operator decides is
//! judged here as it is for OSS clients: ACLs and KMS keys by the bucket's configuration. The headers
//! that say how a body is framed go on with a framed body and with no other (attack case F06), and a
//! trailer may announce a checksum and nothing else (F07).
//!
//! An `x-amz-*` header that the table lacks is refused by its name, so nothing that a client asked for is
//! left out in silence: retention and legal holds, redirects, grants, keys of the client's own (which
//! would pass through every function on the way), the owner that a bucket is expected to have (the
//! client knows the virtual bucket only; passed on, it would tell whose the other is).
//!
//! A presigned URL of the SDK for JavaScript has such headers as parameters. They count like headers, but
//! for checksums: S3 takes no notice of those in a URL, and the SDK puts the checksum of an empty body
//! into each (<https://github.com/aws/aws-sdk/issues/480>).

use std::borrow::Cow;

use request_auth::{Dialect, Hint, Verified};

use super::value::{Rule, Surroundings, is_plain, names_aws_chunked};
use super::{Answers, COLUMNS, D, Fate, J, M, R, Row, S, T, answer, metadata};
use crate::addressing::{AclRule, VirtualBucket};
use crate::error::{Fault, Refusal};

/// The storage classes of S3.
const STORAGE_CLASSES: [&[u8]; 9] = [
    b"STANDARD",
    b"REDUCED_REDUNDANCY",
    b"STANDARD_IA",
    b"ONEZONE_IA",
    b"INTELLIGENT_TIERING",
    b"GLACIER",
    b"GLACIER_IR",
    b"DEEP_ARCHIVE",
    b"EXPRESS_ONEZONE",
];

/// The headers that a trailer may announce.
const TRAILERS: [&[u8]; 5] = [
    b"x-amz-checksum-crc32",
    b"x-amz-checksum-crc32c",
    b"x-amz-checksum-crc64nvme",
    b"x-amz-checksum-sha1",
    b"x-amz-checksum-sha256",
];

/// How the value of an S3 client's header is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::headers) enum S3Rule {
    /// As it is where it is plain; other bytes as RFC 2047 words, which is how S3 shows them.
    Metadata,
    /// A canned ACL: private ones need no header, public ones by the bucket's rule.
    Acl,
    /// One of S3's storage classes.
    StorageClass,
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    Encryption,
    /// A KMS key of the bucket's configuration, by either of its names.
    KmsKeyId,
    /// Without `aws-chunked`, which says of a framed body what its payload marker says, and must not be
    /// said of another.
    Coding,
    /// A decimal number, with a framed body only.
    DecodedLength,
    /// The name of a checksum, with a framed body only.
    Trailer,
}

impl S3Rule {
    /// The value to send; `None` for none.
    pub(in crate::headers) fn judge<'v>(
        self,
        value: &'v [u8],
        around: &Surroundings<'_>,
    ) -> Result<Option<Cow<'v, [u8]>>, Fault> {
        let same = || Ok(Some(Cow::Borrowed(value)));
        let same_if = |good: bool, fault: Fault| if good { same() } else { Err(fault) };
        match self {
            Self::Metadata if is_plain(value) => same(),
            Self::Metadata => Ok(Some(Cow::Owned(metadata::encode(value)))),
            Self::Acl => {
                match (value, around.bucket.acl) {
                    // What the gateway stores is the bucket owner's anyway.
                    (b"private", _)
                    | (b"bucket-owner-full-control" | b"bucket-owner-read", AclRule::Private) => {
                        if around.sets_acl { same() } else { Ok(None) }
                    }
                    (
                        b"bucket-owner-full-control"
                        | b"bucket-owner-read"
                        | b"public-read"
                        | b"public-read-write"
                        | b"authenticated-read",
                        AclRule::Pass,
                    ) => same(),
                    (b"public-read" | b"public-read-write" | b"authenticated-read", AclRule::Private) => {
                        Err(Fault::PublicAcl)
                    }
                    _ => Err(Fault::ArgumentInvalid),
                }
            }
            Self::StorageClass => same_if(STORAGE_CLASSES.contains(&value), Fault::StorageClassInvalid),
            Self::Encryption => same_if(
                matches!(value, b"AES256" | b"aws:kms" | b"aws:kms:dsse"),
                Fault::EncryptionUnsupported,
            ),
            Self::KmsKeyId => {
                if !matches!(around.encryption, Some(b"aws:kms" | b"aws:kms:dsse")) {
                    return Err(Fault::HeaderMisplaced);
                }
                let mut keys = around.bucket.kms_keys.iter();
                let known = keys.find(|(id, key)| id.as_bytes() == value || key.as_bytes() == value);
                let (_, key) = known.ok_or(Fault::KmsKeyUnknown)?;
                Ok(Some(Cow::Owned(key.clone().into_bytes())))
            }
            Self::Coding if !is_plain(value) => Err(Fault::ArgumentInvalid),
            Self::Coding if !names_aws_chunked(value) => same(),
            Self::Coding if !around.is_framed => Err(Fault::StreamingBody),
            Self::Coding => {
                let codings = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
                let stored: Vec<&[u8]> = codings.filter(|coding| !names_aws_chunked(coding)).collect();
                Ok((!stored.is_empty()).then(|| Cow::Owned(stored.join(b",".as_slice()))))
            }
            Self::DecodedLength | Self::Trailer if !around.is_framed => Err(Fault::HeaderMisplaced),
            Self::DecodedLength => same_if(
                value.len() <= 16 && value.iter().all(u8::is_ascii_digit),
                Fault::ArgumentInvalid,
            ),
            Self::Trailer => same_if(TRAILERS.contains(&value), Fault::ArgumentInvalid),
        }
    }
}

/// The `x-amz-*` headers that stand as parameters in the query, but for checksums.
pub(super) fn hoisted<'v>(
    verified: &'v Verified<'_, &VirtualBucket>,
    dialect: Dialect,
) -> Result<Vec<(&'v str, &'v [u8])>, Refusal> {
    let mut found = Vec::new();
    for parameter in verified.parameters().iter().filter(|_| dialect == Dialect::S3) {
        let Ok(name) = core::str::from_utf8(&parameter.name) else {
            continue;
        };
        let is_checksum = name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm";
        if !name.starts_with("x-amz-") || is_checksum {
            continue;
        }
        // A name of user metadata is the client's own, and the query can hold more than a head can.
        let is_name = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if !name.bytes().all(is_name) {
            return Err(Fault::HeaderUnreadable.into());
        }
        if verified.signed(name).is_some() {
            return Err(Refusal::new(Fault::HeaderRepeated).about(name));
        }
        found.push((name, parameter.value.as_slice()));
    }
    Ok(found)
}

const fn row(name: &'static str, rule: Rule, fates: [Fate; COLUMNS], reads: Fate, answers: Answers) -> Row {
    Row {
        oss: name,
        s3: name,
        rule,
        hint: None,
        fates,
        reads,
        answers,
    }
}

/// What a signature need not cover: presigned URLs are used with what their signer did not know, and
/// some SDKs sign no Cache-Control.
const fn unsigned(name: &'static str, rule: Rule, hint: Hint, fates: [Fate; COLUMNS]) -> Row {
    Row {
        hint: Some(hint),
        ..row(name, rule, fates, D, Answers::Object)
    }
}

/// A header of reads, and on writes a condition that the signature has to cover.
const fn condition(name: &'static str, hint: Hint, fates: [Fate; COLUMNS]) -> Row {
    Row {
        hint: Some(hint),
        ..row(name, Rule::Verbatim, fates, S, Answers::Never)
    }
}

/// A checksum of a body, or with Complete of the object.
const fn checksum(name: &'static str) -> Row {
    row(name, Rule::Verbatim, [S, D, S, S, D, D, D], D, Answers::Any)
}

/// Columns of fates: Put, Create, UploadPart, Complete, CopyObject, UploadPartCopy, the rest; then reads. S3 takes no notice
/// of an attribute on a request that sets none, and neither is it judged here.
#[rustfmt::skip]
pub(super) const TABLE: [Row; 52] = [
    unsigned("content-md5", Rule::ContentMd5, Hint::ContentMd5, [S, D, S, J, D, D, D]),
    unsigned("content-type", Rule::Verbatim, Hint::ContentType, [S, S, D, D, M, D, D]),
    unsigned("cache-control", Rule::Verbatim, Hint::CacheControl, [S, S, D, D, M, D, D]),
    unsigned("content-disposition", Rule::Verbatim, Hint::ContentDisposition, [S, S, D, D, M, D, D]),
    unsigned("content-encoding", Rule::S3(S3Rule::Coding), Hint::ContentEncoding, [S, S, J, J, M, J, J]),
    unsigned("content-language", Rule::Verbatim, Hint::ContentLanguage, [S, S, D, D, M, D, D]),
    unsigned("expires", Rule::Verbatim, Hint::Expires, [S, S, D, D, M, D, D]),

    row("x-amz-meta-", Rule::S3(S3Rule::Metadata), [S, S, D, D, M, D, D], D, Answers::Object),
    row("x-amz-acl", Rule::S3(S3Rule::Acl), [S, S, D, D, S, D, D], D, Answers::Never),
    row("x-amz-storage-class", Rule::S3(S3Rule::StorageClass), [S, S, D, D, S, D, D], D, Answers::Object),
    row("x-amz-server-side-encryption", Rule::S3(S3Rule::Encryption), [S, S, D, D, S, D, D], D, Answers::Any),
    row("x-amz-server-side-encryption-aws-kms-key-id", Rule::S3(S3Rule::KmsKeyId), [S, S, D, D, S, D, D], D, Answers::Any),
    row("x-amz-server-side-encryption-bucket-key-enabled", Rule::Verbatim, [S, S, D, D, S, D, D], D, Answers::Any),
    row("x-amz-server-side-encryption-context", Rule::Verbatim, [S, S, D, D, S, D, D], D, Answers::Never),
    row("x-amz-tagging", Rule::Tagging, [S, S, D, D, T, D, D], D, Answers::Never),
    row("x-amz-request-payer", Rule::RequestPayer, [S, S, S, S, S, S, S], S, Answers::Never),

    checksum("x-amz-checksum-crc32"),
    checksum("x-amz-checksum-crc32c"),
    checksum("x-amz-checksum-crc64nvme"),
    checksum("x-amz-checksum-sha1"),
    checksum("x-amz-checksum-sha256"),
    row("x-amz-checksum-algorithm", Rule::Verbatim, [D, S, D, D, S, D, D], D, Answers::Any),
    row("x-amz-checksum-type", Rule::Verbatim, [D, S, D, S, D, D, D], D, Answers::Any),
    row("x-amz-checksum-mode", Rule::Verbatim, [D, D, D, D, D, D, D], S, Answers::Never),
    row("x-amz-sdk-checksum-algorithm", Rule::Verbatim, [S, D, S, D, D, D, D], D, Answers::Never),
    row("x-amz-mp-object-size", Rule::Verbatim, [D, D, D, S, D, D, D], D, Answers::Never),

    condition("if-match", Hint::IfMatch, [S, R, R, S, S, R, R]),
    condition("if-none-match", Hint::IfNoneMatch, [S, R, R, S, S, R, R]),
    condition("if-modified-since", Hint::IfModifiedSince, [D, D, D, D, D, D, D]),
    condition("if-unmodified-since", Hint::IfUnmodifiedSince, [D, D, D, D, D, D, D]),
    condition("range", Hint::Range, [D, D, D, D, D, D, D]),

    row("x-amz-copy-source", Rule::Consumed, [R, R, R, R, D, D, R], R, Answers::Never),
    row("x-amz-copy-source-range", Rule::SourceRange, [R, R, R, R, R, S, R], R, Answers::Never),
    row("x-amz-copy-source-if-match", Rule::Verbatim, [R, R, R, R, S, S, R], R, Answers::Never),
    row("x-amz-copy-source-if-none-match", Rule::Verbatim, [R, R, R, R, S, S, R], R, Answers::Never),
    row("x-amz-copy-source-if-modified-since", Rule::Verbatim, [R, R, R, R, S, S, R], R, Answers::Never),
    row("x-amz-copy-source-if-unmodified-since", Rule::Verbatim, [R, R, R, R, S, S, R], R, Answers::Never),
    row("x-amz-metadata-directive", Rule::Directive, [R, R, R, R, S, R, R], R, Answers::Never),
    row("x-amz-tagging-directive", Rule::Directive, [R, R, R, R, S, R, R], R, Answers::Never),

    // How the body is framed; R where none is read as a stream.
    row("x-amz-decoded-content-length", Rule::S3(S3Rule::DecodedLength), [S, R, S, R, R, R, R], R, Answers::Never),
    row("x-amz-trailer", Rule::S3(S3Rule::Trailer), [S, R, S, R, R, R, R], R, Answers::Never),

    // Part of the signature, or without a meaning at S3.
    row("x-amz-user-agent", Rule::Consumed, [D, D, D, D, D, D, D], D, Answers::Never),
    row("x-amz-date", Rule::Consumed, [D, D, D, D, D, D, D], D, Answers::Never),
    row("x-amz-content-sha256", Rule::Consumed, [D, D, D, D, D, D, D], D, Answers::Never),
    row("x-amz-security-token", Rule::Consumed, [D, D, D, D, D, D, D], D, Answers::Never),
    row("x-amz-cf-id", Rule::Consumed, [D, D, D, D, D, D, D], D, Answers::Never),

    // Answers only, beside those that OSS clients are told in words of theirs.
    answer("x-amz-request-charged", "x-amz-request-charged", Answers::Any),
    answer("x-amz-abort-date", "x-amz-abort-date", Answers::Any),
    answer("x-amz-abort-rule-id", "x-amz-abort-rule-id", Answers::Any),
    answer("x-amz-object-size", "x-amz-object-size", Answers::Any),
    answer("x-amz-missing-meta", "x-amz-missing-meta", Answers::Object),
    answer("x-amz-mp-parts-count", "x-amz-mp-parts-count", Answers::Object),
];
