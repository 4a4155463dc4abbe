//! Helmfile state: environments, layers, releases, selectors, what needs what.
//!
//! [`visit`] reads the states of a repository for a [`Request`], as the `helmfile` command does, and [`load`] reads one as
//! far as `onepane render` goes. The rules are those of Helmfile v1.8:
//!
//! - A file is read by tables of what each field holds (`tables`, `shape`). Parts of it that `---` separates are read one
//!   after the other (`layers`); each sees the environment of those before it, and what it says replaces what they said.
//!   `bases` lie below the part that names them.
//! - State values (`values`) are defaults, the environment's own win, those from outside win over both
//!   (`environment`).
//! - A release takes what it inherits from `templates`, then the templates in its own fields are resolved (`spec`), and
//!   last what is said for all releases of the state is laid over it (`release`).
//! - States that a state names (`helmfiles`) come before it; [`plan`] puts releases behind what they need.
//!
//! This crate performs no I/O: it reads through a [`World`](onepane_world::World), and asks an [`Outside`] for programs to
//! be run and secrets to be told.

mod environment;
mod fields;
mod files;
mod functions;
mod hcl;
mod hooks;
mod layers;
mod locked;
mod merge;
mod needs;
mod outside;
mod path_template;
mod reference;
mod references;
mod release;
mod remote;
mod repositories;
mod secrets;
mod selector;
mod shape;
mod spec;
mod state;
mod substitute;
mod tables;
mod template;
mod written;
mod yaml;

pub use environment::Environment;
pub use hooks::{Hook, HookEvent};
pub use locked::{LockFile, Locked, Wanted};
pub use needs::{Needed, Unplanned, plan};
pub use outside::{Found, Outside, ProgramCall, Sandbox};
pub use path_template::PathTemplate;
pub use reference::Reference;
pub use release::{Release, SetFlag, ValuesSource};
pub use remote::RemoteSource;
pub use repositories::{OciChart, Repository};
pub use secrets::SecretLines;
pub use selector::Selector;
pub use state::{Choice, Request, State, Visited, load, visit};
pub use substitute::substitute;
pub use written::{YamlStyle, merged_values};
