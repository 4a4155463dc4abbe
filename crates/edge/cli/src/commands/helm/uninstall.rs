//! `helm uninstall`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag};
use super::release_flags::{WAIT, check_name, cluster, session, wait};
use super::{Failure, print};
use onepane_release::Uninstall;
use onepane_world::World;

pub(super) const COMMAND: Command = Command {
    path: &["uninstall"],
    aliases: &["del", "delete", "un"],
    usage: "RELEASE_NAME [...]",
    about: "uninstall releases",
    flags: &[OWN_FLAGS, WAIT],
    arguments: Arguments::AtLeast(1),
    run,
};

const OWN_FLAGS: &[Flag] = &[
    flag(
        "cascade",
        Kind::Text,
        "what becomes of what belongs to resources: background (default), foreground or orphan",
    ),
    flag("description", Kind::Text, "what the history says of it"),
    flag("dry-run", Kind::Bool, "only say what would be"),
    flag("ignore-not-found", Kind::Bool, "that there is no such release is as good"),
    flag("keep-history", Kind::Bool, "keep the release's history, and say in it that it was uninstalled"),
    flag("no-hooks", Kind::Bool, "run no hooks"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    uninstall_all(flags, &super::world()?, &mut print)
}

/// The command, for whoever calls.
pub(super) fn uninstall_all(flags: &Parsed, world: &dyn World, print: &mut dyn FnMut(&[u8])) -> Result<(), Failure> {
    let cascade = flags.text("cascade").unwrap_or("background");
    if !matches!(cascade, "background" | "foreground" | "orphan") {
        let message =
            format!("invalid cascade value ({cascade}). Must be \"background\", \"foreground\", or \"orphan\"");
        return Err(message.into());
    }
    let cluster = cluster(flags, world)?;
    let session = session(flags, world, &cluster)?;
    let uninstall = Uninstall {
        wait: wait(flags)?,
        runs_hooks: !flags.is_set("no-hooks"),
        keeps_history: flags.is_set("keep-history"),
        ignores_absence: flags.is_set("ignore-not-found"),
        cascade: cascade.to_owned(),
        description: flags.text("description").unwrap_or_default().to_owned(),
    };
    for name in &flags.arguments {
        let said = if flags.is_set("dry-run") {
            check_name(name, "releaseContent: Release name is invalid")?;
            cluster.run(session.try_uninstall(name, uninstall.ignores_absence))?
        } else {
            check_name(name, "uninstall: Release name is invalid")?;
            cluster.run(session.uninstall(name, &uninstall))?
        };
        if let Some(said) = said.filter(|said| !said.is_empty()) {
            print(format!("{said}\n").as_bytes());
        }
        print(format!("release \"{name}\" uninstalled\n").as_bytes());
    }
    Ok(())
}
