//! What a device's signature says of the body, on its way to the origin.
//!
//! A digest goes on as the payload hash of the request that the gateway signs, so that S3 refuses other
//! bytes. A framed body whose checksum comes behind it goes on as it is, under the same marker, with the
//! headers that describe it: S3 takes it apart and compares. Where the chunks are signed, the gateway
//! takes it apart and S3 sees the content alone. A framed body with anything but an upload is refused:
//! its frame would be read as content.

use std::borrow::Cow;

use request_auth::Payload;
use request_auth::aws_v4::Unframer;
use request_auth::canon::hex;

use crate::error::{Fault, Refusal};
use crate::headers::Headers;
use crate::operation::Operation;

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
