//! The viewer-request function: verifies, authorises, and replaces what the device sent.
//!
//! Node begins a [`Conversation`] with each event. The key's shard and the keys of passports are asked
//! of Secrets Manager where no copy of them is fresh; then the conversation ends with the request to
//! hand back to CloudFront, or the answer. Nothing is decided here: this is the gateway's authorizer,
//! told in CloudFront's events.
//!
//! Of the viewer's headers only those stay that CloudFront lets no function change. The rest is built
//! from what was verified: for object bytes the headers for S3, for everything else the errand of the
//! response handler, and a passport that covers them, the path and the query.
//!
//! Every function derives the request id from CloudFront's own id of the request
//! ([`gateway::passport::request_id`]), so their log lines and answers have the same one.

mod hop;

use std::cell::RefCell;

pub use cloudfront_event::conversation::Conversation;
use cloudfront_event::conversation::seconds;
use cloudfront_event::visit::{Deployment, Environment};
use cloudfront_event::{Event, EventType, answers};
use gateway::config::Config;
use gateway::keys::shards::Shard;
use gateway::secrets::Kept;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::hop::Hop;

/// The function with its configuration; made once per instance.
#[wasm_bindgen]
pub struct Authorizer {
    function: &'static Function,
}

pub(crate) struct Function {
    config: Config,
    deployment: Deployment,
    /// The shards of key records by their numbers.
    shards: Vec<RefCell<Kept<Shard>>>,
}

#[wasm_bindgen]
impl Authorizer {
    /// Reads the configuration, the JSON made from causeway.toml. What it reads stays in memory as
    /// long as the instance.
    ///
    /// # Errors
    /// One sentence that names the mistake.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str) -> Result<Authorizer, String> {
        let config = Config::from_json(config).map_err(|error| error.to_string())?;
        let function = Function {
            deployment: Deployment::new(config.cloudfront.clone()),
            shards: (0..config.cloudfront.key_shards.get())
                .map(|_| RefCell::default())
                .collect(),
            config,
        };
        // JavaScript holds conversations without lifetimes, and they borrow the configuration.
        Ok(Self {
            function: Box::leak(Box::new(function)),
        })
    }

    /// Begins with a viewer-request event. `environment` is `{"access_key_id", "secret_access_key",
    /// "session_token", "region"}`, the function's own, and `now` is in seconds since 1970.
    pub fn begin(&self, event: &str, environment: &str, now: f64) -> Conversation {
        let now = seconds(now);
        let event = Event::from_json(event, EventType::ViewerRequest);
        match event.and_then(|event| Ok((event, Environment::from_json(environment)?))) {
            Ok((event, environment)) => {
                Conversation::begin(Box::new(Hop::new(self.function, event, environment)), now)
            }
            Err(error) => Conversation::ended(answers::unreadable(hop::FUNCTION, &error, now)),
        }
    }
}
