//! What the gateway asks of the origin about parts that are staged: to store them, to list and read them, to make
//! parts of them that S3 takes, and to delete them.
//!
//! All of it is about the one folder of the errand's upload. No client names a key of it, nor can one: see
//! [`ObjectKey`](crate::key::ObjectKey).

use std::borrow::Cow;

use super::{OriginBody, OriginRequest, part_of};
use crate::addressing::{OriginAddressing, VirtualBucket};
use crate::complete::{Part, PartNumber};
use crate::copy_source;
use crate::errand::Errand;
use crate::headers::range_bytes;
use crate::key::encoded_value;
use crate::operation::{Call, MAX_PAGE, Operation};
use crate::staging::{Folder, MIN_PART_BYTES};
use crate::xml::Document;
use request_auth::Dialect;
use request_auth::canon::{Slash, percent_encode};

impl Errand<'_> {
    /// Where parts of its upload are staged: `None` of an errand that names no upload, of an S3 client's, who
    /// knows S3's rule, and where nothing is staged.
    pub fn folder(&self) -> Option<Folder> {
        let staging = self
            .bucket
            .staging
            .as_ref()
            .filter(|_| self.dialect == Dialect::Oss)?;
        let id = self.upload()?.id().as_str();
        Some(Folder::of(
            &staging.prefix,
            &self.bucket.name,
            self.target.key(),
            id,
        ))
    }

    /// The number of the part that is to be stored or copied.
    pub fn part_number(&self) -> Option<PartNumber> {
        match &self.call {
            Call::UploadPart { number, .. } | Call::UploadPartCopy { number, .. } => Some(*number),
            _ => None,
        }
    }

    /// Whether this stores a part that S3 would take only as the last one; of a part that is copied, as soon as it is
    /// [weighed](Self::weighed).
    pub fn is_staged(&self) -> bool {
        self.part_number().is_some()
            && self.length.is_some_and(|length| length < MIN_PART_BYTES)
            && self.folder().is_some()
    }

    /// Whether this copies a part that may have to be staged: its source has to be weighed.
    pub fn may_stage_copy(&self) -> bool {
        self.call.operation() == Operation::UploadPartCopy
            && self
                .copied_range()
                .is_none_or(|(bytes, _)| bytes < MIN_PART_BYTES)
            && self.folder().is_some()
    }

    /// How many bytes of its source are to be copied, and where in it they end; `None`: all of it.
    pub fn copied_range(&self) -> Option<(u64, u64)> {
        range_bytes(self.header(copy_source::RANGE)?)
    }
}

impl OriginRequest {
    /// Stores a staged part: the device's own body.
    pub(super) fn stage(errand: &Errand<'_>) -> Option<Self> {
        let (folder, number) = errand.folder().zip(errand.part_number())?;
        let key = folder.part(number);
        let staged = errand.is_staged();
        staged.then(|| Self::in_staging(errand.bucket, "PUT", &key, String::new(), OriginBody::Device))
    }

    /// Stores a part that is copied and was [weighed](Errand::weighed) as a staged one: the request, and the one that
    /// gives the bytes for it while the source has this ETag. There is none for no bytes. `None`: the part is not staged.
    pub fn stage_copy(errand: &Errand<'_>, etag: &[u8]) -> Option<(Self, Option<Self>)> {
        let bytes = errand.length.filter(|_| errand.is_staged())?;
        let key = errand.folder()?.part(errand.part_number()?);
        let mut source = Self::head_source(errand)?;
        source.method = "GET";
        source.headers.retain(|(name, _)| !name.starts_with("if-"));
        source.headers.push((Cow::Borrowed("if-match"), etag.to_vec()));
        let range = errand.header(copy_source::RANGE);
        source
            .headers
            .extend(range.map(|range| (Cow::Borrowed("range"), range.to_vec())));
        let (body, source) = match bytes {
            0 => (OriginBody::Empty, None),
            bytes => (OriginBody::Joined(bytes), Some(source)),
        };
        let request = Self::in_staging(errand.bucket, "PUT", &key, String::new(), body).paid_like(errand);
        Some((request, source))
    }

    /// Lists what is in a folder, from behind the key `after` on. Read it with
    /// [`FolderPage::from_origin`](crate::staging::FolderPage::from_origin).
    pub fn list_folder(errand: &Errand<'_>, folder: &Folder, after: Option<&str>) -> Self {
        Self::list_of_folder(errand, folder, after, MAX_PAGE)
    }

    /// The same, of at most `most` keys.
    pub fn list_of_folder(errand: &Errand<'_>, folder: &Folder, after: Option<&str>, most: u16) -> Self {
        let marker = after.map(|after| ["marker=", &encoded_value(after.as_bytes()), "&"].concat());
        let query = [
            marker.as_deref().unwrap_or_default(),
            "max-keys=",
            &most.to_string(),
            "&prefix=",
            &encoded_value(folder.as_str().as_bytes()),
        ]
        .concat();
        Self::in_staging(errand.bucket, "GET", "", query, OriginBody::Empty).paid_like(errand)
    }

    /// Reads a staged part, while it is the one that was listed.
    pub fn staged_part(errand: &Errand<'_>, folder: &Folder, part: &Part) -> Self {
        let key = folder.part(part.number());
        let request = Self::in_staging(errand.bucket, "GET", &key, String::new(), OriginBody::Empty);
        let mut request = request.paid_like(errand);
        request
            .headers
            .push((Cow::Borrowed("if-match"), quoted(part.etag())));
        request
    }

    /// Stores a part of the errand's upload that is made of `bytes` bytes of staged parts.
    pub fn join(errand: &Errand<'_>, number: PartNumber, bytes: u64) -> Self {
        let query = part_of(number, errand);
        Self::to_target(errand, "PUT", query, OriginBody::Joined(bytes)).paid_like(errand)
    }

    /// Makes a part of the errand's upload of one staged part, while it is the one that was listed.
    pub fn copy_staged(errand: &Errand<'_>, folder: &Folder, part: &Part) -> Self {
        let mut request = Self::copy_from_staging(errand, part.number(), &folder.part(part.number()));
        let condition = Cow::Borrowed("x-amz-copy-source-if-match");
        request.headers.push((condition, quoted(part.etag())));
        request
    }

    /// Makes a part of the errand's upload of the object with this key.
    pub fn copy_from_staging(errand: &Errand<'_>, number: PartNumber, key: &str) -> Self {
        let query = part_of(number, errand);
        let mut request = Self::to_target(errand, "PUT", query, OriginBody::Empty).paid_like(errand);
        let source = ["/", staging_bucket(errand.bucket), "/", &encoded(key)].concat();
        let header = Cow::Borrowed(copy_source::HEADER);
        request.headers.push((header, source.into_bytes()));
        request
    }

    /// Stores an empty object, whose name says it all: a [record](crate::staging::Record).
    pub fn record(errand: &Errand<'_>, key: &str) -> Self {
        Self::in_staging(errand.bucket, "PUT", key, String::new(), OriginBody::Empty).paid_like(errand)
    }

    /// Deletes one staged object of a bucket's; `pays`: whether the device consented to pay for it.
    pub fn delete_staged(bucket: &VirtualBucket, key: &str, pays: bool) -> Self {
        Self::in_staging(bucket, "DELETE", key, String::new(), OriginBody::Empty).paid(pays)
    }

    /// Deletes staged objects, at most 1,000.
    pub fn delete_all_staged(errand: &Errand<'_>, keys: &[String]) -> Self {
        let mut document = Document::new("Delete");
        document.leaf("Quiet", "true");
        for key in keys {
            document.open("Object");
            document.leaf("Key", key);
            document.close("Object");
        }
        Self::in_staging(errand.bucket, "POST", "", "delete=".to_owned(), OriginBody::Empty)
            .paid_like(errand)
            .with_document(document.finish())
    }

    /// A request about a key of the staging bucket, or about the bucket where that is empty.
    pub(super) fn in_staging(
        bucket: &VirtualBucket,
        method: &'static str,
        key: &str,
        query: String,
        body: OriginBody,
    ) -> Self {
        let origin = &bucket.origin;
        let bucket = staging_bucket(bucket);
        let (host, path) = match origin.addressing {
            OriginAddressing::Path => (
                origin.authority.clone(),
                ["/", &encoded_value(bucket.as_bytes()), "/", &encoded(key)].concat(),
            ),
            OriginAddressing::VirtualHost => (
                [bucket, ".", &origin.authority].concat(),
                ["/", &encoded(key)].concat(),
            ),
        };
        Self {
            method,
            scheme: origin.scheme.clone(),
            host,
            path,
            query,
            headers: vec![(Cow::Borrowed("accept-encoding"), b"identity".to_vec())],
            body,
        }
    }
}

/// Nothing is sent about staged parts where there is no place for them, see [`Errand::folder`].
fn staging_bucket(bucket: &VirtualBucket) -> &str {
    let staging = bucket.staging.as_ref();
    staging.map_or("", |staging| staging.bucket.as_str())
}

fn encoded(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    percent_encode(key.as_bytes(), Slash::Keep, &mut encoded);
    encoded
}

fn quoted(etag: &str) -> Vec<u8> {
    ["\"", etag, "\""].concat().into_bytes()
}
