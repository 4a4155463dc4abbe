//! Charts from elsewhere: repositories, registries, dependencies, as Helm 4 has them.
//!
//! Start at [`Fetcher`]: it is made of [`Settings`], which are made of the environment's variables, and does what the
//! network commands of Helm do. Adding, updating and removing repositories is in `repository`, finding and downloading
//! a chart in `download`, registries in `registry`, `dependency build` and `update` in `dependencies`, `repo index` in
//! `index_write`, `search repo` in `search`.
//!
//! The interface blocks. No runtime, no client and no TLS is made before the first request. What is printed goes
//! through a callback as [`Said`]; the terminal is somebody else's. Everything that comes from outside is bounded in
//! size and time, checked, and only then written, under another name that is changed at the end: a failure leaves
//! nothing half-written. Passwords are [`Secret`]s, and no message or `Debug` shows one.
//!
//! Errors are diagnostics whose message begins with Helm's words; the hints say how to mend it.

mod address;
mod archive;
mod cache;
mod clock;
mod credentials;
mod dependencies;
mod download;
mod failure;
mod file;
mod hub;
mod images;
mod index;
mod index_read;
mod index_write;
mod lock_file;
mod ordered;
mod package;
mod paths;
mod pull_secret;
mod reference;
mod registry;
mod repositories;
mod repository;
mod search;
mod secret;
mod session;
mod write;

pub use dependencies::{DependencyRequest, Refresh};
pub use download::{Access, ChartRequest, Downloaded, Provenance, Verifier};
pub use file::KeptFiles;
pub use hub::HubChart;
pub use images::ImageFacts;
pub use index::{ChartVersion, Index, NotFound};
pub use index_write::{IndexFormat, IndexRequest, write_index};
pub use paths::{Homes, Paths, Proxies, Settings};
pub use reference::is_oci;
pub use registry::{Pushed, RegistryAccess};
pub use repositories::{Repository, RepositoryFile, Tls};
pub use repository::{Added, IfPresent};
pub use search::{Hit, SearchIndex, SearchScope};
pub use secret::{Credentials, Secret, shown};
pub use session::DEFAULT_TIMEOUT;

use onepane_diagnostics::Diagnostic;

/// Does what Helm's network commands do. Cheap to make.
pub struct Fetcher {
    session: session::Session,
}

impl Fetcher {
    /// A fetcher for these files, folders and proxies.
    pub fn new(settings: Settings) -> Self {
        Self { session: session::Session::new(settings) }
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.session.settings
    }

    /// Helm's files and folders.
    fn paths(&self) -> &Paths {
        &self.session.settings.paths
    }
}

/// Something to print on the way.
#[derive(Clone, Debug)]
pub enum Said {
    /// A line that Helm prints on stdout, without its line feed.
    Line(String),
    /// What Helm only warns of, on stderr.
    Warning(Diagnostic),
}
