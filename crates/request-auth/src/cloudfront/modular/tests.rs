//! What is computed here and by the crate `crypto-bigint` is the same.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use sha2::{Digest as _, Sha256};

use super::*;

/// Bytes that differ from number to number, their first and last bit set.
fn odd(number: u32, length: usize) -> Vec<u8> {
    let mut bytes = any(number, length);
    *bytes.first_mut().unwrap() |= 0x80;
    *bytes.last_mut().unwrap() |= 1;
    bytes
}

fn any(number: u32, length: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|block| Sha256::digest([number.to_be_bytes(), block.to_be_bytes()].concat()))
        .take(length)
        .collect()
}

/// Numbers at the borders of digits and of the modulus, and between them.
fn numbers(modulus: &[u8]) -> Vec<Vec<u8>> {
    let length = modulus.len();
    let ending_in = |byte| {
        let mut bytes = modulus.to_vec();
        *bytes.last_mut().unwrap() = byte;
        bytes
    };
    let last = *modulus.last().unwrap();
    let borders = [
        vec![],
        vec![1],
        vec![0; length],
        vec![0xff; length],
        vec![0xff; length / 2],
        modulus.to_vec(),
        ending_in(last.wrapping_sub(1)),
        ending_in(last.wrapping_add(1)),
    ];
    borders
        .into_iter()
        .chain((0..4).map(|number| any(number, length)))
        .collect()
}

fn theirs(number: &[u8], params: &BoxedMontyParams) -> BoxedMontyForm {
    BoxedMontyForm::new(
        BoxedUint::from_be_slice_truncated(number, params.bits_precision()),
        params,
    )
}

fn check(modulus: &[u8]) {
    let params = BoxedMontyParams::new_vartime(Odd::new(BoxedUint::from_be_slice_vartime(modulus)).unwrap());
    let own = Modulus::new(modulus).unwrap();
    let equal = |residue: &Residue<'_>, form: &BoxedMontyForm| {
        assert_eq!(
            residue.to_bytes(),
            form.retrieve().to_be_bytes().as_ref(),
            "{modulus:?}"
        );
        assert_eq!(residue.is_zero(), bool::from(form.is_zero()));
    };
    equal(&own.one(), &BoxedMontyForm::one(&params));
    for a in numbers(modulus) {
        let (x, form) = (own.residue(&a), theirs(&a, &params));
        equal(&x, &form);
        equal(&x.double(), &form.double());
        equal(&x.square(), &form.square());
        for b in numbers(modulus) {
            let (y, other) = (own.residue(&b), theirs(&b, &params));
            equal(&x.add(&y), &form.add(&other));
            equal(&x.sub(&y), &form.sub(&other));
            equal(&x.mul(&y), &form.mul(&other));
            assert_eq!(x == y, form == other);
        }
    }
}

#[test]
fn sums_differences_and_products_are_those_of_another_implementation() {
    for length in [8, 32, 256] {
        let mut least = vec![0; length];
        least[0] = 0x80;
        *least.last_mut().unwrap() = 1;
        check(&least);
        check(&vec![0xff; length]);
        for number in 0..8 {
            check(&odd(number, length));
        }
    }
}

#[test]
fn a_modulus_of_another_form_is_none() {
    let of = |bytes: &[u8]| Modulus::new(bytes).is_some();
    assert!(of(&[0x80, 0, 0, 1]));
    for wrong in [
        vec![],
        vec![0x80, 0, 0, 0],
        vec![0x7f, 0xff, 0xff, 0xff],
        odd(0, 3),
        odd(0, 12),
    ] {
        assert!(!of(&wrong), "{wrong:?}");
    }
}
