//! What was found: [`Report`].

use super::selection::Selection;
use onepane_diagnostics::{Diagnostic, Severity, Span};
use onepane_repo::SourcePlace;
use onepane_rules::{At, Finding, Fix};
use std::collections::{BTreeSet, HashMap};

/// A finding with its place, and the clusters that have it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) diagnostic: Diagnostic,
    /// The clusters, or other folders below `clusters`; none for what is the repository's.
    pub(crate) clusters: BTreeSet<String>,
    /// The line of the rendered file on the way.
    pub(crate) rendered: Option<Span>,
    /// What mends it, where that is certain.
    pub(crate) fix: Option<Fix>,
    /// What is written at its place: the word to mend. It may be secret, unless there is a fix.
    pub(crate) written: String,
    /// Whether it may make the command fail: what stands in charts' own values may not.
    pub(crate) counts: bool,
}

/// A finding that was let pass, and why.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    pub(crate) told: Told,
    /// The reason in the source; `None` for what a baseline lists.
    pub(crate) reason: Option<String>,
}

/// What was looked at, and what was found.
pub(crate) struct Report {
    pub(crate) selection: Selection,
    /// Charts whose templates were followed, the files that they are given, and how many can't be followed.
    pub(crate) charts: usize,
    pub(crate) files: usize,
    pub(crate) beyond: usize,
    /// How many keys are unread: of values files, and of charts' own values.
    pub(crate) unread: usize,
    pub(crate) unread_own: usize,
    /// The clusters that were built, with how many resources each has.
    pub(crate) clusters: Vec<(String, usize)>,
    pub(crate) findings: Vec<Told>,
    pub(crate) passed: Vec<Passed>,
    /// What was mended.
    pub(crate) fixed: Vec<Told>,
    places: HashMap<(&'static str, Option<Span>, String), usize>,
}

impl Told {
    pub(crate) fn severity(&self) -> Severity {
        self.diagnostic.severity
    }

    pub(crate) fn span(&self) -> Option<Span> {
        self.diagnostic.primary.as_ref().map(|label| label.span)
    }

    /// The path of the file that it is in; empty where it is in none.
    pub(crate) fn file(&self) -> &'static str {
        self.span().map_or("", |span| span.file.path().as_str())
    }
}

impl Report {
    pub(crate) fn new(selection: Selection) -> Self {
        Self {
            selection,
            charts: 0,
            files: 0,
            beyond: 0,
            unread: 0,
            unread_own: 0,
            clusters: Vec::new(),
            findings: Vec::new(),
            passed: Vec::new(),
            fixed: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Adds what somebody found who already knows the place.
    pub(crate) fn add_diagnostic(&mut self, diagnostic: Diagnostic, cluster: Option<&str>) {
        self.add(Told {
            diagnostic,
            clusters: cluster.map(str::to_owned).into_iter().collect(),
            rendered: None,
            fix: None,
            written: String::new(),
            counts: true,
        });
    }

    /// Adds a finding of a rule; `place` is where its value has its source.
    pub(crate) fn add_finding(&mut self, finding: Finding, place: Option<SourcePlace>, cluster: Option<&str>) {
        let Finding { code, severity, message, at, hints, fix } = finding;
        let written = match &at {
            At::Value { text, .. } => text.clone(),
            At::Line(_) => String::new(),
        };
        let length = |text: &str| text.lines().next().map_or(0, |line| line.chars().count() as u32);
        let (span, rendered) = match at {
            At::Line(span) => (Some(span), None),
            At::Value { text, .. } => {
                let span = place.map(|place| place.span);
                // A value that begins there is as long as it is; what was made of values is not.
                let span = span.map(|span| {
                    if span.length == 0 && place.is_some_and(|place| place.rendered.is_none()) {
                        span.with_length(length(&text))
                    } else {
                        span
                    }
                });
                (span, place.and_then(|place| place.rendered))
            }
        };
        let diagnostic = Diagnostic::error(code, message);
        let diagnostic = match span {
            Some(span) => diagnostic.at(span),
            None => diagnostic,
        };
        let diagnostic = Diagnostic { severity, hints, ..*diagnostic };
        let clusters = cluster.map(str::to_owned).into_iter().collect();
        self.add(Told { diagnostic, clusters, rendered, fix, written, counts: true });
    }

    /// Adds a finding, once for all clusters that have it.
    pub(crate) fn add(&mut self, told: Told) {
        if !self.selection.has(told.diagnostic.code) {
            return;
        }
        let key = (told.diagnostic.code, told.span(), told.diagnostic.message.clone());
        match self.places.get(&key) {
            Some(index) => self.findings[*index].clusters.extend(told.clusters),
            None => {
                self.places.insert(key, self.findings.len());
                self.findings.push(told);
            }
        }
    }

    /// By file and line, what can't make the command fail behind all others; the order in which they were found is that
    /// of threads.
    pub(crate) fn sort(&mut self) {
        self.places.clear();
        self.findings.sort_by_cached_key(|told| {
            let place = told.span().map(|span| (span.line, span.column));
            (!told.counts, told.file(), place, told.diagnostic.code, told.diagnostic.message.clone())
        });
    }

    /// How many resources all clusters have.
    pub(crate) fn resources(&self) -> usize {
        self.clusters.iter().map(|(_, count)| count).sum()
    }
}
