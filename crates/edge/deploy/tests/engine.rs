//! Sets of manifests, brought to a cluster in a process: what becomes of them, whatever goes wrong on the way.

use onepane_deploy::{Address, Engine, Event, Failure, Happened, Identity, Options, Outcome, Server};
use onepane_embedded::{Behaviour, Effect, Embedded, Filter, Rule, Scenario, When};
use onepane_health::Status;
use onepane_testkit::Random;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A cluster, and how to reach it.
struct Lab {
    cluster: Embedded,
    runtime: tokio::runtime::Runtime,
    address: Address,
    _folder: tempfile::TempDir,
}

const APPLY: Options =
    Options { takes_over: false, prunes: true, may_prune_most: false, patience: Some(Duration::from_secs(60)) };

impl Lab {
    fn new() -> Self {
        let cluster = Embedded::start(onepane_embedded::Options::default()).expect("it starts");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("kubeconfig");
        std::fs::write(&path, cluster.kubeconfig()).expect("it can be written");
        let kubeconfig = Some(path.to_str().expect("it is UTF-8").to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it starts");
        Self { cluster, runtime, address: Address { kubeconfig, context: None }, _folder: folder }
    }

    /// What comes of `work` with an engine for the set `shop`, and what was told on the way.
    fn with_engine<T>(
        &self,
        work: impl AsyncFnOnce(&Engine<'_>) -> Result<T, Failure>,
    ) -> (Result<T, Failure>, Vec<Event>) {
        let events = RefCell::new(Vec::new());
        let outcome = self.runtime.block_on(async {
            let server = Server::connect(&self.address).await?;
            let engine = Engine::new(&server, "default", "shop", |event| events.borrow_mut().push(event.clone()));
            work(&engine).await
        });
        (outcome, events.into_inner())
    }

    fn apply(&self, objects: &[Value], options: &Options) -> (Result<Outcome, Failure>, Vec<Event>) {
        self.with_engine(async |engine| engine.apply(objects.to_vec(), options).await)
    }

    /// The counts of an apply that has to succeed.
    fn applied(&self, objects: &[Value], options: &Options) -> [usize; 5] {
        let (outcome, events) = self.apply(objects, options);
        let Outcome { created, configured, unchanged, deleted, failed } =
            outcome.unwrap_or_else(|error| panic!("{error}: {events:?}"));
        [created, configured, unchanged, deleted, failed]
    }

    /// The objects that carry the label of a set, as `Kind/namespace/name`.
    fn members(&self) -> BTreeSet<String> {
        let (status, _) = self.with_engine(async |engine| engine.status().await);
        status.expect("it answers").keys().map(Identity::to_string).collect()
    }

    /// Makes a request as somebody else.
    fn send(&self, method: &str, path: &str, content: &str, body: &Value) -> u16 {
        self.runtime.block_on(async {
            let options = kube::config::KubeConfigOptions::default();
            let kubeconfig = kube::config::Kubeconfig::from_yaml(&self.cluster.kubeconfig()).expect("it is one");
            let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("it is one");
            let client = kube::Client::try_from(config).expect("it is one");
            let body = serde_json::to_vec(body).expect("it is JSON");
            let request = http::Request::builder().method(method).uri(path).header("content-type", content);
            let request = request.body(kube::client::Body::from(body)).expect("it is one");
            client.send(request).await.expect("it answers").status().as_u16()
        })
    }
}

fn config(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": {"key": value}})
}

fn deployment(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": image, "ports": [{"containerPort": 80}],
                "env": [{"name": "A", "value": "1"}]}]}}},
    })
}

/// A namespace, a definition and a resource of it, configuration and a workload.
fn shop() -> Vec<Value> {
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object",
        "properties": {"size": {"type": "integer"}}}}}});
    vec![
        json!({"apiVersion": "example.com/v1", "kind": "Queue", "metadata": {"name": "orders", "namespace": "shop"},
            "spec": {"size": 3}}),
        deployment("api", "api:1"),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        config("settings", "a"),
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "queues.example.com"},
            "spec": {"group": "example.com", "scope": "Namespaced",
                "names": {"kind": "Queue", "plural": "queues", "singular": "queue", "listKind": "QueueList"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}}),
    ]
}

#[test]
fn a_set_comes_changes_shrinks_and_goes() {
    let lab = Lab::new();
    assert_eq!(lab.applied(&shop(), &APPLY), [5, 0, 0, 0, 0]);
    lab.cluster.faults().reset_counts();
    assert_eq!(lab.applied(&shop(), &APPLY), [0, 0, 5, 0, 0]);
    let counts = lab.cluster.faults().counts();
    let writes: u64 = counts
        .iter()
        .filter(|((verb, _), _)| !matches!(verb.as_str(), "get" | "list" | "watch"))
        .map(|(_, count)| count)
        .sum();
    assert_eq!(writes, 0, "what is as it should be is not written: {counts:?}");

    let mut changed = shop();
    changed[3] = config("settings", "b");
    changed.push(config("more", "c"));
    assert_eq!(lab.applied(&changed, &APPLY), [1, 1, 4, 0, 0]);
    // Somebody turns a knob, and it is turned back.
    let path = "/api/v1/namespaces/shop/configmaps/settings?fieldManager=somebody";
    assert_eq!(lab.send("PATCH", path, "application/merge-patch+json", &json!({"data": {"key": "x"}})), 200);
    let (outcome, events) = lab.apply(&changed, &APPLY);
    assert_eq!(outcome.expect("it answers").failed, 1);
    let conflict = events.iter().find_map(|event| match &event.happened {
        Happened::Failed(Failure::Conflicts(conflicts)) => Some(conflicts.clone()),
        _ => None,
    });
    let conflict = conflict.expect("it belongs to somebody else now");
    assert_eq!((conflict[0].owner.as_str(), conflict[0].field.as_str()), ("somebody", ".data.key"));
    assert_eq!(lab.applied(&changed, &Options { takes_over: true, ..APPLY }), [0, 1, 5, 0, 0]);

    assert_eq!(lab.applied(&shop(), &Options { takes_over: true, ..APPLY }), [0, 1, 4, 1, 0]);
    assert!(!lab.members().contains("ConfigMap/shop/more"));
    let (destroyed, _) = lab.with_engine(async |engine| engine.destroy(Duration::from_secs(30)).await);
    assert_eq!(destroyed.map(|outcome| (outcome.deleted, outcome.failed)), Ok((5, 0)));
    assert_eq!(lab.members(), BTreeSet::new());
    assert_eq!(lab.send("GET", "/api/v1/namespaces/default/secrets/shop", "application/json", &Value::Null), 404);
}

#[test]
fn a_secret_of_texts_is_settled_too() {
    let lab = Lab::new();
    let secret = |texts: Value| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "default"},
            "data": {"a": "QQ==", "b": "Qg=="}, "stringData": texts})
    };
    let wanted = [secret(json!({"b": "other", "c": "\u{e9}"}))];
    assert_eq!(lab.applied(&wanted, &APPLY), [1, 0, 0, 0, 0]);
    lab.cluster.faults().reset_counts();
    assert_eq!(lab.applied(&wanted, &APPLY), [0, 0, 1, 0, 0]);
    let counts = lab.cluster.faults().counts();
    assert!(!counts.keys().any(|(verb, _)| verb == "patch"), "{counts:?}");
    // What the server would refuse is left for it to refuse.
    let (outcome, events) = lab.apply(&[secret(json!({"b": 3}))], &APPLY);
    assert_eq!(outcome.map(|outcome| outcome.failed), Ok(1), "{events:?}");
}

#[test]
fn what_does_not_go_is_told() {
    let lab = Lab::new();
    let mut held = config("held", "x");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    assert_eq!(lab.applied(&[namespace, held], &APPLY), [2, 0, 0, 0, 0]);
    let (destroyed, events) = lab.with_engine(async |engine| engine.destroy(Duration::from_secs(1)).await);
    assert_eq!(destroyed.map(|outcome| (outcome.deleted, outcome.failed)), Ok((2, 2)));
    let is_told = |event: &Event| {
        event.object.name == "held"
            && matches!(&event.happened, Happened::Became(health) if health.message.starts_with("it is still there after 1 s"))
    };
    assert!(events.iter().any(is_told), "{events:?}");
    // What is left is still known.
    assert_eq!(lab.members(), BTreeSet::from(["ConfigMap/shop/held".to_owned(), "Namespace/shop".to_owned()]));
}

#[test]
fn what_looks_like_a_mistake_is_not_done() {
    let lab = Lab::new();
    let mut many = vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})];
    many.extend((0..9).map(|number| config(&format!("c{number}"), "x")));
    let mut kept = config("kept", "x");
    kept["metadata"]["annotations"] = json!({"helm.sh/resource-policy": "keep"});
    many.push(kept);
    assert_eq!(lab.applied(&many, &APPLY), [11, 0, 0, 0, 0]);
    let guarded = |objects: &[Value], said: &str| {
        let before = lab.members();
        let (outcome, events) = lab.apply(objects, &APPLY);
        assert!(matches!(&outcome, Err(Failure::Guarded(why)) if why.contains(said)), "{outcome:?}");
        assert!(events.is_empty() && lab.members() == before);
    };
    guarded(&[], "there is nothing to apply");
    guarded(&many[..3], "8 objects would be deleted");
    guarded(&[json!({"apiVersion": "example.org/v1", "kind": "Odd", "metadata": {"name": "a"}})], "no kind Odd");
    guarded(&[config("../../secrets/a", "x")], "no name that an object can have");
    guarded(&[config("a", "x"), config("a", "y")], "is there twice");
    assert_eq!(lab.applied(&many[..3], &Options { may_prune_most: true, ..APPLY }), [0, 0, 3, 7, 0]);
    assert!(lab.members().contains("ConfigMap/shop/kept"));
}

#[test]
fn what_depends_on_others_waits_for_them() {
    let lab = Lab::new();
    let annotated = |mut object: Value, name: &str, value: &str| {
        object["metadata"]["annotations"] = json!({name: value});
        object
    };
    let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let objects = vec![
        depends(deployment("web", "web:1"), "api"),
        depends(deployment("api", "api:1"), "db"),
        deployment("db", "db:1"),
        annotated(deployment("last", "last:1"), "argocd.argoproj.io/sync-wave", "3"),
        annotated(config("first", "x"), "argocd.argoproj.io/sync-wave", "-2"),
        shop.clone(),
    ];
    let options = Options { patience: None, ..APPLY };
    let (outcome, events) = lab.apply(&objects, &options);
    assert_eq!(outcome.map(|outcome| (outcome.created, outcome.failed)), Ok((6, 0)), "{events:?}");
    let at = |name: &str, is_it: fn(&Happened) -> bool| {
        events.iter().position(|event| event.object.name == name && is_it(&event.happened)).expect(name)
    };
    let created = |name: &str| at(name, |happened| matches!(happened, Happened::Created));
    let ready = |name: &str| {
        at(name, |happened| matches!(happened, Happened::Became(health) if health.status == Status::Current))
    };
    assert!(created("shop") < created("first") && created("first") < created("db"));
    assert!(created("db") < ready("db") && ready("db") < created("api") && ready("api") < created("web"));
    assert!(ready("web") < created("last"), "a later wave begins when all of the one before are ready");

    // Nobody waits for what can't become ready.
    let rule = Rule { image: Some("db:2".to_owned()), behaviour: Some(Behaviour::ImagePullFails), ..Rule::default() };
    lab.cluster.set_scenario(Scenario { rules: vec![rule] });
    let mut broken = objects.clone();
    broken[1] = depends(deployment("api", "api:2"), "db");
    broken[2] = deployment("db", "db:2");
    let (outcome, events) = lab.apply(&broken, &APPLY);
    assert_eq!(outcome.map(|outcome| (outcome.configured, outcome.failed)), Ok((1, 1)), "{events:?}");

    let refused = |objects: &[Value], said: &str| {
        let (outcome, _) = lab.apply(objects, &APPLY);
        assert!(matches!(&outcome, Err(Failure::Guarded(why)) if why.contains(said)), "{outcome:?}");
    };
    refused(&[shop.clone(), depends(deployment("a", "a:1"), "gone")], "not among what is applied");
    let circle = [depends(deployment("a", "a:1"), "b"), depends(deployment("b", "b:1"), "a"), shop];
    refused(&circle, "Deployment/shop/a, Deployment/shop/b");
}

/// An object that depends on a Deployment of the shop.
fn depends(mut object: Value, on: &str) -> Value {
    let dependency = format!("apps/namespaces/shop/Deployment/{on}");
    object["metadata"]["annotations"]["config.kubernetes.io/depends-on"] = json!(dependency);
    object
}

fn at_wave(mut object: Value, wave: i64) -> Value {
    object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] = json!(wave.to_string());
    object
}

#[test]
fn what_depends_on_others_goes_before_them() {
    let lab = Lab::new();
    let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let many = [config("a", "x"), config("b", "x"), config("c", "x")];
    let chain = [
        depends(deployment("web", "web:1"), "api"),
        depends(deployment("api", "api:1"), "db"),
        deployment("db", "db:1"),
        at_wave(deployment("last", "last:1"), 3),
        at_wave(config("first", "x"), -2),
    ];
    let all: Vec<Value> = [std::slice::from_ref(&shop), &many[..], &chain[..]].concat();
    let rest: Vec<Value> = [&[shop], &many[..]].concat();
    let order = |events: &[Event], is_it: fn(&Happened) -> bool| {
        let names = events.iter().filter(|event| is_it(&event.happened)).map(|event| event.object.name.clone());
        names.collect::<Vec<_>>()
    };

    lab.applied(&all, &APPLY);
    lab.cluster.faults().reset_counts();
    let options = Options { may_prune_most: true, ..APPLY };
    let (outcome, events) = lab.apply(&rest, &options);
    assert_eq!(outcome.map(|outcome| (outcome.deleted, outcome.failed)), Ok((5, 0)), "{events:?}");
    let pruned = order(&events, |happened| matches!(happened, Happened::Pruned));
    assert_eq!(pruned, ["last", "web", "api", "db", "first"]);

    // As long as something is there, what it depends on is, too.
    let mut held = all.clone();
    held[5]["metadata"]["finalizers"] = json!(["example.com/hold"]);
    lab.applied(&held, &APPLY);
    let options = Options { patience: Some(Duration::from_secs(1)), ..options };
    let (outcome, events) = lab.apply(&rest, &options);
    assert_eq!(outcome.map(|outcome| (outcome.deleted, outcome.failed)), Ok((3, 1)), "{events:?}");
    let is_told = |event: &Event| {
        event.object.name == "api"
            && matches!(&event.happened, Happened::Became(health) if health.message.starts_with("it is still there after 1 s"))
    };
    assert!(events.iter().any(is_told), "{events:?}");
    let members = lab.members();
    assert!(members.contains("Deployment/shop/db") && members.contains("ConfigMap/shop/first"), "{members:?}");
    let api = "/apis/apps/v1/namespaces/shop/deployments/api?fieldManager=somebody";
    let merge = "application/merge-patch+json";
    assert_eq!(lab.send("PATCH", api, merge, &json!({"metadata": {"finalizers": null}})), 200);

    // Destroying is no other way; pods of what others wait for go with it.
    lab.applied(&all, &Options { takes_over: true, ..APPLY });
    let (destroyed, events) = lab.with_engine(async |engine| engine.destroy(Duration::from_secs(30)).await);
    assert_eq!(destroyed.map(|outcome| (outcome.deleted, outcome.failed)), Ok((9, 0)), "{events:?}");
    let gone = order(&events, |happened| matches!(happened, Happened::Deleted));
    let gone: Vec<&str> = gone.iter().map(String::as_str).filter(|name| name.len() > 1).collect();
    assert_eq!(gone, ["last", "web", "api", "db", "first", "shop"]);
}

#[test]
fn what_depends_in_odd_ways_is_not_deleted() {
    let lab = Lab::new();
    let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let mut kept = depends(deployment("kept", "kept:1"), "api");
    kept["metadata"]["annotations"]["helm.sh/resource-policy"] = json!("keep");
    let others =
        [kept, depends(deployment("api", "api:1"), "db"), deployment("db", "db:1"), deployment("more", "more:1")];
    let all: Vec<Value> = [std::slice::from_ref(&shop), &others[..]].concat();
    lab.applied(&all, &APPLY);
    let db = "/apis/apps/v1/namespaces/shop/deployments/db?fieldManager=somebody";
    let say = |on: Option<&str>| {
        let on = on.map(|on| format!("apps/namespaces/shop/Deployment/{on}"));
        let patch = json!({"metadata": {"annotations": {"config.kubernetes.io/depends-on": on}}});
        assert_eq!(lab.send("PATCH", db, "application/merge-patch+json", &patch), 200);
    };
    let refused = |said: &str| {
        let before = lab.members();
        let (outcome, events) = lab.apply(&[shop.clone(), config("new", "x")], &APPLY);
        let is_it =
            |outcome: &Result<Outcome, Failure>| matches!(outcome, Err(Failure::Guarded(why)) if why.contains(said));
        assert!(is_it(&outcome) && events.is_empty(), "{outcome:?} {events:?}");
        let (outcome, _) = lab.with_engine(async |engine| engine.destroy(Duration::from_secs(5)).await);
        assert!(is_it(&outcome), "{outcome:?}");
        assert_eq!(lab.members(), before);
    };
    say(Some("api"));
    refused("in a circle");
    say(Some("elsewhere"));
    refused("depends on Deployment/shop/elsewhere, which is not there");
    say(None);

    // Whatever stays keeps what it needs.
    let (outcome, events) = lab.apply(&[shop], &APPLY);
    assert_eq!(outcome.map(|outcome| (outcome.deleted, outcome.failed)), Ok((1, 0)), "{events:?}");
    let is_kept_for = |name: &str, by: &str| {
        events.iter().any(|event| {
            event.object.name == name && matches!(&event.happened, Happened::KeptFor(dependent) if dependent.name == by)
        })
    };
    assert!(is_kept_for("api", "kept") && is_kept_for("db", "api"), "{events:?}");
}

#[test]
fn differences_are_what_an_apply_makes_of_it() {
    let lab = Lab::new();
    let different = |objects: &[Value]| {
        let (found, events) = lab.with_engine(async |engine| engine.differences(objects.to_vec()).await);
        let (found, failed) = found.expect("it answers");
        let told = found.iter().map(|one| {
            let sign = match (&one.before, &one.after) {
                (None, Some(_)) => '+',
                (Some(_), None) => '-',
                _ => '~',
            };
            format!("{sign}{}", one.object)
        });
        (told.collect::<Vec<_>>(), failed, events, found.clone())
    };
    let (all, failed, ..) = different(&shop());
    assert_eq!(failed, 0);
    let expected = [
        "+ConfigMap/shop/settings",
        "+Namespace/shop",
        "+CustomResourceDefinition/queues.example.com",
        "+Deployment/shop/api",
        "+Queue/shop/orders",
    ];
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>(), expected.map(str::to_owned).iter().collect());
    assert_eq!(lab.members(), BTreeSet::new(), "nothing was made");
    lab.applied(&shop(), &APPLY);
    assert_eq!(different(&shop()).0, Vec::<String>::new());

    let mut changed = shop();
    changed[1] = deployment("api", "api:2");
    changed.remove(3);
    changed.push(config("more", "x"));
    // Somebody turns a knob.
    let path = "/apis/apps/v1/namespaces/shop/deployments/api?fieldManager=somebody";
    assert_eq!(lab.send("PATCH", path, "application/merge-patch+json", &json!({"spec": {"replicas": 7}})), 200);
    let (told, failed, events, found) = different(&changed);
    let mut told = told;
    told.sort();
    assert_eq!(told, ["+ConfigMap/shop/more", "-ConfigMap/shop/settings", "~Deployment/shop/api"]);
    assert_eq!(failed, 1);
    let is_conflict = |event: &Event| matches!(&event.happened, Happened::Failed(Failure::Conflicts(all)) if all[0].owner == "somebody");
    assert!(events.iter().any(is_conflict), "{events:?}");
    let api = found.iter().find(|one| one.object.name == "api").expect("it is changed");
    let at = |side: &Option<Value>, pointer: &str| side.as_ref().and_then(|side| side.pointer(pointer)).cloned();
    assert_eq!((at(&api.before, "/spec/replicas"), at(&api.after, "/spec/replicas")), (Some(7.into()), Some(2.into())));
    let image = "/spec/template/spec/containers/0/image";
    assert_eq!((at(&api.before, image), at(&api.after, image)), (Some("api:1".into()), Some("api:2".into())));
    assert_eq!((at(&api.after, "/status"), at(&api.after, "/metadata/managedFields")), (None, None));
}

#[test]
fn what_fails_has_its_last_words_told() {
    let lab = Lab::new();
    let rule = |image: &str, log: &str| Rule {
        image: Some(image.to_owned()),
        behaviour: Some(Behaviour::Fail { after: Duration::from_secs(1), exit_code: 3, times: None }),
        log: Some(log.to_owned()),
        ..Rule::default()
    };
    let rules = vec![rule("crash", "no configuration\n"), rule("test", "one failed\ntwo failed\n")];
    lab.cluster.set_scenario(Scenario { rules });
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "tests", "namespace": "shop"},
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never",
            "containers": [{"name": "run", "image": "test:1"}]}}},
    });
    let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let (outcome, events) = lab.apply(&[shop, job, deployment("bad", "crash:1")], &APPLY);
    assert_eq!(outcome.map(|outcome| outcome.failed), Ok(2), "{events:?}");
    let said: BTreeSet<(&str, &str, &str)> = events
        .iter()
        .filter_map(|event| match &event.happened {
            Happened::Said { container, log, .. } => {
                Some((event.object.name.as_str(), container.as_str(), log.as_str()))
            }
            _ => None,
        })
        .collect();
    assert!(said.contains(&("bad", "main", "no configuration\n")), "{said:?}");
    assert!(said.contains(&("tests", "run", "one failed\ntwo failed\n")), "{said:?}");
}

#[test]
fn a_workload_that_can_not_start_is_told_soon() {
    let lab = Lab::new();
    let rule =
        |image: &str, behaviour| Rule { image: Some(image.to_owned()), behaviour: Some(behaviour), ..Rule::default() };
    let crash = Behaviour::Fail { after: Duration::from_secs(1), exit_code: 3, times: None };
    lab.cluster.set_scenario(Scenario { rules: vec![rule("absent", Behaviour::ImagePullFails), rule("crash", crash)] });
    let mut objects = vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})];
    objects.extend([deployment("api", "api:1"), deployment("lost", "absent:1"), deployment("bad", "crash:1")]);
    let start = Instant::now();
    let (outcome, events) = lab.apply(&objects, &APPLY);
    assert_eq!(outcome.map(|outcome| (outcome.created, outcome.failed)), Ok((4, 2)), "{events:?}");
    assert!(start.elapsed() < Duration::from_secs(50), "nobody waits for the end of the patience");
    let reasons: BTreeSet<(&str, &str)> = events
        .iter()
        .filter_map(|event| match &event.happened {
            Happened::InTrouble { trouble, .. } => Some((event.object.name.as_str(), trouble.reason.as_str())),
            _ => None,
        })
        .collect();
    assert!(reasons.contains(&("bad", "CrashLoopBackOff")), "{reasons:?}");
    assert!(reasons.iter().any(|(name, reason)| *name == "lost" && reason.contains("Image")), "{reasons:?}");
    let ready = |name: &str| {
        events.iter().any(|event| {
            event.object.name == name
                && matches!(&event.happened, Happened::Became(health) if health.status == Status::Current)
        })
    };
    assert!(ready("api") && !ready("lost") && !ready("bad"));
}

#[test]
fn what_crashes_has_time_as_long_as_others_come() {
    let lab = Lab::new();
    let rule =
        |image: &str, behaviour| Rule { image: Some(image.to_owned()), behaviour: Some(behaviour), ..Rule::default() };
    let crash = |times| Behaviour::Fail { after: Duration::from_secs(1), exit_code: 3, times };
    let slow = Behaviour::Ready { after: Duration::from_secs(60) };
    let rules = vec![rule("db", slow), rule("web", crash(Some(4))), rule("bad", crash(None))];
    lab.cluster.set_scenario(Scenario { rules });
    let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let times = |events: &[Event]| {
        let said = events.iter().find_map(|event| match &event.happened {
            Happened::Became(health) if health.status == Status::Failed => Some(health.message.clone()),
            _ => None,
        });
        let said = said.expect("it has failed");
        let (_, rest) = said.split_once("is in CrashLoopBackOff, ").unwrap_or_else(|| panic!("{said}"));
        rest.split(' ').next().and_then(|times| times.parse::<i64>().ok()).unwrap_or_else(|| panic!("{said}"))
    };

    // Nothing that it could wait for: the second time tells, or the third where nobody looked in between.
    let alone = [shop.clone(), deployment("bad", "bad:1")];
    let (outcome, events) = lab.apply(&alone, &APPLY);
    assert_eq!(outcome.map(|outcome| outcome.failed), Ok(1), "{events:?}");
    assert!(matches!(times(&events), 2..=4), "{}", times(&events));
    assert!(lab.with_engine(async |engine| engine.destroy(Duration::from_secs(30)).await).0.is_ok());

    // A service that waits for its database in this way comes up after it.
    let both = [shop.clone(), deployment("db", "db:1"), deployment("web", "web:1")];
    let (outcome, events) = lab.apply(&both, &APPLY);
    assert_eq!(outcome.map(|outcome| (outcome.created, outcome.failed)), Ok((3, 0)), "{events:?}");
    assert!(events.iter().any(|event| matches!(event.happened, Happened::InTrouble { .. })), "it is told at once");
    assert!(lab.with_engine(async |engine| engine.destroy(Duration::from_secs(30)).await).0.is_ok());

    // Once the database is there, one more time is enough.
    let (outcome, events) = lab.apply(&[shop, deployment("db", "db:1"), deployment("bad", "bad:1")], &APPLY);
    assert_eq!(outcome.map(|outcome| outcome.failed), Ok(1), "{events:?}");
    assert!(matches!(times(&events), 4..=6), "{}", times(&events));
}

/// Some of the objects of a shop, always with its namespace.
fn some(random: &mut Random) -> Vec<Value> {
    let mut objects = vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})];
    for number in 0..8 {
        if random.below(3) > 0 {
            objects.push(config(&format!("c{number}"), &random.below(3).to_string()));
        }
    }
    if random.below(2) == 0 {
        objects
            .extend(shop().into_iter().filter(|object| object["kind"] != "Namespace" && object["kind"] != "ConfigMap"));
    }
    objects
}

#[test]
fn whoever_is_killed_leaves_nothing_that_the_next_does_not_find() {
    // A thousand by hand.
    let kills = std::env::var("ONEPANE_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(60);
    let lab = Lab::new();
    let mut random = Random(5);
    let options = Options { may_prune_most: true, takes_over: true, patience: None, ..APPLY };
    let (mut cut_short, mut struck) = (0, 0);
    for turn in 0..kills {
        let wanted = some(&mut random);
        let moment = Duration::from_micros(random.below(60_000) as u64);
        let effect = match random.below(6) {
            0 => Effect::CutBefore,
            1 => Effect::CutAfter,
            2 => Effect::CutMidway,
            3 => Effect::InternalError,
            4 => Effect::TooManyRequests { retry_after: 0 },
            _ => Effect::Delay(Duration::from_millis(20)),
        };
        let faults = lab.cluster.faults();
        faults.inject(Filter::default(), When::Percent { of_hundred: 10, seed: turn }, effect);
        let (outcome, _) = lab.with_engine(async |engine| {
            // Whoever is dropped midway is as good as killed.
            match tokio::time::timeout(moment, engine.apply(wanted, &options)).await {
                Ok(outcome) => outcome.map(|_| true),
                Err(_) => Ok(false),
            }
        });
        cut_short += u64::from(matches!(outcome, Ok(false)));
        struck += faults.struck();
        faults.clear();
        // Whoever comes next wants something else, and gets just that.
        let wanted = some(&mut random);
        let names: BTreeSet<String> = wanted.iter().map(|object| Identity::of(object).to_string()).collect();
        let counts = lab.applied(&wanted, &options);
        assert_eq!(counts[4], 0, "turn {turn}");
        let start = Instant::now();
        while lab.members() != names {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "turn {turn}: {:?} in place of {names:?}",
                lab.members()
            );
        }
    }
    println!("{kills} runs, {cut_short} killed midway, {struck} requests gone wrong");
    assert!(cut_short > kills / 4 && struck > kills / 4, "{cut_short} {struck}");
}
