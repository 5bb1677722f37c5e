//! One origin-response event: the answer that passes, in the device's dialect, once what a part replaces is gone.

use cloudfront_event::answers::{self, asked};
use cloudfront_event::conversation::{Body, Send, Step, Work};
use cloudfront_event::rules::READ_ONLY_AT_ORIGIN_RESPONSE;
use cloudfront_event::visit::{Environment, Visit};
use cloudfront_event::{Event, EventResponse, Headers};
use gateway::config::Config;
use gateway::cors::{ORIGIN, Shared};
use gateway::errand::ERRAND_HEADER;
use gateway::log::Line;
use gateway::passport;
use gateway::replaced::{self, still_there};
use gateway::response_handler;
use gateway::router;
use oss_s3::addressing::VirtualBucket;
use oss_s3::answer::Asked;
use oss_s3::errand::PAYER_HEADER;
use oss_s3::error::{Fault, Refusal};
use oss_s3::operation::Operation;
use oss_s3::request::OriginRequest;
use oss_s3::response::{self, OriginAnswer};
use request_auth::Dialect;

pub(crate) const FUNCTION: &str = "xmlns-response-handler/origin-response";

/// How long S3 may take to delete a staged part, in milliseconds: what a device waits at most for an answer
/// that is there already.
const DELETION_MILLISECONDS: u32 = 5000;

/// An answer on its way.
pub(crate) struct Passing {
    config: &'static Config,
    event: Event,
    visit: Visit,
}

impl Work for Passing {
    fn visit(&mut self) -> &mut Visit {
        &mut self.visit
    }

    /// Deletes what a part replaces, and answers.
    fn go_on(&mut self) -> Result<Step, Refusal> {
        let deletion = self.deletion();
        let Some((bucket, request)) = deletion else {
            return Ok(Step::End(self.respond()));
        };
        let Some(fetched) = self.visit.fetched.take() else {
            return Ok(Step::Send(Send {
                method: request.method,
                url: request.url(),
                headers: self.visit.signed(&request, &bucket.origin),
                body: Body::None,
                most_bytes: 0,
                timeout_ms: DELETION_MILLISECONDS,
            }));
        };
        self.visit.line.operation = Some(Operation::UploadPart.name());
        match fetched.one() {
            Ok(answer) if answer.is_success() => Ok(Step::End(self.respond())),
            Ok(answer) => Err(still_there(&answer.status.to_string())),
            Err(why) => Err(still_there(&why)),
        }
    }

    fn refuse(&mut self, refusal: &Refusal) -> String {
        self.visit.line.refused(refusal, self.visit.dialect);
        let response = self.refused(refusal);
        answers::response(&response, &self.visit.line)
    }
}

impl Passing {
    pub(crate) fn new(config: &'static Config, event: Event, environment: Environment) -> Self {
        let (id, method) = (&event.config.request_id, &event.request.method);
        Self {
            config,
            visit: Visit::new(dialect(&event), FUNCTION, environment, id, method),
            event,
        }
    }

    /// What is to be deleted, because S3 has taken the part of the event's request.
    fn deletion(&self) -> Option<(&'static VirtualBucket, OriginRequest)> {
        let request = &self.event.request;
        let is_stored = self.event.response.as_ref()?.status == "200" && request.method == "PUT";
        let (host, _) = request.origin().filter(|_| is_stored)?;
        let pays = request.header(PAYER_HEADER).is_some();
        replaced::deletion(self.config, &host, &request.uri, &request.querystring, pays)
    }

    /// The answer in the place of the event's.
    fn respond(&mut self) -> String {
        let (id, now) = (self.visit.request_id, self.visit.now);
        let asked = asked(self.visit.dialect, &id, &self.event.request.method, now);
        let response = match answer(self.config, &self.event, &asked, &mut self.visit.line) {
            Ok(response) => self.marked(response),
            Err(refusal) => return self.refuse(&refusal),
        };
        answers::response(&response, &self.visit.line)
    }

    fn refused(&self, refusal: &Refusal) -> EventResponse {
        let id = self.visit.request_id;
        let method = &self.event.request.method;
        let asked = asked(self.visit.dialect, &id, method, self.visit.now);
        let mut response = EventResponse::from(&refusal.answer(&asked));
        if let Some(received) = &self.event.response {
            for (name, lines) in received.headers.kept(&READ_ONLY_AT_ORIGIN_RESPONSE).iter() {
                response.headers.insert(name, lines.to_vec());
            }
        }
        self.marked(response)
    }

    /// The answer with what lets the page read it that sent the request.
    fn marked(&self, mut response: EventResponse) -> EventResponse {
        if let Some(shared) = shared(self.config, &self.event, self.visit.dialect) {
            for (name, value) in shared.headers() {
                response.headers.set(name, value.to_owned());
            }
        }
        response
    }
}

/// What lets the page that sent the request read the answer. The authorizer sends on the Origin of a page
/// only where a rule of the bucket allows it; what S3 says of CORS is never passed on.
fn shared(config: &Config, event: &Event, dialect: Dialect) -> Option<Shared> {
    let request = &event.request;
    let origin = request.header(ORIGIN)?;
    let claimed = passport::claimed_bucket(&request.lines());
    let (host, _) = request.origin()?;
    let is_meant = |name: &str| match &claimed {
        Some(bucket) => bucket == name,
        None => {
            let mut buckets = config.hosts.buckets().iter();
            let is_at = |bucket: &VirtualBucket| {
                bucket.origin.is_at(&host, &request.uri) || bucket.stages_at(&host, &request.uri)
            };
            buckets.any(|bucket| bucket.name == name && is_at(bucket))
        }
    };
    config.cors.shared(&is_meant, &request.method, origin, dialect)
}

/// The dialect of the device, by what was sent on for it: an errand's passport, or the query for object
/// bytes.
fn dialect(event: &Event) -> Dialect {
    if event.request.header(ERRAND_HEADER).is_some() {
        passport::claimed_dialect(&event.request.lines())
    } else {
        router::dialect_of_streamed(&event.request.querystring)
    }
}

fn answer(
    config: &Config,
    event: &Event,
    asked: &Asked<'_>,
    line: &mut Line,
) -> Result<EventResponse, Refusal> {
    let failed = |what: &'static str| Refusal::new(Fault::GatewayFailed).because(what);
    let received = event
        .response
        .as_ref()
        .ok_or_else(|| failed("The event has no response."))?;
    let lines = received.lines();
    let origin = OriginAnswer {
        status: received.status.parse().unwrap_or_default(),
        headers: lines
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
            .collect(),
        body: Vec::new(),
    };
    line.origin_status = Some(origin.status);
    line.origin_request_id = origin.request_id().map(str::to_owned);
    line.status = Some(origin.status);
    let mut stay = READ_ONLY_AT_ORIGIN_RESPONSE.to_vec();
    stay.push("content-length");
    let mut headers = received.headers.kept(&stay);
    if event.request.header(ERRAND_HEADER).is_some() {
        answered(received, &origin, asked, &mut headers)?;
    } else {
        let request = &event.request;
        let (host, _) = request
            .origin()
            .ok_or_else(|| failed("The event has no origin."))?;
        let sent = (
            request.method.as_str(),
            request.uri.as_str(),
            request.querystring.as_str(),
        );
        let conditions = ["if-none-match", "if-match"].map(|name| request.header(name).is_some());
        let (operation, answer) =
            response_handler::streamed(config, &host, sent, conditions, &origin, asked)?;
        line.operation = Some(operation.name());
        for (name, value) in answer.headers.iter().filter(|(name, _)| name != "content-length") {
            headers.set(name, String::from_utf8_lossy(value).into_owned());
        }
    }
    Ok(EventResponse {
        status: received.status.clone(),
        status_description: received.status_description.clone(),
        headers,
        body: None,
        body_encoding: None,
    })
}

/// An answer from the function URL. The handler's own has a request id and is the device's already; Lambda
/// renames some of its headers. One without is Lambda's, and an error whatever its status.
fn answered(
    received: &EventResponse,
    origin: &OriginAnswer,
    asked: &Asked<'_>,
    headers: &mut Headers,
) -> Result<(), Refusal> {
    let (prefix, request_id) = match asked.dialect {
        Dialect::Oss => ("x-oss-", "x-oss-request-id"),
        Dialect::S3 => ("x-amz-", "x-amz-request-id"),
    };
    if received.header(request_id).is_none() {
        return Err(response::error_of(origin).unwrap_or_else(|| {
            Refusal::new(Fault::OriginAnswerUnreadable)
                .because("The function URL gave an answer that is not the response handler's.")
        }));
    }
    // Where the handler names no type, Lambda says JSON.
    let typed = received.header("content-type") == Some("application/xml");
    for (name, lines) in received.headers.iter() {
        let passes = name.starts_with(prefix)
            || matches!(name, "etag" | "cache-control" | "location" | "retry-after")
            || (name == "content-type" && typed);
        if passes {
            headers.insert(name, lines.to_vec());
        }
    }
    headers.set("date", asked.now.http_date());
    Ok(())
}
