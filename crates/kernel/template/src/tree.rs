//! The parsed form of a template: [`Tree`] and its nodes.
//!
//! Nodes show themselves as Go's do, for the `at <…>` of its error texts. Variables are slots, functions are resolved.

use crate::Function;
use crate::complex::Complex;
use onepane_diagnostics::{FileId, Origin, Span};
use onepane_value::Value;
use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;

/// A template that can be executed.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The name it is called by.
    pub(crate) name: String,
    pub(crate) source: std::rc::Rc<Source>,
    pub(crate) root: Vec<Node>,
}

/// The text that a template was parsed from.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name that error texts show: the template's file, even for what is defined inside it.
    pub(crate) name: String,
    pub(crate) file: Option<FileId>,
    /// Byte offsets at which lines start, counted when something asks for a line.
    lines: OnceCell<Vec<usize>>,
    pub(crate) text: Box<str>,
}

impl Source {
    pub(crate) fn new(name: &str, file: Option<FileId>, text: &str) -> Self {
        Self { name: name.to_owned(), file, lines: OnceCell::new(), text: text.into() }
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
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) slot: usize,
    pub(crate) name: Box<str>,
}

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
    Number(Number),
    /// Its value, and as it was written.
    String(Value, Box<str>),
    /// `.a.b`; fields stand here as they are written, from the first point on.
    Field(Box<str>),
    /// `$x.a.b`
    Variable(Variable, Box<str>),
    /// `(…).a.b`, `f.a`
    Chain(Box<Operand>, Box<str>),
    Function(FunctionCall),
    /// `(…)`
    Pipeline(Box<Pipeline>),
}

/// A function, resolved when the template is parsed.
pub(crate) struct FunctionCall {
    pub(crate) function: Function,
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

impl fmt::Debug for FunctionCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function.name)
    }
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

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, variable) in self.declared.iter().enumerate() {
            write!(f, "{}{}", if index > 0 { ", " } else { "" }, variable.name)?;
        }
        if !self.declared.is_empty() {
            f.write_str(if self.assigns { " = " } else { " := " })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if index > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.operands.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match operand.term {
                Term::Pipeline(_) => write!(f, "({operand})")?,
                _ => write!(f, "{operand}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.term {
            Term::Dot => f.write_str("."),
            Term::Nil => f.write_str("nil"),
            Term::Bool(value) => write!(f, "{value}"),
            Term::Number(number) => f.write_str(&number.text),
            Term::String(_, written) => f.write_str(written),
            Term::Field(names) => f.write_str(names),
            Term::Variable(variable, names) => {
                f.write_str(&variable.name)?;
                f.write_str(names)
            }
            Term::Chain(operand, names) => {
                match operand.term {
                    Term::Pipeline(_) => write!(f, "({operand})")?,
                    _ => write!(f, "{operand}")?,
                }
                f.write_str(names)
            }
            Term::Function(call) => f.write_str(call.function.name),
            Term::Pipeline(pipeline) => write!(f, "{pipeline}"),
        }
    }
}

impl fmt::Display for TemplateCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", onepane_value::format::quote(self.name.as_bytes()))?;
        match &self.pipeline {
            Some(pipeline) => write!(f, " {pipeline}}}}}"),
            None => f.write_str("}}"),
        }
    }
}
