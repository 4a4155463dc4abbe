//! What is compared: a [`Manifest`] as a JSON document.

use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::Manifest;
use serde_json::Value;

/// A manifest as an API server gets it.
pub(crate) fn document(manifest: &Manifest) -> Result<Value> {
    let wrong = |cause: String| Diagnostic::error("plan-manifest", format!("{} is no JSON: {cause}", manifest.name));
    let json = onepane_value::to_json(&onepane_value::from_yaml(&manifest.yaml, None)?).map_err(wrong)?;
    serde_json::from_slice(&json).map_err(|error| wrong(error.to_string()))
}
