//! The request as it arrived: method, raw target and headers, as bytes.
//!
//! Everything later reads this one view, so there is one answer to "what was sent". It refuses what
//! no honest client sends and what two readers could read differently: targets that are not in
//! origin form, malformed percent escapes, header values with CR, LF or NUL, several Host headers,
//! repeated query names. A header that occurs once and one that occurs twice are different answers.

use core::fmt;

use crate::canon::percent_decode;

/// The longest raw request target that is read, in bytes; CloudFront's own bound.
pub const MAX_TARGET_BYTES: usize = 8192;
/// The most header lines that are read.
pub const MAX_HEADERS: usize = 128;
/// The most bytes of header names and values together.
pub const MAX_HEADER_BYTES: usize = 32 * 1024;
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
    /// A query name occurs twice.
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

struct Header<'a> {
    name: Vec<u8>,
    value: &'a [u8],
}

/// A request without its body: borrowed header values, decoded path and query.
pub struct RequestHead<'a> {
    method: &'a str,
    host: String,
    path: Vec<u8>,
    parameters: Vec<Parameter>,
    headers: Vec<Header<'a>>,
    delivery: Delivery,
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
const SINGLE_VALUED: [&str; 9] = [
    "host",
    "authorization",
    "content-type",
    "content-md5",
    "content-length",
    "date",
    "x-oss-date",
    "x-amz-date",
    "x-oss-security-token",
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
            path: Vec::new(),
            parameters: Vec::new(),
            headers,
            delivery,
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

    /// The decoded query in wire order; no name occurs twice.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The decoded value of a query parameter, if it is there.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name.as_bytes())
            .map(|parameter| parameter.value.as_slice())
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
    /// date has one comma of its own. Authorization is left to its grammar: V4 has commas.
    fn is_joint(&self, name: &str, value: &[u8]) -> bool {
        if self.delivery == Delivery::Lines || !SINGLE_VALUED.contains(&name) || name == "authorization" {
            return false;
        }
        let own = usize::from(name == "date" || name == "x-oss-date" || name == "x-amz-date");
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

fn is_token_byte(byte: u8) -> bool {
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

fn read_target(target: &[u8]) -> Result<(Vec<u8>, Vec<Parameter>), HeadError> {
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
        if parameters.iter().any(|earlier| earlier.name == parameter.name) {
            return Err(HeadError::RepeatedParameter);
        }
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
mod tests {
    use super::*;

    fn head<'a>(
        target: &'a str,
        headers: &'a [(&'a str, &'a str)],
        delivery: Delivery,
    ) -> Result<RequestHead<'a>, HeadError> {
        let lines = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        RequestHead::new("PUT", target.as_bytes(), lines, delivery)
    }

    #[test]
    fn absent_once_and_repeated_are_three_answers() {
        let headers = [("Host", "h"), ("X-A", "1"), ("X-B", "1"), ("x-b", "2")];
        let head = head("/", &headers, Delivery::Lines).unwrap();
        assert_eq!(head.header("x-none"), Occurrence::Absent);
        assert_eq!(head.header("x-a"), Occurrence::Once(b"1".as_slice()));
        assert_eq!(head.header("x-b"), Occurrence::Repeated);
    }

    #[test]
    fn the_path_keeps_dots_slashes_and_plus_and_decodes_once() {
        let head = head("/a//b/../%2e/c+d%2B%252F/", &[("Host", "h")], Delivery::Lines).unwrap();
        assert_eq!(head.path(), b"/a//b/.././c+d+%2F/");
    }

    #[test]
    fn a_plus_in_the_query_is_a_blank_and_an_escaped_plus_is_a_plus() {
        let head = head("/?a=x+y%2Bz&b&c=", &[("Host", "h")], Delivery::Lines).unwrap();
        assert_eq!(head.parameter("a"), Some(b"x y+z".as_slice()));
        assert_eq!(head.parameter("b"), Some(b"".as_slice()));
        assert!(!head.parameters()[1].has_equals && head.parameters()[2].has_equals);
    }

    #[test]
    fn targets_that_two_readers_could_read_differently_are_refused() {
        for (target, error) in [
            ("", HeadError::TargetForm),
            ("*", HeadError::TargetForm),
            ("http://other/b/k", HeadError::TargetForm),
            ("/a b", HeadError::TargetForm),
            ("/a\tb", HeadError::TargetForm),
            ("/a#b", HeadError::TargetForm),
            ("/%zz", HeadError::PercentEscape),
            ("/a%2", HeadError::PercentEscape),
            ("/?a=%", HeadError::PercentEscape),
            ("/?uploadId=1&uploadId=2", HeadError::RepeatedParameter),
            ("/?uploadId=1&upload%49d=2", HeadError::RepeatedParameter),
        ] {
            assert_eq!(
                head(target, &[("Host", "h")], Delivery::Lines).err(),
                Some(error),
                "{target}"
            );
        }
    }

    #[test]
    fn a_second_single_valued_header_is_refused_on_lines_and_as_a_joint() {
        for name in SINGLE_VALUED {
            let value = if name == "host" { "h" } else { "v" };
            let mut lines = vec![(name, value), (name, value)];
            if name != "host" {
                lines.push(("host", "h"));
            }
            assert_eq!(
                head("/", &lines, Delivery::Lines).err(),
                Some(HeadError::RepeatedHeader(name))
            );
        }
        let joined = [("host", "h"), ("content-type", "text/plain, text/html")];
        assert_eq!(
            head("/", &joined, Delivery::Joined).err(),
            Some(HeadError::RepeatedHeader("content-type"))
        );
        let date = "Wed, 01 May 2024 12:34:56 GMT";
        assert!(head("/", &[("host", "h"), ("date", date)], Delivery::Joined).is_ok());
        let dates = format!("{date}, {date}");
        assert_eq!(
            head("/", &[("host", "h"), ("date", &dates)], Delivery::Joined).err(),
            Some(HeadError::RepeatedHeader("date"))
        );
    }

    #[test]
    fn a_replacement_character_is_refused_only_where_the_platform_makes_them() {
        let headers = [("host", "h"), ("x-oss-meta-a", "\u{fffd}")];
        assert_eq!(
            head("/", &headers, Delivery::Joined).err(),
            Some(HeadError::HeaderNotUtf8)
        );
        assert!(head("/", &headers, Delivery::Lines).is_ok());
    }

    #[test]
    fn hosts_lose_their_port_and_case_and_odd_ones_are_refused() {
        for (value, host) in [
            ("Edge.Example:8443", "edge.example"),
            ("[::1]:80", "::1"),
            ("127.0.0.1:1", "127.0.0.1"),
        ] {
            assert_eq!(
                head("/", &[("host", value)], Delivery::Lines).unwrap().host(),
                host
            );
        }
        for value in [
            "", "a b", "a:b", "a:", "a/b", "a, b", "user@h", "h:1:2", "[::1", "h\u{e9}",
        ] {
            assert_eq!(
                head("/", &[("host", value)], Delivery::Lines).err(),
                Some(HeadError::Host),
                "{value}"
            );
        }
        assert_eq!(head("/", &[], Delivery::Lines).err(), Some(HeadError::Host));
    }

    #[test]
    fn unknown_methods_are_refused_and_never_become_get() {
        for method in ["get", "FOO", "PROPFIND", "", "TRACE", "CONNECT"] {
            let lines = [(b"host".as_slice(), b"h".as_slice())];
            assert_eq!(
                RequestHead::new(method, b"/", lines, Delivery::Lines).err(),
                Some(HeadError::UnknownMethod)
            );
        }
    }

    #[test]
    fn outer_blanks_of_values_are_dropped_and_inner_ones_kept() {
        let headers = [("host", "h"), ("x-oss-meta-a", " \ta  b\t ")];
        let head = head("/", &headers, Delivery::Lines).unwrap();
        assert_eq!(head.header("x-oss-meta-a"), Occurrence::Once(b"a  b".as_slice()));
    }

    #[test]
    fn too_many_or_too_large_headers_are_refused() {
        let names: Vec<String> = (0..200).map(|n| format!("x-{n}")).collect();
        let lines = names.iter().map(|name| (name.as_bytes(), b"v".as_slice()));
        assert_eq!(
            RequestHead::new("PUT", b"/", lines, Delivery::Lines).err(),
            Some(HeadError::HeadersTooLarge)
        );
        let big = "v".repeat(MAX_HEADER_BYTES);
        assert_eq!(
            head("/", &[("host", "h"), ("x-a", &big)], Delivery::Lines).err(),
            Some(HeadError::HeadersTooLarge)
        );
    }
}
