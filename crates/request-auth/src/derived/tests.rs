//! Vectors of an implementation that shares no code with this one:
//!
//! ```python
//! import base64, hashlib, hmac
//! p = lambda part: bytes([len(part)]) + part.encode()
//! def secret(master, key_id):
//!     version, fleet, device = key_id.split(".")
//!     text = p(version) + p(fleet) + p("access-key-secret") + key_id.encode()
//!     mac = hmac.new(master.encode(), text, hashlib.sha256).digest()
//!     return base64.urlsafe_b64encode(mac).decode().rstrip("=")
//! ```

use super::*;
use crate::claim::{Claim, KeyMaterial, Rules, Scheme};
use crate::client::{DATE, NOW, WINDOW, head, in_b};
use crate::denial::Denial;
use crate::{oss_v1, oss_v2};

const MASTER: &str = "master-of-the-cameras-0123456789abcdef";
const LONGEST: &str = "d1.FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF.\
                       ________________________________________________________________";

fn master(text: &str) -> SecretKey {
    SecretKey::new(text.to_owned()).unwrap()
}

#[test]
fn secrets_are_those_of_an_independent_implementation() {
    for (of, key_id, secret) in [
        (
            MASTER,
            "d1.cams.cam-0001",
            "_HNVSQJGk8ErPYFHHR7wISUmNkdIfGvLYTW7kGGAiO4",
        ),
        (
            MASTER,
            "d1.cams.cam-0002",
            "niSUiLftNSPixRyh6RV5Mak-3lWz194WJAQpR8iz7rM",
        ),
        (
            MASTER,
            "d1.cam.s-cam-0001",
            "TEVEuM5Tj_dOxNsYOARqlp1klFJboyvSrZ0qQFpcZiQ",
        ),
        (MASTER, "d1.-._", "pnKoVoE78ATp-3TaZVZCy0hFHWYXitXBOgX_clzeKRA"),
        (MASTER, LONGEST, "5hCPn_MWXmCaPWwJhfF27MYibApY-aVGSWRobKehVPo"),
        (
            "fedcba9876543210-saremac-eht-fo-retsam",
            "d1.cams.cam-0001",
            "uofInM8v5x72sI3qeMrLlpoKBoBqOGobH14n3VCIpD4",
        ),
        // Of bytes, not characters.
        (
            "密密密密密密密密密密密密密密密密",
            "d1.cams.cam-0001",
            "V6tkBG2dyAGBsGVzrEfAVa3WuBRWiCIDpcqVnHdC2fs",
        ),
    ] {
        let id = DerivedKeyId::parse(key_id).unwrap();
        let text = id.secret_text(&master(of)).unwrap();
        assert_eq!(text.as_str(), secret, "{key_id}");
        assert_eq!(
            id.secret(&master(of)).unwrap().expose(),
            secret.as_bytes(),
            "{key_id}"
        );
    }
}

#[test]
fn an_id_is_read_into_fleet_device_and_the_record_of_the_fleet() {
    let id = DerivedKeyId::parse("d1.cams.cam-0001").unwrap();
    assert_eq!(
        (id.fleet(), id.device(), id.record_id()),
        ("cams", "cam-0001", "d1.cams")
    );
    assert_eq!(fleet_of_record("d1.cams"), Some("cams"));
}

#[test]
fn d14_what_only_resembles_a_derived_id_is_no_key_id_at_all() {
    let long = "a".repeat(65);
    let (long_fleet, long_device) = (format!("d1.{long}.d"), format!("d1.f.{long}"));
    for id in [
        "d1.",
        "d1.f",
        "d1.f.",
        "d1..d",
        "d1...",
        "d1.f.d.",
        "d1.f.d.e",
        "d1.f..d",
        "d1.f/.d",
        "d1.f.d e",
        "d1.{fleet}.{device}",
        "d1.f.\u{e9}",
        &long_fleet,
        &long_device,
    ] {
        assert_eq!(DerivedKeyId::parse(id), None, "{id}");
        let header = format!("OSS {id}:c2ln");
        let request = head("PUT", "/k", &[("authorization", &header)]);
        assert_eq!(Claim::of(&request).err(), Some(Denial::MalformedKeyId), "{id}");
    }
    for record in ["", "d1", "d1.", "d1.f.d", "d2.f", "D1.f", "f", "d1.f/"] {
        assert_eq!(fleet_of_record(record), None, "{record}");
    }
}

#[test]
fn k07_ids_of_other_versions_and_cases_are_plain_keys() {
    for id in ["D1.f.d", "d2.f.d", "d1", "d1-f.d", "xd1.f.d"] {
        let header = format!("OSS {id}:c2ln");
        let claim = Claim::of(&head("PUT", "/k", &[("authorization", &header)])).unwrap();
        assert_eq!((claim.key_id(), claim.record_id()), (id, id));
    }
}

#[test]
fn every_device_of_a_fleet_is_looked_up_by_one_id() {
    for id in ["d1.cams.cam-0001", "d1.cams.cam-0002", LONGEST] {
        let header = format!("OSS {id}:c2ln");
        let claim = Claim::of(&head("PUT", "/k", &[("authorization", &header)])).unwrap();
        assert_eq!(claim.key_id(), id);
        let fleet = id.split('.').nth(1).unwrap();
        assert_eq!(claim.record_id(), format!("d1.{fleet}"));
    }
}

#[test]
fn a_derived_secret_signs_and_verifies_by_its_own_key_id_alone() {
    let id = DerivedKeyId::parse("d1.cams.cam-0001").unwrap();
    let other = DerivedKeyId::parse("d1.cams.cam-0002").unwrap();
    let secret = id.secret(&master(MASTER)).unwrap();
    let unsigned = head("PUT", "/k", &[("date", DATE)]);
    let of_v1 = oss_v1::sign_header(&unsigned, &in_b(&unsigned), "d1.cams.cam-0001", &secret).unwrap();
    let of_v2 = oss_v2::sign_header(&unsigned, &in_b(&unsigned), "d1.cams.cam-0001", &secret, "").unwrap();
    for header in [of_v1, of_v2] {
        let signed = head("PUT", "/k", &[("date", DATE), ("authorization", &header)]);
        let verify = |device: &DerivedKeyId<'_>, of: &str| {
            let secret = device.secret(&master(of)).unwrap();
            let material = KeyMaterial {
                key_id: "d1.cams.cam-0001",
                secrets: vec![&secret],
                public_key: None,
                security_token: None,
                schemes: &Scheme::ALL,
            };
            let claim = Claim::of(&signed).unwrap();
            let verified = claim.verify(&signed, &material, vec![in_b(&signed)], &Rules::new(WINDOW), NOW);
            verified.map(|verified| verified.key_id().to_owned())
        };
        assert_eq!(verify(&id, MASTER), Ok("d1.cams.cam-0001".to_owned()));
        assert_eq!(verify(&other, MASTER), Err(Denial::SignatureMismatch));
        assert_eq!(verify(&id, "another-master"), Err(Denial::SignatureMismatch));
    }
}
