//! `onepane promote` and `onepane rollback`: the versions that one environment runs, carried to another one, or those that it
//! ran before.

use crate::commands::ci_runs::CiRuns;
use crate::commands::ci_statuses::CiStatuses;
use crate::commands::delivery::{Delivery, DeliveryArguments, Edit, State};
use crate::commands::open;
use crate::commands::plan::{Compared, ReportArguments};
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_git::{LocalRepository, Service};
use onepane_repo::{Carried, Promotion, PromotionRules, PromotionStep, Repository, Version};
use onepane_resource::ImageName;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;

/// What `onepane promote` takes.
#[derive(clap::Args)]
pub(crate) struct PromoteArguments {
    /// The environment whose versions are carried: a cluster, or a folder such as groups/staging
    #[arg(required_unless_present = "along")]
    from: Option<String>,
    /// The environment that gets them
    #[arg(required_unless_present = "along")]
    to: Option<String>,
    /// Carry to each environment what the one before it runs, as dev,staging,prod, the last first [default: the way that
    /// `promotions` in onepane.yaml says]. What the rules there refuse now is told, and no error
    #[arg(long, value_name = "ENVIRONMENT,…", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    #[arg(conflicts_with = "from")]
    along: Vec<String>,
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
    #[command(flatten)]
    chosen: ChosenImages,
    #[command(flatten)]
    common: CarryArguments,
}

/// Which images are meant.
#[derive(clap::Args)]
pub(crate) struct ChosenImages {
    /// Only these services [default: all that are built from submodules; all images where there are no submodules]
    pub(crate) services: Vec<String>,
    /// Also images that no submodule is for
    #[arg(long)]
    pub(crate) all_images: bool,
}

/// How versions are brought to an environment.
#[derive(clap::Args)]
pub(crate) struct CarryArguments {
    /// Even if onepane.yaml says that it may not be; the commit tells what was passed over
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pub(crate) delivery: DeliveryArguments,
    #[command(flatten)]
    pub(crate) report: ReportArguments,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    pub(crate) offline: bool,
    #[command(flatten)]
    pub(crate) results: crate::results::ResultsArguments,
}

impl CarryArguments {
    /// How the clusters of both sides are built: all of them.
    pub(crate) fn compared(&self) -> Compared<'_> {
        Compared { clusters: &[], offline: self.offline, results: &self.results }
    }
}

/// Versions by the names of images.
pub(crate) type Versions = BTreeMap<String, Version>;

/// Carries what `FROM` runs to `TO`, or every step of a way.
pub(crate) fn promote(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &PromoteArguments,
) -> Result<ExitCode, Failure> {
    let PromoteArguments { from, to, along, common } = arguments;
    if let (Some(from), Some(to)) = (from, to) {
        let step = PromotionStep { from: from.clone(), to: to.clone() };
        return promote_step(terminal, directory, &step, common);
    }
    let mut worst = ExitCode::SUCCESS;
    for step in steps(terminal, directory, along)? {
        match promote_step(terminal, directory, &step, common) {
            Ok(code) if code == ExitCode::SUCCESS => {}
            Ok(code) => worst = code,
            Err(Failure::OutputClosed) => return Err(Failure::OutputClosed),
            // The time may come, and with it the next run.
            Err(failure) if failure.code() == Some(REFUSED) => terminal.note(&failure.message()),
            // What keeps one environment from its versions keeps no other from theirs.
            Err(failure) => worst = terminal.fail(&failure),
        }
    }
    Ok(worst)
}

/// The code of what onepane.yaml refuses.
const REFUSED: &str = "promote-refused";

/// What is said where there is nothing to go along.
pub(crate) const NO_WAY: &str = "onepane.yaml does not say which environment gets its versions from which, as \
                                 `promotions: {staging: {from: dev}}` does, and `--along=dev,staging,prod`";

/// The steps of the ways that are named, or of the one that the repository says.
fn steps(terminal: &Terminal, directory: Option<&Utf8Path>, along: &[String]) -> Result<Vec<PromotionStep>, Failure> {
    let (named, said): (Vec<String>, Vec<String>) = along.iter().cloned().partition(|way| !way.is_empty());
    if said.is_empty() {
        return Ok(PromotionStep::along(&named)?);
    }
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let found = Repository::open(&world).and_then(|repository| repository.promotion_steps()).map_err(&failure)?;
    found.left_out.iter().for_each(|why| terminal.note(why));
    if found.steps.is_empty() {
        terminal.note(NO_WAY);
    }
    Ok(found.steps)
}

fn promote_step(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    step: &PromotionStep,
    common: &CommonArguments,
) -> Result<ExitCode, Failure> {
    let PromotionStep { from, to } = step;
    let journey = Journey {
        to,
        from: Some(from),
        title: &|names| format!("Promote {names} from {from} to {to}"),
        branch: format!("promote/{from}-{to}"),
        pins: &|_, _| Ok(Vec::new()),
    };
    carry(terminal, directory, &common.chosen, &common.common, &journey, &|bench| {
        let repository = bench.repository()?;
        let unit = repository.unit(from).map_err(&bench.state.failure)?;
        repository.running(&unit, &bench.is_wanted(&common.chosen)).map_err(&bench.state.failure)
    })
}

/// Brings back what an environment ran before.
pub(crate) fn rollback(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &RollbackArguments,
) -> Result<ExitCode, Failure> {
    let RollbackArguments { environment, to, common } = arguments;
    let journey = Journey {
        to: environment,
        from: None,
        title: &|names| format!("Roll {names} back on {environment}"),
        branch: format!("rollback/{environment}"),
        pins: &|_, _| Ok(Vec::new()),
    };
    carry(terminal, directory, &common.chosen, &common.common, &journey, &|bench| {
        let wanted = bench.is_wanted(&common.chosen);
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
        let now = running(&bench.repository()?).map_err(&bench.state.failure)?;
        /// Farther back nobody rolls.
        const FARTHEST: usize = 200;
        let head = match bench.state.base {
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

/// What is carried where.
pub(crate) struct Journey<'j> {
    pub(crate) to: &'j str,
    /// `None` for what ran there before.
    pub(crate) from: Option<&'j str>,
    /// Of the commit, by the names of what is carried.
    pub(crate) title: &'j dyn Fn(&str) -> String,
    /// What a pull request's branch is called.
    pub(crate) branch: String,
    /// The submodules that are pinned to other commits along with it.
    pub(crate) pins: &'j PinsFor<'j>,
}

/// The submodules that go along with a promotion.
type PinsFor<'p> = dyn Fn(&Bench<'_>, &Promotion) -> Result<Vec<NewPin>, Failure> + 'p;

/// A submodule, and the commits that it is pinned to before and after.
pub(crate) struct NewPin {
    pub(crate) path: Utf8PathBuf,
    pub(crate) before: Option<String>,
    pub(crate) after: String,
}

/// One state of the files, and what there is around them.
pub(crate) struct Bench<'b> {
    pub(crate) git: &'b LocalRepository,
    pub(crate) state: &'b State<'b>,
    pub(crate) services: &'b [Service],
    elsewhere: &'b Elsewhere,
}

/// The service that an image is of: the one whose folder it is called as.
pub(crate) fn service_of<'s>(services: &'s [Service], image: &str) -> Option<&'s Service> {
    let base = ImageName::parse(image).base();
    services.iter().find(|service| service.path.file_name() == Some(base))
}

impl Bench<'_> {
    pub(crate) fn repository(&self) -> Result<Repository<'_>, Failure> {
        Ok(self.elsewhere.reached(Repository::open(self.state.world).map_err(&self.state.failure)?))
    }

    /// The service that an image is of.
    pub(crate) fn service_of(&self, image: &str) -> Option<&Service> {
        service_of(self.services, image)
    }

    /// Which images are carried, by their names.
    pub(crate) fn is_wanted(&self, arguments: &ChosenImages) -> impl Fn(&str) -> bool {
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

/// Edits what says the versions of an environment so that it gets those that `versions` gives, shows what that does, and
/// delivers it.
pub(crate) fn carry(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    chosen: &ChosenImages,
    arguments: &CarryArguments,
    journey: &Journey<'_>,
    versions: &dyn Fn(&Bench<'_>) -> Result<Versions, Failure>,
) -> Result<ExitCode, Failure> {
    let delivery = Delivery::open(terminal, directory)?;
    let Delivery { root, disk, git } = &delivery;
    let services = git.listed_services(disk);
    let elsewhere = Elsewhere::of(root, arguments.offline);
    // Asked for once, however often it is tried.
    let passed = Passed { runs: OnceCell::new(), statuses: CiStatuses::new(git, &services, arguments.delivery.forge) };
    let edit = |state: &State<'_>| -> Result<Option<Edit>, Failure> {
        let bench = Bench { git, state, services: &services, elsewhere: &elsewhere };
        let wanted = versions(&bench)?;
        check_named(&bench, chosen, &wanted)?;
        let repository = bench.repository()?;
        let unit = repository.unit(journey.to).map_err(&state.failure)?;
        let promotion = repository.promote(&unit, &wanted).map_err(&state.failure)?;
        let pins = (journey.pins)(&bench, &promotion)?;
        if promotion.carried.is_empty() && pins.is_empty() {
            return Ok(None);
        }
        let rules = rules_of(&repository, &unit);
        let refusals = refusals(git, arguments, journey, &rules, &promotion, &passed)?;
        if !refusals.is_empty() && !arguments.force {
            let message = format!("{} is not changed by this: {}", journey.to, refusals.join("; "));
            return Err(Diagnostic::error(REFUSED, message)
                .hint("`--force` passes over what onepane.yaml says, and the commit tells so")
                .into());
        }
        let plan = delivery.plan(terminal, state, &promotion.edits, &pins, &arguments.compared())?;
        let mut message = message(git, &services, journey.title, &promotion, &pins);
        refusals.iter().for_each(|refusal| _ = writeln!(message, "\nForced, although {refusal}"));
        let reviewers = rules.iter().flat_map(|rules| rules.reviewers.iter().cloned()).collect();
        let pins = pins.into_iter().map(|pin| (pin.path, pin.after)).collect();
        Ok(Some(Edit { files: promotion.edits, pins, message, plan, reviewers }))
    };
    let (is_changed, code) = delivery.run(terminal, &arguments.delivery, &arguments.report, &journey.branch, &edit)?;
    if !is_changed {
        terminal.note(&format!("{} runs these versions already", journey.to));
    }
    Ok(code)
}

/// The commits that the submodules are pinned to.
pub(crate) fn pinned(git: &LocalRepository, state: &State<'_>) -> Result<BTreeMap<Utf8PathBuf, String>, Failure> {
    Ok(match state.base {
        Some(base) => LocalRepository::pins(&git.files(base)?).into_iter().collect(),
        None => {
            let pins = git.pins_in_index(state.world).into_iter();
            pins.filter_map(|(path, commit)| Some((path, commit?))).collect()
        }
    })
}

/// What onepane.yaml asks of promotions to `unit`.
fn rules_of(repository: &Repository<'_>, unit: &Utf8Path) -> Vec<PromotionRules> {
    let name = unit.strip_prefix(&repository.layout.clusters).unwrap_or(unit);
    let is_it = |rules: &&PromotionRules| rules.are_about(name.as_str()) || rules.are_about(unit.as_str());
    repository.layout.promotions.iter().filter(is_it).cloned().collect()
}

/// What is known to have passed tests.
struct Passed<'p> {
    runs: OnceCell<CiRuns>,
    statuses: CiStatuses<'p>,
}

/// What speaks against it. Who goes back is not asked where from and whether it was tested: it has run there before.
fn refusals(
    git: &LocalRepository,
    arguments: &CarryArguments,
    journey: &Journey<'_>,
    rules: &[PromotionRules],
    promotion: &Promotion,
    passed: &Passed<'_>,
) -> Result<Vec<String>, Failure> {
    let mut refusals = Vec::new();
    let now = jiff::Timestamp::now();
    refusals.extend(rules.iter().filter_map(|rules| rules.refuse_time(now)));
    let approvals = rules.iter().map(|rules| rules.approvals).max().unwrap_or(0);
    let delivery = &arguments.delivery;
    if approvals > 0 && delivery.pull_request.is_none() && !delivery.dry_run {
        refusals.push(format!("it needs {approvals} approvals, and so a pull request (`--push --pull-request`)"));
    }
    let Some(from) = journey.from else { return Ok(refusals) };
    refusals.extend(rules.iter().filter_map(|rules| rules.refuse_source(from)));
    if rules.iter().any(|rules| rules.needs_ci_run) {
        let runs = match passed.runs.get() {
            Some(runs) => runs,
            None => {
                let read = CiRuns::read(git, delivery.push.as_deref())?;
                passed.runs.get_or_init(|| read)
            }
        };
        for carried in &promotion.carried {
            if !runs.has_passed(&carried.image, &carried.after) {
                let why = format!("`{}` {} has not passed `onepane ci run --record`", carried.image, carried.after);
                refusals.push(why);
            }
        }
    }
    if rules.iter().any(|rules| rules.needs_ci_status) {
        for carried in &promotion.carried {
            refusals.extend(passed.statuses.refuse(&carried.image, &carried.after)?);
        }
    }
    Ok(refusals)
}

/// Services that are named have to be run.
fn check_named(bench: &Bench<'_>, arguments: &ChosenImages, wanted: &Versions) -> Result<(), Failure> {
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
pub(crate) fn message(
    git: &LocalRepository,
    services: &[Service],
    title: &dyn Fn(&str) -> String,
    promotion: &Promotion,
    pins: &[NewPin],
) -> String {
    let base = |carried: &Carried| ImageName::parse(&carried.image).base().to_owned();
    let mut names: Vec<String> = promotion.carried.iter().map(base).collect();
    for pin in pins {
        let name = pin.path.file_name().unwrap_or_default();
        if !names.iter().any(|other| other == name) {
            names.push(name.to_owned());
        }
    }
    let mut text = format!("{}\n\n", title(&names.join(", ")));
    for (carried, name) in promotion.carried.iter().zip(&names) {
        _ = writeln!(text, "{name}: {} → {} ({})", carried.before, carried.after, carried.file);
        if let Some(why) = &carried.left {
            _ = writeln!(text, "    the lines that say another version are left alone: {why}");
        }
        let service = services.iter().find(|service| service.path.file_name() == Some(name));
        // The pin tells it.
        let Some(service) = service.filter(|service| !pins.iter().any(|pin| pin.path == service.path)) else {
            continue;
        };
        let commit = |version: &Version| git.commit_of_tag(&service.path, &version.tag);
        if let (Some(before), Some(after)) = (commit(&carried.before), commit(&carried.after)) {
            log(&mut text, git, &service.path, &before, &after);
        }
    }
    for NewPin { path, before, after } in pins {
        let shown = before.as_deref().map_or("nothing", onepane_git::short);
        _ = writeln!(text, "{path}: {shown} → {}", onepane_git::short(after));
        if let Some(before) = before {
            log(&mut text, git, path, before, after);
        }
    }
    text
}

/// The commits of a service from one to another.
fn log(text: &mut String, git: &LocalRepository, submodule: &Utf8Path, before: &str, after: &str) {
    const MOST_COMMITS: usize = 50;
    let Some(log) = git.range(submodule, before, after, MOST_COMMITS) else { return };
    if log.goes_back {
        *text += "    goes back\n";
    }
    log.ahead.iter().for_each(|commit| _ = writeln!(text, "    {} {}", commit.short(), commit.title));
    if log.unlisted > 0 {
        _ = writeln!(text, "    … {} more", log.unlisted);
    }
}
