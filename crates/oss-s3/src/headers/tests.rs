use super::*;
use crate::addressing::AclRule;
use crate::device::{self, Request};

pub(super) fn request(operation: Operation) -> Request {
    let (method, query) = match operation {
        Operation::PutObject => ("PUT", ""),
        Operation::InitiateMultipartUpload => ("POST", "?uploads"),
        Operation::UploadPart => ("PUT", "?partNumber=1&uploadId=U"),
        Operation::CompleteMultipartUpload => ("POST", "?uploadId=U"),
        Operation::AbortMultipartUpload => ("DELETE", "?uploadId=U"),
        Operation::ListParts => ("GET", "?uploadId=U"),
        Operation::GetObject => ("GET", ""),
        Operation::HeadObject => ("HEAD", ""),
        // Its own request is a form, and others are a row of the table: here it is any.
        _ => ("PUT", ""),
    };
    Request::new(method, &["/devices/k", query].concat())
}

pub(super) fn translated(
    request: &Request,
    operation: Operation,
    rule: UnsignedHeaders,
) -> Result<Vec<String>, Refusal> {
    let headers = request.verified(|verified| to_s3(verified, operation, rule))?;
    Ok(headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
        .collect())
}

pub(super) fn stored(request: &Request, operation: Operation) -> Result<Vec<String>, Refusal> {
    translated(request, operation, UnsignedHeaders::Store)
}

const DEFAULT_TYPE: &str = "content-type: application/octet-stream";

#[test]
fn no_name_stands_twice_in_the_table() {
    for (at, row) in TABLE.iter().enumerate() {
        assert!(
            TABLE[..at].iter().all(|earlier| earlier.oss != row.oss),
            "{}",
            row.oss
        );
        assert!(row.answers == Answers::Never || !row.s3.is_empty(), "{}", row.oss);
        assert!(
            row.fates.iter().all(|fate| *fate != Fate::Send) || !row.s3.is_empty(),
            "{}",
            row.oss
        );
    }
}

#[test]
fn every_header_of_a_put_becomes_its_s3_twin() {
    let request = request(Operation::PutObject)
        .header("content-type", "text/plain")
        .header("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")
        .header("x-oss-forbid-overwrite", "true")
        .header("x-oss-storage-class", "IA")
        .header("x-oss-server-side-encryption", "KMS")
        .header("x-oss-server-side-encryption-key-id", "oss-key-1")
        .header("x-oss-tagging", "k1=v1&k2=v%202")
        .header("x-oss-object-acl", "private")
        .header("x-oss-request-payer", "requester")
        .header("x-oss-meta-a-b", "two  words")
        .header("X-Oss-Meta-Name", "\u{4e2d}\u{6587}")
        .header("x-oss-meta-empty", "")
        .header("x-oss-traffic-limit", "819200")
        .header("x-oss-date", "Wed, 01 May 2024 12:34:56 GMT")
        .header("x-oss-content-sha256", "UNSIGNED-PAYLOAD")
        .header("x-oss-user-agent", "aliyun-sdk-js")
        .header("cache-control", "max-age=60")
        .header("content-disposition", "attachment; filename=\"a.txt\"")
        .header("content-encoding", "identity")
        .header("content-language", "de")
        .header("expires", "Thu, 02 May 2024 00:00:00 GMT");
    assert_eq!(
        stored(&request, Operation::PutObject).unwrap(),
        [
            "content-md5: XUFAKrxLKna5cZ2REBfFkg==",
            "content-type: text/plain",
            "if-none-match: *",
            "x-amz-meta-a-b: two  words",
            "x-amz-meta-empty: ",
            "x-amz-meta-name: =?UTF-8?B?5Lit5paH?=",
            "x-amz-request-payer: requester",
            "x-amz-server-side-encryption: aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:eu-west-1:1:key/k1",
            "x-amz-storage-class: STANDARD_IA",
            "x-amz-tagging: k1=v1&k2=v%202",
            "cache-control: max-age=60",
            "content-disposition: attachment; filename=\\\"a.txt\\\"",
            "content-encoding: identity",
            "content-language: de",
            "expires: Thu, 02 May 2024 00:00:00 GMT",
        ]
    );
}

#[test]
fn a_read_is_sent_on_with_its_range_and_conditions_signed_or_not_and_with_nothing_else() {
    let expected = [
        "if-match: \\\"e\\\"",
        "if-modified-since: Wed, 01 May 2024 00:00:00 GMT",
        "if-none-match: \\\"f\\\", W/\\\"g\\\"",
        "if-unmodified-since: Thu, 02 May 2024 00:00:00 GMT",
        "range: bytes=0-9",
        "x-amz-request-payer: requester",
    ];
    for operation in [Operation::GetObject, Operation::HeadObject] {
        let read = || {
            request(operation)
                .header("range", "bytes=0-9")
                .header("if-match", "\"e\"")
                .header("if-none-match", "\"f\", W/\"g\"")
                .header("if-modified-since", "Wed, 01 May 2024 00:00:00 GMT")
                .header("if-unmodified-since", "Thu, 02 May 2024 00:00:00 GMT")
                .header("if-range", "\"e\"")
                .header("x-oss-request-payer", "requester")
                .header("x-oss-range-behavior", "standard")
                .header("x-oss-traffic-limit", "819200")
                // What PHP's and Go's SDKs say of no body at all, and what browsers say to caches.
                .header("content-type", "application/octet-stream")
                .header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")
                .header("accept-encoding", "gzip")
                .header("cache-control", "no-cache")
                .header("x-oss-meta-a", "1")
                .header("x-oss-object-acl", "public-read")
        };
        let of_v4 = read().signed_by_v4("if-match;if-none-match;range");
        for (rule, read) in [
            (UnsignedHeaders::Store, read()),
            (UnsignedHeaders::Drop, read()),
            (UnsignedHeaders::Refuse, read()),
            (UnsignedHeaders::Store, of_v4),
        ] {
            let mut sent = translated(&read, operation, rule).unwrap();
            sent.sort();
            assert_eq!(sent, expected, "{operation:?} {rule:?}");
        }
        assert_eq!(
            stored(&request(operation).header("range", ""), operation),
            Ok(Vec::new())
        );
    }
}

#[test]
fn a_range_or_condition_belongs_to_reads_alone() {
    for operation in Operation::all().filter(|operation| !operation.reads()) {
        let write = request(operation)
            .header("range", "bytes=0-9")
            .header("if-match", "\"e\"");
        let sent = stored(&write, operation).unwrap();
        assert!(
            sent.iter().all(|header| header == DEFAULT_TYPE),
            "{operation:?} {sent:?}"
        );
        let misplaced = request(operation).header("x-oss-range-behavior", "standard");
        assert_eq!(
            stored(&misplaced, operation).unwrap_err().fault(),
            Fault::HeaderMisplaced
        );
    }
}

#[test]
fn a_read_is_refused_by_the_header_that_asks_for_what_s3_cannot_do() {
    for operation in [Operation::GetObject, Operation::HeadObject] {
        for (name, value, fault) in [
            ("x-oss-process", "image/resize,w_1", Fault::NotImplemented),
            ("x-oss-range-behavior", "lenient", Fault::ArgumentInvalid),
            ("x-oss-complete-all", "yes", Fault::HeaderMisplaced),
            ("x-oss-unheard-of", "1", Fault::HeaderNotSupported),
            ("range", "bytes=0-\u{e9}", Fault::ArgumentInvalid),
        ] {
            let refusal = stored(&request(operation).header(name, value), operation).unwrap_err();
            assert_eq!(refusal.fault(), fault, "{operation:?} {name}");
        }
    }
}

#[test]
fn an_object_without_content_type_gets_osss_default_and_a_part_gets_none() {
    for (operation, expected) in [
        (Operation::PutObject, vec![DEFAULT_TYPE]),
        (Operation::InitiateMultipartUpload, vec![DEFAULT_TYPE]),
        (Operation::UploadPart, vec![]),
        (Operation::CompleteMultipartUpload, vec![]),
        (Operation::AbortMultipartUpload, vec![]),
    ] {
        assert_eq!(stored(&request(operation), operation).unwrap(), expected);
        assert_eq!(
            stored(&request(operation).header("content-type", ""), operation).unwrap(),
            expected
        );
    }
}

#[test]
fn headers_that_sdks_repeat_on_every_request_of_an_upload_are_dropped_there() {
    // What ali-oss's multipartUpload and oss2's resumable_upload send with every request of one call.
    for operation in [
        Operation::UploadPart,
        Operation::CompleteMultipartUpload,
        Operation::AbortMultipartUpload,
        Operation::ListParts,
    ] {
        let request = request(operation)
            .header("content-type", "text/plain")
            .header("x-oss-meta-a", "1")
            .header("x-oss-tagging", "a=b")
            .header("x-oss-object-acl", "private")
            .header("x-oss-server-side-encryption-key-id", "oss-key-1")
            .header("cache-control", "no-cache");
        assert_eq!(stored(&request, operation).unwrap(), [""; 0], "{operation:?}");
    }
}

#[test]
fn forbid_overwrite_is_a_condition_where_the_object_appears() {
    for (operation, value, sent) in [
        (Operation::PutObject, "true", true),
        (Operation::PutObject, "false", false),
        (Operation::InitiateMultipartUpload, "true", false),
        (Operation::UploadPart, "true", false),
        (Operation::CompleteMultipartUpload, "true", true),
    ] {
        let request = request(operation).header("x-oss-forbid-overwrite", value);
        let headers = stored(&request, operation).unwrap();
        assert_eq!(
            headers.contains(&"if-none-match: *".to_owned()),
            sent,
            "{operation:?} {value}"
        );
    }
}

#[test]
fn o05_what_would_change_the_meaning_is_refused_by_name_and_never_left_out() {
    let put = Operation::PutObject;
    for (operation, name, value, status, code) in [
        (put, "x-oss-callback", "e30=", 501, "NotImplemented"),
        (put, "x-oss-callback-var", "e30=", 501, "NotImplemented"),
        (put, "x-oss-process", "image/resize", 501, "NotImplemented"),
        (put, "x-oss-symlink-target", "k2", 501, "NotImplemented"),
        (
            Operation::InitiateMultipartUpload,
            "x-oss-callback",
            "e30=",
            501,
            "NotImplemented",
        ),
        (put, "x-oss-object-acl", "public-read", 403, "AccessDenied"),
        (
            Operation::CompleteMultipartUpload,
            "x-oss-object-acl",
            "public-read",
            403,
            "AccessDenied",
        ),
        (
            put,
            "x-oss-server-side-encryption",
            "SM4",
            400,
            "InvalidEncryptionAlgorithmError",
        ),
        (
            put,
            "x-oss-server-side-data-encryption",
            "SM4",
            400,
            "InvalidEncryptionAlgorithmError",
        ),
        (
            put,
            "x-oss-server-side-encryption-key-id",
            "oss-key-1",
            400,
            "InvalidArgument",
        ),
        (put, "x-oss-complete-all", "yes", 400, "InvalidArgument"),
        (
            put,
            "x-oss-copy-source-range",
            "bytes=0-1",
            400,
            "InvalidArgument",
        ),
        (put, "x-oss-tagging-directive", "Copy", 400, "InvalidArgument"),
        (put, "x-oss-acl", "private", 400, "InvalidArgument"),
        (put, "x-oss-something-new", "1", 400, "InvalidArgument"),
        (put, "x-oss-something-new", "", 400, "InvalidArgument"),
        (put, "x-oss-meta-", "1", 400, "InvalidArgument"),
        (put, "x-oss-version-id", "1", 400, "InvalidArgument"),
        (put, "content-type", "caf\u{e9}", 400, "InvalidArgument"),
        (put, "content-md5", "zzz", 400, "InvalidDigest"),
        (
            Operation::CompleteMultipartUpload,
            "content-md5",
            "zzz",
            400,
            "InvalidDigest",
        ),
        (
            Operation::UploadPart,
            "x-oss-content-sha256",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            400,
            "InvalidArgument",
        ),
    ] {
        let refusal = stored(&request(operation).header(name, value), operation).unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.code()),
            (status, code),
            "{name}: {value}"
        );
        assert!(refusal.reason().starts_with(name), "{}", refusal.reason());
    }
}

#[test]
fn a_public_acl_is_passed_on_where_the_bucket_says_so_but_not_at_completion() {
    let mut bucket = device::bucket();
    bucket.acl = AclRule::Pass;
    let with_acl = |operation| {
        request(operation)
            .header("x-oss-object-acl", "public-read")
            .bucket(bucket.clone())
    };
    for operation in [Operation::PutObject, Operation::InitiateMultipartUpload] {
        let headers = stored(&with_acl(operation), operation).unwrap();
        assert!(headers.contains(&"x-amz-acl: public-read".to_owned()));
    }
    let complete = Operation::CompleteMultipartUpload;
    let refusal = stored(&with_acl(complete), complete).unwrap_err();
    assert_eq!((refusal.status(), refusal.fault()), (501, Fault::AclTooLate));
}

#[test]
fn unsigned_headers_are_stored_dropped_or_refused_as_configured() {
    let put = Operation::PutObject;
    for (name, value) in [
        ("cache-control", "no-cache"),
        ("content-disposition", "inline"),
        ("content-encoding", "gzip"),
        ("content-language", "de"),
        ("expires", "0"),
    ] {
        let request = request(put).header(name, value);
        assert!(
            stored(&request, put)
                .unwrap()
                .contains(&format!("{name}: {value}"))
        );
        assert_eq!(
            translated(&request, put, UnsignedHeaders::Drop).unwrap(),
            [DEFAULT_TYPE]
        );
        let refusal = translated(&request, put, UnsignedHeaders::Refuse).unwrap_err();
        assert_eq!((refusal.status(), refusal.fault()), (400, Fault::HeaderForbidden));
        let part = Operation::UploadPart;
        let on_part = self::request(part).header(name, value);
        assert_eq!(
            translated(&on_part, part, UnsignedHeaders::Refuse).unwrap(),
            [""; 0]
        );
    }
}

#[test]
fn an_unsigned_header_that_says_aws_chunked_is_dropped_like_any_other() {
    let put = Operation::PutObject;
    for name in [
        "cache-control",
        "content-disposition",
        "content-language",
        "expires",
    ] {
        let request = request(put).header(name, "max-age=9, aws-chunked");
        assert_eq!(
            translated(&request, put, UnsignedHeaders::Drop).unwrap(),
            [DEFAULT_TYPE],
            "{name}"
        );
    }
}

#[test]
fn f12_a_body_marked_as_aws_chunked_is_refused_on_every_operation_and_setting() {
    for operation in Operation::all() {
        for rule in [
            UnsignedHeaders::Store,
            UnsignedHeaders::Drop,
            UnsignedHeaders::Refuse,
        ] {
            let request = request(operation).header("content-encoding", "gzip,aws-chunked");
            assert_eq!(
                translated(&request, operation, rule).unwrap_err().status(),
                400,
                "{operation:?}"
            );
        }
    }
}

#[test]
fn additional_headers_of_v4_count_as_signed_or_say_nothing() {
    let put = Operation::PutObject;
    let signed = "cache-control;host;user-agent;x-amz-acl;if-match";
    let request = |additional| {
        request(put)
            .header("cache-control", "no-store")
            .header("content-language", "en")
            .header("user-agent", "u")
            .header("x-amz-acl", "public-read")
            .header("if-match", "e")
            .signed_by_v4(additional)
    };
    let stored = |additional, rule| translated(&request(additional), put, rule);
    let (cache, language) = ("cache-control: no-store", "content-language: en");
    assert_eq!(
        stored(signed, UnsignedHeaders::Store).unwrap(),
        [cache, language, DEFAULT_TYPE]
    );
    assert_eq!(
        stored(signed, UnsignedHeaders::Drop).unwrap(),
        [cache, DEFAULT_TYPE]
    );
    assert_eq!(stored("", UnsignedHeaders::Drop).unwrap(), [DEFAULT_TYPE]);
    assert_eq!(
        stored("cache-control;content-language", UnsignedHeaders::Refuse).unwrap(),
        [cache, language, DEFAULT_TYPE]
    );
    let refusal = stored(signed, UnsignedHeaders::Refuse).unwrap_err();
    assert_eq!(
        refusal,
        Refusal::new(Fault::HeaderForbidden).about("content-language")
    );
}

#[test]
fn f12_an_aws_chunked_body_is_refused_behind_a_signed_header_too() {
    let put = Operation::PutObject;
    for rule in [
        UnsignedHeaders::Store,
        UnsignedHeaders::Drop,
        UnsignedHeaders::Refuse,
    ] {
        let request = request(put)
            .header("content-encoding", "aws-chunked")
            .signed_by_v4("content-encoding");
        let refusal = translated(&request, put, rule).unwrap_err();
        assert_eq!(refusal.fault(), Fault::StreamingBody);
    }
}

#[test]
fn o04_b01_unsigned_headers_outside_the_closed_list_are_never_forwarded() {
    let put = Operation::PutObject;
    let request = request(put)
        .header("x-amz-copy-source", "/secret/k")
        .header("x-amz-acl", "public-read")
        .header("x-amz-meta-a", "1")
        .header("x-amz-tagging", "a=b")
        .header("x-amz-website-redirect-location", "/x")
        .header("if-match", "\"e\"")
        .header("if-none-match", "*")
        .header("range", "bytes=0-1")
        .header("transfer-encoding", "chunked")
        .header("expect", "100-continue")
        .header("x-causeway-passport", "p");
    assert_eq!(stored(&request, put).unwrap(), [DEFAULT_TYPE]);
}

#[test]
fn x08_only_headers_of_the_table_reach_the_device() {
    let from_s3: [(&str, &[u8]); 18] = [
        ("etag", b"\"e\""),
        ("x-amz-version-id", b"v1"),
        ("x-amz-expiration", b"rule-id=\"r\""),
        ("x-amz-copy-source-version-id", b"v0"),
        ("x-amz-delete-marker", b"true"),
        ("x-amz-server-side-encryption", b"aws:kms"),
        (
            "x-amz-server-side-encryption-aws-kms-key-id",
            b"arn:aws:kms:eu-west-1:1:key/k1",
        ),
        ("x-amz-id-2", b"secret"),
        ("x-amz-request-id", b"R"),
        ("x-amz-checksum-crc64nvme", b"c"),
        ("x-amz-checksum-type", b"FULL_OBJECT"),
        ("server", b"SeaweedFS"),
        ("seaweed-x", b"1"),
        ("x-amz-tagging-x", b"1"),
        ("date", b"d"),
        ("content-type", b"text/plain"),
        ("x-amz-meta-name", b"=?UTF-8?B?5Lit?="),
        ("x-amz-storage-class", b"STANDARD_IA"),
    ];
    let told = |of| -> Vec<String> {
        let headers = to_device(Dialect::Oss, from_s3, of, &device::bucket());
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
            .collect()
    };
    let part = [
        "etag: \"e\"",
        "x-oss-server-side-encryption: KMS",
        "x-oss-server-side-encryption-key-id: oss-key-1",
    ];
    assert_eq!(told(AnswerOf::Part), part);
    let write = [
        "etag: \"e\"",
        "x-oss-version-id: v1",
        "x-oss-expiration: rule-id=\"r\"",
        "x-oss-copy-source-version-id: v0",
        "x-oss-delete-marker: true",
        "x-oss-server-side-encryption: KMS",
        "x-oss-server-side-encryption-key-id: oss-key-1",
    ];
    assert_eq!(told(AnswerOf::Write), write);
    let object = [
        "content-type: text/plain",
        "x-oss-meta-name: \u{4e2d}",
        "x-oss-storage-class: IA",
    ];
    assert_eq!(told(AnswerOf::Object), [write.as_slice(), &object].concat());
    // O17: a CRC-64 of another polynomial would make every SDK fail.
    assert!(TABLE.iter().all(|row| !row.oss.contains("crc64")));
}

#[test]
fn metadata_may_have_2_kb_in_all_and_no_more() {
    let with = |last: &str| {
        request(Operation::PutObject)
            .header("x-oss-meta-0001", "v".repeat(1020))
            .header("x-oss-meta-0002", last)
    };
    let full = "\u{4e2d}".repeat(340);
    assert!(stored(&with(&full), Operation::PutObject).is_ok());
    let refusal = stored(&with(&[&full, "v"].concat()), Operation::PutObject).unwrap_err();
    assert_eq!(refusal.fault(), Fault::MetadataTooLarge);
    // Of another origin the operator may say otherwise, up to what OSS takes.
    let mut bucket = device::bucket();
    bucket.max_metadata_bytes = metadata::MOST_MAX_BYTES;
    let most = |bytes: usize| {
        let value = "v".repeat(bytes - "0001".len());
        let request = request(Operation::PutObject).header("x-oss-meta-0001", value);
        stored(&request.bucket(bucket.clone()), Operation::PutObject).map_err(|refusal| refusal.fault())
    };
    assert!(most(8192).is_ok());
    assert_eq!(most(8193), Err(Fault::MetadataTooLarge));
    // A part's metadata mean nothing.
    let part = request(Operation::UploadPart).header("x-oss-meta-0001", "v".repeat(4000));
    assert_eq!(stored(&part, Operation::UploadPart).unwrap(), [""; 0]);
}
