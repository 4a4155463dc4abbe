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

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let part = |part: &str| match (part.split_once("!="), part.split_once('=')) {
            (Some((label, value)), _) => Ok((label.trim().to_owned(), Operator::NotEqual, value.trim().to_owned())),
            (None, Some((label, value))) => Ok((label.trim().to_owned(), Operator::Equal, value.trim().to_owned())),
            (None, None) => Err(format!("malformed label `{part}`: expected label=value or label!=value")),
        };
        parts.map(part).collect::<Result<_, _>>().map(Self)
    }
}

impl Selector {
    /// Whether the release has the labels.
    pub fn matches(&self, release: &Release) -> bool {
        self.0.iter().all(|(label, operator, value)| {
            let actual = match label.as_str() {
                "name" => Some(release.name.as_str()),
                "namespace" => Some(release.namespace.as_str()),
                "chart" => release.chart.file_name(),
                label => release.labels.get(label).map(String::as_str),
            };
            (actual == Some(value)) == (*operator == Operator::Equal)
        })
    }
}
