//! A graph for Graphviz.

use super::label;
use onepane_topology::{EdgeKind, Graph, NodeKind};
use std::fmt::Write;

/// A directed graph from left to right; nodes are called as in the other formats.
pub(super) fn of(graph: &Graph) -> String {
    let mut text = String::from("digraph onepane {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for node in &graph.nodes {
        let attributes = match node.kind {
            NodeKind::Cluster => ", style=\"rounded,bold\"",
            NodeKind::Chart => ", shape=component",
            NodeKind::Image => ", shape=ellipse",
            NodeKind::Service => ", shape=folder",
            NodeKind::Remote => ", style=\"rounded,dashed\"",
            NodeKind::Missing => ", color=red, fontcolor=red",
            NodeKind::Group | NodeKind::Component | NodeKind::Folder | NodeKind::Release => "",
        };
        let shown = quoted(&format!("{}\n{}", node.kind.name(), label(node)));
        _ = writeln!(text, "  {} [label={shown}{attributes}];", quoted(&node.id()));
    }
    for edge in &graph.edges {
        let [from, to] = [edge.from, edge.to].map(|node| quoted(&graph.nodes[node].id()));
        let attributes = match (edge.is_cycle, edge.kind) {
            (true, _) => " [color=red]",
            (false, EdgeKind::Base) => "",
            (false, EdgeKind::Component) => " [style=dashed]",
            (false, EdgeKind::Delivers) => " [style=bold]",
            (false, EdgeKind::Renders | EdgeKind::DependsOn) => " [arrowhead=empty]",
            (false, EdgeKind::Runs | EdgeKind::BuiltFrom) => " [style=dotted]",
        };
        _ = writeln!(text, "  {from} -> {to}{attributes};");
    }
    text + "}\n"
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
