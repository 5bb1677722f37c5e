//! What a grant opens of a bucket, for the operations that are about more than one object.
//!
//! A list and a batch of deletions name keys that the head of their request does not. What permits them
//! carries the areas of the grants that do: a key is the client's business only inside one of them, and
//! what stands before it at the origin, the mount, is nobody's but the gateway's.

use request_auth::UnixSeconds;

use crate::addressing::VirtualBucket;
use crate::key::{KeyError, ObjectKey, OriginKey};

/// The keys that begin with a prefix, behind a mount at the origin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Area {
    prefix: String,
    mount: String,
}

impl Area {
    /// Takes a prefix as clients know it, and the mount that stands before it at the origin: both empty, or
    /// checked segments that end in `/`.
    pub const fn new(prefix: String, mount: String) -> Self {
        Self { prefix, mount }
    }

    /// What every key begins with, as clients know it.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What stands before every key at the origin.
    pub fn mount(&self) -> &str {
        &self.mount
    }

    /// Whether this is the whole bucket.
    pub fn is_whole(&self) -> bool {
        self.prefix.is_empty() && self.mount.is_empty()
    }

    /// Whether a key, as clients know it, lies in here.
    pub fn admits(&self, key: &ObjectKey) -> bool {
        key.as_bytes().starts_with(self.prefix.as_bytes())
    }

    /// The key at the origin.
    ///
    /// # Errors
    /// A [`KeyError`], as [`OriginKey::new`].
    pub fn origin_key(&self, key: &ObjectKey) -> Result<OriginKey, KeyError> {
        OriginKey::new(self.mount.as_bytes(), key)
    }

    /// What clients know a key or prefix of the origin's as; `None` for one that lies elsewhere.
    pub fn seen<'k>(&self, origin: &'k str) -> Option<&'k str> {
        origin
            .strip_prefix(self.mount.as_str())
            .filter(|text| text.starts_with(self.prefix.as_str()))
    }
}

/// A bucket as lists tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownBucket {
    /// Its virtual name.
    pub name: String,
    /// The region of its origin.
    pub region: String,
    /// When it was made, as the configuration says.
    pub created: UnixSeconds,
}

impl From<&VirtualBucket> for KnownBucket {
    fn from(bucket: &VirtualBucket) -> Self {
        Self {
            name: bucket.name.clone(),
            region: bucket.origin.region.clone(),
            created: bucket.created,
        }
    }
}

/// What an operation is done to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// All buckets that the client may know of.
    Service {
        /// Them, in the order of the configuration.
        buckets: Vec<KnownBucket>,
    },
    /// The bucket, or what these areas open of it.
    Bucket {
        /// The areas of every grant that permits the operation, at least one.
        areas: Vec<Area>,
    },
    /// An object.
    Object {
        /// The key as the client names it.
        key: ObjectKey,
        /// The key at the origin.
        origin_key: OriginKey,
    },
}

impl Target {
    /// The object's key as the client names it; empty for what is no object.
    pub fn key(&self) -> &str {
        match self {
            Self::Object { key, .. } => key.as_str(),
            Self::Service { .. } | Self::Bucket { .. } => "",
        }
    }

    /// The areas of a bucket; none of anything else.
    pub fn areas(&self) -> &[Area] {
        match self {
            Self::Bucket { areas } => areas,
            Self::Service { .. } | Self::Object { .. } => &[],
        }
    }
}
