//! The second role: which way does an authorised request go?
//!
//! Object bytes stream straight between device and S3. What S3 answers in XML goes through the response
//! handler, multipart initiation first of all: OSS SDKs choke on S3's namespace. So does an abort, so
//! that the stream's path needs no other right at S3 than to write objects. The router also says what may come as a body, before a byte of it is read.

use oss_s3::complete::MAX_PART_LIST_BYTES;
use oss_s3::error::{Fault, Refusal};
use oss_s3::operation::Operation;
use request_auth::{Occurrence, RequestHead};
use serde::Deserialize;

use crate::config::ConfigError;

/// Where a request goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// Straight to S3 and back; only headers are translated.
    Stream,
    /// Through the response handler, which translates documents.
    Document,
}

/// What becomes of the device's body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyRule {
    /// Object bytes: the platform's own stream is handed on, and its length has to be known, since
    /// S3 takes no chunked bodies.
    Stream,
    /// A document that the gateway reads, of at most this many bytes.
    Read {
        /// The limit in bytes.
        most: usize,
    },
    /// Object bytes of unstated length: none may come. An SDK sends an empty object as an empty
    /// chunked body; the first byte of another is answered `MissingContentLength`.
    Empty,
    /// None: whatever comes is not forwarded.
    Ignore,
}

/// Where the response handler is, for a router that runs apart from it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handler {
    /// The domain of its function URL.
    pub domain: String,
    /// The AWS region that it runs in.
    pub region: String,
}

impl Handler {
    /// Reads `{"domain": …, "region": …}`.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the field.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let fail = |what: String| ConfigError(["response handler: ", &what].concat());
        let handler: Self = serde_json::from_str(json).map_err(|error| fail(error.to_string()))?;
        let is_of = |text: &str, more: &[u8]| {
            let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || more.contains(&byte);
            !text.is_empty() && text.len() <= 253 && text.bytes().all(good)
        };
        if !is_of(&handler.domain, b"-.") {
            return Err(fail(
                "`domain` is no host name; take the one of the function URL".to_owned(),
            ));
        }
        if !is_of(&handler.region, b"-") {
            return Err(fail("`region` is no region, such as eu-west-1".to_owned()));
        }
        Ok(handler)
    }
}

/// The way of an operation.
pub fn route(operation: Operation) -> Route {
    match operation {
        Operation::PutObject | Operation::UploadPart => Route::Stream,
        Operation::InitiateMultipartUpload
        | Operation::CompleteMultipartUpload
        | Operation::AbortMultipartUpload
        | Operation::ListParts => Route::Document,
    }
}

/// The operation of a streamed request by what was sent to S3 for it: its method and query as
/// [`OriginRequest::new`](oss_s3::request::OriginRequest::new) writes them.
pub fn streamed(method: &str, query: &str) -> Option<Operation> {
    match (method, query) {
        ("PUT", "") => Some(Operation::PutObject),
        ("PUT", query) if query.starts_with("partNumber=") => Some(Operation::UploadPart),
        _ => None,
    }
}

/// The length of the body where the client stated it, as a plain decimal number.
pub fn content_length(head: &RequestHead<'_>) -> Option<u64> {
    let Occurrence::Once(value) = head.header("content-length") else {
        return None;
    };
    let is_decimal = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(value)
        .ok()
        .filter(|_| is_decimal)?
        .parse()
        .ok()
}

/// What an operation's body may be, judged from the stated length (`None`: no Content-Length).
///
/// # Errors
/// `EntityTooLarge` for a document that states more than is read.
pub fn body_rule(operation: Operation, content_length: Option<u64>) -> Result<BodyRule, Refusal> {
    match operation {
        Operation::PutObject | Operation::UploadPart => match content_length {
            Some(_) => Ok(BodyRule::Stream),
            None => Ok(BodyRule::Empty),
        },
        Operation::CompleteMultipartUpload => {
            let most = MAX_PART_LIST_BYTES;
            match content_length.map(usize::try_from) {
                Some(Ok(length)) if length <= most => Ok(BodyRule::Read { most }),
                None => Ok(BodyRule::Read { most }),
                Some(_) => Err(Fault::EntityTooLarge.into()),
            }
        }
        // One SDK initiates with an empty chunked body; it means nothing and goes nowhere.
        Operation::InitiateMultipartUpload | Operation::AbortMultipartUpload | Operation::ListParts => {
            Ok(BodyRule::Ignore)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_object_s_bytes_goes_through_the_handler() {
        let documents: Vec<_> = Operation::UPLOAD
            .into_iter()
            .filter(|op| route(*op) == Route::Document)
            .collect();
        assert_eq!(
            documents,
            [
                Operation::InitiateMultipartUpload,
                Operation::CompleteMultipartUpload,
                Operation::AbortMultipartUpload
            ]
        );
    }

    #[test]
    fn f11_object_bytes_without_a_length_may_only_be_none() {
        for operation in [Operation::PutObject, Operation::UploadPart] {
            assert_eq!(body_rule(operation, None).unwrap(), BodyRule::Empty);
            assert_eq!(body_rule(operation, Some(0)).unwrap(), BodyRule::Stream);
        }
        assert_eq!(
            body_rule(Operation::InitiateMultipartUpload, None).unwrap(),
            BodyRule::Ignore
        );
    }

    #[test]
    fn what_was_sent_to_s3_for_object_bytes_tells_the_operation() {
        for (method, query, operation) in [
            ("PUT", "", Some(Operation::PutObject)),
            ("PUT", "partNumber=7&uploadId=U", Some(Operation::UploadPart)),
            ("PUT", "acl", None),
            ("POST", "", None),
            ("GET", "", None),
        ] {
            assert_eq!(streamed(method, query), operation, "{method} {query}");
        }
    }

    #[test]
    fn a_handler_has_a_domain_and_a_region() {
        let handler = |domain: &str, region: &str| {
            Handler::from_json(&format!(r#"{{"domain":"{domain}","region":"{region}"}}"#))
        };
        assert!(handler("abc.lambda-url.eu-west-1.on.aws", "eu-west-1").is_ok());
        for (domain, region) in [
            ("", "r"),
            ("https://h", "r"),
            ("h:443", "r"),
            ("H", "r"),
            ("h", ""),
            ("h", "r/s"),
        ] {
            assert!(handler(domain, region).is_err(), "{domain} {region}");
        }
        assert!(Handler::from_json("{}").is_err());
    }

    #[test]
    fn a_part_list_is_bounded_before_it_is_read() {
        let most = MAX_PART_LIST_BYTES;
        assert_eq!(
            body_rule(Operation::CompleteMultipartUpload, None).unwrap(),
            BodyRule::Read { most }
        );
        let over = body_rule(Operation::CompleteMultipartUpload, Some(most as u64 + 1));
        assert_eq!(over.unwrap_err().code(), "EntityTooLarge");
    }
}
