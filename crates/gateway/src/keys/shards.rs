//! Key records in shards, as AWS Secrets Manager holds them: one secret has room for some hundred
//! records, and a function reads it whole.
//!
//! A shard is a JSON map from key id to key record. A record that can't be read is a fault of that key
//! alone; a shard that is no such map is no shard. Writing uses the same rules as reading: a record
//! that no function would read, and a shard that Secrets Manager would not take, are refused when they
//! are made.

use core::fmt;
use core::num::NonZeroU16;
use std::borrow::Cow;
use std::collections::BTreeMap;

use oss_s3::error::{Fault, Refusal};
use request_auth::Denial;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::document::{Holds, Node};
use crate::keys::{KeyRecord, RecordError};

/// A shard has to be smaller than this, in bytes: Secrets Manager takes 65,536.
pub const MAX_SHARD_BYTES: usize = 60_000;

/// The shard of a key id: the first byte of its SHA-256, modulo the number of shards.
pub fn shard_of(id: &str, shards: NonZeroU16) -> u16 {
    let digest = Sha256::digest(id.as_bytes());
    let first = digest.first().copied().unwrap_or_default();
    u16::from(first) % shards
}

/// A shard as it was read: the text of each record by its key id.
pub struct Shard(Vec<(String, Zeroizing<String>)>);

impl Shard {
    /// Reads the JSON map.
    ///
    /// # Errors
    /// A sentence for a text that is none. It quotes nothing: the text holds secrets.
    pub fn from_json(json: &str) -> Result<Self, String> {
        let records = Node::from_json(json)
            .and_then(|shard| {
                shard.read(Holds::Secrets, |shard| {
                    shard.map(|id, record| (id.into_owned(), Zeroizing::new(record.node().to_json())))
                })
            })
            .map_err(|mistake| mistake.to_string())?;
        Ok(Self(records))
    }

    /// Whether there is a record of a key id.
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|(other, _)| other == id)
    }

    /// The record of a key id.
    ///
    /// # Errors
    /// The refusal that the device is answered with: `InvalidAccessKeyId` where the shard has no such
    /// id, and `ServiceUnavailable` for a record that can't be read.
    pub fn record(&self, id: &str) -> Result<KeyRecord, Refusal> {
        let record = self.0.iter().find(|(other, _)| other == id);
        let (_, json) = record.ok_or(Denial::UnknownKey)?;
        KeyRecord::from_json(id, json)
            .map_err(|error| Refusal::new(Fault::StoreUnavailable).because(error.to_string()))
    }
}

/// Why shards can't be made: one sentence for the operator, without a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ShardError {
    /// A record that no function would read.
    Record(RecordError),
    /// A shard that would be too large.
    TooLarge {
        /// Which one.
        shard: u16,
        /// How large it would be, in bytes.
        bytes: usize,
    },
}

impl fmt::Display for ShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(error) => error.fmt(f),
            Self::TooLarge { shard, bytes } => write!(
                f,
                "shard {shard} would have {bytes} bytes, and has to have less than {MAX_SHARD_BYTES}: \
                 raise `cloudfront.key_shards` (at most 256), and choose another `cloudfront.secrets_prefix` with it"
            ),
        }
    }
}

impl core::error::Error for ShardError {}

/// Spreads key records over shards: gives the text of every shard, in their order, `{}` for one
/// without a record. `records` are the records' JSON texts by key id.
///
/// # Errors
/// A [`ShardError`] for the first record that can't be read, or the first shard that is too large.
pub fn spread(records: &BTreeMap<String, String>, shards: NonZeroU16) -> Result<Vec<String>, ShardError> {
    let mut tables = vec![Vec::new(); usize::from(shards.get())];
    for (id, json) in records {
        KeyRecord::from_json(id, json).map_err(ShardError::Record)?;
        let record = Node::from_json(json).unwrap_or(Node::Null);
        if let Some(table) = tables.get_mut(usize::from(shard_of(id, shards))) {
            table.push((Cow::Borrowed(id.as_str()), record));
        }
    }
    (0..)
        .zip(tables)
        .map(|(shard, table)| {
            let text = Node::Table(table).to_json();
            match text.len() {
                0..MAX_SHARD_BYTES => Ok(text),
                bytes => Err(ShardError::TooLarge { shard, bytes }),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123";

    fn record(id: &str) -> String {
        format!(r#"{{"id": "{id}", "secrets": [{{"secret": "{SECRET}"}}], "grants": []}}"#)
    }

    fn shards(count: u16) -> NonZeroU16 {
        NonZeroU16::new(count).unwrap()
    }

    #[test]
    fn the_shard_of_an_id_is_the_one_that_anybody_can_compute() {
        // printf AK-1 | sha256sum | cut -c1-2
        for (count, shard) in [(1, 0), (2, 0x2e % 2), (7, 0x2e % 7), (256, 0x2e)] {
            assert_eq!(shard_of("AK-1", shards(count)), shard, "{count}");
        }
    }

    #[test]
    fn every_record_is_found_in_the_shard_of_its_id_and_in_no_other() {
        let ids: Vec<String> = (0..100).map(|n| format!("AK-{n}")).collect();
        let records = ids.iter().map(|id| (id.clone(), record(id))).collect();
        for count in [1, 3, 256] {
            let texts = spread(&records, shards(count)).unwrap();
            assert_eq!(texts.len(), usize::from(count));
            let read: Vec<Shard> = texts.iter().map(|text| Shard::from_json(text).unwrap()).collect();
            for id in &ids {
                for (number, shard) in (0..).zip(&read) {
                    let found = shard.record(id);
                    if number == shard_of(id, shards(count)) {
                        assert_eq!(found.unwrap().id(), id);
                    } else {
                        assert_eq!(found.unwrap_err().fault(), Fault::KeyUnknown);
                    }
                }
            }
        }
    }

    #[test]
    fn d13_a_record_that_cannot_be_read_is_a_fault_of_that_key_alone() {
        let text = format!(
            r#"{{"AK-1": {}, "AK-2": {{"secret": "{SECRET}"}}, "AK-3": "{SECRET}", "AK-4": {}}}"#,
            record("AK-1"),
            record("ak-4")
        );
        let shard = Shard::from_json(&text).unwrap();
        assert_eq!(shard.record("AK-1").unwrap().id(), "AK-1");
        for id in ["AK-2", "AK-3", "AK-4"] {
            let refusal = shard.record(id).unwrap_err();
            assert_eq!(refusal.status(), 503, "{id}");
            let reason = refusal.reason();
            assert!(reason.contains(id) && !reason.contains(SECRET), "{reason}");
        }
        assert_eq!(shard.record("AK-5").unwrap_err().fault(), Fault::KeyUnknown);
    }

    #[test]
    fn k01_a_window_that_is_no_whole_number_is_not_taken_for_none() {
        for end in ["1714566896.5", "1e3", "99999999999999999999"] {
            let whole = record("AK-1").replace(r#""}]"#, &format!(r#"", "not_after": {end}}}]"#));
            assert!(KeyRecord::from_json("AK-1", &whole).is_err(), "{whole}");
            let shard = Shard::from_json(&format!(r#"{{"AK-1": {whole}}}"#)).unwrap();
            assert_eq!(shard.record("AK-1").unwrap_err().status(), 503, "{end}");
        }
    }

    #[test]
    fn what_is_no_map_of_records_is_no_shard_and_is_not_quoted() {
        for text in [
            "",
            "null",
            "[]",
            &format!(r#""{SECRET}""#),
            &format!(r#"{{"AK-1": "{SECRET}"#),
        ] {
            let error = Shard::from_json(text).err().unwrap();
            assert!(!error.contains(SECRET), "{error}");
        }
    }

    #[test]
    fn a_shard_that_secrets_manager_would_not_take_is_refused_when_it_is_made() {
        let records = |count| {
            (0..count)
                .map(|n| format!("AK-{n}"))
                .map(|id| (id.clone(), record(&id)))
        };
        let one = spread(&records(700).collect(), shards(1)).unwrap();
        assert!((50_000..MAX_SHARD_BYTES).contains(&one[0].len()));
        let error = spread(&records(1000).collect(), shards(1)).unwrap_err();
        assert!(matches!(
            error,
            ShardError::TooLarge {
                shard: 0,
                bytes: 60_000..
            }
        ));
        assert!(error.to_string().contains("`cloudfront.key_shards`"), "{error}");
        assert!(spread(&records(1000).collect(), shards(2)).is_ok());
    }

    #[test]
    fn a_record_that_no_function_would_read_makes_no_shard() {
        for (id, json) in [
            ("AK-1", record("AK-2")),
            ("A K", record("A K")),
            ("AK-1", "{}".to_owned()),
            ("AK-1", record("AK-1").replace(SECRET, "short")),
        ] {
            let error = spread(&BTreeMap::from([(id.to_owned(), json)]), shards(1)).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(id) && !text.contains(SECRET), "{text}");
        }
    }
}
