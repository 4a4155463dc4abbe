//! What expressions are: operators, references, conditionals, `for`, splats and calls.

use super::conversion::{convert, unify};
use super::functions;
use super::number::Number;
use super::templates;
use super::value::{DEEPEST, Data, HEAVIEST, Type, Value, normal};
use hcl_edit::Span as _;
use hcl_edit::expr::{
    BinaryOperator, Conditional, Expression, ForExpr, FuncCall, Object, ObjectKey, Traversal, TraversalOperator,
    UnaryOperator,
};
use std::cell::Cell;
use std::cmp::Ordering;
use std::rc::Rc;

/// What is wrong, and where in the file.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    /// Bytes from the file's start.
    pub(super) at: usize,
}

pub(super) type Outcome = Result<Value, Problem>;

/// Expressions evaluated one inside another for every element can take for ever: no values need this many steps.
const MOST_STEPS: u64 = 4_000_000;

/// The names that an expression sees.
pub(super) struct Scope<'a> {
    /// The file's text.
    pub(super) text: &'a str,
    names: Vec<(&'a str, Value)>,
    outer: Option<&'a Scope<'a>>,
    steps: &'a Cell<u64>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(text: &'a str, names: Vec<(&'a str, Value)>, steps: &'a Cell<u64>) -> Self {
        Self { text, names, outer: None, steps }
    }

    fn within(outer: &'a Scope<'a>, names: Vec<(&'a str, Value)>) -> Self {
        Scope { text: outer.text, names, outer: Some(outer), steps: outer.steps }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        let own = self.names.iter().find(|(own, _)| *own == name).map(|(_, value)| value);
        own.or_else(|| self.outer.and_then(|outer| outer.get(name)))
    }
}

/// Where an expression starts.
pub(super) fn start(expression: &Expression) -> usize {
    expression.span().map_or(0, |span| span.start)
}

fn problem(at: usize, message: impl Into<String>) -> Problem {
    Problem { message: message.into(), at }
}

/// The value of an expression.
pub(super) fn evaluate(expression: &Expression, scope: &Scope<'_>) -> Outcome {
    let at = start(expression);
    scope.steps.set(scope.steps.get() + 1);
    if scope.steps.get() > MOST_STEPS {
        return Err(problem(at, "the values take too many steps to compute"));
    }
    let value = match expression {
        Expression::Null(_) => Value::null(Type::Any),
        Expression::Bool(value) => (*value.value()).into(),
        Expression::String(text) => text.value().as_str().into(),
        Expression::Number(number) => {
            let written = expression.span().and_then(|span| scope.text.get(span)).and_then(Number::parse);
            let number = written.or_else(|| Number::parse(&number.value().to_string()));
            number.ok_or_else(|| problem(at, "a number is required"))?.into()
        }
        Expression::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| evaluate(item, scope)).collect();
            Value::tuple(items?)
        }
        Expression::Object(object) => self::object(object, scope)?,
        Expression::StringTemplate(template) => templates::quoted(template, scope)?,
        Expression::HeredocTemplate(template) => templates::heredoc(template, expression, scope)?,
        Expression::Parenthesis(inner) => evaluate(inner.inner(), scope)?,
        Expression::Variable(name) => {
            let found = scope.get(name.value()).cloned();
            found.ok_or_else(|| problem(at, format!("there is no variable named {:?}", name.value().as_str())))?
        }
        Expression::Conditional(conditional) => self::conditional(conditional, scope)?,
        Expression::FuncCall(call) => self::call(call, at, scope)?,
        Expression::Traversal(traversal) => self::traversal(traversal, scope)?,
        Expression::UnaryOp(operation) => {
            let value = evaluate(&operation.expr, scope)?;
            let wrong = |message: String| problem(start(&operation.expr), message);
            match operation.operator.value() {
                UnaryOperator::Not => {
                    let value = convert(&value, &Type::Bool).map_err(wrong)?;
                    (!value.as_bool().ok_or_else(|| problem(at, "the operand must not be null"))?).into()
                }
                UnaryOperator::Neg => {
                    let value = convert(&value, &Type::Number).map_err(wrong)?;
                    let number = value.as_number().ok_or_else(|| problem(at, "the operand must not be null"))?;
                    number.negated().into()
                }
            }
        }
        Expression::BinaryOp(operation) => {
            binary(&operation.lhs_expr, *operation.operator.value(), &operation.rhs_expr, at, scope)?
        }
        Expression::ForExpr(each) => self::each(each, scope)?,
    };
    if value.data.weight() > HEAVIEST || value.data.depth() > DEEPEST {
        return Err(problem(at, "the value is too large"));
    }
    Ok(value)
}

fn object(object: &Object, scope: &Scope<'_>) -> Outcome {
    let mut entries: Vec<(Rc<str>, Value)> = Vec::new();
    for (key, value) in object.iter() {
        let name = match key {
            ObjectKey::Ident(name) => normal(name.value()),
            // A name as well, where it is written alone.
            ObjectKey::Expression(Expression::Null(_)) => "null".into(),
            ObjectKey::Expression(key) => {
                if matches!(key, Expression::Traversal(traversal) if matches!(traversal.expr, Expression::Variable(_)))
                {
                    let message = "a key that is a reference stands in parentheses, one with periods in quotes";
                    return Err(problem(start(key), message));
                }
                self::key(key, scope)?
            }
        };
        entries.push((name, evaluate(value.expr(), scope)?));
    }
    Ok(Value::object(entries))
}

/// The name of an entry, from what is evaluated.
fn key(expression: &Expression, scope: &Scope<'_>) -> Result<Rc<str>, Problem> {
    let at = start(expression);
    let value = convert(&evaluate(expression, scope)?, &Type::String)
        .map_err(|message| problem(at, format!("this can't be a key: {message}")))?;
    match value.data {
        Data::String(text) => Ok(text),
        _ => Err(problem(at, "a key must not be null")),
    }
}

/// Both results become one type; what is wrong with the one that is not taken does not matter.
fn conditional(conditional: &Conditional, scope: &Scope<'_>) -> Outcome {
    let results = [evaluate(&conditional.true_expr, scope), evaluate(&conditional.false_expr, scope)];
    let wanted = match &results {
        [Ok(yes), Ok(no)] => {
            let open = |value: &Value| value.is_null() && value.kind == Type::Any;
            if open(yes) {
                Some(no.kind.clone())
            } else if open(no) {
                Some(yes.kind.clone())
            } else {
                let common = unify([&yes.kind, &no.kind]).ok_or_else(|| {
                    let message = format!(
                        "both results of a conditional must have one type: this is {}, the other {}",
                        yes.kind.name(),
                        no.kind.name()
                    );
                    problem(start(&conditional.true_expr), message)
                })?;
                Some(common)
            }
        }
        _ => None,
    };
    let at = start(&conditional.cond_expr);
    let condition = truth(evaluate(&conditional.cond_expr, scope)?, at)?;
    let [yes, no] = results;
    let (taken, at) = if condition { (yes, &conditional.true_expr) } else { (no, &conditional.false_expr) };
    let taken = taken?;
    match wanted {
        Some(wanted) => convert(&taken, &wanted).map_err(|message| problem(start(at), message)),
        None => Ok(taken),
    }
}

pub(super) fn truth(value: Value, at: usize) -> Result<bool, Problem> {
    let value = convert(&value, &Type::Bool).map_err(|message| problem(at, message))?;
    value.as_bool().ok_or_else(|| problem(at, "the condition is null, and must be true or false"))
}

fn binary(left: &Expression, operator: BinaryOperator, right: &Expression, at: usize, scope: &Scope<'_>) -> Outcome {
    use BinaryOperator::{And, Div, Eq, Greater, GreaterEq, Less, LessEq, Minus, Mod, Mul, NotEq, Or, Plus};
    let wanted = match operator {
        Eq | NotEq => Type::Any,
        And | Or => Type::Bool,
        _ => Type::Number,
    };
    let operand = |expression: &Expression| {
        let value = evaluate(expression, scope);
        match value.map(|value| convert(&value, &wanted)) {
            // It is of the wrong type, whatever the other is.
            Ok(Err(message)) => Err(problem(start(expression), message)),
            Ok(Ok(value)) => Ok(Ok(value)),
            Err(wrong) => Ok(Err(wrong)),
        }
    };
    let (a, b) = (operand(left)?, operand(right)?);
    if matches!(operator, And | Or) {
        // One that decides it is enough, and then the other may be wrong. A null is not true.
        let decides = |one: &Outcome| {
            one.as_ref().is_ok_and(|one| match operator {
                Or => one.as_bool() == Some(true),
                _ => one.as_bool() != Some(true),
            })
        };
        if decides(&a) || decides(&b) {
            return Ok((operator == Or).into());
        }
    }
    let (a, b) = (a?, b?);
    let failed = |message: &str| problem(at, message);
    let null = || failed("the operands must not be null");
    match operator {
        Eq | NotEq => Ok((a.equals(&b) == (operator == Eq)).into()),
        And | Or => {
            let (a, b) = a.as_bool().zip(b.as_bool()).ok_or_else(null)?;
            Ok(if operator == And { a && b } else { a || b }.into())
        }
        _ => {
            let (a, b) = a.as_number().zip(b.as_number()).ok_or_else(null)?;
            let order = a.compare(b);
            let number = match operator {
                Less => return Ok((order == Ordering::Less).into()),
                LessEq => return Ok((order != Ordering::Greater).into()),
                Greater => return Ok((order == Ordering::Greater).into()),
                GreaterEq => return Ok((order != Ordering::Less).into()),
                Plus => a.plus(b),
                Minus => a.minus(b),
                Mul => a.times(b),
                Div => a.over(b),
                Mod => a.modulo(b),
                Eq | NotEq | And | Or => return Err(null()),
            };
            number.map(Value::from).map_err(failed)
        }
    }
}

fn traversal(traversal: &Traversal, scope: &Scope<'_>) -> Outcome {
    let operators: Vec<(&TraversalOperator, usize)> = traversal
        .operators
        .iter()
        .map(|operator| (operator.value(), operator.span().map_or(start(&traversal.expr), |span| span.start)))
        .collect();
    follow(evaluate(&traversal.expr, scope)?, &operators, scope)
}

fn follow(mut value: Value, operators: &[(&TraversalOperator, usize)], scope: &Scope<'_>) -> Outcome {
    let mut rest = operators;
    while let Some(((operator, at), behind)) = rest.split_first() {
        rest = behind;
        value = match operator {
            TraversalOperator::GetAttr(name) => attribute(&value, name.value(), *at)?,
            TraversalOperator::Index(key) => index(&value, &evaluate(key, scope)?, *at)?,
            TraversalOperator::LegacyIndex(number) => {
                index(&value, &i64::try_from(*number.value()).unwrap_or(i64::MAX).into(), *at)?
            }
            // Of each element what follows behind dots, or all that follows.
            TraversalOperator::AttrSplat(_) => {
                let belongs = |one: &TraversalOperator| {
                    matches!(one, TraversalOperator::GetAttr(_) | TraversalOperator::LegacyIndex(_))
                };
                let names = rest.iter().take_while(|(one, _)| belongs(one)).count();
                let (each, behind) = rest.split_at(names);
                rest = behind;
                splat(&value, each, *at, scope)?
            }
            TraversalOperator::FullSplat(_) => {
                let each = std::mem::take(&mut rest);
                splat(&value, each, *at, scope)?
            }
        };
    }
    Ok(value)
}

fn splat(value: &Value, each: &[(&TraversalOperator, usize)], at: usize, scope: &Scope<'_>) -> Outcome {
    if !value.kind.is_sequence() {
        // What is no sequence counts as one of a single element, null as one of none.
        let alone = if value.is_null() { None } else { Some(follow(value.clone(), each, scope)?) };
        return Ok(Value::tuple(alone));
    }
    if value.is_null() {
        return Err(problem(at, "this is null, so that it has no elements"));
    }
    let items: Vec<Value> = value.items().map(|item| follow(item, each, scope)).collect::<Result<_, _>>()?;
    if matches!(value.kind, Type::Tuple(_)) {
        return Ok(Value::tuple(items));
    }
    Value::list(&Type::Any, items).ok_or_else(|| problem(at, "the elements that result are of different types"))
}

fn attribute(value: &Value, name: &str, at: usize) -> Outcome {
    if value.is_null() {
        return Err(problem(at, "this is null, so that it has no attributes"));
    }
    let name = normal(name);
    match &value.kind {
        Type::Object(_) => {
            value.get(&name).ok_or_else(|| problem(at, format!("this object has no attribute named {name:?}")))
        }
        Type::Map(_) => value.get(&name).ok_or_else(|| problem(at, format!("this map has no element {name:?}"))),
        kind => Err(problem(at, format!("a {} has no attributes", kind.name()))),
    }
}

fn index(value: &Value, key: &Value, at: usize) -> Outcome {
    if value.is_null() {
        return Err(problem(at, "this is null, so that it has no elements"));
    }
    if key.is_null() {
        return Err(problem(at, "an index must not be null"));
    }
    let wrong = |message: String| problem(at, format!("there is no such element: {message}"));
    match &value.kind {
        Type::List(_) | Type::Tuple(_) => {
            let key = convert(key, &Type::Number).map_err(wrong)?;
            let place = key.as_number().and_then(Number::to_i64).and_then(|place| usize::try_from(place).ok());
            let found = place.and_then(|place| value.items().nth(place));
            found.ok_or_else(|| wrong(format!("an index is a whole number from 0, and below {}", value.count())))
        }
        Type::Map(_) | Type::Object(_) => {
            let key = convert(key, &Type::String).map_err(wrong)?;
            let name = key.as_str().unwrap_or_default();
            value.get(name).ok_or_else(|| problem(at, format!("there is no element {name:?}")))
        }
        kind => Err(problem(at, format!("a {} has no indices", kind.name()))),
    }
}

fn each(each: &ForExpr, scope: &Scope<'_>) -> Outcome {
    let intro = &each.intro;
    let key_name = intro.key_var.as_ref().map(|name| name.value().as_str());
    let value_name = intro.value_var.value().as_str();
    let mut list: Vec<Value> = Vec::new();
    let mut groups: Vec<(Rc<str>, Vec<Value>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    over(&intro.collection_expr, key_name, value_name, scope, |scope| {
        if let Some(condition) = &each.cond {
            let at = start(&condition.expr);
            if !truth(evaluate(&condition.expr, scope)?, at)? {
                return Ok(());
            }
        }
        let Some(key_expression) = &each.key_expr else {
            list.push(evaluate(&each.value_expr, scope)?);
            return Ok(());
        };
        let key = self::key(key_expression, scope)?;
        let value = evaluate(&each.value_expr, scope)?;
        match places.get(&key) {
            Some(place) if each.grouping => {
                let (_, group): &mut (Rc<str>, Vec<Value>) = &mut groups[*place];
                group.push(value);
            }
            Some(_) => {
                let message = format!("two elements have the key {key:?}: `...` behind the value groups them");
                return Err(problem(start(key_expression), message));
            }
            None => {
                places.insert(key.clone(), groups.len());
                groups.push((key, vec![value]));
            }
        }
        Ok(())
    })?;
    if each.key_expr.is_none() {
        return Ok(Value::tuple(list));
    }
    Ok(Value::object(groups.into_iter().filter_map(|(key, mut group)| {
        let value = if each.grouping { Value::tuple(group) } else { group.pop()? };
        Some((key, value))
    })))
}

/// Does something for each element of a collection, which then has a name.
pub(super) fn over<'a>(
    collection: &Expression,
    key_name: Option<&'a str>,
    value_name: &'a str,
    scope: &'a Scope<'a>,
    mut each: impl FnMut(&Scope<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let at = start(collection);
    let collection = evaluate(collection, scope)?;
    if collection.is_null() {
        return Err(problem(at, "a null has no elements to go through"));
    }
    let mut one = |key: Value, value: Value| {
        let mut names = vec![(value_name, value)];
        names.extend(key_name.map(|name| (name, key)));
        each(&Scope::within(scope, names))
    };
    match &collection.kind {
        Type::Set(_) => collection.items().try_for_each(|item| one(item.clone(), item)),
        Type::List(_) | Type::Tuple(_) => {
            collection.items().enumerate().try_for_each(|(at, item)| one((at as i64).into(), item))
        }
        Type::Map(_) | Type::Object(_) => {
            collection.entries().try_for_each(|(name, value)| one((&*name).into(), value))
        }
        kind => Err(problem(at, format!("a {} has no elements to go through", kind.name()))),
    }
}

/// An argument: written, or an element of the last one where that is expanded by `...`.
enum Argument<'a> {
    Written(&'a Expression),
    Given(Value, usize),
}

impl Argument<'_> {
    fn at(&self) -> usize {
        match self {
            Self::Written(expression) => start(expression),
            Self::Given(_, at) => *at,
        }
    }

    fn evaluate(&self, scope: &Scope<'_>) -> Outcome {
        match self {
            Self::Written(expression) => evaluate(expression, scope),
            Self::Given(value, _) => Ok(value.clone()),
        }
    }
}

fn call(call: &FuncCall, at: usize, scope: &Scope<'_>) -> Outcome {
    let name = call.name.name.value().as_str();
    let known = call.name.namespace.is_empty();
    let is_lazy = known && matches!(name, "can" | "try");
    let function = functions::find(name).filter(|_| known);
    if function.is_none() && !is_lazy {
        let spaces = call.name.namespace.iter().map(|space| format!("{}::", space.value().as_str()));
        return Err(problem(at, format!("there is no function named `{}{name}`", spaces.collect::<String>())));
    }
    let mut arguments: Vec<Argument<'_>> = call.args.iter().map(Argument::Written).collect();
    if call.args.expand_final()
        && let Some(Argument::Written(last)) = arguments.pop()
    {
        let (at, all) = (start(last), evaluate(last, scope)?);
        if all.is_null() || !all.kind.is_sequence() {
            return Err(problem(at, "only a tuple, a list or a set can be expanded by `...`"));
        }
        arguments.extend(all.items().map(|item| Argument::Given(item, at)));
    }
    let Some(function) = function else {
        // What is wrong in the arguments is what these are asked for.
        return match (name, arguments.as_slice()) {
            ("can", [argument]) => Ok(argument.evaluate(scope).is_ok().into()),
            ("can", _) => Err(problem(at, "the function `can` takes one argument")),
            (_, []) => Err(problem(at, "the function `try` takes at least one argument")),
            (_, arguments) => {
                let mut reasons = Vec::new();
                for argument in arguments {
                    match argument.evaluate(scope) {
                        Ok(value) => return Ok(value),
                        Err(wrong) => reasons.push(wrong.message),
                    }
                }
                Err(problem(at, format!("no argument of `try` could be evaluated: {}", reasons.join("; "))))
            }
        };
    };
    function.check_count(arguments.len()).map_err(|message| problem(at, message))?;
    let mut values = Vec::with_capacity(arguments.len());
    for (place, argument) in arguments.iter().enumerate() {
        let value = argument.evaluate(scope)?;
        let value = function.argument(place, &value);
        values.push(value.map_err(|message| problem(argument.at(), format!("`{name}`: {message}")))?);
    }
    function.call(&values).map_err(|fault| {
        let at = fault.argument.and_then(|place| arguments.get(place)).map_or(at, Argument::at);
        problem(at, format!("`{name}`: {}", fault.message))
    })
}
