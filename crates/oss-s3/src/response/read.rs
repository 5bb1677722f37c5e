//! The heads of answers to reads.
//!
//! The bytes of an object stream past, so the head is all that is translated. OSS says of every object
//! what type and storage class it has, where S3 is silent about the usual ones. "Not modified" is an
//! answer and no error: SDKs know it by its status alone, and some by the absence of a document.

use request_auth::Dialect;

use super::{OriginAnswer, Sent, unreadable, with_headers_of};
use crate::addressing::VirtualBucket;
use crate::answer::{Answer, Asked};
use crate::error::Refusal;
use crate::headers::AnswerOf;

const NOT_MODIFIED: u16 = 304;

/// Whether the origin did what it was asked.
pub(super) fn is_answer(origin: &OriginAnswer, sent: Sent) -> bool {
    origin.is_success() || (sent.operation.reads() && origin.status == NOT_MODIFIED)
}

/// The answer that describes an object, with the origin's status.
pub(super) fn described(
    origin: &OriginAnswer,
    bucket: &VirtualBucket,
    asked: &Asked<'_>,
) -> Result<Answer, Refusal> {
    if !matches!(origin.status, 200 | 206 | NOT_MODIFIED) {
        return Err(unreadable(
            "The origin's answer to a read has a status that no read has.",
        ));
    }
    let answer = Answer::new(origin.status, asked);
    let mut answer = with_headers_of(answer, origin, AnswerOf::Object, bucket, asked);
    if origin.status == NOT_MODIFIED {
        // It would be the length of a body that this answer does not have.
        answer.headers.retain(|(name, _)| name != "content-length");
        return Ok(answer);
    }
    if asked.dialect == Dialect::S3 {
        return Ok(answer);
    }
    let etag = origin.header("etag").unwrap_or_default();
    answer.push("x-oss-object-type", object_type(etag));
    if answer.header("x-oss-storage-class").is_none() {
        answer.push("x-oss-storage-class", "Standard");
    }
    Ok(answer)
}

/// OSS's type of an object: the ETag of one of parts ends in their number.
pub(super) fn object_type(etag: &[u8]) -> &'static str {
    if etag.contains(&b'-') {
        "Multipart"
    } else {
        "Normal"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{origin, told};
    use super::super::{Operation, translate_head};
    use super::*;
    use crate::answer::tests::asked;
    use crate::device::{self, Request};

    const DOCUMENT: &str = "<Error><Code>CODE</Code><Message>m</Message></Error>";

    fn read(method: &str) -> Request {
        Request::new(method, "/devices/k")
    }

    fn of_version(method: &str) -> Request {
        Request::new(method, "/devices/k?versionId=v")
    }

    fn names(answer: &Answer) -> Vec<&str> {
        answer.headers.iter().map(|(name, _)| name.as_ref()).collect()
    }

    #[test]
    fn an_object_is_described_in_osss_words_and_by_nothing_of_s3s_own() {
        let s3 = origin(
            206,
            &[
                ("etag", "\"e\""),
                ("last-modified", "Wed, 01 May 2024 12:34:56 GMT"),
                ("content-type", "text/plain"),
                ("content-length", "5"),
                ("content-range", "bytes 0-4/9"),
                ("content-encoding", "gzip"),
                ("content-disposition", "inline"),
                ("content-language", "de"),
                ("cache-control", "no-store"),
                ("expires", "never"),
                ("accept-ranges", "bytes"),
                ("x-amz-meta-name", "=?UTF-8?B?5Lit?="),
                ("x-amz-version-id", "v"),
                ("x-amz-storage-class", "STANDARD_IA"),
                ("x-amz-server-side-encryption", "aws:kms"),
                (
                    "x-amz-server-side-encryption-aws-kms-key-id",
                    "arn:aws:kms:eu-west-1:1:key/k1",
                ),
                ("x-amz-tagging-count", "2"),
                ("x-amz-restore", "ongoing-request=\"true\""),
                ("x-amz-id-2", "secret"),
                ("x-amz-request-id", "S3ID"),
                ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="),
                ("x-amz-mp-parts-count", "3"),
                ("server", "AmazonS3"),
                ("seaweed-a", "1"),
            ],
            "",
        );
        for method in ["GET", "HEAD"] {
            let answer = told(&read(method), &s3).unwrap();
            assert_eq!((answer.status, answer.body.len()), (206, 0));
            assert_eq!(
                names(&answer),
                [
                    "x-oss-request-id",
                    "date",
                    "etag",
                    "last-modified",
                    "content-type",
                    "content-length",
                    "content-range",
                    "content-encoding",
                    "content-disposition",
                    "content-language",
                    "cache-control",
                    "expires",
                    "accept-ranges",
                    "x-oss-meta-name",
                    "x-oss-version-id",
                    "x-oss-storage-class",
                    "x-oss-server-side-encryption",
                    "x-oss-server-side-encryption-key-id",
                    "x-oss-tagging-count",
                    "x-oss-restore",
                    "x-oss-object-type",
                ]
            );
            assert_eq!(answer.header("x-oss-meta-name"), Some("\u{4e2d}".as_bytes()));
            assert_eq!(answer.header("x-oss-storage-class"), Some(b"IA".as_slice()));
        }
    }

    #[test]
    fn type_and_storage_class_are_always_told() {
        for (etag, kind) in [
            ("\"0cc175b9c0f1b6a831c399e269772661\"", "Normal"),
            ("\"0cc1-12\"", "Multipart"),
        ] {
            let answer = told(&read("HEAD"), &origin(200, &[("etag", etag)], "")).unwrap();
            assert_eq!(answer.header("x-oss-object-type"), Some(kind.as_bytes()));
            assert_eq!(answer.header("x-oss-storage-class"), Some(b"Standard".as_slice()));
            assert_eq!(answer.header("x-oss-hash-crc64ecma"), None);
        }
    }

    #[test]
    fn not_modified_is_an_answer_without_a_document_or_a_length() {
        let s3 = origin(304, &[("etag", "\"e\""), ("content-length", "9")], "");
        for method in ["GET", "HEAD"] {
            let answer = told(&read(method), &s3).unwrap();
            assert_eq!(names(&answer), ["x-oss-request-id", "date", "etag"]);
            assert_eq!((answer.status, answer.body.len()), (304, 0));
        }
        let put = told(&Request::new("PUT", "/devices/k"), &s3).unwrap_err();
        assert_eq!((put.status(), put.code()), (500, "InternalError"));
    }

    #[test]
    fn an_error_of_a_read_is_told_by_its_document_or_by_its_status_alone() {
        for (status, code, told_of_key, told_of_version) in [
            (404, "", (404, "NoSuchKey"), (404, "NoSuchVersion")),
            (404, "NoSuchKey", (404, "NoSuchKey"), (404, "NoSuchKey")),
            (
                404,
                "NoSuchVersion",
                (404, "NoSuchVersion"),
                (404, "NoSuchVersion"),
            ),
            (404, "NoSuchBucket", (404, "NoSuchBucket"), (404, "NoSuchBucket")),
            (405, "", (405, "MethodNotAllowed"), (405, "MethodNotAllowed")),
            (
                405,
                "MethodNotAllowed",
                (405, "MethodNotAllowed"),
                (405, "MethodNotAllowed"),
            ),
            (412, "", (412, "PreconditionFailed"), (412, "PreconditionFailed")),
            (
                412,
                "PreconditionFailed",
                (412, "PreconditionFailed"),
                (412, "PreconditionFailed"),
            ),
            (416, "", (416, "InvalidRange"), (416, "InvalidRange")),
            (416, "InvalidRange", (416, "InvalidRange"), (416, "InvalidRange")),
            (403, "", (403, "AccessDenied"), (403, "AccessDenied")),
            (403, "AccessDenied", (403, "AccessDenied"), (403, "AccessDenied")),
            (
                403,
                "InvalidObjectState",
                (403, "InvalidObjectState"),
                (403, "InvalidObjectState"),
            ),
            // O20: what S3 says of the gateway's own credentials.
            (
                403,
                "SignatureDoesNotMatch",
                (500, "InternalError"),
                (500, "InternalError"),
            ),
            (
                403,
                "RequestTimeTooSkewed",
                (500, "InternalError"),
                (500, "InternalError"),
            ),
            (400, "", (400, "InvalidArgument"), (400, "InvalidArgument")),
            (
                400,
                "InvalidArgument",
                (400, "InvalidArgument"),
                (400, "InvalidArgument"),
            ),
            (
                301,
                "PermanentRedirect",
                (500, "InternalError"),
                (500, "InternalError"),
            ),
            (
                503,
                "SlowDown",
                (503, "ServiceUnavailable"),
                (503, "ServiceUnavailable"),
            ),
            (500, "", (500, "InternalError"), (500, "InternalError")),
        ] {
            let document = if code.is_empty() {
                String::new()
            } else {
                DOCUMENT.replace("CODE", code)
            };
            let s3 = origin(status, &[], &document);
            for (method, operation) in [("GET", Operation::GetObject), ("HEAD", Operation::HeadObject)] {
                let of = |request: &Request| {
                    let refusal = told(request, &s3).unwrap_err();
                    (refusal.status(), refusal.code())
                };
                assert_eq!(of(&read(method)), told_of_key, "{method} {status} {code}");
                assert_eq!(
                    of(&of_version(method)),
                    told_of_version,
                    "{method} {status} {code}"
                );
                // Where the body is not shown, the code may stand in a header.
                let head = origin(status, &[("x-amz-error-code", code)], "");
                for (names_version, expected) in [(false, told_of_key), (true, told_of_version)] {
                    let sent = Sent {
                        operation,
                        forbids_overwrite: false,
                        names_version,
                        expects_object: false,
                    };
                    let refusal = translate_head(
                        &head,
                        sent,
                        sent.operation,
                        &device::bucket(),
                        &asked(method, "", ""),
                    );
                    let refusal = refusal.unwrap_err();
                    assert_eq!(
                        (refusal.status(), refusal.code()),
                        expected,
                        "{method} {status} {code}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_condition_of_a_read_that_fails_is_no_object_that_exists_already() {
        let request = read("GET").header("if-none-match", "*");
        let refusal = told(&request, &origin(412, &[], "")).unwrap_err();
        assert_eq!(refusal.code(), "PreconditionFailed");
    }

    #[test]
    fn a_success_that_no_read_has_is_no_answer() {
        for status in [201, 202, 204, 299] {
            assert_eq!(
                told(&read("GET"), &origin(status, &[], "")).unwrap_err().status(),
                500,
                "{status}"
            );
        }
    }

    #[test]
    fn where_the_body_is_not_shown_the_head_is_described_likewise() {
        let s3 = origin(200, &[("etag", "\"e\""), ("x-amz-meta-a", "1")], "");
        let sent = Sent {
            operation: Operation::GetObject,
            forbids_overwrite: false,
            names_version: false,
            expects_object: false,
        };
        let answer = translate_head(
            &s3,
            sent,
            sent.operation,
            &device::bucket(),
            &asked("GET", "", ""),
        )
        .unwrap();
        assert_eq!(
            names(&answer),
            [
                "x-oss-request-id",
                "date",
                "etag",
                "x-oss-meta-a",
                "x-oss-object-type",
                "x-oss-storage-class"
            ]
        );
    }
}
