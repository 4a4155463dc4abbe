//! A chart and values to resources: [`ChartRelease`].

use base64::Engine;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{SetKind, merge_maps, parse_values, set_into};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_kustomize::{ChartRequest, ChartValues, Charts, rendered_resources};
use onepane_resource::{Resource, Scope, scope_of};
use onepane_value::{Map, Value, to_yaml};
use onepane_world::World;
use onepane_yaml::{Content, Node, Style};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Helm's names of releases are no longer.
const LONGEST_NAME: usize = 53;

/// A chart that is to be rendered.
pub(crate) struct ChartRelease<'a> {
    pub(crate) world: &'a dyn World,
    /// The chart's folder or archive.
    pub(crate) chart: Utf8PathBuf,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) values: Values,
    pub(crate) include_crds: bool,
    pub(crate) skip_hooks: bool,
    pub(crate) kube_version: String,
    pub(crate) api_versions: Vec<String>,
}

/// Values in layers, later ones over earlier ones.
#[derive(Default)]
pub(crate) struct Values {
    layers: Vec<ChartValues>,
}

impl Values {
    /// A file.
    pub(crate) fn file(&mut self, file: FileId, bytes: &[u8]) {
        self.layers.push(ChartValues { file, bytes: bytes.into(), merged: None });
    }

    /// The text that a scalar of an object is: its lines are those of the file that the object is in.
    pub(crate) fn text(&mut self, node: &Node) {
        let text = node.as_str().unwrap_or_default();
        let Some(place) = node.span else { return self.file(FileId::new("values"), text.as_bytes()) };
        // A block begins below its head.
        let head = usize::from(!matches!(node.style, Style::Literal | Style::Folded));
        let before = (place.line as usize).saturating_sub(head);
        /// Farther down nobody keeps objects by hand; only the lines that a history names are wrong there.
        const LOWEST: usize = 10_000;
        let before = if before <= LOWEST { before } else { 0 };
        let bytes = ["\n".repeat(before).as_bytes(), text.as_bytes()].concat();
        self.file(place.file, &bytes);
    }

    /// A mapping in an object, whose values know where they stand.
    pub(crate) fn inline(&mut self, file: FileId, node: &Node) -> Result<()> {
        if node.entries().is_some_and(|entries| !entries.is_empty()) {
            let bytes = onepane_yaml::write_sorted(node)?.into_bytes().into();
            self.layers.push(ChartValues { file, bytes, merged: Some(node.clone()) });
        }
        Ok(())
    }

    /// What `--set` or `--set-string` would do with an entry that stands at `place`.
    pub(crate) fn set(&mut self, entry: &str, kind: SetKind<'_>, file: FileId, place: Option<Span>) -> Result<()> {
        let fail = |why: String| Diagnostic::error("gitops-values", why);
        let name = entry.split_once('=').map_or(entry, |(name, _)| name);
        if let (Some(place), false) = (place, name.contains('[')) {
            let value = Map::new();
            set_into(&value, entry, kind, None).map_err(fail)?;
            let text = to_yaml(&Value::from(value)).map_err(fail)?;
            let mut node = onepane_yaml::read(&text.to_str(), place.file)?.into_iter().next();
            if let Some(node) = &mut node {
                stand_at(node, place);
            }
            self.layers.push(ChartValues { file: place.file, bytes: text.to_str().as_bytes().into(), merged: node });
            return Ok(());
        }
        // What was there before becomes one layer, since a list may change in a place.
        let mut values = Map::new();
        for layer in &self.layers {
            values = merge_maps(&values, &parse_values(&layer.bytes, None)?);
        }
        set_into(&values, entry, kind, None).map_err(fail)?;
        let text = to_yaml(&Value::from(values)).map_err(fail)?;
        self.layers = vec![ChartValues { file, bytes: text.to_str().as_bytes().into(), merged: None }];
        Ok(())
    }
}

/// Makes all of a node stand at `place`.
fn stand_at(node: &mut Node, place: Span) {
    node.span = Some(place);
    match &mut node.content {
        Content::Mapping(entries) => entries.iter_mut().for_each(|(key, value)| {
            stand_at(key, place);
            stand_at(value, place);
        }),
        Content::Sequence(items) => items.iter_mut().for_each(|item| stand_at(item, place)),
        Content::Scalar(_) | Content::Alias(_) => {}
    }
}

impl ChartRelease<'_> {
    /// Its resources, CRDs and hooks among them, tests not.
    pub(crate) fn render(self, charts: &dyn Charts, origins: bool) -> Result<Vec<Resource>> {
        let home = self.chart.parent().unwrap_or(Utf8Path::new("")).to_owned();
        let request = ChartRequest {
            name: self.chart.file_name().unwrap_or_default().to_owned(),
            home,
            release_name: self.name,
            namespace: self.namespace,
            values: self.values.layers,
            include_crds: self.include_crds,
            skip_tests: true,
            skip_hooks: self.skip_hooks,
            kube_version: self.kube_version,
            api_versions: self.api_versions,
            origins,
            ..ChartRequest::default()
        };
        let rendered = charts.render(self.world, &request)?;
        rendered_resources(&request.folder(), &rendered)
    }
}

/// A name for a release that is as long as Helm lets it be: as Flux does, the start and a digest of all of it.
pub(crate) fn short_name(name: &str) -> String {
    if name.len() <= LONGEST_NAME {
        return name.to_owned();
    }
    let digest: String = Sha256::digest(name).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let start: String = name.chars().take(40).collect();
    format!("{start}-{digest}")
}

/// Gives the namespace to resources that have none and can have one, since that is where they will be. Kinds that nobody
/// knows have one, unless a CRD says otherwise or their name does, as that of `ClusterIssuer`.
pub(crate) fn into_namespace(resources: &mut [Resource], namespace: &str, scopes: &HashMap<(String, String), bool>) {
    for resource in resources.iter_mut().filter(|resource| resource.namespace().is_empty()) {
        let gvk = resource.gvk();
        let known = scope_of(&gvk.group, &gvk.version, &gvk.kind).map(|scope| scope == Scope::Namespaced);
        let defined = || scopes.get(&(gvk.group.to_string(), gvk.kind.to_string())).copied();
        let by_name = || !(gvk.kind.starts_with("Cluster") || gvk.kind.ends_with("Class"));
        if known.or_else(defined).unwrap_or_else(by_name) && !namespace.is_empty() {
            resource.set_namespace(Some(Node::string(namespace)));
        }
    }
}

/// The text that a ConfigMap or Secret has under a key; `None` where it has none, or where it is encrypted.
pub(crate) fn data_of(resource: &Resource, key: &str) -> Option<String> {
    let node = resource.node();
    let plain = node.at(&["stringData", key]).or_else(|| node.at(&["data", key]))?.as_str()?;
    if plain.starts_with("ENC[") {
        return None;
    }
    if resource.kind() == "Secret" && node.at(&["stringData", key]).is_none() {
        let joined: String = plain.split_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD.decode(joined).ok()?;
        return String::from_utf8(bytes).ok();
    }
    Some(plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_ends_in_a_digest() {
        assert_eq!(short_name("podinfo"), "podinfo");
        let long = "a".repeat(60);
        let short = short_name(&long);
        assert_eq!((short.len(), &short[..41]), (53, &*format!("{}-", "a".repeat(40))));
        assert_ne!(short_name(&format!("{long}b")), short);
    }
}
