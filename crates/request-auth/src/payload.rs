//! What a signature says of the body.
//!
//! OSS signatures say nothing of it. S3's say it in x-amz-content-sha256, which is a line of the signed
//! text: a digest, or one of the markers below. Any other value is refused once the signature matched.

use core::fmt;

use crate::canon::hex_value;
use crate::secret::SecretKey;

/// `x-amz-content-sha256` of a body that the signature does not bind.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SIGNED_CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_CHUNKS_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";

/// How a signature binds the body.
#[derive(Debug)]
pub enum Payload {
    /// Not at all: every OSS scheme, and `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// The body has this SHA-256.
    Digest([u8; 32]),
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: the body is framed as aws-chunked, and behind the content
    /// comes a checksum that nobody signed.
    StreamingUnsignedTrailer,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, with or without `-TRAILER`: every chunk of the framed body is
    /// signed, the first one behind the signature of the head.
    StreamingSigned(ChunkSeed),
}

/// What the signatures of a body's chunks begin with.
pub struct ChunkSeed {
    /// The key of the head's signature, derived for its scope.
    pub(crate) key: SecretKey,
    /// The signed moment, as it stands in strings to sign.
    pub(crate) date: String,
    /// The credential scope.
    pub(crate) scope: String,
    /// The signature of the head, in hexadecimal digits.
    pub(crate) signature: String,
    /// Whether a signed trailer follows the last chunk.
    pub(crate) has_trailer: bool,
}

impl fmt::Debug for ChunkSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChunkSeed(..)")
    }
}

impl Payload {
    /// Reads the value of x-amz-content-sha256; `seed` makes what the chunks of a body begin with, if they
    /// are signed. `None` for a value that is neither a digest in lower case nor a known marker.
    pub(crate) fn read(text: &[u8], seed: impl FnOnce(bool) -> ChunkSeed) -> Option<Self> {
        Some(match core::str::from_utf8(text).ok()? {
            UNSIGNED => Self::Unsigned,
            UNSIGNED_TRAILER => Self::StreamingUnsignedTrailer,
            SIGNED_CHUNKS => Self::StreamingSigned(seed(false)),
            SIGNED_CHUNKS_TRAILER => Self::StreamingSigned(seed(true)),
            _ => Self::Digest(read_digest(text)?),
        })
    }

    /// Whether the body is framed as aws-chunked.
    pub const fn is_framed(&self) -> bool {
        matches!(self, Self::StreamingUnsignedTrailer | Self::StreamingSigned(_))
    }
}

/// Reads 64 hexadecimal digits in lower case.
fn read_digest(text: &[u8]) -> Option<[u8; 32]> {
    if text.len() != 64 || text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(text.chunks(2)) {
        let [high, low] = pair else { return None };
        *byte = hex_value(*high)? << 4 | hex_value(*low)?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Payload> {
        Payload::read(text.as_bytes(), |has_trailer| ChunkSeed {
            key: SecretKey::new("k".into()).unwrap(),
            date: String::new(),
            scope: String::new(),
            signature: String::new(),
            has_trailer,
        })
    }

    #[test]
    fn a_payload_is_a_digest_or_one_of_four_markers() {
        assert!(matches!(read(UNSIGNED), Some(Payload::Unsigned)));
        assert!(matches!(
            read(UNSIGNED_TRAILER),
            Some(Payload::StreamingUnsignedTrailer)
        ));
        let signed = |text| match read(text) {
            Some(Payload::StreamingSigned(seed)) => Some(seed.has_trailer),
            _ => None,
        };
        assert_eq!(signed(SIGNED_CHUNKS), Some(false));
        assert_eq!(signed(SIGNED_CHUNKS_TRAILER), Some(true));
        let digest = "00ff".repeat(16);
        assert!(matches!(read(&digest), Some(Payload::Digest(digest)) if digest == [0, 255].repeat(16)[..]));
        let framed =
            [UNSIGNED, UNSIGNED_TRAILER, SIGNED_CHUNKS, &digest].map(|text| read(text).unwrap().is_framed());
        assert_eq!(framed, [false, true, true, false]);
    }

    #[test]
    fn nothing_else_is_a_payload() {
        for text in [
            "",
            "unsigned-payload",
            "UNSIGNED-PAYLOAD ",
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
            "STREAMING-UNSIGNED-PAYLOAD",
            "STREAMING-",
            &"0".repeat(63),
            &"0".repeat(65),
            &"g".repeat(64),
            &"A".repeat(64),
            &"é".repeat(32),
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
