//! The transformers: what changes resources once they are accumulated. One file each.

mod affix;
mod images;
mod labels;
mod namespace;
mod patches;
mod replacements;
mod replicas;
mod sort;
mod value_add;

pub(crate) use affix::{Affix, add_affix};
pub(crate) use images::{set_image, split_image};
pub(crate) use labels::{Pairs, set_pairs};
pub(crate) use namespace::{NamespaceChange, RoleBindingSubjects, set_namespace};
pub(crate) use patches::{LoadedPatch, load_json6902, load_patch, load_strategic_merge};
pub(crate) use replacements::load_replacements;
pub(crate) use replicas::set_replicas;
pub(crate) use sort::{ORDER_FIRST, ORDER_LAST, sort_legacy, sort_resources};
pub(crate) use value_add::{add_value, read_value_add};
