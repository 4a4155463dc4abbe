//! How findings are reported, one file a format.

mod github;
mod json;
mod junit;
mod sarif;
mod text;

use super::Level;
use super::report::Report;

/// How to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// JUnit's XML, for test reports.
    Junit,
}

/// The report in a format.
pub(super) fn of(report: &Report, format: Format, fail_on: Level) -> String {
    match format {
        Format::Text => text::of(report),
        Format::Json => json::of(report),
        Format::Sarif => sarif::of(report),
        Format::Github => github::of(report),
        Format::Junit => junit::of(report, fail_on),
    }
}

/// `1 chart`, `2 charts`
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What is said of a finding besides its message, line by line.
fn remarks(told: &super::report::Told) -> Vec<String> {
    let mut lines: Vec<String> = told.diagnostic.hints.clone();
    for frame in &told.diagnostic.trace {
        lines.push(match frame.span {
            Some(span) => format!("{} ({span})", frame.message),
            None => frame.message.clone(),
        });
    }
    if let Some(span) = told.rendered {
        lines.push(format!("rendered as {}:{}", span.file.path(), span.line));
    }
    if !told.clusters.is_empty() {
        lines.push(format!("in {}", told.clusters.iter().map(String::as_str).collect::<Vec<_>>().join(", ")));
    }
    lines
}
