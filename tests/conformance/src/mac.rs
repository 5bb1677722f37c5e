//! The signatures of the schemes, written from their documentation: how a vector's signature is
//! checked, and how an attacker's text is signed, without the verifier's own code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use request_auth::{Occurrence, RequestHead};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A version of OSS's signatures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Version {
    /// OSS V1.
    V1,
    /// OSS V2.
    V2,
    /// OSS V4.
    V4,
}

impl Version {
    /// Every version.
    pub const ALL: [Self; 3] = [Self::V1, Self::V2, Self::V4];

    /// The version as a scheme.
    pub const fn scheme(self) -> Scheme {
        match self {
            Self::V1 => Scheme::OssV1,
            Self::V2 => Scheme::OssV2,
            Self::V4 => Scheme::OssV4,
        }
    }
}

/// A scheme that signs a request's head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// OSS V1.
    OssV1,
    /// OSS V2.
    OssV2,
    /// OSS V4.
    OssV4,
    /// S3 V4.
    S3V4,
}

impl Scheme {
    /// The scheme of a vector's `auth`, and whether it is a presigned one; none for forms.
    pub fn of(auth: &str) -> Option<(Self, bool)> {
        let (name, presigned) = match auth.strip_suffix("-QUERY") {
            Some(name) => (name, true),
            None => (auth, false),
        };
        let scheme = match name {
            "OSS-V1" => Self::OssV1,
            "OSS-V2" => Self::OssV2,
            "OSS-V4" => Self::OssV4,
            "AWS-V4" => Self::S3V4,
            _ => return None,
        };
        Some((scheme, presigned))
    }

    /// The parameter that carries the signature of a presigned URL.
    pub const fn signature_parameter(self) -> &'static str {
        match self {
            Self::OssV1 => "Signature",
            Self::OssV2 | Self::OssV4 => "x-oss-signature",
            Self::S3V4 => "X-Amz-Signature",
        }
    }

    /// The text of the signature over a string to sign. `None` where a V4 text has no scope.
    pub fn sign(self, secret: &str, text: &[u8]) -> Option<String> {
        match self {
            Self::OssV1 => {
                let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).ok()?;
                mac.update(text);
                Some(STANDARD.encode(mac.finalize().into_bytes()))
            }
            Self::OssV2 => Some(STANDARD.encode(hmac_sha256(secret.as_bytes(), text)?)),
            Self::OssV4 | Self::S3V4 => {
                let scope = core::str::from_utf8(text.split(|&byte| byte == b'\n').nth(2)?).ok()?;
                let prefix = if self == Self::S3V4 { "AWS4" } else { "aliyun_v4" };
                let mut key = [prefix, secret].concat().into_bytes();
                for part in scope.split('/') {
                    key = hmac_sha256(&key, part.as_bytes())?;
                }
                Some(hex(&hmac_sha256(&key, text)?))
            }
        }
    }

    /// The signature that a request presents.
    pub fn presented(self, head: &RequestHead<'_>) -> Option<Vec<u8>> {
        if let Occurrence::Once(signature) = head.parameter(self.signature_parameter()) {
            return Some(signature.to_vec());
        }
        let Occurrence::Once(authorization) = head.header("authorization") else {
            return None;
        };
        let text = core::str::from_utf8(authorization).ok()?;
        let behind = match self {
            Self::OssV1 => text.rsplit(':').next()?,
            Self::OssV2 => text.split("Signature:").nth(1)?.split(',').next()?,
            Self::OssV4 | Self::S3V4 => text.split("Signature=").nth(1)?.split(',').next()?,
        };
        Some(behind.as_bytes().to_vec())
    }
}

/// The string to sign of S3 V4 for a canonical request, a timestamp and a scope.
pub fn s3_string_to_sign(request: &[u8], timestamp: &str, scope: &str) -> Vec<u8> {
    let digest = hex(&Sha256::digest(request));
    ["AWS4-HMAC-SHA256", timestamp, scope, &digest]
        .join("\n")
        .into_bytes()
}

/// The string to sign of V4 for a canonical request, a timestamp and a scope without its day.
pub fn v4_string_to_sign(request: &[u8], timestamp: &str, scope: &str) -> Vec<u8> {
    let digest = hex(&Sha256::digest(request));
    ["OSS4-HMAC-SHA256", timestamp, scope, &digest]
        .join("\n")
        .into_bytes()
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
