//! Errors of this crate: diagnostics whose message begins with Helm's words.

use camino::Utf8Path;
use onepane_diagnostics::Diagnostic;

/// What the user gave does not fit: a name, a reference, a version.
pub(crate) fn refused(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("fetch-refused", message)
}

/// A server can be reached and says no.
pub(crate) fn answered(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("fetch-status", message)
}

/// A server can't be reached, or is out of order.
pub(crate) fn unreachable(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("fetch-unreachable", message)
}

/// What came is not what was asked for.
pub(crate) fn damaged(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("fetch-damaged", message)
}

/// A file here can't be read or written.
pub(crate) fn io(what: &str, path: &Utf8Path, error: &std::io::Error) -> Box<Diagnostic> {
    Diagnostic::error("fetch-file", format!("{what} {path}: {}", go_words(error)))
}

/// Puts more in front of a message.
pub(crate) fn prefixed(prefix: &str, mut error: Box<Diagnostic>) -> Box<Diagnostic> {
    error.message.insert_str(0, prefix);
    error
}

/// An error of the system without Rust's number behind it, in Go's letter case.
pub(crate) fn go_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
