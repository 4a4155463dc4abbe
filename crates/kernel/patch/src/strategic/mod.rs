//! Strategic merge patches, as Kustomize 5.8 applies them.
//!
//! Mappings are merged key by key, null removes a key, scalars and most lists are replaced. Lists for which the
//! schema has merge keys are merged element by element; what the patch brings comes first. What upstream does to
//! lists with incomplete or repeated keys, also to those that the patch does not mention, is done here as well.

mod comment;
mod directive;
mod incomplete;
mod list;

use crate::PatchOptions;
use crate::options::check_depth;
use crate::shape::{Shape, at, is_null, is_null_or_empty, keep_style, raw_text};
use comment::Described;
use directive::Directive;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::{Resource, SchemaType};
use onepane_yaml::{Content, Node};
use std::collections::HashMap;

/// What became of the target of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is there, changed or not.
    Kept,
    /// The patch deleted it; what is left of it has no meaning.
    Deleted,
}

/// Merges `patch` into `target`.
///
/// `$patch: replace` at the top has no effect, as upstream.
///
/// # Errors
/// `patch-kind-mismatch` when a mapping, a list and a scalar meet, `patch-directive` for an unknown `$patch`,
/// `patch-too-deep`. The target may then be half merged.
pub fn strategic_merge(target: &mut Node, patch: &Node, options: &PatchOptions<'_>) -> Result<Outcome> {
    let described = Described::default();
    let merger = Merger { options, described: &described };
    if Shape::of(patch) == Shape::Mapping && Shape::of(target) == Shape::Mapping {
        return match Directive::of_mapping(patch)? {
            Directive::Delete => Ok(Outcome::Deleted),
            Directive::Replace => {
                // What cannot be in a patch is still an error.
                merger.adopt_mapping(patch, true, merger.type_of(None, patch, None), 0)?;
                Ok(Outcome::Kept)
            }
            Directive::Merge { .. } => {
                let of = merger.type_of(None, target, Some(patch));
                merger.merge_mapping(target, patch, of, 0)?;
                Ok(Outcome::Kept)
            }
        };
    }
    merger.merge(target, patch, None, 0)
}

/// Merges the patch into the resource, whose kind, name and namespace stay as they are unless the patch may change
/// the kind or the name; then the resource remembers its id. A deleted resource is left empty.
///
/// # Errors
/// As [`strategic_merge`].
pub fn patch_resource(resource: &mut Resource, patch: &Resource, options: &PatchOptions<'_>) -> Result<Outcome> {
    if patch.allows_name_change || patch.allows_kind_change {
        resource.store_previous_id();
    }
    let kind = resource.node().get("kind").cloned();
    let name = resource.node().at(&["metadata", "name"]).cloned();
    let namespace = resource.node().at(&["metadata", "namespace"]).cloned();
    let target = resource.node_mut();
    if strategic_merge(target, patch.node(), options)? == Outcome::Deleted || is_null_or_empty(target) {
        target.content = Content::Mapping(Vec::new());
        return Ok(Outcome::Deleted);
    }
    if !patch.allows_kind_change {
        resource.set_kind(kind.unwrap_or_else(|| Node::string("")));
    }
    if !patch.allows_name_change {
        resource.set_name(name.unwrap_or_else(|| Node::string("")));
    }
    if resource.node().at(&["metadata", "namespace"]) != namespace.as_ref() {
        resource.set_namespace(namespace.filter(|namespace| !is_null(namespace)));
    }
    Ok(Outcome::Kept)
}

struct Merger<'a> {
    options: &'a PatchOptions<'a>,
    described: &'a Described,
}

type Of<'a> = Option<SchemaType<'a>>;

impl<'a> Merger<'a> {
    /// Merges `patch` into `target`, both of which are there, though either may be null.
    fn merge(&self, target: &mut Node, patch: &Node, of: Of<'a>, depth: usize) -> Result<Outcome> {
        check_depth(depth, patch)?;
        let of = self.type_of(of, target, Some(patch));
        let shape = match Shape::of(target) {
            Shape::Null => Shape::of(patch),
            shape => shape,
        };
        shape.expect(patch)?;
        if is_null(patch) {
            return Ok(Outcome::Deleted);
        }
        if is_null(target) {
            return Ok(match self.adopt(patch, of, depth)? {
                Some(mut adopted) => {
                    self.options.stamp(&mut adopted, patch, Some(target));
                    keep_style(&mut adopted, target);
                    *target = adopted;
                    Outcome::Kept
                }
                None => Outcome::Deleted,
            });
        }
        match shape {
            Shape::Mapping => match Directive::of_mapping(patch)? {
                Directive::Delete => Ok(Outcome::Deleted),
                Directive::Replace => {
                    let mut adopted = self.adopt_mapping(patch, true, of, depth)?;
                    self.options.stamp(&mut adopted, patch, Some(target));
                    *target = adopted;
                    Ok(Outcome::Kept)
                }
                Directive::Merge { .. } => {
                    self.merge_mapping(target, patch, of, depth)?;
                    Ok(Outcome::Kept)
                }
            },
            Shape::Sequence => self.merge_list(target, patch, of, depth),
            Shape::Scalar | Shape::Null => {
                self.write(target, patch);
                Ok(Outcome::Kept)
            }
            Shape::Alias => Ok(Outcome::Deleted),
        }
    }

    fn merge_mapping(&self, target: &mut Node, patch: &Node, of: Of<'a>, depth: usize) -> Result<()> {
        let was_empty = is_null_or_empty(target);
        let (Content::Mapping(entries), Some(changes)) = (&mut target.content, patch.entries()) else { return Ok(()) };
        let directive = Directive::of_mapping(patch)?.is_said();
        let mut positions = Positions::of(entries, changes.len());
        let mut mentioned = vec![false; entries.len()];
        let mut deleted = Vec::new();
        let mut added = Vec::new();
        for (key, change) in changes {
            let name = raw_text(key);
            if directive && name == directive::KEY {
                continue;
            }
            match positions.find(entries, name) {
                Some(position) => {
                    let Some((old_key, value)) = entries.get_mut(position) else { continue };
                    let field = self.field_of(of, old_key, Some(key));
                    if let Some(mentioned) = mentioned.get_mut(position) {
                        *mentioned = true;
                    }
                    if self.merge(value, change, field, depth + 1)? == Outcome::Deleted {
                        deleted.push(position);
                    }
                }
                None => {
                    if let Some(value) = self.adopt(change, self.field_of(of, key, None), depth + 1)? {
                        added.push((key.clone(), value));
                    }
                }
            }
        }
        for (position, ((key, value), mentioned)) in entries.iter_mut().zip(mentioned).enumerate() {
            if mentioned {
                continue;
            }
            if is_silent_null(value) {
                deleted.push(position);
            } else {
                self.settle(value, self.field_of(of, key, None), depth + 1)?;
            }
        }
        if !deleted.is_empty() {
            deleted.sort_unstable();
            let mut position = 0;
            entries.retain(|_| {
                position += 1;
                deleted.binary_search(&(position - 1)).is_err()
            });
        }
        entries.extend(added);
        self.options.stamp_emptied(target, patch, was_empty);
        Ok(())
    }

    fn merge_list(&self, target: &mut Node, patch: &Node, of: Of<'a>, depth: usize) -> Result<Outcome> {
        let Some(keys) = of.and_then(SchemaType::merge_keys) else {
            let mut written = patch.clone();
            self.options.stamp_all(&mut written, Some(target));
            *target = written;
            return Ok(Outcome::Kept);
        };
        let (Content::Sequence(items), Some(changes)) = (&mut target.content, patch.items()) else {
            return Ok(Outcome::Kept);
        };
        let elements = of.and_then(SchemaType::elements);
        match Directive::of_list(changes)? {
            Directive::Delete => Ok(Outcome::Deleted),
            Directive::Replace => {
                let mut adopted = self.adopt_list(patch, Directive::without(changes), keys, elements, depth)?;
                self.options.stamp(&mut adopted, patch, Some(target));
                *target = adopted;
                Ok(Outcome::Kept)
            }
            merge @ Directive::Merge { .. } => {
                let changes = if merge.is_said() { Directive::without(changes) } else { changes.iter().collect() };
                let was_empty = items.is_empty();
                let merged = self.merge_elements(std::mem::take(items), &changes, keys, elements, depth)?;
                *items = merged;
                self.options.stamp_emptied(target, patch, was_empty);
                Ok(Outcome::Kept)
            }
        }
    }

    /// Puts `patch` in the place of `target`.
    fn write(&self, target: &mut Node, patch: &Node) {
        let mut written = patch.clone();
        keep_style(&mut written, target);
        self.options.stamp(&mut written, patch, Some(target));
        if written.comments.is_none() {
            written.comments = target.comments.take();
        }
        *target = written;
    }

    /// What a patch gives where its target has nothing: nulls and directives are taken out on the way.
    fn adopt(&self, patch: &Node, of: Of<'a>, depth: usize) -> Result<Option<Node>> {
        check_depth(depth, patch)?;
        let of = self.type_of(of, patch, None);
        Ok(match Shape::of(patch) {
            Shape::Null | Shape::Alias => None,
            Shape::Scalar => Some(self.copy(patch)),
            Shape::Mapping => match Directive::of_mapping(patch) {
                Ok(Directive::Delete) => None,
                // An unknown directive at the top of something new passes for a field, as upstream.
                directive => Some(self.adopt_mapping(patch, directive.is_ok_and(Directive::is_said), of, depth)?),
            },
            Shape::Sequence => Some(match of.and_then(SchemaType::merge_keys) {
                Some(keys) => {
                    let items = patch.items().unwrap_or_default().iter().collect();
                    self.adopt_list(patch, items, keys, of.and_then(SchemaType::elements), depth)?
                }
                None => self.copy(patch),
            }),
        })
    }

    /// [`Self::adopt`] below the top of something new, where unknown directives are errors and lists may have one.
    fn adopt_below(&self, patch: &Node, of: Of<'a>, depth: usize) -> Result<Option<Node>> {
        check_depth(depth, patch)?;
        let of = self.type_of(of, patch, None);
        match Shape::of(patch) {
            Shape::Mapping => match Directive::of_mapping(patch)? {
                Directive::Delete => Ok(None),
                directive => Ok(Some(self.adopt_mapping(patch, directive.is_said(), of, depth)?)),
            },
            Shape::Sequence if of.and_then(SchemaType::merge_keys).is_some() => {
                let items = patch.items().unwrap_or_default();
                let items = match Directive::of_list(items)? {
                    Directive::Delete => return Ok(None),
                    Directive::Merge { said: false } => items.iter().collect(),
                    _ => Directive::without(items),
                };
                let keys = of.and_then(SchemaType::merge_keys).unwrap_or_default();
                Ok(Some(self.adopt_list(patch, items, keys, of.and_then(SchemaType::elements), depth)?))
            }
            _ => self.adopt(patch, of, depth),
        }
    }

    fn adopt_mapping(&self, patch: &Node, directive: bool, of: Of<'a>, depth: usize) -> Result<Node> {
        let changes = patch.entries().unwrap_or_default();
        let mut entries = Vec::with_capacity(changes.len());
        for (key, change) in changes {
            let name = raw_text(key);
            if directive && name == directive::KEY {
                continue;
            }
            if let Some(value) = self.adopt_below(change, self.field_of(of, key, None), depth + 1)? {
                entries.push((key.clone(), value));
            }
        }
        let mut adopted = shell(patch, Content::Mapping(entries));
        self.options.stamp(&mut adopted, patch, None);
        Ok(adopted)
    }

    fn copy(&self, patch: &Node) -> Node {
        let mut copy = patch.clone();
        self.options.stamp_all(&mut copy, None);
        copy
    }

    /// What the merge of a resource does to those of its fields that the patch does not mention: merged lists lose
    /// empty and repeated elements, mappings fields without a value.
    fn settle(&self, target: &mut Node, of: Of<'a>, depth: usize) -> Result<()> {
        check_depth(depth, target)?;
        let of = self.type_of(of, target, None);
        match &mut target.content {
            Content::Mapping(entries) => {
                entries.retain(|(_, value)| !is_silent_null(value));
                for (key, value) in entries {
                    if matches!(value.content, Content::Mapping(_) | Content::Sequence(_)) {
                        self.settle(value, self.field_of(of, key, None), depth + 1)?;
                    }
                }
            }
            Content::Sequence(items) => {
                if let Some(keys) = of.and_then(SchemaType::merge_keys) {
                    let elements = of.and_then(SchemaType::elements);
                    self.settle_elements(items, keys, elements, depth)?;
                }
            }
            Content::Scalar(_) | Content::Alias(_) => {}
        }
        Ok(())
    }

    /// The type as a comment says, else as the place says or, where that says nothing, as `apiVersion` and `kind` of
    /// either node say.
    fn type_of(&self, of: Of<'a>, target: &Node, patch: Option<&Node>) -> Of<'a> {
        let nodes = || [Some(target), patch].into_iter().flatten();
        if let Some(described) = nodes().find_map(|node| self.described.of(node, self.options.schema)) {
            return Some(described);
        }
        of.or_else(|| {
            nodes().find_map(|node| {
                let kind = node.get("kind").filter(|kind| !is_null(kind))?.as_str()?;
                let api_version = node.get("apiVersion").filter(|version| !is_null(version))?.as_str()?;
                self.options.schema.of_kind(api_version, kind)
            })
        })
    }

    /// The type of a field as a comment beside either key says, else as the mapping's type says.
    fn field_of(&self, of: Of<'a>, key: &Node, other: Option<&Node>) -> Of<'a> {
        [Some(key), other]
            .into_iter()
            .flatten()
            .find_map(|key| self.described.of(key, self.options.schema))
            .or_else(|| of?.field(raw_text(key)))
    }
}

/// Whether it is a null of which nothing is written. Such a field goes when its resource is merged; `null` and `~`
/// stay.
fn is_silent_null(node: &Node) -> bool {
    is_null(node) && raw_text(node).is_empty()
}

/// `node` without its content, with another in its place.
fn shell(node: &Node, content: Content) -> Node {
    Node {
        content,
        tag: node.tag.clone(),
        style: node.style,
        anchor: node.anchor.clone(),
        comments: node.comments.clone(),
        span: node.span,
        history: node.history.clone(),
    }
}

/// Finds keys of a mapping: by looking, or through an index when there is much to find.
struct Positions(Option<HashMap<Box<str>, usize>>);

impl Positions {
    fn of(entries: &[(Node, Node)], wanted: usize) -> Self {
        const FEW: usize = 8;
        if wanted <= FEW || entries.len() <= FEW {
            return Self(None);
        }
        let mut positions = HashMap::with_capacity(entries.len());
        for (position, (key, _)) in entries.iter().enumerate() {
            positions.entry(raw_text(key).into()).or_insert(position);
        }
        Self(Some(positions))
    }

    fn find(&mut self, entries: &[(Node, Node)], name: &str) -> Option<usize> {
        match &self.0 {
            Some(positions) => positions.get(name).copied(),
            None => entries.iter().position(|(key, _)| raw_text(key) == name),
        }
    }
}

/// An error for a list whose keys cannot be told.
fn unmergeable(message: String, node: &Node) -> Box<Diagnostic> {
    at(Diagnostic::error("patch-kind-mismatch", message), node)
}
