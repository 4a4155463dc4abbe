//! Rules in CEL that a definition has for its resources: [`Rule`].

use crate::conditions::fill_in;
use crate::definition::DEEPEST;
use onepane_resource::join_key;
use onepane_yaml::Node;
use serde_json::{Map, Value};
use std::cell::LazyCell;
use std::sync::Arc;

/// A rule, and a value that it is about.
#[derive(Clone, Debug)]
pub struct Rule<'c, 'n> {
    /// The expression, which knows the value as `self`.
    pub expression: &'c str,
    /// What is to be said of a value for which it is false.
    pub message: Option<&'c str>,
    /// An expression that makes that up.
    pub message_expression: Option<&'c str>,
    /// The value as CEL sees it: defaults filled in, names of fields in the letters of CEL.
    pub value: Arc<Value>,
    /// The path of the field; empty for the resource.
    pub path: String,
    /// The key of the value, or of what is around it where it is not written.
    pub at: &'n Node,
    /// The value as it is written, if it is.
    pub node: Option<&'n Node>,
}

/// The key of rules in a schema.
pub(crate) const RULES: &str = "x-kubernetes-validations";

/// A resource has no more values that rules are about.
const MOST: usize = 10_000;

/// The rules of a schema for a resource.
pub(crate) fn rules<'c, 'n>(schema: &'c Value, document: &Value, node: &'n Node) -> Vec<Rule<'c, 'n>> {
    let mut document = document.clone();
    fill_in(schema, &mut document, 0);
    let mut collector = Collector { found: Vec::new() };
    let kind = node.entries().and_then(|entries| entries.iter().find(|(key, _)| key.as_str() == Some("kind")));
    collector.collect(schema, &document, Some(node), kind.map_or(node, |(key, _)| key), "", 0);
    collector.found
}

struct Collector<'c, 'n> {
    found: Vec<Rule<'c, 'n>>,
}

impl<'c, 'n> Collector<'c, 'n> {
    /// `node` is the value as it is written, if it is, and `at` what stands for it.
    fn collect(
        &mut self,
        schema: &'c Value,
        value: &Value,
        node: Option<&'n Node>,
        at: &'n Node,
        path: &str,
        depth: usize,
    ) {
        if depth > DEEPEST || value.is_null() || self.found.len() > MOST {
            return;
        }
        let own = schema.get(RULES).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // All of them are about the same.
        let in_cel = LazyCell::new(|| Arc::new(as_cel(schema, value, depth)));
        for rule in own {
            let text = |key: &str| rule.get(key).and_then(Value::as_str);
            // What compares with the value of before has nothing to say of a new one.
            let Some(expression) = text("rule").filter(|rule| !rule.contains("oldSelf")) else { continue };
            let (message, message_expression) = (text("message"), text("messageExpression"));
            let value = in_cel.clone();
            self.found.push(Rule { expression, message, message_expression, value, path: path.to_owned(), at, node });
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let Some(below) = field(schema, name) else { continue };
                    let entries = node.and_then(Node::entries).unwrap_or_default();
                    let entry = entries.iter().find(|(key, _)| key.as_str() == Some(name));
                    let at = entry.map_or(at, |(key, _)| key);
                    self.collect(below, value, entry.map(|(_, node)| node), at, &join_key(path, name), depth + 1);
                }
            }
            Value::Array(items) => {
                let Some(below) = schema.get("items") else { return };
                let nodes = node.and_then(Node::items).unwrap_or_default();
                for (index, item) in items.iter().enumerate() {
                    let node = nodes.get(index);
                    let first = node.and_then(|node| node.entries()?.first());
                    let at = first.map_or(node.unwrap_or(at), |(key, _)| key);
                    self.collect(below, item, node, at, &format!("{path}[{index}]"), depth + 1);
                }
            }
            _ => {}
        }
    }
}

/// The schema of a field.
fn field<'c>(schema: &'c Value, name: &str) -> Option<&'c Value> {
    let named = schema.get("properties").and_then(|properties| properties.get(name));
    named.or_else(|| schema.get("additionalProperties").filter(|others| others.is_object()))
}

/// A value in the types that its schema gives it: a number without a fraction may be one that could have one, and names of
/// fields that CEL can't say are said in other letters.
fn as_cel(schema: &Value, value: &Value, depth: usize) -> Value {
    match value {
        _ if depth > DEEPEST => value.clone(),
        Value::Object(fields) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let mut made = Map::new();
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                let is_named = properties.is_some_and(|properties| properties.contains_key(name));
                let value = field(schema, name).map_or_else(|| value.clone(), |below| as_cel(below, value, depth + 1));
                made.insert(if is_named { escaped(name) } else { name.clone() }, value);
            }
            Value::Object(made)
        }
        Value::Array(items) => {
            let item =
                |item| schema.get("items").map_or_else(|| Value::clone(item), |below| as_cel(below, item, depth + 1));
            Value::Array(items.iter().map(item).collect())
        }
        Value::Number(number) if schema.get("type").and_then(Value::as_str) == Some("number") => {
            Value::from(number.as_f64().unwrap_or_default())
        }
        _ => value.clone(),
    }
}

/// The name of a field as rules have to write it.
fn escaped(name: &str) -> String {
    const RESERVED: [&str; 21] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    name.replace("__", "__underscores__").replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__")
}
