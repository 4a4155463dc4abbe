//! What follows from changes: [`Consequence`].

use crate::{Action, Change, immutable, rbac};
use onepane_diagnostics::Result;
use onepane_resource::pods::{self, Use};
use onepane_resource::{Manifest, ManifestName as Name};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// What kind of thing follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConsequenceKind {
    /// The API server refuses the change: the resource has to be deleted and made anew.
    Immutable,
    /// Something is deleted that others or data depend on.
    Deletion,
    /// Something refers to what is not there any more.
    Dangling,
    /// A Service has no pods any more.
    NoBackends,
    /// A version of a custom resource is not served any more.
    VersionDropped,
    /// Somebody may do more or less than before.
    Permissions,
    /// What a Service or a workload selects differs.
    Selector,
    /// Pods are replaced.
    Restart,
    /// Pods should be replaced to see the change, and are not.
    Stale,
    /// The number of pods differs.
    Scale,
    /// Another image runs.
    Image,
}

impl ConsequenceKind {
    /// All of them, the gravest first.
    pub const ALL: [Self; 11] = [
        Self::Immutable,
        Self::Deletion,
        Self::Dangling,
        Self::NoBackends,
        Self::VersionDropped,
        Self::Permissions,
        Self::Selector,
        Self::Restart,
        Self::Stale,
        Self::Scale,
        Self::Image,
    ];

    /// What it is called on command lines and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Immutable => "immutable",
            Self::Deletion => "deletion",
            Self::Dangling => "dangling",
            Self::NoBackends => "no-backends",
            Self::VersionDropped => "version-dropped",
            Self::Permissions => "permissions",
            Self::Selector => "selector",
            Self::Restart => "restart",
            Self::Stale => "stale",
            Self::Scale => "scale",
            Self::Image => "image",
        }
    }
}

/// Something that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// What kind of thing.
    pub kind: ConsequenceKind,
    /// In words, for people.
    pub text: String,
}

fn consequence(kind: ConsequenceKind, text: impl Into<String>) -> Consequence {
    Consequence { kind, text: text.into() }
}

/// What follows for a resource from its own change; a side that has it not is null.
pub(crate) fn of_one(change: &Change, before: &Value, after: &Value) -> Vec<Consequence> {
    let mut found = Vec::new();
    match change.action {
        Action::Removed => found.extend(removed(&change.name)),
        Action::Changed => changed(change, before, after, &mut found),
        _ => {}
    }
    found.extend(permissions(&change.name, before, after));
    found.sort_by_key(|consequence| consequence.kind);
    found
}

fn removed(name: &Name) -> Option<Consequence> {
    let text = match (name.group(), name.kind.as_str()) {
        ("", "Namespace") => "everything in it is deleted, also what is not in this repository",
        ("", "PersistentVolumeClaim") => "its data goes with it, unless its volume is kept (reclaim policy Retain)",
        ("", "PersistentVolume") => "what it points to is not known to the cluster any more",
        ("apps", "StatefulSet") => "its pods go; the claims that it made stay, with their data",
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            "all resources of its kind are deleted, in all namespaces"
        }
        _ => return None,
    };
    Some(consequence(ConsequenceKind::Deletion, text))
}

fn changed(change: &Change, before: &Value, after: &Value, found: &mut Vec<Consequence>) {
    let name = &change.name;
    let refused: Vec<&str> = change.fields.iter().filter_map(|field| immutable::refused(name, field, before)).collect();
    if !refused.is_empty() {
        let text = format!("{} can't be changed in place: it has to be deleted and made anew", refused.join(", "));
        found.push(consequence(ConsequenceKind::Immutable, text));
    }
    images(name, before, after, found);
    if let Some(path) = pods::template_path(name.group(), &name.kind)
        && change.fields.iter().any(|field| field.is_below(&path.join(".")))
        && refused.is_empty()
    {
        found.extend(restart(name, after));
    }
    let at = |document: &Value, pointer: &str| document.pointer(pointer).cloned();
    if pods::template_path(name.group(), &name.kind).is_some()
        && let (was, is) = (at(before, "/spec/replicas"), at(after, "/spec/replicas"))
        && was != is
    {
        let shown = |value: Option<Value>| value.map_or_else(|| "the default".to_owned(), |value| value.to_string());
        let end = if is == Some(Value::from(0)) { ": no pod is left" } else { "" };
        found.push(consequence(ConsequenceKind::Scale, format!("replicas {} → {}{end}", shown(was), shown(is))));
    }
    let selects = name.is("", "Service")
        || name.is("networking.k8s.io", "NetworkPolicy")
        || name.is("policy", "PodDisruptionBudget");
    if selects
        && change.fields.iter().any(|field| field.is_below("spec.selector") || field.is_below("spec.podSelector"))
    {
        found.push(consequence(ConsequenceKind::Selector, "it selects other pods than before"));
    }
    if name.is("apiextensions.k8s.io", "CustomResourceDefinition") {
        let served = |document: &Value| -> Vec<String> {
            let versions = document.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
            let served = versions.filter(|version| version.get("served") != Some(&Value::Bool(false)));
            served.filter_map(|version| version.get("name")?.as_str().map(str::to_owned)).collect()
        };
        let now = served(after);
        let gone: Vec<String> = served(before).into_iter().filter(|version| !now.contains(version)).collect();
        if !gone.is_empty() {
            let text = format!(
                "{} is not served any more: resources of that version can't be read or written",
                gone.join(", ")
            );
            found.push(consequence(ConsequenceKind::VersionDropped, text));
        }
    }
}

/// Images of containers that were there before under that name.
fn images(name: &Name, before: &Value, after: &Value, found: &mut Vec<Consequence>) {
    let (Some(before), Some(after)) =
        (pods::template(name.group(), &name.kind, before), pods::template(name.group(), &name.kind, after))
    else {
        return;
    };
    let text = |container: &Value, key: &str| container.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let was: HashMap<String, String> =
        pods::containers(before).map(|container| (text(container, "name"), text(container, "image"))).collect();
    for container in pods::containers(after) {
        let (name, is) = (text(container, "name"), text(container, "image"));
        if let Some(was) = was.get(&name).filter(|was| **was != is) {
            found.push(consequence(ConsequenceKind::Image, format!("{name}: {was} → {is}")));
        }
    }
}

/// What becomes of the pods when their template differs.
fn restart(name: &Name, after: &Value) -> Option<Consequence> {
    let text = |pointer: &str| after.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let replicas = after.pointer("/spec/replicas").and_then(Value::as_u64);
    if replicas == Some(0) {
        return None;
    }
    let pods = match replicas {
        None => "its pods are".to_owned(),
        Some(1) => "its pod is".to_owned(),
        Some(number) => format!("its {number} pods are"),
    };
    let how = match (name.group(), name.kind.as_str()) {
        ("apps", "Deployment") if text("/spec/strategy/type") == "Recreate" => {
            format!("{pods} stopped, and then new ones start: there are none in between")
        }
        ("apps", "Deployment") | ("argoproj.io", "Rollout") => format!("{pods} replaced, new ones first"),
        ("apps", "StatefulSet" | "DaemonSet") if text("/spec/updateStrategy/type") == "OnDelete" => {
            "pods get it when somebody deletes them".to_owned()
        }
        ("apps", "StatefulSet") => format!("{pods} replaced, one after the other"),
        ("apps", "DaemonSet") => "its pods are replaced, node by node".to_owned(),
        ("batch", "CronJob") => "its next run has it".to_owned(),
        _ => "pods get it when they are made anew".to_owned(),
    };
    Some(consequence(ConsequenceKind::Restart, how))
}

fn permissions(name: &Name, before: &Value, after: &Value) -> Vec<Consequence> {
    let texts = match (name.group(), name.kind.as_str()) {
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => rbac::rules(before, after),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => rbac::subjects(before, after),
        _ => Vec::new(),
    };
    texts.into_iter().map(|text| consequence(ConsequenceKind::Permissions, text)).collect()
}

/// What follows for other resources: Services without pods, references to what is gone, pods that don't see a change.
pub(crate) fn between<'m>(changes: &mut Vec<Change>, before: &'m [Manifest], after: &'m [Manifest]) -> Result<()> {
    let (was, is) = (Pods::of(before)?, Pods::of(after)?);
    let mut found: Vec<(Name, Consequence)> = Vec::new();
    let services = |side: &'m [Manifest]| side.iter().filter(|manifest| manifest.name.is("", "Service"));
    let old: HashMap<&Name, &Manifest> = services(before).map(|manifest| (&manifest.name, manifest)).collect();
    for service in services(after) {
        let Some(old) = old.get(&service.name) else { continue };
        if was.selected_by(old)? > 0 && is.selected_by(service)? == 0 {
            let text = "no pod of this repository is selected by it any more: it has no backends";
            found.push((service.name.clone(), consequence(ConsequenceKind::NoBackends, text)));
        }
    }
    let gone: HashSet<(&str, &str, &str)> = changes
        .iter()
        .filter_map(|change| match &change.action {
            Action::Removed => Some((&*change.name.namespace, &*change.name.kind, &*change.name.name)),
            Action::Replaced { from } => Some((&*change.name.namespace, &*change.name.kind, from.as_str())),
            _ => None,
        })
        .collect();
    let data_changed: HashSet<(&str, &str, &str)> = changes
        .iter()
        .filter(|change| change.action == Action::Changed)
        .filter(|change| {
            ["data", "stringData"].iter().any(|path| change.fields.iter().any(|field| field.is_below(path)))
        })
        .map(|change| (&*change.name.namespace, &*change.name.kind, &*change.name.name))
        .collect();
    let restarts: HashSet<&Name> = changes
        .iter()
        .filter(|change| {
            matches!(change.action, Action::Added)
                || change.consequences.iter().any(|one| one.kind == ConsequenceKind::Restart)
        })
        .map(|change| &change.name)
        .collect();
    for (name, template) in &is.0 {
        let mut told = HashSet::new();
        for pods::Reference { kind, name: wanted, how, .. } in pods::references(template) {
            let key = (&*name.namespace, kind, wanted);
            if !told.insert((key, how == Use::Environment)) {
                continue;
            }
            if gone.contains(&key) {
                let text = format!("its pods need {kind} {wanted}, which is removed");
                found.push((name.clone(), consequence(ConsequenceKind::Dangling, text)));
            } else if how == Use::Environment && data_changed.contains(&key) && !restarts.contains(name) {
                let text =
                    format!("its pods have {kind} {wanted} in their environment, and see the change when they restart");
                found.push((name.clone(), consequence(ConsequenceKind::Stale, text)));
            }
        }
    }
    for (name, consequence) in found {
        match changes.iter_mut().find(|change| change.name == name) {
            Some(change) => {
                change.consequences.push(consequence);
                change.consequences.sort_by_key(|consequence| consequence.kind);
            }
            None => {
                changes.push(Change {
                    name,
                    action: Action::Affected,
                    fields: Vec::new(),
                    consequences: vec![consequence],
                });
            }
        }
    }
    Ok(())
}

/// The pod templates of one side.
struct Pods(Vec<(Name, Value)>);

impl Pods {
    fn of(manifests: &[Manifest]) -> Result<Self> {
        let mut templates = Vec::new();
        for manifest in manifests {
            let name = &manifest.name;
            if (name.is("", "Pod") || pods::template_path(name.group(), &name.kind).is_some())
                && let Some(template) = pods::template(name.group(), &name.kind, &manifest.document()?)
            {
                templates.push((name.clone(), template.clone()));
            }
        }
        Ok(Self(templates))
    }

    /// How many of them a Service selects.
    fn selected_by(&self, service: &Manifest) -> Result<usize> {
        let document = service.document()?;
        let Some(selector) = document.pointer("/spec/selector") else { return Ok(0) };
        let here = self.0.iter().filter(|(name, _)| name.namespace == service.name.namespace);
        Ok(here.filter(|(_, template)| pods::is_selected(template, selector)).count())
    }
}
