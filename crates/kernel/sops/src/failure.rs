//! Errors of this crate. No message holds a plain text: keys, paths and recipients are told, values never.

use onepane_diagnostics::{Diagnostic, Span};

/// The file, or what stands in its metadata, is not as SOPS writes it.
pub(crate) fn malformed(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("sops-format", message)
}

/// Something was changed since the file was encrypted.
pub(crate) fn tampered(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("sops-mac", message)
}

/// A key can't be used.
pub(crate) fn unusable_key(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("sops-key", message)
}

/// What was asked for can't be done.
pub(crate) fn refused(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("sops-refused", message)
}

/// Points at a place, where there is one.
pub(crate) fn placed(error: Box<Diagnostic>, span: Option<Span>) -> Box<Diagnostic> {
    match span {
        Some(span) => error.at(span),
        None => error,
    }
}
