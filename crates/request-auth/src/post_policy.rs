//! POST forms: a browser uploads with a form whose policy somebody signed beforehand.
//!
//! OSS: <https://help.aliyun.com/zh/oss/developer-reference/postobject>, S3:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>. All grammars sign
//! the policy's base64 text exactly as it stands in its field, and nothing else of the request: what a
//! form may hold beside it, the policy's conditions say. V1 is HMAC-SHA1 and V2 HMAC-SHA256 under the
//! secret, both as base64; the two V4 are HMAC-SHA256 under the key of a credential's scope, as hexadecimal
//! text.
//!
//! A form's claim is made of its fields, where the [`Claim`](crate::Claim) of a head is made of a head, so
//! it is a type of its own with the same two steps: [`FormClaim::of`], and [`FormClaim::verify`] once the
//! key's record was found. The second verifies the signature before it reads a byte of the policy, and
//! gives the same [`Verified`]: from the form, only what its policy permits.
//!
//! JSON is not read here: who calls brings a [`PolicyReader`], which is only ever given text that was
//! signed.

mod credential;
mod fields;
mod permitted;
mod policy;
mod sign;

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::canon::Sink;
use crate::claim::{KeyMaterial, Rules, Scheme, read_key_id};
use crate::denial::Denial;
use crate::derived::DerivedKeyId;
use crate::oss_claim::check_end;
use crate::presented::{MacSha1, MacSha256, Presented};
use crate::time::UnixSeconds;
use crate::verified::{Resource, Verified};
use credential::Credential;
use permitted::Permitted;

pub use fields::{Form, FormFields};
pub use policy::{Condition, Policy, PolicyFault, PolicyReader};
pub use sign::FormSigner;

/// Why a form has no verified signature, or holds what its policy does not permit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FormDenial {
    /// For a reason that other requests share.
    Denial(Denial),
    /// A name stands twice among the fields, in whatever case.
    FieldRepeated(String),
    /// A field of the signature is missing.
    SignatureIncomplete(&'static str),
    /// There is no field `key`.
    KeyMissing,
    /// The policy is no base64 text, or its text no policy.
    PolicyUnreadable,
    /// The policy has no expiration or no conditions.
    PolicyIncomplete(&'static str),
    /// The policy's time is over.
    PolicyExpired {
        /// The end of its validity.
        expires: UnixSeconds,
        /// The gateway's clock.
        now: UnixSeconds,
    },
    /// A condition of the policy does not hold for this field.
    Unmet(String),
    /// No condition of the policy names this field.
    Uncovered(String),
    /// The file has more bytes than the policy permits.
    TooLarge,
    /// The file has fewer bytes than the policy asks for.
    TooSmall,
}

impl From<Denial> for FormDenial {
    fn from(denial: Denial) -> Self {
        Self::Denial(denial)
    }
}

/// The one signature that a form carries, read but not verified.
pub struct FormClaim {
    key_id: String,
    scheme: Scheme,
    signature: Presented,
    /// The policy's field, to the byte.
    policy: Vec<u8>,
    /// The scope of the V4 grammars, and the date that goes with it.
    credential: Option<Credential>,
}

impl fmt::Debug for FormClaim {
    /// Names the key; a policy with its signature is good for as many uploads as its time allows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormClaim")
            .field("key_id", &self.key_id)
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

/// The fields of each grammar: what tells it, then key id or credential, signature and date.
struct Grammar {
    scheme: Scheme,
    key_id: &'static str,
    signature: &'static str,
    date: Option<&'static str>,
    token: &'static str,
    /// The fields that are the signature's own, all of them.
    own: &'static [&'static str],
}

const OSS_TOKEN: &str = "x-oss-security-token";

const OSS_V1: Grammar = Grammar {
    scheme: Scheme::OssPostV1,
    key_id: "OSSAccessKeyId",
    signature: "Signature",
    date: None,
    token: OSS_TOKEN,
    own: &["policy", "ossaccesskeyid", "signature", OSS_TOKEN],
};

const OSS_V2: Grammar = Grammar {
    scheme: Scheme::OssPostV2,
    key_id: "x-oss-access-key-id",
    signature: "x-oss-signature",
    date: None,
    token: OSS_TOKEN,
    own: &[
        "policy",
        "x-oss-signature-version",
        "x-oss-access-key-id",
        "x-oss-signature",
        OSS_TOKEN,
    ],
};

const OSS_V4: Grammar = Grammar {
    scheme: Scheme::OssPostV4,
    key_id: "x-oss-credential",
    signature: "x-oss-signature",
    date: Some("x-oss-date"),
    token: OSS_TOKEN,
    own: &[
        "policy",
        "x-oss-signature-version",
        "x-oss-credential",
        "x-oss-date",
        "x-oss-signature",
        OSS_TOKEN,
    ],
};

const S3_V4: Grammar = Grammar {
    scheme: Scheme::S3PostV4,
    key_id: "x-amz-credential",
    signature: "x-amz-signature",
    date: Some("x-amz-date"),
    token: "x-amz-security-token",
    own: &[
        "policy",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-signature",
        "x-amz-security-token",
    ],
};

impl Grammar {
    /// The grammar of a form.
    fn of(fields: &FormFields) -> Result<&'static Self, FormDenial> {
        let mut found = Vec::new();
        if fields.get("ossaccesskeyid").is_some() {
            found.push(&OSS_V1);
        }
        match fields.get("x-oss-signature-version") {
            Some(b"OSS4-HMAC-SHA256") => found.push(&OSS_V4),
            Some(b"OSS2") => found.push(&OSS_V2),
            Some(_) => return Err(Denial::UnknownScheme.into()),
            None => {}
        }
        let is_s3 = |name: &&str| fields.get(name).is_some();
        if ["x-amz-algorithm", "x-amz-credential", "x-amz-signature"]
            .iter()
            .any(is_s3)
        {
            match fields.get("x-amz-algorithm") {
                Some(b"AWS4-HMAC-SHA256") => found.push(&S3_V4),
                Some(b"AWS4-ECDSA-P256-SHA256") => {
                    return Err(Denial::SchemeNotOffered("AWS4-ECDSA-P256-SHA256").into());
                }
                Some(_) => return Err(Denial::UnknownScheme.into()),
                None => return Err(FormDenial::SignatureIncomplete("x-amz-algorithm")),
            }
        }
        let is_v2_of_s3 = fields.get("awsaccesskeyid").is_some();
        match found.as_slice() {
            [grammar] if !is_v2_of_s3 => Ok(*grammar),
            [] if is_v2_of_s3 => Err(Denial::SchemeNotOffered("AWS").into()),
            [] => Err(Denial::Anonymous.into()),
            _ => Err(Denial::SeveralCredentials.into()),
        }
    }

    fn of_scheme(scheme: Scheme) -> Option<&'static Self> {
        [&OSS_V1, &OSS_V2, &OSS_V4, &S3_V4]
            .into_iter()
            .find(|grammar| grammar.scheme == scheme)
    }
}

impl FormClaim {
    /// Reads the claim of a form.
    ///
    /// # Errors
    /// None, several, unknown, not offered, incomplete or malformed credentials, or no policy.
    pub fn of(fields: &FormFields) -> Result<Self, FormDenial> {
        let grammar = Grammar::of(fields)?;
        let field = |name: &'static str| {
            let value = fields.get(&name.to_ascii_lowercase());
            value
                .filter(|value| !value.is_empty())
                .ok_or(FormDenial::SignatureIncomplete(name))
        };
        let policy = field("policy")?.to_vec();
        let signature = field(grammar.signature)?;
        let named = field(grammar.key_id)?;
        let (key_id, credential) = match grammar.date {
            None => (named, None),
            Some(date) => {
                let (key_id, credential) = Credential::read(grammar.scheme, named, field(date)?)?;
                (key_id, Some(credential))
            }
        };
        Ok(Self {
            key_id: read_key_id(key_id)?,
            scheme: grammar.scheme,
            signature: match grammar.date {
                None => Presented::from_base64(signature),
                Some(_) => Presented::from_lower_hex(signature),
            },
            policy,
            credential,
        })
    }

    /// The access key id that the form names, well-formed.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The id of the record that the key is found by, as [`Claim::record_id`](crate::Claim::record_id).
    pub fn record_id(&self) -> &str {
        DerivedKeyId::parse(&self.key_id).map_or(&self.key_id, |derived| derived.record_id())
    }

    /// The scheme of the claim.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The text that is signed: the policy's field to the byte.
    pub fn string_to_sign(&self) -> &[u8] {
        &self.policy
    }

    /// Verifies the claim, and that the policy permits the form: the key may use the scheme, the
    /// signature is one of its secrets' over the policy, credential and policy are in their time, the
    /// session token is the key's, every condition holds, and what has to be covered is.
    ///
    /// `form` is the one that the claim was read from, `resources` are the buckets that the host and path
    /// can stand for, without a key; `read` reads the policy's JSON.
    ///
    /// # Errors
    /// The first [`FormDenial`] in that order.
    pub fn verify<'a, B>(
        &self,
        form: &Form<'_>,
        key: &KeyMaterial<'_>,
        resources: Vec<Resource<'a, B>>,
        rules: &Rules,
        now: UnixSeconds,
        read: PolicyReader,
    ) -> Result<Verified<'a, B>, FormDenial> {
        let (grammar, policy) = self.authenticate(form.fields, key, rules, now, read)?;
        let permitted = Permitted::new(form, grammar, &policy)?;
        for resource in resources {
            // The addressed bucket is matched, never a field of that name.
            if permitted.is_for(&resource)? {
                let (covered, key) = permitted.covered(self.key_id.clone())?;
                return Ok(Verified::assertion(covered, Resource { key, ..resource }));
            }
        }
        Err(FormDenial::Unmet("bucket".to_owned()))
    }

    /// The first part of [`FormClaim::verify`], which needs nothing of the file: the signature, its time and
    /// the session token. It permits nothing yet.
    ///
    /// # Errors
    /// The first [`FormDenial`] in that order.
    pub fn check(
        &self,
        fields: &FormFields,
        key: &KeyMaterial<'_>,
        rules: &Rules,
        now: UnixSeconds,
        read: PolicyReader,
    ) -> Result<(), FormDenial> {
        self.authenticate(fields, key, rules, now, read).map(drop)
    }

    fn authenticate(
        &self,
        fields: &FormFields,
        key: &KeyMaterial<'_>,
        rules: &Rules,
        now: UnixSeconds,
        read: PolicyReader,
    ) -> Result<(&'static Grammar, Policy), FormDenial> {
        self.check_signature(key, rules)?;
        if let Some(credential) = &self.credential {
            credential.check_time(rules.window, now)?;
        }
        let policy = self.policy(read)?;
        if now > policy.expires {
            let expires = policy.expires;
            return Err(FormDenial::PolicyExpired { expires, now });
        }
        check_end(policy.expires, rules.window, now)?;
        let grammar = Grammar::of_scheme(self.scheme).ok_or(Denial::UnknownScheme)?;
        check_token(fields.get(grammar.token), key)?;
        Ok((grammar, policy))
    }

    fn check_signature(&self, key: &KeyMaterial<'_>, rules: &Rules) -> Result<(), Denial> {
        if key.key_id != self.key_id {
            return Err(Denial::UnknownKey);
        }
        if key.secrets.is_empty() {
            return Err(Denial::InactiveKey);
        }
        if !key.schemes.contains(&self.scheme) {
            return Err(Denial::SchemeNotAllowed(self.scheme));
        }
        if let Some(credential) = &self.credential {
            credential.check(rules)?;
        }
        let is_signed = |secret: &&crate::secret::SecretKey| match (&self.credential, self.scheme) {
            (Some(credential), _) => credential.key(secret).is_some_and(|key| {
                MacSha256::under(key.expose())
                    .is_some_and(|mac| self.signature.matches_sha256(self.over(mac)))
            }),
            (None, Scheme::OssPostV1) => {
                MacSha1::under(secret.expose()).is_some_and(|mac| self.signature.matches_sha1(self.over(mac)))
            }
            (None, _) => MacSha256::under(secret.expose())
                .is_some_and(|mac| self.signature.matches_sha256(self.over(mac))),
        };
        if key.secrets.iter().any(is_signed) {
            Ok(())
        } else {
            Err(Denial::SignatureMismatch)
        }
    }

    fn over<M: Sink>(&self, mut mac: M) -> M {
        mac.put(&self.policy);
        mac
    }

    /// Decodes the policy. Some signers break the lines of base64 and sign the breaks: white space is
    /// signed, and means nothing.
    fn policy(&self, read: PolicyReader) -> Result<Policy, FormDenial> {
        let mut text = self.policy.clone();
        text.retain(|byte| !byte.is_ascii_whitespace());
        let json = STANDARD.decode(text).map_err(|_| FormDenial::PolicyUnreadable)?;
        let json = core::str::from_utf8(&json).map_err(|_| FormDenial::PolicyUnreadable)?;
        read(json).map_err(|fault| match fault {
            PolicyFault::Unreadable => FormDenial::PolicyUnreadable,
            PolicyFault::Incomplete(name) => FormDenial::PolicyIncomplete(name),
        })
    }
}

/// Compares the session token with the key's.
fn check_token(presented: Option<&[u8]>, key: &KeyMaterial<'_>) -> Result<(), Denial> {
    match (presented.filter(|token| !token.is_empty()), key.security_token) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Denial::TokenMissing),
        (Some(_), None) => Err(Denial::TokenUnexpected),
        (Some(token), Some(bound)) if bound.is(token) => Ok(()),
        (Some(_), Some(_)) => Err(Denial::TokenMismatch),
    }
}

#[cfg(test)]
mod tests;
