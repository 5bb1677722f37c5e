//! Attack cases O01 and O03: two requests that the gateway would treat differently never share a
//! string to sign. If they did, the signature of one would carry the other.
//!
//! Two searches. The adversary takes a verified request's string to sign apart at every mark that a
//! canonical form has and puts the pieces where they do not belong. The enumeration makes every
//! small request out of such marks, and compares those that share a string.

use std::collections::{BTreeMap, BTreeSet};

use conformance::mac::Version;
use proptest::prelude::*;
use request_auth::{Claim, Delivery, Denial, RequestHead};

use crate::config;
use crate::device::{Covered, Device, HOSTS, KEY_ID, Placement, SIGNED, Wire, verify, verifying_v1};
use crate::text::{DATE, EXPIRES};

const SECRET: &str = "secret-of-16-bytes";

/// The parts of a request whose string to sign is `method \n\n\n slot \n resource`.
#[derive(Clone, Debug)]
struct Parts<'p> {
    host: String,
    path: Vec<u8>,
    query: Query,
    /// Content-MD5, Content-Type, `x-oss-*`.
    headers: Vec<(String, Vec<u8>)>,
    /// The text in the DATE slot.
    slot: &'p [u8],
}

impl Parts<'_> {
    fn presigned(&self, method: &str, signature: &str) -> Wire {
        let mut query = self.query.clone();
        for (name, value) in [
            (b"OSSAccessKeyId".as_slice(), KEY_ID.as_bytes()),
            (b"Expires", self.slot),
            (b"Signature", signature.as_bytes()),
        ] {
            query.push((name.to_vec(), Some(value.to_vec())));
        }
        self.wire(method, &query, None)
    }

    fn header(&self, method: &str, date: &'static str, signature: &str) -> Wire {
        self.wire(method, &self.query, Some((date, signature)))
    }

    fn wire(&self, method: &str, query: &[(Vec<u8>, Option<Vec<u8>>)], signed: Option<(&str, &str)>) -> Wire {
        let mut target = escaped(&self.path).replace("%2F", "/");
        for (index, (name, value)) in query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(&escaped(name));
            if let Some(value) = value {
                target.push('=');
                target.push_str(&escaped(value));
            }
        }
        let mut headers = vec![("host".to_owned(), self.host.clone().into_bytes())];
        headers.extend(self.headers.clone());
        if let Some((date, signature)) = signed {
            headers.push((date.to_owned(), self.slot.to_vec()));
            let authorization = format!("OSS {KEY_ID}:{signature}");
            headers.push(("authorization".to_owned(), authorization.into_bytes()));
        }
        Wire {
            method: method.to_owned(),
            target: target.into_bytes(),
            headers,
        }
    }
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// Every host and path whose candidates might have the resource text `text`.
fn places(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for host in ["edge.test", "free.test", "up.test"] {
        found.push((host.to_owned(), text.to_vec()));
    }
    let mut segments = text[1..].splitn(2, |&byte| byte == b'/');
    let (bucket, key) = (
        segments.next().unwrap_or_default(),
        segments.next().unwrap_or_default(),
    );
    let key = [b"/", key].concat();
    for host in ["up.test".to_owned(), "free.test".to_owned()] {
        found.push((host, key.clone()));
    }
    let label = String::from_utf8_lossy(bucket);
    found.push((format!("{label}.edge.test"), key));
    found
}

/// One way to read a text behind `?` as parameters.
type Query = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// The ways to read it: cut at every `&`, at none, and where a signed name follows.
fn queries(text: &[u8]) -> Vec<Query> {
    let name = |piece: &[u8]| {
        piece
            .split(|&byte| byte == b'=')
            .next()
            .unwrap_or_default()
            .to_vec()
    };
    let is_signed = |piece: &[u8]| SIGNED.iter().any(|known| known.as_bytes() == name(piece));
    let joined = |keep: &dyn Fn(&[u8]) -> bool| {
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        for piece in text.split(|&byte| byte == b'&') {
            match pieces.last_mut() {
                Some(last) if !keep(piece) => last.extend([b"&", piece].concat()),
                _ => pieces.push(piece.to_vec()),
            }
        }
        pieces
            .into_iter()
            .map(|piece| match piece.iter().position(|&byte| byte == b'=') {
                Some(at) => (piece[..at].to_vec(), Some(piece[at + 1..].to_vec())),
                None => (piece, None),
            })
            .collect::<Query>()
    };
    let ways = BTreeSet::from([joined(&|_| true), joined(&|_| false), joined(&is_signed)]);
    ways.into_iter().collect()
}

/// Every request that an adversary might make of `device`'s signature.
fn forgeries(device: &Device) -> Vec<Wire> {
    let resource = device.resource();
    let signature = device.signature();
    let honest = device.covered().headers;
    let (dates, others): (Vec<_>, Vec<_>) = honest.into_iter().partition(|(name, _)| name == "x-oss-date");
    let oss: Vec<u8> = others
        .iter()
        .filter(|(name, _)| name.starts_with("x-oss-"))
        .flat_map(|(name, value)| [b"\n", name.as_bytes(), b":", value].concat())
        .collect();
    let slot: &[u8] = if device.placement == Placement::Query {
        EXPIRES.as_bytes()
    } else {
        DATE.as_bytes()
    };
    // The x-oss- lines hidden in the slot, which an Expires parameter could carry.
    let swallowed = [slot, &oss].concat();
    let plain: Vec<_> = others
        .iter()
        .filter(|(name, _)| !name.starts_with("x-oss-"))
        .cloned()
        .collect();

    let mut found = Vec::new();
    let cuts = resource
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'?')
        .map(|(at, _)| at);
    for cut in cuts.chain([resource.len()]) {
        let (text, rest) = resource.split_at(cut);
        let readings = if rest.is_empty() {
            vec![Vec::new()]
        } else {
            queries(&rest[1..])
        };
        let places = places(text);
        for ((host, path), query) in places
            .iter()
            .flat_map(|place| readings.iter().map(move |query| (place, query)))
        {
            let parts = Parts {
                host: host.clone(),
                path: path.clone(),
                query: query.clone(),
                headers: others.clone(),
                slot,
            };
            let dated = Parts {
                headers: [others.clone(), dates.clone()].concat(),
                ..parts.clone()
            };
            let hidden = Parts {
                headers: plain.clone(),
                slot: &swallowed,
                ..parts.clone()
            };
            // A flag as a value and a value as a flag.
            let mut turned = parts.clone();
            for (_, value) in &mut turned.query {
                *value = match value.take() {
                    Some(value) if value.is_empty() => None,
                    Some(value) => Some(value),
                    None => Some(Vec::new()),
                };
            }
            found.extend([
                parts.header(&device.method, "date", &signature),
                parts.header(&device.method, "x-oss-date", &signature),
                parts.presigned(&device.method, &signature),
                dated.header(&device.method, "date", &signature),
                dated.presigned(&device.method, &signature),
                hidden.presigned(&device.method, &signature),
                turned.header(&device.method, "date", &signature),
            ]);
        }
    }
    found
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn o01_o03_no_rearrangement_of_a_signed_text_is_another_request(device in verifying_v1()) {
        let honest = verify(&device.wire(), &device.secret, Delivery::Lines);
        let mut accepted = 0;
        for forgery in forgeries(&device) {
            if let Ok(covered) = verify(&forgery, &device.secret, Delivery::Lines) {
                accepted += 1;
                prop_assert_eq!(&covered, honest.as_ref().unwrap(), "{:?}", forgery);
            }
        }
        // The honest reading is among them, so that the search is known to reach verified requests.
        prop_assert!(accepted > 0);
    }
}

/// The strings to sign of a request that is refused for nothing but its signature.
fn strings_to_sign(wire: &Wire) -> Vec<Vec<u8>> {
    if verify(wire, SECRET, Delivery::Lines) != Err(Denial::SignatureMismatch) {
        return Vec::new();
    }
    let lines = wire
        .headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_slice()));
    let head = RequestHead::new(&wire.method, &wire.target, lines, Delivery::Lines).unwrap();
    let resources = HOSTS.resources(head.host(), head.path());
    Claim::of(&head).unwrap().strings_to_sign(&head, &resources)
}

/// Every text of at most `most` tokens.
fn texts(tokens: &[&str], most: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..most {
        last = last
            .iter()
            .flat_map(|text| tokens.iter().map(move |token| format!("{text}{token}")))
            .collect();
        all.extend(last.clone());
    }
    all.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn o01_o03_every_small_request_has_a_string_to_sign_of_its_own() {
    let values = [
        ("acl", None),
        ("acl", Some("")),
        ("acl", Some("1")),
        ("acl", Some("1&uploads")),
        ("acl", Some("1?uploads")),
        ("acl", Some("&x-oss-a=1")),
        ("uploads", None),
        ("x-oss-a", Some("=1")),
        ("x-oss-a", Some("1")),
        ("x-oss-a=1&acl", None),
        ("x-oss-a?acl", None),
        ("x-oss-a\n/k", None),
        ("prefix", Some("&acl")),
    ];
    let piece = |(name, value): (&str, Option<&str>)| {
        (
            name.as_bytes().to_vec(),
            value.map(|value| value.as_bytes().to_vec()),
        )
    };
    let mut queries: Vec<Vec<_>> = vec![Vec::new()];
    for (index, one) in values.iter().enumerate() {
        queries.push(vec![piece(*one)]);
        queries.extend(
            values[..index]
                .iter()
                .map(|other| vec![piece(*other), piece(*one)]),
        );
    }
    let paths = texts(&["k", "/", "?", "&", "=1", "acl", "devices"], 3);
    let mut by_text: BTreeMap<Vec<u8>, BTreeSet<Covered>> = BTreeMap::new();
    let (mut tried, mut shared) = (0_u32, 0_u32);
    for host in ["edge.test", "devices.edge.test", "up.test", "free.test"] {
        for path in &paths {
            let prefix = if host == "edge.test" { "/devices/" } else { "/" };
            for query in &queries {
                let parts = Parts {
                    host: host.to_owned(),
                    path: format!("{prefix}{path}").into_bytes(),
                    query: query.clone(),
                    headers: Vec::new(),
                    slot: DATE.as_bytes(),
                };
                tried += 1;
                for text in strings_to_sign(&parts.header("PUT", "date", "AAAA")) {
                    let wire =
                        parts.header("PUT", "date", &Version::V1.scheme().sign(SECRET, &text).unwrap());
                    let covered = verify(&wire, SECRET, Delivery::Lines).unwrap();
                    let of_text = by_text.entry(text.clone()).or_default();
                    shared += u32::from(of_text.contains(&covered));
                    of_text.insert(covered);
                    assert_eq!(of_text.len(), 1, "{}: {of_text:?}", text.escape_ascii());
                }
            }
        }
    }
    // Many requests are the same one in another spelling; were there none, nothing was compared.
    assert!(
        tried > 100_000 && shared > 10_000,
        "{tried} tried, {shared} shared"
    );
}
