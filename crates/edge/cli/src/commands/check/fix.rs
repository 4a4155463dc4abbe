//! Mends what is certain: [`fix`].

use super::report::{Report, Told};
use crate::atomic;
use crate::terminal::Failure;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Span;
use onepane_rules::{Fix, mended};
use std::collections::BTreeMap;

/// Makes the changes that mend findings, where the line says what the finding is about and nothing else has to change. A
/// file is written once, whole; what was mended goes from the findings to what the report lists as mended.
pub(super) fn fix(root: &Utf8Path, report: &mut Report) -> Result<(), Failure> {
    let mut texts: BTreeMap<Utf8PathBuf, Option<String>> = BTreeMap::new();
    let mut kept = Vec::new();
    // A word is mended once, however many resources are made of it.
    let mut done: Vec<(Span, Fix)> = Vec::new();
    for told in std::mem::take(&mut report.findings) {
        let Some((span, fix)) = told.span().zip(told.fix.clone()) else {
            kept.push(told);
            continue;
        };
        if done.contains(&(span, fix.clone())) {
            report.fixed.push(told);
            continue;
        }
        let path = span.file.path().to_owned();
        let text = texts.entry(path.clone()).or_insert_with(|| read(root, &path));
        match text.as_deref().and_then(|text| mended(text, span, &told.written, &fix)) {
            Some(new) => {
                *text = Some(new);
                done.push((span, fix));
                report.fixed.push(told);
            }
            None => kept.push(told),
        }
    }
    report.findings = kept;
    for (path, text) in texts {
        if let Some(text) = text.filter(|_| done.iter().any(|(span, _)| span.file.path() == path)) {
            atomic::rewrite(&root.join(path), text.as_bytes())?;
        }
    }
    Ok(())
}

/// The text of a file of people's: not one that is rendered, nor a copy of a chart within another.
fn read(root: &Utf8Path, path: &Utf8Path) -> Option<String> {
    let is_copy = path.components().any(|part| matches!(part.as_str(), "charts" | "rendered"));
    // Not through a link that leads out of the repository.
    let is_ours = || {
        root.join(path)
            .canonicalize_utf8()
            .is_ok_and(|real| root.canonicalize_utf8().is_ok_and(|root| real.starts_with(root)))
    };
    (path.is_relative() && !is_copy && is_ours()).then(|| std::fs::read_to_string(root.join(path)).ok()).flatten()
}

/// What was mended, for people.
pub(super) fn line_of(told: &Told) -> String {
    let place = told.span().map_or_else(String::new, |span| format!("{span}: "));
    let to = match &told.fix {
        Some(Fix::Rename(to) | Fix::Replace(to)) => format!("is now `{to}`"),
        _ => "is taken out".to_owned(),
    };
    format!(
        "{place}fixed[{}]: {} {to}",
        told.diagnostic.code,
        if told.written.is_empty() { "it".to_owned() } else { format!("`{}`", told.written) }
    )
}
