//! For people: a line a finding, and what to do below it.

use super::super::report::Report;
use super::{counted, remarks};
use onepane_diagnostics::{Severity, render_concise};

pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    for told in &report.findings {
        // A line each and none of the file's: what stands in values may be secret.
        text.push_str(&format!("{}\n", render_concise(&told.diagnostic)));
        remarks(told).iter().for_each(|line| text.push_str(&format!("    {line}\n")));
    }
    for told in &report.fixed {
        text.push_str(&format!("{}\n", super::super::fix::line_of(told)));
    }
    if report.fixed.iter().any(|told| told.rendered.is_some()) {
        text.push_str("`onepane render` brings what is rendered up to date\n");
    }
    text.push_str(&of_clusters(report));
    text.push_str(&of_values(report));
    text
}

/// What was found besides values that are not read; nothing where that is nothing.
fn of_clusters(report: &Report) -> String {
    let others = || report.findings.iter().filter(|told| told.diagnostic.code != "values-unread");
    let count = |severity: Severity| others().filter(|told| told.severity() == severity).count();
    let mut counts = Vec::new();
    for (severity, what) in [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")] {
        if count(severity) > 0 {
            counts.push(counted(count(severity), what));
        }
    }
    let suppressed = report.passed.iter().filter(|passed| passed.reason.is_some()).count();
    if suppressed > 0 {
        counts.push(format!("{suppressed} suppressed"));
    }
    if report.passed.len() > suppressed {
        counts.push(format!("{} in the baseline", report.passed.len() - suppressed));
    }
    if !report.fixed.is_empty() {
        counts.push(format!("{} fixed", report.fixed.len()));
    }
    if counts.is_empty() {
        return String::new();
    }
    let builds = counted(report.clusters.len(), "build");
    format!("{builds} of clusters, {}, {}\n", counted(report.resources(), "resource"), counts.join(", "))
}

fn of_values(report: &Report) -> String {
    let outcome = match (report.unread, report.unread_own) {
        (0, 0) => "everything is read".to_owned(),
        (given, 0) => format!("{given} unread"),
        (given, own) => format!("{given} unread, and {own} in the charts' own values"),
    };
    let beyond = match report.beyond {
        0 => String::new(),
        beyond => format!("; {} can't be followed", counted(beyond, "chart")),
    };
    let (charts, files) = (counted(report.charts, "chart"), counted(report.files, "values file"));
    format!("{charts}, {files}, {outcome}{beyond}\n")
}
