//! `helmfile build`: the states, read and merged.

use super::charts::{is_prepared, prepare};
use super::hooks::{Event, trigger};
use super::session::Session;
use super::{Failure, print};
use crate::commands::pflag::{Flag, Kind, Parsed, flag};
use onepane_helmfile::YamlStyle;
use onepane_world::World;

pub(super) const FLAGS: &[Flag] = &[flag("embed-values", Kind::Bool, "what values files hold in place of their names")];

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let mut session = Session::open(flags)?;
    let is_old = session.world.env("HELMFILE_GO_YAML_V3").is_some_and(|value| value == "false");
    let style = if is_old { YamlStyle::V2 } else { YamlStyle::V3 };
    let mut any = false;
    for mut state in std::mem::take(&mut session.states) {
        prepare(&session, &mut state, flags, "build", None)?;
        let state = &state;
        let mut written = Vec::new();
        for release in state.listed()? {
            any = true;
            let chart = if is_prepared(release) { session.prepared_chart(state, release) } else { None };
            let embedded = flags.is_set("embed-values");
            let embed = embedded.then_some((&session.world as &dyn World, &session.system as _));
            written.push(release.written(state, chart.as_deref(), embed)?);
        }
        let path = onepane_world::normalize(&session.folder.join(&state.path));
        print(&format!("---\n#  Source: {path}\n\n{}", state.written(&written, style)?))?;
        trigger(&session, state, None, Event::Cleanup, "build")?;
    }
    session.check_selected(any, flags)
}
