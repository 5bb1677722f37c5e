//! One JSON line per request. It holds no secret, no signature, no token and no query string.

use oss_s3::answer::RequestId;
use oss_s3::error::{Blame, Refusal};
use oss_s3::request::Authorized;
use oss_s3::response::OriginAnswer;
use request_auth::UnixSeconds;
use serde_json::{Value, json};
use worker::{Date, console_log};

/// What is known of a request so far; written once, when it is answered.
pub(crate) struct Entry {
    began: u64,
    request_id: String,
    method: String,
    host: String,
    pub(crate) access_key_id: Option<String>,
    operation: Option<&'static str>,
    bucket: Option<String>,
    key: Option<String>,
    origin_status: Option<u16>,
    origin_request_id: Option<String>,
    code: Option<&'static str>,
    reason: Option<String>,
    level: &'static str,
}

/// The longest piece of client text that a line repeats, in characters.
const MAX_TEXT: usize = 1024;

impl Entry {
    pub(crate) fn new(request_id: &RequestId, method: &str, host: &str, began: u64) -> Self {
        Self {
            began,
            request_id: request_id.as_str().to_owned(),
            method: short(method),
            host: short(host),
            operation: None,
            bucket: None,
            key: None,
            access_key_id: None,
            origin_status: None,
            origin_request_id: None,
            code: None,
            reason: None,
            level: "info",
        }
    }

    /// Notes what was permitted.
    pub(crate) fn authorized(&mut self, authorized: &Authorized<'_>) {
        self.operation = Some(authorized.call().operation().name());
        self.bucket = Some(authorized.bucket().name.clone());
        self.key = Some(authorized.key().as_str().to_owned());
    }

    /// Notes what the origin said last.
    pub(crate) fn answered(&mut self, answer: &OriginAnswer) {
        self.origin_status = Some(answer.status);
        self.origin_request_id = answer.request_id().map(str::to_owned);
    }

    /// Notes why the request is refused, loudly where the operator has to act.
    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        self.code = Some(refusal.code());
        self.reason = Some(refusal.reason().into_owned());
        self.level = match refusal.blame() {
            Blame::Device => "warn",
            Blame::Operator => "error",
        };
    }

    /// Writes the line.
    pub(crate) fn write(self, status: u16) {
        let now = Date::now().as_millis();
        let text = |text: Option<String>| text.map_or(Value::Null, |text| Value::String(short(&text)));
        let line = json!({
            "time": UnixSeconds(i64::try_from(self.began / 1000).unwrap_or_default()).iso_extended(),
            "level": self.level,
            "request_id": self.request_id,
            "method": self.method,
            "host": self.host,
            "operation": self.operation,
            "bucket": text(self.bucket),
            "key": text(self.key),
            "access_key_id": text(self.access_key_id),
            "status": status,
            "code": self.code,
            "reason": text(self.reason),
            "origin_status": self.origin_status,
            "origin_request_id": text(self.origin_request_id),
            "milliseconds": now.saturating_sub(self.began),
        });
        console_log!("{line}");
    }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
