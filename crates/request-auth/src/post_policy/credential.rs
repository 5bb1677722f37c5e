//! The credential of the V4 grammars and the date beside it: OSS's and S3's differ in nothing but the last
//! word of the scope and the prefix of the derived key.

use crate::claim::{Rules, Scheme, Window};
use crate::denial::{Denial, ScopePart};
use crate::scope::{Scope, allows};
use crate::secret::SecretKey;
use crate::time::UnixSeconds;

/// A credential's scope, and the date that the form gives beside it.
#[derive(Debug)]
pub(super) struct Credential {
    scheme: Scheme,
    scope: Scope,
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
        let (key_id, scope) = Scope::of_credential(credential, words(scheme).1)?;
        let signed = UnixSeconds::from_iso_basic(date).ok_or(Denial::DateUnreadable)?;
        if scope.parts().0 != signed.iso_day() {
            return Err(Denial::ScopeDayMismatch);
        }
        let credential = Self {
            scheme,
            scope,
            signed,
        };
        Ok((key_id.as_bytes(), credential))
    }

    /// Refuses a region or service that the configuration does not list; S3's service is `s3`.
    pub(super) fn check(&self, rules: &Rules) -> Result<(), Denial> {
        let (_, region, service) = self.scope.parts();
        let (regions, is_service) = match self.scheme {
            Scheme::S3PostV4 => (&rules.aws_regions, service == "s3"),
            _ => (&rules.regions, rules.products.iter().any(|one| one == service)),
        };
        if !allows(regions, region) {
            return Err(Denial::ScopeNotAllowed(ScopePart::Region));
        }
        if !is_service {
            return Err(Denial::ScopeNotAllowed(ScopePart::Product));
        }
        Ok(())
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
        self.scope.key(words(self.scheme).0, secret)
    }
}
