//! What a device is told of the parts of its upload, staged ones and S3's alike, page by page.

use sha2::{Digest as _, Sha256};

use super::model::{Bytes, MIB, texts};
use super::staged_tests::{World, uploaded};
use crate::device::AMPLE;

/// Numbers and ETags, as a device that asks for so many parts a page is told them.
fn told(world: &mut World, most: usize) -> Vec<(u16, String)> {
    let (mut told, mut marker) = (Vec::new(), 0);
    loop {
        let target = format!("k?uploadId=U&max-parts={most}&part-number-marker={marker}");
        let answer = world
            .send("GET", &target, &[], ("", &Bytes::new()), AMPLE)
            .unwrap();
        let numbers = texts(&answer.body, "PartNumber");
        assert!(numbers.len() <= most);
        let numbers = numbers.iter().map(|number| number.parse().unwrap());
        told.extend(numbers.zip(texts(&answer.body, "ETag")));
        let [next] = texts(&answer.body, "NextPartNumberMarker").try_into().unwrap();
        if texts(&answer.body, "IsTruncated") == ["false"] {
            return told;
        }
        let next = next.parse().unwrap();
        assert!(next > marker, "{next} behind {marker}");
        assert!(
            told.last().is_none_or(|(last, _)| *last <= next),
            "{told:?}, {next}"
        );
        marker = next;
    }
}

/// Leaves behind what a part of this number without a length was stored as.
fn leave_unsized(world: &mut World, folder: &str, number: u16) {
    let key = format!("{folder}{number:05}.unsized");
    world.s3.staged.insert(key, vec![(u32::from(number), 9 * MIB)]);
}

fn folder(world: &mut World) -> String {
    let etag = world.upload(9_999, &vec![(0, 1)]).unwrap();
    let key = world.s3.staged.last_key_value().unwrap().0.clone();
    assert!(key.ends_with("/09999"), "{key} {etag}");
    world.s3.staged.remove(&key);
    key.strip_suffix("09999").unwrap().to_owned()
}

#[test]
fn parts_are_listed_alike_wherever_they_are_and_page_by_page() {
    let (mut world, list, _) = uploaded(&[1, 1, 8, 1, 6, 1, 1, 1, 1, 1, 1, 1, 8, 1]);
    // What a completion that was interrupted joined is no part of the device's.
    let joined = vec![(6, MIB), (7, MIB)];
    world.s3.parts.as_mut().unwrap().insert(6, joined);
    for most in [1, 2, 3, 5, 14, 1000] {
        assert_eq!(told(&mut world, most), list, "{most} a page");
    }
}

#[test]
fn a_part_that_broke_off_before_its_first_byte_is_not_listed() {
    let (mut world, list, _) = uploaded(&[1, 0, 1]);
    let numbers: Vec<u16> = told(&mut world, 1000).iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 3]);
    // The device that sent it so may complete it.
    assert_eq!(world.complete(&list, AMPLE).unwrap().status, 200);
}

#[test]
fn parts_behind_more_leftovers_than_a_page_has_are_listed() {
    for large in [None, Some(2), Some(30)] {
        let mut world = World::new();
        let folder = folder(&mut world);
        for number in 1..=20 {
            leave_unsized(&mut world, &folder, number);
        }
        let mut list = Vec::new();
        for (number, size) in large
            .map(|number| (number, 6 * MIB))
            .into_iter()
            .chain([(21, MIB), (22, MIB)])
        {
            list.push((
                number,
                world.upload(number, &vec![(u32::from(number), size)]).unwrap(),
            ));
        }
        list.sort();
        for most in [1, 2, 1000] {
            assert_eq!(told(&mut world, most), list, "{large:?}, {most} a page");
        }
    }
}

/// Each part in one of eight ways, by a digest: the cases are many and always the same.
#[test]
fn whatever_is_in_the_folder_and_at_s3_a_list_has_every_part_once_and_in_order() {
    for case in 0_u16..80 {
        let mut world = World::new();
        let folder = folder(&mut world);
        let mut list = Vec::new();
        let ways = Sha256::digest(case.to_be_bytes());
        // Three of four cases are mostly of one kind.
        let often = [0, 1, 5, 6][usize::from(case % 4)];
        for (number, way) in (1_u16..).zip(ways) {
            let at = u32::from(number);
            if way & 0x80 != 0 {
                leave_unsized(&mut world, &folder, number);
            }
            let mut send = |size| world.upload(number, &vec![(at, size)]).unwrap();
            match if way & 0x40 == 0 { often } else { way % 8 } {
                0 => list.push((number, send(MIB))),
                1 => list.push((number, send(6 * MIB))),
                2 => {
                    send(6 * MIB);
                    list.push((number, send(2 * MIB)));
                }
                3 => {
                    send(2 * MIB);
                    list.push((number, send(6 * MIB)));
                }
                // What broke off is told of no more than what was never sent.
                4 => drop(send(0)),
                5 => {
                    send(6 * MIB);
                    send(0);
                }
                _ => {}
            }
            if way % 32 == 7 {
                let record = format!("{folder}joined/{number:05}-{number:05}-{}-e", "0".repeat(32));
                world.s3.staged.insert(record, Bytes::new());
            }
        }
        for most in [1, 3, 7, 1000] {
            assert_eq!(told(&mut world, most), list, "case {case}, {most} a page");
        }
    }
}
