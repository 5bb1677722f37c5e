//! The credential scope of V4 signatures, `day/region/service/terminator`: what a derived key is good
//! for, in OSS's grammar and in AWS's.
//!
//! Refused are scopes of another form, of another day than the signed date's, and presigned URLs
//! outside the life that they state.

use crate::claim::Window;
use crate::denial::Denial;
use crate::oss_claim::{check_end, check_skew, read_seconds};
use crate::secret::SecretKey;
use crate::time::UnixSeconds;

/// The longest life of a presigned URL, in seconds: seven days.
pub const MAX_LIFETIME_SECONDS: i64 = 604_800;

/// The longest region or service that is read, in bytes.
const MAX_PART_BYTES: usize = 64;

/// A credential scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope(String);

impl Scope {
    /// Takes the text of a scope that ends in `terminator`, if it is one.
    pub(crate) fn read(text: &str, terminator: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let [day, _, _, last] = parts.as_slice() else {
            return None;
        };
        let is_name = |part: &&str| {
            (1..=MAX_PART_BYTES).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let is_day = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
        (is_day && *last == terminator && parts.iter().all(is_name)).then(|| Self(text.to_owned()))
    }

    /// Reads a credential, `<id>/<scope>`, from its bytes; the id is not judged yet.
    pub(crate) fn of_credential<'c>(
        credential: &'c [u8],
        terminator: &str,
    ) -> Result<(&'c str, Self), Denial> {
        core::str::from_utf8(credential)
            .ok()
            .and_then(|text| text.split_once('/'))
            .and_then(|(key_id, scope)| Some((key_id, Self::read(scope, terminator)?)))
            .ok_or(Denial::MalformedCredential)
    }

    /// The text, as it stands in credentials and strings to sign.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The day, the region and the service.
    pub(crate) fn parts(&self) -> (&str, &str, &str) {
        let mut parts = self.0.split('/');
        let mut next = || parts.next().unwrap_or_default();
        (next(), next(), next())
    }

    /// The key that signs in this scope: see [`SecretKey::for_scope`].
    pub(crate) fn key(&self, prefix: &str, secret: &SecretKey) -> Option<SecretKey> {
        secret.for_scope(prefix, &self.0)
    }

    /// Refuses a signed date of another day than the scope's, and one outside its time. `life` is that
    /// of a presigned URL, as it is written there, or `None` for a signature in the header. A presigned
    /// URL may be used from the clock window before its date to the end of its life.
    pub(crate) fn check_time(
        &self,
        signed: UnixSeconds,
        life: Option<&[u8]>,
        window: Window,
        now: UnixSeconds,
    ) -> Result<(), Denial> {
        if signed.iso_day() != self.parts().0 {
            return Err(Denial::ScopeDayMismatch);
        }
        let Some(life) = life else {
            return check_skew(signed, window, now);
        };
        let life = read_seconds(life)
            .filter(|life| (1..=MAX_LIFETIME_SECONDS).contains(life))
            .ok_or(Denial::LifetimeOutOfRange)?;
        let begins = UnixSeconds(signed.0.saturating_sub(i64::from(window.skew_seconds)));
        if now < begins {
            return Err(Denial::NotYetValid { begins, now });
        }
        check_end(UnixSeconds(signed.0.saturating_add(life)), window, now)
    }
}

/// Whether a list of a configuration allows a name; an empty list allows any.
pub(crate) fn allows(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|one| one == name)
}
