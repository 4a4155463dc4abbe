//! Plain and quoted scalars.

use super::page::{Ending, Page};
use super::shape::is_printable;
use std::fmt::Write;

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
    let Some(width) = lines.width else { return page.push(text) };
    let mut used = page.width();
    if used + text.len() <= width {
        return page.push(text);
    }
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, _) in text.match_indices(' ') {
        if at < from {
            continue;
        }
        used += text[from..at].chars().count();
        page.push(&text[from..at]);
        let inside = at > 0 && at + 1 < bytes.len();
        let single = bytes.get(at + 1) != Some(&b' ') && at.checked_sub(1).map(|before| bytes[before]) != Some(b' ');
        if used > width && inside && single {
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
    let is_break = |character| matches!(character, '\n' | '\u{2028}' | '\u{2029}');
    let mut breaks = 0;
    for line in text.split_inclusive(is_break) {
        let content = line.trim_end_matches(is_break);
        if !content.is_empty() {
            if breaks > 0 {
                page.start_line(lines.column);
            }
            fold(page, content, lines);
            breaks = 0;
        }
        if let Some(line_break) = line[content.len()..].chars().next() {
            if breaks == 0 && line_break == '\n' {
                page.end_line();
            }
            page.break_with(line_break);
            breaks += 1;
        }
    }
    page.push("'");
}

/// Writes a text in double quotes.
pub(super) fn double(page: &mut Page, text: &str, lines: Lines) {
    page.word("\"");
    let mut escaped = String::new();
    let bom = text.starts_with('\u{FEFF}');
    let mut used = lines.width.map_or(0, |_| page.width());
    let mut from = 0;
    for (at, character) in text.char_indices() {
        if character == ' ' && let Some(width) = lines.width {
            let inside = at > 0 && at + 1 < text.len();
            if used > width && inside {
                page.push(&text[from..at]);
                page.start_line(lines.column);
                used = lines.column;
                if text.as_bytes().get(at + 1) == Some(&b' ') {
                    page.push("\\");
                    used += 1;
                }
                from = at + 1;
                continue;
            }
        }
        if is_printable(character) && !matches!(character, '"' | '\\' | '\n' | '\u{2028}' | '\u{2029}') && !bom {
            used += 1;
            continue;
        }
        page.push(&text[from..at]);
        from = at + character.len_utf8();
        escaped.clear();
        escape(character, &mut escaped);
        page.push(&escaped);
        used += escaped.len();
    }
    page.push(&text[from..]);
    page.push("\"");
}

fn escape(character: char, into: &mut String) {
    let short = match character {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{B}' => 'v',
        '\u{C}' => 'f',
        '\r' => 'r',
        '\u{1B}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{A0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(character);
            let _ = match code {
                0..=0xFF => write!(into, "\\x{code:02X}"),
                0x100..=0xFFFF => write!(into, "\\u{code:04X}"),
                _ => write!(into, "\\U{code:08X}"),
            };
            return;
        }
    };
    into.push('\\');
    into.push(short);
}
