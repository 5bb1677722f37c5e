//! Key records from Workers KV, through the isolate's own cache.
//!
//! The cache is the core's; here are only the store and the clock. A store that fails is a 503, or
//! the last good record while that is young enough; a record that cannot be read is a 503 and a loud
//! log line; only a clear "no such key" is a 403.

use std::cell::RefCell;
use std::rc::Rc;

use gateway::keys::KeyRecord;
use gateway::keys::cache::{CacheTimes, Cached, KeyCache};
use gateway::log::Line;
use oss_s3::error::{Fault, Refusal};
use request_auth::{Denial, UnixSeconds};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::platform::{Namespace, binding, said};

/// The KV namespace that holds the records by their ids.
const BINDING: &str = "KEYS";

thread_local! {
    static CACHE: RefCell<KeyCache> = RefCell::default();
}

/// Finds the record of an id that a claim gives ([`Claim::record_id`](request_auth::Claim::record_id)). Use of an old one is noted in the
/// log line.
///
/// # Errors
/// The refusal that the device is answered with.
pub(crate) async fn find(
    env: &JsValue,
    id: &str,
    times: CacheTimes,
    now: UnixSeconds,
    line: &mut Line,
) -> Result<Rc<KeyRecord>, Refusal> {
    match CACHE.with_borrow_mut(|cache| cache.look_up(id, times, now)) {
        Cached::Fresh(record) => return Ok(record),
        Cached::Absent => return Err(Denial::UnknownKey.into()),
        Cached::Unknown => {}
    }
    match read(env, id).await {
        Ok(Some(json)) => {
            let record = KeyRecord::from_json(id, &json)
                .map_err(|error| Refusal::new(Fault::StoreUnavailable).because(error.to_string()))?;
            Ok(CACHE.with_borrow_mut(|cache| cache.remember(record, now)))
        }
        Ok(None) => {
            CACHE.with_borrow_mut(|cache| cache.remember_absent(id, now));
            Err(Denial::UnknownKey.into())
        }
        Err(error) => match CACHE.with_borrow(|cache| cache.last_good(id, times, now)) {
            Some(record) => {
                line.alarm("The key store does not answer; the last good record is used.");
                Ok(record)
            }
            None => Err(Refusal::new(Fault::StoreUnavailable)
                .because(["the key store does not answer: ", &error].concat())),
        },
    }
}

async fn read(env: &JsValue, id: &str) -> Result<Option<String>, String> {
    let store = binding(env, BINDING);
    if store.is_falsy() {
        return Err(["there is no binding ", BINDING].concat());
    }
    let asked = store.unchecked_into::<Namespace>().get(id);
    let answer = match asked {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    answer
        .map(|value| value.as_string())
        .map_err(|error| said(&error))
}
