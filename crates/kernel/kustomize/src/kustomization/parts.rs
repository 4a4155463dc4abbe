//! The lists of a kustomization: images, patches, generators and so on, and how they are read.

use super::legacy::{CHART_FIELDS, OLD_CHART_FIELDS};
use crate::config::{FieldSpec, field_specs};
use crate::decode::{Decoder, Located};
use crate::scalar::NodeExt;
use crate::select::Selector;
use onepane_diagnostics::{Result, Span};
use onepane_yaml::Node;

/// An entry of `images:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    /// A pattern for the name without a tag.
    pub(crate) name: String,
    pub(crate) new_name: String,
    pub(crate) tag_suffix: String,
    pub(crate) new_tag: String,
    pub(crate) digest: String,
    pub(crate) span: Option<Span>,
    /// The line that says what is new, and the entry's others.
    pub(crate) lines: SaidAt,
}

/// An entry of `replicas:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) count: i64,
    pub(crate) span: Option<Span>,
    /// The line of the count, and that of the name.
    pub(crate) lines: SaidAt,
}

/// The line of an entry that gives a value, and those beside it that have to do with that.
#[derive(Clone, Debug, Default)]
pub(crate) struct SaidAt {
    pub(crate) value: Option<Span>,
    pub(crate) beside: Vec<Span>,
}

impl SaidAt {
    /// The entry says something in a line that counts more than those before if `is_value`.
    fn add(&mut self, span: Option<Span>, is_value: bool) {
        let beside = if is_value { std::mem::replace(&mut self.value, span) } else { span };
        self.beside.extend(beside);
    }
}

/// An entry of `labels:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Label {
    pub(crate) pairs: Vec<(String, Located)>,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    /// Newer than Kustomize 5.8.1: whether claim templates are among the templates; absent, they are.
    pub(crate) include_claim_templates: Option<bool>,
    pub(crate) fields: Vec<FieldSpec>,
    pub(crate) span: Option<Span>,
}

/// An entry of `patches:` or `patchesJson6902:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patch {
    pub(crate) path: Located,
    pub(crate) patch: Option<Node>,
    pub(crate) target: Option<Selector>,
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
    pub(crate) span: Option<Span>,
}

/// An entry of `configMapGenerator:` or `secretGenerator:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Generator {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) behavior: String,
    pub(crate) literals: Vec<Located>,
    pub(crate) files: Vec<Located>,
    pub(crate) envs: Vec<Located>,
    pub(crate) options: Option<GeneratorOptions>,
    /// The type of a secret; empty for the default.
    pub(crate) secret_type: String,
    pub(crate) span: Option<Span>,
    pub(crate) lines: GeneratorLines,
}

/// Where a generator says what.
#[derive(Clone, Debug, Default)]
pub(crate) struct GeneratorLines {
    /// The key of the list that it is in.
    pub(crate) list: Option<Span>,
    pub(crate) name: Option<Span>,
    pub(crate) namespace: Option<Span>,
    pub(crate) secret_type: Option<Span>,
}

/// `generatorOptions:`, or the `options:` of one generator.
#[derive(Clone, Debug, Default)]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: Vec<(String, Located)>,
    pub(crate) annotations: Vec<(String, Located)>,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) immutable: bool,
}

/// An entry of `vars:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) target_name: String,
    pub(crate) target_namespace: String,
    pub(crate) field_path: String,
    /// Its place in the list.
    pub(crate) index: usize,
    pub(crate) span: Option<Span>,
}

/// `sortOptions:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct SortOptions {
    pub(crate) order: Located,
    /// Kinds that come first and last, where `legacySortOptions` is there.
    pub(crate) legacy: Option<(Vec<String>, Vec<String>)>,
}

/// `helmGlobals:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct HelmGlobals {
    pub(crate) chart_home: String,
    pub(crate) config_home: String,
}

/// An entry of `helmCharts:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct HelmChart {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) repo: String,
    pub(crate) release_name: String,
    pub(crate) namespace: String,
    pub(crate) additional_values_files: Vec<Located>,
    pub(crate) values_file: Located,
    pub(crate) values_inline: Option<Node>,
    pub(crate) values_merge: String,
    pub(crate) include_crds: bool,
    pub(crate) skip_hooks: bool,
    pub(crate) api_versions: Vec<String>,
    pub(crate) kube_version: String,
    pub(crate) name_template: String,
    pub(crate) skip_tests: bool,
    pub(crate) devel: bool,
    pub(crate) span: Option<Span>,
}

/// The fields that the entries of lists have, and those of the list as the file calls it.
pub(crate) const ENTRY_FIELDS: [(&str, &[&str]); 10] = [
    ("images", IMAGE_FIELDS),
    ("imageTags", IMAGE_FIELDS),
    ("replicas", REPLICA_FIELDS),
    ("labels", LABEL_FIELDS),
    ("patches", PATCH_FIELDS),
    ("patchesJson6902", PATCH_FIELDS),
    ("configMapGenerator", CONFIG_MAP_FIELDS),
    ("secretGenerator", SECRET_FIELDS),
    ("helmCharts", CHART_FIELDS),
    ("helmChartInflationGenerator", OLD_CHART_FIELDS),
];

const IMAGE_FIELDS: &[&str] = &["name", "newName", "tagSuffix", "newTag", "digest"];

/// Reads an entry of `images:`.
pub(crate) fn read_image(decoder: &Decoder, node: &Node) -> Result<Image> {
    let mut image = Image { span: entry_span(node), ..Image::default() };
    decoder.fields(node, IMAGE_FIELDS, |field, value| {
        let text = decoder.string(value)?;
        let is_newest = match field {
            "name" => false,
            "newName" => image.lines.value.is_none(),
            _ => true,
        };
        image.lines.add(value.span, is_newest);
        match field {
            "name" => image.name = text,
            "newName" => image.new_name = text,
            "tagSuffix" => image.tag_suffix = text,
            "newTag" => image.new_tag = text,
            _ => image.digest = text,
        }
        Ok(())
    })?;
    Ok(image)
}

const REPLICA_FIELDS: &[&str] = &["name", "count"];

/// Reads an entry of `replicas:`.
pub(crate) fn read_replica(decoder: &Decoder, node: &Node) -> Result<Replica> {
    let mut replica = Replica { span: entry_span(node), ..Replica::default() };
    decoder.fields(node, REPLICA_FIELDS, |field, value| {
        replica.lines.add(value.span, field == "count");
        match field {
            "name" => replica.name = decoder.string(value)?,
            _ => replica.count = decoder.integer(value)?,
        }
        Ok(())
    })?;
    Ok(replica)
}

const LABEL_FIELDS: &[&str] =
    &["pairs", "includeSelectors", "includeTemplates", "includeVolumeClaimTemplates", "fields"];

/// Reads an entry of `labels:`.
pub(super) fn read_label(decoder: &Decoder, node: &Node) -> Result<Label> {
    let mut label = Label { span: entry_span(node), ..Label::default() };
    decoder.fields(node, LABEL_FIELDS, |field, value| {
        match field {
            "pairs" => label.pairs = decoder.string_map(value)?,
            "includeSelectors" => label.include_selectors = decoder.bool(value)?,
            "includeTemplates" => label.include_templates = decoder.bool(value)?,
            "includeVolumeClaimTemplates" => label.include_claim_templates = Some(decoder.bool(value)?),
            _ => label.fields = field_specs(decoder, value)?,
        }
        Ok(())
    })?;
    Ok(label)
}

const PATCH_FIELDS: &[&str] = &["path", "patch", "target", "options"];

/// Reads an entry of `patches:` or `patchesJson6902:`.
pub(super) fn read_patch(decoder: &Decoder, node: &Node) -> Result<Patch> {
    let mut patch = Patch { span: entry_span(node), ..Patch::default() };
    decoder.fields(node, PATCH_FIELDS, |field, value| {
        match field {
            "path" => patch.path = decoder.located(value)?,
            "patch" => {
                decoder.string(value)?;
                patch.patch = (!value.is_null()).then(|| value.clone());
            }
            "target" => patch.target = read_selector(decoder, value)?,
            _ => decoder.fields(value, &["allowNameChange", "allowKindChange"], |option, value| {
                match option {
                    "allowNameChange" => patch.allow_name_change = decoder.bool(value)?,
                    _ => patch.allow_kind_change = decoder.bool(value)?,
                }
                Ok(())
            })?,
        }
        Ok(())
    })?;
    Ok(patch)
}

/// Reads a `target:`; null is none.
pub(crate) fn read_selector(decoder: &Decoder, node: &Node) -> Result<Option<Selector>> {
    const FIELDS: &[&str] = &["group", "version", "kind", "name", "namespace", "annotationSelector", "labelSelector"];
    if node.is_null() {
        return Ok(None);
    }
    let mut selector = Selector::default();
    decoder.fields(node, FIELDS, |field, value| {
        let text = decoder.string(value)?;
        match field {
            "group" => selector.group = text,
            "version" => selector.version = text,
            "kind" => selector.kind = text,
            "name" => selector.name = text,
            "namespace" => selector.namespace = text,
            "annotationSelector" => selector.annotations = text,
            _ => selector.labels = text,
        }
        Ok(())
    })?;
    Ok(Some(selector))
}

const GENERATOR_FIELDS: &[&str; 10] =
    &["namespace", "name", "behavior", "literals", "files", "envs", "env", "options", "type", "metadata"];
const CONFIG_MAP_FIELDS: &[&str] = GENERATOR_FIELDS.split_at(8).0;
const SECRET_FIELDS: &[&str] = GENERATOR_FIELDS.split_at(9).0;

/// Reads an entry of `configMapGenerator:` (without `type`) or `secretGenerator:`, or a generator of either kind.
pub(crate) fn read_generator(decoder: &Decoder, node: &Node, known: GeneratorFields) -> Result<Generator> {
    let mut generator = Generator { span: entry_span(node), ..Generator::default() };
    let (mut metadata_name, mut metadata_namespace) = (String::new(), String::new());
    let mut env = Located::default();
    let fields = match known {
        GeneratorFields::ConfigMap => CONFIG_MAP_FIELDS,
        GeneratorFields::Secret => SECRET_FIELDS,
        GeneratorFields::Plugin => GENERATOR_FIELDS,
    };
    let lines = &mut generator.lines;
    decoder.fields(node, fields, |field, value| {
        match field {
            "namespace" => lines.namespace = value.span,
            "name" => lines.name = value.span,
            "type" => lines.secret_type = value.span,
            _ => {}
        }
        match field {
            "namespace" => generator.namespace = decoder.string(value)?,
            "name" => generator.name = decoder.string(value)?,
            "behavior" => generator.behavior = decoder.string(value)?,
            "literals" => generator.literals = decoder.located_list(value)?,
            "files" => generator.files = decoder.located_list(value)?,
            "envs" => generator.envs = decoder.located_list(value)?,
            "env" => env = decoder.located(value)?,
            "options" => {
                generator.options = if value.is_null() { None } else { Some(read_generator_options(decoder, value)?) };
            }
            "type" => generator.secret_type = decoder.string(value)?,
            _ => decoder.fields(value, &["name", "namespace"], |field, value| {
                match field {
                    "name" => metadata_name = decoder.string(value)?,
                    _ => metadata_namespace = decoder.string(value)?,
                }
                Ok(())
            })?,
        }
        Ok(())
    })?;
    // A plugin does not look at the old singular form.
    if !env.text.is_empty() && known != GeneratorFields::Plugin {
        generator.envs.push(env);
    }
    if generator.name.is_empty() {
        generator.name = metadata_name;
    }
    if generator.namespace.is_empty() {
        generator.namespace = metadata_namespace;
    }
    Ok(generator)
}

/// Which fields a generator has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeneratorFields {
    /// Those of a ConfigMap in a kustomization.
    ConfigMap,
    /// Those of a Secret in a kustomization.
    Secret,
    /// Those of a built-in plugin, which may have its name in `metadata`.
    Plugin,
}

/// Reads `generatorOptions:`.
pub(super) fn read_generator_options(decoder: &Decoder, node: &Node) -> Result<GeneratorOptions> {
    let mut options = GeneratorOptions::default();
    decoder.fields(node, &["labels", "annotations", "disableNameSuffixHash", "immutable"], |field, value| {
        match field {
            "labels" => options.labels = decoder.string_map(value)?,
            "annotations" => options.annotations = decoder.string_map(value)?,
            "disableNameSuffixHash" => options.disable_name_suffix_hash = decoder.bool(value)?,
            _ => options.immutable = decoder.bool(value)?,
        }
        Ok(())
    })?;
    Ok(options)
}

/// Reads an entry of `vars:`.
pub(crate) fn read_variable(decoder: &Decoder, node: &Node, index: usize) -> Result<Variable> {
    let mut variable = Variable { index, span: entry_span(node), ..Variable::default() };
    let mut api_version = String::new();
    decoder.fields(node, &["name", "objref", "fieldref"], |field, value| match field {
        "name" => {
            variable.name = decoder.string(value)?;
            Ok(())
        }
        "objref" => {
            let fields = &["apiVersion", "group", "version", "kind", "name", "namespace"];
            decoder.fields(value, fields, |field, value| {
                let text = decoder.string(value)?;
                match field {
                    "apiVersion" => api_version = text,
                    "group" => variable.group = text,
                    "version" => variable.version = text,
                    "kind" => variable.kind = text,
                    "name" => variable.target_name = text,
                    _ => variable.target_namespace = text,
                }
                Ok(())
            })
        }
        _ => decoder.fields(value, &["fieldPath"], |_, value| {
            variable.field_path = decoder.string(value)?;
            Ok(())
        }),
    })?;
    match api_version.split('/').collect::<Vec<_>>()[..] {
        [""] => {}
        [version] => variable.version = version.to_owned(),
        [group, version] => {
            variable.group = group.to_owned();
            variable.version = version.to_owned();
        }
        _ => {}
    }
    if variable.field_path.is_empty() {
        variable.field_path = "metadata.name".to_owned();
    }
    Ok(variable)
}

/// Reads `sortOptions:`.
pub(super) fn read_sort_options(decoder: &Decoder, node: &Node) -> Result<Option<SortOptions>> {
    if node.is_null() {
        return Ok(None);
    }
    let mut options = SortOptions::default();
    decoder.fields(node, &["order", "legacySortOptions"], |field, value| {
        if field == "order" {
            options.order = decoder.located(value)?;
        } else if !value.is_null() {
            let (mut first, mut last) = (Vec::new(), Vec::new());
            decoder.fields(value, &["orderFirst", "orderLast"], |field, value| {
                match field {
                    "orderFirst" => first = decoder.strings(value)?,
                    _ => last = decoder.strings(value)?,
                }
                Ok(())
            })?;
            options.legacy = Some((first, last));
        }
        Ok(())
    })?;
    Ok(Some(options))
}

/// Where an entry of a list starts: at its first key, or at the line of the whole.
pub(crate) fn entry_span(node: &Node) -> Option<Span> {
    let first = node.entries().and_then(|entries| entries.first()).and_then(|(key, _)| key.span);
    first.or(node.span)
}
