//! Damage: to bytes anywhere, and to structure where damage is most telling.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use request_auth::{Delivery, RequestHead, Resource, SecretKey, UnixSeconds, aws_v4, oss_v1, oss_v2, oss_v4};

use super::{Dice, uploads};
use crate::vector::Vector;

/// A request as it reaches the gateway.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) method: String,
    pub(crate) target: Vec<u8>,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) delivery: Delivery,
    pub(crate) body: Vec<u8>,
    pub(crate) now: i64,
}

const METHODS: [&str; 13] = [
    "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE", "put", "", "PUT ", "P\u{fc}T",
    "PROPFIND",
];
const TARGET_TOKENS: [&str; 48] = [
    "%",
    "%z",
    "%00",
    "%0a",
    "%0d%0a",
    "%2F",
    "%2f..%2f",
    "%2e%2e/",
    "/../",
    "/./",
    "//",
    "\\",
    "?",
    "??",
    "&",
    "&&",
    "=",
    "==",
    "#",
    "+",
    " ",
    "\t",
    "\u{0}",
    "\u{7f}",
    "%ff%fe",
    "%C0%AE",
    "\u{e9}",
    "http://other/",
    "*",
    "acl",
    "&uploads",
    "&uploadId=U",
    "&partNumber=0",
    "&x-oss-process=a",
    "%3Facl",
    "%26acl",
    "&Signature=x",
    "&a=1&a=2",
    ".causeway/",
    "&encoding-type=url",
    "&x-oss-expires=0",
    "&x-oss-additional-headers=host",
    "&x-oss-credential=A%2F20240501%2Fr%2Foss%2Faliyun_v4_request",
    "&x-id=PutObject",
    "&x-amz-acl=public-read",
    "&x-amz-meta-b=%0D%0A",
    "&x-amz-copy-source=%2Fb%2Fk",
    "&X-Amz-Signature=0",
];
const HEADER_NAMES: [&str; 51] = [
    "host",
    "date",
    "x-oss-date",
    "authorization",
    "content-type",
    "content-md5",
    "content-length",
    "transfer-encoding",
    "expect",
    "range",
    "if-match",
    "if-none-match",
    "content-encoding",
    "cache-control",
    "expires",
    "x-oss-meta-a",
    "x-oss-meta-",
    "x-oss-meta-causeway-upload",
    "x-oss-",
    "x-oss-object-acl",
    "x-oss-storage-class",
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
    "x-oss-tagging",
    "x-oss-forbid-overwrite",
    "x-oss-complete-all",
    "x-oss-copy-source",
    "x-oss-callback",
    "x-oss-process",
    "x-oss-security-token",
    "security-token",
    "x-oss-content-sha256",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-acl",
    "x-causeway-passport",
    "connection",
    "x oss",
    "",
    "x-amz-meta-a",
    "x-amz-storage-class",
    "x-amz-tagging",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-checksum-crc32",
    "x-amz-checksum-type",
    "x-amz-trailer",
    "x-amz-decoded-content-length",
    "x-amz-object-lock-mode",
    "x-amz-security-token",
    "if-unmodified-since",
];
const HEADER_VALUES: [&str; 42] = [
    "",
    " ",
    "\u{0}",
    "\r\nx-oss-meta-b: 1",
    "a, b",
    ", ",
    "\u{fffd}",
    "\u{e4}\u{b8}\u{ad}",
    "\u{ff}",
    "=?UTF-8?B?4pyT?=",
    "=?utf-8?q?a",
    "AES256",
    "KMS",
    "SM4",
    "Standard",
    "Archive",
    "private",
    "public-read",
    "default",
    "true",
    "yes",
    "url",
    "18446744073709551616",
    "-1",
    "0",
    "Wed, 01 May 2024 12:34:56 GMT",
    "Wed, 01 May 2024 12:34:60 GMT",
    "20240501T123456Z",
    "aws-chunked",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "OSS a:b",
    "OSS :",
    "OSS2 AccessKeyId:a,AdditionalHeaders:;,Signature:b",
    "OSS4-HMAC-SHA256 Credential=a/20240501/r/oss/aliyun_v4_request, Signature=00, AdditionalHeaders=",
    "k=v&k=v",
    "/b/../k",
    "STANDARD_IA",
    "aws:kms",
    "bucket-owner-full-control",
    "x-amz-checksum-crc32",
    "AAAAAA==",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
];
/// What else V2 and V4 are told to sign; mostly nothing, because what is not there can't be.
const ADDITIONAL: [&str; 6] = ["", "", "", "host", "x-oss-date;host", "range"];
const BODY_TOKENS: [&str; 25] = [
    "<",
    ">",
    "&",
    "&#0;",
    "&#xD800;",
    "&lt;",
    "&x;",
    "]]>",
    "<![CDATA[",
    "<!--",
    "<?xml?>",
    "<!DOCTYPE a [<!ENTITY x \"y\">]>",
    "<Part>",
    "</Part>",
    "<PartNumber>1</PartNumber>",
    "<ETag>\"</ETag>",
    "<PartNumber>99999999999999999999</PartNumber>",
    "\u{0}",
    "\u{feff}",
    "\u{ff}",
    "<a xmlns:b=\"c\" d=\"e\" d=\"f\">",
    "<CompleteMultipartUpload>",
    "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>",
    "<ChecksumSHA1>",
    "<ChecksumXXHASH3/>",
];
const PART_LIST: &str = "<?xml version=\"1.0\"?><CompleteMultipartUpload><Part><PartNumber>1</PartNumber>\
    <ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag></Part></CompleteMultipartUpload>";

/// All that is staged, as the origin lists it.
const LONG_PART_LIST: &str = "<CompleteMultipartUpload>\
    <Part><PartNumber>1</PartNumber><ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag></Part>\
    <Part><PartNumber>2</PartNumber><ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag></Part>\
    <Part><PartNumber>3</PartNumber><ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag></Part></CompleteMultipartUpload>";

/// A damaged request made from a vector; in two of three cases it is then signed, by any scheme. An upload id is
/// the one that the client was told for what it names before the damage or after it, or is none that was told.
pub(crate) fn arrived(base: &Vector, dice: &mut Dice) -> Arrived {
    let mut arrived = plain(base);
    if dice.one_in(3) {
        as_operation(&mut arrived, dice);
    }
    let told = dice.below(4);
    if told == 1 {
        uploads::tell(&mut arrived, base);
    }
    arrived.delivery = if dice.one_in(2) {
        Delivery::Joined
    } else {
        Delivery::Lines
    };
    for _ in 0..dice.below(4) {
        damage(&mut arrived, dice);
    }
    if told > 1 {
        uploads::tell(&mut arrived, base);
    }
    if !dice.one_in(3) {
        sign(&mut arrived, base, dice);
        if dice.one_in(8) {
            damage(&mut arrived, dice);
        }
    }
    arrived
}

fn plain(base: &Vector) -> Arrived {
    let bytes = |text: &str| {
        text.chars()
            .map(|c| u8::try_from(c).unwrap_or(b'?'))
            .collect::<Vec<u8>>()
    };
    let request = base.request.as_ref();
    Arrived {
        method: request.map(|request| request.method.clone()).unwrap_or_default(),
        target: request.map(|request| bytes(&request.target)).unwrap_or_default(),
        headers: request
            .into_iter()
            .flat_map(|request| &request.headers)
            .map(|(name, value)| (bytes(name), bytes(value)))
            .collect(),
        delivery: Delivery::Lines,
        body: request
            .and_then(|request| STANDARD.decode(&request.body_b64).ok())
            .unwrap_or_default(),
        now: base.now_unix,
    }
}

const LIST: &str = "?prefix=a%2F&delimiter=%2F&marker=a%2Fb&max-keys=2";

const COMPLETION: (&str, &str) = ("POST", "?uploadId=U");
const BATCH: (&str, &str) = ("POST", "?delete");
const DELETIONS: &str = "<Delete><Quiet>true</Quiet><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><VersionId>v</VersionId></Object></Delete>";

/// Turns a request into one of an operation that is known, whatever it was.
fn as_operation(arrived: &mut Arrived, dice: &mut Dice) {
    const SHAPES: [(&str, &str); 17] = [
        ("PUT", ""),
        ("POST", "?uploads"),
        ("PUT", "?partNumber=7&uploadId=U"),
        // The longest conversations with the origin.
        COMPLETION,
        COMPLETION,
        COMPLETION,
        ("DELETE", "?uploadId=U"),
        ("DELETE", ""),
        ("DELETE", "?versionId=v"),
        BATCH,
        ("GET", "?uploadId=U&max-parts=3"),
        ("GET", ""),
        ("GET", "?response-content-type=a&versionId=v"),
        ("HEAD", ""),
        ("GET", LIST),
        (
            "GET",
            "?list-type=2&continuation-token=YQ&fetch-owner=true&max-keys=2&encoding-type=url",
        ),
        (
            "GET",
            "?uploads&prefix=a&delimiter=/&key-marker=a&upload-id-marker=U&max-uploads=2",
        ),
    ];
    let (method, query) = dice.choose(&SHAPES).copied().unwrap_or(("PUT", ""));
    method.clone_into(&mut arrived.method);
    arrived.target = arrived
        .target
        .split(|&byte| byte == b'?')
        .next()
        .unwrap_or_default()
        .to_vec();
    if (method, query) == BATCH || query == LIST || query.contains("max-") && !query.contains("max-parts") {
        let bucket: &[u8] = b"/examplebucket/";
        let is_in_path = arrived.target.starts_with(bucket);
        arrived.target = if is_in_path { bucket } else { b"/" }.to_vec();
    }
    arrived.target.extend_from_slice(query.as_bytes());
    let document = match (method, query) {
        COMPLETION => dice.choose(&[PART_LIST, LONG_PART_LIST]).copied(),
        BATCH => Some(DELETIONS),
        _ => None,
    };
    if let Some(document) = document {
        arrived.body = document.as_bytes().to_vec();
        arrived
            .headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-md5"));
        for _ in 0..dice.below(3) {
            if dice.one_in(3) {
                bytes(&mut arrived.body, dice);
            } else {
                token(&mut arrived.body, &BODY_TOKENS, dice);
            }
        }
        if dice.one_in(4) {
            arrived.body.clear();
            arrived
                .headers
                .push((b"x-oss-complete-all".to_vec(), b"yes".to_vec()));
        }
    }
}

fn damage(arrived: &mut Arrived, dice: &mut Dice) {
    match dice.below(12) {
        0 => {
            if let Some(method) = dice.choose(&METHODS) {
                (*method).clone_into(&mut arrived.method);
            }
        }
        1 => bytes(&mut arrived.target, dice),
        2 | 3 => token(&mut arrived.target, &TARGET_TOKENS, dice),
        4 => {
            let at = dice.below(arrived.headers.len());
            if let Some((name, value)) = arrived.headers.get_mut(at) {
                if dice.one_in(4) {
                    bytes(name, dice)
                } else {
                    bytes(value, dice)
                }
            }
        }
        5 => {
            let at = dice.below(arrived.headers.len());
            if let Some((_, value)) = arrived.headers.get_mut(at) {
                token(value, &HEADER_VALUES, dice);
            }
        }
        6 | 7 => {
            let name = dice.choose(&HEADER_NAMES).copied().unwrap_or_default();
            let value = dice.choose(&HEADER_VALUES).copied().unwrap_or_default();
            arrived
                .headers
                .push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        }
        8 => {
            let at = dice.below(arrived.headers.len());
            if at < arrived.headers.len() {
                let line = arrived.headers.remove(at);
                if dice.one_in(2) {
                    arrived.headers.extend([line.clone(), line]);
                }
            }
        }
        9 => bytes(&mut arrived.body, dice),
        10 => token(&mut arrived.body, &BODY_TOKENS, dice),
        _ => {
            let edges = [
                0,
                -1,
                i64::MIN,
                i64::MAX,
                arrived.now.saturating_add(900),
                arrived.now.saturating_sub(901),
            ];
            arrived.now = dice.choose(&edges).copied().unwrap_or_default();
        }
    }
}

/// Replaces, inserts, removes or repeats bytes.
pub(super) fn bytes(text: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(text.len());
    match dice.below(5) {
        0 => {
            let new = dice.byte();
            text.insert(at.min(text.len()), new);
        }
        1 => text.truncate(at),
        2 if at < text.len() => {
            text.remove(at);
        }
        3 if dice.one_in(16) => {
            // Long enough to meet every limit on length.
            let piece = text.get(at..).unwrap_or_default().to_vec();
            for _ in 0..dice.below(4000) {
                text.extend_from_slice(piece.get(..piece.len().min(32)).unwrap_or_default());
            }
        }
        _ => {
            let new = dice.byte();
            if let Some(byte) = text.get_mut(at) {
                *byte = new;
            }
        }
    }
}

/// Inserts a token, or puts it in place of everything.
pub(super) fn token(text: &mut Vec<u8>, tokens: &[&str], dice: &mut Dice) {
    let token = dice.choose(tokens).copied().unwrap_or_default();
    if dice.one_in(6) {
        *text = token.as_bytes().to_vec();
    } else {
        let at = dice.below(text.len().saturating_add(1));
        let tail = text.split_off(at.min(text.len()));
        text.extend_from_slice(token.as_bytes());
        text.extend_from_slice(&tail);
    }
}

/// Signs what can be read of the request as its client would have: for the vector's bucket, or for
/// whichever text stands first in the path.
fn sign(arrived: &mut Arrived, base: &Vector, dice: &mut Dice) {
    let is_credential = |name: &[u8]| name.eq_ignore_ascii_case(b"authorization");
    arrived.headers.retain(|(name, _)| !is_credential(name));
    if dice.one_in(4) {
        return sign_for_s3(arrived, base, dice);
    }
    let has_date = arrived
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case(b"date") || name.eq_ignore_ascii_case(b"x-oss-date"));
    if !has_date || dice.one_in(4) {
        let date = UnixSeconds(base.now_unix).http_date();
        arrived
            .headers
            .retain(|(name, _)| !name.to_ascii_lowercase().ends_with(b"date"));
        arrived.headers.push((b"Date".to_vec(), date.into_bytes()));
    }
    let authorization = {
        let lines = arrived
            .headers
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()));
        let Ok(head) = RequestHead::new(&arrived.method, &arrived.target, lines, arrived.delivery) else {
            return;
        };
        let path = head.path().strip_prefix(b"/").unwrap_or_default();
        let bucket = base.config.bucket();
        let in_path = bucket.and_then(|bucket| path.strip_prefix(bucket.as_bytes())?.strip_prefix(b"/"));
        let resource = Resource {
            signed_bucket: bucket,
            key: in_path.unwrap_or(path).to_vec(),
            bucket: (),
        };
        let Some(secret) = SecretKey::new(base.credentials.access_key_secret.clone()) else {
            return;
        };
        let key_id = &base.credentials.access_key_id;
        let additional = dice.choose(&ADDITIONAL).copied().unwrap_or_default();
        let scope = oss_v4::Scope::new(UnixSeconds(base.now_unix), "cn-hangzhou", "oss");
        match (dice.below(3), scope) {
            (0, _) | (_, None) => oss_v1::sign_header(&head, &resource, key_id, &secret),
            (1, _) => oss_v2::sign_header(&head, &resource, key_id, &secret, additional),
            (_, Some(scope)) => oss_v4::sign_header(&head, &resource, key_id, &secret, &scope, additional),
        }
    };
    if let Ok(authorization) = authorization {
        arrived
            .headers
            .push((b"Authorization".to_vec(), authorization.into_bytes()));
    }
}

/// The same as a client of S3's: every header that it has.
fn sign_for_s3(arrived: &mut Arrived, base: &Vector, dice: &mut Dice) {
    const PAYLOADS: [&str; 4] = [
        "UNSIGNED-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    let date = UnixSeconds(base.now_unix).iso_basic();
    let payload = dice.choose(&PAYLOADS).copied().unwrap_or_default();
    for (own, value) in [("x-amz-date", date.as_str()), ("x-amz-content-sha256", payload)] {
        let is_own = |name: &[u8]| name.eq_ignore_ascii_case(own.as_bytes());
        arrived.headers.retain(|(name, _)| !is_own(name));
        arrived
            .headers
            .push((own.as_bytes().to_vec(), value.as_bytes().to_vec()));
    }
    let names: Option<Vec<String>> = arrived
        .headers
        .iter()
        .map(|(name, _)| Some(core::str::from_utf8(name).ok()?.to_ascii_lowercase()))
        .collect();
    let mut names = names.unwrap_or_default();
    names.sort_unstable();
    names.dedup();
    let lines = arrived
        .headers
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()));
    let head = RequestHead::new(&arrived.method, &arrived.target, lines, arrived.delivery);
    let secret = SecretKey::new(base.credentials.access_key_secret.clone());
    let (Ok(head), Some(secret)) = (head, secret) else {
        return;
    };
    let key_id = &base.credentials.access_key_id;
    let signed = aws_v4::sign_header(&head, key_id, &secret, "us-east-1", &names.join(";"));
    if let Ok(authorization) = signed {
        arrived
            .headers
            .push((b"Authorization".to_vec(), authorization.into_bytes()));
    }
}
