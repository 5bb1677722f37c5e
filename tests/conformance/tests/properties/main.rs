//! Properties of the schemes in the gateway: what is signed verifies and comes out as it was meant;
//! what was changed does not; and no two requests with different meanings share a string to sign.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic: that is how it fails"
)]
#![allow(unreachable_pub, missing_docs, reason = "modules of one test program")]

mod cloudfront;
mod collision;
mod cors;
mod device;
mod forwarded;
mod listing;
mod preview;
mod s3;
mod staging;
mod tampering;
mod text;
mod uploads;

use conformance::mac::Version;
use device::{device, verify};
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngAlgorithm, RngSeed};
use request_auth::{Delivery, Denial};

/// The same cases in every run, so that a red run is red again; found ones are kept beside this file.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(0x0c5e_cafe),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn what_is_signed_verifies_and_comes_out_as_it_was_meant(device in device()) {
        match verify(&device.wire(), &device.secret, Delivery::Lines) {
            Ok(covered) => prop_assert_eq!(covered, device.covered()),
            Err(denial) => prop_assert!(is_ambiguous(denial) || names_a_bucket(&device), "{:?}", denial),
        }
    }

    #[test]
    fn a_request_is_refused_as_ambiguous_only_if_a_signed_name_follows_a_mark(device in device()) {
        let denial = verify(&device.wire(), &device.secret, Delivery::Lines).err();
        if denial.is_some_and(is_ambiguous) {
            prop_assert_eq!(device.version, Version::V1);
            let texts = device.signed.values().chain([&device.key]);
            prop_assert!(texts.into_iter().any(|text| text.iter().any(|byte| b"?&".contains(byte))));
        }
    }
}

fn is_ambiguous(denial: Denial) -> bool {
    matches!(denial, Denial::AmbiguousText(_))
}

/// A client that signs no bucket is not believed where its key starts with a bucket's name.
fn names_a_bucket(device: &device::Device) -> bool {
    let first = device.key.split(|&byte| byte == b'/').next().unwrap_or_default();
    device.style == device::Style::Unsigned
        && [b"devices".as_slice(), b"other", b"d111111abcdef8"].contains(&first)
}
