//! A device's request through the authorizer, up to the router.

use multipart_initiation_router::Router;
use recorded_events::{CONFIG, ENVIRONMENT, NOW, Store, origin_request, viewer_request};
use serde_json::Value;
use viewer_request_authorizer::Authorizer;

pub(crate) const LENGTH: (&str, &str) = ("content-length", "5");

/// The origin-request event that the authorizer's result for a device's request becomes.
pub(crate) fn event_of(
    config: &str,
    store: &mut Store,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Value {
    let viewer = viewer_request(method, target, headers);
    let authorizer = Authorizer::new(config).unwrap();
    let outcome = store.serve(&mut authorizer.begin(&viewer.to_string(), ENVIRONMENT, NOW), NOW);
    origin_request(&viewer, &outcome["request"], body)
}

pub(crate) fn event(method: &str, target: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Value {
    event_of(CONFIG, &mut Store::default(), method, target, headers, body)
}

pub(crate) fn put_object() -> Value {
    let headers = [LENGTH, ("content-type", "text/plain"), ("x-oss-meta-a", "1")];
    event("PUT", "/devices/a%20b", &headers, Some(b"hello"))
}

pub(crate) fn initiation() -> Value {
    event(
        "POST",
        "/devices/a%20b?uploads",
        &[("x-oss-meta-a", "1")],
        Some(b""),
    )
}

/// What comes of an event, with this store of secrets.
pub(crate) fn outcome(router: &Router, event: &Value, store: &mut Store, now: f64) -> Value {
    let mut conversation = router.begin(&event.to_string(), ENVIRONMENT, now);
    store.serve(&mut conversation, now)
}
