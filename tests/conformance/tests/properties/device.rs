//! A device for properties: arbitrary requests, put on the wire in any spelling, signed by a
//! canonicaliser that shares no code with the verifier's.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use conformance::mac::Version;
use oss_s3::addressing::{
    AclRule, ArchiveClass, HostStyle, Hosts, OriginAddressing, OriginBucket, UnsignedHeaders, VirtualBucket,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use request_auth::{
    Claim, Coverage, Delivery, Denial, KeyMaterial, RequestHead, Rules, Scheme, SecretKey, UnixSeconds,
    Window,
};

use crate::text::{EXPIRES, SCOPE, TIMESTAMP};

pub const NOW: UnixSeconds = UnixSeconds(1_714_566_896);
pub const KEY_ID: &str = "LTAI5tDevice";

/// Names that V1 signs, some of them each other's prefix.
pub const SIGNED: [&str; 9] = [
    "acl",
    "uploads",
    "uploadId",
    "partNumber",
    "style",
    "styleName",
    "x-oss-a",
    "x-oss-",
    "versionId",
];
/// Names that it does not sign, however alike.
const UNSIGNED: [&str; 6] = ["prefix", "max-keys", "Acl", "uploadsx", "x-os-a", "encoding-type"];

/// How the bucket is named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    Path,
    VirtualHost,
    Cname,
    Unsigned,
}

/// Where the signature stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    Header,
    OssDate,
    BothDates,
    Query,
}

/// A request as its sender means it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    pub version: Version,
    pub method: String,
    pub style: Style,
    /// The name that is signed; `style` decides whether one is.
    pub bucket: &'static str,
    pub key: Vec<u8>,
    pub signed: BTreeMap<String, Vec<u8>>,
    pub unsigned: BTreeMap<String, Vec<u8>>,
    pub content_type: Option<Vec<u8>>,
    pub content_md5: Option<Vec<u8>>,
    /// `x-oss-*`, without blanks around the values.
    pub headers: BTreeMap<String, Vec<u8>>,
    /// The additional headers of V2 and V4; V1 sends them unsigned.
    pub additional: BTreeMap<String, Vec<u8>>,
    pub placement: Placement,
    pub secret: String,
    /// Decides how bytes are spelt in the target.
    pub spelling: u64,
}

/// Two buckets, one of them with another name, on hosts of every style.
pub static HOSTS: LazyLock<Hosts> = LazyLock::new(|| {
    let bucket = |name: &str, aliases: &[&str]| VirtualBucket {
        name: name.into(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        acl: AclRule::Private,
        archive: ArchiveClass::Glacier,
        unsigned_headers: UnsignedHeaders::Store,
        max_tags: 10,
        max_metadata_bytes: 2048,
        max_unsized_bytes: 1 << 30,
        kms_keys: Vec::new(),
        created: UnixSeconds(0),
        staging: None,
        origin: OriginBucket {
            bucket: format!("origin-{name}"),
            region: "eu-west-1".into(),
            scheme: "https".into(),
            authority: "s3.eu-west-1.amazonaws.com".into(),
            addressing: OriginAddressing::Path,
        },
    };
    let cname = |unsigned_bucket| HostStyle::Cname {
        bucket: "devices".into(),
        unsigned_bucket,
    };
    let mut hosts = Hosts::new(vec![bucket("devices", &["d111111abcdef8"]), bucket("other", &[])]);
    assert!(hosts.add("edge.test", vec![HostStyle::Path, HostStyle::VirtualHost]));
    assert!(hosts.add("up.test", vec![cname(false)]));
    assert!(hosts.add("free.test", vec![cname(true)]));
    hosts
});

/// Bytes of a key or value: often the marks between the parts of a canonical form.
pub fn text(length: core::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9._~-]{1,4}".prop_map(String::into_bytes),
        2 => select(vec!["?", "&", "=", "/", "//", "+", " ", "%", "%2F", "..", "\\", "#", ";", ":"])
            .prop_map(|mark| mark.as_bytes().to_vec()),
        1 => select(SIGNED.to_vec()).prop_map(|name| name.as_bytes().to_vec()),
        1 => (select(vec!["?", "&"]), select(SIGNED.to_vec()), select(vec!["", "=", "=1", "&"]))
            .prop_map(|(mark, name, rest)| [mark, name, rest].concat().into_bytes()),
        1 => select(vec!["中文", "😀", "é"]).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>().prop_filter("line breaks are refused", |b| !b"\r\n".contains(b)), 1..3),
    ];
    vec(piece, length).prop_map(|pieces| pieces.concat())
}

/// A header value: any bytes but CR, LF and NUL, without blanks around.
pub fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("not in headers", |b| !b"\r\n\0".contains(b));
    vec(byte, 0..12).prop_map(|bytes| trim(&bytes))
}

pub fn trim(bytes: &[u8]) -> Vec<u8> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = bytes.iter().position(|b| !blank(b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|b| !blank(b)).map_or(start, |at| at + 1);
    bytes[start..end].to_vec()
}

pub fn device() -> impl Strategy<Value = Device> {
    let parameters = |names: &'static [&'static str]| {
        btree_map(
            select(names).prop_map(str::to_owned),
            prop_oneof![Just(Vec::new()), text(1..4)],
            0..4,
        )
    };
    let name = "[a-z0-9!#$%&'*+.^_`|~-]{0,6}"
        .prop_map(|tail| format!("x-oss-{tail}"))
        .prop_filter("these have a meaning of their own", |name| {
            !["x-oss-date", "x-oss-security-token"].contains(&name.as_str())
        });
    let target = (
        select(vec!["GET", "HEAD", "PUT", "POST", "DELETE"]),
        select(vec![
            Style::Path,
            Style::VirtualHost,
            Style::Cname,
            Style::Unsigned,
        ]),
        select(vec!["devices", "d111111abcdef8"]),
        text(0..6),
        parameters(&SIGNED),
        parameters(&UNSIGNED),
    );
    let rest = (
        proptest::option::of(header_value()),
        proptest::option::of(header_value()),
        btree_map(name, header_value(), 0..4),
        select(vec![
            Placement::Header,
            Placement::OssDate,
            Placement::BothDates,
            Placement::Query,
        ]),
        "[!-~]{16,40}",
        any::<u64>(),
        select(Version::ALL.to_vec()),
        additional_headers(),
    );
    (target, rest).prop_map(|(target, rest)| {
        let (method, style, bucket, key, signed, unsigned) = target;
        let (content_type, content_md5, headers, placement, secret, spelling, version, additional) = rest;
        Device {
            version,
            method: method.to_owned(),
            style,
            bucket,
            key,
            signed,
            unsigned,
            content_type,
            content_md5,
            headers,
            additional,
            placement,
            secret,
            spelling,
        }
    })
}

/// What V2 and V4 sign on request; none of them is read from a request that did not sign it.
pub fn additional_headers() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let names = select(vec!["zeta", "alpha", "te", "content-range"]).prop_map(str::to_owned);
    btree_map(names, header_value(), 0..3)
}

/// The same with V1 alone.
pub fn verifying_v1() -> impl Strategy<Value = Device> {
    let v1 = device().prop_map(|device| Device {
        version: Version::V1,
        ..device
    });
    v1.prop_filter("ambiguous", |device| {
        verify(&device.wire(), &device.secret, Delivery::Lines).is_ok()
    })
}

/// A device whose request verifies: one that is not ambiguous.
pub fn verifying() -> impl Strategy<Value = Device> {
    device().prop_filter("ambiguous", |device| {
        verify(&device.wire(), &device.secret, Delivery::Lines).is_ok()
    })
}

/// A request on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wire {
    pub method: String,
    pub target: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
}

/// What a signature covers of a request, as the gateway says after verifying it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Covered {
    pub method: String,
    pub bucket: String,
    pub key: Vec<u8>,
    pub parameters: BTreeMap<Vec<u8>, Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Device {
    /// The parameters of a presigned URL, but for the signature.
    pub fn own(&self) -> Vec<(String, Vec<u8>)> {
        if self.placement != Placement::Query {
            return Vec::new();
        }
        let credential = format!("{KEY_ID}/{SCOPE}");
        let mut own = match self.version {
            Version::V1 => vec![("OSSAccessKeyId", KEY_ID), ("Expires", EXPIRES)],
            Version::V2 => vec![
                ("x-oss-signature-version", "OSS2"),
                ("x-oss-access-key-id", KEY_ID),
                ("x-oss-expires", EXPIRES),
            ],
            Version::V4 => vec![
                ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
                ("x-oss-credential", &credential),
                ("x-oss-date", TIMESTAMP),
                ("x-oss-expires", "600"),
            ],
        };
        let list = self.list();
        if !list.is_empty() {
            own.push(("x-oss-additional-headers", &list));
        }
        let own = own.into_iter();
        own.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    /// The additional headers as they are listed: in no order, and with what is signed anyway.
    fn list(&self) -> String {
        if self.version == Version::V1 || self.additional.is_empty() {
            return String::new();
        }
        let names: Vec<&str> = self.additional.keys().rev().map(String::as_str).collect();
        names.join(";")
    }

    /// The value of the Authorization header.
    fn authorization(&self, signature: &str) -> String {
        let list = self.list();
        let field = |mark: &str| match list.as_str() {
            "" => String::new(),
            names => format!("AdditionalHeaders{mark}{names},"),
        };
        match self.version {
            Version::V1 => format!("OSS {KEY_ID}:{signature}"),
            Version::V2 => format!("OSS2 AccessKeyId:{KEY_ID},{}Signature:{signature}", field(":")),
            Version::V4 => format!(
                "OSS4-HMAC-SHA256 Credential={KEY_ID}/{SCOPE}, {} Signature={signature}",
                field("=")
            )
            .replace(",  ", ", "),
        }
    }

    pub fn signature(&self) -> String {
        self.version
            .scheme()
            .sign(&self.secret, &self.string_to_sign())
            .unwrap()
    }

    /// The request with its signature, spelt as `spelling` decides.
    pub fn wire(&self) -> Wire {
        self.wire_with(&self.signature())
    }

    /// The request with a signature, perhaps another one's.
    pub fn wire_with(&self, signature: &str) -> Wire {
        let mut pen = Pen(self.spelling);
        let host = match self.style {
            Style::Path => "edge.test".to_owned(),
            Style::VirtualHost => format!("{}.Edge.test:8080", self.bucket),
            Style::Cname => "up.test".to_owned(),
            Style::Unsigned => "free.test".to_owned(),
        };
        let mut target = b"/".to_vec();
        if self.style == Style::Path {
            target.extend([self.bucket.as_bytes(), b"/"].concat());
        }
        pen.spell(&self.key, b"/:@!$&'()*,;=+", false, &mut target);
        let mut pieces: Vec<(Vec<u8>, Vec<u8>)> = self
            .signed
            .iter()
            .chain(&self.unsigned)
            .map(|(name, value)| (name.clone().into_bytes(), value.clone()))
            .collect();
        let mut headers = vec![("Host".to_owned(), host.into_bytes())];
        pieces.extend(
            self.own()
                .into_iter()
                .map(|(name, value)| (name.into_bytes(), value)),
        );
        if self.placement == Placement::Query {
            pieces.push((
                self.version.scheme().signature_parameter().into(),
                signature.into(),
            ));
        } else {
            headers.push(("Authorization".into(), self.authorization(signature).into()));
        }
        if pen.flip() {
            pieces.reverse();
        }
        for (index, (name, value)) in pieces.iter().enumerate() {
            target.push(if index == 0 { b'?' } else { b'&' });
            pen.spell(name, b"-", true, &mut target);
            // Java SDK 1 signs `k=` where it sends `k=`; both spellings are tried.
            if !value.is_empty() || pen.flip() {
                target.push(b'=');
                pen.spell(value, b"/:@!$'()*,;=", true, &mut target);
            }
        }
        for (name, value) in self.dates() {
            if name == "date" {
                headers.push(("Date".into(), value.into()));
            }
        }
        for (name, value) in &self.additional {
            headers.push((name.clone(), value.clone()));
        }
        for (name, value) in [
            ("Content-Type", &self.content_type),
            ("Content-MD5", &self.content_md5),
        ] {
            headers.extend(value.clone().map(|value| (name.to_owned(), value)));
        }
        for (name, value) in self.oss_headers() {
            let padded = if pen.flip() {
                [b" ", value.as_slice(), b"\t "].concat()
            } else {
                value
            };
            let name = if pen.flip() {
                name.to_ascii_uppercase()
            } else {
                name
            };
            headers.push((name, padded));
        }
        if pen.flip() {
            headers.reverse();
        }
        Wire {
            method: self.method.clone(),
            target,
            headers,
        }
    }

    /// What has to come out of verifying.
    pub fn covered(&self) -> Covered {
        let mut headers = self.lines();
        for (name, value) in [
            ("content-type", &self.content_type),
            ("content-md5", &self.content_md5),
        ] {
            if let Some(value) = value.clone().filter(|value| !value.is_empty()) {
                headers.insert(name.into(), value);
            }
        }
        let mut parameters = self.signed.clone();
        if self.version != Version::V1 {
            parameters.extend(self.unsigned.clone());
        }
        Covered {
            method: self.method.clone(),
            bucket: "devices".into(),
            key: self.key.clone(),
            parameters: parameters
                .into_iter()
                .map(|(name, value)| (name.into_bytes(), value))
                .collect(),
            headers: headers.into_iter().collect(),
        }
    }
}

/// Verifies as a gateway does that knows the one key.
pub fn verify(wire: &Wire, secret: &str, delivery: Delivery) -> Result<Covered, Denial> {
    let lines = wire
        .headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_slice()));
    let head = RequestHead::new(&wire.method, &wire.target, lines, delivery)?;
    let claim = Claim::of(&head)?;
    if claim.key_id() != KEY_ID {
        return Err(Denial::UnknownKey);
    }
    let secret = SecretKey::new(secret.to_owned()).unwrap();
    let key = KeyMaterial {
        key_id: KEY_ID,
        secrets: vec![&secret],
        public_key: None,
        security_token: None,
        schemes: &Scheme::ALL,
    };
    let rules = Rules::new(Window {
        skew_seconds: 900,
        presigned_max_seconds: None,
    });
    let resources = HOSTS.resources(head.host(), head.path());
    let verified = claim.verify(&head, &key, resources, &rules, NOW)?;
    Ok(Covered {
        method: verified.method().to_owned(),
        bucket: verified.bucket().name.clone(),
        key: verified.key().to_vec(),
        parameters: verified
            .parameters()
            .iter()
            .filter(|parameter| parameter.coverage == Coverage::Signed)
            .map(|parameter| (parameter.name.clone(), parameter.value.clone()))
            .collect(),
        headers: verified
            .signed_headers()
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect(),
    })
}

/// Spells bytes in a target: raw where they may stand raw and a bit of `0` says so, else escaped with
/// digits of either case.
struct Pen(u64);

impl Pen {
    fn flip(&mut self) -> bool {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 63 == 1
    }

    fn spell(&mut self, bytes: &[u8], raw: &[u8], is_query: bool, out: &mut Vec<u8>) {
        for &byte in bytes {
            let may_be_raw = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || raw.contains(&byte);
            if is_query && byte == b' ' && self.flip() {
                out.push(b'+');
            } else if may_be_raw && self.flip() {
                out.push(byte);
            } else if self.flip() {
                out.extend(format!("%{byte:02X}").bytes());
            } else {
                out.extend(format!("%{byte:02x}").bytes());
            }
        }
    }
}
