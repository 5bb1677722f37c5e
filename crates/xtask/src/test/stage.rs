//! One stage of the tests: some commands, and how to count what they tested.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
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
    /// Installs what is needed and gives the commands, run from the clone's root.
    pub(crate) commands: fn(&Project) -> anyhow::Result<Vec<Command>>,
    /// When they run.
    pub(crate) order: Order,
    /// What the commands print.
    pub(crate) count: Count,
}

/// When the commands of a stage run. What they print is shown one command after the other either way.
pub(crate) enum Order {
    /// Each when the one before it has ended.
    InTurn,
    /// All at once: they wait for most of their time, and share nothing that only one may use.
    AtOnce,
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
        let start = |mut command: Command| {
            if long {
                command.env(LONG, "1");
            }
            Running::start(command.current_dir(project.path("")))
        };
        let running = commands.into_iter().map(start);
        let running: Box<dyn Iterator<Item = anyhow::Result<Running>>> = match self.order {
            Order::InTurn => Box::new(running),
            Order::AtOnce => Box::new(running.collect::<Vec<_>>().into_iter()),
        };
        let mut total = Counts::default();
        for command in running {
            total += match command.and_then(|command| command.finish(self.count)) {
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

/// A command of a stage that runs; what it prints is kept until it is asked for.
struct Running {
    name: String,
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let (sender, lines) = mpsc::channel();
        forward(
            child.stdout.take().context("standard output was asked for")?,
            sender.clone(),
        );
        forward(
            child.stderr.take().context("standard error was asked for")?,
            sender,
        );
        Ok(Self { name, child, lines })
    }

    /// Shows what it prints until it ends, and counts its tests.
    fn finish(mut self, count: Count) -> anyhow::Result<Counts> {
        let mut lines = Vec::new();
        for line in self.lines {
            println!("{line}");
            lines.push(line);
        }
        let is_success = self.child.wait()?.success();
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
                println!("error: {} ran no test", self.name);
            }
            counts.failed = 1;
        }
        Ok(counts)
    }
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
        let running = Running::start(Command::new("sh").args(["-c", script])).unwrap();
        let counts = running.finish(count).unwrap();
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

    /// Runs a stage of these commands in a folder of its own.
    fn stage(order: Order, commands: fn(&Project) -> anyhow::Result<Vec<Command>>) -> (u64, u64) {
        let folder = tempfile::tempdir().unwrap();
        let stage = Stage {
            name: "orders",
            about: "",
            commands,
            order,
            count: Count::Commands,
        };
        let counts = stage.run(&Project::at(folder.path().to_path_buf()), false);
        (counts.passed, counts.failed)
    }

    fn scripts(scripts: [&str; 2]) -> anyhow::Result<Vec<Command>> {
        Ok(Vec::from(scripts.map(|script| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        })))
    }

    #[test]
    fn commands_in_turn_begin_when_the_one_before_has_ended() {
        let counts = stage(Order::InTurn, |_| {
            scripts(["sleep 0.3; touch first", "test -e first"])
        });
        assert_eq!(counts, (2, 0));
    }

    #[test]
    fn commands_at_once_meet_each_other() {
        let counts = stage(Order::AtOnce, |_| {
            // Ten seconds at most.
            let wait = "for _ in $(seq 100); do test -e second && exit 0; sleep 0.1; done; exit 1";
            scripts([wait, "touch second"])
        });
        assert_eq!(counts, (2, 0));
    }
}
