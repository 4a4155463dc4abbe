//! What a render gives: [`Manifest`]s in install order and [`Hook`]s beside them.

use crate::head::Head;
use crate::helm3;
use crate::split::{leading_space, split};
use onepane_chart::Compat;
use onepane_parallel::{Ahead, Pending};
use onepane_resource::compare_install;
use onepane_value::Text;
use std::rc::Rc;

/// One YAML document that a template printed.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The template's path as Helm prints it: `chart/templates/service.yaml`.
    pub source: Rc<str>,
    /// The text, marked with where its stretches came from if the render tracked origins.
    pub text: Text,
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// `metadata.name`
    pub name: String,
}

/// A manifest that runs at a point of a release's life and is no part of the release itself.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The manifest.
    pub manifest: Manifest,
    /// The points: `pre-install`, `test`, …
    pub events: Vec<&'static str>,
    /// Hooks of one event run from the lightest to the heaviest.
    pub weight: i64,
    /// When it is deleted: `before-hook-creation`, `hook-succeeded`, `hook-failed`.
    pub delete_policies: Vec<String>,
    /// When its logs are shown: `hook-succeeded`, `hook-failed`.
    pub output_log_policies: Vec<String>,
}

impl Hook {
    /// Whether `helm test` runs it.
    pub fn is_test(&self) -> bool {
        self.events.contains(&"test")
    }
}

/// A manifest that is no YAML, or no manifest: Helm's text.
pub(crate) struct BadManifest {
    pub(crate) source: Rc<str>,
    pub(crate) message: String,
}

/// A piece of a rendered file, whose head another thread may be reading.
pub(crate) struct Cut {
    source: Rc<str>,
    text: Text,
    head: Pending<Result<Head, String>>,
}

/// Cuts a rendered file into pieces, and gives the reading of their heads away.
pub(crate) fn cut_early(ahead: &Ahead, source: &Rc<str>, rendered: &Text, compat: Compat) -> Vec<Cut> {
    if leading_space(rendered.as_bytes()) == rendered.len() {
        return Vec::new();
    }
    let cut = |text: Text| {
        // Texts keep to their thread.
        let bytes = text.to_vec();
        let head = ahead.give(bytes.len(), move || Head::read(&bytes, compat));
        Cut { source: source.clone(), text, head }
    };
    split(rendered, compat).into_iter().map(cut).collect()
}

/// Puts the pieces of rendered files, whatever order those come in, into install order.
pub(crate) fn sort(mut cut: Vec<Cut>, compat: Compat) -> Result<(Vec<Manifest>, Vec<Hook>), BadManifest> {
    cut.sort_by(|a, b| a.source.cmp(&b.source));
    let (mut manifests, mut hooks) = (Vec::new(), Vec::new());
    for Cut { source, text, head } in cut {
        let head = head.wait().map_err(|message| BadManifest {
            source: source.clone(),
            message: format!("YAML parse error on {source}: {message}"),
        })?;
        let events = head.annotation("helm.sh/hook").map(str::to_owned);
        let weight = head.annotation("helm.sh/hook-weight").and_then(|weight| weight.parse().ok()).unwrap_or(0);
        let policies = |name| -> Vec<String> {
            let list = head.annotation(name).into_iter().flat_map(|list| list.split(','));
            list.map(|policy| policy.trim().to_lowercase()).collect()
        };
        let delete_policies = policies("helm.sh/hook-delete-policy");
        let output_log_policies = policies("helm.sh/hook-output-log-policy");
        let manifest = Manifest { source, text, api_version: head.api_version, kind: head.kind, name: head.name };
        match events {
            None => manifests.push(manifest),
            Some(events) => {
                // A hook that Helm does not know is left out altogether.
                let events: Option<Vec<_>> = events.split(',').map(event).collect();
                hooks.extend(events.map(|events| Hook {
                    manifest,
                    events,
                    weight,
                    delete_policies,
                    output_log_policies,
                }));
            }
        }
    }
    let compare = match compat {
        Compat::Helm4 => compare_install,
        Compat::Helm3 => helm3::compare_install,
    };
    manifests.sort_by(|a, b| compare(&a.kind, &b.kind));
    hooks.sort_by(|a, b| compare(&a.manifest.kind, &b.manifest.kind));
    Ok((manifests, hooks))
}

fn event(name: &str) -> Option<&'static str> {
    const EVENTS: [&str; 9] = [
        "pre-install",
        "post-install",
        "pre-delete",
        "post-delete",
        "pre-upgrade",
        "post-upgrade",
        "pre-rollback",
        "post-rollback",
        "test",
    ];
    let name = name.trim().to_lowercase();
    // Helm 2 called passing tests so.
    let name = if name == "test-success" { "test" } else { name.as_str() };
    EVENTS.into_iter().find(|event| *event == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_come_in_install_order_and_hooks_apart() {
        let files = [
            ("c/a.yaml", "kind: Zebra\n---\nkind: Service\nmetadata: {name: a}\n---\nkind: Apple"),
            ("c/b.yaml", "  \n"),
            (
                "c/c.yaml",
                "kind: Job\nmetadata:\n  annotations:\n    helm.sh/hook: Pre-Install, test\n    helm.sh/hook-weight: \"-5\"\n",
            ),
            (
                "c/d.yaml",
                "kind: Service\nmetadata: {name: d}\n---\nkind: Job\nmetadata: {annotations: {helm.sh/hook: nonsense}}\n",
            ),
        ];
        let ahead = Ahead::default();
        let cut = |(name, text)| cut_early(&ahead, &Rc::from(name), &Text::from(text), Compat::Helm4);
        let cut: Vec<_> = files.into_iter().flat_map(cut).collect();
        let Ok((manifests, hooks)) = sort(cut, Compat::Helm4) else { panic!("all of it is YAML") };
        let kinds: Vec<_> = manifests.iter().map(|m| (m.kind.as_str(), m.name.as_str())).collect();
        assert_eq!(kinds, [("Service", "a"), ("Service", "d"), ("Apple", ""), ("Zebra", "")]);
        assert_eq!(hooks.len(), 1);
        assert_eq!((hooks[0].events.as_slice(), hooks[0].weight), (["pre-install", "test"].as_slice(), -5));
        assert!(hooks[0].is_test());
    }
}
