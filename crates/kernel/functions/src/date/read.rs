//! Reading a time by a layout.

use super::calendar::{MONTHS, WEEKDAYS, days_before, days_in, is_leap};
use super::duration::quoted;
use super::layout::{Element, OffsetShape, next};
use super::time::Time;
use super::zone::Zone;

/// Reads `value` by `layout`, in `zone` where it tells none itself: Go's `ParseInLocation`. The error is Go's.
pub(crate) fn read(layout: &[u8], value: &[u8], zone: &Zone) -> Result<Time, String> {
    let mut reader = Reader { rest: value, fields: Fields::default() };
    let mut rest_of_layout = layout;
    loop {
        let chunk = next(rest_of_layout);
        let cannot = |value_part: &[u8], layout_part: &[u8]| {
            let [value, layout, value_part, layout_part] = [value, layout, value_part, layout_part].map(quoted);
            format!("parsing time {value} as {layout}: cannot parse {value_part} as {layout_part}")
        };
        if !reader.skip(chunk.prefix) {
            // What is left of the prefix is not told, what is left of the value is.
            return Err(cannot(reader.rest, chunk.prefix));
        }
        let Some(element) = chunk.element else { break };
        rest_of_layout = chunk.rest;
        let hold = reader.rest;
        match reader.element(element, rest_of_layout) {
            Ok(()) => {}
            Err(Fault::Bad) => return Err(cannot(hold, chunk.text)),
            Err(Fault::Range(what)) => return Err(format!("parsing time {}: {what} out of range", quoted(value))),
        }
    }
    if !reader.rest.is_empty() {
        return Err(format!("parsing time {}: extra text: {}", quoted(value), quoted(reader.rest)));
    }
    reader.fields.time(zone).map_err(|what| format!("parsing time {}: {what}", quoted(value)))
}

enum Fault {
    /// It is not what the element asks for.
    Bad,
    /// It is too large or too small.
    Range(&'static str),
}

/// What has been read so far.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<u8>,
    day: Option<u16>,
    year_day: Option<u16>,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: u32,
    afternoon: Option<bool>,
    is_utc: bool,
    offset: Option<i64>,
    abbreviation: String,
}

struct Reader<'a> {
    rest: &'a [u8],
    fields: Fields,
}

impl<'a> Reader<'a> {
    /// Takes a literal prefix, in which a space stands for any number of them.
    fn skip(&mut self, mut prefix: &[u8]) -> bool {
        while let Some(first) = prefix.first() {
            if *first == b' ' {
                if self.rest.first().is_some_and(|byte| *byte != b' ') {
                    return false;
                }
                prefix = trim_spaces(prefix);
                self.rest = trim_spaces(self.rest);
                continue;
            }
            if self.rest.first() != Some(first) {
                return false;
            }
            prefix = &prefix[1..];
            self.rest = &self.rest[1..];
        }
        true
    }

    fn element(&mut self, element: Element, rest_of_layout: &[u8]) -> Result<(), Fault> {
        match element {
            Element::Year => {
                let year = signed_number(self.take(2)?)?;
                self.fields.year = if year >= 69 { year + 1900 } else { year + 2000 };
            }
            Element::LongYear => {
                if !self.digit_at(0) {
                    return Err(Fault::Bad);
                }
                self.fields.year = signed_number(self.take(4)?)?;
            }
            Element::Month => self.fields.month = Some(self.name(&MONTHS, Some(3))? + 1),
            Element::LongMonth => self.fields.month = Some(self.name(&MONTHS, None)? + 1),
            Element::NumericMonth | Element::ZeroMonth => {
                let month = self.number(element == Element::ZeroMonth)?;
                self.fields.month = Some(match month {
                    1..=12 => month as u8,
                    _ => return Err(Fault::Range("month")),
                });
            }
            Element::Weekday => {
                self.name(&WEEKDAYS, Some(3))?;
            }
            Element::LongWeekday => {
                self.name(&WEEKDAYS, None)?;
            }
            Element::Day | Element::SpaceDay | Element::ZeroDay => {
                if element == Element::SpaceDay {
                    self.rest = self.rest.strip_prefix(b" ").unwrap_or(self.rest);
                }
                self.fields.day = Some(self.number(element == Element::ZeroDay)? as u16);
            }
            Element::SpaceYearDay | Element::ZeroYearDay => self.year_day(element == Element::ZeroYearDay)?,
            Element::Hour => self.fields.hour = self.number_below(24, false, "hour")?,
            Element::Hour12 => self.fields.hour = self.number_below(13, false, "hour")?,
            Element::ZeroHour12 => self.fields.hour = self.number_below(13, true, "hour")?,
            Element::Minute => self.fields.minute = self.number_below(60, false, "minute")?,
            Element::ZeroMinute => self.fields.minute = self.number_below(60, true, "minute")?,
            Element::Second | Element::ZeroSecond => {
                self.fields.second = self.number_below(60, element == Element::ZeroSecond, "second")?;
                // Digits behind a point may follow though the layout has none.
                if self.rest.first().is_some_and(|byte| is_separator(*byte)) && self.digit_at(1) {
                    let in_layout = matches!(next(rest_of_layout).element, Some(Element::Fraction { .. }));
                    if !in_layout {
                        self.any_fraction()?;
                    }
                }
            }
            Element::UpperPm => self.fields.afternoon = Some(self.half_of_day(b"PM", b"AM")?),
            Element::LowerPm => self.fields.afternoon = Some(self.half_of_day(b"pm", b"am")?),
            Element::Abbreviation => {
                if let Some(rest) = self.rest.strip_prefix(b"UTC") {
                    self.rest = rest;
                    self.fields.is_utc = true;
                } else {
                    let length = abbreviation_length(self.rest).ok_or(Fault::Bad)?;
                    self.fields.abbreviation = String::from_utf8_lossy(self.take(length)?).into_owned();
                }
            }
            Element::Offset(shape) => self.offset(shape)?,
            Element::Fraction { digits, keep_zeros: true, .. } => {
                let text = self.take(1 + digits)?;
                self.fields.nanoseconds = fraction(text)?;
            }
            Element::Fraction { .. } => {
                if self.rest.first().is_some_and(|byte| is_separator(*byte)) && self.digit_at(1) {
                    self.any_fraction()?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Fault::Bad)?;
        self.rest = rest;
        Ok(taken)
    }

    fn digit_at(&self, index: usize) -> bool {
        self.rest.get(index).is_some_and(u8::is_ascii_digit)
    }

    /// One digit or two; two where it is `fixed`.
    fn number(&mut self, fixed: bool) -> Result<i64, Fault> {
        if !self.digit_at(0) || (fixed && !self.digit_at(1)) {
            return Err(Fault::Bad);
        }
        let length = if self.digit_at(1) { 2 } else { 1 };
        signed_number(self.take(length)?)
    }

    fn number_below(&mut self, limit: i64, fixed: bool, what: &'static str) -> Result<i64, Fault> {
        let number = self.number(fixed)?;
        if number < limit { Ok(number) } else { Err(Fault::Range(what)) }
    }

    fn year_day(&mut self, fixed: bool) -> Result<(), Fault> {
        for _ in 0..if fixed { 0 } else { 2 } {
            self.rest = self.rest.strip_prefix(b" ").unwrap_or(self.rest);
        }
        let length = (0..3).take_while(|index| self.digit_at(*index)).count();
        if length == 0 || (fixed && length != 3) {
            return Err(Fault::Bad);
        }
        self.fields.year_day = Some(signed_number(self.take(length)?)? as u16);
        Ok(())
    }

    /// The index of the name in front, in any case.
    fn name(&mut self, names: &[&str], length: Option<usize>) -> Result<u8, Fault> {
        for (index, name) in names.iter().enumerate() {
            let name = &name.as_bytes()[..length.unwrap_or(name.len())];
            if self.rest.get(..name.len()).is_some_and(|front| front.eq_ignore_ascii_case(name)) {
                self.rest = &self.rest[name.len()..];
                return Ok(index as u8);
            }
        }
        Err(Fault::Bad)
    }

    fn half_of_day(&mut self, after: &[u8], before: &[u8]) -> Result<bool, Fault> {
        match self.take(2)? {
            half if half == after => Ok(true),
            half if half == before => Ok(false),
            _ => Err(Fault::Bad),
        }
    }

    /// All digits behind the separator in front.
    fn any_fraction(&mut self) -> Result<(), Fault> {
        let digits = self.rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = self.take(1 + digits)?;
        self.fields.nanoseconds = fraction(text)?;
        Ok(())
    }

    fn offset(&mut self, shape: OffsetShape) -> Result<(), Fault> {
        if shape.zulu
            && let Some(rest) = self.rest.strip_prefix(b"Z")
        {
            self.rest = rest;
            self.fields.is_utc = true;
            return Ok(());
        }
        let parts = 1 + usize::from(shape.minutes) + usize::from(shape.seconds);
        let text = self.take(1 + 2 * parts + if shape.colons { parts - 1 } else { 0 })?;
        let step = if shape.colons { 3 } else { 2 };
        if shape.colons && (1..parts).any(|index| text[index * step] != b':') {
            return Err(Fault::Bad);
        }
        let mut numbers = [0; 3];
        let mut bad = false;
        for (index, number) in numbers.iter_mut().enumerate().take(parts) {
            let digits = &text[1 + index * step..][..2];
            bad |= !digits.iter().all(u8::is_ascii_digit);
            if !bad {
                *number = signed_number(digits)?;
            }
        }
        let [hours, minutes, seconds] = numbers;
        for (number, limit, what) in [
            (hours, 24, "time zone offset hour"),
            (minutes, 60, "time zone offset minute"),
            (seconds, 60, "time zone offset second"),
        ] {
            if number > limit {
                return Err(Fault::Range(what));
            }
        }
        let offset = (hours * 60 + minutes) * 60 + seconds;
        self.fields.offset = match text[0] {
            b'+' if !bad => Some(offset),
            b'-' if !bad => Some(-offset),
            _ => return Err(Fault::Bad),
        };
        Ok(())
    }
}

impl Fields {
    fn time(mut self, zone: &Zone) -> Result<Time, &'static str> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        if let Some(year_day) = self.year_day {
            self.set_year_day(year_day)?;
        }
        let (year, month, day) = (self.year, self.month.unwrap_or(1), self.day.unwrap_or(1));
        if day < 1 || day > days_in(month, year) {
            return Err("day out of range");
        }
        let clock = (self.hour * 60 + self.minute) * 60 + self.second;
        let date = (year, i64::from(month) - 1, i64::from(day) - 1);
        let at = |zone: &Zone| Time::of_date(date, clock, self.nanoseconds, zone.clone());
        if self.is_utc {
            return Ok(at(&Zone::Utc));
        }
        let wall = at(&Zone::Utc).seconds;
        let time = |seconds, zone: Zone| Time { seconds, nanoseconds: self.nanoseconds, zone };
        // Go keeps -1 for "no offset", so that one second west counts as none.
        if let Some(offset) = self.offset.filter(|offset| *offset != -1) {
            let seconds = wall.wrapping_sub(offset);
            let (local_offset, name) = zone.at(seconds);
            if local_offset == offset && (self.abbreviation.is_empty() || name == self.abbreviation) {
                return Ok(time(seconds, zone.clone()));
            }
            return Ok(time(seconds, Zone::Fixed(self.abbreviation.into(), offset as i32)));
        }
        if !self.abbreviation.is_empty() {
            if let Some(offset) = zone.offset_of_abbreviation(&self.abbreviation, wall) {
                return Ok(time(wall.wrapping_sub(offset), zone.clone()));
            }
            // The clock is taken as UTC's; only `GMT+3` says what it is worth.
            let hours = self.abbreviation.strip_prefix("GMT").and_then(|hours| hours.parse::<i32>().ok());
            return Ok(time(wall, Zone::Fixed(self.abbreviation.into(), hours.unwrap_or(0) * 3600)));
        }
        Ok(at(zone))
    }

    fn set_year_day(&mut self, mut year_day: u16) -> Result<(), &'static str> {
        let mut date = None;
        if is_leap(self.year) {
            if year_day == 31 + 29 {
                date = Some((2, 29));
            } else if year_day > 31 + 29 {
                year_day -= 1;
            }
        }
        if !(1..=365).contains(&year_day) {
            return Err("day-of-year out of range");
        }
        let (month, day) = date.unwrap_or_else(|| {
            const COMMON_YEAR: i64 = 1;
            let month = (1..=12).rev().find(|month| days_before(*month, COMMON_YEAR) < year_day).unwrap_or(1);
            (month, year_day - days_before(month, COMMON_YEAR))
        });
        if self.month.is_some_and(|known| known != month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|known| known != day) {
            return Err("day-of-year does not match day");
        }
        (self.month, self.day) = (Some(month), Some(day));
        Ok(())
    }
}

fn trim_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'.' | b',')
}

/// Digits, with a sign perhaps.
fn signed_number(text: &[u8]) -> Result<i64, Fault> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Fault::Bad)
}

/// Nanoseconds of a separator and digits, of which nine count.
fn fraction(text: &[u8]) -> Result<u32, Fault> {
    if !text.first().is_some_and(|byte| is_separator(*byte)) {
        return Err(Fault::Bad);
    }
    let digits = &text[1..text.len().min(10)];
    let number = signed_number(digits)?;
    let scaled = number * 10i64.pow(9 - digits.len() as u32);
    u32::try_from(scaled).map_err(|_| Fault::Range("fractional second"))
}

/// How long the zone's abbreviation in front of `text` is.
fn abbreviation_length(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_hours_length(rest).unwrap_or(0));
    }
    if matches!(text[0], b'+' | b'-') {
        return signed_hours_length(text);
    }
    let letters = text.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    match letters {
        3 => Some(3),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        5 if text[4] == b'T' => Some(5),
        _ => None,
    }
}

/// The length of `+3` or `-07`, up to 23 hours.
fn signed_hours_length(text: &[u8]) -> Option<usize> {
    if !matches!(text.first()?, b'+' | b'-') {
        return None;
    }
    let digits = text[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let hours: u64 = std::str::from_utf8(&text[1..=digits]).ok()?.parse().ok()?;
    (hours <= 23).then_some(1 + digits)
}
