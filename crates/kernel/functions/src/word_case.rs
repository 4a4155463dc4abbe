//! Words joined in other ways: `snakecase`, `kebabcase` and `camelcase`, by the rules of huandu/xstrings.

use crate::arguments::{Outcome, any, derived, fixed, text};
use crate::runes;
use onepane_template::{Context, Function, Type};
use onepane_value::{Text, Value};
use std::ops::Range;

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("snakecase", &[Type::String], snakecase),
    fixed("kebabcase", &[Type::String], kebabcase),
    fixed("camelcase", &[Type::String], camelcase),
];

fn snakecase(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(derived(any(arguments, 0), Text::from(separated(text(arguments, 0)?, b'_'))))
}

fn kebabcase(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(derived(any(arguments, 0), Text::from(separated(text(arguments, 0)?, b'-'))))
}

fn camelcase(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(derived(any(arguments, 0), Text::from(pascal(text(arguments, 0)?))))
}

/// What a stretch of a string is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Digits.
    Number,
    /// An upper-case letter and the lower-case ones after it, or a run of upper-case letters.
    Upper,
    /// Letters that start in lower case.
    Letters,
    /// `-`, `_` and white space.
    Connector,
    Punctuation,
    /// What is not UTF-8, up to the end.
    Invalid,
    Other,
}

/// Words in lower case with connectors between them.
///
/// A number belongs to the letters before it when a new word follows it (`bld4_floor`), and to those after it when they
/// are in lower case (`http_20x`).
fn separated(bytes: &[u8], connector: u8) -> Vec<u8> {
    use Kind::{Connector, Invalid, Letters, Number, Punctuation};
    let words = words(bytes);
    let kind = |at: usize| words.get(at).map_or(Invalid, |(kind, _)| *kind);
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 4);
    let write = |out: &mut Vec<u8>, at: usize| {
        if let Some((kind, range)) = words.get(at) {
            write_word(out, *kind, &bytes[range.clone()], connector);
        }
    };
    let write_run = |out: &mut Vec<u8>, mut at: usize| {
        while matches!(kind(at), Letters | Number) {
            write(out, at);
            at += 1;
        }
        if !matches!(kind(at), Invalid | Connector | Punctuation) {
            out.push(connector);
        }
        at
    };
    let mut at = 0;
    while at + 1 < words.len() {
        let before = kind(at);
        write(&mut out, at);
        at += 1;
        match before {
            Connector | Punctuation => {}
            Number => at = write_run(&mut out, at),
            _ if kind(at) != Number => {
                if !matches!(kind(at), Connector | Punctuation) {
                    out.push(connector);
                }
            }
            _ if at + 1 == words.len() => {}
            _ if kind(at + 1) == Letters => {
                out.push(connector);
                at = write_run(&mut out, at);
            }
            _ => {
                write(&mut out, at);
                at += 1;
                if !matches!(kind(at), Connector | Punctuation) {
                    out.push(connector);
                }
            }
        }
    }
    write(&mut out, at);
    out
}

fn write_word(out: &mut Vec<u8>, kind: Kind, word: &[u8], connector: u8) {
    match kind {
        Kind::Connector => out.extend(runes::runes(word).map(|_| connector)),
        Kind::Upper => {
            for rune in runes::runes(word) {
                runes::push(out, if runes::is_upper(rune) { runes::to_lower(rune) } else { rune });
            }
        }
        _ => out.extend_from_slice(word),
    }
}

fn words(bytes: &[u8]) -> Vec<(Kind, Range<usize>)> {
    let mut words = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let (kind, length) = first_word(&bytes[start..]);
        words.push((kind, start..start + length));
        start += length;
    }
    words
}

fn first_word(bytes: &[u8]) -> (Kind, usize) {
    let (first, size) = valid_rune(bytes, runes::ERROR);
    if first == runes::ERROR {
        return (Kind::Invalid, size);
    }
    let kind = kind_of(first);
    let extend = |mut length: usize, mut last: char, belongs: &dyn Fn(char) -> bool| {
        while length < bytes.len() {
            let (rune, size) = valid_rune(&bytes[length..], last);
            if !belongs(rune) {
                break;
            }
            last = rune;
            length += size;
        }
        length
    };
    let lower = |rune| is_letter(rune) && !runes::is_upper(rune);
    let length = match kind {
        Kind::Letters => extend(size, first, &lower),
        Kind::Upper => {
            let capitals = extend(size, first, &runes::is_upper);
            if capitals == size {
                extend(size, first, &lower)
            } else if bytes.get(capitals..).is_some_and(|rest| !rest.is_empty() && is_letter(valid_rune(rest, first).0))
            {
                // The last capital starts the next word: HTTP, Status.
                capitals - runes::decode_last(&bytes[..capitals]).1
            } else {
                capitals
            }
        }
        Kind::Other => {
            extend(size, first, &|rune| matches!(kind_of(rune), Kind::Other | Kind::Upper) && !is_letter(rune))
        }
        kind => extend(size, first, &|rune| kind_of(rune) == kind),
    };
    (kind, length)
}

fn kind_of(rune: char) -> Kind {
    match rune {
        _ if is_connector(rune) => Kind::Connector,
        _ if runes::is_punctuation(rune) => Kind::Punctuation,
        _ if runes::is_upper(rune) => Kind::Upper,
        _ if is_letter(rune) => Kind::Letters,
        _ if rune.is_numeric() => Kind::Number,
        _ => Kind::Other,
    }
}

/// The next rune, bytes that are not UTF-8 skipped; `previous` where nothing else is left.
fn valid_rune(bytes: &[u8], previous: char) -> (char, usize) {
    let mut length = 0;
    while length < bytes.len() {
        let (rune, size) = runes::decode(&bytes[length..]);
        length += size;
        if rune != runes::ERROR {
            return (rune, length);
        }
    }
    (previous, length)
}

fn is_connector(rune: char) -> bool {
    rune == '-' || rune == '_' || rune.is_whitespace()
}

/// A letter, ideographs aside.
fn is_letter(rune: char) -> bool {
    rune.is_alphabetic()
        && !rune.is_numeric()
        && !matches!(rune, '\u{4E00}'..='\u{9FCC}' | '\u{3400}'..='\u{4D85}' | '\u{20000}'..='\u{2B81D}')
}

/// Words joined, each with a capital; of a capital run only the first stays. Connectors at the start, and all but one of
/// those in a row, stay.
fn pascal(bytes: &[u8]) -> Vec<u8> {
    let runes: Vec<char> = runes::runes(bytes).collect();
    let mut out = Vec::with_capacity(bytes.len());
    let Some(start) = runes.iter().position(|rune| !is_connector(*rune)) else {
        // xstrings writes the last of nothing but connectors twice.
        runes.iter().chain(runes.last()).for_each(|rune| runes::push(&mut out, *rune));
        return out;
    };
    runes[..start].iter().for_each(|rune| runes::push(&mut out, *rune));
    let mut last = runes::to_upper(runes[start]);
    let mut in_capitals = runes::is_upper(runes[start]);
    for &rune in &runes[start + 1..] {
        let mut next = rune;
        match (is_connector(last), is_connector(rune)) {
            (true, true) => runes::push(&mut out, last),
            (true, false) => {
                in_capitals = runes::is_upper(rune);
                next = runes::to_upper(rune);
            }
            (false, _) => {
                in_capitals &= runes::is_upper(rune);
                if in_capitals {
                    next = runes::to_lower(rune);
                }
                runes::push(&mut out, last);
            }
        }
        last = next;
    }
    runes::push(&mut out, last);
    out
}
