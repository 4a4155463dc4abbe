//! [`SyntaxError`]: why a text is no YAML, in go-yaml's words.

use crate::Dialect;
use crate::syntax::Mark;
use onepane_diagnostics::{Diagnostic, FileId};
use std::borrow::Cow;

/// Why a text is no YAML.
#[derive(Debug)]
pub struct SyntaxError {
    /// go-yaml's words.
    pub(crate) problem: Cow<'static, str>,
    /// Where it was noticed.
    pub(crate) mark: Mark,
    /// Where the construct begins that could not be read to its end.
    pub(crate) context: Option<(Mark, &'static str)>,
    /// Who noticed it: go-yaml counts lines differently for each.
    pub(crate) stage: Stage,
}

/// The part of go-yaml that notices an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Finds characters that no YAML may contain.
    Reader,
    /// Reads a single lexeme.
    Scanner,
    /// Applies the grammar.
    Parser,
    /// Builds values.
    Composer,
}

impl SyntaxError {
    /// What is wrong with a value whose syntax is right.
    pub(crate) fn composer(problem: impl Into<Cow<'static, str>>, mark: Mark) -> Box<Self> {
        Box::new(Self { problem: problem.into(), mark, context: None, stage: Stage::Composer })
    }

    /// A lexeme that cannot be read: noticed at `mark`, begun at `start`.
    pub(super) fn lexeme(problem: &'static str, mark: Mark, start: Mark, what: &'static str) -> Box<Self> {
        Box::new(Self { problem: problem.into(), mark, context: Some((start, what)), stage: Stage::Scanner })
    }

    /// A lexeme that has no place where it stands, within what began at `start`.
    pub(super) fn grammar(problem: &'static str, mark: Mark, context: Option<(Mark, &'static str)>) -> Box<Self> {
        Box::new(Self { problem: problem.into(), mark, context, stage: Stage::Parser })
    }

    /// The error as Go prints it: `yaml: line 3: did not find expected key`.
    ///
    /// The line is go-yaml's, which is often not the place of the error: v3 names the line where the construct begins,
    /// v2 the one where it was noticed; both give the parser's lines one too low and leave the number 0 out.
    pub fn go_text(&self, dialect: Dialect) -> String {
        let noticed = Some(self.mark.line);
        let begun = self.context.map(|(mark, _)| mark.line);
        let order = match dialect {
            Dialect::V2 => [noticed, begun],
            Dialect::V3 => [begun, noticed],
        };
        let line = match self.stage {
            Stage::Reader | Stage::Composer => 0,
            Stage::Parser => order.into_iter().flatten().find(|line| *line != 0).unwrap_or(0),
            Stage::Scanner => order.into_iter().flatten().find(|line| *line != 0).map_or(0, |line| line + 1),
        };
        if line == 0 { format!("yaml: {}", self.problem) } else { format!("yaml: line {line}: {}", self.problem) }
    }

    /// The error as a finding in `file`, which holds `text`.
    pub fn diagnostic(&self, file: FileId, text: &str) -> Box<Diagnostic> {
        let mut places = crate::place::Places::new(file, text);
        let diagnostic = Diagnostic::error("yaml-syntax", self.problem.clone());
        let diagnostic = diagnostic.at(places.span(self.mark, self.mark));
        match self.context {
            Some((start, what)) if start != self.mark => diagnostic.label(places.span(start, start), what),
            _ => diagnostic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_counts_lines_its_way() {
        let at = |line| Mark { line, ..Mark::default() };
        for (stage, noticed, begun, v2, v3) in [
            (Stage::Scanner, 2, Some(1), "yaml: line 3: x", "yaml: line 2: x"),
            (Stage::Scanner, 2, Some(0), "yaml: line 3: x", "yaml: line 3: x"),
            (Stage::Scanner, 0, None, "yaml: x", "yaml: x"),
            (Stage::Parser, 2, Some(1), "yaml: line 2: x", "yaml: line 1: x"),
            (Stage::Parser, 0, Some(0), "yaml: x", "yaml: x"),
            (Stage::Composer, 2, None, "yaml: x", "yaml: x"),
        ] {
            let context = begun.map(|line| (at(line), "this"));
            let error = SyntaxError { problem: "x".into(), mark: at(noticed), context, stage };
            assert_eq!((error.go_text(Dialect::V2), error.go_text(Dialect::V3)), (v2.to_owned(), v3.to_owned()));
        }
    }
}
