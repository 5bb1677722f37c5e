//! Where preview links are served: which host, and which object a file id means.
//!
//! A link names no key and no bucket, so both are here: the id of the key record whose secrets sign links,
//! and a bucket with a template of the object's name. That record's grant has to allow GetObject and
//! HeadObject like any other's.

use oss_s3::addressing::{Hosts, VirtualBucket};
use oss_s3::key::ObjectKey;
use request_auth::preview::{self, Place, PreviewClaim};
use request_auth::{RequestHead, Resource, is_plain_key_id};
use serde::Serialize;

use super::ConfigError;
use crate::document::{Field, Fields};

/// What stands for the file id in a template, behind a `{`.
const FILE_ID: &str = "file_id}";
/// A file id, for looking at a template.
const SAMPLE: &str = "00000000-0000-0000-0000-000000000000";
/// The longest life of a link that may be configured, in seconds: a week, as that of presigned URLs of V4.
pub const MAX_LIFETIME_SECONDS: u32 = 604_800;

/// Preview links of a host as they are written.
#[derive(Serialize)]
pub struct PreviewSource {
    /// A host of `hosts`.
    pub host: String,
    /// The bucket that the files are in.
    pub bucket: String,
    /// The object's name; `{file_id}` in it stands for the id.
    pub template: String,
    /// The id of the key record whose secrets sign links.
    pub key: String,
    /// How long a link is valid.
    pub lifetime_seconds: u32,
}

impl PreviewSource {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            host: fields.take("host").string(),
            bucket: fields.take("bucket").string(),
            template: fields.take("template").string(),
            key: fields.take("key").string(),
            lifetime_seconds: fields.take("lifetime_seconds").or(3600, Field::whole),
        }
    }
}

/// Preview links of a host.
pub struct Preview {
    host: String,
    bucket: String,
    before: String,
    after: String,
    key_id: String,
    lifetime_seconds: u32,
}

impl Preview {
    fn new(source: PreviewSource, hosts: &Hosts) -> Result<Self, ConfigError> {
        let fail = |what: &str| {
            Err(ConfigError::of(|| {
                ["preview of host `", &source.host, "`: ", what].concat()
            }))
        };
        if !hosts.has_bucket(&source.bucket) {
            return fail("`bucket` names no bucket of `buckets`");
        }
        if !is_plain_key_id(&source.key) {
            return fail("`key` has to be the id of a key record, and not one of a fleet");
        }
        if source.lifetime_seconds == 0 || source.lifetime_seconds > MAX_LIFETIME_SECONDS {
            return fail("`lifetime_seconds` has to be from 1 to 604800");
        }
        let halves = source.template.split_once('{');
        let halves = halves.and_then(|(before, rest)| Some((before, rest.strip_prefix(FILE_ID)?)));
        let Some((before, after)) = halves else {
            return fail("`template` has to hold `{file_id}`, before any other `{`");
        };
        let is_brace = |byte: &u8| matches!(byte, b'{' | b'}');
        if before.as_bytes().iter().chain(after.as_bytes()).any(is_brace) {
            return fail("`template` holds `{` or `}`; only `{file_id}` is replaced, and once");
        }
        if ObjectKey::new([before, SAMPLE, after].concat().as_bytes()).is_err() {
            return fail(
                "`template` is no object name: it is too long, or holds `.`, `..`, `\\` or a control character",
            );
        }
        Ok(Self {
            before: before.to_owned(),
            after: after.to_owned(),
            host: source.host,
            bucket: source.bucket,
            key_id: source.key,
            lifetime_seconds: source.lifetime_seconds,
        })
    }

    /// The object that a link is for.
    fn resource<'c>(&self, link: &PreviewClaim, hosts: &'c Hosts) -> Option<Resource<'c, &'c VirtualBucket>> {
        let mut buckets = hosts.buckets().iter();
        Some(Resource {
            signed_bucket: None,
            key: [self.before.as_str(), link.file_id(), &self.after]
                .concat()
                .into_bytes(),
            bucket: buckets.find(|bucket| bucket.name == self.bucket)?,
        })
    }
}

/// Preview links of every host that has them.
pub struct Previews(Vec<Preview>);

impl Previews {
    /// Checks each.
    pub(super) fn new(sources: Vec<PreviewSource>, hosts: &Hosts) -> Result<Self, ConfigError> {
        let mut previews: Vec<Preview> = Vec::new();
        for source in sources {
            let what = if !hosts.has_host(&source.host) {
                "names no host of `hosts`"
            } else if previews.iter().any(|one| one.host == source.host) {
                "stands twice"
            } else {
                previews.push(Preview::new(source, hosts)?);
                continue;
            };
            return Err(ConfigError::of(|| {
                ["`preview`: the host `", &source.host, "` ", what].concat()
            }));
        }
        Ok(Self(previews))
    }

    fn of_host(&self, host: &str) -> Option<&Preview> {
        self.0.iter().find(|preview| preview.host == host)
    }

    /// The place of a request whose host and path are those of a preview link.
    pub fn place<'h>(&'h self, head: &'h RequestHead<'_>) -> Option<Place<'h>> {
        let preview = self.of_host(head.host())?;
        let (purpose, file_id) = preview::of_path(head.path())?;
        Some(Place {
            purpose,
            file_id,
            key_id: &preview.key_id,
            lifetime_seconds: preview.lifetime_seconds,
        })
    }

    /// The name of the bucket of a request whose host and path are those of a preview link.
    pub(crate) fn bucket(&self, head: &RequestHead<'_>) -> Option<&str> {
        preview::of_path(head.path())?;
        Some(&self.of_host(head.host())?.bucket)
    }

    /// The object that a link is for which was sent to `host`.
    pub fn resource<'c>(
        &self,
        host: &str,
        link: &PreviewClaim,
        hosts: &'c Hosts,
    ) -> Option<Resource<'c, &'c VirtualBucket>> {
        self.of_host(host)?.resource(link, hosts)
    }
}

#[cfg(test)]
mod tests;
