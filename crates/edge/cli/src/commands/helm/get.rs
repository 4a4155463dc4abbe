//! `helm get hooks`, `get manifest` and `get notes`.

use super::command::{Arguments, Command};
use super::flags::Parsed;
use super::release_flags::{REVISION, check_name, cluster, number, session};
use super::{Failure, print};
use onepane_release::Release;

pub(super) const HOOKS: Command = Command {
    path: &["get", "hooks"],
    about: "print the hooks of a release",
    run: |flags| {
        let release = release(flags)?;
        let hooks = release.hooks.iter().map(|hook| format!("---\n# Source: {}\n{}\n", hook.path, hook.manifest));
        print(hooks.collect::<String>().as_bytes());
        Ok(())
    },
    ..TEMPLATE
};

pub(super) const MANIFEST: Command = Command {
    path: &["get", "manifest"],
    about: "print the manifests of a release",
    run: |flags| {
        print(format!("{}\n", release(flags)?.manifest).as_bytes());
        Ok(())
    },
    ..TEMPLATE
};

pub(super) const NOTES: Command = Command {
    path: &["get", "notes"],
    about: "print the notes of a release",
    run: |flags| {
        let notes = release(flags)?.info.notes;
        if !notes.is_empty() {
            print(format!("NOTES:\n{notes}\n").as_bytes());
        }
        Ok(())
    },
    ..TEMPLATE
};

const TEMPLATE: Command = Command {
    path: &["get"],
    aliases: &[],
    usage: "RELEASE_NAME",
    about: "",
    flags: &[REVISION],
    arguments: Arguments::Exactly(1),
    run: |_| Ok(()),
};

/// The revision that flags and arguments name.
pub(super) fn release(flags: &Parsed) -> Result<Release, Failure> {
    let world = super::world()?;
    let cluster = cluster(flags, &world)?;
    let session = session(flags, &world, &cluster)?;
    let name = flags.arguments.first().map(String::as_str).unwrap_or_default();
    check_name(name, "releaseContent: Release name is invalid")?;
    Ok(cluster.run(session.revision(name, number(flags, "revision", 0)))?)
}
