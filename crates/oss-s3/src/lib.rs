//! The two dialects, OSS and S3, and the translation between them, as pure functions: no IO, no
//! clock, no randomness, no platform type.
//!
//! The way of a request: [`addressing`] says which resources a host and path can be about;
//! `request-auth` verifies one of them; [`operation`] recognises the call and [`key`] judges the
//! object key; the gateway's policy makes a [`request::Authorized`] of them. With the table of
//! [`headers`] that becomes an [`errand::Errand`], from which a [`request::OriginRequest`] is built;
//! for a completion with the list of [`complete`]. The way back: [`response`] makes a device's [`answer`] of the origin's,
//! and [`error`] makes one of any refusal.
//!
//! Nothing is passed on that is not in a table: unknown operations, query names, request headers and
//! response headers are refused or dropped, and documents are read into values and written anew. The
//! direction of failure that matters is telling a device that data is stored when it is not, or
//! storing it under another name than the one that was signed.

mod acl;
pub mod addressing;
pub mod answer;
pub mod area;
pub mod complete;
pub mod copy_source;
mod creation;
pub mod deletions;
#[cfg(test)]
mod device;
pub mod errand;
pub mod error;
pub mod headers;
pub mod key;
pub mod operation;
mod parts;
pub mod payload;
pub mod request;
pub mod response;
mod restore;
pub mod size;
pub mod staging;
pub mod tagging;
pub mod tags;
pub mod upload;
mod xml;
