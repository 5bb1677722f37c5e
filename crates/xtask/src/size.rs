//! The size of each artefact against its budget (design: Budgets).

use std::io::Write as _;
use std::process::ExitCode;

use causeway::cloudfront::{AUTHORIZER, Bundle, RESPONSE_HANDLER, Zip};
use causeway::configuration::Configuration;
use clap::Args;
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

use crate::artefact::Artefact;
use crate::build;
use crate::project::Project;

/// What Cloudflare is sent, wasm and JavaScript together, gzipped: 250 KiB. Cloudflare takes 3 MB.
const WORKER: Budget = Budget {
    raw: None,
    compressed: 250 * 1024,
};
/// The zip of each CloudFront function: what Lambda@Edge takes at viewer-request, unpacked, and its size.
const FUNCTION_ZIP: Budget = Budget {
    raw: Some(1000 * 1000),
    compressed: 120 * 1024,
};
/// That of the authorizer, which recognises every operation of either dialect, judges its headers, and opens what
/// uploads are called: 5 KiB above what the design gives a function, and an eighth of what Lambda@Edge takes at
/// viewer-request.
const AUTHORIZER_ZIP: Budget = Budget {
    compressed: 125 * 1024,
    ..FUNCTION_ZIP
};
/// That of the response handler, which also plans, makes and notes the parts that small ones are joined to: 8 KiB above
/// what the design gives a function. It runs at no viewer's request, where Lambda@Edge takes 50 MB.
const RESPONSE_HANDLER_ZIP: Budget = Budget {
    compressed: 128 * 1024,
    ..FUNCTION_ZIP
};
/// What is in those zips besides the artefacts: a configuration of ordinary size.
const CONFIGURATION: &str = "infra/cloudfront/causeway.dev.toml";

/// How to print the sizes.
#[derive(Args)]
pub(crate) struct Options {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// The most bytes that an artefact may have.
#[derive(Clone, Copy, Serialize)]
struct Budget {
    raw: Option<usize>,
    compressed: usize,
}

/// One line of the table. Sizes are in bytes.
#[derive(Serialize)]
struct Row {
    artefact: String,
    raw: usize,
    /// A file's size after gzip -9; a sum of those; the size of a zip.
    compressed: usize,
    budget: Option<Budget>,
}

impl Row {
    /// What is above the budget, in words.
    fn excess(&self) -> Option<String> {
        let Budget { raw, compressed } = self.budget?;
        if self.compressed > compressed {
            return Some(format!(
                "{} is {} bytes compressed, {} above its budget of {compressed}",
                self.artefact,
                self.compressed,
                self.compressed - compressed
            ));
        }
        let raw = raw.filter(|raw| self.raw > *raw)?;
        Some(format!(
            "{} is {} bytes unpacked, {} above its budget of {raw}",
            self.artefact,
            self.raw,
            self.raw - raw
        ))
    }
}

/// Builds the artefacts and prints their sizes; fails when one is above its budget.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<ExitCode> {
    let mut rows = files(&build::build(project, None)?)?;
    rows.extend(zips(project)?);
    if options.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print_table(&rows);
    }
    let excesses: Vec<String> = rows.iter().filter_map(Row::excess).collect();
    for excess in &excesses {
        eprintln!("error: {excess}");
    }
    Ok(if excesses.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A row per file, and for the Worker their sum.
fn files(artefacts: &[Artefact]) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for artefact in artefacts {
        let is_function = build::functions::NAMES.contains(&artefact.name);
        let (mut raw, mut compressed) = (0, 0);
        for (name, content) in artefact.files()? {
            let row = Row {
                artefact: format!("{}/{name}", artefact.name),
                raw: content.len(),
                compressed: gzip(&content)?,
                budget: None,
            };
            raw += row.raw;
            compressed += row.compressed;
            rows.push(row);
        }
        if !is_function {
            rows.push(Row {
                artefact: artefact.name.to_owned(),
                raw,
                compressed,
                budget: Some(WORKER),
            });
        }
    }
    Ok(rows)
}

/// A row per zip as it is deployed.
fn zips(project: &Project) -> anyhow::Result<Vec<Row>> {
    let configuration = Configuration::read(&project.path(CONFIGURATION))?;
    let bundle = Bundle::new(&configuration, &project.path("target/edge"))?;
    let row = |zip: &Zip| Row {
        artefact: format!("{}.zip", zip.function),
        raw: zip.unzipped,
        compressed: zip.bytes.len(),
        budget: Some(match zip.function {
            AUTHORIZER => AUTHORIZER_ZIP,
            RESPONSE_HANDLER => RESPONSE_HANDLER_ZIP,
            _ => FUNCTION_ZIP,
        }),
    };
    Ok(bundle.zips.iter().map(row).collect())
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
        "{:width$}  {:>9}  {:>10}  {:>9}  {:>5}",
        "artefact", "raw", "compressed", "budget", "share"
    );
    for row in rows {
        let (budget, share) = row.budget.map_or_else(Default::default, |budget| {
            let share = row.compressed * 100 / budget.compressed;
            (budget.compressed.to_string(), format!("{share} %"))
        });
        println!(
            "{:width$}  {:>9}  {:>10}  {budget:>9}  {share:>5}",
            row.artefact, row.raw, row.compressed
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_over_only_above_its_budget() {
        let row = |raw, compressed, budget| Row {
            artefact: String::new(),
            raw,
            compressed,
            budget,
        };
        let budget = Some(Budget {
            raw: Some(20),
            compressed: 10,
        });
        assert!(
            row(0, 11, budget)
                .excess()
                .unwrap()
                .contains("compressed, 1 above")
        );
        assert!(
            row(21, 10, budget)
                .excess()
                .unwrap()
                .contains("unpacked, 1 above")
        );
        assert_eq!(row(20, 10, budget).excess(), None);
        assert_eq!(row(21, 11, None).excess(), None);
    }

    #[test]
    fn gzip_counts_compressed_bytes() {
        assert!(gzip(&[0; 10_000]).unwrap() < 100);
    }
}
