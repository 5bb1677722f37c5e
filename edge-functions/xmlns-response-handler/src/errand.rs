//! One errand: the conversation with S3 about it.

use cloudfront_event::answers;
use cloudfront_event::conversation::{Body, Fetched, Send, Source, Step, Work};
use cloudfront_event::function_url::FunctionUrlRequest;
use cloudfront_event::visit::{Environment, Obtained, Visit};
use gateway::errand;
use gateway::passport::{self, BODY_HEADER, Carrier, PassportKeys};
use gateway::response_handler::{self, Allowance, Exchange, Outcome, Task};
use gateway::router::{self, BodyRule};
use oss_s3::answer::{Answer, Asked, RequestId, Scheme};
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::{OriginBody, OriginRequest};
use oss_s3::response::OriginAnswer;
use request_auth::UnixSeconds;

use crate::Function;

pub(crate) const FUNCTION: &str = "xmlns-response-handler";

/// How long an errand may take, in seconds: CloudFront waits 60 for the function URL, and an answer of
/// ours that says so is worth more to a device than CloudFront's.
pub const ANSWER_WITHIN_SECONDS: i64 = 55;

/// How many joins are under way at once: as many as lambda.js does.
const TOGETHER: usize = 8;

/// How much of that is kept from joins, in seconds: to note those that were made, so that a repeated Complete
/// does not make them again.
const RECORDED_WITHIN_SECONDS: u32 = 4;

/// An errand on its way.
pub(crate) struct Hop {
    function: &'static Function,
    request: FunctionUrlRequest,
    visit: Visit,
    /// When the answer is due.
    due: UnixSeconds,
    /// What the device sent, as the errand tells it.
    host: String,
    path: String,
    /// The exchange with S3, once the passport was checked.
    exchange: Option<Exchange<'static>>,
}

impl Work for Hop {
    fn visit(&mut self) -> &mut Visit {
        &mut self.visit
    }

    /// Checks the passport, and then does as the exchange says.
    fn go_on(&mut self) -> Result<Step, Refusal> {
        if self.exchange.is_some() {
            return self.advance();
        }
        let claimed = passport::claimed_key(&lines(&self.request)).map(str::to_owned);
        // What has no passport costs no look-up.
        let claimed = claimed.ok_or_else(|| no_passport(NONE_COUNTS))?;
        match self
            .function
            .deployment
            .passport_keys(&mut self.visit, Some(&claimed))?
        {
            Obtained::Ask(send) => Ok(Step::Send(send)),
            Obtained::Copy(keys) => self.open(&keys),
        }
    }

    fn refuse(&mut self, refusal: &Refusal) -> String {
        self.visit.line.refused(refusal, self.visit.dialect);
        self.end(&refusal.answer(&self.asked()))
    }
}

impl Hop {
    /// Until the passport says whose request it is, it goes by Lambda's own id.
    pub(crate) fn new(
        function: &'static Function,
        request: FunctionUrlRequest,
        environment: Environment,
        now: UnixSeconds,
    ) -> Self {
        let context = &request.request_context;
        Self {
            function,
            visit: Visit::new(
                passport::claimed_dialect(&lines(&request)),
                FUNCTION,
                environment,
                &context.request_id,
                &context.http.method,
            ),
            due: UnixSeconds(now.0.saturating_add(ANSWER_WITHIN_SECONDS)),
            host: String::new(),
            path: String::new(),
            exchange: None,
            request,
        }
    }

    /// Checks the passport and begins the exchange with S3.
    fn open(&mut self, keys: &PassportKeys) -> Result<Step, Refusal> {
        let lines = lines(&self.request);
        let target = self.request.target();
        let carrier = Carrier {
            audience: &self.request.request_context.domain_name,
            event_request_id: "",
            method: &self.request.request_context.http.method,
            path_and_query: &target,
            headers: &lines,
        };
        let hop = passport::Hop::RouterToHandler;
        let checked = passport::check(hop, carrier, keys, self.visit.now);
        let checked = checked.ok_or_else(|| no_passport(NONE_COUNTS))?;
        let decision = checked.decision();
        if let Some(id) = RequestId::from_text(&decision.request_id) {
            self.visit.request_id = id;
            self.visit.line.request_id = id.as_str().to_owned();
        }
        self.visit.line.decided(decision);
        let body = self
            .request
            .body()
            .filter(|body| checked.header(BODY_HEADER) == Some(passport::body_digest(body).as_bytes()));
        let body = body.ok_or_else(|| no_passport("The passport does not cover the body."))?;
        let received = errand::read(&self.function.config, &checked, &keys.seals()).ok_or_else(|| {
            Refusal::new(Fault::GatewayFailed)
                .because("The errand can't be read: the functions have different configurations or versions.")
        })?;
        self.host = received.host;
        self.path = received.path;
        let length = u64::try_from(body.len()).ok();
        let document = match router::body_rule(decision.operation, length)? {
            BodyRule::Read { .. } => body.as_slice(),
            BodyRule::Stream | BodyRule::Blocks | BodyRule::Empty | BodyRule::Ignore => &[],
        };
        let (exchange, step) = Exchange::begin(received.errand, document, &self.asked())?;
        self.take(exchange, step)
    }

    /// Takes S3's answer.
    fn advance(&mut self) -> Result<Step, Refusal> {
        let unexpected =
            || Refusal::new(Fault::GatewayFailed).because("An errand went on without an answer.");
        let fetched = self.visit.fetched.take().ok_or_else(unexpected)?;
        let mut exchange = self.exchange.take().ok_or_else(unexpected)?;
        let step = match fetched {
            Fetched::One(Ok(answer)) => {
                self.heard(&answer);
                exchange.advance(&answer, &self.asked(), self.allowance())?
            }
            Fetched::One(Err(why)) => {
                let refusal = Refusal::new(Fault::OriginUnavailable);
                exchange.unanswered(refusal.because(["the origin does not answer: ", &why].concat()))?
            }
            Fetched::Each(outcomes) => {
                for outcome in &outcomes {
                    if let Outcome::Answered(answer) = outcome {
                        self.heard(answer);
                    }
                }
                exchange.advance_together(outcomes, &self.asked(), self.allowance())?
            }
        };
        self.take(exchange, step)
    }

    /// Notes the origin's last answer.
    fn heard(&mut self, answer: &OriginAnswer) {
        self.visit.line.origin_status = Some(answer.status);
        self.visit.line.origin_request_id = answer.request_id().map(str::to_owned);
    }

    /// Does as the exchange says.
    fn take(&mut self, exchange: Exchange<'static>, step: response_handler::Step) -> Result<Step, Refusal> {
        match step {
            response_handler::Step::Send(request) => {
                let task = Task {
                    request,
                    sources: Vec::new(),
                };
                let send = self.send(&exchange, &task)?;
                self.exchange = Some(exchange);
                Ok(Step::Send(send))
            }
            response_handler::Step::Together(tasks) => {
                let sends = tasks.iter().map(|task| self.send(&exchange, task));
                let sends = sends.collect::<Result<_, _>>()?;
                self.exchange = Some(exchange);
                Ok(Step::Together(sends))
            }
            response_handler::Step::Answer(answer) => {
                if let Some(warning) = exchange.warning() {
                    self.visit.line.alarm(warning);
                }
                Ok(Step::End(self.end(&answer)))
            }
            response_handler::Step::Stream(_) => {
                Err(Refusal::new(Fault::GatewayFailed).because("No errand is about object bytes."))
            }
        }
    }

    /// What to fetch for a task, signed.
    fn send(&self, exchange: &Exchange<'_>, task: &Task) -> Result<Send, Refusal> {
        let left = self.left();
        if left == 0 {
            return Err(Refusal::new(Fault::OriginUnavailable)
                .because("the origin took all the time that CloudFront waits for an answer"));
        }
        let (request, visit) = (&task.request, &self.visit);
        let origin = &exchange.errand().bucket().origin;
        let source = |source: &OriginRequest| Source {
            url: source.url(),
            headers: visit.signed(source, origin),
        };
        let within = match task.sources.is_empty() {
            true => left,
            false => left.saturating_sub(RECORDED_WITHIN_SECONDS).max(1),
        };
        let most = [200, 400].map(|status| exchange.document_bytes(status));
        Ok(Send {
            method: request.method,
            url: request.url(),
            headers: visit.signed(request, origin),
            body: match &request.body {
                OriginBody::Document(bytes) => Body::Bytes(bytes.clone()),
                OriginBody::Joined(bytes) => Body::Joined {
                    sources: task.sources.iter().map(source).collect(),
                    bytes: *bytes,
                },
                OriginBody::Empty | OriginBody::AwaitsParts | OriginBody::Device => Body::None,
            },
            most_bytes: most.into_iter().max().unwrap_or_default(),
            timeout_ms: within.saturating_mul(1000),
        })
    }

    /// How many seconds are left until the answer is due.
    fn left(&self) -> u32 {
        let left = self.due.0.saturating_sub(self.visit.now.0);
        u32::try_from(left.clamp(0, ANSWER_WITHIN_SECONDS)).unwrap_or_default()
    }

    /// What of the time is left, and of requests as many as it takes: Lambda does not count them.
    fn allowance(&self) -> Allowance {
        Allowance {
            seconds: self.left(),
            requests: u32::MAX,
            together: TOGETHER,
        }
    }

    fn end(&mut self, answer: &Answer) -> String {
        self.visit.line.status = Some(answer.status);
        answers::reply(answer, &self.visit.line)
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            dialect: self.visit.dialect,
            request_id: &self.visit.request_id,
            now: self.visit.now,
            method: &self.request.request_context.http.method,
            scheme: Scheme::Https,
            host: &self.host,
            path: self.path.as_bytes(),
        }
    }
}

fn lines(request: &FunctionUrlRequest) -> Vec<(&str, &[u8])> {
    let lines = request.headers.iter();
    lines
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}

const NONE_COUNTS: &str = "There is no passport that counts for this request.";

fn no_passport(reason: &'static str) -> Refusal {
    Refusal::new(Fault::PassportMissing).because(reason)
}
