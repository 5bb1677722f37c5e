//! The attack corpus: requests as data, what each must come to, and that the origin sees nothing of
//! those that are refused. The format is described in `tests/attack/README.md`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::authorizer;
use gateway::config::Config;
use gateway::keys::KeyRecord;
use gateway::response_handler::Exchange;
use gateway::router::body_rule;
use hmac::{Hmac, KeyInit, Mac};
use oss_s3::answer::{Asked, RequestId, Scheme};
use oss_s3::error::Refusal;
use request_auth::{Delivery, Denial, RequestHead, UnixSeconds};
use serde::Deserialize;
use serde_json::json;
use sha1::Sha1;

use crate::corpus::{Reached, check};
use crate::report::{Outcome, Report};
use crate::run::{joined, latin1};

/// The attack cases that are data: file name and text.
pub const FILES: [(&str, &str); 1] = [("oss-v1.json", include_str!("../../attack/oss-v1.json"))];

const NOW: i64 = 1_714_566_896;
const DATE: &str = "Wed, 01 May 2024 12:34:56 GMT";
const KEY_ID: &str = "LTAI5tAttack";
const SECRET: &str = "fakeSecretFakeSecretFakeSecret";

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    what: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default = "put")]
    method: String,
    target: String,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    #[serde(default)]
    lines: Option<Vec<(String, String)>>,
    #[serde(default)]
    clock: i64,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    origin: Option<String>,
}

fn put() -> String {
    "PUT".to_owned()
}

/// Runs every case of a file's text, on both ways in which platforms deliver headers.
pub fn run_file(file: &str, text: &str) -> Report {
    let mut report = Report::default();
    let (cases, gateway) = match (serde_json::from_str::<Vec<Case>>(text), Gateway::new()) {
        (Ok(cases), Ok(gateway)) => (cases, gateway),
        (Err(error), _) => {
            report.add(
                file,
                "(file)",
                Outcome::Failed(format!("It cannot be read: {error}.")),
            );
            return report;
        }
        (_, Err(sentence)) => {
            report.add(file, "(file)", Outcome::Failed(sentence));
            return report;
        }
    };
    for case in cases {
        let outcome = match gateway.judge(&case) {
            Ok(()) => Outcome::Passed,
            Err(sentence) => Outcome::Failed(sentence),
        };
        report.add(
            file,
            &format!("{} {}, {}", case.id, case.what, case.target),
            outcome,
        );
    }
    report
}

/// The gateway under attack: two buckets, a host of each style, one key with a grant for one bucket.
struct Gateway {
    config: Config,
    record: KeyRecord,
}

impl Gateway {
    fn new() -> Result<Self, String> {
        let origin = |bucket: &str| {
            json!({"bucket": bucket, "region": "eu-west-1", "endpoint": "https://s3.eu-west-1.amazonaws.com",
                "addressing": "path"})
        };
        let config = json!({
            "buckets": [
                {"name": "devices", "origin": origin("acme-ingest")},
                {"name": "other", "origin": origin("acme-other")},
            ],
            "hosts": [
                {"host": "edge.test", "styles": ["path", "virtual-host"]},
                {"host": "up.test", "cname": "devices"},
                {"host": "free.test", "cname": "devices", "unsigned_bucket": true},
            ],
        });
        let record = json!({
            "id": KEY_ID,
            "secrets": [{"secret": SECRET}],
            "grants": [{"bucket": "devices", "mount": "fleet/{key_id}/"}],
        });
        Ok(Self {
            config: Config::from_json(&config.to_string()).map_err(|error| error.to_string())?,
            record: KeyRecord::from_json(KEY_ID, &record.to_string()).map_err(|error| error.to_string())?,
        })
    }

    fn judge(&self, case: &Case) -> Result<(), String> {
        let signature = match &case.text {
            Some(text) => sign(&latin1(&expand(text, "")).ok_or("Its text is not ISO-8859-1.")?)?,
            None => String::new(),
        };
        let target = expand(&case.target, &signature.replace('+', "%2B"));
        let target = latin1(&target).ok_or("Its target is not ISO-8859-1.")?;
        let lines = lines(case, &signature)?;
        self.judge_as(case, &target, &lines, Delivery::Lines)?;
        match joined(&lines) {
            Some(lines) => self
                .judge_as(case, &target, &lines, Delivery::Joined)
                .map_err(|sentence| format!("With repeated headers joined: {sentence}")),
            None => Ok(()),
        }
    }

    fn judge_as(
        &self,
        case: &Case,
        target: &[u8],
        lines: &[(String, Vec<u8>)],
        delivery: Delivery,
    ) -> Result<(), String> {
        let now = UnixSeconds(NOW.saturating_add(case.clock));
        let refusal = match (
            self.send(&case.method, target, lines, delivery, now),
            &case.origin,
        ) {
            (Ok(sent), Some(expected)) if sent == *expected => return Ok(()),
            (Ok(sent), Some(expected)) => {
                return Err(format!("The origin was to see {expected} and saw {sent}."));
            }
            (Ok(sent), None) => return Err(format!("It was to be refused, and the origin saw {sent}.")),
            (Err(refusal), Some(expected)) => {
                let (status, code) = (refusal.status(), refusal.code());
                return Err(format!(
                    "The origin was to see {expected}; it was refused with {status} {code}."
                ));
            }
            (Err(refusal), None) => refusal,
        };
        let answered = (Some(refusal.status()), Some(refusal.code()));
        if answered != (case.status, case.code.as_deref()) {
            let reason = refusal.reason();
            return Err(format!(
                "It is refused with {} {} ({reason})",
                refusal.status(),
                refusal.code()
            ));
        }
        let id = RequestId::from_bytes([1; 12]);
        let asked = Asked {
            request_id: &id,
            now,
            method: &case.method,
            scheme: Scheme::Https,
            host: "edge.test",
            path: target,
        };
        let answer = refusal.answer(&asked);
        check::answer(&answer)?;
        check::refusal(&refusal, &answer, &asked, Reached::Permit)
    }

    /// The first request that the origin would see.
    fn send(
        &self,
        method: &str,
        target: &[u8],
        lines: &[(String, Vec<u8>)],
        delivery: Delivery,
        now: UnixSeconds,
    ) -> Result<String, Refusal> {
        let lines = lines
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_slice()));
        let head = RequestHead::new(method, target, lines, delivery).map_err(Denial::from)?;
        let claim = authorizer::claim(&head)?;
        if claim.key_id() != KEY_ID {
            return Err(Denial::UnknownKey.into());
        }
        let authorized = authorizer::authorize(&self.config, &head, &claim, &self.record, now)?;
        body_rule(authorized.call().operation(), Some(0))?;
        let (_, request) = Exchange::begin(authorized.errand()?, b"")?;
        let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_ref()).collect();
        let extra: Vec<&&str> = names
            .iter()
            .filter(|name| {
                !matches!(**name, "accept-encoding" | "content-type") && !name.starts_with("x-amz-meta-")
            })
            .collect();
        let mut sent = [request.method, " ", &request.path_and_query()].concat();
        for name in extra {
            sent.push_str(&[" with ", name].concat());
        }
        Ok(sent)
    }
}

fn sign(text: &[u8]) -> Result<String, String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).map_err(|_| "The secret makes no MAC.")?;
    mac.update(text);
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}

/// The header lines: those of the case, or the usual ones with the case's changes.
fn lines(case: &Case, signature: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
    let lines = match &case.lines {
        Some(lines) => lines.clone(),
        None => {
            let credential = format!("OSS {KEY_ID}:${{signature}}");
            let mut headers: BTreeMap<String, Option<String>> = BTreeMap::new();
            for (name, value) in [
                ("host", "edge.test"),
                ("date", DATE),
                ("authorization", &credential),
            ] {
                headers.insert(name.to_owned(), Some(value.to_owned()));
            }
            headers.extend(case.headers.clone());
            headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect()
        }
    };
    lines
        .into_iter()
        .map(|(name, value)| {
            let value = latin1(&expand(&value, signature));
            Ok((name, value.ok_or("A header is not ISO-8859-1.")?))
        })
        .collect()
}

/// Puts the signature for `${signature}` and a thousand times `a` for `${1000*a}`.
fn expand(text: &str, signature: &str) -> String {
    let text = text.replace("${signature}", signature);
    let repeated = text.split_once("${").and_then(|(before, rest)| {
        let (inside, behind) = rest.split_once('}')?;
        let (times, piece) = inside.split_once('*')?;
        Some([before, &piece.repeat(times.parse().ok()?), behind].concat())
    });
    repeated.unwrap_or(text)
}
