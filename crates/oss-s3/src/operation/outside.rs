//! What is known and not translated: operations and features that have no counterpart, by the query names
//! that make them, and the names of a few others, for the log.

use request_auth::{Coverage, Dialect};

use super::{FEATURES, Level, Request};

impl Request<'_> {
    /// The query name of a feature that one of the two dialects lacks, where the signature covers it.
    pub(super) fn without_counterpart(&self) -> Option<&'static str> {
        let features: &[&str] = match self.dialect {
            Dialect::Oss => &FEATURES,
            Dialect::S3 => &[],
        };
        let is_there = |name: &&str| {
            let mut parameters = self.parameters.iter();
            parameters.any(|one| one.name == name.as_bytes() && one.coverage == Coverage::Signed)
        };
        WITHOUT_COUNTERPART.iter().chain(features).copied().find(is_there)
    }

    /// The name of the operation that this request is, where the table knows it.
    pub(super) fn outside_name(&self) -> Option<&'static str> {
        let is_this = |&(method, level, marker, _): &(&str, Level, &str, &str)| {
            method == self.method && level == self.level && self.value(marker).is_some()
        };
        OUTSIDE.into_iter().find(is_this).map(|(_, _, _, name)| name)
    }
}

/// Appending and sealing; links; work on objects, pictures and streams; folders that are renamed; retention; what
/// is counted, searched or named for a bucket; and what only S3 has: queries on objects, torrents, retention
/// of its own kind.
const WITHOUT_COUNTERPART: [&str; 27] = [
    "append",
    "seal",
    "symlink",
    "asyncFetch",
    "img",
    "style",
    "live",
    "vod",
    "comp",
    "cleanRestoredObject",
    "x-oss-rename",
    "x-oss-dir",
    "worm",
    "wormId",
    "stat",
    "metaQuery",
    "cname",
    "udf",
    "udfImage",
    "udfApplication",
    "select",
    "torrent",
    "attributes",
    "legal-hold",
    "retention",
    "object-lock",
    "renameObject",
];

/// Operations that are known and not translated: method, level, the query name that tells them, and their name.
const OUTSIDE: [(&str, Level, &str, &str); 4] = [
    ("GET", Level::Object, "objectMeta", "GetObjectMeta"),
    ("GET", Level::Bucket, "acl", "GetBucketAcl"),
    ("PUT", Level::Bucket, "acl", "PutBucketAcl"),
    ("GET", Level::Bucket, "versions", "ListObjectVersions"),
];

#[cfg(test)]
mod tests {
    use super::super::{Call, NotACall, Operation};

    use crate::device::Request as Device;
    use crate::error::Refusal;

    fn lacking(request: &Device) -> Option<&'static str> {
        match request.recognised() {
            Err(NotACall::WithoutCounterpart(name)) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn what_has_no_counterpart_is_said_to_have_none_by_its_query_name() {
        for (method, target, name) in [
            ("POST", "k?append&position=0", "append"),
            ("POST", "k?seal", "seal"),
            ("PUT", "k?symlink", "symlink"),
            ("GET", "k?symlink&versionId=v", "symlink"),
            ("POST", "k?x-oss-process=image/resize,w_1", "x-oss-process"),
            ("POST", "k?x-oss-process=csv/select", "x-oss-process"),
            ("POST", "k?x-oss-async-process=video", "x-oss-async-process"),
            ("POST", "k?asyncFetch", "asyncFetch"),
            ("POST", "k?cleanRestoredObject", "cleanRestoredObject"),
            ("PUT", "k?live", "live"),
            ("GET", "k?vod&endTime=2&startTime=1", "vod"),
            ("GET", "k?comp=stat&live", "live"),
            ("POST", "k?x-oss-rename", "x-oss-rename"),
            ("GET", "?stat", "stat"),
            ("GET", "?live", "live"),
            ("PUT", "?worm", "worm"),
            ("POST", "?wormId=1", "wormId"),
            ("POST", "?metaQuery&comp=query", "comp"),
            ("GET", "?cname", "cname"),
            ("GET", "?style", "style"),
        ] {
            let target = ["/devices/", target].concat();
            for request in [
                Device::new(method, &target),
                Device::new(method, &target).signed_by_v4(""),
            ] {
                assert_eq!(lacking(&request), Some(name), "{method} {target}");
            }
            let refusal = Refusal::from(NotACall::WithoutCounterpart(name));
            assert_eq!((refusal.status(), refusal.code()), (501, "NotImplemented"));
            assert!(refusal.reason().starts_with(name));
        }
        for (method, target, name) in [
            ("POST", "k?select&select-type=2", "select"),
            ("GET", "k?torrent", "torrent"),
            ("GET", "k?attributes", "attributes"),
            ("PUT", "k?legal-hold", "legal-hold"),
            ("PUT", "k?retention", "retention"),
            ("GET", "?object-lock", "object-lock"),
            ("PUT", "k?renameObject", "renameObject"),
        ] {
            let request = Device::new(method, &["/devices/", target].concat()).signed_by_s3(&[]);
            assert_eq!(lacking(&request), Some(name), "{method} {target}");
        }
    }

    #[test]
    fn o06_a_name_that_nobody_signed_tells_nothing() {
        // V1 signs none of S3's own names, and no name in another case.
        for query in ["select", "torrent", "attributes", "retention", "Append", "STAT"] {
            for method in ["GET", "PUT", "POST", "DELETE"] {
                let request = Device::new(method, &["/devices/k?", query].concat());
                assert!(
                    matches!(request.recognised(), Err(NotACall::Outside(_))),
                    "{method} {query}"
                );
            }
        }
    }

    #[test]
    fn h03_what_goes_together_in_no_dialect_stays_outside() {
        for (method, query) in [
            ("POST", "uploads&acl"),
            ("GET", "uploads&tagging"),
            ("DELETE", "acl"),
            ("DELETE", "restore"),
            ("PUT", "restore"),
            ("GET", "restore"),
            ("POST", "tagging"),
            ("POST", "acl"),
            ("HEAD", "acl"),
            ("HEAD", "tagging"),
            ("GET", "acl&tagging"),
            ("PUT", "tagging&uploadId=U"),
            ("PUT", "acl&partNumber=1"),
            ("GET", "tagging&response-expires=0"),
            ("GET", "tagging&prefix=a"),
            ("POST", "restore&select"),
            ("POST", "restore&uploads"),
            ("PUT", "Tagging"),
            ("GET", "ACL"),
        ] {
            for request in [
                Device::new(method, &["/devices/k?", query].concat()),
                Device::new(method, &["/devices/k?", query].concat()).signed_by_v4(""),
            ] {
                let refused: Result<Call, NotACall> = request.recognised();
                let is_outside = matches!(refused, Err(NotACall::Outside(_)));
                assert!(
                    is_outside || query == "restore&select",
                    "{method} {query} {refused:?}"
                );
                assert!(refused.is_err());
            }
        }
    }

    #[test]
    fn h05_a_copy_source_beside_a_sub_resource_makes_no_operation() {
        for query in ["tagging", "acl"] {
            let request = Device::new("PUT", &["/devices/k?", query].concat());
            let request = request.header("x-oss-copy-source", "/devices/other");
            assert!(
                matches!(request.recognised(), Err(NotACall::Outside(_))),
                "{query}"
            );
        }
    }

    /// Every name that the signature of V1 covers, but for the session token: some SDK or other does not know it.
    #[rustfmt::skip]
    const SUB_RESOURCES: [&str; 91] = [
            "accessPoint", "accessPointPolicy", "acl", "append", "asyncFetch", "bucketArchiveDirectRead",
            "bucketInfo", "callback", "callback-var", "cleanRestoredObject", "cloudboxes", "cname", "comp",
            "continuation-token", "cors", "delete", "encryption", "endTime", "group", "httpsConfig", "img",
            "inventory", "inventoryId", "lifecycle", "link", "live", "location", "logging", "metaQuery",
            "objectInfo", "objectMeta", "partNumber", "policy", "policyStatus", "position",
            "processConfiguration", "publicAccessBlock", "qos", "qosInfo", "qosRequester",
            "redundancyTransition", "referer", "regionList", "replication", "replicationLocation",
            "replicationProgress", "requestPayment", "requesterQosInfo", "resourceGroup", "resourcePool",
            "resourcePoolBuckets", "resourcePoolInfo", "response-cache-control", "response-content-disposition",
            "response-content-encoding", "response-content-language", "response-content-type",
            "response-expires", "responseHeader", "restore", "rtc", "seal", "sequential", "startTime", "stat",
            "status", "style", "styleName", "symlink", "tagging", "transferAcceleration", "udf",
            "udfApplication", "udfApplicationLog", "udfId", "udfImage", "udfImageDesc", "udfName", "uploadId",
            "uploads", "versionId", "versioning", "versions", "vip", "vod", "vpcip", "website",
            "withHashContext", "worm", "wormExtend", "wormId",
    ];

    #[test]
    fn o07_a_sub_resource_that_some_sdk_does_not_sign_makes_no_upload_of_a_request() {
        for (method, query) in [
            ("PUT", ""),
            ("POST", "uploads"),
            ("PUT", "partNumber=1&uploadId=U"),
            ("POST", "uploadId=U"),
            ("DELETE", "uploadId=U"),
        ] {
            let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
            for name in SUB_RESOURCES {
                // In order is how S3 joins parts anyway.
                if has(name) || (name == "sequential" && query == "uploads") {
                    continue;
                }
                let target = format!("/devices/k?{query}&{name}").replace("?&", "?");
                for request in [
                    Device::new(method, &target),
                    Device::new(method, &target).signed_by_v4(""),
                ] {
                    let call = request.recognised().map(|call| call.operation());
                    let uploads = call.is_ok_and(|operation| Operation::UPLOAD.contains(&operation));
                    assert!(!uploads, "{method} {target}");
                }
            }
        }
    }
}
