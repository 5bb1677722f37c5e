//! The credential of the V4 grammars, `<id>/<day>/<region>/<service>/<terminator>`: OSS's and S3's differ
//! in nothing but the last word and the prefix of the derived key.

use crate::claim::{Rules, Scheme, Window};
use crate::denial::{Denial, ScopePart};
use crate::secret::SecretKey;
use crate::time::UnixSeconds;

/// The longest region or service that is read, in bytes.
const MAX_PART_BYTES: usize = 64;

/// A credential's scope, and the date that the form gives beside it.
#[derive(Debug)]
pub(super) struct Credential {
    scheme: Scheme,
    /// `day/region/service/terminator`.
    scope: String,
    signed: UnixSeconds,
}

/// What the derived key of a scheme begins with, and the last word of its scope.
pub(super) const fn words(scheme: Scheme) -> (&'static str, &'static str) {
    match scheme {
        Scheme::S3PostV4 => ("AWS4", "aws4_request"),
        _ => ("aliyun_v4", "aliyun_v4_request"),
    }
}

impl Credential {
    /// Reads a credential and its date, `yyyymmddThhmmssZ`; gives the key id as well, which is not judged
    /// yet.
    pub(super) fn read<'f>(
        scheme: Scheme,
        credential: &'f [u8],
        date: &[u8],
    ) -> Result<(&'f [u8], Self), Denial> {
        let text = core::str::from_utf8(credential).map_err(|_| Denial::MalformedCredential)?;
        let (key_id, scope) = text.split_once('/').ok_or(Denial::MalformedCredential)?;
        let signed = UnixSeconds::from_iso_basic(date).ok_or(Denial::DateUnreadable)?;
        let parts: Vec<&str> = scope.split('/').collect();
        let is_name = |part: &&str| {
            (1..=MAX_PART_BYTES).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let [day, _, _, terminator] = parts.as_slice() else {
            return Err(Denial::MalformedCredential);
        };
        if *terminator != words(scheme).1 || !parts.iter().all(is_name) {
            return Err(Denial::MalformedCredential);
        }
        if *day != signed.iso_day() {
            return Err(Denial::ScopeDayMismatch);
        }
        let scope = scope.to_owned();
        let credential = Self {
            scheme,
            scope,
            signed,
        };
        Ok((key_id.as_bytes(), credential))
    }

    /// Refuses a region or service that the configuration does not list; S3's service is `s3`.
    pub(super) fn check(&self, rules: &Rules) -> Result<(), Denial> {
        let mut parts = self.scope.split('/').skip(1);
        let (region, service) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let lists = |names: &[String], name: &str| names.iter().any(|one| one == name);
        match self.scheme {
            Scheme::S3PostV4 if service == "s3" => Ok(()),
            Scheme::S3PostV4 => Err(Denial::ScopeNotAllowed(ScopePart::Product)),
            _ if !rules.regions.is_empty() && !lists(&rules.regions, region) => {
                Err(Denial::ScopeNotAllowed(ScopePart::Region))
            }
            _ if !lists(&rules.products, service) => Err(Denial::ScopeNotAllowed(ScopePart::Product)),
            _ => Ok(()),
        }
    }

    /// Refuses a date that lies ahead by more than the clock window. How long a form is good for, its
    /// policy says.
    pub(super) fn check_time(&self, window: Window, now: UnixSeconds) -> Result<(), Denial> {
        let begins = UnixSeconds(self.signed.0.saturating_sub(i64::from(window.skew_seconds)));
        if now < begins {
            return Err(Denial::NotYetValid { begins, now });
        }
        Ok(())
    }

    /// The key that a secret derives for the scope.
    pub(super) fn key(&self, secret: &SecretKey) -> Option<SecretKey> {
        secret.for_scope(words(self.scheme).0, &self.scope)
    }
}
