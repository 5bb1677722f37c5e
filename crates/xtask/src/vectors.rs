//! Verifies files of signature vectors, natively or in the wasm build of the same code.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use conformance::report::{Outcome, Report};
use conformance::run::run_file;

use crate::probe::Probe;
use crate::progress::Step;
use crate::project::Project;

/// Which vectors to verify, and where.
#[derive(Args)]
pub(crate) struct Options {
    /// Files in the format of tests/vectors/README.md.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Verify in WebAssembly, under Node.js, instead of natively.
    #[arg(long)]
    wasm: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints each failure and `N passed, M failed, K skipped`; fails when a vector did.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    let mut readable = Vec::new();
    for file in &options.files {
        let name = file.display().to_string();
        match fs::read(file) {
            Ok(bytes) => readable.push((name, bytes)),
            Err(error) => {
                let reason = format!("It cannot be read: {error}.");
                report.add(&name, "(file)", Outcome::Failed(reason));
            }
        }
    }
    if options.wasm {
        report.merge(in_wasm(project, readable.iter().map(|(name, _)| name))?);
    } else {
        for (name, bytes) in &readable {
            report.merge(run_file(name, &String::from_utf8_lossy(bytes)));
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for line in report.lines() {
            println!("{line}");
        }
    }
    Ok(if report.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn in_wasm<'f>(project: &Project, files: impl Iterator<Item = &'f String>) -> anyhow::Result<Report> {
    let probe = Probe::build(project)?;
    let step = Step::start("verifying in wasm");
    let output = step.run(probe.command("vectors").args(files))?;
    step.done();
    serde_json::from_slice(&output).context("the probe did not print a report")
}
