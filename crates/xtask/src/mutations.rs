//! Damaged requests through the built wasm: none may trap, each is answered as it should be, and the
//! native build gives the very same answers.

use std::process::ExitCode;

use anyhow::{Context as _, anyhow, ensure};
use clap::Args;
use conformance::corpus::{Corpus, Run};

use crate::probe::Probe;
use crate::progress::Step;
use crate::project::Project;
use crate::test::LONG;

/// How many of the cases run natively as well.
const COMPARED: u64 = 20_000;

/// Which cases to run.
#[derive(Args)]
pub(crate) struct Options {
    /// How many cases; with CAUSEWAY_TEST_LONG=1 in the environment, 25 times as many by default.
    #[arg(long, default_value_t = default_cases())]
    cases: u64,
    /// The number of the first case.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// What the cases are drawn from: equal seeds give equal cases.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the run as JSON.
    #[arg(long)]
    json: bool,
}

fn default_cases() -> u64 {
    if std::env::var_os(LONG).is_some() {
        5_000_000
    } else {
        200_000
    }
}

/// Prints each failure, how far the cases came, and `N passed, M failed`; fails when a case did.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<ExitCode> {
    let probe = Probe::build(project)?;
    let compared = options.cases.min(COMPARED);
    let step = Step::start("sending damaged requests through the wasm");
    let mut total = in_wasm(&probe, &step, options.seed, options.first, compared)?;
    step.done();

    let step = Step::start("sending some of them through the native build");
    let corpus = Corpus::new().map_err(|sentence| anyhow!(sentence))?;
    let native = corpus.run(options.seed, options.first, compared, |_| {});
    step.done();
    if native.digest != total.digest {
        let reason = "The native and the wasm build answer differently.".to_owned();
        total.failed = total.failed.saturating_add(1);
        total.failures.push((options.first, reason));
    }

    let rest = options.cases.saturating_sub(compared);
    if rest > 0 {
        let step = Step::start(format!("sending {rest} more through the wasm"));
        let first = options.first.saturating_add(compared);
        let more = in_wasm(&probe, &step, options.seed, first, rest)?;
        step.done();
        total.passed = total.passed.saturating_add(more.passed);
        total.failed = total.failed.saturating_add(more.failed);
        total.failures.extend(more.failures);
        for (stage, count) in more.reached {
            let seen = total.reached.entry(stage).or_default();
            *seen = seen.saturating_add(count);
        }
        total.digest.push_str(&more.digest);
    }

    if options.json {
        println!("{}", serde_json::to_string_pretty(&total)?);
    } else {
        for (number, sentence) in &total.failures {
            println!("failed case {number} of seed {}: {sentence}", options.seed);
        }
        for (stage, count) in &total.reached {
            println!("{count:>9} {stage}");
        }
        println!("{} passed, {} failed", total.passed, total.failed);
    }
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn in_wasm(probe: &Probe, step: &Step, seed: u64, first: u64, count: u64) -> anyhow::Result<Run> {
    let numbers = [seed, first, count].map(|number| number.to_string());
    let output = step.run(probe.command("corpus").args(numbers))?;
    let run: Run = serde_json::from_slice(&output).context("the probe did not print a run")?;
    let seen = run.passed.saturating_add(run.failed);
    ensure!(seen == count, "the probe ran {seen} of {count} cases");
    Ok(run)
}
