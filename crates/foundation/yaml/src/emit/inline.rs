//! Plain and quoted scalars.

use super::page::{Ending, Page};
use super::shape::{is_break, is_printable};

/// How the lines of a scalar run.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    /// Where those behind the first begin.
    pub(super) column: usize,
    /// The column behind which the next word goes to a new line.
    pub(super) width: Option<usize>,
}

/// Writes a text without quotes. It holds no breaks.
pub(super) fn plain(page: &mut Page, text: &str, lines: Lines) {
    if text.is_empty() {
        // The line is no blank one for that.
        let ending = if page.is_blank() { Ending::Bracket } else { Ending::Word };
        return page.touch("", ending);
    }
    page.space();
    fold(page, text, lines);
}

/// Writes words, and instead of single spaces between them line breaks where the line is full.
fn fold(page: &mut Page, text: &str, lines: Lines) {
    let width = match lines.width {
        Some(width) if !page.has_room(text, width) => width,
        _ => return page.push(text),
    };
    let mut used = page.width();
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, _) in text.match_indices(' ') {
        used += text[from..at].chars().count();
        page.push(&text[from..at]);
        let single = (1..bytes.len() - 1).contains(&at) && bytes[at - 1] != b' ' && bytes[at + 1] != b' ';
        if used > width && single {
            page.start_line(lines.column);
            used = lines.column;
        } else {
            page.push(" ");
            used += 1;
        }
        from = at + 1;
    }
    page.push(&text[from..]);
}

/// Writes a text in single quotes.
pub(super) fn single(page: &mut Page, text: &str, lines: Lines) {
    page.word("'");
    let doubled;
    let text = if text.contains('\'') {
        doubled = text.replace('\'', "''");
        &doubled
    } else {
        text
    };
    let mut starts_line = false;
    for line in text.split_inclusive(is_break) {
        let content = line.trim_end_matches(is_break);
        if !content.is_empty() {
            if starts_line {
                page.start_line(lines.column);
            }
            fold(page, content, lines);
            starts_line = false;
        }
        if let Some(line_break) = line[content.len()..].chars().next() {
            // One break alone reads back as a space.
            if !starts_line && line_break == '\n' {
                page.end_line();
            }
            page.break_with(line_break);
            starts_line = true;
        }
    }
    page.push("'");
}

/// Writes a text in double quotes.
pub(super) fn double(page: &mut Page, text: &str, lines: Lines) {
    page.word("\"");
    if text.starts_with('\u{FEFF}') {
        // Behind a byte order mark, go-yaml takes no character for printable.
        for character in text.chars() {
            escape(character, page);
        }
        return page.push("\"");
    }
    let bytes = text.as_bytes();
    let mut from = 0;
    let mut used = if lines.width.is_some() { page.width() } else { 0 };
    for (at, character) in text.char_indices() {
        used += 1;
        if !matches!(character, ' ' | '"' | '\\' | '\n' | '\u{2028}' | '\u{2029}') && is_printable(character) {
            continue;
        }
        if character != ' ' {
            page.push(&text[from..at]);
            used += escape(character, page) - 1;
            from = at + character.len_utf8();
        } else if lines.width.is_some_and(|width| used > width + 1)
            && (1..bytes.len() - 1).contains(&at)
            && bytes[at - 1] != b' '
        {
            page.push(&text[from..at]);
            page.start_line(lines.column);
            used = lines.column;
            if bytes[at + 1] == b' ' {
                // Blanks at a line's start are no part of the text unless the first is escaped.
                page.push("\\");
                used += 1;
            }
            from = at + 1;
        }
    }
    page.push(&text[from..]);
    page.push("\"");
}

/// Writes a character as an escape. Tells how long that is.
fn escape(character: char, page: &mut Page) -> usize {
    let short = match character {
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{B}' => "\\v",
        '\u{C}' => "\\f",
        '\r' => "\\r",
        '\u{1B}' => "\\e",
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{85}' => "\\N",
        '\u{A0}' => "\\_",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        _ => {
            let long = match u32::from(character) {
                code @ 0..=0xFF => format!("\\x{code:02X}"),
                code @ 0x100..=0xFFFF => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
            page.push(&long);
            return long.len();
        }
    };
    page.push(short);
    short.len()
}
