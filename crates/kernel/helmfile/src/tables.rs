//! The fields that Helmfile v1.8 knows, in the order in which it writes them.

use crate::shape::Shape::{
    Anys, Flag, Float, Helmfiles, Number, OneOrParts, OneOrTexts, Pairs, Part as OnePart, Parts, PartsByName, Text,
    Texts,
};
use crate::shape::{Field, Kept, Part, Shape};

const fn filled(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, kept: Kept::Filled }
}

const fn given(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, kept: Kept::Given }
}

const fn always(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, kept: Kept::Always }
}

/// A state file.
pub(crate) const STATE: Part = Part {
    what: "state file",
    fields: &[
        filled("helmBinary", Text),
        filled("kustomizeBinary", Text),
        filled("values", Anys),
        filled("environments", PartsByName(&ENVIRONMENT)),
        filled("bases", Texts),
        filled("helmDefaults", OnePart(&HELM_DEFAULTS)),
        filled("helmfiles", Helmfiles),
        filled("kubeContext", Text),
        filled("namespace", Text),
        filled("chart", Text),
        filled("repositories", Parts(&REPOSITORY)),
        filled("commonLabels", Pairs),
        filled("releases", Parts(&RELEASE)),
        filled("llm", OnePart(&LLM)),
        filled("apiVersions", Texts),
        filled("kubeVersion", Text),
        filled("hooks", Parts(&HOOK)),
        always("templates", PartsByName(&RELEASE)),
        filled("defaultInherit", OneOrTexts),
        given("missingFileHandler", Text),
        given("missingFileHandlerConfig", OnePart(&MISSING_FILE_HANDLER)),
        filled("lockFilePath", Text),
    ],
};

/// What all releases have where they say nothing else.
pub(crate) const HELM_DEFAULTS: Part = Part {
    what: "`helmDefaults`",
    fields: &[
        filled("kubeContext", Text),
        filled("args", Texts),
        filled("diffArgs", Texts),
        filled("syncArgs", Texts),
        filled("templateArgs", Texts),
        always("verify", Flag),
        filled("keyring", Text),
        always("enableDNS", Flag),
        given("skipSchemaValidation", Flag),
        always("devel", Flag),
        always("wait", Flag),
        always("waitRetries", Number),
        always("waitForJobs", Flag),
        always("timeout", Number),
        always("recreatePods", Flag),
        always("force", Flag),
        always("atomic", Flag),
        always("rollbackOnFailure", Flag),
        filled("cleanupOnFail", Flag),
        always("forceConflicts", Flag),
        given("historyMax", Number),
        given("createNamespace", Flag),
        filled("skipCRDs", Flag),
        always("skipDeps", Flag),
        always("skipRefresh", Flag),
        given("resolveOCIVersions", Flag),
        always("reuseValues", Flag),
        given("postRenderer", Text),
        filled("postRendererArgs", Texts),
        given("cascade", Text),
        filled("suppressOutputLineRegex", Texts),
        given("disableAutoDetectedKubeVersionForDiff", Flag),
        given("disableValidation", Flag),
        given("disableOpenAPIValidation", Flag),
        filled("insecureSkipTLSVerify", Flag),
        filled("plainHttp", Flag),
        filled("deleteWait", Flag),
        filled("deleteTimeout", Number),
        given("syncReleaseLabels", Flag),
        given("takeOwnership", Flag),
        given("serverSide", Text),
        filled("trackMode", Text),
        filled("helmStuckGrace", Number),
    ],
};

/// A chart repository.
pub(crate) const REPOSITORY: Part = Part {
    what: "repository",
    fields: &[
        filled("name", Text),
        filled("url", Text),
        filled("caFile", Text),
        filled("certFile", Text),
        filled("keyFile", Text),
        filled("username", Text),
        filled("password", Text),
        filled("registryConfig", Text),
        filled("managed", Text),
        filled("oci", Flag),
        filled("verify", Flag),
        filled("keyring", Text),
        filled("passCredentials", Flag),
        filled("skipTLSVerify", Flag),
        filled("plainHttp", Flag),
    ],
};

/// A release, or a template of some.
pub(crate) const RELEASE: Part = Part {
    what: "release",
    fields: &[
        filled("chart", Text),
        filled("chartPath", Text),
        filled("directory", Text),
        filled("version", Text),
        given("verify", Flag),
        filled("keyring", Text),
        given("enableDNS", Flag),
        given("devel", Flag),
        given("wait", Flag),
        given("waitRetries", Number),
        given("waitForJobs", Flag),
        given("timeout", Number),
        given("recreatePods", Flag),
        given("force", Flag),
        given("installed", Flag),
        filled("updateStrategy", Text),
        given("atomic", Flag),
        given("rollbackOnFailure", Flag),
        given("cleanupOnFail", Flag),
        given("forceConflicts", Flag),
        given("historyMax", Number),
        filled("condition", Text),
        given("createNamespace", Flag),
        given("reuseValues", Flag),
        given("disableOpenAPIValidation", Flag),
        given("disableValidation", Flag),
        given("disableValidationOnInstall", Flag),
        given("missingFileHandler", Text),
        given("missingFileHandlerConfig", OnePart(&MISSING_FILE_HANDLER)),
        filled("needs", Texts),
        filled("hooks", Parts(&HOOK)),
        filled("unitTests", Texts),
        filled("name", Text),
        filled("description", Text),
        filled("namespace", Text),
        filled("labels", Pairs),
        filled("values", Anys),
        filled("secrets", Anys),
        filled("set", Parts(&SET)),
        filled("setString", Parts(&SET)),
        filled("valuesTemplate", Anys),
        filled("setTemplate", Parts(&SET)),
        filled("apiVersions", Texts),
        filled("kubeVersion", Text),
        filled("env", Parts(&SET)),
        filled("valuesPathPrefix", Text),
        filled("kubeContext", Text),
        filled("insecureSkipTLSVerify", Flag),
        filled("plainHttp", Flag),
        given("verifyTemplate", Text),
        given("waitTemplate", Text),
        given("installedTemplate", Text),
        given("conditionTemplate", Text),
        filled("dependencies", Parts(&DEPENDENCY)),
        filled("jsonPatches", Anys),
        filled("strategicMergePatches", Anys),
        filled("transformers", Anys),
        filled("adopt", Texts),
        filled("forceGoGetter", Flag),
        filled("forceNamespace", Text),
        given("skipDeps", Flag),
        given("skipRefresh", Flag),
        given("resolveOCIVersions", Flag),
        given("postRenderer", Text),
        given("skipSchemaValidation", Flag),
        filled("postRendererArgs", Texts),
        given("cascade", Text),
        filled("suppressOutputLineRegex", Texts),
        given("disableAutoDetectedKubeVersionForDiff", Flag),
        filled("inherit", OneOrParts(&INHERIT)),
        given("suppressDiff", Flag),
        given("deleteWait", Flag),
        given("deleteTimeout", Number),
        given("syncReleaseLabels", Flag),
        given("takeOwnership", Flag),
        given("serverSide", Text),
        filled("trackMode", Text),
        given("trackTimeout", Number),
        given("trackLogs", Flag),
        given("trackFailedLogs", Flag),
        given("helmStuckGrace", Number),
        filled("trackKinds", Texts),
        filled("skipKinds", Texts),
        filled("trackResources", Parts(&TRACKED)),
        given("kubedogQPS", Float),
        given("kubedogBurst", Number),
        given("trackFailOnError", Flag),
    ],
};

/// An environment.
pub(crate) const ENVIRONMENT: Part = Part {
    what: "environment",
    fields: &[
        filled("values", Anys),
        filled("secrets", Texts),
        filled("kubeContext", Text),
        given("missingFileHandler", Text),
        given("missingFileHandlerConfig", OnePart(&MISSING_FILE_HANDLER)),
        filled("mergeStrategy", Text),
    ],
};

/// An entry of `helmfiles` that is more than a path.
pub(crate) const HELMFILE: Part = Part {
    what: "entry of `helmfiles`",
    fields: &[
        filled("path", Text),
        filled("selectors", Texts),
        filled("selectorsInherited", Flag),
        filled("inherits", Texts),
        filled("values", Anys),
    ],
};

const HOOK: Part = Part {
    what: "hook",
    fields: &[
        always("name", Text),
        always("events", Texts),
        always("command", Text),
        filled("kubectlApply", Pairs),
        always("args", Texts),
        always("showlogs", Flag),
    ],
};

const SET: Part = Part {
    what: "entry of `set`",
    fields: &[filled("name", Text), filled("value", Text), filled("file", Text), filled("values", Anys)],
};

const DEPENDENCY: Part =
    Part { what: "dependency", fields: &[always("chart", Text), always("version", Text), always("alias", Text)] };

const INHERIT: Part = Part { what: "entry of `inherit`", fields: &[filled("template", Text), filled("except", Texts)] };

const TRACKED: Part = Part {
    what: "entry of `trackResources`",
    fields: &[filled("kind", Text), filled("name", Text), filled("namespace", Text)],
};

const MISSING_FILE_HANDLER: Part =
    Part { what: "`missingFileHandlerConfig`", fields: &[filled("ignoreMissingGitBranch", Flag)] };

const LLM: Part = Part {
    what: "`llm`",
    fields: &[
        filled("baseURL", Text),
        filled("apiKey", Text),
        filled("model", Text),
        filled("timeout", Text),
        filled("maxTokens", Number),
        filled("temperature", Float),
    ],
};
