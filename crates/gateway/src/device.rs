//! A device for tests: it signs for real, and the gateway verifies and decides for real.

use std::sync::LazyLock;

use oss_s3::answer::{Asked, RequestId, Scheme};
use oss_s3::error::Refusal;
use oss_s3::operation::UploadId;
use oss_s3::request::Authorized;
use oss_s3::upload::{Owner, SealKeys};
use request_auth::canon::{Slash, percent_decode, percent_encode};
use request_auth::derived::DerivedKeyId;
use request_auth::{Connection, Delivery, Dialect, RequestHead, Resource, SecretKey, UnixSeconds, oss_v1};

use crate::authorizer;
use crate::config::Config;
use crate::keys::KeyRecord;
use crate::response_handler::Allowance;

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_714_566_896);
/// The request that began every upload.
pub(crate) static MARK: LazyLock<RequestId> = LazyLock::new(|| RequestId::from_bytes([3; 12]));
/// The master of the fleet `cams`.
const MASTER: &str = "master-of-the-cameras-0123456789abcdef";
const SECRET: &str = "0123456789abcdef0123456789abcd";
const CONFIG: &str = r#"{
  "buckets": [
    {"name": "devices", "origin": {"bucket": "acme-ingest", "region": "eu-west-1", "endpoint": "https://s3.example"}},
    {"name": "firmware", "origin": {"bucket": "acme-firmware", "region": "eu-west-1", "endpoint": "https://s3.example"}},
    {"name": "frankfurt", "origin": {"bucket": "acme-frankfurt", "region": "eu-central-1", "endpoint": "https://s3.example"}},
    {"name": "elsewhere", "origin": {"bucket": "acme-elsewhere", "region": "eu-west-1", "endpoint": "https://s3.elsewhere"}}],
  "hosts": [{"host": "edge.example", "styles": ["path"]}]
}"#;

/// A device whose key has the grants of this JSON list.
pub(crate) struct Device {
    config: Config,
    record: KeyRecord,
    peer: Option<&'static str>,
}

impl Device {
    pub(crate) fn with_grants(grants: &str) -> Self {
        Self::new(CONFIG, grants)
    }

    pub(crate) fn showing_the_string_to_sign() -> Self {
        let config = CONFIG.replacen('{', r#"{"string_to_sign_in_errors": true,"#, 1);
        Self::new(&config, r#"[{"bucket": "devices"}]"#)
    }

    pub(crate) fn without_staging(grants: &str) -> Self {
        let bucket = r#"{"name": "devices","#;
        let config = CONFIG.replacen(
            bucket,
            &[bucket, r#" "staging": {"enabled": false},"#].concat(),
            1,
        );
        Self::new(&config, grants)
    }

    /// Devices of the fleet `cams`, with the grants and the revoked devices of these JSON lists.
    pub(crate) fn of_a_fleet(grants: &str, revoked: &str) -> Self {
        let record = format!(
            r#"{{"id": "d1.cams", "masters": [{{"secret": "{MASTER}"}}], "grants": {grants}, "revoked": {revoked}}}"#
        );
        Self {
            config: Config::from_json(CONFIG).unwrap(),
            record: KeyRecord::from_json("d1.cams", &record).unwrap(),
            peer: None,
        }
    }

    fn new(config: &str, grants: &str) -> Self {
        let record =
            format!(r#"{{"id": "AK-1", "secrets": [{{"secret": "{SECRET}"}}], "grants": {grants}}}"#);
        Self {
            config: Config::from_json(config).unwrap(),
            record: KeyRecord::from_json("AK-1", &record).unwrap(),
            peer: None,
        }
    }

    /// The same device at this address; `None`: at one that the platform does not give.
    pub(crate) fn at(self, peer: Option<&'static str>) -> Self {
        Self { peer, ..self }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Signs a path-style request and hands on what the gateway decides about it.
    pub(crate) fn request<T>(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        and: impl FnOnce(Result<Authorized<'_>, Refusal>) -> T,
    ) -> T {
        self.request_signed_with(SECRET, method, target, headers, and)
    }

    /// The same, signed with another secret than the key's.
    pub(crate) fn request_signed_with<T>(
        &self,
        secret: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        and: impl FnOnce(Result<Authorized<'_>, Refusal>) -> T,
    ) -> T {
        self.request_of(("AK-1", secret), method, target, headers, and)
    }

    /// The same, signed by a device of the fleet.
    pub(crate) fn request_of_derived<T>(
        &self,
        key_id: &str,
        method: &str,
        target: &str,
        and: impl FnOnce(Result<Authorized<'_>, Refusal>) -> T,
    ) -> T {
        let master = SecretKey::new(MASTER.into()).unwrap();
        let secret = DerivedKeyId::parse(key_id).unwrap().secret_text(&master).unwrap();
        self.request_of((key_id, &secret), method, target, &[], and)
    }

    /// A target with the sealed id in the place of its `uploadId=`, as the device was told it.
    fn told(target: &str, key_id: &str) -> String {
        let Some((path, query)) = target
            .split_once('?')
            .filter(|(_, query)| query.contains("uploadId="))
        else {
            return target.to_owned();
        };
        let mut segments = path.splitn(3, '/').skip(1);
        let bucket = segments.next().unwrap();
        let key = percent_decode(segments.next().unwrap_or_default().as_bytes()).unwrap();
        let pairs = query.split('&').map(|pair| {
            let id = pair
                .strip_prefix("uploadId=")
                .map(|id| percent_decode(id.as_bytes()).unwrap());
            let Some(id) = id.and_then(|id| UploadId::new(&id)) else {
                return pair.to_owned();
            };
            let owner = Owner {
                bucket,
                key: core::str::from_utf8(&key).unwrap(),
                key_id,
            };
            let sealed = owner.seal(&seals(), &id, &MARK).unwrap();
            let mut pair = "uploadId=".to_owned();
            percent_encode(sealed.as_str().as_bytes(), Slash::Encode, &mut pair);
            pair
        });
        [path, "?", &pairs.collect::<Vec<_>>().join("&")].concat()
    }

    fn request_of<T>(
        &self,
        (key_id, secret): (&str, &str),
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        and: impl FnOnce(Result<Authorized<'_>, Refusal>) -> T,
    ) -> T {
        let target = &Self::told(target, key_id);
        let mut lines = vec![
            ("host", "edge.example"),
            ("date", "Wed, 01 May 2024 12:34:56 GMT"),
        ];
        lines.extend(headers);
        let authorization = sign(&head(method, target, &lines), key_id, secret);
        lines.push(("authorization", &authorization));
        let head = head(method, target, &lines).over(Connection {
            secure: true,
            peer: self.peer,
        });
        let claim = authorizer::claim(&self.config, &head).unwrap();
        and(authorizer::authorize(
            &self.config,
            &head,
            &claim,
            &self.record,
            NOW,
        ))
    }
}

fn head<'a>(method: &'a str, target: &str, lines: &[(&'a str, &'a str)]) -> RequestHead<'a> {
    let lines = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    RequestHead::new(method, target.as_bytes(), lines, Delivery::Lines).unwrap()
}

fn sign(head: &RequestHead<'_>, key_id: &str, secret: &str) -> String {
    let path = head.path().strip_prefix(b"/").unwrap();
    let at = path.iter().position(|&byte| byte == b'/').unwrap_or(path.len());
    let (bucket, key) = path.split_at(at);
    let resource = Resource {
        // What is about no bucket is signed for none.
        signed_bucket: Some(core::str::from_utf8(bucket).unwrap()).filter(|bucket| !bucket.is_empty()),
        key: key.strip_prefix(b"/").unwrap_or_default().to_vec(),
        bucket: (),
    };
    oss_v1::sign_header(head, &resource, key_id, &SecretKey::new(secret.into()).unwrap()).unwrap()
}

/// What upload ids are sealed under.
pub(crate) fn seals() -> SealKeys {
    SealKeys::new(core::iter::once(b"a-secret-for-the-ids-of-uploads".as_slice()))
}

/// What a platform lets a request do at its beginning.
pub(crate) const AMPLE: Allowance = Allowance {
    seconds: 55,
    requests: 10_000,
    together: 3,
};

/// What an answer is stamped with.
pub(crate) fn asked(id: &RequestId) -> Asked<'_> {
    Asked {
        dialect: Dialect::Oss,
        request_id: id,
        now: NOW,
        method: "POST",
        scheme: Scheme::Https,
        host: "edge.example",
        path: b"/devices/k",
    }
}
