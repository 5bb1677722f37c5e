//! The proof that artefacts are reproducible: built again from a copy of the clone, in another folder and with
//! another cargo home, they have the same bytes.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::Row;
use crate::progress::Step;
use crate::project::Project;
use crate::wasm;

/// What a fresh clone would not have.
const NOT_COPIED: [&str; 4] = [".git", ".causeway", "node_modules", "target"];

/// Builds a copy of the clone and compares.
///
/// # Errors
/// The copy does not build, or an artefact has other bytes.
pub(super) fn compare(project: &Project, rows: &[Row]) -> anyhow::Result<()> {
    let copy = project.path("target/elsewhere/with another path/clone");
    let step = Step::start_long("building a copy of this clone", "some minutes the first time");
    refresh(&project.path(""), &copy)?;
    let home = project.path("target/elsewhere/cargo");
    let _ = fs::remove_file(&home);
    symlink(wasm::cargo_home()?, &home)?;
    let printed = step.run(
        Command::new(env::current_exe()?)
            .args(["build", "--json", "--clone"])
            .arg(&copy)
            .env("CARGO_HOME", &home),
    )?;
    let again: Vec<Row> =
        serde_json::from_slice(&printed).context("the copy's build printed something else")?;
    step.done();
    ensure!(again.len() == rows.len(), "the copy has other artefacts");
    for (here, there) in rows.iter().zip(&again) {
        ensure!(
            (&here.artefact, &here.sha256) == (&there.artefact, &there.sha256),
            "{} is not reproducible: compare {} with that below {}",
            here.artefact,
            project.path(&here.folder).display(),
            copy.display()
        );
    }
    Ok(())
}

/// Makes `copy` what `clone` is now. What the copy's own build left there stays.
fn refresh(clone: &Path, copy: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(copy).with_context(|| format!("cannot create {}", copy.display()))?;
    let is_copied = |name: &std::ffi::OsStr| !NOT_COPIED.iter().any(|other| *other == name);
    for entry in fs::read_dir(copy)? {
        let entry = entry?;
        if is_copied(&entry.file_name()) {
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
    }
    for entry in fs::read_dir(clone)? {
        let entry = entry?;
        let to = copy.join(entry.file_name());
        if !is_copied(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            refresh(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
