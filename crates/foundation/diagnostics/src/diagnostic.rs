//! The one shape of every finding: [`Diagnostic`].

use crate::Span;
use std::fmt;

/// What fallible functions of onepane return: one diagnostic, boxed because the good path should stay small.
pub type Result<T, E = Box<Diagnostic>> = std::result::Result<T, E>;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what was meant; the result stands.
    Warning,
    /// There is no result.
    Error,
}

impl Severity {
    /// The word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A place and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there; may be empty.
    pub message: String,
}

/// One step of the way that led to the finding: an include, an overlay that names a base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What was being done.
    pub message: String,
    /// Where, if a file says so.
    pub span: Option<Span>,
}

/// A finding: what is wrong, where, how it was reached and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name in kebab case, for suppressions and for looking it up: `yaml-syntax`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Names the thing and what is wrong with it, without a final stop.
    pub message: String,
    /// The place where the mend belongs.
    pub primary: Option<Label>,
    /// Other places that explain it.
    pub labels: Vec<Label>,
    /// The way that led here, innermost first.
    pub trace: Vec<Frame>,
    /// What to do next.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error with a stable `code`.
    pub fn error(code: &'static str, message: impl Into<String>) -> Box<Self> {
        Self::new(Severity::Error, code, message)
    }

    /// A warning with a stable `code`.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Box<Self> {
        Self::new(Severity::Warning, code, message)
    }

    fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Box<Self> {
        let message = message.into();
        Box::new(Self { code, severity, message, primary: None, labels: vec![], trace: vec![], hints: vec![] })
    }

    /// Points at `span`.
    pub fn at(self: Box<Self>, span: Span) -> Box<Self> {
        self.at_with(span, "")
    }

    /// Points at `span` and says what is there.
    pub fn at_with(mut self: Box<Self>, span: Span, message: impl Into<String>) -> Box<Self> {
        self.primary = Some(Label { span, message: message.into() });
        self
    }

    /// Adds a place that explains.
    pub fn label(mut self: Box<Self>, span: Span, message: impl Into<String>) -> Box<Self> {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Adds a step outwards: call it on the way up, innermost first.
    pub fn trace(mut self: Box<Self>, message: impl Into<String>, span: Option<Span>) -> Box<Self> {
        self.trace.push(Frame { message: message.into(), span });
        self
    }

    /// Adds what to do next.
    pub fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.primary {
            Some(primary) => write!(f, "{}: {}", primary.span, self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Diagnostic {}
