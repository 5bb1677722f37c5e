//! `cargo xtask dev`: the gateway in front of an S3 server on this machine, from one command.

use std::fs;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;

pub(crate) mod child;
mod cloudfront;
mod demo;
mod device;
mod endpoints;
mod gateway;
mod preset;
mod request_log;
mod run_folder;
mod s3;
mod seaweedfs;
mod settings;
mod tls;
mod workerd;

use child::Child;
use cloudfront::CloudFront;
use device::S3Clients;
use endpoints::{Credentials, Edge, Endpoints, Origin, OriginKind};
use gateway::{LocalPlatform, Scene};
use preset::Preset;
use request_log::RequestLog;
use run_folder::RunFolder;
use s3::Bucket;
use seaweedfs::SeaweedFs;
use settings::Settings;
use tls::Certificate;
use workerd::Workerd;

use crate::build::Platform;
use crate::interrupt;
use crate::progress::Step;
use crate::project::{Project, write_atomically};
use crate::tools::{Python, Requirements};

/// How often the servers are looked after.
const ROUND: Duration = Duration::from_millis(200);

/// What to run.
#[derive(Args)]
pub(crate) struct Options {
    /// The platform whose edge functions run.
    #[arg(long, value_enum, default_value_t = Platform::Cloudflare)]
    platform: Platform,
    /// What the printed key may do; upload-only by default. With it, CloudFront's router signs object bytes, which
    /// uploads of S3 clients need.
    #[arg(long, value_enum, value_name = "NAME")]
    preset: Option<Preset>,
    /// Write the endpoints and credentials to this file as JSON once everything answers.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Use this S3 server (scheme://host:port) instead of starting SeaweedFS. Its credentials are those that
    /// this clone's SeaweedFS takes, or CAUSEWAY_ORIGIN_ACCESS_KEY_ID and CAUSEWAY_ORIGIN_SECRET_ACCESS_KEY.
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// The region of the origin's bucket.
    #[arg(long, value_name = "REGION")]
    origin_region: Option<String>,
    /// The origin's bucket.
    #[arg(long, value_name = "BUCKET")]
    origin_bucket: Option<String>,
    /// Upload with a real SDK, compare what is in the bucket with what was sent, and stop.
    #[arg(long)]
    demo: bool,
}

/// Runs until Ctrl-C (or the demo's end).
///
/// # Errors
/// Something cannot be installed, built or started, or a server ends by itself.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<ExitCode> {
    interrupt::watch()?;
    let ready = options
        .ready_file
        .as_deref()
        .map(ReadyFile::announce)
        .transpose()?;
    let mut settings = Settings::read(project, options.platform)?;
    if options.preset.is_some() && options.platform == Platform::Cloudfront {
        settings.sign_by_router()?;
    }
    let preset = options.preset.unwrap_or(Preset::UploadOnly);

    let lock = project.lock()?;
    let run = RunFolder::create(project)?;
    let credentials = Credentials::of(project)?;
    let mut seaweedfs = None;
    let origin = match &options.origin {
        Some(url) => external_origin(url, options, &settings, &credentials)?,
        None => {
            // Started first: its first write takes seconds, which pass while the edge functions are built.
            let python = Python::install(project, Requirements::Origin)?;
            let region = options
                .origin_region
                .as_deref()
                .unwrap_or(&settings.origin()?.region);
            let bucket = options
                .origin_bucket
                .as_deref()
                .unwrap_or(&settings.origin()?.bucket);
            let server = SeaweedFs::start(&python, &run, &credentials.origin, bucket, region)?;
            seaweedfs.insert(server).origin.clone()
        }
    };
    let sdk = options
        .demo
        .then(|| Python::install(project, Requirements::Device))
        .transpose()?;
    let keys = seed_keys(&run, &settings, &credentials, preset)?;
    let certificate = Certificate::make(&run, settings.certificate_names())?;
    let platform: Box<dyn LocalPlatform> = match options.platform {
        Platform::Cloudflare => Box::new(Workerd::prepare(project)?),
        Platform::Cloudfront => Box::new(CloudFront::prepare(project)?),
    };
    drop(lock);

    let step = Step::start("waiting for the servers to answer");
    let mut gateway = platform.start(&Scene {
        project,
        run: &run,
        settings: &settings,
        keys: &keys,
        origin: &origin,
        certificate: &certificate,
    })?;
    gateway.wait()?;
    if let Some(server) = &mut seaweedfs {
        server.wait()?;
        if preset.reads() {
            Bucket::new(&server.origin)?.put(device::WELCOME, device::WELCOME_TEXT.as_bytes())?;
        }
    }
    step.done();

    let edge = Edge {
        platform: options.platform.name(),
        url: gateway.url.clone(),
        tls_url: gateway.tls_url.clone(),
        ca_file: certificate.ca_file,
    };
    let device = settings.device(&credentials.device, &edge.url)?;
    let endpoints = Endpoints { edge, origin, device };
    if let Some(ready) = &ready {
        ready.write(&endpoints)?;
    }
    let log = show_log(std::mem::replace(&mut gateway.lines, mpsc::channel().1));
    let code = match sdk {
        Some(python) => demo::run(project, &python, &run, &endpoints)?,
        None => {
            let s3_clients = match (options.platform, options.preset) {
                (Platform::Cloudfront, None) => S3Clients::NeedRouter,
                _ => S3Clients::Served,
            };
            device::print_snippets(&endpoints, preset, s3_clients);
            let mut children: Vec<&mut Child> = vec![&mut gateway.child];
            children.extend(seaweedfs.as_mut().map(|server| &mut server.child));
            look_after(&mut children)?;
            ExitCode::SUCCESS
        }
    };
    drop(gateway);
    let _ = log.join();
    Ok(code)
}

/// Returns on a signal; an error when a server ends before.
fn look_after(children: &mut [&mut Child]) -> anyhow::Result<()> {
    while !interrupt::is_requested() {
        for child in children.iter_mut() {
            if let Some(status) = child.ended()? {
                bail!("{} ended by itself with {status}", child.name());
            }
        }
        thread::sleep(ROUND);
    }
    eprintln!("stopping");
    Ok(())
}

/// Writes the device's record into the folder that stands for the platform's key store: a file per key id. A
/// record that is added to it while this runs counts.
fn seed_keys(
    run: &RunFolder,
    settings: &Settings,
    credentials: &Credentials,
    preset: Preset,
) -> anyhow::Result<PathBuf> {
    let folder = run.folder("keys")?;
    let record = settings.key_record(&credentials.device, preset)?;
    write_atomically(&folder.join(&credentials.device.id), record.as_bytes())?;
    Ok(folder)
}

fn external_origin(
    url: &str,
    options: &Options,
    settings: &Settings,
    credentials: &Credentials,
) -> anyhow::Result<Origin> {
    let (_, authority) = url
        .split_once("://")
        .context("--origin takes scheme://host:port")?;
    let authority = authority.trim_end_matches('/');
    if !(url.starts_with("http://") || url.starts_with("https://"))
        || authority.contains(['/', '?', '#', '@'])
    {
        bail!("--origin takes http://host:port or https://host:port, without a path: {url}");
    }
    if options.demo && !url.starts_with("http://") {
        bail!("--demo looks into the origin's bucket over plain http: give --origin an http:// URL");
    }
    let default_port = if url.starts_with("https://") {
        ":443"
    } else {
        ":80"
    };
    let address = if authority.contains(':') {
        authority.to_owned()
    } else {
        format!("{authority}{default_port}")
    };
    let answers = address.to_socket_addrs().is_ok_and(|mut all| {
        all.any(|one| TcpStream::connect_timeout(&one, Duration::from_millis(500)).is_ok())
    });
    if !answers {
        eprintln!("warning: nothing listens at {url} now; the gateway answers 503 until something does");
    }
    let configured = settings.origin()?;
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    Ok(Origin {
        kind: OriginKind::External,
        url: url.trim_end_matches('/').to_owned(),
        region: options
            .origin_region
            .clone()
            .unwrap_or_else(|| configured.region.clone()),
        bucket: options
            .origin_bucket
            .clone()
            .unwrap_or_else(|| configured.bucket.clone()),
        access_key_id: variable("CAUSEWAY_ORIGIN_ACCESS_KEY_ID", &credentials.origin.id),
        secret_access_key: variable("CAUSEWAY_ORIGIN_SECRET_ACCESS_KEY", &credentials.origin.secret),
    })
}

/// Prints the edge functions' log as it comes.
fn show_log(lines: Receiver<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut log = RequestLog::default();
        loop {
            let shown = match lines.recv_timeout(ROUND) {
                Ok(line) => log.take(&line, Instant::now()),
                Err(RecvTimeoutError::Timeout) => log.overdue(Instant::now()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            for line in shown {
                println!("{line}");
            }
        }
        for line in log.rest() {
            println!("{line}");
        }
    })
}

/// The file that says that everything answers, and where. It exists only while that is so.
struct ReadyFile<'a> {
    path: &'a Path,
}

impl<'a> ReadyFile<'a> {
    /// Removes what an earlier run left: whoever waits for the file must not find that.
    fn announce(path: &'a Path) -> anyhow::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(Self { path }),
        }
    }

    fn write(&self, endpoints: &Endpoints) -> anyhow::Result<()> {
        write_atomically(self.path, &serde_json::to_vec_pretty(endpoints)?)
    }
}

impl Drop for ReadyFile<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path);
    }
}
