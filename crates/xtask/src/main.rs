//! The contributor's commands, run as `cargo xtask <command>`.
//!
//! Everything a command needs beyond Rust, Node and Python it installs by itself, pinned, below the
//! git-ignored `.causeway/` folder of the clone: nothing is installed for the user or the system.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod artefact;
mod build;
mod dev;
mod interrupt;
mod mutations;
mod probe;
mod progress;
mod project;
mod sdk_table;
mod size;
mod test;
mod tools;
mod vectors;
mod wasm;

use project::Project;

/// The contributor's commands of Causeway.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build what is deployed: the Cloudflare Worker and the three CloudFront functions.
    Build(build::Options),
    /// Print the size of each artefact against its budget; fails when one is above it.
    Size(size::Options),
    /// Verify files of signature vectors.
    Vectors(vectors::Options),
    /// Send damaged requests through the built wasm; none may trap.
    Mutations(mutations::Options),
    /// Run the gateway in front of a local S3 server, until Ctrl-C.
    Dev(dev::Options),
    /// Run everything that CI runs.
    Test(test::Options),
    /// Write the README's table of SDKs from the results of `cargo xtask test sdk`.
    SdkTable(sdk_table::Options),
    /// What `dev` starts its servers through.
    #[command(hide = true)]
    RunChild(dev::child::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let project = Project::here();
    match command {
        Command::Build(options) => build::run(&project, &options),
        Command::Size(options) => size::run(&project, &options),
        Command::Vectors(options) => vectors::run(&project, &options),
        Command::Mutations(options) => mutations::run(&project, &options),
        Command::Dev(options) => dev::run(&project, &options),
        Command::Test(options) => test::run(&project, &options),
        Command::SdkTable(options) => sdk_table::run(&project, &options),
        Command::RunChild(options) => match dev::child::run(&options)? {},
    }
}
