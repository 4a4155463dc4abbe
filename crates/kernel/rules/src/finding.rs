//! Something that is wrong: [`Finding`].

use crate::rule;
use onepane_diagnostics::{Origin, Severity, Span};
use onepane_yaml::Node;

/// Something that is wrong with a resource or the repository.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The code of its rule.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Names the thing and what is wrong with it.
    pub message: String,
    /// Where it is.
    pub at: At,
    /// What to do next.
    pub hints: Vec<String>,
    /// What mends it, where that is certain.
    pub fix: Option<Fix>,
}

/// Where something is.
#[derive(Clone, Debug)]
pub enum At {
    /// At a key or value with this history, and what is written there.
    Value {
        /// The history.
        origin: Origin,
        /// What is written there; it may be secret.
        text: String,
        /// The history of what stands below a key. Templates that print whole mappings know of values, not of keys.
        below: Origin,
    },
    /// At this line.
    Line(Span),
}

/// A change of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// The key gets another name.
    Rename(String),
    /// The scalar gets another text.
    Replace(String),
    /// The entry or item goes.
    Remove,
}

impl Finding {
    /// What the rule `code` finds at `node`, a key or a value.
    pub fn new(code: &'static str, node: &Node, message: impl Into<String>) -> Self {
        let text = node.as_str().unwrap_or_default().to_owned();
        Self::of(code, At::Value { origin: node.origin(), text, below: Origin::UNKNOWN }, message)
    }

    /// What the rule `code` finds in a line.
    pub fn at_line(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::of(code, At::Line(span), message)
    }

    fn of(code: &'static str, at: At, message: impl Into<String>) -> Self {
        debug_assert!(rule(code).is_some(), "{code} is in no table");
        let severity = rule(code).map_or(Severity::Warning, |rule| rule.severity);
        Self { code, severity, message: message.into(), at, hints: Vec::new(), fix: None }
    }

    /// Adds the value of the key that it is about.
    #[must_use]
    pub fn below(mut self, value: Option<&Node>) -> Self {
        if let (At::Value { below, .. }, Some(value)) = (&mut self.at, value) {
            *below = first_leaf(value).origin();
        }
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the name that was probably meant.
    #[must_use]
    pub fn meant(self, meant: Option<&str>) -> Self {
        match meant {
            Some(meant) => self.hint(format!("did you mean `{meant}`?")),
            None => self,
        }
    }

    /// Adds what mends it.
    #[must_use]
    pub fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }
}

/// The first scalar of a value.
fn first_leaf(node: &Node) -> &Node {
    let mut leaf = node;
    loop {
        let first = leaf.entries().and_then(|entries| entries.first()).map(|(_, value)| value);
        match first.or_else(|| leaf.items().and_then(<[Node]>::first)) {
            Some(next) => leaf = next,
            None => return leaf,
        }
    }
}
