//! How large what a device stores may be: told before a byte of it is read, in both dialects' words.
//!
//! One put or one part has at most 5 GiB, in OSS and in S3. A grant may set a smaller limit for whole objects.
//! Whoever makes an object asks here: uploads by the length of their body, completions by the sum of their
//! parts, copies by the size of their source.

use crate::error::{Fault, Refusal};

/// The most bytes of one put, one part or one copy: 5 GiB
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
pub const MAX_UPLOAD_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// Refuses more than `most` bytes.
///
/// # Errors
/// `EntityTooLarge`, which says how many there may be.
pub fn check(bytes: u64, most: u64) -> Result<(), Refusal> {
    if bytes <= most {
        return Ok(());
    }
    Err(Refusal::new(Fault::EntityTooLarge).with("MaxSizeAllowed", most.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::tests::asked;

    #[test]
    fn what_is_too_large_is_refused_with_the_limit_that_it_passes() {
        assert!(check(0, 0).is_ok() && check(7, 7).is_ok());
        let refusal = check(8, 7).unwrap_err();
        assert_eq!((refusal.status(), refusal.code()), (400, "EntityTooLarge"));
        let body = String::from_utf8(refusal.answer(&asked("PUT", "h", "/k")).body).unwrap();
        assert!(body.contains("<MaxSizeAllowed>7</MaxSizeAllowed>"), "{body}");
        assert!(check(u64::MAX, MAX_UPLOAD_BYTES).is_err());
    }
}
