//! The authorizer on recorded events: `cargo test`, and in WebAssembly `wasm-pack test --node`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

use recorded_events::{
    CONFIG, ENVIRONMENT, KEY_ID, NOW, SECRET, Store, header, mutations, put_header, request, viewer_request,
    viewer_request_of_s3, viewer_request_signed_with,
};
use serde_json::{Value, json};
use viewer_request_authorizer::Authorizer;
use wasm_bindgen_test::wasm_bindgen_test;

const LENGTH: (&str, &str) = ("content-length", "5");

fn authorizer() -> Authorizer {
    Authorizer::new(CONFIG).unwrap()
}

/// What comes of an event, with this store of secrets.
fn outcome(authorizer: &Authorizer, event: &Value, store: &mut Store, now: f64) -> Value {
    let mut conversation = authorizer.begin(&event.to_string(), ENVIRONMENT, now);
    store.serve(&mut conversation, now)
}

fn authorized_at(event: &Value, now: f64) -> Value {
    outcome(&authorizer(), event, &mut Store::default(), now)
}

fn authorized(event: &Value) -> Value {
    authorized_at(event, NOW)
}

/// Asserts that the outcome is an OSS error answer as CloudFront takes one, logged with its code.
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
    assert_eq!(header(response, "x-oss-request-id").len(), 24);
    assert_eq!(header(response, "date"), recorded_events::DATE);
    assert_eq!(response["headers"]["content-length"], Value::Null);
    assert_eq!(outcome["log"]["code"], code);
    assert_eq!(outcome["log"]["request_id"], header(response, "x-oss-request-id"));
    assert_eq!(outcome["request"], Value::Null);
}

#[wasm_bindgen_test(unsupported = test)]
fn object_bytes_get_the_headers_for_s3_and_none_of_the_viewer_s() {
    let mut event = viewer_request(
        "PUT",
        "/devices/a%20b+%E4%B8%AD",
        &[
            LENGTH,
            ("content-type", "text/plain"),
            ("x-oss-meta-a", "1"),
            ("x-oss-forbid-overwrite", "true"),
        ],
    );
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-causeway-passport", "1.forged"),
        ("x-causeway-errand", "e30"),
        ("cookie", "a=b"),
        ("via", "1.1 proxy"),
    ] {
        put_header(&mut event, name, value);
    }
    let outcome = authorized(&event);
    let sent = &outcome["request"];
    assert_eq!(sent["method"], "PUT");
    assert_eq!(sent["uri"], format!("/fleet/{KEY_ID}/a%20b%2B%E4%B8%AD"));
    assert_eq!(
        (&sent["querystring"], &sent["clientIp"]),
        (&json!(""), &json!("203.0.113.178"))
    );
    let names: Vec<&str> = sent["headers"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "content-length",
            "content-type",
            "host",
            "if-none-match",
            "via",
            "x-amz-meta-a",
            "x-causeway-origin",
            "x-causeway-passport",
        ]
    );
    assert_eq!(
        header(sent, "x-causeway-origin"),
        "acme-ingest.s3.eu-west-1.amazonaws.com"
    );
    assert_eq!(
        sent["headers"]["host"],
        event["Records"][0]["cf"]["request"]["headers"]["host"]
    );
    assert!(!header(sent, "x-causeway-passport").contains("forged"));
    assert_eq!(outcome["log"]["operation"], "PutObject");
    assert_eq!(outcome["log"]["key"], "a b+中");
    assert_eq!(outcome["log"]["host"], "d111111abcdef8.cloudfront.net");
    assert_eq!(outcome["log"]["access_key_id"], KEY_ID);
    assert_eq!(outcome["log"]["level"], "info");
}

/// `printf 'devices\0k\0a/b' | sha256sum`, in base64url: the folder of the upload `a/b` to `k`.
const FOLDER: &str = "wpJnSs8eGcRD9wNMtifk76JC6gqX6JNatYjH8YRJKTo";

#[wasm_bindgen_test(unsupported = test)]
fn a_part_keeps_its_number_and_upload_in_the_query_and_names_its_folder() {
    let large = ("content-length", "5242880");
    let event = viewer_request("PUT", "/devices/k?uploadId=a%2Fb&partNumber=7", &[large]);
    let sent = &authorized(&event)["request"];
    assert_eq!(
        sent["querystring"],
        format!("partNumber=7&uploadId=a%2Fb&x-causeway-folder={FOLDER}.devices")
    );
    let off = CONFIG.replacen("\"origin\"", "\"staging\": {\"enabled\": false}, \"origin\"", 1);
    let off = Authorizer::new(&off).unwrap();
    let sent = outcome(&off, &event, &mut Store::default(), NOW)["request"].clone();
    assert_eq!(sent["querystring"], "partNumber=7&uploadId=a%2Fb");
    // S3's clients know S3's rule.
    for length in [large, LENGTH] {
        let event = viewer_request_of_s3(SECRET, "PUT", "/devices/k?partNumber=7&uploadId=U", &[length]);
        let sent = &authorized(&event)["request"];
        assert_eq!(sent["querystring"], "partNumber=7&uploadId=U&x-id=UploadPart");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_part_that_s3_would_refuse_for_its_size_goes_to_its_folder_and_nowhere_near_the_object() {
    let md5 = ("content-md5", "CY9rzUYh03PK3k6DJie09g==");
    for length in ["0", "102400", "5242879"] {
        let headers = [("content-length", length), md5];
        let event = viewer_request("PUT", "/devices/k?uploadId=a%2Fb&partNumber=7", &headers);
        let sent = &authorized(&event)["request"];
        assert_eq!(
            (&sent["uri"], &sent["querystring"]),
            (&json!(format!("/.causeway/{FOLDER}/00007")), &json!(""))
        );
        assert_eq!(header(sent, "content-md5"), md5.1);
        recorded_events::origin_request(&event, sent, None);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_read_goes_on_with_its_range_conditions_and_selection_alone() {
    for method in ["GET", "HEAD"] {
        let target = "/devices/k?versionId=v&response-content-type=text%2Fplain";
        let headers = [
            ("content-type", "application/octet-stream"),
            ("accept-encoding", "gzip"),
        ];
        let mut event = viewer_request(method, target, &headers);
        for (name, value) in [
            ("range", "bytes=0-4"),
            ("if-none-match", "\"e\""),
            ("if-modified-since", recorded_events::DATE),
            ("if-range", "\"e\""),
            ("cookie", "a=b"),
        ] {
            put_header(&mut event, name, value);
        }
        let sent = &authorized(&event)["request"];
        assert_eq!(
            sent["querystring"],
            "response-content-type=text%2Fplain&versionId=v"
        );
        let names: Vec<&str> = sent["headers"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            names,
            [
                "host",
                "if-modified-since",
                "if-none-match",
                "range",
                "x-causeway-origin",
                "x-causeway-passport"
            ]
        );
    }
    let processed = viewer_request("GET", "/devices/k?x-oss-process=image/info", &[]);
    assert_refused(&authorized(&processed), "501", "NotImplemented");
}

#[wasm_bindgen_test(unsupported = test)]
fn what_the_response_handler_does_goes_as_an_errand_alone() {
    for (method, target) in [
        ("POST", "/devices/k?uploads"),
        ("POST", "/devices/k?uploadId=U"),
        ("DELETE", "/devices/k?uploadId=U"),
        ("GET", "/devices/k?uploadId=U"),
    ] {
        let event = viewer_request(
            method,
            target,
            &[("content-type", "text/plain"), ("x-oss-meta-a", "1")],
        );
        let sent = &authorized(&event)["request"];
        let names: Vec<&str> = sent["headers"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            names,
            ["host", "x-causeway-errand", "x-causeway-passport"],
            "{target}"
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_bucket_that_is_addressed_in_the_path_stays_in_the_path() {
    let config = CONFIG.replace("\"region\"", "\"addressing\": \"path\", \"region\"");
    let event = viewer_request("PUT", "/devices/k", &[LENGTH]);
    let authorizer = Authorizer::new(&config).unwrap();
    let outcome = outcome(&authorizer, &event, &mut Store::default(), NOW);
    assert_eq!(
        outcome["request"]["uri"],
        format!("/acme-ingest/fleet/{KEY_ID}/k")
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn a_router_that_signs_is_told_the_region() {
    let table = r#"{"cloudfront": {"direct_path": "router-signed"},"#;
    let authorizer = Authorizer::new(&CONFIG.replacen('{', table, 1)).unwrap();
    let event = viewer_request("PUT", "/devices/k", &[LENGTH, ("x-causeway-region", "us-east-1")]);
    let put = outcome(&authorizer, &event, &mut Store::default(), NOW);
    assert_eq!(header(&put["request"], "x-causeway-region"), "eu-west-1");
    assert_eq!(
        header(&put["request"], "x-causeway-origin"),
        "acme-ingest.s3.eu-west-1.amazonaws.com"
    );
    let event = viewer_request("POST", "/devices/k?uploads", &[]);
    let initiation = outcome(&authorizer, &event, &mut Store::default(), NOW);
    assert_eq!(initiation["request"]["headers"]["x-causeway-region"], Value::Null);
}

#[wasm_bindgen_test(unsupported = test)]
fn f11_object_bytes_of_unstated_length_are_411_and_a_chunked_initiation_passes() {
    for target in ["/devices/k", "/devices/k?partNumber=1&uploadId=U"] {
        let event = viewer_request("PUT", target, &[("transfer-encoding", "chunked")]);
        assert_refused(&authorized(&event), "411", "MissingContentLength");
        assert_refused(
            &authorized(&viewer_request("PUT", target, &[])),
            "411",
            "MissingContentLength",
        );
    }
    let event = viewer_request("POST", "/devices/k?uploads", &[("transfer-encoding", "chunked")]);
    let sent = &authorized(&event)["request"];
    assert_eq!(header(sent, "transfer-encoding"), "chunked");
}

#[wasm_bindgen_test(unsupported = test)]
fn wrong_signatures_keys_times_and_grants_are_oss_errors() {
    let event = viewer_request("PUT", "/devices/k", &[LENGTH]);
    let forged = viewer_request_signed_with("another secret than the key's", "PUT", "/devices/k", &[LENGTH]);
    assert_refused(&authorized(&forged), "403", "SignatureDoesNotMatch");
    let mut unsigned = event.clone();
    request(&mut unsigned)["headers"]
        .as_object_mut()
        .unwrap()
        .remove("authorization");
    for (event, status, code) in [
        (unsigned, "403", "AccessDenied"),
        (viewer_request("DELETE", "/devices/k", &[]), "403", "AccessDenied"),
        (
            viewer_request("PUT", "/strangers/k", &[LENGTH]),
            "403",
            "AccessDenied",
        ),
        (
            viewer_request("PUT", "/devices/%2e%2e/k", &[LENGTH]),
            "400",
            "InvalidObjectName",
        ),
    ] {
        assert_refused(&authorized(&event), status, code);
    }
    let late = authorized_at(&event, NOW + 901.0);
    assert_eq!(late["log"]["code"], "RequestTimeTooSkewed");
    assert_eq!(
        authorized_at(&event, f64::NAN)["log"]["code"],
        "RequestTimeTooSkewed"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn what_cloudfront_could_not_carry_is_refused_before_it_is_handed_back() {
    let long = "v".repeat(9000);
    let mut far = viewer_request("PUT", "/devices/k?partNumber=1&uploadId=U", &[LENGTH]);
    let query = format!("partNumber=1&uploadId={}", "U".repeat(8192));
    request(&mut far)["querystring"] = query.into();
    for (event, status, code) in [
        (
            viewer_request("POST", "/devices/k?uploads", &[("content-disposition", &long)]),
            "431",
            "InvalidArgument",
        ),
        (
            viewer_request(
                "PUT",
                "/devices/k",
                &[LENGTH, ("content-disposition", &"v".repeat(19_000))],
            ),
            "431",
            "InvalidArgument",
        ),
        (
            viewer_request("PUT", "/devices/k", &[LENGTH, ("via", &"v".repeat(19_000))]),
            "431",
            "InvalidArgument",
        ),
        (far, "414", "InvalidURI"),
        (
            viewer_request("POST", "/devices/k?uploadId=U", &[("content-length", "2097153")]),
            "400",
            "EntityTooLarge",
        ),
    ] {
        assert_refused(&authorized(&event), status, code);
    }
    // What is just short enough passes the fixture, which is as strict as CloudFront.
    let longest = format!(
        "/devices/{}?partNumber=10000&uploadId={}",
        "%E4%B8%AD".repeat(320),
        // The device was told 47 characters more.
        "U".repeat(953)
    );
    let event = viewer_request("PUT", &longest, &[LENGTH]);
    let sent = authorized(&event)["request"].clone();
    assert!(sent.is_object(), "{}", authorized(&event));
    recorded_events::origin_request(&event, &sent, None);
}

#[wasm_bindgen_test(unsupported = test)]
fn an_answer_is_never_larger_than_cloudfront_takes() {
    let config = CONFIG.replacen('{', r#"{"string_to_sign_in_errors": true,"#, 1);
    let authorizer = Authorizer::new(&config).unwrap();
    for (length, shown) in [(10, true), (16_000, false)] {
        let value = "v".repeat(length);
        let headers = [LENGTH, ("x-oss-meta-a", value.as_str())];
        let event =
            viewer_request_signed_with("another secret than the key's", "PUT", "/devices/k", &headers);
        let outcome = outcome(&authorizer, &event, &mut Store::default(), NOW);
        assert_refused(&outcome, "403", "SignatureDoesNotMatch");
        let body = outcome["response"]["body"].as_str().unwrap();
        assert_eq!(body.contains("StringToSign"), shown);
        assert!(body.len() < 40_000);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_answer_to_head_has_its_document_in_a_header() {
    let response = &authorized(&viewer_request("HEAD", "/devices/?acl", &[]))["response"];
    assert_eq!(
        (&response["status"], &response["body"]),
        (&json!("403"), &Value::Null)
    );
    assert!(!header(response, "x-oss-err").is_empty());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_repeated_header_is_seen_as_repeated() {
    let mut event = viewer_request("PUT", "/devices/k", &[LENGTH]);
    let lines = &mut request(&mut event)["headers"]["authorization"];
    let line = lines[0].clone();
    lines.as_array_mut().unwrap().push(line);
    assert_refused(&authorized(&event), "400", "InvalidArgument");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_configuration_that_is_wrong_makes_no_function() {
    let error = Authorizer::new("{}").err().unwrap();
    assert_eq!(error, "`buckets` is missing");
    let config = CONFIG.replacen('{', r#"{"cloudfront": {"key_shards": 0},"#, 1);
    let error = Authorizer::new(&config).err().unwrap();
    // An artefact leaves it to `causeway check` to say which; tests of the whole workspace have the sentences.
    let told = ["`cloudfront.key_shards`", "there is a mistake: `causeway check`"];
    assert!(told.iter().any(|told| error.starts_with(told)), "{error}");
}

#[wasm_bindgen_test(unsupported = test)]
fn mutated_events_are_forwarded_or_refused_and_never_trap() {
    let authorizer = authorizer();
    let mut store = Store::default();
    let long = [LENGTH, ("content-type", "text/plain"), ("x-oss-meta-a", "1")];
    let mut refused = 0;
    for (seed, event) in [
        viewer_request("PUT", "/devices/k", &long),
        viewer_request("POST", "/devices/k?uploads", &[]),
    ]
    .iter()
    .enumerate()
    {
        for mutant in mutations(event, seed as u64, 400) {
            let outcome = store.serve(&mut authorizer.begin(&mutant, ENVIRONMENT, NOW), NOW);
            let status = outcome["response"]["status"]
                .as_str()
                .map(|status| status.parse::<u16>().unwrap());
            assert_eq!(status.is_none(), outcome["request"].is_object(), "{mutant}");
            assert!(
                status.is_none_or(|status| (400..600).contains(&status)),
                "{mutant}"
            );
            refused += usize::from(status.is_some());
        }
    }
    assert!(refused > 400, "{refused}");
    assert_eq!(
        store.asked.len(),
        2,
        "made-up requests don't make anything be asked again"
    );
}
