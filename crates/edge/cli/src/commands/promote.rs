//! `onepane promote` and `onepane rollback`: the versions that one environment runs, carried to another one, or those that it
//! ran before.

use crate::commands::change_log::ChangeLogs;
use crate::commands::chosen_images::{ChosenImages, service_of};
use crate::commands::ci_runs::CiRuns;
use crate::commands::ci_statuses::CiStatuses;
use crate::commands::decrypted_world::DecryptedWorld;
use crate::commands::delivery::{Delivery, DeliveryArguments, Edit, State};
use crate::commands::open;
use crate::commands::plan::{Compared, ReportArguments};
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_git::{LocalRepository, Service};
use onepane_repo::{BuildOptions, Carried, Promotion, PromotionRules, PromotionStep, Repository, Running, Version};
use onepane_world::OsWorld;
use serde_json::Value;
use std::cell::{OnceCell, RefCell};
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
        if repository.unit(to).is_ok_and(|other| other == unit) {
            let message = format!("`{from}` and `{to}` are the same environment");
            return Err(Diagnostic::error("promotion-steps", message).into());
        }
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
        let running = |repository: &Repository<'_>| -> Result<Running, Box<Diagnostic>> {
            repository.running(&repository.unit(environment)?, &wanted)
        };
        let at = |commit: &str| -> Result<Running, Failure> {
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
            let is_other =
                |(name, version): (&String, &Version)| now.wanted.get(name).is_some_and(|now| now != version);
            if before.wanted.iter().any(is_other) {
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

impl Bench<'_> {
    pub(crate) fn repository(&self) -> Result<Repository<'_>, Failure> {
        Ok(self.elsewhere.reached(Repository::open(self.state.world).map_err(&self.state.failure)?))
    }

    /// The service that an image is of.
    pub(crate) fn service_of(&self, image: &str) -> Option<&Service> {
        service_of(self.services, image)
    }

    /// What an environment consists of, with its Secrets as they read.
    pub(crate) fn decrypted(&self, unit: &Utf8Path) -> Result<Vec<Value>, Failure> {
        let machine = OsWorld::unrestricted("/");
        let decrypted = DecryptedWorld::new(self.state.world, &machine);
        // What is decrypted is in no excerpt.
        let repository = self.elsewhere.reached(Repository::open(&decrypted).map_err(Failure::without_excerpts)?);
        let built = repository.manifests(unit, &BuildOptions::default()).map_err(Failure::without_excerpts)?;
        let objects = built.manifests.iter().map(|manifest| manifest.document()).collect::<Result<_, _>>();
        objects.map_err(Failure::without_excerpts)
    }

    /// Which images are carried, by their names.
    pub(crate) fn is_wanted(&self, chosen: &ChosenImages) -> impl Fn(&str) -> bool {
        |image| chosen.mean(self.services, image)
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
    versions: &dyn Fn(&Bench<'_>) -> Result<Running, Failure>,
) -> Result<ExitCode, Failure> {
    let delivery = Delivery::open(terminal, directory)?;
    let Delivery { root, disk, git } = &delivery;
    let services = git.listed_services(disk);
    let elsewhere = Elsewhere::of(root, arguments.offline);
    // Asked for once, however often it is tried.
    let passed = Passed { runs: OnceCell::new(), statuses: CiStatuses::new(git, &services, arguments.delivery.forge) };
    let left_out = RefCell::new(None);
    let logs = ChangeLogs::new(git, &services, &arguments.delivery, arguments.offline);
    let edit = |state: &State<'_>| -> Result<Option<Edit>, Failure> {
        let bench = Bench { git, state, services: &services, elsewhere: &elsewhere };
        let running = versions(&bench)?;
        chosen.check(&services, &running)?;
        let repository = bench.repository()?;
        let unit = repository.unit(journey.to).map_err(&state.failure)?;
        let promotion = repository.promote(&unit, &running.wanted).map_err(&state.failure)?;
        left_out.replace(chosen.left_out(&running, &promotion.runs));
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
        let mut log = logs.of(journey.title, &promotion, &pins);
        refusals.iter().for_each(|refusal| _ = writeln!(log.message, "\nForced, although {refusal}"));
        let reviewers = rules.iter().flat_map(|rules| rules.reviewers.iter().cloned()).collect();
        // Who goes back is in a hurry, whoever has said no to going there before.
        let carried = if journey.from.is_some() { carried(&promotion, &pins) } else { Vec::new() };
        let pins = pins.into_iter().map(|pin| (pin.path, pin.after)).collect();
        Ok(Some(Edit { files: promotion.edits, pins, log, plan, reviewers, carried }))
    };
    let (is_changed, code) = delivery.run(terminal, &arguments.delivery, &arguments.report, &journey.branch, &edit)?;
    if !is_changed {
        let place = arguments.delivery.place().map(|place| format!(", as `{place}` has it")).unwrap_or_default();
        terminal.note(&format!("{} runs these versions already{place}", journey.to));
    }
    left_out.take().iter().for_each(|message| terminal.note(message));
    Ok(code)
}

/// What is carried, as pull requests say it.
pub(crate) fn carried(promotion: &Promotion, pins: &[NewPin]) -> Vec<String> {
    let image = |Carried { image, after, .. }: &Carried| {
        let part = |sign: &str, text: &str| if text.is_empty() { String::new() } else { format!("{sign}{text}") };
        format!("{image}{}{}", part(":", &after.tag), part("@", &after.digest))
    };
    let pin = |NewPin { path, after, .. }: &NewPin| format!("{path}@{after}");
    promotion.carried.iter().map(image).chain(pins.iter().map(pin)).collect()
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
