//! Values as YAML, as sigs.k8s.io/yaml reads and writes them.

mod read;
mod write;

pub use read::{from_yaml, from_yaml_as_go, from_yaml_documents, from_yaml_map};
pub use write::{to_yaml, to_yaml_block, to_yaml_pretty};
