//! Conformance: does the gateway accept what real SDKs sign, and refuse everything near it?
//!
//! Signature vectors ([`vector`], [`run`]), requests derived from them that must be refused or must
//! still verify ([`derive`]), attacks as data ([`attack`]), damaged requests that nothing may trip
//! over ([`corpus`]), and the report that programs and people read ([`report`]). Nothing here reads a
//! file or a clock, so the same code runs natively and, through `probe/`, in wasm.
//!
//! The format of the vectors is described in `tests/vectors/README.md`.

pub mod attack;
pub mod corpus;
pub mod derive;
pub mod form;
pub mod mac;
pub mod report;
pub mod run;
pub mod upload;
pub mod vector;

/// The vector files of `tests/vectors`: their names and texts.
pub const FILES: [(&str, &str); 10] = [
    ("oss-v1.json", include_str!("../../vectors/oss-v1.json")),
    ("oss-v1-ref.json", include_str!("../../vectors/oss-v1-ref.json")),
    (
        "oss-presigned.json",
        include_str!("../../vectors/oss-presigned.json"),
    ),
    ("oss-v2.json", include_str!("../../vectors/oss-v2.json")),
    ("oss-v4.json", include_str!("../../vectors/oss-v4.json")),
    ("oss-post.json", include_str!("../../vectors/oss-post.json")),
    ("s3-v4.json", include_str!("../../vectors/s3-v4.json")),
    (
        "s3-presigned.json",
        include_str!("../../vectors/s3-presigned.json"),
    ),
    ("s3-post.json", include_str!("../../vectors/s3-post.json")),
    ("cloudfront.json", include_str!("../../vectors/cloudfront.json")),
];
