//! Errors of this crate. No message holds a credential or a plain data key.

use onepane_diagnostics::Diagnostic;

/// A key can't be used.
pub(crate) fn unusable(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("keys-unusable", message)
}

/// A server can't be reached, or says no.
pub(crate) fn unanswered(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("keys-unanswered", message)
}

/// There are no credentials, or they are not such.
pub(crate) fn no_credentials(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("keys-credentials", message)
}
