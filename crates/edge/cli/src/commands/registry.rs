//! Registries, asked for the images of containers.

use crate::terminal::Failure;
use camino::Utf8Path;
use onepane_diagnostics::Diagnostic;
use onepane_fetch::{Fetcher, ImageFacts, RegistryAccess, Settings};
use onepane_git::{LocalRepository, short};
use onepane_repo::Version;
use std::cell::RefCell;
use std::collections::HashMap;

/// Registries with what they have said.
pub(crate) struct Registries {
    fetcher: Fetcher,
    tags: RefCell<HashMap<String, Vec<String>>>,
    facts: RefCell<HashMap<String, ImageFacts>>,
}

impl Registries {
    /// With the credentials that `docker login` and `helm registry login` have kept.
    pub(crate) fn new() -> Self {
        let fetcher = Fetcher::new(Settings::from_variables(&|name| std::env::var(name).ok()));
        Self { fetcher, tags: RefCell::default(), facts: RefCell::default() }
    }

    /// Forgets what they have said: it is asked anew.
    pub(crate) fn forget(&self) {
        self.tags.take();
        self.facts.take();
    }

    /// The tags of an image; asked once.
    pub(crate) fn tags(&self, image: &str, access: &RegistryAccess) -> Result<Vec<String>, Failure> {
        if let Some(tags) = self.tags.borrow().get(image) {
            return Ok(tags.clone());
        }
        let tags = self.fetcher.image_tags(image, access).map_err(|error| of(image, error))?;
        self.tags.borrow_mut().insert(image.to_owned(), tags.clone());
        Ok(tags)
    }

    /// What an image is under a tag; asked once.
    pub(crate) fn facts(&self, image: &str, tag: &str, access: &RegistryAccess) -> Result<ImageFacts, Failure> {
        let reference = format!("{image}:{tag}");
        if let Some(facts) = self.facts.borrow().get(&reference) {
            return Ok(facts.clone());
        }
        let facts = self.fetcher.image(&reference, access).map_err(|error| of(&reference, error))?;
        self.facts.borrow_mut().insert(reference, facts.clone());
        Ok(facts)
    }

    /// The version of an image under a tag, with its digest if `before` has one or it is wanted. It has to be there, and made of
    /// the commit of its service that it is said to be made of.
    pub(crate) fn version(
        &self,
        image: &Wanted<'_>,
        tag: &str,
        before: &Version,
        commit: Option<&str>,
    ) -> Result<Version, Failure> {
        let facts = self.facts(image.name, tag, image.access)?;
        if let (Some(revision), Some(commit)) = (&facts.revision, commit)
            && revision != commit
        {
            let message = format!(
                "`{}:{tag}` was made of the commit {}, and not of {}",
                image.name,
                short(revision),
                short(commit)
            );
            return Err(Diagnostic::error("image-of-other-commit", message)
                .hint("its label `org.opencontainers.image.revision` says so")
                .into());
        }
        let has_digest = image.with_digest || !before.digest.is_empty();
        let digest = if has_digest { facts.digest } else { String::new() };
        Ok(Version { tag: tag.to_owned(), digest })
    }
}

/// An image that is looked for.
pub(crate) struct Wanted<'w> {
    pub(crate) name: &'w str,
    pub(crate) access: &'w RegistryAccess,
    /// Whether its digest is said, too.
    pub(crate) with_digest: bool,
}

/// The tags that images of a commit have: the tags of the commit, and the names of it that pipelines use.
pub(crate) fn tags_of_commit(git: &LocalRepository, service: &Utf8Path, commit: &str) -> Vec<String> {
    let mut tags = Vec::new();
    for tag in git.tags_of_commit(service, commit) {
        tags.extend(tag.strip_prefix('v').map(str::to_owned));
        tags.push(tag);
    }
    tags.push(commit.to_owned());
    tags.push(format!("sha-{commit}"));
    for length in [7, 8, 10, 12] {
        let start = commit.get(..length).unwrap_or(commit);
        tags.push(start.to_owned());
        tags.push(format!("sha-{start}"));
    }
    tags
}

fn of(image: &str, error: Box<Diagnostic>) -> Failure {
    error.trace(format!("for the image {image}"), None).into()
}
