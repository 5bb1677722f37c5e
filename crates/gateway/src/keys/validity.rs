//! From when until when something in a key record counts: a secret, or a grant.

use request_auth::UnixSeconds;

/// A span of time, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Validity {
    from: UnixSeconds,
    until: UnixSeconds,
}

impl Validity {
    /// Reads `not_before` and `not_after`, in seconds since 1970; without bound where absent.
    ///
    /// # Errors
    /// A span that ends before it begins.
    pub(crate) fn new(not_before: Option<i64>, not_after: Option<i64>) -> Result<Self, &'static str> {
        let from = UnixSeconds(not_before.unwrap_or(i64::MIN));
        let until = UnixSeconds(not_after.unwrap_or(i64::MAX));
        if from > until {
            return Err("`not_before` is later than `not_after`");
        }
        Ok(Self { from, until })
    }

    /// Whether it is valid at this time.
    pub(crate) fn holds(self, now: UnixSeconds) -> bool {
        self.from <= now && now <= self.until
    }
}
