//! `helm lint`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, VALUES, flag};
use super::namespace::namespace;
use super::values::{capabilities, given_values};
use super::{Failure, current_folder, log_with, print, world};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{Compat, unpack};
use onepane_helm::{Finding, LintOptions, Schemas, Severity, lint};
use onepane_template::Demand;
use onepane_value::{Map, Text};
use onepane_world::{EntryKind, MemoryWorld, ReadErrorReason, World};

pub(super) const COMMAND: Command = Command {
    path: &["lint"],
    aliases: &[],
    usage: "PATH",
    about: "look for what is wrong with a chart, or unwise",
    flags: &[FLAGS, VALUES],
    arguments: Arguments::AtLeast(1),
    run,
};

const FLAGS: &[Flag] = &[
    flag("kube-version", Kind::Text, "the version of Kubernetes in .Capabilities.KubeVersion, and for deprecations"),
    flag("quiet", Kind::Bool, "print warnings and errors only"),
    flag("skip-schema-validation", Kind::Bool, "don't hold values against values.schema.json"),
    flag("strict", Kind::Bool, "warnings fail too"),
    flag("with-subcharts", Kind::Bool, "the charts below charts/ too"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let (printed, outcome) = linted(flags, &world()?)?;
    print(&printed);
    outcome
}

/// What it prints, and whether it found something that it fails for.
pub(super) fn linted(flags: &Parsed, world: &dyn World) -> Result<(Vec<u8>, Result<(), Failure>), Failure> {
    let capabilities = capabilities(flags, Compat::Helm4)?;
    let mut paths = flags.arguments.clone();
    if flags.is_set("with-subcharts") {
        for path in &flags.arguments {
            subcharts(&onepane_world::normalize(&Utf8Path::new(path).join("charts")), world, 0, &mut paths);
        }
    }
    let skipped = flags.is_set("skip-schema-validation");
    let options = LintOptions {
        namespace: namespace(flags, world),
        capabilities,
        schemas: if skipped { Schemas::Skipped } else { Schemas::Checked },
    };
    let given = given_values(flags, Compat::Helm4, world)?;
    let intolerable = if flags.is_set("strict") { Severity::Warning } else { Severity::Error };
    let quiet = flags.is_set("quiet");
    let (mut text, mut failed, mut worth_a_word) = (String::new(), 0, false);
    for path in &paths {
        let (findings, error) = match lint_at(path, &given, &options, world) {
            Ok(findings) => (findings, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let notable = error.is_some() || findings.iter().any(|finding| finding.severity > Severity::Info);
        worth_a_word |= notable;
        failed += usize::from(error.is_some() || findings.iter().any(|finding| finding.severity >= intolerable));
        if quiet && !notable {
            continue;
        }
        text += &format!("==> Linting {path}\n");
        if let Some(error) = error {
            text += &format!("Error {error}\n");
        }
        for finding in findings.iter().filter(|finding| !quiet || finding.severity > Severity::Info) {
            text += &format!("{finding}\n");
        }
        text.push('\n');
    }
    let summary = format!("{} chart(s) linted, {failed} chart(s) failed", paths.len());
    if failed > 0 {
        return Ok((text.into_bytes(), Err(summary.into())));
    }
    if !quiet || worth_a_word {
        text += &format!("{summary}\n");
    }
    Ok((text.into_bytes(), Ok(())))
}

/// Lints a folder or an archive.
fn lint_at(path: &str, given: &Map, options: &LintOptions, world: &dyn World) -> Result<Vec<Finding>, String> {
    let no_definition = |folder: &Utf8Path| {
        let problem =
            if world.kind(folder) == Some(EntryKind::File) { "not a directory" } else { "no such file or directory" };
        format!("unable to check Chart.yaml file in chart: stat {folder}/Chart.yaml: {problem}")
    };
    if !path.ends_with(".tgz") && !path.ends_with(".tar.gz") {
        let shown = onepane_world::normalize(Utf8Path::new(path));
        if world.kind(&shown.join("Chart.yaml")).is_none() {
            return Err(no_definition(&shown));
        }
        let folder = current_folder().map_err(|failure| failure.message)?.join(&shown);
        return Ok(lint(&onepane_world::normalize(&folder), given, options, world, &tell));
    }
    let bytes = world.read(path.into()).map_err(|error| match error.reason {
        ReadErrorReason::Absent => format!("unable to open tarball: open {path}: no such file or directory"),
        _ => format!("unable to open tarball: {error}"),
    })?;
    let files = unpack(path.into(), &bytes).map_err(|error| {
        // What Go says of the header of a gzip stream.
        let message = match bytes.len() {
            0 => "EOF",
            1..10 => "unexpected EOF",
            _ if !bytes.starts_with(b"\x1F\x8B") => "gzip: invalid header",
            _ => &error.message,
        };
        format!("unable to extract tarball: {message}")
    })?;
    // The archive's files lie below a folder of its name, in memory.
    let folder = Utf8PathBuf::from(path.trim_end_matches(".gz").trim_end_matches(".tar").trim_end_matches(".tgz"));
    let mut unpacked = MemoryWorld::new();
    for (name, contents) in files {
        unpacked = unpacked.with(folder.join(name), contents);
    }
    if unpacked.kind(&folder.join("Chart.yaml")).is_none() {
        return Err(no_definition(&folder));
    }
    Ok(lint(&folder, given, options, &unpacked, &tell))
}

/// A line of Helm's log.
fn tell(demand: Demand, message: &Text) {
    let (severity, problem) = match demand {
        Demand::Value => (onepane_diagnostics::Severity::Warning, "missing required value"),
        Demand::Text => (onepane_diagnostics::Severity::Warning, "missing required values"),
        Demand::Nothing => (onepane_diagnostics::Severity::Note, "funcMap fail"),
    };
    log_with(severity, problem, &[("message", message.to_str().into_owned())]);
}

/// The charts and archives below a folder, in the order of their paths.
fn subcharts(folder: &Utf8Path, world: &dyn World, depth: usize, found: &mut Vec<String>) {
    const DEEPEST: usize = 64;
    let mut entries = world.list(folder).unwrap_or_default();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    for entry in entries {
        let path = folder.join(&entry.name);
        if entry.kind == EntryKind::Folder {
            if depth < DEEPEST {
                subcharts(&path, world, depth + 1, found);
            }
        } else if entry.name == "Chart.yaml" {
            found.push(folder.to_string());
        } else if entry.name.ends_with(".tgz") || entry.name.ends_with(".tar.gz") {
            found.push(path.into_string());
        }
    }
}
