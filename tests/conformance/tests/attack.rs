//! The attack corpus as data.

use conformance::attack::{FILES, run_file};

#[test]
fn every_attack_case_comes_to_what_it_must() {
    for (file, text) in FILES {
        let report = run_file(file, text);
        assert_eq!(report.failed, 0, "\n{}", report.lines().join("\n"));
        assert!(report.passed >= 60, "{file}");
    }
}
