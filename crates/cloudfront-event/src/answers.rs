//! How a conversation ends: what a function hands back, beside its log line.

use gateway::document::Node;
use gateway::log::Line;
use gateway::passport;
use oss_s3::answer::{Answer, Asked, RequestId, Scheme};
use oss_s3::error::{Fault, Refusal};
use request_auth::{Dialect, UnixSeconds};

use crate::function_url;
use crate::{EventError, EventRequest, EventResponse};

/// What a function behind the authorizer knows of the device's request: it does not see the device's
/// own host and path, and no answer of such a function repeats them.
pub fn asked<'a>(
    dialect: Dialect,
    request_id: &'a RequestId,
    method: &'a str,
    now: UnixSeconds,
) -> Asked<'a> {
    Asked {
        dialect,
        request_id,
        now,
        method,
        scheme: Scheme::Https,
        host: "",
        path: b"",
    }
}

/// The end in which the request goes on.
pub fn request(request: &EventRequest, line: &Line) -> String {
    end("request", request.into(), line)
}

/// The end in which a Lambda@Edge function answers.
pub fn response(response: &EventResponse, line: &Line) -> String {
    end("response", response.into(), line)
}

/// The end in which a function answers that was called through its URL.
pub fn reply(answer: &Answer, line: &Line) -> String {
    end("response", function_url::answer(answer), line)
}

/// What a Lambda@Edge function says to an event that is none, a fault of the deployment.
pub fn unreadable(function: &'static str, error: &EventError, now: UnixSeconds) -> String {
    let (answer, line) = refused(function, error, now);
    response(&EventResponse::from(&answer), &line)
}

/// The same behind a function URL.
pub fn unreadable_call(function: &'static str, error: &EventError, now: UnixSeconds) -> String {
    let (answer, line) = refused(function, error, now);
    reply(&answer, &line)
}

fn end(name: &'static str, what: Node<'_>, line: &Line) -> String {
    Node::table([(name, what), ("log", line.into())]).to_json()
}

fn refused(function: &'static str, error: &EventError, now: UnixSeconds) -> (Answer, Line) {
    let refusal = Refusal::new(Fault::GatewayFailed).because(error.to_string());
    let request_id = passport::request_id("");
    let mut line = Line::new(function, request_id.as_str(), "");
    line.refused(&refusal, Dialect::Oss);
    let asked = asked(Dialect::Oss, &request_id, "", now);
    (refusal.answer(&asked), line)
}
