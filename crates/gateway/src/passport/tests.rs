use super::*;

const NOW: UnixSeconds = UnixSeconds(1_714_566_896);
const HEADERS: [(&str, &[u8]); 2] = [("content-type", b"text/plain"), ("x-amz-meta-a", b"1")];

fn key(id: &str) -> PassportKey {
    PassportKey::new(id, "0123456789abcdef0123456789abcdef".into()).unwrap()
}

fn decision() -> Decision {
    Decision {
        operation: Operation::InitiateMultipartUpload,
        bucket: "devices".into(),
        key: "中文.k".into(),
        request_id: "0123456789ABCDEF01234567".into(),
        dialect: Dialect::S3,
    }
}

fn carrier<'a>() -> Carrier<'a> {
    Carrier {
        audience: "E123",
        event_request_id: "req-1",
        method: "POST",
        path_and_query: "/k?uploads=",
        headers: &HEADERS,
    }
}

fn issued() -> String {
    issue(
        Hop::AuthorizerToRouter,
        &decision(),
        carrier(),
        &key("a").into(),
        NOW,
    )
    .unwrap()
}

/// What a check of `text` beside the headers of `carrier` says.
fn checked_at(
    hop: Hop,
    text: &[u8],
    carrier: Carrier<'_>,
    keys: &PassportKeys,
    now: i64,
) -> Option<Decision> {
    let mut headers = carrier.headers.to_vec();
    headers.push((PASSPORT_HEADER, text));
    let carrier = Carrier {
        headers: &headers,
        ..carrier
    };
    check(hop, carrier, keys, UnixSeconds(now)).map(|checked| checked.decision)
}

fn checked(text: &str, carrier: Carrier<'_>, now: i64) -> Option<Decision> {
    let keys = PassportKeys(vec![key("b"), key("a")]);
    checked_at(Hop::AuthorizerToRouter, text.as_bytes(), carrier, &keys, now)
}

#[test]
fn a_passport_gives_the_decision_back_until_it_ends() {
    for (now, good) in [
        (NOW.0, true),
        (NOW.0 + 60, true),
        (NOW.0 + 61, false),
        (NOW.0 - 60, true),
        (NOW.0 - 61, false),
    ] {
        assert_eq!(checked(&issued(), carrier(), now).is_some(), good, "{now}");
    }
    assert_eq!(checked(&issued(), carrier(), NOW.0), Some(decision()));
}

#[test]
fn a_passport_of_another_request_is_none() {
    let shifted = [("content-type", b"text/plai".as_slice()), ("nx-amz-meta-a", b"1")];
    for other in [
        Carrier {
            audience: "E124",
            ..carrier()
        },
        Carrier {
            event_request_id: "req-2",
            ..carrier()
        },
        Carrier {
            method: "PUT",
            ..carrier()
        },
        Carrier {
            path_and_query: "/K?uploads=",
            ..carrier()
        },
        Carrier {
            headers: &[],
            ..carrier()
        },
        Carrier {
            headers: &shifted,
            ..carrier()
        },
    ] {
        assert_eq!(checked(&issued(), other, NOW.0), None, "{other:?}");
    }
    let keys = |id| PassportKeys::from(key(id));
    let text = issued();
    for (hop, keys) in [
        (Hop::RouterToHandler, keys("a")),
        (Hop::AuthorizerToRouter, keys("b")),
    ] {
        assert_eq!(checked_at(hop, text.as_bytes(), carrier(), &keys, NOW.0), None);
    }
}

#[test]
fn a_header_that_is_not_covered_is_not_given_on() {
    let text = issued();
    let headers: Vec<_> = HEADERS
        .into_iter()
        .chain([
            ("x-amz-acl", b"public-read".as_slice()),
            (PASSPORT_HEADER, text.as_bytes()),
        ])
        .collect();
    let carrier = Carrier {
        headers: &headers,
        ..carrier()
    };
    let checked = check(Hop::AuthorizerToRouter, carrier, &key("a").into(), NOW).unwrap();
    assert_eq!(checked.headers(), HEADERS);
    assert_eq!(checked.header("x-amz-acl"), None);
}

#[test]
fn a_covered_header_or_a_passport_that_comes_twice_is_none() {
    let text = issued();
    for twice in [HEADERS[0], (PASSPORT_HEADER, text.as_bytes())] {
        let headers: Vec<_> = HEADERS
            .into_iter()
            .chain([(PASSPORT_HEADER, text.as_bytes()), twice])
            .collect();
        let carrier = Carrier {
            headers: &headers,
            ..carrier()
        };
        assert_eq!(
            check(Hop::AuthorizerToRouter, carrier, &key("a").into(), NOW),
            None
        );
    }
    let headers = [HEADERS[0], HEADERS[0]];
    let carrier = Carrier {
        headers: &headers,
        ..carrier()
    };
    assert_eq!(
        issue(
            Hop::AuthorizerToRouter,
            &decision(),
            carrier,
            &key("a").into(),
            NOW
        ),
        None
    );
}

#[test]
fn keys_are_read_whole_and_errors_show_no_secret() {
    let secret = "0123456789abcdef0123456789abcdef";
    let one = |id: &str| format!(r#"{{"id":"{id}","secret":"{secret}"}}"#);
    let with = |fields: &str| one("a").replace('}', &format!(",{fields}}}"));
    for (good, other) in [
        (one("a"), false),
        (with(r#""also":[]"#), false),
        (with(&format!(r#""also":[{}]"#, one("b"))), true),
    ] {
        let keys = PassportKeys::from_json(&good).unwrap();
        assert_eq!((keys.has("a"), keys.has("b")), (true, other), "{good}");
        assert_eq!(keys.0[0].id, "a", "the first one issues");
    }
    for bad in [
        "".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        format!("[{}]", one("a")),
        one(""),
        one("a.b"),
        one("a").replace("abcdef", ""),
        with(r#""x":1"#),
        with(r#""also":null"#),
        with(&format!(r#""also":{}"#, one("b"))),
        with(&format!(r#""also":[{}]"#, one("a"))),
        with(&format!(r#""also":[{},{}]"#, one("b"), one("c"))),
        with(&format!(r#""also":["{secret}"]"#)),
        with(&format!(r#""also":[{{"id":"b","secret":"{secret}","also":[]}}]"#)),
        format!(r#"{{"id":"a","secret":["{secret}"]}}"#),
    ] {
        let error = PassportKeys::from_json(&bad).err().expect(&bad);
        assert!(!error.contains(secret), "{error}");
    }
}

#[test]
fn a_passport_names_its_key_before_it_is_checked() {
    let claimed = |text: &str| claimed_key(&[(PASSPORT_HEADER, text.as_bytes())]).map(str::to_owned);
    assert_eq!(claimed(&issued()).as_deref(), Some("a"));
    assert_eq!(claimed("2.other.x").as_deref(), Some("other"));
    for text in [
        "",
        "2",
        "2.",
        "1.a.x",
        "2.a b.x",
        "2.\u{e9}.x",
        &"2.a.".repeat(5000),
    ] {
        assert_eq!(claimed(text), None, "{text}");
    }
    let twice = [(PASSPORT_HEADER, b"2.a.x".as_slice()); 2];
    assert_eq!((claimed_key(&twice), claimed_key(&[])), (None, None));
}

#[test]
fn a_passport_names_its_dialect_before_it_is_checked() {
    let claimed = |text: &str| claimed_dialect(&[(PASSPORT_HEADER, text.as_bytes())]);
    assert_eq!(claimed(&issued()), Dialect::S3);
    for text in ["", "2.a.1", "2.a.1.oss.x", "2.a.1.S3", "2.a.1.PutObject.s3"] {
        assert_eq!(claimed(text), Dialect::Oss, "{text}");
    }
    assert_eq!(claimed_dialect(&[]), Dialect::Oss);
}

#[test]
fn the_request_id_is_the_one_that_anybody_can_compute_from_the_event_s() {
    // printf event-1 | sha256sum | cut -c1-24
    assert_eq!(request_id("event-1").as_str(), "CE36863F51B6BAF9D16397FF");
}

#[test]
fn the_order_of_headers_does_not_count() {
    let reversed: Vec<_> = HEADERS.into_iter().rev().collect();
    assert!(
        checked(
            &issued(),
            Carrier {
                headers: &reversed,
                ..carrier()
            },
            NOW.0
        )
        .is_some()
    );
}

#[test]
fn any_altered_byte_makes_it_none() {
    let good = issued();
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let keys = key("a").into();
        assert_eq!(
            checked_at(Hop::AuthorizerToRouter, &bytes, carrier(), &keys, NOW.0),
            None,
            "{at}"
        );
    }
    for text in [
        "",
        ".",
        "2.a",
        good.trim_start_matches("2."),
        &format!("{good}."),
        &format!("{good}="),
        &"2.".repeat(5000),
    ] {
        assert_eq!(checked(text, carrier(), NOW.0), None, "{text}");
    }
}

#[test]
fn weak_secrets_and_odd_ids_make_no_key() {
    assert!(PassportKey::new("a", "short".into()).is_none());
    assert!(PassportKey::new("a.b", "0123456789abcdef0123456789abcdef".into()).is_none());
}
