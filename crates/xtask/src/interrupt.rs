//! Ctrl-C, SIGTERM and SIGHUP: noted when they come, acted on where work can stop and clean up after itself.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, ensure};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From here on a signal no longer ends this process: [`check`] and [`is_requested`] tell of it.
pub(crate) fn watch() -> anyhow::Result<()> {
    ctrlc::set_handler(|| REQUESTED.store(true, Ordering::SeqCst)).context("cannot watch for Ctrl-C")
}

/// Whether the user wants this to stop.
pub(crate) fn is_requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// An error when the user wants this to stop.
pub(crate) fn check() -> anyhow::Result<()> {
    ensure!(!is_requested(), "interrupted");
    Ok(())
}
