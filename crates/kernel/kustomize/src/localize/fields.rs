//! The fields of a kustomization and what is kept of each when Kustomize writes one: [`KUSTOMIZATION`].

/// A field of a part of a kustomization.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) kept: Kept,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Text,
    Flag,
    Number,
    Texts,
    /// Texts by name.
    Pairs,
    Part(&'static [Field]),
    Parts(&'static [Field]),
    /// As above, where null is no part and stays null.
    PartsOrNull(&'static [Field]),
    /// A mapping of whatever there is: values of charts.
    Values,
}

/// When a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// If there is something in it.
    Filled,
    /// If it is not null.
    Given,
    /// Always: empty where nothing is said.
    Always,
    /// Always: null where nothing is said.
    OrNull,
}

const fn filled(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, kept: Kept::Filled }
}

const fn given(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, kept: Kept::Given }
}

const fn always(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, kept: Kept::Always }
}

const fn or_null(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, kept: Kept::OrNull }
}

const fn text(name: &'static str) -> Field {
    filled(name, Shape::Text)
}

const fn texts(name: &'static str) -> Field {
    filled(name, Shape::Texts)
}

const fn pairs(name: &'static str) -> Field {
    filled(name, Shape::Pairs)
}

const fn flag(name: &'static str) -> Field {
    filled(name, Shape::Flag)
}

/// All of them. The order does not matter: they are written sorted.
pub(super) const KUSTOMIZATION: &[Field] = &[
    text("kind"),
    text("apiVersion"),
    given("metadata", Shape::Part(METADATA)),
    pairs("openapi"),
    text("namePrefix"),
    text("nameSuffix"),
    text("namespace"),
    pairs("commonLabels"),
    filled("labels", Shape::Parts(LABEL)),
    pairs("commonAnnotations"),
    texts("patchesStrategicMerge"),
    filled("patchesJson6902", Shape::Parts(PATCH)),
    filled("patches", Shape::Parts(PATCH)),
    filled("images", Shape::Parts(IMAGE)),
    filled("imageTags", Shape::Parts(IMAGE)),
    filled("replacements", Shape::Parts(REPLACEMENT)),
    filled("replicas", Shape::Parts(&[text("name"), always("count", Shape::Number)])),
    filled("vars", Shape::Parts(VARIABLE)),
    given("sortOptions", Shape::Part(SORT_OPTIONS)),
    texts("resources"),
    texts("components"),
    texts("crds"),
    texts("bases"),
    filled("configMapGenerator", Shape::Parts(GENERATOR.split_at(GENERATOR.len() - 1).0)),
    filled("secretGenerator", Shape::Parts(GENERATOR)),
    given("helmGlobals", Shape::Part(&[text("chartHome"), text("configHome")])),
    filled("helmCharts", Shape::Parts(CHART)),
    filled("helmChartInflationGenerator", Shape::Parts(OLD_CHART)),
    given("generatorOptions", Shape::Part(GENERATOR_OPTIONS)),
    texts("configurations"),
    texts("generators"),
    texts("transformers"),
    texts("validators"),
    texts("buildMetadata"),
];

const METADATA: &[Field] = &[text("name"), text("namespace"), pairs("labels"), pairs("annotations")];

const LABEL: &[Field] = &[
    pairs("pairs"),
    flag("includeSelectors"),
    flag("includeTemplates"),
    given("includeVolumeClaimTemplates", Shape::Flag),
    filled("fields", Shape::Parts(FIELD_SPEC)),
];

const FIELD_SPEC: &[Field] = &[text("group"), text("version"), text("kind"), text("path"), flag("create")];

const PATCH: &[Field] = &[
    text("path"),
    text("patch"),
    given("target", Shape::Part(SELECTOR)),
    given("options", Shape::Part(&[flag("allowNameChange"), flag("allowKindChange")])),
];

const SELECTOR: &[Field] = &[
    text("group"),
    text("version"),
    text("kind"),
    text("name"),
    text("namespace"),
    text("annotationSelector"),
    text("labelSelector"),
];

const IMAGE: &[Field] = &[text("name"), text("newName"), text("tagSuffix"), text("newTag"), text("digest")];

const REPLACEMENT: &[Field] = &[
    given("source", Shape::Part(REPLACEMENT_SOURCE)),
    filled("targets", Shape::PartsOrNull(REPLACEMENT_TARGET)),
    given("sourceValue", Shape::Text),
    text("path"),
];

const REPLACEMENT_SOURCE: &[Field] = &[
    text("group"),
    text("version"),
    text("kind"),
    text("name"),
    text("namespace"),
    text("fieldPath"),
    given("options", Shape::Part(REPLACEMENT_OPTIONS)),
];

const REPLACEMENT_TARGET: &[Field] = &[
    or_null("select", Shape::Part(SELECTOR)),
    filled("reject", Shape::PartsOrNull(SELECTOR)),
    texts("fieldPaths"),
    given("options", Shape::Part(REPLACEMENT_OPTIONS)),
];

const REPLACEMENT_OPTIONS: &[Field] =
    &[text("delimiter"), filled("index", Shape::Number), text("encoding"), flag("create")];

const VARIABLE: &[Field] = &[
    always("name", Shape::Text),
    always("objref", Shape::Part(VARIABLE_TARGET)),
    always("fieldref", Shape::Part(&[text("fieldPath")])),
];

const VARIABLE_TARGET: &[Field] =
    &[text("apiVersion"), text("group"), text("version"), text("kind"), always("name", Shape::Text), text("namespace")];

const SORT_OPTIONS: &[Field] = &[
    text("order"),
    given("legacySortOptions", Shape::Part(&[or_null("orderFirst", Shape::Texts), or_null("orderLast", Shape::Texts)])),
];

/// Those of a Secret; a ConfigMap has not the last.
const GENERATOR: &[Field] = &[
    text("namespace"),
    text("name"),
    text("behavior"),
    texts("literals"),
    texts("files"),
    texts("envs"),
    text("env"),
    given("options", Shape::Part(GENERATOR_OPTIONS)),
    text("type"),
];

const GENERATOR_OPTIONS: &[Field] =
    &[pairs("labels"), pairs("annotations"), flag("disableNameSuffixHash"), flag("immutable")];

const CHART: &[Field] = &[
    text("name"),
    text("version"),
    text("repo"),
    text("releaseName"),
    text("namespace"),
    texts("additionalValuesFiles"),
    text("valuesFile"),
    filled("valuesInline", Shape::Values),
    text("valuesMerge"),
    flag("includeCRDs"),
    flag("skipHooks"),
    texts("apiVersions"),
    text("kubeVersion"),
    text("nameTemplate"),
    flag("skipTests"),
    flag("debug"),
    flag("devel"),
];

const OLD_CHART: &[Field] = &[
    text("chartName"),
    text("chartVersion"),
    text("chartRepoUrl"),
    text("chartHome"),
    text("chartRepoName"),
    text("helmBin"),
    text("helmHome"),
    text("values"),
    filled("valuesLocal", Shape::Values),
    text("valuesMerge"),
    text("releaseName"),
    text("releaseNamespace"),
    texts("extraArgs"),
];
