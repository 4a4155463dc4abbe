//! `labels:`, `commonLabels:` and `commonAnnotations:`.

use crate::accumulate::located;
use crate::config::FieldSpec;
use crate::decode::Located;
use crate::scalar::NodeExt;
use crate::stamp::Stamp;
use crate::walk::{Create, Path};
use onepane_diagnostics::{Diagnostic, Result, Span, Step};
use onepane_resource::ResourceSet;
use onepane_yaml::{Content, Node};

/// Labels or annotations to set, sorted by key, and how they leave their trace.
pub(crate) struct Pairs<'a> {
    pub(crate) pairs: &'a [(String, Located)],
    pub(crate) step: Step,
    pub(crate) origins: bool,
}

impl Pairs<'_> {
    /// Where the first of them stands in the file.
    pub(crate) fn span(&self) -> Option<Span> {
        self.pairs.iter().filter_map(|(_, value)| value.span).min_by_key(|span| (span.line, span.column))
    }
}

/// Sets labels or annotations in the mappings that `fields` lead to.
pub(crate) fn set_pairs(resources: &mut ResourceSet, pairs: &Pairs<'_>, fields: &[FieldSpec]) -> Result<()> {
    if pairs.pairs.is_empty() {
        return Ok(());
    }
    let paths = Path::all(fields);
    let stamps: Vec<Stamp> =
        pairs.pairs.iter().map(|(_, value)| Stamp::new(pairs.origins, pairs.step, value.span)).collect();
    for resource in resources.iter_mut() {
        for path in &paths {
            path.apply(resource, Create::Mapping, &mut |node| {
                pairs.pairs.iter().zip(&stamps).try_for_each(|((key, value), stamp)| set(node, key, &value.text, stamp))
            })?;
        }
    }
    Ok(())
}

fn set(node: &mut Node, key: &str, value: &str, stamp: &Stamp) -> Result<()> {
    if let Content::Mapping(_) = node.content {
        match node.get_mut(key) {
            Some(present) => stamp.set_scalar(present, value, Some("!!str")),
            None => drop(node.set(key, stamp.string(value))),
        }
        return Ok(());
    }
    if node.is_null() {
        *node = Node::mapping(vec![(Node::scalar(key), stamp.string(value))]);
        return Ok(());
    }
    let error = Diagnostic::error("kustomize-field-path", "wrong node kind: a mapping was expected here");
    Err(located(error, node.span).hint("labels and annotations are `key: value` lines below it"))
}
