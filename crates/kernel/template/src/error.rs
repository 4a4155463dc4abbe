//! Errors of parsing and execution, in Go's words and with onepane's places.

use onepane_diagnostics::{Diagnostic, Span};
use std::fmt;

/// An error in a template.
#[derive(Clone, Debug)]
pub struct Error {
    /// Go's own text: `template: chart/templates/x.yaml:3:4: executing "…" at <…>: …`.
    pub message: String,
    /// What went wrong without the places in front.
    pub cause: String,
    /// The innermost place.
    pub span: Option<Span>,
    /// The includes that led there, innermost first: what was called, and where.
    pub trace: Vec<(String, Option<Span>)>,
}

impl Error {
    /// The same as a finding.
    pub fn into_diagnostic(self, code: &'static str) -> Box<Diagnostic> {
        let mut diagnostic = Diagnostic::error(code, self.cause);
        if let Some(span) = self.span {
            diagnostic = diagnostic.at(span);
        }
        for (message, span) in self.trace {
            diagnostic = diagnostic.trace(message, span);
        }
        diagnostic
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
