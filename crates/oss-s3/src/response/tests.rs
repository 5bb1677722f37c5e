use super::*;
use crate::answer::tests::asked;
use crate::device::{Request, seals, unsealed};

const NS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

pub(super) fn origin(status: u16, headers: &[(&str, &str)], body: &str) -> OriginAnswer {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    OriginAnswer {
        status,
        headers,
        body: body.as_bytes().to_vec(),
    }
}

/// Translates an answer to a request, path style at `edge.example.com:8443`.
pub(super) fn told(request: &Request, origin: &OriginAnswer) -> Result<Answer, Refusal> {
    request.authorized("fleet/AK/", |authorized| {
        let path = ["/devices/", authorized.target().key()].concat();
        translate(
            origin,
            &Subject::of(&authorized.errand(&seals()).unwrap()),
            &asked("POST", "edge.example.com:8443", &path),
        )
    })
}

fn put() -> Request {
    Request::new("PUT", "/devices/k")
}

fn complete() -> Request {
    Request::new("POST", "/devices/a%20b?uploadId=U")
}

fn body(answer: Answer) -> String {
    unsealed(answer.body)
}

#[test]
fn a_put_and_a_part_are_answered_with_their_etag_and_no_body() {
    let s3 = origin(
        200,
        &[
            ("etag", "\"e\""),
            ("x-amz-version-id", "v"),
            (
                "x-amz-expiration",
                "expiry-date=\"Wed, 01 May 2024 12:34:56 GMT\", rule-id=\"drop-staged-parts\"",
            ),
            ("seaweed-a", "1"),
            ("content-type", "text/html"),
        ],
        "",
    );
    let object = ["etag", "x-oss-version-id", "x-oss-expiration"];
    let part = Request::new("PUT", "/devices/k?partNumber=1&uploadId=U");
    // What S3 says of the object that a part waits as says nothing of the part.
    for (request, told_of) in [(put(), object.as_slice()), (part, &["etag"])] {
        let answer = told(&request, &s3).unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, [["x-oss-request-id", "date"].as_slice(), told_of].concat());
        assert_eq!(answer.header("etag"), Some(b"\"e\"".as_slice()));
        assert_eq!(told(&request, &origin(200, &[], "")).unwrap_err().status(), 500);
    }
}

#[test]
fn an_abort_is_answered_with_204_whatever_kind_of_success_it_was() {
    for status in [200, 204] {
        let answer = told(
            &Request::new("DELETE", "/devices/k?uploadId=U"),
            &origin(status, &[], ""),
        )
        .unwrap();
        assert_eq!(
            (answer.status, answer.body.len(), answer.header("content-type")),
            (204, 0, None)
        );
    }
}

#[test]
fn a_deletion_is_answered_with_204_and_what_became_of_the_versions() {
    let s3 = origin(
        204,
        &[("x-amz-version-id", "v"), ("x-amz-delete-marker", "true")],
        "",
    );
    let answer = told(&Request::new("DELETE", "/devices/k"), &s3).unwrap();
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(
        names,
        [
            "x-oss-request-id",
            "date",
            "x-oss-version-id",
            "x-oss-delete-marker"
        ]
    );
    let version = Request::new("DELETE", "/devices/k?versionId=v");
    let refusal = told(&version, &origin(404, &[], "")).unwrap_err();
    assert_eq!((refusal.status(), refusal.code()), (404, "NoSuchVersion"));
}

#[test]
fn an_initiation_is_told_without_namespace_in_the_devices_terms() {
    let s3 = format!(
        "<?xml version=\"1.0\"?>\n<InitiateMultipartUploadResult {NS}><Bucket>acme-ingest</Bucket>\
         <Key>fleet/AK/x</Key><UploadId>a.b_c-==</UploadId></InitiateMultipartUploadResult>"
    );
    let answer = |target| told(&Request::new("POST", target), &origin(200, &[], &s3)).unwrap();
    assert_eq!(
        body(answer("/devices/a%20%3C%26b?uploads")),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult><Bucket>devices</Bucket>\
         <Key>a &lt;&amp;b</Key><UploadId>a.b_c-==</UploadId></InitiateMultipartUploadResult>"
    );
    assert_eq!(
        body(answer("/devices/a%20%2B/%E4%B8%AD?uploads&encoding-type=url")),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult><Bucket>devices</Bucket>\
         <EncodingType>url</EncodingType><Key>a%20%2B%2F%E4%B8%AD</Key><UploadId>a.b_c-==</UploadId></InitiateMultipartUploadResult>"
    );
    assert_eq!(
        answer("/devices/k?uploads").header("content-type"),
        Some(b"application/xml".as_slice())
    );
}

#[test]
fn a_completion_has_its_etag_in_document_and_header_and_a_location_in_device_terms() {
    for etag in ["\"e-2\"", "&quot;e-2&quot;", "&#34;e-2&#34;", "e-2"] {
        // White space first, as S3 sends while it works; Location, Bucket and Key are S3's own.
        let s3 = format!(
            " \n \n<?xml version=\"1.0\"?><CompleteMultipartUploadResult {NS}><Location>http://acme-ingest.s3/fleet</Location>\
             <Bucket>acme-ingest</Bucket><Key>fleet/AK/a b</Key><ETag>{etag}</ETag></CompleteMultipartUploadResult>"
        );
        let answer = told(
            &complete(),
            &origin(200, &[("etag", "\"other\""), ("x-amz-version-id", "v")], &s3),
        )
        .unwrap();
        assert_eq!(answer.header("etag"), Some(b"\"e-2\"".as_slice()));
        assert_eq!(
            answer.headers.iter().filter(|(name, _)| name == "etag").count(),
            1
        );
        assert_eq!(answer.header("x-oss-version-id"), Some(b"v".as_slice()));
        assert_eq!(
            body(answer),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUploadResult>\
             <Location>https://edge.example.com:8443/devices/a%20b</Location><Bucket>devices</Bucket><Key>a b</Key>\
             <ETag>\"e-2\"</ETag></CompleteMultipartUploadResult>"
        );
    }
}

#[test]
fn x04_an_error_in_a_success_is_an_error() {
    for (code, status, oss) in [
        ("InternalError", 500, "InternalError"),
        ("SlowDown", 503, "ServiceUnavailable"),
        ("InvalidPart", 400, "InvalidPart"),
        ("PreconditionFailed", 412, "PreconditionFailed"),
        ("SomethingNew", 500, "InternalError"),
    ] {
        for space in ["", "\n\n  "] {
            let s3 = format!(
                "{space}<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>"
            );
            let refusal = told(&complete(), &origin(200, &[], &s3)).unwrap_err();
            assert_eq!((refusal.status(), refusal.code()), (status, oss), "{code}");
            assert_eq!(refusal.reason(), format!("The origin answered 200 {code}: m"));
        }
    }
}

#[test]
fn a_success_that_cannot_be_read_is_never_told_as_one() {
    let initiate = Request::new("POST", "/devices/k?uploads");
    for document in [
        "",
        "   ",
        "<",
        "<Other/>",
        "<CompleteMultipartUploadResult/>",
        "<InitiateMultipartUploadResult/>",
        "<CompleteMultipartUploadResult><ETag>e</ETag>",
        "<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>",
        "<InitiateMultipartUploadResult><UploadId>a b</UploadId></InitiateMultipartUploadResult>",
        "<InitiateMultipartUploadResult><UploadId>a</UploadId><UploadId>b</UploadId></InitiateMultipartUploadResult>",
        "<CompleteMultipartUploadResult><ETag>a\r\nx: y</ETag></CompleteMultipartUploadResult>",
        "<CompleteMultipartUploadResult><ETag>\"\"</ETag></CompleteMultipartUploadResult>",
    ] {
        for request in [&complete(), &initiate] {
            let refusal = told(request, &origin(200, &[], document)).unwrap_err();
            assert_eq!(
                (refusal.status(), refusal.code()),
                (500, "InternalError"),
                "{document}"
            );
        }
    }
    let long = format!(
        "{}<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>",
        " ".repeat(MAX_DOCUMENT_BYTES)
    );
    assert_eq!(
        told(&complete(), &origin(200, &[], &long)).unwrap_err().status(),
        500
    );
}

#[test]
fn o20_k08_the_gateways_own_troubles_with_s3_stay_its_own() {
    for (status, code) in [
        (403, "AccessDenied"),
        (403, "SignatureDoesNotMatch"),
        (403, "InvalidAccessKeyId"),
        (403, "RequestTimeTooSkewed"),
        (400, "ExpiredToken"),
        (400, "AuthorizationHeaderMalformed"),
        (301, "PermanentRedirect"),
        (307, "TemporaryRedirect"),
        (307, ""),
        (403, ""),
        (401, ""),
    ] {
        let s3 = format!(
            "<Error><Code>{code}</Code><Message>m</Message><AWSAccessKeyId>AKIAORIGIN</AWSAccessKeyId>\
             <StringToSign>secret text</StringToSign><Endpoint>acme-ingest.s3</Endpoint></Error>"
        );
        let refusal = told(
            &put(),
            &origin(status, &[("location", "https://acme-ingest.s3/")], &s3),
        )
        .unwrap_err();
        let answer = refusal.answer(&asked("PUT", "h", "/k"));
        let text = format!("{answer:?}{}", String::from_utf8_lossy(&answer.body));
        assert_eq!((answer.status, refusal.code()), (500, "InternalError"), "{code}");
        for secret in [
            "AKIAORIGIN",
            "secret text",
            "acme-ingest",
            "Signature",
            "location",
        ] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(!refusal.reason().contains("AKIAORIGIN"));
        assert!(code.is_empty() || refusal.reason().contains(code));
    }
}

#[test]
fn s3s_errors_become_osss_with_the_status_that_makes_sdks_do_the_right_thing() {
    for (status, code, told_status, told_code) in [
        (404, "NoSuchUpload", 404, "NoSuchUpload"),
        (400, "EntityTooSmall", 400, "EntityTooSmall"),
        (400, "BadDigest", 400, "InvalidDigest"),
        (400, "KeyTooLongError", 400, "InvalidObjectName"),
        (412, "PreconditionFailed", 412, "PreconditionFailed"),
        (409, "ConditionalRequestConflict", 503, "ServiceUnavailable"),
        (503, "SlowDown", 503, "ServiceUnavailable"),
        (411, "MissingContentLength", 411, "MissingContentLength"),
        (501, "NotImplemented", 501, "NotImplemented"),
        (400, "SomethingNew", 400, "InvalidArgument"),
        (418, "SomethingNew", 500, "InternalError"),
        (500, "SomethingNew", 500, "InternalError"),
        (502, "", 500, "InternalError"),
        (503, "", 503, "ServiceUnavailable"),
        (413, "", 400, "EntityTooLarge"),
        (404, "", 500, "InternalError"),
        (100, "", 500, "InternalError"),
    ] {
        let s3 = if code.is_empty() {
            "<html>no".to_owned()
        } else {
            format!("<Error><Code>{code}</Code></Error>")
        };
        let refusal = told(&put(), &origin(status, &[], &s3)).unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.code()),
            (told_status, told_code),
            "{status} {code}"
        );
    }
}

#[test]
fn an_object_that_must_not_be_overwritten_exists_already() {
    let s3 = origin(412, &[], "<Error><Code>PreconditionFailed</Code></Error>");
    let head = origin(412, &[], "");
    for request in [put(), complete()] {
        let request = request.header("x-oss-forbid-overwrite", "true");
        for s3 in [&s3, &head] {
            let refusal = told(&request, s3).unwrap_err();
            assert_eq!((refusal.status(), refusal.code()), (409, "FileAlreadyExists"));
        }
    }
}

/// The answer to a Complete that was refused, if this is what the key holds.
fn completed(request: &Request, dialect: Dialect, head: &OriginAnswer, etag: &str) -> Option<Answer> {
    let xml = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let parts = PartList::from_device(xml.as_bytes(), dialect).unwrap();
    request.authorized("fleet/AK/", |authorized| {
        let errand = authorized.errand(&seals()).unwrap();
        let asked = Asked {
            dialect,
            ..asked("POST", "h", "/devices/a b")
        };
        completed_before(head, Some(&parts), &errand, &asked)
    })
}

#[test]
fn a_retried_complete_is_a_success_only_if_the_object_has_the_mark_of_its_upload() {
    // Every upload of these tests was begun by one request.
    let mark = "030303030303030303030303";
    let before = |head: &OriginAnswer| completed(&complete(), Dialect::Oss, head, "e");
    let head = |status, mark: &str| {
        let headers = [
            ("etag", "\"e-7\""),
            ("x-amz-meta-a", "1"),
            ("content-length", "5"),
            (MARK_HEADER, mark),
        ];
        origin(status, &headers, "")
    };
    let answer = before(&head(200, mark)).unwrap();
    assert_eq!(answer.header("etag"), Some(b"\"e-7\"".as_slice()));
    for name in ["x-oss-meta-a", "x-oss-meta-causeway-upload", "content-length"] {
        assert_eq!(answer.header(name), None);
    }
    assert!(body(answer).contains("<Key>a b</Key><ETag>\"e-7\"</ETag>"));
    assert!(before(&head(200, "030303030303030303030304")).is_none());
    assert!(before(&head(404, mark)).is_none());
    assert!(before(&origin(200, &[("etag", "\"e-7\"")], "")).is_none());
    assert!(before(&origin(200, &[(MARK_HEADER, mark)], "")).is_none());
}

#[test]
fn a_retried_complete_of_an_s3_client_is_a_success_only_if_the_object_is_the_one_of_its_parts() {
    const MD5: &str = "0cc175b9c0f1b6a831c399e269772661";
    let request = complete().signed_by_s3(&[]);
    let before = |head: &OriginAnswer, etag: &str| completed(&request, Dialect::S3, head, etag);
    let list = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{MD5}</ETag></Part></CompleteMultipartUpload>"
    );
    let parts = PartList::from_device(list.as_bytes(), Dialect::S3).unwrap();
    let etag = parts.composite_etag().unwrap();
    let head = |status, etag: &str| origin(status, &[("etag", etag)], "");
    let answer = before(&head(200, &format!("\"{etag}\"")), MD5).unwrap();
    assert_eq!(answer.header("etag"), Some(format!("\"{etag}\"").as_bytes()));
    assert!(before(&head(200, &etag.to_uppercase()), MD5).is_some());
    assert!(before(&head(200, &format!("\"{MD5}\"")), MD5).is_none());
    assert!(before(&head(404, &etag), MD5).is_none());
    assert!(before(&origin(200, &[], ""), MD5).is_none());
    assert!(before(&head(200, "\"kms\""), "kms").is_none());
}

#[test]
fn bodies_are_read_only_where_a_document_is_expected() {
    for operation in Operation::all() {
        assert_eq!(
            document_bytes(operation, 200) == 0,
            operation.streams(),
            "{operation:?}"
        );
        assert_eq!(document_bytes(operation, 404), MAX_DOCUMENT_BYTES);
    }
    assert!(error_of(&origin(200, &[], "")).is_none());
    assert_eq!(
        error_of(&origin(404, &[], "<Error><Code>NoSuchUpload</Code></Error>"))
            .unwrap()
            .code(),
        "NoSuchUpload"
    );
}

#[test]
fn a_page_of_parts_is_told_with_every_number_that_oss2_wants() {
    let part = "<Part><PartNumber>3</PartNumber><LastModified>2026-11-21T12:34:56.789Z</LastModified>\
                <ETag>&quot;e&quot;</ETag><Size>5</Size></Part>";
    let told = |more: &str| {
        let s3 = format!(
            "<ListPartsResult {NS}><Bucket>acme-ingest</Bucket><Key>fleet/AK/k</Key><UploadId>U</UploadId>\
             <Owner><ID>o</ID></Owner>{more}</ListPartsResult>"
        );
        told(
            &Request::new("GET", "/devices/k?uploadId=U"),
            &origin(200, &[], &s3),
        )
    };
    let document = |numbers: &str, parts: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListPartsResult><Bucket>devices</Bucket><Key>k</Key>\
             <UploadId>U</UploadId>{numbers}{parts}</ListPartsResult>"
        )
    };
    let told_part = "<Part><PartNumber>3</PartNumber><LastModified>2026-11-21T12:34:56.000Z</LastModified>\
                     <ETag>\"e\"</ETag><Size>5</Size></Part>";
    let numbers = |next, most, truncated| {
        format!(
            "<NextPartNumberMarker>{next}</NextPartNumberMarker><MaxParts>{most}</MaxParts><IsTruncated>{truncated}</IsTruncated>"
        )
    };
    for (more, expected) in [
        (
            format!(
                "<IsTruncated>true</IsTruncated><MaxParts>1</MaxParts><NextPartNumberMarker>3</NextPartNumberMarker>{part}"
            ),
            document(&numbers(3, 1, true), told_part),
        ),
        // SeaweedFS leaves the marker out on the last page.
        (
            format!("<IsTruncated>false</IsTruncated>{part}"),
            document(&numbers(3, 1000, false), told_part),
        ),
        (
            "<IsTruncated>false</IsTruncated>".to_owned(),
            document(&numbers(0, 1000, false), ""),
        ),
    ] {
        assert_eq!(body(told(&more).unwrap()), expected);
    }
    for more in [
        "",
        "<IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>",
    ] {
        assert_eq!(told(more).unwrap_err().status(), 500, "{more}");
    }
}

#[test]
fn an_error_whose_body_is_not_shown_is_told_by_its_status_or_by_the_code_in_a_header() {
    let translate = |status, headers: &[(&str, &str)], operation, forbids| {
        let answer = OriginAnswer {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: Vec::new(),
        };
        let sent = Sent {
            operation,
            forbids_overwrite: forbids,
            names_version: false,
            expects_object: false,
        };
        translate_head(
            &answer,
            sent,
            sent.operation,
            &crate::device::bucket(),
            &asked("PUT", "", ""),
        )
        .unwrap_err()
    };
    use Operation::{PutObject, UploadPart};
    for (status, operation, forbids, expected, code) in [
        (301, PutObject, false, 500, "InternalError"),
        (400, PutObject, false, 400, "InvalidArgument"),
        (403, PutObject, false, 500, "InternalError"),
        (404, PutObject, false, 404, "NoSuchBucket"),
        (404, UploadPart, false, 404, "NoSuchUpload"),
        (409, PutObject, true, 503, "ServiceUnavailable"),
        (411, PutObject, false, 411, "MissingContentLength"),
        (412, PutObject, true, 409, "FileAlreadyExists"),
        (412, PutObject, false, 412, "PreconditionFailed"),
        (413, UploadPart, false, 400, "EntityTooLarge"),
        (500, UploadPart, false, 500, "InternalError"),
        (501, PutObject, false, 501, "NotImplemented"),
        (503, UploadPart, false, 503, "ServiceUnavailable"),
        (999, PutObject, false, 500, "InternalError"),
    ] {
        let refusal = translate(status, &[], operation, forbids);
        assert_eq!(
            (refusal.status(), refusal.code()),
            (expected, code),
            "{status} {operation:?}"
        );
    }
    for (said, code) in [
        ("BadDigest", "InvalidDigest"),
        ("EntityTooLarge", "EntityTooLarge"),
        ("New", "InvalidArgument"),
    ] {
        let headers = [("x-amz-error-code", said), ("x-amz-error-message", "because")];
        let refusal = translate(400, &headers, PutObject, false);
        assert_eq!(refusal.code(), code, "{said}");
        assert!(refusal.reason().contains(said) && refusal.reason().contains("because"));
    }
}
