//! Signing what goes to the S3 origin.
//!
//! Exactly the fields of the [`OriginRequest`] are signed, and the shell sends exactly these fields.

use oss_s3::addressing::OriginBucket;
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::{OriginBody, OriginRequest};
use request_auth::aws_v4::{self, OriginCredentials, Payload, Scope, SigningRequest};
use request_auth::{SecretKey, SecurityToken, UnixSeconds};
use serde::Deserialize;

/// Reads credentials that a function has from its platform at the moment:
/// `{"access_key_id": …, "secret_access_key": …, "session_token": … or null}`.
///
/// # Errors
/// `InternalError`, with a reason that holds none of them.
pub fn credentials(json: &str) -> Result<OriginCredentials, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Source {
        access_key_id: String,
        secret_access_key: String,
        #[serde(default)]
        session_token: Option<String>,
    }
    let none =
        || Refusal::new(Fault::GatewayFailed).because("The function was given no credentials to sign with.");
    let source: Source = serde_json::from_str(json).map_err(|_| none())?;
    Ok(OriginCredentials {
        access_key_id: source.access_key_id,
        secret: SecretKey::new(source.secret_access_key).ok_or_else(none)?,
        session_token: source.session_token.and_then(SecurityToken::new),
    })
}

/// The headers that sign a request for the bucket `origin`, to be added to its own. A body that the
/// gateway wrote is covered; a device's stream is not, TLS protects it.
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
        .collect();
    let payload = match &request.body {
        OriginBody::Device => Payload::Unsigned,
        OriginBody::Document(bytes) => Payload::Bytes(bytes),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_whole_or_refused_without_showing_them() {
        let whole = r#"{"access_key_id":"AK","secret_access_key":"SECRET","session_token":null}"#;
        assert_eq!(credentials(whole).unwrap().access_key_id, "AK");
        for bad in [
            "",
            "{}",
            r#"{"access_key_id":"AK","secret_access_key":""}"#,
            &whole.replace("null", "1"),
        ] {
            let refusal = credentials(bad).unwrap_err();
            assert_eq!(refusal.status(), 500);
            assert!(!refusal.reason().contains("SECRET"));
        }
    }
}
