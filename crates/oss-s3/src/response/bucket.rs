//! Answers about buckets: what the configuration says of them, and whether the origin has them.
//!
//! A client is told the names and places of virtual buckets. Those of S3's stay the operator's business.

use request_auth::{Dialect, UnixSeconds};

use super::{OWNER, OriginAnswer, Subject, unreadable, with_headers};
use crate::addressing::VirtualBucket;
use crate::answer::{Answer, Asked};
use crate::area::KnownBucket;
use crate::creation::place;
use crate::error::Refusal;
use crate::operation::{BucketsPage, Operation};
use crate::tags::TagSet;
use crate::xml::Document;

/// What a bucket stores where nothing else is asked for.
const STORAGE_CLASS: &str = "Standard";

/// Where a bucket lies.
pub(super) fn location(bucket: &VirtualBucket, asked: &Asked<'_>) -> Answer {
    let mut document = Document::of_result("LocationConstraint", asked.dialect);
    document.text(&place(&bucket.origin.region, asked.dialect));
    Answer::new(200, asked).with_document(document.finish())
}

/// A page of the buckets that a client may know of, in the order of their names.
pub(super) fn list(buckets: &[KnownBucket], page: &BucketsPage, asked: &Asked<'_>) -> Answer {
    let is_asked_for = |bucket: &&KnownBucket| {
        bucket.name.starts_with(&page.prefix)
            && bucket.name > page.after
            && (page.region.is_empty() || bucket.region == page.region)
    };
    let mut found: Vec<&KnownBucket> = Vec::new();
    for bucket in buckets.iter().filter(is_asked_for) {
        // A sort of the library's would be larger than all else here, and there are a few buckets.
        let at = found.partition_point(|other| other.name < bucket.name);
        found.insert(at, bucket);
    }
    let more = found.len() > usize::from(page.most);
    found.truncate(usize::from(page.most));
    let next = found.last().filter(|_| more).map_or("", |bucket| &bucket.name);
    let mut document = Document::of_result("ListAllMyBucketsResult", asked.dialect);
    push_owner(&mut document);
    if asked.dialect == Dialect::Oss {
        document.leaf("Prefix", &page.prefix);
        document.leaf("Marker", &page.after);
        document.leaf("MaxKeys", &page.most.to_string());
        document.leaf("IsTruncated", if more { "true" } else { "false" });
        document.leaf("NextMarker", next);
    }
    document.open("Buckets");
    for bucket in found {
        document.open("Bucket");
        match asked.dialect {
            Dialect::Oss => push_bucket(&mut document, &bucket.name, &bucket.region, bucket.created, asked),
            Dialect::S3 => {
                document.leaf("Name", &bucket.name);
                document.leaf("CreationDate", &bucket.created.iso_extended());
                document.leaf("BucketRegion", &bucket.region);
            }
        }
        document.close("Bucket");
    }
    document.close("Buckets");
    if asked.dialect == Dialect::S3 {
        document.leaf("ContinuationToken", next);
        document.leaf("Prefix", &page.prefix);
    }
    Answer::new(200, asked).with_document(document.finish())
}

/// The answer to what a bucket was asked or told.
pub(super) fn told(
    origin: &OriginAnswer,
    subject: &Subject<'_>,
    asked: &Asked<'_>,
) -> Result<Answer, Refusal> {
    let bucket = subject.bucket;
    let answer = |status| Answer::new(status, asked);
    let mut answer = match (subject.sent.operation, asked.dialect) {
        (Operation::GetBucketInfo, _) => return Ok(info(bucket, asked)),
        (Operation::GetBucketTags, dialect) => {
            let tags = TagSet::from_document(&origin.body, u16::MAX)
                .map_err(|_| unreadable("The origin's tags of a bucket are not readable."))?;
            answer(200).with_document(tags.to_document(dialect))
        }
        (Operation::HeadBucket | Operation::PutBucket, _) | (Operation::PutBucketTags, Dialect::Oss) => {
            answer(200)
        }
        _ => answer(204),
    };
    match (subject.sent.operation, asked.dialect) {
        (Operation::HeadBucket, Dialect::S3) => {
            answer.push("x-amz-bucket-region", bucket.origin.region.clone())
        }
        (Operation::PutBucket, _) => answer.push("location", ["/", &bucket.name].concat()),
        _ => {}
    }
    Ok(with_headers(answer, origin, bucket, asked))
}

/// The tags of a bucket that has none, which is no error in OSS.
pub(super) fn untagged(asked: &Asked<'_>) -> Answer {
    Answer::new(200, asked).with_document(TagSet::new(0).to_document(asked.dialect))
}

/// What is known of a bucket: every element that an SDK reads.
fn info(bucket: &VirtualBucket, asked: &Asked<'_>) -> Answer {
    let mut document = Document::of_result("BucketInfo", asked.dialect);
    document.open("Bucket");
    push_bucket(
        &mut document,
        &bucket.name,
        &bucket.origin.region,
        bucket.created,
        asked,
    );
    push_owner(&mut document);
    document.open("AccessControlList");
    document.leaf("Grant", "private");
    document.close("AccessControlList");
    document.close("Bucket");
    Answer::new(200, asked).with_document(document.finish())
}

/// What OSS says of a bucket in lists and alone. It is asked for where it was asked for.
fn push_bucket(document: &mut Document, name: &str, region: &str, created: UnixSeconds, asked: &Asked<'_>) {
    document.leaf("Name", name);
    document.leaf("CreationDate", &created.iso_extended());
    document.leaf("ExtranetEndpoint", asked.host);
    document.leaf("IntranetEndpoint", asked.host);
    document.leaf("Location", &place(region, Dialect::Oss));
    document.leaf("Region", region);
    document.leaf("StorageClass", STORAGE_CLASS);
}

fn push_owner(document: &mut Document) {
    document.open("Owner");
    document.leaf("ID", OWNER);
    document.leaf("DisplayName", OWNER);
    document.close("Owner");
}
