//! The conformance probe: the gateway as a bare wasm module, built by cargo and run by Node.

use std::path::PathBuf;
use std::process::Command;

use anyhow::ensure;

use crate::progress::Step;
use crate::project::Project;
use crate::tools::{WASM, wasm_target};

/// The crate that becomes the module, and the stem of its file.
const CRATE: &str = "conformance-probe";
const STEM: &str = "conformance_probe";

/// The probe as built.
pub(crate) struct Probe {
    script: PathBuf,
    module: PathBuf,
}

impl Probe {
    /// Builds the probe from the sources as they are.
    ///
    /// # Errors
    /// The wasm target cannot be added, or the sources do not compile; the last lines have been printed.
    pub(crate) fn build(project: &Project) -> anyhow::Result<Self> {
        let _lock = project.lock()?;
        wasm_target(project)?;
        let step = Step::start_long("compiling the probe", "about a minute the first time");
        step.run(
            Command::new(env!("CARGO"))
                .args(["build", "--release", "--locked", "--target", WASM])
                .args(["--package", CRATE])
                .current_dir(project.path("")),
        )?;
        step.done();
        let module = project.path(format!("target/{WASM}/release/{STEM}.wasm"));
        ensure!(module.is_file(), "cargo did not write {}", module.display());
        Ok(Self {
            script: project.path("tests/conformance/probe/run.mjs"),
            module,
        })
    }

    /// A command that runs one of `run.mjs`'s own: `imports`, `vectors FILE…`, `corpus SEED FIRST COUNT`.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new("node");
        command.arg(&self.script).arg(&self.module).arg(name);
        command
    }
}
