//! Reading the fields of parts.

use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_value::{Data, Map, Value, format};

/// What changes how a release renders, and is not known to `onepane render`.
const UNRENDERED: [&str; 15] = [
    "apiVersions",
    "dependencies",
    "directory",
    "env",
    "forceNamespace",
    "jsonPatches",
    "kubeVersion",
    "postRenderer",
    "postRendererArgs",
    "setString",
    "skipSchemaValidation",
    "strategicMergePatches",
    "transformers",
    "valuesPathPrefix",
    "enableDNS",
];

/// The same of a state file and of `helmDefaults`.
const UNRENDERED_STATE: [&str; 3] = ["chart", "apiVersions", "kubeVersion"];
const UNRENDERED_DEFAULTS: [&str; 5] =
    ["postRenderer", "postRendererArgs", "skipCRDs", "skipSchemaValidation", "templateArgs"];

/// What stands in the way of rendering a release, a finding each.
pub(crate) fn unrendered_release(release: &Map, file: FileId) -> Vec<Box<Diagnostic>> {
    unrendered(release, &UNRENDERED, "release", file)
}

/// What stands in the way of rendering any release of a state file.
pub(crate) fn unrendered_state(state: &Map, file: FileId) -> Vec<Box<Diagnostic>> {
    let mut found = unrendered(state, &UNRENDERED_STATE, "state file", file);
    if let Some(Value { data: Data::Map(defaults), .. }) = state.get("helmDefaults") {
        found.extend(unrendered(&defaults, &UNRENDERED_DEFAULTS, "`helmDefaults`", file));
    }
    found
}

fn unrendered(map: &Map, names: &[&str], what: &str, file: FileId) -> Vec<Box<Diagnostic>> {
    let said = names.iter().filter_map(|name| Some((name, map.get(name).filter(Value::truth)?)));
    said.map(|(name, value)| unsupported(&format!("`{name}` of a {what}"), place(&value, file))).collect()
}

/// What would change the result and is not read yet.
pub(crate) fn unsupported(what: &str, span: Span) -> Box<Diagnostic> {
    Diagnostic::error("helmfile-unsupported", format!("{what} is not supported yet"))
        .at(span)
        .hint("render this state with helmfile itself for now")
}

/// Where a value stands.
pub(crate) fn place(value: &Value, file: FileId) -> Span {
    value.origin.span().unwrap_or(Span::new(file, 1, 1))
}

/// A field's text; a number or a boolean as YAML would print it. An empty text counts as none.
pub(crate) fn text(map: &Map, key: &str) -> Option<String> {
    map.get(key).filter(|value| !value.is_nil()).map(|value| plain_text(&value)).filter(|text| !text.is_empty())
}

/// A scalar as text.
pub(crate) fn plain_text(value: &Value) -> String {
    match value.as_text() {
        Some(text) => text.to_string(),
        None => format::sprint(std::slice::from_ref(value)).to_string(),
    }
}

/// The items of a list field; an absent one has none.
pub(crate) fn items(map: &Map, key: &str, file: FileId) -> Result<Vec<Value>> {
    match map.get(key) {
        None => Ok(Vec::new()),
        Some(value) => match &value.data {
            Data::Nil => Ok(Vec::new()),
            Data::List(list) => Ok(list.to_vec()),
            _ => Err(Diagnostic::error("helmfile-field", format!("`{key}` is to be a list")).at(place(&value, file))),
        },
    }
}

/// The mapping of a field; an absent one is empty.
pub(crate) fn mapping(map: &Map, key: &str, file: FileId) -> Result<Map> {
    match map.get(key) {
        None => Ok(Map::new()),
        Some(value) => match &value.data {
            Data::Nil => Ok(Map::new()),
            Data::Map(map) => Ok(map.clone()),
            _ => {
                Err(Diagnostic::error("helmfile-field", format!("`{key}` is to be a mapping")).at(place(&value, file)))
            }
        },
    }
}
