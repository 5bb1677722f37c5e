//! The gateway's steps in the order of an edge function, with the checks between them.

use gateway::authorizer;
use gateway::config::Config;
use gateway::keys::KeyRecord;
use gateway::origin_signature;
use gateway::response_handler::{Allowance, Exchange, Step, Task};
use gateway::router::{BodyRule, body_rule_of};
use oss_s3::answer::{Answer, Asked, RequestId, Scheme};
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::{OriginBody, OriginRequest};
use request_auth::aws_v4::OriginCredentials;
use request_auth::{Connection, Denial, Dialect, Occurrence, RequestHead, SecretKey, UnixSeconds};
use serde_json::json;

use super::mutate::Arrived;
use super::{Dice, Reached, check, origin};
use crate::upload::seals;
use crate::vector::Credentials;

/// The mount of every grant: what isolates a device has to be in front of every key.
const MOUNT: &str = "fleet/";

/// How often an origin may send the gateway on: a list of parts can have 10,000 of them.
const MAX_STEPS: usize = 50;

/// A configuration under which the vectors' hosts and buckets exist.
pub(super) fn config(string_to_sign_in_errors: bool) -> Result<Config, String> {
    let origin = |bucket: &str| json!({"bucket": bucket, "region": "eu-west-1", "endpoint": "https://s3.eu-west-1.amazonaws.com"});
    let text = json!({
        "string_to_sign_in_errors": string_to_sign_in_errors,
        "buckets": [
            {"name": "examplebucket", "aliases": ["d111111abcdef8"], "origin": origin("acme-ingest")},
            {"name": "other", "origin": origin("acme-other"), "unsigned_headers": "refuse"},
        ],
        "hosts": [
            {"host": "oss-cn-hangzhou.aliyuncs.com", "styles": ["path", "virtual-host"]},
            {"host": "10.1.2.3", "styles": ["path"]},
            {"host": "s3.amazonaws.com", "styles": ["path", "virtual-host"]},
            {"host": "s3.us-east-1.amazonaws.com", "styles": ["path"]},
            {"host": "cloudfront.net", "styles": ["virtual-host"]},
            {"host": "d111111abcdef8.cloudfront.net", "cname": "examplebucket", "unsigned_bucket": true,
             "styles": ["virtual-host"]},
        ],
    });
    Config::from_json(&text.to_string()).map_err(|error| error.to_string())
}

/// A record that may use every operation on the vectors' bucket.
pub(super) fn record(credentials: &Credentials) -> Result<KeyRecord, String> {
    let grants = json!([{"bucket": "examplebucket", "operations": ["read-write"], "mount": MOUNT}]);
    let text = match &credentials.public_key {
        Some(pem) => json!({"id": credentials.access_key_id, "public_key": pem, "grants": grants}),
        None => json!({
            "id": credentials.access_key_id,
            "secrets": [{"secret": credentials.access_key_secret}],
            "security_token": credentials.security_token,
            "schemes": request_auth::Scheme::WITH_SECRETS.map(request_auth::Scheme::name),
            "grants": grants,
        }),
    };
    KeyRecord::from_json(&credentials.access_key_id, &text.to_string()).map_err(|error| error.to_string())
}

/// Serves a request: how far it came, and a description of the answer, or what is wrong with it.
pub(super) fn serve(
    config: &Config,
    record: &KeyRecord,
    credentials: &Credentials,
    arrived: &Arrived,
    dice: &mut Dice,
) -> (Reached, Result<Vec<u8>, String>) {
    let request_id = RequestId::from_bytes([7; 12]);
    let host = header(arrived, b"host");
    let asked = Asked {
        dialect: Dialect::spoken(
            &arrived.target,
            header(arrived, b"authorization"),
            header(arrived, b"cookie"),
        ),
        request_id: &request_id,
        now: UnixSeconds(arrived.now),
        method: &arrived.method,
        scheme: Scheme::Https,
        host: core::str::from_utf8(host).unwrap_or_default(),
        path: arrived
            .target
            .split(|&byte| byte == b'?')
            .next()
            .unwrap_or_default(),
    };
    let mut reached = Reached::Claim;
    let outcome = exchange(config, record, arrived, &asked, &mut reached, dice);
    let checked = match outcome {
        Ok(answer) => check::answer(&answer, asked.dialect).map(|()| answer),
        Err(Stop::Refused(refusal)) => {
            let answer = refusal.answer(&asked);
            check::answer(&answer, asked.dialect)
                .and_then(|()| check::refusal(&refusal, &answer, &asked, reached))
                .map(|()| answer)
        }
        Err(Stop::Wrong(sentence)) => Err(sentence),
    };
    let seen = checked.and_then(|answer| {
        let secret = credentials.access_key_secret.as_bytes();
        let describes = describe(&answer);
        let mut pieces = describes.windows(secret.len().max(1));
        // A key pair has no secret here.
        if pieces.any(|piece| piece == secret) {
            return Err("The answer holds the access key's secret.".to_owned());
        }
        Ok(describes)
    });
    (reached, seen)
}

/// Why there is no answer of success.
enum Stop {
    Refused(Refusal),
    Wrong(String),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<String> for Stop {
    fn from(sentence: String) -> Self {
        Self::Wrong(sentence)
    }
}

fn exchange(
    config: &Config,
    record: &KeyRecord,
    arrived: &Arrived,
    asked: &Asked<'_>,
    reached: &mut Reached,
    dice: &mut Dice,
) -> Result<Answer, Stop> {
    let lines = arrived
        .headers
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()));
    let head = RequestHead::new(&arrived.method, &arrived.target, lines, arrived.delivery)
        .map_err(|error| Refusal::from(Denial::from(error)))?
        .over(Connection {
            secure: true,
            peer: Some("192.0.2.7"),
        });
    let claim = authorizer::claim(config, &head)?;
    *reached = Reached::Verify;
    let known = record.id() == claim.record_id();
    let record = if known {
        record
    } else {
        return Err(Refusal::from(Denial::UnknownKey).into());
    };
    let authorized =
        authorizer::authorize(config, &head, &claim, record, asked.now).inspect_err(|refusal| {
            if !is_about_the_signature(refusal) {
                *reached = Reached::Permit;
            }
        })?;
    *reached = Reached::Permit;
    let length = match head.header("content-length") {
        Occurrence::Once(value) => core::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse().ok()),
        _ => None,
    };
    let errand = authorized.errand(&seals())?.of_length(length);
    let document: &[u8] = match body_rule_of(&authorized, length)? {
        BodyRule::Read { most } if arrived.body.len() > most => {
            return Err(Refusal::from(Fault::EntityTooLarge).into());
        }
        BodyRule::Read { .. } => &arrived.body,
        // Which is refused here, as on a platform that does not read blocks.
        BodyRule::Blocks | BodyRule::Empty if !arrived.body.is_empty() => {
            return Err(Refusal::from(Fault::LengthMissing).into());
        }
        BodyRule::Stream | BodyRule::Blocks | BodyRule::Empty | BodyRule::Ignore => &[],
    };
    let (mut exchange, mut step) = Exchange::begin(errand, document, asked)?;
    *reached = Reached::Origin;
    let credentials = origin_credentials()?;
    let ask = |request: &OriginRequest| {
        check::forwarded(request, &authorized, MOUNT, asked.dialect)?;
        let bucket = &authorized.bucket().origin;
        let signature = origin_signature::headers(request, bucket, &credentials, asked.now);
        check::signed(request, &signature)
    };
    for _ in 0..MAX_STEPS {
        let request = match step {
            Step::Send(request) => request,
            Step::Together(tasks) => {
                let mut outcomes = Vec::new();
                for Task { request, sources } in tasks {
                    let is_joined = matches!(request.body, OriginBody::Joined(_));
                    if is_joined == sources.is_empty() {
                        return Err(Stop::Wrong("What is joined has no source.".to_owned()));
                    }
                    for request in sources.iter().chain([&request]) {
                        ask(request)?;
                    }
                    outcomes.push(origin::outcome(&request, &sources, dice));
                }
                step = exchange.advance_together(outcomes, asked, AMPLE)?;
                continue;
            }
            Step::Answer(answer) | Step::Stream(answer) => {
                *reached = Reached::Answer;
                return Ok(answer);
            }
        };
        ask(&request)?;
        let mut answer = origin::answer(&request, dice);
        answer.body.truncate(exchange.document_bytes(answer.status));
        step = exchange.advance(&answer, asked, AMPLE)?;
    }
    Err(Stop::Wrong(
        "The origin keeps the gateway busy without end.".to_owned(),
    ))
}

/// What a platform lets a request do at its beginning.
const AMPLE: Allowance = Allowance {
    seconds: 55,
    requests: 10_000,
    together: 3,
};

fn is_about_the_signature(refusal: &Refusal) -> bool {
    matches!(
        refusal.code(),
        "SignatureDoesNotMatch" | "RequestTimeTooSkewed" | "InvalidAccessKeyId"
    )
}

fn origin_credentials() -> Result<OriginCredentials, String> {
    Ok(OriginCredentials {
        access_key_id: "AKIAORIGIN".to_owned(),
        secret: SecretKey::new("origin-secret".to_owned()).ok_or("The origin's secret is empty.")?,
        session_token: None,
    })
}

fn header<'a>(arrived: &'a Arrived, name: &[u8]) -> &'a [u8] {
    arrived
        .headers
        .iter()
        .find(|(header, _)| header.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
        .unwrap_or_default()
}

/// Status, headers and body as one text.
fn describe(answer: &Answer) -> Vec<u8> {
    let mut text = answer.status.to_string().into_bytes();
    for (name, value) in &answer.headers {
        text.extend_from_slice(&[b"\n", name.as_bytes(), b": ", value].concat());
    }
    text.extend_from_slice(b"\n\n");
    text.extend_from_slice(&answer.body);
    text
}
