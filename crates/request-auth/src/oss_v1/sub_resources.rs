//! The query names that V1 signs.

/// Whether V1 signs a query parameter: a sub-resource of some SDK's list, or any `x-oss-` name.
pub(crate) fn is_sub_resource(name: &[u8]) -> bool {
    name.starts_with(b"x-oss-") || NAMES.iter().any(|known| known.as_bytes() == name)
}

/// The union of the sub-resource lists of ten SDKs (oss2 2.19.1, alibabacloud-oss-v2 1.4.1, Go 3.0.2
/// and 1.5.1, Java 3.18.4 and 0.5.0, PHP 2.7.3, C++ 1.10.1, C# 2.14.0, C 3.11.2). Names that start
/// `x-oss-` are not listed: all of them are signed. A verifier that knew fewer would let a parameter
/// pass as unsigned that some SDK signs.
#[rustfmt::skip]
const NAMES: [&str; 92] = [
    "accessPoint", "accessPointPolicy", "acl", "append", "asyncFetch", "bucketArchiveDirectRead", "bucketInfo",
    "callback", "callback-var", "cleanRestoredObject", "cloudboxes", "cname", "comp", "continuation-token", "cors",
    "delete", "encryption", "endTime", "group", "httpsConfig", "img", "inventory", "inventoryId", "lifecycle", "link",
    "live", "location", "logging", "metaQuery", "objectInfo", "objectMeta", "partNumber", "policy", "policyStatus",
    "position", "processConfiguration", "publicAccessBlock", "qos", "qosInfo", "qosRequester", "redundancyTransition",
    "referer", "regionList", "replication", "replicationLocation", "replicationProgress", "requestPayment",
    "requesterQosInfo", "resourceGroup", "resourcePool", "resourcePoolBuckets", "resourcePoolInfo",
    "response-cache-control", "response-content-disposition", "response-content-encoding",
    "response-content-language", "response-content-type", "response-expires", "responseHeader", "restore", "rtc",
    "seal", "security-token", "sequential", "startTime", "stat", "status", "style", "styleName", "symlink", "tagging",
    "transferAcceleration", "udf", "udfApplication", "udfApplicationLog", "udfId", "udfImage", "udfImageDesc",
    "udfName", "uploadId", "uploads", "versionId", "versioning", "versions", "vip", "vod", "vpcip", "website",
    "withHashContext", "worm", "wormExtend", "wormId",
];
