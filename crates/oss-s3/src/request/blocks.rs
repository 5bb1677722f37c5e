//! The requests that store a body block by block: an upload in parts of the gateway's own, which no client is
//! told of.
//!
//! A put's is to the key of its object, and has the attributes that the device gives it. What forbids to replace an
//! object is said when the object appears, and the digest of the whole body is of none of these requests. A
//! part's is to a key among the staged parts of its upload, `aside`, from where it is copied.

use std::borrow::Cow;

use super::{OriginBody, OriginRequest};
use crate::complete::{PartList, PartNumber};
use crate::errand::Errand;
use crate::key::encoded_value;
use crate::operation::UploadId;

const IF_NONE_MATCH: &str = "if-none-match";

impl OriginRequest {
    /// Begins an upload of blocks. Read the answer with [`begun`](crate::response::blocks::begun).
    pub fn begin_blocks(errand: &Errand<'_>, aside: Option<&str>) -> Self {
        let query = "uploads=".to_owned();
        let mut request = Self::to_blocks(errand, aside, "POST", query, OriginBody::Empty);
        let is_first = |name: &str| name != "content-md5" && name != IF_NONE_MATCH;
        let headers = errand.headers.iter().filter(|(name, _)| is_first(name));
        request.headers.extend(headers.cloned());
        request
    }

    /// Stores the block at hand as this part. Read the answer with
    /// [`part_made`](crate::response::part_made).
    pub fn block(errand: &Errand<'_>, aside: Option<&str>, upload: &UploadId, number: PartNumber) -> Self {
        let query = ["partNumber=", &number.to_string(), "&", &upload_id(upload)].concat();
        Self::to_blocks(errand, aside, "PUT", query, OriginBody::Device).paid_like(errand)
    }

    /// Makes one object of the blocks. Read the answer with [`joined`](crate::response::blocks::joined).
    pub fn complete_blocks(
        errand: &Errand<'_>,
        aside: Option<&str>,
        upload: &UploadId,
        blocks: &PartList,
    ) -> Self {
        let query = upload_id(upload);
        let mut request = Self::to_blocks(errand, aside, "POST", query, OriginBody::AwaitsParts);
        if let Some(value) = errand.header(IF_NONE_MATCH) {
            let name = Cow::Borrowed(IF_NONE_MATCH);
            request.headers.push((name, value.to_vec()));
        }
        request.paid_like(errand).with_parts(blocks)
    }

    /// Drops an upload of blocks.
    pub fn abort_blocks(errand: &Errand<'_>, aside: Option<&str>, upload: &UploadId) -> Self {
        Self::to_blocks(errand, aside, "DELETE", upload_id(upload), OriginBody::Empty).paid_like(errand)
    }

    fn to_blocks(
        errand: &Errand<'_>,
        aside: Option<&str>,
        method: &'static str,
        query: String,
        body: OriginBody,
    ) -> Self {
        match aside {
            Some(key) => Self::in_staging(errand.bucket, method, key, query, body),
            None => Self::to_target(errand, method, query, body),
        }
    }
}

fn upload_id(upload: &UploadId) -> String {
    ["uploadId=", &encoded_value(upload.as_str().as_bytes())].concat()
}
