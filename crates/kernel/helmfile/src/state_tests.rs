use super::*;
use crate::ValuesSource;
use onepane_world::MemoryWorld;

fn state(name: &str, text: &str, environment: &str) -> Result<State> {
    let world = MemoryWorld::new()
        .with(format!("charts/{name}"), text)
        .with("charts/env/prod.yaml", "replicas: 3\n")
        .with("charts/values/api.yaml", "replicas: 1\n")
        .with("charts/values/api.yaml.gotmpl", "name: {{ .Release.Name }}\nreplicas: {{ .Values.replicas }}\n");
    load(&world, &crate::Sandbox, "charts".into(), environment)
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
fn releases_of_states_that_a_state_names_come_first() {
    let named = "releases:\n- name: a\n  chart: ../a\n  labels: {tier: front}\n- name: b\n  chart: ../b\n";
    let world = MemoryWorld::new()
        .with(
            "helmfile.yaml",
            "helmfiles:\n- path: sub/one.yaml\n  selectors: [tier=front]\nreleases:\n- name: c\n  chart: ./c\n",
        )
        .with("sub/one.yaml", named)
        .with("a/Chart.yaml", "")
        .with("c/Chart.yaml", "");
    let state = load(&world, &crate::Sandbox, "".into(), "default").expect("it is valid");
    let releases: Vec<_> = state.releases.iter().map(|one| (one.name.as_str(), one.chart.as_str())).collect();
    assert_eq!((state.path.as_str(), releases.as_slice()), ("helmfile.yaml", [("a", "a"), ("c", "c")].as_slice()));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let cases = [
        ("releases:\n- name: a\n", "default", "chart", 2),
        ("releases:\n- name: a\n  chart: ./a\n  secrets: [x]\n", "default", "x", 4),
        ("releases:\n- name: a\n  chart: ./a\n  valeus: [x]\n", "default", "valeus", 4),
        ("environments:\n  dev: {}\n", "prod", "prod", 1),
        ("releases:\n- name: a\n  chart: ./a\n  values: [absent.yaml]\n", "default", "absent.yaml", 4),
        ("releases:\n- name: a\n  chart: r/a\n", "default", "r/a", 2),
        ("helmfiles: [x]\n", "default", "no matches for path: x", 1),
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
