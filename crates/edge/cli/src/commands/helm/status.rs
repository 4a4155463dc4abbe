//! `helm status`.

use super::command::{Arguments, Command};
use super::flags::Parsed;
use super::listing::{self, Format};
use super::release_flags::{REVISION, check_name, cluster, number, session};
use super::release_output::{Detail, text};
use super::{Failure, print};
use onepane_release::Format as ResourceFormat;
use onepane_world::World;

pub(super) const COMMAND: Command = Command {
    path: &["status"],
    aliases: &[],
    usage: "RELEASE_NAME",
    about: "show how a release is, and what the cluster has of it",
    flags: &[REVISION, listing::OUTPUT],
    arguments: Arguments::Exactly(1),
    run,
};

fn run(flags: &Parsed) -> Result<(), Failure> {
    show(flags, &super::world()?, &mut print)
}

/// The command, for whoever calls.
pub(super) fn show(flags: &Parsed, world: &dyn World, print: &mut dyn FnMut(&[u8])) -> Result<(), Failure> {
    let format = Format::read(flags)?;
    let cluster = cluster(flags, world)?;
    let session = session(flags, world, &cluster)?;
    let name = flags.arguments.first().map(String::as_str).unwrap_or_default();
    check_name(name, "releaseContent: Release name is invalid")?;
    let mut release = cluster.run(session.revision(name, number(flags, "revision", 0)))?;
    let resources = if format == Format::Table { ResourceFormat::Tables } else { ResourceFormat::Objects };
    cluster.run(session.with_resources(&mut release, resources))?;
    release.chart = serde_json::Value::Null;
    print(text(&release, format, Detail::default())?.as_bytes());
    Ok(())
}
