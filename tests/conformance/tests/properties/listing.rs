//! A list, gathered page by page through the gateway, is what a plain sorted set of the keys gives that the
//! grant opens: for any keys, area, prefix, delimiter, start and length of a page.
//!
//! The origin is a model of S3's first ListObjects, with NextMarker only where S3 gives one.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use conformance::upload::seals;
use gateway::response_handler::{Allowance, Exchange, Step};
use oss_s3::answer::{Asked, RequestId, Scheme};
use oss_s3::area::{Area, Target};
use oss_s3::errand::{DocumentDigests, Errand};
use oss_s3::operation::{Arguments, Call, Operation};
use oss_s3::request::OriginRequest;
use oss_s3::response::OriginAnswer;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use request_auth::Dialect;
use request_auth::canon::percent_decode;

use crate::config;
use crate::device::{HOSTS, NOW};

const AMPLE: Allowance = Allowance {
    seconds: 55,
    requests: 10_000,
    together: 3,
};
static ID: LazyLock<RequestId> = LazyLock::new(|| RequestId::from_bytes([7; 12]));

/// What a client asks for, until there is no more.
#[derive(Clone, Debug)]
struct Wanted {
    dialect: Dialect,
    by_token: bool,
    prefix: String,
    delimiter: &'static str,
    start: String,
    most: usize,
}

/// A name that shares beginnings with others, and has what encodings disagree about.
fn name(length: core::ops::Range<usize>) -> impl Strategy<Value = String> {
    let piece = select(vec![
        "a", "b", "/", "a/", "b/", "m/", "-", " ", "+", "%2F", "é", "😀", "<&",
    ]);
    vec(piece, length).prop_map(|pieces| pieces.concat())
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let dialect = select(vec![Dialect::Oss, Dialect::S3]);
    let delimiter = select(vec!["", "", "/", "/", "-", "a", "a/", "/a", "b/a"]);
    let start = prop_oneof![2 => Just(String::new()), 1 => name(1..4)];
    (dialect, any::<bool>(), name(0..3), delimiter, start, 1_usize..5).prop_map(
        |(dialect, by_token, prefix, delimiter, start, most)| Wanted {
            dialect,
            by_token,
            prefix,
            delimiter,
            start,
            most,
        },
    )
}

/// Keys and common prefixes of sorted keys, those behind `start`.
fn entries(keys: &BTreeSet<String>, prefix: &str, delimiter: &str, start: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for key in keys.iter().filter_map(|key| key.strip_prefix(prefix)) {
        let place = key.find(delimiter).filter(|_| !delimiter.is_empty());
        let shown = place.map_or(key, |place| key.get(..place + delimiter.len()).unwrap());
        let entry = [prefix, shown].concat();
        if entry.as_str() > start && found.last() != Some(&entry) {
            found.push(entry);
        }
    }
    found
}

/// S3's encoding of keys: a blank is `+`, and a slash stays.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' | b'/' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decoded(text: &str) -> String {
    String::from_utf8(percent_decode(text.as_bytes()).unwrap()).unwrap()
}

/// S3's answer to a request of the gateway's.
fn answer(bucket: &BTreeSet<String>, request: &OriginRequest) -> OriginAnswer {
    let parameter = |name: &str| {
        let pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.clone().find(|(known, _)| *known == name);
        found.map(|(_, value)| decoded(value)).unwrap_or_default()
    };
    assert_eq!(parameter("encoding-type"), "url");
    let (delimiter, most) = (
        parameter("delimiter"),
        parameter("max-keys").parse::<usize>().unwrap(),
    );
    let all = entries(bucket, &parameter("prefix"), &delimiter, &parameter("marker"));
    let shown = &all[..most.min(all.len())];
    let is_prefix = |entry: &&String| {
        let rest = entry.strip_prefix(parameter("prefix").as_str());
        !delimiter.is_empty() && rest.is_some_and(|rest| rest.contains(&delimiter))
    };
    let mut body = format!(
        "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>",
        shown.len() < all.len()
    );
    if let (true, false, Some(last)) = (shown.len() < all.len(), delimiter.is_empty(), shown.last()) {
        body.push_str(&format!("<NextMarker>{}</NextMarker>", encoded(last)));
    }
    for entry in shown.iter().filter(|entry| !is_prefix(entry)) {
        body.push_str(&format!(
            "<Contents><Key>{}</Key><LastModified>2024-05-01T12:34:56.000Z</LastModified><ETag>\"e\"</ETag><Size>1</Size></Contents>",
            encoded(entry)
        ));
    }
    for entry in shown.iter().filter(is_prefix) {
        body.push_str(&format!(
            "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
            encoded(entry)
        ));
    }
    body.push_str("</ListBucketResult>");
    OriginAnswer {
        status: 200,
        headers: Vec::new(),
        body: body.into_bytes(),
    }
}

/// One page for a client: its entries in order, and what to go on with.
fn page(
    bucket: &BTreeSet<String>,
    wanted: &Wanted,
    area: &Area,
    next: &str,
) -> (Vec<String>, Option<String>) {
    let mut arguments = Arguments::new(wanted.dialect);
    let [start, goes_on] = match wanted.by_token {
        false => ["marker", "marker"],
        true => ["start-after", "continuation-token"],
    };
    let mut pairs = vec![
        ("prefix", wanted.prefix.clone()),
        ("delimiter", wanted.delimiter.to_owned()),
        ("max-keys", wanted.most.to_string()),
        ("encoding-type", "url".to_owned()),
    ];
    if wanted.by_token {
        pairs.push(("list-type", "2".to_owned()));
    }
    if wanted.by_token || next.is_empty() {
        pairs.push((start, wanted.start.clone()));
    }
    if !next.is_empty() {
        pairs.push((goes_on, next.to_owned()));
    }
    for (name, value) in pairs {
        arguments.push(name, &value);
    }
    let call = Call::of(Operation::ListObjects, &arguments).unwrap();
    let asked = Asked {
        dialect: wanted.dialect,
        request_id: &ID,
        now: NOW,
        method: "GET",
        scheme: Scheme::Https,
        host: "edge.test",
        path: b"/devices/",
    };
    let target = Target::Bucket {
        areas: vec![area.clone()],
    };
    let digests = DocumentDigests::default();
    let errand = Errand::assertion(
        wanted.dialect,
        &HOSTS.buckets()[0],
        (call, arguments),
        target,
        Vec::new(),
        digests,
        ("AK".to_owned(), &seals()),
    );
    let errand = errand.unwrap();
    let (mut exchange, mut step) = Exchange::begin(errand, b"", &asked).unwrap();
    let answer = loop {
        step = match step {
            Step::Send(request) => exchange
                .advance(&answer(bucket, &request), &asked, AMPLE)
                .unwrap(),
            // A list that streamed would have no body here.
            Step::Answer(answer) | Step::Stream(answer) => break String::from_utf8(answer.body).unwrap(),
            Step::Together(tasks) => break format!("{tasks:?}"),
        }
    };
    let texts = |inside: &str, name: &str| -> Vec<String> {
        let [outer, open, close] = [format!("<{inside}>"), format!("<{name}>"), format!("</{name}>")];
        let pieces = answer.split(&outer).skip(1);
        pieces
            .map(|piece| decoded(piece.split_once(&open).unwrap().1.split_once(&close).unwrap().0))
            .collect()
    };
    let mut found = [texts("Contents", "Key"), texts("CommonPrefixes", "Prefix")].concat();
    found.sort_unstable();
    let name = if wanted.by_token {
        "NextContinuationToken"
    } else {
        "NextMarker"
    };
    let next = answer.split_once(&format!("<{name}>")).map(|(_, rest)| {
        let text = rest.split('<').next().unwrap();
        decoded(text)
    });
    assert_eq!(next.is_some(), answer.contains("<IsTruncated>true</IsTruncated>"));
    (found, next)
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn b05_pages_of_a_confined_list_are_what_a_plain_sorted_set_gives(
        keys in btree_set(name(1..5), 0..25),
        outside in btree_set(name(1..5), 0..10),
        prefix in select(vec!["", "", "a/", "a/b/", "b/", "m/a/"]),
        mount in select(vec!["", "m/", "a/", "a/b/"]),
        wanted in wanted(),
    ) {
        let area = Area::new(prefix.to_owned(), mount.to_owned());
        let mut bucket: BTreeSet<String> = keys.iter().map(|key| [mount, key].concat()).collect();
        bucket.extend(outside);
        let Call::List(listing) = Call::of(Operation::ListObjects, &{
            let mut arguments = Arguments::new(wanted.dialect);
            arguments.push("prefix", &wanted.prefix);
            arguments.push("delimiter", wanted.delimiter);
            arguments
        }).unwrap() else { return Err(TestCaseError::fail("ListObjects is no list")) };
        let areas = [area.clone()];
        let leads = wanted.prefix.starts_with(prefix) || prefix.starts_with(&wanted.prefix);
        if listing.area(&areas).is_none() {
            // Or the delimiter is one that the area's prefix cuts in two.
            prop_assert!(!leads || wanted.delimiter.len() > 1);
            return Ok(());
        }
        prop_assert!(leads);
        let opened: BTreeSet<String> = bucket
            .iter()
            .filter_map(|key| key.strip_prefix(mount))
            .filter(|key| !key.is_empty() && key.starts_with(prefix))
            .map(str::to_owned)
            .collect();
        let expected = entries(&opened, &wanted.prefix, wanted.delimiter, &wanted.start);
        let (mut found, mut next) = (Vec::new(), String::new());
        loop {
            let (entries, more) = page(&bucket, &wanted, &area, &next);
            prop_assert!(entries.len() <= wanted.most);
            found.extend(entries);
            match more {
                Some(more) => next = more,
                None => break,
            }
            prop_assert!(found.len() <= expected.len(), "{:?} {:?}", found, expected);
        }
        prop_assert_eq!(found, expected);
    }
}
