//! The gateway's own prefix, sent through everything that names an object.

use oss_s3::operation::{Level, Operation};

use super::tests::outcome;
use super::*;
use crate::device::Device;

/// An operation, and how it is asked for: method, target and headers; `@` stands for the key.
type Asking = (
    Operation,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Every way to ask for an operation on an object.
const ASKED: [Asking; 19] = [
    (Operation::PutObject, "PUT", "/devices/@", &[]),
    (
        Operation::PutObject,
        "PUT",
        "/devices/@",
        &[("x-oss-forbid-overwrite", "true")],
    ),
    (
        Operation::InitiateMultipartUpload,
        "POST",
        "/devices/@?uploads",
        &[],
    ),
    (
        Operation::UploadPart,
        "PUT",
        "/devices/@?partNumber=1&uploadId=U",
        &[],
    ),
    (
        Operation::CompleteMultipartUpload,
        "POST",
        "/devices/@?uploadId=U",
        &[],
    ),
    (
        Operation::AbortMultipartUpload,
        "DELETE",
        "/devices/@?uploadId=U",
        &[],
    ),
    (Operation::ListParts, "GET", "/devices/@?uploadId=U", &[]),
    (Operation::GetObject, "GET", "/devices/@", &[]),
    (Operation::GetObject, "GET", "/devices/@?versionId=v", &[]),
    (Operation::HeadObject, "HEAD", "/devices/@", &[]),
    (Operation::HeadObject, "HEAD", "/devices/@?objectMeta", &[]),
    (
        Operation::CopyObject,
        "PUT",
        "/devices/@",
        &[("x-oss-copy-source", "/devices/s")],
    ),
    (
        Operation::UploadPartCopy,
        "PUT",
        "/devices/@?partNumber=1&uploadId=U",
        &[("x-oss-copy-source", "/devices/s")],
    ),
    (Operation::DeleteObject, "DELETE", "/devices/@", &[]),
    (Operation::GetObjectTagging, "GET", "/devices/@?tagging", &[]),
    (Operation::PutObjectTagging, "PUT", "/devices/@?tagging", &[]),
    (
        Operation::DeleteObjectTagging,
        "DELETE",
        "/devices/@?tagging",
        &[],
    ),
    (Operation::GetObjectAcl, "GET", "/devices/@?acl", &[]),
    (Operation::RestoreObject, "POST", "/devices/@?restore", &[]),
];

/// The prefix as a URL may spell it.
const SPELLINGS: [&str; 9] = [
    ".causeway/k",
    ".causeway/",
    "%2Ecauseway/k",
    "%2ecauseway%2fk",
    ".causeway%2Ffolder%2F00001",
    ".%63auseway/k",
    "%2E%63%61%75%73%65%77%61%79%2F%6B",
    "/.causeway/k",
    "%2F.causeway/k",
];

/// Keys that only look like it.
const OTHERS: [&str; 6] = [
    ".causeway",
    ".causeway2/k",
    ".Causeway/k",
    "a/.causeway/k",
    "%252Ecauseway/k",
    ".causeway%252Fk",
];

fn devices() -> [Device; 3] {
    [
        r#"[{"bucket": "devices", "operations": ["data-layer"]}]"#,
        r#"[{"bucket": "devices", "operations": ["data-layer"], "mount": "m/{key_id}/"}]"#,
        // One that covers the prefix for whoever forgets to look at the key.
        r#"[{"bucket": "devices", "operations": ["data-layer"], "mount": ".causeway2/"}]"#,
    ]
    .map(Device::with_grants)
}

#[test]
fn a11_no_operation_on_an_object_reaches_the_gateways_own_prefix_however_it_is_spelled() {
    for device in devices() {
        for (operation, method, target, headers) in ASKED {
            let asked = |key: &str| {
                let target = target.replace('@', key);
                device.request(method, &target, headers, |outcome| match outcome {
                    Ok(authorized) => Ok(authorized.call().operation()),
                    Err(refusal) => Err(refusal.fault()),
                })
            };
            for key in SPELLINGS {
                assert_eq!(asked(key), Err(Fault::ObjectNameInvalid), "{operation:?} {key}");
            }
            for key in OTHERS {
                assert_eq!(asked(key), Ok(operation), "{key}");
            }
        }
    }
}

#[test]
fn every_operation_on_an_object_was_asked_for() {
    // Forms name their object in a field, and ACLs in a document; both have tests of their own.
    let elsewhere = [Operation::PostObject, Operation::PutObjectAcl];
    for operation in Operation::all().filter(|operation| operation.level() == Level::Object) {
        let is_asked = ASKED.iter().any(|(asked, ..)| *asked == operation);
        assert!(is_asked != elsewhere.contains(&operation), "{operation:?}");
    }
    for device in devices() {
        for key in SPELLINGS {
            let target = ["/devices/", key, "?acl"].concat();
            device.request("PUT", &target, &[("x-oss-object-acl", "private")], |outcome| {
                assert_eq!(outcome.unwrap_err().fault(), Fault::ObjectNameInvalid, "{key}");
            });
        }
    }
}

#[test]
fn a11_no_copy_is_made_of_what_lies_there() {
    for device in devices() {
        for target in ["/devices/k", "/devices/k?partNumber=1&uploadId=U"] {
            for bucket in ["/devices/", "devices/", "%2Fdevices%2F", "/firmware/", "/nobody/"] {
                for key in SPELLINGS {
                    let source = [bucket, key].concat();
                    let headers = [("x-oss-copy-source", source.as_str())];
                    device.request("PUT", target, &headers, |outcome| {
                        assert_eq!(outcome.unwrap_err().fault(), Fault::ObjectNameInvalid, "{source}");
                    });
                }
            }
        }
    }
}

#[test]
fn no_grant_leads_there_by_its_prefix_or_mount() {
    for field in ["prefix", "mount"] {
        for place in [".causeway/", ".causeway/f/", ".causeway/{key_id}/"] {
            assert!(
                Template::new(field, place.to_owned(), "AK").is_err(),
                "{field} {place}"
            );
        }
        assert!(Template::new(field, ".causeway2/".to_owned(), "AK").is_ok());
    }
    // An id stands for a whole segment, and begins with no dot.
    let record = |id: &str| {
        let json = format!(
            r#"{{"id": "{id}", "secrets": [{{"secret": "0123456789abcdef0123"}}],
                "grants": [{{"bucket": "devices", "mount": "{{key_id}}/"}}]}}"#
        );
        KeyRecord::from_json(id, &json).is_ok()
    };
    assert!(record("causeway") && !record(".causeway"));
    let device = Device::with_grants(r#"[{"bucket": "devices", "prefix": "a/"}]"#);
    assert_eq!(
        outcome(&device, "PUT", "/devices/a/.causeway/k"),
        Ok("a/.causeway/k".into())
    );
}
