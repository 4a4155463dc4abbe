//! The history of one field, step by step: [`Trail`].

use super::Sources;
use onepane_diagnostics::{Origin, Record, Result, Span, Step as Kind};

/// A field, its value and the steps that gave it, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// The field's path, in the form that `onepane why` takes.
    pub field: String,
    /// The value; `<redacted>` in a Secret.
    pub value: String,
    /// The line that has to be changed to change the value, where it is known.
    pub source: Option<Span>,
    /// The steps. One that is nested deeper explains the one above it.
    pub steps: Vec<Step>,
}

/// One step of a field's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How deep it is nested: 0 is the overlay, 1 the template behind a manifest, and so on.
    pub depth: usize,
    /// What kind of step it is, in words.
    pub what: &'static str,
    /// The line that did it.
    pub span: Option<Span>,
    /// What the step calls itself: an include's name, a flag.
    pub note: Option<String>,
    /// The text of the line; `None` for a Secret or where the file can't be read.
    pub line: Option<String>,
}

/// What is said where a rendered file is another one than its release renders to.
const STALE: &str = "the rendered file is not what its release renders to now: run `onepane render`";
/// Deeper chains are cut; no honest repository comes near.
const DEEPEST: usize = 32;
/// A template line that read thousands of values is cut too.
const MOST_STEPS: usize = 200;

pub(super) struct TrailBuilder<'s, 'r, 'w> {
    sources: &'s mut Sources<'r, 'w>,
    secret: bool,
    steps: Vec<Step>,
}

/// Whether it stands for several others and does nothing itself.
fn is_put_together(record: &Record) -> bool {
    record.step == Kind::Template && record.span.is_none() && record.note.is_none()
}

impl<'s, 'r, 'w> TrailBuilder<'s, 'r, 'w> {
    pub(super) fn new(sources: &'s mut Sources<'r, 'w>, secret: bool) -> Self {
        Self { sources, secret, steps: Vec::new() }
    }

    pub(super) fn steps(mut self, origin: &Origin) -> Result<Vec<Step>> {
        if origin.is_known() {
            self.follow(origin, 0)?;
        } else {
            self.steps.push(Step { depth: 0, what: "unknown", span: None, note: None, line: None });
        }
        Ok(self.steps)
    }

    /// The steps of a chain, each followed by what explains it.
    fn follow(&mut self, origin: &Origin, depth: usize) -> Result<()> {
        for record in origin.chain() {
            if depth > DEEPEST || self.steps.len() >= MOST_STEPS {
                return Ok(());
            }
            let below = if is_put_together(record) { depth } else { depth + 1 };
            if below > depth {
                self.push(record, depth);
            }
            for input in &record.inputs {
                self.follow(input, below)?;
            }
            if record.step == Kind::Source {
                self.behind_rendered_file(record, depth + 1)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, record: &Record, depth: usize) {
        let line = match record.span {
            Some(span) if !self.secret => self.sources.line(span).map(str::to_owned),
            _ => None,
        };
        let note = record.note.as_deref().filter(|_| !self.secret || record.step != Kind::SetFlag).map(str::to_owned);
        let step = Step { depth, what: record.step.describe(), span: record.span, note, line };
        if self.steps.last() != Some(&step) {
            self.steps.push(step);
        }
    }

    /// A manifest that `onepane render` wrote goes on with the template and the values it was rendered from.
    fn behind_rendered_file(&mut self, record: &Record, depth: usize) -> Result<()> {
        let Some(span) = record.span else { return Ok(()) };
        if self.sources.release_of(span.file.path()).is_none() {
            return Ok(());
        }
        let rendered = match self.sources.rendered(span.file.path()) {
            Ok(rendered) => rendered,
            Err(error) if error.code == "helmfile-secrets" => {
                let note = Some("its release has secrets, which can't be read here".to_owned());
                self.steps.push(Step { depth, what: "unknown", span: None, note, line: None });
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let origin = rendered.map(|file| file.origin_of(span));
        match origin {
            Some(origin) => self.follow(&origin, depth),
            None => {
                let is_encrypted = self.sources.is_encrypted(span.file.path());
                let what = if is_encrypted { "the rendered file is encrypted" } else { STALE };
                let note = Some(what.to_owned());
                self.steps.push(Step { depth, what: "unknown", span: None, note, line: None });
                Ok(())
            }
        }
    }
}
