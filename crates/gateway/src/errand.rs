//! An errand on its way from the authorizer to the response handler, as a header's value.
//!
//! The handler sees neither the device's request nor the grant that covers it. What it needs beyond a
//! passport's decision travels as JSON in base64url: the call's arguments, the mount or the areas that
//! grants open, the translated headers, and the words of the device that an answer repeats. The text is only read from the
//! headers that a checked passport covers: that is where a permission of another function's becomes
//! one here.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oss_s3::answer::Asked;
use oss_s3::area::{Area, KnownBucket, Target};
use oss_s3::errand::{DocumentDigests, Errand};
use oss_s3::error::{Fault, Refusal};
use oss_s3::key::{ObjectKey, OriginKey};
use oss_s3::operation::{Arguments, Call, Level};
use oss_s3::upload::SealKeys;

use crate::config::Config;
use crate::document::{Field, Fields, Holds, Node};
use crate::passport::{Checked, Decision};

/// The header that carries an errand, beside the passport that covers it.
pub const ERRAND_HEADER: &str = "x-causeway-errand";
/// The longest errand that is sent, in bytes: CloudFront takes 20,480 for a whole request head.
pub const MAX_ERRAND_BYTES: usize = 10 * 1024;

/// The name of the grant's limit for the object that is made.
const MAX_OBJECT_BYTES: &str = "max_object_bytes";

/// An errand that arrived with a passport.
#[derive(Debug)]
pub struct Received<'a> {
    /// What to do.
    pub errand: Errand<'a>,
    /// The Host header that the device sent.
    pub host: String,
    /// The decoded path that the device sent.
    pub path: String,
}

/// Writes an errand as the value of [`ERRAND_HEADER`].
///
/// # Errors
/// `InvalidArgument`, 431, where it would be longer than [`MAX_ERRAND_BYTES`]; `InternalError` for an
/// errand that is never sent: object bytes do not go through the handler.
pub fn write(errand: &Errand<'_>, asked: &Asked<'_>) -> Result<String, Refusal> {
    let failed = |what: &'static str| Refusal::new(Fault::GatewayFailed).because(what);
    let text = |bytes| core::str::from_utf8(bytes).map_err(|_| failed("A translated header is not text."));
    let mut headers = Vec::new();
    for (name, value) in errand.headers() {
        headers.push((Cow::Borrowed(name.as_ref()), text(value)?.into()));
    }
    if errand.call().operation().streams() {
        return Err(failed("An operation that streams was sent as an errand."));
    }
    let arguments = errand.arguments().pairs();
    let arguments = arguments
        .map(|(name, value)| (Cow::Borrowed(name), value.into()))
        .collect();
    let mut document = Node::table([
        ("arguments", Node::Table(arguments)),
        ("headers", Node::Table(headers)),
    ]);
    match errand.target() {
        Target::Object { key, origin_key } => {
            let mount = origin_key.as_str().strip_suffix(key.as_str());
            document.set("mount", mount.unwrap_or_default().into());
        }
        Target::Bucket { areas } => {
            let area = |area: &'_ Area| {
                Node::List(vec![
                    area.prefix().to_owned().into(),
                    area.mount().to_owned().into(),
                ])
            };
            document.set("areas", Node::List(areas.iter().map(area).collect()));
        }
        Target::Service { buckets } => {
            let buckets = buckets.iter().map(|bucket| bucket.name.as_str().into());
            document.set("buckets", Node::List(buckets.collect()));
        }
    }
    if let Some(digest) = errand.content_md5() {
        document.set("content_md5", text(digest)?.into());
    }
    if let Some(digest) = errand.content_sha256() {
        document.set("content_sha256", digest.to_owned().into());
    }
    if let Some(checksum) = errand.content_crc32() {
        document.set("content_crc32", text(checksum)?.into());
    }
    if let Some(most) = errand.max_object_bytes() {
        document.set(
            MAX_OBJECT_BYTES,
            Node::Whole(i64::try_from(most).unwrap_or(i64::MAX)),
        );
    }
    document.set("key_id", errand.key_id().into());
    document.set("host", asked.host.into());
    document.set("path", Node::Text(String::from_utf8_lossy(asked.path)));
    let written = URL_SAFE_NO_PAD.encode(document.to_json());
    if written.len() > MAX_ERRAND_BYTES {
        return Err(Fault::HeadersTooLarge.into());
    }
    Ok(written)
}

/// Reads the errand of a request whose passport was checked; `None` for a request without a whole
/// one, and for a bucket that is not configured here.
pub fn read<'a>(config: &'a Config, checked: &Checked<'_>, seals: &SealKeys) -> Option<Received<'a>> {
    let json = URL_SAFE_NO_PAD.decode(checked.header(ERRAND_HEADER)?).ok()?;
    let document = Node::from_json(core::str::from_utf8(&json).ok()?).ok()?;
    let decision = checked.decision();
    let bucket = config
        .hosts
        .buckets()
        .iter()
        .find(|bucket| bucket.name == decision.bucket)?;
    let received = document.read(Holds::Secrets, |document| {
        document.table(|fields| {
            let header = |name: Cow<'_, str>, value: Field<'_, '_>| {
                (Cow::Owned(name.into_owned()), value.string().into_bytes())
            };
            let mut arguments = Arguments::new(decision.dialect);
            let argument = |name: Cow<'_, str>, value: Field<'_, '_>| (name.into_owned(), value.string());
            for (name, value) in fields.take("arguments").map(argument) {
                arguments.push(name, &value);
            }
            let call = Call::of(decision.operation, &arguments).ok();
            let headers = fields.take("headers").map(header);
            let target = target(config, decision, fields);
            let md5 = fields.take("content_md5").optional(Field::string);
            let crc32 = fields.take("content_crc32").optional(Field::string);
            let digests = DocumentDigests {
                md5: md5.map(String::into_bytes),
                sha256: fields.take("content_sha256").optional(Field::string),
                crc32: crc32.map(String::into_bytes),
            };
            let most = fields.take(MAX_OBJECT_BYTES).optional(Field::whole);
            let (host, path) = (fields.take("host").string(), fields.take("path").string());
            let key_id = fields.take("key_id").string();
            let (call, target) = call.zip(target)?;
            let errand = Errand::assertion(
                decision.dialect,
                bucket,
                (call, arguments),
                target,
                headers,
                digests,
                (key_id, seals),
            );
            Some(Received {
                errand: errand.ok()?.limited_to(most),
                host,
                path,
            })
        })
    });
    received.ok()?
}

/// What the errand is done to: of the kind that its operation is about.
fn target(config: &Config, decision: &Decision, fields: &mut Fields<'_, '_>) -> Option<Target> {
    match decision.operation.level() {
        _ if decision.operation.streams() => None,
        Level::Object => {
            let mount = fields.take("mount").text();
            let key = ObjectKey::new(decision.key.as_bytes()).ok()?;
            let origin_key = OriginKey::new(mount.as_bytes(), &key).ok()?;
            Some(Target::Object { key, origin_key })
        }
        Level::Bucket => {
            let areas = fields.take("areas").list(|area| area.strings());
            let area = |pair: Vec<String>| {
                let [prefix, mount] = pair.try_into().ok()?;
                Some(Area::new(prefix, mount))
            };
            let areas: Vec<Area> = areas.into_iter().map(area).collect::<Option<_>>()?;
            (!areas.is_empty()).then_some(Target::Bucket { areas })
        }
        Level::Service => {
            let names = fields.take("buckets").strings();
            let known = config.hosts.buckets().iter();
            let known = known.filter(|bucket| names.contains(&bucket.name));
            Some(Target::Service {
                buckets: known.map(KnownBucket::from).collect(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use oss_s3::answer::RequestId;
    use oss_s3::request::OriginRequest;

    use super::*;
    use crate::device::{Device, NOW, asked, seals};
    use crate::passport::{self, Carrier, Decision, Hop, PASSPORT_HEADER, PassportKey};

    /// Sends the errand of a device's request with a passport for `key`, and hands on what arrives.
    fn sent<T>(
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        key: &str,
        and: impl FnOnce(&Errand<'_>, Option<Received<'_>>) -> T,
    ) -> T {
        let device = Device::with_grants(
            r#"[{"bucket": "devices", "mount": "m/", "operations": ["upload-only", "read-only", "ListParts", "CopyObject", "UploadPartCopy", "DeleteObject"]}]"#,
        );
        device.request(method, target, headers, |authorized| {
            let errand = authorized.unwrap().errand(&seals()).unwrap();
            arrives(&device, &errand, key, |received| and(&errand, received))
        })
    }

    /// Sends an errand with a passport for `key`, and hands on what arrives.
    fn arrives<T>(
        device: &Device,
        errand: &Errand<'_>,
        key: &str,
        and: impl FnOnce(Option<Received<'_>>) -> T,
    ) -> T {
        let text = write(errand, &asked(&RequestId::from_bytes([1; 12]))).unwrap();
        let keys = PassportKey::new("a", "0123456789abcdef0123456789abcdef".into())
            .unwrap()
            .into();
        let decision = Decision {
            operation: errand.call().operation(),
            bucket: "devices".into(),
            key: key.into(),
            request_id: String::new(),
            dialect: errand.dialect(),
        };
        let headers = [(ERRAND_HEADER, text.as_bytes())];
        let carrier = Carrier {
            audience: "",
            event_request_id: "",
            method: "POST",
            path_and_query: "/",
            headers: &headers,
        };
        let text = passport::issue(Hop::RouterToHandler, &decision, carrier, &keys, NOW).unwrap();
        let headers = [headers[0], (PASSPORT_HEADER, text.as_bytes())];
        let carrier = Carrier {
            headers: &headers,
            ..carrier
        };
        let checked = passport::check(Hop::RouterToHandler, carrier, &keys, NOW).unwrap();
        and(read(device.config(), &checked, &seals()))
    }

    /// The request to the origin: its headers travel without an order.
    fn request(errand: &Errand<'_>) -> OriginRequest {
        let mut request = OriginRequest::new(errand);
        request.headers.sort();
        request
    }

    #[test]
    fn an_errand_arrives_as_it_was_sent() {
        for (method, target) in [
            ("POST", "/devices/k?uploads"),
            ("POST", "/devices/k?uploads&encoding-type=url"),
            ("POST", "/devices/k?uploadId=a%2Fb"),
            ("DELETE", "/devices/k?uploadId=U"),
            ("DELETE", "/devices/k"),
            ("DELETE", "/devices/k?versionId=v"),
            ("GET", "/devices/k?uploadId=U"),
            (
                "GET",
                "/devices/k?uploadId=U&max-parts=7&part-number-marker=3&encoding-type=url",
            ),
        ] {
            sent(
                method,
                target,
                &[("x-oss-request-payer", "requester")],
                "k",
                |errand, received| {
                    let received = received.unwrap();
                    assert_eq!(received.errand.call(), errand.call(), "{target}");
                    assert_eq!(request(&received.errand), request(errand), "{target}");
                    assert_eq!(
                        (received.host.as_str(), received.path.as_str()),
                        ("edge.example", "/devices/k")
                    );
                },
            );
        }
        for target in ["/devices/k", "/devices/k?partNumber=1&uploadId=U"] {
            let headers = [
                ("x-oss-copy-source", "/devices/a%2Bb?versionId=v"),
                ("x-oss-copy-source-if-match", "e"),
            ];
            sent("PUT", target, &headers, "k", |errand, received| {
                assert_eq!(request(&received.unwrap().errand), request(errand), "{target}");
            });
        }
        let headers = [
            ("x-oss-complete-all", "yes"),
            ("x-oss-forbid-overwrite", "true"),
            ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ];
        sent(
            "POST",
            "/devices/k?uploadId=U",
            &headers,
            "k",
            |errand, received| {
                let received = received.unwrap().errand;
                assert_eq!(received.call(), errand.call());
                assert_eq!(
                    received.content_md5(),
                    Some(b"1B2M2Y8AsgTpgAmY7PhCfg==".as_slice())
                );
                assert_eq!(request(&received), request(errand));
            },
        );
    }

    #[test]
    fn an_errand_about_a_bucket_or_all_of_them_arrives_with_what_grants_open() {
        for (method, target) in [
            ("HEAD", "/devices"),
            ("GET", "/devices/?location"),
            (
                "GET",
                "/devices/?prefix=a%2F%C3%A9&delimiter=&marker=b&max-keys=7&encoding-type=url",
            ),
            (
                "GET",
                "/devices/?list-type=2&continuation-token=azE&fetch-owner=true",
            ),
            ("GET", "/devices/?bucketInfo"),
            ("GET", "/"),
            ("GET", "/?prefix=a&marker=b&max-keys=7"),
        ] {
            sent(method, target, &[], "", |errand, received| {
                let received = received.unwrap().errand;
                assert_eq!(received.call(), errand.call(), "{target}");
                assert_eq!(received.target(), errand.target(), "{target}");
                assert_eq!(request(&received), request(errand), "{target}");
            });
        }
    }

    #[test]
    fn the_limit_of_the_grant_travels_with_the_errand() {
        for most in [7, i64::MAX] {
            let device = Device::with_grants(&format!(
                r#"[{{"bucket": "devices", "max_object_bytes": {most}}}]"#
            ));
            device.request("POST", "/devices/k?uploadId=U", &[], |authorized| {
                let errand = authorized.unwrap().errand(&seals()).unwrap();
                arrives(&device, &errand, "k", |received| {
                    assert_eq!(
                        received.unwrap().errand.max_object_bytes(),
                        Some(u64::try_from(most).unwrap())
                    );
                });
            });
        }
        sent("POST", "/devices/k?uploadId=U", &[], "k", |_, received| {
            assert_eq!(received.unwrap().errand.max_object_bytes(), None);
        });
    }

    #[test]
    fn a_key_that_is_none_makes_no_errand() {
        for key in ["", "..", ".causeway/k"] {
            sent("POST", "/devices/k?uploads", &[], key, |_, received| {
                assert!(received.is_none(), "{key}")
            });
        }
    }

    #[test]
    fn headers_that_the_platform_could_not_carry_are_refused() {
        let device = Device::with_grants(r#"[{"bucket": "devices"}]"#);
        let headers = [("content-disposition", "b".repeat(9 * 1024))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        device.request("POST", "/devices/k?uploads", &headers, |authorized| {
            let errand = authorized.unwrap().errand(&seals()).unwrap();
            let refusal = write(&errand, &asked(&RequestId::from_bytes([1; 12]))).unwrap_err();
            assert_eq!(refusal.status(), 431);
        });
    }
}
