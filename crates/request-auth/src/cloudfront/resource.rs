//! The URL as the viewer used it, and what a policy's `Resource` lets it be.
//!
//! URLs are compared as bytes, as they are sent: case, percent escapes and the order of the query count.
//! `*` stands for any bytes and `?` for one byte; a `?` itself is `\?`. Sections are matched apart: what
//! stands for bytes of the scheme never reaches into the host, the path or the query. Three exceptions are
//! documented: a `*` at the end of the host covers path and query, one at the end of the path covers the
//! query, and a pattern that begins with `*` and names no scheme is for any. A fourth is what AWS's own
//! signer writes: `?` before a query as it is, which is a wildcard for it.
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-custom-policy.html>

use crate::head::{Connection, Occurrence, RequestHead, split_once};
use crate::verified::Coverage;

/// The URL of a request without the parameters of its signature.
pub(super) struct ViewerUrl {
    scheme: &'static str,
    host: Vec<u8>,
    /// From the first `/`, percent escapes untouched.
    path: Vec<u8>,
    /// Behind the `?`, where anything is left.
    query: Option<Vec<u8>>,
}

impl ViewerUrl {
    /// The URL of a head: Host as sent, path as sent, and the parameters of the query that `is_own` does not
    /// name (decoded). `None` where the platform told nothing of the connection.
    pub(super) fn of(head: &RequestHead<'_>, is_own: fn(&[u8]) -> bool) -> Option<Self> {
        let Connection { secure, .. } = head.connection()?;
        let Occurrence::Once(host) = head.header("host") else {
            return None;
        };
        let (_, query) = split_once(head.target(), b'?');
        // One parameter for each piece that is not empty, in the same order.
        let mut names = head
            .parameters()
            .iter()
            .map(|parameter| parameter.name.as_slice());
        let is_left = |piece: &&[u8]| piece.is_empty() || !names.next().is_some_and(is_own);
        let query = query.unwrap_or_default();
        let left: Vec<&[u8]> = query.split(|&byte| byte == b'&').filter(is_left).collect();
        let left = left.join(b"&".as_slice());
        Some(Self {
            scheme: if secure { "https" } else { "http" },
            host: host.to_vec(),
            path: head.wire_path().to_vec(),
            query: (!left.is_empty()).then_some(left),
        })
    }

    /// The text.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut text = [self.scheme.as_bytes(), b"://", &self.host, &self.path].concat();
        if let Some(query) = &self.query {
            text.push(b'?');
            text.extend_from_slice(query);
        }
        text
    }

    /// Whether a pattern covers this URL, and how its query: signed where the pattern names its parameters
    /// behind a `?`, unsigned where a wildcard lets a name of the holder's pass.
    pub(super) fn coverage(&self, pattern: &[u8]) -> Option<Coverage> {
        let (scheme, rest) = match pattern.windows(3).position(|three| three == b"://") {
            Some(at) => (pattern.get(..at)?, pattern.get(at.checked_add(3)?..)?),
            None if pattern.starts_with(b"*") => (b"*".as_slice(), pattern),
            None => return None,
        };
        let at = rest.iter().position(|&byte| byte == b'/');
        let (host, behind) = rest.split_at(at.unwrap_or(rest.len()));
        if !is_like(scheme, self.scheme.as_bytes()) || !is_like(host, &self.host) {
            return None;
        }
        if behind.is_empty() {
            return host.ends_with(b"*").then_some(Coverage::Unsigned);
        }
        let behind = tokens(behind)?;
        let text = match &self.query {
            Some(query) => [&self.path, b"?".as_slice(), query].concat(),
            None => self.path.clone(),
        };
        let mark = self.query.is_some().then_some(self.path.len());
        let reads = |reading| matches(&behind, &text, mark, reading);
        if reads(Reading::Escaped) || reads(Reading::AsSent) {
            Some(Coverage::Signed)
        } else {
            reads(Reading::Wide).then_some(Coverage::Unsigned)
        }
    }
}

/// A part of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    /// `*`.
    Any,
    /// `?`.
    One,
    /// This byte.
    Byte(u8),
}

/// How a pattern may get from the path into the query.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// By `\?`; a pattern may follow whose wildcards stand for bytes of values.
    Escaped,
    /// By `?`, the query's own text behind it.
    AsSent,
    /// By `?` or by a `*` at the end.
    Wide,
}

/// Reads a section; `None` for a `\` that stands before anything but `?`.
fn tokens(pattern: &[u8]) -> Option<Vec<Token>> {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut bytes = pattern.iter();
    while let Some(&byte) = bytes.next() {
        tokens.push(match byte {
            b'*' => Token::Any,
            b'?' => Token::One,
            b'\\' if bytes.next() == Some(&b'?') => Token::Byte(b'?'),
            b'\\' => return None,
            byte => Token::Byte(byte),
        });
    }
    Some(tokens)
}

/// Whether a section without a query is like its pattern.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    tokens(pattern).is_some_and(|tokens| matches(&tokens, text, None, Reading::Wide))
}

/// Whether a text is like a pattern. `mark` is where its query's `?` stands. Every way of the wildcards is
/// followed at once: `reached` are the tokens that may come next, so the time is at most the product of both
/// lengths.
fn matches(tokens: &[Token], text: &[u8], mark: Option<usize>, reading: Reading) -> bool {
    let mut reached = vec![false; tokens.len().saturating_add(1)];
    enter(&mut reached, tokens, 0);
    let mut in_value = false;
    for (at, &byte) in text.iter().enumerate() {
        let is_mark = mark == Some(at);
        let in_query = mark.is_some_and(|mark| at > mark);
        // Whose name a wildcard stands for, the holder of the URL chose: it was not signed.
        let is_chosen = in_query && reading != Reading::Wide && !(in_value && byte != b'&');
        in_value = in_query && byte != b'&' && (in_value || byte == b'=');
        let mut next = vec![false; reached.len()];
        for (number, token) in tokens.iter().enumerate() {
            if reached.get(number) != Some(&true) {
                continue;
            }
            let behind = number.saturating_add(1);
            match token {
                Token::Any if is_mark => {
                    if reading == Reading::Wide && behind == tokens.len() {
                        return true;
                    }
                }
                Token::Any if is_chosen || (in_query && reading == Reading::AsSent) => {}
                Token::Any => enter(&mut next, tokens, number),
                Token::One if is_chosen || (is_mark && reading == Reading::Escaped) => {}
                Token::One => enter(&mut next, tokens, behind),
                Token::Byte(own) if *own == byte => enter(&mut next, tokens, behind),
                Token::Byte(_) => {}
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

/// Marks a token as reached, and the one behind each `*`, which may stand for nothing.
fn enter(reached: &mut [bool], tokens: &[Token], number: usize) {
    let mut number = number;
    loop {
        if let Some(place) = reached.get_mut(number) {
            *place = true;
        }
        if tokens.get(number) != Some(&Token::Any) {
            return;
        }
        number = number.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::viewer::seen_over_https;

    fn coverage(pattern: &str, target: &str) -> Option<Coverage> {
        let head = seen_over_https("GET", target, &[("host", "h.example")]);
        ViewerUrl::of(&head, |name| name == b"Policy")
            .unwrap()
            .coverage(pattern.as_bytes())
    }

    fn text(target: &str) -> String {
        let head = seen_over_https("GET", target, &[("host", "H.example:8443")]);
        let url = ViewerUrl::of(&head, |name| name == b"Policy").unwrap();
        String::from_utf8(url.text()).unwrap()
    }

    #[test]
    fn the_url_is_the_one_that_was_sent_without_the_signatures_own_parameters() {
        for (target, left) in [
            ("/k", "/k"),
            ("/k?Policy=x", "/k"),
            ("/k?%50olicy=x", "/k"),
            ("/k?Policy=x&a=%2f&b", "/k?a=%2f&b"),
            ("/k?a=1&Policy=x&b=2", "/k?a=1&b=2"),
            ("/k?b=2&a=1&Policy=x", "/k?b=2&a=1"),
            ("/k?a=1&&Policy=x", "/k?a=1&"),
            ("/k?policy=x&Policy=y", "/k?policy=x"),
            ("/a//b%2Fc/?a?b&Policy=x", "/a//b%2Fc/?a?b"),
        ] {
            assert_eq!(text(target), format!("https://H.example:8443{left}"), "{target}");
        }
    }

    #[test]
    fn a_pattern_matches_its_sections_and_never_reaches_out_of_one() {
        for pattern in [
            "*",
            "*://*",
            "https://*",
            "https://h.*",
            "*h.example/a/b.jpg",
            "*.example/a/b.jpg",
            "http*://h.example/a/b.jpg",
            "https://h.example/*",
            "https://h.example/a/*",
            "https://h.example/a/b.jpg",
            "https://h.example/a/b.jpg*",
            "https://h.example/a/?.jpg",
            "https://h.example/*/*.jpg",
            "https://?.example/*b*",
            "https://h.example/?/?.???",
        ] {
            assert!(coverage(pattern, "/a/b.jpg").is_some(), "{pattern}");
        }
        for pattern in [
            "",
            "http://h.example/a/b.jpg",
            "HTTPS://h.example/a/b.jpg",
            "https://H.example/a/b.jpg",
            "https://h.example:443/a/b.jpg",
            "h.example/a/b.jpg",
            "//h.example/a/b.jpg",
            "*.jpg",
            "https://h.example",
            "https://h.example/",
            "https://h.example/a/",
            "https://h.example/A/b.jpg",
            "https://h.example/a/b.jp",
            "https://h.example/a/b.jpg?",
            "https://h.example/a/b.jpg\\?*",
            "https://h.example/a/*.png",
            "https://*/b.jpg",
            "https://h*a/b.jpg",
            "*/b.jpg",
            "https*a/b.jpg",
            "https://h.example/\\*",
            "https://h.example/a/b.jpg\\",
            "ht?ps://h.example/a/b.jpgx",
        ] {
            assert_eq!(coverage(pattern, "/a/b.jpg"), None, "{pattern}");
        }
    }

    #[test]
    fn cf03_another_path_is_not_covered() {
        let pattern = "https://h.example/a/*";
        for target in ["/A/x", "/a", "/a%2Fx", "/%61/x", "//a/x", "/b/a/x", "/a%2F..%2Fb"] {
            assert_eq!(coverage(pattern, target), None, "{target}");
        }
    }

    #[test]
    fn e02_a_query_is_signed_only_where_the_pattern_names_it() {
        for (pattern, target, expected) in [
            ("https://h.example/k\\?v=1", "/k?v=1", Some(Coverage::Signed)),
            ("https://h.example/k\\?v=*", "/k?v=1", Some(Coverage::Signed)),
            ("https://h.example/*\\?*", "/k?v=1", Some(Coverage::Unsigned)),
            ("https://h.example/k\\?v=*", "/k?v=1=2", Some(Coverage::Signed)),
            (
                "https://h.example/k\\?v=*",
                "/k?v=1&w=2",
                Some(Coverage::Unsigned),
            ),
            (
                "https://h.example/k\\?v=*&w=?",
                "/k?v=1&w=2",
                Some(Coverage::Signed),
            ),
            (
                "https://h.example/k\\?v=*&w=?",
                "/k?v=1&u=3&w=2",
                Some(Coverage::Unsigned),
            ),
            ("https://h.example/k\\??=1", "/k?v=1", Some(Coverage::Unsigned)),
            ("https://h.example/k\\?v*", "/k?v=1", Some(Coverage::Unsigned)),
            ("https://h.example/k?v=1", "/k?v=1", Some(Coverage::Signed)),
            (
                "https://h.example/k?v=1&w=2",
                "/k?v=1&w=2",
                Some(Coverage::Signed),
            ),
            ("https://h.example/*?v=1", "/k?v=1", Some(Coverage::Signed)),
            ("https://h.example/k*", "/k?v=1", Some(Coverage::Unsigned)),
            ("https://h.example/*", "/k?v=1", Some(Coverage::Unsigned)),
            ("https://h.*", "/k?v=1", Some(Coverage::Unsigned)),
            ("*", "/k?v=1", Some(Coverage::Unsigned)),
            // A wildcard for one byte of a name signs no query.
            ("https://h.example/k?*", "/k?v=1", Some(Coverage::Unsigned)),
            ("https://h.example/k?v=*", "/k?v=1", Some(Coverage::Unsigned)),
            ("https://h.example/k", "/k?v=1", None),
            ("https://h.example/*=1", "/k?v=1", None),
            ("https://h.example/*.jpg", "/k?.jpg", None),
            ("https://h.example/k\\?v=1", "/k?v=2", None),
            ("https://h.example/k\\?v=1", "/k?v=1&w=2", None),
            ("https://h.example/k?v=1", "/k?w=2&v=1", None),
            ("https://h.example/k\\?*", "/k", None),
        ] {
            assert_eq!(coverage(pattern, target), expected, "{pattern} {target}");
        }
    }

    #[test]
    fn a_pattern_of_many_wildcards_takes_no_more_than_the_product_of_both_lengths() {
        let pattern = format!("https://h.example/{}b", "*a".repeat(400));
        let target = format!("/{}", "a".repeat(4000));
        assert_eq!(coverage(&pattern, &target), None);
    }
}
