//! The vectors of real SDKs run in `tests/conformance`; here stand the rules that no vector shows.

use super::*;
use crate::claim::{Claim, Window};
use crate::client::{DATE, NOW, WINDOW, delivered, head, in_b, secret, verify};
use crate::head::{Delivery, HeadError};
use crate::secret::SecurityToken;
use crate::verified::{Coverage, Hint, Verified};

mod presigned;

const TIMESTAMP: &str = "20240501T123456Z";
const DATED: [(&str, &str); 2] = [
    ("x-oss-date", TIMESTAMP),
    ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
];

fn rules() -> Rules {
    Rules::new(WINDOW)
}

fn scope() -> Scope {
    Scope::new(NOW, "cn-hangzhou", "oss").unwrap()
}

/// The Authorization of a PUT.
fn authorization(target: &str, headers: &[(&str, &str)], additional: &str) -> Result<String, Denial> {
    let unsigned = head("PUT", target, headers);
    sign_header(&unsigned, &in_b(&unsigned), "AK", &secret(), &scope(), additional)
}

/// Sends a PUT with an Authorization and hands on what comes of it.
fn sent<T>(
    target: &str,
    headers: &[(&str, &str)],
    authorization: &str,
    and: impl FnOnce(Result<Verified<'_, ()>, Denial>) -> T,
) -> T {
    let mut all = headers.to_vec();
    all.push(("authorization", authorization));
    let head = head("PUT", target, &all);
    and(verify(&head, None, &rules(), NOW))
}

fn refused(target: &str, headers: &[(&str, &str)], authorization: &str) -> Option<Denial> {
    sent(target, headers, authorization, |outcome| outcome.err())
}

/// The denial of a PUT that is signed and sent as it is.
fn denial(target: &str, headers: &[(&str, &str)], additional: &str) -> Option<Denial> {
    let authorization = authorization(target, headers, additional).unwrap();
    refused(target, headers, &authorization)
}

fn texts(target: &str, headers: &[(&str, &str)], additional: &str, delivery: Delivery) -> Vec<String> {
    let list = match additional {
        "" => String::new(),
        names => format!(",AdditionalHeaders={names}"),
    };
    let authorization = format!(
        "OSS4-HMAC-SHA256 Credential=AK/{}{list},Signature=00",
        scope().text()
    );
    let mut all = headers.to_vec();
    all.push(("authorization", &authorization));
    let head = delivered("PUT", target, &all, delivery);
    let claim = Claim::of(&head).unwrap();
    let requests = claim.canonical_requests(&head, &[in_b(&head)]);
    assert_eq!(claim.strings_to_sign(&head, &[in_b(&head)]).len(), requests.len());
    requests
        .into_iter()
        .map(|text| String::from_utf8(text).unwrap())
        .collect()
}

#[test]
fn the_canonical_request_is_the_documented_one() {
    let headers = [
        DATED[0],
        DATED[1],
        ("content-type", "text/plain"),
        ("Content-MD5", "bWQ1"),
        ("x-oss-meta-b", "2"),
        ("X-Oss-Meta-A", " 1  1 "),
        ("zeta", "z"),
        ("cache-control", "no-cache"),
        ("cookie", "c"),
    ];
    assert_eq!(
        texts(
            "/dir%2Fa%20b?c=2&b&a=x%2Fy+z",
            &headers,
            "zeta;cache-control",
            Delivery::Lines
        ),
        [
            "PUT\n/b/dir/a%20b\na=x%2Fy%20z&b&c=2\ncache-control:no-cache\ncontent-md5:bWQ1\n\
          content-type:text/plain\nx-oss-content-sha256:UNSIGNED-PAYLOAD\nx-oss-date:20240501T123456Z\n\
          x-oss-meta-a:1  1\nx-oss-meta-b:2\nzeta:z\n\ncache-control;zeta\nUNSIGNED-PAYLOAD"
        ]
    );
    assert_eq!(
        texts("/", &[("date", DATE)], "", Delivery::Lines),
        ["PUT\n/b/\n\n\n\nUNSIGNED-PAYLOAD"]
    );
}

#[test]
fn go_1_signs_the_text_of_its_date_where_it_sends_no_x_oss_date() {
    let headers = [("date", DATE), DATED[1]];
    let unsigned = head("PUT", "/k", &headers);
    let authorization = authorization("/k", &headers, "").unwrap();
    let signed = [headers[0], headers[1], ("authorization", authorization.as_str())];
    let signed = head("PUT", "/k", &signed);
    let text = Claim::of(&signed)
        .unwrap()
        .strings_to_sign(&signed, &[in_b(&unsigned)]);
    assert!(text[0].starts_with(format!("OSS4-HMAC-SHA256\n{DATE}\n20240501/cn-hangzhou/oss/").as_bytes()));
    assert_eq!(verify(&signed, None, &rules(), NOW).err(), None);
    // C lets the caller give an x-oss-date of that form.
    assert_eq!(denial("/k", &[("x-oss-date", DATE)], ""), None);
}

#[test]
fn c03_c04_c05_the_signed_timestamp_counts() {
    assert_eq!(authorization("/k", &[DATED[1]], ""), Err(Denial::DateMissing));
    for text in ["20240501T123460Z", "2024-05-01T12:34:56Z", "1714566896", "NaN"] {
        assert_eq!(
            denial("/k", &[("x-oss-date", text), ("date", DATE)], ""),
            Some(Denial::DateUnreadable),
            "{text}"
        );
    }
    let stale = [("x-oss-date", "20240501T110000Z"), ("date", DATE)];
    assert!(matches!(denial("/k", &stale, ""), Some(Denial::Skewed { .. })));
}

#[test]
fn c01_c02_the_window_is_two_sided_and_its_edge_is_inside() {
    let authorization = authorization("/k", &DATED, "").unwrap();
    let all = [DATED[0], DATED[1], ("authorization", authorization.as_str())];
    let head = head("PUT", "/k", &all);
    for (shift, good) in [
        (0, true),
        (900, true),
        (-900, true),
        (901, false),
        (-901, false),
        (86_400, false),
        (-315_360_000, false),
    ] {
        let outcome = verify(&head, None, &rules(), UnixSeconds(NOW.0 + shift)).err();
        assert_eq!(outcome.is_none(), good, "{shift} {outcome:?}");
    }
}

#[test]
fn d06_o15_the_scope_is_of_the_day_that_was_signed() {
    let headers = [("x-oss-date", "20240430T235959Z"), DATED[1]];
    assert_eq!(denial("/k", &headers, ""), Some(Denial::ScopeDayMismatch));
    // The day is UTC's, whichever way the timestamp is written.
    let headers = [("date", "Tue, 30 Apr 2024 23:59:59 GMT"), DATED[1]];
    assert_eq!(denial("/k", &headers, ""), Some(Denial::ScopeDayMismatch));
}

#[test]
fn o15_region_and_product_are_those_of_the_list() {
    let authorization = authorization("/k", &DATED, "").unwrap();
    let all = [DATED[0], DATED[1], ("authorization", authorization.as_str())];
    let head = head("PUT", "/k", &all);
    let outcome = |regions: &[&str], products: &[&str]| {
        let rules = Rules {
            window: WINDOW,
            regions: regions.iter().map(|name| (*name).to_owned()).collect(),
            products: products.iter().map(|name| (*name).to_owned()).collect(),
            aws_regions: Vec::new(),
        };
        verify(&head, None, &rules, NOW).err()
    };
    assert_eq!(outcome(&[], &["oss"]), None);
    assert_eq!(outcome(&["cn-beijing", "cn-hangzhou"], &["oss"]), None);
    assert_eq!(
        outcome(&["cn-beijing"], &["oss"]),
        Some(Denial::ScopeNotAllowed(ScopePart::Region))
    );
    assert_eq!(
        outcome(&["CN-HANGZHOU"], &["oss"]),
        Some(Denial::ScopeNotAllowed(ScopePart::Region))
    );
    assert_eq!(
        outcome(&[], &["oss-cloudbox"]),
        Some(Denial::ScopeNotAllowed(ScopePart::Product))
    );
}

#[test]
fn d08_a_signature_is_good_for_its_own_scope_only() {
    let good = authorization("/k", &DATED, "").unwrap();
    for other in [
        good.replace("cn-hangzhou", "cn-beijing"),
        good.replace("20240501/", "20240502/"),
        good.replace("/oss/", "/oss-cloudbox/"),
    ] {
        let rules = Rules {
            products: vec!["oss".into(), "oss-cloudbox".into()],
            ..rules()
        };
        let all = [DATED[0], DATED[1], ("authorization", other.as_str())];
        let denial = verify(&head("PUT", "/k", &all), None, &rules, NOW).err();
        assert_eq!(denial, Some(Denial::SignatureMismatch), "{other}");
    }
}

#[test]
fn o15_additional_headers_may_come_unsorted_and_name_what_is_signed_anyway() {
    let headers = [
        DATED[0],
        DATED[1],
        ("content-type", "t"),
        ("zeta", "z"),
        ("alpha", "a"),
    ];
    let sorted = authorization("/k", &headers, "alpha;zeta").unwrap();
    for list in [
        "zeta;alpha",
        "Alpha;ZETA",
        "alpha;content-type;zeta",
        "x-oss-date;alpha;zeta",
    ] {
        let sent_list = sorted.replace("alpha;zeta", list);
        assert_eq!(refused("/k", &headers, &sent_list), None, "{list}");
    }
    for (list, denial) in [
        ("alpha", Denial::SignatureMismatch),
        ("alpha;zeta;host", Denial::SignatureMismatch),
        ("alpha;zeta;absent", Denial::SignedHeaderMissing),
        ("alpha;zeta;content-md5", Denial::SignedHeaderMissing),
        ("alpha;alpha;zeta", Denial::MalformedCredential),
        ("alpha;zeta;", Denial::SignedHeaderMissing),
    ] {
        let sent_list = sorted.replace("alpha;zeta", list);
        assert_eq!(refused("/k", &headers, &sent_list), Some(denial), "{list}");
    }
    // An additional header that was changed or left out on the way.
    let changed = [headers[0], headers[1], headers[2], ("zeta", "Z"), headers[4]];
    assert_eq!(refused("/k", &changed, &sorted), Some(Denial::SignatureMismatch));
    assert_eq!(
        refused("/k", &headers[..4], &sorted),
        Some(Denial::SignedHeaderMissing)
    );
}

#[test]
fn o15_the_payload_hash_is_the_header_s_and_unsigned_payload_without_one() {
    assert_eq!(denial("/k", &[DATED[0]], ""), None);
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(
        denial("/k", &[DATED[0], ("x-oss-content-sha256", digest)], ""),
        None
    );
    let unsigned = authorization("/k", &[DATED[0]], "").unwrap();
    assert_eq!(refused("/k", &DATED, &unsigned), Some(Denial::SignatureMismatch));
}

#[test]
fn each_departure_of_an_sdk_verifies_and_gives_what_was_signed() {
    // Go 2 joins repeated metadata with a comma; C++ leaves empty headers out; Go 1 names x-oss-*;
    // Java 1 signs the host without its port; ali-oss keeps the mark of an empty value.
    let arrived = [
        ("host", "b.h:8080"),
        DATED[0],
        DATED[1],
        ("x-oss-meta-a", "1, 2"),
        ("x-oss-meta-b", ""),
        ("content-type", ""),
    ];
    let requests = texts(
        "/k?prefix=&uploads=",
        &arrived,
        "x-oss-date;host",
        Delivery::Joined,
    );
    assert_eq!(requests.len(), 6);
    let usual = &requests[0];
    assert!(usual.contains("\nprefix&uploads\n") && usual.contains("\nhost:b.h:8080\n"));
    assert!(usual.contains("\nx-oss-meta-a:1, 2\n") && usual.contains("\nhost\nUNSIGNED"));
    for (from, to) in [
        ("a:1, 2\n", "a:1,2\n"),
        ("prefix&", "prefix=&"),
        ("\nhost\nUNSIGNED", "\nhost;x-oss-date\nUNSIGNED"),
        (":8080\n", "\n"),
    ] {
        assert!(
            requests.contains(&usual.replacen(from, to, 1)),
            "{to}: {requests:#?}"
        );
    }
    let filled = usual
        .replacen("x-oss-meta-b:\n", "", 1)
        .replacen("content-type:\n", "", 1);
    assert!(requests.contains(&filled));

    let secret = secret();
    let key = scope().key(KEY_PREFIX, &secret).unwrap();
    for request in &requests {
        let mut digest = Sha256Sink::new();
        digest.put(request.as_bytes());
        let text = [ALGORITHM, TIMESTAMP, scope().text(), &digest.into_hex()].join("\n");
        let mut mac = MacSha256::under(key.expose()).unwrap();
        mac.put(text.as_bytes());
        let authorization = format!(
            "OSS4-HMAC-SHA256 Credential=AK/{},AdditionalHeaders=x-oss-date;host,Signature={}",
            scope().text(),
            mac.into_hex()
        );
        let mut all = arrived.to_vec();
        all.push(("authorization", &authorization));
        let head = delivered("PUT", "/k?prefix=&uploads=", &all, Delivery::Joined);
        let verified = verify(&head, None, &rules(), NOW).unwrap();
        let value = verified.signed("x-oss-meta-a").unwrap();
        let value = String::from_utf8(value.to_vec()).unwrap();
        assert!(request.contains(&format!("x-oss-meta-a:{value}\n")));
        assert_eq!(
            verified.signed("x-oss-meta-b").is_some(),
            request.contains("x-oss-meta-b")
        );
    }
}

#[test]
fn n10_a_request_is_tried_in_at_most_six_forms() {
    let headers = [
        ("host", "b.h:1"),
        ("date", DATE),
        ("x-oss-date", TIMESTAMP),
        ("x-oss-meta-a", "1, 2"),
        ("x-oss-meta-b", ""),
    ];
    let list = "host;date;x-oss-meta-a;x-oss-meta-b;x-oss-date";
    let target = "/k?uploads=&prefix=&Z=1&a=2";
    assert_eq!(texts(target, &headers, list, Delivery::Joined).len(), 6);
    assert_eq!(texts("/k?uploads=", &DATED, "", Delivery::Joined).len(), 1);
}

#[test]
fn every_parameter_is_signed_and_none_may_be_repeated() {
    let good = authorization("/k?prefix=a", &DATED, "").unwrap();
    sent("/k?prefix=a", &DATED, &good, |outcome| {
        let verified = outcome.unwrap();
        assert!(
            verified
                .parameters()
                .iter()
                .all(|p| p.coverage == Coverage::Signed)
        );
        assert_eq!(verified.parameters().len(), 1);
    });
    for target in [
        "/k",
        "/k?prefix=b",
        "/k?prefix=a&x-id=1",
        "/k?prefix=a&=",
        "/k?prefix=a&encoding-type=url",
    ] {
        assert_eq!(
            refused(target, &DATED, &good),
            Some(Denial::SignatureMismatch),
            "{target}"
        );
    }
    assert_eq!(
        authorization("/k?a=1&a=1", &DATED, ""),
        Err(Denial::Head(HeadError::RepeatedParameter))
    );
}

#[test]
fn what_was_signed_beyond_the_usual_is_a_signed_header_and_the_rest_stays_a_hint() {
    let headers = [
        DATED[0],
        DATED[1],
        ("cache-control", "no-store"),
        ("content-language", "en"),
        ("range", "r"),
    ];
    let good = authorization("/k", &headers, "cache-control").unwrap();
    sent("/k", &headers, &good, |outcome| {
        let verified = outcome.unwrap();
        assert_eq!(verified.signed("cache-control"), Some(b"no-store".as_slice()));
        assert_eq!(verified.hint(Hint::CacheControl), None);
        assert_eq!(verified.hint(Hint::ContentLanguage), Some(b"en".as_slice()));
        assert_eq!(verified.hint(Hint::Range), Some(b"r".as_slice()));
        assert_eq!(verified.signed("content-language"), None);
    });
}

#[test]
fn a_scope_can_hold_nothing_that_would_be_read_as_another() {
    assert!(Scope::new(NOW, "cn-hangzhou", "oss").is_some());
    for (region, product) in [
        ("", "oss"),
        ("r", ""),
        ("a/b", "oss"),
        ("r", "o\ns"),
        ("r,s", "oss"),
    ] {
        assert_eq!(Scope::new(NOW, region, product), None, "{region} {product}");
    }
}
