use super::*;
use crate::device::Request as Device;

fn recognise(method: &str, target: &str) -> Result<Call, NotACall> {
    Device::new(method, target).recognised()
}

fn upload() -> UploadId {
    UploadId::new(b"U").unwrap()
}

#[test]
fn the_upload_operations_are_recognised_from_their_exact_query_names() {
    let (plain, url) = (KeySpelling::Plain, KeySpelling::UrlEncoded);
    let number = PartNumber::from_decimal(b"3").unwrap();
    for (method, query, call) in [
        ("PUT", "", Call::PutObject),
        ("PUT", "?x-oss-traffic-limit=819200", Call::PutObject),
        (
            "POST",
            "?uploads",
            Call::InitiateMultipartUpload { spelling: plain },
        ),
        (
            "POST",
            "?uploads=",
            Call::InitiateMultipartUpload { spelling: plain },
        ),
        (
            "POST",
            "?sequential=&uploads=",
            Call::InitiateMultipartUpload { spelling: plain },
        ),
        (
            "POST",
            "?uploads&encoding-type=url",
            Call::InitiateMultipartUpload { spelling: url },
        ),
        (
            "PUT",
            "?partNumber=3&uploadId=U",
            Call::UploadPart {
                number,
                upload: upload(),
            },
        ),
        (
            "PUT",
            "?uploadId=U&partNumber=3",
            Call::UploadPart {
                number,
                upload: upload(),
            },
        ),
        (
            "POST",
            "?uploadId=U",
            Call::CompleteMultipartUpload {
                upload: upload(),
                parts: PartSource::Body,
                spelling: plain,
            },
        ),
        (
            "POST",
            "?encoding-type=url&uploadId=%55",
            Call::CompleteMultipartUpload {
                upload: upload(),
                parts: PartSource::Body,
                spelling: url,
            },
        ),
        (
            "DELETE",
            "?uploadId=U",
            Call::AbortMultipartUpload { upload: upload() },
        ),
        ("DELETE", "", Call::DeleteObject { version: None }),
        (
            "DELETE",
            "?versionId=null",
            Call::DeleteObject {
                version: VersionId::new("null"),
            },
        ),
    ] {
        assert_eq!(
            recognise(method, &format!("/devices/k{query}")),
            Ok(call),
            "{method} {query}"
        );
    }
}

#[test]
fn complete_all_takes_the_parts_from_the_origin() {
    for (value, source) in [
        ("yes", PartSource::AllUploaded),
        ("no", PartSource::Body),
        ("", PartSource::Body),
    ] {
        let request = Device::new("POST", "/devices/k?uploadId=U").header("x-oss-complete-all", value);
        let call = request.recognised();
        assert!(
            matches!(call, Ok(Call::CompleteMultipartUpload { parts, .. }) if parts == source),
            "{value}"
        );
    }
}

#[test]
fn h01_every_other_operation_is_outside_and_named_where_it_is_known() {
    for (method, target, name) in [
        ("GET", "/devices/k?prefix=a", None),
        ("GET", "/devices/k?objectMeta", Some("GetObjectMeta")),
        ("GET", "/devices/k?uploadId=U&acl", None),
        ("OPTIONS", "/devices/k", None),
        ("GET", "/devices/?prefix=a&versionId=1", None),
        ("GET", "/devices/?list-type=2&x-a", None),
        ("GET", "/devices/?uploads&marker=a", None),
        ("GET", "/devices/?versions&prefix=a", Some("ListObjectVersions")),
        ("GET", "/devices/?lifecycle", None),
        ("POST", "/devices/", None),
        ("POST", "/devices/k", None),
        ("PATCH", "/devices/k", None),
        ("HEAD", "/devices/?acl", None),
    ] {
        assert_eq!(
            recognise(method, target),
            Err(NotACall::Outside(name)),
            "{method} {target}"
        );
        let refusal = Refusal::from(NotACall::Outside(name));
        assert_eq!((refusal.status(), refusal.code()), (403, "AccessDenied"));
    }
}

#[test]
fn h03_a_query_name_more_or_less_is_another_operation() {
    for (method, query) in [
        ("POST", "?uploads&acl"),
        ("POST", "?uploadId=U&tagging"),
        ("POST", "?uploads&uploadId=U"),
        ("POST", "?Uploads"),
        ("POST", "?delete"),
        ("POST", "?select"),
        ("PUT", "?partNumber=1"),
        ("PUT", "?uploadId=U"),
        ("PUT", "?partNumber=1&uploadId=U&sequential"),
        ("PUT", "?versionId=1"),
        ("PUT", "?sequential"),
        ("DELETE", "?uploadId=U&tagging"),
        ("DELETE", "?uploadId=U&versionId=v"),
        ("DELETE", "?encoding-type=url"),
        // O06: unsigned names, and the one benign name where it has no meaning.
        ("PUT", "?x-id=PutObject"),
        ("PUT", "?attributes"),
        ("PUT", "?encoding-type=url"),
        ("POST", "?uploads&prefix=a"),
        ("POST", "?uploadId=U&max-parts=1"),
        ("DELETE", "?uploadId=U&encoding-type=url"),
        ("PUT", "?="),
    ] {
        let outside = recognise(method, &format!("/devices/k{query}"));
        assert!(
            matches!(outside, Err(NotACall::Outside(_))),
            "{method} {query} {outside:?}"
        );
    }
}

#[test]
fn h05_a_put_with_a_copy_source_is_a_copy() {
    let part = Call::UploadPartCopy {
        number: PartNumber::from_decimal(b"1").unwrap(),
        upload: upload(),
    };
    for (query, call) in [("", Call::CopyObject), ("?partNumber=1&uploadId=U", part)] {
        let target = ["/devices/k", query].concat();
        for source in ["/b/k", "", "?"] {
            let oss = Device::new("PUT", &target).header("x-oss-copy-source", source);
            assert_eq!(oss.recognised().as_ref(), Ok(&call));
            let s3 = Device::new("PUT", &target).header("x-amz-copy-source", source);
            assert_eq!(s3.signed_by_s3(&[]).recognised().as_ref(), Ok(&call));
        }
        let mark = if query.is_empty() { "?" } else { "&" };
        let presigned = Device::new("PUT", &[&target, mark, "x-amz-copy-source=b%2Fk"].concat());
        assert_eq!(presigned.presigned_by_s3().recognised().as_ref(), Ok(&call));
        // O04: to a device S3's header means nothing.
        let device = Device::new("PUT", &target).header("x-amz-copy-source", "/b/k");
        assert!(!device.recognised().unwrap().operation().copies());
    }
    for (method, query) in [
        ("GET", ""),
        ("HEAD", ""),
        ("DELETE", ""),
        ("POST", "?uploads"),
        ("POST", "?uploadId=U"),
        ("PUT", "?versionId=v"),
        ("PUT", "?uploadId=U"),
        ("PUT", "?acl"),
    ] {
        let request =
            Device::new(method, &["/devices/k", query].concat()).header("x-oss-copy-source", "/b/k");
        let outside = request.recognised();
        assert!(
            matches!(outside, Err(NotACall::Outside(_))),
            "{method} {query} {outside:?}"
        );
    }
}

#[test]
fn h04_values_that_an_argument_cannot_have_are_refused_by_name() {
    let long = format!("?uploadId={}", "u".repeat(1025));
    for (method, query, name) in [
        ("POST", "?uploads=1", "uploads"),
        ("POST", "?uploads=null", "uploads"),
        ("POST", "?uploads&sequential=1", "sequential"),
        ("POST", "?uploads&encoding-type=URL", "encoding-type"),
        ("PUT", "?partNumber=0&uploadId=U", "partNumber"),
        ("PUT", "?partNumber=10001&uploadId=U", "partNumber"),
        ("PUT", "?partNumber=01&uploadId=U", "partNumber"),
        ("PUT", "?partNumber=%2B1&uploadId=U", "partNumber"),
        ("PUT", "?partNumber=&uploadId=U", "partNumber"),
        ("PUT", "?partNumber=1&uploadId=", "uploadId"),
        ("POST", "?uploadId=a%20b", "uploadId"),
        ("POST", "?uploadId=%C3%A9", "uploadId"),
        ("DELETE", long.as_str(), "uploadId"),
        ("DELETE", "?versionId=", "versionId"),
        ("DELETE", "?versionId=a%20b", "versionId"),
    ] {
        let refused = recognise(method, &format!("/devices/k{query}"));
        assert!(
            matches!(refused, Err(NotACall::BadParameter(_, bad)) if bad == name),
            "{query} {refused:?}"
        );
        let refusal = Refusal::from(refused.unwrap_err());
        assert_eq!((refusal.status(), refusal.code()), (400, "InvalidArgument"));
    }
}

#[test]
fn o05_callbacks_and_processing_in_the_query_are_not_implemented() {
    for (method, query, name) in [
        ("PUT", "?callback=e30&callback-var=e30", "callback"),
        ("PUT", "?x-oss-process=image", "x-oss-process"),
        ("POST", "?uploadId=U&callback=e30", "callback"),
    ] {
        let refused = recognise(method, &format!("/devices/k{query}"));
        assert!(
            matches!(refused, Err(NotACall::Feature(_, feature)) if feature == name),
            "{refused:?}"
        );
        assert_eq!(Refusal::from(refused.unwrap_err()).status(), 501);
    }
}

#[test]
fn names_are_read_back_to_the_operation() {
    for operation in Operation::all() {
        assert_eq!(Operation::from_name(operation.name()), Some(operation));
        // What S3 calls PutObject is no form.
        let stored = match operation {
            Operation::PostObject => Operation::PutObject,
            other => other,
        };
        assert_eq!(Operation::from_name(operation.s3_name()), Some(stored));
    }
    assert_eq!(Operation::all().count(), 30);
    assert_eq!(
        Operation::from_name("ListObjectsV2"),
        Some(Operation::ListObjects)
    );
    assert_eq!(Operation::from_name("putobject"), None);
    assert_eq!(Operation::from_name("AppendObject"), None);
}

#[test]
fn the_parts_of_an_upload_can_be_listed_page_by_page() {
    let number = |text: &str| PartNumber::from_decimal(text.as_bytes());
    for (query, most, after, spelling) in [
        ("uploadId=U", None, None, KeySpelling::Plain),
        // What oss2 sends, first and later.
        (
            "uploadId=U&part-number-marker=&max-parts=1000",
            Some(1000),
            None,
            KeySpelling::Plain,
        ),
        (
            "uploadId=U&part-number-marker=0&max-parts=1",
            Some(1),
            None,
            KeySpelling::Plain,
        ),
        (
            "max-parts=&uploadId=U&part-number-marker=10000",
            None,
            number("10000"),
            KeySpelling::Plain,
        ),
        (
            "uploadId=U&encoding-type=url",
            None,
            None,
            KeySpelling::UrlEncoded,
        ),
    ] {
        let call = Call::ListParts {
            upload: upload(),
            most,
            after,
            spelling,
        };
        assert_eq!(
            recognise("GET", &format!("/devices/k?{query}")),
            Ok(call),
            "{query}"
        );
    }
    for (query, name) in [
        ("max-parts=0", "max-parts"),
        ("max-parts=1001", "max-parts"),
        ("max-parts=-1", "max-parts"),
        ("part-number-marker=10001", "part-number-marker"),
        ("part-number-marker=01", "part-number-marker"),
        ("encoding-type=xml", "encoding-type"),
    ] {
        let refused = recognise("GET", &format!("/devices/k?uploadId=U&{query}"));
        assert_eq!(refused, Err(NotACall::BadParameter(Operation::ListParts, name)));
    }
}

#[test]
fn an_unsigned_parameter_that_occurs_twice_is_refused() {
    for (method, query, name) in [
        (
            "POST",
            "uploads&encoding-type=url&encoding-type=x",
            "encoding-type",
        ),
        (
            "POST",
            "uploadId=U&encoding-type=url&encoding-type=url",
            "encoding-type",
        ),
        ("GET", "uploadId=U&max-parts=1&max-parts=2", "max-parts"),
    ] {
        let refused = recognise(method, &format!("/devices/k?{query}"));
        assert!(
            matches!(refused, Err(NotACall::BadParameter(_, bad)) if bad == name),
            "{refused:?}"
        );
    }
}

#[test]
fn h01_what_reading_and_writing_have_besides_is_no_uploading() {
    let rest = Operation::READ.into_iter().chain(Operation::WRITE);
    assert!(
        rest.clone()
            .all(|operation| !Operation::UPLOAD.contains(&operation))
    );
    assert!(rest.clone().all(|operation| !operation.is_of_whole_bucket()));
    assert_eq!(rest.count(), 17);
}

fn of_s3(method: &str, target: &str) -> Result<Call, NotACall> {
    Device::new(method, target).signed_by_s3(&[]).recognised()
}

#[test]
fn s3_clients_name_their_operation_or_do_not() {
    let plain = KeySpelling::Plain;
    let number = PartNumber::from_decimal(b"3").unwrap();
    for (method, query, call) in [
        ("PUT", "", Call::PutObject),
        ("PUT", "?x-id=PutObject", Call::PutObject),
        (
            "POST",
            "?uploads=",
            Call::InitiateMultipartUpload { spelling: plain },
        ),
        (
            "POST",
            "?uploads=&x-id=CreateMultipartUpload",
            Call::InitiateMultipartUpload { spelling: plain },
        ),
        (
            "PUT",
            "?partNumber=3&uploadId=U&x-id=UploadPart",
            Call::UploadPart {
                number,
                upload: upload(),
            },
        ),
        (
            "POST",
            "?uploadId=U",
            Call::CompleteMultipartUpload {
                upload: upload(),
                parts: PartSource::Body,
                spelling: plain,
            },
        ),
        (
            "DELETE",
            "?uploadId=U&x-id=AbortMultipartUpload",
            Call::AbortMultipartUpload { upload: upload() },
        ),
        (
            "GET",
            "?max-parts=7&uploadId=U&x-id=ListParts",
            Call::ListParts {
                upload: upload(),
                most: Some(7),
                after: None,
                spelling: plain,
            },
        ),
    ] {
        let target = ["/devices/k", query].concat();
        assert_eq!(of_s3(method, &target), Ok(call), "{method} {query}");
    }
}

#[test]
fn another_operation_s_name_is_refused() {
    for (method, query, operation) in [
        ("PUT", "?x-id=DeleteObject", Operation::PutObject),
        ("PUT", "?x-id=", Operation::PutObject),
        (
            "POST",
            "?uploads&x-id=InitiateMultipartUpload",
            Operation::InitiateMultipartUpload,
        ),
        (
            "PUT",
            "?partNumber=3&uploadId=U&x-id=PutObject",
            Operation::UploadPart,
        ),
    ] {
        let refused = of_s3(method, &["/devices/k", query].concat());
        assert_eq!(refused, Err(NotACall::BadParameter(operation, "x-id")), "{query}");
    }
    // OSS clients name none.
    assert_eq!(
        Device::new("PUT", "/devices/k?x-id=PutObject").recognised(),
        Err(NotACall::Outside(None))
    );
}

#[test]
fn query_names_of_oss_and_unknown_ones_make_no_operation_of_s3() {
    for (method, query) in [
        ("PUT", "?x-oss-traffic-limit=819200"),
        ("POST", "?uploads&sequential"),
        ("POST", "?uploads&encoding-type=url"),
        ("PUT", "?callback=x"),
        ("PUT", "?future=1"),
        ("PUT", "?X-Id=PutObject"),
        ("HEAD", "?objectMeta"),
        ("PUT", "?acl&versionid=v"),
        ("GET", "?x-oss-process=image"),
    ] {
        let refused = of_s3(method, &["/devices/k", query].concat());
        assert!(
            matches!(refused, Err(NotACall::Outside(_))),
            "{query}: {refused:?}"
        );
    }
    let all = Device::new("POST", "/devices/k?uploadId=U").header("x-oss-complete-all", "yes");
    let Ok(Call::CompleteMultipartUpload { parts, .. }) = all.signed_by_s3(&[]).recognised() else {
        panic!()
    };
    assert_eq!(parts, PartSource::Body);
}

#[test]
fn h05_b01_a_copy_is_never_a_plain_write_wherever_its_source_stands() {
    let source = ("x-amz-copy-source", "/devices/other");
    let in_header = Device::new("PUT", "/devices/k").header(source.0, source.1);
    let in_url = Device::new("PUT", "/devices/k?x-amz-copy-source=%2Fdevices%2Fother");
    for device in [in_header.signed_by_s3(&[]), in_url.presigned_by_s3()] {
        assert_eq!(device.recognised(), Ok(Call::CopyObject));
    }
}

#[test]
fn a_bucket_and_the_service_are_asked_of_by_their_own_level() {
    for (method, target, call) in [
        ("POST", "/devices/?delete", Operation::DeleteMultipleObjects),
        (
            "POST",
            "/devices?encoding-type=url&delete=",
            Operation::DeleteMultipleObjects,
        ),
        ("HEAD", "/devices/", Operation::HeadBucket),
        ("HEAD", "/devices", Operation::HeadBucket),
        ("GET", "/devices?location", Operation::GetBucketLocation),
        ("GET", "/devices/?location=", Operation::GetBucketLocation),
        ("GET", "/devices?bucketInfo", Operation::GetBucketInfo),
        ("PUT", "/devices/", Operation::PutBucket),
        ("DELETE", "/devices", Operation::DeleteBucket),
        ("GET", "/devices/?tagging", Operation::GetBucketTags),
        ("PUT", "/devices/?tagging", Operation::PutBucketTags),
        ("DELETE", "/devices/?tagging=", Operation::DeleteBucketTags),
    ] {
        let recognised = recognise(method, target).map(|call| call.operation());
        assert_eq!(recognised, Ok(call), "{method} {target}");
    }
    let at_service = |target: &str| {
        let request = Device::new("GET", target);
        request.verified(|verified| Call::recognise(verified, true).map(|(call, _)| call))
    };
    assert!(matches!(at_service("/devices/"), Ok(Call::ListBuckets(_))));
    // An object's request is one about an object wherever it is recognised.
    assert!(matches!(at_service("/devices/k"), Ok(Call::GetObject(_))));
    for (method, query, operation) in [
        ("GET", "location=1", Operation::GetBucketLocation),
        ("GET", "bucketInfo=1", Operation::GetBucketInfo),
        // OSS deletes the tags of these names alone, which S3 can't.
        ("DELETE", "tagging=a,b", Operation::DeleteBucketTags),
    ] {
        let name = query.split('=').next().unwrap();
        let refused = recognise(method, &format!("/devices/?{query}"));
        assert_eq!(refused, Err(NotACall::BadParameter(operation, name)), "{query}");
    }
}

#[test]
fn h01_what_is_not_translated_is_done_to_no_bucket() {
    for (method, target, name) in [
        ("GET", "/devices/?acl", Some("GetBucketAcl")),
        ("PUT", "/devices/?acl", Some("PutBucketAcl")),
        ("PUT", "/devices/?policy", None),
        ("DELETE", "/devices/?policy", None),
        ("PUT", "/devices/?versioning", None),
        ("DELETE", "/devices/?tagging&acl", None),
        ("POST", "/devices/?tagging", None),
    ] {
        assert_eq!(
            recognise(method, target),
            Err(NotACall::Outside(name)),
            "{method} {target}"
        );
    }
    // S3 has no such name.
    let of_s3 = Device::new("GET", "/devices/?bucketInfo")
        .signed_by_s3(&[])
        .recognised();
    assert!(matches!(of_s3, Err(NotACall::Outside(_))));
}

#[test]
fn a_list_of_buckets_has_its_page_by_the_names_of_either_dialect() {
    let page = |prefix: &str, after: &str, most, region: &str| {
        Ok(Call::ListBuckets(BucketsPage {
            prefix: prefix.to_owned(),
            after: after.to_owned(),
            most,
            region: region.to_owned(),
        }))
    };
    let bad = |name| Err(NotACall::BadParameter(Operation::ListBuckets, name));
    let asked =
        |request: Device| request.verified(|verified| Call::recognise(verified, true).map(|(call, _)| call));
    for (query, expected) in [
        ("", page("", "", 100, "")),
        ("?prefix=&marker=&max-keys=", page("", "", 100, "")),
        ("?prefix=de&marker=da&max-keys=1000", page("de", "da", 1000, "")),
        ("?max-keys=1001", bad("max-keys")),
        ("?max-keys=0", bad("max-keys")),
        ("?max-keys=-1", bad("max-keys")),
        ("?max-keys=1&max-keys=2", bad("max-keys")),
        ("?max-buckets=1", bad("max-buckets")),
        ("?bucket-region=eu-west-1", bad("bucket-region")),
        ("?tag-key=k", Err(NotACall::Outside(None))),
    ] {
        assert_eq!(
            asked(Device::new("GET", &["/devices/", query].concat())),
            expected,
            "{query}"
        );
    }
    for (query, expected) in [
        ("?x-id=ListBuckets", page("", "", 10_000, "")),
        (
            "?bucket-region=eu-west-1&continuation-token=t&max-buckets=10000&prefix=p",
            page("p", "t", 10_000, "eu-west-1"),
        ),
        ("?max-buckets=10001", bad("max-buckets")),
        ("?marker=a", bad("marker")),
        ("?max-keys=1", bad("max-keys")),
    ] {
        let device = Device::new("GET", &["/devices/", query].concat());
        assert_eq!(asked(device.signed_by_s3(&[])), expected, "{query}");
    }
}

#[test]
fn h04_a_part_has_a_number_from_1_to_10000_in_either_dialect() {
    let recognised = |number: &str, is_s3: bool| {
        let request = Device::new("PUT", &format!("/devices/k?partNumber={number}&uploadId=U"));
        let request = if is_s3 { request.signed_by_s3(&[]) } else { request };
        request.recognised()
    };
    for is_s3 in [false, true] {
        for number in [1, 2, 9, 10, 9_999, 10_000_u16] {
            let Ok(Call::UploadPart { number: read, .. }) = recognised(&number.to_string(), is_s3) else {
                panic!("{number}")
            };
            assert_eq!(read.get(), number);
        }
        for number in [
            "", "0", "00", "01", "10001", "65537", "%2B1", "-1", "%201", "1%20", "1.0", "1e2", "0x1",
            "%D9%A3",
        ] {
            let refusal = Refusal::from(recognised(number, is_s3).unwrap_err());
            let told = (refusal.status(), refusal.row(Dialect::S3).code);
            assert_eq!(told, (400, "InvalidArgument"), "{number} {is_s3}");
        }
    }
}
