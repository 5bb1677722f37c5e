//! The mutation corpus, natively; `cargo xtask mutations` runs far more of it in wasm.

use conformance::corpus::Corpus;

const SEED: u64 = 1;

#[test]
fn n09_whatever_is_damaged_is_answered_and_refused_with_a_document() {
    let corpus = Corpus::new().unwrap();
    let run = corpus.run(SEED, 0, 20_000, |_| {});
    println!("{:?} {}", run.reached, run.digest);
    assert_eq!(run.failures, []);
    assert_eq!((run.passed, run.failed), (20_000, 0));
    // A corpus that stops at the door would prove nothing of the rooms behind it.
    assert_eq!(run.reached.len(), 5, "{:?}", run.reached);
    assert!(
        run.reached.values().all(|count| *count > 500),
        "{:?}",
        run.reached
    );
}
