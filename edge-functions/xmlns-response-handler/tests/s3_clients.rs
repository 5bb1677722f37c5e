//! Clients of S3's across all three functions: `cargo test`, `wasm-pack test --node`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

#[allow(dead_code, reason = "the other test binaries use the rest")]
mod support;

use multipart_initiation_router::Router;
use recorded_events::{
    CONFIG, ENVIRONMENT, KEY_ID, NOW, SECRET, Store, function_url, header, origin_response, put_header,
    request, viewer_request_of_s3,
};
use serde_json::{Value, json};
use support::{LENGTH, done, handler, responded_by, routed_event, s3, told_id};
use viewer_request_authorizer::Authorizer;
use wasm_bindgen_test::wasm_bindgen_test;

const NS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// What the router hands back, and the event that it was given.
fn routed(method: &str, target: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> (Value, Value) {
    let viewer = viewer_request_of_s3(SECRET, method, target, headers);
    routed_event(&mut Store::default(), &viewer, body)
}

/// What the device is told of S3's answer to its object bytes.
fn passed(target: &str, status: u16, answer: &[(&str, &str)]) -> Value {
    let (sent, _) = routed("PUT", target, &[LENGTH], None);
    let event = origin_response(&sent, status, answer);
    responded_by(&handler(), &event.to_string())
}

fn authorized(viewer: &Value) -> Value {
    let authorizer = Authorizer::new(CONFIG).unwrap();
    Store::default().serve(&mut authorizer.begin(&viewer.to_string(), ENVIRONMENT, NOW), NOW)
}

fn names(headers: &Value) -> Vec<&str> {
    headers.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Asserts that an answer of Lambda@Edge's is S3's error of this code and no word of OSS.
fn assert_s3_error(outcome: &Value, status: &str, code: &str) {
    let response = &outcome["response"];
    assert_eq!(response["status"], status, "{outcome}");
    let body = response["body"].as_str().unwrap();
    assert!(
        body.contains(&format!("<Error><Code>{code}</Code><Message>")),
        "{outcome}"
    );
    let id = header(response, "x-amz-request-id");
    assert!(body.contains(&format!("<RequestId>{id}</RequestId><HostId>")) && id.len() == 24);
    assert_eq!(header(response, "x-amz-id-2").len(), 32);
    assert!(
        !response.to_string().contains("oss") && !body.contains("<EC>"),
        "{outcome}"
    );
    assert_eq!(
        (&outcome["log"]["code"], &outcome["log"]["request_id"]),
        (&json!(code), &json!(id))
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn object_bytes_go_on_under_the_name_of_their_operation() {
    let headers = [
        LENGTH,
        ("content-type", "text/plain"),
        ("if-none-match", "*"),
        ("x-amz-checksum-crc32", "NSRBwg=="),
        ("x-amz-meta-a", "1"),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
        ("x-amz-user-agent", "aws-sdk-js/3"),
    ];
    let (sent, _) = routed("PUT", "/devices/a%20b?x-id=PutObject", &headers, None);
    assert_eq!(sent["uri"], format!("/fleet/{KEY_ID}/a%20b"));
    assert_eq!(sent["querystring"], "x-id=PutObject");
    for (name, value) in &headers[1..6] {
        assert_eq!(header(&sent, name), *value, "{name}");
    }
    for name in names(&sent["headers"]) {
        assert!(
            !name.starts_with("x-causeway-") && name != "x-amz-user-agent",
            "{name}"
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn the_answer_to_object_bytes_is_s3_s() {
    let answer = [
        ("etag", "\"e\""),
        ("x-amz-checksum-crc32", "NSRBwg=="),
        ("x-amz-request-id", "318BC8BC148832E5"),
        ("x-amz-id-2", "S3HOST"),
        ("x-amz-server-side-encryption", "AES256"),
        ("server", "AmazonS3"),
    ];
    for target in ["/devices/k", "/devices/k?partNumber=1&uploadId=U"] {
        let outcome = passed(target, 200, &answer);
        let response = &outcome["response"];
        assert_eq!(
            (&response["status"], &response["body"]),
            (&json!("200"), &Value::Null)
        );
        assert_eq!(
            names(&response["headers"]),
            [
                "date",
                "etag",
                "x-amz-checksum-crc32",
                "x-amz-id-2",
                "x-amz-request-id",
                "x-amz-server-side-encryption"
            ]
        );
        assert_eq!(
            header(response, "x-amz-request-id"),
            outcome["log"]["request_id"].as_str().unwrap()
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_error_of_s3_s_to_object_bytes_is_told_in_s3_s_words() {
    for (target, status, code) in [
        ("/devices/k", 412, "PreconditionFailed"),
        ("/devices/k?partNumber=1&uploadId=U", 404, "NoSuchUpload"),
        ("/devices/k", 503, "SlowDown"),
    ] {
        assert_s3_error(&passed(target, status, &[]), &status.to_string(), code);
    }
    let (sent, _) = routed("PUT", "/devices/k", &[LENGTH, ("if-match", "e")], None);
    let event = origin_response(&sent, 404, &[]);
    let outcome = responded_by(&handler(), &event.to_string());
    assert_s3_error(&outcome, "404", "NoSuchKey");
    // What S3 says of the gateway's own credentials is the operator's business.
    assert_s3_error(&passed("/devices/k", 403, &[]), "500", "InternalError");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_refusal_is_told_in_s3_s_words_however_malformed_the_signature_is() {
    let wrong = viewer_request_of_s3("another-secret-of-a-client", "PUT", "/devices/k", &[LENGTH]);
    assert_s3_error(&authorized(&wrong), "403", "SignatureDoesNotMatch");
    let mut malformed = wrong.clone();
    put_header(&mut malformed, "authorization", "AWS4-HMAC-SHA256 x");
    assert_s3_error(&authorized(&malformed), "400", "AuthorizationHeaderMalformed");
    let mut in_query = wrong;
    request(&mut in_query)["headers"]["authorization"] = Value::Null;
    request(&mut in_query)["headers"]
        .as_object_mut()
        .unwrap()
        .remove("authorization");
    request(&mut in_query)["querystring"] = "X-Amz-Signature=0".into();
    assert_s3_error(&authorized(&in_query), "403", "AuthorizationQueryParametersError");
    let forbidden = viewer_request_of_s3(SECRET, "DELETE", "/devices/k", &[]);
    assert_s3_error(&authorized(&forbidden), "403", "AccessDenied");
}

#[wasm_bindgen_test(unsupported = test)]
fn the_router_refuses_in_the_dialect_that_the_passport_names() {
    let (_, mut event) = routed("PUT", "/devices/k", &[LENGTH], None);
    request(&mut event)["querystring"] = "x-id=DeleteObject".into();
    let router = Router::new(CONFIG).unwrap();
    let outcome = Store::default().serve(&mut router.begin(&event.to_string(), ENVIRONMENT, NOW), NOW);
    assert_s3_error(&outcome, "403", "AccessDenied");
}

#[wasm_bindgen_test(unsupported = test)]
fn an_errand_is_answered_in_s3_s_namespace_and_passes_the_last_function() {
    let (sent, event) = routed("POST", "/devices/a%20b?uploads=", &[], Some(b""));
    let url = function_url(&event, &sent, b"");
    let document = format!(
        "<InitiateMultipartUploadResult {NS}><Bucket>acme-ingest</Bucket><Key>fleet/{KEY_ID}/a b</Key>\
         <UploadId>U</UploadId></InitiateMultipartUploadResult>"
    );
    let answer = s3(
        200,
        &[("x-amz-checksum-algorithm", "CRC32"), ("x-amz-id-2", "S3HOST")],
        &document,
    );
    let (fetched, step) = done(&url, &[answer]);
    let expected = format!("https://acme-ingest.s3.eu-west-1.amazonaws.com/fleet/{KEY_ID}/a%20b?uploads=");
    assert_eq!(fetched[0]["url"], expected);
    let response = &step["response"];
    let (id, document) = told_id(response["body"].as_str().unwrap(), "U");
    assert!(id.starts_with("U."), "{id}");
    assert_eq!(
        document,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult {NS}><Bucket>devices</Bucket>\
             <Key>a b</Key><UploadId>U</UploadId></InitiateMultipartUploadResult>"
        )
    );
    let told = [
        (
            "content-type",
            response["headers"]["content-type"].as_str().unwrap(),
        ),
        (
            "x-amz-request-id",
            response["headers"]["x-amz-request-id"].as_str().unwrap(),
        ),
        ("x-amz-id-2", response["headers"]["x-amz-id-2"].as_str().unwrap()),
        ("x-amz-checksum-algorithm", "CRC32"),
        ("x-amzn-requestid", "LAMBDA"),
    ];
    assert_ne!(told[2].1, "S3HOST");
    let last = origin_response(&sent, 200, &told);
    let outcome = responded_by(&handler(), &last.to_string());
    let passed = &outcome["response"];
    assert_eq!(passed["status"], "200");
    for (name, value) in &told[..4] {
        assert_eq!(header(passed, name), *value, "{name}");
    }
    assert_eq!(passed["headers"]["x-amzn-requestid"], Value::Null);
    // An answer without the handler's id is Lambda's own.
    let foreign = origin_response(&sent, 403, &[("x-amzn-requestid", "LAMBDA")]);
    let outcome = responded_by(&handler(), &foreign.to_string());
    assert_s3_error(&outcome, "500", "InternalError");
}

#[wasm_bindgen_test(unsupported = test)]
fn an_error_of_s3_s_to_an_errand_is_told_in_s3_s_words() {
    let list = b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>";
    let (sent, event) = routed(
        "POST",
        "/devices/k?uploadId=U",
        &[("content-length", "111")],
        Some(list),
    );
    let url = function_url(&event, &sent, list);
    let document = "<Error><Code>EntityTooSmall</Code><Message>m</Message></Error>";
    let (_, step) = done(&url, &[s3(400, &[], document)]);
    let response = &step["response"];
    assert_eq!(response["statusCode"], 400);
    let body = response["body"].as_str().unwrap();
    assert!(
        body.contains("<Code>EntityTooSmall</Code>") && body.contains("<Resource>/devices/k</Resource>"),
        "{body}"
    );
    assert!(
        response["headers"]["x-amz-request-id"].is_string()
            && response["headers"]["x-oss-request-id"].is_null()
    );
}
