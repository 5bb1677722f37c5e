//! The request as it arrived: method, raw target and headers, as bytes.
//!
//! Everything later reads this one view, so there is one answer to "what was sent". It refuses what
//! no honest client sends and what two readers could read differently: targets that are not in
//! origin form, malformed percent escapes, header values with CR, LF or NUL, several Host headers,
//! repeated single-valued headers. A name that occurs once and one that occurs twice are different
//! answers, for headers and for query parameters.

use core::fmt;

use crate::canon::percent_decode;

/// The longest raw request target that is read, in bytes; CloudFront's own bound.
pub const MAX_TARGET_BYTES: usize = 8192;
/// The most header lines that are read.
pub const MAX_HEADERS: usize = 128;
/// The most bytes of header names and values together: CloudFront's own bound.
pub const MAX_HEADER_BYTES: usize = 20 * 1024;
/// The most query parameters that are read.
pub const MAX_PARAMETERS: usize = 64;

/// How the platform hands over a header that was sent on several lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// One entry per line, as received (raw sockets, Lambda@Edge).
    Lines,
    /// One entry per name, values joined by comma and blank (the Fetch standard's `Headers`). A
    /// single-valued header that holds such a joint counts as repeated.
    Joined,
}

/// How often a name occurs. "Absent" and "repeated" are never folded into one `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occurrence<T> {
    /// Not there.
    Absent,
    /// There exactly once.
    Once(T),
    /// There more than once.
    Repeated,
}

impl<T> Occurrence<T> {
    /// The value where it occurs at most once; the error names the repeated header.
    ///
    /// # Errors
    /// `Repeated` as [`HeadError::RepeatedHeader`] with `name`.
    pub fn at_most_once(self, name: &'static str) -> Result<Option<T>, HeadError> {
        match self {
            Self::Absent => Ok(None),
            Self::Once(value) => Ok(Some(value)),
            Self::Repeated => Err(HeadError::RepeatedHeader(name)),
        }
    }
}

/// Why a request head is not read at all. Each is the client's fault and answered with a 4xx.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeadError {
    /// The method is not one of GET, HEAD, PUT, POST, DELETE, OPTIONS, PATCH.
    UnknownMethod,
    /// The target does not start with `/` (absolute form, `*`, or empty), or holds a blank, a
    /// control byte or a `#`.
    TargetForm,
    /// The target is longer than [`MAX_TARGET_BYTES`].
    TargetTooLong,
    /// A `%` in the path or the query is not followed by two hex digits.
    PercentEscape,
    /// The query has more than [`MAX_PARAMETERS`] parameters.
    TooManyParameters,
    /// A query name that a signature covers, or that carries one, occurs twice.
    RepeatedParameter,
    /// There is no Host header, or it is not a host with an optional port.
    Host,
    /// A header that may occur once occurs twice.
    RepeatedHeader(&'static str),
    /// More than [`MAX_HEADERS`] headers, or more than [`MAX_HEADER_BYTES`].
    HeadersTooLarge,
    /// A header name is not a token.
    HeaderName,
    /// A header value holds CR, LF or NUL.
    HeaderValue,
    /// A header value holds U+FFFD on a platform that puts it in place of bytes that are not UTF-8:
    /// what was signed can't be known.
    HeaderNotUtf8,
}

/// A decoded query parameter: bytes after `+` → blank and percent decoding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// The decoded name.
    pub name: Vec<u8>,
    /// The decoded value; empty for `name` and for `name=` alike.
    pub value: Vec<u8>,
    /// Whether the wire had a `=` behind the name (Java SDK 1 signs `name=` when it did).
    pub has_equals: bool,
}

/// What the platform says of the connection that a request came over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connection<'a> {
    /// Whether it is one of TLS.
    pub secure: bool,
    /// The address at its other end, as text; never one that a client's header names.
    pub peer: Option<&'a str>,
}

struct Header<'a> {
    name: Vec<u8>,
    value: &'a [u8],
}

/// A request without its body: borrowed header values, decoded path and query.
pub struct RequestHead<'a> {
    method: &'a str,
    host: String,
    target: Vec<u8>,
    path: Vec<u8>,
    parameters: Vec<Parameter>,
    headers: Vec<Header<'a>>,
    delivery: Delivery,
    connection: Option<Connection<'a>>,
}

impl fmt::Debug for RequestHead<'_> {
    /// Method and host only: headers and query may carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// Headers of which a second one makes the request ambiguous.
const SINGLE_VALUED: [&str; 12] = [
    "host",
    "authorization",
    "content-type",
    "content-md5",
    "content-length",
    "date",
    "x-oss-date",
    "x-amz-date",
    "x-oss-security-token",
    "x-amz-security-token",
    "x-amz-content-sha256",
    "x-amz-decoded-content-length",
];

const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"];

impl<'a> RequestHead<'a> {
    /// Reads a request head.
    ///
    /// `target` is the raw request target in origin form, `/path?query`, percent escapes untouched.
    /// `headers` are names and values as bytes, in wire order, the Host header among them. Blanks
    /// and tabs around values are dropped (as HTTP says), nothing else is changed.
    ///
    /// # Errors
    /// A [`HeadError`] that names what is wrong.
    pub fn new(
        method: &'a str,
        target: &[u8],
        headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        delivery: Delivery,
    ) -> Result<Self, HeadError> {
        if !METHODS.contains(&method) {
            return Err(HeadError::UnknownMethod);
        }
        let headers = read_headers(headers, delivery)?;
        let mut head = RequestHead {
            method,
            host: String::new(),
            target: target.to_vec(),
            path: Vec::new(),
            parameters: Vec::new(),
            headers,
            delivery,
            connection: None,
        };
        for name in SINGLE_VALUED {
            head.header(name).at_most_once(name)?;
        }
        let Occurrence::Once(host) = head.header("host") else {
            return Err(HeadError::Host);
        };
        head.host = read_host(host)?;
        (head.path, head.parameters) = read_target(target)?;
        Ok(head)
    }

    /// The head with what is known of its connection. Without that, nothing that was signed for a scheme or
    /// an address is verified.
    #[must_use]
    pub fn over(self, connection: Connection<'a>) -> Self {
        Self {
            connection: Some(connection),
            ..self
        }
    }

    /// What is known of the connection.
    pub fn connection(&self) -> Option<Connection<'a>> {
        self.connection
    }

    /// The raw request target.
    pub fn target(&self) -> &[u8] {
        &self.target
    }

    /// The method, upper case as sent.
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The Host header in lower case, without its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The percent-decoded path; starts with `/`, `+` is a plus, nothing is collapsed.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// The path as it was sent, percent escapes untouched.
    pub fn wire_path(&self) -> &[u8] {
        split_once(&self.target, b'?').0
    }

    /// The decoded query in wire order. A name can occur twice: a scheme refuses that for the names
    /// that it covers, and clients add unsigned ones as they like.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The decoded value of a query parameter: absent, once or repeated.
    pub fn parameter(&self, name: &str) -> Occurrence<&[u8]> {
        let mut found = self
            .parameters
            .iter()
            .filter(|parameter| parameter.name == name.as_bytes());
        match (found.next(), found.next()) {
            (None, _) => Occurrence::Absent,
            (Some(parameter), None) => Occurrence::Once(&parameter.value),
            (Some(_), Some(_)) => Occurrence::Repeated,
        }
    }

    /// The value of a query parameter that may occur once, if it is there.
    ///
    /// # Errors
    /// [`HeadError::RepeatedParameter`].
    pub(crate) fn single_parameter(&self, name: &str) -> Result<Option<&[u8]>, HeadError> {
        match self.parameter(name) {
            Occurrence::Absent => Ok(None),
            Occurrence::Once(value) => Ok(Some(value)),
            Occurrence::Repeated => Err(HeadError::RepeatedParameter),
        }
    }

    /// A header by its lower-case name: absent, once or repeated.
    pub fn header(&self, name: &str) -> Occurrence<&'a [u8]> {
        let mut values = self
            .headers
            .iter()
            .filter(|header| header.name == name.as_bytes());
        match (values.next(), values.next()) {
            (None, _) => Occurrence::Absent,
            (Some(header), None) if self.is_joint(name, header.value) => Occurrence::Repeated,
            (Some(header), None) => Occurrence::Once(header.value),
            (Some(_), Some(_)) => Occurrence::Repeated,
        }
    }

    /// Every header line, lower-case name and trimmed value, in wire order.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], &'a [u8])> {
        self.headers
            .iter()
            .map(|header| (header.name.as_slice(), header.value))
    }

    /// How repeated headers reach this head.
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// On a platform that joins, a single-valued header with a joint in it was sent twice. An HTTP
    /// date has one comma of its own, an ISO one, which starts with a digit, has none. Authorization is
    /// left to its grammar: V2 and V4 have commas.
    fn is_joint(&self, name: &str, value: &[u8]) -> bool {
        if self.delivery == Delivery::Lines || !SINGLE_VALUED.contains(&name) || name == "authorization" {
            return false;
        }
        let is_date = name == "date" || name == "x-oss-date" || name == "x-amz-date";
        let own = usize::from(is_date && !value.first().is_some_and(u8::is_ascii_digit));
        value.windows(2).filter(|pair| pair == b", ").count() > own
    }
}

fn read_headers<'a>(
    lines: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    delivery: Delivery,
) -> Result<Vec<Header<'a>>, HeadError> {
    let mut headers = Vec::new();
    let mut bytes = 0_usize;
    for (name, value) in lines {
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        if headers.len() >= MAX_HEADERS || bytes > MAX_HEADER_BYTES {
            return Err(HeadError::HeadersTooLarge);
        }
        if name.is_empty() || !name.iter().all(|&byte| is_token_byte(byte)) {
            return Err(HeadError::HeaderName);
        }
        if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Err(HeadError::HeaderValue);
        }
        if delivery == Delivery::Joined && value.windows(3).any(|three| three == "\u{fffd}".as_bytes()) {
            return Err(HeadError::HeaderNotUtf8);
        }
        headers.push(Header {
            name: name.to_ascii_lowercase(),
            value: trim_blanks(value),
        });
    }
    Ok(headers)
}

/// Drops blanks and tabs on both sides, as HTTP/1.1 does with field values.
pub(crate) fn trim_blanks(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value
        .iter()
        .position(|byte| !is_blank(byte))
        .unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|byte| !is_blank(byte))
        .map_or(start, |last| last.saturating_add(1));
    value.get(start..end).unwrap_or_default()
}

/// Whether a byte may be part of a header's name.
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn read_host(value: &[u8]) -> Result<String, HeadError> {
    let text = core::str::from_utf8(value).map_err(|_| HeadError::Host)?;
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, tail) = rest.split_once(']').ok_or(HeadError::Host)?;
            let port = if tail.is_empty() {
                None
            } else {
                Some(tail.strip_prefix(':').ok_or(HeadError::Host)?)
            };
            (address, port)
        }
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let bracketed = text.starts_with('[');
    let good_name = !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') || (bracketed && byte == b':')
        });
    let good_port = port.is_none_or(|port| {
        !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    if good_name && good_port {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(HeadError::Host)
    }
}

pub(crate) fn read_target(target: &[u8]) -> Result<(Vec<u8>, Vec<Parameter>), HeadError> {
    if target.len() > MAX_TARGET_BYTES {
        return Err(HeadError::TargetTooLong);
    }
    if target.first() != Some(&b'/')
        || target
            .iter()
            .any(|&byte| byte <= b' ' || byte == 0x7f || byte == b'#')
    {
        return Err(HeadError::TargetForm);
    }
    let (path, query) = split_once(target, b'?');
    let path = percent_decode(path).ok_or(HeadError::PercentEscape)?;
    let mut parameters: Vec<Parameter> = Vec::new();
    for piece in query
        .unwrap_or_default()
        .split(|&byte| byte == b'&')
        .filter(|piece| !piece.is_empty())
    {
        if parameters.len() >= MAX_PARAMETERS {
            return Err(HeadError::TooManyParameters);
        }
        let (name, value) = split_once(piece, b'=');
        let parameter = Parameter {
            name: form_decode(name).ok_or(HeadError::PercentEscape)?,
            value: form_decode(value.unwrap_or_default()).ok_or(HeadError::PercentEscape)?,
            has_equals: value.is_some(),
        };
        parameters.push(parameter);
    }
    Ok((path, parameters))
}

/// Splits at the first `separator`; the second half is `None` where there is none.
pub(crate) fn split_once(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|&byte| byte == separator) {
        Some(at) => (
            bytes.get(..at).unwrap_or_default(),
            Some(bytes.get(at.saturating_add(1)..).unwrap_or_default()),
        ),
        None => (bytes, None),
    }
}

/// Query decoding: `+` is a blank, then percent escapes (facts of every OSS SDK).
fn form_decode(text: &[u8]) -> Option<Vec<u8>> {
    let blanks: Vec<u8> = text
        .iter()
        .map(|&byte| if byte == b'+' { b' ' } else { byte })
        .collect();
    percent_decode(&blanks)
}

#[cfg(test)]
mod tests;
