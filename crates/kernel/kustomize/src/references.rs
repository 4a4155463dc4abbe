//! References that follow their target's new name: the fields that hold the names of other resources.
//!
//! A reference is resolved among the resources that once had the name it holds. Each name leads to its candidates
//! through an index, so the cost grows with the number of references and not with the square of the resources.

use crate::accumulate::{Target, located};
use crate::config::TransformerConfig;
use crate::scalar::NodeExt;
use crate::stamp::Stamp;
use crate::walk::{Create, Path};
use onepane_diagnostics::{Diagnostic, Origin, Result, Span, Step};
use onepane_resource::{GroupVersionKind, Resource, ResourceId, ResourceSet};
use onepane_yaml::{Content, Node};
use std::collections::{HashMap, HashSet};

/// Updates all references.
///
/// # Errors
/// `kustomize-ambiguous-reference` when a name may mean several resources.
pub(crate) fn update_references(
    resources: &mut ResourceSet,
    config: &TransformerConfig,
    origins: bool,
    target: &Target<'_>,
) -> Result<()> {
    let index = Index::new(resources, origins);
    let check = |resource: &Resource| subject_namespaces(resource).map_err(|error| target.in_entry_of(error, resource));
    if index.candidates.is_empty() {
        // A role binding whose subject has no namespace is an error even where nothing was renamed.
        return resources.iter().try_for_each(|resource| check(resource).map(drop));
    }
    let fields = Fields::new(config, &index);
    for referrer in resources.iter_mut() {
        let original = referrer.original_id().gvk;
        let matching: Vec<&Field<'_>> = fields.of_kind(&original).collect();
        if matching.is_empty() {
            continue;
        }
        let context = Context::new(referrer, &index, origins, check(referrer)?);
        for field in matching {
            let reference = Reference { context: &context, field };
            // Whether the field is for the referrer was decided by its first id, whatever it is now.
            let updated = field.path.apply_to_any(referrer, Create::Nothing, &mut |node| reference.update(node));
            updated.map_err(|mut error| {
                error.message = format!(
                    "updating name reference in '{}' field of '{}': {}",
                    field.path.spec.path, context.id, error.message
                );
                target.in_entry_of(error, referrer)
            })?;
        }
    }
    Ok(())
}

/// A resource that had another name before.
struct Candidate {
    id: ResourceId,
    previous: Vec<ResourceId>,
    prefixes: Vec<Box<str>>,
    suffixes: Vec<Box<str>>,
    name: Box<str>,
    namespace: Box<str>,
    name_origin: Origin,
    namespace_origin: Origin,
    span: Option<Span>,
}

/// Everything that references may lead to.
struct Index {
    candidates: Vec<Candidate>,
    by_previous_name: HashMap<Box<str>, Vec<usize>>,
    /// For the first namespaces that resources had, those that they have now.
    namespaces: HashMap<Box<str>, HashSet<Box<str>>>,
    /// The kinds of the candidates, now or before.
    kinds: HashSet<Box<str>>,
}

impl Index {
    fn new(resources: &ResourceSet, origins: bool) -> Self {
        let mut index = Self {
            candidates: Vec::new(),
            by_previous_name: HashMap::new(),
            namespaces: HashMap::new(),
            kinds: HashSet::new(),
        };
        for resource in resources {
            let current = resource.id().effective_namespace();
            let original: Box<str> = resource.original_id().effective_namespace().into();
            index.namespaces.entry(original).or_default().insert(current.into());
            if resource.previous.is_empty() {
                continue;
            }
            let position = index.candidates.len();
            for previous in &resource.previous {
                let positions = index.by_previous_name.entry(previous.name.clone()).or_default();
                if positions.last() != Some(&position) {
                    positions.push(position);
                }
                index.kinds.insert(previous.kind.clone());
            }
            let origin_of = |key: &str| {
                let node = resource.node().at(&["metadata", key]).filter(|_| origins);
                node.map_or(Origin::UNKNOWN, Node::origin)
            };
            index.candidates.push(Candidate {
                id: resource.id().clone(),
                previous: resource.previous_ids().collect(),
                prefixes: resource.prefixes.clone(),
                suffixes: resource.suffixes.clone(),
                name: resource.name().into(),
                namespace: resource.namespace().into(),
                name_origin: origin_of("name"),
                namespace_origin: origin_of("namespace"),
                span: resource.node().span,
            });
        }
        index
    }
}

/// A field that may hold the name of a resource of a type.
struct Field<'a> {
    path: Path<'a>,
    target: GroupVersionKind,
}

/// The fields by the kind of resource that has them.
struct Fields<'a> {
    by_kind: HashMap<&'a str, Vec<Field<'a>>>,
}

impl<'a> Fields<'a> {
    fn new(config: &'a TransformerConfig, index: &Index) -> Self {
        let mut by_kind: HashMap<&str, Vec<Field<'_>>> = HashMap::new();
        for reference in &config.name_references {
            // What is not there cannot be referred to.
            if !reference.kind.is_empty() && !index.kinds.contains(&*reference.kind) {
                continue;
            }
            let target = GroupVersionKind::new(&*reference.group, &*reference.version, &*reference.kind);
            for spec in &reference.referrers {
                let field = Field { path: Path::new(spec), target: target.clone() };
                by_kind.entry(&*spec.kind).or_default().push(field);
            }
        }
        Self { by_kind }
    }

    fn of_kind<'s>(&'s self, gvk: &'s GroupVersionKind) -> impl Iterator<Item = &'s Field<'a>> + 's {
        let kinds = [&*gvk.kind, ""];
        let lists = kinds.into_iter().filter_map(|kind| self.by_kind.get(kind));
        lists.flatten().filter(move |field| field.path.spec.is_for(&gvk.group, &gvk.version, &gvk.kind))
    }
}

/// What a referrer's references have in common.
struct Context<'a> {
    index: &'a Index,
    origins: bool,
    id: ResourceId,
    prefixes: Vec<Box<str>>,
    suffixes: Vec<Box<str>>,
    /// Namespaces of service accounts that a role binding names.
    subject_namespaces: HashSet<Box<str>>,
    role: Option<GroupVersionKind>,
}

impl<'a> Context<'a> {
    fn new(referrer: &Resource, index: &'a Index, origins: bool, subject_namespaces: HashSet<Box<str>>) -> Self {
        Self {
            index,
            origins,
            id: referrer.id().clone(),
            prefixes: referrer.prefixes.clone(),
            suffixes: referrer.suffixes.clone(),
            subject_namespaces,
            role: role_type(referrer),
        }
    }

    /// Whether the referrer can see the candidate at all.
    fn sees(&self, candidate: &Candidate) -> bool {
        self.id.is_cluster_scoped()
            || candidate.id.is_cluster_scoped()
            || candidate.id.same_namespace(&self.id)
            || self.subject_namespaces.contains(&candidate.namespace)
    }

    /// Whether some resource that the referrer can see was first in `namespace`.
    fn sees_original_namespace(&self, namespace: &str) -> bool {
        if namespace == ResourceId::CLUSTER {
            return false;
        }
        let Some(current) = self.index.namespaces.get(namespace) else { return false };
        self.id.is_cluster_scoped()
            || current.contains(self.id.effective_namespace())
            || self.subject_namespaces.iter().any(|namespace| current.contains(namespace))
    }
}

fn subject_namespaces(referrer: &Resource) -> Result<HashSet<Box<str>>> {
    let mut namespaces = HashSet::new();
    if referrer.kind() != "RoleBinding" {
        return Ok(namespaces);
    }
    for subject in referrer.node().get("subjects").and_then(Node::items).unwrap_or_default() {
        let Some(namespace) = subject.get("namespace") else { continue };
        if subject.get("kind").and_then(Node::as_str) != Some("ServiceAccount") {
            continue;
        }
        match namespace.scalar_1_2() {
            Some(crate::scalar::Scalar::String(text)) => drop(namespaces.insert(text.into_owned().into())),
            _ => {
                let message = format!("Invalid Input: namespace is blank for resource \"{}\"", referrer.id());
                let error = located(Diagnostic::error("kustomize-reference", message), namespace.span);
                return Err(error.hint("name the service account's namespace, or leave the field out"));
            }
        }
    }
    Ok(namespaces)
}

fn role_type(referrer: &Resource) -> Option<GroupVersionKind> {
    let role = referrer.node().get("roleRef")?;
    let text = |key: &str| role.get(key).and_then(Node::as_str);
    Some(GroupVersionKind::new(text("apiGroup")?, "", text("kind")?))
}

struct Reference<'a> {
    context: &'a Context<'a>,
    field: &'a Field<'a>,
}

impl<'a> Reference<'a> {
    fn update(&self, node: &mut Node) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        match &mut node.content {
            Content::Scalar(_) => self.update_name(node),
            Content::Mapping(_) => self.update_mapping(node),
            Content::Sequence(items) => items.iter_mut().try_for_each(|item| match &item.content {
                _ if item.is_null() => Ok(()),
                Content::Scalar(_) => self.update_name(item),
                Content::Mapping(_) => self.update_mapping(item),
                _ => Err(misplaced(item, "node is expected to be either a string or a map of string")),
            }),
            Content::Alias(_) => Ok(()),
        }
    }

    fn update_name(&self, node: &mut Node) -> Result<()> {
        let name = node.as_str().unwrap_or_default();
        let Some(referral) = self.select(name, None).map_err(|error| located(error, node.span))? else {
            return Ok(());
        };
        if *referral.name != *name {
            self.stamp(referral, (Step::NameReference, &referral.name_origin), node);
            node.content = Content::Scalar(referral.name.clone());
            node.tag = None;
        }
        Ok(())
    }

    fn update_mapping(&self, node: &mut Node) -> Result<()> {
        let Some(name) = node.get("name") else {
            return Err(misplaced(node, "path config error; no 'name' field in node"));
        };
        let name = name.as_str().unwrap_or_default().to_owned();
        let namespace = node.get("namespace").map(|namespace| namespace.as_str().unwrap_or_default().to_owned());
        let selected = self.select(&name, Some(namespace.as_deref()));
        let Some(referral) = selected.map_err(|error| located(error, node.span))? else { return Ok(()) };
        if *referral.name == *name && referral.namespace.is_empty() {
            return Ok(());
        }
        self.set(node, "name", &referral.name, (referral, &referral.name_origin));
        if !referral.namespace.is_empty() {
            self.set(node, "namespace", &referral.namespace, (referral, &referral.namespace_origin));
        }
        Ok(())
    }

    fn set(&self, node: &mut Node, key: &str, value: &str, (referral, source): (&Candidate, &Origin)) {
        // A name is what it was a name of; a namespace is only where that is.
        let step = if key == "namespace" { Step::Namespace } else { Step::NameReference };
        let source = (step, source);
        match node.get_mut(key) {
            // That a name is the same says nothing, for it was found by that; so was a namespace, unless it is one of before.
            Some(present) if present.as_str() == Some(value) => {
                let was_found_by = |id: &ResourceId| id.effective_namespace() == value;
                if key == "namespace" && referral.previous.first().is_some_and(was_found_by) {
                    self.stamp(referral, source, present);
                }
            }
            Some(present) => {
                self.stamp(referral, source, present);
                present.content = Content::Scalar(value.into());
                present.tag = None;
            }
            None => {
                let mut made = Node::scalar(value);
                self.stamp(referral, source, &mut made);
                node.set(key, made);
            }
        }
    }

    fn stamp(&self, referral: &Candidate, (step, source): (Step, &Origin), node: &mut Node) {
        let stamp = Stamp::new(self.context.origins, step, source.span());
        // What a name stands for is found by the namespace, too.
        let sources = [source, &referral.name_origin, &referral.namespace_origin];
        stamp.noted(&referral.id.to_string()).mark_from(node, &sources);
    }

    /// The one resource that `name` means now, if there is one. `namespace` is `None` where only a name is written,
    /// and `Some(None)` where a namespace could be written beside it and is not.
    fn select(&self, name: &str, namespace: Option<Option<&str>>) -> Result<Option<&'a Candidate>> {
        let context = self.context;
        let Some(positions) = context.index.by_previous_name.get(name) else { return Ok(None) };
        let role = context.role.as_ref().filter(|_| self.field.path.spec.path.ends_with("roleRef/name"));
        let had_type = |candidate: &Candidate, gvk: &GroupVersionKind| {
            candidate.previous.iter().any(|id| id.gvk.is_selected_by(gvk))
        };
        let written = namespace.flatten();
        let by_original = written.is_some_and(|namespace| context.sees_original_namespace(namespace));
        let mut candidates: Vec<&'a Candidate> = positions
            .iter()
            .filter_map(|position| context.index.candidates.get(*position))
            .filter(|candidate| context.sees(candidate))
            .filter(|candidate| match written {
                None => true,
                Some(namespace) if by_original => candidate
                    .previous
                    .first()
                    .is_some_and(|id| id.effective_namespace() == namespace && !id.is_cluster_scoped()),
                Some(namespace) => candidate.id.effective_namespace() == namespace && !candidate.id.is_cluster_scoped(),
            })
            .filter(|candidate| had_type(candidate, &self.field.target))
            .filter(|candidate| role.is_none_or(|role| had_type(candidate, role)))
            .filter(|candidate| {
                context.id.is_cluster_scoped()
                    || candidate.id.is_cluster_scoped()
                    || &*candidate.id.gvk.kind == "ServiceAccount"
                    || candidate.id.same_namespace(&context.id)
            })
            .collect();
        if let [only] = candidates[..] {
            return Ok(Some(only));
        }
        let same_affixes = |candidate: &&Candidate, allow_empty: bool| {
            same_ending(&candidate.prefixes, &context.prefixes, allow_empty)
                && same_ending(&candidate.suffixes, &context.suffixes, allow_empty)
        };
        candidates.retain(|candidate| same_affixes(candidate, true));
        if candidates.len() > 1 {
            candidates.retain(|candidate| same_affixes(candidate, false));
        }
        let Some((first, rest)) = candidates.split_first() else { return Ok(None) };
        let identical = rest
            .iter()
            .all(|other| other.name == first.name && (namespace.is_none() || other.namespace == first.namespace));
        if identical {
            return Ok(Some(first));
        }
        let ids: Vec<String> = candidates.iter().map(|candidate| candidate.id.to_string()).collect();
        let message = format!("found multiple possible referrals: {}", ids.join(", "));
        let mut error = Diagnostic::error("kustomize-ambiguous-reference", message);
        for span in candidates.iter().filter_map(|candidate| candidate.span) {
            error = error.label(span, "it may mean this");
        }
        Err(error.hint("give the resources different names before the overlays add theirs"))
    }
}

/// Whether the shorter list is the end of the longer one. An empty one matches only another empty one, or anything
/// where `allow_empty`.
fn same_ending(a: &[Box<str>], b: &[Box<str>], allow_empty: bool) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return allow_empty || long.is_empty();
    }
    long.ends_with(short)
}

fn misplaced(node: &Node, message: &str) -> Box<Diagnostic> {
    located(Diagnostic::error("kustomize-reference", message), node.span)
        .hint("a `nameReference` of `configurations:` leads to a name, or to a mapping with `name`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affixes_are_compared_from_the_outermost_in() {
        let list = |items: &[&str]| items.iter().map(|item| (*item).into()).collect::<Vec<Box<str>>>();
        for (a, b, allow_empty, same) in [
            (&["a", "b"][..], &["b"][..], false, true),
            (&["a"], &["b"], true, false),
            (&[], &["b"], false, false),
            (&[], &["b"], true, true),
            (&[], &[], false, true),
        ] {
            assert_eq!(same_ending(&list(a), &list(b), allow_empty), same, "{a:?} {b:?}");
        }
    }
}
