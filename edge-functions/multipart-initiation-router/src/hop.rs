//! One origin-request event through the gateway's router.

use cloudfront_event::answers::asked;
use cloudfront_event::rules::{READ_ONLY_AT_ORIGIN_REQUEST, kept};
use cloudfront_event::{Event, EventRequest, EventResponse, Headers, set_header};
use gateway::document::Node;
use gateway::errand::ERRAND_HEADER;
use gateway::log::Line;
use gateway::origin_signature;
use gateway::passport::{
    self, BODY_HEADER, Carrier, Checked, Hop, ORIGIN_HEADER, OWN_PREFIX, PASSPORT_HEADER, PassportKeys,
};
use gateway::router::{self, Handler, Route};
use oss_s3::answer::RequestId;
use oss_s3::error::{Fault, Refusal};
use request_auth::UnixSeconds;
use request_auth::aws_v4::{self, Payload, Scope, SigningRequest};
use serde_json::{Value, json};

pub(crate) const FUNCTION: &str = "multipart-initiation-router";

/// An event with what is known of it so far.
pub(crate) struct Visit<'e> {
    event: &'e Event,
    request_id: RequestId,
    now: UnixSeconds,
    pub(crate) line: Line,
}

impl<'e> Visit<'e> {
    pub(crate) fn new(event: &'e Event, now: UnixSeconds) -> Self {
        let request_id = passport::request_id(&event.config.request_id);
        Self {
            event,
            now,
            line: Line::new(FUNCTION, request_id.as_str(), &event.request.method),
            request_id,
        }
    }

    /// The request to hand back.
    pub(crate) fn route(
        &mut self,
        handler: &Handler,
        passport_keys: &PassportKeys,
        credentials: &str,
    ) -> Result<EventRequest, Refusal> {
        let event = self.event;
        let lines = event.request.lines();
        let target = event.request.target();
        let carrier = Carrier {
            distribution: &event.config.distribution_id,
            event_request_id: &event.config.request_id,
            method: &event.request.method,
            path_and_query: &target,
            headers: &lines,
        };
        let checked = passport::check(Hop::AuthorizerToRouter, carrier, passport_keys, self.now)
            .ok_or_else(|| no_passport("There is no passport that counts for this request."))?;
        self.line.decided(checked.decision());
        match router::route(checked.decision().operation) {
            Route::Stream => self.stream(&checked),
            Route::Document => self.document(&checked, handler, passport_keys, credentials),
        }
    }

    /// Object bytes, straight to S3.
    fn stream(&self, checked: &Checked<'_>) -> Result<EventRequest, Refusal> {
        let received = &self.event.request;
        let mut headers = kept(&received.headers, &READ_ONLY_AT_ORIGIN_REQUEST);
        // A condition can't be taken out of the request here.
        if let Some(name) = headers
            .keys()
            .find(|name| name.starts_with("if-") && checked.header(name).is_none())
        {
            return Err(no_passport("The passport does not cover a condition of the request.").about(name));
        }
        let meant = checked.header(ORIGIN_HEADER).unwrap_or_default();
        match received.origin() {
            Some((authority, "")) if authority.as_bytes() == meant => {}
            _ => {
                return Err(Refusal::new(Fault::OriginMisconfigured).because(
                    "The origin of the distribution is not the one of the bucket's configuration, or has a path.",
                ));
            }
        }
        for (name, value) in checked.headers() {
            if !name.starts_with(OWN_PREFIX) && !headers.contains_key(*name) {
                set_header(&mut headers, name, String::from_utf8_lossy(value).into_owned());
            }
        }
        headers.extend(kept(&received.headers, &["host"]));
        Ok(self.handed_back(received.uri.clone(), received.querystring.clone(), headers))
    }

    /// Anything else, to the response handler.
    fn document(
        &self,
        checked: &Checked<'_>,
        handler: &Handler,
        passport_keys: &PassportKeys,
        credentials: &str,
    ) -> Result<EventRequest, Refusal> {
        let received = &self.event.request;
        let credentials = origin_signature::credentials(credentials)?;
        let body = self.body()?;
        let errand = checked.header(ERRAND_HEADER).unwrap_or_default();
        let digest = passport::body_digest(&body);
        let covered = [(ERRAND_HEADER, errand), (BODY_HEADER, digest.as_bytes())];
        let carrier = Carrier {
            distribution: "",
            event_request_id: "",
            method: &received.method,
            path_and_query: "/",
            headers: &covered,
        };
        let decision = checked.decision();
        let passport = passport::issue(Hop::RouterToHandler, decision, carrier, passport_keys, self.now)
            .ok_or_else(|| Refusal::new(Fault::GatewayFailed).because("No passport could be issued."))?;
        let signing = SigningRequest {
            method: &received.method,
            host: &handler.domain,
            path: "/",
            query: "",
            headers: &[],
            payload: Payload::Bytes(&body),
        };
        let scope = Scope {
            region: &handler.region,
            service: "lambda",
        };
        let mut headers = kept(&received.headers, &READ_ONLY_AT_ORIGIN_REQUEST);
        set_header(&mut headers, "host", handler.domain.clone());
        set_header(&mut headers, PASSPORT_HEADER, passport);
        for (name, value) in covered {
            set_header(&mut headers, name, String::from_utf8_lossy(value).into_owned());
        }
        for (name, value) in aws_v4::sign(signing, &credentials, scope, self.now) {
            set_header(&mut headers, name, value);
        }
        let mut request = self.handed_back("/".to_owned(), String::new(), headers);
        let custom = Node::table([
            ("customHeaders", Node::table([])),
            ("domainName", handler.domain.clone().into()),
            ("keepaliveTimeout", Node::Whole(5)),
            ("path", "".into()),
            ("port", Node::Whole(443)),
            ("protocol", "https".into()),
            ("readTimeout", Node::Whole(60)),
            ("sslProtocols", Node::List(vec!["TLSv1.2".into()])),
        ]);
        request.rest.set("origin", Node::table([("custom", custom)]));
        Ok(request)
    }

    /// The whole body, which the signature of the hop has to cover.
    fn body(&self) -> Result<Vec<u8>, Refusal> {
        let failed = |what: &'static str| Refusal::new(Fault::GatewayFailed).because(what);
        let received = &self.event.request;
        match &received.body {
            Some(body) if body.input_truncated => Err(Fault::DocumentCut.into()),
            Some(body) => body
                .bytes()
                .ok_or_else(|| failed("The body in the event can't be read.")),
            None => {
                let stated = received.header("content-length").unwrap_or("0");
                if stated == "0" && received.header("transfer-encoding").is_none() {
                    Ok(Vec::new())
                } else {
                    Err(failed(
                        "The event has no body: switch IncludeBody on for this function.",
                    ))
                }
            }
        }
    }

    fn handed_back(&self, uri: String, querystring: String, headers: Headers) -> EventRequest {
        EventRequest {
            method: self.event.request.method.clone(),
            uri,
            querystring,
            headers,
            body: None,
            rest: self.event.request.rest.clone(),
        }
    }

    /// The answer to a request that is refused.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) -> Value {
        self.line.refused(refusal);
        let answer = refusal.answer(&asked(&self.request_id, &self.event.request.method, self.now));
        json!({ "response": EventResponse::from(&answer), "log": self.line })
    }
}

fn no_passport(reason: &'static str) -> Refusal {
    Refusal::new(Fault::PassportMissing).because(reason)
}
