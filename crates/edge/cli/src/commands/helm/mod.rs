//! `onepane helm`: the drop-in. Helm's own command line, output and exit codes.

mod caller;
mod cluster;
mod command;
mod completion;
mod create;
mod dependency;
mod dependency_update;
mod diff;
mod diff_lines;
mod diff_manifests;
mod diff_report;
mod diff_secrets;
mod dry_run;
mod env;
mod flags;
mod for_helmfile;
mod get;
mod get_all;
mod get_metadata;
mod get_values;
mod help;
mod history;
mod install;
mod lint;
mod list;
mod listing;
mod location;
mod namespace;
mod network;
mod output;
mod package;
mod package_sign;
mod plugin_list;
mod plugins;
mod post_renderer;
mod pull;
mod push;
mod registry_login;
mod registry_logout;
mod release_chart;
mod release_flags;
mod release_output;
mod rendering;
mod repo_add;
mod repo_index;
mod repo_list;
mod repo_remove;
mod repo_update;
mod resource_tables;
mod rollback;
mod search_hub;
mod search_repo;
mod show;
mod status;
mod table;
mod template;
mod test;
mod uninstall;
mod upgrade;
mod values;
mod verify;
mod version;

pub(crate) use for_helmfile::{
    Listed, Printed, add_repository_for_helmfile, build_dependencies_for_helmfile, diff_for_helmfile,
    lint_for_helmfile, list_for_helmfile, login_for_helmfile, pull_for_helmfile, render_files_for_helmfile,
    render_for_helmfile, status_for_helmfile, test_for_helmfile, uninstall_for_helmfile,
    update_dependencies_for_helmfile, upgrade_for_helmfile, version_for_helmfile,
};
pub(crate) use pull::pull_for_kustomize;
pub(crate) use table::table;

use crate::arguments::ColorChoice;
use crate::redaction::redacted;
use crate::terminal::Terminal;
use camino::Utf8PathBuf;
use onepane_diagnostics::{Diagnostic, Severity};
use onepane_world::{OsWorld, World};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Why a command failed: Helm's line for everyone and, where a file is to blame, the finding for people.
pub(crate) struct Failure {
    message: String,
    finding: Option<Box<Diagnostic>>,
    /// Whether the finding is shown behind Helm's line: by default where a person looks at it.
    is_shown: bool,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, finding: None, is_shown: false }
    }
}

impl From<Box<Diagnostic>> for Failure {
    fn from(finding: Box<Diagnostic>) -> Self {
        Self { message: finding.message.clone(), finding: Some(finding), is_shown: std::io::stderr().is_terminal() }
    }
}

/// Runs with the arguments behind `helm`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    match command::dispatch(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            ExitCode::FAILURE
        }
    }
}

impl Failure {
    /// Helm's line.
    pub(crate) fn line(&self) -> String {
        redacted(&format!("Error: {}", self.message))
    }

    /// Says what failed, on stderr.
    pub(crate) fn report(self) {
        self.report_behind("");
    }

    /// The same with words before Helm's line.
    pub(crate) fn report_behind(self, before: &str) {
        eprintln!("{before}{}", self.line());
        let placed = self.finding.filter(|finding| finding.primary.is_some());
        if let Some(finding) = placed.filter(|_| self.is_shown) {
            eprintln!();
            Terminal::new(ColorChoice::Auto).report(&finding, ".".into());
        }
    }
}

/// The files of this machine, paths being relative to the current folder.
fn world() -> Result<OsWorld, Failure> {
    Ok(OsWorld::unrestricted(current_folder()?))
}

/// The current folder under the name that the shell has for it, as Go gives it.
pub(crate) fn current_folder() -> Result<Utf8PathBuf, Failure> {
    #[cfg(unix)]
    if let Some(named) = std::env::var("PWD").ok().filter(|path| path.starts_with('/')) {
        use std::os::unix::fs::MetadataExt;
        let place = |path: &str| std::fs::metadata(path).ok().map(|entry| (entry.dev(), entry.ino()));
        if place(&named).is_some_and(|named| Some(named) == place(".")) {
            return Ok(named.into());
        }
    }
    let folder = std::env::current_dir().map_err(|error| format!("the current folder can't be read: {error}"))?;
    Ok(Utf8PathBuf::try_from(folder).map_err(|error| format!("the current folder is no UTF-8 path: {error}"))?)
}

/// `SOURCE_DATE_EPOCH`: the time that files in archives get, in seconds since 1970.
fn source_date_epoch(world: &dyn World) -> Result<Option<u64>, Failure> {
    let Some(text) = world.env("SOURCE_DATE_EPOCH").filter(|text| !text.is_empty()) else { return Ok(None) };
    let seconds = text.parse();
    Ok(Some(seconds.map_err(|_| format!("invalid SOURCE_DATE_EPOCH: {text:?} is no number of seconds since 1970"))?))
}

/// Writes to stdout. That nobody reads any more is no failure of ours.
fn print(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

/// A line as Helm's logger writes it.
fn log(severity: Severity, message: &str) {
    eprintln!("{}", redacted(&message_line(severity, message)));
}

fn message_line(severity: Severity, message: &str) -> String {
    let level = match severity {
        Severity::Note => "INFO",
        Severity::Warning if message.starts_with("warning:") => "INFO",
        Severity::Warning => "WARN",
        Severity::Error => "ERROR",
    };
    format!("level={level} msg={message:?}")
}

/// The same with more behind it, quoted where the logger would.
fn log_with(severity: Severity, message: &str, fields: &[(&str, String)]) {
    let mut line = message_line(severity, message);
    for (name, value) in fields {
        let plain =
            !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c.is_control() || "\"=".contains(c));
        line += &if plain { format!(" {name}={value}") } else { format!(" {name}={value:?}") };
    }
    eprintln!("{}", redacted(&line));
}

/// Takes warnings and writes each of them once: coalescing passes over the same values more than once.
fn log_once() -> impl FnMut(Diagnostic) {
    let mut warned = Vec::new();
    move |diagnostic: Diagnostic| {
        if !warned.contains(&diagnostic.message) {
            log(diagnostic.severity, &diagnostic.message);
            warned.push(diagnostic.message);
        }
    }
}
