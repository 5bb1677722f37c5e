//! One viewer-request event through the gateway's authorizer.

use cloudfront_event::conversation::{Step, Work};
use cloudfront_event::rules::{
    MAX_HEAD_BYTES, MAX_URI_AND_QUERY, MAX_VIEWER_ANSWER_BYTES, READ_ONLY_AT_VIEWER_REQUEST,
};
use cloudfront_event::visit::{Environment, Obtained, Visit};
use cloudfront_event::{Event, EventRequest, EventResponse, answers};
use gateway::authorizer;
use gateway::config::cloudfront::DirectPath;
use gateway::cors::{self, ORIGIN, SHARED_HEADER, Shared};
use gateway::errand::{self, ERRAND_HEADER};
use gateway::keys::KeyRecord;
use gateway::keys::shards::shard_of;
use gateway::passport::{
    self, Carrier, Decision, ORIGIN_HEADER, PASSPORT_HEADER, PassportKeys, REGION_HEADER,
};
use gateway::replaced;
use gateway::router::{self, BodyRule};
use oss_s3::answer::{Asked, Scheme};
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::OriginRequest;
use request_auth::canon::percent_decode;
use request_auth::{Denial, Dialect};

use crate::Function;

pub(crate) const FUNCTION: &str = "viewer-request-authorizer";

/// An event on its way.
pub(crate) struct Hop {
    function: &'static Function,
    event: Event,
    path: Vec<u8>,
    visit: Visit,
    /// The record of the key that the request claims, once it is found.
    record: Option<KeyRecord>,
    /// What lets the page that sent the request read a refusal.
    shared: Option<Shared>,
}

impl Work for Hop {
    fn visit(&mut self) -> &mut Visit {
        &mut self.visit
    }

    /// Finds the key's record and the keys of passports, and then authorises.
    fn go_on(&mut self) -> Result<Step, Refusal> {
        let record = match self.record.take() {
            Some(record) => record,
            None => match self.find()? {
                Ok(record) => record,
                Err(step) => return Ok(step),
            },
        };
        match self.function.deployment.passport_keys(&mut self.visit, None)? {
            Obtained::Ask(send) => {
                self.record = Some(record);
                Ok(Step::Send(send))
            }
            Obtained::Copy(keys) => {
                let request = self.authorize(&record, &keys)?;
                Ok(Step::End(answers::request(&request, &self.visit.line)))
            }
        }
    }

    fn refuse(&mut self, refusal: &Refusal) -> String {
        self.visit.line.refused(refusal, self.visit.dialect);
        let mut response = self.refused(refusal);
        if response.size() > MAX_VIEWER_ANSWER_BYTES {
            // The string to sign of a long request is longer than CloudFront takes.
            response = self.refused(&Refusal::new(refusal.fault()));
        }
        answers::response(&response, &self.visit.line)
    }
}

impl Hop {
    pub(crate) fn new(function: &'static Function, event: Event, environment: Environment) -> Self {
        let raw = event.request.uri.as_bytes();
        let (id, method) = (&event.config.request_id, &event.request.method);
        let header = |name| event.request.header(name).unwrap_or_default().as_bytes();
        let target = event.request.target();
        let dialect = Dialect::spoken(target.as_bytes(), header("authorization"), header("cookie"));
        let mut visit = Visit::new(dialect, FUNCTION, environment, id, method);
        visit.line = visit
            .line
            .sent_to(event.request.header("host").unwrap_or_default());
        Self {
            function,
            path: percent_decode(raw).unwrap_or_else(|| raw.to_vec()),
            visit,
            event,
            record: None,
            shared: None,
        }
    }

    fn refused(&self, refusal: &Refusal) -> EventResponse {
        let mut answer = refusal.answer(&self.asked());
        if let Some(shared) = &self.shared {
            shared.mark(&mut answer);
        }
        EventResponse::from(&answer)
    }

    /// The record of the key that the request claims, or of its fleet, or the step before it: what to ask
    /// first, or the answer to a preflight, which claims no key.
    fn find(&mut self) -> Result<Result<KeyRecord, Step>, Refusal> {
        let target = self.event.request.target();
        let head = self.event.request.head(&target).map_err(Denial::from)?;
        self.shared = cors::shared(&self.function.config, &head, None, self.visit.dialect);
        if let Some(answer) = cors::preflight(&self.function.config, &head, &self.asked()) {
            let answer = answer?;
            self.visit.line.status = Some(answer.status);
            let end = answers::response(&EventResponse::from(&answer), &self.visit.line);
            return Ok(Err(Step::End(end)));
        }
        let claim = authorizer::claim(&self.function.config, &head)?;
        self.visit.line.access_key_id = Some(claim.key_id().to_owned());
        let id = claim.record_id();
        let Function {
            deployment, shards, ..
        } = self.function;
        let number = shard_of(id, deployment.cloudfront().key_shards);
        let shard = shards.get(usize::from(number));
        let shard = shard.ok_or_else(|| failed("There is no shard of this number."))?;
        match deployment.shard(&mut self.visit, shard, number, id)? {
            Obtained::Ask(send) => Ok(Err(Step::Send(send))),
            Obtained::Copy(shard) => shard.record(id).map(Ok),
        }
    }

    /// The request to hand back.
    fn authorize(
        &mut self,
        record: &KeyRecord,
        passport_keys: &PassportKeys,
    ) -> Result<EventRequest, Refusal> {
        let (config, now) = (&self.function.config, self.visit.now);
        let received = &self.event.request;
        let target = received.target();
        let head = received.head(&target).map_err(Denial::from)?;
        let claim = authorizer::claim(&self.function.config, &head)?;
        let authorized = authorizer::authorize(config, &head, &claim, record, now)?;
        let operation = authorized.call().operation();
        let decision = Decision {
            operation,
            bucket: authorized.bucket().name.clone(),
            key: authorized.target().key().to_owned(),
            request_id: self.visit.request_id.as_str().to_owned(),
            dialect: claim.scheme().dialect(),
        };
        self.visit.line.decided(&decision);
        let length = router::content_length(&head);
        let errand = authorized.errand(&passport_keys.seals())?.of_length(length);
        // Whether a body of unstated length is empty can't be seen here.
        router::check_direct_path(&authorized, config.cloudfront.direct_path)?;
        let rule = router::body_rule_of(&authorized, length)?;
        if matches!(rule, BodyRule::Blocks | BodyRule::Empty) {
            return Err(Fault::LengthMissing.into());
        }
        // What streams and what goes as an errand: the target of S3's, or one that no other request has, so that
        // CloudFront takes no two errands for one (it lets requests for one object wait for one answer).
        let (uri, querystring, mut headers) = match OriginRequest::streamed(&errand) {
            Some(origin) => {
                let mut headers = errand
                    .headers()
                    .iter()
                    .map(|(name, value)| Ok((name.clone().into_owned(), text(value)?)))
                    .collect::<Result<Vec<_>, Refusal>>()?;
                headers.push((ORIGIN_HEADER.to_owned(), origin.host));
                if config.cloudfront.direct_path == DirectPath::RouterSigned {
                    let region = &authorized.bucket().origin.region;
                    headers.push((REGION_HEADER.to_owned(), region.clone()));
                }
                (
                    origin.path,
                    replaced::naming_folder(&errand, origin.query),
                    headers,
                )
            }
            None => {
                let errand = errand::write(&errand, &self.asked())?;
                let uri = ["/", self.visit.request_id.as_str()].concat();
                (uri, String::new(), vec![(ERRAND_HEADER.to_owned(), errand)])
            }
        };
        self.shared = cors::shared(config, &head, Some(&decision.bucket), self.visit.dialect);
        if let Some(shared) = &self.shared {
            headers.push((SHARED_HEADER.to_owned(), shared.text().to_owned()));
            let sent = received.header(ORIGIN).unwrap_or_default();
            headers.push((ORIGIN.to_owned(), sent.to_owned()));
        }
        if uri.len().saturating_add(querystring.len()) >= MAX_URI_AND_QUERY {
            return Err(Fault::TargetTooLong.into());
        }
        let covered: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let mark = if querystring.is_empty() { "" } else { "?" };
        let path_and_query = [uri.as_str(), mark, &querystring].concat();
        let carrier = Carrier {
            audience: &self.event.config.distribution_id,
            event_request_id: &self.event.config.request_id,
            method: &received.method,
            path_and_query: &path_and_query,
            headers: &covered,
        };
        let hop = passport::Hop::AuthorizerToRouter;
        let passport = passport::issue(hop, &decision, carrier, passport_keys, now)
            .ok_or_else(|| failed("No passport could be issued."))?;
        headers.push((PASSPORT_HEADER.to_owned(), passport));

        let mut lines = received.headers.kept(&READ_ONLY_AT_VIEWER_REQUEST);
        for (name, value) in headers {
            lines.set(&name, value);
        }
        let request = EventRequest {
            method: received.method.clone(),
            uri,
            querystring,
            headers: lines,
            body: None,
            rest: received.rest.clone(),
        };
        if request.size() > MAX_HEAD_BYTES {
            return Err(Fault::HeadersTooLarge.into());
        }
        Ok(request)
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            dialect: self.visit.dialect,
            request_id: &self.visit.request_id,
            now: self.visit.now,
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
    String::from_utf8(value.to_vec()).map_err(|_| failed("A translated header is not text."))
}

fn failed(what: &'static str) -> Refusal {
    Refusal::new(Fault::GatewayFailed).because(what)
}
