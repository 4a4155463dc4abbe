//! Helm's commands about releases side by side with the real Helm, where `ONEPANE_TEST_NODES_KUBECONFIG` names a cluster: every
//! line says the same and makes the same, and either goes on where the other has stopped.

mod helm_lab;
mod side_by_side;

use helm_lab::{Lab, Step, compare, kill, masked, stderr, stdout};
use regex::Regex;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const WEB: &str = "/apis/apps/v1/namespaces/NAMESPACE/deployments/web";
const THING: &str = "/apis/releases.example/v1/namespaces/NAMESPACE/things/t";

const STEPS: &[Step] = &[
    Step::Line("install x c"),
    Step::Line("install x c"),
    Step::Line("list"),
    Step::Line("list -o json"),
    Step::Line("list -o yaml"),
    Step::Line("status x"),
    Step::Line("history x"),
    Step::Line("get values x"),
    Step::Line("get values x --all"),
    Step::Line("get manifest x"),
    Step::Line("get hooks x"),
    Step::Line("get notes x"),
    Step::Line("get metadata x"),
    Step::Line("get metadata x -o json"),
    Step::Line("get all x"),
    Step::Line("upgrade x c --set key=two"),
    Step::Line("upgrade x c --reuse-values --set list=null"),
    Step::Line("get values x -o yaml"),
    Step::Line("history x -o json"),
    Step::Line("history x -o yaml"),
    Step::Line("rollback x 1"),
    Step::Line("rollback x 9"),
    Step::Line("history x --show-rollback-revision"),
    Step::Line("status x -o json"),
    Step::Line("test x"),
    Step::Line("upgrade nope c"),
    Step::Line("upgrade y c --install"),
    Step::Line("uninstall y nope"),
    Step::Line("uninstall x --keep-history"),
    Step::Line("list"),
    Step::Line("list --uninstalled -q"),
    Step::Line("status x"),
    Step::Line("uninstall x"),
    Step::Line("uninstall x"),
    Step::Line("status x"),
    Step::Line("list"),
    Step::Line("rollback x"),
    Step::Line("uninstall x --ignore-not-found"),
    Step::Line("install Bad_Name c"),
    Step::Line("install z c --dry-run=client"),
    Step::Line("install z c --dry-run=server --hide-secret"),
    Step::Line("install w d --wait --timeout 60s --labels team=web,tier=x --render-subchart-notes --description words"),
    Step::Line("list -l team=web -q"),
    Step::Line("list -l team!=web -q"),
    Step::Line("get metadata w"),
    Step::Line("get metadata w -o yaml"),
    Step::Line("test w"),
    Step::Line(
        "upgrade w d --set replicas=2 --set env[0].name=A --set env[0].value=x --wait --labels tier=null,more=1",
    ),
    Step::Look(WEB, "/spec"),
    Step::Line("get metadata w"),
    Step::Line("upgrade w d --server-side=false --set strategy=Recreate --set s.enabled=false --wait"),
    Step::Look(WEB, "/spec"),
    Step::Look("/api/v1/namespaces/NAMESPACE/secrets/s-secret", ""),
    Step::Line("upgrade w d --set kept=true --set extra.a=1 --wait=legacy"),
    Step::Look(THING, "/spec"),
    Step::Patch(THING, "application/merge-patch+json", r#"{"spec":{"other":2}}"#),
    Step::Line("upgrade w d --set extra.b=2"),
    Step::Look(THING, "/spec"),
    Step::Look("/api/v1/namespaces/NAMESPACE/configmaps/kept", "/metadata/annotations"),
    Step::Line("upgrade w d --server-side=true"),
    Step::Look(WEB, "/spec"),
    Step::Line("upgrade w d --set bad=5"),
    Step::Line("upgrade w d --set bad=5 --rollback-on-failure --timeout 20s"),
    Step::Line("history w"),
    Step::Line("upgrade w d --force-replace"),
    Step::Line("upgrade w d --force-replace --server-side=false"),
    Step::Line("upgrade w d --force-conflicts --server-side=false"),
    Step::Line("upgrade w d --force-replace --force-conflicts"),
    Step::Line("upgrade w d --server-side=maybe"),
    Step::Patch(
        "/apis/apps/v1/namespaces/NAMESPACE/deployments/web?fieldManager=other&force=true",
        "application/apply-patch+yaml",
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":3}}"#,
    ),
    Step::Line("upgrade w d --server-side=true"),
    Step::Line("upgrade w d --server-side=true --force-conflicts"),
    Step::Look(WEB, "/spec"),
    Step::Line("upgrade w d --history-max 3"),
    Step::Line("history w"),
    Step::Line("rollback w 1"),
    Step::Line("rollback w"),
    Step::Line("rollback w abc"),
    Step::Line("upgrade w d --dry-run=server --description hello"),
    Step::Line("upgrade w d --dry-run=client --hide-secret"),
    Step::Line("upgrade w d --hide-secret"),
    Step::Line("install v c --hide-secret"),
    Step::Line("upgrade w d --take-ownership --cleanup-on-fail --set bad=5"),
    Step::Line("uninstall w --dry-run"),
    Step::Line("uninstall w --cascade foreground --wait"),
    Step::Line("uninstall w --cascade nope"),
    Step::Line("install w2 d --set kept=true"),
    Step::Line("install w2 d --set kept=true --take-ownership --skip-crds --wait --wait-for-jobs"),
    Step::Line("uninstall w2 --keep-history --description bye"),
    Step::Line("history w2"),
    Step::Line("install w2 d --replace"),
    Step::Line("history w2"),
    Step::Line("upgrade w2 d --install"),
    Step::Line("uninstall w2"),
    Step::Line("install m nosuch"),
    Step::Line("install m c --set-json x"),
    Step::Line("upgrade m c --wait=bogus"),
    Step::Line("rollback"),
    Step::Line("status"),
    Step::Line("list bogus"),
    Step::Line("uninstall"),
    Step::Line("test"),
    Step::Line("history"),
    Step::Line("rollback nope"),
    Step::Line("status nope"),
    Step::Line("history nope"),
    Step::Line("test nope"),
    Step::Line("get values nope"),
    Step::Line("status Nope_"),
    Step::Line("history Nope_"),
    Step::Line("uninstall Nope_"),
    Step::Line("rollback Nope_"),
    Step::Line("test Nope_"),
    Step::Line("upgrade Nope_ c"),
    Step::Line("list -o bogus"),
    Step::Line("install f d --set bad=5"),
    Step::Line("list --failed"),
    Step::Line("list --pending"),
    Step::Line("upgrade f d"),
    Step::Line("uninstall f"),
    Step::Line("upgrade f c --install --set key=a"),
    Step::Line("upgrade f c --reset-then-reuse-values"),
    Step::Line("get values f"),
    Step::Line("upgrade f c --reset-values"),
    Step::Line("get values f"),
    Step::Line("get all f --template {{.Release.Name}}{{.Release.Info.Status}}"),
    Step::Line("list --time-format 2006"),
    Step::Line("list --no-headers"),
    Step::Line("uninstall f --no-hooks"),
];

#[test]
fn every_line_says_and_does_what_helms_does() {
    let Some((lab, helm)) = Lab::beside_helm() else { return };
    let namespace = format!("onepane-releases-{}", std::process::id());
    compare(&lab, &helm, &helm, &namespace, STEPS, &|| lab.remove_definition());
}

#[test]
fn releases_are_kept_in_configmaps_as_helm_does() {
    let Some((mut lab, helm)) = Lab::beside_helm_without_pods() else { return };
    lab.driver = "configmap";
    let namespace = format!("onepane-configmaps-{}", std::process::id());
    let steps = [
        Step::Line("install x c --labels team=web"),
        Step::Look("/api/v1/namespaces/NAMESPACE/secrets/sh.helm.release.v1.x.v1", ""),
        Step::Look("/api/v1/namespaces/NAMESPACE/configmaps/sh.helm.release.v1.x.v1", "/metadata/labels"),
        Step::Line("list -o json"),
        Step::Line("upgrade x c --set key=two"),
        // The real one, whoever has written.
        Step::Older("history x -o json"),
        Step::Older("get all x"),
        Step::Older("upgrade x c --set key=three"),
        Step::Line("get values x"),
        Step::Line("rollback x 1"),
        Step::Older("rollback x 2"),
        Step::Line("history x"),
        Step::Line("status x"),
        Step::Line("uninstall x --keep-history"),
        Step::Older("status x -o json"),
        Step::Line("install x c --replace"),
        Step::Line("upgrade x c --history-max 2"),
        Step::Older("history x"),
        Step::Older("uninstall x"),
        Step::Line("list -a -q"),
        Step::Look("/api/v1/namespaces/NAMESPACE/configmaps/sh.helm.release.v1.x.v1", ""),
    ];
    compare(&lab, &helm, &helm, &namespace, &steps, &|| ());
}

/// Whoever reads, the same is read.
const READINGS: &[&str] = &[
    "list",
    "list -o json",
    "status x",
    "status x -o json",
    "history x",
    "history x -o json",
    "get all x",
    "get values x -o json",
    "get manifest x",
    "get metadata x -o json",
    "get hooks x",
    "get notes x",
];

#[test]
fn either_goes_on_where_the_other_stopped() {
    let Some((lab, helm)) = Lab::beside_helm() else { return };
    let namespace = format!("onepane-turns-{}", std::process::id());
    let mut readings = 0;
    let ages = Regex::new(r"(?m) \d+s$").expect("it is one");
    for (first, second) in [(None, Some(helm.as_str())), (Some(helm.as_str()), None)] {
        lab.make_namespace(&namespace);
        let lines = [
            (first, "install x c --set key=a --labels team=web"),
            (second, "upgrade x c --set key=b --wait"),
            (first, "upgrade x c --reuse-values --set list=null"),
            (second, "rollback x 1"),
            (first, "rollback x 2 --wait"),
            (second, "upgrade x c --server-side=false --set key=d"),
            (first, "upgrade x c --set key=e"),
            (second, "upgrade x c --server-side=true"),
            (first, "test x"),
            (second, "uninstall x --keep-history"),
            (first, "install x c --replace --set key=f"),
            (second, "upgrade x c --history-max 2"),
        ];
        for (tool, line) in lines {
            let done = lab.run(tool, &namespace, line);
            assert!(done.status.success(), "{tool:?} {line}: {}{}", stdout(&done), stderr(&done));
            for reading in READINGS {
                let [ours, theirs] = [None, Some(helm.as_str())].map(|tool| {
                    let output = lab.run(tool, &namespace, reading);
                    let text = ages.replace_all(&stdout(&output), " AGE").into_owned();
                    (output.status.code(), text, stderr(&output))
                });
                assert_eq!(ours, theirs, "{reading} after {line}");
                readings += 1;
            }
        }
        let gone = lab.run(first, &namespace, "uninstall x");
        assert!(gone.status.success(), "{}{}", stdout(&gone), stderr(&gone));
        for tool in [first, second] {
            assert_eq!(stdout(&lab.run(tool, &namespace, "list -q")), "");
        }
    }
    lab.remove_namespace(&namespace);
    println!("{readings} readings are the same, whoever reads and whoever wrote");
}

#[test]
fn helms_own_pending_revisions_are_left_alone() {
    let Some((lab, helm)) = Lab::beside_helm() else { return };
    assert!(Path::new(&helm).is_file());
    let namespace = format!("onepane-pending-{}", std::process::id());
    lab.make_namespace(&namespace);
    lab.room.write("slow/Chart.yaml", "apiVersion: v2\nname: slow\nversion: 0.1.0\n");
    lab.room.write(
        "slow/templates/a.yaml",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: \"{{ .Release.Name }}\"}\nspec: {storageClassName: none, \
         accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
    );
    for tool in [Some(helm.as_str()), None] {
        let name = if tool.is_some() { "theirs" } else { "ours" };
        let mut command = lab.command(tool, &namespace, &format!("install {name} slow --wait --timeout 5m"));
        let said = lab.room.path.join("said");
        command.stdout(Stdio::null()).stderr(std::fs::File::create(&said).expect("it can be made"));
        let child = command.spawn().expect("it can be run");
        let start = Instant::now();
        let pending = format!("list --pending -q --filter {name}");
        while stdout(&lab.run(None, &namespace, &pending)).is_empty() {
            let said = || std::fs::read_to_string(&said).expect("it is there");
            assert!(start.elapsed() < Duration::from_secs(30), "nothing is ever pending: {}", said());
            std::thread::sleep(Duration::from_millis(100));
        }
        // Somebody is at work.
        let busy = lab.run(None, &namespace, &format!("upgrade {name} c"));
        let wanted = "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n";
        assert_eq!(stderr(&busy), wanted, "{name}");
        kill(child);
        let after = lab.run(None, &namespace, &format!("upgrade {name} c"));
        // Of Helm's own, nobody knows; and the next has to remove the claim of the first.
        match tool {
            Some(_) => assert_eq!(stderr(&after), wanted),
            None => assert!(after.status.success(), "{}", stderr(&after)),
        }
        if tool.is_some() {
            lab.run(None, &namespace, &format!("uninstall {name}"));
        }
    }
    let claim = format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims/ours");
    let left = lab.get(&claim).filter(|claim| claim["metadata"]["deletionTimestamp"].is_null());
    assert!(left.is_none(), "what was begun and left is removed: {left:?}");
    lab.remove_namespace(&namespace);
}

#[cfg(unix)]
#[test]
fn whoever_is_asked_to_end_says_what_became_of_it() {
    let Some((lab, helm)) = Lab::beside_helm() else { return };
    let namespace = format!("onepane-ends-{}", std::process::id());
    lab.make_namespace(&namespace);
    lab.room.write("slow/Chart.yaml", "apiVersion: v2\nname: slow\nversion: 0.1.0\n");
    lab.room.write(
        "slow/templates/a.yaml",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {storageClassName: none, accessModes: \
         [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
    );
    let seen = [Some(helm.as_str()), None].map(|tool| {
        let mut command = lab.command(tool, &namespace, "install s slow --wait --timeout 5m");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("it can be run");
        let start = Instant::now();
        while stdout(&lab.run(None, &namespace, "list --pending -q")).is_empty() {
            assert!(start.elapsed() < Duration::from_secs(30), "nothing is ever pending");
            std::thread::sleep(Duration::from_millis(100));
        }
        std::thread::sleep(Duration::from_secs(1));
        let process = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("it is one");
        rustix::process::kill_process(process, rustix::process::Signal::TERM).expect("it can be asked");
        let output = child.wait_with_output().expect("it ends");
        let history = stdout(&lab.run(None, &namespace, "history s"));
        lab.run(None, &namespace, "uninstall s");
        masked(&format!("{:?}\n{}{}{history}", output.status.code(), stdout(&output), stderr(&output)))
    });
    lab.remove_namespace(&namespace);
    assert_eq!(seen[0], seen[1]);
    assert!(seen[1].contains("Release s has been cancelled.\n"), "{}", seen[1]);
}
