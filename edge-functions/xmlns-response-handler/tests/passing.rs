//! Answers to object bytes at origin-response: `cargo test`, and `wasm-pack test --node`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

#[allow(dead_code, reason = "the other test binary uses the rest")]
mod support;

use recorded_events::{
    CONFIG, DATE, ENVIRONMENT, NOW, header, mutations, origin_response, put_header, request,
};
use serde_json::{Value, json};
use support::{LENGTH, handler, parse, passing, reading, responded_by, routed, s3};
use wasm_bindgen_test::wasm_bindgen_test;
use xmlns_response_handler::ResponseHandler;

const ANSWER: [(&str, &str); 7] = [
    ("date", "Wed, 01 May 2024 12:34:50 GMT"),
    ("server", "AmazonS3"),
    ("etag", "\"5d41402abc4b2a76b9719d911017c592\""),
    ("content-length", "0"),
    ("x-amz-request-id", "318BC8BC148832E5"),
    ("x-amz-server-side-encryption", "AES256"),
    ("via", "1.1 s3"),
];

/// A page that may talk to the bucket.
const PAGE: (&str, &str) = ("origin", "https://app.example.com");
const PART: &str = "/devices/k?partNumber=7&uploadId=U";
/// The least length of a part that S3 takes.
const LARGE: (&str, &str) = ("content-length", "5242880");

fn responded(event: &Value) -> Value {
    responded_by(&handler(), &event.to_string())
}

fn names(message: &Value) -> Vec<&str> {
    message["headers"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn assert_refused(outcome: &Value, status: &str, code: &str) {
    let response = &outcome["response"];
    assert_eq!(response["status"], status, "{outcome}");
    assert!(
        response["body"]
            .as_str()
            .unwrap()
            .contains(&format!("<Code>{code}</Code>")),
        "{outcome}"
    );
    assert_eq!(header(response, "content-type"), "application/xml");
    assert_eq!(header(response, "x-oss-request-id").len(), 24);
    assert_eq!(response["headers"]["content-length"], Value::Null);
}

#[wasm_bindgen_test(unsupported = test)]
fn the_answer_to_object_bytes_has_oss_s_headers_and_no_others() {
    for (target, operation) in [
        ("/devices/k", "PutObject"),
        ("/devices/k?partNumber=1&uploadId=U", "UploadPart"),
    ] {
        let outcome = responded(&passing(target, &[LENGTH], 200, &ANSWER));
        let response = &outcome["response"];
        assert_eq!(
            (&response["status"], &response["body"]),
            (&json!("200"), &Value::Null)
        );
        assert_eq!(
            names(response),
            [
                "content-length",
                "date",
                "etag",
                "via",
                "x-oss-request-id",
                "x-oss-server-side-encryption"
            ]
        );
        assert_eq!(
            (header(response, "date"), header(response, "via")),
            (DATE, "1.1 s3")
        );
        let log = &outcome["log"];
        assert_eq!(
            (&log["operation"], &log["origin_request_id"]),
            (&json!(operation), &json!("318BC8BC148832E5"))
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn all_functions_give_a_request_the_same_id() {
    let (sent, event) = routed("PUT", "/devices/k", &[LENGTH], None);
    let outcome = responded(&origin_response(&sent, 200, &ANSWER));
    // The passport of the first hop has the id that the authorizer gave.
    let passport = header(&event["Records"][0]["cf"]["request"], "x-causeway-passport").to_owned();
    assert!(passport.contains(header(&outcome["response"], "x-oss-request-id")));
}

#[wasm_bindgen_test(unsupported = test)]
fn errors_of_s3_s_are_replaced_by_oss_documents() {
    let chunked = [
        ("content-type", "application/xml"),
        ("transfer-encoding", "chunked"),
    ];
    for (target, status, told, code) in [
        ("/devices/k", 400, "400", "InvalidArgument"),
        ("/devices/k", 403, "500", "InternalError"),
        ("/devices/k", 404, "404", "NoSuchBucket"),
        // Staged, and there is no bucket to stage it in.
        ("/devices/k?partNumber=1&uploadId=U", 404, "404", "NoSuchBucket"),
        ("/devices/k", 412, "412", "PreconditionFailed"),
        ("/devices/k", 503, "503", "ServiceUnavailable"),
        ("/devices/k", 301, "500", "InternalError"),
    ] {
        let outcome = responded(&passing(target, &[LENGTH], status, &chunked));
        assert_refused(&outcome, told, code);
        assert_eq!(outcome["log"]["origin_status"], status);
        assert_eq!(header(&outcome["response"], "transfer-encoding"), "chunked");
    }
    let gone = responded(&passing(PART, &[LARGE], 404, &chunked));
    assert_refused(&gone, "404", "NoSuchUpload");
    let coded = [("x-amz-error-code", "BadDigest"), ("content-length", "300")];
    assert_refused(
        &responded(&passing("/devices/k", &[LENGTH], 400, &coded)),
        "400",
        "InvalidDigest",
    );
}

/// `printf 'devices\0k\0U' | sha256sum`, in base64url.
const FOLDER: &str = "94P67twpzMSXVDTbB1CgoULHQ2tMWbNcxPqdazdEiMg";

#[wasm_bindgen_test(unsupported = test)]
fn a_part_that_s3_has_taken_replaces_the_staged_one_before_its_device_is_answered() {
    let event = passing(PART, &[LARGE], 200, &ANSWER);
    let mut conversation = handler().begin_origin_response(&event.to_string(), ENVIRONMENT, NOW);
    let send = parse(&conversation.step())["send"].clone();
    let url = format!("https://acme-ingest.s3.eu-west-1.amazonaws.com/.causeway/{FOLDER}/00007");
    assert_eq!(
        (&send["method"], &send["url"], &send["body"]),
        (&json!("DELETE"), &json!(url), &Value::Null)
    );
    assert_eq!(send["timeout_ms"], 5000);
    let headers = &send["headers"];
    assert_eq!(headers["x-amz-security-token"], "role-token-0123456789");
    let signature = headers["authorization"].as_str().unwrap();
    assert!(signature.contains("/eu-west-1/s3/aws4_request"), "{signature}");
    let deleted = parse(&conversation.advance(&s3(204, &[], "").to_string(), NOW));
    let response = &deleted["response"];
    assert_eq!(
        (&response["status"], &deleted["log"]["level"]),
        (&json!("200"), &json!("info"))
    );
    assert_eq!(header(response, "etag"), ANSWER[2].1);
    assert_eq!(deleted["log"]["operation"], "UploadPart");
    // With both there, the other could be taken for the part: the device sends it again, and the operator is told.
    for failure in [
        s3(403, &[], ""),
        s3(503, &[], ""),
        json!({"failed": "TimeoutError"}),
        json!(null),
    ] {
        let mut conversation = handler().begin_origin_response(&event.to_string(), ENVIRONMENT, NOW);
        let outcome = parse(&conversation.advance(&failure.to_string(), NOW));
        assert_refused(&outcome, "503", "ServiceUnavailable");
        assert_eq!(header(&outcome["response"], "retry-after"), "1");
        let log = &outcome["log"];
        assert_eq!(
            (&log["level"], &log["operation"]),
            (&json!("error"), &json!("UploadPart")),
            "{failure}"
        );
        let reason = log["reason"].as_str().unwrap();
        assert!(reason.contains("a replaced part was not deleted"), "{reason}");
        assert_eq!(parse(&conversation.step()), outcome);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_deleted_is_paid_for_like_the_part_that_replaces_it() {
    let payer = |headers: &[(&str, &str)]| {
        let event = passing(PART, headers, 200, &ANSWER);
        let conversation = handler().begin_origin_response(&event.to_string(), ENVIRONMENT, NOW);
        parse(&conversation.step())["send"]["headers"]["x-amz-request-payer"].clone()
    };
    assert_eq!(payer(&[LARGE]), Value::Null);
    assert_eq!(payer(&[LARGE, ("x-oss-request-payer", "requester")]), "requester");
}

#[wasm_bindgen_test(unsupported = test)]
fn nothing_is_deleted_for_what_replaces_no_staged_part() {
    let step = |event: &Value| {
        let conversation = handler().begin_origin_response(&event.to_string(), ENVIRONMENT, NOW);
        parse(&conversation.step())
    };
    for event in [
        passing(PART, &[LENGTH], 200, &ANSWER),
        passing("/devices/k", &[LARGE], 200, &ANSWER),
        passing(PART, &[LARGE], 500, &[]),
        passing(PART, &[LARGE], 404, &[]),
        reading("GET", "/devices/k", 200, &OBJECT),
    ] {
        assert!(step(&event)["response"].is_object(), "{event}");
    }
    // What the authorizer never writes names nothing.
    let good = passing(PART, &[LARGE], 200, &ANSWER);
    let query = request(&mut good.clone())["querystring"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(step(&good)["send"].is_object(), "{query}");
    for (from, to) in [
        ("partNumber=7", "partNumber=0"),
        ("partNumber=7", "partNumber=10001"),
        ("partNumber=7&", ""),
        (".devices", ".gadgets"),
        (".devices", ""),
        (FOLDER, "../../../../../../../../../../../../../../a"),
        (FOLDER, "short"),
        ("x-causeway-folder", "x-folder"),
    ] {
        let mut bad = good.clone();
        request(&mut bad)["querystring"] = query.replace(from, to).into();
        assert_ne!(request(&mut bad)["querystring"], query.as_str());
        assert!(step(&bad)["response"].is_object(), "{from} {to}");
    }
    let off = CONFIG.replacen("\"origin\"", "\"staging\": {\"enabled\": false}, \"origin\"", 1);
    let handler = ResponseHandler::new(&off).unwrap();
    let conversation = handler.begin_origin_response(&good.to_string(), ENVIRONMENT, NOW);
    assert!(parse(&conversation.step())["response"].is_object());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_part_that_is_staged_is_answered_as_a_part_wherever_it_is_staged() {
    let elsewhere = CONFIG.replacen(
        "\"origin\"",
        "\"staging\": {\"bucket\": \"acme-staging\", \"prefix\": \".causeway/devices/\"}, \"origin\"",
        1,
    );
    for (config, host, prefix) in [
        (CONFIG, "acme-ingest", ".causeway/"),
        (elsewhere.as_str(), "acme-staging", ".causeway/devices/"),
    ] {
        // What S3 says of an object, where a rule of the bucket drops what is staged and its versions are kept.
        let of_object = [
            ("x-amz-version-id", "v"),
            ("x-amz-expiration", "rule-id=\"drop-staged-parts\""),
        ];
        let s3 = [ANSWER.as_slice(), &of_object].concat();
        let mut event = passing(PART, &[LENGTH, PAGE], 200, &s3);
        let sent = request(&mut event);
        assert_eq!(sent["uri"], format!("/.causeway/{FOLDER}/00007"));
        assert_eq!(sent["querystring"], "");
        sent["uri"] = format!("/{prefix}{FOLDER}/00007").into();
        sent["origin"]["s3"]["domainName"] = format!("{host}.s3.eu-west-1.amazonaws.com").into();
        let handler = ResponseHandler::new(config).unwrap();
        let outcome = responded_by(&handler, &event.to_string());
        let response = &outcome["response"];
        assert_eq!(response["status"], "200", "{outcome}");
        assert_eq!(outcome["log"]["operation"], "UploadPart");
        assert_eq!(header(response, "etag"), ANSWER[2].1);
        assert_eq!(header(response, "x-oss-server-side-encryption"), "AES256");
        assert_eq!(header(response, "access-control-allow-origin"), PAGE.1);
        let told = response["headers"].as_object().unwrap();
        let of_object = ["x-oss-version-id", "x-oss-expiration"];
        assert!(of_object.iter().all(|name| !told.contains_key(*name)), "{told:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_object_that_exists_is_told_as_oss_tells_it() {
    let headers = [LENGTH, ("x-oss-forbid-overwrite", "true")];
    assert_refused(
        &responded(&passing("/devices/k", &headers, 412, &[])),
        "409",
        "FileAlreadyExists",
    );
}

const OBJECT: [(&str, &str); 9] = [
    ("etag", "\"5d41402abc4b2a76b9719d911017c592\""),
    ("content-length", "5"),
    ("content-range", "bytes 0-4/9"),
    ("content-type", "text/plain"),
    ("last-modified", "Wed, 01 May 2024 12:34:50 GMT"),
    ("x-amz-meta-name", "=?UTF-8?B?5Lit?="),
    ("x-amz-request-id", "318BC8BC148832E5"),
    ("x-amz-id-2", "x"),
    ("server", "AmazonS3"),
];

#[wasm_bindgen_test(unsupported = test)]
fn the_answer_to_a_read_keeps_its_status_and_length_and_has_oss_s_headers() {
    for (method, operation) in [("GET", "GetObject"), ("HEAD", "HeadObject")] {
        let target = "/devices/k?versionId=v&response-content-type=text/plain";
        let outcome = responded(&reading(method, target, 206, &OBJECT));
        let response = &outcome["response"];
        assert_eq!(
            (&response["status"], &response["body"]),
            (&json!("206"), &Value::Null)
        );
        assert_eq!(
            names(response),
            [
                "content-length",
                "content-range",
                "content-type",
                "date",
                "etag",
                "last-modified",
                "x-oss-meta-name",
                "x-oss-object-type",
                "x-oss-request-id",
                "x-oss-storage-class"
            ]
        );
        assert_eq!(header(response, "content-length"), "5");
        assert_eq!(outcome["log"]["operation"], operation);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn errors_of_reads_are_told_by_their_status() {
    for (target, status, told, code) in [
        ("/devices/k", 403, "403", "AccessDenied"),
        ("/devices/k", 404, "404", "NoSuchKey"),
        ("/devices/k?versionId=v", 404, "404", "NoSuchVersion"),
        ("/devices/k?versionId=v", 405, "405", "MethodNotAllowed"),
        ("/devices/k", 412, "412", "PreconditionFailed"),
        ("/devices/k", 416, "416", "InvalidRange"),
        ("/devices/k", 503, "503", "ServiceUnavailable"),
    ] {
        let document = [("content-type", "application/xml"), ("content-length", "243")];
        assert_refused(&responded(&reading("GET", target, status, &document)), told, code);
        let head = responded(&reading("HEAD", target, status, &[]));
        assert_eq!(head["response"]["status"], told, "{head}");
        assert_eq!(head["response"]["body"], Value::Null);
        assert!(!header(&head["response"], "x-oss-err").is_empty());
    }
    let unchanged = responded(&reading("GET", "/devices/k", 304, &OBJECT[..1]));
    assert_eq!(unchanged["response"]["status"], "304");
    assert_eq!(
        names(&unchanged["response"]),
        ["date", "etag", "x-oss-request-id"]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn a_success_without_an_etag_is_none() {
    assert_refused(
        &responded(&passing("/devices/k", &[LENGTH], 200, &ANSWER[3..4])),
        "500",
        "InternalError",
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn the_handler_s_own_answers_pass_and_lambda_s_errors_do_not() {
    let (sent, _) = routed("POST", "/devices/k?uploads", &[], Some(b""));
    let own = [
        ("x-oss-request-id", "0123456789ABCDEF01234567"),
        ("content-type", "application/xml"),
        ("content-length", "200"),
        ("cache-control", "no-store"),
        ("x-amzn-remapped-date", "x"),
        ("x-amzn-trace-id", "x"),
    ];
    for status in [200, 404] {
        let outcome = responded(&origin_response(&sent, status, &own));
        let response = &outcome["response"];
        assert_eq!(
            (&response["status"], &response["body"]),
            (&json!(status.to_string()), &Value::Null)
        );
        assert_eq!(
            names(response),
            [
                "cache-control",
                "content-length",
                "content-type",
                "date",
                "x-oss-request-id"
            ]
        );
    }
    let empty = [
        own[0],
        ("content-type", "application/json"),
        ("content-length", "0"),
    ];
    let outcome = responded(&origin_response(&sent, 204, &empty));
    assert_eq!(
        names(&outcome["response"]),
        ["content-length", "date", "x-oss-request-id"],
        "Lambda's own type of nothing"
    );
    for (status, told, code) in [
        (403, "500", "InternalError"),
        (429, "503", "ServiceUnavailable"),
        (502, "500", "InternalError"),
        (200, "500", "InternalError"),
    ] {
        let outcome = responded(&origin_response(&sent, status, &own[1..3]));
        assert_refused(&outcome, told, code);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn answers_that_belong_to_no_request_of_the_gateway_s_are_refused() {
    for (field, value) in [("uri", "/other/k"), ("querystring", "acl="), ("method", "DELETE")] {
        let config = CONFIG.replace("\"region\"", "\"addressing\": \"path\", \"region\"");
        let handler = ResponseHandler::new(&config).unwrap();
        let mut event = passing("/devices/k", &[LENGTH], 200, &ANSWER);
        request(&mut event)["origin"]["s3"]["domainName"] = "s3.eu-west-1.amazonaws.com".into();
        request(&mut event)["uri"] = "/acme-ingest/k".into();
        let good = responded_by(&handler, &event.to_string());
        assert_eq!(good["response"]["status"], "200");
        request(&mut event)[field] = value.into();
        assert_refused(
            &responded_by(&handler, &event.to_string()),
            "500",
            "InternalError",
        );
    }
    let mut event = passing("/devices/k", &[LENGTH], 200, &ANSWER);
    event["Records"][0]["cf"]
        .as_object_mut()
        .unwrap()
        .remove("response");
    assert_refused(&responded(&event), "500", "InternalError");
}

#[wasm_bindgen_test(unsupported = test)]
fn mutated_events_are_answered_and_never_trap() {
    let handler = handler();
    let mut event = passing("/devices/k", &[LENGTH], 200, &ANSWER);
    put_header(&mut event, "x-extra", "1");
    for mutant in mutations(&event, 3, 600) {
        let outcome = responded_by(&handler, &mutant);
        assert!(outcome["response"]["status"].is_string(), "{mutant}");
    }
}
