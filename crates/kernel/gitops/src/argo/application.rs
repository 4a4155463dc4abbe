//! An Application of Argo CD: one source or several, each a kustomization, a chart or a folder of manifests.

use super::directory::directory;
use crate::additions::{Additions, Without};
use crate::flux::fetched;
use crate::follower::{Delivery, Follower};
use crate::object::{self, is_true, items, pairs, shown, text};
use crate::release::{ChartRelease, Values, into_namespace};
use crate::sources::{WantedChart, same_repository};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::SetKind;
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_kustomize::KUSTOMIZATION_FILES;
use onepane_resource::Resource;
use onepane_world::{EntryKind, World, normalize};
use onepane_yaml::Node;

/// What it delivers.
pub(crate) fn application(follower: &mut Follower<'_>, object: &Resource) -> Result<Vec<Resource>> {
    let spec = object.node().get("spec").cloned().unwrap_or_else(|| Node::scalar(""));
    let several = items(&spec, &["sources"]);
    let sources: Vec<&Node> =
        if several.is_empty() { spec.get("source").into_iter().collect() } else { several.iter().collect() };
    let mut resources = Vec::new();
    for source in &sources {
        // One that only lends its files to others has no path.
        let lends = !text(source, &["ref"]).is_empty() && text(source, &["path"]).is_empty();
        if lends && text(source, &["chart"]).is_empty() {
            continue;
        }
        resources.extend(one(follower, object, source, &sources)?);
    }
    into_namespace(&mut resources, text(&spec, &["destination", "namespace"]), &follower.scopes);
    Ok(resources)
}

/// Whether an address is this repository's.
pub(super) fn is_own(follower: &Follower<'_>, address: &str) -> bool {
    follower.input.addresses.iter().any(|own| same_repository(own, address))
}

fn one(follower: &mut Follower<'_>, object: &Resource, source: &Node, sources: &[&Node]) -> Result<Vec<Resource>> {
    let address = text(source, &["repoURL"]);
    if source.get("plugin").is_some() {
        let error = Diagnostic::error("gitops-plugin", "plugins of Argo CD are not run here".to_owned());
        return Err(error.hint("what such a plugin makes is not known to onepane"));
    }
    let chart = text(source, &["chart"]);
    if !chart.is_empty() {
        let is_http = address.contains("://");
        let address = if is_http { address.to_owned() } else { format!("oci://{address}") };
        let version = text(source, &["targetRevision"]).to_owned();
        let wanted = WantedChart { address, name: chart.to_owned(), version };
        let chart = format!("{}/{chart}", wanted.address.trim_end_matches('/'));
        follower.deliveries.push(Delivery {
            by: shown(object),
            folder: None,
            chart: Some(chart),
            span: object::place(object),
        });
        let located = fetched(follower, &wanted)?;
        return helm(follower, object, source, sources, Some(&*located.world), located.path);
    }
    if !is_own(follower, address) {
        let place = onepane_kustomize::without_password(address);
        let error = Diagnostic::error("gitops-source", format!("its source is not this repository: {place}"));
        return Err(error.hint("if it is, name the address in onepane.yaml: `repository:`"));
    }
    let folder = normalize(Utf8Path::new(text(source, &["path"]).trim_start_matches('/')));
    if folder.starts_with("..") || follower.input.world.kind(&folder) != Some(EntryKind::Folder) {
        return Err(Diagnostic::error("gitops-folder", format!("there is no folder `{folder}`"))
            .hint("paths start at the top of the repository"));
    }
    let delivery =
        Delivery { by: shown(object), folder: Some(folder.clone()), chart: None, span: object::place(object) };
    follower.deliveries.push(delivery);
    let has = |name: &str| follower.input.world.kind(&folder.join(name)) == Some(EntryKind::File);
    if source.get("helm").is_some() || has("Chart.yaml") && source.get("kustomize").is_none() {
        return helm(follower, object, source, sources, None, folder);
    }
    if KUSTOMIZATION_FILES.iter().any(|name| has(name)) && source.get("directory").is_none() {
        return kustomize(follower, source, &folder);
    }
    directory(follower, object, source, &folder)
}

fn helm(
    follower: &mut Follower<'_>,
    object: &Resource,
    source: &Node,
    sources: &[&Node],
    elsewhere: Option<&dyn World>,
    chart: Utf8PathBuf,
) -> Result<Vec<Resource>> {
    let here = follower.input.world;
    let empty = Node::scalar("");
    let options = source.get("helm").unwrap_or(&empty);
    let file = object.node().span.map_or_else(|| FileId::new("application"), |span| span.file);
    let mut values = Values::default();
    for path in items(options, &["valueFiles"]).iter().filter_map(Node::as_str) {
        let (world, place) = match path.strip_prefix('$') {
            // `$name/path`: from the top of the source of that name.
            Some(reference) => {
                let (name, rest) = reference.split_once('/').unwrap_or((reference, ""));
                let lender = sources.iter().find(|source| text(source, &["ref"]) == name);
                match lender.filter(|lender| is_own(follower, text(lender, &["repoURL"]))) {
                    Some(_) => (here, normalize(Utf8Path::new(rest))),
                    None => {
                        let message = format!("the values file `{path}` is not in this repository");
                        follower.warn(object, "gitops-values", message);
                        continue;
                    }
                }
            }
            None if path.contains("://") => {
                follower.warn(object, "gitops-values", format!("the values file `{path}` is not fetched here"));
                continue;
            }
            None => {
                let world = elsewhere.unwrap_or(here);
                let place = match path.strip_prefix('/') {
                    Some(rest) if elsewhere.is_none() => Utf8PathBuf::from(rest),
                    _ => chart.join(path),
                };
                (world, normalize(&place))
            }
        };
        match world.read(&place) {
            Ok(bytes) => values.file(FileId::new(&place), &bytes),
            Err(_) if is_true(options, &["ignoreMissingValueFiles"]) => {}
            Err(error) => {
                return Err(Diagnostic::error("gitops-values", error.to_string())
                    .hint("paths of values files start at the chart, or with `/` at the top of the repository"));
            }
        }
    }
    match options.get("valuesObject") {
        Some(object) => values.inline(file, object)?,
        None => {
            if let Some(text) = options.get("values") {
                values.text(text);
            }
        }
    }
    for parameter in items(options, &["parameters"]) {
        let kind = if is_true(parameter, &["forceString"]) { SetKind::String } else { SetKind::Typed };
        let value = text(parameter, &["value"]).replace(',', "\\,");
        let place = parameter.get("value").and_then(|value| value.span);
        values.set(&format!("{}={value}", text(parameter, &["name"])), kind, file, place)?;
    }
    let or = |keys: &[&str], other: &str| match text(options, keys) {
        "" => other.to_owned(),
        text => text.to_owned(),
    };
    let namespace = text(object.node(), &["spec", "destination", "namespace"]);
    let release = ChartRelease {
        world: elsewhere.unwrap_or(here),
        chart,
        name: or(&["releaseName"], object.name()),
        namespace: or(&["namespace"], namespace),
        values,
        include_crds: !is_true(options, &["skipCrds"]),
        skip_hooks: false,
        kube_version: text(options, &["kubeVersion"]).to_owned(),
        api_versions: items(options, &["apiVersions"]).iter().filter_map(Node::as_str).map(str::to_owned).collect(),
    };
    release.render(follower.input.charts, follower.input.options.origins)
}

fn kustomize(follower: &mut Follower<'_>, source: &Node, folder: &Utf8Path) -> Result<Vec<Resource>> {
    let mut additions = Additions::default();
    if let Some(options) = source.get("kustomize") {
        for field in ["namePrefix", "nameSuffix", "namespace"] {
            additions.set(field, text(options, &[field]));
        }
        additions.images = items(options, &["images"]).iter().filter_map(Node::as_str).map(image).collect();
        for list in ["replicas", "patches", "components"] {
            additions.entries.extend(items(options, &[list]).iter().map(|entry| (list, entry.clone())));
        }
        let labels = pairs(options, &["commonLabels"]);
        if !labels.is_empty() {
            let without_selectors = is_true(options, &["labelWithoutSelector"]);
            let entry = vec![
                (Node::scalar("pairs"), mapping(&labels)),
                (Node::scalar("includeSelectors"), Node::scalar((!without_selectors).to_string())),
                (
                    Node::scalar("includeTemplates"),
                    Node::scalar(is_true(options, &["labelIncludeTemplates"]).to_string()),
                ),
            ];
            additions.entries.push(("labels", Node::mapping(entry)));
        }
        let annotations = pairs(options, &["commonAnnotations"]);
        if !annotations.is_empty() {
            additions.fields.push(("commonAnnotations", mapping(&annotations)));
        }
    }
    let built = follower.build(folder, &additions, Without::Fails)?;
    Ok(follower.take(built))
}

fn mapping(pairs: &[(&str, &str)]) -> Node {
    Node::mapping(pairs.iter().map(|(key, value)| (Node::scalar(*key), Node::string(*value))).collect())
}

/// `NAME=NEW:TAG`, `NAME:TAG` or `NAME@DIGEST`, as `kustomize edit set image` takes it.
fn image(text: &str) -> Node {
    let (name, new) = text.split_once('=').map_or((None, text), |(name, new)| (Some(name), new));
    let parts = onepane_resource::ImageName::parse(new);
    let mut entries = vec![(Node::scalar("name"), Node::string(name.unwrap_or(parts.name)))];
    let renamed = if name.is_some_and(|name| name != parts.name) { parts.name } else { "" };
    for (key, text) in [("newName", renamed), ("newTag", parts.tag), ("digest", parts.digest)] {
        if !text.is_empty() {
            entries.push((Node::scalar(key), Node::string(text)));
        }
    }
    Node::mapping(entries)
}
