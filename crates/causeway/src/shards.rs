//! The folder of key records that an operator keeps, as the shards that AWS Secrets Manager takes.
//!
//! The folder is the original: shards are made from all of it, anew after each change. A record that no edge
//! function would read, and a shard that Secrets Manager would not take, are refused here.

use std::fs;
use std::io::Write as _;
use std::num::NonZeroU16;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use gateway::keys::shards;
use serde::Serialize;

use crate::records;

/// The shards of a folder of key records.
pub struct Shards {
    texts: Vec<String>,
    records: Vec<usize>,
}

/// One shard, as it is told of: without what is in it.
#[derive(Serialize)]
pub struct Row {
    /// The name of its file; without `.json`, the last part of its secret's name.
    pub file: String,
    /// How many key records are in it.
    pub records: usize,
    /// Its size.
    pub bytes: usize,
}

impl Shards {
    /// Reads every record of `folder`, a file each, named by the key id with or without `.json`, and spreads
    /// them over `count` shards.
    ///
    /// # Errors
    /// A file that is no key record, two files for one id, or a shard that would be too large. No sentence has a
    /// secret.
    pub fn of(folder: &Path, count: NonZeroU16) -> anyhow::Result<Self> {
        let records = records::read(folder)?;
        let texts = shards::spread(&records, count)?;
        let mut counts = vec![0_usize; texts.len()];
        for id in records.keys() {
            if let Some(count) = counts.get_mut(usize::from(shards::shard_of(id, count))) {
                *count = count.saturating_add(1);
            }
        }
        Ok(Self {
            texts,
            records: counts,
        })
    }

    /// What there is to tell of each, in their order.
    pub fn rows(&self) -> Vec<Row> {
        let shards = self.texts.iter().zip(&self.records).enumerate();
        shards
            .map(|(number, (text, records))| Row {
                file: file_name(number),
                records: *records,
                bytes: text.len(),
            })
            .collect()
    }

    /// Writes a file for each into a new folder that only the user may enter: they hold secrets.
    ///
    /// # Errors
    /// The folder is there already and has something in it, or can't be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        // A shard of an earlier run would be put into the store with the new ones.
        let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
        ensure!(
            is_empty,
            "{} is not empty: remove it, or name another folder",
            folder.display()
        );
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        for (number, text) in self.texts.iter().enumerate() {
            let file = folder.join(file_name(number));
            fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&file)
                .and_then(|mut opened| opened.write_all(text.as_bytes()))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }
}

fn file_name(number: usize) -> String {
    format!("{number}.json")
}
