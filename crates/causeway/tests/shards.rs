//! Key records in shards.

#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroU16;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use causeway::shards::Shards;
use gateway::keys::shards::shard_of;
use serde_json::Value;
use support::causeway;
use tempfile::TempDir;

const SECRET: &str = "0123456789abcdef0123";

fn count(shards: u16) -> NonZeroU16 {
    NonZeroU16::new(shards).unwrap()
}

fn keep(folder: &Path, name: &str, id: &str) {
    let record = format!(r#"{{"id": "{id}", "secrets": [{{"secret": "{SECRET}"}}], "grants": []}}"#);
    fs::write(folder.join(name), record).unwrap();
}

fn folder_of(ids: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for id in ids {
        keep(folder.path(), &format!("{id}.json"), id);
    }
    folder
}

fn refusal(folder: &Path, shards: u16) -> String {
    Shards::of(folder, count(shards)).err().unwrap().to_string()
}

#[test]
fn every_record_is_in_the_shard_of_its_id() {
    let keys = folder_of(&["AK-1", "AK-2", "AK-3", "AK-4"]);
    keep(keys.path(), "AK-5", "AK-5");
    fs::write(keys.path().join(".notes"), "not a record").unwrap();
    let out = tempfile::tempdir().unwrap();
    Shards::of(keys.path(), count(3))
        .unwrap()
        .write(out.path())
        .unwrap();
    let mut seen = BTreeSet::new();
    for number in 0..3 {
        let text = fs::read_to_string(out.path().join(format!("{number}.json"))).unwrap();
        let shard: Value = serde_json::from_str(&text).unwrap();
        for (id, record) in shard.as_object().unwrap() {
            assert_eq!(shard_of(id, count(3)), number);
            assert_eq!(record["secrets"][0]["secret"], SECRET);
            seen.insert(id.clone());
        }
    }
    assert_eq!(seen.len(), 5);
}

#[test]
fn only_the_user_may_read_shards() {
    let keys = folder_of(&["AK-1"]);
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("new/shards");
    Shards::of(keys.path(), count(1)).unwrap().write(&out).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&out), mode(&out.join("0.json"))), (0o700, 0o600));
}

#[test]
fn shards_of_another_run_are_not_mixed_in() {
    let keys = folder_of(&["AK-1"]);
    let out = tempfile::tempdir().unwrap();
    Shards::of(keys.path(), count(4))
        .unwrap()
        .write(out.path())
        .unwrap();
    let error = Shards::of(keys.path(), count(2))
        .unwrap()
        .write(out.path())
        .unwrap_err();
    assert!(error.to_string().contains("is not empty: remove it"), "{error}");
}

#[test]
fn a_file_that_is_no_record_is_refused_without_a_secret() {
    let keys = folder_of(&["AK-1"]);
    let text = fs::read_to_string(keys.path().join("AK-1.json")).unwrap();
    for (name, text) in [
        ("AK-2.json", text.as_str()),
        (
            "AK-2.json",
            &text.replace("grants", "grant").replace("AK-1", "AK-2"),
        ),
        ("notes.txt", SECRET),
    ] {
        fs::write(keys.path().join(name), text).unwrap();
        let error = refusal(keys.path(), 1);
        let id = name.trim_end_matches(".json");
        assert!(error.contains(id) && !error.contains(SECRET), "{error}");
        fs::remove_file(keys.path().join(name)).unwrap();
    }
    keep(keys.path(), "AK-1", "AK-1");
    assert!(refusal(keys.path(), 1).contains("two files for the key `AK-1`"));
}

#[test]
fn a_shard_that_would_not_fit_is_refused_and_the_fix_is_named() {
    let ids: Vec<String> = (0..700)
        .map(|number| format!("LTAI5tDevice{number:04}"))
        .collect();
    let keys = folder_of(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let error = refusal(keys.path(), 1);
    assert!(
        error.contains("shard 0") && error.contains("raise `cloudfront.key_shards`"),
        "{error}"
    );
    let shards = Shards::of(keys.path(), count(4)).unwrap();
    assert_eq!(shards.rows().iter().map(|row| row.records).sum::<usize>(), 700);
}

#[test]
fn the_program_tells_of_every_shard_and_of_no_secret() {
    let keys = folder_of(&["AK-1", "AK-2"]);
    let out = tempfile::tempdir().unwrap();
    let path = |folder: &Path| folder.to_str().unwrap().to_owned();
    let arguments = [
        "shards",
        &path(keys.path()),
        "--shards",
        "2",
        "--out",
        &path(out.path()),
        "--json",
    ];
    let output = causeway(&arguments);
    assert!(output.status.success());
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows[0]["file"], "0.json");
    assert_eq!(rows.as_array().unwrap().len(), 2);
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!told.contains(SECRET));
    for bad in ["0", "257", "many"] {
        let output = causeway(&["shards", "keys", "--shards", bad, "--out", "shards"]);
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .contains("from 1 to 256")
        );
    }
}
