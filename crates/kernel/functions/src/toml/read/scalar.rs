//! Strings, numbers, booleans and dates of TOML.

use super::{Reader, check_control, rune};
use crate::date::{Time, Zone};
use crate::toml::{DATE, DATE_TIME, TIME};
use onepane_value::Value;

impl<'a> Reader<'a> {
    pub(super) fn basic_string(&mut self) -> Result<String, String> {
        self.bump();
        let mut out = String::new();
        loop {
            match self.peek() {
                None => return Err("unexpected EOF; expected '\"'".into()),
                Some('"') => break,
                Some('\n') => return Err("strings cannot contain newlines".into()),
                Some('\\') => out.push(self.escape()?),
                Some(letter) => {
                    check_control(letter)?;
                    out.push(letter);
                    self.bump();
                }
            }
        }
        self.bump();
        Ok(out)
    }

    pub(super) fn literal_string(&mut self) -> Result<String, String> {
        self.bump();
        let start = self.at;
        loop {
            match self.peek() {
                None => return Err("unexpected EOF; expected \"'\"".into()),
                Some('\'') => break,
                Some('\n') => return Err("strings cannot contain newlines".into()),
                Some(letter) => check_control(letter)?,
            }
            self.bump();
        }
        let string = self.text[start..self.at].to_owned();
        self.bump();
        Ok(string)
    }

    /// Between three double quotes: a line break right after them falls away, and so does white space around one with a
    /// backslash before it.
    pub(super) fn long_basic_string(&mut self) -> Result<String, String> {
        self.open_long();
        let mut out = String::new();
        while !self.closes("\"\"\"", &mut out)? {
            match self.peek() {
                Some('\\') => {
                    let spaces = self.rest()[1..].len() - self.rest()[1..].trim_start_matches([' ', '\t', '\r']).len();
                    if self.rest()[1 + spaces..].starts_with('\n') {
                        self.bump();
                        while matches!(self.peek(), Some(' ' | '\t' | '\r' | '\n')) {
                            self.bump();
                        }
                    } else {
                        out.push(self.escape()?);
                    }
                }
                _ => self.long_letter(&mut out)?,
            }
        }
        Ok(out)
    }

    pub(super) fn long_literal_string(&mut self) -> Result<String, String> {
        self.open_long();
        let mut out = String::new();
        while !self.closes("'''", &mut out)? {
            self.long_letter(&mut out)?;
        }
        Ok(out)
    }

    fn open_long(&mut self) {
        self.at += 3;
        if self.rest().starts_with("\r\n") {
            self.at += 1;
        }
        self.eat('\n');
    }

    /// Whether the string ends here; up to two quotes more belong to it.
    fn closes(&mut self, quotes: &str, out: &mut String) -> Result<bool, String> {
        if self.peek().is_none() {
            let quote = if quotes.starts_with('"') { '\'' } else { '"' };
            return Err(format!("unexpected EOF; expected {quote}{quotes}{quote}"));
        }
        if !self.rest().starts_with(quotes) {
            return Ok(false);
        }
        self.at += 3;
        for _ in 0..2 {
            if self.rest().starts_with(&quotes[..1]) {
                out.push_str(&quotes[..1]);
                self.at += 1;
            }
        }
        Ok(true)
    }

    fn long_letter(&mut self, out: &mut String) -> Result<(), String> {
        if self.rest().starts_with("\r\n") {
            self.at += 1;
        }
        if let Some(letter) = self.peek() {
            check_control(letter)?;
            out.push(letter);
            self.bump();
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<char, String> {
        let start = self.at;
        self.bump();
        let letter = self.bump();
        Ok(match letter {
            Some('b') => '\x08',
            Some('t') => '\t',
            Some('n') => '\n',
            Some('f') => '\x0C',
            Some('r') => '\r',
            Some('e') => '\x1B',
            Some('"') => '"',
            Some('\\') => '\\',
            Some('x') => self.hexadecimal(start, 2, "two", 'x')?,
            Some('u') => self.hexadecimal(start, 4, "four", 'u')?,
            Some('U') => self.hexadecimal(start, 8, "eight", 'U')?,
            other => return Err(format!("invalid escape in string '\\{}'", other.map_or(String::new(), String::from))),
        })
    }

    fn hexadecimal(&mut self, start: usize, length: usize, name: &str, letter: char) -> Result<char, String> {
        let from = self.at;
        for _ in 0..length {
            if !self.bump().is_some_and(|digit| digit.is_ascii_hexdigit()) {
                let found = self.text[start..self.at].escape_debug();
                return Err(format!(
                    "expected {name} hexadecimal digits after '\\{letter}', but got \"{found}\" instead"
                ));
            }
        }
        let digits = &self.text[from..self.at];
        u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(|| format!("Escaped character '\\u{digits}' is not valid UTF-8."))
    }

    pub(super) fn boolean(&mut self) -> Result<Value, String> {
        let word = self.take(|letter| letter.is_alphabetic());
        match word {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            "inf" => Ok(Value::float(f64::INFINITY)),
            "nan" => Ok(Value::float(f64::NAN)),
            _ => Err(format!("expected value but found \"{word}\" instead")),
        }
    }

    pub(super) fn number_or_date(&mut self) -> Result<Value, String> {
        let rest = self.rest();
        let unsigned = rest.trim_start_matches(['+', '-']);
        let sign = rest.len() - unsigned.len();
        match unsigned.as_bytes() {
            [b'0', base @ (b'x' | b'o' | b'b'), ..] => {
                if sign > 0 {
                    let shown = &rest[..sign + 2];
                    return Err(format!("cannot use sign with non-decimal numbers: '{shown}'"));
                }
                return self.integer_in(*base);
            }
            [b'i' | b'n', ..] if sign == 1 => {
                self.at += 1;
                let word = self.take(|letter| letter.is_ascii_alphabetic());
                return match word {
                    "inf" => Ok(Value::float(if rest.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY })),
                    "nan" => Ok(Value::float(f64::NAN)),
                    _ => Err(format!("invalid float: '{}{word}'", &rest[..1])),
                };
            }
            [b'0'..=b'9', ..] => {}
            [b'.', ..] => return Err("floats must start with a digit, not '.'".into()),
            _ => return Err(format!("expected a digit but got {}", rune(unsigned.chars().next()))),
        }
        let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        if sign == 0 && matches!(unsigned.as_bytes().get(digits), Some(b'-' | b':')) {
            return self.date();
        }
        let start = self.at;
        self.at += sign;
        let exponent = std::cell::Cell::new(false);
        self.take(|letter| {
            let belongs =
                matches!(letter, '0'..='9' | '_' | '.' | 'e' | 'E') || (exponent.get() && matches!(letter, '+' | '-'));
            exponent.set(matches!(letter, 'e' | 'E'));
            belongs
        });
        let token = &self.text[start..self.at];
        number(token)
    }

    fn integer_in(&mut self, base: u8) -> Result<Value, String> {
        let (base, name) = match base {
            b'x' => (16, "a hexadecimal"),
            b'o' => (8, "an octal"),
            _ => (2, "a binary"),
        };
        let prefix = self.rest()[..2].to_owned();
        self.at += 2;
        let digits = self.take(|letter| letter.is_digit(base) || letter == '_').to_owned();
        if digits.is_empty() {
            return Err(format!("not {name} number: '{prefix}{}'", self.peek().unwrap_or('\0')));
        }
        let token = format!("{prefix}{digits}");
        check_underscores(&digits, &token, "integer")?;
        let number = i64::from_str_radix(&digits.replace('_', ""), base);
        number.map(Value::int64).map_err(|_| format!("{token} is out of range for int64"))
    }

    fn date(&mut self) -> Result<Value, String> {
        let mut token = self.take(|letter| matches!(letter, '0'..='9' | '-' | ':' | '.' | '+' | 'T' | 't' | 'Z' | 'z'));
        // A space may stand between a date and a time.
        let after = &self.text[self.at..];
        if token.len() == 10 && after.starts_with(' ') && after[1..].starts_with(|letter: char| letter.is_ascii_digit())
        {
            let start = self.at - token.len();
            self.at += 1;
            self.take(|letter| matches!(letter, '0'..='9' | '-' | ':' | '.' | '+' | 'Z' | 'z'));
            token = &self.text[start..self.at];
        }
        date(token).map(Value::object).ok_or_else(|| format!("invalid datetime: \"{token}\""))
    }

    /// What matches from here on, which is then behind. It holds no line break.
    fn take(&mut self, matches: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        let rest = &self.text[start..];
        self.at += rest.find(|letter| !matches(letter)).unwrap_or(rest.len());
        &self.text[start..self.at]
    }
}

fn number(token: &str) -> Result<Value, String> {
    let float = token.contains(['.', 'e', 'E']);
    let kind = if float { "float" } else { "integer" };
    let digits = token.trim_start_matches(['+', '-']);
    check_underscores(digits, token, kind)?;
    if digits.len() > 1 && digits.starts_with('0') && !digits[1..].starts_with(['.', 'e', 'E']) {
        return Err(format!("Invalid {kind} \"{token}\": cannot have leading zeroes"));
    }
    let plain = token.replace('_', "");
    if !float {
        return plain.parse().map(Value::int64).map_err(|_| format!("{token} is out of range for int64"));
    }
    let ends_in_point = |part: &str| part.ends_with('.');
    if token.split(['e', 'E']).any(ends_in_point) {
        return Err(format!("Invalid float \"{token}\": '.' must be followed by one or more digits"));
    }
    match plain.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Value::float(number)),
        Ok(_) => Err(format!("{token} is out of range for float64")),
        Err(_) => Err(format!("Invalid float value: \"{token}\"")),
    }
}

fn check_underscores(digits: &str, token: &str, kind: &str) -> Result<(), String> {
    let surrounded = |part: &str| !part.is_empty() && part.ends_with(|l: char| l != '.') && !part.starts_with('.');
    if digits.contains('_') && !digits.split('_').all(surrounded) {
        return Err(format!("Invalid {kind} \"{token}\": underscores must be surrounded by digits"));
    }
    Ok(())
}

/// A date, a time of day, or both, with or without an offset.
fn date(token: &str) -> Option<Time> {
    let (day, clock) = match token.find(['T', 't', ' ']) {
        Some(at) => (Some(&token[..at]), Some(&token[at + 1..])),
        None if token.contains(':') => (None, Some(token)),
        None => (Some(token), None),
    };
    let (year, month, day_of_month) = match day {
        Some(day) => {
            let [year, month, day] = parts(day, '-', &[4, 2, 2])?[..] else { return None };
            (year, month, day)
        }
        None => (0, 1, 1),
    };
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day_of_month) {
        return None;
    }
    let (clock, zone) = match (day, clock) {
        (Some(_), None) => ("00:00:00", local(DATE)),
        (None, Some(clock)) => (clock, local(TIME)),
        (_, Some(clock)) => offset(clock)?,
        (None, None) => return None,
    };
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
    let parts = parts(clock, ':', &[2, 2, 2])?;
    let second = match parts.len() {
        2 if fraction.is_none() => 0,
        3 => parts[2],
        _ => return None,
    };
    let (hour, minute) = (*parts.first()?, *parts.get(1)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanoseconds = match fraction {
        Some(digits) if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) => return None,
        Some(digits) => format!("{:0<9.9}", digits).parse().ok()?,
        None => 0,
    };
    let wall = days_from_civil(year, month, day_of_month) * 86_400 + hour * 3_600 + minute * 60 + second;
    let east = match &zone {
        Zone::Fixed(_, east) => i64::from(*east),
        _ => 0,
    };
    Some(Time { seconds: wall - east, nanoseconds, zone })
}

/// BurntSushi's zones for what has no offset.
fn local(name: &str) -> Zone {
    Zone::Fixed(name.into(), 0)
}

/// The clock without its offset, and the zone that the offset makes.
fn offset(clock: &str) -> Option<(&str, Zone)> {
    if let Some(clock) = clock.strip_suffix(['Z', 'z']) {
        return Some((clock, Zone::Utc));
    }
    let Some(at) = clock.find(['+', '-']) else {
        return Some((clock, local(DATE_TIME)));
    };
    let [hours, minutes] = parts(&clock[at + 1..], ':', &[2, 2])?[..] else { return None };
    if hours > 24 || minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3_600 + minutes * 60).ok()?;
    let east = if clock[at..].starts_with('-') { -seconds } else { seconds };
    Some((&clock[..at], if east == 0 { Zone::Utc } else { Zone::Fixed("".into(), east) }))
}

/// Numbers of so many digits each; fewer numbers are possible.
fn parts(text: &str, separator: char, lengths: &[usize]) -> Option<Vec<i64>> {
    let parts: Vec<&str> = text.split(separator).collect();
    if parts.len() > lengths.len() {
        return None;
    }
    parts
        .iter()
        .zip(lengths)
        .map(|(part, length)| {
            let digits = part.len() == *length && part.bytes().all(|digit| digit.is_ascii_digit());
            if digits { part.parse().ok() } else { None }
        })
        .collect()
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970, of a year that counts from March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
