//! Applying a change to the fields that a [`FieldSpec`] means.

use crate::config::FieldSpec;
use onepane_diagnostics::Result;
use onepane_resource::Resource;
use onepane_yaml::Node;

/// What to make where the last key of a path is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Create {
    /// Nothing, whatever the field spec says.
    Nothing,
    /// A scalar.
    Scalar,
    /// A mapping.
    Mapping,
}

/// A field spec with its path split.
pub(crate) struct Path<'a> {
    pub(crate) spec: &'a FieldSpec,
    path: onepane_patch::FieldSpec,
}

impl<'a> Path<'a> {
    /// Splits the path.
    pub(crate) fn new(spec: &'a FieldSpec) -> Self {
        Self { spec, path: onepane_patch::FieldSpec::parse(&spec.path) }
    }

    /// Splits the paths of all.
    pub(crate) fn all(specs: &'a [FieldSpec]) -> Vec<Self> {
        specs.iter().map(Self::new).collect()
    }

    /// Calls `set` with each node that the path leads to in `resource`, if the field spec is for its type.
    ///
    /// # Errors
    /// `field-path` where the path leads through a scalar, and those of `set`.
    pub(crate) fn apply(
        &self,
        resource: &mut Resource,
        create: Create,
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        let gvk = resource.gvk();
        if !self.spec.is_for(&gvk.group, &gvk.version, &gvk.kind) {
            return Ok(());
        }
        self.apply_to_any(resource, create, set)
    }

    /// [`Self::apply`] whatever the resource's type.
    pub(crate) fn apply_to_any(
        &self,
        resource: &mut Resource,
        create: Create,
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        let create = match create {
            _ if !self.spec.create => None,
            Create::Nothing => None,
            Create::Scalar => Some(onepane_patch::Create::Scalar),
            Create::Mapping => Some(onepane_patch::Create::Mapping),
        };
        self.path.visit(resource.node_mut(), create, set).map_err(|mut error| {
            let id = resource.id();
            error.message = format!("considering field '{}' of object {id}: {}", self.spec.path, error.message);
            error
        })
    }
}
