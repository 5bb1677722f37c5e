//! Answers to batches of deletions: what S3 says of each key, under the name that the client has for it.
//!
//! S3 answers a batch with success and says in the document which keys it did not delete. OSS's answer has no
//! element for those, and its SDKs take every success for a success of all: an OSS client is told one error
//! instead, and the log what S3 said. A key that S3 says nothing of is no success either.

use request_auth::Dialect;

use super::origin_error::{self, words};
use super::{MAX_LIST_BYTES, OriginAnswer, Subject, unreadable, with_headers};
use crate::answer::{Answer, Asked};
use crate::deletions::Deletions;
use crate::error::{Fault, Refusal};
use crate::key::encoded_value;
use crate::operation::KeySpelling;
use crate::xml::{self, Document, Unreadable};

const ROOT: &str = "DeleteResult";

/// What S3 says of a key; the first four elements are those of a deletion's answer as well.
const ELEMENTS: [&str; 6] = [
    "Key",
    "VersionId",
    "DeleteMarker",
    "DeleteMarkerVersionId",
    "Code",
    "Message",
];

/// The answer to a batch.
///
/// # Errors
/// A refusal for every error of the origin's, to an OSS client also for one of a single key; `InternalError`
/// for an answer that leaves a key open.
pub fn deleted(
    origin: &OriginAnswer,
    deletions: &Deletions,
    subject: &Subject<'_>,
    asked: &Asked<'_>,
) -> Result<Answer, Refusal> {
    if !origin.is_success() {
        return Err(origin_error::refusal(origin, subject.sent));
    }
    if let Some(error) = origin_error::in_success(origin, subject.sent) {
        return Err(error);
    }
    if origin.body.len() > MAX_LIST_BYTES {
        return Err(unreadable(
            "The origin's answer to a batch of deletions is too long.",
        ));
    }
    let spells = subject.spelling == KeySpelling::UrlEncoded;
    let mut document = Document::of_result(ROOT, asked.dialect);
    if spells {
        document.leaf("EncodingType", "url");
    }
    let mut texts: [String; 6] = Default::default();
    let mut open: Vec<_> = deletions.objects.iter().collect();
    let mut refused = (None, String::new());
    let read = xml::read::<Unreadable>(&origin.body, &mut |element| {
        let path: Vec<&str> = element.path.iter().map(String::as_str).collect();
        let kind = match path.as_slice() {
            [ROOT, "Deleted" | "Error", name] => {
                let slot = ELEMENTS.iter().zip(&mut texts).find(|(known, _)| *known == name);
                if let Some((_, slot)) = slot {
                    element.text.clone_into(slot);
                }
                return Ok(());
            }
            [ROOT, kind @ ("Deleted" | "Error")] => *kind,
            _ => return Ok(()),
        };
        let [key, version, marker, marker_version, code, message] = core::mem::take(&mut texts);
        // S3 mostly keeps the order, so the first is mostly the one.
        let at = open.iter().position(|object| {
            let own = object.version.as_ref().map_or("", |version| version.as_str());
            object.origin_key.as_str() == key && (own == version || own.is_empty() || version.is_empty())
        });
        let object = open.remove(at.ok_or(Unreadable)?);
        let fault = (kind == "Error").then(|| Fault::of_s3_code(&code).unwrap_or(Fault::OriginFailed));
        if let Some(fault) = fault {
            refused.0.get_or_insert(fault);
            refused.1.push(' ');
            refused.1.push_str(&words(&code));
            refused.1.push_str(&words(&message));
        }
        if fault.is_none() && deletions.is_quiet {
            return Ok(());
        }
        document.open(kind);
        match spells {
            true => document.leaf("Key", &encoded_value(object.key.as_bytes())),
            false => document.leaf("Key", object.key.as_str()),
        }
        document.leaf("VersionId", &version);
        document.leaf("DeleteMarker", &marker);
        document.leaf("DeleteMarkerVersionId", &marker_version);
        if let Some(fault) = fault {
            let row = fault.row(asked.dialect);
            document.leaf("Code", row.code);
            document.leaf("Message", row.sentence);
        }
        document.close(kind);
        Ok(())
    });
    read.map_err(|_| unreadable("The origin's answer to a batch of deletions cannot be read."))?;
    if !open.is_empty() {
        return Err(unreadable(
            "The origin does not say of each key that it is deleted.",
        ));
    }
    let answer = with_headers(Answer::new(200, asked), origin, subject.bucket, asked);
    match (refused, asked.dialect) {
        ((Some(fault), codes), Dialect::Oss) => {
            let reason = ["The origin did not delete all objects of a batch:", &codes].concat();
            Err(Refusal::new(fault).because(reason))
        }
        // OSS tells nothing where nothing went wrong.
        (_, Dialect::Oss) if deletions.is_quiet => Ok(answer),
        _ => Ok(answer.with_document(document.finish())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::origin;
    use super::*;
    use crate::answer::tests::{asked, asked_of_s3};
    use crate::device::{Request, seals};

    const NS: &str = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    const ASKED: &str =
        "<Object><Key>a b</Key></Object><Object><Key>c</Key><VersionId>v</VersionId></Object>";
    const DONE: &str = "<Deleted><Key>m/a b</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>n</DeleteMarkerVersionId></Deleted>";
    const ALSO: &str = "<Deleted><Key>m/c</Key><VersionId>v</VersionId></Deleted>";

    /// What a client with the mount `m/` is told of S3's answer to a batch of `a b` and the version `v` of `c`.
    fn told(
        dialect: Dialect,
        query: &str,
        quiet: &str,
        (status, document): (u16, &str),
    ) -> Result<String, Refusal> {
        let request = Request::new("POST", &["/devices/?delete", query].concat());
        let request = match dialect {
            Dialect::Oss => request,
            Dialect::S3 => request.signed_by_s3(&[]),
        };
        request.authorized("m/", |authorized| {
            let errand = authorized.errand(&seals()).unwrap();
            let batch = ["<Delete>", quiet, ASKED, "</Delete>"].concat();
            let deletions = Deletions::from_client(batch.as_bytes(), errand.target().areas()).unwrap();
            let asked = match dialect {
                Dialect::Oss => asked("POST", "h", "/devices/"),
                Dialect::S3 => asked_of_s3("POST", "h", "/devices/"),
            };
            let answer = deleted(
                &origin(status, &[("x-amz-id-2", "i")], document),
                &deletions,
                &Subject::of(&errand),
                &asked,
            )?;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type").is_some(), !answer.body.is_empty());
            Ok(String::from_utf8(answer.body).unwrap())
        })
    }

    fn result(parts: &[&str]) -> String {
        ["<DeleteResult", NS, ">", &parts.concat(), "</DeleteResult>"].concat()
    }

    #[test]
    fn each_key_is_told_as_the_client_names_it_in_its_dialect_and_spelling() {
        let s3 = result(&[DONE, ALSO]);
        let plain = [DONE, ALSO].concat().replace("m/", "");
        let spelled = plain.replace("a b", "a%20b");
        for (dialect, query, expected) in [
            (Dialect::Oss, "", ["<DeleteResult>", &plain].concat()),
            (
                Dialect::Oss,
                "&encoding-type=url",
                ["<DeleteResult><EncodingType>url</EncodingType>", &spelled].concat(),
            ),
            (Dialect::S3, "", ["<DeleteResult", NS, ">", &plain].concat()),
        ] {
            let body = told(dialect, query, "", (200, &s3)).unwrap();
            assert_eq!(body, [HEAD, &expected, "</DeleteResult>"].concat());
        }
        // In another order, and without the declaration of a namespace, as SeaweedFS may.
        let other = result(&[ALSO, DONE]).replace(NS, "");
        let body = told(Dialect::Oss, "", "", (200, &other)).unwrap();
        assert!(body.find("<Key>c").unwrap() < body.find("<Key>a b").unwrap());
    }

    #[test]
    fn a_quiet_client_is_told_nothing_of_what_went_well() {
        let s3 = result(&[DONE, ALSO]);
        let quiet = "<Quiet>true</Quiet>";
        assert_eq!(
            told(Dialect::Oss, "&encoding-type=url", quiet, (200, &s3)).unwrap(),
            ""
        );
        let empty = [HEAD, "<DeleteResult", NS, "></DeleteResult>"].concat();
        assert_eq!(told(Dialect::S3, "", quiet, (200, &s3)).unwrap(), empty);
    }

    #[test]
    fn an_error_of_one_key_is_never_told_as_a_success() {
        for (code, status, oss, own) in [
            ("AccessDenied", 500, "InternalError", "InternalError"),
            ("InternalError", 500, "InternalError", "InternalError"),
            ("SlowDown", 503, "ServiceUnavailable", "SlowDown"),
            ("NoSuchVersion", 404, "NoSuchVersion", "NoSuchVersion"),
            ("SomethingNew", 500, "InternalError", "InternalError"),
        ] {
            let error = format!(
                "<Error><Key>m/c</Key><VersionId>v</VersionId><Code>{code}</Code><Message>acme-ingest</Message></Error>"
            );
            let s3 = result(&[DONE, &error]);
            for quiet in ["", "<Quiet>true</Quiet>"] {
                let refusal = told(Dialect::Oss, "", quiet, (200, &s3)).unwrap_err();
                assert_eq!((refusal.status(), refusal.code()), (status, oss), "{code}");
                assert!(refusal.reason().contains(code), "{}", refusal.reason());
                let body = told(Dialect::S3, "", quiet, (200, &s3)).unwrap();
                let expected =
                    format!("<Error><Key>c</Key><VersionId>v</VersionId><Code>{own}</Code><Message>");
                assert!(
                    body.contains(&expected) && !body.contains("acme-ingest"),
                    "{body}"
                );
                assert_eq!(body.contains("<Deleted><Key>a b</Key>"), quiet.is_empty());
            }
        }
    }

    #[test]
    fn what_s3_does_not_say_of_each_key_is_no_success() {
        let twice = [DONE, DONE].concat();
        let other = DONE.replace("m/a b", "a b");
        for document in [
            String::new(),
            result(&[]),
            result(&[DONE]),
            result(&[&twice]),
            result(&[ALSO, &other]),
            result(&[DONE, ALSO, DONE]),
            result(&[DONE, &ALSO.replace(">v<", ">w<")]),
            result(&[DONE, ALSO]).replace("DeleteResult", "Result"),
            ["<DeleteResult>", DONE, ALSO].concat(),
        ] {
            for dialect in [Dialect::Oss, Dialect::S3] {
                let refusal = told(dialect, "", "", (200, &document)).unwrap_err();
                assert_eq!(refusal.fault(), Fault::OriginAnswerUnreadable, "{document}");
            }
        }
    }

    #[test]
    fn x04_an_error_of_the_whole_batch_is_told_wherever_it_stands() {
        let document = " <Error><Code>SlowDown</Code><Message>m</Message></Error>";
        for (status, fault) in [(200, Fault::Busy), (503, Fault::Busy)] {
            let refusal = told(Dialect::Oss, "", "", (status, document)).unwrap_err();
            assert_eq!(refusal.fault(), fault);
        }
        let refusal = told(Dialect::S3, "", "", (403, "")).unwrap_err();
        assert_eq!(refusal.fault(), Fault::OriginRefusedGateway);
    }
}
