//! Folders of key records: fleets of derived keys with their devices' keys, and the keys of preview links.

#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

mod support;

use std::fs;
use std::num::NonZeroU16;
use std::path::Path;

use causeway::derive::Master;
use causeway::shards::Shards;
use gateway::keys::shards::{Shard, shard_of};
use serde_json::{Value, json};
use support::{GOOD, causeway, folder_with};

const MASTER: &str = "master-of-the-cameras-0123456789abcdef";
/// See the tests of `request_auth::derived` for the lines of Python that made it.
const SECRET: &str = "_HNVSQJGk8ErPYFHHR7wISUmNkdIfGvLYTW7kGGAiO4";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_key_of_a_device_follows_from_the_master_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master");
    for end in ["", "\n", "\r\n"] {
        fs::write(&file, format!("{MASTER}{end}")).unwrap();
        let arguments = ["key", "derive", "--fleet", "cams", "--master", text(&file)];
        let output = causeway(&[arguments.as_slice(), &["cam-0001", "--json"]].concat());
        assert!(output.status.success());
        let keys: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            keys,
            json!([{"access_key_id": "d1.cams.cam-0001", "access_key_secret": SECRET}])
        );
        let output = causeway(&[arguments.as_slice(), &["cam-0001", "cam-0002"]].concat());
        let lines = String::from_utf8(output.stdout).unwrap();
        assert_eq!(lines.lines().count(), 2);
        assert!(
            lines.starts_with(&format!("d1.cams.cam-0001  {SECRET}\n")),
            "{lines}"
        );
    }
}

#[test]
fn names_and_masters_that_no_gateway_takes_are_refused_in_a_sentence_without_the_master() {
    for (fleet, device) in [
        ("", "d"),
        ("f", ""),
        ("a.b", "d"),
        ("f", "a b"),
        ("f", &"d".repeat(65)),
    ] {
        let error = Master::new(MASTER)
            .unwrap()
            .key(fleet, device)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("1 to 64") && !error.contains(MASTER), "{error}");
    }
    let short = MASTER.get(..31).unwrap();
    let error = Master::new(short).err().unwrap().to_string();
    assert!(
        error.contains("openssl rand") && !error.contains(short),
        "{error}"
    );
    let output = causeway(&[
        "key",
        "derive",
        "--fleet",
        "f",
        "--master",
        "/nowhere/master",
        "d",
    ]);
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("/nowhere/master")
    );
}

#[test]
fn the_record_of_a_fleet_is_in_the_shard_of_its_id() {
    let keys = tempfile::tempdir().unwrap();
    let record =
        json!({"id": "d1.cams", "masters": [{"secret": MASTER}], "grants": [], "revoked": ["cam-9"]});
    fs::write(keys.path().join("d1.cams.json"), record.to_string()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let count = NonZeroU16::new(5).unwrap();
    Shards::of(keys.path(), count).unwrap().write(out.path()).unwrap();
    let file = out.path().join(format!("{}.json", shard_of("d1.cams", count)));
    let shard = Shard::from_json(&fs::read_to_string(file).unwrap()).unwrap();
    assert!(shard.record("d1.cams").is_ok());
}

#[test]
fn check_reads_the_records_and_warns_of_grants_that_may_not_be_meant() {
    let folder = folder_with(GOOD);
    let keys = folder.path().join("keys");
    fs::create_dir(&keys).unwrap();
    let keep = |id: &str, grants: Value| {
        let secrets = json!([{"secret": MASTER}]);
        let record = if id.starts_with("d1.") {
            json!({"id": id, "masters": secrets, "grants": grants, "revoked": ["cam-9"]})
        } else {
            json!({"id": id, "secrets": secrets, "grants": grants})
        };
        fs::write(keys.join(format!("{id}.json")), record.to_string()).unwrap();
    };
    keep("AK", json!([{"bucket": "devices"}]));
    keep("d1.cams", json!([{"bucket": "devices", "mount": "{device}/"}]));
    keep(
        "d1.forms",
        json!([{"bucket": "devices", "operations": ["PostObject"]}]),
    );
    keep("d1.locks", json!([{"bucket": "devices", "mount": "{fleet}/"}]));
    keep(
        "d1.screens",
        json!([{"bucket": "devices", "operations": ["read-only"]}]),
    );
    keep("d1.bells", json!([{"bucket": "nowhere", "prefix": "{key_id}/"}]));
    let file = folder.path().join("causeway.toml");
    let output = causeway(&["check", text(&file), "--keys", text(&keys), "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["records"]["keys"], 1);
    assert_eq!(
        report["records"]["fleets"][1],
        json!({"id": "d1.cams", "masters": 1, "revoked": 1})
    );
    let warnings = report["records"]["warnings"].as_array().unwrap();
    let expected = [
        ("d1.bells", "`nowhere`"),
        ("d1.cams", "`{key_id}/`"),
        ("d1.forms", "overwrite"),
        ("d1.locks", "overwrite"),
    ];
    assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
    for (warning, (of, what)) in expected.into_iter().enumerate() {
        let warning = warnings.get(warning).unwrap().as_str().unwrap();
        assert!(warning.contains(of) && warning.contains(what), "{warning}");
    }
    let output = causeway(&["check", text(&file), "--keys", text(&keys)]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("fleet    d1.cams of 1 masters, 1 of at most 1024 devices revoked"),
        "{said}"
    );

    fs::write(keys.join("d1.cams.json"), "{}").unwrap();
    let output = causeway(&["check", text(&file), "--keys", text(&keys)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("`d1.cams`"));
}

#[test]
fn check_tells_of_preview_links_and_warns_where_their_key_is_none_for_links() {
    let preview = "[[preview]]\nhost = \"upload.example.com\"\nbucket = \"devices\"\n\
                   template = \"upload_files/{file_id}\"\nkey = \"app-links\"\n";
    let folder = folder_with(&[GOOD, preview].concat());
    let keys = folder.path().join("keys");
    fs::create_dir(&keys).unwrap();
    let file = folder.path().join("causeway.toml");
    let check = || {
        let output = causeway(&["check", text(&file), "--keys", text(&keys)]);
        String::from_utf8(output.stdout).unwrap()
    };
    let said = check();
    assert!(said.contains(
        "preview  https://upload.example.com/files/{file_id}/file-preview is upload_files/{file_id}"
    ));
    assert!(said.contains("there is no key record `app-links`"), "{said}");
    for (schemes, warned) in [(json!(["oss-v1"]), true), (json!(["preview"]), false)] {
        let grants = json!([{"bucket": "devices", "operations": ["read-only"]}]);
        let record =
            json!({"id": "app-links", "secrets": [{"secret": MASTER}], "schemes": schemes, "grants": grants});
        fs::write(keys.join("app-links.json"), record.to_string()).unwrap();
        assert_eq!(check().contains("there is no key record"), warned, "{schemes}");
    }
}
