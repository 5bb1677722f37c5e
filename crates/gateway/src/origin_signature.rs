//! Signing what goes to the S3 origin.
//!
//! Exactly the fields of the [`OriginRequest`] are signed, and the shell sends exactly these fields.

use oss_s3::addressing::OriginBucket;
use oss_s3::payload::PAYLOAD_HEADER;
use oss_s3::request::{OriginBody, OriginRequest};
use request_auth::UnixSeconds;
use request_auth::aws_v4::{self, OriginCredentials, Payload, Scope, SigningRequest};

/// The headers that sign a request for the bucket `origin`, to be set beside its own. A body that the
/// gateway wrote is covered; a device's stream is as far as the device's own signature binds it, else TLS
/// protects it.
pub fn headers(
    request: &OriginRequest,
    origin: &OriginBucket,
    credentials: &OriginCredentials,
    now: UnixSeconds,
) -> Vec<(&'static str, String)> {
    let headers: Vec<(&str, &[u8])> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_slice()))
        .filter(|(name, _)| *name != PAYLOAD_HEADER)
        .collect();
    let stated = request.headers.iter().find(|(name, _)| name == PAYLOAD_HEADER);
    let payload = match &request.body {
        OriginBody::Device => match stated {
            Some((_, value)) => Payload::Stated(value),
            None => Payload::Unsigned,
        },
        OriginBody::Document(bytes) => Payload::Bytes(bytes),
        OriginBody::Joined(_) => Payload::Unsigned,
        OriginBody::Empty | OriginBody::AwaitsParts => Payload::Bytes(b""),
    };
    let signing = SigningRequest {
        method: request.method,
        host: &request.host,
        path: &request.path,
        query: &request.query,
        headers: &headers,
        payload,
    };
    aws_v4::sign(
        signing,
        credentials,
        Scope {
            region: &origin.region,
            service: "s3",
        },
        now,
    )
}
