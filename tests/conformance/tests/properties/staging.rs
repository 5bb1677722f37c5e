//! What a device sends in parts of any sizes is, once completed, what it sent, one part behind the other: after
//! parts that were sent again either way, joins that were made early, were out of date or left no record, and
//! completions that were interrupted anywhere. What is refused is what no arrangement of S3's parts could be.
//!
//! The origin is a model of S3: objects by key, parts of one upload, the minimum of 5 MiB. Bytes are counted,
//! not held: a content is the list of what was sent, each with its size.

use std::collections::{BTreeMap, BTreeSet};

use oss_s3::complete::{PartList, PartNumber, PartsPage};
use oss_s3::error::{Fault, Refusal};
use oss_s3::staging::{Folder, FolderPage, MIN_PART_BYTES, Plan, Record, Stock, Unit, plan};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use request_auth::Dialect;

use crate::config;

const MIB: u64 = 1024 * 1024;

/// What was sent, in order: the number of a sending and its size. Nothing of what is empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Content(Vec<(usize, u64)>);

impl Content {
    fn bytes(&self) -> u64 {
        self.0.iter().map(|(_, size)| size).sum()
    }

    /// The same for the same bytes, and only for them.
    fn etag(&self) -> String {
        let pieces: Vec<String> = self.0.iter().map(|(sent, _)| format!("{sent:x}")).collect();
        format!("e{}", pieces.join("-"))
    }
}

/// When the record of a join is written.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Writing {
    Now,
    AfterAll,
    Never,
}

#[derive(Clone, Debug)]
enum Action {
    /// A device sends a part: one below 5 MiB is staged, unless it is a copy.
    Send {
        number: u16,
        size: u64,
        is_copy: bool,
        is_kept: bool,
    },
    /// Staged parts are joined, whether they reach 5 MiB or not.
    Join { from: u16, to: u16, writing: Writing },
    /// A part is sent to S3 while the staged one of its number is joined, and is overwritten.
    Raced { number: u16, to: u16, size: u64 },
    /// A completion of all parts ends after some of its joins.
    Complete {
        order: Vec<Index>,
        made: usize,
        writing: Writing,
    },
}

#[derive(Clone, Debug, Default)]
struct Origin {
    staged: BTreeMap<u16, Content>,
    uploaded: BTreeMap<u16, Content>,
    records: BTreeSet<String>,
    /// Records that are still to be written.
    late: BTreeSet<String>,
    /// What the device sent last under each number.
    sent: BTreeMap<u16, Content>,
    sendings: usize,
    /// Whether a staged part was left where a direct one replaced it.
    kept: bool,
}

fn folder() -> Folder {
    Folder::of(".causeway/", "devices", "a/b", "U")
}

fn number(number: u16) -> PartNumber {
    PartNumber::from_decimal(number.to_string().as_bytes()).unwrap()
}

impl Origin {
    /// The folder, listed three keys a page.
    fn stock(&self) -> Stock {
        let entry = |(key, content): (String, &Content)| {
            let (etag, size) = (content.etag(), content.bytes());
            format!("<Contents><Key>{key}</Key><ETag>\"{etag}\"</ETag><Size>{size}</Size></Contents>")
        };
        let empty = Content::default();
        let staged = self
            .staged
            .iter()
            .map(|(at, content)| (folder().part(number(*at)), content));
        let records = self.records.iter().map(|key| (key.clone(), &empty));
        let entries: Vec<String> = staged.chain(records).map(entry).collect();
        let mut pages: Vec<&[String]> = entries.chunks(3).collect();
        let last = pages.pop().unwrap_or_default();
        let (mut stock, mut after) = (Stock::default(), None);
        for (page, truncated) in pages
            .into_iter()
            .map(|page| (page, "true"))
            .chain([(last, "false")])
        {
            let entries = page.concat();
            let document = format!(
                "<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{entries}</ListBucketResult>"
            );
            let page = FolderPage::from_origin(document.as_bytes(), &folder(), after.as_deref()).unwrap();
            after = page.next().map(str::to_owned);
            stock.add(page);
        }
        stock
    }

    fn uploaded(&self) -> PartsPage {
        let part = |(number, content): (&u16, &Content)| {
            let (etag, size) = (content.etag(), content.bytes());
            format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag><Size>{size}</Size></Part>"
            )
        };
        let parts: String = self.uploaded.iter().map(part).collect();
        let document = format!("<ListPartsResult><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>");
        PartsPage::from_origin(document.as_bytes(), None, Dialect::Oss).unwrap()
    }

    fn plan(&self, named: Option<&PartList>) -> Result<Plan, Refusal> {
        plan(named, &self.stock(), self.uploaded().parts())
    }

    fn sending(&mut self, size: u64) -> Content {
        self.sendings += 1;
        Content((size > 0).then_some((self.sendings, size)).into_iter().collect())
    }

    fn write(&mut self, record: Option<&Record>, writing: Writing) {
        let key = record.map(|record| folder().record(record));
        match writing {
            Writing::Now => self.records.extend(key),
            Writing::AfterAll => self.late.extend(key),
            Writing::Never => {}
        }
    }

    /// Joins the staged parts of these numbers, as far as there are any.
    fn join(&mut self, from: u16, to: u16, writing: Writing) {
        let stock = self.stock();
        let is_in = |at: u16| (from..=to).contains(&at);
        let members: Vec<_> = stock
            .parts()
            .iter()
            .filter(|part| is_in(part.number().get()))
            .cloned()
            .collect();
        let Some(first) = members.first() else { return };
        let joined = Content(
            self.staged
                .range(from..=to)
                .flat_map(|(_, content)| content.0.clone())
                .collect(),
        );
        self.write(Record::of(&members, &joined.etag()).as_ref(), writing);
        self.uploaded.insert(first.number().get(), joined);
    }

    /// Makes what is at this place of the plan.
    fn make(&mut self, plan: &mut Plan, at: usize, writing: Writing) {
        let members: Vec<u16> = match &plan.units()[at] {
            Unit::Direct { .. } | Unit::Joined { .. } => return,
            Unit::Join { members, bytes } => {
                assert_eq!(*bytes, members.iter().filter_map(|part| part.size()).sum::<u64>());
                members.iter().map(|part| part.number().get()).collect()
            }
            Unit::Copy { part } => vec![part.number().get()],
        };
        let content = Content(members.iter().flat_map(|at| self.staged[at].0.clone()).collect());
        let record = plan.made(number(members[0]), &content.etag());
        self.write(record.as_ref(), writing);
        self.uploaded.insert(members[0], content);
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Send {
                number,
                size,
                is_copy,
                is_kept,
            } => {
                let content = self.sending(*size);
                self.sent.insert(*number, content.clone());
                if *size < MIN_PART_BYTES && !is_copy {
                    self.staged.insert(*number, content);
                    return;
                }
                self.uploaded.insert(*number, content);
                if *is_kept {
                    self.kept |= self.staged.contains_key(number);
                } else {
                    self.staged.remove(number);
                }
            }
            Action::Join { from, to, writing } => self.join(*from, *to, *writing),
            Action::Raced { number, to, size } => {
                let content = self.sending(*size);
                self.sent.insert(*number, content.clone());
                self.uploaded.insert(*number, content);
                if self.staged.contains_key(number) {
                    self.join(*number, *to, Writing::Now);
                    self.staged.remove(number);
                }
            }
            Action::Complete { order, made, writing } => {
                let Ok(mut plan) = self.plan(None) else { return };
                for index in order.iter().take(*made) {
                    let at = index.index(plan.units().len());
                    self.make(&mut plan, at, *writing);
                }
            }
        }
    }

    /// Whether a part that is not staged has the bytes of a joined one.
    fn is_doubtful(&self) -> bool {
        let joined = folder().as_str().to_owned() + "joined/";
        let is_joined = |(number, content): (&u16, &Content)| {
            let (from, to) = (format!("{joined}{number:05}-"), format!("-{}", content.etag()));
            let mut records = self.records.iter();
            !self.staged.contains_key(number)
                && records.any(|key| key.starts_with(&from) && key.ends_with(&to))
        };
        self.uploaded.iter().any(is_joined)
    }

    /// S3's Complete.
    fn complete(&self, parts: &PartList) -> Content {
        let mut object = Content::default();
        for (at, part) in parts.parts().iter().enumerate() {
            let content = &self.uploaded[&part.number().get()];
            assert_eq!(content.etag(), part.etag());
            assert!(
                at + 1 == parts.parts().len() || content.bytes() >= MIN_PART_BYTES,
                "EntityTooSmall"
            );
            object.0.extend(&content.0);
        }
        object
    }
}

/// Whether some arrangement of S3's parts is these, staged or not, with their sizes, in this order.
fn is_expressible(parts: &[(bool, u64)]) -> bool {
    let mut reached = vec![true];
    for end in 1..=parts.len() {
        reached.push((0..end).any(|start| {
            let one = &parts[start..end];
            let is_part = one.len() == 1 || one.iter().all(|(is_staged, _)| *is_staged);
            let bytes: u64 = one.iter().map(|(_, size)| size).sum();
            reached[start] && is_part && (end == parts.len() || bytes >= MIN_PART_BYTES)
        }));
    }
    reached[parts.len()]
}

/// Often the same: a part that was sent again has a new content more often than a new size.
fn size() -> impl Strategy<Value = u64> {
    let edges = vec![
        0,
        1,
        MIN_PART_BYTES - 1,
        MIN_PART_BYTES,
        MIN_PART_BYTES + 1,
        2 * MIN_PART_BYTES,
    ];
    prop_oneof![
        6 => select(vec![MIN_PART_BYTES / 5, MIN_PART_BYTES / 2]),
        2 => select(edges),
        4 => 100 * 1024..3 * MIB,
        1 => MIN_PART_BYTES..12 * MIB,
    ]
}

fn at() -> impl Strategy<Value = u16> {
    1_u16..13
}

fn writing() -> impl Strategy<Value = Writing> {
    select(vec![
        Writing::Now,
        Writing::Now,
        Writing::AfterAll,
        Writing::Never,
    ])
}

fn action() -> impl Strategy<Value = Action> {
    let send = (
        at(),
        size(),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.02),
    );
    let join = (at(), 0_u16..6, writing());
    let complete = (vec(any::<Index>(), 0..6), 0_usize..6, writing());
    prop_oneof![
        12 => send.prop_map(|(number, size, is_copy, is_kept)| Action::Send { number, size, is_copy, is_kept }),
        4 => join.prop_map(|(from, more, writing)| Action::Join { from, to: from + more, writing }),
        1 => (at(), 0_u16..6, MIN_PART_BYTES..12 * MIB)
            .prop_map(|(number, more, size)| Action::Raced { number, to: number + more, size }),
        3 => complete.prop_map(|(order, made, writing)| Action::Complete { order, made, writing }),
    ]
}

/// The parts as a first upload leaves them, and what happens afterwards.
fn history() -> impl Strategy<Value = Vec<Action>> {
    let first = vec(size(), 0..12).prop_map(|sizes| {
        let numbered = (1..).zip(sizes);
        let send = |(number, size)| Action::Send {
            number,
            size,
            is_copy: false,
            is_kept: false,
        };
        numbered.map(send).collect::<Vec<_>>()
    });
    (first, vec(action(), 0..12)).prop_map(|(first, then)| [first, then].concat())
}

fn after(history: &[Action]) -> Origin {
    let mut origin = Origin::default();
    for action in history {
        origin.act(action);
    }
    origin.records.append(&mut origin.late);
    origin
}

fn named(sent: &[(u16, &Content)]) -> PartList {
    let parts: String = sent
        .iter()
        .map(|(number, content)| {
            let etag = content.etag().to_uppercase();
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        })
        .collect();
    let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    PartList::from_device(document.as_bytes(), Dialect::Oss).unwrap()
}

fn whole<'a>(parts: impl IntoIterator<Item = &'a Content>) -> Content {
    Content(parts.into_iter().flat_map(|part| part.0.clone()).collect())
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn what_a_device_lists_is_completed_as_it_sent_it_or_no_part_list_of_s3s_could_be_it(
        history in history(),
        left_out in vec(any::<Index>(), 0..3),
        order in vec(any::<Index>(), 30),
        interruptions in vec(0_usize..4, 0..4),
    ) {
        let mut origin = after(&history);
        let mut sent: Vec<(u16, Content)> = origin.sent.clone().into_iter().collect();
        for index in left_out {
            if sent.len() > 1 {
                sent.remove(index.index(sent.len()));
            }
        }
        prop_assume!(!sent.is_empty());
        let sent: Vec<(u16, &Content)> = sent.iter().map(|(number, content)| (*number, content)).collect();
        let list = named(&sent);
        let is_staged = |(number, content): &(u16, &Content)| origin.staged.get(number) == Some(content);
        let is_direct = |(number, content): &(u16, &Content)| origin.uploaded.get(number) == Some(content);
        let arrangement: Vec<(bool, u64)> = sent.iter().map(|one| (is_staged(one), one.1.bytes())).collect();
        let is_there = sent.iter().all(|one| is_staged(one) || is_direct(one));

        let mut plan = match origin.plan(Some(&list)) {
            Err(refusal) => {
                let fault = if is_there { Fault::EntityTooSmall } else { Fault::PartInvalid };
                prop_assert_eq!(refusal.fault(), fault);
                prop_assert!(!is_there || !is_expressible(&arrangement));
                return Ok(());
            }
            Ok(plan) => plan,
        };
        prop_assert!(is_there && is_expressible(&arrangement));
        prop_assert_eq!(plan.bytes(), sent.iter().map(|(_, content)| content.bytes()).sum::<u64>());

        // Killed between any two steps, it goes on and does nothing twice.
        let mut order = order.iter();
        for made in interruptions {
            for index in order.by_ref().take(made) {
                let at = index.index(plan.units().len());
                if matches!(plan.units()[at], Unit::Join { .. }) {
                    origin.make(&mut plan, at, Writing::Now);
                }
            }
            let resumed = origin.plan(Some(&list));
            prop_assert_eq!(resumed.as_ref(), Ok(&plan));
        }
        for at in (0..plan.units().len()).rev() {
            origin.make(&mut plan, at, Writing::Now);
        }
        let object = origin.complete(&plan.part_list().unwrap());
        prop_assert_eq!(object, whole(sent.iter().map(|(_, content)| *content)));
    }

    #[test]
    fn all_parts_are_completed_as_they_were_sent_last(history in history()) {
        let mut origin = after(&history);
        prop_assume!(!origin.kept);
        let sent = whole(origin.sent.values());
        let raced = history.iter().any(|action| matches!(action, Action::Raced { .. }));
        match origin.plan(None) {
            Err(refusal) if refusal.fault() == Fault::PartInvalid => {
                // Equal bytes can't be told from a race.
                prop_assert!(raced || origin.sent.is_empty() || origin.is_doubtful());
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.fault(), Fault::EntityTooSmall);
                let arrangement = origin.sent.iter().map(|(number, content)| {
                    (origin.staged.contains_key(number), content.bytes())
                });
                prop_assert!(raced || !is_expressible(&arrangement.collect::<Vec<_>>()));
            }
            Ok(mut plan) => {
                for at in 0..plan.units().len() {
                    origin.make(&mut plan, at, Writing::Now);
                }
                prop_assert_eq!(origin.complete(&plan.part_list().unwrap()), sent);
            }
        }
    }
}
