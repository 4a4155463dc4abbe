//! What kustomizations name by URL, fetched: [`FetchedRemotes`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Result;
use onepane_fetch::{Fetcher, KeptFiles, Settings};
use onepane_git::{Repositories, Wanted};
use onepane_kustomize::{RemoteFile, RemoteTree, Remotes, RepositoryUrl};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Fetches each URL once in the life of the process, so that all builds see the same.
pub(crate) struct FetchedRemotes {
    repositories: Repositories,
    kept_files: KeptFiles,
    trees: Mutex<HashMap<Revision, RemoteTree>>,
    files: Mutex<HashMap<String, RemoteFile>>,
}

/// A clone URL, a reference, and whether submodules are wanted.
type Revision = (String, Option<String>, bool);

impl FetchedRemotes {
    /// With the cache in the user's cache folder.
    pub(crate) fn new(offline: bool) -> Self {
        let cache = own_cache();
        let repositories = repositories(offline);
        let kept_files = KeptFiles { cache: cache.join("onepane/files"), offline };
        Self { repositories, kept_files, trees: Mutex::default(), files: Mutex::default() }
    }
}

/// Git repositories, with the cache in the user's cache folder.
pub(crate) fn repositories(offline: bool) -> Repositories {
    Repositories { cache: own_cache().join("onepane/git"), offline }
}

/// The user's cache folder, or one here.
pub(crate) fn own_cache() -> Utf8PathBuf {
    let variable = |name: &str| std::env::var(name).ok();
    user_cache(&variable).unwrap_or_else(|| Utf8Path::new(".cache").to_owned())
}

/// The user's cache folder; `None` where no variable tells it.
pub(crate) fn user_cache(variable: &dyn Fn(&str) -> Option<String>) -> Option<Utf8PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))
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

    fn file(&self, url: &str) -> Result<RemoteFile> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(url) {
            return Ok(file.clone());
        }
        let settings = Settings::from_variables(&|name| std::env::var(name).ok());
        let (bytes, warning) = self.kept_files.get(url, &Fetcher::new(settings))?;
        let file = RemoteFile { bytes: bytes.into(), warning };
        files.insert(url.to_owned(), file.clone());
        Ok(file)
    }
}
