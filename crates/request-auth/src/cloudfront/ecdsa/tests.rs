//! What is verified here and by the crate `p256` is the same.

use p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::ops::Reduce as _;
use p256::elliptic_curve::point::DecompressPoint as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};
use sha2::{Digest as _, Sha256};

use super::*;

/// Bytes that differ from number to number.
fn hash(number: u32, of: &str) -> [u8; 32] {
    Sha256::digest([number.to_be_bytes().as_slice(), of.as_bytes()].concat()).into()
}

fn encoded(point: &AffinePoint) -> [u8; 65] {
    point.to_sec1_point(false).as_bytes().try_into().unwrap()
}

/// Whether both say yes; they have to agree.
fn both(point: &[u8; 65], digest: &[u8], der: &[u8]) -> bool {
    let by_p256 = match (VerifyingKey::from_sec1_bytes(point), Signature::from_der(der)) {
        (Ok(key), Ok(signature)) => key.verify_prehash(digest, &signature).is_ok(),
        _ => false,
    };
    assert_eq!(
        verifies(point, digest, der),
        by_p256,
        "{point:?} {digest:?} {der:?}"
    );
    by_p256
}

fn scalar(bytes: [u8; 32]) -> Scalar {
    Scalar::reduce(&FieldBytes::from(bytes))
}

#[test]
fn signatures_of_many_keys_are_verified_and_damaged_ones_are_not() {
    for number in 0..24 {
        let key = SigningKey::from_bytes(&hash(number, "key").into()).unwrap();
        let point = encoded(key.verifying_key().as_affine());
        let long = hash(number, "text");
        // SHA-1's length as well.
        let digest = if number % 2 == 0 { &long[..] } else { &long[..20] };
        let signature: Signature = key.sign_prehash(digest).unwrap();
        let der = signature.to_der().as_bytes().to_vec();
        assert!(is_point(&point));
        assert!(both(&point, digest, &der));
        for at in (0..der.len()).skip(number as usize % 3).step_by(3) {
            let mut damaged = der.clone();
            damaged[at] ^= 1 << (number % 8);
            assert!(!both(&point, digest, &damaged), "byte {at} of {number}");
        }
        let mut other = digest.to_vec();
        other[0] ^= 0x80;
        assert!(!both(&point, &other, &der));
        let mut off = point;
        off[64] ^= 1;
        assert!(!is_point(&off) && !both(&off, digest, &der));
    }
}

#[test]
fn a_coordinate_above_the_order_is_found_from_its_remainder() {
    // Points whose x is the order and something more: one in 2^128, so no honest signature is ever one.
    let mut order_and_more = ORDER;
    let mut found = 0;
    for _ in 0..24 {
        let last = order_and_more.last_mut().unwrap();
        *last = last.wrapping_add(1);
        let x = FieldBytes::from(order_and_more);
        let Some(point) = AffinePoint::decompress(&x, 0.into()).into_option() else {
            continue;
        };
        found += 1;
        // A key that such a point and numbers of our choice are a signature under: (s·R − z·G) / r.
        let r = scalar(order_and_more);
        let (s, z) = (scalar(hash(found, "s")), hash(found, "z"));
        let key =
            (ProjectivePoint::from(point) * s - ProjectivePoint::GENERATOR * scalar(z)) * r.invert().unwrap();
        let der = Signature::from_scalars(r, s).unwrap().to_der();
        assert!(both(&encoded(&key.to_affine()), &z, der.as_bytes()));
    }
    assert!(found > 4);
}

#[test]
fn a_sum_at_infinity_is_no_signature() {
    // u·G + v·Q is nothing where the key is −u/v times the generator.
    for number in 0..8 {
        let (r, s) = (scalar(hash(number, "r")), scalar(hash(number, "s")));
        let z = hash(number, "z");
        let key = -(ProjectivePoint::GENERATOR * scalar(z)) * r.invert().unwrap();
        let der = Signature::from_scalars(r, s).unwrap().to_der();
        assert!(!both(&encoded(&key.to_affine()), &z, der.as_bytes()));
    }
}

#[test]
fn sums_that_double_or_vanish_on_the_way_are_right() {
    // Keys that are small multiples of the generator, and their negatives: tables and sums meet equal and opposite points.
    for multiple in 1_u32..=8 {
        let secret = Scalar::from(multiple);
        for secret in [secret, -secret] {
            let key = SigningKey::from_bytes(&secret.to_bytes()).unwrap();
            let point = encoded(key.verifying_key().as_affine());
            for number in 0..4 {
                let digest = hash(number, "digest");
                let signature: Signature = key.sign_prehash(&digest).unwrap();
                assert!(both(&point, &digest, signature.to_der().as_bytes()));
            }
            // A digest that is nothing modulo the order leaves the key's part alone.
            for digest in [[0; 32], ORDER] {
                let signature: Signature = key.sign_prehash(&digest).unwrap();
                assert!(both(&point, &digest, signature.to_der().as_bytes()));
            }
        }
    }
}

#[test]
fn what_is_no_point_is_none() {
    let generator = encoded(&AffinePoint::GENERATOR);
    assert!(is_point(&generator));
    let with = |x: &Number, y: &Number| {
        let mut point = [4; 65];
        point[1..33].copy_from_slice(x);
        point[33..].copy_from_slice(y);
        point
    };
    let [x, y] = GENERATOR;
    for (x, y) in [
        (y, x),
        (PRIME, y),
        (x, PRIME),
        ([0xff; 32], y),
        (x, [0xff; 32]),
        ([0; 32], [0; 32]),
    ] {
        assert!(!is_point(&with(&x, &y)));
        assert!(VerifyingKey::from_sec1_bytes(&with(&x, &y)).is_err());
    }
    let mut hybrid = generator;
    hybrid[0] = 6;
    assert!(!is_point(&hybrid));
}
