//! All keys of a machine: [`FoundKeys`].

use crate::{CloudKeys, Endpoints, FoundAgeKeys, Gpg, Programs, find_age_keys, find_pgp_keys};
use onepane_diagnostics::Diagnostic;
use onepane_sops::{KeyService, PgpKeys};
use onepane_world::World;

/// The keys that files are decrypted and encrypted with: those that lie here, and who keeps others.
pub struct FoundKeys<'w> {
    age: FoundAgeKeys,
    pgp: PgpKeys,
    gpg: Gpg,
    network: Box<dyn KeyService + Send + Sync + 'w>,
}

impl std::fmt::Debug for FoundKeys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundKeys").finish_non_exhaustive()
    }
}

impl<'w> FoundKeys<'w> {
    /// Looks where SOPS looks. No server is asked before a key needs it.
    pub fn find(world: &'w dyn World, programs: Programs) -> Self {
        Self::with(world, programs, Box::new(CloudKeys::new(world, Endpoints::default(), programs)))
    }

    /// The same, where somebody else asks servers.
    pub fn with(world: &'w dyn World, programs: Programs, network: Box<dyn KeyService + Send + Sync + 'w>) -> Self {
        Self { age: find_age_keys(world, programs), pgp: find_pgp_keys(world), gpg: Gpg::new(world, programs), network }
    }

    /// Who uses them, those that need neither a program nor a server first.
    pub fn services(&self) -> [&dyn KeyService; 4] {
        [&self.age.keys, &self.pgp, &self.gpg, &*self.network]
    }

    /// An error of a file that no key decrypts, with what was found wrong where keys of age should be.
    pub fn explained(&self, error: Box<Diagnostic>) -> Box<Diagnostic> {
        if error.code != "sops-key" {
            return error;
        }
        let problems = self.age.problems.iter().map(|problem| problem.message.clone());
        let none = (self.age.keys.is_empty() && !self.age.missing.is_empty())
            .then(|| format!("no age key in: {}", self.age.missing.join(", ")));
        problems.chain(none).fold(error, |error, problem| error.trace(problem, None))
    }
}
