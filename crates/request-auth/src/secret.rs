//! Secrets as types: wiped when dropped, never printed, never compared with `==`.
//!
//! An empty secret cannot exist, so "the store answered with nothing" can never become a signature
//! under the empty key.

use core::fmt;

use zeroize::Zeroizing;

use crate::canon::Sink;
use crate::presented::MacSha256;

/// The secret half of an access key, as bytes. Has no content in Debug and no equality.
pub struct SecretKey(Zeroizing<Vec<u8>>);

impl SecretKey {
    /// Takes the secret as text; `None` for the empty one.
    pub fn new(text: String) -> Option<Self> {
        if text.is_empty() {
            None
        } else {
            Some(Self(Zeroizing::new(text.into_bytes())))
        }
    }

    /// The bytes, for a MAC and nothing else.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The same secret once more.
    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// The key that V4 signatures derive for a scope, `day/region/service/…`: an HMAC-SHA256 over each
    /// part in turn, under the one before, the first under `prefix` and the secret. `None` never occurs
    /// for HMAC, which takes keys of any length.
    pub(crate) fn for_scope(&self, prefix: &str, scope: &str) -> Option<Self> {
        let mut key = Zeroizing::new([prefix.as_bytes(), &self.0].concat());
        for part in scope.split('/') {
            let mut mac = MacSha256::under(&key)?;
            mac.put(part.as_bytes());
            key = mac.into_key();
        }
        Some(Self(key))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A session token that is bound to an access key: a bearer secret as well.
pub struct SecurityToken(Zeroizing<Vec<u8>>);

impl SecurityToken {
    /// Takes the token as text; `None` for the empty one.
    pub fn new(text: String) -> Option<Self> {
        if text.is_empty() {
            None
        } else {
            Some(Self(Zeroizing::new(text.into_bytes())))
        }
    }

    /// Whether `presented` is this token, in time that depends on neither content.
    pub(crate) fn is(&self, presented: &[u8]) -> bool {
        // Comparing MACs under the token itself hides both contents and lengths.
        let mac = |text: &[u8]| {
            let mut mac = MacSha256::under(&self.0)?;
            mac.put(text);
            Some(mac)
        };
        match (mac(&self.0), mac(presented)) {
            (Some(expected), Some(actual)) => actual.is(expected),
            _ => false,
        }
    }

    /// The bytes, for the header that carries it to the origin.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecurityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecurityToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_does_not_exist() {
        assert!(SecretKey::new(String::new()).is_none());
        assert!(SecurityToken::new(String::new()).is_none());
    }

    #[test]
    fn l02_debug_shows_no_content() {
        assert_eq!(
            format!("{:?}", SecretKey::new("hunter2".into())),
            "Some(SecretKey(..))"
        );
        assert_eq!(
            format!("{:?}", SecurityToken::new("hunter2".into())),
            "Some(SecurityToken(..))"
        );
    }

    #[test]
    fn a_token_matches_itself_only() {
        let token = SecurityToken::new("CAIS-token".into()).unwrap();
        assert!(token.is(b"CAIS-token"));
        for other in ["", "CAIS-toke", "CAIS-token ", "cais-token", "CAIS-tokeN"] {
            assert!(!token.is(other.as_bytes()), "{other}");
        }
    }
}
