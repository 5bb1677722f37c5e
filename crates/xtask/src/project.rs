//! Where things are in the clone, and the lock that keeps two commands from preparing it at once.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// The clone that this program was compiled from.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The project of this very binary: cargo builds it inside the clone.
    pub(crate) fn here() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.ancestors().nth(2).unwrap_or(manifest);
        Self::at(root.to_path_buf())
    }

    /// A clone by its root.
    pub(crate) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// A path of the clone, from its root.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// A path below `.causeway/`, the git-ignored folder for installed tools and run data.
    pub(crate) fn state(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(".causeway").join(relative)
    }

    /// Waits until no other command prepares this clone (installs tools, builds artefacts), and keeps others
    /// waiting until the answer is dropped.
    pub(crate) fn lock(&self) -> anyhow::Result<File> {
        fs::create_dir_all(self.state(""))?;
        let path = self.state("prepare.lock");
        let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        if file.try_lock().is_err() {
            eprintln!("  waiting for another cargo xtask command that prepares this clone");
            file.lock()?;
        }
        Ok(file)
    }
}

/// Lower-case hex SHA-256 over several byte strings, each preceded by its length, so that bytes cannot move
/// from one to the next unseen.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hex(&hasher.finalize())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
/// Writes a file so that a reader sees all of it or nothing: a temporary name in the same folder, then a rename.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mut name = path.file_name().context("a file name is needed")?.to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let mut file = File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))
}
