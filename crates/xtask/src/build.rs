//! `cargo xtask build`: the artefacts that are deployed, one folder each below `target/edge/`.
//!
//! cargo for wasm32, wasm-bindgen as a library (its version is the one in Cargo.lock by construction), wasm-opt.
//! The same sources, the same toolchain and the same pins give the same bytes, wherever the clone is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

mod elsewhere;
mod factory;
pub(crate) mod functions;
pub(crate) mod worker;

use crate::artefact::Artefact;
use crate::project::{Project, digest};
use crate::size::gzip;
use crate::tools::Npm;
use crate::wasm::WASM_OPT;

/// Names the steps: changed together with them, so that what an older xtask built is built again.
const RECIPE: &str = "7";

/// Where edge functions run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Platform {
    /// One Worker.
    Cloudflare,
    /// Three Lambda functions.
    Cloudfront,
}

impl Platform {
    /// Its name, on the command line and in `infra/`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cloudflare => "cloudflare",
            Self::Cloudfront => "cloudfront",
        }
    }
}

/// What to build, and how to tell of it.
#[derive(Args)]
pub(crate) struct Options {
    /// Only the artefacts of this platform.
    #[arg(long, value_enum)]
    platform: Option<Platform>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Build everything again from a copy of this clone in another folder, and fail where a byte differs.
    #[arg(long, conflicts_with = "platform")]
    twice: bool,
    /// The clone to build, for `--twice`.
    #[arg(long, hide = true)]
    clone: Option<PathBuf>,
}

/// One artefact, as `--json` shows it. Sizes are in bytes.
#[derive(Deserialize, Serialize)]
struct Row {
    artefact: String,
    folder: String,
    files: usize,
    raw: usize,
    /// gzip -9 of each file, summed.
    gzip: usize,
    /// Over names and contents: equal where the artefacts are.
    sha256: String,
}

/// Builds and prints what was built.
///
/// # Errors
/// A tool is missing, or a step fails (its last lines have been printed), or two builds differ.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<ExitCode> {
    let clone = options.clone.clone().map(Project::at);
    let project = clone.as_ref().unwrap_or(project);
    let artefacts = build(project, options.platform)?;
    let rows: Vec<Row> = artefacts
        .iter()
        .map(|artefact| row(project, artefact))
        .collect::<anyhow::Result<_>>()?;
    if options.twice {
        elsewhere::compare(project, &rows)?;
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{:<40}  {:>5}  {:>9}  {:>9}  SHA-256",
        "artefact", "files", "raw", "gzip"
    );
    for row in rows {
        println!(
            "{:<40}  {:>5}  {:>9}  {:>9}  {}",
            row.folder, row.files, row.raw, row.gzip, row.sha256
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the artefacts of a platform, or of every one. Those that are up to date stay as they are.
///
/// # Errors
/// A tool is missing, or a step fails; its last lines have been printed.
pub(crate) fn build(project: &Project, platform: Option<Platform>) -> anyhow::Result<Vec<Artefact>> {
    let _lock = project.lock()?;
    let npm = Npm::install(project)?;
    let mut artefacts = Vec::new();
    if platform != Some(Platform::Cloudfront) {
        artefacts.push(worker::build(project, &npm)?);
    }
    if platform != Some(Platform::Cloudflare) {
        artefacts.extend(functions::build(project, &npm)?);
    }
    Ok(artefacts)
}

fn row(project: &Project, artefact: &Artefact) -> anyhow::Result<Row> {
    let files = artefact.files()?;
    let parts = files
        .iter()
        .flat_map(|(name, content)| [name.as_bytes(), content]);
    Ok(Row {
        artefact: artefact.name.to_owned(),
        folder: artefact
            .folder
            .strip_prefix(project.path(""))?
            .display()
            .to_string(),
        files: files.len(),
        raw: files.values().map(Vec::len).sum(),
        gzip: files
            .values()
            .map(|content| gzip(content))
            .sum::<anyhow::Result<usize>>()?,
        sha256: digest(parts),
    })
}

/// Everything but its sources that decides an artefact's bytes.
fn recipe(project: &Project) -> anyhow::Result<Vec<u8>> {
    let mut recipe = read(&project.path("crates/xtask/tools/npm/package-lock.json"))?;
    recipe.extend(WASM_OPT.concat().bytes());
    recipe.extend(RECIPE.bytes());
    Ok(recipe)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The script without the lines that are comments: whoever reads it reads the sources. No text in a script here has
/// lines that begin like comments.
fn without_comments(script: &str) -> String {
    let is_code = |line: &&str| {
        let line = line.trim_start();
        !["//", "/*", "*"].iter().any(|mark| line.starts_with(mark))
    };
    script.split_inclusive('\n').filter(is_code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_packed_without_their_comments() {
        let script = "// Head.\n\"use strict\";\n\n/** What\n * it does.\n */\nfunction f() {\n  // Why.\n  return 2 * 3; // six\n}\n";
        assert_eq!(
            without_comments(script),
            "\"use strict\";\n\nfunction f() {\n  return 2 * 3; // six\n}\n"
        );
    }
}
