//! A bounded cache of key records in one isolate, as a value: the clock is an argument and the
//! store is somebody else's.
//!
//! Positive entries are fresh for a while and then kept for an outage of the store only. Negative
//! answers live in a ring of their own for at most ten seconds, so a flood of made-up ids can
//! neither evict a real key nor grow the memory.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use request_auth::UnixSeconds;
use serde::Serialize;

use crate::config::ConfigError;
use crate::document::Field;
use crate::keys::KeyRecord;

/// The most records that are kept.
pub const MAX_RECORDS: usize = 4096;
/// The most absent ids that are remembered.
pub const MAX_ABSENT: usize = 1024;
/// The longest that an absent id may be remembered, in seconds.
pub const MAX_NEGATIVE_SECONDS: u32 = 10;
/// The longest that a record may be used without asking the store, in seconds: a bound on revocation.
pub const MAX_FRESH_SECONDS: u32 = 3600;
/// The longest that a record may be used while the store does not answer, in seconds.
pub const MAX_STALE_SECONDS: u32 = 86_400;

/// How long cached answers count, in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct CacheTimes {
    /// How long a record is used without asking the store.
    pub fresh_seconds: u32,
    /// How long the last good record is used while the store does not answer.
    pub stale_seconds: u32,
    /// How long an absent id is taken for absent without asking.
    pub negative_seconds: u32,
}

impl Default for CacheTimes {
    fn default() -> Self {
        Self {
            fresh_seconds: 60,
            stale_seconds: 3600,
            negative_seconds: 10,
        }
    }
}

impl CacheTimes {
    pub(crate) fn read(table: Field<'_, '_>) -> Self {
        let default = Self::default();
        table.table(|fields| Self {
            fresh_seconds: fields
                .take("fresh_seconds")
                .or(default.fresh_seconds, Field::whole),
            stale_seconds: fields
                .take("stale_seconds")
                .or(default.stale_seconds, Field::whole),
            negative_seconds: fields
                .take("negative_seconds")
                .or(default.negative_seconds, Field::whole),
        })
    }

    /// Refuses times that would keep a revoked key alive for too long.
    ///
    /// # Errors
    /// A [`ConfigError`] for the first mistake.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.negative_seconds > MAX_NEGATIVE_SECONDS {
            return Err(ConfigError::of(|| {
                format!("`key_cache.negative_seconds` may be at most {MAX_NEGATIVE_SECONDS}")
            }));
        }
        for (name, seconds, most) in [
            ("fresh_seconds", self.fresh_seconds, MAX_FRESH_SECONDS),
            ("stale_seconds", self.stale_seconds, MAX_STALE_SECONDS),
        ] {
            if seconds > most {
                return Err(ConfigError::of(|| {
                    format!("`key_cache.{name}` may be at most {most}: a revoked key works that long")
                }));
            }
        }
        if self.stale_seconds < self.fresh_seconds {
            return Err(ConfigError::of(|| {
                "`key_cache.stale_seconds` may not be less than `key_cache.fresh_seconds`".to_owned()
            }));
        }
        Ok(())
    }

    /// Whether what was read at `read_at` counts without asking. A clock that steps back makes it old.
    pub fn is_fresh(&self, read_at: UnixSeconds, now: UnixSeconds) -> bool {
        read_at <= now && read_at.distance(now) <= u64::from(self.fresh_seconds)
    }

    /// Whether what was absent at `read_at` is taken for absent without asking.
    pub fn is_absence_young(&self, read_at: UnixSeconds, now: UnixSeconds) -> bool {
        let most = self.negative_seconds.min(MAX_NEGATIVE_SECONDS);
        read_at.distance(now) < u64::from(most)
    }

    /// Whether what was read at `read_at` counts while the store does not answer.
    pub fn is_usable(&self, read_at: UnixSeconds, now: UnixSeconds) -> bool {
        read_at.distance(now) <= u64::from(self.stale_seconds)
    }
}

/// What the cache says of a key id.
#[derive(Debug)]
pub enum Cached {
    /// A record that needs no asking.
    Fresh(Rc<KeyRecord>),
    /// No such key, known from a moment ago.
    Absent,
    /// The store has to be asked.
    Unknown,
}

struct Entry {
    record: Rc<KeyRecord>,
    read_at: UnixSeconds,
    used: u64,
}

/// Records and absences by key id.
#[derive(Default)]
pub struct KeyCache {
    records: BTreeMap<String, Entry>,
    absent: VecDeque<(String, UnixSeconds)>,
    uses: u64,
}

impl KeyCache {
    /// What is known of `id` at `now`. A clock that steps back makes an entry old, not young.
    pub fn look_up(&mut self, id: &str, times: CacheTimes, now: UnixSeconds) -> Cached {
        self.uses = self.uses.saturating_add(1);
        if let Some(entry) = self.records.get_mut(id)
            && times.is_fresh(entry.read_at, now)
        {
            entry.used = self.uses;
            return Cached::Fresh(Rc::clone(&entry.record));
        }
        if self
            .absent
            .iter()
            .any(|(absent, at)| absent == id && times.is_absence_young(*at, now))
        {
            Cached::Absent
        } else {
            Cached::Unknown
        }
    }

    /// The last good record of `id`, for when the store does not answer.
    pub fn last_good(&self, id: &str, times: CacheTimes, now: UnixSeconds) -> Option<Rc<KeyRecord>> {
        let entry = self.records.get(id)?;
        times
            .is_usable(entry.read_at, now)
            .then(|| Rc::clone(&entry.record))
    }

    /// Remembers what the store answered.
    pub fn remember(&mut self, record: KeyRecord, now: UnixSeconds) -> Rc<KeyRecord> {
        self.absent.retain(|(id, _)| id != record.id());
        if self.records.len() >= MAX_RECORDS
            && !self.records.contains_key(record.id())
            && let Some(least) = self
                .records
                .iter()
                .min_by_key(|(_, entry)| entry.used)
                .map(|(id, _)| id.clone())
        {
            self.records.remove(&least);
        }
        let record = Rc::new(record);
        self.uses = self.uses.saturating_add(1);
        let entry = Entry {
            record: Rc::clone(&record),
            read_at: now,
            used: self.uses,
        };
        self.records.insert(record.id().to_owned(), entry);
        record
    }

    /// Remembers that the store has no such key: a record that was there is revoked at once.
    pub fn remember_absent(&mut self, id: &str, now: UnixSeconds) {
        self.records.remove(id);
        self.absent.retain(|(absent, _)| absent != id);
        if self.absent.len() >= MAX_ABSENT {
            self.absent.pop_front();
        }
        self.absent.push_back((id.to_owned(), now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: CacheTimes = CacheTimes {
        fresh_seconds: 60,
        stale_seconds: 3600,
        negative_seconds: 10,
    };

    fn record(id: &str) -> KeyRecord {
        let json = format!(r#"{{"id":"{id}","secrets":[{{"secret":"0123456789abcdef"}}],"grants":[]}}"#);
        KeyRecord::from_json(id, &json).unwrap()
    }

    #[test]
    fn k02_a_record_is_asked_for_again_after_its_time() {
        let mut cache = KeyCache::default();
        assert!(matches!(
            cache.look_up("A", TIMES, UnixSeconds(0)),
            Cached::Unknown
        ));
        cache.remember(record("A"), UnixSeconds(0));
        assert!(matches!(
            cache.look_up("A", TIMES, UnixSeconds(60)),
            Cached::Fresh(_)
        ));
        assert!(matches!(
            cache.look_up("A", TIMES, UnixSeconds(61)),
            Cached::Unknown
        ));
        assert!(cache.last_good("A", TIMES, UnixSeconds(3600)).is_some());
        assert!(cache.last_good("A", TIMES, UnixSeconds(3601)).is_none());
    }

    #[test]
    fn k02_a_revoked_key_is_forgotten_when_the_store_says_so() {
        let mut cache = KeyCache::default();
        cache.remember(record("A"), UnixSeconds(0));
        cache.remember_absent("A", UnixSeconds(61));
        assert!(matches!(
            cache.look_up("A", TIMES, UnixSeconds(62)),
            Cached::Absent
        ));
        assert!(cache.last_good("A", TIMES, UnixSeconds(62)).is_none());
        assert!(matches!(
            cache.look_up("A", TIMES, UnixSeconds(71)),
            Cached::Unknown
        ));
    }

    #[test]
    fn k02_a_flood_of_made_up_ids_evicts_no_record_and_stays_bounded() {
        let mut cache = KeyCache::default();
        cache.remember(record("A"), UnixSeconds(0));
        for n in 0..10_000 {
            cache.remember_absent(&format!("made-up-{n}"), UnixSeconds(1));
        }
        assert_eq!(cache.absent.len(), MAX_ABSENT);
        assert!(matches!(
            cache.look_up("A", TIMES, UnixSeconds(1)),
            Cached::Fresh(_)
        ));
    }

    #[test]
    fn the_least_used_record_makes_room() {
        let mut cache = KeyCache::default();
        for n in 0..MAX_RECORDS {
            cache.remember(record(&format!("K{n}")), UnixSeconds(0));
        }
        assert!(matches!(
            cache.look_up("K0", TIMES, UnixSeconds(0)),
            Cached::Fresh(_)
        ));
        cache.remember(record("new"), UnixSeconds(0));
        assert_eq!(cache.records.len(), MAX_RECORDS);
        assert!(matches!(
            cache.look_up("K0", TIMES, UnixSeconds(0)),
            Cached::Fresh(_)
        ));
        assert!(matches!(
            cache.look_up("K1", TIMES, UnixSeconds(0)),
            Cached::Unknown
        ));
    }

    #[test]
    fn c11_a_clock_that_steps_back_does_not_keep_a_record_fresh() {
        let mut cache = KeyCache::default();
        cache.remember(record("A"), UnixSeconds(1000));
        assert!(matches!(
            cache.look_up("A", TIMES, UnixSeconds(999)),
            Cached::Unknown
        ));
    }
}
