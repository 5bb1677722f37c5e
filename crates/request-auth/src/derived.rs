//! Derived device keys: fleets too large to list, and nothing to look up per device.
//!
//! A key id is `d1.{fleet}.{device}`, and its secret follows from a master secret of the fleet, so an edge
//! that holds the master knows the secret of every device. Who gives out keys computes a device's once:
//!
//! ```text
//! secret  = base64url without padding of HMAC-SHA256(key = master, text)      43 characters
//! text    = p("d1") p(fleet) p("access-key-secret") key_id
//! p(part) = one byte, the number of the part's bytes, and then its bytes
//! ```
//!
//! The master's bytes are those of its text, not what the text may encode, and the secret signs as the
//! text that it is, by every scheme with a shared secret.
//!
//! Whatever begins with `d1.` is a derived key id or none at all: no plain key can be taken for a
//! device's. Fleet and device match `[A-Za-z0-9_-]{1,64}`; neither can hold the point between them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::canon::Sink;
use crate::presented::MacSha256;
use crate::secret::SecretKey;

/// What begins every id of this version: of derived keys, and of the record of their fleet.
const VERSION_AND_POINT: &str = "d1.";
/// The version, as it stands in the derivation.
const VERSION: &[u8] = b"d1";
/// What the derived secret is for, as it stands in the derivation.
const PURPOSE: &[u8] = b"access-key-secret";
/// The longest name of a fleet or a device, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

/// The id of a derived key, read into its parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DerivedKeyId<'i> {
    key_id: &'i str,
    record_id: &'i str,
    fleet: &'i str,
    device: &'i str,
}

impl<'i> DerivedKeyId<'i> {
    /// Reads `d1.{fleet}.{device}`; `None` for any other text.
    pub fn parse(key_id: &'i str) -> Option<Self> {
        let (record_id, device) = key_id.rsplit_once('.')?;
        let fleet = fleet_of_record(record_id)?;
        is_name(device).then_some(Self {
            key_id,
            record_id,
            fleet,
            device,
        })
    }

    /// The id of the record that serves the whole fleet, `d1.{fleet}`.
    pub const fn record_id(&self) -> &'i str {
        self.record_id
    }

    /// The fleet.
    pub const fn fleet(&self) -> &'i str {
        self.fleet
    }

    /// The device in its fleet.
    pub const fn device(&self) -> &'i str {
        self.device
    }

    /// The key's secret under a master of its fleet. `None` never occurs for HMAC, which takes keys of any
    /// length.
    pub fn secret(&self, master: &SecretKey) -> Option<SecretKey> {
        SecretKey::new(core::mem::take(&mut *self.secret_text(master)?))
    }

    /// [`DerivedKeyId::secret`] as the text that the device is given, for who gives out keys.
    pub fn secret_text(&self, master: &SecretKey) -> Option<Zeroizing<String>> {
        let mut mac = MacSha256::under(master.expose())?;
        for part in [VERSION, self.fleet.as_bytes(), PURPOSE] {
            // No part has more than 64 bytes.
            mac.put(&[u8::try_from(part.len()).ok()?]);
            mac.put(part);
        }
        mac.put(self.key_id.as_bytes());
        Some(Zeroizing::new(URL_SAFE_NO_PAD.encode(mac.into_key())))
    }
}

/// The fleet whose record this id names, `d1.{fleet}`; `None` for any other text.
pub fn fleet_of_record(record_id: &str) -> Option<&str> {
    record_id
        .strip_prefix(VERSION_AND_POINT)
        .filter(|fleet| is_name(fleet))
}

/// Whether a text begins as ids of derived keys and of their fleets do, and hence is no plain key id.
pub(crate) fn is_reserved(text: &[u8]) -> bool {
    text.starts_with(VERSION_AND_POINT.as_bytes())
}

/// Whether `text` is the name of a fleet or a device: `[A-Za-z0-9_-]{1,64}`.
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests;
