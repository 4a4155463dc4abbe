//! `helm repo remove`.

use super::Failure;
use super::command::{Arguments, Command};
use super::flags::Parsed;
use super::network::{fetcher, out};

pub(super) const COMMAND: Command = Command {
    path: &["repo", "remove"],
    aliases: &["rm"],
    usage: "[REPO1 [REPO2 ...]]",
    about: "remove chart repositories",
    arguments: Arguments::AtLeast(1),
    flags: &[],
    run: |flags: &Parsed| -> Result<(), Failure> {
        Ok(fetcher(flags)?.remove_repositories(&flags.arguments, &mut out)?)
    },
};
