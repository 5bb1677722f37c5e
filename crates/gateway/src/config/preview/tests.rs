//! Preview links from the configuration to the request for the origin.

use oss_s3::error::{Fault, Refusal};
use oss_s3::request::OriginRequest;
use request_auth::preview::{Purpose, sign};
use request_auth::{Delivery, Dialect, RequestHead, SecretKey, UnixSeconds};

use crate::authorizer;
use crate::config::Config;
use crate::device::seals;
use crate::keys::KeyRecord;

const NOW: UnixSeconds = UnixSeconds(1_714_566_896);
const SECRET: &str = "a-secret-key-of-the-app-42-bytes-or-so";
const ID: &str = "6f1c2d3e-4b5a-4697-8897-a6b5c4d3e2f1";
const NONCE: &str = "00112233445566778899aabbccddeeff";
const PREVIEW: &str = r#"{"host": "files.example", "bucket": "app", "template": "upload_files/{file_id}.bin",
    "key": "app-links", "lifetime_seconds": 600}"#;

fn config(previews: &str) -> Result<Config, String> {
    let origin = r#"{"bucket": "acme-app", "region": "eu-west-1", "endpoint": "https://s3.example", "addressing": "path"}"#;
    let json = format!(
        r#"{{"buckets": [{{"name": "app", "origin": {origin}}}, {{"name": "devices", "origin": {origin}}}],
            "hosts": [{{"host": "files.example", "cname": "app"}}, {{"host": "edge.example", "styles": ["path"]}}],
            "preview": [{previews}]}}"#
    );
    Config::from_json(&json).map_err(|error| error.to_string())
}

fn record(fields: &str) -> KeyRecord {
    let json = format!(r#"{{"id": "app-links", "secrets": [{{"secret": "{SECRET}"}}], {fields}}}"#);
    KeyRecord::from_json("app-links", &json).unwrap()
}

/// The record that an operator would write.
fn good_record() -> KeyRecord {
    record(
        r#""schemes": ["preview"], "grants": [{"bucket": "app", "operations": ["read-only"], "mount": "live/"}]"#,
    )
}

fn link(purpose: Purpose) -> String {
    let secret = SecretKey::new(SECRET.into()).unwrap();
    sign(purpose, ID, NOW, NONCE, &secret).unwrap()
}

/// What the origin is sent, as `METHOD path?query` and headers.
fn sent(record: &KeyRecord, method: &str, target: &str, lines: &[(&str, &str)]) -> Result<String, Refusal> {
    sent_at(record, method, target, lines, NOW)
}

fn sent_at(
    record: &KeyRecord,
    method: &str,
    target: &str,
    lines: &[(&str, &str)],
    now: UnixSeconds,
) -> Result<String, Refusal> {
    let config = config(PREVIEW).unwrap();
    let host = [("host", "files.example")];
    let has_host = lines.iter().any(|(name, _)| *name == "host");
    let lines = host[usize::from(has_host)..].iter().chain(lines);
    let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead::new(method, target.as_bytes(), lines, Delivery::Lines).unwrap();
    let claim = authorizer::claim(&config, &head)?;
    assert_eq!(claim.record_id(), "app-links");
    let authorized = authorizer::authorize(&config, &head, &claim, record, now)?;
    let errand = authorized.errand(&seals())?;
    assert_eq!(errand.dialect(), Dialect::S3);
    let request = OriginRequest::new(&errand);
    // A read has its encoding set by the gateway itself.
    let headers = request
        .headers
        .iter()
        .filter(|(name, _)| name != "accept-encoding");
    let headers = headers.map(|(name, value)| format!("\n{name}: {}", String::from_utf8_lossy(value)));
    Ok(format!(
        "{} {}{}",
        request.method,
        request.path_and_query(),
        headers.collect::<String>()
    ))
}

fn fault(outcome: Result<String, Refusal>) -> Fault {
    outcome.unwrap_err().fault()
}

#[test]
fn a_link_reads_the_object_that_the_template_names_behind_the_grants_mount() {
    for purpose in Purpose::ALL {
        let path = format!("/acme-app/live/upload_files/{ID}.bin");
        assert_eq!(
            sent(&good_record(), "GET", &link(purpose), &[]).unwrap(),
            format!("GET {path}?x-id=GetObject")
        );
        assert_eq!(
            sent(&good_record(), "HEAD", &link(purpose), &[]).unwrap(),
            format!("HEAD {path}?x-id=HeadObject")
        );
    }
}

#[test]
fn ranges_and_conditions_go_on_and_no_other_header_does() {
    let lines = [
        ("range", "bytes=0-4"),
        ("if-none-match", "\"e\""),
        ("x-amz-copy-source", "/other/key"),
        ("x-amz-expected-bucket-owner", "1"),
        ("x-oss-process", "x"),
        ("cookie", "session=1"),
    ];
    let request = sent(&good_record(), "GET", &link(Purpose::File), &lines).unwrap();
    let (_, headers) = request.split_once('\n').unwrap();
    let mut headers: Vec<_> = headers.lines().collect();
    headers.sort_unstable();
    assert_eq!(headers, ["if-none-match: \"e\"", "range: bytes=0-4"]);
}

#[test]
fn df07_as_attachment_changes_the_disposition_of_the_answer_alone() {
    let target = format!("{}&as_attachment=true", link(Purpose::File));
    assert_eq!(
        sent(&good_record(), "GET", &target, &[]).unwrap(),
        format!(
            "GET /acme-app/live/upload_files/{ID}.bin?response-content-disposition=attachment&x-id=GetObject"
        )
    );
    for more in [
        "&response-content-type=text/html",
        "&response-content-disposition=inline",
        "&versionId=1",
        "&acl",
        "&uploadId=U",
        "&x-id=GetObject",
        "&a=b",
    ] {
        let target = format!("{}{more}", link(Purpose::File));
        assert_eq!(
            fault(sent(&good_record(), "GET", &target, &[])),
            Fault::Forbidden,
            "{more}"
        );
    }
}

#[test]
fn df10_the_configured_lifetime_counts() {
    let at = |age| {
        let now = UnixSeconds(NOW.0 + age);
        sent_at(&good_record(), "GET", &link(Purpose::File), &[], now)
    };
    assert!(at(600).is_ok());
    assert_eq!(fault(at(601)), Fault::UrlExpired);
}

#[test]
fn a_record_has_to_allow_links_reading_and_the_bucket() {
    let outcome = |fields: &str| fault(sent(&record(fields), "GET", &link(Purpose::File), &[]));
    let grants = r#""grants": [{"bucket": "app", "operations": ["read-only"]}]"#;
    assert_eq!(
        outcome(&format!(r#""schemes": ["oss-v1"], {grants}"#)),
        Fault::SchemeForbidden
    );
    assert_eq!(
        outcome(&format!(
            r#""schemes": ["preview"], "status": "disabled", {grants}"#
        )),
        Fault::KeyUnknown
    );
    for grants in [
        "[]",
        r#"[{"bucket": "app"}]"#,
        r#"[{"bucket": "app", "operations": ["HeadObject"]}]"#,
        r#"[{"bucket": "app", "operations": ["read-only"], "prefix": "other/"}]"#,
        r#"[{"bucket": "devices", "operations": ["read-only"]}]"#,
    ] {
        let fields = format!(r#""schemes": ["preview"], "grants": {grants}"#);
        assert_eq!(outcome(&fields), Fault::Forbidden, "{grants}");
    }
}

#[test]
fn a_link_writes_nothing_whatever_its_record_allows() {
    let record = record(
        r#""schemes": ["preview"], "grants": [{"bucket": "app", "operations": ["upload-only", "read-only"]}]"#,
    );
    for method in ["PUT", "POST", "DELETE"] {
        let outcome = sent(&record, method, &link(Purpose::File), &[("content-length", "1")]);
        assert_eq!(fault(outcome), Fault::Forbidden, "{method}");
    }
}

#[test]
fn a_host_without_preview_takes_a_link_for_an_unsigned_request() {
    for host in ["edge.example", "app.edge.example", "other.example"] {
        let outcome = sent(&good_record(), "GET", &link(Purpose::File), &[("host", host)]);
        assert_eq!(fault(outcome), Fault::Anonymous, "{host}");
    }
}

#[test]
fn a_wrong_link_is_answered_by_what_is_wrong_with_it() {
    let good = link(Purpose::File);
    for (target, wrong) in [
        (
            good.replace("file-preview", "image-preview"),
            Fault::SignatureMismatch,
        ),
        (good.replace("nonce=00", "nonce=01"), Fault::SignatureMismatch),
        (good.replace(ID, "tenant%7Cx"), Fault::ArgumentInvalid),
        (
            good.replace("timestamp=", "timestamp=%2B"),
            Fault::ArgumentInvalid,
        ),
        (good.replace("&nonce=", "&nonse="), Fault::UrlIncomplete),
    ] {
        assert_eq!(
            fault(sent(&good_record(), "GET", &target, &[])),
            wrong,
            "{target}"
        );
    }
}

#[test]
fn links_that_lead_nowhere_or_two_ways_make_no_configuration() {
    assert!(config(PREVIEW).is_ok());
    for (from, to, named) in [
        ("files.example", "nobody.example", "nobody.example"),
        ("\"app\"", "\"nothing\"", "`bucket`"),
        ("app-links", "d1.fleet", "`key`"),
        ("app-links", "a b", "`key`"),
        ("app-links", "", "`key`"),
        ("600", "0", "`lifetime_seconds`"),
        ("600", "604801", "`lifetime_seconds`"),
        ("{file_id}", "", "`template`"),
        ("{file_id}", "{file_id}/{file_id}", "`template`"),
        ("{file_id}", "{tenant}/{file_id}", "`template`"),
        ("upload_files/", "../", "`template`"),
        ("upload_files/", ".causeway/", "`template`"),
    ] {
        let error = config(&PREVIEW.replace(from, to)).err().unwrap();
        assert!(
            error.contains("preview") && error.contains(named),
            "{from} {to}: {error}"
        );
    }
    let error = config(&format!("{PREVIEW}, {PREVIEW}")).err().unwrap();
    assert!(error.contains("stands twice"), "{error}");
    let long = PREVIEW.replace("upload_files/", &"u".repeat(1000));
    assert!(config(&long).is_err());
}
