//! Which pages of other origins may talk to a bucket, as the operator writes it.
//!
//! An origin is listed exactly, or with a `*` in the place of one label, or `*` alone stands for every
//! page. What no browser sends (a slash behind the host, a default port, upper case) is refused here
//! instead of never matching, and so is `null`, which every sandboxed page and local file says.

use serde::Serialize;

use super::{BucketSource, ConfigError};
use crate::document::{Field, Fields};

/// The most rules of a bucket.
const MAX_RULES: usize = 10;
/// The most origins, and the most names of headers, in one list.
const MAX_LISTED: usize = 64;
/// The longest time that a browser may be told to remember a preflight, in seconds: no browser keeps one
/// for longer.
pub const MAX_AGE_SECONDS: u32 = 86_400;

/// A rule as it is written: which pages may send which requests to a bucket.
#[derive(Serialize)]
pub struct CorsSource {
    /// `scheme://host[:port]`, the same with `*` as the host's first label, or `*`.
    pub origins: Vec<String>,
    /// The methods that a page may use.
    pub methods: Vec<&'static str>,
    /// The headers that it may send, in lower or upper case, or `*`.
    pub headers: Vec<String>,
    /// The headers of answers that it may read beside those that it always may.
    pub expose: Vec<String>,
    /// How long a browser may remember a preflight; the browser's own time where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
}

impl CorsSource {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Self {
        let method = |field: Field<'_, '_>| {
            field.choice(&[
                ("GET", "GET"),
                ("HEAD", "HEAD"),
                ("PUT", "PUT"),
                ("POST", "POST"),
                ("DELETE", "DELETE"),
            ])
        };
        Self {
            origins: fields.take("origins").strings(),
            methods: fields.take("methods").list(method),
            headers: fields.take("headers").or(Vec::new(), Field::strings),
            expose: fields.take("expose").or(Vec::new(), Field::strings),
            max_age_seconds: fields.take("max_age_seconds").optional(Field::whole),
        }
    }
}

/// A rule of a bucket, checked.
pub(crate) struct Rule {
    pub(crate) bucket: String,
    pub(crate) origins: Vec<String>,
    pub(crate) methods: Vec<&'static str>,
    /// In lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) expose: Vec<String>,
    pub(crate) max_age_seconds: Option<u32>,
}

/// The rules of every bucket, in the order in which they are written.
pub struct Cors(pub(crate) Vec<Rule>);

impl Cors {
    /// Takes the rules out of the buckets and checks them.
    pub(super) fn new(buckets: &mut [BucketSource]) -> Result<Self, ConfigError> {
        let mut rules = Vec::new();
        for bucket in buckets {
            let sources = core::mem::take(&mut bucket.cors);
            if sources.len() > MAX_RULES {
                return Err(fail(&bucket.name, &["", " has more than 10 rules"]));
            }
            for source in sources {
                rules.push(rule(&bucket.name, source)?);
            }
        }
        Ok(Self(rules))
    }
}

fn fail(bucket: &str, what: &[&str; 2]) -> ConfigError {
    let [field, what] = what;
    ConfigError(["bucket `", bucket, "`: `cors", field, "`", what].concat())
}

fn rule(bucket: &str, source: CorsSource) -> Result<Rule, ConfigError> {
    let fail = |what| Err(fail(bucket, what));
    if !are_listed(&source.origins, is_origin) || source.origins.is_empty() {
        return fail(&[
            ".origins",
            " has to list origins as browsers send them, `https://app.example.com` in lower case without a default \
             port or a slash behind it, `https://*.example.com` for any one label, or `*`",
        ]);
    }
    if source.methods.is_empty() {
        return fail(&[".methods", " is empty; list the methods that pages may use"]);
    }
    if !are_listed(&source.headers, |name| {
        name == "*" || is_header_name(name.as_bytes())
    }) {
        return fail(&[".headers", " has to list names of headers, or `*` for any"]);
    }
    if !are_listed(&source.expose, |name| {
        is_header_name(name.as_bytes()) && name != "*"
    }) {
        return fail(&[".expose", " has to list names of headers"]);
    }
    if source.max_age_seconds.is_some_and(|age| age > MAX_AGE_SECONDS) {
        return fail(&[".max_age_seconds", " has to be from 0 to 86400"]);
    }
    let lower = |name: &String| name.to_ascii_lowercase();
    Ok(Rule {
        bucket: bucket.to_owned(),
        origins: source.origins,
        methods: source.methods,
        headers: source.headers.iter().map(lower).collect(),
        expose: source.expose,
        max_age_seconds: source.max_age_seconds,
    })
}

fn are_listed(texts: &[String], is_good: fn(&str) -> bool) -> bool {
    texts.len() <= MAX_LISTED && texts.iter().all(|text| is_good(text))
}

/// Whether this is a header's name: a token, of at most 256 bytes.
pub(crate) fn is_header_name(name: &[u8]) -> bool {
    (1..=256).contains(&name.len())
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// Whether a page may be listed so.
fn is_origin(origin: &str) -> bool {
    if origin == "*" {
        return true;
    }
    let halves = origin.split_once(':');
    let Some((scheme, authority)) =
        halves.and_then(|(scheme, rest)| Some((scheme, rest.strip_prefix("//")?)))
    else {
        return false;
    };
    let (host, port) = authority_of(authority);
    let (host, is_whole) = match host.strip_prefix("*.") {
        // A `*` for the name below a top-level domain would be everybody's.
        Some(host) => (host, host.contains('.')),
        None => (host, true),
    };
    let is_named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_default = matches!((scheme, port), ("https", Some("443")) | ("http", Some("80")));
    let is_port = |port: &str| {
        (1..=5).contains(&port.len())
            && !port.starts_with('0')
            && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| is_named(byte) || b"-_".contains(&byte));
    let is_address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| {
            host.bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f' | b':'))
        });
    scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|byte| is_named(byte) || b"+-.".contains(&byte))
        && origin.len() <= 256
        && is_whole
        && !is_default
        && port.is_none_or(is_port)
        && (is_address || host.split('.').all(is_label))
}

/// Host and port of an authority; a colon within brackets is the host's.
fn authority_of(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn check(rule: &str) -> Result<Config, String> {
        let config = [
            r#"{"buckets": [{"name": "devices", "cors": [{"#,
            rule,
            r#"}], "origin": {"bucket": "acme", "region": "r", "endpoint": "https://s3.example"}}],
               "hosts": [{"host": "h", "styles": ["path"]}]}"#,
        ];
        Config::from_json(&config.concat()).map_err(|error| error.to_string())
    }

    fn with_origin(origin: &str) -> Result<Config, String> {
        check(&format!(
            r#""origins": [{}], "methods": ["GET"]"#,
            serde_json::json!(origin)
        ))
    }

    #[test]
    fn an_origin_is_listed_as_browsers_send_it() {
        for origin in [
            "*",
            "https://app.example.com",
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:8080",
            "https://*.example.com",
            "https://*.example.com:8443",
            "http://app.example.com:443",
            "chrome-extension://abcdefghijklmnop",
            "capacitor://localhost",
            "https://xn--fiq228c.example",
        ] {
            assert!(with_origin(origin).is_ok(), "{origin}");
        }
        for origin in [
            "",
            "null",
            "app.example.com",
            "https://",
            "://app.example.com",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://App.example.com",
            "HTTPS://app.example.com",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com:",
            "https://app.example.com:0",
            "https://app.example.com:123456",
            "https://app.example.com:8a",
            "https://user@app.example.com",
            "https://app..example.com",
            "https://.example.com",
            "https://app.example.com.",
            "https://*",
            "https://*.com",
            "https://*.*.example.com",
            "https://a*.example.com",
            "https://app.*.com",
            "*://app.example.com",
            "https://*example.com",
            "**",
            "https://app.example.com https://b.example.com",
            "https://app.example.com\r\nx: y",
            "https://app.example.com\u{0}",
            "https://app.example.com\t",
            "https://\u{e9}.example.com",
            "https://[::1",
            "https://[::1]x",
            "1https://app.example.com",
        ] {
            let sentence = with_origin(origin).err().unwrap_or_default();
            assert!(
                sentence.starts_with("bucket `devices`: `cors.origins` has to list origins"),
                "{origin}: {sentence}"
            );
        }
        let long = format!("https://{}.example.com", "a".repeat(250));
        assert!(with_origin(&long).is_err());
    }

    #[test]
    fn every_list_of_a_rule_is_checked_and_a_mistake_is_named() {
        let full = r#""origins": ["*"], "methods": ["GET", "HEAD", "PUT", "POST", "DELETE"], "headers": ["*"],
            "expose": ["x-oss-meta-a"], "max_age_seconds": 86400"#;
        assert!(check(full).is_ok());
        for (rule, named) in [
            (r#""origins": [], "methods": ["GET"]"#.to_owned(), "cors.origins"),
            (r#""methods": ["GET"]"#.to_owned(), "origins"),
            (r#""origins": ["*"]"#.to_owned(), "methods"),
            (
                full.replace(r#""GET", "HEAD", "PUT", "POST", "DELETE""#, ""),
                "cors.methods",
            ),
            (full.replace("HEAD", "OPTIONS"), "cors[0].methods[1]"),
            (full.replace("HEAD", "head"), "cors[0].methods[1]"),
            (full.replace("HEAD", "*"), "cors[0].methods[1]"),
            (
                full.replace(r#""headers": ["*"]"#, r#""headers": [""]"#),
                "cors.headers",
            ),
            (
                full.replace(r#""headers": ["*"]"#, r#""headers": ["x-amz-*: 1"]"#),
                "cors.headers",
            ),
            (full.replace("x-oss-meta-a", "a b"), "cors.expose"),
            (full.replace("x-oss-meta-a", "a\\r\\nb"), "cors.expose"),
            (full.replace("x-oss-meta-a", "a, b"), "cors.expose"),
            (full.replace("x-oss-meta-a", "*"), "cors.expose"),
            (full.replace("86400", "86401"), "cors.max_age_seconds"),
            (full.replace("86400", "-1"), "max_age_seconds"),
            (full.replace("max_age_seconds", "credentials"), "credentials"),
            (
                full.replace(
                    r#"["*"], "methods""#,
                    &format!(r#"[{}], "methods""#, vec![r#""*""#; 65].join(",")),
                ),
                "cors.origins",
            ),
        ] {
            let sentence = check(&rule).err().unwrap_or_default();
            assert!(sentence.contains(named), "{rule}: {sentence}");
        }
    }

    #[test]
    fn a_bucket_has_ten_rules_at_most() {
        let rule = r#""origins": ["*"], "methods": ["GET"]"#;
        let rules = |count| check(&vec![rule; count].join("}, {"));
        assert_eq!(rules(10).unwrap().cors.0.len(), 10);
        assert!(
            rules(11)
                .err()
                .unwrap()
                .contains("`devices`: `cors` has more than 10 rules")
        );
    }
}
