//! Operations that are known and not translated: one table, for the log.

use request_auth::VerifiedParameter;

use super::{Level, Request, S3_HEADER_PREFIX};

impl Request<'_> {
    /// The name of the operation that this request is, where the table knows it.
    pub(super) fn outside_name(&self) -> Option<&'static str> {
        let is_plain = || {
            let plain = |parameter: &VerifiedParameter| {
                parameter.name.starts_with(b"response-")
                    || parameter.name.starts_with(S3_HEADER_PREFIX)
                    || PLAIN.iter().any(|name| parameter.name == name.as_bytes())
            };
            self.parameters.iter().all(plain)
        };
        let (_, _, _, _, name) = OUTSIDE.into_iter().find(|&(method, level, copies, marker, _)| {
            method == self.method
                && level == self.level
                && copies == (self.copies && method == "PUT" && self.level == Level::Object)
                && if marker.is_empty() {
                    is_plain()
                } else {
                    self.value(marker).is_some()
                }
        })?;
        Some(name)
    }
}

/// Query names that do not make another operation of a request.
const PLAIN: [&str; 10] = [
    "prefix",
    "marker",
    "delimiter",
    "max-keys",
    "encoding-type",
    "versionId",
    "fetch-owner",
    "start-after",
    "x-oss-traffic-limit",
    "x-id",
];

/// Operations that are known and not translated: method, level, with a copy source, the query name
/// that tells them (empty: none but plain ones), and their name. First match wins.
const OUTSIDE: [(&str, Level, bool, &str, &str); 28] = [
    ("PUT", Level::Object, false, "acl", "PutObjectACL"),
    ("PUT", Level::Object, false, "tagging", "PutObjectTagging"),
    ("PUT", Level::Object, false, "symlink", "PutSymlink"),
    ("POST", Level::Object, false, "append", "AppendObject"),
    ("POST", Level::Object, false, "restore", "RestoreObject"),
    (
        "POST",
        Level::Object,
        false,
        "cleanRestoredObject",
        "CleanRestoredObject",
    ),
    ("POST", Level::Object, false, "seal", "SealAppendObject"),
    ("POST", Level::Object, false, "x-oss-process", "ProcessObject"),
    (
        "POST",
        Level::Object,
        false,
        "x-oss-async-process",
        "AsyncProcessObject",
    ),
    ("GET", Level::Object, false, "acl", "GetObjectACL"),
    ("GET", Level::Object, false, "tagging", "GetObjectTagging"),
    ("GET", Level::Object, false, "symlink", "GetSymlink"),
    ("GET", Level::Object, false, "objectMeta", "GetObjectMeta"),
    ("GET", Level::Object, false, "x-oss-process", "GetObject"),
    ("GET", Level::Object, false, "", "GetObject"),
    ("HEAD", Level::Object, false, "objectMeta", "GetObjectMeta"),
    ("HEAD", Level::Object, false, "", "HeadObject"),
    ("DELETE", Level::Object, false, "tagging", "DeleteObjectTagging"),
    ("OPTIONS", Level::Object, false, "", "OptionObject"),
    ("POST", Level::Bucket, false, "delete", "DeleteMultipleObjects"),
    ("POST", Level::Bucket, false, "", "PostObject"),
    ("GET", Level::Bucket, false, "uploads", "ListMultipartUploads"),
    ("GET", Level::Bucket, false, "versions", "ListObjectVersions"),
    ("GET", Level::Bucket, false, "list-type", "ListObjectsV2"),
    ("GET", Level::Bucket, false, "stat", "GetBucketStat"),
    ("GET", Level::Bucket, false, "acl", "GetBucketAcl"),
    ("GET", Level::Bucket, false, "", "ListObjects"),
    ("PUT", Level::Bucket, false, "acl", "PutBucketAcl"),
];
