//! Programs that are not Rust, installed by pinned version below `.causeway/`: npm packages, Python packages,
//! the wasm32 standard library. Each is installed once and again only when its pins change.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::progress::Step;
use crate::project::{Project, digest};
use crate::wasm::WASM;

/// The oldest Node.js that runs the tools; the local CloudFront needs the most.
const NODE: [u32; 3] = [20, 18, 1];
/// wasm-pack, from crates.io.
const WASM_PACK: &str = "wasm-pack@0.15.1";
/// The files that say what npm installs.
const NPM_PINS: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// Programs from npm: `crates/xtask/tools/npm/package-lock.json` says which.
pub(crate) struct Npm {
    modules: PathBuf,
}

impl Npm {
    /// Installs what the lock file names, unless that is done already.
    pub(crate) fn install(project: &Project) -> anyhow::Result<Self> {
        let modules = npm_modules(project, "npm", "installing workerd and wasm-opt from npm")?;
        Ok(Self { modules })
    }

    /// The workerd program for this machine. (The package's own launcher is a Node script, which would stand
    /// between workerd and the signals that end it.)
    pub(crate) fn workerd(&self) -> anyhow::Result<PathBuf> {
        let platform = match (env::consts::OS, env::consts::ARCH) {
            ("linux", "x86_64") => "linux-64",
            ("linux", "aarch64") => "linux-arm64",
            ("macos", "x86_64") => "darwin-64",
            ("macos", "aarch64") => "darwin-arm64",
            (system, processor) => {
                bail!("workerd does not exist for {system} on {processor}: use Linux or macOS")
            }
        };
        let program = self
            .modules
            .join(format!("@cloudflare/workerd-{platform}/bin/workerd"));
        ensure!(
            program.is_file(),
            "npm did not install {}: remove .causeway/npm and try again",
            program.display()
        );
        Ok(program)
    }

    /// A command that runs binaryen's optimiser.
    pub(crate) fn wasm_opt(&self) -> Command {
        let mut command = Command::new("node");
        command.arg(self.modules.join("binaryen/bin/wasm-opt"));
        command
    }
}

/// Cloudflare's command line, from npm: `crates/xtask/tools/wrangler/package-lock.json` says which. Gives the
/// package's folder.
pub(crate) fn wrangler(project: &Project) -> anyhow::Result<PathBuf> {
    let modules = npm_modules(project, "wrangler", "installing wrangler from npm")?;
    Ok(modules.join("wrangler"))
}

/// Installs what `crates/xtask/tools/{name}` pins into `.causeway/{name}`, and gives its node_modules.
fn npm_modules(project: &Project, name: &str, what: &str) -> anyhow::Result<PathBuf> {
    let pins = project.path("crates/xtask/tools").join(name);
    let folder = project.state(name);
    fs::create_dir_all(&folder)?;
    for file in NPM_PINS {
        fs::write(folder.join(file), read(&pins.join(file))?)?;
    }
    npm_ci(&folder, what)?;
    Ok(folder.join("node_modules"))
}

/// Installs what `folder`'s package-lock.json names into its node_modules, unless that is done already.
pub(crate) fn npm_ci(folder: &Path, what: &str) -> anyhow::Result<()> {
    let pins = NPM_PINS.map(|name| fs::read(folder.join(name)).unwrap_or_default());
    let modules = folder.join("node_modules");
    let stamp = Stamp::new(&modules, digest(pins.iter().map(Vec::as_slice)));
    if stamp.holds() {
        return Ok(());
    }
    check_node()?;
    let step = Step::start(what);
    stamp.clear()?;
    step.run(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(folder),
    )?;
    stamp.set()?;
    step.done();
    Ok(())
}

/// `wasm-pack`, with the wasm-bindgen programs that it runs.
pub(crate) struct WasmPack {
    programs: PathBuf,
}

impl WasmPack {
    /// Compiles both, unless that is done already.
    pub(crate) fn install(project: &Project) -> anyhow::Result<Self> {
        let folder = project.state("tools");
        let sources = project.path("crates/xtask/tools/wasm-bindgen");
        let manifest = read(&sources.join("Cargo.toml"))?;
        let lock = read(&sources.join("Cargo.lock"))?;
        let stamp = Stamp::new(
            &folder,
            digest([WASM_PACK.as_bytes(), manifest.as_slice(), &lock]),
        );
        if !stamp.holds() {
            stamp.clear()?;
            let install = |what, arguments: &[&std::ffi::OsStr]| {
                let step = Step::start_long(what, "a few minutes, once");
                let mut command = Command::new(env!("CARGO"));
                command
                    .args(["install", "--locked", "--force", "--root"])
                    .arg(&folder);
                command.arg("--target-dir").arg(project.path("target/tools"));
                step.run(command.args(arguments))?;
                step.done();
                anyhow::Ok(())
            };
            install(
                "compiling wasm-bindgen's test runner",
                &["--path".as_ref(), sources.as_os_str()],
            )?;
            // It only starts other programs: optimising it would take longer than all of its runs.
            install("compiling wasm-pack", &["--debug".as_ref(), WASM_PACK.as_ref()])?;
            stamp.set()?;
        }
        Ok(Self {
            programs: folder.join("bin"),
        })
    }

    /// A command that runs the wasm tests of the crate in `folder` under Node.
    pub(crate) fn test(&self, folder: &Path) -> anyhow::Result<Command> {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([self.programs.clone()].into_iter().chain(env::split_paths(&path)))?;
        let mut command = Command::new(self.programs.join("wasm-pack"));
        // no-install: it would download the programs that PATH names.
        command
            .args(["test", "--node", "--mode", "no-install"])
            .arg(folder)
            .arg("--locked")
            .env("PATH", path);
        Ok(command)
    }
}

/// A set of pinned Python packages.
#[derive(Clone, Copy)]
pub(crate) enum Requirements {
    /// SeaweedFS.
    Origin,
    /// An OSS SDK, for the demo.
    Device,
    /// The SDKs under test, and pytest.
    SdkTests,
    /// The linters of templates and scripts, and pytest.
    InfraTests,
}

impl Requirements {
    /// The file of pins, the folder below `.causeway/` and what to say meanwhile.
    fn describe(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Origin => (
                "crates/xtask/tools/python/origin.txt",
                "python/origin",
                "installing SeaweedFS from PyPI",
            ),
            Self::Device => (
                "crates/xtask/tools/python/device.txt",
                "python/device",
                "installing oss2 from PyPI",
            ),
            Self::SdkTests => (
                "tests/sdk/requirements.txt",
                "python/sdk-tests",
                "installing the SDKs under test from PyPI",
            ),
            Self::InfraTests => (
                "tests/infra/requirements.txt",
                "python/infra-tests",
                "installing cfn-lint and shellcheck from PyPI",
            ),
        }
    }
}

/// A Python virtual environment: `crates/xtask/tools/python/` says what is in it.
pub(crate) struct Python {
    folder: PathBuf,
}

impl Python {
    /// Makes the environment and installs what is pinned, unless that is done already.
    pub(crate) fn install(project: &Project, requirements: Requirements) -> anyhow::Result<Self> {
        let (pins, folder, what) = requirements.describe();
        let (pins, folder) = (project.path(pins), project.state(folder));
        let stamp = Stamp::new(&folder, digest([read(&pins)?.as_slice()]));
        if !stamp.holds() {
            check_python()?;
            let step = Step::start(what);
            stamp.clear()?;
            step.run(
                Command::new("python3")
                    .args(["-m", "venv", "--clear"])
                    .arg(&folder),
            )
            .context(
                "Python cannot make a virtual environment: on Debian and Ubuntu, install python3-venv",
            )?;
            let pip = [
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-input",
                "--requirement",
            ];
            step.run(Command::new(folder.join("bin/python")).args(pip).arg(&pins))?;
            stamp.set()?;
            step.done();
        }
        Ok(Self { folder })
    }

    /// A program that one of the packages brings, or `python`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }
}

/// Makes sure of Chromium, which the tests of forms drive: `CHROMIUM` names it, or it is on the path, or
/// Debian's package is installed.
pub(crate) fn chromium() -> anyhow::Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = env::split_paths(&path).any(|folder| folder.join("chromium").is_file());
    if is_there || env::var_os("CHROMIUM").is_some() {
        return Ok(());
    }
    let step = Step::start("installing Chromium from Debian");
    for arguments in [
        ["update", "--quiet"].as_slice(),
        &[
            "install",
            "--quiet",
            "--yes",
            "--no-install-recommends",
            "chromium",
        ],
    ] {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        step.run(&mut command)
            .context("Chromium is missing: install it (on Debian, as root, `apt-get install chromium`), or set CHROMIUM to its program")?;
    }
    step.done();
    Ok(())
}

/// The folder of the Rust toolchain that this clone is compiled with.
pub(crate) fn sysroot(project: &Project) -> anyhow::Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(project.path(""))
        .output()
        .context("cannot start rustc")?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// Adds the standard library for wasm32 when this toolchain lacks it.
pub(crate) fn wasm_target(project: &Project) -> anyhow::Result<()> {
    if sysroot(project)?.join("lib/rustlib").join(WASM).is_dir() {
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
    let [major, minor, patch] = NODE;
    let advice = format!(
        "Node.js {major}.{minor}.{patch} or newer with npm is needed: install it (nodejs.org) and try again"
    );
    let output = Command::new("node")
        .arg("--version")
        .output()
        .context(advice.clone())?;
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.trim().trim_start_matches('v');
    let numbers: Vec<u32> = version
        .split('.')
        .map_while(|number| number.parse().ok())
        .collect();
    if numbers.as_slice() < NODE.as_slice() {
        bail!("{advice} (found {version})");
    }
    Command::new("npm").arg("--version").output().context(advice)?;
    Ok(())
}

fn check_python() -> anyhow::Result<()> {
    let advice = "Python 3.10 or newer is needed as python3: install it (python.org) and try again";
    let check = "import sys; sys.exit(sys.version_info < (3, 10))";
    let status = Command::new("python3")
        .args(["-c", check])
        .status()
        .context(advice)?;
    ensure!(status.success(), advice);
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
