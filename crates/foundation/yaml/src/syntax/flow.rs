//! Collections in brackets.

use super::comments::{LastKind, Role};
use super::cursor::Mark;
use super::error::SyntaxError;
use super::event::{Event, EventKind, Properties};
use super::lexer::Sign;
use super::parser::{Expect, Frame, Kind, Parser};
use super::structure::NO_CONTENT;

impl<'a> Parser<'a> {
    /// Goes on in the collection in brackets that is open.
    pub(super) fn flow_step(&mut self) -> Result<(), Box<SyntaxError>> {
        self.skip();
        let sign = self.lexer.sign();
        let Some(&Frame { kind, expect, start, .. }) = self.frames.last() else { return Ok(()) };
        let closes = sign == Sign::Close && (self.lexer.cursor.byte() == b']') == (kind != Kind::FlowMapping);
        match (kind, expect) {
            (Kind::FlowPair, Expect::Entry) => {
                let mark = self.lexer.mark(sign);
                self.emit(Event::new(EventKind::MappingEnd, mark, mark), Role::Silent, mark);
                self.pop();
                Ok(())
            }
            (_, Expect::First | Expect::Entry) if closes => self.close_flow(kind),
            (_, Expect::First) => self.flow_entry(kind, sign),
            (_, Expect::Entry) => {
                if sign != Sign::Comma {
                    let (problem, what) = match kind {
                        Kind::FlowMapping => ("did not find expected ',' or '}'", "this flow mapping"),
                        _ => ("did not find expected ',' or ']'", "this flow sequence"),
                    };
                    return Err(self.refuse(problem, sign, Some((start, what))));
                }
                self.pass_indicator(LastKind::Comma);
                self.lexer.key_allowed = true;
                self.skip();
                self.expect(Expect::First);
                Ok(())
            }
            (_, Expect::Key) => {
                if kind == Kind::FlowPair && (closes || matches!(sign, Sign::Comma | Sign::Value)) {
                    // go-yaml passes over what stands where the key should be.
                    let behind = self.pass_instead_of_key(sign);
                    self.emit_empty(Properties::default(), behind, behind);
                    self.expect(Expect::Colon);
                    return Ok(());
                }
                if closes || matches!(sign, Sign::Comma | Sign::Value) {
                    let mark = self.lexer.mark(sign);
                    self.emit_empty(Properties::default(), mark, mark);
                    self.expect(Expect::Colon);
                    return Ok(());
                }
                self.flow_node(sign, Expect::Colon)
            }
            (_, Expect::Colon | Expect::NoValue) => {
                if sign == Sign::Value && expect == Expect::Colon {
                    self.pass_colon();
                    self.expect(Expect::Value);
                } else {
                    let mark = self.lexer.mark(sign);
                    self.emit_empty(Properties::default(), mark, mark);
                    self.expect(Expect::Entry);
                }
                Ok(())
            }
            (_, Expect::Value) => {
                if closes || sign == Sign::Comma {
                    // Without braces, where the `:` is.
                    let mark = if kind == Kind::FlowPair { start } else { self.lexer.mark(sign) };
                    self.emit_empty(Properties::default(), mark, mark);
                    self.expect(Expect::Entry);
                    return Ok(());
                }
                self.flow_node(sign, Expect::Entry)
            }
        }
    }

    /// Goes behind the `:` here; a pair without braces remembers where it is.
    pub(super) fn pass_colon(&mut self) {
        let mark = self.lexer.cursor.mark();
        self.pass_indicator(LastKind::Value);
        self.lexer.key_allowed = false;
        if let Some(frame) = self.frames.last_mut().filter(|frame| frame.kind == Kind::FlowPair) {
            frame.start = mark;
        }
    }

    fn flow_entry(&mut self, kind: Kind, sign: Sign) -> Result<(), Box<SyntaxError>> {
        if sign == Sign::Key {
            let start = self.lexer.cursor.mark();
            self.pass_indicator(LastKind::Other);
            self.lexer.key_allowed = false;
            if kind == Kind::FlowSequence {
                self.expect(Expect::Entry);
                self.open_pair(Properties::default(), start, Expect::Key);
            } else {
                self.expect(Expect::Key);
            }
            return Ok(());
        }
        // In braces, a node without `:` is a key without a value.
        let next = if kind == Kind::FlowMapping { Expect::NoValue } else { Expect::Entry };
        self.flow_node(sign, next)
    }

    fn pass_instead_of_key(&mut self, sign: Sign) -> Mark {
        self.pass_indicator(LastKind::Other);
        let mark = self.lexer.cursor.mark();
        match sign {
            Sign::Close => {
                self.lexer.flow = self.lexer.flow.saturating_sub(1);
                self.lexer.key_allowed = false;
            }
            Sign::Comma => self.lexer.key_allowed = true,
            _ => self.lexer.key_allowed = false,
        }
        mark
    }

    fn flow_node(&mut self, sign: Sign, next: Expect) -> Result<(), Box<SyntaxError>> {
        if !sign.begins_node() {
            let mark = self.lexer.mark(sign);
            return Err(self.refuse(NO_CONTENT, sign, Some((mark, "this node"))));
        }
        self.expect(next);
        self.node(sign)
    }

    /// Opens the mapping of one entry that a `?` or a `:` makes in a sequence.
    pub(super) fn open_pair(&mut self, properties: Properties<'a>, start: Mark, expect: Expect) {
        self.emit(Event::new(EventKind::MappingStart { flow: true, properties }, start, start), Role::Silent, start);
        self.push_pair(start, expect);
    }

    pub(super) fn push_pair(&mut self, start: Mark, expect: Expect) {
        let indent = self.lexer.indent;
        self.frames.push(Frame::new(Kind::FlowPair, expect, start, indent));
    }

    fn close_flow(&mut self, kind: Kind) -> Result<(), Box<SyntaxError>> {
        let start = self.lexer.cursor.mark();
        self.pass_indicator(LastKind::Other);
        self.lexer.flow = self.lexer.flow.saturating_sub(1);
        self.lexer.key_allowed = false;
        let end = self.lexer.cursor.mark();
        let event = if kind == Kind::FlowMapping { EventKind::MappingEnd } else { EventKind::SequenceEnd };
        self.emit(Event::new(event, start, end), Role::Node, start);
        let Some(frame) = self.pop() else { return Ok(()) };
        match frame.key {
            Some(key) => self.end_of_brackets(key, &frame),
            None => Ok(()),
        }
    }
}
