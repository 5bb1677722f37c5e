//! `causeway.toml`, and the JSON that the edge functions take.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use gateway::config::{Config, ConfigSource};
use gateway::document::Node;

/// A configuration that the gateway takes.
pub struct Configuration {
    source: ConfigSource,
    json: String,
}

impl Configuration {
    /// Reads the operator's file.
    ///
    /// # Errors
    /// The file can't be read, is no TOML, or the gateway does not take it: one sentence that names the key.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        read_source(file)
            .and_then(Self::new)
            .with_context(|| file.display().to_string())
    }

    /// Checks a configuration that was read by [`read_source`].
    ///
    /// # Errors
    /// The gateway does not take it: one sentence that names the key.
    pub fn new(source: ConfigSource) -> anyhow::Result<Self> {
        let json = to_json(&source)?;
        Ok(Self { source, json })
    }

    /// The configuration as it was written, with every default.
    pub fn source(&self) -> &ConfigSource {
        &self.source
    }

    /// The JSON: CAUSEWAY_CONFIG of the Worker, causeway.json of the CloudFront functions.
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// The JSON of a configuration, which the gateway has been seen to take.
///
/// # Errors
/// The gateway does not take it: one sentence that names the key.
pub fn to_json(source: &ConfigSource) -> anyhow::Result<String> {
    let json = serde_json::to_string(source)?;
    Config::from_json(&json)?;
    Ok(json)
}

/// Reads TOML of the configuration's shape, without judging what it says.
///
/// # Errors
/// The file can't be read, is no TOML, or has another shape.
pub fn read_source(file: &Path) -> anyhow::Result<ConfigSource> {
    let text = fs::read_to_string(file).context("cannot read the file")?;
    let document: Node<'_> = toml::from_str(&text).map_err(|error| {
        // To TOML a [buckets.staging] in front has made `buckets` a table, so it can't be a list as well.
        let at = error.span().and_then(|span| text.get(span));
        match (error.message(), at) {
            ("duplicate key", Some("buckets")) => {
                anyhow!("{error}put [buckets.*] tables behind the [[buckets]] that they are of")
            }
            _ => error.into(),
        }
    })?;
    Ok(ConfigSource::read(document)?)
}
