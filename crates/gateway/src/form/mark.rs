//! Where a mark of a form stands in its bytes.
//!
//! Every mark begins with a carriage return, which a boundary can't hold: no place is looked at more than
//! twice. So the search for one byte is all that is needed of a search's machinery.

use memchr::memchr_iter;

/// Where `mark` stands in `text` first.
pub(super) fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    let first = *mark.first()?;
    memchr_iter(first, text).find(|&at| text.get(at..).is_some_and(|rest| rest.starts_with(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_where_it_stands_first_and_whole() {
        for (text, at) in [
            ("", None),
            ("\r\n--b", Some(0)),
            ("a\r\n--b\r\n--b", Some(1)),
            ("\r\n--\r\n--b", Some(4)),
            ("\r\r\n--a\r\n--", None),
            ("\n--b", None),
        ] {
            assert_eq!(find(text.as_bytes(), b"\r\n--b"), at, "{text:?}");
        }
        assert_eq!(find(b"\r\n\r\r\n\r\n", b"\r\n\r\n"), Some(3));
    }
}
