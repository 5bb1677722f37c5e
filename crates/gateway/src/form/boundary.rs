//! What stands between the parts of a form, and the parameters of the headers that say so.

/// The longest boundary (RFC 2046, 5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;

/// The boundary of a form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Boundary(Vec<u8>);

impl Boundary {
    /// Reads the Content-Type of a form; `None` where its boundary is missing, repeated, or none: 1 to 70
    /// of RFC 2046's characters, the last no blank.
    pub fn of_content_type(value: &[u8]) -> Option<Self> {
        let (_, parameters) = parameters(value)?;
        let mut found = parameters.into_iter().filter(|(name, _)| name == "boundary");
        let (Some((_, text)), None) = (found.next(), found.next()) else {
            return None;
        };
        let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
        let is_good = (1..=MAX_BOUNDARY_BYTES).contains(&text.len())
            && text.iter().all(is_allowed)
            && text.last() != Some(&b' ');
        is_good.then_some(Self(text))
    }

    /// What ends a part: a line break, two dashes and the boundary.
    pub(super) fn delimiter(&self) -> Vec<u8> {
        [b"\r\n--", self.0.as_slice()].concat()
    }

    /// What ends a form, as every current client writes it: the delimiter, two dashes and a line break.
    pub(super) fn closing(&self) -> Vec<u8> {
        [self.delimiter().as_slice(), b"--\r\n"].concat()
    }
}

/// The parameters of a header, in their order: names in lower case and values without their quotes.
type Parameters = Vec<(String, Vec<u8>)>;

/// Reads `value; name=token; name="quoted"`; `None` where it has another form. In quotes only `\"` stands
/// for something else, a quote: browsers of old sent paths with their `\`.
pub(super) fn parameters(header: &[u8]) -> Option<(&[u8], Parameters)> {
    let end = header
        .iter()
        .position(|&byte| byte == b';')
        .unwrap_or(header.len());
    let (value, mut rest) = header.split_at_checked(end)?;
    let mut found = Parameters::new();
    while let Some(behind) = rest.strip_prefix(b";") {
        let piece = behind.trim_ascii_start();
        if piece.is_empty() {
            rest = piece;
            break;
        }
        let equals = piece.iter().position(|&byte| byte == b'=')?;
        let (name, behind) = piece.split_at_checked(equals)?;
        let (value, behind) = parameter_value(behind.strip_prefix(b"=")?)?;
        let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"*-_.".contains(byte);
        if name.is_empty() || !name.iter().all(is_token) {
            return None;
        }
        found.push((String::from_utf8_lossy(name).to_ascii_lowercase(), value));
        rest = behind.trim_ascii_start();
    }
    rest.is_empty().then(|| (value.trim_ascii(), found))
}

/// The value that a parameter begins with, and what stands behind it.
fn parameter_value(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let Some(mut rest) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|&byte| byte == b';').unwrap_or(text.len());
        let (value, behind) = text.split_at_checked(end)?;
        return Some((value.trim_ascii().to_vec(), behind));
    };
    let mut value = Vec::new();
    loop {
        if let Some(behind) = rest.strip_prefix(b"\\\"") {
            value.push(b'"');
            rest = behind;
            continue;
        }
        let (first, behind) = rest.split_first()?;
        if *first == b'"' {
            return Some((value, behind));
        }
        value.push(*first);
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_what_rfc_2046_says() {
        for (header, boundary) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "multipart/form-data;boundary=\"a b:c\"; charset=utf-8",
                Some("a b:c"),
            ),
            (
                "multipart/form-data; charset=utf-8; Boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
                Some("----WebKitFormBoundary7MA4YWxkTrZu0gW"),
            ),
            ("multipart/form-data; boundary=abc;", Some("abc")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"\"", None),
            ("multipart/form-data; boundary=\"abc", None),
            ("multipart/form-data; boundary=\"abc\"d", None),
            ("multipart/form-data; boundary=\"abc \"", None),
            ("multipart/form-data; boundary=a\u{e4}", None),
            ("multipart/form-data; boundary=a; boundary=b", None),
            ("multipart/form-data; boundary", None),
            ("multipart/form-data; =a", None),
        ] {
            let expected = boundary.map(|text| Boundary(text.as_bytes().to_vec()));
            assert_eq!(Boundary::of_content_type(header.as_bytes()), expected, "{header}");
        }
        for (length, good) in [(70, true), (71, false)] {
            let header = format!("multipart/form-data; boundary={}", "a".repeat(length));
            assert_eq!(Boundary::of_content_type(header.as_bytes()).is_some(), good);
        }
    }

    #[test]
    fn quotes_hold_whatever_stands_in_them() {
        let header = br#"form-data; name="a;b=\"c\""; filename="C:\dir\x.txt""#;
        let (value, parameters) = parameters(header).unwrap();
        assert_eq!(value, b"form-data");
        assert_eq!(
            parameters,
            [
                ("name".to_owned(), br#"a;b="c""#.to_vec()),
                ("filename".to_owned(), br"C:\dir\x.txt".to_vec()),
            ]
        );
    }
}
