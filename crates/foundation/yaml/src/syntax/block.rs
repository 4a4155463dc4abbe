//! Block scalars: `|` and `>`.

use super::cursor::{Cursor, Mark, is_blank};
use super::error::SyntaxError;
use std::ops::Range;

const WHAT: &str = "this block scalar";

/// A block scalar's text and what stands on its first line.
pub(super) struct Block {
    pub(super) text: String,
    pub(super) end: Mark,
    /// The line that its text ends on.
    pub(super) last_line: u32,
    /// The bytes of the header's comment.
    pub(super) comment: Option<Range<usize>>,
}

/// What is kept of the line breaks at the end.
#[derive(Clone, Copy, PartialEq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

/// Reads the block scalar whose `|` or `>` is here, within a collection that is indented by `indent`. Leaves the cursor
/// in the line that does not belong to it any more.
pub(super) fn block(cursor: &mut Cursor<'_>, indent: i32) -> Result<Block, Box<SyntaxError>> {
    let start = cursor.mark();
    let literal = cursor.byte() == b'|';
    cursor.at += 1;
    let (chomp, hint) = header(cursor, start)?;
    let header_end = cursor.mark();
    cursor.pass_blanks();
    let comment = (cursor.byte() == b'#').then(|| {
        let from = cursor.at;
        cursor.pass_line();
        from..cursor.at
    });
    if !cursor.is_at_end() && cursor.pass_break().is_none() {
        let problem = "did not find expected comment or line break";
        return Err(SyntaxError::lexeme(problem, cursor.mark(), start, WHAT));
    }
    let mut lines = Lines { width: hint.map(|hint| hint + indent.max(0) as usize), breaks: String::new() };
    lines.pass_empty(cursor, start)?;
    let width = *lines.width.get_or_insert_with(|| cursor.column().max(1).max((indent + 1) as usize));
    let mut text = String::new();
    let mut ending = "";
    let mut was_blank = false;
    let mut last_line = start.line;
    while cursor.column() == width && !cursor.is_at_end() {
        let blank = is_blank(cursor.byte());
        if !literal && ending == "\n" && !was_blank && !blank {
            if lines.breaks.is_empty() {
                text.push(' ');
            }
        } else {
            text.push_str(ending);
        }
        text.push_str(&lines.breaks);
        was_blank = blank;
        let from = cursor.at;
        cursor.pass_line();
        text.push_str(cursor.slice(from..cursor.at));
        last_line = cursor.line();
        ending = match cursor.pass_break() {
            Some("\n") => "\n",
            Some("\u{2028}") => "\u{2028}",
            Some(_) => "\u{2029}",
            None => "",
        };
        lines.pass_empty(cursor, start)?;
    }
    if chomp != Chomp::Strip {
        text.push_str(ending);
    }
    if chomp == Chomp::Keep {
        text.push_str(&lines.breaks);
    }
    Ok(Block { text, end: header_end, last_line, comment })
}

/// Reads `+`, `-` and the digit that says how far the text is indented, in either order.
fn header(cursor: &mut Cursor<'_>, start: Mark) -> Result<(Chomp, Option<usize>), Box<SyntaxError>> {
    let mut chomp = None;
    let mut hint = None;
    loop {
        match cursor.byte() {
            b'+' if chomp.is_none() => chomp = Some(Chomp::Keep),
            b'-' if chomp.is_none() => chomp = Some(Chomp::Strip),
            b'0' if hint.is_none() => {
                let problem = "found an indentation indicator equal to 0";
                return Err(SyntaxError::lexeme(problem, cursor.mark(), start, WHAT));
            }
            digit @ b'1'..=b'9' if hint.is_none() => hint = Some((digit - b'0') as usize),
            _ => return Ok((chomp.unwrap_or(Chomp::Clip), hint)),
        }
        cursor.at += 1;
    }
}

/// The lines between lines with text.
struct Lines {
    /// How far the text is indented, once that is known.
    width: Option<usize>,
    /// The breaks of empty lines.
    breaks: String,
}

impl Lines {
    /// Passes over empty lines and the text's indentation. While that is unknown, an empty line that is longer counts
    /// for it: the cursor stands where the text's column would be, or further left.
    fn pass_empty(&mut self, cursor: &mut Cursor<'_>, start: Mark) -> Result<(), Box<SyntaxError>> {
        self.breaks.clear();
        let mut widest = 0;
        loop {
            match self.width {
                Some(width) => {
                    while cursor.column() < width && cursor.byte() == b' ' {
                        cursor.at += 1;
                    }
                }
                None => cursor.pass_spaces(),
            }
            widest = widest.max(cursor.column());
            if cursor.byte() == b'\t' && self.width.is_none_or(|width| cursor.column() < width) {
                let problem = "found a tab character where an indentation space is expected";
                return Err(SyntaxError::lexeme(problem, cursor.mark(), start, WHAT));
            }
            match cursor.pass_break() {
                Some(line_break) => self.breaks.push_str(line_break),
                None => break,
            }
        }
        if self.width.is_none() && widest > cursor.column() {
            self.width = Some(widest);
        }
        Ok(())
    }
}
