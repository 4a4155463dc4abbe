//! Nodes: properties, content, and whether a node is a key.
//!
//! `{a: b}` is a mapping, and so is `{a: b}: c`; only the `:` at the end tells. A scalar is read before it is given
//! out, so that one look behind it decides. Brackets may hold much, so before them a slot is kept free among the
//! events, and nothing behind it is given out until it is decided: go-yaml looks for a key's `:` within its line and
//! 1024 characters.

use super::block::block;
use super::comments::{LastKind, Role};
use super::cursor::Mark;
use super::error::{Stage, SyntaxError};
use super::event::{Event, EventKind, Properties};
use super::lexeme;
use super::lexer::{Lexer, Sign};
use super::parser::{Expect, Frame, Kind, Parser, Ready, Waiting};
use super::plain::plain;
use super::quoted::quoted;
use super::scout::Candidate;
use crate::Style;

/// What is known of a node before its content.
struct Head<'a> {
    /// Properties on lines of their own: the mapping's, if the node is a key.
    outer: Properties<'a>,
    outer_start: Option<Mark>,
    /// Properties on the content's line, and where they or the content begin.
    own: Properties<'a>,
    start: Mark,
    /// Where the last of the properties ends.
    end: Mark,
    /// Whether a key may begin at `start`.
    allowed: bool,
    /// What `own` begins with, for when it turns out to have no place.
    before: Lexer<'a>,
    /// What is behind the last of the properties.
    behind: Lexer<'a>,
}

impl<'a> Parser<'a> {
    /// A node of which the first character is here.
    pub(super) fn node(&mut self, mut sign: Sign) -> Result<(), Box<SyntaxError>> {
        if self.lexer.key_allowed
            && let Some(frame) = self.frames.last_mut()
        {
            frame.tried = true;
        }
        let start = self.lexer.cursor.mark();
        let mut head = Head {
            outer: Properties::default(),
            outer_start: None,
            own: Properties::default(),
            start,
            end: start,
            allowed: self.lexer.key_allowed,
            before: self.lexer.clone(),
            behind: self.lexer.clone(),
        };
        while matches!(sign, Sign::Anchor | Sign::Tag) {
            let known = if sign == Sign::Anchor { head.own.anchor.is_some() } else { head.own.tag.is_some() };
            if known {
                return self.nothing(head);
            }
            self.property(sign, &mut head)?;
            sign = self.lexer.sign();
            if self.lexer.key_allowed && !self.next_line(&mut head, sign)? {
                return self.nothing(head);
            }
        }
        if matches!(sign, Sign::Alias | Sign::Plain | Sign::Quoted | Sign::Open) {
            self.lexer.key_allowed = false;
        }
        let content = self.lexer.cursor.mark();
        match sign {
            Sign::Alias if head.own.is_empty() => self.alias(head),
            Sign::Plain => {
                let flow = self.lexer.flow > 0;
                let text = plain(&mut self.lexer.cursor, flow, self.lexer.indent)?;
                self.passed_to(content, text.end.line);
                self.lexer.key_allowed = !flow && self.lexer.cursor.line() != text.end.line;
                self.scalar(text.text, Style::Plain, text.end, content, head)
            }
            Sign::Quoted => {
                let double = self.lexer.cursor.byte() == b'"';
                let style = if double { Style::DoubleQuoted } else { Style::SingleQuoted };
                let text = quoted(&mut self.lexer.cursor)?;
                self.passed(LastKind::Other, content);
                self.scalar(text.text, style, text.end, content, head)
            }
            Sign::Block if self.is_required(&head) && !head.own.is_empty() => Err(self.no_key(head.start, sign)),
            Sign::Block => {
                let style = if self.lexer.cursor.byte() == b'|' { Style::Literal } else { Style::Folded };
                let block = block(&mut self.lexer.cursor, self.lexer.indent)?;
                self.lexer.key_allowed = true;
                let start = head.outer_start.unwrap_or(head.start);
                let kind = EventKind::Scalar(block.text.into(), style, merged(head.outer, head.own));
                self.passed_to(content, block.last_line);
                if let (Some(remarks), Some(range)) = (&mut self.remarks, block.comment) {
                    remarks.line(content, self.lexer.cursor.slice(range));
                }
                self.emit(Event::new(kind, start, block.end), Role::Node, content);
                Ok(())
            }
            Sign::Open => self.open_flow(head),
            Sign::Entry | Sign::Key | Sign::Value if self.lexer.flow == 0 && head.own.is_empty() => {
                self.open_block(sign, head.outer, head.outer_start.unwrap_or(head.start))
            }
            Sign::Entry | Sign::Key if self.lexer.flow == 0 => Err(self.lexer.misplaced(sign)),
            Sign::Value => {
                let end = head.end;
                self.scalar("".into(), Style::Plain, end, content, head)
            }
            _ => self.nothing(head),
        }
    }

    fn property(&mut self, sign: Sign, head: &mut Head<'a>) -> Result<(), Box<SyntaxError>> {
        let before = self.lexer.clone();
        let begin = self.lexer.cursor.mark();
        self.lexer.key_allowed = false;
        if sign == Sign::Anchor {
            head.own.anchor = Some(lexeme::name(&mut self.lexer.cursor)?);
        } else {
            let tag = lexeme::tag(&mut self.lexer.cursor)?;
            head.own.tag = Some(match self.handles.resolve(tag) {
                Some(tag) => tag,
                None => {
                    let start = head.outer_start.unwrap_or(head.start);
                    self.lexer = before;
                    return Err(self.refuse("found undefined tag handle", sign, Some((start, "this node"))));
                }
            });
        }
        head.end = self.lexer.cursor.mark();
        self.passed(LastKind::Other, begin);
        head.behind = self.lexer.clone();
        self.skip();
        Ok(())
    }

    /// A line has ended behind properties. False if what follows is not what they belong to.
    fn next_line(&mut self, head: &mut Head<'a>, sign: Sign) -> Result<bool, Box<SyntaxError>> {
        if self.is_required(head) {
            self.lexer = head.behind.clone();
            return Err(self.no_key(head.start, sign));
        }
        if doubled(&head.outer, &head.own) {
            self.lexer = head.before.clone();
            head.own = Properties::default();
            return Ok(false);
        }
        head.outer = merged(std::mem::take(&mut head.outer), std::mem::take(&mut head.own));
        head.outer_start.get_or_insert(head.start);
        head.start = self.lexer.cursor.mark();
        head.allowed = true;
        head.before = self.lexer.clone();
        let column = self.lexer.structure_column(sign);
        Ok(match sign {
            _ if column != self.lexer.indent => column > self.lexer.indent,
            Sign::Entry => self.frames.last().is_some_and(|frame| frame.kind == Kind::Mapping),
            _ => sign == Sign::Block,
        })
    }

    /// A node of which there is nothing but properties.
    fn nothing(&mut self, mut head: Head<'a>) -> Result<(), Box<SyntaxError>> {
        if doubled(&head.outer, &head.own) {
            self.lexer = head.before.clone();
            head.own = Properties::default();
        }
        let start = head.outer_start.unwrap_or(head.start);
        if self.is_required(&head) && !head.own.is_empty() {
            let sign = self.lexer.sign();
            return Err(self.no_key(head.start, sign));
        }
        if !head.own.is_empty() {
            self.leave_undecided(&head, head.end);
        }
        self.emit_empty(merged(head.outer, head.own), start, head.end);
        Ok(())
    }

    fn alias(&mut self, head: Head<'a>) -> Result<(), Box<SyntaxError>> {
        let before = Lexer { key_allowed: head.allowed, ..self.lexer.clone() };
        let name = lexeme::name(&mut self.lexer.cursor)?;
        let end = self.lexer.cursor.mark();
        let start = head.start;
        self.passed(LastKind::Other, start);
        let mut read = 1;
        if self.is_key(head.start, head.allowed) {
            self.begin_entry(head.outer, head.outer_start, head.start);
            read = 2;
        } else if self.is_required(&head) {
            let error = self.no_key_behind(head.start);
            if error.stage == Stage::Parser {
                // A key that something stands behind is a key all the same, and looked up before that.
                if let Some(unknown) = self.unknown_alias(name, start) {
                    return Err(unknown);
                }
                self.emit(Event::new(EventKind::Alias(name), start, end), Role::Silent, start);
            }
            return Err(error);
        } else if !head.outer.is_empty() {
            self.lexer = before;
            return self.nothing(head);
        } else {
            self.leave_undecided(&head, end);
        }
        if let Some(error) = self.unknown_alias(name, start) {
            self.foresee(read)?;
            return Err(error);
        }
        let next = self.lexer.cursor.byte();
        if self.remarks.is_none() && head.allowed && read == 1 && !matches!(next, b',' | b']' | b'}' | b'\n' | b'#' | 0)
        {
            // Whoever looks aliases up later comes after go-yaml's looking ahead.
            self.foresee(read)?;
        }
        self.emit(Event::new(EventKind::Alias(name), start, end), Role::Node, start);
        Ok(())
    }

    fn scalar(
        &mut self,
        text: std::borrow::Cow<'a, str>,
        style: Style,
        end: Mark,
        content: Mark,
        head: Head<'a>,
    ) -> Result<(), Box<SyntaxError>> {
        if self.is_key(head.start, head.allowed) {
            self.begin_entry(head.outer, head.outer_start, head.start);
            self.emit(Event::new(EventKind::Scalar(text, style, head.own), head.start, end), Role::Node, content);
            return Ok(());
        }
        if self.is_required(&head) {
            return Err(self.no_key_behind(head.start));
        }
        if doubled(&head.outer, &head.own) {
            return self.nothing(head);
        }
        self.leave_undecided(&head, end);
        let start = head.outer_start.unwrap_or(head.start);
        let kind = EventKind::Scalar(text, style, merged(head.outer, head.own));
        self.emit(Event::new(kind, start, end), Role::Node, content);
        Ok(())
    }

    /// Remembers a node that no `:` is next to, but that might have been a key.
    fn leave_undecided(&mut self, head: &Head<'a>, end: Mark) {
        if head.allowed {
            self.undecided =
                Some((Candidate { mark: head.start, required: false, given_up: false }, end.offset as usize));
        }
    }

    /// Whether nothing but a key may begin where the node does.
    fn is_required(&self, head: &Head<'a>) -> bool {
        head.allowed && self.lexer.flow == 0 && head.start.column as i32 == self.lexer.indent
    }

    fn no_key_behind(&mut self, start: Mark) -> Box<SyntaxError> {
        let sign = self.lexer.sign();
        self.no_key(start, sign)
    }

    fn no_key(&self, start: Mark, sign: Sign) -> Box<SyntaxError> {
        let problem = "could not find expected ':'";
        self.refuse_behind(Some(Candidate { mark: start, required: true, given_up: false }), problem, sign, None)
    }

    /// Whether the node that began at `start` is a key: a `:` follows.
    fn is_key(&mut self, start: Mark, allowed: bool) -> bool {
        let cursor = &mut self.lexer.cursor;
        if !allowed || cursor.line() != start.line {
            return false;
        }
        cursor.pass_blanks();
        cursor.byte() == b':'
            && (self.lexer.flow > 0 || cursor.is_parted_at(cursor.at + 1))
            && self.lexer.reaches(start)
    }

    /// Passes the `:` behind a key and opens the mapping that it is the first key of.
    fn begin_entry(&mut self, outer: Properties<'a>, outer_start: Option<Mark>, start: Mark) {
        let stem = self.stem(&outer_start.unwrap_or(start), &start);
        if let Some(event) = self.enter_mapping(outer, outer_start, start) {
            let role = if self.lexer.flow > 0 { Role::Silent } else { Role::Block(stem) };
            self.emit(event, role, start);
        }
    }

    /// [`begin_entry`](Self::begin_entry), giving the mapping's start.
    fn enter_mapping(
        &mut self,
        properties: Properties<'a>,
        outer_start: Option<Mark>,
        start: Mark,
    ) -> Option<Event<'a>> {
        let colon = self.lexer.cursor.mark();
        self.pass_indicator(LastKind::Value);
        self.lexer.key_allowed = false;
        let flow = self.lexer.flow > 0;
        let within = self.frames.last().is_some_and(|frame| match frame.kind {
            Kind::FlowMapping => true,
            Kind::FlowSequence | Kind::FlowPair => false,
            Kind::Sequence | Kind::Indentless | Kind::Mapping => start.column as i32 == self.lexer.indent,
        });
        if within {
            self.expect(Expect::Value);
            return None;
        }
        if flow {
            self.push_pair(colon, Expect::Value);
        } else {
            self.push_block(Kind::Mapping, Expect::Value, start);
        }
        let begin = outer_start.unwrap_or(start);
        Some(Event::new(EventKind::MappingStart { flow, properties }, begin, begin))
    }

    fn open_flow(&mut self, head: Head<'a>) -> Result<(), Box<SyntaxError>> {
        let bracket = self.lexer.cursor.mark();
        let sequence = self.lexer.cursor.byte() == b'[';
        let kind = if sequence { Kind::FlowSequence } else { Kind::FlowMapping };
        let required = self.is_required(&head);
        let candidate = head.allowed.then_some(Candidate { mark: head.start, required, given_up: false });
        if let Some(candidate) = candidate {
            let undo = doubled(&head.outer, &head.own).then(|| Box::new((head.before, self.frames.len(), head.end)));
            let (outer, outer_start) = (head.outer, head.outer_start);
            self.hold(Waiting { slot: 0, candidate, outer, outer_start, undo });
        }
        let properties = head.own;
        let event = if sequence {
            EventKind::SequenceStart { flow: true, properties }
        } else {
            EventKind::MappingStart { flow: true, properties }
        };
        self.emit(Event::new(event, head.start, head.start), Role::Node, bracket);
        let indent = self.lexer.indent;
        self.frames.push(Frame { key: candidate, ..Frame::new(kind, Expect::First, bracket, indent) });
        self.pass_indicator(LastKind::Other);
        self.lexer.flow += 1;
        self.lexer.key_allowed = true;
        Ok(())
    }

    /// A collection in brackets has ended that `candidate` says might be a key.
    pub(super) fn end_of_brackets(&mut self, mut candidate: Candidate, frame: &Frame) -> Result<(), Box<SyntaxError>> {
        let end = self.lexer.cursor.at;
        candidate.given_up = !frame.tried && candidate.mark == frame.start;
        let Some(waiting) = self.release() else {
            return Ok(());
        };
        let start = candidate.mark;
        // go-yaml fails to see that brackets are a key if they hold nothing that might be one; v3 sees it as far as it
        // reads ahead.
        let between = self.lexer.cursor.slice(frame.start.offset as usize + 1..end - 1);
        let overlooked = candidate.given_up && (self.ahead == 1 || !between.trim_ascii().is_empty());
        if !overlooked && self.is_key(start, true) {
            let slot = waiting.slot;
            let stem = self.stem(&waiting.outer_start.unwrap_or(start), &start);
            let role = if self.lexer.flow > 0 { Role::Silent } else { Role::Block(stem) };
            let event = self.enter_mapping(waiting.outer, waiting.outer_start, start);
            if let Some(place) = self.slot(slot) {
                *place = event.map(|event| Ready { event, role, place: start.offset });
            }
            return Ok(());
        }
        if candidate.required {
            if let Some(mapping) = self.frames.last()
                && candidate.given_up
                && self.ahead == 1
                && mapping.entry != start.offset
            {
                let context = Some((mapping.start, "this block mapping"));
                return Err(SyntaxError::grammar("did not find expected key", start, context));
            }
            return Err(self.no_key_behind(start));
        }
        self.undecided = Some((candidate, end));
        self.no_mapping(waiting);
        Ok(())
    }
}

/// Whether each of two sets of properties has an anchor, or a tag.
pub(super) fn doubled(outer: &Properties<'_>, own: &Properties<'_>) -> bool {
    outer.anchor.is_some() && own.anchor.is_some() || outer.tag.is_some() && own.tag.is_some()
}

/// The properties of a node that stand on several lines.
pub(super) fn merged<'a>(outer: Properties<'a>, own: Properties<'a>) -> Properties<'a> {
    Properties { anchor: own.anchor.or(outer.anchor), tag: own.tag.or(outer.tag) }
}
