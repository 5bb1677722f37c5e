//! A device's request through the authorizer and the router, up to the response handler.

use multipart_initiation_router::Router;
use recorded_events::{
    CONFIG, ENVIRONMENT, NOW, Store, function_url, origin_request, origin_response, viewer_request,
};
use serde_json::{Value, json};
use viewer_request_authorizer::Authorizer;
use xmlns_response_handler::{Conversation, ResponseHandler};

pub(crate) const LENGTH: (&str, &str) = ("content-length", "5");

pub(crate) fn handler() -> ResponseHandler {
    ResponseHandler::new(CONFIG).unwrap()
}

/// What the router hands back for a device's request, and the event that it was given.
pub(crate) fn routed(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> (Value, Value) {
    routed_with(&mut Store::default(), method, target, headers, body)
}

/// The same, with this store of secrets.
pub(crate) fn routed_with(
    store: &mut Store,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> (Value, Value) {
    routed_event(store, &viewer_request(method, target, headers), body)
}

/// The same for the event of a viewer's request.
pub(crate) fn routed_event(store: &mut Store, viewer: &Value, body: Option<&[u8]>) -> (Value, Value) {
    let authorizer = Authorizer::new(CONFIG).unwrap();
    let outcome = store.serve(&mut authorizer.begin(&viewer.to_string(), ENVIRONMENT, NOW), NOW);
    let event = origin_request(viewer, &outcome["request"], body);
    let router = Router::new(CONFIG).unwrap();
    let outcome = store.serve(&mut router.begin(&event.to_string(), ENVIRONMENT, NOW), NOW);
    (outcome["request"].clone(), event)
}

/// The function-URL event of a device's request.
pub(crate) fn errand(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
    let (request, event) = routed(method, target, headers, Some(body));
    function_url(&event, &request, body)
}

/// The origin-response event of a device's request with object bytes.
pub(crate) fn passing(target: &str, headers: &[(&str, &str)], status: u16, answer: &[(&str, &str)]) -> Value {
    let (request, _) = routed("PUT", target, headers, None);
    origin_response(&request, status, answer)
}

/// The origin-response event of a read.
pub(crate) fn reading(method: &str, target: &str, status: u16, answer: &[(&str, &str)]) -> Value {
    let (request, _) = routed(method, target, &[("range", "bytes=0-4")], None);
    origin_response(&request, status, answer)
}

/// What an origin-response event ends with; what is deleted on the way S3 deletes.
pub(crate) fn responded_by(handler: &ResponseHandler, event: &str) -> Value {
    let mut conversation = handler.begin_origin_response(event, ENVIRONMENT, NOW);
    let step = parse(&conversation.step());
    if step["send"]["method"] == "DELETE" {
        return parse(&conversation.advance(&s3(204, &[], "").to_string(), NOW));
    }
    step
}

/// The conversation about an event, with the keys of passports at hand, and its first step after that.
pub(crate) fn begun(handler: &ResponseHandler, event: &Value, now: f64) -> (Conversation, Value) {
    let mut conversation = handler.begin(&event.to_string(), ENVIRONMENT, now);
    let step = Store::default().serve(&mut conversation, now);
    (conversation, step)
}

/// Does an errand with these answers of S3's; gives what was fetched and what the device is told.
pub(crate) fn done(event: &Value, answers: &[Value]) -> (Vec<Value>, Value) {
    let (mut conversation, mut step) = begun(&handler(), event, NOW);
    let mut sent = Vec::new();
    for answer in answers {
        assert!(step["send"].is_object(), "{step}");
        sent.push(step["send"].clone());
        step = parse(&conversation.advance(&answer.to_string(), NOW + 1.0));
    }
    assert!(step["response"].is_object(), "{step}");
    assert_eq!(parse(&conversation.step()), step);
    // An end is an end.
    assert_eq!(parse(&conversation.advance("{}", NOW + 2.0)), step);
    (sent, step)
}

/// The id that an answer tells the device for an upload, and the same answer with the origin's `id` in its place.
pub(crate) fn told_id(document: &str, id: &str) -> (String, String) {
    let (_, rest) = document.split_once("<UploadId>").unwrap();
    let (told, _) = rest.split_once("</UploadId>").unwrap();
    (told.to_owned(), document.replace(told, id))
}

/// An answer of S3's as Node hands it over.
pub(crate) fn s3(status: u16, headers: &[(&str, &str)], body: &str) -> Value {
    let mut written = json!({"x-amz-request-id": "318BC8BC148832E5", "server": "AmazonS3"});
    for (name, value) in headers {
        written[name] = (*value).into();
    }
    json!({"status": status, "headers": written, "body": recorded_events::base64(body.as_bytes())})
}

pub(crate) fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}
