//! Kubernetes' label selectors: `app=web,tier in (a, b),!canary`.

use onepane_diagnostics::{Diagnostic, Result};

/// Requirements that must all hold.
#[derive(Debug, Default)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Debug)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug)]
enum Operator {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Reads a selector; an empty one selects everything.
    ///
    /// # Errors
    /// `kustomize-selector`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let fail = |reason: String| {
            Diagnostic::error("kustomize-selector", format!("`{text}` is not a label selector: {reason}"))
                .hint("examples: `app=web`, `tier in (a, b)`, `!canary`, joined by commas")
        };
        let tokens = tokens(text);
        let mut tokens = tokens.iter().map(String::as_str).peekable();
        let mut requirements = Vec::new();
        loop {
            let Some(first) = tokens.next() else { return Err(fail("a key is missing at the end".to_owned())) };
            let (key, negated) = if first == "!" { (tokens.next().unwrap_or_default(), true) } else { (first, false) };
            check_key(key).map_err(&fail)?;
            let operator = match tokens.peek().copied() {
                None | Some(",") => {
                    if negated {
                        Operator::Absent
                    } else {
                        Operator::Exists
                    }
                }
                Some(operator) if negated => return Err(fail(format!("`{operator}` cannot follow `!{key}`"))),
                Some(operator @ ("in" | "notin")) => {
                    tokens.next();
                    let values = values(&mut tokens).map_err(&fail)?;
                    values.iter().try_for_each(|value| check_value(value)).map_err(&fail)?;
                    if operator == "in" { Operator::In(values) } else { Operator::NotIn(values) }
                }
                Some(operator @ ("=" | "==" | "!=")) => {
                    tokens.next();
                    // An absent value is the empty one.
                    let value = match tokens.peek().copied() {
                        None | Some(",") => String::new(),
                        Some(value) => {
                            tokens.next();
                            value.to_owned()
                        }
                    };
                    check_value(&value).map_err(&fail)?;
                    if operator == "!=" { Operator::NotIn(vec![value]) } else { Operator::In(vec![value]) }
                }
                Some(operator @ (">" | "<")) => {
                    tokens.next();
                    let value = tokens.next().unwrap_or_default();
                    let number = value.parse().map_err(|_| fail(format!("`{value}` must be a whole number")))?;
                    if operator == ">" { Operator::Greater(number) } else { Operator::Less(number) }
                }
                Some(other) => return Err(fail(format!("found `{other}`, expected an operator or a comma"))),
            };
            requirements.push(Requirement { key: key.to_owned(), operator });
            match tokens.next() {
                None => return Ok(Self(requirements)),
                Some(",") => {}
                Some(other) => return Err(fail(format!("found `{other}`, expected a comma or the end"))),
            }
        }
    }

    /// Whether all requirements hold for what `label` gives.
    pub(crate) fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|Requirement { key, operator }| {
            let value = label(key);
            let number = || value.and_then(|value| value.parse::<i64>().ok());
            match operator {
                Operator::Exists => value.is_some(),
                Operator::Absent => value.is_none(),
                Operator::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
                Operator::NotIn(values) => value.is_none_or(|value| values.iter().all(|unwanted| unwanted != value)),
                Operator::Greater(limit) => number().is_some_and(|number| number > *limit),
                Operator::Less(limit) => number().is_some_and(|number| number < *limit),
            }
        })
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let special = matches!(character, '=' | '!' | '(' | ')' | ',' | '>' | '<');
        if (special || character.is_whitespace()) && !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        match character {
            '=' | '!' if characters.peek() == Some(&'=') => {
                characters.next();
                tokens.push(format!("{character}="));
            }
            _ if special => tokens.push(character.to_string()),
            _ if character.is_whitespace() => {}
            _ => word.push(character),
        }
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}

fn values<'a>(tokens: &mut impl Iterator<Item = &'a str>) -> std::result::Result<Vec<String>, String> {
    if tokens.next() != Some("(") {
        return Err("expected `(`".to_owned());
    }
    let mut values = Vec::new();
    let mut pending = String::new();
    loop {
        match tokens.next() {
            Some(",") => values.push(std::mem::take(&mut pending)),
            Some(")") => {
                values.push(pending);
                return Ok(values);
            }
            Some(value) if pending.is_empty() => value.clone_into(&mut pending),
            Some(value) => return Err(format!("found `{value}`, expected `,` or `)`")),
            None => return Err("`)` is missing".to_owned()),
        }
    }
}

fn check_key(key: &str) -> std::result::Result<(), String> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let prefix_fine = key.matches('/').count() <= 1 && !key.starts_with('/');
    if prefix_fine && !name.is_empty() && is_name(name) {
        Ok(())
    } else {
        Err(format!("`{key}` is not a label's name"))
    }
}

fn check_value(value: &str) -> std::result::Result<(), String> {
    if value.is_empty() || is_name(value) { Ok(()) } else { Err(format!("`{value}` is not a label's value")) }
}

/// At most 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends.
fn is_name(text: &str) -> bool {
    let alphanumeric = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && alphanumeric(text.bytes().next())
        && alphanumeric(text.bytes().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_hold_together() {
        let label = |key: &str| match key {
            "app" => Some("web"),
            "tier" => Some("2"),
            "example.com/x" => Some(""),
            _ => None,
        };
        for (selector, selected) in [
            ("", true),
            ("app", true),
            ("!app", false),
            ("!other", true),
            ("app=web", true),
            ("app == web , tier > 1", true),
            ("app!=web", false),
            ("other!=web", true),
            ("app in (a, web)", true),
            ("app notin (a,web)", false),
            ("other notin (a)", true),
            ("tier<2", false),
            ("example.com/x=", true),
        ] {
            assert_eq!(LabelSelector::parse(selector).unwrap().matches(label), selected, "{selector}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for selector in ["a b", "a in b", "a in (b", "=x", "a=,", "a/b/c=x", "a=-", "!a=b", "a>x"] {
            assert!(LabelSelector::parse(selector).is_err(), "{selector}");
        }
    }
}
