//! Folders of charts, which are copied whole.

use super::places::relative;
use super::references::Root;
use super::tree::LocalizedTree;
use super::{refused, within};
use crate::accumulate::located;
use crate::charts::CHART_HOME;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Result, Span};
use onepane_world::{EntryKind, World, normalize};
use onepane_yaml::Node;

impl Root<'_> {
    /// Copies the default folder of charts where charts are named and no folder is.
    pub(super) fn default_chart_homes(&mut self, kustomization: &Node) -> Result<()> {
        let old = kustomization.get("helmChartInflationGenerator").and_then(Node::items).unwrap_or_default();
        for (at, chart) in old.iter().enumerate().filter(|(_, chart)| chart.get("chartHome").is_none()) {
            let copied = self.copy_chart_home("", chart.span);
            copied.map_err(|error| within(error, format!("unable to copy helmChartInflationGenerator entry {at}")))?;
        }
        match (kustomization.get("helmGlobals"), kustomization.get("helmCharts")) {
            (Some(globals), _) if globals.get("chartHome").is_none() => {
                self.copy_chart_home("", globals.span).map_err(|error| within(error, "unable to copy helmGlobals"))?;
            }
            (None, Some(charts)) => {
                let copied = self.copy_chart_home("", charts.span);
                copied.map_err(|error| within(error, "unable to copy default chart home"))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Copies a folder of charts and says where it is in the copy. One that is not there may be filled later.
    pub(super) fn copy_chart_home(&mut self, entry: &str, span: Option<Span>) -> Result<String> {
        let path = if entry.is_empty() { CHART_HOME } else { entry };
        if Utf8Path::new(path).is_absolute() {
            return Err(located(refused(format!("absolute path {path:?} not handled in alpha")), span));
        }
        let place =
            self.copy_charts(path, span).map_err(|error| within(error, format!("unable to copy home {entry:?}")))?;
        Ok(if entry.is_empty() { String::new() } else { place.into_string() })
    }

    fn copy_charts(&mut self, path: &str, span: Option<Span>) -> Result<Utf8PathBuf> {
        let place = relative(self.loader.root(), &self.loader.join(path));
        if self.loader.kind(path).is_none() {
            return Ok(place);
        }
        let loader = self.enter(place.as_str(), span).map_err(|error| within(error, "invalid chart home"))?;
        // A build that is told no folder looks for this one, which may be a link.
        let place = if place == CHART_HOME { place } else { relative(self.loader.root(), loader.root()) };
        let folder = normalize(&self.folder.join(&place));
        if self.job.tree.has(&folder) {
            return Ok(place);
        }
        let copied = copy(loader.world(), loader.root().to_owned(), folder, &mut self.job.tree);
        copied.map_err(|error| located(within(error, format!("unable to copy chart home {path:?}")), span))?;
        Ok(place)
    }
}

/// Copies a folder. What links lead to is left out.
fn copy(world: &dyn World, from: Utf8PathBuf, to: Utf8PathBuf, into: &mut LocalizedTree) -> Result<()> {
    let mut folders = vec![(from, to)];
    while let Some((from, to)) = folders.pop() {
        into.put_folder(&to)?;
        let entries = world.list(&from).map_err(|error| refused(error.to_string()))?;
        for entry in entries.into_iter().filter(|entry| !entry.link) {
            let (from, to) = (from.join(&entry.name), to.join(&entry.name));
            if entry.kind == EntryKind::Folder {
                folders.push((from, to));
            } else {
                into.put(&to, world.read(&from).map_err(|error| refused(error.to_string()))?)?;
            }
        }
    }
    Ok(())
}
