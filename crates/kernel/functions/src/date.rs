//! `now`, `date`, `toDate` and their family: Go's package time.
//!
//! The clock is the world's. The local zone is UTC unless the environment's `TZ` says otherwise, so that the same
//! commit renders to the same bytes on every machine.

mod calendar;
mod duration;
mod layout;
mod read;
mod time;
mod write;
mod zone;

use crate::arguments::{Outcome, any, derived, fixed, text};
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Data, IntKind, Text, Value};
pub(crate) use time::time_in;

pub(crate) use duration::{Duration, parse as parse_duration, round as round_duration};
pub(crate) use read::read;
pub(crate) use time::Time;
pub(crate) use zone::Zone;

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("now", &[], |context, _| {
        let world = context.world();
        Ok(Value::object(Time::now(world.now(), Zone::local(world))))
    }),
    fixed("date", &[Type::String, Type::Any], |context, arguments| {
        let zone = Zone::local(context.world());
        format(context, text(arguments, 0)?, any(arguments, 1), zone)
    }),
    fixed("dateInZone", &[Type::String, Type::Any, Type::String], date_in_zone),
    fixed("date_in_zone", &[Type::String, Type::Any, Type::String], date_in_zone),
    fixed("htmlDate", &[Type::Any], |context, arguments| {
        let zone = Zone::local(context.world());
        format(context, HTML, any(arguments, 0), zone)
    }),
    fixed("htmlDateInZone", &[Type::Any, Type::String], |context, arguments| {
        let zone = zone(context, text(arguments, 1)?);
        format(context, HTML, any(arguments, 0), zone)
    }),
    fixed("dateModify", &[Type::String, Type::Time], date_modify),
    fixed("date_modify", &[Type::String, Type::Time], date_modify),
    fixed("mustDateModify", &[Type::String, Type::Time], must_date_modify),
    fixed("must_date_modify", &[Type::String, Type::Time], must_date_modify),
    fixed("toDate", &[Type::String, Type::String], |context, arguments| {
        Ok(to_date(context, arguments)?.unwrap_or_else(|_| Value::object(Time::ZERO)))
    }),
    fixed("mustToDate", &[Type::String, Type::String], |context, arguments| {
        to_date(context, arguments)?.map_err(FunctionError::Message)
    }),
    fixed("unixEpoch", &[Type::Time], |_, arguments| {
        Ok(derived(&arguments[0], time(arguments, 0)?.seconds.to_string()))
    }),
    fixed("ago", &[Type::Any], ago),
    fixed("duration", &[Type::Any], |_, arguments| Ok(derived(&arguments[0], seconds(any(arguments, 0))))),
    fixed("durationRound", &[Type::Any], duration_round),
];

const HTML: &[u8] = b"2006-01-02";

fn date_in_zone(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let zone = zone(context, text(arguments, 2)?);
    format(context, text(arguments, 0)?, any(arguments, 1), zone)
}

/// The zone called `name`; UTC where there is none of that name.
fn zone(context: &dyn Context, name: &Text) -> Zone {
    match &*name.to_str() {
        "Local" => Zone::local(context.world()),
        name => Zone::named(name).unwrap_or(Zone::Utc),
    }
}

/// What is no time and no Unix time is now.
fn format(context: &mut dyn Context, layout: &[u8], date: &Value, zone: Zone) -> Outcome {
    let formatted = match (time_in(date), &date.data) {
        (Some(time), _) => time.in_zone(zone),
        (None, Data::Int(seconds, IntKind::Default | IntKind::Bits32 | IntKind::Bits64)) => {
            Time { seconds: *seconds, nanoseconds: 0, zone }
        }
        _ => Time::now(context.world().now(), zone),
    }
    .format(layout);
    context.charge(formatted.len())?;
    Ok(derived(date, Text::from(formatted)))
}

/// A `time.Time`.
fn time(arguments: &[Value], index: usize) -> Result<&Time, FunctionError> {
    let value = any(arguments, index);
    time_in(value).ok_or_else(|| format!("wrong type for value; expected time.Time; got {}", value.type_name()).into())
}

fn date_modify(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    match duration::parse(&text(arguments, 0)?.to_str()) {
        Ok(duration) => Ok(derived(&arguments[1], Value::object(time(arguments, 1)?.add(duration)))),
        Err(_) => Ok(arguments[1].clone()),
    }
}

fn must_date_modify(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let duration = duration::parse(&text(arguments, 0)?.to_str())?;
    Ok(derived(&arguments[1], Value::object(time(arguments, 1)?.add(duration))))
}

fn to_date(context: &mut dyn Context, arguments: &[Value]) -> Result<Result<Value, String>, FunctionError> {
    let (layout, value) = (text(arguments, 0)?, text(arguments, 1)?);
    let time = read::read(layout, value, &Zone::local(context.world()));
    Ok(time.map(|time| derived(&arguments[1], Value::object(time))))
}

fn ago(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let date = any(arguments, 0);
    let now = Time::now(context.world().now(), Zone::Utc);
    let since = match (time_in(date), &date.data) {
        (Some(time), _) => now.since(time),
        (None, Data::Int(seconds, IntKind::Default | IntKind::Bits64)) => {
            now.since(&Time { seconds: *seconds, nanoseconds: 0, zone: Zone::Utc })
        }
        _ => 0,
    };
    Ok(derived(date, duration::format(duration::round(since, duration::SECOND))))
}

/// `duration` takes strings and `int64`; an `int`, which is what a constant is, counts as nothing.
fn seconds(value: &Value) -> String {
    let seconds = match &value.data {
        Data::String(text) => parse_int(&text.to_str()),
        Data::Int(seconds, IntKind::Bits64) => *seconds,
        _ => 0,
    };
    duration::format(seconds.wrapping_mul(duration::SECOND))
}

/// strconv's `ParseInt` with its error left aside: what is out of range is the nearest that is in it.
fn parse_int(text: &str) -> i64 {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    match text.parse() {
        Ok(number) => number,
        Err(_) if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) => 0,
        Err(_) if text.starts_with('-') => i64::MIN,
        Err(_) => i64::MAX,
    }
}

fn duration_round(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = any(arguments, 0);
    let nanoseconds = match (&value.data, time_in(value)) {
        (Data::String(text), _) => duration::parse(&text.to_str()).unwrap_or(0),
        (Data::Int(nanoseconds, IntKind::Bits64), _) => *nanoseconds,
        (_, Some(time)) => Time::now(context.world().now(), Zone::Utc).since(time),
        _ => 0,
    };
    const SECOND: u64 = 1_000_000_000;
    const DAY: u64 = 86_400 * SECOND;
    let units =
        [(365 * DAY, "y"), (30 * DAY, "mo"), (DAY, "d"), (3600 * SECOND, "h"), (60 * SECOND, "m"), (SECOND, "s")];
    let amount = nanoseconds.unsigned_abs();
    let rounded = units
        .iter()
        .find(|(unit, _)| amount > *unit)
        .map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", amount / unit));
    Ok(derived(value, rounded))
}

/// A moment in UTC, for what certificates say of their time.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    seconds: i64,
    nanoseconds: u32,
}

impl Moment {
    pub(crate) fn now(world: &dyn onepane_world::World) -> Self {
        let Time { seconds, nanoseconds, .. } = Time::now(world.now(), Zone::Utc);
        Self { seconds, nanoseconds }
    }

    /// So many nanoseconds later.
    pub(crate) fn after(self, nanoseconds: i64) -> Self {
        let Time { seconds, nanoseconds, .. } = self.time().add(nanoseconds);
        Self { seconds, nanoseconds }
    }

    pub(crate) fn format(self, layout: &str) -> Vec<u8> {
        self.time().format(layout.as_bytes())
    }

    pub(crate) fn year(self) -> i64 {
        calendar::date_and_clock(self.seconds).0.year
    }

    fn time(self) -> Time {
        Time { seconds: self.seconds, nanoseconds: self.nanoseconds, zone: Zone::Utc }
    }
}
