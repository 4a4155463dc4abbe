//! Releases on a cluster in the process: what becomes of them, whatever goes wrong on the way.

use onepane_cluster::{Cluster, Request, Settings, Verb};
use onepane_embedded::{Behaviour, Effect, Embedded, Filter, Rule, Scenario, When};
use onepane_release::{
    Driver, Failure, Hook, Install, Release, Rollback, Said, Session, Status, Strategy, Test, Time, Uninstall, Upgrade,
    Wait,
};
use onepane_testkit::Random;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A cluster, and how to reach it.
struct Lab {
    server: Embedded,
    cluster: Cluster,
    said: RefCell<Vec<Said>>,
    _folder: tempfile::TempDir,
}

const NAME: &str = "shop";
const NAMESPACE: &str = "default";

const WAIT: Wait = Wait { strategy: Strategy::HookOnly, for_jobs: false, timeout: Duration::from_secs(30) };

fn install() -> Install {
    Install {
        wait: WAIT,
        runs_hooks: true,
        replaces: false,
        creates_namespace: false,
        takes_ownership: false,
        is_server_side: true,
        forces_conflicts: false,
        forces_replace: false,
        rolls_back: false,
        validates: true,
        description: String::new(),
    }
}

fn upgrade() -> Upgrade {
    Upgrade {
        wait: WAIT,
        runs_hooks: true,
        takes_ownership: false,
        server_side: "auto".to_owned(),
        forces_conflicts: false,
        forces_replace: false,
        cleans_up: false,
        rolls_back: false,
        validates: true,
        most_revisions: 10,
        description: String::new(),
        labels: BTreeMap::new(),
    }
}

fn rollback() -> Rollback {
    Rollback {
        version: 0,
        wait: WAIT,
        runs_hooks: true,
        server_side: "auto".to_owned(),
        forces_conflicts: false,
        forces_replace: false,
        cleans_up: false,
        most_revisions: 10,
        description: String::new(),
        is_trial: false,
    }
}

fn uninstall() -> Uninstall {
    Uninstall {
        wait: WAIT,
        runs_hooks: true,
        keeps_history: false,
        ignores_absence: false,
        cascade: "background".to_owned(),
        description: String::new(),
    }
}

impl Lab {
    fn new() -> Self {
        let server = Embedded::start(onepane_embedded::Options::default()).expect("it starts");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("kubeconfig");
        std::fs::write(&path, server.kubeconfig()).expect("it can be written");
        let path = path.to_str().expect("it is UTF-8").to_owned();
        let settings = Settings::from_variables(&|name| (name == "KUBECONFIG").then(|| path.clone()));
        let cluster = Cluster::connect(&settings, |_| {}).expect("it answers");
        Self { server, cluster, said: RefCell::default(), _folder: folder }
    }

    fn session(&self) -> Session<'_> {
        Session::new(&self.cluster, NAMESPACE, Driver::Secrets, |said| self.said.borrow_mut().push(said))
    }

    fn run<T>(&self, work: impl AsyncFnOnce(&Session<'_>) -> T) -> T {
        let session = self.session();
        self.cluster.run(work(&session))
    }

    fn history(&self) -> Vec<Release> {
        match self.run(async |session| session.history(NAME).await) {
            Err(Failure::NotFound) => Vec::new(),
            history => history.expect("it answers"),
        }
    }

    fn statuses(&self) -> Vec<(i64, Status)> {
        self.history().iter().map(|release| (release.version, release.info.status)).collect()
    }

    fn ask(&self, verb: Verb, path: &str, body: &Value) -> Result<Value, u16> {
        let asked = self.cluster.run(self.cluster.ask(&Request::send(verb, path, "", body)));
        asked.map_err(|refusal| refusal.code)
    }

    fn get(&self, path: &str) -> Option<Value> {
        self.ask(Verb::Get, path, &Value::Null).ok()
    }

    /// The names of ConfigMaps, with what they hold.
    fn maps(&self) -> BTreeMap<String, String> {
        let list = self.get("/api/v1/namespaces/default/configmaps").expect("it answers");
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let items = items.iter().map(|item| (text(&item["metadata"]["name"]), text(&item["data"]["key"])));
        items.filter(|(name, _)| name != "kube-root-ca.crt").collect()
    }
}

fn map(name: &str, value: &str) -> String {
    format!(
        "---\n# Source: c/templates/{name}.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: \"{value}\"\n"
    )
}

fn hook(name: &str, events: &[&str], policies: &[&str], manifest: Value) -> Hook {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Hook {
        name: name.to_owned(),
        kind: manifest["kind"].as_str().unwrap_or_default().to_owned(),
        path: format!("c/templates/{name}.yaml"),
        manifest: manifest.to_string(),
        events: texts(events),
        delete_policies: texts(policies),
        ..Hook::default()
    }
}

fn map_hook(name: &str, events: &[&str], policies: &[&str]) -> Hook {
    hook(name, events, policies, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}))
}

fn pod_hook(name: &str, image: &str, events: &[&str], policies: &[&str]) -> Hook {
    let spec = json!({"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]});
    hook(name, events, policies, json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}))
}

fn release(manifests: &[String], hooks: &[Hook], method: &str) -> Release {
    let mut release = Release {
        name: NAME.to_owned(),
        namespace: NAMESPACE.to_owned(),
        version: 1,
        chart: json!({"metadata": {"name": "c", "version": "1.0.0"}}),
        config: json!({}),
        manifest: manifests.concat(),
        hooks: hooks.to_vec(),
        apply_method: method.to_owned(),
        ..Release::default()
    };
    release.info.first_deployed = Some(Time::now());
    release.info.last_deployed = Some(Time::now());
    release
}

/// What `helm install` does.
async fn install_it(session: &Session<'_>, new: Release, how: &Install) -> Result<Release, Failure> {
    let available = session.available(NAME, how.replaces).await?;
    let (installed, outcome) = session.install(new, &available, how).await;
    outcome.map(|()| installed)
}

/// What `helm upgrade` does.
async fn upgrade_it(session: &Session<'_>, mut new: Release, how: &Upgrade) -> Result<Release, Failure> {
    let mut upgraded = session.prepare_upgrade(NAME, how).await?;
    new.version = upgraded.revision();
    new.apply_method = upgraded.apply_method().to_owned();
    let (upgraded, outcome) = session.upgrade(&mut upgraded, new, how).await;
    outcome.map(|()| upgraded)
}

#[test]
fn a_release_comes_changes_goes_back_and_goes() {
    for method in ["ssa", "csa"] {
        let lab = Lab::new();
        let how = Install { is_server_side: method == "ssa", ..install() };
        let first = release(&[map("a", "1"), map("b", "1")], &[], method);
        lab.run(async |session| install_it(session, first, &how).await).expect("it is installed");
        let refused = lab.run(async |session| install_it(session, release(&[], &[], method), &how).await);
        assert_eq!(refused.err().map(|it| it.to_string()).as_deref(), Some("cannot reuse a name that is still in use"));
        let second = release(&[map("a", "2"), map("c", "2")], &[], method);
        lab.run(async |session| upgrade_it(session, second, &upgrade()).await).expect("it is upgraded");
        assert_eq!(lab.maps(), BTreeMap::from([("a".into(), "2".into()), ("c".into(), "2".into())]));
        lab.run(async |session| session.rollback(NAME, &rollback()).await).expect("it is rolled back");
        assert_eq!(lab.maps(), BTreeMap::from([("a".into(), "1".into()), ("b".into(), "1".into())]));
        let deployed = (3, Status::Deployed);
        assert_eq!(lab.statuses(), [(1, Status::Superseded), (2, Status::Superseded), deployed]);
        let last = lab.history().pop().expect("there is one");
        assert_eq!((last.info.rollback_revision, last.info.description.as_str()), (1, "Rollback to 1"));
        let marks = &lab.get("/api/v1/namespaces/default/configmaps/a").expect("it is there")["metadata"];
        assert_eq!(marks["annotations"]["meta.helm.sh/release-name"], "shop");
        assert_eq!(marks["labels"]["app.kubernetes.io/managed-by"], "Helm");
        assert_eq!(marks["managedFields"][0]["manager"], "helm");

        let keeps = Uninstall { keeps_history: true, ..uninstall() };
        let said = lab.run(async |session| session.uninstall(NAME, &keeps).await);
        assert_eq!(said, Ok(Some(String::new())));
        assert_eq!(lab.maps(), BTreeMap::new());
        let gone = (3, Status::Uninstalled);
        assert_eq!(lab.statuses(), [(1, Status::Superseded), (2, Status::Superseded), gone]);
        lab.run(async |session| session.uninstall(NAME, &uninstall()).await).expect("its history goes");
        assert_eq!(lab.statuses(), []);
        let refused = lab.run(async |session| session.uninstall(NAME, &uninstall()).await);
        let wanted = "uninstall: Release not loaded: shop: release: not found";
        assert_eq!(refused.err().map(|it| it.to_string()).as_deref(), Some(wanted));
        let refused = lab.run(async |session| upgrade_it(session, release(&[], &[], ""), &upgrade()).await);
        let wanted = "\"shop\" has no deployed releases";
        assert_eq!(refused.err().map(|it| it.to_string()).as_deref(), Some(wanted));
    }
}

#[test]
fn what_is_kept_is_helms() {
    let lab = Lab::new();
    let mut new = release(&[map("a", "1")], &[], "ssa");
    new.labels.insert("team".to_owned(), "web".to_owned());
    lab.run(async |session| install_it(session, new, &install()).await).expect("it is installed");
    let secret = lab.get("/api/v1/namespaces/default/secrets/sh.helm.release.v1.shop.v1").expect("it is there");
    assert_eq!(secret["type"], "helm.sh/release.v1");
    let labels = &secret["metadata"]["labels"];
    for (label, wanted) in
        [("name", "shop"), ("owner", "helm"), ("status", "deployed"), ("version", "1"), ("team", "web")]
    {
        assert_eq!(labels[label], *wanted);
    }
    assert!(labels["modifiedAt"].is_string(), "{labels}");
    assert!(secret["metadata"]["annotations"].is_null(), "nobody is at work on it any more");
}

#[test]
fn others_keep_what_is_theirs() {
    let lab = Lab::new();
    let made = json!({"metadata": {"name": "a"}, "data": {"key": "x"}});
    lab.ask(Verb::Post, "/api/v1/namespaces/default/configmaps", &made).expect("it is made");
    let refused = lab.run(async |session| install_it(session, release(&[map("a", "1")], &[], "ssa"), &install()).await);
    let wanted = "unable to continue with install: ConfigMap \"a\" in namespace \"default\" exists and cannot be imported \
                  into the current release: invalid ownership metadata; label validation error: missing key \
                  \"app.kubernetes.io/managed-by\": must be set to \"Helm\"; annotation validation error: missing key \
                  \"meta.helm.sh/release-name\": must be set to \"shop\"; annotation validation error: missing key \
                  \"meta.helm.sh/release-namespace\": must be set to \"default\"";
    assert_eq!(refused.err().map(|it| it.to_string()).as_deref(), Some(wanted));
    assert_eq!(lab.statuses(), []);
    let takes = Install { takes_ownership: true, forces_conflicts: true, ..install() };
    lab.run(async |session| install_it(session, release(&[map("a", "1")], &[], "ssa"), &takes).await)
        .expect("it is taken");
    assert_eq!(lab.maps()["a"], "1");
    // Somebody takes the mark off, and it is nobody's to remove.
    let patch = json!({"metadata": {"annotations": {"meta.helm.sh/release-name": "other"}}});
    let patched = Request {
        content_type: "application/merge-patch+json",
        ..Request::send(Verb::Patch, "/api/v1/namespaces/default/configmaps/a", "", &patch)
    };
    lab.cluster.run(lab.cluster.ask(&patched)).expect("it is patched");
    let said = lab.run(async |session| session.uninstall(NAME, &uninstall()).await).expect("it goes");
    let wanted = "1 resource(s) were not deleted because they are not owned by this release:\n[ConfigMap] a\n";
    assert_eq!(said.as_deref(), Some(wanted));
    assert!(lab.maps().contains_key("a"));
}

#[test]
fn resources_that_say_so_stay() {
    let lab = Lab::new();
    let kept =
        map("kept", "1").replace("name: kept\n", "name: kept\n  annotations:\n    helm.sh/resource-policy: keep\n");
    let first = release(&[kept.clone(), map("a", "1")], &[], "ssa");
    lab.run(async |session| install_it(session, first, &install()).await).expect("it is installed");
    lab.run(async |session| upgrade_it(session, release(&[map("a", "1")], &[], "ssa"), &upgrade()).await)
        .expect("it is upgraded");
    assert!(lab.maps().contains_key("kept"));
    lab.run(async |session| upgrade_it(session, release(&[kept, map("a", "1")], &[], "ssa"), &upgrade()).await)
        .expect("what stayed is the release's again");
    let said = lab.run(async |session| session.uninstall(NAME, &uninstall()).await).expect("it goes");
    assert_eq!(said.as_deref(), Some("These resources were kept due to the resource policy:\n[ConfigMap] kept\n"));
    assert_eq!(lab.maps().into_keys().collect::<Vec<_>>(), ["kept"]);
}

#[test]
fn hooks_run_by_weight_and_go_as_they_say() {
    let lab = Lab::new();
    let rule = |image: &str, behaviour| Rule {
        image: Some(image.to_owned()),
        behaviour: Some(behaviour),
        log: Some(format!("said by {image}\n")),
        ..Rule::default()
    };
    let soon = Duration::from_millis(50);
    lab.server.set_scenario(Scenario {
        rules: vec![
            rule("good", Behaviour::Succeed { after: soon }),
            rule("bad", Behaviour::Fail { after: soon, exit_code: 1, times: None }),
        ],
    });
    let mut first = pod_hook("first", "good", &["pre-install"], &["hook-succeeded"]);
    first.weight = -5;
    first.output_log_policies = vec!["hook-succeeded".to_owned()];
    let stays = pod_hook("stays", "good", &["pre-install", "pre-upgrade"], &[]);
    let new = release(&[map("a", "1")], &[stays.clone(), first], "ssa");
    let installed = lab.run(async |session| install_it(session, new, &install()).await).expect("it is installed");
    let phases: Vec<&str> = installed.hooks.iter().map(|hook| hook.last_run.phase.as_str()).collect();
    assert_eq!(phases, ["Succeeded", "Succeeded"]);
    let started = |at: usize| installed.hooks[at].last_run.started_at.as_ref().map(Time::rfc3339_nano);
    assert!(started(1) < started(0), "the lighter one is first");
    assert!(lab.said.borrow().contains(&Said::Log(b"said by good\n".to_vec())), "{:?}", lab.said.borrow());
    assert!(lab.get("/api/v1/namespaces/default/pods/first").is_none());
    let before = lab.get("/api/v1/namespaces/default/pods/stays").expect("it stays")["metadata"]["uid"].clone();

    let mut bad = pod_hook("bad", "bad", &["post-upgrade"], &["hook-failed"]);
    bad.output_log_policies = vec!["hook-failed".to_owned()];
    let second = release(&[map("a", "2")], &[stays, bad], "ssa");
    let failed = lab.run(async |session| upgrade_it(session, second, &upgrade()).await);
    let wanted =
        "post-upgrade hooks failed: resource Pod/default/bad not ready. status: Failed, message: pod bad failed";
    assert_eq!(failed.err().map(|it| it.to_string()).as_deref(), Some(wanted));
    assert_eq!(lab.statuses(), [(1, Status::Deployed), (2, Status::Failed)]);
    assert_eq!(lab.history()[1].info.description, format!("Upgrade \"shop\" failed: {wanted}"));
    assert!(lab.said.borrow().contains(&Said::Log(b"said by bad\n".to_vec())));
    assert!(lab.get("/api/v1/namespaces/default/pods/bad").is_none());
    let after = lab.get("/api/v1/namespaces/default/pods/stays").expect("it is made anew")["metadata"]["uid"].clone();
    assert_ne!(before, after);
}

#[test]
fn tests_run_and_tell() {
    let lab = Lab::new();
    let soon = Duration::from_millis(50);
    let rule = |image: &str, behaviour| Rule {
        image: Some(image.to_owned()),
        behaviour: Some(behaviour),
        log: Some("hello\n".to_owned()),
        ..Rule::default()
    };
    lab.server.set_scenario(Scenario {
        rules: vec![
            rule("good", Behaviour::Succeed { after: soon }),
            rule("bad", Behaviour::Fail { after: soon, exit_code: 1, times: None }),
        ],
    });
    let hooks = [pod_hook("good", "good", &["test"], &["hook-succeeded"]), pod_hook("bad", "bad", &["test"], &[])];
    lab.run(async |session| install_it(session, release(&[], &hooks, "ssa"), &install()).await)
        .expect("it is installed");
    let mut test = Test { timeout: Duration::from_secs(30), only: vec!["good".to_owned()], without: Vec::new() };
    let mut printed = Vec::new();
    lab.run(async |session| {
        let tested = session.test(NAME, &test).await.expect("tests are run");
        assert_eq!(tested.outcome, Ok(()));
        let phases: Vec<(&str, &str)> =
            tested.release.hooks.iter().map(|hook| (hook.name.as_str(), hook.last_run.phase.as_str())).collect();
        assert_eq!(phases, [("bad", ""), ("good", "Succeeded")]);
        let mut print = |bytes: &[u8]| printed.extend_from_slice(bytes);
        session.test_logs(&tested.release, &test, &mut print).await.expect("there are logs");
        session.clean_up_tests(&tested).await.expect("what is to go goes");
    });
    assert_eq!(String::from_utf8_lossy(&printed), "POD LOGS: good (main)\nhello\n\n");
    assert!(lab.get("/api/v1/namespaces/default/pods/good").is_none());
    test = Test { only: Vec::new(), ..test };
    let tested = lab.run(async |session| session.test(NAME, &test).await.map(|tested| tested.outcome));
    let wanted = "resource Pod/default/bad not ready. status: Failed, message: pod bad failed";
    assert_eq!(tested.map(|outcome| outcome.err().map(|it| it.to_string())), Ok(Some(wanted.to_owned())));
    assert_eq!(lab.statuses(), [(1, Status::Deployed)]);
}

#[test]
fn what_fails_is_undone_where_that_is_wanted() {
    let lab = Lab::new();
    let bad = map("b", "1").replace("\ndata:\n", "\ndata:\n  x: [y]\n");
    let undone = Install { rolls_back: true, validates: false, ..install() };
    let failed =
        lab.run(async |session| install_it(session, release(&[map("a", "1"), bad.clone()], &[], "ssa"), &undone).await);
    let message = failed.err().map(|it| it.to_string()).unwrap_or_default();
    let wanted =
        "release shop failed, and has been uninstalled due to rollback-on-failure being set: server-side apply failed";
    assert!(message.starts_with(wanted), "{message}");
    assert_eq!((lab.statuses(), lab.maps()), (Vec::new(), BTreeMap::new()));

    lab.run(async |session| install_it(session, release(&[map("a", "1")], &[], "ssa"), &install()).await)
        .expect("it is installed");
    let second = release(&[map("a", "2"), map("new", "2"), bad], &[], "ssa");
    let undone = Upgrade { rolls_back: true, cleans_up: true, validates: false, ..upgrade() };
    let failed = lab.run(async |session| upgrade_it(session, second, &undone).await);
    let message = failed.err().map(|it| it.to_string()).unwrap_or_default();
    let wanted = "release shop failed, and has been rolled back due to rollback-on-failure being set: ";
    assert!(message.starts_with(wanted), "{message}");
    assert_eq!(lab.statuses(), [(1, Status::Superseded), (2, Status::Failed), (3, Status::Deployed)]);
    assert_eq!(lab.maps(), BTreeMap::from([("a".into(), "1".into())]));
}

#[test]
fn revisions_are_bounded() {
    let lab = Lab::new();
    lab.run(async |session| install_it(session, release(&[map("a", "0")], &[], "ssa"), &install()).await)
        .expect("it is installed");
    let few = Upgrade { most_revisions: 3, ..upgrade() };
    for turn in 1..6 {
        let next = release(&[map("a", &turn.to_string())], &[], "ssa");
        lab.run(async |session| upgrade_it(session, next, &few).await).expect("it is upgraded");
    }
    assert_eq!(lab.statuses(), [(4, Status::Superseded), (5, Status::Superseded), (6, Status::Deployed)]);
}

#[test]
fn nobody_comes_between_who_is_at_work() {
    let lab = Lab::new();
    lab.server.faults().inject(
        Filter { verb: Some("apply".to_owned()), resource: Some("configmaps".to_owned()), name: None },
        When::First(1),
        Effect::Delay(Duration::from_secs(1)),
    );
    let other = lab.session();
    let session = lab.session();
    let how = install();
    let work = install_it(&session, release(&[map("a", "1")], &[], "ssa"), &how);
    let (done, seen) = lab.cluster.run(async {
        futures::future::join(work, async {
            lab.cluster.pause(Duration::from_millis(400)).await;
            let upgraded = other.prepare_upgrade(NAME, &upgrade()).await.err();
            let installed = other.available(NAME, false).await.err();
            let gone = other.uninstall(NAME, &uninstall()).await.err();
            [upgraded, installed, gone].map(|failure| failure.map(|it| it.to_string()))
        })
        .await
    });
    done.expect("it is installed");
    let busy = Some("another operation (install/upgrade/rollback) is in progress".to_owned());
    assert_eq!(seen, [busy.clone(), Some("cannot reuse a name that is still in use".to_owned()), busy]);
    assert_eq!(lab.statuses(), [(1, Status::Deployed)]);
}

#[test]
fn a_writer_elsewhere_is_waited_for() {
    let lab = Lab::new();
    let one = Filter { verb: Some("apply".to_owned()), resource: Some("configmaps".to_owned()), name: None };
    lab.server.faults().inject(one, When::Always, Effect::Delay(Duration::from_secs(3600)));
    lab.run(async |session| {
        let how = install();
        let work = install_it(session, release(&[map("a", "1")], &[], "ssa"), &how);
        assert!(tokio::time::timeout(Duration::from_secs(1), work).await.is_err(), "it is killed");
    });
    lab.server.faults().clear();
    let path = "/api/v1/namespaces/default/secrets/sh.helm.release.v1.shop.v1";
    let secret = lab.get(path).expect("it is there");
    let note = secret["metadata"]["annotations"]["onepane.dev/writer"].as_str().expect("its writer is noted");
    // As if it were on another machine.
    let mut note: Value = serde_json::from_str(note).expect("it is JSON");
    note["machine"] = json!("elsewhere");
    let mut beat = |count: u64| {
        note["beat"] = json!(count);
        let annotations = json!({"onepane.dev/writer": note.to_string()});
        Request {
            content_type: "application/merge-patch+json",
            ..Request::send(Verb::Patch, path, "", &json!({"metadata": {"annotations": annotations}}))
        }
    };
    let (first, second) = (beat(1), beat(2));
    lab.cluster.run(lab.cluster.ask(&first)).expect("it is patched");
    let session = lab.session();
    let refused = lab.cluster.run(async {
        let beats = async {
            lab.cluster.pause(Duration::from_secs(2)).await;
            lab.cluster.ask(&second).await.expect("it is patched");
        };
        futures::future::join(session.prepare_upgrade(NAME, &upgrade()), beats).await.0.err()
    });
    assert_eq!(refused, Some(Failure::Busy));
    // Nobody says anything any more.
    let start = Instant::now();
    let next = release(&[map("b", "2")], &[], "ssa");
    lab.run(async |session| upgrade_it(session, next, &upgrade()).await).expect("it is upgraded");
    assert!(start.elapsed() > Duration::from_secs(19), "{:?}", start.elapsed());
    assert_eq!(lab.statuses(), [(1, Status::Superseded), (2, Status::Deployed)]);
}

/// What a shop consists of, at random: some settings, and hooks that leave nothing.
fn some(random: &mut Random, method: &str) -> (Release, BTreeMap<String, String>) {
    let mut manifests = Vec::new();
    let mut wanted = BTreeMap::new();
    for number in 0..6 {
        if random.below(3) > 0 {
            let (name, value) = (format!("c{number}"), format!("v{}", random.below(3)));
            manifests.push(map(&name, &value));
            wanted.insert(name, value);
        }
    }
    let hooks = [
        map_hook("before", &["pre-install", "pre-upgrade", "pre-rollback"], &["hook-succeeded", "hook-failed"]),
        map_hook(
            "after",
            &["post-install", "post-upgrade", "post-delete"],
            &["before-hook-creation", "hook-succeeded", "hook-failed"],
        ),
    ];
    (release(&manifests, &hooks, method), wanted)
}

/// Does something with the release, whatever there is of it; gives what the cluster is to have then, if that is known.
async fn something(
    session: &Session<'_>,
    random: &mut Random,
    method: &str,
) -> (Result<(), Failure>, Option<BTreeMap<String, String>>) {
    let history = session.history(NAME).await.unwrap_or_default();
    let (new, wanted) = some(random, method);
    let is_there = history.iter().any(|one| one.info.status != Status::Uninstalled);
    if !is_there {
        let how = Install { is_server_side: method == "ssa", ..install() };
        return (install_it(session, new, &how).await.map(drop), Some(wanted));
    }
    match random.below(8) {
        0 => (session.rollback(NAME, &rollback()).await, None),
        1 => (session.uninstall(NAME, &uninstall()).await.map(drop), Some(BTreeMap::new())),
        2 => {
            let how = Install { is_server_side: method == "ssa", ..install() };
            (install_it(session, new, &how).await.map(drop), None)
        }
        _ => (upgrade_it(session, new, &upgrade()).await.map(drop), Some(wanted)),
    }
}

#[test]
fn no_release_is_ever_stuck() {
    // A thousand by hand.
    let kills = std::env::var("ONEPANE_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(60);
    let (mut cut_short, mut struck) = (0, 0);
    for (method, kills) in [("ssa", kills / 2), ("csa", kills - kills / 2)] {
        let lab = Lab::new();
        let mut random = Random(7);
        for turn in 0..kills {
            let faults = lab.server.faults();
            if random.below(2) == 0 {
                let effect = match random.below(6) {
                    0 => Effect::CutBefore,
                    1 => Effect::CutAfter,
                    2 => Effect::CutMidway,
                    3 => Effect::InternalError,
                    4 => Effect::TooManyRequests { retry_after: 0 },
                    _ => Effect::Delay(Duration::from_millis(20)),
                };
                faults.inject(Filter::default(), When::Percent { of_hundred: 15, seed: turn }, effect);
            }
            // Half are killed at some moment, half at a certain request: before it was sent, or when it was done.
            let mut moment = Duration::from_micros(random.below(120_000) as u64);
            if random.below(2) == 0 {
                let nth = When::Nth(1 + random.below(40) as u64);
                faults.inject(Filter::default(), nth, Effect::Delay(Duration::from_secs(3600)));
                moment = Duration::from_millis(400);
            }
            let outcome = lab.run(async |session| {
                // Whoever is dropped midway is as good as killed.
                tokio::time::timeout(moment, something(session, &mut random, method)).await.is_ok()
            });
            cut_short += u64::from(!outcome);
            struck += faults.struck();
            faults.clear();
            check_next(&lab, &mut random, method, turn);
        }
    }
    println!("{kills} runs, {cut_short} killed midway, {struck} requests gone wrong");
    assert!(cut_short > kills / 4 && struck > kills / 4, "{cut_short} {struck}");
}

/// Whoever comes next gets what is wanted, and nothing is left of what was before.
fn check_next(lab: &Lab, random: &mut Random, method: &str, turn: u64) {
    let before = lab.statuses();
    let told = |what: &dyn std::fmt::Debug| format!("turn {turn} ({method}), after {before:?}: {what:?}");
    let is_there = before.iter().any(|(_, status)| *status != Status::Uninstalled);
    // What became of an uninstall that was cut short is finished by another, or by an install.
    if is_there && random.below(6) == 0 {
        let gone = lab.run(async |session| session.uninstall(NAME, &uninstall()).await);
        assert!(gone.is_ok(), "{}", told(&gone));
        assert_eq!(lab.statuses(), [], "{}", told(&"uninstalled"));
        check_maps(lab, &BTreeMap::new(), &told);
        return;
    }
    let (new, wanted) = some(random, method);
    let is_first = before
        .iter()
        .all(|(_, status)| matches!(status, Status::Uninstalled | Status::Uninstalling | Status::PendingInstall));
    let how = Install { is_server_side: method == "ssa", ..install() };
    let done = lab.run(async |session| match is_first {
        true => install_it(session, new, &how).await,
        false => upgrade_it(session, new, &upgrade()).await,
    });
    assert!(done.is_ok(), "{}", told(&done.map(|release| release.version)));
    let after = lab.statuses();
    let deployed = after.iter().filter(|(_, status)| *status == Status::Deployed).count();
    let stuck = after.iter().any(|(_, status)| status.is_pending() || *status == Status::Uninstalling);
    assert!(deployed == 1 && !stuck, "{}", told(&after));
    assert_eq!(after.last().map(|(_, status)| *status), Some(Status::Deployed), "{}", told(&after));
    check_maps(lab, &wanted, &told);
}

fn check_maps(lab: &Lab, wanted: &BTreeMap<String, String>, told: &dyn Fn(&dyn std::fmt::Debug) -> String) {
    let start = Instant::now();
    while lab.maps() != *wanted {
        let (is, wanted): (BTreeSet<_>, BTreeSet<_>) = (lab.maps().into_iter().collect(), wanted.iter().collect());
        assert!(start.elapsed() < Duration::from_secs(5), "{}", told(&(is, wanted)));
        std::thread::sleep(Duration::from_millis(20));
    }
}
