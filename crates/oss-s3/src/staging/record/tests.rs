use super::*;
use crate::staging::plan::tests::part;

fn of(members: &[Part]) -> Record {
    Record::of(members, "0cc175b9c0f1b6a831c399e269772661-2").unwrap()
}

#[test]
fn a_record_says_in_its_name_what_a_joined_part_holds() {
    let record = of(&[part(7, "a", 1), part(9, "bc", 258)]);
    // printf '\0\7\0\0\0\0\0\0\0\1\0\1a\0\11\0\0\0\0\0\0\1\2\0\2bc' | sha256sum
    assert_eq!(
        record.name(),
        "00007-00009-e5b538bba4d12a072efa91f5cdcb07d5-0cc175b9c0f1b6a831c399e269772661-2"
    );
    assert_eq!(Record::from_name(&record.name()), Some(record));
}

#[test]
fn every_etag_that_can_stand_in_a_header_is_read_back() {
    let visible: String = (b'!'..=b'~')
        .filter(|byte| *byte != b'"')
        .map(char::from)
        .collect();
    for etag in ["a", "-", "a-b-c-", &visible, &"e".repeat(128)] {
        let record = Record::of(&[part(1, "a", 1)], etag).unwrap();
        let read = Record::from_name(&record.name()).unwrap();
        assert_eq!((read.etag(), &read), (etag, &record));
    }
}

#[test]
fn there_is_no_record_of_nothing_or_with_what_is_no_etag() {
    assert_eq!(Record::of(&[], "a"), None);
    for etag in ["", " ", "a b", "\"a\"", "a\"", "\u{e9}", "a\n", &"e".repeat(129)] {
        assert_eq!(Record::of(&[part(1, "a", 1)], etag), None, "{etag}");
    }
}

#[test]
fn a_name_of_any_other_form_is_no_record() {
    let (hex, odd) = (
        "0123456789abcdef0123456789abcdef",
        "123456789abcdef0123456789abcdef",
    );
    assert!(Record::from_name(&format!("00001-00001-{hex}-e")).is_some());
    for name in [
        String::new(),
        format!("00001-00002-{hex}-"),
        format!("00001-00002-{hex}"),
        format!("00002-00001-{hex}-e"),
        format!("00000-00002-{hex}-e"),
        format!("00001-10001-{hex}-e"),
        format!("1-2-{hex}-e"),
        format!("000001-00002-{hex}-e"),
        format!("00001_00002-{hex}-e"),
        format!("00001-00002-{}-e", hex.to_uppercase()),
        format!("00001-00002-{}-e", odd),
        format!("00001-00002-{hex}0-e"),
        format!("00001-00002-{}g-e", odd),
        format!("00001-00002-{hex}-\"e\""),
        format!("00001-00002-{hex}-e "),
        format!(" 00001-00002-{hex}-e"),
        format!("00001-00002-{hex}-\u{e9}"),
        format!("0000\u{e9}-00002-{hex}-e"),
    ] {
        assert_eq!(Record::from_name(&name), None, "{name}");
    }
}

#[test]
fn other_parts_than_those_that_were_joined_are_told_apart() {
    let members = [part(1, "ab", 1), part(2, "c", 2), part(3, "d", 0)];
    let record = of(&members);
    assert!(record.is_of(&mut members.iter()));
    for others in [
        vec![],
        vec![part(1, "ab", 1), part(2, "c", 2)],
        vec![part(1, "ab", 1), part(3, "d", 0)],
        vec![part(2, "c", 2), part(1, "ab", 1), part(3, "d", 0)],
        vec![part(1, "a", 1), part(2, "bc", 2), part(3, "d", 0)],
        vec![part(1, "AB", 1), part(2, "c", 2), part(3, "d", 0)],
        vec![part(1, "ab", 2), part(2, "c", 1), part(3, "d", 0)],
        vec![part(1, "ab", 1), part(2, "c", 2), part(4, "d", 0)],
        vec![
            part(1, "ab", 1),
            part(2, "c", 2),
            part(3, "d", 0),
            part(4, "e", 1),
        ],
    ] {
        assert!(!record.is_of(&mut others.iter()), "{others:?}");
    }
}
