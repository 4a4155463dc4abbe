//! `onepane why`: the chain of files and lines that gave a field its value.

use crate::commands::OutputFormat;
use crate::commands::opened::Opened;
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Span};
use onepane_git::{Blame, LastTouch, LocalRepository};
use onepane_repo::{Explanation, FieldPath, Step};
use onepane_world::World;
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
    /// Tell which commit touched each line last, and whose it is
    #[arg(long)]
    commits: bool,
}

/// Tells what touched a line last.
type LastTouchOf<'a> = dyn FnMut(Span) -> Option<LastTouch> + 'a;

/// Explains, and prints the chain.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let opened = Opened::at(directory, false)?;
    let (repository, failure) = (opened.repository()?, opened.failure());
    let (kind, name) = arguments.resource.split_once('/').ok_or_else(|| {
        Diagnostic::error("why-resource", format!("`{}` is not KIND/NAME", arguments.resource))
            .hint("for example Deployment/api")
    })?;
    let unit = repository.unit(&arguments.cluster).map_err(&failure)?;
    let explanation = repository.why(&unit, kind, name, arguments.field.as_ref()).map_err(&failure)?;
    let git = if arguments.commits { Some(LocalRepository::of(&opened.root)?) } else { None };
    let mut blame = git.as_ref().map(Blame::new);
    let mut touched = |span: Span| {
        let path = span.file.path();
        blame.as_mut()?.line(path, span.line, &opened.world.read(path).ok()?)
    };
    let text = match arguments.output {
        OutputFormat::Text => as_text(&explanation, terminal.color_stdout(), &mut touched),
        OutputFormat::Json => as_json(&explanation, &mut touched),
    };
    terminal.print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The chains; with `color`, the fields stand out and the lines of the files stand back.
fn as_text(explanation: &Explanation, color: bool, touched: &mut LastTouchOf<'_>) -> String {
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
            let touch = match step.span.and_then(&mut *touched) {
                Some(LastTouch::Commit { commit, author, date }) => {
                    format!("  ({} {author}, {date}: {})", commit.short(), commit.title)
                }
                Some(LastTouch::Uncommitted) => "  (not committed)".to_owned(),
                None => String::new(),
            };
            let row = format!("  {place:<width$}  {dim}{line}{note}{touch}{plain}");
            writeln!(text, "{}", row.trim_end()).expect("a string takes any text");
        }
    }
    text
}

fn place(step: &Step) -> String {
    let span = step.span.map_or_else(String::new, |span| format!(" {}:{}", span.file.path(), span.line));
    format!("{}{}{span}", "  ".repeat(step.depth), step.what)
}

fn as_json(explanation: &Explanation, touched: &mut LastTouchOf<'_>) -> String {
    let place =
        |span: Span| serde_json::json!({"file": span.file.path().as_str(), "line": span.line, "column": span.column});
    let mut step = |step: &Step| {
        let mut json = serde_json::json!({
            "depth": step.depth, "step": step.what, "place": step.span.map(place), "note": step.note, "line": step.line,
        });
        json["lastTouch"] = match step.span.and_then(&mut *touched) {
            Some(LastTouch::Commit { commit, author, date }) => {
                serde_json::json!({"commit": commit.id, "title": commit.title, "author": author, "date": date})
            }
            Some(LastTouch::Uncommitted) => serde_json::json!({"commit": null}),
            None => return json,
        };
        json
    };
    let fields: Vec<_> = explanation
        .trails
        .iter()
        .map(|trail| {
            let steps: Vec<_> = trail.steps.iter().map(&mut step).collect();
            let source = trail.source.map(place);
            serde_json::json!({"field": trail.field, "value": trail.value, "source": source, "steps": steps})
        })
        .collect();
    let report =
        serde_json::json!({"unit": explanation.unit.as_str(), "resource": explanation.resource, "fields": fields});
    format!("{report:#}\n")
}
