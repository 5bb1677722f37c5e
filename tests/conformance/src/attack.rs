//! The attack corpus: requests as data, what each must come to, and that the origin sees nothing of
//! those that are refused. The format is described in `tests/attack/README.md`.

use std::collections::BTreeMap;

use gateway::authorizer;
use gateway::config::Config;
use gateway::keys::KeyRecord;
use gateway::response_handler::{Exchange, Step};
use gateway::router::body_rule_of;
use oss_s3::answer::{self, Asked, RequestId};
use oss_s3::error::Refusal;
use oss_s3::upload::Owner;
use request_auth::{Delivery, Denial, Dialect, RequestHead, UnixSeconds};
use serde::Deserialize;
use serde_json::json;

use crate::corpus::{Reached, check};
use crate::mac::{self, s3_string_to_sign, v4_string_to_sign};
use crate::report::{Outcome, Report};
use crate::run::{joined, latin1};
use crate::upload::{seals, told};

/// The attack cases that are data: file name and text.
pub const FILES: [(&str, &str); 4] = [
    ("oss-v1.json", include_str!("../../attack/oss-v1.json")),
    ("oss-v2.json", include_str!("../../attack/oss-v2.json")),
    ("oss-v4.json", include_str!("../../attack/oss-v4.json")),
    ("s3-v4.json", include_str!("../../attack/s3-v4.json")),
];

const NOW: i64 = 1_714_566_896;
const DATE: &str = "Wed, 01 May 2024 12:34:56 GMT";
const TIMESTAMP: &str = "20240501T123456Z";
const OSS_SCOPE: &str = "20240501/cn-hangzhou/oss/aliyun_v4_request";
const S3_SCOPE: &str = "20240501/us-east-1/s3/aws4_request";
const KEY_ID: &str = "LTAI5tAttack";
const SECRET: &str = "fakeSecretFakeSecretFakeSecret";

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    what: String,
    /// The scheme that the text is signed by.
    #[serde(default)]
    scheme: Scheme,
    #[serde(default)]
    text: Option<String>,
    #[serde(default = "timestamp")]
    timestamp: String,
    /// The credential scope; by default that of the scheme's usual client.
    #[serde(default)]
    scope: Option<String>,
    /// The schemes of the key; by default the case's own.
    #[serde(default)]
    schemes: Option<Vec<String>>,
    /// The session token of the key.
    #[serde(default)]
    token: Option<String>,
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

/// A scheme by its name in configuration.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
enum Scheme {
    #[default]
    #[serde(rename = "oss-v1")]
    OssV1,
    #[serde(rename = "oss-v2")]
    OssV2,
    #[serde(rename = "oss-v4")]
    OssV4,
    #[serde(rename = "s3-v4")]
    S3V4,
}

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::OssV1 => "oss-v1",
            Self::OssV2 => "oss-v2",
            Self::OssV4 => "oss-v4",
            Self::S3V4 => "s3-v4",
        }
    }

    /// The usual headers of a client, but for its Host.
    fn headers(self) -> Vec<(&'static str, String)> {
        let credential = match self {
            Self::OssV1 => format!("OSS {KEY_ID}:${{signature}}"),
            Self::OssV2 => format!("OSS2 AccessKeyId:{KEY_ID},Signature:${{signature}}"),
            Self::OssV4 => {
                format!("OSS4-HMAC-SHA256 Credential={KEY_ID}/${{scope}},Signature=${{signature}}")
            }
            Self::S3V4 => format!(
                "AWS4-HMAC-SHA256 Credential={KEY_ID}/${{scope}}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${{signature}}"
            ),
        };
        let mut headers = vec![("authorization", credential)];
        match self {
            Self::OssV1 | Self::OssV2 => headers.push(("date", DATE.to_owned())),
            Self::OssV4 => headers.extend([
                ("x-oss-date", "${timestamp}".to_owned()),
                ("x-oss-content-sha256", "UNSIGNED-PAYLOAD".to_owned()),
            ]),
            Self::S3V4 => headers.extend([
                ("x-amz-date", "${timestamp}".to_owned()),
                ("x-amz-content-sha256", "UNSIGNED-PAYLOAD".to_owned()),
            ]),
        }
        headers
    }
}

fn put() -> String {
    "PUT".to_owned()
}

fn timestamp() -> String {
    TIMESTAMP.to_owned()
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

/// The gateway under attack: two buckets and a host of each style.
struct Gateway {
    config: Config,
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
            "oss_v4_regions": ["cn-hangzhou", "cn-shanghai"],
            "s3_v4_regions": ["us-east-1", "eu-west-1"],
            "hosts": [
                {"host": "edge.test", "styles": ["path", "virtual-host"]},
                {"host": "up.test", "cname": "devices"},
                {"host": "free.test", "cname": "devices", "unsigned_bucket": true},
            ],
        });
        Ok(Self {
            config: Config::from_json(&config.to_string()).map_err(|error| error.to_string())?,
        })
    }

    fn judge(&self, case: &Case) -> Result<(), String> {
        let signature = match &case.text {
            Some(text) => case.sign(&latin1(&case.expand(text, "")).ok_or("Its text is not ISO-8859-1.")?)?,
            None => String::new(),
        };
        let target = case.expand(&case.target, &signature.replace('+', "%2B"));
        let target = latin1(&target).ok_or("Its target is not ISO-8859-1.")?;
        let lines = lines(case, &signature)?;
        let record = KeyRecord::from_json(KEY_ID, &case.record()).map_err(|error| error.to_string())?;
        self.judge_as(case, &record, &target, &lines, Delivery::Lines)?;
        match joined(&lines) {
            Some(lines) => self
                .judge_as(case, &record, &target, &lines, Delivery::Joined)
                .map_err(|sentence| format!("With repeated headers joined: {sentence}")),
            None => Ok(()),
        }
    }

    fn judge_as(
        &self,
        case: &Case,
        record: &KeyRecord,
        target: &[u8],
        lines: &[(String, Vec<u8>)],
        delivery: Delivery,
    ) -> Result<(), String> {
        let now = UnixSeconds(NOW.saturating_add(case.clock));
        let refusal = match (
            self.send(case, record, target, lines, delivery, now),
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
        let header = |name: &str| {
            let mut found = lines
                .iter()
                .filter(|(header, _)| header.eq_ignore_ascii_case(name));
            found
                .next()
                .map(|(_, value)| value.as_slice())
                .unwrap_or_default()
        };
        let dialect = Dialect::spoken(target, header("authorization"), header("cookie"));
        let row = refusal.row(dialect);
        let answered = (Some(row.status), Some(row.code));
        if answered != (case.status, case.code.as_deref()) {
            let reason = refusal.reason();
            return Err(format!(
                "It is refused with {} {} ({reason})",
                row.status, row.code
            ));
        }
        let id = RequestId::from_bytes([1; 12]);
        let asked = Asked {
            dialect,
            request_id: &id,
            now,
            method: &case.method,
            scheme: answer::Scheme::Https,
            host: "edge.test",
            path: target,
        };
        let answer = refusal.answer(&asked);
        check::answer(&answer, dialect)?;
        check::refusal(&refusal, &answer, &asked, Reached::Permit)
    }

    /// The first request that the origin would see.
    fn send(
        &self,
        case: &Case,
        record: &KeyRecord,
        target: &[u8],
        lines: &[(String, Vec<u8>)],
        delivery: Delivery,
        now: UnixSeconds,
    ) -> Result<String, Refusal> {
        let lines = lines
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_slice()));
        let head = RequestHead::new(&case.method, target, lines, delivery).map_err(Denial::from)?;
        let claim = authorizer::claim(&self.config, &head)?;
        if claim.key_id() != KEY_ID {
            return Err(Denial::UnknownKey.into());
        }
        let authorized = authorizer::authorize(&self.config, &head, &claim, record, now)?;
        let errand = authorized.errand(&seals())?;
        body_rule_of(&authorized, Some(0))?;
        authorized.unframer()?;
        let id = RequestId::from_bytes([0; 12]);
        let asked = Asked {
            dialect: claim.scheme().dialect(),
            request_id: &id,
            now,
            method: &case.method,
            scheme: answer::Scheme::Https,
            host: head.host(),
            path: head.path(),
        };
        let (_, Step::Send(request)) = Exchange::begin(errand, b"", &asked)? else {
            return Ok("an answer of its own".to_owned());
        };
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

impl Case {
    /// The record of the one key, with a grant for one bucket.
    fn record(&self) -> String {
        let own = || vec![self.scheme.name().to_owned()];
        json!({
            "id": KEY_ID,
            "secrets": [{"secret": SECRET}],
            "schemes": self.schemes.clone().unwrap_or_else(own),
            "security_token": self.token,
            "grants": [{"bucket": "devices", "mount": "fleet/{key_id}/"}],
        })
        .to_string()
    }

    fn scope(&self) -> &str {
        match (&self.scope, self.scheme) {
            (Some(scope), _) => scope,
            (None, Scheme::S3V4) => S3_SCOPE,
            (None, _) => OSS_SCOPE,
        }
    }

    /// Signs the text that the attacker got signed: with a version 4 it is the canonical request.
    fn sign(&self, text: &[u8]) -> Result<String, String> {
        let signature = match self.scheme {
            Scheme::OssV1 => mac::Scheme::OssV1.sign(SECRET, text),
            Scheme::OssV2 => mac::Scheme::OssV2.sign(SECRET, text),
            Scheme::OssV4 => {
                let text = v4_string_to_sign(text, &self.timestamp, self.scope());
                mac::Scheme::OssV4.sign(SECRET, &text)
            }
            Scheme::S3V4 => {
                let text = s3_string_to_sign(text, &self.timestamp, self.scope());
                mac::Scheme::S3V4.sign(SECRET, &text)
            }
        };
        signature.ok_or_else(|| "Its text cannot be signed.".to_owned())
    }

    /// Puts the signature, the timestamp and the scope for their names, what was told of an upload for
    /// `${upload …}`, and a thousand times `a` for `${1000*a}`.
    fn expand(&self, text: &str, signature: &str) -> String {
        let text = text
            .replace("${signature}", signature)
            .replace("${timestamp}", &self.timestamp)
            .replace("${scope}", self.scope());
        let text = with_uploads(&text);
        let repeated = text.split_once("${").and_then(|(before, rest)| {
            let (inside, behind) = rest.split_once('}')?;
            let (times, piece) = inside.split_once('*')?;
            Some([before, &piece.repeat(times.parse().ok()?), behind].concat())
        });
        repeated.unwrap_or(text)
    }
}

/// Puts for each `${upload ID}` what the key was told for the origin's upload `ID` to its key `k` in
/// `devices`, and for `${upload ID BUCKET KEY KEY_ID}` what that access key was told for that object.
fn with_uploads(text: &str) -> String {
    let mut pieces = text.split("${upload ");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (inside, behind) = piece.split_once('}').unwrap_or((piece, ""));
        let mut words = inside.split(' ');
        let id = words.next().unwrap_or_default();
        let owner = Owner {
            bucket: words.next().unwrap_or("devices"),
            key: words.next().unwrap_or("k"),
            key_id: words.next().unwrap_or(KEY_ID),
        };
        out.push_str(&told(owner, id));
        out.push_str(behind);
    }
    out
}

/// The header lines: those of the case, or the usual ones with the case's changes.
fn lines(case: &Case, signature: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
    let lines = match &case.lines {
        Some(lines) => lines.clone(),
        None => {
            let mut headers: BTreeMap<String, Option<String>> = BTreeMap::new();
            headers.insert("host".to_owned(), Some("edge.test".to_owned()));
            for (name, value) in case.scheme.headers() {
                headers.insert(name.to_owned(), Some(value));
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
            let value = latin1(&case.expand(&value, signature));
            Ok((name, value.ok_or("A header is not ISO-8859-1.")?))
        })
        .collect()
}
