//! Helm's commands about releases: on a cluster in the process, killed at any moment, and, where `ONEPANE_TEST_NODES_KUBECONFIG`
//! names a cluster, side by side with the real Helm: every line says the same and makes the same, and either goes on where
//! the other has stopped.

mod side_by_side;

use kube::config::{KubeConfigOptions, Kubeconfig};
use onepane_embedded::{Effect, Embedded, Filter, Options, When};
use onepane_testkit::Random;
use regex::Regex;
use serde_json::{Value, json};
use side_by_side::pair::helm;
use side_by_side::support::Room;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A room with charts, and a cluster.
struct Lab {
    room: Room,
    kubeconfig: String,
    runtime: tokio::runtime::Runtime,
    client: kube::Client,
    /// `HELM_DRIVER`; nothing where it is not set.
    driver: &'static str,
}

/// A small chart: a ConfigMap, a hook, notes.
const SMALL: &[(&str, &str)] = &[
    ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\nappVersion: \"1.2\"\ndescription: a chart\n"),
    ("c/values.yaml", "key: one\nlist: [1, 2]\nbig: 1000000\n"),
    (
        "c/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Release.Name }}-a\"}\ndata:\n  key: {{ .Values.key | quote }}\n  \
         revision: {{ .Release.Revision | quote }}\n",
    ),
    (
        "c/templates/hook.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-hook\n  annotations: {helm.sh/hook: \
         \"pre-install,pre-upgrade\"}\ndata: {}\n",
    ),
    ("c/templates/NOTES.txt", "Thanks for {{ .Chart.Name }} {{ .Release.Revision }}\n"),
];

/// A larger one: a workload, a subchart, a definition, Jobs that are hooks and tests.
const LARGE: &[(&str, &str)] = &[
    (
        "d/Chart.yaml",
        "apiVersion: v2\nname: d\nversion: 0.2.0\nannotations: {b: x, a: \"y,z\"}\ndependencies:\n- {name: s, version: 0.1.0, \
         condition: s.enabled}\n",
    ),
    ("d/values.yaml", "image: nginx\nreplicas: 1\nstrategy: RollingUpdate\nextra: {}\ns: {enabled: true}\n"),
    ("d/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 0.1.0\n"),
    ("d/charts/s/values.yaml", "v: sub\n"),
    ("d/charts/s/templates/NOTES.txt", "subnotes {{ .Values.v }}\n"),
    (
        "d/charts/s/templates/s.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s-secret}\nstringData: {v: \"{{ .Values.v }}\"}\n",
    ),
    (
        "d/crds/thing.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.releases.example}\nspec:\n  \
         group: releases.example\n  scope: Namespaced\n  names: {kind: Thing, plural: things, singular: thing}\n  versions: \
         [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, \
         x-kubernetes-preserve-unknown-fields: true}}}]\n",
    ),
    (
        "d/templates/web.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: {{ .Values.replicas }}\n  strategy: \
         {type: {{ .Values.strategy }}}\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: \
         web}}\n    spec:\n      containers:\n      - name: main\n        image: {{ .Values.image }}\n        {{- with \
         .Values.env }}\n        env: {{ toJson . }}\n        {{- end }}\n---\napiVersion: releases.example/v1\nkind: \
         Thing\nmetadata: {name: t}\nspec: {{ toJson .Values.extra }}\n{{- if .Values.kept }}\n---\napiVersion: v1\nkind: \
         ConfigMap\nmetadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}\n{{- end }}\n{{- if .Values.bad \
         }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: zbad}\ndata: {x: {{ .Values.bad }}}\n{{- end }}\n",
    ),
    (
        "d/templates/hooks.yaml",
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: pre, annotations: {helm.sh/hook: \
         \"pre-install,pre-upgrade,pre-rollback,pre-delete\", helm.sh/hook-weight: \"-3\", helm.sh/hook-delete-policy: \
         \"before-hook-creation,hook-succeeded\"}}\nspec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, \
         containers: [{name: main, image: job}]}}}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: tst, annotations: \
         {helm.sh/hook: test}}\nspec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: main, \
         image: job}]}}}\n",
    ),
];

impl Lab {
    fn new(kubeconfig: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let room = Room::new();
        for (path, text) in SMALL.iter().chain(LARGE) {
            room.write(path, text);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let file = Kubeconfig::read_from(kubeconfig).expect("it is a kubeconfig");
        let client = runtime.block_on(async {
            let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            kube::Client::try_from(config.expect("it can be used")).expect("it can be used")
        });
        Self { room, kubeconfig: kubeconfig.to_owned(), runtime, client, driver: "" }
    }

    /// On a cluster in the process.
    fn embedded() -> (Embedded, tempfile::TempDir, Self) {
        let cluster = Embedded::start(Options::default()).expect("it starts");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("kubeconfig");
        std::fs::write(&path, cluster.kubeconfig()).expect("it can be written");
        let lab = Self::new(path.to_str().expect("it is UTF-8"));
        (cluster, folder, lab)
    }

    /// On the cluster that is named, beside the real Helm; a line says so where one is absent.
    fn beside_helm() -> Option<(Self, String)> {
        let Ok(kubeconfig) = std::env::var("ONEPANE_TEST_NODES_KUBECONFIG") else {
            println!(
                "SKIPPED: ONEPANE_TEST_NODES_KUBECONFIG names no kubeconfig of a cluster on which pods become ready"
            );
            return None;
        };
        Some((Self::new(&kubeconfig), helm()?))
    }

    /// The same for what needs no pods, on any cluster that is named.
    fn beside_helm_without_pods() -> Option<(Self, String)> {
        let named = ["ONEPANE_TEST_NODES_KUBECONFIG", "ONEPANE_TEST_KUBECONFIG"];
        let Some(kubeconfig) = named.iter().find_map(|name| std::env::var(name).ok()) else {
            println!("SKIPPED: ONEPANE_TEST_KUBECONFIG names no kubeconfig of a cluster");
            return None;
        };
        Some((Self::new(&kubeconfig), helm()?))
    }

    /// A command line of Helm's, for a tool: the real one, or ours where none is named.
    fn command(&self, tool: Option<&str>, namespace: &str, line: &str) -> Command {
        let mut command = Command::new(tool.unwrap_or(env!("CARGO_BIN_EXE_onepane")));
        command.env_clear();
        if tool.is_none() {
            command.arg("helm");
        }
        command.args(line.split_whitespace()).current_dir(&self.room.path).stdin(Stdio::null());
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HOME"] {
            command.env(name, self.room.variable(name).expect("it is one of the room's"));
        }
        command.env("KUBECONFIG", &self.kubeconfig).env("HELM_NAMESPACE", namespace);
        if !self.driver.is_empty() {
            command.env("HELM_DRIVER", self.driver);
        }
        command
    }

    fn run(&self, tool: Option<&str>, namespace: &str, line: &str) -> Output {
        self.command(tool, namespace, line).output().expect("it can be run")
    }

    /// What ours prints, which has to succeed.
    fn ours(&self, line: &str) -> String {
        let output = self.run(None, "default", line);
        assert!(output.status.success(), "{line}: {}{}", stdout(&output), stderr(&output));
        stdout(&output)
    }

    fn ask(&self, method: &str, path: &str, content: &str, body: &Value) -> Option<Value> {
        let request = http::Request::builder().method(method).uri(path).header("content-type", content);
        let request = request.body(body.to_string().into_bytes()).expect("it is a request");
        self.runtime.block_on(self.client.request(request)).ok()
    }

    fn get(&self, path: &str) -> Option<Value> {
        self.ask("GET", path, "application/json", &Value::Null)
    }

    /// Makes a namespace; one of the same name is first removed.
    fn make_namespace(&self, name: &str) {
        self.remove_namespace(name);
        let body = json!({"metadata": {"name": name}});
        self.ask("POST", "/api/v1/namespaces", "application/json", &body).expect("it is made");
    }

    fn remove_namespace(&self, name: &str) {
        self.remove(&format!("/api/v1/namespaces/{name}"));
    }

    /// Removes the definition of the large chart, which only one test uses on the named cluster.
    fn remove_definition(&self) {
        self.remove("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.releases.example");
    }

    fn remove(&self, path: &str) {
        self.ask("DELETE", path, "application/json", &json!({}));
        let start = Instant::now();
        while self.get(path).is_some() {
            assert!(start.elapsed() < Duration::from_secs(60), "{path} does not go");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

#[test]
fn a_release_lives_without_a_cluster() {
    let (_cluster, _folder, lab) = Lab::embedded();
    let installed = lab.ours("install x c --wait");
    let wanted = "NAMESPACE: default\nSTATUS: deployed\nREVISION: 1\nDESCRIPTION: Install complete\nTEST SUITE: None\nNOTES:\n\
                  Thanks for c 1\n";
    assert!(installed.starts_with("NAME: x\nLAST DEPLOYED: ") && installed.ends_with(wanted), "{installed}");
    let refused = lab.run(None, "default", "install x c");
    let wanted = "Error: INSTALLATION FAILED: release name check failed: cannot reuse a name that is still in use\n";
    assert!(stderr(&refused).ends_with(wanted), "{}", stderr(&refused));
    assert!(
        lab.ours("upgrade x c --set key=two").starts_with("Release \"x\" has been upgraded. Happy Helming!\nNAME: x\n")
    );
    assert_eq!(lab.ours("get values x"), "USER-SUPPLIED VALUES:\nkey: two\n");
    assert_eq!(lab.ours("get values x --all -o json"), "{\"big\":1000000,\"key\":\"two\",\"list\":[1,2]}\n");
    // Values stay, if no others are given.
    lab.ours("upgrade x c");
    assert_eq!(lab.ours("get values x"), "USER-SUPPLIED VALUES:\nkey: two\n");
    assert_eq!(lab.ours("rollback x 1"), "Rollback was a success! Happy Helming!\n");
    let history: Value = serde_json::from_str(&lab.ours("history x -o json")).expect("it is JSON");
    let statuses: Vec<&str> =
        history.as_array().expect("a list").iter().map(|it| it["status"].as_str().expect("a text")).collect();
    assert_eq!(statuses, ["superseded", "superseded", "superseded", "deployed"]);
    assert!(lab.ours("get manifest x").contains("key: \"one\""));
    assert_eq!(lab.ours("list -q"), "x\n");
    assert!(lab.ours("status x").contains("RESOURCES:\n==> v1/ConfigMap\nNAME   DATA   AGE\nx-a    2      "));
    let dry = lab.ours("upgrade y c --install --dry-run=server --set key=z");
    assert!(dry.contains("MANIFEST:\n---\n# Source: c/templates/a.yaml\n") && dry.contains("key: \"z\""), "{dry}");
    assert_eq!(lab.ours("list -q"), "x\n");
    lab.ours("install d d --wait --timeout 60s");
    assert!(lab.ours("test d").contains("TEST SUITE:     tst\n"));
    assert_eq!(lab.ours("uninstall x d"), "release \"x\" uninstalled\nrelease \"d\" uninstalled\n");
    assert_eq!(lab.ours("list -q"), "");
    let gone = lab.run(None, "default", "status x");
    assert_eq!((gone.status.code(), stderr(&gone).as_str()), (Some(1), "Error: release: not found\n"));
}

#[test]
fn many_of_a_kind_are_looked_for_at_once() {
    let (cluster, _folder, lab) = Lab::embedded();
    lab.room.write("m/Chart.yaml", "apiVersion: v2\nname: m\nversion: 0.1.0\n");
    lab.room.write(
        "m/templates/a.yaml",
        "{{- range until 20 }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m-{{ . }}}\n{{- end }}\n",
    );
    let faults = cluster.faults();
    faults.reset_counts();
    lab.ours("install m m");
    let counts =
        (faults.count("list", "configmaps"), faults.count("get", "configmaps"), faults.count("apply", "configmaps"));
    assert_eq!(counts, (1, 0, 20));
    // Of what is there it is still asked whose it is.
    let refused = lab.run(None, "default", "install n m");
    let wanted =
        "unable to continue with install: ConfigMap \"m-0\" in namespace \"default\" exists and cannot be imported";
    assert!(stderr(&refused).contains(wanted), "{}", stderr(&refused));
    lab.ours("upgrade m m");
    lab.ours("uninstall m");
    // Whoever can't list asks for each.
    let filter = Filter { verb: Some("list".to_owned()), resource: Some("configmaps".to_owned()), ..Filter::default() };
    faults.inject(filter, When::Always, Effect::InternalError);
    faults.reset_counts();
    lab.ours("install m m");
    assert_eq!((faults.count("get", "configmaps"), faults.count("apply", "configmaps")), (20, 20));
}

/// Ends a process without a chance for it to say anything.
fn kill(mut child: Child) {
    child.kill().expect("it can be ended");
    child.wait().expect("it ends");
}

#[test]
fn whoever_is_killed_leaves_no_release_stuck() {
    // A thousand by hand.
    let kills = std::env::var("ONEPANE_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(12);
    let (_cluster, _folder, lab) = Lab::embedded();
    let mut random = Random(11);
    let mut cut_short = 0;
    // As long as it takes, at every moment of that.
    let start = Instant::now();
    lab.ours("install x c");
    let whole = usize::try_from(start.elapsed().as_micros()).expect("it is not for ever");
    for turn in 0..kills {
        let lines = ["upgrade x c --install --set key=a", "rollback x", "uninstall x", "upgrade x d --install"];
        let line = lines[random.below(if turn % 4 == 0 { 4 } else { 3 })];
        let mut command = lab.command(None, "default", line);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it can be run");
        std::thread::sleep(Duration::from_micros(random.below(whole) as u64));
        cut_short += u32::from(child.try_wait().expect("it can be asked").is_none());
        kill(child);
        let key = format!("k{turn}");
        let start = Instant::now();
        let next = lab.run(None, "default", &format!("upgrade x c --install --set key={key}"));
        let said = || format!("turn {turn}, {line}: {}{}", stdout(&next), stderr(&next));
        assert!(next.status.success(), "{}", said());
        assert!(start.elapsed() < Duration::from_secs(15), "it is known at once that nobody is at work: {}", said());
        let history: Value = serde_json::from_str(&lab.ours("history x -o json")).expect("it is JSON");
        let statuses: Vec<&str> =
            history.as_array().expect("a list").iter().filter_map(|revision| revision["status"].as_str()).collect();
        let is_stuck = |status: &&str| status.starts_with("pending") || *status == "uninstalling";
        assert!(!statuses.iter().any(is_stuck) && statuses.last() == Some(&"deployed"), "{}: {statuses:?}", said());
        let data = lab.get("/api/v1/namespaces/default/configmaps/x-a").expect("it is there");
        assert_eq!(data["data"]["key"], *key);
        assert!(lab.get("/apis/apps/v1/namespaces/default/deployments/web").is_none(), "{}", said());
    }
    println!("{kills} runs, {cut_short} killed midway");
    assert!(cut_short > kills as u32 / 4, "{cut_short}");
}

/// What is done with both tools.
enum Step {
    /// A command line, of which everything is compared that it prints.
    Line(&'static str),
    /// The same of Helm 3, which then goes first or on.
    Older(&'static str),
    /// What is at a path, of which a part is compared.
    Look(&'static str, &'static str),
    /// Somebody else changes something.
    Patch(&'static str, &'static str, &'static str),
}

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

/// What differs between two runs, whoever runs: times, and what is made up.
fn masked(text: &str) -> String {
    let masks = [
        (r"\d{4}-\d{2}-\d{2}[T ][0-9:.]+(Z|[+-]\d{2}:?\d{2}|( [+-]\d{4} \w+))?", "TIME"),
        (r"\w{3} \w{3} +\d+ [0-9:]+ \d{4}", "TIME"),
        (r#"((?:created|modified)At(?:=|":"|: "?))\d+"#, "${1}N"),
        (r#"((?:created|modified)At": String\(")\d+"#, "${1}N"),
        (r#""(resourceVersion|uid|creationTimestamp)":"[^"]*""#, "MADE"),
        (r"(TIME|UPDATED) *\t", "$1\t"),
        (r"(?m) \d+s$", " AGE"),
    ];
    let mut text = text.to_owned();
    for (pattern, by) in masks {
        text = Regex::new(pattern).expect("it is one").replace_all(&text, by).into_owned();
    }
    text
}

/// What comes of steps that `tool` takes in a namespace; those of Helm 3 are taken by `older`.
fn outcomes(lab: &Lab, tool: Option<&str>, older: &str, namespace: &str, steps: &[Step]) -> Vec<String> {
    lab.make_namespace(namespace);
    let said = |line: &str, output: &Output| {
        masked(&format!("{line}\n{:?}\n{}{}", output.status.code(), stdout(output), stderr(output)))
    };
    let run = |step: &Step| match step {
        Step::Line(line) => said(line, &lab.run(tool, namespace, line)),
        Step::Older(line) => said(line, &lab.run(Some(older), namespace, line)),
        Step::Look(path, pointer) => {
            let object = lab.get(&path.replace("NAMESPACE", namespace));
            masked(&format!("{path}: {:?}", object.as_ref().and_then(|object| object.pointer(pointer))))
        }
        Step::Patch(path, content, body) => {
            let body = serde_json::from_str(body).expect("it is JSON");
            let patched = lab.ask("PATCH", &path.replace("NAMESPACE", namespace), content, &body);
            format!("{path}: {}", patched.is_some())
        }
    };
    steps.iter().map(run).collect()
}

/// Takes the steps with both tools, and compares all that comes of them. `clear` removes what is in no namespace, before and
/// behind each.
fn compare(lab: &Lab, helm: &str, older: &str, namespace: &str, steps: &[Step], clear: &dyn Fn()) {
    clear();
    let theirs = outcomes(lab, Some(helm), older, namespace, steps);
    clear();
    let ours = outcomes(lab, None, older, namespace, steps);
    clear();
    lab.remove_namespace(namespace);
    let different: Vec<String> = theirs
        .iter()
        .zip(&ours)
        .filter(|(theirs, ours)| theirs != ours)
        .map(|(theirs, ours)| format!("THEIRS {theirs}\nOURS   {ours}\n"))
        .collect();
    assert!(different.is_empty(), "{} of {} differ\n{}", different.len(), theirs.len(), different.join("\n"));
    println!("{} steps are as Helm's", ours.len());
}

#[test]
fn every_line_says_and_does_what_helms_does() {
    let Some((lab, helm)) = Lab::beside_helm() else { return };
    let namespace = format!("onepane-releases-{}", std::process::id());
    compare(&lab, &helm, &helm, &namespace, STEPS, &|| lab.remove_definition());
}

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

#[test]
fn other_places_for_releases_are_refused() {
    let (_cluster, _folder, mut lab) = Lab::embedded();
    for (driver, words) in [
        // As in Helm, which in this way reads releases from files for its own tests, and reaches no cluster.
        ("memory", "Error: Unable to read memory driver data: open : no such file or directory\n"),
        ("sql", "Error: HELM_DRIVER=sql is not supported: releases are kept in secrets or configmaps\n"),
        ("paper", "Error: unknown driver \"paper\"\n"),
    ] {
        lab.driver = driver;
        for line in ["install x c", "list", "uninstall x"] {
            let refused = lab.run(None, "default", line);
            let said = stderr(&refused).replace("INSTALLATION FAILED: ", "");
            assert_eq!((refused.status.code(), said.as_str()), (Some(1), words), "{driver} {line}");
        }
    }
    lab.driver = "configmaps";
    lab.ours("install x c");
    assert!(lab.get("/api/v1/namespaces/default/configmaps/sh.helm.release.v1.x.v1").is_some());
    assert_eq!(lab.ours("list -q"), "x\n");
    lab.driver = "secret";
    assert_eq!(lab.ours("list -q"), "");
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
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {storageClassName: none, accessModes: \
         [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
    );
    for tool in [Some(helm.as_str()), None] {
        let name = if tool.is_some() { "theirs" } else { "ours" };
        let mut command = lab.command(tool, &namespace, &format!("install {name} slow --wait --timeout 5m"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("it can be run");
        let start = Instant::now();
        let pending = format!("list --pending -q --filter {name}");
        while stdout(&lab.run(None, &namespace, &pending)).is_empty() {
            assert!(start.elapsed() < Duration::from_secs(30), "nothing is ever pending");
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
    let claim = format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims/a");
    let left = lab.get(&claim).filter(|claim| claim["metadata"]["deletionTimestamp"].is_null());
    assert!(left.is_none(), "what was begun and left is removed: {left:?}");
    lab.remove_namespace(&namespace);
}

#[test]
#[cfg(unix)]
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
