//! The plan of a completion: which staged parts are joined to which part of S3's.
//!
//! It is made from the front, and joins are cut as soon as they are long enough, at records wherever there are
//! some: so the plan of a completion that goes on is the one of the completion that was interrupted, but that
//! what was joined is there. Each part of S3's has the number of the first part that it holds, so its numbers
//! ascend as the device's do, and nothing that the device can still complete is overwritten but by its own bytes.

use super::MIN_PART_BYTES;
use super::page::Stock;
use super::record::Record;
use super::source::{Source, resolve, with_etag};
use crate::complete::PartList;
use crate::error::{Fault, Refusal};
use crate::parts::{Part, PartNumber};

/// One part of the finished object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unit {
    /// A part that the device sent to S3 as it is.
    Direct {
        /// Its number.
        number: PartNumber,
        /// Its ETag, without quotes.
        etag: String,
    },
    /// A part that staged parts were joined or copied to.
    Joined {
        /// The number of the first of them.
        number: PartNumber,
        /// The ETag of the joined part, without quotes.
        etag: String,
    },
    /// Staged parts to be joined to a part with the number of the first.
    Join {
        /// At least one, in order.
        members: Vec<Part>,
        /// The sum of their sizes.
        bytes: u64,
    },
    /// A staged part to be copied to a part of the same number: the object's end.
    Copy {
        /// The staged part.
        part: Part,
    },
}

impl Unit {
    /// The number of the part of S3's; `None` of a join of nothing, which no plan has.
    pub fn number(&self) -> Option<PartNumber> {
        match self {
            Self::Direct { number, .. } | Self::Joined { number, .. } => Some(*number),
            Self::Join { members, .. } => members.first().map(Part::number),
            Self::Copy { part } => Some(part.number()),
        }
    }
}

/// What has to be done before S3 can complete an upload, and what it then completes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    units: Vec<Unit>,
    bytes: u64,
}

impl Plan {
    /// The parts of the finished object in order. What is not there yet can be made in any order.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// How many bytes the object has.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes note that the join or copy with this number was made, as S3's part with this ETag (without quotes).
    /// Gives the record to write of a join; `None` where there is nothing to write.
    pub fn made(&mut self, number: PartNumber, etag: &str) -> Option<Record> {
        let unit = self.units.iter_mut().find(|unit| unit.number() == Some(number))?;
        let record = match unit {
            Unit::Direct { .. } | Unit::Joined { .. } => return None,
            Unit::Join { members, .. } => Record::of(members, etag),
            Unit::Copy { .. } => None,
        };
        let etag = etag.to_owned();
        *unit = Unit::Joined { number, etag };
        record
    }

    /// The parts for S3 to complete; `None` while one of them still has to be made.
    pub fn part_list(&self) -> Option<PartList> {
        let part = |unit: &Unit| match unit {
            Unit::Direct { number, etag } | Unit::Joined { number, etag } => {
                Some(Part::new(*number, etag.clone(), None, None))
            }
            Unit::Join { .. } | Unit::Copy { .. } => None,
        };
        let parts = self.units.iter().map(part).collect::<Option<Vec<_>>>()?;
        PartList::of(parts).ok()
    }
}

/// Plans the completion of the parts that a device named (`None`: of all), from what is staged and from the
/// parts that the origin lists of its upload, in order, joined ones among them.
///
/// # Errors
/// `InvalidPart` for a part that is not there or has another ETag; `EntityTooSmall` for what S3 can't express: fewer
/// than 5 MiB of staged parts between two parts of S3's, or such a part itself before the end; `InternalError` for a
/// list of the origin's that is not in order or lacks a size.
pub fn plan(named: Option<&PartList>, stock: &Stock, uploaded: &[Part]) -> Result<Plan, Refusal> {
    let unreadable = |reason: &'static str| Refusal::new(Fault::OriginAnswerUnreadable).because(reason);
    if !uploaded.is_sorted_by(|one, next| one.number() <= next.number()) {
        return Err(unreadable(
            "The origin does not list the parts of an upload in order.",
        ));
    }
    let sources = resolve(named, stock, uploaded)?;
    let cutter = Cutter { stock, uploaded };
    let mut plan = Plan {
        units: Vec::new(),
        bytes: 0,
    };
    let mut stretch = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let part = source.part();
        let size = part
            .size()
            .ok_or_else(|| unreadable("The origin lists a part without its size."))?;
        plan.bytes = plan.bytes.saturating_add(size);
        match source {
            Source::Staged(part) => stretch.push(*part),
            Source::Direct(part) => {
                cutter.cut(&core::mem::take(&mut stretch), false, &mut plan.units)?;
                if size < MIN_PART_BYTES && at.saturating_add(1) < sources.len() {
                    return Err(too_small(
                        "A part below 5 MiB that is not staged stands before the end.",
                    ));
                }
                let (number, etag) = (part.number(), part.etag().to_owned());
                plan.units.push(Unit::Direct { number, etag });
            }
        }
    }
    cutter.cut(&stretch, true, &mut plan.units)?;
    Ok(plan)
}

fn too_small(reason: &'static str) -> Refusal {
    Refusal::new(Fault::EntityTooSmall).because(reason)
}

/// Cuts stretches of staged parts, which nothing of S3's stands between.
struct Cutter<'a> {
    stock: &'a Stock,
    uploaded: &'a [Part],
}

/// Neighbours of a stretch that become one part, joined already where there is an ETag.
struct Run<'a> {
    start: usize,
    end: usize,
    etag: Option<&'a str>,
}

impl<'a> Cutter<'a> {
    /// Makes units of a stretch.
    fn cut(&self, stretch: &[&Part], is_last: bool, units: &mut Vec<Unit>) -> Result<(), Refusal> {
        let mut runs: Vec<Run<'_>> = Vec::new();
        let (mut start, mut end, mut bytes) = (0, 0, 0);
        while let Some(rest) = stretch.get(end..).filter(|rest| !rest.is_empty()) {
            let joined = self.joined(rest, is_last);
            // Fewer bytes than a part needs take a joined part's members in, which spares the joined parts behind it.
            let etag = joined.map(|(_, etag)| etag).filter(|_| start == end);
            bytes = sum(rest.get(..1).unwrap_or_default()).saturating_add(bytes);
            end = end.saturating_add(joined.map_or(1, |(length, _)| length));
            if joined.is_some() || bytes >= MIN_PART_BYTES {
                runs.push(Run { start, end, etag });
                (start, bytes) = (end, 0);
            }
        }
        if start < end {
            match runs.last_mut().filter(|_| !is_last) {
                Some(run) => (run.end, run.etag) = (end, None),
                None if is_last => runs.push(Run {
                    start,
                    end,
                    etag: None,
                }),
                None => {
                    return Err(too_small(
                        "Staged parts between parts of S3's have fewer than 5 MiB.",
                    ));
                }
            }
        }
        units.extend(runs.iter().filter_map(|run| {
            let members = stretch.get(run.start..run.end)?;
            Some(unit(members, run.etag))
        }));
        Ok(())
    }

    /// How many parts from the front of `rest` are joined already, and the ETag of the part that they are joined
    /// to: as long as can be. A joined part that S3 would not take where it stands is none.
    fn joined(&self, rest: &[&Part], is_last: bool) -> Option<(usize, &'a str)> {
        let number = rest.first()?.number();
        let length_of = |record: &Record| {
            let part = with_etag(self.uploaded, number, record.etag())?;
            let length = rest.partition_point(|member| member.number() <= record.last());
            let members = rest.get(..length)?;
            let bytes = sum(members);
            let is_taken = bytes >= MIN_PART_BYTES || (is_last && length == rest.len());
            let is_valid = part.size() == Some(bytes)
                && members.last().is_some_and(|last| last.number() == record.last())
                && record.is_of(&mut members.iter().copied());
            (is_taken && is_valid).then(|| (length, part.etag()))
        };
        let records = self.stock.records_of(number);
        records.iter().filter_map(length_of).max()
    }
}

fn sum(members: &[&Part]) -> u64 {
    members.iter().fold(0, |bytes: u64, part| {
        bytes.saturating_add(part.size().unwrap_or_default())
    })
}

fn unit(members: &[&Part], etag: Option<&str>) -> Unit {
    match (members, etag) {
        ([first, ..], Some(etag)) => Unit::Joined {
            number: first.number(),
            etag: etag.to_owned(),
        },
        // There is nothing to copy of an empty one.
        ([part], None) if part.size() != Some(0) => Unit::Copy {
            part: (*part).clone(),
        },
        _ => Unit::Join {
            members: members.iter().map(|part| (*part).clone()).collect(),
            bytes: sum(members),
        },
    }
}

#[cfg(test)]
pub(super) mod tests;
