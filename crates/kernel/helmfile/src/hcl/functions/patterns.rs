//! Regular expressions, Go's.

use super::super::value::{Type, Value, normal};
use super::{Fault, Function, TEXT, blame, fixed, list, text};
use onepane_functions::go::Pattern;
use std::ops::Range;
use std::rc::Rc;

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("regex", &[TEXT, TEXT], |arguments| {
        let (matches, _) = found(arguments, 1)?;
        matches.into_iter().next().ok_or_else(|| "the pattern matches no part of the string".into())
    }),
    fixed("regexall", &[TEXT, TEXT], |arguments| {
        let (matches, of) = found(arguments, usize::MAX)?;
        list(&of, matches)
    }),
];

/// What a match is, by the pattern's groups: the text, a tuple of groups or an object of those that have names.
enum Shape {
    Text,
    Tuple,
    Object(Vec<Rc<str>>),
}

fn found(arguments: &[Value], limit: usize) -> Result<(Vec<Value>, Type), Fault> {
    let (pattern, whole) = (text(arguments, 0)?, text(arguments, 1)?);
    let pattern = Pattern::compile(pattern.as_bytes()).map_err(|message| blame(0, message))?;
    let names: Vec<Rc<str>> = pattern.groups().flatten().map(normal).collect();
    let count = pattern.groups().count();
    let shape = match (names.len(), count) {
        (0, 0) => Shape::Text,
        (0, _) => Shape::Tuple,
        (named, count) if named == count => Shape::Object(names),
        _ => return Err(blame(0, "either all groups of a pattern have names, or none")),
    };
    // Of text that did not take part there is none.
    let piece = |range: &Option<Range<usize>>| match range {
        Some(range) => whole.get(range.clone()).unwrap_or_default().into(),
        None => Value::null(Type::String),
    };
    let one = |groups: &[Option<Range<usize>>]| match (&shape, groups) {
        (Shape::Text, [range, ..]) => piece(range),
        (Shape::Object(names), [_, groups @ ..]) => Value::object(names.iter().cloned().zip(groups.iter().map(piece))),
        (_, groups) => Value::tuple(groups.iter().skip(1).map(piece)),
    };
    let of = match &shape {
        Shape::Text => Type::String,
        Shape::Tuple => Type::Tuple(vec![Type::String; count].into()),
        Shape::Object(names) => Type::Object(Rc::new(names.iter().map(|name| (name.clone(), Type::String)).collect())),
    };
    Ok((pattern.captures(whole, limit).iter().map(|groups| one(groups)).collect(), of))
}
