//! A folder below `target/edge/` that holds exactly the files of one deployable artefact.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::project::{Project, digest};
use crate::wasm;

/// One artefact: the folder of an edge function, by that function's name.
pub(crate) struct Artefact {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
}

impl Artefact {
    /// Where the artefact is, whether or not it has been built.
    pub(crate) fn of(project: &Project, name: &'static str) -> Self {
        Self {
            name,
            folder: project.path("target/edge").join(name),
        }
    }

    /// Builds it, or does nothing when it was built from the same `inputs`: everything that decides its bytes.
    /// `assemble` fills an empty folder with its files.
    ///
    /// # Errors
    /// `assemble` fails, or a file names a folder of this machine: then other machines make other bytes of it.
    pub(crate) fn build<'a>(
        self,
        project: &Project,
        inputs: impl IntoIterator<Item = &'a [u8]>,
        assemble: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let key = digest(inputs);
        let stamp = self.folder.with_extension("sha256");
        if fs::read_to_string(&stamp).is_ok_and(|built| built == key) && self.folder.is_dir() {
            return Ok(self);
        }
        let fresh = Self {
            name: self.name,
            folder: self.folder.with_extension("part"),
        };
        remove_folder(&fresh.folder)?;
        fs::create_dir_all(&fresh.folder)?;
        assemble(&fresh.folder)?;
        for (name, content) in fresh.files()? {
            refuse_paths(&content, &wasm::private_folders(project)?)
                .with_context(|| format!("{}/{name} is not reproducible", self.name))?;
        }
        remove_folder(&self.folder)?;
        fs::rename(&fresh.folder, &self.folder)?;
        fs::write(&stamp, key)?;
        Ok(self)
    }

    /// The files by name (`index.js`, `snippets/…/inline0.js`, …).
    pub(crate) fn files(&self) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder)
                .with_context(|| format!("cannot read {}: run cargo xtask build", folder.display()))?;
            for entry in entries {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(name) = path.strip_prefix(&self.folder)?.to_str() {
                    files.insert(name.to_owned(), fs::read(&path)?);
                }
            }
        }
        Ok(files)
    }
}

/// An error when `content` names one of the folders.
fn refuse_paths(content: &[u8], folders: &[PathBuf]) -> anyhow::Result<()> {
    for folder in folders {
        // With one slash at its end: /app is a part of many words.
        let path = folder.join("");
        let path = path.as_os_str().as_encoded_bytes();
        if path.len() > 1 && content.windows(path.len()).any(|window| window == path) {
            bail!(
                "it holds the path {}, which is elsewhere on other machines",
                folder.display()
            );
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_names_a_folder_of_this_machine_is_refused() {
        let folders = [PathBuf::from("/home/me/causeway"), PathBuf::from("/opt/cargo/")];
        for content in ["\0/home/me/causeway/crates/a.rs\0", "see /opt/cargo/registry"] {
            let error = refuse_paths(content.as_bytes(), &folders).unwrap_err();
            assert!(error.to_string().contains("which is elsewhere"), "{error}");
        }
        refuse_paths(b"causeway/crates/a.rs /opt/cargo-home/x", &folders).unwrap();
    }
}
