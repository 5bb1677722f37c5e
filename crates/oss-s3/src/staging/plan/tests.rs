use request_auth::Dialect;

use super::*;
use crate::staging::{Folder, FolderPage};

const M: u64 = 1024 * 1024;

pub(in crate::staging) fn number(number: u16) -> PartNumber {
    PartNumber::from_decimal(number.to_string().as_bytes()).unwrap()
}

pub(in crate::staging) fn part(at: u16, etag: &str, size: u64) -> Part {
    Part::new(number(at), etag.to_owned(), Some(size), None)
}

pub(in crate::staging) fn record(members: &[Part], etag: &str) -> Record {
    Record::of(members, etag).unwrap()
}

/// A folder as the origin lists it.
pub(in crate::staging) fn stock(staged: &[Part], records: &[Record]) -> Stock {
    let folder = Folder::of(".causeway/", "b", "k", "U");
    let entry = |key: String, etag: &str, size: u64| {
        format!("<Contents><Key>{key}</Key><ETag>\"{etag}\"</ETag><Size>{size}</Size></Contents>")
    };
    let mut names: Vec<String> = records.iter().map(|record| folder.record(record)).collect();
    names.sort();
    let mut stock = Stock::default();
    let mut after = None;
    for staged in staged.chunks(1000) {
        let parts: String = staged
            .iter()
            .map(|part| entry(folder.part(part.number()), part.etag(), part.size().unwrap()))
            .collect();
        let document = format!("<ListBucketResult><IsTruncated>true</IsTruncated>{parts}</ListBucketResult>");
        let page = FolderPage::from_origin(document.as_bytes(), &folder, after.as_deref()).unwrap();
        after = page.next().map(str::to_owned);
        stock.add(page);
    }
    let records: String = names.into_iter().map(|key| entry(key, "e", 0)).collect();
    let document = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{records}</ListBucketResult>");
    stock.add(FolderPage::from_origin(document.as_bytes(), &folder, after.as_deref()).unwrap());
    stock
}

pub(in crate::staging) fn named(parts: &[(u16, &str)]) -> PartList {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    PartList::from_device(document.as_bytes(), Dialect::Oss).unwrap()
}

pub(in crate::staging) fn fault<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> Fault {
    outcome.unwrap_err().fault()
}

/// Staged parts of these sizes, numbered from `first` on.
fn staged(first: u16, sizes: &[u64]) -> Vec<Part> {
    let numbered = sizes.iter().zip(first..);
    numbered
        .map(|(size, at)| part(at, &format!("s{at}"), *size))
        .collect()
}

fn of(staged: &[Part], uploaded: &[Part]) -> Result<Vec<String>, Refusal> {
    with_records(staged, &[], uploaded)
}

/// The units of the plan for all parts, in short.
fn with_records(staged: &[Part], records: &[Record], uploaded: &[Part]) -> Result<Vec<String>, Refusal> {
    plan(None, &stock(staged, records), uploaded).map(|plan| plan.units().iter().map(short).collect())
}

fn short(unit: &Unit) -> String {
    match unit {
        Unit::Direct { number, .. } => format!("direct {number}"),
        Unit::Joined { number, etag } => format!("joined {number} {etag}"),
        Unit::Join { members, bytes } => {
            let sizes: u64 = members.iter().map(|part| part.size().unwrap()).sum();
            assert_eq!(*bytes, sizes);
            format!(
                "join {}-{}",
                members[0].number(),
                members.last().unwrap().number()
            )
        }
        Unit::Copy { part } => format!("copy {}", part.number()),
    }
}

#[test]
fn staged_parts_are_joined_as_soon_as_they_reach_5_mib_and_the_rest_is_the_last_part() {
    let sizes = [2 * M; 7];
    assert_eq!(
        of(&staged(1, &sizes), &[]).unwrap(),
        ["join 1-3", "join 4-6", "copy 7"]
    );
    assert_eq!(
        of(&staged(1, &sizes[1..]), &[]).unwrap(),
        ["join 1-3", "join 4-6"]
    );
    assert_eq!(
        of(&staged(1, &sizes[2..]), &[]).unwrap(),
        ["join 1-3", "join 4-5"]
    );
    assert_eq!(of(&staged(1, &[M]), &[]).unwrap(), ["copy 1"]);
    let exact = [MIN_PART_BYTES - 1, 1, MIN_PART_BYTES - 1];
    assert_eq!(of(&staged(3, &exact), &[]).unwrap(), ["join 3-4", "copy 5"]);
}

#[test]
fn numbers_need_not_follow_each_other() {
    let parts = [part(3, "a", 3 * M), part(70, "b", 3 * M), part(10_000, "c", M)];
    assert_eq!(of(&parts, &[]).unwrap(), ["join 3-70", "copy 10000"]);
}

#[test]
fn empty_parts_are_members_and_an_empty_end_is_a_part_of_no_bytes() {
    assert_eq!(of(&staged(1, &[0]), &[]).unwrap(), ["join 1-1"]);
    assert_eq!(
        of(&staged(1, &[0, 4 * M, 0, M, 0]), &[]).unwrap(),
        ["join 1-4", "join 5-5"]
    );
    assert_eq!(
        of(&staged(2, &[0]), &[part(1, "d", 6 * M)]).unwrap(),
        ["direct 1", "join 2-2"]
    );
    let before = of(&staged(1, &[0]), &[part(2, "d", 6 * M)]);
    assert_eq!(fault(before), Fault::EntityTooSmall);
}

#[test]
fn between_parts_of_s3s_staged_ones_have_to_reach_5_mib_together() {
    let direct = [part(3, "d", 6 * M), part(6, "d", 5 * M)];
    let all = |sizes: [u64; 6]| {
        let parts = [
            staged(1, &sizes[..2]),
            staged(4, &sizes[2..4]),
            staged(7, &sizes[4..]),
        ]
        .concat();
        of(&parts, &direct)
    };
    let (half, less) = (5 * M / 2, 5 * M / 2 - 1);
    let fits = all([half, half, half, half, 1, 1]).unwrap();
    assert_eq!(fits, ["join 1-2", "direct 3", "join 4-5", "direct 6", "join 7-8"]);
    assert_eq!(fault(all([less, half, half, half, 1, 1])), Fault::EntityTooSmall);
    assert_eq!(fault(all([half, half, less, half, 1, 1])), Fault::EntityTooSmall);
}

#[test]
fn a_rest_before_a_part_of_s3s_is_joined_with_what_comes_before_it() {
    let direct = [part(9, "d", 6 * M)];
    let parts = staged(1, &[2 * M; 4]);
    assert_eq!(of(&parts, &direct).unwrap(), ["join 1-4", "direct 9"]);
    // Also where that is joined already.
    let record = record(&parts[..3], "j");
    let uploaded = [part(1, "j", 6 * M), part(9, "d", 6 * M)];
    assert_eq!(
        with_records(&parts, &[record], &uploaded).unwrap(),
        ["join 1-4", "direct 9"]
    );
}

#[test]
fn a_part_of_s3s_below_5_mib_can_only_be_the_last() {
    let small = [part(2, "d", MIN_PART_BYTES - 1)];
    assert_eq!(of(&staged(1, &[5 * M]), &small).unwrap(), ["copy 1", "direct 2"]);
    assert_eq!(fault(of(&staged(3, &[5 * M]), &small)), Fault::EntityTooSmall);
    let two = [part(2, "d", M), part(3, "d", M)];
    assert_eq!(fault(of(&[], &two)), Fault::EntityTooSmall);
    assert_eq!(of(&[], &two[1..]).unwrap(), ["direct 3"]);
}

#[test]
fn what_is_joined_already_is_not_joined_again() {
    let parts = staged(1, &[2 * M; 9]);
    let records = [record(&parts[..3], "j1"), record(&parts[3..6], "j4")];
    let uploaded = [part(1, "J1", 6 * M), part(4, "j4", 6 * M)];
    assert_eq!(
        with_records(&parts, &records, &uploaded).unwrap(),
        ["joined 1 J1", "joined 4 j4", "join 7-9"]
    );
    assert_eq!(
        with_records(&parts, &records[1..], &uploaded).unwrap(),
        ["join 1-3", "joined 4 j4", "join 7-9"]
    );
}

#[test]
fn a_record_counts_only_while_everything_that_it_says_is_so() {
    let parts = staged(1, &[2 * M, 2 * M, 2 * M]);
    let joined = |parts: &[Part], record: &Record, listed: Part| {
        let units = with_records(parts, std::slice::from_ref(record), &[listed]).unwrap();
        units.iter().any(|unit| unit.starts_with("joined"))
    };
    let record = record(&parts, "j");
    assert!(joined(&parts, &record, part(1, "j", 6 * M)));
    // S3's part is another one, or has a length that the parts have not.
    assert!(!joined(&parts, &record, part(1, "k", 6 * M)));
    assert!(!joined(&parts, &record, part(1, "j", 6 * M + 1)));
    // A part was sent again, has another size, is gone, or is new.
    for changed in [
        [part(1, "s1", 2 * M), part(2, "x", 2 * M), part(3, "s3", 2 * M)].to_vec(),
        [part(1, "s1", 2 * M), part(2, "s2", 3 * M), part(3, "s3", M)].to_vec(),
        [part(1, "s1", 2 * M), part(3, "s3", 4 * M)].to_vec(),
        [part(1, "s1", 3 * M), part(2, "s2", 3 * M)].to_vec(),
    ] {
        assert!(!joined(&changed, &record, part(1, "j", 6 * M)), "{changed:?}");
    }
    // The device names only some of the parts.
    let some = named(&[(1, "s1"), (3, "s3")]);
    let plan = plan(Some(&some), &stock(&parts, &[record]), &[part(1, "j", 6 * M)]).unwrap();
    assert_eq!(plan.units().iter().map(short).collect::<Vec<_>>(), ["join 1-3"]);
    assert_eq!(plan.bytes(), 4 * M);
}

#[test]
fn too_few_bytes_before_a_joined_part_take_its_members_in_and_leave_the_next_one_alone() {
    let parts = staged(1, &[2 * M; 10]);
    let records = [
        record(&parts[1..4], "j2"),
        record(&parts[4..7], "j5"),
        record(&parts[7..], "j8"),
    ];
    let uploaded = [part(2, "j2", 6 * M), part(5, "j5", 6 * M), part(8, "j8", 6 * M)];
    assert_eq!(
        with_records(&parts, &records, &uploaded).unwrap(),
        ["join 1-4", "joined 5 j5", "joined 8 j8"]
    );
}

#[test]
fn a_joined_part_below_5_mib_counts_only_at_the_end() {
    let parts = staged(1, &[5 * M, M, M]);
    let last = record(&parts[1..], "j2");
    let uploaded = [part(2, "j2", 2 * M)];
    let records = [last];
    assert_eq!(
        with_records(&parts, &records, &uploaded).unwrap(),
        ["copy 1", "joined 2 j2"]
    );
    let more = [parts.clone(), staged(4, &[4 * M, M])].concat();
    assert_eq!(
        with_records(&more, &records, &uploaded).unwrap(),
        ["copy 1", "join 2-4", "copy 5"]
    );
    let before_direct = [part(2, "j2", 2 * M), part(9, "d", 6 * M)];
    assert_eq!(
        with_records(&parts, &records, &before_direct).unwrap(),
        ["join 1-3", "direct 9"]
    );
}

#[test]
fn a_joined_part_is_found_among_all_that_were_made_under_its_number() {
    let staged = staged(1, &[3 * M, 3 * M, 3 * M]);
    let record = record(&staged[..2], "ours");
    for etags in [["ours", "theirs"], ["theirs", "ours"], ["ours", "ours"]] {
        let uploaded = etags.map(|etag| part(1, etag, 6 * M));
        let units = with_records(&staged, std::slice::from_ref(&record), &uploaded);
        assert_eq!(units.unwrap(), ["joined 1 ours", "copy 3"]);
    }
}

#[test]
fn of_two_records_of_one_joined_part_the_longer_is_taken() {
    // The empty part 4 makes no difference to the bytes.
    let parts = staged(1, &[2 * M, 2 * M, 2 * M, 0]);
    let records = [record(&parts[..3], "j"), record(&parts, "j")];
    assert_eq!(
        with_records(&parts, &records, &[part(1, "j", 6 * M)]).unwrap(),
        ["joined 1 j"]
    );
}

#[test]
fn once_all_is_made_the_list_for_s3_has_every_part_in_order() {
    let parts = [staged(1, &[3 * M; 2]), staged(4, &[3 * M; 3])].concat();
    let mut plan = plan(None, &stock(&parts, &[]), &[part(3, "d3", 6 * M)]).unwrap();
    assert_eq!(
        plan.units().iter().map(short).collect::<Vec<_>>(),
        ["join 1-2", "direct 3", "join 4-5", "copy 6"]
    );
    assert_eq!(plan.bytes(), 21 * M);
    assert_eq!(plan.part_list(), None);
    assert_eq!(plan.made(number(4), "j4"), Some(record(&parts[2..4], "j4")));
    assert_eq!(plan.made(number(6), "c6"), None);
    assert_eq!(plan.part_list(), None);
    assert_eq!(plan.made(number(1), "j1"), Some(record(&parts[..2], "j1")));
    let listed = plan.part_list().unwrap();
    assert_eq!(listed, named(&[(1, "j1"), (3, "d3"), (4, "j4"), (6, "c6")]));
    // What is there already, or is in no plan, is not made.
    for at in [1, 2, 3] {
        assert_eq!(plan.made(number(at), "x"), None);
    }
    assert_eq!(plan.part_list(), Some(listed));
}

#[test]
fn parts_that_the_origin_lists_out_of_order_or_without_their_size_are_its_fault() {
    let out_of_order = [part(2, "a", 6 * M), part(1, "b", 6 * M)];
    assert_eq!(fault(of(&[], &out_of_order)), Fault::OriginAnswerUnreadable);
    let sizeless = Part::new(number(1), "a".to_owned(), None, None);
    assert_eq!(fault(of(&[], &[sizeless])), Fault::OriginAnswerUnreadable);
}

#[test]
fn every_join_of_ten_thousand_parts_is_found_again() {
    let parts = staged(1, &[100 * 1024; 10_000]);
    let mut records = Vec::new();
    let mut uploaded = Vec::new();
    for (group, members) in parts.chunks(52).enumerate() {
        let first = members[0].number().get();
        let bytes: u64 = members.iter().filter_map(Part::size).sum();
        uploaded.push(part(first, &format!("j{group}"), bytes));
        records.push(record(members, &format!("j{group}")));
    }
    let whole = stock(&parts, &records);
    let plan = plan(None, &whole, &uploaded).unwrap();
    assert_eq!(plan.units().len(), 193);
    assert_eq!(plan.bytes(), 10_000 * 100 * 1024);
    assert!(
        plan.units()
            .iter()
            .all(|unit| matches!(unit, Unit::Joined { .. }))
    );
}
