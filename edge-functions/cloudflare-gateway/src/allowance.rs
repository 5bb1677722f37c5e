//! What the platform still lets a request do.

use std::cell::Cell;

use gateway::response_handler::Allowance;

use crate::platform;

/// How many requests the platform lets a Worker send for one of a client's, on a paid plan.
pub(crate) const MOST_REQUESTS: u32 = 10_000;

/// The fewest that a deployment may have: those of Workers Free.
pub(crate) const FEWEST_REQUESTS: u32 = 50;

/// When a request has to be answered, in milliseconds after it began: clients wait for a minute.
const DUE: u64 = 55_000;

/// When what follows an answer has to be done, in milliseconds behind it: the platform ends it after 30 s.
const DUE_BEHIND: u64 = 25_000;

/// How many requests run at once whose bodies come from others: see [`join`](crate::join).
pub(crate) const TOGETHER: usize = 3;

/// What is left of it to one request.
pub(crate) struct Meter {
    due: u64,
    requests: Cell<u32>,
}

impl Meter {
    /// That of a request that began at `began`, in milliseconds since 1970, and for which so many `requests` may be
    /// sent. The question for its key is one of them, whether it was asked or not.
    pub(crate) fn new(began: u64, requests: u32) -> Self {
        Self {
            due: began.saturating_add(DUE),
            requests: Cell::new(requests.saturating_sub(1)),
        }
    }

    /// The same for what follows the answer, from now on.
    pub(crate) fn behind(self) -> Self {
        Self {
            due: platform::now().saturating_add(DUE_BEHIND),
            ..self
        }
    }

    /// Counts a request that is about to be sent.
    pub(crate) fn count(&self) {
        self.requests.set(self.requests.get().saturating_sub(1));
    }

    /// How long until the answer is due.
    pub(crate) fn milliseconds(&self) -> u32 {
        let left = self.due.saturating_sub(platform::now());
        u32::try_from(left).unwrap_or_default()
    }

    /// What is left.
    pub(crate) fn left(&self) -> Allowance {
        Allowance {
            seconds: self.milliseconds() / 1000,
            requests: self.requests.get(),
            together: TOGETHER,
        }
    }
}
