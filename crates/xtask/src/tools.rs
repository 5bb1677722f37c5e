//! Programs that are not Rust, installed by pinned version below `.causeway/`: npm packages, Python packages,
//! the wasm32 standard library. Each is installed once and again only when its pins change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::progress::Step;
use crate::project::{Project, digest};

/// The oldest Node.js that runs the tools (they are tested with this one).
const NODE: u32 = 20;
/// The target that every edge function is compiled for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Programs from npm: `crates/xtask/tools/npm/package-lock.json` says which.
pub(crate) struct Npm {
    modules: PathBuf,
}

impl Npm {
    /// Installs what the lock file names, unless that is done already.
    pub(crate) fn install(project: &Project) -> anyhow::Result<Self> {
        let folder = project.state("npm");
        let modules = folder.join("node_modules");
        let pins = project.path("crates/xtask/tools/npm");
        let files = ["package.json", "package-lock.json", ".npmrc"];
        let contents = files
            .iter()
            .map(|name| read(&pins.join(name)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let stamp = Stamp::new(&folder, digest(contents.iter().map(Vec::as_slice)));
        if !stamp.holds() {
            check_node()?;
            let step = Step::start("installing workerd and wasm-opt from npm");
            stamp.clear()?;
            for (name, content) in files.iter().zip(&contents) {
                fs::write(folder.join(name), content)?;
            }
            step.run(
                Command::new("npm")
                    .args(["ci", "--ignore-scripts"])
                    .current_dir(&folder),
            )?;
            stamp.set()?;
            step.done();
        }
        Ok(Self { modules })
    }

    /// A command that runs binaryen's optimiser.
    pub(crate) fn wasm_opt(&self) -> Command {
        let mut command = Command::new("node");
        command.arg(self.modules.join("binaryen/bin/wasm-opt"));
        command
    }
}

/// Adds the standard library for wasm32 when this toolchain lacks it.
pub(crate) fn wasm_target(project: &Project) -> anyhow::Result<()> {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(project.path(""))
        .output()?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    if sysroot.join("lib/rustlib").join(WASM).is_dir() {
        return Ok(());
    }
    let step = Step::start(format!("adding {WASM} to the Rust toolchain"));
    step.run(
        Command::new("rustup")
            .args(["target", "add", WASM])
            .current_dir(project.path("")),
    )
    .with_context(|| {
        format!("the Rust toolchain lacks {WASM}: install rustup, or add that target yourself")
    })?;
    step.done();
    Ok(())
}

fn check_node() -> anyhow::Result<()> {
    let advice = format!("Node.js {NODE} or newer with npm is needed: install it (nodejs.org) and try again");
    let output = Command::new("node")
        .arg("--version")
        .output()
        .context(advice.clone())?;
    let version = String::from_utf8_lossy(&output.stdout)
        .trim()
        .trim_start_matches('v')
        .to_owned();
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok())
        .unwrap_or(0);
    if major < NODE {
        bail!("{advice} (found {version})");
    }
    Command::new("npm").arg("--version").output().context(advice)?;
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A file that says which pins a folder was filled from.
struct Stamp {
    path: PathBuf,
    content: String,
}

impl Stamp {
    fn new(folder: &Path, content: String) -> Self {
        Self {
            path: folder.join(".installed"),
            content,
        }
    }

    fn holds(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|content| content == self.content)
    }

    /// Before an installation: one that is interrupted must not look complete.
    fn clear(&self) -> anyhow::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn set(&self) -> anyhow::Result<()> {
        fs::write(&self.path, &self.content).with_context(|| format!("cannot write {}", self.path.display()))
    }
}
