//! `helm install`.

use super::caller::Caller;
use super::command::{Arguments, Command};
use super::dry_run::{DryRun, dry_run_of_release};
use super::flags::{CHART_LOCATION, DEVELOPMENT, Flag, Kind, Parsed, SERVER, VALUES, flag, short};
use super::listing::{self, Format};
use super::namespace::namespace;
use super::release_flags::{
    DEPLOY, DRY_RUN, FORCE, WAIT, WAIT_FOR_JOBS, check_groups, forces_replace, interruptible, labels, session_in,
    wait_and_roll_back,
};
use super::release_output::{Detail, text};
use super::rendering::{Preparation, Target, hides_secrets, logged};
use super::template::{is_debug, name_and_chart};
use super::{Failure, cluster, log_with, print};
use camino::Utf8Path;
use onepane_diagnostics::Severity;
use onepane_helm::Action;
use onepane_release::{Install, Release, Status};
use onepane_world::World;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) const COMMAND: Command = Command {
    path: &["install"],
    aliases: &[],
    usage: "[NAME] [CHART]",
    about: "install a chart",
    flags: &[
        OWN_FLAGS,
        DEPLOY,
        FORCE,
        WAIT,
        WAIT_FOR_JOBS,
        DRY_RUN,
        VALUES,
        SERVER,
        CHART_LOCATION,
        DEVELOPMENT,
        listing::OUTPUT,
    ],
    arguments: Arguments::AtLeast(1),
    run,
};

const OWN_FLAGS: &[Flag] = &[
    short('g', "generate-name", Kind::Bool, "give no NAME"),
    flag("name-template", Kind::Text, "a template that gives the release's name"),
    flag("replace", Kind::Bool, "take the name of a release that was uninstalled and kept its history"),
    flag("server-side", Kind::Bool, "let the server merge what is applied; true by default"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    check_groups(flags)?;
    let format = Format::read(flags)?;
    let world = super::world()?;
    let dry_run = dry_run_of_release(flags)?;
    let unnamed = |chart: &str| match flags.is_set("generate-name") {
        true => Ok(generated(chart)),
        false => Err("must either provide a name or specify --generate-name".to_owned().into()),
    };
    let installed = name_and_chart(flags, &world, unnamed).and_then(|(name, reference)| {
        let is_server_side = flags.text("server-side") != Some("false");
        install(flags, &name, reference, dry_run, flags.is_set("replace"), is_server_side, Caller::user(&world))
    });
    let release = installed.map_err(|failure| failure.after("INSTALLATION FAILED: "))?;
    print(described(flags, &release, format, &world)?.as_bytes());
    Ok(())
}

/// What is printed of what was installed or upgraded.
pub(super) fn described(
    flags: &Parsed,
    release: &Release,
    format: Format,
    world: &dyn World,
) -> Result<String, Failure> {
    let detail =
        Detail { shows_all: is_debug(flags, world), hides_notes: flags.is_set("hide-notes"), ..Detail::default() };
    text(release, format, detail)
}

/// Installs a chart, or only says what would come of it.
pub(super) fn install(
    flags: &Parsed,
    name: &str,
    reference: &str,
    dry_run: Option<DryRun>,
    replaces: bool,
    is_server_side: bool,
    caller: Caller<'_>,
) -> Result<Release, Failure> {
    let world = caller.world;
    let preparation = Preparation::new(flags, reference, world)?;
    let namespace = namespace(flags, world);
    let cluster = match dry_run {
        Some(DryRun::Client) => None,
        _ => Some(cluster::connect(flags, world)?),
    };
    let hides_secrets = hides_secrets(flags, dry_run.is_some()).map_err(logged)?;
    onepane_helm::Release::check_name(name).map_err(|error| refused_name(format!("release name {name:?}: {error}")))?;
    let (wait, rolls_back) = wait_and_roll_back(flags)?;
    let install = Install {
        wait,
        runs_hooks: !flags.is_set("no-hooks"),
        replaces,
        creates_namespace: flags.is_set("create-namespace"),
        takes_ownership: flags.is_set("take-ownership"),
        is_server_side,
        forces_conflicts: flags.is_set("force-conflicts"),
        forces_replace: forces_replace(flags),
        rolls_back,
        validates: !flags.is_set("disable-openapi-validation"),
        description: flags.text("description").unwrap_or_default().to_owned(),
    };
    let session = cluster.as_ref().map(|cluster| session_in(&namespace, world, cluster)).transpose()?;
    let mut available = None;
    let mut warns_of_crds = false;
    if let (Some(cluster), Some(session)) = (&cluster, &session) {
        if dry_run.is_none() {
            let found = cluster.run(session.available(name, install.replaces));
            available = Some(found.map_err(|failure| refused_name(failure.to_string()))?);
        }
        let definitions = if flags.is_set("skip-crds") { Vec::new() } else { preparation.definitions()? };
        if dry_run.is_some() {
            warns_of_crds = !definitions.is_empty();
        } else if !definitions.is_empty() {
            cluster.run(session.install_definitions(&definitions, &install))?;
        }
    }
    let target = Target {
        name,
        namespace: &namespace,
        action: Action::Install,
        revision: 1,
        cluster: cluster.as_ref(),
        warns_of_crds,
        hides_secrets,
    };
    let mut release = preparation.rendered(flags, &target, world)?;
    release.labels = labels(flags);
    release.apply_method = if install.is_server_side { "ssa" } else { "csa" }.to_owned();
    if dry_run.is_some() {
        release.info.status = Status::PendingInstall;
        release.info.description = "Dry run complete".to_owned();
    }
    if let (Some(cluster), Some(session)) = (&cluster, &session) {
        let Some(available) = available else {
            cluster.run(session.check_install(&release, &install))?;
            return Ok(release);
        };
        let session = interruptible(session_in(&namespace, world, cluster)?, name, caller);
        let (installed, outcome) = cluster.run(session.install(release, &available, &install));
        outcome?;
        return Ok(installed);
    }
    Ok(release)
}

/// That a name can't be taken, logged and said.
fn refused_name(why: String) -> Failure {
    const WORDS: &str = "release name check failed";
    log_with(Severity::Error, WORDS, &[("error", why.clone())]);
    format!("{WORDS}: {why}").into()
}

/// The chart's own name, up to the first dot, and the second that it is now.
fn generated(chart: &str) -> String {
    let base = Utf8Path::new(chart).file_name().filter(|name| *name != "..").unwrap_or("chart");
    let base = base.split('.').next().unwrap_or_default();
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    format!("{base}-{seconds}")
}
