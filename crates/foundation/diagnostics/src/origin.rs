//! The history of a value: [`Origin`] is what a value, a YAML node or a stretch of rendered text carries.

use crate::Span;
use std::fmt;
use std::sync::Arc;

/// Where a value came from, and what it replaced.
///
/// One pointer wide and null where origins are switched off or nothing is known, so that carrying it costs next to
/// nothing. Cloning shares the record.
#[derive(Clone, Default)]
pub struct Origin(Option<Arc<Record>>);

/// One step of a value's history.
#[derive(Debug)]
pub struct Record {
    /// What kind of step gave the value.
    pub step: Step,
    /// The line that did it, where a file did.
    pub span: Option<Span>,
    /// What the step calls itself: an include's name, a flag's text, an image's name.
    pub note: Option<Arc<str>>,
    /// What the step read to make the value: the values that a template printed.
    pub inputs: Vec<Origin>,
    /// What the value was before this step.
    pub previous: Origin,
}

/// The kinds of step that give a field its value, from chart defaults to the overlay of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A line of a manifest or another plain file.
    Source,
    /// A chart's own `values.yaml`.
    ChartDefaults,
    /// A values file named by the user or a state file.
    ValuesFile,
    /// A `--set` flag or a `set:` entry.
    SetFlag,
    /// A template's text or action.
    Template,
    /// A strategic merge or JSON6902 patch.
    Patch,
    /// An entry of `images:`.
    Image,
    /// An entry of `replicas:`.
    Replicas,
    /// `namespace:`.
    Namespace,
    /// `namePrefix:` or `nameSuffix:`.
    NameAffix,
    /// `labels:` or `commonLabels:`.
    Label,
    /// `commonAnnotations:`.
    Annotation,
    /// A ConfigMap or Secret generator, or the hash that it appends to a name.
    Generator,
    /// A replacement's source.
    Replacement,
    /// A reference that followed its target's new name.
    NameReference,
    /// Any other transformer.
    Transformer,
}

impl Step {
    /// The step in the words of a report.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Source => "manifest",
            Self::ChartDefaults => "chart defaults",
            Self::ValuesFile => "values file",
            Self::SetFlag => "set flag",
            Self::Template => "template",
            Self::Patch => "patch",
            Self::Image => "image override",
            Self::Replicas => "replicas override",
            Self::Namespace => "namespace",
            Self::NameAffix => "name prefix or suffix",
            Self::Label => "label",
            Self::Annotation => "annotation",
            Self::Generator => "generator",
            Self::Replacement => "replacement",
            Self::NameReference => "name reference",
            Self::Transformer => "transformer",
        }
    }
}

impl Origin {
    /// Nothing known.
    pub const UNKNOWN: Self = Self(None);

    /// A value that `step` took from `span`.
    pub fn at(step: Step, span: Span) -> Self {
        Self::from(Record { step, span: Some(span), note: None, inputs: Vec::new(), previous: Self::UNKNOWN })
    }

    /// The record, where something is known.
    pub fn record(&self) -> Option<&Record> {
        self.0.as_deref()
    }

    /// Whether anything is known.
    pub fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// The line that gave the value, where a file did.
    pub fn span(&self) -> Option<Span> {
        self.record().and_then(|record| record.span)
    }

    /// This origin as the step that replaced `previous`. Unknown stays unknown.
    pub fn over(&self, previous: &Self) -> Self {
        match self.record() {
            Some(record) if previous.is_known() && !self.same(previous) => Self::from(Record {
                step: record.step,
                span: record.span,
                note: record.note.clone(),
                inputs: record.inputs.clone(),
                previous: previous.clone(),
            }),
            _ => self.clone(),
        }
    }

    /// Whether both are the very same record.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }

    /// The steps from the newest to the oldest.
    pub fn chain(&self) -> Chain<'_> {
        Chain(self)
    }
}

impl From<Record> for Origin {
    fn from(record: Record) -> Self {
        Self(Some(Arc::new(record)))
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.record() {
            None => f.write_str("unknown"),
            Some(record) => match record.span {
                Some(span) => write!(f, "{} {span}", record.step.describe()),
                None => f.write_str(record.step.describe()),
            },
        }
    }
}

// A long history must not overflow the stack when it goes, so it is taken apart in a loop.
impl Drop for Record {
    fn drop(&mut self) {
        let mut next = self.previous.0.take();
        while let Some(mut record) = next.and_then(Arc::into_inner) {
            next = record.previous.0.take();
        }
    }
}

/// The steps of an [`Origin`], newest first.
pub struct Chain<'a>(&'a Origin);

impl<'a> Iterator for Chain<'a> {
    type Item = &'a Record;

    fn next(&mut self) -> Option<&'a Record> {
        let record = self.0.record()?;
        self.0 = &record.previous;
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(line: u32) -> Origin {
        Origin::at(Step::ValuesFile, Span::new(crate::FileId::new("values.yaml"), line, 1))
    }

    #[test]
    fn a_chain_reads_from_the_newest_step_to_the_oldest() {
        let chain = origin(3).over(&origin(2).over(&origin(1)));
        let lines: Vec<_> = chain.chain().map(|record| record.span.map(|span| span.line)).collect();
        assert_eq!(lines, [Some(3), Some(2), Some(1)]);
    }

    #[test]
    fn a_history_of_a_million_steps_is_dropped_without_recursion() {
        let mut chain = origin(1);
        for _ in 0..1_000_000 {
            chain = origin(2).over(&chain);
        }
        drop(chain);
    }
}
