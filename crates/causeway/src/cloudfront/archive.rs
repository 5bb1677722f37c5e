//! Zips whose bytes depend on the names and contents of their files and on nothing else: no times, no owners,
//! no permissions of the machine that made them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use anyhow::Context as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// How hard zopfli tries: more saves next to nothing and takes twice the time.
const LEVEL: i64 = 12;

/// Files by name; their order is that of the zip.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Reads the files of a folder. An artefact has no folders inside.
pub(super) fn read(folder: &Path) -> anyhow::Result<Files> {
    let mut files = Files::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().context("a file's name is not text")?.to_owned();
        let content = fs::read(entry.path()).with_context(|| format!("cannot read {name}"))?;
        files.insert(name, content);
    }
    Ok(files)
}

/// Writes a zip: deflate, every file with 1980-01-01 and 0644.
pub(super) fn write(files: &Files) -> anyhow::Result<Vec<u8>> {
    let options = SimpleFileOptions::DEFAULT
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(name.as_str(), options)?;
        zip.write_all(content)?;
    }
    Ok(zip.finish()?.into_inner())
}
