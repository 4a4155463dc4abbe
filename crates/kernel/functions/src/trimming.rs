//! Ends and parts of strings: `trim` and its kin, `hasPrefix`, `hasSuffix`, `contains`, `nospace`.

use crate::arguments::{Outcome, any, derived, fixed, text};
use crate::runes;
use onepane_template::{Context, Function, Type};
use onepane_value::Value;
use std::ops::Range;

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("trim", &[Type::String], trim),
    fixed("trimAll", &[Type::String, Type::String], trim_all),
    fixed("trimall", &[Type::String, Type::String], trim_all),
    fixed("trimPrefix", &[Type::String, Type::String], trim_prefix),
    fixed("trimSuffix", &[Type::String, Type::String], trim_suffix),
    fixed("contains", &[Type::String, Type::String], contains),
    fixed("hasPrefix", &[Type::String, Type::String], has_prefix),
    fixed("hasSuffix", &[Type::String, Type::String], has_suffix),
    fixed("nospace", &[Type::String], nospace),
];

fn trim(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let string = text(arguments, 0)?;
    Ok(derived(any(arguments, 0), string.slice(trimmed(string, char::is_whitespace))))
}

fn trim_all(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (set, string) = (text(arguments, 0)?, text(arguments, 1)?);
    let range = trimmed(string, |rune| runes::runes(set).any(|member| member == rune));
    Ok(derived(any(arguments, 1), string.slice(range)))
}

fn trim_prefix(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (prefix, string) = (text(arguments, 0)?, text(arguments, 1)?);
    let start = if string.starts_with(prefix) { prefix.len() } else { 0 };
    Ok(derived(any(arguments, 1), string.slice(start..string.len())))
}

fn trim_suffix(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (suffix, string) = (text(arguments, 0)?, text(arguments, 1)?);
    let end = if string.ends_with(suffix) { string.len() - suffix.len() } else { string.len() };
    Ok(derived(any(arguments, 1), string.slice(0..end)))
}

fn contains(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(onepane_bytes::find_text(text(arguments, 0)?, text(arguments, 1)?).is_some().into())
}

fn has_prefix(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(text(arguments, 1)?.starts_with(text(arguments, 0)?).into())
}

fn has_suffix(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(text(arguments, 1)?.ends_with(text(arguments, 0)?).into())
}

/// goutils walks bytes, not runes: where there is white space, every byte beyond ASCII comes out as the Latin-1 letter
/// of its number, and 0x85 and 0xA0 count as white space.
fn nospace(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let string = text(arguments, 0)?;
    let is_space = |byte: &u8| char::from(*byte).is_whitespace();
    if !string.iter().any(is_space) {
        return Ok(any(arguments, 0).clone());
    }
    let kept: String = string.iter().filter(|byte| !is_space(byte)).map(|byte| char::from(*byte)).collect();
    Ok(derived(any(arguments, 0), kept))
}

/// What is left without the runes at both ends that match.
fn trimmed(bytes: &[u8], matches: impl Fn(char) -> bool) -> Range<usize> {
    let (mut start, mut end) = (0, bytes.len());
    while start < end {
        let (rune, size) = runes::decode(&bytes[start..end]);
        if !matches(rune) {
            break;
        }
        start += size;
    }
    while start < end {
        let (rune, size) = runes::decode_last(&bytes[start..end]);
        if !matches(rune) {
            break;
        }
        end -= size;
    }
    start..end
}
