//! The Worker on bare workerd, configured as wrangler would deploy it.
//!
//! Bare, because Miniflare and `wrangler dev` put a proxy in front that rewrites URLs: dot segments and raw
//! queries would not arrive as a device sends them. Workers KV is a folder here, one file per key id: workerd
//! asks a KV binding's service for `GET /<key>`, and its disk service answers from files.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::gateway::{Gateway, Listening, LocalPlatform, Scene};
use crate::artefact::Artefact;
use crate::build;
use crate::project::Project;
use crate::tools::Npm;

/// The Worker, built, and workerd for this machine.
pub(super) struct Workerd {
    worker: Artefact,
    program: PathBuf,
}

/// The part of wrangler.toml that changes how the Worker runs.
#[derive(Deserialize)]
struct Wrangler {
    compatibility_date: String,
    compatibility_flags: Vec<String>,
}

/// A line that workerd itself writes: a socket listens.
#[derive(Deserialize)]
struct SocketEvent {
    event: String,
    socket: String,
    port: u16,
}

impl Workerd {
    /// Installs workerd and builds the Worker. The caller holds the project's lock.
    pub(super) fn prepare(project: &Project) -> anyhow::Result<Self> {
        let npm = Npm::install(project)?;
        Ok(Self {
            worker: build::worker::build(project, &npm)?,
            program: npm.workerd()?,
        })
    }
}

impl LocalPlatform for Workerd {
    fn start(&self, scene: &Scene<'_>) -> anyhow::Result<Gateway> {
        let Scene {
            project,
            run,
            settings,
            keys,
            origin,
            certificate,
        } = scene;
        let folder = run.folder("worker")?;
        let configuration = settings.at_origin(origin)?;
        for (name, text) in [
            ("CAUSEWAY_CONFIG", configuration.json()),
            ("ORIGIN_ACCESS_KEY_ID", &origin.access_key_id),
            ("ORIGIN_SECRET_ACCESS_KEY", &origin.secret_access_key),
            ("UPLOAD_SEAL", &origin.gateway_secret().to_string()),
        ] {
            fs::write(folder.join(name), text)?;
        }
        fs::copy(&certificate.file, folder.join("certificate.pem"))?;
        fs::copy(&certificate.key_file, folder.join("key.pem"))?;
        let wrangler: Wrangler = toml::from_str(&fs::read_to_string(
            project.path("infra/cloudflare/wrangler.toml"),
        )?)
        .context("infra/cloudflare/wrangler.toml")?;
        let file = folder.join("config.capnp");
        fs::write(
            &file,
            self::configuration(&self.modules(&folder)?, &wrangler, &keys.display().to_string())?,
        )?;
        let arguments = ["serve".into(), "--control-fd=1".into(), OsString::from(file)];
        Gateway::start("workerd", &self.program, &arguments, run, listening)
    }
}

impl Workerd {
    /// Copies the Worker's modules into a folder below `folder`, and gives their part of the configuration.
    fn modules(&self, folder: &Path) -> anyhow::Result<String> {
        let mut modules = String::new();
        for (name, content) in self.worker.files()? {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"./_-".contains(&b);
            ensure!(
                name.bytes().all(plain),
                "the module name {name} is not fit for workerd's configuration"
            );
            let path = folder.join("modules").join(&name);
            fs::create_dir_all(path.parent().context("a module is inside a folder")?)?;
            fs::write(path, content)?;
            let kind = if name.ends_with(".wasm") {
                "wasm"
            } else {
                "esModule"
            };
            // workerd starts with the first module.
            let line = format!("    (name = \"{name}\", {kind} = embed \"modules/{name}\"),\n");
            if name == "index.js" {
                modules.insert_str(0, &line);
            } else {
                modules.push_str(&line);
            }
        }
        Ok(modules)
    }
}

/// Where a socket of workerd's listens, when the line is one that says so.
fn listening(line: &str) -> Option<Listening> {
    let SocketEvent { event, socket, port } = serde_json::from_str(line).ok()?;
    let url = Some(format!("{socket}://127.0.0.1:{port}"));
    match (event.as_str(), socket.as_str()) {
        ("listen", "http") => Some(Listening { url, tls_url: None }),
        ("listen", "https") => Some(Listening {
            url: None,
            tls_url: url,
        }),
        _ => None,
    }
}

fn configuration(modules: &str, wrangler: &Wrangler, keys: &str) -> anyhow::Result<String> {
    // JSON strings of plain paths, dates and flags are Cap'n Proto strings too.
    let flags = serde_json::to_string(&wrangler.compatibility_flags)?;
    let date = serde_json::to_string(&wrangler.compatibility_date)?;
    let keys = serde_json::to_string(keys)?;
    let mut text = String::new();
    write!(
        text,
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "gateway", worker = .gateway),
    (name = "keys", disk = (path = {keys}, writable = false)),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "gateway"),
    (name = "https", address = "127.0.0.1:0", https = (options = (), tlsOptions = .tls), service = "gateway"),
  ],
);

const tls :Workerd.TlsOptions = (
  keypair = (privateKey = embed "key.pem", certificateChain = embed "certificate.pem"),
);

const gateway :Workerd.Worker = (
  compatibilityDate = {date},
  compatibilityFlags = {flags},
  modules = [
{modules}  ],
  bindings = [
    (name = "KEYS", kvNamespace = "keys"),
    (name = "CAUSEWAY_CONFIG", text = embed "CAUSEWAY_CONFIG"),
    (name = "ORIGIN_ACCESS_KEY_ID", text = embed "ORIGIN_ACCESS_KEY_ID"),
    (name = "ORIGIN_SECRET_ACCESS_KEY", text = embed "ORIGIN_SECRET_ACCESS_KEY"),
    (name = "UPLOAD_SEAL", text = embed "UPLOAD_SEAL"),
  ],
);
"#
    )?;
    Ok(text)
}
