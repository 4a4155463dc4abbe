//! From the text of a kustomization file to a [`Kustomization`].

use super::legacy::{read_helm_chart, read_helm_globals, read_old_helm_chart};
use super::parts::{GeneratorFields, read_generator, read_image, read_replica, read_sort_options, read_variable};
use super::parts::{read_generator_options, read_label, read_patch};
use super::{HelmGlobals, Kustomization};
use crate::decode::{Decoder, closest, known_field};
use crate::scalar::NodeExt;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_yaml::Node;

/// The fields of a kustomization.
pub const FIELDS: &[&str] = &[
    "kind",
    "apiVersion",
    "metadata",
    "openapi",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "images",
    "imageTags",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "resources",
    "components",
    "crds",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "buildMetadata",
];

/// Fields that still work and what to write instead.
const DEPRECATED: &[(&str, &str, bool)] = &[
    ("bases", "resources", false),
    ("commonLabels", "labels", false),
    ("imageTags", "images", false),
    ("patchesJson6902", "patches", false),
    ("patchesStrategicMerge", "patches", false),
    ("vars", "replacements", true),
];

/// Reads a kustomization and says which of its fields are deprecated.
///
/// # Errors
/// `kustomize-field` for a field that does not exist or has another type, `kustomize-empty` when nothing is said,
/// `kustomize-kind` when it is neither a Kustomization nor a Component of the one known version.
pub(super) fn read(node: &Node, warnings: &mut Vec<Diagnostic>) -> Result<Kustomization> {
    let mut this = decode(node)?;
    let entries = node.entries().unwrap_or_default().iter().filter(|(_, value)| !value.is_null());
    let said: Vec<_> = entries.filter_map(|(key, value)| Some((known_field(key.as_str()?, FIELDS)?, value))).collect();
    for row in DEPRECATED {
        warnings.extend(said.iter().filter(|said| said.0 == row.0).map(|(_, value)| deprecation(row, value.span)));
    }
    if !said.iter().any(|(field, value)| !matches!(*field, "kind" | "apiVersion") && value.as_str() != Some("")) {
        let error = Diagnostic::error("kustomize-empty", "kustomization.yaml is empty");
        return Err(error.hint("name what it builds under `resources:`"));
    }
    check_type(&mut this).map_err(|(error, field)| {
        match said.iter().rfind(|said| said.0 == field).and_then(|(_, value)| value.span) {
            Some(span) => error.at(span),
            None => error,
        }
    })?;
    Ok(this)
}

/// Reads a kustomization that may say nothing, or nothing of its kind.
///
/// # Errors
/// `kustomize-field`.
pub(crate) fn decode(node: &Node) -> Result<Kustomization> {
    let decoder = Decoder::strict("Kustomization");
    let mut this = Kustomization::default();
    let (mut bases, mut image_tags) = (Vec::new(), Vec::new());
    let (mut old_charts, mut old_globals) = (Vec::new(), HelmGlobals::default());
    let mut has_globals = false;
    this.spans.file = node.span;
    let generators = |list, field, known| {
        let mut keys = node.entries().unwrap_or_default().iter().map(|(key, _)| key);
        let key = keys.rfind(|key| key.as_str() == Some(field)).and_then(|key| key.span);
        decoder.list(list, |item| {
            let mut generator = read_generator(&decoder, item, known)?;
            generator.lines.list = key;
            Ok(generator)
        })
    };
    decoder.fields(node, FIELDS, |field, value| {
        if value.is_null() {
            return Ok(());
        }
        match field {
            "kind" => this.kind = decoder.string(value)?,
            "apiVersion" => this.api_version = decoder.string(value)?,
            "metadata" => read_metadata(&decoder, value)?,
            "openapi" => {
                for (key, value) in decoder.string_map(value)? {
                    match key.as_str() {
                        "path" => this.openapi_path = Some(value),
                        "version" => this.openapi_version = Some(value),
                        _ => {}
                    }
                }
            }
            "namePrefix" => this.name_prefix = decoder.located(value)?,
            "nameSuffix" => this.name_suffix = decoder.located(value)?,
            "namespace" => this.namespace = decoder.located(value)?,
            "commonLabels" => this.common_labels = decoder.string_map(value)?,
            "labels" => this.labels = decoder.list(value, |item| read_label(&decoder, item))?,
            "commonAnnotations" => this.common_annotations = decoder.string_map(value)?,
            "patchesStrategicMerge" => this.patches_strategic_merge = decoder.located_list(value)?,
            "patchesJson6902" => this.patches_json6902 = decoder.list(value, |item| read_patch(&decoder, item))?,
            "patches" => this.patches = decoder.list(value, |item| read_patch(&decoder, item))?,
            "images" => this.images = decoder.list(value, |item| read_image(&decoder, item))?,
            "imageTags" => image_tags = decoder.list(value, |item| read_image(&decoder, item))?,
            "replacements" => this.replacements = decoder.list(value, |item| Ok(item.clone()))?,
            "replicas" => this.replicas = decoder.list(value, |item| read_replica(&decoder, item))?,
            "vars" => {
                let mut index = 0..;
                let read = |item| read_variable(&decoder, item, index.next().unwrap_or_default());
                this.variables = decoder.list(value, read)?;
            }
            "sortOptions" => this.sort_options = read_sort_options(&decoder, value)?,
            "resources" => this.resources = decoder.located_list(value)?,
            "components" => this.components = decoder.located_list(value)?,
            "crds" => this.crds = decoder.located_list(value)?,
            "bases" => bases = decoder.located_list(value)?,
            "configMapGenerator" => this.config_maps = generators(value, field, GeneratorFields::ConfigMap)?,
            "secretGenerator" => this.secrets = generators(value, field, GeneratorFields::Secret)?,
            "helmGlobals" => (this.helm_globals, has_globals) = (read_helm_globals(&decoder, value)?, true),
            "helmCharts" => this.helm_charts = decoder.list(value, |item| read_helm_chart(&decoder, item))?,
            "helmChartInflationGenerator" => {
                for (chart, globals) in decoder.list(value, |item| read_old_helm_chart(&decoder, item))? {
                    old_charts.push(chart);
                    for (from, into) in [
                        (globals.chart_home, &mut old_globals.chart_home),
                        (globals.config_home, &mut old_globals.config_home),
                    ] {
                        if !from.is_empty() {
                            *into = from;
                        }
                    }
                }
            }
            "generatorOptions" => this.generator_options = Some(read_generator_options(&decoder, value)?),
            "configurations" => this.configurations = decoder.located_list(value)?,
            "generators" => this.generators = decoder.located_list(value)?,
            "transformers" => this.transformers = decoder.located_list(value)?,
            "validators" => this.validators = decoder.located_list(value)?,
            _ => this.build_metadata = decoder.strings(value)?,
        }
        Ok(())
    })?;
    this.resources.append(&mut bases);
    this.images.append(&mut image_tags);
    this.helm_charts.append(&mut old_charts);
    if !has_globals {
        this.helm_globals = old_globals;
    }
    Ok(this)
}

fn read_metadata(decoder: &Decoder, node: &Node) -> Result<()> {
    decoder.fields(node, &["name", "namespace", "labels", "annotations"], |field, value| match field {
        "name" | "namespace" => decoder.string(value).map(drop),
        _ => decoder.string_map(value).map(drop),
    })
}

/// The words are Kustomize's, because scripts look for them on stderr.
fn deprecation(row: &(&str, &str, bool), span: Option<onepane_diagnostics::Span>) -> Diagnostic {
    let (old, new, experimental) = row;
    let experimental = if *experimental { "[EXPERIMENTAL] " } else { "" };
    let message = format!(
        "# Warning: '{old}' is deprecated. Please use '{new}' instead. \
         {experimental}Run 'kustomize edit fix' to update your Kustomization automatically."
    );
    let warning = Diagnostic::warning("kustomize-deprecated", message);
    *match span {
        Some(span) => warning.at(span),
        None => warning,
    }
}

/// Fills kind and version in and checks them. An error comes with the field that is to blame.
fn check_type(this: &mut Kustomization) -> std::result::Result<(), (Box<Diagnostic>, &'static str)> {
    if this.kind.is_empty() {
        this.kind = Kustomization::KUSTOMIZATION.to_owned();
    }
    let known = [Kustomization::KUSTOMIZATION, Kustomization::COMPONENT];
    if !known.contains(&this.kind.as_str()) {
        let message = format!("kind should be Kustomization or Component, not `{}`", this.kind);
        let error = Diagnostic::error("kustomize-kind", message);
        let hint = match closest(&this.kind, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "manifests are named under `resources:`, in a file of another name".to_owned(),
        };
        return Err((error.hint(hint), "kind"));
    }
    let wanted = if this.is_component() { Kustomization::COMPONENT_VERSION } else { Kustomization::VERSION };
    if this.api_version.is_empty() {
        this.api_version = wanted.to_owned();
    }
    if this.api_version != wanted {
        let message = format!("apiVersion for {} should be {wanted}, not `{}`", this.kind, this.api_version);
        let hint = format!("write `apiVersion: {wanted}`, or leave it out");
        return Err((Diagnostic::error("kustomize-kind", message).hint(hint), "apiVersion"));
    }
    Ok(())
}
