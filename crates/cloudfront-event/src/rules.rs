//! What CloudFront lets a function change, and the answers that functions give themselves.
//!
//! A result that breaks a rule is a 502 to the viewer, so the functions keep to them here, in one
//! place: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html>.

use gateway::document::Node;

use oss_s3::answer::Answer;

use crate::{EventRequest, EventResponse, Headers};

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

/// The most that request line and headers may have behind the viewer-request function, in bytes:
/// CloudFront takes 20,480, and it and the router add their own headers, a signature among them.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;

impl EventRequest {
    /// The size of request line and headers, in bytes.
    pub fn size(&self) -> usize {
        let line = [self.method.len(), self.uri.len(), self.querystring.len()];
        let line = line
            .into_iter()
            .fold("  HTTP/1.1\r\n".len(), usize::saturating_add);
        line.saturating_add(self.headers.size())
    }

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

impl From<&Answer> for EventResponse {
    /// An answer of the gateway's, as CloudFront takes one. Content-Length is CloudFront's, and nothing
    /// may be cached of an answer to a signed request. What is not text becomes text.
    fn from(answer: &Answer) -> Self {
        let mut headers = Headers::default();
        for (name, value) in &answer.headers {
            headers.set(name, String::from_utf8_lossy(value).into_owned());
        }
        headers.remove("content-length");
        headers.set("cache-control", "no-store".to_owned());
        let body = String::from_utf8_lossy(&answer.body);
        let body = (!body.is_empty()).then(|| body.into_owned());
        Self {
            status: answer.status.to_string(),
            status_description: String::new(),
            headers,
            body_encoding: body.is_some().then(|| "text".to_owned()),
            body,
        }
    }
}

impl EventResponse {
    /// The size of headers and body, in bytes.
    pub fn size(&self) -> usize {
        let body = self.body.as_ref().map_or(0, String::len);
        body.saturating_add(self.headers.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_answer_has_a_status_of_text_and_no_length() {
        let answer = |status, body: &[u8]| {
            EventResponse::from(&Answer {
                status,
                headers: vec![
                    ("date".into(), b"now".to_vec()),
                    ("content-length".into(), b"3".to_vec()),
                ],
                body: body.to_vec(),
            })
        };
        let refused = answer(403, b"<a>");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&Node::from(&refused).to_json()).unwrap(),
            serde_json::json!({
                "status": "403",
                "headers": {
                    "cache-control": [{"key": "cache-control", "value": "no-store"}],
                    "date": [{"key": "date", "value": "now"}],
                },
                "body": "<a>",
                "bodyEncoding": "text",
            })
        );
        assert_eq!(
            refused.size(),
            "cache-control: no-store\r\n".len() - 2 + 2 + "date: now\r\n".len() + 3
        );
        assert_eq!(answer(204, b"").body, None);
    }
}
