//! Makes signed URLs and signed cookies, as AWS's own SDK does.
//!
//! It refuses to sign what could be read as more than it says: a canned policy for a URL with `*` in it, which
//! somebody could present as a custom policy for a pattern, or for one with a quotation mark.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha1::Sha1;
use sha2::Sha256;

use super::asymmetric::Hash;
use super::policy::Policy;
use super::{COOKIE_PREFIX, EXPIRES, HASH_ALGORITHM, KEY_PAIR_ID, OWN, POLICY, SIGNATURE, canned};
use crate::claim::is_plain_key_id;
use crate::head::{Parameter, read_target};
use crate::time::UnixSeconds;

/// The private half of a key pair, its id, and the hash to sign with. Has no content in Debug.
pub struct Signer {
    key_pair_id: String,
    key: PrivateKey,
    hash: Hash,
}

enum PrivateKey {
    Rsa(Box<RsaPrivateKey>),
    P256(SigningKey),
}

/// Why nothing was signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignerError {
    /// The id does not match `[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}`.
    KeyPairId,
    /// The PEM is no private key of RSA with 2048 bits and the exponent 65537, or of ECDSA on P-256.
    PrivateKey,
    /// The URL is not `http://host/…` or `https://host/…` in printable ASCII without `"`, `\`, `#` and malformed
    /// escapes, has parameters of a signed URL already, or, under a canned policy, holds `*`.
    Url,
    /// The policy is not one that would be read again as it is.
    Policy,
    /// The key did not sign.
    Failed,
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyPairId => "the id of the key pair has to match [A-Za-z0-9_-][A-Za-z0-9._-]{0,127}",
            Self::PrivateKey => {
                "the private key has to be PEM of RSA with 2048 bits or of ECDSA on P-256, not encrypted"
            }
            Self::Url => {
                "the URL has to begin with http:// or https://, a host and a path, be percent-encoded, and have none of CloudFront's own parameters; encode `*` as %2A for a canned policy"
            }
            Self::Policy => "the policy has a resource or a time that CloudFront's form of policies cannot carry",
            Self::Failed => "the key did not sign",
        })
    }
}

impl core::error::Error for SignerError {}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key_pair_id", &self.key_pair_id)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// Takes the id of a key pair and its private key as PEM: PKCS#8 (`PRIVATE KEY`) of either kind, or
    /// PKCS#1 (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// [`SignerError::KeyPairId`], [`SignerError::PrivateKey`].
    pub fn new(key_pair_id: &str, pem: &str, hash: Hash) -> Result<Self, SignerError> {
        if !is_plain_key_id(key_pair_id) {
            return Err(SignerError::KeyPairId);
        }
        let rsa = RsaPrivateKey::from_pkcs8_pem(pem).or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem));
        let key = match (rsa, SigningKey::from_pkcs8_pem(pem)) {
            (Ok(key), _) if key.n_bits_precision() == 2048 && *key.e() == rsa::BoxedUint::from(65537_u32) => {
                PrivateKey::Rsa(Box::new(key))
            }
            (Err(_), Ok(key)) => PrivateKey::P256(key),
            _ => return Err(SignerError::PrivateKey),
        };
        Ok(Self {
            key_pair_id: key_pair_id.to_owned(),
            key,
            hash,
        })
    }

    /// A URL under a canned policy: `url`, percent-encoded as it will be sent, until the second `ends`.
    ///
    /// # Errors
    /// [`SignerError::Url`], [`SignerError::Policy`] for a time out of range.
    pub fn url(&self, url: &str, ends: UnixSeconds) -> Result<String, SignerError> {
        let (expires, signature) = self.canned(url, ends)?;
        self.with_parameters(url, EXPIRES, &expires, &signature)
    }

    /// A URL under a custom policy, whose resource covers it.
    ///
    /// # Errors
    /// [`SignerError::Url`], [`SignerError::Policy`].
    pub fn url_with_policy(&self, url: &str, policy: &Policy) -> Result<String, SignerError> {
        let (text, signature) = self.custom(policy)?;
        self.with_parameters(url, POLICY, &text, &signature)
    }

    /// The cookies, names and values, that allow one URL until the second `ends`.
    ///
    /// # Errors
    /// As [`Signer::url`].
    pub fn cookies(&self, url: &str, ends: UnixSeconds) -> Result<Vec<(String, String)>, SignerError> {
        let (expires, signature) = self.canned(url, ends)?;
        Ok(self.as_cookies(EXPIRES, &expires, &signature))
    }

    /// The cookies, names and values, that allow what a custom policy says.
    ///
    /// # Errors
    /// [`SignerError::Policy`].
    pub fn cookies_with_policy(&self, policy: &Policy) -> Result<Vec<(String, String)>, SignerError> {
        let (text, signature) = self.custom(policy)?;
        Ok(self.as_cookies(POLICY, &text, &signature))
    }

    /// The values of `Expires` and `Signature`.
    fn canned(&self, url: &str, ends: UnixSeconds) -> Result<(String, String), SignerError> {
        check_url(url)?;
        if url.contains('*') {
            return Err(SignerError::Url);
        }
        let expires = ends.0.to_string();
        let text = canned(url.as_bytes(), &expires).ok_or(SignerError::Url)?;
        Policy::read(&text).ok_or(SignerError::Policy)?;
        Ok((expires, self.sign(&text)?))
    }

    /// The values of `Policy` and `Signature`.
    fn custom(&self, policy: &Policy) -> Result<(String, String), SignerError> {
        let json = policy.to_json();
        match Policy::read(json.as_bytes()) {
            Some(read) if read == *policy => Ok((encoded(json.as_bytes()), self.sign(json.as_bytes())?)),
            _ => Err(SignerError::Policy),
        }
    }

    /// The values of `Policy` and `Signature` for a text that no policy would be written as.
    #[cfg(test)]
    pub(super) fn custom_text(&self, text: &str) -> (String, String) {
        (
            encoded(text.as_bytes()),
            self.sign(text.as_bytes()).unwrap_or_default(),
        )
    }

    fn sign(&self, text: &[u8]) -> Result<String, SignerError> {
        let digest = self.hash.digest(text);
        let signature = match &self.key {
            PrivateKey::Rsa(key) => {
                let padding = match self.hash {
                    Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
                    Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                };
                key.sign(padding, &digest).map_err(|_| SignerError::Failed)?
            }
            PrivateKey::P256(key) => {
                let signature: Signature = key.sign_prehash(&digest).map_err(|_| SignerError::Failed)?;
                signature.to_der().as_bytes().to_vec()
            }
        };
        Ok(encoded(&signature))
    }

    /// What each credential has, in the order of AWS's SDK.
    fn parts<'p>(&'p self, terms: &'p str, value: &'p str, signature: &'p str) -> Vec<(&'p str, &'p str)> {
        let mut parts = vec![
            (terms, value),
            (KEY_PAIR_ID, &self.key_pair_id),
            (SIGNATURE, signature),
        ];
        if self.hash == Hash::Sha256 {
            parts.push((HASH_ALGORITHM, "SHA256"));
        }
        parts
    }

    fn with_parameters(
        &self,
        url: &str,
        terms: &str,
        value: &str,
        signature: &str,
    ) -> Result<String, SignerError> {
        check_url(url)?;
        let mut signed = url.to_owned();
        let mut mark = if url.contains('?') { '&' } else { '?' };
        for (name, value) in self.parts(terms, value, signature) {
            signed.push(mark);
            signed.extend([name, "=", value]);
            mark = '&';
        }
        Ok(signed)
    }

    fn as_cookies(&self, terms: &str, value: &str, signature: &str) -> Vec<(String, String)> {
        self.parts(terms, value, signature)
            .into_iter()
            .map(|(name, value)| ([COOKIE_PREFIX, name].concat(), value.to_owned()))
            .collect()
    }
}

impl Policy {
    /// The JSON, in the order of AWS's SDK.
    fn to_json(&self) -> String {
        let mut json = r#"{"Statement":[{"Resource":""#.to_owned();
        for character in self.resource.chars() {
            if matches!(character, '"' | '\\') {
                json.push('\\');
            }
            json.push(character);
        }
        json.extend([
            r#"","Condition":{"DateLessThan":{"AWS:EpochTime":"#,
            &self.ends.0.to_string(),
            "}",
        ]);
        if let Some(begins) = self.begins {
            json.extend([
                r#","DateGreaterThan":{"AWS:EpochTime":"#,
                &begins.0.to_string(),
                "}",
            ]);
        }
        if let Some(source) = self.source {
            json.extend([r#","IpAddress":{"AWS:SourceIp":""#, &source.to_string(), r#""}"#]);
        }
        json.push_str("}}]}");
        json
    }
}

/// Base64 with `-`, `_` and `~` for `+`, `=` and `/`.
fn encoded(bytes: &[u8]) -> String {
    let sign = |sign| match sign {
        '+' => '-',
        '=' => '_',
        '/' => '~',
        sign => sign,
    };
    STANDARD.encode(bytes).chars().map(sign).collect()
}

/// Whether a URL can be sent as it is, and be verified then.
fn check_url(url: &str) -> Result<(), SignerError> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or(SignerError::Url)?;
    let (host, target) = rest.split_at(rest.find('/').ok_or(SignerError::Url)?);
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    let (_, parameters) = read_target(target.as_bytes()).map_err(|_| SignerError::Url)?;
    let is_own = |parameter: &Parameter| OWN.iter().any(|own| own.as_bytes() == parameter.name);
    // A `?` with nothing behind it could not be told from none: the signature's parameters follow.
    let is_open = target.split_once('?').is_some_and(|(_, query)| query.is_empty());
    if host.is_empty() || !url.bytes().all(is_plain) || parameters.iter().any(is_own) || is_open {
        return Err(SignerError::Url);
    }
    Ok(())
}
