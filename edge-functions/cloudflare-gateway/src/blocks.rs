//! Bodies of no stated length: the client's stream is read in blocks by JavaScript, and the blocks are sent on.
//!
//! What to do with them is said by [`gateway::blocks`]. A body that ends within its first block is like one that
//! came with its length.

use std::cell::Cell;

use gateway::blocks::{BLOCK_BYTES, Block, Blocks, Step};
use gateway::router;
use js_sys::{Promise, Uint8Array};
use oss_s3::answer::Asked;
use oss_s3::errand::Errand;
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::Authorized;
use oss_s3::response::MAX_DOCUMENT_BYTES;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStream;

use crate::arrival::Arrival;
use crate::body::Body;
use crate::exchange;
use crate::log::Entry;
use crate::origin::Origin;
use crate::platform::said;
use crate::reply::Reply;
use crate::settings::Settings;

/// A body of fewer bytes is kept whoever else is served.
const SHORT_BYTES: u32 = 64 * 1024 - 1;

/// How many longer bodies are served at once. Of each the platform keeps some 16 MiB, and an instance has 128 MB.
const MOST_LONG: usize = 5;

#[wasm_bindgen(module = "/blocks.js")]
extern "C" {
    #[wasm_bindgen(js_name = Blocks)]
    type Source;

    #[wasm_bindgen(constructor, js_class = "Blocks", catch)]
    fn new(stream: &ReadableStream, size: u32, digested: bool) -> Result<Source, JsValue>;

    #[wasm_bindgen(method)]
    fn next(this: &Source, size: u32) -> Promise;

    #[wasm_bindgen(method, getter)]
    fn block(this: &Source) -> Uint8Array;

    #[wasm_bindgen(method, getter)]
    fn ended(this: &Source) -> bool;

    #[wasm_bindgen(method, getter)]
    fn md5(this: &Source) -> String;
}

impl Source {
    /// Reads the next block of at most so many bytes, and lays it where the origin's request takes its body from. What
    /// was read of fewer bytes than a block has is read on.
    async fn read(&self, size: u32, body: &mut Body) -> Result<Block, Refusal> {
        // The device broke off: nothing else fails here.
        let read = JsFuture::from(self.next(size)).await;
        read.map_err(|error| Refusal::new(Fault::BodyIncomplete).because(said(&error)))?;
        let block = self.block();
        let bytes = u64::from(block.length());
        body.bytes = Some(block);
        Ok(Block {
            bytes,
            end: self.ended().then(|| self.md5()),
        })
    }
}

thread_local! {
    /// How many bodies a block is kept of.
    static LONG: Cell<usize> = const { Cell::new(0) };
}

/// One of the long bodies, as long as it is served.
struct Place;

impl Place {
    /// # Errors
    /// `ServiceUnavailable` where there are as many as memory has room for.
    fn taken() -> Result<Self, Refusal> {
        if LONG.get() >= MOST_LONG {
            return Err(Fault::TooManyUnsized.into());
        }
        LONG.set(LONG.get().saturating_add(1));
        Ok(Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        LONG.set(LONG.get().saturating_sub(1));
    }
}

/// Stores what comes, whatever its length.
///
/// # Errors
/// The refusal that the device is answered with.
pub(crate) async fn serve(
    arrival: &Arrival,
    authorized: &Authorized<'_>,
    errand: Errand<'_>,
    settings: &Settings,
    asked: &Asked<'_>,
    entry: &mut Entry,
) -> Result<Reply, Refusal> {
    let mut body = Body::default();
    let Some(stream) = &arrival.body else {
        return exchange(errand.of_length(Some(0)), &body, settings, asked, entry).await;
    };
    let is_digested = errand.content_md5().is_some();
    let source = Source::new(stream, BLOCK_BYTES, is_digested).map_err(|error| {
        Refusal::new(Fault::GatewayFailed).because(["no blocks: ", &said(&error)].concat())
    })?;
    // Most bodies are short. Of a longer one a block is kept, and all requests share one memory.
    let mut first = source.read(SHORT_BYTES, &mut body).await?;
    let mut place = None;
    if first.end.is_none() {
        place = Some(Place::taken()?);
        first = source.read(BLOCK_BYTES, &mut body).await?;
    }
    if first.end.is_some() {
        // Its length is known: what is kept of it is handed on.
        let _held = place;
        let length = Some(first.bytes);
        router::body_rule_of(authorized, length)?;
        return exchange(errand.of_length(length), &body, settings, asked, entry).await;
    }
    let origin = Origin::new(&errand.bucket().origin, settings, entry.began);
    let (mut blocks, mut step) = Blocks::begin(errand, &first, asked)?;
    let outcome = loop {
        let next = match step {
            Step::Send(request) => match origin.send(&request, &body, &|_| MAX_DOCUMENT_BYTES).await {
                Ok((answer, _)) => {
                    entry.answered(&answer);
                    blocks.advance(&answer, asked)
                }
                Err(refusal) => blocks.fail(refusal),
            },
            Step::Read => match source.read(BLOCK_BYTES, &mut body).await {
                Ok(block) => blocks.take(&block, origin.meter.left()),
                Err(refusal) => blocks.fail(refusal),
            },
            Step::Answer(answer) => break Ok(answer.into()),
        };
        match next {
            Ok(next) => step = next,
            Err(refusal) => break Err(refusal),
        }
    };
    if let Some(warning) = blocks.warning() {
        entry.line.alarm(warning);
    }
    outcome
}
