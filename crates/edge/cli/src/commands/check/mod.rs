//! `onepane check`: what is wrong with a repository, at the lines that have to be changed.
//!
//! [`run`] gathers findings — of values files (`values`), of what the clusters build to (`clusters`), of the repository
//! itself (`repository`) — in a [`Report`], lets pass what is suppressed in the source or known from a baseline
//! (`passed`), mends what is certain (`fix`) and prints (`output`, one file a format). What is wrong is decided by
//! `kernel/rules` and its like.

mod clusters;
mod editor;
mod fix;
mod output;
mod passed;
mod report;
mod repository;
mod selection;
mod values;

pub(crate) use editor::EditorChecks;

use crate::commands::open;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Severity};
use onepane_rules::RULES;
use onepane_schema::KubernetesVersion;
use output::Format;
use report::Report;
use selection::Selection;
use std::process::ExitCode;

/// What `onepane check` takes.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 where nothing of the level of `--fail-on` is found, 1 where something is or can't be \
                        checked, 2 for a wrong command line.\n\nA finding is let be by a comment on its line or the one \
                        above: `# onepane:ignore CODE REASON`."
)]
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
    output: Format,
    /// Only these rules, also those that are off by default; `schema-*` for all that begin so
    #[arg(long = "rule", value_name = "CODE", value_delimiter = ',')]
    rules: Vec<String>,
    /// Without these rules
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    skip: Vec<String>,
    /// Also these rules, which are off by default, as `opinion-*`
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    with: Vec<String>,
    /// Print the rules and end
    #[arg(long)]
    list_rules: bool,
    /// Fail where something at least this bad is found
    #[arg(long, value_name = "LEVEL", default_value = "warning")]
    fail_on: Level,
    /// The version of Kubernetes of all clusters [default: what onepane.yaml says, else the newest that is known]
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<KubernetesVersion>,
    /// Let pass what this file lists
    #[arg(long, value_name = "FILE")]
    baseline: Option<Utf8PathBuf>,
    /// Write what is found to the file of `--baseline`, and let it pass from then on
    #[arg(long, requires = "baseline")]
    write_baseline: bool,
    /// Mend what is certain: misspelled fields and values, API versions that have the same fields
    #[arg(long)]
    fix: bool,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
}

/// From where on findings make the command fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Level {
    /// Never.
    Never,
    /// Errors only.
    Error,
    /// Warnings and errors.
    Warning,
    /// Whatever is found.
    Note,
}

impl Level {
    fn is_reached(self, severity: Severity) -> bool {
        match self {
            Self::Never => false,
            Self::Error => severity >= Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Note => true,
        }
    }
}

/// Checks, and prints the findings with their places.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    if arguments.list_rules {
        terminal.print(list_of_rules().as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let selection = Selection::new(&arguments.rules, &arguments.skip, &arguments.with)?;
    let mut report = Report::new(selection);
    let is_chart = |path: &Utf8Path| path.is_file() || path.join("Chart.yaml").is_file();
    let (charts, repositories): (Vec<&Utf8PathBuf>, Vec<&Utf8PathBuf>) =
        arguments.paths.iter().partition(|path| is_chart(path));
    if !charts.is_empty() {
        values::check_charts(&charts, &arguments.values, &mut report)?;
    } else if !arguments.values.is_empty() {
        let message = "`--values` is for charts: name the chart that is given these values";
        return Err(Diagnostic::error("check-values", message).into());
    }
    let mut roots = Vec::new();
    for path in repositories {
        if !path.exists() {
            return Err(Diagnostic::error("check-not-found", format!("there is no chart or folder `{path}`")).into());
        }
        roots.push(repository::check(terminal, Some(path), arguments, &mut report)?);
    }
    if arguments.paths.is_empty() {
        roots.push(repository::check(terminal, directory, arguments, &mut report)?);
    }
    report.sort();
    passed::let_pass(&roots, arguments, &mut report)?;
    if arguments.fix {
        for root in &roots {
            fix::fix(root, &mut report)?;
        }
    }
    let printed = output::of(&report, arguments.output, arguments.fail_on);
    terminal.print(crate::redaction::redacted(&printed).as_bytes())?;
    let fails =
        report.findings.iter().any(|finding| finding.counts && arguments.fail_on.is_reached(finding.severity()));
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn list_of_rules() -> String {
    let width = RULES.iter().map(|rule| rule.code.len()).max().unwrap_or(0);
    let line = |rule: &onepane_rules::Rule| {
        let off = if rule.is_on { "" } else { " (off by default)" };
        format!("{:<width$}  {:<7}  {}{off}\n", rule.code, rule.severity.name(), rule.summary)
    };
    RULES.iter().map(line).collect()
}
