//! `causeway.toml`, the operator's file, as the JSON that the edge functions take.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use gateway::config::{Config, ConfigSource};
use gateway::document::Node;

/// Which file to turn into JSON.
#[derive(Args)]
pub(crate) struct Options {
    /// The configuration, TOML.
    #[arg(default_value = "causeway.toml")]
    file: PathBuf,
}

/// Prints the JSON of a configuration that the gateway takes.
///
/// # Errors
/// The gateway does not take it: one sentence that names the key.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    println!(
        "{}",
        to_json(&read(&options.file)?).with_context(|| options.file.display().to_string())?
    );
    Ok(ExitCode::SUCCESS)
}

/// Reads TOML of the configuration's shape.
pub(crate) fn read(path: &Path) -> anyhow::Result<ConfigSource> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let document: Node<'_> = toml::from_str(&text).with_context(|| path.display().to_string())?;
    ConfigSource::read(document).with_context(|| path.display().to_string())
}

/// Writes the JSON, which the gateway has been seen to take.
pub(crate) fn to_json(source: &ConfigSource) -> anyhow::Result<String> {
    let json = serde_json::to_string(source)?;
    Config::from_json(&json)?;
    Ok(json)
}
