//! Early joins: what [`gateway::early_join`] asks for is done when a staged part's client has its answer.
//!
//! The platform lets a Worker work on for 30 s behind its answer. What was not done by then is left to the
//! Complete, and so is what fails: a line of the log says why, and nobody else hears of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::slice;

use gateway::early_join::EarlyJoin;
use gateway::log::Line;
use gateway::response_handler::{Exchange, Outcome, Task};
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::OriginBody;

use crate::allowance::Meter;
use crate::join;
use crate::log::Entry;
use crate::origin::Origin;
use crate::settings::Settings;

/// How many joins this instance remembers to be at; those that the platform ended are among them.
const MOST_RUNNING: usize = 100;

thread_local! {
    /// The parts that this instance is making. The last parts of a group often arrive together, and each finds
    /// that all are there.
    static RUNNING: RefCell<Vec<String>> = RefCell::default();
}

/// What is to be done behind the answer.
pub(crate) struct Early {
    conversation: EarlyJoin,
    first: Task,
    meter: Meter,
    line: Line,
}

impl Early {
    /// What follows the success of an exchange, of whose allowance this is left.
    pub(crate) fn after(exchange: &Exchange<'_>, meter: Meter, entry: &Entry) -> Option<Self> {
        let (conversation, first) = EarlyJoin::after(exchange.errand(), meter.left().requests)?;
        Some(Self {
            conversation,
            first,
            meter,
            line: entry.line.clone(),
        })
    }

    /// Does it, and writes a line of the log where something was joined or failed.
    pub(crate) async fn run(self, settings: Rc<Settings>) {
        let Self {
            mut conversation,
            first,
            meter,
            line,
        } = self;
        let mut entry = Entry::behind(line);
        let bucket = conversation.origin().clone();
        let origin = Origin::behind(&bucket, &settings, meter);
        let done = drive(&mut conversation, first, &origin).await;
        match done {
            Ok(None) => return,
            Ok(Some(joined)) => entry.line.reason = Some(joined),
            Err(refusal) => {
                entry.line.level = "warn";
                entry.line.reason = Some(["Parts were not joined early: ", &refusal.reason()].concat());
            }
        }
        entry.write(None);
    }
}

/// What was joined, in words; `None` where that was nothing.
async fn drive(
    conversation: &mut EarlyJoin,
    first: Task,
    origin: &Origin<'_>,
) -> Result<Option<String>, Refusal> {
    let (mut task, mut joined) = (first, None);
    loop {
        let most = |status| conversation.document_bytes(status);
        let done = join::together(slice::from_ref(&task), origin, &most);
        let outcomes = match task.request.body {
            OriginBody::Joined(_) => {
                let part = task.request.path_and_query();
                if !begin(&part) {
                    return Ok(None);
                }
                let outcomes = done.await;
                RUNNING.with_borrow_mut(|running| running.retain(|other| *other != part));
                outcomes
            }
            _ => done.await,
        };
        let outcome = outcomes.into_iter().next();
        let outcome = outcome.unwrap_or_else(|| Outcome::Failed(String::new()));
        let Some(next) = conversation.advance(outcome)? else {
            return Ok(joined);
        };
        if let OriginBody::Joined(bytes) = task.request.body {
            let count = task.sources.len().to_string();
            joined = Some(
                [
                    &count,
                    " parts were joined early: ",
                    &bytes.to_string(),
                    " bytes.",
                ]
                .concat(),
            );
        }
        if origin.meter.milliseconds() == 0 {
            return Err(Refusal::new(Fault::Busy).because("The time behind an answer is used up."));
        }
        task = next;
    }
}

/// Whether nobody else in this instance is making this part.
fn begin(part: &str) -> bool {
    RUNNING.with_borrow_mut(|running| {
        if running.iter().any(|other| other == part) {
            return false;
        }
        if running.len() >= MOST_RUNNING {
            running.clear();
        }
        running.push(part.to_owned());
        true
    })
}
