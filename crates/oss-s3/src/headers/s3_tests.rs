//! The room where headers of S3 clients are judged.

use super::tests::{request, stored, translated};
use super::*;
use crate::addressing::AclRule;
use crate::device;

fn put() -> device::Request {
    request(Operation::PutObject)
}

/// What becomes of one header of an upload.
fn judged(name: &str, value: &str) -> Result<Vec<String>, Fault> {
    let request = put().header(name, value).signed_by_s3(&[]);
    stored(&request, Operation::PutObject).map_err(|refusal| refusal.fault())
}

#[test]
fn no_name_stands_twice_in_the_table() {
    for (at, row) in s3::TABLE.iter().enumerate() {
        let earlier = &s3::TABLE[..at];
        assert!(
            earlier.iter().all(|earlier| earlier.oss != row.oss),
            "{}",
            row.oss
        );
        assert_eq!(row.oss, row.s3);
        assert!(!row.s3.starts_with("x-oss-"));
    }
}

#[test]
fn an_upload_of_boto3_or_client_s3_goes_on_with_its_checksum_and_without_the_signature() {
    let request = put()
        .header("content-type", "text/plain")
        .header("content-length", "3")
        .header("x-amz-sdk-checksum-algorithm", "CRC32")
        .header("x-amz-checksum-crc32", "NSRBwg==")
        .header("x-amz-user-agent", "aws-sdk-js/3")
        .header("amz-sdk-invocation-id", "285a9989")
        .header("amz-sdk-request", "attempt=1; max=3")
        .header("user-agent", "aws-sdk-js/3")
        .header("accept-encoding", "identity")
        .signed_by_s3(&["user-agent"]);
    assert_eq!(
        stored(&request, Operation::PutObject).unwrap(),
        [
            "content-type: text/plain",
            "x-amz-checksum-crc32: NSRBwg==",
            "x-amz-sdk-checksum-algorithm: CRC32"
        ]
    );
}

#[test]
fn no_content_type_is_made_up_for_an_s3_client() {
    let sent = judged("x-amz-storage-class", "ONEZONE_IA").unwrap();
    assert_eq!(sent, ["x-amz-storage-class: ONEZONE_IA"]);
}

#[test]
fn values_are_s3_s_own_and_what_the_operator_decides_is_judged() {
    for (name, value, sent) in [
        ("x-amz-meta-a", "", Ok(Some(""))),
        ("x-amz-meta-a", "=?UTF-8?B?5Lit?=", Ok(Some("=?UTF-8?B?5Lit?="))),
        ("x-amz-meta-a", "\u{4e2d}", Ok(Some("=?UTF-8?B?5Lit?="))),
        ("x-amz-acl", "private", Ok(None)),
        ("x-amz-acl", "bucket-owner-full-control", Ok(None)),
        ("x-amz-acl", "public-read", Err(Fault::PublicAcl)),
        ("x-amz-acl", "authenticated-read", Err(Fault::PublicAcl)),
        ("x-amz-acl", "default", Err(Fault::ArgumentInvalid)),
        ("x-amz-storage-class", "Standard", Err(Fault::StorageClassInvalid)),
        ("x-amz-storage-class", "GLACIER_IR", Ok(Some("GLACIER_IR"))),
        ("x-amz-server-side-encryption", "AES256", Ok(Some("AES256"))),
        ("x-amz-server-side-encryption", "aws:kms", Ok(Some("aws:kms"))),
        (
            "x-amz-server-side-encryption",
            "KMS",
            Err(Fault::EncryptionUnsupported),
        ),
        (
            "x-amz-server-side-encryption-aws-kms-key-id",
            "oss-key-1",
            Err(Fault::HeaderMisplaced),
        ),
        ("x-amz-tagging", "a=b c&d=", Ok(Some("a=b%20c&d="))),
        ("x-amz-tagging", "a=1&a=2", Err(Fault::TagInvalid)),
        ("x-amz-request-payer", "requester", Ok(Some("requester"))),
        ("x-amz-request-payer", "owner", Err(Fault::ArgumentInvalid)),
        ("content-md5", "YQ==", Err(Fault::DigestInvalid)),
        ("cache-control", "no-store", Ok(Some("no-store"))),
        ("if-none-match", "*", Ok(Some("*"))),
        ("if-match", "e", Ok(Some("e"))),
        ("content-encoding", "gzip", Ok(Some("gzip"))),
        ("content-encoding", "aws-chunked", Err(Fault::StreamingBody)),
        ("x-amz-decoded-content-length", "3", Err(Fault::HeaderMisplaced)),
        (
            "x-amz-trailer",
            "x-amz-checksum-crc32",
            Err(Fault::HeaderMisplaced),
        ),
        ("range", "bytes=0-1", Ok(None)),
        ("x-amz-checksum-type", "FULL_OBJECT", Ok(None)),
    ] {
        let line = |sent: &str| format!("{name}: {sent}");
        let sent = sent.map(|sent| sent.map(line).into_iter().collect());
        assert_eq!(judged(name, value), sent, "{name}: {value}");
    }
}

#[test]
fn an_acl_goes_on_where_the_bucket_takes_them_and_a_kms_key_where_it_is_configured() {
    let mut bucket = device::bucket();
    bucket.acl = AclRule::Pass;
    let request = |key: &str| {
        put()
            .bucket(bucket.clone())
            .header("x-amz-acl", "bucket-owner-full-control")
            .header("x-amz-server-side-encryption", "aws:kms")
            .header("x-amz-server-side-encryption-aws-kms-key-id", key)
            .signed_by_s3(&[])
    };
    for key in ["oss-key-1", "arn:aws:kms:eu-west-1:1:key/k1"] {
        assert_eq!(
            stored(&request(key), Operation::PutObject).unwrap(),
            [
                "x-amz-acl: bucket-owner-full-control",
                "x-amz-server-side-encryption: aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:eu-west-1:1:key/k1"
            ]
        );
    }
    let other = request("arn:aws:kms:eu-west-1:2:key/stranger");
    let refusal = stored(&other, Operation::PutObject).unwrap_err();
    assert_eq!(refusal.fault(), Fault::KmsKeyUnknown);
}

#[test]
fn what_the_table_lacks_is_refused_by_its_name() {
    for name in [
        "x-amz-object-lock-mode",
        "x-amz-object-lock-legal-hold",
        "x-amz-website-redirect-location",
        "x-amz-grant-read",
        "x-amz-mfa",
        "x-amz-bypass-governance-retention",
        "x-amz-expected-bucket-owner",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-server-side-encryption-customer-algorithm",
        "x-amz-write-offset-bytes",
        "x-amz-checksum-xxhash64",
        "x-amz-future",
        "x-amz-meta-",
    ] {
        assert_eq!(judged(name, "x"), Err(Fault::HeaderNotSupported), "{name}");
    }
    let row = Fault::HeaderNotSupported.row(Dialect::S3);
    assert_eq!((row.status, row.code), (501, "NotImplemented"));
    // A header of the other dialect's means nothing here.
    assert_eq!(judged("x-oss-object-acl", "public-read"), Ok(Vec::new()));
}

#[test]
fn a_condition_of_a_write_counts_only_if_it_is_signed() {
    for (name, unsigned) in [("if-none-match", &["if-none-match"]), ("if-match", &["if-match"])] {
        for rule in [UnsignedHeaders::Store, UnsignedHeaders::Drop] {
            let request = put().header(name, "*").signed_by_s3(unsigned);
            let refusal = translated(&request, Operation::PutObject, rule).unwrap_err();
            assert_eq!(refusal.fault(), Fault::HeaderForbidden);
            assert_eq!(refusal.row(Dialect::S3).status, 403);
        }
        let part = request(Operation::UploadPart).header(name, "*").signed_by_s3(&[]);
        let refusal = stored(&part, Operation::UploadPart).unwrap_err();
        assert_eq!(refusal.fault(), Fault::HeaderMisplaced);
    }
    // A read tells no more with it than without.
    let read = request(Operation::GetObject)
        .header("if-none-match", "e")
        .header("range", "bytes=0-1")
        .signed_by_s3(&["if-none-match", "range"]);
    assert_eq!(
        stored(&read, Operation::GetObject).unwrap(),
        ["if-none-match: e", "range: bytes=0-1"]
    );
}

#[test]
fn a_presigned_url_is_used_with_a_type_that_its_signer_did_not_know() {
    let request = || {
        put()
            .header("content-type", "image/png")
            .header("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")
            .header("cache-control", "no-store")
            .presigned_by_s3()
    };
    assert_eq!(
        stored(&request(), Operation::PutObject).unwrap(),
        [
            "content-md5: XUFAKrxLKna5cZ2REBfFkg==",
            "content-type: image/png",
            "cache-control: no-store"
        ]
    );
    let dropped = translated(&request(), Operation::PutObject, UnsignedHeaders::Drop);
    // The digest goes with the bytes; it says nothing of the object.
    assert_eq!(dropped.unwrap(), ["content-md5: XUFAKrxLKna5cZ2REBfFkg=="]);
    let refused = translated(&request(), Operation::PutObject, UnsignedHeaders::Refuse).unwrap_err();
    assert_eq!(refused.fault(), Fault::HeaderForbidden);
}

#[test]
fn headers_in_a_presigned_url_count_like_headers_but_for_checksums() {
    let url = |query: &str| device::Request::new("PUT", &["/devices/k?", query].concat()).presigned_by_s3();
    let all = url(
        "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-amz-meta-a=b%20c\
         &x-amz-storage-class=STANDARD_IA&x-amz-meta-d=%E4%B8%AD%0D%0Ax&x-id=PutObject",
    );
    assert_eq!(
        stored(&all, Operation::PutObject).unwrap(),
        [
            "x-amz-meta-a: b c",
            "x-amz-storage-class: STANDARD_IA",
            "x-amz-meta-d: =?UTF-8?B?5LitDQp4?="
        ]
    );
    for (query, fault) in [
        ("x-amz-acl=public-read", Fault::PublicAcl),
        ("x-amz-object-lock-mode=GOVERNANCE", Fault::HeaderNotSupported),
        ("x-amz-meta-a%0D%0Ax=b", Fault::HeaderUnreadable),
        ("x-amz-meta-A=b", Fault::HeaderUnreadable),
        ("x-amz-storage-class=STANDARD%0D%0A", Fault::StorageClassInvalid),
        ("x-amz-decoded-content-length=3", Fault::HeaderMisplaced),
    ] {
        let refusal = stored(&url(query), Operation::PutObject).unwrap_err();
        assert_eq!(refusal.fault(), fault, "{query}");
    }
    let twice = device::Request::new("PUT", "/devices/k?x-amz-meta-a=1")
        .header("x-amz-meta-a", "2")
        .signed_by_s3(&[]);
    let refusal = stored(&twice, Operation::PutObject).unwrap_err();
    assert_eq!(refusal.fault(), Fault::HeaderRepeated);
}

#[test]
fn what_s3_takes_no_notice_of_goes_no_further() {
    for (operation, expected) in [
        (
            Operation::InitiateMultipartUpload,
            [
                "x-amz-checksum-algorithm: CRC32C",
                "x-amz-checksum-type: FULL_OBJECT",
                "x-amz-meta-a: 1",
            ]
            .as_slice(),
        ),
        (
            Operation::CompleteMultipartUpload,
            &[
                "x-amz-checksum-crc32c: AAAAAA==",
                "x-amz-checksum-type: FULL_OBJECT",
                "x-amz-mp-object-size: 7",
            ],
        ),
        (Operation::GetObject, &["x-amz-checksum-mode: ENABLED"]),
        (Operation::AbortMultipartUpload, &[]),
    ] {
        let request = request(operation)
            .header("x-amz-checksum-crc32c", "AAAAAA==")
            .header("x-amz-checksum-algorithm", "CRC32C")
            .header("x-amz-checksum-type", "FULL_OBJECT")
            .header("x-amz-checksum-mode", "ENABLED")
            .header("x-amz-mp-object-size", "7")
            .header("x-amz-meta-a", "1")
            .signed_by_s3(&[]);
        assert_eq!(stored(&request, operation).unwrap(), expected, "{operation:?}");
    }
}

#[test]
fn f06_f07_a_framed_body_brings_its_length_and_a_trailer_with_a_checksum_alone() {
    let framed = |headers: &[(&str, &str)], operation: Operation| {
        let payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
        let mut request = request(operation).header("x-amz-content-sha256", payload);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        stored(&request.signed_by_s3(&[]), operation).map_err(|refusal| refusal.fault())
    };
    let usual = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "3"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    for operation in [Operation::PutObject, Operation::UploadPart] {
        assert_eq!(
            framed(&usual, operation).unwrap(),
            [
                "x-amz-decoded-content-length: 3",
                "x-amz-trailer: x-amz-checksum-crc32"
            ]
        );
    }
    let coded = |coding: &str| Ok(vec![format!("content-encoding: {coding}")]);
    for (name, value, outcome) in [
        ("content-encoding", "gzip,aws-chunked", coded("gzip")),
        ("content-encoding", "aws-chunked, gzip , br", coded("gzip,br")),
        ("x-amz-trailer", "x-amz-copy-source", Err(Fault::ArgumentInvalid)),
        (
            "x-amz-trailer",
            "x-amz-checksum-crc32,x-amz-acl",
            Err(Fault::ArgumentInvalid),
        ),
        ("x-amz-decoded-content-length", "-1", Err(Fault::ArgumentInvalid)),
        ("x-amz-decoded-content-length", "1e3", Err(Fault::ArgumentInvalid)),
    ] {
        let framed = framed(&[(name, value)], Operation::PutObject);
        assert_eq!(framed, outcome, "{name}: {value}");
    }
    let misplaced = framed(&usual[1..2], Operation::InitiateMultipartUpload);
    assert_eq!(misplaced, Err(Fault::HeaderMisplaced));
}

#[test]
fn metadata_has_s3_s_limit() {
    let value = "v".repeat(2047);
    assert!(judged("x-amz-meta-a", &value).is_ok());
    assert_eq!(judged("x-amz-meta-ab", &value), Err(Fault::MetadataTooLarge));
    // Values are counted as they were sent, not as they are encoded for S3.
    let text = "\u{4e2d}".repeat(682);
    assert!(judged("x-amz-meta-a", &text).is_ok());
    assert_eq!(judged("x-amz-meta-abc", &text), Err(Fault::MetadataTooLarge));
}

#[test]
fn x08_an_s3_client_is_told_s3_s_headers_of_the_table_and_no_other() {
    let from_s3 = [
        ("etag", "\"e\""),
        ("x-amz-checksum-crc32", "NSRBwg=="),
        ("x-amz-checksum-type", "FULL_OBJECT"),
        ("x-amz-version-id", "v"),
        ("x-amz-server-side-encryption", "aws:kms"),
        (
            "x-amz-server-side-encryption-aws-kms-key-id",
            "arn:aws:kms:eu-west-1:1:key/k1",
        ),
        ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
        (
            "x-amz-expiration",
            "expiry-date=\"Fri, 23 Dec 2026 00:00:00 GMT\"",
        ),
        ("x-amz-abort-rule-id", "r"),
        ("x-amz-request-id", "S3ID"),
        ("x-amz-id-2", "S3HOST"),
        ("x-amz-tagging-a", "1"),
        ("seaweed-a", "1"),
        ("server", "AmazonS3"),
        ("x-oss-version-id", "v"),
        ("connection", "close"),
    ]
    .map(|(name, value)| (name, value.as_bytes()));
    let told = to_device(Dialect::S3, from_s3, AnswerOf::Write, &device::bucket());
    let told: Vec<(&str, &[u8])> = told
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_slice()))
        .collect();
    let mut expected = from_s3[..9].to_vec();
    // The name that the configuration gives the key, not that of the account's.
    expected[5].1 = b"oss-key-1";
    assert_eq!(told, expected);
    let strange = [
        (
            "x-amz-server-side-encryption-aws-kms-key-id",
            "arn:aws:kms:eu-west-1:1:key/other",
        ),
        ("x-amz-server-side-encryption-context", "e30="),
    ]
    .map(|(name, value)| (name, value.as_bytes()));
    assert!(to_device(Dialect::S3, strange, AnswerOf::Write, &device::bucket()).is_empty());

    let described = [
        ("x-amz-meta-a", "=?UTF-8?B?5Lit?="),
        ("x-amz-storage-class", "INTELLIGENT_TIERING"),
        ("x-amz-mp-parts-count", "3"),
        ("last-modified", "Wed, 01 May 2024 12:34:56 GMT"),
    ]
    .map(|(name, value)| (name, value.as_bytes()));
    let told = to_device(Dialect::S3, described, AnswerOf::Object, &device::bucket());
    let told: Vec<(&str, &[u8])> = told
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_slice()))
        .collect();
    assert_eq!(told, described);
}
