//! Configurations of built-in plugins: `generators:` and `transformers:` with `apiVersion: builtin`.

use crate::accumulate::{Accumulator, Build, Target, located};
use crate::charts::inflate;
use crate::config::{FieldSpec, field_specs};
use crate::decode::{Decoder, Located, closest};
use crate::generate::{Generated, generate as generate_config, generate_policy};
use crate::kustomization::{GeneratorFields, Image, Patch, Replica};
use crate::kustomization::{
    read_generator, read_helm_chart, read_helm_globals, read_image, read_replica, read_selector,
};
use crate::provenance::{ConfiguredBy, source_of};
use crate::stamp::Stamp;
use crate::transform::{
    Affix, NamespaceChange, Pairs, RoleBindingSubjects, add_affix, add_value, load_json6902, load_patch,
    load_replacements, load_strategic_merge, read_value_add, set_image, set_namespace, set_pairs, set_replicas,
};
use onepane_diagnostics::{Diagnostic, Result, Step};
use onepane_resource::Resource;
use onepane_yaml::Node;

const GENERATORS: &[&str] =
    &["ConfigMapGenerator", "IAMPolicyGenerator", "SecretGenerator", "HelmChartInflationGenerator"];
const TRANSFORMERS: &[&str] = &[
    "AnnotationsTransformer",
    "HashTransformer",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PrefixTransformer",
    "PrefixSuffixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "SuffixTransformer",
    "ValueAddTransformer",
];

/// The kinds of the built-in plugins, generators first.
pub fn builtin_plugins() -> impl Iterator<Item = &'static str> {
    GENERATORS.iter().chain(TRANSFORMERS).copied()
}

/// Runs the generator that `config` describes and absorbs what it makes.
pub(crate) fn generate(
    build: &mut Build<'_>,
    target: &Target<'_>,
    config: &Resource,
    into: &mut Accumulator,
) -> Result<()> {
    check(build, config, GENERATORS, "generator")?;
    let node = config.node();
    let decoder = Decoder::lenient("generator");
    let configured = |kind| {
        let generator = read_generator(&decoder, node, GeneratorFields::Plugin)?;
        generate_config(kind, &generator, None, target.loader, build.options.origins)
    };
    let made = match config.kind() {
        "ConfigMapGenerator" => configured(Generated::ConfigMap).map(|made| vec![made]),
        "SecretGenerator" => configured(Generated::Secret).map(|made| vec![made]),
        "IAMPolicyGenerator" => {
            let stamp = Stamp::new(build.options.origins, Step::Generator, node.span);
            generate_policy(node, &stamp).map(|made| vec![made])
        }
        _ => read_helm_chart(&decoder, node)
            .and_then(|chart| inflate(build, target, &chart, &read_helm_globals(&decoder, node)?)),
    };
    let mut made = made.map_err(|error| fails(error, config))?;
    for resource in &mut made {
        resource.overlays.push(target.file);
        if let Some(source) = source_of(config) {
            source.annotate_generated(resource, &into.resources, ConfiguredBy::plugin(config));
        }
    }
    into.resources.absorb_all(made).map_err(|error| located(error, node.span))
}

/// Runs the transformer that `config` describes.
pub(crate) fn transform(
    build: &mut Build<'_>,
    target: &Target<'_>,
    config: &Resource,
    onto: &mut Accumulator,
) -> Result<()> {
    check(build, config, TRANSFORMERS, "transformer")?;
    run(build, target, config, onto).map_err(|error| fails(error, config))?;
    if target.provenance.is_some()
        && let Some(source) = source_of(config)
    {
        source.annotate_transformed(&mut onto.resources, ConfiguredBy::plugin(config));
    }
    Ok(())
}

fn run(build: &mut Build<'_>, target: &Target<'_>, config: &Resource, onto: &mut Accumulator) -> Result<()> {
    let node = config.node();
    let origins = build.options.origins;
    let stamp = |step| Stamp::new(origins, step, node.span);
    let set = &mut onto.resources;
    let decoder = Decoder::lenient("transformer");
    let get = |key: &str| field(node, key);
    let fields = || get("fieldSpecs").map_or(Ok(Vec::new()), |node| field_specs(&decoder, node));
    let text = |key: &str| get(key).map_or(Ok(String::new()), |node| decoder.string(node));
    let pairs = |key: &str| get(key).map_or(Ok(Vec::new()), |node| decoder.string_map(node));
    match config.kind() {
        "AnnotationsTransformer" => {
            let pairs = pairs("annotations")?;
            set_pairs(set, &Pairs { pairs: &pairs, step: Step::Annotation, origins }, &fields()?)
        }
        "LabelTransformer" => {
            let pairs = pairs("labels")?;
            set_pairs(set, &Pairs { pairs: &pairs, step: Step::Label, origins }, &fields()?)
        }
        "HashTransformer" => {
            crate::generate::add_hashes(set, origins);
            Ok(())
        }
        "ImageTagTransformer" => {
            let image = get("imageTag").map_or(Ok(Image::default()), |node| read_image(&decoder, node))?;
            let stamp = Stamp::new(origins, Step::Image, image.span.or(node.span)).noted(&image.name);
            set_image(set, &image, &fields()?, &stamp)
        }
        "NamespaceTransformer" => {
            let namespace = config.namespace().to_owned();
            let unset_only = get("unsetOnly").map_or(Ok(false), |node| decoder.bool(node))?;
            let subjects = RoleBindingSubjects::parse(&text("setRoleBindingSubjects")?)?;
            let change = NamespaceChange { namespace: &namespace, unset_only, subjects };
            set_namespace(set, change, &fields()?, &stamp(Step::Namespace))
        }
        "PrefixTransformer" => {
            let prefix = text("prefix")?;
            add_affix(set, Affix::Prefix(&prefix), &required(fields()?)?, &stamp(Step::NameAffix))
        }
        "SuffixTransformer" => {
            let suffix = text("suffix")?;
            add_affix(set, Affix::Suffix(&suffix), &required(fields()?)?, &stamp(Step::NameAffix))
        }
        "PatchJson6902Transformer" => {
            let patch = read_patch(&decoder, node, "jsonOp")?;
            let patch = load_json6902(&patch, target.loader, target.file)?;
            build.patch(&patch, target, onto)
        }
        "PatchTransformer" => {
            let patch = read_patch(&decoder, node, "patch")?;
            let patch = load_patch(&patch, target.loader, target.file)?;
            build.patch(&patch, target, onto)
        }
        "PatchStrategicMergeTransformer" => {
            let mut patches: Vec<Located> = get("paths").map_or(Ok(Vec::new()), |node| decoder.located_list(node))?;
            patches.extend(
                get("patches").map(|node| decoder.located(node)).transpose()?.filter(|patch| !patch.text.is_empty()),
            );
            if patches.is_empty() {
                let error = Diagnostic::error("kustomize-patch", "empty file path and empty patch content");
                return Err(error.hint("`paths:` lists files with patches, `patches: |-` has their text below"));
            }
            let patches = load_strategic_merge(&patches, target.loader, target.file)?;
            patches.iter().try_for_each(|patch| build.patch(patch, target, onto))
        }
        "ReplacementTransformer" => {
            let list = get("replacements").and_then(Node::items).unwrap_or_default().iter();
            let loaded: Vec<_> =
                list.map(|entry| load_replacements(entry, false, target.loader)).collect::<Result<_>>()?;
            for replacements in loaded {
                build.warnings.extend(replacements.apply(set, origins, build.unmatched(target))?);
            }
            Ok(())
        }
        "ReplicaCountTransformer" => {
            let replica = get("replica").map_or(Ok(Replica::default()), |node| read_replica(&decoder, node))?;
            let stamp = Stamp::new(origins, Step::Replicas, replica.span.or(node.span));
            set_replicas(set, &replica, &fields()?, &stamp)
        }
        "PrefixSuffixTransformer" => {
            let (prefix, suffix, fields) = (text("prefix")?, text("suffix")?, required(fields()?)?);
            add_affix(set, Affix::Prefix(&prefix), &fields, &stamp(Step::NameAffix))?;
            add_affix(set, Affix::Suffix(&suffix), &fields, &stamp(Step::NameAffix))
        }
        _ => {
            let add = read_value_add(node, target.loader)?;
            add_value(set, &add, &stamp(Step::Transformer))
        }
    }
}

/// A field by its name, exactly or else without regard to case, as Go finds it.
fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let same = |key: &Node| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
    node.get(name).or_else(|| node.entries()?.iter().find(|(key, _)| same(key)).map(|(_, value)| value))
}

fn required(fields: Vec<FieldSpec>) -> Result<Vec<FieldSpec>> {
    if fields.is_empty() {
        let error = Diagnostic::error("kustomize-plugin", "fieldSpecs is not expected to be nil");
        return Err(error.hint("list the fields to change: `fieldSpecs: [{path: metadata/name}]`"));
    }
    Ok(fields)
}

/// Reads the configuration of a patch whose text stands under `key`.
fn read_patch(decoder: &Decoder, node: &Node, key: &'static str) -> Result<Patch> {
    let mut patch = Patch { span: node.span, ..Patch::default() };
    decoder.fields(node, &["path", key, "target", "options"], |field, value| {
        match field {
            "path" => patch.path = decoder.located(value)?,
            "target" => patch.target = read_selector(decoder, value)?,
            "options" => decoder.fields(value, &["allowNameChange", "allowKindChange"], |field, value| {
                match field {
                    "allowNameChange" => patch.allow_name_change = decoder.bool(value)?,
                    _ => patch.allow_kind_change = decoder.bool(value)?,
                }
                Ok(())
            })?,
            _ => {
                decoder.string(value)?;
                patch.patch = Some(value.clone());
            }
        }
        Ok(())
    })?;
    Ok(patch)
}

/// Refuses what is not built in.
fn check(build: &Build<'_>, config: &Resource, known: &[&str], what: &str) -> Result<()> {
    let kind = config.kind();
    let error = if config.api_version() != "builtin" {
        let why = if build.options.enable_plugins {
            "cannot be run: only built-in ones are supported"
        } else {
            "is external"
        };
        let message = format!("external plugins disabled; unable to load external plugin '{kind}': it {why}");
        Diagnostic::error("kustomize-plugin", message).hint(
            "functions in containers and executables are not run; the built-in plugins have `apiVersion: builtin`",
        )
    } else if known.contains(&kind) {
        return Ok(());
    } else if GENERATORS.contains(&kind) || TRANSFORMERS.contains(&kind) {
        Diagnostic::error("kustomize-plugin", format!("plugin {} not a {what}", config.id())).hint(format!(
            "a {kind} belongs under `{}s:`",
            if what == "generator" { "transformer" } else { "generator" }
        ))
    } else {
        let error = Diagnostic::error("kustomize-plugin", format!("unable to load builtin {}", config.gvk()));
        match closest(kind, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("the built-in {what}s are: {}", known.join(", "))),
        }
    };
    Err(located(error, config.node().span))
}

fn fails(error: Box<Diagnostic>, config: &Resource) -> Box<Diagnostic> {
    let span = config.node().span;
    located(error, span).trace(format!("configured by plugin {}", config.id()), span)
}
