//! What pages of other origins are told, through all three functions: `cargo test`, and `wasm-pack test --node`.

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
    CONFIG, ENVIRONMENT, NOW, Store, header, origin_request, origin_response, put_header, request,
    viewer_request, viewer_request_of_s3, viewer_request_signed_with,
};
use serde_json::{Value, json};
use support::{LENGTH, handler, parse, responded_by, routed, routed_event};
use viewer_request_authorizer::Authorizer;
use wasm_bindgen_test::wasm_bindgen_test;

const APP: &str = "https://app.example.com";
const PAGE: (&str, &str) = ("origin", APP);
const STRANGER: (&str, &str) = ("origin", "https://evil.example.com");
/// What S3 says of CORS where its bucket has rules of its own.
const ANSWER: [(&str, &str); 8] = [
    ("etag", "\"5d41402abc4b2a76b9719d911017c592\""),
    ("x-amz-request-id", "318BC8BC148832E5"),
    ("access-control-allow-origin", "https://evil.example.com"),
    ("access-control-allow-credentials", "true"),
    ("access-control-expose-headers", "x-amz-meta-secret"),
    ("access-control-allow-methods", "DELETE"),
    ("access-control-max-age", "3000"),
    (
        "vary",
        "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    ),
];

/// The headers of CORS among those of an answer, and Vary.
fn told(outcome: &Value) -> Vec<(&str, &str)> {
    let response = &outcome["response"];
    let names = response["headers"].as_object().unwrap().keys();
    let own = names.filter(|name| name.starts_with("access-control-") || *name == "vary");
    own.map(|name| (name.as_str(), header(response, name))).collect()
}

fn assert_shared(outcome: &Value) {
    let told = told(outcome);
    let names: Vec<&str> = told.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "access-control-allow-origin",
            "access-control-expose-headers",
            "vary"
        ],
        "{outcome}"
    );
    assert_eq!((told[0].1, told[2].1), (APP, "Origin"));
    let exposed: Vec<&str> = told[1].1.split(", ").collect();
    assert!(
        exposed.contains(&"ETag") && exposed.iter().any(|name| name.ends_with("-request-id")),
        "{exposed:?}"
    );
}

/// The first thing that the authorizer says to an event.
fn first(event: &Value) -> Value {
    parse(
        &Authorizer::new(CONFIG)
            .unwrap()
            .begin(&event.to_string(), ENVIRONMENT, NOW)
            .step(),
    )
}

/// A preflight, which nothing signs.
fn preflight(target: &str, origin: &str, requested: &str) -> Value {
    let mut event = viewer_request("OPTIONS", target, &[]);
    request(&mut event)["headers"] = json!({});
    for (name, value) in [
        ("host", "d111111abcdef8.cloudfront.net"),
        ("origin", origin),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", requested),
    ] {
        put_header(&mut event, name, value);
    }
    event
}

fn responded(sent: &Value, status: u16) -> Value {
    responded_by(&handler(), &origin_response(sent, status, &ANSWER).to_string())
}

/// What the router says to the event that the authorizer's result for a viewer's request becomes.
fn routed_after(viewer: &Value, body: &[u8], change: impl FnOnce(&mut Value)) -> Value {
    let mut store = Store::default();
    let authorizer = Authorizer::new(CONFIG).unwrap();
    let outcome = store.serve(&mut authorizer.begin(&viewer.to_string(), ENVIRONMENT, NOW), NOW);
    let mut event = origin_request(viewer, &outcome["request"], Some(body));
    change(&mut event);
    let router = Router::new(CONFIG).unwrap();
    store.serve(&mut router.begin(&event.to_string(), ENVIRONMENT, NOW), NOW)
}

#[wasm_bindgen_test(unsupported = test)]
fn a_preflight_is_answered_at_once_and_no_secret_is_asked_for() {
    let outcome = first(&preflight("/devices/k", APP, "Authorization,x-oss-date"));
    let response = &outcome["response"];
    assert_eq!(
        (&response["status"], &response["body"]),
        (&json!("200"), &Value::Null)
    );
    assert_eq!(
        told(&outcome),
        [
            ("access-control-allow-headers", "Authorization,x-oss-date"),
            ("access-control-allow-methods", "GET, PUT, POST"),
            ("access-control-allow-origin", APP),
            ("vary", "Origin"),
        ]
    );
    assert_eq!(header(response, "x-oss-request-id").len(), 24);
    assert_eq!(outcome["log"]["status"], 200);
}

#[wasm_bindgen_test(unsupported = test)]
fn l05_a_preflight_that_no_rule_matches_is_refused_whatever_the_bucket() {
    for (target, origin) in [("/devices/k", STRANGER.1), ("/nobody/k", APP), ("/", APP)] {
        let outcome = first(&preflight(target, origin, "authorization"));
        let response = &outcome["response"];
        assert_eq!(response["status"], "403", "{target} {origin}");
        let body = response["body"].as_str().unwrap();
        assert!(
            body.contains("<Code>AccessForbidden</Code><Message>CORSResponse: "),
            "{body}"
        );
        assert_eq!(told(&outcome), []);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn the_authorizer_s_refusals_can_be_read_by_the_pages_that_are_listed() {
    let denied = |origin| {
        let event = viewer_request_signed_with(
            "another-secret-of-a-device",
            "PUT",
            "/devices/k",
            &[LENGTH, origin],
        );
        let mut conversation = Authorizer::new(CONFIG)
            .unwrap()
            .begin(&event.to_string(), ENVIRONMENT, NOW);
        Store::default().serve(&mut conversation, NOW)
    };
    let outcome = denied(PAGE);
    assert_eq!(outcome["response"]["status"], "403");
    assert_shared(&outcome);
    assert_eq!(told(&denied(STRANGER)), []);
    // Nobody's signature: before any look-up.
    let mut event = viewer_request("GET", "/devices/k", &[PAGE]);
    request(&mut event)["headers"]
        .as_object_mut()
        .unwrap()
        .remove("authorization");
    assert_shared(&first(&event));
}

#[wasm_bindgen_test(unsupported = test)]
fn x06_an_answer_of_s3_s_says_what_this_configuration_does_and_nothing_of_its_own() {
    for (method, status) in [
        ("PUT", 200),
        ("GET", 200),
        ("PUT", 403),
        ("GET", 404),
        ("GET", 503),
    ] {
        let (sent, _) = routed(method, "/devices/k", &[LENGTH, PAGE], None);
        assert_eq!(header(&sent, "origin"), APP);
        assert_eq!(sent["headers"]["x-causeway-cors"], Value::Null);
        assert_shared(&responded(&sent, status));
        for foreign in [
            [LENGTH].as_slice(),
            &[LENGTH, STRANGER],
            &[LENGTH, ("origin", "null")],
        ] {
            let (sent, _) = routed(method, "/devices/k", foreign, None);
            assert_eq!(
                sent["headers"]["origin"],
                Value::Null,
                "what is not listed goes nowhere"
            );
            assert_eq!(
                told(&responded(&sent, status)),
                [],
                "{method} {status} {foreign:?}"
            );
        }
    }
    // Of a method that no rule has, too.
    let (sent, _) = routed("HEAD", "/devices/k", &[PAGE], None);
    assert_eq!(
        (&sent["headers"]["origin"], told(&responded(&sent, 200))),
        (&Value::Null, vec![])
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn x06_an_origin_that_is_not_listed_is_not_told_even_where_two_functions_are_missing() {
    let (mut sent, _) = routed("PUT", "/devices/k", &[LENGTH], None);
    sent["headers"]["origin"] = json!([{"key": "origin", "value": STRANGER.1}]);
    assert_eq!(told(&responded(&sent, 200)), []);
    sent["headers"]["x-causeway-cors"] =
        json!([{"key": "x-causeway-cors", "value": "https://evil.example.com ETag"}]);
    assert_eq!(told(&responded(&sent, 200)), []);
}

#[wasm_bindgen_test(unsupported = test)]
fn the_handler_s_answers_can_be_read_and_lambda_s_errors_too() {
    let (sent, _) = routed("POST", "/devices/k?uploads", &[PAGE], Some(b""));
    let own = [
        ("x-oss-request-id", "0123456789ABCDEF01234567"),
        ("access-control-allow-origin", "*"),
    ];
    for (status, headers) in [(200, own.as_slice()), (404, &own), (502, &[]), (429, &own[1..])] {
        let event = origin_response(&sent, status, headers);
        assert_shared(&responded_by(&handler(), &event.to_string()));
    }
    let (sent, _) = routed("POST", "/devices/k?uploads", &[STRANGER], Some(b""));
    let event = origin_response(&sent, 200, &own);
    assert_eq!(told(&responded_by(&handler(), &event.to_string())), []);
}

#[wasm_bindgen_test(unsupported = test)]
fn the_router_s_refusals_can_be_read() {
    let cut = |event: &mut Value| request(event)["body"]["inputTruncated"] = json!(true);
    let outcome = |origin| {
        routed_after(
            &viewer_request("POST", "/devices/k?uploadId=U", &[LENGTH, origin]),
            b"<a/>",
            cut,
        )
    };
    let refused = outcome(PAGE);
    assert!(
        refused["response"]["body"]
            .as_str()
            .unwrap()
            .contains("EntityTooLarge"),
        "{refused}"
    );
    assert_shared(&refused);
    assert_eq!(told(&outcome(STRANGER)), []);
}

#[wasm_bindgen_test(unsupported = test)]
fn h04_what_a_page_is_told_cannot_be_changed_between_two_functions() {
    let viewer = viewer_request("PUT", "/devices/k", &[LENGTH, PAGE]);
    for name in ["origin", "x-causeway-cors"] {
        let outcome = routed_after(&viewer, b"hello", |event| {
            put_header(event, name, "https://evil.example.com ETag")
        });
        assert_eq!(outcome["response"]["status"], "403", "{name}: {outcome}");
        assert_eq!(told(&outcome), []);
    }
    // What a viewer sends under the gateway's own name goes nowhere.
    let mut forged = viewer_request("PUT", "/devices/k", &[LENGTH]);
    put_header(&mut forged, "x-causeway-cors", "https://evil.example.com ETag");
    let (sent, event) = routed_event(&mut Store::default(), &forged, None);
    assert_eq!(
        event["Records"][0]["cf"]["request"]["headers"]["x-causeway-cors"],
        Value::Null
    );
    assert_eq!(told(&responded(&sent, 200)), []);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_client_of_s3_s_in_a_page_reads_s3_s_names() {
    let event = viewer_request_of_s3(recorded_events::SECRET, "GET", "/devices/k", &[PAGE]);
    let (sent, _) = routed_event(&mut Store::default(), &event, None);
    let outcome = responded(&sent, 200);
    assert_shared(&outcome);
    let exposed = header(&outcome["response"], "access-control-expose-headers");
    assert!(
        exposed.contains("x-amz-request-id") && !exposed.contains("x-oss-"),
        "{exposed}"
    );
}
