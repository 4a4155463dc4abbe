//! What is let pass: findings that are suppressed in the source, and those that a baseline lists.

use super::Arguments;
use super::report::{Passed, Report, Told};
use crate::atomic;
use crate::terminal::Failure;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Span};
use onepane_rules::{Baseline, Finding, Suppression};
use onepane_world::{EntryKind, OsWorld, World};
use std::collections::HashMap;

/// Takes out of the report what is let pass, and adds what is wrong with suppressions and the baseline themselves.
pub(super) fn let_pass(roots: &[Utf8PathBuf], arguments: &Arguments, report: &mut Report) -> Result<(), Failure> {
    for root in roots {
        if let Ok(world) = OsWorld::within(root) {
            suppress(&world, report);
        }
    }
    if let Some(path) = &arguments.baseline {
        baseline(path, arguments.write_baseline, report)?;
    }
    report.sort();
    Ok(())
}

/// Takes out what is suppressed in the files of `world`.
pub(super) fn suppress(world: &dyn World, report: &mut Report) {
    let mut by_file: HashMap<FileId, Vec<(Suppression, bool)>> = HashMap::new();
    // A suppression is of no use only if all that it might be for was looked for.
    let is_whole = report.selection.is_whole();
    let files = if is_whole { sources(world) } else { Vec::new() };
    let with_findings = report.findings.iter().filter_map(|told| Some(told.span()?.file.path().to_owned()));
    for file in files.into_iter().chain(with_findings.collect::<Vec<_>>()) {
        let id = FileId::new(&file);
        by_file.entry(id).or_insert_with(|| {
            let text =
                world.read(&file).ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()).unwrap_or_default();
            Suppression::all(&text, id).into_iter().map(|one| (one, false)).collect()
        });
    }
    let mut kept = Vec::new();
    for told in std::mem::take(&mut report.findings) {
        let own = told.span().and_then(|span| Some((by_file.get_mut(&span.file)?, span)));
        let found = own.and_then(|(all, span)| {
            let (suppression, used) = all.iter_mut().find(|(one, _)| one.is_for(told.diagnostic.code, span))?;
            *used = true;
            Some(suppression.reason.clone())
        });
        match found {
            Some(reason) => report.passed.push(Passed { told, reason: Some(reason) }),
            None => kept.push(told),
        }
    }
    report.findings = kept;
    let mut all: Vec<(Suppression, bool)> = by_file.into_values().flatten().collect();
    all.sort_by_key(|(one, _)| one.span);
    for (suppression, used) in all {
        if let Some(problem) = suppression.problem() {
            report.add_finding(problem, None, None);
        } else if !used && is_whole {
            let message = format!("nothing here is to be suppressed: {} finds nothing", suppression.codes.join(", "));
            let finding = Finding::at_line("suppression-unused", suppression.span, message);
            report.add_finding(finding.hint("take the comment out"), None, None);
        }
    }
}

/// The files in which suppressions may stand: those of people, not what is rendered, vendored or of services.
fn sources(world: &dyn World) -> Vec<Utf8PathBuf> {
    const MOST: usize = 100_000;
    let Ok(layout) = onepane_repo::Layout::read(world) else { return Vec::new() };
    let mut files = Vec::new();
    let mut folders =
        vec![layout.helm_charts.clone(), layout.components.clone(), layout.groups.clone(), layout.clusters.clone()];
    let rendered = layout.rendered();
    while let Some(folder) = folders.pop() {
        // Links are not followed.
        for entry in world.list(&folder).unwrap_or_default().into_iter().filter(|entry| !entry.link) {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Folder if path != rendered => folders.push(path),
                EntryKind::File if files.len() < MOST && is_text(&path) => files.push(path),
                _ => {}
            }
        }
    }
    files.push(".gitmodules".into());
    files.sort();
    files
}

fn is_text(path: &Utf8Path) -> bool {
    matches!(path.extension(), Some("yaml" | "yml" | "tpl" | "gotmpl" | "env" | "properties"))
}

fn baseline(path: &Utf8Path, write: bool, report: &mut Report) -> Result<(), Failure> {
    if write {
        let mut new = Baseline::default();
        for told in report.findings.iter().filter(|told| is_listed(told)) {
            new.add(told.file(), told.diagnostic.code, &told.diagnostic.message);
        }
        atomic::write(path, new.to_text().as_bytes())?;
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        Diagnostic::error("check-baseline", format!("`{path}` can't be read: {error}"))
            .hint("`--write-baseline` writes one")
    })?;
    let mut known = Baseline::read(&text, path)?;
    let mut kept = Vec::new();
    for told in std::mem::take(&mut report.findings) {
        if is_listed(&told) && known.take(told.file(), told.diagnostic.code, &told.diagnostic.message) {
            report.passed.push(Passed { told, reason: None });
        } else {
            kept.push(told);
        }
    }
    report.findings = kept;
    if report.selection.is_whole() {
        for (code, file, message) in known.rest() {
            let message = format!("the baseline lists what is mended: {code} in {file}: {message}");
            let finding = Finding::at_line("baseline-stale", Span::file(path), message);
            report.add_finding(finding.hint("`--write-baseline` takes it out"), None, None);
        }
    }
    Ok(())
}

/// What is wrong with the suppressions themselves is not to be kept.
fn is_listed(told: &Told) -> bool {
    !told.diagnostic.code.starts_with("suppression-")
}
