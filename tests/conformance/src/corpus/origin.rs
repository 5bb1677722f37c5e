//! An origin that answers well, badly, or with damage.

use gateway::response_handler::Outcome;
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
const LISTED_LAST: &str = "<ListPartsResult><UploadId>U</UploadId><PartNumberMarker>1</PartNumberMarker>\
    <MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated></ListPartsResult>";
const OBJECTS: &str = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>fleet%2F</Prefix>\
    <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><Contents><Key>fleet%2Fa+b</Key>\
    <LastModified>2024-05-01T12:34:56.000Z</LastModified><ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag><Size>5</Size>\
    <StorageClass>GLACIER</StorageClass></Contents><CommonPrefixes><Prefix>fleet%2Fd%2F</Prefix></CommonPrefixes>\
    </ListBucketResult>";
const UPLOADS: &str = "<ListMultipartUploadsResult><Bucket>b</Bucket><EncodingType>url</EncodingType><NextKeyMarker>fleet%2Fk\
    </NextKeyMarker><NextUploadIdMarker>U</NextUploadIdMarker><IsTruncated>true</IsTruncated><Upload><Key>fleet%2Fk</Key>\
    <UploadId>U</UploadId><Initiated>2024-05-01T12:34:56.000Z</Initiated></Upload></ListMultipartUploadsResult>";
const COPIED: &str = "<CopyPartResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <LastModified>2024-05-01T12:34:56.000Z</LastModified><ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag></CopyPartResult>";
/// How a list of what is staged is known.
const STAGED_PREFIX: &str = "prefix=.causeway%2F";
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

/// What is staged of an upload: nothing, one part, or parts to be joined, and what is left of a completion before.
fn staged(query: &str, dice: &mut Dice) -> String {
    const SIZES: [&str; 4] = ["5", "3000000", "5242879", "5242880"];
    let folder = query
        .split("prefix=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let folder = folder.unwrap_or_default().replace("%2F", "/");
    let mut document = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
    let mut entry = |name: &str, size: &str| {
        let etag = "<ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag><LastModified>2024-05-01T12:34:56.000Z</LastModified>";
        document.push_str(
            &[
                "<Contents><Key>",
                &folder,
                name,
                "</Key>",
                etag,
                "<Size>",
                size,
                "</Size></Contents>",
            ]
            .concat(),
        );
    };
    for name in ["00001", "00002", "00003"].iter().take(dice.below(4)) {
        entry(name, dice.choose(&SIZES).copied().unwrap_or_default());
    }
    if dice.one_in(3) {
        entry(
            "joined/00001-00002-0123456789abcdef0123456789abcdef-d41d8cd98f00b204e9800998ecf8427e",
            "0",
        );
    }
    [&document, "</ListBucketResult>"].concat()
}

/// What becomes of a task.
pub(super) fn outcome(request: &OriginRequest, sources: &[OriginRequest], dice: &mut Dice) -> Outcome {
    match dice.below(8) {
        0 => Outcome::Failed("no answer".to_owned()),
        1 if !sources.is_empty() => Outcome::Source(dice.choose(&STATUSES).copied().unwrap_or(500)),
        _ => Outcome::Answered(answer(request, dice)),
    }
}

/// The answer to a request of the gateway's.
pub(super) fn answer(request: &OriginRequest, dice: &mut Dice) -> OriginAnswer {
    let is_copy = request
        .headers
        .iter()
        .any(|(name, _)| name == "x-amz-copy-source");
    let fitting = match (request.method, request.query.as_str()) {
        ("POST", query) if query.starts_with("uploads=") => INITIATED,
        ("POST", _) => COMPLETED,
        ("GET", query) if query.contains(STAGED_PREFIX) => &staged(query, dice),
        ("GET", query) if query.contains("max-keys=") => OBJECTS,
        ("GET", query) if query.contains("max-uploads=") => UPLOADS,
        ("GET", query) if query.contains("part-number-marker=") => LISTED_LAST,
        ("GET", _) => LISTED,
        ("PUT", _) if is_copy => COPIED,
        _ => "",
    };
    let mut status = 200;
    let mut body = fitting.as_bytes().to_vec();
    // Half of the answers are as they should be, so that long conversations come to their end.
    let faults = if dice.one_in(2) { 0 } else { dice.below(3) };
    if faults > 0 && dice.one_in(2) {
        status = dice.choose(&STATUSES).copied().unwrap_or(500);
        let code = dice.choose(&CODES).copied().unwrap_or_default();
        body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>")
            .into_bytes();
    }
    for _ in 0..faults {
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
    if request.method == "HEAD" {
        let size = dice.choose(&["0", "5", "5242880"]).copied().unwrap_or_default();
        headers.push(("content-length".to_owned(), size.as_bytes().to_vec()));
    }
    if faults > 0 && dice.one_in(3) {
        headers.clear();
    }
    for _ in 0..faults {
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
