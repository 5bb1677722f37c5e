//! The verifier in WebAssembly: `wasm-pack test --node crates/request-auth`.

#![cfg(target_arch = "wasm32")]

use conformance::FILES;
use conformance::derive::{Derived, harmless, tampered};
use conformance::report::Report;
use conformance::run::{run, run_file};
use conformance::vector::{Vector, read};
use wasm_bindgen_test::wasm_bindgen_test;

fn derived(derive: fn(&Vector) -> Vec<Derived>) -> Report {
    let mut report = Report::default();
    for base in FILES.iter().flat_map(|(_, text)| read(text)).flatten() {
        for derived in derive(&base) {
            report.add("", &derived.vector.id, run(&derived.vector));
        }
    }
    report
}

#[wasm_bindgen_test]
fn every_vector_agrees() {
    let mut report = Report::default();
    for (file, text) in FILES {
        report.merge(run_file(file, text));
    }
    assert_eq!(report.closing_line(), "383 passed, 0 failed, 0 skipped");
}

#[wasm_bindgen_test]
fn every_single_change_to_what_is_signed_is_refused() {
    let report = derived(tampered);
    assert_eq!(report.failures, []);
    assert!(report.passed > 16_000);
}

#[wasm_bindgen_test]
fn every_harmless_rewrite_still_verifies() {
    let report = derived(harmless);
    assert_eq!(report.failures, []);
    assert!(report.passed > 1_000);
}
