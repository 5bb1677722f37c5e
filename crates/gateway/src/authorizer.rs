//! The first role: is this request what some key signed, and may that key do it?
//!
//! Everything is decided from what was verified. A bucket that is not configured is answered exactly
//! like one that the key may not use, so a key holder can't probe for names.

use oss_s3::error::{Fault, Refusal};
use oss_s3::request::Authorized;
use request_auth::canon::{Slash, percent_encode, sorted};
use request_auth::{Claim, Denial, Occurrence, RequestHead, Resource, Scheme, UnixSeconds};

use crate::config::Config;
use crate::keys::KeyRecord;
use crate::policy;
use crate::policy::conditions::Circumstances;

/// Reads which key a request claims to be signed with, before any look-up; for a preview link, which names
/// none, what the configuration says.
///
/// # Errors
/// The refusal for no, several, unknown or malformed credentials.
pub fn claim(config: &Config, head: &RequestHead<'_>) -> Result<Claim, Refusal> {
    let claim = match read(config, head) {
        // Where forms are taken, they are seen before.
        Err(Denial::Anonymous) if is_form(head) => return Err(Fault::FormNotOffered.into()),
        claim => claim?,
    };
    if claim.scheme() != Scheme::S3V4 {
        refuse_streaming_body(head)?;
    }
    refuse_hop_by_hop(head)?;
    Ok(claim)
}

/// A header that Connection names is for the next hop alone: whoever is in between may have taken a signed one away, or
/// may yet (attack case B14).
fn refuse_hop_by_hop(head: &RequestHead<'_>) -> Result<(), Refusal> {
    let is_signed = |option: &[u8]| {
        let name = option.trim_ascii().to_ascii_lowercase();
        let begins = [b"x-".as_slice(), b"content-", b"host", b"date", b"authorization"];
        begins.iter().any(|beginning| name.starts_with(beginning))
    };
    let mut connections = head.headers().filter(|(name, _)| *name == b"connection");
    match connections.any(|(_, value)| value.split(|&byte| byte == b',').any(is_signed)) {
        true => Err(Refusal::new(Fault::ArgumentInvalid).about("connection")),
        false => Ok(()),
    }
}

/// Whether a request brings a form that carries its own claim: a POST of multipart/form-data to a path
/// without a query, and no credential in its head.
pub fn brings_form(config: &Config, head: &RequestHead<'_>) -> bool {
    is_form(head) && matches!(read(config, head), Err(Denial::Anonymous))
}

/// Reads the claim of a head.
fn read(config: &Config, head: &RequestHead<'_>) -> Result<Claim, Denial> {
    match config.previews.place(head) {
        Some(place) => Claim::at(head, place),
        None => Claim::of(head),
    }
}

fn is_form(head: &RequestHead<'_>) -> bool {
    const FORM: &[u8] = b"multipart/form-data";
    let Occurrence::Once(kind) = head.header("content-type") else {
        return false;
    };
    let (name, rest) = kind.split_at_checked(FORM.len()).unwrap_or_default();
    let is_whole = rest
        .first()
        .is_none_or(|byte| matches!(byte, b';' | b' ' | b'\t'));
    head.method() == "POST" && head.parameters().is_empty() && name.eq_ignore_ascii_case(FORM) && is_whole
}

/// Verifies the claim with the record of its key and authorises what was verified.
///
/// # Errors
/// The refusal that the device is answered with.
pub fn authorize<'a>(
    config: &'a Config,
    head: &RequestHead<'a>,
    claim: &Claim,
    record: &KeyRecord,
    now: UnixSeconds,
) -> Result<Authorized<'a>, Refusal> {
    let key = record.key(claim.key_id(), now)?;
    let material = key.material();
    let resources = match claim {
        Claim::Preview(link) => {
            let file = config.previews.resource(head.host(), link, &config.hosts);
            file.into_iter().collect()
        }
        _ => config.hosts.resources(head.host(), head.path()),
    };
    let reason = if resources.is_empty() {
        "No bucket is configured for this host and path."
    } else {
        "The signature matches none of the texts that the configured buckets and dates allow."
    };
    let circumstances = Circumstances::of(head, now);
    if config.hosts.is_service(head.host(), head.path()) {
        let service = Resource {
            signed_bucket: None,
            key: Vec::new(),
            bucket: (),
        };
        match claim.verify(head, &material, vec![service], &config.rules, now) {
            // A client that signs a bucket's name may do so on this path, too.
            Err(Denial::SignatureMismatch) => {}
            verified => return policy::permit_service(record, &config.hosts, verified?, circumstances),
        }
    }
    match claim.verify(head, &material, resources, &config.rules, now) {
        Ok(verified) => policy::permit(record, &config.hosts, verified, circumstances),
        Err(Denial::SignatureMismatch) => {
            // Signed by the key, but for a bucket that this host does not stand for: every answer is
            // the one that a bucket without a grant gets, a wrong date's too.
            let strangers = config.hosts.unknown_resources(head.host(), head.path());
            match claim.verify(head, &material, strangers, &config.rules, now) {
                Ok(_) => Err(Refusal::new(Fault::Forbidden)
                    .because("The bucket that was signed is not configured for this host.")),
                Err(Denial::SignatureMismatch) => Err(mismatch(config, head, claim).because(reason)),
                Err(denial) => Err(denial.into()),
            }
        }
        Err(denial) => Err(denial.into()),
    }
}

/// A mismatch, with the string to sign where the operator wants it shown.
fn mismatch(config: &Config, head: &RequestHead<'_>, claim: &Claim) -> Refusal {
    let refusal = Refusal::from(Denial::SignatureMismatch);
    if !config.string_to_sign_in_errors {
        return refusal;
    }
    let resources = config.hosts.resources(head.host(), head.path());
    let first = |texts: Vec<Vec<u8>>| texts.into_iter().next();
    let refusal = match first(claim.strings_to_sign(head, &resources)) {
        Some(text) => refusal.with_string_to_sign(&without_tokens(text, head)),
        None => refusal,
    };
    match first(claim.canonical_requests(head, &resources)) {
        Some(text) => refusal.with_canonical_request(&without_tokens(text, head)),
        None => refusal,
    }
}

/// Blanks the session tokens of a request out of a text that it is signed by, wherever they stand, as
/// they are or percent-encoded: a token is a bearer secret.
fn without_tokens(text: Vec<u8>, head: &RequestHead<'_>) -> Vec<u8> {
    let names = [
        "x-oss-security-token",
        "security-token",
        "x-amz-security-token",
        "X-Amz-Security-Token",
    ]
    .map(str::as_bytes);
    let headers = head.headers().filter(|(name, _)| names.contains(name));
    let parameters = head
        .parameters()
        .iter()
        .filter(|parameter| names.contains(&parameter.name.as_slice()));
    let presented = headers
        .map(|(_, value)| value)
        .chain(parameters.map(|parameter| parameter.value.as_slice()))
        .filter(|token| !token.is_empty());
    let mut tokens = Vec::new();
    for token in presented {
        let mut encoded = String::new();
        percent_encode(token, Slash::Encode, &mut encoded);
        tokens.extend([token.to_vec(), encoded.into_bytes()]);
    }
    // The greatest first: a token that begins another one would leave its end.
    let tokens = sorted(tokens).into_iter().rev();
    tokens.fold(text, |text, token| blanked(&text, &token))
}

/// Replaces every occurrence of `secret`, which is not empty, by `***`.
fn blanked(text: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(&first) = rest.first() {
        if let Some(behind) = rest.strip_prefix(secret) {
            out.extend_from_slice(b"***");
            rest = behind;
        } else {
            out.push(first);
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    out
}

/// aws-chunked framing belongs to SigV4; behind an OSS signature it would be stored as content.
fn refuse_streaming_body(head: &RequestHead<'_>) -> Result<(), Refusal> {
    match head.header("x-amz-content-sha256") {
        Occurrence::Once(value) if value.starts_with(b"STREAMING-") => Err(Fault::StreamingBody.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    #[test]
    fn l05_an_unknown_bucket_is_answered_exactly_like_a_forbidden_one() {
        let device = Device::with_grants(r#"[{"bucket": "devices"}]"#);
        let refusal = |target: &str| device.request("PUT", target, &[], |outcome| outcome.unwrap_err());
        let (forbidden, unknown) = (refusal("/firmware/k"), refusal("/nobody/k"));
        assert_eq!((forbidden.status(), forbidden.fault()), (403, Fault::Forbidden));
        assert_eq!(unknown.fault(), forbidden.fault());
        let wrong = |target: &str| {
            device.request_signed_with("another-secret-of-a-device", "PUT", target, &[], |outcome| {
                outcome.unwrap_err().fault()
            })
        };
        assert_eq!(wrong("/firmware/k"), Fault::SignatureMismatch);
        assert_eq!(wrong("/nobody/k"), Fault::SignatureMismatch);
    }

    #[test]
    fn l05_no_way_to_ask_tells_a_bucket_without_a_grant_from_one_that_does_not_exist() {
        let device = Device::with_grants(r#"[{"bucket": "devices"}]"#);
        let old = ("x-oss-date", "Wed, 01 May 2024 10:00:00 GMT");
        let token = ("x-oss-security-token", "TOKEN");
        for (target, headers) in [
            ("", [].as_slice()),
            ("k?partNumber=0&uploadId=U", &[]),
            ("k?callback=x", &[]),
            (".causeway/k", &[]),
            ("a%5Cb", &[]),
            ("k", &[("x-oss-unknown", "1")]),
            ("k", &[old]),
            ("k", &[token]),
        ] {
            let refusal = |bucket: &str| {
                let target = format!("/{bucket}/{target}");
                device.request("PUT", &target, headers, |outcome| outcome.unwrap_err().fault())
            };
            assert_eq!(refusal("firmware"), refusal("nobody"), "{target} {headers:?}");
        }
    }

    #[test]
    fn l03_the_string_to_sign_is_shown_where_the_operator_wants_it() {
        use oss_s3::answer::RequestId;
        let id = RequestId::from_bytes([0; 12]);
        let shown = |device: &Device| {
            let headers = [("x-oss-security-token", "TOKEN-TOKEN")];
            device.request_signed_with(
                "another-secret-of-a-device",
                "PUT",
                "/devices/k",
                &headers,
                |outcome| {
                    let answer = outcome.unwrap_err().answer(&crate::device::asked(&id));
                    String::from_utf8(answer.body).unwrap()
                },
            )
        };
        let quiet = shown(&Device::with_grants("[]"));
        assert!(quiet.contains("SignatureDoesNotMatch") && !quiet.contains("StringToSign"));
        let open = shown(&Device::showing_the_string_to_sign());
        assert!(
            open.contains("<StringToSign>PUT\n\n\nWed, 01 May 2024")
                && open.contains("/devices/k</StringToSign>"),
            "{open}"
        );
        assert!(!open.contains("TOKEN-TOKEN"));
    }

    #[test]
    fn a_form_is_known_by_its_head_and_told_where_none_is_taken() {
        let device = Device::with_grants("[]");
        let fault = |method: &str, target: &[u8], kind: &str, authorization: &str| {
            let lines = [
                ("host", "h"),
                ("content-type", kind),
                ("authorization", authorization),
            ];
            let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let head = RequestHead::new(method, target, lines, request_auth::Delivery::Lines).unwrap();
            (
                brings_form(device.config(), &head),
                claim(device.config(), &head).err().map(|refusal| refusal.fault()),
            )
        };
        let form = "multipart/form-data; boundary=b";
        for kind in [form, "Multipart/Form-Data;boundary=b", "multipart/form-data"] {
            assert_eq!(
                fault("POST", b"/b/", kind, ""),
                (true, Some(Fault::FormNotOffered)),
                "{kind}"
            );
        }
        for (method, target, kind) in [
            ("PUT", b"/b/k".as_slice(), form),
            ("GET", b"/b/", form),
            ("POST", b"/b/k?uploads", form),
            ("POST", b"/b/", "multipart/form-dataset"),
            ("POST", b"/b/", "application/x-www-form-urlencoded"),
            ("POST", b"/b/", ""),
        ] {
            assert_eq!(
                fault(method, target, kind, ""),
                (false, Some(Fault::Anonymous)),
                "{method} {kind}"
            );
        }
        // A head that is signed is no form's, whatever its body.
        assert_eq!(fault("POST", b"/b/", form, "OSS AK:c2ln"), (false, None));
        assert_eq!(
            fault("POST", b"/b/", form, "Bearer x"),
            (false, Some(Fault::SchemeUnknown))
        );
    }

    #[test]
    fn f08_a_streaming_marker_is_refused_before_any_key_is_looked_up() {
        let lines = [
            ("host", "h"),
            ("authorization", "OSS AK:c2ln"),
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ];
        let lines = lines
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let head = RequestHead::new("PUT", b"/k", lines, request_auth::Delivery::Lines).unwrap();
        let device = Device::with_grants("[]");
        assert_eq!(
            claim(device.config(), &head).unwrap_err().fault(),
            Fault::StreamingBody
        );
    }

    #[test]
    fn l02_the_session_token_is_never_shown_in_a_string_to_sign() {
        let text = |target: &str, headers: &[(&str, &str)]| {
            let lines = [("host", "h"), ("date", "DATE")];
            let lines = lines.iter().chain(headers);
            let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let head = RequestHead::new("PUT", target.as_bytes(), lines, request_auth::Delivery::Lines);
            let head = head.unwrap();
            let resource = Resource {
                signed_bucket: Some("b"),
                key: head.path().strip_prefix(b"/").unwrap().to_vec(),
                bucket: (),
            };
            let header = [("host", "h"), ("authorization", "OSS AK:c2ln")];
            let header = header.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let claim = RequestHead::new("PUT", b"/", header, request_auth::Delivery::Lines).unwrap();
            let claim = Claim::of(&claim).unwrap();
            let text = claim.strings_to_sign(&head, &[resource]).remove(0);
            String::from_utf8(without_tokens(text, &head)).unwrap()
        };
        assert_eq!(
            text(
                "/k?acl",
                &[("x-oss-meta-a", "1"), ("x-oss-security-token", "SECRET")]
            ),
            "PUT\n\n\nDATE\nx-oss-meta-a:1\nx-oss-security-token:***\n/b/k?acl"
        );
        assert_eq!(
            text("/k?acl&uploadId=u&security-token=SEC%26RET", &[]),
            "PUT\n\n\nDATE\n/b/k?acl&security-token=***&uploadId=u"
        );
        // What looks like a token before the real one must not draw the blanking to itself.
        assert_eq!(
            text(
                "/security-token=x?security-token=SECRET",
                &[
                    ("x-oss-meta-a", "security-token=&"),
                    ("x-oss-security-token", "SECRET-LONGER")
                ]
            ),
            "PUT\n\n\nDATE\nx-oss-meta-a:security-token=&\nx-oss-security-token:***\n/b/security-token=x?security-token=***"
        );
    }

    #[test]
    fn l02_the_session_token_is_never_shown_in_a_text_that_encodes_it() {
        let v2 = "/k?x-oss-signature-version=OSS2&x-oss-access-key-id=AK&x-oss-expires=1&x-oss-signature=s&security-token=SEC%2FRET";
        let v4 = "/k?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=AK/20240501/r/oss/aliyun_v4_request\
            &x-oss-date=20240501T000000Z&x-oss-expires=1&x-oss-signature=s&x-oss-security-token=SEC%2FRET";
        for (target, shown) in [
            (v2, "?security-token=***&x-oss-access-key-id=AK"),
            (v4, "&x-oss-security-token=***&x-oss-signature-version"),
        ] {
            let lines = [("host", "h"), ("x-oss-security-token", "SEC/RET-2")];
            let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let head = RequestHead::new("GET", target.as_bytes(), lines, request_auth::Delivery::Lines);
            let head = head.unwrap();
            let resource = Resource {
                signed_bucket: Some("b"),
                key: b"k".to_vec(),
                bucket: (),
            };
            let claim = Claim::of(&head).unwrap();
            let resources = [resource];
            let mut texts = claim.strings_to_sign(&head, &resources);
            texts.extend(claim.canonical_requests(&head, &resources));
            let texts: String = texts
                .into_iter()
                .map(|text| String::from_utf8(without_tokens(text, &head)).unwrap())
                .collect();
            assert!(texts.contains(shown), "{texts}");
            assert!(texts.contains("\nx-oss-security-token:***\n"), "{texts}");
            assert!(!texts.contains("SEC"), "{texts}");
        }
    }
}
