//! A release of the state file to manifests: [`Repository::render`].

use crate::Repository;
use crate::charts::as_it_is;
use crate::kept_warning::KeptWarning;
use crate::memo::{Memo, ResultName, key};
use crate::releases::ListedRelease;
use crate::render::{Manifest, RenderedFile, RenderedRelease, files};
use crate::shared_files::Shared;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{
    Chart, Compat, Origins, SetKind, coalesce_values, load, merge_maps, missing_dependencies, parse_values,
    process_dependencies, set_into,
};
use onepane_diagnostics::{Diagnostic, FileId, Origin, Result, Severity, Step};
use onepane_helm::{Action, Capabilities, Early, RenderOptions, Schemas, TEMPLATE_FAILED, render};
use onepane_helmfile::{Release, Request, State, ValuesSource};
use onepane_sops::Secret;
use onepane_value::{Data, Map, Value, format};
use onepane_world::{Digest, Recorded, Trace, World};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

impl Repository<'_> {
    /// What the state file says for `environment`.
    pub fn state(&self, environment: &str) -> Result<State> {
        onepane_helmfile::load(&self.shared(), self.outside, &self.layout.helm_charts, environment)
    }

    /// The releases of the state, and of those that it names, with neither their values nor what stands in the way of
    /// rendering them.
    pub fn releases(&self) -> Result<Vec<Release>> {
        let request = Request { environment: "default".to_owned(), ..Request::default() };
        let visited = onepane_helmfile::visit(self.world, self.outside, &request, Some(&self.layout.helm_charts))?;
        Ok(visited.states.into_iter().flat_map(|state| state.releases).collect())
    }

    /// The release as files.
    ///
    /// It is rendered as `helm template --include-crds --skip-tests` would: CRDs belong to what runs, tests do not.
    ///
    /// Where there are secrets among the values, the files know what was made of them.
    ///
    /// What a template fails on is told with all that is known of it: that is found out by rendering once more.
    pub fn render(&self, release: &Release, last: &mut LastChart) -> Result<RenderedRelease> {
        let is_secret = |source: &ValuesSource| match source {
            ValuesSource::Inline(map) => Value::from(map.clone()).secret().is_some(),
            ValuesSource::File { .. } => false,
        };
        let has_secrets = release.values.iter().any(is_secret);
        let outcome = match self.memo.filter(|_| !has_secrets) {
            Some(memo) => self.render_and_keep(memo, release, last),
            None => {
                let origins = if has_secrets { Origins::Tracked } else { Origins::Untracked };
                self.render_as(release, origins, None, &self.shared(), last)
            }
        };
        outcome.map_err(|error| if error.code == TEMPLATE_FAILED { self.explained(release, error) } else { error })
    }

    /// The release where it would render to what is on disk, as far as an earlier render of the same files tells.
    pub fn on_disk(&self, release: &ListedRelease) -> Option<ReleaseOnDisk> {
        let memo = self.memo?;
        let kept = self.find_kept(memo, release.kept_under.as_ref()?)?;
        let KeptRelease { files, warnings } = memo.load(&kept)?;
        let is_there =
            |(path, digest): &(Utf8PathBuf, Digest)| self.world.digest(path).is_ok_and(|now| now == Some(*digest));
        if !files.iter().all(is_there) {
            return None;
        }
        let wanted: HashSet<&Utf8Path> = files.iter().map(|(path, _)| path.as_path()).collect();
        let folder = self.layout.rendered().join(&release.name);
        if self.written_files(&folder).iter().any(|path| !wanted.contains(path.as_path())) {
            return None;
        }
        memo.count_kept();
        let warnings = warnings.into_iter().map(Diagnostic::from).collect();
        Some(ReleaseOnDisk { name: release.name.clone(), files: files.len(), warnings })
    }

    fn render_and_keep(&self, memo: &Memo<'_>, release: &Release, last: &mut LastChart) -> Result<RenderedRelease> {
        memo.count_made();
        let shared = self.shared();
        let recorded = Recorded::new(&shared);
        let rendered = self.render_as(release, Origins::Untracked, None, &recorded, last)?;
        let digest = |file: &RenderedFile| Some((file.path.clone(), Digest::of(file.contents.as_bytes())?));
        if let Some((trace, key)) = recorded.into_trace().zip(key_of(release))
            && let Some(files) = rendered.files.iter().map(digest).collect::<Option<_>>()
        {
            let warnings = rendered.warnings.iter().map(KeptWarning::from).collect();
            memo.keep(&key, &trace, &KeptRelease { files, warnings });
        }
        Ok(rendered)
    }

    /// Loads a chart, or takes the one that was loaded last. What is read for it is noted once for all releases that it has.
    fn load_chart(
        &self,
        early: &mut Early,
        path: &Utf8Path,
        world: &dyn World,
        origins: Origins,
        last: &mut LastChart,
        warn: &mut dyn FnMut(Diagnostic),
    ) -> Result<Chart> {
        let loaded = match last.0.take() {
            Some(loaded) if loaded.path == path && loaded.origins == origins => {
                if let Some(recorder) = world.recorder() {
                    recorder.adopt(loaded.trace.as_ref());
                }
                loaded
            }
            _ => {
                let mut warnings = Vec::new();
                let mut note = |warning| warnings.push(warning);
                let (chart, trace) = match world.recorder() {
                    Some(recorder) => self.load_recorded(early, path, recorder, origins, &mut note),
                    None => early.load(path, world, origins.into(), &mut note).map(|chart| (chart, None)),
                }?;
                LoadedChart { path: path.to_owned(), origins, chart, warnings, trace }
            }
        };
        loaded.warnings.iter().cloned().for_each(warn);
        Ok(last.0.insert(loaded).chart.clone())
    }

    fn load_recorded(
        &self,
        early: &mut Early,
        path: &Utf8Path,
        recorder: &Recorded<'_>,
        origins: Origins,
        warn: &mut dyn FnMut(Diagnostic),
    ) -> Result<(Chart, Option<Arc<Trace>>)> {
        let known = || self.chart_traces.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known().get(path).cloned();
        let (chart, trace) = match before {
            Some(trace) => (early.load(path, recorder.world(), origins.into(), warn), trace),
            None => {
                let own = Recorded::new(recorder.world());
                let chart = early.load(path, &own, origins.into(), warn);
                (chart, known().entry(path.to_owned()).or_insert(own.into_trace()).clone())
            }
        };
        recorder.adopt(trace.as_ref());
        Ok((chart?, trace))
    }

    fn explained(&self, release: &Release, error: Box<Diagnostic>) -> Box<Diagnostic> {
        let sources = release.values.iter().map(|source| match source {
            ValuesSource::File { path, .. } => path.to_string(),
            ValuesSource::Inline(_) => format!("the values in {}", release.span.file.path()),
        });
        let mut sources: Vec<String> = sources.collect();
        if !release.set.is_empty() {
            sources.push("`set`".to_owned());
        }
        match self.render_as(release, Origins::Tracked, Some(sources), &self.shared(), &mut LastChart::default()) {
            // A template that asks the clock or chance may fail in another way the second time.
            Err(explained) if explained.message == error.message => explained,
            _ => error,
        }
    }

    /// The release of `state` that is called `name` as files whose bytes know where they came from.
    pub(crate) fn render_with_origins(&self, state: &State, name: &str) -> Result<RenderedRelease> {
        let release = state.releases.iter().find(|release| release.name == name).ok_or_else(|| {
            let message = format!("`{}` lists no release `{name}`", state.path);
            Diagnostic::error("repo-no-such-release", message)
        })?;
        self.render_tracked(release, Origins::Complete)
    }

    /// The release as files, with or without origins; the contents are the same.
    pub fn render_tracked(&self, release: &Release, origins: Origins) -> Result<RenderedRelease> {
        self.render_as(release, origins, None, &self.shared(), &mut LastChart::default())
    }

    /// What states, charts and values are read through: releases have many of them in common.
    pub(crate) fn shared(&self) -> Shared<'_> {
        Shared { files: &self.chart_files, world: self.world }
    }

    fn render_as(
        &self,
        release: &Release,
        origins: Origins,
        explain: Option<Vec<String>>,
        world: &dyn World,
        last: &mut LastChart,
    ) -> Result<RenderedRelease> {
        let in_release =
            |error: Box<Diagnostic>| error.trace(format!("in the release `{}`", release.name), Some(release.span));
        let mut warnings: Vec<Diagnostic> = Vec::new();
        let mut warn = |warning: Diagnostic| {
            // Coalescing passes over the same values more than once.
            if warning.severity >= Severity::Warning && !warnings.contains(&warning) {
                warnings.push(warning);
            }
        };
        let values = self.values(release, origins, world).map_err(in_release)?;
        let mut early = Early::sharing(origins, &self.templates);
        let chart = self.load_chart(&mut early, &release.chart, world, origins, last, &mut warn).map_err(in_release)?;
        let missing = missing_dependencies(&chart);
        if !missing.is_empty() {
            let message = format!("found in Chart.yaml, but missing in charts/ directory: {}", missing.join(", "));
            return Err(in_release(
                Diagnostic::error("chart-missing-dependency", message)
                    .hint(format!("`helm dependency build {}` fetches them", release.chart)),
            ));
        }
        let origin = |field| match origins.are_tracked() {
            true => release.field(field).map(|value| value.origin).unwrap_or_default(),
            false => Origin::UNKNOWN,
        };
        let options = RenderOptions {
            release: onepane_helm::Release {
                name: release.name.clone(),
                namespace: release.namespace.clone(),
                action: Action::Install,
                name_origin: origin("name"),
                namespace_origin: origin("namespace"),
                ..onepane_helm::Release::default()
            },
            capabilities: Capabilities::default(),
            schemas: Schemas::Checked,
            origins,
            compat: Compat::Helm4,
            explain,
        };
        let rendered =
            render(chart, &values, &options, world, early, &mut warn).map_err(|error| in_release(error.diagnostic))?;
        let crds =
            rendered.crds.iter().map(|(path, file)| Manifest { source: path.clone(), text: as_it_is(file, origins) });
        let manifests = rendered.manifests;
        let hooks = rendered.hooks.into_iter().filter(|hook| !hook.is_test()).map(|hook| hook.manifest);
        let manifests = manifests.into_iter().chain(hooks);
        let manifests = manifests.map(|manifest| Manifest { source: manifest.source.to_string(), text: manifest.text });
        let manifests: Vec<Manifest> = crds.chain(manifests).collect();
        let folder = self.layout.rendered().join(&release.name);
        let files = files(&folder, &manifests).map_err(in_release)?;
        let decisions = rendered.decisions.into_iter().map(|(path, decision)| (path.to_string(), decision)).collect();
        Ok(RenderedRelease { name: release.name.clone(), files, warnings, secrets: secrets(release), decisions })
    }

    /// The values that the templates of a release see, those of subcharts below their names, each with where it is from.
    pub fn effective_values(&self, release: &Release) -> Result<Map> {
        let given = self.values(release, Origins::Tracked, self.world)?;
        let mut chart = load(&release.chart, self.world, Origins::Tracked, &mut |_| {})?;
        process_dependencies(&mut chart, &given, Compat::Helm4, &mut |_| {})?;
        coalesce_values(&chart, &given, Compat::Helm4, &mut |_| {})
    }

    /// The values of a release: files and inline mappings in their order, then `set`.
    fn values(&self, release: &Release, origins: Origins, world: &dyn World) -> Result<Map> {
        let tracked = origins.are_tracked();
        let mut values = Map::new();
        for source in &release.values {
            let over = match source {
                ValuesSource::Inline(map) => map.clone(),
                ValuesSource::File { path, span } => {
                    let bytes = world
                        .read(path)
                        .map_err(|error| Diagnostic::error("repo-values", error.to_string()).at(*span))?;
                    let file = FileId::new(path);
                    parse_values(&bytes, tracked.then_some((Step::ValuesFile, file))).map_err(|mut error| {
                        if let Some(label) = &mut error.primary {
                            label.span.file = file;
                        }
                        error.trace(format!("in the values file `{path}`"), Some(*span))
                    })?
                }
            };
            values = merge_maps(&values, &over);
        }
        for entry in &release.set {
            let note = tracked.then(|| format!("set {entry}"));
            set_into(&values, entry, SetKind::Typed, note.as_deref())
                .map_err(|cause| Diagnostic::error("repo-values", cause).at(release.span))?;
        }
        Ok(values)
    }
}

/// The chart that was loaded last, for the next release if that is of the same chart: whoever renders many takes them in the
/// order of their charts. It belongs to one [`Repository`].
#[derive(Debug, Default)]
pub struct LastChart(Option<LoadedChart>);

#[derive(Debug)]
struct LoadedChart {
    path: Utf8PathBuf,
    origins: Origins,
    chart: Chart,
    warnings: Vec<Diagnostic>,
    /// What was read for it, where that was noted.
    trace: Option<Arc<Trace>>,
}

/// A release that is on disk as it would render.
#[derive(Clone, Debug)]
pub struct ReleaseOnDisk {
    /// The release's name.
    pub name: String,
    /// How many files it has.
    pub files: usize,
    /// What Helm would warn of.
    pub warnings: Vec<Diagnostic>,
}

/// A rendered release as it is kept: what is in the files is on disk, or made again.
#[derive(Serialize, Deserialize)]
struct KeptRelease {
    files: Vec<(Utf8PathBuf, Digest)>,
    warnings: Vec<KeptWarning>,
}

/// What a release is kept under: all that the state says of it, but for what it reads in files. `None` for one that says what
/// can't be written down.
pub(crate) fn key_of(release: &Release) -> Option<ResultName> {
    fn write(value: &Value, into: &mut String) -> Option<()> {
        match &value.data {
            Data::Nil => into.push('n'),
            Data::Bool(is) => into.push_str(&format!("b{is} ")),
            Data::Int(number, kind) => into.push_str(&format!("i{number} {kind:?} ")),
            Data::Uint(number, kind) => into.push_str(&format!("u{number} {kind:?} ")),
            Data::Float(number, kind) => into.push_str(&format!("f{:x} {kind:?} ", number.to_bits())),
            Data::String(text) => write_text(&text.to_str(), into),
            Data::List(list) => {
                into.push_str(&format!("l{} ", list.len()));
                list.iter().try_for_each(|item| write(item, into))?;
            }
            Data::Map(map) => {
                into.push_str(&format!("m{} ", map.len()));
                let mut entries = map.entries();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                entries.iter().try_for_each(|(key, value)| {
                    write_text(&key.to_str(), into);
                    write(value, into)
                })?;
            }
            Data::Object(_) => return None,
        }
        Some(())
    }
    fn write_text(text: &str, into: &mut String) {
        into.push_str(&format!("s{} {text}", text.len()));
    }
    let Release { name, namespace, chart, values, set, .. } = release;
    let mut said = String::new();
    for source in values {
        match source {
            ValuesSource::Inline(map) => write(&Value::from(map.clone()), &mut said)?,
            ValuesSource::File { path, .. } => said.push_str(&format!("p{} {path}", path.as_str().len())),
        }
    }
    set.iter().for_each(|entry| write_text(entry, &mut said));
    let parts = ["render", name, namespace, chart.as_str(), &said];
    Some(key(&parts.map(str::as_bytes)))
}

/// The secrets among the values of a release, each once.
fn secrets(release: &Release) -> Vec<Secret> {
    fn collect(value: &Value, found: &mut Vec<Secret>) {
        match &value.data {
            Data::Map(map) => map.for_each(|_, value| collect(value, found)),
            Data::List(list) => list.iter().for_each(|item| collect(item, found)),
            _ if value.own_secret().is_some() => {
                let text = format::sprint(std::slice::from_ref(value));
                let secret = Secret::new(text.as_bytes());
                if !found.contains(&secret) {
                    found.push(secret);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for source in &release.values {
        if let ValuesSource::Inline(map) = source {
            collect(&Value::from(map.clone()), &mut found);
        }
    }
    found
}
