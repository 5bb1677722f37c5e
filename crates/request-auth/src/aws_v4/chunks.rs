//! The chunks of a body that is signed piece by piece, verified and unframed as they pass.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>, and with a trailer
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>:
//!
//! ```text
//! {hexadecimal size};chunk-signature={hex}CRLF {content} CRLF     for every chunk
//! 0;chunk-signature={hex}CRLF CRLF                                at the end, or with a trailer:
//! 0;chunk-signature={hex}CRLF {name}:{value}CRLF x-amz-trailer-signature:{hex}CRLF CRLF
//! ```
//!
//! Each signature covers the one before it and the SHA-256 of its content. Content is handed on before
//! its chunk was verified, so that memory stays constant: whoever takes it keeps the last of it back until
//! [`Unframer::finish`], and breaks off on an error. Refused are chunks that together are longer or
//! shorter than the length that the head signs, any other spelling of a size, a trailer that the head does
//! not announce or that comes twice, and bytes behind the end.

use crate::canon::{Sha256Sink, Sink, hex_value};
use crate::payload::ChunkSeed;
use crate::presented::{MacSha256, Presented};
use crate::secret::SecretKey;

const CHUNK_ALGORITHM: &str = "AWS4-HMAC-SHA256-PAYLOAD";
const TRAILER_ALGORITHM: &str = "AWS4-HMAC-SHA256-TRAILER";
const CHUNK_SIGNATURE: &[u8] = b";chunk-signature=";
const TRAILER_SIGNATURE: &[u8] = b"x-amz-trailer-signature:";

/// The longest line before a chunk: 16 digits, the name, 64 digits and the line's end.
const MAX_CHUNK_LINE_BYTES: usize = 16 + CHUNK_SIGNATURE.len() + 64 + 2;
/// The longest trailer with its signature.
const MAX_TRAILER_BYTES: usize = 512;

/// Why a body of signed chunks is not the one that was signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChunkDenial {
    /// The framing is not the one above.
    Malformed,
    /// The chunks together are longer or shorter than the head says, or the body breaks off.
    Length,
    /// The signature of a chunk or of the trailer is not the one of its content.
    SignatureMismatch,
}

/// Takes a framed body piece by piece, and gives its content.
pub struct Unframer {
    key: SecretKey,
    /// The moment and the scope, as they stand in every string to sign.
    place: String,
    /// The last signature, in hexadecimal digits.
    previous: String,
    /// How much content is still to come.
    left: u64,
    /// The name of the trailer that the head announces.
    trailer: Option<String>,
    state: State,
}

enum State {
    /// In the line before a chunk.
    Line(Vec<u8>),
    /// In the content of a chunk.
    Content {
        left: u64,
        digest: Sha256Sink,
        signature: Presented,
    },
    /// In the line's end behind a chunk: how much of it has come, and whether the chunk was the last one.
    LineEnd { seen: usize, is_last: bool },
    /// In the trailer.
    Trailer(Vec<u8>),
    /// Behind everything.
    End,
    /// Behind what was refused.
    Broken,
}

impl Unframer {
    /// Begins behind the head. `length` is that of the whole content, as the head signs it; `trailer` the
    /// name that the head announces, in lower case. `None` where a trailer is announced and none is
    /// signed, or the other way round.
    pub fn new(seed: &ChunkSeed, length: u64, trailer: Option<&str>) -> Option<Self> {
        (seed.has_trailer == trailer.is_some()).then(|| Self {
            key: seed.key.duplicate(),
            place: [seed.date.as_str(), "\n", &seed.scope].concat(),
            previous: seed.signature.clone(),
            left: length,
            trailer: trailer.map(str::to_owned),
            state: State::Line(Vec::new()),
        })
    }

    /// Takes bytes of the body, and appends their content to `out`.
    ///
    /// # Errors
    /// A [`ChunkDenial`]; nothing that was given so far may then be used.
    pub fn take(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ChunkDenial> {
        while let Some((&first, rest)) = bytes.split_first() {
            match core::mem::replace(&mut self.state, State::Broken) {
                State::Line(mut line) => {
                    line.push(first);
                    bytes = rest;
                    self.state = if line.ends_with(b"\r\n") {
                        self.begin_chunk(&line)?
                    } else if line.len() < MAX_CHUNK_LINE_BYTES {
                        State::Line(line)
                    } else {
                        return Err(ChunkDenial::Malformed);
                    };
                }
                State::Content {
                    left,
                    mut digest,
                    signature,
                } => {
                    let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (content, behind) = bytes.split_at_checked(most).unwrap_or((bytes, &[]));
                    digest.put(content);
                    out.extend_from_slice(content);
                    bytes = behind;
                    let left = left.saturating_sub(u64::try_from(most).unwrap_or(u64::MAX));
                    self.state = if left == 0 {
                        self.check(CHUNK_ALGORITHM, digest, signature)?;
                        State::LineEnd {
                            seen: 0,
                            is_last: false,
                        }
                    } else {
                        State::Content {
                            left,
                            digest,
                            signature,
                        }
                    };
                }
                State::LineEnd { seen, is_last } => {
                    if b"\r\n".get(seen) != Some(&first) {
                        return Err(ChunkDenial::Malformed);
                    }
                    bytes = rest;
                    self.state = match (seen, is_last) {
                        (0, _) => State::LineEnd { seen: 1, is_last },
                        (_, true) => State::End,
                        (_, false) => State::Line(Vec::new()),
                    };
                }
                State::Trailer(mut trailer) => {
                    trailer.push(first);
                    bytes = rest;
                    self.state = if trailer.ends_with(b"\r\n\r\n") && names_its_signature(&trailer) {
                        self.check_trailer(&trailer)?;
                        State::End
                    } else if trailer.len() < MAX_TRAILER_BYTES {
                        State::Trailer(trailer)
                    } else {
                        return Err(ChunkDenial::Malformed);
                    };
                }
                State::End | State::Broken => return Err(ChunkDenial::Malformed),
            }
        }
        Ok(())
    }

    /// Says whether the body was whole, once all of it was taken.
    ///
    /// # Errors
    /// [`ChunkDenial::Length`] for one that broke off.
    pub fn finish(self) -> Result<(), ChunkDenial> {
        match self.state {
            State::End if self.left == 0 => Ok(()),
            _ => Err(ChunkDenial::Length),
        }
    }

    /// Reads the line before a chunk. The last chunk is empty, and its signature covers that.
    fn begin_chunk(&mut self, line: &[u8]) -> Result<State, ChunkDenial> {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        let at = line.iter().position(|&byte| byte == b';');
        let (size, rest) = at
            .and_then(|at| line.split_at_checked(at))
            .ok_or(ChunkDenial::Malformed)?;
        let size = read_size(size).ok_or(ChunkDenial::Malformed)?;
        let signature = rest
            .strip_prefix(CHUNK_SIGNATURE)
            .filter(|text| text.len() == 64)
            .ok_or(ChunkDenial::Malformed)?;
        let signature = Presented::from_lower_hex(signature);
        self.left = self.left.checked_sub(size).ok_or(ChunkDenial::Length)?;
        let digest = Sha256Sink::new();
        if size > 0 {
            return Ok(State::Content {
                left: size,
                digest,
                signature,
            });
        }
        if self.left > 0 {
            return Err(ChunkDenial::Length);
        }
        self.check(CHUNK_ALGORITHM, digest, signature)?;
        Ok(match self.trailer {
            Some(_) => State::Trailer(Vec::new()),
            None => State::LineEnd {
                seen: 0,
                is_last: true,
            },
        })
    }

    /// Compares a signature with the one over what was digested, and keeps it for the next.
    fn check(
        &mut self,
        algorithm: &str,
        digest: Sha256Sink,
        signature: Presented,
    ) -> Result<(), ChunkDenial> {
        let mut parts = vec![algorithm, &self.place, &self.previous];
        let of_nothing = Sha256Sink::new().into_hex();
        if algorithm == CHUNK_ALGORITHM {
            parts.push(&of_nothing);
        }
        let digest = digest.into_hex();
        parts.push(&digest);
        let mut mac = MacSha256::under(self.key.expose()).ok_or(ChunkDenial::SignatureMismatch)?;
        mac.put(parts.join("\n").as_bytes());
        let text = signature.to_hex();
        if !signature.matches_sha256(mac) {
            return Err(ChunkDenial::SignatureMismatch);
        }
        self.previous = text;
        Ok(())
    }

    /// Reads the trailer: the one header that was announced, and its signature. It is signed with a line
    /// feed behind it, which some clients send before the line's end as well.
    fn check_trailer(&mut self, trailer: &[u8]) -> Result<(), ChunkDenial> {
        let text = trailer.strip_suffix(b"\r\n\r\n").unwrap_or(trailer);
        let at = text.iter().position(|&byte| byte == b'\r');
        let (header, rest) = at
            .and_then(|at| text.split_at_checked(at))
            .ok_or(ChunkDenial::Malformed)?;
        let signature = rest
            .strip_prefix(b"\r\n")
            .and_then(|rest| rest.strip_prefix(TRAILER_SIGNATURE))
            .filter(|text| text.len() == 64)
            .ok_or(ChunkDenial::Malformed)?;
        let header = header.strip_suffix(b"\n").unwrap_or(header);
        let announced = self.trailer.as_deref().unwrap_or_default();
        let value = header
            .strip_prefix(announced.as_bytes())
            .and_then(|rest| rest.strip_prefix(b":"))
            .ok_or(ChunkDenial::Malformed)?;
        if value.is_empty() || !value.iter().all(u8::is_ascii_graphic) {
            return Err(ChunkDenial::Malformed);
        }
        let mut digest = Sha256Sink::new();
        digest.put(header);
        digest.put(b"\n");
        self.check(TRAILER_ALGORITHM, digest, Presented::from_lower_hex(signature))
    }
}

/// Whether a trailer that ends in an empty line has come to the line of its signature.
fn names_its_signature(trailer: &[u8]) -> bool {
    trailer
        .windows(TRAILER_SIGNATURE.len())
        .any(|window| window == TRAILER_SIGNATURE)
}

/// Reads 1 to 16 hexadecimal digits.
fn read_size(digits: &[u8]) -> Option<u64> {
    if !(1..=16).contains(&digits.len()) {
        return None;
    }
    let mut size = 0_u64;
    for &digit in digits {
        size = size << 4 | u64::from(hex_value(digit)?);
    }
    Some(size)
}

#[cfg(test)]
mod tests;
