//! The router and the keys of passports, which change while it runs: `cargo test`, `wasm-pack test --node`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

#[allow(dead_code, reason = "the other test binary uses the rest")]
mod support;

use multipart_initiation_router::Router;
use recorded_events::{CONFIG, NOW, PASSPORT, Store, put_header, request};
use serde_json::Value;
use support::{LENGTH, event_of, initiation, outcome, put_object};
use wasm_bindgen_test::wasm_bindgen_test;

const NEW: &str = r#"{"id": "new", "secret": "77777777777777777777777777777777"}"#;

fn router() -> Router {
    Router::new(CONFIG).unwrap()
}

/// A request that was let on under this secret.
fn under(secret: &str) -> Value {
    let mut store = Store::with_passport(secret);
    event_of(CONFIG, &mut store, "PUT", "/devices/k", &[LENGTH], None)
}

/// The secret during a rotation: `first` issues, `second` is accepted.
fn rotating(first: &str, second: &str) -> String {
    first.replace('}', &format!(", \"also\": [{second}]}}"))
}

/// Asserts that the request is refused, and gives its log line.
fn assert_refused(outcome: &Value, status: &str) -> Value {
    assert_eq!(outcome["response"]["status"], status, "{outcome}");
    assert_eq!(outcome["request"], Value::Null);
    let text = outcome.to_string();
    assert!(
        !text.contains("5f2b1c9a7e4d") && !text.contains("777777"),
        "{text}"
    );
    assert_eq!(outcome["log"]["level"], "error");
    outcome["log"].clone()
}

#[wasm_bindgen_test(unsupported = test)]
fn the_keys_are_asked_for_once_while_they_are_fresh() {
    let (router, mut store) = (router(), Store::default());
    for later in [0.0, 30.0, 60.0] {
        assert!(outcome(&router, &put_object(), &mut store, NOW + later)["request"].is_object());
        assert!(outcome(&router, &initiation(), &mut store, NOW + later)["request"].is_object());
    }
    assert_eq!(store.asked, ["causeway/passport"]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_without_a_passport_of_that_form_costs_no_look_up() {
    let (router, mut store) = (router(), Store::default());
    for text in ["", "2", "2.a b.x", "1.2024-05.x", &"2.a.".repeat(5000)] {
        let mut event = put_object();
        put_header(&mut event, "x-causeway-passport", text);
        assert_refused(&outcome(&router, &event, &mut store, NOW), "403");
    }
    let mut event = put_object();
    request(&mut event)["headers"]
        .as_object_mut()
        .unwrap()
        .remove("x-causeway-passport");
    assert_refused(&outcome(&router, &event, &mut store, NOW), "403");
    assert!(store.asked.is_empty());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_rotation_has_no_gap_whichever_function_reads_the_new_secret_first() {
    let (router, mut store) = (router(), Store::default());
    assert!(outcome(&router, &under(PASSPORT), &mut store, NOW)["request"].is_object());
    // The authorizer has it already; the router's copy is fresh and has it not.
    store.passport = Some(rotating(NEW, PASSPORT));
    for event in [under(NEW), under(PASSPORT), under(&rotating(NEW, PASSPORT))] {
        assert!(outcome(&router, &event, &mut store, NOW + 10.0)["request"].is_object());
    }
    assert_eq!(store.asked.len(), 2);
    // And at its end the old one counts no more.
    store.passport = Some(NEW.to_owned());
    assert!(outcome(&router, &under(NEW), &mut store, NOW + 20.0)["request"].is_object());
    assert_refused(&outcome(&router, &under(PASSPORT), &mut store, NOW + 71.0), "403");
}

#[wasm_bindgen_test(unsupported = test)]
fn made_up_key_ids_make_the_secret_be_asked_for_now_and_then_and_not_each_time() {
    let (router, mut store) = (router(), Store::default());
    assert!(outcome(&router, &under(PASSPORT), &mut store, NOW)["request"].is_object());
    for n in 0..200 {
        let mut event = under(PASSPORT);
        put_header(&mut event, "x-causeway-passport", &format!("2.made-up-{n}.x"));
        let later = f64::from(n) / 20.0;
        assert_refused(&outcome(&router, &event, &mut store, NOW + later), "403");
    }
    // In ten seconds: at the begin, and five seconds later.
    assert_eq!(store.asked.len(), 2, "{:?}", store.asked);
    assert!(outcome(&router, &under(PASSPORT), &mut store, NOW + 10.0)["request"].is_object());
}

#[wasm_bindgen_test(unsupported = test)]
fn an_outage_is_bridged_for_passports_of_known_keys_and_is_no_refusal_of_others() {
    let (router, mut store) = (router(), Store::default());
    assert!(outcome(&router, &under(PASSPORT), &mut store, NOW)["request"].is_object());
    store.down = Some("timed out");
    // Within the 60 s that a passport counts; the copy is fresh and stays so.
    let log = assert_refused(&outcome(&router, &under(NEW), &mut store, NOW + 30.0), "503");
    assert!(log["reason"].as_str().unwrap().contains("`causeway/passport`"));
    assert_refused(&outcome(&router, &under(NEW), &mut store, NOW + 31.0), "503");
    assert_eq!(store.asked.len(), 2);
    assert!(outcome(&router, &under(PASSPORT), &mut store, NOW + 31.0)["request"].is_object());
    // The first ask of another instance.
    for event in [under(PASSPORT), initiation()] {
        assert_refused(
            &outcome(&Router::new(CONFIG).unwrap(), &event, &mut store, NOW),
            "503",
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_secret_that_does_not_exist_or_is_none_is_503_and_loud() {
    for secret in [
        None,
        Some("{}"),
        Some("[]"),
        Some(r#"{"id": "a", "secret": "short"}"#),
    ] {
        let mut store = Store {
            passport: secret.map(str::to_owned),
            ..Store::default()
        };
        let log = assert_refused(&outcome(&router(), &put_object(), &mut store, NOW), "503");
        assert!(log["reason"].as_str().unwrap().contains("`causeway/passport`"));
    }
}
