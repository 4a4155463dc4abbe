//! Scalars in quotes.

use super::cursor::{Cursor, Mark, is_blank};
use super::error::SyntaxError;
use super::fold::Fold;
use super::plain::Text;
use std::borrow::Cow;

const WHAT: &str = "this quoted scalar";

/// Reads the quoted scalar that begins here.
pub(super) fn quoted<'a>(cursor: &mut Cursor<'a>) -> Result<Text<'a>, Box<SyntaxError>> {
    let start = cursor.mark();
    let quote = cursor.byte();
    cursor.at += 1;
    let from = cursor.at;
    // Nearly always nothing in it needs a second look.
    let special = if quote == b'"' { b'\\' } else { b'\'' };
    let rest = &cursor.text.as_bytes()[from..];
    let ends = |byte: &u8| *byte == quote || *byte == special || matches!(byte, b'\n' | b'\r' | 0xC2 | 0xE2);
    let stop = from + rest.iter().position(ends).unwrap_or(rest.len());
    cursor.at = stop;
    if cursor.byte() == quote && cursor.byte_at(stop + 1) != special {
        cursor.at += 1;
        return Ok(Text { text: Cow::Borrowed(cursor.slice(from..stop)), end: cursor.mark() });
    }
    if cursor.byte() == quote && quote == b'"' {
        cursor.at += 1;
        return Ok(Text { text: Cow::Borrowed(cursor.slice(from..stop)), end: cursor.mark() });
    }
    let mut text = String::new();
    cursor.at = from;
    loop {
        let stop = one_line(cursor, quote, start, &mut text)?;
        if cursor.byte() == quote {
            text.push_str(cursor.slice(stop..cursor.at));
            cursor.at += 1;
            return Ok(Text { text: Cow::Owned(text), end: cursor.mark() });
        }
        // A backslash stands at the line's end: nothing folds.
        let escaped = cursor.byte() == b'\\';
        if escaped {
            cursor.at += 1;
            text.push_str(cursor.slice(stop..cursor.at - 1));
        }
        pass_breaks(cursor, escaped, &mut text, start)?;
    }
}

/// Reads up to the closing quote, the line's end or a backslash before it; gives where the blanks before that begin.
fn one_line(
    cursor: &mut Cursor<'_>,
    quote: u8,
    start: Mark,
    text: &mut String,
) -> Result<usize, Box<SyntaxError>> {
    let mut from = cursor.at;
    let mut blanks = None;
    loop {
        let byte = cursor.byte();
        if is_blank(byte) {
            blanks.get_or_insert(cursor.at);
            cursor.at += 1;
            continue;
        }
        let doubled = quote == b'\'' && byte == quote && cursor.byte_at(cursor.at + 1) == quote;
        let escape = quote == b'"' && byte == b'\\';
        let end = cursor.is_at_end();
        if end || byte == quote && !doubled || escape && cursor.break_at(cursor.at + 1) > 0 || cursor.break_at(cursor.at) > 0 {
            if end {
                return Err(unfinished(cursor, start));
            }
            let stop = blanks.unwrap_or(cursor.at);
            text.push_str(cursor.slice(from..stop));
            return Ok(stop);
        }
        blanks = None;
        if doubled || escape {
            text.push_str(cursor.slice(from..cursor.at));
            if doubled {
                text.push('\'');
                cursor.at += 2;
            } else {
                text.push(escaped(cursor, start)?);
            }
            from = cursor.at;
        } else {
            cursor.at += 1;
        }
    }
}

fn unfinished(cursor: &Cursor<'_>, start: Mark) -> Box<SyntaxError> {
    SyntaxError::lexeme("found unexpected end of stream", cursor.mark(), start, WHAT)
}

/// Folds line breaks and passes over the blanks around them.
fn pass_breaks(
    cursor: &mut Cursor<'_>,
    escaped: bool,
    text: &mut String,
    start: Mark,
) -> Result<(), Box<SyntaxError>> {
    let mut fold = Fold::default();
    if escaped {
        cursor.pass_break();
    }
    loop {
        if cursor.is_at_document_mark() {
            let problem = "found unexpected document indicator";
            return Err(SyntaxError::lexeme(problem, cursor.mark(), start, WHAT));
        }
        cursor.pass_blanks();
        match cursor.pass_break() {
            Some(line_break) if escaped => fold.add_kept(line_break),
            Some(line_break) => fold.add(line_break),
            None => break,
        }
    }
    fold.write(text);
    Ok(())
}

/// What the escape here stands for.
fn escaped(cursor: &mut Cursor<'_>, start: Mark) -> Result<char, Box<SyntaxError>> {
    let digits = match cursor.byte_at(cursor.at + 1) {
        b'x' => 2,
        b'u' => 4,
        b'U' => 8,
        name => {
            let character = simple_escape(name)
                .ok_or_else(|| SyntaxError::lexeme("found unknown escape character", cursor.mark(), start, WHAT))?;
            cursor.at += 2;
            return Ok(character);
        }
    };
    let mark = cursor.mark();
    cursor.at += 2;
    let mut code = 0;
    for ahead in 0..digits {
        let digit = (cursor.byte_at(cursor.at + ahead) as char).to_digit(16);
        let problem = "did not find expected hexdecimal number";
        let digit = digit.ok_or_else(|| SyntaxError::lexeme(problem, cursor.mark(), start, WHAT))?;
        code = code << 4 | digit;
    }
    let problem = "found invalid Unicode character escape code";
    let character = char::from_u32(code).ok_or_else(|| SyntaxError::lexeme(problem, mark, start, WHAT))?;
    cursor.at += digits;
    Ok(character)
}

fn simple_escape(name: u8) -> Option<char> {
    Some(match name {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0B',
        b'f' => '\x0C',
        b'r' => '\r',
        b'e' => '\x1B',
        b' ' | b'"' | b'\'' | b'/' | b'\\' => name as char,
        b'N' => '\u{85}',
        b'_' => '\u{A0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
