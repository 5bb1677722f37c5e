//! Every operation of the object API: its names, what it is about, and which way it goes.
//!
//! One row for each, beside the shapes by which requests are recognised. The rows decide what a grant may
//! name, and what the routing between functions hangs on; what an operation *is* stands in the modules
//! of its family.

use crate::complete::MAX_PART_LIST_BYTES;

/// The longest document of a client's that is read, but for part lists, in bytes: a function behind
/// CloudFront is shown no more than this of a body.
pub const MAX_CLIENT_DOCUMENT_BYTES: usize = 1024 * 1024;

/// An operation that the gateway translates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operation {
    /// Stores an object.
    PutObject,
    /// Begins an upload in parts.
    InitiateMultipartUpload,
    /// Stores one part.
    UploadPart,
    /// Makes an object of the parts.
    CompleteMultipartUpload,
    /// Drops an upload and its parts.
    AbortMultipartUpload,
    /// Lists the parts of an upload that were stored. Not part of uploading as such, but some SDKs
    /// ask for it before they resume one.
    ListParts,
    /// Reads an object.
    GetObject,
    /// Reads what is known of an object, without its bytes.
    HeadObject,
    /// Stores an object that came in a form.
    PostObject,
    /// Copies an object. The source is read under a permission of its own.
    CopyObject,
    /// Stores a range of an object as a part. The source is read under a permission of its own.
    UploadPartCopy,
    /// Deletes an object, or a version of one.
    DeleteObject,
    /// Deletes the objects that a document names.
    DeleteMultipleObjects,
    /// Lists objects, in either version of the answer.
    ListObjects,
    /// Lists the uploads that are under way.
    ListMultipartUploads,
    /// Lists the buckets of the configuration that the key has grants for.
    ListBuckets,
    /// Says whether the bucket is there.
    HeadBucket,
    /// Says where the bucket lies.
    GetBucketLocation,
    /// Says what is known of the bucket.
    GetBucketInfo,
    /// Makes the S3 bucket of a configured bucket.
    PutBucket,
    /// Deletes the S3 bucket of a configured bucket.
    DeleteBucket,
    /// Reads the bucket's tags.
    GetBucketTags,
    /// Replaces the bucket's tags.
    PutBucketTags,
    /// Deletes the bucket's tags.
    DeleteBucketTags,
    /// Reads an object's tags.
    GetObjectTagging,
    /// Replaces an object's tags.
    PutObjectTagging,
    /// Deletes an object's tags.
    DeleteObjectTagging,
    /// Reads who may do what with an object.
    GetObjectAcl,
    /// Says who may do what with an object.
    PutObjectAcl,
    /// Brings an archived object back for a time.
    RestoreObject,
}

/// What an operation is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// All buckets.
    Service,
    /// A bucket.
    Bucket,
    /// An object, or an upload of one.
    Object,
}

/// What comes with an operation's request as its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// Nothing that means anything.
    None,
    /// Object bytes, which stream past the gateway, as the answer's do.
    Object,
    /// A document of at most this many bytes, which the gateway reads.
    Document(usize),
}

/// What is known of an operation beside how it is recognised.
struct Row {
    operation: Operation,
    /// The name in OSS's API.
    name: &'static str,
    /// The name in S3's.
    s3_name: &'static str,
    level: Level,
    content: Content,
}

const fn row(
    operation: Operation,
    name: &'static str,
    s3_name: &'static str,
    level: Level,
    content: Content,
) -> Row {
    Row {
        operation,
        name,
        s3_name,
        level,
        content,
    }
}

/// A form is stored as what S3 calls PutObject.
#[rustfmt::skip]
const ROWS: [Row; 30] = [
    row(Operation::PutObject, "PutObject", "PutObject", Level::Object, Content::Object),
    row(Operation::InitiateMultipartUpload, "InitiateMultipartUpload", "CreateMultipartUpload", Level::Object, Content::None),
    row(Operation::UploadPart, "UploadPart", "UploadPart", Level::Object, Content::Object),
    row(Operation::CompleteMultipartUpload, "CompleteMultipartUpload", "CompleteMultipartUpload", Level::Object, Content::Document(MAX_PART_LIST_BYTES)),
    row(Operation::AbortMultipartUpload, "AbortMultipartUpload", "AbortMultipartUpload", Level::Object, Content::None),
    row(Operation::ListParts, "ListParts", "ListParts", Level::Object, Content::None),
    row(Operation::GetObject, "GetObject", "GetObject", Level::Object, Content::None),
    row(Operation::HeadObject, "HeadObject", "HeadObject", Level::Object, Content::None),
    row(Operation::PostObject, "PostObject", "PutObject", Level::Object, Content::Object),
    row(Operation::CopyObject, "CopyObject", "CopyObject", Level::Object, Content::None),
    row(Operation::UploadPartCopy, "UploadPartCopy", "UploadPartCopy", Level::Object, Content::None),
    row(Operation::DeleteObject, "DeleteObject", "DeleteObject", Level::Object, Content::None),
    row(Operation::DeleteMultipleObjects, "DeleteMultipleObjects", "DeleteObjects", Level::Bucket, Content::Document(MAX_CLIENT_DOCUMENT_BYTES)),
    row(Operation::ListObjects, "ListObjects", "ListObjectsV2", Level::Bucket, Content::None),
    row(Operation::ListMultipartUploads, "ListMultipartUploads", "ListMultipartUploads", Level::Bucket, Content::None),
    row(Operation::ListBuckets, "ListBuckets", "ListBuckets", Level::Service, Content::None),
    row(Operation::HeadBucket, "HeadBucket", "HeadBucket", Level::Bucket, Content::None),
    row(Operation::GetBucketLocation, "GetBucketLocation", "GetBucketLocation", Level::Bucket, Content::None),
    row(Operation::GetBucketInfo, "GetBucketInfo", "GetBucketInfo", Level::Bucket, Content::None),
    row(Operation::PutBucket, "PutBucket", "CreateBucket", Level::Bucket, Content::Document(MAX_CLIENT_DOCUMENT_BYTES)),
    row(Operation::DeleteBucket, "DeleteBucket", "DeleteBucket", Level::Bucket, Content::None),
    row(Operation::GetBucketTags, "GetBucketTags", "GetBucketTagging", Level::Bucket, Content::None),
    row(Operation::PutBucketTags, "PutBucketTags", "PutBucketTagging", Level::Bucket, Content::Document(MAX_CLIENT_DOCUMENT_BYTES)),
    row(Operation::DeleteBucketTags, "DeleteBucketTags", "DeleteBucketTagging", Level::Bucket, Content::None),
    row(Operation::GetObjectTagging, "GetObjectTagging", "GetObjectTagging", Level::Object, Content::None),
    row(Operation::PutObjectTagging, "PutObjectTagging", "PutObjectTagging", Level::Object, Content::Document(MAX_CLIENT_DOCUMENT_BYTES)),
    row(Operation::DeleteObjectTagging, "DeleteObjectTagging", "DeleteObjectTagging", Level::Object, Content::None),
    row(Operation::GetObjectAcl, "GetObjectAcl", "GetObjectAcl", Level::Object, Content::None),
    row(Operation::PutObjectAcl, "PutObjectAcl", "PutObjectAcl", Level::Object, Content::Document(MAX_CLIENT_DOCUMENT_BYTES)),
    row(Operation::RestoreObject, "RestoreObject", "RestoreObject", Level::Object, Content::Document(MAX_CLIENT_DOCUMENT_BYTES)),
];

/// Other names that grants may say: both versions of a listing are one permission, and OSS's short HEAD is
/// one with its long one.
const ALSO: [(&str, Operation); 3] = [
    ("GetObjectMeta", Operation::HeadObject),
    ("GetObjectACL", Operation::GetObjectAcl),
    ("PutObjectACL", Operation::PutObjectAcl),
];

impl Operation {
    /// Every operation.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.operation)
    }

    /// The operations that uploading needs, which the preset `upload-only` stands for.
    pub const UPLOAD: [Self; 5] = [
        Self::PutObject,
        Self::InitiateMultipartUpload,
        Self::UploadPart,
        Self::CompleteMultipartUpload,
        Self::AbortMultipartUpload,
    ];

    /// The operations that change nothing, which the preset `read-only` stands for.
    pub const READ: [Self; 9] = [
        Self::GetObject,
        Self::HeadObject,
        Self::ListObjects,
        Self::ListBuckets,
        Self::HeadBucket,
        Self::GetBucketLocation,
        Self::GetBucketInfo,
        Self::GetObjectTagging,
        Self::GetObjectAcl,
    ];

    /// What the preset `read-write` has beside those of [`Operation::UPLOAD`] and [`Operation::READ`].
    pub const WRITE: [Self; 8] = [
        Self::ListParts,
        Self::ListMultipartUploads,
        Self::CopyObject,
        Self::UploadPartCopy,
        Self::DeleteObject,
        Self::DeleteMultipleObjects,
        Self::PutObjectTagging,
        Self::DeleteObjectTagging,
    ];

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.operation == self)
    }

    /// The name, as in configuration and logs: OSS's.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.name)
    }

    /// The name in S3's API, as its SDKs send it in `x-id`.
    pub fn s3_name(self) -> &'static str {
        self.row().map_or("", |row| row.s3_name)
    }

    /// What the operation is about.
    pub fn level(self) -> Level {
        self.row().map_or(Level::Object, |row| row.level)
    }

    /// What comes as its body.
    pub fn content(self) -> Content {
        self.row().map_or(Content::None, |row| row.content)
    }

    /// The operation of that name, in either API.
    pub fn from_name(name: &str) -> Option<Self> {
        let named = ROWS.iter().find(|row| row.name == name);
        // PostObject is not what S3 calls PutObject: a grant has to say so.
        let named = named.or_else(|| ROWS.iter().find(|row| row.s3_name == name));
        let also = || ALSO.into_iter().find(|(also, _)| *also == name);
        named
            .map(|row| row.operation)
            .or_else(|| also().map(|(_, operation)| operation))
    }

    /// Whether this reads a stored object: the answer describes it, and no condition makes anything
    /// stored.
    pub const fn reads(self) -> bool {
        matches!(self, Self::GetObject | Self::HeadObject)
    }

    /// Whether this lists what a bucket holds: its answer is confined to one area.
    pub const fn lists(self) -> bool {
        matches!(self, Self::ListObjects | Self::ListMultipartUploads)
    }

    /// Whether this stores what another object holds. A copy is never a plain write (attack case H05).
    pub const fn copies(self) -> bool {
        matches!(self, Self::CopyObject | Self::UploadPartCopy)
    }

    /// Whether this reads or sets what a stored object has beside its bytes.
    pub const fn is_of_attribute(self) -> bool {
        matches!(
            self,
            Self::GetObjectTagging
                | Self::PutObjectTagging
                | Self::DeleteObjectTagging
                | Self::GetObjectAcl
                | Self::PutObjectAcl
                | Self::RestoreObject
        )
    }

    /// Whether this is about an object that has to be there.
    pub const fn finds_object(self) -> bool {
        self.reads() || self.is_of_attribute()
    }

    /// Whether object bytes come or go: straight between device and S3.
    pub fn streams(self) -> bool {
        self.reads() || self.content() == Content::Object
    }

    /// Whether this changes the bucket itself, which no grant of a part of it can permit.
    pub const fn is_of_whole_bucket(self) -> bool {
        matches!(
            self,
            Self::PutBucket
                | Self::DeleteBucket
                | Self::GetBucketTags
                | Self::PutBucketTags
                | Self::DeleteBucketTags
        )
    }
}
