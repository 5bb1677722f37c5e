//! A few S3 calls straight to the origin, past the gateway: to create the bucket, and to see what is in it.

use std::io::Read as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use quick_xml::Reader;
use quick_xml::events::Event;
use request_auth::aws_v4::{self, OriginCredentials, Payload, Scope, SigningRequest};
use request_auth::canon::{Slash, percent_encode};
use request_auth::{SecretKey, UnixSeconds};
use sha2::{Digest as _, Sha256};

use super::endpoints::Origin;
use crate::project::hex;

/// The origin's bucket.
pub(crate) struct Bucket {
    origin: Origin,
    credentials: OriginCredentials,
    agent: ureq::Agent,
}

/// An object as the origin lists it.
pub(crate) struct Listed {
    pub(crate) key: String,
    /// In bytes.
    pub(crate) size: u64,
}

impl Bucket {
    /// Calls go to `origin`, over plain HTTP.
    pub(crate) fn new(origin: &Origin) -> anyhow::Result<Self> {
        let credentials = OriginCredentials {
            access_key_id: origin.access_key_id.clone(),
            secret: SecretKey::new(origin.secret_access_key.clone())
                .context("the origin's secret is empty")?,
            session_token: None,
        };
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        Ok(Self {
            origin: origin.clone(),
            credentials,
            agent,
        })
    }

    /// CreateBucket; a bucket that exists is fine.
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        match self.call("PUT", "", "", &[])? {
            (200 | 409, _) => Ok(()),
            (status, body) => bail!(
                "CreateBucket answered {status}: {}",
                String::from_utf8_lossy(&body)
            ),
        }
    }

    /// PutObject.
    pub(crate) fn put(&self, key: &str, content: &[u8]) -> anyhow::Result<()> {
        self.expect_success("PutObject", self.call("PUT", key, "", content)?)
            .map(drop)
    }

    /// DeleteObject.
    pub(crate) fn delete(&self, key: &str) -> anyhow::Result<()> {
        self.expect_success("DeleteObject", self.call("DELETE", key, "", &[])?)
            .map(drop)
    }

    /// ListObjectsV2: the first thousand keys that start with `prefix`.
    pub(crate) fn list(&self, prefix: &str) -> anyhow::Result<Vec<Listed>> {
        let mut query = "list-type=2&prefix=".to_owned();
        percent_encode(prefix.as_bytes(), Slash::Encode, &mut query);
        let document = self.expect_success("ListObjectsV2", self.call("GET", "", &query, &[])?)?;
        parse_list(std::str::from_utf8(&document)?)
    }

    /// GetObject: lower-case hex SHA-256 of the content.
    pub(crate) fn sha256(&self, key: &str) -> anyhow::Result<String> {
        let content = self.expect_success("GetObject", self.call("GET", key, "", &[])?)?;
        Ok(hex(&Sha256::digest(content)))
    }

    fn expect_success(&self, operation: &str, answer: (u16, Vec<u8>)) -> anyhow::Result<Vec<u8>> {
        match answer {
            (200..=299, body) => Ok(body),
            (status, body) => bail!(
                "{operation} answered {status}: {}",
                String::from_utf8_lossy(&body)
            ),
        }
    }

    fn call(&self, method: &str, key: &str, query: &str, body: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
        let host = self
            .origin
            .url
            .strip_prefix("http://")
            .context("the origin must be http:// for this")?;
        let mut path = format!("/{}", self.origin.bucket);
        if !key.is_empty() {
            path.push('/');
            percent_encode(key.as_bytes(), Slash::Keep, &mut path);
        }
        let headers = aws_v4::sign(
            SigningRequest {
                method,
                host,
                path: &path,
                query,
                headers: &[],
                payload: Payload::Bytes(body),
            },
            &self.credentials,
            Scope {
                region: &self.origin.region,
                service: "s3",
            },
            now()?,
        );
        let separator = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{separator}{query}", self.origin.url);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut response = self.agent.run(request.body(body)?)?;
        let mut content = Vec::new();
        response.body_mut().as_reader().read_to_end(&mut content)?;
        Ok((response.status().as_u16(), content))
    }
}

fn now() -> anyhow::Result<UnixSeconds> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("this machine's clock is before 1970")?;
    Ok(UnixSeconds(i64::try_from(since.as_secs())?))
}

/// Reads `Contents/Key` and `Contents/Size`.
fn parse_list(document: &str) -> anyhow::Result<Vec<Listed>> {
    let mut reader = Reader::from_str(document);
    let mut listed = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event()? {
            Event::Start(element) => {
                path.push(element.local_name().as_ref().to_owned());
                text.clear();
                if path.last().is_some_and(|name| name == "Contents") {
                    listed.push(Listed {
                        key: String::new(),
                        size: 0,
                    });
                }
            }
            Event::Text(piece) => text.push_str(&piece),
            Event::GeneralRef(reference) => {
                let entity = format!("&{};", &*reference);
                text.push_str(&quick_xml::escape::unescape(&entity)?);
            }
            Event::End(_) => {
                if let (Some(object), [.., parent, name]) = (listed.last_mut(), path.as_slice()) {
                    match (parent.as_str(), name.as_str()) {
                        ("Contents", "Key") => object.key = text.clone(),
                        ("Contents", "Size") => object.size = text.parse()?,
                        _ => {}
                    }
                }
                path.pop();
            }
            Event::Eof => return Ok(listed),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_with_its_entities() {
        let document = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
            <Prefix>a</Prefix><Contents><Key>a&amp;b &#x4E2D;</Key><Size>7</Size><Owner><ID>x</ID></Owner></Contents>\
            <Contents><Key>c</Key><Size>0</Size></Contents></ListBucketResult>";
        let listed: Vec<_> = parse_list(document)
            .unwrap()
            .into_iter()
            .map(|o| (o.key, o.size))
            .collect();
        assert_eq!(listed, [("a&b 中".to_owned(), 7), ("c".to_owned(), 0)]);
    }

    #[test]
    fn a_listing_that_is_not_xml_is_an_error() {
        assert!(parse_list("<ListBucketResult><Contents><Size>many</Size></Contents>").is_err());
    }
}
