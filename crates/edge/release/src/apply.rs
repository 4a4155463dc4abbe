//! Resources brought to the cluster, changed and removed there, as Helm does: [`create`], [`update`], [`delete`].
//!
//! Resources of one kind that follow one another are on the way at once, up to [`AT_ONCE`]; then come those of the next kind.

use crate::merge::{merge_patch, merged, two_way};
use crate::owned_fields::taken_over;
use crate::session::Session;
use futures::stream::{StreamExt, iter};
use onepane_cluster::{Refusal, Request, Resource, Verb};
use serde_json::{Value, json};
use std::time::Duration;

/// Who applies, to others: the name of Helm's binary, so that what one has set the other may change.
const MANAGER: &str = "helm";
/// As many requests are on the way at once.
const AT_ONCE: usize = 32;
/// How often something is changed that somebody else changes at the same time.
const TRIES: usize = 5;

/// How resources become what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// The server merges them, and knows whose fields are whose.
    ServerSide {
        /// Whether fields that others have set are taken over.
        forces: bool,
    },
    /// They are merged here, from what they were, what they are to be and what they are. Kinds whose lists can't be merged
    /// are held against what the cluster has only where `is_thorough`.
    ClientSide { is_thorough: bool },
    /// They are put in place of what is there.
    Replace {
        /// Whether those that are not there are applied by the server.
        is_server_side: bool,
    },
}

impl Method {
    fn is_server_side(self) -> bool {
        matches!(self, Self::ServerSide { .. } | Self::Replace { is_server_side: true })
    }
}

/// What resources are changed from and to.
pub(crate) struct Change<'r> {
    /// What the release had.
    pub(crate) originals: &'r [Resource],
    /// What revisions had that came to nothing.
    pub(crate) leftovers: &'r [Resource],
    /// What it is to have.
    pub(crate) targets: &'r [Resource],
    pub(crate) method: Method,
    /// Whether fields that were set by merging here become such that the server knows as applied.
    pub(crate) takes_over_own: bool,
}

/// Why a change came to nothing, and what it has made.
pub(crate) struct Unchanged {
    pub(crate) message: String,
    pub(crate) created: Vec<Resource>,
}

/// Makes resources that are not there. The error tells all that went wrong.
pub(crate) async fn create(session: &Session<'_>, resources: &[Resource], method: Method) -> Result<(), String> {
    let mut problems = Vec::new();
    for batch in resources.chunk_by(|a, b| a.kind == b.kind) {
        let outcomes = iter(batch).map(|resource| create_one(session, resource, method)).buffered(AT_ONCE);
        problems.extend(outcomes.collect::<Vec<_>>().await.into_iter().filter_map(Result::err));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

async fn create_one(session: &Session<'_>, resource: &Resource, method: Method) -> Result<(), String> {
    if method.is_server_side() {
        let forces = method == Method::ServerSide { forces: true };
        return apply(session, resource, forces).await;
    }
    let path = format!("{}?fieldManager={MANAGER}", resource.collection());
    let request = Request::send(Verb::Post, path, resource.asked(), &resource.object);
    let mut is_doubtful = false;
    let mut tries = TRIES;
    loop {
        let refusal = match session.cluster.ask(&request).await {
            Ok(_) => return Ok(()),
            Err(refusal) => refusal,
        };
        tries -= 1;
        let may_pass = refusal.is_conflict() || matches!(refusal.code, 0 | 500 | 502 | 503 | 504);
        if is_doubtful && refusal.is_already_there() && is_own(session, resource).await {
            return Ok(());
        }
        if !may_pass || tries == 0 {
            return Err(refusal.message);
        }
        // It may have been made, and the answer lost.
        is_doubtful = true;
        session.cluster.pause(Duration::from_millis(100)).await;
    }
}

/// Whether what is there is of the release that `resource` is of; hooks, which do not say whose they are, are.
async fn is_own(session: &Session<'_>, resource: &Resource) -> bool {
    const OWNER: &str = "/metadata/annotations/meta.helm.sh~1release-name";
    let there = session.cluster.ask(&Request::get(resource.path(), resource.asked())).await;
    there.is_ok_and(|there| there.pointer(OWNER) == resource.object.pointer(OWNER))
}

/// Server-side apply.
async fn apply(session: &Session<'_>, resource: &Resource, forces: bool) -> Result<(), String> {
    let shown = format!("{}/{} {}", resource.namespace, resource.name, resource.go_kind());
    if resource.name.is_empty() {
        return Err(format!("server-side apply failed for object {shown}: resource name may not be empty"));
    }
    let path = format!("{}?fieldManager={MANAGER}&fieldValidation=Strict&force={forces}", resource.path());
    let request = Request {
        content_type: "application/apply-patch+yaml",
        ..Request::send(Verb::Patch, path, resource.asked(), &resource.object)
    };
    let mut outcome = session.cluster.ask(&request).await;
    for _ in 1..TRIES {
        let is_quota = |refusal: &Refusal| {
            refusal.is_conflict() && refusal.message.contains("Operation cannot be fulfilled on resourcequotas")
        };
        if !outcome.as_ref().is_err_and(is_quota) {
            break;
        }
        outcome = session.cluster.ask(&request).await;
    }
    outcome.map(drop).map_err(|refusal| match refusal.code {
        415 => format!("server-side apply not available on the server: {refusal}"),
        409 if refusal.is_conflict() => format!("conflict occurred while applying object {shown}: {refusal}"),
        _ => format!("server-side apply failed for object {shown}: {refusal}"),
    })
}

/// Makes of what the release had what it is to have: makes what is not there, changes what is, and deletes what is no more
/// wanted. Gives what was made.
pub(crate) async fn update(session: &Session<'_>, change: &Change<'_>) -> Result<Vec<Resource>, Unchanged> {
    let (mut created, mut problems) = (Vec::new(), Vec::new());
    for batch in change.targets.chunk_by(|a, b| a.kind == b.kind) {
        let outcomes = iter(batch).map(|target| update_one(session, change, target)).buffered(AT_ONCE);
        let mut grave = None;
        for (target, outcome) in batch.iter().zip(outcomes.collect::<Vec<_>>().await) {
            if !matches!(outcome, Updated::Changed(_)) {
                created.push(target.clone());
            }
            match outcome {
                Updated::Created | Updated::Changed(Ok(())) => {}
                Updated::Changed(Err(problem)) => problems.push(problem),
                Updated::Unknown(problem) => {
                    created.pop();
                    grave = grave.or(Some(problem));
                }
                Updated::Uncreated(problem) => grave = grave.or(Some(problem)),
            }
        }
        if let Some(message) = grave {
            return Err(Unchanged { message, created });
        }
    }
    if problems.is_empty() {
        problems = prune(session, change).await;
    }
    if problems.is_empty() { Ok(created) } else { Err(Unchanged { message: problems.join(" && "), created }) }
}

/// What became of one resource.
enum Updated {
    Created,
    /// It could not be made, and with it no other is.
    Uncreated(String),
    /// Whether it is there can't be known, and no other is looked at.
    Unknown(String),
    Changed(Result<(), String>),
}

async fn update_one(session: &Session<'_>, change: &Change<'_>, target: &Resource) -> Updated {
    let live = match session.cluster.ask(&Request::get(target.path(), target.asked())).await {
        Ok(live) => live,
        Err(refusal) if refusal.is_not_found() => {
            return match create_one(session, target, change.method).await {
                Ok(()) => Updated::Created,
                Err(problem) => Updated::Uncreated(format!("failed to create resource: {problem}")),
            };
        }
        Err(refusal) => {
            return Updated::Unknown(format!("could not get information about the resource: {refusal}"));
        }
    };
    let find = |resources: &[Resource]| {
        resources.iter().find(|resource| resource.is_same(target)).map(|resource| resource.object.clone())
    };
    let mut originals: Vec<Value> = find(change.originals).into_iter().chain(find(change.leftovers)).collect();
    if originals.is_empty() {
        let Resource { namespace, name, kind, .. } = target;
        let fields = [("namespace", namespace), ("name", name), ("kind", kind)];
        let fields = fields.map(|(field, value)| (field, value.clone())).to_vec();
        session.warn("resource exists on cluster but not in original release, using cluster state as baseline", fields);
        originals.push(live.clone());
    }
    Updated::Changed(match change.method {
        Method::Replace { .. } => replace(session, target, &live).await,
        Method::ServerSide { forces } => {
            async {
                if change.takes_over_own {
                    take_over_own(session, target).await?;
                }
                apply(session, target, forces).await
            }
            .await
        }
        Method::ClientSide { is_thorough } => patch(session, &originals, target, live, is_thorough).await,
    })
}

async fn replace(session: &Session<'_>, target: &Resource, live: &Value) -> Result<(), String> {
    let mut object = target.object.clone();
    if object.pointer("/metadata/resourceVersion").is_none()
        && let Some(version) = live.pointer("/metadata/resourceVersion")
    {
        object["metadata"]["resourceVersion"] = version.clone();
    }
    let path = format!("{}?fieldManager={MANAGER}&fieldValidation=Strict", target.path());
    let outcome = session.cluster.ask(&Request::send(Verb::Put, path, target.asked(), &object)).await;
    outcome.map(drop).map_err(|refusal| format!("failed to replace object: {refusal}"))
}

/// Sends what makes `live` what a three-way merge says.
async fn patch(
    session: &Session<'_>,
    originals: &[Value],
    target: &Resource,
    mut live: Value,
    is_thorough: bool,
) -> Result<(), String> {
    let Resource { kind, name, .. } = target;
    let path = format!("{}?fieldManager={MANAGER}", target.path());
    let mut tries = TRIES;
    loop {
        let wanted = match merged(originals, &target.object, &live) {
            Some(wanted) => wanted,
            None if is_thorough => crate::merge::merged_plainly(originals, &target.object, &live),
            None => two_way(originals, &target.object, &live),
        };
        let mut patch = merge_patch(&live, &wanted);
        if patch == json!({}) {
            return Ok(());
        }
        // What was merged is what it was merged from, or it is merged once more.
        patch["metadata"]["resourceVersion"] = live.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
        let request = Request {
            content_type: "application/merge-patch+json",
            ..Request::send(Verb::Patch, path.as_str(), target.asked(), &patch)
        };
        let refusal = match session.cluster.ask(&request).await {
            Ok(_) => return Ok(()),
            Err(refusal) => refusal,
        };
        tries -= 1;
        if !refusal.is_conflict() || tries == 0 {
            return Err(format!("cannot patch {name:?} with kind {kind}: {refusal}"));
        }
        let seen = session.cluster.ask(&Request::get(target.path(), target.asked())).await;
        live = seen.map_err(|refusal| format!("failed to create patch: {refusal}"))?;
    }
}

/// Makes of the fields that Helm has set by merging here such that the server knows as applied by it.
async fn take_over_own(session: &Session<'_>, target: &Resource) -> Result<(), String> {
    let shown = format!("{}/{} {}", target.namespace, target.name, target.go_kind());
    let path = format!("{}?fieldManager={MANAGER}&fieldValidation=Strict", target.path());
    for _ in 0..TRIES {
        let live = session.cluster.ask(&Request::get(target.path(), target.asked())).await;
        let live = live.map_err(|refusal| format!("failed to get object {shown}: {refusal}"))?;
        let Some(entries) = taken_over(&live, MANAGER) else { return Ok(()) };
        let patch = json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
        ]);
        let request = Request {
            content_type: "application/json-patch+json",
            ..Request::send(Verb::Patch, path.as_str(), target.asked(), &patch)
        };
        match session.cluster.ask(&request).await {
            Ok(_) => return Ok(()),
            Err(refusal) if refusal.is_conflict() => {}
            Err(refusal) => {
                return Err(format!("failed to patch object to upgrade CSA field manager {shown}: {refusal}"));
            }
        }
    }
    Err(format!("failed to patch object to upgrade CSA field manager {shown}: it changes all the time"))
}

/// Deletes what the release had and is to have no more, unless it says itself that it stays. Gives what went wrong.
async fn prune(session: &Session<'_>, change: &Change<'_>) -> Vec<String> {
    let is_wanted = |resource: &Resource| change.targets.iter().any(|target| target.is_same(resource));
    let surplus: Vec<&Resource> = change.originals.iter().filter(|resource| !is_wanted(resource)).collect();
    let is_new = |resource: &&Resource| !surplus.iter().any(|known| known.is_same(resource)) && !is_wanted(resource);
    let leftovers: Vec<&Resource> = change.leftovers.iter().filter(is_new).collect();
    let mut problems = Vec::new();
    for (resource, is_left) in surplus.iter().map(|one| (*one, false)).chain(leftovers.iter().map(|one| (*one, true))) {
        let Ok(live) = session.cluster.ask(&Request::get(resource.path(), resource.asked())).await else { continue };
        let annotation = |name: &str| live.get("metadata")?.get("annotations")?.get(name)?.as_str();
        if annotation("helm.sh/resource-policy") == Some("keep") {
            continue;
        }
        // Of what came to nothing, nobody knows whether it ever came to be the release's.
        let release = resource.object.pointer("/metadata/annotations/meta.helm.sh~1release-name");
        if is_left && annotation("meta.helm.sh/release-name") != release.and_then(Value::as_str) {
            continue;
        }
        match delete_one(session, resource, "Background").await {
            Err(refusal) if !refusal.is_not_found() => {
                let Resource { namespace, name, kind, .. } = resource;
                problems.push(format!(
                    "failed to delete resource namespace={namespace}, name={name}, kind={kind}: {refusal}"
                ));
            }
            _ => {}
        }
    }
    problems
}

/// Deletes resources; what is gone already is as good. The errors are those of each.
pub(crate) async fn delete(
    session: &Session<'_>,
    resources: &[Resource],
    propagation: &str,
) -> Result<(), Vec<String>> {
    let mut problems = Vec::new();
    for batch in resources.chunk_by(|a, b| a.kind == b.kind) {
        let outcomes = iter(batch).map(|resource| delete_one(session, resource, propagation)).buffered(AT_ONCE);
        let refusals = outcomes.collect::<Vec<_>>().await.into_iter().filter_map(Result::err);
        problems.extend(refusals.filter(|refusal| !refusal.is_not_found()).map(|refusal| refusal.message));
    }
    if resources.is_empty() {
        problems.push("object not found, skipping delete: no objects visited".to_owned());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

async fn delete_one(session: &Session<'_>, resource: &Resource, propagation: &str) -> Result<(), Refusal> {
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation});
    let request = Request::send(Verb::Delete, resource.path(), resource.asked(), &options);
    session.cluster.ask(&request).await.map(drop)
}

/// Marks resources as those of a release.
pub(crate) fn mark(resources: &mut [Resource], release: &str, namespace: &str) {
    for resource in resources {
        let marks = [
            ("labels", "app.kubernetes.io/managed-by", "Helm"),
            ("annotations", "meta.helm.sh/release-name", release),
            ("annotations", "meta.helm.sh/release-namespace", namespace),
        ];
        for (field, key, value) in marks {
            let Some(object) = resource.object.as_object_mut() else { continue };
            let metadata = object.entry("metadata").or_insert_with(|| json!({}));
            let Some(metadata) = metadata.as_object_mut() else { continue };
            let fields = metadata.entry(field).or_insert_with(|| json!({}));
            if !fields.is_object() {
                *fields = json!({});
            }
            fields[key] = Value::from(value);
        }
    }
}
