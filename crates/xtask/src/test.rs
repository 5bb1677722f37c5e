//! `cargo xtask test`: everything that CI runs, stage by stage, each timed and counted.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::bail;
use clap::Args;

mod count;
mod stage;
mod stages;

use crate::project::Project;
use count::Counts;
pub(crate) use stage::LONG;
use stage::Stage;

/// Which tests to run.
#[derive(Args)]
pub(crate) struct Options {
    /// Also run what takes long: CAUSEWAY_TEST_LONG=1 is set for every stage.
    #[arg(long)]
    long: bool,
    /// The stages to run; all of them by default.
    #[arg(value_name = "STAGE")]
    stages: Vec<String>,
}

/// Runs the stages and ends with the line `N passed, M failed`. A stage that fails does not stop the next.
///
/// # Errors
/// A named stage does not exist.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<ExitCode> {
    let all = stages::all();
    let names: Vec<&str> = all.iter().map(|stage| stage.name).collect();
    if let Some(unknown) = options.stages.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no stage {unknown}; there are: {}", names.join(", "));
    }
    let is_wanted =
        |stage: &Stage| options.stages.is_empty() || options.stages.iter().any(|name| name == stage.name);

    let started = Instant::now();
    let mut lines = Vec::new();
    let mut total = Counts::default();
    for stage in all.iter().filter(|stage| is_wanted(stage)) {
        println!("\n=== {}: {}", stage.name, stage.about);
        let stage_started = Instant::now();
        let counts = stage.run(project, options.long);
        let line = format!(
            "{:<10} {counts:<40} {:>7.1} s",
            stage.name,
            stage_started.elapsed().as_secs_f64()
        );
        println!("=== {line}");
        lines.push(line);
        total += counts;
    }
    println!("\n{}", lines.join("\n"));
    println!(
        "{:<10} {:<40} {:>7.1} s\n",
        "all",
        "",
        started.elapsed().as_secs_f64()
    );
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(if total.failed == 0 && total.passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
