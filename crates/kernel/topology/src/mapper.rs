//! The way in: [`map`], and what is put together on the way.

use crate::graph::{Edge, EdgeKind, Graph, Node, NodeKind};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Span};
use onepane_repo::Repository;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A submodule that a service is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its folder.
    pub path: Utf8PathBuf,
    /// The commit that it is pinned to; empty where it is not known.
    pub commit: String,
}

/// What the repository is made of. `services` are its submodules.
pub fn map(repository: &Repository<'_>, services: &[Service]) -> Graph {
    let mut mapper = Mapper {
        repository,
        services,
        nodes: BTreeMap::new(),
        edges: BTreeMap::new(),
        findings: Vec::new(),
        pending: VecDeque::new(),
        folded: BTreeSet::new(),
        made: BTreeSet::new(),
    };
    mapper.clusters();
    mapper.shared_folders();
    mapper.releases();
    mapper.all_services();
    mapper.finish()
}

/// What tells a node from all others.
pub(crate) type Key = (NodeKind, String);

pub(crate) struct Mapper<'m> {
    pub(crate) repository: &'m Repository<'m>,
    pub(crate) services: &'m [Service],
    nodes: BTreeMap<Key, Node>,
    edges: BTreeMap<(Key, Key, EdgeKind), Option<Span>>,
    pub(crate) findings: Vec<Diagnostic>,
    /// Folders whose kustomizations are yet to be read.
    pub(crate) pending: VecDeque<(Key, Utf8PathBuf)>,
    /// Folders that belong to the node of one above.
    pub(crate) folded: BTreeSet<Utf8PathBuf>,
    /// Folders that need no kustomization, since Flux makes one.
    pub(crate) made: BTreeSet<Utf8PathBuf>,
}

impl Mapper<'_> {
    /// Adds a node, if it is not there yet; whether it is new.
    pub(crate) fn add(&mut self, node: Node) -> (Key, bool) {
        let key = (node.kind, node.name.clone());
        let is_new = !self.nodes.contains_key(&key);
        if is_new {
            self.nodes.insert(key.clone(), node);
        }
        (key, is_new)
    }

    /// Says more of a node that is there.
    pub(crate) fn tell(&mut self, key: &Key, detail: &str) {
        if let Some(node) = self.nodes.get_mut(key).filter(|node| node.detail.is_empty()) {
            node.detail = detail.to_owned();
        }
    }

    /// Adds an edge; where the same is said twice, the first place counts.
    pub(crate) fn connect(&mut self, from: &Key, to: &Key, kind: EdgeKind, span: Option<Span>) {
        self.edges.entry((from.clone(), to.clone(), kind)).or_insert(span);
    }

    /// Adds what is named and is not there.
    pub(crate) fn missing(&mut self, from: &Key, path: &Utf8Path, kind: EdgeKind, span: Option<Span>) {
        let node = Node {
            kind: NodeKind::Missing,
            name: path.to_string(),
            path: Some(path.to_owned()),
            detail: String::new(),
        };
        let (key, is_new) = self.add(node);
        self.connect(from, &key, kind, span);
        if is_new {
            let message = format!("`{path}` is named and is not there");
            let finding = Diagnostic::warning("graph-missing", message);
            let finding = finding.hint("put it there, or take the entry that names it out");
            let finding = match span {
                Some(span) => finding.at(span),
                None => finding,
            };
            self.findings.push(*finding);
        }
    }

    fn finish(self) -> Graph {
        let places: BTreeMap<&Key, usize> = self.nodes.keys().zip(0..).collect();
        let edges = self.edges.iter().filter_map(|((from, to, kind), span)| {
            let (from, to) = (*places.get(from)?, *places.get(to)?);
            Some(Edge { from, to, kind: *kind, span: *span, is_cycle: false })
        });
        let edges = edges.collect();
        let mut graph = Graph { edges, nodes: self.nodes.into_values().collect(), findings: self.findings };
        graph.mark_cycles();
        graph
    }
}
