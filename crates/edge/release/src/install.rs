//! A release installed: [`Session::install`].

use crate::apply::{self, Change, Method};
use crate::failure::Failure;
use crate::hooks::{self, Running};
use crate::release::{Release, Status};
use crate::session::{Before, Session};
use crate::storage::{Held, Kept};
use crate::uninstall::Uninstall;
use crate::wait::{Strategy, Wait};
use futures::lock::Mutex;
use onepane_cluster::{Check, Ownership, Request, Resource, Validation, Verb};
use serde_json::json;

/// How a release is installed.
#[derive(Clone, Debug)]
pub struct Install {
    /// How it is waited, and how long.
    pub wait: Wait,
    /// Whether hooks run.
    pub runs_hooks: bool,
    /// Whether a name may be taken whose release has failed or was uninstalled.
    pub replaces: bool,
    /// Whether the namespace is made.
    pub creates_namespace: bool,
    /// Whether resources are taken that others have.
    pub takes_ownership: bool,
    /// Whether the server merges what is applied.
    pub is_server_side: bool,
    /// Whether fields are taken over that others have set.
    pub forces_conflicts: bool,
    /// Whether resources are put in place of those that are there.
    pub forces_replace: bool,
    /// Whether what was installed is uninstalled if something fails.
    pub rolls_back: bool,
    /// Whether manifests are held against schemas.
    pub validates: bool,
    /// What the history says of it; Helm's words where nothing is given.
    pub description: String,
}

/// A name that may be taken.
#[derive(Clone, Debug, Default)]
pub struct Available {
    /// The number of its first revision.
    revision: i64,
    /// The last revision of before, if there is one.
    last: Option<Kept>,
    /// Those that were begun and came to nothing.
    unfinished: Vec<Kept>,
}

impl Session<'_> {
    /// Whether a name may be taken. The error is Helm's.
    pub async fn available(&self, name: &str, replaces: bool) -> Result<Available, Failure> {
        let history = match self.storage.history(name).await {
            Ok(history) => history,
            // Helm takes a name of which it can't know anything for free, and fails later.
            Err(_) => return Ok(Available { revision: 1, ..Available::default() }),
        };
        let is_new = |kept: &Kept| match kept.release.info.status {
            Status::Uninstalled | Status::Failed => replaces || kept.is_abandoned,
            Status::PendingInstall | Status::Uninstalling => kept.writer.is_some(),
            _ => false,
        };
        let in_use = || Failure::Other("cannot reuse a name that is still in use".to_owned());
        if !history.last().is_some_and(is_new) {
            return Err(in_use());
        }
        let history = self.recovered(name).await.map_err(|failure| match failure {
            Failure::Busy => in_use(),
            other => other,
        })?;
        let Before { last, unfinished, .. } = Before::of(history).ok_or(Failure::NotFound)?;
        Ok(Available { revision: last.release.version + 1, last: Some(last), unfinished })
    }

    /// Makes the definitions of a chart's `crds/`, each file by its name, and waits until they are served. Those that are
    /// there stay as they are.
    pub async fn install_definitions(&self, files: &[(String, Vec<u8>)], install: &Install) -> Result<(), Failure> {
        let method = method_for_new(install);
        let mut made = Vec::new();
        for (name, text) in files {
            let failed = |error: String| Failure::Other(format!("failed to install CRD {name}: {error}"));
            let resources = self.cluster.build(&[text], &self.namespace, Validation::None).await.map_err(failed)?;
            if resources.is_empty() {
                return Err(failed("resources are empty".to_owned()));
            }
            match apply::create(self, &resources, method).await {
                Ok(()) => made.extend(resources),
                Err(error) if error.contains("already exists") => {}
                Err(error) => return Err(failed(error)),
            }
        }
        if !made.is_empty() {
            Wait::until_defined(self, &made).await?;
        }
        Ok(())
    }

    /// Checks `release` against the cluster, without installing it.
    pub async fn check_install(&self, release: &Release, install: &Install) -> Result<(), Failure> {
        self.prepared(release, install).await.map(drop)
    }

    /// The resources of a release, and the places of those that are there already.
    async fn prepared(&self, release: &Release, install: &Install) -> Result<(Vec<Resource>, Vec<usize>), Failure> {
        let validation = if install.validates { Validation::Strict } else { Validation::None };
        let built = self.cluster.build(&[release.manifest.as_bytes()], &self.namespace, validation).await;
        let mut resources =
            built.map_err(|error| format!("unable to build kubernetes objects from release manifest: {error}"))?;
        apply::mark(&mut resources, &release.name, &release.namespace);
        let ownership = if install.takes_ownership { Ownership::Taken } else { Ownership::Required };
        let check =
            Check { release: &release.name, namespace: &release.namespace, ownership, validates: install.validates };
        let adopted = self.cluster.adoptable(&resources, check).await;
        let adopted = adopted.map_err(|error| format!("unable to continue with install: {error}"))?;
        Ok((resources, adopted))
    }

    /// Installs a release: its name is available, and its manifests are rendered. Gives what became of it, and why it failed
    /// if it has.
    pub async fn install(
        &self,
        mut release: Release,
        available: &Available,
        install: &Install,
    ) -> (Release, Result<(), Failure>) {
        release.set_status(Status::PendingInstall, "Initial install underway");
        let outcome = self.begin_and_install(&mut release, available, install).await;
        (release, outcome)
    }

    async fn begin_and_install(
        &self,
        release: &mut Release,
        available: &Available,
        install: &Install,
    ) -> Result<(), Failure> {
        let (resources, adopted) = self.prepared(release, install).await?;
        if install.creates_namespace {
            self.create_namespace(release, install).await?;
        }
        release.version = available.revision.max(1);
        if let Some(last) = &available.last
            && last.release.info.status != Status::Failed
        {
            let mut last = last.release.clone();
            last.set_status(Status::Superseded, "superseded by new release");
            self.storage.rewrite(&last).await?;
        }
        let held = Mutex::new(self.storage.create(release).await?);
        let work = self.perform_install(release, &resources, &adopted, &available.unfinished, install, &held);
        let outcome = self.while_held(&held, work).await;
        match outcome {
            Ok(()) => Ok(()),
            Err(Failure::Busy) => Err(Failure::Busy),
            Err(failure) => Err(self.fail_install(release, &held, failure, install).await),
        }
    }

    async fn perform_install(
        &self,
        release: &mut Release,
        resources: &[Resource],
        adopted: &[usize],
        unfinished: &[Kept],
        install: &Install,
        held: &Mutex<Held>,
    ) -> Result<(), Failure> {
        let leftovers = self.leftovers(unfinished, &install.wait).await?;
        let method = method_for_new(install);
        let running = Running { wait: install.wait, method, held };
        if install.runs_hooks {
            let ran = hooks::run(self, release, "pre-install", &running).await;
            ran.map_err(|failure| failure.after("failed pre-install"))?;
        }
        if adopted.is_empty() && leftovers.is_empty() {
            if !resources.is_empty() {
                apply::create(self, resources, method).await?;
            }
        } else {
            let originals: Vec<Resource> = adopted.iter().map(|at| resources[*at].clone()).collect();
            let change = Change {
                originals: &originals,
                leftovers: &leftovers,
                targets: resources,
                method: match (install.forces_replace, install.is_server_side) {
                    (true, is_server_side) => Method::Replace { is_server_side },
                    (false, true) => Method::ServerSide { forces: install.forces_conflicts },
                    (false, false) => Method::ClientSide { is_thorough: install.takes_ownership },
                },
                takes_over_own: true,
            };
            check_method(install.is_server_side, install.forces_replace)?;
            apply::update(self, &change).await.map_err(|unchanged| unchanged.message)?;
        }
        install.wait.until_ready(self, resources).await?;
        if install.runs_hooks {
            let ran = hooks::run(self, release, "post-install", &running).await;
            ran.map_err(|failure| failure.after("failed post-install"))?;
        }
        let description = if install.description.is_empty() { "Install complete" } else { &install.description };
        release.set_status(Status::Deployed, description);
        self.record(held, release).await
    }

    async fn fail_install(
        &self,
        release: &mut Release,
        held: &Mutex<Held>,
        failure: Failure,
        install: &Install,
    ) -> Failure {
        let name = release.name.clone();
        release.set_status(Status::Failed, format!("Release {name:?} failed: {failure}"));
        if !install.rolls_back {
            return match self.record(held, release).await {
                Ok(()) => failure,
                Err(busy) => busy,
            };
        }
        // As long as it is not said to have failed, whoever comes after a kill finishes this.
        let uninstall = Uninstall {
            wait: install.wait,
            runs_hooks: install.runs_hooks,
            keeps_history: false,
            ignores_absence: false,
            cascade: "background".to_owned(),
            description: String::new(),
        };
        let _ = self.record(held, release).await;
        match Box::pin(self.uninstall(&name, &uninstall)).await {
            Ok(_) => Failure::Other(format!(
                "release {name} failed, and has been uninstalled due to rollback-on-failure being set: {failure}"
            )),
            Err(other) => Failure::Other(format!(
                "an error occurred while uninstalling the release. original install error: {failure}: {other}"
            )),
        }
    }

    async fn create_namespace(&self, release: &Release, install: &Install) -> Result<(), Failure> {
        let name = &release.namespace;
        let object =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"name": name}}});
        let text = object.to_string();
        let resources = self.cluster.build(&[text.as_bytes()], name, Validation::Strict).await?;
        match apply::create(self, &resources, method_for_new(install)).await {
            Err(error) if !error.contains("already exists") => Err(Failure::Other(error)),
            _ => Ok(()),
        }
    }

    /// The resources of revisions that came to nothing; those of their hooks that should have gone are deleted.
    pub(crate) async fn leftovers(&self, unfinished: &[Kept], wait: &Wait) -> Result<Vec<Resource>, Failure> {
        let mut found: Vec<Resource> = Vec::new();
        for kept in unfinished {
            let release = &kept.release;
            hooks::delete_left(self, release, &Wait { strategy: Strategy::HookOnly, ..*wait }).await?;
            // What can't be built any more was never made, or is gone with its definition.
            let built = self.cluster.build(&[release.manifest.as_bytes()], &self.namespace, Validation::None).await;
            let mut resources = built.unwrap_or_default();
            apply::mark(&mut resources, &release.name, &release.namespace);
            found.extend(resources);
        }
        Ok(found)
    }

    /// Whether the server can be reached: its version is asked.
    pub async fn reach(&self) -> Result<(), Failure> {
        let asked = self.cluster.ask(&Request { verb: Verb::Get, ..Request::get("/version", "") }).await;
        asked.map(drop).map_err(|refusal| Failure::Other(format!("kubernetes cluster unreachable: {refusal}")))
    }
}

fn method_for_new(install: &Install) -> Method {
    if install.is_server_side {
        Method::ServerSide { forces: false }
    } else {
        Method::ClientSide { is_thorough: false }
    }
}

/// What Helm does not do at once.
pub(crate) fn check_method(is_server_side: bool, forces_replace: bool) -> Result<(), Failure> {
    if is_server_side && forces_replace {
        let message = "invalid operation: cannot use server-side apply and force replace together";
        return Err(Failure::Other(message.to_owned()));
    }
    Ok(())
}

/// And what its client refuses where the server does not merge.
pub(crate) fn check_conflicts(is_server_side: bool, forces_conflicts: bool) -> Result<(), Failure> {
    if !is_server_side && forces_conflicts {
        let message = "invalid client update option(s): forceConflicts enabled when serverSideApply disabled";
        return Err(Failure::Other(message.to_owned()));
    }
    Ok(())
}
