//! One origin-request event through the gateway's router.

use cloudfront_event::answers::{self, asked};
use cloudfront_event::conversation::{Step, Work};
use cloudfront_event::rules::READ_ONLY_AT_ORIGIN_REQUEST;
use cloudfront_event::visit::{Deployment, Environment, Obtained, Visit};
use cloudfront_event::{Event, EventRequest, EventResponse, Headers};
use gateway::config::cloudfront::{DirectPath, is_region};
use gateway::cors::{ORIGIN, SHARED_HEADER, Shared};
use gateway::document::Node;
use gateway::errand::ERRAND_HEADER;
use gateway::passport::{
    self, BODY_HEADER, Carrier, Checked, ORIGIN_HEADER, OWN_PREFIX, PASSPORT_HEADER, PassportKeys,
    REGION_HEADER,
};
use gateway::router::{self, Handler, Route};
use oss_s3::error::{Fault, Refusal};
use oss_s3::payload::PAYLOAD_HEADER;
use request_auth::aws_v4::{self, Payload, Scope, SigningRequest};

pub(crate) const FUNCTION: &str = "multipart-initiation-router";

/// The custom header of the origin that says where the response handler is: the domain of its function
/// URL.
pub const HANDLER_HEADER: &str = "x-causeway-handler";

/// How long CloudFront waits for an origin that this function chose, in seconds: its most.
const READ_TIMEOUT_SECONDS: i64 = 60;

/// An event on its way.
pub(crate) struct Hop {
    deployment: &'static Deployment,
    event: Event,
    visit: Visit,
    /// What the passport says of pages of other origins, once it was checked.
    shared: Option<Shared>,
}

impl Work for Hop {
    fn visit(&mut self) -> &mut Visit {
        &mut self.visit
    }

    /// Checks the passport, and then says which way.
    fn go_on(&mut self) -> Result<Step, Refusal> {
        let lines = self.event.request.lines();
        let missing = || no_passport("There is no passport that counts for this request.");
        // What has none costs no look-up.
        let claimed = passport::claimed_key(&lines).ok_or_else(missing)?;
        let keys = match self.deployment.passport_keys(&mut self.visit, Some(claimed))? {
            Obtained::Ask(send) => return Ok(Step::Send(send)),
            Obtained::Copy(keys) => keys,
        };
        let target = self.event.request.target();
        let carrier = Carrier {
            audience: &self.event.config.distribution_id,
            event_request_id: &self.event.config.request_id,
            method: &self.event.request.method,
            path_and_query: &target,
            headers: &lines,
        };
        let hop = passport::Hop::AuthorizerToRouter;
        let checked = passport::check(hop, carrier, &keys, self.visit.now).ok_or_else(missing)?;
        self.visit.line.decided(checked.decision());
        self.shared = checked
            .header(SHARED_HEADER)
            .map(|_| Shared::from_text(text(&checked, SHARED_HEADER).to_owned()));
        let request = match router::route(checked.decision().operation) {
            Route::Stream => self.stream(&checked)?,
            Route::Document => self.document(&checked, &keys)?,
        };
        Ok(Step::End(answers::request(&request, &self.visit.line)))
    }

    fn refuse(&mut self, refusal: &Refusal) -> String {
        self.visit.line.refused(refusal, self.visit.dialect);
        let Visit {
            dialect,
            request_id,
            now,
            ..
        } = &self.visit;
        let mut answer = refusal.answer(&asked(*dialect, request_id, &self.event.request.method, *now));
        if let Some(shared) = &self.shared {
            shared.mark(&mut answer);
        }
        answers::response(&EventResponse::from(&answer), &self.visit.line)
    }
}

impl Hop {
    pub(crate) fn new(deployment: &'static Deployment, event: Event, environment: Environment) -> Self {
        let (id, method) = (&event.config.request_id, &event.request.method);
        Self {
            deployment,
            visit: Visit::new(
                passport::claimed_dialect(&event.request.lines()),
                FUNCTION,
                environment,
                id,
                method,
            ),
            event,
            shared: None,
        }
    }

    /// Object bytes, straight to S3.
    fn stream(&self, checked: &Checked<'_>) -> Result<EventRequest, Refusal> {
        let received = &self.event.request;
        let mut headers = received.headers.kept(&READ_ONLY_AT_ORIGIN_REQUEST);
        // A condition can't be taken out of the request here.
        if let Some(name) = headers
            .iter()
            .map(|(name, _)| name)
            .find(|name| name.starts_with("if-") && checked.header(name).is_none())
        {
            return Err(no_passport("The passport does not cover a condition of the request.").about(name));
        }
        for (name, value) in checked.headers() {
            if !name.starts_with(OWN_PREFIX) && headers.get(name).is_none() {
                headers.set(name, String::from_utf8_lossy(value).into_owned());
            }
        }
        let meant = text(checked, ORIGIN_HEADER);
        match self.deployment.cloudfront().direct_path {
            DirectPath::Oac => match received.origin() {
                Some((authority, "")) if authority == meant => {
                    if let Some(lines) = received.headers.get("host") {
                        headers.insert("host", lines.to_vec());
                    }
                    let mut request = self.handed_back(&received.uri, &received.querystring, headers);
                    request.drop_custom_headers();
                    Ok(request)
                }
                _ => Err(misconfigured(
                    "The origin of the distribution is not the one of the bucket's configuration, or has a path.",
                )),
            },
            DirectPath::RouterSigned => self.sign_for_s3(checked, meant, headers),
        }
    }

    /// The same to the bucket that the passport covers, whichever the distribution's is. What of
    /// the body the device's signature does not bind, TLS protects.
    fn sign_for_s3(
        &self,
        checked: &Checked<'_>,
        host: &str,
        mut headers: Headers,
    ) -> Result<EventRequest, Refusal> {
        let received = &self.event.request;
        let region = text(checked, REGION_HEADER);
        let (domain, port) = match host.split_once(':') {
            Some((domain, port)) => (domain, port.parse().ok()),
            None => (host, Some(443)),
        };
        let port = port.filter(|_| !domain.is_empty() && is_region(region));
        let port = port.ok_or_else(|| {
            misconfigured(
                "The passport covers no origin to sign for: the functions have different configurations.",
            )
        })?;
        let sent: Vec<(&str, &[u8])> = checked
            .headers()
            .iter()
            .filter(|(name, _)| !name.starts_with(OWN_PREFIX) && *name != PAYLOAD_HEADER)
            .copied()
            .collect();
        let signing = SigningRequest {
            method: &received.method,
            host,
            path: &received.uri,
            query: &received.querystring,
            headers: &sent,
            payload: checked
                .header(PAYLOAD_HEADER)
                .map_or(Payload::Unsigned, Payload::Stated),
        };
        let scope = Scope {
            region,
            service: "s3",
        };
        self.sign(signing, scope, &mut headers);
        let mut request = self.handed_back(&received.uri, &received.querystring, headers);
        request.rest.set("origin", custom_origin(domain, port));
        Ok(request)
    }

    /// Anything else, to the response handler.
    fn document(&self, checked: &Checked<'_>, passport_keys: &PassportKeys) -> Result<EventRequest, Refusal> {
        let received = &self.event.request;
        let handler = received
            .custom_header(HANDLER_HEADER)
            .and_then(Handler::from_domain);
        let handler = handler.ok_or_else(|| {
            misconfigured(
                "The origin's custom header x-causeway-handler is not the domain of one function URL.",
            )
        })?;
        let body = self.body()?;
        let digest = passport::body_digest(&body);
        let covered = [
            (ERRAND_HEADER, checked.header(ERRAND_HEADER).unwrap_or_default()),
            (BODY_HEADER, digest.as_bytes()),
        ];
        let carrier = Carrier {
            audience: handler.domain,
            event_request_id: "",
            method: &received.method,
            path_and_query: "/",
            headers: &covered,
        };
        let hop = passport::Hop::RouterToHandler;
        let passport = passport::issue(hop, checked.decision(), carrier, passport_keys, self.visit.now)
            .ok_or_else(|| failed("No passport could be issued."))?;
        let mut headers = received.headers.kept(&READ_ONLY_AT_ORIGIN_REQUEST);
        headers.set(PASSPORT_HEADER, passport);
        let origin = checked.header(ORIGIN).map(|origin| (ORIGIN, origin));
        for (name, value) in covered.into_iter().chain(origin) {
            headers.set(name, String::from_utf8_lossy(value).into_owned());
        }
        let signing = SigningRequest {
            method: &received.method,
            host: handler.domain,
            path: "/",
            query: "",
            headers: &[],
            payload: Payload::Bytes(&body),
        };
        let scope = Scope {
            region: handler.region,
            service: "lambda",
        };
        self.sign(signing, scope, &mut headers);
        let mut request = self.handed_back("/", "", headers);
        request.rest.set("origin", custom_origin(handler.domain, 443));
        Ok(request)
    }

    /// Adds the signature of this function's role, and the host that it is for.
    fn sign(&self, signing: SigningRequest<'_>, scope: Scope<'_>, headers: &mut Headers) {
        headers.set("host", signing.host.to_owned());
        let credentials = self.visit.environment.credentials();
        for (name, value) in aws_v4::sign(signing, credentials, scope, self.visit.now) {
            headers.set(name, value);
        }
    }

    /// The whole body, which the signature of the hop has to cover.
    fn body(&self) -> Result<Vec<u8>, Refusal> {
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

    fn handed_back(&self, uri: &str, querystring: &str, headers: Headers) -> EventRequest {
        EventRequest {
            method: self.event.request.method.clone(),
            uri: uri.to_owned(),
            querystring: querystring.to_owned(),
            headers,
            body: None,
            rest: self.event.request.rest.clone(),
        }
    }
}

/// An origin of this function's choice, over TLS. It has no custom headers: CloudFront would send them.
fn custom_origin(domain: &str, port: u16) -> Node<'static> {
    let custom = Node::table([
        ("customHeaders", Node::table([])),
        ("domainName", domain.to_owned().into()),
        ("keepaliveTimeout", Node::Whole(5)),
        ("path", "".into()),
        ("port", Node::Whole(port.into())),
        ("protocol", "https".into()),
        ("readTimeout", Node::Whole(READ_TIMEOUT_SECONDS)),
        ("sslProtocols", Node::List(vec!["TLSv1.2".into()])),
    ]);
    Node::table([("custom", custom)])
}

/// A covered header as text; empty where it is not covered.
fn text<'a>(checked: &Checked<'a>, name: &str) -> &'a str {
    let value = checked.header(name).unwrap_or_default();
    core::str::from_utf8(value).unwrap_or_default()
}

fn no_passport(reason: &'static str) -> Refusal {
    Refusal::new(Fault::PassportMissing).because(reason)
}

fn misconfigured(reason: &'static str) -> Refusal {
    Refusal::new(Fault::OriginMisconfigured).because(reason)
}

fn failed(what: &'static str) -> Refusal {
    Refusal::new(Fault::GatewayFailed).because(what)
}
