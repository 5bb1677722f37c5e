//! Which pages of other origins may talk to a bucket, as the operator writes it.
//!
//! An origin is listed exactly, or with a `*` in the place of one label, or `*` alone stands for every
//! page. What no browser sends (a slash behind the host, a default port, upper case) is refused here
//! instead of never matching, and so is `null`, which every sandboxed page and local file says.

use request_auth::is_token_byte;
use serde::Serialize;

use super::{BucketSource, ConfigError};
use crate::document::{Field, Fields};

/// The most rules of a bucket.
const MAX_RULES: usize = 10;
/// The most entries of a list.
const MAX_LISTED: usize = 64;
/// The longest entry, in bytes.
const MAX_LISTED_BYTES: usize = 256;
/// The longest time that a browser may be told to remember a preflight, in seconds: no browser keeps one
/// for longer.
const MAX_AGE_SECONDS: u32 = 86_400;
const METHODS: [&str; 5] = ["GET", "HEAD", "PUT", "POST", "DELETE"];

/// A rule: which pages may send which requests to a bucket.
#[derive(Serialize)]
pub struct CorsSource {
    /// `scheme://host[:port]`, the same with `*` as the host's first label, or `*`.
    pub origins: Vec<String>,
    /// The methods that a page may use.
    pub methods: Vec<String>,
    /// The headers that it may send, in lower or upper case, or `*`.
    pub headers: Vec<String>,
    /// The headers of answers that it may read beside those that it always may.
    pub expose: Vec<String>,
    /// How long a browser may remember a preflight; the browser's own time where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
    /// The name of the bucket that the rule is of.
    #[serde(skip)]
    pub(crate) bucket: String,
}

impl CorsSource {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            origins: fields.take("origins").strings(),
            methods: fields.take("methods").strings(),
            headers: fields.take("headers").or(Vec::new(), Field::strings),
            expose: fields.take("expose").or(Vec::new(), Field::strings),
            max_age_seconds: fields.take("max_age_seconds").optional(Field::whole),
            bucket: String::new(),
        }
    }

    /// What is wrong with the rule, if something is.
    fn mistake(&self) -> Option<&'static str> {
        type List<'l> = (&'l [String], bool, fn(&str) -> bool, &'static str);
        let lists: [List<'_>; 4] = [
            (
                &self.origins,
                false,
                is_origin,
                ".origins` has to list origins as browsers send them (https://app.example.com, in lower case, without a \
                 default port or a slash behind it), https://*.example.com or *",
            ),
            (
                &self.methods,
                false,
                is_method,
                ".methods` has to list some of GET, HEAD, PUT, POST and DELETE",
            ),
            (
                &self.headers,
                true,
                is_name,
                ".headers` has to list names of headers, or *",
            ),
            (
                &self.expose,
                true,
                is_name,
                ".expose` has to list names of headers",
            ),
        ];
        for (list, may_be_empty, is_good, what) in &lists {
            let mut is_whole = list.len() <= MAX_LISTED && (*may_be_empty || !list.is_empty());
            for text in *list {
                is_whole &= text.len() <= MAX_LISTED_BYTES && is_good(text);
            }
            if !is_whole {
                return Some(what);
            }
        }
        match self.max_age_seconds {
            Some(age) if age > MAX_AGE_SECONDS => Some(".max_age_seconds` has to be from 0 to 86400"),
            _ => None,
        }
    }
}

/// The rules of every bucket, in the order in which they are written.
pub struct Cors(pub(crate) Vec<CorsSource>);

impl Cors {
    /// Takes the rules out of the buckets and checks them.
    pub(super) fn new(buckets: &mut [BucketSource]) -> Result<Self, ConfigError> {
        let mut rules: Vec<CorsSource> = Vec::new();
        for bucket in buckets {
            let mut mistake = (bucket.cors.len() > MAX_RULES).then_some("` has more than 10 rules");
            for rule in &mut bucket.cors {
                rule.bucket.push_str(&bucket.name);
                mistake = mistake.or(rule.mistake());
            }
            if let Some(mistake) = mistake {
                return Err(ConfigError::of(|| {
                    ["bucket `", &bucket.name, "`: `cors", mistake].concat()
                }));
            }
            rules.append(&mut bucket.cors);
        }
        Ok(Self(rules))
    }
}

fn is_method(name: &str) -> bool {
    METHODS.contains(&name)
}

/// Whether this is a header's name; `*` is one as well.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token_byte)
}

/// Whether a page may be listed so.
fn is_origin(origin: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once(':') else {
        return origin == "*";
    };
    let Some(host) = rest.strip_prefix("//") else {
        return false;
    };
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => "/",
    };
    let (name, is_narrow) = match host.strip_prefix("*.") {
        // A `*` for the name below a top-level domain would be everybody's.
        Some(name) => (name, name.split_once('.').is_some_and(|(_, top)| !top.is_empty())),
        None => (host, !scheme.is_empty() && !host.is_empty()),
    };
    let is_text = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b':' | b'[' | b']');
    is_narrow && !host.ends_with(default_port) && scheme.bytes().chain(name.bytes()).all(is_text)
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
            "https://user@app.example.com",
            "https://*.com.",
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
            (full.replace("HEAD", "OPTIONS"), "cors.methods"),
            (full.replace("HEAD", "head"), "cors.methods"),
            (full.replace("HEAD", "*"), "cors.methods"),
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
