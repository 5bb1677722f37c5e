//! The access keys of a fleet's devices, from the fleet's master.
//!
//! Nothing is stored and nothing is asked: whoever has the master computes the same key for the same device,
//! as the edge functions do. The derivation is in `request_auth::derived`, byte by byte.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use gateway::keys::fleet::MIN_MASTER_BYTES;
use request_auth::SecretKey;
use request_auth::derived::{DerivedKeyId, is_name};
use serde::Serialize;

/// The master secret of a fleet.
pub struct Master(SecretKey);

/// What a device is given.
#[derive(Serialize)]
pub struct DeviceKey {
    /// `d1.{fleet}.{device}`.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
}

impl Master {
    /// Reads a master from a file, or from standard input where the file is `-`. The line end behind it is not
    /// part of it.
    ///
    /// # Errors
    /// The file can't be read, or what it holds is too short. No sentence has a secret.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let mut text = String::new();
        if file == Path::new("-") {
            io::stdin()
                .read_to_string(&mut text)
                .context("cannot read the master from standard input")?;
        } else {
            text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        }
        Self::new(text.trim_end_matches(['\r', '\n']))
    }

    /// Takes a master as it stands in the fleet's record.
    ///
    /// # Errors
    /// It is shorter than a record's may be.
    pub fn new(text: &str) -> anyhow::Result<Self> {
        ensure!(
            text.len() >= MIN_MASTER_BYTES,
            "the master is shorter than {MIN_MASTER_BYTES} characters, which no record may hold; make one with `openssl rand -base64 48`"
        );
        SecretKey::new(text.to_owned())
            .map(Self)
            .context("the master is empty")
    }

    /// The key of a device of the fleet.
    ///
    /// # Errors
    /// The names are none of a fleet and a device.
    pub fn key(&self, fleet: &str, device: &str) -> anyhow::Result<DeviceKey> {
        for (what, name) in [("fleet", fleet), ("device", device)] {
            ensure!(
                is_name(name),
                "`{name}` is no name of a {what}: take 1 to 64 of A-Z, a-z, 0-9, `_` and `-`"
            );
        }
        let access_key_id = format!("d1.{fleet}.{device}");
        let secret = DerivedKeyId::parse(&access_key_id)
            .and_then(|id| id.secret_text(&self.0))
            .context("no key can be derived")?;
        Ok(DeviceKey {
            access_key_secret: secret.to_string(),
            access_key_id,
        })
    }
}
