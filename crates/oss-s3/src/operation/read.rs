//! What a read asks for besides the object: a version or a part of it, and other headers in the answer.
//!
//! Both dialects name these query parameters alike; parts can be read in S3's alone. They are taken only where the signature covers
//! them: whoever holds a link may not choose another version, or have the object shown as a page of
//! HTML (attack case E02). A value that no header can hold is refused, not cleaned (E08).

use request_auth::Dialect;

use super::Arguments;
use crate::complete::PartNumber;
use crate::key::encoded_value;

/// The longest version id, in bytes.
pub const MAX_VERSION_ID_BYTES: usize = 1024;

/// The id of a version of an object: opaque, 1 to 1024 bytes of visible ASCII.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionId(String);

impl VersionId {
    /// Judges a decoded version id.
    pub fn new(text: &str) -> Option<Self> {
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        (is_visible && (1..=MAX_VERSION_ID_BYTES).contains(&text.len())).then(|| Self(text.to_owned()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The query that names the version, percent-encoded.
    pub fn query(&self) -> String {
        ["versionId=", &encoded_value(self.0.as_bytes())].concat()
    }
}

/// The query names that set headers of the answer, sorted.
const OVERRIDES: [&str; 6] = [
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
];

/// Every query name that a read may have. x-oss-traffic-limit has no S3 equivalent and is ignored.
pub(super) const PARAMETERS: [&str; 9] = [
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "versionId",
    "x-oss-traffic-limit",
];

/// A version or a part of the object, and the headers that its answer is to have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// The version; `None`: the current one.
    version: Option<VersionId>,
    /// The part, as the object was uploaded in; `None`: all of it.
    part: Option<PartNumber>,
    /// Names of [`OVERRIDES`] in their order, with values that are not empty.
    overrides: Vec<(&'static str, String)>,
}

impl Selection {
    /// The query for S3 without `?`, strictly percent-encoded and sorted by name; may be empty.
    pub fn query(&self) -> String {
        let part = self.part.map(|part| ("partNumber", part.to_string()));
        let pairs: Vec<String> = part
            .into_iter()
            .chain(self.overrides.iter().cloned())
            .map(|(name, value)| [name, "=", &encoded_value(value.as_bytes())].concat())
            .chain(self.version.as_ref().map(VersionId::query))
            .collect();
        pairs.join("&")
    }

    /// Whether a version is named.
    pub const fn names_version(&self) -> bool {
        self.version.is_some()
    }
}

impl Arguments {
    /// The version that is named, if one is.
    pub(super) fn version(&self) -> Result<Option<VersionId>, &'static str> {
        let version = self.text("versionId");
        version
            .map(|text| VersionId::new(text).ok_or("versionId"))
            .transpose()
    }

    /// What a read asks for, or the name of the parameter that has an impossible value.
    pub(super) fn selection(&self) -> Result<Selection, &'static str> {
        let mut selection = Selection::default();
        for name in OVERRIDES {
            let value = self.value(name).unwrap_or_default();
            let text = core::str::from_utf8(value).map_err(|_| name)?;
            if text.chars().any(char::is_control) {
                return Err(name);
            }
            if !text.is_empty() {
                selection.overrides.push((name, text.to_owned()));
            }
        }
        selection.version = self.version()?;
        if let Some(value) = self.value("partNumber") {
            let number = PartNumber::from_decimal(value).filter(|_| self.dialect == Dialect::S3);
            selection.part = Some(number.ok_or("partNumber")?);
        }
        Ok(selection)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Call, NotACall, Operation};
    use crate::device::Request as Device;

    fn query(method: &str, target: &str) -> Result<String, NotACall> {
        match Device::new(method, target).recognised()? {
            Call::GetObject(selection) | Call::HeadObject(selection) => Ok(selection.query()),
            call => panic!("{call:?}"),
        }
    }

    #[test]
    fn a_version_and_the_answers_headers_go_to_s3_sorted_and_strictly_encoded() {
        for (target, expected) in [
            ("/devices/k", ""),
            ("/devices/k?x-oss-traffic-limit=819200", ""),
            ("/devices/k?versionId=null", "versionId=null"),
            ("/devices/k?versionId=a%2Fb.c_-%2B", "versionId=a%2Fb.c_-%2B"),
            (
                "/devices/k?response-content-disposition=attachment%3B+filename%3D%22a%20b%22",
                "response-content-disposition=attachment%3B%20filename%3D%22a%20b%22",
            ),
            (
                "/devices/k?versionId=v&response-expires=never&response-content-type=text/html&response-content-language=&\
                 response-content-encoding=gzip&response-cache-control=no-store&response-content-disposition=%E4%B8%AD",
                "response-cache-control=no-store&response-content-disposition=%E4%B8%AD&response-content-encoding=gzip&\
                 response-content-type=text%2Fhtml&response-expires=never&versionId=v",
            ),
        ] {
            for method in ["GET", "HEAD"] {
                assert_eq!(
                    query(method, target).as_deref(),
                    Ok(expected),
                    "{method} {target}"
                );
            }
        }
        assert_eq!(
            query("HEAD", "/devices/k?objectMeta&versionId=v").as_deref(),
            Ok("versionId=v")
        );
    }

    #[test]
    fn e08_a_value_that_no_header_holds_is_refused_by_its_name() {
        for (parameter, name) in [
            (
                "response-content-disposition=a%0D%0Ax-b:c",
                "response-content-disposition",
            ),
            ("response-content-type=a%00", "response-content-type"),
            ("response-expires=%FF", "response-expires"),
            ("response-cache-control=%C2%85", "response-cache-control"),
            ("versionId=", "versionId"),
            ("versionId=a%20b", "versionId"),
            ("versionId=%E4%B8%AD", "versionId"),
            ("partNumber=1", "partNumber"),
        ] {
            // V1 itself refuses to sign a line break.
            let target = ["/devices/k?", parameter].concat();
            let refused = Device::new("GET", &target).signed_by_v4("").recognised();
            assert!(
                matches!(refused, Err(NotACall::BadParameter(Operation::GetObject, found)) if found == name),
                "{parameter}: {refused:?}"
            );
        }
        let long = ["/devices/k?versionId=", &"v".repeat(1025)].concat();
        assert_eq!(
            query("GET", &long),
            Err(NotACall::BadParameter(Operation::GetObject, "versionId"))
        );
    }

    #[test]
    fn a_read_with_another_query_name_is_none_of_these() {
        for target in [
            "/devices/k?prefix=a",
            "/devices/k?objectMeta",
            "/devices/k?prefix&acl",
        ] {
            assert!(
                matches!(query("GET", target), Err(NotACall::Outside(_))),
                "{target}"
            );
        }
        let refused = query("HEAD", "/devices/k?objectMeta=1");
        assert_eq!(
            refused,
            Err(NotACall::BadParameter(Operation::HeadObject, "objectMeta"))
        );
    }

    #[test]
    fn s3_clients_read_parts_and_no_part_that_is_none() {
        let query = |target: &str| match Device::new("GET", target).signed_by_s3(&[]).recognised() {
            Ok(Call::GetObject(selection)) => Ok(selection.query()),
            other => Err(other),
        };
        for (parameters, expected) in [
            ("partNumber=7", "partNumber=7"),
            (
                "versionId=v&partNumber=10000&response-expires=a&x-id=GetObject",
                "partNumber=10000&response-expires=a&versionId=v",
            ),
        ] {
            assert_eq!(
                query(&["/devices/k?", parameters].concat()),
                Ok(expected.to_owned())
            );
        }
        for number in ["", "0", "01", "10001", "1,2"] {
            let refused = query(&["/devices/k?partNumber=", number].concat());
            assert_eq!(
                refused,
                Err(Err(NotACall::BadParameter(Operation::GetObject, "partNumber")))
            );
        }
    }

    #[test]
    fn a_process_is_refused_by_its_name_before_anything_is_fetched() {
        for (method, operation) in [("GET", Operation::GetObject), ("HEAD", Operation::HeadObject)] {
            let refused = query(method, "/devices/k?x-oss-process=image/resize,w_1");
            assert_eq!(refused, Err(NotACall::Feature(operation, "x-oss-process")));
        }
    }
}
