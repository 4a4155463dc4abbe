//! `helm repo add`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag};
use super::network::{ask_password, credentials_or_stdin, fetcher, out, timeout, tls};
use super::{Failure, print};
use onepane_fetch::{Added, Fetcher, IfPresent, Repository};

pub(super) const COMMAND: Command = Command {
    path: &["repo", "add"],
    aliases: &[],
    usage: "[NAME] [URL]",
    about: "add a chart repository",
    arguments: Arguments::Exactly(2),
    flags: &[FLAGS],
    run,
};

const FLAGS: &[Flag] = &[
    flag("allow-deprecated-repos", Kind::Bool, "add it even if it is known to be gone"),
    flag("ca-file", Kind::Text, "the certificates that servers are checked with"),
    flag("cert-file", Kind::Text, "the certificate to show to the server"),
    flag("force-update", Kind::Bool, "replace a repository of the same name"),
    flag("insecure-skip-tls-verify", Kind::Bool, "don't check the server's certificate"),
    flag("key-file", Kind::Text, "the key of that certificate"),
    flag("pass-credentials", Kind::Bool, "send user and password to other hosts too"),
    flag("password", Kind::Text, "the password at the repository"),
    flag("password-stdin", Kind::Bool, "read the password from stdin"),
    flag("timeout", Kind::Duration, "how long the index may take; 2m0s by default"),
    flag("username", Kind::Text, "the user's name at the repository"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let arguments = &flags.arguments;
    let (name, url) = (&arguments[0], &arguments[1]);
    if !flags.is_set("allow-deprecated-repos") {
        Fetcher::refuse_gone_repository(url)?;
    }
    let mut credentials = credentials_or_stdin(flags)?;
    if !credentials.username.is_empty() && credentials.password.is_empty() && !flags.is_set("password-stdin") {
        credentials.password = ask_password()?;
    }
    let repository = Repository {
        name: name.clone(),
        url: url.clone(),
        credentials,
        tls: tls(flags, "insecure-skip-tls-verify"),
        pass_credentials_all: flags.is_set("pass-credentials"),
    };
    let present = if flags.is_set("force-update") { IfPresent::Replace } else { IfPresent::Keep };
    let added = fetcher(flags)?.add_repository(repository, present, timeout(flags), &mut out)?;
    print(format!("{}\n", outcome(name, added)).as_bytes());
    Ok(())
}

/// Helm's line about what was done.
pub(super) fn outcome(name: &str, added: Added) -> String {
    match added {
        Added::Added => format!("{name:?} has been added to your repositories"),
        Added::Unchanged => format!("{name:?} already exists with the same configuration, skipping"),
    }
}
