//! Helmfile state: environments, releases, selectors.
//!
//! [`load`] reads a state file — `helmfile.yaml`, `helmfile.yaml.gotmpl` as a template, or the files of `helmfile.d` —
//! for one environment and gives the [`Release`]s it lists, as far as rendering them needs: chart, namespace, values
//! and `set`. [`list`] gives those too that can't be rendered yet. The rules are those of Helmfile v1.8:
//!
//! - Parts of a file that `---` separates are read one after the other (`layers`); each sees the environment of those
//!   before it, and what it says replaces what they said. `bases` lie below the part that names them.
//! - State values (`values`) are defaults, the environment's own win, those from outside win over both
//!   (`environment`).
//! - A release takes what it inherits from `templates`, then the templates in its own fields are resolved (`spec`).
//!
//! What it does not read yet, and refuses by name: nested `helmfiles`, `secrets`, HCL values, `ref+` references and
//! `fetchSecretValue`, `setString` and `set` from files, patches, transformers, ad-hoc `dependencies`, post-renderers,
//! `apiVersions` and `kubeVersion`, `valuesPathPrefix`, `forceNamespace`, `skipSchemaValidation`, overrides of `chart`,
//! charts from repositories, `readDirEntries`. Values from outside replace lists whole, where Helmfile's
//! `--state-values-set` sets single items of them. What only matters to a cluster or a network (`repositories`,
//! `hooks`, `wait`, …) is passed over, and needs are not checked against one another. Programs are never run: `exec`
//! and `envExec` are refused.

mod environment;
mod fields;
mod files;
mod functions;
mod layers;
mod merge;
mod release;
mod selector;
mod spec;
mod state;
mod template;
mod yaml;

pub use release::{Release, ValuesSource};
pub use selector::Selector;
pub use state::{Overrides, State, list, load};
