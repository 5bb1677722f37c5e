//! Fleets: one record for every [derived](request_auth::derived) key of a fleet.
//!
//! It is stored under `d1.{fleet}` and holds masters in the place of secrets. Devices are not listed, so a
//! made-up one costs no look-up; only those that are revoked are, in a bounded list. When that is full,
//! give the devices that remain keys of another fleet.

use request_auth::canon::sorted;
use request_auth::derived::is_name;

/// The shortest master of a fleet, in bytes of its text.
pub const MIN_MASTER_BYTES: usize = 32;
/// The most devices that a fleet's record may revoke. With names of 40 bytes they fill most of a shard.
pub const MAX_REVOKED: usize = 1024;

/// What a fleet's record has beyond other records.
pub(super) struct Fleet {
    /// Sorted.
    revoked: Vec<String>,
}

impl Fleet {
    /// Reads the list of revoked devices.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(revoked: Vec<String>) -> Result<Self, &'static str> {
        if revoked.len() > MAX_REVOKED {
            return Err(
                "`revoked` holds more than 1024 devices; give those that remain keys of another fleet",
            );
        }
        if !revoked.iter().all(|device| is_name(device)) {
            return Err(
                "`revoked` holds what is no device; list the last parts of key ids, which match [A-Za-z0-9_-]{1,64}",
            );
        }
        Ok(Self {
            revoked: sorted(revoked),
        })
    }

    /// Whether a device's key is revoked.
    pub(super) fn is_revoked(&self, device: &str) -> bool {
        self.revoked
            .binary_search_by(|revoked| revoked.as_str().cmp(device))
            .is_ok()
    }
}

#[cfg(test)]
mod tests;
