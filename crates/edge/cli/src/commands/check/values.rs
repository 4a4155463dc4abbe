//! Values that no template reads.

use super::Arguments;
use super::report::{Report, Told};
use crate::commands::releases::on_all_cores;
use crate::terminal::{Failure, Terminal};
use camino::Utf8PathBuf;
use onepane_chart::{Origins, load};
use onepane_check::{Checked, ReadChart, Unread, unread_by_all};
use onepane_diagnostics::{Diagnostic, Severity};
use onepane_repo::{LastChecked, Repository};
use onepane_world::OsWorld;

/// Checks charts with the values files that they are given.
pub(super) fn check_charts(
    charts: &[&Utf8PathBuf],
    values: &[Utf8PathBuf],
    report: &mut Report,
) -> Result<(), Failure> {
    let current = std::env::current_dir().ok().and_then(|folder| Utf8PathBuf::try_from(folder).ok());
    let world = OsWorld::unrestricted(current.unwrap_or_else(|| ".".into()));
    let check = |path: &&Utf8PathBuf| {
        let chart = load(path, &world, Origins::Untracked, &mut |_| {})?;
        ReadChart::new(chart).check(values, &world)
    };
    let checked = charts.iter().map(check).collect::<Result<Vec<_>, _>>()?;
    for one in &checked {
        one.handed_down.iter().for_each(|unread| add_own(report, unread, Severity::Warning));
        one.own.iter().for_each(|unread| add_own(report, unread, Severity::Note));
    }
    add(report, &checked);
    Ok(())
}

/// Checks the installed releases of a repository. What can't be read of one is a finding, unless it was found before.
pub(super) fn check_releases(
    terminal: &Terminal,
    repository: &Repository<'_>,
    arguments: &Arguments,
    report: &mut Report,
) {
    let listed = match repository.listed_releases(&arguments.environment) {
        Ok(listed) => listed,
        Err(error) => return add_error(report, *error),
    };
    let bar = terminal.progress(listed.len(), "checking");
    let checked = on_all_cores(repository, &arguments.environment, &listed, |listed, state, last: &mut LastChecked| {
        let checked: Result<Checked, Box<Diagnostic>> =
            state.release(&listed.name).and_then(|release| repository.check(release, last));
        bar.inc(1);
        checked
    });
    bar.finish_and_clear();
    let mut whole = Vec::new();
    for checked in checked {
        match checked {
            Ok(checked) => whole.push(checked),
            Err(error) => add_error(report, *error),
        }
    }
    add(report, &whole);
}

/// Adds what stands in the way of reading values, which rendering may have met already.
fn add_error(report: &mut Report, error: Diagnostic) {
    let is_known = |told: &Told| error.primary.as_ref().map(|label| label.span) == told.span();
    if !report.findings.iter().any(is_known) {
        report.add_diagnostic(error, None);
    }
}

fn add(report: &mut Report, checked: &[Checked]) {
    report.charts += checked.len();
    let mut files: Vec<_> = checked.iter().flat_map(|one| &one.files).collect();
    files.sort();
    files.dedup();
    report.files += files.len();
    for unread in unread_by_all(checked) {
        report.unread += usize::from(report.selection.has("values-unread"));
        report.add_diagnostic(*unread.to_diagnostic(Severity::Warning), None);
    }
    report.beyond += checked.iter().filter(|one| one.is_beyond).count();
}

/// What stands in a chart's own values. Only what stands in values files that were given makes the command fail.
fn add_own(report: &mut Report, unread: &Unread, severity: Severity) {
    report.unread_own += usize::from(report.selection.has("values-unread"));
    let diagnostic = *unread.to_diagnostic(severity);
    let written = String::new();
    report.add(Told { diagnostic, clusters: [].into(), rendered: None, fix: None, written, counts: false });
}
