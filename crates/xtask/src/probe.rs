//! The conformance probe: the gateway as a bare wasm module, built by cargo and run by Node.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::project::Project;
use crate::wasm;

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
        let modules = wasm::compile(project, "the probe", &["conformance-probe"])?;
        Ok(Self {
            script: project.path("tests/conformance/probe/run.mjs"),
            module: modules.into_iter().next().context("the probe is one module")?,
        })
    }

    /// A command that runs one of `run.mjs`'s own: `imports`, `vectors FILE…`, `corpus SEED FIRST COUNT`.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new("node");
        command.arg(&self.script).arg(&self.module).arg(name);
        command
    }
}
