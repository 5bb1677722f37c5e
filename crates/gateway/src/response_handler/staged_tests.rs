//! Uploads with staged parts against a model of S3, which fails, or takes the gateway down, at every request.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails a test")]

use std::sync::atomic::{AtomicU64, Ordering};

use oss_s3::answer::RequestId;
use oss_s3::request::OriginBody;

use super::model::{Bytes, MIB, S3, SOURCE, error, length};
use super::*;
use crate::device::{AMPLE, Device, asked};

pub(super) const UPLOAD: &str = "k?partNumber={}&uploadId=U";

/// What happens at one of the gateway's requests to S3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// S3 answers with this status and does nothing.
    Refused(u16),
    /// The gateway is gone before it is sent.
    KilledBefore,
    /// The gateway is gone before it hears the answer.
    KilledBehind,
    /// The connection is lost before the answer.
    Lost,
    /// Somebody replaces the object to copy from before it is sent.
    Replaced,
}

/// No two requests have the same.
fn request_id() -> RequestId {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    let mut id = [1; 12];
    id[4..].copy_from_slice(&REQUESTS.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    RequestId::from_bytes(id)
}

/// A device and its upload.
pub(super) struct World {
    pub(super) device: Device,
    pub(super) s3: S3,
    /// At which request what happens.
    pub(super) fault: Option<(usize, Fault)>,
}

/// Why an exchange did not end with an answer.
#[derive(Debug)]
pub(super) enum Stopped {
    Killed,
    Refused(Refusal),
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            device: Device::with_grants(
                r#"[{"bucket": "devices", "operations": ["upload-only", "ListParts", "UploadPartCopy", "GetObject"]}]"#,
            ),
            s3: S3::new(),
            fault: None,
        }
    }

    /// One request of the gateway's, with what is to happen at it.
    fn ask(
        s3: &mut S3,
        fault: Option<(usize, Fault)>,
        request: &OriginRequest,
        body: &Bytes,
    ) -> Result<OriginAnswer, Option<String>> {
        let fault = fault.filter(|(at, _)| *at == s3.requests).map(|(_, fault)| fault);
        match fault {
            Some(Fault::Refused(status)) => {
                s3.requests += 1;
                let code = match status {
                    400 => "InvalidPart",
                    503 => "SlowDown",
                    _ => "InternalError",
                };
                Ok(error(status, code))
            }
            Some(Fault::KilledBefore) => Err(None),
            Some(Fault::KilledBehind) => {
                s3.answer(request, body);
                Err(None)
            }
            Some(Fault::Lost) => {
                s3.answer(request, body);
                Err(Some("lost".to_owned()))
            }
            Some(Fault::Replaced) => {
                s3.replaced += 1;
                Ok(s3.answer(request, body))
            }
            None => Ok(s3.answer(request, body)),
        }
    }

    /// Runs one request of the device's to its end.
    pub(super) fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        (document, body): (&str, &Bytes),
        allowance: Allowance,
    ) -> Result<Answer, Stopped> {
        let Self { device, s3, fault } = self;
        let fault = *fault;
        let id = request_id();
        let target = format!("/devices/{target}");
        let mut headers = headers.to_vec();
        headers.extend(s3.wants_payer.then_some(("x-oss-request-payer", "requester")));
        device.request(method, &target, &headers, |authorized| {
            let errand = authorized
                .unwrap()
                .errand(&crate::device::seals())
                .map_err(Stopped::Refused)?;
            let errand = errand.of_length(Some(length(body)));
            let (mut exchange, mut step) =
                Exchange::begin(errand, document.as_bytes(), &asked(&id)).map_err(Stopped::Refused)?;
            let begun = s3.requests;
            loop {
                let left = |s3: &S3| Allowance {
                    requests: allowance.requests - u32::try_from(s3.requests - begun).unwrap(),
                    ..allowance
                };
                step = match step {
                    Step::Answer(answer) => return Ok(answer),
                    Step::Send(request) => match Self::ask(s3, fault, &request, body) {
                        Ok(answer) => exchange
                            .advance(&answer, &asked(&id), left(s3))
                            .map_err(Stopped::Refused)?,
                        Err(None) => return Err(Stopped::Killed),
                        Err(Some(why)) => {
                            let refusal = Refusal::new(oss_s3::error::Fault::OriginUnavailable);
                            exchange
                                .unanswered(refusal.because(why))
                                .map_err(Stopped::Refused)?
                        }
                    },
                    Step::Together(tasks) => {
                        assert!(!tasks.is_empty());
                        let mut outcomes = Vec::new();
                        for task in tasks {
                            outcomes.push(Self::task(s3, fault, &task)?);
                        }
                        exchange
                            .advance_together(outcomes, &asked(&id), left(s3))
                            .map_err(Stopped::Refused)?
                    }
                    Step::Stream(answer) => panic!("{answer:?}"),
                }
            }
        })
    }

    fn task(s3: &mut S3, fault: Option<(usize, Fault)>, task: &Task) -> Result<Outcome, Stopped> {
        let mut joined = Bytes::new();
        for source in &task.sources {
            match Self::ask(s3, fault, source, &Bytes::new()) {
                Ok(answer) if matches!(answer.status, 200 | 206) => {
                    joined.extend(match source.path.as_str() {
                        SOURCE => s3.read(source, "range", "").1,
                        path => s3.staged[path.strip_prefix('/').unwrap()].clone(),
                    });
                }
                Ok(answer) => return Ok(Outcome::Source(answer.status)),
                Err(None) => return Err(Stopped::Killed),
                Err(Some(why)) => return Ok(Outcome::Failed(why)),
            }
        }
        if let OriginBody::Joined(bytes) = task.request.body {
            assert_eq!(bytes, length(&joined), "{task:?}");
        }
        match Self::ask(s3, fault, &task.request, &joined) {
            Ok(answer) => Ok(Outcome::Answered(answer)),
            Err(None) => Err(Stopped::Killed),
            Err(Some(why)) => Ok(Outcome::Failed(why)),
        }
    }

    /// Uploads a part.
    pub(super) fn upload(&mut self, number: u16, bytes: &Bytes) -> Result<String, Stopped> {
        let target = UPLOAD.replace("{}", &number.to_string());
        let answer = self.send("PUT", &target, &[], ("", bytes), AMPLE)?;
        let etag = answer.header("etag").unwrap();
        Ok(String::from_utf8(etag.to_vec()).unwrap())
    }

    pub(super) fn complete_all(&mut self) -> Result<Answer, Stopped> {
        let all = [("x-oss-complete-all", "yes")];
        self.send("POST", "k?uploadId=U", &all, ("", &Bytes::new()), AMPLE)
    }

    pub(super) fn complete(
        &mut self,
        parts: &[(u16, String)],
        allowance: Allowance,
    ) -> Result<Answer, Stopped> {
        let parts = parts.iter().map(|(number, etag)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        });
        let parts: String = parts.collect();
        let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        self.send("POST", "k?uploadId=U", &[], (&document, &Bytes::new()), allowance)
    }
}

/// An upload of parts of these sizes, in MiB, and the device's list of them.
pub(super) fn uploaded(sizes: &[u64]) -> (World, Vec<(u16, String)>, Bytes) {
    let mut world = World::new();
    let (mut list, mut whole) = (Vec::new(), Bytes::new());
    for (number, size) in (1..).zip(sizes) {
        let bytes = vec![(u32::from(number), size * MIB)];
        list.push((number, world.upload(number, &bytes).unwrap()));
        whole.extend(bytes);
    }
    (world, list, whole)
}

/// Small parts before, between and behind large ones, and some of them joined with large ones' worth.
const SIZES: [u64; 15] = [1, 1, 1, 1, 1, 1, 8, 2, 2, 2, 4, 4, 6, 3, 1];

#[test]
fn small_parts_wait_in_the_folder_and_the_object_is_their_concatenation() {
    let (mut world, list, whole) = uploaded(&SIZES);
    assert_eq!(
        (world.s3.staged.len(), world.s3.parts.as_ref().unwrap().len()),
        (13, 2)
    );
    let answer = world.complete(&list, AMPLE).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(world.s3.object.as_ref(), Some(&whole));
    assert!(world.s3.staged.is_empty() && world.s3.parts.is_none());
    // And once more, as if that answer was lost.
    let again = world.complete(&list, AMPLE).unwrap();
    assert_eq!(again.header("etag"), answer.header("etag"));
}

#[test]
fn whatever_fails_at_whichever_request_a_repeated_complete_ends_in_the_same_object() {
    let (world, list, whole) = uploaded(&SIZES);
    let begun = world.s3.requests;
    let faults = [
        Fault::Refused(500),
        Fault::Refused(503),
        Fault::Lost,
        Fault::KilledBefore,
        Fault::KilledBehind,
    ];
    for (fault, is_named) in faults
        .into_iter()
        .flat_map(|fault| [(fault, true), (fault, false)])
    {
        let complete = |world: &mut World| match is_named {
            true => world.complete(&list, AMPLE),
            false => world.complete_all(),
        };
        for at in begun.. {
            let mut world = World {
                device: Device::with_grants(r#"[{"bucket": "devices"}]"#),
                s3: world.s3.clone(),
                fault: Some((at, fault)),
            };
            let first = complete(&mut world);
            let is_over = world.s3.requests <= at && first.is_ok();
            if let Err(Stopped::Refused(refusal)) = &first {
                assert!(refusal.status() >= 500, "{fault:?} at {at}: {refusal:?}");
            }
            world.fault = None;
            let second = complete(&mut world);
            assert_eq!(second.unwrap().status, 200, "{fault:?} at {at}");
            assert_eq!(world.s3.object.as_ref(), Some(&whole), "{fault:?} at {at}");
            // A success whose cleaning failed is the lifecycle rule's, or the next request's.
            assert!(
                world.s3.staged.is_empty(),
                "{fault:?} at {at}: {:?}",
                world.s3.staged
            );
            if is_over {
                break;
            }
        }
    }
}

#[test]
fn a_completion_that_may_send_few_requests_goes_on_with_each_repetition() {
    let (mut world, list, whole) = uploaded(&[1; 200]);
    let few = Allowance {
        requests: 150,
        ..AMPLE
    };
    let mut rounds = 0;
    loop {
        let before = world.s3.requests;
        let outcome = world.complete(&list, few);
        assert!(world.s3.requests - before <= 150);
        match outcome {
            Ok(answer) => break assert_eq!(answer.status, 200),
            Err(Stopped::Refused(refusal)) => {
                assert_eq!(refusal.status(), 503);
                let id = RequestId::from_bytes([1; 12]);
                let answer = refusal.answer(&asked(&id));
                assert_eq!(answer.header("retry-after"), Some(b"1".as_slice()));
            }
            Err(Stopped::Killed) => panic!("nobody kills it"),
        }
        rounds += 1;
        assert!(rounds < 20);
    }
    assert!(rounds > 1, "{rounds}");
    assert_eq!(world.s3.object, Some(whole));
    assert!(world.s3.staged.is_empty());
}

#[test]
fn a_completion_that_could_never_join_anything_is_the_operators_to_mend() {
    let (mut world, list, _) = uploaded(&[1; 12]);
    let few = Allowance {
        requests: 20,
        ..AMPLE
    };
    match world.complete(&list, few) {
        Err(Stopped::Refused(refusal)) => assert_eq!(
            (refusal.status(), refusal.blame()),
            (500, oss_s3::error::Blame::Operator)
        ),
        outcome => panic!("{:?}", outcome.is_ok()),
    }
}

#[test]
fn a_completion_whose_joined_part_got_another_etag_meanwhile_begins_anew() {
    let (world, list, whole) = uploaded(&SIZES);
    let run = |fault| {
        let mut world = World {
            s3: world.s3.clone(),
            fault,
            ..World::new()
        };
        let outcome = world.complete(&list, AMPLE);
        assert!(outcome.is_err() || world.s3.object.as_ref() == Some(&whole));
        (outcome, world.s3)
    };
    let (_, plain) = run(None);
    let mut requests = world.s3.requests..plain.requests;
    let made = requests.find(|&at| run(Some((at, Fault::KilledBehind))).1.object.is_some());
    let (outcome, s3) = run(Some((made.unwrap(), Fault::Refused(400))));
    assert!(outcome.is_ok() && s3.requests > plain.requests);
}

#[test]
fn a_completion_without_time_changes_nothing() {
    let (mut world, list, _) = uploaded(&SIZES);
    let before = world.s3.parts.clone();
    let none = Allowance { seconds: 3, ..AMPLE };
    assert!(matches!(world.complete(&list, none), Err(Stopped::Refused(refusal)) if refusal.status() == 503));
    assert_eq!((world.s3.parts, world.s3.object), (before, None));
}

#[test]
fn a_mix_that_s3_cannot_express_is_refused_before_anything_is_changed() {
    for sizes in [[1, 8, 1].as_slice(), &[8, 2, 2, 8], &[4, 6]] {
        let (mut world, list, _) = uploaded(sizes);
        let before = (world.s3.staged.clone(), world.s3.parts.clone());
        match world.complete(&list, AMPLE) {
            Err(Stopped::Refused(refusal)) => assert_eq!(refusal.code(), "EntityTooSmall"),
            outcome => panic!("{sizes:?}: {:?}", outcome.is_ok()),
        }
        assert_eq!((world.s3.staged, world.s3.parts), before);
    }
}

#[test]
fn a_part_with_another_etag_is_refused_before_anything_is_changed() {
    let (mut world, mut list, _) = uploaded(&[1; 12]);
    list[3].1 = "\"0cc175b9c0f1b6a831c399e269772661\"".to_owned();
    let before = (world.s3.staged.clone(), world.s3.parts.clone());
    match world.complete(&list, AMPLE) {
        Err(Stopped::Refused(refusal)) => assert_eq!(refusal.code(), "InvalidPart"),
        outcome => panic!("{:?}", outcome.is_ok()),
    }
    assert_eq!((world.s3.staged, world.s3.parts), before);
}

#[test]
fn a_part_number_holds_what_was_uploaded_last_whichever_way_either_was_stored() {
    let all = [("x-oss-complete-all", "yes")];
    for sizes in [[8, 1], [1, 8], [1, 2]] {
        for named in [true, false] {
            let (mut world, mut list, mut whole) = uploaded(&[1, 1, 1, 1, 1, sizes[0], 6]);
            let again = vec![(77, sizes[1] * MIB)];
            list[5].1 = world.upload(6, &again).unwrap();
            whole[5] = again[0];
            let answer = if named {
                world.complete(&list, AMPLE)
            } else {
                world.send("POST", "k?uploadId=U", &all, ("", &Bytes::new()), AMPLE)
            };
            assert_eq!(answer.unwrap().status, 200, "{sizes:?}");
            assert_eq!(world.s3.object, Some(whole), "{sizes:?}");
            assert!(world.s3.staged.is_empty());
        }
    }
}

#[test]
fn an_abort_leaves_nothing_and_one_that_is_repeated_finds_what_the_first_left() {
    let (world, ..) = uploaded(&SIZES);
    let mut aborted = World {
        s3: world.s3.clone(),
        ..World::new()
    };
    let abort = |world: &mut World| world.send("DELETE", "k?uploadId=U", &[], ("", &Bytes::new()), AMPLE);
    assert_eq!(abort(&mut aborted).unwrap().status, 204);
    assert!(aborted.s3.staged.is_empty() && aborted.s3.parts.is_none());
    assert!(matches!(abort(&mut aborted), Err(Stopped::Refused(refusal)) if refusal.status() == 404));

    let mut killed = World {
        s3: world.s3.clone(),
        ..World::new()
    };
    killed.fault = Some((killed.s3.requests + 1, Fault::KilledBefore));
    assert!(matches!(abort(&mut killed), Err(Stopped::Killed)));
    killed.fault = None;
    assert!(!killed.s3.staged.is_empty());
    assert_eq!(abort(&mut killed).unwrap().status, 204);
    assert!(killed.s3.staged.is_empty());
}

#[test]
fn a_part_is_sent_again_while_the_one_that_it_replaces_can_not_be_deleted() {
    let (mut world, mut list, _) = uploaded(&[1, 6]);
    let large = vec![(9, 7 * MIB)];
    for fault in [Fault::Refused(500), Fault::Lost] {
        world.fault = Some((world.s3.requests + 1, fault));
        match world.upload(1, &large) {
            Err(Stopped::Refused(refusal)) => assert_eq!(refusal.status(), 503, "{fault:?}"),
            outcome => panic!("{:?}", outcome.is_ok()),
        }
    }
    world.fault = None;
    list[0].1 = world.upload(1, &large).unwrap();
    assert!(world.s3.staged.is_empty());
    world.complete(&list, AMPLE).unwrap();
    assert_eq!(world.s3.object, Some(vec![(9, 7 * MIB), (2, 6 * MIB)]));
}

#[test]
fn a_completion_or_an_abort_whose_cleaning_meets_no_answer_is_what_it_was() {
    for method in ["POST", "DELETE"] {
        let (world, list, whole) = uploaded(&SIZES);
        let run = |fault| {
            let mut world = World {
                s3: world.s3.clone(),
                fault,
                ..World::new()
            };
            let outcome = match method {
                "POST" => world.complete(&list, AMPLE),
                _ => world.send("DELETE", "k?uploadId=U", &[], ("", &Bytes::new()), AMPLE),
            };
            (outcome, world.s3)
        };
        let (_, after) = run(None);
        // The cleaning's requests: two pages, a list and a deletion for each.
        for at in after.requests - 4..after.requests {
            let (outcome, s3) = run(Some((at, Fault::Lost)));
            assert!(matches!(outcome.unwrap().status, 200 | 204), "{method} {at}");
            assert_eq!(s3.object, (method == "POST").then(|| whole.clone()));
        }
    }
}
