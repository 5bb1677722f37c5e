//! A device for tests: requests that are signed and verified for real.

use request_auth::canon::percent_decode;
use request_auth::{
    Claim, Delivery, KeyMaterial, RequestHead, Resource, Rules, Scheme, SecretKey, UnixSeconds, Verified,
    Window, aws_v4, oss_v1, oss_v4,
};

use crate::addressing::{
    AclRule, ArchiveClass, OriginAddressing, OriginBucket, Staging, UnsignedHeaders, VirtualBucket,
};
use crate::answer::RequestId;
use crate::area::{Area, Target};
use crate::copy_source::CopySource;
use crate::headers::metadata;
use crate::key::ObjectKey;
use crate::key::encoded_value;
use crate::operation::{Call, NotACall, UploadId};
use crate::request::Authorized;
use crate::tags::DEFAULT_MAX_TAGS;
use crate::upload::{Owner, SealKeys};

/// A virtual bucket `devices` in front of the path-style S3 bucket `acme-ingest`.
pub(crate) fn bucket() -> VirtualBucket {
    VirtualBucket {
        name: "devices".to_owned(),
        aliases: vec!["d111111abcdef8".to_owned()],
        acl: AclRule::Private,
        archive: ArchiveClass::Glacier,
        unsigned_headers: UnsignedHeaders::Store,
        max_tags: DEFAULT_MAX_TAGS,
        max_metadata_bytes: metadata::DEFAULT_MAX_BYTES,
        max_unsized_bytes: 1 << 30,
        kms_keys: vec![(
            "oss-key-1".to_owned(),
            "arn:aws:kms:eu-west-1:1:key/k1".to_owned(),
        )],
        created: UnixSeconds(1_704_067_200),
        staging: Some(Staging {
            bucket: "acme-ingest".to_owned(),
            prefix: ".causeway/".to_owned(),
        }),
        origin: OriginBucket {
            bucket: "acme-ingest".to_owned(),
            region: "eu-west-1".to_owned(),
            scheme: "https".to_owned(),
            authority: "s3.eu-west-1.amazonaws.com".to_owned(),
            addressing: OriginAddressing::Path,
        },
    }
}

/// What upload ids are sealed under.
pub(crate) fn seals() -> SealKeys {
    SealKeys::new(core::iter::once(b"a-secret-for-the-ids-of-uploads".as_slice()))
}

/// A target with the sealed id in the place of an `uploadId=` or `upload-id-marker=`, as its device was told it.
fn told(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let value = |name: &str| {
        let values = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut found = values.filter(|(known, _)| *known == name);
        found.next().map(|(_, value)| value)
    };
    let key = path.strip_prefix("/devices/").unwrap_or_default();
    let (name, key) = match value("upload-id-marker") {
        Some(_) => ("upload-id-marker", value("key-marker").unwrap_or_default()),
        None => ("uploadId", key),
    };
    let id = value(name).and_then(|id| UploadId::new(&percent_decode(id.as_bytes()).unwrap()));
    let Some(id) = id else {
        return target.to_owned();
    };
    let owner = Owner {
        bucket: "devices",
        key: &String::from_utf8(percent_decode(key.as_bytes()).unwrap()).unwrap(),
        key_id: "AK",
    };
    let sealed = owner.seal(&seals(), &id, &RequestId::from_bytes([3; 12]));
    let pair = |value: &str| [name, "=", value].concat();
    let sealed = pair(&encoded_value(sealed.unwrap().as_str().as_bytes()));
    target.replacen(&pair(value(name).unwrap()), &sealed, 1)
}

/// An answer's document with the origin's own ids in the place of the sealed ones, which it has to have.
pub(crate) fn unsealed(document: Vec<u8>) -> String {
    let document = String::from_utf8(document).unwrap();
    let mut pieces: Vec<&str> = document.split("</UploadId>").collect();
    let last = pieces.pop().unwrap();
    let unsealed = |text: &str, element: &str| {
        let (open, seal) = text.rsplit_once('.').unwrap();
        assert!(seal.len() == 46 && open.contains(element), "{document}");
        open.to_owned()
    };
    let pieces = pieces
        .into_iter()
        .map(|piece| unsealed(piece, "<UploadId>") + "</UploadId>");
    let pieces: String = pieces.chain([last.to_owned()]).collect();
    match pieces.split_once("</NextUploadIdMarker>") {
        Some((before, behind)) if !before.ends_with('>') => {
            unsealed(before, "<NextUploadIdMarker>") + "</NextUploadIdMarker>" + behind
        }
        _ => pieces,
    }
}

/// A request of a device, path style, to the bucket `devices`.
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    bucket: VirtualBucket,
    signer: Signer,
}

/// Who signs a request.
enum Signer {
    OssV1,
    /// With these additional headers.
    OssV4(&'static str),
    /// Every header but these.
    S3(&'static [&'static str]),
    /// Host alone.
    S3Url,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let headers = [
            ("host", "edge.example.com"),
            ("date", "Wed, 01 May 2024 12:34:56 GMT"),
        ];
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .to_vec(),
            bucket: bucket(),
            signer: Signer::OssV1,
        }
    }

    /// The same request, signed by V4, which covers these headers as well.
    pub(crate) fn signed_by_v4(mut self, additional: &'static str) -> Self {
        self.signer = Signer::OssV4(additional);
        self
    }

    /// The same request of an S3 client, signed in the header, but for these headers.
    pub(crate) fn signed_by_s3(mut self, unsigned: &'static [&'static str]) -> Self {
        self.signer = Signer::S3(unsigned);
        self
    }

    /// The same request by a URL that an S3 client presigned: no header but Host is covered.
    pub(crate) fn presigned_by_s3(mut self) -> Self {
        const QUERY: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20240501%2Feu-west-1%2Fs3%2Faws4_request\
            &X-Amz-Date=20240501T123456Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host";
        let mark = if self.target.contains('?') { '&' } else { '?' };
        self.target = format!("{}{mark}{QUERY}", self.target);
        self.signer = Signer::S3Url;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn bucket(mut self, bucket: VirtualBucket) -> Self {
        self.bucket = bucket;
        self
    }

    /// Signs the request, verifies it, and hands the result on.
    pub(crate) fn verified<T>(&self, then: impl FnOnce(&Verified<'_, &VirtualBucket>) -> T) -> T {
        self.verify(&self.target, |verified| then(&verified))
    }

    /// Verifies the request and recognises its operation.
    pub(crate) fn recognised(&self) -> Result<Call, NotACall> {
        self.verify(&self.target, |verified| {
            Call::recognise(&verified, false).map(|(call, _)| call)
        })
    }

    /// Authorises the verified request under a mount, and hands the result on. An upload id in its target is the
    /// origin's: what is sent is what the device was told for it.
    pub(crate) fn authorized<T>(&self, mount: &str, then: impl FnOnce(Authorized<'_>) -> T) -> T {
        self.verify(&told(&self.target), |verified| {
            let call = Call::recognise(&verified, false).unwrap();
            let source = call.0.operation().copies().then(|| {
                let area = Area::new(String::new(), mount.to_owned());
                let source = CopySource::of(&verified).unwrap();
                source.at_origin(verified.bucket(), &area).unwrap()
            });
            let area = Area::new(String::new(), mount.to_owned());
            let target = match ObjectKey::new(verified.key()) {
                Ok(key) => {
                    let origin_key = area.origin_key(&key).unwrap();
                    Target::Object { key, origin_key }
                }
                Err(_) => Target::Bucket { areas: vec![area] },
            };
            let unsigned_headers = verified.bucket().unsigned_headers;
            let authorized = Authorized::assertion(verified, call, target, unsigned_headers);
            then(authorized.with_source(source))
        })
    }

    fn verify<T>(&self, target: &str, then: impl for<'v> FnOnce(Verified<'v, &'v VirtualBucket>) -> T) -> T {
        let mut lines: Vec<(&[u8], &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_slice()))
            .collect();
        if matches!(self.signer, Signer::S3(_)) {
            let has_payload = lines.iter().any(|(name, _)| *name == b"x-amz-content-sha256");
            lines.push((b"x-amz-date", b"20240501T123456Z"));
            if !has_payload {
                lines.push((b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD"));
            }
        }
        let unsigned =
            RequestHead::new(&self.method, target.as_bytes(), lines.clone(), Delivery::Lines).unwrap();
        let key = unsigned
            .path()
            .splitn(3, |&byte| byte == b'/')
            .nth(2)
            .unwrap_or_default()
            .to_vec();
        let resource = Resource {
            signed_bucket: Some("devices"),
            key,
            bucket: &self.bucket,
        };
        let secret = SecretKey::new("secret".to_owned()).unwrap();
        let mut target = target.to_owned();
        let authorization = match self.signer {
            Signer::OssV1 => oss_v1::sign_header(&unsigned, &resource, "AK", &secret).unwrap(),
            Signer::OssV4(names) => {
                let scope = oss_v4::Scope::new(UnixSeconds(1_714_566_896), "cn-hangzhou", "oss").unwrap();
                oss_v4::sign_header(&unsigned, &resource, "AK", &secret, &scope, names).unwrap()
            }
            Signer::S3(left_out) => {
                let names = lines.iter().map(|(name, _)| core::str::from_utf8(name).unwrap());
                let mut names: Vec<&str> = names.filter(|name| !left_out.contains(name)).collect();
                names.sort_unstable();
                aws_v4::sign_header(&unsigned, "AK", &secret, "eu-west-1", &names.join(";")).unwrap()
            }
            Signer::S3Url => {
                let signature = aws_v4::sign_query(&unsigned, &secret).unwrap();
                target = format!("{target}&X-Amz-Signature={signature}");
                String::new()
            }
        };
        if !authorization.is_empty() {
            lines.push((b"authorization", authorization.as_bytes()));
        }
        let signed = RequestHead::new(&self.method, target.as_bytes(), lines, Delivery::Lines).unwrap();
        let key = KeyMaterial {
            key_id: "AK",
            secrets: vec![&secret],
            public_key: None,
            security_token: None,
            schemes: &Scheme::ALL,
        };
        let rules = Rules::new(Window {
            skew_seconds: 900,
            presigned_max_seconds: None,
        });
        let claim = Claim::of(&signed).unwrap();
        let verified = claim
            .verify(&signed, &key, vec![resource], &rules, UnixSeconds(1_714_566_896))
            .unwrap();
        then(verified)
    }
}
