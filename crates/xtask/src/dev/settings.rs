//! The gateway's configuration for `dev`: infra/cloudflare/causeway.dev.toml with the origin put in.

use std::fs;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::endpoints::{Device, KeyPair, Origin};
use crate::project::Project;

const FILE: &str = "infra/cloudflare/causeway.dev.toml";

/// The file, read.
pub(crate) struct Settings {
    config: Value,
    /// The virtual bucket of the device.
    bucket: String,
    cname_host: String,
    virtual_host: String,
    /// What the origin's bucket is called unless the command line says otherwise.
    pub(crate) origin_bucket: String,
    pub(crate) origin_region: String,
}

impl Settings {
    /// Reads the file of this clone.
    pub(crate) fn read(project: &Project) -> anyhow::Result<Self> {
        let path = project.path(FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).context(FILE)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let config: Value = toml::from_str(text)?;
        let bucket = text_at(&config, "/buckets/0/name")?;
        let hosts = config["hosts"].as_array().context("[[hosts]] is missing")?;
        let host_with = |is_wanted: &dyn Fn(&Value) -> bool| {
            hosts
                .iter()
                .find(|host| is_wanted(host))
                .and_then(|host| host["host"].as_str())
                .map(str::to_owned)
        };
        let cname_host =
            host_with(&|host| host["cname"] == bucket.as_str()).context("a host with cname is missing")?;
        let styles = |host: &Value| host["styles"].as_array().cloned().unwrap_or_default();
        let virtual_host = host_with(&|host| styles(host).contains(&json!("virtual-host")))
            .context("a host with the style virtual-host is missing")?;
        Ok(Self {
            virtual_host: format!("{bucket}.{virtual_host}"),
            cname_host,
            origin_bucket: text_at(&config, "/buckets/0/origin/bucket")?,
            origin_region: text_at(&config, "/buckets/0/origin/region")?,
            bucket,
            config,
        })
    }

    /// What the Worker takes as CAUSEWAY_CONFIG.
    pub(crate) fn config(&self, origin: &Origin) -> anyhow::Result<String> {
        let mut config = self.config.clone();
        let place = config
            .pointer_mut("/buckets/0/origin")
            .context("[buckets.origin] is missing")?;
        place["bucket"] = json!(origin.bucket);
        place["region"] = json!(origin.region);
        place["endpoint"] = json!(origin.url);
        Ok(config.to_string())
    }

    /// The key record of the device: it may upload to its bucket.
    pub(crate) fn key_record(&self, key: &KeyPair) -> anyhow::Result<String> {
        Ok(serde_json::to_string(&json!({
            "id": key.id,
            "status": "active",
            "secrets": [{ "secret": key.secret }],
            "grants": [{ "bucket": self.bucket, "operations": ["upload-only"] }],
        }))?)
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

fn text_at(config: &Value, pointer: &str) -> anyhow::Result<String> {
    let value = config.pointer(pointer).and_then(Value::as_str);
    Ok(value.with_context(|| format!("{pointer} is missing"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_file_names_a_host_for_each_style() {
        let settings = Settings::read(&Project::here()).unwrap();
        let key = KeyPair {
            id: "id".to_owned(),
            secret: "secret".to_owned(),
        };
        let device = settings.device(&key, "http://127.0.0.1:8787").unwrap();
        assert_eq!(device.cname_host, "upload.causeway.test:8787");
        assert_eq!(device.virtual_host, "devices.edge.causeway.test:8787");
    }
}
