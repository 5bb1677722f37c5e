//! `cargo xtask sdk-table`: the README's table of SDKs, written from what the SDK tests found.

use std::collections::BTreeSet;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;

use crate::project::Project;

/// What `cargo xtask test sdk` writes.
pub(crate) const RESULTS: &str = "target/sdk-results.json";
const BEGIN: &str = "<!-- sdk-table -->\n";
const END: &str = "<!-- /sdk-table -->";

/// Whether to write the table or only to compare it.
#[derive(Args)]
pub(crate) struct Options {
    /// Change nothing; fail where the README's table is not the one of the results.
    #[arg(long)]
    check: bool,
}

#[derive(Deserialize)]
struct Results {
    signature: String,
    results: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    sdk: String,
    version: String,
    style: String,
    operation: String,
    result: String,
}

/// Writes or compares the table.
///
/// # Errors
/// There are no results yet, or README.md has no place for the table.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<ExitCode> {
    let results = fs::read_to_string(project.path(RESULTS))
        .with_context(|| format!("{RESULTS} cannot be read: run cargo xtask test sdk first"))?;
    let table = table(&serde_json::from_str(&results).context(RESULTS)?);
    let path = project.path("README.md");
    let readme = fs::read_to_string(&path).context("README.md")?;
    let (before, rest) = readme
        .split_once(BEGIN)
        .context("README.md has no line <!-- sdk-table -->")?;
    let (_, after) = rest
        .split_once(END)
        .context("README.md has no line <!-- /sdk-table -->")?;
    let written = [before, BEGIN, &table, END, after].concat();
    if written == readme {
        println!("The table in README.md is the one of {RESULTS}.");
        return Ok(ExitCode::SUCCESS);
    }
    if options.check {
        bail!("the table in README.md is not the one of {RESULTS}: run cargo xtask sdk-table and commit it");
    }
    fs::write(&path, written)?;
    println!("README.md has a new table.");
    Ok(ExitCode::SUCCESS)
}

/// A row for each SDK, a column for each addressing style; both in the order of the results.
fn table(results: &Results) -> String {
    let styles = in_order(results.results.iter().map(|cell| cell.style.as_str()));
    let sdks = in_order(
        results
            .results
            .iter()
            .map(|cell| (cell.sdk.as_str(), cell.version.as_str())),
    );
    let mut text = format!(
        "| SDK | signature | {} |\n|---|---|{}\n",
        styles.join(" | "),
        "---|".repeat(styles.len())
    );
    for (sdk, version) in sdks {
        text.push_str(&format!("| {sdk} {version} | {} |", results.signature));
        for style in &styles {
            let cells = results.results.iter().filter(|cell| {
                (cell.sdk.as_str(), cell.version.as_str(), cell.style.as_str()) == (sdk, version, *style)
            });
            text.push_str(&format!(" {} |", summary(cells)));
        }
        text.push('\n');
    }
    text
}

/// How many operations passed, and which did not.
fn summary<'c>(cells: impl Iterator<Item = &'c Cell>) -> String {
    let (passed, failed): (Vec<_>, Vec<_>) = cells.partition(|cell| cell.result == "passed");
    if passed.is_empty() && failed.is_empty() {
        return "—".to_owned();
    }
    let mut text = format!("{} of {} operations", passed.len(), passed.len() + failed.len());
    if !failed.is_empty() {
        let names: Vec<_> = failed.iter().map(|cell| cell.operation.as_str()).collect();
        text.push_str(&format!(" (not {})", names.join(", ")));
    }
    text
}

fn in_order<T: Ord + Copy>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    items.filter(|item| seen.insert(*item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_what_passed_and_names_what_did_not() {
        let cell = |style: &str, operation: &str, result: &str| Cell {
            sdk: "oss2".into(),
            version: "2.19.1".into(),
            style: style.into(),
            operation: operation.into(),
            result: result.into(),
        };
        let results = Results {
            signature: "V1".into(),
            results: vec![
                cell("path", "PutObject", "passed"),
                cell("path", "UploadPart", "failed"),
                cell("CNAME", "PutObject", "passed"),
            ],
        };
        assert_eq!(
            table(&results),
            "| SDK | signature | path | CNAME |\n|---|---|---|---|\n\
             | oss2 2.19.1 | V1 | 1 of 2 operations (not UploadPart) | 1 of 1 operations |\n"
        );
    }
}
