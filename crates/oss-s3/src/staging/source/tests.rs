use super::*;
use crate::staging::plan::tests::{fault, named, part, record, stock};

const M: u64 = 1024 * 1024;

fn found<'a>(
    listed: &[(u16, &str)],
    stock: &'a Stock,
    uploaded: &'a [Part],
) -> Result<Vec<(bool, &'a str)>, Refusal> {
    let sources = resolve(Some(&named(listed)), stock, uploaded)?;
    let seen = |source: &Source<'a>| (matches!(source, Source::Staged(_)), source.part().etag());
    Ok(sources.iter().map(seen).collect())
}

#[test]
fn the_etag_that_a_device_names_says_which_of_two_parts_it_means() {
    let stock = stock(&[part(1, "aa", M), part(2, "ab", M)], &[]);
    let uploaded = [part(1, "ba", 6 * M), part(3, "bc", 6 * M)];
    assert_eq!(
        found(&[(1, "aa"), (2, "AB"), (3, "Bc")], &stock, &uploaded).unwrap(),
        [(true, "aa"), (true, "ab"), (false, "bc")]
    );
    assert_eq!(found(&[(1, "BA")], &stock, &uploaded).unwrap(), [(false, "ba")]);
    // What is there either way can be joined with its neighbours.
    let both = [part(2, "ab", M)];
    assert_eq!(found(&[(2, "ab")], &stock, &both).unwrap(), [(true, "ab")]);
    for listed in [(1, "bc"), (2, "aa"), (3, "aa"), (4, "aa"), (2, "ab-1"), (2, "a")] {
        let refusal = found(
            &[(1, "aa"), listed][usize::from(listed.0 == 1)..],
            &stock,
            &uploaded,
        );
        assert_eq!(fault(refusal), Fault::PartInvalid, "{listed:?}");
    }
}

#[test]
fn all_parts_are_the_staged_ones_and_those_of_the_origin_that_no_staged_one_replaced() {
    let staged = [part(2, "s2", M), part(4, "s4", M), part(5, "s5", M)];
    let uploaded = [
        part(1, "d1", 6 * M),
        part(2, "d2", 6 * M),
        part(3, "d3", 6 * M),
        part(7, "d7", M),
    ];
    let etags = |sources: Vec<Source<'_>>| {
        sources
            .iter()
            .map(|source| source.part().etag().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        etags(union(&staged, &uploaded)),
        ["d1", "s2", "d3", "s4", "s5", "d7"]
    );
    assert_eq!(etags(union(&staged, &[])), ["s2", "s4", "s5"]);
    assert_eq!(etags(union(&[], &uploaded)), ["d1", "d2", "d3", "d7"]);
    assert_eq!(
        etags(resolve(None, &stock(&staged, &[]), &uploaded).unwrap()),
        ["d1", "s2", "d3", "s4", "s5", "d7"]
    );
}

#[test]
fn an_origin_may_list_every_part_that_was_sent_under_a_number() {
    let uploaded = [part(1, "old", 6 * M), part(1, "new", 7 * M), part(2, "d2", M)];
    let none = Stock::default();
    for etag in ["old", "new"] {
        assert_eq!(
            found(&[(1, etag), (2, "d2")], &none, &uploaded).unwrap()[0],
            (false, etag)
        );
    }
    assert_eq!(fault(found(&[(1, "d2")], &none, &uploaded)), Fault::PartInvalid);
    let numbers = |staged: &[Part]| -> Vec<u16> {
        let all = union(staged, &uploaded);
        all.iter().map(|source| source.part().number().get()).collect()
    };
    assert_eq!(numbers(&[]), [1, 2]);
    assert_eq!(numbers(&[part(1, "s1", M), part(3, "s3", M)]), [1, 2, 3]);
}

#[test]
fn of_nothing_nothing_can_be_completed() {
    assert_eq!(fault(resolve(None, &Stock::default(), &[])), Fault::PartInvalid);
}

#[test]
fn a_joined_part_whose_first_staged_part_is_gone_is_nobodys_part() {
    let members = [part(1, "s1", 3 * M), part(2, "s2", 3 * M)];
    let record = record(&members, "joined");
    let uploaded = [part(1, "JOINED", 6 * M)];
    let whole = stock(&members, std::slice::from_ref(&record));
    assert!(resolve(None, &whole, &uploaded).is_ok());
    let without_first = stock(&members[1..], &[record]);
    assert_eq!(
        fault(resolve(None, &without_first, &uploaded)),
        Fault::PartInvalid
    );
    // What the device sent under that number since is its part.
    assert!(resolve(None, &without_first, &[part(1, "direct", 6 * M)]).is_ok());
}
