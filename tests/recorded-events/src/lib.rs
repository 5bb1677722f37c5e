//! Events for the tests of the CloudFront functions: recorded ones, with a device's request put in and
//! signed for real at a fixed moment, and what CloudFront makes of one function's result for the next.
//!
//! Only what the tests need is played: a result that changes a read-only header fails here as it
//! would at CloudFront. Everything panics on misuse, as tests do.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a fixture that is wrong fails its test"
)]

mod mutation;
mod store;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloudfront_event::rules::{READ_ONLY_AT_ORIGIN_REQUEST, READ_ONLY_AT_VIEWER_REQUEST};
use gateway::passport::PassportKeys;
use oss_s3::answer::RequestId;
use oss_s3::operation::UploadId;
use oss_s3::upload::Owner;
use request_auth::canon::percent_decode;
use request_auth::{Delivery, RequestHead, Resource, SecretKey, aws_v4, oss_v1};
use serde_json::{Value, json};

pub use mutation::mutations;
pub use store::Store;

/// The moment of every event, `Wed, 01 May 2024 12:34:56 GMT`.
pub const NOW: f64 = 1_714_566_896.0;
/// The same as an HTTP date.
pub const DATE: &str = "Wed, 01 May 2024 12:34:56 GMT";
/// The configuration: the virtual bucket `devices`, path style, in front of `acme-ingest`, and one web page's
/// origin that may talk to it.
pub const CONFIG: &str = r#"{
  "buckets": [{"name": "devices",
    "cors": [{"origins": ["https://app.example.com"], "methods": ["GET", "PUT", "POST"], "headers": ["*"]}],
    "origin": {
    "bucket": "acme-ingest", "region": "eu-west-1", "endpoint": "https://s3.eu-west-1.amazonaws.com"}}],
  "hosts": [{"host": "d111111abcdef8.cloudfront.net", "styles": ["path"]}]
}"#;
/// The secret that passports are issued under.
pub const PASSPORT: &str = r#"{"id": "2024-05", "secret": "5f2b1c9a7e4d8f60b3a1c5e7d9f0a2b4c6"}"#;
/// The one of another deployment, under the same id.
pub const OTHER_PASSPORT: &str = r#"{"id": "2024-05", "secret": "00000000000000000000000000000000000"}"#;
/// The device's access key id.
pub const KEY_ID: &str = "LTAI5tFakeAccessKeyId001";
/// Its secret.
pub const SECRET: &str = "0123456789abcdef0123456789abcd";
/// The record of its key: a mount per device, uploads and the list of parts.
pub const RECORD: &str = r#"{"id": "LTAI5tFakeAccessKeyId001", "schemes": ["oss-v1", "s3-v4"],
  "secrets": [{"secret": "0123456789abcdef0123456789abcd"}],
  "grants": [{"bucket": "devices", "operations": ["upload-only", "read-only", "ListParts"], "mount": "fleet/{key_id}/"}]}"#;
/// Where the response handler is: the distribution says so to the router.
pub const HANDLER: &str = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-west-1.on.aws";
/// What Lambda tells a function of itself: its role's credentials, and where it runs.
pub const ENVIRONMENT: &str = r#"{"access_key_id": "ASIAEXAMPLEROLE",
  "secret_access_key": "role-secret-0123456789", "session_token": "role-token-0123456789",
  "region": "ap-southeast-2"}"#;

const VIEWER_REQUEST: &str =
    include_str!("../../../crates/cloudfront-event/tests/events/viewer-request.json");
const ORIGIN_REQUEST: &str =
    include_str!("../../../crates/cloudfront-event/tests/events/origin-request.json");
const ORIGIN_RESPONSE: &str =
    include_str!("../../../crates/cloudfront-event/tests/events/origin-response.json");
const FUNCTION_URL: &str = include_str!("../../../crates/cloudfront-event/tests/events/function-url.json");

/// Base64 text.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of a base64 text.
pub fn from_base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// The request of an event, to be changed.
pub fn request(event: &mut Value) -> &mut Value {
    &mut event["Records"][0]["cf"]["request"]
}

/// Puts a header into the request of an event, as one line.
pub fn put_header(event: &mut Value, name: &str, value: &str) {
    request(event)["headers"][name] = json!([{"key": name, "value": value}]);
}

/// The value of a header of a request or an answer of Lambda@Edge's; empty where it is absent.
pub fn header<'v>(message: &'v Value, name: &str) -> &'v str {
    message["headers"][name][0]["value"].as_str().unwrap_or_default()
}

/// A path-style target whose `uploadId` is the origin's id of an upload, with what the device was told for it.
pub fn told(target: &str) -> String {
    let Some((before, rest)) = target.split_once("uploadId=") else {
        return target.to_owned();
    };
    let decoded = |text: &str| String::from_utf8(percent_decode(text.as_bytes()).unwrap()).unwrap();
    let (id, after) = rest.split_at(rest.find('&').unwrap_or(rest.len()));
    let path = decoded(target.split('?').next().unwrap());
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap();
    let owner = Owner {
        bucket,
        key,
        key_id: KEY_ID,
    };
    let seals = PassportKeys::from_json(PASSPORT).unwrap().seals();
    let id = UploadId::new(decoded(id).as_bytes()).unwrap();
    let sealed = owner.seal(&seals, &id, &RequestId::from_bytes([3; 12])).unwrap();
    [before, "uploadId=", &encoded(sealed.as_str()), after].concat()
}

fn encoded(text: &str) -> String {
    text.replace('/', "%2F")
}

/// A viewer-request event with this path-style request, signed by the device. An `uploadId` is the
/// origin's: the device sends what it was [told] for it.
pub fn viewer_request(method: &str, target: &str, headers: &[(&str, &str)]) -> Value {
    viewer_request_signed_with(SECRET, method, target, headers)
}

/// The same, signed with another secret than the key's.
pub fn viewer_request_signed_with(
    secret: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> Value {
    let target = &told(target);
    let mut lines = vec![("host", "d111111abcdef8.cloudfront.net"), ("date", DATE)];
    lines.extend(headers);
    let authorization = sign(secret, method, target, &lines);
    lines.push(("authorization", &authorization));
    lines.push((
        "user-agent",
        "aliyun-sdk-python/2.19.1(Linux/6.1.0-18-amd64/x86_64;3.11.7)",
    ));
    viewer_request_of(method, target, &lines)
}

/// The same by a client of S3's, which signs every header, and not the body unless `headers` say
/// x-amz-content-sha256.
pub fn viewer_request_of_s3(secret: &str, method: &str, target: &str, headers: &[(&str, &str)]) -> Value {
    let target = &told(target);
    let mut lines = vec![
        ("host", "d111111abcdef8.cloudfront.net"),
        ("x-amz-date", "20240501T123456Z"),
    ];
    if headers.iter().all(|(name, _)| *name != "x-amz-content-sha256") {
        lines.push(("x-amz-content-sha256", "UNSIGNED-PAYLOAD"));
    }
    lines.extend(headers);
    lines.sort_unstable();
    let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    let bytes = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead::new(method, target.as_bytes(), bytes, Delivery::Lines).unwrap();
    let secret = SecretKey::new(secret.into()).unwrap();
    let authorization = aws_v4::sign_header(&head, KEY_ID, &secret, "us-east-1", &names.join(";")).unwrap();
    lines.push(("authorization", &authorization));
    viewer_request_of(method, target, &lines)
}

fn viewer_request_of(method: &str, target: &str, lines: &[(&str, &str)]) -> Value {
    let mut event: Value = serde_json::from_str(VIEWER_REQUEST).unwrap();
    let (uri, query) = target.split_once('?').unwrap_or((target, ""));
    let sent = request(&mut event);
    sent["method"] = method.into();
    sent["uri"] = uri.into();
    sent["querystring"] = query.into();
    sent["headers"] = json!({});
    for (name, value) in lines {
        put_header(&mut event, name, value);
    }
    event
}

fn sign(secret: &str, method: &str, target: &str, lines: &[(&str, &str)]) -> String {
    let bytes = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead::new(method, target.as_bytes(), bytes, Delivery::Lines).unwrap();
    let path = head.path().strip_prefix(b"/").unwrap();
    let at = path.iter().position(|&byte| byte == b'/').unwrap_or(path.len());
    let (bucket, key) = path.split_at(at);
    let resource = Resource {
        signed_bucket: Some(core::str::from_utf8(bucket).unwrap()),
        key: key.strip_prefix(b"/").unwrap_or_default().to_vec(),
        bucket: (),
    };
    oss_v1::sign_header(&head, &resource, KEY_ID, &SecretKey::new(secret.into()).unwrap()).unwrap()
}

/// The origin-request event that follows on `handed_back`, the authorizer's result for `before`: the
/// headers that CloudFront adds, the S3 origin of the distribution, and the body where there is one.
pub fn origin_request(before: &Value, handed_back: &Value, body: Option<&[u8]>) -> Value {
    let mut before = before.clone();
    check(request(&mut before), handed_back, &READ_ONLY_AT_VIEWER_REQUEST);
    let mut event: Value = serde_json::from_str(ORIGIN_REQUEST).unwrap();
    let recorded = request(&mut event).clone();
    let sent = request(&mut event);
    *sent = handed_back.clone();
    sent["origin"] = recorded["origin"].clone();
    sent["origin"]["s3"]["customHeaders"]["x-causeway-handler"] =
        json!([{"key": "x-causeway-handler", "value": HANDLER}]);
    for (name, lines) in recorded["headers"].as_object().unwrap() {
        sent["headers"][name] = lines.clone();
    }
    if let Some(body) = body {
        sent["body"] = json!({
            "inputTruncated": false,
            "action": "read-only",
            "encoding": "base64",
            "data": STANDARD.encode(body),
        });
    }
    event
}

/// The event that the function URL is called with after `handed_back`, the router's result for `before`.
pub fn function_url(before: &Value, handed_back: &Value, body: &[u8]) -> Value {
    let mut before = before.clone();
    check(request(&mut before), handed_back, &READ_ONLY_AT_ORIGIN_REQUEST);
    let mut event: Value = serde_json::from_str(FUNCTION_URL).unwrap();
    event["rawPath"] = handed_back["uri"].clone();
    event["rawQueryString"] = handed_back["querystring"].clone();
    event["requestContext"]["http"]["method"] = handed_back["method"].clone();
    for (name, lines) in handed_back["headers"].as_object().unwrap() {
        // Lambda checks the signature and keeps it.
        if name != "authorization" {
            event["headers"][name] = lines[0]["value"].clone();
        }
    }
    if !body.is_empty() {
        event["body"] = STANDARD.encode(body).into();
    }
    event
}

/// The origin-response event for what the router handed back, with an answer of the origin's.
pub fn origin_response(handed_back: &Value, status: u16, headers: &[(&str, &str)]) -> Value {
    let mut event: Value = serde_json::from_str(ORIGIN_RESPONSE).unwrap();
    let mut sent = handed_back.clone();
    if let Some(sent) = sent.as_object_mut() {
        sent.remove("body");
    }
    *request(&mut event) = sent;
    let response = &mut event["Records"][0]["cf"]["response"];
    response["status"] = status.to_string().into();
    response["statusDescription"] = "".into();
    response["headers"] = json!({});
    for (name, value) in headers {
        response["headers"][name] = json!([{"key": name, "value": value}]);
    }
    event
}

/// What CloudFront refuses of a result with a 502.
fn check(before: &Value, handed_back: &Value, read_only: &[&str]) {
    for field in ["method", "clientIp"] {
        assert_eq!(before[field], handed_back[field], "{field} is read-only");
    }
    for name in read_only {
        assert_eq!(
            before["headers"][name], handed_back["headers"][name],
            "{name} is read-only"
        );
    }
    let uri = handed_back["uri"].as_str().unwrap();
    let query = handed_back["querystring"].as_str().unwrap();
    assert!(uri.starts_with('/') && uri.len() + query.len() < 8192);
    assert!(!uri.contains(['?', '#', ' ']) && !query.contains(['#', ' ']));
    for kind in ["s3", "custom"] {
        let custom = handed_back["origin"][kind]["customHeaders"].as_object();
        assert!(
            custom.is_none_or(serde_json::Map::is_empty),
            "a custom header would be sent to the origin"
        );
    }
    for (name, lines) in handed_back["headers"].as_object().unwrap() {
        assert!(
            !name.starts_with("x-amz-cf-") && !name.starts_with("x-edge-") && *name != name.to_uppercase(),
            "{name} may not be set"
        );
        for line in lines.as_array().unwrap() {
            let key = line["key"].as_str().unwrap_or(name);
            assert_eq!(key.to_ascii_lowercase(), *name, "the key is the name");
        }
    }
}
