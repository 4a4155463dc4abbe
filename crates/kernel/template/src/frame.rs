//! What one template sees while it runs: its variables and the place it is at.

use crate::error::{Error, ErrorParts};
use crate::tree::{Command, Operand, Pipeline, Shown, TemplateCall, Tree, UNDECLARED, Variable};
use onepane_value::Value;

/// A running template.
pub(crate) struct Frame<'t> {
    pub(crate) tree: &'t Tree,
    pub(crate) at: At<'t>,
    /// [`Pipeline::shift`] of the action at hand.
    pub(crate) shift: u32,
    /// By slot; the first is `$`.
    pub(crate) variables: Vec<Slot>,
}

/// A value as Go's reflection would hold it.
///
/// What a map or a list of interfaces gives is an interface: a field of nil is an error there, and its type prints as
/// `interface {}`. What a pipeline gives is the value inside: nil is then no value at all, and a field of it nothing.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) value: Value,
    pub(crate) interface: bool,
}

impl From<Value> for Slot {
    fn from(value: Value) -> Self {
        Self { value, interface: false }
    }
}

impl Slot {
    /// The type as Go's messages name it.
    pub(crate) fn type_name(&self) -> std::borrow::Cow<'static, str> {
        if self.interface { "interface {}".into() } else { self.value.type_name() }
    }
}

/// The node that Go's messages name: the one that was visited last.
#[derive(Clone, Copy)]
pub(crate) enum At<'t> {
    Nothing,
    Pipeline(&'t Pipeline),
    Command(&'t Command),
    Operand(&'t Operand),
    Template(&'t TemplateCall),
}

impl Frame<'_> {
    /// Sets a variable; an error where an undeclared one is assigned to.
    pub(crate) fn set_variable(&mut self, variable: &Variable, value: Slot) -> Result<(), Error> {
        if variable.slot == UNDECLARED {
            return Err(self.undefined(variable));
        }
        self.set(variable.slot as usize, value);
        Ok(())
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, variable: &Variable) -> Result<Slot, Error> {
        self.variables.get(variable.slot as usize).cloned().ok_or_else(|| self.undefined(variable))
    }

    fn undefined(&self, variable: &Variable) -> Error {
        self.error(format!("undefined variable: {}", variable.name.of(&self.tree.unit.source)))
    }

    /// A node as it was written.
    pub(crate) fn shown<'n, N>(&'n self, node: &'n N) -> Shown<'n, N> {
        Shown(node, &self.tree.unit)
    }

    fn set(&mut self, slot: usize, value: Slot) {
        if slot >= self.variables.len() {
            self.variables.resize(slot + 1, Slot::from(Value::NIL));
        }
        self.variables[slot] = value;
    }

    /// Where the template is, in Go's words: position and text of the node.
    fn place(&self) -> Option<(u32, String)> {
        let shifted = |position: u32| position.wrapping_add(self.shift);
        match self.at {
            At::Nothing => None,
            // That of the action stands where it says; one inside it is shared.
            At::Pipeline(node) => Some((shifted(node.position).wrapping_sub(node.shift), self.shown(node).to_string())),
            At::Command(node) => Some((shifted(node.position), self.shown(node).to_string())),
            At::Operand(node) => Some((shifted(node.position), self.shown(node).to_string())),
            At::Template(node) => Some((node.position, self.shown(node).to_string())),
        }
    }

    /// An error here.
    pub(crate) fn error(&self, cause: impl Into<String>) -> Error {
        let cause = cause.into();
        let source = &self.tree.unit.source;
        match self.place() {
            None => {
                let message = format!("template: {}: {cause}", self.tree.name);
                let span = source.text.file().map(|file| onepane_diagnostics::Span::new(file, 1, 1));
                Error::new(message, cause, span)
            }
            Some((position, context)) => {
                let span = source.span(position, context.chars().count());
                Error::new(format!("{}{cause}", self.prefix(position, &context)), cause, span)
            }
        }
    }

    /// An error of a function that was called here.
    pub(crate) fn call_error(&self, name: &str, error: crate::FunctionError) -> Error {
        match error {
            crate::FunctionError::Message(cause) => {
                let said = format!("error calling {name}: {cause}");
                ErrorParts { cause, ..self.error(said).into_parts() }.into()
            }
            crate::FunctionError::Nested(inner) => {
                let ErrorParts { message, span, .. } =
                    self.error(format!("error calling {name}: {}", inner.message)).into_parts();
                let context = self.place().map_or_else(String::new, |(_, context)| context);
                let inner = inner.traced(format!("in `{context}`"), span).into_parts();
                ErrorParts { message, span: inner.span.or(span), ..inner }.into()
            }
        }
    }

    fn prefix(&self, position: u32, context: &str) -> String {
        let (line, column) = self.tree.unit.source.line_and_column(position);
        let name = onepane_value::format::quote(self.tree.name.as_bytes());
        format!("template: {}:{line}:{column}: executing {name} at <{context}>: ", self.tree.unit.source.name)
    }
}

impl Error {
    /// An error that stands nowhere.
    pub(crate) fn unplaced(message: String) -> Self {
        Self::new(message.clone(), message, None)
    }

    /// Remembers the `{{template}}` that led here; Go's own text does not name it.
    pub(crate) fn called_from(self, frame: &Frame<'_>) -> Self {
        match frame.place() {
            Some((position, context)) => {
                self.traced(format!("in `{context}`"), frame.tree.unit.source.span(position, 0))
            }
            None => self,
        }
    }
}
