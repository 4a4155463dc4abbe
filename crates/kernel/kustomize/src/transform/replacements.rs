//! `replacements:`. The replacing itself is in [`onepane_patch`].

use crate::load::Loader;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::ResourceSet;
use onepane_yaml::Node;

/// Replacements that were read.
pub(crate) struct Replacements;

/// Reads the entries of `replacements:`.
pub(crate) fn load_replacements(_entries: &[Node], _loader: &Loader<'_>) -> Result<Replacements> {
    Err(Diagnostic::error("kustomize-replacement", "replacements come next"))
}

impl Replacements {
    pub(crate) fn apply(&self, _resources: &mut ResourceSet, _origins: bool) -> Result<()> {
        Ok(())
    }
}
