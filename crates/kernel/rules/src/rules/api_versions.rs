//! API versions that are on their way out, or out.

use crate::{Finding, Fix, Scene};
use onepane_resource::deprecation;
use serde_json::Value;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let version = scene.catalogue().version();
    for item in scene.judged() {
        let (api_version, kind) = (item.resource.api_version(), item.resource.kind());
        let Some(deprecated) = deprecation(api_version, kind).filter(|known| known.since <= version.numbers()) else {
            continue;
        };
        let shown = |(major, minor): (u32, u32)| format!("{major}.{minor}");
        let removed = deprecated.removed.filter(|removed| *removed <= version.numbers());
        let (code, message) = match (removed, deprecated.removed) {
            (Some(removed), _) => {
                ("api-removed", format!("{item}: {api_version} {kind} is gone since Kubernetes {}", shown(removed)))
            }
            (None, Some(removed)) => (
                "api-deprecated",
                format!("{item}: {api_version} {kind} is deprecated, and gone from Kubernetes {} on", shown(removed)),
            ),
            (None, None) => ("api-deprecated", format!("{item}: {api_version} {kind} is deprecated")),
        };
        let at = item.node().get("apiVersion").unwrap_or(item.node());
        let mut finding = Finding::new(code, at, message);
        if !deprecated.replacement.is_empty() {
            finding = finding.hint(format!("use {}", deprecated.replacement));
        }
        // If it is right as the newer version, too, that one can be written for it.
        if let Some((newer, other)) = deprecated.replacement.split_once(' ')
            && other == kind
            && scene.catalogue().kind(newer, kind).is_some()
        {
            let mut document = item.document.clone();
            document["apiVersion"] = Value::from(newer);
            if scene.catalogue().violations(&document, item.node()).is_empty() {
                finding = finding.fix(Some(Fix::Replace(newer.to_owned())));
            }
        }
        found.push(finding);
    }
}
