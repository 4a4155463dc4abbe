//! `onepane graph`: what of the repository is made of what, or who uses something. One file a format.

mod dot;
mod json;
mod layers;
mod mermaid;
mod svg;
mod text;

use crate::commands::opened::Opened;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result, closest};
use onepane_git::LocalRepository;
use onepane_topology::{Direction, Graph, Node, Service};
use onepane_world::World;
use std::process::ExitCode;

/// What `onepane graph` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A cluster, group, component, release, chart, image or service, by name, path or KIND:NAME [default: everything]
    target: Option<String>,
    /// Follow to what the target needs, to who needs it, or both
    #[arg(long, value_name = "WAY", default_value = "down", conflicts_with = "reverse")]
    direction: Way,
    /// Who uses the target: short for `--direction up`
    #[arg(long)]
    reverse: bool,
    /// Ask no server for charts and bases from elsewhere; what was fetched before serves
    #[arg(long)]
    offline: bool,
    /// How it is drawn
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

/// Which way edges are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Way {
    /// To what it needs.
    Down,
    /// To who needs it.
    Up,
    /// Both.
    Both,
}

/// How a graph is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A tree, for people.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown.
    Mermaid,
    /// A picture.
    Svg,
    /// For programs.
    Json,
}

/// Draws the map; what is missing is told, and draws no less of the rest.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> std::result::Result<ExitCode, Failure> {
    let opened = Opened::at(directory, arguments.offline)?;
    let repository = opened.repository()?;
    let whole = onepane_topology::map(&repository, &services(&opened.root, &opened.world));
    let direction = match (arguments.reverse, arguments.direction) {
        (true, _) | (false, Way::Up) => Direction::Up,
        (false, Way::Down) => Direction::Down,
        (false, Way::Both) => Direction::Both,
    };
    let (graph, starts) = match arguments.target.as_deref() {
        Some(target) => {
            let starts = wanted(&whole, target)?;
            let ids: Vec<String> = starts.iter().map(|start| whole.nodes[*start].id()).collect();
            let graph = whole.reached(&starts, direction);
            let starts: Vec<usize> = ids.iter().flat_map(|id| graph.find(id)).collect();
            (graph, Some(starts))
        }
        None => (whole, None),
    };
    if arguments.output != Format::Json {
        graph.findings.iter().for_each(|finding| terminal.report(finding, &opened.root));
    }
    let drawn = match arguments.output {
        Format::Text => text::of(&graph, starts.as_deref(), direction, terminal.color_stdout()),
        Format::Dot => dot::of(&graph),
        Format::Mermaid => mermaid::of(&graph),
        Format::Svg => svg::of(&graph),
        Format::Json => json::of(&graph),
    };
    terminal.print(drawn.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The submodules and their commits; none where this is no Git repository.
pub(super) fn services(root: &Utf8Path, world: &dyn World) -> Vec<Service> {
    let pins = LocalRepository::of(root).map(|git| git.pins_on_disk(world)).unwrap_or_default();
    pins.into_iter().map(|(path, commit): (Utf8PathBuf, String)| Service { path, commit }).collect()
}

fn wanted(graph: &Graph, target: &str) -> Result<Vec<usize>> {
    let found = graph.find(target);
    if !found.is_empty() {
        return Ok(found);
    }
    let error = Diagnostic::error("graph-no-such-node", format!("there is no `{target}` in this repository"));
    let names: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
    Err(match closest(target, names.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`onepane graph` shows everything that there is"),
    })
}

/// What a node is called where there is one line for it.
fn label(node: &Node) -> String {
    match node.detail.as_str() {
        "" => node.name.clone(),
        detail => format!("{} ({detail})", node.name),
    }
}
