//! Time zones: [`Zone`], Go's `*time.Location`.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use onepane_world::World;
use std::sync::Arc;

/// A time zone.
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    /// Coordinated universal time.
    Utc,
    /// A zone of the IANA tables.
    Named(TimeZone),
    /// A zone that a text told: an abbreviation, which may be empty, and seconds east of UTC.
    Fixed(Arc<str>, i32),
}

impl Zone {
    /// The zone of a render: UTC unless the environment's `TZ` names one, so that machines agree.
    pub(crate) fn local(world: &dyn World) -> Self {
        let name = world.env("TZ").unwrap_or_default();
        Self::named(name.strip_prefix(':').unwrap_or(&name)).unwrap_or(Self::Utc)
    }

    /// Go's `LoadLocation` for names of the tables, which count by case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if name.is_empty() || name == "UTC" {
            return Some(Self::Utc);
        }
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(Self::Named(zone))
    }

    /// Seconds east of UTC and the abbreviation at a Unix time.
    pub(crate) fn at(&self, unix: i64) -> (i64, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed(name, offset) => (i64::from(*offset), name.to_string()),
            Self::Named(zone) => {
                let info = zone.to_offset_info(timestamp(unix));
                (i64::from(info.offset().seconds()), info.abbreviation().to_owned())
            }
        }
    }

    /// Whether summer time is in force.
    pub(crate) fn is_summer(&self, unix: i64) -> bool {
        match self {
            Self::Named(zone) => zone.to_offset_info(timestamp(unix)).dst().is_dst(),
            _ => false,
        }
    }

    /// The offset that a clock on the wall means: in a gap or an overlap the one that Go's `Date` takes.
    pub(crate) fn offset_of_wall(&self, wall: i64) -> i64 {
        match self.at(wall).0 {
            0 => 0,
            offset => self.at(wall.wrapping_sub(offset)).0,
        }
    }

    /// The offset of the abbreviation `name`, at the wall time or else at another time near it.
    pub(crate) fn offset_of_abbreviation(&self, name: &str, wall: i64) -> Option<i64> {
        let Self::Named(zone) = self else { return None };
        let start = timestamp(wall);
        let (offset, current) = self.at(wall);
        let mut offsets: Vec<i64> = if current == name { vec![offset] } else { Vec::new() };
        let around = zone.preceding(start).take(64).chain(zone.following(start).take(64));
        for transition in around.filter(|transition| transition.abbreviation() == name) {
            let offset = i64::from(transition.offset().seconds());
            if !offsets.contains(&offset) {
                offsets.push(offset);
            }
        }
        let in_force = offsets.iter().find(|offset| self.at(wall.wrapping_sub(**offset)).1 == name);
        in_force.or(offsets.first()).copied()
    }
}

/// The tables know the years -9999 to 9999. Before, their beginning holds; after, they repeat with the calendar, every
/// 400 years.
fn timestamp(unix: i64) -> Timestamp {
    const CYCLE: i64 = 146_097 * 86_400;
    let last = Timestamp::MAX.as_second();
    let unix = if unix > last { last - CYCLE + 1 + (unix - last - 1) % CYCLE } else { unix };
    Timestamp::from_second(unix).unwrap_or(Timestamp::MIN)
}
