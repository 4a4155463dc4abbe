//! `dependency build` and `dependency update`: which versions a chart's dependencies mean, and their archives in its
//! `charts/`.

use crate::address;
use crate::archive;
use crate::cache::Hash;
use crate::download::{Access, ChartRequest, Provenance, Source};
use crate::failure::{self, damaged, prefixed, refused};
use crate::index::Index;
use crate::lock_file::{self, LockFile};
use crate::package;
use crate::reference::is_oci;
use crate::registry::{Registry, hex};
use crate::repositories::Repository;
use crate::repository::GENERATED;
use crate::secret::shown;
use crate::{Fetcher, Said, clock, write};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{Chart, Dependency, Origins};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_semver::{Constraint, Version};
use onepane_world::OsWorld;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// Whether the repositories' indexes are downloaded anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// They are.
    All,
    /// They are if an index says where a dependency is.
    IfNeeded,
    /// What is cached has to do: `--skip-refresh`.
    Skip,
}

impl Refresh {
    fn is_wanted(self, dependencies: &[Dependency]) -> bool {
        match self {
            Self::All => true,
            Self::IfNeeded => dependencies.iter().any(|dependency| is_remote(&dependency.repository)),
            Self::Skip => false,
        }
    }
}

/// A chart whose dependencies are wanted.
#[derive(Clone, Debug)]
pub struct DependencyRequest<'a> {
    /// The chart's folder.
    pub chart: Utf8PathBuf,
    /// How servers are reached. The credentials are for registries only: repositories have their own.
    pub access: Access,
    /// Whether the repositories' indexes are downloaded anew.
    pub refresh: Refresh,
    /// `SOURCE_DATE_EPOCH`, in seconds since 1970: the time of files in archives of `file://` dependencies.
    pub source_date_epoch: Option<u64>,
    /// How long a request may take as a whole.
    pub timeout: Duration,
    /// Whether what is downloaded is verified. Provenance files are not kept.
    pub provenance: Provenance<'a>,
}

impl Fetcher {
    /// Fills `charts/` with the versions that the chart's lock file names; without a lock file the same as
    /// [`Fetcher::update_dependencies`].
    ///
    /// Errors: `fetch-refused` for a lock file that does not fit Chart.yaml any more and for a repository that nobody
    /// added, and those of [`Fetcher::download`]. `charts/` is as it was then.
    pub fn build_dependencies(&self, request: &DependencyRequest<'_>, say: &mut dyn FnMut(Said)) -> Result<()> {
        let chart = load(&request.chart, say)?;
        let Some(mut lock) = LockFile::read(&request.chart, &chart.metadata.api_version)? else {
            return self.update_loaded(request, &chart, say);
        };
        let is_v1 = chart.metadata.api_version == "v1";
        let asked_before = chart.metadata.dependencies.clone();
        let mut asked = asked_before.clone();
        let repositories = self.repositories()?.repositories().to_vec();
        resolve_names(&request.chart, &repositories, asked.as_deref_mut().unwrap_or_default())?;
        let digest = lock_file::digest(asked.as_deref(), lock.dependencies.as_deref()).map_err(damaged)?;
        if digest != lock.digest {
            if !is_v1 {
                return Err(refused(
                    "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the \
                     dependencies with 'helm dependency update'",
                ));
            }
            // Helm 2 hashed what stands in the file, aliases of repositories included.
            if lock_file::digest_of_helm_2(asked_before.as_deref()).map_err(damaged)? != lock.digest {
                return Err(refused(
                    "the lock file (requirements.lock) is out of sync with the dependencies file (requirements.yaml). \
                     Please update the dependencies",
                )
                .hint("run `helm dependency update`"));
            }
        }
        let mut chosen = lock.dependencies.take().unwrap_or_default();
        let missing: Vec<String> = chosen
            .iter()
            .filter(|dependency| {
                let url = dependency.repository.trim_end_matches('/');
                is_remote(&dependency.repository) && !repositories.iter().any(|known| address::same(&known.url, url))
            })
            .map(|dependency| shown(&dependency.repository))
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(refused(format!(
                "no repository definition for {missing}. Please add the missing repos via 'helm repo add'"
            )));
        }
        if request.refresh.is_wanted(&chosen) {
            self.refresh(&repositories, request, say)?;
        }
        self.fill(request, &mut chosen, &repositories, say)
    }

    /// Finds the versions that the chart's dependencies mean, fills `charts/` with them, removes other archives from
    /// there and writes the lock file if it changed.
    ///
    /// Errors: `fetch-refused` for a dependency that no repository has in a fitting version, and those of
    /// [`Fetcher::download`]. `charts/` and the lock file are as they were then.
    pub fn update_dependencies(&self, request: &DependencyRequest<'_>, say: &mut dyn FnMut(Said)) -> Result<()> {
        let chart = load(&request.chart, say)?;
        self.update_loaded(request, &chart, say)
    }

    fn update_loaded(&self, request: &DependencyRequest<'_>, chart: &Chart, say: &mut dyn FnMut(Said)) -> Result<()> {
        let Some(mut asked) = chart.metadata.dependencies.clone() else { return Ok(()) };
        let old = LockFile::read(&request.chart, &chart.metadata.api_version)?;
        let mut repositories = self.repositories()?.repositories().to_vec();
        let mut names = resolve_names(&request.chart, &repositories, &mut asked)?;
        let unknown = name_the_rest(&mut names, &asked);
        if request.refresh.is_wanted(&asked) {
            if !unknown.is_empty() {
                say(Said::Line("Getting updates for unmanaged Helm repositories...".to_owned()));
                self.update_all(&without_twins(&unknown), request.timeout, say)?;
            }
            self.refresh(&repositories, request, say)?;
        }
        repositories.extend(unknown);
        let mut chosen = self.resolve(request, &asked, &names, say)?;
        self.fill(request, &mut chosen, &repositories, say)?;
        // Packing a folder may have told its version.
        let digest = lock_file::digest(Some(&asked), Some(&chosen)).map_err(damaged)?;
        if old.is_some_and(|old| old.digest == digest) {
            return Ok(());
        }
        let lock = LockFile { generated: clock::now(), digest, dependencies: Some(chosen) };
        lock.write(&request.chart, &chart.metadata.api_version)
    }

    /// Updates the index of every repository that the user added, as Helm does, whether it is needed or not. What
    /// can't be updated is said and is no error: it may be good enough as it is cached.
    fn refresh(
        &self,
        repositories: &[Repository],
        request: &DependencyRequest<'_>,
        say: &mut dyn FnMut(Said),
    ) -> Result<()> {
        if repositories.is_empty() {
            return Ok(());
        }
        say(Said::Line("Hang tight while we grab the latest from your chart repositories...".to_owned()));
        self.update_all(&without_twins(repositories), request.timeout, say)?;
        say(Said::Line("Update Complete. ⎈Happy Helming!⎈".to_owned()));
        Ok(())
    }

    /// The version of each dependency.
    fn resolve(
        &self,
        request: &DependencyRequest<'_>,
        asked: &[Dependency],
        names: &HashMap<String, String>,
        say: &mut dyn FnMut(Said),
    ) -> Result<Vec<Dependency>> {
        let mut chosen = Vec::new();
        let mut missing = Vec::new();
        let mut indexes: HashMap<&str, Index> = HashMap::new();
        for dependency in asked {
            let Dependency { name, version, repository, .. } = dependency;
            let constraint = constraint_of(dependency, Quoted::Yes)?;
            let choice = |version: &str| Dependency {
                name: name.clone(),
                version: version.to_owned(),
                repository: repository.clone(),
                ..Dependency::default()
            };
            let lacking = format!("{name:?} (repository {:?}, version {version:?})", shown(repository));
            if repository.is_empty() {
                local_path(&format!("charts/{name}"), &request.chart)?;
                chosen.push(choice(version));
            } else if repository.starts_with("file://") {
                let folder = local_path(repository, &request.chart)?;
                let chart = load(&folder, say)?;
                let found = &chart.metadata.version;
                if Version::parse(found).is_ok_and(|version| constraint.check(&version)) {
                    chosen.push(choice(found));
                } else {
                    missing.push(lacking);
                }
            } else if is_oci(repository) {
                if Version::parse(version).is_ok() {
                    chosen.push(choice(version));
                    continue;
                }
                let access = request.access.registry();
                let reference = format!("{}/{name}", repository.trim_end_matches('/'));
                let reference = crate::reference::Reference::parse(&reference)?;
                let versions = Registry::new(&self.session, &access).versions(&reference).map_err(|error| {
                    let repository = shown(repository);
                    prefixed(&format!("could not retrieve list of tags for repository {repository}: "), error)
                })?;
                let fits = |version: &&String| Version::parse(version).is_ok_and(|version| constraint.check(&version));
                match versions.iter().find(fits) {
                    Some(version) => chosen.push(choice(version)),
                    None => missing.push(lacking),
                }
            } else {
                let known = names.get(name).map_or("", String::as_str);
                let index = match indexes.entry(known) {
                    std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                    std::collections::hash_map::Entry::Vacant(entry) => {
                        let path = self.paths().index_file(known);
                        let mut warn = |warning: Diagnostic| say(Said::Warning(warning));
                        let index = Index::read(&path, &mut warn).map_err(|error| {
                            let words = format!("no cached repository for {known} found. (try 'helm repo update'): ");
                            prefixed(&words, error)
                        })?;
                        entry.insert(index)
                    }
                };
                let Some(versions) = index.entries.get(name) else {
                    return Err(refused(format!("{name} chart not found in repo {}", shown(repository))));
                };
                let found = versions.iter().find(|one| !one.urls.is_empty() && constraint.check(&one.version));
                match found {
                    Some(found) => chosen.push(choice(&found.metadata.version)),
                    None => missing.push(lacking),
                }
            }
        }
        if missing.is_empty() {
            return Ok(chosen);
        }
        Err(refused(format!(
            "can't get a valid version for {} subchart(s): {}. Make sure a matching chart version exists in the repo, or \
             change the version constraint in Chart.yaml",
            missing.len(),
            missing.join(", ")
        )))
    }

    /// Puts the archives of `chosen` into `charts/` and removes the others: into a folder beside it first, from which
    /// they are moved once all are there and good.
    fn fill(
        &self,
        request: &DependencyRequest<'_>,
        chosen: &mut [Dependency],
        repositories: &[Repository],
        say: &mut dyn FnMut(Said),
    ) -> Result<()> {
        let charts = request.chart.join("charts");
        if charts.exists() && !charts.is_dir() {
            return Err(refused(format!("{:?} is not a directory", charts.as_str())));
        }
        let made = tempfile::Builder::new().prefix("tmpcharts-").tempdir_in(&request.chart);
        let temporary = made.map_err(|error| failure::io("can't write", &request.chart, &error))?;
        let folder = Utf8Path::from_path(temporary.path()).ok_or_else(|| refused("the chart's path is not UTF-8"))?;
        say(Said::Line(format!("Saving {} charts", chosen.len())));
        if let Err(error) = self.gather(request, chosen, repositories, folder, &charts, say) {
            say(Said::Line(format!("Save error occurred:  {}", error.message)));
            return Err(error);
        }
        move_into(folder, &charts, chosen, say)
    }

    /// Gets each archive into `folder`.
    fn gather(
        &self,
        request: &DependencyRequest<'_>,
        chosen: &mut [Dependency],
        repositories: &[Repository],
        folder: &Utf8Path,
        charts: &Utf8Path,
        say: &mut dyn FnMut(Said),
    ) -> Result<()> {
        let mut seen = HashSet::new();
        let mut indexes: HashMap<&str, Index> = HashMap::new();
        for dependency in chosen {
            let Dependency { name, version, repository, .. } = &*dependency;
            if repository.is_empty() {
                say(Said::Line(format!(
                    "Dependency {name} did not declare a repository. Assuming it exists in the charts directory"
                )));
                let path = charts.join(name);
                let chart =
                    load(&path, say).map_err(|error| prefixed(&format!("unable to load chart '{path}': "), error))?;
                let found = &chart.metadata.version;
                let fits = constraint_of(dependency, Quoted::No)?;
                if !Version::parse(found).is_ok_and(|found| fits.check(&found)) {
                    return Err(refused(format!(
                        "dependency {name} at version {found} does not satisfy the constraint {version}"
                    )));
                }
                continue;
            }
            if repository.starts_with("file://") {
                let place = local_path(repository, &request.chart)?;
                let chart = load(&place, say)?;
                let found = chart.metadata.version.clone();
                let fits = constraint_of(dependency, Quoted::No)?;
                if !Version::parse(&found).is_ok_and(|found| fits.check(&found)) {
                    return Err(refused(format!("can't get a valid version for dependency {name}")));
                }
                let bytes = package::pack(&chart, &place, request.source_date_epoch)?;
                write::write(&folder.join(format!("{}-{found}.tgz", chart.name())), &bytes, 0o644)?;
                dependency.version = found;
                continue;
            }
            let (source, key) = self.source_of(request, dependency, repositories, &mut indexes, say)?;
            let place = shown(repository);
            if !seen.insert(key) {
                say(Said::Line(format!("Already downloaded {name} from repo {place}")));
                continue;
            }
            say(Said::Line(format!("Downloading {name} from repo {place}")));
            let chart = ChartRequest { timeout: request.timeout, ..ChartRequest::new(source.to_string()) };
            let fetched = self
                .fetch(&source, &chart, request.provenance, say)
                .map_err(|error| prefixed(&format!("could not download {source}: "), error))?;
            let file = source.file_name()?;
            // Helm drops what does not load on the way into `charts/`, and calls that a success.
            let loaded = archive::load(Utf8Path::new(&file), &fetched.chart)?;
            if loaded.name() != name {
                return Err(damaged(format!("could not download {source}: it is the chart {:?}", loaded.name())));
            }
            write::write(&folder.join(file), &fetched.chart, 0o644)?;
        }
        Ok(())
    }

    /// Where a locked dependency lies, and a name for that place.
    fn source_of<'r>(
        &self,
        request: &DependencyRequest<'_>,
        dependency: &Dependency,
        repositories: &'r [Repository],
        indexes: &mut HashMap<&'r str, Index>,
        say: &mut dyn FnMut(Said),
    ) -> Result<(Source, String)> {
        let Dependency { name, version, repository, .. } = dependency;
        if is_oci(repository) {
            let access = request.access.registry();
            let reference = format!("{}/{name}", repository.trim_end_matches('/'));
            let (reference, version) = Registry::new(&self.session, &access).resolve(&reference, version)?;
            let key = reference.to_string();
            return Ok((Source::Registry { reference, version, access }, key));
        }
        let not_found = |words: String| prefixed("could not find : ", refused(words));
        let Some(known) = repositories.iter().find(|known| address::same(&known.url, repository)) else {
            return Err(not_found(format!("no repository definition for {}", shown(repository)))
                .hint("add it: `helm repo add <name> <url>`"));
        };
        if !indexes.contains_key(known.name.as_str()) {
            indexes.insert(&known.name, self.cached_index(&known.name, say)?);
        }
        let versions = indexes[known.name.as_str()].entries.get(name);
        let versions = versions.ok_or_else(|| not_found("entry not found".to_owned()))?;
        let equal = |one: &Version| match Version::parse(version) {
            Ok(wanted) => wanted == *one,
            Err(_) => one.original() == version,
        };
        let found = versions.iter().find(|one| !one.urls.is_empty() && (version.is_empty() || equal(&one.version)));
        let found = found.ok_or_else(|| {
            not_found("no matching version".to_owned())
                .hint(format!("{name} {version} is locked, but the repository lacks it"))
        })?;
        let url = address::resolve(&known.url, &found.urls[0])?;
        if is_oci(&url) {
            let access = request.access.registry();
            let (reference, version) = Registry::new(&self.session, &access).resolve(&url, &found.metadata.version)?;
            return Ok((Source::Registry { reference, version, access }, url));
        }
        let access = Access {
            credentials: known.credentials.clone(),
            tls: known.tls.clone(),
            pass_credentials_all: known.pass_credentials_all,
            plain_http: false,
        };
        let digest = Hash::parse(&found.digest)?;
        Ok((Source::Web { url: url.clone(), digest, home: known.url.clone(), access }, url))
    }
}

/// Loads a chart's folder.
fn load(folder: &Utf8Path, say: &mut dyn FnMut(Said)) -> Result<Chart> {
    match std::fs::metadata(folder) {
        Err(error) => return Err(failure::io(&format!("could not find {folder}: stat"), folder, &error)),
        Ok(metadata) if !metadata.is_dir() => return Err(refused("only unpacked charts can be updated")),
        Ok(_) => {}
    }
    let folder = camino::absolute_utf8(folder).map_err(|error| failure::io("could not find", folder, &error))?;
    let world = OsWorld::unrestricted("/");
    onepane_chart::load(&folder, &world, Origins::Untracked, &mut |warning| say(Said::Warning(warning)))
}

/// Whether a dependency comes from a chart repository.
fn is_remote(repository: &str) -> bool {
    !repository.is_empty() && !repository.starts_with("file://") && !is_oci(repository)
}

/// How Helm writes a dependency's name in an error, which depends on where it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Yes,
    No,
}

fn constraint_of(dependency: &Dependency, quoted: Quoted) -> Result<Constraint> {
    let Dependency { name, version, .. } = dependency;
    let name = if quoted == Quoted::Yes { format!("{name:?}") } else { name.clone() };
    Constraint::parse(version)
        .map_err(|error| refused(format!("dependency {name} has an invalid version/constraint format: {error}")))
}

/// The folder of a `file://` repository, absolute or relative to the chart.
fn local_path(repository: &str, chart: &Utf8Path) -> Result<Utf8PathBuf> {
    let path = repository.strip_prefix("file://").unwrap_or(repository);
    let path = onepane_world::normalize(&chart.join(path));
    if path.exists() { Ok(path) } else { Err(refused(format!("directory {path} not found"))) }
}

/// The name under which each dependency's repository was added. `@name` and `alias:name` become its address.
fn resolve_names(
    chart: &Utf8Path,
    repositories: &[Repository],
    dependencies: &mut [Dependency],
) -> Result<HashMap<String, String>> {
    let mut names = HashMap::new();
    let mut missing = Vec::new();
    for dependency in dependencies {
        let wanted = dependency.repository.clone();
        if wanted.is_empty() {
            continue;
        }
        if wanted.starts_with("file://") {
            local_path(&wanted, chart)?;
        }
        if !is_remote(&wanted) {
            names.insert(dependency.name.clone(), wanted);
            continue;
        }
        let alias = wanted.strip_prefix('@').or_else(|| wanted.strip_prefix("alias:"));
        let known = repositories.iter().find(|known| alias == Some(&known.name) || address::same(&known.url, &wanted));
        match known {
            Some(known) => {
                if alias.is_some() {
                    dependency.repository.clone_from(&known.url);
                }
                names.insert(dependency.name.clone(), known.name.clone());
            }
            None if alias.is_none() && url::Url::parse(&wanted).is_ok() => {}
            None => missing.push(wanted),
        }
    }
    if missing.is_empty() {
        return Ok(names);
    }
    let list = missing.iter().map(|one| shown(one)).collect::<Vec<_>>().join(", ");
    let mut message = format!("no repository definition for {list}. Please add them via 'helm repo add'");
    let bare = |one: &String| !one.contains("//") && !one.starts_with('@') && !one.starts_with("alias:");
    if missing.iter().any(bare) {
        // Helm's own words, which scripts may look for.
        message.push_str(
            "\nNote that repositories must be URLs or aliases. For example, to refer to the \"example\"\nrepository, use \
             \"https://charts.example.com/\" or \"@example\" instead of\n\"example\". Don't forget to add the repo, too \
             ('helm repo add').",
        );
    }
    Err(refused(message))
}

/// Gives the repositories that nobody added the name that Helm caches them under, and lists them.
fn name_the_rest(names: &mut HashMap<String, String>, dependencies: &[Dependency]) -> Vec<Repository> {
    let mut unknown = Vec::new();
    for Dependency { name, repository, .. } in dependencies {
        if !is_remote(repository) || names.contains_key(name) {
            continue;
        }
        let generated = format!("{GENERATED}{}", hex(&Sha256::digest(repository)));
        names.insert(name.clone(), generated.clone());
        unknown.push(Repository { name: generated, url: repository.clone(), ..Repository::default() });
    }
    unknown
}

/// One repository for each address; the last of a kind, as in Helm.
fn without_twins(repositories: &[Repository]) -> Vec<&Repository> {
    let by_address: BTreeMap<&str, &Repository> =
        repositories.iter().map(|repository| (repository.url.trim_end_matches('/'), repository)).collect();
    by_address.into_values().collect()
}

/// Moves the archives from `folder` to `charts` and removes the archives there that are none of them. Folders, what is
/// no chart and what a dependency without a repository means stay.
fn move_into(folder: &Utf8Path, charts: &Utf8Path, chosen: &[Dependency], say: &mut dyn FnMut(Said)) -> Result<()> {
    let failed = |error: std::io::Error| failure::io("can't fill", charts, &error);
    std::fs::create_dir_all(charts).map_err(failed)?;
    let files = |folder: &Utf8Path| -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                names.push(entry.file_name().to_owned());
            }
        }
        names.sort();
        Ok(names)
    };
    let (present, new) = (files(charts).map_err(failed)?, files(folder).map_err(failed)?);
    for name in &new {
        std::fs::rename(folder.join(name), charts.join(name)).map_err(failed)?;
    }
    say(Said::Line("Deleting outdated charts".to_owned()));
    for name in present.iter().filter(|name| !new.contains(name)) {
        let path = charts.join(name);
        let loaded = write::read(&path, archive::LARGEST_ARCHIVE)
            .and_then(|bytes| archive::load(&path, &bytes.unwrap_or_default()));
        match loaded {
            Err(error) => {
                let words = error.message;
                say(Said::Line(format!("Could not verify {path} for deletion: {words} (Skipping)")));
            }
            Ok(chart) => {
                let local =
                    |dependency: &Dependency| dependency.repository.is_empty() && dependency.name == chart.name();
                if !chosen.iter().any(local) {
                    std::fs::remove_file(&path).map_err(|error| failure::io("could not delete", &path, &error))?;
                }
            }
        }
    }
    Ok(())
}
