use oss_s3::answer::{RequestId, Scheme};
use request_auth::{Delivery, UnixSeconds};

use super::*;

const CONFIG: &str = r#"{
  "buckets": [
    {"name": "devices", "aliases": ["d111"], "cors": [
        {"origins": ["https://app.example.com", "https://*.cams.example.com:8443"], "methods": ["GET", "PUT"],
         "headers": ["Authorization", "x-oss-date"], "expose": ["x-oss-meta-a"], "max_age_seconds": 600},
        {"origins": ["*"], "methods": ["HEAD"], "headers": ["*"]}],
     "origin": {"bucket": "bucket1", "region": "r", "endpoint": "https://s3.example"}},
    {"name": "other", "cors": [{"origins": ["https://other.example.com"], "methods": ["GET"]}],
     "origin": {"bucket": "bucket2", "region": "r", "endpoint": "https://s3.example"}},
    {"name": "quiet", "origin": {"bucket": "bucket3", "region": "r", "endpoint": "https://s3.example"}}],
  "hosts": [{"host": "edge.example", "styles": ["path", "virtual-host"]},
            {"host": "up.example", "styles": ["path"], "cname": "devices"},
            {"host": "links.example", "styles": ["path"]}],
  "preview": [{"host": "links.example", "bucket": "other", "template": "f/{file_id}", "key": "k"}]
}"#;
const APP: (&str, &str) = ("origin", "https://app.example.com");
const PUT: (&str, &str) = ("access-control-request-method", "PUT");
const REQUESTED: &str = "access-control-request-headers";

type Lines<'a> = [(&'a str, &'a str)];

fn with_head<T>(
    method: &str,
    url: &str,
    lines: &Lines<'_>,
    and: impl FnOnce(&Config, &RequestHead<'_>) -> T,
) -> T {
    let (host, path) = url.split_at(url.find('/').unwrap());
    let lines: Vec<_> = [("host", host)].iter().chain(lines).copied().collect();
    let lines = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead::new(method, path.as_bytes(), lines, Delivery::Lines).unwrap();
    and(&Config::from_json(CONFIG).unwrap(), &head)
}

fn asked(dialect: Dialect, id: &RequestId) -> Asked<'_> {
    Asked {
        dialect,
        request_id: id,
        now: UnixSeconds(1_714_566_896),
        method: "OPTIONS",
        scheme: Scheme::Https,
        host: "",
        path: b"",
    }
}

/// The headers of a preflight's answer beside the request id and the date, or the refusal's code.
fn ask(url: &str, lines: &Lines<'_>) -> Option<Result<Vec<(String, String)>, &'static str>> {
    let id = RequestId::from_bytes([0; 12]);
    let own = |answer: Answer| {
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"".as_slice()));
        let headers = answer
            .headers
            .into_iter()
            .filter(|(name, _)| !matches!(name.as_ref(), "x-oss-request-id" | "date"));
        headers
            .map(|(name, value)| (name.into_owned(), String::from_utf8(value).unwrap()))
            .collect()
    };
    with_head("OPTIONS", url, lines, |config, head| {
        let answer = preflight(config, head, &asked(Dialect::Oss, &id))?;
        Some(answer.map(own).map_err(|refusal| refusal.code()))
    })
}

fn is_allowed(url: &str, lines: &Lines<'_>) -> bool {
    ask(url, lines).unwrap().is_ok()
}

fn share(method: &str, url: &str, bucket: Option<&str>, origin: &str) -> Option<Shared> {
    with_head(method, url, &[("origin", origin)], |config, head| {
        shared(config, head, bucket, Dialect::Oss)
    })
}

fn allowed_origin(method: &str, url: &str, bucket: Option<&str>, origin: &str) -> Option<String> {
    share(method, url, bucket, origin).map(|shared| {
        let [(name, origin), ..] = shared.headers();
        assert_eq!(name, "access-control-allow-origin");
        origin.to_owned()
    })
}

#[test]
fn a_preflight_is_answered_with_the_rule_that_matches_it() {
    let lines = [APP, PUT, (REQUESTED, "authorization,X-Oss-Date")];
    let expected = [
        ("access-control-allow-origin", "https://app.example.com"),
        ("access-control-allow-methods", "GET, PUT"),
        ("access-control-allow-headers", "authorization,X-Oss-Date"),
        ("access-control-max-age", "600"),
        ("vary", "Origin"),
    ];
    let expected: Vec<_> = expected
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    for url in [
        "edge.example/devices/k",
        "edge.example/d111/k",
        "devices.edge.example/a/b",
        "up.example/k",
    ] {
        assert_eq!(ask(url, &lines).unwrap().unwrap(), expected, "{url}");
    }
    // Another rule of the same bucket.
    let lines = [
        APP,
        ("access-control-request-method", "HEAD"),
        (REQUESTED, " X-A , x-b,, "),
    ];
    let expected = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "HEAD"),
        ("access-control-allow-headers", "X-A , x-b,,"),
        ("vary", "Origin"),
    ];
    let expected: Vec<_> = expected
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    assert_eq!(ask("edge.example/devices/k", &lines).unwrap().unwrap(), expected);
}

#[test]
fn what_is_no_preflight_is_not_answered_here() {
    assert_eq!(ask("edge.example/devices/k", &[]), None);
    assert_eq!(ask("edge.example/devices/k", &[APP]), None);
    assert_eq!(ask("edge.example/devices/k", &[PUT]), None);
    let id = RequestId::from_bytes([0; 12]);
    for method in ["GET", "PUT", "POST", "HEAD", "DELETE", "PATCH"] {
        with_head(method, "edge.example/devices/k", &[APP, PUT], |config, head| {
            assert!(preflight(config, head, &asked(Dialect::Oss, &id)).is_none());
        });
    }
}

#[test]
fn a_preflight_that_no_rule_matches_is_refused() {
    let (key, method) = ("edge.example/devices/k", "access-control-request-method");
    for lines in [
        [("origin", "https://evil.example.com"), PUT].as_slice(),
        &[("origin", "null"), PUT],
        &[("origin", ""), PUT],
        &[("origin", "*"), PUT],
        &[APP, ("origin", "https://app.example.com"), PUT],
        &[APP, (method, "DELETE")],
        &[APP, (method, "put")],
        &[APP, (method, "")],
        &[APP, (method, "GET, PUT")],
        &[APP, PUT, PUT],
        &[APP, PUT, (REQUESTED, "authorization, x-oss-acl")],
        &[APP, PUT, (REQUESTED, "authorization"), (REQUESTED, "x-oss-date")],
        &[("origin", "https://other.example.com"), (method, "GET")],
    ] {
        assert_eq!(ask(key, lines), Some(Err("AccessForbidden")), "{lines:?}");
    }
    // What any header may be is still a header, and not many of them.
    let head = (method, "HEAD");
    for requested in ["a\tb", "a\u{7f}", "a;b", "x-\u{e9}"] {
        assert!(
            !is_allowed(key, &[APP, head, (REQUESTED, requested)]),
            "{requested}"
        );
    }
    assert!(!is_allowed(key, &[APP, head, (REQUESTED, &",".repeat(4097))]));
    assert!(!is_allowed(key, &[APP, head, (REQUESTED, &"a".repeat(4097))]));
}

#[test]
fn l05_a_preflight_to_no_bucket_is_answered_like_one_to_a_bucket_without_rules() {
    for dialect in [Dialect::Oss, Dialect::S3] {
        let id = RequestId::from_bytes([0; 12]);
        let asked = asked(dialect, &id);
        let answer = |url| {
            with_head("OPTIONS", url, &[APP, PUT], |config, head| {
                preflight(config, head, &asked)
                    .unwrap()
                    .unwrap_err()
                    .answer(&asked)
            })
        };
        let quiet = answer("edge.example/quiet/k");
        assert_eq!(quiet.status, 403);
        let body = String::from_utf8(quiet.body.clone()).unwrap();
        assert!(
            body.contains("<Code>AccessForbidden</Code><Message>CORSResponse: "),
            "{body}"
        );
        assert!(
            quiet
                .headers
                .iter()
                .all(|(name, _)| !name.starts_with("access-control-"))
        );
        for url in [
            "edge.example/nobody/k",
            "nobody.edge.example/k",
            "nowhere.example/devices/k",
            "edge.example/",
            "quiet.edge.example/devices/k",
            "edge.example/other/k",
        ] {
            assert_eq!(answer(url), quiet, "{url}");
        }
    }
}

#[test]
fn a_star_stands_for_one_label_and_nothing_else() {
    let is_allowed = |origin| is_allowed("edge.example/devices/k", &[("origin", origin), PUT]);
    assert!(is_allowed("https://a-1.cams.example.com:8443"));
    for origin in [
        "https://cams.example.com:8443",
        "https://.cams.example.com:8443",
        "https://a.b.cams.example.com:8443",
        "https://a.cams.example.com",
        "http://a.cams.example.com:8443",
        "https://a.cams.example.com:8443/",
        "https://evil.example/.cams.example.com:8443",
        "https://evil.example#.cams.example.com:8443",
        "https://u@a.cams.example.com:8443",
        "https://A.cams.example.com:8443",
        "https://*.cams.example.com:8443",
        "https://acams.example.com:8443",
        "https://a.cams.example.com:8443.evil.example",
        "https://app.example.com.evil.example",
        "https://app.example.co",
        "https://app.example.comm",
    ] {
        assert!(!is_allowed(origin), "{origin}");
    }
}

#[test]
fn an_answer_is_shared_by_the_rules_of_the_bucket_that_was_verified() {
    let key = "edge.example/devices/k";
    let app = "https://app.example.com";
    assert_eq!(
        allowed_origin("PUT", key, Some("devices"), app).as_deref(),
        Some(app)
    );
    assert_eq!(allowed_origin("PUT", key, None, app).as_deref(), Some(app));
    assert_eq!(
        allowed_origin("HEAD", key, None, "https://anybody.example").as_deref(),
        Some("*")
    );
    assert_eq!(allowed_origin("PUT", key, Some("quiet"), app), None);
    assert_eq!(allowed_origin("POST", key, Some("devices"), app), None);
    // Which of the two buckets of this URL was meant only the signature says.
    let (url, other) = ("up.example/other/k", "https://other.example.com");
    assert_eq!(allowed_origin("GET", url, None, app).as_deref(), Some(app));
    assert_eq!(allowed_origin("GET", url, None, other).as_deref(), Some(other));
    assert_eq!(
        allowed_origin("GET", url, Some("other"), other).as_deref(),
        Some(other)
    );
    assert_eq!(allowed_origin("GET", url, Some("other"), app), None);
    assert_eq!(allowed_origin("GET", url, Some("devices"), other), None);
    // A preview link names no bucket.
    let link = "links.example/files/0d0ee8b0-7a3f-4c6e-9d0e-3c9a6f9f4b11/file-preview";
    assert_eq!(allowed_origin("GET", link, None, other).as_deref(), Some(other));
    assert_eq!(allowed_origin("GET", link, None, app), None);
}

#[test]
fn a_page_may_read_the_etag_the_request_id_and_what_is_listed() {
    let key = "edge.example/devices/k";
    let shared = share("PUT", key, None, "https://app.example.com").unwrap();
    assert_eq!(
        shared.headers()[1],
        (
            "access-control-expose-headers",
            "ETag, Date, Content-Range, x-oss-request-id, x-oss-version-id, x-oss-delete-marker, x-oss-ec, x-oss-err, x-oss-meta-a"
        )
    );
    assert_eq!(shared.headers()[2], ("vary", "Origin"));
    let config = Config::from_json(CONFIG).unwrap();
    let s3 = config
        .cors
        .shared(
            &|name| name == "devices",
            "PUT",
            "https://app.example.com",
            Dialect::S3,
        )
        .unwrap();
    let [_, (_, exposed), _] = s3.headers();
    assert!(
        exposed.starts_with("ETag, ")
            && exposed.contains("x-amz-request-id")
            && !exposed.contains("x-oss-request")
    );
    // The text is the same on the other side.
    assert_eq!(Shared::from_text(s3.text().to_owned()), s3);
}

#[test]
fn x06_no_origin_is_answered_that_is_not_listed_and_none_with_credentials() {
    let rules = Config::from_json(CONFIG).unwrap().cors;
    for bucket in ["devices", "other", "quiet"] {
        for method in ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"] {
            for origin in [
                "https://evil.example.com",
                "null",
                "*",
                "file://",
                "https://app.example.com.evil.example",
                "https://app.example.com, https://evil.example.com",
                "https://evil.example.com https://app.example.com",
                "https://app.example.com\u{0}",
                "HTTPS://APP.EXAMPLE.COM",
            ] {
                let shared = rules.shared(&|name| name == bucket, method, origin, Dialect::Oss);
                let origins = shared.as_ref().map(|shared| shared.headers()[0].1);
                assert!(
                    matches!(origins, None | Some("*")),
                    "{bucket} {method} {origin}: {origins:?}"
                );
            }
        }
    }
    let lines = [
        APP,
        PUT,
        ("cookie", "a=b"),
        ("access-control-request-credentials", "true"),
    ];
    let answered = ask("edge.example/devices/k", &lines).unwrap().unwrap();
    let shared = share("PUT", "edge.example/devices/k", None, "https://app.example.com").unwrap();
    let names = answered.iter().map(|(name, _)| name.as_str());
    let mut names = names.chain(shared.headers().map(|(name, _)| name));
    assert!(!names.any(|name| name.contains("credentials")));
}

#[test]
fn x05_nothing_of_a_preflight_makes_a_header_of_its_own() {
    // No head holds a line break; whatever else it holds, headers are repeated only as tokens.
    let head = ("access-control-request-method", "HEAD");
    for byte in 0..=255_u8 {
        if matches!(byte, b'\r' | b'\n' | 0) {
            continue;
        }
        let text = format!("x-a{}b", char::from(byte));
        let answer = ask("edge.example/devices/k", &[APP, head, (REQUESTED, &text)]).unwrap();
        let repeated = answer
            .into_iter()
            .flatten()
            .find(|(name, _)| name == "access-control-allow-headers");
        if let Some((_, value)) = repeated {
            let is_token = |byte: u8| is_token_byte(byte);
            assert!(
                value.bytes().all(|byte| is_token(byte) || b", ".contains(&byte)),
                "{byte}: {value}"
            );
        }
    }
    for lines in [
        ("origin", "https://a\r\nx: 1"),
        (REQUESTED, "a\r\nx: 1"),
        (REQUESTED, "a\nx"),
    ] {
        let lines = [("host", "h"), lines].map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        assert!(RequestHead::new("OPTIONS", b"/k", lines, Delivery::Lines).is_err());
    }
}
