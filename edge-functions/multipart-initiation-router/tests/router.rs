//! The router on what the authorizer hands back: `cargo test`, and `wasm-pack test --node`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

mod support;

use multipart_initiation_router::Router;
use recorded_events::{
    CONFIG, ENVIRONMENT, HANDLER, KEY_ID, NOW, OTHER_PASSPORT, Store, function_url, header, mutations,
    origin_response, put_header, request,
};
use serde_json::{Value, json};
use support::{LENGTH, event, event_of, initiation, outcome, put_object};
use wasm_bindgen_test::wasm_bindgen_test;

fn routed_at(event: &Value, now: f64) -> Value {
    outcome(&Router::new(CONFIG).unwrap(), event, &mut Store::default(), now)
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
    let mut origin = request(&mut event)["origin"].clone();
    origin["s3"]["customHeaders"] = json!({});
    assert_eq!(sent["origin"], origin);
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
fn a_read_goes_on_to_s3_with_its_range_and_conditions() {
    for method in ["GET", "HEAD"] {
        let headers = [
            ("range", "bytes=0-4"),
            ("if-match", "\"e\""),
            ("if-none-match", "\"f\""),
        ];
        let read = || event(method, "/devices/k?versionId=v", &headers, None);
        let sent = &routed(&read())["request"];
        assert_eq!(names(sent), ["host", "if-match", "if-none-match", "range", "via"]);
        assert_eq!(
            (&sent["uri"], &sent["querystring"]),
            (&json!(format!("/fleet/{KEY_ID}/k")), &json!("versionId=v"))
        );
        for (name, value) in [
            ("range", "bytes=0-9"),
            ("if-none-match", "\"g\""),
            ("if-modified-since", recorded_events::DATE),
        ] {
            let mut event = read();
            put_header(&mut event, name, value);
            assert_refused_head(&routed(&event), method);
        }
    }
}

/// No passport counts; an answer to HEAD has no body to say so.
fn assert_refused_head(outcome: &Value, method: &str) {
    if method == "HEAD" {
        assert_eq!(outcome["response"]["status"], "403", "{outcome}");
        assert_eq!(outcome["request"], Value::Null);
    } else {
        assert_refused(outcome, "403", "AccessDenied");
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
        assert_eq!(header(sent, "host"), HANDLER);
        assert_eq!(sent["origin"]["custom"]["domainName"], HANDLER);
        assert_eq!(sent["origin"]["custom"]["readTimeout"], 60);
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
    let other = event_of(
        CONFIG,
        &mut Store::with_passport(OTHER_PASSPORT),
        "PUT",
        "/devices/k",
        &[LENGTH],
        None,
    );
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
fn the_response_handler_is_the_one_that_the_distribution_names() {
    let line = |value: &str| json!([{"key": "X-Causeway-Handler", "value": value}]);
    let elsewhere = "zzz.lambda-url.ap-south-1.on.aws";
    let mut event = initiation();
    // A viewer's header of that name is no such thing.
    put_header(
        &mut event,
        "x-causeway-handler",
        "evil.lambda-url.eu-west-1.on.aws",
    );
    let custom = "/Records/0/cf/request/origin/s3/customHeaders";
    event.pointer_mut(custom).unwrap()["x-causeway-handler"] = line(elsewhere);
    let outcome = routed(&event);
    assert_eq!(outcome["request"]["origin"]["custom"]["domainName"], elsewhere);
    assert_eq!(header(&outcome["request"], "host"), elsewhere);
    let authorization = header(&outcome["request"], "authorization");
    assert!(authorization.contains("/20240501/ap-south-1/lambda/aws4_request"));
    for odd in [
        Value::Null,
        json!([]),
        json!([line(elsewhere)[0], line(elsewhere)[0]]),
        line(""),
        line("https://zzz.lambda-url.ap-south-1.on.aws"),
        line("zzz.lambda-url.ap-south-1.on.aws.evil.example"),
        line("evil.example"),
    ] {
        let mut event = initiation();
        event.pointer_mut(custom).unwrap()["x-causeway-handler"] = odd.clone();
        let outcome = routed(&event);
        assert_refused(&outcome, "500", "InternalError");
        assert_eq!(outcome["log"]["level"], "error", "{odd}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_router_that_signs_sends_object_bytes_to_the_bucket_that_the_passport_covers() {
    let config = CONFIG.replacen('{', r#"{"cloudfront": {"direct_path": "router-signed"},"#, 1);
    let headers = [LENGTH, ("content-type", "text/plain"), ("x-oss-meta-a", "1")];
    let put = |config: &str| {
        let mut store = Store::default();
        event_of(config, &mut store, "PUT", "/devices/a%20b", &headers, None)
    };
    let router = Router::new(&config).unwrap();
    let mut event = put(&config);
    // Whatever bucket the distribution's origin is.
    request(&mut event)["origin"]["s3"]["domainName"] = "other.s3.eu-west-1.amazonaws.com".into();
    put_header(&mut event, "x-amz-acl", "public-read");
    let outcome_of = |event: &Value| outcome(&router, event, &mut Store::default(), NOW);
    let routed = outcome_of(&event);
    let sent = &routed["request"];
    let host = "acme-ingest.s3.eu-west-1.amazonaws.com";
    assert_eq!(header(sent, "host"), host, "{routed}");
    let custom = &sent["origin"]["custom"];
    assert_eq!(
        (&custom["domainName"], &custom["port"], &custom["protocol"]),
        (&json!(host), &json!(443), &json!("https"))
    );
    assert_eq!(sent["origin"]["s3"], Value::Null);
    assert_eq!(sent["uri"], format!("/fleet/{KEY_ID}/a%20b"));
    assert_eq!(
        names(sent),
        [
            "authorization",
            "content-length",
            "content-type",
            "host",
            "via",
            "x-amz-content-sha256",
            "x-amz-date",
            "x-amz-meta-a",
            "x-amz-security-token",
        ]
    );
    assert_eq!(header(sent, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
    assert!(header(sent, "authorization").contains(
        "Credential=ASIAEXAMPLEROLE/20240501/eu-west-1/s3/aws4_request, \
         SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token,"
    ));
    function_url(&event, sent, b"");
    // The region is covered, and an authorizer that covers none has another configuration.
    put_header(&mut event, "x-causeway-region", "us-east-1");
    assert_refused(&outcome_of(&event), "403", "AccessDenied");
    assert_refused(&outcome_of(&put(CONFIG)), "500", "InternalError");
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
    let conversation = Router::new(CONFIG)
        .unwrap()
        .begin(&initiation().to_string(), "{}", NOW);
    assert_refused(
        &serde_json::from_str(&conversation.step()).unwrap(),
        "500",
        "InternalError",
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn a_configuration_that_is_wrong_makes_no_function() {
    let error = Router::new(r#"{"cloudfront": {"secrets_prefix": "/"}}"#)
        .err()
        .unwrap();
    // An artefact leaves it to `causeway check` to say which; tests of the whole workspace have the sentences.
    let told = [
        "`cloudfront.secrets_prefix`",
        "there is a mistake: `causeway check`",
    ];
    assert!(told.iter().any(|told| error.starts_with(told)), "{error}");
    assert!(Router::new("").is_err());
    let response = origin_response(&json!({"headers": {}}), 200, &[]);
    assert_refused(&routed(&response), "500", "InternalError");
}

#[wasm_bindgen_test(unsupported = test)]
fn mutated_events_are_forwarded_or_refused_and_never_trap() {
    let router = Router::new(CONFIG).unwrap();
    let mut store = Store::default();
    let mut refused = 0;
    for (seed, event) in [put_object(), initiation()].iter().enumerate() {
        for mutant in mutations(event, seed as u64, 400) {
            let outcome = store.serve(&mut router.begin(&mutant, ENVIRONMENT, NOW), NOW);
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
