use request_auth::{Denial, UnixSeconds};

use super::*;
use crate::keys::{KeyRecord, RecordError};

const MASTER: &str = "master-of-the-cameras-0123456789abcdef";
const NEXT: &str = "next-master-of-cameras-0123456789abcdef";

fn record(fields: &str) -> Result<KeyRecord, RecordError> {
    let json = format!(r#"{{"id":"d1.cams","grants":[],{fields}}}"#);
    KeyRecord::from_json("d1.cams", &json)
}

/// How many secrets a key of the record has, or why it is none.
fn secrets(record: &KeyRecord, key_id: &str, now: i64) -> Result<usize, Denial> {
    let key = record.key(key_id, UnixSeconds(now))?;
    assert_eq!(key.material().key_id, key_id);
    Ok(key.material().secrets.len())
}

#[test]
fn one_record_serves_every_device_of_the_fleet_and_no_other_id() {
    let record = record(&format!(r#""masters":[{{"secret":"{MASTER}"}}]"#)).unwrap();
    for id in ["d1.cams.cam-0001", "d1.cams.cam-0002", "d1.cams._"] {
        assert_eq!(secrets(&record, id, 0), Ok(1), "{id}");
    }
    for id in [
        "d1.cams",
        "d1.cams.",
        "d1.locks.cam-0001",
        "d1.CAMS.cam-0001",
        "cams",
        "AK",
    ] {
        assert_eq!(secrets(&record, id, 0), Err(Denial::UnknownKey), "{id}");
    }
}

#[test]
fn k01_masters_are_rotated_with_overlap() {
    let record = record(&format!(
        r#""masters":[{{"secret":"{MASTER}","not_after":200}},{{"secret":"{NEXT}","not_before":100}}]"#
    ))
    .unwrap();
    for (now, count) in [(99, 1), (100, 2), (200, 2), (201, 1)] {
        assert_eq!(secrets(&record, "d1.cams.cam-0001", now), Ok(count), "{now}");
    }
}

#[test]
fn k02_a_revoked_device_is_as_unknown_as_a_device_of_another_fleet() {
    let record = record(&format!(
        r#""masters":[{{"secret":"{MASTER}"}}],"revoked":["cam-0007","cam-0003","cam-0005"]"#
    ))
    .unwrap();
    for (device, outcome) in [
        ("cam-0003", Err(Denial::UnknownKey)),
        ("cam-0004", Ok(1)),
        ("cam-0005", Err(Denial::UnknownKey)),
        ("cam-0007", Err(Denial::UnknownKey)),
        ("CAM-0007", Ok(1)),
        ("cam-00070", Ok(1)),
    ] {
        assert_eq!(
            secrets(&record, &format!("d1.cams.{device}"), 0),
            outcome,
            "{device}"
        );
    }
}

#[test]
fn a_disabled_fleet_has_no_secret() {
    let record = record(&format!(
        r#""masters":[{{"secret":"{MASTER}"}}],"status":"disabled""#
    ))
    .unwrap();
    assert_eq!(secrets(&record, "d1.cams.cam-0001", 0), Ok(0));
}

#[test]
fn k02_a_list_of_revoked_devices_is_bounded_when_it_is_read() {
    let revoking = |count: usize| {
        let devices: Vec<_> = (0..count).map(|n| format!("\"cam-{n}\"")).collect();
        record(&format!(
            r#""masters":[{{"secret":"{MASTER}"}}],"revoked":[{}]"#,
            devices.join(",")
        ))
    };
    let full = revoking(MAX_REVOKED).unwrap();
    for (device, revoked) in [("cam-0", true), ("cam-1023", true), ("cam-1024", false)] {
        let key = full.key(&format!("d1.cams.{device}"), UnixSeconds(0)).is_err();
        assert_eq!(key, revoked, "{device}");
    }
    let error = revoking(MAX_REVOKED + 1).unwrap_err().to_string();
    assert!(error.contains("`d1.cams`") && error.contains("1024"), "{error}");
}

#[test]
fn d13_k05_records_of_fleets_that_are_not_whole_are_refused_without_showing_a_master() {
    let good = format!(r#""masters":[{{"secret":"{MASTER}"}}]"#);
    assert!(record(&good).is_ok());
    for fields in [
        r#""masters":[]"#.to_owned(),
        r#""revoked":[]"#.to_owned(),
        r#""masters":[{"secret":""}]"#.to_owned(),
        format!(r#""masters":[{{"secret":"{}"}}]"#, "m".repeat(31)),
        r#""masters":[{"secret":"OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV"}]"#.to_owned(),
        format!(r#""masters":[{{"secret":"{MASTER}","not_before":2,"not_after":1}}]"#),
        format!(
            r#""masters":[{0},{0},{0}]"#,
            format_args!(r#"{{"secret":"{MASTER}"}}"#)
        ),
        format!(r#"{good},"secrets":[{{"secret":"{MASTER}"}}]"#),
        format!(r#""secrets":[{{"secret":"{MASTER}"}}]"#),
        format!(r#"{good},"security_token":"token""#),
        format!(r#"{good},"revoked":["d1.cams.cam-0001"]"#),
        format!(r#"{good},"revoked":[""]"#),
        format!(r#"{good},"revoked":["cam 1"]"#),
        format!(r#"{good},"revoked":"cam-1""#),
        format!(r#"{good},"revokd":[]"#),
    ] {
        let error = record(&fields).err().unwrap_or_else(|| panic!("{fields}"));
        assert!(!error.to_string().contains(MASTER), "{error}");
    }
}

#[test]
fn k07_no_plain_record_is_stored_where_a_fleet_or_its_devices_are() {
    for (id, of) in [
        ("d1.cams", "secrets"),
        ("d1.cams.cam-0001", "secrets"),
        ("d1.cams.cam-0001", "masters"),
        ("d1.", "masters"),
        ("d1.a/b", "masters"),
        ("AK", "masters"),
    ] {
        let json = format!(r#"{{"id":"{id}","{of}":[{{"secret":"{MASTER}"}}],"grants":[]}}"#);
        assert!(KeyRecord::from_json(id, &json).is_err(), "{id} {of}");
    }
}
