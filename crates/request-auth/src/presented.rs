//! A signature as the client sent it: decoded once, never compared with `==`.
//!
//! Text that is not the one canonical form of a MAC is no signature; it is kept as a value that
//! matches nothing, so it is answered like any wrong signature and in the same order of checks.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::canon::{Sink, hex, hex_value};

/// The longest text of a signature: an HMAC-SHA256 in hexadecimal.
const MAX_TEXT_BYTES: usize = 64;

/// A signature, decoded; empty, which is no MAC, where its text was not the canonical one.
pub(crate) struct Presented(Vec<u8>);

impl Presented {
    /// Reads base64 with padding, as OSS V1 and V2 send it.
    pub(crate) fn from_base64(text: &[u8]) -> Self {
        Self::decoded(text, |text| STANDARD.decode(text).ok())
    }

    /// Reads base64 of the alphabet for URLs with padding, as preview links have it.
    pub(crate) fn from_base64url(text: &[u8]) -> Self {
        Self::decoded(text, |text| URL_SAFE.decode(text).ok())
    }

    /// Reads hexadecimal text in lower case, as OSS V4 sends it.
    pub(crate) fn from_lower_hex(text: &[u8]) -> Self {
        Self::decoded(text, |text| {
            text.chunks(2)
                .map(|pair| match pair {
                    [high, low] if !pair.iter().any(u8::is_ascii_uppercase) => {
                        Some(hex_value(*high)? << 4 | hex_value(*low)?)
                    }
                    _ => None,
                })
                .collect()
        })
    }

    fn decoded(text: &[u8], decode: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Self {
        let bytes = if text.len() > MAX_TEXT_BYTES {
            None
        } else {
            decode(text)
        };
        Self(bytes.unwrap_or_default())
    }

    /// The signature in lower-case hexadecimal digits, which the first chunk of a body is signed behind.
    pub(crate) fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// Whether this is the MAC of what was written to `mac`, in constant time.
    pub(crate) fn matches_sha1(&self, mac: MacSha1) -> bool {
        mac.0.verify_slice(&self.0).is_ok()
    }

    /// Whether this is the MAC of what was written to `mac`, in constant time.
    pub(crate) fn matches_sha256(&self, mac: MacSha256) -> bool {
        mac.0.verify_slice(&self.0).is_ok()
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(..)")
    }
}

/// An HMAC-SHA1 being computed; the computed value leaves it only as the text that a signer sends.
pub(crate) struct MacSha1(Hmac<Sha1>);

impl MacSha1 {
    /// `None` never occurs for HMAC, which takes keys of any length.
    pub(crate) fn under(key: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(key).ok().map(Self)
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

/// An HMAC-SHA256 being computed, likewise.
pub(crate) struct MacSha256(Hmac<Sha256>);

impl MacSha256 {
    /// `None` never occurs for HMAC, which takes keys of any length.
    pub(crate) fn under(key: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(key).ok().map(Self)
    }

    /// The base64 text of the MAC, for signing only.
    pub(crate) fn into_base64(self) -> String {
        STANDARD.encode(self.0.finalize().into_bytes())
    }

    /// The same in the alphabet for URLs.
    pub(crate) fn into_base64url(self) -> String {
        URL_SAFE.encode(self.0.finalize().into_bytes())
    }

    /// The lower-case hexadecimal text of the MAC, for signing only.
    pub(crate) fn into_hex(self) -> String {
        hex(&self.0.finalize().into_bytes())
    }

    /// The MAC as the key of another one.
    pub(crate) fn into_key(self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.finalize().into_bytes().to_vec())
    }

    /// Whether both come to the same, in constant time.
    pub(crate) fn is(self, other: Self) -> bool {
        self.0.verify(&other.0.finalize().into_bytes()).is_ok()
    }
}

impl Sink for MacSha256 {
    fn put(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha1(text: &str) -> MacSha1 {
        let mut mac = MacSha1::under(b"key").unwrap();
        mac.put(text.as_bytes());
        mac
    }

    fn sha256(text: &str) -> MacSha256 {
        let mut mac = MacSha256::under(b"key").unwrap();
        mac.put(text.as_bytes());
        mac
    }

    #[test]
    fn a_signature_matches_the_text_it_was_made_over_and_no_other() {
        let presented = Presented::from_base64(sha1("text").into_base64().as_bytes());
        assert!(presented.matches_sha1(sha1("text")));
        assert!(!presented.matches_sha1(sha1("texT")));
        let presented = Presented::from_base64(sha256("text").into_base64().as_bytes());
        assert!(presented.matches_sha256(sha256("text")));
        assert!(!presented.matches_sha256(sha256("texT")));
        assert!(!presented.matches_sha1(sha1("text")));
        let presented = Presented::from_lower_hex(sha256("text").into_hex().as_bytes());
        assert!(presented.matches_sha256(sha256("text")));
        assert!(!presented.matches_sha256(sha256("texT")));
    }

    #[test]
    fn d12_signatures_of_another_length_or_form_match_nothing() {
        let good = sha1("text").into_base64();
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
            assert!(!Presented::from_base64(text).matches_sha1(sha1("text")));
        }
        let good = sha256("text").into_hex();
        for text in [
            "",
            good.get(..63).unwrap(),
            good.get(..62).unwrap(),
            &good.to_ascii_uppercase(),
            &good.replace(|c: char| c.is_ascii_digit(), "g"),
            &[&good, "0"].concat(),
            &[&good, "00"].concat(),
            &[" ", &good].concat(),
            &good.repeat(100),
        ] {
            assert!(
                !Presented::from_lower_hex(text.as_bytes()).matches_sha256(sha256("text")),
                "{text}"
            );
        }
    }
}
