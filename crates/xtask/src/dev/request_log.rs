//! The edge functions' log, one JSON object per function and request, as one line per request that a person can
//! read. The Worker writes one object; on CloudFront up to four functions do, and CloudFront itself where it
//! answers in their place.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use causeway::cloudfront::RESPONSE_HANDLER;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::project::hex;

/// The function that serves a request alone.
const WORKER: &str = "cloudflare-gateway";

/// For how long a request waits for the line of the function that answers it. Large objects take long.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a function logs of a request.
#[derive(Deserialize)]
struct Line {
    time: String,
    function: String,
    request_id: String,
    method: String,
    host: Option<String>,
    operation: Option<String>,
    bucket: Option<String>,
    key: Option<String>,
    access_key_id: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    reason: Option<String>,
    origin_status: Option<u16>,
    milliseconds: Option<f64>,
}

/// What the local CloudFront logs: of a request that it answers itself, or of one of the services that it plays.
#[derive(Deserialize)]
struct Own {
    function: String,
    status: Option<u16>,
    #[serde(alias = "line")]
    reason: String,
    /// CloudFront's own id, of which the functions derive theirs.
    request_id: Option<String>,
}

/// The requests of which not everything is known yet, by their ids.
#[derive(Default)]
pub(crate) struct RequestLog {
    open: HashMap<String, (Line, Instant)>,
}

impl RequestLog {
    /// Takes a line that came at `now`, and gives what is to be shown. What is no request's line is shown as it
    /// is, less its control characters.
    pub(crate) fn take(&mut self, text: &str, now: Instant) -> Vec<String> {
        if let Ok(line) = serde_json::from_str::<Line>(text) {
            return self.function(line, now).into_iter().collect();
        }
        match serde_json::from_str::<Own>(text) {
            Ok(own) => vec![self.own(own)],
            Err(_) => vec![printable(text)],
        }
    }

    /// The requests that have waited for too long.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<String> {
        self.close(|since| now.duration_since(since) > PATIENCE)
    }

    /// All requests that still wait.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        self.close(|_| true)
    }

    /// A function's line: shown with the earlier ones when it is the last, and kept otherwise.
    fn function(&mut self, line: Line, now: Instant) -> Option<String> {
        // Whoever answers says the status, and CloudFront shows the handler's answer to one function more. The Worker has
        // no other functions beside it: a line without a status follows an answer.
        let is_last = match line.function.as_str() {
            RESPONSE_HANDLER => false,
            WORKER => true,
            _ => line.status.is_some(),
        };
        let line = match self.open.remove(&line.request_id) {
            Some((earlier, _)) => earlier.followed_by(line),
            None => line,
        };
        if is_last {
            return Some(printable(&line.describe()));
        }
        self.open.insert(line.request_id.clone(), (line, now));
        None
    }

    fn own(&mut self, own: Own) -> String {
        let id = own.request_id.as_deref().map(derived);
        let open = id.and_then(|id| self.open.remove(&id));
        let text = match (open, own.status) {
            (Some((mut line, _)), status) => {
                line.status = status;
                line.reason = Some(own.reason);
                line.code = Some(own.function);
                line.describe()
            }
            (None, Some(status)) => format!("{}: {status}: {}", own.function, own.reason),
            (None, None) => format!("{}: {}", own.function, own.reason),
        };
        printable(&text)
    }

    fn close(&mut self, is_due: impl Fn(Instant) -> bool) -> Vec<String> {
        let due = self.open.extract_if(|_, (_, since)| is_due(*since));
        due.map(|(_, (line, _))| printable(&line.describe())).collect()
    }
}

impl Line {
    /// This line with what a later one of the same request adds.
    fn followed_by(self, later: Self) -> Self {
        let milliseconds = [self.milliseconds, later.milliseconds];
        Self {
            time: later.time,
            function: later.function,
            request_id: self.request_id,
            method: self.method,
            host: self.host.or(later.host),
            operation: self.operation.or(later.operation),
            bucket: self.bucket.or(later.bucket),
            key: self.key.or(later.key),
            access_key_id: self.access_key_id.or(later.access_key_id),
            status: later.status.or(self.status),
            code: self.code.or(later.code),
            reason: self.reason.or(later.reason),
            origin_status: self.origin_status.or(later.origin_status),
            milliseconds: milliseconds.into_iter().flatten().reduce(|sum, next| sum + next),
        }
    }

    fn describe(&self) -> String {
        // 2026-03-01T12:34:56.789Z
        let time = self.time.get(11..19).unwrap_or(&self.time);
        let operation = self.operation.as_deref().unwrap_or("-");
        let target = match (&self.bucket, &self.key) {
            (Some(bucket), Some(key)) => format!("{bucket}/{key}"),
            (Some(bucket), None) => bucket.clone(),
            _ => self.host.clone().unwrap_or_default(),
        };
        let status = self.status.map_or("---".to_owned(), |status| status.to_string());
        let mut text = format!("{time}  {status}  {:<6} {operation:<23} {target}", self.method);
        if let Some(code) = &self.code {
            text.push_str(&format!("  {code}"));
        }
        if let Some(reason) = &self.reason {
            text.push_str(&format!(": {reason}"));
        }
        let mut details = Vec::new();
        details.extend(self.access_key_id.as_ref().map(|id| format!("key {id}")));
        details.extend(self.origin_status.map(|status| format!("origin {status}")));
        details.extend(self.milliseconds.map(|ms| format!("{ms:.0} ms")));
        details.push(self.request_id.clone());
        format!("{text}  ({})", details.join(", "))
    }
}

/// The id that the functions make of CloudFront's.
fn derived(id: &str) -> String {
    let digest = Sha256::digest(id.as_bytes());
    hex(&digest[..12]).to_uppercase()
}

/// Control characters would let a key write to the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{FFFD}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const REFUSED: &str = r#"{"time":"2026-03-01T12:34:56.789Z","function":"cloudflare-gateway","request_id":"65A0",
        "method":"PUT","host":"127.0.0.1","operation":"PutObject","bucket":"devices","key":"a/b\u001b[2J",
        "access_key_id":"LTAI1","status":403,"code":"SignatureDoesNotMatch","reason":"no candidate matched",
        "origin_status":null,"origin_request_id":null,"milliseconds":1.6,"level":"warn"}"#;

    /// What is shown for a line of each function, with only these fields.
    fn show(log: &mut RequestLog, lines: &[(&str, serde_json::Value)]) -> Vec<String> {
        let line = |function: &str, fields: &serde_json::Value| {
            let mut line = json!({ "time": "2026-03-01T12:34:56.789Z", "function": function, "request_id": derived("CF"),
                "method": "PUT", "milliseconds": 2.0 });
            let fields = fields.as_object().unwrap().clone();
            line.as_object_mut().unwrap().extend(fields);
            line.to_string()
        };
        lines
            .iter()
            .flat_map(|(function, fields)| log.take(&line(function, fields), Instant::now()))
            .collect()
    }

    #[test]
    fn a_refused_request_shows_why() {
        assert_eq!(
            RequestLog::default().take(REFUSED, Instant::now()),
            [
                "12:34:56  403  PUT    PutObject               devices/a/b\u{FFFD}[2J  SignatureDoesNotMatch: \
                 no candidate matched  (key LTAI1, 2 ms, 65A0)"
            ]
        );
    }

    #[test]
    fn a_line_that_is_no_requests_passes_through() {
        let mut log = RequestLog::default();
        assert_eq!(log.take("{\"half\": ", Instant::now()), ["{\"half\": "]);
        let line = r#"{"level":"error","function":"s3","status":403,"reason":"no statement allows it"}"#;
        assert_eq!(
            log.take(line, Instant::now()),
            ["s3: 403: no statement allows it"]
        );
        let line = r#"{"level":"info","function":"router","line":"not JSON"}"#;
        assert_eq!(log.take(line, Instant::now()), ["router: not JSON"]);
    }

    #[test]
    fn the_functions_of_a_request_share_a_line() {
        let mut log = RequestLog::default();
        let shown = show(
            &mut log,
            &[
                (
                    "viewer-request-authorizer",
                    json!({ "operation": "InitiateMultipartUpload", "bucket": "devices", "key": "a",
                    "access_key_id": "LTAI1" }),
                ),
                (
                    "multipart-initiation-router",
                    json!({ "operation": "InitiateMultipartUpload" }),
                ),
                (
                    RESPONSE_HANDLER,
                    json!({ "status": 404, "code": "NoSuchKey", "origin_status": 400 }),
                ),
                (
                    "xmlns-response-handler/origin-response",
                    json!({ "status": 404, "origin_status": 404 }),
                ),
            ],
        );
        let expected = format!(
            "12:34:56  404  PUT    InitiateMultipartUpload devices/a  NoSuchKey  (key LTAI1, origin 400, 8 ms, {})",
            derived("CF")
        );
        assert_eq!(shown, [expected]);
        assert!(log.rest().is_empty());
    }

    #[test]
    fn a_refusal_of_any_function_is_the_last_line_of_its_request() {
        let mut log = RequestLog::default();
        let passed = ("viewer-request-authorizer", json!({ "key": "a" }));
        let refused = (
            "multipart-initiation-router",
            json!({ "status": 403, "code": "AccessDenied" }),
        );
        assert_eq!(show(&mut log, &[passed, refused.clone()]).len(), 1);
        assert_eq!(show(&mut log, &[refused]).len(), 1);
    }

    #[test]
    fn what_cloudfront_answers_itself_ends_a_request() {
        let mut log = RequestLog::default();
        show(
            &mut log,
            &[(
                "viewer-request-authorizer",
                json!({ "bucket": "devices", "key": "a" }),
            )],
        );
        let own = r#"{"level":"error","function":"cloudfront","status":502,"reason":"the result is no request","request_id":"CF"}"#;
        let shown = log.take(own, Instant::now());
        assert!(
            matches!(&shown[..], [one] if one.contains("  502  PUT    -                       devices/a  cloudfront: the result is no request")),
            "{shown:?}"
        );
        assert!(log.rest().is_empty());
    }

    #[test]
    fn a_request_that_nobody_answers_is_shown_in_the_end() {
        let mut log = RequestLog::default();
        show(
            &mut log,
            &[(
                "viewer-request-authorizer",
                json!({ "bucket": "devices", "key": "a" }),
            )],
        );
        assert!(log.overdue(Instant::now()).is_empty());
        let shown = log.overdue(Instant::now() + PATIENCE + Duration::from_secs(1));
        assert!(
            matches!(&shown[..], [one] if one.starts_with("12:34:56  ---  PUT")),
            "{shown:?}"
        );
    }
}
