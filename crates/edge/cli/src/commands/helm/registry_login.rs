//! `helm registry login`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag, short};
use super::network::{ask, ask_password, credentials_or_stdin, fetcher, tls, warn_of_password};
use super::{Failure, print};
use onepane_fetch::RegistryAccess;

pub(super) const COMMAND: Command = Command {
    path: &["registry", "login"],
    aliases: &[],
    usage: "[host]",
    about: "log in to a registry and keep the password",
    arguments: Arguments::AtLeast(1),
    flags: &[FLAGS],
    run,
};

const FLAGS: &[Flag] = &[
    flag("ca-file", Kind::Text, "the certificates that servers are checked with"),
    flag("cert-file", Kind::Text, "the certificate to show to the server"),
    flag("insecure", Kind::Bool, "don't check the server's certificate"),
    flag("key-file", Kind::Text, "the key of that certificate"),
    short('p', "password", Kind::Text, "the password or token"),
    flag("password-stdin", Kind::Bool, "read the password or token from stdin"),
    flag("plain-http", Kind::Bool, "talk HTTP to the registry, without encryption"),
    short('u', "username", Kind::Text, "the user's name"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let arguments = &flags.arguments;
    let mut credentials = credentials_or_stdin(flags)?;
    let asks = credentials.password.is_empty() && !flags.is_set("password-stdin");
    if asks && credentials.username.is_empty() {
        credentials.username = ask("Username: ")?;
    }
    if credentials.username.is_empty() {
        let message = "a user name is required: registries are not logged in to with a token alone";
        return Err(message.to_owned().into());
    }
    if asks {
        credentials.password = ask_password()?;
    }
    warn_of_password(flags);
    let access = RegistryAccess {
        credentials,
        tls: tls(flags, "insecure"),
        plain_http: flags.is_set("plain-http"),
        ..RegistryAccess::default()
    };
    fetcher(flags)?.login(&arguments[0], &access)?;
    print(b"Login Succeeded\n");
    Ok(())
}
