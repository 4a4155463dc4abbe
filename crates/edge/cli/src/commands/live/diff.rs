//! `onepane diff`: what an apply would change on a cluster.

use super::{ClusterArguments, as_text};
use crate::commands::plan::{ReportArguments, difference};
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_deploy::Difference;
use onepane_diagnostics::Diagnostic;
use onepane_plan::{Manifest, Name, changes};
use serde_json::Value;
use std::process::ExitCode;

/// What `onepane diff` takes.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0, 1 where the cluster would refuse something or has fields that others have set, 2 with \
                        `--exit-code` where something would change, 3 where something of `--fail-on` follows."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    of: ClusterArguments,
    #[command(flatten)]
    report: ReportArguments,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
}

/// Builds, asks the cluster what it would make of it, and tells what would change.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let of = &arguments.of;
    let (place, objects) = of.objects(terminal, directory, arguments.offline, |repository| of.place(repository))?;
    let warn = |event: &onepane_deploy::Event| {
        terminal.report(&Diagnostic::error("live-refused", as_text(event).trim_end()), Utf8Path::new(""));
    };
    let (differences, failed) = of.on_set(&place, warn, async |engine| engine.differences(objects).await)?;
    let side = |side: fn(&Difference) -> Option<&Value>| -> Vec<Manifest> {
        differences.iter().filter_map(side).map(manifest).collect()
    };
    let changes = changes(&side(|one| one.before.as_ref()), &side(|one| one.after.as_ref()))?;
    let plan = difference(["the cluster", "the files on disk"], Utf8Path::new(&of.cluster), changes);
    let outcome = arguments.report.print(terminal, plan)?;
    Ok(if failed > 0 { ExitCode::FAILURE } else { outcome })
}

fn manifest(object: &Value) -> Manifest {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = Name {
        api_version: text("/apiVersion"),
        kind: text("/kind"),
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name"),
    };
    // JSON is YAML.
    Manifest { name, yaml: object.to_string() }
}
