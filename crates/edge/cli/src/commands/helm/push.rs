//! `helm push`: a chart's archive to a registry.

use super::Failure;
use super::command::{Arguments, Command};
use super::flags::Parsed;
use super::flags::SERVER;
use super::network::{fetcher, out, registry_access};
use camino::Utf8Path;

pub(super) const COMMAND: Command = Command {
    path: &["push"],
    aliases: &[],
    usage: "[chart] [remote]",
    about: "upload a chart's archive to a registry",
    arguments: Arguments::AtLeast(2),
    flags: &[SERVER],
    run,
};

fn run(flags: &Parsed) -> Result<(), Failure> {
    let arguments = &flags.arguments;
    let access = registry_access(flags);
    fetcher(flags)?.push(Utf8Path::new(&arguments[0]), &arguments[1], &access, &mut out)?;
    Ok(())
}
