//! The log line of one function about one request.
//!
//! It holds no secret, no signature, no token and no query string. The shell adds the time; the
//! request id joins the lines where several functions serve a request, and S3's own id stands beside
//! it.

use oss_s3::error::{Blame, Refusal};
use request_auth::Dialect;

use crate::document::Node;
use crate::passport::Decision;

/// The longest piece of client text that a line repeats, in characters.
const MAX_TEXT: usize = 1024;

/// What one function knows of a request; written once, as JSON.
#[derive(Clone, Debug)]
pub struct Line {
    /// `info`, `warn` for a fault of the device's, `error` where the operator has to act.
    pub level: &'static str,
    /// The name of the function.
    pub function: &'static str,
    /// The id that the device is answered with.
    pub request_id: String,
    /// The method.
    pub method: String,
    /// The Host header, where the function sees the device's.
    pub host: Option<String>,
    /// The operation, once it is permitted.
    pub operation: Option<&'static str>,
    /// The virtual bucket, likewise.
    pub bucket: Option<String>,
    /// The key as the device names it, likewise.
    pub key: Option<String>,
    /// The access key that the request claims.
    pub access_key_id: Option<String>,
    /// The status of the answer, where this function answers.
    pub status: Option<u16>,
    /// The error code that the device is told, where it refuses.
    pub code: Option<&'static str>,
    /// Why, in one sentence for the operator.
    pub reason: Option<String>,
    /// The status of the origin's last answer.
    pub origin_status: Option<u16>,
    /// The origin's own id of that.
    pub origin_request_id: Option<String>,
}

impl Line {
    /// A line of `function` about the request with this id.
    pub fn new(function: &'static str, request_id: &str, method: &str) -> Self {
        Self {
            level: "info",
            function,
            request_id: request_id.to_owned(),
            method: short(method),
            host: None,
            operation: None,
            bucket: None,
            key: None,
            access_key_id: None,
            status: None,
            code: None,
            reason: None,
            origin_status: None,
            origin_request_id: None,
        }
    }

    /// Notes the Host header as sent.
    pub fn sent_to(mut self, host: &str) -> Self {
        self.host = Some(short(host));
        self
    }

    /// Notes what the operator has to act on although the request is served.
    pub fn alarm(&mut self, reason: &str) {
        self.level = "error";
        self.reason = Some(short(reason));
    }

    /// Notes what was decided.
    pub fn decided(&mut self, decision: &Decision) {
        self.operation = Some(decision.operation.name());
        self.bucket = Some(decision.bucket.clone());
        self.key = Some(decision.key.clone());
    }

    /// Notes why the request is refused, behind an alarm if there was one, and what a device that speaks this dialect
    /// is told.
    pub fn refused(&mut self, refusal: &Refusal, dialect: Dialect) {
        let row = refusal.row(dialect);
        self.status = Some(row.status);
        self.code = Some(row.code);
        let reason = refusal.reason();
        self.level = match (&self.reason, row.blame) {
            // An alarm stays one.
            (Some(_), _) | (None, Blame::Operator) => "error",
            (None, Blame::Device) => "warn",
        };
        self.reason = Some(match &self.reason {
            Some(alarm) => short(&[alarm, " ", &reason].concat()),
            None => short(&reason),
        });
    }
}

impl<'a> From<&'a Line> for Node<'a> {
    fn from(line: &'a Line) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().into();
        let status = |status: Option<u16>| status.map_or(Self::Null, |status| Self::Whole(status.into()));
        Self::table([
            ("level", line.level.into()),
            ("function", line.function.into()),
            ("request_id", line.request_id.as_str().into()),
            ("method", line.method.as_str().into()),
            ("host", text(&line.host)),
            ("operation", line.operation.into()),
            ("bucket", text(&line.bucket)),
            ("key", text(&line.key)),
            ("access_key_id", text(&line.access_key_id)),
            ("status", status(line.status)),
            ("code", line.code.into()),
            ("reason", text(&line.reason)),
            ("origin_status", status(line.origin_status)),
            ("origin_request_id", text(&line.origin_request_id)),
        ])
    }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use oss_s3::error::Fault;

    use super::*;

    #[test]
    fn a_refusal_is_as_loud_as_its_blame() {
        let mut line = Line::new("authorizer", "ID", "PUT");
        assert_eq!(line.level, "info");
        line.refused(&Fault::Forbidden.into(), Dialect::Oss);
        assert_eq!(
            (line.level, line.status, line.code),
            ("warn", Some(403), Some("AccessDenied"))
        );
        let mut line = Line::new("authorizer", "ID", "PUT");
        line.refused(
            &Refusal::new(Fault::GatewayFailed).because("x".repeat(5000)),
            Dialect::Oss,
        );
        assert_eq!((line.level, line.reason.unwrap().len()), ("error", MAX_TEXT));
    }

    #[test]
    fn a_refusal_behind_an_alarm_is_as_loud_as_that() {
        let mut line = Line::new("authorizer", "ID", "PUT");
        line.alarm("Something is left.");
        line.refused(&Refusal::new(Fault::Forbidden).because("No grant."), Dialect::Oss);
        assert_eq!(
            (line.level, line.reason.as_deref()),
            ("error", Some("Something is left. No grant."))
        );
    }

    #[test]
    fn a_line_is_written_with_all_its_fields() {
        let mut line = Line::new("authorizer", "ID", "PUT").sent_to("edge.example");
        line.refused(&Fault::Forbidden.into(), Dialect::Oss);
        let written = Node::from(&line).to_json();
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(
            (&read["host"], &read["status"], &read["key"]),
            (&"edge.example".into(), &403.into(), &serde_json::Value::Null)
        );
        assert_eq!(read.as_object().unwrap().len(), 14);
    }
}
