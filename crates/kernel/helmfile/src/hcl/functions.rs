//! Functions that values in HCL may call: those that Helmfile takes of cty's libraries, one file a family.
//!
//! Arguments are converted to what a parameter wants before a function sees them. `can` and `try` are not here: they are
//! handed expressions, see `evaluation`.

mod arithmetic;
mod collections;
mod csv;
mod dates;
mod encodings;
mod formats;
mod networks;
mod patterns;
mod sets;
mod text;

use super::conversion::convert;
use super::number::Number;
use super::value::{Type, Value};

/// A function.
pub(super) struct Function {
    name: &'static str,
    parameters: &'static [Parameter],
    /// What any number of further arguments is.
    rest: Option<Parameter>,
    run: fn(&[Value]) -> Outcome,
}

/// What an argument is converted to.
#[derive(Clone, Copy)]
struct Parameter {
    wanted: Wanted,
    may_be_null: bool,
}

#[derive(Clone, Copy)]
enum Wanted {
    Any,
    Text,
    Number,
    Texts,
    List,
    Set,
}

/// Why a function has no result, and which argument is to blame.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) argument: Option<usize>,
    pub(super) message: String,
}

type Outcome = Result<Value, Fault>;

const fn required(wanted: Wanted) -> Parameter {
    Parameter { wanted, may_be_null: false }
}

const ANY: Parameter = required(Wanted::Any);
const TEXT: Parameter = required(Wanted::Text);
const NUMBER: Parameter = required(Wanted::Number);
const TEXTS: Parameter = required(Wanted::Texts);
const LIST: Parameter = required(Wanted::List);
const SET: Parameter = required(Wanted::Set);
const ANY_OR_NULL: Parameter = Parameter { wanted: Wanted::Any, may_be_null: true };

/// One that takes so many arguments.
const fn fixed(name: &'static str, parameters: &'static [Parameter], run: fn(&[Value]) -> Outcome) -> Function {
    Function { name, parameters, rest: None, run }
}

/// One that takes any number of further arguments.
const fn variadic(
    name: &'static str,
    parameters: &'static [Parameter],
    rest: Parameter,
    run: fn(&[Value]) -> Outcome,
) -> Function {
    Function { name, parameters, rest: Some(rest), run }
}

/// The function of that name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    let families = [
        arithmetic::FUNCTIONS,
        collections::FUNCTIONS,
        csv::FUNCTIONS,
        dates::FUNCTIONS,
        encodings::FUNCTIONS,
        formats::FUNCTIONS,
        networks::FUNCTIONS,
        patterns::FUNCTIONS,
        sets::FUNCTIONS,
        text::FUNCTIONS,
    ];
    families.into_iter().flatten().find(|function| function.name == name)
}

impl Function {
    pub(super) fn check_count(&self, count: usize) -> Result<(), String> {
        let needed = self.parameters.len();
        let least = if self.rest.is_some() { "at least " } else { "" };
        if count < needed || self.rest.is_none() && count > needed {
            let s = if needed == 1 { "" } else { "s" };
            return Err(format!("the function `{}` takes {least}{needed} argument{s}, not {count}", self.name));
        }
        Ok(())
    }

    /// An argument as its parameter wants it.
    pub(super) fn argument(&self, place: usize, value: &Value) -> Result<Value, String> {
        let Some(parameter) = self.parameters.get(place).or(self.rest.as_ref()) else { return Ok(value.clone()) };
        let wanted = match parameter.wanted {
            Wanted::Any => Type::Any,
            Wanted::Text => Type::String,
            Wanted::Number => Type::Number,
            Wanted::Texts => Type::list(Type::String),
            Wanted::List => Type::list(Type::Any),
            Wanted::Set => Type::set(Type::Any),
        };
        let value = convert(value, &wanted)?;
        if value.is_null() && !parameter.may_be_null {
            return Err("the argument must not be null".to_owned());
        }
        Ok(value)
    }

    pub(super) fn call(&self, arguments: &[Value]) -> Outcome {
        (self.run)(arguments)
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self { argument: None, message }
    }
}

impl From<&str> for Fault {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

/// What is wrong with one argument.
fn blame(argument: usize, message: impl Into<String>) -> Fault {
    Fault { argument: Some(argument), message: message.into() }
}

/// An argument that was converted to text.
fn text(arguments: &[Value], place: usize) -> Result<&str, Fault> {
    arguments.get(place).and_then(Value::as_str).ok_or_else(|| blame(place, "a string is required"))
}

/// An argument that was converted to a number.
fn number(arguments: &[Value], place: usize) -> Result<&Number, Fault> {
    arguments.get(place).and_then(Value::as_number).ok_or_else(|| blame(place, "a number is required"))
}

/// A number that must be whole.
fn int(arguments: &[Value], place: usize) -> Result<i64, Fault> {
    number(arguments, place)?.to_i64().ok_or_else(|| blame(place, "the value must be a whole number of 64 bits"))
}

/// A number that must not be negative, where none larger than `most` makes sense.
fn size(arguments: &[Value], place: usize, most: usize) -> Result<usize, Fault> {
    let size = usize::try_from(int(arguments, place)?).map_err(|_| blame(place, "the value must not be negative"))?;
    if size > most { Err(blame(place, format!("the value must not be above {most}"))) } else { Ok(size) }
}

/// The elements of a list of strings; a null among them is nothing.
fn texts(value: &Value) -> Vec<Option<String>> {
    value.items().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// A list of what was of one type before.
fn list(of: &Type, items: impl IntoIterator<Item = Value>) -> Outcome {
    Value::list(of, items).ok_or_else(|| "all elements must be of the same type".into())
}

#[cfg(test)]
mod tests {
    use super::find;

    /// Helmfile 1.8's own table.
    #[test]
    fn all_functions_of_helmfile_are_here() {
        let names = "abs ceil chomp cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist compact concat \
                     contains csvdecode distinct element chunklist flatten floor format formatdate formatlist indent int \
                     join jsondecode jsonencode keys length log lookup lower max merge min parseint pow range regex \
                     regexall reverselist setintersection setproduct setsubtract setunion signum slice sort split strrev \
                     strlen substr timeadd title trim trimprefix trimspace trimsuffix upper values yamldecode yamlencode \
                     zipmap";
        for name in names.split_whitespace() {
            assert!(find(name).is_some(), "{name} is missing");
        }
        for name in ["regexreplace", "replace", "tostring", "can"] {
            assert!(find(name).is_none(), "{name} is not in Helmfile's table, or not a function of values");
        }
    }
}
