//! What `why` and `impact` say is true: where the line that `why` names is changed, the field changes, and nothing does that
//! `impact` has not listed.
//!
//! `ONEPANE_FIELDS` fields are sampled of each repository, 100 if nothing is said. Those of which no change of the line makes
//! a repository that can be built are passed over: the name of a release is that of a folder that overlays name, too.

use onepane_resource::join_key;
use onepane_testkit::{Finished, Random, corpus, git, run_once};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A field of a resource of a cluster.
type Field = (String, String, String);

#[test]
fn the_lines_of_the_example_are_those_that_why_names() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    Trial::of(&shop(folder.path())).run("the example");
}

#[test]
fn the_lines_of_charts_of_the_corpus_are_those_that_why_names() {
    if let Err(why) = corpus("helm") {
        return eprintln!("skipped: {why}");
    }
    if std::env::var_os("ONEPANE_FIELDS").is_none() {
        return eprintln!("skipped: it takes minutes; ONEPANE_FIELDS=100 runs it");
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let root = folder.path().join("fleet");
    let fleet = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../benches/fleet");
    let make = [fleet, "--clusters", "1", "--releases", "12", "--make", root.to_str().expect("it is UTF-8")];
    let made = run_once("python3", &make, folder.path());
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert_eq!(onepane(&root, &["render"]).0.code, Some(0));
    Trial::of(&root).run("charts of the corpus");
}

/// The example in a folder of its own.
fn shop(folder: &Path) -> PathBuf {
    let (made, _) = onepane(folder, &["init", "--example", "shop"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    folder.join("shop")
}

/// What `impact` prints of a place.
fn impact(root: &Path, place: &str) -> String {
    let (asked, text) = onepane(root, &["impact", place, "--cluster", "dev"]);
    assert_eq!(asked.code, Some(0), "{place}: {}", asked.stderr);
    text
}

#[test]
fn a_line_feeds_fields_and_decides_on_others() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let root = shop(folder.path());
    let fed = "dev: feeds 1 fields, decides on 0\n  Deployment/shop/api\n    \
               spec.template.spec.containers[name=api].resources.limits.memory: 128Mi\n";
    assert_eq!(impact(&root, "helm-charts/values/api.yaml:27"), fed);
    // Lines within a block are that block; what an `if` makes of it is decided.
    let files = impact(&root, "helm-charts/values/api.yaml:15");
    assert!(files.contains("    data[\"catalogue.json\"]: {\n"), "{files}");
    let files = impact(&root, "helm-charts/values/api.yaml:11");
    assert!(files.contains("volumeMounts[name=files].mountPath: /etc/shop (decided)\n"), "{files}");
    let asks = "Deployment/shop/api may have other parts: api/templates/deployment.yaml asks for it\n";
    assert!(files.contains(asks), "{files}");
    // An overlay has the last word.
    let replaced = "helm-charts/values/api.yaml:24 feeds nothing on any cluster\n\
                    what it says in the rendered api is replaced, or built nowhere\n";
    assert_eq!(impact(&root, "helm-charts/values/api.yaml:24"), replaced);
    let comment = "helm-charts/values/api.yaml:1 feeds nothing on any cluster\n";
    assert_eq!(impact(&root, "helm-charts/values/api.yaml:1"), comment);
    // What the state says of a release is for all of it.
    let chart = impact(&root, "helm-charts/helmfile.yaml:15");
    assert!(chart.contains("    spec.revisionHistoryLimit: 3 (decided)\n"), "{chart}");
    // Of a line that no value comes from, the most that it can do is told, and that this is so.
    let patch = impact(&root, "groups/dev/patches/log-level.yaml:4");
    assert!(patch.contains("unknown: no value is known to come from this line"), "{patch}");
    let secret = impact(&root, "groups/default/kustomization.yaml:20");
    assert!(secret.contains("    data.token: <redacted>\n"), "{secret}");
    assert!(!secret.contains("example-only"), "{secret}");
    for (place, said) in [
        ("helm-charts/values/api.yaml:999", "has the lines 1 to 27"),
        ("helm-charts/values/api.yaml:0", "has the lines 1 to 27"),
        ("helm-charts/values/api.yaml:x", "`x` is no line"),
        ("gone.yaml:1", "`gone.yaml` is no file of the repository"),
        ("../../../etc/passwd", "leads out of the folder that may be read"),
    ] {
        let (asked, text) = onepane(&root, &["impact", place]);
        assert_ne!(asked.code, Some(0), "{place}: {text}");
        assert!(asked.stderr.contains(said), "{place}: {}", asked.stderr);
    }
}

#[test]
fn what_switches_a_subchart_decides_on_all_of_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let root = folder.path();
    let map = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: \"1\"}}\n");
    let chart = "apiVersion: v2\nname: top\nversion: 0.1.0\ndescription: x\ndependencies:\n\
                 - {name: one, version: 0.1.0, condition: one.enabled}\n\
                 - {name: two, version: 0.1.0, tags: [extra]}\n";
    let files = [
        ("top/Chart.yaml", chart.to_owned()),
        ("top/values.yaml", "one:\n  enabled: true\ntags:\n  extra: false\nother: 1\n".to_owned()),
        ("top/templates/top.yaml", map("top")),
        ("top/charts/one/Chart.yaml", "apiVersion: v2\nname: one\nversion: 0.1.0\n".to_owned()),
        ("top/charts/one/templates/one.yaml", map("one")),
        ("top/charts/two/Chart.yaml", "apiVersion: v2\nname: two\nversion: 0.1.0\n".to_owned()),
        ("top/charts/two/templates/two.yaml", map("two")),
        ("helmfile.yaml", "releases:\n- {name: top, namespace: n, chart: ./top}\n".to_owned()),
        ("../clusters/dev/kustomization.yaml", "resources: [../../helm-charts/rendered/top]\n".to_owned()),
    ];
    for (path, text) in files {
        let path = root.join("helm-charts").join(path);
        fs::create_dir_all(root.join("helm-charts")).expect("it can be made");
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    assert_eq!(onepane(root, &["render"]).0.code, Some(0));
    let parts = "  ConfigMap/one may have other parts: top/charts/one/templates/one.yaml asks for it\n";
    let on = impact(root, "helm-charts/top/values.yaml:2");
    assert!(on.contains(parts) && !on.contains("ConfigMap/top"), "{on}");
    let off = impact(root, "helm-charts/top/values.yaml:4");
    assert!(off.contains("top/charts/two") && !off.contains("ConfigMap/one"), "{off}");
    let other = impact(root, "helm-charts/top/values.yaml:5");
    assert!(other.contains("unknown: no value is known to come from this line"), "{other}");
    let dependency = impact(root, "helm-charts/top/Chart.yaml:6");
    assert!(dependency.contains("ConfigMap/one") && dependency.contains("ConfigMap/top"), "{dependency}");
    let about = impact(root, "helm-charts/top/Chart.yaml:4");
    assert!(about.contains("feeds nothing on any cluster"), "{about}");
}

#[test]
fn stale_files_are_not_vouched_for() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let root = shop(folder.path());
    let values = root.join("helm-charts/values/api.yaml");
    let text = fs::read_to_string(&values).expect("it is there").replace("128Mi", "256Mi");
    fs::write(&values, text).expect("it can be written");
    let said = impact(&root, "helm-charts/values/api.yaml:27");
    let stale = "unknown: helm-charts/rendered/api/deployment-api.yaml is not what its release renders to now: run `onepane \
                 render`\n";
    assert!(said.contains(stale), "{said}");
}

#[test]
fn why_names_the_commits_of_lines() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let root = shop(folder.path());
    let edit = |file: &str, from: &str, to: &str| {
        let path = root.join(file);
        let text = fs::read_to_string(&path).expect("it is there");
        assert!(text.contains(from), "{file}: {from}");
        fs::write(&path, text.replacen(from, to, 1)).expect("it can be written");
    };
    edit("helm-charts/api/values.yaml", "replicas: 1", "replicas: 2");
    git(
        &root,
        &["-c", "user.name=Ann", "commit", "--quiet", "--all", "--message", "Two of api", "--author", "Ann <a@b.c>"],
    );
    // Not committed, and above the line that is.
    edit("helm-charts/api/values.yaml", "nameOverride: \"\"", "# Ours.\nnameOverride: \"\"");
    edit(
        "helm-charts/api/charts/service-library/templates/_deployment.tpl",
        "revisionHistoryLimit: 3",
        "revisionHistoryLimit: 4",
    );
    assert_eq!(onepane(&root, &["render"]).0.code, Some(0));
    let why = |field: &str| onepane(&root, &["why", "prod-eu", "Deployment/api", field, "--commits"]).1;
    let replicas = why("spec.replicas");
    assert!(replicas.contains("Ann, 2") && replicas.contains(": Two of api)"), "{replicas}");
    assert!(
        replicas.contains("replicas: {{ .Values.replicas }}  (") && replicas.contains(": Everything that runs)"),
        "{replicas}"
    );
    let limit = why("spec.revisionHistoryLimit");
    assert!(limit.contains("revisionHistoryLimit: 4  (not committed)"), "{limit}");
    let (_, json) = onepane(&root, &["why", "prod-eu", "Deployment/api", "spec.replicas", "--commits", "-o", "json"]);
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    let steps = json["fields"][0]["steps"].as_array().expect("it has steps");
    let last = &steps.last().expect("there is one")["lastTouch"];
    assert_eq!((last["author"].as_str(), last["title"].as_str()), (Some("Ann"), Some("Two of api")));
    assert_eq!(json["fields"][0]["source"]["file"], "helm-charts/api/values.yaml");
}

/// Runs `onepane`, and gives what it printed.
fn onepane(folder: &Path, arguments: &[&str]) -> (Finished, String) {
    let finished = run_once(env!("CARGO_BIN_EXE_onepane"), arguments, folder);
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    (finished, said)
}

/// What was found of the fields that were sampled.
#[derive(Default, Debug)]
struct Tally {
    fields: usize,
    lines: usize,
    exact: usize,
    /// Nothing was claimed.
    unknown: usize,
    /// Every change of the line that was tried makes a repository that can't be built.
    untried: usize,
    wrong: Vec<String>,
    /// How many fields changed in all, and how many `impact` listed for that.
    changed: usize,
    listed: usize,
}

struct Trial {
    root: PathBuf,
    clusters: Vec<String>,
}

impl Trial {
    fn of(root: &Path) -> Self {
        let (built, text) = onepane(root, &["build", "-o", "json"]);
        assert_eq!(built.code, Some(0), "{}", built.stderr);
        let clusters = serde_json::from_str::<Value>(&text).expect("it is JSON");
        let names = clusters.as_object().expect("it has clusters").keys();
        let name = |unit: &String| unit.rsplit('/').next().expect("it has a name").to_owned();
        Self { root: root.to_owned(), clusters: names.map(name).collect() }
    }

    fn run(&self, what: &str) {
        let wanted: usize = std::env::var("ONEPANE_FIELDS").map_or(100, |text| text.parse().expect("a number"));
        let mut tally = Tally::default();
        let before = self.build().expect("it builds");
        let mut by_line: BTreeMap<(String, u64), Vec<Field>> = BTreeMap::new();
        let mut resources = before.names();
        shuffle(&mut resources);
        // A few of each, so that one large resource is not all there is.
        const EACH: usize = 12;
        let mut sampled = Vec::new();
        for (cluster, resource) in resources {
            if sampled.len() >= wanted * 2 {
                break;
            }
            let mut fields = self.fields(&cluster, &resource);
            shuffle(&mut fields);
            sampled.extend(fields.into_iter().take(EACH));
        }
        shuffle(&mut sampled);
        for (field, source) in sampled {
            match source {
                Some(line) => by_line.entry(line).or_default().push(field),
                None => (tally.fields, tally.unknown) = (tally.fields + 1, tally.unknown + 1),
            }
        }
        let mut lines: Vec<_> = by_line.into_iter().collect();
        shuffle(&mut lines);
        for ((file, line), fields) in lines {
            if tally.fields >= wanted {
                break;
            }
            (tally.fields, tally.lines) = (tally.fields + fields.len(), tally.lines + 1);
            let untried = tally.untried;
            self.try_line(&file, line, &fields, &before, &mut tally);
            tally.fields -= tally.untried - untried;
        }
        let tried = tally.fields;
        println!(
            "{what}: {} fields from {} lines; {} exact, {} unknown, {} wrong, {} untried; {} fields changed, {} were listed",
            tally.fields,
            tally.lines,
            tally.exact,
            tally.unknown,
            tally.wrong.len(),
            tally.untried,
            tally.changed,
            tally.listed,
        );
        assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
        assert!(tried > 0 && tally.exact * 100 >= tried * 98, "{} of {tried} are exact", tally.exact);
    }

    /// The fields of a resource, with the lines that `why` names.
    fn fields(&self, cluster: &str, resource: &str) -> Vec<(Field, Option<(String, u64)>)> {
        let (why, text) = onepane(&self.root, &["why", cluster, resource, "-o", "json"]);
        // Of two kinds with one name only one can be asked for.
        if why.code != Some(0) {
            assert!(why.stderr.contains("why-ambiguous"), "{}", why.stderr);
            return Vec::new();
        }
        let explanation: Value = serde_json::from_str(&text).expect("it is JSON");
        let field = |field: &Value| {
            let source = &field["source"];
            let line = source["file"].as_str().map(str::to_owned).zip(source["line"].as_u64());
            let says_unknown = |step: &Value| step["step"] == "unknown";
            let is_unknown = field["steps"].as_array().expect("it has steps").iter().any(says_unknown);
            let path = field["field"].as_str().expect("it has a path").to_owned();
            ((cluster.to_owned(), resource.to_owned(), path), line.filter(|_| !is_unknown))
        };
        explanation["fields"].as_array().expect("it has fields").iter().map(field).collect()
    }

    fn try_line(&self, file: &str, line: u64, fields: &[Field], before: &Built, tally: &mut Tally) {
        let place = format!("{file}:{line}");
        let (asked, text) = onepane(&self.root, &["impact", &place, "-o", "json"]);
        assert_eq!(asked.code, Some(0), "{place}: {}", asked.stderr);
        let listed = Listed::read(&text);
        let path = self.root.join(file);
        // An archive is not edited.
        if !path.is_file() {
            tally.untried += fields.len();
            return;
        }
        let was = fs::read_to_string(&path).expect("the file that is named is there");
        let mut left: Vec<&Field> = fields.iter().collect();
        let mut was_tried = false;
        for changed in changes(&was, line as usize) {
            fs::write(&path, &changed).expect("the file can be written");
            let after = self.build();
            if let Some(after) = after {
                was_tried = true;
                let differences = Differences::between(before, &after);
                let unlisted = listed.misses(&differences);
                if !unlisted.is_empty() {
                    if listed.is_unknown {
                        tally.unknown += left.len();
                    } else {
                        tally.wrong.push(format!("{place}: changed and not listed: {unlisted:?}"));
                    }
                    left.clear();
                }
                tally.changed += differences.changed.len();
                tally.listed += listed.fields.len();
                let remaining = left.len();
                left.retain(|field| !differences.changed.contains(*field));
                tally.exact += remaining - left.len();
            }
            fs::write(&path, &was).expect("the file can be written");
            if left.is_empty() {
                break;
            }
        }
        self.render();
        match was_tried {
            true => tally.wrong.extend(left.iter().map(|field| format!("{place} is not where {field:?} is from"))),
            false => tally.untried += left.len(),
        }
    }

    fn render(&self) -> bool {
        onepane(&self.root, &["render"]).0.code == Some(0)
    }

    /// Renders and builds; `None` where that can't be done.
    fn build(&self) -> Option<Built> {
        let is_rendered = !self.root.join("helm-charts").exists() || self.render();
        let (built, text) = onepane(&self.root, &[&["build", "-o", "json"][..], &self.names()].concat());
        (is_rendered && built.code == Some(0)).then(|| Built::read(&text))
    }

    fn names(&self) -> Vec<&str> {
        self.clusters.iter().map(String::as_str).collect()
    }
}

/// The resources of each cluster.
struct Built(BTreeMap<String, BTreeMap<String, Value>>);

impl Built {
    /// The clusters and resources.
    fn names(&self) -> Vec<(String, String)> {
        let of = |(cluster, resources): (&String, &BTreeMap<String, Value>)| {
            resources.keys().map(|name| (cluster.clone(), name.clone())).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of).collect()
    }

    fn read(text: &str) -> Self {
        let clusters: Value = serde_json::from_str(text).expect("it is JSON");
        let cluster = |(unit, list): (&String, &Value)| {
            let resources = list["items"].as_array().expect("it is a list").iter();
            let resources = resources.map(|resource| (name_of(resource), resource.clone())).collect();
            (unit.rsplit('/').next().expect("it has a name").to_owned(), resources)
        };
        Self(clusters.as_object().expect("it has clusters").iter().map(cluster).collect())
    }
}

/// `Kind/name` or `Kind/namespace/name`.
fn name_of(resource: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &resource["metadata"];
    let parts = [text(&resource["kind"]), text(&metadata["namespace"]), text(&metadata["name"])];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// What `impact` says.
struct Listed {
    fields: BTreeSet<Field>,
    parts: BTreeSet<(String, String)>,
    has_silent_templates: bool,
    is_unknown: bool,
}

impl Listed {
    fn read(text: &str) -> Self {
        let report: Value = serde_json::from_str(text).expect("it is JSON");
        let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
        let list = |value: &Value| value.as_array().expect("it is a list").clone();
        let (mut fields, mut parts) = (BTreeSet::new(), BTreeSet::new());
        for cluster in list(&report["clusters"]) {
            let name = text(&cluster["cluster"]);
            let field = |field: Value| (name.clone(), text(&field["resource"]), text(&field["field"]));
            fields.extend(list(&cluster["fields"]).into_iter().map(field));
            parts.extend(list(&cluster["parts"]).into_iter().map(|part| (name.clone(), text(&part["resource"]))));
        }
        let has = |key: &str| !list(&report[key]).is_empty();
        Self { fields, parts, has_silent_templates: has("silentTemplates"), is_unknown: has("unknown") }
    }

    /// What has changed and is not listed.
    fn misses(&self, differences: &Differences) -> Vec<String> {
        let field = |field: &&Field| !self.fields.contains(*field);
        let fields = differences.changed.iter().filter(field).map(|field| format!("{field:?}"));
        // What is new stands beside something that is listed, or where parts may come.
        let is_near = |(cluster, resource, above): &Field| {
            let begins = |(of, name, path): &Field| of == cluster && name == resource && path.starts_with(above);
            self.fields.iter().any(begins) || self.parts.contains(&(cluster.clone(), resource.clone()))
        };
        let added = differences.added.iter().filter(|field| !is_near(field)).map(|field| format!("new in {field:?}"));
        let may_be_more = self.has_silent_templates || !self.parts.is_empty();
        let resources = differences.resources.iter().filter(|_| !may_be_more).map(|name| format!("new: {name}"));
        fields.chain(added).chain(resources).collect()
    }
}

/// What is otherwise after a change.
#[derive(Default)]
struct Differences {
    /// Fields that have another value or none.
    changed: BTreeSet<Field>,
    /// What has more in it than before.
    added: BTreeSet<Field>,
    /// Resources that were not there.
    resources: Vec<String>,
}

impl Differences {
    fn between(before: &Built, after: &Built) -> Self {
        let mut differences = Self::default();
        for (cluster, old) in &before.0 {
            let mut new: Vec<(&String, &Value)> = after.0[cluster].iter().collect();
            let mut take = |is: &dyn Fn(&Value) -> bool, name: Option<&String>| {
                let found = |(key, value): &(&String, &Value)| name.is_none_or(|name| *key == name) && is(value);
                new.iter().position(found).map(|at| new.remove(at).1)
            };
            let (mut pairs, mut left) = (Vec::new(), Vec::new());
            for (name, resource) in old {
                match take(&|_| true, Some(name)) {
                    Some(same) => pairs.push((name, resource, Some(same))),
                    None => left.push((name, resource)),
                }
            }
            // One that is called otherwise is the next of its kind, or has its name.
            for (name, resource) in left {
                let of_kind = take(&|new| new["kind"] == resource["kind"], None);
                let named = || resource["metadata"]["name"].clone();
                let other = of_kind.or_else(|| take(&|new| new["metadata"]["name"] == named(), None));
                pairs.push((name, resource, other));
            }
            for (name, old, new) in pairs {
                let mut walk = Walk { cluster, resource: name, differences: &mut differences };
                match new {
                    Some(new) => walk.compare("", old, new),
                    None => walk.remove("", old),
                }
            }
            differences.resources.extend(new.into_iter().map(|(name, _)| name.clone()));
        }
        differences
    }
}

struct Walk<'a> {
    cluster: &'a str,
    resource: &'a str,
    differences: &'a mut Differences,
}

impl Walk<'_> {
    fn field(&self, path: &str) -> Field {
        (self.cluster.to_owned(), self.resource.to_owned(), path.to_owned())
    }

    fn remove(&mut self, path: &str, old: &Value) {
        match old {
            Value::Object(entries) if !entries.is_empty() => {
                entries.iter().for_each(|(key, value)| self.remove(&join_key(path, key), value));
            }
            Value::Array(items) if !items.is_empty() => {
                items.iter().enumerate().for_each(|(at, item)| self.remove(&join_item(path, at, item), item));
            }
            _ => _ = self.differences.changed.insert(self.field(path)),
        }
    }

    fn compare(&mut self, path: &str, old: &Value, new: &Value) {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) if !old.is_empty() => {
                for (key, value) in old {
                    match new.get(key) {
                        Some(other) => self.compare(&join_key(path, key), value, other),
                        None => self.remove(&join_key(path, key), value),
                    }
                }
                if new.keys().any(|key| !old.contains_key(key)) {
                    self.differences.added.insert(self.field(path));
                }
            }
            (Value::Array(old), Value::Array(new)) if !old.is_empty() && old.len() == new.len() => {
                for (at, (item, other)) in old.iter().zip(new).enumerate() {
                    self.compare(&join_item(path, at, item), item, other);
                }
            }
            (Value::Array(old), Value::Array(new)) if !old.is_empty() => {
                for (at, item) in old.iter().enumerate() {
                    let same = |other: &&Value| match item.get("name") {
                        Some(name) => other.get("name") == Some(name),
                        None => *other == item,
                    };
                    match new.iter().find(same) {
                        Some(other) => self.compare(&join_item(path, at, item), item, other),
                        None => self.remove(&join_item(path, at, item), item),
                    }
                }
                if new.len() > old.len() {
                    self.differences.added.insert(self.field(path));
                }
            }
            _ if old != new => self.remove(path, old),
            _ => {}
        }
    }
}

fn join_item(path: &str, at: usize, item: &Value) -> String {
    match item.get("name").and_then(Value::as_str) {
        Some(name) => format!("{path}[name={name}]"),
        None => format!("{path}[{at}]"),
    }
}

/// The text with another value in a line, in several ways.
fn changes(text: &str, line: usize) -> Vec<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut at = line - 1;
    let is_header = |line: &str| {
        let last = line.trim_end().rsplit(' ').next().unwrap_or_default();
        last.starts_with(['|', '>']) && last[1..].chars().all(|c| "+-0123456789".contains(c))
    };
    // The text of a block is below.
    if is_header(lines[at]) {
        at = (at + 1..lines.len()).find(|at| !lines[*at].trim().is_empty()).unwrap_or(at);
    }
    let whole = lines[at].trim_end_matches('\n');
    let comment = whole.find(" #").unwrap_or(whole.len());
    let (code, comment) = whole.split_at(comment);
    let code = code.trim_end();
    let start = [": ", "- ", "="].iter().filter_map(|mark| code.find(mark).map(|at| at + mark.len())).min();
    let (head, value) = code.split_at(start.unwrap_or(code.len() - code.trim_start().len()));
    let mut values = Vec::new();
    match value {
        "true" => values.push("false".to_owned()),
        "false" => values.push("true".to_owned()),
        "{}" => values.push("{truth: x}".to_owned()),
        "[]" => values.push("[truth]".to_owned()),
        _ => {}
    }
    let bare = !value.contains("{{");
    if let Some(digit) = value.rfind(|c: char| c.is_ascii_digit()).filter(|_| bare) {
        let other = (value.as_bytes()[digit] - b'0') % 9 + 1;
        values.push(format!("{}{other}{}", &value[..digit], &value[digit + 1..]));
    }
    match value.strip_suffix(['"', '\'']) {
        Some(inner) => values.push(format!("{inner}x{}", &value[inner.len()..])),
        None => values.push(format!("{value}x")),
    }
    if let Some(at) = value.find("{{") {
        values.push(format!("{}x{}", &value[..at], &value[at..]));
    }
    let mut texts: Vec<String> = values.into_iter().map(|value| format!("{head}{value}{comment}\n")).collect();
    // What a key is called may be the value of a field.
    if let Some((key, rest)) = code.split_once(':').filter(|(key, _)| !key.contains("{{")) {
        texts.extend(['x', 'X'].map(|more| format!("{key}{more}:{rest}{comment}\n")));
    }
    let put = |changed: String| {
        lines.iter().enumerate().map(|(index, line)| if index == at { &changed } else { *line }).collect()
    };
    texts.into_iter().map(put).collect()
}

/// Puts things into an order that looks random and is the same in each run.
fn shuffle<T>(things: &mut [T]) {
    let mut random = Random(1);
    for at in (1..things.len()).rev() {
        things.swap(at, random.below(at + 1));
    }
}
