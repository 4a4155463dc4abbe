//! A graph as trees, for people.

use super::label;
use onepane_topology::{Direction, Graph};
use std::collections::BTreeSet;
use std::fmt::Write;

/// A tree for each start, or for each node that nothing leads to. What was shown before is not shown again but named.
/// Of both directions, one tree each.
pub(super) fn of(graph: &Graph, starts: Option<&[usize]>, direction: Direction, color: bool) -> String {
    let mut text = String::new();
    let ways: &[Direction] = match direction {
        Direction::Both => &[Direction::Down, Direction::Up],
        Direction::Down => &[Direction::Down],
        Direction::Up => &[Direction::Up],
    };
    for way in ways {
        if ways.len() > 1 {
            text += if *way == Direction::Down { "needs\n" } else { "is needed by\n" };
        }
        let mut tree = Tree { graph, ways: graph.ways(*way), color, shown: BTreeSet::new(), text: &mut text };
        let roots = starts.map_or_else(|| graph.roots(*way), <[usize]>::to_vec);
        roots.iter().for_each(|root| tree.write(*root));
    }
    text
}

struct Tree<'a> {
    graph: &'a Graph,
    ways: Vec<Vec<(usize, usize)>>,
    color: bool,
    shown: BTreeSet<usize>,
    text: &'a mut String,
}

/// A line that is yet to be written.
struct Line {
    node: usize,
    /// What stands before it, and before what is below it.
    lead: String,
    indent: String,
    is_cycle: bool,
}

impl Tree<'_> {
    /// Not by recursion: chains of charts may be long.
    fn write(&mut self, root: usize) {
        let mut pending = vec![Line { node: root, lead: String::new(), indent: String::new(), is_cycle: false }];
        while let Some(Line { node, lead, indent, is_cycle }) = pending.pop() {
            let below: Vec<(usize, bool)> =
                self.ways[node].iter().map(|(other, edge)| (*other, self.graph.edges[*edge].is_cycle)).collect();
            let is_new = self.shown.insert(node);
            let note = match (is_cycle, is_new || below.is_empty()) {
                (true, _) => "  leads in a circle",
                (false, true) => "",
                (false, false) => "  …",
            };
            let (bold, plain) = if self.color { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
            let shown = &self.graph.nodes[node];
            let detail = label(shown).split_off(shown.name.len());
            _ = writeln!(self.text, "{lead}{} {bold}{}{plain}{detail}{note}", shown.kind.name(), shown.name);
            if !is_new || is_cycle {
                continue;
            }
            let last = below.len();
            for (position, (node, is_cycle)) in below.into_iter().enumerate().rev() {
                let (branch, rest) = if position + 1 == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                let (lead, indent) = (format!("{indent}{branch}"), format!("{indent}{rest}"));
                pending.push(Line { node, lead, indent, is_cycle });
            }
        }
    }
}
