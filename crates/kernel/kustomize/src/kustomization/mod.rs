//! A kustomization file: its types ([`Kustomization`]), reading ([`read`]) and finding ([`file`]).

mod file;
mod legacy;
mod parts;
mod read;

pub use file::KUSTOMIZATION_FILES;
pub(crate) use file::{KustomizationFile, find, load};
pub(crate) use legacy::{read_helm_chart, read_helm_globals};
pub(crate) use parts::{
    ENTRY_FIELDS, Generator, GeneratorFields, GeneratorOptions, HelmChart, HelmGlobals, Image, Label, Patch, Replica,
    SaidAt, SortOptions, Variable, entry_span, read_generator, read_image, read_replica, read_selector,
};
pub use read::FIELDS;
pub(crate) use read::decode;

use crate::decode::Located;
use onepane_diagnostics::Span;
use onepane_yaml::Node;

/// What a kustomization says, deprecated fields folded into the newer ones where Kustomize does so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kustomization {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    /// `openapi.path`.
    pub(crate) openapi_path: Option<Located>,
    /// `openapi.version`.
    pub(crate) openapi_version: Option<Located>,
    pub(crate) name_prefix: Located,
    pub(crate) name_suffix: Located,
    pub(crate) namespace: Located,
    pub(crate) common_labels: Vec<(String, Located)>,
    pub(crate) labels: Vec<Label>,
    pub(crate) common_annotations: Vec<(String, Located)>,
    pub(crate) patches_strategic_merge: Vec<Located>,
    pub(crate) patches_json6902: Vec<Patch>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) images: Vec<Image>,
    /// As written; the replacement transformer reads them.
    pub(crate) replacements: Vec<Node>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) sort_options: Option<SortOptions>,
    pub(crate) resources: Vec<Located>,
    pub(crate) components: Vec<Located>,
    pub(crate) crds: Vec<Located>,
    pub(crate) config_maps: Vec<Generator>,
    pub(crate) secrets: Vec<Generator>,
    pub(crate) helm_globals: HelmGlobals,
    pub(crate) helm_charts: Vec<HelmChart>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) configurations: Vec<Located>,
    pub(crate) generators: Vec<Located>,
    pub(crate) transformers: Vec<Located>,
    pub(crate) validators: Vec<Located>,
    pub(crate) build_metadata: Vec<String>,
    /// Where each field that changes resources as a whole stands.
    pub(crate) spans: FieldSpans,
}

/// Where fields stand in the file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FieldSpans {
    /// The first line.
    pub(crate) file: Option<Span>,
}

impl Kustomization {
    /// The kind of an ordinary kustomization.
    pub(crate) const KUSTOMIZATION: &'static str = "Kustomization";
    /// The kind that goes into `components:`.
    pub(crate) const COMPONENT: &'static str = "Component";
    /// The one version of an ordinary kustomization.
    pub(crate) const VERSION: &'static str = "kustomize.config.k8s.io/v1beta1";
    /// The one version of a component.
    pub(crate) const COMPONENT_VERSION: &'static str = "kustomize.config.k8s.io/v1alpha1";

    /// Whether it is a component.
    pub(crate) fn is_component(&self) -> bool {
        self.kind == Self::COMPONENT
    }

    /// Whether `buildMetadata` asks for `option`.
    pub(crate) fn wants_metadata(&self, option: &str) -> bool {
        self.build_metadata.iter().any(|present| present == option)
    }
}
