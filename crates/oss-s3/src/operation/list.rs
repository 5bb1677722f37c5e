//! Lists of objects and of uploads: what is asked for, of which part of a bucket, and in which words the
//! origin is asked.
//!
//! All three lists go to the origin in one form: prefix, delimiter, a marker, a length and
//! `encoding-type=url`. Objects are always listed by S3's first version, whose marker is a key. A
//! continuation token is the gateway's own: the key after which to go on, in base64url, so that no state is
//! kept and no mount is told. What is no such token is refused.
//!
//! A list is of one area: of the first whose prefix the requested one begins with, or else of the first that
//! the requested prefix leads to. The bucket is then shown as if it held nothing but that area.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use request_auth::Dialect;

use super::{Arguments, KeySpelling, MAX_PAGE, Operation, UploadId};
use crate::area::Area;
use crate::key::{MAX_ORIGIN_KEY_BYTES, RESERVED_PREFIX, encoded_value};

/// A marker behind all keys of the gateway's own.
pub(crate) const BEHIND_RESERVED: &str = ".causeway/\u{10ffff}";

/// How many objects OSS lists where the request does not say.
const OSS_PAGE: u16 = 100;

/// What is listed, and in which form of answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListOf {
    /// Objects, paged by a key: ListObjects.
    Objects,
    /// Objects, paged by a token: ListObjectsV2.
    ObjectsByToken,
    /// Uploads that are under way, paged by key and upload id: ListMultipartUploads.
    Uploads,
}

impl ListOf {
    /// The parameters that say where a page begins, first and later, and how long it may be.
    const fn parameters(self) -> [&'static str; 3] {
        match self {
            // The first has one for both.
            Self::Objects => ["marker", "", "max-keys"],
            Self::ObjectsByToken => ["start-after", "continuation-token", "max-keys"],
            Self::Uploads => ["key-marker", "upload-id-marker", "max-uploads"],
        }
    }
}

/// A page of a list. Texts are decoded, as the client knows keys, and empty where it sent none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// What is listed.
    pub of: ListOf,
    /// What keys begin with.
    pub prefix: String,
    /// What ends, behind the prefix, that which is told of keys.
    pub delimiter: String,
    /// The key that the client wants to begin after: `marker`, `start-after` or `key-marker`.
    pub marker: String,
    /// `continuation-token` or `upload-id-marker`, as it was sent.
    pub token: String,
    /// The key after which the page begins: the token's, or else the marker.
    pub after: String,
    /// The most entries, at most 1000.
    pub most: u16,
    /// How the answer spells keys.
    pub spelling: KeySpelling,
    /// Whether the answer names owners.
    pub names_owners: bool,
}

impl Listing {
    /// Reads the arguments of a list.
    ///
    /// # Errors
    /// The name of the argument that has an impossible value.
    pub(super) fn new(operation: Operation, arguments: &Arguments) -> Result<Self, &'static str> {
        let of = match arguments.text("list-type").unwrap_or_default() {
            _ if operation == Operation::ListMultipartUploads => ListOf::Uploads,
            "" => ListOf::Objects,
            "2" => ListOf::ObjectsByToken,
            _ => return Err("list-type"),
        };
        arguments.flag("uploads")?;
        let [marker, token, most] = of.parameters();
        let text = |name| match arguments.text(name).unwrap_or_default() {
            text if text.len() > MAX_ORIGIN_KEY_BYTES => Err(name),
            text => Ok(text.to_owned()),
        };
        let sent = arguments.text(token).unwrap_or_default();
        let mut after = text(marker)?;
        let marker = after.clone();
        if !sent.is_empty() {
            let is_token = match of {
                ListOf::Uploads => UploadId::new(sent.as_bytes()).is_some(),
                _ => key_of(sent).is_some_and(|key| {
                    after = key;
                    after.len() <= MAX_ORIGIN_KEY_BYTES
                }),
            };
            if !is_token {
                return Err(token);
            }
        }
        Ok(Self {
            of,
            prefix: text("prefix")?,
            delimiter: text("delimiter")?,
            marker,
            token: sent.to_owned(),
            after,
            most: page_length(of, arguments, most)?,
            spelling: arguments.spelling()?,
            names_owners: match arguments.text("fetch-owner").unwrap_or_default() {
                "true" => true,
                "" | "false" => of != ListOf::ObjectsByToken,
                _ => return Err("fetch-owner"),
            },
        })
    }

    /// The operation.
    pub const fn operation(&self) -> Operation {
        match self.of {
            ListOf::Uploads => Operation::ListMultipartUploads,
            ListOf::Objects | ListOf::ObjectsByToken => Operation::ListObjects,
        }
    }

    /// The area that this is a list of; `None` where the prefix leads to none.
    pub fn area<'a>(&self, areas: &'a [Area]) -> Option<&'a Area> {
        let inside = |area: &&Area| self.prefix.starts_with(area.prefix());
        let leads = |area: &&Area| {
            // A delimiter that begins in the area's prefix and ends behind it is none for the origin, which
            // looks for it behind that prefix.
            let delimiter = self.delimiter.as_bytes();
            let mut beginnings = (1..delimiter.len()).filter_map(|length| delimiter.get(..length));
            let prefix = area.prefix().as_bytes();
            prefix.starts_with(self.prefix.as_bytes()) && !beginnings.any(|part| prefix.ends_with(part))
        };
        areas.iter().find(inside).or_else(|| areas.iter().find(leads))
    }

    /// What stands for everything in the area: its prefix up to a delimiter behind the requested prefix, where
    /// there is one.
    pub(crate) fn folded<'a>(&self, area: &'a Area) -> Option<&'a str> {
        let delimiter = self.delimiter.as_bytes();
        let rest = area.prefix().strip_prefix(self.prefix.as_str())?;
        if delimiter.is_empty() {
            return None;
        }
        let mut places = rest.as_bytes().windows(delimiter.len());
        let place = places.position(|place| place == delimiter)?;
        let end = self.prefix.len().checked_add(place)?;
        area.prefix().get(..end.checked_add(delimiter.len())?)
    }

    /// Whether the answer is known to have no entry, whatever the origin holds. Of what is the gateway's own not even
    /// how much there is can be told.
    pub(crate) fn is_void(&self, area: &Area) -> bool {
        self.most == 0
            || (area.mount().is_empty() && leads_to_reserved(&self.prefix))
            || self
                .folded(area)
                .is_some_and(|folded| self.after.as_str() >= folded)
    }

    /// The upload of the key `after` behind which the page begins, as the client was told of it. Without a
    /// key both dialects take no notice of it.
    pub(crate) fn upload(&self) -> Option<UploadId> {
        let is_marker = self.of == ListOf::Uploads && !self.after.is_empty();
        UploadId::new(self.token.as_bytes()).filter(|_| is_marker)
    }

    /// The query of the request to the origin, sorted by name; `upload` is what [`upload`](Self::upload) is for the
    /// origin.
    pub(crate) fn query(&self, area: &Area, upload: &str) -> String {
        let [marker, _, length] = match self.of {
            ListOf::Uploads => self.of.parameters(),
            _ => ListOf::Objects.parameters(),
        };
        let mut query = String::new();
        let mut put = |name: &str, pieces: [&str; 2]| {
            if !pieces.iter().all(|piece| piece.is_empty()) {
                let mark = if query.is_empty() { "" } else { "&" };
                for piece in [mark, name, "="] {
                    query.push_str(piece);
                }
                query.push_str(&encoded_value(pieces.concat().as_bytes()));
            }
        };
        // Whether there is anything at all is seen from one entry.
        let folded = self.folded(area).is_some();
        if !folded {
            put("delimiter", ["", &self.delimiter]);
        }
        put("encoding-type", ["", "url"]);
        let goes_on = !folded && !self.after.is_empty();
        let after = match area.mount() {
            "" if self.after.as_bytes().starts_with(RESERVED_PREFIX) => BEHIND_RESERVED,
            _ => &self.after,
        };
        // An object that is named as the mount is has no name for the client: objects begin behind it.
        if goes_on || (!folded && self.of != ListOf::Uploads) {
            put(marker, [area.mount(), after]);
        }
        put(length, ["", &if folded { 1 } else { self.most }.to_string()]);
        let prefix = if self.prefix.starts_with(area.prefix()) {
            self.prefix.as_str()
        } else {
            area.prefix()
        };
        put("prefix", [area.mount(), prefix]);
        if self.of == ListOf::Uploads {
            if goes_on {
                put("upload-id-marker", ["", upload]);
            }
            query.push_str("&uploads=");
        }
        query
    }
}

/// Whether what begins so at the origin is the gateway's own: also behind slashes, which some servers fold.
fn leads_to_reserved(prefix: &str) -> bool {
    let slashes = prefix.bytes().take_while(|&byte| byte == b'/').count();
    let folded = prefix.as_bytes().get(slashes..);
    folded.is_some_and(|folded| folded.starts_with(RESERVED_PREFIX))
}

/// The key that a continuation token stands for.
fn key_of(token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    String::from_utf8(bytes).ok().filter(|key| !key.is_empty())
}

/// The continuation token for a page that begins after a key.
pub(crate) fn token_of(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// OSS refuses a page that is too long, and S3 shortens it.
fn page_length(of: ListOf, arguments: &Arguments, name: &'static str) -> Result<u16, &'static str> {
    let text = arguments.text(name).unwrap_or_default();
    let is_oss = arguments.dialect == Dialect::Oss;
    if text.is_empty() {
        let is_short = is_oss && of != ListOf::Uploads;
        return Ok(if is_short { OSS_PAGE } else { MAX_PAGE });
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(name);
    }
    match text.parse::<u64>().ok().map(u16::try_from) {
        Some(Ok(length)) if length <= MAX_PAGE => Ok(length),
        Some(_) if !is_oss => Ok(MAX_PAGE),
        _ => Err(name),
    }
}

#[cfg(test)]
mod tests;
