//! What kustomizations name by URL, fetched: [`FetchedRemotes`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_fetch::{Fetcher, Settings};
use onepane_git::{Repositories, Wanted};
use onepane_kustomize::{RemoteTree, Remotes, RepositoryUrl};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Fetches each URL once in the life of the process, so that all builds see the same.
pub(crate) struct FetchedRemotes {
    repositories: Repositories,
    trees: Mutex<HashMap<Revision, RemoteTree>>,
    files: Mutex<HashMap<String, Arc<[u8]>>>,
}

/// A clone URL, a reference, and whether submodules are wanted.
type Revision = (String, Option<String>, bool);

impl FetchedRemotes {
    /// With the cache in the user's cache folder.
    pub(crate) fn new(offline: bool) -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
        let home = || set("HOME").map(|home| home.join(".cache"));
        let cache = set("XDG_CACHE_HOME").or_else(home).unwrap_or_else(|| Utf8Path::new(".cache").to_owned());
        let repositories = Repositories { cache: cache.join("onepane/git"), offline };
        Self { repositories, trees: Mutex::default(), files: Mutex::default() }
    }
}

impl Remotes for FetchedRemotes {
    fn repository(&self, url: &RepositoryUrl) -> Result<RemoteTree> {
        let revision = (url.clone_url.clone(), url.reference.clone(), url.submodules);
        // Others wait meanwhile, and find it there if it is the same.
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tree) = trees.get(&revision) {
            return Ok(tree.clone());
        }
        let RepositoryUrl { clone_url, reference, submodules, timeout, .. } = url;
        let reference = reference.as_deref();
        let wanted = Wanted { url: clone_url, reference, submodules: *submodules, timeout: *timeout };
        let fetched = self.repositories.files(wanted)?;
        let root = fetched.tree.top().to_owned();
        let world = Arc::new(fetched.tree);
        let tree = RemoteTree { world, root, commit: fetched.commit, warnings: fetched.warnings };
        trees.insert(revision, tree.clone());
        Ok(tree)
    }

    fn file(&self, url: &str) -> Result<Arc<[u8]>> {
        if self.repositories.offline {
            return Err(Diagnostic::error("fetch-unreachable", format!("{url}: nothing is fetched offline")));
        }
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = files.get(url) {
            return Ok(bytes.clone());
        }
        let settings = Settings::from_variables(&|name| std::env::var(name).ok());
        let bytes: Arc<[u8]> = Fetcher::new(settings).file(url)?.into();
        files.insert(url.to_owned(), bytes.clone());
        Ok(bytes)
    }
}
