//! What Causeway decides, as pure functions: no IO, no clock, no async, no platform type.
//!
//! The edge functions around this crate copy what their platform hands over, call these functions in
//! the order below, and do the fetching in between:
//!
//! 1. `request_auth::RequestHead::new` reads the head;
//! 2. [`authorizer::claim`] says which key it claims to be signed with;
//! 3. the platform looks that key up, [`keys::cache`] before it, and [`keys::KeyRecord`] reads the record;
//! 4. [`authorizer::authorize`] verifies the signature and asks [`policy`] for permission;
//! 5. [`router`] says which way the request goes and what may come as its body;
//! 6. [`response_handler`] builds what is sent to the origin and translates what comes back, [`blocks`] where a
//!    body has no stated length;
//! 7. where the platform goes on once the client has its answer, [`early_join`] joins staged parts.
//!
//! Where the platform runs the roles apart, the decision travels in a [`passport`], and what the
//! response handler is to do beside it as an [`errand`]; keys come from [`secrets`] in
//! [shards](keys::shards). Each function writes its [`log`] line.
//!
//! Each step takes what only the step before can make, so a request that was not verified and
//! authorised can't be forwarded: there is no function that would.

pub mod authorizer;
pub mod blocks;
pub mod config;
pub mod cors;
#[cfg(test)]
mod device;
pub mod document;
pub mod early_join;
pub mod errand;
#[cfg(feature = "post-object")]
pub mod form;
pub mod keys;
pub mod log;
pub mod origin_signature;
pub mod passport;
pub mod policy;
pub mod replaced;
pub mod response_handler;
pub mod router;
pub mod secrets;
