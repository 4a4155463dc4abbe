//! [`Parser`] applies the grammar to the tokens and hands out [`Event`]s, keeping what is open on a stack of its own.

use super::comments::Place;
use super::error::{Stage, SyntaxError};
use super::scanner::{Scanned, Scanner};
use super::token::{Mark, Token, TokenKind};
use crate::MAX_DEPTH;
use crate::{Comments, Style};
use std::borrow::Cow;

/// What a text says next.
#[derive(Debug)]
pub struct Event<'a> {
    /// What it is.
    pub kind: EventKind<'a>,
    pub(crate) start: Mark,
    pub(crate) end: Mark,
    /// The comments that belong to it, where they are wanted.
    pub(crate) comments: Option<Box<Comments>>,
}

/// The kinds of [`Event`].
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

/// A node's anchor and tag.
#[derive(Debug, Default)]
pub struct Properties<'a> {
    /// The anchor's name, without `&`.
    pub anchor: Option<&'a str>,
    /// The tag, resolved against the directives and shortened: `!!str`.
    pub tag: Option<Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequenceEntryMappingKey,
    FlowSequenceEntryMappingValue,
    FlowSequenceEntryMappingEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// Turns tokens into events.
pub(crate) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    /// Where the open collections begin.
    marks: Vec<Mark>,
    /// Handle and prefix of the document's `%TAG` directives.
    directives: Vec<(String, String)>,
    /// Comments that wait for their event.
    head: String,
    line: String,
    foot: String,
    /// The head comment of a collection under a `-`, taken off its first entry.
    stem: Option<String>,
}

type Parsed<'a> = Scanned<Event<'a>>;

impl<'a> Parser<'a> {
    /// Starts on a text that may hold many documents.
    pub(crate) fn new(text: &'a str, comments: bool) -> Scanned<Self> {
        Ok(Self {
            scanner: Scanner::new(text, comments)?,
            state: State::ImplicitDocumentStart,
            states: Vec::with_capacity(16),
            marks: Vec::with_capacity(16),
            directives: Vec::new(),
            head: String::new(),
            line: String::new(),
            foot: String::new(),
            stem: None,
        })
    }

    /// The next event. Behind the stream's end stands the stream's end.
    pub(crate) fn next(&mut self) -> Parsed<'a> {
        match self.state {
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirstEntry => self.block_sequence_entry(true),
            State::BlockSequenceEntry => self.block_sequence_entry(false),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => self.block_mapping_key(true),
            State::BlockMappingKey => self.block_mapping_key(false),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequenceEntryMappingKey => self.flow_pair_key(),
            State::FlowSequenceEntryMappingValue => self.flow_pair_value(),
            State::FlowSequenceEntryMappingEnd => self.flow_pair_end(),
            State::FlowMappingFirstKey => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            State::FlowMappingEmptyValue => self.flow_mapping_value(true),
            State::End => {
                let mark = self.scanner.mark();
                Ok(event(EventKind::StreamEnd, mark, mark))
            }
        }
    }

    /// The next token, after the comments up to it have been gathered.
    #[inline]
    fn peek(&mut self) -> Scanned<&Token<'a>> {
        if self.scanner.comments.is_some() {
            self.gather_comments()?;
        }
        self.scanner.peek()
    }

    #[inline]
    fn peek_kind(&mut self) -> Scanned<(&TokenKind<'a>, Mark, Mark)> {
        let token = self.peek()?;
        Ok((&token.kind, token.start, token.end))
    }

    fn skip(&mut self) -> Scanned<()> {
        self.scanner.next().map(drop)
    }

    fn gather_comments(&mut self) -> Scanned<()> {
        let token = self.scanner.peek()?;
        let (offset, is_block_end) = (token.start.offset, matches!(token.kind, TokenKind::BlockEnd));
        let Some(comments) = &mut self.scanner.comments else { return Ok(()) };
        while let Some(comment) = comments.waiting.front() {
            if offset < comment.owner.offset {
                break;
            }
            let into = match comment.place {
                // What follows a block's end has the head, not the end itself.
                Place::Head if is_block_end => break,
                Place::Head => &mut self.head,
                Place::Line => &mut self.line,
                Place::Foot => &mut self.foot,
            };
            if !into.is_empty() {
                into.push('\n');
            }
            into.push_str(&comment.text);
            comments.waiting.pop_front();
        }
        Ok(())
    }

    fn take_comments(&mut self) -> Option<Box<Comments>> {
        self.scanner.comments.as_ref()?;
        self.stem = None;
        let (head, line, foot) =
            (std::mem::take(&mut self.head), std::mem::take(&mut self.line), std::mem::take(&mut self.foot));
        comments(head, line, foot)
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    fn open(&mut self, mark: Mark) -> Scanned<()> {
        self.marks.push(mark);
        if self.marks.len() > MAX_DEPTH {
            return Err(SyntaxError::new(Stage::Parser, "exceeded max depth of 1000", mark));
        }
        Ok(())
    }

    fn error_in(&mut self, what: &'static str, problem: &'static str, mark: Mark) -> Box<SyntaxError> {
        let start = self.marks.pop().unwrap_or_default();
        SyntaxError::new(Stage::Parser, problem, mark).within(what, start)
    }

    fn document_start(&mut self, implicit: bool) -> Parsed<'a> {
        if !implicit {
            while matches!(self.peek()?.kind, TokenKind::DocumentEnd) {
                self.skip()?;
            }
        }
        let (kind, start, end) = self.peek_kind()?;
        match kind {
            TokenKind::StreamEnd => {
                self.state = State::End;
                self.skip()?;
                Ok(event(EventKind::StreamEnd, start, end))
            }
            TokenKind::VersionDirective { .. } | TokenKind::TagDirective(_) | TokenKind::DocumentStart => {
                self.explicit_document_start(start)
            }
            _ if !implicit => self.explicit_document_start(start),
            _ => {
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                let head = self.split_document_head();
                let comments = comments(head, String::new(), String::new());
                Ok(Event { kind: EventKind::DocumentStart, start, end, comments })
            }
        }
    }

    /// Comments at the top that an empty line parts from the rest belong to the document as a whole.
    fn split_document_head(&mut self) -> String {
        let Some(at) = (1..self.head.len()).rev().find(|at| {
            let bytes = self.head.as_bytes();
            bytes[*at] == b'\n' && (*at == bytes.len() - 1 || bytes[at - 1] == b'\n')
        }) else {
            return String::new();
        };
        let end = if at == self.head.len() - 1 { at } else { at - 1 };
        let rest = self.head.split_off(at + 1);
        let mut head = std::mem::replace(&mut self.head, rest);
        head.truncate(end);
        head
    }

    fn explicit_document_start(&mut self, start: Mark) -> Parsed<'a> {
        let mut version = false;
        loop {
            let mark = self.peek()?.start;
            match &self.peek()?.kind {
                TokenKind::VersionDirective { major, minor } => {
                    let known = (*major, *minor) == (1, 1);
                    let problem = match known {
                        _ if version => "found duplicate %YAML directive",
                        false => "found incompatible YAML document",
                        true => {
                            version = true;
                            self.skip()?;
                            continue;
                        }
                    };
                    return Err(SyntaxError::new(Stage::Parser, problem, mark));
                }
                TokenKind::TagDirective(directive) => {
                    let directive = (**directive).clone();
                    if self.directives.iter().any(|(handle, _)| *handle == directive.0) {
                        return Err(SyntaxError::new(Stage::Parser, "found duplicate %TAG directive", mark));
                    }
                    self.directives.push(directive);
                    self.skip()?;
                }
                TokenKind::DocumentStart => break,
                _ => return Err(SyntaxError::new(Stage::Parser, "did not find expected <document start>", mark)),
            }
        }
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        let end = self.scanner.next()?.end;
        Ok(event(EventKind::DocumentStart, start, end))
    }

    fn document_content(&mut self) -> Parsed<'a> {
        let (kind, start, _) = self.peek_kind()?;
        match kind {
            TokenKind::VersionDirective { .. }
            | TokenKind::TagDirective(_)
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                self.pop_state();
                Ok(empty_scalar(start))
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Parsed<'a> {
        let (kind, start, mut end) = self.peek_kind()?;
        if matches!(kind, TokenKind::DocumentEnd) {
            self.skip()?;
        } else {
            end = start;
        }
        self.directives.clear();
        self.state = State::DocumentStart;
        let mut comments = self.take_comments();
        if let Some(comments) = &mut comments
            && comments.foot.is_empty()
        {
            comments.foot = std::mem::take(&mut comments.head);
        }
        Ok(Event { kind: EventKind::DocumentEnd, start, end, comments })
    }

    /// A node with its properties. `block` tells whether block collections may stand here, `indentless` whether a
    /// sequence may that is not indented deeper than the key before it.
    fn node(&mut self, block: bool, indentless: bool) -> Parsed<'a> {
        let first = self.peek()?.start;
        let mut properties = Properties::default();
        let mut tagged = None;
        loop {
            match &self.peek()?.kind {
                TokenKind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name);
                    self.skip()?;
                }
                TokenKind::Tag(_) if tagged.is_none() => {
                    let token = self.scanner.next()?;
                    if let TokenKind::Tag(tag) = token.kind {
                        tagged = Some((tag, token.start));
                    }
                }
                _ => break,
            }
        }
        if let Some((tag, mark)) = tagged {
            properties.tag = Some(self.resolve_tag(*tag, first, mark)?);
        }
        let bare = properties.anchor.is_none() && properties.tag.is_none();
        let (kind, start, end) = self.peek_kind()?;
        match kind {
            TokenKind::Alias(_) if bare => {
                self.pop_state();
                let token = self.scanner.next()?;
                let TokenKind::Alias(name) = token.kind else { return Ok(empty_scalar(start)) };
                let comments = self.take_comments();
                Ok(Event { kind: EventKind::Alias(name), start, end, comments })
            }
            TokenKind::BlockEntry if indentless => {
                self.state = State::IndentlessSequenceEntry;
                Ok(event(EventKind::SequenceStart { flow: false, properties }, first, end))
            }
            TokenKind::Scalar(..) => {
                self.pop_state();
                let comments = self.take_comments();
                let token = self.scanner.next()?;
                let TokenKind::Scalar(value, style) = token.kind else { return Ok(empty_scalar(start)) };
                Ok(Event { kind: EventKind::Scalar(value, style, properties), start: first, end, comments })
            }
            TokenKind::FlowSequenceStart => {
                self.state = State::FlowSequenceFirstEntry;
                let comments = self.take_comments();
                Ok(Event { kind: EventKind::SequenceStart { flow: true, properties }, start: first, end, comments })
            }
            TokenKind::FlowMappingStart => {
                self.state = State::FlowMappingFirstKey;
                let comments = self.take_comments();
                Ok(Event { kind: EventKind::MappingStart { flow: true, properties }, start: first, end, comments })
            }
            TokenKind::BlockSequenceStart if block => {
                self.state = State::BlockSequenceFirstEntry;
                let comments = comments(self.stem.take().unwrap_or_default(), String::new(), String::new());
                Ok(Event { kind: EventKind::SequenceStart { flow: false, properties }, start: first, end, comments })
            }
            TokenKind::BlockMappingStart if block => {
                self.state = State::BlockMappingFirstKey;
                let comments = comments(self.stem.take().unwrap_or_default(), String::new(), String::new());
                Ok(Event { kind: EventKind::MappingStart { flow: false, properties }, start: first, end, comments })
            }
            _ if !bare => {
                self.pop_state();
                Ok(event(EventKind::Scalar(Cow::Borrowed(""), Style::Plain, properties), first, start))
            }
            _ => {
                let what = if block { "this block" } else { "this flow collection" };
                Err(SyntaxError::new(Stage::Parser, "did not find expected node content", start).within(what, first))
            }
        }
    }

    fn resolve_tag(&self, (handle, suffix): (String, String), node: Mark, mark: Mark) -> Scanned<Box<str>> {
        const YAML: &str = "tag:yaml.org,2002:";
        let full = if handle.is_empty() {
            suffix
        } else if let Some((_, prefix)) = self.directives.iter().find(|(known, _)| *known == handle) {
            format!("{prefix}{suffix}")
        } else if handle == "!" || handle == "!!" {
            return Ok(format!("{handle}{suffix}").into());
        } else {
            let error = SyntaxError::new(Stage::Parser, "found undefined tag handle", mark);
            return Err(error.within("this node", node));
        };
        Ok(match full.strip_prefix(YAML) {
            Some(short) => format!("!!{short}").into(),
            None => full.into(),
        })
    }

    fn block_sequence_entry(&mut self, first: bool) -> Parsed<'a> {
        if first {
            let mark = self.peek()?.start;
            self.open(mark)?;
            self.skip()?;
        }
        let (kind, start, end) = self.peek_kind()?;
        match kind {
            TokenKind::BlockEntry => {
                self.enter_sequence_entry()?;
                match self.peek()?.kind {
                    TokenKind::BlockEntry | TokenKind::BlockEnd => {
                        self.state = State::BlockSequenceEntry;
                        Ok(empty_scalar(end))
                    }
                    _ => {
                        self.states.push(State::BlockSequenceEntry);
                        self.node(true, false)
                    }
                }
            }
            TokenKind::BlockEnd => {
                self.pop_state();
                self.marks.pop();
                self.skip()?;
                Ok(event(EventKind::SequenceEnd, start, end))
            }
            _ => Err(self.error_in("this block collection", "did not find expected '-' indicator", start)),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Parsed<'a> {
        let (kind, start, end) = self.peek_kind()?;
        if !matches!(kind, TokenKind::BlockEntry) {
            self.pop_state();
            return Ok(event(EventKind::SequenceEnd, start, start));
        }
        self.enter_sequence_entry()?;
        match self.peek()?.kind {
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                self.state = State::IndentlessSequenceEntry;
                Ok(empty_scalar(end))
            }
            _ => {
                self.states.push(State::IndentlessSequenceEntry);
                self.node(true, false)
            }
        }
    }

    /// Steps over a `-`. The comment before it belongs to the collection that follows it as a whole, not to that
    /// one's first entry.
    fn enter_sequence_entry(&mut self) -> Scanned<()> {
        let stem = self.head.len();
        self.skip()?;
        if stem > 0 && matches!(self.peek()?.kind, TokenKind::BlockSequenceStart | TokenKind::BlockMappingStart) {
            let rest = self.head.get(stem + 1..).unwrap_or("").to_owned();
            self.head.truncate(stem);
            self.stem = Some(std::mem::replace(&mut self.head, rest));
        }
        Ok(())
    }

    fn block_mapping_key(&mut self, first: bool) -> Parsed<'a> {
        if first {
            let mark = self.peek()?.start;
            self.open(mark)?;
            self.skip()?;
        }
        let (kind, start, end) = self.peek_kind()?;
        match kind {
            TokenKind::Key => {
                self.skip()?;
                match self.peek()?.kind {
                    TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                        self.state = State::BlockMappingValue;
                        Ok(empty_scalar(end))
                    }
                    _ => {
                        self.states.push(State::BlockMappingValue);
                        self.node(true, true)
                    }
                }
            }
            TokenKind::BlockEnd => {
                self.pop_state();
                self.marks.pop();
                let comments = self.take_comments();
                self.skip()?;
                Ok(Event { kind: EventKind::MappingEnd, start, end, comments })
            }
            _ => Err(self.error_in("this block mapping", "did not find expected key", start)),
        }
    }

    fn block_mapping_value(&mut self) -> Parsed<'a> {
        let (kind, start, end) = self.peek_kind()?;
        if !matches!(kind, TokenKind::Value) {
            self.state = State::BlockMappingKey;
            return Ok(empty_scalar(start));
        }
        self.skip()?;
        match self.peek()?.kind {
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                self.state = State::BlockMappingKey;
                Ok(empty_scalar(end))
            }
            _ => {
                self.states.push(State::BlockMappingKey);
                self.node(true, true)
            }
        }
    }

    fn flow_sequence_entry(&mut self, first: bool) -> Parsed<'a> {
        if first {
            let mark = self.peek()?.start;
            self.open(mark)?;
            self.skip()?;
        }
        let (kind, start, _) = self.peek_kind()?;
        match kind {
            TokenKind::FlowSequenceEnd => return self.flow_end(EventKind::SequenceEnd),
            TokenKind::FlowEntry if !first => self.skip()?,
            _ if first => {}
            _ => return Err(self.error_in("this flow sequence", "did not find expected ',' or ']'", start)),
        }
        let (kind, start, end) = self.peek_kind()?;
        match kind {
            TokenKind::Key => {
                self.state = State::FlowSequenceEntryMappingKey;
                self.skip()?;
                let properties = Properties::default();
                Ok(event(EventKind::MappingStart { flow: true, properties }, start, end))
            }
            TokenKind::FlowSequenceEnd => self.flow_end(EventKind::SequenceEnd),
            _ => {
                self.states.push(State::FlowSequenceEntry);
                self.node(false, false)
            }
        }
    }

    fn flow_end(&mut self, kind: EventKind<'a>) -> Parsed<'a> {
        self.pop_state();
        self.marks.pop();
        let comments = self.take_comments();
        let token = self.scanner.next()?;
        Ok(Event { kind, start: token.start, end: token.end, comments })
    }

    fn flow_pair_key(&mut self) -> Parsed<'a> {
        let (kind, _, end) = self.peek_kind()?;
        if matches!(kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
            // go-yaml takes the token that it saw, whichever it was.
            self.skip()?;
            self.state = State::FlowSequenceEntryMappingValue;
            return Ok(empty_scalar(end));
        }
        self.states.push(State::FlowSequenceEntryMappingValue);
        self.node(false, false)
    }

    fn flow_pair_value(&mut self) -> Parsed<'a> {
        let (kind, start, _) = self.peek_kind()?;
        if matches!(kind, TokenKind::Value) {
            self.skip()?;
            if !matches!(self.peek()?.kind, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
                self.states.push(State::FlowSequenceEntryMappingEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowSequenceEntryMappingEnd;
        Ok(empty_scalar(start))
    }

    fn flow_pair_end(&mut self) -> Parsed<'a> {
        let start = self.peek()?.start;
        self.state = State::FlowSequenceEntry;
        Ok(event(EventKind::MappingEnd, start, start))
    }

    fn flow_mapping_key(&mut self, first: bool) -> Parsed<'a> {
        if first {
            let mark = self.peek()?.start;
            self.open(mark)?;
            self.skip()?;
        }
        let (kind, start, _) = self.peek_kind()?;
        match kind {
            TokenKind::FlowMappingEnd => return self.flow_end(EventKind::MappingEnd),
            TokenKind::FlowEntry if !first => self.skip()?,
            _ if first => {}
            _ => return Err(self.error_in("this flow mapping", "did not find expected ',' or '}'", start)),
        }
        match self.peek()?.kind {
            TokenKind::Key => {
                self.skip()?;
                let (kind, start, _) = self.peek_kind()?;
                if matches!(kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                    self.state = State::FlowMappingValue;
                    return Ok(empty_scalar(start));
                }
                self.states.push(State::FlowMappingValue);
                self.node(false, false)
            }
            TokenKind::FlowMappingEnd => self.flow_end(EventKind::MappingEnd),
            _ => {
                self.states.push(State::FlowMappingEmptyValue);
                self.node(false, false)
            }
        }
    }

    fn flow_mapping_value(&mut self, empty: bool) -> Parsed<'a> {
        let (kind, mut start, _) = self.peek_kind()?;
        if !empty && matches!(kind, TokenKind::Value) {
            self.skip()?;
            let (kind, next, _) = self.peek_kind()?;
            if !matches!(kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
            start = next;
        }
        self.state = State::FlowMappingKey;
        Ok(empty_scalar(start))
    }
}

fn event(kind: EventKind<'_>, start: Mark, end: Mark) -> Event<'_> {
    Event { kind, start, end, comments: None }
}

fn empty_scalar<'a>(mark: Mark) -> Event<'a> {
    event(EventKind::Scalar(Cow::Borrowed(""), Style::Plain, Properties::default()), mark, mark)
}

fn comments(head: String, line: String, foot: String) -> Option<Box<Comments>> {
    if head.is_empty() && line.is_empty() && foot.is_empty() {
        return None;
    }
    Some(Box::new(Comments { head: head.into(), line: line.into(), foot: foot.into() }))
}
