//! WebAssembly of this workspace's crates, with the same bytes from every clone.
//!
//! A panic message names its source file, so a wasm file holds paths of the crates that it was made of, and
//! those lie below cargo's home on every machine elsewhere. rustc is told to write other names for them.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::progress::Step;
use crate::project::Project;
use crate::tools::{self, Npm};

mod order;

/// The target that every edge function is compiled for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Optimisation after wasm-bindgen. LLVM has inlined what is worth it; here only functions as small as their calls
/// are, which is 1 % smaller after gzip than none and a tenth faster. Whatever inlines more is larger, by 7 % at -O2 to
/// -Oz. With that the levels differ by 0.1 %.
///
/// What compresses badly and changes nothing goes: how each access of memory is aligned, a hint that no engine of a
/// platform heeds (0.6 %). Additions to pointers become part of the access they are for (0.4 %): right wherever that is
/// not in the lowest 1,024 bytes, and there is but the end of the stack.
pub(crate) const WASM_OPT: &[&str] = &[
    "--always-inline-max-function-size=6",
    "--one-caller-inline-max-function-size=8",
    "--flexible-inline-max-function-size=0",
    "--low-memory-unused",
    "-O3",
    "--dealign",
];

/// Half of what a stack has by default: what is stored behind it then has addresses of three bytes instead of four, of
/// which there are thousands (0.2 % smaller after gzip).
const STACK: &str = "-Clink-arg=-zstack-size=524288";

/// SHA-256 with its 64 rounds as a loop: 2 KB less after gzip. A request's head takes no longer for it; bodies that are
/// hashed are part lists, where a megabyte takes 10 ms for 7 in V8.
const SMALL_SHA256: &str = "--cfg=sha2_backend_soft=\"compact\"";

/// The part of `cargo metadata`'s output that is used here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    /// `None` for the workspace's own.
    source: Option<String>,
}

/// Compiles crates of the workspace for wasm and gives the path of each one's file.
///
/// Each is compiled by a call of its own, as nothing but a `cdylib`. Asked for a crate's `rlib` beside it, which the
/// tests use, cargo leaves out the optimisation across crates: the file would be a tenth larger. And cargo unites the
/// features of what it compiles together.
///
/// # Errors
/// The wasm target cannot be added, or the sources do not compile; the last lines have been printed.
pub(crate) fn compile(project: &Project, what: &str, packages: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    tools::wasm_target(project)?;
    let step = Step::start_long(format!("compiling {what}"), "about a minute the first time");
    let flags = rustflags(project, &step)?;
    let mut files = Vec::new();
    for package in packages {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["rustc", "--release", "--locked", "--target", WASM])
            .args(["--lib", "--crate-type", "cdylib", "--package", package])
            .current_dir(project.path(""))
            .env("CARGO_ENCODED_RUSTFLAGS", &flags);
        step.run(&mut cargo)?;
        let stem = package.replace('-', "_");
        let file = project.path(format!("target/{WASM}/release/{stem}.wasm"));
        ensure!(file.is_file(), "cargo did not write {}", file.display());
        files.push(file);
    }
    step.done();
    Ok(files)
}

/// Optimises a wasm file in its place, and puts its functions in an order that compresses.
pub(crate) fn optimise(npm: &Npm, step: &Step, file: &Path) -> anyhow::Result<()> {
    step.run(npm.wasm_opt().args(WASM_OPT).arg(file).arg("-o").arg(file))?;
    fs::write(file, order::by_likeness(&fs::read(file)?)?)?;
    Ok(())
}

fn rustflags(project: &Project, step: &Step) -> anyhow::Result<OsString> {
    let mut flags = neutral_paths(project, step)?;
    flags.extend([SMALL_SHA256, STACK].map(OsString::from));
    // The separator that cargo asks for.
    Ok(flags.join("\u{1f}".as_ref()))
}

/// Flags for rustc that replace this machine's paths by names that are the same everywhere.
fn neutral_paths(project: &Project, step: &Step) -> anyhow::Result<Vec<OsString>> {
    let metadata = step.run(
        Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(["--filter-platform", WASM])
            .current_dir(project.path("")),
    )?;
    let metadata: Metadata =
        serde_json::from_slice(&metadata).context("cargo metadata printed something else")?;
    let registries: BTreeSet<PathBuf> = metadata
        .packages
        .into_iter()
        .filter(|package| package.source.is_some())
        .filter_map(|package| Some(package.manifest_path.parent()?.parent()?.to_owned()))
        .collect();
    let rustc = Command::new("rustc")
        .arg("-vV")
        .current_dir(project.path(""))
        .output()?;
    let rustc = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let commit = rustc
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: "))
        .context("rustc -vV does not say which commit it was made of")?;
    // Where the toolchain has the component rust-src; without it the standard library goes by this name already.
    let standard_library = tools::sysroot(project)?.join("lib/rustlib/src/rust");

    let mut flags = vec![flag(&project.path(""), "causeway")];
    flags.extend(registries.iter().map(|registry| flag(registry, "crates")));
    flags.push(flag(&standard_library, &format!("/rustc/{commit}")));
    Ok(flags)
}

fn flag(path: &Path, name: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    // Without a slash at its end, or what follows the prefix would have none at its beginning.
    flag.push(path.components().collect::<PathBuf>());
    flag.push("=");
    flag.push(name);
    flag
}

/// The folders of this machine that no artefact may name.
pub(crate) fn private_folders(project: &Project) -> anyhow::Result<[PathBuf; 3]> {
    Ok([project.path(""), tools::sysroot(project)?, cargo_home()?])
}

/// Where cargo keeps the sources of dependencies.
pub(crate) fn cargo_home() -> anyhow::Result<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .context("neither CARGO_HOME nor HOME is set")
}
