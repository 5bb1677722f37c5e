//! How many tests a program ran, read from what it printed.

use std::fmt;
use std::ops::AddAssign;

/// The outcomes of some tests.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{} passed, {} failed", self.passed, self.failed);
        if self.skipped > 0 {
            text.push_str(&format!(", {} skipped", self.skipped));
        }
        f.pad(&text)
    }
}

/// What prints the counts of a stage.
#[derive(Clone, Copy)]
pub(crate) enum Count {
    /// Nothing: each command of the stage is one test, passed when it exits with 0.
    Commands,
    /// `test result: ok. 3 passed; 0 failed; …`, one line per test binary.
    CargoTest,
    /// `3 passed, 0 failed, 2 skipped` alone on a line.
    Plain,
    /// pytest's last line: `=== 1 failed, 3 passed, 2 skipped in 0.12s ===`.
    Pytest,
    /// Node's test runner: lines `ℹ pass 3` or `# pass 3`.
    Node,
}

impl Count {
    /// The counts in a command's output. `None` where none were printed.
    pub(crate) fn read(self, lines: &[String]) -> Option<Counts> {
        match self {
            Self::Commands => None,
            Self::CargoTest => lines
                .iter()
                .filter_map(|line| line.trim().strip_prefix("test result: ")?.split_once(". "))
                .map(|(_, counts)| words(counts, "; "))
                .reduce(|mut sum, counts| {
                    sum += counts;
                    sum
                }),
            Self::Plain => lines
                .iter()
                .rev()
                .find(|line| line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(" passed, "))
                .map(|line| words(line, ", ")),
            Self::Pytest => lines.iter().rev().find_map(|line| {
                let line = line.trim_matches(['=', ' ']);
                let (counts, _) = line.rsplit_once(" in ")?;
                let counts = words(counts, ", ");
                (counts != Counts::default()).then_some(counts)
            }),
            Self::Node => {
                let named = |name: &str| {
                    lines.iter().rev().find_map(|line| {
                        let rest = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
                        rest.strip_prefix(name)?.strip_prefix(' ')?.parse::<u64>().ok()
                    })
                };
                Some(Counts {
                    passed: named("pass")?,
                    failed: named("fail")? + named("cancelled").unwrap_or(0),
                    skipped: named("skipped").unwrap_or(0) + named("todo").unwrap_or(0),
                })
            }
        }
    }
}

/// Reads `1 failed, 3 passed`: a number and a word per piece.
fn words(text: &str, separator: &str) -> Counts {
    let mut counts = Counts::default();
    for piece in text.split(separator) {
        let mut words = piece.split_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else {
            continue;
        };
        match (words.next(), words.next()) {
            (Some("passed"), None) => counts.passed += number,
            (Some("failed" | "error" | "errors"), None) => counts.failed += number,
            (Some("skipped" | "ignored" | "deselected"), None) => counts.skipped += number,
            // pytest counts subtests apart from the tests they are part of.
            (Some("subtests"), Some("passed")) => counts.passed += number,
            (Some("subtests"), Some("failed")) => counts.failed += number,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(count: Count, output: &str) -> Option<(u64, u64, u64)> {
        let lines: Vec<String> = output.lines().map(str::to_owned).collect();
        count
            .read(&lines)
            .map(|counts| (counts.passed, counts.failed, counts.skipped))
    }

    #[test]
    fn cargo_tests_of_all_binaries_are_summed() {
        let output = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
            running 0 tests\n\
            test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(read(Count::CargoTest, output), Some((7, 2, 1)));
    }

    #[test]
    fn the_plain_line_is_read() {
        assert_eq!(
            read(Count::Plain, "failed a: b\n10 passed, 2 failed, 3 skipped"),
            Some((10, 2, 3))
        );
        assert_eq!(read(Count::Plain, "10 passed, 0 failed"), Some((10, 0, 0)));
    }

    #[test]
    fn pytests_last_line_is_read() {
        let line = "=== 2 failed, 120 passed, 3 skipped, 1 error, 14 subtests passed in 61.20s (0:01:01) ===";
        assert_eq!(read(Count::Pytest, line), Some((134, 3, 3)));
        assert_eq!(read(Count::Pytest, "5 passed in 0.10s"), Some((5, 0, 0)));
        assert_eq!(read(Count::Pytest, "no tests ran in 0.01s"), None);
    }

    #[test]
    fn nodes_summary_is_read() {
        let output = "ℹ tests 4\nℹ suites 0\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 5.1";
        assert_eq!(read(Count::Node, output), Some((2, 2, 0)));
        assert_eq!(
            read(Count::Node, "# pass 3\n# fail 0\n# skipped 1"),
            Some((3, 0, 1))
        );
    }

    #[test]
    fn output_without_counts_has_none() {
        for count in [
            Count::CargoTest,
            Count::Plain,
            Count::Pytest,
            Count::Node,
            Count::Commands,
        ] {
            assert_eq!(read(count, "error: could not compile"), None);
        }
    }
}
