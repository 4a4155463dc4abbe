//! A state file as a whole: [`State`].

use crate::fields::{items, mapping, text};
use crate::layers::Reader;
use crate::release::{Release, Surroundings};
use crate::selector::Selector;
use crate::spec::{Templates, default_inherit};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_value::Map;
use onepane_world::{EntryKind, World};

/// What a state file says for one environment.
#[derive(Clone, Debug)]
pub struct State {
    /// The file, or the folder of files.
    pub path: Utf8PathBuf,
    /// The environment's name.
    pub environment: String,
    /// The values of the state and of the environment; of several files, the last one's.
    pub values: Map,
    /// The releases in the order of the file, those that are not installed too.
    pub releases: Vec<Release>,
    /// The chart repositories that are named, as they stand.
    pub repositories: Vec<Map>,
}

/// Values for the state from outside, over its own.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Those of `--state-values-file`.
    pub values: Map,
    /// Those of `--state-values-set`.
    pub set: Map,
}

const FILE: &str = "helmfile.yaml";
const TEMPLATE: &str = "helmfile.yaml.gotmpl";
const FOLDER: &str = "helmfile.d";

/// Reads the state at `path`, a file or the folder that holds it, for `environment`. What stands in the way of
/// rendering a release that is to be installed is an error.
pub fn load(world: &dyn World, path: &Utf8Path, environment: &str) -> Result<State> {
    let state = list(world, path, environment, &Overrides::default())?;
    match state.releases.iter().filter(|release| release.installed).find_map(|release| release.obstacles().first()) {
        Some(obstacle) => Err(obstacle.clone()),
        None => Ok(state),
    }
}

/// Reads the state at `path` as far as listing its releases goes: those that can't be rendered are there too, and
/// tell their [obstacles](Release::obstacles).
pub fn list(world: &dyn World, path: &Utf8Path, environment: &str, overrides: &Overrides) -> Result<State> {
    let mut state = State {
        path: path.to_owned(),
        environment: environment.to_owned(),
        values: Map::new(),
        releases: Vec::new(),
        repositories: Vec::new(),
    };
    let found = find(world, path)?;
    if let [file] = found.as_slice() {
        state.path.clone_from(file);
    }
    for file in found {
        read_file(world, &file, overrides, &mut state)?;
    }
    Ok(state)
}

/// The state files at a path: itself, or the one that Helmfile looks for in a folder, or all of `helmfile.d`.
fn find(world: &dyn World, path: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let is_file = |path: &Utf8PathBuf| world.kind(path) == Some(EntryKind::File);
    match world.kind(path) {
        Some(EntryKind::File) => return Ok(vec![path.to_owned()]),
        Some(EntryKind::Folder) => {}
        _ => return Err(Diagnostic::error("helmfile-read", format!("there is no `{path}`"))),
    }
    let folder = path.join(FOLDER);
    let has_folder = world.kind(&folder) == Some(EntryKind::Folder);
    let files: Vec<Utf8PathBuf> = [FILE, TEMPLATE].iter().map(|name| path.join(name)).filter(is_file).collect();
    match (files.len(), has_folder) {
        (1, false) => return Ok(files),
        (2, _) => {
            let message = format!("both {FILE} and {TEMPLATE} exist in `{path}`");
            return Err(Diagnostic::error("helmfile-read", message).hint("remove one of them"));
        }
        (1, true) => {
            let message = format!("`{path}` holds a state file and a folder {FOLDER}");
            return Err(
                Diagnostic::error("helmfile-read", message).hint("Helmfile reads the one or the other: remove one")
            );
        }
        _ => {}
    }
    let folder = if has_folder { folder } else { path.to_owned() };
    let entries = world.list(&folder).map_err(|error| Diagnostic::error("helmfile-read", error.to_string()))?;
    let is_state = |name: &str| {
        let name = name.strip_suffix(".gotmpl").unwrap_or(name);
        name.ends_with(".yaml") || name.ends_with(".yml")
    };
    let is_folder_of_states = has_folder || path.file_name() == Some(FOLDER);
    let states = entries.iter().filter(|entry| entry.kind == EntryKind::File && is_state(&entry.name));
    let states: Vec<Utf8PathBuf> = states.map(|entry| folder.join(&entry.name)).collect();
    if states.is_empty() || !is_folder_of_states {
        let message = format!("`{path}` holds no {FILE}, no {TEMPLATE} and no {FOLDER}");
        return Err(Diagnostic::error("helmfile-read", message));
    }
    Ok(states)
}

fn read_file(world: &dyn World, path: &Utf8Path, overrides: &Overrides, state: &mut State) -> Result<()> {
    let file = FileId::new(path);
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    let layer = Reader { world, folder, environment: &state.environment, overrides }.read(path)?;
    let fields = &layer.fields;
    if let Some(refused) = layer.refused.into_iter().next() {
        return Err(refused);
    }
    let values = layer.environment.merged(overrides);
    let data = layer.environment.data(overrides);
    data.insert("KubeContext", text(fields, "kubeContext").unwrap_or_default().into());
    data.insert("Namespace", text(fields, "namespace").unwrap_or_default().into());
    let templates = mapping(fields, "templates", file)?;
    let inherited_by_all = default_inherit(fields);
    let by_default = || text(&mapping(fields, "helmDefaults", file).ok()?, "kubeContext");
    let kube_context = text(fields, "kubeContext").or_else(by_default).unwrap_or_default();
    let surroundings = Surroundings {
        templates: Templates { world, folder, file, templates: &templates, inherited_by_all, data: &data },
        fields,
        values: &values,
        kube_context: &kube_context,
    };
    for item in items(fields, "releases", file)? {
        let mut release = Release::read(&item, &surroundings)?;
        let same = |other: &&Release| {
            other.name == release.name
                && other.namespace == release.namespace
                && other.kube_context == release.kube_context
        };
        if let Some(other) = state.releases.iter().find(same) {
            let message = format!("there are two releases `{}`", release.name);
            let error = Diagnostic::error("helmfile-duplicate", message).at(release.span);
            release.obstacles.insert(0, error.label(other.span, "the first one"));
        }
        state.releases.push(release);
    }
    for repository in items(fields, "repositories", file)? {
        state.repositories.extend(repository.as_map().cloned());
    }
    state.values = values;
    Ok(())
}

impl State {
    /// The installed releases that a selector matches, in the order of the file.
    pub fn select<'s>(&'s self, selector: &'s Selector) -> impl Iterator<Item = &'s Release> {
        self.releases.iter().filter(|release| release.installed && selector.matches(release))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ValuesSource;
    use onepane_world::MemoryWorld;

    fn state(name: &str, text: &str, environment: &str) -> Result<State> {
        let world = MemoryWorld::new()
            .with(format!("charts/{name}"), text)
            .with("charts/env/prod.yaml", "replicas: 3\n")
            .with("charts/values/api.yaml", "replicas: 1\n")
            .with("charts/values/api.yaml.gotmpl", "name: {{ .Release.Name }}\nreplicas: {{ .Values.replicas }}\n");
        load(&world, "charts".into(), environment)
    }

    #[test]
    fn releases_are_listed_with_chart_namespace_and_values() {
        let text = "releases:\n- name: api\n  namespace: shop\n  chart: ./api\n  labels: {tier: backend}\n  values:\n  - values/api.yaml\n  - replicas: 2\n- name: old\n  chart: ./old\n  installed: false\n";
        let state = state("helmfile.yaml", text, "default").expect("it is valid");
        let api = &state.releases[0];
        assert_eq!((api.name.as_str(), api.namespace.as_str(), api.chart.as_str()), ("api", "shop", "charts/api"));
        let [ValuesSource::File { path, span }, ValuesSource::Inline(inline)] = api.values.as_slice() else {
            panic!("{:?}", api.values)
        };
        assert_eq!((path.as_str(), span.line), ("charts/values/api.yaml", 7));
        assert_eq!(inline.get("replicas").expect("it is there").origin.span().map(|span| span.line), Some(8));
        let names = |selector: &str| -> Vec<String> {
            let selector = selector.parse().expect("it is a selector");
            state.select(&selector).map(|release| release.name.clone()).collect()
        };
        assert_eq!(names(""), ["api"]);
        assert_eq!(names("tier=backend"), ["api"]);
        assert_eq!(names("tier!=backend"), [""; 0]);
        assert_eq!(names("name=api,namespace=shop"), ["api"]);
    }

    #[test]
    fn templates_see_the_environment_of_the_parts_before_them() {
        let text = "environments:\n  default: {}\n  prod:\n    values:\n    - env/prod.yaml\n    - tier: front\n---\nreleases:\n- name: api-{{ .Environment.Name }}\n  chart: ./api\n  condition: api.enabled\n  values:\n  - replicas: {{ .Values.replicas }}\n  - values/api.yaml.gotmpl\n---\nvalues:\n- api: {enabled: true}\n";
        let state = state("helmfile.yaml.gotmpl", text, "prod").expect("it is valid");
        assert_eq!(state.releases[0].name, "api-prod");
        let [ValuesSource::Inline(first), ValuesSource::Inline(second)] = state.releases[0].values.as_slice() else {
            panic!("{:?}", state.releases[0].values)
        };
        let shown = |map: &Map| onepane_value::to_yaml(&map.clone().into()).expect("it can be written").to_string();
        assert_eq!(shown(first), "replicas: 3\n");
        assert_eq!(shown(second), "name: api-prod\nreplicas: 3\n");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases = [
            ("releases:\n- name: a\n", "default", "chart", 2),
            ("releases:\n- name: a\n  chart: ./a\n  secrets: [x]\n", "default", "secrets", 4),
            ("releases:\n- name: a\n  chart: ./a\n  valeus: [x]\n", "default", "valeus", 4),
            ("environments:\n  dev: {}\n", "prod", "prod", 1),
            ("releases:\n- name: a\n  chart: ./a\n  values: [absent.yaml]\n", "default", "absent.yaml", 4),
            ("releases:\n- name: a\n  chart: r/a\n", "default", "r/a", 2),
            ("helmfiles: [x]\n", "default", "helmfiles", 1),
            ("releases:\n- name: a\n  chart: ./a\n  inherit: [{template: t}]\n", "default", "no release template", 4),
            ("releases:\n- name: a\n  chart: ./a\n  condition: x.enabled\n", "default", "not found", 4),
            ("releases:\n- name: a\n  chart: ./a\n- name: a\n  chart: ./a\n", "default", "two releases", 4),
        ];
        for (text, environment, says, line) in cases {
            let error = state("helmfile.yaml", text, environment).expect_err(text);
            assert!(error.message.contains(says), "{text}: {}", error.message);
            assert_eq!(error.primary.as_ref().map(|label| label.span.line), Some(line), "{text}: {error}");
        }
    }
}
