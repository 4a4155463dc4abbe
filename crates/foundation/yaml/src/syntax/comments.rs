//! [`Remarks`]: which comments belong to which event.
//!
//! go-yaml decides in two steps, and both show in what it prints.
//!
//! 1. The comments between two lexemes are cut into *remarks*. Behind a lexeme on its line is a line comment. Of the
//!    lines below, those up to the first empty line are a foot, if they follow the lexeme at once or stand further left
//!    than the block; so are those that end where something further left than the block begins, and the last ones before
//!    a closing bracket. All others are a head of what comes next.
//! 2. A remark has a place in the text, which is that of the lexeme before it or its own. An event takes all remarks up
//!    to the place of the lexeme that it is made of. Ends of blocks take no heads, which wait for what comes next.

use super::cursor::{Cursor, Mark};
use super::event::Event;
use super::lexer::Lexer;
use crate::Comments;
use std::collections::VecDeque;

/// A lexeme, as far as comments behind it care.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    pub(super) kind: LastKind,
    pub(super) start: u32,
    /// The line that it ends on.
    pub(super) line: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LastKind {
    /// `-`, `---`, `...` or nothing: what stands behind it is no line comment.
    #[default]
    Entry,
    /// `:`
    Value,
    /// `,`
    Comma,
    Other,
}

/// How an event takes comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It takes all.
    Node,
    /// It takes none.
    Silent,
    /// A block collection's start takes the head that stood before the `- ` at that offset.
    Block(Option<u32>),
    /// A mapping's end takes what is no head.
    MappingEnd,
    /// A sequence's end, or a value that is missing before an end, takes none and comes before heads.
    SilentEnd,
    /// A document's start without `---` takes the head that an empty line ends.
    Document,
    /// A document's end takes a head for its foot.
    DocumentEnd,
}

/// A comment or several, in a place.
#[derive(Debug)]
struct Remark {
    slot: Slot,
    text: String,
    /// The place.
    at: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Head,
    Line,
    Foot,
}

/// The comments that are read and not yet taken.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    last: Last,
    before_last: Last,
    queue: VecDeque<Remark>,
    head: String,
    line: String,
    foot: String,
    /// The last line of comments that is no line comment.
    pub(super) end_line: u32,
    /// The places and columns of the remarks behind the last lexeme.
    columns: Vec<(u32, u32)>,
}

/// A line that holds nothing but a comment.
#[derive(Clone, Debug)]
struct Line {
    start: Mark,
    end: usize,
    behind: Behind,
}

/// What the next line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    /// It begins with something in that column.
    Column(u32),
    /// It is empty, or one after it is the next that is not.
    Empty(Option<u32>),
    /// There is none.
    End,
}

impl Remarks {
    /// A lexeme has been read.
    pub(super) fn passed(&mut self, kind: LastKind, start: Mark, line: u32) {
        self.columns.clear();
        self.before_last = self.last;
        self.last = Last { kind, start: start.offset, line };
    }

    /// A line comment of the lexeme that begins at `start`.
    pub(super) fn line(&mut self, start: Mark, text: &str) {
        self.queue.push_back(Remark { slot: Slot::Line, text: text.to_owned(), at: start.offset });
    }

    /// Passes over blanks, line breaks and comments; gives where they begin, a line comment left out.
    pub(super) fn skip(&mut self, lexer: &mut Lexer<'_>) -> Mark {
        if lexer.cursor.line() == self.last.line && self.last.kind != LastKind::Entry {
            self.line_comment(lexer);
        }
        let begin = lexer.cursor.mark();
        while !lexer.skip_to_comment() {
            self.lines(lexer, begin);
        }
        begin
    }

    fn line_comment(&mut self, lexer: &mut Lexer<'_>) {
        let cursor = &mut lexer.cursor;
        let from = cursor.at;
        cursor.pass_blanks();
        if cursor.byte() != b'#' {
            cursor.at = from;
            return;
        }
        let start = cursor.at;
        cursor.pass_line();
        let owner = match self.last.kind {
            LastKind::Value if lexer.flow == 0 => self.before_last,
            LastKind::Comma if lexer.flow > 0 => self.before_last,
            _ => self.last,
        };
        let text = cursor.slice(start..cursor.at).to_owned();
        self.queue.push_back(Remark { slot: Slot::Line, text, at: owner.start });
    }

    /// Reads the comment lines that begin here and cuts them into remarks. `begin` is where the gap begins.
    fn lines(&mut self, lexer: &mut Lexer<'_>, begin: Mark) {
        let owner = if self.last.kind == LastKind::Comma { self.before_last } else { self.last };
        let flow = lexer.flow > 0;
        let here = lexer.cursor.mark();
        let lines = read_lines(&mut lexer.cursor);
        let before_bracket = flow && matches!(lexer.cursor.clone().peek_behind_blanks(), b']' | b'}');
        lexer.key_allowed |= !flow && lexer.cursor.line() != here.line;
        self.end_line = lines.last().map_or(self.end_line, |line| line.start.line);

        let indent = lexer.indent.max(0) as u32;
        let below = here.line.saturating_sub(self.last.line);
        // On the text's first line go-yaml does not look for a foot, and behind a `:` there is none.
        let feet = begin.line > 0 && self.last.kind != LastKind::Value && !(below == 0 && here.column > 1);
        let foot_line = feet.then_some(self.last.line + 1);
        let mut no_empty_line = below <= 1;
        let mut place = owner.start;
        let mut first = 0;
        for (index, line) in lines.iter().enumerate() {
            let start = lines[first].start;
            let dedented = start.column < indent;
            let last = index + 1 == lines.len();
            let ended = no_empty_line && !matches!(line.behind, Behind::Column(_));
            let of_lexeme = ended && (dedented || foot_line == Some(start.line)) || last && before_bracket;
            let of_block = match line.behind {
                Behind::Column(column) | Behind::Empty(Some(column)) => column < indent && column != start.column,
                Behind::Empty(None) | Behind::End => false,
            };
            no_empty_line &= matches!(line.behind, Behind::Column(_));
            if of_lexeme || of_block || last {
                let slot = if of_lexeme || of_block { Slot::Foot } else { Slot::Head };
                // What stands further left than the block belongs to nothing before it.
                let own = slot == Slot::Head || of_lexeme && dedented;
                let at = if own { start.offset } else { place };
                let open_end = !of_lexeme || last && before_bracket && !ended;
                self.push(slot, at, &lexer.cursor, &lines[first..=index], open_end);
                first = index + 1;
                place = line.end as u32 + 1;
            }
        }
    }

    /// Joins lines; an empty line between two, or behind the last where the remark has an open end, leaves a mark.
    fn push(&mut self, slot: Slot, at: u32, cursor: &Cursor<'_>, lines: &[Line], open_end: bool) {
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            text.push_str(cursor.slice(line.start.offset as usize..line.end));
            let last = index + 1 == lines.len();
            if matches!(line.behind, Behind::Empty(_)) && (open_end || !last) {
                text.push('\n');
            }
        }
        if let Some(line) = lines.first() {
            self.columns.push((line.start.offset, line.start.column));
        }
        self.queue.push_back(Remark { slot, text, at });
    }

    /// Where the end of a block is whose column is `indent`, if what follows is further left: at the first comment in
    /// that column from `place` on, which is where the end of the block within it is.
    pub(super) fn block_end(&self, indent: i32, place: u32) -> Option<u32> {
        let found = self.columns.iter().find(|(at, column)| *at >= place && *column as i32 == indent);
        found.map(|(at, _)| *at)
    }

    /// Gives an event its comments; `place` is where the lexeme begins that it is made of.
    pub(super) fn assign(&mut self, event: &mut Event<'_>, role: Role, place: u32) {
        match role {
            Role::Silent => self.gather(place, false),
            Role::Node => {
                self.gather(place, false);
                event.comments = self.take();
            }
            Role::Block(entry) => {
                let Some(entry) = entry else { return };
                self.gather(entry, false);
                let stem = self.head.len();
                self.gather(place, false);
                if stem > 0 {
                    let rest = self.head.split_off(stem);
                    let head = std::mem::replace(&mut self.head, rest.strip_prefix('\n').unwrap_or(&rest).to_owned());
                    event.comments = Some(Box::new(Comments { head: head.into(), ..Comments::default() }));
                }
            }
            Role::SilentEnd => self.gather(place, true),
            Role::MappingEnd => {
                self.gather(place, true);
                event.comments = self.take();
            }
            Role::Document => {
                self.gather(place, false);
                let head = self.document_head();
                if !head.is_empty() {
                    event.comments = Some(Box::new(Comments { head: head.into(), ..Comments::default() }));
                }
            }
            Role::DocumentEnd => {
                self.gather(place, false);
                event.comments = self.take();
                if let Some(comments) = &mut event.comments
                    && comments.foot.is_empty()
                {
                    comments.foot = std::mem::take(&mut comments.head);
                }
            }
        }
    }

    fn gather(&mut self, place: u32, end: bool) {
        while let Some(remark) = self.queue.front()
            && remark.at <= place
            && !(end && remark.slot == Slot::Head)
        {
            let into = match remark.slot {
                Slot::Head => &mut self.head,
                Slot::Line => &mut self.line,
                Slot::Foot => &mut self.foot,
            };
            if !into.is_empty() {
                into.push('\n');
            }
            into.push_str(&remark.text);
            self.queue.pop_front();
        }
    }

    fn take(&mut self) -> Option<Box<Comments>> {
        if self.head.is_empty() && self.line.is_empty() && self.foot.is_empty() {
            return None;
        }
        let text = |from: &mut String| Box::from(std::mem::take(from));
        Some(Box::new(Comments { head: text(&mut self.head), line: text(&mut self.line), foot: text(&mut self.foot) }))
    }

    /// The part of the head before its last empty line.
    fn document_head(&mut self) -> String {
        if self.head.ends_with('\n') {
            self.head.pop();
            return std::mem::take(&mut self.head);
        }
        match self.head.rfind("\n\n") {
            Some(at) => {
                let rest = self.head.split_off(at + 2);
                self.head.truncate(at);
                std::mem::replace(&mut self.head, rest)
            }
            None => String::new(),
        }
    }
}

/// Reads lines that hold nothing but comments, and empty ones between them and behind. Leaves the cursor at the start
/// of the first other line.
fn read_lines(cursor: &mut Cursor<'_>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    loop {
        let line_start = cursor.clone();
        cursor.pass_blanks();
        let column = cursor.column() as u32;
        let at_end = cursor.is_at_end();
        let empty = !at_end && cursor.break_at(cursor.at) > 0;
        if let Some(Line { behind, .. }) = lines.last_mut() {
            *behind = match *behind {
                Behind::End if empty => Behind::Empty(None),
                Behind::End if !at_end => Behind::Column(column),
                Behind::Empty(None) if !empty && !at_end => Behind::Empty(Some(column)),
                known => known,
            };
        }
        if empty {
            cursor.pass_break();
        } else if cursor.byte() == b'#' {
            let start = cursor.mark();
            cursor.pass_line();
            // go-yaml takes a carriage return and its line feed for two breaks here: for an empty line.
            let doubled =
                cursor.byte() == b'\r' && cursor.break_at(cursor.at) == 2 && cursor.at + 2 < cursor.text.len();
            let behind = if doubled { Behind::Empty(None) } else { Behind::End };
            lines.push(Line { start, end: cursor.at, behind });
            cursor.pass_break();
        } else {
            *cursor = line_start;
            return lines;
        }
    }
}
