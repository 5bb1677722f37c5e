//! Signing: the Authorization header of a request to the S3 origin, to a Lambda function URL or to
//! Secrets Manager, and the signatures that an S3 client sends.
//!
//! To the origin, `host` and every `x-amz-*` header are signed and nothing else: a CDN adds or rewrites
//! the others on the way. For other services than S3, which no device's header reaches, `content-type`
//! is signed as well: they ask for it. A client says itself which headers it signs.

use super::verify::{Signable, signed_names};
use super::{ALGORITHM, Canonical, KEY_PREFIX, TERMINATOR};
use crate::canon::{Sha256Sink, Sink, sorted};
use crate::denial::Denial;
use crate::head::RequestHead;
use crate::oss_claim::{Placement, query_part};
use crate::presented::MacSha256;
use crate::scope as credential;
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
    /// What the signature of a client said of it: a digest or a marker, as x-amz-content-sha256 has it.
    Stated(&'a [u8]),
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
        Payload::Stated(text) => String::from_utf8_lossy(text).into_owned(),
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

    let credential_scope = [&now.iso_day(), scope.region, scope.service, TERMINATOR].join("/");
    let canonical = Canonical {
        method: request.method,
        path: request.path.as_bytes(),
        query: request.query,
        headers: &signed,
        names: &names,
        payload: payload_hash.as_bytes(),
    };
    let text = canonical.string_to_sign(&date, &credential_scope);
    let key = credentials.secret.for_scope(KEY_PREFIX, &credential_scope);
    let signature = key.and_then(|key| signature(&key, &text)).unwrap_or_default();
    let authorization = authorization(&credentials.access_key_id, &credential_scope, &names, &signature);
    added.push(("authorization", authorization));
    added
}

/// The hexadecimal text of the MAC over a string to sign. `None` never occurs for HMAC, which takes keys
/// of any length.
fn signature(key: &SecretKey, text: &str) -> Option<String> {
    let mut mac = MacSha256::under(key.expose())?;
    mac.put(text.as_bytes());
    Some(mac.into_hex())
}

fn authorization(key_id: &str, scope: &str, names: &str, signature: &str) -> String {
    [
        ALGORITHM,
        " Credential=",
        key_id,
        "/",
        scope,
        ", SignedHeaders=",
        names,
        ", Signature=",
        signature,
    ]
    .concat()
}

/// Signs a client's request head: the value of its Authorization header. The head has its Host,
/// x-amz-content-sha256 and x-amz-date already; `names` are the headers to cover, in lower case, sorted
/// and joined by `;`: Host, and every `x-amz-*` header that the head has.
///
/// # Errors
/// [`Denial::MalformedCredential`] for a list in another order or a region that can't be in a scope; what
/// verifying says of the head.
pub fn sign_header(
    head: &RequestHead<'_>,
    key_id: &str,
    secret: &SecretKey,
    region: &str,
    names: &str,
) -> Result<String, Denial> {
    let names = signed_names(names.as_bytes())?;
    let signable = Signable::new(head, &names, Placement::Header)?;
    let scope = [&signable.signed().iso_day(), region, "s3", TERMINATOR].join("/");
    let scope = credential::Scope::read(&scope, TERMINATOR).ok_or(Denial::MalformedCredential)?;
    let signature = client_signature(&signable, secret, &scope)?;
    Ok(authorization(key_id, scope.text(), &names, &signature))
}

/// Signs a client's presigned URL: the hexadecimal text of its `X-Amz-Signature` parameter. `head` has the
/// query that will be sent, all but that parameter: X-Amz-Algorithm, X-Amz-Credential, X-Amz-Date,
/// X-Amz-Expires (the URL's life in seconds) and X-Amz-SignedHeaders.
///
/// # Errors
/// [`Denial::PresignedIncomplete`] without one of them; what verifying says of the head.
pub fn sign_query(head: &RequestHead<'_>, secret: &SecretKey) -> Result<String, Denial> {
    let names = signed_names(query_part(head, "X-Amz-SignedHeaders")?)?;
    let signable = Signable::new(head, &names, Placement::Query)?;
    let credential = query_part(head, "X-Amz-Credential")?;
    let (_, scope) = credential::Scope::of_credential(credential, TERMINATOR)?;
    client_signature(&signable, secret, &scope)
}

fn client_signature(
    signable: &Signable<'_, '_>,
    secret: &SecretKey,
    scope: &credential::Scope,
) -> Result<String, Denial> {
    let form = signable.first_form().ok_or(Denial::DateMissing)?;
    let text = signable.string_to_sign(form, scope);
    let key = scope.key(KEY_PREFIX, secret);
    key.and_then(|key| signature(&key, &text))
        .ok_or(Denial::InactiveKey)
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
