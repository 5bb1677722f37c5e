//! Where a copy comes from: read out of the client's header once, and written anew for S3.
//!
//! The header names a virtual bucket and a percent-encoded key. Both are decoded exactly once: an encoded
//! `?versionId=` belongs to the key, and a raw one names the version (attack cases A03, A09). The key is judged
//! like any other (A06, A07). What S3 is told is the configured S3 bucket and the key at the origin, which
//! whoever permits the copy makes of it; nothing of the client's text is passed on.

use request_auth::canon::percent_decode;
use request_auth::{Dialect, Verified};

use crate::addressing::VirtualBucket;
use crate::area::Area;
use crate::error::{Fault, Refusal};
use crate::key::{KeyError, ObjectKey, encoded_value};
use crate::operation::VersionId;

/// S3's header, which an OSS client has another name for.
pub(crate) const HEADER: &str = "x-amz-copy-source";
/// How S3's headers begin that are about the source; what follows is the name of the same header of a read.
pub(crate) const OF_SOURCE: &str = "x-amz-copy-source-";
/// S3's header that says which bytes of the source are copied.
pub(crate) const RANGE: &str = "x-amz-copy-source-range";
/// How S3's headers begin that say of what state the source has to be.
pub(crate) const CONDITIONS: &str = "x-amz-copy-source-if-";
const OSS_HEADER: &str = "x-oss-copy-source";

/// An object as a client names it for a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopySource {
    bucket: String,
    key: ObjectKey,
    version: Option<VersionId>,
}

/// A source as the origin knows it: the value of S3's header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OriginSource(String);

impl OriginSource {
    /// The value of `x-amz-copy-source`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CopySource {
    /// The source that a verified request names; what its signature does not cover is not read.
    ///
    /// # Errors
    /// A refusal that names the header: there is none, or it is no bucket and key with nothing but a version
    /// behind them; `InvalidObjectName` for a key that is none.
    pub fn of<B>(verified: &Verified<'_, B>) -> Result<Self, Refusal> {
        let dialect = verified.scheme().dialect();
        let value = presented(verified).unwrap_or_default();
        let unreadable = || Refusal::new(Fault::ArgumentInvalid).about(header_of(dialect));
        let mut pieces = value.splitn(2, |&byte| byte == b'?');
        let path = pieces.next().unwrap_or_default();
        // Go's first SDK writes blanks as `+`; every other one writes a plus as %2B.
        let blank = |byte| match byte {
            b'+' if dialect == Dialect::Oss => b' ',
            byte => byte,
        };
        let path: Vec<u8> = path.iter().copied().map(blank).collect();
        let path = percent_decode(&path).ok_or_else(unreadable)?;
        let path = path.strip_prefix(b"/").unwrap_or(&path);
        let at = path
            .iter()
            .position(|&byte| byte == b'/')
            .ok_or_else(unreadable)?;
        let (bucket, key) = path.split_at_checked(at).ok_or_else(unreadable)?;
        let version = match pieces.next() {
            None => None,
            Some(query) => {
                let version = query.strip_prefix(b"versionId=").and_then(percent_decode);
                let version = version.and_then(|bytes| String::from_utf8(bytes).ok());
                // A raw `&` or `?` in the value would be another parameter's beginning, or nobody's.
                let is_one = query.iter().all(|byte| !b"&?".contains(byte));
                let version = version.filter(|_| is_one).and_then(|text| VersionId::new(&text));
                Some(version.ok_or_else(unreadable)?)
            }
        };
        Ok(Self {
            bucket: String::from_utf8(bucket.to_vec()).map_err(|_| unreadable())?,
            key: ObjectKey::new(key.get(1..).unwrap_or_default())?,
            version,
        })
    }

    /// The bucket as the client names it: a virtual one, or nobody's.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key as the client names it.
    pub const fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// The source at the origin: in the bucket that its name stands for, behind the mount of what is opened of it.
    ///
    /// # Errors
    /// A [`KeyError`] for a key that is too long with its mount.
    pub fn at_origin(&self, bucket: &VirtualBucket, area: &Area) -> Result<OriginSource, KeyError> {
        let key = area.origin_key(&self.key)?.percent_encoded();
        let bucket = encoded_value(bucket.origin.bucket.as_bytes());
        let version = self.version.as_ref().map(VersionId::query);
        let mark = if version.is_some() { "?" } else { "" };
        let version = version.unwrap_or_default();
        Ok(OriginSource(["/", &bucket, "/", &key, mark, &version].concat()))
    }
}

const fn header_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Oss => OSS_HEADER,
        Dialect::S3 => HEADER,
    }
}

/// The value of the header by which a request is a copy, where its signature covers it: a presigned URL of
/// S3's may have it as a parameter.
pub(crate) fn presented<'v, B>(verified: &'v Verified<'_, B>) -> Option<&'v [u8]> {
    let dialect = verified.scheme().dialect();
    let name = header_of(dialect);
    let in_query = || {
        let mut parameters = verified.parameters().iter();
        let found = parameters.find(|one| dialect == Dialect::S3 && one.name == name.as_bytes());
        found.map(|parameter| parameter.value.as_slice())
    };
    verified.signed(name).or_else(in_query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Request, bucket};

    fn of(request: &Request) -> Result<CopySource, Fault> {
        request.verified(|verified| CopySource::of(verified).map_err(|refusal| refusal.fault()))
    }

    fn oss(source: &str) -> Result<CopySource, Fault> {
        of(&Request::new("PUT", "/devices/k").header("x-oss-copy-source", source))
    }

    fn s3(source: &str) -> Result<CopySource, Fault> {
        let request = Request::new("PUT", "/devices/k").header("x-amz-copy-source", source);
        of(&request.signed_by_s3(&[]))
    }

    /// The parts of a source: bucket, key and version.
    fn parts(source: Result<CopySource, Fault>) -> Result<(String, String, Option<String>), Fault> {
        source.map(|source| {
            let version = source.version.map(|version| version.as_str().to_owned());
            (source.bucket, source.key.as_str().to_owned(), version)
        })
    }

    fn some(
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(String, String, Option<String>), Fault> {
        Ok((bucket.to_owned(), key.to_owned(), version.map(str::to_owned)))
    }

    #[test]
    fn a03_each_sdk_s_way_to_write_a_source_names_the_key_that_it_means() {
        for (source, key) in [
            // oss2 and alibabacloud-oss-v2, Java; ali-oss; boto3.
            ("/b/a%2Fb%20c%2Bd", "a/b c+d"),
            ("/b/a/b%20c%2Bd", "a/b c+d"),
            ("b/a/b%20c%2Bd", "a/b c+d"),
            ("b%2Fa%2Fb%20c%2Bd", "a/b c+d"),
            ("%2Fb%2Fa%2Fb%20c%2Bd", "a/b c+d"),
            ("/b/%252e%252e/%252F", "%2e%2e/%2F"),
            ("/b/%3FversionId%3Dv", "?versionId=v"),
            ("/b/a%26b%23c", "a&b#c"),
            ("/b/a&b#c=d", "a&b#c=d"),
            ("/b//a//", "/a//"),
            ("/b/%E4%B8%AD", "\u{4e2d}"),
            ("/b/~!*'()", "~!*'()"),
        ] {
            assert_eq!(parts(oss(source)), some("b", key, None), "{source}");
            assert_eq!(parts(s3(source)), some("b", key, None), "{source}");
        }
        // Go's first SDK writes blanks so, and no other a plus.
        assert_eq!(parts(oss("/b/a+b")), some("b", "a b", None));
        assert_eq!(parts(s3("/b/a+b")), some("b", "a+b", None));
    }

    #[test]
    fn a09_a_version_is_what_stands_behind_the_one_raw_question_mark() {
        for (source, version) in [
            ("/b/k?versionId=null", "null"),
            ("/b/k?versionId=a%2Fb.c_-%2B", "a/b.c_-+"),
            ("/b/k?versionId=a+b", "a+b"),
            ("/b/k?versionId=%3FversionId=w", "?versionId=w"),
        ] {
            for read in [oss(source), s3(source)] {
                assert_eq!(parts(read), some("b", "k", Some(version)), "{source}");
            }
        }
        for source in [
            "/b/k?",
            "/b/k?versionId",
            "/b/k?versionId=",
            "/b/k?versionid=v",
            "/b/k?versionId=v&acl",
            "/b/k?acl&versionId=v",
            "/b/k?versionId=v?versionId=w",
            "/b/k?versionId=v%20w",
            "/b/k?versionId=v%0A",
            "/b/k?versionId=%",
            "/b/k?x-oss-process=image",
            "/b/a?b",
        ] {
            for read in [oss(source), s3(source)] {
                assert_eq!(parts(read), Err(Fault::ArgumentInvalid), "{source}");
            }
        }
    }

    #[test]
    fn a06_a07_a_source_is_a_bucket_and_a_key_that_nobody_can_read_as_another() {
        for source in ["", "/", "b", "/b", "/b%", "/b/%", "/b/%4", "/b/%zz", "%FF/k"] {
            for read in [oss(source), s3(source)] {
                assert_eq!(parts(read), Err(Fault::ArgumentInvalid), "{source}");
            }
        }
        let long = ["/b/", &"a".repeat(1024)].concat();
        for read in [oss(&long), s3(&long)] {
            assert_eq!(parts(read), Err(Fault::ObjectNameTooLong));
        }
        for source in [
            "/b/",
            "/b/../other/k",
            "/b/%2e%2e/other/k",
            "/b/a/%2E%2E",
            "/b/./k",
            "/b/a%5Cb",
            "/b/a\\b",
            "/b/%00",
            "/b/a%0Ab",
            "/b/%FF",
            "/b/%C0%AE%C0%AE/k",
            "/b/.causeway/k",
            "b/%2Ecauseway%2Fk",
            "%2Fb%2F.causeway%2Fk",
            "/b/%2ecauseway/k?versionId=v",
            "/b//.causeway/k",
        ] {
            for read in [oss(source), s3(source)] {
                assert_eq!(parts(read), Err(Fault::ObjectNameInvalid), "{source}");
            }
        }
    }

    #[test]
    fn o04_b01_only_the_dialect_s_own_header_names_a_source_and_only_where_it_is_signed() {
        let other = Request::new("PUT", "/devices/k").header("x-amz-copy-source", "/b/k");
        assert_eq!(of(&other), Err(Fault::ArgumentInvalid));
        other.verified(|verified| assert_eq!(presented(verified), None));
        let other = Request::new("PUT", "/devices/k").header("x-oss-copy-source", "/b/k");
        other
            .signed_by_s3(&[])
            .verified(|verified| assert_eq!(presented(verified), None));
        let presigned = Request::new("PUT", "/devices/k?x-amz-copy-source=%2Fb%2Fa%252Fb").presigned_by_s3();
        assert_eq!(parts(of(&presigned)), some("b", "a/b", None));
    }

    #[test]
    fn a03_any_key_is_the_same_at_the_origin_however_its_client_writes_it() {
        use request_auth::canon::{Slash, percent_encode};
        let area = Area::new(String::new(), "m/".to_owned());
        let pieces = [
            "a",
            "/",
            "%",
            "+",
            " ",
            "?",
            "versionId=v",
            "&",
            "#",
            "%2F",
            "..",
            "~",
            "\u{4e2d}",
            "\u{1f600}",
            "\"",
            "'",
        ];
        let mut seed = 1_u64;
        for _ in 0..300 {
            let mut key = "k".to_owned();
            for _ in 0..6 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                key.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            }
            let Ok(known) = ObjectKey::new(key.as_bytes()) else {
                continue;
            };
            let encoded = |slash| {
                let mut text = "/devices/".to_owned();
                percent_encode(key.as_bytes(), slash, &mut text);
                text
            };
            let forms = [encoded(Slash::Keep), encoded(Slash::Encode)];
            let blanks = forms[1].replace("%20", "+");
            for source in [
                oss(&forms[0]),
                oss(&forms[1]),
                oss(&blanks),
                s3(&forms[0]),
                s3(&forms[1]),
            ] {
                let told = source.unwrap().at_origin(&bucket(), &area).unwrap();
                let text = told.as_str().strip_prefix("/acme-ingest/m/").unwrap();
                assert!(!text.contains(['?', '&', '+', ' ', '#']), "{text}");
                assert_eq!(percent_decode(text.as_bytes()).unwrap(), known.as_bytes());
            }
        }
    }

    #[test]
    fn the_origin_is_told_its_own_bucket_and_the_key_behind_the_mount_encoded_anew() {
        let area = Area::new("a/".to_owned(), "m/".to_owned());
        for (source, expected) in [
            ("/devices/a/b c+d", "/acme-ingest/m/a/b%20c%20d"),
            ("/devices/a%2F%2520%3F%26", "/acme-ingest/m/a/%2520%3F%26"),
            (
                "/devices/a/k?versionId=%2B%26",
                "/acme-ingest/m/a/k?versionId=%2B%26",
            ),
        ] {
            let source = oss(source).unwrap().at_origin(&bucket(), &area).unwrap();
            assert_eq!(source.as_str(), expected);
        }
        let long = oss(&["/devices/", &"a".repeat(1023)].concat()).unwrap();
        assert_eq!(long.at_origin(&bucket(), &area), Err(KeyError::TooLong));
    }
}
