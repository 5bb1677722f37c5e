//! What the configuration says of a deployment on CloudFront: where its functions find their secrets,
//! and who signs object bytes. On other platforms it is ignored.

use core::num::NonZeroU16;

use serde::Serialize;

use super::ConfigError;
use crate::document::{Field, Holds, Node};
use crate::keys::cache::CacheTimes;

/// The most shards that key records are spread over: one byte chooses.
pub const MAX_KEY_SHARDS: u16 = 256;

/// The longest prefix of the secrets' names, in bytes; Secrets Manager takes names of 512.
const MAX_PREFIX_BYTES: usize = 256;

/// The table `[cloudfront]` as it is written.
#[derive(Serialize)]
pub struct CloudFrontSource {
    /// The first part of the secrets' names: `{prefix}/passport`, `{prefix}/0`, `{prefix}/1`, …
    pub secrets_prefix: String,
    /// The region of the secrets, then those that have replicas of them.
    pub secrets_regions: Vec<String>,
    /// How many shards the key records are spread over.
    pub key_shards: u16,
    /// Who signs object bytes for S3.
    pub direct_path: DirectPath,
}

impl Default for CloudFrontSource {
    fn default() -> Self {
        Self {
            secrets_prefix: "causeway".to_owned(),
            secrets_regions: vec!["us-east-1".to_owned()],
            key_shards: 1,
            direct_path: DirectPath::Oac,
        }
    }
}

impl CloudFrontSource {
    pub(super) fn read(table: Field<'_, '_>) -> Self {
        let default = Self::default();
        let direct_path = |field: Field<'_, '_>| {
            field.choice(&[
                ("oac", DirectPath::Oac),
                ("router-signed", DirectPath::RouterSigned),
            ])
        };
        table.table(|fields| Self {
            secrets_prefix: fields
                .take("secrets_prefix")
                .or(default.secrets_prefix, Field::string),
            secrets_regions: fields
                .take("secrets_regions")
                .or(default.secrets_regions, Field::strings),
            key_shards: fields.take("key_shards").or(default.key_shards, Field::whole),
            direct_path: fields.take("direct_path").or(default.direct_path, direct_path),
        })
    }
}

/// Who signs object bytes for S3.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectPath {
    /// CloudFront, by origin access control: the distribution stands before one bucket.
    #[default]
    Oac,
    /// The origin-request router with its own role, for whichever bucket a request is for.
    RouterSigned,
}

/// A deployment on CloudFront that is consistent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CloudFront {
    /// The first part of the secrets' names.
    pub secrets_prefix: String,
    /// The region of the secrets, then those that have replicas; never empty.
    pub secrets_regions: Vec<String>,
    /// How many shards the key records are spread over.
    pub key_shards: NonZeroU16,
    /// Who signs object bytes for S3.
    pub direct_path: DirectPath,
    /// How long secrets are kept.
    pub times: CacheTimes,
}

impl CloudFront {
    /// Reads its part of the configuration's JSON form and no other: for a function that needs no
    /// buckets.
    ///
    /// # Errors
    /// A [`ConfigError`], for JSON of another shape too.
    pub fn from_json(config: &str) -> Result<Self, ConfigError> {
        let document = Node::from_json(config)?;
        let (source, times) = document.read(Holds::Settings, |document| {
            document.open_table(|fields| {
                let source = fields
                    .take("cloudfront")
                    .or(CloudFrontSource::default(), CloudFrontSource::read);
                let times = fields
                    .take("key_cache")
                    .or(CacheTimes::default(), CacheTimes::read);
                (source, times)
            })
        })?;
        Self::new(source, times)
    }

    /// Checks what was written.
    ///
    /// # Errors
    /// A [`ConfigError`] for the first mistake.
    pub fn new(source: CloudFrontSource, times: CacheTimes) -> Result<Self, ConfigError> {
        times.check()?;
        let fail = |what: &str| ConfigError::of(|| ["`cloudfront.", what].concat());
        let prefix = source.secrets_prefix;
        let good_prefix = prefix.len() <= MAX_PREFIX_BYTES
            && prefix.split('/').all(|part| !part.is_empty())
            && prefix
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte));
        if !good_prefix {
            return Err(fail(
                "secrets_prefix` has to be of [A-Za-z0-9_-], in parts with one `/` between them",
            ));
        }
        let regions = source.secrets_regions;
        if regions.is_empty() || !regions.iter().all(|region| is_region(region)) {
            return Err(fail(
                "secrets_regions` has to list the region of the secrets, such as us-east-1, and then those of their replicas",
            ));
        }
        let key_shards = NonZeroU16::new(source.key_shards)
            .filter(|shards| shards.get() <= MAX_KEY_SHARDS)
            .ok_or_else(|| fail("key_shards` has to be from 1 to 256"))?;
        Ok(Self {
            secrets_prefix: prefix,
            secrets_regions: regions,
            key_shards,
            direct_path: source.direct_path,
            times,
        })
    }

    /// The name of a secret of this deployment: `passport`, or a shard's number.
    pub fn secret_name(&self, secret: &str) -> String {
        [&self.secrets_prefix, "/", secret].concat()
    }

    /// Where a function that runs in `own` reads secrets: there if it has a replica, else in the first
    /// region.
    pub fn secrets_region(&self, own: &str) -> &str {
        let regions = &self.secrets_regions;
        let nearest = regions.iter().find(|region| *region == own);
        nearest.or(regions.first()).map_or("", String::as_str)
    }
}

/// The grammar of AWS regions, `eu-west-1`: they become parts of host names.
pub fn is_region(text: &str) -> bool {
    (3..=32).contains(&text.len())
        && text.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}
