//! Functions that templates call: [`Function`], [`FunctionTable`] and what a call may ask of its surroundings,
//! [`Context`].

use crate::builtins;
use onepane_value::{Map, Text, Value};
use onepane_world::World;

/// A function that templates can call, with the signature that Go's reflection would show: the engine checks the
/// number and types of arguments by it and converts constants, with Go's error texts.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name in templates.
    pub name: &'static str,
    /// The types of the parameters; of a variadic one, the type of each of its arguments.
    pub parameters: &'static [Type],
    /// Whether the last parameter takes any number of arguments.
    pub variadic: bool,
    /// The function. Arguments have been checked and converted.
    pub call: fn(&mut dyn Context, &[Value]) -> Result<Value, FunctionError>,
}

/// The Go type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`: anything, nil too.
    Any,
    /// `string`
    String,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint32`: of all functions `derivePassword` alone takes an unsigned integer.
    Uint32,
    /// `int32` (a rune)
    Int32,
    /// `float64`
    Float64,
    /// `map[string]interface {}`; Helm's `Values` is accepted too.
    Map,
    /// `[]interface {}`
    List,
    /// `[]string`
    Strings,
    /// `time.Time`
    Time,
    /// Any other Go type: only a value whose `%T` is this name is accepted.
    Named(&'static str),
}

/// What a function's `error` says.
#[derive(Debug, Clone)]
pub enum FunctionError {
    /// Its text.
    Message(String),
    /// An error inside a nested template (`include`, `tpl`): it keeps the nested template's own trace.
    Nested(crate::Error),
}

impl From<String> for FunctionError {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for FunctionError {
    fn from(message: &str) -> Self {
        Self::Message(message.to_owned())
    }
}

/// What a function may ask of the execution it is called from.
pub trait Context {
    /// Runs the template `name` on `data`: Helm's `include`.
    fn include(&mut self, name: &str, data: &Value) -> Result<Text, FunctionError>;
    /// Parses `text` as a template beside the present ones and runs it on `data`: Helm's `tpl`.
    fn tpl(&mut self, text: &Text, data: &Value) -> Result<Text, FunctionError>;
    /// Clock, randomness, environment.
    fn world(&self) -> &dyn World;
    /// What the host of the engine provides: `lookup`, DNS, lint mode.
    fn host(&self) -> &dyn Host;
    /// Counts `bytes` of new text against the limit of the execution; an error once it is used up.
    fn charge(&mut self, bytes: usize) -> Result<(), FunctionError>;
}

/// What a template demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// By `required`, and there is no value.
    Value,
    /// By `required`, and the value is an empty text.
    Text,
    /// By `fail`: never to be met.
    Nothing,
}

/// What surrounds an engine: the answers that depend on whether there is a cluster, a network, a linter,
/// programs to run.
///
/// By itself it has no cluster and no network, is no linter, and runs nothing.
pub trait Host {
    /// Helm's `lookup`: the resource or list, an empty map where there is none or no cluster.
    fn lookup(&self, _api_version: &str, _kind: &str, _namespace: &str, _name: &str) -> Result<Value, String> {
        Ok(Map::new().into())
    }
    /// Helm's `getHostByName`; `""` unless DNS is enabled.
    fn resolve(&self, _host: &str) -> String {
        String::new()
    }
    /// Runs a program for Helmfile's `exec` and gives what it prints.
    fn run(
        &self,
        program: &str,
        _arguments: &[String],
        _variables: &[(String, String)],
        _input: &[u8],
    ) -> Result<Vec<u8>, String> {
        Err(format!("`{program}` is not run: rendering is sandboxed"))
    }
    /// What a reference such as `ref+vault://secret/db#/password` stands for.
    fn secret(&self, _reference: &str) -> Result<Value, String> {
        Err("references to secrets are not resolved here".to_owned())
    }
    /// Whether that passes for which `required` and `fail` give up with `message`, as `helm lint` has it.
    fn passes(&self, _demand: Demand, _message: &Text) -> bool {
        false
    }
}

/// A host without a cluster, a network or a linter.
#[derive(Clone, Copy, Debug)]
pub struct Offline;

impl Host for Offline {}

/// The functions that a set of templates can call, by name.
///
/// Tables are made when the program is compiled: to fill one at each start took a twentieth of the instructions of a small
/// chart's render.
pub struct FunctionTable {
    /// Each at the place that its name asks for, or behind it where that is taken.
    places: [Option<Function>; PLACES],
    taken: usize,
}

/// Helm's templates can call some 260.
const PLACES: usize = 512;

impl Default for FunctionTable {
    fn default() -> Self {
        Self::new()
    }
}

impl FunctionTable {
    /// No functions but text/template's own.
    pub const fn new() -> Self {
        Self { places: [None; PLACES], taken: 0 }.with(builtins::FUNCTIONS)
    }

    /// With these functions as well; a later one of the same name wins.
    ///
    /// # Panics
    /// If the table is full.
    #[must_use]
    pub const fn with(mut self, mut functions: &[Function]) -> Self {
        while let [function, others @ ..] = functions {
            let place = self.place(function.name);
            if self.places[place].is_none() {
                self.taken += 1;
                assert!(self.taken < PLACES, "one place stays free, where the search for a name ends");
            }
            self.places[place] = Some(*function);
            functions = others;
        }
        self
    }

    /// The function called `name`.
    ///
    /// # Panics
    /// If there is none, where a table is made of another one's functions.
    pub const fn named(&self, name: &str) -> Function {
        match self.places[self.place(name)] {
            Some(function) => function,
            None => panic!("there is no such function"),
        }
    }

    /// The function called `name`.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.places[self.place(name)].as_ref()
    }

    /// The place to ask for the function `name` by.
    pub(crate) fn find(&self, name: &str) -> Option<u16> {
        let place = self.place(name);
        self.places[place].is_some().then_some(place as u16)
    }

    /// Where the function `name` is, or would be.
    const fn place(&self, name: &str) -> usize {
        let mut place = (onepane_bytes::mixed(name.as_bytes()) >> (u64::BITS - PLACES.ilog2())) as usize;
        while let Some(function) = &self.places[place]
            && !is_same(function.name.as_bytes(), name.as_bytes())
        {
            place = (place + 1) % PLACES;
        }
        place
    }

    pub(crate) fn at(&self, place: u16) -> &Function {
        self.places[usize::from(place)].as_ref().expect("a function was found there")
    }

    /// The names that were added to text/template's own, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let own = |name: &str| builtins::FUNCTIONS.iter().any(|own| own.name == name);
        self.places.iter().flatten().map(|function| function.name).filter(move |name| !own(name))
    }
}

/// text/template's own functions.
pub static GO: FunctionTable = FunctionTable::new();

/// `==`, which cannot be asked for when the program is compiled.
const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([first, rest @ ..], [second, others @ ..]) = (one, other) {
        if *first != *second {
            return false;
        }
        (one, other) = (rest, others);
    }
    one.is_empty() && other.is_empty()
}
