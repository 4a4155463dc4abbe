//! `onepane why`: the chain of files and lines that gave a field its value.

use crate::commands::repository_secrets::RepositorySecrets;
use crate::commands::{OutputFormat, open};
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Span};
use onepane_repo::{Explanation, FieldPath, Repository, Step};
use std::fmt::Write;
use std::process::ExitCode;

/// What `onepane why` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A cluster's name, or the path of a group or any other folder with a kustomization
    cluster: String,
    /// KIND/NAME, or KIND/NAMESPACE/NAME
    resource: String,
    /// The field, as spec.template.spec.containers[name=api].image [default: all fields]
    field: Option<FieldPath>,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
}

/// Explains, and prints the chain.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let elsewhere = Elsewhere::of(&root, false);
    let secrets = RepositorySecrets::new(&root);
    let repository = elsewhere.reached(Repository::open(&world).map_err(&failure)?.with_outside(&secrets));
    let (kind, name) = arguments.resource.split_once('/').ok_or_else(|| {
        Diagnostic::error("why-resource", format!("`{}` is not KIND/NAME", arguments.resource))
            .hint("for example Deployment/api")
    })?;
    let unit = repository.unit(&arguments.cluster).map_err(&failure)?;
    let explanation = repository.why(&unit, kind, name, arguments.field.as_ref()).map_err(&failure)?;
    let text = match arguments.output {
        OutputFormat::Text => as_text(&explanation, terminal.color_stdout()),
        OutputFormat::Json => as_json(&explanation),
    };
    terminal.print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The chains; with `color`, the fields stand out and the lines of the files stand back.
fn as_text(explanation: &Explanation, color: bool) -> String {
    let [bold, dim, plain] = if color { ["\x1b[1m", "\x1b[2m", "\x1b[0m"] } else { [""; 3] };
    let mut text = format!("{} in {}\n", explanation.resource, explanation.unit);
    for trail in &explanation.trails {
        // A long value would bury the chain below it.
        let value: String = trail.value.lines().next().unwrap_or_default().chars().take(80).collect();
        let more = if value.len() < trail.value.trim_end().len() { " …" } else { "" };
        let places: Vec<String> = trail.steps.iter().map(place).collect();
        let width = places.iter().map(String::len).max().unwrap_or(0);
        let source = trail.source.map_or_else(String::new, |span| format!("  ← {}:{}", span.file.path(), span.line));
        writeln!(text, "\n{bold}{}: {value}{more}{plain}{source}", trail.field).expect("a string takes any text");
        for (step, place) in trail.steps.iter().zip(&places) {
            let note = step.note.as_ref().map_or_else(String::new, |note| format!(" [{note}]"));
            let line = step.line.as_deref().unwrap_or("");
            let row = format!("  {place:<width$}  {dim}{line}{note}{plain}");
            writeln!(text, "{}", row.trim_end()).expect("a string takes any text");
        }
    }
    text
}

fn place(step: &Step) -> String {
    let span = step.span.map_or_else(String::new, |span| format!(" {}:{}", span.file.path(), span.line));
    format!("{}{}{span}", "  ".repeat(step.depth), step.what)
}

fn as_json(explanation: &Explanation) -> String {
    let place =
        |span: Span| serde_json::json!({"file": span.file.path().as_str(), "line": span.line, "column": span.column});
    let step = |step: &Step| {
        serde_json::json!({
            "depth": step.depth, "step": step.what, "place": step.span.map(place), "note": step.note, "line": step.line,
        })
    };
    let fields: Vec<_> = explanation
        .trails
        .iter()
        .map(|trail| {
            let steps: Vec<_> = trail.steps.iter().map(step).collect();
            let source = trail.source.map(place);
            serde_json::json!({"field": trail.field, "value": trail.value, "source": source, "steps": steps})
        })
        .collect();
    let report =
        serde_json::json!({"unit": explanation.unit.as_str(), "resource": explanation.resource, "fields": fields});
    format!("{report:#}\n")
}
