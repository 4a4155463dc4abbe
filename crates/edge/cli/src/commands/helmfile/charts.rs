//! `helmfile deps`, and what charts depend on before they are rendered.

use super::Failure;
use super::session::Session;
use crate::commands::helm::build_dependencies_for_helmfile;
use crate::commands::pflag::{Flag, Kind, Parsed, flag};
use onepane_helmfile::{Release, State};
use onepane_world::World;

pub(super) const FLAGS: &[Flag] = &[
    flag("args", Kind::Text, "no effect here"),
    flag("concurrency", Kind::Integer, "no effect here"),
    flag("skip-repos", Kind::Bool, "don't refresh chart repositories"),
];

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let session = Session::open(flags)?;
    let mut any = false;
    for state in &session.states {
        for release in state.chosen(false).into_iter().filter(|release| release.desired) {
            any = true;
            build_dependencies(&session, state, release, flags)?;
        }
    }
    session.check_selected(any, flags)
}

/// Fetches what the release's own chart depends on, where it is a folder of this machine.
pub(super) fn build_dependencies(
    session: &Session,
    state: &State,
    release: &Release,
    flags: &Parsed,
) -> Result<(), Failure> {
    let skips = release.field("skipDeps").or_else(|| state.default("skipDeps")).is_some_and(|value| value.truth());
    let definition = release.chart.join("Chart.yaml");
    if flags.is_set("skip-deps") || skips || session.world.kind(&definition).is_none() {
        return Ok(());
    }
    Ok(build_dependencies_for_helmfile(&release.chart, &session.world)?)
}
