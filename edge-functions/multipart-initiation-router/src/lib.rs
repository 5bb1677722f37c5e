//! The origin-request function: lets on only what carries a passport, and says which way.
//!
//! Object bytes go on to S3 untouched, with the headers that the passport covers and no others. With
//! `direct_path = "oac"` the distribution's origin access control signs them, so no secret is in that
//! path; with `"router-signed"` this function does, for the bucket that the passport covers. Everything
//! that S3 answers with a document is re-pointed to the response handler's function URL: with its
//! errand, a passport of the second hop, and a SigV4 signature over the digest of the body, which
//! CloudFront shows up to 1 MB. A request without a passport is answered 403, so a behaviour that lacks
//! the authorizer fails closed.
//!
//! Where the handler is says the distribution: in the origin's custom header [`HANDLER_HEADER`], which
//! no viewer can write and which goes no further.
//!
//! The errand says what to do, so the function URL is called with the path `/` and no query: SigV4
//! encodes the path of every service but S3 twice, and folds slashes in it, which object keys would
//! not survive.
//!
//! The body is not in what is handed back: CloudFront sends the device's own.

mod hop;

pub use cloudfront_event::conversation::Conversation;
use cloudfront_event::conversation::seconds;
use cloudfront_event::visit::{Deployment, Environment};
use cloudfront_event::{Event, EventType, answers};
use gateway::config::cloudfront::CloudFront;
use wasm_bindgen::prelude::wasm_bindgen;

pub use crate::hop::HANDLER_HEADER;
use crate::hop::Hop;

/// The function with its configuration; made once per instance.
#[wasm_bindgen]
pub struct Router {
    deployment: &'static Deployment,
}

#[wasm_bindgen]
impl Router {
    /// Reads from the configuration, the JSON made from causeway.toml, what counts on CloudFront. What
    /// it reads stays in memory as long as the instance.
    ///
    /// # Errors
    /// One sentence that names the mistake.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str) -> Result<Router, String> {
        let cloudfront = CloudFront::from_json(config).map_err(|error| error.to_string())?;
        // JavaScript holds conversations without lifetimes, and they borrow the deployment.
        Ok(Self {
            deployment: Box::leak(Box::new(Deployment::new(cloudfront))),
        })
    }

    /// Begins with an origin-request event. `environment` is `{"access_key_id", "secret_access_key",
    /// "session_token", "region"}`, the function's own, and `now` is in seconds since 1970.
    pub fn begin(&self, event: &str, environment: &str, now: f64) -> Conversation {
        let now = seconds(now);
        let event = Event::from_json(event, EventType::OriginRequest);
        match event.and_then(|event| Ok((event, Environment::from_json(environment)?))) {
            Ok((event, environment)) => {
                Conversation::begin(Box::new(Hop::new(self.deployment, event, environment)), now)
            }
            Err(error) => Conversation::ended(answers::unreadable(hop::FUNCTION, &error, now)),
        }
    }
}
