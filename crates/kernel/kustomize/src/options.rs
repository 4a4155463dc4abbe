//! What a build may be asked for: [`Options`].

/// What a build may be asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which files may be read.
    pub load_restrictor: LoadRestrictor,
    /// The order of the output, where the kustomization does not say it.
    pub reorder: Reorder,
    /// Whether every value keeps its history. The output is the same.
    pub origins: bool,
    /// Whether `helmCharts:` are rendered.
    pub enable_helm: bool,
    /// API versions that charts are told of.
    pub helm_api_versions: Vec<String>,
    /// The Kubernetes version that charts are told of; empty for the default.
    pub helm_kube_version: String,
    /// Whether each resource gets the label `app.kubernetes.io/managed-by`.
    pub managed_by_label: bool,
    /// Whether a patch or replacement that selects nothing is an error.
    pub strict: bool,
    /// Images to set after everything else, to preview a change.
    pub set_images: Vec<ImageOverride>,
}

/// An image to set after everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageOverride {
    /// The name without a tag, a pattern as in `images:`.
    pub name: String,
    /// The new name; empty to keep it.
    pub new_name: String,
    /// The new tag; empty to keep it.
    pub new_tag: String,
    /// The new digest; empty to keep it.
    pub digest: String,
}

/// Which files a kustomization may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestrictor {
    /// Those in and below its folder.
    #[default]
    RootOnly,
    /// All.
    None,
}

/// The order of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reorder {
    /// Nothing was asked for, which means as [`Reorder::Legacy`].
    #[default]
    Unspecified,
    /// By kind, those first that others need.
    Legacy,
    /// As accumulated.
    None,
}
