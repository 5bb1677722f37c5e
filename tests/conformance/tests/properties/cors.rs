//! Pages of other origins: an origin is repeated only where it is listed, and headers only where they are
//! headers.

use gateway::config::Config;
use gateway::cors;
use oss_s3::answer::{Answer, Asked, RequestId, Scheme};
use proptest::prelude::*;
use request_auth::{Delivery, Dialect, RequestHead, UnixSeconds};

use crate::config;

const CONFIG: &str = r#"{
  "buckets": [{"name": "devices", "cors": [
      {"origins": ["https://a.example.com", "https://*.b.example.com:8443"], "methods": ["PUT"], "headers": ["*"]},
      {"origins": ["*"], "methods": ["GET"]}],
    "origin": {"bucket": "acme", "region": "r", "endpoint": "https://s3.example"}}],
  "hosts": [{"host": "h", "styles": ["path"]}]
}"#;

/// What RFC 9110 lets stand in no token.
const SEPARATORS: &[u8] = b"\"(),/:;<=>?@[\\]{}";

/// What the documentation says of the origins above, in other words than the code's.
fn is_listed(origin: &str) -> bool {
    let labels: Vec<&str> = origin
        .strip_prefix("https://")
        .unwrap_or_default()
        .split('.')
        .collect();
    match labels.as_slice() {
        ["a", "example", "com"] => true,
        [label, "b", "example", "com:8443"] => {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
            !label.is_empty() && label.chars().all(is_plain)
        }
        _ => false,
    }
}

/// Origins near to those above, with what does not belong there.
fn origin() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "https://",
        "http://",
        "null",
        "a",
        "b",
        ".example.com",
        ".b.example.com",
        ":8443",
        "/",
        ".",
        "*",
        "@",
        "#",
        "-",
        "x1",
        "A",
        " ",
        "\t",
        ",",
        "%2e",
        "\u{e9}",
        "\\",
        "?",
        "_",
    ]);
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// The answer to a preflight, and to the request itself where that carries headers for pages.
fn answers(method: &str, origin: &str, requested: &str) -> Vec<Answer> {
    let gateway = Config::from_json(CONFIG).unwrap();
    let id = RequestId::from_bytes([0; 12]);
    let asked = Asked {
        dialect: Dialect::Oss,
        request_id: &id,
        now: UnixSeconds(0),
        method: "OPTIONS",
        scheme: Scheme::Https,
        host: "h",
        path: b"/devices/k",
    };
    let lines = [
        ("host", "h"),
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", requested),
    ];
    let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = |method| RequestHead::new(method, b"/devices/k", lines, Delivery::Lines).unwrap();
    let preflight = cors::preflight(&gateway, &head("OPTIONS"), &asked).unwrap().ok();
    let method = if method == "PUT" { "PUT" } else { "GET" };
    let shared = cors::shared(&gateway, &head(method), Some("devices"), Dialect::Oss).map(|shared| {
        let mut answer = Answer::new(200, &asked);
        shared.mark(&mut answer);
        answer
    });
    preflight.into_iter().chain(shared).collect()
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn x06_an_origin_is_repeated_only_where_it_is_listed(origin in origin()) {
        let sent = origin.trim_matches([' ', '\t']);
        let put = answers("PUT", &origin, "");
        prop_assert_eq!(put.len(), if is_listed(sent) { 2 } else { 0 }, "{}", origin);
        for answer in put.iter().chain(&answers("GET", &origin, "")) {
            let told = answer.header("access-control-allow-origin").unwrap();
            prop_assert!(told == b"*" || (is_listed(sent) && told == sent.as_bytes()), "{}", origin);
            prop_assert!(answer.header("access-control-allow-credentials").is_none());
        }
    }

    #[test]
    fn x05_headers_are_allowed_as_tokens_and_as_nothing_else(requested in "[ -~\\t\u{80}-\u{ff},]{0,40}") {
        for answer in answers("PUT", "https://a.example.com", &requested) {
            let Some(told) = answer.header("access-control-allow-headers") else { continue };
            let told = core::str::from_utf8(told).unwrap();
            prop_assert_eq!(told, requested.trim_matches([' ', '\t']));
            let is_token = |byte: u8| byte.is_ascii_graphic() && !SEPARATORS.contains(&byte);
            prop_assert!(told.bytes().all(|byte| is_token(byte) || b", ".contains(&byte)), "{}", requested);
        }
    }
}
