//! From a folder to its resources: bases, components, generators, transformers, in Kustomize's order.
//!
//! [`Build::target`] reads one kustomization and calls itself for the folders that it names. What comes back
//! ([`Accumulator`]) depends on the files alone, so it can be kept and used for every overlay on the same base.

use crate::build::Tools;
use crate::cache::{Cache, CacheKey, Entry};
use crate::charts::{Charts, inflate};
use crate::config::{FieldSpec, TransformerConfig, merge_all, merge_one, read_configuration, read_crds};
use crate::decode::Located;
use crate::external::Functions;
use crate::generate::{Generated, generate};
use crate::kustomization::{HelmChart, Kustomization, KustomizationFile, Label, Patch, entry_span, find};
use crate::load::Loader;
use crate::options::Options;
use crate::parse::{parse_first, parse_inline, parse_resources};
use crate::plugin::{Plugin, Role};
use crate::provenance::{ConfiguredBy, Provenance};
use crate::remote::{RepositoryUrl, is_http};
use crate::stamp::Stamp;
use crate::transform::{
    Affix, LoadedPatch, NamespaceChange, Pairs, RoleBindingSubjects, add_affix, load_json6902, load_patch,
    load_replacements, load_strategic_merge, set_image, set_namespace, set_pairs, set_replicas,
};
use crate::unmatched::Unmatched;
use crate::variables::{Variables, add_variables, merge_variables};
use camino::Utf8PathBuf;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span, Step};
use onepane_patch::PatchOptions;
use onepane_resource::{GroupVersionKind, Resource, ResourceSet, Schema, scope_of};
use onepane_world::{EntryKind, Recorded};
use onepane_yaml::Node;
use std::sync::Arc;

/// Resources on their way, and what is still to be done with them at the very end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accumulator {
    pub(crate) resources: ResourceSet,
    pub(crate) config: Arc<TransformerConfig>,
    pub(crate) variables: Variables,
}

/// What all kustomizations of one build share.
pub(crate) struct Build<'o> {
    pub(crate) options: &'o Options,
    pub(crate) warnings: Vec<Diagnostic>,
    /// The schema that patches merge by; `None` until a kustomization sets one.
    schema: Option<Schema>,
    /// How often that of Kubernetes' own kinds was asked for something: once it was, it stays beside any other.
    builtin_uses: usize,
    cache: Option<&'o Cache>,
    /// The folder that is built.
    top: Option<Utf8PathBuf>,
    pub(crate) charts: Option<&'o dyn Charts>,
    pub(crate) charts_inflated: usize,
    /// How many bases were asked for.
    bases: usize,
    pub(crate) functions: Option<&'o dyn Functions>,
}

/// One kustomization and the way that led to it.
pub(crate) struct Target<'a> {
    pub(crate) loader: &'a Loader<'a>,
    pub(crate) kustomization: Kustomization,
    /// The kustomization as it was read.
    pub(crate) root: Node,
    pub(crate) file: FileId,
    pub(crate) name: &'static str,
    /// Where annotations say that resources come from; `None` where nobody asked.
    pub(crate) provenance: Option<Provenance>,
    /// The namespace of the overlays above, for charts.
    pub(crate) helm_namespace: String,
}

impl Accumulator {
    /// Its resources go through the kustomization `file`.
    fn pass(&mut self, file: FileId) {
        self.resources.iter_mut().for_each(|resource| resource.overlays.push(file));
    }

    fn merge(&mut self, other: Self) -> Result<()> {
        self.resources.append_all(other.resources)?;
        self.config = TransformerConfig::merge(&self.config, &other.config)?;
        merge_variables(&mut self.variables, other.variables.into_values())
    }
}

impl<'o> Build<'o> {
    pub(crate) fn new(options: &'o Options, tools: Tools<'o>) -> Self {
        Self {
            options,
            warnings: Vec::new(),
            schema: None,
            builtin_uses: 0,
            cache: tools.cache,
            top: None,
            charts: tools.charts,
            charts_inflated: 0,
            bases: 0,
            functions: tools.functions,
        }
    }

    /// The schema that patches merge by.
    pub(crate) fn schema(&self) -> &Schema {
        self.schema.as_ref().unwrap_or_else(|| Schema::builtin())
    }

    /// Reads the kustomization of the loader's folder.
    pub(crate) fn open<'a>(&mut self, loader: &'a Loader<'a>) -> Result<Target<'a>> {
        let KustomizationFile { kustomization, root, file, name, warnings } = find(loader)?;
        self.warnings.extend(loader.take_warnings().into_iter().chain(warnings));
        let helm_namespace = String::new();
        let target = Target { loader, kustomization, root, file, name, provenance: None, helm_namespace };
        let schema = target.kustomization.openapi_path.as_ref().or(target.kustomization.openapi_version.as_ref());
        let span = schema.and_then(|schema| schema.span);
        self.set_schema(&target).map_err(|error| target.in_entry(error, span))?;
        Ok(target)
    }

    /// The first kustomization that names a schema decides for the whole build.
    fn set_schema(&mut self, target: &Target<'_>) -> Result<()> {
        if self.schema.is_some() {
            return Ok(());
        }
        let (path, version) = (&target.kustomization.openapi_path, &target.kustomization.openapi_version);
        let fail = |message: &str, span: Option<Span>| {
            let error = Diagnostic::error("kustomize-openapi", message);
            match span {
                Some(span) => error.at(span),
                None => error,
            }
        };
        if let Some(path) = path {
            let loaded = target.loader.load(&path.text, path.span)?;
            if version.is_some() {
                let error = fail("builtin version and custom schema provided, cannot use both", path.span);
                return Err(error.hint("keep either `path` or `version`"));
            }
            let below = (self.builtin_uses > 0).then(Schema::builtin);
            self.schema = Some(Schema::from_openapi(&parse_first(&loaded)?, below)?);
        } else if let Some(version) = version.as_ref().filter(|version| !version.text.is_empty()) {
            if version.text != "v1.21.2" {
                let error = fail("the specified OpenAPI version is not built in", version.span);
                return Err(error.hint("the one that is: v1.21.2"));
            }
            self.schema = Some(Schema::builtin().clone());
        }
        Ok(())
    }

    /// Everything that the kustomization says, on top of `accumulator`: that of the parent for a component, an empty
    /// one for anything else.
    pub(crate) fn target(&mut self, target: &Target<'_>, mut accumulator: Accumulator) -> Result<Accumulator> {
        let this = &target.kustomization;
        for resource in &this.resources {
            self.resource(target, &resource.text, resource.span, &mut accumulator)
                .map_err(|error| target.in_entry(error, resource.span))?;
        }
        self.configure(target, &mut accumulator)?;
        self.generate(target, &mut accumulator)?;
        for component in &this.components {
            accumulator = self
                .component(target, &component.text, component.span, accumulator)
                .map_err(|error| target.in_entry(error, component.span))?;
        }
        self.transform(target, &mut accumulator)?;
        self.validate(target, &mut accumulator)?;
        add_variables(&mut accumulator.variables, &this.variables, &mut accumulator.resources)
            .map_err(|error| target.in_entry(error, None))?;
        self.warnings.extend(target.loader.take_warnings());
        Ok(accumulator)
    }

    /// Adds what a `resources:` entry names: a file, a folder or a repository.
    fn resource(&mut self, target: &Target<'_>, path: &str, span: Option<Span>, into: &mut Accumulator) -> Result<()> {
        let url = RepositoryUrl::parse(path);
        let is_base = match target.loader.kind(path) {
            None => url.as_ref().is_some_and(|url| !is_http(path) || url.is_explicit()),
            kind => kind == Some(EntryKind::Folder),
        };
        if is_base {
            return into.merge(self.base(target, path, span)?);
        }
        let read = target.loader.load(path, span).and_then(|loaded| parse_resources(&loaded));
        let mut resources = match (read, url) {
            // What an HTTP server answers is a file, or else the page of a repository.
            (Err(file_error), Some(url)) if is_http(path) => match self.base(target, path, span) {
                Ok(base) => return into.merge(base),
                Err(error) if url.names_a_manifest() => {
                    return Err(file_error.trace(format!("as a repository: {}", error.message), None));
                }
                Err(error) => return Err(error.trace(format!("as a file: {}", file_error.message), None)),
            },
            (read, _) => read?,
        };
        if let Some(provenance) = &target.provenance {
            provenance.join(path).annotate_source(&mut resources);
        }
        for resource in &mut resources {
            resource.overlays.push(target.file);
        }
        self.tell_scopes(&mut resources);
        into.resources.append_all(resources)
    }

    /// Tells resources their scopes where a schema of the build's own does. Kustomize asks that of Kubernetes' own
    /// kinds for those that it has no table of.
    pub(crate) fn tell_scopes<'r>(&mut self, resources: impl IntoIterator<Item = &'r mut Resource>) {
        let mut resources = resources.into_iter();
        match &self.schema {
            Some(schema) => resources.for_each(|resource| resource.set_schema(schema)),
            None => {
                let unknown = |GroupVersionKind { group, version, kind, .. }: &GroupVersionKind| {
                    scope_of(group, version, kind).is_none()
                };
                self.builtin_uses += usize::from(resources.any(|resource| unknown(resource.gvk())));
            }
        }
    }

    /// What a folder accumulates to, from the cache if it is there.
    fn base(&mut self, target: &Target<'_>, path: &str, span: Option<Span>) -> Result<Accumulator> {
        let loader = target.loader.enter(path, span)?;
        // A cached base stands for its files only: what else it depends on has to be absent.
        let pure = target.provenance.is_none() && self.schema.is_none() && self.functions.is_none();
        let Some(cache) = self.cache.filter(|_| pure) else {
            let mut base = self.fresh_base(target, &loader, path)?;
            base.pass(target.file);
            return Ok(base);
        };
        let key = CacheKey::new(loader.root(), self.options);
        // Whoever is built asks for its bases first, and they for theirs.
        let is_own = loader.root().starts_with(self.top.get_or_insert_with(|| target.loader.root().to_owned()));
        let recorder = loader.recorder();
        if let Some(Entry { mut base, warnings, builtin_uses, trace }) = cache.get(&key) {
            self.warnings.extend(warnings);
            self.builtin_uses += builtin_uses;
            recorder.inspect(|recorder| recorder.adopt(trace.as_ref()));
            base.pass(target.file);
            self.bases += 1;
            return Ok(base);
        }
        let (before, charts_before, uses_before) = (self.warnings.len(), self.charts_inflated, self.builtin_uses);
        let bases_before = self.bases;
        // What is read for it is noted apart, for those who find it in the cache.
        let own = recorder.map(|recorder| Recorded::new(recorder.world()));
        let base = match &own {
            Some(own) => self.fresh_base(target, &loader.reading(own), path),
            None => self.fresh_base(target, &loader, path),
        };
        let trace = own.and_then(Recorded::into_trace);
        recorder.inspect(|recorder| recorder.adopt(trace.as_ref()));
        let mut base = base?;
        // What a chart renders to depends on the overlay's namespace.
        if self.schema.is_none() && self.charts_inflated == charts_before {
            cache.insert(key, is_own || self.bases == bases_before, || Entry {
                base: base.clone(),
                warnings: self.warnings[before..].to_vec(),
                builtin_uses: self.builtin_uses - uses_before,
                trace,
            });
        }
        self.bases += 1;
        base.pass(target.file);
        Ok(base)
    }

    fn fresh_base(&mut self, target: &Target<'_>, loader: &Loader<'_>, path: &str) -> Result<Accumulator> {
        let below = self.descend(target, loader, path)?;
        if below.kustomization.is_component() {
            return Err(wrong_kind(loader, &below, "expected kind != 'Component'"));
        }
        self.target(&below, Accumulator::default())
    }

    fn component(
        &mut self,
        target: &Target<'_>,
        path: &str,
        span: Option<Span>,
        onto: Accumulator,
    ) -> Result<Accumulator> {
        let loader = target.loader.enter(path, span)?;
        let below = self.descend(target, &loader, path)?;
        if !below.kustomization.is_component() {
            let message = format!("expected kind 'Component' but got '{}'", below.kustomization.kind);
            return Err(wrong_kind(&loader, &below, &message));
        }
        self.target(&below, onto)
    }

    /// Opens the kustomization of a folder that `target` names.
    fn descend<'a>(&mut self, target: &Target<'_>, loader: &'a Loader<'a>, path: &str) -> Result<Target<'a>> {
        let mut below = self.open(loader)?;
        below.kustomization.build_metadata.clone_from(&target.kustomization.build_metadata);
        below.provenance = target.provenance.as_ref().map(|provenance| provenance.join(path));
        let namespace = &target.kustomization.namespace.text;
        below.helm_namespace.clone_from(if namespace.is_empty() { &target.helm_namespace } else { namespace });
        Ok(below)
    }

    /// Merges in which fields the transformers reach.
    fn configure(&mut self, target: &Target<'_>, accumulator: &mut Accumulator) -> Result<()> {
        let this = &target.kustomization;
        let mut config = TransformerConfig::default_shared();
        let mut own = Arc::new(TransformerConfig::default());
        let in_entry = |span| move |error| target.in_entry(error, span);
        let read = |path: &Located| parse_first(&target.loader.load(&path.text, path.span)?);
        for path in &this.configurations {
            let read = read(path).and_then(|node| read_configuration(&node));
            own = read.and_then(|read| TransformerConfig::merge(&own, &Arc::new(read))).map_err(in_entry(path.span))?;
        }
        let last = this.configurations.last().and_then(|path| path.span);
        config = TransformerConfig::merge(&config, &own).map_err(in_entry(last))?;
        accumulator.config = TransformerConfig::merge(&accumulator.config, &config).map_err(in_entry(last))?;
        for path in &this.crds {
            let merge = |read| TransformerConfig::merge(&accumulator.config, &Arc::new(read));
            let merged = read(path).and_then(|node| read_crds(&node)).and_then(merge);
            accumulator.config = merged.map_err(in_entry(path.span))?;
        }
        Ok(())
    }

    fn generate(&mut self, target: &Target<'_>, accumulator: &mut Accumulator) -> Result<()> {
        let this = &target.kustomization;
        // All are read before the first one runs, as in Kustomize.
        let generators = self.plugins(target, &this.generators, Role::Generator)?;
        let kinds = [
            (Generated::ConfigMap, &this.config_maps, "ConfigMapGenerator"),
            (Generated::Secret, &this.secrets, "SecretGenerator"),
        ];
        for (kind, generators, plugin) in kinds {
            for generator in generators {
                let global = this.generator_options.as_ref();
                let in_entry = |error| target.in_entry(error, generator.span);
                let made = generate(kind, generator, global, target.loader, self.options.origins);
                let mut resource = made.map_err(in_entry)?;
                resource.overlays.push(target.file);
                if let Some(provenance) = &target.provenance {
                    provenance.join(target.name).annotate_generated(
                        &mut resource,
                        &accumulator.resources,
                        ConfiguredBy::field(plugin),
                    );
                }
                accumulator.resources.absorb_all([resource]).map_err(in_entry)?;
            }
        }
        for chart in &this.helm_charts {
            let namespaces = [&chart.namespace, &this.namespace.text, &target.helm_namespace];
            let namespace = namespaces.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_default();
            let chart = HelmChart { namespace, ..chart.clone() };
            let mut resources = inflate(self, target, &chart, &this.helm_globals).map_err(|mut error| {
                let plugin = "trouble configuring builtin HelmChartInflationGenerator: ";
                error.message.insert_str(0, plugin);
                target.in_entry(error, chart.span)
            })?;
            self.tell_scopes(&mut resources);
            for resource in &mut resources {
                resource.overlays.push(target.file);
                if let Some(provenance) = &target.provenance {
                    provenance.join(target.name).annotate_generated(
                        resource,
                        &accumulator.resources,
                        ConfiguredBy::field("HelmChartInflationGenerator"),
                    );
                }
            }
            accumulator.resources.absorb_all(resources).map_err(|error| target.in_entry(error, chart.span))?;
        }
        for (generator, span) in generators {
            generator.generate(self, target, accumulator).map_err(|error| target.in_entry(error, span))?;
        }
        Ok(())
    }

    /// What `generators:`, `transformers:` or `validators:` list, written there or in files, each with the entry's place.
    fn plugins(
        &mut self,
        target: &Target<'_>,
        entries: &[Located],
        role: Role,
    ) -> Result<Vec<(Plugin<'o>, Option<Span>)>> {
        let mut accumulator = Accumulator::default();
        let (mut paths, mut spans) = (Vec::new(), Vec::new());
        for entry in entries {
            let in_entry = |error| target.in_entry(error, entry.span);
            match parse_inline(&entry.text, entry.span, target.file) {
                Ok(mut inline) => {
                    inline.iter_mut().for_each(|config| config.source = Some(target.file));
                    if let Some(provenance) = &target.provenance {
                        provenance.join(target.name).annotate_source(&mut inline);
                    }
                    accumulator.resources.append_all(inline).map_err(in_entry)?;
                    spans.resize(accumulator.resources.len(), entry.span);
                }
                // What is no configuration is a path.
                Err(error) if entry.text.contains('\n') => return Err(in_entry(error)),
                Err(_) => paths.push(entry),
            }
        }
        for path in paths {
            self.resource(target, &path.text, path.span, &mut accumulator)
                .map_err(|error| target.in_entry(error, path.span))?;
            spans.resize(accumulator.resources.len(), path.span);
        }
        let load = |(config, span)| match Plugin::load(self, target, config, role) {
            Ok(plugin) => Ok((plugin, span)),
            Err(error) => Err(target.in_entry(error, span)),
        };
        accumulator.resources.into_iter().zip(spans).map(load).collect()
    }

    fn transform(&mut self, target: &Target<'_>, accumulator: &mut Accumulator) -> Result<()> {
        let this = &target.kustomization;
        let config = accumulator.config.clone();
        let origins = self.options.origins;
        let stamp = |step, span| Stamp::new(origins, step, span);
        let in_entry = |span| move |error| target.in_entry(error, span);
        let file = target.file;
        let transformers = self.plugins(target, &this.transformers, Role::Transformer)?;

        if !this.patches_strategic_merge.is_empty() {
            let patches = load_strategic_merge(&this.patches_strategic_merge, target.loader, file);
            for patch in &patches.map_err(in_entry(None))? {
                self.patch(patch, target, accumulator)?;
            }
            self.after(target, accumulator, "PatchStrategicMergeTransformer");
        }
        let load = |patch: &Patch| load_patch(patch, target.loader, file).map_err(in_entry(patch.span));
        let loaded: Vec<LoadedPatch> = this.patches.iter().map(load).collect::<Result<_>>()?;
        for patch in &loaded {
            self.patch(patch, target, accumulator)?;
            self.after(target, accumulator, "PatchTransformer");
        }
        if !this.namespace.text.is_empty() {
            let change = NamespaceChange {
                namespace: &this.namespace.text,
                unset_only: false,
                subjects: RoleBindingSubjects::DefaultOnly,
            };
            let stamp = stamp(Step::Namespace, this.namespace.span);
            set_namespace(&mut accumulator.resources, change, &config.namespace, &stamp)
                .map_err(in_entry(this.namespace.span))?;
            self.after(target, accumulator, "NamespaceTransformer");
        }
        for (affix, text, fields, plugin) in [
            (Affix::Prefix(&this.name_prefix.text), &this.name_prefix, &config.name_prefix, "PrefixTransformer"),
            (Affix::Suffix(&this.name_suffix.text), &this.name_suffix, &config.name_suffix, "SuffixTransformer"),
        ] {
            if !text.text.is_empty() {
                add_affix(&mut accumulator.resources, affix, fields, &stamp(Step::NameAffix, text.span))
                    .map_err(in_entry(text.span))?;
                self.after(target, accumulator, plugin);
            }
        }
        self.label(target, &config, accumulator)?;
        if !this.common_annotations.is_empty() {
            let pairs = Pairs { pairs: &this.common_annotations, step: Step::Annotation, origins };
            set_pairs(&mut accumulator.resources, &pairs, &config.common_annotations)
                .map_err(in_entry(pairs.span()))?;
            self.after(target, accumulator, "AnnotationsTransformer");
        }
        for patch in &this.patches_json6902 {
            let loaded = load_json6902(patch, target.loader, file).map_err(in_entry(patch.span))?;
            self.patch(&loaded, target, accumulator)?;
            self.after(target, accumulator, "PatchJson6902Transformer");
        }
        for replica in &this.replicas {
            let stamp = stamp(Step::Replicas, replica.span).said_at(&replica.lines);
            set_replicas(&mut accumulator.resources, replica, &config.replicas, &stamp)
                .map_err(in_entry(replica.span))?;
            self.after(target, accumulator, "ReplicaCountTransformer");
        }
        for image in &this.images {
            let stamp = stamp(Step::Image, image.span).noted(&image.name).said_at(&image.lines);
            set_image(&mut accumulator.resources, image, &config.images, &stamp).map_err(in_entry(image.span))?;
            self.after(target, accumulator, "ImageTagTransformer");
        }
        if !this.replacements.is_empty() {
            let load =
                |entry: &Node| load_replacements(entry, true, target.loader).map_err(in_entry(entry_span(entry)));
            let loaded: Vec<_> = this.replacements.iter().map(load).collect::<Result<_>>()?;
            for (loaded, entry) in loaded.iter().zip(&this.replacements) {
                let applied = loaded.apply(&mut accumulator.resources, origins, self.unmatched(target));
                self.warnings.extend(applied.map_err(in_entry(entry_span(entry)))?);
            }
            self.after(target, accumulator, "ReplacementTransformer");
        }
        for (transformer, span) in transformers {
            transformer.transform(self, target, accumulator).map_err(in_entry(span))?;
            accumulator.resources.retain(|resource| !resource.is_empty());
        }
        Ok(())
    }

    pub(crate) fn unmatched(&self, target: &Target<'_>) -> Unmatched {
        match (target.kustomization.is_component(), self.options.strict) {
            (true, _) => Unmatched::Ignored,
            (false, false) => Unmatched::Warning,
            (false, true) => Unmatched::Error,
        }
    }

    /// Applies a patch, whose errors point at its own lines.
    pub(crate) fn patch(
        &mut self,
        patch: &LoadedPatch,
        target: &Target<'_>,
        accumulator: &mut Accumulator,
    ) -> Result<()> {
        self.builtin_uses += usize::from(self.schema.is_none() && patch.merges());
        let note = Some(target.file.path().as_str());
        let options = PatchOptions { schema: self.schema(), origins: self.options.origins, note };
        let applied = patch.apply(&mut accumulator.resources, &options, self.unmatched(target));
        self.warnings.extend(applied.map_err(|error| target.in_entry(error, patch.span))?);
        Ok(())
    }

    /// `labels:`, then `commonLabels:`.
    fn label(&mut self, target: &Target<'_>, config: &TransformerConfig, accumulator: &mut Accumulator) -> Result<()> {
        let this = &target.kustomization;
        if this.labels.is_empty() && this.common_labels.is_empty() {
            return Ok(());
        }
        let pairs = |pairs| Pairs { pairs, step: Step::Label, origins: self.options.origins };
        for label in &this.labels {
            label_fields(label, config)
                .and_then(|fields| set_pairs(&mut accumulator.resources, &pairs(&label.pairs), &fields))
                .map_err(|error| target.in_entry(error, label.span))?;
            self.after(target, accumulator, "LabelTransformer");
        }
        let common = pairs(&this.common_labels);
        set_pairs(&mut accumulator.resources, &common, &config.common_labels)
            .map_err(|error| target.in_entry(error, common.span()))?;
        self.after(target, accumulator, "LabelTransformer");
        Ok(())
    }

    /// Drops what was deleted and leaves the transformer's name, if that is wanted.
    fn after(&self, target: &Target<'_>, accumulator: &mut Accumulator, plugin: &str) {
        if let Some(provenance) = &target.provenance {
            let by = ConfiguredBy::field(plugin);
            provenance.join(target.name).annotate_transformed(&mut accumulator.resources, by);
        }
        accumulator.resources.retain(|resource| !resource.is_empty());
    }

    /// Runs `validators:`, which may change nothing but one label.
    fn validate(&mut self, target: &Target<'_>, accumulator: &mut Accumulator) -> Result<()> {
        for (validator, span) in self.plugins(target, &target.kustomization.validators, Role::Transformer)? {
            validator.validate(self, target, accumulator).map_err(|error| target.in_entry(error, span))?;
        }
        Ok(())
    }
}

/// The fields that an entry of `labels:` reaches.
fn label_fields(label: &Label, config: &TransformerConfig) -> Result<Vec<FieldSpec>> {
    let mut fields = label.fields.clone();
    merge_all(&mut fields, &config.labels)?;
    if label.include_selectors {
        merge_all(&mut fields, &config.common_labels)?;
        return Ok(fields);
    }
    if label.include_templates {
        let claims = label.include_claim_templates.is_none();
        let of_claims = |spec: &&FieldSpec| spec.path.starts_with("spec/volumeClaimTemplates");
        let mut templates = config.template_labels.iter().filter(|spec| claims || !of_claims(spec));
        templates.try_for_each(|spec| merge_one(&mut fields, spec))?;
    }
    if label.include_claim_templates == Some(true) {
        merge_all(&mut fields, &config.claim_template_labels)?;
    }
    merge_one(&mut fields, &FieldSpec::any("metadata/labels", true))?;
    Ok(fields)
}

/// Points an error that points nowhere yet.
pub(crate) fn located(error: Box<Diagnostic>, span: Option<Span>) -> Box<Diagnostic> {
    match span {
        Some(span) if error.primary.is_none() => error.at(span),
        _ => error,
    }
}

fn wrong_kind(loader: &Loader<'_>, below: &Target<'_>, message: &str) -> Box<Diagnostic> {
    let message = format!("{message} for path '{}'", loader.root());
    Diagnostic::error("kustomize-kind", message)
        .at(Span::file(below.file.path()))
        .hint("a Component goes into `components:`, a Kustomization into `resources:`")
}
