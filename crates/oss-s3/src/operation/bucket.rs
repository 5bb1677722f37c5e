//! Calls about one bucket that have no arguments, and lists of buckets, whose pages are their argument.

use request_auth::Dialect;

use super::{Arguments, Operation};
use crate::complete::PartNumber;

/// How many buckets OSS lists where a client does not say.
const OSS_PAGE: u16 = 100;
/// The most that a client of OSS's may ask for.
const MAX_OSS_PAGE: u16 = 1000;
/// The most that a client of S3's may ask for, and what it gets where it does not ask.
const MAX_S3_PAGE: u16 = 10_000;

/// A call about a bucket that its name and its client's document say everything of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BucketCall {
    operation: Operation,
    /// The query name without a value that makes it this operation; empty for none.
    flag: &'static str,
    /// The method at the origin.
    method: &'static str,
    /// The query at the origin.
    query: &'static str,
}

const fn call(
    operation: Operation,
    flag: &'static str,
    method: &'static str,
    query: &'static str,
) -> BucketCall {
    BucketCall {
        operation,
        flag,
        method,
        query,
    }
}

/// Where a bucket lies is told without the origin.
const CALLS: [BucketCall; 8] = [
    call(Operation::HeadBucket, "", "HEAD", ""),
    call(Operation::GetBucketLocation, "location", "HEAD", ""),
    call(Operation::GetBucketInfo, "bucketInfo", "HEAD", ""),
    call(Operation::PutBucket, "", "PUT", ""),
    call(Operation::DeleteBucket, "", "DELETE", ""),
    call(Operation::GetBucketTags, "tagging", "GET", "tagging="),
    call(Operation::PutBucketTags, "tagging", "PUT", "tagging="),
    call(Operation::DeleteBucketTags, "tagging", "DELETE", "tagging="),
];

impl BucketCall {
    /// The call of an operation.
    ///
    /// # Errors
    /// The name of the query parameter that has a value; an empty one for an operation that is none of
    /// these.
    pub(super) fn of(operation: Operation, arguments: &Arguments) -> Result<Self, &'static str> {
        let call = CALLS.into_iter().find(|call| call.operation == operation);
        let call = call.ok_or("")?;
        arguments.flag(call.flag)?;
        Ok(call)
    }

    /// The operation.
    pub const fn operation(self) -> Operation {
        self.operation
    }

    /// Method and query of the request for the origin.
    pub(crate) const fn at_origin(self) -> (&'static str, &'static str) {
        (self.method, self.query)
    }
}

/// Which buckets a client wants to be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BucketsPage {
    /// What their names begin with.
    pub prefix: String,
    /// The name behind which the list begins; empty: at the first.
    pub after: String,
    /// The most that are told.
    pub most: u16,
    /// The region that they lie in; any, where it is empty.
    pub region: String,
}

impl BucketsPage {
    /// Reads the page by the names of the client's dialect.
    pub(super) fn of(arguments: &Arguments) -> Result<Self, &'static str> {
        let text = |name| arguments.text(name).unwrap_or_default();
        let (most, after, others, bound, usual): (_, _, &[&'static str], _, _) = match arguments.dialect {
            Dialect::Oss => (
                "max-keys",
                "marker",
                &["max-buckets", "continuation-token", "bucket-region"],
                MAX_OSS_PAGE,
                OSS_PAGE,
            ),
            Dialect::S3 => (
                "max-buckets",
                "continuation-token",
                &["max-keys", "marker"],
                MAX_S3_PAGE,
                MAX_S3_PAGE,
            ),
        };
        if let Some(other) = others.iter().find(|name| arguments.text(name).is_some()) {
            return Err(other);
        }
        let count = match text(most) {
            "" => usual,
            // Parts have the greater bound of the two.
            number => PartNumber::from_decimal(number.as_bytes())
                .map(PartNumber::get)
                .filter(|number| *number <= bound)
                .ok_or(most)?,
        };
        Ok(Self {
            prefix: text("prefix").to_owned(),
            after: text(after).to_owned(),
            most: count,
            region: text("bucket-region").to_owned(),
        })
    }
}
