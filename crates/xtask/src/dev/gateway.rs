//! A gateway that runs on this machine, whatever its platform: a program that says where it listens, and then
//! writes what the edge functions log.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::child::Child;
use super::endpoints::Origin;
use super::run_folder::RunFolder;
use super::settings::Settings;
use super::tls::Certificate;
use crate::project::Project;

/// How long a gateway may take to listen, and then to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A platform's edge functions, built, with what runs them here.
pub(super) trait LocalPlatform {
    /// Starts them. Call it from the main thread only, see [`Child::start`].
    fn start(&self, scene: &Scene<'_>) -> anyhow::Result<Gateway>;
}

/// What a gateway is started with.
pub(super) struct Scene<'s> {
    pub(super) project: &'s Project,
    pub(super) run: &'s RunFolder,
    pub(super) settings: &'s Settings,
    /// The key records, a file per key id. One that is added while the gateway runs counts.
    pub(super) keys: &'s Path,
    pub(super) origin: &'s Origin,
    pub(super) certificate: &'s Certificate,
}

/// A gateway that listens.
pub(super) struct Gateway {
    pub(super) child: Child,
    /// `http://127.0.0.1:PORT`
    pub(super) url: String,
    /// `https://127.0.0.1:PORT`
    pub(super) tls_url: String,
    /// Lines of its standard output: what the edge functions log.
    pub(super) lines: Receiver<String>,
}

/// What a line says of where the gateway listens.
#[derive(Default)]
pub(super) struct Listening {
    pub(super) url: Option<String>,
    pub(super) tls_url: Option<String>,
}

impl Gateway {
    /// Starts a program and waits until its lines have said where it listens: those of which `listening` gives
    /// something.
    pub(super) fn start(
        name: &'static str,
        program: &Path,
        arguments: &[OsString],
        run: &RunFolder,
        listening: fn(&str) -> Option<Listening>,
    ) -> anyhow::Result<Self> {
        let scratch = run.folder("tmp")?;
        let mut child = Child::start(
            name,
            program,
            arguments,
            &scratch,
            Stdio::piped(),
            Stdio::inherit(),
        )?;
        let lines = read_lines(child.take_stdout().context("standard output was asked for")?);
        let mut said = Listening::default();
        while let Ok(line) = lines.recv_timeout(PATIENCE) {
            match listening(&line) {
                Some(more) => {
                    said.url = said.url.or(more.url);
                    said.tls_url = said.tls_url.or(more.tls_url);
                }
                None => println!("{line}"),
            }
            if let Listening {
                url: Some(url),
                tls_url: Some(tls_url),
            } = &said
            {
                return Ok(Self {
                    child,
                    url: url.clone(),
                    tls_url: tls_url.clone(),
                    lines,
                });
            }
        }
        match child.ended()? {
            Some(status) => bail!("{name} ended with {status}; what it wrote is above"),
            None => bail!("{name} does not listen after {} s", PATIENCE.as_secs()),
        }
    }

    /// Waits until the edge functions answer, whatever they answer.
    pub(super) fn wait(&self) -> anyhow::Result<()> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        agent
            .get(&self.url)
            .call()
            .with_context(|| format!("{} does not answer", self.child.name()))?;
        // That request is nobody's: its log line is not shown.
        let _ = self.lines.recv_timeout(Duration::from_millis(200));
        Ok(())
    }
}

fn read_lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    lines
}
