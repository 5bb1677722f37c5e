//! AWS Signature Version 4, signing: the Authorization header of a request to the S3 origin, to a
//! Lambda function URL or to Secrets Manager.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>. Signed are
//! `host` and every `x-amz-*` header and nothing else: a CDN adds or rewrites the others on the way.
//! For other services than S3, which no device's header reaches, `content-type` is signed as well:
//! they ask for it. Verifying SigV4 is not offered here.

use crate::canon::{Sha256Sink, Sink, sorted};
use crate::presented::MacSha256;
use crate::secret::{SecretKey, SecurityToken};
use crate::time::UnixSeconds;

/// Credentials that sign a request to the origin.
#[derive(Debug)]
pub struct OriginCredentials {
    /// The access key id.
    pub access_key_id: String,
    /// Its secret.
    pub secret: SecretKey,
    /// The session token of temporary credentials.
    pub session_token: Option<SecurityToken>,
}

/// What the signature says of the body.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// `UNSIGNED-PAYLOAD`: the body streams past and TLS protects it.
    Unsigned,
    /// The SHA-256 of these bytes, which are the body.
    Bytes(&'a [u8]),
}

/// The parts of a request that a signature covers.
#[derive(Clone, Copy, Debug)]
pub struct SigningRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The Host header as it will be sent, with its port unless that is the scheme's own.
    pub host: &'a str,
    /// The path as it will be sent: strictly percent-encoded once.
    pub path: &'a str,
    /// The query as it will be sent, without `?`: strictly percent-encoded names and values.
    pub query: &'a str,
    /// Lower-case names and values of the other headers.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body.
    pub payload: Payload<'a>,
}

/// The credential scope, less its date.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The region, `eu-west-1`.
    pub region: &'a str,
    /// The service: `s3`, `lambda` or `secretsmanager`.
    pub service: &'a str,
}

/// Signs a request: gives the headers to add to it, lower-case names and values, the session token
/// among them where the credentials have one. The values are bearer secrets.
pub fn sign(
    request: SigningRequest<'_>,
    credentials: &OriginCredentials,
    scope: Scope<'_>,
    now: UnixSeconds,
) -> Vec<(&'static str, String)> {
    let date = now.iso_basic();
    let payload_hash = match request.payload {
        Payload::Unsigned => "UNSIGNED-PAYLOAD".to_owned(),
        Payload::Bytes(body) => {
            let mut digest = Sha256Sink::new();
            digest.put(body);
            digest.into_hex()
        }
    };
    let token = credentials
        .session_token
        .as_ref()
        .map(|token| String::from_utf8_lossy(token.expose()).into_owned());
    let mut added = vec![
        ("x-amz-content-sha256", payload_hash.clone()),
        ("x-amz-date", date.clone()),
    ];
    added.extend(token.map(|token| ("x-amz-security-token", token)));

    let is_signed =
        |name: &str| name.starts_with("x-amz-") || (name == "content-type" && scope.service != "s3");
    let mut signed: Vec<(&str, &[u8])> = vec![("host", request.host.as_bytes())];
    signed.extend(request.headers.iter().filter(|(name, _)| is_signed(name)));
    signed.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let signed = sorted(signed);
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");

    let mut canonical = Sha256Sink::new();
    write_canonical_request(&request, &signed, &names, &payload_hash, &mut canonical);
    let credential_scope = [&now.iso_day(), scope.region, scope.service, "aws4_request"].join("/");
    let string_to_sign = [
        "AWS4-HMAC-SHA256",
        &date,
        &credential_scope,
        &canonical.into_hex(),
    ]
    .join("\n");

    let key = credentials.secret.for_scope("AWS4", &credential_scope);
    let mac = key.and_then(|key| MacSha256::under(key.expose()));
    let signature = mac.map(|mut mac| {
        mac.put(string_to_sign.as_bytes());
        mac.into_hex()
    });
    let authorization = [
        "AWS4-HMAC-SHA256 Credential=",
        &credentials.access_key_id,
        "/",
        &credential_scope,
        ", SignedHeaders=",
        &names,
        ", Signature=",
        &signature.unwrap_or_default(),
    ]
    .concat();
    added.push(("authorization", authorization));
    added
}

fn write_canonical_request(
    request: &SigningRequest<'_>,
    signed: &[(&str, &[u8])],
    names: &str,
    payload_hash: &str,
    sink: &mut impl Sink,
) {
    sink.put(request.method.as_bytes());
    sink.put(b"\n");
    sink.put(request.path.as_bytes());
    sink.put(b"\n");
    let parameters: Vec<(&str, &[u8])> = request
        .query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .map(|(name, value)| (name, value.as_bytes()))
        .collect();
    for (index, (name, value)) in sorted(parameters).into_iter().enumerate() {
        if index > 0 {
            sink.put(b"&");
        }
        sink.put(name.as_bytes());
        sink.put(b"=");
        sink.put(value);
    }
    sink.put(b"\n");
    for (name, value) in signed {
        sink.put(name.as_bytes());
        sink.put(b":");
        sink.put(&collapse_blanks(value));
        sink.put(b"\n");
    }
    sink.put(b"\n");
    sink.put(names.as_bytes());
    sink.put(b"\n");
    sink.put(payload_hash.as_bytes());
}

/// Trims blanks and folds inner runs of them to one, as SigV4 does with header values.
fn collapse_blanks(value: &[u8]) -> Vec<u8> {
    value
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(b" ".as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example_credentials() -> OriginCredentials {
        OriginCredentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap(),
            session_token: None,
        }
    }

    fn authorization(headers: Vec<(&'static str, String)>) -> String {
        headers
            .into_iter()
            .find(|(name, _)| *name == "authorization")
            .unwrap()
            .1
    }

    /// "Example: GET Bucket Lifecycle" and "Example: PUT Object" of the vendor page named above, the
    /// latter without its Date header, which is not signed here.
    #[test]
    fn the_vendor_s_lifecycle_example_gives_the_vendor_s_signature() {
        let request = SigningRequest {
            method: "GET",
            host: "examplebucket.s3.amazonaws.com",
            path: "/",
            query: "lifecycle",
            headers: &[],
            payload: Payload::Bytes(b""),
        };
        let now = UnixSeconds::from_iso_basic(b"20130524T000000Z").unwrap();
        let headers = sign(
            request,
            &example_credentials(),
            Scope {
                region: "us-east-1",
                service: "s3",
            },
            now,
        );
        assert_eq!(
            authorization(headers),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
             Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
    }

    #[test]
    fn the_type_of_a_body_is_signed_for_services_that_ask_for_it() {
        let headers: [(&str, &[u8]); 2] = [
            ("content-type", b"application/x-amz-json-1.1"),
            ("x-amz-target", b"secretsmanager.GetSecretValue"),
        ];
        let request = SigningRequest {
            method: "POST",
            host: "secretsmanager.us-east-1.amazonaws.com",
            path: "/",
            query: "",
            headers: &headers,
            payload: Payload::Bytes(b"{}"),
        };
        let scope = Scope {
            region: "us-east-1",
            service: "secretsmanager",
        };
        let text = authorization(sign(request, &example_credentials(), scope, UnixSeconds(0)));
        assert!(
            text.contains("SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target,"),
            "{text}"
        );
    }

    #[test]
    fn every_amz_header_is_signed_and_no_other_for_s3() {
        let request = SigningRequest {
            method: "PUT",
            host: "h",
            path: "/k",
            query: "partNumber=1&uploadId=u",
            headers: &[
                ("content-type", b"text/plain"),
                ("x-amz-meta-a", b"a  b"),
                ("if-none-match", b"*"),
            ],
            payload: Payload::Unsigned,
        };
        let mut credentials = example_credentials();
        credentials.session_token = SecurityToken::new("token".into());
        let headers = sign(
            request,
            &credentials,
            Scope {
                region: "r",
                service: "s3",
            },
            UnixSeconds(0),
        );
        assert!(headers.contains(&("x-amz-security-token", "token".into())));
        let text = authorization(headers);
        assert!(text.contains(
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token,"
        ));
    }
}
