//! `helmfile diff`: what bringing releases to their clusters would change.

use super::at_work::Work;
use super::charts::{is_on, prepare};
use super::flags::{choice, has_color};
use super::helm_flags::HelmCall;
use super::hooks::{Event, trigger};
use super::live::{Failed, Live, Why};
use super::session::Session;
use super::upgrade_call::diff_call;
use super::{Failure, write};
use crate::commands::helm::{self, diff_for_helmfile};
use crate::commands::pflag::Parsed;
use onepane_helmfile::Release;

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let mut session = Session::open(flags)?;
    let work = Work::new(flags.text("concurrency"));
    let (mut any, mut changes) = (false, false);
    for mut state in std::mem::take(&mut session.states) {
        prepare(&session, &mut state, flags, "diff", None)?;
        let live = Live::new(&session, &state, flags, &work);
        let releases = state.concerned(choice(flags))?;
        any |= !releases.is_empty();
        let compared = compare(&live, &releases, flags.is_set("detailed-exitcode"));
        if let Ok(Compared { reached, .. }) = &compared {
            reached.iter().for_each(|release| live.clean_up(release, "diff"));
        }
        trigger(&session, &state, None, Event::Cleanup, "diff")?;
        let compared = compared?;
        changes |= !(compared.changed.is_empty() && compared.deleted.is_empty());
        if !releases.is_empty()
            && let Some(message) = compared.message(flags.is_set("detailed-exitcode"))
        {
            session.say(&message);
        }
        live.outcome(compared.failed)?;
    }
    session.check_selected(any, flags)?;
    match changes && flags.is_set("detailed-exitcode") {
        true => Err(Failure::Exit(2, "Identified at least one change".to_owned())),
        false => Ok(()),
    }
}

/// What came of comparing releases.
pub(super) struct Compared<'l> {
    /// Those that would change, as far as anybody wanted to know.
    pub(super) changed: Vec<&'l Release>,
    /// Those that would go.
    pub(super) deleted: Vec<&'l Release>,
    failed: Vec<Failed>,
    /// Those that were compared.
    reached: Vec<&'l Release>,
}

impl Compared<'_> {
    /// What Helmfile says before it does something.
    pub(super) fn message(&self, is_detailed: bool) -> Option<String> {
        if self.changed.is_empty() && self.deleted.is_empty() {
            return is_detailed.then(|| "No affected releases".to_owned());
        }
        let line = |release: &&Release, what: &str| format!("  {} ({}) {what}\n", release.name, release.chart_name);
        let updated = self.changed.iter().map(|release| line(release, "UPDATED"));
        let mut lines: Vec<String> =
            updated.chain(self.deleted.iter().map(|release| line(release, "DELETED"))).collect();
        lines.sort();
        Some(format!("Affected releases are:\n{}", lines.concat()))
    }

    /// The same, that failed being the command's failure.
    pub(super) fn checked(mut self, live: &Live<'_>) -> Result<Self, Failure> {
        live.outcome(std::mem::take(&mut self.failed))?;
        Ok(self)
    }
}

/// What is to be compared, and how.
enum Comparison {
    /// It is not, and counts as changed.
    Skipped,
    Call(HelmCall),
}

/// What is printed of a release, and whether it would change.
type Difference = Result<(Vec<u8>, bool), helm::Failure>;

/// Compares releases with what their clusters have, and prints the differences. With `is_detailed`, of those that do not differ
/// nothing is printed but that they were compared.
pub(super) fn compare<'l>(
    live: &Live<'l>,
    releases: &[&'l Release],
    is_detailed: bool,
) -> Result<Compared<'l>, Failure> {
    live.warn_of_needs(releases);
    let Live { session, state, flags, work, .. } = live;
    let has_color = has_color(flags, &session.world);
    let desired: Vec<&Release> = releases.iter().copied().filter(|release| release.desired).collect();
    let mut compared = Compared { changed: Vec::new(), deleted: Vec::new(), failed: Vec::new(), reached: Vec::new() };
    let mut comparisons: Vec<Option<Comparison>> = Vec::new();
    for release in &desired {
        let skips_validation = flags.is_set("skip-diff-validation-on-install")
            || release.field("disableValidationOnInstall").is_some_and(|value| value.truth());
        let comparison = || {
            let needs_to_know = flags.is_set("skip-diff-on-install") || skips_validation;
            let is_new = needs_to_know && !live.is_installed(release)?;
            if is_new && flags.is_set("skip-diff-on-install") {
                return Ok(Comparison::Skipped);
            }
            let call = diff_call(session, state, release, flags, skips_validation && is_new, has_color)?;
            Ok(Comparison::Call(call))
        };
        match comparison() {
            Ok(comparison) => comparisons.push(Some(comparison)),
            Err(failure) => compared.failed.push(Failed::processing(release, Why::Other(failure))),
        }
    }
    if !compared.failed.is_empty() {
        return Ok(compared);
    }
    if desired.iter().any(|release| is_on(state, release, "takeOwnership")) || flags.is_set("take-ownership") {
        session.warn("warn: which resources would be taken from others is not compared");
    }
    let mut printed: Vec<String> = desired.iter().map(|_| String::new()).collect();
    let mut skipped = vec![false; desired.len()];
    let mut results: Vec<Option<Difference>> = desired.iter().map(|_| None).collect();
    let is_quiet = |release: &Release| {
        flags.is_set("suppress-diff") || release.field("suppressDiff").is_some_and(|value| value.truth())
    };
    let start = |at: usize| match comparisons[at].take()? {
        Comparison::Skipped => {
            skipped[at] = true;
            None
        }
        Comparison::Call(call) => {
            let release = desired[at];
            let chart = call.arguments.get(1).map(|chart| live.named_chart(release, chart)).unwrap_or_default();
            let line = format!("Comparing release={}, chart={chart}, namespace={}\n", release.name, release.namespace);
            if is_quiet(release) {
                session.say(&line)
            } else {
                printed[at] = line
            }
            Some(call)
        }
    };
    let world = &session.world;
    let compare = |call: HelmCall, _: &_| diff_for_helmfile(&call.arguments, &call.world(world));
    work.each(desired.len(), start, compare, |at, result| results[at] = result);
    for (at, result) in results.into_iter().enumerate() {
        let release = desired[at];
        compared.reached.push(release);
        write(printed[at].as_bytes());
        match result {
            Some(Ok((text, has_changes))) => {
                if !(is_quiet(release) || text.is_empty() || is_detailed && !has_changes) {
                    write(&[&*text, b"\n"].concat());
                }
                if has_changes && is_detailed {
                    compared.changed.push(release);
                }
            }
            Some(Err(failure)) => compared.failed.push(Failed { about: String::new(), why: Why::Helm(failure) }),
            None if skipped[at] => compared.changed.push(release),
            None => {
                let why = Why::Other(Failure::text("it was not compared"));
                compared.failed.push(Failed::processing(release, why));
            }
        }
    }
    work.check()?;
    compared.deleted = live.to_delete(releases)?;
    Ok(compared)
}
