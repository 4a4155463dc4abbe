//! `helm registry logout`.

use super::command::{Arguments, Command};
use super::flags::Parsed;
use super::network::fetcher;
use super::{Failure, print};

pub(super) const COMMAND: Command = Command {
    path: &["registry", "logout"],
    aliases: &[],
    usage: "[host]",
    about: "forget the password for a registry",
    arguments: Arguments::AtLeast(1),
    flags: &[],
    run,
};

fn run(flags: &Parsed) -> Result<(), Failure> {
    let host = &flags.arguments[0];
    fetcher(flags)?.logout(host)?;
    print(format!("Removing login credentials for {host}\n").as_bytes());
    Ok(())
}
