//! The router on what the authorizer hands back: `cargo test`, and `wasm-pack test --node`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

use multipart_initiation_router::Router;
use recorded_events::{
    CONFIG, CREDENTIALS, HANDLER, KEY_ID, NOW, OTHER_PASSPORT_KEYS, PASSPORT_KEYS, RECORD, function_url,
    header, mutations, origin_request, origin_response, put_header, request, viewer_request,
};
use serde_json::{Value, json};
use viewer_request_authorizer::Authorizer;
use wasm_bindgen_test::wasm_bindgen_test;

const LENGTH: (&str, &str) = ("content-length", "5");

/// The origin-request event that the authorizer's result for a device's request becomes.
fn event_with_keys(
    keys: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Value {
    let viewer = viewer_request(method, target, headers);
    let outcome = Authorizer::new(CONFIG, keys)
        .unwrap()
        .authorize(&viewer.to_string(), RECORD, NOW);
    let outcome: Value = serde_json::from_str(&outcome).unwrap();
    origin_request(&viewer, &outcome["request"], body)
}

fn event(method: &str, target: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Value {
    event_with_keys(PASSPORT_KEYS, method, target, headers, body)
}

fn put_object() -> Value {
    let headers = [LENGTH, ("content-type", "text/plain"), ("x-oss-meta-a", "1")];
    event("PUT", "/devices/a%20b", &headers, Some(b"hello"))
}

fn initiation() -> Value {
    event(
        "POST",
        "/devices/a%20b?uploads",
        &[("x-oss-meta-a", "1")],
        Some(b""),
    )
}

fn router() -> Router {
    Router::new(HANDLER, PASSPORT_KEYS).unwrap()
}

fn routed_at(event: &Value, now: f64) -> Value {
    serde_json::from_str(&router().route(&event.to_string(), CREDENTIALS, now)).unwrap()
}

fn routed(event: &Value) -> Value {
    routed_at(event, NOW)
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
    assert_eq!(header(response, "x-oss-request-id").len(), 24);
    assert_eq!(header(response, "cache-control"), "no-store");
    assert_eq!(response["headers"]["content-length"], Value::Null);
    assert_eq!(outcome["request"], Value::Null);
}

fn names(request: &Value) -> Vec<&str> {
    request["headers"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[wasm_bindgen_test(unsupported = test)]
fn object_bytes_go_on_to_s3_with_the_covered_headers_and_no_others() {
    let mut event = put_object();
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-causeway-errand", "e30"),
        ("authorization", "AWS4-HMAC-SHA256 forged"),
        ("accept-encoding", "gzip"),
    ] {
        put_header(&mut event, name, value);
    }
    let outcome = routed(&event);
    let sent = &outcome["request"];
    assert_eq!(
        names(sent),
        [
            "accept-encoding",
            "content-length",
            "content-type",
            "host",
            "via",
            "x-amz-meta-a"
        ]
    );
    assert_eq!(sent["uri"], format!("/fleet/{KEY_ID}/a%20b"));
    assert_eq!(sent["origin"], request(&mut event)["origin"]);
    assert_eq!(header(sent, "host"), "acme-ingest.s3.eu-west-1.amazonaws.com");
    assert_eq!(sent["body"], Value::Null);
    assert_eq!(outcome["log"]["operation"], "PutObject");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_conditional_put_keeps_its_condition_and_no_other_may_come_in() {
    let event = event(
        "PUT",
        "/devices/k",
        &[LENGTH, ("x-oss-forbid-overwrite", "true")],
        None,
    );
    assert_eq!(header(&routed(&event)["request"], "if-none-match"), "*");
    for (name, value) in [
        ("if-none-match", "*"),
        ("if-unmodified-since", recorded_events::DATE),
    ] {
        let mut event = put_object();
        put_header(&mut event, name, value);
        assert_refused(&routed(&event), "403", "AccessDenied");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn everything_else_goes_to_the_function_url_signed_and_with_a_passport_of_its_own() {
    for (method, target, body) in [
        ("POST", "/devices/a%20b?uploads", Some(b"".as_slice())),
        (
            "POST",
            "/devices/a%20b?uploadId=U",
            Some(b"<CompleteMultipartUpload/>".as_slice()),
        ),
        ("DELETE", "/devices/a%20b?uploadId=U", Some(b"".as_slice())),
        ("GET", "/devices/a%20b?uploadId=U", None),
    ] {
        let before = event(method, target, &[("x-oss-meta-a", "1")], body);
        let outcome = routed(&before);
        let sent = &outcome["request"];
        let domain = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-west-1.on.aws";
        assert_eq!(
            (&sent["uri"], &sent["querystring"]),
            (&json!("/"), &json!("")),
            "{target}"
        );
        assert_eq!(
            names(sent),
            [
                "authorization",
                "host",
                "via",
                "x-amz-content-sha256",
                "x-amz-date",
                "x-amz-security-token",
                "x-causeway-body-sha256",
                "x-causeway-errand",
                "x-causeway-passport",
            ]
        );
        assert_eq!(header(sent, "host"), domain);
        assert_eq!(sent["origin"]["custom"]["domainName"], domain);
        assert_eq!(sent["origin"]["s3"], Value::Null);
        assert!(header(sent, "authorization").contains(
            "Credential=ASIAEXAMPLEROLE/20240501/eu-west-1/lambda/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"
        ));
        // printf '' | sha256sum; printf '<CompleteMultipartUpload/>' | sha256sum
        let digest = if body.unwrap_or_default().is_empty() {
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        } else {
            "0c96b0e6e570d37f36e885054140c744ad23a4d62704c396b8b43da729921caf"
        };
        assert_eq!(header(sent, "x-amz-content-sha256"), digest);
        assert_eq!(header(sent, "x-causeway-body-sha256"), digest);
        assert_ne!(
            header(sent, "x-causeway-passport"),
            header(request(&mut before.clone()), "x-causeway-passport")
        );
        // CloudFront takes the result: see the fixture.
        function_url(&before, sent, body.unwrap_or_default());
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn without_a_passport_that_counts_nothing_goes_on() {
    for event in [put_object(), initiation()] {
        let mut missing = event.clone();
        request(&mut missing)["headers"]
            .as_object_mut()
            .unwrap()
            .remove("x-causeway-passport");
        let mut forged = event.clone();
        let text = header(request(&mut forged), "x-causeway-passport").replacen("PutObject", "UploadPart", 1);
        put_header(
            &mut forged,
            "x-causeway-passport",
            &text.replacen("Initiate", "Complete", 1),
        );
        let mut replayed = event.clone();
        replayed["Records"][0]["cf"]["config"]["requestId"] = "another request".into();
        let mut elsewhere = event.clone();
        elsewhere["Records"][0]["cf"]["config"]["distributionId"] = "EOTHER".into();
        let mut moved = event.clone();
        request(&mut moved)["uri"] = "/fleet/other/k".into();
        let mut queried = event.clone();
        request(&mut queried)["querystring"] = "acl=".into();
        for bad in [missing, forged, replayed, elsewhere, moved, queried] {
            let outcome = routed(&bad);
            assert_refused(&outcome, "403", "AccessDenied");
            assert_eq!(outcome["log"]["level"], "error");
        }
        assert_refused(&routed_at(&event, NOW + 61.0), "403", "AccessDenied");
        assert_refused(&routed_at(&event, f64::NAN), "403", "AccessDenied");
    }
    let other = event_with_keys(OTHER_PASSPORT_KEYS, "PUT", "/devices/k", &[LENGTH], None);
    assert_refused(&routed(&other), "403", "AccessDenied");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_covered_header_that_was_changed_or_taken_away_stops_the_request() {
    for name in ["content-type", "x-amz-meta-a", "x-causeway-origin"] {
        let mut changed = put_object();
        put_header(&mut changed, name, "other");
        assert_refused(&routed(&changed), "403", "AccessDenied");
        let mut gone = put_object();
        request(&mut gone)["headers"]
            .as_object_mut()
            .unwrap()
            .remove(name);
        assert_refused(&routed(&gone), "403", "AccessDenied");
    }
    let mut changed = initiation();
    put_header(&mut changed, "x-causeway-errand", "e30");
    assert_refused(&routed(&changed), "403", "AccessDenied");
}

#[wasm_bindgen_test(unsupported = test)]
fn what_a_viewer_sent_as_a_passport_is_gone_before_anything_reads_it() {
    let valid = put_object();
    let stolen = header(&valid["Records"][0]["cf"]["request"], "x-causeway-passport").to_owned();
    let event = event(
        "PUT",
        "/devices/a%20b",
        &[
            LENGTH,
            ("x-causeway-passport", &stolen),
            ("x-causeway-origin", "elsewhere"),
        ],
        None,
    );
    let sent = &routed(&event)["request"];
    assert_eq!(names(sent), ["content-length", "content-type", "host", "via"]);
}

#[wasm_bindgen_test(unsupported = test)]
fn bytes_for_one_bucket_never_go_to_the_origin_of_another() {
    for (field, value) in [
        ("domainName", "other.s3.eu-west-1.amazonaws.com"),
        ("path", "/folder"),
    ] {
        let mut event = put_object();
        request(&mut event)["origin"]["s3"][field] = value.into();
        let outcome = routed(&event);
        assert_refused(&outcome, "500", "InternalError");
        assert_eq!(outcome["log"]["level"], "error");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_body_that_cloudfront_cut_is_answered_with_the_limit() {
    let mut event = event(
        "POST",
        "/devices/k?uploadId=U",
        &[],
        Some(b"<CompleteMultipartUpload>"),
    );
    request(&mut event)["body"]["inputTruncated"] = true.into();
    let outcome = routed(&event);
    assert_refused(&outcome, "400", "EntityTooLarge");
    assert!(outcome["response"]["body"].as_str().unwrap().contains("1 MB"));
    // Object bytes are never looked at.
    let mut event = put_object();
    request(&mut event)["body"]["inputTruncated"] = true.into();
    assert!(routed(&event)["request"].is_object());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_body_that_the_event_should_have_and_has_not_is_a_fault_of_the_deployment() {
    for name in ["content-length", "transfer-encoding"] {
        let event = event("POST", "/devices/k?uploadId=U", &[(name, "7")], None);
        assert_refused(&routed(&event), "500", "InternalError");
    }
    let event = initiation();
    let outcome = router().route(&event.to_string(), "{}", NOW);
    assert_refused(&serde_json::from_str(&outcome).unwrap(), "500", "InternalError");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_configuration_that_is_wrong_makes_no_function() {
    assert!(Router::new("{}", PASSPORT_KEYS).is_err());
    assert!(Router::new(HANDLER, "[]").is_err());
    let response = origin_response(&json!({"headers": {}}), 200, &[]);
    assert_refused(&routed(&response), "500", "InternalError");
}

#[wasm_bindgen_test(unsupported = test)]
fn mutated_events_are_forwarded_or_refused_and_never_trap() {
    let router = router();
    let mut refused = 0;
    for (seed, event) in [put_object(), initiation()].iter().enumerate() {
        for mutant in mutations(event, seed as u64, 400) {
            let outcome: Value = serde_json::from_str(&router.route(&mutant, CREDENTIALS, NOW)).unwrap();
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
    assert!(refused > 300, "{refused}");
}
