//! [`SyntaxError`]: what go-yaml says of a text that is not YAML, and where.

use super::Mark;
use crate::Dialect;
use onepane_diagnostics::{Diagnostic, FileId, Span};
use std::borrow::Cow;

/// Why a text could not be read: go-yaml's words, and the place.
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

/// The parts of go-yaml that raise errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Finds characters that no YAML may contain.
    Reader,
    /// Cuts tokens.
    Scanner,
    /// Applies the grammar.
    Parser,
    /// Builds values.
    Composer,
}

impl SyntaxError {
    pub(crate) fn new(stage: Stage, problem: impl Into<Cow<'static, str>>, mark: Mark) -> Box<Self> {
        Box::new(Self { problem: problem.into(), mark, context: None, stage })
    }

    pub(crate) fn composer(problem: impl Into<Cow<'static, str>>, mark: Mark) -> Box<Self> {
        Self::new(Stage::Composer, problem, mark)
    }

    /// go-yaml's words, without the place.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    pub(crate) fn within(mut self: Box<Self>, what: &'static str, start: Mark) -> Box<Self> {
        self.context = Some((start, what));
        self
    }

    /// The text of Go's error, `yaml: line 3: …`, quirks in counting lines included: the parser's lines count from 0,
    /// and line 0 is not named.
    pub fn go_text(&self, dialect: Dialect) -> String {
        let prefer_context = dialect == Dialect::V3;
        let scanner = u32::from(self.stage == Stage::Scanner);
        let problem = self.mark.line;
        let context = self.context.map_or(0, |(mark, _)| mark.line);
        let line = match self.stage {
            Stage::Reader | Stage::Composer => 0,
            _ if prefer_context && context != 0 => context + scanner,
            _ if problem != 0 => problem + scanner,
            _ if prefer_context => 0,
            _ => context,
        };
        match line {
            0 => format!("yaml: {}", self.problem),
            line => format!("yaml: line {line}: {}", self.problem),
        }
    }

    /// The finding, with the code `yaml-syntax`, placed in `file`, whose text is `text`.
    pub fn diagnostic(&self, file: FileId, text: &str) -> Box<Diagnostic> {
        let span = |mark: Mark| Span::new(file, mark.line + 1, character_column(text, mark) + 1);
        let diagnostic = Diagnostic::error("yaml-syntax", self.problem.as_ref()).at(span(self.mark));
        match self.context {
            Some((mark, what)) if mark != self.mark => diagnostic.label(span(mark), what),
            _ => diagnostic,
        }
    }
}

/// A mark's column in characters.
fn character_column(text: &str, mark: Mark) -> u32 {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let end = mark.offset as usize;
    let start = end.saturating_sub(mark.column as usize);
    let line = text.as_bytes().get(start..end.min(text.len())).unwrap_or_default();
    line.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u32
}
