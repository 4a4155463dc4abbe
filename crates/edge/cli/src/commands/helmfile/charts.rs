//! Getting a state's charts ready: fetched where they are elsewhere, with the charts that they depend on.

use super::Failure;
use super::hooks::{Event, trigger};
use super::remote::within;
use super::repositories::{Which, skips_refresh, sync};
use super::session::Session;
use crate::atomic;
use crate::commands::helm::{build_dependencies_for_helmfile, pull_for_helmfile, version_for_helmfile};
use crate::commands::pflag::Parsed;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_fetch::Refresh;
use onepane_helmfile::{OciChart, Outside, PathTemplate, Release, RemoteSource, State};
use onepane_semver::Version;
use onepane_value::Value;
use onepane_world::{EntryKind, World, normalize};
use std::collections::HashSet;

/// What makes a chart one that has to be changed before it is rendered, and so has to be here as a folder.
const CHANGES: [&str; 5] = [PATCHES[0], PATCHES[1], PATCHES[2], "dependencies", "forceNamespace"];
const PATCHES: [&str; 3] = ["jsonPatches", "strategicMergePatches", "transformers"];

/// Where `helmfile fetch` puts charts.
pub(super) struct Destination {
    /// `--output-dir`, or a folder that is removed at the end.
    pub(super) folder: Utf8PathBuf,
    /// `--output-dir-template`
    pub(super) template: String,
    /// Whether charts go there that need not be fetched, and those of registries, which have a cache.
    pub(super) takes_all: bool,
}

/// What Helmfile takes for `--output-dir-template` of `fetch` by default.
pub(super) const TEMPLATE: &str = "{{ .OutputDir }}{{ if .Release.Namespace }}/{{ .Release.Namespace }}{{ end }}\
                                   {{ if .Release.KubeContext }}/{{ .Release.KubeContext }}{{ end }}/\
                                   {{ .Release.Name }}/{{ .ChartName }}/{{ or .Release.Version \"latest\" }}";

/// Runs the hooks that may make charts and values, fetches charts, and what charts depend on. Releases know where their
/// charts are then.
pub(super) fn prepare(
    session: &Session,
    state: &mut State,
    flags: &Parsed,
    command: &str,
    destination: Option<&Destination>,
) -> Result<(), Failure> {
    let skips = command == "build" || skips_refresh(flags);
    sync(session, state, Which::of(state, skips), flags)?;
    trigger(session, state, None, Event::Prepare, command)?;
    state.lock_versions(&session.world)?;
    let transitively = flags.is_set("include-needs") || flags.is_set("include-transitive-needs");
    let chosen: HashSet<String> = match command {
        "build" => state.listed()?.into_iter().map(Release::id).collect(),
        _ => state.chosen(transitively).into_iter().map(Release::id).collect(),
    };
    let mut built = HashSet::new();
    let has_hooks = state.releases.iter().any(|release| release.field("hooks").is_some());
    for at in 0..state.releases.len() {
        let release = &state.releases[at];
        let is_wanted = if command == "build" { is_prepared(release) } else { release.desired };
        if !chosen.contains(&release.id()) || !is_wanted {
            continue;
        }
        trigger(session, state, Some(release), Event::Prepare, command)?;
        let is_here = session.world.kind(&release.chart) == Some(EntryKind::Folder);
        let source = RemoteSource::parse(&release.chart_name).filter(|_| !is_here);
        let path = match &source {
            Some(source) => Some(elsewhere(session, release, source, "")?),
            None => fetched(session, state, release, flags, destination)?,
        };
        if let Some(path) = path {
            state.releases[at].chart = path;
        }
        // Helmfile does it for each release. A hook may have changed the chart since.
        let release = &state.releases[at];
        if (is_here || source.is_some()) && command != "build" && (built.insert(release.chart.clone()) || has_hooks) {
            build_dependencies(session, state, release, flags)?;
        }
    }
    Ok(())
}

/// Whether `helmfile build` gets a release's chart ready: it does not apply patches.
pub(super) fn is_prepared(release: &Release) -> bool {
    release.installed && !PATCHES.iter().any(|key| release.field(key).is_some_and(|value| value.truth()))
}

/// Fetches what the release's own chart depends on, where it is a folder of this machine.
fn build_dependencies(session: &Session, state: &State, release: &Release, flags: &Parsed) -> Result<(), Failure> {
    if flags.is_set("skip-deps")
        || is_on(state, release, "skipDeps")
        || session.world.kind(&release.chart.join("Chart.yaml")).is_none()
    {
        return Ok(());
    }
    let keeps_indexes = flags.is_set("skip-refresh") || is_on(state, release, "skipRefresh");
    let refresh = if keeps_indexes { Refresh::Skip } else { Refresh::IfNeeded };
    Ok(build_dependencies_for_helmfile(&release.chart, refresh, &session.world)?)
}

/// A field of a release that `helmDefaults` may say for all.
pub(super) fn said(state: &State, release: &Release, key: &str) -> Option<Value> {
    release.field(key).or_else(|| state.default(key))
}

pub(super) fn is_on(state: &State, release: &Release, key: &str) -> bool {
    said(state, release, key).is_some_and(|value| value.truth())
}

/// The path of a chart that is named by the address of a repository, in what the cache has for the release.
pub(super) fn elsewhere(
    session: &Session,
    release: &Release,
    source: &RemoteSource,
    below: &str,
) -> Result<Utf8PathBuf, Failure> {
    let parts = [&*release.namespace, &release.kube_context, &release.name, below];
    let shelf: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    session.system.fetch(source, &shelf.join("/")).map_err(|problem| {
        Failure::text(format!("release {:?}: fetching {:?}: {problem}", release.name, source.shown()))
    })
}

/// The folder that a release's chart was fetched to; `None` where it is used from where it is.
fn fetched(
    session: &Session,
    state: &State,
    release: &Release,
    flags: &Parsed,
    destination: Option<&Destination>,
) -> Result<Option<Utf8PathBuf>, Failure> {
    if let Some(chart) = state.oci_chart(release)? {
        return oci(session, state, release, chart, flags, destination).map(Some);
    }
    let chart = &release.chart_name;
    if session.world.kind(&release.chart).is_some() {
        let Some(destination) = destination.filter(|destination| destination.takes_all) else { return Ok(None) };
        let source = session.folder.join(&release.chart);
        let name = normalize(&source).file_name().unwrap_or("chart").to_owned();
        let folder = place(session, state, release, destination, &name)?;
        copy(&source, &session.folder.join(&folder))?;
        return Ok(Some(folder));
    }
    let is_changed = CHANGES.iter().any(|key| release.field(key).is_some_and(|value| value.truth()));
    let folder = match destination {
        Some(destination) => place(session, state, release, destination, chart)?,
        None if is_changed && !release.has_local_chart() => session.temporary_folder()?,
        None => return Ok(None),
    };
    let key = format!("{chart} {}", release.version);
    if let Some(path) = session.fetched.borrow().get(&key) {
        return Ok(Some(path.clone()));
    }
    let mut arguments = version_arguments(state, release);
    arguments.extend(verify_arguments(state, release)?);
    arguments.extend(download_arguments(state, release)?);
    let path = pulled(session, &format!("Fetching {chart}"), chart, &arguments, &folder, skips_refresh(flags))?;
    session.fetched.borrow_mut().insert(key, path.clone());
    Ok(Some(path))
}

/// The folder of a chart of a registry: in Helmfile's cache, where it stays, or where `fetch` is to put it.
fn oci(
    session: &Session,
    state: &State,
    release: &Release,
    mut chart: OciChart,
    flags: &Parsed,
    destination: Option<&Destination>,
) -> Result<Utf8PathBuf, Failure> {
    let mut arguments = oci_arguments(state, release)?;
    arguments.extend(verify_arguments(state, release)?);
    arguments.extend(download_arguments(state, release)?);
    if flags.is_set("oci-plain-http") {
        arguments.push("--plain-http".to_owned());
    }
    let reference = chart.reference();
    let resolves = said(state, release, "resolveOCIVersions").is_none_or(|value| value.truth());
    let keeps_indexes = flags.is_set("skip-refresh") || is_on(state, release, "skipRefresh");
    let is_constraint = !chart.version.is_empty() && Version::parse_strict(&chart.version).is_err();
    if is_constraint && chart.digest.is_empty() && resolves && !keeps_indexes {
        // Else the cache would have the first answer for ever.
        let arguments = [&*arguments, &["--version".to_owned(), chart.version.clone()]].concat();
        match version_for_helmfile(&reference, &arguments) {
            Ok(version) => chart.version = version,
            Err(_) => session.warn(&format!(
                "the versions of {reference} can't be asked for; what is cached for {} serves if it is there",
                chart.version
            )),
        }
    }
    if chart.digest.is_empty() && !chart.version.is_empty() {
        arguments.extend(["--version".to_owned(), chart.version.clone()]);
    }
    if is_on(state, release, "devel") {
        arguments.push("--devel".to_owned());
    }
    let key = format!("{} {}", release.chart_name, chart.version);
    if let Some(path) = session.fetched.borrow().get(&key) {
        return Ok(path.clone());
    }
    let (folder, keeps) = match destination.filter(|destination| destination.takes_all) {
        Some(destination) => {
            let name = chart.name.rsplit('/').next().unwrap_or_default();
            (place(session, state, release, destination, name)?, skips_refresh(flags))
        }
        None => {
            let cache = session.cache_folder();
            let folder = within(&cache, &cache.join(cached_as(&release.chart_name, &chart.version)));
            (folder.map_err(|problem| Failure::text(format!("release {:?}: {problem}", release.name)))?, true)
        }
    };
    let path = pulled(session, &format!("Pulling {}", chart.name), &reference, &arguments, &folder, keeps)?;
    session.fetched.borrow_mut().insert(key, path.clone());
    Ok(path)
}

/// Where Helmfile's cache has a chart of a registry.
fn cached_as(chart: &str, version: &str) -> String {
    let name = chart.replace("//", "_").replace([':', '.', '&'], "_");
    let version: String = version.chars().map(|c| if "=><!|~^ ,*".contains(c) { '_' } else { c }).collect();
    if version.is_empty() { name } else { format!("{name}/{version}") }
}

/// Fetches a chart to a folder, unless it is there and `keeps` what is there, and gives its own folder.
fn pulled(
    session: &Session,
    what: &str,
    chart: &str,
    arguments: &[String],
    folder: &Utf8Path,
    keeps: bool,
) -> Result<Utf8PathBuf, Failure> {
    let absolute = session.folder.join(folder);
    let own = |place: &Utf8Path| -> Option<Utf8PathBuf> {
        let entries = session.world.list(place).ok()?;
        let folders = entries.iter().filter(|entry| entry.kind == EntryKind::Folder);
        folders
            .map(|entry| folder.join(&entry.name))
            .find(|path| session.world.kind(&session.folder.join(path).join("Chart.yaml")) == Some(EntryKind::File))
    };
    let there = own(&absolute);
    if let (Some(path), true) = (&there, keeps) {
        return Ok(path.clone());
    }
    session.say(what);
    let fail = |error: std::io::Error| Failure::text(format!("{folder}: {error}"));
    // What was there stays until there is something to take its place.
    let beside = absolute.parent().unwrap_or(&absolute);
    std::fs::create_dir_all(beside).map_err(fail)?;
    let new = tempfile::Builder::new().prefix(".onepane-").tempdir_in(beside).map_err(fail)?;
    let new = Utf8Path::from_path(new.path()).map(Utf8Path::to_owned).zip(Some(new));
    let Some((place, _guard)) = new else { return Err(Failure::text(format!("{beside} is no UTF-8 path"))) };
    let own_folder = pull_for_helmfile(chart, arguments, &place)?;
    let name = own_folder.file_name().unwrap_or_default().to_owned();
    if let (None, true, Some(path)) = (there, keeps, own(&absolute)) {
        // Another process was faster, and its files may be in use.
        return Ok(path);
    }
    std::fs::create_dir_all(&absolute).map_err(fail)?;
    let target = absolute.join(&name);
    // The chart's own folder is replaced, and nothing beside it.
    if target.exists() {
        std::fs::rename(&target, place.join(".old")).map_err(fail)?;
    }
    std::fs::rename(&own_folder, target).map_err(fail)?;
    Ok(folder.join(name))
}

/// The folder of a chart that a release wants beside its own, and that is not on this machine.
pub(super) fn dependency(
    session: &Session,
    state: &State,
    release: &Release,
    chart: &str,
    version: &str,
) -> Result<Utf8PathBuf, Failure> {
    if let Some(source) = RemoteSource::parse(chart) {
        return elsewhere(session, release, &source, "deps");
    }
    let mut arguments = Vec::new();
    let reference = match state.repository_of(chart)? {
        Some((repository, name)) if repository.is_oci => {
            if repository.plain_http {
                arguments.push("--plain-http".to_owned());
            }
            format!("oci://{}/{name}", repository.url.trim_end_matches('/'))
        }
        _ => chart.to_owned(),
    };
    if !version.is_empty() {
        arguments.extend(["--version".to_owned(), version.to_owned()]);
    }
    let key = format!("{reference} {version}");
    if let Some(path) = session.fetched.borrow().get(&key) {
        return Ok(path.clone());
    }
    let path =
        pulled(session, &format!("Fetching {chart}"), &reference, &arguments, &session.temporary_folder()?, false)?;
    session.fetched.borrow_mut().insert(key, path.clone());
    Ok(path)
}

/// Where `fetch` puts a release's chart.
fn place(
    session: &Session,
    state: &State,
    release: &Release,
    destination: &Destination,
    chart: &str,
) -> Result<Utf8PathBuf, Failure> {
    let template =
        PathTemplate { text: &destination.template, output_dir: destination.folder.as_str(), chart_name: chart };
    let path = state.path_for(release, template, &session.folder, &session.world)?;
    if destination.template != TEMPLATE {
        return Ok(normalize(Utf8Path::new(&path)));
    }
    // Names of releases are whatever a state says.
    within(&destination.folder, Utf8Path::new(&path))
        .map_err(|problem| Failure::text(format!("release {:?}: {problem}", release.name)))
}

/// Copies a folder over what is there.
fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<(), Failure> {
    let fail = |path: &Utf8Path, error: std::io::Error| Failure::text(format!("{path}: {error}"));
    std::fs::create_dir_all(to).map_err(|error| fail(to, error))?;
    for entry in from.read_dir_utf8().map_err(|error| fail(from, error))? {
        let entry = entry.map_err(|error| fail(from, error))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(|error| fail(from, error))?;
        if kind.is_dir() {
            copy(from, &to)?;
        } else if kind.is_symlink() {
            _ = std::fs::remove_file(&to);
            let target = from.read_link_utf8().map_err(|error| fail(from, error))?;
            #[cfg(unix)]
            std::os::unix::fs::symlink(target, &to).map_err(|error| fail(&to, error))?;
        } else {
            let bytes = std::fs::read(from).map_err(|error| fail(from, error))?;
            atomic::write(&to, &bytes)?;
        }
    }
    Ok(())
}

/// `--version` and `--devel` for a chart that is no chart of a registry.
pub(super) fn version_arguments(state: &State, release: &Release) -> Vec<String> {
    let mut arguments = Vec::new();
    let version = release.version.split('@').next().unwrap_or_default();
    if !version.is_empty() {
        arguments.extend(["--version".to_owned(), version.to_owned()]);
    }
    if is_on(state, release, "devel") {
        arguments.push("--devel".to_owned());
    }
    arguments
}

/// How a chart's server is reached.
pub(super) fn download_arguments(state: &State, release: &Release) -> Result<Vec<String>, Failure> {
    let repository = state.repository_of(&release.chart_name)?.map(|(repository, _)| repository);
    let is_on = |key: &str| {
        let says = |value: Option<Value>| value.is_some_and(|value| value.truth());
        says(release.field(key)) || says(state.default(key))
    };
    let of_repository = |says: fn(&onepane_helmfile::Repository) -> bool| repository.as_ref().is_some_and(says);
    // The one makes the other pointless.
    Ok(if is_on("plainHttp") || of_repository(|repository| repository.plain_http) {
        vec!["--plain-http".to_owned()]
    } else if is_on("insecureSkipTLSVerify") || of_repository(|repository| repository.skip_tls_verify) {
        vec!["--insecure-skip-tls-verify".to_owned()]
    } else {
        Vec::new()
    })
}

/// Whether a chart's signature is checked, and with which keys.
fn verify_arguments(state: &State, release: &Release) -> Result<Vec<String>, Failure> {
    let repository = state.repository_of(&release.chart_name)?.map(|(repository, _)| repository);
    let text = |value: Option<Value>| {
        value.and_then(|value| value.as_text().map(ToString::to_string)).filter(|text| !text.is_empty())
    };
    let by_default = state.default("verify").is_some_and(|value| value.truth());
    let verifies = match release.field("verify") {
        Some(own) => own.truth(),
        None => by_default || repository.as_ref().is_some_and(|repository| repository.verify),
    };
    let of_repository = || repository.as_ref().map(|one| one.keyring.clone()).filter(|keyring| !keyring.is_empty());
    let keyring = text(release.field("keyring")).or_else(of_repository).or_else(|| text(state.default("keyring")));
    let mut arguments = Vec::new();
    if verifies {
        arguments.push("--verify".to_owned());
    }
    if let Some(keyring) = keyring {
        arguments.extend(["--keyring".to_owned(), keyring]);
    }
    Ok(arguments)
}

/// What a registry's entry in `repositories` says.
fn oci_arguments(state: &State, release: &Release) -> Result<Vec<String>, Failure> {
    let Some((repository, _)) = state.repository_of(&release.chart_name)? else { return Ok(Vec::new()) };
    let mut arguments = Vec::new();
    let mut push = |flag: &str, value: &str| {
        if !value.is_empty() {
            arguments.extend([flag.to_owned(), value.to_owned()]);
        }
    };
    if !repository.plain_http {
        push("--ca-file", &repository.ca_file);
        if !repository.cert_file.is_empty() && !repository.key_file.is_empty() {
            push("--cert-file", &repository.cert_file);
            push("--key-file", &repository.key_file);
        }
    }
    push("--registry-config", &repository.registry_config);
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::cached_as;

    #[test]
    fn charts_of_registries_are_cached_where_helmfile_has_them() {
        for (chart, version, wanted) in [
            ("oci://r:5000/charts/web", "1.0.0", "oci__r_5000/charts/web/1.0.0"),
            ("shop/web", "~1.0", "shop/web/_1.0"),
            ("shop/a.b", "", "shop/a_b"),
        ] {
            assert_eq!(cached_as(chart, version), wanted);
        }
    }
}
