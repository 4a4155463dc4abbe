//! Moments as Go keeps and prints them: [`Time`].

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// A moment, in the zone in which somebody noted it, by RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    local: DateTime,
    offset: i32,
}

impl Time {
    /// This moment, in the zone of this machine.
    pub fn now() -> Self {
        let now = Zoned::now();
        Self { local: now.datetime(), offset: now.offset().seconds() }
    }

    /// Reads what Go's `RFC3339Nano` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (local, offset) = match text.strip_suffix(['Z', 'z']) {
            Some(local) => (local, 0),
            None => {
                let at = text.len().checked_sub(6)?;
                let (local, zone) = (text.get(..at)?, text.get(at..)?);
                let sign = match zone.as_bytes().first()? {
                    b'+' => 1,
                    b'-' => -1,
                    _ => return None,
                };
                let (hours, minutes) = zone[1..].split_once(':')?;
                let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
                (local, sign * (hours * 3600 + minutes * 60))
            }
        };
        Offset::from_seconds(offset).ok()?;
        Some(Self { local: local.parse().ok()?, offset })
    }

    /// As JSON has it: `RFC3339Nano`.
    pub fn rfc3339_nano(&self) -> String {
        let fraction = format!(".{:09}", self.local.subsec_nanosecond());
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        format!("{}{fraction}{}", self.local.strftime("%Y-%m-%dT%H:%M:%S"), self.zone())
    }

    /// `RFC3339`, without fractions of a second.
    pub fn rfc3339(&self) -> String {
        format!("{}{}", self.local.strftime("%Y-%m-%dT%H:%M:%S"), self.zone())
    }

    /// `Mon Jan  2 15:04:05 2006`
    pub fn ansi(&self) -> String {
        self.local.strftime("%a %b %e %H:%M:%S %Y").to_string()
    }

    /// As Go prints a time that nobody has given a layout: with the name of the zone if it is that of this machine.
    pub fn go_string(&self) -> String {
        let fraction = format!(".{:09}", self.local.subsec_nanosecond());
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        let numeric = self.offset_text("");
        let name = match self.timestamp() {
            _ if self.offset == 0 => "UTC".to_owned(),
            Some(timestamp) => {
                let zone = TimeZone::system();
                let here = zone.to_offset_info(timestamp);
                if here.offset().seconds() == self.offset { here.abbreviation().to_owned() } else { numeric.clone() }
            }
            None => numeric.clone(),
        };
        format!("{}{fraction} {numeric} {name}", self.local.strftime("%Y-%m-%d %H:%M:%S"))
    }

    /// Seconds since 1970.
    pub fn unix(&self) -> i64 {
        self.timestamp().map_or(0, Timestamp::as_second)
    }

    fn timestamp(&self) -> Option<Timestamp> {
        Offset::from_seconds(self.offset).ok()?.to_timestamp(self.local).ok()
    }

    fn zone(&self) -> String {
        if self.offset == 0 { "Z".to_owned() } else { self.offset_text(":") }
    }

    fn offset_text(&self, between: &str) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs() / 60;
        format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_go_does() {
        let time = Time::parse("2026-11-03T01:02:03.1204+05:30").expect("it is one");
        assert_eq!(time.rfc3339_nano(), "2026-11-03T01:02:03.1204+05:30");
        assert_eq!(time.rfc3339(), "2026-11-03T01:02:03+05:30");
        assert_eq!(time.ansi(), "Tue Nov  3 01:02:03 2026");
        assert_eq!(time.go_string(), "2026-11-03 01:02:03.1204 +0530 +0530");
        let utc = Time::parse("2026-11-03T01:02:03Z").expect("it is one");
        assert_eq!(utc.go_string(), "2026-11-03 01:02:03 +0000 UTC");
        assert_eq!((utc.unix(), Time::parse("yesterday"), Time::parse("")), (1_793_667_723, None, None));
        assert_eq!(Time::parse(&Time::now().rfc3339_nano()).map(|time| time.unix()), Some(Time::now().unix()));
    }
}
