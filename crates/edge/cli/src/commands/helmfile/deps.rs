//! `helmfile deps`: what charts depend on, made new, and the lock file of the state.

use super::repositories::{Which, sync};
use super::session::Session;
use super::{Failure, VERSION};
use crate::atomic;
use crate::commands::helm::update_dependencies_for_helmfile;
use crate::commands::pflag::{Flag, Kind, Parsed, flag};
use camino::Utf8Path;
use onepane_diagnostics::FileId;
use onepane_helmfile::{LockFile, State};
use onepane_value::{List, Map, Value, to_yaml};
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
        sync(&session, state, Which::of(state, flags.is_set("skip-repos")), flags)?;
        for release in state.listed()?.into_iter().filter(|release| release.desired) {
            any = true;
            if session.world.kind(&release.chart.join("Chart.yaml")).is_some() {
                session.say(&format!("Updating dependency {}", release.chart));
                update_dependencies_for_helmfile(&release.chart)?;
            }
        }
        lock(&session, state)?;
    }
    session.check_selected(any, flags)
}

/// Writes the lock file of a state: which versions the charts have that its releases want from repositories. A chart is
/// made that depends on all of them, and Helm's rules choose.
fn lock(session: &Session, state: &State) -> Result<(), Failure> {
    let wanted = state.wanted_charts()?;
    if wanted.is_empty() {
        let file = &state.path;
        session.warn(&format!("{file} names no repository that a release's chart is of: there is nothing to lock"));
        return Ok(());
    }
    let entry = |wanted: &onepane_helmfile::Wanted| {
        let fields = [
            ("name", &wanted.name),
            ("repository", &wanted.repository),
            ("version", &wanted.version),
            ("alias", &wanted.alias),
        ];
        Value::from(Map::from_iter(fields.map(|(key, text)| (key, Value::from(text.as_str())))))
    };
    let dependencies: List = wanted.iter().map(entry).collect();
    let definition = Map::from_iter([
        ("apiVersion", Value::from("v2")),
        ("name", state.base_name().into()),
        ("version", "1.0.0".into()),
        ("dependencies", dependencies.into()),
    ]);
    let definition = to_yaml(&definition.into()).map_err(Failure::text)?.to_string();
    let fail = |error: std::io::Error| Failure::text(format!("the temporary folder can't be used: {error}"));
    let temporary = tempfile::tempdir().map_err(fail)?;
    let folder = Utf8Path::from_path(temporary.path()).ok_or_else(|| Failure::text("it has no UTF-8 path"))?;
    std::fs::write(folder.join("Chart.yaml"), definition).map_err(fail)?;
    let path = session.folder.join(state.lock_path());
    let helm_lock = folder.join("Chart.lock");
    // With the old one, Helm sees that nothing changed.
    if let Ok(old) = std::fs::read(&path) {
        std::fs::write(&helm_lock, old).map_err(fail)?;
    }
    update_dependencies_for_helmfile(folder)?;
    let chosen = LockFile::parse(&std::fs::read(&helm_lock).map_err(fail)?, FileId::new("Chart.lock"))?;
    let lock = LockFile { version: format!("v{VERSION}"), ..chosen };
    atomic::write(&path, lock.text()?.as_bytes())?;
    Ok(())
}
