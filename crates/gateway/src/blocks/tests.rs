use oss_s3::answer::RequestId;
use oss_s3::request::OriginBody;

use super::*;
use crate::device::{AMPLE, Device, asked, seals};

const BLOCK: u64 = BLOCK_BYTES as u64;
/// Of no bytes at all, and of the letter `a`.
const MD5_OF_NOTHING: &str = "1B2M2Y8AsgTpgAmY7PhCfg==";
const MD5_OF_A: &str = "DMF1ucDxtqgxw5niaXcmYQ==";
const BEGUN: &str = "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <Bucket>acme-ingest</Bucket><Key>m/k</Key><UploadId>2~a+b/c</UploadId></InitiateMultipartUploadResult>";
const JOINED: &str = " \n<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <Location>https://acme-ingest.s3/m/k</Location><ETag>&quot;e-3&quot;</ETag></CompleteMultipartUploadResult>";

/// What happens beside the conversation.
enum Event {
    /// The origin answers.
    Answers(OriginAnswer),
    /// It does not.
    Fails(Fault),
    /// A block arrives.
    Arrives(Block),
}
use Event::{Answers, Arrives, Fails};

fn origin(status: u16, headers: &[(&str, &str)], body: &str) -> OriginAnswer {
    let headers = headers.iter();
    OriginAnswer {
        status,
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn begun() -> Event {
    Answers(origin(200, &[], BEGUN))
}

fn stored(etag: &str) -> Event {
    Answers(origin(200, &[("etag", &format!("\"{etag}\""))], ""))
}

fn says(status: u16, code: &str) -> Event {
    let document = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
    Answers(origin(status, &[], &document))
}

fn dropped() -> Event {
    Answers(origin(204, &[], ""))
}

const fn full() -> Block {
    Block {
        bytes: BLOCK,
        end: None,
    }
}

fn last(bytes: u64, md5: &str) -> Event {
    let end = Some(md5.to_owned());
    Arrives(Block { bytes, end })
}

/// What was sent, how it ended, and whether something may be left at the origin.
type Course = (Vec<OriginRequest>, Result<Answer, Refusal>, bool);

/// Runs the conversation about a put whose first block is full.
fn put(fields: &str, headers: &[(&str, &str)], events: Vec<Event>) -> Course {
    run(fields, "/devices/k", headers, events)
}

/// The same about a part.
fn part(events: Vec<Event>) -> Course {
    let headers = [("content-md5", MD5_OF_A)];
    run("", "/devices/k?partNumber=7&uploadId=U", &headers, events)
}

fn run(fields: &str, target: &str, headers: &[(&str, &str)], events: Vec<Event>) -> Course {
    run_within(AMPLE, fields, target, headers, events)
}

fn run_within(
    allowance: Allowance,
    fields: &str,
    target: &str,
    headers: &[(&str, &str)],
    events: Vec<Event>,
) -> Course {
    let grants = format!(r#"[{{"bucket": "devices", "mount": "m/"{fields}}}]"#);
    let device = Device::with_grants(&grants);
    let id = RequestId::from_bytes([1; 12]);
    device.request("PUT", target, headers, |authorized| {
        let errand = authorized.unwrap().errand(&seals()).unwrap();
        let mut sent = Vec::new();
        let (mut blocks, mut step) = match Blocks::begin(errand, &full(), &asked(&id)) {
            Ok(begun) => begun,
            Err(refusal) => return (sent, Err(refusal), false),
        };
        let mut events = events.into_iter();
        loop {
            let is_sent = match step {
                Step::Send(request) => {
                    sent.push(request);
                    true
                }
                Step::Read => false,
                Step::Answer(answer) => {
                    assert!(events.next().is_none(), "more was expected to be asked");
                    return (sent, Ok(answer), blocks.warning().is_some());
                }
            };
            let next = match events.next().expect("less was expected to be asked") {
                Answers(answer) => {
                    assert!(is_sent, "a block is waited for");
                    blocks.advance(&answer, &asked(&id))
                }
                Arrives(block) => {
                    assert!(!is_sent, "an answer is waited for");
                    blocks.take(&block, allowance)
                }
                Fails(fault) => blocks.fail(fault.into()),
            };
            match next {
                Ok(next) => step = next,
                Err(refusal) => {
                    assert!(events.next().is_none(), "more was expected to be asked");
                    return (sent, Err(refusal), blocks.warning().is_some());
                }
            }
        }
    })
}

/// Method, path and query of what was sent.
fn lines(sent: &[OriginRequest]) -> Vec<String> {
    let line = |request: &OriginRequest| format!("{} {}", request.method, request.path_and_query());
    sent.iter().map(line).collect()
}

fn names(request: &OriginRequest) -> Vec<&str> {
    let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names
}

/// All of a body of two blocks and a byte.
fn whole() -> Vec<Event> {
    vec![
        begun(),
        stored("one"),
        Arrives(full()),
        stored("two"),
        last(1, ""),
        stored("three"),
        Answers(origin(200, &[("x-amz-version-id", "v")], JOINED)),
    ]
}

#[test]
fn blocks_become_the_parts_of_one_object_and_the_device_hears_of_a_put() {
    let (sent, answer, has_left) = put("", &[], whole());
    assert_eq!(
        lines(&sent),
        [
            "POST /m/k?uploads=",
            "PUT /m/k?partNumber=1&uploadId=2~a%2Bb%2Fc",
            "PUT /m/k?partNumber=2&uploadId=2~a%2Bb%2Fc",
            "PUT /m/k?partNumber=3&uploadId=2~a%2Bb%2Fc",
            "POST /m/k?uploadId=2~a%2Bb%2Fc",
        ]
    );
    assert!(
        sent[1..4]
            .iter()
            .all(|request| request.body == OriginBody::Device)
    );
    let OriginBody::Document(list) = &sent[4].body else {
        panic!("{:?}", sent[4].body);
    };
    let list = core::str::from_utf8(list).unwrap();
    let parts: Vec<&str> = list.split("<Part>").skip(1).collect();
    assert!(
        parts.len() == 3 && parts[2].contains("<PartNumber>3</PartNumber>") && parts[2].contains("three"),
        "{list}"
    );
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.body.len(), has_left), (200, 0, false));
    assert_eq!(answer.header("etag"), Some(b"\"e-3\"".as_slice()));
    assert_eq!(answer.header("x-oss-version-id"), Some(b"v".as_slice()));
}

#[test]
fn the_object_s_attributes_are_set_at_the_beginning_and_the_condition_at_the_end() {
    let headers = [
        ("content-type", "video/mp4"),
        ("content-md5", MD5_OF_A),
        ("x-oss-meta-a", "1"),
        ("x-oss-forbid-overwrite", "true"),
        ("x-oss-request-payer", "requester"),
        ("x-oss-storage-class", "IA"),
    ];
    let mut events = whole();
    events[4] = last(1, MD5_OF_A);
    let (sent, answer, _) = put("", &headers, events);
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(
        names(&sent[0]),
        [
            "accept-encoding",
            "content-type",
            "x-amz-meta-a",
            "x-amz-request-payer",
            "x-amz-storage-class"
        ]
    );
    for part in &sent[1..4] {
        assert_eq!(names(part), ["accept-encoding", "x-amz-request-payer"]);
    }
    assert_eq!(
        names(&sent[4]),
        [
            "accept-encoding",
            "content-md5",
            "content-type",
            "if-none-match",
            "x-amz-request-payer"
        ]
    );
}

#[test]
fn whatever_breaks_off_is_dropped_before_the_device_is_told() {
    let at_fault = |events: Vec<Event>| {
        let (sent, outcome, has_left) = put("", &[("x-oss-forbid-overwrite", "true")], events);
        let refusal = outcome.unwrap_err();
        assert_eq!(lines(&sent).last().unwrap(), "DELETE /m/k?uploadId=2~a%2Bb%2Fc");
        assert!(!has_left);
        (refusal.status(), refusal.code())
    };
    // The origin refuses a block, fails, answers nothing; the device hangs up.
    for (event, told) in [
        (says(503, "SlowDown"), (503, "ServiceUnavailable")),
        (says(500, "InternalError"), (500, "InternalError")),
        (says(404, "NoSuchUpload"), (500, "InternalError")),
        (says(403, "SignatureDoesNotMatch"), (500, "InternalError")),
        (Answers(origin(200, &[], "")), (500, "InternalError")),
        (Fails(Fault::OriginUnavailable), (503, "ServiceUnavailable")),
    ] {
        assert_eq!(at_fault(vec![begun(), event, dropped()]), told);
    }
    assert_eq!(
        at_fault(vec![
            begun(),
            stored("one"),
            Fails(Fault::BodyIncomplete),
            dropped()
        ]),
        (400, "IncompleteBody")
    );
    // The end fails, with a success before it or without.
    let end = |event| {
        let mut events = whole();
        events.pop();
        events.extend([event, dropped()]);
        events
    };
    let in_success = "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>m</Message></Error>";
    for (event, told) in [
        (says(412, "PreconditionFailed"), (409, "FileAlreadyExists")),
        (Answers(origin(200, &[], in_success)), (500, "InternalError")),
        (says(400, "InvalidPart"), (500, "InternalError")),
        (Fails(Fault::OriginUnavailable), (503, "ServiceUnavailable")),
    ] {
        assert_eq!(at_fault(end(event)), told);
    }
}

#[test]
fn what_was_not_begun_is_not_dropped() {
    for (event, status) in [
        (says(403, "AccessDenied"), 500),
        (says(400, "InvalidStorageClass"), 400),
        (Answers(origin(200, &[], "<Other/>")), 500),
        (Fails(Fault::OriginUnavailable), 503),
    ] {
        let (sent, outcome, has_left) = put("", &[], vec![event]);
        assert_eq!((sent.len(), has_left), (1, false));
        assert_eq!(outcome.unwrap_err().status(), status);
    }
}

#[test]
fn what_could_not_be_dropped_is_known_and_the_device_is_told_the_first_reason() {
    for (event, left) in [
        (says(500, "InternalError"), true),
        (Fails(Fault::OriginUnavailable), true),
        (says(404, "NoSuchUpload"), false),
    ] {
        let (_, outcome, has_left) = put("", &[], vec![begun(), says(503, "SlowDown"), event]);
        assert_eq!((outcome.unwrap_err().fault(), has_left), (Fault::Busy, left));
    }
}

#[test]
fn a_body_ends_at_the_smaller_of_its_two_bounds() {
    let within = |fields: &str, bytes| {
        let events = vec![
            begun(),
            stored("one"),
            last(bytes, ""),
            stored("two"),
            Answers(origin(200, &[], JOINED)),
        ];
        put(fields, &[], events)
    };
    let over = |fields: &str, bytes| {
        let (sent, outcome, _) = put(
            fields,
            &[],
            vec![begun(), stored("one"), last(bytes, ""), dropped()],
        );
        // The block beyond the bound is not sent.
        assert_eq!(sent.len(), 3);
        outcome.unwrap_err()
    };
    let most = format!(r#", "max_object_bytes": {}"#, BLOCK + 7);
    assert_eq!(within(&most, 7).1.unwrap().status, 200);
    assert_eq!(over(&most, 8).code(), "EntityTooLarge");
    // The bucket's, 1 GiB by default.
    const GIB: u64 = 1 << 30;
    for fields in ["", r#", "max_object_bytes": 2000000000"#] {
        assert_eq!(within(fields, GIB - BLOCK).1.unwrap().status, 200);
        assert_eq!(over(fields, GIB - BLOCK + 1).code(), "EntityTooLarge");
    }
    // Of a grant for less than a block nothing is begun.
    let (sent, outcome, _) = put(r#", "max_object_bytes": 7"#, &[], Vec::new());
    assert_eq!((sent.len(), outcome.unwrap_err().code()), (0, "EntityTooLarge"));
}

#[test]
fn a_body_ends_where_the_platform_lets_no_more_be_sent_than_drops_it() {
    let events = || vec![begun(), stored("one"), last(1, "")];
    let course = |requests, event: Vec<Event>| {
        let mut events = events();
        events.extend(event);
        run_within(Allowance { requests, ..AMPLE }, "", "/devices/k", &[], events)
    };
    let rest = vec![stored("two"), Answers(origin(200, &[], JOINED))];
    assert_eq!(course(5, rest).1.unwrap().status, 200);
    let (sent, outcome, has_left) = course(4, vec![dropped()]);
    assert_eq!((sent.len(), has_left), (3, false));
    assert_eq!(outcome.unwrap_err().code(), "EntityTooLarge");
}

#[test]
fn a_body_that_is_not_the_one_of_its_content_md5_is_dropped_without_its_last_block() {
    for md5 in [
        "",
        MD5_OF_NOTHING,
        "DMF1ucDxtqgxw5niaXcmYR==",
        "DMF1ucDxtqgxw5niaXcmYQ",
    ] {
        let events = vec![begun(), stored("one"), last(7, md5), dropped()];
        let (sent, outcome, has_left) = put("", &[("content-md5", MD5_OF_A)], events);
        assert_eq!((sent.len(), has_left), (3, false), "{md5}");
        assert_eq!(outcome.unwrap_err().fault(), Fault::DigestMismatch, "{md5}");
    }
}

const COPIED: &str = "<CopyPartResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><ETag>&quot;c&quot;</ETag>\
    <LastModified>2026-11-21T12:34:56.000Z</LastModified></CopyPartResult>";

/// A part of two blocks, up to the answer to its completion.
fn put_together() -> Vec<Event> {
    let joined = Answers(origin(200, &[], JOINED));
    vec![begun(), stored("one"), last(7, MD5_OF_A), stored("two"), joined]
}

#[test]
fn a_part_is_put_together_aside_and_copied_into_its_upload() {
    let mut events = put_together();
    let copied = origin(200, &[("x-amz-copy-source-version-id", "v")], COPIED);
    events.extend([Answers(copied), dropped()]);
    let (sent, answer, has_left) = part(events);
    let lines = lines(&sent);
    let folder = lines[0]
        .strip_prefix("POST /.causeway/")
        .unwrap()
        .split_once('/')
        .unwrap()
        .0;
    let aside = format!(
        "/.causeway/{folder}/00007.unsized.{}",
        RequestId::from_bytes([1; 12]).as_str()
    );
    assert_eq!(
        lines,
        [
            format!("POST {aside}?uploads="),
            format!("PUT {aside}?partNumber=1&uploadId=2~a%2Bb%2Fc"),
            format!("PUT {aside}?partNumber=2&uploadId=2~a%2Bb%2Fc"),
            format!("POST {aside}?uploadId=2~a%2Bb%2Fc"),
            "PUT /m/k?partNumber=7&uploadId=U".to_owned(),
            "POST /?delete=".to_owned(),
        ]
    );
    // The digest is the whole part's.
    assert!(
        sent[..3]
            .iter()
            .all(|request| names(request) == ["accept-encoding"])
    );
    let source = sent[4]
        .headers
        .iter()
        .find(|(name, _)| name == "x-amz-copy-source")
        .unwrap();
    assert_eq!(source.1, format!("/acme-ingest{aside}").into_bytes());
    // The object aside, and a staged part of that number.
    let OriginBody::Document(list) = &sent[5].body else {
        panic!("{:?}", sent[5].body);
    };
    let list = core::str::from_utf8(list).unwrap();
    assert!(
        list.contains(&format!("<Key>{}</Key>", aside.strip_prefix('/').unwrap())),
        "{list}"
    );
    assert!(
        list.contains(&format!("<Key>.causeway/{folder}/00007</Key>")),
        "{list}"
    );
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.body.len(), has_left), (200, 0, false));
    assert_eq!(answer.header("etag"), Some(b"\"c\"".as_slice()));
    // What it was copied from is the gateway's own.
    assert_eq!(answer.header("x-oss-copy-source-version-id"), None);
}

#[test]
fn a_part_that_could_not_be_copied_is_removed_and_nothing_else() {
    for (event, told) in [
        (says(404, "NoSuchUpload"), (404, "NoSuchUpload")),
        (says(503, "SlowDown"), (503, "ServiceUnavailable")),
        (
            Answers(origin(200, &[], "<Error><Code>InternalError</Code></Error>")),
            (500, "InternalError"),
        ),
        (Fails(Fault::OriginUnavailable), (503, "ServiceUnavailable")),
    ] {
        let mut events = put_together();
        events.extend([event, dropped()]);
        let (sent, outcome, has_left) = part(events);
        let refusal = outcome.unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.code(), has_left),
            (told.0, told.1, false)
        );
        let OriginBody::Document(list) = &sent.last().unwrap().body else {
            panic!("{sent:?}");
        };
        let list = core::str::from_utf8(list).unwrap();
        assert!(
            list.contains("/00007.unsized.") && !list.contains("/00007</Key>"),
            "{list}"
        );
    }
}

#[test]
fn a_stored_part_is_sent_again_while_the_one_that_it_replaces_is_left() {
    let failed = "<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error></DeleteResult>";
    for event in [
        Answers(origin(200, &[], failed)),
        says(500, "InternalError"),
        Fails(Fault::OriginUnavailable),
    ] {
        let mut events = put_together();
        events.extend([Answers(origin(200, &[], COPIED)), event]);
        let (_, outcome, has_left) = part(events);
        assert_eq!((outcome.unwrap_err().status(), has_left), (503, true));
    }
}

#[test]
fn a_part_that_breaks_off_is_dropped_where_it_was_put_together() {
    let events = vec![begun(), stored("one"), Fails(Fault::BodyIncomplete), dropped()];
    let (sent, outcome, has_left) = part(events);
    assert_eq!((outcome.unwrap_err().code(), has_left), ("IncompleteBody", false));
    let last = sent.last().unwrap();
    assert_eq!(
        (last.method, last.query.as_str()),
        ("DELETE", "uploadId=2~a%2Bb%2Fc")
    );
    assert!(last.path.contains("/00007.unsized."), "{}", last.path);
}
