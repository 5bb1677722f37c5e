//! What an operator does with Causeway, as a library: the program `causeway` is its command line, and `cargo
//! xtask dev` deploys to the local CloudFront with the same code.
//!
//! Nothing here talks to an account. It reads and writes files; the platforms' own tools take them from there,
//! and the guides in `infra/` say how. Every mistake is one sentence that names the fix.

pub mod check;
pub mod cloudflare;
pub mod cloudfront;
pub mod configuration;
pub mod derive;
pub mod records;
pub mod shards;
