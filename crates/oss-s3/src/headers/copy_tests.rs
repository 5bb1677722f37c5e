use super::tests::{request, stored, translated};
use super::*;
use crate::device::Request;

const COPY: Operation = Operation::CopyObject;

/// A copy with attributes of its own, and these headers.
fn copy(also: &[(&str, &str)]) -> Request {
    let attributes = [
        ("x-oss-copy-source", "/b/k"),
        ("content-type", "text/plain"),
        ("cache-control", "no-store"),
        ("x-oss-meta-a", "1"),
        ("x-oss-tagging", "k=v"),
    ];
    let headers = attributes.iter().chain(also);
    headers.fold(request(COPY), |request, (name, value)| {
        request.header(name, value)
    })
}

#[test]
fn a_copy_sends_attributes_only_where_it_replaces_those_of_its_source() {
    let metadata = [
        "content-type: text/plain",
        "x-amz-meta-a: 1",
        "cache-control: no-store",
    ];
    let tags = ["x-amz-tagging: k=v"];
    for (directives, expected) in [
        (&[][..], vec![]),
        (
            &[
                ("x-oss-metadata-directive", "COPY"),
                ("x-oss-tagging-directive", "Copy"),
            ],
            vec!["x-amz-metadata-directive: COPY", "x-amz-tagging-directive: COPY"],
        ),
        (
            &[("x-oss-metadata-directive", "REPLACE")],
            [&["x-amz-metadata-directive: REPLACE"], &metadata[..]].concat(),
        ),
        (
            &[("x-oss-tagging-directive", "Replace")],
            [&["x-amz-tagging-directive: REPLACE"], &tags[..]].concat(),
        ),
        (
            &[
                ("x-oss-metadata-directive", "replace"),
                ("x-oss-tagging-directive", "REPLACE"),
            ],
            [
                &[
                    "x-amz-metadata-directive: REPLACE",
                    "x-amz-tagging-directive: REPLACE",
                ],
                &metadata[..],
                &tags,
            ]
            .concat(),
        ),
    ] {
        let mut sent = stored(&copy(directives), COPY).unwrap();
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        sent.sort();
        expected.sort();
        assert_eq!(sent, expected, "{directives:?}");
    }
    // OSS's default type is that of an object that is stored without one.
    let replaced = request(COPY)
        .header("x-oss-copy-source", "/b/k")
        .header("x-oss-metadata-directive", "REPLACE");
    assert_eq!(
        stored(&replaced, COPY).unwrap(),
        [
            "x-amz-metadata-directive: REPLACE",
            "content-type: application/octet-stream"
        ]
    );
    let strange = copy(&[("x-oss-metadata-directive", "MOVE")]);
    let refusal = stored(&strange, COPY).unwrap_err();
    assert_eq!((refusal.status(), refusal.code()), (400, "InvalidArgument"));
}

#[test]
fn what_is_the_new_object_s_own_is_sent_with_every_copy() {
    let request = copy(&[
        ("x-oss-storage-class", "IA"),
        ("x-oss-server-side-encryption", "KMS"),
        ("x-oss-server-side-encryption-key-id", "oss-key-1"),
        ("x-oss-object-acl", "private"),
        ("x-oss-forbid-overwrite", "true"),
        ("x-oss-request-payer", "requester"),
        ("x-oss-copy-source-if-match", "a"),
        ("x-oss-copy-source-if-none-match", "b"),
        (
            "x-oss-copy-source-if-modified-since",
            "Wed, 01 May 2024 12:34:56 GMT",
        ),
        (
            "x-oss-copy-source-if-unmodified-since",
            "Wed, 01 May 2024 12:34:56 GMT",
        ),
    ]);
    let mut sent = stored(&request, COPY).unwrap();
    sent.sort();
    assert_eq!(
        sent,
        [
            "if-none-match: *",
            "x-amz-copy-source-if-match: a",
            "x-amz-copy-source-if-modified-since: Wed, 01 May 2024 12:34:56 GMT",
            "x-amz-copy-source-if-none-match: b",
            "x-amz-copy-source-if-unmodified-since: Wed, 01 May 2024 12:34:56 GMT",
            "x-amz-request-payer: requester",
            "x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:eu-west-1:1:key/k1",
            "x-amz-server-side-encryption: aws:kms",
            "x-amz-storage-class: STANDARD_IA",
        ]
    );
}

#[test]
fn a_copied_part_has_a_range_and_no_attributes() {
    let part = Operation::UploadPartCopy;
    let request = copy(&[
        ("x-oss-copy-source-range", "bytes=0-9"),
        ("x-oss-copy-source-if-match", "a"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-forbid-overwrite", "true"),
        ("x-oss-metadata-directive", "REPLACE"),
        ("x-oss-tagging-directive", "Replace"),
    ]);
    assert_eq!(
        stored(&request, part).unwrap(),
        [
            "x-amz-copy-source-if-match: a",
            "x-amz-copy-source-range: bytes=0-9"
        ]
    );
    for (operation, range) in [(part, "bytes=0-"), (COPY, "bytes=0-9")] {
        let request = copy(&[("x-oss-copy-source-range", range)]);
        assert_eq!(stored(&request, operation).unwrap_err().status(), 400);
    }
}

#[test]
fn o05_h05_what_only_a_copy_is_asked_belongs_to_no_other_operation() {
    let of_copies = |row: &&Row| row.oss.contains("copy-source") || row.oss.ends_with("-directive");
    for operation in Operation::all().filter(|operation| !operation.copies()) {
        let mut rows = 0;
        for (table, s3) in [(&TABLE[..], false), (&s3::TABLE[..], true)] {
            for row in table.iter().filter(of_copies).filter(|row| row.is_asked()) {
                rows += 1;
                let asked = request(operation).header(row.oss, "COPY");
                let asked = if s3 { asked.signed_by_s3(&[]) } else { asked };
                let refusal = stored(&asked, operation).unwrap_err();
                assert_eq!(
                    (refusal.status(), refusal.fault()),
                    (400, Fault::HeaderMisplaced),
                    "{operation:?} {}",
                    row.oss
                );
            }
        }
        assert_eq!(rows, 16);
    }
}

#[test]
fn an_s3_client_s_copy_is_judged_by_the_same_columns() {
    let copy = |also: &[(&str, &str)]| {
        let request = request(COPY)
            .header("x-amz-copy-source", "b/k")
            .header("content-type", "text/plain")
            .header("x-amz-meta-a", "1")
            .header("x-amz-tagging", "k=v");
        let headers = also.iter();
        let request = headers.fold(request, |request, (name, value)| request.header(name, value));
        stored(&request.signed_by_s3(&[]), COPY)
    };
    assert_eq!(copy(&[]).unwrap(), [""; 0]);
    let mut sent = copy(&[
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-tagging-directive", "REPLACE"),
        ("x-amz-checksum-algorithm", "SHA256"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("if-none-match", "*"),
    ])
    .unwrap();
    sent.sort();
    assert_eq!(
        sent,
        [
            "content-type: text/plain",
            "if-none-match: *",
            "x-amz-checksum-algorithm: SHA256",
            "x-amz-meta-a: 1",
            "x-amz-metadata-directive: REPLACE",
            "x-amz-storage-class: STANDARD_IA",
            "x-amz-tagging-directive: REPLACE",
            "x-amz-tagging: k=v",
        ]
    );
    for name in [
        "x-amz-copy-source-server-side-encryption-customer-key",
        "x-amz-source-expected-bucket-owner",
        "x-amz-expected-bucket-owner",
        "x-amz-copy-source-range",
    ] {
        let refusal = copy(&[(name, "a")]).unwrap_err();
        assert!(matches!(
            refusal.fault(),
            Fault::HeaderNotSupported | Fault::HeaderMisplaced
        ));
    }
}

#[test]
fn b03_a_condition_that_nobody_signed_is_never_a_copy_s() {
    let request = request(COPY)
        .header("x-amz-copy-source", "b/k")
        .header("if-none-match", "*")
        .signed_by_s3(&["if-none-match"]);
    let refusal = translated(&request, COPY, UnsignedHeaders::Store).unwrap_err();
    assert_eq!(refusal.fault(), Fault::HeaderForbidden);
    let device = copy(&[("if-none-match", "*"), ("if-match", "e")]);
    assert_eq!(stored(&device, COPY).unwrap(), [""; 0]);
}
