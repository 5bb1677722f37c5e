//! The gateway's configuration for `dev`: infra/cloudflare/causeway.dev.toml with the origin put in.

use anyhow::{Context as _, anyhow};
use causeway::configuration::{read_source, to_json};
use gateway::config::{ConfigSource, OriginSource, StyleSource};
use gateway::keys::KeyRecord;
use serde_json::json;

use super::endpoints::{Device, KeyPair, Origin};
use crate::project::Project;

const FILE: &str = "infra/cloudflare/causeway.dev.toml";

/// The file, read.
pub(crate) struct Settings {
    config: ConfigSource,
    /// The virtual bucket of the device: the first one.
    bucket: String,
    cname_host: String,
    virtual_host: String,
}

impl Settings {
    /// Reads the file of this clone.
    pub(crate) fn read(project: &Project) -> anyhow::Result<Self> {
        read_source(&project.path(FILE)).and_then(Self::new).context(FILE)
    }

    fn new(config: ConfigSource) -> anyhow::Result<Self> {
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
            config,
        })
    }

    /// What the file says of the bucket at the origin.
    pub(crate) fn origin(&self) -> anyhow::Result<&OriginSource> {
        Ok(&self.config.buckets.first().context("a bucket is missing")?.origin)
    }

    /// What the Worker takes as CAUSEWAY_CONFIG: the file with `origin` put in.
    pub(crate) fn config(&mut self, origin: &Origin) -> anyhow::Result<String> {
        for bucket in &mut self.config.buckets {
            bucket.origin.bucket.clone_from(&origin.bucket);
            bucket.origin.region.clone_from(&origin.region);
            bucket.origin.endpoint.clone_from(&origin.url);
        }
        to_json(&self.config)
    }

    /// The key record of the device: it may upload to its bucket.
    pub(crate) fn key_record(&self, key: &KeyPair) -> anyhow::Result<String> {
        let record = json!({
            "id": key.id,
            "status": "active",
            "secrets": [{ "secret": key.secret }],
            "grants": [{ "bucket": self.bucket, "operations": ["upload-only"] }],
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
    use super::*;
    use crate::dev::endpoints::OriginKind;

    fn key() -> KeyPair {
        KeyPair {
            id: "LTAI5tExample".to_owned(),
            secret: "30 letters that nobody guesses".to_owned(),
        }
    }

    #[test]
    fn the_committed_file_names_a_host_for_each_style() {
        let settings = Settings::read(&Project::here()).unwrap();
        let device = settings.device(&key(), "http://127.0.0.1:8787").unwrap();
        assert_eq!(device.cname_host, "upload.causeway.test:8787");
        assert_eq!(device.virtual_host, "devices.edge.causeway.test:8787");
    }

    #[test]
    fn the_worker_is_given_the_origin_that_runs() {
        let mut settings = Settings::read(&Project::here()).unwrap();
        let origin = Origin {
            kind: OriginKind::External,
            url: "http://127.0.0.1:9".to_owned(),
            region: "ap-south-1".to_owned(),
            bucket: "other-bucket".to_owned(),
            access_key_id: String::new(),
            secret_access_key: String::new(),
        };
        let json = settings.config(&origin).unwrap();
        let config: serde_json::Value = serde_json::from_str(&json).unwrap();
        let given = &config["buckets"][0]["origin"];
        assert_eq!(given["endpoint"], "http://127.0.0.1:9");
        assert_eq!(
            (given["region"].as_str(), given["bucket"].as_str()),
            (Some("ap-south-1"), Some("other-bucket"))
        );
    }

    #[test]
    fn the_gateway_takes_the_devices_record() {
        Settings::read(&Project::here())
            .unwrap()
            .key_record(&key())
            .unwrap();
    }
}
