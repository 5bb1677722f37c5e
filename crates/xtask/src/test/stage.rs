//! One stage of the tests: some commands, and how to count what they tested.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;

use anyhow::Context as _;

use super::count::{Count, Counts};
use crate::project::Project;

/// Set for the commands of every stage when `--long` is given.
pub(crate) const LONG: &str = "CAUSEWAY_TEST_LONG";

/// A part of the tests that can be run alone.
pub(crate) struct Stage {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What it tests, for people.
    pub(crate) about: &'static str,
    /// Installs what is needed and gives the commands, run one after the other from the clone's root.
    pub(crate) commands: fn(&Project) -> anyhow::Result<Vec<Command>>,
    /// What the commands print.
    pub(crate) count: Count,
}

impl Stage {
    /// Runs it. Whatever goes wrong counts as a failed test; so does a command that tested nothing.
    pub(crate) fn run(&self, project: &Project, long: bool) -> Counts {
        let failed = Counts {
            failed: 1,
            ..Counts::default()
        };
        let commands = match (self.commands)(project) {
            Ok(commands) => commands,
            Err(error) => {
                println!("error: {error:#}");
                return failed;
            }
        };
        let mut total = Counts::default();
        for mut command in commands {
            if long {
                command.env(LONG, "1");
            }
            total += match run(command.current_dir(project.path("")), self.count) {
                Ok(counts) => counts,
                Err(error) => {
                    println!("error: {error:#}");
                    failed
                }
            };
        }
        total
    }
}

fn run(command: &mut Command, count: Count) -> anyhow::Result<Counts> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let (sender, received) = mpsc::channel();
    forward(
        child.stdout.take().context("standard output was asked for")?,
        sender.clone(),
    );
    forward(
        child.stderr.take().context("standard error was asked for")?,
        sender,
    );
    let mut lines = Vec::new();
    for line in received {
        println!("{line}");
        lines.push(line);
    }
    let is_success = child.wait()?.success();
    let mut counts = match (count, count.read(&lines)) {
        (Count::Commands, _) => Counts {
            passed: u64::from(is_success),
            ..Counts::default()
        },
        (_, Some(counts)) => counts,
        (_, None) => Counts::default(),
    };
    if counts.failed == 0 && (!is_success || counts.passed == 0) {
        if is_success {
            println!("error: {name} ran no test");
        }
        counts.failed = 1;
    }
    Ok(counts)
}

fn forward(from: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let _ = to.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, count: Count) -> (u64, u64) {
        let counts = run(Command::new("sh").args(["-c", script]), count).unwrap();
        (counts.passed, counts.failed)
    }

    #[test]
    fn a_command_that_fails_without_a_failed_test_counts_as_one() {
        assert_eq!(sh("echo '3 passed, 0 failed'; exit 1", Count::Plain), (3, 1));
        assert_eq!(sh("exit 1", Count::Commands), (0, 1));
    }

    #[test]
    fn a_command_that_ran_no_test_has_failed() {
        assert_eq!(
            sh(
                "echo 'test result: ok. 0 passed; 0 failed; 0 ignored'",
                Count::CargoTest
            ),
            (0, 1)
        );
        assert_eq!(sh("true", Count::Plain), (0, 1));
    }

    #[test]
    fn counts_are_read_from_both_streams() {
        assert_eq!(sh("echo '3 passed, 0 failed' >&2", Count::Plain), (3, 0));
        assert_eq!(sh("true", Count::Commands), (1, 0));
    }
}
