//! The Worker on bare workerd, configured as wrangler would deploy it.
//!
//! Bare, because Miniflare and `wrangler dev` put a proxy in front that rewrites URLs: dot segments and raw
//! queries would not arrive as a device sends them. Workers KV is a folder here, one file per key id: workerd
//! asks a KV binding's service for `GET /<key>`, and its disk service answers from files.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use super::child::Child;
use super::endpoints::Origin;
use super::run_folder::RunFolder;
use crate::artefact::Artefact;
use crate::project::Project;
use crate::tools::Npm;

/// How long workerd may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running workerd that listens.
pub(crate) struct Workerd {
    pub(crate) child: Child,
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    /// Lines of its standard output: what the Worker logs.
    pub(crate) lines: Receiver<String>,
}

/// The part of wrangler.toml that changes how the Worker runs.
#[derive(Deserialize)]
struct Wrangler {
    compatibility_date: String,
    compatibility_flags: Vec<String>,
}

/// A line that workerd itself writes: the socket listens.
#[derive(Deserialize)]
struct Listening {
    event: String,
    port: u16,
}

impl Workerd {
    /// Starts the Worker with its configuration (JSON), the folder of key records and the origin's credentials.
    pub(crate) fn start(
        project: &Project,
        npm: &Npm,
        run: &RunFolder,
        worker: &Artefact,
        config: &str,
        keys: &Path,
        origin: &Origin,
    ) -> anyhow::Result<Self> {
        let folder = run.folder("worker")?;
        for (name, text) in [
            ("CAUSEWAY_CONFIG", config),
            ("ORIGIN_ACCESS_KEY_ID", origin.access_key_id.as_str()),
            ("ORIGIN_SECRET_ACCESS_KEY", origin.secret_access_key.as_str()),
        ] {
            fs::write(folder.join(name), text)?;
        }
        let mut modules = String::new();
        for (name, content) in worker.files()? {
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
        let wrangler: Wrangler = toml::from_str(&fs::read_to_string(
            project.path("infra/cloudflare/wrangler.toml"),
        )?)
        .context("infra/cloudflare/wrangler.toml")?;
        let file = folder.join("config.capnp");
        fs::write(
            &file,
            configuration(&modules, &wrangler, &keys.display().to_string())?,
        )?;

        let arguments = ["serve".into(), "--control-fd=1".into(), OsString::from(file)];
        let mut child = Child::start(
            "workerd",
            npm.workerd()?,
            &arguments,
            Stdio::piped(),
            Stdio::inherit(),
        )?;
        let lines = read_lines(child.take_stdout().context("standard output was asked for")?);
        let port = listening(&mut child, &lines)?;
        Ok(Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            lines,
        })
    }

    /// Waits until the Worker answers, whatever it answers.
    pub(crate) fn wait(&self) -> anyhow::Result<()> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        agent
            .get(&self.url)
            .call()
            .context("the Worker does not answer")?;
        // That request is nobody's: its log line is not shown.
        let _ = self.lines.recv_timeout(Duration::from_millis(200));
        Ok(())
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
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "gateway")],
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
  ],
);
"#
    )?;
    Ok(text)
}

fn read_lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    lines
}

/// Waits for workerd's own line that says on which port it listens.
fn listening(child: &mut Child, lines: &Receiver<String>) -> anyhow::Result<u16> {
    while let Ok(line) = lines.recv_timeout(PATIENCE) {
        match serde_json::from_str::<Listening>(&line) {
            Ok(Listening { event, port }) if event == "listen" => return Ok(port),
            _ => println!("{line}"),
        }
    }
    match child.ended()? {
        Some(status) => bail!("workerd ended with {status}; what it wrote is above"),
        None => bail!("workerd does not listen after {} s", PATIENCE.as_secs()),
    }
}
