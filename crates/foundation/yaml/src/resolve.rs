//! What a scalar is: [`resolve`] and [`resolve_plain`].

use crate::number::{Integer, looks_like_float, parse_decimal, parse_integer};
use crate::timestamp::parse_timestamp;
use crate::{Content, Node, Style};
use std::borrow::Cow;

/// Whose rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// go-yaml v2, through sigs.k8s.io/yaml: what Helm reads values and manifests with, and what writes both tools'
    /// output. `yes`, `on`, `y` and their like are booleans.
    V2,
    /// go-yaml v3, through kyaml: what Kustomize reads with.
    V3,
}

/// A scalar's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// `null`, `~` or nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer, in whichever base it was written.
    Int(i64),
    /// An integer beyond the range of `Int`.
    Uint(u64),
    /// A number with a fraction or beyond the range of integers.
    Float(f64),
    /// A string.
    String(Cow<'a, str>),
    /// A date or a time, as RFC 3339.
    Timestamp(Box<str>),
    /// What a `!!binary` scalar stands for.
    Binary(Box<[u8]>),
}

/// What a plain scalar without a tag is.
pub fn resolve_plain(text: &str, dialect: Dialect) -> Scalar<'_> {
    resolve_unquoted(text, dialect, true)
}

/// What `node`, a scalar, is, by its style, its tag and its text. Anything else counts as an empty string.
///
/// The error is the text of go-yaml's: a tag that the text does not fit.
pub fn resolve(node: &Node, dialect: Dialect) -> Result<Scalar<'_>, String> {
    let Content::Scalar(text) = &node.content else { return Ok(Scalar::String("".into())) };
    resolve_scalar(text, node.style == Style::Plain, node.tag.as_deref(), dialect)
}

/// [`resolve`] for a scalar that is no node. `plain` tells whether it is written without quotes.
pub fn resolve_scalar<'a>(
    text: &'a str,
    plain: bool,
    tag: Option<&str>,
    dialect: Dialect,
) -> Result<Scalar<'a>, String> {
    let tag = match tag {
        Some("!") if dialect == Dialect::V3 => None,
        tag => tag,
    };
    let Some(tag) = tag else {
        return Ok(if plain { resolve_plain(text, dialect) } else { Scalar::String(text.into()) });
    };
    match tag {
        "!!bool" | "!!int" | "!!float" | "!!null" | "!!timestamp" => {}
        "!!binary" => {
            let decoded = decode_base64(text).ok_or("!!binary value contains invalid base64 data")?;
            return Ok(Scalar::Binary(decoded.into()));
        }
        _ => return Ok(Scalar::String(text.into())),
    }
    let scalar = resolve_unquoted(text, dialect, tag == "!!timestamp");
    let found = match &scalar {
        Scalar::Null => "!!null",
        Scalar::Bool(_) => "!!bool",
        Scalar::Int(_) | Scalar::Uint(_) => "!!int",
        Scalar::Float(_) => "!!float",
        Scalar::Timestamp(_) => "!!timestamp",
        Scalar::String(_) | Scalar::Binary(_) => "!!str",
    };
    match scalar {
        scalar if found == tag => Ok(scalar),
        Scalar::Int(value) if tag == "!!float" => Ok(Scalar::Float(value as f64)),
        _ => Err(format!("cannot decode {found} `{text}` as a {tag}")),
    }
}

fn resolve_unquoted(text: &str, dialect: Dialect, timestamps: bool) -> Scalar<'_> {
    let bytes = text.as_bytes();
    let string = Scalar::String(Cow::Borrowed(text));
    match bytes.first() {
        None => Scalar::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            resolve_word(text, dialect).unwrap_or(string)
        }
        Some(b'.') => resolve_word(text, dialect).or_else(|| dotted_float(text)).unwrap_or(string),
        Some(b'+' | b'-' | b'0'..=b'9') => resolve_number(text, dialect, timestamps).unwrap_or(string),
        Some(_) => string,
    }
}

fn resolve_word(text: &str, dialect: Dialect) -> Option<Scalar<'static>> {
    Some(match text {
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ if dialect == Dialect::V2 => Scalar::Bool(old_bool(text)?),
        _ => return None,
    })
}

/// The booleans of YAML 1.1 that YAML 1.2 has not.
pub(crate) fn old_bool(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// A number that begins with its decimal point. Go allows underscores between digits here.
fn dotted_float(text: &str) -> Option<Scalar<'static>> {
    let bytes = text.as_bytes();
    let misplaced = bytes.iter().enumerate().any(|(at, byte)| {
        let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        *byte == b'_' && !(digit(at.checked_sub(1)) && digit(at.checked_add(1)))
    });
    let plain = without_underscores(text);
    (!misplaced && looks_like_float(plain.as_bytes())).then(|| parse_decimal(&plain).map(Scalar::Float))?
}

fn resolve_number(text: &str, dialect: Dialect, timestamps: bool) -> Option<Scalar<'static>> {
    if let Some(word) = resolve_word(text, dialect) {
        return Some(word);
    }
    if timestamps && let Some(timestamp) = parse_timestamp(text) {
        return Some(Scalar::Timestamp(timestamp.into()));
    }
    let plain = without_underscores(text);
    match parse_integer(plain.as_bytes()) {
        Some(Integer::Signed(value)) => return Some(Scalar::Int(value)),
        Some(Integer::Unsigned(value)) => return Some(Scalar::Uint(value)),
        None => {}
    }
    if looks_like_float(plain.as_bytes())
        && let Some(value) = parse_decimal(&plain)
    {
        return Some(Scalar::Float(value));
    }
    signed_behind_prefix(&plain, dialect)
}

/// go-yaml reads what follows `0b` (and `0o` in v3) as a number with a sign of its own: `0b-1` is -1.
fn signed_behind_prefix(plain: &str, dialect: Dialect) -> Option<Scalar<'static>> {
    let octal = dialect == Dialect::V3;
    let (negative, rest) = plain.strip_prefix('-').map_or((false, plain), |rest| (true, rest));
    let (base, digits) = match rest.as_bytes() {
        [b'0', b'b', ..] => (2, &rest[2..]),
        [b'0', b'o', ..] if octal => (8, &rest[2..]),
        _ => return None,
    };
    // ParseInt sees "-" and the digits together.
    if negative && digits.starts_with(['-', '+']) {
        return None;
    }
    i64::from_str_radix(digits, base).ok().map(|value| Scalar::Int(if negative { -value } else { value }))
}

fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) }
}

/// Whether the text is a number in base 60, `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`: go-yaml reads none,
/// and quotes what others would read as one.
pub(crate) fn is_base_60(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !matches!(bytes.first(), Some(b'+' | b'-' | b'0'..=b'9')) || !bytes.contains(&b':') {
        return false;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut places = whole.split(':');
    let first = places.next().unwrap_or("").as_bytes();
    first.first().is_some_and(u8::is_ascii_digit)
        && first.iter().all(|byte| byte.is_ascii_digit() || *byte == b'_')
        && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        && places.all(|place| matches!(place.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

/// Decodes standard base64 with padding, line breaks ignored, as Go's encoding/base64 does.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut group: u32 = 0;
    let mut digits = 0;
    let mut padding = 0;
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if digits >= 2 => {
                padding += 1;
                0
            }
            _ => return None,
        };
        if padding > 0 && byte != b'=' {
            return None;
        }
        group = group << 6 | u32::from(digit);
        digits += 1;
        if digits == 4 {
            out.extend_from_slice(&group.to_be_bytes()[1..4 - padding]);
            (group, digits) = (0, if padding > 0 { 5 } else { 0 });
        } else if digits > 4 {
            return None;
        }
    }
    (digits == 0 || digits == 5).then_some(out)
}
