//! One viewer-request event through the gateway's authorizer.

use cloudfront_event::rules::{
    MAX_URI_AND_QUERY, MAX_VIEWER_ANSWER_BYTES, READ_ONLY_AT_VIEWER_REQUEST, kept,
};
use cloudfront_event::{Event, EventRequest, EventResponse, HeaderLine};
use gateway::authorizer;
use gateway::config::Config;
use gateway::errand::{self, ERRAND_HEADER};
use gateway::keys::KeyRecord;
use gateway::log::Line;
use gateway::passport::{self, Carrier, Decision, Hop, ORIGIN_HEADER, PASSPORT_HEADER, PassportKeys};
use gateway::router::{self, BodyRule, Route};
use oss_s3::answer::{Asked, RequestId, Scheme};
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::OriginRequest;
use request_auth::canon::percent_decode;
use request_auth::{Denial, UnixSeconds};
use serde_json::{Value, json};

pub(crate) const FUNCTION: &str = "viewer-request-authorizer";

/// An event with what is known of it so far.
pub(crate) struct Visit<'e> {
    event: &'e Event,
    request_id: RequestId,
    path: Vec<u8>,
    now: UnixSeconds,
    pub(crate) line: Line,
}

impl<'e> Visit<'e> {
    pub(crate) fn new(event: &'e Event, now: UnixSeconds) -> Self {
        let request_id = passport::request_id(&event.config.request_id);
        let raw = event.request.uri.as_bytes();
        Self {
            event,
            path: percent_decode(raw).unwrap_or_else(|| raw.to_vec()),
            now,
            line: Line::new(FUNCTION, request_id.as_str(), &event.request.method),
            request_id,
        }
    }

    /// Which key the request claims.
    pub(crate) fn key_id(&mut self) -> Result<String, Refusal> {
        let target = self.event.request.target();
        let head = self.event.request.head(&target).map_err(Denial::from)?;
        Ok(authorizer::claim(&head)?.key_id().to_owned())
    }

    /// The request to hand back.
    pub(crate) fn authorize(
        &mut self,
        config: &Config,
        passport_keys: &PassportKeys,
        look_up: &str,
    ) -> Result<EventRequest, Refusal> {
        let received = &self.event.request;
        let target = received.target();
        let head = received.head(&target).map_err(Denial::from)?;
        let claim = authorizer::claim(&head)?;
        self.line.access_key_id = Some(claim.key_id().to_owned());
        let record = KeyRecord::from_look_up(claim.key_id(), look_up)?;
        let authorized = authorizer::authorize(config, &head, &claim, &record, self.now)?;
        let operation = authorized.call().operation();
        let decision = Decision {
            operation,
            bucket: authorized.bucket().name.clone(),
            key: authorized.key().as_str().to_owned(),
            request_id: self.request_id.as_str().to_owned(),
        };
        self.line.decided(&decision);
        let errand = authorized.errand()?;
        // Whether a body of unstated length is empty can't be seen here.
        if router::body_rule(operation, router::content_length(&head))? == BodyRule::Empty {
            return Err(Fault::LengthMissing.into());
        }
        let origin = OriginRequest::new(&errand);
        let mut headers: Vec<(String, String)> = match router::route(operation) {
            Route::Stream => {
                let mut headers = errand
                    .headers()
                    .iter()
                    .map(|(name, value)| Ok((name.clone().into_owned(), text(value)?)))
                    .collect::<Result<Vec<_>, Refusal>>()?;
                headers.push((ORIGIN_HEADER.to_owned(), origin.host.clone()));
                headers
            }
            Route::Document => vec![(ERRAND_HEADER.to_owned(), errand::write(&errand, &self.asked())?)],
        };
        if origin.path.len().saturating_add(origin.query.len()) >= MAX_URI_AND_QUERY {
            return Err(Fault::TargetTooLong.into());
        }
        let covered: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let path_and_query = origin.path_and_query();
        let carrier = Carrier {
            distribution: &self.event.config.distribution_id,
            event_request_id: &self.event.config.request_id,
            method: &received.method,
            path_and_query: &path_and_query,
            headers: &covered,
        };
        let passport = passport::issue(
            Hop::AuthorizerToRouter,
            &decision,
            carrier,
            passport_keys,
            self.now,
        )
        .ok_or_else(|| Refusal::new(Fault::GatewayFailed).because("No passport could be issued."))?;
        headers.push((PASSPORT_HEADER.to_owned(), passport));

        let mut lines = kept(&received.headers, &READ_ONLY_AT_VIEWER_REQUEST);
        for (name, value) in headers {
            lines.insert(name, vec![HeaderLine { key: None, value }]);
        }
        Ok(EventRequest {
            method: received.method.clone(),
            uri: origin.path,
            querystring: origin.query,
            headers: lines,
            body: None,
            rest: received.rest.clone(),
        })
    }

    /// The answer to a request that is refused.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) -> Value {
        self.line.refused(refusal);
        let mut response = EventResponse::from(&refusal.answer(&self.asked()));
        if response.size() > MAX_VIEWER_ANSWER_BYTES {
            // The string to sign of a long request is longer than CloudFront takes.
            response = EventResponse::from(&Refusal::new(refusal.fault()).answer(&self.asked()));
        }
        json!({ "response": response, "log": self.line })
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            request_id: &self.request_id,
            now: self.now,
            method: &self.event.request.method,
            // The event does not say; the distribution takes no other by default.
            scheme: Scheme::Https,
            host: self.event.request.header("host").unwrap_or_default(),
            path: &self.path,
        }
    }
}

/// The tables send text only; bytes that are none would be changed on the way.
fn text(value: &[u8]) -> Result<String, Refusal> {
    String::from_utf8(value.to_vec())
        .map_err(|_| Refusal::new(Fault::GatewayFailed).because("A translated header is not text."))
}
