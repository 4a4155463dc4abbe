//! Repositories: added, updated, removed.

use crate::address;
use crate::failure::{self, damaged, prefixed, refused, unreachable};
use crate::index::{Index, LARGEST_INDEX};
use crate::repositories::{Repository, RepositoryFile};
use crate::secret::shown;
use crate::session::{self, Request};
use crate::{Fetcher, Paths, Said, write};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Result};
use std::time::Duration;

/// Repositories that are gone, and where they went.
const GONE: &[(&str, &str)] = &[
    ("//kubernetes-charts.storage.googleapis.com", "https://charts.helm.sh/stable"),
    ("//kubernetes-charts-incubator.storage.googleapis.com", "https://charts.helm.sh/incubator"),
];

/// What [`Fetcher::add_repository`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is in the file and its index in the cache.
    Added,
    /// It was there just so, and nothing was asked of its server.
    Unchanged,
}

/// What becomes of a repository of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfPresent {
    /// It stays, and adding another is an error.
    Keep,
    /// It is replaced: `--force-update`.
    Replace,
}

impl Fetcher {
    /// The repositories that were added; none where there is no file.
    pub fn repositories(&self) -> Result<RepositoryFile> {
        Ok(RepositoryFile::read(&self.paths().repository_config)?.unwrap_or_default())
    }

    /// Adds a repository after its index could be read, which goes to the cache. Helm's lock is held all the while.
    ///
    /// Errors: `fetch-refused` for a name or an address that is not allowed or is taken, `fetch-unreachable` and
    /// `fetch-damaged` for an index that can't be had. On any error nothing is changed.
    pub fn add_repository(
        &self,
        repository: Repository,
        present: IfPresent,
        timeout: Duration,
        say: &mut dyn FnMut(Said),
    ) -> Result<Added> {
        let name = repository.name.clone();
        if name.contains('/') {
            return Err(refused(format!(
                "repository name ({name}) contains '/', please specify a different name without '/'"
            )));
        }
        // Helm takes these, and then writes its index next to the cache.
        if name.is_empty() || name.starts_with('.') || name.contains(['\\', '\0']) {
            return Err(refused(format!("repository name ({name}) is not allowed, please specify a different name")));
        }
        let mut added = Added::Added;
        RepositoryFile::change(&self.paths().repository_config, |file| {
            if present == IfPresent::Keep
                && let Some(there) = file.get(&name)
            {
                if *there != repository {
                    let message = format!("repository name ({name}) already exists, please specify a different name");
                    return Err(refused(message).hint("`--force-update` replaces it"));
                }
                added = Added::Unchanged;
                return Ok(false);
            }
            let index = self.index_of(&repository, timeout, say).map_err(|error| {
                let handler = error.message.starts_with("could not find protocol handler");
                if handler { error } else { invalid_repository(&repository.url, error) }
            })?;
            keep_index(self.paths(), &name, &index)?;
            file.set(repository);
            Ok(true)
        })?;
        Ok(added)
    }

    /// Fails for a repository that is gone for good, unless the user insists: `--allow-deprecated-repos`.
    pub fn refuse_gone_repository(url: &str) -> Result<()> {
        match GONE.iter().find(|(old, _)| url.contains(old)) {
            Some((_, new)) => {
                Err(refused(format!("repo {:?} is no longer available; try {new:?} instead", shown(url))))
            }
            None => Ok(()),
        }
    }

    /// Gets the indexes of the repositories `names`, or of all, at the same time, and says how each went.
    ///
    /// Error: `fetch-refused` for a name that is none, `fetch-unreachable` with the addresses that failed. What could
    /// be updated is updated.
    pub fn update_repositories(&self, names: &[String], timeout: Duration, say: &mut dyn FnMut(Said)) -> Result<()> {
        let file = self.repositories()?;
        if file.repositories().is_empty() {
            return Err(refused("no repositories found. You must add one before updating")
                .hint("add one: `helm repo add <name> <url>`"));
        }
        if let Some(name) = names.iter().find(|name| file.get(name).is_none()) {
            return Err(refused(format!("no repositories found matching '{name}'.  Nothing will be updated")));
        }
        let wanted: Vec<&Repository> =
            file.repositories().iter().filter(|one| names.is_empty() || names.contains(&one.name)).collect();
        say(Said::Line("Hang tight while we grab the latest from your chart repositories...".to_owned()));
        let failed = self.update_all(&wanted, timeout, say)?;
        if !failed.is_empty() {
            return Err(unreachable(format!("failed to update the following repositories: [{}]", failed.join(" "))));
        }
        say(Said::Line("Update Complete. ⎈Happy Helming!⎈".to_owned()));
        Ok(())
    }

    /// Removes the repositories `names` and what is cached of them, one after the other up to the first that is none.
    pub fn remove_repositories(&self, names: &[String], say: &mut dyn FnMut(Said)) -> Result<()> {
        let paths = self.paths();
        if self.repositories()?.repositories().is_empty() {
            return Err(refused("no repositories configured"));
        }
        for name in names {
            RepositoryFile::change(&paths.repository_config, |file| {
                if !file.remove(name) {
                    return Err(refused(format!("no repo named {name:?} found")));
                }
                Ok(true)
            })?;
            for cached in [paths.charts_file(name), paths.index_file(name)] {
                remove_file(&cached)?;
            }
            say(Said::Line(format!("{name:?} has been removed from your repositories")));
        }
        Ok(())
    }

    /// Updates each repository's cached index; gives the addresses of those that failed. They are asked at the same
    /// time and spoken of in their own order.
    pub(crate) fn update_all(
        &self,
        repositories: &[&Repository],
        timeout: Duration,
        say: &mut dyn FnMut(Said),
    ) -> Result<Vec<String>> {
        let requests: Vec<Result<Request>> =
            repositories.iter().map(|repository| self.index_request(repository, timeout)).collect();
        let answers = self.session.block_on(async {
            let mut answers: Vec<Result<IndexFile>> = Vec::new();
            let mut tasks = tokio::task::JoinSet::new();
            for (at, (request, repository)) in requests.into_iter().zip(repositories).enumerate() {
                answers.push(Err(unreachable("it was not asked")));
                let url = repository.url.clone();
                tasks.spawn(async move {
                    let answer = match request {
                        Ok(request) => request.send().await,
                        Err(error) => Err(error),
                    };
                    let bytes = match answer {
                        Ok(bytes) => bytes,
                        Err(error) => return (at, Err(error)),
                    };
                    let checked = tokio::task::spawn_blocking(move || IndexFile::check(bytes, &url)).await;
                    (at, checked.unwrap_or_else(|_| Err(damaged("its index can't be read"))))
                });
            }
            while let Some(done) = tasks.join_next().await {
                if let Ok((at, answer)) = done {
                    answers[at] = answer;
                }
            }
            answers
        })?;
        let mut failed = Vec::new();
        for (repository, answer) in repositories.iter().zip(answers) {
            let Repository { name, url, .. } = repository;
            let kept = answer.and_then(|mut index| {
                index.warnings.drain(..).for_each(|warning| say(Said::Warning(warning)));
                keep_index(self.paths(), name, &index)
            });
            let url = shown(url);
            // Repositories that dependencies name by their address have a name that nobody knows.
            let generated = name.starts_with(GENERATED);
            say(Said::Line(match kept {
                Ok(()) => {
                    let name = if generated { &url } else { name };
                    format!("...Successfully got an update from the {name:?} chart repository")
                }
                Err(error) => {
                    failed.push(url.clone());
                    let place = if generated {
                        format!("{url:?} chart repository")
                    } else {
                        format!("{name:?} chart repository ({url})")
                    };
                    format!("...Unable to get an update from the {place}:\n\t{}", error.message)
                }
            }));
        }
        Ok(failed)
    }

    /// A repository's index as it is now.
    pub(crate) fn index_of(
        &self,
        repository: &Repository,
        timeout: Duration,
        say: &mut dyn FnMut(Said),
    ) -> Result<IndexFile> {
        let request = self.index_request(repository, timeout)?;
        let bytes = self.session.block_on(request.send())??;
        let mut index = IndexFile::check(bytes, &repository.url)?;
        index.warnings.drain(..).for_each(|warning| say(Said::Warning(warning)));
        Ok(index)
    }

    fn index_request(&self, repository: &Repository, timeout: Duration) -> Result<Request> {
        let url = &repository.url;
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        if scheme != "http" && scheme != "https" {
            return Err(refused(format!("could not find protocol handler for: {scheme}"))
                .hint("a repository's address begins with `https://`; registries, `oci://`, need not be added"));
        }
        let access = session::Access {
            home: url,
            credentials: &repository.credentials,
            pass_credentials_all: repository.pass_credentials_all,
            tls: &repository.tls,
            timeout,
        };
        self.session.request(&address::resolve(url, "index.yaml")?, access, None, LARGEST_INDEX)
    }
}

/// How names begin that are made of a repository's address, as Helm makes them.
pub(crate) const GENERATED: &str = "helm-manager-";

/// Helm's words around what is wrong with a repository.
pub(crate) fn invalid_repository(url: &str, error: Box<Diagnostic>) -> Box<Diagnostic> {
    let url = shown(url);
    prefixed(&format!("looks like {url:?} is not a valid chart repository or cannot be reached: "), error)
}

/// An index that was read once and found good. It can travel between threads, which an [`Index`] can't.
pub(crate) struct IndexFile {
    pub(crate) bytes: Vec<u8>,
    charts: Vec<String>,
    warnings: Vec<Diagnostic>,
}

impl IndexFile {
    fn check(bytes: Vec<u8>, url: &str) -> Result<Self> {
        let mut warnings = Vec::new();
        let index = Index::parse(&bytes, url, &mut |warning| warnings.push(warning))?;
        Ok(Self { bytes, charts: index.entries.into_keys().collect(), warnings })
    }
}

/// Puts an index and the list of its charts in the cache.
fn keep_index(paths: &Paths, name: &str, index: &IndexFile) -> Result<()> {
    let charts: String = index.charts.iter().map(|chart| format!("{chart}\n")).collect();
    write::write(&paths.charts_file(name), charts.as_bytes(), 0o644)?;
    write::write(&paths.index_file(name), &index.bytes, 0o644)
}

fn remove_file(path: &Utf8Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failure::io("can't remove index file", path, &error))
        }
        _ => Ok(()),
    }
}
