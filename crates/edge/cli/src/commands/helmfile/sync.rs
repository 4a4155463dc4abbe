//! `helmfile sync`: all releases are brought to their clusters, whatever these have.

use super::Failure;
use super::at_work::Work;
use super::charts::prepare;
use super::diff::compare;
use super::flags::choice;
use super::hooks::{Event, trigger};
use super::live::Live;
use super::session::Session;
use crate::commands::pflag::Parsed;
use onepane_helmfile::{Release, State};

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let mut session = Session::open(flags)?;
    let work = Work::new(flags.text("concurrency")).until_interrupted();
    let (mut any, mut has_worked) = (false, false);
    for mut state in std::mem::take(&mut session.states) {
        prepare(&session, &mut state, flags, "sync", None)?;
        let releases = state.concerned(choice(flags))?;
        any |= !releases.is_empty();
        let outcome = sync(&Live::new(&session, &state, flags, &work), &releases);
        trigger(&session, &state, None, Event::Cleanup, "sync")?;
        has_worked |= outcome?;
    }
    session.check_selected(any, flags)?;
    match has_worked && flags.is_set("detailed-exitcode") {
        true => Err(Failure::Exit(2, String::new())),
        false => Ok(()),
    }
}

/// Whether anything was done.
fn sync<'l>(live: &Live<'l>, releases: &[&'l Release]) -> Result<bool, Failure> {
    if releases.is_empty() {
        return Ok(false);
    }
    let Live { flags, .. } = live;
    live.warn_of_needs(releases);
    let to_delete = live.to_delete(releases)?;
    let to_update: Vec<&Release> = releases.iter().copied().filter(|release| release.desired).collect();
    let mut message = None;
    if live.asks() {
        message = compare(live, releases, flags.is_set("detailed-exitcode"))?.checked(live)?.message(false);
    }
    let affected = message.unwrap_or_else(|| affected(&to_update, &to_delete));
    let question =
        format!("{affected}\nDo you really want to sync?\n  Helmfile will sync all your releases, as shown above.\n\n");
    let mut failed = Vec::new();
    let mut is_done = false;
    let outcome = live.is_agreed(&question).and_then(|is_agreed| {
        if is_agreed {
            is_done = !(to_delete.is_empty() && to_update.is_empty());
            failed.extend(live.uninstall(&to_delete, "sync", None, None)?);
            failed.extend(live.upgrade(&to_update)?);
        }
        Ok(())
    });
    live.say_affected();
    let unchanged = releases.iter().filter(|release| !release.desired && !is_among(release, &to_delete));
    unchanged.for_each(|release| live.clean_up(release, "sync"));
    outcome?;
    live.outcome(failed)?;
    Ok(is_done)
}

fn affected(updated: &[&Release], deleted: &[&Release]) -> String {
    let line = |release: &&Release, what: &str| format!("  {} ({}) {what}\n", release.name, release.chart_name);
    let updated = updated.iter().map(|release| line(release, "UPDATED"));
    let mut lines: Vec<String> = updated.chain(deleted.iter().map(|release| line(release, "DELETED"))).collect();
    lines.sort();
    format!("Affected releases are:\n{}", lines.concat())
}

/// Whether a release is one of those.
pub(super) fn is_among(release: &Release, releases: &[&Release]) -> bool {
    releases.iter().any(|other| std::ptr::eq(*other, release))
}

/// `helmfile apply`: what differs from what clusters have is shown, and then only that is brought there.
pub(super) fn run_apply(flags: &Parsed) -> Result<(), Failure> {
    let mut session = Session::open(flags)?;
    let work = Work::new(flags.text("concurrency")).until_interrupted();
    let (mut any, mut has_changed) = (false, false);
    for mut state in std::mem::take(&mut session.states) {
        prepare(&session, &mut state, flags, "apply", None)?;
        let releases = state.concerned(choice(flags))?;
        any |= !releases.is_empty();
        let outcome = apply(&Live::new(&session, &state, flags, &work), &state, &releases);
        trigger(&session, &state, None, Event::Cleanup, "apply")?;
        has_changed |= outcome?;
    }
    session.check_selected(any, flags)?;
    match has_changed && flags.is_set("detailed-exitcode") {
        true => Err(Failure::Exit(2, String::new())),
        false => Ok(()),
    }
}

/// Whether anything had to be changed.
fn apply<'l>(live: &Live<'l>, state: &State, releases: &[&'l Release]) -> Result<bool, Failure> {
    if releases.is_empty() {
        return Ok(false);
    }
    let compared = compare(live, releases, true)?.checked(live)?;
    let (to_update, to_delete) = (&compared.changed, &compared.deleted);
    if to_update.is_empty() && to_delete.is_empty() {
        return Ok(false);
    }
    let question = format!(
        "{}\nDo you really want to apply?\n  Helmfile will apply all your changes, as shown above.\n\n",
        compared.message(true).unwrap_or_default()
    );
    let mut failed = Vec::new();
    let outcome = live.is_agreed(&question).and_then(|is_agreed| {
        if is_agreed {
            for release in state.waves(releases)?.into_iter().rev().flatten() {
                trigger(live.session, state, Some(release), Event::Preapply, "apply")?;
            }
            failed.extend(live.uninstall(to_delete, "sync", None, None)?);
            failed.extend(live.upgrade(to_update)?);
        }
        Ok(())
    });
    live.say_affected();
    let unchanged = releases.iter().filter(|release| !is_among(release, to_update) && !is_among(release, to_delete));
    unchanged.for_each(|release| live.clean_up(release, "apply"));
    outcome?;
    live.outcome(failed)?;
    Ok(true)
}
