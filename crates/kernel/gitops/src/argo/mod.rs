//! Objects of Argo CD: Applications, and the ApplicationSets that make them.

mod application;
mod application_set;
mod directory;
mod generators;

pub(crate) use application::application;
pub(crate) use application_set::application_set;

use crate::object::group;
use onepane_resource::Resource;

const GROUP: &str = "argoproj.io";

/// Whether it delivers something.
pub(crate) fn delivers(resource: &Resource) -> bool {
    group(resource) == GROUP && matches!(resource.kind(), "Application" | "ApplicationSet")
}
