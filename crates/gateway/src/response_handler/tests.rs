use std::borrow::Cow;

use oss_s3::answer::RequestId;
use oss_s3::operation::UploadId;
use oss_s3::request::OriginBody;
use oss_s3::upload::{MARK_HEADER, Owner};

use super::*;
use crate::device::{AMPLE, Device, MARK, asked, seals};

const LIST: &str = "<CompleteMultipartUpload>\
    <Part><PartNumber>1</PartNumber><ETag>\"0cc175b9c0f1b6a831c399e269772661\"</ETag></Part>\
    <Part><PartNumber>2</PartNumber><ETag>\"92eb5ffee6ae2fec3ad71c777531578f\"</ETag></Part>\
    </CompleteMultipartUpload>";
/// md5 of the two md5s above, computed apart: `printf a | md5sum`, `printf b | md5sum`, both digests in binary.
const COMPOSITE: &str = "96e024ba2074fe77e8e965ba43a704be-2";
const NO_SUCH_UPLOAD: &str =
    "<?xml version=\"1.0\"?><Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>";

fn origin(status: u16, headers: &[(&str, &str)], body: &str) -> OriginAnswer {
    OriginAnswer {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: body.as_bytes().to_vec(),
    }
}

/// Answers what is asked about staged parts: there are none.
fn unstaged(exchange: &mut Exchange<'_>, mut step: Step) -> Result<Step, Refusal> {
    let id = RequestId::from_bytes([1; 12]);
    let nothing = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    loop {
        step = match step {
            Step::Send(request) if request.query.contains("prefix=.causeway%2F") => {
                exchange.advance(&origin(200, &[], nothing), &asked(&id), AMPLE)?
            }
            Step::Send(request) if request.path.starts_with("/.causeway/") => {
                exchange.advance(&origin(204, &[], ""), &asked(&id), AMPLE)?
            }
            step => return Ok(step),
        }
    }
}

/// Runs an exchange for a device's request, for whose upload nothing is staged: each origin answer in turn, and what was sent before it.
fn run(
    target: &str,
    headers: &[(&str, &str)],
    document: &str,
    answers: &[OriginAnswer],
) -> (Vec<OriginRequest>, Result<Answer, Refusal>) {
    let grants = r#"[{"bucket": "devices", "mount": "m/"}]"#;
    run_under(grants, target, headers, document, answers)
}

/// The same under these grants.
fn run_under(
    grants: &str,
    target: &str,
    headers: &[(&str, &str)],
    document: &str,
    answers: &[OriginAnswer],
) -> (Vec<OriginRequest>, Result<Answer, Refusal>) {
    run_of("POST", grants, target, headers, document, answers)
}

/// The same of a request with this method.
fn run_of(
    method: &str,
    grants: &str,
    target: &str,
    headers: &[(&str, &str)],
    document: &str,
    answers: &[OriginAnswer],
) -> (Vec<OriginRequest>, Result<Answer, Refusal>) {
    let device = Device::with_grants(grants);
    let id = RequestId::from_bytes([1; 12]);
    device.request(method, target, headers, |authorized| {
        let authorized = authorized.unwrap();
        let errand = authorized.errand(&seals()).unwrap();
        let mut sent = Vec::new();
        let (mut exchange, mut step) = match Exchange::begin(errand, document.as_bytes(), &asked(&id)) {
            Ok(begun) => begun,
            Err(refusal) => return (sent, Err(refusal)),
        };
        let mut answers = answers.iter();
        loop {
            step = match unstaged(&mut exchange, step) {
                Ok(Step::Send(request)) => {
                    sent.push(request);
                    let answer = answers.next().expect("the exchange ends with the last answer");
                    match exchange.advance(answer, &asked(&id), AMPLE) {
                        Ok(step) => step,
                        Err(refusal) => return (sent, Err(refusal)),
                    }
                }
                Ok(Step::Answer(answer)) => return (sent, Ok(answer)),
                Ok(step) => panic!("{step:?}"),
                Err(refusal) => return (sent, Err(refusal)),
            };
        }
    })
}

fn body(answer: &Answer) -> &str {
    core::str::from_utf8(&answer.body).unwrap()
}

#[test]
fn a_completion_is_one_request_with_the_rewritten_list() {
    let s3 = "<?xml version=\"1.0\"?>\n<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <Location>https://acme-ingest.s3/m/k</Location><Bucket>acme-ingest</Bucket><Key>m/k</Key><ETag>&quot;e-2&quot;</ETag>\
        </CompleteMultipartUploadResult>";
    let (sent, answer) = run("/devices/k?uploadId=U", &[], LIST, &[origin(200, &[], s3)]);
    let answer = answer.unwrap();
    assert_eq!(sent.len(), 1);
    assert!(
        matches!(&sent[0].body, OriginBody::Document(document) if document.windows(12).any(|w| w == b"<PartNumber>"))
    );
    assert_eq!(answer.header("etag"), Some(b"\"e-2\"".as_slice()));
    assert!(
        body(&answer).contains("<Bucket>devices</Bucket><Key>k</Key>") && !body(&answer).contains("xmlns")
    );
}

#[test]
fn a_retried_complete_whose_first_answer_was_lost_is_a_success() {
    let answers = [
        origin(404, &[], NO_SUCH_UPLOAD),
        origin(
            200,
            &[
                ("etag", &format!("\"{COMPOSITE}\"")),
                (MARK_HEADER, MARK.as_str()),
            ],
            "",
        ),
    ];
    let (sent, answer) = run("/devices/k?uploadId=U", &[], LIST, &answers);
    assert_eq!(
        (sent[1].method, sent[1].path_and_query()),
        ("HEAD", "/m/k".to_owned())
    );
    let answer = answer.unwrap();
    assert_eq!(
        (answer.status, answer.header("etag")),
        (200, Some(format!("\"{COMPOSITE}\"").as_bytes()))
    );
}

#[test]
fn a_retried_complete_finds_its_own_object_where_none_may_be_replaced() {
    let exists = origin(412, &[], "<Error><Code>PreconditionFailed</Code></Error>");
    let headers = [("x-oss-forbid-overwrite", "true")];
    for (mark, expected) in [(MARK.as_str(), Ok(200)), ("another", Err(Fault::AlreadyExists))] {
        let found = origin(200, &[("etag", "\"e-1\""), (MARK_HEADER, mark)], "");
        let (_, answer) = run("/devices/k?uploadId=U", &headers, LIST, &[exists.clone(), found]);
        let outcome = answer
            .map(|answer| answer.status)
            .map_err(|refusal| refusal.fault());
        assert_eq!(outcome, expected);
    }
}

#[test]
fn an_upload_is_not_called_lost_while_the_origin_cannot_say_what_is_there() {
    for status in [429, 500, 502, 503] {
        let answers = [origin(404, &[], NO_SUCH_UPLOAD), origin(status, &[], "")];
        let (_, answer) = run("/devices/k?uploadId=U", &[], LIST, &answers);
        assert!(answer.unwrap_err().status() >= 500, "{status}");
    }
}

#[test]
fn a_lost_upload_stays_lost_where_the_key_holds_something_else() {
    for head in [
        origin(200, &[("etag", "\"92eb5ffee6ae2fec3ad71c777531578f\"")], ""),
        origin(404, &[], ""),
        origin(403, &[], ""),
    ] {
        let (_, answer) = run(
            "/devices/k?uploadId=U",
            &[],
            LIST,
            &[origin(404, &[], NO_SUCH_UPLOAD), head],
        );
        assert_eq!(answer.unwrap_err().fault(), Fault::NoSuchUpload);
    }
}

#[test]
fn x04_an_error_in_a_200_is_an_error() {
    let late = format!(
        "   \n\n{}",
        NO_SUCH_UPLOAD.replace("NoSuchUpload", "InternalError")
    );
    let (_, answer) = run("/devices/k?uploadId=U", &[], LIST, &[origin(200, &[], &late)]);
    assert_eq!(answer.unwrap_err().status(), 500);
}

const DONE: &str = "<CompleteMultipartUploadResult><ETag>\"e-2\"</ETag></CompleteMultipartUploadResult>";

/// A page of the origin's with one part of this size.
fn page(number: u32, etag: &str, size: u64, next: Option<u32>) -> OriginAnswer {
    let marker = next.map_or(String::new(), |next| {
        format!("<NextPartNumberMarker>{next}</NextPartNumberMarker>")
    });
    let xml = format!(
        "<ListPartsResult xmlns=\"x\"><IsTruncated>{}</IsTruncated>{marker}<Part><PartNumber>{number}</PartNumber>\
         <ETag>\"{etag}\"</ETag><Size>{size}</Size></Part></ListPartsResult>",
        next.is_some()
    );
    origin(200, &[], &xml)
}

#[test]
fn complete_all_lists_page_by_page_and_completes_with_what_was_listed() {
    let page = |number, next| page(number, "0cc175b9c0f1b6a831c399e269772661", 1, next);
    let done = origin(200, &[], DONE);
    let headers = [("x-oss-complete-all", "yes")];
    let (sent, answer) = run(
        "/devices/k?uploadId=U",
        &headers,
        "",
        &[page(1, Some(1)), page(7, None), done],
    );
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(sent[0].query, "max-parts=1000&uploadId=U");
    assert_eq!(sent[1].query, "max-parts=1000&part-number-marker=1&uploadId=U");
    let OriginBody::Document(document) = &sent[2].body else {
        panic!()
    };
    let document = core::str::from_utf8(document).unwrap();
    assert!(
        document.contains("<PartNumber>1</PartNumber>") && document.contains("<PartNumber>7</PartNumber>")
    );
}

#[test]
fn complete_all_with_a_document_and_a_wrong_digest_are_refused_before_the_origin_is_asked() {
    let (sent, answer) = run(
        "/devices/k?uploadId=U",
        &[("x-oss-complete-all", "yes")],
        LIST,
        &[],
    );
    assert_eq!(
        (sent.len(), answer.unwrap_err().fault()),
        (0, Fault::BodyUnexpected)
    );
    let (sent, answer) = run(
        "/devices/k?uploadId=U",
        &[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")],
        LIST,
        &[],
    );
    assert_eq!(
        (sent.len(), answer.unwrap_err().fault()),
        (0, Fault::DigestMismatch)
    );
}

#[test]
fn an_initiation_answers_in_the_device_s_terms() {
    let s3 = "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>acme-ingest</Bucket>\
        <Key>m/k</Key><UploadId>U-1</UploadId></InitiateMultipartUploadResult>";
    let (sent, answer) = run(
        "/devices/k?uploads",
        &[],
        "",
        &[origin(200, &[("x-amz-id-2", "secret")], s3)],
    );
    assert_eq!(sent[0].path_and_query(), "/m/k?uploads=");
    let id = RequestId::from_bytes([1; 12]);
    let mark = (Cow::Borrowed(MARK_HEADER), id.as_str().as_bytes().to_vec());
    assert!(sent[0].headers.contains(&mark));
    let owner = Owner {
        bucket: "devices",
        key: "k",
        key_id: "AK-1",
    };
    let told = owner
        .seal(&seals(), &UploadId::new(b"U-1").unwrap(), &id)
        .unwrap();
    assert_eq!(
        body(&answer.unwrap()),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult><Bucket>devices</Bucket><Key>k</Key>\
             <UploadId>{}</UploadId></InitiateMultipartUploadResult>",
            told.as_str()
        )
    );
}

#[test]
fn a_read_is_answered_with_the_origins_own_stream_unless_it_is_an_error_or_has_no_body() {
    let device =
        Device::with_grants(r#"[{"bucket": "devices", "mount": "m/", "operations": ["read-only"]}]"#);
    let id = RequestId::from_bytes([1; 12]);
    let missing = "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>";
    for (method, status, streams) in [
        ("GET", 200, true),
        ("GET", 206, true),
        ("HEAD", 200, false),
        ("HEAD", 304, false),
        ("GET", 404, false),
    ] {
        device.request(method, "/devices/k", &[("range", "bytes=0-1")], |authorized| {
            let errand = authorized.unwrap().errand(&seals()).unwrap();
            let (mut exchange, Step::Send(first)) = Exchange::begin(errand, b"", &asked(&id)).unwrap() else {
                panic!("a read is sent");
            };
            assert_eq!(
                (first.method, first.path_and_query()),
                (method, "/m/k".to_owned())
            );
            assert_eq!(first.body, OriginBody::Empty);
            assert_eq!(exchange.document_bytes(status) == 0, status < 300, "{status}");
            let body = if status == 404 { missing } else { "" };
            match exchange.advance(&origin(status, &[("etag", "\"e\"")], body), &asked(&id), AMPLE) {
                Ok(Step::Stream(answer)) => assert_eq!((answer.status, streams), (status, true)),
                Ok(Step::Answer(answer)) => assert_eq!((answer.status, streams), (status, false)),
                Ok(step) => panic!("{step:?}"),
                Err(refusal) => assert_eq!((refusal.status(), refusal.code()), (404, "NoSuchKey")),
            }
        });
    }
}

const LIMITED: &str = r#"[{"bucket": "devices", "mount": "m/", "max_object_bytes": 10}]"#;
const FIRST: &str = "0cc175b9c0f1b6a831c399e269772661";
const SECOND: &str = "92eb5ffee6ae2fec3ad71c777531578f";

#[test]
fn under_a_limit_the_parts_are_listed_and_summed_before_anything_is_completed() {
    let all = [("x-oss-complete-all", "yes")];
    for (headers, document) in [(&[][..], LIST), (&all[..], "")] {
        let run = |answers: &[OriginAnswer]| {
            run_under(LIMITED, "/devices/k?uploadId=U", headers, document, answers)
        };
        let (sent, answer) = run(&[
            page(1, FIRST, 3, Some(1)),
            page(2, SECOND, 7, None),
            origin(200, &[], DONE),
        ]);
        assert_eq!(answer.unwrap().status, 200);
        let methods: Vec<&str> = sent.iter().map(|request| request.method).collect();
        assert_eq!(methods, ["GET", "GET", "POST"]);
        assert!(matches!(&sent[2].body, OriginBody::Document(_)));
        let (sent, answer) = run(&[page(1, FIRST, 3, Some(1)), page(2, SECOND, 8, None)]);
        assert_eq!(answer.unwrap_err().fault(), Fault::EntityTooLarge);
        assert_eq!(sent.len(), 2);
    }
}

#[test]
fn under_a_limit_only_what_was_listed_is_completed() {
    for second in [
        page(3, SECOND, 1, None),
        // Stored anew since the device asked: whatever it is by now has another size.
        page(2, FIRST, 1, None),
        origin(
            200,
            &[],
            "<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>",
        ),
    ] {
        let answers = [page(1, FIRST, 1, Some(1)), second];
        let (sent, answer) = run_under(LIMITED, "/devices/k?uploadId=U", &[], LIST, &answers);
        assert_eq!((sent.len(), answer.unwrap_err().fault()), (2, Fault::PartInvalid));
    }
    // Parts that are there and not named are no part of the object.
    let answers = [
        page(1, FIRST, 1, Some(1)),
        page(2, SECOND, 1, Some(2)),
        page(3, SECOND, 100, None),
        origin(200, &[], DONE),
    ];
    let (_, answer) = run_under(LIMITED, "/devices/k?uploadId=U", &[], LIST, &answers);
    assert_eq!(answer.unwrap().status, 200);
}

#[test]
fn under_a_limit_too_a_retried_complete_whose_first_answer_was_lost_is_a_success() {
    let headers = [
        ("etag", &*format!("\"{COMPOSITE}\"")),
        (MARK_HEADER, MARK.as_str()),
    ];
    let found = origin(200, &headers, "");
    let answers = [origin(404, &[], NO_SUCH_UPLOAD), found];
    let (sent, answer) = run_under(LIMITED, "/devices/k?uploadId=U", &[], LIST, &answers);
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(sent[1].method, "HEAD");
    let denied = origin(403, &[], "<Error><Code>AccessDenied</Code></Error>");
    let (sent, answer) = run_under(LIMITED, "/devices/k?uploadId=U", &[], LIST, &[denied]);
    assert_eq!((sent.len(), answer.unwrap_err().status()), (1, 500));
}

const COPIED: &str = "<CopyObjectResult><ETag>\"e\"</ETag><LastModified>2026-11-21T12:34:56.000Z</LastModified></CopyObjectResult>";

/// Runs a copy of the version `v` of `firmware/a b` to `/devices/k` under a grant with this limit.
fn copy(
    most: &str,
    headers: &[(&str, &str)],
    answers: &[OriginAnswer],
) -> (Vec<OriginRequest>, Result<Answer, Refusal>) {
    copy_to("/devices/k", most, headers, answers)
}

/// The same to this target.
fn copy_to(
    target: &str,
    most: &str,
    headers: &[(&str, &str)],
    answers: &[OriginAnswer],
) -> (Vec<OriginRequest>, Result<Answer, Refusal>) {
    let grants = format!(
        r#"[{{"bucket": "devices", "operations": ["CopyObject", "UploadPartCopy"]{most}}},
            {{"bucket": "firmware", "operations": ["GetObject"], "mount": "m/"}}]"#
    );
    let headers = [&[("x-oss-copy-source", "/firmware/a%20b?versionId=v")], headers].concat();
    run_of("PUT", &grants, target, &headers, "", answers)
}

/// The value of a header of a request.
fn sent_as<'r>(request: &'r OriginRequest, name: &str) -> Option<&'r str> {
    let found = request.headers.iter().find(|(header, _)| header == name);
    found.map(|(_, value)| core::str::from_utf8(value).unwrap())
}

#[test]
fn a_copy_is_one_request_that_names_its_source_as_the_origin_knows_it() {
    let (sent, answer) = copy("", &[], &[origin(200, &[], COPIED)]);
    assert_eq!(answer.unwrap().header("etag"), Some(b"\"e\"".as_slice()));
    let [copy] = sent.as_slice() else { panic!() };
    assert_eq!(
        (copy.method, copy.url()),
        ("PUT", "https://acme-ingest.s3.example/k".to_owned())
    );
    assert_eq!(
        sent_as(copy, "x-amz-copy-source"),
        Some("/acme-firmware/m/a%20b?versionId=v")
    );
    assert_eq!(copy.body, OriginBody::Empty);
}

const SEVEN_BYTES: &str = r#", "max_object_bytes": 7"#;

/// What S3 takes as a part: a size, a range of that size and a limit that lets it pass.
const LARGE: &str = "6291456";
const LARGE_RANGE: (&str, &str) = ("x-oss-copy-source-range", "bytes=4-6291459");
const LARGE_LIMIT: &str = r#", "max_object_bytes": 6291456"#;

/// The origin's answer to a HEAD of a source, or of a range of it, with this many bytes.
fn weighed(bytes: &str) -> OriginAnswer {
    origin(200, &[("content-length", bytes), ("etag", "\"w\"")], "")
}

#[test]
fn h11_a_copy_under_a_limit_of_size_is_of_what_was_weighed() {
    let most = SEVEN_BYTES;
    let (sent, answer) = copy(most, &[], &[weighed("7"), origin(200, &[], COPIED)]);
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(
        (sent[0].method, sent[0].url()),
        (
            "HEAD",
            "https://acme-firmware.s3.example/m/a%20b?versionId=v".to_owned()
        )
    );
    assert_eq!(sent_as(&sent[1], "x-amz-copy-source-if-match"), Some("\"w\""));
    for (head, fault) in [
        (weighed("8"), Fault::EntityTooLarge),
        (weighed(""), Fault::OriginAnswerUnreadable),
        (weighed("-1"), Fault::OriginAnswerUnreadable),
        (
            origin(200, &[("content-length", "1")], ""),
            Fault::OriginAnswerUnreadable,
        ),
        (origin(404, &[], ""), Fault::NoSuchKey),
        (origin(403, &[], ""), Fault::ReadDenied),
        (origin(503, &[], ""), Fault::Busy),
    ] {
        let (sent, answer) = copy(most, &[], &[head]);
        assert_eq!((sent.len(), answer.unwrap_err().fault()), (1, fault));
    }
}

#[test]
fn h11_the_client_s_conditions_on_a_source_are_met_when_it_is_weighed_and_unpin_nothing() {
    let then = "Wed, 01 May 2024 12:34:56 GMT";
    let all = [
        ("x-oss-copy-source-if-match", "if-match", "\"m\""),
        ("x-oss-copy-source-if-none-match", "if-none-match", "\"n\""),
        ("x-oss-copy-source-if-modified-since", "if-modified-since", then),
        (
            "x-oss-copy-source-if-unmodified-since",
            "if-unmodified-since",
            then,
        ),
    ];
    for target in ["/devices/k", "/devices/k?partNumber=1&uploadId=U"] {
        let copied = match target {
            "/devices/k" => COPIED.to_owned(),
            _ => COPIED.replace("CopyObject", "CopyPart"),
        };
        for (own, of_reads, value) in all {
            let headers = &[(own, value), LARGE_RANGE][..if target == "/devices/k" { 1 } else { 2 }];
            let answers = [weighed(LARGE), origin(200, &[], &copied)];
            let (sent, answer) = copy_to(target, LARGE_LIMIT, headers, &answers);
            assert_eq!(answer.unwrap().status, 200);
            assert_eq!(
                (sent[0].method, sent_as(&sent[0], of_reads)),
                ("HEAD", Some(value))
            );
            let conditions = sent[1].headers.iter().filter(|(name, _)| name.contains("if-"));
            let conditions: Vec<_> = conditions
                .map(|(name, value)| (&**name, value.as_slice()))
                .collect();
            let pin = ("x-amz-copy-source-if-match", b"\"w\"".as_slice());
            assert_eq!(conditions, [pin], "{own}");
            for status in [304, 412] {
                let unmet = origin(status, &[], "");
                let (sent, answer) = copy_to(target, LARGE_LIMIT, headers, &[unmet]);
                let refusal = answer.unwrap_err();
                assert_eq!((sent.len(), refusal.fault()), (1, Fault::PreconditionFailed));
                assert_eq!((refusal.status(), refusal.code()), (412, "PreconditionFailed"));
            }
            // Without a limit S3 judges them.
            let (sent, _) = copy_to(target, "", headers, &[origin(200, &[], &copied)]);
            assert_eq!(
                sent_as(&sent[0], &["x-amz-copy-source-", of_reads].concat()),
                Some(value)
            );
        }
    }
}

#[test]
fn h11_a_part_copied_under_a_limit_of_size_is_weighed_before_it_is_stored() {
    let copied = COPIED.replace("CopyObject", "CopyPart");
    for (headers, sent_range) in [(&[LARGE_RANGE][..], Some(LARGE_RANGE.1)), (&[][..], None)] {
        let run = |most: &str, answers: &[OriginAnswer]| {
            copy_to("/devices/k?partNumber=1&uploadId=U", most, headers, answers)
        };
        let (sent, answer) = run(LARGE_LIMIT, &[weighed(LARGE), origin(200, &[], &copied)]);
        assert_eq!(answer.unwrap().status, 200);
        // S3 says how large the object is, and the range how much of it is copied.
        assert_eq!(
            (sent[0].url(), sent_as(&sent[0], "range")),
            (
                "https://acme-firmware.s3.example/m/a%20b?versionId=v".to_owned(),
                None
            )
        );
        assert_eq!(
            sent[1].url(),
            "https://acme-ingest.s3.example/k?partNumber=1&uploadId=U"
        );
        assert_eq!(sent_as(&sent[1], "x-amz-copy-source-range"), sent_range);
        assert_eq!(sent_as(&sent[1], "x-amz-copy-source-if-match"), Some("\"w\""));
        let (sent, answer) = run(SEVEN_BYTES, &[weighed(LARGE)]);
        assert_eq!(
            (sent.len(), answer.unwrap_err().fault()),
            (1, Fault::EntityTooLarge)
        );
    }
    let target = "/devices/k?partNumber=1&uploadId=U";
    let (sent, _) = copy_to(target, "", &[LARGE_RANGE], &[origin(200, &[], &copied)]);
    assert_eq!(sent.len(), 1);
}

const BATCH: &str = "<Delete><Object><Key>a/k</Key></Object><Object><Key>b/k</Key></Object></Delete>";
/// `printf '%s' BATCH | openssl md5 -binary | base64`, computed apart.
const BATCH_MD5: &str = "HjlWUpcpTIoeDzRK1RB3Nw==";

/// Runs a batch of deletions under grants of these operations for `a/` and `b/`.
fn delete_in(
    [of_a, of_b]: [&str; 2],
    document: &str,
    md5: &str,
    answers: &[OriginAnswer],
) -> (Vec<OriginRequest>, Result<Answer, Refusal>) {
    let grants = format!(
        r#"[{{"bucket": "devices", "operations": ["{of_a}"], "prefix": "a/", "mount": "m/"}},
            {{"bucket": "devices", "operations": ["{of_b}"], "prefix": "b/"}}]"#
    );
    let headers = [("content-md5", md5)];
    run_of("POST", &grants, "/devices/?delete", &headers, document, answers)
}

#[test]
fn a_batch_of_deletions_is_one_request_with_a_document_of_its_own() {
    let done =
        "<DeleteResult><Deleted><Key>m/a/k</Key></Deleted><Deleted><Key>b/k</Key></Deleted></DeleteResult>";
    let all = ["DeleteObjects", "DeleteMultipleObjects"];
    let (sent, answer) = delete_in(all, BATCH, BATCH_MD5, &[origin(200, &[], done)]);
    assert_eq!(
        (sent[0].method, sent[0].url()),
        ("POST", "https://acme-ingest.s3.example/?delete=".to_owned())
    );
    let OriginBody::Document(document) = &sent[0].body else {
        panic!()
    };
    assert!(
        document
            .ends_with(b"<Delete><Object><Key>m/a/k</Key></Object><Object><Key>b/k</Key></Object></Delete>")
    );
    assert_ne!(sent_as(&sent[0], "content-md5"), Some(BATCH_MD5));
    assert!(body(&answer.unwrap()).contains("<Deleted><Key>a/k</Key></Deleted><Deleted><Key>b/k</Key>"));
}

#[test]
fn h10_one_key_that_is_not_granted_refuses_the_batch_before_the_origin_is_asked() {
    for operations in [
        ["DeleteMultipleObjects", "DeleteObject"],
        ["upload-only", "DeleteMultipleObjects"],
    ] {
        let (sent, answer) = delete_in(operations, BATCH, BATCH_MD5, &[]);
        assert_eq!((sent.len(), answer.unwrap_err().fault()), (0, Fault::Forbidden));
    }
}

#[test]
fn h10_a_batch_that_no_digest_binds_or_another_one_is_refused() {
    let all = ["DeleteMultipleObjects"; 2];
    for (md5, fault) in [
        ("", Fault::DigestInvalid),
        ("1B2M2Y8AsgTpgAmY7PhCfg==", Fault::DigestMismatch),
    ] {
        let (sent, answer) = delete_in(all, BATCH, md5, &[]);
        assert_eq!((sent.len(), answer.unwrap_err().fault()), (0, fault), "{md5}");
    }
}
