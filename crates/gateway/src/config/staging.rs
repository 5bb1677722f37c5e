//! Where the parts wait that are too small for S3, until the upload that they belong to is completed.
//!
//! Every place begins with the reserved prefix, which no object key of a client can: so nothing that a client names
//! is a staged part, of whichever bucket.

use oss_s3::addressing::{OriginBucket, Staging};
use oss_s3::key::RESERVED_PREFIX;
use serde::Serialize;

use super::is_origin_bucket_name;
use crate::document::Field;

/// The longest prefix in bytes: with the names of staged objects behind it, it stays within S3's 1,024.
const MAX_PREFIX_BYTES: usize = 200;

/// The table `[buckets.staging]` as it is written.
#[derive(Serialize)]
pub struct StagingSource {
    /// Whether there is staging at all; without, a part that is too small is refused.
    pub enabled: bool,
    /// The S3 bucket, in the place of the origin; the origin's own where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// What the keys of all staged objects begin with.
    pub prefix: String,
}

impl Default for StagingSource {
    fn default() -> Self {
        Self {
            enabled: true,
            bucket: None,
            prefix: core::str::from_utf8(RESERVED_PREFIX)
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

impl StagingSource {
    pub(super) fn read(table: Field<'_, '_>) -> Self {
        let default = Self::default();
        table.table(|fields| Self {
            enabled: fields.take("enabled").or(default.enabled, Field::boolean),
            bucket: fields.take("bucket").optional(Field::string),
            prefix: fields.take("prefix").or(default.prefix, Field::string),
        })
    }

    /// The place beside this origin; none where staging is off. What is written is judged in either case.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub(super) fn place(self, origin: &OriginBucket) -> Result<Option<Staging>, &'static str> {
        let bucket = self.bucket.unwrap_or_else(|| origin.bucket.clone());
        if !is_origin_bucket_name(&bucket) {
            return Err("`staging.bucket` is no S3 bucket name");
        }
        if !is_prefix(self.prefix.as_bytes()) {
            return Err(
                "`staging.prefix` has to begin with `.causeway/` and to end in `/`: at most 200 bytes, in segments of [A-Za-z0-9._-] that are neither `.` nor `..`",
            );
        }
        Ok(self.enabled.then_some(Staging {
            bucket,
            prefix: self.prefix,
        }))
    }
}

fn is_prefix(prefix: &[u8]) -> bool {
    let is_segment = |segment: &[u8]| {
        !matches!(segment, b"" | b"." | b"..")
            && segment
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
    };
    let segments = prefix.strip_suffix(b"/").unwrap_or_default();
    prefix.len() <= MAX_PREFIX_BYTES
        && prefix.starts_with(RESERVED_PREFIX)
        && segments.split(|byte| *byte == b'/').all(is_segment)
}

#[cfg(test)]
mod tests {
    use oss_s3::addressing::Staging;

    use crate::config::Config;

    /// The staging place of a bucket with this table.
    fn place(staging: &str) -> Result<Option<(String, String)>, String> {
        let config = format!(
            r#"{{"buckets": [{{"name": "devices", {staging} "origin": {{"bucket": "acme-ingest", "region": "eu-west-1",
                "endpoint": "https://s3.example"}}}}], "hosts": [{{"host": "edge.example", "styles": ["path"]}}]}}"#
        );
        let config = Config::from_json(&config).map_err(|error| error.to_string())?;
        let place = config.hosts.buckets()[0].staging.clone();
        Ok(place.map(|Staging { bucket, prefix }| (bucket, prefix)))
    }

    fn at(bucket: &str, prefix: &str) -> Result<Option<(String, String)>, String> {
        Ok(Some((bucket.to_owned(), prefix.to_owned())))
    }

    #[test]
    fn small_parts_wait_in_the_origins_own_bucket_unless_its_operator_says_otherwise() {
        let origins_own = at("acme-ingest", ".causeway/");
        assert_eq!(place(""), origins_own);
        assert_eq!(place(r#""staging": {},"#), origins_own);
        assert_eq!(place(r#""staging": {"bucket": null},"#), origins_own);
        assert_eq!(
            place(r#""staging": {"bucket": "acme.staging", "prefix": ".causeway/fleet-1/a_b.c/"},"#),
            at("acme.staging", ".causeway/fleet-1/a_b.c/")
        );
        assert_eq!(place(r#""staging": {"enabled": false},"#), Ok(None));
        let longest = format!(".causeway/{}/", "a".repeat(189));
        assert_eq!(
            place(&format!(r#""staging": {{"prefix": "{longest}"}},"#)),
            at("acme-ingest", &longest)
        );
    }

    #[test]
    fn no_place_is_one_that_a_client_could_name() {
        for prefix in [
            "",
            "/",
            "staging/",
            ".causeway",
            "/.causeway/",
            "a/.causeway/",
            ".Causeway/",
            ".causeway2/",
            ".causeway/a",
            ".causeway//",
            ".causeway/a//",
            ".causeway//a/",
            ".causeway/./",
            ".causeway/../",
            ".causeway/../a/",
            ".causeway/a%2F/",
            ".causeway/a b/",
            ".causeway/ä/",
            ".causeway/{key_id}/",
            &format!(".causeway/{}/", "a".repeat(190)),
        ] {
            // Neither where it would not be used.
            for enabled in ["", r#""enabled": false, "#] {
                let error = place(&format!(r#""staging": {{{enabled}"prefix": "{prefix}"}},"#)).unwrap_err();
                assert!(
                    error.starts_with("bucket `devices`: `staging.prefix` has to begin with `.causeway/`"),
                    "{prefix}: {error}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_staging_place_is_refused_by_the_name_of_its_key() {
        for (staging, named) in [
            (r#"{"bucket": ""}"#, "bucket `devices`: `staging.bucket`"),
            (r#"{"bucket": "Acme"}"#, "bucket `devices`: `staging.bucket`"),
            (
                r#"{"enabled": false, "bucket": "a/b"}"#,
                "bucket `devices`: `staging.bucket`",
            ),
            (r#"{"enabled": "yes"}"#, "`buckets[0].staging.enabled`"),
            (r#"{"enabled": null}"#, "`buckets[0].staging.enabled`"),
            (r#"{"bucket": 1}"#, "`buckets[0].staging.bucket`"),
            (r#"{"prefix": null}"#, "`buckets[0].staging.prefix`"),
            (r#"{"folder": "a/"}"#, "`buckets[0].staging` holds `folder`"),
            ("true", "`buckets[0].staging`"),
            ("null", "`buckets[0].staging`"),
        ] {
            let error = place(&format!(r#""staging": {staging},"#)).unwrap_err();
            assert!(error.starts_with(named), "{staging}: {error}");
        }
    }
}
