//! The documents that clients send with operations, on their way to the origin: read into values, judged, and
//! written anew as S3's.

use request_auth::Dialect;

use super::OriginRequest;
use crate::creation;
use crate::errand::Errand;
use crate::error::Refusal;
use crate::operation::Operation;
use crate::tags::{self, TagSet};

impl OriginRequest {
    /// Gives the request of an errand what its client's document says, in a document of S3's with a digest of
    /// its own. The client's was compared with the digests that came with it.
    ///
    /// # Errors
    /// A refusal for a document that is none of the operation's.
    pub fn with_client_document(self, errand: &Errand<'_>, document: &[u8]) -> Result<Self, Refusal> {
        let dialect = errand.dialect;
        Ok(match errand.call.operation() {
            Operation::PutBucketTags => {
                let tags = TagSet::from_document(document, tags::most_of_a_bucket(dialect))?;
                self.with_document(tags.to_document(Dialect::S3))
            }
            Operation::PutBucket => match creation::rewritten(document, errand.bucket, dialect)? {
                Some(written) => self.with_document(written),
                None => self,
            },
            _ => self,
        })
    }
}
