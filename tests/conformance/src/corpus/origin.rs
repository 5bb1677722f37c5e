//! An origin that answers well, badly, or with damage.

use oss_s3::request::OriginRequest;
use oss_s3::response::OriginAnswer;

use super::Dice;
use super::mutate::{bytes, token};

const INITIATED: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult \
    xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket><Key>k</Key><UploadId>U</UploadId>\
    </InitiateMultipartUploadResult>";
const COMPLETED: &str = "  \n<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <Location>l</Location><Bucket>b</Bucket><Key>k</Key><ETag>&quot;9e107d9d372bb6826bd81d3542a419d6-1&quot;</ETag>\
    </CompleteMultipartUploadResult>";
const LISTED: &str = "<ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket><Key>k</Key>\
    <UploadId>U</UploadId><PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>1</NextPartNumberMarker>\
    <MaxParts>1000</MaxParts><IsTruncated>true</IsTruncated><Part><PartNumber>1</PartNumber>\
    <LastModified>2024-05-01T12:34:56.000Z</LastModified><ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag><Size>5</Size></Part>\
    </ListPartsResult>";
const OBJECTS: &str = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>fleet%2F</Prefix>\
    <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><Contents><Key>fleet%2Fa+b</Key>\
    <LastModified>2024-05-01T12:34:56.000Z</LastModified><ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag><Size>5</Size>\
    <StorageClass>GLACIER</StorageClass></Contents><CommonPrefixes><Prefix>fleet%2Fd%2F</Prefix></CommonPrefixes>\
    </ListBucketResult>";
const UPLOADS: &str = "<ListMultipartUploadsResult><Bucket>b</Bucket><EncodingType>url</EncodingType><NextKeyMarker>fleet%2Fk\
    </NextKeyMarker><NextUploadIdMarker>U</NextUploadIdMarker><IsTruncated>true</IsTruncated><Upload><Key>fleet%2Fk</Key>\
    <UploadId>U</UploadId><Initiated>2024-05-01T12:34:56.000Z</Initiated></Upload></ListMultipartUploadsResult>";
const CODES: [&str; 14] = [
    "NoSuchUpload",
    "NoSuchKey",
    "AccessDenied",
    "SignatureDoesNotMatch",
    "RequestTimeTooSkewed",
    "InvalidAccessKeyId",
    "SlowDown",
    "InternalError",
    "EntityTooSmall",
    "InvalidPart",
    "PreconditionFailed",
    "NotImplemented",
    "",
    "Unheard<of",
];
const STATUSES: [u16; 18] = [
    200, 200, 200, 204, 206, 301, 307, 304, 400, 403, 404, 409, 412, 500, 503, 0, 99, 65_535,
];
const HEADERS: [(&str, &str); 11] = [
    ("etag", "\"d41d8cd98f00b204e9800998ecf8427e\""),
    ("etag", ""),
    ("etag", "\"9e107d9d372bb6826bd81d3542a419d6-1\""),
    ("x-amz-request-id", "\u{ff}\u{0}"),
    ("x-amz-version-id", "v"),
    ("x-amz-server-side-encryption", "aws:kms"),
    ("x-amz-server-side-encryption-aws-kms-key-id", "arn:unknown"),
    ("x-amz-expiration", "\r\nx: y"),
    ("content-length", "x"),
    ("x-amz-meta-a", "=?UTF-8?Q?=e4?="),
    ("x-amz-meta-causeway-upload", "BwcHBwcHBwcHBwcH"),
];
const TOKENS: [&str; 20] = [
    "<",
    "&",
    "&#1;",
    "]]>",
    "<![CDATA[]]>",
    "<!DOCTYPE a>",
    "<Error><Code>SlowDown</Code></Error>",
    "</",
    "xmlns=\"\"",
    "<IsTruncated>true</IsTruncated>",
    "<IsTruncated>maybe</IsTruncated>",
    "<NextPartNumberMarker>0</NextPartNumberMarker>",
    "<ETag></ETag>",
    "<NextMarker>%FF</NextMarker>",
    "<NextMarker>other</NextMarker>",
    "<Contents></Contents>",
    "<CommonPrefixes><Prefix>.causeway/</Prefix></CommonPrefixes>",
    "<UploadId> </UploadId>",
    "\u{0}",
    "\u{ff}",
];

/// The answer to a request of the gateway's.
pub(super) fn answer(request: &OriginRequest, dice: &mut Dice) -> OriginAnswer {
    let fitting = match (request.method, request.query.as_str()) {
        ("POST", query) if query.starts_with("uploads=") => INITIATED,
        ("POST", _) => COMPLETED,
        ("GET", query) if query.contains("max-keys=") => OBJECTS,
        ("GET", query) if query.contains("max-uploads=") => UPLOADS,
        ("GET", _) => LISTED,
        _ => "",
    };
    let mut status = 200;
    let mut body = fitting.as_bytes().to_vec();
    if dice.one_in(3) {
        status = dice.choose(&STATUSES).copied().unwrap_or(500);
        let code = dice.choose(&CODES).copied().unwrap_or_default();
        body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>")
            .into_bytes();
    }
    for _ in 0..dice.below(3) {
        if dice.one_in(2) {
            bytes(&mut body, dice);
        } else {
            token(&mut body, &TOKENS, dice);
        }
    }
    let mut headers = vec![(
        "etag".to_owned(),
        b"\"d41d8cd98f00b204e9800998ecf8427e\"".to_vec(),
    )];
    if dice.one_in(4) {
        headers.clear();
    }
    for _ in 0..dice.below(3) {
        headers.extend(
            dice.choose(&HEADERS)
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())),
        );
    }
    OriginAnswer {
        status,
        headers,
        body,
    }
}
