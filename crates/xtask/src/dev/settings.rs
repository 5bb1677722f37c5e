//! The gateway's configuration for `dev`: the platform's causeway.dev.toml.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use causeway::configuration::{Configuration, read_source};
use gateway::config::cloudfront::DirectPath;
use gateway::config::{OriginSource, StyleSource};
use gateway::keys::KeyRecord;
use request_auth::Scheme;
use serde_json::json;

use super::endpoints::{Device, KeyPair, Origin};
use super::preset::Preset;
use crate::build::Platform;
use crate::project::Project;

/// The file, read.
pub(crate) struct Settings {
    file: PathBuf,
    configuration: Configuration,
    /// The virtual bucket of the device: the first one.
    bucket: String,
    cname_host: String,
    virtual_host: String,
}

impl Settings {
    /// Reads the file of this clone.
    pub(crate) fn read(project: &Project, platform: Platform) -> anyhow::Result<Self> {
        let file = project.path(format!("infra/{}/causeway.dev.toml", platform.name()));
        let configuration = Configuration::read(&file)?;
        Self::new(file.clone(), configuration).with_context(|| file.display().to_string())
    }

    fn new(file: PathBuf, configuration: Configuration) -> anyhow::Result<Self> {
        let config = configuration.source();
        let bucket = config
            .buckets
            .first()
            .context("a bucket is missing")?
            .name
            .clone();
        let cname = config
            .hosts
            .iter()
            .find(|host| host.cname.as_deref() == Some(&bucket));
        // A loopback name would do, but SDKs treat those in ways of their own.
        let parent = config
            .hosts
            .iter()
            .find(|host| host.styles.contains(&StyleSource::VirtualHost) && host.host.contains('.'));
        Ok(Self {
            cname_host: cname.context("a host with `cname` is missing")?.host.clone(),
            virtual_host: format!(
                "{bucket}.{}",
                parent
                    .context("a host with the style `virtual-host` is missing")?
                    .host
            ),
            bucket,
            file,
            configuration,
        })
    }

    /// Has CloudFront's router sign object bytes; origin access control cannot sign those that a client has signed.
    pub(crate) fn sign_by_router(&mut self) -> anyhow::Result<()> {
        let mut source = read_source(&self.file)?;
        source.cloudfront.direct_path = DirectPath::RouterSigned;
        self.configuration = Configuration::new(source)?;
        Ok(())
    }

    /// The file, as it is or with [`Settings::sign_by_router`].
    pub(crate) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// What the file says of the bucket at the origin.
    pub(crate) fn origin(&self) -> anyhow::Result<&OriginSource> {
        let buckets = &self.configuration.source().buckets;
        Ok(&buckets.first().context("a bucket is missing")?.origin)
    }

    /// The file with `origin` put in, for a gateway that is told where S3 is.
    pub(crate) fn at_origin(&self, origin: &Origin) -> anyhow::Result<Configuration> {
        let mut source = read_source(&self.file)?;
        for bucket in &mut source.buckets {
            bucket.origin.bucket.clone_from(&origin.bucket);
            bucket.origin.region.clone_from(&origin.region);
            bucket.origin.endpoint.clone_from(&origin.url);
        }
        Configuration::new(source)
    }

    /// The names that a certificate of the gateway has: its hosts, and all names below one with the style
    /// `virtual-host`.
    pub(crate) fn certificate_names(&self) -> Vec<String> {
        let hosts = &self.configuration.source().hosts;
        let wildcards = hosts
            .iter()
            .filter(|host| host.styles.contains(&StyleSource::VirtualHost))
            .map(|host| format!("*.{}", host.host));
        hosts
            .iter()
            .map(|host| host.host.clone())
            .chain(wildcards)
            .collect()
    }

    /// The key record of the device: what it may do in its bucket.
    pub(crate) fn key_record(&self, key: &KeyPair, preset: Preset) -> anyhow::Result<String> {
        let record = json!({
            "id": key.id,
            "status": "active",
            "secrets": [{ "secret": key.secret }],
            "schemes": Scheme::WITH_SECRETS.map(Scheme::name),
            "grants": [{ "bucket": self.bucket, "operations": [preset.name()] }],
        })
        .to_string();
        KeyRecord::from_json(&key.id, &record)
            .map_err(|error| anyhow!("the gateway does not take the device's key record: {error}"))?;
        Ok(record)
    }

    /// What the device is told, for a gateway that listens at `edge` (`http://127.0.0.1:PORT`).
    pub(crate) fn device(&self, key: &KeyPair, edge: &str) -> anyhow::Result<Device> {
        let (_, port) = edge.rsplit_once(':').context("the edge's URL has a port")?;
        Ok(Device {
            bucket: self.bucket.clone(),
            cname_host: format!("{}:{port}", self.cname_host),
            virtual_host: format!("{}:{port}", self.virtual_host),
            access_key_id: key.id.clone(),
            access_key_secret: key.secret.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use causeway::cloudfront::obstacles;
    use clap::ValueEnum as _;

    use super::*;
    use crate::dev::endpoints::OriginKind;

    fn key() -> KeyPair {
        KeyPair {
            id: "LTAI5tExample".to_owned(),
            secret: "30 letters that nobody guesses".to_owned(),
        }
    }

    #[test]
    fn the_committed_files_name_the_same_hosts_for_each_style() {
        for platform in [Platform::Cloudflare, Platform::Cloudfront] {
            let settings = Settings::read(&Project::here(), platform).unwrap();
            let device = settings.device(&key(), "http://127.0.0.1:8787").unwrap();
            assert_eq!(device.cname_host, "upload.causeway.test:8787");
            assert_eq!(device.virtual_host, "devices.edge.causeway.test:8787");
        }
    }

    #[test]
    fn the_certificate_is_for_every_host_and_for_the_names_below_those_of_virtual_hosts() {
        let settings = Settings::read(&Project::here(), Platform::Cloudflare).unwrap();
        let names = settings.certificate_names();
        for name in [
            "127.0.0.1",
            "localhost",
            "edge.causeway.test",
            "*.edge.causeway.test",
            "upload.causeway.test",
        ] {
            assert!(names.contains(&name.to_owned()), "{name} is not in {names:?}");
        }
        assert!(!names.contains(&"*.upload.causeway.test".to_owned()));
    }

    #[test]
    fn the_functions_are_configured_as_one_would_deploy_them() {
        let settings = Settings::read(&Project::here(), Platform::Cloudfront).unwrap();
        assert_eq!(obstacles(settings.configuration()), Vec::<String>::new());
    }

    #[test]
    fn the_worker_is_given_the_origin_that_runs() {
        let settings = Settings::read(&Project::here(), Platform::Cloudflare).unwrap();
        let origin = Origin {
            kind: OriginKind::External,
            url: "http://127.0.0.1:9".to_owned(),
            region: "ap-south-1".to_owned(),
            bucket: "other-bucket".to_owned(),
            access_key_id: String::new(),
            secret_access_key: String::new(),
        };
        let configuration = settings.at_origin(&origin).unwrap();
        let config: serde_json::Value = serde_json::from_str(configuration.json()).unwrap();
        let given = &config["buckets"][0]["origin"];
        assert_eq!(given["endpoint"], "http://127.0.0.1:9");
        assert_eq!(
            (given["region"].as_str(), given["bucket"].as_str()),
            (Some("ap-south-1"), Some("other-bucket"))
        );
    }

    #[test]
    fn the_gateway_takes_the_devices_record_with_every_preset() {
        let settings = Settings::read(&Project::here(), Platform::Cloudflare).unwrap();
        for preset in Preset::value_variants() {
            settings.key_record(&key(), *preset).unwrap();
        }
    }

    #[test]
    fn the_router_signs_object_bytes_where_it_is_told_to() {
        let mut settings = Settings::read(&Project::here(), Platform::Cloudfront).unwrap();
        assert_eq!(
            settings.configuration().source().cloudfront.direct_path,
            DirectPath::Oac
        );
        settings.sign_by_router().unwrap();
        let cloudfront = &settings.configuration().source().cloudfront;
        assert_eq!(cloudfront.direct_path, DirectPath::RouterSigned);
        assert_eq!(obstacles(settings.configuration()), Vec::<String>::new());
    }
}
