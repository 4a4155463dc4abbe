//! Writing a time by a layout.

use super::calendar::{MONTHS, WEEKDAYS, date_and_clock};
use super::layout::{Element, OffsetShape, next};
use super::time::Time;

impl Time {
    /// The time by `layout`.
    pub(crate) fn format(&self, mut layout: &[u8]) -> Vec<u8> {
        let (offset, abbreviation) = self.zone.at(self.seconds);
        let (date, clock) = date_and_clock(self.seconds.wrapping_add(offset));
        let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
        let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
        let month = MONTHS[usize::from(date.month - 1)];
        let weekday = WEEKDAYS[usize::from(date.weekday)];
        let mut out = Vec::with_capacity(layout.len() + 10);
        loop {
            let chunk = next(layout);
            out.extend_from_slice(chunk.prefix);
            let Some(element) = chunk.element else { return out };
            layout = chunk.rest;
            match element {
                Element::Year => push_number(&mut out, date.year.abs() % 100, 2),
                Element::LongYear => push_number(&mut out, date.year, 4),
                Element::Month => out.extend_from_slice(&month.as_bytes()[..3]),
                Element::LongMonth => out.extend_from_slice(month.as_bytes()),
                Element::NumericMonth => push_number(&mut out, date.month.into(), 0),
                Element::ZeroMonth => push_number(&mut out, date.month.into(), 2),
                Element::Weekday => out.extend_from_slice(&weekday.as_bytes()[..3]),
                Element::LongWeekday => out.extend_from_slice(weekday.as_bytes()),
                Element::Day => push_number(&mut out, date.day.into(), 0),
                Element::SpaceDay => out.extend_from_slice(format!("{:2}", date.day).as_bytes()),
                Element::ZeroDay => push_number(&mut out, date.day.into(), 2),
                Element::SpaceYearDay => out.extend_from_slice(format!("{:3}", date.year_day).as_bytes()),
                Element::ZeroYearDay => push_number(&mut out, date.year_day.into(), 3),
                Element::Hour => push_number(&mut out, hour.into(), 2),
                Element::Hour12 => push_number(&mut out, hour12.into(), 0),
                Element::ZeroHour12 => push_number(&mut out, hour12.into(), 2),
                Element::Minute => push_number(&mut out, minute.into(), 0),
                Element::ZeroMinute => push_number(&mut out, minute.into(), 2),
                Element::Second => push_number(&mut out, second.into(), 0),
                Element::ZeroSecond => push_number(&mut out, second.into(), 2),
                Element::UpperPm => out.extend_from_slice(if hour >= 12 { b"PM" } else { b"AM" }),
                Element::LowerPm => out.extend_from_slice(if hour >= 12 { b"pm" } else { b"am" }),
                Element::Abbreviation if !abbreviation.is_empty() => out.extend_from_slice(abbreviation.as_bytes()),
                Element::Abbreviation => push_offset(&mut out, offset, HOURS_AND_MINUTES),
                Element::Offset(shape) => push_offset(&mut out, offset, shape),
                Element::Fraction { digits, separator, keep_zeros } => {
                    push_fraction(&mut out, self.nanoseconds, digits, separator, keep_zeros);
                }
            }
        }
    }
}

const HOURS_AND_MINUTES: OffsetShape = OffsetShape { zulu: false, colons: false, minutes: true, seconds: false };

fn push_number(out: &mut Vec<u8>, number: i64, width: usize) {
    let sign = if number < 0 { "-" } else { "" };
    out.extend_from_slice(format!("{sign}{:0width$}", number.unsigned_abs()).as_bytes());
}

fn push_offset(out: &mut Vec<u8>, offset: i64, shape: OffsetShape) {
    if offset == 0 && shape.zulu {
        out.push(b'Z');
        return;
    }
    // The sign is that of the minutes, as in Go: less than a minute west is `+00:00`.
    out.push(if offset / 60 < 0 { b'-' } else { b'+' });
    let minutes = (offset / 60).abs();
    push_number(out, minutes / 60, 2);
    if shape.colons {
        out.push(b':');
    }
    if shape.minutes {
        push_number(out, minutes % 60, 2);
    }
    if shape.seconds {
        if shape.colons {
            out.push(b':');
        }
        let seconds = if offset / 60 < 0 { -offset } else { offset };
        push_number(out, seconds % 60, 2);
    }
}

fn push_fraction(out: &mut Vec<u8>, nanoseconds: u32, digits: usize, separator: u8, keep_zeros: bool) {
    if !keep_zeros && nanoseconds == 0 {
        return;
    }
    let text = format!("{nanoseconds:09}");
    let text = &text[..digits.min(9)];
    let text = if keep_zeros { text } else { text.trim_end_matches('0') };
    if !text.is_empty() {
        out.push(separator);
        out.extend_from_slice(text.as_bytes());
    }
}
