//! The parsed form of a template: [`Tree`] and its nodes.
//!
//! Nodes show themselves as Go's do, for the `at <…>` of its error texts. Variables are slots, functions are resolved,
//! and names are [`Stretch`]es of the source: most of what is parsed is never executed.

use crate::complex::Complex;
use onepane_diagnostics::{FileId, Origin, Span};
use onepane_value::Text;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A template that can be executed.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The name it is called by.
    pub(crate) name: String,
    pub(crate) source: Arc<Source>,
    pub(crate) root: Vec<Node>,
}

/// The text that a template was parsed from.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name that error texts show: the template's file, even for what is defined inside it.
    pub(crate) name: String,
    pub(crate) file: Option<FileId>,
    /// Byte offsets at which lines start, counted when something asks for a line.
    lines: OnceLock<Vec<usize>>,
    pub(crate) text: Box<str>,
}

impl Source {
    pub(crate) fn new(name: &str, file: Option<FileId>, text: &str) -> Self {
        Self { name: name.to_owned(), file, lines: OnceLock::new(), text: text.into() }
    }

    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let breaks = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0).chain(breaks.map(|at| at + 1)).collect()
        })
    }

    /// The line from 1 and the column in bytes from 0, as Go counts them.
    pub(crate) fn line_and_column(&self, position: usize) -> (usize, usize) {
        let line = self.lines().partition_point(|start| *start <= position).max(1);
        (line, position - self.lines()[line - 1])
    }

    /// The place of `position`, where the text has a file.
    pub(crate) fn span(&self, position: usize, length: usize) -> Option<Span> {
        let (line, column) = self.line_and_column(position);
        let start = self.lines()[line - 1];
        let column = self.text.get(start..start + column).map_or(column, |before| before.chars().count());
        let span = Span::new(self.file?, line as u32, column as u32 + 1);
        Some(span.with_length(length as u32))
    }
}

/// A stretch of a source, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    start: u32,
    end: u32,
}

impl Stretch {
    /// A source that is longer than `u32` says is refused before it is parsed.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(crate) fn of(self, source: &Source) -> &str {
        &source.text[self.start as usize..self.end as usize]
    }
}

impl Tree {
    /// Whether it holds nothing but space.
    pub(crate) fn is_empty(&self) -> bool {
        let blank =
            |text: &TextNode| self.source.text[text.range.clone()].bytes().all(|byte| byte.is_ascii_whitespace());
        self.root.iter().all(|node| matches!(node, Node::Text(text) if blank(text)))
    }
}

/// A piece of a template.
#[derive(Debug)]
pub(crate) enum Node {
    Text(TextNode),
    /// `{{ pipeline }}`
    Action(Action),
    If(Branch),
    With(Branch),
    Range(Branch),
    /// `{{ template "name" pipeline }}`
    Template(TemplateCall),
    Break,
    Continue,
}

/// Literal text by its bytes in the source, in stretches of a line each where origins are on.
#[derive(Debug)]
pub(crate) struct TextNode {
    pub(crate) range: Range<usize>,
    pub(crate) lines: Vec<(Range<usize>, Origin)>,
}

#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) pipeline: Pipeline,
    /// The name of the function that calls another template, for the include chain: `include "a"`.
    pub(crate) includes: Option<Box<str>>,
}

/// `if`, `with` and `range`.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) pipeline: Pipeline,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Option<Vec<Node>>,
}

#[derive(Debug)]
pub(crate) struct TemplateCall {
    pub(crate) position: usize,
    pub(crate) name: String,
    pub(crate) pipeline: Option<Pipeline>,
}

/// Commands, each taking the value of the one before as its last argument.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) position: usize,
    /// The variables that take its value; for `range` two at most.
    pub(crate) declared: Vec<Variable>,
    /// `=` and not `:=`
    pub(crate) assigns: bool,
    pub(crate) commands: Vec<Command>,
}

/// A slot in the frame of a template, and the name it has in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    /// [`UNDECLARED`] for one that Go's parser knows and its execution does not.
    pub(crate) slot: u32,
    pub(crate) name: Stretch,
}

pub(crate) const UNDECLARED: u32 = u32::MAX;

/// An operand and its arguments.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) position: usize,
    pub(crate) operands: Vec<Operand>,
}

/// A term, and where it stands.
#[derive(Debug)]
pub(crate) struct Operand {
    pub(crate) position: usize,
    pub(crate) term: Term,
}

#[derive(Debug)]
pub(crate) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Box<Number>),
    String(StringConstant),
    /// `.a.b`; fields stand here as they are written, from the first point on.
    Field(Stretch),
    /// `$x.a.b`
    Variable(Variable, Stretch),
    /// `(…).a.b`, `f.a`
    Chain(Box<Operand>, Stretch),
    Function(FunctionCall),
    /// `(…)`
    Pipeline(Box<Pipeline>),
}

#[derive(Debug)]
pub(crate) struct StringConstant {
    pub(crate) written: Stretch,
    /// What it says, where that is not what stands between the quotes.
    pub(crate) unquoted: Option<Box<[u8]>>,
}

impl StringConstant {
    pub(crate) fn text(&self, source: &Source) -> Text {
        match &self.unquoted {
            Some(bytes) => Text::from(&**bytes),
            None => {
                let written = self.written.of(source);
                Text::from(&written[1..written.len() - 1])
            }
        }
    }
}

/// A function, resolved when the template is parsed.
#[derive(Debug)]
pub(crate) struct FunctionCall {
    /// Its place in the function table.
    pub(crate) index: u16,
    pub(crate) name: &'static str,
    /// What the engine itself has to do with the arguments.
    pub(crate) special: Option<Special>,
}

/// Functions that see more of their arguments than values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    /// Arguments are evaluated until one is false.
    And,
    /// Arguments are evaluated until one is true.
    Or,
    /// Names its first argument as it is written.
    Call,
    /// Tells nil from nothing.
    Len,
}

/// A number constant: Go decides by its use which of the types it is.
#[derive(Debug)]
pub(crate) struct Number {
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    /// Where nothing asks for a type, it is a float if it is written as one.
    pub(crate) written_as_float: bool,
    /// Where nothing asks for a type, it is this before anything else.
    pub(crate) complex: Option<Complex>,
    pub(crate) text: Box<str>,
}

/// A node with the source that its names stand in, to be shown as it was written.
pub(crate) struct Shown<'t, N>(pub(crate) &'t N, pub(crate) &'t Source);

impl fmt::Display for Shown<'_, Pipeline> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(pipeline, source) = self;
        for (index, variable) in pipeline.declared.iter().enumerate() {
            write!(f, "{}{}", if index > 0 { ", " } else { "" }, variable.name.of(source))?;
        }
        if !pipeline.declared.is_empty() {
            f.write_str(if pipeline.assigns { " = " } else { " := " })?;
        }
        for (index, command) in pipeline.commands.iter().enumerate() {
            write!(f, "{}{}", if index > 0 { " | " } else { "" }, Shown(command, source))?;
        }
        Ok(())
    }
}

impl fmt::Display for Shown<'_, Command> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.0.operands.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            parenthesized(operand, self.1, f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Shown<'_, Operand> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(operand, source) = self;
        match &operand.term {
            Term::Dot => f.write_str("."),
            Term::Nil => f.write_str("nil"),
            Term::Bool(value) => write!(f, "{value}"),
            Term::Number(number) => f.write_str(&number.text),
            Term::String(constant) => f.write_str(constant.written.of(source)),
            Term::Field(names) => f.write_str(names.of(source)),
            Term::Variable(variable, names) => {
                f.write_str(variable.name.of(source))?;
                f.write_str(names.of(source))
            }
            Term::Chain(operand, names) => {
                parenthesized(operand, source, f)?;
                f.write_str(names.of(source))
            }
            Term::Function(call) => f.write_str(call.name),
            Term::Pipeline(pipeline) => write!(f, "{}", Shown(&**pipeline, source)),
        }
    }
}

fn parenthesized(operand: &Operand, source: &Source, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match operand.term {
        Term::Pipeline(_) => write!(f, "({})", Shown(operand, source)),
        _ => write!(f, "{}", Shown(operand, source)),
    }
}

impl fmt::Display for Shown<'_, TemplateCall> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(call, source) = self;
        write!(f, "{{{{template {}", onepane_value::format::quote(call.name.as_bytes()))?;
        match &call.pipeline {
            Some(pipeline) => write!(f, " {}}}}}", Shown(pipeline, source)),
            None => f.write_str("}}"),
        }
    }
}
