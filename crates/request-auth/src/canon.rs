//! Canonical text: order, percent coding on bytes, and the sink that a canonicaliser writes to.
//!
//! One canonicaliser serves verifying and explaining: it writes to a [`Sink`], which is a MAC or a
//! buffer, so what is explained is what is compared. Nothing here decodes to text: a lossy decoding
//! would give two different requests one canonical form.

use std::collections::BinaryHeap;

use sha2::{Digest, Sha256};

/// Takes the bytes of a canonical form in order.
pub trait Sink {
    /// Appends `bytes`.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Sorts what a canonical form lists: a heap sort, because the standard library's others are ten times
/// the code, and are compiled anew for every type.
pub fn sorted<T: Ord>(items: Vec<T>) -> Vec<T> {
    BinaryHeap::from(items).into_sorted_vec()
}

/// A SHA-256 being computed over what is put into it.
pub(crate) struct Sha256Sink(Sha256);

impl Sha256Sink {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    /// The digest as lower-case hexadecimal text.
    pub(crate) fn into_hex(self) -> String {
        hex(&self.0.finalize())
    }
}

impl Sink for Sha256Sink {
    fn put(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

/// Lower-case hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value & 0xf), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|&byte| [digit(byte >> 4), digit(byte)])
        .collect()
}

/// Decodes `%XX` to bytes; every other byte stands for itself. `None` where a `%` is not followed
/// by two hex digits.
pub fn percent_decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'%' {
            let high = hex_value(*bytes.next()?)?;
            let low = hex_value(*bytes.next()?)?;
            decoded.push(high << 4 | low);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

/// The value of a hexadecimal digit of either case.
pub(crate) fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Whether percent encoding leaves `/` as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slash {
    /// `/` stays (paths).
    Keep,
    /// `/` becomes `%2F` (query names and values).
    Encode,
}

/// Strict RFC 3986 encoding: unreserved characters stay, every other byte becomes `%XX` in upper
/// case. Appends to `out`.
pub fn percent_encode(bytes: &[u8], slash: Slash, out: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    let digit = |value: u8| HEX.get(usize::from(value & 0xf)).copied().unwrap_or('0');
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (byte == b'/' && slash == Slash::Keep) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(digit(byte >> 4));
            out.push(digit(byte));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_undoes_encoding_for_every_byte() {
        let every: Vec<u8> = (0..=255).collect();
        for slash in [Slash::Keep, Slash::Encode] {
            let mut text = String::new();
            percent_encode(&every, slash, &mut text);
            assert_eq!(percent_decode(text.as_bytes()).unwrap(), every);
        }
    }

    #[test]
    fn malformed_escapes_are_not_decoded() {
        for text in ["%", "%4", "%4g", "a%", "%%41", "%+1"] {
            assert_eq!(percent_decode(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn only_unreserved_characters_stay() {
        let mut text = String::new();
        percent_encode(b"a/b ~!*'()+%", Slash::Keep, &mut text);
        assert_eq!(text, "a/b%20~%21%2A%27%28%29%2B%25");
    }
}
