//! Documents from outside: configuration, key records, events, answers of other services.
//!
//! Every one is parsed here into a tree of [`Node`]s and then read field by field with [`Field`] and
//! [`Fields`], by one reader for all of them: serde's derived readers are compiled anew for every
//! type, and were half of each edge function. `causeway.toml` becomes the same tree.
//!
//! A table in which a name stands twice could be read in two ways and is no document. The reader
//! refuses missing and unknown names and other types, and its [`Mistake`] names the path of the key. No
//! mistake ever repeats a document that may hold secrets, see [`Holds`].

mod fields;

use core::fmt;
use std::borrow::Cow;

use request_auth::canon::sorted;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

pub use fields::{Field, Fields, Holds, Mistake};

/// A document or a part of one, borrowing its text where that holds no escapes. It may hold secrets, so
/// it has no Debug.
#[derive(Clone, PartialEq, Eq)]
pub enum Node<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// A number that is not whole, or beyond 64 bits: which one is not kept. No field is one, but other
    /// services' answers have them between the fields that are read.
    OtherNumber,
    /// A text.
    Text(Cow<'a, str>),
    /// Parts in their order.
    List(Vec<Node<'a>>),
    /// Parts by name, in their order; of what was read, each name once.
    Table(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// Parses JSON.
    ///
    /// # Errors
    /// Text that is no JSON, with line and column, or a table in which a name stands twice.
    pub fn from_json(json: &'a str) -> Result<Self, Mistake> {
        let node: Self =
            serde_json::from_str(json).map_err(|error| Mistake::of_document(&error.to_string()))?;
        if node.has_namesakes() {
            return Err(Mistake::of_document("a name stands twice in a table"));
        }
        Ok(node)
    }

    /// Whether a name stands twice in a table.
    fn has_namesakes(&self) -> bool {
        match self {
            Self::List(items) => items.iter().any(Self::has_namesakes),
            Self::Table(entries) => {
                are_namesakes(entries) || entries.iter().any(|(_, node)| node.has_namesakes())
            }
            _ => false,
        }
    }

    /// A table of these parts, in this order.
    pub fn table(parts: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        let named = parts.into_iter().map(|(name, part)| (Cow::Borrowed(name), part));
        Self::Table(named.collect())
    }

    /// A part of a table; `None` where there is none of this name, or this is no table.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Table(entries) => entries
                .iter()
                .find(|(entry, _)| entry == name)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// [`Node::get`], to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        match self {
            Self::Table(entries) => {
                let found = entries.iter_mut().find(|(entry, _)| entry == name);
                found.map(|(_, node)| node)
            }
            _ => None,
        }
    }

    /// Takes a part out of a table.
    pub fn remove(&mut self, name: &str) {
        if let Self::Table(entries) = self {
            entries.retain(|(entry, _)| entry != name);
        }
    }

    /// Puts a part into a table, in the place of the one that it had under this name.
    pub fn set(&mut self, name: &'static str, part: Self) {
        self.remove(name);
        if let Self::Table(entries) = self {
            entries.push((Cow::Borrowed(name), part));
        }
    }

    /// The text that this is; `None` for anything else.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number that this is; `None` for anything else.
    pub const fn as_whole(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => Some(*number),
            _ => None,
        }
    }

    /// The same document with text of its own.
    pub fn into_owned(self) -> Node<'static> {
        match self {
            Self::Null => Node::Null,
            Self::Bool(value) => Node::Bool(value),
            Self::Whole(number) => Node::Whole(number),
            Self::OtherNumber => Node::OtherNumber,
            Self::Text(text) => Node::Text(Cow::Owned(text.into_owned())),
            Self::List(items) => Node::List(items.into_iter().map(Node::into_owned).collect()),
            Self::Table(entries) => {
                let own = |(name, node): (Cow<'_, str>, Node<'_>)| {
                    (Cow::Owned(name.into_owned()), node.into_owned())
                };
                Node::Table(entries.into_iter().map(own).collect())
            }
        }
    }

    /// Writes JSON without white space.
    pub fn to_json(&self) -> String {
        // There is nothing in a document that JSON has no form for.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl<'a> From<&'a str> for Node<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<Cow<'a, str>> for Node<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Node<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

impl From<String> for Node<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;

        impl<'de> Visitor<'de> for Parts {
            type Value = Node<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a document")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Node::Null)
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Node::Bool(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Node::Whole(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(i64::try_from(value).map_or(Node::OtherNumber, Node::Whole))
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Node::OtherNumber)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Node::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Node::Text(Cow::Borrowed(text)))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Self::Value, S::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Node::List(list))
            }

            fn visit_map<M: MapAccess<'de>>(self, mut entries: M) -> Result<Self::Value, M::Error> {
                let mut table = Vec::new();
                while let Some(Name(name)) = entries.next_key()? {
                    table.push((name, entries.next_value()?));
                }
                Ok(Node::Table(table))
            }
        }

        // No method fails by itself: serde's errors would bring the whole of its formatting with them.
        deserializer.deserialize_any(Parts)
    }
}

/// A name in a table.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
        }

        deserializer.deserialize_any(Text)
    }
}

/// Whether names of a table are the same. Most tables have a few; those of a client's headers may have
/// some thousand.
fn are_namesakes(table: &[(Cow<'_, str>, Node<'_>)]) -> bool {
    let names = table.iter().map(|(name, _)| name.as_ref());
    if table.len() <= 16 {
        let mut later = names.clone();
        return names.into_iter().any(|name| {
            later.next();
            later.clone().any(|other| other == name)
        });
    }
    let names: Vec<&str> = sorted(names.collect());
    names
        .windows(2)
        .any(|pair| matches!(pair, [one, other] if one == other))
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            // Whoever reads it again finds such a number again, and no field left out.
            Self::OtherNumber => serializer.serialize_u64(u64::MAX),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Whole(value) => serializer.serialize_i64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Table(entries) => serializer.collect_map(entries.iter().map(|(name, node)| (name, node))),
        }
    }
}

#[cfg(test)]
mod tests;
