//! [`Event`]: what a text consists of, in its order.

use super::cursor::Mark;
use crate::{Comments, Style};
use std::borrow::Cow;

/// Something that a text has.
#[derive(Debug)]
pub struct Event<'a> {
    /// What it is.
    pub kind: EventKind<'a>,
    pub(crate) start: Mark,
    pub(crate) end: Mark,
    /// The comments that belong to it, where they are wanted.
    pub(crate) comments: Option<Box<Comments>>,
}

/// What an [`Event`] is.
#[derive(Debug)]
pub enum EventKind<'a> {
    /// The text's end.
    StreamEnd,
    /// A document starts; one node follows.
    DocumentStart,
    /// A document's end.
    DocumentEnd,
    /// `*name`
    Alias(&'a str),
    /// A scalar, quotes and escapes resolved.
    Scalar(Cow<'a, str>, Style, Properties<'a>),
    /// A sequence's start; its items follow.
    SequenceStart {
        /// Whether it is written in brackets.
        flow: bool,
        /// Its anchor and tag.
        properties: Properties<'a>,
    },
    /// A sequence's end.
    SequenceEnd,
    /// A mapping's start; its keys and values follow in turn.
    MappingStart {
        /// Whether it is written in braces.
        flow: bool,
        /// Its anchor and tag.
        properties: Properties<'a>,
    },
    /// A mapping's end.
    MappingEnd,
}

/// What may stand before a node.
#[derive(Debug, Default)]
pub struct Properties<'a> {
    /// The anchor's name, without `&`.
    pub anchor: Option<&'a str>,
    /// The tag, resolved against the directives and shortened: `!!str`.
    pub tag: Option<Box<str>>,
}

impl Properties<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.anchor.is_none() && self.tag.is_none()
    }
}

impl<'a> Event<'a> {
    pub(super) fn new(kind: EventKind<'a>, start: Mark, end: Mark) -> Self {
        Self { kind, start, end, comments: None }
    }
}
