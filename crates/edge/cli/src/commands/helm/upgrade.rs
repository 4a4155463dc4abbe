//! `helm upgrade`.

use super::caller::Caller;
use super::command::{Arguments, Command};
use super::dry_run::{DryRun, dry_run_of_release};
use super::flags::{CHART_LOCATION, DEVELOPMENT, Flag, Kind, Parsed, SERVER, VALUES, flag, short};
use super::install::{described, install};
use super::listing::{self, Format};
use super::namespace::namespace;
use super::release_chart::{computed, given};
use super::release_flags::{
    DEPLOY, DRY_RUN, FORCE, WAIT, WAIT_FOR_JOBS, check_groups, check_name, cluster, forces_replace, interruptible,
    labels, most_revisions, session_in, wait_and_roll_back,
};
use super::rendering::{Preparation, Target, hides_secrets};
use super::{Failure, log_once, print};
use onepane_chart::coalesce_tables;
use onepane_helm::Action;
use onepane_release::{Release, Status, Upgrade};

pub(super) const COMMAND: Command = Command {
    path: &["upgrade"],
    aliases: &[],
    usage: "[RELEASE] [CHART]",
    about: "upgrade a release",
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
    arguments: Arguments::Exactly(2),
    run,
};

const OWN_FLAGS: &[Flag] = &[
    flag("cleanup-on-fail", Kind::Bool, "delete what was made if something fails"),
    flag("history-max", Kind::Integer, "how many revisions are kept; 10 by default, all for 0"),
    short('i', "install", Kind::Bool, "install the chart if there is no such release"),
    flag("reset-then-reuse-values", Kind::Bool, "take the chart's values, and lay over them those given before"),
    flag("reset-values", Kind::Bool, "take the chart's values, and forget those given before"),
    flag("reuse-values", Kind::Bool, "take the values of the last revision, and lay those given now over them"),
    flag("server-side", Kind::Text, "let the server merge what is applied: true, false, or auto: as before (default)"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let world = super::world()?;
    upgrade_or_install(flags, Caller::user(&world), &mut print)
}

/// The command, for whoever calls.
pub(super) fn upgrade_or_install(
    flags: &Parsed,
    caller: Caller<'_>,
    print: &mut dyn FnMut(&[u8]),
) -> Result<(), Failure> {
    check_groups(flags)?;
    let format = Format::read(flags)?;
    let world = caller.world;
    let dry_run = dry_run_of_release(flags)?;
    let [name, reference] = flags.arguments.as_slice() else { return Ok(()) };
    if flags.is_set("install") {
        let cluster = cluster(flags, world)?;
        let session = session_in(&namespace(flags, world), world, &cluster)?;
        check_name(name, "release name is invalid")?;
        let history = match cluster.run(session.history(name)) {
            Err(onepane_release::Failure::NotFound) => Vec::new(),
            history => history?,
        };
        let is_uninstalled = history.last().is_some_and(|last| last.info.status == Status::Uninstalled);
        drop(session);
        if history.is_empty() || is_uninstalled {
            if format == Format::Table {
                print(format!("Release {name:?} does not exist. Installing it now.\n").as_bytes());
            }
            let is_server_side = flags.text("server-side") != Some("false");
            let release = install(flags, name, reference, dry_run, is_uninstalled, is_server_side, caller)?;
            print(described(flags, &release, format, world)?.as_bytes());
            return Ok(());
        }
    }
    let preparation = Preparation::new(flags, reference, world)?;
    let upgraded = upgrade(flags, name, preparation, dry_run, caller);
    let release = upgraded.map_err(|failure| failure.after("UPGRADE FAILED: "))?;
    if format == Format::Table {
        print(format!("Release {name:?} has been upgraded. Happy Helming!\n").as_bytes());
    }
    print(described(flags, &release, format, world)?.as_bytes());
    Ok(())
}

fn upgrade(
    flags: &Parsed,
    name: &str,
    mut preparation: Preparation,
    dry_run: Option<DryRun>,
    caller: Caller<'_>,
) -> Result<Release, Failure> {
    let world = caller.world;
    let cluster = cluster(flags, world)?;
    let session = session_in(&namespace(flags, world), world, &cluster)?;
    check_name(name, "release name is invalid")?;
    let hides_secrets = hides_secrets(flags, dry_run.is_some())?;
    let (wait, rolls_back) = wait_and_roll_back(flags)?;
    let upgrade = Upgrade {
        wait,
        runs_hooks: !flags.is_set("no-hooks"),
        takes_ownership: flags.is_set("take-ownership"),
        server_side: flags.text("server-side").unwrap_or("auto").to_owned(),
        forces_conflicts: flags.is_set("force-conflicts"),
        forces_replace: forces_replace(flags),
        cleans_up: flags.is_set("cleanup-on-fail"),
        rolls_back,
        validates: !flags.is_set("disable-openapi-validation"),
        most_revisions: most_revisions(flags, world),
        description: flags.text("description").unwrap_or_default().to_owned(),
        labels: labels(flags),
    };
    let mut upgraded = cluster.run(session.prepare_upgrade(name, &upgrade))?;
    reuse_values(flags, &mut preparation, upgraded.current())?;
    let target = Target {
        name,
        namespace: &upgraded.current().namespace.clone(),
        action: Action::Upgrade,
        revision: upgraded.revision(),
        // A dry run on the client asks no cluster while it renders, though it has to know the release.
        cluster: Some(&cluster),
        warns_of_crds: false,
        hides_secrets,
    };
    let mut release = preparation.rendered_for_upgrade(flags, &target, dry_run, world)?;
    release.labels = upgraded.labels(&upgrade.labels);
    release.apply_method = upgraded.apply_method().to_owned();
    release.info.first_deployed.clone_from(&upgraded.current().info.first_deployed);
    if dry_run.is_some() {
        cluster.run(session.check_upgrade(&upgraded, &release, &upgrade))?;
        release.info.status = Status::PendingUpgrade;
        release.info.description = match upgrade.description.as_str() {
            "" => "Dry run complete".to_owned(),
            given => given.to_owned(),
        };
        return Ok(release);
    }
    let session = interruptible(session, name, caller);
    let (release, outcome) = cluster.run(session.upgrade(&mut upgraded, release, &upgrade));
    outcome?;
    Ok(release)
}

/// The values that a release had before, where flags or the lack of new ones ask for them.
fn reuse_values(flags: &Parsed, preparation: &mut Preparation, current: &Release) -> Result<(), Failure> {
    let new = preparation.values().clone();
    if flags.is_set("reset-values") {
        return Ok(());
    }
    let before = given(current)?;
    if flags.is_set("reuse-values") {
        let all =
            computed(current, &mut log_once()).map_err(|failure| failure.after("failed to rebuild old values: "))?;
        preparation.take_values(coalesce_tables(&new, &before), Some(all));
    } else if flags.is_set("reset-then-reuse-values") {
        preparation.take_values(coalesce_tables(&new, &before), None);
    } else if new.is_empty() && !before.is_empty() {
        preparation.take_values(before, None);
    }
    Ok(())
}
