//! What Kubernetes adds to CEL: [`env`]. [`missing`] knows what of it is not here.

use cel::extractors::This;
use cel::{Context, DeclarationError, Env, ExecutionError, Program, Value, extensions};
use onepane_schema::quantity;
use regex::{Regex, RegexBuilder};
use std::sync::Arc;

/// CEL with its standard library, strings and base64.
pub(crate) fn env() -> Env {
    let mut env = Env::stdlib();
    let declared = env.add_extension(extensions::strings).and_then(|()| env.add_extension(extensions::encoders));
    declared.expect("no two of these have a name in common");
    env
}

/// Adds those of Kubernetes' functions that are here: quantities, which are numbers, as near as floats come; `find` and
/// `findAll`; `sum` and `isSorted` of lists of numbers.
pub(crate) fn declare(context: &mut Context<'_, '_>) {
    let declared = quantities(context).and_then(|()| searches(context)).and_then(|()| lists(context));
    declared.expect("the environment has none of these names");
}

/// What a program uses that is not here, by name.
pub(crate) fn missing(program: &Program) -> Option<String> {
    const VARIABLES: [(&str, &str); 1] = [("authorizer", "who may do what, which only a cluster knows")];
    const FUNCTIONS: [(&str, &str); 22] = [
        ("url", "URLs"),
        ("isURL", "URLs"),
        ("ip", "IP addresses"),
        ("isIP", "IP addresses"),
        ("ip.isCanonical", "IP addresses"),
        ("cidr", "networks"),
        ("isCIDR", "networks"),
        ("containsIP", "networks"),
        ("containsCIDR", "networks"),
        ("semver", "versions"),
        ("isSemver", "versions"),
        ("sets.contains", "sets"),
        ("sets.equivalent", "sets"),
        ("sets.intersects", "sets"),
        ("validate", "formats"),
        ("format.named", "formats"),
        ("getScheme", "URLs"),
        ("getHost", "URLs"),
        ("getHostname", "URLs"),
        ("getPort", "URLs"),
        ("getEscapedPath", "URLs"),
        ("getQuery", "URLs"),
    ];
    let references = program.references();
    let variable = VARIABLES.iter().find(|(name, _)| references.has_variable(name));
    let function = FUNCTIONS.iter().find(|(name, _)| {
        references.has_function(name)
            || name
                .split_once('.')
                .is_some_and(|(space, function)| references.has_variable(space) && references.has_function(function))
    });
    let (name, what) = variable.or(function)?;
    Some(format!("`{name}` is of a part of Kubernetes' CEL that is missing here: {what}"))
}

type Outcome<T> = Result<T, ExecutionError>;

fn quantities(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    let read = |value: &Value| match value {
        Value::String(text) => quantity(text),
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    };
    context.add_function("isQuantity", move |value: Value| read(&value).is_some())?;
    context.add_function("quantity", move |value: Value| -> Outcome<f64> {
        read(&value).ok_or_else(|| ExecutionError::function_error("quantity", "it is none"))
    })?;
    context.add_function("isGreaterThan", |This(one): This<f64>, other: f64| one > other)?;
    context.add_function("isLessThan", |This(one): This<f64>, other: f64| one < other)?;
    context.add_function("compareTo", |This(one): This<f64>, other: f64| -> i64 { one.total_cmp(&other) as i64 })?;
    context.add_function("sign", |This(one): This<f64>| -> i64 { i64::from(one > 0.0) - i64::from(one < 0.0) })?;
    context.add_function("isInteger", |This(one): This<f64>| one.fract() == 0.0)?;
    context.add_function("asInteger", |This(one): This<f64>| one as i64)?;
    context.add_function("asApproximateFloat", |This(one): This<f64>| one)?;
    context.add_function("add", |This(one): This<f64>, other: f64| one + other)?;
    context.add_function("sub", |This(one): This<f64>, other: f64| one - other)
}

/// A pattern that compiles to more than this is refused.
const LARGEST_PATTERN: usize = 1 << 20;

fn pattern(text: &str) -> Outcome<Regex> {
    let built = RegexBuilder::new(text).size_limit(LARGEST_PATTERN).build();
    built.map_err(|_| ExecutionError::function_error("find", "it is no pattern"))
}

fn searches(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    context.add_function("find", |This(text): This<Arc<String>>, of: Arc<String>| -> Outcome<Value> {
        let found = pattern(&of)?.find(&text).map_or_else(String::new, |found| found.as_str().to_owned());
        Ok(Value::String(Arc::new(found)))
    })?;
    context.add_function("findAll", |This(text): This<Arc<String>>, of: Arc<String>| -> Outcome<Value> {
        let found = pattern(&of)?;
        let found = found.find_iter(&text).map(|found| Value::String(Arc::new(found.as_str().to_owned())));
        Ok(Value::List(Arc::new(found.collect())))
    })
}

fn lists(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    let numbers = |list: &Value| -> Option<Vec<f64>> {
        let Value::List(items) = list else { return None };
        let number = |item: &Value| match item {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        };
        items.iter().map(number).collect()
    };
    let wrong = |name: &str| ExecutionError::function_error(name, "it is of numbers only here");
    context.add_function("isSorted", move |This(list): This<Value>| -> Outcome<bool> {
        Ok(numbers(&list).ok_or_else(|| wrong("isSorted"))?.is_sorted())
    })?;
    context.add_function("sum", move |This(list): This<Value>| -> Outcome<Value> {
        let all = numbers(&list).ok_or_else(|| wrong("sum"))?;
        let sum: f64 = all.iter().sum();
        let is_whole = matches!(&list, Value::List(items) if items.iter().all(|item| matches!(item, Value::Int(_))));
        Ok(if is_whole { Value::Int(sum as i64) } else { Value::Float(sum) })
    })
}
