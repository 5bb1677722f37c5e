//! How many tags and how much metadata the objects of a bucket may have, and how long a body of no stated length
//! may be.
//!
//! More than S3 takes is refused here, with a sentence, and never cut off. An origin that is not S3 may take
//! more: then its operator says so.

use oss_s3::headers::metadata::{DEFAULT_MAX_BYTES, MOST_MAX_BYTES};
use oss_s3::size::MAX_UPLOAD_BYTES;
use oss_s3::tags::DEFAULT_MAX_TAGS;
use serde::Serialize;

use crate::document::{Field, Fields};

/// How many tags may be configured at most: S3 takes no larger set, of buckets neither.
pub const MOST_MAX_TAGS: u16 = 50;

/// The bound on bodies of no stated length where none is configured, in bytes: 1 GiB.
pub const DEFAULT_MAX_UNSIZED_BYTES: u64 = 1 << 30;
/// The least that may be configured: the block of 8 MiB that such a body is read in at first.
pub const LEAST_MAX_UNSIZED_BYTES: u64 = 8 << 20;

/// The limits of a bucket as they are written among its fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct LimitsSource {
    /// How many tags an object may have; 10 by default.
    pub max_tags: u16,
    /// How many bytes the names and values of an object's user metadata may have; 2,048 by default.
    pub max_metadata_bytes: u16,
    /// How many bytes an object or a part may have whose body comes without a length; 1 GiB by default.
    pub max_unsized_bytes: u64,
}

impl LimitsSource {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            max_tags: fields.take("max_tags").or(DEFAULT_MAX_TAGS, Field::whole),
            max_metadata_bytes: fields
                .take("max_metadata_bytes")
                .or(DEFAULT_MAX_BYTES, Field::whole),
            max_unsized_bytes: fields
                .take("max_unsized_bytes")
                .or(DEFAULT_MAX_UNSIZED_BYTES, Field::whole),
        }
    }

    /// Refuses limits that no storage has.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub(super) fn check(self) -> Result<(), &'static str> {
        if self.max_tags > MOST_MAX_TAGS {
            return Err("`max_tags` has to be from 0 to 50");
        }
        if self.max_metadata_bytes > MOST_MAX_BYTES {
            return Err("`max_metadata_bytes` has to be from 0 to 8192, which is what OSS takes");
        }
        if !(LEAST_MAX_UNSIZED_BYTES..=MAX_UPLOAD_BYTES).contains(&self.max_unsized_bytes) {
            return Err("`max_unsized_bytes` has to be from 8388608 (8 MiB) to 5368709120 (5 GiB)");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    /// The limits of a bucket with these fields.
    fn limits(fields: &str) -> Result<(u16, u16, u64), String> {
        let config = format!(
            r#"{{"buckets": [{{"name": "devices", {fields} "origin": {{"bucket": "acme-ingest", "region": "eu-west-1",
                "endpoint": "https://s3.example"}}}}], "hosts": [{{"host": "edge.example", "styles": ["path"]}}]}}"#
        );
        let config = Config::from_json(&config).map_err(|error| error.to_string())?;
        let bucket = &config.hosts.buckets()[0];
        Ok((
            bucket.max_tags,
            bucket.max_metadata_bytes,
            bucket.max_unsized_bytes,
        ))
    }

    #[test]
    fn a_bucket_has_s3_s_limits_unless_its_operator_says_otherwise() {
        assert_eq!(limits(""), Ok((10, 2048, 1_073_741_824)));
        assert_eq!(
            limits(r#""max_tags": 50, "max_metadata_bytes": 8192, "max_unsized_bytes": 5368709120,"#),
            Ok((50, 8192, 5_368_709_120))
        );
        assert_eq!(
            limits(r#""max_tags": 0, "max_metadata_bytes": 0, "max_unsized_bytes": 8388608,"#),
            Ok((0, 0, 8_388_608))
        );
        for (fields, named) in [
            (r#""max_tags": 51,"#, "bucket `devices`: `max_tags`"),
            (r#""max_tags": -1,"#, "`buckets[0].max_tags`"),
            (r#""max_tags": "10","#, "`buckets[0].max_tags`"),
            (
                r#""max_metadata_bytes": 8193,"#,
                "bucket `devices`: `max_metadata_bytes`",
            ),
            (r#""max_metadata_bytes": 1.5,"#, "`buckets[0].max_metadata_bytes`"),
            (
                r#""max_metadata_bytes": 99999999,"#,
                "`buckets[0].max_metadata_bytes`",
            ),
            (
                r#""max_unsized_bytes": 8388607,"#,
                "bucket `devices`: `max_unsized_bytes`",
            ),
            (
                r#""max_unsized_bytes": 5368709121,"#,
                "bucket `devices`: `max_unsized_bytes`",
            ),
            (r#""max_unsized_bytes": -1,"#, "`buckets[0].max_unsized_bytes`"),
            (
                r#""max_unsized_bytes": "1 GiB","#,
                "`buckets[0].max_unsized_bytes`",
            ),
        ] {
            let error = limits(fields).unwrap_err();
            assert!(error.starts_with(named), "{fields}: {error}");
        }
    }
}
