//! What a person sees while something takes long: a spinner with the time so far on a terminal, plain lines
//! (with a sign of life now and then) anywhere else. All of it goes to standard error; standard output is for results.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::interrupt;

/// How often a command without a terminal says that it is still at work.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);
/// How often it is looked at.
const ROUND: Duration = Duration::from_millis(100);
/// How many of a failed program's last lines are shown.
const TAIL: usize = 40;

/// One piece of long work, announced when it starts and timed when it ends.
pub(crate) struct Step {
    what: String,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Step {
    /// Announces the work: "installing workerd".
    pub(crate) fn start(what: impl Into<String>) -> Self {
        Self::start_long(what, "")
    }

    /// Announces work that a person may wonder about: `how_long` reads as "about a minute the first time".
    pub(crate) fn start_long(what: impl Into<String>, how_long: &str) -> Self {
        let what = what.into();
        let announcement = if how_long.is_empty() {
            what.clone()
        } else {
            format!("{what} ({how_long})")
        };
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_message(announcement.clone());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}] {prefix:.dim}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        if bar.is_none() {
            eprintln!("… {announcement}");
        }
        Self {
            what,
            started: Instant::now(),
            bar,
        }
    }

    /// Ends the work well.
    pub(crate) fn done(self) {
        let line = format!("✓ {} ({:.1} s)", self.what, self.started.elapsed().as_secs_f64());
        match &self.bar {
            Some(bar) => {
                bar.finish_and_clear();
                eprintln!("{line}");
            }
            None => eprintln!("{line}"),
        }
    }

    fn detail(&self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(line.chars().take(70).collect::<String>());
        }
    }

    fn still_at_it(&self, line: &str) {
        if self.bar.is_none() {
            eprintln!(
                "  still {}, {:.0} s so far: {line}",
                self.what,
                self.started.elapsed().as_secs_f64()
            );
        }
    }

    /// Runs a program as part of this work and gives its standard output. Its standard error is shown as
    /// progress, and in full measure (the last lines) when it fails.
    ///
    /// # Errors
    /// The program is missing or exits with another status than 0.
    pub(crate) fn run(&self, command: &mut Command) -> anyhow::Result<Vec<u8>> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().context("standard output was asked for")?;
        let stderr = child.stderr.take().context("standard error was asked for")?;
        let output = thread::spawn(move || {
            let mut bytes = Vec::new();
            BufReader::new(stdout).read_to_end(&mut bytes).map(|_| bytes)
        });
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let _ = sender.send(String::from_utf8_lossy(&line).trim().to_owned());
            }
        });
        let mut tail = VecDeque::new();
        let mut last_sign = Instant::now();
        loop {
            if let Err(interrupted) = interrupt::check() {
                let _ = child.kill();
                let _ = child.wait();
                return Err(interrupted);
            }
            match lines.recv_timeout(ROUND) {
                Ok(line) => {
                    self.detail(&line);
                    tail.push_back(line);
                    if tail.len() > TAIL {
                        tail.pop_front();
                    }
                }
                Err(RecvTimeoutError::Timeout) if last_sign.elapsed() > SIGN_OF_LIFE => {
                    last_sign = Instant::now();
                    self.still_at_it(tail.back().map_or("", String::as_str));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = child.wait()?;
        let stdout = output
            .join()
            .ok()
            .context("the reader of standard output stopped")??;
        if !status.success() {
            if let Some(bar) = &self.bar {
                bar.finish_and_clear();
            }
            for line in &tail {
                eprintln!("  {line}");
            }
            let printed = String::from_utf8_lossy(&stdout);
            for line in printed
                .lines()
                .rev()
                .take(TAIL)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
            {
                eprintln!("  {line}");
            }
            bail!(
                "{} failed: {name} ended with {status}; its last lines are above",
                self.what
            );
        }
        Ok(stdout)
    }
}
