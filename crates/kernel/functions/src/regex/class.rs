//! Character classes and escapes of Go's regular expressions.

use super::syntax::SyntaxError;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

type Read<T> = Result<T, SyntaxError>;

/// Reads `[…]` off `rest`, which begins with the bracket.
pub(super) fn read(rest: &mut &str, fold: bool) -> Read<ClassUnicode> {
    let whole = *rest;
    let mut text = &whole[1..];
    let negated = text.strip_prefix('^').map(|after| text = after).is_some();
    let mut class = ClassUnicode::empty();
    let mut first = true;
    while first || !text.starts_with(']') {
        first = false;
        if let Some(named) = read_named(&mut text)? {
            class.union(&folded(named, fold));
            continue;
        }
        if let Some(escaped) = read_escape(&mut text, fold)? {
            class.union(&escaped);
            continue;
        }
        let start = text;
        let low = read_class_char(&mut text, whole)?;
        let mut high = low;
        if text.len() >= 2 && text.starts_with('-') && !text.starts_with("-]") {
            text = &text[1..];
            high = read_class_char(&mut text, whole)?;
            if high < low {
                let range = &start[..start.len() - text.len()];
                return Err(SyntaxError("invalid character class range", range.to_owned()));
            }
        }
        class.union(&folded(ClassUnicode::new([ClassUnicodeRange::new(low, high)]), fold));
    }
    *rest = &text[1..];
    if negated {
        class.negate();
    }
    Ok(class)
}

fn read_class_char(text: &mut &str, whole: &str) -> Read<char> {
    match text.chars().next() {
        None => Err(SyntaxError("missing closing ]", whole.to_owned())),
        Some('\\') => read_char_escape(text),
        Some(c) => {
            *text = &text[c.len_utf8()..];
            Ok(c)
        }
    }
}

/// Reads `[:alnum:]` or `[:^alnum:]`.
fn read_named(text: &mut &str) -> Read<Option<ClassUnicode>> {
    let Some(after) = text.strip_prefix("[:") else { return Ok(None) };
    let Some(end) = after.find(":]") else { return Ok(None) };
    let name = &after[..end];
    let (negated, plain) = name.strip_prefix('^').map_or((false, name), |plain| (true, plain));
    let ranges: &[(char, char)] = match plain {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => {
            let named = &text[..name.len() + 4];
            return Err(SyntaxError("invalid character class range", named.to_owned()));
        }
    };
    *text = &after[end + 2..];
    Ok(Some(from_ranges(ranges, negated)))
}

/// Reads a class that is written as an escape, `\d` or `\pL`; `None` where the text is no such class.
pub(super) fn read_escape(text: &mut &str, fold: bool) -> Read<Option<ClassUnicode>> {
    let Some(letter) = text.strip_prefix('\\').and_then(|after| after.chars().next()) else { return Ok(None) };
    let ranges: &[(char, char)] = match letter.to_ascii_lowercase() {
        'd' => &[('0', '9')],
        's' => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
        'w' => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        'p' => return read_property(text, fold).map(Some),
        _ => return Ok(None),
    };
    *text = &text[2..];
    let mut class = folded(from_ranges(ranges, false), fold);
    if letter.is_ascii_uppercase() {
        class.negate();
    }
    Ok(Some(class))
}

/// Reads `\pL`, `\p{Greek}` or `\P{^Greek}`.
fn read_property(text: &mut &str, fold: bool) -> Read<ClassUnicode> {
    let whole = *text;
    let fault = |part: &str| SyntaxError("invalid character class range", part.to_owned());
    let mut negated = whole.starts_with("\\P");
    let Some(first) = whole[2..].chars().next() else {
        return Err(fault(whole));
    };
    let (sequence, name) = if first == '{' {
        let end = whole.find('}').ok_or_else(|| fault(whole))?;
        (&whole[..=end], &whole[3..end])
    } else {
        let sequence = &whole[..2 + first.len_utf8()];
        (sequence, &sequence[2..])
    };
    *text = &whole[sequence.len()..];
    let name = match name.strip_prefix('^') {
        Some(name) => {
            negated = !negated;
            name
        }
        None => name,
    };
    let mut class = folded(property(name).ok_or_else(|| fault(sequence))?, fold);
    if negated {
        class.negate();
    }
    Ok(class)
}

/// The general category or script `name`.
fn property(name: &str) -> Option<ClassUnicode> {
    let canonical: String = name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
    if canonical.is_empty() || !canonical.chars().all(|c| c.is_ascii_alphanumeric() || c == '&') {
        return None;
    }
    let hir = regex_syntax::parse(&format!("\\p{{{canonical}}}")).ok()?;
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}

/// Reads an escape that stands for one character.
pub(super) fn read_char_escape(text: &mut &str) -> Read<char> {
    let start = *text;
    let mut rest = &start[1..];
    let Some(c) = take(&mut rest) else {
        return Err(SyntaxError("trailing backslash at end of expression", String::new()));
    };
    let value = match c {
        'a' => Some(0x07),
        'f' => Some(0x0c),
        'n' => Some(0x0a),
        'r' => Some(0x0d),
        't' => Some(0x09),
        'v' => Some(0x0b),
        'x' => read_hex(&mut rest),
        '0' => Some(read_octal(0, &mut rest)),
        // A single digit would be a reference back, which there is not.
        '1'..='7' if rest.starts_with(|c| ('0'..='7').contains(&c)) => Some(read_octal(u32::from(c) - 48, &mut rest)),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
        _ => None,
    };
    // Go takes a surrogate for a character, but no valid text has one.
    match value.and_then(char::from_u32) {
        Some(c) => {
            *text = rest;
            Ok(c)
        }
        None => Err(SyntaxError("invalid escape sequence", start[..start.len() - rest.len()].to_owned())),
    }
}

fn take(rest: &mut &str) -> Option<char> {
    let c = rest.chars().next()?;
    *rest = &rest[c.len_utf8()..];
    Some(c)
}

/// Up to two digits more.
fn read_octal(mut value: u32, rest: &mut &str) -> u32 {
    for _ in 0..2 {
        match rest.chars().next().and_then(|c| c.to_digit(8)) {
            Some(digit) => {
                value = value * 8 + digit;
                *rest = &rest[1..];
            }
            None => break,
        }
    }
    value
}

/// `7F` or `{10FFFF}`.
fn read_hex(rest: &mut &str) -> Option<u32> {
    let first = take(rest)?;
    if first != '{' {
        let second = take(rest)?;
        return Some(first.to_digit(16)? * 16 + second.to_digit(16)?);
    }
    let mut value = None;
    loop {
        let c = take(rest)?;
        if c == '}' {
            return value;
        }
        let next = value.unwrap_or(0) * 16 + c.to_digit(16)?;
        value = Some(next).filter(|value| *value <= 0x0010_ffff);
        value?;
    }
}

fn from_ranges(ranges: &[(char, char)], negated: bool) -> ClassUnicode {
    let mut class = ClassUnicode::new(ranges.iter().map(|(low, high)| ClassUnicodeRange::new(*low, *high)));
    if negated {
        class.negate();
    }
    class
}

fn folded(mut class: ClassUnicode, fold: bool) -> ClassUnicode {
    if fold {
        class.case_fold_simple();
    }
    class
}
