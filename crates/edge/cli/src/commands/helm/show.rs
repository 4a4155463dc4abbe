//! `helm show`: what is in a chart, as it is.

use super::command::{Arguments, Command};
use super::flags::{CHART_LOCATION, DEVELOPMENT, Flag, Kind, Parsed, SERVER, flag};
use super::location::locate;
use super::{Failure, log, print, world};
use crate::jsonpath::Template;
use onepane_chart::{Chart, File, Origins, load};
use onepane_diagnostics::Severity;

pub(super) const ALL: Command = command(&["show", "all"], "print all of it", |flags| run(flags, &ALL_PARTS));
pub(super) const CHART: Command =
    command(&["show", "chart"], "print its definition, Chart.yaml", |flags| run(flags, &[Part::Chart]));
pub(super) const CRDS: Command =
    command(&["show", "crds"], "print its custom resource definitions", |flags| run(flags, &[Part::Crds]));
pub(super) const README: Command =
    command(&["show", "readme"], "print its README", |flags| run(flags, &[Part::Readme]));
pub(super) const VALUES: Command = Command {
    flags: &[SERVER, CHART_LOCATION, DEVELOPMENT, JSON_PATH],
    ..command(&["show", "values"], "print its default values", |flags| run(flags, &[Part::Values]))
};

const JSON_PATH: &[Flag] =
    &[flag("jsonpath", Kind::Text, "what to print of the values: a template as kubectl has them")];

const fn command(
    path: &'static [&'static str],
    about: &'static str,
    run: fn(&Parsed) -> Result<(), Failure>,
) -> Command {
    Command {
        path,
        aliases: &[],
        usage: "[CHART]",
        about,
        flags: &[SERVER, CHART_LOCATION, DEVELOPMENT],
        arguments: Arguments::Exactly(1),
        run,
    }
}

/// What of a chart is printed.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Chart,
    Values,
    Readme,
    Crds,
}

const ALL_PARTS: [Part; 4] = [Part::Chart, Part::Values, Part::Readme, Part::Crds];

fn run(flags: &Parsed, parts: &[Part]) -> Result<(), Failure> {
    let world = world()?;
    let path = locate(flags, &flags.arguments[0], &world)?;
    let chart = load(&path, &world, Origins::Untracked, &mut |warning| {
        log(warning.severity, &warning.message);
    })?;
    if let Some(path) = flags.text("jsonpath").filter(|path| !path.is_empty()) {
        let template = Template::parse(path).map_err(|error| format!("error parsing jsonpath {path}: {error}"))?;
        // Helm prints nothing then, and does not fail.
        let printed = template.print(&chart.values.clone().into()).unwrap_or_else(|problem| {
            log(Severity::Warning, &format!("--jsonpath printed nothing: {problem}"));
            Vec::new()
        });
        print(&printed);
        return Ok(());
    }
    let mut out = Vec::new();
    let among_others = parts.len() > 1;
    for part in parts {
        add(&mut out, &chart, *part, among_others)?;
    }
    print(&out);
    Ok(())
}

fn add(out: &mut Vec<u8>, chart: &Chart, part: Part, among_others: bool) -> Result<(), Failure> {
    let mut document = |bytes: &[u8], separated: bool| {
        if separated {
            out.extend_from_slice(b"---\n");
        }
        out.extend_from_slice(bytes);
        out.push(b'\n');
    };
    match part {
        Part::Chart => document(chart.metadata.to_yaml()?.as_bytes(), false),
        Part::Values => {
            if let Some(file) = &chart.values_file {
                document(file.bytes(), among_others);
            }
        }
        Part::Readme => {
            let is_readme = |file: &&File| {
                ["readme.md", "readme.txt", "readme"].iter().any(|name| file.name.eq_ignore_ascii_case(name))
            };
            if let Some(file) = chart.files.iter().find(is_readme) {
                document(file.bytes(), among_others);
            }
        }
        Part::Crds => {
            for (_, file) in chart.crds() {
                document(file.bytes(), !file.bytes().starts_with(b"---"));
            }
        }
    }
    Ok(())
}
