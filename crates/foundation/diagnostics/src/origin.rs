//! The history of a value: [`Origin`] is what a value, a YAML node or a stretch of rendered text carries.

use crate::{SourceText, Span};
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Where a value came from, and what it replaced.
///
/// One pointer wide and null where origins are switched off or nothing is known, so that carrying it costs next to
/// nothing. Cloning shares the record.
#[derive(Clone, Default)]
pub struct Origin(Option<Arc<Known>>);

enum Known {
    Record(Record),
    Printed(Printed),
    Decided(Decided),
}

/// Something that is there, or is as it is, because of something else that it was not made of.
struct Decided {
    own: Origin,
    by: Origin,
}

/// Text that a template printed. There are as many as a template has pieces, and few are ever looked at: what a report
/// says of one is worked out then.
struct Printed {
    source: Arc<SourceText>,
    /// Literal text from here on.
    start: u32,
    /// Where literal text ends; for what an action printed, where that starts.
    end: u32,
    note: Option<Arc<str>>,
    inputs: Inputs,
    record: OnceLock<Box<Record>>,
}

/// What was printed. Mostly that is one value, which needs no room of its own.
#[derive(Default)]
enum Inputs {
    #[default]
    None,
    One(Origin),
    Several(Box<[Origin]>),
}

impl From<Vec<Origin>> for Inputs {
    fn from(mut inputs: Vec<Origin>) -> Self {
        match inputs.len() {
            0 => Self::None,
            1 => inputs.pop().map_or(Self::None, Self::One),
            _ => Self::Several(inputs.into()),
        }
    }
}

impl std::ops::Deref for Inputs {
    type Target = [Origin];

    fn deref(&self) -> &[Origin] {
        match self {
            Self::None => &[],
            Self::One(only) => std::slice::from_ref(only),
            Self::Several(inputs) => inputs,
        }
    }
}

impl std::ops::DerefMut for Inputs {
    fn deref_mut(&mut self) -> &mut [Origin] {
        match self {
            Self::None => &mut [],
            Self::One(only) => std::slice::from_mut(only),
            Self::Several(inputs) => inputs,
        }
    }
}

impl Printed {
    fn new(source: &Arc<SourceText>, (start, end): (u32, u32), note: Option<Arc<str>>, inputs: Inputs) -> Self {
        Self { source: source.clone(), start, end, note, inputs, record: OnceLock::new() }
    }

    /// Whether literal text is of several lines.
    fn is_lines(&self) -> bool {
        let text = literal(&self.source, self.start, self.end);
        onepane_bytes::find(b'\n', text).is_some_and(|at| at + 1 < text.len())
    }

    fn record(&self) -> &Record {
        self.record.get_or_init(|| {
            let span = match self.start < self.end {
                true => self.source.line_span(self.start as usize, self.end as usize),
                false => self.source.span(self.start as usize, 0),
            };
            let (note, inputs) = (self.note.clone(), self.inputs.to_vec());
            Box::new(Record { step: Step::Template, span, note, inputs, previous: Origin::UNKNOWN })
        })
    }

    fn at_line(&self, n: usize) -> Origin {
        let (start, end) = (self.start as usize, self.end as usize);
        let printed = match &self.inputs {
            Inputs::One(only) => {
                Self::new(&self.source, (self.start, self.end), self.note.clone(), Inputs::One(only.of_line(n)))
            }
            _ => {
                let start = self.source.line_start(start, end, n);
                Self::new(&self.source, (start as u32, self.end), None, Inputs::None)
            }
        };
        Origin(Some(Arc::new(Known::Printed(printed))))
    }
}

fn literal(source: &SourceText, start: u32, end: u32) -> &[u8] {
    &source.bytes()[start as usize..end as usize]
}

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
    /// A chart's `Chart.yaml`.
    ChartMetadata,
    /// A values file named by the user or a state file.
    ValuesFile,
    /// What was decrypted, or what a reference to a secret stands for.
    Secret,
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
    /// A function, which a container or an executable runs.
    Function,
    /// Any other transformer.
    Transformer,
    /// A key that several files have, the inputs, so that none of them alone gave it.
    SharedKey,
    /// A key that is not there: the note is the key, the input the map that lacks it.
    Absent,
}

impl Step {
    /// The step in the words of a report.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Source => "manifest",
            Self::ChartDefaults => "chart defaults",
            Self::ChartMetadata => "chart metadata",
            Self::ValuesFile => "values file",
            Self::Secret => "secret",
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
            Self::Function => "function",
            Self::Transformer => "transformer",
            Self::SharedKey => "key of several files",
            Self::Absent => "absent key",
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

    /// Literal text of a template from byte `start` to `end`, which are characters' boundaries. Of several lines each
    /// has an origin of its own, see [`Origin::at_line`].
    pub fn literal(source: &Arc<SourceText>, start: u32, end: u32) -> Self {
        Self(Some(Arc::new(Known::Printed(Printed::new(source, (start, end), None, Inputs::None)))))
    }

    /// What the action at byte `position` of a template printed of what it read.
    pub fn printed(source: &Arc<SourceText>, position: u32, note: Option<Arc<str>>, inputs: Vec<Self>) -> Self {
        Self(Some(Arc::new(Known::Printed(Printed::new(source, (position, position), note, inputs.into())))))
    }

    /// The same of one value alone.
    pub fn passed_on(&self, source: &Arc<SourceText>, position: u32, note: Option<Arc<str>>) -> Self {
        let inputs = Inputs::One(self.clone());
        Self(Some(Arc::new(Known::Printed(Printed::new(source, (position, position), note, inputs)))))
    }

    /// The same, where `by` decided that it is there at all, or how what it was made of is put together.
    pub fn decided_by(self, by: &Self) -> Self {
        if !by.is_known() {
            return self;
        }
        Self(Some(Arc::new(Known::Decided(Decided { own: self, by: by.clone() }))))
    }

    /// It without what decided on it last, and that, where it was asked for.
    pub fn decision(&self) -> Option<(&Self, &Self)> {
        match self.0.as_deref() {
            Some(Known::Decided(decided)) => Some((&decided.own, &decided.by)),
            _ => None,
        }
    }

    /// Whether nothing is known of it but what decided on it: it may stand for a place where nothing is.
    pub fn is_decision_only(&self) -> bool {
        self.is_known() && !self.own().is_known()
    }

    /// It without what decided on it.
    fn own(&self) -> &Self {
        let mut origin = self;
        while let Some(Known::Decided(decided)) = origin.0.as_deref() {
            origin = &decided.own;
        }
        origin
    }

    /// What a place of several texts was made of: all of `inputs`, at no line of its own.
    pub fn made_of(inputs: Vec<Self>) -> Self {
        match inputs.len() {
            0 => Self::UNKNOWN,
            1 => inputs.into_iter().next().unwrap_or_default(),
            _ => Self::from(Record { step: Step::Template, span: None, note: None, inputs, previous: Self::UNKNOWN }),
        }
    }

    /// The key of a value with this history: where that replaced another one, both have the key.
    pub fn of_key(&self) -> Self {
        if self.record().is_none_or(|record| !record.previous.is_known()) {
            return self.clone();
        }
        let lines = self.chain().filter_map(|record| Some(Self::at(record.step, record.span?)));
        let (inputs, previous) = (lines.collect(), Self::UNKNOWN);
        Self::from(Record { step: Step::SharedKey, span: None, note: None, inputs, previous })
    }

    /// What tells its record from others.
    pub fn address(&self) -> Option<usize> {
        self.0.as_ref().map(|known| Arc::as_ptr(known).addr())
    }

    /// Whether what it stands for is literal text of several lines.
    pub fn has_lines(&self) -> bool {
        let mut origin = self;
        while let Some(Known::Printed(printed)) = origin.own().0.as_deref() {
            match &printed.inputs {
                Inputs::One(only) => origin = only,
                Inputs::None => return printed.is_lines(),
                Inputs::Several(_) => return false,
            }
        }
        false
    }

    /// Where the text that it stands for has lines: its origin from the `n`th on, from 0. The report names the first of
    /// them.
    pub fn at_line(&self, n: usize) -> Self {
        if n > 0 && self.has_lines() { self.of_line(n) } else { self.clone() }
    }

    /// The same of what has lines.
    fn of_line(&self, n: usize) -> Self {
        match self.0.as_deref() {
            Some(Known::Printed(printed)) => printed.at_line(n),
            Some(Known::Decided(decided)) => decided.own.of_line(n).decided_by(&decided.by),
            _ => self.clone(),
        }
    }

    /// The record, where something is known.
    pub fn record(&self) -> Option<&Record> {
        match self.own().0.as_deref()? {
            Known::Record(record) => Some(record),
            Known::Printed(printed) => Some(printed.record()),
            Known::Decided(_) => None,
        }
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

    /// The secret that it was made of, if any: what it is itself, or what it read. What it replaced is not in it.
    pub fn secret(&self) -> Option<&Record> {
        // What several steps read is looked at once.
        let mut seen = HashSet::new();
        let mut rest = vec![self];
        while let Some(known) = rest.pop().map(|origin| origin.0.as_ref()) {
            let Some(known) = known.filter(|known| seen.insert(Arc::as_ptr(known))) else { continue };
            match &**known {
                Known::Record(record) if record.step == Step::Secret => return Some(record),
                Known::Record(record) => rest.extend(&record.inputs),
                Known::Printed(printed) => rest.extend(&*printed.inputs),
                Known::Decided(decided) => rest.push(&decided.own),
            }
        }
        None
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
        Self(Some(Arc::new(Known::Record(record))))
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
impl Drop for Known {
    fn drop(&mut self) {
        let mut rest = Vec::new();
        self.let_go(&mut rest);
        while let Some(mut known) = rest.pop() {
            known.let_go(&mut rest);
        }
    }
}

impl Known {
    /// Moves what it alone holds on to.
    fn let_go(&mut self, rest: &mut Vec<Self>) {
        let mut take = |origin: &mut Origin| rest.extend(origin.0.take().and_then(Arc::into_inner));
        match self {
            Self::Record(record) => {
                record.inputs.iter_mut().for_each(&mut take);
                take(&mut record.previous);
            }
            Self::Printed(printed) => {
                printed.inputs.iter_mut().for_each(&mut take);
                if let Some(record) = printed.record.get_mut() {
                    record.inputs.iter_mut().for_each(&mut take);
                }
            }
            Self::Decided(decided) => {
                take(&mut decided.own);
                take(&mut decided.by);
            }
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
    fn a_secret_is_found_in_what_was_read_and_not_in_what_was_replaced() {
        let secret = Origin::at(Step::Secret, Span::new(crate::FileId::new("secrets.yaml"), 4, 1));
        let read = |inputs: &[&Origin]| {
            let inputs = inputs.iter().map(|input| (*input).clone()).collect();
            Origin::from(Record { step: Step::Template, span: None, note: None, inputs, previous: Origin::UNKNOWN })
        };
        let line = |origin: &Origin| origin.secret().and_then(|record| record.span).map(|span| span.line);
        assert_eq!(line(&secret.over(&origin(1))), Some(4));
        assert_eq!(line(&origin(1).over(&secret)), None);
        // As many ways lead there as to the power of 40.
        let mut deep = read(&[&origin(1), &secret]);
        for _ in 0..40 {
            deep = read(&[&origin(2), &deep, &deep]);
        }
        assert_eq!((line(&deep), line(&Origin::UNKNOWN)), (Some(4), None));
    }

    #[test]
    fn printed_text_that_was_passed_on_and_looked_at_is_dropped_without_recursion() {
        let source = Arc::new(SourceText::new(None, "a\nb\n"));
        let mut chain = Origin::literal(&source, 0, 4);
        for _ in 0..1_000_000 {
            chain = chain.passed_on(&source, 0, None);
            chain.record();
        }
        assert!(chain.has_lines());
    }

    #[test]
    fn a_history_of_a_million_steps_is_dropped_without_recursion() {
        let mut chain = origin(1);
        for step in 0..1_000_000 {
            chain = match step % 3 {
                0 => origin(2).over(&chain),
                1 => Origin::made_of(vec![origin(3), chain]),
                _ => chain.decided_by(&origin(4)),
            };
        }
        drop(chain);
    }

    #[test]
    fn what_was_decided_on_is_what_it_was_and_knows_by_what() {
        let decided = origin(1).decided_by(&origin(2)).decided_by(&origin(3));
        assert_eq!(decided.span().map(|span| span.line), Some(1));
        let (inner, by) = decided.decision().expect("something decided");
        assert_eq!(by.span().map(|span| span.line), Some(3));
        assert_eq!(inner.decision().and_then(|(_, by)| by.span()).map(|span| span.line), Some(2));
        let nothing = Origin::UNKNOWN.decided_by(&origin(2));
        assert!(nothing.is_known() && nothing.record().is_none());
    }
}
