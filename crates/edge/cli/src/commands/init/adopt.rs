//! `onepane init` in a repository that was there before: what it is made of, and the few lines that say so.

use crate::atomic;
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, render_concise};
use onepane_repo::{Adoption, BuildOptions, Repository, adopt};
use onepane_world::OsWorld;
use rayon::prelude::*;
use std::fmt::Write;
use std::process::ExitCode;

/// Findings of one sort are told up to this many.
const MOST_TOLD: usize = 40;
const FILE: &str = "onepane.yaml";

/// Looks, reports, and writes `onepane.yaml` if there is need for it and none there.
pub(super) fn run(terminal: &Terminal, directory: Option<&Utf8Path>) -> Result<ExitCode, Failure> {
    let root = top(directory.unwrap_or(Utf8Path::new(".")))?;
    let fail = |error: String| Diagnostic::error("repo-not-found", error);
    let world = OsWorld::within(&root).map_err(|error| fail(error.to_string()))?;
    let elsewhere = Elsewhere::of(&root, true);
    let Adoption { found, text, layout } = adopt(&world, &elsewhere.addresses)?;
    let mut report: String = found.iter().map(|line| format!("{line}\n")).collect();
    // What is there may say otherwise, and is what counts.
    let is_there = root.join(FILE).exists();
    let repository = match is_there {
        true => Repository::open(&world),
        false => Ok(Repository::with_layout(&world, layout)),
    };
    let repository = elsewhere.reached(repository.map_err(Failure::below(&root))?);
    let names = repository.clusters().unwrap_or_default();
    let build = |name: &String| repository.build(&repository.cluster_folder(name), &BuildOptions::default());
    let built: Vec<_> = names.par_iter().map(build).collect();
    let mut said: Vec<String> = Vec::new();
    for (name, built) in names.iter().zip(built) {
        let place = repository.cluster_folder(name);
        match built {
            Ok(built) => {
                _ = writeln!(report, "cluster {name} ({place}): {} resources", built.resources.len());
                said.extend(built.warnings.iter().map(render_concise));
            }
            Err(error) => {
                _ = writeln!(report, "cluster {name} ({place}): can't be built");
                said.push(render_concise(&error));
            }
        }
    }
    if names.is_empty() {
        report += "no clusters: folders of charts and groups can be looked at, there is nothing to build by name\n";
    }
    let mut told: Vec<String> = Vec::new();
    said.into_iter().for_each(|line| {
        if !told.contains(&line) {
            told.push(line);
        }
    });
    if !told.is_empty() {
        report += "what is not followed, offline:\n";
        told.iter().take(MOST_TOLD).for_each(|line| _ = writeln!(report, "  {line}"));
        if told.len() > MOST_TOLD {
            _ = writeln!(report, "  … {} more; `onepane build` tells all", told.len() - MOST_TOLD);
        }
    }
    match (is_there, text.is_empty()) {
        (_, true) => report += "the folders are called as in the pattern: no onepane.yaml is needed\n",
        (true, false) => {
            report += "onepane.yaml is there and stays as it is; by what was found it would be:\n";
            text.lines().for_each(|line| _ = writeln!(report, "  {line}"));
        }
        (false, false) => {
            atomic::write(&root.join(FILE), text.as_bytes())?;
            _ = writeln!(report, "{FILE}: written");
            text.lines().for_each(|line| _ = writeln!(report, "  {line}"));
        }
    }
    report += "next: onepane build, onepane graph, onepane find kind=Deployment\n";
    terminal.print(crate::redaction::redacted(&report).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The top of the Git repository that a folder is in, or the folder.
fn top(folder: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let folder = folder
        .canonicalize_utf8()
        .map_err(|error| Diagnostic::error("repo-not-found", format!("`{folder}` can't be opened: {error}")))?;
    let top = folder.ancestors().find(|folder| folder.join(".git").exists() || folder.join(FILE).is_file());
    Ok(top.unwrap_or(&folder).to_owned())
}
