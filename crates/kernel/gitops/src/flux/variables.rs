//! `postBuild`: which variables there are, and their values in resources.

use crate::follower::Follower;
use crate::object::{is_true, items, pairs, text};
use crate::substitute::substitute;
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_resource::Resource;
use onepane_yaml::{Content, Node};
use std::collections::BTreeMap;

/// The annotation or label that keeps a resource as it is.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// The variables of a Kustomization: those of ConfigMaps and Secrets in their order, then its own.
///
/// What a Secret holds is not put into other resources, which anybody may read: such a variable stays as it is written.
pub(super) fn variables(follower: &mut Follower<'_>, object: &Resource) -> BTreeMap<String, String> {
    let node = object.node();
    let mut found = BTreeMap::new();
    for from in items(node, &["spec", "postBuild", "substituteFrom"]) {
        let (kind, name) = (text(from, &["kind"]), text(from, &["name"]));
        let Some(source) = follower.find(kind, object.namespace(), name) else {
            if !is_true(from, &["optional"]) {
                let message = format!(
                    "variables come from {kind} {}/{name}, which is not in this repository",
                    object.namespace()
                );
                follower.warn(object, "gitops-variables", message);
            }
            continue;
        };
        if kind == "Secret" {
            let keys = ["data", "stringData"].into_iter().flat_map(|field| pairs(source.node(), &[field]));
            found.extend(keys.map(|(key, _)| (key.to_owned(), format!("${{{key}}}"))));
        } else {
            let entries = pairs(source.node(), &["data"]).into_iter();
            found.extend(entries.map(|(key, value)| (key.to_owned(), value.replace('\n', ""))));
        }
    }
    let own = pairs(node, &["spec", "postBuild", "substitute"]).into_iter();
    found.extend(own.map(|(key, value)| (key.to_owned(), value.replace('\n', ""))));
    found
}

/// Replaces the variables in a resource, unless it says that it is to stay as it is.
///
/// Flux replaces them in the text of the resource and reads that, so that what stood for a string may become a number.
/// Here each scalar is written, replaced and read on its own: all others keep their places.
pub(super) fn replace(resource: &mut Resource, variables: &BTreeMap<String, String>) -> Result<()> {
    if resource.label(SWITCH) == Some("disabled") || resource.annotation(SWITCH) == Some("disabled") {
        return Ok(());
    }
    let file = resource.source.unwrap_or_else(|| FileId::new("variables"));
    if has_dollar(resource.node()) {
        replace_in(resource.node_mut(), file, variables)?;
    }
    Ok(())
}

fn has_dollar(node: &Node) -> bool {
    match &node.content {
        Content::Scalar(text) => text.contains('$'),
        Content::Sequence(items) => items.iter().any(has_dollar),
        Content::Mapping(entries) => entries.iter().any(|(key, value)| has_dollar(key) || has_dollar(value)),
        Content::Alias(_) => false,
    }
}

fn replace_in(node: &mut Node, file: FileId, variables: &BTreeMap<String, String>) -> Result<()> {
    match &mut node.content {
        Content::Mapping(entries) => entries.iter_mut().try_for_each(|(key, value)| {
            replace_in(key, file, variables)?;
            replace_in(value, file, variables)
        }),
        Content::Sequence(items) => items.iter_mut().try_for_each(|item| replace_in(item, file, variables)),
        Content::Scalar(text) if text.contains('$') => {
            let bare = Node { comments: None, anchor: None, ..node.clone() };
            let written = onepane_yaml::write_sorted(&bare)?;
            let at = |error: Box<Diagnostic>| match node.span {
                Some(span) => error.at(span),
                None => error,
            };
            let replaced = substitute(&written, variables).map_err(|why| {
                at(Diagnostic::error("gitops-substitute", format!("variables can't be replaced: {why}")))
            })?;
            if replaced == written {
                return Ok(());
            }
            let read = onepane_yaml::read(&replaced, file).map_err(at)?.into_iter().next();
            let read = read.unwrap_or_else(|| Node::scalar(""));
            // Places of what was read are those of this text, which is in no file.
            let (span, history) = (node.span, node.history.clone());
            *node = without_places(read);
            (node.span, node.history) = (span, history);
            Ok(())
        }
        Content::Scalar(_) | Content::Alias(_) => Ok(()),
    }
}

fn without_places(mut node: Node) -> Node {
    node.span = None;
    match &mut node.content {
        Content::Mapping(entries) => {
            for (key, value) in entries {
                *key = without_places(std::mem::replace(key, Node::scalar("")));
                *value = without_places(std::mem::replace(value, Node::scalar("")));
            }
        }
        Content::Sequence(items) => {
            items.iter_mut().for_each(|item| *item = without_places(std::mem::replace(item, Node::scalar(""))));
        }
        Content::Scalar(_) | Content::Alias(_) => {}
    }
    node
}
