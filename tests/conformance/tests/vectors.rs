//! The vectors of real SDKs, and what is derived from them, natively.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

use std::collections::BTreeMap;

use conformance::FILES;
use conformance::derive::{Derived, harmless, tampered};
use conformance::mac::Scheme;
use conformance::report::{Outcome, Report};
use conformance::run::{run, run_file};
use conformance::vector::{Valid, Vector, read};

fn vectors() -> impl Iterator<Item = Vector> {
    FILES.iter().flat_map(|(_, text)| read(text)).map(Result::unwrap)
}

fn signs_a_head(vector: &Vector) -> bool {
    Scheme::of(&vector.auth).is_some()
}

fn assert_clean(report: &Report) {
    assert_eq!(report.failed, 0, "\n{}", report.lines().join("\n"));
}

#[test]
fn every_vector_agrees_and_none_is_skipped() {
    let mut all = Report::default();
    for (file, text) in FILES {
        all.merge(run_file(file, text));
    }
    assert_clean(&all);
    assert_eq!(all.passed, 383);
    assert_eq!(all.skipped, 0);
}

/// Runs what `derive` makes of every vector; the counts by change.
fn run_derived(derive: fn(&Vector) -> Vec<Derived>) -> BTreeMap<&'static str, u32> {
    let mut report = Report::default();
    let mut counts = BTreeMap::new();
    for base in vectors() {
        for derived in derive(&base) {
            report.add("", &derived.vector.id, run(&derived.vector));
            *counts.entry(derived.change).or_default() += 1;
        }
    }
    assert_clean(&report);
    assert_eq!(report.skipped, 0);
    counts
}

#[test]
fn every_single_change_to_what_is_signed_is_refused_with_its_own_error() {
    let counts = run_derived(tampered);
    let expected = BTreeMap::from([
        ("a day later", 275),
        ("a later expiry", 59),
        ("a plain parameter added", 162),
        ("a signed header changed", 371),
        ("a signed header removed", 332),
        ("a signed parameter added", 269),
        ("a signed parameter removed", 226),
        ("a signed parameter's value changed", 226),
        ("an hour earlier", 241),
        ("an x-amz- header added", 39),
        ("an x-oss- header added", 504),
        ("another method", 1100),
        ("another path", 825),
        ("another scope", 266),
        ("another secret", 275),
        ("one character of the signature replaced", 12772),
        ("the signed date moved", 217),
        ("token unbound or bound", 275),
        ("unknown access key id", 275),
    ]);
    assert_eq!(counts, expected);
}

#[test]
fn every_harmless_rewrite_still_verifies_with_the_same_string_to_sign() {
    let counts = run_derived(harmless);
    let expected = BTreeMap::from([
        ("header names in lower case", 275),
        ("headers in another order", 275),
        ("parameters reversed", 112),
        ("proxy headers added", 275),
        ("the credential's fields reversed", 125),
        ("unsigned parameters added", 113),
    ]);
    assert_eq!(counts, expected);
}

#[test]
fn d15_no_vector_verifies_once_its_signature_is_taken_away() {
    let decided = |vector: &Vector| vector.expect.valid == Valid::Yes;
    for vector in vectors().filter(signs_a_head).filter(decided) {
        let mut stripped = vector.clone();
        let request = stripped.request.as_mut().unwrap();
        request
            .headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        request.target = request
            .target
            .replace("&Signature=", "&signature=")
            .replace("&x-oss-signature=", "&x-oss-signed=")
            .replace("&X-Amz-Signature=", "&X-Amz-Signed=");
        assert!(matches!(run(&stripped), Outcome::Failed(_)), "{}", vector.id);
    }
}

#[test]
fn a_runner_that_expects_the_wrong_thing_says_so() {
    let vector = vectors().find(signs_a_head).unwrap();
    let reason = |edit: fn(&mut Vector)| {
        let mut changed = vector.clone();
        edit(&mut changed);
        match run(&changed) {
            Outcome::Failed(reason) => reason,
            outcome => panic!("{outcome:?}"),
        }
    };
    for (edit, words) in [
        ((|v| v.expect.valid = Valid::No) as fn(&mut Vector), "verified"),
        (|v| v.expect.signed_bucket = Some("other".into()), "signed bucket"),
        (|v| v.expect.string_to_sign = Some("PUT".into()), "string to sign"),
        (|v| v.now_unix += 901, "Skewed"),
        (|v| v.request = None, "no request"),
        (
            |v| v.request.as_mut().unwrap().header_encoding = Some("utf-16".into()),
            "header_encoding",
        ),
        (
            |v| {
                v.request
                    .as_mut()
                    .unwrap()
                    .headers
                    .push(("x".into(), "\u{4e2d}".into()))
            },
            "ISO-8859-1",
        ),
    ] {
        let reason = reason(edit);
        assert!(reason.contains(words), "{reason}");
    }
}
