//! One folder per running `cargo xtask dev`, removed when it ends; what a killed one left behind is removed by
//! the next.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::project::Project;

/// The data of this run. Holds secrets, so only the user may enter it.
pub(crate) struct RunFolder {
    path: PathBuf,
    // Held for as long as the folder is in use: an unlocked folder is a leftover.
    _lock: File,
}

impl RunFolder {
    /// Makes a new one and removes leftovers. The caller holds the project's lock.
    pub(crate) fn create(project: &Project) -> anyhow::Result<Self> {
        let runs = project.state("run");
        fs::create_dir_all(&runs).with_context(|| format!("cannot create {}", runs.display()))?;
        for entry in fs::read_dir(&runs)? {
            let path = entry?.path();
            let in_use = File::open(path.join("lock")).is_ok_and(|lock| lock.try_lock().is_err());
            if !in_use {
                fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        let path = runs.join(std::process::id().to_string());
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        let lock = File::create(path.join("lock"))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    /// A path inside it.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a folder inside it.
    pub(crate) fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// `N` ports of the loopback interface that nothing listens on, all different.
///
/// They come from below the range that systems give to outgoing connections, so that none is taken between
/// this call and the server that listens on it.
pub(crate) fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    // The listeners are kept until the end, so that no port is given twice.
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let (listener, free) = (0..1000)
            .find_map(|_| {
                let random = u16::try_from(getrandom::u32().ok()? % u32::from(COUNT)).ok()?;
                let candidate = FIRST + random;
                TcpListener::bind(("127.0.0.1", candidate))
                    .ok()
                    .map(|listener| (listener, candidate))
            })
            .context("no free port between 20000 and 32000: end some servers and try again")?;
        listeners.push(listener);
        *port = free;
    }
    Ok(ports)
}

/// The last lines of a log file, for an error message.
pub(crate) fn tail(path: &Path) -> String {
    let log = fs::read(path).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n  ")
}
