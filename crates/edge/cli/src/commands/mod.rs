//! One file a command.

pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod bump;
mod change_log;
pub(crate) mod check;
mod chosen_images;
pub(crate) mod ci;
mod ci_runs;
mod ci_statuses;
mod cores;
mod decrypted_world;
mod delivery;
pub(crate) mod find;
mod fleet;
mod forges;
pub(crate) mod graph;
pub(crate) mod helm;
pub(crate) mod helmfile;
pub(crate) mod impact;
pub(crate) mod init;
pub(crate) mod kustomize;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod lsp;
mod opened;
pub(crate) mod pflag;
pub(crate) mod plan;
pub(crate) mod promote;
mod pull_requests;
mod pull_secrets;
mod registry;
mod releases;
pub(crate) mod render;
mod repository_secrets;
pub(crate) mod secrets;
pub(crate) mod services;
pub(crate) mod why;

use crate::terminal::Failure;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_git::Checkout;

/// How a command reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The repository that holds `directory` (or the current folder): its root, and its files, none of them outside.
pub(crate) fn open(directory: Option<&Utf8Path>) -> Result<(Utf8PathBuf, Checkout), Failure> {
    let start = directory.unwrap_or(Utf8Path::new("."));
    let start = start
        .canonicalize_utf8()
        .map_err(|error| Diagnostic::error("repo-not-found", format!("`{start}` can't be opened: {error}")))?;
    let is_root = |folder: &&Utf8Path| folder.join("onepane.yaml").is_file() || folder.join("clusters").is_dir();
    let root = start.ancestors().find(is_root).ok_or_else(|| {
        Diagnostic::error(
            "repo-not-found",
            format!("neither `{start}` nor a folder above it is a repository of the pattern"),
        )
        .hint("it would have a `clusters` folder or an onepane.yaml; `onepane init DIR` makes one")
    })?;
    let world = Checkout::new(root).map_err(|error| Diagnostic::error("repo-not-found", error.to_string()))?;
    Ok((root.to_owned(), world))
}
