//! The operations of a JSON patch and how they are read: [`parse_json6902`].

use super::normal::as_json_of_v2;
use crate::PatchOptions;
use crate::shape::{at, is_null};
use onepane_diagnostics::{Diagnostic, FileId, Origin, Record, Result, Span, Step};
use onepane_yaml::{Content, Dialect, Node, Scalar, resolve};

/// One operation of a JSON patch. What is wrong with it comes out when it is applied, as upstream: a patch that has
/// no target may say anything.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `add`, `remove`, `replace`, `move`, `copy`, `test`, or what was written there; `unknown` when it is no string.
    pub kind: Box<str>,
    /// The place.
    pub path: Option<Box<str>>,
    /// The place that is moved or copied.
    pub from: Option<Box<str>>,
    /// The value; `None` where there is none, which is not the same as null.
    pub value: Option<Node>,
    /// Where it stands.
    pub span: Option<Span>,
}

/// Reads a JSON patch. A text that starts with `[` is JSON, any other is YAML, whose booleans are those of YAML 1.1.
///
/// # Errors
/// `yaml-syntax`, `json-syntax`, and `json-patch` for a text that is no list of mappings.
pub fn parse_json6902(text: &str, file: FileId) -> Result<Vec<Operation>> {
    let is_json = text.starts_with('[');
    if is_json {
        let checked: std::result::Result<serde::de::IgnoredAny, _> = serde_json::from_str(text);
        if let Err(error) = checked {
            let place = Span::new(
                file,
                u32::try_from(error.line()).unwrap_or(1).max(1),
                u32::try_from(error.column()).unwrap_or(1).max(1),
            );
            let error = Diagnostic::error("json-syntax", error.to_string()).at(place);
            return Err(error.hint("a patch that starts with `[` is JSON; as YAML its operations start with `- op:`"));
        }
    }
    let root = match onepane_yaml::read(text, file) {
        Ok(documents) => documents.into_iter().next(),
        // JSON has escapes that YAML lacks; of what is read so, only the file is known.
        Err(_) if is_json => serde_json::from_str(text).ok().map(|json| {
            let mut root = from_json(json);
            place(&mut root, Span::new(file, 1, 1));
            root
        }),
        Err(error) => return Err(error),
    };
    let Some(root) = root.filter(|root| !is_null(root)) else { return Ok(Vec::new()) };
    let Content::Sequence(items) = root.content else {
        let error = at(Diagnostic::error("json-patch", "a JSON patch must be a list of operations"), &root);
        return Err(error.hint(FORM));
    };
    items.into_iter().map(|item| operation(item, is_json)).collect()
}

const FORM: &str = "write each operation as `- op: replace`, with `path:` and `value:` below";

fn operation(item: Node, is_json: bool) -> Result<Operation> {
    let text = |key: &str| {
        let value = item.get(key)?;
        match resolve(value, if is_json { Dialect::V3 } else { Dialect::V2 }) {
            Ok(Scalar::String(text)) if value.as_str().is_some() => Some(Box::from(&*text)),
            _ => None,
        }
    };
    if item.entries().is_none() && !is_null(&item) {
        let error = at(Diagnostic::error("json-patch", "an operation of a JSON patch must be a mapping"), &item);
        return Err(error.hint(FORM));
    }
    Ok(Operation {
        kind: text("op").unwrap_or_else(|| "unknown".into()),
        path: text("path"),
        from: text("from"),
        span: item.span,
        value: item.get("value").cloned().map(|mut value| {
            if !is_json {
                as_json_of_v2(&mut value, 0);
            }
            value
        }),
    })
}

pub(crate) fn from_json(value: serde_json::Value) -> Node {
    match value {
        serde_json::Value::Null => Node::scalar("null"),
        serde_json::Value::Bool(value) => Node::scalar(if value { "true" } else { "false" }),
        serde_json::Value::Number(number) => Node::scalar(number.to_string()),
        serde_json::Value::String(text) => Node::string(text),
        serde_json::Value::Array(items) => Node::sequence(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => {
            Node::mapping(entries.into_iter().map(|(key, value)| (Node::string(key), from_json(value))).collect())
        }
    }
}

/// Makes all of a node stand at `span`.
fn place(node: &mut Node, span: Span) {
    node.span = Some(span);
    match &mut node.content {
        Content::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| place(value, span)),
        Content::Sequence(items) => items.iter_mut().for_each(|item| place(item, span)),
        Content::Scalar(_) | Content::Alias(_) => {}
    }
}

impl Operation {
    /// What is to be remembered of what it writes.
    pub(super) fn mark(&self, options: &PatchOptions<'_>) -> Origin {
        let (note, previous) = (options.note.map(Into::into), Origin::UNKNOWN);
        Origin::from(Record { step: Step::Patch, span: self.span, note, inputs: Vec::new(), previous })
    }

    /// An error of this operation.
    pub(super) fn error(&self, message: String) -> Box<Diagnostic> {
        let error = Diagnostic::error("json-patch", message);
        match self.span {
            Some(span) => error.at(span),
            None => error,
        }
    }

    /// The text of its path.
    pub(super) fn path(&self) -> Result<&str> {
        let missing = || self.error(format!("{} operation failed to decode path: missing value", self.kind));
        self.path.as_deref().ok_or_else(missing)
    }

    /// The text of the place it takes from.
    pub(super) fn from(&self) -> Result<&str> {
        let missing = || {
            self.error(format!(
                "{} operation failed to decode from: operation, missing from field: missing value",
                self.kind
            ))
        };
        self.from.as_deref().ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    fn parse(text: &str) -> Result<Vec<Operation>> {
        parse_json6902(text, FileId::new("patch.yaml"))
    }

    #[test]
    fn yaml_and_json_give_the_same_operations() {
        for text in [
            "- op: add\n  path: /a\n  value: {b: [1, 'x']}\n",
            r#"[{"op": "add", "path": "/a", "value": {"b": [1, "x"]}}]"#,
        ] {
            let operations = parse(text).unwrap();
            let [operation] = &operations[..] else { panic!("{operations:?}") };
            assert_eq!((&*operation.kind, operation.path.as_deref()), ("add", Some("/a")));
            assert_eq!(operation.value.as_ref().map(json).unwrap(), r#"{"b":[1,"x"]}"#);
            assert!(operation.span.is_some());
        }
    }

    #[test]
    fn yaml_has_the_booleans_of_yaml_1_1_and_json_its_own() {
        for (text, value) in [
            ("- {op: add, path: /a, value: yes}", "true"),
            ("- {op: add, path: /a, value: 'yes'}", "\"yes\""),
            (r#"[{"op": "add", "path": "/a", "value": "yes"}]"#, "\"yes\""),
            (r#"[{"op": "add", "path": "/a", "value": "a\/\ud83d\ude00"}]"#, "\"a/😀\""),
        ] {
            assert_eq!(parse(text).unwrap()[0].value.as_ref().map(json).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn what_is_no_patch_is_an_error() {
        for (text, code) in [
            ("a: b", "json-patch"),
            ("- a", "json-patch"),
            ("[{]", "json-syntax"),
            ("[{\"op\": \"add\",}]", "json-syntax"),
            ("- {a: b", "yaml-syntax"),
        ] {
            assert_eq!(parse(text).unwrap_err().code, code, "{text}");
        }
        assert!(parse("").unwrap().is_empty());
    }
}
