//! What goes to the user: findings and progress on stderr, with or without colour.

use crate::arguments::ColorChoice;
use crate::redaction::redacted;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use onepane_diagnostics::{Diagnostic, FileId, render_full};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// Why a command did not succeed.
pub(crate) enum Failure {
    /// Findings to show, with the folder that their relative paths start at.
    Found(Vec<Diagnostic>, camino::Utf8PathBuf),
    /// A finding that is shown without lines of the file it is about: these may be secret.
    WithoutExcerpts(Box<Diagnostic>),
    /// Nobody reads the output any more, as in `onepane build | head`.
    OutputClosed,
}

impl From<Box<Diagnostic>> for Failure {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self::Found(vec![*diagnostic], camino::Utf8PathBuf::new())
    }
}

impl Failure {
    /// What is wrong with a plain text that is to be encrypted, or was.
    pub(crate) fn without_excerpts(diagnostic: Box<Diagnostic>) -> Self {
        Self::WithoutExcerpts(diagnostic)
    }

    /// The code of the first finding.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Found(diagnostics, _) => diagnostics.first().map(|first| first.code),
            Self::WithoutExcerpts(diagnostic) => Some(diagnostic.code),
            Self::OutputClosed => None,
        }
    }

    /// What went wrong, in a line.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Found(diagnostics, _) => diagnostics.first().map(|first| first.message.clone()).unwrap_or_default(),
            Self::WithoutExcerpts(diagnostic) => diagnostic.message.clone(),
            Self::OutputClosed => "nobody reads it any more".to_owned(),
        }
    }

    /// The same findings, about files below `folder`.
    pub(crate) fn below(folder: &camino::Utf8Path) -> impl Fn(Box<Diagnostic>) -> Self {
        move |diagnostic| Self::Found(vec![*diagnostic], folder.to_owned())
    }
}

/// A text without what moves the cursor of a terminal: what a container prints may be meant for another one.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// stdout and stderr, and whether they take colour.
pub(crate) struct Terminal {
    color_stdout: bool,
    color_stderr: bool,
}

impl Terminal {
    /// Decides on colour: `choice`, then `NO_COLOR`, then whether it is a terminal.
    pub(crate) fn new(choice: ColorChoice) -> Self {
        let color = |is_terminal: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        Self {
            color_stdout: color(std::io::stdout().is_terminal()),
            color_stderr: color(std::io::stderr().is_terminal()),
        }
    }

    /// Whether stdout takes colour.
    pub(crate) fn color_stdout(&self) -> bool {
        self.color_stdout
    }

    /// Writes data to stdout.
    pub(crate) fn print(&self, data: &[u8]) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(data).and_then(|()| stdout.flush()).map_err(|_| Failure::OutputClosed)
    }

    /// Says something that was asked for beside the data.
    pub(crate) fn note(&self, text: &str) {
        eprintln!("{text}");
    }

    /// Shows a finding, with the source line where the file can still be read.
    pub(crate) fn report(&self, diagnostic: &Diagnostic, folder: &camino::Utf8Path) {
        let source = |file: FileId| -> Option<Arc<str>> {
            std::fs::read_to_string(folder.join(file.path())).ok().map(Into::into)
        };
        eprintln!("{}", redacted(&render_full(diagnostic, &source, self.color_stderr)));
    }

    /// Reports what failed, and the exit code for it.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        match failure {
            Failure::OutputClosed => {}
            Failure::WithoutExcerpts(diagnostic) => {
                eprintln!("{}", redacted(&render_full(diagnostic, &|_| None, self.color_stderr)));
            }
            Failure::Found(diagnostics, folder) => {
                diagnostics.iter().for_each(|diagnostic| self.report(diagnostic, folder));
            }
        }
        ExitCode::FAILURE
    }

    /// A bar for `steps` steps of work; drawn on a terminal only, and gone when it is dropped.
    pub(crate) fn progress(&self, steps: usize, what: &'static str) -> ProgressBar {
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(what);
        bar
    }
}
