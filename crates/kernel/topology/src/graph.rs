//! Nodes, edges and the ways through them: [`Graph`].

use camino::Utf8PathBuf;
use onepane_diagnostics::{Diagnostic, Span};
use std::collections::{BTreeSet, HashMap};

/// What a node is, in the order in which things are made of one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// What runs on a cluster, or another environment below its folder.
    Cluster,
    /// A folder of `groups/`.
    Group,
    /// A folder of `components/`.
    Component,
    /// Any other folder with a kustomization.
    Folder,
    /// What a chart renders to, under a name.
    Release,
    /// A chart, of the repository or from elsewhere.
    Chart,
    /// Something that is named by URL.
    Remote,
    /// An image, without tag.
    Image,
    /// A submodule.
    Service,
    /// What is named and is not there.
    Missing,
}

impl NodeKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Cluster,
        Self::Group,
        Self::Component,
        Self::Folder,
        Self::Release,
        Self::Chart,
        Self::Remote,
        Self::Image,
        Self::Service,
        Self::Missing,
    ];

    /// The word that output uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Group => "group",
            Self::Component => "component",
            Self::Folder => "folder",
            Self::Release => "release",
            Self::Chart => "chart",
            Self::Remote => "remote",
            Self::Image => "image",
            Self::Service => "service",
            Self::Missing => "missing",
        }
    }
}

/// Something in a repository. Kind and name tell it from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// What it is called: of a folder of the layout its path below that.
    pub name: String,
    /// Where it is in the repository.
    pub path: Option<Utf8PathBuf>,
    /// A version, a commit, where it comes from; may be empty.
    pub detail: String,
}

impl Node {
    /// `group:prod`: what tells it from all others.
    pub fn id(&self) -> String {
        format!("{}:{}", self.kind.name(), self.name)
    }
}

/// Why a node needs another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// It is among its `resources:`.
    Base,
    /// It is among its `components:`.
    Component,
    /// An object of Flux or Argo CD in it says that it is to be applied.
    Delivers,
    /// The chart that it renders.
    Renders,
    /// The chart that it depends on.
    DependsOn,
    /// The image that it runs.
    Runs,
    /// The submodule that it is built from.
    BuiltFrom,
}

impl EdgeKind {
    /// The words that output uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Component => "component",
            Self::Delivers => "delivers",
            Self::Renders => "renders",
            Self::DependsOn => "depends on",
            Self::Runs => "runs",
            Self::BuiltFrom => "built from",
        }
    }
}

/// One node needs another. The numbers are places in [`Graph::nodes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What needs.
    pub from: usize,
    /// What is needed.
    pub to: usize,
    /// Why.
    pub kind: EdgeKind,
    /// Where that is said.
    pub span: Option<Span>,
    /// Whether it closes a circle, so that nothing can be built from it.
    pub is_cycle: bool,
}

/// What is made of what.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// By kind and name.
    pub nodes: Vec<Node>,
    /// By their ends.
    pub edges: Vec<Edge>,
    /// What is missing, can't be read or leads in a circle.
    pub findings: Vec<Diagnostic>,
}

/// Which way edges are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To what is needed.
    Down,
    /// To whom it is needed by.
    Up,
    /// Both, each on its own: not to others that need the same.
    Both,
}

impl Graph {
    /// The nodes that `target` means: by id, name or path. There may be several, such as a release and its chart.
    pub fn find(&self, target: &str) -> Vec<usize> {
        let path = target.trim_end_matches('/');
        let positions = |is: &dyn Fn(&Node) -> bool| -> Vec<usize> {
            (0..self.nodes.len()).filter(|position| is(&self.nodes[*position])).collect()
        };
        let by_id = positions(&|node| node.id() == target);
        if !by_id.is_empty() {
            return by_id;
        }
        positions(&|node| node.name == target || node.path.as_ref().is_some_and(|own| own == path))
    }

    /// For each node the edges that lead on from it, each with the node at its other end. Both are places in the lists.
    pub fn ways(&self, direction: Direction) -> Vec<Vec<(usize, usize)>> {
        let mut ways = vec![Vec::new(); self.nodes.len()];
        for (number, edge) in self.edges.iter().enumerate() {
            if direction != Direction::Up {
                ways[edge.from].push((edge.to, number));
            }
            if direction != Direction::Down {
                ways[edge.to].push((edge.from, number));
            }
        }
        ways
    }

    /// What can be reached from some nodes, and the edges between.
    pub fn reached(&self, starts: &[usize], direction: Direction) -> Self {
        let mut kept: BTreeSet<usize> = BTreeSet::new();
        let directions = match direction {
            Direction::Both => &[Direction::Down, Direction::Up][..],
            Direction::Down => &[Direction::Down],
            Direction::Up => &[Direction::Up],
        };
        for direction in directions {
            let ways = self.ways(*direction);
            let mut seen: BTreeSet<usize> = BTreeSet::new();
            spread(starts.to_vec(), &ways, &mut seen);
            kept.extend(seen);
        }
        self.only(&kept)
    }

    /// The nodes that are kept, numbered anew, and the edges between them.
    fn only(&self, kept: &BTreeSet<usize>) -> Self {
        let places: HashMap<usize, usize> = kept.iter().copied().zip(0..).collect();
        let edges = self.edges.iter().filter_map(|edge| {
            let (from, to) = (*places.get(&edge.from)?, *places.get(&edge.to)?);
            Some(Edge { from, to, ..edge.clone() })
        });
        let nodes = kept.iter().map(|node| self.nodes[*node].clone()).collect();
        Self { edges: edges.collect(), nodes, findings: self.findings.clone() }
    }

    /// The nodes that nothing needs, or with [`Direction::Up`] that need nothing; of a circle that hangs in the air, one.
    pub fn roots(&self, direction: Direction) -> Vec<usize> {
        let back = if direction == Direction::Up { Direction::Down } else { Direction::Up };
        let (ways, back) = (self.ways(direction), self.ways(back));
        let mut roots: Vec<usize> = (0..self.nodes.len()).filter(|node| back[*node].is_empty()).collect();
        let mut seen = BTreeSet::new();
        spread(roots.clone(), &ways, &mut seen);
        for node in 0..self.nodes.len() {
            if !seen.contains(&node) {
                roots.push(node);
                spread(vec![node], &ways, &mut seen);
            }
        }
        roots
    }

    /// Marks the edges that close circles; each circle is a finding.
    pub(crate) fn mark_cycles(&mut self) {
        // 0: not seen, 1: on the way, 2: done.
        let mut state = vec![0u8; self.nodes.len()];
        let outgoing = self.ways(Direction::Down);
        for start in 0..self.nodes.len() {
            if state[start] != 0 {
                continue;
            }
            // The way there, each with how many of its edges were taken. Not by recursion: a map may be deep.
            let mut way: Vec<(usize, usize)> = vec![(start, 0)];
            state[start] = 1;
            while let Some((node, taken)) = way.last_mut() {
                let Some((to, edge)) = outgoing[*node].get(*taken).copied() else {
                    state[*node] = 2;
                    way.pop();
                    continue;
                };
                *taken += 1;
                match state[to] {
                    0 => {
                        state[to] = 1;
                        way.push((to, 0));
                    }
                    1 => {
                        self.edges[edge].is_cycle = true;
                        let from = way.iter().position(|(node, _)| *node == to).unwrap_or(0);
                        let names = way[from..].iter().map(|(node, _)| *node).chain([to]);
                        let names: Vec<String> = names.map(|node| self.nodes[node].id()).collect();
                        let message = format!("these lead in a circle: {}", names.join(" → "));
                        let finding = Diagnostic::warning("graph-cycle", message)
                            .hint("take one of the entries out; what is in a circle can't be built");
                        let finding = match self.edges[edge].span {
                            Some(span) => finding.at(span),
                            None => finding,
                        };
                        self.findings.push(*finding);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Adds what can be reached to what was seen.
fn spread(mut pending: Vec<usize>, ways: &[Vec<(usize, usize)>], seen: &mut BTreeSet<usize>) {
    while let Some(node) = pending.pop() {
        if seen.insert(node) {
            pending.extend(ways[node].iter().map(|(other, _)| *other));
        }
    }
}
