//! What is forwarded decodes to what was verified, and to nothing else.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use conformance::corpus::check;
use conformance::mac::Version;
use gateway::authorizer;
use gateway::config::Config;
use gateway::keys::KeyRecord;
use oss_s3::error::Refusal;
use oss_s3::headers::metadata;
use oss_s3::request::OriginRequest;
use oss_s3::upload::Owner;
use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use request_auth::canon::percent_decode;
use request_auth::{Delivery, Denial, Dialect, RequestHead, Scheme};
use serde_json::json;

use crate::config;
use crate::device::{Device, KEY_ID, NOW, Placement, Style, additional_headers, header_value, text, verify};

const SECRET: &str = "secret-of-a-device";
const MOUNT: &str = "fleet/LTAI5tDevice/";

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let origin = json!({"bucket": "acme-ingest", "region": "eu-west-1", "endpoint": "https://s3.eu-west-1.amazonaws.com"});
    let config = json!({
        "buckets": [{"name": "devices", "aliases": ["d111111abcdef8"], "origin": origin}],
        "hosts": [
            {"host": "edge.test", "styles": ["path", "virtual-host"]},
            {"host": "up.test", "cname": "devices"},
            {"host": "free.test", "cname": "devices", "unsigned_bucket": true},
        ],
    });
    Config::from_json(&config.to_string()).unwrap()
});

static RECORD: LazyLock<KeyRecord> = LazyLock::new(|| {
    let record = json!({
        "id": KEY_ID,
        "secrets": [{"secret": SECRET}],
        "schemes": Scheme::WITH_SECRETS.map(Scheme::name),
        "grants": [{"bucket": "devices", "operations": ["upload-only"], "mount": "fleet/{key_id}/"}],
    });
    KeyRecord::from_json(KEY_ID, &record.to_string()).unwrap()
});

/// An upload request: what is signed of it, and unsigned headers.
#[derive(Clone, Debug)]
struct Upload {
    device: Device,
    hints: BTreeMap<&'static str, String>,
    junk: BTreeMap<String, String>,
}

fn upload() -> impl Strategy<Value = Upload> {
    let part = (1_u32..10_000, "[!-~]{1,20}");
    let call = (0_usize..5, part).prop_map(|(which, (number, id))| {
        let parameter = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let number = number.to_string();
        match which {
            0 => ("PUT", vec![]),
            1 => ("POST", vec![parameter("uploads", "")]),
            2 => (
                "PUT",
                vec![parameter("partNumber", &number), parameter("uploadId", &id)],
            ),
            3 => ("POST", vec![parameter("uploadId", &id)]),
            _ => ("DELETE", vec![parameter("uploadId", &id)]),
        }
    });
    let metadata = btree_map("x-oss-meta-[a-z0-9-]{1,6}", header_value(), 0..4);
    let hint = select(vec![
        "cache-control",
        "content-disposition",
        "content-language",
        "expires",
        "content-encoding",
    ]);
    let signed = (
        call,
        select(vec![
            Style::Path,
            Style::VirtualHost,
            Style::Cname,
            Style::Unsigned,
        ]),
        select(vec!["devices", "d111111abcdef8"]),
        text(1..6),
        option::of("[a-z]{1,8}/[a-z]{1,8}"),
        metadata,
        select(vec![
            Placement::Header,
            Placement::OssDate,
            Placement::BothDates,
            Placement::Query,
        ]),
        any::<u64>(),
        (select(Version::ALL.to_vec()), additional_headers()),
    );
    let device = signed.prop_map(
        |(call, style, bucket, key, content_type, headers, placement, spelling, (version, additional))| {
            Device {
                version,
                method: call.0.to_owned(),
                style,
                bucket,
                key,
                signed: call.1.into_iter().collect(),
                unsigned: BTreeMap::new(),
                content_type: content_type.map(String::into_bytes),
                content_md5: None,
                headers,
                additional,
                placement,
                secret: SECRET.to_owned(),
                spelling,
            }
        },
    );
    let junk = "(x-amz-(acl|tagging|copy-source|meta-a|storage-class)|x-causeway-[a-z]{1,4}|if-match|range|cookie|referer)";
    (
        device,
        btree_map(hint, "[!-~]{1,8}", 0..3),
        btree_map(junk, Just("INJECTED".to_owned()), 0..4),
    )
        .prop_map(|(device, hints, junk)| Upload { device, hints, junk })
}

/// The device with the id of its upload as it was told it; where the key is none, no upload was ever begun.
fn told(device: &Device) -> Device {
    let mut device = device.clone();
    if let (Some(id), Ok(key)) = (
        device.signed.get_mut("uploadId"),
        core::str::from_utf8(&device.key),
    ) {
        let owner = Owner {
            bucket: "devices",
            key,
            key_id: KEY_ID,
        };
        let told = conformance::upload::told(owner, core::str::from_utf8(id).unwrap());
        *id = told.into_bytes();
    }
    device
}

/// Sends an upload through the authorizer; what would go to the origin.
fn forward(upload: &Upload) -> Result<OriginRequest, Refusal> {
    let mut wire = told(&upload.device).wire();
    for (name, value) in &upload.hints {
        wire.headers
            .push(((*name).to_owned(), value.clone().into_bytes()));
    }
    for (name, value) in &upload.junk {
        wire.headers.push((name.clone(), value.clone().into_bytes()));
    }
    let lines = wire
        .headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_slice()));
    let head = RequestHead::new(&wire.method, &wire.target, lines, Delivery::Lines).map_err(Denial::from)?;
    let claim = authorizer::claim(&CONFIG, &head)?;
    let authorized = authorizer::authorize(&CONFIG, &head, &claim, &RECORD, NOW)?;
    let request = OriginRequest::new(&authorized.errand(&conformance::upload::seals())?);
    check::forwarded(&request, &authorized, MOUNT, Dialect::Oss).unwrap();
    Ok(request)
}

/// What an object key may be, from the documentation.
fn is_object_key(key: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(key) else {
        return false;
    };
    !text.is_empty()
        && !text.contains('\\')
        && text
            .chars()
            .all(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        && text.split('/').all(|segment| segment != "." && segment != "..")
        && !text.trim_start_matches('/').starts_with(".causeway/")
}

fn header<'r>(request: &'r OriginRequest, name: &str) -> Option<&'r [u8]> {
    let found = request.headers.iter().find(|(header, _)| header == name);
    found.map(|(_, value)| value.as_slice())
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn a_request_for_the_origin_decodes_to_what_the_device_signed(upload in upload()) {
        let device = &upload.device;
        let verifies = verify(&device.wire(), SECRET, Delivery::Lines).is_ok();
        let request = match forward(&upload) {
            Ok(request) => request,
            Err(refusal) => {
                prop_assert!(matches!(refusal.status(), 400..=499 | 501));
                prop_assert!(!verifies || !is_object_key(&device.key), "{:?}", refusal);
                return Ok(());
            }
        };
        prop_assert!(verifies && is_object_key(&device.key));
        prop_assert_eq!(request.method, &device.method);
        prop_assert_eq!(&request.host, "acme-ingest.s3.eu-west-1.amazonaws.com");
        let path = percent_decode(request.path.as_bytes()).unwrap();
        prop_assert_eq!(path, [b"/", MOUNT.as_bytes(), &device.key].concat());
        let query: BTreeMap<String, Vec<u8>> = request
            .query
            .split('&')
            .filter(|piece| !piece.is_empty())
            .map(|piece| piece.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), percent_decode(value.as_bytes()).unwrap()))
            .collect();
        prop_assert_eq!(&query, &device.signed);

        let stores = device.method == "PUT" && device.signed.is_empty() || device.signed.contains_key("uploads");
        for (name, value) in &device.headers {
            let sent = header(&request, &name.replacen("x-oss-", "x-amz-", 1)).map(metadata::decode);
            prop_assert_eq!(sent, stores.then(|| value.clone()));
        }
        let content_type = device.content_type.clone().unwrap_or(b"application/octet-stream".to_vec());
        prop_assert_eq!(header(&request, "content-type"), stores.then_some(content_type.as_slice()));
        for (name, value) in &upload.hints {
            prop_assert_eq!(header(&request, name), stores.then_some(value.as_bytes()));
        }
        prop_assert!(request.headers.iter().all(|(_, value)| value != b"INJECTED"));
        let expected = if stores { 2 + device.headers.len() + upload.hints.len() } else { 1 };
        prop_assert_eq!(request.headers.len(), expected, "{:?}", request.headers);
    }

    #[test]
    fn however_a_request_is_spelt_the_origin_is_sent_the_same(upload in upload(), spelling in any::<u64>()) {
        let other = Upload {
            device: Device { spelling, ..upload.device.clone() },
            junk: BTreeMap::new(),
            ..upload.clone()
        };
        prop_assert_eq!(forward(&upload), forward(&other));
    }
}
