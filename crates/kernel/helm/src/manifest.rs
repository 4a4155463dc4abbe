//! What a render gives: [`Manifest`]s in install order and [`Hook`]s beside them.

use crate::head::Head;
use crate::helm3;
use crate::split::{leading_space, split};
use onepane_chart::Compat;
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

/// Cuts rendered files into manifests and hooks, both in install order. `files` come in the order of their paths.
pub(crate) fn sort(files: &[(Rc<str>, Text)], compat: Compat) -> Result<(Vec<Manifest>, Vec<Hook>), BadManifest> {
    let printed = files.iter().filter(|(_, rendered)| leading_space(rendered.as_bytes()) < rendered.len());
    let texts: Vec<(&Rc<str>, Text)> = printed
        .flat_map(|(source, rendered)| split(rendered, compat).into_iter().map(move |text| (source, text)))
        .collect();
    let bytes: Vec<&[u8]> = texts.iter().map(|(_, text)| text.as_bytes()).collect();
    let heads = onepane_parallel::map(&bytes, |bytes| bytes.len(), |bytes| Head::read(bytes, compat));
    let (mut manifests, mut hooks) = (Vec::new(), Vec::new());
    for ((source, text), head) in texts.into_iter().zip(heads) {
        let head = head.map_err(|message| BadManifest {
            source: source.clone(),
            message: format!("YAML parse error on {source}: {message}"),
        })?;
        let events = head.annotation("helm.sh/hook").map(str::to_owned);
        let weight = head.annotation("helm.sh/hook-weight").and_then(|weight| weight.parse().ok()).unwrap_or(0);
        let policies = head.annotation("helm.sh/hook-delete-policy");
        let delete_policies = policies.map(|list| list.split(',').map(|policy| policy.trim().to_lowercase()).collect());
        let manifest =
            Manifest { source: source.clone(), text, api_version: head.api_version, kind: head.kind, name: head.name };
        match events {
            None => manifests.push(manifest),
            Some(events) => {
                // A hook that Helm does not know is left out altogether.
                let events: Option<Vec<_>> = events.split(',').map(event).collect();
                hooks.extend(events.map(|events| Hook {
                    manifest,
                    events,
                    weight,
                    delete_policies: delete_policies.unwrap_or_default(),
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
        let files = files.map(|(name, text)| (Rc::from(name), Text::from(text)));
        let Ok((manifests, hooks)) = sort(&files, Compat::Helm4) else { panic!("all of it is YAML") };
        let kinds: Vec<_> = manifests.iter().map(|m| (m.kind.as_str(), m.name.as_str())).collect();
        assert_eq!(kinds, [("Service", "a"), ("Service", "d"), ("Apple", ""), ("Zebra", "")]);
        assert_eq!(hooks.len(), 1);
        assert_eq!((hooks[0].events.as_slice(), hooks[0].weight), (["pre-install", "test"].as_slice(), -5));
        assert!(hooks[0].is_test());
    }
}
