//! Shorter strings: `trunc`, `substr`, `abbrev`, `abbrevboth`, `initials`. All of them count bytes.

use crate::arguments::{Outcome, any, derived, fixed, int, text};
use onepane_template::{Context, Function, Type};
use onepane_value::{Text, TextBuilder, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("trunc", &[Type::Int, Type::String], trunc),
    fixed("substr", &[Type::Int, Type::Int, Type::String], substr),
    fixed("abbrev", &[Type::Int, Type::String], abbrev),
    fixed("abbrevboth", &[Type::Int, Type::Int, Type::String], abbrev_both),
    fixed("initials", &[Type::String], initials),
];

fn trunc(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (count, string) = (int(arguments, 0)?, text(arguments, 1)?);
    let length = string.len();
    let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let range = match count {
        _ if size >= length => 0..length,
        0.. => 0..size,
        _ => length - size..length,
    };
    Ok(derived(any(arguments, 1), string.slice(range)))
}

fn substr(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (start, end, string) = (int(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?);
    let length = string.len() as i64;
    let out_of_range = |what: String| format!("runtime error: slice bounds out of range {what}");
    let (start, end) = match (start, end) {
        (..0, ..0) => return Err(out_of_range(format!("[:{end}]")).into()),
        (..0, _) if end > length => return Err(out_of_range(format!("[:{end}] with length {length}")).into()),
        (..0, _) => (0, end),
        (_, ..0) => (start, length),
        _ => (start, end.min(length)),
    };
    if start > end {
        return Err(out_of_range(format!("[{start}:{end}]")).into());
    }
    Ok(derived(any(arguments, 2), string.slice(start as usize..end as usize)))
}

fn abbrev(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (width, string) = (int(arguments, 0)?, text(arguments, 1)?);
    let short = if width < 4 { string.clone() } else { abbreviated(string, 0, width) };
    Ok(derived(any(arguments, 1), short))
}

fn abbrev_both(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (left, right, string) = (int(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?);
    let whole = right < 4 || left > 0 && right < 7;
    let short = if whole { string.clone() } else { abbreviated(string, left, right) };
    Ok(derived(any(arguments, 2), short))
}

/// At most `width` bytes of a string with `...` for what is left out; the byte at `offset` is among them. `width` is
/// at least 4, and 7 where there is an offset.
fn abbreviated(string: &Text, offset: i64, width: i64) -> Text {
    let length = string.len() as i64;
    if length <= width {
        return string.clone();
    }
    let kept = width - 3;
    let offset = offset.min(length).min(length - kept);
    let mut builder = TextBuilder::new();
    if offset <= 4 {
        builder.push_slice(string, 0..kept as usize);
        builder.push_plain(b"...");
    } else {
        builder.push_plain(b"...");
        if offset + kept < length {
            builder.push_slice(string, offset as usize..(offset + kept - 3) as usize);
            builder.push_plain(b"...");
        } else {
            builder.push_slice(string, (length - kept) as usize..string.len());
        }
    }
    builder.finish()
}

/// goutils walks bytes: one beyond ASCII comes out as the Latin-1 letter of its number.
fn initials(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut after_gap = true;
    let mut out = String::new();
    for letter in text(arguments, 0)?.iter().map(|byte| char::from(*byte)) {
        let gap = letter.is_whitespace();
        if after_gap && !gap {
            out.push(letter);
        }
        after_gap = gap;
    }
    Ok(derived(any(arguments, 0), out))
}
