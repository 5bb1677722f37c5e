//! The room where refusals are told to S3 clients.

use request_auth::{Denial, Dialect, Scheme, ScopePart, UnixSeconds};

use super::*;
use crate::answer::tests::asked_of_s3;

fn told(refusal: impl Into<Refusal>) -> (u16, &'static str) {
    let row = refusal.into().fault().row(Dialect::S3);
    (row.status, row.code)
}

#[test]
fn the_document_has_the_shape_that_s3_s_sdks_parse() {
    let refusal = Refusal::new(Fault::SignatureMismatch).because("no candidate matched");
    let answer = refusal.answer(&asked_of_s3("PUT", "edge.example.com:8443", "/devices/a<b"));
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("content-type"), Some(b"application/xml".as_slice()));
    assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("x-oss-")));
    assert_eq!(
        String::from_utf8(answer.body).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SignatureDoesNotMatch</Code>\
         <Message>The signature does not match: check the access key secret and the bucket name in the SDK's configuration.</Message>\
         <Resource>/devices/a&lt;b</Resource><RequestId>00010203040506070809FEFF</RequestId>\
         <HostId>MDAwMTAyMDMwNDA1MDYwNzA4MDlGRUZG</HostId></Error>"
    );
}

#[test]
fn an_answer_to_head_has_no_body_and_no_document_in_a_header() {
    let answer = Refusal::new(Fault::NoSuchKey).answer(&asked_of_s3("HEAD", "h", "/k"));
    assert_eq!((answer.status, answer.body.as_slice()), (404, b"".as_slice()));
    let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(names, ["x-amz-request-id", "x-amz-id-2", "date"]);
}

#[test]
fn no_answer_says_a_word_of_oss() {
    for fault in Fault::ALL {
        let answer = Refusal::new(*fault).answer(&asked_of_s3("PUT", "h", "/k"));
        let row = fault.row(Dialect::S3);
        assert_eq!(row.ec, None, "{fault:?}");
        let told = String::from_utf8(answer.body).unwrap();
        assert!(
            !told.contains("<EC>") && !told.contains("x-oss-"),
            "{fault:?}: {told}"
        );
    }
}

#[test]
fn every_row_is_an_error_of_s3_s_and_behind_the_gateway_a_5xx() {
    for fault in Fault::ALL {
        let (row, oss) = (fault.row(Dialect::S3), fault.row(Dialect::Oss));
        assert!((300..=599).contains(&row.status), "{fault:?}");
        assert!(row.code.chars().all(|c| c.is_ascii_alphanumeric()), "{fault:?}");
        assert!(
            row.sentence.ends_with('.') && row.sentence.is_ascii(),
            "{fault:?}"
        );
        let behind = |row: Row| row.status >= 500 && row.status != 501;
        let differs = matches!(fault, Fault::ConditionUnclear | Fault::PayloadMismatch);
        assert_eq!(behind(row) == behind(oss), !differs, "{fault:?}");
    }
}

#[test]
fn denials_become_the_codes_that_s3_has_for_them() {
    let (request, now) = (UnixSeconds(0), UnixSeconds(5000));
    for (denial, status, code) in [
        (Denial::SignatureMismatch, 403, "SignatureDoesNotMatch"),
        (Denial::SignedHeaderMissing, 403, "SignatureDoesNotMatch"),
        (Denial::UnknownKey, 403, "InvalidAccessKeyId"),
        (Denial::InactiveKey, 403, "InvalidAccessKeyId"),
        (Denial::TokenMissing, 400, "InvalidToken"),
        (Denial::TokenUnexpected, 400, "InvalidToken"),
        (Denial::TokenMismatch, 400, "InvalidToken"),
        (Denial::SchemeNotAllowed(Scheme::OssV1), 403, "AccessDenied"),
        (Denial::SchemeNotOffered("AWS"), 400, "InvalidArgument"),
        (
            Denial::Skewed {
                request,
                now,
                window: 900,
            },
            403,
            "RequestTimeTooSkewed",
        ),
        (
            Denial::Expired {
                expires: request,
                now,
            },
            403,
            "AccessDenied",
        ),
        (
            Denial::NotYetValid {
                begins: now,
                now: request,
            },
            403,
            "AccessDenied",
        ),
        (
            Denial::LifetimeOutOfRange,
            400,
            "AuthorizationQueryParametersError",
        ),
        (
            Denial::PresignedIncomplete("X-Amz-Date"),
            403,
            "AuthorizationQueryParametersError",
        ),
        (Denial::MalformedCredential, 400, "AuthorizationHeaderMalformed"),
        (Denial::MalformedKeyId, 400, "AuthorizationHeaderMalformed"),
        (Denial::ScopeDayMismatch, 400, "AuthorizationHeaderMalformed"),
        (
            Denial::ScopeNotAllowed(ScopePart::Region),
            400,
            "AuthorizationHeaderMalformed",
        ),
        (
            Denial::ScopeNotAllowed(ScopePart::Product),
            400,
            "AuthorizationHeaderMalformed",
        ),
        (Denial::SeveralCredentials, 400, "InvalidArgument"),
        (Denial::Anonymous, 403, "AccessDenied"),
    ] {
        assert_eq!(told(denial), (status, code), "{denial:?}");
    }
}

#[test]
fn c13_a_skew_error_tells_both_times_and_the_window() {
    let denial = Denial::Skewed {
        request: UnixSeconds(1_714_560_000),
        now: UnixSeconds(1_714_566_896),
        window: 900,
    };
    let answer = Refusal::from(denial).answer(&asked_of_s3("PUT", "h", "/k"));
    let body = String::from_utf8(answer.body).unwrap();
    for element in [
        "<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>",
        "<RequestTime>2024-05-01T10:40:00.000Z</RequestTime>",
        "<ServerTime>2024-05-01T12:34:56.000Z</ServerTime>",
    ] {
        assert!(body.contains(element), "{body}");
    }
}

#[test]
fn s3_s_own_codes_reach_its_clients_again() {
    for code in [
        "NoSuchKey",
        "NoSuchBucket",
        "NoSuchUpload",
        "PreconditionFailed",
        "InvalidRange",
        "EntityTooSmall",
        "EntityTooLarge",
        "KeyTooLongError",
        "InvalidPart",
        "InvalidPartOrder",
        "MalformedXML",
        "InvalidDigest",
        "BadDigest",
        "XAmzContentSHA256Mismatch",
        "ConditionalRequestConflict",
        "InvalidArgument",
        "InvalidTag",
        "InvalidStorageClass",
        "InvalidEncryptionAlgorithmError",
        "MetadataTooLarge",
        "AccessControlListNotSupported",
        "MissingContentLength",
        "IncompleteBody",
        "MethodNotAllowed",
        "NotImplemented",
        "SlowDown",
        "InternalError",
        "RequestTimeout",
        "InvalidObjectState",
        "RestoreAlreadyInProgress",
    ] {
        assert_eq!(told(Fault::of_s3_code(code).unwrap()).1, code);
    }
}

#[test]
fn o20_s3_codes_about_the_gateways_own_credentials_become_internal_error() {
    for code in [
        "AccessDenied",
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId",
        "ExpiredToken",
        "InvalidToken",
        "RequestTimeTooSkewed",
        "AuthorizationHeaderMalformed",
        "PermanentRedirect",
    ] {
        assert_eq!(
            told(Fault::of_s3_code(code).unwrap()),
            (500, "InternalError"),
            "{code}"
        );
    }
}
