//! Objects of Flux: Kustomizations and HelmReleases.

mod helm_release;
mod kustomization;
mod variables;

pub(crate) use helm_release::{fetched, helm_release};
pub(crate) use kustomization::{kustomization, path, source_of};

use crate::object::group;
use onepane_resource::Resource;

pub(crate) const KUSTOMIZE_GROUP: &str = "kustomize.toolkit.fluxcd.io";
pub(crate) const HELM_GROUP: &str = "helm.toolkit.fluxcd.io";

/// Whether it is a Kustomization of Flux, and none of Kustomize.
pub(crate) fn is_kustomization(resource: &Resource) -> bool {
    group(resource) == KUSTOMIZE_GROUP && resource.kind() == "Kustomization"
}

/// Whether it delivers something.
pub(crate) fn delivers(resource: &Resource) -> bool {
    is_kustomization(resource) || group(resource) == HELM_GROUP && resource.kind() == "HelmRelease"
}
