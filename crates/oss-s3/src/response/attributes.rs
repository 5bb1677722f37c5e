//! Answers about what an object has beside its bytes.
//!
//! Their documents are read into values and written anew. An object without tags has an empty set of them,
//! whatever the origin calls that; in a bucket where every object is private, a HEAD that succeeded is all
//! that S3 was asked.

use super::{OriginAnswer, Subject, unreadable, with_headers};
use crate::acl::Acl;
use crate::addressing::AclRule;
use crate::answer::{Answer, Asked};
use crate::error::Refusal;
use crate::operation::Operation;
use crate::tags::TagSet;

/// More tags than any origin has for an object.
const MOST_TAGS: u16 = 1000;

/// The answer to a success.
pub(super) fn told(
    origin: &OriginAnswer,
    subject: &Subject<'_>,
    asked: &Asked<'_>,
) -> Result<Answer, Refusal> {
    let (status, document) = match subject.sent.operation {
        Operation::GetObjectTagging => {
            let tags = TagSet::from_document(&origin.body, MOST_TAGS)
                .map_err(|_| unreadable("The origin's set of tags could not be read."))?;
            (200, tags.to_document(asked.dialect))
        }
        Operation::GetObjectAcl => {
            let acl = match subject.bucket.acl {
                AclRule::Private => Acl::default(),
                AclRule::Pass => Acl::from_origin(&origin.body)
                    .map_err(|_| unreadable("The origin's list of grants could not be read."))?,
            };
            (200, acl.to_document(asked.dialect))
        }
        // OSS's SDKs for Node and Go insist on it.
        Operation::DeleteObjectTagging => (204, String::new()),
        // 202 is under way, 200 is there already.
        Operation::RestoreObject if origin.status == 202 => (202, String::new()),
        _ => (200, String::new()),
    };
    let mut answer = with_headers(Answer::new(status, asked), origin, subject.bucket, asked);
    // It would be the object's, where the origin was asked for its head.
    answer.headers.retain(|(name, _)| name != "etag");
    Ok(match document.as_str() {
        "" => answer,
        _ => answer.with_document(document),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{origin, told};
    use super::super::{Subject, translate};
    use crate::addressing::{AclRule, VirtualBucket};
    use crate::answer::Answer;
    use crate::answer::tests::asked_of_s3;
    use crate::device::{self, Request, seals};
    use crate::error::{Fault, Refusal};
    use crate::response::OriginAnswer;

    const S3: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

    fn told_to_s3(request: Request, origin: &OriginAnswer) -> Result<Answer, Refusal> {
        request.signed_by_s3(&[]).authorized("fleet/AK/", |authorized| {
            let errand = authorized.errand(&seals()).unwrap();
            translate(
                origin,
                &Subject::of(&errand),
                &asked_of_s3("GET", "h", "/devices/k"),
            )
        })
    }

    fn passing_acls() -> VirtualBucket {
        VirtualBucket {
            acl: AclRule::Pass,
            ..device::bucket()
        }
    }

    fn body(answer: &Answer) -> &str {
        let text = core::str::from_utf8(&answer.body).unwrap();
        text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
            .unwrap_or(text)
    }

    fn names(answer: &Answer) -> Vec<&str> {
        answer.headers.iter().map(|(name, _)| name.as_ref()).collect()
    }

    fn put_acl() -> Request {
        Request::new("PUT", "/devices/k?acl").header("x-oss-object-acl", "private")
    }

    #[test]
    fn tags_are_told_in_either_dialect_and_none_are_an_empty_set() {
        let get = || Request::new("GET", "/devices/k?tagging");
        for tags in [
            "<TagSet><Tag><Key>k</Key><Value>v &amp;</Value></Tag></TagSet>",
            "<TagSet></TagSet>",
        ] {
            let document = format!("<?xml version=\"1.0\"?>\n<Tagging {S3}>{tags}</Tagging>");
            let origin = origin(200, &[("x-amz-version-id", "v"), ("etag", "\"e\"")], &document);
            let answer = told(&get(), &origin).unwrap();
            assert_eq!(answer.status, 200);
            assert_eq!(body(&answer), format!("<Tagging>{tags}</Tagging>"));
            assert_eq!(
                names(&answer),
                ["x-oss-request-id", "date", "x-oss-version-id", "content-type"]
            );
            let answer = told_to_s3(get(), &origin).unwrap();
            assert_eq!(body(&answer), format!("<Tagging {S3}>{tags}</Tagging>"));
            assert_eq!(answer.header("x-amz-version-id"), Some(b"v".as_slice()));
        }
        // An origin that calls it an error.
        let document = "<Error><Code>NoSuchTagSet</Code><Message>m</Message></Error>";
        let answer = told(&get(), &origin(404, &[], document)).unwrap();
        assert_eq!(
            (answer.status, body(&answer)),
            (200, "<Tagging><TagSet></TagSet></Tagging>")
        );
        for document in ["", "<Tagging/>", "<Tagging>"] {
            let refusal = told(&get(), &origin(200, &[], document)).unwrap_err();
            assert_eq!(refusal.fault(), Fault::OriginAnswerUnreadable);
        }
    }

    #[test]
    fn tags_are_set_with_200_and_deleted_with_204_whatever_the_origin_calls_success() {
        for (method, origin_status, status) in [
            ("PUT", 200, 200),
            ("PUT", 204, 200),
            ("DELETE", 204, 204),
            ("DELETE", 200, 204),
        ] {
            let request = || Request::new(method, "/devices/k?tagging");
            let origin = origin(origin_status, &[], "");
            for answer in [told(&request(), &origin), told_to_s3(request(), &origin)] {
                let answer = answer.unwrap();
                assert_eq!(
                    (answer.status, answer.body.len()),
                    (status, 0),
                    "{method} {origin_status}"
                );
            }
        }
    }

    #[test]
    fn where_every_object_is_private_it_is_told_so_once_the_object_was_found() {
        let head = origin(
            200,
            &[
                ("etag", "\"e\""),
                ("x-amz-version-id", "v"),
                ("content-length", "7"),
                ("content-type", "a/b"),
            ],
            "",
        );
        let get = || Request::new("GET", "/devices/k?acl");
        let answer = told(&get(), &head).unwrap();
        assert_eq!(
            body(&answer),
            "<AccessControlPolicy><Owner><ID>causeway</ID><DisplayName>causeway</DisplayName></Owner>\
             <AccessControlList><Grant>private</Grant></AccessControlList></AccessControlPolicy>"
        );
        assert_eq!(
            names(&answer),
            ["x-oss-request-id", "date", "x-oss-version-id", "content-type"]
        );
        let answer = told_to_s3(get(), &head).unwrap();
        assert_eq!(
            body(&answer)
                .matches("<Permission>FULL_CONTROL</Permission>")
                .count(),
            1
        );
        assert!(!body(&answer).contains("<URI>"));
        let answer = told(&put_acl(), &head).unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert_eq!(names(&answer), ["x-oss-request-id", "date", "x-oss-version-id"]);
    }

    #[test]
    fn an_object_that_is_not_there_has_no_acl_and_gets_none() {
        for request in [Request::new("GET", "/devices/k?acl"), put_acl()] {
            for (status, fault) in [
                (404, Fault::NoSuchKey),
                (405, Fault::VersionIsMarker),
                (403, Fault::ReadDenied),
                (301, Fault::OriginMisconfigured),
                (503, Fault::Busy),
                (500, Fault::OriginFailed),
            ] {
                let refusal = told(&request, &origin(status, &[], "")).unwrap_err();
                assert_eq!(refusal.fault(), fault, "{status}");
            }
        }
        let request = Request::new("GET", "/devices/k?acl&versionId=v");
        let refusal = told(&request, &origin(404, &[], "")).unwrap_err();
        assert_eq!(refusal.fault(), Fault::NoSuchVersion);
    }

    #[test]
    fn where_acls_pass_s3s_own_list_is_told() {
        let public = "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">\
            <URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>";
        let document = format!(
            "<AccessControlPolicy {S3}><Owner><ID>75aa57</ID></Owner><AccessControlList>{public}</AccessControlList></AccessControlPolicy>"
        );
        let get = || Request::new("GET", "/devices/k?acl").bucket(passing_acls());
        let answer = told(&get(), &origin(200, &[], &document)).unwrap();
        assert!(body(&answer).contains("<Grant>public-read</Grant>"));
        let answer = told_to_s3(get(), &origin(200, &[], &document)).unwrap();
        assert!(body(&answer).contains(public) && !body(&answer).contains("75aa57"));
        let refusal = told(&get(), &origin(200, &[], "")).unwrap_err();
        assert_eq!(refusal.fault(), Fault::OriginAnswerUnreadable);
    }

    #[test]
    fn an_object_is_restored_with_202_first_and_with_200_when_it_is_back() {
        for status in [202, 200] {
            let request = || Request::new("POST", "/devices/k?restore");
            let origin = origin(
                status,
                &[
                    ("x-amz-restore-output-path", "p"),
                    ("x-amz-request-charged", "requester"),
                ],
                "",
            );
            let answer = told(&request(), &origin).unwrap();
            assert_eq!(
                (answer.status, names(&answer)),
                (status, vec!["x-oss-request-id", "date"])
            );
            assert_eq!(told_to_s3(request(), &origin).unwrap().status, status);
        }
    }

    #[test]
    fn s3s_errors_about_attributes_are_the_dialects_own() {
        for (method, query, status, code, told_of, told_of_s3) in [
            (
                "GET",
                "tagging",
                404,
                "NoSuchKey",
                (404, "NoSuchKey"),
                (404, "NoSuchKey"),
            ),
            (
                "PUT",
                "tagging",
                404,
                "NoSuchVersion",
                (404, "NoSuchVersion"),
                (404, "NoSuchVersion"),
            ),
            (
                "DELETE",
                "tagging",
                405,
                "MethodNotAllowed",
                (405, "MethodNotAllowed"),
                (405, "MethodNotAllowed"),
            ),
            (
                "PUT",
                "tagging",
                400,
                "InvalidTag",
                (400, "InvalidArgument"),
                (400, "InvalidTag"),
            ),
            (
                "PUT",
                "tagging",
                400,
                "MalformedXML",
                (400, "MalformedXML"),
                (400, "MalformedXML"),
            ),
            (
                "PUT",
                "tagging",
                409,
                "OperationAborted",
                (503, "ServiceUnavailable"),
                (503, "SlowDown"),
            ),
            (
                "GET",
                "tagging",
                403,
                "AccessDenied",
                (403, "AccessDenied"),
                (403, "AccessDenied"),
            ),
            (
                "PUT",
                "acl",
                400,
                "AccessControlListNotSupported",
                (400, "InvalidArgument"),
                (400, "AccessControlListNotSupported"),
            ),
            (
                "POST",
                "restore",
                409,
                "RestoreAlreadyInProgress",
                (409, "RestoreAlreadyInProgress"),
                (409, "RestoreAlreadyInProgress"),
            ),
            (
                "POST",
                "restore",
                403,
                "InvalidObjectState",
                (403, "InvalidObjectState"),
                (403, "InvalidObjectState"),
            ),
            (
                "POST",
                "restore",
                503,
                "GlacierExpeditedRetrievalNotAvailable",
                (503, "ServiceUnavailable"),
                (503, "SlowDown"),
            ),
            (
                "POST",
                "restore",
                501,
                "NotImplemented",
                (501, "NotImplemented"),
                (501, "NotImplemented"),
            ),
        ] {
            let document = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
            let origin = origin(status, &[], &document);
            let request = || {
                let request = Request::new(method, &format!("/devices/k?{query}")).bucket(passing_acls());
                match query {
                    "acl" => request.header("x-oss-object-acl", "private"),
                    _ => request,
                }
            };
            let refusal = told(&request(), &origin).unwrap_err();
            assert_eq!((refusal.status(), refusal.code()), told_of, "{code}");
            let s3 = Request::new(method, &format!("/devices/k?{query}")).bucket(passing_acls());
            let row = told_to_s3(s3, &origin)
                .unwrap_err()
                .row(request_auth::Dialect::S3);
            assert_eq!((row.status, row.code), told_of_s3, "{code}");
        }
    }
}
