//! `causeway`, the operator's command line; `cargo run -p causeway --` in the clone.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use causeway::check::Report;
use causeway::cloudflare;
use causeway::cloudfront::Bundle;
use causeway::configuration::Configuration;
use causeway::derive::Master;
use causeway::records::Records;
use causeway::shards::Shards;
use clap::{Args, Parser, Subcommand};
use gateway::config::cloudfront::MAX_KEY_SHARDS;
use serde_json::json;

/// What an operator of Causeway does: check causeway.toml, bundle it for a platform, make keys, spread them over shards.
///
/// Nothing here talks to an account: the platforms' own tools take the files from here. The guides are
/// infra/cloudflare/README.md and infra/cloudfront/README.md.
#[derive(Parser)]
#[command(name = "causeway", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a causeway.toml, and say what it means.
    ///
    /// Prints the buckets, the URLs on which devices reach them, how long a revoked key still works, and warnings
    /// about what works but may not be meant. Fails with one sentence where the gateway would not take it.
    Check(Check),
    /// Make what a platform is given: the configuration, and on CloudFront the code with it.
    #[command(subcommand)]
    Bundle(Platform),
    /// Make the shards of a folder of key records, for AWS Secrets Manager.
    ///
    /// Each file of the folder is a key record, named by the access key id with or without `.json`. The shards are
    /// written as 0.json, 1.json, … into a new folder; put each into the secret `<secrets_prefix>/<number>`, empty
    /// ones too, and remove the folder: it holds the secrets of all keys.
    Shards(ShardsOptions),
    /// Make access keys.
    #[command(subcommand)]
    Key(Key),
}

#[derive(Subcommand)]
enum Key {
    /// Print the access keys of devices of a fleet, derived from the fleet's master.
    ///
    /// A device's key id is d1.FLEET.DEVICE. The master is a `secret` of `masters` in the record `d1.FLEET`; the
    /// gateway derives the same keys from it, so nothing has to be stored for a device.
    Derive(Derive),
}

#[derive(Args)]
struct Derive {
    /// The fleet.
    #[arg(long)]
    fleet: String,
    /// The file that holds the master, and nothing else; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    master: PathBuf,
    /// The devices.
    #[arg(required = true, value_name = "DEVICE")]
    devices: Vec<String>,
    /// Print JSON instead of a table: a list of `access_key_id` and `access_key_secret`.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Check {
    /// The configuration.
    #[arg(default_value = "causeway.toml")]
    file: PathBuf,
    /// Check the key records of this folder as well: each a file, named by its id with or without `.json`.
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
    /// Print JSON: `valid`, and either the findings or the `error`.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Platform {
    /// Print the JSON that the Worker takes as its variable CAUSEWAY_CONFIG.
    Cloudflare {
        /// The configuration.
        #[arg(default_value = "causeway.toml")]
        file: PathBuf,
    },
    /// Write the three functions' zips, with the configuration in each, and the templates' parameters.
    ///
    /// `cargo xtask build` has to have run. The zips are named by their SHA-256, and storage.parameters.json and
    /// edge.parameters.json name them as keys in your code bucket; those files have the shape that `aws
    /// cloudformation deploy --parameter-overrides file://…` takes. The same artefacts and configuration always
    /// make the same bytes. Keep the folder of each release: deploying it again is the way back.
    Cloudfront(BundleCloudfront),
}

#[derive(Args)]
struct BundleCloudfront {
    /// The configuration.
    #[arg(default_value = "causeway.toml")]
    file: PathBuf,
    /// The folder to write into; it is made if it is missing.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The folder with the built functions; by default target/edge of the clone that this program was compiled in.
    #[arg(long, value_name = "FOLDER")]
    artefacts: Option<PathBuf>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ShardsOptions {
    /// The folder of key records.
    folder: PathBuf,
    /// How many shards: `key_shards` of the configuration.
    #[arg(long, value_name = "COUNT", value_parser = shard_count)]
    shards: NonZeroU16,
    /// The folder to write them into; it must not exist, or be empty.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

fn shard_count(text: &str) -> Result<NonZeroU16, String> {
    let count = text.parse().ok().and_then(NonZeroU16::new);
    count
        .filter(|count| count.get() <= MAX_KEY_SHARDS)
        .ok_or_else(|| {
            format!("it has to be from 1 to {MAX_KEY_SHARDS}, as `key_shards` of the configuration")
        })
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check(options) => check(options),
        Command::Bundle(Platform::Cloudflare { file }) => {
            println!("{}", cloudflare::variable(&Configuration::read(file)?)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Bundle(Platform::Cloudfront(options)) => bundle(options),
        Command::Shards(options) => shards(options),
        Command::Key(Key::Derive(options)) => derive(options),
    }
}

fn check(options: &Check) -> anyhow::Result<ExitCode> {
    let report = |configuration: Configuration| {
        let keys = options.keys.as_deref();
        let records = keys
            .map(|folder| Records::of(folder, &configuration))
            .transpose()?;
        Ok(Report::new(&configuration, records))
    };
    match Configuration::read(&options.file).and_then(report) {
        Ok(report) if options.json => {
            let mut found = serde_json::to_value(&report)?;
            if let Some(fields) = found.as_object_mut() {
                fields.insert("valid".to_owned(), json!(true));
            }
            println!("{found:#}");
        }
        Ok(report) => print!("{report}\n{} is good.\n", options.file.display()),
        Err(error) if options.json => {
            println!("{:#}", json!({ "valid": false, "error": format!("{error:#}") }));
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error),
    }
    Ok(ExitCode::SUCCESS)
}

fn bundle(options: &BundleCloudfront) -> anyhow::Result<ExitCode> {
    let configuration = Configuration::read(&options.file)?;
    let of_the_clone = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/edge");
    let artefacts = options.artefacts.clone().unwrap_or_else(of_the_clone);
    let bundle = Bundle::new(&configuration, &artefacts)
        .with_context(|| format!("{} cannot be bundled", options.file.display()))?;
    bundle.write(&options.out)?;
    if options.json {
        let zips = bundle.zips.iter().map(|zip| {
            json!({ "function": zip.function, "file": zip.name, "bytes": zip.bytes.len(), "unzipped": zip.unzipped,
                "sha256": zip.sha256_hex() })
        });
        let [storage, edge] = Bundle::PARAMETER_FILES.map(|name| options.out.join(name));
        let written = json!({ "zips": zips.collect::<Vec<_>>(), "storage_parameters": storage, "edge_parameters": edge });
        println!("{written:#}");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:>9}  {:>9}  file", "zipped", "unzipped");
    for zip in &bundle.zips {
        println!("{:>9}  {:>9}  {}", zip.bytes.len(), zip.unzipped, zip.name);
    }
    println!(
        "\nThey are in {}, with {}.",
        options.out.display(),
        Bundle::PARAMETER_FILES.join(" and ")
    );
    Ok(ExitCode::SUCCESS)
}

fn derive(options: &Derive) -> anyhow::Result<ExitCode> {
    let master = Master::read(&options.master)?;
    let keys = options
        .devices
        .iter()
        .map(|device| master.key(&options.fleet, device))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&keys)?);
        return Ok(ExitCode::SUCCESS);
    }
    for key in &keys {
        println!("{}  {}", key.access_key_id, key.access_key_secret);
    }
    Ok(ExitCode::SUCCESS)
}

fn shards(options: &ShardsOptions) -> anyhow::Result<ExitCode> {
    let shards = Shards::of(&options.folder, options.shards)?;
    shards.write(&options.out)?;
    let rows = shards.rows();
    if options.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:>7}  {:>7}  shard", "keys", "bytes");
    for row in &rows {
        println!("{:>7}  {:>7}  {}", row.records, row.bytes, row.file);
    }
    println!(
        "\nThey are in {}: remove it when they are in Secrets Manager, it holds the secrets of all keys.",
        options.out.display()
    );
    Ok(ExitCode::SUCCESS)
}
