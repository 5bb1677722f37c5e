//! A model of S3 with one upload: an object is the list of the parts that it is made of, each with its size. There
//! are no bytes.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails a test")]

use std::collections::BTreeMap;
use std::rc::Rc;

use oss_s3::errand::PAYER_HEADER;
use oss_s3::request::OriginBody;
use oss_s3::upload::MARK_HEADER;
use request_auth::canon::{hex, percent_decode};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::device::MARK;

pub(super) const MIB: u64 = 1024 * 1024;
const PREFIX: &str = "/.causeway/";
/// The path of the object to copy from.
pub(super) const SOURCE: &str = "/a/source";

/// What a client sent as one part: who knows which bytes, and how many.
pub(super) type Bytes = Vec<(u32, u64)>;

#[derive(Clone, Default)]
pub(super) struct S3 {
    pub(super) staged: BTreeMap<String, Bytes>,
    /// At which request each of them was stored: one takes a second.
    pub(super) times: BTreeMap<String, usize>,
    /// The parts of the one upload; `None` once it is over.
    pub(super) parts: Option<BTreeMap<u16, Bytes>>,
    pub(super) object: Option<Bytes>,
    /// Whether there is an object [`SOURCE`] to copy from, and how many bytes it has.
    pub(super) source: Option<u64>,
    /// How often that was replaced.
    pub(super) replaced: u32,
    /// Whether the bucket is another account's, who answers only those that consent to pay.
    pub(super) wants_payer: bool,
    /// How many requests were answered.
    pub(super) requests: usize,
    /// Before which request what else is done.
    pub(super) meanwhile: Option<(usize, Meanwhile)>,
}

/// What somebody else does.
pub(super) type Meanwhile = Rc<dyn Fn(&mut S3)>;

fn etag(bytes: &Bytes) -> String {
    let text = format!("{bytes:?}");
    hex(&Sha256::digest(text)[..16])
}

pub(super) fn length(bytes: &Bytes) -> u64 {
    bytes.iter().map(|(_, size)| size).sum()
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> OriginAnswer {
    OriginAnswer {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: body.as_bytes().to_vec(),
    }
}

pub(super) fn error(status: u16, code: &str) -> OriginAnswer {
    answer(
        status,
        &[],
        &format!("<Error><Code>{code}</Code><Message>m</Message></Error>"),
    )
}

fn part_copied(quoted: &str) -> OriginAnswer {
    let document = format!(
        "<CopyPartResult><LastModified>2026-11-22T12:00:00.000Z</LastModified><ETag>{quoted}</ETag></CopyPartResult>"
    );
    answer(200, &[], &document)
}

fn stored(bytes: &Bytes) -> OriginAnswer {
    answer(200, &[("etag", &format!("\"{}\"", etag(bytes)))], "")
}

fn header(request: &OriginRequest, name: &str) -> Option<String> {
    let found = request.headers.iter().find(|(header, _)| header == name);
    found.map(|(_, value)| String::from_utf8(value.clone()).unwrap())
}

fn value(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value)
        .next()?;
    Some(String::from_utf8(percent_decode(value.as_bytes()).unwrap()).unwrap())
}

pub(super) fn texts(document: &[u8], name: &str) -> Vec<String> {
    let document = core::str::from_utf8(document).unwrap();
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let pieces = document.split(open.as_str()).skip(1);
    pieces
        .map(|piece| {
            piece
                .split_once(close.as_str())
                .unwrap()
                .0
                .replace("&quot;", "\"")
        })
        .collect()
}

impl S3 {
    pub(super) fn new() -> Self {
        Self {
            parts: Some(BTreeMap::new()),
            ..Self::default()
        }
    }

    /// Answers a request whose body is these bytes.
    pub(super) fn answer(&mut self, request: &OriginRequest, body: &Bytes) -> OriginAnswer {
        let requests = self.requests;
        if let Some((_, meanwhile)) = self.meanwhile.take_if(|(at, _)| *at == requests) {
            meanwhile(self);
        }
        self.requests += 1;
        if self.wants_payer && header(request, PAYER_HEADER).as_deref() != Some("requester") {
            return error(403, "AccessDenied");
        }
        let key = request.path.strip_prefix('/').unwrap().to_owned();
        let gone = || error(404, "NoSuchUpload");
        if request.path == SOURCE {
            return self.read(request, "range", "").0;
        }
        match (request.method, request.query.as_str()) {
            ("GET", query) if query.contains("prefix=") => self.folder(query),
            ("GET", "") => match self.staged.get(&key) {
                None => error(404, "NoSuchKey"),
                Some(bytes) if header(request, "if-match") != Some(format!("\"{}\"", etag(bytes))) => {
                    error(412, "PreconditionFailed")
                }
                Some(bytes) => stored(bytes),
            },
            ("PUT", "") => {
                assert!(request.path.starts_with(PREFIX), "{request:?}");
                self.times.insert(key.clone(), self.requests);
                self.staged.insert(key, body.clone());
                stored(body)
            }
            ("PUT", query) => {
                let Some(parts) = &mut self.parts else {
                    return gone();
                };
                let number = value(query, "partNumber").unwrap().parse().unwrap();
                match header(request, "x-amz-copy-source") {
                    None => {
                        parts.insert(number, body.clone());
                        stored(body)
                    }
                    Some(source) if source.ends_with(SOURCE) => {
                        let (answer, copied) =
                            self.read(request, "x-amz-copy-source-range", "x-amz-copy-source-");
                        if !answer.is_success() {
                            return answer;
                        }
                        let parts = self.parts.get_or_insert_default();
                        parts.insert(number, copied.clone());
                        part_copied(&format!("\"{}\"", etag(&copied)))
                    }
                    Some(source) => {
                        let Some(bytes) = self.staged.get(source.strip_prefix("/acme-ingest/").unwrap())
                        else {
                            return error(404, "NoSuchKey");
                        };
                        let quoted = format!("\"{}\"", etag(bytes));
                        if header(request, "x-amz-copy-source-if-match").as_ref() != Some(&quoted) {
                            return error(412, "PreconditionFailed");
                        }
                        parts.insert(number, bytes.clone());
                        part_copied(&quoted)
                    }
                }
            }
            ("GET", query) => match &self.parts {
                None => gone(),
                Some(parts) => listed(parts, query),
            },
            ("POST", "delete=") => {
                let OriginBody::Document(document) = &request.body else {
                    panic!("{request:?}")
                };
                for key in texts(document, "Key") {
                    self.staged.remove(&key);
                }
                answer(200, &[], "<DeleteResult></DeleteResult>")
            }
            ("POST", _) => {
                let OriginBody::Document(document) = &request.body else {
                    panic!("{request:?}")
                };
                self.complete(document)
            }
            ("DELETE", "") => {
                self.staged.remove(&key);
                answer(204, &[], "")
            }
            ("DELETE", _) => match self.parts.take() {
                None => gone(),
                Some(_) => answer(204, &[], ""),
            },
            ("HEAD", "") => match &self.object {
                None => answer(404, &[], ""),
                Some(object) => {
                    let tag = format!("\"{}\"", etag(object));
                    let bytes = length(object).to_string();
                    let headers = [
                        ("etag", tag.as_str()),
                        ("content-length", &bytes),
                        (MARK_HEADER, MARK.as_str()),
                    ];
                    answer(200, &headers, "")
                }
            },
            _ => panic!("{request:?}"),
        }
    }

    /// The answer to a request that reads the source, or copies of it, and what it gives: the name of the header that
    /// says which bytes, and how the names of its conditions begin.
    pub(super) fn read(&self, request: &OriginRequest, range: &str, of: &str) -> (OriginAnswer, Bytes) {
        let none = |status, code| (error(status, code), Bytes::new());
        let Some(size) = self.source else {
            return none(404, "NoSuchKey");
        };
        let tag = format!("\"source-{}\"", self.replaced);
        let condition = |name: &str| header(request, &[of, name].concat());
        if condition("if-match").is_some_and(|expected| expected != tag) {
            return none(412, "PreconditionFailed");
        }
        if condition("if-none-match").is_some_and(|unexpected| unexpected == tag) {
            return none(if of.is_empty() { 304 } else { 412 }, "PreconditionFailed");
        }
        let (mut status, mut first, mut end) = (200, 0, size);
        if let Some(range) = header(request, range) {
            let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            let last: u64 = to.parse().unwrap();
            (status, first, end) = (206, from.parse().unwrap(), (last + 1).min(size));
            // S3 reads what there is, and copies what it is asked for or nothing.
            if first >= size || (!of.is_empty() && last >= size) {
                return none(if of.is_empty() { 416 } else { 400 }, "InvalidRange");
            }
        }
        let bytes = Bytes::from([(1000 + u32::try_from(first).unwrap(), end - first)]);
        let length = (end - first).to_string();
        let headers = [
            ("etag", tag.as_str()),
            ("content-length", &length),
            ("x-amz-version-id", "v7"),
        ];
        (answer(status, &headers, ""), bytes)
    }

    fn folder(&self, query: &str) -> OriginAnswer {
        let (prefix, marker) = (
            value(query, "prefix").unwrap(),
            value(query, "marker").unwrap_or_default(),
        );
        let found = self
            .staged
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix) && **key > marker);
        let mut found: Vec<_> = found.collect();
        // Short pages: there are several.
        let is_truncated = found.len() > 7;
        found.truncate(7);
        let entries = found.into_iter().map(|(key, bytes)| {
            let second = self.times.get(key).copied().unwrap_or_default();
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            format!(
                "<Contents><Key>{key}</Key><LastModified>2026-11-22T{hour:02}:{minute:02}:{second:02}.000Z</LastModified>\
                 <ETag>\"{}\"</ETag><Size>{}</Size></Contents>",
                etag(bytes),
                length(bytes)
            )
        });
        let entries: String = entries.collect();
        let document = format!(
            "<ListBucketResult><IsTruncated>{is_truncated}</IsTruncated>{entries}</ListBucketResult>"
        );
        answer(200, &[], &document)
    }

    fn complete(&mut self, document: &[u8]) -> OriginAnswer {
        let Some(parts) = &self.parts else {
            return error(404, "NoSuchUpload");
        };
        let named: Vec<u16> = texts(document, "PartNumber")
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let etags = texts(document, "ETag");
        let mut object = Bytes::new();
        for (at, (number, tag)) in named.iter().zip(&etags).enumerate() {
            let Some(bytes) = parts
                .get(number)
                .filter(|bytes| format!("\"{}\"", etag(bytes)) == *tag)
            else {
                return error(400, "InvalidPart");
            };
            if length(bytes) < 5 * MIB && at + 1 < named.len() {
                return error(400, "EntityTooSmall");
            }
            object.extend(bytes);
        }
        let tag = etag(&object);
        (self.object, self.parts) = (Some(object), None);
        let document =
            format!("<CompleteMultipartUploadResult><ETag>\"{tag}\"</ETag></CompleteMultipartUploadResult>");
        answer(200, &[], &document)
    }
}

fn listed(parts: &BTreeMap<u16, Bytes>, query: &str) -> OriginAnswer {
    let after: u16 = value(query, "part-number-marker").map_or(0, |text| text.parse().unwrap());
    let most: usize = value(query, "max-parts").unwrap().parse().unwrap();
    let mut found: Vec<_> = parts.iter().filter(|(number, _)| **number > after).collect();
    let most = most.min(5);
    let is_truncated = found.len() > most;
    found.truncate(most);
    let marker = found.last().map_or(0, |(number, _)| **number);
    let entries = found.into_iter().map(|(number, bytes)| {
        format!(
            "<Part><PartNumber>{number}</PartNumber><LastModified>2026-11-22T12:00:00.000Z</LastModified>\
             <ETag>\"{}\"</ETag><Size>{}</Size></Part>",
            etag(bytes),
            length(bytes)
        )
    });
    let entries: String = entries.collect();
    let document = format!(
        "<ListPartsResult><IsTruncated>{is_truncated}</IsTruncated><NextPartNumberMarker>{marker}</NextPartNumberMarker>\
         {entries}</ListPartsResult>"
    );
    answer(200, &[], &document)
}
