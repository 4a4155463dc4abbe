//! Releases that Helm 3 or Helm 4 has left behind half done: failed, pending, being uninstalled. Whatever is done with one then,
//! Helm 4 does the same, on the cluster that `ONEPANE_TEST_KUBECONFIG` names.

mod helm_lab;
mod side_by_side;

use helm_lab::{Lab, Step, compare};
use std::path::Path;

/// What is done with a release `NAME` that was left, of which one is tried at a time.
const NEXT: &[&[&str]] = &[
    &["upgrade NAME c --set key=c"],
    &["upgrade NAME c --install --set key=c"],
    &["upgrade NAME c --install --reuse-values"],
    &["upgrade NAME c --install --rollback-on-failure --timeout 20s"],
    &["upgrade NAME c --install --force-replace"],
    &["install NAME c"],
    &["install NAME c --replace"],
    &["rollback NAME"],
    &["rollback NAME 1"],
    &["uninstall NAME"],
    &["uninstall NAME --keep-history", "uninstall NAME", "uninstall NAME --keep-history", "upgrade NAME c --install"],
    &["uninstall NAME --no-hooks --ignore-not-found", "uninstall NAME --ignore-not-found"],
    &["test NAME"],
];

/// What is read of it, before and after.
const READ: &[&str] = &[
    "list --filter ^NAME$",
    "list --all --filter ^NAME$ -o json",
    "list --failed -q --filter ^NAME$",
    "list --pending -q --filter ^NAME$",
    "list --uninstalling -q --filter ^NAME$",
    "list --deployed -q --filter ^NAME$",
    "status NAME",
    "status NAME -o json",
    "history NAME",
    "history NAME -o json",
    "get values NAME",
    "get manifest NAME",
];

fn text(line: &str, name: &str) -> &'static str {
    Box::leak(line.replace("NAME", name).into_boxed_str())
}

/// The steps for one status, with a release for each thing that may be done next.
fn steps(status: &'static str, has_earlier: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    for (at, lines) in NEXT.iter().enumerate() {
        let name = text(&format!("r{at}"), "");
        steps.push(Step::Older(text("install NAME c --set key=a", name)));
        let revision = if has_earlier { 2 } else { 1 };
        if has_earlier {
            steps.push(Step::Older(text("upgrade NAME c --set key=b", name)));
            if status.starts_with("pending") || status == "failed" {
                // What was there before stays so until the next has succeeded.
                steps.push(Step::Leave(name, 1, "deployed"));
            }
        }
        steps.push(Step::Leave(name, revision, status));
        if at == 0 {
            steps.extend(READ.iter().map(|line| Step::Line(text(line, name))));
        }
        for line in *lines {
            steps.push(Step::Line(text(line, name)));
            steps.push(Step::Line(text("history NAME", name)));
            let made = format!("/api/v1/namespaces/NAMESPACE/configmaps/{name}-a");
            steps.push(Step::Look(Box::leak(made.into_boxed_str()), "/data"));
        }
        steps.push(Step::Line(text("status NAME -o json", name)));
        // The one that has left it goes on with what comes of it.
        steps.push(Step::Older(text("upgrade NAME c --install --set key=d", name)));
    }
    steps
}

/// The statuses that are tried, each of a first revision or of one after another, the first two with Helm 3; more with
/// `ONEPANE_LEFT=all`, by hand.
const CASES: &[(&str, bool)] =
    &[("failed", true), ("uninstalling", true), ("pending-install", false), ("pending-upgrade", true)];
const MORE_CASES: &[(&str, bool)] = &[
    ("failed", false),
    ("uninstalling", false),
    ("uninstalled", false),
    ("unknown", false),
    ("pending-rollback", true),
];

fn compare_all(lab: &Lab, helm: &str, older: &str, called: &str, some: &[(&'static str, bool)]) {
    let mut cases = some.to_vec();
    if std::env::var("ONEPANE_LEFT").is_ok_and(|value| value == "all") {
        cases = [CASES, MORE_CASES].concat();
    }
    let mut differing = Vec::new();
    for (at, (status, has_earlier)) in cases.into_iter().enumerate() {
        let namespace = format!("onepane-left-{called}-{at}-{}", std::process::id());
        let compared = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            compare(lab, helm, older, &namespace, &steps(status, has_earlier), &|| ());
        }));
        if compared.is_err() {
            differing.push(format!("{status}, {}", if has_earlier { "after another" } else { "the first" }));
        }
    }
    assert!(differing.is_empty(), "differing: {differing:?}");
}

#[test]
fn what_helm_4_has_left_is_taken_up_as_helm_does() {
    let Some((lab, helm)) = Lab::beside_helm_without_pods() else { return };
    compare_all(&lab, &helm, &helm, "four", CASES);
}

#[test]
fn what_helm_3_has_left_is_taken_up_as_helm_does() {
    let Some((lab, helm)) = Lab::beside_helm_without_pods() else { return };
    let older = format!("{helm}3");
    if !Path::new(&older).is_file() {
        println!("SKIPPED: there is no `helm3` beside `helm`");
        return;
    }
    compare_all(&lab, &helm, &older, "three", &CASES[..2]);
}
