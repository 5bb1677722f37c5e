//! Builds the Cloudflare Worker: cargo for wasm32, wasm-bindgen as a library (its version is the one in
//! Cargo.lock by construction), wasm-opt.
//!
//! Neither worker-build nor the wasm-bindgen program is used: both are fetched or compiled apart, and
//! worker-build replaces the one global wasm instance under requests in flight (see [`crate::factory`]).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::factory::instance_factory;
use crate::progress::Step;
use crate::project::{Project, digest};
use crate::tools::{self, Npm};

/// The crate that becomes the Worker, and the stem of its wasm file.
const CRATE: &str = "cloudflare-gateway";
const STEM: &str = "cloudflare_gateway";
/// What index.js calls on an instance.
const EXPORTS: &[&str] = &["fetch"];
/// Optimisation of the wasm. LLVM has done the work: of the levels from none to -Oz this one is the smallest
/// after gzip (by 1 to 4 %), though not before it, and takes a third of -O's time.
const WASM_OPT: &[&str] = &["-O1"];
/// Names the steps below: changed together with them, so that what an older xtask built is built again.
const RECIPE: &str = "1";

/// A built Worker: ES modules and one wasm module.
pub(crate) struct Worker {
    /// The folder that holds exactly the files to deploy.
    pub(crate) folder: PathBuf,
}

impl Worker {
    /// Where the Worker is built, whether or not it has been.
    pub(crate) fn of(project: &Project) -> Self {
        Self {
            folder: project.path("target/edge/cloudflare"),
        }
    }

    /// The deployable files by module name (`index.js`, `snippets/…/inline0.js`, …).
    pub(crate) fn modules(&self) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
        let mut modules = BTreeMap::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder)
                .with_context(|| format!("cannot read {}: run cargo xtask build", folder.display()))?;
            for entry in entries {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(name) = path.strip_prefix(&self.folder)?.to_str() {
                    modules.insert(name.to_owned(), fs::read(&path)?);
                }
            }
        }
        Ok(modules)
    }
}

/// Builds the Worker, or does nothing when it is up to date.
///
/// # Errors
/// A tool is missing, or a step fails; its last lines have been printed.
pub(crate) fn build(project: &Project) -> anyhow::Result<Worker> {
    let _lock = project.lock()?;
    build_with(project, &Npm::install(project)?)
}

/// [`build`] for a caller that holds the project's lock.
pub(crate) fn build_with(project: &Project, npm: &Npm) -> anyhow::Result<Worker> {
    let wasm = compile(project)?;

    let worker = Worker::of(project);
    let entry = project.path("edge-functions/cloudflare-gateway/index.js");
    let entry = fs::read(&entry).with_context(|| format!("cannot read {}", entry.display()))?;
    let pins = fs::read(project.path("crates/xtask/tools/npm/package-lock.json"))?;
    let key = digest([
        fs::read(&wasm)?.as_slice(),
        &entry,
        &pins,
        WASM_OPT.concat().as_bytes(),
        RECIPE.as_bytes(),
    ]);
    let stamp = project.path("target/edge/cloudflare.sha256");
    if fs::read_to_string(&stamp).is_ok_and(|built| built == key) && worker.folder.is_dir() {
        return Ok(worker);
    }

    let step = Step::start("binding and optimising the wasm");
    let fresh = project.path("target/edge/cloudflare.part");
    remove_folder(&fresh)?;
    bind(&wasm, &fresh)?;
    let bound = fresh.join("glue_bg.wasm");
    step.run(
        npm.wasm_opt()
            .args(WASM_OPT)
            .arg(&bound)
            .arg("-o")
            .arg(fresh.join("index_bg.wasm")),
    )?;
    fs::remove_file(bound)?;
    fs::write(fresh.join("index.js"), entry)?;
    remove_folder(&worker.folder)?;
    fs::rename(&fresh, &worker.folder)?;
    fs::write(&stamp, key)?;
    step.done();
    Ok(worker)
}

/// Compiles the crate and answers with the path of its wasm file.
fn compile(project: &Project) -> anyhow::Result<PathBuf> {
    tools::wasm_target(project)?;
    let step = Step::start_long("compiling the Worker", "about a minute the first time");
    step.run(
        Command::new(env!("CARGO"))
            .args([
                "build",
                "--release",
                "--locked",
                "--target",
                tools::WASM,
                "--package",
                CRATE,
            ])
            .current_dir(project.path("")),
    )?;
    step.done();
    let wasm = project.path(format!("target/{}/release/{STEM}.wasm", tools::WASM));
    ensure!(wasm.is_file(), "cargo did not write {}", wasm.display());
    Ok(wasm)
}

/// Writes `glue.js`, `glue_bg.wasm` and the snippets of dependencies.
fn bind(wasm: &Path, folder: &Path) -> anyhow::Result<()> {
    Bindgen::new()
        .input_path(wasm)
        .out_name("glue")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)
        .context("wasm-bindgen cannot bind the Worker's wasm")?;
    let glue = folder.join("glue.js");
    let factory = instance_factory(&fs::read_to_string(&glue)?, EXPORTS)?;
    fs::write(glue, factory)?;
    Ok(())
}

fn remove_folder(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
