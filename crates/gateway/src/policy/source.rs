//! Where a copy may come from: a read of another object, under a grant of its own.
//!
//! A copy shows its client what the source holds, so the key needs a grant of GetObject for the source's
//! bucket and key, whichever version is named, beside the one that lets it write (attack case H11). A bucket
//! that is not configured is answered like one that no grant names (L05).

use oss_s3::addressing::{Hosts, VirtualBucket};
use oss_s3::copy_source::{CopySource, OriginSource};
use oss_s3::error::{Fault, Refusal};
use oss_s3::operation::Operation;
use request_auth::Verified;

use super::{Circumstances, Grant};
use crate::keys::KeyRecord;

/// The source of a verified copy as the origin knows it. `is_weighed` says whether the origin is going to be
/// asked for its size, as for any copy under a limit: it can only be asked where the copy goes.
///
/// # Errors
/// A [`Refusal`]: the request names no source, no grant lets the key read it, or it lies at another origin.
pub(super) fn readable(
    record: &KeyRecord,
    hosts: &Hosts,
    verified: &Verified<'_, &VirtualBucket>,
    circumstances: Circumstances<'_>,
    is_weighed: bool,
) -> Result<OriginSource, Refusal> {
    let source = CopySource::of(verified)?;
    let denied =
        || Refusal::new(Fault::Forbidden).because("No grant of the key lets it read the source of the copy.");
    let bucket = hosts.named(source.bucket().as_bytes()).ok_or_else(denied)?;
    let opens = |grant: &Grant| {
        let area = grant.opens(bucket, Operation::GetObject, verified.key_id(), circumstances);
        area.filter(|area| area.admits(source.key()))
    };
    let area = record.grants().iter().find_map(opens).ok_or_else(denied)?;
    let (origin, other) = (&verified.bucket().origin, &bucket.origin);
    if !origin.copies_from(other) || (is_weighed && origin.region != other.region) {
        return Err(Fault::SourceElsewhere.into());
    }
    Ok(source.at_origin(bucket, &area)?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;
    use super::*;
    use crate::device::{Device, seals};

    const SOURCE: &str = "x-oss-copy-source";

    /// The source at the origin, or the fault that the copy is refused with.
    fn copied(grants: &str, source: &str) -> Result<String, Fault> {
        let device = Device::with_grants(grants);
        let copy = |target| {
            device.request("PUT", target, &[(SOURCE, source)], |outcome| {
                let authorized = outcome.map_err(|refusal| refusal.fault())?;
                let errand = authorized.errand(&seals()).unwrap();
                let mut headers = errand.headers().iter();
                let found = headers.find(|(name, _)| name == "x-amz-copy-source").unwrap();
                Ok(String::from_utf8(found.1.clone()).unwrap())
            })
        };
        let object = copy("/devices/new");
        assert_eq!(copy("/devices/new?partNumber=1&uploadId=U"), object);
        object
    }

    const COPY: &str =
        r#"{"bucket": "devices", "operations": ["CopyObject", "UploadPartCopy"], "mount": "d/"}"#;

    #[test]
    fn h11_a_copy_reads_its_source_under_a_grant_of_its_own() {
        let read = |grant: &str| format!("[{COPY}, {grant}]");
        let own = read(r#"{"bucket": "devices", "operations": ["GetObject"], "mount": "s/"}"#);
        for (source, expected) in [
            ("/devices/a%2Fb+c", "/acme-ingest/s/a/b%20c"),
            ("/devices/k?versionId=v", "/acme-ingest/s/k?versionId=v"),
            ("devices/k", "/acme-ingest/s/k"),
        ] {
            assert_eq!(copied(&own, source), Ok(expected.to_owned()), "{source}");
        }
        let other = read(r#"{"bucket": "firmware", "operations": ["read-only"], "prefix": "v2/"}"#);
        assert_eq!(
            copied(&other, "/firmware/v2/k"),
            Ok("/acme-firmware/v2/k".to_owned())
        );
        for source in [
            "/firmware/v1/k",
            "/firmware/v1/k?versionId=v",
            "/firmware/v2",
            "/firmware/k?versionId=v2/k",
            "/devices/new",
            "/nobody/v2/k",
            "/acme-firmware/v2/k",
            "/acme-ingest/d/new",
        ] {
            assert_eq!(copied(&other, source), Err(Fault::Forbidden), "{source}");
        }
        // The rights to write there, to look at it, and to delete it are no right to read.
        for right in ["upload-only", "HeadObject", "DeleteObject", "ListObjects"] {
            let grants = read(&format!(r#"{{"bucket": "firmware", "operations": ["{right}"]}}"#));
            assert_eq!(copied(&grants, "/firmware/k"), Err(Fault::Forbidden), "{right}");
        }
        let ended = read(r#"{"bucket": "firmware", "operations": ["GetObject"], "not_after": 1}"#);
        assert_eq!(copied(&ended, "/firmware/k"), Err(Fault::Forbidden));
    }

    #[test]
    fn h11_the_right_to_read_and_to_put_is_no_right_to_copy() {
        let grants = r#"[{"bucket": "devices", "operations": ["upload-only", "read-only"]}]"#;
        assert_eq!(copied(grants, "/devices/k"), Err(Fault::Forbidden));
        let device = Device::with_grants(
            r#"[{"bucket": "devices", "operations": ["CopyObject", "UploadPartCopy", "GetObject"]}]"#,
        );
        assert_eq!(outcome(&device, "PUT", "/devices/k"), Err(Fault::Forbidden));
    }

    #[test]
    fn a06_a_source_that_is_none_is_refused_whatever_is_granted() {
        let grants = format!(r#"[{COPY}, {{"bucket": "devices", "operations": ["read-only"]}}]"#);
        for bucket in ["devices", "firmware", "nobody"] {
            for (key, fault) in [
                ("../k", Fault::ObjectNameInvalid),
                ("%2e%2e/k", Fault::ObjectNameInvalid),
                ("a%5Cb", Fault::ObjectNameInvalid),
                ("", Fault::ObjectNameInvalid),
                ("k?acl", Fault::ArgumentInvalid),
                ("k?versionId=v&versionId=w", Fault::ArgumentInvalid),
                ("%zz", Fault::ArgumentInvalid),
            ] {
                let source = ["/", bucket, "/", key].concat();
                assert_eq!(copied(&grants, &source), Err(fault), "{source}");
            }
        }
    }

    #[test]
    fn a_source_at_another_origin_is_refused_with_a_sentence_of_its_own() {
        let grants = format!(
            r#"[{COPY}, {{"bucket": "elsewhere", "operations": ["read-only"]}}, {{"bucket": "frankfurt", "operations": ["read-only"]}}]"#
        );
        assert_eq!(copied(&grants, "/elsewhere/k"), Err(Fault::SourceElsewhere));
        assert_eq!(
            copied(&grants, "/frankfurt/k"),
            Ok("/acme-frankfurt/k".to_owned())
        );
        let limited = grants.replace(r#""mount": "d/""#, r#""max_object_bytes": 7"#);
        assert_eq!(copied(&limited, "/frankfurt/k"), Err(Fault::SourceElsewhere));
        // Whoever may not read it is not told that it is there.
        assert_eq!(
            copied(&format!("[{COPY}]"), "/elsewhere/k"),
            Err(Fault::Forbidden)
        );
    }
}
