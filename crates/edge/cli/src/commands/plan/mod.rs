//! `onepane plan`: what a change does to every cluster, from two revisions or from one and the files on disk.

mod html;
mod json;
mod markdown;
mod text;

pub(crate) use html::{STYLE, write_change as change_as_html};
pub(crate) use json::{change as change_as_json, pin as pin_as_json};
pub(crate) use text::{field_lines, pin_lines};

use crate::commands::open;
use crate::commands::promote::NewPin;
use crate::commands::releases::{Fresh, fresh};
use crate::commands::repository_secrets::RepositorySecrets;
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Severity};
use onepane_git::{LocalRepository, Range, Tree, short};
use onepane_plan::{Change, ConsequenceKind, changes};
use onepane_repo::{BuildOptions, Layout, Manifests, Memo, RenderedRelease, RenderedWorld, Repository};
use onepane_world::{MemoryWorld, World};
use rayon::prelude::*;
use std::collections::{BTreeSet, HashSet};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// What `onepane plan` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// `A..B` compares two revisions, `A...B` what B did since it left A, `A` a revision with the files on disk [default: HEAD]
    range: Option<String>,
    /// Only these clusters, or folders with a kustomization; again for more
    #[arg(long = "cluster", value_name = "CLUSTER")]
    clusters: Vec<String>,
    #[command(flatten)]
    report: ReportArguments,
    /// Render the charts of both sides first, in memory: what a change of charts or values does that is not rendered to disk
    #[arg(long)]
    render: bool,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    results: crate::results::ResultsArguments,
}

/// How a plan is told, and when it makes the command fail.
#[derive(clap::Args)]
pub(crate) struct ReportArguments {
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    /// Leave out the labels and checksums that every release of a chart changes
    #[arg(long)]
    fold_noise: bool,
    /// End with 2 if something changes
    #[arg(long)]
    exit_code: bool,
    /// End with 3 if one of these follows for a cluster, as `immutable,deletion`
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    fail_on: Vec<ConsequenceKind>,
}

/// How a plan is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// A page of its own.
    Html,
}

fn kind(name: &str) -> Result<ConsequenceKind, String> {
    let names = || ConsequenceKind::ALL.map(ConsequenceKind::name).join(", ");
    let found = ConsequenceKind::ALL.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| format!("there is no such consequence; there are {}", names()))
}

/// What happens to one cluster.
struct ClusterPlan {
    /// Its folder.
    unit: Utf8PathBuf,
    changes: Vec<Change>,
    /// How many resources differ in nothing but noise, where that is left out.
    folded: usize,
}

/// A submodule that is pinned to another commit.
pub(crate) struct PinChange {
    pub(crate) path: Utf8PathBuf,
    /// `None` where it is new.
    pub(crate) from: Option<String>,
    /// `None` where it is gone.
    pub(crate) to: Option<String>,
    /// The commits between, where they are on this machine.
    pub(crate) range: Option<Range>,
}

/// All of it.
pub(crate) struct Plan {
    /// What is compared, in words: `main`, `the files on disk`.
    from: String,
    to: String,
    clusters: Vec<ClusterPlan>,
    pins: Vec<PinChange>,
}

/// One side of the comparison.
struct Side<'a> {
    /// What it is called in words.
    name: String,
    files: &'a dyn World,
    pins: Vec<(Utf8PathBuf, String)>,
    is_on_disk: bool,
}

/// Compares, and prints the plan.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, disk) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    let (from, to) = match arguments.range.as_deref().unwrap_or("HEAD") {
        range if range.contains("...") => {
            let (one, other) = range.split_once("...").unwrap_or((range, ""));
            let other = git.commit(or_head(other))?;
            (git.merge_base(&git.commit(or_head(one))?, &other)?, Some(other))
        }
        range => match range.split_once("..") {
            Some((one, other)) => (git.commit(or_head(one))?, Some(git.commit(or_head(other))?)),
            None => (git.commit(range)?, None),
        },
    };
    let tree_of = |commit: &str| git.files(commit);
    let before = tree_of(&from)?;
    let after = to.as_deref().map(tree_of).transpose()?;
    if after.is_none() && arguments.clusters.is_empty() {
        disk.look_at_all();
    }
    let side = |commit: &str, tree: &'_ Tree| (short(commit).to_owned(), LocalRepository::pins(tree));
    let (name, pins) = side(&from, &before);
    let before = Side { name, files: &before, pins, is_on_disk: false };
    let after = match (&to, &after) {
        (Some(commit), Some(tree)) => {
            let (name, pins) = side(commit, tree);
            Side { name, files: tree, pins, is_on_disk: false }
        }
        _ => {
            Side { name: "the files on disk".to_owned(), files: &disk, pins: git.pins_on_disk(&disk), is_on_disk: true }
        }
    };
    let plan = if arguments.render {
        let store = arguments.results.store();
        let memo = store.as_ref().map(|store| Memo::new(store));
        let rendered = |side| rendered(terminal, &root, side, &after, memo.as_ref());
        let (was, is) = (rendered(&before)?, rendered(&after)?);
        let before = Side { files: &was, name: before.name.clone(), pins: before.pins.clone(), ..before };
        let after = Side { files: &is, name: after.name.clone(), pins: after.pins.clone(), ..after };
        compare(terminal, &git, &root, &before, &after, &arguments.into())?
    } else {
        compare(terminal, &git, &root, &before, &after, &arguments.into())?
    };
    arguments.report.print(terminal, plan)
}

impl ReportArguments {
    /// Prints the plan, and tells how to end.
    pub(crate) fn print(&self, terminal: &Terminal, mut plan: Plan) -> Result<ExitCode, Failure> {
        if self.fold_noise {
            plan.clusters.iter_mut().for_each(ClusterPlan::fold);
        }
        let printed = match self.output {
            Format::Text => text::of(&plan, terminal.color_stdout()),
            Format::Json => json::of(&plan),
            Format::Markdown => markdown::of(&plan),
            Format::Html => html::of(&plan),
        };
        terminal.print(crate::redaction::redacted(&printed).as_bytes())?;
        let all = || plan.clusters.iter().flat_map(|cluster| &cluster.changes);
        let follows = |kinds: &[ConsequenceKind]| {
            all().flat_map(|change| &change.consequences).any(|consequence| kinds.contains(&consequence.kind))
        };
        Ok(match () {
            () if follows(&self.fail_on) => ExitCode::from(3),
            () if self.exit_code && all().next().is_some() => ExitCode::from(2),
            () => ExitCode::SUCCESS,
        })
    }
}

/// What differs between two folders that are called by these names.
pub(super) fn difference([from, to]: [&str; 2], unit: &Utf8Path, changes: Vec<Change>) -> Plan {
    let cluster = ClusterPlan { unit: unit.to_owned(), changes, folded: 0 };
    Plan { from: from.to_owned(), to: to.to_owned(), clusters: vec![cluster], pins: Vec::new() }
}

fn or_head(revision: &str) -> &str {
    if revision.is_empty() { "HEAD" } else { revision }
}

/// The files of a side, with its releases as they render to.
fn rendered<'w>(
    terminal: &Terminal,
    root: &Utf8Path,
    side: &Side<'w>,
    after: &Side<'_>,
    memo: Option<&Memo<'_>>,
) -> Result<RenderedWorld<'w>, Failure> {
    let failure = side.failure(root);
    let secrets = RepositorySecrets::new(root);
    let files = repository_of(side, after).map_err(&failure)?;
    if !files.has_releases() {
        return files.with_rendered(&[], &HashSet::new()).map_err(&failure);
    }
    let repository = repository_of(side, after).map_err(&failure)?.with_outside(&secrets).with_memo(memo);
    let listed = repository.listed_releases("default").map_err(&failure)?;
    let releases = fresh(terminal, &repository, "default", &listed);
    let releases: Vec<_> = releases.into_iter().collect::<Result<_, _>>().map_err(&failure)?;
    let rendered = releases.into_iter().filter_map(|release| match release {
        Fresh::OnDisk(_) => None,
        Fresh::Rendered(release) => Some(release),
    });
    // What is encrypted anew each time would be a change each time.
    let (kept, rendered): (Vec<_>, Vec<_>) = rendered.partition(|release: &RenderedRelease| release.has_secrets());
    for release in kept {
        let message = format!("the release `{}` has secrets, and is compared as it is on disk", release.name);
        terminal.report(&Diagnostic::warning("plan-secrets", message), root);
    }
    let names = listed.iter().map(|release| release.name.as_str()).collect();
    files.with_rendered(&rendered, &names).map_err(&failure)
}

/// What is compared of both sides, and how.
pub(crate) struct Compared<'a> {
    /// Clusters; all where none are named.
    pub(crate) clusters: &'a [String],
    pub(crate) offline: bool,
    pub(crate) results: &'a crate::results::ResultsArguments,
}

impl<'a> From<&'a Arguments> for Compared<'a> {
    fn from(arguments: &'a Arguments) -> Self {
        Self { clusters: &arguments.clusters, offline: arguments.offline, results: &arguments.results }
    }
}

/// What an edit does that is on no disk yet: `edited` are the same files as `world` otherwise.
pub(crate) fn of_edit(
    terminal: &Terminal,
    git: &LocalRepository,
    root: &Utf8Path,
    [world, edited]: [&dyn World; 2],
    name: &str,
    pins: &[NewPin],
    compared: &Compared<'_>,
) -> Result<Plan, Failure> {
    let before = pins.iter().filter_map(|pin| Some((pin.path.clone(), pin.before.clone()?))).collect();
    let after = pins.iter().map(|pin| (pin.path.clone(), pin.after.clone())).collect();
    let side = |name: &str, files, pins| Side { name: name.to_owned(), files, pins, is_on_disk: false };
    compare(terminal, git, root, &side(name, world, before), &side("with this change", edited, after), compared)
}

/// Whether one of these clusters is there.
pub(crate) fn has_any(files: &Tree, clusters: &[String]) -> bool {
    Repository::open(files).is_ok_and(|repository| clusters.iter().any(|cluster| repository.unit(cluster).is_ok()))
}

/// What happens to clusters from one commit to another, or from nothing.
pub(crate) fn between(
    terminal: &Terminal,
    git: &LocalRepository,
    root: &Utf8Path,
    from: Option<&str>,
    to: &str,
    compared: &Compared<'_>,
) -> Result<Vec<Change>, Failure> {
    let (before, after) = (from.map(|from| git.files(from)).transpose()?, git.files(to)?);
    let was_there = before.as_ref().is_some_and(|before| has_any(before, compared.clusters));
    if !was_there && !has_any(&after, compared.clusters) {
        return Ok(Vec::new());
    }
    let nothing = MemoryWorld::new();
    let before: &dyn World = before.as_ref().map_or(&nothing, |before| before);
    let side =
        |commit: &str, files| Side { name: short(commit).to_owned(), files, pins: Vec::new(), is_on_disk: false };
    let from = side(from.unwrap_or("the beginning"), before);
    let plan = compare(terminal, git, root, &from, &side(to, &after), compared)?;
    Ok(plan.clusters.into_iter().flat_map(|cluster| cluster.changes).collect())
}

fn compare(
    terminal: &Terminal,
    git: &LocalRepository,
    root: &Utf8Path,
    before: &Side<'_>,
    after: &Side<'_>,
    compared: &Compared<'_>,
) -> Result<Plan, Failure> {
    let elsewhere = Elsewhere::of(root, compared.offline);
    let opened = |side: &Side<'_>| -> Result<BTreeSet<Utf8PathBuf>, Failure> {
        let failure = side.failure(root);
        let repository = repository_of(side, after).map_err(&failure)?;
        let units = repository.clusters().map_err(&failure)?.into_iter();
        Ok(units.map(|name| repository.cluster_folder(&name)).collect())
    };
    let wanted: Vec<Utf8PathBuf> = match compared.clusters {
        [] => opened(before)?.union(&opened(after)?).cloned().collect(),
        targets => {
            let failure = after.failure(root);
            let repository = Repository::open(after.files).map_err(&failure)?;
            // One that is gone was there before.
            let was = |target: &String| Repository::open(before.files).ok()?.unit(target).ok();
            let unit = |target: &String| repository.unit(target).or_else(|error| was(target).ok_or(error));
            targets.iter().map(unit).collect::<Result<_, _>>().map_err(&failure)?
        }
    };
    let store = compared.results.store();
    let memo = store.as_ref().map(|store| Memo::new(store));
    let bar = terminal.progress(wanted.len(), "comparing");
    let said: Mutex<Vec<Diagnostic>> = Mutex::default();
    // Bases that clusters have in common are built once a side.
    let mut repositories = Vec::new();
    for side in [before, after] {
        let repository = repository_of(side, after).map_err(side.failure(root))?;
        repositories.push(elsewhere.reached(repository).with_memo(memo.as_ref()));
    }
    let (was, is) = (&repositories[0], &repositories[1]);
    // What one side can't follow would look as if it were gone.
    let unfollowed = |side: &Side<'_>, built: Manifests| {
        let warnings = built.warnings.into_iter().filter(|warning| warning.code.starts_with("gitops-"));
        let warnings = warnings.filter(|warning| warning.severity >= Severity::Warning);
        let warnings = warnings.map(|warning| *Box::new(warning).trace(format!("in {}", side.name), None));
        said.lock().unwrap_or_else(PoisonError::into_inner).extend(warnings);
        built.manifests
    };
    let compare = |unit: &Utf8PathBuf| -> Result<ClusterPlan, Failure> {
        // A cluster that one side has not is all new, or all gone.
        let on = |side: &Side<'_>| side.files.kind(unit).is_some();
        let build_old = || was.build_and_keep(unit, &OPTIONS).map_err(before.failure(root));
        let (old, kept) = match was.kept(unit, &OPTIONS) {
            None if on(before) => build_old().map(|(built, kept)| (Some(built), kept))?,
            None => (Some(Manifests::default()), None),
            kept => (None, kept),
        };
        // Where all that one side is built from is the same on the other, there is nothing to compare.
        let changes = if kept.as_ref().is_some_and(|kept| is.holds(kept)) {
            Vec::new()
        } else {
            let old = match old.or_else(|| was.load(kept.as_ref()?)) {
                Some(old) => old,
                // It was kept, and is gone.
                None => build_old()?.0,
            };
            let new = match on(after) {
                true => is.manifests(unit, &OPTIONS).map_err(after.failure(root))?,
                false => Manifests::default(),
            };
            changes(&unfollowed(before, old), &unfollowed(after, new))?
        };
        bar.inc(1);
        Ok(ClusterPlan { unit: unit.clone(), changes, folded: 0 })
    };
    let clusters: Vec<Result<ClusterPlan, Failure>> = wanted.par_iter().map(compare).collect();
    bar.finish_and_clear();
    let mut said = said.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Sides and clusters are built at the same time.
    said.sort_by_cached_key(ToString::to_string);
    said.dedup();
    said.iter().for_each(|warning| terminal.report(warning, root));
    compared.results.report(terminal, memo.as_ref());
    let clusters = clusters.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Plan { from: before.name.clone(), to: after.name.clone(), clusters, pins: pins(git, before, after) })
}

/// How clusters are built for a comparison.
const OPTIONS: BuildOptions = BuildOptions { origins: false, set_images: Vec::new(), strict: false };

/// The repository of a side. One from before it was adopted has the layout that it was adopted with.
fn repository_of<'w>(side: &Side<'w>, after: &Side<'_>) -> onepane_diagnostics::Result<Repository<'w>> {
    let has_layout = |side: &Side<'_>| side.files.kind("onepane.yaml".into()).is_some();
    if has_layout(side) || !has_layout(after) {
        return Repository::open(side.files);
    }
    Ok(Repository::with_layout(side.files, Layout::read(after.files)?))
}

impl Side<'_> {
    /// What can't be built on this side is told so; lines of files are shown as they are on disk, and so only of those.
    fn failure(&self, root: &Utf8Path) -> impl Fn(Box<Diagnostic>) -> Failure {
        let (name, is_on_disk, root) = (self.name.clone(), self.is_on_disk, root.to_owned());
        move |diagnostic| {
            let diagnostic = diagnostic.trace(format!("in {name}"), None);
            if is_on_disk {
                Failure::Found(vec![*diagnostic], root.clone())
            } else {
                Failure::without_excerpts(diagnostic)
            }
        }
    }
}

impl ClusterPlan {
    /// Leaves noise out, and resources that differ in nothing else.
    fn fold(&mut self) {
        for change in &mut self.changes {
            // Labels of pods restart them, whatever they say.
            let restarts = change.consequences.iter().any(|one| one.kind == ConsequenceKind::Restart);
            change.fields.retain(|field| restarts && field.path.contains("template") || !field.is_noise());
        }
        let count = self.changes.len();
        let is_something = |change: &Change| {
            !change.fields.is_empty()
                || !change.consequences.is_empty()
                || change.action != onepane_plan::Action::Changed
        };
        self.changes.retain(is_something);
        self.folded = count - self.changes.len();
    }
}

fn pins(git: &LocalRepository, before: &Side<'_>, after: &Side<'_>) -> Vec<PinChange> {
    const MOST_SHOWN: usize = 20;
    let find = |side: &Side<'_>, path: &Utf8Path| {
        side.pins.iter().find(|(other, _)| other == path).map(|(_, commit)| commit.clone())
    };
    let paths: BTreeSet<&Utf8PathBuf> = before.pins.iter().chain(&after.pins).map(|(path, _)| path).collect();
    let changed = paths.into_iter().filter_map(|path| {
        let (from, to) = (find(before, path), find(after, path));
        // One that is not checked out is where it was.
        if from == to || after.is_on_disk && to.is_none() {
            return None;
        }
        let range = from.as_deref().zip(to.as_deref()).and_then(|(from, to)| git.range(path, from, to, MOST_SHOWN));
        Some(PinChange { path: path.clone(), from, to, range })
    });
    changed.collect()
}
