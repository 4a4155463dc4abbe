//! A graph for Markdown.

use super::label;
use onepane_topology::{EdgeKind, Graph, NodeKind};
use std::fmt::Write;

/// A flowchart from left to right. Nodes are numbered, since Mermaid's names take few letters.
pub(super) fn of(graph: &Graph) -> String {
    let mut text = String::from("flowchart LR\n");
    for (number, node) in graph.nodes.iter().enumerate() {
        let (open, close) = match node.kind {
            NodeKind::Cluster => ("[[", "]]"),
            NodeKind::Group | NodeKind::Component | NodeKind::Folder | NodeKind::Release => ("[", "]"),
            NodeKind::Chart => ("[/", "/]"),
            NodeKind::Image => ("([", "])"),
            NodeKind::Service => ("[(", ")]"),
            NodeKind::Remote => (">", "]"),
            NodeKind::Missing => ("{{", "}}"),
        };
        _ = writeln!(text, "  n{number}{open}\"{} {}\"{close}", node.kind.name(), escaped(&label(node)));
    }
    for edge in &graph.edges {
        let arrow = match (edge.is_cycle, edge.kind) {
            (true, _) => "-- circle -->",
            (false, EdgeKind::Base) => "-->",
            (false, EdgeKind::Component | EdgeKind::Runs | EdgeKind::BuiltFrom) => "-.->",
            (false, EdgeKind::Delivers | EdgeKind::Renders | EdgeKind::DependsOn) => "==>",
        };
        _ = writeln!(text, "  n{} {arrow} n{}", edge.from, edge.to);
    }
    text
}

/// Within quotes, Mermaid takes everything but these.
fn escaped(text: &str) -> String {
    text.replace('#', "#35;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;").replace('\n', " ")
}
