//! The room where S3's answers are told to S3 clients.

use super::tests::origin;
use super::*;
use crate::answer::tests::asked_of_s3;
use crate::device::{Request, seals, unsealed};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// Translates an answer to a request under a mount, path style at `edge.example.com:8443`.
fn told(method: &str, target: &str, origin: &OriginAnswer) -> Result<Answer, Refusal> {
    let request = Request::new(method, target).signed_by_s3(&[]);
    request.authorized("fleet/AK/", |authorized| {
        let path = ["/devices/", authorized.target().key()].concat();
        translate(
            origin,
            &Subject::of(&authorized.errand(&seals()).unwrap()),
            &asked_of_s3("POST", "edge.example.com:8443", &path),
        )
    })
}

fn body(answer: Answer) -> String {
    unsealed(answer.body)
}

#[test]
fn a_put_and_a_part_are_answered_with_etag_and_checksum() {
    let s3 = origin(
        200,
        &[
            ("etag", "\"e\""),
            ("x-amz-checksum-crc32", "NSRBwg=="),
            ("x-amz-checksum-type", "FULL_OBJECT"),
            ("x-amz-server-side-encryption", "AES256"),
            ("x-amz-request-id", "S3ID"),
            ("server", "AmazonS3"),
        ],
        "",
    );
    for target in ["/devices/k", "/devices/k?partNumber=1&uploadId=U"] {
        let answer = told("PUT", target, &s3).unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(
            names,
            [
                "x-amz-request-id",
                "x-amz-id-2",
                "date",
                "etag",
                "x-amz-checksum-crc32",
                "x-amz-checksum-type",
                "x-amz-server-side-encryption"
            ]
        );
        assert_ne!(answer.header("x-amz-request-id"), Some(b"S3ID".as_slice()));
    }
}

#[test]
fn h11_an_initiation_is_told_in_s3_s_namespace_with_the_client_s_bucket_and_key() {
    let document = format!(
        "<InitiateMultipartUploadResult {NS}><Bucket>acme-ingest</Bucket><Key>fleet/AK/a b</Key>\
         <UploadId>U/1</UploadId></InitiateMultipartUploadResult>"
    );
    let headers = [
        ("x-amz-checksum-algorithm", "CRC32"),
        ("x-amz-checksum-type", "COMPOSITE"),
    ];
    let answer = told(
        "POST",
        "/devices/a%20b?uploads=",
        &origin(200, &headers, &document),
    )
    .unwrap();
    assert_eq!(
        answer.header("x-amz-checksum-algorithm"),
        Some(b"CRC32".as_slice())
    );
    assert_eq!(answer.header("content-type"), Some(b"application/xml".as_slice()));
    assert_eq!(
        body(answer),
        format!(
            "{DECLARATION}<InitiateMultipartUploadResult {NS}><Bucket>devices</Bucket><Key>a b</Key>\
             <UploadId>U/1</UploadId></InitiateMultipartUploadResult>"
        )
    );
}

#[test]
fn h11_a_completion_is_told_with_its_checksum_and_without_the_mount() {
    let document = format!(
        "{DECLARATION}<CompleteMultipartUploadResult {NS}><Location>https://acme-ingest.s3/fleet/AK/k</Location>\
         <Bucket>acme-ingest</Bucket><Key>fleet/AK/k</Key><ETag>&quot;e-2&quot;</ETag>\
         <ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>\
         </CompleteMultipartUploadResult>"
    );
    let answer = told("POST", "/devices/k?uploadId=U", &origin(200, &[], &document)).unwrap();
    assert_eq!(answer.header("etag"), Some(b"\"e-2\"".as_slice()));
    assert_eq!(
        body(answer),
        format!(
            "{DECLARATION}<CompleteMultipartUploadResult {NS}><Location>https://edge.example.com:8443/devices/k</Location>\
             <Bucket>devices</Bucket><Key>k</Key><ETag>\"e-2\"</ETag>\
             <ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>\
             </CompleteMultipartUploadResult>"
        )
    );
}

#[test]
fn an_error_in_a_200_is_an_error_to_s3_clients_too() {
    let s3 = origin(
        200,
        &[],
        "<Error><Code>InternalError</Code><Message>m</Message></Error>",
    );
    let refusal = told("POST", "/devices/k?uploadId=U", &s3).unwrap_err();
    assert_eq!(refusal.row(Dialect::S3).status, 500);
}

#[test]
fn a_page_of_parts_has_their_checksums() {
    let page = crate::parts::tests::page("true", "2", &[1, 2]);
    let page = page.replace("<Size>", "<ChecksumCRC32>NSRBwg==</ChecksumCRC32><Size>");
    let answer = told(
        "GET",
        "/devices/k?uploadId=U&x-id=ListParts",
        &origin(200, &[], &page),
    )
    .unwrap();
    let part = |number: u8| {
        format!(
            "<Part><PartNumber>{number}</PartNumber><LastModified>2026-11-21T12:34:56.000Z</LastModified>\
             <ETag>\"0cc175b9c0f1b6a831c399e269772661\"</ETag><Size>5</Size><ChecksumCRC32>NSRBwg==</ChecksumCRC32></Part>"
        )
    };
    assert_eq!(
        body(answer),
        format!(
            "{DECLARATION}<ListPartsResult {NS}><Bucket>devices</Bucket><Key>k</Key><UploadId>U</UploadId>\
             <NextPartNumberMarker>2</NextPartNumberMarker><MaxParts>1000</MaxParts><IsTruncated>true</IsTruncated>\
             {}{}</ListPartsResult>",
            part(1),
            part(2)
        )
    );
}

#[test]
fn a_condition_that_fails_is_s3_s_412() {
    let request = Request::new("PUT", "/devices/k").header("if-none-match", "*");
    let refusal = request.signed_by_s3(&[]).authorized("", |authorized| {
        let errand = authorized.errand(&seals()).unwrap();
        let s3 = origin(
            412,
            &[],
            "<Error><Code>PreconditionFailed</Code><Message>m</Message></Error>",
        );
        translate(&s3, &Subject::of(&errand), &asked_of_s3("PUT", "h", "/devices/k")).unwrap_err()
    });
    let row = refusal.row(Dialect::S3);
    assert_eq!((row.status, row.code), (412, "PreconditionFailed"));
}

#[test]
fn a_read_is_described_in_s3_s_words_alone() {
    let headers = [
        ("etag", "\"e-2\""),
        ("content-type", "text/plain"),
        ("x-amz-meta-a", "1"),
        ("x-amz-checksum-crc32", "NSRBwg=="),
        ("x-amz-mp-parts-count", "2"),
        ("x-amz-id-2", "S3HOST"),
    ];
    let answer = told("GET", "/devices/k?x-id=GetObject", &origin(200, &headers, "")).unwrap();
    let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(names[3..], headers.map(|(name, _)| name)[..5]);
}

#[test]
fn what_streams_for_an_s3_client_bears_the_name_of_its_operation() {
    use crate::request::{OriginBody, OriginRequest};
    for (method, target, expected) in [
        ("PUT", "/devices/k", "/acme-ingest/k?x-id=PutObject"),
        (
            "PUT",
            "/devices/k?partNumber=1&uploadId=U",
            "/acme-ingest/k?partNumber=1&uploadId=U&x-id=UploadPart",
        ),
        ("POST", "/devices/k?uploads", "/acme-ingest/k?uploads="),
        (
            "GET",
            "/devices/k?versionId=v",
            "/acme-ingest/k?versionId=v&x-id=GetObject",
        ),
    ] {
        let request = Request::new(method, target).signed_by_s3(&[]);
        request.authorized("", |authorized| {
            let request = OriginRequest::new(&authorized.errand(&seals()).unwrap());
            assert_eq!(request.path_and_query(), expected);
            assert_eq!(request.body == OriginBody::Device, method == "PUT");
        });
    }
}
