//! The second role: which way does an authorised request go?
//!
//! Object bytes stream straight between device and S3. What S3 answers in XML goes through the response
//! handler, multipart initiation first of all: OSS SDKs choke on S3's namespace. So does an abort, so
//! that the stream's path needs no other right at S3 than to write objects. The router also says what may come as a body, before a byte of it is read.

use oss_s3::error::{Fault, Refusal};
use oss_s3::operation::{Content, Operation};
use oss_s3::request::{Authorized, CLIENT_MARK};
use oss_s3::response::Sent;
use request_auth::{Dialect, Occurrence, Payload, RequestHead};

use crate::config::cloudfront::{DirectPath, is_region};

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
    /// Object bytes of unstated length from an OSS client, whose SDKs send such: they are read in
    /// [`blocks`](crate::blocks) where the platform can, else answered `MissingContentLength`.
    Blocks,
    /// Object bytes of unstated length from an S3 client: none may come, as at S3. The first byte is answered
    /// `MissingContentLength`.
    Empty,
    /// None: whatever comes is not forwarded.
    Ignore,
}

/// Where the response handler is, for a router that runs apart from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handler<'a> {
    /// The domain of its function URL.
    pub domain: &'a str,
    /// The AWS region that it runs in.
    pub region: &'a str,
}

impl<'a> Handler<'a> {
    /// Reads the domain of a function URL, `{id}.lambda-url.{region}.on.aws`; `None` for any other.
    pub fn from_domain(domain: &'a str) -> Option<Self> {
        let (id, rest) = domain.split_once('.')?;
        let region = rest.strip_prefix("lambda-url.")?.strip_suffix(".on.aws")?;
        let good_id = (1..=63).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        (good_id && is_region(region)).then_some(Self { domain, region })
    }
}

/// The way of an operation.
pub fn route(operation: Operation) -> Route {
    if operation.streams() {
        Route::Stream
    } else {
        Route::Document
    }
}

/// The dialect of the device by the query that was sent to S3 for a streamed request of its.
pub fn dialect_of_streamed(query: &str) -> Dialect {
    match query.split('&').any(|pair| pair.starts_with(CLIENT_MARK)) {
        true => Dialect::S3,
        false => Dialect::Oss,
    }
}

/// What a streamed request was, by what was sent to S3 for it: its method and query as
/// [`OriginRequest::new`](oss_s3::request::OriginRequest::new) writes them, and whether it had an
/// If-None-Match and an If-Match.
pub fn streamed(method: &str, query: &str, [none_match, matches]: [bool; 2]) -> Option<Sent> {
    let is_plain = query.is_empty() || query.starts_with(CLIENT_MARK);
    let selects = || {
        ["partNumber=", "response-", "versionId="]
            .iter()
            .any(|name| query.starts_with(name))
    };
    let operation = match method {
        "PUT" if is_plain => Operation::PutObject,
        "PUT" if query.starts_with("partNumber=") => Operation::UploadPart,
        "GET" if is_plain || selects() => Operation::GetObject,
        "HEAD" if is_plain || selects() => Operation::HeadObject,
        _ => return None,
    };
    Some(Sent {
        operation,
        forbids_overwrite: none_match && !operation.reads(),
        expects_object: matches && !operation.reads(),
        names_version: query.split('&').any(|pair| pair.starts_with("versionId=")),
    })
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

/// Refuses a body of unstated length that comes in anything but chunks. With a coding beside them it can't be known
/// what of it would be stored.
///
/// # Errors
/// `MissingContentLength`.
pub fn check_chunked(head: &RequestHead<'_>) -> Result<(), Refusal> {
    match head.header("transfer-encoding") {
        // HTTP/2 has no such header.
        Occurrence::Absent => Ok(()),
        Occurrence::Once(value) if value.eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Fault::LengthMissing.into()),
    }
}

/// What the body of an authorised request may be: as [`body_rule`], but a framed one needs no stated
/// length. One with signed chunks is taken apart on its way, by the request's
/// [`unframer`](Authorized::unframer).
///
/// # Errors
/// As [`body_rule`], and `EntityTooLarge` for object bytes that are [too many](Authorized::check_size).
pub fn body_rule_of(authorized: &Authorized<'_>, content_length: Option<u64>) -> Result<BodyRule, Refusal> {
    authorized.check_size(content_length)?;
    match authorized.payload() {
        // The length of the frame is no matter: that of the content is signed.
        Payload::StreamingUnsignedTrailer | Payload::StreamingSigned(_) => Ok(BodyRule::Stream),
        Payload::Unsigned | Payload::Digest(_) => {
            let rule = body_rule(authorized.call().operation(), content_length)?;
            Ok(match (rule, authorized.dialect()) {
                (BodyRule::Empty, Dialect::Oss) => BodyRule::Blocks,
                (rule, _) => rule,
            })
        }
    }
}

/// Refuses an upload whose body is bound in a way that this distribution can't hand on: where CloudFront
/// signs for S3, it signs no body.
///
/// # Errors
/// `NotImplemented`, which names what to do.
pub fn check_direct_path(authorized: &Authorized<'_>, path: DirectPath) -> Result<(), Refusal> {
    let is_upload = matches!(
        authorized.call().operation(),
        Operation::PutObject | Operation::UploadPart
    );
    match (authorized.payload(), path) {
        (Payload::StreamingSigned(_), _) => Err(Fault::ChunksSigned.into()),
        (Payload::Digest(_) | Payload::StreamingUnsignedTrailer, DirectPath::Oac) if is_upload => {
            Err(Fault::BodyBound.into())
        }
        _ => Ok(()),
    }
}

/// What an operation's body may be, judged from the stated length (`None`: no Content-Length).
///
/// # Errors
/// `EntityTooLarge` for a document that states more than is read.
pub fn body_rule(operation: Operation, content_length: Option<u64>) -> Result<BodyRule, Refusal> {
    match operation.content() {
        // A form's file is in a body of its own rules, see `form`; what is sent of it has a length.
        Content::Object => match content_length {
            Some(_) => Ok(BodyRule::Stream),
            None => Ok(BodyRule::Empty),
        },
        Content::Document(most) => match content_length.map(usize::try_from) {
            Some(Ok(length)) if length <= most => Ok(BodyRule::Read { most }),
            None => Ok(BodyRule::Read { most }),
            Some(_) => Err(Fault::EntityTooLarge.into()),
        },
        // One SDK initiates with an empty chunked body; it means nothing and goes nowhere.
        Content::None => Ok(BodyRule::Ignore),
    }
}

#[cfg(test)]
mod tests {
    use oss_s3::complete::MAX_PART_LIST_BYTES;
    use request_auth::Delivery;

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
    fn f11_object_bytes_without_a_length_may_only_be_none_unless_they_are_an_oss_client_s() {
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
    fn n03_a_body_of_unstated_length_comes_in_plain_chunks() {
        let checked = |value: Option<&str>| {
            let lines = value.map(|value| ("transfer-encoding".as_bytes(), value.as_bytes()));
            let lines = [("host".as_bytes(), "h".as_bytes())].into_iter().chain(lines);
            let head = RequestHead::new("PUT", b"/k", lines, Delivery::Joined).unwrap();
            check_chunked(&head).is_ok()
        };
        for value in [None, Some("chunked"), Some("Chunked")] {
            assert!(checked(value), "{value:?}");
        }
        for value in [
            "",
            "chunked, chunked",
            "identity, chunked",
            "gzip, chunked",
            "chunked, gzip",
            "xchunked",
        ] {
            assert!(!checked(Some(value)), "{value}");
        }
    }

    #[test]
    fn what_was_sent_to_s3_for_object_bytes_tells_the_operation() {
        for (method, query, operation, names_version) in [
            ("PUT", "", Some(Operation::PutObject), false),
            (
                "PUT",
                "partNumber=7&uploadId=U",
                Some(Operation::UploadPart),
                false,
            ),
            ("PUT", "x-id=PutObject", Some(Operation::PutObject), false),
            (
                "PUT",
                "partNumber=7&uploadId=U&x-id=UploadPart",
                Some(Operation::UploadPart),
                false,
            ),
            ("GET", "x-id=GetObject", Some(Operation::GetObject), false),
            (
                "HEAD",
                "versionId=v&x-id=HeadObject",
                Some(Operation::HeadObject),
                true,
            ),
            ("PUT", "acl", None, false),
            ("POST", "", None, false),
            ("DELETE", "", None, false),
            ("GET", "", Some(Operation::GetObject), false),
            ("GET", "partNumber=7", Some(Operation::GetObject), false),
            ("GET", "acl", None, false),
            ("GET", "list-type=2", None, false),
            ("HEAD", "uploadId=U", None, false),
            (
                "GET",
                "response-expires=a&versionId=v",
                Some(Operation::GetObject),
                true,
            ),
            (
                "GET",
                "response-expires=versionId%3Dv",
                Some(Operation::GetObject),
                false,
            ),
            ("HEAD", "versionId=v", Some(Operation::HeadObject), true),
        ] {
            let sent = streamed(method, query, [true; 2]);
            assert_eq!(sent.map(|sent| sent.operation), operation, "{method} {query}");
            assert_eq!(
                sent.is_some_and(|sent| sent.names_version),
                names_version,
                "{query}"
            );
            // A read's condition keeps nothing from being replaced.
            let is_write = method == "PUT" && operation.is_some();
            let told = sent.map(|sent| (sent.forbids_overwrite, sent.expects_object));
            assert_eq!(told.unwrap_or_default(), (is_write, is_write));
        }
    }

    #[test]
    fn what_was_sent_to_s3_for_object_bytes_tells_the_dialect() {
        for (query, dialect) in [
            ("", Dialect::Oss),
            ("partNumber=7&uploadId=U", Dialect::Oss),
            ("partNumber=7&uploadId=x-id%3D", Dialect::Oss),
            ("x-id=PutObject", Dialect::S3),
            ("partNumber=7&uploadId=U&x-id=UploadPart", Dialect::S3),
        ] {
            assert_eq!(dialect_of_streamed(query), dialect, "{query}");
        }
    }

    #[test]
    fn a_handler_is_known_by_the_domain_of_its_function_url_and_by_no_other() {
        let domain = "abc123.lambda-url.ap-southeast-2.on.aws";
        let region = "ap-southeast-2";
        assert_eq!(Handler::from_domain(domain), Some(Handler { domain, region }));
        for domain in [
            "",
            "abc.example.com",
            "https://abc.lambda-url.eu-west-1.on.aws",
            "abc.lambda-url.eu-west-1.on.aws:443",
            "abc.lambda-url.eu-west-1.on.aws/",
            "abc.lambda-url.eu-west-1.on.aws.evil.example",
            "evil.example/abc.lambda-url.eu-west-1.on.aws",
            "a.b.lambda-url.eu-west-1.on.aws",
            "a-b.lambda-url.eu-west-1.on.aws",
            "ABC.lambda-url.eu-west-1.on.aws",
            ".lambda-url.eu-west-1.on.aws",
            "abc.lambda-url..on.aws",
            "abc.lambda-url.eu.west.on.aws",
            "abc.lambda-url.eu_west.on.aws",
            "abc.lambda-url.a.lambda-url.eu-west-1.on.aws",
        ] {
            assert_eq!(Handler::from_domain(domain), None, "{domain}");
        }
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
