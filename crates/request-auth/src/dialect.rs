//! Which dialect a client speaks, and so the one that it is answered in.
//!
//! A verified request speaks its scheme's ([`Scheme::dialect`](crate::Scheme::dialect)). A refusal can
//! come earlier, of a claim that is malformed or of a head that could not be read at all, so
//! [`Dialect::spoken`] goes by the marks on the wire and refuses nothing: it decides the shape of an
//! answer, and no more.

use crate::preview;

/// The dialects of object storage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Dialect {
    /// Alibaba Cloud OSS.
    Oss,
    /// Amazon S3.
    S3,
}

/// The query names that only a signature of AWS's has.
const S3_PARAMETERS: [&[u8]; 5] = [
    b"X-Amz-Algorithm",
    b"X-Amz-Credential",
    b"X-Amz-Signature",
    b"AWSAccessKeyId",
    b"Key-Pair-Id",
];

/// The cookie that only a signature of CloudFront's has.
const S3_COOKIE: &[u8] = b"CloudFront-Key-Pair-Id=";

impl Dialect {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Oss, Self::S3];

    /// The name in passports and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oss => "oss",
            Self::S3 => "s3",
        }
    }

    /// The dialect of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// The dialect of a request by its raw target and the bytes of its Authorization and Cookie headers, each
    /// empty where there is none. An Authorization of AWS's says S3, and any other OSS; without one, S3 is
    /// spoken where a query name or a cookie is one of AWS's signatures, and for what looks like a preview link.
    pub fn spoken(target: &[u8], authorization: &[u8], cookie: &[u8]) -> Self {
        let mut halves = target.splitn(2, |&byte| byte == b'?');
        let path = halves.next().unwrap_or_default();
        let query = halves.next().unwrap_or_default();
        let mut names = query
            .split(|&byte| byte == b'&')
            .filter_map(|pair| pair.split(|&byte| byte == b'=').next());
        let is_s3 = if authorization.is_empty() {
            let is_preview = preview::of_path(path).is_some() && preview::is_named(names.clone());
            let in_cookie = cookie.windows(S3_COOKIE.len()).any(|text| text == S3_COOKIE);
            is_preview || in_cookie || names.any(|name| S3_PARAMETERS.contains(&name))
        } else {
            authorization.starts_with(b"AWS")
        };
        if is_s3 { Self::S3 } else { Self::Oss }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_of_a_signature_tell_the_dialect_however_malformed_it_is() {
        for (target, authorization, dialect) in [
            ("/k", "AWS4-HMAC-SHA256 Credential=x", Dialect::S3),
            ("/k", "AWS4-HMAC-SHA256", Dialect::S3),
            ("/k", "AWS AK:sig", Dialect::S3),
            ("*", "AWS4-ECDSA-P256-SHA256 x", Dialect::S3),
            ("/k?X-Amz-Algorithm=x", "", Dialect::S3),
            ("/k?a=1&X-Amz-Credential", "", Dialect::S3),
            ("/k?X-Amz-Signature=", "", Dialect::S3),
            ("/k?AWSAccessKeyId=AK&Signature=s&Expires=1", "", Dialect::S3),
            ("/k?Policy=p&Signature=s&Key-Pair-Id=K", "", Dialect::S3),
            ("/k%zz?X-Amz-Signature=%zz", "", Dialect::S3),
            ("/files/x/file-preview?sign=", "", Dialect::S3),
            ("/files/x/image-preview?timestamp=1&a=b", "", Dialect::S3),
            ("/files/x/file-preview", "", Dialect::Oss),
            ("/files/x/file-preview?sign=s", "OSS AK:sig", Dialect::Oss),
            ("/files/x?sign=s", "", Dialect::Oss),
            ("/k", "OSS AK:sig", Dialect::Oss),
            ("/k", "OSS4-HMAC-SHA256 x", Dialect::Oss),
            ("/k?X-Amz-Signature=x", "OSS AK:sig", Dialect::Oss),
            ("/k", "Bearer x", Dialect::Oss),
            ("/k", "aws4-hmac-sha256 x", Dialect::Oss),
            ("/k?OSSAccessKeyId=AK&Signature=s", "", Dialect::Oss),
            ("/X-Amz-Signature=x", "", Dialect::Oss),
            ("/k?x-amz-signature=x", "", Dialect::Oss),
            ("/k?a=X-Amz-Signature", "", Dialect::Oss),
            ("", "", Dialect::Oss),
        ] {
            let spoken = Dialect::spoken(target.as_bytes(), authorization.as_bytes(), b"theme=dark");
            assert_eq!(spoken, dialect, "{target} {authorization}");
        }
        let cookie = b"theme=dark; CloudFront-Key-Pair-Id=\"K\"";
        assert_eq!(Dialect::spoken(b"/k", b"", cookie), Dialect::S3);
        assert_eq!(Dialect::spoken(b"/k", b"OSS AK:sig", cookie), Dialect::Oss);
    }

    #[test]
    fn a_dialect_is_known_by_its_name() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::from_name(dialect.name()), Some(dialect));
        }
        assert_eq!(Dialect::from_name("S3"), None);
    }
}
