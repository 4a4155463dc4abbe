//! All places by path: [`visit_matches`].

use super::Create;
use super::lookup::{ELEMENT, NO_VALUE, malformed};
use super::parts::Part;
use crate::options::check_depth;
use crate::shape::{Shape, is_null, raw_text};
use onepane_diagnostics::Result;
use onepane_yaml::{Content, Node, Style};
use regex::Regex;

/// Whether a place is to be made where it is missing.
pub type Missing = Option<Create>;

/// A place that a path leads to.
#[derive(Debug)]
pub struct Match<'n> {
    /// What is there.
    pub node: &'n mut Node,
    /// Whether it was made just now and has no type yet.
    pub created: bool,
}

/// Calls `visit` with every node that a path leads to, as kyaml's `PathMatcher` finds them: fields, list indices,
/// `*` for every element, `[key=pattern]` for every element whose value the regular expression is found in and
/// `[=pattern]` for every scalar it is found in, behind which the path ends. Returns how many there were.
///
/// With `missing`, fields are made where there are none, and so are a list's element after the last by its index and
/// the element that `[key=value]` asks for.
///
/// # Errors
/// Those of `visit`, `field-path` for an index beyond the end and a malformed part, `patch-kind-mismatch` when the
/// path asks a field of a list or an element of a mapping.
pub fn visit_matches(
    node: &mut Node,
    path: &[impl AsRef<str>],
    missing: Missing,
    visit: &mut dyn FnMut(Match<'_>) -> Result<()>,
) -> Result<usize> {
    let parts: Vec<(Part<'_>, Option<Pattern>)> = path
        .iter()
        .map(|part| {
            let part = Part::parse(part.as_ref());
            let pattern = match part {
                Part::Element { value, .. } => Some(Pattern::compile(value, node)?),
                _ => None,
            };
            Ok((part, pattern))
        })
        .collect::<Result<_>>()?;
    walk(node, &parts, missing, visit, false, 0)
}

type Parts<'a, 'p> = &'a [(Part<'p>, Option<Pattern>)];
type Visit<'v> = dyn FnMut(Match<'_>) -> Result<()> + 'v;

fn walk(
    node: &mut Node,
    parts: Parts<'_, '_>,
    missing: Missing,
    visit: &mut Visit<'_>,
    created: bool,
    depth: usize,
) -> Result<usize> {
    check_depth(depth, node)?;
    let Some(((part, pattern), rest)) = parts.split_first() else {
        visit(Match { node, created })?;
        return Ok(1);
    };
    match part {
        Part::Index(index) if *index >= 0 => {
            let index = usize::try_from(*index).unwrap_or(usize::MAX);
            let (item, created) = indexed(node, index, rest, missing)?;
            walk(item, rest, missing, visit, created, depth + 1)
        }
        Part::Every => {
            Shape::Sequence.expect(node)?;
            let mut count = 0;
            for item in node.items_mut().map(Vec::as_mut_slice).unwrap_or_default() {
                count += walk(item, rest, missing, visit, false, depth + 1)?;
            }
            Ok(count)
        }
        Part::Malformed => Err(malformed(NO_VALUE.to_owned(), node, ELEMENT)),
        Part::Element { key, value } => {
            let Some(pattern) = pattern else { return Ok(0) };
            let count = elements(node, key, pattern, rest, missing, visit, depth)?;
            if count > 0 || missing.is_none() {
                return Ok(count);
            }
            Shape::Sequence.expect(node)?;
            let element = match *key {
                "" => Node::scalar(*value),
                key => Node::mapping(vec![(Node::scalar(key), Node::scalar(*value))]),
            };
            let Content::Sequence(items) = &mut node.content else { return Ok(0) };
            items.push(element);
            // An element that its own pattern does not find would be made without end.
            elements(node, key, pattern, rest, missing, visit, depth)
        }
        // `-` is no index here: it is the name of a field, and so is a negative number.
        Part::Last => field(node, "-", parts, missing, visit, depth),
        Part::Index(index) => field(node, &index.to_string(), parts, missing, visit, depth),
        Part::Field(name) => field(node, name, parts, missing, visit, depth),
    }
}

fn field(
    node: &mut Node,
    name: &str,
    parts: Parts<'_, '_>,
    missing: Missing,
    visit: &mut Visit<'_>,
    depth: usize,
) -> Result<usize> {
    let rest = parts.get(1..).unwrap_or_default();
    if is_null(node) {
        return null_field(rest, missing, visit);
    }
    Shape::Mapping.expect(node)?;
    let Content::Mapping(entries) = &mut node.content else { return Ok(0) };
    let (position, created) = match entries.iter().position(|(key, _)| key.as_str() == Some(name)) {
        Some(position) => (position, false),
        None => {
            let Some(create) = missing else { return Ok(0) };
            entries.push((Node::scalar(name), fresh(rest, create)));
            (entries.len() - 1, true)
        }
    };
    let Some((_, value)) = entries.get_mut(position) else { return Ok(0) };
    if !rest.is_empty() && matches!(Shape::of(value), Shape::Scalar | Shape::Null) && !created {
        return within_scalar(value, rest, missing, visit, depth);
    }
    walk(value, rest, missing, visit, created, depth + 1)
}

/// A field of a null is nothing; one that is made there is lost, as upstream, yet counts as found.
fn null_field(rest: Parts<'_, '_>, missing: Missing, visit: &mut Visit<'_>) -> Result<usize> {
    let Some(create) = missing else { return Ok(0) };
    walk(&mut fresh(rest, create), rest, missing, visit, true, 0)
}

/// A path that goes on within a scalar is followed in what it reads as; what is written there is lost, as upstream.
/// Replacements write into scalars by other means.
fn within_scalar(
    value: &Node,
    rest: Parts<'_, '_>,
    missing: Missing,
    visit: &mut Visit<'_>,
    depth: usize,
) -> Result<usize> {
    let file = onepane_diagnostics::FileId::new("(a scalar's text)");
    let mut documents = onepane_yaml::read(raw_text(value), file).map_err(|error| {
        malformed(error.message, value, "the path goes on within a text, which must be YAML or JSON")
    })?;
    match documents.first_mut() {
        Some(root) => walk(root, rest, missing, visit, false, depth + 1),
        None => Ok(0),
    }
}

/// What is made at the end of a path, or on the way to `rest`.
fn fresh(rest: Parts<'_, '_>, create: Create) -> Node {
    let create = match rest.first() {
        None => create,
        Some((part, _)) if part.is_of_list() => Create::Sequence,
        Some(_) => Create::Mapping,
    };
    match create {
        Create::Mapping => Node::mapping(Vec::new()),
        Create::Sequence => Node::sequence(Vec::new()),
        Create::Scalar => Node::scalar(""),
    }
}

fn indexed<'n>(
    node: &'n mut Node,
    index: usize,
    rest: Parts<'_, '_>,
    missing: Missing,
) -> Result<(&'n mut Node, bool)> {
    Shape::Sequence.expect(node)?;
    let count = node.items().map_or(0, <[_]>::len);
    let new = missing.filter(|_| index == count).map(|create| fresh(rest, create));
    let created = new.is_some();
    if let (Some(items), Some(new)) = (node.items_mut(), new) {
        items.push(new);
    }
    if node.items().is_none_or(|items| items.len() <= index) {
        let message = format!("index {index} specified but only {count} elements found");
        return Err(malformed(message, node, "elements count from 0; `options.create` makes the one after the last"));
    }
    let item = node.items_mut().and_then(|items| items.get_mut(index));
    Ok((item.expect("the list was found to be long enough"), created))
}

fn elements(
    node: &mut Node,
    key: &str,
    pattern: &Pattern,
    rest: Parts<'_, '_>,
    missing: Missing,
    visit: &mut Visit<'_>,
    depth: usize,
) -> Result<usize> {
    Shape::Sequence.expect(node)?;
    let mut count = 0;
    for item in node.items_mut().map(Vec::as_mut_slice).unwrap_or_default() {
        if key.is_empty() {
            if pattern.is_in(item) {
                visit(Match { node: item, created: false })?;
                count += 1;
            }
        } else if item.get(key).is_some_and(|value| pattern.is_in(value)) {
            count += walk(item, rest, missing, visit, false, depth + 1)?;
        }
    }
    Ok(count)
}

/// What a list element's value is searched for. Most are plain words, for which no expression is compiled.
enum Pattern {
    Word(Box<str>),
    Expression(Box<Regex>),
}

impl Pattern {
    fn compile(text: &str, node: &Node) -> Result<Self> {
        if !text.contains(['\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$']) {
            return Ok(Self::Word(text.into()));
        }
        match Regex::new(text) {
            Ok(expression) => Ok(Self::Expression(Box::new(expression))),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
                let message = format!("error parsing regexp: {reason}");
                Err(malformed(message, node, "write `\\` before a character that stands for itself"))
            }
        }
    }

    /// Whether it is found in a value as YAML would print it.
    fn is_in(&self, value: &Node) -> bool {
        let text = printed(value);
        match self {
            Self::Word(word) => text.contains(&**word),
            Self::Expression(expression) => expression.is_match(&text),
        }
    }
}

/// A scalar as YAML prints it, without the space around; upstream compares with that, quotes and comment included.
fn printed(node: &Node) -> String {
    let Content::Scalar(text) = &node.content else { return String::new() };
    let mut printed = match node.style {
        Style::DoubleQuoted => format!("\"{text}\""),
        Style::SingleQuoted => format!("'{}'", text.replace('\'', "''")),
        _ => text.to_string(),
    };
    if let Some(comments) = &node.comments
        && !comments.line.is_empty()
    {
        printed.push(' ');
        printed.push_str(&comments.line);
    }
    printed.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::split;
    use crate::testing::{json, yaml};

    fn set_all(text: &str, path: &str, missing: Missing) -> Result<(usize, String)> {
        let mut node = yaml(text);
        let count = visit_matches(&mut node, &split(path), missing, &mut |found| {
            *found.node = Node::string("v");
            Ok(())
        })?;
        Ok((count, json(&node)))
    }

    #[test]
    fn every_match_is_visited() {
        let list = "a: [{name: web, i: 1}, {name: my-web, i: 2}, {name: db, i: 3}]";
        for (text, path, missing, count, expected) in [
            ("a: {b: 1}", "a.b", None, 1, r#"{"a":{"b":"v"}}"#),
            ("a: {b: 1}", "a.c", None, 0, r#"{"a":{"b":1}}"#),
            ("a: {b: 1}", "a.c.d", Some(Create::Scalar), 1, r#"{"a":{"b":1,"c":{"d":"v"}}}"#),
            (
                list,
                "a.[name=^db$].i",
                None,
                1,
                r#"{"a":[{"i":1,"name":"web"},{"i":2,"name":"my-web"},{"i":"v","name":"db"}]}"#,
            ),
            (
                list,
                "a.[name=web].i",
                None,
                2,
                r#"{"a":[{"i":"v","name":"web"},{"i":"v","name":"my-web"},{"i":3,"name":"db"}]}"#,
            ),
            ("a: [{i: 1}, {i: 2}]", "a.*.i", None, 2, r#"{"a":[{"i":"v"},{"i":"v"}]}"#),
            ("a: [{i: 1}]", "a.0.i", None, 1, r#"{"a":[{"i":"v"}]}"#),
            ("a: [{i: 1}]", "a.1.i", Some(Create::Scalar), 1, r#"{"a":[{"i":1},{"i":"v"}]}"#),
            ("a: [x, y]", "a.[=y]", None, 1, r#"{"a":["x","v"]}"#),
            ("a: [{name: x}]", "a.[name=y].i", Some(Create::Scalar), 1, r#"{"a":[{"name":"x"},{"i":"v","name":"y"}]}"#),
            ("a: {}", "a.b.[name=y].i", Some(Create::Scalar), 1, r#"{"a":{"b":[{"i":"v","name":"y"}]}}"#),
            ("a: {}", "a.b.[name=^y$].i", Some(Create::Scalar), 0, r#"{"a":{"b":[{"name":"^y$"}]}}"#),
            ("a: null", "a.b", Some(Create::Scalar), 1, r#"{"a":null}"#),
            ("a: '{\"b\": 1}'", "a.b", None, 1, r#"{"a":"{\"b\": 1}"}"#),
        ] {
            assert_eq!(set_all(text, path, missing).unwrap(), (count, expected.to_owned()), "{text} {path}");
        }
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (text, path, message) in [
            ("a: [1]", "a.3", "index 3 specified but only 1 elements found"),
            ("a: {}", "a.0", "wrong node kind: expected SequenceNode but got MappingNode"),
            ("a: []", "a.b", "wrong node kind: expected MappingNode but got SequenceNode"),
            ("a: []", "a.[b]", NO_VALUE),
        ] {
            assert_eq!(set_all(text, path, None).unwrap_err().message, message, "{text} {path}");
        }
        assert!(set_all("a: [{b: 1}]", "a.[b=(]", None).unwrap_err().message.starts_with("error parsing regexp"));
    }
}
