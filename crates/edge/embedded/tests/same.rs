//! The embedded API server and a real one are asked the same, and have to answer the same.
//!
//! `same/NAME.txt` is a conversation: requests, each a line `METHOD PATH [MEDIA-TYPE]` and the body below it, apart by empty
//! lines. `same/NAME.json` is what a real server of Kubernetes 1.34 answered. Where `ONEPANE_TEST_KUBECONFIG` names a
//! cluster without nodes, it is held against that, too, so that what was recorded stays true; with `ONEPANE_RECORD`
//! set, it is recorded anew. In a conversation
//!
//! - `{ns}` is a namespace of its own, `{group}` a group, `{NAME}` what `# keep NAME PATH` before it took from the last answer;
//! - `# until PATH VALUE` before a GET repeats it until that stands there (`status` is the code);
//! - `# differs PATH: WHY` before a request leaves a part of its answer out, which the two answer differently on purpose;
//! - `# as NAME` sets the user agent; any other comment is for readers.

use kube::config::{KubeConfigOptions, Kubeconfig};
use onepane_embedded::{Embedded, Options};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A server that is asked.
struct Server {
    runtime: tokio::runtime::Runtime,
    client: kube::Client,
    /// What namespaces and groups are called here.
    mark: String,
}

impl Server {
    fn new(kubeconfig: &str, mark: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let file = Kubeconfig::from_yaml(kubeconfig).expect("it is a kubeconfig");
        let client = runtime.block_on(async {
            let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            kube::Client::try_from(config.expect("it can be used")).expect("it can be used")
        });
        Self { runtime, client, mark: mark.to_owned() }
    }

    fn send(&self, request: &Asked) -> (u16, Value) {
        let mut builder =
            http::Request::builder().method(&*request.method).uri(&request.path).header("user-agent", &request.agent);
        if !request.body.is_empty() {
            builder = builder.header("content-type", &request.media_type);
        }
        if !request.accept.is_empty() {
            builder = builder.header("accept", &request.accept);
        }
        let asked = builder.body(kube::client::Body::from(request.body.clone().into_bytes())).expect("it is a request");
        let answered = async {
            let answer = self
                .client
                .send(asked)
                .await
                .unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path));
            let status = answer.status().as_u16();
            let bytes = answer
                .into_body()
                .collect_bytes()
                .await
                .unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path));
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let value = serde_json::from_str(&text).unwrap_or_else(|_| match text.starts_with('{') {
                true => text.lines().map(|line| serde_json::from_str(line).unwrap_or(json!(line))).collect(),
                false => json!(text.trim_end()),
            });
            (status, value)
        };
        let in_time = self.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(15), answered).await });
        in_time.unwrap_or_else(|_| panic!("{} {}: no answer for 15 seconds", request.method, request.path))
    }
}

#[derive(Clone, Debug, Default)]
struct Asked {
    method: String,
    path: String,
    media_type: String,
    accept: String,
    agent: String,
    body: String,
    until: Option<(String, String)>,
    differs: Vec<String>,
    keep: Vec<(String, String)>,
    is_silent: bool,
}

/// Reads a conversation.
fn read(text: &str) -> Vec<Asked> {
    let mut all = Vec::new();
    let mut agent = "tester/1.0".to_owned();
    for block in text.split("\n\n") {
        let mut asked = Asked { media_type: "application/json".to_owned(), ..Asked::default() };
        for line in block.lines().filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix("# ") {
                let (word, rest) = comment.split_once(' ').unwrap_or((comment, ""));
                match word {
                    "until" => {
                        asked.until = rest.split_once(' ').map(|(path, value)| (path.to_owned(), value.to_owned()))
                    }
                    "differs" => asked.differs.extend(rest.split_once(':').map(|(path, _)| path.to_owned())),
                    "keep" => {
                        asked.keep.extend(rest.split_once(' ').map(|(name, path)| (name.to_owned(), path.to_owned())))
                    }
                    "as" => agent = format!("{rest}/1.0"),
                    "accept" => asked.accept = rest.to_owned(),
                    "silent" => asked.is_silent = true,
                    _ => {}
                }
            } else if asked.method.is_empty() {
                let words: Vec<&str> = line.split(' ').collect();
                asked.method = words[0].to_owned();
                asked.path = words[1].to_owned();
                asked.media_type = match words.get(2).copied() {
                    None => "application/json".to_owned(),
                    Some("apply") => "application/apply-patch+yaml".to_owned(),
                    Some(short @ ("merge-patch" | "json-patch" | "strategic-merge-patch")) => {
                        format!("application/{short}+json")
                    }
                    Some(other) => other.to_owned(),
                };
            } else {
                asked.body.push_str(line);
                asked.body.push('\n');
            }
        }
        asked.agent.clone_from(&agent);
        if !asked.method.is_empty() {
            all.push(asked);
        }
    }
    all
}

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    if path.is_empty() {
        return Some(value);
    }
    path.split('/').try_fold(value, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

/// Has a conversation; each answer without what is another one every time.
fn converse(server: &Server, name: &str, text: &str) -> Vec<Value> {
    let namespace = format!("{}-{name}", server.mark);
    let mut known: HashMap<String, String> = HashMap::new();
    known.insert("ns".to_owned(), namespace.clone());
    known.insert("group".to_owned(), format!("{namespace}.example"));
    let mut masks = Masks::new(&namespace);
    let mut answers = Vec::new();
    let mut asked_before: (u16, Value) = (0, Value::Null);
    for asked in read(text) {
        for (name, path) in &asked.keep {
            let value = at(&asked_before.1, path)
                .and_then(Value::as_str)
                .unwrap_or_else(|| panic!("{name}: nothing at {path} in {}", asked_before.1));
            known.insert(name.clone(), value.to_owned());
        }
        let mut request = asked.clone();
        let mut until = request.until.take().unwrap_or_default();
        for text in [&mut request.path, &mut request.body, &mut until.1] {
            for (name, value) in &known {
                *text = text.replace(&format!("{{{name}}}"), value);
            }
        }
        let start = Instant::now();
        let (status, value) = loop {
            let (status, value) = server.send(&request);
            let (path, wanted) = &until;
            let is = match path.as_str() {
                "" => break (status, value),
                "status" => status.to_string(),
                path => at(&value, path)
                    .map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
                    .unwrap_or_default(),
            };
            if is == *wanted {
                break (status, value);
            }
            assert!(
                start.elapsed() < Duration::from_secs(40),
                "{name}: {} {} never has {wanted} at {path}: {value}",
                request.method,
                request.path
            );
            std::thread::sleep(Duration::from_millis(50));
        };
        asked_before = (status, value.clone());
        let mut answer =
            json!({"request": format!("{} {}", asked.method, asked.path), "status": status, "body": value});
        if asked.is_silent {
            answer["body"] = Value::Null;
        }
        for path in &asked.differs {
            remove(&mut answer, path);
        }
        masks.apply(&mut answer);
        answers.push(answer);
    }
    answers
}

fn remove(value: &mut Value, path: &str) {
    let (first, rest) = match path.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    match (value, rest) {
        (Value::Object(fields), None) => {
            fields.remove(first);
        }
        (Value::Object(fields), Some(rest)) => {
            if let Some(below) = fields.get_mut(first) {
                remove(below, rest);
            }
        }
        (Value::Array(items), rest) => {
            for item in items {
                match (first, rest) {
                    ("*", Some(rest)) => remove(item, rest),
                    _ => remove(item, path),
                }
            }
        }
        _ => {}
    }
}

/// What is another one every time.
struct Masks {
    namespace: String,
    uid: regex_lite::Regexes,
    uids: Vec<String>,
}

mod regex_lite {
    //! Stretches of a text that are of a form, found without a dependency.

    #[derive(Default)]
    pub(crate) struct Regexes;

    impl Regexes {
        /// Stretches of the form of `form`, in which `0` is a digit and `x` a hexadecimal one.
        pub(crate) fn find(&self, text: &str, form: &str) -> Vec<String> {
            let (bytes, form) = (text.as_bytes(), form.as_bytes());
            let fits = |at: usize| {
                bytes.get(at..at + form.len()).is_some_and(|bytes| {
                    bytes.iter().zip(form).all(|(byte, form)| match form {
                        b'0' => byte.is_ascii_digit(),
                        b'x' => byte.is_ascii_hexdigit(),
                        form => byte == form,
                    })
                })
            };
            (0..text.len()).filter(|at| fits(*at)).map(|at| text[at..at + form.len()].to_owned()).collect()
        }
    }
}

impl Masks {
    fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), uid: regex_lite::Regexes, uids: Vec::new() }
    }

    fn apply(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.masked(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(fields) => {
                if fields
                    .get("resourceVersion")
                    .is_some_and(|version| version.as_str().is_some_and(|version| !version.is_empty()))
                {
                    fields.insert("resourceVersion".to_owned(), "VERSION".into());
                }
                if let Some(Value::Array(entries)) = fields.get_mut("managedFields") {
                    // Of the same second, and of another one, they are in another order.
                    entries.sort_by_key(|entry| {
                        format!("{}{}{}", entry["manager"], entry["operation"], entry["subresource"])
                    });
                }
                let keys: Vec<String> = fields.keys().cloned().collect();
                for key in keys {
                    let mut value = fields.remove(&key).unwrap_or_default();
                    self.apply(&mut value);
                    fields.insert(self.masked(&key), value);
                }
            }
            _ => {}
        }
    }

    fn masked(&mut self, text: &str) -> String {
        let mut text = text.replace(&self.namespace, "NS");
        for uid in self.uid.find(&text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
            let at = self.uids.iter().position(|other| *other == uid).unwrap_or_else(|| {
                self.uids.push(uid.clone());
                self.uids.len() - 1
            });
            text = text.replace(&uid, &format!("UID{at}"));
        }
        for time in self.uid.find(&text, "0000-00-00T00:00:00Z") {
            text = text.replace(&time, "TIME");
        }
        text
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/same")
}

fn conversations() -> BTreeMap<String, String> {
    let files =
        std::fs::read_dir(folder()).expect("the folder is there").map(|entry| entry.expect("it can be read").path());
    let texts = files.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let name = |path: &Path| path.file_stem().expect("it has one").to_string_lossy().into_owned();
    let only = std::env::var("ONEPANE_ONLY").unwrap_or_default();
    let all = texts.map(|path| (name(&path), std::fs::read_to_string(&path).expect("it can be read")));
    all.filter(|(name, _)| only.is_empty() || *name == only).collect()
}

fn recorded(name: &str) -> Vec<Value> {
    let path = folder().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("it is JSON")
}

/// Where two values differ.
fn differences(path: &str, expected: &Value, found: &Value, into: &mut String) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let mut keys: Vec<&String> = expected.keys().chain(found.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let none = Value::Null;
                differences(
                    &format!("{path}/{key}"),
                    expected.get(key).unwrap_or(&none),
                    found.get(key).unwrap_or(&none),
                    into,
                );
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                differences(&format!("{path}/{index}"), expected, found, into);
            }
        }
        (expected, found) if expected != found => {
            let _ = writeln!(into, "    {path}\n      real  {expected}\n      here  {found}");
        }
        _ => {}
    }
}

/// Holds all conversations against what was recorded; how many answers were the same.
fn hold(server: &Server) -> usize {
    let mut report = String::new();
    let mut count = 0;
    for (name, text) in conversations() {
        let answers = converse(server, &name, &text);
        let expected = recorded(&name);
        assert_eq!(expected.len(), answers.len(), "{name}: as many answers as requests");
        for (expected, found) in expected.iter().zip(&answers) {
            let mut differs = String::new();
            differences("", expected, found, &mut differs);
            match differs.is_empty() {
                true => count += 1,
                false => _ = writeln!(report, "{name}: {}\n{differs}", found["request"]),
            }
        }
    }
    assert!(report.is_empty(), "{count} answers are the same, others are not:\n{report}");
    count
}

#[test]
fn the_embedded_server_answers_as_recorded() {
    // Without nodes, as the real one.
    let embedded = Embedded::start(Options { nodes: 0, ..Options::default() }).expect("it starts");
    let server = Server::new(&embedded.kubeconfig(), "same");
    println!("{} answers of the embedded server are those of a real one", hold(&server));
}

#[test]
fn a_real_server_answers_as_recorded() {
    let Ok(kubeconfig) = std::env::var("ONEPANE_TEST_KUBECONFIG") else {
        assert!(std::env::var_os("ONEPANE_REQUIRE_CLUSTER").is_none(), "a cluster is required here and none is named");
        println!("SKIPPED: ONEPANE_TEST_KUBECONFIG names no kubeconfig of a cluster to test against");
        return;
    };
    let kubeconfig = std::fs::read_to_string(kubeconfig).expect("it can be read");
    let server = Server::new(&kubeconfig, &format!("same{}", std::process::id()));
    if std::env::var_os("ONEPANE_RECORD").is_some() {
        for (name, text) in conversations() {
            let answers = converse(&server, &name, &text);
            let text = serde_json::to_string_pretty(&answers).expect("it is JSON");
            std::fs::write(folder().join(format!("{name}.json")), text + "\n").expect("it can be written");
        }
    }
    let again = Server::new(&kubeconfig, &format!("same{}b", std::process::id()));
    println!("{} answers of the real server are as recorded", hold(&again));
}
