//! What a deployment on Cloudflare takes: the configuration as one variable of the Worker.

use anyhow::ensure;

use crate::configuration::Configuration;

/// The largest variable of a Worker, in bytes.
const MAX_VARIABLE_BYTES: usize = 5 * 1024;

/// The value of the variable CAUSEWAY_CONFIG.
///
/// # Errors
/// Cloudflare would not take it.
pub fn variable(configuration: &Configuration) -> anyhow::Result<&str> {
    let json = configuration.json();
    ensure!(
        json.len() <= MAX_VARIABLE_BYTES,
        "as JSON the configuration has {} bytes, and Cloudflare takes {MAX_VARIABLE_BYTES}: give some buckets and \
         hosts to a Worker of their own",
        json.len()
    );
    Ok(json)
}
