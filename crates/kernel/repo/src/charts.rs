//! The charts that kustomizations inflate: [`LocalCharts`].

use onepane_chart::{File, Origins, merge_maps, missing_dependencies, parse_values};
use onepane_diagnostics::{Diagnostic, Origin, Result, Span, Step};
use onepane_helm::{Capabilities, Early, Release, RenderOptions, Schemas, TEMPLATE_FAILED, name_from_template, render};
use onepane_kustomize::{ChartRequest, ChartValues, Charts, RenderedChart};
use onepane_value::{Data, List, Map, Text, TextBuilder, Value};
use onepane_world::World;
use onepane_yaml::Node;

/// Renders charts that are there, and fetches none.
#[derive(Clone, Copy, Debug)]
pub struct LocalCharts;

/// The values, each standing where its part of `node` does, which says the same.
fn placed_map(map: &Map, node: &Node) -> Map {
    let entries = map.entries().into_iter().map(|(key, value)| {
        let node = node.get(&key.to_str());
        (key, node.map_or_else(|| value.clone(), |node| placed(&value, node)))
    });
    Map::from_iter(entries)
}

fn placed(value: &Value, node: &Node) -> Value {
    let data = match &value.data {
        Data::Map(map) => Data::Map(placed_map(map, node)),
        Data::List(list) => {
            let nodes = node.items().unwrap_or_default();
            let items = list.iter().enumerate();
            let items = items.map(|(at, item)| nodes.get(at).map_or_else(|| item.clone(), |node| placed(item, node)));
            Data::List(List::new(items.collect::<Vec<_>>()))
        }
        other => other.clone(),
    };
    let origin = node.span.map_or(Origin::UNKNOWN, |span| Origin::at(Step::ValuesFile, span));
    Value { data, origin }
}

/// A file of a chart that no template goes through, each line of which knows where it stands.
pub(crate) fn as_it_is(file: &File, origins: Origins) -> Text {
    if origins == Origins::Untracked {
        return Text::from(file.bytes());
    }
    let mut text = TextBuilder::new();
    for (line, number) in file.bytes().split_inclusive(|byte| *byte == b'\n').zip(1..) {
        text.push(line, &Origin::at(Step::Source, Span::new(file.id, number, 1)));
    }
    text.finish()
}

impl Charts for LocalCharts {
    fn render(&self, world: &dyn World, request: &ChartRequest) -> Result<RenderedChart> {
        let origins = if request.origins { Origins::Tracked } else { Origins::Untracked };
        inflate(world, request, origins, None).map_err(|error| {
            if error.code != TEMPLATE_FAILED {
                return error;
            }
            let files = request.values.iter().map(|values| values.file.path().to_string()).collect();
            match inflate(world, request, Origins::Tracked, Some(files)) {
                // A template that asks the clock or chance may fail in another way the second time.
                Err(explained) if explained.message == error.message => explained,
                _ => error,
            }
        })
    }

    fn fetch(&self, request: &ChartRequest) -> Result<()> {
        let message = format!("the chart `{}` is not there, and nothing is fetched here", request.folder());
        Err(Diagnostic::error("kustomize-helm", message)
            .hint("`onepane kustomize build --enable-helm` fetches it into the folder"))
    }
}

fn inflate(
    world: &dyn World,
    request: &ChartRequest,
    origins: Origins,
    explain: Option<Vec<String>>,
) -> Result<RenderedChart> {
    let fail = |message: String| Diagnostic::error("kustomize-helm", message);
    let tracked = origins.are_tracked();
    let mut early = Early::new(origins);
    let chart = early.load(&request.folder(), world, origins.into(), &mut |_| {})?;
    if !matches!(chart.metadata.kind.as_str(), "" | "application") {
        return Err(fail(format!("{} charts are not installable", chart.metadata.kind)).at(chart.place));
    }
    let missing = missing_dependencies(&chart);
    if !missing.is_empty() {
        let message = format!("found in Chart.yaml, but missing in charts/ directory: {}", missing.join(", "));
        return Err(fail(message).at(chart.place));
    }
    let mut values = Map::new();
    for ChartValues { file, bytes, merged } in &request.values {
        let step = tracked.then_some((Step::ValuesFile, *file));
        let over = parse_values(bytes, step).map_err(|mut error| {
            if let Some(label) = &mut error.primary {
                label.span.file = *file;
            }
            error.trace(format!("in the values file `{}`", file.path()), None)
        })?;
        let over = match merged.as_ref().filter(|_| tracked) {
            Some(node) => placed_map(&over, node),
            None => over,
        };
        values = merge_maps(&values, &over);
    }
    let mut capabilities = Capabilities::default();
    if !request.kube_version.is_empty() {
        let version = &request.kube_version;
        let wrong = |error| fail(format!("invalid kube version '{version}': {error}"));
        capabilities = capabilities.with_kube_version(version).map_err(wrong)?;
    }
    let name = match (request.release_name.as_str(), request.name_template.as_str()) {
        ("", "") => "release-name".to_owned(),
        ("", template) => name_from_template(template, world).map_err(fail)?,
        (name, "") => name.to_owned(),
        _ => return Err(fail("cannot set --name-template and also specify a name".to_owned())),
    };
    Release::check_name(&name).map_err(|error| fail(format!("release name check failed: {error}")))?;
    let namespace = match request.namespace.as_str() {
        "" => "default",
        namespace => namespace,
    };
    let options = RenderOptions {
        release: Release { name, namespace: namespace.to_owned(), ..Release::default() },
        capabilities: capabilities.with_api_versions(request.api_versions.iter().cloned()),
        schemas: Schemas::Checked,
        origins,
        compat: onepane_chart::Compat::Helm4,
        explain,
    };
    let rendered = render(chart, &values, &options, world, early, &mut |_| {}).map_err(|error| error.diagnostic)?;
    let mut text = TextBuilder::new();
    for (_, file) in rendered.crds.iter().filter(|_| request.include_crds) {
        text.push_plain(b"---\n");
        text.push_text(&as_it_is(file, origins));
        text.push_plain(b"\n");
    }
    let hooks = rendered.hooks.iter().filter(|hook| !(request.skip_hooks || request.skip_tests && hook.is_test()));
    for manifest in rendered.manifests.iter().chain(hooks.map(|hook| &hook.manifest)) {
        text.push_plain(b"---\n");
        text.push_text(&manifest.text);
        text.push_plain(b"\n");
    }
    let text = text.finish();
    Ok(RenderedChart { text: text.to_str().into_owned(), marks: text.marks_by_line() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_kustomize::{Options, Tools, build_with};
    use onepane_world::MemoryWorld;

    const KUSTOMIZATION: &str = "helmCharts:\n- name: web\n  releaseName: r\n  valuesInline:\n    a: 5\n";

    fn world() -> MemoryWorld {
        let manifest = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: \
                        {{ .Release.Namespace }}\nspec:\n  a: {{ .Values.a }}\n  b: {{ .Values.b }}\n";
        MemoryWorld::new()
            .with("cluster/kustomization.yaml", "namespace: prod\nnamePrefix: p-\nresources: [../base]\n")
            .with("base/kustomization.yaml", KUSTOMIZATION)
            .with("base/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n")
            .with("base/charts/web/values.yaml", "a: 1\nb: 2\n")
            .with("base/charts/web/templates/pod.yaml", manifest)
    }

    fn built(world: &MemoryWorld, origins: bool) -> Result<onepane_kustomize::Built> {
        let options = Options { enable_helm: true, origins, ..Options::default() };
        build_with(world, "cluster".into(), &options, Tools { charts: Some(&LocalCharts), ..Tools::default() })
    }

    #[test]
    fn charts_see_the_namespace_of_the_overlay_and_fields_the_lines_of_their_values() {
        let plain = built(&world(), false).and_then(|built| built.to_yaml()).expect("it builds");
        assert_eq!(
            plain,
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p-r\n  namespace: prod\nspec:\n  a: 5\n  b: 2\n"
        );
        let tracked = built(&world(), true).expect("it builds");
        assert_eq!(tracked.to_yaml().expect("it is YAML"), plain);
        let pod = tracked.resources.iter().next().expect("the pod is there");
        let read = |field: &str| {
            let origin = pod.node().at(&["spec", field]).expect(field).origin();
            let record = origin.record().expect("it is known");
            assert_eq!(record.span.expect("a line").file.path(), "base/charts/web/templates/pod.yaml");
            let value = record.inputs[0].span().expect("a line");
            (value.file.path().to_string(), value.line)
        };
        assert_eq!(read("a"), ("base/kustomization.yaml".to_owned(), 5));
        assert_eq!(read("b"), ("base/charts/web/values.yaml".to_owned(), 2));
    }

    #[test]
    fn what_is_wrong_is_said_at_the_entry() {
        let said = |kustomization: &str| {
            let error = built(&world().with("base/kustomization.yaml", kustomization), false).expect_err(kustomization);
            (error.message.clone(), error.primary.as_ref().map(|label| label.span.line))
        };
        for (from, to, message) in [
            ("name: web", "name: none", "no repo specified for pull, no chart found at 'base/charts/none'"),
            ("name: web", "name: ''", "chart name cannot be empty"),
            ("name: web", "name: ../x", "chart name '../x' leads out of the chart home"),
            ("releaseName: r", "valuesMerge: x", "valuesMerge must be one of [merge override replace]"),
            ("releaseName: r", "releaseName: R_", "release name check failed"),
            ("releaseName: r", "kubeVersion: x", "invalid kube version 'x'"),
        ] {
            let (said, line) = said(&KUSTOMIZATION.replace(from, to));
            assert!(said.contains(message) && line == Some(2), "{said} at {line:?}");
        }
    }

    #[test]
    fn a_template_that_fails_tells_the_value_it_is_about() {
        let template = "a: {{ required \"it is needed\" .Values.bb }}\n";
        let error = built(&world().with("base/charts/web/templates/pod.yaml", template), false);
        let error = error.expect_err("a value is missing");
        assert!(error.message.contains("it is needed"), "{error}");
        let told: Vec<&str> = error.trace.iter().map(|frame| frame.message.as_str()).collect();
        let wanted = "`.Values.bb` is set by none of: base/charts/web/values.yaml, base/kustomization.yaml";
        assert!(told.contains(&wanted), "{told:?}");
    }
}
