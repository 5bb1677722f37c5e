//! The public half of a key pair, which a key record holds in the place of secrets.
//!
//! Two kinds are taken, those that CloudFront takes: RSA with a modulus of 2048 bits and the exponent
//! 65537, and ECDSA on P-256. The SubjectPublicKeyInfo of either has one DER form, so a key is compared
//! with that form: other sizes, exponents, curves, compressed points and encodings are none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What stands before the modulus: the lengths, rsaEncryption with NULL, and a modulus of 257 bytes that
/// begins with zero (RFC 3279 §2.3.1, RFC 8017 A.1.1).
const RSA_2048: [u8; 33] = [
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
    0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00,
];
/// What stands behind it: the exponent 65537.
const EXPONENT: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];
/// What stands before the point: the lengths, ecPublicKey with prime256v1, no unused bits (RFC 5480).
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public key of one of the two kinds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKey(pub(crate) Kind);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The modulus, big-endian; odd, its first bit set.
    Rsa2048(Box<[u8; 256]>),
    /// The point, uncompressed.
    P256([u8; 65]),
}

impl PublicKey {
    /// Reads PEM with the label `PUBLIC KEY`, as `openssl pkey -pubout` writes it. `None` for anything but
    /// the two kinds, and for a point that is not on the curve.
    pub fn from_pem(pem: &str) -> Option<Self> {
        let body = pem
            .trim()
            .strip_prefix("-----BEGIN PUBLIC KEY-----")?
            .strip_suffix("-----END PUBLIC KEY-----")?;
        let digits: Vec<u8> = body
            .bytes()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect();
        Self::from_der(&STANDARD.decode(digits).ok()?)
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        if let Some(rest) = der.strip_prefix(&RSA_2048) {
            let modulus: [u8; 256] = rest.strip_suffix(&EXPONENT)?.try_into().ok()?;
            let is_modulus = matches!(modulus, [first, .., last] if first >= 0x80 && last & 1 == 1);
            return is_modulus.then(|| Self(Kind::Rsa2048(Box::new(modulus))));
        }
        let point: [u8; 65] = der.strip_prefix(&P256)?.try_into().ok()?;
        is_point(&point).then_some(Self(Kind::P256(point)))
    }
}

#[cfg(feature = "cloudfront-signatures")]
use crate::cloudfront::ecdsa::is_point;

/// Nothing is verified with it then.
#[cfg(not(feature = "cloudfront-signatures"))]
fn is_point(point: &[u8; 65]) -> bool {
    point.first() == Some(&4)
}

#[cfg(feature = "cloudfront-signatures")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::viewer::{P256_PUBLIC_KEY, RSA_PUBLIC_KEY};

    /// The DER of a PEM text.
    fn der(pem: &str) -> Vec<u8> {
        let digits: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(digits).unwrap()
    }

    #[test]
    fn both_kinds_are_read_as_openssl_writes_them() {
        assert!(matches!(
            PublicKey::from_pem(RSA_PUBLIC_KEY),
            Some(PublicKey(Kind::Rsa2048(_)))
        ));
        assert!(matches!(
            PublicKey::from_pem(P256_PUBLIC_KEY),
            Some(PublicKey(Kind::P256(_)))
        ));
        let windows = P256_PUBLIC_KEY.replace('\n', "\r\n");
        assert_eq!(
            PublicKey::from_pem(&windows),
            PublicKey::from_pem(P256_PUBLIC_KEY)
        );
    }

    #[test]
    fn cf09_a_key_of_another_size_exponent_or_curve_is_none() {
        let rsa = der(RSA_PUBLIC_KEY);
        let with = |at: usize, value: u8| {
            let mut changed = rsa.clone();
            changed[at] = value;
            changed
        };
        let last = rsa.len() - 1;
        for wrong in [
            // The exponents 3 and 1 in the place of 65537's bytes, an even one, and an even modulus.
            with(last, 3),
            [&rsa[..rsa.len() - 5], &[0x02, 0x01, 0x03]].concat(),
            [&rsa[..rsa.len() - 5], &[0x02, 0x01, 0x01]].concat(),
            with(last - 5, 0x10),
            // A modulus below 2048 bits in as many bytes.
            with(33, 0x01),
            with(33, 0x00),
            // Another algorithm, a missing byte and one too many.
            with(15, 0x05),
            rsa[..last].to_vec(),
            [rsa.as_slice(), &[0]].concat(),
        ] {
            assert_eq!(PublicKey::from_der(&wrong), None);
        }
        let point = der(P256_PUBLIC_KEY);
        let mut off_the_curve = point.clone();
        *off_the_curve.last_mut().unwrap() ^= 1;
        let mut compressed = point.clone();
        compressed[26] = 2;
        let mut other_curve = point.clone();
        other_curve[22] = 0x08;
        for wrong in [off_the_curve, compressed, other_curve, point[..90].to_vec()] {
            assert_eq!(PublicKey::from_der(&wrong), None);
        }
    }

    #[test]
    fn a_text_that_is_not_pem_of_a_public_key_is_none() {
        for text in [
            "",
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----",
            &RSA_PUBLIC_KEY.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
            &RSA_PUBLIC_KEY.replace("PUBLIC KEY", "PRIVATE KEY"),
            &RSA_PUBLIC_KEY.replace('\n', "\n "),
            &[RSA_PUBLIC_KEY, P256_PUBLIC_KEY].concat(),
        ] {
            assert_eq!(PublicKey::from_pem(text), None, "{text}");
        }
    }
}
