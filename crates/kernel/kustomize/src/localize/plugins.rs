//! Configurations of built-in plugins: `generators:`, `transformers:` and `validators:`.

use super::references::{Manifests, Reference, Root};
use super::{refused, within};
use crate::accumulate::located;
use crate::config::FieldSpec;
use crate::walk::{Create, Path};
use onepane_diagnostics::Result;
use onepane_resource::{Resource, ResourceSet};
use onepane_yaml::{Content, Node, write_sorted};

/// The fields of built-in plugins that name files, in the order in which they are followed.
const FIELDS: &[(&str, &str, Reference)] = &[
    ("ConfigMapGenerator", "env", Reference::File),
    ("ConfigMapGenerator", "envs", Reference::File),
    ("SecretGenerator", "env", Reference::File),
    ("SecretGenerator", "envs", Reference::File),
    ("HelmChartInflationGenerator", "valuesFile", Reference::File),
    ("HelmChartInflationGenerator", "additionalValuesFiles", Reference::File),
    ("PatchTransformer", "path", Reference::File),
    ("PatchJson6902Transformer", "path", Reference::File),
    ("ReplacementTransformer", "replacements/path", Reference::File),
    ("ConfigMapGenerator", "files", Reference::FileSource),
    ("SecretGenerator", "files", Reference::FileSource),
    ("PatchStrategicMergeTransformer", "paths", Reference::Manifest),
];

impl Root<'_> {
    /// Localizes an entry of `field`. Kustomize writes the configurations anew, whether anything changed or not.
    pub(super) fn plugins(&mut self, entry: &mut Node, field: &str) -> Result<()> {
        let span = entry.span;
        let text = entry.as_str().unwrap_or_default().to_owned();
        let read =
            self.manifests(&text, span).map_err(|error| within(error, format!("unable to load {field} entry")))?;
        let (mut configurations, is_file) = match read {
            Manifests::Inline(set) => (set, false),
            Manifests::File(set) => (set, true),
        };
        self.configurations(&mut configurations)?;
        let written: Result<Vec<String>> = configurations.iter().map(|one| write_sorted(one.node())).collect();
        let written = written
            .map(|texts| texts.join("---\n"))
            .map_err(|error| within(error, format!("unable to serialize localized {field} entry {text:?}")))?;
        let localized = if is_file {
            let kept = self.keep(&text, written.into_bytes().into(), span);
            kept.map_err(|error| within(error, format!("unable to localize {field} entry")))?
        } else {
            written
        };
        entry.content = Content::Scalar(localized.into());
        Ok(())
    }

    fn configurations(&mut self, configurations: &mut ResourceSet) -> Result<()> {
        for configuration in configurations.iter_mut() {
            for (kind, path, reference) in FIELDS {
                let spec = FieldSpec { version: "builtin".into(), kind: (*kind).into(), ..FieldSpec::any(path, false) };
                let set = &mut |node: &mut Node| self.localize_all(node, *reference);
                Path::new(&spec).apply(configuration, Create::Nothing, set)?;
            }
            self.chart_home_of(configuration)?;
        }
        Ok(())
    }

    /// A plugin that renders a chart, and where it has it from.
    fn chart_home_of(&mut self, configuration: &mut Resource) -> Result<()> {
        if configuration.api_version() != "builtin" || configuration.kind() != "HelmChartInflationGenerator" {
            return Ok(());
        }
        let id = configuration.id().to_string();
        let span = configuration.node().span;
        let copied = match configuration.node_mut().get_mut("chartHome") {
            None => self.copy_chart_home("", span).map(drop),
            Some(home) => self.localize_scalar(home, Reference::ChartHome),
        };
        copied.map_err(|error| within(error, format!("plugin {id}")))
    }

    fn localize_all(&mut self, node: &mut Node, reference: Reference) -> Result<()> {
        match &mut node.content {
            Content::Sequence(items) => items.iter_mut().try_for_each(|item| self.localize_scalar(item, reference)),
            Content::Scalar(_) => self.localize_scalar(node, reference),
            _ => Err(located(refused("expected sequence or scalar node"), node.span)),
        }
    }

    fn localize_scalar(&mut self, node: &mut Node, reference: Reference) -> Result<()> {
        let Content::Scalar(text) = &node.content else {
            return Err(located(refused("a path was expected here"), node.span));
        };
        let localized = self.localized(reference, text, node.span)?;
        node.content = Content::Scalar(localized.into());
        node.tag = None;
        Ok(())
    }
}
