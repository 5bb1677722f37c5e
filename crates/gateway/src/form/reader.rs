//! Reads a form until its file begins.
//!
//! What is read is kept, so it is bounded: S3 takes 20 KB before the file, boundaries included. The file is
//! the part named `file`; a form that ends without one is refused. Whatever RFC 7578 leaves to taste and
//! no client sends is refused: preambles, folded header lines, transfer encodings, names that are not
//! UTF-8.

use oss_s3::error::{Fault, Refusal};
use request_auth::post_policy::FormFields;

use super::boundary::{Boundary, parameters};
use super::file::Shape;
use super::mark::find;

/// The most bytes of a form before its file: S3's own bound.
pub const MAX_BYTES_BEFORE_FILE: usize = 20 * 1024;
/// The most bytes of a part's headers.
const MAX_PART_HEAD_BYTES: usize = 2048;
/// The most fields of a form.
const MAX_FIELDS: usize = 128;

/// A form whose file begins.
#[derive(Debug)]
pub struct Opened {
    /// The fields before the file.
    pub fields: FormFields,
    /// The file's name as the client gave it; empty for none.
    pub file_name: Vec<u8>,
    /// How the file has to end.
    pub shape: Shape,
    /// The bytes of the file, and perhaps of what follows it, that were read already.
    pub begun: Vec<u8>,
}

/// Takes a form's first bytes.
pub struct FormReader {
    boundary: Boundary,
    content_length: Option<u64>,
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    /// Where in the buffer the next piece begins.
    at: usize,
    /// Up to where the piece was searched for its end.
    searched: usize,
    next: Piece,
    fields: Vec<(String, Vec<u8>)>,
}

/// What comes next.
enum Piece {
    /// The first boundary, which has no line break before it.
    Start,
    /// What stands behind a boundary: a line break, or the form's end.
    Behind,
    /// The headers of a part.
    Head,
    /// The value of the field of this name.
    Value(String),
}

impl FormReader {
    /// Begins a form with this boundary, in a body of this length (`None`: not stated).
    pub fn new(boundary: Boundary, content_length: Option<u64>) -> Self {
        Self {
            delimiter: boundary.delimiter(),
            boundary,
            content_length,
            buffer: Vec::new(),
            at: 0,
            searched: 0,
            next: Piece::Start,
            fields: Vec::new(),
        }
    }

    /// Takes the body's next bytes; gives the form once its file begins.
    ///
    /// # Errors
    /// A form that is malformed, too long before its file, without one, or with a field twice.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Opened>, Refusal> {
        self.buffer.extend_from_slice(bytes);
        loop {
            match self.step()? {
                Step::Field => {}
                Step::More if self.buffer.len() > MAX_BYTES_BEFORE_FILE => {
                    return Err(Fault::FormTooLong.into());
                }
                Step::More => return Ok(None),
                Step::File(_) if self.at > MAX_BYTES_BEFORE_FILE => return Err(Fault::FormTooLong.into()),
                Step::File(file_name) => return self.open(file_name).map(Some),
            }
        }
    }

    /// The refusal of a form that is not whole when its body is.
    pub fn ended(&self) -> Refusal {
        match self.next {
            Piece::Start if self.buffer.is_empty() => Fault::FormWithoutFile.into(),
            _ => malformed("The form breaks off before its file."),
        }
    }

    fn open(&mut self, file_name: Vec<u8>) -> Result<Opened, Refusal> {
        let begun = self.buffer.split_off(self.at);
        let before = u64::try_from(self.at).unwrap_or(u64::MAX);
        Ok(Opened {
            fields: FormFields::new(core::mem::take(&mut self.fields))?,
            file_name,
            shape: Shape::new(&self.boundary, self.content_length, before),
            begun,
        })
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
        self.searched = self.at;
    }

    /// How far ahead `mark` stands, if it came yet. What was searched is not searched again.
    fn find(&mut self, mark: &[u8]) -> Option<usize> {
        let from = self.searched.max(self.at);
        let found = find(self.buffer.get(from..).unwrap_or_default(), mark);
        if found.is_none() {
            let overlap = mark.len().saturating_sub(1);
            self.searched = self.buffer.len().saturating_sub(overlap).max(from);
        }
        found.map(|at| from.saturating_add(at).saturating_sub(self.at))
    }

    fn step(&mut self) -> Result<Step, Refusal> {
        match core::mem::replace(&mut self.next, Piece::Behind) {
            Piece::Start => {
                let first = self.delimiter.get(2..).unwrap_or_default().to_vec();
                self.expect(&first, Piece::Start)
            }
            Piece::Behind => match self.rest() {
                [b'\r', b'\n', ..] => {
                    self.advance(2);
                    self.next = Piece::Head;
                    Ok(Step::Field)
                }
                [b'-', b'-', ..] => Err(Fault::FormWithoutFile.into()),
                [] | [b'\r' | b'-'] => Ok(Step::More),
                _ => Err(malformed("A boundary does not end its line.")),
            },
            Piece::Head => match self.find(b"\r\n\r\n") {
                Some(end) if end <= MAX_PART_HEAD_BYTES => {
                    let head = self.rest().get(..end).unwrap_or_default().to_vec();
                    self.advance(end.saturating_add(4));
                    self.part(&head)
                }
                None if self.rest().len() <= MAX_PART_HEAD_BYTES => {
                    self.next = Piece::Head;
                    Ok(Step::More)
                }
                _ => Err(malformed("The headers of a part are too long.")),
            },
            Piece::Value(name) => {
                let delimiter = self.delimiter.clone();
                match self.find(&delimiter) {
                    Some(end) => {
                        let value = self.rest().get(..end).unwrap_or_default().to_vec();
                        self.fields.push((name, value));
                        self.advance(end.saturating_add(delimiter.len()));
                        Ok(Step::Field)
                    }
                    None => {
                        self.next = Piece::Value(name);
                        Ok(Step::More)
                    }
                }
            }
        }
    }

    /// Takes `text`, which has to come next.
    fn expect(&mut self, text: &[u8], again: Piece) -> Result<Step, Refusal> {
        let rest = self.rest();
        if rest.starts_with(text) {
            self.advance(text.len());
            Ok(Step::Field)
        } else if text.starts_with(rest) {
            self.next = again;
            Ok(Step::More)
        } else {
            Err(malformed("The form does not begin with its boundary."))
        }
    }

    /// Takes a part's headers.
    fn part(&mut self, head: &[u8]) -> Result<Step, Refusal> {
        let (name, file_name) =
            read_head(head).ok_or_else(|| malformed("The headers of a part are malformed."))?;
        if name.eq_ignore_ascii_case("file") {
            return Ok(Step::File(file_name));
        }
        if self.fields.len() >= MAX_FIELDS {
            return Err(Fault::FormTooLong.into());
        }
        self.next = Piece::Value(name);
        Ok(Step::Field)
    }
}

enum Step {
    /// A piece was taken; there may be more.
    Field,
    /// More bytes are needed.
    More,
    /// The file of this name begins.
    File(Vec<u8>),
}

/// The name of a part and the name of its file, from its header lines.
fn read_head(head: &[u8]) -> Option<(String, Vec<u8>)> {
    let mut disposition = None;
    let mut rest = head;
    loop {
        let end = find(rest, b"\r\n");
        let line = rest.get(..end.unwrap_or(rest.len()))?;
        let colon = line.iter().position(|&byte| byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let value = value.strip_prefix(b":")?.trim_ascii();
        // A name with blanks around it, or none: a folded line.
        if name.is_empty() || name.trim_ascii().len() != name.len() || value.contains(&b'\r') {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-disposition") && disposition.replace(value).is_some() {
            return None;
        }
        let encodes = name.eq_ignore_ascii_case(b"content-transfer-encoding");
        let plain: [&[u8]; 3] = [b"binary", b"8bit", b"7bit"];
        if encodes && !plain.iter().any(|plain| value.eq_ignore_ascii_case(plain)) {
            return None;
        }
        match end {
            Some(end) => rest = rest.get(end.saturating_add(2)..)?,
            None => break,
        }
    }
    let (kind, parameters) = parameters(disposition?)?;
    let one = |wanted: &str| {
        let mut found = parameters.iter().filter(|(name, _)| name == wanted);
        match (found.next(), found.next()) {
            (_, Some(_)) => None,
            (found, None) => Some(found.map(|(_, value)| value.clone())),
        }
    };
    let name = String::from_utf8(one("name")??).ok()?;
    let file_name = one("filename")?.unwrap_or_default();
    (kind.eq_ignore_ascii_case(b"form-data") && !name.is_empty()).then_some((name, file_name))
}

fn malformed(reason: &'static str) -> Refusal {
    Refusal::new(Fault::FormMalformed).because(reason)
}

#[cfg(test)]
mod tests;
