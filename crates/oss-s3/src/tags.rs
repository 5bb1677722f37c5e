//! Tag sets of objects and buckets, in both dialects: the one reader of them.
//!
//! The table of [`headers`](crate::headers) reads and writes `x-oss-tagging` and `x-amz-tagging` with it, and
//! [`tagging`](crate::tagging) the documents of `?tagging`. What S3 would refuse where its
//! answer can't be told from others is refused here: more tags than the bucket takes, a key that stands twice
//! or is empty, keys and values that are too long or hold control characters. Which other characters a tag may
//! hold is for the origin to say.

use request_auth::Dialect;
use request_auth::canon::percent_decode;

use crate::error::Fault;
use crate::key::encoded_value;

/// How many tags S3 takes for an object
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>); OSS takes as many.
pub const DEFAULT_MAX_TAGS: u16 = 10;
/// How many tags S3 takes for a bucket
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>).
const MAX_BUCKET_TAGS: u16 = 50;
/// How many OSS takes.
const MAX_OSS_BUCKET_TAGS: u16 = 20;
/// The longest key of a tag, in characters.
pub const MAX_KEY_CHARS: usize = 128;
/// The longest value of a tag, in characters.
pub const MAX_VALUE_CHARS: usize = 256;

/// How many tags a client of this dialect may give a bucket.
pub(crate) const fn most_of_a_bucket(dialect: Dialect) -> u16 {
    match dialect {
        Dialect::Oss => MAX_OSS_BUCKET_TAGS,
        Dialect::S3 => MAX_BUCKET_TAGS,
    }
}

/// Tags with different keys, in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TagSet {
    tags: Vec<(String, String)>,
    most: u16,
}

impl TagSet {
    /// No tags, and room for this many.
    pub const fn new(most: u16) -> Self {
        Self {
            tags: Vec::new(),
            most,
        }
    }

    /// Adds a tag.
    ///
    /// # Errors
    /// [`Fault::TagInvalid`] for a key that is there already or empty, and for a key or value that is too long
    /// or holds a control character; [`Fault::TagsTooMany`] for one more than there is room for.
    pub fn add(&mut self, key: String, value: String) -> Result<(), Fault> {
        let is_good = |text: &str, most| text.chars().count() <= most && !text.chars().any(char::is_control);
        let is_new = self.tags.iter().all(|(known, _)| *known != key);
        if key.is_empty() || !is_new || !is_good(&key, MAX_KEY_CHARS) || !is_good(&value, MAX_VALUE_CHARS) {
            return Err(Fault::TagInvalid);
        }
        if self.tags.len() >= usize::from(self.most) {
            return Err(Fault::TagsTooMany);
        }
        self.tags.push((key, value));
        Ok(())
    }

    /// Reads `k1=v1&k2=v2`, percent-encoded UTF-8 with `+` for a blank: at most this many tags.
    ///
    /// # Errors
    /// As [`TagSet::add`]; [`Fault::TagInvalid`] for what is not well encoded, too.
    pub fn from_query(query: &[u8], most: u16) -> Result<Self, Fault> {
        let mut tags = Self::new(most);
        let pairs = query.split(|&byte| byte == b'&');
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let mut half = || {
                let mut text = halves.next().unwrap_or_default().to_vec();
                for byte in &mut text {
                    if *byte == b'+' {
                        *byte = b' ';
                    }
                }
                percent_decode(&text).and_then(|bytes| String::from_utf8(bytes).ok())
            };
            let (key, value) = half().zip(half()).ok_or(Fault::TagInvalid)?;
            tags.add(key, value)?;
        }
        Ok(tags)
    }

    /// Keys and values.
    pub fn tags(&self) -> &[(String, String)] {
        &self.tags
    }

    /// As a header has them: strictly percent-encoded. Empty for no tag at all.
    pub fn to_query(&self) -> String {
        let mut query = String::new();
        for (key, value) in &self.tags {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(&encoded_value(key.as_bytes()));
            query.push('=');
            query.push_str(&encoded_value(value.as_bytes()));
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(query: &str) -> Result<String, Fault> {
        TagSet::from_query(query.as_bytes(), DEFAULT_MAX_TAGS).map(|tags| tags.to_query())
    }

    #[test]
    fn tags_are_read_as_a_query_and_written_strictly() {
        for (query, expected) in [
            ("k1=v1&k2=v%202", Ok("k1=v1&k2=v%202")),
            ("k1=v+1", Ok("k1=v%201")),
            ("k1=v%2B1", Ok("k1=v%2B1")),
            ("a/b=%e4%b8%ad", Ok("a%2Fb=%E4%B8%AD")),
            ("k", Ok("k=")),
            ("k=a=b", Ok("k=a%3Db")),
            ("K=1&k=2", Ok("K=1&k=2")),
            ("k=1&", Ok("k=1")),
            ("&", Ok("")),
            ("", Ok("")),
            ("=v", Err(Fault::TagInvalid)),
            ("k=1&k=2", Err(Fault::TagInvalid)),
            ("k=1&%6b=2", Err(Fault::TagInvalid)),
            ("k=%zz", Err(Fault::TagInvalid)),
            ("k=%f", Err(Fault::TagInvalid)),
            ("k=%ff", Err(Fault::TagInvalid)),
            ("k=%0d%0a", Err(Fault::TagInvalid)),
            ("k%00=v", Err(Fault::TagInvalid)),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(rewritten(query), expected, "{query}");
        }
    }

    #[test]
    fn keys_and_values_have_their_length_in_characters() {
        for character in ["k", "\u{4e2d}"] {
            let tag = |key, value| {
                let mut tags = TagSet::new(1);
                tags.add(character.repeat(key), character.repeat(value))
            };
            assert_eq!(tag(128, 256), Ok(()));
            assert_eq!(tag(1, 0), Ok(()));
            assert_eq!(tag(129, 0), Err(Fault::TagInvalid));
            assert_eq!(tag(1, 257), Err(Fault::TagInvalid));
            assert_eq!(tag(0, 1), Err(Fault::TagInvalid));
        }
    }

    #[test]
    fn a_set_has_as_many_tags_as_there_is_room_for_and_not_one_more() {
        let some = |count: u16| (0..count).map(|n| format!("k{n}=v&")).collect::<String>();
        for most in [0, 1, 10, 50] {
            assert!(TagSet::from_query(some(most).as_bytes(), most).is_ok(), "{most}");
            let over = TagSet::from_query(some(most + 1).as_bytes(), most);
            assert_eq!(over, Err(Fault::TagsTooMany), "{most}");
        }
    }
}
