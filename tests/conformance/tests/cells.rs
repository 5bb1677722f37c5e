//! Attack case D03: every cell of method, operation, payload and place of the signature is guarded by it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

use conformance::upload::{seals, told};
use gateway::authorizer;
use gateway::config::Config;
use gateway::keys::KeyRecord;
use oss_s3::error::Refusal;
use oss_s3::upload::Owner;
use request_auth::{Delivery, RequestHead, SecretKey, UnixSeconds, aws_v4};

const CONFIG: &str = r#"{"buckets": [{"name": "devices", "origin":
    {"bucket": "acme", "region": "eu-west-1", "endpoint": "https://s3.example"}}],
    "hosts": [{"host": "edge.test", "styles": ["path"]}]}"#;
const RECORD: &str = r#"{"id": "AK", "secrets": [{"secret": "0123456789abcdef"}], "schemes": ["s3-v4"],
    "grants": [{"bucket": "devices",
        "operations": ["upload-only", "ListParts", "GetObject", "HeadObject"]}]}"#;
const NOW: UnixSeconds = UnixSeconds(1_714_566_896);
const TIMESTAMP: &str = "20240501T123456Z";

const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"];
/// Queries that make every operation there is with some method, and some that make none; `TOLD` is an upload id that the
/// client was told.
const QUERIES: [&str; 7] = [
    "",
    "uploads=",
    "partNumber=1&uploadId=TOLD",
    "uploadId=TOLD",
    "acl=",
    "delete=",
    "x-id=PutObject",
];
const PAYLOADS: [&str; 7] = [
    "UNSIGNED-PAYLOAD",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
    "nonsense",
];

/// Where the signature stands, and with it what says how the body is bound.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    Header,
    Query,
    QueryWithHash,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Signature {
    Right,
    OfAnotherSecret,
    Zeros,
}

struct Cell {
    method: &'static str,
    query: &'static str,
    payload: &'static str,
    place: Place,
}

impl Cell {
    fn send(&self, signature: Signature) -> Result<(), Refusal> {
        let secret = match signature {
            Signature::OfAnotherSecret => "0123456789abcdeF",
            _ => "0123456789abcdef",
        };
        let secret = SecretKey::new(secret.to_owned()).unwrap();
        let framed = self.payload.starts_with("STREAMING-");
        let mut lines = vec![("host", "edge.test".to_owned())];
        let mut names = vec!["host"];
        if self.place != Place::QueryWithHash {
            lines.push(("x-amz-content-sha256", self.payload.to_owned()));
            names.push("x-amz-content-sha256");
        }
        if self.place == Place::Header {
            lines.push(("x-amz-date", TIMESTAMP.to_owned()));
            names.push("x-amz-date");
        }
        if framed {
            lines.push(("x-amz-decoded-content-length", "5".to_owned()));
            names.push("x-amz-decoded-content-length");
        }
        let names = names.join(";");
        let owner = Owner {
            bucket: "devices",
            key: "k",
            key_id: "AK",
        };
        let query = self.query.replace("TOLD", &told(owner, "u"));
        let mut target = format!("/devices/k?{query}");
        if self.place == Place::Header {
            let mut value =
                aws_v4::sign_header(&head(self.method, &target, &lines), "AK", &secret, "r", &names).unwrap();
            if signature == Signature::Zeros {
                let digits = value.len() - 64;
                value.replace_range(digits.., &"0".repeat(64));
            }
            lines.push(("authorization", value));
        } else {
            target.push_str(
                "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20240501%2Fr%2Fs3%2Faws4_request",
            );
            target.push_str(&format!("&X-Amz-Date={TIMESTAMP}&X-Amz-Expires=600"));
            target.push_str(&format!("&X-Amz-SignedHeaders={}", names.replace(';', "%3B")));
            if self.place == Place::QueryWithHash {
                target.push_str(&format!("&X-Amz-Content-Sha256={}", self.payload));
            }
            let right = aws_v4::sign_query(&head(self.method, &target, &lines), &secret).unwrap();
            let text = match signature {
                Signature::Zeros => "0".repeat(64),
                _ => right,
            };
            target.push_str(&format!("&X-Amz-Signature={text}"));
        }
        let config = Config::from_json(CONFIG).unwrap();
        let record = KeyRecord::from_json("AK", RECORD).unwrap();
        let head = head(self.method, &target, &lines);
        let claim = authorizer::claim(&config, &head)?;
        let authorized = authorizer::authorize(&config, &head, &claim, &record, NOW)?;
        authorized.errand(&seals()).map(drop)
    }
}

fn head<'a>(method: &'a str, target: &str, lines: &'a [(&str, String)]) -> RequestHead<'a> {
    let lines = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    RequestHead::new(method, target.as_bytes(), lines, Delivery::Lines).unwrap()
}

#[test]
fn d03_a_bad_signature_is_403_in_every_cell() {
    let mut verified = 0;
    for method in METHODS {
        for query in QUERIES {
            for payload in PAYLOADS {
                for place in [Place::Header, Place::Query, Place::QueryWithHash] {
                    let cell = Cell {
                        method,
                        query,
                        payload,
                        place,
                    };
                    for signature in [Signature::OfAnotherSecret, Signature::Zeros] {
                        let refusal = cell.send(signature).unwrap_err();
                        let refused = (refusal.status(), refusal.code());
                        assert_eq!(
                            refused,
                            (403, "SignatureDoesNotMatch"),
                            "{method} {query} {payload} {place:?} {signature:?}"
                        );
                    }
                    // The same cell with its signature gets past it: what is refused then is something else.
                    match cell.send(Signature::Right) {
                        Ok(()) => verified += 1,
                        Err(refusal) => assert_ne!(
                            refusal.code(),
                            "SignatureDoesNotMatch",
                            "{method} {query} {payload} {place:?}"
                        ),
                    }
                }
            }
        }
    }
    assert!(verified >= 40, "{verified}");
}
