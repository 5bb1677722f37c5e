//! Configurations and artefacts for the tests.

#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use causeway::cloudfront::{AUTHORIZER, RESPONSE_HANDLER, ROUTER};
use causeway::configuration::Configuration;
use tempfile::TempDir;

/// A configuration that fits every platform.
pub(crate) const GOOD: &str = r#"
[[buckets]]
name = "devices"
aliases = ["old-devices"]
[buckets.origin]
bucket = "acme-ingest"
region = "eu-west-1"
endpoint = "https://s3.eu-west-1.amazonaws.com"
[buckets.kms_keys]
"9468da86-3509-4f8d-a61e-6eab1eac" = "arn:aws:kms:eu-west-1:123456789012:key/1"
[[hosts]]
host = "edge.example.com"
styles = ["path", "virtual-host"]
[[hosts]]
host = "upload.example.com"
cname = "devices"
"#;

/// A folder with a file `causeway.toml`.
pub(crate) fn folder_with(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("causeway.toml"), text).unwrap();
    folder
}

/// A configuration that has to be good.
pub(crate) fn configuration(text: &str) -> Configuration {
    let folder = folder_with(text);
    Configuration::read(&folder.path().join("causeway.toml")).unwrap()
}

/// Puts artefacts into a folder, as `cargo xtask build` does.
pub(crate) fn artefacts(folder: &Path) {
    for function in [AUTHORIZER, ROUTER, RESPONSE_HANDLER] {
        let artefact = folder.join(function);
        fs::create_dir_all(&artefact).unwrap();
        let glue = [format!("{function}.js"), format!("{function}_bg.wasm.br")];
        for name in ["index.js", "lambda.js"]
            .into_iter()
            .chain(glue.iter().map(String::as_str))
        {
            fs::write(artefact.join(name), format!("{function}: {name}\n").repeat(100)).unwrap();
        }
    }
}

/// Runs the program.
pub(crate) fn causeway(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_causeway"))
        .args(arguments)
        .output()
        .unwrap()
}
