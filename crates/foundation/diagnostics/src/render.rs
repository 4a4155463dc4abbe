//! Diagnostics as text for people ([`render_full`]), a line for tools ([`render_concise`]) and JSON
//! ([`render_json`]).

use crate::{Diagnostic, FileId, Label, Severity, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::sync::Arc;

/// The excerpt with carets, the way that led there and the hints.
///
/// `source` gives a file's text where it can still be had; without it the place is named and not shown. `color`
/// decides on ANSI colours.
pub fn render_full(diagnostic: &Diagnostic, source: &dyn Fn(FileId) -> Option<Arc<str>>, color: bool) -> String {
    let level = level(diagnostic.severity);
    let excerpts: Vec<Excerpt<'_>> = diagnostic
        .primary
        .iter()
        .map(|label| (label, AnnotationKind::Primary))
        .chain(diagnostic.labels.iter().map(|label| (label, AnnotationKind::Context)))
        .map(|(label, kind)| Excerpt::new(label, kind, source))
        .collect();
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()).id(diagnostic.code));
    for excerpt in &excerpts {
        group = excerpt.add_to(group);
    }
    for frame in &diagnostic.trace {
        let place = frame.span.map_or_else(String::new, |span| format!(" ({span})"));
        group = group.element(Level::NOTE.message(format!("{}{place}", frame.message)));
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// `path:line:column: error[code]: message`, one line.
pub fn render_concise(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.primary.as_ref().map_or_else(String::new, |label| format!("{}: ", label.span));
    let message = diagnostic.message.replace('\n', " ");
    format!("{place}{}[{}]: {message}", diagnostic.severity.name(), diagnostic.code)
}

/// One JSON value with the diagnostic's own field names.
pub fn render_json(diagnostic: &Diagnostic) -> serde_json::Value {
    let place = |span: Span| {
        serde_json::json!({
            "file": span.file.path().as_str(), "line": span.line, "column": span.column, "length": span.length,
        })
    };
    let label = |label: &Label| serde_json::json!({"span": place(label.span), "message": label.message});
    serde_json::json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity.name(),
        "message": diagnostic.message,
        "primary": diagnostic.primary.as_ref().map(label),
        "labels": diagnostic.labels.iter().map(label).collect::<Vec<_>>(),
        "trace": diagnostic.trace.iter()
            .map(|frame| serde_json::json!({"message": frame.message, "span": frame.span.map(place)}))
            .collect::<Vec<_>>(),
        "hints": diagnostic.hints,
    })
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

/// The lines around a label, cut out so that a huge file is not handed to the renderer.
struct Excerpt<'a> {
    label: &'a Label,
    kind: AnnotationKind,
    text: String,
    first_line: u32,
    range: std::ops::Range<usize>,
}

impl<'a> Excerpt<'a> {
    fn new(label: &'a Label, kind: AnnotationKind, source: &dyn Fn(FileId) -> Option<Arc<str>>) -> Self {
        const CONTEXT_LINES: u32 = 2;
        const LONGEST_LINE: usize = 400;
        let span = label.span;
        let first_line = span.line.saturating_sub(CONTEXT_LINES).max(1);
        let mut text = String::new();
        let mut range = 0..0;
        for (number, line) in source(span.file).as_deref().unwrap_or("").lines().enumerate() {
            let number = number as u32 + 1;
            if number < first_line {
                continue;
            }
            if number > span.line {
                break;
            }
            if number == span.line {
                let offset = |characters: usize| line.char_indices().nth(characters).map_or(line.len(), |(at, _)| at);
                let from = offset(span.column.saturating_sub(1) as usize).min(LONGEST_LINE);
                let to = offset((span.column.saturating_sub(1) + span.length.max(1)) as usize).min(LONGEST_LINE);
                range = text.len() + from..text.len() + to.max(from);
            }
            let cut = (0..=line.len().min(LONGEST_LINE)).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
            text.push_str(&line[..cut]);
            text.push('\n');
        }
        let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let range = boundary(range.start)..boundary(range.end);
        Self { label, kind, text, first_line, range }
    }

    fn add_to<'g>(&'g self, group: Group<'g>) -> Group<'g> {
        let path = self.label.span.file.path().as_str();
        if self.text.is_empty() {
            let said = if self.label.message.is_empty() { String::new() } else { format!(": {}", self.label.message) };
            return group.element(Level::NOTE.message(format!("at {}{said}", self.label.span)));
        }
        let annotation = self.kind.span(self.range.clone());
        let annotation =
            if self.label.message.is_empty() { annotation } else { annotation.label(self.label.message.as_str()) };
        let snippet = Snippet::source(self.text.as_str()).path(path).line_start(self.first_line as usize);
        group.element(snippet.annotation(annotation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Box<Diagnostic> {
        let file = FileId::new("clusters/dev/kustomization.yaml");
        Diagnostic::error("kustomize-missing-resource", "there is no file `apps.yaml`")
            .at_with(Span::new(file, 2, 3).with_length(9), "named here")
            .trace("in the overlay clusters/dev", Some(Span::new(file, 1, 1)))
            .hint("did you mean `app.yaml`?")
    }

    #[test]
    fn the_full_form_shows_the_line_the_trace_and_the_hint() {
        let text = render_full(&example(), &|_| Some("resources:\n- apps.yaml\n".into()), false);
        for part in [
            "error[kustomize-missing-resource]",
            "clusters/dev/kustomization.yaml:2:3",
            "- apps.yaml",
            "^^^^^^^^^ named here",
            "in the overlay",
            "did you mean",
        ] {
            assert!(text.contains(part), "{part:?} is missing in:\n{text}");
        }
    }

    #[test]
    fn without_the_source_the_place_is_still_named() {
        let text = render_full(&example(), &|_| None, false);
        assert!(text.contains("at clusters/dev/kustomization.yaml:2:3: named here"), "{text}");
    }

    #[test]
    fn the_concise_form_is_one_line() {
        assert_eq!(
            render_concise(&example()),
            "clusters/dev/kustomization.yaml:2:3: error[kustomize-missing-resource]: there is no file `apps.yaml`"
        );
    }
}
