//! `onepane find`: the resources of all clusters that terms are true of.

use super::OutputFormat;
use super::fleet::{Fleet, columns, wrong};
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_find::{Found, Query, hosts};
use onepane_resource::images;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What `onepane find` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// `KEY=PATTERN`, `KEY!=PATTERN`, `KEY>NUMBER`, `label:KEY`, or a word that names contain; `!` in front for the
    /// opposite. Keys: kind, name, namespace, cluster, image, host, api, release, chart, file, label:KEY,
    /// annotation:KEY, and paths of fields such as spec.replicas. Patterns have `*` and `?`; all terms must hold
    #[arg(required = true, value_name = "TERM")]
    terms: Vec<String>,
    /// Only these clusters, or folders with a kustomization; again for more
    #[arg(long = "cluster", value_name = "CLUSTER")]
    clusters: Vec<String>,
    /// Show the files that they come from
    #[arg(long)]
    files: bool,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
}

/// Builds, looks, and prints a row a hit. Finding nothing is no failure; not having seen every cluster is.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let hint = "for example `onepane find kind=Ingress host=*.example.com`; see `onepane find --help`";
    let query = Query::parse(&arguments.terms).map_err(|message| wrong("find-term", message, hint))?;
    let fleet = Fleet::build(terminal, directory, &arguments.clusters, arguments.offline)?;
    let found: Vec<Found<'_>> = fleet.resources().filter(|found| query.matches(found)).collect();
    let text = match arguments.output {
        OutputFormat::Text => table(&found, arguments.files),
        OutputFormat::Json => format!("{:#}\n", Value::Array(found.iter().map(as_json).collect())),
    };
    terminal.print(text.as_bytes())?;
    Ok(if fleet.is_partial { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Where the resources are, and with `files` what they come from.
pub(super) fn table(found: &[Found<'_>], files: bool) -> String {
    if found.is_empty() {
        return "nothing is found\n".to_owned();
    }
    let cells = |found: &Found<'_>| {
        let resource = found.resource;
        [found.cluster, resource.kind(), resource.namespace(), resource.name()].map(str::to_owned)
    };
    let file = |found: &Found<'_>| found.file.map_or_else(String::new, Utf8Path::to_string);
    if files {
        let rows: Vec<[String; 5]> = found
            .iter()
            .map(|found| {
                let [cluster, kind, namespace, name] = cells(found);
                [cluster, kind, namespace, name, file(found)]
            })
            .collect();
        return columns(["CLUSTER", "KIND", "NAMESPACE", "NAME", "FILE"], &rows);
    }
    columns(["CLUSTER", "KIND", "NAMESPACE", "NAME"], &found.iter().map(cells).collect::<Vec<_>>())
}

/// What a resource is and where; nothing of what it holds but images and hosts.
pub(super) fn as_json(found: &Found<'_>) -> Value {
    let resource = found.resource;
    json!({
        "cluster": found.cluster,
        "apiVersion": resource.api_version(),
        "kind": resource.kind(),
        "namespace": resource.namespace(),
        "name": resource.name(),
        "images": images(resource.node()),
        "hosts": hosts(resource),
        "release": found.release,
        "chart": found.chart,
        "file": found.file.map(Utf8Path::as_str),
    })
}
