use super::*;
use crate::device::{self, Request, seals};
use crate::error::Fault;

fn built(request: &Request, mount: &str) -> OriginRequest {
    request.authorized(mount, |authorized| {
        OriginRequest::new(&authorized.errand(&seals()).unwrap())
    })
}

fn header<'r>(request: &'r OriginRequest, name: &str) -> Option<&'r [u8]> {
    request
        .headers
        .iter()
        .find(|(header, _)| header == name)
        .map(|(_, value)| value.as_slice())
}

#[test]
fn each_operation_becomes_its_s3_request() {
    for (method, target, expected, body) in [
        (
            "PUT",
            "/devices/a/b",
            "PUT https://s3.eu-west-1.amazonaws.com/acme-ingest/a/b",
            OriginBody::Device,
        ),
        (
            "POST",
            "/devices/k?uploads&sequential&encoding-type=url",
            "POST https://s3.eu-west-1.amazonaws.com/acme-ingest/k?uploads=",
            OriginBody::Empty,
        ),
        (
            "PUT",
            "/devices/k?uploadId=a%2Fb.c_-%2B&partNumber=7",
            "PUT https://s3.eu-west-1.amazonaws.com/acme-ingest/k?partNumber=7&uploadId=a%2Fb.c_-%2B",
            OriginBody::Device,
        ),
        (
            "POST",
            "/devices/k?encoding-type=url&uploadId=U",
            "POST https://s3.eu-west-1.amazonaws.com/acme-ingest/k?uploadId=U",
            OriginBody::AwaitsParts,
        ),
        (
            "DELETE",
            "/devices/k?uploadId=U",
            "DELETE https://s3.eu-west-1.amazonaws.com/acme-ingest/k?uploadId=U",
            OriginBody::Empty,
        ),
        (
            "DELETE",
            "/devices/k",
            "DELETE https://s3.eu-west-1.amazonaws.com/acme-ingest/k",
            OriginBody::Empty,
        ),
        (
            "DELETE",
            "/devices/k?versionId=a%2Fb.c_-%2B",
            "DELETE https://s3.eu-west-1.amazonaws.com/acme-ingest/k?versionId=a%2Fb.c_-%2B",
            OriginBody::Empty,
        ),
        (
            "GET",
            "/devices/k?uploadId=U&part-number-marker=&max-parts=50&encoding-type=url",
            "GET https://s3.eu-west-1.amazonaws.com/acme-ingest/k?max-parts=50&uploadId=U",
            OriginBody::Empty,
        ),
        (
            "GET",
            "/devices/k?part-number-marker=7&uploadId=U",
            "GET https://s3.eu-west-1.amazonaws.com/acme-ingest/k?max-parts=1000&part-number-marker=7&uploadId=U",
            OriginBody::Empty,
        ),
        (
            "GET",
            "/devices/k?versionId=v&response-content-type=text/plain",
            "GET https://s3.eu-west-1.amazonaws.com/acme-ingest/k?response-content-type=text%2Fplain&versionId=v",
            OriginBody::Empty,
        ),
        (
            "HEAD",
            "/devices/k?objectMeta",
            "HEAD https://s3.eu-west-1.amazonaws.com/acme-ingest/k",
            OriginBody::Empty,
        ),
    ] {
        let request = built(&Request::new(method, target), "");
        assert_eq!(format!("{} {}", request.method, request.url()), expected);
        assert_eq!(request.body, body);
        assert_eq!(header(&request, "accept-encoding"), Some(b"identity".as_slice()));
    }
}

#[test]
fn keys_are_encoded_strictly_and_kept_to_the_byte() {
    for (target, path) in [
        ("/devices/a%20b+c%2520d", "/a%20b%2Bc%2520d"),
        ("/devices/~!*'()", "/~%21%2A%27%28%29"),
        ("/devices/%E4%B8%AD/%F0%9F%98%80", "/%E4%B8%AD/%F0%9F%98%80"),
        ("/devices//a//b/", "//a//b/"),
        ("/devices/a%2Fb", "/a/b"),
        (
            "/devices/a%3Fb%23c&d=e;f:g@h,i$j",
            "/a%3Fb%23c%26d%3De%3Bf%3Ag%40h%2Ci%24j",
        ),
        ("/devices/%252e%252e/k", "/%252e%252e/k"),
    ] {
        let mut bucket = device::bucket();
        bucket.origin.addressing = OriginAddressing::VirtualHost;
        let request = built(&Request::new("PUT", target).bucket(bucket), "");
        assert_eq!(request.host, "acme-ingest.s3.eu-west-1.amazonaws.com");
        assert_eq!(request.path_and_query(), path, "{target}");
    }
}

#[test]
fn the_mount_stands_before_the_key_at_the_origin_only() {
    let request = Request::new("PUT", "/devices/a/b");
    assert_eq!(built(&request, "fleet/AK/").path, "/acme-ingest/fleet/AK/a/b");
    request.authorized("fleet/AK/", |authorized| {
        assert_eq!(authorized.target().key(), "a/b");
        let errand = authorized.errand(&seals()).unwrap();
        assert_eq!(OriginRequest::head(&errand).path, "/acme-ingest/fleet/AK/a/b");
    });
}

#[test]
fn a_completion_gets_the_rewritten_list_with_its_own_digest() {
    let list = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>";
    let device = Request::new("POST", "/devices/k?uploadId=U")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-md5", content_md5(list.as_bytes()))
        .header("x-oss-forbid-overwrite", "true");
    let parts = PartList::from_device(list.as_bytes(), Dialect::Oss).unwrap();
    device.authorized("", |authorized| {
        let errand = authorized.errand(&seals()).unwrap();
        assert_eq!(
            errand.content_md5(),
            Some(content_md5(list.as_bytes()).as_bytes())
        );
        let request = OriginRequest::new(&errand).with_parts(&parts);
        let OriginBody::Document(document) = &request.body else {
            panic!()
        };
        assert_eq!(*document, parts.to_xml().into_bytes());
        assert_eq!(
            header(&request, "content-type"),
            Some(b"application/xml".as_slice())
        );
        assert_eq!(
            header(&request, "content-md5"),
            Some(content_md5(document).as_bytes())
        );
        assert_eq!(header(&request, "if-none-match"), Some(b"*".as_slice()));
        assert_eq!(
            request
                .headers
                .iter()
                .filter(|(name, _)| name == "content-md5")
                .count(),
            1
        );
    });
}

#[test]
fn the_gateways_own_questions_are_about_the_authorised_key() {
    let device = Request::new("POST", "/devices/a%20b?uploadId=U").header("x-oss-request-payer", "requester");
    device.authorized("", |authorized| {
        let errand = authorized.errand(&seals()).unwrap();
        let first = OriginRequest::list_parts(&errand, None);
        assert_eq!(
            (first.method, first.path_and_query()),
            ("GET", "/acme-ingest/a%20b?max-parts=1000&uploadId=U".to_owned())
        );
        let next = OriginRequest::list_parts(&errand, PartNumber::from_decimal(b"1000"));
        assert_eq!(next.query, "max-parts=1000&part-number-marker=1000&uploadId=U");
        let head = OriginRequest::head(&errand);
        assert_eq!(
            (head.method, head.path_and_query()),
            ("HEAD", "/acme-ingest/a%20b".to_owned())
        );
        assert_eq!(
            header(&head, "x-amz-request-payer"),
            Some(b"requester".as_slice())
        );
        assert_eq!(head.body, OriginBody::Empty);
    });
}

#[test]
fn h01_a_framed_body_is_as_large_as_the_content_whose_length_is_signed() {
    let fault = |length: Option<&str>, stated| {
        let mut request = Request::new("PUT", "/devices/k")
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        if let Some(length) = length {
            request = request.header("x-amz-decoded-content-length", length);
        }
        request.signed_by_s3(&[]).authorized("", |authorized| {
            let refusal = authorized.limited_to(Some(7)).check_size(stated);
            refusal.map_err(|refusal| refusal.fault())
        })
    };
    // The frame is longer than its content, and no matter.
    assert_eq!(fault(Some("7"), Some(60)), Ok(()));
    assert_eq!(fault(Some("8"), Some(60)), Err(Fault::EntityTooLarge));
    // A stated length that is smaller says nothing of the content.
    assert_eq!(fault(Some("8"), Some(1)), Err(Fault::EntityTooLarge));
    assert_eq!(fault(Some("9999999999999999"), None), Err(Fault::EntityTooLarge));
    for length in [None, Some("7x"), Some("-7"), Some("00000000000000007")] {
        assert_eq!(fault(length, Some(1)), Err(Fault::LengthMissing), "{length:?}");
    }
}

#[test]
fn h01_one_upload_has_at_most_5_gib_whoever_signs_it() {
    for request in [
        Request::new("PUT", "/devices/k"),
        Request::new("PUT", "/devices/k?partNumber=10000&uploadId=U"),
        Request::new("PUT", "/devices/k").signed_by_v4(""),
        Request::new("PUT", "/devices/k").signed_by_s3(&[]),
        Request::new("PUT", "/devices/k?partNumber=1&uploadId=U").signed_by_s3(&[]),
        Request::new("PUT", "/devices/k").presigned_by_s3(),
    ] {
        request.authorized("", |authorized| {
            assert_eq!(authorized.check_size(Some(5 << 30)), Ok(()));
            let refusal = authorized.check_size(Some((5 << 30) + 1)).unwrap_err();
            assert_eq!(refusal.fault(), Fault::EntityTooLarge);
        });
    }
}

#[test]
fn the_checksum_of_a_document_counts_for_an_s3_client_that_signed_it() {
    let errand = |method: &str, target: &str| {
        let request = Request::new(method, target).header("x-amz-checksum-crc32", "AAAAAA==");
        request.signed_by_s3(&[]).authorized("", |authorized| {
            let errand = authorized.errand(&seals()).unwrap();
            errand.content_crc32().map(<[u8]>::to_vec)
        })
    };
    assert_eq!(errand("POST", "/devices/?delete"), Some(b"AAAAAA==".to_vec()));
    assert_eq!(errand("PUT", "/devices/k?tagging"), Some(b"AAAAAA==".to_vec()));
    // Of an object, and of nothing.
    assert_eq!(errand("POST", "/devices/k?uploadId=U"), None);
    assert_eq!(errand("GET", "/devices/k?tagging"), None);
}

#[test]
fn the_log_tells_an_upload_id_that_was_sealed_elsewhere_from_an_upload_that_has_ended() {
    Request::new("PUT", "/devices/k?partNumber=1&uploadId=U").authorized("", |authorized| {
        let others = SealKeys::new([b"another deployment's".as_slice()].into_iter());
        let refusal = authorized.errand(&others).err().unwrap();
        assert_eq!(refusal.fault(), Fault::NoSuchUpload);
        assert!(
            refusal
                .reason()
                .contains("not sealed by this deployment's secret"),
            "{refusal:?}"
        );
    });
}
