//! The two dialects, OSS and S3, and the translation between them.
