//! The room where clients of either dialect are told of buckets.

use request_auth::{Dialect, UnixSeconds};

use super::tests::origin;
use super::*;
use crate::answer::tests::{asked, asked_of_s3};
use crate::area::KnownBucket;
use crate::device::{self, Request, seals};
use crate::operation::BucketsPage;
use crate::request::{OriginBody, OriginRequest};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
const HOST: &str = "edge.example.com:8443";

/// Asks of a client of this dialect, about a bucket.
fn asks<'a>(dialect: Dialect, method: &'a str) -> Asked<'a> {
    match dialect {
        Dialect::Oss => asked(method, HOST, "/devices/"),
        Dialect::S3 => asked_of_s3(method, HOST, "/devices/"),
    }
}

fn request(dialect: Dialect, method: &str, query: &str) -> Request {
    let request = Request::new(method, &["/devices/", query].concat());
    match dialect {
        Dialect::Oss => request,
        Dialect::S3 => request.signed_by_s3(&[]),
    }
}

/// The answer to a client, for an answer of the origin's.
fn told(dialect: Dialect, method: &str, query: &str, origin: &OriginAnswer) -> Result<Answer, Refusal> {
    request(dialect, method, query).authorized("", |authorized| {
        translate(
            origin,
            &Subject::of(&authorized.errand(&seals()).unwrap()),
            &asks(dialect, method),
        )
    })
}

/// What the origin is sent, with a client's document.
fn sent(dialect: Dialect, method: &str, query: &str, document: &str) -> Result<OriginRequest, Fault> {
    request(dialect, method, query).authorized("", |authorized| {
        let errand = authorized.errand(&seals()).map_err(|refusal| refusal.fault())?;
        let request = OriginRequest::new(&errand).with_client_document(&errand, document.as_bytes());
        request.map_err(|refusal| refusal.fault())
    })
}

fn body(answer: Answer) -> String {
    String::from_utf8(answer.body).unwrap()
}

fn error(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>m</Message><BucketName>acme-ingest</BucketName></Error>")
}

#[test]
fn what_is_asked_of_a_bucket_is_asked_of_its_s3_bucket() {
    for (dialect, method, query, expected) in [
        (Dialect::Oss, "HEAD", "", "HEAD /acme-ingest/"),
        (Dialect::S3, "HEAD", "", "HEAD /acme-ingest/"),
        (Dialect::Oss, "GET", "?bucketInfo", "HEAD /acme-ingest/"),
        (Dialect::Oss, "PUT", "", "PUT /acme-ingest/"),
        (Dialect::S3, "PUT", "", "PUT /acme-ingest/"),
        (Dialect::Oss, "DELETE", "", "DELETE /acme-ingest/"),
        (Dialect::S3, "DELETE", "", "DELETE /acme-ingest/"),
        (Dialect::Oss, "GET", "?tagging", "GET /acme-ingest/?tagging="),
        (Dialect::S3, "DELETE", "?tagging", "DELETE /acme-ingest/?tagging="),
    ] {
        let request = sent(dialect, method, query, "").unwrap();
        assert_eq!(
            format!("{} {}", request.method, request.path_and_query()),
            expected
        );
    }
}

#[test]
fn a_bucket_is_made_in_its_region_by_a_document_of_the_gateway_s_own() {
    let client =
        "<CreateBucketConfiguration><StorageClass>Standard</StorageClass></CreateBucketConfiguration>";
    for (dialect, document) in [(Dialect::Oss, client), (Dialect::Oss, ""), (Dialect::S3, "")] {
        let request = sent(dialect, "PUT", "", document).unwrap();
        let OriginBody::Document(written) = &request.body else {
            panic!()
        };
        let expected = format!(
            "{DECLARATION}<CreateBucketConfiguration {NS}><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"
        );
        assert_eq!(String::from_utf8_lossy(written), expected);
        let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, ["accept-encoding", "content-type", "content-md5"]);
    }
    let mut unnamed = device::bucket();
    unnamed.origin.region = "us-east-1".to_owned();
    Request::new("PUT", "/devices/")
        .bucket(unnamed)
        .authorized("", |authorized| {
            let errand = authorized.errand(&seals()).unwrap();
            let request = OriginRequest::new(&errand).with_client_document(&errand, b"");
            assert_eq!(request.unwrap().body, OriginBody::Empty);
        });
}

#[test]
fn o05_a_public_bucket_is_refused_unless_the_configuration_passes_acls() {
    for (dialect, header) in [(Dialect::Oss, "x-oss-acl"), (Dialect::S3, "x-amz-acl")] {
        let headers = |acl: &str, rule| {
            let mut bucket = device::bucket();
            bucket.acl = rule;
            let request = Request::new("PUT", "/devices/")
                .header(header, acl)
                .bucket(bucket);
            let request = match dialect {
                Dialect::Oss => request,
                Dialect::S3 => request.signed_by_s3(&[]),
            };
            request.authorized("", |authorized| {
                let errand = authorized.errand(&seals()).map_err(|refusal| refusal.fault())?;
                Ok(errand.headers().clone())
            })
        };
        use crate::addressing::AclRule::{Pass, Private};
        assert_eq!(headers("private", Private), Ok(vec![]), "{header}");
        assert_eq!(headers("public-read", Private), Err(Fault::PublicAcl), "{header}");
        assert_eq!(
            headers("nonsense", Private),
            Err(Fault::ArgumentInvalid),
            "{header}"
        );
        let passed = vec![(Cow::Borrowed("x-amz-acl"), b"public-read".to_vec())];
        assert_eq!(headers("public-read", Pass), Ok(passed), "{header}");
    }
}

#[test]
fn a_bucket_that_was_made_or_deleted_is_told_in_the_status_of_the_dialect() {
    let success = origin(
        200,
        &[
            ("location", "/acme-ingest"),
            ("x-amz-bucket-arn", "arn:aws:s3:::acme-ingest"),
        ],
        "",
    );
    for (dialect, method, query, status, location) in [
        (Dialect::Oss, "PUT", "", 200, Some("/devices")),
        (Dialect::S3, "PUT", "", 200, Some("/devices")),
        (Dialect::Oss, "DELETE", "", 204, None),
        (Dialect::S3, "DELETE", "", 204, None),
        (Dialect::Oss, "PUT", "?tagging", 200, None),
        (Dialect::S3, "PUT", "?tagging", 204, None),
        (Dialect::Oss, "DELETE", "?tagging", 204, None),
        (Dialect::S3, "DELETE", "?tagging", 204, None),
        (Dialect::Oss, "HEAD", "", 200, None),
        (Dialect::S3, "HEAD", "", 200, None),
    ] {
        let answer = told(dialect, method, query, &success).unwrap();
        let place = answer.header("location").map(String::from_utf8_lossy);
        assert_eq!(
            (answer.status, place.as_deref(), answer.body.len()),
            (status, location, 0),
            "{method} {query}"
        );
        let region = (dialect == Dialect::S3 && method == "HEAD").then_some(b"eu-west-1".as_slice());
        assert_eq!(answer.header("x-amz-bucket-region"), region);
        let text = format!("{:?}", answer.headers);
        assert!(!text.contains("acme"), "{text}");
    }
}

#[test]
fn s3_s_errors_about_buckets_are_told_in_either_dialect() {
    for (method, query, status, code, oss, s3) in [
        (
            "PUT",
            "",
            409,
            "BucketAlreadyOwnedByYou",
            (409, "BucketAlreadyExists"),
            (409, "BucketAlreadyOwnedByYou"),
        ),
        (
            "PUT",
            "",
            409,
            "BucketAlreadyExists",
            (409, "BucketAlreadyExists"),
            (409, "BucketAlreadyExists"),
        ),
        (
            "PUT",
            "",
            400,
            "TooManyBuckets",
            (400, "TooManyBuckets"),
            (400, "TooManyBuckets"),
        ),
        (
            "PUT",
            "",
            400,
            "InvalidLocationConstraint",
            (500, "InternalError"),
            (500, "InternalError"),
        ),
        (
            "PUT",
            "",
            400,
            "IllegalLocationConstraintException",
            (500, "InternalError"),
            (500, "InternalError"),
        ),
        (
            "PUT",
            "",
            403,
            "AccessDenied",
            (500, "InternalError"),
            (500, "InternalError"),
        ),
        (
            "DELETE",
            "",
            409,
            "BucketNotEmpty",
            (409, "BucketNotEmpty"),
            (409, "BucketNotEmpty"),
        ),
        (
            "DELETE",
            "",
            404,
            "NoSuchBucket",
            (404, "NoSuchBucket"),
            (404, "NoSuchBucket"),
        ),
        ("HEAD", "", 404, "", (404, "NoSuchBucket"), (404, "NoSuchBucket")),
        (
            "HEAD",
            "",
            403,
            "",
            (500, "InternalError"),
            (500, "InternalError"),
        ),
        (
            "HEAD",
            "",
            301,
            "",
            (500, "InternalError"),
            (500, "InternalError"),
        ),
        (
            "GET",
            "?tagging",
            404,
            "NoSuchBucket",
            (404, "NoSuchBucket"),
            (404, "NoSuchBucket"),
        ),
        (
            "PUT",
            "?tagging",
            400,
            "InvalidTag",
            (400, "InvalidArgument"),
            (400, "InvalidTag"),
        ),
        (
            "PUT",
            "?tagging",
            409,
            "OperationAborted",
            (503, "ServiceUnavailable"),
            (503, "SlowDown"),
        ),
    ] {
        for (dialect, expected) in [(Dialect::Oss, oss), (Dialect::S3, s3)] {
            let document = if code.is_empty() {
                String::new()
            } else {
                error(code)
            };
            let refusal = told(dialect, method, query, &origin(status, &[], &document)).unwrap_err();
            let row = refusal.row(dialect);
            assert_eq!((row.status, row.code), expected, "{method} {query} {code}");
            let answer = body(refusal.answer(&asks(dialect, method)));
            assert!(!answer.contains("acme"), "{answer}");
        }
    }
}

#[test]
fn a_bucket_s_tags_are_read_into_values_both_ways() {
    let inner = "<TagSet><Tag><Key>team</Key><Value>edge &amp; core</Value></Tag><Tag><Key>empty</Key><Value></Value></Tag></TagSet></Tagging>";
    let of_s3 = format!("{DECLARATION}<Tagging {NS}>{inner}");
    for (dialect, expected) in [
        (Dialect::Oss, format!("{DECLARATION}<Tagging>{inner}")),
        (Dialect::S3, of_s3.clone()),
    ] {
        let answer = told(dialect, "GET", "?tagging", &origin(200, &[], &of_s3)).unwrap();
        assert_eq!((answer.status, body(answer)), (200, expected));
        let request = sent(dialect, "PUT", "?tagging", &format!("<Tagging>{inner}")).unwrap();
        assert_eq!(
            (request.method, request.query.as_str(), &request.body),
            ("PUT", "tagging=", &OriginBody::Document(of_s3.clone().into()))
        );
        let unreadable = told(dialect, "GET", "?tagging", &origin(200, &[], "<Other/>"));
        assert_eq!(unreadable.unwrap_err().status(), 500);
        for (document, fault) in [
            ("", Fault::XmlMalformed),
            ("<Tagging/>", Fault::XmlMalformed),
            (
                "<Tagging><TagSet><Tag><Key></Key><Value/></Tag></TagSet></Tagging>",
                Fault::TagInvalid,
            ),
        ] {
            assert_eq!(
                sent(dialect, "PUT", "?tagging", document),
                Err(fault),
                "{document}"
            );
        }
    }
    let many = |count: u32| {
        let tags: String = (0..count)
            .map(|n| format!("<Tag><Key>{n}</Key><Value/></Tag>"))
            .collect();
        format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
    };
    for (dialect, most) in [(Dialect::Oss, 20), (Dialect::S3, 50)] {
        assert!(sent(dialect, "PUT", "?tagging", &many(most)).is_ok());
        let refused = sent(dialect, "PUT", "?tagging", &many(most + 1));
        assert_eq!(refused, Err(Fault::TagsTooMany));
    }
}

#[test]
fn a_bucket_without_tags_is_an_error_in_s3_alone() {
    let none = origin(404, &[], &error("NoSuchTagSet"));
    let of_oss = told(Dialect::Oss, "GET", "?tagging", &none).unwrap();
    assert_eq!(
        (of_oss.status, body(of_oss)),
        (200, format!("{DECLARATION}<Tagging><TagSet></TagSet></Tagging>"))
    );
    let refusal = told(Dialect::S3, "GET", "?tagging", &none).unwrap_err();
    let row = refusal.row(Dialect::S3);
    assert_eq!((row.status, row.code), (404, "NoSuchTagSet"));
}

#[test]
fn a13_what_is_known_of_a_bucket_is_what_the_configuration_says() {
    let there = origin(200, &[("x-amz-bucket-region", "eu-west-1")], "");
    let answer = told(Dialect::Oss, "GET", "?bucketInfo", &there).unwrap();
    assert_eq!(
        body(answer),
        format!(
            "{DECLARATION}<BucketInfo><Bucket><Name>devices</Name><CreationDate>2024-01-01T00:00:00.000Z</CreationDate>\
             <ExtranetEndpoint>{HOST}</ExtranetEndpoint><IntranetEndpoint>{HOST}</IntranetEndpoint>\
             <Location>oss-eu-west-1</Location><Region>eu-west-1</Region><StorageClass>Standard</StorageClass>\
             <Owner><ID>causeway</ID><DisplayName>causeway</DisplayName></Owner>\
             <AccessControlList><Grant>private</Grant></AccessControlList></Bucket></BucketInfo>"
        )
    );
    let refusal = told(Dialect::Oss, "GET", "?bucketInfo", &origin(404, &[], "")).unwrap_err();
    assert_eq!((refusal.status(), refusal.code()), (404, "NoSuchBucket"));
}

#[test]
fn a_bucket_s_place_is_its_region_as_either_dialect_writes_it() {
    for (dialect, region, text) in [
        (Dialect::Oss, "eu-west-1", "oss-eu-west-1"),
        (Dialect::Oss, "us-east-1", "oss-us-east-1"),
        (Dialect::S3, "eu-west-1", "eu-west-1"),
        (Dialect::S3, "us-east-1", ""),
    ] {
        let mut bucket = device::bucket();
        bucket.origin.region = region.to_owned();
        let request = request(dialect, "GET", "?location").bucket(bucket);
        request.authorized("", |authorized| {
            let answer =
                answer_at_once(&authorized.errand(&seals()).unwrap(), &asks(dialect, "GET")).unwrap();
            let namespace = if dialect == Dialect::S3 {
                [" ", NS].concat()
            } else {
                String::new()
            };
            assert_eq!(
                body(answer),
                format!("{DECLARATION}<LocationConstraint{namespace}>{text}</LocationConstraint>")
            );
        });
    }
}

fn known(name: &str, region: &str) -> KnownBucket {
    KnownBucket {
        name: name.to_owned(),
        region: region.to_owned(),
        created: UnixSeconds(1_704_067_200),
    }
}

fn page(prefix: &str, after: &str, most: u16, region: &str) -> BucketsPage {
    BucketsPage {
        prefix: prefix.to_owned(),
        after: after.to_owned(),
        most,
        region: region.to_owned(),
    }
}

#[test]
fn a13_the_list_of_buckets_has_every_element_that_sdks_read() {
    let buckets = [known("devices", "eu-west-1"), known("archive", "us-east-1")];
    let owner = "<Owner><ID>causeway</ID><DisplayName>causeway</DisplayName></Owner>";
    let of_oss = |name: &str, region: &str| {
        format!(
            "<Bucket><Name>{name}</Name><CreationDate>2024-01-01T00:00:00.000Z</CreationDate>\
             <ExtranetEndpoint>{HOST}</ExtranetEndpoint><IntranetEndpoint>{HOST}</IntranetEndpoint>\
             <Location>oss-{region}</Location><Region>{region}</Region><StorageClass>Standard</StorageClass></Bucket>"
        )
    };
    assert_eq!(
        body(bucket::list(
            &buckets,
            &page("", "", 100, ""),
            &asks(Dialect::Oss, "GET")
        )),
        format!(
            "{DECLARATION}<ListAllMyBucketsResult>{owner}<MaxKeys>100</MaxKeys><IsTruncated>false</IsTruncated>\
             <Buckets>{}{}</Buckets></ListAllMyBucketsResult>",
            of_oss("archive", "us-east-1"),
            of_oss("devices", "eu-west-1")
        )
    );
    let of_s3 = |name: &str, region: &str| {
        format!(
            "<Bucket><Name>{name}</Name><CreationDate>2024-01-01T00:00:00.000Z</CreationDate><BucketRegion>{region}</BucketRegion></Bucket>"
        )
    };
    assert_eq!(
        body(bucket::list(
            &buckets,
            &page("", "", 10_000, ""),
            &asks(Dialect::S3, "GET")
        )),
        format!(
            "{DECLARATION}<ListAllMyBucketsResult {NS}>{owner}<Buckets>{}{}</Buckets></ListAllMyBucketsResult>",
            of_s3("archive", "us-east-1"),
            of_s3("devices", "eu-west-1")
        )
    );
}

#[test]
fn lists_of_buckets_go_on_where_their_last_page_ended() {
    let buckets = ["a-1", "b-1", "b-2", "b-3", "c-1"].map(|name| known(name, "eu-west-1"));
    let buckets = [buckets.as_slice(), &[known("b-9", "us-east-1")]].concat();
    let leaf = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once('<').map(|(value, _)| value.to_owned())
    };
    for (dialect, way_on) in [(Dialect::Oss, "NextMarker"), (Dialect::S3, "ContinuationToken")] {
        let mut names = Vec::new();
        let mut after = String::new();
        for most in [2, 2, 2] {
            let answer = bucket::list(&buckets, &page("b-", &after, most, ""), &asks(dialect, "GET"));
            let text = body(answer);
            names.extend(
                text.split("<Name>")
                    .skip(1)
                    .map(|rest| rest.split('<').next().unwrap().to_owned()),
            );
            assert_eq!(leaf(&text, "Prefix").as_deref(), Some("b-"));
            let Some(next) = leaf(&text, way_on) else { break };
            assert_ne!(leaf(&text, "IsTruncated").as_deref(), Some("false"));
            after = next;
        }
        assert_eq!(names, ["b-1", "b-2", "b-3", "b-9"], "{dialect:?}");
    }
    let of_region = bucket::list(
        &buckets,
        &page("", "", 10_000, "us-east-1"),
        &asks(Dialect::S3, "GET"),
    );
    let text = body(of_region);
    assert!(text.contains("b-9") && !text.contains("b-1"), "{text}");
}
