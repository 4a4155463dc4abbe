//! Text. Its characters are what people see as one.

use super::super::value::{HEAVIEST, Value};
use super::{Function, NUMBER, Outcome, TEXT, TEXTS, blame, fixed, int, size, text, texts, variadic};
use onepane_functions::go;
use unicode_segmentation::UnicodeSegmentation as _;

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("chomp", &[TEXT], |arguments| Ok(text(arguments, 0)?.trim_end_matches(['\n', '\r']).into())),
    fixed("indent", &[NUMBER, TEXT], indent),
    variadic("join", &[TEXT], TEXTS, join),
    fixed("lower", &[TEXT], |arguments| Ok(go::lower(text(arguments, 0)?).into())),
    fixed("sort", &[TEXTS], sort),
    fixed("split", &[TEXT, TEXT], split),
    fixed("strlen", &[TEXT], |arguments| Ok((text(arguments, 0)?.graphemes(true).count() as i64).into())),
    fixed("strrev", &[TEXT], |arguments| Ok(text(arguments, 0)?.graphemes(true).rev().collect::<String>().into())),
    fixed("substr", &[TEXT, NUMBER, NUMBER], substr),
    fixed("title", &[TEXT], |arguments| Ok(go::title(text(arguments, 0)?).into())),
    fixed("trim", &[TEXT, TEXT], |arguments| {
        let set = text(arguments, 1)?;
        Ok(text(arguments, 0)?.trim_matches(|c| set.contains(c)).into())
    }),
    fixed("trimprefix", &[TEXT, TEXT], |arguments| {
        let whole = text(arguments, 0)?;
        Ok(whole.strip_prefix(text(arguments, 1)?).unwrap_or(whole).into())
    }),
    fixed("trimspace", &[TEXT], |arguments| Ok(text(arguments, 0)?.trim().into())),
    fixed("trimsuffix", &[TEXT, TEXT], |arguments| {
        let whole = text(arguments, 0)?;
        Ok(whole.strip_suffix(text(arguments, 1)?).unwrap_or(whole).into())
    }),
    fixed("upper", &[TEXT], |arguments| Ok(go::upper(text(arguments, 0)?).into())),
];

/// Spaces before a line.
const DEEPEST: usize = 10_000;

fn indent(arguments: &[Value]) -> Outcome {
    let (spaces, whole) = (size(arguments, 0, DEEPEST)?, text(arguments, 1)?);
    let lines = whole.matches('\n').count();
    if (lines * spaces) as u64 > HEAVIEST * 16 {
        return Err("the text is too large".into());
    }
    Ok(whole.replace('\n', &format!("\n{}", " ".repeat(spaces))).into())
}

fn join(arguments: &[Value]) -> Outcome {
    let [_, lists @ ..] = arguments else { return Err("at least one list is required".into()) };
    if lists.is_empty() {
        return Err("at least one list is required".into());
    }
    let mut parts = Vec::new();
    for (place, list) in lists.iter().enumerate() {
        for part in texts(list) {
            parts.push(part.ok_or_else(|| blame(place + 1, "an element is null, and can't be joined"))?);
        }
    }
    let separator = text(arguments, 0)?;
    if (parts.len() * separator.len()) as u64 > HEAVIEST * 16 {
        return Err("the text is too large".into());
    }
    Ok(parts.join(separator).into())
}

fn sort(arguments: &[Value]) -> Outcome {
    let mut parts: Vec<String> = Vec::new();
    for part in arguments.first().map(texts).unwrap_or_default() {
        parts.push(part.ok_or("an element is null, and can't be sorted")?);
    }
    parts.sort();
    Ok(Value::texts(parts))
}

fn split(arguments: &[Value]) -> Outcome {
    let (separator, whole) = (text(arguments, 0)?, text(arguments, 1)?);
    if separator.is_empty() {
        return Ok(Value::texts(whole.chars().map(String::from)));
    }
    Ok(Value::texts(whole.split(separator).map(str::to_owned)))
}

/// A negative offset counts from the end, a negative length is all that follows. So is, as there, a length of 0 behind a
/// negative offset.
fn substr(arguments: &[Value]) -> Outcome {
    let (whole, mut offset, length) = (text(arguments, 0)?, int(arguments, 1)?, int(arguments, 2)?);
    let characters: Vec<&str> = whole.graphemes(true).collect();
    if offset < 0 {
        offset = offset.saturating_add(characters.len() as i64);
    } else if length == 0 {
        return Ok("".into());
    }
    let skipped = usize::try_from(offset).unwrap_or(0).min(characters.len());
    let rest = &characters[skipped..];
    let length = if length <= 0 { rest.len() } else { (length as usize).min(rest.len()) };
    Ok(rest[..length].concat().into())
}
