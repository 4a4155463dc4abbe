//! Aliases and merge keys replaced by what they stand for.

use crate::MAX_DEPTH;
use crate::node::History;
use crate::{Content, Node, Style};
use onepane_diagnostics::{Diagnostic, Origin, Result, Span};
use std::collections::{HashMap, HashSet};

/// What aliases may cost, as go-yaml counts it: a small document may consist of copies for the most part, a large one
/// only for a tenth.
#[derive(Clone, Debug, Default)]
pub struct AliasBudget {
    nodes: u64,
    copies: u64,
}

impl AliasBudget {
    /// Counts nodes that stand in the text.
    pub fn spend(&mut self, nodes: u64) {
        self.nodes += nodes;
    }

    /// Counts nodes that an alias copies; false if there are too many.
    pub fn spend_copies(&mut self, nodes: u64) -> bool {
        const SMALL: f64 = 400_000.0;
        const LARGE: f64 = 4_000_000.0;
        self.nodes = self.nodes.saturating_add(nodes);
        self.copies = self.copies.saturating_add(nodes);
        let all = self.nodes as f64;
        let allowed = 0.99 - 0.89 * ((all - SMALL) / (LARGE - SMALL)).clamp(0.0, 1.0);
        !(self.copies > 100 && self.nodes > 1000 && self.copies as f64 / all > allowed)
    }
}

/// An anchored node as aliases copy it.
struct Target {
    node: Node,
    nodes: u64,
    depth: usize,
}

/// How large a node is, itself included.
#[derive(Clone, Copy)]
struct Size {
    nodes: u64,
    depth: usize,
}

impl Node {
    /// Whether there are aliases, anchors or merge keys in it.
    pub fn has_aliases(&self) -> bool {
        self.anchor.is_some()
            || match &self.content {
                Content::Alias(_) => true,
                Content::Scalar(_) => false,
                Content::Sequence(items) => items.iter().any(Self::has_aliases),
                Content::Mapping(entries) => {
                    entries.iter().any(|(key, value)| is_merge_key(key) || key.has_aliases() || value.has_aliases())
                }
            }
    }

    /// Replaces aliases with what they stand for and merges what stands under `<<`, as Kustomize does when it reads:
    /// a mapping's own keys stay in place and win, merged keys follow. Anchors are gone afterwards.
    ///
    /// Errors: `yaml-alias-bomb` where aliases multiply beyond what go-yaml allows, `yaml-syntax` for an alias
    /// without an anchor, within its own anchor, or a merge of something that is no mapping.
    pub fn resolve_aliases(&mut self) -> Result<()> {
        if self.has_aliases() {
            let mut wanted = HashSet::new();
            self.collect_aliases(&mut wanted);
            let mut resolver = Resolver { wanted, targets: HashMap::new(), kept: 0, budget: AliasBudget::default() };
            resolver.resolve(self, 0)?;
        }
        Ok(())
    }
}

impl Node {
    fn collect_aliases(&self, into: &mut HashSet<Box<str>>) {
        match &self.content {
            Content::Alias(name) => _ = into.insert(name.clone()),
            Content::Scalar(_) => {}
            Content::Sequence(items) => items.iter().for_each(|item| item.collect_aliases(into)),
            Content::Mapping(entries) => entries.iter().for_each(|(key, value)| {
                key.collect_aliases(into);
                value.collect_aliases(into);
            }),
        }
    }
}

/// Whether a key is `<<` and means a merge.
pub(crate) fn is_merge_key(key: &Node) -> bool {
    match &key.content {
        Content::Scalar(text) if &**text == "<<" => {
            key.style == Style::Plain && matches!(key.tag.as_deref(), None | Some("!"))
                || key.tag.as_deref() == Some("!!merge")
        }
        _ => false,
    }
}

struct Resolver {
    /// The anchors that aliases name.
    wanted: HashSet<Box<str>>,
    targets: HashMap<Box<str>, Target>,
    /// How many nodes the targets hold: anchors within anchors hold the same ones many times.
    kept: u64,
    budget: AliasBudget,
}

impl Resolver {
    fn resolve(&mut self, node: &mut Node, depth: usize) -> Result<Size> {
        if depth > MAX_DEPTH {
            return Err(error("exceeded max depth of 1000", node.span));
        }
        self.budget.spend(1);
        let anchor = node.anchor.take();
        let mut size = Size { nodes: 1, depth: 1 };
        let add = |size: &mut Size, of: Size| {
            size.nodes = size.nodes.saturating_add(of.nodes);
            size.depth = size.depth.max(of.depth + 1);
        };
        match &mut node.content {
            Content::Scalar(_) => {}
            Content::Alias(name) => {
                let name = std::mem::take(name);
                let (copy, copied) = self.copy(&name, node.span, depth)?;
                node.content = copy.content;
                (node.tag, node.style) = (copy.tag, copy.style);
                return Ok(copied);
            }
            Content::Sequence(items) => {
                for item in items {
                    add(&mut size, self.resolve(item, depth + 1)?);
                }
            }
            Content::Mapping(entries) => {
                if entries.iter().any(|(key, _)| is_merge_key(key)) {
                    self.merge(entries, depth)?;
                }
                for (key, value) in entries {
                    add(&mut size, self.resolve(key, depth + 1)?);
                    add(&mut size, self.resolve(value, depth + 1)?);
                }
            }
        }
        if let Some(anchor) = anchor.filter(|anchor| self.wanted.contains(anchor)) {
            const KEPT_AT_MOST: u64 = 4_000_000;
            self.kept = self.kept.saturating_add(size.nodes);
            if self.kept > KEPT_AT_MOST {
                return Err(alias_bomb(node.span));
            }
            let target = Target { node: node.clone(), nodes: size.nodes, depth: size.depth };
            self.targets.insert(anchor, target);
        }
        Ok(size)
    }

    fn copy(&mut self, name: &str, span: Option<Span>, depth: usize) -> Result<(Node, Size)> {
        let Some(target) = self.targets.get(name) else {
            return Err(error(format!("anchor '{name}' value contains itself"), span));
        };
        if !self.budget.spend_copies(target.nodes) {
            return Err(alias_bomb(span));
        }
        if depth + target.depth > MAX_DEPTH {
            return Err(error("exceeded max depth of 1000", span));
        }
        let node = Node { comments: None, history: History(Origin::UNKNOWN), ..target.node.clone() };
        Ok((node, Size { nodes: target.nodes, depth: target.depth }))
    }

    /// Takes `<<` out of the entries and puts what it stands for behind them.
    fn merge(&mut self, entries: &mut Vec<(Node, Node)>, depth: usize) -> Result<()> {
        let mut sources = None;
        let mut kept = Vec::with_capacity(entries.len());
        for (key, value) in std::mem::take(entries) {
            if !is_merge_key(&key) {
                kept.push((key, value));
            } else if sources.replace(value).is_some() {
                return Err(error("duplicate merge key", key.span));
            }
        }
        let mut known: HashMap<Box<str>, usize> = HashMap::new();
        for (index, (key, _)) in kept.iter().enumerate() {
            if let Some(key) = key.as_str() {
                known.entry(key.into()).or_insert(index);
            }
        }
        let own = kept.len();
        let mut mappings = Vec::new();
        if let Some(sources) = sources {
            self.merge_sources(sources, depth, &mut mappings)?;
        }
        // The first source wins, so it comes last.
        for (key, value) in mappings.into_iter().rev().flatten() {
            let index = key.as_str().and_then(|key| known.get(key)).copied();
            match index {
                Some(index) if index < own => {}
                Some(index) => kept[index].1 = value,
                None => {
                    if let Some(key) = key.as_str() {
                        known.insert(key.into(), kept.len());
                    }
                    kept.push((key, value));
                }
            }
        }
        *entries = kept;
        Ok(())
    }

    fn merge_sources(&mut self, value: Node, depth: usize, into: &mut Vec<Vec<(Node, Node)>>) -> Result<()> {
        let span = value.span;
        match value.content {
            Content::Mapping(mut entries) => {
                if entries.iter().any(|(key, _)| is_merge_key(key)) {
                    if depth > MAX_DEPTH {
                        return Err(error("exceeded max depth of 1000", span));
                    }
                    self.merge(&mut entries, depth + 1)?;
                }
                into.push(entries);
            }
            Content::Alias(name) => match self.copy(&name, span, depth)?.0.content {
                Content::Mapping(entries) => into.push(entries),
                _ => return Err(error("invalid map merge: received alias for a non-map value", span)),
            },
            Content::Sequence(items) => {
                for item in items {
                    if matches!(item.content, Content::Sequence(_)) {
                        return Err(error("invalid map merge: received a nested sequence", item.span));
                    }
                    self.merge_sources(item, depth, into)?;
                }
            }
            Content::Scalar(_) => {
                return Err(error("map merge requires map or sequence of maps as the value", span));
            }
        }
        Ok(())
    }
}

/// The finding for a document whose aliases multiply.
pub(crate) fn alias_bomb(span: Option<Span>) -> Box<Diagnostic> {
    let diagnostic = Diagnostic::error("yaml-alias-bomb", "document contains excessive aliasing")
        .hint("write the repeated parts out, or split the document: its aliases multiply beyond what is allowed");
    match span {
        Some(span) => diagnostic.at(span),
        None => diagnostic,
    }
}

fn error(message: impl Into<String>, span: Option<Span>) -> Box<Diagnostic> {
    let diagnostic = Diagnostic::error("yaml-syntax", message);
    match span {
        Some(span) => diagnostic.at(span),
        None => diagnostic,
    }
}
