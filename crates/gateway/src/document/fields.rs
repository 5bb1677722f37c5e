//! Reading a document's fields by name, with the type that each has to have.

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
pub struct Mistake {
    path: String,
    what: String,
}

impl Mistake {
    /// A mistake in the document as a whole. The parser's own words are those of JSON's grammar and
    /// of [`Node`], and quote nothing.
    pub(super) fn of_document(error: &serde_json::Error) -> Self {
        Self {
            path: String::new(),
            what: ["is not readable: ", &error.to_string()].concat(),
        }
    }

    /// The same mistake seen from the table or list around it.
    fn under(mut self, step: &Step<'_>) -> Self {
        let parent = step.to_string();
        let dot = if parent.is_empty() || self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = [&parent, dot, &self.path].concat();
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str("the document ")?;
        } else {
            write!(f, "`{}` ", self.path)?;
        }
        f.write_str(&self.what)
    }
}

impl core::error::Error for Mistake {}

/// The way from a table or list to one of its parts.
enum Step<'a> {
    /// None: the part is the document itself.
    Document,
    Name(Cow<'a, str>),
    Item(usize),
    /// A name that a mistake may not repeat.
    Unnamed,
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => Ok(()),
            Self::Name(name) => f.write_str(name),
            Self::Item(number) => write!(f, "[{number}]"),
            Self::Unnamed => f.write_str("*"),
        }
    }
}

/// A field of a document, there or not. Each of its methods asks for one type.
pub struct Field<'a> {
    step: Step<'a>,
    node: Option<Node<'a>>,
    holds: Holds,
}

impl<'a> Field<'a> {
    /// A whole document.
    pub fn document(node: Node<'a>, holds: Holds) -> Self {
        Self {
            step: Step::Document,
            node: Some(node),
            holds,
        }
    }

    /// What `read` makes of the field, or `default` where it is left out; `null` is not left out.
    ///
    /// # Errors
    /// `read` fails.
    pub fn or<T>(self, default: T, read: impl FnOnce(Self) -> Result<T, Mistake>) -> Result<T, Mistake> {
        match self.node {
            Some(_) => read(self),
            None => Ok(default),
        }
    }

    /// What `read` makes of the field, or nothing where it is left out or `null`.
    ///
    /// # Errors
    /// `read` fails.
    pub fn optional<T>(self, read: impl FnOnce(Self) -> Result<T, Mistake>) -> Result<Option<T>, Mistake> {
        match self.node {
            None | Some(Node::Null) => Ok(None),
            Some(_) => read(self).map(Some),
        }
    }

    /// Whatever is there.
    ///
    /// # Errors
    /// It is missing.
    pub fn node(mut self) -> Result<Node<'a>, Mistake> {
        let node = self.node.take();
        node.ok_or_else(|| self.is_no("there"))
    }

    /// A text.
    ///
    /// # Errors
    /// It is missing or something else.
    pub fn text(self) -> Result<Cow<'a, str>, Mistake> {
        match self.node {
            Some(Node::Text(text)) => Ok(text),
            _ => Err(self.is_no("a text")),
        }
    }

    /// A text of the document's, copied.
    ///
    /// # Errors
    /// As [`Field::text`].
    pub fn string(self) -> Result<String, Mistake> {
        self.text().map(Cow::into_owned)
    }

    /// A whole number of the type that is wanted.
    ///
    /// # Errors
    /// It is missing, something else, or beyond the type.
    pub fn whole<N: TryFrom<i64>>(self) -> Result<N, Mistake> {
        match self.node {
            Some(Node::Whole(number)) => {
                N::try_from(number).map_err(|_| self.mistake("is too small or too large".to_owned()))
            }
            _ => Err(self.is_no("a whole number")),
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// It is missing or something else.
    pub fn boolean(self) -> Result<bool, Mistake> {
        match self.node {
            Some(Node::Bool(value)) => Ok(value),
            _ => Err(self.is_no("true or false")),
        }
    }

    /// One of these texts, as what it stands for.
    ///
    /// # Errors
    /// It is missing or something else.
    pub fn choice<T: Copy>(self, choices: &[(&str, T)]) -> Result<T, Mistake> {
        let chosen = match &self.node {
            Some(Node::Text(text)) => text,
            _ => return Err(self.is_no("a text")),
        };
        match choices.iter().find(|(name, _)| name == chosen) {
            Some((_, choice)) => Ok(*choice),
            None => {
                let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                let is = match self.holds {
                    Holds::Settings => ["is `", chosen, "`; it "].concat(),
                    Holds::Secrets => String::new(),
                };
                let what = [&is, "has to be one of `", &names.join("`, `"), "`"].concat();
                Err(self.mistake(what))
            }
        }
    }

    /// A list, each of its parts read by `read`.
    ///
    /// # Errors
    /// It is missing or something else, or a part can't be read.
    pub fn list<T>(self, read: impl Fn(Field<'a>) -> Result<T, Mistake>) -> Result<Vec<T>, Mistake> {
        match self.node {
            Some(Node::List(items)) => {
                let fields = items.into_iter().enumerate().map(|(number, node)| Field {
                    step: Step::Item(number),
                    node: Some(node),
                    holds: self.holds,
                });
                let read: Result<_, _> = fields.map(read).collect();
                read.map_err(|mistake: Mistake| mistake.under(&self.step))
            }
            _ => Err(self.is_no("a list")),
        }
    }

    /// A table whose names are data: each part read by `read`, which is given its name.
    ///
    /// # Errors
    /// It is missing or something else, or a part can't be read.
    pub fn map<T, C: Default + Extend<T>>(
        self,
        read: impl Fn(Cow<'a, str>, Field<'a>) -> Result<T, Mistake>,
    ) -> Result<C, Mistake> {
        match self.node {
            Some(Node::Table(entries)) => {
                let fields = entries.into_iter().map(|(name, node)| {
                    let step = match self.holds {
                        Holds::Settings => Step::Name(name.clone()),
                        Holds::Secrets => Step::Unnamed,
                    };
                    let field = Field {
                        step,
                        node: Some(node),
                        holds: self.holds,
                    };
                    read(name, field)
                });
                let mut all = C::default();
                for part in fields {
                    all.extend([part.map_err(|mistake: Mistake| mistake.under(&self.step))?]);
                }
                Ok(all)
            }
            _ => Err(self.is_no("a table")),
        }
    }

    /// A table of the fields that `read` takes, and no others.
    ///
    /// # Errors
    /// It is missing or something else, `read` fails, or there is a name that `read` did not take.
    pub fn table<T>(self, read: impl FnOnce(&mut Fields<'a>) -> Result<T, Mistake>) -> Result<T, Mistake> {
        self.open_table(|fields| {
            let value = read(fields)?;
            fields.end()?;
            Ok(value)
        })
    }

    /// A table of the fields that `read` takes, among others.
    ///
    /// # Errors
    /// It is missing or something else, or `read` fails.
    pub fn open_table<T>(
        self,
        read: impl FnOnce(&mut Fields<'a>) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        match self.node {
            Some(Node::Table(entries)) => {
                let mut fields = Fields {
                    entries,
                    taken: Vec::new(),
                    holds: self.holds,
                };
                read(&mut fields).map_err(|mistake| mistake.under(&self.step))
            }
            _ => Err(self.is_no("a table")),
        }
    }

    fn is_no(&self, wanted: &str) -> Mistake {
        match self.node {
            None => self.mistake("is missing".to_owned()),
            Some(_) => self.mistake(["has to be ", wanted].concat()),
        }
    }

    fn mistake(&self, what: String) -> Mistake {
        Mistake {
            path: self.step.to_string(),
            what,
        }
    }
}

/// The fields of one table, taken one by one.
pub struct Fields<'a> {
    entries: Vec<(Cow<'a, str>, Node<'a>)>,
    taken: Vec<&'static str>,
    holds: Holds,
}

impl<'a> Fields<'a> {
    /// Takes a field out. Each name is taken once.
    pub fn take(&mut self, name: &'static str) -> Field<'a> {
        self.taken.push(name);
        let found = self.entries.iter_mut().find(|(entry, _)| entry == name);
        Field {
            step: Step::Name(Cow::Borrowed(name)),
            node: found.map(|(_, node)| core::mem::replace(node, Node::Null)),
            holds: self.holds,
        }
    }

    /// A table of the fields that were not taken, where there may be others.
    pub fn rest(&mut self) -> Node<'a> {
        Node::Table(self.others())
    }

    fn others(&mut self) -> Vec<(Cow<'a, str>, Node<'a>)> {
        let mut rest = core::mem::take(&mut self.entries);
        rest.retain(|(name, _)| !self.taken.iter().any(|taken| taken == name));
        rest
    }

    /// That there are no others.
    fn end(&mut self) -> Result<(), Mistake> {
        let Some((name, _)) = self.others().into_iter().next() else {
            return Ok(());
        };
        let name = match self.holds {
            Holds::Settings => ["`", &name, "`"].concat(),
            Holds::Secrets => "a name".to_owned(),
        };
        Err(Mistake {
            path: String::new(),
            what: [
                "holds ",
                &name,
                ", which is not known there; known are `",
                &self.taken.join("`, `"),
                "`",
            ]
            .concat(),
        })
    }
}
