//! `helmfile repos`, and the chart repositories that other commands need: those that a state names are added to Helm's
//! own, and registries are logged in to.

use super::Failure;
use super::session::Session;
use crate::commands::helm::{add_repository_for_helmfile, login_for_helmfile};
use crate::commands::pflag::{Flag, Kind, Parsed, flag};
use onepane_fetch::{Credentials, IfPresent, RegistryAccess, Secret, Tls, shown};
use onepane_helmfile::{Outside, ProgramCall, Repository, State};
use onepane_world::World;
use std::time::Duration;

pub(super) const FLAGS: &[Flag] = &[flag("args", Kind::Text, "no effect here")];

/// Which of a state's repositories are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Registries only: their passwords are needed where no index is.
    Registries,
}

impl Which {
    /// Those that a command needs whose charts are to be fetched.
    pub(super) fn of(state: &State, skips: bool) -> Self {
        let is_on = |key| state.default(key).is_some_and(|value| value.truth());
        if skips || is_on("skipDeps") || is_on("skipRefresh") { Self::Registries } else { Self::All }
    }
}

/// Whether the command line says that what is here has to do.
pub(super) fn skips_refresh(flags: &Parsed) -> bool {
    flags.is_set("skip-deps") || flags.is_set("skip-refresh")
}

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let session = Session::open(flags)?;
    let mut any = false;
    for state in &session.states {
        any |= !state.listed()?.is_empty();
        sync(&session, state, Which::All, flags)?;
    }
    session.check_selected(any, flags)
}

/// Adds the repositories of a state, each name once a run.
pub(super) fn sync(session: &Session, state: &State, which: Which, flags: &Parsed) -> Result<(), Failure> {
    for mut repository in state.repositories()? {
        if which == Which::Registries && !repository.is_oci || session.synced.borrow().contains(&repository.name) {
            continue;
        }
        let name = repository.name.to_uppercase().replace('-', "_");
        for (given, variable) in [(&mut repository.username, "USERNAME"), (&mut repository.password, "PASSWORD")] {
            if given.is_empty() {
                *given = session.world.env(&format!("{name}_{variable}")).unwrap_or_default();
            }
        }
        if repository.is_oci {
            log_in(session, &repository, flags)?;
        } else {
            add(session, &repository, flags)?;
        }
        session.synced.borrow_mut().insert(repository.name);
    }
    Ok(())
}

fn add(session: &Session, repository: &Repository, flags: &Parsed) -> Result<(), Failure> {
    let Repository { name, url, .. } = repository;
    if name.is_empty() && !url.is_empty() {
        return Err(Failure::text("empty field name"));
    }
    match repository.managed.as_str() {
        "" => {}
        "acr" => {
            session.say(&format!("Adding repo {name} (acr)"));
            let arguments = ["acr", "helm", "repo", "add", "--name", name].map(str::to_owned);
            let call = ProgramCall {
                program: "az",
                arguments: &arguments,
                variables: &[],
                input: &[],
                folder: &session.folder,
            };
            return session.system.run(&call).map(drop).map_err(Failure::Text);
        }
        other => return Err(Failure::text(format!("unknown managed type {other:?} for repository {name}"))),
    }
    session.say(&format!("Adding repo {name} {}", shown(url)));
    let has_password = !repository.username.is_empty() && !repository.password.is_empty();
    let credentials = if has_password { credentials(repository) } else { Credentials::default() };
    let present = if flags.is_set("disable-force-update") { IfPresent::Keep } else { IfPresent::Replace };
    retried(session, &format!("add {name}"), flags, || {
        let repository = onepane_fetch::Repository {
            name: name.clone(),
            url: url.clone(),
            credentials: credentials.clone(),
            tls: tls(repository),
            pass_credentials_all: repository.pass_credentials,
        };
        add_repository_for_helmfile(repository, present)
    })
}

fn log_in(session: &Session, repository: &Repository, flags: &Parsed) -> Result<(), Failure> {
    if repository.username.is_empty() || repository.password.is_empty() {
        return Ok(());
    }
    let address = ["oci://", "https://", "http://"]
        .iter()
        .fold(repository.url.as_str(), |url, scheme| url.strip_prefix(scheme).unwrap_or(url));
    let host = address.split('/').next().unwrap_or_default();
    session.say("Logging in to registry");
    // Helmfile says nothing of HTTP here, and Helm then takes it for HTTPS.
    let plain_http = repository.plain_http || flags.is_set("oci-plain-http");
    let access = RegistryAccess {
        credentials: credentials(repository),
        tls: tls(repository),
        plain_http,
        ..RegistryAccess::default()
    };
    retried(session, &format!("registry login {host}"), flags, || login_for_helmfile(host, &access))
}

fn credentials(repository: &Repository) -> Credentials {
    Credentials { username: repository.username.clone(), password: Secret::new(&repository.password) }
}

fn tls(repository: &Repository) -> Tls {
    let (cert_file, key_file) = (&repository.cert_file, &repository.key_file);
    let has_both = !cert_file.is_empty() && !key_file.is_empty();
    let both = |file: &String| if has_both { file.as_str().into() } else { "".into() };
    Tls {
        cert_file: both(cert_file),
        key_file: both(key_file),
        ca_file: repository.ca_file.as_str().into(),
        insecure_skip_verify: repository.skip_tls_verify,
    }
}

/// Does something again that failed, as often as `--repo-retries` says, and waits longer each time.
fn retried<E: Into<Failure>>(
    session: &Session,
    what: &str,
    flags: &Parsed,
    mut attempt: impl FnMut() -> Result<(), E>,
) -> Result<(), Failure> {
    const LONGEST: u64 = 30;
    let said = flags.text("repo-retries").map(str::to_owned).or_else(|| session.world.env("HELMFILE_REPO_RETRIES"));
    let retries: u32 = said.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut failed = 0;
    loop {
        match attempt() {
            Err(_) if failed < retries => {
                let pause = (1 << failed.min(5)).min(LONGEST);
                failed += 1;
                session.warn(&format!("repo operation {what:?} failed; retry {failed}/{retries} in {pause}s"));
                std::thread::sleep(Duration::from_secs(pause));
            }
            outcome => return outcome.map_err(Into::into),
        }
    }
}
