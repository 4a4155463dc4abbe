//! Upper and lower case: `upper`, `lower`, `title`, `untitle`, `swapcase`. `snakecase` and its kin are in `word_case`.

use crate::arguments::{Outcome, any, derived, fixed, text};
use crate::runes;
use onepane_template::{Context, Function, Type};
use onepane_value::{Text, TextBuilder, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("upper", &[Type::String], upper),
    fixed("lower", &[Type::String], lower),
    fixed("title", &[Type::String], title),
    fixed("untitle", &[Type::String], untitle),
    fixed("swapcase", &[Type::String], swapcase),
];

fn upper(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let string = text(arguments, 0)?;
    let bytes = if string.is_ascii() { string.to_ascii_uppercase() } else { runes::map(string, runes::to_upper) };
    Ok(derived(any(arguments, 0), marked_like(string, bytes)))
}

fn lower(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let string = text(arguments, 0)?;
    let bytes = if string.is_ascii() { string.to_ascii_lowercase() } else { runes::map(string, runes::to_lower) };
    Ok(derived(any(arguments, 0), marked_like(string, bytes)))
}

fn title(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let string = text(arguments, 0)?;
    Ok(derived(any(arguments, 0), marked_like(string, titled(string))))
}

/// `strings.Title`: the first letter of every word; in ASCII everything but letters, digits and `_` parts words,
/// elsewhere white space does.
pub(crate) fn titled(string: &[u8]) -> Vec<u8> {
    let mut previous = ' ';
    runes::map(string, |rune| {
        let starts = match previous {
            '\0'..='\x7F' => !previous.is_ascii_alphanumeric() && previous != '_',
            _ => previous.is_whitespace(),
        };
        previous = rune;
        if starts { runes::to_title(rune) } else { rune }
    })
}

fn untitle(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut starts = true;
    let string = text(arguments, 0)?;
    let bytes = runes::map(string, |rune| {
        let gap = rune.is_whitespace();
        let change = starts && !gap;
        starts = gap || (starts && !change);
        if change { runes::to_lower(rune) } else { rune }
    });
    Ok(derived(any(arguments, 0), marked_like(string, bytes)))
}

/// goutils' `SwapCase`: a lower-case letter at the start of a word turns to title case, elsewhere to upper case.
fn swapcase(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut starts = true;
    let string = text(arguments, 0)?;
    let bytes = runes::map(string, |rune| {
        if runes::is_upper(rune) || runes::is_title(rune) {
            starts = false;
            runes::to_lower(rune)
        } else if runes::is_lower(rune) {
            let title = std::mem::replace(&mut starts, false);
            if title { runes::to_title(rune) } else { runes::to_upper(rune) }
        } else {
            starts = rune.is_whitespace();
            rune
        }
    });
    Ok(derived(any(arguments, 0), marked_like(string, bytes)))
}

/// The bytes with the marks of `source`, where they are of the same number.
fn marked_like(source: &Text, bytes: Vec<u8>) -> Text {
    let Some(marks) = source.marks().filter(|_| bytes.len() == source.len()) else { return bytes.into() };
    let starts: Vec<_> = marks.iter().collect();
    let mut builder = TextBuilder::with_capacity(bytes.len());
    let first = starts.first().map_or(bytes.len(), |(start, _)| *start);
    builder.push_plain(&bytes[..first]);
    for (index, (start, origin)) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(bytes.len(), |(next, _)| *next);
        builder.push(&bytes[*start..end], origin);
    }
    builder.finish()
}
