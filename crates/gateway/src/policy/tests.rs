use super::*;
use crate::device::{Device, NOW};

fn origin_key(authorized: &Authorized<'_>) -> String {
    match authorized.target() {
        Target::Object { origin_key, .. } => origin_key.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// The bytes of a field of a plain key's grant.
fn expand(field: &str, template: &str, key_id: &str) -> Result<Vec<u8>, RecordError> {
    Template::new(field, template.to_owned(), key_id).map(|template| template.filled(key_id))
}

/// The key at the origin, or the fault that the request is refused with.
pub(super) fn outcome(device: &Device, method: &str, target: &str) -> Result<String, Fault> {
    device.request(method, target, &[], |outcome| {
        outcome
            .map(|authorized| origin_key(&authorized))
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
            ("GET", "/devices/?uploads"),
            ("PUT", "/devices/k?acl"),
            ("PUT", "/devices/k?tagging"),
            ("DELETE", "/devices/k?tagging"),
            ("POST", "/devices/k?restore"),
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
fn h06_the_right_to_abort_an_upload_is_no_right_to_delete_an_object() {
    for (operation, target, other) in [
        (
            "AbortMultipartUpload",
            "/devices/k?uploadId=U",
            ["/devices/k", "/devices/k?versionId=v"],
        ),
        (
            "DeleteObject",
            "/devices/k?versionId=v",
            ["/devices/k?uploadId=U", "/devices/"],
        ),
    ] {
        let device = Device::with_grants(&format!(
            r#"[{{"bucket": "devices", "operations": ["{operation}"]}}]"#
        ));
        assert_eq!(outcome(&device, "DELETE", target), Ok("k".into()));
        for target in other {
            assert_eq!(outcome(&device, "DELETE", target), Err(Fault::Forbidden));
        }
    }
}

#[test]
fn h01_what_has_no_counterpart_is_told_to_a_key_that_does_more_than_upload() {
    let grants = |operations: &str| format!(r#"[{{"bucket": "devices", "operations": [{operations}]}}]"#);
    let requests = [
        ("POST", "/devices/k?append&position=0"),
        ("PUT", "/devices/k?symlink"),
        ("GET", "/devices/k?symlink"),
        ("POST", "/devices/k?x-oss-process=image"),
        ("POST", "/devices/k?asyncFetch"),
        ("PUT", "/devices/k?live"),
        ("GET", "/devices/?stat"),
    ];
    for (operations, fault) in [
        (r#""upload-only""#, Fault::Forbidden),
        (r#""PutObject", "UploadPart""#, Fault::Forbidden),
        (r#""upload-only", "ListParts""#, Fault::NotImplemented),
        (r#""read-only""#, Fault::NotImplemented),
        (r#""data-layer""#, Fault::NotImplemented),
    ] {
        let device = Device::with_grants(&grants(operations));
        for (method, target) in requests {
            assert_eq!(
                outcome(&device, method, target),
                Err(fault),
                "{operations} {target}"
            );
        }
        // L05: without a grant of the bucket, whatever a key may do elsewhere.
        for bucket in ["firmware", "nobody"] {
            let target = format!("/{bucket}/k?symlink");
            assert_eq!(
                outcome(&device, "PUT", &target),
                Err(Fault::Forbidden),
                "{target}"
            );
        }
    }
}

#[test]
fn o05_a_feature_of_an_operation_is_told_to_be_lacking_where_the_operation_is_granted() {
    for (operations, method, query, fault) in [
        ("upload-only", "PUT", "callback=e30", Fault::NotImplemented),
        (
            "upload-only",
            "POST",
            "uploadId=U&callback=e30",
            Fault::NotImplemented,
        ),
        ("upload-only", "GET", "x-oss-process=image", Fault::Forbidden),
        ("read-only", "GET", "x-oss-process=image", Fault::NotImplemented),
        ("read-only", "PUT", "callback=e30", Fault::Forbidden),
        ("upload-only", "GET", "tagging=1", Fault::Forbidden),
        ("read-only", "GET", "tagging=1", Fault::ArgumentInvalid),
    ] {
        let device = Device::with_grants(&format!(
            r#"[{{"bucket": "devices", "operations": ["{operations}"]}}]"#
        ));
        let target = format!("/devices/k?{query}");
        assert_eq!(
            outcome(&device, method, &target),
            Err(fault),
            "{operations} {target}"
        );
    }
}

#[test]
fn h01_each_attribute_of_an_object_is_a_right_of_its_own() {
    let requests = [
        ("GetObjectTagging", "GET", "tagging"),
        ("PutObjectTagging", "PUT", "tagging"),
        ("DeleteObjectTagging", "DELETE", "tagging"),
        ("GetObjectAcl", "GET", "acl"),
        ("PutObjectAcl", "PUT", "acl"),
        ("RestoreObject", "POST", "restore"),
    ];
    for (granted, ..) in requests {
        let grants = format!(r#"[{{"bucket": "devices", "prefix": "a/", "operations": ["{granted}"]}}]"#);
        let device = Device::with_grants(&grants);
        for (operation, method, query) in requests {
            let of_key = |key: &str| outcome(&device, method, &format!("/devices/{key}?{query}"));
            assert_eq!(
                of_key("a/k").is_ok(),
                operation == granted,
                "{granted} {operation}"
            );
            assert_eq!(of_key("b/k"), Err(Fault::Forbidden));
        }
    }
}

#[test]
fn h09_an_upload_that_another_device_began_is_out_of_reach() {
    let requests = [
        ("PUT", "partNumber=1&uploadId=U"),
        ("POST", "uploadId=U"),
        ("DELETE", "uploadId=U"),
        ("GET", "uploadId=U"),
    ];
    let grants = |area: &str| {
        format!(r#"[{{"bucket": "devices", "operations": ["upload-only", "ListParts"], {area}}}]"#)
    };
    let prefixed = Device::with_grants(&grants(r#""prefix": "logs/{key_id}/""#));
    let mounted = Device::with_grants(&grants(r#""mount": "fleet/{key_id}/""#));
    for (method, query) in requests {
        let of_key = |device: &Device, key: &str| outcome(device, method, &format!("/devices/{key}?{query}"));
        assert_eq!(
            of_key(&prefixed, "logs/AK-1/k"),
            Ok("logs/AK-1/k".into()),
            "{query}"
        );
        assert_eq!(of_key(&prefixed, "logs/AK-2/k"), Err(Fault::Forbidden), "{query}");
        // Another's upload is to another key at the origin, whatever its id is.
        assert_eq!(of_key(&mounted, "k"), Ok("fleet/AK-1/k".into()), "{query}");
        assert_eq!(
            of_key(&mounted, "fleet/AK-2/k"),
            Ok("fleet/AK-1/fleet/AK-2/k".into()),
            "{query}"
        );
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
            .map(|authorized| origin_key(&authorized))
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
    for mount in [".causeway/", ".causeway/{key_id}/"] {
        let error = read("AK-1", "secrets", mount).unwrap_err();
        assert!(error.contains("`.causeway/`"), "{mount}: {error}");
    }
    // What would be too long for one device is too long for the fleet.
    let deep = "{device}/".repeat(15);
    assert_eq!(read("d1.cams", "masters", &deep), Ok(()));
    assert!(read("d1.cams", "masters", &"{device}/".repeat(16)).is_err());
}

#[test]
fn h01_presets_hold_what_their_names_say() {
    let of = |name: &str| preset(name).unwrap();
    assert_eq!(of(UPLOAD_ONLY), Operation::UPLOAD);
    assert!(!of(READ_ONLY).contains(&Operation::PutObject));
    // The right to drop an upload is not the right to delete an object (attack case H06).
    assert!(!of(UPLOAD_ONLY).contains(&Operation::DeleteObject));
    let all = of(DATA_LAYER);
    for name in PRESETS {
        let operations = of(name);
        let mut seen = Vec::new();
        for operation in operations {
            assert!(
                all.contains(&operation) && !seen.contains(&operation),
                "{name} {operation:?}"
            );
            seen.push(operation);
        }
        let changes_bucket = seen.iter().any(|operation| operation.is_of_whole_bucket());
        assert_eq!(changes_bucket, name == DATA_LAYER, "{name}");
    }
    assert_eq!(preset("everything"), None);
}

#[test]
fn a_batch_carries_the_areas_of_every_grant_that_permits_it_and_other_requests_of_a_bucket_one() {
    let device = Device::with_grants(
        r#"[{"bucket": "devices", "operations": ["read-only", "DeleteObjects"], "prefix": "a/", "mount": "m/{key_id}/"},
            {"bucket": "devices", "operations": ["PutObject"], "prefix": "b/"},
            {"bucket": "devices", "operations": ["read-write"], "prefix": "c/"}]"#,
    );
    let areas = [("a/", "m/AK-1/"), ("c/", "")];
    let areas = areas.map(|(prefix, mount)| Area::new(prefix.to_owned(), mount.to_owned()));
    for (method, target, carried) in [
        ("POST", "/devices/?delete", &areas[..]),
        ("HEAD", "/devices/", &areas[..1]),
    ] {
        device.request(method, target, &[], |outcome| {
            assert_eq!(outcome.unwrap().target().areas(), carried, "{target}");
        });
    }
    let refused = device.request("HEAD", "/firmware/", &[], |outcome| outcome.unwrap_err().fault());
    assert_eq!(refused, Fault::Forbidden);
}

#[test]
fn h01_who_may_not_list_buckets_is_not_told_what_else_is_wrong_with_the_request() {
    for (grant, fault) in [
        (r#""operations": ["upload-only"]"#, Fault::Forbidden),
        (r#""operations": ["read-only"]"#, Fault::ArgumentInvalid),
        (r#""operations": ["read-only"], "not_after": 1"#, Fault::Forbidden),
    ] {
        let grants = format!(r#"[{{"bucket": "devices", {grant}}}]"#);
        let device = Device::with_grants(&grants);
        let refused = device.request("GET", "/?max-keys=abc", &[], |outcome| {
            outcome.unwrap_err().fault()
        });
        assert_eq!(refused, fault, "{grant}");
    }
    let device = Device::with_grants(
        r#"[{"bucket": "devices"}, {"bucket": "devices", "operations": ["read-write"], "not_after": 1}]"#,
    );
    let refused = device.request("POST", "/devices/k?append&position=0", &[], |outcome| {
        outcome.unwrap_err().fault()
    });
    assert_eq!(refused, Fault::Forbidden, "a grant that is over tells nothing");
}

#[test]
fn b05_a_list_is_of_one_area_of_those_that_grants_open() {
    let device = Device::with_grants(
        r#"[{"bucket": "devices", "operations": ["read-only"], "prefix": "a/b/", "mount": "m/{key_id}/"},
            {"bucket": "devices", "operations": ["PutObject"], "prefix": "b/"},
            {"bucket": "devices", "operations": ["ListObjectsV2"], "prefix": "c/"},
            {"bucket": "devices", "operations": ["ListMultipartUploads"], "prefix": "d/"}]"#,
    );
    let area = |target: &str| {
        device.request("GET", target, &[], |outcome| {
            let authorized = outcome.map_err(|refusal| refusal.fault())?;
            match authorized.target().areas() {
                [area] => Ok((area.prefix().to_owned(), area.mount().to_owned())),
                areas => panic!("{areas:?}"),
            }
        })
    };
    for (query, prefix, mount) in [
        ("", "a/b/", "m/AK-1/"),
        ("?prefix=a/b/k", "a/b/", "m/AK-1/"),
        ("?prefix=a", "a/b/", "m/AK-1/"),
        ("?list-type=2&prefix=c/", "c/", ""),
        ("?uploads", "d/", ""),
    ] {
        let expected = Ok((prefix.to_owned(), mount.to_owned()));
        assert_eq!(area(&["/devices/", query].concat()), expected, "{query}");
    }
    for query in [
        "?prefix=b/",
        "?prefix=d/",
        "?prefix=a/c",
        "?prefix=m/AK-1/",
        "?uploads&prefix=a/b/",
    ] {
        assert_eq!(
            area(&["/devices/", query].concat()),
            Err(Fault::Forbidden),
            "{query}"
        );
    }
    assert_eq!(area("/firmware/"), Err(Fault::Forbidden));
}

#[test]
fn a_bucket_itself_is_changed_by_a_grant_of_the_whole_bucket_only() {
    for (grant, opens) in [
        (r#""prefix": "a/""#, false),
        (r#""mount": "a/""#, false),
        (r#""prefix": """#, true),
    ] {
        let grants = format!(r#"[{{"bucket": "devices", "operations": ["data-layer"], {grant}}}]"#);
        let record = KeyRecord::from_json(
            "AK-1",
            &format!(
                r#"{{"id": "AK-1", "secrets": [{{"secret": "0123456789abcdef"}}], "grants": {grants}}}"#
            ),
        )
        .unwrap();
        let device = Device::with_grants(&grants);
        let bucket = device.config().hosts.buckets().first().unwrap();
        let anyone = Circumstances { now: NOW, peer: None };
        for operation in Operation::all() {
            let opened = record
                .grants()
                .first()
                .unwrap()
                .opens(bucket, operation, "AK-1", anyone);
            let is_open = opens || !operation.is_of_whole_bucket();
            assert_eq!(opened.is_some(), is_open, "{grant} {operation:?}");
        }
    }
}

#[test]
fn the_service_is_asked_for_the_buckets_that_a_grant_names_and_no_others() {
    let listed = |grants: &str, target: &str| {
        Device::with_grants(grants).request("GET", target, &[], |outcome| {
            outcome
                .map(|authorized| match authorized.target() {
                    Target::Service { buckets } => buckets
                        .iter()
                        .map(|bucket| bucket.name.clone())
                        .collect::<Vec<_>>(),
                    other => panic!("{other:?}"),
                })
                .map_err(|refusal| refusal.fault())
        })
    };
    let both = r#"[{"bucket": "firmware", "operations": ["ListBuckets"]}, {"bucket": "devices", "operations": ["read-only"], "prefix": "a/"}]"#;
    assert_eq!(
        listed(both, "/"),
        Ok(vec!["devices".to_owned(), "firmware".to_owned()])
    );
    let one = r#"[{"bucket": "firmware", "operations": ["ListBuckets"]}, {"bucket": "devices"}]"#;
    assert_eq!(listed(one, "/"), Ok(vec!["firmware".to_owned()]));
    assert_eq!(listed(r#"[{"bucket": "devices"}]"#, "/"), Err(Fault::Forbidden));
    assert_eq!(listed(both, "/?acl"), Err(Fault::Forbidden));
}
