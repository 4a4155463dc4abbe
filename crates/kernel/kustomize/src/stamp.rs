//! Leaving a trace: every step that changes a node writes itself into the node's history through a [`Stamp`].

use crate::kustomization::SaidAt;
use onepane_diagnostics::{Origin, Record, Span, Step};
use onepane_yaml::{Content, History, Node, Style};
use std::sync::Arc;

/// A step of the build and the line that asks for it. Does nothing where histories are switched off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stamp(Option<Mark>);

#[derive(Clone, Debug)]
struct Mark {
    step: Step,
    span: Option<Span>,
    note: Option<Arc<str>>,
    /// What it reads wherever it makes something.
    inputs: Vec<Origin>,
}

impl Stamp {
    /// Leaves no trace.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self(None);

    /// A step asked for at `span`; `enabled` is whether histories are kept at all.
    pub(crate) fn new(enabled: bool, step: Step, span: Option<Span>) -> Self {
        Self(enabled.then_some(Mark { step, span, note: None, inputs: Vec::new() }))
    }

    /// The same step, with what it calls itself.
    pub(crate) fn noted(self, note: &str) -> Self {
        Self(self.0.map(|mark| Mark { note: Some(note.into()), ..mark }))
    }

    /// The same step for an entry, at the line that gives the value.
    pub(crate) fn said_at(self, lines: &SaidAt) -> Self {
        let of = |step| lines.beside.iter().map(|span| Origin::at(step, *span)).collect();
        Self(self.0.map(|mark| Mark { span: lines.value.or(mark.span), inputs: of(mark.step), ..mark }))
    }

    /// The origin of a value that replaces one with the origin `previous`.
    pub(crate) fn over(&self, previous: Origin, mut inputs: Vec<Origin>) -> Origin {
        match &self.0 {
            Some(mark) => {
                inputs.extend_from_slice(&mark.inputs);
                Origin::from(Record { step: mark.step, span: mark.span, note: mark.note.clone(), inputs, previous })
            }
            None => previous,
        }
    }

    /// Marks a node that this step made or is about to change; a step that comes by twice is told once.
    pub(crate) fn mark(&self, node: &mut Node) {
        if let Some(mark) = &self.0 {
            let previous = node.origin();
            let same = |newest: &Record| (newest.step, newest.span, &newest.note) == (mark.step, mark.span, &mark.note);
            if !previous.record().is_some_and(same) {
                node.history = History(self.over(previous, Vec::new()));
            }
        }
    }

    /// Marks a node that was made from `sources`.
    pub(crate) fn mark_from(&self, node: &mut Node, sources: &[&Origin]) {
        if self.0.is_some() {
            let mut inputs: Vec<Origin> = Vec::new();
            for source in sources {
                if source.is_known() && !inputs.iter().any(|input| input.same(source)) {
                    inputs.push((*source).clone());
                }
            }
            node.history = History(self.over(node.origin(), inputs));
        }
    }

    /// Puts a text into a scalar as kyaml's field setter does: the style stays, the tag is the given one.
    pub(crate) fn set_scalar(&self, node: &mut Node, text: impl Into<Box<str>>, tag: Option<&str>) {
        self.mark(node);
        node.content = Content::Scalar(text.into());
        node.tag = tag.map(Into::into);
        node.comments = None;
        // Whether a number that was quoted stays a string is decided by the style, which is kept.
        if !matches!(
            node.style,
            Style::Plain | Style::SingleQuoted | Style::DoubleQuoted | Style::Literal | Style::Folded
        ) {
            node.style = Style::Plain;
        }
    }

    /// A string that this step made.
    pub(crate) fn string(&self, text: impl Into<Box<str>>) -> Node {
        let mut node = Node::string(text);
        self.mark(&mut node);
        node
    }
}
