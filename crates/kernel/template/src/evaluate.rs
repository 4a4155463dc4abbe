//! Pipelines to values: commands, fields, variables, and calls with their arguments checked as Go's reflection does.

use crate::execute::{Execution, entry};
use crate::frame::{At, Frame, Slot};
use crate::secrets::passed_on;
use crate::templates::MissingKey;
use crate::tree::{Command, FunctionCall, Index, Number, Operand, Pipeline, Special, Stretch, Term};
use crate::{Error, Function, FunctionError, Type};
use onepane_diagnostics::{Origin, Record, Step};
use onepane_value::{Data, ElementType, FloatKind, IntKind, List, Map, MapType, Object, Value, utf8_lossy};
use std::rc::Rc;

impl Execution<'_> {
    /// The value of a pipeline. Each command takes the value of the one before as its last argument.
    pub(crate) fn evaluate<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        pipeline: &'t Pipeline,
    ) -> Result<Value, Error> {
        frame.at = At::Pipeline(pipeline);
        let mut value = None;
        for command in frame.tree.unit.commands.all(pipeline.commands) {
            value = Some(self.command(frame, dot, command, value)?);
        }
        Ok(value.unwrap_or_default())
    }

    fn command<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        command: &'t Command,
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let operands = frame.tree.unit.operands.all(command.operands);
        let (operand, arguments) = (&operands[0], &operands[1..]);
        let called = Call { arguments, last, node: At::Command(command) };
        let slot = match &operand.term {
            Term::Field(names) => {
                frame.at = At::Operand(operand);
                self.fields(frame, dot, dot.clone(), *names, called.with_node(At::Operand(operand)))?
            }
            Term::Variable(variable, names) => {
                frame.at = At::Operand(operand);
                let value = frame.variable(variable)?;
                if names.is_empty() {
                    called.refuse_arguments(frame, operand)?;
                    self.whole(value)
                } else {
                    self.fields(frame, dot, value, *names, called.with_node(At::Operand(operand)))?
                }
            }
            Term::Chain(inner, names) => {
                let receiver = self.chained(frame, dot, operand, *inner)?;
                self.fields(frame, dot, receiver, *names, called.with_node(At::Operand(operand)))?
            }
            Term::Function(function) => {
                frame.at = At::Operand(operand);
                Slot::from(self.call(frame, dot, function, called)?)
            }
            Term::Pipeline(pipeline) => {
                called.refuse_arguments(frame, operand)?;
                Slot::from(self.nested_pipeline(frame, dot, *pipeline)?)
            }
            Term::Dot | Term::Nil | Term::Bool(_) | Term::Number(_) | Term::String(..) => {
                frame.at = At::Operand(operand);
                called.refuse_arguments(frame, operand)?;
                match &operand.term {
                    Term::Dot => self.whole(dot.clone()),
                    Term::Nil => return Err(frame.error("nil is not a command")),
                    _ => Slot::from(constant(frame, operand)?),
                }
            }
        };
        Ok(slot.value)
    }

    /// A pipeline in parentheses, which may declare variables too.
    fn nested_pipeline<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        pipeline: Index<Pipeline>,
    ) -> Result<Value, Error> {
        let pipeline = frame.tree.unit.pipelines.get(pipeline);
        let value = self.evaluate(frame, dot, pipeline)?;
        for variable in frame.tree.unit.variables.all(pipeline.declared) {
            frame.set_variable(variable, Slot::from(value.clone()))?;
        }
        Ok(value)
    }

    /// What stands before the first dot of `(…).a` or `f.a`.
    fn chained<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        chain: &'t Operand,
        inner: Index<Operand>,
    ) -> Result<Slot, Error> {
        let inner = frame.tree.unit.operands.get(inner);
        frame.at = At::Operand(chain);
        if let Term::Nil = inner.term {
            return Err(frame.error(format!("indirection through explicit nil in {}", frame.shown(chain))));
        }
        self.operand(frame, dot, inner)
    }

    /// A variable or the dot, all of which is read.
    fn whole(&mut self, slot: Slot) -> Slot {
        if self.options.decisions && slot.value.origin.is_known() {
            self.read(&slot.value.origin);
        }
        slot
    }

    /// `.a.b.c` from `receiver` on; the last one may be a method and takes the arguments.
    fn fields<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        mut receiver: Slot,
        names: Stretch,
        called: Call<'t>,
    ) -> Result<Slot, Error> {
        let Some(mut names) = names.bytes(&frame.tree.unit.source).strip_prefix(b".") else { return Ok(receiver) };
        while let Some(end) = next_point(names) {
            let none = Call { arguments: &[], last: None, node: called.node };
            receiver = self.field(frame, dot, &receiver, &names[..end], none)?;
            names = &names[end + 1..];
        }
        // Of the maps on the way nothing was read but that they have the key.
        let slot = self.field(frame, dot, &receiver, names, called)?;
        if self.options.origins && slot.value.origin.is_known() {
            self.read(&slot.value.origin);
        }
        Ok(slot)
    }

    fn field<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        receiver: &Slot,
        name: &'t [u8],
        called: Call<'t>,
    ) -> Result<Slot, Error> {
        let shown = || utf8_lossy(name);
        let slot = match &receiver.value.data {
            Data::Nil if receiver.interface => {
                let error = frame.error(format!("nil pointer evaluating interface {{}}.{}", shown()));
                return Err(error.about(&receiver.value));
            }
            Data::Nil if self.options.missing_key == MissingKey::Error => {
                let name = onepane_value::format::quote(name);
                return Err(frame.error(format!("nil data; no entry for key {name}")));
            }
            // What is absent stays absent by its own name.
            Data::Nil if self.options.absences => return Ok(Slot::from(receiver.value.clone())),
            Data::Nil => return Ok(Slot::from(Value::NIL)),
            Data::Object(object) => return self.member(frame, dot, receiver, object, &shown(), called),
            Data::Map(map)
                if matches!(map.declared(), MapType::Values | MapType::ValuesOfHelm3) && name == b"AsMap" =>
            {
                Slot::from(Value::from(map.declared_as(MapType::Any)))
            }
            Data::Map(map) => {
                if called.has_arguments() {
                    return Err(frame.error(format!("{} is not a method but has arguments", shown())));
                }
                match entry(map, name) {
                    Some(mut slot) => {
                        if self.options.decisions && !slot.value.origin.is_known() {
                            slot.value.origin = receiver.value.origin.clone();
                        }
                        slot
                    }
                    None => {
                        if self.options.origins && receiver.value.origin.is_known() {
                            self.read(&receiver.value.origin);
                        }
                        let mut slot = self.missing(frame, map, name)?;
                        if self.options.absences {
                            slot.value.origin = absent(&shown(), &receiver.value);
                        }
                        slot
                    }
                }
            }
            _ => return Err(no_field(frame, receiver, &shown())),
        };
        Ok(slot)
    }

    /// What a key that is not there gives.
    fn missing(&self, frame: &Frame<'_>, map: &Map, name: &[u8]) -> Result<Slot, Error> {
        match (self.options.missing_key, map.declared()) {
            (MissingKey::Invalid, _) => Ok(Slot::from(Value::NIL)),
            (MissingKey::Zero, MapType::String) => Ok(Slot::from(Value::from(""))),
            (MissingKey::Zero, _) => Ok(Slot { value: Value::NIL, interface: true }),
            (MissingKey::Error, _) => {
                let name = onepane_value::format::quote(name);
                Err(frame.error(format!("map has no entry for key {name}")))
            }
        }
    }

    /// A method or a field of a struct.
    fn member<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        receiver: &Slot,
        object: &Rc<dyn Object>,
        name: &str,
        called: Call<'t>,
    ) -> Result<Slot, Error> {
        if object.has_method(name) {
            let mut arguments = Vec::with_capacity(called.arguments.len() + 1);
            for operand in called.arguments {
                arguments.push(self.argument(frame, dot, Type::Any, operand)?);
            }
            arguments.extend(called.last);
            return object.call(name, &arguments).map(Slot::from).map_err(|cause| {
                frame.at = called.node;
                frame.call_error(name, cause.into())
            });
        }
        if let Some(value) = object.field(name) {
            if called.has_arguments() {
                return Err(frame.error(format!("{name} has arguments but cannot be invoked as function")));
            }
            return Ok(Slot { interface: value.is_nil(), value });
        }
        if object.kind() == onepane_value::Kind::Map {
            return self.missing(frame, &Map::new(), name.as_bytes());
        }
        Err(no_field(frame, receiver, name))
    }

    fn call<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        call: &'t FunctionCall,
        called: Call<'t>,
    ) -> Result<Value, Error> {
        let functions = self.functions;
        let function = functions.at(call.place);
        let name = function.name;
        let given = called.arguments.len() + usize::from(called.last.is_some());
        let fixed = function.parameters.len() - usize::from(function.variadic);
        if function.variadic && given < fixed {
            let explicit = called.arguments.len();
            return Err(frame.error(format!("wrong number of args for {name}: want at least {fixed} got {explicit}")));
        }
        if !function.variadic && given != fixed {
            return Err(frame.error(format!("wrong number of args for {name}: want {fixed} got {given}")));
        }
        if let Some(special) = call.special {
            match special {
                Special::And | Special::Or => return self.decide(frame, dot, special, called),
                Special::Call => return self.call_value(frame, dot, called),
                Special::Len => return self.length(frame, dot, function, called),
            }
        }
        let parameter = |index: usize| function.parameters.get(index).or(function.parameters.last()).copied();
        let mut arguments = self.spare.pop().unwrap_or_default();
        for (index, operand) in called.arguments.iter().enumerate() {
            arguments.push(self.argument(frame, dot, parameter(index).unwrap_or(Type::Any), operand)?);
        }
        if let Some(last) = called.last {
            let expected = parameter(arguments.len()).unwrap_or(Type::Any);
            arguments.push(validate(frame, Slot::from(last), expected)?);
        }
        if self.options.decisions {
            self.before_call(name, &mut arguments);
        }
        let outcome = (function.call)(self, &arguments).map_err(|error| {
            frame.at = called.node;
            // What a nested template fails on is told by its own error; `tpl` is about its text besides.
            let about = match (&error, name) {
                (FunctionError::Message(_), _) => arguments.as_slice(),
                (FunctionError::Nested(_), "tpl") => &arguments[..1],
                (FunctionError::Nested(_), _) => &[],
            };
            let absent = self.options.absences.then(|| absent_argument(name, &arguments)).flatten();
            let about = absent.iter().chain(about.iter().map(|argument| &argument.origin));
            frame.call_error(name, error).about_all(about)
        });
        let outcome = match outcome {
            Ok(value) if self.options.secrets => Ok(passed_on(name, &arguments, value)),
            Ok(value) if self.options.absences && !value.truth() && !value.origin.is_known() => {
                let origin = absent_argument(name, &arguments).unwrap_or_default();
                Ok(value.with_origin(origin))
            }
            outcome => outcome,
        };
        if let (true, Ok(value)) = (self.options.decisions, &outcome) {
            self.after_call(name, &arguments, value);
        }
        if arguments.capacity() <= MOST_SPARE {
            arguments.clear();
            self.spare.push(arguments);
        }
        outcome
    }

    /// `and` and `or`: arguments are evaluated until one decides.
    fn decide<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        kind: Special,
        called: Call<'t>,
    ) -> Result<Value, Error> {
        let mut value = Value::NIL;
        for operand in called.arguments {
            value = self.argument(frame, dot, Type::Any, operand)?;
            if value.truth() == (kind == Special::Or) {
                return Ok(value);
            }
        }
        Ok(called.last.unwrap_or(value))
    }

    /// `call`: no value of a template is a function, and the error names the argument as it is written.
    fn call_value<'t>(&mut self, frame: &mut Frame<'t>, dot: &Slot, called: Call<'t>) -> Result<Value, Error> {
        let mut first = None;
        for operand in called.arguments {
            let value = self.argument(frame, dot, Type::Any, operand)?;
            first.get_or_insert_with(|| (value, frame.shown(operand).to_string()));
        }
        let (value, shown) = match (first, called.last) {
            (Some(first), _) => first,
            (None, last) => {
                let last = last.unwrap_or_default();
                let shown = match &last.data {
                    Data::String(text) => text.to_string(),
                    Data::Nil => "<invalid Value>".to_owned(),
                    _ => format!("<{} Value>", last.type_name()),
                };
                (last, shown)
            }
        };
        frame.at = called.node;
        let cause = match value.data {
            Data::Nil => "call of nil".to_owned(),
            _ => format!("non-function {shown} of type {}", value.type_name()),
        };
        Err(frame.call_error("call", cause.into()))
    }

    /// `len` of a nil that a map holds is another error than `len` of nothing at all.
    fn length<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        function: &Function,
        called: Call<'t>,
    ) -> Result<Value, Error> {
        let slot = match (called.arguments, called.last) {
            ([operand, ..], _) => match operand.term {
                Term::Nil => Slot::from(Value::NIL),
                _ => self.operand(frame, dot, operand)?,
            },
            ([], last) => Slot::from(last.unwrap_or_default()),
        };
        let outcome = if slot.value.is_nil() && !slot.interface {
            Err("reflect: call of reflect.Value.Type on zero Value".into())
        } else {
            (function.call)(self, std::slice::from_ref(&slot.value))
        };
        outcome.map_err(|error| {
            frame.at = called.node;
            frame.call_error(function.name, error).about(&slot.value)
        })
    }

    /// An argument for a parameter of type `expected`.
    fn argument<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Slot,
        expected: Type,
        operand: &'t Operand,
    ) -> Result<Value, Error> {
        frame.at = At::Operand(operand);
        match &operand.term {
            Term::Nil => match zero(expected) {
                Some(zero) => Ok(zero),
                None => Err(frame.error(format!("cannot assign nil to {}", expected.name()))),
            },
            Term::Bool(_) | Term::Number(_) | Term::String(..) => typed_constant(frame, operand, expected),
            _ => {
                let slot = self.operand(frame, dot, operand)?;
                validate(frame, slot, expected)
            }
        }
    }

    /// The value of an operand that stands alone.
    fn operand<'t>(&mut self, frame: &mut Frame<'t>, dot: &Slot, operand: &'t Operand) -> Result<Slot, Error> {
        let alone = Call { arguments: &[], last: None, node: At::Operand(operand) };
        frame.at = At::Operand(operand);
        match &operand.term {
            Term::Dot => Ok(self.whole(dot.clone())),
            Term::Field(names) => self.fields(frame, dot, dot.clone(), *names, alone),
            Term::Variable(variable, names) => {
                let value = frame.variable(variable)?;
                if names.is_empty() {
                    return Ok(self.whole(value));
                }
                self.fields(frame, dot, value, *names, alone)
            }
            Term::Chain(inner, names) => {
                let receiver = self.chained(frame, dot, operand, *inner)?;
                self.fields(frame, dot, receiver, *names, alone)
            }
            // A function that can give nil gives it as an interface.
            Term::Function(function) => {
                let value = self.call(frame, dot, function, alone)?;
                Ok(Slot { interface: value.is_nil(), value })
            }
            Term::Pipeline(pipeline) => self.nested_pipeline(frame, dot, *pipeline).map(Slot::from),
            Term::Nil | Term::Bool(_) | Term::Number(_) | Term::String(..) => constant(frame, operand).map(Slot::from),
        }
    }
}

/// The arguments of a command, and the node that an error of the call names.
struct Call<'t> {
    arguments: &'t [Operand],
    /// The value of the command before.
    last: Option<Value>,
    node: At<'t>,
}

impl<'t> Call<'t> {
    fn with_node(self, node: At<'t>) -> Self {
        Self { node, ..self }
    }

    fn has_arguments(&self) -> bool {
        !self.arguments.is_empty() || self.last.is_some()
    }

    fn refuse_arguments(&self, frame: &Frame<'_>, operand: &Operand) -> Result<(), Error> {
        if !self.has_arguments() {
            return Ok(());
        }
        Err(frame.error(format!("can't give argument to non-function {}", frame.shown(operand))))
    }
}

/// Calls take a handful of arguments; what one call with many took is not held on to.
const MOST_SPARE: usize = 64;

/// Where the next `.` is in names, eight bytes at a time: they are too short for a searcher to be worth its start.
fn next_point(names: &[u8]) -> Option<usize> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut at = 0;
    while let Some(eight) = names[at..].first_chunk() {
        // A byte that is a point becomes zero, and the lowest zero is the lowest byte to borrow from the one above it.
        let differs = u64::from_le_bytes(*eight) ^ (EACH * b'.' as u64);
        let zeros = differs.wrapping_sub(EACH) & !differs & (EACH << 7);
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    names[at..].iter().position(|byte| *byte == b'.').map(|offset| at + offset)
}

fn no_field(frame: &Frame<'_>, receiver: &Slot, name: &str) -> Error {
    frame.error(format!("can't evaluate field {name} in type {}", receiver.type_name())).about(&receiver.value)
}

/// The origin of a value that is not there: `map` has no `key`.
fn absent(key: &str, map: &Value) -> Origin {
    let (note, inputs) = (Some(key.into()), vec![map.origin.clone()]);
    Origin::from(Record { step: Step::Absent, span: None, note, inputs, previous: Origin::UNKNOWN })
}

/// The key that `index`, `get` or `dig` did not find, with the map that it was looked for in.
fn absent_argument(name: &str, arguments: &[Value]) -> Option<Origin> {
    let (map, keys) = match (name, arguments) {
        ("index" | "get", [map, keys @ ..]) => (map, keys),
        ("dig", [keys @ .., _, map]) => (map, keys),
        _ => return None,
    };
    let mut at = map.clone();
    for key in keys {
        let (Data::Map(map), Some(key)) = (&at.data, key.as_text()) else { return None };
        match map.get(key) {
            Some(value) => at = value,
            None => return Some(absent(&key.to_str(), &at)),
        }
    }
    None
}

impl Type {
    /// The type as Go prints it.
    fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::String => "string",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Int32 => "int32",
            Self::Float64 => "float64",
            Self::Map => "map[string]interface {}",
            Self::List => "[]interface {}",
            Self::Strings => "[]string",
            Self::Time => "time.Time",
            Self::Named(name) => name,
        }
    }

    fn accepts(self, value: &Value) -> bool {
        match (self, &value.data) {
            (Self::Any, _)
            | (Self::String, Data::String(_))
            | (Self::Bool, Data::Bool(_))
            | (Self::Int, Data::Int(_, IntKind::Default))
            | (Self::Int64, Data::Int(_, IntKind::Bits64))
            | (Self::Int32, Data::Int(_, IntKind::Bits32))
            | (Self::Uint32, Data::Uint(_, IntKind::Bits32))
            | (Self::Float64, Data::Float(_, FloatKind::Bits64)) => true,
            (Self::Map, Data::Map(map)) => map.declared() != MapType::String,
            (Self::List, Data::List(list)) => list.element() == ElementType::Any,
            (Self::Strings, Data::List(list)) => list.element() == ElementType::String,
            (Self::Time, Data::Object(object)) => object.type_name() == "time.Time",
            (Self::Named(name), _) => value.type_name() == name,
            _ => false,
        }
    }
}

/// What nil is as a value of the type; `None` where the type has no nil.
fn zero(expected: Type) -> Option<Value> {
    match expected {
        Type::Any => Some(Value::NIL),
        Type::Map => Some(Map::nil(MapType::Any).into()),
        Type::List => Some(List::nil(ElementType::Any).into()),
        Type::Strings => Some(List::nil(ElementType::String).into()),
        Type::Named(name) if name.starts_with('*') || name.starts_with("[]") => Some(Value::NIL),
        _ => None,
    }
}

/// The value as an argument for a parameter.
fn validate(frame: &Frame<'_>, slot: Slot, expected: Type) -> Result<Value, Error> {
    if expected == Type::Any {
        return Ok(slot.value);
    }
    if slot.value.is_nil() {
        return match zero(expected).filter(|_| !slot.interface) {
            Some(zero) => Ok(zero),
            None if slot.interface => {
                let error = format!("wrong type for value; expected {}; got interface {{}}", expected.name());
                Err(frame.error(error).about(&slot.value))
            }
            None => Err(frame.error(format!("invalid value; expected {}", expected.name())).about(&slot.value)),
        };
    }
    if expected.accepts(&slot.value) {
        return Ok(slot.value);
    }
    let actual = slot.value.type_name();
    let error = format!("wrong type for value; expected {}; got {actual}", expected.name());
    Err(frame.error(error).about(&slot.value))
}

/// A constant where nothing asks for a type.
fn constant(frame: &Frame<'_>, operand: &Operand) -> Result<Value, Error> {
    match &operand.term {
        Term::Bool(value) => Ok((*value).into()),
        Term::String(constant) => Ok(constant.text(&frame.tree.unit).into()),
        Term::Number(number) => match *frame.tree.unit.numbers.get(*number) {
            Number { complex: Some(complex), .. } => Ok(Value::object(complex)),
            Number { float: Some(float), written_as_float: true, .. } => Ok(Value::float(float)),
            Number { int: Some(int), .. } => Ok(Value::int(int)),
            Number { ref text, .. } => Err(frame.error(format!("{text} overflows int"))),
        },
        _ => Ok(Value::NIL),
    }
}

/// A constant as an argument for a parameter.
fn typed_constant(frame: &Frame<'_>, operand: &Operand, expected: Type) -> Result<Value, Error> {
    let number = match &operand.term {
        Term::Number(number) => Some(frame.tree.unit.numbers.get(*number)),
        _ => None,
    };
    let wanted = |what: &str| Err(frame.error(format!("expected {what}; found {}", frame.shown(operand))));
    // What is too large for the type loses its upper bits, as in Go.
    let int = |kind: IntKind| match number {
        Some(Number { int: Some(int), .. }) => {
            let int = if kind == IntKind::Bits32 { i64::from(*int as i32) } else { *int };
            Ok(Data::Int(int, kind).into())
        }
        _ => wanted("integer"),
    };
    match (expected, &operand.term) {
        (Type::Any, _) => constant(frame, operand),
        (Type::String, Term::String(constant)) => Ok(constant.text(&frame.tree.unit).into()),
        (Type::String, _) => wanted("string"),
        (Type::Bool, Term::Bool(value)) => Ok((*value).into()),
        (Type::Bool, _) => wanted("bool"),
        (Type::Int, _) => int(IntKind::Default),
        (Type::Int64, _) => int(IntKind::Bits64),
        (Type::Int32, _) => int(IntKind::Bits32),
        (Type::Uint32, _) => match number {
            Some(Number { uint: Some(uint), .. }) => Ok(Data::Uint(u64::from(*uint as u32), IntKind::Bits32).into()),
            _ => wanted("unsigned integer"),
        },
        (Type::Float64, _) => match number {
            Some(Number { float: Some(float), .. }) => Ok(Value::float(*float)),
            _ => wanted("float"),
        },
        (other, _) => {
            let shown = frame.shown(operand);
            Err(frame.error(format!("can't handle {shown} for arg of type {}", other.name())))
        }
    }
}
