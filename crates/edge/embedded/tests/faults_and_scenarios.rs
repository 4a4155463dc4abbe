//! What only the embedded server can do: faults, counts, scenarios; and what no client may do to it.

use onepane_embedded::{Behaviour, Effect, Embedded, Filter, Options, Rule, Scenario, When};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// One request over a connection of its own; status, headers and body. `None` where the connection is cut before an
/// answer.
fn raw(cluster: &Embedded, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<(u16, String, Vec<u8>)> {
    let address = cluster.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it can be set");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it is taken");
    // Whoever refuses a body need not read it.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("it has a status");
    let body = answer[end + 4..].to_vec();
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Some((status, head, if is_chunked { whole(&body) } else { body }))
}

/// What comes in chunks, put together as far as it came.
fn whole(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size =
            std::str::from_utf8(&rest[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok()).unwrap_or(0);
        let chunk = &rest[end + 2..];
        if size == 0 || chunk.len() < size {
            break;
        }
        body.extend_from_slice(&chunk[..size]);
        rest = chunk.get(size + 2..).unwrap_or_default();
    }
    body
}

fn send(cluster: &Embedded, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let (status, _, body) =
        raw(cluster, method, path, &format!("Content-Type: {kind}\r\n"), text.as_bytes()).expect("there is an answer");
    (status, serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body))))
}

fn get(cluster: &Embedded, path: &str) -> Value {
    send(cluster, "GET", path, &Value::Null).1
}

fn create(cluster: &Embedded, path: &str, object: &Value) {
    let (status, answer) = send(cluster, "POST", path, object);
    assert_eq!(status, 201, "{answer}");
}

/// Waits until something is so.
fn until<T>(what: &str, look: impl Fn() -> Result<T, Value>) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) => assert!(start.elapsed() < Duration::from_secs(20), "{what}: {last}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is(value: Value, holds: impl Fn(&Value) -> bool) -> Result<Value, Value> {
    if holds(&value) { Ok(value) } else { Err(value) }
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";
const APPS: &str = "/apis/apps/v1/namespaces/default";
const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";

fn start() -> Embedded {
    Embedded::start(Options::default()).expect("it starts")
}

fn workload(name: &str, replicas: i64, image: &str) -> Value {
    let template =
        json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": image}]}});
    json!({"metadata": {"name": name}, "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}})
}

fn job(name: &str, policy: &str) -> Value {
    let spec = json!({"restartPolicy": policy, "containers": [{"name": "c", "image": name}]});
    json!({"metadata": {"name": name}, "spec": {"backoffLimit": 2, "template": {"spec": spec}}})
}

fn has_condition(object: &Value, of: &str, status: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(|one| one["type"] == of && one["status"] == status))
}

fn with_rule(rule: Rule) -> Embedded {
    Embedded::start(Options { scenario: Scenario { rules: vec![rule] }, ..Options::default() }).expect("it starts")
}

#[test]
fn a_deployment_becomes_available_and_rolls() {
    let cluster = start();
    create(&cluster, &format!("{APPS}/deployments"), &workload("web", 3, "nginx:1"));
    let path = format!("{APPS}/deployments/web");
    let done = |deployment: &Value| {
        deployment["status"]["availableReplicas"] == 3 && has_condition(deployment, "Available", "True")
    };
    until("it is available", || is(get(&cluster, &path), done));
    let change = json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "nginx:2"}]}}}});
    assert_eq!(send(&cluster, "PATCH", &path, &change).0, 200);
    let rolled = |deployment: &Value| {
        deployment["status"]["observedGeneration"] == 2
            && deployment["status"]["updatedReplicas"] == 3
            && deployment["status"]["replicas"] == 3
    };
    let deployment = until("it is rolled out", || is(get(&cluster, &path), |found| rolled(found) && done(found)));
    assert_eq!(deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    let pods = until("old pods are gone", || {
        is(get(&cluster, PODS), |pods| pods["items"].as_array().is_some_and(|pods| pods.len() == 3))
    });
    assert!(
        pods["items"].as_array().expect("a list").iter().all(|pod| pod["spec"]["containers"][0]["image"] == "nginx:2")
    );
    assert_eq!(send(&cluster, "DELETE", &path, &Value::Null).0, 200);
    until("all is gone", || is(get(&cluster, PODS), |pods| pods["items"] == json!([])));
}

#[test]
fn a_rollout_that_fails_leaves_the_old_pods_and_says_so() {
    let cluster = with_rule(Rule {
        image: Some("broken".to_owned()),
        behaviour: Some(Behaviour::ImagePullFails),
        ..Rule::default()
    });
    let mut web = workload("web", 2, "nginx:1");
    web["spec"]["progressDeadlineSeconds"] = json!(60);
    create(&cluster, &format!("{APPS}/deployments"), &web);
    let path = format!("{APPS}/deployments/web");
    until("it is available", || is(get(&cluster, &path), |found| found["status"]["availableReplicas"] == 2));
    let change = json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "broken:2"}]}}}});
    assert_eq!(send(&cluster, "PATCH", &path, &change).0, 200);
    let late = |found: &Value| has_condition(found, "Progressing", "False");
    let found = until("its deadline is over", || is(get(&cluster, &path), late));
    assert_eq!(found["status"]["availableReplicas"], 2);
    let waiting =
        |pod: &Value| pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff";
    until("its pods say why", || {
        is(get(&cluster, PODS), |pods| {
            pods["items"].as_array().is_some_and(|pods| pods.iter().filter(|pod| waiting(pod)).count() == 2)
        })
    });
}

#[test]
fn pods_do_what_the_scenario_says() {
    let fail = Behaviour::Fail { after: Duration::from_secs(1), exit_code: 3, times: None };
    let flaky = Behaviour::Fail { after: Duration::from_secs(1), exit_code: 3, times: Some(2) };
    let rule = |name: &str, behaviour| Rule {
        name: Some(name.to_owned()),
        behaviour: Some(behaviour),
        log: Some(format!("{name} was here\nbye\n")),
        ..Rule::default()
    };
    let rules = vec![
        rule("crash", fail),
        rule("flaky", flaky),
        rule("hang", Behaviour::Hang),
        rule("never", Behaviour::NeverReady),
        rule("nowhere", Behaviour::Unschedulable),
    ];
    let cluster = Embedded::start(Options { scenario: Scenario { rules }, ..Options::default() }).expect("it starts");
    let pod = |name: &str| json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    for name in ["crash", "flaky", "hang", "never", "nowhere", "plain"] {
        create(&cluster, PODS, &pod(name));
    }
    let state =
        |pod: &Value, reason: &str| pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == reason;
    let path = |name: &str| format!("{PODS}/{name}");
    let crashed = until("it crashes", || is(get(&cluster, &path("crash")), |pod| state(pod, "CrashLoopBackOff")));
    assert_eq!(crashed["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 3);
    until("it hangs", || is(get(&cluster, &path("hang")), |pod| state(pod, "ContainerCreating")));
    until("it finds no node", || {
        is(get(&cluster, &path("nowhere")), |pod| has_condition(pod, "PodScheduled", "False"))
    });
    until("it is ready", || is(get(&cluster, &path("plain")), |pod| has_condition(pod, "Ready", "True")));
    let flaky = until("it recovers", || is(get(&cluster, &path("flaky")), |pod| has_condition(pod, "Ready", "True")));
    assert_eq!(flaky["status"]["containerStatuses"][0]["restartCount"], 2);
    until("it runs", || {
        is(get(&cluster, &path("never")), |pod| {
            pod["status"]["phase"] == "Running" && has_condition(pod, "Ready", "False")
        })
    });
    assert_eq!(get(&cluster, &format!("{}/log", path("never"))), json!("never was here\nbye\n"));
    assert_eq!(get(&cluster, &format!("{}/log?tailLines=1", path("never"))), json!("bye\n"));
    assert_eq!(
        send(&cluster, "POST", &format!("{}/eviction", path("plain")), &json!({"metadata": {"name": "plain"}})).0,
        201
    );
    until("it is evicted", || is(get(&cluster, &path("plain")), |pod| pod["code"] == 404));
}

#[test]
fn jobs_complete_and_fail() {
    let fail = Behaviour::Fail { after: Duration::from_secs(1), exit_code: 1, times: None };
    let cluster = with_rule(Rule { image: Some("bad".to_owned()), behaviour: Some(fail), ..Rule::default() });
    let mut good = job("good", "Never");
    good["spec"]["completions"] = json!(3);
    create(&cluster, JOBS, &good);
    create(&cluster, JOBS, &job("bad", "Never"));
    create(&cluster, JOBS, &job("bad-again", "OnFailure"));
    let good = until("it completes", || {
        is(get(&cluster, &format!("{JOBS}/good")), |job| has_condition(job, "Complete", "True"))
    });
    assert_eq!(good["status"]["succeeded"], 3);
    let bad =
        until("it fails", || is(get(&cluster, &format!("{JOBS}/bad")), |job| has_condition(job, "Failed", "True")));
    assert_eq!(bad["status"]["failed"], 3, "{bad}");
    until("it fails", || is(get(&cluster, &format!("{JOBS}/bad-again")), |job| has_condition(job, "Failed", "True")));
}

#[test]
fn stateful_and_daemon_sets_have_their_pods() {
    let cluster = Embedded::start(Options { nodes: 3, ..Options::default() }).expect("it starts");
    let mut set = workload("db", 2, "db:1");
    set["spec"]["serviceName"] = json!("db");
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    set["spec"]["volumeClaimTemplates"] = json!([claim]);
    create(&cluster, &format!("{APPS}/statefulsets"), &set);
    let mut daemon = workload("agent", 1, "a:1");
    daemon["spec"].as_object_mut().expect("it is one").remove("replicas");
    create(&cluster, &format!("{APPS}/daemonsets"), &daemon);
    until("it is ready", || {
        is(get(&cluster, &format!("{APPS}/statefulsets/db")), |set| set["status"]["readyReplicas"] == 2)
    });
    assert_eq!(
        get(&cluster, &format!("{PODS}/db-1"))["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"],
        "data-db-1"
    );
    let claims = "/api/v1/namespaces/default/persistentvolumeclaims";
    until("its claim is bound", || {
        is(get(&cluster, &format!("{claims}/data-db-0")), |claim| claim["status"]["phase"] == "Bound")
    });
    until("they are on each node", || {
        is(get(&cluster, &format!("{APPS}/daemonsets/agent")), |set| set["status"]["numberReady"] == 3)
    });
    let change = json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "db:2"}]}}}});
    assert_eq!(send(&cluster, "PATCH", &format!("{APPS}/statefulsets/db"), &change).0, 200);
    let updated = |set: &Value| {
        set["status"]["updatedReplicas"] == 2
            && set["status"]["currentRevision"] == set["status"]["updateRevision"]
            && set["status"]["observedGeneration"] == 2
    };
    until("it is rolled", || is(get(&cluster, &format!("{APPS}/statefulsets/db")), updated));
}

#[test]
fn faults_strike_when_they_are_to() {
    let cluster = start();
    let faults = cluster.faults();
    let of = |verb: &str| Filter { verb: Some(verb.to_owned()), resource: Some("configmaps".to_owned()), name: None };
    create(&cluster, MAPS, &json!({"metadata": {"name": "x"}}));
    let x = format!("{MAPS}/x");
    faults.inject(of("get"), When::Nth(2), Effect::TooManyRequests { retry_after: 7 });
    let statuses: Vec<u16> = (0..3).map(|_| send(&cluster, "GET", &x, &Value::Null).0).collect();
    assert_eq!(statuses, [200, 429, 200]);
    faults.clear();
    faults.inject(of("get"), When::First(1), Effect::TooManyRequests { retry_after: 7 });
    let (_, head, _) = raw(&cluster, "GET", &x, "", b"").expect("there is an answer");
    assert!(head.to_ascii_lowercase().contains("retry-after: 7"), "{head}");
    assert_eq!(faults.struck(), 1);
    faults.inject(of("patch"), When::First(1), Effect::Conflict);
    let change = json!({"data": {"a": "b"}});
    assert_eq!(send(&cluster, "PATCH", &x, &change).1["reason"], "Conflict");
    assert_eq!(send(&cluster, "PATCH", &x, &change).0, 200);
    faults.inject(of("list"), When::Always, Effect::InternalError);
    assert_eq!(send(&cluster, "GET", MAPS, &Value::Null).0, 500);
    faults.clear();

    // What is cut afterwards has been done.
    faults.inject(of("create"), When::First(1), Effect::CutBefore);
    assert_eq!(raw(&cluster, "POST", MAPS, "", br#"{"metadata":{"name":"before"}}"#), None);
    assert_eq!(send(&cluster, "GET", &format!("{MAPS}/before"), &Value::Null).0, 404);
    faults.clear();
    faults.inject(of("create"), When::First(1), Effect::CutAfter);
    assert_eq!(raw(&cluster, "POST", MAPS, "", br#"{"metadata":{"name":"after"}}"#), None);
    assert_eq!(send(&cluster, "GET", &format!("{MAPS}/after"), &Value::Null).0, 200);
    faults.inject(of("list"), When::First(1), Effect::CutMidway);
    let (status, _, body) = raw(&cluster, "GET", MAPS, "", b"").expect("it begins");
    assert!(status == 200 && !body.is_empty() && serde_json::from_slice::<Value>(&body).is_err());
    let start = Instant::now();
    faults.inject(of("delete"), When::First(1), Effect::Delay(Duration::from_millis(200)));
    assert_eq!(send(&cluster, "DELETE", &x, &Value::Null).0, 200);
    assert!(start.elapsed() >= Duration::from_millis(200));
    faults.clear();

    faults.reset_counts();
    for _ in 0..4 {
        get(&cluster, MAPS);
    }
    assert_eq!((faults.count("list", "configmaps"), faults.count("get", "configmaps")), (4, 0));

    // By chance, and the same with the same seed.
    let struck = |seed| {
        faults.clear();
        faults.inject(of("get"), When::Percent { of_hundred: 50, seed }, Effect::InternalError);
        (0..20).map(|_| send(&cluster, "GET", &format!("{MAPS}/after"), &Value::Null).0).collect::<Vec<u16>>()
    };
    let (first, again) = (struck(7), struck(7));
    assert!(first == again && first.contains(&200) && first.contains(&500), "{first:?}");
}

#[test]
fn watches_of_a_forgotten_history_are_told_so() {
    let cluster =
        Embedded::start(Options { history_limit: 20, controllers: false, ..Options::default() }).expect("it starts");
    until("there is a namespace", || {
        is(get(&cluster, &format!("{MAPS}/kube-root-ca.crt")), |map| map["kind"] == "ConfigMap")
    });
    let version = get(&cluster, MAPS)["metadata"]["resourceVersion"].as_str().expect("it has one").to_owned();
    let page = get(&cluster, &format!("{MAPS}?limit=1"));
    for index in 0..30 {
        create(&cluster, MAPS, &json!({"metadata": {"name": format!("x{index}")}}));
    }
    let watch = get(&cluster, &format!("{MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=5"));
    assert_eq!(
        (&watch["type"], &watch["object"]["code"], &watch["object"]["reason"]),
        (&json!("ERROR"), &json!(410), &json!("Expired"))
    );
    assert_eq!(page["metadata"]["continue"], Value::Null, "there was one page");
    let page = get(&cluster, &format!("{MAPS}?limit=2"));
    let token = page["metadata"]["continue"].as_str().expect("there are more").to_owned();
    cluster.forget_history();
    create(&cluster, MAPS, &json!({"metadata": {"name": "late"}}));
    cluster.forget_history();
    assert_eq!(send(&cluster, "GET", &format!("{MAPS}?limit=2&continue={token}"), &Value::Null).0, 410);
    let (status, answer) = send(&cluster, "GET", &format!("{MAPS}?resourceVersion=99999999"), &Value::Null);
    assert_eq!((status, &answer["details"]["retryAfterSeconds"]), (504, &json!(1)));
}

#[test]
fn nothing_that_is_sent_brings_it_down() {
    let cluster = Embedded::start(Options { body_limit: 100_000, ..Options::default() }).expect("it starts");
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let deep_map = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let bodies: Vec<Vec<u8>> = vec![
        Vec::new(), b"null".to_vec(), b"[]".to_vec(), b"7".to_vec(), b"\xff\xfe\x00".to_vec(), b"{}".to_vec(), deep.into_bytes(), deep_map.into_bytes(),
        br#"{"metadata":null}"#.to_vec(), br#"{"metadata":[]}"#.to_vec(), br#"{"metadata":{"name":7,"labels":[1],"finalizers":{}}}"#.to_vec(),
        br#"{"metadata":{"name":"x","managedFields":[{"fieldsV1":7},7,{"fieldsV1":{"k:{":{},"f:a":{"v:":7}}}]},"data":{"a":null}}"#.to_vec(),
        br#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","ownerReferences":[{}]},"data":"no"}"#.to_vec(),
        br#"{"spec":{"replicas":-1,"selector":7,"template":{"spec":{"containers":[7,{"ports":[{"containerPort":"x"}]}]}}}}"#.to_vec(),
        br#"{"spec":{"ports":[{},{"port":1e300}],"versions":[{}],"names":7}}"#.to_vec(),
        br#"[{"op":"add","path":"/metadata/x/y/z","value":1},{"op":"move","from":"","path":"/a"}]"#.to_vec(),
        br#"{"$patch":"nonsense","$retainKeys":7,"$setElementOrder/a":[7]}"#.to_vec(), b"a: &a [*a, *a]\n".to_vec(), b"a: b: c".to_vec(),
    ];
    let types = [
        "",
        "application/json",
        "application/yaml",
        "application/apply-patch+yaml",
        "application/merge-patch+json",
        "application/json-patch+json",
        "application/strategic-merge-patch+json",
        "application/vnd.kubernetes.protobuf",
        "a/b;c",
        "\u{7f}",
    ];
    let paths = [
        MAPS,
        "/api/v1/namespaces/default/configmaps/kube-root-ca.crt",
        "/apis/apps/v1/namespaces/default/deployments",
        "/apis/apps/v1/namespaces/default/deployments/x/scale",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/api/v1/namespaces/default/services/kubernetes",
        "/api/v1/namespaces/default",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/api/v1/namespaces/%ff/pods/%00",
        "//",
        "/apis///",
        "/api/v1/namespaces/a/b/c/d/e/f",
    ];
    let mut answers = 0;
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            // Every body with the media types that read it, and every media type with some bodies.
            for (index, body) in bodies.iter().enumerate() {
                let media_type = types[(index + answers) % types.len()];
                let query = [
                    "",
                    "?fieldManager=a&force=true",
                    "?limit=x&continue=%%%",
                    "?labelSelector=((&fieldSelector===",
                    "?watch=1&timeoutSeconds=0&resourceVersion=-1",
                ][answers % 5];
                let header = format!("Content-Type: {media_type}\r\n");
                let (status, _, _) = raw(&cluster, method, &format!("{path}{query}"), &header, body)
                    .unwrap_or_else(|| panic!("{method} {path}{query} {header}: cut"));
                assert!((200..600).contains(&status));
                answers += 1;
            }
        }
    }
    let (status, _, _) =
        raw(&cluster, "POST", MAPS, "", &vec![b' '; 5_000_000]).unwrap_or((413, String::new(), Vec::new()));
    assert_eq!(status, 413);
    assert_eq!(
        raw(&cluster, "GET", "/version", "Authorization: Bearer wrong\r\n", b"").map(|answer| answer.0),
        Some(401)
    );
    let token = format!("Authorization: Bearer {}\r\n", cluster.token());
    assert_eq!(raw(&cluster, "GET", "/version", &token, b"").map(|answer| answer.0), Some(200));
    assert_eq!(send(&cluster, "GET", "/readyz", &Value::Null), (200, json!("ok")));
    create(&cluster, MAPS, &json!({"metadata": {"name": "still-there"}}));
}

#[test]
fn dropping_it_closes_what_is_open() {
    let cluster = start();
    let address = cluster.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).expect("it listens");
    let request = format!("GET {MAPS}?watch=1 HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is taken");
    let mut some = [0; 16];
    assert!(stream.read(&mut some).expect("it answers") > 0);
    let start = Instant::now();
    drop(cluster);
    assert!(start.elapsed() < Duration::from_secs(5));
    let mut rest = Vec::new();
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("it can be set");
    let _ = stream.read_to_end(&mut rest);
    assert!(TcpStream::connect(&address).is_err());
}
