//! Selectors over labels, as `-l` takes them: [`Selector`].

use crate::Release;

/// `tier=front,name!=api`: all parts must match. `name`, `namespace` and `chart` are labels too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(Vec<(String, Operator, String)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
}

impl std::str::FromStr for Selector {
    type Err = String;

    /// The empty text selects everything. The error is Helmfile's.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let is_word = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./+-".contains(&byte))
        };
        let part = |part: &str| {
            let split = match part.split_once("!=") {
                Some((label, value)) => Some((label, Operator::NotEqual, value)),
                None => part.split_once('=').map(|(label, value)| (label, Operator::Equal, value)),
            };
            match split {
                Some((label, operator, value)) if is_word(label) && is_word(value) => {
                    Ok((label.to_owned(), operator, value.to_owned()))
                }
                _ => Err(format!("malformed label: {part}. Expected label in form k=v or k!=v")),
            }
        };
        text.split(',').map(part).collect::<Result<_, _>>().map(Self)
    }
}

impl Selector {
    /// Whether the release has the labels.
    pub fn matches(&self, release: &Release) -> bool {
        self.0.iter().all(|(label, operator, value)| {
            (release.labels.get(label) == Some(value)) == (*operator == Operator::Equal)
        })
    }

    /// Whether some release could match one of each: labels that both ask for have the same value.
    pub(crate) fn may_meet(these: &[Self], those: &[Self]) -> bool {
        let equal = |selector: &Self, label: &str| {
            let mut parts = selector.0.iter();
            parts
                .find(|(own, operator, _)| own == label && *operator == Operator::Equal)
                .map(|(.., value)| value.clone())
        };
        let meet = |one: &Self, other: &Self| {
            let mut labels = one.0.iter().filter(|(_, operator, _)| *operator == Operator::Equal);
            labels.all(|(label, _, value)| equal(other, label).is_none_or(|wanted| wanted == *value))
        };
        these.is_empty() || those.is_empty() || these.iter().any(|one| those.iter().any(|other| meet(one, other)))
    }
}
