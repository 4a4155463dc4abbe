//! Helmfile's commands that reach a cluster: on a cluster in the process and, where `ONEPANE_TEST_NODES_KUBECONFIG` or
//! `ONEPANE_TEST_KUBECONFIG` names one, side by side with the real Helmfile and Helm.

mod side_by_side;

use onepane_embedded::{Embedded, Options};
use regex::Regex;
use side_by_side::pair::{assert_alike, helm};
use side_by_side::support::Room;
use std::process::{Command, Output, Stdio};

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const CHART: &[(&str, &str)] = &[
    ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
    ("c/values.yaml", "key: one\npassword: hunter2-of-the-chart\n"),
    (
        "c/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Release.Name }}-a\"}\ndata:\n  key: {{ .Values.key | quote }}\n  \
         more: x\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: \"{{ .Release.Name }}-s\"}\nstringData:\n  password: {{ \
         .Values.password }}-{{ .Values.key }}\n{{- if .Values.bad }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: \
         \"{{ .Release.Name }}-bad\"}\ndata: {x: {{ .Values.bad }}}\n{{- end }}\n",
    ),
    (
        "c/templates/hooks.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-t\n  annotations: {helm.sh/hook: test}\ndata: \
         {}\n",
    ),
];

/// Releases that need one another, one of which can be switched off, and a pair of which the first fails.
const STATE: &str = r#"
releases:
- name: web
  namespace: {{ requiredEnv "NS" }}
  chart: ./c
  needs: [{{ env "NS" }}/db]
  values: [{key: {{ env "KEY" | default "one" }}}]
  hooks:
  - events: [prepare, preapply, presync, postsync, preuninstall, postuninstall, cleanup]
    command: sh
    args: ["-c", "echo {{`{{ .Event.Name }} {{ .HelmfileCommand }} {{ .Release.Name }}`}} >> hooks.log"]
- name: db
  namespace: {{ env "NS" }}
  chart: ./c
  values: [{key: {{ env "KEY" | default "one" }}}]
  labels: {tier: data}
- name: queue
  namespace: {{ env "NS" }}
  chart: ./c
  installed: {{ ne (env "QUEUE") "off" }}
- name: never
  namespace: {{ env "NS" }}
  chart: ./c
  condition: never.enabled
{{- if env "BAD" }}
- name: bad
  namespace: {{ env "NS" }}
  chart: ./c
  values: [{bad: 5}]
- name: behind
  namespace: {{ env "NS" }}
  chart: ./c
  needs: [{{ env "NS" }}/bad]
{{- end }}
environments:
  default:
    values: [{never: {enabled: false}}]
"#;

/// Others, which `CASE` changes: one with all kinds of settings, and a folder of several.
const OTHER_STATES: &[(&str, &str)] = &[
    (
        "d/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Release.Name }}-a\"}\ndata:\n  key: {{ .Values.key | quote }}\n  \
         extra: {{ .Values.extra | quote }}\n{{- with .Values.size }}\n---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: \
         {name: {{ $.Release.Name }}}\nspec:\n  serviceName: x\n  replicas: 0\n  selector: {matchLabels: {app: x}}\n  template: \
         {metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: b}]}}\n  volumeClaimTemplates: [{metadata: {name: \
         v}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: {{ . }}}}}}]\n{{- end }}\n",
    ),
    ("d/Chart.yaml", "apiVersion: v2\nname: d\nversion: 0.1.0\n"),
    ("d/values.yaml", "key: one\nextra: none\n"),
    (
        "plugins/stamp/plugin.yaml",
        "apiVersion: v1\ntype: postrenderer/v1\nname: stamp\nversion: 0.1.0\nruntime: subprocess\nruntimeConfig:\n  \
         platformCommand: [{command: sh, args: [\"-c\", \"sed s/none/$0/\", stamped]}]\n",
    ),
    (
        "other.yaml.gotmpl",
        r#"
{{- $case := env "CASE" }}
helmDefaults:
  historyMax: 50
{{- if has $case (list "labels-for-all" "labels-for-others") }}
  syncReleaseLabels: true
{{- else if eq $case "reuse-for-all" }}
  reuseValues: true
{{- else if eq $case "args-for-all" }}
  syncArgs: [--description, def]
  diffArgs: [--context, "1"]
{{- else if eq $case "stamp-for-all" }}
  postRenderer: ./stamp.sh
  postRendererArgs: [fourth]
{{- else if eq $case "delete-wait-for-all" }}
  deleteWait: true
  deleteTimeout: 30
{{- end }}
---
{{- $case := env "CASE" }}
releases:
- name: web
  namespace: {{ env "NS" }}
  chart: ./d
  labels: {team: x, tier: {{ env "TIER" | default "one" }}}
{{- if env "KEY" }}
  values: [{key: {{ env "KEY" }}}]
{{- end }}
{{- if eq $case "labels-for-others" }}
  syncReleaseLabels: false
{{- else if eq $case "reuse" }}
  reuseValues: true
{{- else if eq $case "stamp" }}
  postRenderer: stamp
  postRendererArgs: [third]
{{- else if eq $case "off" }}
  installed: false
{{- end }}
- name: db
  namespace: {{ env "NS" }}
  chart: ./d
{{- if eq $case "elsewhere" }}
  kubeContext: nosuch
{{- else }}
  needs: [{{ env "NS" }}/web]
{{- end }}
{{- if env "SIZE" }}
  values: [{size: {{ env "SIZE" }}}]
  updateStrategy: reinstallIfForbidden
{{- end }}
{{- if eq $case "orphan" }}
  deleteWait: true
  cascade: orphan
{{- end }}
"#,
    ),
    (
        "many/a.yaml.gotmpl",
        "releases:\n- {name: a1, namespace: {{ env \"NS\" }}, chart: ../d}\n- {name: a2, namespace: {{ env \"NS\" }}, chart: ../d, \
         needs: [{{ env \"NS\" }}/a1]}\n",
    ),
    ("many/b.yaml.gotmpl", "releases:\n- {name: b1, namespace: {{ env \"NS\" }}, chart: ../d}\n"),
];

/// A room with a state, and a cluster.
struct Lab {
    room: Room,
    kubeconfig: String,
    namespace: String,
}

/// Who is run.
#[derive(Clone, Copy, PartialEq)]
enum Tool<'t> {
    Ours,
    Theirs(&'t str),
}

impl Lab {
    fn new(kubeconfig: &str, namespace: &str) -> Self {
        let room = Room::new();
        for (path, text) in CHART {
            room.write(path, text);
        }
        let (environments, releases) = (STATE.find("environments:").expect("it is there"), STATE);
        let state = format!("{}---{}", &releases[environments..], &releases[..environments]);
        room.write("helmfile.yaml.gotmpl", &state);
        for (path, text) in OTHER_STATES {
            room.write(path, text);
        }
        Self { room, kubeconfig: kubeconfig.to_owned(), namespace: namespace.to_owned() }
    }

    fn embedded() -> (Embedded, tempfile::TempDir, Self) {
        let cluster = Embedded::start(Options::default()).expect("it starts");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("kubeconfig");
        std::fs::write(&path, cluster.kubeconfig()).expect("it can be written");
        let lab = Self::new(path.to_str().expect("it is UTF-8"), "default");
        (cluster, folder, lab)
    }

    /// Variables that the line begins with, then a command of Helmfile's.
    fn command(&self, tool: Tool<'_>, line: &str) -> Command {
        let mut words = line.split_whitespace().peekable();
        let mut command = match tool {
            Tool::Ours => Command::new(env!("CARGO_BIN_EXE_onepane")),
            Tool::Theirs(path) => Command::new(path),
        };
        command.env_clear();
        while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
            command.env(name, value);
            words.next();
        }
        if tool == Tool::Ours {
            command.arg("helmfile");
        }
        command.args(words).current_dir(&self.room.path).stdin(Stdio::null());
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HOME"] {
            command.env(name, self.room.variable(name).expect("it is one of the room's"));
        }
        let mut path = "/usr/local/bin:/usr/bin:/bin".to_owned();
        command.env("HELM_NAMESPACE", &self.namespace);
        command.env("HELM_PLUGINS", self.room.path.join("plugins"));
        if let Tool::Theirs(tool) = tool {
            let folder = std::path::Path::new(tool).parent().expect("it is in a folder");
            path = format!("{}:{path}", folder.display());
            if let Ok(plugins) = std::env::var("ONEPANE_TEST_HELM_PLUGINS") {
                command.env("HELM_PLUGINS", format!("{plugins}:{}", self.room.path.join("plugins")));
            }
        }
        command.env("PATH", path).env("KUBECONFIG", &self.kubeconfig).env("NS", &self.namespace);
        command
    }

    fn run(&self, tool: Tool<'_>, line: &str) -> Output {
        self.command(tool, line).output().expect("it can be run")
    }

    /// What ours prints on both, which has to end with `code`.
    fn ours(&self, line: &str, code: i32) -> (String, String) {
        let output = self.run(Tool::Ours, line);
        let (out, err) = (stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "{line}\n{out}{err}");
        (out, err)
    }

    /// The releases that Helm lists, with their revisions and statuses.
    fn listed(&self) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.args(["helm", "list", "-o", "json", "-n", &self.namespace]).env("KUBECONFIG", &self.kubeconfig);
        let output = command.output().expect("it can be run");
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        let text = |release: &serde_json::Value, field: &str| release[field].as_str().unwrap_or_default().to_owned();
        let one =
            |release| format!("{} {} {}", text(release, "name"), text(release, "revision"), text(release, "status"));
        list.as_array().expect("it is a list").iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// The hooks that have run since this was asked the last time.
    fn hooks(&self) -> String {
        let path = format!("{}/hooks.log", self.room.path);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        text.lines().collect::<Vec<_>>().join(", ")
    }
}

/// Where one text stands before another.
fn in_order(text: &str, wanted: &[&str]) -> bool {
    let mut rest = text;
    wanted.iter().all(|part| {
        let found = rest.split_once(part);
        found.is_some_and(|(_, after)| {
            rest = after;
            true
        })
    })
}

#[test]
fn releases_live_without_a_cluster() {
    let (_cluster, _folder, lab) = Lab::embedded();
    let (out, err) = lab.ours("sync", 0);
    assert_eq!(out, "");
    assert!(
        in_order(&err, &["Upgrading release=db, chart=c, namespace=default\n", "Upgrading release=web, "]),
        "{err}"
    );
    assert!(err.contains("Release \"web\" does not exist. Installing it now.\nNAME: web\n"), "{err}");
    // `db` and `queue` are at work at once, and either may be first.
    let table = "NAME    NAMESPACE   CHART    VERSION   DURATION";
    assert!(in_order(&err, &["===\u{1b}[0m\n", table, "\ndb ", "\nweb "]), "{err}");
    assert_eq!(lab.listed(), "db 1 deployed, queue 1 deployed, web 1 deployed");
    assert_eq!(lab.hooks(), "prepare sync web, presync sync web, postsync sync web, cleanup sync web");

    // Nothing differs, nothing is written.
    let (out, err) = lab.ours("diff --detailed-exitcode", 0);
    assert_eq!(out.lines().count(), 3, "{out}");
    assert!(err.ends_with("No affected releases\n"), "{err}");
    let (_, err) = lab.ours("apply --detailed-exitcode", 0);
    assert!(!err.contains("Upgrading") && !err.contains("Updated"), "{err}");
    assert_eq!(lab.listed(), "db 1 deployed, queue 1 deployed, web 1 deployed");
    lab.hooks();

    // Something does.
    let (out, err) = lab.ours("KEY=two diff --detailed-exitcode", 2);
    let changed = "default, db-a, ConfigMap (v1) has changed:\n  # Source: c/templates/a.yaml\n  apiVersion: v1\n  kind: \
                   ConfigMap\n  metadata: {name: \"db-a\"}\n  data:\n-   key: \"one\"\n+   key: \"two\"\n    more: x\n";
    assert!(out.contains(changed), "{out}");
    assert!(out.contains("-   password: '-------- # (24 bytes)'\n+   password: '++++++++ # (24 bytes)'\n"), "{out}");
    assert!(!out.contains("hunter2") && !err.contains("hunter2"), "{out}{err}");
    assert!(err.ends_with("  db (./c) UPDATED\n  web (./c) UPDATED\n\nIdentified at least one change\n"), "{err}");
    assert_eq!(lab.ours("KEY=two diff --context 1", 0).0.matches("...\n").count(), 4);
    assert!(
        lab.ours("KEY=two diff --output simple -l name=db", 0).0.contains("Plan: 0 to add, 2 to change, 0 to destroy")
    );
    assert!(
        lab.ours("KEY=two diff --suppress-secrets", 0)
            .0
            .contains("+ Changes suppressed on sensitive content of type Secret\n")
    );
    assert!(lab.ours("KEY=two diff --output dyff", 1).1.contains("--output dyff of helm-diff is not supported"));
    let (_, err) = lab.ours("KEY=two apply --detailed-exitcode --suppress-diff", 2);
    assert!(err.contains("has been upgraded"), "{err}");
    assert_eq!(lab.listed(), "db 2 deployed, queue 1 deployed, web 2 deployed");
    let hooks = lab.hooks();
    assert!(hooks.ends_with("preapply apply web, presync sync web, postsync sync web, cleanup sync web"), "{hooks}");

    assert!(lab.ours("status -l tier=data", 0).1.contains("Getting status db\nNAME: db\n"));
    assert!(lab.ours("test -l name=db", 0).1.contains("Testing db\nNAME: db\n"));

    // What is not wanted any more goes.
    let (_, err) = lab.ours("QUEUE=off KEY=two diff --detailed-exitcode", 2);
    assert!(err.contains("  queue (./c) DELETED\n"), "{err}");
    let (_, err) = lab.ours("QUEUE=off KEY=two apply", 0);
    assert!(in_order(&err, &["Deleting queue\n", "release \"queue\" uninstalled\n", "Deleted Releases"]), "{err}");
    assert_eq!(lab.listed(), "db 2 deployed, web 2 deployed");

    lab.hooks();
    let (_, err) = lab.ours("destroy", 0);
    assert!(in_order(&err, &["Deleting web\n", "release \"web\" uninstalled\n", "Deleting db\n"]), "{err}");
    assert_eq!(lab.listed(), "");
    assert_eq!(lab.hooks(), "prepare destroy web, preuninstall delete web, postuninstall delete web");
    assert!(!lab.ours("destroy", 0).1.contains("Deleting"));
}

#[test]
fn what_fails_stops_what_needs_it() {
    let (_cluster, _folder, lab) = Lab::embedded();
    let (_, err) = lab.ours("BAD=1 sync", 1);
    assert!(err.contains("\nin helmfile.yaml.gotmpl: failed processing release bad: Error: "), "{err}");
    assert!(in_order(&err, &["Updated Releases", "Failed Releases", "bad "]), "{err}");
    assert_eq!(lab.listed(), "bad 1 failed, db 1 deployed, queue 1 deployed");
    // A hook that fails is one of the release.
    let state = lab.room.path.join("helmfile.yaml.gotmpl");
    let text = std::fs::read_to_string(&state).expect("it is there").replace("command: sh", "command: \"false\"");
    std::fs::write(&state, text.replace("[prepare, ", "[")).expect("it can be written");
    let (_, err) = lab.ours("sync -l name=web", 1);
    assert!(err.contains("failed processing release web: ") && !err.contains("Upgrading"), "{err}");
    // In a sandbox it is not run, which is an error, too.
    assert!(lab.ours("--sandbox sync -l name=web", 1).1.contains("is not run: --sandbox"));
    assert!(lab.ours("sync --track-mode kubedog -l name=db", 1).1.contains("kubedog is not supported"));
    assert!(lab.ours("sync --nosuch", 1).1.contains("unknown flag: --nosuch"));
    assert!(lab.ours("sync -l name=nope", 3).1.starts_with("err: no releases found"));
}

#[test]
fn needs_and_selectors_choose() {
    let (_cluster, _folder, lab) = Lab::embedded();
    lab.ours("sync -l name=web --include-needs --concurrency 1", 0);
    assert_eq!(lab.listed(), "db 1 deployed, web 1 deployed");
    lab.ours("KEY=two apply -l name=web", 0);
    assert_eq!(lab.listed(), "db 1 deployed, web 2 deployed");
    lab.ours("sync -l name=web --skip-needs=false", 1);
    lab.ours("sync -l tier=data --set key=three --args --description=words --timeout 60 --wait", 0);
    assert_eq!(lab.listed(), "db 2 deployed, web 2 deployed");
    // Whoever is asked and says no.
    for (answer, wanted) in [("n\n", "db 2 deployed, web 2 deployed"), ("y\n", "db 3 deployed, web 2 deployed")] {
        let mut command = lab.command(Tool::Ours, "-i apply -l name=db");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it can be run");
        std::io::Write::write_all(&mut child.stdin.take().expect("it has one"), answer.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success() && stdout(&output).contains("Do you really want to apply?\n"));
        assert_eq!(lab.listed(), wanted, "{answer}");
    }
}

/// Command lines whose stdout is compared to the byte, and stderr without regard to the order of its lines.
const LINES: &[&str] = &[
    "diff",
    "diff --detailed-exitcode --context 2",
    "sync",
    "diff --detailed-exitcode",
    "apply --detailed-exitcode",
    "KEY=two diff --detailed-exitcode",
    "KEY=two diff --context 1 --suppress-secrets",
    "KEY=two diff --output simple",
    "KEY=two diff --output json --detailed-exitcode",
    "KEY=two diff --color -l name=db",
    "KEY=two diff --show-secrets -l name=db --include-tests",
    "KEY=two apply",
    "KEY=two apply --detailed-exitcode",
    "apply --detailed-exitcode --set key=z -l name=web",
    "QUEUE=off diff --detailed-exitcode",
    "QUEUE=off sync",
    "apply --skip-diff-on-install",
    "status",
    "test -l name=db",
    "sync -l name=web --include-needs",
    "sync -l name=nope",
    "BAD=1 sync",
    "BAD=1 destroy",
    "destroy",
];

/// A time as Helm prints it.
const TIME: &str = r"\w{3} \w{3} +\d+ [0-9:]+ \d{4}";

/// What does not differ by who runs: without times, the order of what goes on at once, and how a failed call of Helm is
/// shown.
fn seen(output: &Output, is_theirs: bool) -> String {
    let mut text = stderr(output);
    for (pattern, by) in [
        (r"\d{4}-\d{2}-\d{2} [0-9:.]+ \+0000 UTC", "TIME"),
        (TIME, "TIME"),
        (r" +\d+s\n", " AGE\n"),
        (r"(?s)(in )\.?/?(\S+yaml.gotmpl: (?:failed processing )?release \S+(?: failed)?: ).*", "$1$2"),
        // What charts depend on is not told of.
        (r"Building dependency [^\n]*\n", ""),
    ] {
        text = Regex::new(pattern).expect("it is one").replace_all(&text, by).into_owned();
    }
    let mut out = stdout(output);
    for (pattern, by) in [(r"\d{4}-\d{2}-\d{2}[T ][0-9:.]+Z?", "TIME"), (TIME, "TIME"), (r"(modifiedAt=)\d+", "$1N")] {
        out = Regex::new(pattern).expect("it is one").replace_all(&out, by).into_owned();
    }
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    // Whose warnings Helmfile does not show when Helm succeeds.
    lines.retain(|line| is_theirs || !line.starts_with("level="));
    lines.sort_unstable();
    lines.dedup_by(|a, b| a == b && a.starts_with("WARNING: "));
    format!("{:?}\n{out}\n{}", output.status.code(), lines.join("\n"))
}

/// A kubeconfig, and Helmfile; a line says so where one is absent.
fn beside_helmfile() -> Option<(String, String)> {
    let named = ["ONEPANE_TEST_NODES_KUBECONFIG", "ONEPANE_TEST_KUBECONFIG"];
    let Some(kubeconfig) = named.iter().find_map(|name| std::env::var(name).ok()) else {
        println!("SKIPPED: neither of {named:?} names a kubeconfig of a cluster");
        return None;
    };
    let helmfile = std::path::Path::new(&helm()?).with_file_name("helmfile");
    if !helmfile.is_file() || std::env::var("ONEPANE_TEST_HELM_PLUGINS").is_err() {
        println!(
            "SKIPPED: no helmfile beside helm, or ONEPANE_TEST_HELM_PLUGINS names no folder with the plugin helm-diff"
        );
        return None;
    }
    Some((kubeconfig, helmfile.to_str().expect("it is UTF-8").to_owned()))
}

/// Runs lines with both tools, and compares what comes of each. After `helm ` Helm itself is asked what there is, the real one.
fn compare(namespace: &str, lines: &[&str]) {
    let Some((kubeconfig, helmfile)) = beside_helmfile() else { return };
    let real = helm().expect("it is there, as Helmfile is");
    let run = |tool: Tool<'_>, is_theirs: bool| {
        let lab = Lab::new(&kubeconfig, &format!("onepane-hf-{namespace}-{}", std::process::id()));
        let steps = lines.iter().map(|line| {
            let output = match line.strip_prefix("helm ") {
                Some(line) => lab.run(Tool::Theirs(&real), line),
                None => lab.run(tool, line),
            };
            let seen = seen(&output, is_theirs || line.starts_with("helm "));
            format!("{line}\n{}\n{}\n", seen.replace(lab.room.path.as_str(), "ROOM"), lab.hooks())
        });
        steps.collect::<Vec<String>>()
    };
    let theirs = run(Tool::Theirs(&helmfile), true);
    let ours = run(Tool::Ours, false);
    assert_alike(&theirs, &ours);
    println!("{} lines are as Helmfile's", ours.len());
}

#[test]
fn every_line_says_and_does_what_helmfiles_does() {
    compare("lines", LINES);
}

/// Lines about the other states.
const OTHER_LINES: &[&str] = &[
    "-f other.yaml.gotmpl sync",
    "helm get metadata web",
    "-f other.yaml.gotmpl sync --sync-release-labels",
    "helm get metadata web",
    "TIER=two CASE=labels-for-all -f other.yaml.gotmpl sync",
    "helm get metadata web",
    "TIER=three CASE=labels-for-others -f other.yaml.gotmpl sync",
    "helm get metadata web",
    "KEY=two -f other.yaml.gotmpl sync --set extra=x",
    "-f other.yaml.gotmpl sync --reuse-values",
    "helm get values web",
    "-f other.yaml.gotmpl diff --reuse-values --detailed-exitcode",
    "-f other.yaml.gotmpl diff --reset-values --detailed-exitcode",
    "KEY=three -f other.yaml.gotmpl apply --reuse-values --detailed-exitcode",
    "helm get values web",
    "CASE=reuse-for-all -f other.yaml.gotmpl sync -l name=web",
    "helm get values web",
    "CASE=reuse-for-all -f other.yaml.gotmpl apply --reset-values",
    "helm get values web",
    "KEY=two -f other.yaml.gotmpl sync",
    "CASE=reuse -f other.yaml.gotmpl sync",
    "helm get values web",
    "-f other.yaml.gotmpl diff --diff-args --context=1",
    "CASE=args-for-all -f other.yaml.gotmpl diff",
    "-f other.yaml.gotmpl diff --diff-args --output=simple",
    "-f other.yaml.gotmpl apply --diff-args --context=1 --sync-args --description=abc",
    "helm history web --max 1",
    "CASE=args-for-all -f other.yaml.gotmpl sync",
    "helm history web --max 1",
    "-f other.yaml.gotmpl sync --sync-args --nosuch",
    "-f other.yaml.gotmpl diff --post-renderer stamp --detailed-exitcode",
    "-f other.yaml.gotmpl sync --post-renderer stamp",
    "helm get manifest web",
    "-f other.yaml.gotmpl apply --post-renderer stamp --post-renderer-args other",
    "helm get manifest web",
    "CASE=stamp -f other.yaml.gotmpl sync",
    "helm get manifest web",
    "CASE=stamp-for-all -f other.yaml.gotmpl sync",
    "helm get manifest db",
    "-f other.yaml.gotmpl sync --post-renderer absent",
    "SIZE=1Gi -f other.yaml.gotmpl sync",
    "SIZE=2Gi -f other.yaml.gotmpl sync",
    "helm history db",
    "SIZE=3Gi -f other.yaml.gotmpl apply",
    "helm history db",
    "CASE=elsewhere -f other.yaml.gotmpl sync",
    "--kube-context nosuch -f other.yaml.gotmpl sync -l name=web",
    "-f other.yaml.gotmpl destroy --cascade nope",
    "-f other.yaml.gotmpl destroy --cascade foreground",
    "helm list -q",
    "-f other.yaml.gotmpl sync",
    "-f other.yaml.gotmpl destroy --deleteWait --deleteTimeout 20",
    "-f other.yaml.gotmpl sync",
    "CASE=delete-wait-for-all -f other.yaml.gotmpl destroy -l name=db",
    "CASE=orphan -f other.yaml.gotmpl destroy",
    "helm list -q",
    "CASE=off -f other.yaml.gotmpl sync",
    "-f other.yaml.gotmpl sync",
    "CASE=off -f other.yaml.gotmpl sync --cascade orphan",
    "-f other.yaml.gotmpl destroy",
    "-f many --sequential-helmfiles sync",
    "-f many --sequential-helmfiles diff --detailed-exitcode",
    "-f many --sequential-helmfiles apply --set key=z",
    "-f many --sequential-helmfiles status",
    "-f many --sequential-helmfiles sync -l name=b1",
    "-f many --sequential-helmfiles destroy -l name=a2",
    "-f many --sequential-helmfiles destroy",
    "helm list -q",
];

#[test]
fn every_setting_does_what_it_does_in_helmfile() {
    compare("other", OTHER_LINES);
}

#[test]
fn either_goes_on_where_the_other_stopped() {
    let Some((kubeconfig, helmfile)) = beside_helmfile() else { return };
    let theirs = Tool::Theirs(&helmfile);
    let lab = Lab::new(&kubeconfig, &format!("onepane-hf-turns-{}", std::process::id()));
    for (first, second) in [(Tool::Ours, theirs), (theirs, Tool::Ours)] {
        for (tool, line, code) in [
            (first, "sync", 0),
            (second, "apply --detailed-exitcode", 0),
            (second, "KEY=two apply --detailed-exitcode", 2),
            (first, "KEY=two apply --detailed-exitcode", 0),
            (first, "apply --detailed-exitcode", 2),
            (second, "QUEUE=off apply", 0),
            (first, "QUEUE=off diff --detailed-exitcode", 0),
            (first, "sync", 0),
            (second, "destroy", 0),
            (first, "destroy", 0),
        ] {
            let output = lab.run(tool, line);
            assert_eq!(output.status.code(), Some(code), "{line}: {}{}", stdout(&output), stderr(&output));
        }
        assert_eq!(lab.listed(), "");
    }
}
