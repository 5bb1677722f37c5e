//! What a device's signature says of the body, on its way to the origin.
//!
//! A digest goes on as the payload hash of the request that the gateway signs, so that S3 refuses other
//! bytes. A framed body whose checksum comes behind it goes on as it is, under the same marker, with the
//! headers that describe it: S3 takes it apart and compares. Where the chunks are signed, the gateway
//! takes it apart and S3 sees the content alone. A framed body with anything but an upload is refused:
//! its frame would be read as content.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use request_auth::aws_v4::Unframer;
use request_auth::canon::hex;
use request_auth::{Dialect, Payload, Verified};

use crate::error::{Fault, Refusal};
use crate::headers::Headers;
use crate::operation::{Content, Operation};

/// The header that says what a signature binds of the body. Among the headers of an
/// [`OriginRequest`](crate::request::OriginRequest) it is what whoever signs the request has to say; absent,
/// the body is the gateway's own or unsigned.
pub const PAYLOAD_HEADER: &str = "x-amz-content-sha256";
/// The header that says how long the content of a framed body is.
pub const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
/// The header that announces what follows the content of a framed body.
const TRAILER: &str = "x-amz-trailer";

/// What says something of a frame that S3 does not see.
const OF_A_FRAME: [&str; 3] = [DECODED_LENGTH, TRAILER, "x-amz-sdk-checksum-algorithm"];

/// Whether the body of an operation is object bytes.
const fn is_upload(operation: Operation) -> bool {
    matches!(operation, Operation::PutObject | Operation::UploadPart)
}

/// Binds the body of the request for the origin as the device's signature does.
///
/// # Errors
/// `InvalidArgument` for a framed body with another operation than an upload; `MissingContentLength`
/// for one whose length is not among the headers.
pub(crate) fn bind(payload: &Payload, operation: Operation, headers: &mut Headers) -> Result<(), Refusal> {
    if !is_upload(operation) {
        return if payload.is_framed() {
            Err(Fault::StreamingBody.into())
        } else {
            Ok(())
        };
    }
    let says = |headers: &Headers, name: &str| headers.iter().any(|(header, _)| header == name);
    if payload.is_framed() && !says(headers, DECODED_LENGTH) {
        return Err(Refusal::new(Fault::LengthMissing).about(DECODED_LENGTH));
    }
    let stated = match payload {
        Payload::Unsigned => return Ok(()),
        Payload::Digest(digest) => hex(digest),
        Payload::StreamingUnsignedTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned(),
        Payload::StreamingSigned(_) => {
            headers.retain(|(name, _)| !OF_A_FRAME.contains(&name.as_ref()));
            return Ok(());
        }
    };
    headers.push((Cow::Borrowed(PAYLOAD_HEADER), stated.into_bytes()));
    Ok(())
}

/// The digest of a document that the gateway reads, where the signature binds one.
pub(crate) fn document_digest(payload: &Payload, operation: Operation) -> Option<String> {
    match payload {
        Payload::Digest(digest) if !operation.streams() => Some(hex(digest)),
        _ => None,
    }
}

/// The checksum of a document that the gateway reads, where an S3 client signed one: SDKs send it in the place
/// of a digest. With Complete it would be the object's.
pub(crate) fn document_checksum<B>(verified: &Verified<'_, B>, operation: Operation) -> Option<Vec<u8>> {
    let is_document = matches!(operation.content(), Content::Document(_));
    let is_its_own = is_document && operation != Operation::CompleteMultipartUpload;
    let is_s3 = verified.scheme().dialect() == Dialect::S3;
    let value = verified.signed("x-amz-checksum-crc32");
    value.filter(|_| is_its_own && is_s3).map(<[u8]>::to_vec)
}

/// Compares a document with the value of its x-amz-checksum-crc32.
///
/// # Errors
/// `BadDigest`, to OSS clients `InvalidDigest`, where it is another's.
pub fn check_crc32(value: &[u8], document: &[u8]) -> Result<(), Refusal> {
    /// The polynomial of CRC-32, its bits reflected (ISO 3309).
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let crc = document.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            let carry = if crc & 1 == 1 { POLYNOMIAL } else { 0 };
            (crc >> 1) ^ carry
        })
    });
    if STANDARD.encode((!crc).to_be_bytes()).as_bytes() == value {
        Ok(())
    } else {
        Err(Fault::DigestMismatch.into())
    }
}

/// The length of a framed body's content, by the value of [`DECODED_LENGTH`].
///
/// # Errors
/// `MissingContentLength` where that is no decimal number of at most 16 digits.
pub(crate) fn decoded_length(value: Option<&[u8]>) -> Result<u64, Refusal> {
    value
        .filter(|value| (1..=16).contains(&value.len()) && value.iter().all(u8::is_ascii_digit))
        .and_then(|value| core::str::from_utf8(value).ok())
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| Refusal::new(Fault::LengthMissing).about(DECODED_LENGTH))
}

/// What takes a body of signed chunks apart, and the length of its content. `length` and `trailer` are the
/// headers that describe it, as they were signed.
///
/// # Errors
/// `MissingContentLength` without a decimal length; `InvalidArgument` for a marker and a trailer that do
/// not belong together.
pub(crate) fn unframer(
    payload: &Payload,
    length: Option<&[u8]>,
    trailer: Option<&[u8]>,
) -> Result<Option<(u64, Unframer)>, Refusal> {
    let Payload::StreamingSigned(seed) = payload else {
        return Ok(None);
    };
    let length = decoded_length(length)?;
    let trailer = trailer.and_then(|value| core::str::from_utf8(value).ok());
    let unframer = Unframer::new(seed, length, trailer)
        .ok_or_else(|| Refusal::new(Fault::ChunkMalformed).about(TRAILER))?;
    Ok(Some((length, unframer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_the_one_of_its_crc32_or_refused() {
        // The check value of the algorithm's catalogue, and the value of nothing.
        for (document, value) in [("123456789", "y/Q5Jg=="), ("", "AAAAAA==")] {
            assert!(
                check_crc32(value.as_bytes(), document.as_bytes()).is_ok(),
                "{document}"
            );
            let other = check_crc32(value.as_bytes(), b"another").unwrap_err();
            assert_eq!(other.fault(), Fault::DigestMismatch);
        }
        for value in ["", "y/Q5Jg", "cbf43926", "Jjn0yw=="] {
            assert!(check_crc32(value.as_bytes(), b"123456789").is_err(), "{value}");
        }
    }
}
