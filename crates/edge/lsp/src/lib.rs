//! What editors ask of a repository: the language server behind `onepane lsp`.
//!
//! [`serve`] talks to one editor over stdin and stdout. The rooms:
//!
//! 1. `server` reads messages, keeps what is open (`documents`), and answers requests from a `snapshot`: the files
//!    on disk with the unsaved ones over them (`overlay`).
//! 2. What is wrong with the text of an open file is told at once (`syntax`); what the repository's checks find is
//!    worked out on a thread of its own (`analysis`), the newest state first.
//! 3. Requests: `navigation`, `hover`, `completion`, `actions`, `symbols`. They know files by what they are for
//!    (`kinds`): templates (`templates`), values (`values`), kustomizations (`kustomization`), state files (`states`).
//!
//! Places cross the border in `text`: lines and characters here, lines and UTF-16 units (or bytes) there.
//!
//! It listens on no network, changes no file, and knows neither flags nor how findings are made: who starts it hands in
//! [`Checks`].

mod actions;
mod analysis;
mod chart_values;
mod completion;
mod diagnostics;
mod documents;
mod hover;
mod kinds;
mod kustomization;
mod navigation;
mod overlay;
mod server;
mod snapshot;
mod states;
mod symbols;
mod syntax;
mod templates;
mod text;
mod uris;
mod values;

use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Span};
use onepane_helmfile::Outside;
use onepane_repo::KeptBuilds;
use onepane_rules::Fix;
use onepane_world::World;
use std::sync::Arc;

pub use server::serve;

/// What finds out what is wrong with a repository, as `onepane check` does.
pub trait Checks: Send + Sync {
    /// The findings in these files of the repository at `root`. Builds of states before this one are in `kept_builds`.
    fn findings(&self, root: &Utf8Path, world: &dyn World, kept_builds: &KeptBuilds) -> Vec<Found>;

    /// Who decrypts the secrets of releases.
    fn outside(&self) -> &dyn Outside;

    /// The text without secrets that were met so far.
    fn redacted(&self, text: &str) -> String;
}

/// Makes the [`Checks`] of the repository at a folder.
pub type MakeChecks<'m> = &'m dyn Fn(&Utf8Path) -> Arc<dyn Checks>;

/// A finding.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is wrong, where, and what to do next.
    pub diagnostic: Diagnostic,
    /// The clusters that have it.
    pub clusters: Vec<String>,
    /// The line of the rendered file on the way.
    pub rendered: Option<Span>,
    /// What mends it, where that is certain.
    pub fix: Option<Fix>,
    /// The word to mend.
    pub written: String,
}
