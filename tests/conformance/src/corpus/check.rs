//! What has to hold whatever was sent: of answers, of refusals, and of requests for the origin.
//!
//! Written from the interface's side, with an XML reader and a decoder of its own, so that a table
//! that went wrong in the gateway does not go wrong here as well.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_s3::answer::{Answer, Asked};
use oss_s3::area::Target;
use oss_s3::error::{Refusal, Row};
use oss_s3::operation::{Call, Operation, UploadId};
use oss_s3::request::{Authorized, OriginRequest};
use oss_s3::upload::Owner;
use quick_xml::Reader;
use quick_xml::events::Event;
use request_auth::Dialect;

use self::shape::fits;
use super::Reached;
use crate::upload::told;

mod copied;
mod shape;
mod staged;

/// The headers that an origin may be sent, beside user metadata and the signature's own.
const ORIGIN_HEADERS: [&str; 19] = [
    "accept-encoding",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "range",
    "x-amz-acl",
    "x-amz-request-payer",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-tagging",
];

/// Those beside them for an S3 client.
const ORIGIN_HEADERS_OF_S3: [&str; 15] = [
    "x-amz-checksum-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-mode",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
    "x-amz-content-sha256",
    "x-amz-decoded-content-length",
    "x-amz-mp-object-size",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-context",
    "x-amz-trailer",
];

/// Those beside them of a copy, which has the first in any case.
const ORIGIN_HEADERS_OF_COPIES: [&str; 8] = [
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-metadata-directive",
    "x-amz-tagging-directive",
];

/// The metadata that is the gateway's own, by its end.
const MARK: &str = "-meta-causeway-upload";

/// Every answer: a status of HTTP, headers that can be sent, a request id and a date, and no header of
/// the dialect that is not the device's.
///
/// # Errors
/// A sentence on what is wrong.
pub fn answer(answer: &Answer, dialect: Dialect) -> Result<(), String> {
    let (foreign, ids): (_, &[&str]) = match dialect {
        Dialect::Oss => ("x-amz-", &["x-oss-request-id", "date"]),
        Dialect::S3 => ("x-oss-", &["x-amz-request-id", "x-amz-id-2", "date"]),
    };
    if !(200..600).contains(&answer.status) {
        return Err(format!("The answer's status is {}.", answer.status));
    }
    for (name, value) in &answer.headers {
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !is_name || value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Err(format!("The answer's header {name:?} cannot be sent."));
        }
        if name.starts_with(foreign) || name.ends_with(MARK) {
            return Err(format!("The answer tells the device of {name}."));
        }
    }
    for name in ids {
        if answer.header(name).is_none_or(<[u8]>::is_empty) {
            return Err(format!("The answer has no {name}."));
        }
    }
    Ok(())
}

/// Every refusal: the client's fault as a 4xx or 501 while no origin was asked, never an
/// authentication error after that, and an error document that every SDK can read.
///
/// # Errors
/// A sentence on what is wrong.
pub fn refusal(
    refusal: &Refusal,
    answer: &Answer,
    asked: &Asked<'_>,
    reached: Reached,
) -> Result<(), String> {
    let Row { status, code, .. } = refusal.row(asked.dialect);
    let is_clients = matches!(status, 400..=499 | 501);
    if reached != Reached::Origin && !is_clients {
        return Err(format!("What the client did wrong is answered {status} {code}."));
    }
    let is_about_credentials = matches!(
        code,
        "SignatureDoesNotMatch" | "RequestTimeTooSkewed" | "InvalidAccessKeyId"
    );
    if reached == Reached::Origin && is_about_credentials {
        return Err(format!(
            "The origin's trouble with the gateway reaches the device as {code}."
        ));
    }
    document(refusal, answer, asked)
}

/// The error document of a refusal: in the body, or for an OSS client's HEAD in `x-oss-err`, and readable
/// by every SDK.
///
/// # Errors
/// A sentence on what is wrong.
pub fn document(refusal: &Refusal, answer: &Answer, asked: &Asked<'_>) -> Result<(), String> {
    let Row { status, code, .. } = refusal.row(asked.dialect);
    let document = if asked.method == "HEAD" {
        if !answer.body.is_empty() {
            return Err("An answer to HEAD has a body.".to_owned());
        }
        if asked.dialect == Dialect::S3 {
            return Ok(());
        }
        let encoded = answer
            .header("x-oss-err")
            .ok_or("An answer to HEAD has no x-oss-err.")?;
        STANDARD.decode(encoded).map_err(|_| "x-oss-err is not base64.")?
    } else {
        if status == 304 {
            return Ok(());
        }
        answer.body.clone()
    };
    error_document(&document, code).map_err(|sentence| format!("{sentence} Code: {code}."))
}

/// An error document: UTF-8, no namespace, no empty element, Code, Message and RequestId in `Error`.
fn error_document(document: &[u8], code: &str) -> Result<(), String> {
    let text = core::str::from_utf8(document).map_err(|_| "The error document is not UTF-8.")?;
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut found: Vec<(String, String)> = Vec::new();
    let mut content = String::new();
    loop {
        match reader
            .read_event()
            .map_err(|error| format!("The error document is not XML: {error}."))?
        {
            Event::Start(element) => {
                if element.attributes().next().is_some() {
                    return Err("The error document has an attribute or namespace.".to_owned());
                }
                path.push(element.name().as_ref().to_owned());
                content.clear();
            }
            Event::End(_) => {
                let name = path.pop().unwrap_or_default();
                if path.len() == 1 {
                    if content.is_empty() {
                        return Err(format!("The element {} is empty.", name));
                    }
                    found.push((name, content.clone()));
                }
            }
            Event::Empty(_) => return Err("The error document has an empty element.".to_owned()),
            Event::Text(text) => content.push_str(&text),
            Event::GeneralRef(reference) => {
                let known = matches!(reference.as_ref(), "lt" | "gt" | "amp" | "quot" | "apos");
                if !known && !reference.is_char_ref() {
                    return Err("The error document has an unknown entity.".to_owned());
                }
                content.push('?');
            }
            Event::Eof => break,
            Event::Decl(_) => {}
            _ => return Err("The error document has more than elements and text.".to_owned()),
        }
    }
    let value = |name: &str| {
        found
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, text)| text.as_str())
    };
    if text
        .chars()
        .any(|c| (c < ' ' && !matches!(c, '\n' | '\t' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}'))
    {
        return Err("The error document holds a character that XML forbids.".to_owned());
    }
    if !path.is_empty() || value("Code") != Some(code) {
        return Err("The error document does not have the refusal's code.".to_owned());
    }
    if value("Message").is_none() || value("RequestId").is_none() {
        return Err("The error document lacks Message or RequestId.".to_owned());
    }
    Ok(())
}

/// What goes to the origin decodes to what was authorised: host and bucket of the configuration,
/// `mount` and the verified key, the operation's own query, and headers of the table alone.
///
/// # Errors
/// A sentence on what is wrong.
pub fn forwarded(
    request: &OriginRequest,
    authorized: &Authorized<'_>,
    mount: &str,
    dialect: Dialect,
) -> Result<(), String> {
    let operation = authorized.call().operation();
    let staging = staged::Folder::of(authorized, dialect);
    if let Some(outcome) = staging
        .as_ref()
        .and_then(|folder| folder.judge(request, operation))
    {
        return outcome.and_then(|()| headers(request, operation, dialect));
    }
    // A part that is copied may be too small for S3 to take it.
    if staging.is_some() && operation == Operation::UploadPartCopy && request.method != "PUT" {
        return copied::read(request, authorized).and_then(|()| headers(request, operation, dialect));
    }
    let origin = &authorized.bucket().origin;
    let prefix = match request.host.strip_suffix(&origin.authority) {
        Some("") => ["/", &origin.bucket, "/"].concat(),
        Some(label) if label.strip_suffix('.') == Some(&origin.bucket) => "/".to_owned(),
        _ => return Err(format!("The request goes to the host {:?}.", request.host)),
    };
    let mount_of_key = match authorized.target() {
        Target::Object { .. } => mount,
        Target::Service { .. } | Target::Bucket { .. } => "",
    };
    let expected = [
        prefix.as_bytes(),
        mount_of_key.as_bytes(),
        authorized.target().key().as_bytes(),
    ]
    .concat();
    if decoded(&request.path).as_deref() != Some(expected.as_slice()) {
        return Err(format!(
            "The path {:?} is not bucket, mount and key.",
            request.path
        ));
    }
    if request
        .path
        .split('/')
        .any(|segment| matches!(segment, "." | ".."))
    {
        return Err(format!("The path {:?} has a dot segment.", request.path));
    }
    let method_and_names: Vec<&str> = core::iter::once(request.method)
        .chain(
            request
                .query
                .split('&')
                .filter(|piece| !piece.is_empty())
                .map(|piece| piece.split('=').next().unwrap_or_default()),
        )
        .collect();
    // The operation's own request is marked as an S3 client's; no other request bears that mark.
    let own = match method_and_names.as_slice() {
        [own @ .., "x-id"] if dialect == Dialect::S3 => own,
        all => all,
    };
    if request.query.split('&').any(|piece| decoded(piece).is_none())
        || !(fits(operation, own) || staging.is_some() && staged::fits(operation, own))
    {
        return Err(format!(
            "{} {:?} is not what the operation asks.",
            request.method, request.query
        ));
    }
    // What a list is of lies under the mount.
    let confined = ["prefix", "marker", "key-marker"];
    let pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
    for (name, value) in pairs.filter(|(name, _)| confined.contains(name)) {
        if decoded(value).is_none_or(|value| !value.starts_with(mount.as_bytes())) {
            return Err(format!("The list's {name} {value:?} is not under the mount."));
        }
    }
    upload(request, authorized)?;
    let is_copy = staged::source(request).is_some();
    if operation.copies() && !is_copy {
        return Err("A copy is forwarded without its source.".to_owned());
    }
    if is_copy && !operation.copies() && !staging.is_some_and(|folder| folder.is_copied_by(request)) {
        return Err("What is copied is no part of the upload.".to_owned());
    }
    headers(request, operation, dialect)
}

/// What is sent are headers of the table, each once, and metadata.
fn headers(request: &OriginRequest, operation: Operation, dialect: Dialect) -> Result<(), String> {
    let copies = staged::source(request).is_some();
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in &request.headers {
        let is_metadata = name
            .strip_prefix("x-amz-meta-")
            .is_some_and(|tail| !tail.is_empty());
        let is_known = ORIGIN_HEADERS.contains(&name.as_ref())
            || (dialect == Dialect::S3 && ORIGIN_HEADERS_OF_S3.contains(&name.as_ref()))
            || (copies && ORIGIN_HEADERS_OF_COPIES.contains(&name.as_ref()));
        // It says which upload an OSS client's object is of, and is no other's to set.
        let is_of_an_upload = operation == Operation::InitiateMultipartUpload && dialect == Dialect::Oss;
        if !is_metadata && !is_known || name.ends_with(MARK) && !is_of_an_upload {
            return Err(format!("The header {name:?} is forwarded."));
        }
        if value
            .iter()
            .any(|&byte| !(b' '..=b'~').contains(&byte) && byte != b'\t' && byte < 0x80)
        {
            return Err(format!("The header {name:?} is forwarded with a control byte."));
        }
        if names.contains(&name.as_ref()) {
            return Err(format!("The header {name:?} is forwarded twice."));
        }
        names.push(name);
    }
    Ok(())
}

/// The upload that the origin is asked for is the one that the client was told of, in the origin's own words.
fn upload(request: &OriginRequest, authorized: &Authorized<'_>) -> Result<(), String> {
    let mut pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
    let id = pairs.find(|(name, _)| matches!(*name, "uploadId" | "upload-id-marker"));
    let Some(id) = id.map(|(_, id)| decoded(id).unwrap_or_default()) else {
        return Ok(());
    };
    let id = String::from_utf8_lossy(&id);
    let (key, named) = match authorized.call() {
        Call::List(listing) => (listing.after.as_str(), Some(listing.token.as_str())),
        call => (authorized.target().key(), call.upload().map(UploadId::as_str)),
    };
    let owner = Owner {
        bucket: &authorized.bucket().name,
        key,
        key_id: authorized.key_id(),
    };
    if named != Some(&told(owner, &id)) {
        return Err(format!(
            "The client names the upload {named:?}, and the origin is asked for {id:?}."
        ));
    }
    Ok(())
}

/// The signature's headers: what SigV4 needs, each once.
///
/// # Errors
/// A sentence on what is wrong.
pub fn signed(request: &OriginRequest, added: &[(&'static str, String)]) -> Result<(), String> {
    let names: Vec<&str> = added.iter().map(|(name, _)| *name).collect();
    if names != ["x-amz-content-sha256", "x-amz-date", "authorization"] {
        return Err(format!("The signature adds {names:?}."));
    }
    let authorization = added.last().map(|(_, value)| value.as_str()).unwrap_or_default();
    let covered = authorization
        .split("SignedHeaders=")
        .nth(1)
        .and_then(|rest| rest.split(',').next());
    let covered: Vec<&str> = covered.unwrap_or_default().split(';').collect();
    let all = request
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-amz-"));
    for name in all
        .map(|(name, _)| name.as_ref())
        .chain(["host", "x-amz-date", "x-amz-content-sha256"])
    {
        if !covered.contains(&name) {
            return Err(format!("The signature for the origin leaves {name} out."));
        }
    }
    Ok(())
}

/// Undoes strict percent encoding; `None` where another byte stands raw or an escape is malformed.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                let digits = core::str::from_utf8(&digits).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'=' => {
                out.push(byte)
            }
            _ => return None,
        }
    }
    Some(out)
}
