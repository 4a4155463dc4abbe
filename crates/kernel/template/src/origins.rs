//! Where text comes from: [`Literal`] and [`Printer`], which put it out with its origins.
//!
//! What they know is worked out when a node first prints, because most of what is parsed never does.

use crate::tree::{Action, Operand, Pipeline, Source, Stretch, TemplateCall, Term, Unit};
use onepane_diagnostics::{Origin, Record, Span, Step};
use onepane_value::format::quote;
use onepane_value::{Text, TextBuilder};
use std::sync::{Arc, OnceLock};

/// Literal text in stretches of a line each.
#[derive(Debug, Default)]
pub(crate) struct Literal(OnceLock<Vec<(Stretch, Origin)>>);

impl Literal {
    /// Puts out the text at `range`.
    pub(crate) fn put_out(&self, range: Stretch, source: &Source, out: &mut TextBuilder) {
        let lines = self.0.get_or_init(|| {
            let mut lines = Vec::with_capacity(source.lines_of(range).len());
            let origin = |span: Option<Span>| span.map_or(Origin::UNKNOWN, |span| Origin::at(Step::Template, span));
            lines.extend(source.lines_of(range).map(|(line, span)| (line, origin(span))));
            lines
        });
        for (line, origin) in lines {
            out.push(line.of(source).as_bytes(), origin);
        }
    }
}

/// The place that an action prints at, or a call of a template.
#[derive(Debug, Default)]
pub(crate) struct Printer(OnceLock<Site>);

#[derive(Debug)]
struct Site {
    span: Option<Span>,
    /// What is called there, for the include chain: `include "a"`.
    note: Option<Arc<str>>,
}

impl Printer {
    /// Puts out what an action printed. What the text knows of itself lies behind the action; an action in a text that
    /// has no file, as that of `tpl`, is explained by what it read.
    pub(crate) fn put_out(
        &self,
        action: &Action,
        unit: &Unit,
        mut reads: Vec<Origin>,
        own: &Origin,
        text: &Text,
        out: &mut TextBuilder,
    ) {
        if text.is_empty() {
            return;
        }
        if own.is_known() && !reads.iter().any(|read| read.same(own)) {
            reads.insert(0, own.clone());
        }
        let site = self.0.get_or_init(|| {
            let span = unit.source.span(action.pipeline.position, 0);
            Site { span, note: span.and_then(|_| called(&action.pipeline, unit)) }
        });
        site.put_out(text, reads, out);
    }

    /// Puts out what a template printed, behind the line that called it.
    pub(crate) fn put_out_called(&self, call: &TemplateCall, unit: &Unit, text: &Text, out: &mut TextBuilder) {
        let site = self.0.get_or_init(|| {
            let note = format!("template {}", quote(unit.names.get(call.name).as_bytes()));
            Site { span: unit.source.span(call.position, 0), note: Some(note.into()) }
        });
        site.put_out(text, Vec::new(), out);
    }
}

impl Site {
    /// The origin of what is printed here of `reads`.
    fn after(&self, reads: &[Origin]) -> Origin {
        if self.span.is_none() && self.note.is_none() && reads.len() < 2 {
            return reads.first().cloned().unwrap_or_default();
        }
        let (note, inputs) = (self.note.clone(), reads.to_vec());
        Origin::from(Record { step: Step::Template, span: self.span, note, inputs, previous: Origin::UNKNOWN })
    }

    fn put_out(&self, text: &Text, reads: Vec<Origin>, out: &mut TextBuilder) {
        let Some(marks) = text.marks() else {
            out.push(text, &self.after(&reads));
            return;
        };
        let mut unmarked = None;
        let mut pieces = marks.iter().peekable();
        let mut start = 0;
        let mut origin = &Origin::UNKNOWN;
        loop {
            let end = pieces.peek().map_or(text.len(), |(next, _)| *next);
            let bytes = &text[start..end];
            if origin.is_known() {
                out.push(bytes, &self.after(std::slice::from_ref(origin)));
            } else if !bytes.is_empty() {
                out.push(bytes, unmarked.get_or_insert_with(|| self.after(&reads)));
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
