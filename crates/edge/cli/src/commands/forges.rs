//! The forges that repositories are at, asked with the token that their user has for them: [`forge`].

use crate::terminal::Failure;
use onepane_diagnostics::Diagnostic;
use onepane_fetch::{Proxies, Secret};
use onepane_forge::{Address, Forge, Kind};
use onepane_git::LocalRepository;

/// The kinds of forges, by their names on a command line.
pub(crate) fn kind(name: &str) -> Result<Kind, String> {
    Kind::named(name).ok_or_else(|| format!("`{name}` is not one of github, gitlab, gitea"))
}

/// Where a remote is: of its addresses the first that can be read.
pub(crate) fn address_of(git: &LocalRepository, remote: &str, kind: Option<Kind>) -> Result<Address, Failure> {
    let addresses = git.push_addresses(remote)?;
    let mut read = addresses.iter().map(|address| Address::of(address, kind));
    let first = read.next().unwrap_or_else(|| Address::of("", None));
    Ok(first.or_else(|error| read.find_map(Result::ok).ok_or(error))?)
}

/// The forge at an address. What a token is wanted for is told where there is none.
///
/// # Errors
/// `forge-token` where there is none.
pub(crate) fn forge(git: &LocalRepository, address: Address, what: &str) -> Result<Forge, Failure> {
    let variable = |name: &&str| std::env::var(name).ok().filter(|token| !token.is_empty());
    let token = address.token_variables().iter().find_map(variable);
    let token = token.or_else(|| git.password_for(&address.origin)).ok_or_else(|| {
        let message = format!("there is no token of {} {what}", address.kind().name());
        let variables = address.token_variables().join(" or ");
        Diagnostic::error("forge-token", message)
            .hint(format!("set {variables}, or let a credential helper of Git have one for {}", address.origin))
    })?;
    let proxies = Proxies::from_variables(&|name| std::env::var(name).ok());
    Ok(Forge::new(address, Secret::new(token), proxies))
}
