//! `onepane render`: the charts, rendered to disk.

use crate::atomic;
use crate::commands::releases::{Fresh, fresh};
use crate::commands::repository_secrets::RepositorySecrets;
use crate::commands::{OutputFormat, open};
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_diagnostics::Diagnostic;
use onepane_keys::{FoundKeys, Programs};
use onepane_repo::{Difference, DifferenceKind, ListedRelease, Memo, ReleaseOnDisk, RenderedRelease, Repository};
use onepane_world::OsWorld;
use rayon::prelude::*;
use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Instant;

/// What `onepane render` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The releases to render [default: all of the state file]
    releases: Vec<String>,
    /// Write nothing; fail when what is on disk is not what the charts render to
    #[arg(long)]
    check: bool,
    /// The environment of the state file
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    environment: String,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
    #[command(flatten)]
    results: crate::results::ResultsArguments,
}

/// What became of the releases.
#[derive(Default)]
pub(crate) struct Releases {
    /// Those that were rendered, in the order of the state.
    pub(crate) rendered: Vec<RenderedRelease>,
    /// Those that are on disk as they would render.
    on_disk: Vec<ReleaseOnDisk>,
    /// All of them, in the order of the state.
    names: Vec<String>,
}

/// Renders, then writes or compares.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let secrets = RepositorySecrets::new(&root);
    let store = arguments.results.store();
    let memo = store.as_ref().map(|store| Memo::new(store));
    let repository = Repository::open(&world).map_err(&failure)?.with_outside(&secrets).with_memo(memo.as_ref());
    let releases = render(terminal, &repository, &arguments.releases, &arguments.environment, &root)?;
    let surplus = match arguments.releases.as_slice() {
        [] => repository.surplus_releases(&releases.names()).map_err(&failure)?,
        _ => Vec::new(),
    };
    let report = if arguments.check {
        check(&repository, &releases, surplus).map_err(&failure)?
    } else {
        write(&root, &repository, &releases, surplus).map_err(&failure)?
    };
    arguments.results.report(terminal, memo.as_ref());
    let stale = arguments.check && !report.changes.is_empty();
    report.print(terminal, arguments, &releases, start)?;
    Ok(if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Renders the named releases, or all, on all cores. Every release that fails is reported, not just the first.
pub(crate) fn render(
    terminal: &Terminal,
    repository: &Repository<'_>,
    names: &[String],
    environment: &str,
    root: &Utf8Path,
) -> Result<Releases, Failure> {
    let listed = selected(repository, names, environment).map_err(Failure::below(root))?;
    let outcomes = fresh(terminal, repository, environment, &listed);
    let names = listed.into_iter().map(|release| release.name).collect();
    let mut releases = Releases { names, ..Releases::default() };
    let mut failures: Vec<Diagnostic> = Vec::new();
    let machine = OsWorld::unrestricted(root);
    let mut keys = None;
    for outcome in outcomes {
        match outcome {
            Ok(Fresh::OnDisk(release)) => {
                release.warnings.iter().for_each(|warning| terminal.report(warning, root));
                releases.on_disk.push(release);
            }
            Ok(Fresh::Rendered(mut release)) => {
                // Keys are looked for only where there is something to encrypt.
                if release.has_secrets() {
                    let keys = keys.get_or_insert_with(|| FoundKeys::find(&machine, Programs::Refused));
                    if let Err(error) = repository.protect(&mut release, &keys.services()) {
                        failures.push(*error);
                        continue;
                    }
                }
                release.warnings.iter().for_each(|warning| terminal.report(warning, root));
                releases.rendered.push(release);
            }
            Err(diagnostic) => failures.push(*diagnostic),
        }
    }
    if failures.is_empty() { Ok(releases) } else { Err(Failure::Found(failures, root.to_owned())) }
}

/// The installed releases; of those in `names`, where there are any.
fn selected(
    repository: &Repository<'_>,
    names: &[String],
    environment: &str,
) -> onepane_diagnostics::Result<Vec<ListedRelease>> {
    let installed = repository.listed_releases(environment)?;
    let find = |name: &String| {
        installed.iter().find(|release| release.name == *name).cloned().ok_or_else(|| {
            let names: Vec<&str> = installed.iter().map(|release| release.name.as_str()).collect();
            let state = &repository.layout.helm_charts;
            Diagnostic::error("render-no-such-release", format!("there is no release `{name}`"))
                .hint(format!("the state in `{state}` lists: {}", names.join(", ")))
        })
    };
    match names {
        [] => Ok(installed),
        names => names.iter().map(find).collect(),
    }
}

/// What was done, or would be.
#[derive(Default)]
pub(crate) struct Report {
    /// How many files the releases render to.
    pub(crate) files: usize,
    /// What changed or is stale: the path and how.
    pub(crate) changes: Vec<(String, DifferenceKind)>,
}

fn check(
    repository: &Repository<'_>,
    releases: &Releases,
    surplus: Vec<camino::Utf8PathBuf>,
) -> onepane_diagnostics::Result<Report> {
    let mut report = Report { files: releases.file_count(), ..Report::default() };
    for release in &releases.rendered {
        let differences = repository.differences(release)?;
        report
            .changes
            .extend(differences.into_iter().map(|difference| (difference.path.into_string(), difference.kind)));
    }
    report.changes.extend(surplus.into_iter().map(|path| (path.into_string(), DifferenceKind::Surplus)));
    Ok(report)
}

/// Writes what differs and removes what no release renders to any more.
pub(crate) fn write(
    root: &Utf8Path,
    repository: &Repository<'_>,
    releases: &Releases,
    surplus: Vec<camino::Utf8PathBuf>,
) -> onepane_diagnostics::Result<Report> {
    let mut report = Report { files: releases.file_count(), ..Report::default() };
    let write_release = |release: &RenderedRelease| -> onepane_diagnostics::Result<Vec<(String, DifferenceKind)>> {
        let mut changes = Vec::new();
        let differences = repository.differences(release)?;
        let is_there = |folder: &Utf8Path| root.join(folder).symlink_metadata().is_ok();
        let is_written = match differences.first().and_then(|difference| difference.path.parent()) {
            Some(folder) if !is_there(folder) => write_new(&root.join(folder), release),
            _ => false,
        };
        for Difference { path, kind } in differences {
            match release.files.iter().find(|file| file.path == path) {
                Some(_) if is_written => {}
                Some(file) => atomic::overwrite(&root.join(&path), file.contents.as_bytes())?,
                None => atomic::remove(&root.join(&path))?,
            }
            changes.push((path.into_string(), kind));
        }
        Ok(changes)
    };
    let written: Vec<_> = releases.rendered.par_iter().map(write_release).collect();
    for changes in written {
        report.changes.extend(changes?);
    }
    for path in surplus {
        atomic::remove(&root.join(&path))?;
        // The folder goes once it is empty; that it is not is no failure.
        let _ = path.parent().map(|folder| std::fs::remove_dir(root.join(folder)));
        report.changes.push((path.into_string(), DifferenceKind::Surplus));
    }
    Ok(report)
}

/// Writes a release whose folder is not there at once; not if that is not possible, so that something is in the way or came
/// there meanwhile.
fn write_new(folder: &Utf8Path, release: &RenderedRelease) -> bool {
    let fill = |new: &Utf8Path| {
        release.files.iter().try_for_each(|file| {
            let name = file.path.file_name().ok_or(std::io::ErrorKind::InvalidFilename)?;
            std::fs::write(new.join(name), &file.contents)
        })
    };
    let parent = folder.parent().unwrap_or(Utf8Path::new("/"));
    std::fs::create_dir_all(parent).is_ok() && atomic::write_folder(folder, fill).is_ok()
}

impl Releases {
    /// What all of them are called.
    pub(crate) fn names(&self) -> HashSet<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    fn file_count(&self) -> usize {
        let rendered = self.rendered.iter().map(|release| release.files.len());
        rendered.chain(self.on_disk.iter().map(|release| release.files)).sum()
    }
}

impl Report {
    fn print(
        &self,
        terminal: &Terminal,
        arguments: &Arguments,
        releases: &Releases,
        start: Instant,
    ) -> Result<(), Failure> {
        let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
        if arguments.output == OutputFormat::Json {
            let changes: Vec<_> = self
                .changes
                .iter()
                .map(|(path, kind)| serde_json::json!({"path": path, "change": kind.name()}))
                .collect();
            let report = serde_json::json!({
                "releases": releases.names,
                "files": self.files,
                "changes": changes,
                "milliseconds": milliseconds,
            });
            return terminal.print(format!("{report:#}\n").as_bytes());
        }
        let mut text = String::new();
        for (path, kind) in &self.changes {
            text.push_str(&format!("{:<8} {path}\n", kind.name()));
        }
        let count = self.changes.len();
        let outcome = match (arguments.check, count) {
            (true, 0) => "all up to date".to_owned(),
            (true, _) => format!("{count} stale; `onepane render` brings them up to date"),
            (false, 0) => "nothing changed".to_owned(),
            (false, _) => format!("{count} changed"),
        };
        let count = releases.names.len();
        text.push_str(&format!("{count} releases, {} files, {outcome} ({milliseconds:.0} ms)\n", self.files));
        terminal.print(text.as_bytes())
    }
}
