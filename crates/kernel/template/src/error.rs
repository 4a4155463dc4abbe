//! Errors of parsing and execution, in Go's words and with onepane's places.

use onepane_diagnostics::{Diagnostic, Origin, Span};
use onepane_value::Value;
use std::fmt;

/// An error in a template: one pointer, because all that is evaluated is either a value or one of these.
#[derive(Clone, Debug)]
pub struct Error(Box<ErrorParts>);

/// What an [`Error`] says.
#[derive(Clone, Debug)]
pub struct ErrorParts {
    /// Go's own text: `template: chart/templates/x.yaml:3:4: executing "…" at <…>: …`.
    pub message: String,
    /// What went wrong without the places in front.
    pub cause: String,
    /// The innermost place.
    pub span: Option<Span>,
    /// The includes that led there, innermost first: what was called, and where.
    pub trace: Vec<(String, Option<Span>)>,
    /// The values that it is about, where origins are on.
    pub subjects: Vec<Origin>,
}

impl std::ops::Deref for Error {
    type Target = ErrorParts;
    fn deref(&self) -> &ErrorParts {
        &self.0
    }
}

impl Error {
    /// An error in nothing that was called.
    pub(crate) fn new(message: String, cause: String, span: Option<Span>) -> Self {
        Self::from(ErrorParts { message, cause, span, trace: Vec::new(), subjects: Vec::new() })
    }

    /// What it says, to be taken apart.
    pub fn into_parts(self) -> ErrorParts {
        *self.0
    }

    /// The same with another message.
    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.0.message = message;
        self
    }

    /// Remembers what was called, and where.
    pub(crate) fn traced(mut self, called: String, span: Option<Span>) -> Self {
        self.0.trace.push((called, span));
        self
    }

    /// Remembers that it is about `value`.
    pub(crate) fn about(self, value: &Value) -> Self {
        self.about_all([&value.origin])
    }

    /// Remembers the values that it is about, as far as it is known where they came from.
    pub(crate) fn about_all<'o>(mut self, origins: impl IntoIterator<Item = &'o Origin>) -> Self {
        self.0.subjects.extend(origins.into_iter().filter(|origin| origin.is_known()).cloned());
        self
    }

    /// The same where it is not known yet what it is about.
    pub(crate) fn or_about(self, origins: &[Origin]) -> Self {
        if self.subjects.is_empty() { self.about_all(origins) } else { self }
    }

    /// The same as a finding.
    pub fn into_diagnostic(self, code: &'static str) -> Box<Diagnostic> {
        let ErrorParts { cause, span, trace, .. } = self.into_parts();
        let mut diagnostic = Diagnostic::error(code, cause);
        if let Some(span) = span {
            diagnostic = diagnostic.at(span);
        }
        for (message, span) in trace {
            diagnostic = diagnostic.trace(message, span);
        }
        diagnostic
    }
}

impl From<ErrorParts> for Error {
    fn from(parts: ErrorParts) -> Self {
        Self(Box::new(parts))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
