//! The findings of `check` for somebody who edits: [`EditorChecks`].

use super::report::{Report, Told};
use super::repository::{Files, check_files};
use super::{Arguments, Selection, passed};
use crate::arguments::ColorChoice;
use crate::commands::repository_secrets::RepositorySecrets;
use crate::remotes::FetchedRemotes;
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use clap::Parser;
use onepane_helmfile::Outside;
use onepane_lsp::{Checks, Found};
use onepane_repo::KeptBuilds;
use onepane_world::World;

/// `onepane check` without flags, of one state of the files after the other. Nothing is fetched, and nothing is asked
/// of the network.
pub(crate) struct EditorChecks {
    terminal: Terminal,
    arguments: Arguments,
    secrets: RepositorySecrets,
    remotes: FetchedRemotes,
}

/// The arguments as the command line has them where it says nothing.
#[derive(Parser)]
struct Unsaid {
    #[command(flatten)]
    arguments: Arguments,
}

impl EditorChecks {
    /// Those of the repository at `root`.
    pub(crate) fn new(root: &Utf8Path) -> Self {
        Self {
            terminal: Terminal::new(ColorChoice::Never),
            arguments: Unsaid::parse_from(["check"]).arguments,
            secrets: RepositorySecrets::new(root),
            remotes: FetchedRemotes::new(true),
        }
    }
}

impl Checks for EditorChecks {
    fn findings(&self, root: &Utf8Path, world: &dyn World, kept_builds: &KeptBuilds) -> Vec<Found> {
        let mut report = Report::new(Selection::default());
        let files =
            Files { root, world, secrets: &self.secrets, remotes: &self.remotes, kept_builds: Some(kept_builds) };
        let outcome = check_files(&self.terminal, &files, &self.arguments, &mut report);
        // Where nothing can be checked at all, that is what there is to tell.
        if let Err(Failure::Found(failures, _)) = outcome {
            failures.into_iter().for_each(|failure| report.add_diagnostic(failure, None));
        }
        report.sort();
        passed::suppress(world, &mut report);
        report.sort();
        report.findings.into_iter().map(found).collect()
    }

    fn outside(&self) -> &dyn Outside {
        &self.secrets
    }

    fn redacted(&self, text: &str) -> String {
        crate::redaction::redacted(text)
    }
}

fn found(told: Told) -> Found {
    let Told { diagnostic, clusters, rendered, fix, written, counts: _ } = told;
    Found { diagnostic, clusters: clusters.into_iter().collect(), rendered, fix, written }
}
