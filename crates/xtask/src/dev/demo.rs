//! `--demo`: an unmodified SDK uploads as a device would, then the origin's bucket is read past the gateway and
//! compared with what was sent.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::endpoints::{Endpoints, random};
use super::run_folder::RunFolder;
use super::s3::Bucket;
use crate::project::Project;
use crate::tools::Python;

/// What the device says it sent: one JSON line each.
#[derive(Deserialize)]
struct Sent {
    key: String,
    size: u64,
    sha256: String,
}

/// Runs the device and compares; fails when the bucket differs from the source.
pub(crate) fn run(
    project: &Project,
    python: &Python,
    run: &RunFolder,
    endpoints: &Endpoints,
) -> anyhow::Result<ExitCode> {
    let prefix = format!("demo-{}/", random("", 8)?);
    let endpoints_file = run.path("endpoints.json");
    std::fs::write(&endpoints_file, serde_json::to_vec(endpoints)?)?;
    println!(
        "\nA device with oss2 uploads to {} below {prefix}\n",
        endpoints.edge.url
    );
    let sent = upload(project, python, &endpoints_file, &prefix)?;

    let bucket = Bucket::new(&endpoints.origin)?;
    let stored = bucket.list(&prefix)?;
    let width = sent.iter().map(|one| one.key.len()).max().unwrap_or(0);
    println!(
        "\nThe bucket {} at {}:\n",
        endpoints.origin.bucket, endpoints.origin.url
    );
    println!("{:width$}  {:>10}  {:>10}  SHA-256", "key", "sent", "stored");
    let mut differences = stored.len().abs_diff(sent.len());
    for one in &sent {
        let object = stored.iter().find(|object| object.key == one.key);
        let sha256 = object.map(|object| bucket.sha256(&object.key)).transpose()?;
        let is_equal =
            object.is_some_and(|object| object.size == one.size) && sha256.as_ref() == Some(&one.sha256);
        let size = object.map_or("missing".to_owned(), |object| object.size.to_string());
        println!(
            "{:width$}  {:>10}  {size:>10}  sent   {}",
            one.key, one.size, one.sha256
        );
        println!(
            "{:width$}  {:>10}  {:>10}  stored {}",
            "",
            "",
            "",
            sha256.as_deref().unwrap_or("-")
        );
        differences += usize::from(!is_equal);
    }
    if differences > 0 {
        eprintln!("\nerror: the bucket differs from what the device sent");
        return Ok(ExitCode::FAILURE);
    }
    println!("\nThe bucket holds exactly what the device sent.");
    Ok(ExitCode::SUCCESS)
}

fn upload(
    project: &Project,
    python: &Python,
    endpoints: &std::path::Path,
    prefix: &str,
) -> anyhow::Result<Vec<Sent>> {
    let mut device = Command::new(python.program("python"))
        .arg(project.path("crates/xtask/demo/device.py"))
        .arg(endpoints)
        .arg(prefix)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the device")?;
    let mut sent = Vec::new();
    for line in BufReader::new(device.stdout.take().context("standard output was asked for")?).lines() {
        sent.push(serde_json::from_str(&line?).context("the device wrote something else than what it sent")?);
    }
    let status = device.wait()?;
    ensure!(
        status.success(),
        "the device's upload failed; what the SDK said is above"
    );
    ensure!(!sent.is_empty(), "the device sent nothing");
    Ok(sent)
}
