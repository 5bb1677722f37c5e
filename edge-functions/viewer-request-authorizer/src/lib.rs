//! The viewer-request function: verifies, authorises, and replaces what the device sent.
//!
//! Node calls it twice per request and looks the key up in between: [`Authorizer::key_id`] reads which
//! key a request claims, [`Authorizer::authorize`] gives the request to hand back to CloudFront, or the
//! answer. Both give JSON: `{"key_id": …}`, `{"request": …, "log": …}` or `{"response": …, "log": …}`;
//! `log` is one line for the log. Nothing is decided here: this is the gateway's authorizer, told in
//! CloudFront's events.
//!
//! Of the viewer's headers only those stay that CloudFront lets no function change. The rest is built
//! from what was verified: for object bytes the headers for S3, for everything else the errand of the
//! response handler, and a passport that covers them, the path and the query.
//!
//! Every function derives the request id from CloudFront's own id of the request
//! ([`gateway::passport::request_id`]), so their log lines and answers have the same one.

mod hop;

use cloudfront_event::answers;
use cloudfront_event::{Event, EventType};
use gateway::config::Config;
use gateway::passport::PassportKeys;
use request_auth::UnixSeconds;
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::hop::Visit;

/// The function with its configuration; made once per instance.
#[wasm_bindgen]
pub struct Authorizer {
    config: Config,
    passport_keys: PassportKeys,
}

#[wasm_bindgen]
impl Authorizer {
    /// Reads the configuration (the JSON made from causeway.toml) and the keys of passports
    /// (`[{"id": …, "secret": …}]`, the first issues).
    ///
    /// # Errors
    /// One sentence that names the mistake.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str, passport_keys: &str) -> Result<Authorizer, String> {
        Ok(Self {
            config: Config::from_json(config).map_err(|error| error.to_string())?,
            passport_keys: PassportKeys::from_json(passport_keys).map_err(|error| error.to_string())?,
        })
    }

    /// Which key the request of a viewer-request event claims to be signed with: the one to look up.
    /// `now` is in seconds since 1970.
    #[wasm_bindgen(js_name = keyId)]
    pub fn key_id(&self, event: &str, now: f64) -> String {
        let event = match Event::from_json(event, EventType::ViewerRequest) {
            Ok(event) => event,
            Err(error) => return answers::unreadable(hop::FUNCTION, &error, seconds(now)).to_string(),
        };
        let mut visit = Visit::new(&event, seconds(now));
        match visit.key_id() {
            Ok(key_id) => json!({ "key_id": key_id }).to_string(),
            Err(refusal) => visit.refuse(&refusal).to_string(),
        }
    }

    /// Verifies and authorises the request of the same event, with what the look-up of its key gave:
    /// the record's JSON; `null` for no such key; `{"unavailable": "why"}` where the store failed.
    pub fn authorize(&self, event: &str, look_up: &str, now: f64) -> String {
        let event = match Event::from_json(event, EventType::ViewerRequest) {
            Ok(event) => event,
            Err(error) => return answers::unreadable(hop::FUNCTION, &error, seconds(now)).to_string(),
        };
        let mut visit = Visit::new(&event, seconds(now));
        match visit.authorize(&self.config, &self.passport_keys, look_up) {
            Ok(request) => json!({ "request": request, "log": visit.line }).to_string(),
            Err(refusal) => visit.refuse(&refusal).to_string(),
        }
    }
}

/// JavaScript's numbers to whole seconds; what is no number is 1970, which no signature survives.
fn seconds(now: f64) -> UnixSeconds {
    UnixSeconds(now as i64)
}
