//! Which signature a request claims to carry: exactly one, or a reason why not.
//!
//! The scheme is settled before any key is looked up. Header and query together, two schemes, or a
//! foreign Authorization beside a presigned query are refused: which of them would count is exactly
//! what an attacker would like to choose.

use crate::aws_v4::AwsClaim;
#[cfg(feature = "cloudfront-signatures")]
use crate::cloudfront;
use crate::denial::Denial;
use crate::derived::{self, DerivedKeyId};
use crate::dialect::Dialect;
use crate::head::{Occurrence, RequestHead};
use crate::oss_claim::OssClaim;
use crate::oss_form::Candidate;
use crate::oss_v4::Scope;
use crate::preview::{Place, PreviewClaim};
use crate::public_key::PublicKey;
use crate::secret::{SecretKey, SecurityToken};
use crate::time::UnixSeconds;
use crate::verified::{Covered, Resource, Verified};
use crate::{aws_v4, oss_v1, oss_v2, oss_v4, preview};

/// The longest plain access key id, in bytes.
pub const MAX_KEY_ID_BYTES: usize = 128;

/// A signature scheme that keys can be allowed to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// OSS V1: HMAC-SHA1, in the Authorization header or in the query.
    OssV1,
    /// OSS V2: HMAC-SHA256 over every parameter, likewise.
    OssV2,
    /// OSS V4: HMAC-SHA256 under a key derived for a day, region and product, likewise.
    OssV4,
    /// S3 V4: AWS Signature Version 4 for S3, likewise.
    S3V4,
    /// A POST form with a policy that is signed with HMAC-SHA1.
    OssPostV1,
    /// A POST form with a policy that is signed with HMAC-SHA256.
    OssPostV2,
    /// A POST form with a policy that is signed with OSS V4's derived key.
    OssPostV4,
    /// A POST form with a policy that is signed with S3's SigV4.
    S3PostV4,
    /// A preview link: HMAC-SHA256 over what it is for, a file id, a time and a nonce.
    Preview,
    /// CloudFront's: RSA or ECDSA over a policy, in the query or in cookies.
    CloudFront,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 10] = [
        Self::OssV1,
        Self::OssV2,
        Self::OssV4,
        Self::S3V4,
        Self::OssPostV1,
        Self::OssPostV2,
        Self::OssPostV4,
        Self::S3PostV4,
        Self::Preview,
        Self::CloudFront,
    ];

    /// The schemes of access keys, which have secrets: every one but that of key pairs.
    pub const WITH_SECRETS: [Self; 9] = [
        Self::OssV1,
        Self::OssV2,
        Self::OssV4,
        Self::S3V4,
        Self::OssPostV1,
        Self::OssPostV2,
        Self::OssPostV4,
        Self::S3PostV4,
        Self::Preview,
    ];

    /// The name in configuration and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OssV1 => "oss-v1",
            Self::OssV2 => "oss-v2",
            Self::OssV4 => "oss-v4",
            Self::S3V4 => "s3-v4",
            Self::OssPostV1 => "oss-post-v1",
            Self::OssPostV2 => "oss-post-v2",
            Self::OssPostV4 => "oss-post-v4",
            Self::S3PostV4 => "s3-post-v4",
            Self::Preview => "preview",
            Self::CloudFront => "cloudfront",
        }
    }

    /// The dialect of those who sign with it.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::OssV1 | Self::OssV2 | Self::OssV4 | Self::OssPostV1 | Self::OssPostV2 | Self::OssPostV4 => {
                Dialect::Oss
            }
            Self::S3V4 | Self::S3PostV4 | Self::Preview | Self::CloudFront => Dialect::S3,
        }
    }

    /// Whether this is the signature of a form's policy.
    pub const fn is_form(self) -> bool {
        matches!(
            self,
            Self::OssPostV1 | Self::OssPostV2 | Self::OssPostV4 | Self::S3PostV4
        )
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

/// What the gateway's configuration says of signatures.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How far signed times may be from now.
    pub window: Window,
    /// The regions for which an OSS V4 signature may be made (`cn-hangzhou`); any, where it is empty. A
    /// client in front of a CNAME names what region it likes.
    pub regions: Vec<String>,
    /// The products for which one may be made: `oss`, and `oss-cloudbox` for clients of a cloud box.
    pub products: Vec<String>,
    /// The regions for which an S3 V4 signature may be made (`us-east-1`); any, where it is empty.
    pub aws_regions: Vec<String>,
}

impl Rules {
    /// The rules for a window: any region, and the product `oss`.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            regions: Vec::new(),
            products: vec!["oss".to_owned()],
            aws_regions: Vec::new(),
        }
    }
}

/// What is known of an access key while it is used: the part of a key record that verifying needs.
pub struct KeyMaterial<'k> {
    /// The access key id.
    pub key_id: &'k str,
    /// The secrets that are valid now: one, or two during a rotation.
    pub secrets: Vec<&'k SecretKey>,
    /// The key that verifies, where the record is one of a key pair; it has no secrets then.
    pub public_key: Option<&'k PublicKey>,
    /// The session token that requests have to carry, if the key has one.
    pub security_token: Option<&'k SecurityToken>,
    /// The schemes that the key may be used with.
    pub schemes: &'k [Scheme],
}

/// The one signature that a request carries, read but not verified.
#[derive(Debug)]
pub enum Claim {
    /// OSS V1, header or query.
    OssV1(OssClaim),
    /// OSS V2, header or query.
    OssV2(OssClaim),
    /// OSS V4, header or query, and the scope of its key.
    OssV4(OssClaim, Scope),
    /// S3 V4, header or query.
    S3V4(AwsClaim),
    /// A preview link.
    Preview(PreviewClaim),
    /// CloudFront's, query or cookies.
    #[cfg(feature = "cloudfront-signatures")]
    CloudFront(cloudfront::CloudFrontClaim),
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
        // Cookies only read: a page of another site can have a browser send them with what changes something.
        let in_cookies = match head.method() {
            "GET" | "HEAD" => Self::in_cookies(head)?,
            _ => None,
        };
        match (authorization, in_query, in_cookies) {
            (None, None, None) => Err(Denial::Anonymous),
            (Some(value), None, None) => Self::in_header(value),
            (None, Some(scheme), None) => scheme.claim(head),
            (None, None, Some(claim)) => Ok(claim),
            _ => Err(Denial::SeveralCredentials),
        }
    }

    /// Reads the claim of a request for a path at which preview links are served: that of the link, where the
    /// query has any part of one, and else that of [`Claim::of`].
    ///
    /// # Errors
    /// Those of [`Claim::of`]; [`Denial::SeveralCredentials`] for a link beside another credential; a part of
    /// a link that is missing, repeated or malformed; a link that is not for reading.
    pub fn at(head: &RequestHead<'_>, place: Place<'_>) -> Result<Self, Denial> {
        match Self::of(head) {
            claim if !preview::is_in(head) => claim,
            Err(Denial::Anonymous) => preview::claim(head, place).map(Self::Preview),
            _ => Err(Denial::SeveralCredentials),
        }
    }

    #[cfg(feature = "cloudfront-signatures")]
    fn in_cookies(head: &RequestHead<'_>) -> Result<Option<Self>, Denial> {
        Ok(cloudfront::in_cookies(head)?.map(Self::CloudFront))
    }

    #[cfg(not(feature = "cloudfront-signatures"))]
    fn in_cookies(head: &RequestHead<'_>) -> Result<Option<Self>, Denial> {
        let name = b"CloudFront-Key-Pair-Id=";
        let mut cookies = head.headers().filter(|(header, _)| *header == b"cookie");
        if cookies.any(|(_, value)| value.windows(name.len()).any(|text| text == name)) {
            return Err(Denial::SchemeNotOffered("CloudFront signed cookies"));
        }
        Ok(None)
    }

    /// Reads an Authorization header: the scheme by its exact prefix; case counts, as in every SDK's
    /// output.
    fn in_header(value: &[u8]) -> Result<Self, Denial> {
        let blank = value.iter().position(|&byte| byte == b' ');
        let (scheme, credential) = match blank.and_then(|blank| value.split_at_checked(blank)) {
            Some((scheme, rest)) => (scheme, rest.strip_prefix(b" ").unwrap_or_default()),
            None => return Err(Denial::UnknownScheme),
        };
        match scheme {
            b"OSS" => oss_v1::in_header(credential).map(Self::OssV1),
            b"OSS2" => oss_v2::in_header(credential).map(Self::OssV2),
            b"OSS4-HMAC-SHA256" => {
                oss_v4::in_header(credential).map(|(claim, scope)| Self::OssV4(claim, scope))
            }
            b"AWS4-HMAC-SHA256" => aws_v4::in_header(credential).map(Self::S3V4),
            b"AWS4-ECDSA-P256-SHA256" => Err(Denial::SchemeNotOffered("AWS4-ECDSA-P256-SHA256")),
            b"AWS" => Err(Denial::SchemeNotOffered("AWS")),
            _ => Err(Denial::UnknownScheme),
        }
    }

    /// The access key id that the request names, well-formed; for a preview link, which names none, that of
    /// its place.
    pub fn key_id(&self) -> &str {
        match self {
            Self::OssV1(claim) | Self::OssV2(claim) | Self::OssV4(claim, _) => &claim.key_id,
            Self::S3V4(claim) => &claim.key_id,
            Self::Preview(claim) => &claim.key_id,
            #[cfg(feature = "cloudfront-signatures")]
            Self::CloudFront(claim) => &claim.key_id,
        }
    }

    /// The id under which the key's record is stored: the access key id, or that of its fleet's record
    /// where the key is a derived one.
    pub fn record_id(&self) -> &str {
        let key_id = self.key_id();
        DerivedKeyId::parse(key_id).map_or(key_id, |derived| derived.record_id())
    }

    /// The scheme of the claim.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::OssV1(_) => Scheme::OssV1,
            Self::OssV2(_) => Scheme::OssV2,
            Self::OssV4(..) => Scheme::OssV4,
            Self::S3V4(_) => Scheme::S3V4,
            Self::Preview(_) => Scheme::Preview,
            #[cfg(feature = "cloudfront-signatures")]
            Self::CloudFront(_) => Scheme::CloudFront,
        }
    }

    /// Verifies the claim: the key may use the scheme, one candidate's MAC is the presented one, the
    /// date or expiry that this candidate signs is in the window, and the session token is the key's.
    ///
    /// `head` is the head that the claim was read from; `resources` are the candidates that
    /// addressing allows for its host and path. Each of them is tried in at most 8 forms of V1, 1 of
    /// V2, 6 of V4 and 4 of S3 V4, each under the key's one or two secrets.
    ///
    /// # Errors
    /// The first [`Denial`] in that order.
    pub fn verify<'a, B>(
        &self,
        head: &RequestHead<'a>,
        key: &KeyMaterial<'_>,
        resources: Vec<Resource<'a, B>>,
        rules: &Rules,
        now: UnixSeconds,
    ) -> Result<Verified<'a, B>, Denial> {
        let candidates: Vec<_> = resources.iter().map(Resource::candidate).collect();
        let (index, covered) = self.covered(head, key, &candidates, rules, now)?;
        match resources.into_iter().nth(index) {
            Some(resource) => Ok(Verified::assertion(covered, resource)),
            None => Err(Denial::SignatureMismatch),
        }
    }

    /// [`Claim::verify`] without what addressing attached to the candidates: which of them matched, and
    /// what that covers.
    fn covered<'a>(
        &self,
        head: &RequestHead<'a>,
        key: &KeyMaterial<'_>,
        candidates: &[Candidate<'_>],
        rules: &Rules,
        now: UnixSeconds,
    ) -> Result<(usize, Covered<'a>), Denial> {
        if key.key_id != self.key_id() {
            return Err(Denial::UnknownKey);
        }
        if key.secrets.is_empty() && key.public_key.is_none() {
            return Err(Denial::InactiveKey);
        }
        if !key.schemes.contains(&self.scheme()) {
            return Err(Denial::SchemeNotAllowed(self.scheme()));
        }
        match self {
            Self::OssV1(claim) => oss_v1::verify(claim, head, key, candidates, rules.window, now),
            Self::OssV2(claim) => oss_v2::verify(claim, head, key, candidates, rules.window, now),
            Self::OssV4(claim, scope) => oss_v4::verify((claim, scope), head, key, candidates, rules, now),
            // Host and path are signed as they are: the first resource that they stand for counts.
            Self::S3V4(claim) => {
                let has_resource = !candidates.is_empty();
                aws_v4::verify(claim, head, key, has_resource, rules, now).map(|covered| (0, covered))
            }
            // The resource of a link is a matter of configuration alone.
            Self::Preview(claim) => {
                preview::verify(claim, head, key, rules.window, now).map(|covered| (0, covered))
            }
            // The URL is signed whole, so there is nothing to try: it is what addressing takes it for first.
            #[cfg(feature = "cloudfront-signatures")]
            Self::CloudFront(_) if candidates.is_empty() => Err(Denial::SignatureMismatch),
            #[cfg(feature = "cloudfront-signatures")]
            Self::CloudFront(claim) => Ok((0, cloudfront::verify(claim, head, key, rules.window, now)?)),
        }
    }

    /// Every text that the signature may have been made over, in the order tried. It holds the
    /// session token where one was signed: redact before showing.
    pub fn strings_to_sign<B>(&self, head: &RequestHead<'_>, resources: &[Resource<'_, B>]) -> Vec<Vec<u8>> {
        let candidates: Vec<_> = resources.iter().map(Resource::candidate).collect();
        match self {
            Self::OssV1(claim) => oss_v1::strings_to_sign(claim, head, &candidates),
            Self::OssV2(claim) => oss_v2::strings_to_sign(claim, head, &candidates),
            Self::OssV4(claim, scope) => oss_v4::strings_to_sign((claim, scope), head, &candidates),
            Self::S3V4(claim) => aws_v4::strings_to_sign(claim, head),
            Self::Preview(claim) => vec![preview::string_to_sign(claim)],
            #[cfg(feature = "cloudfront-signatures")]
            Self::CloudFront(claim) => cloudfront::strings_to_sign(claim, head),
        }
    }

    /// The canonical requests whose digests stand in the strings to sign of V4, in the same order and
    /// with the same warning; none for the schemes that sign their text itself.
    pub fn canonical_requests<B>(
        &self,
        head: &RequestHead<'_>,
        resources: &[Resource<'_, B>],
    ) -> Vec<Vec<u8>> {
        let candidates: Vec<_> = resources.iter().map(Resource::candidate).collect();
        match self {
            Self::OssV1(_) | Self::OssV2(_) | Self::Preview(_) => Vec::new(),
            Self::OssV4(claim, _) => oss_v4::canonical_requests(claim, head, &candidates),
            Self::S3V4(claim) => aws_v4::canonical_requests(claim, head),
            #[cfg(feature = "cloudfront-signatures")]
            Self::CloudFront(_) => Vec::new(),
        }
    }
}

enum QueryScheme {
    OssV1,
    OssV2,
    OssV4,
    S3V2,
    S3V4,
    CloudFront,
}

impl QueryScheme {
    fn of(head: &RequestHead<'_>) -> Result<Option<Self>, Denial> {
        let mut found = Vec::new();
        if head.single_parameter("OSSAccessKeyId")?.is_some() {
            found.push(Self::OssV1);
        }
        match head.single_parameter("x-oss-signature-version")? {
            Some(b"OSS4-HMAC-SHA256") => found.push(Self::OssV4),
            Some(b"OSS2") => found.push(Self::OssV2),
            Some(_) => return Err(Denial::UnknownScheme),
            None => {}
        }
        let sent = |name| head.parameter(name) != Occurrence::Absent;
        if ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"]
            .into_iter()
            .any(sent)
        {
            found.push(Self::S3V4);
        }
        // The version 2 of S3, in which boto3 presigns for some regions unless it is told otherwise.
        if sent("AWSAccessKeyId") {
            found.push(Self::S3V2);
        }
        if head.single_parameter("Key-Pair-Id")?.is_some() {
            found.push(Self::CloudFront);
        }
        let first = found.pop();
        if found.is_empty() {
            Ok(first)
        } else {
            Err(Denial::SeveralCredentials)
        }
    }

    fn claim(self, head: &RequestHead<'_>) -> Result<Claim, Denial> {
        match self {
            Self::OssV1 => oss_v1::in_query(head).map(Claim::OssV1),
            Self::OssV2 => oss_v2::in_query(head).map(Claim::OssV2),
            Self::OssV4 => oss_v4::in_query(head).map(|(claim, scope)| Claim::OssV4(claim, scope)),
            Self::S3V2 => Err(Denial::SchemeNotOffered("AWS")),
            Self::S3V4 => aws_v4::in_query(head).map(Claim::S3V4),
            #[cfg(feature = "cloudfront-signatures")]
            Self::CloudFront => cloudfront::in_query(head).map(Claim::CloudFront),
            #[cfg(not(feature = "cloudfront-signatures"))]
            Self::CloudFront => Err(Denial::SchemeNotOffered("CloudFront signed URL")),
        }
    }
}

/// Reads an access key id: a plain one (see [`is_plain_key_id`]) or a derived one, compared
/// case-sensitively later.
pub(crate) fn read_key_id(text: &[u8]) -> Result<String, Denial> {
    let id = core::str::from_utf8(text).map_err(|_| Denial::MalformedKeyId)?;
    if is_plain_key_id(id) || DerivedKeyId::parse(id).is_some() {
        Ok(id.to_owned())
    } else {
        Err(Denial::MalformedKeyId)
    }
}

/// Whether `id` has the form of an access key id that is listed by itself:
/// `[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}`, and not what is kept for [derived ids](crate::derived).
pub fn is_plain_key_id(id: &str) -> bool {
    let text = id.as_bytes();
    text.len() <= MAX_KEY_ID_BYTES
        && text.first().is_some_and(|&byte| byte != b'.')
        && text
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !derived::is_reserved(text)
}

#[cfg(test)]
mod tests;
