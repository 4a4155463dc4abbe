//! What the tests of releases share: charts, a cluster, and steps that are taken by Helm and by us.
#![allow(dead_code, reason = "each test program uses a part of it")]

use crate::side_by_side::pair::{assert_alike, helm};
use crate::side_by_side::support::Room;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::config::{KubeConfigOptions, Kubeconfig};
use onepane_embedded::{Embedded, Options};
use regex::Regex;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A room with charts, and a cluster.
pub(crate) struct Lab {
    pub(crate) room: Room,
    pub(crate) kubeconfig: String,
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) client: kube::Client,
    /// `HELM_DRIVER`; nothing where it is not set.
    pub(crate) driver: &'static str,
}

/// A small chart: a ConfigMap, a hook, notes.
pub(crate) const SMALL: &[(&str, &str)] = &[
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
pub(crate) const LARGE: &[(&str, &str)] = &[
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
    pub(crate) fn new(kubeconfig: &str) -> Self {
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
    pub(crate) fn embedded() -> (Embedded, tempfile::TempDir, Self) {
        let cluster = Embedded::start(Options::default()).expect("it starts");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("kubeconfig");
        std::fs::write(&path, cluster.kubeconfig()).expect("it can be written");
        let lab = Self::new(path.to_str().expect("it is UTF-8"));
        (cluster, folder, lab)
    }

    /// On the cluster that is named, beside the real Helm; a line says so where one is absent.
    pub(crate) fn beside_helm() -> Option<(Self, String)> {
        let Ok(kubeconfig) = std::env::var("ONEPANE_TEST_NODES_KUBECONFIG") else {
            println!(
                "SKIPPED: ONEPANE_TEST_NODES_KUBECONFIG names no kubeconfig of a cluster on which pods become ready"
            );
            return None;
        };
        Some((Self::new(&kubeconfig), helm()?))
    }

    /// The same for what needs no pods, on any cluster that is named.
    pub(crate) fn beside_helm_without_pods() -> Option<(Self, String)> {
        let named = ["ONEPANE_TEST_NODES_KUBECONFIG", "ONEPANE_TEST_KUBECONFIG"];
        let Some(kubeconfig) = named.iter().find_map(|name| std::env::var(name).ok()) else {
            println!("SKIPPED: ONEPANE_TEST_KUBECONFIG names no kubeconfig of a cluster");
            return None;
        };
        Some((Self::new(&kubeconfig), helm()?))
    }

    /// A command line of Helm's, for a tool: the real one, or ours where none is named.
    pub(crate) fn command(&self, tool: Option<&str>, namespace: &str, line: &str) -> Command {
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

    pub(crate) fn run(&self, tool: Option<&str>, namespace: &str, line: &str) -> Output {
        self.command(tool, namespace, line).output().expect("it can be run")
    }

    /// What ours prints, which has to succeed.
    pub(crate) fn ours(&self, line: &str) -> String {
        let output = self.run(None, "default", line);
        assert!(output.status.success(), "{line}: {}{}", stdout(&output), stderr(&output));
        stdout(&output)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, content: &str, body: &Value) -> Option<Value> {
        let request = http::Request::builder().method(method).uri(path).header("content-type", content);
        let request = request.body(body.to_string().into_bytes()).expect("it is a request");
        self.runtime.block_on(self.client.request(request)).ok()
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.ask("GET", path, "application/json", &Value::Null)
    }

    /// Makes a namespace; one of the same name is first removed.
    pub(crate) fn make_namespace(&self, name: &str) {
        self.remove_namespace(name);
        let body = json!({"metadata": {"name": name}});
        self.ask("POST", "/api/v1/namespaces", "application/json", &body).expect("it is made");
    }

    pub(crate) fn remove_namespace(&self, name: &str) {
        self.remove(&format!("/api/v1/namespaces/{name}"));
    }

    /// Removes the definition of the large chart, which only one test uses on the named cluster.
    pub(crate) fn remove_definition(&self) {
        self.remove("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.releases.example");
    }

    /// Writes a status into a revision as Helm keeps it: in the label, and in the release that is packed in the Secret.
    pub(crate) fn leave(&self, namespace: &str, name: &str, revision: u32, status: &str) -> String {
        let path = format!("/api/v1/namespaces/{namespace}/secrets/sh.helm.release.v1.{name}.v{revision}");
        let kept = self.get(&path).unwrap_or_else(|| panic!("there is no {path}"));
        let outer = STANDARD.decode(kept["data"]["release"].as_str().expect("it is there")).expect("it is base64");
        let packed = STANDARD.decode(outer).expect("it is base64");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("it is packed");
        let mut release: Value = serde_json::from_str(&text).expect("it is JSON");
        release["info"]["status"] = status.into();
        let description = match status {
            "pending-install" => "Initial install underway",
            "pending-upgrade" => "Preparing upgrade",
            "uninstalling" => "Deletion in progress (or silently failed)",
            _ => release["info"]["description"].as_str().unwrap_or_default(),
        };
        release["info"]["description"] = description.into();
        if status == "uninstalling" {
            release["info"]["deleted"] = release["info"]["last_deployed"].clone();
        }
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(release.to_string().as_bytes()).expect("memory takes everything");
        let inner = STANDARD.encode(packer.finish().expect("memory takes everything"));
        let body = json!({"metadata": {"labels": {"status": status}}, "data": {"release": STANDARD.encode(inner)}});
        let patched = self.ask("PATCH", &path, "application/merge-patch+json", &body);
        assert!(patched.is_some(), "{path} can't be changed");
        format!("{name} {revision} is left {status}")
    }

    pub(crate) fn remove(&self, path: &str) {
        self.ask("DELETE", path, "application/json", &json!({}));
        let start = Instant::now();
        while self.get(path).is_some() {
            assert!(start.elapsed() < Duration::from_secs(60), "{path} does not go");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Ends a process without a chance for it to say anything.
pub(crate) fn kill(mut child: Child) {
    child.kill().expect("it can be ended");
    child.wait().expect("it ends");
}

/// What is done with both tools.
pub(crate) enum Step {
    /// A command line, of which everything is compared that it prints.
    Line(&'static str),
    /// The same of Helm 3, which then goes first or on.
    Older(&'static str),
    /// What is at a path, of which a part is compared.
    Look(&'static str, &'static str),
    /// Somebody else changes something.
    Patch(&'static str, &'static str, &'static str),
    /// A revision of a release is left in this status, as whoever is killed leaves it.
    Leave(&'static str, u32, &'static str),
}

/// What differs between two runs, whoever runs: times, and what is made up.
pub(crate) fn masked(text: &str) -> String {
    let masks = [
        // What the Go client logs of a watch that it ends itself, now and then.
        (r"(?m)^[IWE]\d{4} .* reflector\.go.*\n?", ""),
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
pub(crate) fn outcomes(lab: &Lab, tool: Option<&str>, older: &str, namespace: &str, steps: &[Step]) -> Vec<String> {
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
        Step::Leave(name, revision, status) => lab.leave(namespace, name, *revision, status),
    };
    steps.iter().map(run).collect()
}

/// Takes the steps with both tools, and compares all that comes of them. `clear` removes what is in no namespace, before and
/// behind each.
pub(crate) fn compare(lab: &Lab, helm: &str, older: &str, namespace: &str, steps: &[Step], clear: &dyn Fn()) {
    clear();
    let theirs = outcomes(lab, Some(helm), older, namespace, steps);
    clear();
    let ours = outcomes(lab, None, older, namespace, steps);
    clear();
    lab.remove_namespace(namespace);
    assert_alike(&theirs, &ours);
    println!("{} steps are as Helm's", ours.len());
}
