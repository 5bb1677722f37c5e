//! Lambda@Edge events as types: what CloudFront hands a function, and what the function gives back.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html>.
//! An event is read exactly: a missing field is an error, not an empty string. Header lines stay
//! separate, so a repeated header is seen as repeated. Fields that this crate does not know (a future
//! `origin` setting) are carried back unchanged.

pub mod answers;
pub mod conversation;
pub mod function_url;
mod headers;
pub mod rules;
pub mod visit;

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::document::{Field, Fields, Holds, Mistake, Node};
use request_auth::{Connection, Delivery, HeadError, RequestHead};

pub use headers::{HeaderLine, Headers};

/// Why an event can't be read; a fault of the platform or of the function's configuration.
#[derive(Debug)]
pub struct EventError(String);

impl From<Mistake> for EventError {
    fn from(mistake: Mistake) -> Self {
        Self(format!("the event is not of the documented shape: {mistake}"))
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for EventError {}

/// One event: the first and only record of what CloudFront passes to a function.
#[derive(Clone)]
pub struct Event {
    /// Where the event comes from.
    pub config: EventConfig,
    /// The request, in every event.
    pub request: EventRequest,
    /// The response, in response events.
    pub response: Option<EventResponse>,
}

/// The event that a function is associated with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventType {
    /// Before the cache.
    ViewerRequest,
    /// Before the origin.
    OriginRequest,
    /// Behind the origin.
    OriginResponse,
    /// Behind the cache.
    ViewerResponse,
}

impl EventType {
    /// As an event has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ViewerRequest => "viewer-request",
            Self::OriginRequest => "origin-request",
            Self::OriginResponse => "origin-response",
            Self::ViewerResponse => "viewer-response",
        }
    }
}

/// Where an event comes from.
#[derive(Clone, Debug)]
pub struct EventConfig {
    /// The distribution's id, `EDFDVBD6EXAMPLE`.
    pub distribution_id: String,
    /// Which event it is: an [`EventType::name`].
    pub event_type: String,
    /// The id that all events of one viewer request share.
    pub request_id: String,
}

/// A request, as it is received and as it is given back.
#[derive(Clone)]
pub struct EventRequest {
    /// The method; read-only for functions.
    pub method: String,
    /// The path as sent, percent escapes untouched.
    pub uri: String,
    /// The query as sent, without `?`.
    pub querystring: String,
    /// Header lines by lower-case name.
    pub headers: Headers,
    /// The body, where the function is configured to see it.
    pub body: Option<EventBody>,
    /// A table of the rest: `clientIp`, `origin`.
    pub rest: Node<'static>,
}

/// A response, as it is received and as it is given back.
#[derive(Clone, Debug)]
pub struct EventResponse {
    /// The status as text, `200`.
    pub status: String,
    /// The reason phrase.
    pub status_description: String,
    /// Header lines by lower-case name.
    pub headers: Headers,
    /// A body of the function's own; the origin's body is never in an event.
    pub body: Option<String>,
    /// `text` or `base64`, with a body.
    pub body_encoding: Option<String>,
}

/// A request body as CloudFront shows it.
#[derive(Clone, Debug)]
pub struct EventBody {
    /// Whether it was cut at the platform's limit (40 KB at viewer-request, 1 MB at origin-request).
    pub input_truncated: bool,
    /// `read-only`, or `replace` where the function gives one.
    pub action: String,
    /// `base64` or `text`.
    pub encoding: String,
    /// The content.
    pub data: String,
}

impl Event {
    /// Reads the JSON that a function is called with.
    ///
    /// # Errors
    /// JSON of another shape, not exactly one record, or another event than `expected`: the function
    /// is associated with the wrong one.
    pub fn from_json(json: &str, expected: EventType) -> Result<Self, EventError> {
        let record =
            |record: Field<'_, '_>| record.open_table(|fields| fields.take("cf").open_table(Self::read));
        let records = Node::from_json(json)?.read(Holds::Secrets, |document| {
            document.open_table(|fields| fields.take("Records").list(record))
        })?;
        match <[Self; 1]>::try_from(records) {
            Ok([event]) if event.config.event_type == expected.name() => Ok(event),
            Ok(_) => Err(EventError(
                "the function is associated with another event than its own".to_owned(),
            )),
            Err(_) => Err(EventError("an event has exactly one record".to_owned())),
        }
    }

    fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            config: fields.take("config").open_table(EventConfig::read),
            request: fields.take("request").open_table(EventRequest::read),
            response: fields
                .take("response")
                .optional(|response| response.open_table(EventResponse::read)),
        }
    }
}

impl EventConfig {
    fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            distribution_id: fields.take("distributionId").string(),
            event_type: fields.take("eventType").string(),
            request_id: fields.take("requestId").string(),
        }
    }
}

impl EventRequest {
    fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            method: fields.take("method").string(),
            uri: fields.take("uri").string(),
            querystring: fields.take("querystring").string(),
            headers: Headers::read(fields.take("headers")),
            body: fields
                .take("body")
                .optional(|body| body.open_table(EventBody::read)),
            rest: fields.rest().into_owned(),
        }
    }

    /// Path and query as sent.
    pub fn target(&self) -> String {
        if self.querystring.is_empty() {
            self.uri.clone()
        } else {
            [&self.uri, "?", &self.querystring].concat()
        }
    }

    /// The request's head; `target` is [`EventRequest::target`].
    ///
    /// # Errors
    /// Whatever [`RequestHead::new`] refuses.
    pub fn head<'a>(&'a self, target: &str) -> Result<RequestHead<'a>, HeadError> {
        let lines = self.headers.lines().map(|(name, value)| (name.as_bytes(), value));
        let head = RequestHead::new(&self.method, target.as_bytes(), lines, Delivery::Lines)?;
        Ok(head.over(Connection {
            // The event does not say; the distribution takes no other by default.
            secure: true,
            peer: self.rest.get("clientIp").and_then(Node::as_text),
        }))
    }

    /// The first line of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.first(name)
    }

    /// Every header line: lower-case name and value.
    pub fn lines(&self) -> Vec<(&str, &[u8])> {
        self.headers.lines().collect()
    }

    /// Where the request goes, in origin events: the origin's domain, with its port unless that is
    /// the scheme's own, and the path that the distribution puts before every other (`""` for none).
    pub fn origin(&self) -> Option<(String, &str)> {
        let origin = self.rest.get("origin")?;
        let (origin, port) = match (origin.get("s3"), origin.get("custom")) {
            (Some(s3), None) => (s3, None),
            (None, Some(custom)) => {
                let default = if custom.get("protocol")?.as_text()? == "https" {
                    443
                } else {
                    80
                };
                (
                    custom,
                    custom.get("port")?.as_whole().filter(|port| *port != default),
                )
            }
            _ => return None,
        };
        let domain = origin.get("domainName")?.as_text()?;
        let authority = match port {
            Some(port) => [domain, ":", &port.to_string()].concat(),
            None => domain.to_owned(),
        };
        Some((authority, origin.get("path")?.as_text()?))
    }
}

impl EventResponse {
    fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            status: fields.take("status").string(),
            status_description: fields.take("statusDescription").or(String::new(), Field::string),
            headers: Headers::read(fields.take("headers")),
            body: fields.take("body").optional(Field::string),
            body_encoding: fields.take("bodyEncoding").optional(Field::string),
        }
    }

    /// The first line of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.first(name)
    }

    /// Every header line: lower-case name and value.
    pub fn lines(&self) -> Vec<(&str, &[u8])> {
        self.headers.lines().collect()
    }
}

impl<'a> From<&'a EventRequest> for Node<'a> {
    fn from(request: &'a EventRequest) -> Self {
        let mut node = request.rest.clone();
        node.set("method", request.method.as_str().into());
        node.set("uri", request.uri.as_str().into());
        node.set("querystring", request.querystring.as_str().into());
        node.set("headers", request.headers.written());
        if let Some(body) = &request.body {
            let body = [
                ("inputTruncated", Self::Bool(body.input_truncated)),
                ("action", body.action.as_str().into()),
                ("encoding", body.encoding.as_str().into()),
                ("data", body.data.as_str().into()),
            ];
            node.set("body", Self::table(body));
        }
        node
    }
}

impl<'a> From<&'a EventResponse> for Node<'a> {
    fn from(response: &'a EventResponse) -> Self {
        let mut node = Self::table([
            ("status", response.status.as_str().into()),
            ("headers", response.headers.written()),
        ]);
        if !response.status_description.is_empty() {
            node.set("statusDescription", response.status_description.as_str().into());
        }
        if let Some(body) = &response.body {
            node.set("body", body.as_str().into());
        }
        if let Some(encoding) = &response.body_encoding {
            node.set("bodyEncoding", encoding.as_str().into());
        }
        node
    }
}

impl EventBody {
    fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            input_truncated: fields.take("inputTruncated").or(false, Field::boolean),
            action: fields.take("action").string(),
            encoding: fields.take("encoding").string(),
            data: fields.take("data").string(),
        }
    }

    /// The body's bytes; `None` where the platform cut it or its encoding is unknown.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self.encoding.as_str() {
            _ if self.input_truncated => None,
            "base64" => STANDARD.decode(&self.data).ok(),
            "text" => Some(self.data.clone().into_bytes()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const VIEWER_REQUEST: &str = include_str!("../tests/events/viewer-request.json");

    fn viewer_request() -> Result<Event, EventError> {
        Event::from_json(VIEWER_REQUEST, EventType::ViewerRequest)
    }

    fn written(node: Node<'_>) -> Value {
        serde_json::from_str(&node.to_json()).unwrap()
    }

    #[test]
    fn an_event_is_read_and_its_request_written_back_whole() {
        let event = viewer_request().unwrap();
        assert_eq!(event.config.event_type, EventType::ViewerRequest.name());
        let before: Value = serde_json::from_str(VIEWER_REQUEST).unwrap();
        assert_eq!(
            written((&event.request).into()),
            before["Records"][0]["cf"]["request"]
        );
    }

    #[test]
    fn two_lines_of_a_header_are_seen_as_repeated() {
        let mut request = viewer_request().unwrap().request;
        let line = request.headers.get("authorization").unwrap()[0].clone();
        request.headers.insert("authorization", vec![line.clone(), line]);
        assert_eq!(
            request.head(&request.target()).err(),
            Some(HeadError::RepeatedHeader("authorization"))
        );
    }

    #[test]
    fn a_cut_body_has_no_bytes() {
        let body = EventBody {
            input_truncated: true,
            action: "read-only".into(),
            encoding: "base64".into(),
            data: "YQ==".into(),
        };
        assert_eq!(body.bytes(), None);
        assert_eq!(
            EventBody {
                input_truncated: false,
                ..body
            }
            .bytes()
            .unwrap(),
            b"a"
        );
    }

    #[test]
    fn a_function_that_is_associated_with_another_event_reads_nothing() {
        assert!(Event::from_json(VIEWER_REQUEST, EventType::OriginRequest).is_err());
    }

    #[test]
    fn the_origin_is_named_with_its_port_unless_that_is_its_scheme_s_own() {
        let recorded = include_str!("../tests/events/origin-request.json");
        let mut request = Event::from_json(recorded, EventType::OriginRequest)
            .unwrap()
            .request;
        let (s3, path) = request.origin().unwrap();
        assert_eq!(
            (s3.as_str(), path),
            ("acme-ingest.s3.eu-west-1.amazonaws.com", "")
        );
        for (protocol, port, authority) in [("https", 443, "h"), ("http", 80, "h"), ("http", 8333, "h:8333")]
        {
            let custom = Node::table([
                ("domainName", "h".into()),
                ("path", "/p".into()),
                ("port", Node::Whole(port)),
                ("protocol", protocol.into()),
            ]);
            request.rest.set("origin", Node::table([("custom", custom)]));
            assert_eq!(request.origin(), Some((authority.to_owned(), "/p")));
        }
        let both = [("s3", Node::table([])), ("custom", Node::table([]))];
        request.rest.set("origin", Node::table(both));
        assert_eq!(request.origin(), None);
    }

    #[test]
    fn an_answer_of_the_origin_is_read_and_written_back_whole() {
        let recorded = include_str!("../tests/events/origin-response.json");
        let response = Event::from_json(recorded, EventType::OriginResponse)
            .unwrap()
            .response
            .unwrap();
        let before: Value = serde_json::from_str(recorded).unwrap();
        assert_eq!(
            written((&response).into()),
            before["Records"][0]["cf"]["response"]
        );
    }

    #[test]
    fn l02_an_unreadable_event_is_not_quoted() {
        let json = VIEWER_REQUEST.replace(r#""querystring": """#, r#""querystring": 1, "other": "SECRET""#);
        let error = Event::from_json(&json, EventType::ViewerRequest)
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("`Records[0].cf.request.querystring`") && !error.contains("SECRET"),
            "{error}"
        );
        let error = Event::from_json(r#"{"Records":"SECRET"}"#, EventType::ViewerRequest)
            .err()
            .unwrap();
        assert!(!error.to_string().contains("SECRET"), "{error}");
    }

    #[test]
    fn events_of_another_shape_are_errors() {
        for json in ["", "{}", r#"{"Records":[]}"#, r#"{"Records":[{"cf":{}}]}"#] {
            assert!(
                Event::from_json(json, EventType::ViewerRequest).is_err(),
                "{json}"
            );
        }
    }
}
