//! The lossless tree: [`Node`].

use onepane_diagnostics::{Origin, Span, Step};

/// How deep collections may nest. go-yaml stops at 10,000; a thousand is far beyond any manifest and keeps whoever
/// walks a tree by recursion within a thread's stack.
pub const MAX_DEPTH: usize = 1000;

/// A node of a YAML document with everything its author wrote: style, tag, anchor, comments, order and place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it holds.
    pub content: Content,
    /// The tag as resolved against `%TAG` and written short (`!!str`, `!custom`), where one stands in the text.
    pub tag: Option<Box<str>>,
    /// How it was written, and how it is written back.
    pub style: Style,
    /// The name of its anchor, without `&`.
    pub anchor: Option<Box<str>>,
    /// The comments around it.
    pub comments: Option<Box<Comments>>,
    /// Where it stands in its file; `None` for a node that no file holds.
    pub span: Option<Span>,
    /// What changed it since it was read; unknown for a node that is as it was read. See [`Node::origin`].
    pub history: History,
}

/// An [`Origin`] that does not take part in comparisons.
#[derive(Clone, Debug, Default)]
pub struct History(pub Origin);

impl PartialEq for History {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// The text of a scalar, quotes and escapes resolved; its type is the reader's to decide.
    Scalar(Box<str>),
    /// The items of a sequence.
    Sequence(Vec<Node>),
    /// Keys and values of a mapping, in the order of the text.
    Mapping(Vec<(Node, Node)>),
    /// `*name`.
    Alias(Box<str>),
}

/// How a node is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// A plain scalar, or a collection in block style.
    #[default]
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// `[…]` or `{…}`
    Flow,
}

/// The comments that belong to a node, as go-yaml v3 assigns them: with `#`, lines joined by `\n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// On the lines before it.
    pub head: Box<str>,
    /// Behind it on its line.
    pub line: Box<str>,
    /// On the lines after it.
    pub foot: Box<str>,
}

impl Node {
    fn new(content: Content) -> Self {
        let history = History(Origin::UNKNOWN);
        Self { content, tag: None, style: Style::Plain, anchor: None, comments: None, span: None, history }
    }

    /// A plain scalar that no file holds. Whether it reads back as a string depends on its text.
    pub fn scalar(text: impl Into<Box<str>>) -> Self {
        Self::new(Content::Scalar(text.into()))
    }

    /// A scalar that is a string whatever its text looks like: tagged `!!str`, so that it is quoted where it must be.
    pub fn string(text: impl Into<Box<str>>) -> Self {
        Self { tag: Some("!!str".into()), ..Self::scalar(text) }
    }

    /// A sequence that no file holds.
    pub fn sequence(items: Vec<Self>) -> Self {
        Self::new(Content::Sequence(items))
    }

    /// A mapping that no file holds.
    pub fn mapping(entries: Vec<(Self, Self)>) -> Self {
        Self::new(Content::Mapping(entries))
    }

    /// The text, if it is a scalar.
    pub fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if it is a sequence.
    pub fn items(&self) -> Option<&[Self]> {
        match &self.content {
            Content::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The items to change, if it is a sequence.
    pub fn items_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.content {
            Content::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn entries(&self) -> Option<&[(Self, Self)]> {
        match &self.content {
            Content::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entries to change, if it is a mapping.
    pub fn entries_mut(&mut self) -> Option<&mut Vec<(Self, Self)>> {
        match &mut self.content {
            Content::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of `key`, if it is a mapping that has one.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// The value of `key` to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.entries_mut()?.iter_mut().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// The value at the end of a chain of keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Sets `key` of a mapping, in place where it exists and at the end where it does not.
    /// Returns what it was; `None` also where this is no mapping, which then stays as it is.
    pub fn set(&mut self, key: &str, value: Self) -> Option<Self> {
        if let Some(old) = self.get_mut(key) {
            return Some(std::mem::replace(old, value));
        }
        self.entries_mut()?.push((Self::scalar(key), value));
        None
    }

    /// Removes `key` of a mapping.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        let entries = self.entries_mut()?;
        let index = entries.iter().position(|(k, _)| k.as_str() == Some(key))?;
        Some(entries.remove(index).1)
    }

    /// Where its value came from: the last change, or the place where it was read.
    pub fn origin(&self) -> Origin {
        if self.history.0.is_known() {
            return self.history.0.clone();
        }
        self.span.map_or(Origin::UNKNOWN, |span| Origin::at(Step::Source, span))
    }
}
