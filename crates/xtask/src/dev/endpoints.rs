//! Who talks to whom: the edge, the origin, the device and their credentials. The ready file holds exactly this.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::project::{Project, digest, write_atomically};

/// The ready file.
#[derive(Serialize)]
pub(crate) struct Endpoints {
    pub(crate) edge: Edge,
    pub(crate) origin: Origin,
    pub(crate) device: Device,
}

/// Where the gateway listens.
#[derive(Serialize)]
pub(crate) struct Edge {
    pub(crate) platform: &'static str,
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    /// `https://127.0.0.1:PORT`
    pub(crate) tls_url: String,
    /// The certificate to trust there, in PEM.
    pub(crate) ca_file: PathBuf,
}

/// The S3 server behind the gateway.
#[derive(Clone, Serialize)]
pub(crate) struct Origin {
    pub(crate) kind: OriginKind,
    /// `scheme://host:port`
    pub(crate) url: String,
    pub(crate) region: String,
    pub(crate) bucket: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

impl Origin {
    /// The secret of a gateway's own in front of it, `{"id", "secret"}`. It follows from the origin's credentials, so
    /// that a gateway that is started anew takes what an earlier one has sealed.
    pub(crate) fn gateway_secret(&self) -> Value {
        let parts = ["gateway secret", &self.secret_access_key];
        json!({ "id": "dev", "secret": digest(parts.map(str::as_bytes)) })
    }
}

/// Who started the origin.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OriginKind {
    /// This command did.
    Seaweedfs,
    /// Somebody else, named by `--origin`.
    External,
}

/// What a device is configured with.
#[derive(Serialize)]
pub(crate) struct Device {
    /// The bucket's name as the device signs it.
    pub(crate) bucket: String,
    /// The Host that stands for this bucket (CNAME style), with port.
    pub(crate) cname_host: String,
    /// The Host whose first label is this bucket (virtual-host style), with port.
    pub(crate) virtual_host: String,
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: String,
}

/// Credentials of this clone: made once, so that two runs accept each other's signatures.
#[derive(Serialize, Deserialize)]
pub(crate) struct Credentials {
    /// Signs at the origin.
    pub(crate) origin: KeyPair,
    /// Signs at the gateway.
    pub(crate) device: KeyPair,
}

/// An access key id and its secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Credentials {
    /// Reads those of this clone, or makes them.
    pub(crate) fn of(project: &Project) -> anyhow::Result<Self> {
        let path = project.state("dev/credentials.json");
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!(
                    "{} is damaged: remove it to have new credentials made",
                    path.display()
                )
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fs::create_dir_all(project.state("dev"))?;
                let fresh = Self {
                    origin: KeyPair {
                        id: random("AKIA", 16)?.to_uppercase(),
                        secret: random("", 40)?,
                    },
                    device: KeyPair {
                        id: random("LTAI5t", 18)?,
                        secret: random("", 30)?,
                    },
                };
                write_atomically(&path, &serde_json::to_vec_pretty(&fresh)?)?;
                Ok(fresh)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
}

/// `prefix` and `count` random letters and digits.
pub(crate) fn random(prefix: &str, count: usize) -> anyhow::Result<String> {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = prefix.to_owned();
    for _ in 0..count {
        let random = getrandom::u64()
            .ok()
            .context("the system has no randomness to give")?;
        text.push(char::from(LETTERS[usize::try_from(random % 62)?]));
    }
    Ok(text)
}
