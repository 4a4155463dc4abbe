//! Configurations of `generators:`, `transformers:` and `validators:`: [`Plugin`]. Those with `apiVersion: builtin` run
//! here, the others are [`External`].

use crate::accumulate::{Accumulator, Build, Target, located};
use crate::charts::inflate;
use crate::config::{FieldSpec, field_specs};
use crate::decode::{Decoder, Located, closest};
use crate::external::External;
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

/// What a configuration is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Generator,
    /// Validators are transformers that should change nothing.
    Transformer,
}

/// A generator, transformer or validator, ready to run.
pub(crate) struct Plugin<'f> {
    config: Resource,
    /// What runs it; `None` for one that is built in.
    external: Option<External<'f>>,
}

impl<'f> Plugin<'f> {
    /// What `config` describes.
    ///
    /// # Errors
    /// `kustomize-plugin` where there is none for it, and what [`External::load`] says.
    pub(crate) fn load(build: &Build<'f>, target: &Target<'_>, config: Resource, role: Role) -> Result<Self> {
        let span = config.node().span;
        let external = match build.functions {
            _ if config.api_version() == "builtin" => {
                check(&config, role).map_err(|error| located(error, span))?;
                None
            }
            None => return Err(located(external_refused(config.kind()), span)),
            Some(functions) => {
                let external = External::load(functions, target, &config, build.options.origins);
                Some(external.map_err(|error| fails(error, &config))?)
            }
        };
        Ok(Self { config, external })
    }

    /// Runs it and absorbs what it makes.
    pub(crate) fn generate(&self, build: &mut Build<'_>, target: &Target<'_>, into: &mut Accumulator) -> Result<()> {
        let made = match &self.external {
            Some(external) => external.generate(target),
            None => made(build, target, &self.config),
        };
        let mut made = made.map_err(|error| fails(error, &self.config))?;
        build.tell_scopes(&mut made);
        for resource in &mut made {
            resource.overlays.push(target.file);
            if let Some(source) = source_of(&self.config) {
                source.annotate_generated(resource, &into.resources, ConfiguredBy::plugin(&self.config));
            }
        }
        into.resources.absorb_all(made).map_err(|error| located(error, self.config.node().span))
    }

    /// Runs it on everything.
    pub(crate) fn transform(&self, build: &mut Build<'_>, target: &Target<'_>, onto: &mut Accumulator) -> Result<()> {
        self.run(build, target, onto)?;
        if target.provenance.is_some()
            && let Some(source) = source_of(&self.config)
        {
            source.annotate_transformed(&mut onto.resources, ConfiguredBy::plugin(&self.config));
        }
        Ok(())
    }

    /// Runs it as a validator.
    ///
    /// # Errors
    /// `kustomize-validator` where it changed something.
    pub(crate) fn validate(&self, build: &mut Build<'_>, target: &Target<'_>, of: &mut Accumulator) -> Result<()> {
        if let Some(external) = &self.external {
            return external.validate(target, &of.resources).map_err(|error| fails(error, &self.config));
        }
        let mut copy = of.clone();
        self.run(build, target, &mut copy)?;
        if !same_but_for_label(&copy, of) {
            let message = format!("validator shouldn't modify the resource map: {}", self.config.id());
            let error = located(Diagnostic::error("kustomize-validator", message), self.config.node().span);
            return Err(error.hint("what changes resources belongs under `transformers:`"));
        }
        *of = copy;
        Ok(())
    }

    fn run(&self, build: &mut Build<'_>, target: &Target<'_>, onto: &mut Accumulator) -> Result<()> {
        match &self.external {
            Some(external) => {
                let transformed = external.transform(target, &mut onto.resources);
                build.tell_scopes(onto.resources.iter_mut());
                transformed
            }
            None => run(build, target, &self.config, onto),
        }
        .map_err(|error| fails(error, &self.config))
    }
}

/// Whether a validator left everything as it was, but for the label that validators may set.
fn same_but_for_label(a: &Accumulator, b: &Accumulator) -> bool {
    let without_label = |resource: &Resource| {
        let mut node = resource.node().clone();
        if let Some(labels) = node.get_mut("metadata").and_then(|metadata| metadata.get_mut("labels")) {
            labels.remove("validated-by");
        }
        node
    };
    let (a, b) = (&a.resources, &b.resources);
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| without_label(a) == without_label(b))
}

/// What a generator that is built in makes.
fn made(build: &mut Build<'_>, target: &Target<'_>, config: &Resource) -> Result<Vec<Resource>> {
    let node = config.node();
    let decoder = Decoder::lenient("generator");
    let configured = |kind| {
        let generator = read_generator(&decoder, node, GeneratorFields::Plugin)?;
        generate_config(kind, &generator, None, target.loader, build.options.origins)
    };
    match config.kind() {
        "ConfigMapGenerator" => configured(Generated::ConfigMap).map(|made| vec![made]),
        "SecretGenerator" => configured(Generated::Secret).map(|made| vec![made]),
        "IAMPolicyGenerator" => {
            let stamp = Stamp::new(build.options.origins, Step::Generator, node.span);
            generate_policy(node, &stamp).map(|made| vec![made])
        }
        _ => read_helm_chart(&decoder, node)
            .and_then(|chart| inflate(build, target, &chart, &read_helm_globals(&decoder, node)?)),
    }
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
            let stamp =
                Stamp::new(origins, Step::Image, image.span.or(node.span)).noted(&image.name).said_at(&image.lines);
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
            let stamp = Stamp::new(origins, Step::Replicas, replica.span.or(node.span)).said_at(&replica.lines);
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

/// Refuses what is built in neither under this kind nor for this role.
fn check(config: &Resource, role: Role) -> Result<()> {
    let kind = config.kind();
    let (known, what) = match role {
        Role::Generator => (GENERATORS, "generator"),
        Role::Transformer => (TRANSFORMERS, "transformer"),
    };
    if known.contains(&kind) {
        return Ok(());
    }
    if GENERATORS.contains(&kind) || TRANSFORMERS.contains(&kind) {
        let error = Diagnostic::error("kustomize-plugin", format!("plugin {} not a {what}", config.id()));
        let other = if role == Role::Generator { "transformers" } else { "generators" };
        return Err(error.hint(format!("a {kind} belongs under `{other}:`")));
    }
    let error = Diagnostic::error("kustomize-plugin", format!("unable to load builtin {}", config.gvk()));
    Err(match closest(kind, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("the built-in {what}s are: {}", known.join(", "))),
    })
}

fn external_refused(kind: &str) -> Box<Diagnostic> {
    let message = format!("external plugins disabled; unable to load external plugin '{kind}'");
    Diagnostic::error("kustomize-plugin", message)
        .hint("`onepane kustomize build --enable-alpha-plugins` runs functions and plugins, and nothing else does")
        .hint("those that are built in have `apiVersion: builtin`")
}

fn fails(error: Box<Diagnostic>, config: &Resource) -> Box<Diagnostic> {
    let span = config.node().span;
    located(error, span).trace(format!("configured by plugin {}", config.id()), span)
}
