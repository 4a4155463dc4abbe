//! Which fields a state file may have, and reading them.

use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_value::{Data, Map, Value, format};

/// What is done with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    Read,
    /// It only matters to a cluster, a network or another program.
    PassedOver,
    /// It would change what is rendered, and is not read yet.
    Refused,
}

pub(crate) const STATE: &[(Treatment, &[&str])] = &[
    (Treatment::Read, &["environments", "releases", "values", "helmDefaults", "commonLabels"]),
    (
        Treatment::PassedOver,
        &["repositories", "hooks", "context", "kubeContext", "helmBinary", "kustomizeBinary", "lockFilePath", "apiVersions",
          "kubeVersion", "missingFileHandler", "missingFileHandlerConfig"],
    ),
    (Treatment::Refused, &["bases", "helmfiles", "templates", "namespace", "chart"]),
];

pub(crate) const RELEASE: &[(Treatment, &[&str])] = &[
    (
        Treatment::Read,
        &["name", "namespace", "chart", "version", "values", "set", "labels", "installed", "condition", "needs"],
    ),
    (
        Treatment::PassedOver,
        &["wait", "waitForJobs", "timeout", "atomic", "cleanupOnFail", "force", "createNamespace", "kubeContext", "hooks",
          "historyMax", "recreatePods", "disableValidation", "disableOpenAPIValidation", "verify", "devel", "skipDeps",
          "reuseValues", "resetValues", "syncArgs", "missingFileHandler", "suppressDiff", "suppressOutputLineRegex",
          "disableValidationOnInstall", "cascade", "deleteWait", "deleteTimeout", "keyring", "tillerless", "skipSchemaValidation"],
    ),
    (
        Treatment::Refused,
        &["secrets", "inherit", "valuesTemplate", "setTemplate", "setString", "jsonPatches", "strategicMergePatches",
          "transformers", "dependencies", "postRenderer", "postRendererArgs", "chartify", "apiVersions", "kubeVersion",
          "valuesPathPrefix", "forceNamespace", "directory", "adopt"],
    ),
];

/// Refuses fields that are unknown or not read yet.
pub(crate) fn check(map: &Map, known: &[(Treatment, &[&str])], what: &str, file: FileId) -> Result<()> {
    for (key, value) in map.entries() {
        let key = key.to_str().into_owned();
        let span = place(&value, file);
        let treatment = known.iter().find(|(_, names)| names.contains(&key.as_str())).map(|(treatment, _)| *treatment);
        match treatment {
            Some(Treatment::Read | Treatment::PassedOver) => {}
            Some(Treatment::Refused) => {
                return Err(Diagnostic::error("helmfile-unsupported", format!("`{key}` of a {what} is not supported yet"))
                    .at(span)
                    .hint("render this state with helmfile itself for now"));
            }
            None => return Err(Diagnostic::error("helmfile-field", format!("a {what} has no field `{key}`")).at(span)),
        }
    }
    Ok(())
}

/// Where a value stands.
pub(crate) fn place(value: &Value, file: FileId) -> Span {
    value.origin.span().unwrap_or(Span::new(file, 1, 1))
}

/// A field's text; a number or a boolean as YAML would print it.
pub(crate) fn text(map: &Map, key: &str) -> Option<String> {
    map.get(key).filter(|value| !value.is_nil()).map(|value| format::sprint(std::slice::from_ref(&value)).to_string())
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
            _ => Err(Diagnostic::error("helmfile-field", format!("`{key}` is to be a mapping")).at(place(&value, file))),
        },
    }
}
