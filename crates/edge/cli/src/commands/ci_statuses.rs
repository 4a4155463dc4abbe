//! What runs of temporary environments came to, as statuses of commits at forges: posted by `ci run --status`, asked for by
//! `promote`.
//!
//! The status is one of the commit that an image was made of, in the repository of its service, where those who review that
//! commit see it. Without a service it is one of the commit here.

use crate::commands::chosen_images::service_of;
use crate::commands::forges;
use crate::commands::registry::Registries;
use crate::terminal::Failure;
use onepane_diagnostics::Diagnostic;
use onepane_fetch::RegistryAccess;
use onepane_forge::{Address, Forge, Kind, NewStatus, State};
use onepane_git::{LocalRepository, Service, short};
use onepane_repo::Version;
use onepane_resource::ImageName;
use std::collections::BTreeMap;

/// What the names of statuses begin with; the cluster follows.
const NAME: &str = "onepane-ci/";

/// A commit whose status is told while it is tested.
pub(crate) struct CiStatus {
    forge: Forge,
    commit: String,
    context: String,
}

impl CiStatus {
    /// Of the commit that a service's image was made of, or of the last one of the repository itself.
    pub(crate) fn of(git: &LocalRepository, tested: &Tested<'_>, kind: Option<Kind>) -> Result<Self, Failure> {
        let Tested { cluster, service, image, commit, is_built_here } = *tested;
        let what = "to post a status of a commit with";
        let (address, commit) = match (service, image) {
            (Some(service), Some(image)) => {
                let commit = match commit {
                    Some(commit) => git.commit_in(&service.path, commit).unwrap_or_else(|_| commit.to_owned()),
                    None if is_built_here => git.commit_in(&service.path, "")?,
                    None => {
                        let image = ImageName::parse(image);
                        let commit = commit_of(git, &Registries::new(), service, image.name, image.tag)?;
                        commit.ok_or_else(|| {
                            let message =
                                format!("nothing tells which commit of {} `{}` was made of", service.path, image.name);
                            Diagnostic::error("ci-status", message).hint(
                                "its tag can be the commit, or its label `org.opencontainers.image.revision` name it; \
                                 `--commit` says it",
                            )
                        })?
                    }
                };
                (address_of(git, service, kind)?, commit)
            }
            _ => (forges::address_of(git, "origin", kind)?, git.commit("HEAD")?),
        };
        Ok(Self { forge: forges::forge(git, address, what)?, commit, context: format!("{NAME}{cluster}") })
    }

    /// Posts how it is.
    pub(crate) fn post(&self, state: State, description: &str) -> Result<(), Failure> {
        let target = page();
        let Self { forge, commit, context } = self;
        let new = NewStatus { commit, state, context, description, target: target.as_deref() };
        Ok(forge.post_status(&new)?)
    }
}

/// What is tested.
#[derive(Clone, Copy)]
pub(crate) struct Tested<'t> {
    pub(crate) cluster: &'t str,
    pub(crate) service: Option<&'t Service>,
    pub(crate) image: Option<&'t str>,
    /// The service's commit, if it is said.
    pub(crate) commit: Option<&'t str>,
    /// Whether the image is made of what is checked out here.
    pub(crate) is_built_here: bool,
}

/// The statuses of services' commits, each asked for once.
pub(crate) struct CiStatuses<'s> {
    git: &'s LocalRepository,
    services: &'s [Service],
    kind: Option<Kind>,
    registries: Registries,
    passed: std::cell::RefCell<BTreeMap<(String, String), bool>>,
}

impl<'s> CiStatuses<'s> {
    pub(crate) fn new(git: &'s LocalRepository, services: &'s [Service], kind: Option<Kind>) -> Self {
        Self { git, services, kind, registries: Registries::new(), passed: Default::default() }
    }

    /// Why an image is not known to have passed; `None` where a status says that it has.
    pub(crate) fn refuse(&self, name: &str, version: &Version) -> Result<Option<String>, Failure> {
        let Some(service) = service_of(self.services, name) else {
            return Ok(Some(format!("`{name}` is of no service here, whose commits could have a status")));
        };
        let Some(commit) = commit_of(self.git, &self.registries, service, name, &version.tag)? else {
            return Ok(Some(format!("nothing tells which commit of {} `{name}` {version} was made of", service.path)));
        };
        let key = (service.path.to_string(), commit.clone());
        let known = self.passed.borrow().get(&key).copied();
        let is_passed = match known {
            Some(known) => known,
            None => {
                let address = address_of(self.git, service, self.kind)?;
                let forge = forges::forge(self.git, address, "to ask for statuses of commits with")?;
                let is_passed = forge.passed(&commit)?.iter().any(|name| name.starts_with(NAME));
                self.passed.borrow_mut().insert(key, is_passed);
                is_passed
            }
        };
        let why = || format!("no status `{NAME}…` of {} at {} says that it has passed", service.path, short(&commit));
        Ok((!is_passed).then(why))
    }
}

/// Where a service's repository is.
fn address_of(git: &LocalRepository, service: &Service, kind: Option<Kind>) -> Result<Address, Failure> {
    let url = git.service_url(service).unwrap_or_default();
    // What shows its kind is of that, whatever the others are.
    Ok(Address::of(&url, None).or_else(|error| kind.map_or(Err(error), |kind| Address::of(&url, Some(kind))))?)
}

/// The commit of a service that an image was made of: its tag, if that is one, or one that stands for one; or what its label says.
fn commit_of(
    git: &LocalRepository,
    registries: &Registries,
    service: &Service,
    image: &str,
    tag: &str,
) -> Result<Option<String>, Failure> {
    let name = tag.strip_prefix("sha-").unwrap_or(tag);
    if matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Some(name.to_owned()));
    }
    if let Some(commit) = git.commit_of_tag(&service.path, name) {
        return Ok(Some(commit));
    }
    Ok(registries.facts(image, tag, &RegistryAccess::default())?.revision)
}

/// The page of the pipeline that this runs in, as GitHub, Gitea, GitLab and Jenkins tell it.
fn page() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let of_actions = || {
        let [server, repository, run] = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(variable);
        Some(format!("{}/{}/actions/runs/{}", server?, repository?, run?))
    };
    of_actions().or_else(|| variable("CI_JOB_URL")).or_else(|| variable("BUILD_URL"))
}
