//! Anchors, tags and directives.

use super::cursor::{Cursor, Mark, is_uri, is_word};
use super::error::SyntaxError;

/// Reads the name behind the `&` or `*` here.
pub(super) fn name<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Box<SyntaxError>> {
    let start = cursor.mark();
    let what = if cursor.byte() == b'*' { "this alias" } else { "this anchor" };
    cursor.at += 1;
    let from = cursor.at;
    pass_word(cursor);
    let follows = matches!(cursor.byte(), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
    if cursor.at == from || !follows && !cursor.is_parted_at(cursor.at) {
        let problem = "did not find expected alphabetic or numeric character";
        return Err(SyntaxError::lexeme(problem, cursor.mark(), start, what));
    }
    Ok(cursor.slice(from..cursor.at))
}

fn pass_word(cursor: &mut Cursor<'_>) {
    while is_word(cursor.byte()) {
        cursor.at += 1;
    }
}

/// A tag as it is written: a handle to be replaced, if there is one, and what follows it.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) handle: String,
    pub(super) suffix: String,
}

/// Reads the tag whose `!` is here.
pub(super) fn tag(cursor: &mut Cursor<'_>) -> Result<Tag, Box<SyntaxError>> {
    const WHAT: &str = "this tag";
    let start = cursor.mark();
    let tag = if cursor.byte_at(cursor.at + 1) == b'<' {
        cursor.at += 2;
        let suffix = uri(cursor, "", start, WHAT)?;
        if cursor.byte() != b'>' {
            return Err(SyntaxError::lexeme("did not find the expected '>'", cursor.mark(), start, WHAT));
        }
        cursor.at += 1;
        Tag { handle: String::new(), suffix }
    } else {
        let from = cursor.at;
        cursor.at += 1;
        pass_word(cursor);
        if cursor.byte() == b'!' {
            cursor.at += 1;
            let handle = cursor.slice(from..cursor.at).to_owned();
            Tag { handle, suffix: uri(cursor, "", start, WHAT)? }
        } else {
            cursor.at = from + 1;
            let written = cursor.slice(from + 1..cursor.at);
            let suffix = if is_uri(cursor.byte()) { uri(cursor, written, start, WHAT)? } else { String::new() };
            if suffix.is_empty() {
                // A lone `!` is a tag of its own.
                Tag { handle: String::new(), suffix: "!".to_owned() }
            } else {
                Tag { handle: "!".to_owned(), suffix }
            }
        }
    };
    if !cursor.is_parted_at(cursor.at) {
        let problem = "did not find expected whitespace or line break";
        return Err(SyntaxError::lexeme(problem, cursor.mark(), start, WHAT));
    }
    Ok(tag)
}

/// Reads what may stand in a tag, `%` with two digits being a byte.
fn uri(cursor: &mut Cursor<'_>, before: &str, start: Mark, what: &'static str) -> Result<String, Box<SyntaxError>> {
    let mut text = before.to_owned();
    let from = cursor.at;
    while is_uri(cursor.byte()) {
        if cursor.byte() == b'%' {
            text.push(uri_escape(cursor, start, what)?);
        } else {
            text.push(cursor.byte() as char);
            cursor.at += 1;
        }
    }
    if cursor.at == from && before.is_empty() {
        return Err(SyntaxError::lexeme("did not find expected tag URI", cursor.mark(), start, what));
    }
    Ok(text)
}

/// Reads `%C3%A9`: as many escapes as the character has bytes.
fn uri_escape(cursor: &mut Cursor<'_>, start: Mark, what: &'static str) -> Result<char, Box<SyntaxError>> {
    let refuse = |problem, cursor: &Cursor<'_>| Err(SyntaxError::lexeme(problem, cursor.mark(), start, what));
    let mut bytes = [0; 4];
    let mut width = 0;
    let mut count = 0;
    loop {
        let digit = |at: usize| (cursor.byte_at(at) as char).to_digit(16);
        let (Some(high), Some(low)) = (digit(cursor.at + 1), digit(cursor.at + 2)) else {
            return refuse("did not find URI escaped octet", cursor);
        };
        if cursor.byte() != b'%' {
            return refuse("did not find URI escaped octet", cursor);
        }
        let byte = (high << 4 | low) as u8;
        if count == 0 {
            width = match byte {
                0..=0x7F => 1,
                0xC0..=0xDF => 2,
                0xE0..=0xEF => 3,
                0xF0..=0xF7 => 4,
                _ => return refuse("found an incorrect leading UTF-8 octet", cursor),
            };
        } else if byte & 0xC0 != 0x80 {
            return refuse("found an incorrect trailing UTF-8 octet", cursor);
        }
        bytes[count] = byte;
        count += 1;
        cursor.at += 3;
        if count == width {
            // Bytes that are no character, such as a surrogate's, have none to stand for them.
            let character = std::str::from_utf8(&bytes[..width]).ok().and_then(|text| text.chars().next());
            return Ok(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
}

/// A line that begins with `%`.
#[derive(Debug)]
pub(super) enum Directive {
    /// `%YAML 1.1`
    Version(u32, u32),
    /// `%TAG !handle! prefix`
    Tag(Tag),
}

/// Reads the directive whose `%` is here, with its line break, behind which no key may begin yet.
pub(super) fn directive(cursor: &mut Cursor<'_>) -> Result<Directive, Box<SyntaxError>> {
    const WHAT: &str = "this directive";
    let start = cursor.mark();
    let refuse = |problem, cursor: &Cursor<'_>| Err(SyntaxError::lexeme(problem, cursor.mark(), start, WHAT));
    cursor.at += 1;
    let from = cursor.at;
    pass_word(cursor);
    let name = cursor.slice(from..cursor.at);
    if name.is_empty() {
        return refuse("could not find expected directive name", cursor);
    }
    if !cursor.is_parted_at(cursor.at) {
        return refuse("found unexpected non-alphabetical character", cursor);
    }
    let directive = match name {
        "YAML" => {
            cursor.pass_blanks();
            let major = version_number(cursor, start)?;
            if cursor.byte() != b'.' {
                return refuse("did not find expected digit or '.' character", cursor);
            }
            cursor.at += 1;
            Directive::Version(major, version_number(cursor, start)?)
        }
        "TAG" => {
            cursor.pass_blanks();
            let from = cursor.at;
            if cursor.byte() != b'!' {
                return refuse("did not find expected '!'", cursor);
            }
            cursor.at += 1;
            pass_word(cursor);
            if cursor.byte() == b'!' {
                cursor.at += 1;
            } else if cursor.at != from + 1 {
                return refuse("did not find expected '!'", cursor);
            }
            let handle = cursor.slice(from..cursor.at).to_owned();
            if !matches!(cursor.byte(), b' ' | b'\t') {
                return refuse("did not find expected whitespace", cursor);
            }
            cursor.pass_blanks();
            let suffix = uri(cursor, "", start, WHAT)?;
            if !cursor.is_parted_at(cursor.at) {
                return refuse("did not find expected whitespace or line break", cursor);
            }
            Directive::Tag(Tag { handle, suffix })
        }
        _ => return refuse("found unknown directive name", cursor),
    };
    cursor.pass_blanks();
    if cursor.byte() == b'#' {
        cursor.pass_line();
    }
    if !cursor.is_at_end() && cursor.break_at(cursor.at) == 0 {
        return refuse("did not find expected comment or line break", cursor);
    }
    cursor.pass_break();
    Ok(directive)
}

fn version_number(cursor: &mut Cursor<'_>, start: Mark) -> Result<u32, Box<SyntaxError>> {
    const LONGEST: usize = 9;
    let from = cursor.at;
    let mut number = 0;
    while let Some(digit) = (cursor.byte() as char).to_digit(10) {
        if cursor.at - from == LONGEST {
            let problem = "found extremely long version number";
            return Err(SyntaxError::lexeme(problem, cursor.mark(), start, "this directive"));
        }
        number = number * 10 + digit;
        cursor.at += 1;
    }
    if cursor.at == from {
        let problem = "did not find expected version number";
        return Err(SyntaxError::lexeme(problem, cursor.mark(), start, "this directive"));
    }
    Ok(number)
}
