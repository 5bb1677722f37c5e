//! The properties of S3 V4: an S3 client, written from the vendor's text and not from the verifier.

use std::collections::BTreeMap;

use conformance::mac::{Scheme, s3_string_to_sign};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use request_auth::Delivery;

use crate::config;
use crate::device::{KEY_ID, Wire, verify};

const SECRET: &str = "secret-of-16-bytes";
const TIMESTAMP: &str = "20240501T123456Z";
const SCOPE: &str = "20240501/us-east-1/s3/aws4_request";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What a client asks for, and how it writes it.
#[derive(Clone, Debug)]
struct Client {
    method: &'static str,
    /// The key's segments: between them stands a `/`.
    segments: Vec<Vec<u8>>,
    parameters: BTreeMap<Vec<u8>, Vec<u8>>,
    headers: BTreeMap<String, String>,
    payload: String,
    is_presigned: bool,
    /// Whether the path is sent, and signed, with only what has to be escaped.
    is_raw: bool,
}

fn segment() -> impl Strategy<Value = Vec<u8>> {
    vec(
        prop_oneof![select(b"ab/?&=+% ~!*'();:@$,.".to_vec()), any::<u8>()],
        0..6,
    )
}

fn client() -> impl Strategy<Value = Client> {
    let name = prop_oneof![
        Just(b"uploadId".to_vec()),
        Just(b"partNumber".to_vec()),
        Just(b"acl".to_vec()),
        vec(select(b"abAB-+ &=%".to_vec()), 1..5),
    ];
    let headers = btree_map("x-amz-meta-[a-c]{1,2}", "[ a-c\t,]{0,8}", 0..3);
    let payload = prop_oneof![
        Just(UNSIGNED.to_owned()),
        Just("STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned()),
        "[0-9a-f]{64}",
    ];
    (
        select(vec!["GET", "PUT", "POST", "DELETE", "HEAD"]),
        vec(segment(), 1..4),
        btree_map(name, segment(), 0..4),
        headers,
        payload,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(method, segments, parameters, headers, payload, is_presigned, is_raw)| Client {
                method,
                segments,
                parameters,
                headers,
                payload,
                is_presigned,
                is_raw,
            },
        )
}

fn escaped(bytes: &[u8], raw: &[u8]) -> String {
    let one = |&byte: &u8| match byte {
        _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || raw.contains(&byte) => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(one).collect()
}

impl Client {
    fn path(&self) -> String {
        let raw: &[u8] = if self.is_raw { b"!*'()=@+" } else { b"" };
        let segments: Vec<String> = self.segments.iter().map(|one| escaped(one, raw)).collect();
        ["/devices/", &segments.join("/")].concat()
    }

    fn key(&self) -> Vec<u8> {
        self.segments.join(b"/".as_slice())
    }

    /// The payload that is in the text: a presigned URL says none.
    fn payload(&self) -> &str {
        if self.is_presigned {
            UNSIGNED
        } else {
            &self.payload
        }
    }

    fn signed_headers(&self) -> BTreeMap<String, String> {
        let mut headers = self.headers.clone();
        headers.insert("host".into(), "edge.test".into());
        if !self.is_presigned {
            headers.insert("x-amz-date".into(), TIMESTAMP.into());
            headers.insert("x-amz-content-sha256".into(), self.payload.clone());
        }
        headers
    }

    fn names(&self) -> String {
        let headers = self.signed_headers();
        headers.keys().cloned().collect::<Vec<_>>().join(";")
    }

    fn query(&self) -> Vec<String> {
        let mut parameters = self.parameters.clone();
        if self.is_presigned {
            for (name, value) in [
                ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
                ("X-Amz-Credential", &format!("{KEY_ID}/{SCOPE}")),
                ("X-Amz-Date", TIMESTAMP),
                ("X-Amz-Expires", "600"),
                ("X-Amz-SignedHeaders", &self.names()),
            ] {
                parameters.insert(name.into(), value.into());
            }
        }
        let mut pieces: Vec<(String, String)> = parameters
            .iter()
            .map(|(name, value)| (escaped(name, b""), escaped(value, b"")))
            .collect();
        pieces.sort();
        pieces
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    /// The canonical request.
    fn text(&self) -> String {
        let lines: String = self
            .signed_headers()
            .iter()
            .map(|(name, value)| {
                let words: Vec<&str> = value.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
                format!("{name}:{}\n", words.join(" "))
            })
            .collect();
        let (method, path, query) = (self.method, self.path(), self.query().join("&"));
        let (names, payload) = (self.names(), self.payload());
        format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}")
    }

    fn wire(&self) -> Wire {
        self.signed_with(&self.text())
    }

    fn signed_with(&self, text: &str) -> Wire {
        let signature = Scheme::S3V4
            .sign(SECRET, &s3_string_to_sign(text.as_bytes(), TIMESTAMP, SCOPE))
            .unwrap();
        let mut query = self.query();
        let mut headers: Vec<(String, Vec<u8>)> = self
            .signed_headers()
            .into_iter()
            .map(|(name, value)| (name, value.into_bytes()))
            .collect();
        if self.is_presigned {
            query.push(format!("X-Amz-Signature={signature}"));
        } else {
            let names = self.names();
            let credential = format!(
                "AWS4-HMAC-SHA256 Credential={KEY_ID}/{SCOPE}, SignedHeaders={names}, Signature={signature}"
            );
            headers.push(("authorization".into(), credential.into_bytes()));
        }
        Wire {
            method: self.method.to_owned(),
            target: format!("{}?{}", self.path(), query.join("&")).into_bytes(),
            headers,
        }
    }

    /// What it means, apart from how it is written and where it is signed.
    fn meaning(&self) -> impl PartialEq + use<> + core::fmt::Debug {
        let headers: Vec<(String, Vec<String>)> = self
            .headers
            .iter()
            .map(|(name, value)| {
                let words = value.split([' ', '\t']).filter(|word| !word.is_empty());
                (name.clone(), words.map(str::to_owned).collect())
            })
            .collect();
        let segments: Vec<Vec<u8>> = self.segments.clone();
        (
            self.method,
            segments,
            self.parameters.clone(),
            headers,
            self.payload().to_owned(),
        )
    }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn what_an_s3_client_signs_verifies_and_comes_out_as_it_was_meant(client in client()) {
        let covered = verify(&client.wire(), SECRET, Delivery::Lines);
        let covered = covered.map_err(|denial| TestCaseError::fail(format!("{denial:?} {}", client.text())))?;
        prop_assert_eq!(&covered.method, client.method);
        prop_assert_eq!(&covered.key, &client.key());
        let parameters: BTreeMap<Vec<u8>, Vec<u8>> = covered.parameters.into_iter().collect();
        prop_assert_eq!(&parameters, &client.parameters);
        let mut headers: BTreeMap<String, Vec<u8>> = covered.headers.into_iter().collect();
        prop_assert_eq!(headers.remove("host"), Some(b"edge.test".to_vec()));
        let sent = client.headers.iter().map(|(name, value)| {
            (name.clone(), value.trim_matches([' ', '\t']).as_bytes().to_vec())
        });
        prop_assert_eq!(headers, sent.collect());
    }

    #[test]
    fn a_signature_is_good_for_no_other_meaning(client in client(), other in client()) {
        prop_assume!(client.meaning() != other.meaning());
        let wire = Client { is_presigned: client.is_presigned, ..other }.signed_with(&client.text());
        prop_assert!(verify(&wire, SECRET, Delivery::Lines).is_err());
    }

    #[test]
    fn one_byte_changed_on_the_wire_is_refused_or_says_the_same(
        client in client(), place in any::<prop::sample::Index>(), flip in 1..=255_u8
    ) {
        let wire = client.wire();
        let good = verify(&wire, SECRET, Delivery::Lines).ok();
        let mut changed = wire.clone();
        let at = place.index(changed.target.len());
        changed.target[at] ^= flip;
        if let Ok(covered) = verify(&changed, SECRET, Delivery::Lines) {
            prop_assert_eq!(Some(covered), good);
        }
    }

    #[test]
    fn a01_a_slash_and_its_escape_are_never_the_same(client in client()) {
        let path = client.path();
        let Some(at) = path.rfind("%2F") else { return Ok(()) };
        let mut other = client.wire();
        other.target.splice(at..at + 3, *b"/");
        prop_assert!(verify(&other, SECRET, Delivery::Lines).is_err());
    }
}
