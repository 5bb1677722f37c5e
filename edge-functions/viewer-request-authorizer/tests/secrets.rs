//! The authorizer and its secrets: `cargo test`, and in WebAssembly `wasm-pack test --node`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

use recorded_events::{
    CONFIG, ENVIRONMENT, KEY_ID, NOW, RECORD, SECRET, Store, base64, header, mutations, viewer_request,
    viewer_request_signed_with,
};
use request_auth::SecretKey;
use request_auth::derived::DerivedKeyId;
use serde_json::{Value, json};
use viewer_request_authorizer::Authorizer;
use wasm_bindgen_test::wasm_bindgen_test;

const LENGTH: (&str, &str) = ("content-length", "5");

fn authorizer() -> Authorizer {
    Authorizer::new(CONFIG).unwrap()
}

fn put() -> Value {
    viewer_request("PUT", "/devices/k", &[LENGTH])
}

/// The same, as a device whose key id is `id` would send it.
fn put_of(id: &str) -> Value {
    let event = put().to_string();
    serde_json::from_str(&event.replace(KEY_ID, id)).unwrap()
}

fn outcome_at(authorizer: &Authorizer, event: &Value, store: &mut Store, later: f64) -> Value {
    let now = NOW + later;
    let mut conversation = authorizer.begin(&event.to_string(), ENVIRONMENT, now);
    store.serve(&mut conversation, now)
}

fn outcome(event: &Value, store: &mut Store) -> Value {
    outcome_at(&authorizer(), event, store, 0.0)
}

/// Asserts that the outcome is an OSS error, and gives its log line.
fn assert_refused(outcome: &Value, status: &str, code: &str) -> Value {
    let response = &outcome["response"];
    assert_eq!(response["status"], status, "{outcome}");
    let body = response["body"].as_str().unwrap();
    assert!(body.contains(&format!("<Code>{code}</Code>")), "{outcome}");
    let text = outcome.to_string();
    for secret in [SECRET, "5f2b1c9a7e4d8f60b3a1c5e7d9f0a2b4c6", "role-"] {
        assert!(!text.contains(secret), "{text}");
    }
    outcome["log"].clone()
}

#[wasm_bindgen_test(unsupported = test)]
fn the_key_s_shard_and_the_passports_secret_are_asked_for_once_while_they_are_fresh() {
    let authorizer = authorizer();
    let mut store = Store::default();
    for later in [0.0, 30.0, 60.0] {
        let outcome = outcome_at(&authorizer, &put(), &mut store, later);
        assert!(outcome["request"].is_object(), "{outcome}");
    }
    assert_eq!(store.asked, ["causeway/0", "causeway/passport"]);
    assert!(outcome_at(&authorizer, &put(), &mut store, 61.0)["request"].is_object());
    assert_eq!(store.asked.len(), 4);
}

#[wasm_bindgen_test(unsupported = test)]
fn the_nearest_region_with_the_secrets_is_asked() {
    for (regions, asked) in [
        (r#"["eu-west-1"]"#, "eu-west-1"),
        (r#"["eu-west-1", "ap-southeast-2"]"#, "ap-southeast-2"),
    ] {
        let table =
            format!(r#"{{"cloudfront": {{"secrets_regions": {regions}, "secrets_prefix": "acme/dev"}},"#);
        let authorizer = Authorizer::new(&CONFIG.replacen('{', &table, 1)).unwrap();
        let step = authorizer.begin(&put().to_string(), ENVIRONMENT, NOW).step();
        let step: Value = serde_json::from_str(&step).unwrap();
        let url = format!("https://secretsmanager.{asked}.amazonaws.com/");
        assert_eq!(step["send"]["url"], url);
        assert_eq!(step["send"]["body"], base64(br#"{"SecretId":"acme/dev/0"}"#));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn without_credentials_that_have_the_form_of_a_key_nothing_is_asked() {
    for id in ["a/b", "..", "a%b", &"k".repeat(129)] {
        let mut store = Store::default();
        assert!(outcome(&put_of(id), &mut store)["response"].is_object(), "{id}");
        assert!(store.asked.is_empty(), "{id}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn k02_made_up_ids_are_absent_and_make_a_shard_be_asked_for_again_every_ten_seconds_at_most() {
    let authorizer = authorizer();
    let mut store = Store::default();
    let made_up = |store: &mut Store, later: f64| {
        for n in 0..200 {
            let event = put_of(&format!("made-up-{n}"));
            let outcome = outcome_at(&authorizer, &event, store, later);
            let log = assert_refused(&outcome, "403", "InvalidAccessKeyId");
            assert_eq!(log["level"], "warn");
        }
    };
    made_up(&mut store, 0.0);
    made_up(&mut store, 9.0);
    assert_eq!(store.asked, ["causeway/0"]);
    made_up(&mut store, 10.0);
    made_up(&mut store, 19.0);
    assert_eq!(store.asked, ["causeway/0"; 2]);
}

/// A PUT as the device of this derived key id would send it, signed under this master.
fn put_of_derived(id: &str, master: &str) -> Value {
    let derived = DerivedKeyId::parse(id).unwrap();
    let secret = derived
        .secret_text(&SecretKey::new(master.into()).unwrap())
        .unwrap();
    let event = viewer_request_signed_with(&secret, "PUT", "/devices/k", &[LENGTH]).to_string();
    serde_json::from_str(&event.replace(KEY_ID, id)).unwrap()
}

#[wasm_bindgen_test(unsupported = test)]
fn k02_devices_of_a_fleet_share_one_record_and_made_up_ones_have_nothing_asked() {
    let masters = [
        "master-of-the-cameras-0123456789abcdef",
        "next-master-of-cameras-0123456789abcdef",
    ];
    let record = json!({
        "id": "d1.cams",
        "masters": masters.map(|master| json!({"secret": master})),
        "grants": [{"bucket": "devices", "mount": "{fleet}/{device}/"}],
        "revoked": ["cam-9"],
    });
    let authorizer = authorizer();
    let mut store = Store {
        shards: vec![Some(json!({"d1.cams": record}).to_string())],
        ..Store::default()
    };
    for n in 0..50 {
        let id = format!("d1.cams.cam-1{n}");
        let master = masters[n % 2];
        let outcome = outcome_at(&authorizer, &put_of_derived(&id, master), &mut store, 30.0);
        let uri = format!("/cams/cam-1{n}/k");
        assert_eq!(outcome["request"]["uri"], uri, "{outcome}");
        assert_eq!(outcome["log"]["access_key_id"], id);
        let wrong = put_of_derived(&id, "a-master-that-is-not-this-fleet's-own");
        let outcome = outcome_at(&authorizer, &wrong, &mut store, 30.0);
        assert_refused(&outcome, "403", "SignatureDoesNotMatch");
    }
    let revoked = outcome_at(
        &authorizer,
        &put_of_derived("d1.cams.cam-9", masters[0]),
        &mut store,
        30.0,
    );
    assert_refused(&revoked, "403", "InvalidAccessKeyId");
    assert_eq!(store.asked, ["causeway/0", "causeway/passport"]);
    let unknown = outcome_at(
        &authorizer,
        &put_of_derived("d1.made-up.cam-9", masters[0]),
        &mut store,
        30.0,
    );
    assert_refused(&unknown, "403", "InvalidAccessKeyId");
    assert_eq!(revoked["response"], unknown["response"]);
    // As any unknown id: the record may have been added a moment ago.
    assert!(store.asked.len() <= 3, "{:?}", store.asked);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_key_that_was_added_counts_after_ten_seconds_at_most() {
    let authorizer = authorizer();
    let mut store = Store::default();
    let shard = store.shards.remove(0);
    store.shards.push(Some("{}".to_owned()));
    let outcome = outcome_at(&authorizer, &put(), &mut store, 0.0);
    assert_refused(&outcome, "403", "InvalidAccessKeyId");
    store.shards = vec![shard];
    let outcome = outcome_at(&authorizer, &put(), &mut store, 9.0);
    assert_refused(&outcome, "403", "InvalidAccessKeyId");
    assert!(outcome_at(&authorizer, &put(), &mut store, 10.0)["request"].is_object());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_key_that_the_last_good_copy_lacks_is_503_while_the_store_is_down() {
    let authorizer = authorizer();
    let mut store = Store::default();
    assert!(outcome_at(&authorizer, &put(), &mut store, 0.0)["request"].is_object());
    store.down = Some("timed out");
    for later in [20.0, 22.0, 70.0] {
        let outcome = outcome_at(&authorizer, &put_of("added-meanwhile"), &mut store, later);
        let log = assert_refused(&outcome, "503", "ServiceUnavailable");
        assert_eq!(log["level"], "error");
    }
    // Who is in the copy is served from it.
    assert!(outcome_at(&authorizer, &put(), &mut store, 71.0)["request"].is_object());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_key_is_looked_for_in_its_own_shard_and_in_no_other() {
    // printf LTAI5tFakeAccessKeyId001 | sha256sum | cut -c1-2
    let own = 0x32 % 3;
    let config = CONFIG.replacen('{', r#"{"cloudfront": {"key_shards": 3},"#, 1);
    for place in 0..3 {
        let mut store = Store::default();
        let shard = store.shards.remove(0);
        store.shards = vec![Some("{}".to_owned()); 3];
        store.shards[place] = shard;
        let outcome = outcome_at(&Authorizer::new(&config).unwrap(), &put(), &mut store, 0.0);
        if place == own {
            assert!(outcome["request"].is_object(), "{outcome}");
        } else {
            assert_refused(&outcome, "403", "InvalidAccessKeyId");
        }
        assert_eq!(store.asked[0], format!("causeway/{own}"));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn d13_a_record_that_cannot_be_read_is_503_and_loud_for_its_key_alone() {
    for record in [
        "null",
        "{}",
        "[]",
        &RECORD.replace("fleet/", "fleet"),
        &RECORD.replace(KEY_ID, "another"),
        &RECORD.replace(SECRET, ""),
        &RECORD.replacen('{', r#"{"status": "on","#, 1),
    ] {
        let mut store = Store::with_record(record);
        let log = assert_refused(&outcome(&put(), &mut store), "503", "ServiceUnavailable");
        assert_eq!(log["level"], "error", "{record}");
        assert!(log["reason"].as_str().unwrap().contains(KEY_ID), "{log}");
        let other = outcome(&put_of("another-key"), &mut store);
        assert_refused(&other, "403", "InvalidAccessKeyId");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn secrets_that_do_not_exist_or_are_none_are_503_and_loud() {
    let without = |change: fn(&mut Store)| {
        let mut store = Store::default();
        change(&mut store);
        store
    };
    for (mut store, named) in [
        (without(|store| store.shards[0] = None), "`causeway/0`"),
        (
            without(|store| store.shards[0] = Some("[]".into())),
            "`causeway/0`",
        ),
        (
            without(|store| store.shards[0] = Some("{".into())),
            "`causeway/0`",
        ),
        (without(|store| store.passport = None), "`causeway/passport`"),
        (
            without(|store| store.passport = Some(r#"{"id":"a","secret":"short"}"#.into())),
            "`causeway/passport`",
        ),
        (without(|store| store.down = Some("timed out")), "timed out"),
    ] {
        let log = assert_refused(&outcome(&put(), &mut store), "503", "ServiceUnavailable");
        assert_eq!(log["level"], "error");
        assert!(log["reason"].as_str().unwrap().contains(named), "{log}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn k02_without_a_copy_a_secret_is_asked_for_once_a_second_at_most_whoever_asks() {
    let missing = Store {
        shards: vec![None],
        ..Store::default()
    };
    let down = Store {
        down: Some("connect ECONNREFUSED"),
        ..Store::default()
    };
    for (mut store, why) in [(missing, "no such secret"), (down, "ECONNREFUSED")] {
        let authorizer = authorizer();
        for later in [0.0, 0.0, 0.0, 1.0, 1.0] {
            let outcome = outcome_at(&authorizer, &put_of("made-up"), &mut store, later);
            let log = assert_refused(&outcome, "503", "ServiceUnavailable");
            assert!(log["reason"].as_str().unwrap().contains(why), "{log}");
        }
        assert_eq!(store.asked, ["causeway/0"; 2]);
        // An honest device is served as soon as the store is back, and one second later at the latest.
        store = Store::default();
        assert!(outcome_at(&authorizer, &put(), &mut store, 2.0)["request"].is_object());
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_outage_of_the_store_is_bridged_for_the_stale_time_and_no_longer() {
    let config = CONFIG.replacen(
        '{',
        r#"{"key_cache": {"fresh_seconds": 60, "stale_seconds": 600},"#,
        1,
    );
    let authorizer = Authorizer::new(&config).unwrap();
    let mut store = Store::default();
    assert!(outcome_at(&authorizer, &put(), &mut store, 0.0)["request"].is_object());
    store.down = Some("connect ECONNREFUSED");
    store.asked.clear();
    for later in [61.0, 63.0, 65.0] {
        let outcome = outcome_at(&authorizer, &put(), &mut store, later);
        assert!(outcome["request"].is_object(), "{outcome}");
        assert_eq!(outcome["log"]["level"], "error");
        let reason = outcome["log"]["reason"].as_str().unwrap();
        assert!(reason.contains("last good copy"), "{reason}");
    }
    // Each secret once: a store that is down is left alone for some seconds.
    assert_eq!(store.asked, ["causeway/0", "causeway/passport"]);
    assert!(outcome_at(&authorizer, &put(), &mut store, 600.0)["request"].is_object());
    let outcome = outcome_at(&authorizer, &put(), &mut store, 606.0);
    assert_refused(&outcome, "503", "ServiceUnavailable");
}

#[wasm_bindgen_test(unsupported = test)]
fn k02_a_revoked_key_ends_with_the_copy_that_has_it() {
    let authorizer = authorizer();
    let mut store = Store::default();
    assert!(outcome_at(&authorizer, &put(), &mut store, 0.0)["request"].is_object());
    store.shards[0] = Some("{}".to_owned());
    assert!(outcome_at(&authorizer, &put(), &mut store, 60.0)["request"].is_object());
    let outcome = outcome_at(&authorizer, &put(), &mut store, 61.0);
    assert_refused(&outcome, "403", "InvalidAccessKeyId");
}

#[wasm_bindgen_test(unsupported = test)]
fn the_first_passport_key_issues() {
    let rotated = r#"{"id": "new", "secret": "77777777777777777777777777777777",
        "also": [{"id": "2024-05", "secret": "5f2b1c9a7e4d8f60b3a1c5e7d9f0a2b4c6"}]}"#;
    let outcome = outcome(&put(), &mut Store::with_passport(rotated));
    let passport = header(&outcome["request"], "x-causeway-passport");
    assert!(passport.starts_with("2.new."), "{passport}");
}

#[wasm_bindgen_test(unsupported = test)]
fn an_environment_that_is_none_is_a_fault_of_the_deployment() {
    for environment in ["", "{}", &ENVIRONMENT.replace("role-secret-0123456789", "")] {
        let mut conversation = authorizer().begin(&put().to_string(), environment, NOW);
        let outcome = Store::default().serve(&mut conversation, NOW);
        let log = assert_refused(&outcome, "500", "InternalError");
        assert_eq!(log["level"], "error");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn mutated_secrets_and_answers_never_trap_and_never_let_anything_on_that_is_not_signed() {
    let forged = viewer_request_signed_with("another secret than the key's", "PUT", "/devices/k", &[LENGTH]);
    let shard: Value = serde_json::from_str(&format!(r#"{{"{KEY_ID}": {RECORD}}}"#)).unwrap();
    for shard in mutations(&shard, 4, 400) {
        let mut store = Store::default();
        store.shards[0] = Some(shard.clone());
        let outcome = outcome(&forged, &mut store);
        assert!(outcome["response"].is_object(), "{shard}");
        assert_eq!(outcome["request"], Value::Null, "{shard}");
    }
    let answer = json!({"status": 200, "headers": {"content-type": "x"}, "body": base64(
        json!({"Name": "causeway/0", "SecretString": format!(r#"{{"{KEY_ID}": {RECORD}}}"#)}).to_string().as_bytes()
    )});
    for answer in mutations(&answer, 5, 300) {
        let authorizer = Authorizer::new(CONFIG).unwrap();
        let mut conversation = authorizer.begin(&put().to_string(), ENVIRONMENT, NOW);
        let step: Value = serde_json::from_str(&conversation.advance(&answer, NOW)).unwrap();
        assert!(
            step["send"].is_object() != step["response"].is_object(),
            "{answer}"
        );
    }
}
