//! The documents that clients send with operations, on their way to the origin: read into values, judged, and
//! written anew as S3's.

use request_auth::Dialect;

use super::OriginRequest;
use crate::acl;
use crate::creation;
use crate::errand::Errand;
use crate::error::Refusal;
use crate::operation::Operation;
use crate::restore;
use crate::tags::{self, TagSet};

impl OriginRequest {
    /// Gives the request of an errand what its client's document says, in a document of S3's with a digest of
    /// its own. The client's was compared with the digests that came with it.
    ///
    /// # Errors
    /// A refusal for a document that is none of the operation's.
    pub fn with_client_document(self, errand: &Errand<'_>, document: &[u8]) -> Result<Self, Refusal> {
        let dialect = errand.dialect;
        Ok(match errand.call.operation() {
            Operation::PutBucketTags => {
                let tags = TagSet::from_document(document, tags::most_of_a_bucket(dialect))?;
                self.with_document(tags.to_document(Dialect::S3))
            }
            Operation::PutBucket => match creation::rewritten(document, errand.bucket, dialect)? {
                Some(written) => self.with_document(written),
                None => self,
            },
            Operation::PutObjectTagging => {
                let tags = TagSet::from_document(document, errand.bucket.max_tags)?;
                self.with_document(tags.to_document(Dialect::S3))
            }
            Operation::RestoreObject => self.with_document(restore::rewritten(document, dialect)?),
            Operation::PutObjectAcl => {
                acl::check(errand.sends(acl::HEADER), document, dialect)?;
                self
            }
            _ => self,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addressing::AclRule;
    use crate::complete::content_md5;
    use crate::device::{self, Request, seals};
    use crate::error::Fault;
    use crate::request::OriginBody;

    /// What S3 is sent: method, path and query, the headers beyond Accept-Encoding, and the document.
    type Sent = (String, Vec<(String, String)>, String);

    fn sent(request: &Request, document: &str) -> Result<Sent, Fault> {
        request.authorized("fleet/AK/", |authorized| {
            let errand = authorized.errand(&seals()).map_err(|refusal| refusal.fault())?;
            let request = OriginRequest::new(&errand)
                .with_client_document(&errand, document.as_bytes())
                .map_err(|refusal| refusal.fault())?;
            let line = [request.method, " ", &request.path_and_query()].concat();
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            let headers = request
                .headers
                .into_iter()
                .filter(|(name, _)| name != "accept-encoding");
            let headers = headers
                .map(|(name, value)| (name.into_owned(), text(value)))
                .collect();
            let document = match request.body {
                OriginBody::Document(document) => text(document),
                OriginBody::Empty => String::new(),
                other => panic!("{other:?}"),
            };
            Ok((line, headers, document))
        })
    }

    fn passing_acls() -> crate::addressing::VirtualBucket {
        crate::addressing::VirtualBucket {
            acl: AclRule::Pass,
            ..device::bucket()
        }
    }

    fn of_s3(method: &str, target: &str) -> Request {
        Request::new(method, target).signed_by_s3(&[])
    }

    #[test]
    fn tags_go_to_s3_in_a_document_and_with_a_digest_of_the_gateways() {
        let tags = "<TagSet><Tag><Key>k</Key><Value>&lt;v</Value></Tag></TagSet>";
        let client = format!("<Tagging>\n{tags}<Unknown/></Tagging>");
        let target = "/devices/a%20b?tagging&versionId=v";
        let of_oss = Request::new("PUT", target)
            .header("content-md5", content_md5(client.as_bytes()))
            .header("content-type", "text/plain")
            .header("x-oss-tagging", "other=1");
        let of_s3 = of_s3("PUT", target)
            .header("content-md5", content_md5(client.as_bytes()))
            .header("content-type", "text/plain")
            .header("x-amz-checksum-crc32", "AAAAAA==")
            .header("x-amz-sdk-checksum-algorithm", "CRC32")
            .header("x-amz-tagging", "other=1");
        for request in [of_oss, of_s3] {
            let (line, headers, document) = sent(&request, &client).unwrap();
            assert_eq!(line, "PUT /acme-ingest/fleet/AK/a%20b?tagging=&versionId=v");
            let root = "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
            let expected = [
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
                root,
                tags,
                "</Tagging>",
            ]
            .concat();
            assert_eq!(document, expected);
            let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            assert_eq!(
                headers,
                [
                    header("content-type", "application/xml"),
                    header("content-md5", &content_md5(expected.as_bytes()))
                ]
            );
        }
    }

    #[test]
    fn a_document_that_holds_no_tags_or_too_many_reaches_no_origin() {
        let tags = |count: usize| -> String {
            let tags: String = (0..count)
                .map(|n| format!("<Tag><Key>k{n}</Key><Value/></Tag>"))
                .collect();
            format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
        };
        for (document, fault) in [
            (tags(0), None),
            (tags(10), None),
            (tags(11), Some(Fault::TagsTooMany)),
            (String::new(), Some(Fault::XmlMalformed)),
            ("<Tagging/>".to_owned(), Some(Fault::XmlMalformed)),
        ] {
            for request in [
                Request::new("PUT", "/devices/k?tagging"),
                of_s3("PUT", "/devices/k?tagging"),
            ] {
                assert_eq!(sent(&request, &document).err(), fault, "{document}");
            }
        }
    }

    #[test]
    fn an_object_is_restored_by_a_document_that_is_written_anew() {
        let request = Request::new("POST", "/devices/k?restore")
            .header("x-oss-object-restore-priority", "Bulk")
            .header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(sent(&request, "").unwrap_err(), Fault::HeaderNotSupported);
        let (line, headers, document) = sent(&Request::new("POST", "/devices/k?restore"), "").unwrap();
        assert_eq!(line, "POST /acme-ingest/fleet/AK/k?restore=");
        assert!(
            document.ends_with("<Days>1</Days></RestoreRequest>"),
            "{document}"
        );
        assert!(headers.contains(&("content-md5".to_owned(), content_md5(document.as_bytes()))));
    }

    #[test]
    fn where_every_object_is_private_s3_is_asked_for_the_object_and_told_no_acl() {
        for request in [
            Request::new("GET", "/devices/k?acl&versionId=v"),
            of_s3("GET", "/devices/k?acl&versionId=v"),
            Request::new("PUT", "/devices/k?acl&versionId=v").header("x-oss-object-acl", "private"),
            Request::new("PUT", "/devices/k?acl&versionId=v").header("x-oss-object-acl", "default"),
            of_s3("PUT", "/devices/k?acl&versionId=v").header("x-amz-acl", "private"),
            of_s3("PUT", "/devices/k?acl&versionId=v").header("x-amz-acl", "bucket-owner-full-control"),
        ] {
            let expected = "HEAD /acme-ingest/fleet/AK/k?versionId=v".to_owned();
            assert_eq!(sent(&request, ""), Ok((expected, Vec::new(), String::new())));
        }
        for (name, value) in [
            ("x-oss-object-acl", "public-read"),
            ("x-oss-object-acl", "public-read-write"),
        ] {
            let request = Request::new("PUT", "/devices/k?acl").header(name, value);
            assert_eq!(sent(&request, ""), Err(Fault::PublicAcl), "{value}");
        }
        for value in ["public-read", "public-read-write", "authenticated-read"] {
            let request = of_s3("PUT", "/devices/k?acl").header("x-amz-acl", value);
            assert_eq!(sent(&request, ""), Err(Fault::PublicAcl), "{value}");
        }
    }

    #[test]
    fn where_acls_pass_s3_is_told_each_and_a_private_one_too() {
        for (value, acl) in [
            ("private", "private"),
            ("default", "private"),
            ("public-read", "public-read"),
            ("public-read-write", "public-read-write"),
        ] {
            let request = Request::new("PUT", "/devices/k?acl").header("x-oss-object-acl", value);
            let (line, headers, _) = sent(&request.bucket(passing_acls()), "").unwrap();
            assert_eq!(line, "PUT /acme-ingest/fleet/AK/k?acl=");
            assert_eq!(headers, [("x-amz-acl".to_owned(), acl.to_owned())]);
        }
        for acl in [
            "private",
            "public-read",
            "authenticated-read",
            "bucket-owner-read",
        ] {
            let request = of_s3("PUT", "/devices/k?acl&versionId=v").header("x-amz-acl", acl);
            let (line, headers, _) = sent(&request.bucket(passing_acls()), "").unwrap();
            assert_eq!(line, "PUT /acme-ingest/fleet/AK/k?acl=&versionId=v");
            assert_eq!(headers, [("x-amz-acl".to_owned(), acl.to_owned())]);
        }
        let request = Request::new("GET", "/devices/k?acl").bucket(passing_acls());
        assert_eq!(sent(&request, "").unwrap().0, "GET /acme-ingest/fleet/AK/k?acl=");
    }

    #[test]
    fn an_acl_that_is_none_or_not_said_or_a_list_of_grants_is_refused() {
        let put = |value: &str| Request::new("PUT", "/devices/k?acl").header("x-oss-object-acl", value);
        for value in ["authenticated-read", "Private", "public"] {
            assert_eq!(sent(&put(value), ""), Err(Fault::ArgumentInvalid), "{value}");
        }
        assert_eq!(sent(&put(""), ""), Err(Fault::ArgumentInvalid));
        assert_eq!(
            sent(&put("private"), "<AccessControlPolicy/>"),
            Err(Fault::NotImplemented)
        );
        let s3 = || of_s3("PUT", "/devices/k?acl");
        assert_eq!(sent(&s3(), ""), Err(Fault::ArgumentInvalid));
        assert_eq!(sent(&s3(), "<AccessControlPolicy/>"), Err(Fault::NotImplemented));
        for header in [
            "x-amz-grant-read",
            "x-amz-grant-full-control",
            "x-amz-grant-write-acp",
        ] {
            let request = s3().header(header, "id=1");
            assert_eq!(sent(&request, ""), Err(Fault::HeaderNotSupported), "{header}");
        }
    }
}
