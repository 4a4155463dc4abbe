//! Times as Go prints them, in the machine's time zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Now, as encoding/json writes a `time.Time`: with as much of the second as there is.
pub(crate) fn now() -> String {
    trimmed(&local(Timestamp::now(), "%Y-%m-%dT%H:%M:%S%.9f%:z"))
}

/// A time to the second: Go's `RFC3339`.
pub(crate) fn seconds(time: Timestamp) -> String {
    trimmed(&local(time, "%Y-%m-%dT%H:%M:%S%:z"))
}

fn local(time: Timestamp, format: &str) -> String {
    time.to_zoned(TimeZone::system()).strftime(format).to_string()
}

/// A time as encoding/json would write it after it read it: no zeros at the end of the fraction, `Z` for no offset.
pub(crate) fn trimmed(text: &str) -> String {
    let zone = text.get(19..).and_then(|rest| rest.find(['Z', '+', '-'])).map_or(text.len(), |at| at + 19);
    let (time, zone) = text.split_at(zone);
    let time = if time.contains('.') { time.trim_end_matches('0').trim_end_matches('.') } else { time };
    let zone = if zone == "+00:00" { "Z" } else { zone };
    format!("{time}{zone}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_go_does() {
        for (text, wanted) in [
            ("2026-11-23T07:40:22.100000000+00:00", "2026-11-23T07:40:22.1Z"),
            ("2026-11-23T07:40:20+01:00", "2026-11-23T07:40:20+01:00"),
            ("2016-10-06T16:23:20.499814565-06:00", "2016-10-06T16:23:20.499814565-06:00"),
            ("2026-11-23T07:40:20.000Z", "2026-11-23T07:40:20Z"),
            ("", ""),
        ] {
            assert_eq!(trimmed(text), wanted);
        }
        assert!(now().len() >= 20);
    }
}
