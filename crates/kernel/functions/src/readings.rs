//! What texts were read as, remembered: a helper puts JSON or YAML together, and each template that wants it reads the
//! same text anew.

use onepane_value::{Text, Value, from_json, from_yaml_as_go};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;

/// What a text is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Yaml,
}

struct Reading {
    format: Format,
    text: Text,
    value: Value,
}

/// How many texts are remembered, and which: small ones are read as fast as they are found, large ones take memory.
const MOST: usize = 16;
const LENGTHS: Range<usize> = 256..256 << 10;

thread_local! {
    static READINGS: RefCell<VecDeque<Reading>> = const { RefCell::new(VecDeque::new()) };
}

/// Reads a text, or gives a copy of what one with the same bytes was read as: no caller sees what another changes.
pub(crate) fn read(format: Format, text: &Text) -> Result<Value, String> {
    if !LENGTHS.contains(&text.len()) {
        return parse(format, text);
    }
    let known = READINGS.with_borrow(|readings| {
        let same = |reading: &&Reading| reading.format == format && reading.text == *text;
        readings.iter().rev().find(same).map(|reading| reading.value.deep_copy())
    });
    if let Some(value) = known {
        return Ok(value);
    }
    let value = parse(format, text)?;
    READINGS.with_borrow_mut(|readings| {
        if readings.len() == MOST {
            readings.pop_front();
        }
        readings.push_back(Reading { format, text: text.clone().without_origin(), value: value.deep_copy() });
    });
    Ok(value)
}

fn parse(format: Format, text: &Text) -> Result<Value, String> {
    match format {
        Format::Json => from_json(text),
        Format::Yaml => match std::str::from_utf8(text) {
            Ok(yaml) => from_yaml_as_go(yaml),
            Err(_) => Err("error converting YAML to JSON: yaml: invalid leading UTF-8 octet".into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_value::Data;

    #[test]
    fn what_was_read_once_is_whole_when_it_is_read_again() {
        let text = Text::from(format!(r#"{{"a": {{"b": [1]}}, "long": "{}"}}"#, "x".repeat(300)));
        for format in [Format::Json, Format::Yaml, Format::Json] {
            let first = read(format, &text).expect("a map");
            let again = read(format, &text).expect("a map");
            assert_eq!(format!("{first:?}"), format!("{again:?}"));
            assert_eq!(format!("{first:?}"), format!("{:?}", parse(format, &text).expect("a map")));
            let Data::Map(map) = &first.data else { panic!("a map") };
            map.insert("a", Value::NIL);
            assert_eq!(format!("{again:?}"), format!("{:?}", read(format, &text).expect("a map")));
        }
        for number in 0..2 * MOST {
            let text = Text::from(format!("[{number}, \"{}\"]", "y".repeat(300)));
            assert_eq!(format!("{:?}", read(Format::Json, &text)), format!("{:?}", from_json(&text)));
        }
        READINGS.with_borrow(|readings| assert_eq!(readings.len(), MOST));
    }
}
