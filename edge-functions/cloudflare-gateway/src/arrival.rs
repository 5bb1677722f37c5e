//! The request as workerd hands it over, copied once into memory that the core can borrow.
//!
//! The raw JavaScript object is read, its URL as text: parsing that again would lose what was signed.

use crate::platform::lines;
use request_auth::canon::percent_decode;
use request_auth::{Connection, Delivery, HeadError, RequestHead};

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
        let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => (false, ""),
        };
        // Only a path starts the target; a URL without one has the target of the root.
        let target = match rest.find(['/', '?', '#']).map(|at| rest.split_at(at).1) {
            Some(target) if target.starts_with('/') => target.to_owned(),
            Some(target) => ["/", target].concat(),
            None => "/".to_owned(),
        };
        Self {
            method: request.method(),
            secure,
            target,
            headers: lines(&request.headers()),
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
        let head = RequestHead::new(&self.method, self.target.as_bytes(), headers, Delivery::Joined)?;
        // Cloudflare writes this header itself, whatever a client sent under its name.
        let peer = Some(self.header("cf-connecting-ip"));
        Ok(head.over(Connection {
            secure: self.secure,
            peer: peer.filter(|peer| !peer.is_empty()),
        }))
    }

    /// Path and query as sent.
    pub(crate) fn target(&self) -> &[u8] {
        self.target.as_bytes()
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

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use gateway::router::content_length;
    use request_auth::Occurrence;
    use wasm_bindgen_test::wasm_bindgen_test;
    use web_sys::{Headers, Request, RequestInit};

    use super::*;

    fn arrival(url: &str, method: &str, lines: &[(&str, &str)]) -> Arrival {
        let headers = Headers::new().unwrap();
        for (name, value) in lines {
            headers.append(name, value).unwrap();
        }
        let init = RequestInit::new();
        init.set_method(method);
        init.set_headers(&headers);
        Arrival::read(&Request::new_with_str_and_init(url, &init).unwrap())
    }

    #[wasm_bindgen_test]
    fn method_target_and_headers_are_those_of_the_raw_request() {
        let lines = [
            ("Host", "edge.example:8443"),
            ("X-OSS-Meta-A", "1"),
            ("x-oss-meta-a", "2"),
        ];
        let arrival = arrival(
            "https://edge.example:8443/a%2Fb//c+d?uploads&x=%2B",
            "POST",
            &lines,
        );
        assert!(arrival.secure);
        assert_eq!(arrival.target, "/a%2Fb//c+d?uploads&x=%2B");
        assert_eq!(arrival.path(), b"/a/b//c+d");
        let head = arrival.head().unwrap();
        assert_eq!((head.method(), head.host()), ("POST", "edge.example"));
        assert_eq!(head.header("x-oss-meta-a"), Occurrence::Once(b"1, 2".as_slice()));
    }

    #[wasm_bindgen_test]
    fn an_unknown_method_stays_unknown() {
        let arrival = arrival("http://h/k", "PROPFIND", &[("host", "h")]);
        assert_eq!(arrival.head().err(), Some(HeadError::UnknownMethod));
    }

    #[wasm_bindgen_test]
    fn only_a_plain_decimal_number_is_a_length() {
        for (text, length) in [
            ("0", Some(0)),
            ("268435456", Some(268_435_456)),
            ("", None),
            ("+1", None),
            ("1e3", None),
            ("1, 1", None),
        ] {
            let arrival = arrival("http://h/k", "PUT", &[("host", "h"), ("content-length", text)]);
            // A length that was sent twice is refused with its head.
            let found = arrival.head().ok().and_then(|head| content_length(&head));
            assert_eq!(found, length, "{text}");
        }
    }
}
