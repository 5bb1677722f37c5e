//! The end of a form's file.
//!
//! Where the form's length is stated, the file's follows from it, if nothing but the closing boundary and a
//! line break comes behind the file. So the file can stream before its end was seen, and is watched while
//! it does: a boundary before that end, or another end, and the upload is broken off. A form of up to
//! [`MAX_BUFFERED_BYTES`] behind its fields is read first: then the file ends where the boundary is,
//! whatever follows.

use oss_s3::error::{Fault, Refusal};

use super::boundary::Boundary;
use super::mark::find;

/// The most bytes of a form, counted from its file, that are read before it is sent on.
pub const MAX_BUFFERED_BYTES: usize = 5 * 1024 * 1024;

/// How a form's file has to end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    delimiter: Vec<u8>,
    closing: Vec<u8>,
    /// The bytes of the body from the file on, where they are stated.
    left: Option<u64>,
}

impl Shape {
    /// The shape of a form whose file begins behind `before` bytes.
    pub(super) fn new(boundary: &Boundary, content_length: Option<u64>, before: u64) -> Self {
        Self {
            delimiter: boundary.delimiter(),
            closing: boundary.closing(),
            left: content_length.map(|length| length.saturating_sub(before)),
        }
    }

    /// The length of a file that has to stream; `None` where the rest of the form is to be read first, see
    /// [`Shape::file`].
    pub fn streamed_bytes(&self) -> Option<u64> {
        let closing = u64::try_from(self.closing.len()).unwrap_or(u64::MAX);
        let most = u64::try_from(MAX_BUFFERED_BYTES).unwrap_or(u64::MAX);
        self.left
            .filter(|left| *left > most)
            .map(|left| left.saturating_sub(closing))
    }

    /// The file in the rest of a form that was read: what stands before the boundary. Parts behind it are
    /// dropped.
    ///
    /// # Errors
    /// A form that breaks off.
    pub fn file<'r>(&self, rest: &'r [u8]) -> Result<&'r [u8], Refusal> {
        let broken =
            || Refusal::new(Fault::FormMalformed).because("The form's file has no boundary behind it.");
        let end = find(rest, &self.delimiter).ok_or_else(broken)?;
        let (file, behind) = rest.split_at_checked(end).ok_or_else(broken)?;
        let last = self.closing.strip_suffix(b"\r\n").unwrap_or(&self.closing);
        let ends_line = behind
            .strip_prefix(self.delimiter.as_slice())
            .is_some_and(|behind| behind.starts_with(b"--") || behind.starts_with(b"\r\n"));
        if ends_line && find(behind, last).is_some() {
            Ok(file)
        } else {
            Err(broken())
        }
    }

    /// Watches a file of this many bytes stream.
    pub fn scan(&self, bytes: u64) -> FileScan<'_> {
        FileScan {
            shape: self,
            left: bytes,
            seam: Vec::new(),
            ending: Vec::new(),
        }
    }
}

/// Watches what streams of a form: the file's bytes, and the end behind them.
pub struct FileScan<'s> {
    shape: &'s Shape,
    /// The bytes of the file that are still to come.
    left: u64,
    /// The last bytes of the file, in which a boundary may have begun.
    seam: Vec<u8>,
    /// What came behind the file.
    ending: Vec<u8>,
}

impl FileScan<'_> {
    /// Takes the body's next bytes; says how many of them, from the first on, are the file's.
    ///
    /// # Errors
    /// A boundary in the midst of what should be the file, or a longer end.
    pub fn push(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let of_file = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let (file, behind) = bytes.split_at_checked(of_file).unwrap_or((bytes, &[]));
        self.left = self
            .left
            .saturating_sub(u64::try_from(of_file).unwrap_or(u64::MAX));
        if self.is_interrupted(file)
            || self.ending.len().saturating_add(behind.len()) > self.shape.closing.len()
        {
            return Err(otherwise());
        }
        self.ending.extend_from_slice(behind);
        Ok(of_file)
    }

    /// States that the body is over.
    ///
    /// # Errors
    /// A file that is not whole, or another end than the closing boundary.
    pub fn finish(&self) -> Result<(), Refusal> {
        match (self.left, self.ending == self.shape.closing) {
            (0, true) => Ok(()),
            (0, false) => Err(otherwise()),
            _ => Err(Fault::BodyIncomplete.into()),
        }
    }

    /// Whether these next bytes of the file make a whole boundary, with those before them or alone.
    fn is_interrupted(&mut self, file: &[u8]) -> bool {
        let overlap = self.shape.delimiter.len().saturating_sub(1);
        let head = file.get(..overlap.min(file.len())).unwrap_or_default();
        self.seam.extend_from_slice(head);
        let found = [self.seam.as_slice(), file]
            .iter()
            .any(|bytes| find(bytes, &self.shape.delimiter).is_some());
        if file.len() >= overlap {
            self.seam.clear();
            let tail = file.len().saturating_sub(overlap);
            self.seam.extend_from_slice(file.get(tail..).unwrap_or_default());
        } else {
            let surplus = self.seam.len().saturating_sub(overlap);
            self.seam.drain(..surplus);
        }
        found
    }
}

fn otherwise() -> Refusal {
    Refusal::new(Fault::FormUnstreamable)
        .because("Something else than the closing boundary and a line break follows the form's file.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSING: &[u8] = b"\r\n--abc--\r\n";

    fn shape(content_length: Option<u64>) -> Shape {
        let boundary = Boundary::of_content_type(b"multipart/form-data; boundary=abc").unwrap();
        Shape::new(&boundary, content_length, 100)
    }

    /// Streams a file of `bytes` bytes in pieces of this length; gives what is the file's.
    fn streamed(body: &[u8], bytes: usize, piece: usize) -> Result<Vec<u8>, Refusal> {
        let shape = shape(None);
        let mut scan = shape.scan(bytes as u64);
        let mut file = Vec::new();
        for piece in body.chunks(piece) {
            let count = scan.push(piece)?;
            file.extend_from_slice(&piece[..count]);
        }
        scan.finish()?;
        Ok(file)
    }

    #[test]
    fn a_long_form_streams_and_its_file_s_length_follows_from_its_own() {
        let most = MAX_BUFFERED_BYTES as u64;
        assert_eq!(shape(None).streamed_bytes(), None);
        assert_eq!(shape(Some(10)).streamed_bytes(), None);
        assert_eq!(shape(Some(100 + most)).streamed_bytes(), None);
        let expected = most + 1 - CLOSING.len() as u64;
        assert_eq!(shape(Some(100 + most + 1)).streamed_bytes(), Some(expected));
        assert_eq!(
            shape(Some(u64::MAX)).streamed_bytes(),
            Some(u64::MAX - 100 - CLOSING.len() as u64)
        );
    }

    #[test]
    fn a_file_that_streams_arrives_whole_in_pieces_of_any_length() {
        for file in [
            b"".as_slice(),
            b"x",
            b"\r\n--ab",
            b"\r\n--ab\r\n--ab",
            b"\r\r\n\r\n-\r\n--\r\n--a\r\n--AbC",
            b"\r\n",
        ] {
            let body = [file, CLOSING].concat();
            for piece in 1..=body.len() {
                assert_eq!(streamed(&body, file.len(), piece).unwrap(), file, "{piece}");
            }
        }
    }

    #[test]
    fn g07_whatever_else_follows_a_file_that_streams_is_refused_before_its_last_byte() {
        for rest in [
            "\r\n--abc\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nv/k\r\n--abc--\r\n",
            "\r\n--abc--",
            "\r\n--abc--\r\n\r\n",
            "\r\n--abc--\r\nepilogue",
            "\r\n--abd--\r\n",
            "",
        ] {
            let body = [b"file", rest.as_bytes()].concat();
            let bytes = body.len().saturating_sub(CLOSING.len());
            for piece in 1..=body.len() {
                assert!(streamed(&body, bytes, piece).is_err(), "{rest:?} {piece}");
            }
        }
        let whole = [b"file", CLOSING].concat();
        for (length, fault) in [(10, Fault::FormUnstreamable), (2, Fault::BodyIncomplete)] {
            let refusal = streamed(&whole[..length], 4, 3).unwrap_err();
            assert_eq!(refusal.fault(), fault);
        }
        assert!(streamed(&whole, 3, 5).is_err() && streamed(&whole, 5, 5).is_err());
    }

    #[test]
    fn g07_what_follows_a_file_that_was_read_is_dropped() {
        for (rest, file) in [
            ("file\r\n--abc--\r\n", Some("file")),
            ("file\r\n--abc--", Some("file")),
            ("\r\n--abc--\r\n", Some("")),
            ("a\r\n--ab\r\n--abc--\r\nepilogue", Some("a\r\n--ab")),
            (
                "file\r\n--abc\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nv\r\n--abc--\r\n",
                Some("file"),
            ),
            (
                "file\r\n--abc\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nv",
                None,
            ),
            ("file\r\n--abcd--\r\n", None),
            ("file\r\n--abc", None),
            ("file", None),
            ("", None),
        ] {
            let found = shape(None).file(rest.as_bytes()).ok().map(<[u8]>::to_vec);
            assert_eq!(found, file.map(|file| file.as_bytes().to_vec()), "{rest:?}");
        }
    }
}
