//! Charts from elsewhere that objects of Flux and Argo CD ask for: [`FetchedCharts`].

use crate::remotes::own_cache;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_fetch::{ChartRequest, Fetcher, Provenance, Settings, is_oci};
use onepane_kustomize::without_password;
use onepane_repo::{ChartSources, LocatedChart, WantedChart};
use onepane_world::OsWorld;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

/// Fetches each chart once in the life of the process, into `onepane/charts` of the user's cache: a folder for each
/// address, name and version as they are asked for, with the archive in it.
///
/// An archive of one version is used for good. What a constraint means is asked of the server again, and if that can't be
/// asked, it is what it was the last time.
pub(crate) struct FetchedCharts {
    cache: Utf8PathBuf,
    offline: bool,
    known: Mutex<HashMap<WantedChart, Result<Utf8PathBuf>>>,
    /// Addresses that did not answer: nobody waits for them twice.
    silent: Mutex<HashMap<String, Box<Diagnostic>>>,
}

impl FetchedCharts {
    /// With the cache in the user's cache folder.
    pub(crate) fn new(offline: bool) -> Self {
        let cache = own_cache().join("onepane/charts");
        Self { cache, offline, known: Mutex::default(), silent: Mutex::default() }
    }

    fn find(&self, wanted: &WantedChart) -> Result<Utf8PathBuf> {
        let WantedChart { address, name, version } = wanted;
        let digest = Sha256::digest(format!("{address}\n{name}\n{version}"));
        let folder: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let folder = self.cache.join(folder);
        let kept = archive_in(&folder);
        let is_one_version = version.starts_with(|first: char| first.is_ascii_digit() || first == 'v')
            && version.matches('.').count() >= 2
            && !version.contains(['x', 'X', '*', ' ', ',', '|', '<', '>']);
        if let Some(kept) = kept.as_ref().filter(|_| self.offline || is_one_version) {
            return Ok(kept.clone());
        }
        if self.offline {
            let place = without_password(address);
            let message = format!("the chart `{name}` {version} of {place} was never fetched");
            return Err(Diagnostic::error("gitops-chart", message).hint("run it once without --offline"));
        }
        let host = host_of(address);
        let before = self.silent.lock().unwrap_or_else(PoisonError::into_inner).get(&host).cloned();
        let fetched = match before {
            Some(error) => Err(error),
            None => fetch(wanted, &folder),
        };
        match (fetched, kept) {
            (Ok(archive), _) => Ok(archive),
            (Err(_), Some(kept)) => Ok(kept),
            (Err(error), None) => {
                if error.code == "fetch-unreachable" {
                    let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
                    silent.entry(host).or_insert_with(|| error.clone());
                }
                Err(error.trace(format!("while the chart `{name}` of {} was fetched", without_password(address)), None))
            }
        }
    }
}

fn host_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}

/// The one archive in a folder.
fn archive_in(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().ok()?.flatten();
    entries.map(|entry| entry.into_path()).find(|path| path.extension() == Some("tgz"))
}

fn fetch(wanted: &WantedChart, folder: &Utf8Path) -> Result<Utf8PathBuf> {
    let WantedChart { address, name, version } = wanted;
    // What a repository says is no way to the files of this machine, nor to what its user has set up for Helm.
    if !["http://", "https://", "oci://"].iter().any(|scheme| address.starts_with(scheme)) {
        let message = format!("`{}` is no address of a chart repository or registry", without_password(address));
        return Err(Diagnostic::error("gitops-chart", message).hint("it begins with https:// or oci://"));
    }
    let mut request = if is_oci(address) {
        ChartRequest::new(format!("{}/{name}", address.trim_end_matches('/')))
    } else {
        ChartRequest { repository: address.clone(), ..ChartRequest::new(name.clone()) }
    };
    request.version.clone_from(version);
    let fail = |error: std::io::Error| Diagnostic::error("gitops-chart", format!("`{folder}` can't be made: {error}"));
    // Under another name first, so that what is ended midway leaves nothing behind that counts.
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(fail)?;
    let made = tempfile::Builder::new().prefix(".onepane-").tempdir_in(parent).map_err(fail)?;
    let place = Utf8Path::from_path(made.path()).unwrap_or(parent);
    let fetcher = Fetcher::new(Settings::from_variables(&|name| std::env::var(name).ok()));
    let downloaded = fetcher.download(&request, place, Provenance::Skip, &mut |_| {})?;
    let archive = folder.join(downloaded.archive.file_name().unwrap_or("chart.tgz"));
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(fail)?;
    }
    fs::rename(made.keep(), folder).map_err(fail)?;
    Ok(archive)
}

impl ChartSources for FetchedCharts {
    fn chart(&self, wanted: &WantedChart) -> Result<LocatedChart> {
        // Others wait meanwhile, and find it there if it is the same.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let path = match known.get(wanted) {
            Some(path) => path.clone()?,
            None => {
                let path = self.find(wanted);
                known.insert(wanted.clone(), path.clone());
                path?
            }
        };
        let folder = path.parent().unwrap_or(Utf8Path::new("/"));
        let world = OsWorld::within(folder).map_err(|error| Diagnostic::error("gitops-chart", error.to_string()))?;
        let path = path.file_name().unwrap_or_default().into();
        Ok(LocatedChart { world: Arc::new(world), path })
    }
}
