//! The list of stages, cheapest first.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::count::Count;
use super::stage::{Order, Stage};
use crate::build::{self, Platform};
use crate::probe::Probe;
use crate::project::Project;
use crate::sdk_table;
use crate::tools::{Npm, Python, Requirements, WasmPack, chromium, npm_ci, wrangler};
use crate::wasm::WASM;

/// Every stage, in the order of their running.
pub(crate) fn all() -> Vec<Stage> {
    vec![
        Stage {
            name: "format",
            about: "rustfmt changes nothing",
            commands: |_| Ok(vec![cargo(["fmt", "--all", "--check"])]),
            order: Order::InTurn,
            count: Count::Commands,
        },
        Stage {
            name: "lint",
            about: "clippy has nothing to say, natively and for wasm",
            commands: lint,
            order: Order::InTurn,
            count: Count::Commands,
        },
        Stage {
            name: "native",
            about: "the tests of every crate, on this machine",
            commands: |_| Ok(vec![cargo(["test", "--workspace", "--locked"])]),
            order: Order::InTurn,
            count: Count::CargoTest,
        },
        Stage {
            name: "wasm",
            about: "wasm-pack test --node over the crates with tests for it",
            commands: wasm,
            order: Order::InTurn,
            count: Count::CargoTest,
        },
        Stage {
            name: "imports",
            about: "the gateway as a wasm module imports nothing",
            commands: |project| Ok(vec![Probe::build(project)?.command("imports")]),
            order: Order::InTurn,
            count: Count::Commands,
        },
        Stage {
            name: "vectors",
            about: "signature vectors, natively and in wasm",
            commands: vectors,
            order: Order::InTurn,
            count: Count::Plain,
        },
        Stage {
            name: "mutations",
            about: "damaged requests through the built wasm: no trap, no bad answer",
            commands: |_| Ok(vec![xtask(["mutations"])]),
            order: Order::InTurn,
            // One test: two hundred thousand would hide every other count.
            count: Count::Commands,
        },
        Stage {
            name: "size",
            about: "the artefacts are within their budgets",
            commands: |_| Ok(vec![xtask(["size"])]),
            order: Order::InTurn,
            count: Count::Commands,
        },
        Stage {
            name: "infra",
            about: "templates, deploy guides and scripts: cfn-lint, shellcheck, wrangler's dry run",
            commands: infra,
            order: Order::InTurn,
            count: Count::Pytest,
        },
        Stage {
            name: "reproducible",
            about: "another clone at another path makes the same artefacts",
            commands: |_| Ok(vec![xtask(["build", "--twice"])]),
            order: Order::InTurn,
            count: Count::Commands,
        },
        Stage {
            name: "lambda",
            about: "the JavaScript around the CloudFront functions",
            commands: lambda,
            order: Order::InTurn,
            count: Count::Node,
        },
        Stage {
            name: "harness",
            about: "the local CloudFront refuses what CloudFront refuses, and takes the templates",
            commands: harness,
            order: Order::InTurn,
            count: Count::Node,
        },
        Stage {
            name: "worker",
            about: "the Worker on workerd: traps, and a key store that is down",
            commands: worker,
            order: Order::InTurn,
            count: Count::Node,
        },
        Stage {
            name: "sdk",
            about: "unmodified SDKs, a real S3 server, the gateway on each platform: both at once, shown one after the other",
            commands: sdk,
            order: Order::AtOnce,
            count: Count::Pytest,
        },
        Stage {
            name: "sdk-table",
            about: "the README's tables of SDKs and limits are what the SDK tests found",
            commands: |_| Ok(vec![xtask(["sdk-table", "--check"])]),
            order: Order::InTurn,
            count: Count::Commands,
        },
    ]
}

fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments);
    command
}

/// A command of this program's own, through cargo: the tests may have replaced the file that runs now.
fn xtask<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = cargo(["xtask"]);
    command.args(arguments);
    command
}

/// Node's test runner on files of the clone.
fn node(project: &Project, files: &[impl AsRef<Path>]) -> Command {
    let mut command = Command::new("node");
    command
        .arg("--test")
        .args(files.iter().map(|file| project.path(file)));
    command
}

fn lint(project: &Project) -> anyhow::Result<Vec<Command>> {
    let native = cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]);
    let mut wasm = cargo(["clippy", "--locked", "--target", WASM]);
    for folder in folders(project, "edge-functions")? {
        let name = folder.file_name().context("a folder has a name")?.to_owned();
        wasm.arg("--package").arg(name);
    }
    wasm.args(["--", "-D", "warnings"]);
    Ok(vec![native, wasm])
}

/// The crates that have tests for wasm say so by depending on wasm-bindgen-test.
fn wasm(project: &Project) -> anyhow::Result<Vec<Command>> {
    let wasm_pack = WasmPack::install(project)?;
    let mut commands = Vec::new();
    for folder in [folders(project, "crates")?, folders(project, "edge-functions")?].concat() {
        let manifest = folder.join("Cargo.toml");
        if fs::read_to_string(&manifest).is_ok_and(|text| text.contains("\nwasm-bindgen-test")) {
            commands.push(wasm_pack.test(&folder)?);
        }
    }
    Ok(commands)
}

fn vectors(project: &Project) -> anyhow::Result<Vec<Command>> {
    let mut files: Vec<PathBuf> = fs::read_dir(project.path("tests/vectors"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut native = xtask(["vectors"]);
    native.args(&files);
    let mut wasm = xtask(["vectors", "--wasm"]);
    wasm.args(&files);
    Ok(vec![native, wasm])
}

fn lambda(project: &Project) -> anyhow::Result<Vec<Command>> {
    build::build(project, Some(Platform::Cloudfront))?;
    let tests = ["lambda", "together", "artefacts"].map(|name| format!("tests/lambda/{name}.test.mjs"));
    let mut command = node(project, &tests);
    command.env("ARTEFACTS", project.path("target/edge"));
    Ok(vec![command])
}

fn harness(project: &Project) -> anyhow::Result<Vec<Command>> {
    let folder = project.path("tests/cloudfront-harness");
    npm_ci(&folder, "installing the local CloudFront's packages from npm")?;
    let mut tests = Vec::new();
    for entry in fs::read_dir(folder.join("tests"))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            tests.push(path);
        }
    }
    tests.sort();
    Ok(vec![node(project, &tests)])
}

fn worker(project: &Project) -> anyhow::Result<Vec<Command>> {
    let built = build::build(project, Some(Platform::Cloudflare))?;
    let worker = built.first().context("the Worker is one artefact")?;
    let workerd = Npm::install(project)?.workerd()?;
    let tests = ["entry", "settings", "store", "join"]
        .map(|name| format!("edge-functions/cloudflare-gateway/tests/{name}.test.mjs"));
    let mut command = node(project, &tests);
    command.env("WORKERD", workerd).env("WORKER", &worker.folder);
    Ok(vec![command])
}

fn infra(project: &Project) -> anyhow::Result<Vec<Command>> {
    let python = Python::install(project, Requirements::InfraTests)?;
    let mut command = Command::new(python.program("python"));
    command.args(["-m", "pytest", "tests/infra"]);
    command.env("WRANGLER", wrangler(project)?);
    Ok(vec![command])
}

fn sdk(project: &Project) -> anyhow::Result<Vec<Command>> {
    let python = Python::install(project, Requirements::SdkTests)?;
    npm_ci(
        &project.path("tests/sdk"),
        "installing the SDKs for Node.js from npm",
    )?;
    chromium()?;
    let commands = sdk_table::PLATFORMS.map(|platform| {
        let mut command = Command::new(python.program("python"));
        command.args(["-m", "pytest", "tests/sdk", "--platform", platform, "--results"]);
        command.arg(sdk_table::results_file(platform));
        command
    });
    Ok(Vec::from(commands))
}

/// The folders inside a folder of the clone, sorted.
fn folders(project: &Project, parent: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = fs::read_dir(project.path(parent))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    folders.retain(|path| path.join("Cargo.toml").is_file());
    folders.sort();
    Ok(folders)
}
