//! What a deployment on CloudFront takes: a zip for each function with the configuration in it (Lambda@Edge
//! has no variables), and the parameters of the two templates that follow from the configuration.
//!
//! The same artefacts and the same configuration give the same bytes. A zip's name has its SHA-256, so that
//! new code is a new key in the code bucket, and the old one is there for rolling back.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::config::cloudfront::{CloudFrontSource, DirectPath};
use gateway::config::{AclSource, AddressingSource, BucketSource, HostSource, StyleSource};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::configuration::Configuration;

mod archive;

/// The functions, by the name of their artefacts' folders.
pub const AUTHORIZER: &str = "viewer-request-authorizer";
/// See [`AUTHORIZER`].
pub const ROUTER: &str = "multipart-initiation-router";
/// See [`AUTHORIZER`].
pub const RESPONSE_HANDLER: &str = "xmlns-response-handler";

/// The largest zip that Lambda@Edge takes for a function of the viewer's side, in bytes.
const MAX_ZIP_BYTES: usize = 1024 * 1024;
/// Where edge.yaml makes the secret of the passports.
const EDGE_REGION: &str = "us-east-1";
/// How many replicas edge.yaml can give that secret.
const MAX_REPLICAS: usize = 6;

/// A function as Lambda takes it.
pub struct Zip {
    /// The function.
    pub function: &'static str,
    /// The name of its file, and its key in the code bucket.
    pub name: String,
    /// The file's content.
    pub bytes: Vec<u8>,
    /// The size of what is inside, in bytes.
    pub unzipped: usize,
    sha256: [u8; 32],
}

impl Zip {
    /// The SHA-256 of the file in lower-case hexadecimal digits.
    pub fn sha256_hex(&self) -> String {
        self.sha256.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The same in base64, as Lambda states it.
    pub fn sha256_base64(&self) -> String {
        STANDARD.encode(self.sha256)
    }
}

/// One parameter of a template, as CloudFormation's files name it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parameter {
    /// Its name.
    pub parameter_key: &'static str,
    /// Its value.
    pub parameter_value: String,
}

/// Everything that is deployed of one configuration.
pub struct Bundle {
    /// The authorizer, the router and the response handler, in this order.
    pub zips: [Zip; 3],
    /// Parameters of storage.yaml.
    pub storage: Vec<Parameter>,
    /// Parameters of edge.yaml.
    pub edge: Vec<Parameter>,
}

impl Bundle {
    /// The names of the files of parameters.
    pub const PARAMETER_FILES: [&str; 2] = ["storage.parameters.json", "edge.parameters.json"];

    /// Makes the bundle of a configuration from what `cargo xtask build` put into the folder `artefacts`.
    ///
    /// # Errors
    /// The configuration does not fit CloudFront ([`obstacles`]), an artefact is missing, or a zip is larger than
    /// Lambda@Edge takes.
    pub fn new(configuration: &Configuration, artefacts: &Path) -> anyhow::Result<Self> {
        if let Some(obstacle) = obstacles(configuration).into_iter().next() {
            bail!(obstacle);
        }
        let zip = |function| zip(function, &artefacts.join(function), configuration.json());
        let zips = [zip(AUTHORIZER)?, zip(ROUTER)?, zip(RESPONSE_HANDLER)?];
        let source = configuration.source();
        let bucket = source.buckets.first().context("`buckets` is empty")?;
        let [authorizer, router, response_handler] = &zips;
        let cloudfront = &source.cloudfront;
        let keys: BTreeSet<&str> = source
            .buckets
            .iter()
            .flat_map(|bucket| bucket.kms_keys.iter().map(|(_, arn)| arn.as_str()))
            .collect();
        let shared = [
            parameter("DirectPath", direct_path(cloudfront)),
            parameter("SecretsPrefix", &cloudfront.secrets_prefix),
        ];
        let mut storage = shared.to_vec();
        storage.extend([
            parameter("BucketName", &bucket.origin.bucket),
            parameter("DeviceKmsKeyArns", keys.into_iter().collect::<Vec<_>>().join(",")),
            parameter("HandlerCodeKey", &response_handler.name),
            parameter("HandlerCodeSha256", response_handler.sha256_base64()),
            parameter("SecretsRegion", secrets_region(cloudfront, &bucket.origin.region)),
        ]);
        let mut edge = shared.to_vec();
        edge.extend([
            parameter("Aliases", aliases(&source.hosts).join(",")),
            parameter("AuthorizerCodeKey", &authorizer.name),
            parameter("AuthorizerCodeSha256", authorizer.sha256_base64()),
            parameter("RouterCodeKey", &router.name),
            parameter("RouterCodeSha256", router.sha256_base64()),
            parameter("ResponseCodeKey", &response_handler.name),
            parameter("ResponseCodeSha256", response_handler.sha256_base64()),
            parameter("SecretsReplicaRegions", replicas(cloudfront).join(",")),
        ]);
        Ok(Self { zips, storage, edge })
    }

    /// Writes the zips and the files of parameters. Zips of other bundles that are in the folder stay there.
    ///
    /// # Errors
    /// The folder or a file can't be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let write = |name: &str, content: &[u8]| {
            let file = folder.join(name);
            fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))
        };
        for zip in &self.zips {
            write(&zip.name, &zip.bytes)?;
        }
        for (name, parameters) in Self::PARAMETER_FILES.into_iter().zip([&self.storage, &self.edge]) {
            write(
                name,
                format!("{}\n", serde_json::to_string_pretty(parameters)?).as_bytes(),
            )?;
        }
        Ok(())
    }
}

/// What keeps a configuration that the gateway takes from being deployed with the templates: sentences that
/// name the key.
pub fn obstacles(configuration: &Configuration) -> Vec<String> {
    let source = configuration.source();
    let mut obstacles: Vec<String> = source.buckets.iter().flat_map(bucket_obstacles).collect();
    let behind: BTreeSet<_> = source
        .buckets
        .iter()
        .map(|bucket| (&bucket.origin.bucket, &bucket.origin.region))
        .collect();
    if behind.len() > 1 && source.cloudfront.direct_path == DirectPath::Oac {
        obstacles.push(format!(
            "`buckets` have {} S3 buckets behind them, and a distribution with `direct_path` \"oac\" has one: write a \
             configuration for each, or choose \"router-signed\"",
            behind.len()
        ));
    }
    if source.cloudfront.direct_path == DirectPath::Oac {
        obstacles.extend(
            source
                .buckets
                .iter()
                .filter(|bucket| has_staging_elsewhere(bucket))
                .map(|bucket| {
                    format!(
                        "bucket `{}`: with `direct_path` \"oac\" CloudFront signs for the origin's own bucket alone: leave \
                         `staging.bucket` out, or choose \"router-signed\"",
                        bucket.name
                    )
                }),
        );
    }
    if replicas(&source.cloudfront).len() > MAX_REPLICAS {
        obstacles.push(format!(
            "`cloudfront.secrets_regions` may name at most {MAX_REPLICAS} regions besides {EDGE_REGION}"
        ));
    }
    obstacles
}

/// Whether small parts wait in another S3 bucket than their object's.
fn has_staging_elsewhere(bucket: &BucketSource) -> bool {
    let place = bucket.staging.bucket.as_ref();
    bucket.staging.enabled && place.is_some_and(|place| *place != bucket.origin.bucket)
}

fn bucket_obstacles(bucket: &BucketSource) -> Vec<String> {
    let (name, origin) = (&bucket.name, &bucket.origin);
    let endpoint = format!("https://s3.{}.amazonaws.com", origin.region);
    let mut obstacles = Vec::new();
    if origin.endpoint.trim_end_matches('/') != endpoint {
        obstacles.push(format!(
            "bucket `{name}`: on CloudFront `origin.endpoint` has to be {endpoint}"
        ));
    }
    if !matches!(origin.addressing, AddressingSource::VirtualHost) {
        obstacles.push(format!(
            "bucket `{name}`: on CloudFront `origin.addressing` has to be \"virtual-host\""
        ));
    }
    for (key, named) in [
        ("origin.bucket", Some(&origin.bucket)),
        ("staging.bucket", bucket.staging.bucket.as_ref()),
    ] {
        if named.is_some_and(|named| named.contains('.')) {
            obstacles.push(format!(
                "bucket `{name}`: on CloudFront `{key}` has to be a name without dots, which S3's certificates cover"
            ));
        }
    }
    if matches!(bucket.acl, AclSource::Pass) {
        obstacles.push(format!(
            "bucket `{name}`: on CloudFront `acl` has to be \"private\": the S3 bucket has no ACLs"
        ));
    }
    obstacles
}

fn parameter(parameter_key: &'static str, value: impl Into<String>) -> Parameter {
    Parameter {
        parameter_key,
        parameter_value: value.into(),
    }
}

fn direct_path(cloudfront: &CloudFrontSource) -> &'static str {
    match cloudfront.direct_path {
        DirectPath::Oac => "oac",
        DirectPath::RouterSigned => "router-signed",
    }
}

/// Where a function that runs in `region` reads its secrets.
fn secrets_region<'c>(cloudfront: &'c CloudFrontSource, region: &'c str) -> &'c str {
    let regions = &cloudfront.secrets_regions;
    if regions.iter().any(|other| other == region) {
        region
    } else {
        regions.first().map_or(EDGE_REGION, String::as_str)
    }
}

/// Where the secret of the passports has to be, besides the region of edge.yaml.
fn replicas(cloudfront: &CloudFrontSource) -> Vec<&str> {
    cloudfront
        .secrets_regions
        .iter()
        .map(String::as_str)
        .filter(|region| *region != EDGE_REGION)
        .collect()
}

/// The names that a distribution has to be told. It has its own name without, and no name is an address.
fn aliases(hosts: &[HostSource]) -> Vec<String> {
    let is_name = |host: &str| {
        host.contains('.')
            && !host.ends_with(".cloudfront.net")
            && host.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    let mut aliases = Vec::new();
    for host in hosts.iter().filter(|host| is_name(&host.host)) {
        aliases.push(host.host.clone());
        if host.styles.contains(&StyleSource::VirtualHost) {
            aliases.push(format!("*.{}", host.host));
        }
    }
    aliases
}

fn zip(function: &'static str, artefact: &Path, configuration: &str) -> anyhow::Result<Zip> {
    let mut files = archive::read(artefact).with_context(|| {
        format!(
            "{} is not built: run `cargo xtask build` first",
            artefact.display()
        )
    })?;
    for needed in [
        "index.js",
        "lambda.js",
        &format!("{function}.js"),
        &format!("{function}_bg.wasm.br"),
    ] {
        ensure!(
            files.contains_key(needed),
            "{} lacks {needed}: run `cargo xtask build` again",
            artefact.display()
        );
    }
    files.insert("causeway.json".to_owned(), configuration.as_bytes().to_vec());
    let bytes = archive::write(&files)?;
    ensure!(
        bytes.len() <= MAX_ZIP_BYTES,
        "the zip of {function} has {} bytes, and Lambda@Edge takes {MAX_ZIP_BYTES}: the configuration in it has {}",
        bytes.len(),
        configuration.len()
    );
    let mut zip = Zip {
        function,
        name: String::new(),
        unzipped: files.values().map(Vec::len).sum(),
        sha256: Sha256::digest(&bytes).into(),
        bytes,
    };
    zip.name = format!("{function}-{}.zip", zip.sha256_hex());
    Ok(zip)
}
