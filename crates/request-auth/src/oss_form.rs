//! The forms that an OSS SDK may have signed one request in, and the pieces of canonical text that V1,
//! V2 and V4 have in common.
//!
//! The SDKs disagree on dates, bucket names, empty values and header lines, so a claim stands for a few
//! texts: one per candidate of addressing and form of its grammar. Each is compared in constant time,
//! and the one that matches says what was signed. How many forms there are at most is a promise of each
//! grammar, because every form is a MAC to compute for whoever asks.

use std::borrow::Cow;

use crate::canon::{Sink, Slash, percent_encode, sorted};
use crate::denial::Denial;
use crate::head::{Delivery, HeadError, Occurrence, RequestHead};
use crate::oss_v1::is_sub_resource;

/// Header lines of a canonical form: lower-case names and values, sorted.
pub(crate) type Headers = Vec<(String, Vec<u8>)>;

/// A resource without what addressing takes it for: what the text is made of.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'r> {
    pub(crate) signed_bucket: Option<&'r str>,
    pub(crate) key: &'r [u8],
}

impl Candidate<'_> {
    /// `/bucket/key`, or `/key` for a client that signs no bucket.
    pub(crate) fn path(&self) -> Vec<u8> {
        match self.signed_bucket {
            Some(bucket) => [b"/", bucket.as_bytes(), b"/", self.key].concat(),
            None => [b"/", self.key].concat(),
        }
    }
}

/// What is written of a head, in each of its forms.
pub(crate) struct Signable<'h, 'a> {
    pub(crate) head: &'h RequestHead<'a>,
    /// The header lines as received.
    pub(crate) lines: Headers,
    /// The names of the additional headers, joined by `;`. V1 has none.
    pub(crate) names: String,
    /// The names as Go SDK 1 writes them.
    pub(crate) names_as_sent: String,
    /// The forms that some SDK would have signed the head in, most likely first.
    pub(crate) forms: Vec<Form<'h>>,
}

/// The choices that differ between SDKs; a text is a function of head, candidate and form.
#[derive(Clone, Copy)]
pub(crate) struct Form<'h> {
    /// The text in the place of the date.
    pub(crate) date: &'h [u8],
    /// What is not as most SDKs do it.
    pub(crate) departure: Departure,
    /// How a bucket without a key is written.
    pub(crate) bucket_slash: BucketSlash,
}

/// How some SDK departs from the others. None departs in two of these ways at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Departure {
    /// In no way.
    None,
    /// Lines that a platform joined with comma and blank were joined by a comma alone: Go SDK 2.
    CommaAlone,
    /// Empty headers are left out: Java SDK 2 in V1, C++ in V4.
    FilledLines,
    /// An empty parameter is `name=` where the wire has the `=`, not the bare name: Java SDK 1 in V1,
    /// ali-oss in V4.
    EmptyAsSent,
    /// `x-oss-*` headers are named as additional ones: Go SDK 1 in V4.
    NamesAsSent,
    /// The additional header Host has no port: Java SDK 1 in V4.
    HostWithoutPort,
}

/// Whether a bucket without a key is signed with its slash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BucketSlash {
    /// `/bucket/`.
    With,
    /// `/bucket`: presigned by Java SDK 1 and C# in V1.
    Without,
}

impl<'h> Form<'h> {
    /// The form with a departure.
    pub(crate) fn new(date: &'h [u8], departure: Departure) -> Self {
        Self {
            date,
            departure,
            bucket_slash: BucketSlash::With,
        }
    }

    /// A form without the bucket's slash is one only for a named bucket without a key.
    fn fits(self, candidate: &Candidate<'_>) -> bool {
        self.bucket_slash == BucketSlash::With
            || (candidate.signed_bucket.is_some() && candidate.key.is_empty())
    }
}

impl Departure {
    /// The departures that the header lines allow, with none.
    pub(crate) fn of_lines(head: &RequestHead<'_>, lines: &Headers) -> Vec<Self> {
        let mut departures = vec![Self::None];
        let is_joint =
            |(name, value): &(String, Vec<u8>)| Self::CommaAlone.value(name, value) != Some(value.into());
        if head.delivery() == Delivery::Joined && lines.iter().any(is_joint) {
            departures.push(Self::CommaAlone);
        }
        if lines.iter().any(|(_, value)| value.is_empty()) {
            departures.push(Self::FilledLines);
        }
        departures
    }

    /// The value of a header line as it is written, if it is.
    pub(crate) fn value<'v>(self, name: &str, value: &'v [u8]) -> Option<Cow<'v, [u8]>> {
        match self {
            Self::FilledLines if value.is_empty() => None,
            // Only metadata is ever repeated; a date keeps the blank behind its comma.
            Self::CommaAlone if name.starts_with("x-oss-meta-") || name.starts_with("x-amz-meta-") => {
                Some(Cow::Owned(without_joint_blank(value)))
            }
            Self::HostWithoutPort if name == "host" => Some(Cow::Borrowed(without_port(value))),
            _ => Some(Cow::Borrowed(value)),
        }
    }
}

impl Signable<'_, '_> {
    /// The first candidate and form that `is_signed`, which compares a MAC.
    pub(crate) fn matching(
        &self,
        candidates: &[Candidate<'_>],
        is_signed: &dyn Fn(&Candidate<'_>, Form<'_>) -> bool,
    ) -> Result<(usize, Form<'_>), Denial> {
        for (index, candidate) in candidates.iter().enumerate() {
            for &form in self.forms.iter().filter(|form| form.fits(candidate)) {
                if is_signed(candidate, form) {
                    return Ok((index, form));
                }
            }
        }
        Err(Denial::SignatureMismatch)
    }

    /// The text of every candidate and form, in the order in which they are tried.
    pub(crate) fn texts(
        &self,
        candidates: &[Candidate<'_>],
        write: &dyn Fn(&Candidate<'_>, Form<'_>, &mut Vec<u8>),
    ) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        for candidate in candidates {
            for &form in self.forms.iter().filter(|form| form.fits(candidate)) {
                let mut text = Vec::new();
                write(candidate, form, &mut text);
                texts.push(text);
            }
        }
        texts
    }

    /// Writes the header lines, each with its line end.
    pub(crate) fn put_lines(&self, form: Form<'_>, sink: &mut dyn Sink) {
        for (name, value) in &self.lines {
            if let Some(value) = form.departure.value(name, value) {
                for part in [name.as_bytes(), b":", &value, b"\n"] {
                    sink.put(part);
                }
            }
        }
    }

    /// Writes the query of V2 and V4: every parameter but `but`, strictly encoded, sorted by encoded
    /// name, behind `first` where there is one. ali-oss writes `name=` for an empty value that is no
    /// sub-resource, in the order of `localeCompare`.
    pub(crate) fn put_query(
        &self,
        but: Option<&str>,
        first: &[u8],
        departure: Departure,
        sink: &mut dyn Sink,
    ) {
        let as_sent = departure == Departure::EmptyAsSent;
        let mut pieces = Vec::new();
        for parameter in self.head.parameters() {
            if but.is_some_and(|but| parameter.name == but.as_bytes()) {
                continue;
            }
            let mut piece = String::new();
            percent_encode(&parameter.name, Slash::Encode, &mut piece);
            let key = if as_sent {
                collation_key(&parameter.name)
            } else {
                piece.clone().into_bytes()
            };
            // No SDK sends an empty name; with its mark, it is not the same text as none.
            if !parameter.value.is_empty()
                || parameter.name.is_empty()
                || (as_sent && parameter.has_equals && !is_sub_resource(&parameter.name))
            {
                piece.push('=');
                percent_encode(&parameter.value, Slash::Encode, &mut piece);
            }
            pieces.push((key, piece.into_bytes()));
        }
        put_sorted(pieces, first, sink);
    }
}

/// The value of a header that may occur once; empty where it is absent.
pub(crate) fn single<'a>(head: &RequestHead<'a>, name: &'static str) -> &'a [u8] {
    // A repeated one never reaches here: the head refuses it.
    head.header(name)
        .at_most_once(name)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Writes the first four lines of V1 and V2: method, Content-MD5, Content-Type and date.
pub(crate) fn put_entity(head: &RequestHead<'_>, date: &[u8], sink: &mut dyn Sink) {
    let (md5, kind) = (single(head, "content-md5"), single(head, "content-type"));
    for value in [head.method().as_bytes(), md5, kind, date] {
        sink.put(value);
        sink.put(b"\n");
    }
}

/// Reads the names of additional headers, `a;b`, in lower case.
pub(crate) fn additional_headers(head: &RequestHead<'_>, list: &[u8]) -> Result<Vec<String>, Denial> {
    let mut names = Vec::new();
    if !list.is_empty() {
        for name in list.split(|&byte| byte == b';') {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            if head.header(&name) == Occurrence::Absent {
                return Err(Denial::SignedHeaderMissing);
            }
            names.push(name);
        }
    }
    if has_twins(&names) {
        return Err(Denial::MalformedCredential);
    }
    Ok(names)
}

/// Refuses a query name that occurs twice among those that `is_signed`: the SDKs sign the first or the
/// last, and servers read any.
pub(crate) fn refuse_repeated(head: &RequestHead<'_>, is_signed: fn(&[u8]) -> bool) -> Result<(), Denial> {
    let names: Vec<_> = head
        .parameters()
        .iter()
        .map(|parameter| &parameter.name)
        .filter(|name| is_signed(name))
        .collect();
    if has_twins(&names) {
        return Err(Denial::Head(HeadError::RepeatedParameter));
    }
    Ok(())
}

/// Whether two of a few items are the same.
fn has_twins<T: PartialEq>(items: &[T]) -> bool {
    let mut rest = items;
    while let Some((first, others)) = rest.split_first() {
        if others.contains(first) {
            return true;
        }
        rest = others;
    }
    false
}

/// The `x-oss-*` headers and those named, sorted by name; repeated ones joined by a comma (Go 2).
pub(crate) fn header_lines(head: &RequestHead<'_>, named: &dyn Fn(&str) -> bool) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in head.headers() {
        let name = String::from_utf8_lossy(name);
        if !name.starts_with("x-oss-") && !named(&name) {
            continue;
        }
        match headers.iter_mut().find(|(earlier, _)| *earlier == name) {
            Some((_, joined)) => {
                joined.push(b',');
                joined.extend_from_slice(value);
            }
            None => headers.push((name.into_owned(), value.to_vec())),
        }
    }
    sorted(headers)
}

/// Replaces every `, ` by `,`.
fn without_joint_blank(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut previous = 0;
    for &byte in value {
        if !(byte == b' ' && previous == b',') {
            out.push(byte);
        }
        previous = byte;
    }
    out
}

/// The text of a Host without its port, where it has one.
fn without_port(host: &[u8]) -> &[u8] {
    let colon = host.iter().rposition(|&byte| byte == b':');
    match colon.and_then(|colon| host.split_at_checked(colon)) {
        Some((name, port)) if port.iter().skip(1).all(u8::is_ascii_digit) => name,
        _ => host,
    }
}

/// Writes the pieces of a query, each behind what it is sorted by: `first`, then the pieces joined by
/// `&`; nothing where there are none.
pub(crate) fn put_sorted(pieces: Vec<(Vec<u8>, Vec<u8>)>, first: &[u8], sink: &mut dyn Sink) {
    let mut separator = first;
    for (_, piece) in sorted(pieces) {
        sink.put(separator);
        sink.put(&piece);
        separator = b"&";
    }
}

/// The names of those lines that are `named`, in their order, joined by `;`: SDKs send the list unsorted
/// and sign it sorted.
pub(crate) fn line_names(lines: &Headers, named: &dyn Fn(&str) -> bool) -> String {
    let mut names = String::new();
    for (name, _) in lines.iter().filter(|(name, _)| named(name)) {
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(name);
    }
    names
}

/// What sorts ASCII text as ICU's root collation does: punctuation, digits, letters without their case,
/// and at last lower case before upper case.
fn collation_key(name: &[u8]) -> Vec<u8> {
    const PUNCTUATION: &[u8] = b"_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
    let weights = name.iter().map(|byte| {
        let place = PUNCTUATION.iter().position(|mark| mark == byte);
        match place.and_then(|place| u8::try_from(place).ok()) {
            Some(place) => place.saturating_add(1),
            None => byte.to_ascii_lowercase(),
        }
    });
    let cases = name.iter().map(|byte| u8::from(byte.is_ascii_uppercase()));
    weights.chain([0]).chain(cases).collect()
}

#[cfg(test)]
mod tests;
