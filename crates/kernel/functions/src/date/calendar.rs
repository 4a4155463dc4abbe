//! Days and dates of the proleptic Gregorian calendar over Go's whole range of years.

/// Names of months.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Names of days.
pub(super) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(super) const SECONDS_A_DAY: i64 = 86_400;

/// Seconds from the beginning of Go's calendar, 1 March of the year -292277022400, to 1970.
const EPOCH: i64 = 9_223_372_028_741_760_000;

/// A date with what is said of its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: u8,
    /// From 1.
    pub(super) day: u8,
    /// From 1.
    pub(super) year_day: u16,
    /// From Sunday, 0.
    pub(super) weekday: u8,
}

/// The date, and the seconds since midnight, of seconds since 1970. Out of range it wraps as Go's does.
pub(super) fn date_and_clock(seconds: i64) -> (Date, u32) {
    let absolute = seconds.wrapping_add(EPOCH).cast_unsigned();
    let days = (absolute / SECONDS_A_DAY as u64).cast_signed() - EPOCH / SECONDS_A_DAY;
    (date(days), (absolute % SECONDS_A_DAY as u64) as u32)
}

/// The date of a number of days since 1970-01-01.
fn date(days: i64) -> Date {
    // Years begin in March here, so that the leap day is a year's last.
    let from_era = days + 719_468;
    let era = from_era.div_euclid(146_097);
    let day_of_era = from_era.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u8;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u8;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let year_day = (i64::from(day) + i64::from(days_before(month, year))) as u16;
    Date { year, month, day, year_day, weekday: (days + 4).rem_euclid(7) as u8 }
}

/// Days from 1970-01-01 to the first of a month; `month` counts from 0 and may lie outside the year.
pub(super) fn days_to_month(year: i64, month: i64) -> i128 {
    let year = i128::from(year) + i128::from(month.div_euclid(12));
    let month = month.rem_euclid(12) + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = i128::from((153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days of the year come before a month, which counts from 1 (13 is the end of the year).
pub(super) fn days_before(month: u8, year: i64) -> u16 {
    const BEFORE: [u16; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    BEFORE[usize::from(month - 1)] + u16::from(month > 2 && is_leap(year))
}

pub(super) fn days_in(month: u8, year: i64) -> u16 {
    days_before(month + 1, year) - days_before(month, year)
}
