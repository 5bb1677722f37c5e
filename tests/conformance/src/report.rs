//! What came out of a run: counts, failures as sentences, and the line that closes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What became of one vector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not as expected; one sentence.
    Failed(String),
    /// Its scheme, named, is not verified yet.
    Skipped(String),
}

/// A vector that did not come out as expected.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// The file, empty where there is none.
    pub file: String,
    /// The vector's id.
    pub vector: String,
    /// What was wrong, as a sentence.
    pub reason: String,
}

/// The outcomes of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// How many came out as expected.
    pub passed: u64,
    /// How many did not.
    pub failed: u64,
    /// How many have a scheme that is not verified yet.
    pub skipped: u64,
    /// The skipped ones by scheme.
    pub skipped_schemes: BTreeMap<String, u64>,
    /// Each one that failed.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Adds an outcome.
    pub fn add(&mut self, file: &str, vector: &str, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed = self.passed.saturating_add(1),
            Outcome::Failed(reason) => {
                self.failed = self.failed.saturating_add(1);
                self.failures.push(Failure {
                    file: file.to_owned(),
                    vector: vector.to_owned(),
                    reason,
                });
            }
            Outcome::Skipped(scheme) => {
                self.skipped = self.skipped.saturating_add(1);
                let count = self.skipped_schemes.entry(scheme).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// Adds the outcomes of another run.
    pub fn merge(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
        for (scheme, more) in other.skipped_schemes {
            let count = self.skipped_schemes.entry(scheme).or_default();
            *count = count.saturating_add(more);
        }
        self.failures.extend(other.failures);
    }

    /// The lines that a person reads: each failure, what was skipped, and the counts.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .failures
            .iter()
            .map(|failure| {
                let place = if failure.file.is_empty() { "" } else { ": " };
                format!(
                    "failed {}{place}{}: {}",
                    failure.file, failure.vector, failure.reason
                )
            })
            .collect();
        if !self.skipped_schemes.is_empty() {
            let schemes: Vec<String> = self
                .skipped_schemes
                .iter()
                .map(|(scheme, count)| format!("{count} {scheme}"))
                .collect();
            lines.push(format!("skipped, not verified yet: {}", schemes.join(", ")));
        }
        lines.push(self.closing_line());
        lines
    }

    /// `N passed, M failed, K skipped`.
    pub fn closing_line(&self) -> String {
        format!(
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_name_each_failure_and_end_with_the_counts() {
        let mut report = Report::default();
        report.add("a.json", "one", Outcome::Passed);
        report.add("a.json", "two", Outcome::Failed("It was wrong.".to_owned()));
        report.add("a.json", "three", Outcome::Skipped("OSS-V4".to_owned()));
        let mut sum = Report::default();
        sum.merge(report.clone());
        sum.merge(report);
        assert_eq!(
            sum.lines(),
            [
                "failed a.json: two: It was wrong.",
                "failed a.json: two: It was wrong.",
                "skipped, not verified yet: 2 OSS-V4",
                "2 passed, 2 failed, 2 skipped",
            ]
        );
    }
}
