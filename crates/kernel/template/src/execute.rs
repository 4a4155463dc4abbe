//! Trees to text: [`Execution`].

use crate::decisions::Decisions;
use crate::frame::{At, Frame, Slot};
use crate::origins::Printer;
use crate::parser::Parsed;
use crate::templates::{Options, ParsedTexts, Trees};
use crate::tree::{Action, Branch, Items, Node, Pipeline, TemplateCall, TextNode, Tree};
use crate::{Context, Error, FunctionError, FunctionTable, Host};
use foldhash::fast::RandomState;
use onepane_diagnostics::Origin;
use onepane_value::{Data, ElementType, IntKind, Kind, Map, MapType, Text, TextBuilder, Value, format};
use onepane_world::World;
use std::collections::HashMap;
use std::rc::Rc;

/// One execution of a template, with all that it calls.
pub(crate) struct Execution<'e> {
    pub(crate) functions: &'e FunctionTable,
    pub(crate) options: &'e Options,
    pub(crate) trees: Rc<Trees>,
    world: &'e dyn World,
    host: &'e dyn Host,
    /// How deep `{{template}}` is inside itself. An `include` starts anew, as it does in Go.
    depth: usize,
    /// Where the stack stood when the execution began.
    stack_base: usize,
    /// How often `include` is inside itself, by name.
    including: HashMap<Box<str>, usize, RandomState>,
    /// How deep `tpl` is inside itself.
    tpl_depth: usize,
    parsed: &'e ParsedTexts,
    steps: u64,
    bytes: usize,
    /// Room for arguments, from calls that are over.
    pub(crate) spare: Vec<Vec<Value>>,
    /// The origins of the values that the action at hand has read.
    pub(crate) reads: Vec<Origin>,
    pub(crate) decisions: Decisions,
}

/// How a list of nodes ended.
enum Flow {
    Next,
    Break,
    Continue,
}

/// Go's own limit of `{{template}}` inside itself.
const DEEPEST: usize = 100_000;
/// A `tpl` in a value that calls `tpl` on itself would never end; no chart nests them deeper than a few levels.
const DEEPEST_TPL: usize = 500;
/// More values than this have not made one piece of text on purpose.
const MOST_READS: usize = 64;
/// What Go prints for nothing.
const NO_VALUE: &str = "<no value>";

impl<'e> Execution<'e> {
    pub(crate) fn new(
        functions: &'e FunctionTable,
        options: &'e Options,
        trees: Rc<Trees>,
        parsed: &'e ParsedTexts,
        world: &'e dyn World,
        host: &'e dyn Host,
    ) -> Self {
        Self {
            functions,
            options,
            trees,
            world,
            host,
            depth: 0,
            stack_base: stack_address(),
            including: HashMap::default(),
            tpl_depth: 0,
            parsed,
            steps: 0,
            bytes: 0,
            spare: Vec::new(),
            reads: Vec::new(),
            decisions: Decisions::default(),
        }
    }

    /// Runs the template `name` on `data`.
    pub(crate) fn run(&mut self, name: &str, data: &Value) -> Result<Text, Error> {
        let Some(tree) = self.trees.get(name).cloned() else {
            let name = format::quote(name.as_bytes());
            let set = format::quote(self.options.set_name.as_bytes());
            return Err(Error::unplaced(format!("template: no template {name} associated with template {set}")));
        };
        let mut out = TextBuilder::new();
        self.run_tree(&tree, Slot::from(data.clone()), &mut out)?;
        Ok(out.finish())
    }

    /// A template sees nothing of its caller but the data.
    fn run_tree(&mut self, tree: &Tree, data: Slot, out: &mut TextBuilder) -> Result<(), Error> {
        let mut frame = Frame { tree, at: At::Nothing, shift: 0, variables: vec![data.clone()] };
        if self.stack_base.abs_diff(stack_address()) > self.options.most_stack {
            let megabytes = self.options.most_stack >> 20;
            return Err(
                frame.error(format!("templates call one another too deep: the stack of {megabytes} MB is full"))
            );
        }
        self.walk(&mut frame, &data, tree.root, out).map(|_| ())
    }

    fn walk<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        nodes: Items<Node>,
        out: &mut TextBuilder,
    ) -> Result<Flow, Error> {
        for node in frame.tree.unit.nodes.all(nodes) {
            self.steps += 1;
            if self.steps > self.options.most_steps {
                return Err(frame
                    .error(format!("it takes more than {} steps and does not seem to end", self.options.most_steps)));
            }
            let flow = match node {
                Node::Text(text) => {
                    self.literal(frame, text, out)?;
                    Flow::Next
                }
                Node::Action(action) => {
                    self.action(frame, dot, action, out)?;
                    Flow::Next
                }
                Node::If(branch) | Node::With(branch) if self.options.absences || self.options.decisions => {
                    self.decided(frame, dot, node, branch, out)?
                }
                Node::If(branch) => {
                    let value = self.pipeline(frame, dot, &branch.pipeline)?;
                    self.choose(frame, dot, dot, value.truth(), branch, out)?
                }
                Node::With(branch) => {
                    let value = self.pipeline(frame, dot, &branch.pipeline)?;
                    let truth = value.truth();
                    self.choose(frame, &Slot::from(value), dot, truth, branch, out)?
                }
                Node::Range(branch) => self.range(frame, dot, branch, out)?,
                Node::Template(call) => {
                    self.template(frame, dot, call, out)?;
                    Flow::Next
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if !matches!(flow, Flow::Next) {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn literal(&mut self, frame: &Frame<'_>, node: &TextNode, out: &mut TextBuilder) -> Result<(), Error> {
        self.count(node.range.len()).map_err(|cause| frame.error(cause))?;
        let unit = &frame.tree.unit;
        match node.literal {
            None => out.push(node.range.bytes(&unit.source), &Origin::UNKNOWN),
            Some(literal) => unit.literals.get(literal).put_out(node.range, &unit.source, self.control(), out),
        }
        Ok(())
    }

    fn action<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        action: &'t Action,
        out: &mut TextBuilder,
    ) -> Result<(), Error> {
        if !self.options.origins {
            let value = self.pipeline(frame, dot, &action.pipeline)?;
            if action.pipeline.declared.is_empty() {
                self.print(frame, &value, out)?;
            }
            return Ok(());
        }
        let (value, mut reads) = self.pipeline_with_reads(frame, dot, &action.pipeline);
        let mut value = value.map_err(|error| error.or_about(&reads))?;
        if !action.pipeline.declared.is_empty() {
            if self.options.decisions {
                self.assigned(frame, &action.pipeline, reads, &value);
            }
            return Ok(());
        }
        if self.options.secrets && matches!(value.data, Data::Map(_) | Data::List(_)) {
            // All of it is printed, whatever the map itself is from.
            value.origin = value.secret().unwrap_or(value.origin);
        }
        let printed = shown(&value);
        self.count(printed.len()).map_err(|cause| frame.error(cause))?;
        // Of several values that were read, the one that is printed comes first.
        if value.origin.is_known() {
            reads.retain(|read| !read.same(&value.origin));
            reads.insert(0, value.origin);
        }
        let read = if self.options.decisions { Origin::made_of(reads.clone()) } else { Origin::UNKNOWN };
        if printed.is_empty() {
            self.nothing_printed(&read, out);
        }
        let decisions = self.decided_on(&read);
        let unit = &frame.tree.unit;
        let nowhere = Printer::default();
        let printer = action.printer.map_or(&nowhere, |printer| unit.printers.get(printer));
        printer.put_out(action, unit, reads, &decisions, &printed, out);
        Ok(())
    }

    fn print(&mut self, frame: &Frame<'_>, value: &Value, out: &mut TextBuilder) -> Result<(), Error> {
        match &value.data {
            Data::String(text) => self.push(frame, text, out),
            _ => self.push(frame, &shown(value), out),
        }
    }

    fn push(&mut self, frame: &Frame<'_>, text: &Text, out: &mut TextBuilder) -> Result<(), Error> {
        self.count(text.len()).map_err(|cause| frame.error(cause))?;
        out.push_text(text);
        Ok(())
    }

    /// An `if` or a `with` that knows what was read to decide on it: a branch that fails of itself was taken for that.
    fn decided<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        node: &Node,
        branch: &'t Branch,
        out: &mut TextBuilder,
    ) -> Result<Flow, Error> {
        let (value, reads) = self.pipeline_with_reads(frame, dot, &branch.pipeline);
        let outcome = value.and_then(|value| {
            let outside = self.options.decisions.then(|| self.begin_branch(frame, branch, reads.clone(), &value, out));
            let truth = value.truth();
            let inside = if matches!(node, Node::With(_)) { Slot::from(value) } else { dot.clone() };
            let flow = self.choose(frame, &inside, dot, truth, branch, out)?;
            if let Some(outside) = outside {
                self.end_branch(frame, branch, outside, out);
            }
            Ok(flow)
        });
        outcome.map_err(|error| error.or_about(&reads))
    }

    fn choose<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        inside: &Slot,
        dot: &Slot,
        truth: bool,
        branch: &'t Branch,
        out: &mut TextBuilder,
    ) -> Result<Flow, Error> {
        match (truth, branch.otherwise) {
            (true, _) => self.walk(frame, inside, branch.body, out),
            (false, Some(otherwise)) => self.walk(frame, dot, otherwise, out),
            (false, None) => Ok(Flow::Next),
        }
    }

    fn range<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        branch: &'t Branch,
        out: &mut TextBuilder,
    ) -> Result<Flow, Error> {
        if !self.options.decisions {
            let value = self.pipeline(frame, dot, &branch.pipeline)?;
            return self.range_over(frame, dot, branch, value, out);
        }
        let (value, reads) = self.pipeline_with_reads(frame, dot, &branch.pipeline);
        let value = value?;
        let outside = self.begin_branch(frame, branch, reads, &value, out);
        let flow = self.range_over(frame, dot, branch, value, out)?;
        self.end_branch(frame, branch, outside, out);
        Ok(flow)
    }

    fn range_over<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        branch: &'t Branch,
        value: Value,
        out: &mut TextBuilder,
    ) -> Result<Flow, Error> {
        let plain;
        let walked = match &value.data {
            Data::Object(object) if matches!(object.kind(), Kind::Map | Kind::Slice) => {
                plain = object.plain();
                &plain
            }
            _ => &value,
        };
        let any = match &walked.data {
            Data::Nil => false,
            Data::Int(..) | Data::Uint(..) if branch.pipeline.declared.len() > 1 => {
                let shown = format::sprint(std::slice::from_ref(walked));
                let error = format!("can't use {shown} to iterate over more than one variable");
                return Err(frame.error(error).about(&value));
            }
            Data::Int(count, kind) => self.iterate(
                frame,
                branch,
                out,
                (0..*count).map(|item| (Value::NIL, Data::Int(item, *kind).into())),
                (false, &walked.origin),
            )?,
            Data::Uint(count, kind) => self.iterate(
                frame,
                branch,
                out,
                (0..*count).map(|item| (Value::NIL, Data::Uint(item, *kind).into())),
                (false, &walked.origin),
            )?,
            Data::List(list) => {
                let interface = list.element() == ElementType::Any;
                let items = list.iter().enumerate();
                let items = items.map(|(index, item)| (Data::Int(index as i64, IntKind::Default).into(), item.clone()));
                self.iterate(frame, branch, out, items, (interface, &walked.origin))?
            }
            Data::Map(map) => {
                let interface = map.declared() != MapType::String;
                // The key of a secret is none.
                let secrets = self.options.secrets;
                let is_secret = |value: &Value| secrets && value.origin.secret().is_some();
                let entry = |(key, value): (Text, Value)| {
                    let origin = if is_secret(&value) { Origin::UNKNOWN } else { value.origin.of_key() };
                    (Value::from(key).with_origin(origin), value)
                };
                let entries = map.entries().into_iter().map(entry);
                self.iterate(frame, branch, out, entries, (interface, &walked.origin))?
            }
            _ => {
                let shown = format::sprint(std::slice::from_ref(&value));
                return Err(frame.error(format!("range can't iterate over {shown}")).about(&value));
            }
        };
        match branch.otherwise {
            Some(otherwise) if !any => self.walk(frame, dot, otherwise, out),
            _ => Ok(Flow::Next),
        }
    }

    /// Walks the body for each item; whether there was one.
    fn iterate<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        branch: &'t Branch,
        out: &mut TextBuilder,
        items: impl Iterator<Item = (Value, Value)>,
        (interface, origin): (bool, &Origin),
    ) -> Result<bool, Error> {
        let mut any = false;
        for (index, mut item) in items {
            any = true;
            // An empty body takes steps too, so that a range over a huge number ends.
            self.steps += 1;
            if self.options.decisions && !item.origin.is_known() {
                item.origin = origin.clone();
            }
            let item = Slot { value: item, interface };
            match frame.tree.unit.variables.all(branch.pipeline.declared) {
                [] => {}
                [variable] => frame.set_variable(variable, item.clone())?,
                [key, variable, ..] => {
                    frame.set_variable(key, Slot::from(index))?;
                    frame.set_variable(variable, item.clone())?;
                }
            }
            if let Flow::Break = self.walk(frame, &item, branch.body, out)? {
                break;
            }
            if branch.body.is_empty() && self.steps > self.options.most_steps {
                return Err(frame.error("it does not seem to end"));
            }
        }
        Ok(any)
    }

    fn template<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        call: &'t TemplateCall,
        out: &mut TextBuilder,
    ) -> Result<(), Error> {
        frame.at = At::Template(call);
        let name = frame.tree.unit.names.get(call.name);
        let Some(tree) = self.trees.get(name).cloned() else {
            return Err(frame.error(format!("template {} not defined", format::quote(name.as_bytes()))));
        };
        if self.depth >= DEEPEST {
            return Err(frame.error(format!("exceeded maximum template depth ({DEEPEST})")));
        }
        let data = match &call.pipeline {
            Some(pipeline) => Slot::from(self.pipeline(frame, dot, pipeline)?),
            None => Slot::from(Value::NIL),
        };
        frame.at = At::Template(call);
        self.depth += 1;
        if !self.options.origins {
            let outcome = self.run_tree(&tree, data, out);
            self.depth -= 1;
            return outcome.map_err(|error| error.called_from(frame));
        }
        let mut called = TextBuilder::new();
        let outcome = self.run_tree(&tree, data, &mut called);
        self.depth -= 1;
        outcome.map_err(|error| error.called_from(frame))?;
        let decisions = self.decided_on(&Origin::UNKNOWN);
        let unit = &frame.tree.unit;
        let nowhere = Printer::default();
        let printer = call.printer.map_or(&nowhere, |printer| unit.printers.get(printer));
        printer.put_out_called(call, unit, &decisions, &called.finish(), out);
        Ok(())
    }

    /// Evaluates a pipeline and sets the variables that it declares; a range sets its own.
    fn pipeline<'t>(&mut self, frame: &mut Frame<'t>, dot: &Slot, pipeline: &'t Pipeline) -> Result<Value, Error> {
        frame.shift = pipeline.shift;
        let value = self.evaluate(frame, dot, pipeline)?;
        for variable in frame.tree.unit.variables.all(pipeline.declared) {
            frame.set_variable(variable, Slot::from(value.clone()))?;
        }
        Ok(value)
    }

    /// [`Self::pipeline`], and what it alone has read.
    fn pipeline_with_reads<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        pipeline: &'t Pipeline,
    ) -> (Result<Value, Error>, Vec<Origin>) {
        let outer = std::mem::take(&mut self.reads);
        let value = self.pipeline(frame, dot, pipeline);
        (value, std::mem::replace(&mut self.reads, outer))
    }

    /// Remembers that the action at hand read a value.
    pub(crate) fn read(&mut self, origin: &Origin) {
        let known = self.reads.iter().rev().take(8).any(|read| read.same(origin));
        if !known && (self.reads.len() < MOST_READS || self.options.decisions) {
            self.reads.push(origin.clone());
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.options.most_bytes {
            return Err(format!("it makes more than {} bytes of text", self.options.most_bytes));
        }
        Ok(())
    }

    /// Runs a template that a function calls.
    fn inside(&mut self, run: impl FnOnce(&mut Self) -> Result<Text, Error>) -> Result<Text, Error> {
        let reads = std::mem::take(&mut self.reads);
        let depth = std::mem::take(&mut self.depth);
        let outcome = run(self);
        self.depth = depth;
        self.reads = reads;
        outcome
    }

    /// The trees of a text for `tpl`: the template itself last.
    fn parse_tpl(&self, text: &Text) -> Result<Rc<[Rc<Tree>]>, Error> {
        if let Some(trees) = self.parsed.borrow().get(&**text) {
            return Ok(trees.clone());
        }
        let name = self.options.set_name;
        let template = Parsed::new(name, None, &text.to_str(), self.functions, false)?.named(name)?;
        let trees: Rc<[_]> = template.trees().map(Rc::new).collect();
        self.parsed.borrow_mut().insert(text.clone().without_origin(), trees.clone());
        Ok(trees)
    }

    fn run_tpl(&mut self, trees: &[Rc<Tree>], data: &Value) -> Result<Text, Error> {
        let Some((main, defined)) = trees.split_last() else { return Ok(Text::default()) };
        let before = self.trees.clone();
        if !defined.is_empty() {
            let mut overlay = before.overlay();
            defined.iter().for_each(|tree| overlay.add(tree.clone()));
            self.trees = Rc::new(overlay);
        }
        let mut out = TextBuilder::new();
        let outcome = self.run_tree(main, Slot::from(data.clone()), &mut out);
        self.trees = before;
        outcome.map(|()| without_no_value(out.finish()))
    }
}

impl Context for Execution<'_> {
    fn include(&mut self, name: &str, data: &Value) -> Result<Text, FunctionError> {
        let nested = match self.including.get_mut(name) {
            Some(nested) => nested,
            None => self.including.entry(name.into()).or_default(),
        };
        if *nested > self.options.most_nested_includes {
            let cause = format!("rendering template has a nested reference name: {name}: unable to execute template");
            return Err(cause.into());
        }
        *nested += 1;
        let outcome = self.inside(|this| this.run(name, data));
        if let Some(nested) = self.including.get_mut(name) {
            *nested -= 1;
        }
        outcome.map_err(FunctionError::Nested)
    }

    fn tpl(&mut self, text: &Text, data: &Value) -> Result<Text, FunctionError> {
        if onepane_bytes::find_text(b"{{", text).is_none() {
            // Most values that might be templates are none.
            return Ok(without_no_value(text.clone()));
        }
        let shown = || format::quote(text);
        if self.tpl_depth >= DEEPEST_TPL {
            return Err(format!("tpl calls itself more than {DEEPEST_TPL} levels deep").into());
        }
        let trees = self.parse_tpl(text).map_err(|error| {
            let message = format!("cannot parse template {}: {}", shown(), error.message);
            FunctionError::Nested(error.with_message(message))
        })?;
        self.tpl_depth += 1;
        let outcome = self.inside(|this| this.run_tpl(&trees, data));
        self.tpl_depth -= 1;
        outcome.map_err(|error| {
            let message = format!("error during tpl function execution for {}: {}", shown(), error.message);
            FunctionError::Nested(error.with_message(message))
        })
    }

    fn world(&self) -> &dyn World {
        self.world
    }

    fn host(&self) -> &dyn Host {
        self.host
    }

    fn charge(&mut self, bytes: usize) -> Result<(), FunctionError> {
        self.count(bytes).map_err(FunctionError::Message)
    }
}

/// Roughly where the stack stands: the address of something on it.
#[inline(never)]
fn stack_address() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// What Go's `fmt.Fprint` makes of a value.
fn shown(value: &Value) -> Text {
    match &value.data {
        Data::Nil => NO_VALUE.into(),
        Data::String(text) => text.clone(),
        _ => format::sprint(std::slice::from_ref(value)),
    }
}

/// Helm takes `<no value>` out of what templates print: a missing value is to print nothing.
pub(crate) fn without_no_value(text: Text) -> Text {
    let marker = NO_VALUE.as_bytes();
    let find = |from: usize| onepane_bytes::find_text(marker, &text[from..]).map(|at| from + at);
    let Some(mut found) = find(0) else { return text };
    let mut builder = TextBuilder::new();
    let mut from = 0;
    loop {
        builder.push_slice(&text, from..found);
        from = found + marker.len();
        match find(from) {
            Some(next) => found = next,
            None => break,
        }
    }
    builder.push_slice(&text, from..text.len());
    builder.finish()
}

/// The value of a key, and whether Go would see it as an interface.
pub(crate) fn entry(map: &Map, key: &[u8]) -> Option<Slot> {
    map.get(key).map(|value| Slot { value, interface: map.declared() != MapType::String })
}
