//! The commits of services, also of those that are not checked out, as in a pipeline: [`Histories`].

use crate::local::{LocalRepository, Range, commit_of_tag, range};
use crate::services::Service;
use crate::sync::Program;
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The commits of services: those that are on this machine, or else what the service's server has, without any files.
pub struct Histories<'h> {
    git: &'h LocalRepository,
    /// Where commits are kept; without one no server is asked.
    cache: Option<Utf8PathBuf>,
    /// The repositories that were fetched, by the paths of services; `None` where that did not succeed.
    fetched: Mutex<BTreeMap<Utf8PathBuf, Option<Utf8PathBuf>>>,
}

impl<'h> Histories<'h> {
    /// Those of the services of a repository.
    pub fn new(git: &'h LocalRepository, cache: Option<Utf8PathBuf>) -> Self {
        Self { git, cache, fetched: Mutex::default() }
    }

    /// Asks the servers of several services at once.
    pub fn fetch(&self, services: &[&Service]) {
        let Some(cache) = &self.cache else { return };
        let url = |service: &&Service| (service.path.clone(), self.git.service_url(service));
        let urls: Vec<_> = services.iter().map(url).collect();
        let all = urls.into_par_iter().map(|(path, url)| (path, url.and_then(|url| get(cache, &url))));
        let all: Vec<_> = all.collect();
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner).extend(all);
    }

    /// The commit that an image's tag stands for, as [`LocalRepository::commit_of_tag`] has it.
    pub fn commit_of_tag(&self, service: &Service, tag: &str) -> Option<String> {
        self.ask(service, |repository| commit_of_tag(repository, tag))
    }

    /// The commits from one to another, as [`LocalRepository::range`] has it.
    pub fn range(&self, service: &Service, from: &str, to: &str, most: usize) -> Option<Range> {
        self.ask(service, |repository| range(repository, from, to, most))
    }

    fn ask<T>(&self, service: &Service, what: impl Fn(&gix::Repository) -> Option<T>) -> Option<T> {
        let here = self.git.submodule(&service.path).and_then(|here| what(&here));
        here.or_else(|| what(&gix::open(self.fetched(service)?).ok()?))
    }

    fn fetched(&self, service: &Service) -> Option<Utf8PathBuf> {
        let known = || self.fetched.lock().unwrap_or_else(PoisonError::into_inner).get(&service.path).cloned();
        if let Some(known) = known() {
            return known;
        }
        let fetched = self.cache.as_ref().and_then(|cache| get(cache, &self.git.service_url(service)?));
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner).insert(service.path.clone(), fetched.clone());
        fetched
    }
}

/// Gets the commits of all branches and tags. A server that knows no filters gives the files along.
fn get(cache: &Utf8Path, url: &str) -> Option<Utf8PathBuf> {
    // What could be an option is no address.
    if url.starts_with('-') {
        return None;
    }
    let digest = Sha256::digest(url);
    let name: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = cache.join(format!("{name}.git"));
    std::fs::create_dir_all(&folder).ok()?;
    let program = Program { lock: None };
    program.run(&folder, &["init", "--quiet", "--bare", "."]).ok()?;
    // The address may be for nobody else's eyes, and is not written down. Git itself asks only what it would for a submodule.
    let remote = format!("remote.origin.url={url}");
    let fetch = ["--git-dir=.", "-c", &remote, "fetch", "--quiet", "--no-write-fetch-head", "--filter=tree:0"];
    let all = ["origin", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    // Of one who does not answer, what was fetched before is better than nothing.
    let is_fetched = program.run(&folder, &[&fetch[..], &all].concat()).is_ok();
    let has_some =
        || program.run(&folder, &["--git-dir=.", "for-each-ref", "--count=1"]).is_ok_and(|some| !some.is_empty());
    (is_fetched || has_some()).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_testkit::git;
    use onepane_world::OsWorld;
    use std::fs;

    #[test]
    fn commits_of_a_service_are_there_without_its_files() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let top = Utf8Path::from_path(folder.path()).expect("it is UTF-8");
        let origin = folder.path().join("api");
        fs::create_dir_all(&origin).expect("nothing is there yet");
        git(&origin, &["init", "--quiet", "--initial-branch", "main"]);
        git(&origin, &["config", "uploadpack.allowFilter", "true"]);
        let commit = |number: usize| {
            fs::write(origin.join("main.txt"), format!("{number}")).expect("it can be written");
            git(&origin, &["add", "--all"]);
            git(&origin, &["commit", "--quiet", "--message", &format!("number {number}")]);
            git(&origin, &["tag", &format!("v1.{number}")]);
        };
        (0..3).for_each(commit);
        git(folder.path(), &["init", "--quiet", "shop"]);
        let shop = folder.path().join("shop");
        let url = format!("file://{}", origin.display());
        let declared = format!(
            "[submodule \"api\"]\n\tpath = src/api\n\turl = {url}\n[submodule \"bad\"]\n\tpath = src/bad\n\turl = --upload-pack=touch\n"
        );
        fs::write(shop.join(".gitmodules"), declared).expect("it can be written");
        let root = top.join("shop");
        let repository = LocalRepository::of(&root).expect("it is one");
        let services = repository.listed_services(&OsWorld::within(&root).expect("it is there"));
        let (api, bad) = (&services[0], &services[1]);
        let cache = top.join("cache");
        fs::create_dir_all(folder.path().join("served")).expect("it is new");
        git(folder.path(), &["clone", "--quiet", "--bare", "api", "served/api.git"]);
        git(&folder.path().join("served/api.git"), &["config", "uploadpack.allowFilter", "true"]);
        let server = onepane_testkit::GitServer::start(folder.path().join("served"));
        let served = Service { url: Some(format!("{}/api.git", server.address)), ..api.clone() };
        assert_eq!(Histories::new(&repository, None).commit_of_tag(&served, "1.0"), None);
        let histories = Histories::new(&repository, Some(cache.clone()));
        histories.fetch(&[&served, bad]);
        let at = |tag: &str| histories.commit_of_tag(&served, tag).expect("it is there");
        let log = histories.range(&served, &at("1.0"), &at("1.2"), 9).expect("both are there");
        let titles: Vec<&str> = log.ahead.iter().map(|commit| commit.title.as_str()).collect();
        assert_eq!(titles, ["number 2", "number 1"]);
        assert_eq!(histories.commit_of_tag(bad, "1.0"), None);
        // No files came along, and the address is not written down.
        let kept: Vec<_> = fs::read_dir(&cache).expect("it was made").flatten().map(|entry| entry.path()).collect();
        let with_files =
            kept.iter().map(|path| git(path, &["cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"]));
        assert!(with_files.clone().all(|types| !types.contains("blob")), "{:?}", with_files.collect::<Vec<_>>());
        let config = kept.iter().map(|path| fs::read_to_string(path.join("config")).unwrap_or_default());
        assert!(config.clone().all(|text| !text.contains("http")), "{:?}", config.collect::<Vec<_>>());
        // What was fetched before serves where the server does not answer.
        drop(server);
        let later = Histories::new(&repository, Some(cache));
        assert_eq!(later.commit_of_tag(&served, "v1.2"), Some(at("v1.2")));
    }
}
