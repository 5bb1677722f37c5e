//! `cargo xtask sdk-table`: the README's tables of operations, of SDKs and of platform limits, written from what the
//! SDK tests found on each platform.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;

use crate::project::Project;

mod operations;

/// The platforms that the SDK tests run on, as `cargo xtask dev --platform` calls them.
pub(crate) const PLATFORMS: [&str; 2] = ["cloudflare", "cloudfront"];

/// What `cargo xtask test sdk` writes for a platform.
pub(crate) fn results_file(platform: &str) -> String {
    format!("target/sdk-results-{platform}.json")
}

/// Whether to write the tables or only to compare them.
#[derive(Args)]
pub(crate) struct Options {
    /// Change nothing; fail where a table of the README is not the one of the results.
    #[arg(long)]
    check: bool,
}

/// The outcome of the SDK tests on one platform.
#[derive(Deserialize)]
struct Results {
    topology: String,
    results: Vec<Cell>,
    operations: Vec<operations::Covered>,
    limits: Vec<Limit>,
}

#[derive(Deserialize)]
struct Cell {
    sdk: String,
    version: String,
    signature: String,
    style: String,
    operation: String,
    result: String,
}

/// What the platform does by itself, and whether a test saw it do so.
#[derive(Default, Deserialize)]
struct Limit {
    case: String,
    answer: String,
    reason: String,
    /// Those that it means, by SDK.
    operations: BTreeMap<String, Vec<String>>,
    result: String,
}

/// Writes or compares the tables.
///
/// # Errors
/// The results of a platform are missing, a limit was not shown by its test, README.md has no place for a
/// table, or an operation has a cell that no test filled.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<ExitCode> {
    let mut platforms = Vec::new();
    for platform in PLATFORMS {
        let file = results_file(platform);
        let json = fs::read_to_string(project.path(&file))
            .with_context(|| format!("{file} cannot be read: run cargo xtask test sdk first"))?;
        let results: Results = serde_json::from_str(&json).with_context(|| file.clone())?;
        if let Some(limit) = results.limits.iter().find(|limit| limit.result != "passed") {
            bail!("{file}: the test of a limit has {}: {}", limit.result, limit.case);
        }
        platforms.push(results);
    }
    let path = project.path("README.md");
    let readme = fs::read_to_string(&path).context("README.md")?;
    let written = with_table(&readme, "sdk-table", &matrix(&platforms))?;
    let written = with_table(&written, "platform-limits", &limits(&platforms))?;
    let (table, wrong) = operations::table(&operations::rows(project)?, &platforms);
    let written = with_table(&written, "operations-table", &table)?;
    if written == readme {
        println!("The tables in README.md are those of the results.");
    } else if options.check {
        bail!("a table in README.md is not the one of the results: run cargo xtask sdk-table and commit it");
    } else {
        fs::write(&path, written)?;
        println!("README.md has new tables.");
    }
    if !wrong.is_empty() {
        bail!(
            "no passed test covers {}: see tests/sdk/README.md, Operations",
            wrong.join(", ")
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// `text` with `table` between `<!-- name -->` and `<!-- /name -->`.
fn with_table(text: &str, name: &str, table: &str) -> anyhow::Result<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let missing = |line: &str| format!("README.md has no line {}", line.trim_end());
    let (before, rest) = text.split_once(&begin).with_context(|| missing(&begin))?;
    let (_, after) = rest.split_once(&end).with_context(|| missing(&end))?;
    Ok([before, &begin, table, &end, after].concat())
}

/// A row for each SDK and signature on each platform, a column for each addressing style; in the order of the results.
fn matrix(platforms: &[Results]) -> String {
    let cells = || platforms.iter().flat_map(|platform| &platform.results);
    let styles = in_order(cells().map(|cell| cell.style.as_str()));
    let mut text = format!(
        "| SDK | signature | on | {} |\n|---|---|---|{}\n",
        styles.join(" | "),
        "---|".repeat(styles.len())
    );
    let signer = |cell: &Cell| [&cell.sdk, &cell.version, &cell.signature].map(String::clone);
    for signer_of_row in in_order(cells().map(signer)) {
        let [sdk, version, signature] = &signer_of_row;
        for Results {
            topology, results, ..
        } in platforms
        {
            text.push_str(&format!("| {sdk} {version} | {signature} | {topology} |"));
            for style in &styles {
                let cells = results
                    .iter()
                    .filter(|cell| signer(cell) == signer_of_row && cell.style == *style);
                text.push_str(&format!(" {} |", summary(cells)));
            }
            text.push('\n');
        }
    }
    text
}

/// A row for each limit of each platform, numbered.
fn limits(platforms: &[Results]) -> String {
    let mut text =
        String::from("| | on | what a device sends or meets | what it sees | why |\n|---|---|---|---|---|\n");
    let mut number = 0;
    for Results { topology, limits, .. } in platforms {
        for Limit {
            case, answer, reason, ..
        } in limits
        {
            number += 1;
            text.push_str(&format!(
                "| {number} | {topology} | {case} | {answer} | {reason} |\n"
            ));
        }
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

fn in_order<T: Ord + Clone>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    items.filter(|item| seen.insert(item.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(style: &str, operation: &str, result: &str) -> Cell {
        Cell {
            sdk: "oss2".into(),
            version: "2.19.1".into(),
            signature: "V1".into(),
            style: style.into(),
            operation: operation.into(),
            result: result.into(),
        }
    }

    fn platforms() -> [Results; 2] {
        [
            Results {
                topology: "Worker".into(),
                results: vec![
                    cell("path", "PutObject", "passed"),
                    cell("path", "UploadPart", "failed"),
                    cell("CNAME", "PutObject", "passed"),
                    Cell {
                        signature: "V4".into(),
                        ..cell("CNAME", "PutObject", "passed")
                    },
                ],
                operations: Vec::new(),
                limits: Vec::new(),
            },
            Results {
                topology: "CloudFront".into(),
                results: vec![cell("path", "PutObject", "passed")],
                operations: Vec::new(),
                limits: vec![Limit {
                    case: "a GET with a body".into(),
                    answer: "403".into(),
                    reason: "CloudFront's rule".into(),
                    ..Limit::default()
                }],
            },
        ]
    }

    #[test]
    fn a_row_counts_what_passed_on_a_platform_and_names_what_did_not() {
        assert_eq!(
            matrix(&platforms()),
            "| SDK | signature | on | path | CNAME |\n|---|---|---|---|---|\n\
             | oss2 2.19.1 | V1 | Worker | 1 of 2 operations (not UploadPart) | 1 of 1 operations |\n\
             | oss2 2.19.1 | V1 | CloudFront | 1 of 1 operations | — |\n\
             | oss2 2.19.1 | V4 | Worker | — | 1 of 1 operations |\n\
             | oss2 2.19.1 | V4 | CloudFront | — | — |\n"
        );
    }

    #[test]
    fn every_limit_of_a_platform_is_a_row() {
        assert_eq!(
            limits(&platforms()),
            "| | on | what a device sends or meets | what it sees | why |\n|---|---|---|---|---|\n\
             | 1 | CloudFront | a GET with a body | 403 | CloudFront's rule |\n"
        );
    }

    #[test]
    fn a_table_replaces_what_stands_between_its_two_lines() {
        let text = "a\n<!-- t -->\nold\n<!-- /t -->\nb\n";
        assert_eq!(
            with_table(text, "t", "new\n").unwrap(),
            "a\n<!-- t -->\nnew\n<!-- /t -->\nb\n"
        );
        assert!(with_table(text, "other", "").is_err());
    }
}
