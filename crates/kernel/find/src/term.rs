//! Terms as users write them: [`Term`], [`Query`].

use crate::subject::{Found, Subject};
use onepane_diagnostics::closest;
use wildmatch::WildMatch;

/// Terms that must all hold.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<Term>);

/// One condition.
#[derive(Clone, Debug)]
pub struct Term {
    subject: Subject,
    test: Test,
    is_negated: bool,
}

#[derive(Clone, Debug)]
enum Test {
    /// It has any.
    Present,
    /// One of them is like the pattern.
    Like(WildMatch),
    /// One of them, as a number or a quantity, compares so.
    Compares(Comparison, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

impl Query {
    /// Reads terms.
    ///
    /// # Errors
    /// What is wrong with the first that is none.
    pub fn parse<T: AsRef<str>>(terms: &[T]) -> Result<Self, String> {
        terms.iter().map(|term| Term::parse(term.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a resource is meant.
    pub fn matches(&self, found: &Found<'_>) -> bool {
        self.0.iter().all(|term| term.holds(found))
    }
}

impl Term {
    /// Reads `[!]KEY=PATTERN`, `KEY!=PATTERN`, `KEY>NUMBER` and the like, `label:KEY` and a field's path on their own,
    /// which must be there, or a word that names contain.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(term: &str) -> Result<Self, String> {
        let (rest, is_negated) = match term.strip_prefix('!') {
            Some(rest) => (rest, true),
            None => (term, false),
        };
        if rest.is_empty() {
            return Err(format!("`{term}` is no term: write KEY=PATTERN, or a word that names contain"));
        }
        let Some((key, operator, value)) = split(rest) else {
            let (subject, test) = match subject_of(rest)? {
                Some(subject @ (Subject::Label(_) | Subject::Annotation(_) | Subject::Field(_))) => {
                    (subject, Test::Present)
                }
                _ => (Subject::Name, Test::Like(pattern(&word(rest), false))),
            };
            return Ok(Self { subject, test, is_negated });
        };
        if key.is_empty() {
            return Err(format!("`{term}` has no key before `{operator}`"));
        }
        let subject = match subject_of(key)? {
            Some(subject) => subject,
            None => return Err(unknown(key)),
        };
        let (test, is_other) = match operator {
            "=" | "!=" => (Test::Like(pattern(value, subject.ignores_case())), operator == "!="),
            _ => {
                let comparison = match operator {
                    "<" => Comparison::Less,
                    "<=" => Comparison::LessOrEqual,
                    ">" => Comparison::More,
                    _ => Comparison::MoreOrEqual,
                };
                let number =
                    quantity(value).ok_or_else(|| format!("`{value}` in `{term}` is no number or quantity"))?;
                (Test::Compares(comparison, number), false)
            }
        };
        Ok(Self { subject, test, is_negated: is_negated != is_other })
    }

    fn holds(&self, found: &Found<'_>) -> bool {
        let mut texts = self.subject.texts(found).into_iter();
        let holds = match &self.test {
            Test::Present => texts.next().is_some(),
            Test::Like(pattern) => {
                let lower = self.subject.ignores_case();
                texts.any(|text| pattern.matches(&if lower { text.to_lowercase() } else { text }))
            }
            Test::Compares(comparison, wanted) => {
                texts.filter_map(|text| quantity(&text)).any(|number| match comparison {
                    Comparison::Less => number < *wanted,
                    Comparison::LessOrEqual => number <= *wanted,
                    Comparison::More => number > *wanted,
                    Comparison::MoreOrEqual => number >= *wanted,
                })
            }
        };
        holds != self.is_negated
    }
}

/// Key, operator and value. What stands in brackets belongs to the key: `containers[name=api].image`.
fn split(term: &str) -> Option<(&str, &str, &str)> {
    let mut depth = 0usize;
    for (at, letter) in term.char_indices() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '=' | '<' | '>' | '!' if depth == 0 => {
                let operator = ["!=", "<=", ">=", "=", "<", ">"].into_iter().find(|one| term[at..].starts_with(one))?;
                return Some((&term[..at], operator, &term[at + operator.len()..]));
            }
            _ => {}
        }
    }
    None
}

/// What a key asks of; `None` for a word that is none.
fn subject_of(key: &str) -> Result<Option<Subject>, String> {
    if let Some(label) = key.strip_prefix("label:") {
        return Ok(Some(Subject::Label(label.to_owned())));
    }
    if let Some(annotation) = key.strip_prefix("annotation:") {
        return Ok(Some(Subject::Annotation(annotation.to_owned())));
    }
    if let Some((_, subject)) = Subject::NAMES.into_iter().find(|(name, _)| *name == key) {
        return Ok(Some(subject));
    }
    let starts = ["spec", "metadata", "status", "data", "stringData", "rules", "roleRef", "subjects", "webhooks"];
    let first = key.split(['.', '[']).next().unwrap_or_default();
    // `example.com` is a word with a dot; fields of other kinds are asked for with an operator, or a leading dot.
    if key.starts_with('.') || starts.contains(&first) {
        return key.trim_start_matches('.').parse().map(|path| Some(Subject::Field(path)));
    }
    Ok(None)
}

fn unknown(key: &str) -> String {
    let names = Subject::NAMES.map(|(name, _)| name);
    let near = closest(key, names).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
    format!(
        "there is no key `{key}`{near}; there are {}, label:KEY, annotation:KEY, and paths of fields such as \
         spec.replicas or .type",
        names.join(", ")
    )
}

/// A word without stars is looked for anywhere in a name.
fn word(text: &str) -> String {
    if text.contains(['*', '?']) { text.to_owned() } else { format!("*{text}*") }
}

fn pattern(text: &str, ignores_case: bool) -> WildMatch {
    if ignores_case { WildMatch::new(&text.to_lowercase()) } else { WildMatch::new(text) }
}

/// A number, with one of the endings that Kubernetes knows for quantities.
fn quantity(text: &str) -> Option<f64> {
    const ENDINGS: [(&str, f64); 14] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let (number, factor) =
        ENDINGS.iter().find_map(|(ending, factor)| Some((text.strip_suffix(ending)?, *factor))).unwrap_or((text, 1.0));
    let digits = number.trim_start_matches(['+', '-']);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    number.parse::<f64>().ok().map(|number| number * factor).filter(|number| number.is_finite())
}
