//! The way in: [`build`].

use crate::accumulate::{Accumulator, Build, Target, located};
use crate::cache::Cache;
use crate::charts::Charts;
use crate::external::Functions;
use crate::generate::add_hashes;
use crate::kustomization::Image;
use crate::load::Loader;
use crate::options::{Options, Reorder};
use crate::provenance::{Provenance, mark_provenance, remove_unwanted};
use crate::references::update_references;
use crate::remote::Remotes;
use crate::stamp::Stamp;
use crate::transform::{set_image, sort_legacy, sort_resources};
use crate::variables::resolve_variables;
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Result, Span, Step};
use onepane_resource::{Manifest, Resource, ResourceSet};
use onepane_world::World;
use onepane_yaml::{Content, Node};

/// The version of Kustomize whose behaviour this is.
pub const KUSTOMIZE_VERSION: &str = "v5.8.1";

/// What a build gives.
#[derive(Clone, Debug, Default)]
pub struct Built {
    /// The resources in the order of the output.
    pub resources: ResourceSet,
    /// What is deprecated or has no effect.
    pub warnings: Vec<Diagnostic>,
}

impl Built {
    /// The resources as `kustomize build` prints them.
    ///
    /// # Errors
    /// Those of writing a resource that no YAML reader could read again.
    pub fn to_yaml(&self) -> Result<String> {
        let manifests = self.to_manifests()?;
        Ok(manifests.iter().map(|manifest| manifest.yaml.as_str()).collect::<Vec<_>>().join("---\n"))
    }

    /// The resources one by one.
    ///
    /// # Errors
    /// As of [`Self::to_yaml`].
    pub fn to_manifests(&self) -> Result<Vec<Manifest>> {
        let manifest = |resource: &Resource| {
            Manifest::of(resource).map_err(|error| {
                let overlay = resource.overlays.last().map(|file| Span::file(file.path()));
                located(error, resource.node().span)
                    .trace("in the build of this kustomization", overlay)
                    .hint("a replacement, a variable or a patch wrote it where a value of another type was")
            })
        };
        self.resources.iter().map(manifest).collect()
    }
}

/// Builds the kustomization in the folder `path`, as `kustomize build` does.
///
/// # Errors
/// One diagnostic with the line that is to blame and the overlays that led there. Its code starts with `kustomize-`,
/// `resource-`, `patch-` or `yaml-`.
pub fn build(world: &dyn World, path: &Utf8Path, options: &Options) -> Result<Built> {
    build_with(world, path, options, Tools::default())
}

/// What a build may use besides the files.
#[derive(Clone, Copy, Default)]
pub struct Tools<'a> {
    /// Takes and keeps bases.
    pub cache: Option<&'a Cache>,
    /// Renders `helmCharts:`.
    pub charts: Option<&'a dyn Charts>,
    /// Fetches what is named by URL.
    pub remotes: Option<&'a dyn Remotes>,
    /// Runs what is not built in; without it, a kustomization that asks for such is an error.
    pub functions: Option<&'a dyn Functions>,
}

/// As [`build`], with what it may use.
pub fn build_with(world: &dyn World, path: &Utf8Path, options: &Options, tools: Tools<'_>) -> Result<Built> {
    let loader = Loader::new(world, tools.remotes, path, options.load_restrictor)?;
    let mut build = Build::new(options, tools);
    let mut target = build.open(&loader)?;
    if !target.kustomization.build_metadata.is_empty() {
        target.provenance = Some(Provenance::default());
    }
    let Accumulator { mut resources, config, variables } = build.target(&target, Accumulator::default())?;
    // What follows is done once, when all names are known.
    add_hashes(&mut resources, options.origins);
    update_references(&mut resources, &config, options.origins, &target)?;
    let unused = resolve_variables(&variables, &mut resources, &config.variables, options.origins, &target)
        .map_err(|error| target.in_entry(error, None))?;
    if !unused.is_empty() {
        let message = format!("well-defined vars that were never replaced: {}", unused.join(","));
        build.warnings.push(*Diagnostic::warning("kustomize-unused-variable", message));
    }
    drop_local(&mut resources, &target)?;
    for image in &options.set_images {
        let stamp = Stamp::new(options.origins, Step::Image, None).noted("set for this build");
        let image = Image {
            name: image.name.clone(),
            new_name: image.new_name.clone(),
            new_tag: image.new_tag.clone(),
            digest: image.digest.clone(),
            ..Image::default()
        };
        set_image(&mut resources, &image, &config.images, &stamp).map_err(|error| target.in_entry(error, None))?;
    }
    let this = &target.kustomization;
    match (&this.sort_options, options.reorder) {
        (Some(sort), reorder) => {
            if reorder != Reorder::Unspecified {
                let message = "Warning: Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI \
                               flag ('--reorder'). Using the kustomization file over the CLI flag.";
                build.warnings.push(*Diagnostic::warning("kustomize-sort", message));
            }
            sort_resources(&mut resources, sort).map_err(|error| target.in_entry(error, None))?;
        }
        (None, Reorder::None) => {}
        (None, Reorder::Legacy | Reorder::Unspecified) => sort_legacy(&mut resources),
    }
    let managed_by = options.managed_by_label || this.wants_metadata("managedByLabel");
    let (origins, transformations) =
        (this.wants_metadata("originAnnotations"), this.wants_metadata("transformerAnnotations"));
    let asked_at = target.root.get("buildMetadata").and_then(|field| field.span);
    for resource in resources.iter_mut() {
        if managed_by {
            let label = Stamp::new(options.origins, Step::Label, asked_at).noted("managedByLabel");
            let label = label.string(format!("kustomize-{KUSTOMIZE_VERSION}"));
            resource.set_label("app.kubernetes.io/managed-by", label);
        }
        remove_unwanted(resource, origins, transformations);
        if origins || transformations {
            mark_provenance(resource, &Stamp::new(options.origins, Step::Annotation, asked_at));
        }
        tidy_annotations(resource);
    }
    Ok(Built { resources, warnings: build.warnings })
}

/// Takes out what is meant for tools and not for clusters.
fn drop_local(resources: &mut ResourceSet, target: &Target<'_>) -> Result<()> {
    let local = |resource: &Resource| {
        let annotation = resource.node().at(&["metadata", "annotations", "config.kubernetes.io/local-config"]);
        annotation.is_some_and(|value| value.as_str() != Some("false"))
    };
    for resource in resources.iter() {
        if !resource.kind().ends_with("List") && resource.name().is_empty() {
            let message = format!("missing metadata.name in object {}", resource.id());
            let error = Diagnostic::error("kustomize-manifest", message);
            return Err(target.in_entry_of(error.hint("a patch or transformer took the name away"), resource));
        }
    }
    resources.retain(|resource| !local(resource));
    Ok(())
}

/// Annotations that Kustomize itself uses during a build and takes away at the end.
pub(crate) const BUILD_ANNOTATIONS: &[&str] = &[
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "internal.config.kubernetes.io/helm-generated",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
];

/// Kustomize writes annotations anew at the end: all are strings then, and an empty map is gone.
fn tidy_annotations(resource: &mut Resource) {
    let node = resource.node_mut();
    let Some(metadata) = node.get_mut("metadata") else {
        // Only a list of resources may come without.
        node.set("metadata", Node::mapping(Vec::new()));
        return;
    };
    let Some(annotations) = metadata.get_mut("annotations") else { return };
    let Some(entries) = annotations.entries_mut() else {
        metadata.remove("annotations");
        return;
    };
    entries.retain(|(key, _)| key.as_str().is_none_or(|key| !BUILD_ANNOTATIONS.contains(&key)));
    if entries.is_empty() {
        metadata.remove("annotations");
    }
    annotations_as_strings(node);
}

/// Kustomize takes all annotations for strings where it sets one.
pub(crate) fn annotations_as_strings(node: &mut Node) {
    let annotations = node.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    let Some(entries) = annotations.and_then(Node::entries_mut) else { return };
    for node in entries.iter_mut().flat_map(|(key, value)| [key, value]) {
        if !matches!(node.content, Content::Scalar(_)) {
            node.content = Content::Scalar("".into());
        }
        node.tag = Some("!!str".into());
    }
}
