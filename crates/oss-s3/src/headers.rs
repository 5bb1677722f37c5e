//! Which header of one dialect becomes which of the other: one table, and nothing passes beside it.
//!
//! A row says for each operation what becomes of a device's header, and whether the signature has to
//! cover it. An `x-oss-*` header that the table lacks is refused by its name: what a device asks for
//! is either done or refused, never silently left out. An unsigned header is read only if it is one
//! of five that OSS signatures leave unprotected, and only as the bucket or grant allows; where a V2 or
//! V4 client signed it, it is a signed header like others.
//!
//! A multipart upload has its object's attributes set when it is initiated. Some SDKs repeat the
//! headers of one call on every request that it makes (ali-oss on each part and on Complete), so
//! attributes on every other request of an upload are dropped, as OSS does. Two are not: an ACL on
//! Complete, where OSS takes it and S3 can't, and `x-oss-forbid-overwrite`, which S3 checks when the
//! object appears. On Initiate the latter is accepted and does nothing, because S3 has no condition
//! there; SDKs that set it send it again with Complete, which decides.
//!
//! A copy has the attributes of its source, or where its directive says so those of the request; then only
//! are they sent. Storage class, encryption and ACL are always the request's.
//!
//! A read is sent on with its range and conditions and without what describes a body: PHP's SDK names a
//! type on every GET, and Go's a digest.

pub mod metadata;
mod s3;
mod value;

use std::borrow::Cow;

use request_auth::{Dialect, Hint, Verified};

use crate::addressing::{UnsignedHeaders, VirtualBucket};
use crate::error::{Fault, Refusal};
use crate::operation::Operation;
use crate::upload::{self, MARK_HEADER};
use value::{Rule, Surroundings};
pub(crate) use value::{oss_storage_class, range_bytes};

/// Header names in lower case, with their values as bytes.
pub type Headers = Vec<(Cow<'static, str>, Vec<u8>)>;

/// What becomes of a device's header on one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// Its value is judged and sent.
    Send,
    /// Its value is judged, and not sent.
    Judge,
    /// Its value is judged, and refused if S3 would have to be sent something.
    Inert,
    /// It means nothing here.
    Drop,
    /// It does not belong here.
    Refuse,
    /// Judged, and sent by a copy that replaces the source's metadata.
    Metadata,
    /// Judged, and sent by a copy that replaces the source's tags.
    Tags,
}

use Fate::{Drop as D, Inert as I, Judge as J, Metadata as M, Refuse as R, Send as S, Tags as T};

/// How many columns of fates a table has.
const COLUMNS: usize = 7;

/// Which answers of S3's a header is taken from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answers {
    /// From any.
    Any = AnswerOf::Part as isize,
    /// From any but a part's: that may be stored as an object, of which its device knows nothing.
    Whole = AnswerOf::Write as isize,
    /// From those that describe a stored object.
    Object = AnswerOf::Object as isize,
    /// From none: it is a request's header.
    Never,
}

/// One header of the two dialects.
struct Row {
    /// The name in OSS; one that ends in `-` is a prefix.
    oss: &'static str,
    /// The name in S3, likewise; empty for none.
    s3: &'static str,
    /// What the value has to be.
    rule: Rule,
    /// The unsigned header that it may be read from as well; `None`: the signature has to cover it.
    hint: Option<Hint>,
    /// For PutObject, InitiateMultipartUpload, UploadPart, CompleteMultipartUpload, CopyObject,
    /// UploadPartCopy, and the rest: operations that store no object's attributes.
    fates: [Fate; COLUMNS],
    /// For GetObject and HeadObject.
    reads: Fate,
    /// For the way back.
    answers: Answers,
}

/// A read takes such a header like the other operations that store nothing.
const fn signed(
    oss: &'static str,
    s3: &'static str,
    rule: Rule,
    fates: [Fate; COLUMNS],
    answers: Answers,
) -> Row {
    let [.., reads] = fates;
    Row {
        oss,
        s3,
        rule,
        hint: None,
        fates,
        reads,
        answers,
    }
}

const fn unsigned(name: &'static str, rule: Rule, hint: Hint, fates: [Fate; COLUMNS]) -> Row {
    let [.., reads] = fates;
    Row {
        oss: name,
        s3: name,
        rule,
        hint: Some(hint),
        fates,
        reads,
        answers: Answers::Object,
    }
}

/// What only a read is asked, and need not be signed: it can't make more be told than the whole
/// object.
const fn of_reads(name: &'static str, hint: Hint) -> Row {
    Row {
        oss: name,
        s3: name,
        rule: Rule::Verbatim,
        hint: Some(hint),
        fates: [D; COLUMNS],
        reads: S,
        answers: Answers::Never,
    }
}

const fn answer(oss: &'static str, s3: &'static str, answers: Answers) -> Row {
    Row {
        oss,
        s3,
        rule: Rule::Verbatim,
        hint: None,
        fates: [R; COLUMNS],
        reads: R,
        answers,
    }
}

/// Columns of fates: Put, Initiate, UploadPart, Complete, CopyObject, UploadPartCopy, the rest.
#[rustfmt::skip]
const TABLE: [Row; 53] = [
    // Content-MD5 goes with the bytes that it is the digest of; a part list is compared here and sent
    // under a digest of its own.
    signed("content-md5", "content-md5", Rule::ContentMd5, [S, S, S, J, J, J, J], Answers::Never),
    signed("content-type", "content-type", Rule::Verbatim, [S, S, D, D, M, D, D], Answers::Object),
    unsigned("cache-control", Rule::Verbatim, Hint::CacheControl, [S, S, D, D, M, D, D]),
    unsigned("content-disposition", Rule::Verbatim, Hint::ContentDisposition, [S, S, D, D, M, D, D]),
    unsigned("content-encoding", Rule::ContentEncoding, Hint::ContentEncoding, [S, S, J, J, M, J, J]),
    unsigned("content-language", Rule::Verbatim, Hint::ContentLanguage, [S, S, D, D, M, D, D]),
    unsigned("expires", Rule::Verbatim, Hint::Expires, [S, S, D, D, M, D, D]),

    signed("x-oss-meta-", "x-amz-meta-", Rule::Metadata, [S, S, D, D, M, D, D], Answers::Object),
    signed("x-oss-object-acl", "x-amz-acl", Rule::ObjectAcl, [S, S, D, I, S, D, D], Answers::Never),
    signed("x-oss-acl", "x-amz-acl", Rule::ObjectAcl, [R, R, R, R, R, R, J], Answers::Never),
    signed("x-oss-storage-class", "x-amz-storage-class", Rule::StorageClass, [S, S, D, D, S, D, D], Answers::Object),
    signed("x-oss-server-side-encryption", "x-amz-server-side-encryption", Rule::Encryption,
        [S, S, D, D, S, D, D], Answers::Any),
    signed("x-oss-server-side-encryption-key-id", "x-amz-server-side-encryption-aws-kms-key-id", Rule::KmsKeyId,
        [S, S, D, D, S, D, D], Answers::Any),
    signed("x-oss-server-side-data-encryption", "", Rule::DataEncryption, [J, J, J, J, J, J, J], Answers::Never),
    signed("x-oss-tagging", "x-amz-tagging", Rule::Tagging, [S, S, D, D, T, D, D], Answers::Never),
    signed("x-oss-forbid-overwrite", "if-none-match", Rule::ForbidOverwrite, [S, J, D, S, S, D, D], Answers::Never),
    signed("x-oss-request-payer", "x-amz-request-payer", Rule::RequestPayer, [S, S, S, S, S, S, S], Answers::Never),
    signed("x-oss-complete-all", "", Rule::CompleteAll, [R, R, R, J, R, R, R], Answers::Never),

    // The source is mapped, authorised and written anew by whoever permits the copy.
    signed("x-oss-copy-source", "", Rule::Consumed, [R, R, R, R, D, D, R], Answers::Never),
    signed("x-oss-copy-source-range", "x-amz-copy-source-range", Rule::SourceRange, [R, R, R, R, R, S, R], Answers::Never),
    signed("x-oss-copy-source-if-match", "x-amz-copy-source-if-match", Rule::Verbatim, [R, R, R, R, S, S, R], Answers::Never),
    signed("x-oss-copy-source-if-none-match", "x-amz-copy-source-if-none-match", Rule::Verbatim,
        [R, R, R, R, S, S, R], Answers::Never),
    signed("x-oss-copy-source-if-modified-since", "x-amz-copy-source-if-modified-since", Rule::Verbatim,
        [R, R, R, R, S, S, R], Answers::Never),
    signed("x-oss-copy-source-if-unmodified-since", "x-amz-copy-source-if-unmodified-since", Rule::Verbatim,
        [R, R, R, R, S, S, R], Answers::Never),
    signed("x-oss-metadata-directive", "x-amz-metadata-directive", Rule::Directive, [R, R, R, R, S, D, R], Answers::Never),
    signed("x-oss-tagging-directive", "x-amz-tagging-directive", Rule::Directive, [R, R, R, R, S, D, R], Answers::Never),

    of_reads("range", Hint::Range),
    of_reads("if-match", Hint::IfMatch),
    of_reads("if-none-match", Hint::IfNoneMatch),
    of_reads("if-modified-since", Hint::IfModifiedSince),
    of_reads("if-unmodified-since", Hint::IfUnmodifiedSince),
    Row { reads: J, ..signed("x-oss-range-behavior", "", Rule::RangeBehavior, [R, R, R, R, R, R, R], Answers::Never) },

    // Part of the signature, or without a meaning at S3.
    signed("x-oss-content-sha256", "", Rule::PayloadHash, [J, J, J, J, J, J, J], Answers::Never),
    signed("x-oss-date", "", Rule::Consumed, [D, D, D, D, D, D, D], Answers::Never),
    signed("x-oss-security-token", "", Rule::Consumed, [D, D, D, D, D, D, D], Answers::Never),
    signed("x-oss-user-agent", "", Rule::Consumed, [D, D, D, D, D, D, D], Answers::Never),
    signed("x-oss-traffic-limit", "", Rule::Consumed, [D, D, D, D, D, D, D], Answers::Never),

    // Features that S3 does not have: refused before the body is read.
    signed("x-oss-callback", "", Rule::NotImplemented, [J, J, J, J, J, J, J], Answers::Never),
    signed("x-oss-callback-var", "", Rule::NotImplemented, [J, J, J, J, J, J, J], Answers::Never),
    signed("x-oss-process", "", Rule::NotImplemented, [J, J, J, J, J, J, J], Answers::Never),
    signed("x-oss-async-process", "", Rule::NotImplemented, [J, J, J, J, J, J, J], Answers::Never),
    signed("x-oss-symlink-target", "", Rule::NotImplemented, [J, J, J, J, J, J, J], Answers::Never),

    // Answers only.
    answer("etag", "etag", Answers::Any),
    answer("x-oss-version-id", "x-amz-version-id", Answers::Whole),
    answer("x-oss-expiration", "x-amz-expiration", Answers::Whole),
    answer("last-modified", "last-modified", Answers::Object),
    answer("accept-ranges", "accept-ranges", Answers::Object),
    answer("content-length", "content-length", Answers::Object),
    answer("content-range", "content-range", Answers::Object),
    answer("x-oss-delete-marker", "x-amz-delete-marker", Answers::Whole),
    answer("x-oss-restore", "x-amz-restore", Answers::Object),
    answer("x-oss-tagging-count", "x-amz-tagging-count", Answers::Object),
    answer("x-oss-copy-source-version-id", "x-amz-copy-source-version-id", Answers::Whole),
];

impl Row {
    fn fate(&self, operation: Operation, [metadata, tags]: [bool; 2]) -> Fate {
        let [put, initiate, part, complete, copy, part_copy, rest] = self.fates;
        match operation {
            Operation::CopyObject => match copy {
                M if metadata => S,
                T if tags => S,
                M | T => J,
                fate => fate,
            },
            Operation::UploadPartCopy => part_copy,
            Operation::PutObject | Operation::PostObject => put,
            Operation::InitiateMultipartUpload => initiate,
            Operation::UploadPart => part,
            Operation::CompleteMultipartUpload => complete,
            Operation::GetObject | Operation::HeadObject => self.reads,
            // A bucket has an ACL, and nothing else of what headers say of objects.
            Operation::PutBucket if matches!(self.oss, "x-oss-acl" | "x-amz-acl") => S,
            Operation::PutObjectAcl if self.rule.is_acl() => put,
            _ => rest,
        }
    }

    /// Whether requests have this header at all.
    fn is_asked(&self) -> bool {
        self.fates != [R; COLUMNS] || self.reads != R
    }
}

/// The name on the other side, if `from` is the name of this header or starts with its prefix.
fn counterpart(from: &'static str, to: &'static str, name: &str) -> Option<Cow<'static, str>> {
    if from.ends_with('-') {
        let tail = name.strip_prefix(from).filter(|tail| !tail.is_empty())?;
        Some(Cow::Owned([to, tail].concat()))
    } else {
        (name == from).then_some(Cow::Borrowed(to))
    }
}

/// The S3 headers for the headers of a verified request, by the table of its dialect.
///
/// # Errors
/// A refusal that names the first header that may not be sent, or not with this value.
pub(crate) fn to_s3(
    verified: &Verified<'_, &VirtualBucket>,
    operation: Operation,
    unsigned_headers: UnsignedHeaders,
) -> Result<Headers, Refusal> {
    let dialect = verified.scheme().dialect();
    let (table, vendor, [encryption, metadata, tags]): (&[Row], _, _) = match dialect {
        Dialect::Oss => (
            &TABLE,
            "x-oss-",
            [
                "x-oss-server-side-encryption",
                "x-oss-metadata-directive",
                "x-oss-tagging-directive",
            ],
        ),
        Dialect::S3 => (
            &s3::TABLE,
            "x-amz-",
            [
                "x-amz-server-side-encryption",
                "x-amz-metadata-directive",
                "x-amz-tagging-directive",
            ],
        ),
    };
    let hoisted = s3::hoisted(verified, dialect)?;
    let signed = || verified.signed_headers().chain(hoisted.iter().copied());
    let said = |name| {
        let found = signed().find(|(signed, _)| *signed == name);
        found.map(|(_, value)| value)
    };
    let replaces = |name| said(name).is_some_and(|value| value.eq_ignore_ascii_case(b"REPLACE"));
    let around = Surroundings {
        bucket: verified.bucket(),
        encryption: said(encryption),
        replaces: [metadata, tags].map(replaces),
        is_framed: verified.payload().is_framed(),
        sets_acl: operation == Operation::PutObjectAcl,
    };
    let mut headers = Headers::new();
    let mut metadata_bytes = match (operation, dialect) {
        (Operation::InitiateMultipartUpload, Dialect::Oss) => upload::MARK_BYTES,
        _ => 0,
    };
    for (name, value) in signed() {
        let found = table.iter().filter(|row| row.is_asked()).find_map(|row| {
            let s3 = counterpart(row.oss, row.s3, name)?;
            Some((row, s3))
        });
        let Some((row, s3)) = found else {
            if name.starts_with(vendor) {
                return Err(Refusal::new(Fault::HeaderNotSupported).about(name));
            }
            // V2 and V4 sign whatever they are told to (Host, User-Agent): it says nothing of an object.
            continue;
        };
        if row.rule.is_metadata() && row.fate(operation, around.replaces) == Fate::Send {
            let tail = name.len().saturating_sub(row.oss.len());
            metadata_bytes = metadata_bytes.saturating_add(tail).saturating_add(value.len());
        }
        take(row, s3, name, value, operation, &around, &mut headers)?;
    }
    // Where object bytes pass the gateway by, S3's own refusal could not be told from others.
    let most = verified.bucket().max_metadata_bytes;
    if metadata_bytes > usize::from(most) {
        return Err(Refusal::new(Fault::MetadataTooLarge).with("MaxSizeAllowed", most.to_string()));
    }
    for row in table {
        let Some(value) = row.hint.and_then(|hint| verified.hint(hint)) else {
            continue;
        };
        // The rule is one of what is stored, which a digest only protects.
        let is_stored = row.fate(operation, around.replaces) == Fate::Send
            && !operation.reads()
            && row.hint != Some(Hint::ContentMd5);
        // Of OSS clients, conditions of writes are not even read.
        let must_be_signed = matches!(row.hint, Some(Hint::IfMatch | Hint::IfNoneMatch));
        if is_stored && (must_be_signed || unsigned_headers == UnsignedHeaders::Refuse) {
            return Err(Refusal::new(Fault::HeaderForbidden).about(row.oss));
        }
        // What is left out is not judged, but for aws-chunked: that is in the body as well.
        let is_judged =
            row.hint == Some(Hint::ContentEncoding) && value::names_aws_chunked(value) && !around.is_framed;
        if is_stored && unsigned_headers == UnsignedHeaders::Drop && !is_judged {
            continue;
        }
        let s3 = Cow::Borrowed(row.s3);
        take(row, s3, row.oss, value, operation, &around, &mut headers)?;
    }
    let stores_attributes = match operation {
        Operation::PutObject | Operation::PostObject | Operation::InitiateMultipartUpload => true,
        Operation::CopyObject => around.replaces[0],
        _ => false,
    };
    if dialect == Dialect::Oss && stores_attributes && headers.iter().all(|(name, _)| name != "content-type")
    {
        // OSS's default; S3's would be binary/octet-stream.
        headers.push((
            Cow::Borrowed("content-type"),
            b"application/octet-stream".to_vec(),
        ));
    }
    Ok(headers)
}

/// Takes one header by its row. An empty value asks for nothing, as SDKs send it for what was not
/// set; user metadata may be empty.
fn take(
    row: &Row,
    s3: Cow<'static, str>,
    name: &str,
    value: &[u8],
    operation: Operation,
    around: &Surroundings<'_>,
    headers: &mut Headers,
) -> Result<(), Refusal> {
    let refuse = |fault| Refusal::new(fault).about(name);
    let fate = row.fate(operation, around.replaces);
    if fate == Fate::Refuse {
        return Err(refuse(Fault::HeaderMisplaced));
    }
    // An upload's mark is the gateway's own: nobody sets it, and nobody is told it.
    if fate == Fate::Drop || (value.is_empty() && !row.rule.is_metadata()) || s3 == MARK_HEADER {
        return Ok(());
    }
    match (fate, row.rule.to_s3(value, around).map_err(refuse)?) {
        (Fate::Send, Some(value)) => headers.push((s3, value.into_owned())),
        (Fate::Inert, Some(_)) => return Err(refuse(Fault::AclTooLate)),
        _ => {}
    }
    Ok(())
}

/// What an answer of S3's is about; the later, the more it may tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerOf {
    /// A part that was uploaded, however it is stored.
    Part,
    /// A write, or something about an upload.
    Write,
    /// A stored object: the answer to a read.
    Object,
}

/// The device's headers for the headers of an answer of S3's: those of the tables, and no other.
/// `headers` are lower-case names and values.
pub fn to_device<'h>(
    dialect: Dialect,
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    of: AnswerOf,
    bucket: &VirtualBucket,
) -> Headers {
    let also: &[Row] = match dialect {
        Dialect::Oss => &[],
        Dialect::S3 => &s3::TABLE,
    };
    let told = |row: &&Row| of as isize >= row.answers as isize;
    let mut out = Headers::new();
    for (name, value) in headers.into_iter().filter(|(name, _)| *name != MARK_HEADER) {
        let found = TABLE
            .iter()
            .chain(also)
            .filter(told)
            .find_map(|row| match dialect {
                Dialect::Oss => {
                    let oss = counterpart(row.s3, row.oss, name)?;
                    Some((oss, row.rule.to_oss(value, bucket)?))
                }
                Dialect::S3 => {
                    let s3 = counterpart(row.s3, row.s3, name)?;
                    let value = match row.rule {
                        // The key's own name tells the account: the client is told the one it may use.
                        Rule::KmsKeyId | Rule::S3(s3::S3Rule::KmsKeyId) => {
                            Rule::KmsKeyId.to_oss(value, bucket)?
                        }
                        _ => value::is_plain(value).then(|| value.to_vec())?,
                    };
                    Some((s3, value))
                }
            });
        out.extend(found);
    }
    out
}

#[cfg(test)]
mod copy_tests;
#[cfg(test)]
mod s3_tests;
#[cfg(test)]
mod tests;
