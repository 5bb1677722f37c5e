//! What Lambda hands a function that is called through its URL, and what it takes back.
//!
//! Payload format 2.0: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>. Header
//! names are lower case, and repeated headers arrive joined by commas.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::document::{Field, Fields, Holds, Mistake, Node};
use serde::{Serialize, Serializer};

use crate::EventError;

/// A request to a function URL.
#[derive(Clone, Debug)]
pub struct FunctionUrlRequest {
    /// The path as sent.
    pub raw_path: String,
    /// The query as sent, without `?`.
    pub raw_query_string: String,
    /// Header values by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Where the request comes from.
    pub request_context: RequestContext,
    /// The body.
    pub body: Option<String>,
    /// Whether the body is base64.
    pub is_base64_encoded: bool,
}

/// Where a request comes from.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The request line.
    pub http: HttpContext,
    /// Lambda's own id of the request.
    pub request_id: String,
}

/// The request line.
#[derive(Clone, Debug)]
pub struct HttpContext {
    /// The method.
    pub method: String,
}

impl FunctionUrlRequest {
    /// Reads the JSON that the function is called with.
    ///
    /// # Errors
    /// JSON of another shape.
    pub fn from_json(json: &str) -> Result<Self, EventError> {
        let document = Field::document(Node::from_json(json)?, Holds::Secrets);
        Ok(document.open_table(Self::read)?)
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, Mistake> {
        Ok(Self {
            raw_path: fields.take("rawPath").string()?,
            raw_query_string: fields.take("rawQueryString").string()?,
            headers: fields
                .take("headers")
                .map(|name, value| Ok((name.into_owned(), value.string()?)))?,
            request_context: fields.take("requestContext").open_table(|fields| {
                Ok(RequestContext {
                    http: fields.take("http").open_table(|fields| {
                        Ok(HttpContext {
                            method: fields.take("method").string()?,
                        })
                    })?,
                    request_id: fields.take("requestId").string()?,
                })
            })?,
            body: fields.take("body").optional(Field::string)?,
            is_base64_encoded: fields.take("isBase64Encoded").or(false, Field::boolean)?,
        })
    }

    /// The body's bytes, empty where there is none; `None` where it is not the base64 that it is said
    /// to be.
    pub fn body(&self) -> Option<Vec<u8>> {
        match &self.body {
            None => Some(Vec::new()),
            Some(text) if self.is_base64_encoded => STANDARD.decode(text).ok(),
            Some(text) => Some(text.clone().into_bytes()),
        }
    }

    /// Path and query as sent.
    pub fn target(&self) -> String {
        if self.raw_query_string.is_empty() {
            self.raw_path.clone()
        } else {
            [&self.raw_path, "?", &self.raw_query_string].concat()
        }
    }
}

/// The answer of a function URL.
#[derive(Clone, Debug)]
pub struct FunctionUrlAnswer {
    /// The HTTP status.
    pub status_code: u16,
    /// Header values by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
    /// Whether the body is base64.
    pub is_base64_encoded: bool,
}

impl FunctionUrlAnswer {
    /// An answer whose body is text. Content-Length is Lambda's, and nothing of it may be cached.
    pub fn new<'h>(status: u16, headers: impl IntoIterator<Item = (&'h str, &'h [u8])>, body: &[u8]) -> Self {
        let mut headers: BTreeMap<String, String> = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
            .collect();
        headers.remove("content-length");
        headers.insert("cache-control".to_owned(), "no-store".to_owned());
        Self {
            status_code: status,
            headers,
            body: String::from_utf8_lossy(body).into_owned(),
            is_base64_encoded: false,
        }
    }
}

impl<'a> From<&'a FunctionUrlAnswer> for Node<'a> {
    fn from(answer: &'a FunctionUrlAnswer) -> Self {
        let headers = answer
            .headers
            .iter()
            .map(|(name, value)| (Cow::Borrowed(name.as_str()), value.as_str().into()));
        Self::table([
            ("statusCode", Self::Whole(answer.status_code.into())),
            ("headers", Self::Table(headers.collect())),
            ("body", answer.body.as_str().into()),
            ("isBase64Encoded", Self::Bool(answer.is_base64_encoded)),
        ])
    }
}

impl Serialize for FunctionUrlAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Node::from(self).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = include_str!("../tests/events/function-url.json");

    #[test]
    fn a_request_is_read_with_its_body() {
        let mut request = FunctionUrlRequest::from_json(RECORDED).unwrap();
        assert_eq!(
            (
                request.request_context.http.method.as_str(),
                request.target().as_str()
            ),
            ("POST", "/")
        );
        assert_eq!(request.body().unwrap(), b"");
        request.body = Some("YQ==".to_owned());
        assert_eq!(request.body().unwrap(), b"a");
        request.body = Some("?".to_owned());
        assert_eq!(request.body(), None);
        request.is_base64_encoded = false;
        assert_eq!(request.body().unwrap(), b"?");
        assert!(FunctionUrlRequest::from_json("{}").is_err());
    }

    #[test]
    fn an_answer_is_what_lambda_takes() {
        let answer = FunctionUrlAnswer::new(200, [("etag", b"\"e\"".as_slice())], b"<a/>");
        assert_eq!(
            serde_json::to_value(answer).unwrap(),
            serde_json::json!({
                "statusCode": 200,
                "headers": {"cache-control": "no-store", "etag": "\"e\""},
                "body": "<a/>",
                "isBase64Encoded": false,
            })
        );
    }
}
