//! In which line of which file a value of a build has its source: [`Places`].

use crate::Repository;
use crate::why::Sources;
use onepane_diagnostics::{Origin, Record, Span, Step};

/// The histories of values, read to their sources; what is read for one is kept for the others.
pub struct Places<'r, 'w> {
    pub(crate) sources: Sources<'r, 'w>,
    /// Whether several lines would have to be changed.
    is_shared: bool,
}

/// Where a value has its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// The line that has to be changed to change the value.
    pub span: Span,
    /// The line of the rendered file between that and the build, where there is one.
    pub rendered: Option<Span>,
}

/// Deeper chains are cut; no honest repository comes near.
const DEEPEST: usize = 32;

impl<'r, 'w> Places<'r, 'w> {
    /// For the values of builds of `repository`.
    pub fn new(repository: &'r Repository<'w>) -> Self {
        Self { sources: Sources::new(repository), is_shared: false }
    }

    /// Where the value with this history, in which `text` is written, has its source: the patch, override or manifest
    /// that says it last; for what was rendered, the line of the values file that says `text`, else of the template.
    pub fn of(&mut self, origin: &Origin, text: &str) -> Option<SourcePlace> {
        let mut rendered = None;
        self.is_shared = false;
        let span = self.locate(origin, text, 0, &mut rendered).filter(|_| !self.is_shared)?;
        // A name that followed another one is where it was.
        Some(SourcePlace { span, rendered: rendered.filter(|rendered| *rendered != span) })
    }

    /// [`Self::of`] for a key with this history, below which stands a value with the history `below`: where a template
    /// prints a whole mapping, the line of the key above that of its value.
    pub fn of_key(&mut self, origin: &Origin, text: &str, below: &Origin) -> Option<SourcePlace> {
        let place = self.of(origin, text)?;
        if self.line(place.span).is_some_and(|line| line.contains(text)) || !below.is_known() {
            return Some(place);
        }
        let Some(value) = self.of(below, "") else { return Some(place) };
        /// Keys stand near to what they are keys of.
        const FARTHEST: u32 = 200;
        let is_key = |line: &str| {
            line.trim_start_matches("- ").strip_prefix(text).is_some_and(|rest| rest.trim_start().starts_with(':'))
        };
        let above = (value.span.line.saturating_sub(FARTHEST).max(1)..=value.span.line).rev();
        for line in above {
            let span = Span::new(value.span.file, line, 1);
            if self.line(span).is_some_and(is_key) {
                return Some(SourcePlace { span, ..place });
            }
        }
        Some(place)
    }

    /// The line of a file, without what is around it.
    pub fn line(&mut self, span: Span) -> Option<&str> {
        self.sources.line(span)
    }

    fn locate(&mut self, origin: &Origin, text: &str, depth: usize, rendered: &mut Option<Span>) -> Option<Span> {
        if depth > DEEPEST {
            return None;
        }
        for record in origin.chain() {
            let span = match record.step {
                // Those change a name and leave what it is a name of.
                Step::NameReference | Step::NameAffix if record.previous.is_known() => continue,
                Step::Template | Step::Replacement => self.printed(record, text, depth, rendered),
                Step::Source => self.written(record, text, depth, rendered),
                // To change one line is not enough.
                Step::SharedKey => {
                    self.is_shared = true;
                    return None;
                }
                _ => record.span,
            };
            if span.is_some() {
                return span;
            }
        }
        None
    }

    /// What a template or a replacement has made of values: the one whose line says the text.
    fn printed(&mut self, record: &Record, text: &str, depth: usize, rendered: &mut Option<Span>) -> Option<Span> {
        let mut first = None;
        for input in &record.inputs {
            let Some(span) = self.locate(input, text, depth + 1, rendered) else { continue };
            if self.says(span, text) {
                return Some(span);
            }
            if input.record().is_some_and(|record| record.step == Step::Template) {
                first.get_or_insert(span);
            }
        }
        first.or(record.span)
    }

    /// A line of a file: of one that was rendered, what its release made it of.
    fn written(&mut self, record: &Record, text: &str, depth: usize, rendered: &mut Option<Span>) -> Option<Span> {
        let span = record.span?;
        if self.sources.release_of(span.file.path()).is_none() {
            return Some(span);
        }
        rendered.get_or_insert(span);
        // Where the release can't be rendered, that is told elsewhere.
        let origin = self.sources.rendered(span.file.path()).ok().flatten().map(|file| file.origin_of(span));
        origin.and_then(|origin| self.locate(&origin, text, depth + 1, rendered)).or(Some(span))
    }

    /// Whether the line has to do with the text: it holds it, or says a part of it.
    fn says(&mut self, span: Span, text: &str) -> bool {
        let Some(line) = self.sources.line(span) else { return false };
        let text = text.trim();
        if text.is_empty() || line.contains(text) {
            return true;
        }
        let (_, value) = line.split_once(": ").unwrap_or(("", line));
        let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        !value.is_empty() && text.contains(value)
    }
}
