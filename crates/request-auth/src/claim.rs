//! Which signature a request claims to carry: exactly one, or a reason why not.
//!
//! The scheme is settled before any key is looked up. Header and query together, two schemes, or a
//! foreign Authorization beside a presigned query are refused: which of them would count is exactly
//! what an attacker would like to choose.

use crate::denial::Denial;
use crate::head::{Occurrence, RequestHead};
use crate::oss_v1::OssV1Claim;
use crate::secret::{SecretKey, SecurityToken};
use crate::time::UnixSeconds;
use crate::verified::{Resource, Verified};

/// The longest access key id, in bytes.
pub const MAX_KEY_ID_BYTES: usize = 128;

/// A signature scheme that keys can be allowed to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// OSS V1: HMAC-SHA1, in the Authorization header or in the query.
    OssV1,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 1] = [Self::OssV1];

    /// The name in configuration and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OssV1 => "oss-v1",
        }
    }
}

/// How far signed times may be from now.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The largest distance between the signed date and now, in seconds, both ways.
    pub skew_seconds: u32,
    /// The furthest that a presigned URL's Expires may lie ahead, in seconds; `None`: no bound.
    pub presigned_max_seconds: Option<u32>,
}

/// What is known of an access key while it is used: the part of a key record that verifying needs.
pub struct KeyMaterial<'k> {
    /// The access key id.
    pub key_id: &'k str,
    /// The secrets that are valid now: one, or two during a rotation.
    pub secrets: Vec<&'k SecretKey>,
    /// The session token that requests have to carry, if the key has one.
    pub security_token: Option<&'k SecurityToken>,
    /// The schemes that the key may be used with.
    pub schemes: &'k [Scheme],
}

/// The one signature that a request carries, read but not verified.
#[derive(Debug)]
pub enum Claim {
    /// OSS V1, header or query.
    OssV1(OssV1Claim),
}

impl Claim {
    /// Reads the claim of a request.
    ///
    /// # Errors
    /// Any [`Denial`] about the credential's form: none, several, unknown, not offered, malformed.
    pub fn of(head: &RequestHead<'_>) -> Result<Self, Denial> {
        let authorization = head
            .header("authorization")
            .at_most_once("authorization")?
            .filter(|value| !value.is_empty());
        let in_query = QueryScheme::of(head)?;
        match (authorization, in_query) {
            (Some(_), Some(_)) => Err(Denial::SeveralCredentials),
            (None, None) => Err(Denial::Anonymous),
            (None, Some(QueryScheme::OssV1)) => OssV1Claim::from_query(head).map(Self::OssV1),
            (None, Some(QueryScheme::NotOffered(name))) => Err(Denial::SchemeNotOffered(name)),
            (Some(value), None) => match HeaderScheme::of(value)? {
                HeaderScheme::OssV1(credential) => OssV1Claim::from_header(credential).map(Self::OssV1),
                HeaderScheme::NotOffered(name) => Err(Denial::SchemeNotOffered(name)),
            },
        }
    }

    /// The access key id that the request names, well-formed.
    pub fn key_id(&self) -> &str {
        match self {
            Self::OssV1(claim) => claim.key_id(),
        }
    }

    /// The scheme of the claim.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::OssV1(_) => Scheme::OssV1,
        }
    }

    /// Verifies the claim: the key may use the scheme, one candidate's MAC is the presented one, the
    /// date or expiry that this candidate signs is in the window, and the session token is the key's.
    ///
    /// `head` is the head that the claim was read from; `resources` are the candidates that
    /// addressing allows for its host and path.
    ///
    /// # Errors
    /// The first [`Denial`] in that order.
    pub fn verify<'a, B>(
        &self,
        head: &RequestHead<'a>,
        key: &KeyMaterial<'_>,
        resources: Vec<Resource<'a, B>>,
        window: Window,
        now: UnixSeconds,
    ) -> Result<Verified<'a, B>, Denial> {
        if key.key_id != self.key_id() {
            return Err(Denial::UnknownKey);
        }
        if key.secrets.is_empty() {
            return Err(Denial::InactiveKey);
        }
        if !key.schemes.contains(&self.scheme()) {
            return Err(Denial::SchemeNotAllowed);
        }
        match self {
            Self::OssV1(claim) => claim.verify(head, key, resources, window, now),
        }
    }

    /// Every text that the signature may have been made over, in the order tried. It holds the
    /// session token where one was signed: redact before showing.
    pub fn strings_to_sign<B>(&self, head: &RequestHead<'_>, resources: &[Resource<'_, B>]) -> Vec<Vec<u8>> {
        match self {
            Self::OssV1(claim) => claim.strings_to_sign(head, resources),
        }
    }
}

enum HeaderScheme<'v> {
    OssV1(&'v [u8]),
    NotOffered(&'static str),
}

impl<'v> HeaderScheme<'v> {
    /// The scheme by its exact prefix; case counts, as in every SDK's output.
    fn of(value: &'v [u8]) -> Result<Self, Denial> {
        if let Some(credential) = value.strip_prefix(b"OSS ") {
            return Ok(Self::OssV1(credential));
        }
        for name in [
            "OSS4-HMAC-SHA256",
            "OSS2",
            "AWS4-HMAC-SHA256",
            "AWS4-ECDSA-P256-SHA256",
            "AWS",
        ] {
            if value
                .strip_prefix(name.as_bytes())
                .is_some_and(|rest| rest.first() == Some(&b' '))
            {
                return Ok(Self::NotOffered(name));
            }
        }
        Err(Denial::UnknownScheme)
    }
}

enum QueryScheme {
    OssV1,
    NotOffered(&'static str),
}

impl QueryScheme {
    fn of(head: &RequestHead<'_>) -> Result<Option<Self>, Denial> {
        let mut found = Vec::new();
        if head.single_parameter("OSSAccessKeyId")?.is_some() {
            found.push(Self::OssV1);
        }
        match head.single_parameter("x-oss-signature-version")? {
            Some(b"OSS4-HMAC-SHA256") => found.push(Self::NotOffered("OSS4-HMAC-SHA256")),
            Some(b"OSS2") => found.push(Self::NotOffered("OSS2")),
            Some(_) => return Err(Denial::UnknownScheme),
            None => {}
        }
        let sent = |name| head.parameter(name) != Occurrence::Absent;
        if sent("X-Amz-Algorithm") || sent("X-Amz-Signature") {
            found.push(Self::NotOffered("AWS4-HMAC-SHA256"));
        }
        if sent("Key-Pair-Id") {
            found.push(Self::NotOffered("CloudFront signed URL"));
        }
        let first = found.pop();
        if found.is_empty() {
            Ok(first)
        } else {
            Err(Denial::SeveralCredentials)
        }
    }
}

/// Reads an access key id: `[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}`, compared case-sensitively later.
pub(crate) fn read_key_id(text: &[u8]) -> Result<String, Denial> {
    if is_key_id(text) {
        String::from_utf8(text.to_vec()).map_err(|_| Denial::MalformedKeyId)
    } else {
        Err(Denial::MalformedKeyId)
    }
}

/// Whether `text` has the form of an access key id: `[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}`.
pub fn is_key_id(text: &[u8]) -> bool {
    text.len() <= MAX_KEY_ID_BYTES
        && text.first().is_some_and(|&byte| byte != b'.')
        && text
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::{Delivery, HeadError};

    fn claim(target: &str, authorization: Option<&str>) -> Result<Claim, Denial> {
        let mut lines = vec![(b"host".as_slice(), b"h".as_slice())];
        if let Some(value) = authorization {
            lines.push((b"authorization", value.as_bytes()));
        }
        Claim::of(&RequestHead::new(
            "PUT",
            target.as_bytes(),
            lines,
            Delivery::Lines,
        )?)
    }

    #[test]
    fn d16_a_blank_authorization_is_no_authorization() {
        assert_eq!(claim("/k", Some("")).err(), Some(Denial::Anonymous));
        assert_eq!(claim("/k", Some("  ")).err(), Some(Denial::Anonymous));
        assert_eq!(claim("/k", None).err(), Some(Denial::Anonymous));
    }

    #[test]
    fn d05_o10_two_credentials_are_refused_whatever_they_are() {
        let presigned = "/k?OSSAccessKeyId=A&Expires=1&Signature=s";
        for (target, header) in [
            (presigned, Some("OSS A:s")),
            (presigned, Some("Bearer t")),
            (presigned, Some("Basic dTpw")),
            ("/k?X-Amz-Algorithm=AWS4-HMAC-SHA256", Some("OSS A:s")),
            ("/k?x-oss-signature-version=OSS2", Some("OSS A:s")),
            (
                "/k?OSSAccessKeyId=A&Expires=1&Signature=s&X-Amz-Signature=x",
                None,
            ),
            (
                "/k?OSSAccessKeyId=A&Expires=1&Signature=s&x-oss-signature-version=OSS2",
                None,
            ),
        ] {
            assert_eq!(
                claim(target, header).err(),
                Some(Denial::SeveralCredentials),
                "{target} {header:?}"
            );
        }
    }

    #[test]
    fn d09_other_schemes_and_spellings_are_refused_cleanly() {
        for (header, denial) in [
            (
                "OSS4-HMAC-SHA256 Credential=a/b",
                Denial::SchemeNotOffered("OSS4-HMAC-SHA256"),
            ),
            ("OSS2 AccessKeyId:a,Signature:b", Denial::SchemeNotOffered("OSS2")),
            (
                "AWS4-HMAC-SHA256 Credential=a",
                Denial::SchemeNotOffered("AWS4-HMAC-SHA256"),
            ),
            (
                "AWS4-ECDSA-P256-SHA256 Credential=a",
                Denial::SchemeNotOffered("AWS4-ECDSA-P256-SHA256"),
            ),
            ("AWS a:b", Denial::SchemeNotOffered("AWS")),
            ("AWS4-HMAC-SHA1 a", Denial::UnknownScheme),
            ("oss A:s", Denial::UnknownScheme),
            ("OSS", Denial::UnknownScheme),
            ("OSS\tA:s", Denial::UnknownScheme),
            ("Bearer t", Denial::UnknownScheme),
            ("OSS A", Denial::MalformedCredential),
            ("OSS :s", Denial::MalformedKeyId),
            ("OSS A:s, OSS A:s", Denial::MalformedKeyId),
            ("OSS A:s, Basic YTpi", Denial::SeveralCredentials),
            ("OSS A:s,", Denial::SeveralCredentials),
        ] {
            assert_eq!(claim("/k", Some(header)).err(), Some(denial), "{header}");
        }
        assert_eq!(
            claim("/k?x-oss-signature-version=OSS9", None).err(),
            Some(Denial::UnknownScheme)
        );
    }

    #[test]
    fn d14_access_key_ids_outside_the_grammar_are_refused() {
        for id in [
            "a:b",
            "a,b",
            "a=b",
            "a b",
            ".a",
            "a/b",
            "\u{e9}",
            &"a".repeat(129),
        ] {
            let header = format!("OSS {id}:c2ln");
            assert_eq!(
                claim("/k", Some(&header)).err(),
                Some(Denial::MalformedKeyId),
                "{id}"
            );
        }
        for id in [
            "a",
            "STS.NUgYrLnoC37mZZCNnAbez",
            "LTAI5t",
            "_-.",
            &"a".repeat(128),
        ] {
            assert_eq!(claim("/k", Some(&format!("OSS {id}:c2ln"))).unwrap().key_id(), id);
        }
    }

    #[test]
    fn presigned_queries_without_a_part_are_refused_by_its_name() {
        assert_eq!(
            claim("/k?OSSAccessKeyId=A&Expires=1", None).err(),
            Some(Denial::PresignedIncomplete("Signature"))
        );
        assert_eq!(
            claim("/k?OSSAccessKeyId=A&Signature=s", None).err(),
            Some(Denial::PresignedIncomplete("Expires"))
        );
    }

    #[test]
    fn a_repeated_part_of_a_presigned_query_is_refused() {
        for again in ["OSSAccessKeyId=B", "Expires=2", "Signature=t"] {
            let target = format!("/k?OSSAccessKeyId=A&Expires=1&Signature=s&{again}");
            assert_eq!(
                claim(&target, None).err(),
                Some(Denial::Head(HeadError::RepeatedParameter)),
                "{again}"
            );
        }
    }
}
