//! Plain scalars.

use super::cursor::{Cursor, Mark, is_blank};
use super::error::SyntaxError;
use super::fold::Fold;
use std::borrow::Cow;

/// A scalar's text and where it ends.
pub(super) struct Text<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) end: Mark,
}

/// Reads a plain scalar, of which the cursor stands on the first character. Its lines must be further right than
/// `indent` unless it stands in brackets. Leaves the cursor at what comes next, blanks and empty lines passed over.
pub(super) fn plain<'a>(cursor: &mut Cursor<'a>, flow: bool, indent: i32) -> Result<Text<'a>, Box<SyntaxError>> {
    let start = cursor.mark();
    let mut folded: Option<String> = None;
    let mut end = start;
    let mut fold = Fold::default();
    loop {
        let from = cursor.at;
        let stop = one_line(cursor, flow);
        if stop > from {
            let piece = cursor.slice(from..stop);
            if let Some(text) = &mut folded {
                fold.write(text);
                text.push_str(piece);
            } else if from > start.offset as usize {
                let mut text = String::with_capacity(stop - start.offset as usize);
                text.push_str(cursor.slice(start.offset as usize..end.offset as usize));
                fold.write(&mut text);
                text.push_str(piece);
                folded = Some(text);
            }
            let behind = cursor.at;
            cursor.at = stop;
            end = cursor.mark();
            cursor.at = behind;
        }
        if stop == from || !pass_breaks(cursor, &mut fold, indent, start)? {
            break;
        }
        let outside = !flow && cursor.column() as i32 <= indent;
        if outside || cursor.is_at_end() || cursor.byte() == b'#' || cursor.is_at_document_mark() {
            break;
        }
    }
    let text = match folded {
        Some(text) => Cow::Owned(text),
        None => Cow::Borrowed(cursor.slice(start.offset as usize..end.offset as usize)),
    };
    Ok(Text { text, end })
}

/// Goes to the end of what the line has of the scalar and over the blanks behind it; gives where the blanks begin.
fn one_line(cursor: &mut Cursor<'_>, flow: bool) -> usize {
    loop {
        cursor.pass_plain(flow);
        match cursor.byte() {
            b':' if !cursor.is_parted_at(cursor.at + 1) => cursor.at += 1,
            byte if is_blank(byte) => {
                let stop = cursor.at;
                cursor.pass_blanks();
                if cursor.byte() == b'#' || cursor.is_parted_at(cursor.at) {
                    return stop;
                }
                let ends = match cursor.byte() {
                    b':' => cursor.is_parted_at(cursor.at + 1),
                    b',' | b'[' | b']' | b'{' | b'}' | b'?' => flow,
                    _ => false,
                };
                if ends {
                    return stop;
                }
            }
            0xC2 | 0xE2 if cursor.break_at(cursor.at) == 0 => cursor.at += 2,
            _ => return cursor.at,
        }
    }
}

/// Passes over line breaks and the blanks that begin lines; false if there is no break here.
fn pass_breaks(cursor: &mut Cursor<'_>, fold: &mut Fold, indent: i32, start: Mark) -> Result<bool, Box<SyntaxError>> {
    *fold = Fold::default();
    let mut any = false;
    while let Some(line_break) = cursor.pass_break() {
        any = true;
        fold.add(line_break);
        loop {
            cursor.pass_spaces();
            if cursor.byte() != b'\t' {
                break;
            }
            if cursor.column() as i32 <= indent {
                let problem = "found a tab character that violates indentation";
                return Err(SyntaxError::lexeme(problem, cursor.mark(), start, "this scalar"));
            }
            cursor.at += 1;
        }
    }
    Ok(any)
}
