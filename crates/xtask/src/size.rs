//! The size of each artefact against its budget (design: Budgets).

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

use crate::artefact::Artefact;
use crate::build;
use crate::project::Project;

/// What Cloudflare is sent, wasm and JavaScript together, gzipped.
const WORKER_BUDGET: usize = 250 * 1000;
/// The wasm of each CloudFront function, gzipped.
const FUNCTION_BUDGET: usize = 120 * 1000;

/// How to print the sizes.
#[derive(Args)]
pub(crate) struct Options {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// One line of the table. Sizes are in bytes.
#[derive(Serialize)]
struct Row {
    artefact: String,
    raw: usize,
    /// gzip -9 of this artefact alone; a total is the sum of its parts.
    gzip: usize,
    budget: Option<usize>,
}

impl Row {
    fn is_over(&self) -> bool {
        self.budget.is_some_and(|budget| self.gzip > budget)
    }
}

/// Builds the artefacts and prints their sizes; fails when one is above its budget.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<ExitCode> {
    let rows = rows(&build::build(project, None)?)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print_table(&rows);
    }
    for row in rows.iter().filter(|row| row.is_over()) {
        let budget = row.budget.unwrap_or_default();
        eprintln!(
            "error: {} is {} bytes gzipped, {} above its budget of {budget}",
            row.artefact,
            row.gzip,
            row.gzip - budget
        );
    }
    Ok(if rows.iter().any(Row::is_over) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// A row per file, then their sum.
fn rows(artefacts: &[Artefact]) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for artefact in artefacts {
        let is_function = build::functions::NAMES.contains(&artefact.name);
        let mut total = Row {
            artefact: artefact.name.to_owned(),
            raw: 0,
            gzip: 0,
            budget: (!is_function).then_some(WORKER_BUDGET),
        };
        for (name, content) in artefact.files()? {
            let row = Row {
                artefact: format!("{}/{name}", artefact.name),
                raw: content.len(),
                gzip: gzip(&content)?,
                budget: (is_function && name.ends_with(".wasm")).then_some(FUNCTION_BUDGET),
            };
            total.raw += row.raw;
            total.gzip += row.gzip;
            rows.push(row);
        }
        rows.push(total);
    }
    Ok(rows)
}

/// The size of `content` after gzip -9.
pub(crate) fn gzip(content: &[u8]) -> anyhow::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len())
}

fn print_table(rows: &[Row]) {
    let width = rows.iter().map(|row| row.artefact.len()).max().unwrap_or(0);
    println!(
        "{:width$}  {:>9}  {:>9}  {:>9}",
        "artefact", "raw", "gzip", "budget"
    );
    for row in rows {
        let budget = row.budget.map_or(String::new(), |budget| budget.to_string());
        println!(
            "{:width$}  {:>9}  {:>9}  {budget:>9}",
            row.artefact, row.raw, row.gzip
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_over_only_above_its_budget() {
        let row = |gzip, budget| Row {
            artefact: String::new(),
            raw: 0,
            gzip,
            budget,
        };
        assert!(row(11, Some(10)).is_over());
        assert!(!row(10, Some(10)).is_over());
        assert!(!row(11, None).is_over());
    }

    #[test]
    fn gzip_counts_compressed_bytes() {
        assert!(gzip(&[0; 10_000]).unwrap() < 100);
    }
}
