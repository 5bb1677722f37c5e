//! A signature as the client sent it: decoded once, of fixed length, never compared with `==`.
//!
//! Text that is not the one canonical base64 of a MAC is no signature; it is kept as a value that
//! matches nothing, so it is answered like any wrong signature and in the same order of checks.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::canon::Sink;
use crate::secret::SecretKey;

/// An HMAC-SHA1 signature in base64, as OSS V1 presents it.
pub(crate) struct PresentedSha1(Option<[u8; 20]>);

impl PresentedSha1 {
    /// Decodes base64 with padding; anything but the canonical text of 20 bytes matches nothing.
    pub(crate) fn from_base64(text: &[u8]) -> Self {
        let mut decoded = [0; 24];
        let length = STANDARD.decode_slice(text, &mut decoded).unwrap_or(0);
        Self(decoded.get(..length).and_then(|bytes| bytes.try_into().ok()))
    }

    /// Whether this is the MAC of what was written to `mac`, in constant time.
    pub(crate) fn matches(&self, mac: MacSha1) -> bool {
        match &self.0 {
            Some(bytes) => mac.0.verify_slice(bytes).is_ok(),
            None => false,
        }
    }
}

impl fmt::Debug for PresentedSha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedSha1(..)")
    }
}

/// An HMAC-SHA1 being computed; the computed value leaves it only as the text that a signer sends.
pub(crate) struct MacSha1(Hmac<Sha1>);

impl MacSha1 {
    /// `None` never occurs for HMAC, which takes keys of any length.
    pub(crate) fn under(secret: &SecretKey) -> Option<Self> {
        Hmac::new_from_slice(secret.expose()).ok().map(Self)
    }

    /// The base64 text of the MAC, for signing only.
    pub(crate) fn into_base64(self) -> String {
        STANDARD.encode(self.0.finalize().into_bytes())
    }
}

impl Sink for MacSha1 {
    fn put(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(text: &str) -> MacSha1 {
        let mut mac = MacSha1::under(&SecretKey::new("key".into()).unwrap()).unwrap();
        mac.put(text.as_bytes());
        mac
    }

    #[test]
    fn a_signature_matches_the_text_it_was_made_over_and_no_other() {
        let presented = PresentedSha1::from_base64(mac("text").into_base64().as_bytes());
        assert!(presented.matches(mac("text")));
        assert!(!presented.matches(mac("texT")));
    }

    #[test]
    fn d12_signatures_of_another_length_or_form_match_nothing() {
        let good = mac("text").into_base64();
        let mut loose = good.clone().into_bytes();
        // The last digit before the padding has two spare bits: a second spelling of the same MAC.
        let last = loose.len() - 2;
        loose[last] += 1;
        for text in [
            b"".as_slice(),
            b"AAAA",
            b"=",
            b"%",
            &loose,
            good.trim_end_matches('=').as_bytes(),
            &[good.as_bytes(), b"="].concat(),
            &vec![b'A'; 10_000],
        ] {
            assert!(!PresentedSha1::from_base64(text).matches(mac("text")));
        }
    }
}
