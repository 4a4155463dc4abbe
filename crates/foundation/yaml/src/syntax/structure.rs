//! Block collections: what a line's first characters and their column mean to what is open.

use super::comments::{LastKind, Role};
use super::cursor::Mark;
use super::error::SyntaxError;
use super::event::{Event, EventKind, Properties};
use super::lexer::Sign;
use super::parser::{Expect, Frame, Kind, Parser};
use crate::Style;

pub(super) const NO_CONTENT: &str = "did not find expected node content";
const NO_KEY: &str = "did not find expected key";
const NO_ENTRY: &str = "did not find expected '-' indicator";

impl<'a> Parser<'a> {
    /// Goes on in the block collection that is open.
    pub(super) fn block_step(&mut self) -> Result<(), Box<SyntaxError>> {
        if self.frames.last().is_some_and(|frame| matches!(frame.expect, Expect::Key | Expect::Value)) {
            return self.value_behind_indicator();
        }
        self.skip();
        let sign = self.lexer.sign();
        let column = self.lexer.structure_column(sign);
        let Some(&Frame { kind, expect, start, indent, .. }) = self.frames.last() else { return Ok(()) };
        let here = column == indent && self.lexer.key_allowed;
        match (kind, expect) {
            (Kind::Mapping, Expect::Colon) => {
                if here && sign == Sign::Value {
                    self.pass_indicator(LastKind::Value);
                    self.lexer.key_allowed = true;
                    self.expect(Expect::Value);
                    return self.value_behind_indicator();
                }
                let mark = if self.is_outdented(indent) { self.gap() } else { self.lexer.mark(sign) };
                let role = if column < indent { Role::SilentEnd } else { Role::Silent };
                let scalar = EventKind::Scalar("".into(), Style::Plain, Properties::default());
                self.emit(Event::new(scalar, mark, mark), role, mark);
                self.expect(Expect::Entry);
                Ok(())
            }
            (Kind::Mapping, _) => {
                if column < indent {
                    return self.end_block(sign);
                }
                match sign {
                    Sign::Key if here => {
                        self.pass_indicator(LastKind::Other);
                        self.expect(Expect::Key);
                        self.value_behind_indicator()
                    }
                    _ if here && sign.begins_node() && sign != Sign::Block => self.node(sign),
                    _ => Err(self.refuse(NO_KEY, sign, Some((start, "this block mapping")))),
                }
            }
            _ => {
                if here && sign == Sign::Entry {
                    let mark = self.lexer.cursor.mark();
                    self.pass_indicator(LastKind::Entry);
                    if let Some(frame) = self.frames.last_mut() {
                        frame.entry = mark.offset;
                    }
                    self.expect(Expect::Value);
                    return self.value_behind_indicator();
                }
                if column < indent || kind == Kind::Indentless {
                    return self.end_block(sign);
                }
                Err(self.refuse(NO_ENTRY, sign, Some((start, "this block collection"))))
            }
        }
    }

    fn end_block(&mut self, sign: Sign) -> Result<(), Box<SyntaxError>> {
        let mark = self.lexer.mark(sign);
        let Some(Frame { kind, indent, .. }) = self.pop() else { return Ok(()) };
        let event = if kind == Kind::Mapping { EventKind::MappingEnd } else { EventKind::SequenceEnd };
        let role = match kind {
            Kind::Mapping => Role::MappingEnd,
            Kind::Indentless if self.lexer.structure_column(sign) >= indent => Role::Silent,
            _ => Role::SilentEnd,
        };
        let outdented = self.is_outdented(indent);
        let carried = self.block_end.filter(|(out, _)| *out == outdented).map(|(_, place)| place);
        let mut place = carried.unwrap_or(if outdented { self.gap() } else { mark });
        if role != Role::Silent {
            let from = if outdented { place.offset } else { 0 };
            let remarks = self.remarks.as_ref().filter(|remarks| outdented || mark.line <= remarks.end_line + 2);
            match remarks.and_then(|remarks| remarks.block_end(indent, from)) {
                Some(comment) => {
                    place.offset = comment;
                    self.block_end = Some((outdented, place));
                }
                // What belongs to the lexeme behind the block is not taken by its end.
                None if carried.is_none() => place.offset = place.offset.saturating_sub(1),
                None => {}
            }
        }
        self.emit(Event::new(event, mark, mark), role, place);
        Ok(())
    }

    /// The node behind the `- `, `? ` or `: ` that was just passed.
    pub(super) fn value_behind_indicator(&mut self) -> Result<(), Box<SyntaxError>> {
        let behind = self.lexer.cursor.mark();
        self.skip();
        let sign = self.lexer.sign();
        self.block_content(sign, behind)
    }

    /// A node where one is due, or nothing, which is a scalar at `empty`.
    pub(super) fn block_content(&mut self, sign: Sign, empty: Mark) -> Result<(), Box<SyntaxError>> {
        let (kind, expect) = self.frames.last().map_or((None, Expect::Value), |frame| (Some(frame.kind), frame.expect));
        let next = if expect == Expect::Key { Expect::Colon } else { Expect::Entry };
        let column = self.lexer.structure_column(sign);
        let indent = self.lexer.indent;
        let in_mapping = matches!(kind, Some(Kind::Mapping | Kind::Indentless));
        let ends = match sign {
            // The first document may begin with its end, but not be it.
            Sign::DocumentEnd => kind.is_some() || self.explicit,
            _ if sign.ends_document() || column < indent => true,
            _ if column > indent || sign == Sign::Block => false,
            Sign::Entry => kind != Some(Kind::Mapping),
            Sign::Key | Sign::Value => in_mapping,
            _ => in_mapping && sign.begins_node(),
        };
        if ends {
            self.emit_empty(Properties::default(), empty, empty);
            if let Some(frame) = self.frames.last_mut().filter(|frame| frame.kind == Kind::Mapping) {
                frame.entry = self.lexer.cursor.at as u32;
            }
            self.expect(next);
            if next == Expect::Colon && self.is_outdented(indent) {
                self.emit_empty(Properties::default(), empty, empty);
                self.expect(Expect::Entry);
            }
            return Ok(());
        }
        let wrong = column == indent && !matches!(sign, Sign::Entry | Sign::Block);
        if wrong || matches!(sign, Sign::Comma | Sign::Close | Sign::Unknown | Sign::DocumentEnd) {
            let mark = self.lexer.mark(sign);
            return Err(self.refuse(NO_CONTENT, sign, Some((mark, "this node"))));
        }
        self.expect(next);
        if sign.begins_node() {
            return self.node(sign);
        }
        let mark = self.lexer.cursor.mark();
        self.open_block(sign, Properties::default(), mark)
    }

    /// Whether a block whose column is `indent` ends because of where something else begins, and not with the text.
    fn is_outdented(&self, indent: i32) -> bool {
        (self.lexer.cursor.column() as i32) < indent
    }

    /// Where the last lexeme has ended.
    fn gap(&self) -> Mark {
        self.gap.unwrap_or_else(|| self.lexer.cursor.mark())
    }

    /// Where the `- ` is that a block collection begins behind, without properties between.
    pub(super) fn stem(&self, start: &Mark, mark: &Mark) -> Option<u32> {
        let frame = self.frames.last()?;
        (start == mark && matches!(frame.kind, Kind::Sequence | Kind::Indentless)).then_some(frame.entry)
    }

    /// Opens the collection whose first indicator is here. `start` is where its properties begin.
    pub(super) fn open_block(
        &mut self,
        sign: Sign,
        properties: Properties<'a>,
        start: Mark,
    ) -> Result<(), Box<SyntaxError>> {
        if !self.lexer.key_allowed {
            return Err(self.lexer.misplaced(sign));
        }
        let mark = self.lexer.cursor.mark();
        let (kind, event) = match sign {
            Sign::Entry if mark.column as i32 == self.lexer.indent => {
                (Kind::Indentless, EventKind::SequenceStart { flow: false, properties })
            }
            Sign::Entry => (Kind::Sequence, EventKind::SequenceStart { flow: false, properties }),
            _ => (Kind::Mapping, EventKind::MappingStart { flow: false, properties }),
        };
        let role = Role::Block(self.stem(&start, &mark));
        self.emit(Event::new(event, start, start), role, mark);
        self.push_block(kind, Expect::Entry, mark);
        Ok(())
    }
}
