//! A release of the state file to manifests: [`Repository::render`].

use crate::Repository;
use crate::charts::as_it_is;
use crate::render::{Manifest, RenderedRelease, files};
use onepane_chart::{Compat, Origins, SetKind, merge_maps, missing_dependencies, parse_values, set_into};
use onepane_diagnostics::{Diagnostic, FileId, Result, Severity, Step};
use onepane_helm::{Action, Capabilities, Early, RenderOptions, Schemas, TEMPLATE_FAILED, render};
use onepane_helmfile::{Release, Request, State, ValuesSource};
use onepane_sops::Secret;
use onepane_value::{Data, Map, Value, format};

impl Repository<'_> {
    /// What the state file says for `environment`.
    pub fn state(&self, environment: &str) -> Result<State> {
        onepane_helmfile::load(self.world, self.outside, &self.layout.helm_charts, environment)
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
    pub fn render(&self, release: &Release) -> Result<RenderedRelease> {
        let is_secret = |source: &ValuesSource| match source {
            ValuesSource::Inline(map) => Value::from(map.clone()).secret().is_some(),
            ValuesSource::File { .. } => false,
        };
        let origins = if release.values.iter().any(is_secret) { Origins::Tracked } else { Origins::Untracked };
        let outcome = self.render_tracked(release, origins);
        outcome.map_err(|error| if error.code == TEMPLATE_FAILED { self.explained(release, error) } else { error })
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
        match self.render_as(release, Origins::Tracked, Some(sources)) {
            // A template that asks the clock or chance may fail in another way the second time.
            Err(explained) if explained.message == error.message => explained,
            _ => error,
        }
    }

    /// The release called `name` as files whose bytes know where they came from.
    pub(crate) fn render_with_origins(&self, name: &str) -> Result<RenderedRelease> {
        let state = self.state("default")?;
        let release = state.releases.iter().find(|release| release.name == name).ok_or_else(|| {
            let message = format!("`{}` lists no release `{name}`", state.path);
            Diagnostic::error("repo-no-such-release", message)
        })?;
        self.render_tracked(release, Origins::Tracked)
    }

    /// The release as files, with or without origins; the contents are the same.
    pub fn render_tracked(&self, release: &Release, origins: Origins) -> Result<RenderedRelease> {
        self.render_as(release, origins, None)
    }

    fn render_as(&self, release: &Release, origins: Origins, explain: Option<Vec<String>>) -> Result<RenderedRelease> {
        let in_release =
            |error: Box<Diagnostic>| error.trace(format!("in the release `{}`", release.name), Some(release.span));
        let mut warnings: Vec<Diagnostic> = Vec::new();
        let mut warn = |warning: Diagnostic| {
            // Coalescing passes over the same values more than once.
            if warning.severity >= Severity::Warning && !warnings.contains(&warning) {
                warnings.push(warning);
            }
        };
        let values = self.values(release, origins).map_err(in_release)?;
        let mut early = Early::new(origins);
        let chart = early.load(&release.chart, self.world, origins.into(), &mut warn).map_err(in_release)?;
        let missing = missing_dependencies(&chart);
        if !missing.is_empty() {
            let message = format!("found in Chart.yaml, but missing in charts/ directory: {}", missing.join(", "));
            return Err(in_release(
                Diagnostic::error("chart-missing-dependency", message)
                    .hint(format!("`helm dependency build {}` fetches them", release.chart)),
            ));
        }
        let options = RenderOptions {
            release: onepane_helm::Release {
                name: release.name.clone(),
                namespace: release.namespace.clone(),
                action: Action::Install,
            },
            capabilities: Capabilities::default(),
            schemas: Schemas::Checked,
            origins,
            compat: Compat::Helm4,
            explain,
        };
        let rendered = render(chart, &values, &options, self.world, early, &mut warn)
            .map_err(|error| in_release(error.diagnostic))?;
        let crds =
            rendered.crds.iter().map(|(path, file)| Manifest { source: path.clone(), text: as_it_is(file, origins) });
        let manifests = rendered.manifests;
        let hooks = rendered.hooks.into_iter().filter(|hook| !hook.is_test()).map(|hook| hook.manifest);
        let manifests = manifests.into_iter().chain(hooks);
        let manifests = manifests.map(|manifest| Manifest { source: manifest.source.to_string(), text: manifest.text });
        let manifests: Vec<Manifest> = crds.chain(manifests).collect();
        let folder = self.layout.rendered().join(&release.name);
        let files = files(&folder, &manifests).map_err(in_release)?;
        Ok(RenderedRelease { name: release.name.clone(), files, warnings, secrets: secrets(release) })
    }

    /// The values of a release: files and inline mappings in their order, then `set`.
    fn values(&self, release: &Release, origins: Origins) -> Result<Map> {
        let tracked = origins == Origins::Tracked;
        let mut values = Map::new();
        for source in &release.values {
            let over = match source {
                ValuesSource::Inline(map) => map.clone(),
                ValuesSource::File { path, span } => {
                    let bytes = self
                        .world
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
