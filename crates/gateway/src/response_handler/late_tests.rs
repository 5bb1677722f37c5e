//! What is told of an upload that is over: a success for the parts that its object holds, and for no others. Against a
//! model of S3, with somebody else at work before each request of a completion in turn.

use std::rc::Rc;

use super::model::{Bytes, MIB, Meanwhile, S3};
use super::staged_tests::{Stopped, World, uploaded};
use super::*;
use crate::device::AMPLE;

type List = Vec<(u16, String)>;

/// Small parts that are joined, and one that is copied at the end, and a large one between them.
const SIZES: [u64; 10] = [1, 1, 1, 1, 1, 8, 2, 2, 2, 1];

/// A part that is in no list of [`uploaded`], and its number behind all of them.
const LATE: u16 = 11;

fn late() -> Bytes {
    vec![(99, MIB)]
}

/// Whether a completion is a success, and not refused because the upload, or a part, is gone.
fn is_made(outcome: Result<Answer, Stopped>) -> bool {
    match outcome {
        Ok(answer) => {
            assert_eq!(answer.status, 200);
            true
        }
        Err(Stopped::Refused(refusal)) => {
            assert!(
                matches!(refusal.code(), "NoSuchUpload" | "InvalidPart"),
                "{refusal:?}"
            );
            false
        }
        Err(Stopped::Killed) => panic!("nobody kills it"),
    }
}

/// The same upload, with a gateway and a device of its own.
fn of(s3: &S3) -> World {
    let mut world = World::new();
    world.s3 = s3.clone();
    world
}

/// Completes this list, with what somebody else does before each of its requests in turn.
fn with_somebody_else(
    world: &World,
    list: &List,
    meanwhile: impl Fn(&mut World) + 'static,
    judge: &dyn Fn(usize, bool, World),
) {
    let meanwhile: Meanwhile = Rc::new(move |s3| {
        let mut other = of(s3);
        meanwhile(&mut other);
        *s3 = other.s3;
    });
    for at in world.s3.requests.. {
        let mut world = of(&world.s3);
        world.s3.meanwhile = Some((at, meanwhile.clone()));
        let outcome = is_made(world.complete(list, AMPLE));
        let is_over = world.s3.meanwhile.take().is_some();
        judge(at, outcome, world);
        if is_over {
            break;
        }
    }
}

#[test]
fn a_completion_that_is_sent_twice_at_once_is_a_success_both_times() {
    let (world, list, whole) = uploaded(&SIZES);
    let same = list.clone();
    let other = move |other: &mut World| assert!(is_made(other.complete(&same, AMPLE)));
    with_somebody_else(&world, &list, other, &|at, is_made, world| {
        assert!(is_made, "{at}");
        assert_eq!(world.s3.object.as_ref(), Some(&whole), "{at}");
        assert!(world.s3.staged.is_empty(), "{at}: {:?}", world.s3.staged);
    });
}

#[test]
fn of_two_lists_of_staged_parts_at_once_only_the_one_that_the_object_holds_is_told_a_success() {
    let (world, list, whole) = uploaded(&[2; 7]);
    let first = world.s3.requests;
    let shorter = list[..6].to_vec();
    let part = whole[..6].to_vec();
    for (mine, its, other, others) in [
        (&list, &whole, shorter.clone(), &part),
        (&shorter, &part, list.clone(), &whole),
    ] {
        // What became of the other is seen by the object.
        let complete = move |world: &mut World| drop(world.complete(&other, AMPLE));
        with_somebody_else(&world, mine, complete, &|at, is_made, world| {
            let object = world.s3.object.unwrap();
            assert!(object == *its || object == *others, "{at}");
            // A part that the other did not name is deleted as OSS does it: behind that nothing tells that it was there.
            assert!(is_made == (object == *its) || at == first, "{at}");
        });
    }
}

#[test]
fn a_part_that_is_replaced_while_another_completion_is_under_way_is_never_told_to_be_in_its_object() {
    for is_cleaned in [true, false] {
        let (mut world, mut list, whole) = uploaded(&SIZES);
        let older = world.s3.staged.clone();
        // The other was told what was there before this one, which is as long.
        list[1].1 = world.upload(2, &late()).unwrap();
        let made = whole.clone();
        let other = move |world: &mut World| {
            if world.s3.parts.take().is_none() {
                return;
            }
            world.s3.object = Some(made.clone());
            if is_cleaned {
                world
                    .s3
                    .staged
                    .retain(|key, bytes| older.get(key).is_some_and(|older| older != bytes));
            }
        };
        with_somebody_else(&world, &list, other, &|at, is_made, world| {
            assert_eq!(
                is_made,
                world.s3.object.as_ref() != Some(&whole),
                "{at} {is_cleaned}"
            );
            assert!(
                is_made || world.s3.staged.values().any(|bytes| *bytes == late()),
                "{at}"
            );
        });
    }
}

#[test]
fn a_part_that_comes_while_the_upload_is_completed_is_never_told_to_be_in_the_object() {
    let (world, list, whole) = uploaded(&SIZES);
    let send = |world: &mut World| drop(world.upload(LATE, &late()));
    with_somebody_else(&world, &list, send, &|at, made, mut world| {
        assert!(made, "{at}");
        assert_eq!(world.s3.object.as_ref(), Some(&whole), "{at}");
        let etag = of(&world.s3).upload(LATE, &late()).unwrap();
        let more = [list.as_slice(), &[(LATE, etag)]].concat();
        if world.s3.staged.is_empty() {
            // It came before what was staged was listed, so that it was there to be named, and was not; or never.
            return;
        }
        assert!(!is_made(world.complete(&more, AMPLE)), "{at}");
        assert!(is_made(world.complete(&list, AMPLE)), "{at}");
    });
}

#[test]
fn a_part_that_comes_behind_the_completion_is_never_told_to_be_in_the_object() {
    for sizes in [SIZES.as_slice(), &[1, 1, 1], &[6], &[6, 6], &[6, 1]] {
        let (mut world, list, whole) = uploaded(sizes);
        assert!(is_made(world.complete(&list, AMPLE)));
        let etag = world.upload(LATE, &late()).unwrap();
        let more = [list.as_slice(), &[(LATE, etag)]].concat();
        assert!(!is_made(world.complete(&more, AMPLE)), "{sizes:?}");
        assert!(is_made(world.complete(&list, AMPLE)), "{sizes:?}");
        assert_eq!(world.s3.object.as_ref(), Some(&whole));
    }
}

#[test]
fn a_part_that_is_replaced_behind_the_completion_is_never_told_to_be_in_the_object() {
    for sizes in [SIZES.as_slice(), &[1, 1, 1], &[6, 1]] {
        let (mut world, list, whole) = uploaded(sizes);
        assert!(is_made(world.complete(&list, AMPLE)));
        let mut other = list.clone();
        let last = other.last_mut().unwrap();
        // As long as the one before: no length tells them apart.
        last.1 = world.upload(last.0, &late()).unwrap();
        assert!(!is_made(world.complete(&other, AMPLE)), "{sizes:?}");
        assert!(is_made(world.complete(&list, AMPLE)), "{sizes:?}");
        assert_eq!(world.s3.object.as_ref(), Some(&whole));
    }
}

#[test]
fn all_parts_are_not_told_to_be_in_the_object_while_one_waits_that_came_behind_it() {
    let complete = |world: &mut World| is_made(world.complete_all());
    let (mut world, _, whole) = uploaded(&SIZES);
    assert!(complete(&mut world) && complete(&mut world));
    assert_eq!(world.s3.object.as_ref(), Some(&whole));
    world.upload(LATE, &late()).unwrap();
    assert!(!complete(&mut world));
}

#[test]
fn what_is_sent_for_an_upload_that_is_over_is_not_told_to_be_in_its_object() {
    let (mut world, list, whole) = uploaded(&[1, 1, 1]);
    world.complete(&list, AMPLE).unwrap();
    let late = vec![(9, MIB)];
    let more = [
        vec![(1, world.upload(1, &late).unwrap())],
        vec![(2, world.upload(2, &late).unwrap())],
    ]
    .concat();
    match world.complete(&more, AMPLE) {
        Err(Stopped::Refused(refusal)) => assert_eq!(refusal.code(), "NoSuchUpload"),
        outcome => panic!("{:?}", outcome.is_ok()),
    }
    assert_eq!(world.s3.object, Some(whole));
    // The list that made the object is the object's still.
    assert_eq!(world.complete(&list, AMPLE).unwrap().status, 200);
}
