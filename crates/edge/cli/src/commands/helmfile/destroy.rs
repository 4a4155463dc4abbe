//! `helmfile destroy`: releases are uninstalled, those that need others before those.

use super::Failure;
use super::at_work::Work;
use super::charts::prepare;
use super::hooks::{Event, trigger};
use super::live::Live;
use super::session::Session;
use super::sync::is_among;
use crate::commands::pflag::{Flag, Kind, Parsed, flag};
use onepane_helmfile::Release;

pub(super) const FLAGS: &[Flag] = &[
    flag("cascade", Kind::Text, "what becomes of what belongs to resources: background, foreground or orphan"),
    flag("deleteTimeout", Kind::Integer, "how many seconds each thing is waited for, until it is gone"),
    flag("deleteWait", Kind::Bool, "wait until resources are gone"),
    flag("skip-charts", Kind::Bool, "don't get charts ready"),
];

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let mut session = Session::open(flags)?;
    let work = Work::new(flags.text("concurrency"));
    let mut any = false;
    for mut state in std::mem::take(&mut session.states).into_iter().rev() {
        let has_charts = !flags.is_set("skip-charts");
        if has_charts {
            prepare(&session, &mut state, flags, "destroy", None)?;
        }
        let mut releases = state.chosen(false);
        releases.reverse();
        any |= !releases.is_empty();
        let outcome = destroy(&Live::new(&session, &state, flags, &work), &releases);
        if has_charts {
            trigger(&session, &state, None, Event::Cleanup, "destroy")?;
        }
        outcome?;
    }
    session.check_selected(any, flags)
}

fn destroy<'l>(live: &Live<'l>, releases: &[&'l Release]) -> Result<(), Failure> {
    if releases.is_empty() {
        return Ok(());
    }
    let mut to_delete: Vec<&Release> = Vec::new();
    for release in releases {
        if live.is_installed(release)? {
            to_delete.push(release);
        }
    }
    let absent = releases.iter().filter(|release| !is_among(release, &to_delete));
    absent.for_each(|release| live.clean_up(release, "delete"));
    let lines: Vec<String> =
        releases.iter().map(|release| format!("  {} ({})", release.name, release.chart_name)).collect();
    let question = format!(
        "Affected releases are:\n{}\n\nDo you really want to delete?\n  Helmfile will delete all your releases, as shown \
         above.\n\n",
        lines.join("\n")
    );
    let seconds = live.flags.text("deleteTimeout").and_then(|text| text.parse().ok());
    let waits = live.flags.is_set("deleteWait").then_some(true);
    let failed = match live.is_agreed(&question)? {
        true => live.uninstall(&to_delete, "delete", waits, seconds),
        false => Ok(Vec::new()),
    };
    live.say_affected();
    live.outcome(failed?)
}
