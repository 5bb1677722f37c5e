//! What may be asked of the origin about staged parts: what lies in the folder of the request's own upload, and nothing
//! else. The folder's name is worked out here once more, as the README gives it to operators.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oss_s3::operation::{Call, Operation};
use oss_s3::request::{Authorized, OriginBody, OriginRequest};
use request_auth::Dialect;
use sha2::{Digest as _, Sha256};

use super::{ORIGIN_HEADERS_OF_COPIES, decoded};

/// How many bytes of what a client is told of an upload are the gateway's own: a dot, a mark and a seal.
const OWN: usize = 1 + 24 + 22;

/// Where the parts of one upload are staged.
pub(super) struct Folder {
    bucket: String,
    host: String,
    folder: String,
    number: Option<String>,
}

impl Folder {
    /// That of the upload which an OSS client names.
    pub(super) fn of(authorized: &Authorized<'_>, dialect: Dialect) -> Option<Self> {
        let bucket = authorized.bucket();
        let staging = bucket.staging.as_ref().filter(|_| dialect == Dialect::Oss)?;
        let told = authorized.call().upload()?.as_str();
        let id = told.get(..told.len().checked_sub(OWN)?)?;
        let digest = Sha256::digest([&bucket.name, "\0", authorized.target().key(), "\0", id].concat());
        let number = match authorized.call() {
            Call::UploadPart { number, .. } | Call::UploadPartCopy { number, .. } => {
                Some(format!("{:0>5}", number.to_string()))
            }
            _ => None,
        };
        Some(Self {
            bucket: staging.bucket.clone(),
            host: [&staging.bucket, ".", &bucket.origin.authority].concat(),
            folder: [&staging.prefix, &URL_SAFE_NO_PAD.encode(digest), "/"].concat(),
            number,
        })
    }

    /// Whether a request about the folder, or about its bucket, is one that the operation may make; `None` for a
    /// request about anything else.
    pub(super) fn judge(&self, request: &OriginRequest, operation: Operation) -> Option<Result<(), String>> {
        let path = String::from_utf8(decoded(&request.path)?).ok()?;
        let key = path.strip_prefix('/')?;
        let is_own = match (key, self.inside(key)) {
            ("", _) if request.query == "delete=" => self.deletes(request, operation),
            ("", _) => self.lists(request, operation),
            (_, Some(name)) => request.query.is_empty() && self.may(request.method, name, operation),
            (_, None) => return None,
        };
        Some(if is_own && request.host == self.host {
            Ok(())
        } else {
            let OriginRequest {
                method, host, query, ..
            } = request;
            Err(format!(
                "{method} {host} {path:?} {query:?} is not about the folder {:?}.",
                self.folder
            ))
        })
    }

    fn inside<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(&self.folder).filter(|name| !name.is_empty())
    }

    /// What an operation may do to an object of the folder.
    fn may(&self, method: &str, name: &str, operation: Operation) -> bool {
        let is_part = name.len() == 5 && name.bytes().all(|byte| byte.is_ascii_digit());
        let is_its_part = self.number.as_deref() == Some(name);
        let is_note = || name.starts_with("joined/") || name.starts_with("making/");
        match operation {
            Operation::UploadPart | Operation::UploadPartCopy => {
                is_its_part && matches!(method, "PUT" | "DELETE")
            }
            Operation::CompleteMultipartUpload => is_part && method == "GET" || is_note() && method == "PUT",
            _ => false,
        }
    }

    fn lists(&self, request: &OriginRequest, operation: Operation) -> bool {
        let mut pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
        let is_of_folder =
            |value: &str| decoded(value).is_some_and(|value| value.starts_with(self.folder.as_bytes()));
        let may = matches!(
            operation,
            Operation::CompleteMultipartUpload | Operation::AbortMultipartUpload | Operation::ListParts
        );
        may && request.method == "GET"
            && request.query.contains("prefix=")
            && pairs.all(|(name, value)| match name {
                "max-keys" => value == "1000",
                "marker" => is_of_folder(value),
                "prefix" => decoded(value).as_deref() == Some(self.folder.as_bytes()),
                _ => false,
            })
    }

    fn deletes(&self, request: &OriginRequest, operation: Operation) -> bool {
        let OriginBody::Document(document) = &request.body else {
            return false;
        };
        let document = String::from_utf8_lossy(document);
        let mut keys = document.split("<Key>").skip(1);
        let may = matches!(
            operation,
            Operation::CompleteMultipartUpload | Operation::AbortMultipartUpload
        );
        may && request.method == "POST"
            && document.contains("<Key>")
            && keys.all(|key| {
                key.split("</Key>")
                    .next()
                    .and_then(|key| self.inside(key))
                    .is_some()
            })
    }

    /// Whether what a Complete copies is one of the parts that are staged here.
    pub(super) fn is_copied_by(&self, request: &OriginRequest) -> bool {
        let source = source(request).and_then(|source| core::str::from_utf8(source).ok());
        let source = source.and_then(|source| String::from_utf8(decoded(source)?).ok());
        let key = source.as_deref().and_then(|source| {
            source
                .strip_prefix('/')?
                .strip_prefix(&self.bucket)?
                .strip_prefix('/')
        });
        let name = key.and_then(|key| self.inside(key));
        name.is_some_and(|name| self.may("GET", name, Operation::CompleteMultipartUpload))
    }
}

/// What a request copies; `None` of one that does not.
pub(super) fn source(request: &OriginRequest) -> Option<&[u8]> {
    let mut headers = request.headers.iter();
    let found = headers.find(|(name, _)| name == ORIGIN_HEADERS_OF_COPIES[0]);
    found.map(|(_, value)| value.as_slice())
}

/// The requests that an operation makes of its own upload because some of its parts are staged.
pub(super) fn fits(operation: Operation, request: &[&str]) -> bool {
    operation == Operation::CompleteMultipartUpload && request == ["PUT", "partNumber", "uploadId"]
}
