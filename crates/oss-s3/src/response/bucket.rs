//! Answers about buckets: what the configuration says of them, and whether the origin has them.
//!
//! A client is told the names and places of virtual buckets. Those of S3's stay the operator's business.

use request_auth::Dialect;

use super::Subject;
use crate::addressing::VirtualBucket;
use crate::answer::{Answer, Asked};
use crate::xml::Document;

/// The prefix of OSS's names of places before a region.
const OSS_PLACE: &str = "oss-";
/// The region that S3 calls by no name.
const UNNAMED_REGION: &str = "us-east-1";

/// Where a bucket lies: its origin's region, as OSS writes places, or as S3 does.
pub(super) fn location(bucket: &VirtualBucket, asked: &Asked<'_>) -> Answer {
    let region = bucket.origin.region.as_str();
    let place = match asked.dialect {
        Dialect::Oss => [OSS_PLACE, region].concat(),
        Dialect::S3 if region == UNNAMED_REGION => String::new(),
        Dialect::S3 => region.to_owned(),
    };
    let mut document = Document::of_result("LocationConstraint", asked.dialect);
    document.text(&place);
    Answer::new(200, asked).with_document(document.finish())
}

/// The buckets that a client may know of.
pub(super) fn list(buckets: &[String], asked: &Asked<'_>) -> Answer {
    let mut document = Document::of_result("ListAllMyBucketsResult", asked.dialect);
    document.open("Buckets");
    for bucket in buckets {
        document.open("Bucket");
        document.leaf("Name", bucket);
        document.close("Bucket");
    }
    document.close("Buckets");
    Answer::new(200, asked).with_document(document.finish())
}

/// A bucket that is there.
pub(super) fn described(subject: &Subject<'_>, asked: &Asked<'_>) -> Answer {
    let mut answer = Answer::new(200, asked);
    if asked.dialect == Dialect::S3 {
        answer.push("x-amz-bucket-region", subject.bucket.origin.region.clone());
    }
    answer
}
