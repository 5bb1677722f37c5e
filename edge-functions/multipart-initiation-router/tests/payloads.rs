//! What an S3 client's signature binds of the body, across the authorizer and the router: `cargo test`, and
//! `wasm-pack test --node`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

use multipart_initiation_router::Router;
use recorded_events::{
    CONFIG, ENVIRONMENT, NOW, SECRET, Store, header, origin_request, put_header, viewer_request_of_s3,
};
use serde_json::Value;
use viewer_request_authorizer::Authorizer;
use wasm_bindgen_test::wasm_bindgen_test;

const HASH: &str = "x-amz-content-sha256";
const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const FRAME: [(&str, &str); 3] = [
    ("content-encoding", "aws-chunked"),
    ("x-amz-decoded-content-length", "5"),
    ("x-amz-trailer", "x-amz-checksum-crc32"),
];
const TARGETS: [&str; 2] = ["/devices/k", "/devices/k?partNumber=1&uploadId=u"];

fn router_signed() -> String {
    CONFIG.replacen('{', r#"{"cloudfront": {"direct_path": "router-signed"},"#, 1)
}

/// The event, and what the authorizer hands back for it.
fn authorized(config: &str, target: &str, headers: &[(&str, &str)]) -> (Value, Value) {
    let viewer = viewer_request_of_s3(SECRET, "PUT", target, headers);
    let authorizer = Authorizer::new(config).unwrap();
    let mut store = Store::default();
    let outcome = store.serve(&mut authorizer.begin(&viewer.to_string(), ENVIRONMENT, NOW), NOW);
    (viewer, outcome)
}

/// What the router hands back, after somebody changed its event.
fn routed(config: &str, target: &str, headers: &[(&str, &str)], change: impl FnOnce(&mut Value)) -> Value {
    let (viewer, outcome) = authorized(config, target, headers);
    let mut event = origin_request(&viewer, &outcome["request"], None);
    change(&mut event);
    let router = Router::new(config).unwrap();
    let mut conversation = router.begin(&event.to_string(), ENVIRONMENT, NOW);
    Store::default().serve(&mut conversation, NOW)
}

fn assert_refused(outcome: &Value, status: &str, code: &str, words: &str) {
    let response = &outcome["response"];
    assert_eq!(response["status"], status, "{outcome}");
    let body = response["body"].as_str().unwrap();
    assert!(
        body.contains(&format!("<Code>{code}</Code>")) && body.contains(words),
        "{body}"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn f01_where_cloudfront_signs_for_s3_a_bound_body_is_501_and_names_the_other_way() {
    for target in TARGETS {
        let digest = authorized(CONFIG, target, &[("content-length", "5"), (HASH, DIGEST)]).1;
        assert_refused(&digest, "501", "NotImplemented", "router-signed");
        let mut headers = FRAME.to_vec();
        headers.push((HASH, TRAILER));
        assert_refused(
            &authorized(CONFIG, target, &headers).1,
            "501",
            "NotImplemented",
            "router-signed",
        );
        let unsigned = authorized(CONFIG, target, &[("content-length", "5")]).1;
        assert_eq!(
            unsigned["request"]["headers"][HASH],
            Value::Null,
            "the client's own is for nobody else"
        );
        assert!(unsigned["request"]["headers"]["x-causeway-passport"].is_array());
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn f05_signed_chunks_are_501_whoever_signs_for_s3() {
    for config in [CONFIG, &router_signed()] {
        for target in TARGETS {
            let headers = [FRAME[0], FRAME[1], (HASH, CHUNKS)];
            let outcome = authorized(config, target, &headers).1;
            assert_refused(
                &outcome,
                "501",
                "NotImplemented",
                "cannot be verified on CloudFront",
            );
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn f01_a_router_that_signs_says_the_digest_that_the_client_said() {
    for target in TARGETS {
        let headers = [("content-length", "5"), (HASH, DIGEST)];
        let outcome = routed(&router_signed(), target, &headers, |_| {});
        assert_eq!(header(&outcome["request"], HASH), DIGEST, "{outcome}");
        let another = routed(&router_signed(), target, &headers, |event| {
            put_header(event, HASH, "UNSIGNED-PAYLOAD");
        });
        assert_eq!(another["request"], Value::Null, "the passport covers the digest");
        assert_refused(&another, "403", "AccessDenied", "");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn f01_a_router_that_signs_says_the_marker_and_what_describes_the_frame() {
    for target in TARGETS {
        let mut headers = FRAME.to_vec();
        headers.extend([(HASH, TRAILER), ("transfer-encoding", "chunked")]);
        let outcome = routed(&router_signed(), target, &headers, |_| {});
        let sent = &outcome["request"];
        assert_eq!(header(sent, HASH), TRAILER, "{outcome}");
        assert_eq!(header(sent, "x-amz-decoded-content-length"), "5");
        assert_eq!(header(sent, "x-amz-trailer"), "x-amz-checksum-crc32");
        assert_eq!(sent["headers"]["content-encoding"], Value::Null);
        assert!(
            header(sent, "authorization").contains(
                "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
                 x-amz-security-token;x-amz-trailer,"
            ),
            "{outcome}"
        );
    }
}
