//! The two signature algorithms: RSASSA-PKCS1-v1_5 with a modulus of 2048 bits, and ECDSA on P-256, both
//! over SHA-1 or SHA-256.
//!
//! RSA is verified as RFC 8017 §8.2.2 says: the text that the signature has to be of is encoded whole, and
//! compared. What a signature decodes to is never parsed, so no forged padding can please a parser.
//! Everything compared here is public.
//!
//! OpenSSL writes ECDSA signatures in DER, with either of the two values of s: both are taken, since
//! nothing counts signatures.

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::ecdsa;
use super::modular::Modulus;
use crate::public_key::{Kind, PublicKey};

/// The hash of a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
    /// SHA-1, CloudFront's own where nothing is said.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// The DER of a DigestInfo up to the digest (RFC 8017 §9.2, note 1).
const SHA1_INFO: [u8; 15] = [
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
];
const SHA256_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

impl Hash {
    pub(super) fn digest(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(text).to_vec(),
            Self::Sha256 => Sha256::digest(text).to_vec(),
        }
    }
}

/// Whether `signature` is one of `text` under the key.
pub(super) fn verifies(key: &PublicKey, hash: Hash, text: &[u8], signature: &[u8]) -> bool {
    let digest = hash.digest(text);
    match &key.0 {
        Kind::Rsa2048(modulus) => signed_by_rsa(modulus, signature) == Some(encoded(hash, &digest)),
        Kind::P256(point) => ecdsa::verifies(point, &digest, signature),
    }
}

/// EMSA-PKCS1-v1_5: 0, 1, as many 255 as there is room for, 0, the DigestInfo.
fn encoded(hash: Hash, digest: &[u8]) -> [u8; 256] {
    let info = match hash {
        Hash::Sha1 => SHA1_INFO.as_slice(),
        Hash::Sha256 => &SHA256_INFO,
    };
    let mut encoded = [0xff; 256];
    let behind = [&[0], info, digest].concat();
    let at = encoded.len().saturating_sub(behind.len());
    for (place, byte) in encoded.iter_mut().zip([0, 1]) {
        *place = byte;
    }
    for (place, byte) in encoded.iter_mut().skip(at).zip(behind) {
        *place = byte;
    }
    encoded
}

/// RSAVP1 with the exponent 65537: sixteen squares and a product. `None` for a signature that is not as
/// long as the modulus, or not below it.
fn signed_by_rsa(modulus: &[u8; 256], signature: &[u8]) -> Option<[u8; 256]> {
    let signature: &[u8; 256] = signature.try_into().ok()?;
    // Of equal length and big-endian, so in the order of numbers.
    if signature >= modulus {
        return None;
    }
    let modulus = Modulus::new(modulus)?;
    let base = modulus.residue(signature);
    let power = (0..16).fold(base.clone(), |power, _| power.square());
    power.mul(&base).to_bytes().try_into().ok()
}
