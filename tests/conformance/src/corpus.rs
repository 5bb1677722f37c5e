//! The mutation corpus: requests of real SDKs, damaged in every part and sent through the whole
//! gateway, with an origin that answers as badly (attack case N09).
//!
//! A case is a function of a seed and a number, so a failure can be run again, and the native and
//! the wasm build can be compared case by case ([`Run::digest`]). Most of the damaged requests
//! are signed again, or damage would hardly ever be seen behind the signature. What must hold for every
//! case stands in [`check`].

pub mod check;
mod mutate;
mod origin;
mod serve;
mod uploads;

use std::collections::BTreeMap;

use gateway::config::Config;
use gateway::keys::KeyRecord;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::FILES;
use crate::vector::{Credentials, Vector, read};

/// How far a case came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reached {
    /// Refused as unreadable, or for the form of its credential.
    Claim,
    /// Refused by the signature, the clock or the key.
    Verify,
    /// Verified, and refused by policy, operation, key, headers or body.
    Permit,
    /// Sent to the origin, whose answer was an error or unreadable.
    Origin,
    /// Answered with success.
    Answer,
}

impl Reached {
    /// The name in a report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claim => "refused unread",
            Self::Verify => "refused unverified",
            Self::Permit => "refused by policy",
            Self::Origin => "refused by the origin",
            Self::Answer => "answered",
        }
    }
}

/// What came out of a run of cases.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// How many cases behaved.
    pub passed: u64,
    /// How many did not.
    pub failed: u64,
    /// How many came how far.
    pub reached: BTreeMap<String, u64>,
    /// The first failures: case number and sentence.
    pub failures: Vec<(u64, String)>,
    /// SHA-1 over every answer, in hexadecimal: equal runs behave equally.
    pub digest: String,
}

/// How many failures a run describes.
const DESCRIBED: usize = 20;

/// The requests that cases are made from, and the gateway that they are sent to.
pub struct Corpus {
    bases: Vec<Vector>,
    records: Vec<(Credentials, KeyRecord)>,
    quiet: Config,
    open: Config,
}

impl Corpus {
    /// Reads the vectors and the configuration.
    ///
    /// # Errors
    /// A sentence on what cannot be read.
    pub fn new() -> Result<Self, String> {
        let mut bases: Vec<Vector> = Vec::new();
        for member in FILES.iter().flat_map(|(_, text)| read(text)) {
            bases.push(member.map_err(|unreadable| format!("{}: {}", unreadable.id, unreadable.reason))?);
        }
        bases.retain(|vector| vector.request.is_some());
        let mut records: Vec<(Credentials, KeyRecord)> = Vec::new();
        for base in &bases {
            if records.iter().all(|(known, _)| *known != base.credentials) {
                records.push((base.credentials.clone(), serve::record(&base.credentials)?));
            }
        }
        Ok(Self {
            bases,
            records,
            quiet: serve::config(false)?,
            open: serve::config(true)?,
        })
    }

    /// Runs the cases `first..first + count` of a seed. `begin` is told each number before its case
    /// starts, so that a trap can be laid at a door.
    pub fn run(&self, seed: u64, first: u64, count: u64, begin: impl Fn(u64)) -> Run {
        let mut run = Run::default();
        let mut digest = Sha1::new();
        for number in first..first.saturating_add(count) {
            begin(number);
            let (reached, outcome) = self.case(seed, number);
            let seen = run.reached.entry(reached.name().to_owned()).or_default();
            *seen = seen.saturating_add(1);
            match outcome {
                Ok(seen) => {
                    run.passed = run.passed.saturating_add(1);
                    digest.update(seen);
                }
                Err(sentence) => {
                    run.failed = run.failed.saturating_add(1);
                    if run.failures.len() < DESCRIBED {
                        run.failures.push((number, sentence));
                    }
                }
            }
        }
        run.digest = digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        run
    }

    /// One case: how far it came, and what was seen of it or what is wrong with it.
    fn case(&self, seed: u64, number: u64) -> (Reached, Result<Vec<u8>, String>) {
        let mut dice = Dice::of(seed, number);
        let base = dice.choose(&self.bases);
        let Some((base, record)) = base.and_then(|base| {
            let (_, record) = self
                .records
                .iter()
                .find(|(known, _)| *known == base.credentials)?;
            Some((base, record))
        }) else {
            return (
                Reached::Claim,
                Err("There is no vector to start from.".to_owned()),
            );
        };
        let arrived = mutate::arrived(base, &mut dice);
        let config = if dice.one_in(2) { &self.open } else { &self.quiet };
        serve::serve(config, record, &base.credentials, &arrived, &mut dice)
    }
}

/// The same throws everywhere: only 64-bit numbers are drawn, whatever the platform's word.
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    fn of(seed: u64, number: u64) -> Self {
        let mut numbers = fastrand::Rng::with_seed(seed);
        numbers.fork().u64(..);
        Self(fastrand::Rng::with_seed(
            numbers.u64(..) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        ))
    }

    /// A number below `bound`; 0 where there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.0.u64(0..bound)).unwrap_or_default()
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or_default()
    }

    pub(crate) fn choose<'t, T>(&mut self, things: &'t [T]) -> Option<&'t T> {
        things.get(self.below(things.len()))
    }
}
