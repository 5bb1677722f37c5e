//! AWS Signature Version 4: verified for S3 clients, and made for the origin, for other services of AWS
//! and for clients.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>. One canonicaliser
//! serves both directions:
//!
//! ```text
//! METHOD \n path \n query \n {name:value \n}* \n names;of;signed;headers \n payload
//!
//! AWS4-HMAC-SHA256 \n timestamp \n day/region/service/aws4_request \n hex(SHA-256(the above))
//! ```

mod chunks;
mod sign;
mod verify;

pub use chunks::{ChunkDenial, Unframer};
pub use sign::{OriginCredentials, Payload, Scope, SigningRequest, sign, sign_header, sign_query};
pub use verify::AwsClaim;
pub(crate) use verify::{canonical_requests, in_header, in_query, strings_to_sign, verify};

use crate::canon::{Sha256Sink, Sink, sorted};

/// The name of the algorithm, in the header, the query and the string to sign.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The last part of every scope.
const TERMINATOR: &str = "aws4_request";

/// What stands before the secret where a key is derived.
const KEY_PREFIX: &str = "AWS4";

/// A request in the parts that its canonical text is made of.
struct Canonical<'a> {
    method: &'a str,
    path: &'a [u8],
    /// Strictly percent-encoded `name=value` pieces in any order.
    query: &'a str,
    /// Lower-case names, sorted, and values.
    headers: &'a [(&'a str, &'a [u8])],
    /// The names of the headers, joined by `;`.
    names: &'a str,
    payload: &'a [u8],
}

impl Canonical<'_> {
    /// Writes the canonical request.
    fn write(&self, sink: &mut dyn Sink) {
        for part in [self.method.as_bytes(), b"\n", self.path, b"\n"] {
            sink.put(part);
        }
        let parameters: Vec<(&str, &str)> = self
            .query
            .split('&')
            .filter(|piece| !piece.is_empty())
            .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
            .collect();
        let mut mark: &[u8] = b"";
        for (name, value) in sorted(parameters) {
            for part in [mark, name.as_bytes(), b"=", value.as_bytes()] {
                sink.put(part);
            }
            mark = b"&";
        }
        sink.put(b"\n");
        for (name, value) in self.headers {
            for part in [name.as_bytes(), b":", &collapsed(value), b"\n"] {
                sink.put(part);
            }
        }
        for part in [b"\n", self.names.as_bytes(), b"\n", self.payload] {
            sink.put(part);
        }
    }

    /// The string to sign for a moment, as it is written there, and a scope.
    fn string_to_sign(&self, date: &str, scope: &str) -> String {
        let mut request = Sha256Sink::new();
        self.write(&mut request);
        [ALGORITHM, date, scope, &request.into_hex()].join("\n")
    }
}

/// Trims blanks and tabs and folds inner runs of them to one blank, as SigV4 does with header values.
fn collapsed(value: &[u8]) -> Vec<u8> {
    value
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(b" ".as_slice())
}

#[cfg(test)]
mod tests;
