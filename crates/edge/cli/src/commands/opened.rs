//! The repository that a command works on: [`Opened`].

use crate::commands::open;
use crate::commands::repository_secrets::RepositorySecrets;
use crate::elsewhere::Elsewhere;
use crate::terminal::Failure;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_git::Checkout;
use onepane_repo::Repository;

/// The repository that holds a folder, with what its files lead to: bases and charts from elsewhere, and secrets.
pub(crate) struct Opened {
    pub(crate) root: Utf8PathBuf,
    pub(crate) world: Checkout,
    elsewhere: Elsewhere,
    secrets: RepositorySecrets,
}

impl Opened {
    /// The one that holds `directory`, or the current folder; with `offline`, what was fetched before serves.
    pub(crate) fn at(directory: Option<&Utf8Path>, offline: bool) -> Result<Self, Failure> {
        let (root, world) = open(directory)?;
        let (elsewhere, secrets) = (Elsewhere::of(&root, offline), RepositorySecrets::new(&root));
        Ok(Self { root, world, elsewhere, secrets })
    }

    pub(crate) fn repository(&self) -> Result<Repository<'_>, Failure> {
        let repository = Repository::open(&self.world).map_err(self.failure())?.with_outside(&self.secrets);
        Ok(self.elsewhere.reached(repository))
    }

    /// What is wrong with its files.
    pub(crate) fn failure(&self) -> impl Fn(Box<Diagnostic>) -> Failure {
        Failure::below(&self.root)
    }
}
