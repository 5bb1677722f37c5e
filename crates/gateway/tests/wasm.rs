//! The three roles in WebAssembly: `wasm-pack test --node crates/gateway`.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

use conformance::attack;
use conformance::corpus::Corpus;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn n09_damaged_requests_are_served_to_the_end_and_answered_as_they_should_be() {
    let corpus = Corpus::new().unwrap();
    let run = corpus.run(2, 0, 4000, |_| {});
    assert_eq!(run.failures, []);
    assert_eq!((run.passed, run.failed), (4000, 0));
    assert_eq!(run.reached.len(), 5, "{:?}", run.reached);
}

#[wasm_bindgen_test]
fn every_attack_case_comes_to_what_it_must() {
    for (file, text) in attack::FILES {
        let report = attack::run_file(file, text);
        assert_eq!(report.failures, []);
        assert!(report.passed >= 60, "{file}");
    }
}
