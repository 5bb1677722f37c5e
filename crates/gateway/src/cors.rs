//! What pages of other origins may send and read (CORS), from configuration alone.
//!
//! A browser asks first, with a preflight that nothing signs: it is answered without a look-up, and a
//! host and path that stand for no bucket get the very answer of a bucket without rules, so that
//! nobody can probe for names. Then the answers carry what lets the page read them. Neither is a
//! permission: what a request may do, its signature and its key's grants say, and Origin has no part in it.
//!
//! Credentials are never allowed along (cookies of a browser are nobody's consent), so `*` can be answered
//! as `*`, and an origin is repeated only where it is listed.

use std::borrow::Cow;

use oss_s3::answer::{Answer, Asked};
use oss_s3::error::{Fault, Refusal};
use request_auth::{Dialect, Occurrence, RequestHead, is_token_byte};

use crate::config::Config;
use crate::config::cors::{Cors, CorsSource};

/// The header that says which origin a page is of.
pub const ORIGIN: &str = "origin";
/// The header in which a deployment of several functions carries [`Shared`] from the first to the next.
pub const SHARED_HEADER: &str = "x-causeway-cors";

/// The longest list of headers that a preflight may ask for, in bytes.
const MAX_REQUESTED_BYTES: usize = 4096;

/// What a page may always read, by dialect.
const EXPOSED: [&str; 2] = [
    "ETag, Date, Content-Range, x-oss-request-id, x-oss-version-id, x-oss-delete-marker, x-oss-ec, x-oss-err",
    "ETag, Date, Content-Range, x-amz-request-id, x-amz-id-2, x-amz-version-id, x-amz-delete-marker",
];

/// What lets a page read an answer: the origin that is allowed, a blank, and the names of headers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shared(String);

impl Shared {
    fn new(origin: &str, rule: &CorsSource, dialect: Dialect) -> Self {
        let [oss, s3] = EXPOSED;
        let own = if dialect == Dialect::S3 { s3 } else { oss };
        let mut text = [origin, " ", own].concat();
        for name in &rule.expose {
            text.push_str(", ");
            text.push_str(name);
        }
        Self(text)
    }

    /// The text that [`Shared::text`] gave.
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    /// As a header's value.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The headers of an answer.
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        let (origin, exposed) = self.0.split_once(' ').unwrap_or_default();
        [
            ("access-control-allow-origin", origin),
            ("access-control-expose-headers", exposed),
            ("vary", "Origin"),
        ]
    }

    /// Adds them to an answer.
    pub fn mark(&self, answer: &mut Answer) {
        for (name, value) in self.headers() {
            put(answer, name, value);
        }
    }
}

/// Answers a preflight; `None` for any other request.
///
/// # Errors
/// `AccessForbidden` where no rule of the buckets that host and path stand for allows it.
pub fn preflight(
    config: &Config,
    head: &RequestHead<'_>,
    asked: &Asked<'_>,
) -> Option<Result<Answer, Refusal>> {
    let (origin, method) = (sent(head, ORIGIN)?, sent(head, "access-control-request-method")?);
    if head.method() != "OPTIONS" {
        return None;
    }
    let requested = sent(head, "access-control-request-headers").unwrap_or_default();
    let Some((origin, rule)) = rule(config, head, None, method, origin, requested) else {
        return Some(Err(Fault::OriginNotAllowed.into()));
    };
    let mut answer = Answer::new(200, asked);
    put(&mut answer, "access-control-allow-origin", origin);
    put(
        &mut answer,
        "access-control-allow-methods",
        &rule.methods.join(", "),
    );
    if !requested.is_empty() {
        put(&mut answer, "access-control-allow-headers", requested);
    }
    if let Some(age) = rule.max_age_seconds {
        put(&mut answer, "access-control-max-age", &age.to_string());
    }
    put(&mut answer, "vary", "Origin");
    Some(Ok(answer))
}

/// What lets the page that sent a request read the answer; `bucket` is the one that was verified, and
/// before that any that host and path stand for counts. `None` where no rule allows it.
pub fn shared(
    config: &Config,
    head: &RequestHead<'_>,
    bucket: Option<&str>,
    dialect: Dialect,
) -> Option<Shared> {
    let (origin, rule) = rule(config, head, bucket, head.method(), sent(head, ORIGIN)?, "")?;
    Some(Shared::new(origin, rule, dialect))
}

/// The first rule that a request meets, and the origin that its answer names.
fn rule<'c>(
    config: &'c Config,
    head: &RequestHead<'_>,
    bucket: Option<&str>,
    method: &str,
    origin: &'c str,
    requested: &str,
) -> Option<(&'c str, &'c CorsSource)> {
    let resources = config.hosts.resources(head.host(), head.path());
    let linked = config.previews.bucket(head);
    let is_meant = |name: &str| match bucket {
        Some(bucket) => bucket == name,
        None => linked == Some(name) || resources.iter().any(|resource| resource.bucket.name == name),
    };
    config.cors.rule(&is_meant, method, origin, requested)
}

impl Cors {
    /// What lets a page of `origin`, as sent, read the answer to a request of this method to one of the
    /// buckets that are meant.
    pub fn shared(
        &self,
        is_meant: &dyn Fn(&str) -> bool,
        method: &str,
        origin: &str,
        dialect: Dialect,
    ) -> Option<Shared> {
        let (origin, rule) = self.rule(is_meant, method, origin, "")?;
        Some(Shared::new(origin, rule, dialect))
    }

    fn rule<'c>(
        &'c self,
        is_meant: &dyn Fn(&str) -> bool,
        method: &str,
        origin: &'c str,
        requested: &str,
    ) -> Option<(&'c str, &'c CorsSource)> {
        for rule in &self.0 {
            if is_meant(&rule.bucket)
                && rule.methods.iter().any(|allowed| allowed == method)
                && rule.allows_headers(requested)
            {
                for listed in &rule.origins {
                    if listed == "*" {
                        return Some(("*", rule));
                    }
                    if is_listed(origin, listed) {
                        return Some((origin, rule));
                    }
                }
            }
        }
        None
    }
}

impl CorsSource {
    /// Whether each header of a comma-separated list is allowed.
    fn allows_headers(&self, requested: &str) -> bool {
        let is_allowed = |name: &[u8]| {
            let name = name.trim_ascii();
            let mut allowed = self.headers.iter();
            name.is_empty()
                || allowed.any(|allowed| allowed == "*" || allowed.as_bytes().eq_ignore_ascii_case(name))
        };
        // The list is repeated in the answer.
        let is_text = |byte: u8| is_token_byte(byte) || matches!(byte, b',' | b' ');
        requested.len() <= MAX_REQUESTED_BYTES
            && requested.bytes().all(is_text)
            && requested.as_bytes().split(|&byte| byte == b',').all(is_allowed)
    }
}

/// A header's value. In the place of one that stands twice or is no text, one that nothing allows but `*`.
fn sent<'h>(head: &RequestHead<'h>, name: &str) -> Option<&'h str> {
    match head.header(name) {
        Occurrence::Absent => None,
        Occurrence::Once(value) => Some(core::str::from_utf8(value).unwrap_or("\0")),
        Occurrence::Repeated => Some("\0"),
    }
}

/// Whether an origin is the listed one, or has one label of its own in the place of the listed `*`.
fn is_listed(origin: &str, listed: &str) -> bool {
    let Some((before, after)) = listed.split_once('*') else {
        return origin == listed;
    };
    let label = origin
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    label.is_some_and(|label| {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        !label.is_empty() && label.bytes().all(is_plain)
    })
}

fn put(answer: &mut Answer, name: &'static str, value: &str) {
    answer
        .headers
        .push((Cow::Borrowed(name), value.as_bytes().to_vec()));
}

#[cfg(test)]
mod tests;
