//! The response handler: gives devices S3's answers in OSS's words.
//!
//! It is two functions. Behind its function URL it does the errands that the router sends, which are
//! everything that S3 answers with a document: [`ResponseHandler::begin`] checks the passport and says
//! what to fetch, Node fetches it, and [`Conversation::advance`] takes the answer and says what comes
//! next. At origin-response it renames the headers of answers to object bytes, and puts OSS documents
//! in the place of errors: CloudFront shows a function the head of S3's answer and never its body.
//!
//! What it says is JSON. `{"send": {"method", "url", "headers", "body", "most_bytes"}}`: fetch this, with
//! `body` decoded from base64 (`null`: none), follow no redirect, and read at most `most_bytes` of the
//! answer and one byte more. `{"response": …, "log": …}`: the answer, and one line for the log.

mod conversation;
mod passing;

use cloudfront_event::answers;
use cloudfront_event::function_url::FunctionUrlRequest;
use cloudfront_event::{Event, EventType};
use gateway::config::Config;
use gateway::passport::PassportKeys;
use request_auth::UnixSeconds;
use wasm_bindgen::prelude::wasm_bindgen;

pub use crate::conversation::Conversation;

/// The function with its configuration; made once per instance.
#[wasm_bindgen]
pub struct ResponseHandler {
    settings: &'static Settings,
}

pub(crate) struct Settings {
    config: Config,
    passport_keys: PassportKeys,
}

#[wasm_bindgen]
impl ResponseHandler {
    /// Reads the configuration (the JSON made from causeway.toml) and the keys of passports
    /// (`[{"id": …, "secret": …}]`). What it reads stays in memory as long as the instance.
    ///
    /// # Errors
    /// One sentence that names the mistake.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str, passport_keys: &str) -> Result<ResponseHandler, String> {
        let settings = Settings {
            config: Config::from_json(config).map_err(|error| error.to_string())?,
            passport_keys: PassportKeys::from_json(passport_keys).map_err(|error| error.to_string())?,
        };
        // JavaScript holds conversations without lifetimes, and they borrow the configuration.
        Ok(Self {
            settings: Box::leak(Box::new(settings)),
        })
    }

    /// Begins the errand of a request to the function URL. `credentials` are the function's own
    /// (`{"access_key_id": …, "secret_access_key": …, "session_token": …}`), `now` is in seconds since
    /// 1970. [`Conversation::step`] has the first thing to do.
    pub fn begin(&self, event: &str, credentials: &str, now: f64) -> Conversation {
        match FunctionUrlRequest::from_json(event) {
            Ok(request) => Conversation::begin(self.settings, &request, credentials, seconds(now)),
            Err(error) => Conversation::unreadable(&error, seconds(now)),
        }
    }

    /// Translates the answer of an origin-response event: `{"response": …, "log": …}`.
    #[wasm_bindgen(js_name = originResponse)]
    pub fn origin_response(&self, event: &str, now: f64) -> String {
        match Event::from_json(event, EventType::OriginResponse) {
            Ok(event) => passing::respond(&self.settings.config, &event, seconds(now)).to_string(),
            Err(error) => answers::unreadable(passing::FUNCTION, &error, seconds(now)).to_string(),
        }
    }
}

/// JavaScript's numbers to whole seconds; what is no number is 1970, which no passport survives.
pub(crate) fn seconds(now: f64) -> UnixSeconds {
    UnixSeconds(now as i64)
}
