use oss_s3::complete::PartList;
use request_auth::Dialect;

use super::*;
use crate::device::{Device, seals};

const MIB: u64 = 1024 * 1024;
const ETAG: &str = "0cc175b9c0f1b6a831c399e269772661";
const GONE: &str = "<Error><Code>NoSuchUpload</Code></Error>";

/// Does something with the errand of a device that stored a part of so many bytes.
fn with_errand<T>(number: u16, bytes: u64, and: impl FnOnce(&Errand<'_>) -> T) -> T {
    let device = Device::with_grants(r#"[{"bucket": "devices", "mount": "m/"}]"#);
    let target = format!("/devices/a/k?partNumber={number}&uploadId=U");
    device.request("PUT", &target, &[], |authorized| {
        let errand = authorized.unwrap().errand(&seals()).unwrap();
        and(&errand.of_length(Some(bytes)))
    })
}

fn after(number: u16, bytes: u64) -> Option<(EarlyJoin, Task)> {
    with_errand(number, bytes, |errand| EarlyJoin::after(errand, 1000))
}

fn number(number: u16) -> PartNumber {
    PartNumber::of(number).unwrap()
}

fn group(at: u16, bytes: u64) -> Option<(u16, u16)> {
    let group = Group::of(number(at), bytes)?;
    assert_eq!(
        (group.first.get()..=group.last.get()).len(),
        usize::from(group.count)
    );
    Some((group.first.get(), group.last.get()))
}

fn origin(status: u16, headers: &[(&str, &str)], body: &str) -> Outcome {
    let header = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    Outcome::Answered(OriginAnswer {
        status,
        headers: headers.iter().map(header).collect(),
        body: body.as_bytes().to_vec(),
    })
}

fn list(early: &EarlyJoin, parts: &[(u16, u64)]) -> Outcome {
    let entry = |(at, size): &(u16, u64)| {
        let key = early.folder.part(number(*at));
        format!("<Contents><Key>{key}</Key><ETag>\"{at:032x}\"</ETag><Size>{size}</Size></Contents>")
    };
    let entries: String = parts.iter().map(entry).collect();
    let truncated = !parts.is_empty();
    let document =
        format!("<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{entries}</ListBucketResult>");
    origin(200, &[], &document)
}

fn made() -> Outcome {
    origin(200, &[("etag", &format!("\"{ETAG}\""))], "")
}

/// The group of parts 6 to 10 of 1 MiB.
const WHOLE: [(u16, u64); 5] = [(6, MIB), (7, MIB), (8, MIB), (9, MIB), (10, MIB)];

/// An early join that got as far as these outcomes, behind the list of its group.
fn advanced(outcomes: Vec<Outcome>) -> (EarlyJoin, Result<Option<Task>, Refusal>) {
    let (mut early, _) = after(8, MIB).unwrap();
    let listed = list(&early, &WHOLE);
    let mut next = early.advance(listed);
    for outcome in outcomes {
        assert!(matches!(next, Ok(Some(_))), "{next:?}");
        next = early.advance(outcome);
    }
    (early, next)
}

fn task(next: Result<Option<Task>, Refusal>) -> Task {
    next.unwrap().unwrap()
}

#[test]
fn parts_of_one_size_fall_into_groups_that_just_reach_5_mib() {
    assert_eq!(
        (group(1, MIB), group(5, MIB), group(6, MIB)),
        (Some((1, 5)), Some((1, 5)), Some((6, 10)))
    );
    assert_eq!(group(52, 100 * 1024), Some((1, 52)));
    assert_eq!(group(53, 100 * 1024), Some((53, 104)));
    assert_eq!(group(2, MIN_PART_BYTES - 1), Some((1, 2)));
    assert_eq!(group(3, MIN_PART_BYTES / 2), Some((3, 4)));
    assert_eq!(group(9_999, MIN_PART_BYTES / 2), Some((9_999, 10_000)));
    // There is no part 10,001 to come.
    assert_eq!(group(10_000, 2 * MIB), None);
    // OSS takes none below 100 KiB, but as the last.
    for bytes in [0, 1, 80, 5243, 98 * 1024] {
        assert_eq!(group(1, bytes), None, "{bytes}");
    }
}

#[test]
fn the_group_of_a_staged_part_is_listed_and_nothing_else_of_its_folder() {
    let (early, first) = after(8, MIB).unwrap();
    let key = early.folder.part(number(5)).replace('/', "%2F");
    let prefix = early.folder.as_str().replace('/', "%2F");
    assert_eq!(
        first.request.query,
        format!("marker={key}&max-keys=5&prefix={prefix}")
    );
    assert_eq!((first.request.method, first.request.path.as_str()), ("GET", "/"));
    assert!(first.sources.is_empty());
    let (_, first) = after(5, MIB).unwrap();
    assert_eq!(first.request.query, format!("max-keys=5&prefix={prefix}"));
    assert_eq!(early.origin().bucket, "acme-ingest");
}

#[test]
fn only_a_staged_part_is_joined_early_and_only_where_enough_requests_are_left() {
    assert!(after(8, MIN_PART_BYTES).is_none());
    assert!(after(8, 0).is_none());
    let with = |requests| with_errand(8, MIB, |errand| EarlyJoin::after(errand, requests)).is_some();
    assert!(with(10) && !with(9));
    let device = Device::with_grants(r#"[{"bucket": "devices", "operations": ["PutObject"]}]"#);
    let other = device.request("PUT", "/devices/k", &[], |authorized| {
        let errand = authorized.unwrap().errand(&seals()).unwrap().of_length(Some(MIB));
        EarlyJoin::after(&errand, 1000).is_none()
    });
    assert!(other);
}

#[test]
fn a_whole_group_is_joined_as_a_completion_would_join_it() {
    let (_, next) = advanced(vec![]);
    let task = task(next);
    with_errand(8, MIB, |errand| {
        let folder = errand.folder().unwrap();
        assert_eq!(task.request, OriginRequest::join(errand, number(6), 5 * MIB));
        let parts: String = WHOLE
            .iter()
            .map(|(at, _)| format!("<Part><PartNumber>{at}</PartNumber><ETag>{at:032x}</ETag></Part>"))
            .collect();
        let parts = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let parts = PartList::from_device(parts.as_bytes(), Dialect::Oss).unwrap();
        let source = |part| OriginRequest::staged_part(errand, &folder, part);
        assert_eq!(task.sources, parts.parts().iter().map(source).collect::<Vec<_>>());
    });
}

#[test]
fn a_group_that_is_not_whole_or_needs_not_all_of_its_parts_is_left_to_the_completion() {
    for listed in [
        &[] as &[_],
        &WHOLE[..4],
        &[(6, MIB), (7, MIB), (8, MIB), (10, MIB), (11, MIB)],
        &[(7, MIB), (8, MIB), (9, MIB), (10, MIB), (11, MIB)],
        &[(6, MIB), (7, MIB), (8, MIB), (9, MIB), (10, MIB - 1)],
        &[(6, 2 * MIB), (7, MIB), (8, MIB), (9, MIB), (10, MIB)],
    ] {
        let (mut early, _) = after(8, MIB).unwrap();
        let listed = list(&early, listed);
        assert!(early.advance(listed).unwrap().is_none());
    }
}

#[test]
fn a_join_is_recorded_and_the_record_stays_while_the_upload_is_there() {
    let (early, next) = advanced(vec![made()]);
    let record = task(next).request;
    let key = format!("{}joined/00006-00010-", early.folder.as_str());
    with_errand(8, MIB, |errand| {
        let key = record.path.strip_prefix('/').unwrap();
        assert_eq!(record, OriginRequest::record(errand, key));
    });
    assert!(record.path.starts_with(&format!("/{key}")) && record.path.ends_with(&format!("-{ETAG}")));
    assert_eq!(early.document_bytes(200), 0);

    let (_, next) = advanced(vec![made(), origin(200, &[], "")]);
    with_errand(8, MIB, |errand| {
        assert_eq!(task(next).request, OriginRequest::list_parts(errand, None));
    });
    let (_, next) = advanced(vec![made(), origin(200, &[], ""), origin(200, &[], "")]);
    assert!(next.unwrap().is_none());
}

#[test]
fn the_record_of_an_upload_that_is_over_is_deleted() {
    let (_, next) = advanced(vec![made()]);
    let path = task(next).request.path;
    let (_, next) = advanced(vec![made(), origin(200, &[], ""), origin(404, &[], GONE)]);
    let request = task(next).request;
    assert_eq!((request.method, request.path), ("DELETE", path));
    let over = |end| advanced(vec![made(), origin(200, &[], ""), origin(404, &[], GONE), end]).1;
    assert!(over(origin(204, &[], "")).unwrap().is_none());
    assert!(over(origin(500, &[], "")).is_err());
}

#[test]
fn what_happens_to_the_upload_meanwhile_is_no_fault_and_leaves_no_record() {
    for outcome in [origin(404, &[], GONE), Outcome::Source(404), Outcome::Source(412)] {
        let (_, next) = advanced(vec![outcome]);
        assert!(next.unwrap().is_none());
    }
}

#[test]
fn what_fails_is_told_to_the_log_and_ends_it() {
    let failures: [&dyn Fn() -> Outcome; 3] = [
        &|| origin(503, &[], "<Error><Code>SlowDown</Code></Error>"),
        &|| origin(403, &[], "<Error><Code>AccessDenied</Code></Error>"),
        &|| Outcome::Failed("reset".to_owned()),
    ];
    for fail in failures {
        let (mut early, _) = after(8, MIB).unwrap();
        assert!(early.advance(fail()).is_err());
        for before in [vec![], vec![made()], vec![made(), made()]] {
            let (_, next) = advanced(before.into_iter().chain([fail()]).collect());
            assert!(next.is_err());
        }
    }
    let (mut early, _) = after(8, MIB).unwrap();
    let refusal = early.advance(origin(200, &[], "<html/>")).unwrap_err();
    assert_eq!(refusal.fault(), Fault::OriginAnswerUnreadable);
    // Without an ETag nobody could know the joined part again.
    assert!(advanced(vec![origin(200, &[], "")]).1.is_err());
}
