//! `causeway check` as a library.

#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

mod support;

use causeway::check::Report;
use support::{GOOD, configuration};

fn warnings(text: &str) -> Vec<String> {
    Report::new(&configuration(text), None).warnings
}

#[test]
fn a_good_configuration_is_told_in_full_and_without_a_warning() {
    let report = Report::new(&configuration(GOOD), None);
    assert_eq!(report.warnings, Vec::<String>::new());
    let text = report.to_string();
    for part in [
        "bucket   devices (may also be signed as old-devices) is s3://acme-ingest in eu-west-1, at https://s3.eu-west-1.amazonaws.com\n",
        "url      https://edge.example.com/devices/…\n",
        "url      https://devices.edge.example.com/…\n",
        "url      https://upload.example.com/… (devices)\n",
        "staging  parts of devices below 5 MiB wait in s3://acme-ingest/.causeway/ until",
        "unsized  an object or part of devices that comes without a length may have 1073741824 bytes, on Cloudflare alone\n",
        "off by 900 s",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn the_bound_on_revocation_follows_the_cache() {
    let text = format!("[key_cache]\nfresh_seconds = 5\nstale_seconds = 7\n{GOOD}");
    let revocation = Report::new(&configuration(&text), None).revocation;
    assert_eq!(
        (
            revocation.cloudflare_seconds,
            revocation.cloudfront_seconds,
            revocation.outage_seconds
        ),
        (65, 5, 7)
    );
}

#[test]
fn what_may_not_be_meant_is_warned_of() {
    for (from, to, warning) in [
        (
            "https://s3.eu",
            "http://s3.eu",
            "bucket `devices`: objects go to S3 over plain http",
        ),
        (
            "cname = \"devices\"",
            "cname = \"devices\"\nunsigned_bucket = true",
            "host `upload.example.com`",
        ),
        (
            "\n[[buckets]]",
            "string_to_sign_in_errors = true\n[[buckets]]",
            "`string_to_sign_in_errors`",
        ),
        (
            "[[buckets]]",
            "[key_cache]\nnegative_seconds = 0\n[[buckets]]",
            "`key_cache.negative_seconds`",
        ),
        (
            "aliases",
            "acl = \"pass\"\naliases",
            "not for CloudFront: bucket `devices`: on CloudFront `acl`",
        ),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD);
        let warnings = warnings(&text);
        assert!(
            warnings.iter().any(|found| found.contains(warning)),
            "{warning} is not in {warnings:?}"
        );
    }
}

#[test]
fn a_bucket_that_no_host_leads_to_is_warned_of() {
    let text = GOOD.replace("styles = [\"path\", \"virtual-host\"]", "cname = \"devices\"")
        + "\n[[buckets]]\nname = \"lonely\"\norigin = { bucket = \"acme-ingest\", region = \"eu-west-1\", \
           endpoint = \"https://s3.eu-west-1.amazonaws.com\" }\n";
    assert_eq!(
        warnings(&text),
        ["bucket `lonely`: no host leads to it; name it as the `cname` of one, or give a host `styles`"]
    );
}

#[test]
fn a_configuration_too_large_for_a_worker_is_warned_of() {
    let hosts: String = (0..80)
        .map(|number| format!("\n[[hosts]]\nhost = \"upload-{number}.example.com\"\ncname = \"devices\"\n"))
        .collect();
    let warnings = warnings(&format!("{GOOD}{hosts}"));
    assert!(
        matches!(&warnings[..], [one] if one.starts_with("not for Cloudflare: ")),
        "{warnings:?}"
    );
}

#[test]
fn the_pages_that_may_talk_to_a_bucket_are_told() {
    let rules = "[[buckets.cors]]\norigins = [\"https://a.example.com\", \"https://*.b.example.com\"]\nmethods = [\"GET\", \"PUT\"]\n\
        [[buckets.cors]]\norigins = [\"https://c.example.com\", \"*\"]\nmethods = [\"HEAD\"]\n";
    let text = GOOD.replacen("[[hosts]]", &format!("{rules}[[hosts]]"), 1);
    let text = Report::new(&configuration(&text), None).to_string();
    for line in [
        "pages    of https://a.example.com, https://*.b.example.com may GET, PUT in bucket devices\n",
        "pages    of any origin may HEAD in bucket devices\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[test]
fn where_small_parts_wait_is_told_and_that_they_are_refused() {
    let staging = |table: &str| {
        let text = GOOD.replacen("[buckets.origin]", &format!("{table}[buckets.origin]"), 1);
        let report = Report::new(&configuration(&text), None);
        let json = serde_json::to_value(&report).unwrap();
        (report.to_string(), json["buckets"][0].clone())
    };
    let place = "s3://acme-staging/.causeway/fleet-1/";
    let table = "[buckets.staging]\nbucket = \"acme-staging\"\nprefix = \".causeway/fleet-1/\"\n";
    let (text, json) = staging(table);
    let line =
        format!("staging  parts of devices below 5 MiB wait in {place} until their upload is completed\n");
    assert!(text.contains(&line), "{text}");
    assert_eq!(json["staging"], place);
    assert_eq!(json["max_unsized_bytes"], 1_073_741_824);
    let given = configuration(&GOOD.replacen("[buckets.origin]", &format!("{table}[buckets.origin]"), 1));
    let told = r#""staging":{"enabled":true,"bucket":"acme-staging","prefix":".causeway/fleet-1/"}"#;
    assert!(given.json().contains(told), "{}", given.json());
    let (text, json) = staging("[buckets.staging]\nenabled = false\nbucket = \"acme-staging\"\n");
    assert!(
        text.contains("staging  none: uploads to devices with parts below 5 MiB are refused\n"),
        "{text}"
    );
    let line = "an object of devices that comes without a length may have 1073741824 bytes, a part without staging 8388608,";
    assert!(text.contains(line), "{text}");
    assert_eq!(json.get("staging"), None);
    // What is off is no second S3 bucket that nobody made.
    assert!(!text.contains("storage.yaml"), "{text}");
    let signed = format!("[cloudfront]\ndirect_path = \"router-signed\"\n{GOOD}");
    let elsewhere = signed.replacen("[buckets.origin]", &format!("{table}[buckets.origin]"), 1);
    let warnings = warnings(&elsewhere);
    assert!(
        matches!(&warnings[..], [one] if one.contains("storage.yaml makes the first S3 bucket only")),
        "{warnings:?}"
    );
}
