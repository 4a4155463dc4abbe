//! Runs on a cluster in the process: whatever happens in them, nothing is left.

use futures::future::join_all;
use onepane_ci::{CaseResult, Reaped, Reaping, Report, Request, Stop, Told, Verdict, reap, run};
use onepane_deploy::{Address, Server};
use onepane_embedded::{Behaviour, Effect, Embedded, Filter, Rule, Scenario, When};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::unbounded_channel;

/// A cluster, and how to reach it.
struct Lab {
    cluster: Embedded,
    runtime: tokio::runtime::Runtime,
    address: Address,
    _folder: tempfile::TempDir,
}

const EXPIRED: Reaping = Reaping { older_than: None, is_trial: false, patience: Duration::from_secs(20) };
const ALL: Reaping = Reaping { older_than: Some(Duration::ZERO), ..EXPIRED };

impl Lab {
    fn new(rules: Vec<Rule>) -> Self {
        let options =
            onepane_embedded::Options { scenario: Scenario { rules }, ..onepane_embedded::Options::default() };
        let cluster = Embedded::start(options).expect("it starts");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("kubeconfig");
        std::fs::write(&path, cluster.kubeconfig()).expect("it can be written");
        let kubeconfig = Some(path.to_str().expect("it is UTF-8").to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it starts");
        Self { cluster, runtime, address: Address { kubeconfig, context: None }, _folder: folder }
    }

    async fn connect(&self) -> Server {
        Server::connect(&self.address).await.expect("it answers")
    }

    /// A run to its end, and what was told.
    fn run(&self, request: Request) -> (Report, Vec<String>) {
        let (said, clock) = (RefCell::new(Vec::new()), Instant::now());
        let (_stop, mut stops) = unbounded_channel();
        let report = self.runtime.block_on(async {
            let server = self.connect().await;
            run(&server, request, &mut stops, &|told| said.borrow_mut().push(line(told))).await
        });
        println!("{} after {:?}", report.verdict.word(), clock.elapsed());
        (report, said.into_inner())
    }

    fn reap(&self, reaping: &Reaping) -> Reaped {
        self.runtime.block_on(async { reap(&self.connect().await, reaping, &|_| ()).await }).expect("it answers")
    }

    /// Sees to it that what a run has left lives as long as it may, and no longer; gives 1 if there was something.
    fn reaped_after_a_kill(&self, when: &str) -> usize {
        let left = self.left();
        // It has time left, and nobody takes it away before. What was on its way out goes on.
        let is_going = self.reap(&EXPIRED);
        assert!(is_going.gone.is_empty() && self.left().is_subset(&left), "{when}: {is_going:?}");
        let reaped = self.reap(&ALL);
        assert_eq!((self.left(), reaped.left.len()), (BTreeSet::new(), 0), "{when}");
        usize::from(!left.is_empty())
    }

    /// Everything that runs have left.
    fn left(&self) -> BTreeSet<String> {
        self.runtime.block_on(async {
            let server = self.connect().await;
            let mut left = BTreeSet::new();
            for kind in server.cluster_kinds().await {
                let list = server.request(http::Method::GET, &kind.path, None).await.expect("it answers");
                for item in list["items"].as_array().expect("it is a list") {
                    let name = item["metadata"]["name"].as_str().expect("it has one");
                    if item["metadata"]["labels"].get("onepane.dev/ci-run").is_some() || name.contains("ci-") {
                        left.insert(format!("{}/{name}", kind.kind));
                    }
                }
            }
            left
        })
    }

    /// Makes an object as somebody else.
    fn make(&self, path: &str, object: &Value) {
        let made = async { self.connect().await.request(http::Method::POST, path, Some(object)).await };
        self.runtime.block_on(made).expect("it can be made");
    }
}

fn line(told: &Told<'_>) -> String {
    match told {
        Told::Note(note) => (*note).to_owned(),
        Told::Object(event) => format!("{}: {:?}", event.object, event.happened),
        Told::Test { name, said } => format!("{name} {said}"),
        Told::Log { pod, container, line } => format!("{pod}/{container} | {line}"),
    }
}

fn rule(image: &str, behaviour: Behaviour, log: &str) -> Rule {
    Rule { image: Some(image.to_owned()), behaviour: Some(behaviour), log: Some(log.to_owned()), ..Rule::default() }
}

fn fail() -> Behaviour {
    Behaviour::Fail { after: Duration::from_secs(1), exit_code: 3, times: None }
}

fn request(image: &str, test: &str) -> Request {
    const RBAC: &str = "rbac.authorization.k8s.io";
    let template = |image: &str, policy: &str| {
        json!({"metadata": {"labels": {"app": "api"}}, "spec": {"restartPolicy": policy,
            "containers": [{"name": "main", "image": image}]}})
    };
    let environment = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop-ci", "labels": {"team": "shop"}}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop-ci"}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "api", "namespace": "shop-ci"}}),
        json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": {"name": "reader"}, "rules": []}),
        json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "api", "namespace": "shop-ci"}]}),
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop-ci"},
            "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": template(image, "Always")}}),
    ];
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "checkout", "namespace": "shop-ci"},
        "spec": {"backoffLimit": 0, "template": template(test, "Never")}});
    Request {
        cluster: "dev".to_owned(),
        service: Some("api".to_owned()),
        images: Vec::new(),
        environment,
        tests: vec![job],
        timeout: Duration::from_secs(60),
        keeps_on_failure: false,
    }
}

const PRINTED: &str = "first\n\
    --- onepane file: results/junit.xml ---\n\
    <testsuite name=\"shop\"><testcase name=\"pays\"/><testcase name=\"ships\"><failure message=\"late\"/></testcase></testsuite>\n\
    --- onepane end ---\n\
    last\n";

#[test]
fn a_run_that_passes_is_reported_and_gone() {
    let lab = Lab::new(vec![rule("check", Behaviour::Succeed { after: Duration::from_secs(1) }, PRINTED)]);
    let (report, said) = lab.run(request("api:1", "check:1"));
    assert_eq!((&report.verdict, report.verdict.exit_code()), (&Verdict::Passed, 0), "{said:#?}");
    assert!(report.namespace.starts_with("ci-api-"), "{}", report.namespace);
    assert_eq!((lab.left(), report.left.len()), (BTreeSet::new(), 0));
    let logs: Vec<&str> = said.iter().filter(|line| line.contains(" | ")).map(String::as_str).collect();
    assert!(logs.len() == 2 && logs[0].starts_with("checkout-") && logs[0].ends_with("/main | first"), "{logs:?}");
    assert_eq!(report.suites[0].cases[1].result, CaseResult::Failed("late".to_owned()));
    let files = report.files();
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    for part in ["/results/junit.xml", "checkout-", "index.html", "junit.xml", "report.json", "report.md", "logs/api-"]
    {
        assert!(paths.iter().any(|path| path.contains(part)), "{part} is not among {paths:?}");
    }
    let read = |path: &str| String::from_utf8(files[path].clone()).expect("it is UTF-8");
    let json: Value = serde_json::from_str(&read("report.json")).expect("it is JSON");
    assert_eq!(
        (&json["verdict"], &json["exitCode"], &json["cases"]["failed"]),
        (&"passed".into(), &0.into(), &1.into())
    );
    assert!(read("junit.xml").contains("name=\"ships\""));
    assert!(read("index.html").contains("results/junit.xml") && !read("index.html").contains("http"));
    assert!(read("report.md").contains("| checkout | passed |"), "{}", read("report.md"));
    assert_eq!(report.phases.iter().map(|phase| phase.name).collect::<Vec<_>>(), ["environment", "tests", "removal"]);
}

#[test]
fn a_test_that_fails_is_told_with_what_it_printed() {
    let lab = Lab::new(vec![rule("check", fail(), "no such order\n")]);
    let (report, said) = lab.run(request("api:1", "check:1"));
    assert_eq!((&report.verdict, report.verdict.exit_code()), (&Verdict::TestsFailed, 1), "{said:#?}");
    assert_eq!(report.tests[0].log, ["no such order"]);
    assert!(report.tests[0].failure.as_ref().is_some_and(|why| why.contains("backoff limit")), "{:?}", report.tests);
    assert!(report.markdown().contains("no such order"));
    assert_eq!(lab.left(), BTreeSet::new());
}

#[test]
fn an_image_that_is_not_there_is_told_soon() {
    let lab = Lab::new(vec![rule("nowhere", Behaviour::ImagePullFails, "")]);
    let start = Instant::now();
    let (report, said) = lab.run(request("nowhere:1", "check:1"));
    assert_eq!((&report.verdict, report.verdict.exit_code()), (&Verdict::NotReady, 3), "{said:#?}");
    assert!(
        report.problems.iter().any(|one| one.why.contains("ImagePull") && one.why.contains("nowhere:1")),
        "{said:#?}"
    );
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(lab.left(), BTreeSet::new());
    // The same of a test.
    let (report, said) = lab.run(request("api:1", "nowhere:1"));
    assert_eq!(report.verdict, Verdict::TestsFailed, "{said:#?}");
    assert!(report.tests[0].failure.as_ref().is_some_and(|why| why.contains("nowhere:1")), "{:?}", report.tests);
    assert_eq!(lab.left(), BTreeSet::new());
}

#[test]
fn a_pod_that_crashes_is_told_with_its_last_lines() {
    let lab = Lab::new(vec![rule("crash", fail(), "panic: no database\n")]);
    let (report, said) = lab.run(request("crash:1", "check:1"));
    assert_eq!(report.verdict, Verdict::NotReady, "{said:#?}");
    let problem = report.problems.iter().find(|one| one.why.contains("CrashLoopBackOff")).expect("it is told");
    assert_eq!(
        (problem.object.contains("Deployment"), problem.log.as_slice()),
        (true, &["panic: no database".to_owned()][..])
    );
    assert!(problem.why.contains("exit code 3"), "{}", problem.why);
    assert_eq!(lab.left(), BTreeSet::new());
}

#[test]
fn a_job_that_hangs_has_failed_when_the_time_is_over() {
    let lab = Lab::new(vec![rule("hang", Behaviour::NeverReady, "waiting\n")]);
    let request = Request { timeout: Duration::from_secs(4), ..request("api:1", "hang:1") };
    let start = Instant::now();
    let (report, said) = lab.run(request);
    assert_eq!(report.verdict, Verdict::TestsFailed, "{said:#?}");
    assert!(report.tests[0].failure.as_ref().is_some_and(|why| why.contains("has not ended")), "{:?}", report.tests);
    assert_eq!(report.tests[0].log, ["waiting"]);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(lab.left(), BTreeSet::new());
}

#[test]
fn what_can_not_be_run_says_so_and_makes_nothing() {
    let lab = Lab::new(Vec::new());
    let mut refused = request("api:1", "check:1");
    refused
        .environment
        .push(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "kube-system"}}));
    lab.cluster.faults().reset_counts();
    let (report, _) = lab.run(refused);
    assert_eq!(report.verdict.exit_code(), 2);
    assert!(matches!(&report.verdict, Verdict::NotRun(why) if why.contains("ConfigMap/kube-system/a")));
    assert_eq!(lab.cluster.faults().count("create", "namespaces"), 0);
    let mut unknown = request("api:1", "check:1");
    unknown.environment.push(json!({"apiVersion": "example.org/v1", "kind": "Odd", "metadata": {"name": "a"}}));
    let (report, _) = lab.run(unknown);
    assert!(matches!(&report.verdict, Verdict::NotRun(why) if why.contains("no kind Odd")), "{:?}", report.verdict);
    assert_eq!(lab.left(), BTreeSet::new());
}

#[test]
fn an_environment_is_kept_where_it_fails_until_it_expires() {
    let lab = Lab::new(vec![rule("check", fail(), "")]);
    let (report, _) = lab.run(Request { keeps_on_failure: true, ..request("api:1", "check:1") });
    assert!(report.is_kept && report.verdict == Verdict::TestsFailed);
    assert_eq!(lab.left().len(), 4, "a namespace, a role, a binding, a class: {:?}", lab.left());
    assert_eq!(lab.reap(&EXPIRED), Reaped { alive: 1, ..Reaped::default() });
    let trial = lab.reap(&Reaping { is_trial: true, ..ALL });
    assert_eq!((trial.gone, lab.left().len()), (vec![report.namespace.clone()], 4));
    assert_eq!(lab.reap(&ALL).gone, [report.namespace]);
    assert_eq!(lab.left(), BTreeSet::new());
}

#[test]
fn whoever_is_killed_leaves_nothing_that_is_not_reaped() {
    let lab = Lab::new(Vec::new());
    let faults = lab.cluster.faults();
    let (mut kills, mut found) = (0, 0);
    for nth in 1.. {
        let killed = lab.runtime.block_on(async {
            let server = lab.connect().await;
            faults.clear();
            faults.inject(Filter::default(), When::Nth(nth), Effect::Delay(Duration::from_secs(3600)));
            let (_stop, mut stops) = unbounded_channel();
            let run = run(&server, request("api:1", "check:1"), &mut stops, &|_| ());
            tokio::pin!(run);
            loop {
                tokio::select! {
                    report = &mut run => {
                        assert_eq!(report.verdict, Verdict::Passed, "{nth}");
                        break false;
                    }
                    () = tokio::time::sleep(Duration::from_millis(1)) => if faults.struck() > 0 { break true },
                }
            }
        });
        faults.clear();
        if !killed {
            break;
        }
        kills += 1;
        found += lab.reaped_after_a_kill(&format!("killed at request {nth}"));
    }
    println!("{kills} kills, {found} of which left something to reap");
    assert!(kills >= 30 && found >= 20, "{kills} {found}");
}

#[test]
fn whoever_is_killed_at_any_moment_leaves_nothing_that_is_not_reaped() {
    let lab = Lab::new(Vec::new());
    let mut found = 0;
    for turn in 0..30 {
        lab.runtime.block_on(async {
            let server = lab.connect().await;
            let (_stop, mut stops) = unbounded_channel();
            let moment = Duration::from_millis(turn * 20);
            _ = tokio::time::timeout(moment, run(&server, request("api:1", "check:1"), &mut stops, &|_| ())).await;
        });
        found += lab.reaped_after_a_kill(&format!("killed after {} ms", turn * 20));
    }
    println!("30 kills, {found} of which left something to reap");
    assert!(found >= 15, "{found}");
}

#[test]
fn whatever_goes_wrong_on_the_way_nothing_is_left() {
    let lab = Lab::new(Vec::new());
    for seed in 0..12 {
        let faults = lab.cluster.faults();
        for (at, effect) in [
            Effect::CutBefore,
            Effect::CutAfter,
            Effect::CutMidway,
            Effect::InternalError,
            Effect::TooManyRequests { retry_after: 0 },
        ]
        .into_iter()
        .enumerate()
        {
            faults.inject(Filter::default(), When::Percent { of_hundred: 3, seed: seed * 10 + at as u64 }, effect);
        }
        let (_stop, mut stops) = unbounded_channel();
        let report = lab.runtime.block_on(async {
            let server = loop {
                if let Ok(server) = Server::connect(&lab.address).await {
                    break server;
                }
            };
            run(&server, request("api:1", "check:1"), &mut stops, &|_| ()).await
        });
        faults.clear();
        assert!(report.left.is_empty(), "{seed}: {report:?}");
        assert_eq!((&report.verdict, lab.left()), (&Verdict::Passed, BTreeSet::new()), "{seed}: {report:?}");
    }
}

#[test]
fn whoever_is_stopped_removes_what_there_is() {
    let lab = Lab::new(vec![rule("hang", Behaviour::NeverReady, "")]);
    for (turn, stop) in [Stop::Interrupt, Stop::Terminate, Stop::Interrupt, Stop::Terminate].into_iter().enumerate() {
        let report = lab.runtime.block_on(async {
            let server = lab.connect().await;
            let (sender, mut stops) = unbounded_channel();
            let later = async {
                tokio::time::sleep(Duration::from_millis([0, 30, 200, 800][turn])).await;
                sender.send(stop).expect("somebody listens");
                std::future::pending::<()>().await;
            };
            tokio::select! {
                report = run(&server, request("api:1", "hang:1"), &mut stops, &|_| ()) => report,
                () = later => unreachable!("it never ends"),
            }
        });
        assert_eq!(report.verdict, Verdict::Stopped(stop));
        assert_eq!(report.verdict.exit_code(), if stop == Stop::Interrupt { 130 } else { 143 });
        assert_eq!((lab.left(), report.left.len()), (BTreeSet::new(), 0), "{turn}");
    }
}

#[test]
fn ten_runs_at_once_do_not_disturb_one_another() {
    let lab = Lab::new(vec![
        rule("bad", fail(), "bad\n"),
        rule("check", Behaviour::Succeed { after: Duration::from_secs(20) }, "good\n"),
    ]);
    let start = Instant::now();
    let reports = lab.runtime.block_on(async {
        join_all((0..10).map(|number| {
            let lab = &lab;
            async move {
                let server = lab.connect().await;
                let (_stop, mut stops) = unbounded_channel();
                let test = if number % 3 == 0 { "bad:1" } else { "check:1" };
                run(&server, request("api:1", test), &mut stops, &|_| ()).await
            }
        }))
        .await
    });
    println!("10 runs in {:?}", start.elapsed());
    let names: BTreeSet<&str> = reports.iter().map(|report| report.namespace.as_str()).collect();
    assert_eq!(names.len(), 10);
    for (number, report) in reports.iter().enumerate() {
        let (wanted, log) = if number % 3 == 0 { (Verdict::TestsFailed, "bad") } else { (Verdict::Passed, "good") };
        assert_eq!((&report.verdict, report.tests[0].log.as_slice()), (&wanted, &[log.to_owned()][..]), "{report:?}");
        assert_eq!(report.tests.len(), 1);
    }
    assert_eq!(lab.left(), BTreeSet::new());
}

#[test]
fn what_is_somebody_elses_is_not_reaped() {
    let lab = Lab::new(Vec::new());
    let past = "2020-01-01T00:00:00Z";
    let namespace = |name: &str, run: &str, expires: &str| {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name,
            "labels": {"onepane.dev/ci-run": run}, "annotations": {"onepane.dev/ci-expires": expires}}})
    };
    let role = |name: &str, run: &str, expires: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name,
            "labels": {"onepane.dev/ci-run": run}, "annotations": {"onepane.dev/ci-expires": expires}}})
    };
    let namespaces = [
        namespace("ci-dead", "ci-dead", past),
        namespace("ci-alive", "ci-alive", "2999-01-01T00:00:00Z"),
        namespace("ci-says-nothing", "ci-says-nothing", "soon"),
        namespace("ci-copied", "ci-other", past),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ci-plain"}}),
    ];
    let roles = [
        role("ci-of-dead", "ci-dead", past),
        role("ci-of-alive", "ci-alive", past),
        role("ci-orphan", "ci-gone", past),
        role("ci-young-orphan", "ci-gone", "2999-01-01T00:00:00Z"),
    ];
    namespaces.iter().for_each(|one| lab.make("/api/v1/namespaces", one));
    roles.iter().for_each(|one| lab.make("/apis/rbac.authorization.k8s.io/v1/clusterroles", one));
    let reaped = lab.reap(&EXPIRED);
    assert_eq!((reaped.alive, reaped.left.len()), (3, 0), "{reaped:?}");
    let left = [
        "ClusterRole/ci-of-alive",
        "ClusterRole/ci-young-orphan",
        "Namespace/ci-alive",
        "Namespace/ci-copied",
        "Namespace/ci-plain",
        "Namespace/ci-says-nothing",
    ];
    assert_eq!(lab.left(), left.map(str::to_owned).into());
}
