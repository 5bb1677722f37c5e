//! Where the bytes of an upload's parts are: in staged objects, or in the origin's own parts.

use super::page::Stock;
use crate::complete::PartList;
use crate::error::{Fault, Refusal};
use crate::parts::{Part, PartNumber};

/// A part as its device knows it, and where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source<'a> {
    /// An object of the upload's folder.
    Staged(&'a Part),
    /// A part of the origin's upload.
    Direct(&'a Part),
}

impl<'a> Source<'a> {
    /// The part.
    pub const fn part(self) -> &'a Part {
        match self {
            Self::Staged(part) | Self::Direct(part) => part,
        }
    }
}

/// All parts of an upload in order, of those that are staged and those that the origin lists, both in order. Where a
/// number is in both, the part is the staged one: what the origin has under its number was joined, or is older.
pub fn union<'a>(staged: &'a [Part], uploaded: &'a [Part]) -> Vec<Source<'a>> {
    let mut uploaded = uploaded.iter().peekable();
    let mut all = Vec::new();
    for part in staged {
        while let Some(direct) = uploaded.next_if(|direct| direct.number() <= part.number()) {
            if direct.number() < part.number() {
                add(&mut all, direct);
            }
        }
        all.push(Source::Staged(part));
    }
    uploaded.for_each(|direct| add(&mut all, direct));
    all
}

/// Adds a part of the origin's; of several with one number the last.
fn add<'a>(all: &mut Vec<Source<'a>>, direct: &'a Part) {
    if all
        .last()
        .is_some_and(|last| last.part().number() == direct.number())
    {
        all.pop();
    }
    all.push(Source::Direct(direct));
}

/// The part with this number and ETag, of parts in order. S3 lists the last of those that were sent under a number;
/// a server that lists them all (`SeaweedFS` does) has each of them, and knows it by its ETag.
pub(super) fn with_etag<'p>(parts: &'p [Part], number: PartNumber, etag: &str) -> Option<&'p Part> {
    let start = parts.partition_point(|part| part.number() < number);
    let mut found = parts
        .get(start..)?
        .iter()
        .take_while(|part| part.number() == number);
    found.find(|part| part.etag().eq_ignore_ascii_case(etag))
}

/// Finds the parts that a device named, or all. What it named is found by its ETag, so it is what the device
/// means, whichever way parts of that number were stored since.
///
/// # Errors
/// `InvalidPart` for a part that is not there, or has another ETag; and for a joined part among all whose first
/// staged part is gone: what it holds are other parts' bytes too.
pub(super) fn resolve<'a>(
    named: Option<&PartList>,
    stock: &'a Stock,
    uploaded: &'a [Part],
) -> Result<Vec<Source<'a>>, Refusal> {
    let refuse = |reason: &'static str| Refusal::new(Fault::PartInvalid).because(reason);
    let Some(named) = named else {
        let all = union(stock.parts(), uploaded);
        let is_joined = |source: &Source<'_>| {
            let Source::Direct(part) = source else {
                return false;
            };
            let mut records = stock.records_of(part.number()).iter();
            records.any(|record| record.etag().eq_ignore_ascii_case(part.etag()))
        };
        if all.iter().any(is_joined) {
            return Err(refuse(
                "The origin lists a joined part whose first staged part is gone.",
            ));
        }
        if all.is_empty() {
            return Err(refuse("The upload to complete has no part."));
        }
        return Ok(all);
    };
    let find = |named: &Part| {
        let found = |parts| with_etag(parts, named.number(), named.etag());
        let staged = found(stock.parts()).map(Source::Staged);
        staged.or_else(|| found(uploaded).map(Source::Direct))
    };
    let missing = || refuse("A part to complete is neither staged nor listed by the origin.");
    named
        .parts()
        .iter()
        .map(|named| find(named).ok_or_else(missing))
        .collect()
}

#[cfg(test)]
mod tests;
