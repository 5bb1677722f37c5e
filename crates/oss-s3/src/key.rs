//! Object keys as bytes.
//!
//! [`ObjectKey::new`] is the only way to one. It refuses what a URL library, a CDN or S3 itself could
//! read as another key: dot segments, `\`, control characters, text that is not UTF-8, keys that are
//! too long, and the gateway's own prefix, also behind slashes that a server may fold. Everything else is kept to
//! the byte, `//`, leading and trailing `/` included.

use core::fmt;

use request_auth::canon::{Slash, percent_encode};

use crate::error::{Fault, Refusal};
use crate::xml::is_xml_char;

/// The longest object key in bytes (OSS: 1,023).
pub const MAX_OBJECT_KEY_BYTES: usize = 1023;
/// The longest key at the origin in bytes (S3: 1,024).
pub const MAX_ORIGIN_KEY_BYTES: usize = 1024;
/// Keys under this prefix are the gateway's own at the origin.
pub const RESERVED_PREFIX: &[u8] = b".causeway/";

/// Why bytes are no object key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyError {
    /// There is no key: the request is for the bucket.
    Empty,
    /// Longer than [`MAX_OBJECT_KEY_BYTES`], or than [`MAX_ORIGIN_KEY_BYTES`] with its mount.
    TooLong,
    /// A segment is `.` or `..`.
    DotSegment,
    /// It holds `\`.
    Backslash,
    /// It holds a control character, or one that no XML answer could name.
    ControlCharacter,
    /// It is not UTF-8.
    NotUtf8,
    /// It starts with [`RESERVED_PREFIX`], perhaps behind slashes.
    Reserved,
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        let fault = match error {
            KeyError::TooLong => Fault::ObjectNameTooLong,
            _ => Fault::ObjectNameInvalid,
        };
        Self::new(fault).because(match error {
            KeyError::Empty => "The request names no object.",
            KeyError::TooLong => "The object key is too long, with its mount where it has one.",
            KeyError::DotSegment => "The object key has a segment that is . or ..",
            KeyError::Backslash => "The object key holds a backslash.",
            KeyError::ControlCharacter => "The object key holds a control character.",
            KeyError::NotUtf8 => "The object key is not UTF-8.",
            KeyError::Reserved => "The object key lies in the gateway's own staging prefix.",
        })
    }
}

/// An object key that can be forwarded without being read as another one.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Checks decoded bytes.
    ///
    /// # Errors
    /// The first [`KeyError`].
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.is_empty() {
            return Err(KeyError::Empty);
        }
        if bytes.len() > MAX_OBJECT_KEY_BYTES {
            return Err(KeyError::TooLong);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| KeyError::NotUtf8)?;
        if text.chars().any(|c| c.is_control() || !is_xml_char(c)) {
            return Err(KeyError::ControlCharacter);
        }
        if text.contains('\\') {
            return Err(KeyError::Backslash);
        }
        if text.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(KeyError::DotSegment);
        }
        // S3 tells `//` from `/`; servers that keep objects as files do not.
        let mut segments = bytes.split_inclusive(|&byte| byte == b'/');
        if segments.find(|segment| *segment != b"/") == Some(RESERVED_PREFIX) {
            return Err(KeyError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The key at the origin: the grant's mount and the device's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OriginKey(String);

impl OriginKey {
    /// Puts `mount` (empty, or checked segments that end in `/`) before the key.
    ///
    /// # Errors
    /// [`KeyError::TooLong`] above [`MAX_ORIGIN_KEY_BYTES`]; [`KeyError::Reserved`] and
    /// [`KeyError::NotUtf8`] for a mount that was not checked.
    pub fn new(mount: &[u8], key: &ObjectKey) -> Result<Self, KeyError> {
        let mount = core::str::from_utf8(mount).map_err(|_| KeyError::NotUtf8)?;
        let joined = [mount, key.as_str()].concat();
        if joined.len() > MAX_ORIGIN_KEY_BYTES {
            return Err(KeyError::TooLong);
        }
        if joined.as_bytes().starts_with(RESERVED_PREFIX) {
            return Err(KeyError::Reserved);
        }
        Ok(Self(joined))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key percent-encoded for a path: unreserved characters and `/` stay.
    pub fn percent_encoded(&self) -> String {
        let mut encoded = String::with_capacity(self.0.len());
        percent_encode(self.0.as_bytes(), Slash::Keep, &mut encoded);
        encoded
    }
}

/// A query value, or the key of an answer with `encoding-type=url`: `/` is encoded too and a blank is
/// `%20`, so that decoders that read `+` as a blank and those that do not agree.
pub(crate) fn encoded_value(value: &[u8]) -> String {
    let mut encoded = String::with_capacity(value.len());
    percent_encode(value, Slash::Encode, &mut encoded);
    encoded
}

#[cfg(test)]
mod tests {
    use request_auth::Dialect;

    use super::*;

    #[test]
    fn a03_a04_keys_are_kept_to_the_byte() {
        for key in [
            "k",
            "a//b",
            "/a",
            "//a",
            "a/",
            "...",
            "a/.b/..c/d..",
            "a b+c%2Fd",
            "~!*'()@=&?#;,:$",
            "中文/😀",
            "\u{e000}",
            ".causeway",
            "a/.causeway/k",
            ".causeway2/k",
            ".Causeway/k",
            "%2Ecauseway/k",
        ] {
            assert_eq!(ObjectKey::new(key.as_bytes()).unwrap().as_str(), key);
        }
    }

    #[test]
    fn a05_a07_keys_that_could_be_read_as_others_are_refused() {
        for (key, error) in [
            (b"".as_slice(), KeyError::Empty),
            (b"..", KeyError::DotSegment),
            (b"a/../b", KeyError::DotSegment),
            (b"./a", KeyError::DotSegment),
            (b"a/.", KeyError::DotSegment),
            (b"a\\b", KeyError::Backslash),
            (b"a\0", KeyError::ControlCharacter),
            (b"a\nb", KeyError::ControlCharacter),
            (b"a\x7f", KeyError::ControlCharacter),
            ("a\u{85}".as_bytes(), KeyError::ControlCharacter),
            ("a\u{fffe}".as_bytes(), KeyError::ControlCharacter),
            (b"\xff", KeyError::NotUtf8),
            (b"\xc0\xae\xc0\xae/a", KeyError::NotUtf8),
            (b"\xed\xa0\x80", KeyError::NotUtf8),
            (b".causeway/x", KeyError::Reserved),
            (b".causeway/", KeyError::Reserved),
            (b"/.causeway/x", KeyError::Reserved),
            (b"///.causeway/x", KeyError::Reserved),
            (&[b'a'; 1024], KeyError::TooLong),
        ] {
            assert_eq!(ObjectKey::new(key).err(), Some(error), "{}", key.escape_ascii());
            let refusal = Refusal::from(error);
            assert_eq!((refusal.status(), refusal.code()), (400, "InvalidObjectName"));
        }
        assert!(ObjectKey::new(&[b'a'; 1023]).is_ok());
        // Bytes count, not characters.
        assert!(ObjectKey::new("\u{4e2d}".repeat(341).as_bytes()).is_ok());
        let over = ObjectKey::new(["\u{4e2d}".repeat(341).as_str(), "k"].concat().as_bytes());
        let refusal = Refusal::from(over.unwrap_err());
        assert_eq!(refusal.row(Dialect::S3).code, "KeyTooLongError");
        assert_eq!(
            Refusal::from(KeyError::Backslash).row(Dialect::S3).code,
            "InvalidArgument"
        );
    }

    #[test]
    fn the_mount_counts_in_the_length_at_the_origin() {
        let key = ObjectKey::new(&[b'a'; 1023]).unwrap();
        assert_eq!(OriginKey::new(b"m/", &key).err(), Some(KeyError::TooLong));
        let key = ObjectKey::new(b"a b").unwrap();
        assert_eq!(OriginKey::new(b"m/", &key).unwrap().percent_encoded(), "m/a%20b");
        let key = ObjectKey::new(b"x").unwrap();
        assert_eq!(
            OriginKey::new(b".causeway/", &key).err(),
            Some(KeyError::Reserved)
        );
    }
}
