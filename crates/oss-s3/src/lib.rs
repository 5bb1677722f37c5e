//! The two dialects, OSS and S3, and the translation between them.

pub mod addressing;
pub mod answer;
pub mod complete;
#[cfg(test)]
mod device;
pub mod error;
pub mod headers;
pub mod key;
pub mod operation;
pub mod request;
mod xml;
