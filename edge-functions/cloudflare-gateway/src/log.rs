//! One JSON line per request: the gateway's own line, and the time that only the platform knows.

use crate::platform;
use gateway::document::Node;
use gateway::log::Line;
use oss_s3::answer::RequestId;
use oss_s3::request::Authorized;
use oss_s3::response::OriginAnswer;
use request_auth::UnixSeconds;

const FUNCTION: &str = "cloudflare-gateway";

/// What is known of a request so far; written once, when it is answered.
pub(crate) struct Entry {
    /// When it began, in milliseconds since 1970.
    pub(crate) began: u64,
    pub(crate) line: Line,
}

impl Entry {
    /// An entry for a request that began at `began`.
    pub(crate) fn new(request_id: &RequestId, method: &str, host: &str, began: u64) -> Self {
        let line = Line::new(FUNCTION, request_id.as_str(), method).sent_to(host);
        Self { began, line }
    }

    /// An entry for what follows a request, which this line is of, from now on.
    pub(crate) fn behind(line: Line) -> Self {
        Self {
            began: platform::now(),
            line: Line { status: None, ..line },
        }
    }

    /// Notes what was permitted.
    pub(crate) fn authorized(&mut self, authorized: &Authorized<'_>) {
        self.line.operation = Some(authorized.call().operation().name());
        self.line.bucket = Some(authorized.bucket().name.clone());
        self.line.key = Some(authorized.target().key().to_owned());
    }

    /// Notes what the origin said last.
    pub(crate) fn answered(&mut self, answer: &OriginAnswer) {
        self.line.origin_status = Some(answer.status);
        self.line.origin_request_id = answer.request_id().map(str::to_owned);
    }

    /// Writes the line; `status` is that of the answer, if there is one.
    pub(crate) fn write(mut self, status: Option<u16>) {
        let seconds = i64::try_from(self.began / 1000).unwrap_or_default();
        self.line.status = status;
        let took = platform::now().saturating_sub(self.began);
        let mut line = Node::from(&self.line);
        line.set("time", UnixSeconds(seconds).iso_extended().into());
        line.set(
            "milliseconds",
            Node::Whole(i64::try_from(took).unwrap_or(i64::MAX)),
        );
        platform::console_log(&line.to_json());
    }
}
