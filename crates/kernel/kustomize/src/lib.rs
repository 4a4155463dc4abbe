//! Kustomizations: accumulate, generate, transform, replace, as `kustomize build` 5.8 does.
//!
//! [`build`] reads the kustomization of a folder and those of the folders that it names, and gives the resources in
//! the order of the output. A build goes through these rooms:
//!
//! 1. `load` finds files within the bounds of the kustomization that names them, `kustomization` and `parse` read
//!    them;
//! 2. `accumulate` walks the tree of bases and components, and calls on the way up, for each kustomization, the
//!    generators (`generate`, `charts`) and transformers (`transform`, `plugin`) in Kustomize's order, those that are
//!    not built in (`external`) through whoever runs them;
//! 3. at the end, once, `references` lets the fields that hold names follow the new names, and `variables` replaces
//!    the old `vars:`.
//!
//! [`KustomizationDraft`] (`edit`) changes a kustomization file instead of building it, [`localize`] copies one with what
//! it names.
//!
//! Every step that changes a value writes itself into the value's history (`stamp`), where histories are kept; that
//! changes no byte of the output. This crate performs no I/O: it reads through a [`World`](onepane_world::World).

mod accumulate;
mod build;
mod cache;
mod charts;
mod config;
mod decode;
mod edit;
mod external;
mod generate;
mod kustomization;
mod label_selector;
mod load;
mod localize;
mod named;
mod options;
mod parse;
mod place;
mod plugin;
mod provenance;
mod references;
mod remote;
mod scalar;
mod select;
mod stamp;
mod transform;
mod unmatched;
mod variables;
mod walk;

pub use build::{Built, KUSTOMIZE_VERSION, Tools, build, build_with};
pub use cache::Cache;
pub use charts::{ChartRequest, ChartValues, Charts, RenderedChart, rendered_resources};
pub use edit::{GeneratorSources, ImageChange, KustomizationDraft, Metadata, PatchEntry, RewrittenFile};
pub use external::{ContainerFunction, ExecutableFunction, FunctionCall, FunctionSpecification, Functions, Mount};
pub use generate::Generated;
pub use kustomization::{FIELDS as KUSTOMIZATION_FIELDS, KUSTOMIZATION_FILES};
pub use localize::{LocalizeRequest, Localized, LocalizedEntry, LocalizedTree, localize};
pub use named::{Named, NamedChart, NamedEntry, NamedTarget, named, read_resources};
pub use options::{ImageOverride, LoadRestrictor, Options, Reorder};
pub use parse::reads_as_resources;
pub use plugin::builtin_plugins;
pub use remote::{RemoteFile, RemoteTree, Remotes, RepositoryUrl, without_password};
