//! What is wrong with a repository as a whole: files that nothing is made of, rendered files that are stale, submodules
//! whose commits nobody else can get.

use super::report::Report;
use super::{Arguments, clusters, open, values};
use crate::commands::render;
use crate::commands::repository_secrets::RepositorySecrets;
use crate::remotes::FetchedRemotes;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{FileId, Span};
use onepane_git::{LocalRepository, short};
use onepane_repo::{DifferenceKind, KeptBuilds, ReadFiles, RenderedRelease, Repository, UnusedKind};
use onepane_rules::Finding;
use onepane_world::{EntryKind, ReadLog, World};

/// Checks the repository that holds `directory`; gives where it is.
pub(super) fn check(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
    report: &mut Report,
) -> Result<Utf8PathBuf, Failure> {
    let (root, world) = open(directory)?;
    let secrets = RepositorySecrets::new(&root);
    let remotes = FetchedRemotes::new(arguments.offline);
    let files = Files { root: &root, world: &world, secrets: &secrets, remotes: &remotes, kept_builds: None };
    check_files(terminal, &files, arguments, report)?;
    Ok(root)
}

/// One state of the files of a repository, and what there is around them.
pub(super) struct Files<'f> {
    pub(super) root: &'f Utf8Path,
    pub(super) world: &'f dyn World,
    pub(super) secrets: &'f RepositorySecrets,
    pub(super) remotes: &'f FetchedRemotes,
    /// Builds of states before this one.
    pub(super) kept_builds: Option<&'f KeptBuilds>,
}

/// Checks these files.
pub(super) fn check_files(
    terminal: &Terminal,
    files: &Files<'_>,
    arguments: &Arguments,
    report: &mut Report,
) -> Result<(), Failure> {
    let Files { root, world, secrets, remotes, kept_builds } = *files;
    let failure = Failure::below(root);
    let by_releases = ReadLog::new(world);
    let by_builds = ReadLog::new(world);
    let releases = Repository::open(&by_releases).map_err(&failure)?.with_outside(secrets);
    if releases.has_releases() {
        stale(terminal, &releases, root, arguments, report)?;
        values::check_releases(terminal, &releases, arguments, report);
    }
    let mut builds = Repository::open(&by_builds).map_err(&failure)?.with_outside(secrets).with_remotes(remotes);
    if let Some(kept) = kept_builds {
        builds = builds.with_kept_builds(kept);
    }
    let is_read = |file: &Utf8Path| by_builds.has_read(file);
    clusters::check(terminal, &builds, &is_read, root, arguments, report)?;
    // What stands behind an error was not read.
    let is_whole = report.findings.iter().all(|told| {
        onepane_rules::rule(told.diagnostic.code).is_some() || told.severity() < onepane_diagnostics::Severity::Error
    });
    if is_whole {
        let read = ReadFiles { by_builds: by_builds.read_files(), by_releases: by_releases.read_files() };
        unused(&builds, &read, releases.has_releases(), report);
    }
    submodules(world, root, report);
    Ok(())
}

/// Rendered files that are not what the releases render to. Where nothing is rendered to disk, nothing is stale.
fn stale(
    terminal: &Terminal,
    repository: &Repository<'_>,
    root: &Utf8Path,
    arguments: &Arguments,
    report: &mut Report,
) -> Result<(), Failure> {
    let rendered = repository.layout.rendered();
    if !report.selection.has("rendered-stale") || repository.world.kind(&rendered) != Some(EntryKind::Folder) {
        return Ok(());
    }
    let releases = match render::render(terminal, repository, &[], &arguments.environment, root) {
        Ok(releases) => releases,
        Err(Failure::Found(failures, _)) => {
            failures.into_iter().for_each(|failure| report.add_diagnostic(failure, None));
            return Ok(());
        }
        Err(other) => return Err(other),
    };
    let failure = Failure::below(root);
    for release in &releases.rendered {
        for difference in repository.differences(release).map_err(&failure)? {
            let (file, what) = match difference.kind {
                DifferenceKind::Missing => {
                    (release.files[0].path.clone(), format!("`{}` is not there", difference.path))
                }
                DifferenceKind::Changed => {
                    (difference.path.clone(), "this file is not what its release renders to".to_owned())
                }
                DifferenceKind::Surplus => {
                    (difference.path.clone(), format!("the release `{}` renders to no such file", release.name))
                }
            };
            let line = match difference.kind {
                DifferenceKind::Changed => first_difference(repository, release, &file),
                _ => 1,
            };
            add_stale(report, &file, line, what);
        }
    }
    for file in repository.surplus_releases(&releases.names()).map_err(&failure)? {
        add_stale(report, &file, 1, "no release renders to this file".to_owned());
    }
    Ok(())
}

fn add_stale(report: &mut Report, file: &Utf8Path, line: u32, what: String) {
    let span = Span::new(FileId::new(file), line, 1);
    let finding = Finding::at_line("rendered-stale", span, what).hint("`onepane render` brings it up to date");
    report.add_finding(finding, None, None);
}

/// The first line of a rendered file that is another one than it would be now.
fn first_difference(repository: &Repository<'_>, release: &RenderedRelease, path: &Utf8Path) -> u32 {
    let bytes = repository.world.read(path).unwrap_or_else(|_| [].into());
    let on_disk = String::from_utf8_lossy(&bytes);
    let Some(file) = release.files.iter().find(|file| file.path == path) else { return 1 };
    let same = on_disk.lines().zip(file.contents.lines()).take_while(|(a, b)| a == b).count();
    // Lines that are missing at the end are missing behind the last.
    let last = on_disk.lines().count().max(1);
    (same + 1).min(last) as u32
}

fn unused(repository: &Repository<'_>, read: &ReadFiles, has_releases: bool, report: &mut Report) {
    for unused in repository.unused(read) {
        let file = &unused.file;
        let folder = file.parent().unwrap_or(file);
        let (code, message, hint) = match unused.kind {
            UnusedKind::File => (
                "unused-file",
                format!("nothing is made of `{file}`"),
                "name it in a kustomization or a release, or remove it",
            ),
            UnusedKind::Group => (
                "unused-group",
                format!("no cluster has the group `{folder}`"),
                "name it in a cluster's kustomization, or remove it",
            ),
            UnusedKind::Component => (
                "unused-component",
                format!("no cluster has the component `{folder}`"),
                "name it in a kustomization of a cluster or group, or remove it",
            ),
            UnusedKind::Chart if !has_releases => continue,
            UnusedKind::Chart => (
                "unused-chart",
                format!("no release and no chart uses the chart `{folder}`"),
                "list a release of it, or remove it",
            ),
            UnusedKind::Release => (
                "unused-release",
                format!("no cluster has what is rendered in `{folder}`"),
                "name it in a kustomization of a cluster or group, or take the release out",
            ),
        };
        report.add_finding(Finding::at_line(code, Span::file(file), message).hint(hint), None, None);
    }
}

/// Submodules that others can't check out.
fn submodules(world: &dyn World, root: &Utf8Path, report: &mut Report) {
    const FILE: &str = ".gitmodules";
    let Ok(bytes) = world.read(FILE.into()) else { return };
    // What is in no Git repository has no pins.
    let Ok(git) = LocalRepository::of(root) else { return };
    let text = String::from_utf8_lossy(&bytes);
    let line_of = |path: &Utf8Path| {
        let is_its = |line: &str| {
            line.split_once('=')
                .is_some_and(|(key, value)| key.trim() == "path" && value.trim().trim_matches('"') == path.as_str())
        };
        text.lines().position(is_its).map_or(1, |index| index as u32 + 1)
    };
    for (path, pin) in git.pins_in_index(world) {
        let span = Span::new(FileId::new(FILE), line_of(&path), 1);
        let finding = match pin {
            None => Finding::at_line(
                "submodule-not-pinned",
                span,
                format!("no commit is pinned for the submodule `{path}`"),
            )
            .hint(format!("`git add {path}` pins the one that is checked out")),
            Some(commit) if git.is_pushed(&path, &commit) == Some(false) => {
                let message = format!(
                    "the submodule `{path}` is pinned to {}, which no remote branch or tag of it has",
                    short(&commit)
                );
                Finding::at_line("submodule-not-pushed", span, message).hint(format!("push it: `git -C {path} push`"))
            }
            Some(_) => continue,
        };
        report.add_finding(finding, None, None);
    }
}
