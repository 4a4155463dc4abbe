//! Resources, held against what their kinds consist of.

use crate::scene::Item;
use crate::{Finding, Fix, Scene};
use onepane_schema::{Known, Violation, ViolationKind};

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        let (api_version, kind) = (item.resource.api_version(), item.resource.kind());
        match scene.catalogue().known(api_version, kind) {
            Known::Yes => {
                let violations = scene.catalogue().violations(&item.document, item.node());
                found.extend(violations.into_iter().filter(|one| !is_sops(item, one)).map(|one| told(item, one)));
            }
            // What was there once is told as such.
            Known::No { .. } if onepane_resource::deprecation(api_version, kind).is_some() => {}
            Known::No { meant } => found.push(unknown(scene, item, meant)),
            Known::Foreign => {
                let message =
                    format!("no definition in the repository tells what {api_version} {kind} consists of: not checked");
                found.push(Finding::new("schema-no-definition", item.place(&["kind"]), message));
            }
        }
    }
}

fn told(item: &Item<'_>, violation: Violation<'_>) -> Finding {
    let code = match violation.kind {
        ViolationKind::UnknownField => "schema-unknown-field",
        ViolationKind::Type => "schema-type",
        ViolationKind::Missing => "schema-missing-field",
        ViolationKind::Value => "schema-value",
        ViolationKind::Duplicate => "schema-duplicate",
    };
    let meant = violation.meant.clone();
    let fix = meant.clone().filter(|_| violation.is_certain).map(|meant| match violation.kind {
        ViolationKind::UnknownField => Fix::Rename(meant),
        _ => Fix::Replace(meant),
    });
    Finding::new(code, violation.at, format!("{item}: {}", violation.message))
        .meant(meant.as_deref())
        .fix(fix)
        .below(violation.value)
}

fn unknown(scene: &Scene<'_>, item: &Item<'_>, meant: Option<(String, String)>) -> Finding {
    let (api_version, kind) = (item.resource.api_version(), item.resource.kind());
    let version = scene.catalogue().version();
    let message = format!("Kubernetes {version} has no kind {kind} in {api_version}");
    // The word to mend is the one that differs.
    let differs = meant.as_ref().map(|(other, _)| other != api_version);
    let place = if differs == Some(true) { "apiVersion" } else { "kind" };
    let fix = meant.as_ref().map(|(version, kind)| Fix::Replace(if place == "kind" { kind } else { version }.clone()));
    let meant = meant.map(|(version, kind)| format!("{version} {kind}"));
    let at = item.node().get(place).unwrap_or(item.node());
    Finding::new("schema-unknown-kind", at, message).meant(meant.as_deref()).fix(fix)
}

/// What SOPS has put there goes when the resource is decrypted.
fn is_sops(item: &Item<'_>, violation: &Violation<'_>) -> bool {
    item.is_encrypted()
        && (violation.path == "sops" || violation.at.as_str().is_some_and(|text| text.starts_with("ENC[")))
}
