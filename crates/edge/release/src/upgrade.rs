//! A release upgraded: [`Session::prepare_upgrade`] finds what it is upgraded from, and [`Session::upgrade`] does it.

use crate::apply::{self, Change, Method};
use crate::failure::Failure;
use crate::hooks::{self, Running};
use crate::install::{check_conflicts, check_method};
use crate::release::{Release, Status};
use crate::rollback::Rollback;
use crate::session::{Before, Session};
use crate::storage::{Held, Kept};
use crate::wait::Wait;
use futures::lock::Mutex;
use onepane_cluster::{Check, Ownership, Resource, Validation};
use std::collections::BTreeMap;

/// How a release is upgraded.
#[derive(Clone, Debug)]
pub struct Upgrade {
    /// How it is waited, and how long.
    pub wait: Wait,
    /// Whether hooks run.
    pub runs_hooks: bool,
    /// Whether resources are taken that others have.
    pub takes_ownership: bool,
    /// Whether the server merges what is applied: `true`, `false`, or `auto` for what the release did before.
    pub server_side: String,
    /// Whether fields are taken over that others have set.
    pub forces_conflicts: bool,
    /// Whether resources are put in place of those that are there.
    pub forces_replace: bool,
    /// Whether what was made is deleted if something fails.
    pub cleans_up: bool,
    /// Whether the release is rolled back if something fails.
    pub rolls_back: bool,
    /// Whether manifests are held against schemas.
    pub validates: bool,
    /// How many revisions are kept; all for 0.
    pub most_revisions: i64,
    /// What the history says of it; Helm's words where nothing is given.
    pub description: String,
    /// Labels that the release gets; those that are `null` it loses.
    pub labels: BTreeMap<String, String>,
}

/// What a release is upgraded from.
pub struct Upgraded {
    last: Release,
    current: Release,
    unfinished: Vec<Kept>,
    is_server_side: bool,
}

impl Upgraded {
    /// The revision that the cluster has.
    pub fn current(&self) -> &Release {
        &self.current
    }

    /// The number of the revision that comes.
    pub fn revision(&self) -> i64 {
        self.last.version + 1
    }

    /// How its resources will be applied.
    pub fn apply_method(&self) -> &'static str {
        if self.is_server_side { "ssa" } else { "csa" }
    }

    /// The labels that it will have.
    pub fn labels(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut labels = self.last.labels.clone();
        labels.extend(given.clone());
        labels.retain(|_, value| value != "null");
        labels
    }
}

impl Session<'_> {
    /// Finds what a release is upgraded from.
    ///
    /// # Errors
    /// Helm's: there is no such release, or somebody is at work on it. Where that is one of ours who is gone, its revision is
    /// marked as failed, and the upgrade goes on.
    pub async fn prepare_upgrade(&self, name: &str, upgrade: &Upgrade) -> Result<Upgraded, Failure> {
        let history = match self.recovered(name).await {
            Err(Failure::NotFound) => return Err(Failure::NotDeployed { release: name.to_owned() }),
            history => history?,
        };
        let Before { last, current, unfinished } =
            Before::of(history).ok_or_else(|| Failure::NotDeployed { release: name.to_owned() })?;
        let status = last.release.info.status;
        if status.is_pending() {
            return Err(Failure::Busy);
        }
        let is_deployed = current.release.info.status == Status::Deployed;
        if !is_deployed && !matches!(status, Status::Failed | Status::Superseded) {
            return Err(Failure::NotDeployed { release: name.to_owned() });
        }
        let is_server_side = is_server_side(&upgrade.server_side, &last.release.apply_method)?;
        Ok(Upgraded { last: last.release, current: current.release, unfinished, is_server_side })
    }

    /// Checks `release` against the cluster, without upgrading to it.
    pub async fn check_upgrade(
        &self,
        upgraded: &Upgraded,
        release: &Release,
        upgrade: &Upgrade,
    ) -> Result<(), Failure> {
        self.prepared_upgrade(upgraded, release, upgrade).await.map(drop)
    }

    /// The resources that the release has and those that it is to have.
    async fn prepared_upgrade(
        &self,
        upgraded: &Upgraded,
        release: &Release,
        upgrade: &Upgrade,
    ) -> Result<(Vec<Resource>, Vec<Resource>), Failure> {
        let namespace = &self.namespace;
        let validation = if upgrade.validates { Validation::Strict } else { Validation::None };
        let manifest = release.manifest.as_bytes();
        // Helm builds it once to see that it can, and once more after what is there.
        let first = self.cluster.build(&[manifest], namespace, validation).await?;
        let current = self.cluster.build(&[upgraded.current.manifest.as_bytes()], namespace, Validation::None).await;
        let mut current = current.map_err(|error| {
            if error.contains("unable to recognize \"\": no matches for kind") {
                return format!(
                    "current release manifest contains removed kubernetes api(s) for this kubernetes version and it is \
                     therefore unable to build the kubernetes objects for performing the diff. error from kubernetes: \
                     {error}"
                );
            }
            format!("unable to build kubernetes objects from current release manifest: {error}")
        })?;
        let mut targets = first;
        apply::mark(&mut targets, &release.name, &release.namespace);
        let key = |it: &Resource| [&it.group, &it.version, &it.kind, &it.namespace, &it.name].map(String::clone);
        let known: std::collections::HashSet<_> = current.iter().map(key).collect();
        let new: Vec<Resource> = targets.iter().filter(|target| !known.contains(&key(target))).cloned().collect();
        let ownership = if upgrade.takes_ownership { Ownership::Taken } else { Ownership::Required };
        let check =
            Check { release: &release.name, namespace: &release.namespace, ownership, validates: upgrade.validates };
        let adopted = self.cluster.adoptable(&new, check).await;
        let adopted = adopted.map_err(|error| format!("unable to continue with update: {error}"))?;
        current.extend(adopted.into_iter().map(|at| new[at].clone()));
        Ok((current, targets))
    }

    /// Upgrades to `release`, whose manifests are rendered. Gives what became of it, and why it failed if it has.
    pub async fn upgrade(
        &self,
        upgraded: &mut Upgraded,
        mut release: Release,
        upgrade: &Upgrade,
    ) -> (Release, Result<(), Failure>) {
        release.set_status(Status::PendingUpgrade, "Preparing upgrade");
        let outcome = self.begin_and_upgrade(upgraded, &mut release, upgrade).await;
        (release, outcome)
    }

    async fn begin_and_upgrade(
        &self,
        upgraded: &mut Upgraded,
        release: &mut Release,
        upgrade: &Upgrade,
    ) -> Result<(), Failure> {
        let (current, targets) = self.prepared_upgrade(upgraded, release, upgrade).await?;
        self.storage.make_room(&release.name, upgrade.most_revisions).await?;
        let held = Mutex::new(self.storage.create(release).await?);
        let mut created = Vec::new();
        let work = self.perform_upgrade(upgraded, release, &current, &targets, upgrade, &held, &mut created);
        match self.while_held(&held, work).await {
            // That it can't be written is an error here, as it is in Helm.
            Ok(()) => self.storage.update(&mut *held.lock().await, release).await,
            Err(Failure::Busy) => Err(Failure::Busy),
            Err(failure) => Err(self.fail_upgrade(release, &held, failure, &created, upgrade).await),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what an upgrade is made of; nobody else has all of it")]
    async fn perform_upgrade(
        &self,
        upgraded: &mut Upgraded,
        release: &mut Release,
        current: &[Resource],
        targets: &[Resource],
        upgrade: &Upgrade,
        held: &Mutex<Held>,
        created: &mut Vec<Resource>,
    ) -> Result<(), Failure> {
        let leftovers = self.leftovers(&upgraded.unfinished, &upgrade.wait).await?;
        let is_server_side = upgraded.is_server_side;
        let running = Running { wait: upgrade.wait, method: hook_method(is_server_side), held };
        if upgrade.runs_hooks {
            let ran = hooks::run(self, release, "pre-upgrade", &running).await;
            ran.map_err(|failure| failure.after("pre-upgrade hooks failed"))?;
        }
        let change = Change {
            originals: current,
            leftovers: &leftovers,
            targets,
            method: change_method(is_server_side, upgrade.forces_conflicts, upgrade.forces_replace),
            takes_over_own: is_server_side && !upgraded.current.is_server_side(),
        };
        let checked = check_conflicts(is_server_side, upgrade.forces_conflicts)
            .and_then(|()| check_method(is_server_side, upgrade.forces_replace));
        let outcome = match checked {
            Ok(()) => apply::update(self, &change).await,
            Err(failure) => return Err(failure),
        };
        match outcome {
            Ok(made) => *created = made,
            Err(unchanged) => {
                *created = unchanged.created;
                return Err(Failure::Other(unchanged.message));
            }
        }
        upgrade.wait.until_ready(self, targets).await?;
        if upgrade.runs_hooks {
            let ran = hooks::run(self, release, "post-upgrade", &running).await;
            ran.map_err(|failure| failure.after("post-upgrade hooks failed"))?;
        }
        upgraded.current.info.status = Status::Superseded;
        self.record_other(&upgraded.current).await;
        let description = if upgrade.description.is_empty() { "Upgrade complete" } else { &upgrade.description };
        release.set_status(Status::Deployed, description);
        Ok(())
    }

    async fn fail_upgrade(
        &self,
        release: &mut Release,
        held: &Mutex<Held>,
        failure: Failure,
        created: &[Resource],
        upgrade: &Upgrade,
    ) -> Failure {
        let name = release.name.clone();
        self.warn("upgrade failed", vec![("name", name.clone()), ("error", failure.to_string())]);
        release.set_status(Status::Failed, format!("Upgrade {name:?} failed: {failure}"));
        if let Err(busy) = self.record(held, release).await {
            return busy;
        }
        if upgrade.cleans_up
            && !created.is_empty()
            && let Err(errors) = apply::delete(self, created, "Background").await
        {
            return Failure::Other(format!(
                "an error occurred while cleaning up resources. original upgrade error: {failure}: unable to cleanup \
                 resources: {}",
                errors.join(", ")
            ));
        }
        if !upgrade.rolls_back {
            return failure;
        }
        let history = match self.storage.history(&name).await {
            Ok(history) => history,
            Err(other) => {
                return Failure::Other(format!(
                    "an error occurred while finding last successful release. original upgrade error: {failure}: {other}"
                ));
            }
        };
        let good =
            history.iter().rev().find(|kept| matches!(kept.release.info.status, Status::Superseded | Status::Deployed));
        let Some(good) = good else {
            return Failure::Other(format!(
                "unable to find a previously successful release when attempting to rollback. original upgrade error: \
                 {failure}"
            ));
        };
        let rollback = Rollback {
            version: good.release.version,
            wait: upgrade.wait,
            runs_hooks: upgrade.runs_hooks,
            server_side: upgrade.server_side.clone(),
            forces_conflicts: upgrade.forces_conflicts,
            forces_replace: upgrade.forces_replace,
            cleans_up: false,
            most_revisions: upgrade.most_revisions,
            description: String::new(),
            is_trial: false,
        };
        match Box::pin(self.rollback(&name, &rollback)).await {
            Ok(()) => Failure::Other(format!(
                "release {name} failed, and has been rolled back due to rollback-on-failure being set: {failure}"
            )),
            Err(other) => Failure::Other(format!(
                "an error occurred while rolling back the release. original upgrade error: {failure}: {other}"
            )),
        }
    }
}

/// Whether the server merges, as an option says and the release did before. The error is Helm's.
pub(crate) fn is_server_side(option: &str, before: &str) -> Result<bool, Failure> {
    match option {
        "auto" => Ok(before == "ssa"),
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Failure::Other(format!("invalid/unknown release server-side apply method: {other}"))),
    }
}

pub(crate) fn hook_method(is_server_side: bool) -> Method {
    if is_server_side { Method::ServerSide { forces: false } } else { Method::ClientSide { is_thorough: false } }
}

pub(crate) fn change_method(is_server_side: bool, forces_conflicts: bool, forces_replace: bool) -> Method {
    match (forces_replace, is_server_side) {
        (true, is_server_side) => Method::Replace { is_server_side },
        (false, true) => Method::ServerSide { forces: forces_conflicts },
        (false, false) => Method::ClientSide { is_thorough: false },
    }
}
