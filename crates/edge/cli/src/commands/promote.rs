//! `onepane promote` and `onepane rollback`: the versions that one environment runs, carried to another one, or those that it
//! ran before.

use crate::atomic;
use crate::commands::open;
use crate::commands::plan::{self, Compared, ReportArguments};
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_git::{LocalRepository, NewCommit, Service, Tree};
use onepane_repo::{Carried, Promotion, Repository, Version};
use onepane_resource::ImageName;
use onepane_world::{Edited, World};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

/// What `onepane promote` takes.
#[derive(clap::Args)]
pub(crate) struct PromoteArguments {
    /// The environment whose versions are carried: a cluster, or a folder such as groups/staging
    from: String,
    /// The environment that gets them
    to: String,
    #[command(flatten)]
    common: CommonArguments,
}

/// What `onepane rollback` takes.
#[derive(clap::Args)]
pub(crate) struct RollbackArguments {
    /// The environment: a cluster, or a folder
    environment: String,
    /// The revision whose versions it gets [default: the last one at which it ran others]
    #[arg(long, value_name = "REVISION")]
    to: Option<String>,
    #[command(flatten)]
    common: CommonArguments,
}

#[derive(clap::Args)]
struct CommonArguments {
    /// Only these services [default: all that are built from submodules; all images where there are no submodules]
    services: Vec<String>,
    /// Also images that no submodule is for
    #[arg(long)]
    all_images: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Commit to this branch of this machine, which begins at HEAD if it is not there; the files here stay as they are
    #[arg(long, value_name = "BRANCH", conflicts_with = "dry_run")]
    branch: Option<String>,
    #[command(flatten)]
    report: ReportArguments,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    results: crate::results::ResultsArguments,
}

/// Versions by the names of images.
type Versions = BTreeMap<String, Version>;

/// Carries what `FROM` runs to `TO`.
pub(crate) fn promote(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &PromoteArguments,
) -> Result<ExitCode, Failure> {
    let PromoteArguments { from, to, common } = arguments;
    let title = |names: &str| format!("Promote {names} from {from} to {to}");
    carry(terminal, directory, common, to, title, &|bench| {
        let repository = bench.repository()?;
        let unit = repository.unit(from).map_err(&bench.failure)?;
        repository.running(&unit, &bench.is_wanted(common)).map_err(&bench.failure)
    })
}

/// Brings back what an environment ran before.
pub(crate) fn rollback(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &RollbackArguments,
) -> Result<ExitCode, Failure> {
    let RollbackArguments { environment, to, common } = arguments;
    let title = |names: &str| format!("Roll {names} back on {environment}");
    carry(terminal, directory, common, environment, title, &|bench| {
        let wanted = bench.is_wanted(common);
        let running = |repository: &Repository<'_>| -> Result<Versions, Box<Diagnostic>> {
            repository.running(&repository.unit(environment)?, &wanted)
        };
        let at = |commit: &str| -> Result<Versions, Failure> {
            let files = bench.git.files(commit)?;
            let repository = Repository::open(&files).map_err(Failure::without_excerpts)?;
            running(&bench.elsewhere.reached(repository)).map_err(Failure::without_excerpts)
        };
        if let Some(revision) = to {
            return at(&bench.git.commit(revision)?);
        }
        let now = running(&bench.repository()?).map_err(&bench.failure)?;
        /// Farther back nobody rolls.
        const FARTHEST: usize = 200;
        let head = match bench.base {
            Some(commit) => commit.to_owned(),
            None => bench.git.commit("HEAD")?,
        };
        for commit in bench.git.first_parents(&head, FARTHEST) {
            // Where it could not be built it ran nothing that anybody wants back.
            let Ok(before) = at(&commit) else { continue };
            let is_other = |(name, version): (&String, &Version)| now.get(name).is_some_and(|now| now != version);
            if before.iter().any(is_other) {
                return Ok(before);
            }
        }
        let message = format!("`{environment}` ran nothing else in the last {FARTHEST} commits");
        Err(Diagnostic::error("rollback-nowhere", message).hint("`--to` names the revision").into())
    })
}

/// One state of the files, and what there is around them.
struct Bench<'b> {
    git: &'b LocalRepository,
    world: &'b dyn World,
    /// The commit whose files they are; those on disk otherwise.
    base: Option<&'b str>,
    services: &'b [Service],
    elsewhere: &'b Elsewhere,
    failure: Box<dyn Fn(Box<Diagnostic>) -> Failure + 'b>,
}

impl Bench<'_> {
    fn repository(&self) -> Result<Repository<'_>, Failure> {
        Ok(self.elsewhere.reached(Repository::open(self.world).map_err(&self.failure)?))
    }

    /// Which images are carried, by their names.
    fn is_wanted(&self, arguments: &CommonArguments) -> impl Fn(&str) -> bool {
        let bases = |services: &[Service]| -> Vec<String> {
            services.iter().filter_map(|service| service.path.file_name().map(str::to_owned)).collect()
        };
        let bases = match arguments.services.as_slice() {
            [] if arguments.all_images || self.services.is_empty() => None,
            [] => Some(bases(self.services)),
            named => {
                let base = |name: &String| Utf8Path::new(name).file_name().unwrap_or(name).to_owned();
                Some(named.iter().map(base).collect())
            }
        };
        move |image| {
            let base = ImageName::parse(image).base().to_owned();
            bases.as_ref().is_none_or(|bases| bases.contains(&base))
        }
    }
}

/// How often it is tried again to commit to a branch that others write to.
const MOST_TRIES: u32 = 200;

/// Edits what says the versions of `environment` so that it gets those that `versions` gives, shows what that does, and
/// writes or commits it.
fn carry(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &CommonArguments,
    environment: &str,
    title: impl Fn(&str) -> String,
    versions: &dyn Fn(&Bench<'_>) -> Result<Versions, Failure>,
) -> Result<ExitCode, Failure> {
    let (root, disk) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    let services = git.services(&disk);
    let elsewhere = Elsewhere::of(&root, arguments.offline);
    for turn in 0..MOST_TRIES {
        let base = match &arguments.branch {
            Some(branch) => Some(git.branch_tip(branch)?.map_or_else(|| git.commit("HEAD"), Ok)?),
            None => None,
        };
        let tree: Option<Tree> = base.as_deref().map(|base| git.files(base)).transpose()?;
        let world: &dyn World = tree.as_ref().map_or(&disk, |tree| tree);
        let failure: Box<dyn Fn(Box<Diagnostic>) -> Failure + '_> = match &base {
            Some(_) => Box::new(Failure::without_excerpts),
            None => Box::new(Failure::below(&root)),
        };
        let bench =
            Bench { git: &git, world, base: base.as_deref(), services: &services, elsewhere: &elsewhere, failure };
        let wanted = versions(&bench)?;
        check_named(&bench, arguments, &wanted)?;
        let repository = bench.repository()?;
        let unit = repository.unit(environment).map_err(&bench.failure)?;
        let promotion = repository.promote(&unit, &wanted).map_err(&bench.failure)?;
        if promotion.carried.is_empty() {
            terminal.note(&format!("{environment} runs these versions already"));
            return Ok(ExitCode::SUCCESS);
        }
        let edited = Edited::new(world, promotion.edits.clone());
        let compared = Compared { clusters: &[], offline: arguments.offline, results: &arguments.results };
        let name =
            base.as_deref().map_or_else(|| "the files on disk".to_owned(), |base| onepane_git::short(base).to_owned());
        let plan = plan::of_edit(terminal, &git, &root, [world, &edited], &name, &compared)?;
        let message = message(&git, &services, &title, &promotion);
        let Some(branch) = &arguments.branch else {
            let code = arguments.report.print(terminal, plan)?;
            if !arguments.dry_run {
                for (path, text) in &promotion.edits {
                    atomic::write(&root.join(path), text.as_bytes())?;
                }
            }
            terminal.note(message.trim_end());
            return Ok(code);
        };
        let files: Vec<(Utf8PathBuf, String)> = promotion.edits.into_iter().collect();
        let parent = base.as_deref().unwrap_or_default();
        if let Some(commit) = git.commit_files(&NewCommit { branch, parent, files: &files, message: &message })? {
            let code = arguments.report.print(terminal, plan)?;
            terminal.note(&format!("{} on {branch}\n{}", onepane_git::short(&commit), message.trim_end()));
            return Ok(code);
        }
        // Others were quicker; they are let through, each in its own time.
        std::thread::sleep(Duration::from_millis(u64::from(std::process::id() % 17) + u64::from(turn % 8) * 5));
    }
    let message = format!("others have moved the branch {MOST_TRIES} times meanwhile");
    Err(Diagnostic::error("promote-busy", message).hint("run it again").into())
}

/// Services that are named have to be run.
fn check_named(bench: &Bench<'_>, arguments: &CommonArguments, wanted: &Versions) -> Result<(), Failure> {
    let is_run = |service: &&String| {
        let base = Utf8Path::new(service.as_str()).file_name().unwrap_or(service);
        wanted.keys().any(|image| ImageName::parse(image).base() == base)
    };
    let Some(unknown) = arguments.services.iter().find(|service| !is_run(service)) else { return Ok(()) };
    let error = Diagnostic::error("promote-no-such-service", format!("no image of `{unknown}` is run there"));
    let names: Vec<&str> = bench.services.iter().map(|service| service.path.as_str()).collect();
    Err(error.hint(format!("the services are: {}", names.join(", "))).into())
}

/// The commit's message: what is carried, and the commits of each service on the way.
fn message(
    git: &LocalRepository,
    services: &[Service],
    title: &impl Fn(&str) -> String,
    promotion: &Promotion,
) -> String {
    const MOST_COMMITS: usize = 50;
    let base = |carried: &Carried| ImageName::parse(&carried.image).base().to_owned();
    let names: Vec<String> = promotion.carried.iter().map(base).collect();
    let mut text = format!("{}\n\n", title(&names.join(", ")));
    let log_of = |carried: &Carried| {
        let service = services.iter().find(|service| service.path.file_name() == Some(&base(carried)))?;
        let commit = |version: &Version| git.commit_of_tag(&service.path, &version.tag);
        git.range(&service.path, &commit(&carried.before)?, &commit(&carried.after)?, MOST_COMMITS)
    };
    for (carried, name) in promotion.carried.iter().zip(&names) {
        _ = writeln!(text, "{name}: {} → {} ({})", carried.before, carried.after, carried.file);
        let Some(log) = log_of(carried) else { continue };
        if log.goes_back {
            text += "    goes back\n";
        }
        log.ahead.iter().for_each(|commit| _ = writeln!(text, "    {} {}", commit.short(), commit.title));
        if log.unlisted > 0 {
            _ = writeln!(text, "    … {} more", log.unlisted);
        }
    }
    text
}
