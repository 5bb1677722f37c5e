//! What the functions of the viewer's path answer by themselves.

use gateway::log::Line;
use gateway::passport;
use oss_s3::answer::{Answer, Asked, RequestId, Scheme};
use oss_s3::error::{Fault, Refusal};
use request_auth::UnixSeconds;
use serde_json::{Value, json};

use crate::{EventError, EventResponse};

impl From<&Answer> for EventResponse {
    /// An answer of the gateway's, as CloudFront takes one.
    fn from(answer: &Answer) -> Self {
        let headers = answer
            .headers
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_slice()));
        Self::generated(answer.status, headers, &answer.body)
    }
}

/// What a function behind the authorizer knows of the device's request: it does not see the device's
/// own host and path, and no answer of such a function repeats them.
pub fn asked<'a>(request_id: &'a RequestId, method: &'a str, now: UnixSeconds) -> Asked<'a> {
    Asked {
        request_id,
        now,
        method,
        scheme: Scheme::Https,
        host: "",
        path: b"",
    }
}

/// What `function` returns for an event that is none, a fault of the deployment: `response` and `log`.
pub fn unreadable(function: &'static str, error: &EventError, now: UnixSeconds) -> Value {
    let refusal = Refusal::new(Fault::GatewayFailed).because(error.to_string());
    let request_id = passport::request_id("");
    let mut line = Line::new(function, request_id.as_str(), "");
    line.refused(&refusal);
    let answer = refusal.answer(&asked(&request_id, "", now));
    json!({ "response": EventResponse::from(&answer), "log": line })
}
