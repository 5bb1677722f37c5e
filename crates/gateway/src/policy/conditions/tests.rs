use oss_s3::error::Fault;
use request_auth::Dialect;

use crate::device::{Device, NOW, seals};
use crate::keys::KeyRecord;
use crate::router::{BodyRule, body_rule_of};

/// The grants of the bucket `devices` with these fields each.
fn grants(conditions: &[&str]) -> String {
    let grants: Vec<String> = conditions
        .iter()
        .map(|fields| format!(r#"{{"bucket": "devices", "operations": ["data-layer"]{fields}}}"#))
        .collect();
    format!("[{}]", grants.join(","))
}

/// What a put is refused with, under such grants and from this address.
fn put(conditions: &[&str], peer: Option<&'static str>) -> Result<(), (Fault, String)> {
    let device = Device::with_grants(&grants(conditions)).at(peer);
    device.request("PUT", "/devices/k", &[], |outcome| match outcome {
        Ok(_) => Ok(()),
        Err(refusal) => Err((refusal.fault(), refusal.reason().into_owned())),
    })
}

#[test]
fn a_grant_counts_in_its_time_both_ends_included() {
    let now = NOW.0;
    for (from, until, counts) in [
        (now, now, true),
        (now - 1, now + 1, true),
        (i64::MIN, now, true),
        (now, i64::MAX, true),
        (now + 1, now + 2, false),
        (now - 2, now - 1, false),
    ] {
        let fields = format!(r#", "not_before": {from}, "not_after": {until}"#);
        assert_eq!(put(&[&fields], None).is_ok(), counts, "{fields}");
    }
    let over = format!(r#", "not_after": {}"#, now - 1);
    let (fault, reason) = put(&[&over], None).unwrap_err();
    assert_eq!(fault, Fault::Forbidden);
    assert!(reason.contains("time"), "{reason}");
    assert!(put(&[r#", "not_after": null"#], None).is_ok());
}

#[test]
fn h07_cf10_a_grant_counts_for_its_addresses_and_for_none_that_is_not_known() {
    for (ranges, inside, outside) in [
        (r#"["192.0.2.7"]"#, "192.0.2.7", "192.0.2.8"),
        (r#"["192.0.2.0/24"]"#, "192.0.2.255", "192.0.3.0"),
        (
            r#"["198.51.100.0/24", "192.0.2.0/24"]"#,
            "192.0.2.1",
            "203.0.113.1",
        ),
        (r#"["192.0.2.0/24"]"#, "::ffff:192.0.2.7", "::ffff:192.0.3.7"),
        (r#"["::ffff:192.0.2.0/120"]"#, "192.0.2.7", "::192.0.2.7"),
        (r#"["2001:db8::/32"]"#, "2001:DB8:1::7", "2001:db9::7"),
        (r#"["0.0.0.0/0"]"#, "203.0.113.9", "2001:db8::1"),
        (r#"["::/0"]"#, "2001:db8::1", "203.0.113.9"),
    ] {
        let fields = format!(r#", "source_ips": {ranges}"#);
        assert_eq!(put(&[&fields], Some(inside)), Ok(()), "{ranges}");
        for peer in [
            Some(outside),
            None,
            Some(""),
            Some("localhost"),
            Some("192.0.2.7:80"),
        ] {
            let (fault, reason) = put(&[&fields], peer).unwrap_err();
            assert_eq!(fault, Fault::Forbidden, "{ranges} {peer:?}");
            assert!(reason.contains("address"), "{reason}");
        }
    }
    // Headers of the client's are nobody's address.
    let device = Device::with_grants(&grants(&[r#", "source_ips": ["192.0.2.7"]"#])).at(Some("203.0.113.9"));
    let headers = [
        "x-forwarded-for",
        "cf-connecting-ip",
        "true-client-ip",
        "forwarded",
    ];
    let headers = headers.map(|name| (name, "192.0.2.7"));
    device.request("PUT", "/devices/k", &headers, |outcome| {
        assert_eq!(outcome.unwrap_err().fault(), Fault::Forbidden);
    });
}

#[test]
fn the_first_grant_that_covers_a_request_in_all_respects_decides() {
    let device = |conditions: &[&str]| Device::with_grants(&grants(conditions)).at(Some("192.0.2.7"));
    let over = format!(r#", "mount": "over/", "not_after": {}"#, NOW.0 - 1);
    let elsewhere = r#", "mount": "elsewhere/", "source_ips": ["198.51.100.7"]"#;
    let other = r#", "mount": "other/", "prefix": "logs/""#;
    let small = r#", "mount": "small/", "max_object_bytes": 5"#;
    let large = r#", "mount": "large/", "max_object_bytes": 50"#;
    let counts = device(&[&over, elsewhere, other, small, large]);
    counts.request("PUT", "/devices/k", &[], |outcome| {
        let authorized = outcome.unwrap();
        let oss_s3::area::Target::Object { origin_key, .. } = authorized.target() else {
            panic!()
        };
        assert_eq!(origin_key.as_str(), "small/k");
        assert_eq!(authorized.errand(&seals()).unwrap().max_object_bytes(), Some(5));
        // A size chooses no other grant.
        let refusal = authorized.check_size(Some(6)).unwrap_err();
        assert_eq!(refusal.fault(), Fault::EntityTooLarge);
    });
    // What is asked of a bucket is permitted by the first grant that counts.
    counts.request("HEAD", "/devices/", &[], |outcome| {
        let authorized = outcome.unwrap();
        let areas = authorized.target().areas().iter();
        assert!(areas.map(oss_s3::area::Area::mount).eq(["other/"]));
    });
}

#[test]
fn l05_a_bucket_whose_grants_do_not_count_is_answered_like_one_that_does_not_exist() {
    let device = Device::with_grants(&grants(&[r#", "source_ips": ["192.0.2.7"]"#]));
    for target in ["", "k?partNumber=0&uploadId=U", ".causeway/k", "a%5Cb", "k?acl"] {
        let refusal = |bucket: &str| {
            let target = format!("/{bucket}/{target}");
            device.request("PUT", &target, &[], |outcome| {
                let refusal = outcome.unwrap_err();
                (refusal.fault(), refusal.row(Dialect::Oss))
            })
        };
        assert_eq!(refusal("devices"), refusal("nobody"), "{target}");
    }
    device.request("GET", "/", &[], |outcome| {
        assert_eq!(outcome.unwrap_err().fault(), Fault::Forbidden);
    });
}

#[test]
fn h01_what_is_too_large_is_refused_by_its_stated_length() {
    const GIB_5: u64 = 5 * 1024 * 1024 * 1024;
    for (fields, most) in [
        ("", GIB_5),
        (r#", "max_object_bytes": 7"#, 7),
        (r#", "max_object_bytes": 9223372036854775807"#, GIB_5),
    ] {
        let device = Device::with_grants(&grants(&[fields]));
        for (method, target) in [
            ("PUT", "/devices/k"),
            ("PUT", "/devices/k?partNumber=1&uploadId=U"),
        ] {
            device.request(method, target, &[], |outcome| {
                let authorized = outcome.unwrap();
                let rule = |length| body_rule_of(&authorized, length).map_err(|refusal| refusal.fault());
                assert_eq!(rule(Some(most)), Ok(BodyRule::Stream), "{fields} {target}");
                for over in [most + 1, u64::MAX] {
                    assert_eq!(rule(Some(over)), Err(Fault::EntityTooLarge), "{fields} {target}");
                }
                // Judged while it is read.
                assert_eq!(rule(None), Ok(BodyRule::Blocks), "{fields} {target}");
            });
        }
        // What stores no object bytes is none of this.
        device.request("POST", "/devices/k?uploads", &[], |outcome| {
            let rule = body_rule_of(&outcome.unwrap(), Some(most + 1));
            assert_eq!(rule.unwrap(), BodyRule::Ignore);
        });
    }
}

#[test]
fn conditions_that_say_nothing_or_the_contrary_are_no_record() {
    let read = |fields: &str| {
        let json = format!(
            r#"{{"id": "AK", "secrets": [{{"secret": "0123456789abcdef0123"}}], "grants": {}}}"#,
            grants(&[fields])
        );
        KeyRecord::from_json("AK", &json)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        read(r#", "source_ips": ["192.0.2.0/24", "2001:db8::1"], "max_object_bytes": 1"#),
        Ok(())
    );
    for (fields, named) in [
        (r#", "not_before": 2, "not_after": 1"#, "`not_before`"),
        (
            r#", "not_after": "2026-11-22T00:00:00Z""#,
            "`grants[0].not_after`",
        ),
        (r#", "not_before": 1.5"#, "`grants[0].not_before`"),
        (r#", "source_ips": []"#, "`source_ips`"),
        (r#", "source_ips": ["192.0.2.7", "office"]"#, "`source_ips`"),
        (r#", "source_ips": ["192.0.2.0/33"]"#, "`source_ips`"),
        (r#", "source_ips": [""]"#, "`source_ips`"),
        (r#", "source_ips": ["*"]"#, "`source_ips`"),
        // Whoever wrote this may have meant nobody.
        (r#", "source_ips": null"#, "`grants[0].source_ips`"),
        (r#", "source_ips": "192.0.2.7""#, "`grants[0].source_ips`"),
        (r#", "max_object_bytes": 0"#, "`max_object_bytes`"),
        (r#", "max_object_bytes": -1"#, "`grants[0].max_object_bytes`"),
        (r#", "max_object_bytes": "5 MB""#, "`grants[0].max_object_bytes`"),
        (r#", "source_ip": ["192.0.2.7"]"#, "`grants[0]"),
    ] {
        let error = read(fields).unwrap_err();
        assert!(
            error.starts_with("key record `AK`: ") && error.contains(named),
            "{fields}: {error}"
        );
    }
}
