//! YAML as Helmfile reads it, which is go-yaml v3: `n` and `yes` are strings, integers are integers.

use crate::shape::{self, Part};
use onepane_diagnostics::{Diagnostic, FileId, Origin, Result, Span, Step};
use onepane_value::{Data, IntKind, List, Map, Text, Value, to_yaml_pretty};
use onepane_yaml::{Content, Dialect, Node, Scalar, read, resolve};

/// All documents of a text; an empty one is nil. With origins, values know their places.
pub(crate) fn documents(text: &str, file: FileId) -> Result<Vec<Value>> {
    read(text, file)?
        .into_iter()
        .map(|mut node| {
            node.resolve_aliases()?;
            value(&node, file)
        })
        .collect()
}

/// The documents of a text that say something, each as a `part`.
pub(crate) fn parts(text: &str, part: &Part, file: FileId) -> Result<Vec<Map>> {
    let mut documents = read(text, file)?;
    documents.iter_mut().try_for_each(Node::resolve_aliases)?;
    documents.iter().filter(|node| !shape::is_null(node)).map(|node| part.read(node, file)).collect()
}

/// The mapping in a text of values; an empty text has none.
pub(crate) fn values(bytes: &[u8], file: FileId) -> Result<Map> {
    match documents(&String::from_utf8_lossy(bytes), file)?.into_iter().next().map(|value| value.data) {
        None | Some(Data::Nil) => Ok(Map::new()),
        Some(Data::Map(map)) => Ok(map),
        Some(_) => {
            let message = format!("`{}` is to hold a mapping", file.path());
            Err(Diagnostic::error("helmfile-values", message).at(Span::new(file, 1, 1)))
        }
    }
}

/// A value as Helmfile writes it into a file for Helm.
pub(crate) fn text_of(value: &Value, span: Span) -> Result<String> {
    let text = to_yaml_pretty(value).map_err(|problem| Diagnostic::error("helmfile-field", problem).at(span))?;
    Ok(text.to_string())
}

/// The values as Helm reads them from the file that Helmfile hands it: all numbers are floating-point.
pub(crate) fn for_helm(value: &Value) -> Value {
    let data = match &value.data {
        Data::Int(number, _) => return Value::float(*number as f64).with_origin(value.origin.clone()),
        Data::Uint(number, _) => return Value::float(*number as f64).with_origin(value.origin.clone()),
        Data::List(list) => Data::List(list.iter().map(for_helm).collect()),
        Data::Map(map) => Data::Map(map.entries().into_iter().map(|(key, value)| (key, for_helm(&value))).collect()),
        other => other.clone(),
    };
    Value { data, origin: value.origin.clone() }
}

/// Any value. The reader has bounded how deep nodes lie.
pub(crate) fn value(node: &Node, file: FileId) -> Result<Value> {
    let span = node.span.unwrap_or(Span::new(file, 1, 1));
    let wrong = |message: String| Diagnostic::error("yaml-syntax", message).at(span);
    let data = match &node.content {
        Content::Scalar(text) => match resolve(node, Dialect::V3).map_err(wrong)? {
            Scalar::Null => Data::Nil,
            Scalar::Bool(value) => Data::Bool(value),
            Scalar::Int(number) => Data::Int(number, IntKind::Default),
            Scalar::Uint(number) => Data::Uint(number, IntKind::Bits64),
            Scalar::Float(number) => return Ok(Value::float(number).with_origin(origin(span))),
            Scalar::String(text) => Data::String((&*text).into()),
            // To Go it is a time, and as one it is written again.
            Scalar::Timestamp(_) if text.len() == "2006-01-02".len() => {
                Data::String(format!("{text}T00:00:00Z").into())
            }
            Scalar::Timestamp(_) => Data::String((&**text).into()),
            Scalar::Binary(bytes) => Data::String(Text::from(&*bytes)),
        },
        Content::Sequence(items) => Data::List(
            items.iter().map(|item| value(item, file)).collect::<Result<Vec<_>>>()?.into_iter().collect::<List>(),
        ),
        Content::Mapping(entries) => {
            let map = Map::new();
            for (key, entry) in entries {
                let name = key.as_str().ok_or_else(|| wrong("a key is to be a scalar".to_owned()))?;
                if map.insert(name, value(entry, file)?).is_some() {
                    let message = format!("mapping key \"{name}\" already defined");
                    return Err(Diagnostic::error("yaml-syntax", message).at(key.span.unwrap_or(span)));
                }
            }
            Data::Map(map)
        }
        Content::Alias(name) => return Err(wrong(format!("unknown anchor '{name}' referenced"))),
    };
    Ok(Value { data, origin: origin(span) })
}

/// Where a value stands.
pub(crate) fn origin(span: Span) -> Origin {
    Origin::at(Step::ValuesFile, span)
}
