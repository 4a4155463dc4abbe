//! The tree that all formats are read to: [`Branch`], [`Value`].

use crate::number::format_fixed;
use crate::secret::Secret;
use onepane_diagnostics::Span;
use std::borrow::Cow;

/// How deep a tree may be: what YAML allows, for all formats.
pub(crate) const MAX_DEPTH: usize = onepane_yaml::MAX_DEPTH;

/// A mapping with its comments, in the order of the text. Keys may stand twice where the format lets them.
pub(crate) type Branch = Vec<Entry>;

/// What stands in a mapping.
#[derive(Clone)]
pub(crate) enum Entry {
    Comment(Comment),
    Pair(Pair),
}

/// A key and its value.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) key: Box<str>,
    pub(crate) value: Value,
    /// Where it stands, if the format tells.
    pub(crate) span: Option<Span>,
}

/// A comment, without its `#`.
#[derive(Clone)]
pub(crate) struct Comment {
    pub(crate) text: Secret,
    /// It stands behind a value on its line.
    pub(crate) inline: bool,
}

/// A value, plain or encrypted: what is encrypted is a text.
#[derive(Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// A text, or whatever bytes the formats without types hold.
    Text(Secret),
    /// A date or time, as RFC 3339.
    Time(Box<str>),
    /// A comment between the items of a list.
    Comment(Comment),
    List(Vec<Value>),
    Branch(Branch),
}

impl Value {
    pub(crate) fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Text(Secret::new(text))
    }

    /// The text, if it is one that can be read.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => text.reveal_text(),
            _ => None,
        }
    }

    /// The bytes that the message authentication code is made of; none of what holds other values or nothing.
    pub(crate) fn bytes(&self) -> Option<Cow<'_, [u8]>> {
        Some(match self {
            Self::Text(text) => Cow::Borrowed(text.reveal()),
            Self::Comment(comment) => Cow::Borrowed(comment.text.reveal()),
            Self::Time(text) => Cow::Borrowed(text.as_bytes()),
            // As Python printed them, in which SOPS was first written.
            Self::Bool(true) => Cow::Borrowed(b"True"),
            Self::Bool(false) => Cow::Borrowed(b"False"),
            Self::Int(number) => Cow::Owned(number.to_string().into_bytes()),
            Self::Float(number) => Cow::Owned(format_fixed(*number).into_bytes()),
            Self::Null | Self::List(_) | Self::Branch(_) => return None,
        })
    }
}

/// A pair that no file holds.
pub(crate) fn pair(key: &str, value: Value) -> Entry {
    Entry::Pair(Pair { key: key.into(), value, span: None })
}

/// A value of a mapping.
pub(crate) fn get<'b>(branch: &'b [Entry], key: &str) -> Option<&'b Value> {
    branch.iter().find_map(|entry| match entry {
        Entry::Pair(pair) if &*pair.key == key => Some(&pair.value),
        _ => None,
    })
}

/// The pairs of a mapping.
pub(crate) fn pairs(branch: &[Entry]) -> impl Iterator<Item = &Pair> {
    branch.iter().filter_map(|entry| match entry {
        Entry::Pair(pair) => Some(pair),
        Entry::Comment(_) => None,
    })
}
