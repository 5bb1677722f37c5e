//! Signing and verifying of object-storage requests as pure functions: no IO, no clock, no async,
//! no platform type, and no `unsafe`.
//!
//! The order to read in is the order of trust. A [`RequestHead`] is what arrived; a [`Claim`] is the
//! one signature it carries; [`Claim::verify`] takes the key's record, the candidates that
//! addressing allows and the time as arguments and gives a [`Verified`], from which only what the
//! signature covers can be read, and a closed list of unsigned hints.
//!
//! The direction of failure that matters is accepting: where a request can be read in two ways, or a
//! platform hides what was sent, it is refused.

pub mod aws_v4;
pub mod canon;
mod claim;
#[cfg(test)]
mod client;
#[cfg(feature = "cloudfront-signatures")]
pub mod cloudfront;
mod denial;
pub mod derived;
mod dialect;
mod head;
mod oss_claim;
mod oss_form;
pub mod oss_v1;
pub mod oss_v2;
pub mod oss_v4;
mod payload;
#[cfg(feature = "post-object")]
pub mod post_policy;
mod presented;
pub mod preview;
mod public_key;
mod scope;
mod secret;
mod source_ip;
mod time;
mod verified;

pub use claim::{Claim, KeyMaterial, MAX_KEY_ID_BYTES, Rules, Scheme, Window, is_plain_key_id};
pub use denial::{Ambiguity, Denial, PolicyPart, ScopePart};
pub use dialect::Dialect;
pub use head::{
    Connection, Delivery, HeadError, MAX_HEADER_BYTES, MAX_HEADERS, MAX_PARAMETERS, MAX_TARGET_BYTES,
    Occurrence, Parameter, RequestHead, is_token_byte,
};
pub use oss_claim::OssClaim;
pub use payload::{ChunkSeed, Payload};
pub use public_key::PublicKey;
pub use secret::{SecretKey, SecurityToken};
pub use source_ip::AddressRange;
pub use time::UnixSeconds;
pub use verified::{Coverage, Hint, Resource, Verified, VerifiedParameter};
