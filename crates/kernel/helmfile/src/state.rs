//! A state file as a whole: [`State`].

use crate::environment::Environment;
use crate::fields::{self, items, mapping};
use crate::release::{Release, Surroundings};
use crate::selector::Selector;
use crate::template;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span, Step};
use onepane_value::{Data, Map, from_yaml};
use onepane_world::{EntryKind, World};

/// What a state file says for one environment.
#[derive(Clone, Debug)]
pub struct State {
    /// The file.
    pub path: Utf8PathBuf,
    /// The environment's name.
    pub environment: String,
    /// The releases in the order of the file, those that are not installed too.
    pub releases: Vec<Release>,
}

/// The names under which Helmfile looks for its file.
const FILES: [&str; 2] = ["helmfile.yaml.gotmpl", "helmfile.yaml"];

/// Reads the state at `path`, a file or the folder that holds it, for `environment`.
pub fn load(world: &dyn World, path: &Utf8Path, environment: &str) -> Result<State> {
    let path = find(world, path)?;
    let bytes = world.read(&path).map_err(|error| Diagnostic::error("helmfile-read", error.to_string()))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Diagnostic::error("helmfile-read", format!("`{path}` is not UTF-8")).at(Span::file(&path)))?;
    let file = FileId::new(&path);
    let folder = path.parent().unwrap_or(Utf8Path::new("")).to_owned();
    let is_template = path.extension() == Some("gotmpl");
    let mut current = Environment::new(environment);
    let mut state = State { path: path.clone(), environment: environment.to_owned(), releases: Vec::new() };
    for (first_line, part) in parts(text) {
        let text = if is_template {
            template::render(world, &folder, file, first_line, part, &current.data())?
        } else {
            // Empty lines in place of the parts before keep the places right.
            "\n".repeat(first_line) + part
        };
        let value = from_yaml(&text, Some((file, Step::ValuesFile)))?;
        let map = match value.data {
            Data::Nil => continue,
            Data::Map(map) => map,
            _ => return Err(Diagnostic::error("helmfile-field", format!("`{path}` is to hold a mapping")).at(Span::file(&path))),
        };
        read_part(world, &folder, file, &map, &mut current, &mut state)?;
    }
    current.check_exists(file)?;
    Ok(state)
}

fn find(world: &dyn World, path: &Utf8Path) -> Result<Utf8PathBuf> {
    match world.kind(path) {
        Some(EntryKind::File) => Ok(path.to_owned()),
        Some(EntryKind::Folder) => FILES
            .iter()
            .map(|name| path.join(name))
            .find(|candidate| world.kind(candidate) == Some(EntryKind::File))
            .ok_or_else(|| {
                Diagnostic::error("helmfile-read", format!("`{path}` holds no helmfile.yaml and no helmfile.yaml.gotmpl"))
            }),
        _ => Err(Diagnostic::error("helmfile-read", format!("there is no `{path}`"))),
    }
}

/// The parts of a state file, each with the number of lines before it.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut first_line, mut at) = (0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_end() == "---" {
            parts.push((first_line, &text[start..at]));
            (start, first_line) = (at + line.len(), number + 1);
        }
        at += line.len();
    }
    parts.push((first_line, &text[start..]));
    parts
}

fn read_part(
    world: &dyn World,
    folder: &Utf8Path,
    file: FileId,
    map: &Map,
    environment: &mut Environment,
    state: &mut State,
) -> Result<()> {
    fields::check(map, fields::STATE, "state file", file)?;
    environment.read(world, folder, file, map)?;
    let defaults = mapping(map, "helmDefaults", file)?;
    let labels = mapping(map, "commonLabels", file)?;
    let surroundings = Surroundings { world, folder, file, environment, defaults: &defaults, labels: &labels };
    for item in items(map, "releases", file)? {
        let release = Release::read(&item, &surroundings)?;
        if let Some(other) = state.releases.iter().find(|other| other.name == release.name && other.namespace == release.namespace) {
            return Err(Diagnostic::error("helmfile-duplicate", format!("there are two releases `{}`", release.name))
                .at(release.span)
                .label(other.span, "the first one"));
        }
        state.releases.push(release);
    }
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
            ("releases:\n- name: a\n  chart: ./a\n- name: a\n  chart: ./a\n", "default", "two releases", 4),
        ];
        for (text, environment, says, line) in cases {
            let error = state("helmfile.yaml", text, environment).expect_err(text);
            assert!(error.message.contains(says), "{text}: {}", error.message);
            assert_eq!(error.primary.as_ref().map(|label| label.span.line), Some(line), "{text}: {error}");
        }
    }
}
