//! The response handler: gives devices S3's answers in their dialect.
//!
//! It is two functions. Behind its function URL it does the errands that the router sends, which are
//! everything that S3 answers with a document: a [`Conversation`] checks the passport, says what to
//! fetch from S3, signed with the function's own role, and ends with the answer. At origin-response it
//! renames the headers of answers to object bytes, and puts documents of the device's dialect in the place of errors:
//! CloudFront shows a function the head of S3's answer and never its body. What waits in the place of a part that
//! S3 has just taken it deletes first.

mod errand;
mod passing;

pub use cloudfront_event::conversation::Conversation;
use cloudfront_event::conversation::seconds;
use cloudfront_event::function_url::FunctionUrlRequest;
use cloudfront_event::visit::{Deployment, Environment};
use cloudfront_event::{Event, EventType, answers};
use gateway::config::Config;
use wasm_bindgen::prelude::wasm_bindgen;

pub use crate::errand::ANSWER_WITHIN_SECONDS;
use crate::errand::Hop;
use crate::passing::Passing;

/// The function with its configuration; made once per instance.
#[wasm_bindgen]
pub struct ResponseHandler {
    function: &'static Function,
}

pub(crate) struct Function {
    config: Config,
    deployment: Deployment,
}

#[wasm_bindgen]
impl ResponseHandler {
    /// Reads the configuration, the JSON made from causeway.toml. What it reads stays in memory as
    /// long as the instance.
    ///
    /// # Errors
    /// One sentence that names the mistake.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str) -> Result<ResponseHandler, String> {
        let config = Config::from_json(config).map_err(|error| error.to_string())?;
        let deployment = Deployment::new(config.cloudfront.clone());
        // JavaScript holds conversations without lifetimes, and they borrow the configuration.
        Ok(Self {
            function: Box::leak(Box::new(Function { config, deployment })),
        })
    }

    /// Begins the errand of a request to the function URL. `environment` is `{"access_key_id",
    /// "secret_access_key", "session_token", "region"}`, the function's own, and `now` is in seconds
    /// since 1970.
    pub fn begin(&self, event: &str, environment: &str, now: f64) -> Conversation {
        let now = seconds(now);
        let request = FunctionUrlRequest::from_json(event);
        match request.and_then(|request| Ok((request, Environment::from_json(environment)?))) {
            Ok((request, environment)) => {
                let hop = Hop::new(self.function, request, environment, now);
                Conversation::begin(Box::new(hop), now)
            }
            Err(error) => Conversation::ended(answers::unreadable_call(errand::FUNCTION, &error, now)),
        }
    }

    /// Begins with an origin-response event; what it ends with has a `response`. The other arguments are those of
    /// [`begin`](Self::begin).
    #[wasm_bindgen(js_name = beginOriginResponse)]
    pub fn begin_origin_response(&self, event: &str, environment: &str, now: f64) -> Conversation {
        let now = seconds(now);
        let event = Event::from_json(event, EventType::OriginResponse);
        match event.and_then(|event| Ok((event, Environment::from_json(environment)?))) {
            Ok((event, environment)) => {
                let passing = Passing::new(&self.function.config, event, environment);
                Conversation::begin(Box::new(passing), now)
            }
            Err(error) => Conversation::ended(answers::unreadable(passing::FUNCTION, &error, now)),
        }
    }
}
