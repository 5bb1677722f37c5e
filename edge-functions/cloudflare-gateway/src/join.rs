//! Requests that wait for none of those beside them, a few at a time; and those whose bodies are joined from
//! the bodies of other answers, which go from stream to stream in JavaScript ([`join.js`](../join.js)).

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use gateway::response_handler::{Outcome, Task};
use js_sys::{Array, Promise};
use oss_s3::request::OriginBody;
use wasm_bindgen::prelude::{JsCast as _, JsValue, wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::Request;

use crate::allowance::TOGETHER;
use crate::body::Body;
use crate::origin::{self, Origin};
use crate::platform::said;

/// How many requests may wait for the heads of their answers at once; the platform holds back any more. If those
/// were requests whose bodies are still to come from others', they would wait for each other.
const CONNECTIONS: usize = 6;

/// How long before the answer is due joins end, in milliseconds: what they have made is noted then, or it would all be
/// joined again.
const FOR_RECORDS: u32 = 4000;

#[wasm_bindgen(module = "/join.js")]
extern "C" {
    fn join(request: &Request, length: u64, sources: &Array, ahead: usize, milliseconds: u32) -> Promise;
}

/// Does the tasks, as many at once as the platform lets, and gives what became of each, in their order. Of an answer it
/// reads so many bytes as `most` says for its status.
pub(crate) async fn together(
    tasks: &[Task],
    origin: &Origin<'_>,
    most: &dyn Fn(u16) -> usize,
) -> Vec<Outcome> {
    let lanes = tasks.len().clamp(1, TOGETHER);
    // Beside the request itself each lane has its share of what the sources may use.
    let ahead = CONNECTIONS
        .checked_div(lanes)
        .unwrap_or_default()
        .saturating_sub(1);
    let mut outcomes: Vec<Outcome> = tasks.iter().map(|_| Outcome::Failed(String::new())).collect();
    let waiting = RefCell::new(tasks.iter().zip(&mut outcomes));
    let lane = || async {
        loop {
            let next = waiting.borrow_mut().next();
            let Some((task, outcome)) = next else { break };
            let done = perform(task, ahead, origin, most).await;
            *outcome = done.unwrap_or_else(|error| Outcome::Failed(said(&error)));
        }
    };
    let mut running: Vec<Pin<Box<_>>> = (0..lanes).map(|_| Box::pin(lane())).collect();
    poll_fn(|context| {
        running.retain_mut(|lane| lane.as_mut().poll(context).is_pending());
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    drop(running);
    outcomes
}

async fn perform(
    task: &Task,
    ahead: usize,
    origin: &Origin<'_>,
    most: &dyn Fn(u16) -> usize,
) -> Result<Outcome, JsValue> {
    let nothing = Body::default();
    let request = origin.signed(&task.request, &nothing)?;
    let sources = Array::new();
    for source in &task.sources {
        sources.push(origin.signed(source, &nothing)?.as_ref());
    }
    let length = match task.request.body {
        OriginBody::Joined(length) => length,
        _ => 0,
    };
    let left = origin.meter.milliseconds();
    let milliseconds = match task.sources.is_empty() {
        true => left,
        false => left.saturating_sub(FOR_RECORDS),
    };
    let answer = join(&request, length, &sources, ahead, milliseconds);
    let answer = JsFuture::from(answer).await?;
    if let Some(status) = answer.as_f64() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an HTTP status"
        )]
        return Ok(Outcome::Source(status as u16));
    }
    let (answer, stream) = origin::received(answer.unchecked_into(), most).await?;
    if let Some(stream) = stream {
        // Nobody reads it; and nobody waits for the end of that.
        let _cancelled = stream.cancel();
    }
    Ok(Outcome::Answered(answer))
}
