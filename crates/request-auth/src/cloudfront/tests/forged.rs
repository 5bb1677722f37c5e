//! Signatures that no honest signer makes.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{CheckedAdd as _, Odd, U2048};
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use rsa::RsaPrivateKey;
use rsa::traits::PrivateKeyParts as _;

use super::*;
use crate::cloudfront::asymmetric::verifies;
use crate::public_key::Kind;

const TEXT: &[u8] = b"text";

/// The block, to the private power of the test's key: what a signer would have to have signed.
fn signed_block(block: &[u8; 256]) -> Vec<u8> {
    let key = RsaPrivateKey::from_pkcs8_pem(RSA_PRIVATE_KEY).unwrap();
    let power = key.d().to_be_bytes();
    let params = FixedMontyParams::new_vartime(Odd::new(modulus()).unwrap());
    let base = FixedMontyForm::new(&U2048::from_be_slice(block), &params);
    base.pow(&U2048::from_be_slice(&power))
        .retrieve()
        .to_be_bytes()
        .as_ref()
        .to_vec()
}

fn modulus() -> U2048 {
    match Pair::Rsa.public().0 {
        Kind::Rsa2048(modulus) => U2048::from_be_slice(modulus.as_slice()),
        Kind::P256(_) => panic!("the key is one of RSA"),
    }
}

/// A block of these parts, `fill` between them so that it has 256 bytes.
fn block(before: &[u8], fill: u8, behind: &[u8]) -> [u8; 256] {
    let mut block = [fill; 256];
    for (place, byte) in block.iter_mut().zip(before) {
        *place = *byte;
    }
    for (place, byte) in block.iter_mut().rev().zip(behind.iter().rev()) {
        *place = *byte;
    }
    block
}

#[test]
fn cf09_a_padding_that_is_not_the_one_of_the_standard_is_refused() {
    let key = Pair::Rsa.public();
    let digest = Hash::Sha256.digest(TEXT);
    let info = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0x04, 0x20,
    ];
    let without_null = [
        0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20,
    ];
    let behind = |zero: &[u8], info: &[u8], rest: &[u8]| [zero, info, &digest, rest].concat();
    let good = block(&[0, 1], 0xff, &behind(&[0], &info, &[]));
    assert!(verifies(&key, Hash::Sha256, TEXT, &signed_block(&good)));
    for wrong in [
        // Bleichenbacher 2006: short padding, rubbish behind the digest.
        block(&[0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 0, &{
            let mut rest = behind(&[0], &info, &[]);
            rest.resize(240, 7);
            rest
        }),
        block(&[0, 1], 0xff, &behind(&[0], &info, &[0])),
        block(&[0, 1], 0xff, &behind(&[0], &without_null, &[])),
        block(&[0, 1], 0xff, &behind(&[0], &[], &[])),
        block(&[0, 2], 0xff, &behind(&[0], &info, &[])),
        block(&[0, 0], 0xff, &behind(&[0], &info, &[])),
        block(&[0, 1], 0xfe, &behind(&[0], &info, &[])),
        block(&[0, 1], 0xff, &behind(&[1], &info, &[])),
        block(&[0, 1], 0xff, &behind(&[0, 0], &info, &[])),
        [0; 256],
    ] {
        assert!(
            !verifies(&key, Hash::Sha256, TEXT, &signed_block(&wrong)),
            "{wrong:?}"
        );
    }
}

#[test]
fn cf09_a_signature_of_another_length_or_beyond_the_modulus_is_refused() {
    let key = Pair::Rsa.public();
    // Of many, one is small enough that adding the modulus still fits into 256 bytes.
    let modulus = modulus();
    let (text, signature) = (0..)
        .map(|number: u32| {
            let text = number.to_be_bytes();
            let digest = Hash::Sha1.digest(&text);
            let info = [
                0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
            ];
            let block = block(&[0, 1], 0xff, &[&[0], info.as_slice(), &digest].concat());
            (text, signed_block(&block))
        })
        .find(|(_, signature)| {
            let sum = U2048::from_be_slice(signature).checked_add(&modulus);
            bool::from(sum.is_some())
        })
        .unwrap();
    let verifies = |signature: &[u8]| verifies(&key, Hash::Sha1, &text, signature);
    assert!(verifies(&signature));
    let sum = U2048::from_be_slice(&signature).wrapping_add(&modulus);
    assert!(
        !verifies(sum.to_be_bytes().as_ref()),
        "the same number modulo the modulus"
    );
    assert!(!verifies(modulus.to_be_bytes().as_ref()));
    assert!(!verifies(&[0; 256]));
    assert!(!verifies(&[0xff; 256]));
    assert!(!verifies(&[]));
    assert!(!verifies(&signature[..255]));
    assert!(!verifies(&[&[0], signature.as_slice()].concat()));
    assert!(!verifies(&[signature.as_slice(), &[0]].concat()));
}

#[test]
fn cf09_an_ecdsa_signature_is_der_of_two_numbers_in_range() {
    use p256::ecdsa::signature::hazmat::PrehashSigner as _;
    let key = Pair::P256.public();
    let signer = SigningKey::from_pkcs8_pem(P256_PRIVATE_KEY).unwrap();
    let signature: Signature = signer.sign_prehash(&Hash::Sha256.digest(TEXT)).unwrap();
    let verifies = |der: &[u8]| verifies(&key, Hash::Sha256, TEXT, der);
    let der = signature.to_der();
    let der = der.as_bytes();
    assert!(verifies(der));
    // Either value of s is one that OpenSSL writes.
    let (r, s) = signature.split_scalars();
    let other = Signature::from_scalars(r, -s).unwrap();
    assert_ne!(other, signature);
    assert!(verifies(other.to_der().as_bytes()));

    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let integer = |bytes: &[u8]| {
        let zero: &[u8] = if bytes[0] >= 0x80 { &[0] } else { &[] };
        let content = [zero, bytes].concat();
        [&[2, u8::try_from(content.len()).unwrap()], content.as_slice()].concat()
    };
    let sequence = |parts: &[&[u8]]| {
        let content = parts.concat();
        [&[0x30, u8::try_from(content.len()).unwrap()], content.as_slice()].concat()
    };
    let r_bytes = signature.r().to_bytes();
    let s_bytes = signature.s().to_bytes();
    let (r, s) = (integer(&r_bytes), integer(&s_bytes));
    let zero = integer(&[0]);
    for wrong in [
        vec![],
        vec![0x30, 0],
        sequence(&[&zero, &zero]),
        sequence(&[&zero, &s]),
        sequence(&[&r, &zero]),
        sequence(&[&integer(&order), &s]),
        sequence(&[&r, &integer(&order)]),
        sequence(&[&s, &r]),
        sequence(&[&r]),
        sequence(&[&r, &s, &s]),
        [der, &[0]].concat(),
        der[..der.len() - 1].to_vec(),
        // Another way to write a length, and a number with a zero too many.
        [&[0x30, 0x81, der[1]], &der[2..]].concat(),
        sequence(&[&[&[2, r[1] + 1, 0], &r[2..]].concat(), &s]),
        // r and s side by side, as other formats have them.
        [r_bytes.as_slice(), s_bytes.as_slice()].concat(),
    ] {
        assert!(!verifies(&wrong), "{wrong:?}");
    }
}
