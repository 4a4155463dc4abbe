//! A HelmRelease of Flux: a chart, from the repository or elsewhere, with values in layers.

use super::kustomization::common_metadata;
use crate::additions::{Additions, Without, build};
use crate::follower::{Delivery, Follower};
use crate::object::{self, is_true, items, shown, text};
use crate::release::{ChartRelease, Values, data_of, into_namespace, short_name};
use crate::sources::{LocatedChart, Source, WantedChart};
use camino::Utf8PathBuf;
use onepane_chart::SetKind;
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_kustomize::{Options, Tools};
use onepane_resource::Resource;
use onepane_sops::Secret;
use onepane_world::{MemoryWorld, World};
use onepane_yaml::{Content, Node, Style};

/// Where its chart is.
enum Place {
    /// In this repository.
    Here(Utf8PathBuf),
    /// Elsewhere.
    There(WantedChart),
}

/// What it delivers.
pub(crate) fn helm_release(follower: &mut Follower<'_>, object: &Resource) -> Result<Vec<Resource>> {
    let node = object.node();
    if is_true(node, &["spec", "suspend"]) {
        follower.warn(object, "gitops-suspended", "it is suspended, and not followed".to_owned());
        return Ok(Vec::new());
    }
    if node.at(&["spec", "kubeConfig"]).is_some() {
        let message = "it installs into another cluster (`kubeConfig`), and is not followed".to_owned();
        follower.warn(object, "gitops-other-cluster", message);
        return Ok(Vec::new());
    }
    let target = text(node, &["spec", "targetNamespace"]);
    let namespace = if target.is_empty() { object.namespace() } else { target };
    let name = match (text(node, &["spec", "releaseName"]), target) {
        ("", "") => short_name(object.name()),
        ("", target) => short_name(&format!("{target}-{}", object.name())),
        (name, _) => name.to_owned(),
    };
    let (place, values_files) = place(follower, object)?;
    let (folder, wanted) = match &place {
        Place::Here(path) => (Some(path.clone()), None),
        Place::There(WantedChart { address, name, .. }) => {
            (None, Some(format!("{}/{name}", address.trim_end_matches('/'))))
        }
    };
    // A chart that can't be had is delivered all the same, somewhere else.
    follower.deliveries.push(Delivery { by: shown(object), folder, chart: wanted, span: object::place(object) });
    let (world, chart) = match &place {
        Place::Here(path) => (None, path.clone()),
        Place::There(wanted) => {
            let LocatedChart { world, path } = fetched(follower, wanted)?;
            (Some(world), path)
        }
    };
    let world: &dyn World = world.as_deref().unwrap_or(follower.input.world);
    let mut values = Values::default();
    for file in values_files {
        let path = match &place {
            // From the top of the source for what is in a repository, else from that of the chart.
            Place::Here(_) => Utf8PathBuf::from(&file),
            Place::There(_) => chart.join(&file),
        };
        if let Ok(bytes) = world.read(&path) {
            values.file(FileId::new(&path), &bytes);
        }
    }
    values_from(follower, object, &mut values)?;
    let file = object.node().span.map_or_else(|| FileId::new("helmrelease"), |span| span.file);
    if let Some(own) = node.at(&["spec", "values"]) {
        values.inline(file, own)?;
    }
    let release = ChartRelease {
        world,
        chart,
        name,
        namespace: namespace.to_owned(),
        values,
        include_crds: text(node, &["spec", "install", "crds"]) != "Skip",
        skip_hooks: is_true(node, &["spec", "install", "disableHooks"]),
        kube_version: String::new(),
        api_versions: Vec::new(),
    };
    let mut resources = release.render(follower.input.charts, follower.input.options.origins)?;
    for renderer in items(node, &["spec", "postRenderers"]) {
        resources = post_rendered(resources, renderer)?;
    }
    into_namespace(&mut resources, namespace, &follower.scopes);
    common_metadata(node, &mut resources);
    Ok(resources)
}

/// The chart from elsewhere, if somebody has it.
pub(crate) fn fetched(follower: &Follower<'_>, wanted: &WantedChart) -> Result<LocatedChart> {
    let Some(sources) = follower.input.sources else {
        let place = onepane_kustomize::without_password(&wanted.address);
        let message = format!("the chart `{}` of {place} is not in this repository", wanted.name);
        return Err(Diagnostic::error("gitops-chart", message).hint("charts from elsewhere are not fetched here"));
    };
    sources.chart(wanted)
}

fn place(follower: &Follower<'_>, object: &Resource) -> Result<(Place, Vec<String>)> {
    let node = object.node();
    let files = |spec: &Node| {
        let files = items(spec, &["valuesFiles"]).iter().filter_map(Node::as_str);
        files.map(|file| file.trim_start_matches("./").to_owned()).collect::<Vec<_>>()
    };
    if let Some(reference) = node.at(&["spec", "chartRef"]) {
        let (kind, name) = (text(reference, &["kind"]), text(reference, &["name"]));
        let namespace = match text(reference, &["namespace"]) {
            "" => object.namespace(),
            namespace => namespace,
        };
        if kind == "HelmChart" {
            let Some(chart) = follower.find(kind, namespace, name) else {
                let message = format!("its chart is HelmChart {namespace}/{name}, which is not among what was built");
                return Err(Diagnostic::error("gitops-source", message));
            };
            let spec = chart.node().get("spec").cloned().unwrap_or_else(|| Node::scalar(""));
            return of_spec(follower, namespace, &spec).map(|place| (place, files(&spec)));
        }
        return match follower.source(kind, namespace, name, "") {
            Source::OciChart(url, version) => {
                let (address, chart) = url.trim_end_matches('/').rsplit_once('/').unwrap_or(("", &url));
                let wanted = WantedChart { address: address.to_owned(), name: chart.to_owned(), version };
                Ok((Place::There(wanted), Vec::new()))
            }
            source => Err(out_of_reach(&source, kind, name)),
        };
    }
    let spec = node.at(&["spec", "chart", "spec"]).cloned().unwrap_or_else(|| Node::scalar(""));
    of_spec(follower, object.namespace(), &spec).map(|place| (place, files(&spec)))
}

fn of_spec(follower: &Follower<'_>, namespace: &str, spec: &Node) -> Result<Place> {
    let chart = text(spec, &["chart"]);
    let (kind, name) = (text(spec, &["sourceRef", "kind"]), text(spec, &["sourceRef", "name"]));
    let namespace = match text(spec, &["sourceRef", "namespace"]) {
        "" => namespace,
        namespace => namespace,
    };
    match follower.source(kind, namespace, name, chart) {
        Source::Charts(address) => Ok(Place::There(WantedChart {
            address,
            name: chart.to_owned(),
            version: text(spec, &["version"]).to_owned(),
        })),
        source => match source.folder(chart) {
            Some(folder) => Ok(Place::Here(folder)),
            None => Err(out_of_reach(&source, kind, name)),
        },
    }
}

fn out_of_reach(source: &Source, kind: &str, name: &str) -> Box<Diagnostic> {
    let place = match source {
        Source::Elsewhere(place) => place.clone(),
        _ => format!("{kind} {name}"),
    };
    Diagnostic::error("gitops-source", format!("its chart is not in this repository: {place}"))
        .hint("a chart is found in this repository, in a HelmRepository or an OCIRepository")
}

/// Layers from ConfigMaps and Secrets, in their order.
fn values_from(follower: &mut Follower<'_>, object: &Resource, values: &mut Values) -> Result<()> {
    for from in items(object.node(), &["spec", "valuesFrom"]) {
        let (kind, name) = (text(from, &["kind"]), text(from, &["name"]));
        let key = match text(from, &["valuesKey"]) {
            "" => "values.yaml",
            key => key,
        };
        let source = follower.find(kind, object.namespace(), name);
        let file = source.and_then(|source| source.source.or_else(|| source.overlays.first().copied()));
        let Some(data) = source.and_then(|source| data_of(source, key)) else {
            if !is_true(from, &["optional"]) {
                let why = match source {
                    Some(_) => format!("values come from `{key}` of {kind} {name}, which has none or is encrypted"),
                    None => format!(
                        "values come from {kind} {}/{name}, which is not in this repository",
                        object.namespace()
                    ),
                };
                follower.warn(object, "gitops-values", why);
            }
            continue;
        };
        // What a Secret says stands nowhere as it reads.
        let written = source.filter(|_| kind != "Secret").and_then(|source| source.node().at(&["data", key])).cloned();
        if kind == "Secret" {
            follower.secrets.extend(scalars(&data));
        }
        let file = file.unwrap_or_else(|| FileId::new(name));
        let block = written.as_ref().filter(|node| node.style == Style::Literal && node.span.is_some());
        match (text(from, &["targetPath"]), block) {
            ("", Some(block)) => values.text(block),
            ("", None) => values.file(file, data.as_bytes()),
            (path, _) => {
                // In quotes it is a text, whatever it looks like.
                let quoted = ['\'', '"'].into_iter().find_map(|quote| data.strip_prefix(quote)?.strip_suffix(quote));
                let kind = if quoted.is_some() { SetKind::String } else { SetKind::Typed };
                let value = quoted.unwrap_or(&data).trim_end_matches('\n').replace('\\', "\\\\").replace(',', "\\,");
                values.set(&format!("{path}={value}"), kind, file, written.and_then(|node| node.span))?;
            }
        }
    }
    Ok(())
}

/// What is secret in a text: its scalars where it is YAML, and all of it where that is a word.
fn scalars(text: &str) -> Vec<Secret> {
    fn collect(node: &Node, found: &mut Vec<Secret>) {
        match &node.content {
            Content::Scalar(text) => found.push(Secret::new(text.as_bytes())),
            Content::Sequence(items) => items.iter().for_each(|item| collect(item, found)),
            Content::Mapping(entries) => entries.iter().for_each(|(_, value)| collect(value, found)),
            Content::Alias(_) => {}
        }
    }
    let mut found = Vec::new();
    let documents = onepane_yaml::read(text, FileId::new("secret")).unwrap_or_default();
    documents.iter().for_each(|document| collect(document, &mut found));
    if found.is_empty() {
        found.push(Secret::new(text.as_bytes()));
    }
    found
}

/// What a renderer makes of the release: it is a kustomization over its manifests.
fn post_rendered(resources: Vec<Resource>, renderer: &Node) -> Result<Vec<Resource>> {
    let mut additions = Additions::default();
    let lists = [("patches", "patches"), ("patchesStrategicMerge", "patches"), ("patchesJson6902", "patches")];
    for (field, list) in lists {
        for patch in items(renderer, &["kustomize", field]) {
            // The older lists hold patches as structures.
            let as_text = |patch: &Node| onepane_yaml::write_sorted(patch).map(Node::string);
            let entry = match field {
                "patchesStrategicMerge" => Node::mapping(vec![(Node::scalar("patch"), as_text(patch)?)]),
                "patchesJson6902" => {
                    let mut entry = patch.clone();
                    if let Some(operations) = patch.get("patch").filter(|operations| operations.items().is_some()) {
                        entry.set("patch", as_text(operations)?);
                    }
                    entry
                }
                _ => patch.clone(),
            };
            additions.entries.push((list, entry));
        }
    }
    additions.images = items(renderer, &["kustomize", "images"]).to_vec();
    let texts = resources.iter().map(|resource| onepane_yaml::write_sorted(resource.node()));
    let manifests = texts.collect::<Result<Vec<_>>>()?.join("---\n");
    let world = MemoryWorld::new().with("kustomization.yaml", "resources: [all.yaml]\n").with("all.yaml", manifests);
    let options = Options::default();
    let built = build(&world, "".into(), &additions, Without::Fails, &options, Tools::default())
        .map_err(|error| error.trace("in a post-renderer", renderer.span))?;
    Ok(built.resources.into_resources())
}
