//! Helm's commands about releases that Helm 3 has written, side by side with Helm 4, on the cluster that `ONEPANE_TEST_KUBECONFIG`
//! names.

mod helm_lab;
mod side_by_side;

use helm_lab::{Lab, Step, compare};
use std::path::Path;

const MADE: &str = "/api/v1/namespaces/NAMESPACE/configmaps/x-a";

/// Releases that Helm 3 has written, read, changed, rolled back and removed; and Helm 3 goes on with what comes of it.
const OLDER_STEPS: &[Step] = &[
    Step::Older("install x c --set key=a --labels team=web --description first"),
    Step::Older("upgrade x c --set key=b --reuse-values"),
    Step::Line("list"),
    Step::Line("list -o json -l team=web"),
    Step::Line("history x"),
    Step::Line("history x -o json"),
    Step::Line("status x"),
    Step::Line("status x -o json"),
    Step::Line("get all x --revision 1"),
    Step::Line("get hooks x"),
    Step::Line("get metadata x -o json"),
    Step::Line("get values x --all"),
    // What was merged by the client goes on to be.
    Step::Line("upgrade x c --reuse-values --set list=null"),
    Step::Look(MADE, "/data"),
    Step::Look(MADE, "/metadata/managedFields"),
    Step::Line("get metadata x"),
    Step::Older("list"),
    Step::Older("list -o json"),
    Step::Older("history x"),
    Step::Older("status x"),
    Step::Older("get all x"),
    Step::Older("get values x"),
    Step::Older("get metadata x -o json"),
    Step::Older("upgrade x c --reuse-values --set key=d"),
    Step::Look(MADE, "/metadata/managedFields"),
    Step::Line("rollback x 1"),
    Step::Look(MADE, "/data"),
    Step::Older("rollback x 3"),
    Step::Look(MADE, "/data"),
    Step::Line("upgrade x c --server-side=true --set key=e"),
    Step::Look(MADE, "/metadata/managedFields"),
    Step::Older("history x -o json"),
    Step::Older("upgrade x c --set key=f"),
    Step::Look(MADE, "/data"),
    Step::Line("rollback x"),
    Step::Line("history x --max 20"),
    Step::Line("uninstall x --keep-history"),
    Step::Older("list --uninstalled"),
    Step::Older("history x"),
    Step::Older("rollback x 2"),
    Step::Look(MADE, "/data"),
    Step::Line("upgrade x c --history-max 2 --set key=g"),
    Step::Older("history x"),
    Step::Line("uninstall x"),
    Step::Older("list -q -a"),
    // And what began here.
    Step::Line("install y c --set key=a --labels team=web"),
    Step::Older("list"),
    Step::Older("get all y"),
    Step::Older("get metadata y"),
    Step::Older("upgrade y c --set key=b"),
    Step::Look("/api/v1/namespaces/NAMESPACE/configmaps/y-a", "/metadata/managedFields"),
    Step::Line("upgrade y c --set key=c"),
    Step::Older("rollback y 1"),
    Step::Line("get values y"),
    Step::Older("test y"),
    Step::Older("uninstall y --keep-history"),
    Step::Line("history y"),
    Step::Line("install y c --replace --set key=h"),
    Step::Older("uninstall y"),
    Step::Line("list -q"),
];

#[test]
fn releases_of_helm_3_go_on() {
    let Some((lab, helm)) = Lab::beside_helm_without_pods() else { return };
    let older = format!("{helm}3");
    if !Path::new(&older).is_file() {
        println!("SKIPPED: there is no `helm3` beside `helm`");
        return;
    }
    compare(&lab, &helm, &older, &format!("onepane-older-{}", std::process::id()), OLDER_STEPS, &|| ());
}
