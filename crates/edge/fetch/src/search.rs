//! `search repo`: charts by a word or a pattern in their names, descriptions and keywords.

use crate::failure::refused;
use crate::index::Index;
use onepane_chart::Metadata;
use onepane_diagnostics::Result;
use onepane_semver::{Constraint, Version};
use std::collections::HashSet;

/// Charts of some repositories, ready to be searched.
#[derive(Debug, Default)]
pub struct SearchIndex {
    lines: Vec<Line>,
}

/// Which versions of a chart take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchScope {
    /// The highest.
    Latest,
    /// All: where a version is asked for, or `--versions`.
    All,
}

#[derive(Debug)]
struct Line {
    name: String,
    text: String,
    metadata: Metadata,
    version: Version,
}

/// A chart that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// `repo/chart`
    pub name: String,
    /// How far down the match is: 0 in the name, 1 in the name with the repository, 2 in the description, 3 below.
    pub score: usize,
    /// What its Chart.yaml says.
    pub metadata: Metadata,
    version: Version,
}

/// From which score on a match counts for nothing.
const TOO_FAR: usize = 25;

impl SearchIndex {
    /// Adds the charts of a repository's index.
    pub fn add(&mut self, repository: &str, index: Index, scope: SearchScope) {
        for (name, versions) in index.entries {
            let count = if scope == SearchScope::All { versions.len() } else { 1 };
            for version in versions.into_iter().take(count) {
                let metadata = version.metadata;
                let text = [
                    metadata.name.as_str(),
                    &format!("{repository}/{}", metadata.name),
                    &metadata.description,
                    &metadata.keywords.join(" "),
                ]
                .join("\u{B}");
                let name = format!("{repository}/{name}");
                self.lines.push(Line { name, text, metadata, version: version.version });
            }
        }
    }

    /// All charts.
    pub fn all(&self) -> Vec<Hit> {
        sorted(self.lines.iter().map(|line| line.hit(0)).collect())
    }

    /// The charts that have `word` in them, in whatever letter case; the nearest first.
    pub fn with_word(&self, word: &str) -> Vec<Hit> {
        let word = word.to_lowercase();
        self.matching(&|text| text.to_lowercase().find(&word))
    }

    /// The charts in whose text `find` finds something; the nearest first. It gives the place in bytes.
    pub fn matching(&self, find: &dyn Fn(&str) -> Option<usize>) -> Vec<Hit> {
        let hits = self.lines.iter().filter_map(|line| {
            let at = find(&line.text)?;
            let score = line.text.bytes().enumerate().filter(|(place, byte)| *byte == b'\x0B' && *place < at).count();
            (score < TOO_FAR).then(|| line.hit(score))
        });
        sorted(hits.collect())
    }
}

impl Hit {
    /// Keeps the hits whose version satisfies `constraint`: of each chart the first, or all if `scope` says so.
    ///
    /// Error: `fetch-refused` for what is no constraint.
    pub fn within(hits: Vec<Self>, constraint: &str, scope: SearchScope) -> Result<Vec<Self>> {
        let constraint = Constraint::parse(constraint)
            .map_err(|error| refused(format!("an invalid version/constraint format: {error}")))?;
        let mut seen = HashSet::new();
        let mut fits = |hit: &Self| {
            let wanted = scope == SearchScope::All || !seen.contains(&hit.name);
            let fits = wanted && constraint.check(&hit.version);
            if fits {
                seen.insert(hit.name.clone());
            }
            fits
        };
        Ok(hits.into_iter().filter(|hit| fits(hit)).collect())
    }
}

impl Line {
    fn hit(&self, score: usize) -> Hit {
        let Self { name, metadata, version, .. } = self;
        Hit { name: name.clone(), score, metadata: metadata.clone(), version: version.clone() }
    }
}

fn sorted(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by(|a, b| (a.score, &a.name).cmp(&(b.score, &b.name)).then_with(|| b.version.cmp(&a.version)));
    hits
}
