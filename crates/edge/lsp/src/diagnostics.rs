//! Findings as editors show them.

use crate::snapshot::Snapshot;
use crate::text::SourceFile;
use crate::{Checks, Found};
use camino::{Utf8Path, Utf8PathBuf};
use lsp_types::{Diagnostic as Shown, DiagnosticRelatedInformation, DiagnosticSeverity, NumberOrString, Range};
use onepane_diagnostics::{Diagnostic, Severity, Span};
use std::collections::{BTreeMap, HashMap};

/// Who says what a text says as it is typed.
pub(crate) const SYNTAX: &str = "onepane";

/// Who says what the checks of the repository find.
pub(crate) const CHECK: &str = "onepane check";

/// What is shown of each file.
pub(crate) type ByFile = BTreeMap<Utf8PathBuf, Vec<Shown>>;

/// Diagnostics for one state of the files, whose texts are read once.
pub(crate) struct Shower<'s> {
    snapshot: &'s Snapshot,
    sources: HashMap<Utf8PathBuf, Option<SourceFile>>,
}

impl<'s> Shower<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot) -> Self {
        Self { snapshot, sources: HashMap::new() }
    }

    /// The findings by the files they are in. What is in none is told at the top of `onepane.yaml`.
    pub(crate) fn all(&mut self, found: &[Found]) -> ByFile {
        let mut by_file = ByFile::new();
        for one in found {
            let path = one.diagnostic.primary.as_ref().map(|label| label.span.file.path());
            let path = path.filter(|path| path.is_relative()).unwrap_or(Utf8Path::new("onepane.yaml"));
            let shown = self.found(one);
            by_file.entry(path.to_owned()).or_default().push(shown);
        }
        by_file
    }

    fn found(&mut self, found: &Found) -> Shown {
        let mut shown = self.one(&found.diagnostic, CHECK);
        let mut related = shown.related_information.take().unwrap_or_default();
        if let Some(span) = found.rendered {
            related.extend(self.related(span, "which is rendered here"));
        }
        if !found.clusters.is_empty() {
            shown.data = Some(serde_json::json!({ "clusters": found.clusters }));
        }
        shown.related_information = (!related.is_empty()).then_some(related);
        shown
    }

    /// A diagnostic of `source`.
    pub(crate) fn one(&mut self, diagnostic: &Diagnostic, source: &str) -> Shown {
        let range = diagnostic.primary.as_ref().map_or_else(Range::default, |label| self.range(label.span));
        let mut message = diagnostic.message.clone();
        diagnostic.hints.iter().for_each(|hint| message.push_str(&format!("\n{hint}")));
        let labels = diagnostic.labels.iter().map(|label| (label.span, label.message.as_str()));
        let trace = diagnostic.trace.iter().filter_map(|frame| Some((frame.span?, frame.message.as_str())));
        let related: Vec<_> = labels.chain(trace).filter_map(|(span, message)| self.related(span, message)).collect();
        Shown {
            range,
            severity: Some(severity(diagnostic.severity)),
            code: Some(NumberOrString::String(diagnostic.code.to_owned())),
            source: Some(source.to_owned()),
            message: self.snapshot.checks.redacted(&message),
            related_information: (!related.is_empty()).then_some(related),
            ..Shown::default()
        }
    }

    fn related(&mut self, span: Span, message: &str) -> Option<DiagnosticRelatedInformation> {
        if span.file.path().is_absolute() {
            return None;
        }
        let uri = self.snapshot.roots.uri(span.file.path())?;
        let location = lsp_types::Location { uri, range: self.range(span) };
        let checks: &dyn Checks = &*self.snapshot.checks;
        Some(DiagnosticRelatedInformation { location, message: checks.redacted(message) })
    }

    fn range(&mut self, span: Span) -> Range {
        let path = span.file.path();
        let snapshot = self.snapshot;
        let source = self.sources.entry(path.to_owned()).or_insert_with(|| snapshot.source(path));
        match source {
            Some(source) => source.range_of(span),
            None => Range::default(),
        }
    }
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Note => DiagnosticSeverity::INFORMATION,
    }
}
