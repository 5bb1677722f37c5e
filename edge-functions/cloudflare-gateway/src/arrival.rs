//! The request as workerd hands it over, copied once into memory that the core can borrow.
//!
//! The raw JavaScript object is read, not `worker::Request`: that one turns unknown methods into GET
//! and parses the URL again, which would lose what was signed.

use request_auth::canon::percent_decode;
use request_auth::{Delivery, HeadError, Occurrence, RequestHead};
use worker::Headers;
use worker::web_sys;

/// What was received, apart from the body's bytes.
pub(crate) struct Arrival {
    pub(crate) method: String,
    /// Whether the device spoke TLS.
    pub(crate) secure: bool,
    /// Path and query, percent escapes untouched.
    target: String,
    headers: Vec<(String, String)>,
    /// The client's own stream. It is handed on, never read in wasm, but for small documents.
    pub(crate) body: Option<web_sys::ReadableStream>,
}

impl Arrival {
    /// Copies method, URL and headers.
    pub(crate) fn read(request: &web_sys::Request) -> Self {
        let url = request.url();
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        // Only a path starts the target; a URL without one has the target of the root.
        let target = match rest.find(['/', '?', '#']).map(|at| rest.split_at(at).1) {
            Some(target) if target.starts_with('/') => target.to_owned(),
            Some(target) => ["/", target].concat(),
            None => "/".to_owned(),
        };
        Self {
            method: request.method(),
            secure: scheme == "https",
            target,
            headers: Headers(request.headers()).entries().collect(),
            body: request.body(),
        }
    }

    /// The head, borrowed.
    ///
    /// # Errors
    /// Whatever [`RequestHead::new`] refuses.
    pub(crate) fn head(&self) -> Result<RequestHead<'_>, HeadError> {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        RequestHead::new(&self.method, self.target.as_bytes(), headers, Delivery::Joined)
    }

    /// A header as text; empty where it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map_or("", |(_, value)| value)
    }

    /// The decoded path, for answers that repeat it; as sent where its escapes are malformed.
    pub(crate) fn path(&self) -> Vec<u8> {
        let raw = self.target.split('?').next().unwrap_or_default().as_bytes();
        percent_decode(raw).unwrap_or_else(|| raw.to_vec())
    }
}

/// The body's length, where the client stated it as a plain decimal number.
pub(crate) fn content_length(head: &RequestHead<'_>) -> Option<u64> {
    let Occurrence::Once(value) = head.header("content-length") else {
        return None;
    };
    let is_decimal = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(value)
        .ok()
        .filter(|_| is_decimal)?
        .parse()
        .ok()
}
