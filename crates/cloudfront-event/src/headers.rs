//! The header lines of an event.

use std::borrow::Cow;

use gateway::document::{Field, Node};

/// Header lines by lower-case name, each name once. A list: an event has some dozen.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Headers(Vec<(String, Vec<HeaderLine>)>);

/// One header line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderLine {
    /// The name as sent; the lower-case one where absent.
    pub key: Option<String>,
    /// The value.
    pub value: String,
}

impl Headers {
    /// The lines of a header.
    pub fn get(&self, name: &str) -> Option<&[HeaderLine]> {
        let found = self.0.iter().find(|(header, _)| header == name);
        found.map(|(_, lines)| lines.as_slice())
    }

    /// The value of the first line of a header.
    pub fn first(&self, name: &str) -> Option<&str> {
        Some(self.get(name)?.first()?.value.as_str())
    }

    /// Every header with its lines.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[HeaderLine])> {
        self.0
            .iter()
            .map(|(name, lines)| (name.as_str(), lines.as_slice()))
    }

    /// Every header line: lower-case name and value.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter()
            .flat_map(|(name, lines)| lines.iter().map(move |line| (name, line.value.as_bytes())))
    }

    /// The size of all lines as they are sent, in bytes.
    pub(crate) fn size(&self) -> usize {
        let sizes = self
            .lines()
            .map(|(name, value)| name.len().saturating_add(value.len()));
        sizes
            .map(|size| size.saturating_add(": \r\n".len()))
            .fold(0, usize::saturating_add)
    }

    /// Puts a header in the place of its namesake; `name` in lower case.
    pub fn insert(&mut self, name: &str, lines: Vec<HeaderLine>) {
        self.remove(name);
        self.0.push((name.to_owned(), lines));
    }

    /// Puts a header of one line in the place of its namesake.
    pub fn set(&mut self, name: &str, value: String) {
        let line = HeaderLine {
            key: Some(name.to_owned()),
            value,
        };
        self.insert(&name.to_ascii_lowercase(), vec![line]);
    }

    /// Takes a header out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(header, _)| header != name);
    }

    /// The headers of these names, every line as it came.
    #[must_use]
    pub fn kept(&self, names: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| names.contains(&name.as_str()));
        Self(kept.cloned().collect())
    }

    pub(crate) fn read(table: Field<'_, '_>) -> Self {
        Self(table.map(|name, lines| (name.into_owned(), lines.list(HeaderLine::read))))
    }

    pub(crate) fn written(&self) -> Node<'_> {
        let named = self.0.iter().map(|(name, lines)| {
            let lines = lines.iter().map(HeaderLine::written).collect();
            (Cow::Borrowed(name.as_str()), Node::List(lines))
        });
        Node::Table(named.collect())
    }
}

impl HeaderLine {
    fn read(line: Field<'_, '_>) -> Self {
        line.open_table(|fields| Self {
            key: fields.take("key").optional(Field::string),
            value: fields.take("value").string(),
        })
    }

    fn written(&self) -> Node<'_> {
        let mut node = Node::table([("value", self.value.as_str().into())]);
        if let Some(key) = &self.key {
            node.set("key", key.as_str().into());
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_headers_are_kept_each_line_as_it_came() {
        let line = |value: &str| HeaderLine {
            key: Some("Via".to_owned()),
            value: value.to_owned(),
        };
        let mut headers = Headers::default();
        headers.insert("via", vec![line("1.1 a"), line("1.1 b")]);
        headers.set("authorization", "x".to_owned());
        let kept = headers.kept(&["via", "host"]);
        assert_eq!(kept.iter().count(), 1);
        assert_eq!(kept.get("via"), headers.get("via"));
    }

    #[test]
    fn a_header_that_is_set_again_is_there_once() {
        let mut headers = Headers::default();
        headers.set("X-Oss-A", "1".to_owned());
        headers.set("x-oss-a", "2".to_owned());
        let lines: Vec<_> = headers.lines().collect();
        assert_eq!(lines, [("x-oss-a", b"2".as_slice())]);
        headers.remove("x-oss-a");
        assert_eq!(headers, Headers::default());
    }
}
