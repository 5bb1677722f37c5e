//! Reading a document's fields by name, with the type that each has to have.
//!
//! What is missing or wrong is noted, and reads as something empty: the reading goes on, and
//! [`Node::read`] gives the first [`Mistake`] in the place of all that was read. Code that had to turn
//! back at every field would be several times as large.

use core::cell::OnceCell;
use core::fmt;
use std::borrow::Cow;

use super::Node;

/// What a document may hold, and hence how much of it a [`Mistake`] may repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// No secret: unknown names and values that are none of the possible ones are quoted.
    Settings,
    /// Secrets, perhaps in the wrong place: only what the gateway itself asked for is named.
    Secrets,
}

/// Why a document can't be read: one sentence for the operator, which names the path of the key as in
/// `buckets[0].origin.region`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake(String);

impl Mistake {
    /// A mistake in the document as a whole. The parser's own words are those of JSON's grammar, and
    /// quote nothing.
    pub(super) fn of_document(what: &str) -> Self {
        Self(["the document is not readable: ", what].concat())
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Mistake {}

/// What is noted while a document is read.
struct Notes {
    holds: Holds,
    first: OnceCell<Mistake>,
}

/// Where a field is: seen from the table or list around it, and so on.
struct Place<'p> {
    above: Option<&'p Self>,
    step: Step<'p>,
}

/// The way from a table or list to one of its parts.
enum Step<'p> {
    /// None: the part is the document itself.
    Document,
    Name(&'p str),
    Item(usize),
    /// A name that a mistake may not repeat.
    Unnamed,
}

impl Place<'_> {
    /// As a mistake names it; empty for the document.
    fn path(&self) -> String {
        let mut path = self.above.map(Place::path).unwrap_or_default();
        match self.step {
            Step::Document => {}
            Step::Item(number) => path.extend(["[", &number.to_string(), "]"]),
            Step::Name(_) | Step::Unnamed => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(if let Step::Name(name) = self.step {
                    name
                } else {
                    "*"
                });
            }
        }
        path
    }
}

impl Notes {
    #[cold]
    fn note(&self, place: &Place<'_>, what: &[&str]) {
        self.first.get_or_init(|| {
            let path = place.path();
            let whose = match path.as_str() {
                "" => "the document ".to_owned(),
                path => ["`", path, "` "].concat(),
            };
            Mistake([whose, what.concat()].concat())
        });
    }
}

impl<'a> Node<'a> {
    /// Reads this document with `read`.
    ///
    /// # Errors
    /// The first mistake that `read` came upon.
    pub fn read<T>(self, holds: Holds, read: impl FnOnce(Field<'a, '_>) -> T) -> Result<T, Mistake> {
        let notes = Notes {
            holds,
            first: OnceCell::new(),
        };
        let value = read(Field(Box::new(Whole {
            node: Some(self),
            place: Place {
                above: None,
                step: Step::Document,
            },
            notes: &notes,
        })));
        match notes.first.into_inner() {
            None => Ok(value),
            Some(mistake) => Err(mistake),
        }
    }
}

/// A field of a document, there or not. Each of its methods asks for one type; what is missing or of
/// another one is noted as a mistake.
pub struct Field<'a, 'p>(Box<Whole<'a, 'p>>);

/// All of a field. It is boxed because a field is handed on and on, and a copy of this would be code each time.
struct Whole<'a, 'p> {
    node: Option<Node<'a>>,
    place: Place<'p>,
    notes: &'p Notes,
}

impl<'a> Field<'a, '_> {
    /// What `read` makes of the field, or `default` where it is left out; `null` is not left out.
    pub fn or<T>(self, default: T, read: impl FnOnce(Self) -> T) -> T {
        match self.0.node {
            Some(_) => read(self),
            None => default,
        }
    }

    /// What `read` makes of the field, or nothing where it is left out or `null`.
    pub fn optional<T>(self, read: impl FnOnce(Self) -> T) -> Option<T> {
        match self.0.node {
            None | Some(Node::Null) => None,
            Some(_) => Some(read(self)),
        }
    }

    /// Whatever is there.
    pub fn node(mut self) -> Node<'a> {
        let node = self.0.node.take();
        node.unwrap_or_else(|| {
            self.is_no("there");
            Node::Null
        })
    }

    /// A text.
    pub fn text(self) -> Cow<'a, str> {
        match self.0.node {
            Some(Node::Text(text)) => text,
            _ => {
                self.is_no("a text");
                Cow::Borrowed("")
            }
        }
    }

    /// A text of its own.
    pub fn string(self) -> String {
        self.text().into_owned()
    }

    /// A whole number of the type that is wanted.
    pub fn whole<N: TryFrom<i64> + Default>(self) -> N {
        let Some(Node::Whole(number)) = self.0.node else {
            self.is_no("a whole number");
            return N::default();
        };
        N::try_from(number).unwrap_or_else(|_| {
            self.0.notes.note(&self.0.place, &["is too small or too large"]);
            N::default()
        })
    }

    /// `true` or `false`.
    pub fn boolean(self) -> bool {
        match self.0.node {
            Some(Node::Bool(value)) => value,
            _ => {
                self.is_no("true or false");
                false
            }
        }
    }

    /// One of these texts, as what it stands for.
    pub fn choice<T: Copy + Default>(self, choices: &[(&str, T)]) -> T {
        let Some(Node::Text(text)) = &self.0.node else {
            self.is_no("a text");
            return T::default();
        };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| name == text) {
            return *choice;
        }
        let is = match self.0.notes.holds {
            Holds::Settings => ["is `", text, "`; it "].concat(),
            Holds::Secrets => String::new(),
        };
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let what = [&is, "has to be one of `", &names.join("`, `"), "`"];
        self.0.notes.note(&self.0.place, &what);
        T::default()
    }

    /// A list of texts.
    pub fn strings(self) -> Vec<String> {
        self.list(|text| text.string())
    }

    /// A list, each of its parts read by `read`.
    pub fn list<T>(self, read: impl Fn(Field<'a, '_>) -> T) -> Vec<T> {
        let Some(Node::List(items)) = self.0.node else {
            self.is_no("a list");
            return Vec::new();
        };
        let part = |(number, node)| {
            read(Field(Box::new(Whole {
                node: Some(node),
                place: Place {
                    above: Some(&self.0.place),
                    step: Step::Item(number),
                },
                notes: self.0.notes,
            })))
        };
        items.into_iter().enumerate().map(part).collect()
    }

    /// A table whose names are data: each part read by `read`, which is given its name.
    pub fn map<T>(self, read: impl Fn(Cow<'a, str>, Field<'a, '_>) -> T) -> Vec<T> {
        let Some(Node::Table(entries)) = self.0.node else {
            self.is_no("a table");
            return Vec::new();
        };
        let part = |(name, node): (Cow<'a, str>, _)| {
            let shown = name.clone();
            let step = match self.0.notes.holds {
                Holds::Settings => Step::Name(&shown),
                Holds::Secrets => Step::Unnamed,
            };
            let field = Field(Box::new(Whole {
                node: Some(node),
                place: Place {
                    above: Some(&self.0.place),
                    step,
                },
                notes: self.0.notes,
            }));
            read(name, field)
        };
        entries.into_iter().map(part).collect()
    }

    /// A table of the fields that `read` takes, and no others.
    pub fn table<T>(mut self, read: impl FnOnce(&mut Fields<'a, '_>) -> T) -> T {
        let mut fields = self.fields(Some(Vec::new()));
        let value = read(&mut fields);
        fields.end();
        value
    }

    /// A table of the fields that `read` takes, among others.
    pub fn open_table<T>(mut self, read: impl FnOnce(&mut Fields<'a, '_>) -> T) -> T {
        read(&mut self.fields(None))
    }

    fn fields(&mut self, known: Option<Vec<&'static str>>) -> Fields<'a, '_> {
        let entries = match self.0.node.take() {
            Some(Node::Table(entries)) => entries,
            other => {
                self.0.node = other;
                self.is_no("a table");
                Vec::new()
            }
        };
        Fields {
            entries,
            known,
            place: &self.0.place,
            notes: self.0.notes,
        }
    }

    fn is_no(&self, wanted: &str) {
        match self.0.node {
            None => self.0.notes.note(&self.0.place, &["is missing"]),
            Some(_) => self.0.notes.note(&self.0.place, &["has to be ", wanted]),
        }
    }
}

/// The fields of one table, taken one by one.
pub struct Fields<'a, 'p> {
    entries: Vec<(Cow<'a, str>, Node<'a>)>,
    /// The names that were asked for, where there may be no others.
    known: Option<Vec<&'static str>>,
    place: &'p Place<'p>,
    notes: &'p Notes,
}

impl<'a, 'p> Fields<'a, 'p> {
    /// Takes a field out. Each name is taken once.
    pub fn take(&mut self, name: &'static str) -> Field<'a, 'p> {
        if let Some(known) = &mut self.known {
            known.push(name);
        }
        let found = self.entries.iter().position(|(entry, _)| entry == name);
        Field(Box::new(Whole {
            node: found.map(|at| self.entries.swap_remove(at).1),
            place: Place {
                above: Some(self.place),
                step: Step::Name(name),
            },
            notes: self.notes,
        }))
    }

    /// A table of the fields that were not taken, where there may be others.
    pub fn rest(&mut self) -> Node<'a> {
        Node::Table(core::mem::take(&mut self.entries))
    }

    /// Notes that there are others.
    fn end(&self) {
        let Some((name, _)) = self.entries.first() else {
            return;
        };
        let name = match self.notes.holds {
            Holds::Settings => ["`", name, "`"].concat(),
            Holds::Secrets => "a name".to_owned(),
        };
        let known = self.known.as_deref().unwrap_or_default().join("`, `");
        let what = [
            "holds ",
            &name,
            ", which is not known there; known are `",
            &known,
            "`",
        ];
        self.notes.note(self.place, &what);
    }
}
