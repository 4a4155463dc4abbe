//! What Kubernetes takes for a name. The texts are its own.

use regex::Regex;
use std::sync::LazyLock;

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

/// A kind of name.
struct Rule {
    longest: usize,
    pattern: String,
    words: &'static str,
    examples: &'static str,
    regex: Option<Regex>,
}

impl Rule {
    fn new(longest: usize, pattern: String, words: &'static str, examples: &'static str) -> Self {
        let regex = Regex::new(&format!("^(?:{pattern})$")).ok();
        Self { longest, pattern, words, examples, regex }
    }

    fn matches(&self, name: &str) -> bool {
        self.regex.as_ref().is_none_or(|regex| regex.is_match(name))
    }

    fn problems(&self, name: &str) -> Vec<String> {
        let mut problems = Vec::new();
        if name.len() > self.longest {
            problems.push(format!("must be no more than {} characters", self.longest));
        }
        if !self.matches(name) {
            let Self { words, examples, pattern, .. } = self;
            problems.push(format!("{words} (e.g. {examples}, regex used for validation is '{pattern}')"));
        }
        problems
    }
}

static SUBDOMAIN: LazyLock<Rule> = LazyLock::new(|| {
    Rule::new(
        253,
        format!("{LABEL}(\\.{LABEL})*"),
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
         and end with an alphanumeric character",
        "'example.com'",
    )
});
static LABEL_1123: LazyLock<Rule> = LazyLock::new(|| {
    Rule::new(
        63,
        LABEL.to_owned(),
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end \
         with an alphanumeric character",
        "'my-name',  or '123-abc'",
    )
});
static LABEL_1035: LazyLock<Rule> = LazyLock::new(|| {
    Rule::new(
        63,
        "[a-z]([-a-z0-9]*[a-z0-9])?".to_owned(),
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, \
         and end with an alphanumeric character",
        "'my-name',  or 'abc-123'",
    )
});

/// What is wrong with the name of an object of this kind.
pub(super) fn check(kind: &str, name: &str) -> Result<(), String> {
    let problems = match kind.to_lowercase().as_str() {
        "service" => LABEL_1035.problems(name),
        "namespace" if !LABEL_1123.matches(name) && SUBDOMAIN.matches(name) => {
            let mut problems = LABEL_1123.problems(name);
            problems.pop();
            problems.push("must not contain dots".to_owned());
            problems
        }
        "namespace" => LABEL_1123.problems(name),
        "certificatesigningrequest" => Vec::new(),
        "role" | "clusterrole" | "rolebinding" | "clusterrolebinding" => match name {
            "." | ".." => vec![format!("may not be '{name}'")],
            _ => ["/", "%"].iter().filter(|c| name.contains(**c)).map(|c| format!("may not contain '{c}'")).collect(),
        },
        _ => SUBDOMAIN.problems(name),
    };
    let problems: Vec<String> =
        problems.iter().map(|problem| format!("metadata.name: Invalid value: {name:?}: {problem}")).collect();
    let problems = match problems.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    Err(format!("object name does not conform to Kubernetes naming requirements: {name:?}: {problems}"))
}
