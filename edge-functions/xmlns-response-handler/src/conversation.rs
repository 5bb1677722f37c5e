//! One errand: the conversation with S3 about it, between calls from JavaScript.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloudfront_event::EventError;
use cloudfront_event::function_url::{FunctionUrlAnswer, FunctionUrlRequest};
use gateway::errand;
use gateway::log::Line;
use gateway::origin_signature;
use gateway::passport::{self, BODY_HEADER, Carrier, Hop};
use gateway::response_handler::{Exchange, Step};
use gateway::router::{self, BodyRule};
use oss_s3::answer::{Answer, Asked, RequestId, Scheme};
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::{OriginBody, OriginRequest};
use oss_s3::response::OriginAnswer;
use request_auth::UnixSeconds;
use request_auth::aws_v4::OriginCredentials;
use serde::Deserialize;
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{Settings, seconds};

const FUNCTION: &str = "xmlns-response-handler";

/// The conversation with S3 about one errand.
#[wasm_bindgen]
pub struct Conversation {
    /// `None` once it is answered.
    talk: Option<Talk>,
    device: Device,
    line: Line,
    step: Value,
}

struct Talk {
    exchange: Exchange<'static>,
    credentials: OriginCredentials,
}

/// Whom the answer is for.
struct Device {
    request_id: RequestId,
    method: String,
    host: String,
    path: String,
}

/// What Node's fetch gave.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Fetched {
    Answer {
        status: u16,
        headers: BTreeMap<String, String>,
        body: String,
    },
    Failure {
        failed: String,
    },
}

#[wasm_bindgen]
impl Conversation {
    /// What to do now: `{"send": …}` or `{"response": …, "log": …}`.
    pub fn step(&self) -> String {
        self.step.to_string()
    }

    /// Takes what was fetched, and says what to do next. `answer` is `{"status", "headers", "body"}`
    /// with lower-case header names and the body in base64, or `{"failed": "why"}`.
    pub fn advance(&mut self, answer: &str, now: f64) -> String {
        let now = seconds(now);
        let Some(mut talk) = self.talk.take() else {
            return self.step();
        };
        let outcome = read(answer).and_then(|answer| {
            self.line.origin_status = Some(answer.status);
            self.line.origin_request_id = answer.request_id().map(str::to_owned);
            talk.exchange.advance(&answer, &self.device.asked(now))
        });
        match outcome {
            Ok(Step::Send(request)) => {
                self.step = talk.send(&request, now);
                self.talk = Some(talk);
            }
            Ok(Step::Answer(answer)) => self.end(&answer),
            Err(refusal) => self.refuse(&refusal, now),
        }
        self.step()
    }
}

impl Conversation {
    pub(crate) fn begin(
        settings: &'static Settings,
        request: &FunctionUrlRequest,
        credentials: &str,
        now: UnixSeconds,
    ) -> Self {
        let method = &request.request_context.http.method;
        let mut conversation = Self::new(method, &request.request_context.request_id);
        if let Err(refusal) = conversation.open(settings, request, credentials, now) {
            conversation.refuse(&refusal, now);
        }
        conversation
    }

    /// For an event that is none, a fault of the deployment.
    pub(crate) fn unreadable(error: &EventError, now: UnixSeconds) -> Self {
        let mut conversation = Self::new("", "");
        let refusal = Refusal::new(Fault::GatewayFailed).because(error.to_string());
        conversation.refuse(&refusal, now);
        conversation
    }

    /// Until the passport says whose request it is, it goes by Lambda's own id.
    fn new(method: &str, lambda_request_id: &str) -> Self {
        let request_id = passport::request_id(lambda_request_id);
        Self {
            talk: None,
            device: Device {
                request_id,
                method: method.to_owned(),
                host: String::new(),
                path: String::new(),
            },
            line: Line::new(FUNCTION, request_id.as_str(), method),
            step: Value::Null,
        }
    }

    /// Checks the passport and begins the exchange with S3.
    fn open(
        &mut self,
        settings: &'static Settings,
        request: &FunctionUrlRequest,
        credentials: &str,
        now: UnixSeconds,
    ) -> Result<(), Refusal> {
        let headers: Vec<(&str, &[u8])> = request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let target = request.target();
        let carrier = Carrier {
            distribution: "",
            event_request_id: "",
            method: &request.request_context.http.method,
            path_and_query: &target,
            headers: &headers,
        };
        let missing = |reason: &'static str| Refusal::new(Fault::PassportMissing).because(reason);
        let checked = passport::check(Hop::RouterToHandler, carrier, &settings.passport_keys, now)
            .ok_or_else(|| missing("There is no passport that counts for this request."))?;
        let decision = checked.decision();
        if let Some(id) = RequestId::from_text(&decision.request_id) {
            self.device.request_id = id;
            self.line.request_id = id.as_str().to_owned();
        }
        self.line.decided(decision);
        let body = request
            .body()
            .filter(|body| checked.header(BODY_HEADER) == Some(passport::body_digest(body).as_bytes()));
        let body = body.ok_or_else(|| missing("The passport does not cover the body."))?;
        let received = errand::read(&settings.config, &checked).ok_or_else(|| {
            Refusal::new(Fault::GatewayFailed)
                .because("The errand can't be read: the functions have different configurations or versions.")
        })?;
        self.device.host = received.host;
        self.device.path = received.path;
        let credentials = origin_signature::credentials(credentials)?;
        let length = u64::try_from(body.len()).ok();
        let document = match router::body_rule(decision.operation, length)? {
            BodyRule::Read { .. } => body.as_slice(),
            BodyRule::Stream | BodyRule::Empty | BodyRule::Ignore => &[],
        };
        let (exchange, first) = Exchange::begin(received.errand, document)?;
        let talk = Talk {
            exchange,
            credentials,
        };
        self.step = talk.send(&first, now);
        self.talk = Some(talk);
        Ok(())
    }

    fn refuse(&mut self, refusal: &Refusal, now: UnixSeconds) {
        self.line.refused(refusal);
        self.end(&refusal.answer(&self.device.asked(now)));
    }

    fn end(&mut self, answer: &Answer) {
        self.line.status = Some(answer.status);
        let headers = answer
            .headers
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_slice()));
        let response = FunctionUrlAnswer::new(answer.status, headers, &answer.body);
        self.step = json!({ "response": response, "log": self.line });
    }
}

impl Talk {
    /// What to fetch for a request, signed.
    fn send(&self, request: &OriginRequest, now: UnixSeconds) -> Value {
        let origin = &self.exchange.errand().bucket().origin;
        let mut headers: BTreeMap<&str, String> = request
            .headers
            .iter()
            .map(|(name, value)| (name.as_ref(), String::from_utf8_lossy(value).into_owned()))
            .collect();
        headers.extend(origin_signature::headers(request, origin, &self.credentials, now));
        let body = match &request.body {
            OriginBody::Document(bytes) => Some(STANDARD.encode(bytes)),
            OriginBody::Empty | OriginBody::AwaitsParts | OriginBody::Device => None,
        };
        let most = [200, 400].map(|status| self.exchange.document_bytes(status));
        json!({ "send": {
            "method": request.method,
            "url": request.url(),
            "headers": headers,
            "body": body,
            "most_bytes": most.into_iter().max(),
        }})
    }
}

impl Device {
    fn asked(&self, now: UnixSeconds) -> Asked<'_> {
        Asked {
            request_id: &self.request_id,
            now,
            method: &self.method,
            scheme: Scheme::Https,
            host: &self.host,
            path: self.path.as_bytes(),
        }
    }
}

fn read(answer: &str) -> Result<OriginAnswer, Refusal> {
    let down = |why: &str| {
        Refusal::new(Fault::OriginUnavailable).because(["the origin does not answer: ", why].concat())
    };
    match serde_json::from_str(answer) {
        Ok(Fetched::Answer {
            status,
            headers,
            body,
        }) => Ok(OriginAnswer {
            status,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name, value.into_bytes()))
                .collect(),
            body: STANDARD.decode(body).map_err(|_| down("its body is no base64"))?,
        }),
        Ok(Fetched::Failure { failed }) => Err(down(&failed)),
        Err(_) => Err(down("the function fetched something else than an answer")),
    }
}
