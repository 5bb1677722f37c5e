//! The operator's configuration: parsed once, and refused whole where it is inconsistent.
//!
//! `causeway.toml` is for people; the commands turn it into the JSON that the edge function takes.
//! Both have this one shape, [`ConfigSource`], and one reader, [`ConfigSource::read`]. A [`Config`] exists only if every name in it refers to
//! something and no host or bucket can be read in two ways. Every mistake gives one sentence that
//! names the key.

use core::fmt;
use oss_s3::addressing::{
    AclRule, ArchiveClass, HostStyle, Hosts, OriginAddressing, OriginBucket, VirtualBucket,
};
use request_auth::{Rules, UnixSeconds, Window};
use serde::{Serialize, Serializer};

use crate::document::{Field, Fields, Holds, Mistake, Node};
use crate::keys::cache::CacheTimes;
use crate::policy::UnsignedHeadersSource;

pub mod cloudfront;
pub mod cors;
pub mod limits;
pub mod preview;
mod scopes;
pub mod staging;

use cloudfront::{CloudFront, CloudFrontSource, DirectPath};
use cors::{Cors, CorsSource};
use limits::LimitsSource;
use preview::{PreviewSource, Previews};
use staging::StagingSource;

/// The largest clock window that may be configured, in seconds; the vendor's own is 900.
pub const MAX_CLOCK_WINDOW_SECONDS: u32 = 3600;

/// The configuration as it is written.
#[derive(Serialize)]
pub struct ConfigSource {
    /// How far a signed date may be from now, both ways.
    pub clock_window_seconds: u32,
    /// How far ahead a presigned URL's Expires may lie; unbounded where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presigned_max_seconds: Option<u32>,
    /// The regions that OSS V4 clients may sign for, as in `cn-hangzhou`; any, where the list is empty.
    pub oss_v4_regions: Vec<String>,
    /// The products that they may sign for.
    pub oss_v4_products: Vec<String>,
    /// The regions that S3 V4 clients may sign for, as in `us-east-1`; any, where the list is empty.
    pub s3_v4_regions: Vec<String>,
    /// Whether a signature mismatch shows the string to sign to the client.
    pub string_to_sign_in_errors: bool,
    /// How long the edge function keeps key records.
    pub key_cache: CacheTimes,
    /// Where a deployment on CloudFront finds its secrets, and who signs object bytes there.
    pub cloudfront: CloudFrontSource,
    /// The virtual buckets.
    pub buckets: Vec<BucketSource>,
    /// The hosts that devices send to.
    pub hosts: Vec<HostSource>,
    /// The hosts that serve preview links.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preview: Vec<PreviewSource>,
}

impl ConfigSource {
    /// Reads the JSON's or TOML's tree. The rest is for [`Config::new`] to judge.
    ///
    /// # Errors
    /// A document of another shape: the sentence names the path of the key.
    pub fn read(document: Node<'_>) -> Result<Self, Mistake> {
        document.read(Holds::Settings, |document| {
            document.table(|fields| Self {
                clock_window_seconds: fields.take("clock_window_seconds").or(900, Field::whole),
                presigned_max_seconds: fields.take("presigned_max_seconds").optional(Field::whole),
                oss_v4_regions: fields.take("oss_v4_regions").or(Vec::new(), Field::strings),
                oss_v4_products: fields
                    .take("oss_v4_products")
                    .or(vec!["oss".to_owned()], Field::strings),
                s3_v4_regions: fields.take("s3_v4_regions").or(Vec::new(), Field::strings),
                string_to_sign_in_errors: fields.take("string_to_sign_in_errors").or(false, Field::boolean),
                key_cache: fields
                    .take("key_cache")
                    .or(CacheTimes::default(), CacheTimes::read),
                cloudfront: fields
                    .take("cloudfront")
                    .or(CloudFrontSource::default(), CloudFrontSource::read),
                buckets: fields
                    .take("buckets")
                    .list(|bucket| bucket.table(BucketSource::read)),
                hosts: fields.take("hosts").list(|host| host.table(HostSource::read)),
                preview: fields.take("preview").or(Vec::new(), |field| {
                    field.list(|preview| preview.table(PreviewSource::read))
                }),
            })
        })
    }
}

/// A virtual bucket as it is written.
#[derive(Serialize)]
pub struct BucketSource {
    /// The name that devices sign.
    pub name: String,
    /// Other names that devices may sign for it.
    pub aliases: Vec<String>,
    /// What becomes of public ACLs.
    pub acl: AclSource,
    /// What OSS's storage class Archive becomes.
    pub archive: ArchiveSource,
    /// What becomes of headers that no signature covers.
    pub unsigned_headers: UnsignedHeadersSource,
    /// How many tags and how much metadata an object may have, and how long a body that says no length may be.
    #[serde(flatten)]
    pub limits: LimitsSource,
    /// OSS key ids, and the AWS KMS key ARN of each: a table.
    #[serde(serialize_with = "as_table")]
    pub kms_keys: Vec<(String, String)>,
    /// Which pages of other origins may talk to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cors: Vec<CorsSource>,
    /// Where parts wait that are too small for S3.
    pub staging: StagingSource,
    /// When clients are told that it was made, `yyyy-mm-ddThh:mm:ssZ`; where absent, 1970 began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The S3 bucket behind it.
    pub origin: OriginSource,
}

impl BucketSource {
    fn read(fields: &mut Fields<'_, '_>) -> Self {
        let acl = |field: Field<'_, '_>| {
            field.choice(&[("private", AclSource::Private), ("pass", AclSource::Pass)])
        };
        let archive = |field: Field<'_, '_>| {
            field.choice(&[
                ("GLACIER", ArchiveSource::Glacier),
                ("GLACIER_IR", ArchiveSource::GlacierInstantRetrieval),
            ])
        };
        let arns = |field: Field<'_, '_>| field.map(|id, arn| (id.into_owned(), arn.string()));
        Self {
            name: fields.take("name").string(),
            aliases: fields.take("aliases").or(Vec::new(), Field::strings),
            acl: fields.take("acl").or(AclSource::default(), acl),
            archive: fields.take("archive").or(ArchiveSource::default(), archive),
            unsigned_headers: fields
                .take("unsigned_headers")
                .or(UnsignedHeadersSource::default(), UnsignedHeadersSource::read),
            limits: LimitsSource::read(fields),
            kms_keys: fields.take("kms_keys").or(Vec::new(), arns),
            cors: fields.take("cors").or(Vec::new(), |field| {
                field.list(|rule| rule.table(CorsSource::read))
            }),
            staging: fields
                .take("staging")
                .or(StagingSource::default(), StagingSource::read),
            created: fields.take("created").optional(Field::string),
            origin: fields.take("origin").table(OriginSource::read),
        }
    }
}

fn as_table<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// What becomes of public ACLs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AclSource {
    /// They are refused; `private` and `default` are left out, as S3 buckets have no ACLs.
    #[default]
    Private,
    /// They are passed to S3.
    Pass,
}

/// The S3 storage class that OSS's Archive becomes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub enum ArchiveSource {
    /// Needs a restore before it is read, like OSS's.
    #[default]
    #[serde(rename = "GLACIER")]
    Glacier,
    /// Readable at once.
    #[serde(rename = "GLACIER_IR")]
    GlacierInstantRetrieval,
}

/// An S3 bucket as it is written.
#[derive(Serialize)]
pub struct OriginSource {
    /// Its name.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// `scheme://host[:port]` of the S3 endpoint, without the bucket.
    pub endpoint: String,
    /// Where the bucket's name stands in URLs.
    pub addressing: AddressingSource,
}

impl OriginSource {
    fn read(fields: &mut Fields<'_, '_>) -> Self {
        let addressing = |field: Field<'_, '_>| {
            field.choice(&[
                ("virtual-host", AddressingSource::VirtualHost),
                ("path", AddressingSource::Path),
            ])
        };
        Self {
            bucket: fields.take("bucket").string(),
            region: fields.take("region").string(),
            endpoint: fields.take("endpoint").string(),
            addressing: fields
                .take("addressing")
                .or(AddressingSource::default(), addressing),
        }
    }
}

/// Where the bucket's name stands in the origin's URLs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressingSource {
    /// Before the host.
    #[default]
    VirtualHost,
    /// In the path.
    Path,
}

/// A host as it is written: either `styles` or `cname`, or both.
#[derive(Serialize)]
pub struct HostSource {
    /// The name in Host, without a port.
    pub host: String,
    /// `path`: `/bucket/key`; `virtual-host`: `bucket.host`.
    pub styles: Vec<StyleSource>,
    /// The bucket that the host itself stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    /// Whether clients that sign no bucket name are accepted on the `cname`.
    pub unsigned_bucket: bool,
}

impl HostSource {
    fn read(fields: &mut Fields<'_, '_>) -> Self {
        let style = |field: Field<'_, '_>| {
            field.choice(&[
                ("path", StyleSource::Path),
                ("virtual-host", StyleSource::VirtualHost),
            ])
        };
        Self {
            host: fields.take("host").string(),
            styles: fields.take("styles").or(Vec::new(), |field| field.list(style)),
            cname: fields.take("cname").optional(Field::string),
            unsigned_bucket: fields.take("unsigned_bucket").or(false, Field::boolean),
        }
    }
}

/// How a bucket is named on a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StyleSource {
    /// `/bucket/key`.
    #[default]
    Path,
    /// `bucket.host`.
    VirtualHost,
}

/// Why a configuration does not exist: one sentence that names the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError(String);

impl ConfigError {
    /// A mistake, said where the feature `mistakes` is on. An artefact is made with a configuration that a program with
    /// it has let pass, and the sentences would be 2 KB of each.
    pub(crate) fn of(what: impl FnOnce() -> String) -> Self {
        if cfg!(any(test, feature = "mistakes")) {
            Self(what())
        } else {
            Self("there is a mistake: `causeway check` says which".to_owned())
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ConfigError {}

impl From<Mistake> for ConfigError {
    fn from(mistake: Mistake) -> Self {
        Self(mistake.to_string())
    }
}

/// A configuration that is consistent.
pub struct Config {
    /// Which signatures are accepted.
    pub rules: Rules,
    /// Whether a signature mismatch shows the string to sign.
    pub string_to_sign_in_errors: bool,
    /// How long key records are kept.
    pub key_cache: CacheTimes,
    /// What counts on CloudFront alone.
    pub cloudfront: CloudFront,
    /// Host and path to bucket.
    pub hosts: Hosts,
    /// Which pages of other origins may talk to which bucket.
    pub cors: Cors,
    /// Where preview links are served.
    pub previews: Previews,
}

impl Config {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// A [`ConfigError`], for JSON of another shape too.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        Self::new(ConfigSource::read(Node::from_json(json)?)?)
    }

    /// Checks a configuration.
    ///
    /// # Errors
    /// A [`ConfigError`] for the first mistake.
    pub fn new(mut source: ConfigSource) -> Result<Self, ConfigError> {
        if source.clock_window_seconds == 0 || source.clock_window_seconds > MAX_CLOCK_WINDOW_SECONDS {
            return Err(ConfigError::of(|| {
                format!("`clock_window_seconds` has to be from 1 to {MAX_CLOCK_WINDOW_SECONDS}")
            }));
        }
        scopes::check(
            &source.oss_v4_regions,
            &source.oss_v4_products,
            &source.s3_v4_regions,
        )?;
        let cloudfront = CloudFront::new(source.cloudfront, source.key_cache)?;
        let cors = Cors::new(&mut source.buckets)?;
        let buckets = source
            .buckets
            .into_iter()
            .map(bucket)
            .collect::<Result<Vec<_>, _>>()?;
        let mut names: Vec<&str> = Vec::new();
        for bucket in &buckets {
            for name in core::iter::once(&bucket.name).chain(&bucket.aliases) {
                if names.contains(&name.as_str()) {
                    return Err(ConfigError::of(|| {
                        format!("`buckets`: the name or alias `{name}` stands twice")
                    }));
                }
                names.push(name);
            }
        }
        if cloudfront.direct_path == DirectPath::RouterSigned
            && let Some(bucket) = buckets.iter().find(|bucket| bucket.origin.scheme != "https")
        {
            return Err(ConfigError::of(|| {
                format!(
                    "bucket `{}`: `origin.endpoint` has to be https with `cloudfront.direct_path` \"router-signed\", whose signature leaves the body to TLS",
                    bucket.name
                )
            }));
        }
        if source.hosts.is_empty() {
            return Err(ConfigError::of(|| {
                "`hosts` is empty; name at least one host that devices send to".to_owned()
            }));
        }
        let mut hosts = Hosts::new(buckets);
        // Clients sign neither bucket nor host there: a request for the one would be one for the other.
        let mut unsigned = source
            .hosts
            .iter()
            .filter(|host| host.unsigned_bucket)
            .map(|host| &host.cname);
        if let Some(first) = unsigned.next()
            && unsigned.any(|other| other != first)
        {
            return Err(ConfigError::of(|| {
                "`hosts`: all hosts with `unsigned_bucket` have to have the same `cname`; without a signed bucket name their requests can't be told apart"
                    .to_owned()
            }));
        }
        for host in source.hosts {
            add_host(&mut hosts, host)?;
        }
        let previews = Previews::new(source.preview, &hosts)?;
        Ok(Self {
            rules: Rules {
                window: Window {
                    skew_seconds: source.clock_window_seconds,
                    presigned_max_seconds: source.presigned_max_seconds,
                },
                regions: source.oss_v4_regions,
                products: source.oss_v4_products,
                aws_regions: source.s3_v4_regions,
            },
            string_to_sign_in_errors: source.string_to_sign_in_errors,
            key_cache: source.key_cache,
            cloudfront,
            hosts,
            cors,
            previews,
        })
    }
}

fn bucket(source: BucketSource) -> Result<VirtualBucket, ConfigError> {
    let BucketSource {
        name,
        aliases,
        origin,
        ..
    } = source;
    let fail = |what: &str| ConfigError::of(|| format!("bucket `{name}`: {what}"));
    if let Some(bad) = core::iter::once(&name)
        .chain(&aliases)
        .find(|name| !is_bucket_name(name))
    {
        return Err(ConfigError::of(|| {
            format!(
                "`buckets`: `{bad}` is no bucket name: 3 to 63 of a-z, 0-9 and `-`, neither first nor last a `-`"
            )
        }));
    }
    source.limits.check().map_err(fail)?;
    if !is_origin_bucket_name(&origin.bucket) {
        return Err(fail("`origin.bucket` is no S3 bucket name"));
    }
    if origin.region.is_empty()
        || !origin
            .region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err(fail("`origin.region` is no region, such as eu-west-1"));
    }
    let url = origin.endpoint.as_str();
    let (scheme, default_port, authority) = match (url.strip_prefix("https://"), url.strip_prefix("http://"))
    {
        (Some(rest), _) => ("https", ":443", rest),
        (None, Some(rest)) => ("http", ":80", rest),
        (None, None) => ("", "", ""),
    };
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let good_authority = !authority.is_empty()
        && authority
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:".contains(&byte));
    if !good_authority {
        return Err(fail(
            "`origin.endpoint` has to be https://host or http://host, lower case, without a path",
        ));
    }
    let created = match &source.created {
        None => UnixSeconds(0),
        Some(text) => UnixSeconds::from_iso_extended(text.as_bytes()).ok_or_else(|| {
            fail("`created` has to be a date and time of UTC, such as \"2024-05-01T12:00:00Z\"")
        })?,
    };
    let origin = OriginBucket {
        bucket: origin.bucket,
        region: origin.region,
        scheme: scheme.to_owned(),
        authority: authority
            .strip_suffix(default_port)
            .unwrap_or(authority)
            .to_owned(),
        addressing: match origin.addressing {
            AddressingSource::VirtualHost => OriginAddressing::VirtualHost,
            AddressingSource::Path => OriginAddressing::Path,
        },
    };
    Ok(VirtualBucket {
        aliases,
        acl: match source.acl {
            AclSource::Private => AclRule::Private,
            AclSource::Pass => AclRule::Pass,
        },
        archive: match source.archive {
            ArchiveSource::Glacier => ArchiveClass::Glacier,
            ArchiveSource::GlacierInstantRetrieval => ArchiveClass::GlacierInstantRetrieval,
        },
        unsigned_headers: source.unsigned_headers.into(),
        max_tags: source.limits.max_tags,
        max_metadata_bytes: source.limits.max_metadata_bytes,
        max_unsized_bytes: source.limits.max_unsized_bytes,
        kms_keys: source.kms_keys,
        created,
        staging: source.staging.place(&origin).map_err(fail)?,
        origin,
        name,
    })
}

fn add_host(hosts: &mut Hosts, source: HostSource) -> Result<(), ConfigError> {
    let HostSource {
        host,
        styles,
        cname,
        unsigned_bucket,
    } = source;
    let fail = |what: &str| Err(ConfigError::of(|| format!("host `{host}`: {what}")));
    let is_host = !host.is_empty()
        && host.len() <= 253
        && host
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:".contains(&byte));
    if !is_host {
        return fail("`host` has to be a lower-case host name or address without a port");
    }
    if styles.is_empty() && cname.is_none() {
        return fail("name `styles`, or the bucket that the host stands for as `cname`");
    }
    if unsigned_bucket && cname.is_none() {
        return fail("`unsigned_bucket` needs a `cname`: without it no bucket would be known at all");
    }
    let mut host_styles = Vec::new();
    for style in styles {
        host_styles.push(match style {
            StyleSource::Path => HostStyle::Path,
            StyleSource::VirtualHost => HostStyle::VirtualHost,
        });
    }
    if let Some(bucket) = cname {
        if !hosts.has_bucket(&bucket) {
            return fail("`cname` names no bucket of `buckets`");
        }
        host_styles.push(HostStyle::Cname {
            bucket,
            unsigned_bucket,
        });
    }
    if hosts.add(&host, host_styles) {
        Ok(())
    } else {
        fail("stands twice")
    }
}

/// What the names of S3's buckets are made of.
fn is_origin_bucket_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
}

/// OSS's rule: 3 to 63 of a-z, 0-9 and `-`, neither first nor last a `-`.
fn is_bucket_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests;
