//! POST forms: a browser's way to upload, in the place of a signed head.
//!
//! What a signature covers of a form, and what its policy permits, is `request_auth::post_policy`'s. Here
//! is the reading around it: the policy's JSON.

mod policy;

pub use policy::read_policy;
