//! The program itself.

#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

mod support;

use std::fs;

use serde_json::Value;
use support::{GOOD, artefacts, causeway, folder_with};

#[test]
fn check_says_what_a_configuration_means() {
    let folder = folder_with(GOOD);
    let file = folder.path().join("causeway.toml");
    let output = causeway(&["check", file.to_str().unwrap()]);
    assert!(output.status.success());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .ends_with("causeway.toml is good.\n")
    );
    let output = causeway(&["check", "--json", file.to_str().unwrap()]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["valid"], true);
    assert_eq!(report["buckets"][0]["origin_bucket"], "acme-ingest");
    assert_eq!(report["revocation"]["cloudflare_seconds"], 120);
}

#[test]
fn a_mistake_is_one_sentence_that_names_file_and_key() {
    let folder = folder_with(&GOOD.replace("styles", "stiles"));
    let file = folder.path().join("causeway.toml");
    let output = causeway(&["check", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.starts_with("error: ") && said.contains("causeway.toml: ") && said.contains("stiles"),
        "{said}"
    );

    let output = causeway(&["check", "--json", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["valid"], false);
    assert!(report["error"].as_str().unwrap().contains("stiles"));
}

#[test]
fn a_table_in_front_of_its_bucket_is_told_where_to_stand() {
    let said = |text: &str| {
        let folder = folder_with(text);
        let file = folder.path().join("causeway.toml");
        let output = causeway(&["check", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let fix = "put [buckets.*] tables behind the [[buckets]] that they are of";
    let in_front = said(&format!("[buckets.staging]\nenabled = false\n{GOOD}"));
    assert!(
        in_front.contains("duplicate key") && in_front.contains(fix),
        "{in_front}"
    );
    let twice = said(&format!(
        "clock_window_seconds = 1\nclock_window_seconds = 1\n{GOOD}"
    ));
    assert!(twice.contains("duplicate key") && !twice.contains(fix), "{twice}");
}

#[test]
fn bundle_cloudflare_prints_the_json_of_the_worker() {
    let folder = folder_with(GOOD);
    let file = folder.path().join("causeway.toml");
    let output = causeway(&["bundle", "cloudflare", file.to_str().unwrap()]);
    assert!(output.status.success());
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["buckets"][0]["name"], "devices");
}

#[test]
fn bundle_cloudfront_writes_the_same_files_every_time() {
    let folder = folder_with(GOOD);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    artefacts(&folder.path().join("edge"));
    let mut bundles = Vec::new();
    for out in ["first", "second"] {
        let output = causeway(&[
            "bundle",
            "cloudfront",
            &path("causeway.toml"),
            "--out",
            &path(out),
            "--artefacts",
            &path("edge"),
            "--json",
        ]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(path(out))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (
                    entry.file_name().into_string().unwrap(),
                    fs::read(entry.path()).unwrap(),
                )
            })
            .collect();
        files.sort();
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), 5);
        for zip in told["zips"].as_array().unwrap() {
            assert!(names.contains(&zip["file"].as_str().unwrap()));
        }
        bundles.push(files);
    }
    assert_eq!(bundles[0], bundles[1]);
    let (_, parameters) = bundles[0]
        .iter()
        .find(|(name, _)| name == "edge.parameters.json")
        .unwrap();
    let parameters: Value = serde_json::from_slice(parameters).unwrap();
    let keys: Vec<&str> = parameters[0]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, ["ParameterKey", "ParameterValue"]);
}
