//! The texts that the schemes sign, written from the documentation and sharing no code with the
//! verifier's.

use std::collections::BTreeMap;

use conformance::mac::{Version, v4_string_to_sign};

use crate::device::{Device, Placement, Style};

pub const DATE: &str = "Wed, 01 May 2024 12:34:56 GMT";
pub const TIMESTAMP: &str = "20240501T123456Z";
pub const SCOPE: &str = "20240501/cn-hangzhou/oss/aliyun_v4_request";
pub const EXPIRES: &str = "1714567496";

impl Device {
    /// The string to sign.
    pub fn string_to_sign(&self) -> Vec<u8> {
        match self.version {
            Version::V1 => self.v1(),
            Version::V2 => self.v2(),
            Version::V4 => v4_string_to_sign(&self.v4(), self.slot(), SCOPE),
        }
    }

    /// The text in the place of the date.
    pub fn slot(&self) -> &'static str {
        match (self.version, self.placement) {
            (Version::V1 | Version::V2, Placement::Query) => EXPIRES,
            (Version::V1 | Version::V2, _) | (Version::V4, Placement::Header) => DATE,
            (Version::V4, _) => TIMESTAMP,
        }
    }

    /// The date headers. With V2 there is always a Date; with V4 it is the one signed date of Go SDK 1.
    pub fn dates(&self) -> Vec<(&'static str, &'static str)> {
        let oss_date = match self.version {
            Version::V4 => ("x-oss-date", TIMESTAMP),
            Version::V1 | Version::V2 => ("x-oss-date", DATE),
        };
        match (self.placement, self.version) {
            (Placement::Query, _) => Vec::new(),
            (Placement::Header, _) => vec![("date", DATE)],
            (Placement::OssDate, Version::V1 | Version::V4) => vec![oss_date],
            (Placement::OssDate, Version::V2) | (Placement::BothDates, _) => vec![("date", DATE), oss_date],
        }
    }

    /// The `x-oss-*` headers, the signature's own among them.
    pub fn oss_headers(&self) -> BTreeMap<String, Vec<u8>> {
        let mut headers = self.headers.clone();
        for (name, value) in self.dates() {
            if name == "x-oss-date" {
                headers.insert(name.into(), value.into());
            }
        }
        if self.version == Version::V4 && self.placement != Placement::Query {
            headers.insert("x-oss-content-sha256".into(), "UNSIGNED-PAYLOAD".into());
        }
        headers
    }

    /// Content-MD5, Content-Type, the first four lines of V1 and V2, and the header lines.
    fn first_lines(&self) -> Vec<u8> {
        let mut text = self.method.clone().into_bytes();
        for value in [
            self.content_md5.clone().unwrap_or_default(),
            self.content_type.clone().unwrap_or_default(),
            self.slot().into(),
        ] {
            text.push(b'\n');
            text.extend(value);
        }
        text.push(b'\n');
        for (name, value) in self.lines() {
            text.extend([name.as_bytes(), b":", &value, b"\n"].concat());
        }
        text
    }

    /// The header lines.
    pub fn lines(&self) -> BTreeMap<String, Vec<u8>> {
        let mut lines = self.oss_headers();
        if self.version != Version::V1 {
            lines.extend(self.additional.clone());
        }
        if self.version == Version::V4 {
            let typed = [
                ("content-type", &self.content_type),
                ("content-md5", &self.content_md5),
            ];
            for (name, value) in typed {
                lines.extend(value.clone().map(|value| (name.to_owned(), value)));
            }
        }
        lines
    }

    /// The names of the additional headers, in order.
    fn names(&self) -> String {
        self.additional.keys().cloned().collect::<Vec<_>>().join(";")
    }

    /// Bucket and key.
    fn path(&self) -> Vec<u8> {
        match self.style {
            Style::Unsigned => [b"/".as_slice(), &self.key].concat(),
            _ => [b"/", self.bucket.as_bytes(), b"/", &self.key].concat(),
        }
    }

    fn v1(&self) -> Vec<u8> {
        [self.first_lines(), self.resource()].concat()
    }

    /// The last line of V1.
    pub fn resource(&self) -> Vec<u8> {
        let mut text = self.path();
        let mut mark = b'?';
        for (name, value) in &self.signed {
            text.push(mark);
            mark = b'&';
            text.extend(name.as_bytes());
            if !value.is_empty() {
                text.push(b'=');
                text.extend(value);
            }
        }
        text
    }

    fn v2(&self) -> Vec<u8> {
        let query = self.query();
        let mark = if query.is_empty() { "" } else { "?" };
        let resource = [escaped(&self.path(), false), mark.to_owned(), query].concat();
        [
            &self.first_lines(),
            self.names().as_bytes(),
            b"\n",
            resource.as_bytes(),
        ]
        .concat()
    }

    /// The canonical request.
    fn v4(&self) -> Vec<u8> {
        let mut text = format!(
            "{}\n{}\n{}\n",
            self.method,
            escaped(&self.path(), true),
            self.query()
        )
        .into_bytes();
        for (name, value) in self.lines() {
            text.extend([name.as_bytes(), b":", &value, b"\n"].concat());
        }
        text.extend(format!("\n{}\nUNSIGNED-PAYLOAD", self.names()).bytes());
        text
    }

    /// Every parameter of V2 and V4 but the signature.
    fn query(&self) -> String {
        let all = self.signed.iter().chain(&self.unsigned);
        let all = all.map(|(name, value)| (name.clone(), value.clone()));
        let pieces: BTreeMap<String, String> = all
            .chain(self.own())
            .map(|(name, value)| {
                let mark = if value.is_empty() { "" } else { "=" };
                let name = escaped(name.as_bytes(), false);
                (
                    name.clone(),
                    [name, mark.to_owned(), escaped(&value, false)].concat(),
                )
            })
            .collect();
        pieces.into_values().collect::<Vec<_>>().join("&")
    }
}

/// RFC 3986, with or without the slash.
fn escaped(bytes: &[u8], keeps_slash: bool) -> String {
    let mut text = String::new();
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (byte == b'/' && keeps_slash) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
