//! Parts that are copied, small ones among them, against a model of S3.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails a test")]

use oss_s3::answer::RequestId;

use super::model::{Bytes, MIB, S3, SOURCE, error, length, texts};
use super::staged_tests::{Fault as Event, Stopped, UPLOAD, World};
use super::*;
use crate::device::{AMPLE, Device, asked, seals};
use crate::early_join::EarlyJoin;

const FROM: (&str, &str) = ("x-oss-copy-source", "/devices/a/source");
const RANGE: &str = "x-oss-copy-source-range";
const SIZE: u64 = 20 * MIB;
const SMALLEST: u64 = 5 * MIB;
const GRANTS: &str =
    r#"[{"bucket": "devices", "operations": ["upload-only", "ListParts", "UploadPartCopy", "GetObject"]}]"#;

/// A device and its upload beside a source of this many bytes.
fn world(source: impl Into<Option<u64>>) -> World {
    let mut world = World::new();
    world.s3.source = source.into();
    world
}

/// What these bytes of the source are.
fn piece(first: u64, size: u64) -> (u32, u64) {
    (1000 + u32::try_from(first).unwrap(), size)
}

fn copy_with(world: &mut World, number: u16, headers: &[(&str, &str)]) -> Result<Answer, Stopped> {
    let target = UPLOAD.replace("{}", &number.to_string());
    let headers = [&[FROM], headers].concat();
    world.send("PUT", &target, &headers, ("", &Bytes::new()), AMPLE)
}

/// Copies so many bytes of the source from `first` on.
fn copy(world: &mut World, number: u16, first: u64, size: u64) -> Result<Answer, Stopped> {
    let range = format!("bytes={first}-{}", first + size - 1);
    copy_with(world, number, &[(RANGE, &range)])
}

fn etag(answer: &Answer) -> String {
    String::from_utf8(answer.header("etag").unwrap().to_vec()).unwrap()
}

fn refusal(outcome: Result<Answer, Stopped>) -> (u16, &'static str) {
    match outcome {
        Err(Stopped::Refused(refusal)) => (refusal.status(), refusal.code()),
        outcome => panic!("{outcome:?}"),
    }
}

fn stored(world: &World) -> (usize, usize) {
    (world.s3.staged.len(), world.s3.parts.as_ref().unwrap().len())
}

/// Begins a copy with these headers, and hands on what it asks for first.
fn begun<T>(device: &Device, headers: &[(&str, &str)], and: impl FnOnce(Exchange<'_>, Step) -> T) -> T {
    let id = RequestId::from_bytes([1; 12]);
    let headers = [&[FROM], headers].concat();
    let target = "/devices/k?partNumber=7&uploadId=U";
    device.request("PUT", target, &headers, |authorized| {
        let errand = authorized.unwrap().errand(&seals()).unwrap();
        let (exchange, step) = Exchange::begin(errand.of_length(Some(0)), b"", &asked(&id)).unwrap();
        and(exchange, step)
    })
}

fn sent(step: Step) -> OriginRequest {
    match step {
        Step::Send(request) => request,
        step => panic!("{step:?}"),
    }
}

fn lines(request: &OriginRequest) -> Vec<String> {
    let line = |(name, value): &(_, Vec<u8>)| format!("{name}: {}", String::from_utf8_lossy(value));
    request.headers.iter().map(line).collect()
}

#[test]
fn a_small_part_is_read_from_its_source_as_it_was_weighed_and_stored_like_one_that_is_sent() {
    let device = Device::with_grants(GRANTS);
    let range = [
        (RANGE, "bytes=7-1006"),
        ("x-oss-copy-source-if-none-match", "\"x\""),
    ];
    begun(&device, &range, |mut exchange, step| {
        let id = RequestId::from_bytes([1; 12]);
        let head = sent(step);
        assert_eq!((head.method, head.path.as_str()), ("HEAD", SOURCE));
        assert_eq!(
            lines(&head),
            ["accept-encoding: identity", "if-none-match: \"x\""]
        );
        let weighed = S3 {
            source: Some(SIZE),
            ..S3::new()
        }
        .answer(&head, &Bytes::new());
        let Step::Together(tasks) = exchange.advance(&weighed, &asked(&id), AMPLE).unwrap() else {
            panic!("it is not staged");
        };
        let [Task { request, sources }] = tasks.as_slice() else {
            panic!("{tasks:?}");
        };
        let [source] = sources.as_slice() else {
            panic!("{sources:?}")
        };
        assert_eq!((source.method, source.url()), ("GET", head.url()));
        assert_eq!(
            lines(source),
            [
                "accept-encoding: identity",
                "if-match: \"source-0\"",
                "range: bytes=7-1006"
            ]
        );
        let folder = exchange.errand().folder().unwrap();
        let number = exchange.errand().part_number().unwrap();
        assert_eq!(request.path, format!("/{}", folder.part(number)));
        assert_eq!((request.method, request.query.as_str()), ("PUT", ""));
        assert_eq!(request.body, oss_s3::request::OriginBody::Joined(1000));
        assert_eq!(lines(request), ["accept-encoding: identity"]);
        let answered = Outcome::Answered(S3::new().answer(request, &Bytes::from([piece(7, 1000)])));
        let Step::Answer(answer) = exchange
            .advance_together(vec![answered], &asked(&id), AMPLE)
            .unwrap()
        else {
            panic!("it is not answered");
        };
        assert_eq!(answer.status, 200);
        assert_eq!(texts(&answer.body, "ETag"), [etag(&answer)]);
        assert_eq!(texts(&answer.body, "LastModified"), ["2024-05-01T12:34:56.000Z"]);
        assert_eq!(
            answer.header("x-oss-copy-source-version-id"),
            Some(b"v7".as_slice())
        );
    });
}

#[test]
fn a_small_part_that_is_copied_may_be_the_last_of_its_group() {
    let device = Device::with_grants(GRANTS);
    for (first, is_joined) in [(0, true), (SIZE, false)] {
        let range = format!("bytes={first}-{}", first + MIB - 1);
        begun(&device, &[(RANGE, &range)], |mut exchange, step| {
            let id = RequestId::from_bytes([1; 12]);
            assert!(EarlyJoin::after(exchange.errand(), 1000).is_none());
            let mut s3 = S3 {
                source: Some(SIZE),
                ..S3::new()
            };
            let weighed = s3.answer(&sent(step), &Bytes::new());
            let _ = exchange.advance(&weighed, &asked(&id), AMPLE).unwrap();
            assert_eq!(EarlyJoin::after(exchange.errand(), 1000).is_some(), is_joined);
        });
    }
}

#[test]
fn what_s3_copies_to_a_part_by_itself_is_left_to_it_unasked() {
    let none = r#"[{"bucket": "devices", "operations": ["UploadPartCopy", "GetObject"]}]"#;
    for (device, size) in [
        (Device::with_grants(GRANTS), SMALLEST),
        (Device::with_grants(GRANTS), SIZE),
        (Device::without_staging(none), MIB),
        (Device::without_staging(none), SMALLEST),
    ] {
        let range = format!("bytes=0-{}", size - 1);
        begun(&device, &[(RANGE, &range)], |_, step| {
            let request = sent(step);
            assert_eq!((request.method, request.path.as_str()), ("PUT", "/k"));
            assert_eq!(request.body, oss_s3::request::OriginBody::Empty);
            let source = "x-amz-copy-source: /acme-ingest/a/source".to_owned();
            assert!(lines(&request).contains(&source));
        });
    }
    let device = Device::without_staging(none);
    begun(&device, &[], |_, step| assert_eq!(sent(step).method, "PUT"));
}

#[test]
fn copied_and_uploaded_parts_of_any_size_in_any_order_become_their_concatenation() {
    for seed in 1..200_u64 {
        let mut seed = seed;
        let mut dice = |sides: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % sides
        };
        // Each stretch of small parts has the 5 MiB that S3 needs in front of a large one.
        let mut sizes = Vec::new();
        for _ in 0..=dice(4) {
            let mut left = SMALLEST;
            while left > 0 {
                let size = [1, 100 << 10, MIB, 3 * MIB, SMALLEST - 1, SMALLEST, 6 * MIB][dice(7) as usize];
                if size >= SMALLEST && left < SMALLEST {
                    continue;
                }
                sizes.push(size);
                left = left.saturating_sub(size);
            }
        }
        sizes.push(1 + dice(7 * MIB));
        let mut world = world(SIZE);
        let (mut parts, mut etags) = (vec![(0, 0); sizes.len()], vec![String::new(); sizes.len()]);
        let mut order: Vec<(usize, u64)> = sizes.iter().copied().enumerate().collect();
        for at in 0..order.len() {
            let other = dice(order.len() as u64) as usize;
            order.swap(at, other);
        }
        // Some in another size before.
        for at in 0..order.len() / 2 {
            let again = (order[at * 2].0, [10, 2 * MIB, 7 * MIB][dice(3) as usize]);
            order.insert(0, again);
        }
        for (at, size) in order {
            let number = u16::try_from(at + 1).unwrap();
            (parts[at], etags[at]) = if dice(3) == 0 {
                let bytes = (u32::from(number), size);
                (bytes, world.upload(number, &vec![bytes]).unwrap())
            } else {
                let first = dice(SIZE - size);
                (
                    piece(first, size),
                    etag(&copy(&mut world, number, first, size).unwrap()),
                )
            };
        }
        let list: Vec<_> = (1..).zip(etags).collect();
        let answer = world.complete(&list, AMPLE).unwrap();
        assert_eq!(answer.status, 200, "{sizes:?}");
        assert_eq!(world.s3.object, Some(parts), "{sizes:?}");
        assert!(world.s3.staged.is_empty(), "{sizes:?}");
    }
}

#[test]
fn a_part_number_holds_what_was_copied_last_whichever_way_either_was_stored() {
    let all = [("x-oss-complete-all", "yes")];
    for sizes in [[6, 1], [1, 6], [1, 2], [6, 7]] {
        let mut world = world(SIZE);
        for (size, expected) in sizes.map(|size| (size, usize::from(size < 5))).into_iter() {
            copy(&mut world, 1, size, size * MIB).unwrap();
            assert_eq!(world.s3.staged.len(), expected, "{sizes:?}");
        }
        world
            .send("POST", "k?uploadId=U", &all, ("", &Bytes::new()), AMPLE)
            .unwrap();
        assert_eq!(
            world.s3.object,
            Some(vec![piece(sizes[1], sizes[1] * MIB)]),
            "{sizes:?}"
        );
    }
}

#[test]
fn a_whole_object_becomes_a_part_whatever_its_size() {
    for (size, expected) in [
        (0, (1, 0)),
        (1, (1, 0)),
        (SMALLEST - 1, (1, 0)),
        (SMALLEST, (0, 1)),
        (SIZE, (0, 1)),
    ] {
        let mut world = world(size);
        let list = [(1, etag(&copy_with(&mut world, 1, &[]).unwrap()))];
        assert_eq!(stored(&world), expected, "{size}");
        world.complete(&list, AMPLE).unwrap();
        assert_eq!(length(world.s3.object.as_ref().unwrap()), size);
    }
}

#[test]
fn what_s3_would_not_copy_is_refused_in_its_words_and_nothing_is_stored() {
    let mut nothing = world(None);
    assert_eq!(refusal(copy(&mut nothing, 1, 0, MIB)), (404, "NoSuchKey"));
    assert_eq!(refusal(copy_with(&mut nothing, 1, &[])), (404, "NoSuchKey"));
    let mut small = world(3 * MIB);
    // Beyond its end, and across it.
    for (first, size) in [(3 * MIB, 1), (3 * MIB - 1, 2), (0, 4 * MIB), (0, SMALLEST)] {
        let (status, _) = refusal(copy(&mut small, 1, first, size));
        assert!(matches!(status, 400 | 416), "{first} {size}: {status}");
    }
    for (name, value) in [
        ("x-oss-copy-source-if-match", "\"other\""),
        ("x-oss-copy-source-if-none-match", "\"source-0\""),
    ] {
        for range in ["bytes=0-9", "bytes=0-1048575"] {
            let told = refusal(copy_with(&mut small, 1, &[(name, value), (RANGE, range)]));
            assert_eq!(told, (412, "PreconditionFailed"));
        }
    }
    assert_eq!((stored(&nothing), stored(&small)), ((0, 0), (0, 0)));
}

#[test]
fn a_source_that_is_replaced_before_it_is_read_is_not_mixed_with_what_it_was() {
    let mut world = world(SIZE);
    // The first request weighs it, the second reads it.
    world.fault = Some((1, Event::Replaced));
    assert_eq!(refusal(copy(&mut world, 1, 0, MIB)), (412, "PreconditionFailed"));
    assert_eq!(stored(&world), (0, 0));
    world.fault = None;
    copy(&mut world, 1, 0, MIB).unwrap();
    assert_eq!(stored(&world), (1, 0));
}

#[test]
fn whatever_fails_at_whichever_request_the_device_copies_again() {
    for fault in [
        Event::Refused(500),
        Event::Refused(503),
        Event::Lost,
        Event::KilledBefore,
        Event::KilledBehind,
    ] {
        // It is weighed, read and stored.
        for at in 0..3 {
            let mut world = world(SIZE);
            world.fault = Some((at, fault));
            match copy(&mut world, 1, 0, MIB) {
                Err(Stopped::Killed) => {}
                outcome => assert!(refusal(outcome).0 >= 500, "{fault:?} at {at}"),
            }
            assert_eq!(world.s3.parts.as_ref().unwrap().len(), 0, "{fault:?} at {at}");
            world.fault = None;
            let mut list = vec![(1, etag(&copy(&mut world, 1, 0, MIB).unwrap()))];
            list.push((2, etag(&copy(&mut world, 2, MIB, MIB).unwrap())));
            world.complete(&list, AMPLE).unwrap();
            assert_eq!(
                world.s3.object,
                Some(vec![piece(0, MIB), piece(MIB, MIB)]),
                "{fault:?} at {at}"
            );
        }
    }
}

#[test]
fn a_source_that_can_not_be_weighed_here_is_copied_as_it_is() {
    // As S3 answers where a source is in another region.
    let device = Device::with_grants(GRANTS);
    for status in [301, 400] {
        begun(&device, &[(RANGE, "bytes=0-9")], |mut exchange, step| {
            let id = RequestId::from_bytes([1; 12]);
            assert_eq!(sent(step).method, "HEAD");
            let copy = sent(exchange.advance(&error(status, ""), &asked(&id), AMPLE).unwrap());
            assert_eq!((copy.method, copy.path.as_str()), ("PUT", "/k"));
            assert!(lines(&copy).contains(&"x-amz-copy-source-range: bytes=0-9".to_owned()));
            // What is staged under its number goes, as with any part of S3's.
            let made = S3 {
                source: Some(SIZE),
                ..S3::new()
            }
            .answer(&copy, &Bytes::new());
            let deletion = sent(exchange.advance(&made, &asked(&id), AMPLE).unwrap());
            assert_eq!(deletion.method, "DELETE");
        });
    }
}

#[test]
fn a_grant_that_limits_objects_limits_small_copies_too() {
    let grants = GRANTS.replacen('{', r#"{"max_object_bytes": 2097152, "#, 1);
    let mut world = World {
        device: Device::with_grants(&grants),
        ..world(SIZE)
    };
    assert_eq!(
        refusal(copy(&mut world, 1, 0, 2 * MIB + 1)),
        (400, "EntityTooLarge")
    );
    assert_eq!(stored(&world), (0, 0));
    let list: Vec<_> = (1..=2)
        .map(|number| (number, etag(&copy(&mut world, number, 0, MIB).unwrap())))
        .collect();
    assert_eq!(stored(&world), (2, 0));
    world.complete(&list, AMPLE).unwrap();
    assert_eq!(length(world.s3.object.as_ref().unwrap()), 2 * MIB);
}
