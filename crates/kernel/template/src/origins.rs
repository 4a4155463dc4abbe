//! Where text comes from: [`Literal`] and [`Printer`], which put it out with its origins.
//!
//! What they know is worked out when a node first prints, because most of what is parsed never does.

use crate::tree::{Action, Operand, Pipeline, Source, Stretch, TemplateCall, Term, Unit};
use onepane_diagnostics::{Origin, SourceText};
use onepane_value::format::quote;
use onepane_value::{Text, TextBuilder};
use std::sync::{Arc, OnceLock};

/// Literal text.
#[derive(Debug, Default)]
pub(crate) struct Literal(OnceLock<Origin>);

impl Literal {
    /// Puts out the text at `range`, on which `decision` decided.
    pub(crate) fn put_out(&self, range: Stretch, source: &Source, decision: &Origin, out: &mut TextBuilder) {
        let origin = self.0.get_or_init(|| Origin::literal(&source.text, range.start(), range.end()));
        match decision.is_known() {
            true => out.push(range.bytes(source), &origin.clone().decided_by(decision)),
            false => out.push(range.bytes(source), origin),
        }
    }
}

/// What an action or a call of a template calls, for the include chain: `include "a"`.
#[derive(Debug, Default)]
pub(crate) struct Printer(OnceLock<Option<Arc<str>>>);

impl Printer {
    /// Puts out what an action printed, who read `reads`; an action in a text that has no file, as that of `tpl`, is
    /// explained by that alone.
    pub(crate) fn put_out(
        &self,
        action: &Action,
        unit: &Unit,
        reads: Vec<Origin>,
        decisions: &[Origin; 2],
        text: &Text,
        out: &mut TextBuilder,
    ) {
        let source = &unit.source.text;
        let note = || source.file().and_then(|_| called(&action.pipeline, unit));
        let (position, note) = (action.pipeline.position, self.0.get_or_init(note));
        Site { source, position, note, decisions }.put_out(text, reads, out);
    }

    /// Puts out what a template printed, behind the line that called it.
    pub(crate) fn put_out_called(
        &self,
        call: &TemplateCall,
        unit: &Unit,
        decisions: &[Origin; 2],
        text: &Text,
        out: &mut TextBuilder,
    ) {
        let note = || Some(format!("template {}", quote(unit.names.get(call.name).as_bytes())).into());
        let (source, position, note) = (&unit.source.text, call.position, self.0.get_or_init(note));
        Site { source, position, note, decisions }.put_out(text, Vec::new(), out);
    }
}

/// The place that something is printed at.
struct Site<'u> {
    source: &'u Arc<SourceText>,
    position: u32,
    note: &'u Option<Arc<str>>,
    /// What decided on stretches that know what they were made of, and on the others.
    decisions: &'u [Origin; 2],
}

impl Site<'_> {
    /// Whether there is nothing to tell of it but what was read.
    fn adds_nothing(&self) -> bool {
        self.source.file().is_none() && self.note.is_none()
    }

    /// The origin of what is printed here of `reads`.
    fn after(&self, reads: Vec<Origin>) -> Origin {
        if self.adds_nothing() && reads.len() < 2 {
            return reads.into_iter().next().unwrap_or_default();
        }
        Origin::printed(self.source, self.position, self.note.clone(), reads)
    }

    /// The origin of what is printed here and came from `origin` before.
    fn after_that(&self, origin: &Origin) -> Origin {
        match self.adds_nothing() {
            true => origin.clone(),
            false => origin.passed_on(self.source, self.position, self.note.clone()),
        }
    }

    fn put_out(&self, text: &Text, reads: Vec<Origin>, out: &mut TextBuilder) {
        let Some(marks) = text.marks() else {
            out.push(text, &self.after(reads).decided_by(&self.decisions[1]));
            return;
        };
        let mut unmarked = None;
        let mut pieces = marks.iter().peekable();
        let mut start = 0;
        let mut origin = &Origin::UNKNOWN;
        loop {
            let end = pieces.peek().map_or(text.len(), |(next, _)| *next);
            let bytes = &text[start..end];
            if bytes.is_empty() && origin.is_decision_only() {
                out.point(&origin.clone().decided_by(&self.decisions[0]));
            } else if origin.is_known() {
                out.push(bytes, &self.after_that(origin).decided_by(&self.decisions[0]));
            } else if !bytes.is_empty() {
                let unmarked = unmarked.get_or_insert_with(|| self.after(reads.clone()).decided_by(&self.decisions[1]));
                out.push(bytes, unmarked);
            }
            match pieces.next() {
                Some(next) => (start, origin) = next,
                None => return,
            }
        }
    }
}

/// What an action calls by `include` or `tpl`, for the include chain.
fn called(pipeline: &Pipeline, unit: &Unit) -> Option<Arc<str>> {
    unit.commands.all(pipeline.commands).iter().find_map(|command| {
        let operands = unit.operands.all(command.operands);
        if let Term::Function(call) = &operands[0].term
            && let name @ ("include" | "tpl") = call.name.of(&unit.source)
        {
            return Some(match operands.get(1) {
                Some(Operand { term: Term::String(constant), .. }) => {
                    format!("{name} {}", constant.written.of(&unit.source)).into()
                }
                _ => name.into(),
            });
        }
        operands.iter().find_map(|operand| match operand.term {
            Term::Pipeline(pipeline) => called(unit.pipelines.get(pipeline), unit),
            _ => None,
        })
    })
}
