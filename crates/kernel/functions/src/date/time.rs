//! A moment with a zone: [`Time`], Go's `time.Time` as templates see it.

use super::calendar::{Date, MONTHS, SECONDS_A_DAY, WEEKDAYS, date_and_clock, days_to_month};
use super::duration::{self, Duration};
use super::zone::Zone;
use onepane_value::{Data, IntKind, Kind, List, Object, Text, Value};
use std::borrow::Cow;
use std::time::SystemTime;

/// A moment with a zone.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    /// Since 1970.
    pub(crate) seconds: i64,
    /// Of the second.
    pub(crate) nanoseconds: u32,
    pub(crate) zone: Zone,
}

/// Go's zero time in seconds since 1970: the first of January of the year 1.
const ZERO: i64 = -62_135_596_800;

impl Time {
    /// Go's zero value, which is what a failed conversion leaves.
    pub(crate) const ZERO: Self = Self { seconds: ZERO, nanoseconds: 0, zone: Zone::Utc };

    pub(crate) fn now(now: SystemTime, zone: Zone) -> Self {
        match now.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Self { seconds: since.as_secs() as i64, nanoseconds: since.subsec_nanos(), zone },
            // A clock before 1970 is no clock.
            Err(_) => Self { seconds: 0, nanoseconds: 0, zone },
        }
    }

    /// A date as year, month from 0 and day from 0, which may lie outside their ranges, and a clock on the wall.
    pub(super) fn of_date(date: (i64, i64, i64), clock: i64, nanoseconds: u32, zone: Zone) -> Self {
        let days = days_to_month(date.0, date.1) + i128::from(date.2);
        let wall = (days * i128::from(SECONDS_A_DAY) + i128::from(clock)) as i64;
        Self { seconds: wall.wrapping_sub(zone.offset_of_wall(wall)), nanoseconds, zone }
    }

    /// The same moment in another zone.
    pub(crate) fn in_zone(&self, zone: Zone) -> Self {
        Self { zone, ..*self }
    }

    pub(crate) fn add(&self, duration: i64) -> Self {
        let nanoseconds = i64::from(self.nanoseconds) + duration % duration::SECOND;
        let seconds = self
            .seconds
            .wrapping_add(duration / duration::SECOND)
            .wrapping_add(nanoseconds.div_euclid(duration::SECOND));
        Self { seconds, nanoseconds: nanoseconds.rem_euclid(duration::SECOND) as u32, zone: self.zone.clone() }
    }

    /// The nanoseconds since `other`, as many as fit.
    pub(crate) fn since(&self, other: &Self) -> i64 {
        let nanoseconds = |time: &Self| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
        let difference = nanoseconds(self) - nanoseconds(other);
        i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }

    fn date_and_clock(&self) -> (Date, u32) {
        date_and_clock(self.seconds.wrapping_add(self.zone.at(self.seconds).0))
    }

    fn order(&self, other: &Self) -> std::cmp::Ordering {
        (self.seconds, self.nanoseconds).cmp(&(other.seconds, other.nanoseconds))
    }

    /// Down to a multiple of `multiple` nanoseconds since the year 1; what is left over.
    fn remainder(&self, multiple: i64) -> i64 {
        let since = (i128::from(self.seconds) - i128::from(ZERO)) * 1_000_000_000 + i128::from(self.nanoseconds);
        since.rem_euclid(i128::from(multiple)) as i64
    }

    fn rfc3339(&self) -> Vec<u8> {
        self.format(b"2006-01-02T15:04:05.999999999Z07:00")
    }
}

/// The time in a value, if it is one.
pub(crate) fn time_in(value: &Value) -> Option<&Time> {
    match &value.data {
        Data::Object(object) => object.as_any().downcast_ref(),
        _ => None,
    }
}

const METHODS: [&str; 31] = [
    "Add",
    "AddDate",
    "After",
    "Before",
    "Compare",
    "Day",
    "Equal",
    "Format",
    "GoString",
    "Hour",
    "IsDST",
    "IsZero",
    "Local",
    "MarshalJSON",
    "MarshalText",
    "Minute",
    "Month",
    "Nanosecond",
    "Round",
    "Second",
    "String",
    "Sub",
    "Truncate",
    "UTC",
    "Unix",
    "UnixMicro",
    "UnixMilli",
    "UnixNano",
    "Weekday",
    "Year",
    "YearDay",
];

impl Object for Time {
    fn type_name(&self) -> Cow<'static, str> {
        "time.Time".into()
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn has_method(&self, name: &str) -> bool {
        METHODS.contains(&name)
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let wanted = match name {
            "AddDate" => 3,
            "Add" | "After" | "Before" | "Compare" | "Equal" | "Format" | "Round" | "Sub" | "Truncate" => 1,
            _ => 0,
        };
        if arguments.len() != wanted {
            return Err(format!("wrong number of args for {name}: want {wanted} got {}", arguments.len()));
        }
        let wrong_type = |index: usize, wanted| {
            format!("wrong type for value; expected {wanted}; got {}", arguments[index].type_name())
        };
        let other = || time_in(&arguments[0]).ok_or_else(|| wrong_type(0, "time.Time"));
        let nanoseconds = || i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds);
        let (date, clock) = self.date_and_clock();
        Ok(match name {
            "Year" => Value::int(date.year),
            "Month" => {
                Value::object(Named { number: date.month.into(), type_name: "time.Month", names: &MONTHS, first: 1 })
            }
            "Day" => Value::int(date.day.into()),
            "Weekday" => Value::object(Named {
                number: date.weekday.into(),
                type_name: "time.Weekday",
                names: &WEEKDAYS,
                first: 0,
            }),
            "YearDay" => Value::int(date.year_day.into()),
            "Hour" => Value::int((clock / 3600).into()),
            "Minute" => Value::int((clock / 60 % 60).into()),
            "Second" => Value::int((clock % 60).into()),
            "Nanosecond" => Value::int(self.nanoseconds.into()),
            "Unix" => Value::int64(self.seconds),
            "UnixMilli" => Value::int64((nanoseconds() / 1_000_000) as i64),
            "UnixMicro" => Value::int64((nanoseconds() / 1_000) as i64),
            "UnixNano" => Value::int64(nanoseconds() as i64),
            "IsZero" => (self.order(&Self::ZERO).is_eq()).into(),
            "IsDST" => self.zone.is_summer(self.seconds).into(),
            "UTC" => Value::object(self.in_zone(Zone::Utc)),
            // Which zone is local is not known here; where it matters, it is the one that a time has anyway.
            "Local" => Value::object(self.clone()),
            "String" | "GoString" => self.display().unwrap_or_default().into(),
            "MarshalJSON" => List::bytes(format!("\"{}\"", String::from_utf8_lossy(&self.rfc3339()))).into(),
            "MarshalText" => List::bytes(self.rfc3339()).into(),
            "Format" => {
                let layout = arguments[0].as_text().ok_or_else(|| wrong_type(0, "string"))?;
                Text::from(self.format(layout)).into()
            }
            "After" => self.order(other()?).is_gt().into(),
            "Before" => self.order(other()?).is_lt().into(),
            "Equal" => self.order(other()?).is_eq().into(),
            "Compare" => Value::int(self.order(other()?) as i64),
            "Sub" => Value::object(Duration(self.since(other()?))),
            "Add" => Value::object(self.add(duration::from_argument(arguments, name)?)),
            "AddDate" => {
                let number = |index: usize| match arguments[index].data {
                    Data::Int(number, _) => Ok(number),
                    _ => Err(wrong_type(index, "int")),
                };
                let date = (
                    date.year.wrapping_add(number(0)?),
                    i64::from(date.month - 1).wrapping_add(number(1)?),
                    i64::from(date.day - 1).wrapping_add(number(2)?),
                );
                Value::object(Self::of_date(date, clock.into(), self.nanoseconds, self.zone.clone()))
            }
            "Truncate" | "Round" => Value::object(match duration::from_argument(arguments, name)? {
                ..=0 => self.clone(),
                multiple => {
                    let rest = self.remainder(multiple);
                    let up = name == "Round" && rest.unsigned_abs() * 2 >= multiple.unsigned_abs();
                    self.add(if up { multiple - rest } else { -rest })
                }
            }),
            _ => return Err(format!("time.Time has no method {name}")),
        })
    }

    fn display(&self) -> Option<Text> {
        Some(self.format(b"2006-01-02 15:04:05.999999999 -0700 MST").into())
    }

    fn plain(&self) -> Value {
        Text::from(self.rfc3339()).into()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// A `time.Month` or a `time.Weekday`: an integer that prints as a name.
#[derive(Debug)]
struct Named {
    number: i64,
    type_name: &'static str,
    names: &'static [&'static str],
    /// The number of the first name.
    first: i64,
}

impl Object for Named {
    fn type_name(&self) -> Cow<'static, str> {
        self.type_name.into()
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntKind::Default)
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn has_method(&self, name: &str) -> bool {
        name == "String"
    }

    fn call(&self, name: &str, _: &[Value]) -> Result<Value, String> {
        match self.display() {
            Some(text) if name == "String" => Ok(text.into()),
            _ => Err(format!("{} has no method {name}", self.type_name)),
        }
    }

    fn display(&self) -> Option<Text> {
        let index = usize::try_from(self.number - self.first).ok()?;
        self.names.get(index).map(|name| (*name).into())
    }

    fn plain(&self) -> Value {
        Value::int(self.number)
    }

    fn truth(&self) -> bool {
        self.number != 0
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
