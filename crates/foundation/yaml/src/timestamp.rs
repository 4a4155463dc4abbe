//! Timestamps as go-yaml recognises them.

use std::fmt::Write;

/// Reads `text` as one of go-yaml's four forms: with `T` or `t` and a zone, with a space and no zone, or a date alone.
/// Gives it as RFC 3339 with up to nine decimals, as Go's JSON encoder writes it.
pub(crate) fn parse_timestamp(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut rest = Rest(&bytes[5..]);
    let year: u32 = text[..4].parse().ok()?;
    let month = rest.number()?;
    rest.expect(b'-')?;
    let day = rest.number()?;
    if !(1..=12).contains(&month) || day == 0 || day > days_in(month, year) {
        return None;
    }
    let mut out = format!("{year:04}-{month:02}-{day:02}");
    if rest.0.is_empty() {
        out.push_str("T00:00:00Z");
        return Some(out);
    }
    let zoned = match rest.byte()? {
        b'T' | b't' => true,
        b' ' => false,
        _ => return None,
    };
    let hour = rest.number()?;
    rest.expect(b':')?;
    let minute = rest.number()?;
    rest.expect(b':')?;
    let second = rest.number()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let _ = write!(out, "T{hour:02}:{minute:02}:{second:02}");
    out.push_str(&rest.fraction());
    out.push_str(&if zoned { rest.zone()? } else { "Z".to_owned() });
    rest.0.is_empty().then_some(out)
}

fn days_in(month: u32, year: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.byte()? == byte).then_some(())
    }

    /// One or two digits.
    fn number(&mut self) -> Option<u32> {
        let first = self.byte().filter(u8::is_ascii_digit)?;
        let mut value = u32::from(first - b'0');
        if let Some(second) = self.0.first().filter(|byte| byte.is_ascii_digit()) {
            value = value * 10 + u32::from(second - b'0');
            self.0 = &self.0[1..];
        }
        Some(value)
    }

    fn two_digits(&mut self) -> Option<u32> {
        let (tens, ones) = (self.byte()?, self.byte()?);
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
    }

    /// Decimals of a second, nine at most kept, zeros at the end dropped.
    fn fraction(&mut self) -> String {
        let digits = match self.0 {
            [b'.' | b',', rest @ ..] => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
            _ => 0,
        };
        if digits == 0 {
            return String::new();
        }
        let kept: String = self.0[1..=digits].iter().take(9).map(|byte| char::from(*byte)).collect();
        self.0 = &self.0[digits + 1..];
        match kept.trim_end_matches('0') {
            "" => String::new(),
            kept => format!(".{kept}"),
        }
    }

    /// `Z` or `+hh:mm`.
    fn zone(&mut self) -> Option<String> {
        let sign = match self.byte()? {
            b'Z' => return Some("Z".into()),
            sign @ (b'+' | b'-') => char::from(sign),
            _ => return None,
        };
        let hours = self.two_digits()?;
        self.expect(b':')?;
        let minutes = self.two_digits()?;
        if hours > 24 || minutes > 60 {
            return None;
        }
        Some(if hours == 0 && minutes == 0 { "Z".into() } else { format!("{sign}{hours:02}:{minutes:02}") })
    }
}
