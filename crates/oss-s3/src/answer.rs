//! What goes back to the device: status, headers, body, and what every answer carries in the dialect
//! that the device speaks: a request id and a date, and S3's host id.
//!
//! Both are arguments: this crate has no clock and no randomness. An answer is only ever built from
//! the tables of this crate; no header of the origin's reaches it by default.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use request_auth::{Dialect, UnixSeconds};

/// A request id as OSS writes it: 24 upper-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestId([u8; 24]);

impl RequestId {
    /// Makes an id from 12 random bytes.
    pub fn from_bytes(bytes: [u8; 12]) -> Self {
        let digit =
            |value: u8| char::from_digit(u32::from(value), 16).map_or(b'0', |c| c.to_ascii_uppercase() as u8);
        let mut digits = [b'0'; 24];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            if let [high, low] = pair {
                (*high, *low) = (digit(byte >> 4), digit(byte & 0xf));
            }
        }
        Self(digits)
    }

    /// Reads an id as [`RequestId::as_str`] writes it.
    pub fn from_text(text: &str) -> Option<Self> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        let digits: [u8; 24] = text.as_bytes().try_into().ok()?;
        digits.iter().all(is_digit).then_some(Self(digits))
    }

    /// The 24 digits.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What S3's SDKs show beside the id, `x-amz-id-2`: an opaque text, here without an own meaning.
    pub(crate) fn host_id(&self) -> String {
        STANDARD.encode(self.0)
    }
}

/// Whether the device spoke TLS to the edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme of a URL: `http` or `https`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What the device asked, as far as an answer repeats it, and what the answer is stamped with.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The dialect that the device speaks and is answered in.
    pub dialect: Dialect,
    /// The id of this request.
    pub request_id: &'a RequestId,
    /// The time of the answer.
    pub now: UnixSeconds,
    /// The method as sent; an answer to HEAD has no body.
    pub method: &'a str,
    /// The scheme that the device used.
    pub scheme: Scheme,
    /// The Host header as sent, with its port; empty where it could not be read.
    pub host: &'a str,
    /// The percent-decoded path as sent.
    pub path: &'a [u8],
}

/// An answer to the device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, and values as bytes. Content-Length is the platform's.
    pub headers: Vec<(Cow<'static, str>, Vec<u8>)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer without a body, stamped with request id and date.
    pub fn new(status: u16, asked: &Asked<'_>) -> Self {
        let mut answer = Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        };
        match asked.dialect {
            Dialect::Oss => answer.push("x-oss-request-id", asked.request_id.as_str()),
            Dialect::S3 => {
                answer.push("x-amz-request-id", asked.request_id.as_str());
                answer.push("x-amz-id-2", asked.request_id.host_id());
            }
        }
        answer.push("date", asked.now.http_date());
        answer
    }

    /// The value of a header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_slice())
    }

    pub(crate) fn push(&mut self, name: &'static str, value: impl Into<Vec<u8>>) {
        self.headers.push((Cow::Borrowed(name), value.into()));
    }

    /// Gives the answer an XML document for its body.
    pub(crate) fn with_document(mut self, document: String) -> Self {
        self.push("content-type", "application/xml");
        self.body = document.into_bytes();
        self
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const ID: RequestId = RequestId(*b"00010203040506070809FEFF");

    pub(crate) fn asked<'a>(method: &'a str, host: &'a str, path: &'a str) -> Asked<'a> {
        let (now, scheme) = (UnixSeconds(1_714_566_896), Scheme::Https);
        Asked {
            dialect: Dialect::Oss,
            request_id: &ID,
            now,
            method,
            scheme,
            host,
            path: path.as_bytes(),
        }
    }

    /// The same of a client that speaks S3.
    pub(crate) fn asked_of_s3<'a>(method: &'a str, host: &'a str, path: &'a str) -> Asked<'a> {
        Asked {
            dialect: Dialect::S3,
            ..asked(method, host, path)
        }
    }

    #[test]
    fn a_request_id_is_24_upper_case_hex_digits() {
        assert_eq!(
            RequestId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xfe, 0xff]),
            ID
        );
        assert_eq!(
            RequestId::from_bytes([0xab; 12]).as_str(),
            "ABABABABABABABABABABABAB"
        );
    }

    #[test]
    fn only_the_text_of_a_request_id_is_read_as_one() {
        assert_eq!(RequestId::from_text(ID.as_str()), Some(ID));
        for text in [
            "",
            "00010203040506070809FEF",
            "00010203040506070809feff",
            "00010203040506070809FEFG",
        ] {
            assert_eq!(RequestId::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn x08_every_answer_carries_a_request_id_and_a_date() {
        let answer = Answer::new(204, &asked("DELETE", "h", "/k"));
        assert_eq!(answer.header("x-oss-request-id"), Some(ID.as_str().as_bytes()));
        assert_eq!(
            answer.header("date"),
            Some(b"Wed, 01 May 2024 12:34:56 GMT".as_slice())
        );
        assert_eq!(answer.headers.len(), 2);
    }

    #[test]
    fn x08_an_answer_to_an_s3_client_carries_s3_s_ids() {
        let answer = Answer::new(204, &asked_of_s3("DELETE", "h", "/k"));
        assert_eq!(answer.header("x-amz-request-id"), Some(ID.as_str().as_bytes()));
        assert_eq!(
            answer.header("x-amz-id-2"),
            Some(b"MDAwMTAyMDMwNDA1MDYwNzA4MDlGRUZG".as_slice())
        );
        assert_eq!(
            (answer.headers.len(), answer.header("x-oss-request-id")),
            (3, None)
        );
    }
}
