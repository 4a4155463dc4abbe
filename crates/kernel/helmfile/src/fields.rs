//! Which fields Helmfile v1.8 knows, what is done with them, and reading them.

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

/// The fields of a kind of mapping.
pub(crate) struct Known {
    what: &'static str,
    fields: &'static [(Treatment, &'static [&'static str])],
}

pub(crate) const STATE: Known = Known {
    what: "state file",
    fields: &[
        (
            Treatment::Read,
            &[
                "bases",
                "environments",
                "releases",
                "values",
                "helmDefaults",
                "commonLabels",
                "templates",
                "defaultInherit",
                "namespace",
                "kubeContext",
                "repositories",
                "missingFileHandler",
            ],
        ),
        (
            Treatment::PassedOver,
            &[
                "hooks",
                "helmBinary",
                "kustomizeBinary",
                "lockFilePath",
                "missingFileHandlerConfig",
                "ignoreMissingGitBranch",
                "llm",
            ],
        ),
        (Treatment::Refused, &["helmfiles", "chart", "apiVersions", "kubeVersion"]),
    ],
};

pub(crate) const HELM_DEFAULTS: Known = Known {
    what: "`helmDefaults`",
    fields: &[
        (Treatment::Read, &["kubeContext"]),
        (
            Treatment::PassedOver,
            &[
                "args",
                "atomic",
                "cascade",
                "cleanupOnFail",
                "createNamespace",
                "deleteTimeout",
                "deleteWait",
                "devel",
                "diffArgs",
                "disableAutoDetectedKubeVersionForDiff",
                "disableOpenAPIValidation",
                "disableValidation",
                "enableDNS",
                "force",
                "forceConflicts",
                "helmStuckGrace",
                "historyMax",
                "insecureSkipTLSVerify",
                "keyring",
                "plainHttp",
                "recreatePods",
                "resolveOCIVersions",
                "reuseValues",
                "rollbackOnFailure",
                "serverSide",
                "skipDeps",
                "skipRefresh",
                "suppressOutputLineRegex",
                "syncArgs",
                "syncReleaseLabels",
                "takeOwnership",
                "timeout",
                "trackMode",
                "verify",
                "wait",
                "waitForJobs",
                "waitRetries",
            ],
        ),
        (Treatment::Refused, &["postRenderer", "postRendererArgs", "skipCRDs", "skipSchemaValidation", "templateArgs"]),
    ],
};

pub(crate) const RELEASE: Known = Known {
    what: "release",
    fields: &[
        (
            Treatment::Read,
            &[
                "name",
                "namespace",
                "chart",
                "version",
                "values",
                "valuesTemplate",
                "set",
                "setTemplate",
                "labels",
                "installed",
                "installedTemplate",
                "condition",
                "conditionTemplate",
                "needs",
                "inherit",
                "kubeContext",
                "missingFileHandler",
            ],
        ),
        (
            Treatment::PassedOver,
            &[
                "adopt",
                "atomic",
                "cascade",
                "chartPath",
                "cleanupOnFail",
                "createNamespace",
                "deleteTimeout",
                "deleteWait",
                "description",
                "devel",
                "disableAutoDetectedKubeVersionForDiff",
                "disableOpenAPIValidation",
                "disableValidation",
                "disableValidationOnInstall",
                "enableDNS",
                "force",
                "forceConflicts",
                "forceGoGetter",
                "helmStuckGrace",
                "historyMax",
                "hooks",
                "insecureSkipTLSVerify",
                "keyring",
                "kubedogBurst",
                "kubedogQPS",
                "missingFileHandlerConfig",
                "plainHttp",
                "recreatePods",
                "resolveOCIVersions",
                "reuseValues",
                "rollbackOnFailure",
                "serverSide",
                "skipDeps",
                "skipKinds",
                "skipRefresh",
                "suppressDiff",
                "suppressOutputLineRegex",
                "syncReleaseLabels",
                "takeOwnership",
                "timeout",
                "trackFailOnError",
                "trackFailedLogs",
                "trackKinds",
                "trackLogs",
                "trackMode",
                "trackResources",
                "trackTimeout",
                "unitTests",
                "updateStrategy",
                "verify",
                "verifyTemplate",
                "wait",
                "waitForJobs",
                "waitRetries",
                "waitTemplate",
            ],
        ),
        (
            Treatment::Refused,
            &[
                "apiVersions",
                "dependencies",
                "directory",
                "env",
                "forceNamespace",
                "jsonPatches",
                "kubeVersion",
                "postRenderer",
                "postRendererArgs",
                "secrets",
                "setString",
                "skipSchemaValidation",
                "strategicMergePatches",
                "transformers",
                "valuesPathPrefix",
            ],
        ),
    ],
};

pub(crate) const ENVIRONMENT: Known = Known {
    what: "environment",
    fields: &[
        (Treatment::Read, &["values", "kubeContext", "missingFileHandler", "mergeStrategy"]),
        (Treatment::PassedOver, &["missingFileHandlerConfig"]),
        (Treatment::Refused, &["secrets"]),
    ],
};

impl Known {
    /// An unknown field is an error, as in Helmfile; what is not read yet is given back, a finding each.
    pub(crate) fn check(&self, map: &Map, file: FileId) -> Result<Vec<Box<Diagnostic>>> {
        let mut refused = Vec::new();
        for (key, value) in map.entries() {
            let key = key.to_str().into_owned();
            let span = place(&value, file);
            let of = |names: &&(Treatment, &[&str])| names.1.contains(&key.as_str());
            match self.fields.iter().find(of).map(|(treatment, _)| *treatment) {
                Some(Treatment::Read | Treatment::PassedOver) => {}
                Some(Treatment::Refused) if !value.truth() => {}
                Some(Treatment::Refused) => refused.push(unsupported(&format!("`{key}` of a {}", self.what), span)),
                None => {
                    let message = format!("a {} has no field `{key}`", self.what);
                    return Err(Diagnostic::error("helmfile-field", message).at(span));
                }
            }
        }
        Ok(refused)
    }
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
