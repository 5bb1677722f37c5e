//! What a configuration means, in words, and what in it an operator may not have meant.

use std::collections::BTreeSet;
use std::fmt;

use gateway::blocks::BLOCK_BYTES;
use gateway::config::preview::PreviewSource;
use gateway::config::{BucketSource, HostSource, StyleSource};
use gateway::keys::fleet::MAX_REVOKED;
use serde::Serialize;

use crate::configuration::Configuration;
use crate::records::Records;
use crate::{cloudflare, cloudfront};

/// How long Workers KV may take until every location has a change, in seconds.
const KV_PROPAGATION_SECONDS: u32 = 60;

/// What was found.
#[derive(Serialize)]
pub struct Report {
    /// The virtual buckets.
    pub buckets: Vec<Bucket>,
    /// The hosts.
    pub hosts: Vec<Host>,
    /// The web pages of other origins that may talk to a bucket.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<Pages>,
    /// The preview links that they serve.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previews: Vec<Preview>,
    /// How far a signed date may be off, both ways.
    pub clock_window_seconds: u32,
    /// How long a revoked key may still work.
    pub revocation: Revocation,
    /// What the folder of key records holds, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<Records>,
    /// Sentences.
    pub warnings: Vec<String>,
}

/// A virtual bucket.
#[derive(Serialize)]
pub struct Bucket {
    /// What devices sign.
    pub name: String,
    /// What they may sign as well.
    pub aliases: Vec<String>,
    /// The S3 bucket.
    pub origin_bucket: String,
    /// Its region.
    pub region: String,
    /// Its endpoint.
    pub endpoint: String,
    /// Where OSS clients' parts below S3's 5 MiB wait, as `s3://bucket/prefix`; none where they are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staging: Option<String>,
    /// How many bytes a body may have that comes without a length, on Cloudflare; where nothing is staged, a part one
    /// block.
    pub max_unsized_bytes: u64,
}

/// A host and the URLs on it.
#[derive(Serialize)]
pub struct Host {
    /// The host.
    pub host: String,
    /// URLs of an object in a bucket.
    pub urls: Vec<String>,
}

/// Web pages of other origins.
#[derive(Serialize)]
pub struct Pages {
    /// The bucket.
    pub bucket: String,
    /// Their origins.
    pub origins: Vec<String>,
    /// The methods that they may use.
    pub methods: Vec<String>,
}

/// Preview links of a host.
#[derive(Serialize)]
pub struct Preview {
    /// The URL of a file.
    pub url: String,
    /// The bucket of its object.
    pub bucket: String,
    /// The name of its object.
    pub template: String,
    /// The key record whose secrets sign links.
    pub key: String,
    /// How long a link is valid.
    pub lifetime_seconds: u32,
}

/// How long a revoked key may still work, in seconds: the sum of what the store takes to tell it and of what
/// the edge function keeps.
#[derive(Serialize)]
pub struct Revocation {
    /// On Cloudflare.
    pub cloudflare_seconds: u32,
    /// On CloudFront, once Secrets Manager has the change in the region that is read.
    pub cloudfront_seconds: u32,
    /// Where the store does not answer.
    pub outage_seconds: u32,
}

impl Report {
    /// Looks at a configuration that the gateway takes, and at key records that it takes.
    pub fn new(configuration: &Configuration, records: Option<Records>) -> Self {
        let source = configuration.source();
        let fresh = source.key_cache.fresh_seconds;
        Self {
            buckets: source.buckets.iter().map(bucket).collect(),
            hosts: source
                .hosts
                .iter()
                .map(|host| self::host(host, &source.buckets))
                .collect(),
            pages: source.buckets.iter().flat_map(pages).collect(),
            previews: source.preview.iter().map(preview).collect(),
            clock_window_seconds: source.clock_window_seconds,
            revocation: Revocation {
                cloudflare_seconds: fresh.saturating_add(KV_PROPAGATION_SECONDS),
                cloudfront_seconds: fresh,
                outage_seconds: source.key_cache.stale_seconds,
            },
            records,
            warnings: warnings(configuration),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for bucket in &self.buckets {
            write!(f, "bucket   {}", bucket.name)?;
            if !bucket.aliases.is_empty() {
                write!(f, " (may also be signed as {})", bucket.aliases.join(", "))?;
            }
            writeln!(
                f,
                " is s3://{} in {}, at {}",
                bucket.origin_bucket, bucket.region, bucket.endpoint
            )?;
            match &bucket.staging {
                Some(place) => writeln!(
                    f,
                    "staging  parts of {} below 5 MiB wait in {place} until their upload is completed",
                    bucket.name
                )?,
                None => writeln!(
                    f,
                    "staging  none: uploads to {} with parts below 5 MiB are refused",
                    bucket.name
                )?,
            }
        }
        for bucket in &self.buckets {
            let (name, most) = (&bucket.name, bucket.max_unsized_bytes);
            match bucket.staging {
                Some(_) => writeln!(
                    f,
                    "unsized  an object or part of {name} that comes without a length may have {most} bytes, on Cloudflare alone"
                )?,
                None => writeln!(
                    f,
                    "unsized  an object of {name} that comes without a length may have {most} bytes, a part without staging {BLOCK_BYTES}, on Cloudflare alone"
                )?,
            }
        }
        for host in &self.hosts {
            for url in &host.urls {
                writeln!(f, "url      {url}")?;
            }
        }
        for Pages {
            bucket,
            origins,
            methods,
        } in &self.pages
        {
            let origins = if origins.iter().any(|origin| origin == "*") {
                "any origin".to_owned()
            } else {
                origins.join(", ")
            };
            writeln!(
                f,
                "pages    of {origins} may {} in bucket {bucket}",
                methods.join(", ")
            )?;
        }
        for preview in &self.previews {
            writeln!(
                f,
                "preview  {} is {} in bucket {}, for {} s, signed with the secrets of key {}",
                preview.url, preview.template, preview.bucket, preview.lifetime_seconds, preview.key
            )?;
        }
        writeln!(
            f,
            "clock    a signed date may be off by {} s, both ways",
            self.clock_window_seconds
        )?;
        writeln!(
            f,
            "revoked  a key that is disabled or removed works for at most {} s more on Cloudflare, and on CloudFront for \
             {} s once Secrets Manager has the change; for {} s where the key store does not answer",
            self.revocation.cloudflare_seconds,
            self.revocation.cloudfront_seconds,
            self.revocation.outage_seconds
        )?;
        if let Some(records) = &self.records {
            writeln!(f, "keys     {} listed by themselves", records.keys)?;
            for fleet in &records.fleets {
                let (id, masters, revoked) = (&fleet.id, fleet.masters, fleet.revoked);
                writeln!(
                    f,
                    "fleet    {id} of {masters} masters, {revoked} of at most {MAX_REVOKED} devices revoked"
                )?;
            }
        }
        let of_records = self.records.iter().flat_map(|records| &records.warnings);
        for warning in self.warnings.iter().chain(of_records) {
            writeln!(f, "warning  {warning}")?;
        }
        Ok(())
    }
}

fn bucket(source: &BucketSource) -> Bucket {
    Bucket {
        name: source.name.clone(),
        aliases: source.aliases.clone(),
        origin_bucket: source.origin.bucket.clone(),
        region: source.origin.region.clone(),
        endpoint: source.origin.endpoint.clone(),
        staging: source.staging.enabled.then(|| {
            let place = source.staging.bucket.as_ref();
            format!(
                "s3://{}/{}",
                place.unwrap_or(&source.origin.bucket),
                source.staging.prefix
            )
        }),
        max_unsized_bytes: source.limits.max_unsized_bytes,
    }
}

fn host(source: &HostSource, buckets: &[BucketSource]) -> Host {
    let host = &source.host;
    let mut urls = Vec::new();
    if let Some(bucket) = &source.cname {
        urls.push(format!("https://{host}/… ({bucket})"));
    }
    for bucket in buckets {
        let name = &bucket.name;
        if source.styles.contains(&StyleSource::Path) {
            urls.push(format!("https://{host}/{name}/…"));
        }
        if source.styles.contains(&StyleSource::VirtualHost) {
            urls.push(format!("https://{name}.{host}/…"));
        }
    }
    Host {
        host: host.clone(),
        urls,
    }
}

fn pages(source: &BucketSource) -> impl Iterator<Item = Pages> {
    source.cors.iter().map(|rule| Pages {
        bucket: source.name.clone(),
        origins: rule.origins.clone(),
        methods: rule.methods.clone(),
    })
}

fn preview(source: &PreviewSource) -> Preview {
    Preview {
        url: format!("https://{}/files/{{file_id}}/file-preview", source.host),
        bucket: source.bucket.clone(),
        template: source.template.clone(),
        key: source.key.clone(),
        lifetime_seconds: source.lifetime_seconds,
    }
}

fn warnings(configuration: &Configuration) -> Vec<String> {
    let source = configuration.source();
    let mut warnings = Vec::new();
    let reaches_all = source.hosts.iter().any(|host| !host.styles.is_empty());
    for bucket in &source.buckets {
        let name = &bucket.name;
        if bucket.origin.endpoint.starts_with("http://") {
            warnings.push(format!(
                "bucket `{name}`: objects go to S3 over plain http, readable and changeable on the way; use https://"
            ));
        }
        let has_cname = |host: &HostSource| host.cname.as_deref() == Some(name);
        if !reaches_all && !source.hosts.iter().any(has_cname) {
            warnings.push(format!(
                "bucket `{name}`: no host leads to it; name it as the `cname` of one, or give a host `styles`"
            ));
        }
    }
    for host in source.hosts.iter().filter(|host| host.unsigned_bucket) {
        warnings.push(format!(
            "host `{}`: requests that sign no bucket name count here (`unsigned_bucket`); leave it out unless a client needs it",
            host.host
        ));
    }
    if source.string_to_sign_in_errors {
        warnings.push(
            "`string_to_sign_in_errors` shows clients what they should have signed; leave it out in production".to_owned(),
        );
    }
    if source.key_cache.negative_seconds == 0 {
        warnings.push(
            "`key_cache.negative_seconds` is 0: every request with a made-up key id has the key store asked, on CloudFront \
             for a whole shard"
                .to_owned(),
        );
    }
    if let Err(error) = cloudflare::variable(configuration) {
        warnings.push(format!("not for Cloudflare: {error}"));
    }
    let obstacles = cloudfront::obstacles(configuration);
    warnings.extend(
        obstacles
            .iter()
            .map(|obstacle| format!("not for CloudFront: {obstacle}")),
    );
    let behind: BTreeSet<&str> = source
        .buckets
        .iter()
        .flat_map(|bucket| {
            let staging = bucket.staging.bucket.as_deref();
            core::iter::once(bucket.origin.bucket.as_str()).chain(staging.filter(|_| bucket.staging.enabled))
        })
        .collect();
    if obstacles.is_empty() && behind.len() > 1 {
        warnings.push(
            "on CloudFront storage.yaml makes the first S3 bucket only, and the roles may write to no other: make and \
             permit the others yourself"
                .to_owned(),
        );
    }
    warnings
}
