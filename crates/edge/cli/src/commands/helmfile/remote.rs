//! Files and folders elsewhere that states name, fetched to Helmfile's cache.

use super::session::cache_folder;
use crate::remotes::repositories;
use crate::{atomic, redaction};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_fetch::{Fetcher, Settings};
use onepane_git::Wanted;
use onepane_helmfile::RemoteSource;
use onepane_world::{World, normalize};
use std::time::Duration;

/// A server may take as long as Kustomize allows.
const TIMEOUT: Duration = Duration::from_secs(27);

/// The path of what `source` names, which is fetched to `shelf` of the cache if it is not there yet. What is there is used
/// as it is, a branch too, unless the address says `cache=false`. Paths start at `start`.
pub(super) fn fetch(
    source: &RemoteSource,
    shelf: &str,
    start: &Utf8Path,
    world: &dyn World,
) -> Result<Utf8PathBuf, String> {
    if world.env("HELMFILE_DISABLE_INSECURE_FEATURES").is_some_and(|value| value == "true") {
        return Err("remote sources are disabled due to 'HELMFILE_DISABLE_INSECURE_FEATURES'".to_owned());
    }
    if source.file.contains('*') {
        if source.is_file() {
            return Err(format!(
                "wildcards are not supported for {}:// sources, which fetch a single file",
                source.scheme
            ));
        }
        if !source.has_selector {
            return Err("wildcards require an explicit \"@\" selector marking the repository root".to_owned());
        }
    }
    // They stand in the state, whose lines are shown.
    let parameters =
        source.query.iter().filter(|(name, _)| RemoteSource::is_secret(name)).map(|(_, value)| value.as_str());
    for secret in source.user.split_once(':').map(|(_, password)| password).into_iter().chain(parameters) {
        redaction::note(&secret.into());
    }
    let cache = start.join(cache_folder(world));
    // Names of releases and addresses are whatever a state says.
    let folder = within(&cache, &cache.join(source.cached_as(shelf)))?;
    let is_all = normalize(Utf8Path::new(&source.file)).as_str().is_empty();
    let path = if is_all { folder.clone() } else { within(&folder, &folder.join(&source.file))? };
    let is_there = if source.is_file() { path.is_file() } else { folder.is_dir() };
    if is_there && source.parameter("cache") != Some("false") {
        return Ok(path);
    }
    let unwritable = |error: std::io::Error| format!("{folder} can't be written: {error}");
    match (source.getter.as_str(), source.scheme.as_str()) {
        ("", "http" | "https") => {
            let fetcher = Fetcher::new(Settings::from_variables(&|name| world.env(name)));
            let bytes = fetcher.file(&source.address).map_err(|error| error.message)?;
            std::fs::create_dir_all(&folder).map_err(unwritable)?;
            atomic::write_private(&path, &bytes).map_err(|error| error.message)?;
        }
        ("git", _) => {
            if !source.has_selector {
                return Err("what is wanted of the repository is to stand behind an `@`: \
                            git::https://HOST/REPOSITORY.git@PATH?ref=REVISION"
                    .to_owned());
            }
            fetch_repository(source, &folder, unwritable)?;
        }
        (getter, scheme) => {
            let kind = if getter.is_empty() { format!("{scheme}://") } else { format!("{getter}::") };
            return Err(format!("addresses with {kind} are not supported yet"));
        }
    }
    Ok(path)
}

/// `path`, which is to be below `folder`.
pub(super) fn within(folder: &Utf8Path, path: &Utf8Path) -> Result<Utf8PathBuf, String> {
    let (folder, path) = (normalize(folder), normalize(path));
    let below = path.strip_prefix(&folder).ok().filter(|below| !below.as_str().is_empty() && !below.starts_with(".."));
    if below.is_some() {
        return Ok(path);
    }
    Err(format!("{path} is not below {folder}: a name or an address leads out of it"))
}

/// Puts the files of a repository, or of a folder of it, at `folder`: all of them or none.
fn fetch_repository(
    source: &RemoteSource,
    folder: &Utf8Path,
    unwritable: impl Fn(std::io::Error) -> String,
) -> Result<(), String> {
    if source.query.iter().any(|(name, _)| name == "sshkey") {
        return Err("the parameter `sshkey` is not supported: have the key in your ssh agent".to_owned());
    }
    let (repository, below) = source.folder.split_once("//").unwrap_or((&source.folder, ""));
    let at = if source.user.is_empty() { "" } else { "@" };
    let url = format!("{}://{}{at}{}/{repository}", source.scheme, source.user, source.host);
    let reference = source.parameter("ref").filter(|reference| !reference.is_empty());
    let fetched = repositories(false)
        .files(Wanted { url: &url, reference, submodules: true, timeout: TIMEOUT })
        .map_err(|error| error.message)?;
    fetched.warnings.iter().for_each(|warning| eprintln!("{}", redaction::redacted(&warning.message)));
    let beside = folder.parent().unwrap_or(folder);
    std::fs::create_dir_all(beside).map_err(&unwritable)?;
    let new = tempfile::Builder::new().prefix(".onepane-").tempdir_in(beside).map_err(&unwritable)?;
    let place = Utf8Path::from_path(new.path()).ok_or("the cache has no UTF-8 path")?.join("files");
    std::fs::create_dir(&place).map_err(&unwritable)?;
    fetched.tree.write_below(&fetched.tree.top().join(below), &place).map_err(&unwritable)?;
    if folder.exists() {
        // What was there goes when what takes its place is whole.
        std::fs::rename(folder, new.path().join("old")).map_err(&unwritable)?;
    }
    match std::fs::rename(&place, folder) {
        // Another process was faster.
        Err(_) if folder.is_dir() => Ok(()),
        moved => moved.map_err(&unwritable),
    }
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn nothing_is_kept_outside_of_the_cache() {
        for (folder, path, wanted) in [
            ("/cache", "/cache/a/../b", Some("/cache/b")),
            ("/cache", "/cache/../b", None),
            ("/cache", "/cache/a/..", None),
            ("/cache", "/cached/b", None),
            ("out", "out/./n/a", Some("out/n/a")),
            ("out", "out/../../a", None),
            ("../out", "../out/a", Some("../out/a")),
            (".", "./a", Some("a")),
            (".", "../a", None),
        ] {
            assert_eq!(within(folder.into(), path.into()).ok().as_deref().map(|path| path.as_str()), wanted, "{path}");
        }
    }
}
