//! What a header's value has to be, and what it becomes in the other dialect.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::metadata;
use super::s3::S3Rule;
use crate::addressing::{AclRule, ArchiveClass, VirtualBucket};
use crate::error::Fault;
use crate::tags::TagSet;

/// How a value is judged and rewritten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rule {
    /// Visible ASCII and blanks, unchanged.
    Verbatim,
    /// Base64 of 16 bytes, unchanged.
    ContentMd5,
    /// Verbatim, and never `aws-chunked`.
    ContentEncoding,
    /// Any bytes, as RFC 2047 words where they are not plain.
    Metadata,
    /// `default` and `private` need no header; public ACLs by the bucket's rule.
    ObjectAcl,
    /// The storage classes of the two dialects.
    StorageClass,
    /// `AES256` or `KMS`.
    Encryption,
    /// A KMS key id that the bucket's configuration knows, together with `KMS`.
    KmsKeyId,
    /// Encryption of the data with SM4, which S3 lacks.
    DataEncryption,
    /// Query syntax, as many tags as the bucket takes; encoded anew.
    Tagging,
    /// `true` becomes `*`, `false` nothing.
    ForbidOverwrite,
    /// `requester`.
    RequestPayer,
    /// `yes` or `no`; it is part of the call.
    CompleteAll,
    /// `COPY` or `REPLACE`, in letters of either case.
    Directive,
    /// `bytes=` with the first and the last byte of a range.
    SourceRange,
    /// `standard`, which is how S3 answers a range anyway.
    RangeBehavior,
    /// `UNSIGNED-PAYLOAD`, which says nothing: the gateway hashes no bodies.
    PayloadHash,
    /// A feature without an S3 equivalent.
    NotImplemented,
    /// Nothing is sent, whatever the value.
    Consumed,
    /// As of an S3 client.
    S3(S3Rule),
}

/// What the value of one header depends on besides itself.
pub(super) struct Surroundings<'a> {
    /// The bucket's rules.
    pub(super) bucket: &'a VirtualBucket,
    /// The value of x-oss-server-side-encryption, or of S3's header.
    pub(super) encryption: Option<&'a [u8]>,
    /// Whether a copy replaces the source's metadata, and its tags.
    pub(super) replaces: [bool; 2],
    /// Whether the body is framed as aws-chunked.
    pub(super) is_framed: bool,
    /// Whether the ACL is what the request is about: then S3 is told a private one, too.
    pub(super) sets_acl: bool,
}

impl Rule {
    /// Whether this is an object's canned ACL.
    pub(super) const fn is_acl(self) -> bool {
        matches!(self, Self::ObjectAcl | Self::S3(S3Rule::Acl))
    }

    /// Whether this is user metadata, which has a limit of its own and may be empty.
    pub(super) fn is_metadata(self) -> bool {
        matches!(self, Self::Metadata | Self::S3(S3Rule::Metadata))
    }

    /// The S3 value of an OSS value that is not empty; `None` where S3 needs no header.
    pub(super) fn to_s3<'v>(
        self,
        value: &'v [u8],
        around: &'v Surroundings<'_>,
    ) -> Result<Option<Cow<'v, [u8]>>, Fault> {
        let same = || {
            if is_plain(value) {
                Ok(Some(Cow::Borrowed(value)))
            } else {
                Err(Fault::ArgumentInvalid)
            }
        };
        let text = |text: &'static str| Ok(Some(Cow::Borrowed(text.as_bytes())));
        match self {
            Self::Verbatim => same(),
            Self::ContentMd5 => match STANDARD.decode(value) {
                Ok(digest) if digest.len() == 16 => same(),
                _ => Err(Fault::DigestInvalid),
            },
            Self::ContentEncoding if names_aws_chunked(value) => Err(Fault::StreamingBody),
            Self::ContentEncoding => same(),
            Self::Metadata => Ok(Some(Cow::Owned(metadata::encode(value)))),
            Self::ObjectAcl => match (value, around.bucket.acl) {
                (b"default" | b"private", _) if around.sets_acl => text("private"),
                (b"default" | b"private", _) => Ok(None),
                (b"public-read" | b"public-read-write", AclRule::Pass) => same(),
                (b"public-read" | b"public-read-write", AclRule::Private) => Err(Fault::PublicAcl),
                _ => Err(Fault::ArgumentInvalid),
            },
            Self::StorageClass => match (value, around.bucket.archive) {
                (b"Standard", _) => text("STANDARD"),
                (b"IA", _) => text("STANDARD_IA"),
                (b"Archive", ArchiveClass::Glacier) | (b"ColdArchive", _) => text("GLACIER"),
                (b"Archive", ArchiveClass::GlacierInstantRetrieval) => text("GLACIER_IR"),
                (b"DeepColdArchive", _) => text("DEEP_ARCHIVE"),
                _ => Err(Fault::StorageClassInvalid),
            },
            Self::Encryption => match value {
                b"AES256" => text("AES256"),
                b"KMS" => text("aws:kms"),
                _ => Err(Fault::EncryptionUnsupported),
            },
            Self::KmsKeyId if around.encryption != Some(b"KMS") => Err(Fault::HeaderMisplaced),
            Self::KmsKeyId => {
                let mut keys = around.bucket.kms_keys.iter();
                let known = keys.find(|(id, _)| id.as_bytes() == value);
                known
                    .map(|(_, key)| Some(Cow::Borrowed(key.as_bytes())))
                    .ok_or(Fault::KmsKeyUnknown)
            }
            Self::DataEncryption => Err(Fault::EncryptionUnsupported),
            Self::Tagging => {
                let tags = TagSet::from_query(value, around.bucket.max_tags)?.to_query();
                Ok((!tags.is_empty()).then(|| Cow::Owned(tags.into_bytes())))
            }
            Self::ForbidOverwrite => match value {
                b"true" => text("*"),
                b"false" => Ok(None),
                _ => Err(Fault::ArgumentInvalid),
            },
            Self::Directive if value.eq_ignore_ascii_case(b"COPY") => text("COPY"),
            Self::Directive if value.eq_ignore_ascii_case(b"REPLACE") => text("REPLACE"),
            Self::SourceRange if range_bytes(value).is_some() => same(),
            Self::RequestPayer if value == b"requester" => same(),
            Self::CompleteAll if matches!(value, b"yes" | b"no") => Ok(None),
            Self::RangeBehavior if value == b"standard" => Ok(None),
            Self::PayloadHash if value == b"UNSIGNED-PAYLOAD" => Ok(None),
            Self::PayloadHash if value.starts_with(b"STREAMING-") => Err(Fault::StreamingBody),
            Self::Directive
            | Self::SourceRange
            | Self::RequestPayer
            | Self::CompleteAll
            | Self::RangeBehavior
            | Self::PayloadHash => Err(Fault::ArgumentInvalid),
            Self::NotImplemented => Err(Fault::NotImplemented),
            Self::Consumed => Ok(None),
            Self::S3(rule) => rule.judge(value, around),
        }
    }

    /// The OSS value of an S3 value; `None` where the device is told nothing.
    pub(super) fn to_oss(self, value: &[u8], bucket: &VirtualBucket) -> Option<Vec<u8>> {
        let text = |text: &str| Some(text.as_bytes().to_vec());
        match self {
            Self::StorageClass => oss_storage_class(value).and_then(text),
            Self::Encryption => match value {
                b"AES256" => text("AES256"),
                b"aws:kms" | b"aws:kms:dsse" => text("KMS"),
                _ => None,
            },
            Self::KmsKeyId => {
                let known = bucket.kms_keys.iter().find(|(_, key)| key.as_bytes() == value);
                known.and_then(|(id, _)| text(id))
            }
            Self::Metadata => {
                let decoded = metadata::decode(value);
                // A device must get what it stored, but never a header of its own making.
                (!decoded.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))).then_some(decoded)
            }
            _ => is_plain(value).then(|| value.to_vec()),
        }
    }
}

/// Visible ASCII, blanks and tabs: what every platform on the way keeps as it is.
/// OSS's storage class for one of S3's; `None` for one that OSS lacks.
pub(crate) fn oss_storage_class(value: &[u8]) -> Option<&'static str> {
    Some(match value {
        b"STANDARD" | b"REDUCED_REDUNDANCY" | b"INTELLIGENT_TIERING" => "Standard",
        b"STANDARD_IA" | b"ONEZONE_IA" => "IA",
        b"GLACIER" | b"GLACIER_IR" => "Archive",
        b"DEEP_ARCHIVE" => "DeepColdArchive",
        _ => return None,
    })
}

pub(super) fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

/// How many bytes `bytes=a-b` is, both decimal, and the last one not before the first, and where it ends, behind the
/// last one; `None` of what is no such range.
pub(crate) fn range_bytes(value: &[u8]) -> Option<(u64, u64)> {
    let number = |text: &[u8]| -> Option<u64> {
        let is_decimal = (1..=18).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
        core::str::from_utf8(text)
            .ok()
            .filter(|_| is_decimal)?
            .parse()
            .ok()
    };
    let mut ends = value
        .strip_prefix(b"bytes=")
        .unwrap_or_default()
        .splitn(2, |&byte| byte == b'-');
    let (first, last) = (ends.next().and_then(number)?, ends.next().and_then(number)?);
    let end = last.checked_add(1)?;
    end.checked_sub(first)
        .filter(|bytes| *bytes > 0)
        .map(|bytes| (bytes, end))
}

pub(super) fn names_aws_chunked(content_encoding: &[u8]) -> bool {
    let codings = content_encoding.split(|&byte| byte == b',');
    codings
        .into_iter()
        .any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"aws-chunked"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device;

    fn to_s3(
        rule: Rule,
        value: &str,
        bucket: &VirtualBucket,
        encryption: &str,
    ) -> Result<Option<String>, Fault> {
        let around = Surroundings {
            bucket,
            encryption: Some(encryption.as_bytes()),
            replaces: [false; 2],
            is_framed: false,
            sets_acl: false,
        };
        let value = rule.to_s3(value.as_bytes(), &around)?;
        Ok(value.map(|value| String::from_utf8(value.into_owned()).unwrap()))
    }

    #[test]
    fn each_value_becomes_the_one_that_s3_knows_or_is_refused() {
        let mut public = device::bucket();
        (public.acl, public.archive) = (AclRule::Pass, ArchiveClass::GlacierInstantRetrieval);
        let private = device::bucket();
        for (rule, oss, bucket, expected) in [
            (
                Rule::Verbatim,
                "text/plain; charset=\"x\"",
                &private,
                Ok(Some("text/plain; charset=\"x\"")),
            ),
            (Rule::Verbatim, "caf\u{e9}", &private, Err(Fault::ArgumentInvalid)),
            (Rule::Verbatim, "a\u{1}", &private, Err(Fault::ArgumentInvalid)),
            (
                Rule::ContentMd5,
                "1B2M2Y8AsgTpgAmY7PhCfg==",
                &private,
                Ok(Some("1B2M2Y8AsgTpgAmY7PhCfg==")),
            ),
            (
                Rule::ContentMd5,
                "1B2M2Y8AsgTpgAmY7PhCfg",
                &private,
                Err(Fault::DigestInvalid),
            ),
            (
                Rule::ContentMd5,
                "1B2M2Y8AsgTpgAmY7PhCfh==",
                &private,
                Err(Fault::DigestInvalid),
            ),
            (Rule::ContentMd5, "YQ==", &private, Err(Fault::DigestInvalid)),
            (
                Rule::ContentMd5,
                "not base64",
                &private,
                Err(Fault::DigestInvalid),
            ),
            (Rule::ContentEncoding, "gzip", &private, Ok(Some("gzip"))),
            (
                Rule::ContentEncoding,
                "aws-chunked",
                &private,
                Err(Fault::StreamingBody),
            ),
            (
                Rule::ContentEncoding,
                "gzip, AWS-Chunked",
                &private,
                Err(Fault::StreamingBody),
            ),
            (Rule::ObjectAcl, "default", &private, Ok(None)),
            (Rule::ObjectAcl, "private", &public, Ok(None)),
            (Rule::ObjectAcl, "public-read", &private, Err(Fault::PublicAcl)),
            (
                Rule::ObjectAcl,
                "public-read-write",
                &private,
                Err(Fault::PublicAcl),
            ),
            (Rule::ObjectAcl, "public-read", &public, Ok(Some("public-read"))),
            (Rule::ObjectAcl, "Private", &public, Err(Fault::ArgumentInvalid)),
            (
                Rule::ObjectAcl,
                "bucket-owner-full-control",
                &public,
                Err(Fault::ArgumentInvalid),
            ),
            (Rule::StorageClass, "Standard", &private, Ok(Some("STANDARD"))),
            (Rule::StorageClass, "IA", &private, Ok(Some("STANDARD_IA"))),
            (Rule::StorageClass, "Archive", &private, Ok(Some("GLACIER"))),
            (Rule::StorageClass, "Archive", &public, Ok(Some("GLACIER_IR"))),
            (Rule::StorageClass, "ColdArchive", &public, Ok(Some("GLACIER"))),
            (
                Rule::StorageClass,
                "DeepColdArchive",
                &private,
                Ok(Some("DEEP_ARCHIVE")),
            ),
            (
                Rule::StorageClass,
                "standard",
                &private,
                Err(Fault::StorageClassInvalid),
            ),
            (
                Rule::StorageClass,
                "GLACIER",
                &private,
                Err(Fault::StorageClassInvalid),
            ),
            (Rule::Encryption, "AES256", &private, Ok(Some("AES256"))),
            (Rule::Encryption, "KMS", &private, Ok(Some("aws:kms"))),
            (
                Rule::Encryption,
                "SM4",
                &private,
                Err(Fault::EncryptionUnsupported),
            ),
            (
                Rule::DataEncryption,
                "SM4",
                &private,
                Err(Fault::EncryptionUnsupported),
            ),
            (
                Rule::KmsKeyId,
                "oss-key-1",
                &private,
                Ok(Some("arn:aws:kms:eu-west-1:1:key/k1")),
            ),
            (
                Rule::KmsKeyId,
                "arn:aws:kms:eu-west-1:1:key/k1",
                &private,
                Err(Fault::KmsKeyUnknown),
            ),
            (Rule::ForbidOverwrite, "true", &private, Ok(Some("*"))),
            (Rule::ForbidOverwrite, "false", &private, Ok(None)),
            (
                Rule::ForbidOverwrite,
                "TRUE",
                &private,
                Err(Fault::ArgumentInvalid),
            ),
            (Rule::Directive, "COPY", &private, Ok(Some("COPY"))),
            (Rule::Directive, "Replace", &private, Ok(Some("REPLACE"))),
            (Rule::Directive, "MOVE", &private, Err(Fault::ArgumentInvalid)),
            (Rule::SourceRange, "bytes=0-0", &private, Ok(Some("bytes=0-0"))),
            (Rule::SourceRange, "bytes=9-10", &private, Ok(Some("bytes=9-10"))),
            (Rule::RequestPayer, "requester", &private, Ok(Some("requester"))),
            (Rule::RequestPayer, "owner", &private, Err(Fault::ArgumentInvalid)),
            (Rule::CompleteAll, "yes", &private, Ok(None)),
            (Rule::CompleteAll, "true", &private, Err(Fault::ArgumentInvalid)),
            (Rule::RangeBehavior, "standard", &private, Ok(None)),
            (
                Rule::RangeBehavior,
                "Standard",
                &private,
                Err(Fault::ArgumentInvalid),
            ),
            (Rule::PayloadHash, "UNSIGNED-PAYLOAD", &private, Ok(None)),
            (
                Rule::PayloadHash,
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                &private,
                Err(Fault::StreamingBody),
            ),
            (
                Rule::PayloadHash,
                "e3b0c442",
                &private,
                Err(Fault::ArgumentInvalid),
            ),
            (Rule::NotImplemented, "x", &private, Err(Fault::NotImplemented)),
        ] {
            let expected = expected.map(|value| value.map(str::to_owned));
            assert_eq!(to_s3(rule, oss, bucket, "KMS"), expected, "{rule:?} {oss}");
        }
        assert_eq!(
            to_s3(Rule::KmsKeyId, "oss-key-1", &private, "AES256"),
            Err(Fault::HeaderMisplaced)
        );
    }

    #[test]
    fn h11_the_range_of_a_source_is_two_ends_and_nothing_else() {
        let bucket = device::bucket();
        for range in [
            "0-9",
            "bytes=",
            "bytes=-",
            "bytes=5",
            "bytes=5-",
            "bytes=-5",
            "bytes=9-8",
            "bytes=0-1,3-4",
            "bytes=0-1 ",
            "bytes= 0-1",
            "bytes=+0-1",
            "bytes=0x0-1",
            "Bytes=0-1",
            "bytes=0-99999999999999999999",
            "bytes=0--1",
        ] {
            let judged = to_s3(Rule::SourceRange, range, &bucket, "");
            assert_eq!(judged, Err(Fault::ArgumentInvalid), "{range}");
        }
    }

    #[test]
    fn tags_are_written_anew_and_none_need_no_header() {
        let mut bucket = device::bucket();
        let tags = |value: &str, bucket: &VirtualBucket| to_s3(Rule::Tagging, value, bucket, "");
        assert_eq!(tags("k=v+1&l", &bucket), Ok(Some("k=v%201&l=".to_owned())));
        assert_eq!(tags("&", &bucket), Ok(None));
        let ten: String = (0..10).map(|n| format!("k{n}=v&")).collect();
        let eleven = [&ten, "k10=v"].concat();
        assert!(tags(&ten, &bucket).is_ok());
        assert_eq!(tags(&eleven, &bucket), Err(Fault::TagsTooMany));
        bucket.max_tags = 11;
        assert!(tags(&eleven, &bucket).is_ok());
    }

    #[test]
    fn answers_are_told_in_oss_values_or_not_at_all() {
        let bucket = device::bucket();
        for (rule, s3, oss) in [
            (Rule::StorageClass, "STANDARD", Some("Standard")),
            (Rule::StorageClass, "INTELLIGENT_TIERING", Some("Standard")),
            (Rule::StorageClass, "ONEZONE_IA", Some("IA")),
            (Rule::StorageClass, "GLACIER_IR", Some("Archive")),
            (Rule::StorageClass, "DEEP_ARCHIVE", Some("DeepColdArchive")),
            (Rule::StorageClass, "SNOW", None),
            (Rule::Encryption, "AES256", Some("AES256")),
            (Rule::Encryption, "aws:kms", Some("KMS")),
            (Rule::Encryption, "aws:new", None),
            (
                Rule::KmsKeyId,
                "arn:aws:kms:eu-west-1:1:key/k1",
                Some("oss-key-1"),
            ),
            (Rule::KmsKeyId, "arn:aws:kms:eu-west-1:1:key/other", None),
            (Rule::Metadata, "=?UTF-8?B?5Lit?=", Some("\u{4e2d}")),
            (Rule::Metadata, "=?UTF-8?B?YQ0KYg==?=", None),
            (Rule::Verbatim, "\"etag\"", Some("\"etag\"")),
            (Rule::Verbatim, "a\r\nb", None),
        ] {
            let told = rule
                .to_oss(s3.as_bytes(), &bucket)
                .map(|value| String::from_utf8(value).unwrap());
            assert_eq!(told.as_deref(), oss, "{rule:?} {s3}");
        }
    }
}
