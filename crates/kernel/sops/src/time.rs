//! The clock as SOPS notes it.

use onepane_world::World;

/// Now, as RFC 3339 in UTC without fractions of seconds.
pub(crate) fn now(world: &dyn World) -> String {
    let now = jiff::Timestamp::try_from(world.now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
