//! Which fields the transformers reach: defaults, `configurations:` and what `crds:` say.

mod crds;
mod default_fields;
mod default_references;
mod field_spec;
mod transformer_config;

pub(crate) use crds::read_crds;
pub(crate) use field_spec::{FieldSpec, merge_all, merge_one};
pub(crate) use transformer_config::{NameBackReference, TransformerConfig, field_specs, read_configuration};
