//! Finding a chart by what a user calls it, and getting its archive.

use crate::cache::{self, Hash};
use crate::failure::{self, damaged, prefixed, refused};
use crate::index::{Index, is_range};
use crate::reference::{Reference, is_oci};
use crate::registry::{LARGEST_PROVENANCE, Registry, RegistryAccess};
use crate::repositories::{Repository, Tls};
use crate::repository::invalid_repository;
use crate::secret::{Credentials, shown};
use crate::session;
use crate::{Fetcher, Said, address, archive, write};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use std::time::Duration;

/// What Helm asks for when it wants an archive.
const ACCEPT: &str = "application/gzip,application/octet-stream";

/// The flags of a command that say how servers are reached.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// `--username`, `--password`
    pub credentials: Credentials,
    /// `--cert-file`, `--key-file`, `--ca-file`, `--insecure-skip-tls-verify`
    pub tls: Tls,
    /// `--pass-credentials`: other hosts than the repository's get the credentials as well.
    pub pass_credentials_all: bool,
    /// `--plain-http`, for registries.
    pub plain_http: bool,
}

impl Access {
    pub(crate) fn registry(&self) -> RegistryAccess {
        let (credentials, tls) = (self.credentials.clone(), self.tls.clone());
        RegistryAccess { credentials, tls, plain_http: self.plain_http, ..RegistryAccess::default() }
    }
}

/// A chart as a user calls it.
#[derive(Clone)]
pub struct ChartRequest {
    /// `repo/chart`, an address, `oci://…`, a path where [`Fetcher::locate`] is asked, or the chart's bare name with
    /// a `repository`.
    pub chart: String,
    /// `--version`: a version, a constraint, or empty for the latest. `--devel` is `>0.0.0-0`.
    pub version: String,
    /// `--repo`: the address of a repository that need not have been added; empty where there is none.
    pub repository: String,
    /// How servers are reached.
    pub access: Access,
    /// How long a request may take as a whole.
    pub timeout: Duration,
}

impl ChartRequest {
    /// A request without any flags.
    pub fn new(chart: impl Into<String>) -> Self {
        Self {
            chart: chart.into(),
            version: String::new(),
            repository: String::new(),
            access: Access::default(),
            timeout: crate::DEFAULT_TIMEOUT,
        }
    }
}

impl std::fmt::Debug for ChartRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChartRequest")
            .field("chart", &shown(&self.chart))
            .field("version", &self.version)
            .field("repository", &shown(&self.repository))
            .finish_non_exhaustive()
    }
}

/// Looks whether an archive is the one that its provenance file says, under the archive's file name.
pub type Verifier<'a> = &'a dyn Fn(&[u8], &[u8], &str) -> Result<(), String>;

/// Whether the provenance file is wanted as well.
#[derive(Clone, Copy)]
pub enum Provenance<'a> {
    /// No.
    Skip,
    /// Yes, if there is one: `--prov`. That there is none is said and is no error.
    Fetch,
    /// Yes, and the chart is taken only if it is good: `--verify`.
    Verify(Verifier<'a>),
    /// If there is one, the chart is taken only if it is good; that there is none is said.
    VerifyIfPresent(Verifier<'a>),
}

impl std::fmt::Debug for Provenance<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Skip => "Skip",
            Self::Fetch => "Fetch",
            Self::Verify(_) => "Verify",
            Self::VerifyIfPresent(_) => "VerifyIfPresent",
        })
    }
}

/// What [`Fetcher::download`] saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// The archive.
    pub archive: Utf8PathBuf,
    /// The provenance file beside it.
    pub provenance: Option<Utf8PathBuf>,
}

/// Where a chart lies, once that is known.
pub(crate) enum Source {
    /// At an address, with the digest that its index has.
    Web { url: String, digest: Option<Hash>, home: String, access: Access },
    /// In a registry, under a version.
    Registry { reference: Reference, version: String, access: RegistryAccess },
}

/// An archive that is a chart's by all that can be told without reading its files.
pub(crate) struct Fetched {
    pub(crate) chart: Vec<u8>,
    pub(crate) provenance: Option<Vec<u8>>,
}

impl Fetcher {
    /// Downloads a chart's archive to the folder `destination`, under the name that Helm gives it.
    ///
    /// Errors: `fetch-refused` for a chart that no repository has, `fetch-unreachable` for a server that says no,
    /// `fetch-damaged` for an archive that is not the one of the index or is none. Nothing is written then.
    pub fn download(
        &self,
        request: &ChartRequest,
        destination: &Utf8Path,
        provenance: Provenance<'_>,
        say: &mut dyn FnMut(Said),
    ) -> Result<Downloaded> {
        let source = self.find(request, say)?;
        let fetched = self.fetch(&source, request, provenance, say)?;
        let path = destination.join(source.file_name()?);
        if !destination.is_dir() {
            // Helm does not make it either.
            return Err(refused(format!("{destination}: no such directory")).hint("make it first, or give another"));
        }
        write::write(&path, &fetched.chart, 0o644)?;
        let provenance = match fetched.provenance {
            Some(bytes) => {
                let beside = Utf8PathBuf::from(format!("{path}.prov"));
                write::write(&beside, &bytes, 0o644)?;
                Some(beside)
            }
            None => None,
        };
        Ok(Downloaded { archive: path, provenance })
    }

    /// Downloads a chart and unpacks it to a folder of its name in `folder`, which must not have one yet. Gives the
    /// chart's folder: `--untar`.
    pub fn download_unpacked(
        &self,
        request: &ChartRequest,
        folder: &Utf8Path,
        provenance: Provenance<'_>,
        say: &mut dyn FnMut(Said),
    ) -> Result<Utf8PathBuf> {
        let source = self.find(request, say)?;
        let fetched = self.fetch(&source, request, provenance, say)?;
        archive::expand(&fetched.chart, &source.to_string(), folder)
    }

    /// The version of a chart in a registry that a request for it chooses; of other charts it is what is asked for.
    ///
    /// Errors: those of [`Fetcher::download`].
    pub fn version_of(&self, request: &ChartRequest, say: &mut dyn FnMut(Said)) -> Result<String> {
        match self.find(request, say)? {
            Source::Registry { version, .. } => Ok(version),
            Source::Web { .. } => Ok(request.version.clone()),
        }
    }

    /// The path of a chart for a command that reads one: as it is and without a look at its provenance, if it is a path, else that of its archive in the
    /// content cache, downloaded if it is not there yet.
    ///
    /// Errors: those of [`Fetcher::download`], and `path "…" not found`.
    pub fn locate(
        &self,
        request: &ChartRequest,
        provenance: Provenance<'_>,
        say: &mut dyn FnMut(Said),
    ) -> Result<Utf8PathBuf> {
        let chart = request.chart.trim();
        if request.repository.is_empty() {
            let path = Utf8Path::new(chart);
            if path.exists() {
                return camino::absolute_utf8(path).map_err(|error| failure::io("can't find", path, &error));
            }
            if path.is_absolute() || chart.starts_with('.') {
                return Err(refused(format!("path {chart:?} not found")));
            }
        }
        let version = request.version.trim().to_owned();
        let request = ChartRequest { chart: chart.to_owned(), version, ..request.clone() };
        let source = self.find(&request, say)?;
        let root = &self.paths().content_cache;
        if matches!(provenance, Provenance::Skip)
            && let Source::Web { digest: Some(digest), .. } = &source
            && let Some(path) = cache::path_of(root, digest)
        {
            return Ok(path);
        }
        let fetched = self.fetch(&source, &request, provenance, say)?;
        if let Some(provenance) = &fetched.provenance {
            cache::keep_provenance(root, &Hash::of(&fetched.chart), provenance)?;
        }
        cache::keep(root, &fetched.chart)
    }

    /// Where the chart lies.
    pub(crate) fn find(&self, request: &ChartRequest, say: &mut dyn FnMut(Said)) -> Result<Source> {
        let ChartRequest { chart, version, repository, access, .. } = request;
        if !repository.is_empty() {
            return self.find_in(repository, request, say);
        }
        if is_oci(chart) {
            let access = access.registry();
            let (reference, version) = Registry::new(&self.session, &access).resolve(chart, version)?;
            return Ok(Source::Registry { reference, version, access });
        }
        let file = self.repositories()?;
        if chart.contains("://") {
            session::parse(chart)?;
            let owner = file.repositories().iter().find(|repository| self.lists(repository, chart));
            let (home, access) = match owner {
                Some(owner) => (owner.url.clone(), with_flags(owner, access)),
                None => (chart.clone(), access.clone()),
            };
            return Ok(Source::Web { url: chart.clone(), digest: None, home, access });
        }
        let Some((name, chart)) = chart.split_once('/') else {
            let message = format!("non-absolute URLs should be in form of repo_name/path_to_chart, got: {chart}");
            return Err(
                refused(message).hint("give `repo/chart`, `oci://…`, an address, or the repository by `--repo`")
            );
        };
        let repository = file.pick(name)?;
        let index = self.cached_index(name, say)?;
        let found = index.get(chart, version).map_err(|error| {
            let message = format!(
                "chart {chart:?} matching {version} not found in {name} index. (try 'helm repo update'): {error}"
            );
            refused(message).hint(format!("see what there is: `helm search repo {name}/ --versions`"))
        })?;
        self.warn_of_another(chart, version, &found.metadata.version, say);
        let Some(first) = found.urls.first() else {
            return Err(refused(format!("chart {:?} has no downloadable URLs", request.chart)));
        };
        let url = address::resolve(&repository.url, first)?;
        if is_oci(&url) {
            return self.find_in_registry(&url, found.metadata.version.clone(), access);
        }
        let digest = Hash::parse(&found.digest)?;
        Ok(Source::Web { url, digest, home: repository.url.clone(), access: with_flags(repository, access) })
    }

    /// Where the chart lies in a repository that is known by its address only.
    fn find_in(&self, url: &str, request: &ChartRequest, say: &mut dyn FnMut(Said)) -> Result<Source> {
        let ChartRequest { chart, version, access, timeout, .. } = request;
        let repository = Repository {
            name: String::new(),
            url: url.to_owned(),
            credentials: access.credentials.clone(),
            tls: access.tls.clone(),
            pass_credentials_all: access.pass_credentials_all,
        };
        let index = self.index_of(&repository, *timeout, say).map_err(|error| invalid_repository(url, error))?;
        let index = Index::parse(&index.bytes, url, &mut |_| {})?;
        let wanted = match version.as_str() {
            "" => format!("chart {chart:?}"),
            version => format!("chart {chart:?} version {version:?}"),
        };
        let found = index
            .get(chart, version)
            .map_err(|_| refused(format!("{wanted} not found in {} repository", shown(url))))?;
        self.warn_of_another(chart, version, &found.metadata.version, say);
        let first = found.urls.first().ok_or_else(|| refused(format!("{wanted} has no downloadable URLs")))?;
        let url = address::resolve(url, first)?;
        if is_oci(&url) {
            return self.find_in_registry(&url, found.metadata.version.clone(), access);
        }
        let digest = Hash::parse(&found.digest)?;
        Ok(Source::Web { url, digest, home: repository.url, access: access.clone() })
    }

    fn find_in_registry(&self, url: &str, version: String, access: &Access) -> Result<Source> {
        let mut access = access.registry();
        // The repository's password is not the registry's.
        access.credentials = Credentials::default();
        let (reference, version) = Registry::new(&self.session, &access).resolve(url, &version)?;
        Ok(Source::Registry { reference, version, access })
    }

    /// Gets what lies there, from the cache if it is there, and checks it.
    pub(crate) fn fetch(
        &self,
        source: &Source,
        request: &ChartRequest,
        provenance: Provenance<'_>,
        say: &mut dyn FnMut(Said),
    ) -> Result<Fetched> {
        let name = source.to_string();
        let mut reason = None;
        let fetched = match source {
            Source::Registry { reference, access, .. } => {
                let wanted = !matches!(provenance, Provenance::Skip);
                let pulled = Registry::new(&self.session, access).pull(reference, wanted, say)?;
                Fetched { chart: pulled.chart, provenance: pulled.provenance }
            }
            Source::Web { url, digest, home, access } => {
                let root = &self.paths().content_cache;
                let access = session::Access {
                    home,
                    credentials: &access.credentials,
                    pass_credentials_all: access.pass_credentials_all,
                    tls: &access.tls,
                    timeout: request.timeout,
                };
                let cached = digest.as_ref().and_then(|digest| cache::find(root, digest));
                let chart = match cached {
                    Some(chart) => chart,
                    None => self.session.get(url, access, Some(ACCEPT), archive::LARGEST_ARCHIVE)?,
                };
                check_digest(&name, digest.as_ref(), &chart)?;
                let provenance = match provenance {
                    Provenance::Skip => None,
                    _ => match cache::find_provenance(root, &Hash::of(&chart)) {
                        Some(cached) => Some(cached),
                        None => {
                            let beside = with_suffix(url, ".prov")?;
                            let got = self.session.get(&beside, access, Some(ACCEPT), LARGEST_PROVENANCE);
                            got.map_err(|error| reason = Some(error.message)).ok()
                        }
                    },
                };
                Fetched { chart, provenance }
            }
        };
        archive::unpack(&fetched.chart, &name)?;
        match (provenance, &fetched.provenance) {
            (Provenance::Skip, _) | (Provenance::Fetch, Some(_)) => {}
            (Provenance::Verify(verify) | Provenance::VerifyIfPresent(verify), Some(signed)) => {
                verify(&fetched.chart, signed, &source.file_name()?).map_err(refused)?;
            }
            (Provenance::Verify(_), None) => {
                return Err(refused(format!("failed to fetch provenance {:?}", format!("{name}.prov")))
                    .hint("a chart without a provenance file can't be verified; nothing of it was kept"));
            }
            (Provenance::Fetch | Provenance::VerifyIfPresent(_), None) => {
                let reason = reason.unwrap_or_else(|| {
                    "manifest does not contain a layer with mediatype application/vnd.cncf.helm.chart.provenance.v1.prov"
                        .to_owned()
                });
                let chart = shown(&request.chart);
                say(Said::Line(format!("WARNING: Verification not found for {chart}: {reason}")));
            }
        }
        Ok(fetched)
    }

    /// The cached index of a repository.
    pub fn cached_index(&self, name: &str, say: &mut dyn FnMut(Said)) -> Result<Index> {
        Index::read(&self.paths().index_file(name), &mut |warning| say(Said::Warning(warning)))
            .map_err(|error| prefixed("no cached repo found. (try 'helm repo update'): ", error))
    }

    /// Whether the repository's cached index has exactly this address. An index that can't be read has none.
    fn lists(&self, repository: &Repository, url: &str) -> bool {
        let path = self.paths().index_file(&repository.name);
        let Ok(Some(bytes)) = write::read(&path, crate::index::LARGEST_INDEX) else { return false };
        // Reading a large index takes a while: most can be told by whether they have the file's name at all.
        let name = url.rsplit('/').next().unwrap_or(url).as_bytes();
        if name.is_empty() || !bytes.windows(name.len()).any(|window| window == name) {
            return false;
        }
        let Ok(index) = Index::parse(&bytes, path.as_str(), &mut |_| {}) else { return false };
        index.entries.values().flatten().flat_map(|version| &version.urls).any(|other| address::same(url, other))
    }

    fn warn_of_another(&self, chart: &str, wanted: &str, found: &str, say: &mut dyn FnMut(Said)) {
        if !wanted.is_empty() && wanted != found && !is_range(wanted) {
            let message = format!(
                "unable to find exact version requested; falling back to closest available version: {chart} {found} instead \
                 of {wanted}"
            );
            say(Said::Warning(*Diagnostic::warning("fetch-version", message)));
        }
    }
}

impl Source {
    /// The file that the archive is saved as.
    pub(crate) fn file_name(&self) -> Result<String> {
        match self {
            Self::Web { url, .. } => address::file_name(url),
            Self::Registry { reference, version, .. } => Ok(reference.file_name(version)),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Web { url, .. } => f.write_str(&shown(url)),
            Self::Registry { reference, .. } => write!(f, "oci://{reference}"),
        }
    }
}

/// The flags, with what the repository was added with in their place, as Helm has it.
fn with_flags(repository: &Repository, flags: &Access) -> Access {
    let mut access = flags.clone();
    let tls = &repository.tls;
    if [&tls.cert_file, &tls.key_file, &tls.ca_file].iter().any(|path| !path.as_str().is_empty()) {
        access.tls = Tls { insecure_skip_verify: access.tls.insecure_skip_verify, ..tls.clone() };
    }
    access.tls.insecure_skip_verify |= tls.insecure_skip_verify;
    if repository.credentials.complete().is_some() {
        access.credentials = repository.credentials.clone();
        access.pass_credentials_all = repository.pass_credentials_all;
    }
    access
}

/// Refuses an archive that is not the one of the index.
fn check_digest(name: &str, digest: Option<&Hash>, bytes: &[u8]) -> Result<()> {
    let Some(wanted) = digest else { return Ok(()) };
    let found = Hash::of(bytes);
    if found == *wanted {
        return Ok(());
    }
    let message =
        format!("{name}: its digest is {}, but the repository's index says {}", found.as_str(), wanted.as_str());
    Err(damaged(message).hint(
        "the download was cut or changed, or the index is old: run `helm repo update` and try again; nothing was kept",
    ))
}

/// The address with more at the end of its path.
fn with_suffix(url: &str, suffix: &str) -> Result<String> {
    let mut url = session::parse(url)?;
    let path = format!("{}{suffix}", url.path());
    url.set_path(&path);
    Ok(url.into())
}
