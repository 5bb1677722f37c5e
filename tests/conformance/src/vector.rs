//! The vector format, read leniently: a member that cannot be read is a failure that names it, and
//! the others of its file still run.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A signature vector.
#[derive(Clone, Debug, Deserialize)]
pub struct Vector {
    /// Its name.
    pub id: String,
    /// The scheme and its place, `OSS-V1` or `OSS-V1-QUERY`, ….
    pub auth: String,
    /// The clock, in seconds since 1970.
    pub now_unix: i64,
    /// The one access key that the gateway knows.
    pub credentials: Credentials,
    /// The bucket that the client was configured with.
    #[serde(default)]
    pub config: Config,
    /// The object key, where that is not in the request: `${filename}` stands for the file's name.
    #[serde(default)]
    pub key: String,
    /// The request; none for POST forms.
    #[serde(default)]
    pub request: Option<Request>,
    /// What has to come out.
    pub expect: Expect,
}

/// An access key with its secret; every one in the vectors is made up.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Credentials {
    /// The access key id.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
    /// The public key as PEM, of a key pair, which has no secret.
    #[serde(default)]
    pub public_key: Option<String>,
    /// The session token that the key is bound to.
    #[serde(default)]
    pub security_token: Option<String>,
}

/// What of the client's configuration the gateway has to know.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Config {
    /// The bucket; none where it is null or empty.
    #[serde(default)]
    pub bucket: Option<String>,
}

impl Config {
    /// The bucket, if there is one.
    pub fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref().filter(|bucket| !bucket.is_empty())
    }
}

/// A request as it was on the wire.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The scheme that it was sent by.
    #[serde(default)]
    pub scheme: String,
    /// The address that it came from; empty where nobody knows.
    #[serde(default)]
    pub peer: String,
    /// The host and port that the client connected to.
    pub host: String,
    /// The raw request target.
    pub target: String,
    /// Names and values in wire order; a value's characters are its bytes (ISO-8859-1).
    pub headers: Vec<(String, String)>,
    /// How `headers` are to be read; only `latin-1` is known.
    #[serde(default)]
    pub header_encoding: Option<String>,
    /// The body in base64.
    #[serde(default)]
    pub body_b64: String,
}

impl Request {
    /// The position of the first header of this name, in any case.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.headers
            .iter()
            .position(|(header, _)| header.eq_ignore_ascii_case(name))
    }
}

/// What has to come out; only what is there is checked.
#[derive(Clone, Debug, Deserialize)]
pub struct Expect {
    /// Whether the signature verifies.
    pub valid: Valid,
    /// The bucket name in the signed text; empty where none is signed.
    #[serde(default)]
    pub signed_bucket: Option<String>,
    /// The text that the client put through its MAC.
    #[serde(default)]
    pub string_to_sign: Option<String>,
    /// What the digest in a V4 string to sign is of.
    #[serde(default)]
    pub canonical_request: Option<String>,
    /// The fields of a POST form, before its file.
    #[serde(default)]
    pub form: Option<BTreeMap<String, String>>,
    /// The error code of a refusal.
    #[serde(default)]
    pub error: Option<String>,
    /// The status of a refusal.
    #[serde(default)]
    pub status: Option<u16>,
}

/// Whether a vector verifies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Valid {
    /// It does.
    Yes,
    /// It is refused.
    No,
    /// Either is right.
    Either,
}

impl<'de> Deserialize<'de> for Valid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(true) => Ok(Self::Yes),
            Value::Bool(false) => Ok(Self::No),
            Value::String(text) if text == "either" => Ok(Self::Either),
            other => Err(serde::de::Error::custom(format!(
                "expect.valid is {other}, not true, false or \"either\""
            ))),
        }
    }
}

/// A member of a file that is no vector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// Its id, or its place in the file where it has none.
    pub id: String,
    /// What is wrong, as a sentence.
    pub reason: String,
}

/// Reads the text of a vector file: each member, or why it is none.
pub fn read(text: &str) -> Vec<Result<Vector, Unreadable>> {
    let members: Vec<Value> = match serde_json::from_str(text) {
        Ok(Value::Array(members)) => members,
        Ok(_) => return vec![Err(whole_file("The file is not a JSON array.".to_owned()))],
        Err(error) => return vec![Err(whole_file(format!("The file is not JSON: {error}.")))],
    };
    members
        .into_iter()
        .zip(1_usize..)
        .map(|(member, place)| {
            let id = match member.get("id").and_then(Value::as_str) {
                Some(id) => id.to_owned(),
                None => format!("member {place}"),
            };
            serde_json::from_value(member).map_err(|error| Unreadable {
                id,
                reason: format!("It is not a vector: {error}."),
            })
        })
        .collect()
}

fn whole_file(reason: String) -> Unreadable {
    Unreadable {
        id: "(file)".to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_no_vector_is_named_and_the_others_are_read() {
        let good = r#"{"id":"good","auth":"OSS-V1","now_unix":1,
            "credentials":{"access_key_id":"A","access_key_secret":"S"},"expect":{"valid":true}}"#;
        let members = read(&format!(
            r#"[{good}, {{"id":"bad"}}, 7, {}]"#,
            good.replace("true", "\"maybe\"")
        ));
        let names: Vec<_> = members
            .iter()
            .map(|member| match member {
                Ok(vector) => vector.id.clone(),
                Err(unreadable) => format!("not {}", unreadable.id),
            })
            .collect();
        assert_eq!(names, ["good", "not bad", "not member 3", "not good"]);
        assert!(members[1].as_ref().unwrap_err().reason.contains("missing field"));
    }

    #[test]
    fn a_file_that_is_no_array_is_one_unreadable_member() {
        for text in ["", "{}", "[", "null", "\u{0}"] {
            let members = read(text);
            assert_eq!(members.len(), 1, "{text}");
            assert!(members[0].is_err());
        }
    }
}
