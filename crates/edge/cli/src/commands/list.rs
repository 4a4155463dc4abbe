//! `onepane list`: what there is of one sort, and on which clusters.

use super::OutputFormat;
use super::find::{as_json, table};
use super::fleet::{Fleet, columns};
use super::graph::services;
use super::opened::Opened;
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_find::Found;
use onepane_resource::images;
use onepane_topology::{Direction, Graph, NodeKind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// What `onepane list` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to list
    #[arg(default_value = "clusters")]
    what: What,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// The clusters, with how much runs there.
    Clusters,
    /// The groups, and the clusters that have them.
    Groups,
    /// The components, likewise.
    Components,
    /// The charts, likewise.
    Charts,
    /// The releases, likewise.
    Releases,
    /// The submodules, likewise.
    Services,
    /// The images as they run, with their tags.
    Images,
    /// All resources.
    Resources,
}

/// Prints a row each.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let kind = match arguments.what {
        What::Groups => NodeKind::Group,
        What::Components => NodeKind::Component,
        What::Charts => NodeKind::Chart,
        What::Releases => NodeKind::Release,
        What::Services => NodeKind::Service,
        What::Clusters | What::Images | What::Resources => {
            let fleet = Fleet::build(terminal, directory, &[], arguments.offline)?;
            let text = match arguments.what {
                What::Clusters => clusters(&fleet, arguments.output),
                What::Images => running(&fleet, arguments.output),
                _ => {
                    let found: Vec<Found<'_>> = fleet.resources().collect();
                    match arguments.output {
                        OutputFormat::Text => table(&found, false),
                        OutputFormat::Json => lines(found.iter().map(as_json).collect()),
                    }
                }
            };
            terminal.print(text.as_bytes())?;
            return Ok(if fleet.is_partial { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
    };
    let opened = Opened::at(directory, arguments.offline)?;
    let repository = opened.repository()?;
    let graph = onepane_topology::map(&repository, &services(&opened.root, &opened.world));
    graph.findings.iter().for_each(|finding| terminal.report(finding, &opened.root));
    terminal.print(used(&graph, kind, arguments.output).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn lines(values: Vec<Value>) -> String {
    format!("{:#}\n", Value::Array(values))
}

/// What there is of a kind, and the clusters that it is on.
fn used(graph: &Graph, kind: NodeKind, output: OutputFormat) -> String {
    let of_kind = (0..graph.nodes.len()).filter(|node| graph.nodes[*node].kind == kind);
    let rows: Vec<_> = of_kind
        .map(|node| {
            let users = graph.reached(&[node], Direction::Up).nodes.into_iter();
            let clusters: Vec<String> =
                users.filter(|node| node.kind == NodeKind::Cluster).map(|node| node.name).collect();
            (&graph.nodes[node], clusters)
        })
        .collect();
    match output {
        OutputFormat::Text => {
            let rows: Vec<[String; 3]> = rows
                .into_iter()
                .map(|(node, clusters)| [node.name.clone(), node.detail.clone(), clusters.join(", ")])
                .collect();
            columns([&kind.name().to_uppercase(), "DETAIL", "CLUSTERS"], &rows)
        }
        OutputFormat::Json => {
            let row = |(node, clusters): (&onepane_topology::Node, Vec<String>)| {
                let path = node.path.as_ref().map(|path| path.as_str());
                json!({"name": node.name, "path": path, "detail": node.detail, "clusters": clusters})
            };
            lines(rows.into_iter().map(row).collect())
        }
    }
}

/// How much runs on each cluster.
fn clusters(fleet: &Fleet, output: OutputFormat) -> String {
    let rows = fleet.clusters.iter().map(|(name, built)| {
        let namespaces: BTreeSet<&str> = built.resources.iter().map(|resource| resource.namespace()).collect();
        let run: BTreeSet<&str> = built.resources.iter().flat_map(|resource| images(resource.node())).collect();
        let namespaces = namespaces.iter().filter(|namespace| !namespace.is_empty()).count();
        (name, [built.resources.len(), namespaces, run.len()])
    });
    match output {
        OutputFormat::Text => {
            let rows: Vec<[String; 4]> = rows
                .map(|(name, [resources, namespaces, images])| {
                    [name.clone(), resources.to_string(), namespaces.to_string(), images.to_string()]
                })
                .collect();
            columns(["CLUSTER", "RESOURCES", "NAMESPACES", "IMAGES"], &rows)
        }
        OutputFormat::Json => lines(
            rows.map(|(name, [resources, namespaces, images])| {
                json!({"name": name, "resources": resources, "namespaces": namespaces, "images": images})
            })
            .collect(),
        ),
    }
}

/// Every image that runs, and where.
fn running(fleet: &Fleet, output: OutputFormat) -> String {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (cluster, built) in &fleet.clusters {
        for image in built.resources.iter().flat_map(|resource| images(resource.node())) {
            found.entry(image).or_default().insert(cluster);
        }
    }
    match output {
        OutputFormat::Text => {
            let join = |clusters: BTreeSet<&str>| clusters.into_iter().collect::<Vec<_>>().join(", ");
            let rows: Vec<[String; 2]> =
                found.into_iter().map(|(image, clusters)| [image.to_owned(), join(clusters)]).collect();
            columns(["IMAGE", "CLUSTERS"], &rows)
        }
        OutputFormat::Json => {
            lines(found.into_iter().map(|(image, clusters)| json!({"image": image, "clusters": clusters})).collect())
        }
    }
}
