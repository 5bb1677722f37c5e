//! Buckets that another account owns: whatever is asked about staged parts repeats the device's consent to pay, as what is
//! asked about the object does.

use super::model::{Bytes, MIB};
use super::staged_tests::World;
use crate::device::AMPLE;

/// Small parts, and a large one between them.
const SIZES: [u64; 5] = [MIB, 4 * MIB, 6 * MIB, 3 * MIB, MIB];

fn uploaded() -> (World, Vec<(u16, String)>, Bytes) {
    let mut world = World::new();
    world.s3.wants_payer = true;
    let (mut list, mut whole) = (Vec::new(), Bytes::new());
    for (number, size) in (1..).zip(SIZES) {
        let bytes = vec![(u32::from(number), size)];
        list.push((number, world.upload(number, &bytes).unwrap()));
        whole.extend(bytes);
    }
    (world, list, whole)
}

#[test]
fn an_upload_to_a_bucket_that_others_pay_for_is_listed_completed_and_cleaned_up() {
    let (mut world, list, whole) = uploaded();
    let nothing = ("", &Bytes::new());
    let listed = world.send("GET", "k?uploadId=U", &[], nothing, AMPLE).unwrap();
    let listed = String::from_utf8(listed.body).unwrap();
    assert_eq!(listed.matches("<Part>").count(), SIZES.len());
    assert_eq!(world.complete(&list, AMPLE).unwrap().status, 200);
    assert_eq!(world.s3.object, Some(whole.clone()));
    assert!(world.s3.staged.is_empty(), "{:?}", world.s3.staged);
    // A retry looks at the key.
    assert_eq!(world.complete(&list, AMPLE).unwrap().status, 200);
    assert_eq!(world.s3.object, Some(whole));
}

#[test]
fn a_part_there_replaces_a_staged_one_and_an_abort_leaves_nothing() {
    let (mut world, ..) = uploaded();
    let staged = world.s3.staged.len();
    world.upload(1, &vec![(9, 7 * MIB)]).unwrap();
    assert_eq!(world.s3.staged.len(), staged - 1);
    let nothing = ("", &Bytes::new());
    let aborted = world.send("DELETE", "k?uploadId=U", &[], nothing, AMPLE).unwrap();
    assert_eq!(aborted.status, 204);
    assert!(world.s3.staged.is_empty() && world.s3.parts.is_none());
}
