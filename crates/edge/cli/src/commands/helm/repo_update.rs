//! `helm repo update`.

use super::Failure;
use super::command::{Arguments, Command};
use super::flags::{Kind, Parsed, flag};
use super::network::{fetcher, out, timeout};

pub(super) const COMMAND: Command = Command {
    path: &["repo", "update"],
    aliases: &["up"],
    usage: "[REPO1 [REPO2 ...]]",
    about: "fetch the indexes of chart repositories",
    arguments: Arguments::Any,
    flags: &[&[flag("timeout", Kind::Duration, "how long an index may take; 2m0s by default")]],
    run: |flags: &Parsed| -> Result<(), Failure> {
        let patience = timeout(flags);
        Ok(fetcher(flags)?.update_repositories(&flags.arguments, patience, &mut out)?)
    },
};
