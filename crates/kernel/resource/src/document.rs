//! A resource as an API server gets it: [`json_document`].

use onepane_diagnostics::{Diagnostic, Result};
use serde_json::Value;

/// A manifest, written as YAML, as JSON: scalars are what sigs.k8s.io/yaml takes them for.
///
/// # Errors
/// `resource-json` for what JSON can't hold; `of` says whose manifest it is.
pub fn json_document(yaml: &str, of: &dyn std::fmt::Display) -> Result<Value> {
    let wrong = |cause: String| Diagnostic::error("resource-json", format!("{of} is no JSON: {cause}"));
    let json = onepane_value::to_json(&onepane_value::from_yaml(yaml, None)?).map_err(wrong)?;
    serde_json::from_slice(&json).map_err(|error| wrong(error.to_string()))
}
