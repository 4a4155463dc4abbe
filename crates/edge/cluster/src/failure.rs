//! What goes wrong, in client-go's words: [`Failure`], and what Helm logs beside it: [`Logged`].

use std::fmt;

/// A line of Helm's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// How grave it is.
    pub level: Level,
    /// What it says.
    pub message: String,
    /// What it says besides, by name.
    pub fields: Vec<(&'static str, String)>,
}

/// How grave a line of Helm's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `WARN`
    Warning,
    /// `ERROR`
    Error,
}

/// Why a request gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// client-go's text.
    pub(crate) message: String,
    /// Whether the server says that there is no such thing.
    pub(crate) is_not_found: bool,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_not_found: false }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Several errors as Kubernetes puts them into one line: each text once, in brackets if there are two.
pub(crate) fn aggregate(errors: &[String]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for error in errors {
        if !seen.contains(&error.as_str()) {
            seen.push(error);
        }
    }
    match seen.as_slice() {
        [one] => (*one).to_owned(),
        more => format!("[{}]", more.join(", ")),
    }
}

/// An error of the system without Rust's number behind it, in Go's letter case.
pub(crate) fn go_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::aggregate;

    #[test]
    fn errors_are_put_together_as_kubernetes_does() {
        let errors = |texts: &[&str]| aggregate(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(errors(&["a"]), "a");
        assert_eq!(errors(&["a", "a"]), "a");
        assert_eq!(errors(&["a", "b", "a"]), "[a, b]");
    }
}
