//! An errand on its way from the authorizer to the response handler, as a header's value.
//!
//! The handler sees neither the device's request nor the grant that covers it. What it needs beyond a
//! passport's decision travels as JSON in base64url: the call's arguments, the mount, the translated
//! headers, and the words of the device that an answer repeats. The text is only read from the
//! headers that a checked passport covers: that is where a permission of another function's becomes
//! one here.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oss_s3::answer::Asked;
use oss_s3::complete::PartNumber;
use oss_s3::errand::Errand;
use oss_s3::error::{Fault, Refusal};
use oss_s3::key::{ObjectKey, OriginKey};
use oss_s3::operation::{Call, KeySpelling, PartSource, UploadId};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::passport::Checked;

/// The header that carries an errand, beside the passport that covers it.
pub const ERRAND_HEADER: &str = "x-causeway-errand";
/// The longest errand that is sent, in bytes: CloudFront takes 20,480 for a whole request head.
pub const MAX_ERRAND_BYTES: usize = 10 * 1024;

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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    call: CallSource,
    mount: String,
    headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_md5: Option<String>,
    host: String,
    path: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
enum CallSource {
    Initiate {
        url_encoded: bool,
    },
    Complete {
        upload: String,
        all_uploaded: bool,
        url_encoded: bool,
    },
    Abort {
        upload: String,
    },
    List {
        upload: String,
        most: Option<u16>,
        after: Option<u16>,
        url_encoded: bool,
    },
}

/// Writes an errand as the value of [`ERRAND_HEADER`].
///
/// # Errors
/// `InvalidArgument`, 431, where it would be longer than [`MAX_ERRAND_BYTES`]; `InternalError` for an
/// errand that is never sent: object bytes do not go through the handler.
pub fn write(errand: &Errand<'_>, asked: &Asked<'_>) -> Result<String, Refusal> {
    let failed = |what: &'static str| Refusal::new(Fault::GatewayFailed).because(what);
    let (key, origin_key) = (errand.key().as_str(), errand.origin_key().as_str());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let headers: Option<Vec<_>> = errand
        .headers()
        .iter()
        .map(|(name, value)| Some((name.clone().into_owned(), text(value)?)))
        .collect();
    let source = Source {
        call: CallSource::of(errand.call())
            .ok_or_else(|| failed("An operation that streams was sent as an errand."))?,
        mount: origin_key.strip_suffix(key).unwrap_or_default().to_owned(),
        headers: headers.ok_or_else(|| failed("A translated header is not text."))?,
        content_md5: errand.content_md5().and_then(text),
        host: asked.host.to_owned(),
        path: String::from_utf8_lossy(asked.path).into_owned(),
    };
    let json = serde_json::to_vec(&source).map_err(|_| failed("An errand can't be written as JSON."))?;
    let written = URL_SAFE_NO_PAD.encode(json);
    if written.len() > MAX_ERRAND_BYTES {
        return Err(Fault::HeadersTooLarge.into());
    }
    Ok(written)
}

/// Reads the errand of a request whose passport was checked; `None` for a request without a whole
/// one, and for a bucket that is not configured here.
pub fn read<'a>(config: &'a Config, checked: &Checked<'_>) -> Option<Received<'a>> {
    let json = URL_SAFE_NO_PAD.decode(checked.header(ERRAND_HEADER)?).ok()?;
    let source: Source = serde_json::from_slice(&json).ok()?;
    let decision = checked.decision();
    let bucket = config
        .hosts
        .buckets()
        .iter()
        .find(|bucket| bucket.name == decision.bucket)?;
    let call = source.call.into_call()?;
    if call.operation() != decision.operation {
        return None;
    }
    let key = ObjectKey::new(decision.key.as_bytes()).ok()?;
    let origin_key = OriginKey::new(source.mount.as_bytes(), &key).ok()?;
    let headers = source
        .headers
        .into_iter()
        .map(|(name, value)| (Cow::Owned(name), value.into_bytes()))
        .collect();
    let content_md5 = source.content_md5.map(String::into_bytes);
    Some(Received {
        errand: Errand::assertion(bucket, call, key, origin_key, headers, content_md5),
        host: source.host,
        path: source.path,
    })
}

impl CallSource {
    fn of(call: &Call) -> Option<Self> {
        let is_url = |spelling: &KeySpelling| *spelling == KeySpelling::UrlEncoded;
        let text = |upload: &UploadId| upload.as_str().to_owned();
        Some(match call {
            Call::PutObject | Call::UploadPart { .. } => return None,
            Call::InitiateMultipartUpload { spelling } => Self::Initiate {
                url_encoded: is_url(spelling),
            },
            Call::CompleteMultipartUpload {
                upload,
                parts,
                spelling,
            } => Self::Complete {
                upload: text(upload),
                all_uploaded: *parts == PartSource::AllUploaded,
                url_encoded: is_url(spelling),
            },
            Call::AbortMultipartUpload { upload } => Self::Abort { upload: text(upload) },
            Call::ListParts {
                upload,
                most,
                after,
                spelling,
            } => Self::List {
                upload: text(upload),
                most: *most,
                after: after.map(PartNumber::get),
                url_encoded: is_url(spelling),
            },
        })
    }

    fn into_call(self) -> Option<Call> {
        let spelling = |url_encoded| {
            if url_encoded {
                KeySpelling::UrlEncoded
            } else {
                KeySpelling::Plain
            }
        };
        let id = |text: String| UploadId::new(text.as_bytes());
        Some(match self {
            Self::Initiate { url_encoded } => Call::InitiateMultipartUpload {
                spelling: spelling(url_encoded),
            },
            Self::Complete {
                upload,
                all_uploaded,
                url_encoded,
            } => Call::CompleteMultipartUpload {
                upload: id(upload)?,
                parts: if all_uploaded {
                    PartSource::AllUploaded
                } else {
                    PartSource::Body
                },
                spelling: spelling(url_encoded),
            },
            Self::Abort { upload } => Call::AbortMultipartUpload { upload: id(upload)? },
            Self::List {
                upload,
                most,
                after,
                url_encoded,
            } => Call::ListParts {
                upload: id(upload)?,
                most,
                after: match after {
                    Some(number) => Some(PartNumber::from_decimal(number.to_string().as_bytes())?),
                    None => None,
                },
                spelling: spelling(url_encoded),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use oss_s3::answer::RequestId;
    use oss_s3::request::OriginRequest;

    use super::*;
    use crate::device::{Device, NOW, asked};
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
            r#"[{"bucket": "devices", "mount": "m/", "operations": ["upload-only", "ListParts"]}]"#,
        );
        device.request(method, target, headers, |authorized| {
            let errand = authorized.unwrap().errand().unwrap();
            let text = write(&errand, &asked(&RequestId::from_bytes([1; 12]))).unwrap();
            let keys = PassportKey::new("a", "0123456789abcdef0123456789abcdef".into())
                .unwrap()
                .into();
            let decision = Decision {
                operation: errand.call().operation(),
                bucket: "devices".into(),
                key: key.into(),
                request_id: String::new(),
            };
            let headers = [(ERRAND_HEADER, text.as_bytes())];
            let carrier = Carrier {
                distribution: "",
                event_request_id: "",
                method,
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
            and(&errand, read(device.config(), &checked))
        })
    }

    #[test]
    fn an_errand_arrives_as_it_was_sent() {
        for (method, target) in [
            ("POST", "/devices/k?uploads"),
            ("POST", "/devices/k?uploads&encoding-type=url"),
            ("POST", "/devices/k?uploadId=a%2Fb"),
            ("DELETE", "/devices/k?uploadId=U"),
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
                    assert_eq!(
                        OriginRequest::new(&received.errand),
                        OriginRequest::new(errand),
                        "{target}"
                    );
                    assert_eq!(
                        (received.host.as_str(), received.path.as_str()),
                        ("edge.example", "/devices/k")
                    );
                },
            );
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
                assert_eq!(received.headers(), errand.headers());
            },
        );
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
            let errand = authorized.unwrap().errand().unwrap();
            let refusal = write(&errand, &asked(&RequestId::from_bytes([1; 12]))).unwrap_err();
            assert_eq!(refusal.status(), 431);
        });
    }
}
