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
use request_auth::{Dialect, Occurrence, RequestHead};

use crate::config::Config;
use crate::config::cors::{Cors, Rule, is_header_name};

/// The header that says which origin a page is of.
pub const ORIGIN: &str = "origin";
/// The header in which a deployment of several functions carries [`Shared`] from the first to the next.
pub const SHARED_HEADER: &str = "x-causeway-cors";

/// The longest Origin that is compared, in bytes.
const MAX_ORIGIN_BYTES: usize = 512;
/// The longest list of headers that a preflight may ask for, in bytes, and its most names.
const MAX_REQUESTED: (usize, usize) = (4096, 128);

/// What a page may always read, by dialect.
const EXPOSED: [&str; 2] = [
    "ETag, Date, Content-Range, x-oss-request-id, x-oss-version-id, x-oss-delete-marker, x-oss-ec, x-oss-err",
    "ETag, Date, Content-Range, x-amz-request-id, x-amz-id-2, x-amz-version-id, x-amz-delete-marker",
];

/// What lets a page read an answer: the origin that is allowed, a blank, and the names of headers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shared(String);

impl Shared {
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
    let answer = |rule: &Rule| {
        let mut answer = Answer::new(200, asked);
        put(
            &mut answer,
            "access-control-allow-origin",
            rule.allows(origin, method)?,
        );
        put(
            &mut answer,
            "access-control-allow-methods",
            &rule.methods.join(", "),
        );
        let headers = rule.allowed(requested)?;
        if !headers.is_empty() {
            put(&mut answer, "access-control-allow-headers", &headers);
        }
        if let Some(age) = rule.max_age_seconds {
            put(&mut answer, "access-control-max-age", &age.to_string());
        }
        put(&mut answer, "vary", "Origin");
        Some(answer)
    };
    let buckets = addressed(config, head);
    let mut rules = config
        .cors
        .0
        .iter()
        .filter(|rule| buckets.contains(&rule.bucket.as_str()));
    Some(
        rules
            .find_map(answer)
            .ok_or_else(|| Fault::OriginNotAllowed.into()),
    )
}

/// What lets the page that sent a request read the answer; `bucket` is the one that was verified, and
/// before that any that host and path stand for counts. `None` where no rule allows it.
pub fn shared(
    config: &Config,
    head: &RequestHead<'_>,
    bucket: Option<&str>,
    dialect: Dialect,
) -> Option<Shared> {
    let origin = sent(head, ORIGIN)?;
    let buckets = match bucket {
        Some(bucket) => vec![bucket],
        None => addressed(config, head),
    };
    config.cors.shared(&buckets, head.method(), origin, dialect)
}

impl Cors {
    /// What lets a page of `origin`, as sent, read the answer to a request of this method to one of
    /// `buckets`.
    pub fn shared(&self, buckets: &[&str], method: &str, origin: &[u8], dialect: Dialect) -> Option<Shared> {
        let mut rules = self
            .0
            .iter()
            .filter(|rule| buckets.contains(&rule.bucket.as_str()));
        rules.find_map(|rule| {
            let [oss, s3] = EXPOSED;
            let mut text = [
                rule.allows(origin, method.as_bytes())?,
                " ",
                if dialect == Dialect::S3 { s3 } else { oss },
            ]
            .concat();
            for name in &rule.expose {
                text.extend([", ", name]);
            }
            Some(Shared(text))
        })
    }
}

impl Rule {
    /// The origin that an answer names, if a page of `origin` may use `method`.
    fn allows<'s>(&'s self, origin: &'s [u8], method: &[u8]) -> Option<&'s str> {
        let origin = core::str::from_utf8(origin)
            .ok()
            .filter(|origin| is_sent_by_browsers(origin))?;
        if !self.methods.iter().any(|allowed| allowed.as_bytes() == method) {
            return None;
        }
        if self.origins.iter().any(|listed| listed == "*") {
            return Some("*");
        }
        self.origins
            .iter()
            .any(|listed| is_listed(origin, listed))
            .then_some(origin)
    }

    /// The headers of a comma-separated list, in lower case, if each is allowed.
    fn allowed(&self, requested: &[u8]) -> Option<String> {
        let (most_bytes, most_names) = MAX_REQUESTED;
        let mut headers = String::new();
        let names = requested.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        for (number, name) in names.filter(|name| !name.is_empty()).enumerate() {
            let name = core::str::from_utf8(name).ok()?.to_ascii_lowercase();
            let is_allowed = self
                .headers
                .iter()
                .any(|allowed| *allowed == name || allowed == "*");
            if !is_allowed || !is_header_name(name.as_bytes()) || number >= most_names {
                return None;
            }
            if number > 0 {
                headers.push_str(", ");
            }
            headers.push_str(&name);
        }
        (requested.len() <= most_bytes).then_some(headers)
    }
}

/// The names of the buckets that host and path stand for, as a request's signature could say.
fn addressed<'c>(config: &'c Config, head: &RequestHead<'_>) -> Vec<&'c str> {
    let resources = config.hosts.resources(head.host(), head.path());
    let named = resources.iter().map(|resource| resource.bucket.name.as_str());
    named.chain(config.previews.bucket(head)).collect()
}

/// A header's value; in the place of one that stands twice, one that nothing allows.
fn sent<'h>(head: &RequestHead<'h>, name: &str) -> Option<&'h [u8]> {
    match head.header(name) {
        Occurrence::Absent => None,
        Occurrence::Once(value) => Some(value),
        Occurrence::Repeated => Some(b"\0"),
    }
}

/// Whether a text can be the Origin of one page.
fn is_sent_by_browsers(origin: &str) -> bool {
    (1..=MAX_ORIGIN_BYTES).contains(&origin.len())
        && origin.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
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
