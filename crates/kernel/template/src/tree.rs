//! The parsed form of a template: [`Tree`] and its nodes.
//!
//! Nodes show themselves as Go's do, for the `at <…>` of its error texts. Variables are slots, functions are resolved,
//! and names are [`Stretch`]es of the source: most of what is parsed is never executed. For the same reason nodes own
//! nothing: all that one text was parsed to lies in the few lists of its [`Unit`], and nodes name stretches of those.

use crate::complex::Complex;
use crate::origins::{Literal, Printer};
use onepane_diagnostics::{FileId, SourceText, Span};
use onepane_value::Text;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A template that can be executed.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The name it is called by.
    pub(crate) name: String,
    pub(crate) unit: Arc<Unit>,
    pub(crate) root: Items<Node>,
}

/// A text, and all that it was parsed to: the nodes of the template itself and of those that it defines.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) source: Source,
    pub(crate) nodes: Pool<Node>,
    pub(crate) pipelines: Pool<Pipeline>,
    pub(crate) commands: Pool<Command>,
    pub(crate) operands: Pool<Operand>,
    pub(crate) variables: Pool<Variable>,
    pub(crate) numbers: Pool<Number>,
    /// The strings that say something else than what stands between their quotes.
    pub(crate) strings: Pool<Box<[u8]>>,
    /// Names of templates that are called, and of functions that call one.
    pub(crate) names: Pool<Box<str>>,
    /// Where literal text comes from, and what actions print, where origins are on.
    pub(crate) literals: Pool<Literal>,
    pub(crate) printers: Pool<Printer>,
}

impl Unit {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            nodes: Pool::default(),
            pipelines: Pool::default(),
            commands: Pool::default(),
            operands: Pool::default(),
            variables: Pool::default(),
            numbers: Pool::default(),
            strings: Pool::default(),
            names: Pool::default(),
            literals: Pool::default(),
            printers: Pool::default(),
        }
    }

    /// Whether a list holds nothing but space.
    pub(crate) fn is_blank(&self, nodes: Items<Node>) -> bool {
        let blank = |text: &TextNode| text.range.bytes(&self.source).iter().all(u8::is_ascii_whitespace);
        self.nodes.all(nodes).iter().all(|node| matches!(node, Node::Text(text) if blank(text)))
    }
}

/// Lists that have grown while other texts were parsed, for the next one to be parsed in. What comes of it is copied in its
/// size when it is complete; in lists of its own, it would be copied whenever one of them is full.
#[derive(Default)]
pub(crate) struct Room {
    nodes: Pool<Node>,
    pipelines: Pool<Pipeline>,
    commands: Pool<Command>,
    operands: Pool<Operand>,
    variables: Pool<Variable>,
}

impl Room {
    /// Gives `unit`, in which nothing is, these lists; or takes them back from one that is complete.
    pub(crate) fn swap(&mut self, unit: &mut Unit) {
        self.nodes.swap(&mut unit.nodes);
        self.pipelines.swap(&mut unit.pipelines);
        self.commands.swap(&mut unit.commands);
        self.operands.swap(&mut unit.operands);
        self.variables.swap(&mut unit.variables);
    }
}

/// A list that nodes name items of.
#[derive(Debug)]
pub(crate) struct Pool<T>(Vec<T>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Pool<T> {
    /// More room than this is given back.
    const MOST: usize = 1 << 14;

    /// Trades lists with `of`, whose items stay.
    fn swap(&mut self, of: &mut Self) {
        let items = of.0.as_slice().to_vec();
        of.0.clear();
        of.0.shrink_to(Self::MOST);
        std::mem::swap(&mut self.0, &mut of.0);
        if !items.is_empty() {
            of.0 = items;
        }
    }
}

impl<T> Pool<T> {
    /// Moves what `items` gives into the pool.
    pub(crate) fn add(&mut self, items: impl IntoIterator<Item = T>) -> Items<T> {
        let start = self.0.len();
        self.0.extend(items);
        Items { start: start as u32, end: self.0.len() as u32, of: PhantomData }
    }

    /// Moves the items of `list` from `start` on into the pool.
    pub(crate) fn add_last(&mut self, list: &mut Vec<T>, start: usize) -> Items<T>
    where
        T: Copy,
    {
        let begin = self.0.len();
        match list[start..] {
            // As most pipelines are of one command, and most commands of one operand.
            [only] => self.0.push(only),
            ref items => self.0.extend_from_slice(items),
        }
        list.truncate(start);
        Items { start: begin as u32, end: self.0.len() as u32, of: PhantomData }
    }

    pub(crate) fn push(&mut self, item: T) -> Index<T> {
        self.0.push(item);
        Index { at: self.0.len() as u32 - 1, of: PhantomData }
    }

    pub(crate) fn all(&self, items: Items<T>) -> &[T] {
        &self.0[items.start as usize..items.end as usize]
    }

    pub(crate) fn get(&self, index: Index<T>) -> &T {
        &self.0[index.at as usize]
    }
}

/// Items of a [`Pool`] that follow one another. A source has fewer than a `u32` counts.
#[derive(Debug)]
pub(crate) struct Items<T> {
    start: u32,
    end: u32,
    of: PhantomData<fn() -> T>,
}

/// An item of a [`Pool`].
#[derive(Debug)]
pub(crate) struct Index<T> {
    at: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Items<T> {
    pub(crate) const NONE: Self = Self { start: 0, end: 0, of: PhantomData };

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

impl<T> Clone for Items<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Items<T> {}

impl<T> Clone for Index<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Index<T> {}

/// The text that a template was parsed from.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name that error texts show: the template's file, even for what is defined inside it.
    pub(crate) name: String,
    pub(crate) text: Arc<SourceText>,
}

impl Source {
    pub(crate) fn new(name: &str, file: Option<FileId>, text: &str) -> Self {
        Self { name: name.to_owned(), text: Arc::new(SourceText::new(file, text)) }
    }

    /// A source without a name yet.
    pub(crate) fn unnamed(text: SourceText) -> Self {
        Self { name: String::new(), text: Arc::new(text) }
    }

    /// The line from 1 and the column in bytes from 0, as Go counts them.
    pub(crate) fn line_and_column(&self, position: u32) -> (usize, usize) {
        self.text.line_and_column(position as usize)
    }

    /// The place of `position`, where the text has a file.
    pub(crate) fn span(&self, position: u32, length: usize) -> Option<Span> {
        self.text.span(position as usize, length)
    }
}

/// A stretch of a source, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    start: u32,
    end: u32,
}

impl Stretch {
    pub(crate) fn start(self) -> u32 {
        self.start
    }

    pub(crate) fn end(self) -> u32 {
        self.end
    }

    /// A source that is longer than `u32` says is refused before it is parsed.
    pub(crate) fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// What it is of the text that it is a stretch of.
    pub(crate) fn within(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }

    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub(crate) fn bytes(self, source: &Source) -> &[u8] {
        &source.text.bytes()[self.start as usize..self.end as usize]
    }

    /// As characters, which takes longer: for what is shown to somebody.
    pub(crate) fn of(self, source: &Source) -> &str {
        source.text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl Tree {
    /// Whether it holds nothing but space.
    pub(crate) fn is_empty(&self) -> bool {
        self.unit.is_blank(self.root)
    }
}

/// A piece of a template.
#[derive(Clone, Copy, Debug)]
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

/// Literal text by its bytes in the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextNode {
    pub(crate) range: Stretch,
    /// Where origins are on.
    pub(crate) literal: Option<Index<Literal>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    pub(crate) pipeline: Pipeline,
    /// Where origins are on.
    pub(crate) printer: Option<Index<Printer>>,
}

/// `if`, `with` and `range`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Branch {
    pub(crate) pipeline: Pipeline,
    pub(crate) body: Items<Node>,
    pub(crate) otherwise: Option<Items<Node>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct TemplateCall {
    pub(crate) position: u32,
    pub(crate) name: Index<Box<str>>,
    pub(crate) pipeline: Option<Pipeline>,
    /// Where origins are on.
    pub(crate) printer: Option<Index<Printer>>,
}

/// Commands, each taking the value of the one before as its last argument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pipeline {
    pub(crate) position: u32,
    /// What is added to the positions of all that is inside it, where it shares that with a pipeline that is written alike.
    pub(crate) shift: u32,
    /// The variables that take its value; for `range` two at most.
    pub(crate) declared: Items<Variable>,
    /// `=` and not `:=`
    pub(crate) assigns: bool,
    pub(crate) commands: Items<Command>,
}

impl Pipeline {
    /// The same one, written once more at `position`.
    pub(crate) fn again_at(self, position: u32) -> Self {
        let shift = position.wrapping_sub(self.position).wrapping_add(self.shift);
        Self { position, shift, ..self }
    }
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    pub(crate) position: u32,
    pub(crate) operands: Items<Operand>,
}

/// A term, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operand {
    pub(crate) position: u32,
    pub(crate) term: Term,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Index<Number>),
    String(StringConstant),
    /// `.a.b`; fields stand here as they are written, from the first point on.
    Field(Stretch),
    /// `$x.a.b`
    Variable(Variable, Stretch),
    /// `(…).a.b`, `f.a`
    Chain(Index<Operand>, Stretch),
    Function(FunctionCall),
    /// `(…)`
    Pipeline(Index<Pipeline>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct StringConstant {
    pub(crate) written: Stretch,
    /// What it says, where that is not what stands between the quotes.
    pub(crate) unquoted: Option<Index<Box<[u8]>>>,
}

impl StringConstant {
    pub(crate) fn text(&self, unit: &Unit) -> Text {
        match self.unquoted {
            Some(index) => Text::from(&**unit.strings.get(index)),
            None => {
                let written = self.written.bytes(&unit.source);
                Text::from(&written[1..written.len() - 1])
            }
        }
    }
}

/// A function, resolved when the template is parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionCall {
    /// Its place in the function table.
    pub(crate) place: u16,
    /// What the engine itself has to do with the arguments.
    pub(crate) special: Option<Special>,
    pub(crate) name: Stretch,
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

/// A node with the unit that it is of, to be shown as it was written.
pub(crate) struct Shown<'t, N>(pub(crate) &'t N, pub(crate) &'t Unit);

impl fmt::Display for Shown<'_, Pipeline> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(pipeline, unit) = self;
        for (index, variable) in unit.variables.all(pipeline.declared).iter().enumerate() {
            write!(f, "{}{}", if index > 0 { ", " } else { "" }, variable.name.of(&unit.source))?;
        }
        if !pipeline.declared.is_empty() {
            f.write_str(if pipeline.assigns { " = " } else { " := " })?;
        }
        for (index, command) in unit.commands.all(pipeline.commands).iter().enumerate() {
            write!(f, "{}{}", if index > 0 { " | " } else { "" }, Shown(command, unit))?;
        }
        Ok(())
    }
}

impl fmt::Display for Shown<'_, Command> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.1.operands.all(self.0.operands).iter().enumerate() {
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
        let Self(operand, unit) = self;
        let source = &unit.source;
        match &operand.term {
            Term::Dot => f.write_str("."),
            Term::Nil => f.write_str("nil"),
            Term::Bool(value) => write!(f, "{value}"),
            Term::Number(number) => f.write_str(&unit.numbers.get(*number).text),
            Term::String(constant) => f.write_str(constant.written.of(source)),
            Term::Field(names) => f.write_str(names.of(source)),
            Term::Variable(variable, names) => {
                f.write_str(variable.name.of(source))?;
                f.write_str(names.of(source))
            }
            Term::Chain(operand, names) => {
                parenthesized(unit.operands.get(*operand), unit, f)?;
                f.write_str(names.of(source))
            }
            Term::Function(call) => f.write_str(call.name.of(source)),
            Term::Pipeline(pipeline) => write!(f, "{}", Shown(unit.pipelines.get(*pipeline), unit)),
        }
    }
}

fn parenthesized(operand: &Operand, unit: &Unit, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match operand.term {
        Term::Pipeline(_) => write!(f, "({})", Shown(operand, unit)),
        _ => write!(f, "{}", Shown(operand, unit)),
    }
}

impl fmt::Display for Shown<'_, TemplateCall> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(call, unit) = self;
        write!(f, "{{{{template {}", onepane_value::format::quote(unit.names.get(call.name).as_bytes()))?;
        match &call.pipeline {
            Some(pipeline) => write!(f, " {}}}}}", Shown(pipeline, unit)),
            None => f.write_str("}}"),
        }
    }
}
