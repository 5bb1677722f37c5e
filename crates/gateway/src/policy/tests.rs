use super::*;
use crate::device::Device;

/// The bytes of a field of a plain key's grant.
fn expand(field: &str, template: &str, key_id: &str) -> Result<Vec<u8>, RecordError> {
    Template::new(field, template.to_owned(), key_id).map(|template| template.filled(key_id))
}

/// The key at the origin, or the fault that the request is refused with.
fn outcome(device: &Device, method: &str, target: &str) -> Result<String, Fault> {
    device.request(method, target, &[], |outcome| {
        outcome
            .map(|authorized| authorized.origin_key().as_str().to_owned())
            .map_err(|refusal| refusal.fault())
    })
}

#[test]
fn h01_the_preset_lets_the_five_upload_operations_pass_and_nothing_else() {
    let device = Device::with_grants(r#"[{"bucket": "devices"}]"#);
    for (method, target) in [
        ("PUT", "/devices/k"),
        ("POST", "/devices/k?uploads"),
        ("PUT", "/devices/k?partNumber=1&uploadId=U"),
        ("POST", "/devices/k?uploadId=U"),
        ("DELETE", "/devices/k?uploadId=U"),
    ] {
        assert_eq!(
            outcome(&device, method, target),
            Ok("k".into()),
            "{method} {target}"
        );
    }
    for (method, target) in [
        ("GET", "/devices/k"),
        ("HEAD", "/devices/k"),
        ("HEAD", "/devices/k?objectMeta"),
        ("GET", "/devices/k?response-content-type=text/html"),
        ("DELETE", "/devices/k"),
        ("GET", "/devices/k?uploadId=U"),
        ("GET", "/devices/?prefix="),
        ("GET", "/devices/?uploads"),
        ("POST", "/devices/?delete"),
        ("PUT", "/devices/k?acl"),
        ("PUT", "/devices/k?tagging"),
        ("PUT", "/devices/k?symlink"),
        ("POST", "/devices/k?append&position=0"),
        ("POST", "/devices/k?restore"),
        ("POST", "/devices/k"),
        ("PUT", "/devices/"),
        ("PUT", "/devices/k?uploads&acl"),
        ("DELETE", "/devices/k?uploadId=U&tagging"),
        ("POST", "/devices/k?Uploads"),
        ("PATCH", "/devices/k"),
        ("OPTIONS", "/devices/k"),
    ] {
        assert_eq!(
            outcome(&device, method, target),
            Err(Fault::Forbidden),
            "{method} {target}"
        );
    }
}

#[test]
fn h01_reading_is_its_own_preset_and_each_read_a_right_of_its_own() {
    let reads = [
        ("GET", "/devices/k"),
        ("HEAD", "/devices/k"),
        ("HEAD", "/devices/k?objectMeta"),
    ];
    for (operations, allowed) in [
        ("read-only", [true, true, true]),
        ("GetObject", [true, false, false]),
        ("HeadObject", [false, true, true]),
        ("upload-only", [false, false, false]),
    ] {
        let device = Device::with_grants(&format!(
            r#"[{{"bucket": "devices", "operations": ["{operations}"]}}]"#
        ));
        for ((method, target), allowed) in reads.into_iter().zip(allowed) {
            assert_eq!(
                outcome(&device, method, target).is_ok(),
                allowed,
                "{operations} {method} {target}"
            );
        }
        let writes = operations == "upload-only";
        assert_eq!(
            outcome(&device, "PUT", "/devices/k").is_ok(),
            writes,
            "{operations}"
        );
        for (method, target) in [
            ("DELETE", "/devices/k"),
            ("GET", "/devices/"),
            ("GET", "/devices/k?acl"),
        ] {
            assert_eq!(
                outcome(&device, method, target),
                Err(Fault::Forbidden),
                "{operations} {method} {target}"
            );
        }
    }
}

#[test]
fn d15_a_key_without_a_grant_may_do_nothing() {
    let device = Device::with_grants("[]");
    assert_eq!(outcome(&device, "PUT", "/devices/k"), Err(Fault::Forbidden));
}

#[test]
fn a_grant_is_for_its_bucket_and_its_operations() {
    let device = Device::with_grants(
        r#"[{"bucket": "devices", "operations": ["PutObject"]}, {"bucket": "firmware", "operations": ["ListParts"]}]"#,
    );
    assert_eq!(outcome(&device, "PUT", "/devices/k"), Ok("k".into()));
    assert_eq!(
        outcome(&device, "POST", "/devices/k?uploads"),
        Err(Fault::Forbidden)
    );
    assert_eq!(outcome(&device, "PUT", "/firmware/k"), Err(Fault::Forbidden));
    assert_eq!(outcome(&device, "GET", "/firmware/k?uploadId=U"), Ok("k".into()));
}

#[test]
fn a_prefix_is_whole_segments_and_a_mount_stands_before_the_key() {
    let device = Device::with_grants(
        r#"[{"bucket": "devices", "prefix": "logs/{key_id}/", "mount": "fleet/{key_id}/"}]"#,
    );
    assert_eq!(
        outcome(&device, "PUT", "/devices/logs/AK-1/a%2Fb"),
        Ok("fleet/AK-1/logs/AK-1/a/b".into())
    );
    for target in [
        "/devices/logs/AK-1",
        "/devices/logs/AK-12/a",
        "/devices/logs/ak-1/a",
        "/devices/k",
        "/devices//logs/AK-1/a",
    ] {
        assert_eq!(outcome(&device, "PUT", target), Err(Fault::Forbidden), "{target}");
    }
    assert_eq!(
        outcome(&device, "PUT", "/devices/logs/AK-1/../AK-2/a"),
        Err(Fault::ObjectNameInvalid)
    );
}

#[test]
fn the_first_grant_that_covers_a_request_counts() {
    let device = Device::with_grants(
        r#"[{"bucket": "devices", "prefix": "a/", "mount": "one/"}, {"bucket": "devices", "mount": "two/"}]"#,
    );
    assert_eq!(outcome(&device, "PUT", "/devices/a/k"), Ok("one/a/k".into()));
    assert_eq!(outcome(&device, "PUT", "/devices/b/k"), Ok("two/b/k".into()));
}

#[test]
fn the_reserved_prefix_can_be_reached_neither_as_a_key_nor_through_a_mount() {
    let device = Device::with_grants(r#"[{"bucket": "devices"}]"#);
    assert_eq!(
        outcome(&device, "PUT", "/devices/.causeway/x"),
        Err(Fault::ObjectNameInvalid)
    );
    assert!(expand("mount", ".causeway/", "AK").is_err());
}

#[test]
fn h07_headers_named_like_policy_words_change_nothing() {
    let device = Device::with_grants(r#"[{"bucket": "devices", "prefix": "a/"}]"#);
    let headers = [
        ("userid", "root"),
        ("x-causeway-grant", "*"),
        ("x-causeway-passport", "1.a"),
        ("prefix", ""),
    ];
    device.request("PUT", "/devices/b", &headers, |outcome| {
        assert_eq!(outcome.unwrap_err().fault(), Fault::Forbidden);
    });
}

#[test]
fn templates_of_another_form_are_refused_by_their_field() {
    for template in [
        "a",
        "/",
        "/a/",
        "a//b/",
        "{key}/",
        "a{key_id}/",
        "{key_id}x/",
        "../",
        "a/./",
        "a\\b/",
        "a\u{1}/",
    ] {
        let error = expand("prefix", template, "AK").unwrap_err();
        assert!(error.0.starts_with("`prefix`"), "{template}: {}", error.0);
    }
    assert_eq!(expand("mount", "a/{key_id}/b/", "AK").unwrap(), b"a/AK/b/");
    assert_eq!(expand("mount", "", "AK").unwrap(), b"");
}

/// The key at the origin of a device of the fleet `cams`, or the fault that it is refused with.
fn fleet_outcome(device: &Device, key_id: &str, target: &str) -> Result<String, Fault> {
    device.request_of_derived(key_id, "PUT", target, |outcome| {
        outcome
            .map(|authorized| authorized.origin_key().as_str().to_owned())
            .map_err(|refusal| refusal.fault())
    })
}

#[test]
fn every_device_of_a_fleet_has_a_mount_of_its_own() {
    for (mount, key) in [
        ("fleet/{device}/", "fleet/cam-1/k"),
        ("{key_id}/", "d1.cams.cam-1/k"),
        ("{fleet}/{device}/in/", "cams/cam-1/in/k"),
    ] {
        let device = Device::of_a_fleet(
            &format!(r#"[{{"bucket": "devices", "mount": "{mount}"}}]"#),
            r#"["cam-9"]"#,
        );
        let outcome = |id: &str| fleet_outcome(&device, id, "/devices/k");
        assert_eq!(outcome("d1.cams.cam-1"), Ok(key.to_owned()));
        assert_eq!(outcome("d1.cams.cam-2"), Ok(key.replace("cam-1", "cam-2")));
        assert_eq!(outcome("d1.cams.cam-9"), Err(Fault::KeyUnknown));
    }
}

#[test]
fn a_prefix_binds_each_device_to_its_own_keys() {
    let device = Device::of_a_fleet(r#"[{"bucket": "devices", "prefix": "{fleet}/{device}/"}]"#, "[]");
    let outcome = |id: &str| fleet_outcome(&device, id, "/devices/cams/cam-1/k");
    assert_eq!(outcome("d1.cams.cam-1"), Ok("cams/cam-1/k".to_owned()));
    for id in ["d1.cams.cam-2", "d1.cams.cam-", "d1.cams.cam-11"] {
        assert_eq!(outcome(id), Err(Fault::Forbidden), "{id}");
    }
}

#[test]
fn a_template_names_only_what_the_keys_of_its_record_have() {
    let grants = |mount: &str| format!(r#"[{{"bucket": "devices", "mount": "{mount}"}}]"#);
    let read = |id: &str, of: &str, mount: &str| {
        let secret = "0123456789abcdef0123456789abcdef";
        let json = format!(
            r#"{{"id": "{id}", "{of}": [{{"secret": "{secret}"}}], "grants": {}}}"#,
            grants(mount)
        );
        KeyRecord::from_json(id, &json)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    for mount in ["{key_id}/", "a/{key_id}/b/"] {
        assert_eq!(read("AK-1", "secrets", mount), Ok(()));
        assert_eq!(read("d1.cams", "masters", mount), Ok(()));
    }
    for mount in ["{device}/", "{fleet}/", "a/{device}/"] {
        assert_eq!(read("d1.cams", "masters", mount), Ok(()));
        assert!(read("AK-1", "secrets", mount).unwrap_err().contains("`mount`"));
    }
    for mount in [
        "{device}",
        "x{device}/",
        "{devices}/",
        "{device}x/",
        "{}/",
        "{/",
        "../{device}/",
    ] {
        let error = read("d1.cams", "masters", mount).unwrap_err();
        assert!(error.contains("`mount`"), "{mount}: {error}");
    }
    // What would be too long for one device is too long for the fleet.
    let deep = "{device}/".repeat(15);
    assert_eq!(read("d1.cams", "masters", &deep), Ok(()));
    assert!(read("d1.cams", "masters", &"{device}/".repeat(16)).is_err());
}
