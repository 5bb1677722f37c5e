//! What CloudFront lets a function change, and the answers that functions give themselves.
//!
//! A result that breaks a rule is a 502 to the viewer, so the functions keep to them here, in one
//! place: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html>.

use gateway::document::Node;

use crate::{EventRequest, EventResponse, HeaderLine, Headers};

/// Headers that a viewer-request function has to hand back as they came.
pub const READ_ONLY_AT_VIEWER_REQUEST: [&str; 4] = ["content-length", "host", "transfer-encoding", "via"];

/// Headers that an origin-request function has to hand back as they came.
pub const READ_ONLY_AT_ORIGIN_REQUEST: [&str; 8] = [
    "accept-encoding",
    "content-length",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "transfer-encoding",
    "via",
];

/// Headers that an origin-response function has to hand back as they came.
pub const READ_ONLY_AT_ORIGIN_RESPONSE: [&str; 2] = ["transfer-encoding", "via"];

/// The most that an answer may have that a viewer-request function gives, headers and body in bytes:
/// 40 KB.
pub const MAX_VIEWER_ANSWER_BYTES: usize = 40_000;

/// URI and query of a request have to be shorter than this, in characters.
pub const MAX_URI_AND_QUERY: usize = 8192;

/// The headers of these names, every line as it came.
pub fn kept(headers: &Headers, names: &[&str]) -> Headers {
    headers
        .iter()
        .filter(|(name, _)| names.contains(&name.as_str()))
        .map(|(name, lines)| (name.clone(), lines.clone()))
        .collect()
}

impl EventRequest {
    /// The value of a custom header of the origin, in origin events: where the distribution says
    /// something to a function and no viewer can. `None` unless it stands there once.
    pub fn custom_header(&self, name: &str) -> Option<&str> {
        let origin = self.rest.get("origin")?;
        let origin = origin.get("s3").or_else(|| origin.get("custom"))?;
        match origin.get("customHeaders")?.get(name)? {
            Node::List(lines) => match lines.as_slice() {
                [line] => line.get("value")?.as_text(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes the origin's custom headers out of what is handed back: CloudFront would send them.
    pub fn drop_custom_headers(&mut self) {
        let Some(Node::Table(kinds)) = self.rest.get_mut("origin") else {
            return;
        };
        for (_, origin) in kinds {
            origin.set("customHeaders", Node::table([]));
        }
    }
}

impl EventResponse {
    /// An answer of the function's own. Content-Length is CloudFront's, and nothing may be cached of
    /// an answer to a signed request. Header values that are not text become text.
    pub fn generated<'h>(
        status: u16,
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
        body: &[u8],
    ) -> Self {
        let mut written = Headers::new();
        for (name, value) in headers {
            let line = HeaderLine {
                key: None,
                value: String::from_utf8_lossy(value).into_owned(),
            };
            written.insert(name.to_ascii_lowercase(), vec![line]);
        }
        written.remove("content-length");
        crate::set_header(&mut written, "cache-control", "no-store".to_owned());
        let body = (!body.is_empty()).then(|| String::from_utf8_lossy(body).into_owned());
        Self {
            status: status.to_string(),
            status_description: String::new(),
            headers: written,
            body_encoding: body.is_some().then(|| "text".to_owned()),
            body,
        }
    }

    /// The size of headers and body, in bytes.
    pub fn size(&self) -> usize {
        let lines = self.headers.iter().flat_map(|(name, lines)| {
            lines
                .iter()
                .map(move |line| name.len().saturating_add(line.value.len()).saturating_add(4))
        });
        lines.fold(self.body.as_ref().map_or(0, String::len), usize::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_answer_has_a_status_of_text_and_no_length() {
        let headers = [("date", b"now".as_slice()), ("content-length", b"3")];
        let answer = EventResponse::generated(403, headers, b"<a>");
        assert_eq!(
            serde_json::to_value(&answer).unwrap(),
            serde_json::json!({
                "status": "403",
                "headers": {
                    "cache-control": [{"key": "cache-control", "value": "no-store"}],
                    "date": [{"value": "now"}],
                },
                "body": "<a>",
                "bodyEncoding": "text",
            })
        );
        assert_eq!(
            answer.size(),
            "cache-control: no-store\r\n".len() - 2 + 2 + "date: now\r\n".len() + 3
        );
        assert_eq!(EventResponse::generated(204, [], b"").body, None);
    }

    #[test]
    fn only_the_named_headers_are_kept_each_line_as_it_came() {
        let line = |value: &str| HeaderLine {
            key: Some("Via".to_owned()),
            value: value.to_owned(),
        };
        let headers = Headers::from([
            ("via".to_owned(), vec![line("1.1 a"), line("1.1 b")]),
            ("authorization".to_owned(), vec![line("x")]),
        ]);
        let kept = kept(&headers, &READ_ONLY_AT_VIEWER_REQUEST);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept["via"], headers["via"]);
    }
}
