//! The origin-request function: lets on only what carries a passport, and says which way.
//!
//! Object bytes go on to S3 untouched, with the headers that the passport covers and no others; the
//! distribution's origin access control signs them, so no secret is in that path. Everything that S3
//! answers with a document is re-pointed to the response handler's function URL: with its errand, a
//! passport of the second hop, and a SigV4 signature over the digest of the body, which CloudFront
//! shows up to 1 MB. A request without a passport is answered 403, so a behaviour that lacks the
//! authorizer fails closed.
//!
//! The errand says what to do, so the function URL is called with the path `/` and no query: SigV4
//! encodes the path of every service but S3 twice, and folds slashes in it, which object keys would
//! not survive.
//!
//! [`Router::route`] gives JSON: `{"request": …, "log": …}` or `{"response": …, "log": …}`. The body is
//! not in the request: CloudFront sends the device's own.

mod hop;

use cloudfront_event::answers;
use cloudfront_event::{Event, EventType};
use gateway::passport::PassportKeys;
use gateway::router::Handler;
use request_auth::UnixSeconds;
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::hop::Visit;

/// The function with its configuration; made once per instance.
#[wasm_bindgen]
pub struct Router {
    handler: Handler,
    passport_keys: PassportKeys,
}

#[wasm_bindgen]
impl Router {
    /// Reads where the response handler is (`{"domain": …, "region": …}`) and the keys of passports
    /// (`[{"id": …, "secret": …}]`, the first issues).
    ///
    /// # Errors
    /// One sentence that names the mistake.
    #[wasm_bindgen(constructor)]
    pub fn new(handler: &str, passport_keys: &str) -> Result<Router, String> {
        Ok(Self {
            handler: Handler::from_json(handler).map_err(|error| error.to_string())?,
            passport_keys: PassportKeys::from_json(passport_keys).map_err(|error| error.to_string())?,
        })
    }

    /// Routes the request of an origin-request event. `credentials` are the function's own
    /// (`{"access_key_id": …, "secret_access_key": …, "session_token": …}`), `now` is in seconds since
    /// 1970.
    pub fn route(&self, event: &str, credentials: &str, now: f64) -> String {
        // What is no number is 1970, which no passport survives.
        let now = UnixSeconds(now as i64);
        let event = match Event::from_json(event, EventType::OriginRequest) {
            Ok(event) => event,
            Err(error) => return answers::unreadable(hop::FUNCTION, &error, now).to_string(),
        };
        let mut visit = Visit::new(&event, now);
        match visit.route(&self.handler, &self.passport_keys, credentials) {
            Ok(request) => json!({ "request": request, "log": visit.line }).to_string(),
            Err(refusal) => visit.refuse(&refusal).to_string(),
        }
    }
}
