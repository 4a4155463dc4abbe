//! A graph as a picture.

use super::label;
use super::layers::Layers;
use onepane_topology::{EdgeKind, Graph, NodeKind};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Pixels.
const LETTER: f64 = 7.2;
const HEIGHT: f64 = 26.0;
const ROW: f64 = 38.0;
const GAP: f64 = 90.0;
const MARGIN: f64 = 20.0;
/// A longer name is cut; all of it shows when somebody points at it.
const LONGEST: usize = 48;

const STYLE: &str = "text{font:12px ui-monospace,monospace;fill:#1b1f24}\
rect{fill:#fff;stroke:#8c959f}\
path{fill:none;stroke:#8c959f}\
.cluster rect{fill:#ddf4ff;stroke:#0969da}.group rect{fill:#dafbe1;stroke:#1a7f37}\
.component rect{fill:#fff8c5;stroke:#9a6700}.release rect{fill:#fbefff;stroke:#8250df}\
.chart rect{fill:#f6f0ff;stroke:#6639ba}.image rect{fill:#f6f8fa}.service rect{fill:#ffeff7;stroke:#bf3989}\
.remote rect{stroke-dasharray:4 3}.missing rect,path.cycle{stroke:#cf222e}.missing text{fill:#cf222e}\
path.component,path.runs,path.built{stroke-dasharray:4 3}path.delivers{stroke-width:2}\
@media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}g rect{fill:#161b22!important}}";

/// Columns from left to right; boxes have titles with all that is known.
pub(super) fn of(graph: &Graph) -> String {
    let forward: Vec<_> = graph.edges.iter().filter(|edge| !edge.is_cycle).collect();
    let ends: Vec<(usize, usize)> = forward.iter().map(|edge| (edge.from, edge.to)).collect();
    let layers = Layers::of(graph.nodes.len(), &ends);
    let shown: Vec<String> = graph.nodes.iter().map(|node| cut(&label(node))).collect();
    let width_of = |node: usize| shown[node].width() as f64 * LETTER + 16.0;
    // Where each place begins and how wide it is: a stand-in is as wide as its column.
    let mut begin = vec![0.0; layers.rows.len()];
    let mut width = vec![0.0; layers.rows.len()];
    let mut left = MARGIN;
    for column in &layers.columns {
        let widest =
            column.iter().filter(|place| **place < shown.len()).map(|place| width_of(*place)).fold(0.0, f64::max);
        for place in column {
            begin[*place] = left;
            width[*place] = if *place < shown.len() { width_of(*place) } else { widest };
        }
        left += widest + GAP;
    }
    let tallest = layers.rows.iter().copied().fold(0.0, f64::max);
    let (total_width, total_height) = ((left - GAP + MARGIN).max(2.0 * MARGIN), tallest * ROW + HEIGHT + 2.0 * MARGIN);
    let middle = |place: usize| MARGIN + layers.rows[place] * ROW + HEIGHT / 2.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {total_width:.0} {total_height:.0}\" \
         width=\"{total_width:.0}\" height=\"{total_height:.0}\">\n<style>{STYLE}</style>\n<defs><marker id=\"arrow\" \
         viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 \
         0L8 4L0 8z\" style=\"fill:#8c959f\"/></marker></defs>\n"
    );
    let mut draw = |class: &str, way: &[usize], kind: EdgeKind| {
        let mut path = String::new();
        for (step, pair) in way.windows(2).enumerate() {
            let (x, y) = (begin[pair[0]] + width[pair[0]], middle(pair[0]));
            let (to_x, to_y) = (begin[pair[1]], middle(pair[1]));
            let half = (to_x - x).abs().max(GAP) / 2.0;
            _ = match step {
                0 => write!(path, "M{x:.1} {y:.1}"),
                _ => write!(path, "L{x:.1} {y:.1}"),
            };
            _ = write!(path, "C{:.1} {y:.1} {:.1} {to_y:.1} {to_x:.1} {to_y:.1}", x + half, to_x - half);
        }
        let [from, to] =
            [way.first(), way.last()].map(|end| end.map_or_else(String::new, |node| graph.nodes[*node].id()));
        let title = escaped(&format!("{from} {} {to}", kind.name()));
        _ = writeln!(
            text,
            "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#arrow)\"><title>{title}</title></path>"
        );
    };
    for (edge, way) in forward.iter().zip(&layers.ways) {
        draw(class_of(edge.kind), way, edge.kind);
    }
    for edge in graph.edges.iter().filter(|edge| edge.is_cycle) {
        draw("cycle", &[edge.from, edge.to], edge.kind);
    }
    for (number, node) in graph.nodes.iter().enumerate() {
        let (x, y) = (begin[number], middle(number) - HEIGHT / 2.0);
        let path = node.path.as_ref().map_or_else(String::new, |path| format!(" at {path}"));
        let title = escaped(&format!("{} {}{path}", node.kind.name(), label(node)));
        _ = writeln!(
            text,
            "<g class=\"{}\"><title>{title}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{HEIGHT}\" \
             rx=\"{}\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            node.kind.name(),
            width[number],
            if node.kind == NodeKind::Image { 13 } else { 4 },
            x + 8.0,
            y + 17.0,
            escaped(&shown[number]),
        );
    }
    text + "</svg>\n"
}

fn class_of(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Base => "base",
        EdgeKind::Component => "component",
        EdgeKind::Delivers => "delivers",
        EdgeKind::Renders => "renders",
        EdgeKind::DependsOn => "depends",
        EdgeKind::Runs => "runs",
        EdgeKind::BuiltFrom => "built",
    }
}

/// The end of a long name tells more than its start, which many have in common.
fn cut(text: &str) -> String {
    let count = text.chars().count();
    if count <= LONGEST {
        text.to_owned()
    } else {
        format!("…{}", text.chars().skip(count - LONGEST).collect::<String>())
    }
}

/// As XML has it, which has no control characters at all.
fn escaped(text: &str) -> String {
    crate::markup::escaped(&text.replace(char::is_control, " "))
}
