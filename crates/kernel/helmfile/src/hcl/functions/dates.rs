//! Moments in RFC 3339, which is taken strictly.

use super::super::value::Value;
use super::{Fault, Function, Outcome, TEXT, blame, fixed, text};
use onepane_functions::go::{Moment, parse_duration};

pub(super) const FUNCTIONS: &[Function] =
    &[fixed("formatdate", &[TEXT, TEXT], format_date), fixed("timeadd", &[TEXT, TEXT], time_add)];

const RFC_3339: &str = "2006-01-02T15:04:05Z07:00";

fn time_add(arguments: &[Value]) -> Outcome {
    let moment = moment(arguments, 0)?;
    let duration = parse_duration(text(arguments, 1)?).map_err(|message| blame(1, message))?;
    Ok(moment.after(duration).format(RFC_3339).into())
}

fn moment(arguments: &[Value], place: usize) -> Result<Moment, Fault> {
    let written = text(arguments, place)?;
    let wrong = |reason: &str| blame(place, format!("{written:?} is no moment in RFC 3339{reason}"));
    if !is_strict(written) {
        return Err(wrong(", like 2006-01-02T15:04:05Z"));
    }
    Moment::read(RFC_3339, written).map_err(|message| wrong(&format!(": {message}")))
}

/// Whether it is of the form that Go's own reader takes with more freedom.
fn is_strict(written: &str) -> bool {
    let (Some(head), Some(rest)) = (written.get(..19), written.get(19..)) else { return false };
    let fits = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                shape => byte == shape,
            })
    };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let behind = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if behind.len() == fraction.len() {
                return false;
            }
            behind
        }
        None => rest,
    };
    let zone = rest == "Z"
        || rest.strip_prefix(['+', '-']).is_some_and(|zone| {
            fits(zone, "00:00") && zone[..2].parse::<u8>().is_ok_and(|hours| hours < 24) && zone.as_bytes()[3] < b'6'
        });
    fits(head, "0000-00-00T00:00:00") && zone
}

/// cty's own layouts: repeated letters are verbs, text in single quotes stands for itself.
fn format_date(arguments: &[Value]) -> Outcome {
    let mut rest = text(arguments, 0)?;
    let moment = moment(arguments, 1)?;
    let mut out = String::new();
    while let Some(first) = rest.bytes().next() {
        if first == b'\'' {
            let (literal, behind) = literal(rest).ok_or_else(|| blame(0, "a single quote has no partner"))?;
            out.push_str(&literal);
            rest = behind;
        } else if first.is_ascii_alphabetic() {
            let length = rest.bytes().take_while(|byte| *byte == first).count();
            let (verb, behind) = rest.split_at(length);
            let layout = layout(verb).ok_or_else(|| blame(0, format!("{verb:?} is no verb of dates")))?;
            match (verb, moment.format(layout)) {
                ("h", hour) => out.push_str(hour.strip_prefix('0').unwrap_or(&hour)),
                ("ZZZ", offset) if offset == "+0000" => out.push_str("UTC"),
                (_, text) => out.push_str(&text),
            }
            rest = behind;
        } else {
            let length = rest.find(|c: char| c == '\'' || c.is_ascii_alphabetic()).unwrap_or(rest.len());
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    Ok(out.into())
}

/// Go's layout for a verb.
fn layout(verb: &str) -> Option<&'static str> {
    Some(match verb {
        "YY" => "06",
        "YYYY" => "2006",
        "M" => "1",
        "MM" => "01",
        "MMM" => "Jan",
        "MMMM" => "January",
        "D" => "2",
        "DD" => "02",
        "EEE" => "Mon",
        "EEEE" => "Monday",
        "h" | "hh" => "15",
        "H" => "3",
        "HH" => "03",
        "AA" => "PM",
        "aa" => "pm",
        "m" => "4",
        "mm" => "04",
        "s" => "5",
        "ss" => "05",
        "Z" => "Z07:00",
        "ZZZ" | "ZZZZ" => "-0700",
        "ZZZZZ" => "-07:00",
        _ => return None,
    })
}

/// Text in quotes, in which two stand for one, and what is behind it. Two alone are one.
fn literal(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('\'')?;
    if let Some(behind) = inner.strip_prefix('\'') {
        return Some(("'".to_owned(), behind));
    }
    let mut from = 0;
    loop {
        let at = from + inner[from..].find('\'')?;
        if inner[at + 1..].starts_with('\'') {
            from = at + 2;
            continue;
        }
        return Some((inner[..at].replace("''", "'"), &inner[at + 1..]));
    }
}
