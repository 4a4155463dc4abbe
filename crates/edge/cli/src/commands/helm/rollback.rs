//! `helm rollback`.

use super::command::{Arguments, Command};
use super::dry_run::dry_run_of_release;
use super::flags::{Flag, Kind, Parsed, flag};
use super::release_flags::{
    DRY_RUN, FORCE, WAIT, WAIT_FOR_JOBS, check_groups, check_name, cluster, forces_replace, most_revisions, session,
    wait,
};
use super::{Failure, print};
use onepane_release::Rollback;

pub(super) const COMMAND: Command = Command {
    path: &["rollback"],
    aliases: &[],
    usage: "<RELEASE> [REVISION]",
    about: "roll back a release to a revision of before",
    flags: &[OWN_FLAGS, FORCE, WAIT, WAIT_FOR_JOBS, DRY_RUN],
    arguments: Arguments::AtLeast(1),
    run,
};

const OWN_FLAGS: &[Flag] = &[
    flag("cleanup-on-fail", Kind::Bool, "delete what was made if something fails"),
    flag("description", Kind::Text, "what the history says of it, in at most 256 characters"),
    flag("history-max", Kind::Integer, "how many revisions are kept; 10 by default, all for 0"),
    flag("server-side", Kind::Text, "let the server merge what is applied: true, false, or auto: as before (default)"),
];

/// Helm's limit.
const LONGEST_DESCRIPTION: usize = 256;

fn run(flags: &Parsed) -> Result<(), Failure> {
    check_groups(flags)?;
    let name = flags.arguments.first().map(String::as_str).unwrap_or_default();
    let version = flags.arguments.get(1).map_or(Ok(0), |text| {
        text.parse::<i64>().map_err(|error| {
            let problem = match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            format!("could not convert revision to a number: strconv.Atoi: parsing {text:?}: {problem}")
        })
    })?;
    let description = flags.text("description").unwrap_or_default();
    let length = description.chars().count();
    if length > LONGEST_DESCRIPTION {
        return Err(format!("description must be {LONGEST_DESCRIPTION} characters or less, got {length}").into());
    }
    let is_trial = dry_run_of_release(flags)?.is_some();
    let world = super::world()?;
    let cluster = cluster(flags, &world)?;
    let session = session(flags, &world, &cluster)?;
    check_name(name, "prepareRollback: Release name is invalid")?;
    let rollback = Rollback {
        version,
        wait: wait(flags)?,
        runs_hooks: !flags.is_set("no-hooks"),
        server_side: flags.text("server-side").unwrap_or("auto").to_owned(),
        forces_conflicts: flags.is_set("force-conflicts"),
        forces_replace: forces_replace(flags),
        cleans_up: flags.is_set("cleanup-on-fail"),
        most_revisions: most_revisions(flags, &world),
        description: description.to_owned(),
        is_trial,
    };
    cluster.run(session.rollback(name, &rollback))?;
    print(b"Rollback was a success! Happy Helming!\n");
    Ok(())
}
