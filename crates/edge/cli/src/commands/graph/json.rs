//! A graph for programs.

use onepane_diagnostics::render_json;
use onepane_topology::{Edge, Graph};
use serde_json::{Value, json};

/// Nodes, edges by the nodes' ids, and what was found wrong.
pub(super) fn of(graph: &Graph) -> String {
    let nodes: Vec<Value> = graph
        .nodes
        .iter()
        .map(|node| {
            json!({
                "id": node.id(), "kind": node.kind.name(), "name": node.name, "path": node.path.as_ref().map(|path| path.as_str()), "detail": node.detail,
            })
        })
        .collect();
    let edge = |edge: &Edge| {
        let place =
            edge.span.map(|span| json!({"file": span.file.path().as_str(), "line": span.line, "column": span.column}));
        json!({
            "from": graph.nodes[edge.from].id(), "to": graph.nodes[edge.to].id(), "kind": edge.kind.name(),
            "place": place, "cycle": edge.is_cycle,
        })
    };
    let edges: Vec<Value> = graph.edges.iter().map(edge).collect();
    let findings: Vec<_> = graph.findings.iter().map(render_json).collect();
    format!("{:#}\n", json!({"nodes": nodes, "edges": edges, "findings": findings}))
}
