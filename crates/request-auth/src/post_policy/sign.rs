//! Making a signed form, for whoever hands one to a browser.

use super::credential::words;
use super::{Grammar, OSS_V1, OSS_V2, OSS_V4, S3_V4};
use crate::canon::Sink;
use crate::claim::Scheme;
use crate::presented::{MacSha1, MacSha256};
use crate::secret::SecretKey;
use crate::time::UnixSeconds;

/// Signs policies under one access key.
///
/// First take [`FormSigner::fields`] and put those of the V4 schemes into the policy as conditions, then
/// hand the policy's base64 text to [`FormSigner::sign`].
pub struct FormSigner<'s> {
    grammar: &'static Grammar,
    secret: &'s SecretKey,
    fields: Vec<(&'static str, String)>,
    /// Empty for the schemes without one.
    scope: String,
}

impl<'s> FormSigner<'s> {
    /// OSS V1.
    pub fn oss_v1(key_id: &str, secret: &'s SecretKey) -> Self {
        Self {
            grammar: &OSS_V1,
            secret,
            fields: vec![(OSS_V1.key_id, key_id.to_owned())],
            scope: String::new(),
        }
    }

    /// OSS V2.
    pub fn oss_v2(key_id: &str, secret: &'s SecretKey) -> Self {
        Self {
            grammar: &OSS_V2,
            secret,
            fields: vec![
                ("x-oss-signature-version", "OSS2".to_owned()),
                (OSS_V2.key_id, key_id.to_owned()),
            ],
            scope: String::new(),
        }
    }

    /// OSS V4, for a region as in `cn-hangzhou` and the product `oss`.
    pub fn oss_v4(key_id: &str, secret: &'s SecretKey, region: &str, now: UnixSeconds) -> Self {
        let version = ("x-oss-signature-version", "OSS4-HMAC-SHA256");
        Self::v4(&OSS_V4, version, key_id, secret, &[region, "oss"], now)
    }

    /// S3's SigV4, for a region as in `eu-west-1`.
    pub fn s3_v4(key_id: &str, secret: &'s SecretKey, region: &str, now: UnixSeconds) -> Self {
        let algorithm = ("x-amz-algorithm", "AWS4-HMAC-SHA256");
        Self::v4(&S3_V4, algorithm, key_id, secret, &[region, "s3"], now)
    }

    fn v4(
        grammar: &'static Grammar,
        (name, version): (&'static str, &str),
        key_id: &str,
        secret: &'s SecretKey,
        place: &[&str; 2],
        now: UnixSeconds,
    ) -> Self {
        let (_, terminator) = words(grammar.scheme);
        let scope = [&now.iso_day(), &place.join("/"), terminator].join("/");
        let mut fields = vec![
            (name, version.to_owned()),
            (grammar.key_id, [key_id, "/", &scope].concat()),
        ];
        fields.extend(grammar.date.map(|date| (date, now.iso_basic())));
        Self {
            grammar,
            secret,
            fields,
            scope,
        }
    }

    /// The fields that do not depend on the policy.
    pub fn fields(&self) -> &[(&'static str, String)] {
        &self.fields
    }

    /// Every field of the signature for a policy in base64, which is one of them. `None` never occurs for
    /// HMAC, which takes keys of any length.
    pub fn sign(&self, policy: &str) -> Option<Vec<(&'static str, String)>> {
        let signature = match self.grammar.scheme {
            Scheme::OssPostV1 => {
                let mut mac = MacSha1::under(self.secret.expose())?;
                mac.put(policy.as_bytes());
                mac.into_base64()
            }
            Scheme::OssPostV2 => {
                let mut mac = MacSha256::under(self.secret.expose())?;
                mac.put(policy.as_bytes());
                mac.into_base64()
            }
            scheme => {
                let key = self.secret.for_scope(words(scheme).0, &self.scope)?;
                let mut mac = MacSha256::under(key.expose())?;
                mac.put(policy.as_bytes());
                mac.into_hex()
            }
        };
        let mut fields = self.fields.clone();
        fields.push(("policy", policy.to_owned()));
        fields.push((self.grammar.signature, signature));
        Some(fields)
    }
}
