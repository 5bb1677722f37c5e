//! The gateway as a bare WebAssembly module, to be run by `run.mjs`.
//!
//! It exists for two proofs. The module imports nothing, so nothing in the core can reach a clock,
//! a network or a host. And what runs natively in the tests runs here in the same build that is
//! deployed: `wasm32-unknown-unknown`, release, where a panic is a trap.
//!
//! The interface is a few functions over linear memory: [`input`] makes room and says where, the
//! caller writes there, a `run_…` function reads it and says how long its answer is, and [`output`]
//! says where that stands.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use conformance::corpus::Corpus;
use conformance::run::run_file;
use serde::Serialize;

static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static CASE: AtomicU64 = AtomicU64::new(0);
static OUTPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Makes room for `length` bytes of input and gives their address. Earlier addresses are void.
#[unsafe(no_mangle)]
pub extern "C" fn input(length: usize) -> *mut u8 {
    with(&INPUT, |bytes| {
        bytes.clear();
        bytes.resize(length, 0);
        bytes.as_mut_ptr()
    })
}

/// The address of the last answer.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    with(&OUTPUT, |bytes| bytes.as_ptr())
}

/// Runs the vector file whose name and text are the input, the name being its first `name_length`
/// bytes. The answer is a report in JSON; gives its length.
#[unsafe(no_mangle)]
pub extern "C" fn run_vectors(name_length: usize) -> usize {
    let input = with(&INPUT, core::mem::take);
    let (name, text) = input.split_at_checked(name_length).unwrap_or((&[], &input));
    answer(&run_file(
        &String::from_utf8_lossy(name),
        &String::from_utf8_lossy(text),
    ))
}

/// Runs the cases `first..first + count` of the mutation corpus of `seed`. The answer is the run in
/// JSON; gives its length, or 0 where the vectors cannot be read.
#[unsafe(no_mangle)]
pub extern "C" fn run_corpus(seed: u64, first: u64, count: u64) -> usize {
    match Corpus::new() {
        Ok(corpus) => answer(&corpus.run(seed, first, count, |number| CASE.store(number, Ordering::Relaxed))),
        Err(_) => 0,
    }
}

/// The number of the case that was begun last: after a trap, the one that trapped.
#[unsafe(no_mangle)]
pub extern "C" fn current_case() -> u64 {
    CASE.load(Ordering::Relaxed)
}

fn answer(outcome: &impl Serialize) -> usize {
    with(&OUTPUT, |bytes| {
        *bytes = serde_json::to_vec(outcome).unwrap_or_default();
        bytes.len()
    })
}

/// There are no threads, so the lock is free; a poisoned one still holds its bytes.
fn with<T>(bytes: &Mutex<Vec<u8>>, then: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    then(&mut bytes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
}
