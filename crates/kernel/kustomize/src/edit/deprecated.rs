//! Fields that have other names today.

use super::{KustomizationDraft, entry, refused, string, text_of};
use crate::decode::known_field;
use crate::kustomization::{ENTRY_FIELDS, FIELDS, Kustomization};
use crate::scalar::NodeExt;
use onepane_diagnostics::Result;
use onepane_yaml::Place::{Item, Key};
use onepane_yaml::{Comments, Node, Place};

/// The fields of old entries for charts that have another name today; those not named here stay out.
const CHART_FIELDS: [(&str, &str); 7] = [
    ("chartName", "name"),
    ("chartVersion", "version"),
    ("chartRepoUrl", "repo"),
    ("values", "valuesFile"),
    ("valuesLocal", "valuesInline"),
    ("valuesMerge", "valuesMerge"),
    ("releaseName", "releaseName"),
];

impl KustomizationDraft {
    /// Writes fields as they are spelled: Kustomize reads them in any case.
    pub(super) fn spell_fields(&mut self) -> Result<()> {
        fn misspelled(node: Option<&Node>, known: &[&'static str]) -> Vec<(String, &'static str)> {
            let keys = node.and_then(Node::entries).unwrap_or_default().iter().filter_map(|(key, _)| key.as_str());
            keys.filter_map(|key| Some((key.to_owned(), known_field(key, known).filter(|known| *known != key)?)))
                .collect()
        }
        for (old, new) in misspelled(self.draft.root(), FIELDS) {
            self.draft.rename(&[Key(&old)], new)?;
        }
        for (list, known) in ENTRY_FIELDS {
            for index in 0..self.draft.items(&[Key(list)]).len() {
                let place = [Key(list), Item(index)];
                for (old, new) in misspelled(self.draft.get(&place), known) {
                    self.draft.rename(&[place[0], place[1], Key(&old)], new)?;
                }
            }
        }
        Ok(())
    }

    /// Says what was not said, and moves what Kustomize moves whenever it reads.
    pub(super) fn fold_deprecated(&mut self) -> Result<()> {
        let said = |draft: &Self, field| draft.draft.root().is_some_and(|root| !text_of(root, field).is_empty());
        if !said(self, "apiVersion") {
            let component = self.draft.root().is_some_and(|root| text_of(root, "kind") == Kustomization::COMPONENT);
            self.set_text(
                "apiVersion",
                if component { Kustomization::COMPONENT_VERSION } else { Kustomization::VERSION },
            )?;
        }
        if !said(self, "kind") {
            self.set_text("kind", Kustomization::KUSTOMIZATION)?;
        }
        self.move_list("bases", "resources", Clone::clone)?;
        self.move_list("imageTags", "images", Clone::clone)?;
        for field in ["configMapGenerator", "secretGenerator"] {
            for index in 0..self.draft.items(&[Key(field)]).len() {
                self.fold_env(&[Key(field), Item(index)])?;
            }
        }
        let old_charts = self.draft.items(&[Key("helmChartInflationGenerator")]).to_vec();
        if self.draft.get(&[Key("helmGlobals")]).is_none_or(NodeExt::is_null) {
            for (old, new) in [("chartHome", "chartHome"), ("helmHome", "configHome")] {
                if let Some(home) =
                    old_charts.iter().rev().map(|chart| text_of(chart, old)).find(|home| !home.is_empty())
                {
                    self.put(&[Key("helmGlobals")], new, string(home))?;
                }
            }
        }
        self.move_list("helmChartInflationGenerator", "helmCharts", |chart| {
            entry(CHART_FIELDS.into_iter().filter_map(|(old, new)| Some((new, chart.get(old)?.clone()))))
        })
    }

    /// Gives the items of one list to another, each as `converted` says.
    fn move_list(&mut self, from: &str, into: &str, converted: impl Fn(&Node) -> Node) -> Result<()> {
        let items = self.draft.items(&[Key(from)]).to_vec();
        let moved: Vec<Node> = items.iter().map(converted).collect();
        if moved.is_empty() {
            return self.draft.remove(&[Key(from)]);
        }
        if !self.draft.items(&[Key(into)]).is_empty() {
            for item in moved {
                self.draft.push(&[Key(into)], item)?;
            }
            return self.draft.remove(&[Key(from)]);
        }
        // The list keeps its place, and its items their lines.
        self.draft.remove(&[Key(into)])?;
        self.draft.rename(&[Key(from)], into)?;
        for (index, (old, new)) in items.iter().zip(moved).enumerate() {
            if *old != new {
                self.draft.set(&[Key(into), Item(index)], new)?;
            }
        }
        Ok(())
    }

    /// `env:`, which held one file, is the last of `envs:`.
    fn fold_env(&mut self, generator: &[Place<'_>]) -> Result<()> {
        let [env, envs] = ["env", "envs"].map(|field| [generator, &[Key(field)]].concat());
        let Some(file) = self.draft.get(&env).cloned() else { return Ok(()) };
        if file.as_str().is_some_and(|file| !file.is_empty()) {
            self.draft.push(&envs, string(file.as_str().unwrap_or_default()))?;
        }
        self.draft.remove(&env)
    }

    /// Moves what is deprecated but still works as it stands: the two old lists of patches to `patches:`, common
    /// labels to `labels:`. `is_file` says whether a patch names a file, or else is one.
    ///
    /// # Errors
    /// `kustomize-edit` for a label that stands in both places.
    pub fn modernize(&mut self, is_file: impl Fn(&str) -> bool) -> Result<()> {
        let common =
            self.draft.get(&[Key("commonLabels")]).filter(|node| node.entries().is_some_and(|all| !all.is_empty()));
        if let Some(common) = common.cloned() {
            let labels = self.draft.items(&[Key("labels")]);
            let taken = labels.iter().filter_map(|label| label.get("pairs")?.entries()).flatten();
            if let Some(key) = taken.filter_map(|(key, _)| key.as_str()).find(|key| common.get(key).is_some()) {
                return Err(refused(format!("label name '{key}' exists in both commonLabels and labels")));
            }
            let label = entry([("includeSelectors", Node::scalar("true")), ("pairs", common)]);
            self.draft.push(&[Key("labels")], label)?;
        }
        self.draft.remove(&[Key("commonLabels")])?;
        self.move_list("patchesJson6902", "patches", Clone::clone)?;
        self.move_list("patchesStrategicMerge", "patches", |patch| {
            let text = patch.as_str().unwrap_or_default();
            let mut value = string(text);
            let mut comments = *patch.comments.clone().unwrap_or_default();
            value.comments =
                Some(Box::new(Comments { line: std::mem::take(&mut comments.line), ..Comments::default() }));
            let mut moved = entry([(if is_file(text) { "path" } else { "patch" }, value)]);
            moved.comments = Some(Box::new(comments));
            moved
        })
    }
}
