//! Go's layouts: times are written and read by the example of `Mon Jan 2 15:04:05 MST 2006`.

/// One piece of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumericMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    SpaceDay,
    ZeroDay,
    SpaceYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    Abbreviation,
    Offset(OffsetShape),
    /// So many digits behind a point or a comma; zeros at the end are kept or not.
    Fraction {
        digits: usize,
        separator: u8,
        keep_zeros: bool,
    },
}

/// How a zone's offset is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetShape {
    /// `Z` stands for no offset.
    pub(super) zulu: bool,
    pub(super) colons: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

/// The text before the first element, the element with its text, and the rest.
pub(super) struct Chunk<'a> {
    pub(super) prefix: &'a [u8],
    pub(super) element: Option<Element>,
    pub(super) text: &'a [u8],
    pub(super) rest: &'a [u8],
}

/// Splits a layout at its first element.
pub(super) fn next(layout: &[u8]) -> Chunk<'_> {
    for at in 0..layout.len() {
        if let Some((element, skip, length)) = element_at(&layout[at..]) {
            let start = at + skip;
            return Chunk {
                prefix: &layout[..start],
                element: Some(element),
                text: &layout[start..start + length],
                rest: &layout[start + length..],
            };
        }
    }
    Chunk { prefix: layout, element: None, text: &[], rest: &[] }
}

/// The element that `text` begins with, how many bytes before it are literal after all, and its length.
fn element_at(text: &[u8]) -> Option<(Element, usize, usize)> {
    use Element as E;
    let starts = |prefix: &str| text.starts_with(prefix.as_bytes());
    let lower_follows = |length: usize| text.get(length).is_some_and(u8::is_ascii_lowercase);
    let (element, length) = match text.first()? {
        b'J' if starts("January") => (E::LongMonth, 7),
        b'J' if starts("Jan") && !lower_follows(3) => (E::Month, 3),
        b'M' if starts("Monday") => (E::LongWeekday, 6),
        b'M' if starts("Mon") && !lower_follows(3) => (E::Weekday, 3),
        b'M' if starts("MST") => (E::Abbreviation, 3),
        b'0' => match text.get(1)? {
            b'1' => (E::ZeroMonth, 2),
            b'2' => (E::ZeroDay, 2),
            b'3' => (E::ZeroHour12, 2),
            b'4' => (E::ZeroMinute, 2),
            b'5' => (E::ZeroSecond, 2),
            b'6' => (E::Year, 2),
            b'0' if starts("002") => (E::ZeroYearDay, 3),
            _ => return None,
        },
        b'1' if starts("15") => (E::Hour, 2),
        b'1' => (E::NumericMonth, 1),
        b'2' if starts("2006") => (E::LongYear, 4),
        b'2' => (E::Day, 1),
        b'_' if starts("_2006") => return Some((E::LongYear, 1, 4)),
        b'_' if starts("_2") => (E::SpaceDay, 2),
        b'_' if starts("__2") => (E::SpaceYearDay, 3),
        b'3' => (E::Hour12, 1),
        b'4' => (E::Minute, 1),
        b'5' => (E::Second, 1),
        b'P' if starts("PM") => (E::UpperPm, 2),
        b'p' if starts("pm") => (E::LowerPm, 2),
        sign @ (b'-' | b'Z') => {
            let shapes = [
                ("070000", false, true, true),
                ("07:00:00", true, true, true),
                ("0700", false, true, false),
                ("07:00", true, true, false),
                ("07", false, false, false),
            ];
            let (digits, colons, minutes, seconds) =
                shapes.into_iter().find(|(digits, ..)| text[1..].starts_with(digits.as_bytes()))?;
            (E::Offset(OffsetShape { zulu: *sign == b'Z', colons, minutes, seconds }), 1 + digits.len())
        }
        separator @ (b'.' | b',') => {
            let digit = *text.get(1).filter(|digit| matches!(digit, b'0' | b'9'))?;
            let digits = text[1..].iter().take_while(|byte| **byte == digit).count();
            if text.get(1 + digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            (E::Fraction { digits, separator: *separator, keep_zeros: digit == b'0' }, 1 + digits)
        }
        _ => return None,
    };
    Some((element, 0, length))
}
