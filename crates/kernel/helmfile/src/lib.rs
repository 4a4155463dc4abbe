//! Helmfile state: environments, releases, selectors.
//!
//! [`load`] reads a state file — `helmfile.yaml`, or `helmfile.yaml.gotmpl` as a template — for one environment and
//! gives the [`Release`]s it lists, as far as rendering them needs: chart, namespace, values and `set`. Parts of a file
//! that `---` separates are read one after the other, each seeing the environment of those before it, as Helmfile v1
//! does.
//!
//! What it does not read yet, and refuses by name: `bases`, nested `helmfiles`, `secrets`, release `templates` and
//! `inherit`, `valuesTemplate` and `setTemplate`, patches, transformers and ad-hoc dependencies, `ref+` references,
//! charts from repositories. What only matters to a cluster or a network (`repositories`, `hooks`, `wait`, …) is passed
//! over. Programs are never run: `exec` does not exist in the templates.

mod environment;
mod fields;
mod functions;
mod release;
mod selector;
mod state;
mod template;

pub use release::{Release, ValuesSource};
pub use selector::Selector;
pub use state::{State, load};
