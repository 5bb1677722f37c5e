//! Answers to copies: what S3 says of the new object or part, in the client's words.
//!
//! OSS's SDKs are of two minds about the ETag: some read the document, oss2 the header alone. S3 begins to
//! answer before a copy is done, so an error may stand in a success (attack case X04).

use request_auth::Dialect;

use super::{CHECKSUM_TYPE, OriginAnswer, Subject, origin_error, read_document, unreadable, with_headers};
use crate::answer::{Answer, Asked};
use crate::error::Refusal;
use crate::operation::Operation;
use crate::parts::{CHECKSUMS, read_etag, whole_seconds};
use crate::xml::Document;

/// The root of what is said of a part.
const PART: &str = "CopyPartResult";

/// The answer to a CopyObject or an UploadPartCopy.
pub(super) fn copied(
    origin: &OriginAnswer,
    subject: &Subject<'_>,
    asked: &Asked<'_>,
) -> Result<Answer, Refusal> {
    if let Some(error) = origin_error::in_success(origin, subject.sent) {
        return Err(error);
    }
    let root = match subject.sent.operation {
        Operation::CopyObject => "CopyObjectResult",
        _ => PART,
    };
    let text = |name| {
        let mut text = None;
        read_document(&origin.body, &[root, name], &mut text)?;
        Ok::<_, Refusal>(text)
    };
    let (etag, moment) = (text("ETag")?, text("LastModified")?);
    let etag = etag.as_deref().and_then(read_etag);
    let moment = moment.and_then(|moment| whole_seconds(moment.trim()));
    let (Some(etag), Some(moment)) = (etag, moment) else {
        return Err(unreadable(
            "The origin's answer to a copy has no usable ETag or no date.",
        ));
    };
    let answer = with_headers(Answer::new(200, asked), origin, subject.bucket, asked);
    let (answer, mut document) = told(root, &moment, etag, answer, asked);
    if asked.dialect == Dialect::S3 {
        for name in CHECKSUMS.into_iter().chain([CHECKSUM_TYPE]) {
            document.leaf(name, text(name)?.unwrap_or_default().trim());
        }
    }
    Ok(answer.with_document(document.finish()))
}

/// The answer to an OSS client's UploadPartCopy whose part is [staged](crate::request::OriginRequest::stage_copy):
/// the ETag of what was stored, without quotes, and the version of the source that was read.
pub fn copy_staged(etag: &str, version: Option<Vec<u8>>, asked: &Asked<'_>) -> Answer {
    let mut answer = Answer::new(200, asked);
    if let Some(version) = version {
        answer.push("x-oss-copy-source-version-id", version);
    }
    let (answer, document) = told(PART, &asked.now.iso_extended(), etag, answer, asked);
    answer.with_document(document.finish())
}

/// The answer with its ETag, and its document, to which nothing is added for an OSS client.
fn told(
    root: &'static str,
    moment: &str,
    etag: &str,
    mut answer: Answer,
    asked: &Asked<'_>,
) -> (Answer, Document) {
    let quoted = ["\"", etag, "\""].concat();
    let mut document = Document::of_result(root, asked.dialect);
    document.leaf("LastModified", moment);
    document.leaf("ETag", &quoted);
    if asked.dialect == Dialect::Oss {
        answer.headers.retain(|(name, _)| name != "etag");
        answer.push("etag", quoted);
    }
    (answer, document)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{origin, told};
    use super::super::{OriginAnswer, Subject, translate};
    use crate::answer::Answer;
    use crate::answer::tests::asked_of_s3;
    use crate::device::{Request, seals};
    use crate::error::Refusal;

    const NS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

    fn oss(query: &str) -> Request {
        Request::new("PUT", &["/devices/k", query].concat()).header("x-oss-copy-source", "/devices/a")
    }

    fn s3(query: &str, answer: &OriginAnswer) -> Result<Answer, Refusal> {
        let request = Request::new("PUT", &["/devices/k", query].concat())
            .header("x-amz-copy-source", "/devices/a")
            .signed_by_s3(&[]);
        request.authorized("", |authorized| {
            let errand = authorized.errand(&seals()).unwrap();
            translate(
                answer,
                &Subject::of(&errand),
                &asked_of_s3("PUT", "h", "/devices/k"),
            )
        })
    }

    fn body(answer: &Answer) -> &str {
        core::str::from_utf8(&answer.body).unwrap()
    }

    #[test]
    fn an_oss_client_is_told_the_etag_in_document_and_header() {
        for (query, root) in [
            ("", "CopyObjectResult"),
            ("?partNumber=1&uploadId=U", "CopyPartResult"),
        ] {
            // As S3 writes it, and as SeaweedFS does.
            for (etag, namespace, moment) in [
                ("&quot;e&quot;", NS, "2026-11-21T12:34:56.000Z"),
                ("e", "", "2026-11-21T12:34:56.789Z"),
            ] {
                let document = format!(
                    " \n<?xml version=\"1.0\"?>\n<{root} {namespace}><LastModified>{moment}</LastModified><ETag>{etag}</ETag>\
                     <ChecksumCRC32>AAAAAA==</ChecksumCRC32></{root}>"
                );
                let headers = [
                    ("etag", "\"other\""),
                    ("x-amz-copy-source-version-id", "s"),
                    ("x-amz-version-id", "v"),
                    ("x-amz-server-side-encryption", "AES256"),
                ];
                let answer = told(&oss(query), &origin(200, &headers, &document)).unwrap();
                assert_eq!(
                    body(&answer),
                    format!(
                        "{HEAD}<{root}><LastModified>2026-11-21T12:34:56.000Z</LastModified><ETag>\"e\"</ETag></{root}>"
                    )
                );
                let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_ref()).collect();
                assert_eq!(
                    names,
                    [
                        "x-oss-request-id",
                        "date",
                        "x-oss-copy-source-version-id",
                        "x-oss-version-id",
                        "x-oss-server-side-encryption",
                        "etag",
                        "content-type"
                    ]
                );
                assert_eq!(answer.header("etag"), Some(b"\"e\"".as_slice()));
            }
        }
    }

    #[test]
    fn an_s3_client_is_told_in_s3_s_namespace_and_with_checksums() {
        let document = format!(
            "<CopyObjectResult {NS}><ETag>\"e-2\"</ETag><LastModified>2026-11-21T12:34:56.000Z</LastModified>\
             <ChecksumType>FULL_OBJECT</ChecksumType><ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME></CopyObjectResult>"
        );
        let answer = s3(
            "",
            &origin(200, &[("x-amz-copy-source-version-id", "s")], &document),
        )
        .unwrap();
        assert_eq!(
            body(&answer),
            format!(
                "{HEAD}<CopyObjectResult {NS}><LastModified>2026-11-21T12:34:56.000Z</LastModified><ETag>\"e-2\"</ETag>\
                 <ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType></CopyObjectResult>"
            )
        );
        assert_eq!(
            answer.header("x-amz-copy-source-version-id"),
            Some(b"s".as_slice())
        );
    }

    #[test]
    fn x04_an_error_in_a_success_is_an_error_with_its_true_status() {
        for space in ["", " \n\n  "] {
            for (code, status, told_as) in [
                ("InternalError", 500, "InternalError"),
                ("SlowDown", 503, "ServiceUnavailable"),
                ("NoSuchKey", 404, "NoSuchKey"),
                ("PreconditionFailed", 412, "PreconditionFailed"),
            ] {
                let document = format!(
                    "{space}<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>"
                );
                for query in ["", "?partNumber=1&uploadId=U"] {
                    let refusal = told(&oss(query), &origin(200, &[], &document)).unwrap_err();
                    assert_eq!((refusal.status(), refusal.code()), (status, told_as));
                    let refusal = s3(query, &origin(200, &[], &document)).unwrap_err();
                    assert_eq!(refusal.status(), status);
                }
            }
        }
    }

    #[test]
    fn an_answer_that_does_not_say_what_was_copied_is_no_success() {
        for document in [
            "",
            " ",
            "<CopyObjectResult/>",
            "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>",
            "<CopyObjectResult><LastModified>2026-11-21T12:34:56.000Z</LastModified></CopyObjectResult>",
            "<CopyObjectResult><ETag>\"e\"</ETag><LastModified>today</LastModified></CopyObjectResult>",
            "<CopyPartResult><ETag>\"e\"</ETag><LastModified>2026-11-21T12:34:56.000Z</LastModified></CopyPartResult>",
            "<CopyObjectResult><ETag>\"e\"</ETag><LastModified>2026-11-21T12:34:56.000Z</LastModified>",
        ] {
            let refusal = told(&oss(""), &origin(200, &[("etag", "\"e\"")], document)).unwrap_err();
            assert_eq!(
                (refusal.status(), refusal.code()),
                (500, "InternalError"),
                "{document}"
            );
        }
    }

    #[test]
    fn a_copy_that_may_replace_nothing_is_told_so_unless_a_condition_of_the_source_may_be_meant() {
        let document = "<Error><Code>PreconditionFailed</Code><Message>m</Message></Error>";
        let refused = |request: &Request| {
            let refusal = told(request, &origin(412, &[], document)).unwrap_err();
            (refusal.status(), refusal.code())
        };
        let forbids = || oss("").header("x-oss-forbid-overwrite", "true");
        assert_eq!(refused(&forbids()), (409, "FileAlreadyExists"));
        assert_eq!(
            refused(&forbids().header("x-oss-copy-source-if-match", "\"e\"")),
            (412, "PreconditionFailed")
        );
        assert_eq!(refused(&oss("")), (412, "PreconditionFailed"));
    }

    #[test]
    fn a_source_that_the_origin_does_not_show_is_missing_or_the_operator_s_business() {
        let document = "<Error><Code>AccessDenied</Code><Message>m</Message></Error>";
        let refusal = told(&oss(""), &origin(403, &[], document)).unwrap_err();
        assert_eq!((refusal.status(), refusal.code()), (403, "AccessDenied"));
        let document = "<Error><Code>NoSuchKey</Code><Message>m</Message></Error>";
        let refusal = told(&oss(""), &origin(404, &[], document)).unwrap_err();
        assert_eq!((refusal.status(), refusal.code()), (404, "NoSuchKey"));
    }
}
