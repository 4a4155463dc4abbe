//! A release rolled back: [`Session::rollback`].

use crate::apply::{self, Change};
use crate::failure::Failure;
use crate::hooks::{self, Running};
use crate::install::{check_conflicts, check_method};
use crate::release::{Info, Release, Status};
use crate::session::{Before, Session};
use crate::storage::{Held, Kept};
use crate::time::Time;
use crate::upgrade::{change_method, hook_method, is_server_side};
use crate::wait::Wait;
use futures::lock::Mutex;
use onepane_cluster::Validation;

/// How a release is rolled back.
#[derive(Clone, Debug)]
pub struct Rollback {
    /// To which revision; to the one before for 0.
    pub version: i64,
    /// How it is waited, and how long.
    pub wait: Wait,
    /// Whether hooks run.
    pub runs_hooks: bool,
    /// Whether the server merges what is applied: `true`, `false`, or `auto` for what the revision did.
    pub server_side: String,
    /// Whether fields are taken over that others have set.
    pub forces_conflicts: bool,
    /// Whether resources are put in place of those that are there.
    pub forces_replace: bool,
    /// Whether what was made is deleted if something fails.
    pub cleans_up: bool,
    /// How many revisions are kept; all for 0.
    pub most_revisions: i64,
    /// What the history says of it; Helm's words where nothing is given.
    pub description: String,
    /// Whether nothing is done.
    pub is_trial: bool,
}

impl Session<'_> {
    /// Makes of a revision of before a new one. The error is Helm's.
    pub async fn rollback(&self, name: &str, rollback: &Rollback) -> Result<(), Failure> {
        if rollback.version < 0 {
            return Err(Failure::Other("invalid release revision".to_owned()));
        }
        let history = self.recovered(name).await?;
        let Some(Before { last, unfinished, .. }) = Before::of(history.clone()) else { return Err(Failure::NotFound) };
        let current = last.release;
        let wanted = if rollback.version == 0 { current.version - 1 } else { rollback.version };
        if !history.iter().any(|kept| kept.release.version == wanted) {
            return Err(Failure::Other(format!("release has no {wanted} version")));
        }
        let previous = self.storage.get(name, wanted).await?.release;
        let is_server_side = is_server_side(&rollback.server_side, &previous.apply_method)?;
        let description = match rollback.description.as_str() {
            "" => format!("Rollback to {wanted}"),
            given => given.to_owned(),
        };
        let target = Release {
            name: name.to_owned(),
            namespace: current.namespace.clone(),
            info: Info {
                first_deployed: current.info.first_deployed.clone(),
                last_deployed: Some(Time::now()),
                status: Status::PendingRollback,
                notes: previous.info.notes.clone(),
                rollback_revision: wanted,
                description,
                ..Info::default()
            },
            version: current.version + 1,
            apply_method: if is_server_side { "ssa" } else { "csa" }.to_owned(),
            ..previous
        };
        if rollback.is_trial {
            return Ok(());
        }
        self.begin_and_roll_back(current, target, &unfinished, is_server_side, rollback).await
    }

    async fn begin_and_roll_back(
        &self,
        mut current: Release,
        mut target: Release,
        unfinished: &[Kept],
        is_server_side: bool,
        rollback: &Rollback,
    ) -> Result<(), Failure> {
        self.storage.make_room(&target.name, rollback.most_revisions).await?;
        let held = Mutex::new(self.storage.create(&target).await?);
        let work = self.perform_rollback(&mut current, &mut target, unfinished, is_server_side, rollback, &held);
        match self.while_held(&held, work).await {
            Ok(()) => self.storage.update(&mut *held.lock().await, &target).await,
            Err(Failure::Busy) => Err(Failure::Busy),
            Err(failure) => {
                // Helm leaves a revision whose hooks have failed pending, which nobody could upgrade from then.
                if target.info.status.is_pending() {
                    let name = &target.name;
                    let message = format!("Rollback {name:?} failed: {failure}");
                    target.set_status(Status::Failed, message);
                    self.record(&held, &target).await?;
                }
                Err(failure)
            }
        }
    }

    async fn perform_rollback(
        &self,
        current: &mut Release,
        target: &mut Release,
        unfinished: &[Kept],
        is_server_side: bool,
        rollback: &Rollback,
        held: &Mutex<Held>,
    ) -> Result<(), Failure> {
        let namespace = &self.namespace;
        let originals = self.cluster.build(&[current.manifest.as_bytes()], namespace, Validation::None).await;
        let originals = originals
            .map_err(|error| format!("unable to build kubernetes objects from current release manifest: {error}"))?;
        let targets = self.cluster.build(&[target.manifest.as_bytes()], namespace, Validation::None).await;
        let mut targets = targets
            .map_err(|error| format!("unable to build kubernetes objects from new release manifest: {error}"))?;
        let leftovers = self.leftovers(unfinished, &rollback.wait).await?;
        let running = Running { wait: rollback.wait, method: hook_method(is_server_side), held };
        if rollback.runs_hooks {
            hooks::run(self, target, "pre-rollback", &running).await?;
        }
        apply::mark(&mut targets, &target.name, &target.namespace);
        // What the cluster has besides is of the revision that was deployed before the last.
        let deployed = self.deployed_before(current).await;
        let deployed = match deployed {
            Some(release) if !unfinished.is_empty() => {
                let built = self.cluster.build(&[release.manifest.as_bytes()], namespace, Validation::None).await;
                let mut built = built.unwrap_or_default();
                apply::mark(&mut built, &release.name, &release.namespace);
                built
            }
            _ => Vec::new(),
        };
        let change = Change {
            originals: &originals,
            leftovers: &[leftovers, deployed].concat(),
            targets: &targets,
            method: change_method(is_server_side, rollback.forces_conflicts, rollback.forces_replace),
            takes_over_own: true,
        };
        let checked = check_conflicts(is_server_side, rollback.forces_conflicts)
            .and_then(|()| check_method(is_server_side, rollback.forces_replace));
        let outcome = match checked {
            Ok(()) => apply::update(self, &change).await,
            Err(failure) => Err(apply::Unchanged { message: failure.to_string(), created: Vec::new() }),
        };
        if let Err(unchanged) = outcome {
            return Err(self.fail_rollback(current, target, unchanged, rollback, held).await);
        }
        if let Err(error) = rollback.wait.until_ready(self, &targets).await {
            let name = target.name.clone();
            target.set_status(Status::Failed, format!("Release {name:?} failed: {error}"));
            self.record_other(current).await;
            self.record(held, target).await?;
            return Err(Failure::Other(format!("release {name} failed: {error}")));
        }
        if rollback.runs_hooks {
            hooks::run(self, target, "post-rollback", &running).await?;
        }
        self.supersede(&target.name, target.version).await?;
        target.info.status = Status::Deployed;
        Ok(())
    }

    /// The revision that the cluster had before `current` was begun.
    async fn deployed_before(&self, current: &Release) -> Option<Release> {
        let history = self.storage.history(&current.name).await.ok()?;
        let deployed = crate::storage::last_deployed(&history)?;
        (deployed.release.version != current.version).then(|| deployed.release.clone())
    }

    async fn fail_rollback(
        &self,
        current: &mut Release,
        target: &mut Release,
        unchanged: apply::Unchanged,
        rollback: &Rollback,
        held: &Mutex<Held>,
    ) -> Failure {
        let message = format!("Rollback {:?} failed: {}", target.name, unchanged.message);
        self.warn(message.clone(), Vec::new());
        current.info.status = Status::Superseded;
        target.set_status(Status::Failed, message);
        self.record_other(current).await;
        if let Err(busy) = self.record(held, target).await {
            return busy;
        }
        if rollback.cleans_up
            && let Err(errors) = apply::delete(self, &unchanged.created, "Background").await
        {
            return Failure::Other(format!(
                "an error occurred while cleaning up resources. original rollback error: unable to cleanup resources: {}",
                errors.join(", ")
            ));
        }
        Failure::Other(unchanged.message)
    }
}
