//! A release uninstalled: [`Session::uninstall`].

use crate::apply;
use crate::failure::Failure;
use crate::hooks::{self, Running};
use crate::release::{Release, Status};
use crate::session::{Before, Session};
use crate::storage::{Held, Kept};
use crate::time::Time;
use crate::upgrade::hook_method;
use crate::wait::Wait;
use futures::lock::Mutex;
use futures::stream::{StreamExt, iter};
use onepane_cluster::{Refusal, Request, Resource, Validation, foreign};
use onepane_resource::compare_uninstall;
use onepane_value::{from_yaml, to_json};
use serde_json::Value;

/// How a release is uninstalled.
#[derive(Clone, Debug)]
pub struct Uninstall {
    /// How it is waited, and how long.
    pub wait: Wait,
    /// Whether hooks run.
    pub runs_hooks: bool,
    /// Whether its history is kept.
    pub keeps_history: bool,
    /// Whether it is as good if there is no such release.
    pub ignores_absence: bool,
    /// What becomes of what belongs to its resources: `background`, `foreground` or `orphan`.
    pub cascade: String,
    /// What the history says of it; Helm's words where nothing is given.
    pub description: String,
}

/// What is removed of a release, and what stays.
struct Removal {
    owned: Vec<Resource>,
    /// What is to be said of what stays.
    kept: String,
}

/// A resource that may not be removed, and why if nobody knows whose it is.
type Others = (Vec<Resource>, Vec<(Resource, Refusal)>);

impl Session<'_> {
    /// Uninstalls a release. Gives what is to be said of it, and nothing where there was none and that is as good. The error
    /// is Helm's.
    pub async fn uninstall(&self, name: &str, uninstall: &Uninstall) -> Result<Option<String>, Failure> {
        let history = match self.recovered(name).await {
            Ok(history) => history,
            // Its writer is gone or has finished; whoever uninstalls wants it gone.
            Err(Failure::Busy) => return Err(Failure::Busy),
            Err(_) if uninstall.ignores_absence => return Ok(None),
            Err(failure) => return Err(failure.after(&format!("uninstall: Release not loaded: {name}"))),
        };
        let versions: Vec<i64> = history.iter().map(|kept| kept.release.version).collect();
        let Some(Before { last, current, mut unfinished }) = Before::of(history) else { return Err(Failure::NotFound) };
        // Where the last one came to nothing, the cluster still has what was there before.
        if !unfinished.is_empty() && current.release.version != last.release.version {
            unfinished.push(current);
        }
        let left = unfinished;
        let mut release = last.release;
        if release.info.status == Status::Uninstalled {
            if uninstall.keeps_history {
                return Err(Failure::Other(format!("the release named {name:?} is already deleted")));
            }
            self.purge(name, &versions)
                .await
                .map_err(|failure| failure.after("uninstall: Failed to purge the release"))?;
            return Ok(Some(String::new()));
        }
        release.set_status(Status::Uninstalling, "Deletion in progress (or silently failed)");
        release.info.deleted = Some(Time::now());
        let held = Mutex::new(self.storage.take(&release).await?);
        let work = self.perform_uninstall(&mut release, &versions, &left, uninstall, &held);
        self.while_held(&held, work).await.map(Some)
    }

    async fn perform_uninstall(
        &self,
        release: &mut Release,
        versions: &[i64],
        left: &[Kept],
        uninstall: &Uninstall,
        held: &Mutex<Held>,
    ) -> Result<String, Failure> {
        let name = release.name.clone();
        let running = Running { wait: uninstall.wait, method: hook_method(true), held };
        let leftovers = self.leftovers(left, &uninstall.wait).await?;
        if uninstall.runs_hooks {
            hooks::run(self, release, "pre-delete", &running).await?;
        }
        self.record(held, release).await?;
        let failed = |_| Failure::Other(format!("failed to delete release: {name}"));
        let Removal { owned, kept } = self.removal(release).await.map_err(failed)?;
        if !owned.is_empty() {
            let propagation = match uninstall.cascade.as_str() {
                "orphan" => "Orphan",
                "foreground" => "Foreground",
                _ => "Background",
            };
            apply::delete(self, &owned, propagation).await.map_err(|errors| failed(errors.join("; ")))?;
        }
        self.remove_leftovers(&leftovers, &owned, release).await;
        let mut errors = Vec::new();
        errors.extend(uninstall.wait.until_gone(self, &owned).await.err());
        if uninstall.runs_hooks {
            let ran = hooks::run(self, release, "post-delete", &running).await;
            errors.extend(ran.err().map(|failure| failure.to_string()));
        }
        let description = match uninstall.description.as_str() {
            "" => "Uninstallation complete",
            given => given,
        };
        release.set_status(Status::Uninstalled, description);
        if uninstall.keeps_history {
            self.record(held, release).await?;
            self.supersede(&name, release.version).await?;
        } else if let Err(failure) = self.purge(&name, versions).await {
            errors.push(failure.after("uninstall: Failed to purge the release").to_string());
        }
        match errors.as_slice() {
            [] => Ok(kept),
            errors => {
                let (count, told) = (errors.len(), errors.join("; "));
                Err(Failure::Other(format!("uninstallation completed with {count} error(s): {told}")))
            }
        }
    }

    /// What uninstalling would say. Nothing is changed.
    pub async fn try_uninstall(&self, name: &str, ignores_absence: bool) -> Result<Option<String>, Failure> {
        let release = match self.last(name).await {
            Ok(kept) => kept.release,
            Err(Failure::NotFound) if ignores_absence => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let Ok((kept, resources)) = self.parted(&release).await else { return Ok(Some(String::new())) };
        let (_, (unowned, unknown)) = self.owned(&resources, &release).await;
        let fields = |it: &Resource| {
            vec![("kind", it.kind.clone()), ("name", it.name.clone()), ("namespace", it.namespace.clone())]
        };
        let counted = |count: usize| vec![("release", release.name.clone()), ("count", count.to_string())];
        if !unowned.is_empty() {
            let message = "dry-run: resources would be skipped because they are not owned by this release";
            self.warn(message, counted(unowned.len()));
            unowned.iter().for_each(|one| self.warn("dry-run: would skip resource", fields(one)));
        }
        if !unknown.is_empty() {
            let message = "dry-run: resources would be skipped because their ownership could not be verified";
            self.warn(message, counted(unknown.len()));
            for (one, refusal) in &unknown {
                let mut fields = fields(one);
                fields.push(("error", refusal.message.clone()));
                self.warn("dry-run: would skip resource (ownership could not be verified)", fields);
            }
        }
        Ok(Some(kept))
    }

    async fn purge(&self, name: &str, versions: &[i64]) -> Result<(), Failure> {
        for version in versions {
            match self.storage.delete(name, *version).await {
                // An answer was lost.
                Ok(()) | Err(Failure::NotFound) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// What is said of resources that are kept, and the others, in the order in which they go.
    async fn parted(&self, release: &Release) -> Result<(String, Vec<Resource>), String> {
        let (mut kept, mut remaining) = (Vec::new(), Vec::new());
        for document in documents(&release.manifest) {
            let value = from_yaml(document, None).map_err(|error| error.to_string())?;
            let json = to_json(&value).map_err(|error| error.to_string())?;
            let json: Value = serde_json::from_slice(json.as_bytes()).map_err(|error| error.to_string())?;
            let metadata = |field: &str| json.get("metadata")?.get(field);
            let policy = metadata("annotations").and_then(|it| it.get("helm.sh/resource-policy")?.as_str());
            match policy.map(|policy| policy.trim().to_lowercase()) {
                None => remaining.push(document.as_bytes()),
                Some(policy) if policy == "keep" => {
                    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
                    kept.push((text(json.get("kind")), text(metadata("name"))));
                }
                // As in Helm, what says something else stays, and nobody speaks of it.
                Some(_) => {}
            }
        }
        kept.sort_by(|a, b| compare_uninstall(&a.0, &b.0));
        let mut text = String::new();
        if !kept.is_empty() {
            text.push_str("These resources were kept due to the resource policy:\n");
            kept.iter().for_each(|(kind, name)| text += &format!("[{kind}] {name}\n"));
        }
        let mut resources = self.cluster.build(&remaining, &self.namespace, Validation::None).await?;
        resources.sort_by(|a, b| compare_uninstall(&a.kind, &b.kind));
        Ok((text, resources))
    }

    async fn removal(&self, release: &Release) -> Result<Removal, String> {
        let (mut kept, resources) = self.parted(release).await?;
        let (owned, (unowned, unknown)) = self.owned(&resources, release).await;
        let fields = |it: &Resource| {
            vec![
                ("kind", it.kind.clone()),
                ("name", it.name.clone()),
                ("namespace", it.namespace.clone()),
                ("release", release.name.clone()),
            ]
        };
        if !unowned.is_empty() {
            unowned
                .iter()
                .for_each(|one| self.warn("skipping delete of resource not owned by this release", fields(one)));
            if !kept.is_empty() {
                kept.push('\n');
            }
            let count = unowned.len();
            kept += &format!("{count} resource(s) were not deleted because they are not owned by this release:\n");
            unowned.iter().for_each(|one| kept += &format!("[{}] {}\n", one.kind, one.name));
        }
        if !unknown.is_empty() {
            for (one, refusal) in &unknown {
                let mut fields = fields(one);
                fields.push(("error", refusal.message.clone()));
                self.warn("skipping delete of resource because ownership could not be verified", fields);
            }
            if !kept.is_empty() {
                kept.push('\n');
            }
            let count = unknown.len();
            kept += &format!("{count} resource(s) were not deleted because their ownership could not be verified:\n");
            unknown.iter().for_each(|(one, why)| kept += &format!("[{}] {}: {why}\n", one.kind, one.name));
        }
        Ok(Removal { owned, kept })
    }

    /// Those of `resources` that are there and the release's, and those that are there and may not be.
    async fn owned(&self, resources: &[Resource], release: &Release) -> (Vec<Resource>, Others) {
        let (mut owned, mut unowned, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        let seen = iter(resources).map(|it| async { self.cluster.ask(&Request::get(it.path(), it.asked())).await });
        for (resource, seen) in resources.iter().zip(seen.buffered(32).collect::<Vec<_>>().await) {
            match seen {
                Ok(object) => match foreign(&object, &release.name, &release.namespace) {
                    None => owned.push(resource.clone()),
                    Some(_) => unowned.push(resource.clone()),
                },
                Err(refusal) if refusal.is_not_found() => {}
                Err(refusal) => unknown.push((resource.clone(), refusal)),
            }
        }
        (owned, (unowned, unknown))
    }

    /// Removes what there is of revisions but the last one.
    async fn remove_leftovers(&self, leftovers: &[Resource], removed: &[Resource], release: &Release) {
        let is_removed = |resource: &Resource| removed.iter().any(|known| known.is_same(resource));
        let keeps = |resource: &Resource| {
            let annotation = resource.object.pointer("/metadata/annotations/helm.sh~1resource-policy");
            annotation.and_then(Value::as_str).is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"))
        };
        let left: Vec<Resource> = leftovers.iter().filter(|one| !is_removed(one) && !keeps(one)).cloned().collect();
        let (owned, _) = self.owned(&left, release).await;
        if !owned.is_empty()
            && let Err(errors) = apply::delete(self, &owned, "Background").await
        {
            self.warn(
                "what an operation that came to nothing has left could not be deleted",
                vec![("error", errors.join("; "))],
            );
        }
    }
}

/// The documents of a manifest.
fn documents(manifest: &str) -> impl Iterator<Item = &str> {
    let mut starts: Vec<usize> = vec![0];
    let mut at = 0;
    for line in manifest.split_inclusive('\n') {
        if line.starts_with("---") {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(manifest.len());
    let ranges: Vec<(usize, usize)> = starts.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let texts = ranges.into_iter().filter_map(|(start, end)| manifest.get(start..end));
    texts.map(|text| text.strip_prefix("---").unwrap_or(text)).filter(|text| !text.trim().is_empty())
}
