//! What Lambda hands a function that is called through its URL, and what it takes back.
//!
//! Payload format 2.0: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>. Header
//! names are lower case, and repeated headers arrive joined by commas.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::document::{Field, Fields, Holds, Node};
use oss_s3::answer::Answer;

use crate::EventError;

/// A request to a function URL.
#[derive(Clone, Debug)]
pub struct FunctionUrlRequest {
    /// The path as sent.
    pub raw_path: String,
    /// The query as sent, without `?`.
    pub raw_query_string: String,
    /// Lower-case names, each once, and values.
    pub headers: Vec<(String, String)>,
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
    /// The domain of the URL that was called.
    pub domain_name: String,
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
        let document = Node::from_json(json)?;
        Ok(document.read(Holds::Secrets, |document| document.open_table(Self::read))?)
    }

    fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            raw_path: fields.take("rawPath").string(),
            raw_query_string: fields.take("rawQueryString").string(),
            headers: fields
                .take("headers")
                .map(|name, value| (name.into_owned(), value.string())),
            request_context: fields.take("requestContext").open_table(|fields| RequestContext {
                domain_name: fields.take("domainName").string(),
                http: fields.take("http").open_table(|fields| HttpContext {
                    method: fields.take("method").string(),
                }),
                request_id: fields.take("requestId").string(),
            }),
            body: fields.take("body").optional(Field::string),
            is_base64_encoded: fields.take("isBase64Encoded").or(false, Field::boolean),
        }
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

/// An answer as a function URL takes it, with a body of text. Content-Length is Lambda's, and nothing of
/// it may be cached.
pub fn answer(answer: &Answer) -> Node<'_> {
    let own = answer
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_ref(), "content-length" | "cache-control"))
        .map(|(name, value)| {
            (
                Cow::Borrowed(name.as_ref()),
                String::from_utf8_lossy(value).into(),
            )
        });
    let headers = own.chain([(Cow::Borrowed("cache-control"), "no-store".into())]);
    Node::table([
        ("statusCode", Node::Whole(answer.status.into())),
        ("headers", Node::Table(headers.collect())),
        ("body", String::from_utf8_lossy(&answer.body).into()),
        ("isBase64Encoded", Node::Bool(false)),
    ])
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
        let given = Answer {
            status: 200,
            headers: vec![
                ("etag".into(), b"\"e\"".to_vec()),
                ("content-length".into(), b"4".to_vec()),
            ],
            body: b"<a/>".to_vec(),
        };
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&answer(&given).to_json()).unwrap(),
            serde_json::json!({
                "statusCode": 200,
                "headers": {"cache-control": "no-store", "etag": "\"e\""},
                "body": "<a/>",
                "isBase64Encoded": false,
            })
        );
    }
}
