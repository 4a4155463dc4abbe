//! `onepane check`: values that no template reads.

use crate::commands::repository_secrets::RepositorySecrets;
use crate::commands::{OutputFormat, open};
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{Origins, load};
use onepane_check::{Checked, unread_by_all};
use onepane_diagnostics::{Diagnostic, Severity, render_concise, render_json};
use onepane_repo::Repository;
use onepane_world::OsWorld;
use rayon::prelude::*;
use std::process::ExitCode;

/// What `onepane check` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Charts, or repositories whose releases are checked with the values files they name [default: the repository]
    paths: Vec<Utf8PathBuf>,
    /// A values file that the charts are given; may be repeated
    #[arg(short = 'f', long = "values", value_name = "FILE")]
    values: Vec<Utf8PathBuf>,
    /// The environment of the state file
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    environment: String,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
}

/// What was looked at and found. Only what stands in values files that were given makes the command fail.
#[derive(Default)]
struct Report {
    charts: usize,
    files: usize,
    given: Vec<Diagnostic>,
    of_charts: Vec<Diagnostic>,
    beyond: usize,
}

/// Checks, and prints the findings with the places of the keys.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let is_chart = |path: &Utf8Path| path.is_file() || path.join("Chart.yaml").is_file();
    let (charts, repositories): (Vec<&Utf8PathBuf>, Vec<&Utf8PathBuf>) =
        arguments.paths.iter().partition(|path| is_chart(path));
    let mut report = Report::default();
    if !charts.is_empty() {
        check_charts(&charts, &arguments.values, &mut report)?;
    } else if !arguments.values.is_empty() {
        let message = "`--values` is for charts: name the chart that is given these values";
        return Err(Diagnostic::error("check-values", message).into());
    }
    for path in repositories {
        if !path.exists() {
            return Err(Diagnostic::error("check-not-found", format!("there is no chart or folder `{path}`")).into());
        }
        check_repository(terminal, Some(path), arguments, &mut report)?;
    }
    if arguments.paths.is_empty() {
        check_repository(terminal, directory, arguments, &mut report)?;
    }
    report.print(terminal, arguments.output)?;
    Ok(if report.given.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_charts(charts: &[&Utf8PathBuf], values: &[Utf8PathBuf], report: &mut Report) -> Result<(), Failure> {
    let current = std::env::current_dir().ok().and_then(|folder| Utf8PathBuf::try_from(folder).ok());
    let world = OsWorld::unrestricted(current.unwrap_or_else(|| ".".into()));
    let check = |path: &&Utf8PathBuf| {
        let chart = load(path, &world, Origins::Untracked, &mut |_| {})?;
        Checked::of(&chart, values, &world)
    };
    let checked = charts.iter().map(check).collect::<Result<Vec<_>, _>>()?;
    for one in &checked {
        report.of_charts.extend(one.handed_down.iter().map(|unread| *unread.to_diagnostic(Severity::Warning)));
        report.of_charts.extend(one.own.iter().map(|unread| *unread.to_diagnostic(Severity::Note)));
    }
    report.add(&checked);
    Ok(())
}

/// Checks the installed releases of the repository that holds `directory`.
fn check_repository(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
    report: &mut Report,
) -> Result<(), Failure> {
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let secrets = RepositorySecrets::new(&root);
    let repository = Repository::open(&world).map_err(&failure)?.with_outside(&secrets);
    let state = || repository.state(&arguments.environment);
    let installed = state().map_err(&failure)?.releases.into_iter().filter(|release| release.installed);
    let names: Vec<String> = installed.map(|release| release.name).collect();
    let bar = terminal.progress(names.len(), "checking");
    // Values belong to their thread, so each worker reads the state for itself.
    let check = |state: &mut onepane_diagnostics::Result<onepane_helmfile::State>, name: &String| {
        let state = state.as_ref().map_err(Clone::clone)?;
        let checked = match state.releases.iter().find(|release| release.name == *name) {
            Some(release) => repository.check(release)?,
            None => Checked::default(),
        };
        bar.inc(1);
        Ok(checked)
    };
    let checked: Result<Vec<_>, Box<Diagnostic>> = names.par_iter().map_init(state, check).collect();
    bar.finish_and_clear();
    report.add(&checked.map_err(&failure)?);
    Ok(())
}

impl Report {
    fn add(&mut self, checked: &[Checked]) {
        self.charts += checked.len();
        let mut files: Vec<_> = checked.iter().flat_map(|one| &one.files).collect();
        files.sort();
        files.dedup();
        self.files += files.len();
        self.given.extend(unread_by_all(checked).iter().map(|unread| *unread.to_diagnostic(Severity::Warning)));
        self.beyond += checked.iter().filter(|one| one.is_beyond).count();
    }

    fn print(&self, terminal: &Terminal, output: OutputFormat) -> Result<(), Failure> {
        if output == OutputFormat::Json {
            let report = serde_json::json!({
                "charts": self.charts,
                "files": self.files,
                "beyond": self.beyond,
                "given": self.given.iter().map(render_json).collect::<Vec<_>>(),
                "charts_own": self.of_charts.iter().map(render_json).collect::<Vec<_>>(),
            });
            return terminal.print(format!("{report:#}\n").as_bytes());
        }
        let mut text = String::new();
        for finding in self.given.iter().chain(&self.of_charts) {
            // A line each and none of the file's: what stands in values may be secret.
            text.push_str(&format!("{}\n", render_concise(finding)));
            finding.hints.iter().for_each(|hint| text.push_str(&format!("    {hint}\n")));
        }
        let outcome = match (self.given.len(), self.of_charts.len()) {
            (0, 0) => "everything is read".to_owned(),
            (given, 0) => format!("{given} unread"),
            (given, own) => format!("{given} unread, and {own} in the charts' own values"),
        };
        let beyond = match self.beyond {
            0 => String::new(),
            beyond => format!("; {} can't be followed", counted(beyond, "chart")),
        };
        let (charts, files) = (counted(self.charts, "chart"), counted(self.files, "values file"));
        text.push_str(&format!("{charts}, {files}, {outcome}{beyond}\n"));
        terminal.print(text.as_bytes())
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
